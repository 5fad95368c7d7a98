//! Grants and caps.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::vocabulary::{Category, Level, RuleName};

use super::super::catalogue::kind_of;
use super::super::codes;
use super::super::document::{CapEntry, Document, GrantEntry, Observation, Whom, Write};
use super::super::model::{Applies, Cap, Grant, Writing};
use super::conditions::Conditions;
use super::declared::Declared;

pub(super) fn grants(
    document: &Document,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> Vec<Grant> {
    let grants = document.grants.iter();
    grants
        .map(|entry| grant(entry, conditions, names, found))
        .collect()
}

fn grant(
    entry: &GrantEntry,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> Grant {
    let data = names.data(&entry.data, found);
    let write = entry.write.as_ref().map(|write| write.value);
    if let Some(write) = &entry.write
        && write.value == Write::Allow
        && entry.level < Level::Clear
    {
        unchecked_write(&data, &write.place, names, found);
    }
    let requires = names.look_up(&entry.requires, &names.strengths, found);
    Grant {
        name: RuleName::new(&entry.name.value),
        place: entry.name.place.clone(),
        roles: names.roles(&entry.roles, found),
        purposes: entry
            .purposes
            .as_ref()
            .map(|words| names.purposes(words, found)),
        level: entry.level,
        requires: requires.into_iter().map(str::to_owned).collect(),
        asks: entry.asks.is_some(),
        allows_write: entry
            .write
            .as_ref()
            .filter(|write| write.value == Write::Allow)
            .map(|write| write.place.clone()),
        write: match (write, entry.level) {
            (Some(Write::Deny), _) => Writing::No,
            (_, Level::Clear) => Writing::Any,
            (Some(Write::Allow), _) => Writing::Valid,
            (None, _) => Writing::No,
        },
        when: entry
            .when
            .as_ref()
            .and_then(|stated| conditions.bit(stated, false, names, found)),
        observed: observed(entry.observed.as_ref(), &data, found),
        data,
        why: entry.why.clone(),
    }
}

/// The last days of whatever observes.
pub(super) fn last_days(document: &Document, whole: Option<&Observation>) -> BTreeSet<Date> {
    let grants = document.grants.iter().map(|entry| &entry.observed);
    let caps = document.caps.iter().map(|entry| &entry.observed);
    let rules = grants.chain(caps).flatten();
    rules.chain(whole).map(|observed| observed.last).collect()
}

/// Data of Art. 9 and 10 GDPR is not tried out on people.
fn observed(
    observed: Option<&Observation>,
    data: &[Category],
    found: &mut Diagnostics,
) -> Option<Observation> {
    let observed = observed?;
    let touched = |group: &Category| {
        let mut data = data.iter();
        data.any(|category| group.covers(category) || category.covers(group))
    };
    if let Some(group) = ["special", "criminal"]
        .map(Category::new)
        .iter()
        .find(|group| touched(group))
    {
        found.push(
            Diagnostic::error(
                codes::OBSERVE_SPECIAL,
                format!("a rule about `{group}` does not only observe"),
            )
            .at(&observed.place, "data of Art. 9 and 10 GDPR is held back from the first day")
            .help("take `mode` and `until` out, or put the other data of this rule into one of its own"),
        );
    }
    Some(observed.clone())
}

/// What nobody may see before writing must at least prove itself.
fn unchecked_write(data: &[Category], place: &Place, names: &Declared, found: &mut Diagnostics) {
    let unchecked: Vec<&str> = data
        .iter()
        .flat_map(|rule| names.below(rule))
        .filter(|category| kind_of(category).is_none())
        .map(Category::as_str)
        .collect();
    if unchecked.is_empty() {
        return;
    }
    found.push(
        Diagnostic::error(
            codes::WRITE_UNCHECKED,
            "`write: allow` on a category without a checksum, which is not shown in clear",
        )
        .at(place, format!("the grant reaches {}", unchecked.join(", ")))
        .help(
            "only financial.iban, financial.bic, financial.card and identity.national_id can be written unseen; \
             for others grant `level: clear`",
        ),
    );
}

pub(super) fn caps(
    document: &Document,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> Vec<Cap> {
    let caps = document.caps.iter();
    caps.map(|entry| cap(entry, conditions, names, found))
        .collect()
}

fn cap(
    entry: &CapEntry,
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) -> Cap {
    let data = names.data(&entry.data, found);
    Cap {
        name: RuleName::new(&entry.name.value),
        place: entry.name.place.clone(),
        applies: applies(&entry.whom, names, found),
        purposes: entry
            .whom
            .purposes
            .as_ref()
            .map(|words| names.purposes(words, found)),
        when: entry
            .when
            .as_ref()
            .and_then(|stated| conditions.bit(stated, true, names, found)),
        observed: observed(entry.observed.as_ref(), &data, found),
        data,
        level: entry.level,
        denies_write: entry.denies_write,
        firm: entry.firm,
        exceptions: Vec::new(),
        why: entry.why.clone(),
    }
}

/// To whom a rule applies.
pub(super) fn applies(whom: &Whom, names: &Declared, found: &mut Diagnostics) -> Applies {
    match (&whom.roles, &whom.unless_roles) {
        (Some(roles), _) => Applies::Roles(names.roles(roles, found)),
        (None, Some(unless)) => Applies::UnlessRoles(names.roles(unless, found)),
        (None, None) => Applies::Everyone,
    }
}
