//! Conditions that never hold, or always do: what depends on them does not mean what it says.

use crate::condition::Condition;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::vocabulary::RuleName;

use super::super::codes;
use super::super::model::{Bit, Model};
use super::super::supposed::Formula;

/// What a condition is, whatever is so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fixed {
    Never,
    Always,
}

pub(super) fn warn(model: &Model, found: &mut Diagnostics) {
    let noted = |bit: Option<Bit>| model.conditions.get(usize::from(bit?.0));
    for grant in &model.grants {
        if let Some(fixed) = noted(grant.when).and_then(|noted| fixed(&noted.condition)) {
            let effect = match fixed {
                Fixed::Never => "it gives nothing to anybody",
                Fixed::Always => "it gives the same without it",
            };
            found.push(warning(("grant", &grant.name, &grant.place), fixed, effect));
        }
    }
    for cap in &model.caps {
        if let Some(fixed) = noted(cap.when).and_then(|noted| fixed(&noted.condition)) {
            let effect = match fixed {
                Fixed::Never => "it holds only what nobody knows enough of",
                Fixed::Always => "it holds the same without it",
            };
            found.push(warning(("cap", &cap.name, &cap.place), fixed, effect));
        }
    }
    for row in &model.rows {
        if let Some(fixed) = fixed(&row.keep_when) {
            let effect = match fixed {
                Fixed::Never => "it hides every record",
                Fixed::Always => "it hides only records of which nobody knows enough",
            };
            found.push(warning(("row", &row.name, &row.place), fixed, effect));
        }
    }
}

fn fixed(condition: &Condition) -> Option<Fixed> {
    if !Formula::can_hold(&[&Formula::holds(condition)]) {
        return Some(Fixed::Never);
    }
    let can_fail = Formula::can_hold(&[&Formula::fails(condition)]);
    (!can_fail).then_some(Fixed::Always)
}

fn warning(
    (kind, name, place): (&str, &RuleName, &Place),
    fixed: Fixed,
    effect: &str,
) -> Diagnostic {
    let (word, help) = match fixed {
        Fixed::Never => ("never holds", "does it contradict itself?"),
        Fixed::Always => ("always holds", "take the condition out, or ask for less"),
    };
    let title = format!("the condition of {kind} {} {word}", quoted(name.as_str()));
    Diagnostic::warning(codes::CONDITION_FIXED, title)
        .at(place, effect)
        .help(help)
}
