//! Row rules, and retention, which makes some.

use std::collections::BTreeSet;

use crate::condition::Condition;
use crate::diagnostic::Diagnostics;
use crate::vocabulary::{Module, RuleName};

use super::super::document::{Document, RetentionEntry, RowEntry, Stated, Word};
use super::super::model::{Applies, RowRule};
use super::conditions::Conditions;
use super::declared::Declared;
use super::rules::applies;

/// How the log names row rules.
const ROWS: &str = "rows.";
/// How it names those of retention.
const RETENTION: &str = "retention.";

pub(super) fn rows(
    document: &Document,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> Vec<RowRule> {
    let mut rows = Vec::new();
    for entry in &document.rows {
        rows.push(row(entry, conditions, names, found));
    }
    for entry in &document.retention {
        rows.push(retained(entry, conditions, names, found));
    }
    rows
}

fn row(
    entry: &RowEntry,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> RowRule {
    let (modules, keep_when) = kept(
        (&entry.modules, entry.keep_when.as_ref()),
        conditions,
        names,
        found,
    );
    RowRule {
        name: RuleName::new(&format!("{ROWS}{}", entry.name.value)),
        place: entry.name.place.clone(),
        modules,
        applies: applies(&entry.whom, names, found),
        purposes: entry
            .whom
            .purposes
            .as_ref()
            .map(|words| names.purposes(words, found)),
        keep_when,
    }
}

/// Records whose time is over are there for nobody.
fn retained(
    entry: &RetentionEntry,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> RowRule {
    let (modules, keep_when) = kept(
        (&entry.modules, entry.kept.as_ref()),
        conditions,
        names,
        found,
    );
    RowRule {
        name: RuleName::new(&format!("{RETENTION}{}", entry.name.value)),
        place: entry.name.place.clone(),
        modules,
        applies: Applies::Everyone,
        purposes: None,
        keep_when,
    }
}

/// The modules of a rule, and what keeps their records. What was not understood was reported, and keeps nothing.
fn kept(
    (modules, stated): (&[Word], Option<&Stated>),
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> (BTreeSet<Module>, Condition) {
    let modules = names.look_up(modules, &names.modules, found);
    let modules: BTreeSet<Module> = modules.into_iter().map(Module::new).collect();
    let kept = stated.and_then(|stated| conditions.condition(stated, Some(&modules), names, found));
    (modules, kept.unwrap_or_else(|| Condition::Any(Vec::new())))
}
