//! Callers whom an authenticating proxy before this one names.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::TrustedFront;
use crate::diagnostic::Spanned;
use crate::diagnostic::odd::{Oddity, oddity};
use crate::reason::Reason;

/// Characters of the name of a caller or role.
const NAME_BYTES_MAX: usize = 256;
/// Roles of one caller.
const ROLES_MAX: usize = 100;
/// Bytes of the header of roles.
const ROLES_BYTES_MAX: usize = 8 << 10;

/// The authenticating proxy before this one: who it is, and how it names callers. Its `Debug` does not show its secret.
pub struct Front {
    peers: Vec<IpNet>,
    secret_header: HeaderName,
    secret: Box<[u8]>,
    id: HeaderName,
    roles: Option<HeaderName>,
}

/// A caller whom it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fronted {
    /// Who it is.
    pub user: String,
    /// The roles, as they were named, each once.
    pub roles: Vec<String>,
}

impl Front {
    /// The proxy of a configuration.
    pub fn new(configured: &TrustedFront) -> Self {
        let name = |header: &Spanned<HeaderName>| header.value.clone();
        Self {
            peers: configured.peers.clone(),
            secret_header: name(&configured.secret_header),
            secret: configured.secret.bytes().into(),
            id: name(&configured.id),
            roles: configured.roles.as_ref().map(name),
        }
    }

    /// The headers that only it may send, in their one spelling.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        [&self.secret_header, &self.id]
            .into_iter()
            .chain(&self.roles)
    }

    /// The caller whom it names, if it names one. From anybody else, and in any spelling that a CGI would make the same
    /// variable of, its headers are refused.
    pub fn verify(&self, peer: IpAddr, headers: &HeaderMap) -> Result<Option<Fronted>, Reason> {
        let mut is_spoken_for = false;
        for name in headers.keys() {
            if let Some(own) = self.headers().find(|own| is_variable_of(name, own)) {
                if name != own {
                    return Err(Reason::MalformedHead);
                }
                is_spoken_for = true;
            }
        }
        if !is_spoken_for {
            return Ok(None);
        }
        // Compared whoever the peer is, so that the time says nothing of who may be one.
        let secret = once(headers, &self.secret_header)?.unwrap_or_default();
        let is_known = verify_slices_are_equal(secret, &self.secret).is_ok();
        let peer = peer.to_canonical();
        if !is_known || !self.peers.iter().any(|network| network.contains(&peer)) {
            return Err(Reason::MalformedHead);
        }
        let roles = match &self.roles {
            Some(name) => once(headers, name)?,
            None => None,
        };
        match once(headers, &self.id)? {
            Some(user) => Ok(Some(Fronted {
                user: one(user)?,
                roles: listed(roles.unwrap_or_default())?,
            })),
            // It may pass on whom it does not know; roles of nobody are a mistake.
            None if roles.is_none() => Ok(None),
            None => Err(Reason::MalformedHead),
        }
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front")
            .field("peers", &self.peers)
            .field("id", &self.id)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// Whether some server would make the same variable of two names (RFC 3875, section 4.1.18): names are in lower case here,
/// and what is neither a letter nor a digit may become an underscore.
fn is_variable_of(name: &HeaderName, own: &HeaderName) -> bool {
    let folded = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => byte,
        false => b'_',
    };
    let (name, own) = (name.as_str().bytes(), own.as_str().bytes());
    name.map(folded).eq(own.map(folded))
}

/// The value of a header that may stand once.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Reason> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.next() {
        Some(_) => Err(Reason::MalformedHead),
        None => Ok(first.map(http::HeaderValue::as_bytes)),
    }
}

/// A name: UTF-8 without controls, bounded, and with no blank at either end.
fn one(name: &[u8]) -> Result<String, Reason> {
    let name = std::str::from_utf8(name).map_err(|_| Reason::MalformedHead)?;
    let fits = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.trim() == name
        && !name.chars().any(is_unseen);
    fits.then(|| name.to_owned()).ok_or(Reason::MalformedHead)
}

/// Characters that nobody sees, or that turn the direction of others: two names must not look the same.
fn is_unseen(character: char) -> bool {
    use Oddity::{Control, Direction, Invisible, Space};
    character.is_control()
        || matches!(
            oddity(character),
            Some(Control | Direction | Invisible | Space)
        )
}

/// Names between commas, each once; blank ones mean nothing.
fn listed(names: &[u8]) -> Result<Vec<String>, Reason> {
    if names.len() > ROLES_BYTES_MAX {
        return Err(Reason::MalformedHead);
    }
    let mut roles = Vec::new();
    for name in names.split(|byte| *byte == b',') {
        let name = name.trim_ascii();
        if name.is_empty() {
            continue;
        }
        let name = one(name)?;
        if !roles.contains(&name) {
            roles.push(name);
        }
    }
    if roles.len() > ROLES_MAX {
        return Err(Reason::MalformedHead);
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn front() -> Front {
        Front {
            peers: vec!["10.0.0.7/32".parse().unwrap(), "fd00::/64".parse().unwrap()],
            secret_header: HeaderName::from_static("x-front-secret"),
            secret: b"0123456789abcdef".as_slice().into(),
            id: HeaderName::from_static("x-auth-request-user"),
            roles: Some(HeaderName::from_static("x-auth-request-groups")),
        }
    }

    fn verify(peer: &str, headers: &[(&str, &str)]) -> Result<Option<Fronted>, Reason> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        front().verify(peer.parse().unwrap(), &map)
    }

    const SECRET: (&str, &str) = ("x-front-secret", "0123456789abcdef");

    #[test]
    fn whom_the_proxy_names_is_who_it_says() {
        let user = ("X-Auth-Request-User", "fanny@example.org");
        let roles = ("x-auth-request-groups", "sales, crm users,,sales,équipe");
        for peer in ["10.0.0.7", "::ffff:10.0.0.7", "fd00::1"] {
            let named = verify(peer, &[SECRET, user, roles, ("accept", "a")]);
            let named = named.unwrap().unwrap();
            assert_eq!(named.user, "fanny@example.org");
            assert_eq!(named.roles, ["sales", "crm users", "équipe"]);
        }
        let alone = verify("10.0.0.7", &[SECRET, user]).unwrap().unwrap();
        assert!(alone.roles.is_empty());
        assert_eq!(verify("10.0.0.7", &[SECRET]), Ok(None));
        assert_eq!(verify("10.0.0.8", &[("accept", "a")]), Ok(None));
    }

    #[test]
    fn from_anybody_else_its_headers_are_refused() {
        let user = ("x-auth-request-user", "fanny");
        for (peer, headers) in [
            ("10.0.0.8", &[SECRET, user][..]),
            ("10.0.0.8", &[SECRET]),
            ("10.0.0.8", &[user]),
            ("10.0.0.7", &[user]),
            ("10.0.0.7", &[user, ("x-front-secret", "")]),
            ("10.0.0.7", &[user, ("x-front-secret", "0123456789abcdee")]),
            ("10.0.0.7", &[user, ("x-front-secret", "0123456789abcde")]),
            ("10.0.0.7", &[user, ("x-front-secret", "0123456789abcdef0")]),
            ("10.0.0.7", &[user, SECRET, SECRET]),
            ("10.0.0.7", &[user, ("x_front_secret", "0123456789abcdef")]),
            ("10.0.0.7", &[SECRET, ("x_auth_request_user", "fanny")]),
            ("10.0.0.7", &[SECRET, user, ("x-auth_request-user", "boss")]),
            ("10.0.0.7", &[SECRET, user, ("x.auth.request.user", "boss")]),
            ("10.0.0.9", &[("x_auth-request_groups", "admins")]),
        ] {
            assert_eq!(
                verify(peer, headers),
                Err(Reason::MalformedHead),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn names_that_have_two_readings_are_refused() {
        let long = "a".repeat(257);
        let many = (0..101).map(|role| format!("r{role}")).collect::<Vec<_>>();
        let many = many.join(",");
        for (name, value) in [
            ("x-auth-request-user", ""),
            ("x-auth-request-user", "a\u{a0}b"),
            ("x-auth-request-user", "a\u{200b}"),
            ("x-auth-request-user", "a\u{202e}b"),
            ("x-auth-request-user", "a\tb"),
            ("x-auth-request-user", &long),
            ("x-auth-request-groups", "a,b\tc"),
            ("x-auth-request-groups", &many),
            ("x-auth-request-groups", &long),
        ] {
            let user = ("x-auth-request-user", "fanny");
            let mut headers = vec![SECRET, (name, value)];
            if name != user.0 {
                headers.push(user);
            }
            assert_eq!(
                verify("10.0.0.7", &headers),
                Err(Reason::MalformedHead),
                "{value:?}"
            );
        }
        let user = ("x-auth-request-user", "fanny");
        let twice = [SECRET, user, user];
        assert_eq!(verify("10.0.0.7", &twice), Err(Reason::MalformedHead));
        let nobody = [SECRET, ("x-auth-request-groups", "a")];
        assert_eq!(verify("10.0.0.7", &nobody), Err(Reason::MalformedHead));
        let mut latin = HeaderMap::new();
        latin.insert("x-front-secret", HeaderValue::from_static(SECRET.1));
        let value = HeaderValue::from_bytes(b"ren\xe9").unwrap();
        latin.insert("x-auth-request-user", value);
        let peer = "10.0.0.7".parse().unwrap();
        assert_eq!(front().verify(peer, &latin), Err(Reason::MalformedHead));
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert!(!format!("{:?}", front()).contains("0123456789"));
    }

    proptest! {
        #[test]
        fn no_value_makes_a_caller_without_the_secret(value in "[ -~]{0,40}", secret in "[!-~]{0,20}") {
            prop_assume!(secret != SECRET.1);
            let headers = [("x-front-secret", secret.as_str()), ("x-auth-request-user", value.as_str())];
            prop_assert_eq!(verify("10.0.0.7", &headers), Err(Reason::MalformedHead));
        }

        #[test]
        fn whatever_is_named_is_visible(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(name) = one(&value) {
                prop_assert!(!name.chars().any(is_unseen) && !name.is_empty());
            }
            if let Ok(names) = listed(&value) {
                prop_assert!(names.iter().all(|name| !name.contains(',')));
            }
        }
    }
}
