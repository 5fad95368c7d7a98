//! Tokens of links: `v1.ID.MAC`, bound to what they are for. The store has only their SHA-256.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::hex::hex;

use super::error::Error;
use super::keys::PersonKeys;
use super::shown::Use;

/// Bytes of the random part, and of the MAC.
const BYTES: usize = 16;
/// Bytes behind the random part that tell whether it was made here.
const SIGN_BYTES: usize = 8;
/// Bytes of a token that is looked at.
const TOKEN_BYTES_MAX: usize = 100;

/// A link that is good once it is in the ledger. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLink {
    pub(super) token: String,
    pub(super) used_for: Use,
    pub(super) purpose: String,
    pub(super) key_id: String,
    pub(super) expires: Timestamp,
}

impl NewLink {
    pub(super) fn make(
        keys: &PersonKeys,
        used_for: Use,
        purpose: &str,
        expires: Timestamp,
    ) -> Result<Self, Error> {
        let mut id = [0; BYTES];
        aws_lc_rs::rand::fill(&mut id)
            .map_err(|_| Error::Unavailable("the system gives no random bytes".to_owned()))?;
        let keyless = || Error::Unavailable("there is no key".to_owned());
        let sign = sign(keys, 0, used_for, &id).ok_or_else(keyless)?;
        let id = URL_SAFE_NO_PAD.encode([id.as_slice(), &sign].concat());
        let mac = mac(keys, 0, used_for, purpose, &id).ok_or_else(keyless)?;
        Ok(Self {
            token: format!("v1.{id}.{}", URL_SAFE_NO_PAD.encode(mac)),
            used_for,
            purpose: purpose.to_owned(),
            key_id: keys.id(0).unwrap_or_default().to_owned(),
            expires,
        })
    }

    /// What stands in the link. It proves who has the mailbox: it goes there and nowhere else.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for NewLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewLink({})", self.used_for.name())
    }
}

/// What the store has of a token.
pub(super) fn sha256(token: &str) -> String {
    hex(digest(&SHA256, token.as_bytes()).as_ref())
}

/// Whether a token was made for this, under one of the keys.
pub(super) fn is_for(keys: &PersonKeys, token: &str, used_for: Use, purpose: &str) -> bool {
    let mut parts = token.split('.');
    let (Some("v1"), Some(id), Some(tag), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else {
        return false;
    };
    let is_under = |generation| {
        let mac = mac(keys, generation, used_for, purpose, id);
        mac.is_some_and(|mac| verify_slices_are_equal(&mac, &tag).is_ok())
    };
    token.len() <= TOKEN_BYTES_MAX && (0..keys.generations()).any(is_under)
}

/// Whether a token has the form of one that was made here for this use, under one of the keys. Who has made it up is told so
/// without a look into the store: what has passed here was in a mail.
pub(super) fn is_formed(keys: &PersonKeys, token: &str, used_for: Use) -> bool {
    let mut parts = token.split('.');
    let (Some("v1"), Some(id), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Ok(id) = URL_SAFE_NO_PAD.decode(id) else {
        return false;
    };
    let Some((id, signed)) = id.split_at_checked(BYTES) else {
        return false;
    };
    let is_under = |generation| {
        let sign = sign(keys, generation, used_for, id);
        sign.is_some_and(|sign| verify_slices_are_equal(&sign, signed).is_ok())
    };
    token.len() <= TOKEN_BYTES_MAX && (0..keys.generations()).any(is_under)
}

fn sign(keys: &PersonKeys, generation: usize, used_for: Use, id: &[u8]) -> Option<Vec<u8>> {
    let parts = [
        b"paravent.link.id.v1".as_slice(),
        used_for.name().as_bytes(),
        id,
    ];
    let tag = keys.mac(generation, &parts)?;
    tag.as_ref().get(..SIGN_BYTES).map(<[u8]>::to_vec)
}

fn mac(
    keys: &PersonKeys,
    generation: usize,
    used_for: Use,
    purpose: &str,
    id: &str,
) -> Option<Vec<u8>> {
    let parts = [
        b"paravent.link.v1".as_slice(),
        used_for.name().as_bytes(),
        purpose.as_bytes(),
        id.as_bytes(),
    ];
    let tag = keys.mac(generation, &parts)?;
    tag.as_ref().get(..BYTES).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_what_it_was_made_for() {
        let keys = |keys: &[&[u8]]| PersonKeys::new(keys).unwrap();
        let old = keys(&[&[1; 32]]);
        let link = NewLink::make(&old, Use::Confirm, "newsletter", Timestamp::MAX).unwrap();
        let token = link.token();
        assert!(is_for(&old, token, Use::Confirm, "newsletter"));
        assert!(is_for(
            &keys(&[&[2; 32], &[1; 32]]),
            token,
            Use::Confirm,
            "newsletter"
        ));
        assert!(!is_for(
            &keys(&[&[2; 32]]),
            token,
            Use::Confirm,
            "newsletter"
        ));
        assert!(!is_for(&old, token, Use::Preferences, "newsletter"));
        assert!(!is_for(&old, token, Use::Confirm, "other"));
        for bad in [
            "",
            "v1",
            "v1..",
            "v2.a.b",
            &format!("{token}.x"),
            &token[..20],
        ] {
            assert!(!is_for(&old, bad, Use::Confirm, "newsletter"), "{bad}");
            assert!(!is_formed(&old, bad, Use::Confirm), "{bad}");
        }
        // What was made up is told apart without the store, and without a purpose.
        assert!(is_formed(&old, token, Use::Confirm));
        assert!(!is_formed(&old, token, Use::Preferences));
        assert!(!is_formed(&keys(&[&[2; 32]]), token, Use::Confirm));
        let made_up = format!("v1.{}.{}", "A".repeat(32), "A".repeat(22));
        assert!(!is_formed(&old, &made_up, Use::Confirm));
    }
}
