//! Who knows of the persons whom records are about, and who tells them apart.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::condition::PersonFact;
use crate::vocabulary::{Field, Module};

/// Who knows what holds of the persons whom a record is about.
pub trait Persons: fmt::Debug + Send + Sync {
    /// Whether something holds of all persons, or of one of them, as the fact says; `None`: nobody knows. Asked at the
    /// record's turn, as often as conditions name the fact.
    fn holds(&self, fact: PersonFact, record: &Described<'_>) -> Option<bool>;
}

/// Who tells apart the persons whom records are about, for whoever counts them.
pub trait Tells: fmt::Debug + Send + Sync {
    /// What must be read of a module's records for that; `None`: nothing of them tells it.
    fn fields(&self, module: &Module) -> Option<&BTreeSet<Field>>;

    /// Whom a record is about; `None`: nobody can tell.
    fn whom(&self, record: &Described<'_>) -> Option<Vec<Someone>>;

    /// Whom a record is about of which nobody can tell more than its id, if that: somebody of its own.
    fn alone(&self, module: &Module, id: Option<&str>) -> Someone;
}

/// A person whom a record is about. Names are keyed hashes: nobody learns from one what was named.
#[derive(Clone, PartialEq, Eq)]
pub struct Someone {
    /// What the person is known by, each of which is enough; what tells most comes first. Without any, it is another person
    /// each time.
    pub names: Vec<u128>,
    /// The name of the record, if it is about nobody else.
    pub own: Option<u128>,
    /// Whether the first name is that of a record of which nothing else is known here.
    pub is_hearsay: bool,
}

/// Whom a record that was counted is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom {
    /// The module of the record.
    pub module: Module,
    /// All whom it is about.
    pub persons: Vec<Someone>,
}

impl Someone {
    /// Somebody of whom nothing is known but the name of a record.
    pub fn heard_of(name: u128) -> Self {
        Self {
            names: vec![name],
            own: None,
            is_hearsay: true,
        }
    }
}

impl fmt::Debug for Someone {
    /// Without the names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Someone({})", self.names.len())
    }
}

/// What a reply tells of a record before it is shown: which it is, and what conditions need of it.
pub struct Described<'r> {
    /// Its module.
    pub module: &'r Module,
    /// Its id, as the CRM wrote it; `None`, if the reply does not tell one, or tells two.
    pub id: Option<&'r str>,
    pub(super) fields: &'r [Field],
    /// What was found under each of these.
    pub(super) found: &'r [Found],
}

impl Described<'_> {
    /// Whether the record tells anything under the name of a field.
    pub fn tells(&self, field: &Field) -> bool {
        let place = self.fields.iter().position(|known| known == field);
        let found = place.and_then(|place| self.found.get(place));
        !matches!(found, None | Some(Found::Nothing))
    }

    /// The value of a field, as it is meant; `None`, if the record does not tell it, or nobody asked for it.
    pub fn field(&self, field: &Field) -> Option<&Value> {
        let place = self.fields.iter().position(|known| known == field)?;
        match self.found.get(place)? {
            Found::As(value) => Some(value),
            Found::Nothing | Found::Unreadable => None,
        }
    }
}

impl fmt::Debug for Described<'_> {
    /// Without the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Described")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}

/// What was found under the name of a field.
#[derive(Clone)]
pub(super) enum Found {
    Nothing,
    /// Something that compares with nothing.
    Unreadable,
    As(Value),
}
