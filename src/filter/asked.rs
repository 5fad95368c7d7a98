//! How the CRM was asked for a reply, beyond what its caller asked for, and who knows of the persons in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::condition::PersonFact;
use crate::vocabulary::{Field, Module};

/// How the CRM was asked for a reply. Nothing of it is the default: then the CRM was told no conditions, so that no number
/// that it tells is believed, and nobody knows anything of persons.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Whether the CRM was told all that decides which records are there, so that its numbers count no others.
    pub pushed: bool,
    /// Fields that were asked for to judge records only, by module: they are read, and cut. A field that the caller asked
    /// for is none of them.
    pub added: BTreeMap<Module, BTreeSet<Field>>,
    /// Who knows of the persons whom records are about; `None`: nobody does.
    pub persons: Option<Arc<dyn Persons>>,
}

/// Who knows what holds of the persons whom a record is about.
pub trait Persons: fmt::Debug + Send + Sync {
    /// Whether something holds of all persons, or of one of them, as the fact says; `None`: nobody knows. Asked at the
    /// record's turn, as often as conditions name the fact.
    fn holds(&self, fact: PersonFact, record: &Described<'_>) -> Option<bool>;
}

/// What a reply tells of a record before it is shown: which it is, and what conditions need of it.
pub struct Described<'r> {
    /// Its module.
    pub module: &'r Module,
    /// Its id, as the CRM wrote it; `None`, if the reply does not tell one, or tells two.
    pub id: Option<&'r str>,
    pub(super) values: &'r [(Field, Option<Value>)],
}

impl Described<'_> {
    /// The value of a field, as it is meant; `None`, if the record does not tell it, or nobody asked for it.
    pub fn field(&self, field: &Field) -> Option<&Value> {
        let known = self.values.iter().find(|(name, _)| name == field);
        known.and_then(|(_, value)| value.as_ref())
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
