//! Headers that claim more than a caller may say: how the next hop should treat the head, or who it should believe.

use http::header::{self, HeaderMap, HeaderName};

use super::{CONTROLS, Door, OVERRIDES, single, wire};
use crate::reason::Reason;

/// What `Connection` may name: nothing that a caller could have the proxy drop before somebody looks at it.
const NOMINATED: [&str; 5] = ["close", "http2-settings", "keep-alive", "te", "upgrade"];

/// Headers that are read here, or by whoever stands before or behind, to tell how a request is framed, routed, decoded or
/// believed; those of the listener's dialects come on top.
const READ: [&str; 28] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "paravent-key",
    "paravent-purpose",
    "paravent-token",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-real-ip",
];

/// How the names of headers begin in which proxies say where a request came from.
const READ_STARTING: &str = "x-forwarded";

/// Refuses names that CGI would fold into ones that matter, nominations of end-to-end headers, and expectations that nobody
/// meets.
pub(super) fn check(headers: &HeaderMap, door: &Door) -> Result<(), Reason> {
    let fits = |name: &str| wire::is_name(name.as_bytes()) && !is_alias(name, door);
    if !headers.keys().all(|name| fits(name.as_str())) {
        return Err(Reason::MalformedHead);
    }
    for value in headers.get_all(header::CONNECTION) {
        let value = value.to_str().map_err(|_| Reason::MalformedHead)?;
        let is_known = |name: &str| NOMINATED.iter().any(|own| own.eq_ignore_ascii_case(name));
        if !value.split(',').map(str::trim).all(is_known) {
            return Err(Reason::MalformedHead);
        }
    }
    match single(headers, &header::EXPECT)? {
        Some(expected) if !expected.eq_ignore_ascii_case("100-continue") => {
            Err(Reason::MalformedHead)
        }
        _ => Ok(()),
    }
}

/// Whether a name is another spelling of one that somebody reads: CGI makes the same variable of `OAuth_Token` and
/// `OAuth-Token`. Other names with an underscore mean nothing to anybody here, and none of them goes on.
fn is_alias(name: &str, door: &Door) -> bool {
    if !name.contains('_') {
        return false;
    }
    let meant = name.replace('_', "-");
    let own = door.credential_headers.iter().chain(&door.front_headers);
    let own = own.map(HeaderName::as_str);
    let mut read = READ
        .into_iter()
        .chain(OVERRIDES)
        .chain(CONTROLS)
        .chain(door.control_headers.iter().copied())
        .chain(own);
    meant.starts_with(READ_STARTING) || read.any(|known| known == meant)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn checked(headers: &[(&'static str, &'static str)]) -> Result<(), Reason> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let door = Door {
            hosts: Vec::new(),
            credential_headers: vec![HeaderName::from_static("oauth-token")],
            front_headers: Vec::new(),
            control_headers: vec!["x-if-version"],
            trusted_proxies: Vec::new(),
        };
        check(&map, &door)
    }

    #[test]
    fn what_clients_send_passes() {
        for headers in [
            &[("connection", "keep-alive"), ("te", "trailers")][..],
            &[
                ("connection", "Upgrade, HTTP2-Settings"),
                ("upgrade", "h2c"),
            ],
            &[("connection", "close"), ("expect", "100-Continue")],
            &[("x-forwarded-for", "1.2.3.4"), ("cookie", "a=b")],
            &[("x_request_id", "1"), ("_x", "1"), ("x-role_", "admin")],
        ] {
            assert_eq!(checked(headers), Ok(()), "{headers:?}");
        }
    }

    #[test]
    fn claims_about_other_headers_are_refused() {
        for headers in [
            &[("x.role", "admin")][..],
            &[("oauth_token", "a")],
            &[("content_type", "text/plain")],
            &[("x_forwarded_for", "1.2.3.4")],
            &[("x-forwarded_user", "admin")],
            &[("x_http-method_override", "DELETE")],
            &[("if_match", "a")],
            &[("x_if-version", "1")],
            &[("paravent_purpose", "payment")],
            &[
                ("host_", "a"),
                ("host", "b"),
                ("transfer_encoding", "chunked"),
            ],
            &[("connection", "close, x-forwarded-for")],
            &[("connection", "close"), ("connection", "authorization")],
            &[("connection", "")],
            &[("expect", "100-continue, x")],
            &[("expect", "")],
            &[("expect", "100-continue"), ("expect", "100-continue")],
        ] {
            assert_eq!(checked(headers), Err(Reason::MalformedHead), "{headers:?}");
        }
    }
}
