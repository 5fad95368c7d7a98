//! What is asked of standings, and what they answer.

use std::time::Duration;

/// Whom a record is about: clear names, as the record has them.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The record itself, and records of the same person: `upstream:Module/id`.
    pub references: &'a [&'a str],
    /// The address that counts for the person: affirms and denies.
    pub primary: Option<&'a str>,
    /// Other addresses: they deny only, so that adding one that consents gains nothing.
    pub others: &'a [&'a str],
}

/// What a purpose asks of consent.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// How well it must be proven at least.
    pub proof: super::kinds::Proof,
    /// How old it may be.
    pub max_age: Option<Duration>,
    /// To whom data go, where consent must name it.
    pub recipient: Option<&'a str>,
}

/// Why a standing is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// Nobody is known, or nothing of this purpose.
    Nothing,
    /// A denial stands.
    Denied,
    /// It is not proven well enough.
    Proof,
    /// It has ended, or is too old.
    Expired,
    /// It names another recipient, or none.
    Recipient,
    /// It is valid.
    Valid,
}

/// How the persons of one record stand, for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub(super) because: Because,
    pub(super) objected: bool,
    pub(super) restricted: bool,
    pub(super) person: Option<u32>,
    pub(super) keys: Vec<super::keys::Kept>,
}

impl Standing {
    /// Whether consent is valid: each person with events has a valid one, and one does.
    pub fn is_valid(&self) -> bool {
        self.because == Because::Valid
    }

    /// Whether somebody objected; or an address could not be read, so that nobody knows.
    pub fn is_objected(&self) -> bool {
        self.objected
    }

    /// Whether processing is restricted for somebody.
    pub fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// Why.
    pub fn because(&self) -> Because {
        self.because
    }

    /// A number that is one person's in this ledger, whatever the record; `None` if nobody is known.
    pub fn person(&self) -> Option<u32> {
        self.person
    }
}
