//! Headers that claim more than a caller may say: how the next hop should treat the head, or who it should believe.

use http::header::{self, HeaderMap};

use super::{single, wire};
use crate::reason::Reason;

/// What `Connection` may name: nothing that a caller could have the proxy drop before somebody looks at it.
const NOMINATED: [&str; 5] = ["close", "http2-settings", "keep-alive", "te", "upgrade"];

/// Refuses names that CGI would fold into others, nominations of end-to-end headers, and expectations that nobody meets.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Reason> {
    if !headers
        .keys()
        .all(|name| wire::is_name(name.as_str().as_bytes()))
    {
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

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn checked(headers: &[(&'static str, &'static str)]) -> Result<(), Reason> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        check(&map)
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
        ] {
            assert_eq!(checked(headers), Ok(()), "{headers:?}");
        }
    }

    #[test]
    fn claims_about_other_headers_are_refused() {
        for headers in [
            &[("x_role", "admin")][..],
            &[("x.role", "admin")],
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
