//! Row rules.

use std::collections::BTreeSet;

use crate::condition::Condition;
use crate::diagnostic::Diagnostics;
use crate::vocabulary::{Module, RuleName};

use super::super::document::{Document, RowEntry};
use super::super::model::RowRule;
use super::conditions::Conditions;
use super::declared::Declared;
use super::rules::applies;

/// How the log names them.
const PREFIX: &str = "rows.";

pub(super) fn rows(
    document: &Document,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> Vec<RowRule> {
    let rows = document.rows.iter();
    rows.map(|entry| row(entry, conditions, names, found))
        .collect()
}

fn row(
    entry: &RowEntry,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> RowRule {
    let modules = names.look_up(&entry.modules, &names.modules, found);
    let modules: BTreeSet<Module> = modules.into_iter().map(Module::new).collect();
    let keep_when = entry
        .keep_when
        .as_ref()
        .and_then(|stated| conditions.condition(stated, Some(&modules), names, found));
    RowRule {
        name: RuleName::new(&format!("{PREFIX}{}", entry.name.value)),
        place: entry.name.place.clone(),
        modules,
        applies: applies(&entry.whom, names, found),
        purposes: entry
            .whom
            .purposes
            .as_ref()
            .map(|words| names.purposes(words, found)),
        // What was not understood was reported, and keeps nothing.
        keep_when: keep_when.unwrap_or_else(|| Condition::Any(Vec::new())),
        why: entry.why.clone(),
    }
}
