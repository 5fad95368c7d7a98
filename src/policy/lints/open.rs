//! Categories that are shown in clear to everybody: classified, and held back from nobody.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Level, Role};

use super::super::codes;
use super::super::model::{Grant, about};
use super::Looked;
use super::words::{fields_of, reach};

/// Groups of categories of which somebody is mostly to see less: what else is shown to all is meant to be.
const SENSITIVE: &[&str] = &[
    "identity.birth_date",
    "identity.national_id",
    "financial",
    "special",
    "criminal",
];

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    let model = looked.model;
    let purposes = model.purposes.values();
    let everybody: BTreeSet<&Role> = purposes.flat_map(|purpose| &purpose.roles).collect();
    // Of one role nobody can say that it sees more than another.
    if everybody.len() < 2 {
        return;
    }
    let is_sensitive = |category: &&Category| {
        let mut groups = SENSITIVE.iter();
        groups.any(|group| Category::new(group).covers(category))
    };
    for category in model.categories.keys().filter(is_sensitive) {
        let seen = looked.sight.seen_by([category], Level::Clear);
        if seen.len() < everybody.len() || fields_of(&model.classes, category).is_empty() {
            continue;
        }
        let shows = |grant: &&Grant| about(&grant.data, category) && grant.level == Level::Clear;
        let title = format!(
            "{} is shown in clear in every role",
            quoted(category.as_str())
        );
        let warning = Diagnostic::warning(codes::CLEAR_TO_ALL, title).help(
            "grant it to those who need it, at `mask` to those who only recognise it, or require an authentication",
        );
        found.push(match model.grants.iter().find(shows) {
            Some(grant) => warning.at(&grant.place, reach(&model.classes, category)),
            None => warning,
        });
    }
}
