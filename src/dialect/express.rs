//! What a policy asks of records, said in a request: which records the CRM is asked for, which fields of them must be known
//! to judge them, and what a record that is not there looks like.
//!
//! Nothing here is relied on: each record of a reply is judged again.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Operation;
use crate::condition::Resolved;
use crate::vocabulary::{Field, FieldPath, Module};

/// What must hold of the records of a module, so that they are there for the caller; `None`: nothing.
pub type Needed<'a> = &'a dyn Fn(&Module) -> Option<Resolved>;

/// The fields of a module's records by which they are judged.
pub type Judging<'a> = &'a dyn Fn(&Module) -> BTreeSet<Field>;

/// An operation that asks for no other records than those that are there for the caller, as far as the API can say which.
#[derive(Clone, Debug)]
pub struct Restricted {
    /// The operation. What the CRM selects for it is at least what the caller may have.
    pub operation: Operation,
    /// The modules of whose records the CRM may select, match or count more than the caller may have.
    pub unsaid: BTreeSet<Module>,
}

impl Restricted {
    /// The operation as it is, of whose records nothing is needed.
    pub(super) fn new(operation: &Operation) -> Self {
        Self {
            operation: operation.clone(),
            unsaid: BTreeSet::new(),
        }
    }

    /// The operation as it is: nothing of what is needed is said.
    pub(super) fn nothing_said(operation: &Operation, needed: Needed<'_>) -> Self {
        let modules = operation.modules().into_iter();
        Self {
            unsaid: modules
                .filter(|module| needed(module).is_some())
                .cloned()
                .collect(),
            operation: operation.clone(),
        }
    }
}

/// An operation that asks for more fields than its caller did.
#[derive(Clone, Debug)]
pub struct Widened {
    /// The operation.
    pub operation: Operation,
    /// The fields that its caller asked for nowhere: they are taken out of the reply.
    pub added: BTreeSet<FieldPath>,
}

/// How the CRM answers a request about a record that it does not have.
#[derive(Clone, Debug, PartialEq)]
pub enum Absent {
    /// With an error.
    Error {
        /// Its status.
        status: u16,
        /// Its label.
        label: Option<&'static str>,
    },
    /// With a reply of success, which is filtered as any other. What it says of the record is not judged.
    Reply(Value),
}
