//! From what the files say of limits to what it means.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::vocabulary::{Module, RuleName};

use super::super::codes;
use super::super::document::{self, Document, LimitEntry};
use super::super::limit::{Count, Limit, Then};
use super::declared::Declared;

pub(super) fn limits(document: &Document, names: &Declared, found: &mut Diagnostics) -> Vec<Limit> {
    let entries = document.limits.iter();
    entries
        .map(|entry| limit(entry, document, names, found))
        .collect()
}

fn limit(
    entry: &LimitEntry,
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> Limit {
    let roles = entry
        .whom
        .roles
        .as_ref()
        .map(|words| names.roles(words, found));
    let unless_roles = entry.whom.unless_roles.as_ref();
    let unless_roles = unless_roles.map(|words| names.roles(words, found));
    let purposes = entry.whom.purposes.as_ref();
    let purposes = purposes.map(|words| names.purposes(words, found));
    let modules = entry.modules.as_ref().map(|words| {
        let known = names.look_up(words, &names.modules, found);
        known.into_iter().map(Module::new).collect()
    });
    let data = entry.data.as_ref().map(|words| names.data(words, found));
    let then = match entry.then {
        document::Then::Alert => Then::Alert,
        document::Then::Block => Then::Block,
        document::Then::StepUp => Then::StepUp(asked_for(entry, document, names, found)),
    };
    Limit {
        name: RuleName::new(&entry.name.value),
        roles,
        unless_roles: unless_roles.unwrap_or_default(),
        purposes,
        modules,
        data,
        level: entry.level,
        count: counted(entry, document, found),
        max: entry.max.0,
        per: entry.max.1,
        then,
    }
}

/// What is counted. Persons are known only where it is said whom records are about.
fn counted(entry: &LimitEntry, document: &Document, found: &mut Diagnostics) -> Count {
    let Some(count) = &entry.count else {
        return Count::Records;
    };
    // What was not understood may hold the section.
    if count.value == Count::Persons && document.people.is_none() && !document.incomplete {
        let title = "`count: persons` needs the section `people`";
        found.push(
            Diagnostic::error(codes::BAD_LIMIT, title)
                .at(&count.place, "nothing says whom records are about")
                .help("say under `people` whom the records of each module are about, or write `count: records`"),
        );
    }
    count.value
}

/// The strengths of which one lets a caller go on. A token must be able to prove one of them, else nobody could be asked.
fn asked_for(
    entry: &LimitEntry,
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> BTreeSet<String> {
    let strengths = names.look_up(&entry.requires, &names.strengths, found);
    let declared = document.strengths.iter();
    let mut named = declared.filter(|(name, _)| strengths.contains(&name.value.as_str()));
    let can_be_asked = named.any(|(_, any)| any.iter().any(|proof| !proof.acr.is_empty()));
    if !strengths.is_empty() && !can_be_asked {
        let label = "no `acr` proves the strength that this limit requires";
        found.push(
            Diagnostic::error(codes::BAD_STRENGTH, "nothing can be asked for")
                .at(&entry.name.place, label)
                .help("name an `acr` at the strength, or write `then: block`"),
        );
    }
    strengths.into_iter().map(str::to_owned).collect()
}
