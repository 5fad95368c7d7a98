//! Rules that other parts of a policy make, so that the engine needs nothing for them that other rules do not need.

use std::collections::BTreeSet;

use crate::condition::Condition;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::vocabulary::{Category, Level, Purpose, RuleName};

use super::super::codes;
use super::super::model::{Applies, CONDITIONS_MAX, Cap, Noted, Restriction, RowRule};
use super::conditions::Conditions;
use super::declared::Declared;

/// What is shown all the same.
const TECHNICAL: &str = "technical";

/// Rules that were made.
#[derive(Default)]
pub(super) struct Made {
    pub(super) rows: Vec<RowRule>,
    pub(super) caps: Vec<Cap>,
    pub(super) restrictions: Vec<Restriction>,
}

impl Made {
    /// The same, and those.
    pub(super) fn and(mut self, more: Self) -> Self {
        self.rows.extend(more.rows);
        self.caps.extend(more.caps);
        self.restrictions.extend(more.restrictions);
        self
    }

    /// Where the cap holds, less may be processed: what it withholds may be used all the same, of all other records, which are
    /// those that the row rule keeps.
    pub(super) fn restrict(&mut self, cap: Option<Cap>, row: RowRule, preserves: bool) {
        let when = cap.as_ref().and_then(|cap| cap.when);
        self.restrictions.extend(when.map(|when| Restriction {
            when,
            row,
            preserves,
        }));
        self.caps.extend(cap);
    }
}

/// A cap that nothing lifts, on everything but what is technical, for some purposes or for all; `None`, if there are too many
/// conditions, which is told with why there is one more.
pub(super) fn cap(
    (name, place): (&str, &Place),
    purposes: Option<BTreeSet<Purpose>>,
    (condition, why): (Condition, &str),
    names: &Declared,
    (conditions, found): (&mut Conditions, &mut Diagnostics),
) -> Option<Cap> {
    let noted = Noted {
        condition,
        withholds: true,
    };
    let when = conditions.note(noted);
    if when.is_none() {
        let title = format!("more than {CONDITIONS_MAX} different conditions");
        found.push(
            Diagnostic::error(codes::BAD_CONDITION, title)
                .at(place, why)
                .help("rules with the same condition share it"),
        );
    }
    Some(Cap {
        name: RuleName::new(name),
        place: place.clone(),
        applies: Applies::Everyone,
        purposes,
        data: personal(names),
        level: Level::Redact,
        denies_write: true,
        firm: true,
        when: Some(when?),
        exceptions: Vec::new(),
        observed: None,
        why: None,
    })
}

/// The groups of all categories but what is technical.
fn personal(names: &Declared) -> Vec<Category> {
    let groups = names.categories.keys().map(|category| {
        let name = category.as_str();
        name.split_once('.').map_or(name, |(group, _)| group)
    });
    let groups: BTreeSet<&str> = groups.filter(|group| *group != TECHNICAL).collect();
    groups.into_iter().map(Category::new).collect()
}
