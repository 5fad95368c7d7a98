//! Tests of a policy: cases that are taken through the proxy's own walk, and promises that are proved over every state.
//!
//! Suites are files that people write, so they are read like policies: every mistake in one pass, with place and fix.
//! What a suite holds was invented for it and stands in the author's own file, so values of it are shown where a case
//! fails; no value of a CRM is ever near.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diagnostic::{Place, Spanned};
use crate::policy::Never;
use crate::reason::Reason;
use crate::vocabulary::{Field, Level};

use super::bench::{Ask, Held, Person};

pub mod codes;
mod coverage;
mod judge;
mod junit;
mod read;
mod render;
mod required;
mod run;
mod verdicts;

#[cfg(test)]
mod tests;

pub use coverage::{Coverage, Missed};
pub use read::{NONE, load};
pub use required::failures;
pub use run::run;
pub use verdicts::{AlwaysVerdict, CaseVerdict, Verdicts};

/// The cases and promises of one file.
#[derive(Debug)]
pub struct Suite {
    /// Its name: that of the file, without its ending.
    pub name: String,
    /// The records that the CRM holds.
    records: Vec<Held>,
    /// What is asked, and what must come of it.
    cases: Vec<Case>,
    /// What must never happen.
    always: Vec<Always>,
}

/// One request, and what must come of it.
#[derive(Debug)]
struct Case {
    name: String,
    place: Place,
    person: Arc<Person>,
    purpose: Option<String>,
    /// The dialect in which it is asked; `None`: the first.
    dialect: Option<String>,
    /// What clocks show; `None`: the time it is.
    now: Option<jiff::Timestamp>,
    ask: Ask,
    expect: Expect,
}

/// What must come of a request.
#[derive(Debug, Default)]
struct Expect {
    refused: Option<Reason>,
    /// Whether the record that is read is not there, or none of those that are asked for.
    absent: bool,
    /// How much is shown of fields, by their names in records.
    levels: BTreeMap<String, Spanned<Level>>,
    /// What exactly is shown.
    values: BTreeMap<String, Spanned<Value>>,
    /// What exactly reaches the CRM.
    forwards: Option<Map<String, Value>>,
}

/// What must never happen, and where somebody says so.
#[derive(Debug)]
struct Always {
    place: Place,
    never: Never,
}

impl Case {
    /// The fields of which it expects something.
    fn looked_at(&self) -> BTreeSet<Field> {
        let shown = self.expect.levels.keys().chain(self.expect.values.keys());
        let mut fields: BTreeSet<Field> = shown.map(|name| Field::fold(name)).collect();
        let is_of_all = matches!(self.ask, Ask::Read { .. }) && self.expect.refused.is_none();
        if !is_of_all {
            fields.extend(self.ask.named());
        }
        fields
    }
}
