//! Reads networks: `10.0.0.0/8`, `2001:db8::/32`, or one address. None is everybody.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::diagnostic::{Diagnostic, Node, Spanned, quoted};

use super::codes;
use super::read::Reader;

impl Reader<'_> {
    /// Some networks, which together are not everybody.
    pub(super) fn networks(&mut self, node: &Node, what: &str) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in node.texts(what, self.found).unwrap_or_default() {
            match read(text.value) {
                Ok(network) => networks.push(network),
                Err(wrong) => self.found.push(wrong.told_of(&text)),
            }
        }
        // Two halves are everybody, too.
        let all = IpNet::aggregate(&networks);
        if all.iter().any(|network| network.prefix_len() == 0) {
            self.found.push(
                Diagnostic::error(codes::BAD_NETWORK, format!("{what} holds everybody"))
                    .at(&node.place, "every address is in these networks")
                    .help("name the networks, or better the addresses, of the proxies themselves"),
            );
        }
        networks
    }
}

/// Reads a network, or says what to write.
///
/// # Errors
/// If it is not one.
pub fn network(text: &str) -> Result<IpNet, String> {
    read(text).map_err(|wrong| match wrong {
        Wrong::Form => "must be of the form `10.0.0.0/8` or `2001:db8::/32`".to_owned(),
        Wrong::Host { network, host } => {
            format!("write `{network}`, or `{host}` for this one address")
        }
    })
}

/// What is wrong with a network.
enum Wrong {
    Form,
    /// This network was meant, or this one address.
    Host {
        network: IpNet,
        host: IpNet,
    },
}

impl Wrong {
    fn told_of(&self, text: &Spanned<&str>) -> Diagnostic {
        let title = format!("{} is not a network", quoted(text.value));
        let diagnostic = Diagnostic::error(codes::BAD_NETWORK, title);
        match self {
            Self::Form => diagnostic
                .at(&text.place, "must be of the form `10.0.0.0/8` or `2001:db8::/32`")
                .help("write the first address and the number of leading bits that all have in common"),
            Self::Host { network, host } => diagnostic
                .at(&text.place, "the address is not the first of its network")
                .help(format!("write `{network}`, or `{host}` for this one address")),
        }
    }
}

fn read(text: &str) -> Result<IpNet, Wrong> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| Wrong::Form)?,
    };
    let network = canonical(network);
    if network.trunc() == network {
        return Ok(network);
    }
    Err(Wrong::Host {
        network: network.trunc(),
        host: IpNet::from(network.addr()),
    })
}

/// A network of IPv4 addresses in the form of IPv6 is one of IPv4 addresses: so are the peers compared.
fn canonical(network: IpNet) -> IpNet {
    let (IpAddr::V6(address), bits) = (network.addr(), network.prefix_len()) else {
        return network;
    };
    let mapped = Ipv6Addr::to_ipv4_mapped(&address).zip(bits.checked_sub(MAPPED_BITS));
    mapped
        .and_then(|(address, bits)| Ipv4Net::new(address, bits).ok())
        .map_or(network, IpNet::from)
}

/// The leading bits of all IPv4 addresses in the form of IPv6.
const MAPPED_BITS: u8 = 96;
