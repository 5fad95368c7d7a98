//! Row rules, and retention, which makes some.

use std::collections::BTreeSet;

use crate::condition::{Condition, Operand, Scalar, Subject, Test};
use crate::diagnostic::Diagnostics;
use crate::vocabulary::{Module, RuleName};

use super::super::document::{Document, RetentionEntry, RowEntry, Stated, Word};
use super::super::model::{Applies, Cap, RowRule};
use super::conditions::Conditions;
use super::declared::Declared;
use super::made::{self, Made};
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
) -> Made {
    let mut made = Made::default();
    for entry in &document.rows {
        made.rows.push(row(entry, conditions, names, found));
    }
    for entry in &document.retention {
        let row = retained(entry, conditions, names, found);
        match entry.hides_data {
            false => made.rows.push(row),
            true => {
                let cap = withheld(&row, names, (conditions, found));
                made.restrict(cap, row, false);
            }
        }
    }
    made
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

/// Keeps the records whose time is not over.
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

/// Withholds the data of all records of the same modules that a rule does not keep.
fn withheld(
    kept: &RowRule,
    names: &Declared,
    asked: (&mut Conditions, &mut Diagnostics),
) -> Option<Cap> {
    let modules = kept.modules.iter();
    let modules = modules.map(|module| Scalar::Text(module.as_str().to_owned()));
    let modules = Test::OneOf(modules.map(Operand::Literal).collect());
    let is_over = Condition::All(vec![
        Condition::Is(Subject::RecordModule, modules),
        Condition::Not(Box::new(kept.keep_when.clone())),
    ]);
    let rule = (kept.name.as_str(), &kept.place);
    let why = "a retention rule that hides data needs one, too";
    made::cap(rule, None, (is_over, why), names, asked)
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
