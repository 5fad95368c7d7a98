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
