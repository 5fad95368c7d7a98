//! Fields and roles in the words of a warning.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::vocabulary::{Category, Role};

use super::super::classes::{Classes, Section};

/// Names that are listed; more are counted.
const LISTED_MAX: usize = 12;

/// Some names in backticks, each once: `a`, `b` and 3 more.
pub(super) fn listed<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let mut seen = BTreeSet::new();
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let name = format!("`{name}`");
        if seen.insert(name.clone()) {
            all.push(name);
        }
    }
    let more = all.len().saturating_sub(LISTED_MAX);
    all.truncate(LISTED_MAX);
    match (more, all.split_last()) {
        (0, Some((last, rest))) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (0, _) => all.join(", "),
        _ => format!("{} and {more} more", all.join(", ")),
    }
}

/// Some roles, or nobody.
pub(super) fn roles(roles: &BTreeSet<&Role>) -> String {
    match roles.is_empty() {
        true => "nobody so far".to_owned(),
        false => listed(roles),
    }
}

/// The entries that classify fields as a category, or as one below it.
pub(super) fn fields_of(classes: &Classes, category: &Category) -> Vec<String> {
    let mut fields = Vec::new();
    for (module, section) in &classes.modules {
        entries(section, category, &mut |name| {
            fields.push(format!("{module}.{name}"))
        });
    }
    entries(&classes.everywhere, category, &mut |name| {
        fields.push(name.to_owned())
    });
    fields
}

fn entries(section: &Section, category: &Category, each: &mut dyn FnMut(&str)) {
    let is_of = |categories: &BTreeSet<Category>| categories.iter().any(|own| category.covers(own));
    for (field, exact) in &section.exact {
        if is_of(&exact.categories) {
            each(field.as_str());
        }
    }
    for wildcard in &section.wildcards {
        if is_of(&wildcard.categories) {
            each(wildcard.pattern.as_str());
        }
    }
}

/// Where fields of a category stand, in a sentence.
pub(super) fn reach(classes: &Classes, category: &Category) -> String {
    let fields = fields_of(classes, category);
    match fields.is_empty() {
        true => "no field is classified so yet".to_owned(),
        false => format!("fields: {}", listed(fields)),
    }
}
