//! The keys under which addresses are kept: what is in the store finds a person only for who has the key.

use std::fmt;

use aws_lc_rs::hmac;
use siphasher::sip128::SipHasher13;

use super::address::{Address, AddressError, TEXT_BYTES_MAX};
use super::spelled::{Remembered, Spelled};
use crate::hex::hex;

/// Bytes of a key, at least.
const KEY_BYTES_MIN: usize = 32;
/// Bytes of a MAC that are kept.
const KEPT_BYTES: usize = 16;

/// Under what a person is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// A record of a CRM.
    Record,
    /// An address for mail.
    Email,
    /// A telephone number: finds, never proves.
    Phone,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Record, Self::Email, Self::Phone];

    /// The name, as the store has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Why keys cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// None, or more than two.
    #[error("`keys.person` names one key, or two while one takes the other's place")]
    Count,
    /// Too short.
    #[error("a key of `keys.person` is shorter than 32 bytes")]
    Short,
    /// Twice the same.
    #[error("`keys.person` names the same key twice")]
    Same,
}

/// The keys under which persons are found: the first writes, all of them find. Its `Debug` shows none.
pub struct PersonKeys {
    generations: Vec<Generation>,
    /// For references, which the store has in clear: they are only found by it, in memory, at each record that is shown.
    references: SipHasher13,
    addresses: Remembered,
}

struct Generation {
    id: String,
    mac: hmac::Key,
}

impl PersonKeys {
    /// Takes one key or two, of 32 bytes or more.
    pub fn new(keys: &[&[u8]]) -> Result<Self, KeysError> {
        if !(1..=2).contains(&keys.len()) {
            return Err(KeysError::Count);
        }
        if keys.iter().any(|key| key.len() < KEY_BYTES_MIN) {
            return Err(KeysError::Short);
        }
        let generations = keys.iter().map(|key| {
            let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
            let tag = hmac::sign(&mac, b"paravent.person.key.v1");
            let id = tag.as_ref().iter().take(8).copied();
            Generation {
                id: hex(&id.collect::<Vec<u8>>()),
                mac,
            }
        });
        let generations: Vec<Generation> = generations.collect();
        let same = |pair: &[Generation]| matches!(pair, [one, other] if one.id == other.id);
        match same(&generations) {
            true => Err(KeysError::Same),
            false => Ok(Self {
                references: references(&generations),
                addresses: Remembered::new(),
                generations,
            }),
        }
    }

    /// The number of keys.
    pub(super) fn generations(&self) -> usize {
        self.generations.len()
    }

    /// What tells one key from others, without showing it; `None` where there is none of that number.
    pub(super) fn id(&self, generation: usize) -> Option<&str> {
        self.generations.get(generation).map(|one| one.id.as_str())
    }

    /// The generation of a key.
    pub(super) fn generation(&self, id: &str) -> Option<usize> {
        self.generations.iter().position(|one| one.id == id)
    }

    /// What is kept of a text under a key: 128 bits. A key that is not there keeps like the first. What is kept of references is
    /// the same under all keys, and for this memory only.
    pub(super) fn kept(&self, generation: usize, kind: KeyKind, text: &str) -> Kept {
        if kind == KeyKind::Record {
            return Kept(self.references.hash(text.as_bytes()).as_bytes());
        }
        let parts = [
            b"paravent.person.v1".as_slice(),
            kind.name().as_bytes(),
            text.as_bytes(),
        ];
        let mut kept = [0; KEPT_BYTES];
        if let Some(tag) = self.mac(generation, &parts) {
            let len = kept.len();
            kept.copy_from_slice(tag.as_ref().get(..len).unwrap_or(&[0; KEPT_BYTES]));
        }
        Kept(kept)
    }

    /// What is kept of an address, under each key.
    pub(super) fn kept_of(&self, address: &Address) -> (Kept, Option<Kept>) {
        let kept = |one| self.kept(one, KeyKind::Email, address.as_str());
        (kept(0), (self.generations() > 1).then(|| kept(1)))
    }

    /// The same of a text that should be an address. It is found in memory like a reference.
    pub(super) fn spelled(&self, text: &str) -> Spelled {
        let text = text.trim();
        let read = || match Address::parse(text) {
            Ok(address) => {
                let (first, second) = self.kept_of(&address);
                Spelled::Kept(first, second)
            }
            Err(AddressError::Blank) => Spelled::Blank,
            Err(_) => Spelled::Unread,
        };
        // Many are blank, and would all meet at one place; what is too long for an address is not hashed.
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return read();
        }
        let hash = Kept(self.references.hash(text.as_bytes()).as_bytes());
        self.addresses.of(hash, read)
    }

    /// The MAC of parts, with zero bytes between them.
    pub(super) fn mac(&self, generation: usize, parts: &[&[u8]]) -> Option<hmac::Tag> {
        let mut context = hmac::Context::with_key(&self.generations.get(generation)?.mac);
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                context.update(&[0]);
            }
            context.update(part);
        }
        Some(context.sign())
    }
}

/// How references are found: by SipHash-1-3 of 128 bits, under what is kept of nothing, so that nobody knows which of them meet.
fn references(generations: &[Generation]) -> SipHasher13 {
    let mut key = [0; KEPT_BYTES];
    if let Some(first) = generations.first() {
        let tag = hmac::sign(&first.mac, b"paravent.person.references.v1");
        key.iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
    }
    SipHasher13::new_with_key(&key)
}

impl fmt::Debug for PersonKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKeys({})", self.generations.len())
    }
}

/// What is kept of an address or a number: 128 bits of a MAC; of a reference, 128 bits of a keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kept(pub(super) [u8; KEPT_BYTES]);

impl Kept {
    /// As the store has it.
    pub(super) fn hex(&self) -> String {
        hex(&self.0)
    }

    /// What the store has.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut kept = [0; KEPT_BYTES];
        if text.len() != 2 * KEPT_BYTES || !text.is_ascii() {
            return None;
        }
        for (number, byte) in kept.iter_mut().enumerate() {
            let digits = text.get(2 * number..2 * number + 2)?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_the_documented_mac() {
        let keys = PersonKeys::new(&[&[7; 32]]).unwrap();
        let plain = b"paravent.person.v1\0email\0anna@example.com";
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), plain);
        let kept = keys.kept(0, KeyKind::Email, "anna@example.com");
        assert_eq!(kept.hex(), hex(&tag.as_ref()[..16]));
        assert_eq!(Kept::read(&kept.hex()), Some(kept));
        assert_ne!(kept, keys.kept(0, KeyKind::Phone, "anna@example.com"));
    }

    #[test]
    fn references_are_found_under_any_key_of_the_same_memory() {
        let keys = PersonKeys::new(&[&[7; 32], &[8; 32]]).unwrap();
        let kept =
            |keys: &PersonKeys, generation, text| keys.kept(generation, KeyKind::Record, text);
        let own = kept(&keys, 0, "crm:Contacts/1");
        assert_eq!(own, kept(&keys, 1, "crm:Contacts/1"));
        assert_ne!(own, kept(&keys, 0, "crm:Contacts/2"));
        let other = PersonKeys::new(&[&[9; 32]]).unwrap();
        assert_ne!(own, kept(&other, 0, "crm:Contacts/1"));
    }

    #[test]
    fn keys_that_cannot_be_used_are_refused() {
        let refused = |keys: &[&[u8]]| PersonKeys::new(keys).unwrap_err();
        assert_eq!(refused(&[]), KeysError::Count);
        assert_eq!(refused(&[&[1; 32], &[2; 32], &[3; 32]]), KeysError::Count);
        assert_eq!(refused(&[&[1; 31]]), KeysError::Short);
        assert_eq!(refused(&[&[1; 32], &[1; 32]]), KeysError::Same);
    }
}
