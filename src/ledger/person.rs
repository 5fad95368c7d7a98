//! Persons, and the names under which they are found.

use std::fmt;

use super::address::Address;
use super::phone::Phone;
use super::reference::Reference;

/// The identifier of a person: random, says nothing of who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub(super) String);

impl PersonId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom an event is about. Who is not known yet becomes known by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Who has this address.
    Address(Address),
    /// Of whom this record is.
    Record(Reference),
    /// Of whom this record is; if it is new, who has this address, which is the record's primary one.
    RecordWith(Reference, Address),
    /// A person that is known.
    Person(PersonId),
}

/// A name under which a person is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A record.
    Record(Reference),
    /// An address.
    Address(Address),
    /// A telephone number: finds, never proves.
    Phone(Phone),
}

/// A person, and what is known of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The identifier.
    pub id: PersonId,
    /// The records, in the clear.
    pub records: Vec<Reference>,
    /// What is kept of addresses: hexadecimal, never clear.
    pub emails: Vec<String>,
    /// What is kept of telephone numbers: hexadecimal, never clear.
    pub phones: Vec<String>,
}
