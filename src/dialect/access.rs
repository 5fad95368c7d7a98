//! What an operation has to do with whoever the CRM takes its caller for, and with what decides there who may do what.
//!
//! Where the CRM is called with the proxy's own account, it takes everybody for that account: what is asked about the
//! caller would be told of the account, and what the account may change is not what the caller may.

use serde_json::{Map, Value};

use super::{Operation, Predicate, Projected, Query, Schema};
use crate::vocabulary::{Action, Module};

impl Operation {
    /// Whether it asks or changes something about whoever the CRM takes the caller for.
    pub fn is_about_caller(&self) -> bool {
        self.of_caller || self.query.is_about_caller()
    }

    /// Whether it writes what decides in the CRM who may do what, or relates something to it: users, roles, teams, keys,
    /// settings.
    pub fn changes_access(&self, schema: &Schema) -> bool {
        let link = self.link.iter().map(|link| &link.target);
        let mut modules = self.module.iter().chain(link);
        self.action.writes() && modules.any(|module| schema.governs_access(module))
    }

    /// What it does with the records of each module, each once. Records that are only gone through or compared count:
    /// who is told which contacts belong to an account is told something of the account.
    pub fn acts(&self) -> Vec<(&Module, Action)> {
        let mut acts = Vec::new();
        if let (Some(_), Some(module)) = (&self.link, &self.module) {
            let through = match self.action.writes() {
                true => Action::Relate,
                false => Action::Read,
            };
            acts.push((module, through));
        }
        if let Some(target) = self.target() {
            acts.push((target, self.action));
            if self.write.as_ref().is_some_and(deletes) {
                acts.push((target, Action::Delete));
            }
            acts.extend(self.query.beside.iter().map(|module| (module, self.action)));
            self.query.acts(&mut acts);
        }
        let order =
            |(module, action): &(&Module, Action)| (module.as_str().to_owned(), action.as_str());
        acts.sort_by_key(order);
        acts.dedup();
        acts
    }
}

/// Whether what is written marks a record as deleted: some APIs know no other way.
fn deletes(write: &Map<String, Value>) -> bool {
    let is_kept = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => matches!(text.trim(), "" | "0" | "false"),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    };
    let mut written = write.iter();
    written.any(|(name, value)| name.eq_ignore_ascii_case("deleted") && !is_kept(value))
}

impl Query {
    fn is_about_caller(&self) -> bool {
        let collections = self.projection.iter().flatten();
        self.about_caller.iter().any(|(_, wanted)| *wanted)
            || self
                .predicate
                .as_ref()
                .is_some_and(Predicate::is_about_caller)
            || collections.into_iter().any(|item| match item {
                Projected::Field(_) => false,
                Projected::Collection { query, .. } => query.is_about_caller(),
            })
    }

    /// What is done with the records of other modules than the one asked.
    fn acts<'a>(&'a self, into: &mut Vec<(&'a Module, Action)>) {
        if let Some(predicate) = &self.predicate {
            predicate.each_path(&mut |path| {
                into.extend(path.link.as_ref().map(|link| (&link.target, Action::List)));
            });
        }
        let sorted = self.order.iter().filter_map(|sort| sort.path.link.as_ref());
        into.extend(sorted.map(|link| (&link.target, Action::List)));
        for item in self.projection.iter().flatten() {
            if let Projected::Collection { link, query } = item {
                into.push((&link.target, Action::List));
                query.acts(into);
            }
        }
    }
}

impl Predicate {
    fn is_about_caller(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_about_caller),
            Self::Not(part) => part.is_about_caller(),
            Self::Field { .. } => false,
            Self::Caller { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests;
