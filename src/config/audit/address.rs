//! Where a sink is on the network.

use std::net::IpAddr;

use http::Uri;

use crate::diagnostic::{Place, Spanned};

/// Bytes of a URL.
const URL_BYTES_MAX: usize = 2_048;

pub(super) const SYSLOG: Schemes = Schemes {
    tls: ("tls", 6514),
    clear: ("tcp", 601),
    has_path: false,
};
pub(super) const WEB: Schemes = Schemes {
    tls: ("https", 443),
    clear: ("http", 80),
    has_path: true,
};

/// The schemes of an address, with TLS and in clear, and their usual ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schemes {
    pub(super) tls: (&'static str, u16),
    pub(super) clear: (&'static str, u16),
    /// Whether a path and a query may stand behind the port.
    pub(super) has_path: bool,
}

impl Schemes {
    pub(super) fn help(&self) -> String {
        let path = if self.has_path { "/path" } else { "" };
        format!("write `{}://host:{}{path}`", self.tls.0, self.tls.1)
    }
}

/// An address.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) place: Place,
    pub(super) is_tls: bool,
    /// Name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl Address {
    /// Reads one; else why it is none.
    pub(super) fn read(text: &Spanned<&str>, schemes: &Schemes) -> Result<Self, &'static str> {
        let (text_place, text) = (text.place.clone(), text.value);
        let (scheme, rest) = text.split_once("://").ok_or("has no scheme")?;
        let is_tls = match scheme {
            scheme if scheme == schemes.tls.0 => true,
            scheme if scheme == schemes.clear.0 => false,
            _ => return Err("has another scheme"),
        };
        let is_plain = |b: u8| {
            b.is_ascii_graphic()
                && !matches!(
                    b,
                    b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#'
                )
        };
        if text.len() > URL_BYTES_MAX || !text.bytes().all(is_plain) {
            return Err("holds what does not stand in a URL");
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let target = rest.strip_prefix(authority).unwrap_or_default();
        if authority.contains('@') {
            return Err("must not hold a user or password");
        }
        if !schemes.has_path && !target.is_empty() {
            return Err("has something behind its port");
        }
        // The scheme does not matter for the rest.
        let uri: Uri = format!("https://{rest}")
            .parse()
            .map_err(|_| "is not a URL")?;
        let host = uri.host().unwrap_or_default();
        let port = authority.strip_prefix(host);
        if host.is_empty() || (port != Some("") && uri.port_u16().is_none_or(|port| port == 0)) {
            return Err("has no valid host or port");
        }
        let usual = if is_tls {
            schemes.tls.1
        } else {
            schemes.clear.1
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        if rustls_pki_types::ServerName::try_from(host.as_str()).is_err() {
            return Err("has no valid host or port");
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(Self {
            place: text_place,
            is_tls,
            host,
            port: uri.port_u16().unwrap_or(usual),
            target: target.to_owned(),
        })
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
