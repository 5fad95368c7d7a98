//! Where a request came from: the peer, or what trusted proxies before this one say of theirs.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::reason::Reason;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The origin of a request that a peer has sent. From a trusted proxy, all lines of `X-Forwarded-For` are one list, to
/// whose end each proxy has added its own peer: the last address that is not one of theirs is the origin. Without the
/// header, and where all addresses are trusted, it is the peer. From anybody else the header means nothing.
///
/// # Errors
/// If a trusted proxy sends a list of which any part is no address.
pub fn origin(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> Result<IpAddr, Reason> {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return Ok(peer);
    }
    let mut origin = peer;
    for line in headers.get_all(FORWARDED_FOR) {
        let line = line.to_str().map_err(|_| Reason::MalformedHead)?;
        for element in line.split(',') {
            let address = address(element).ok_or(Reason::MalformedHead)?;
            if !is_trusted(&address) {
                origin = address;
            }
        }
    }
    Ok(origin)
}

/// An address, as proxies write it: plain, with a port, and that of IPv6 perhaps in brackets. What is an IPv4 address in
/// the form of an IPv6 one is an IPv4 address.
fn address(element: &str) -> Option<IpAddr> {
    let text = element.trim_matches([' ', '\t']);
    // A zone means something on the machine only that has written it.
    if text.contains('%') {
        return None;
    }
    let in_brackets = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let address = plain.or_else(in_brackets).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn origin_of(peer: &str, lines: &[&str]) -> Result<String, Reason> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted = ["10.0.0.0/8", "2001:db8:f::/48"].map(|network| network.parse().unwrap());
        origin(&headers, peer.parse().unwrap(), &trusted).map(|origin| origin.to_string())
    }

    #[test]
    fn the_last_untrusted_address_of_all_lines_is_the_origin() {
        for (lines, expected) in [
            (&["203.0.113.7"][..], "203.0.113.7"),
            (&["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7, 10.2.2.2, 10.3.3.3"], "203.0.113.7"),
            (&["1.1.1.1", "203.0.113.7 ,10.2.2.2"], "203.0.113.7"),
            (&["203.0.113.7", "10.2.2.2"], "203.0.113.7"),
            (&["10.2.2.2"], "10.0.0.9"),
            (&[], "10.0.0.9"),
        ] {
            assert_eq!(origin_of("10.0.0.9", lines).unwrap(), expected, "{lines:?}");
        }
    }

    #[test]
    fn addresses_are_read_in_every_form_that_proxies_write() {
        for (element, expected) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
            ("\t203.0.113.7 ", "203.0.113.7"),
        ] {
            for peer in ["10.0.0.9", "::ffff:10.0.0.9", "2001:db8:f::1"] {
                assert_eq!(origin_of(peer, &[element]).unwrap(), expected, "{element}");
            }
        }
        assert_eq!(
            origin_of("10.0.0.9", &["::ffff:10.2.2.2"]).unwrap(),
            "10.0.0.9"
        );
    }

    #[test]
    fn what_is_no_list_of_addresses_is_refused_from_a_trusted_proxy() {
        for line in [
            "",
            ",",
            "unknown",
            "_hidden",
            "203.0.113.7,",
            ", 203.0.113.7",
            "203.0.113.7,,10.2.2.2",
            "203.0.113.7 10.2.2.2",
            "garbage, 203.0.113.7",
            "203.0.113",
            "0203.0.113.7",
            "203.0.113.7/32",
            "203.0.113.7:port",
            "203.0.113.7:70000",
            "2001:db8::7]:1",
            "[203.0.113.7]",
            "fe80::1%eth0",
            "[fe80::1%1]:80",
            "\"203.0.113.7\"",
            "for=203.0.113.7",
        ] {
            assert_eq!(
                origin_of("10.0.0.9", &["203.0.113.7", line]),
                Err(Reason::MalformedHead),
                "{line}"
            );
        }
    }

    #[test]
    fn from_others_the_header_means_nothing() {
        for line in ["1.1.1.1", "10.0.0.1", "garbage"] {
            assert_eq!(origin_of("192.0.2.1", &[line]).unwrap(), "192.0.2.1");
            assert_eq!(origin_of("::ffff:192.0.2.1", &[line]).unwrap(), "192.0.2.1");
        }
    }
}
