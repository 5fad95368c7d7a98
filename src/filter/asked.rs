//! How the CRM was asked for a reply, beyond what its caller asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::vocabulary::{Field, Module};

use super::persons::{Persons, Tells};

/// How the CRM was asked for a reply. Nothing of it is the default: then the CRM was told no conditions, so that no number
/// that it tells is believed, and nobody knows anything of persons.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Whether the CRM was told all that decides which records are there, so that its numbers count no others.
    pub pushed: bool,
    /// Fields that were asked for to judge records, or to tell whom they are about, only, by module: they are read, and cut. A
    /// field that the caller asked for is none of them.
    pub added: BTreeMap<Module, BTreeSet<Field>>,
    /// Whether a record that is not there for the caller, and is no part of another, leaves its id: the caller has just written
    /// it. Else it leaves nothing.
    pub ids_alone: bool,
    /// Who knows of the persons whom records are about; `None`: nobody does.
    pub persons: Option<Arc<dyn Persons>>,
    /// Who tells apart the persons whom records are about; `None`: nobody counts them.
    pub tells: Option<Arc<dyn Tells>>,
}
