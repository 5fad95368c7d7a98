//! Whom records are about.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Field, Module};

use super::super::codes;
use super::super::document::{AboutEntry, Document, PeopleEntry, PersonEntry, TargetEntry, Word};
use super::super::terms::{About, People, Person, Target};
use super::declared::Declared;

pub(super) fn people(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> Option<People> {
    let (_, entries) = document.people.as_ref()?;
    let mut people = People::default();
    for entry in entries {
        let modules = std::slice::from_ref(&entry.module);
        names.look_up(modules, &names.modules, found);
        let about = match &entry.about {
            AboutEntry::Nobody => About::Nobody,
            AboutEntry::Linked(links) => About::Linked(linked(links, entries, found)),
            AboutEntry::Person(person) => About::Person(self::person(person, entries, found)),
        };
        let module = Module::new(&entry.module.value);
        people.add(entry.upstream.clone(), module, about);
    }
    Some(people)
}

/// The modules that links lead to. Whom a record is about that is itself about whoever is linked, nobody looks up.
fn linked(
    links: &[(Field, TargetEntry)],
    all: &[PeopleEntry],
    found: &mut Diagnostics,
) -> BTreeMap<Field, Target> {
    let told = all.iter();
    let told = told.filter(|one| !matches!(one.about, AboutEntry::Linked(_)));
    let told: BTreeSet<&str> = told.map(|one| one.module.value.as_str()).collect();
    let target = |target: &TargetEntry, found: &mut Diagnostics| match target {
        TargetEntry::By(field) => Target::By(field.clone()),
        TargetEntry::Module(module) => {
            is_among(module, &told, found);
            Target::Module(Module::new(&module.value))
        }
    };
    let links = links.iter();
    links
        .map(|(field, to)| (field.clone(), target(to, found)))
        .collect()
}

fn is_among(module: &Word, told: &BTreeSet<&str>, found: &mut Diagnostics) {
    if told.contains(module.value.as_str()) {
        return;
    }
    let title = format!(
        "nobody knows whom records of {} are about",
        quoted(&module.value)
    );
    found.push(
        Diagnostic::error(codes::BAD_PEOPLE, title)
            .at(
                &module.place,
                "neither a module of persons under `people`, nor one that is about nobody",
            )
            .suggest(&module.value, told.iter().copied()),
    );
}

fn person(entry: &PersonEntry, all: &[PeopleEntry], found: &mut Diagnostics) -> Person {
    let persons = all.iter();
    let persons = persons.filter(|one| matches!(one.about, AboutEntry::Person(_)));
    let persons: BTreeSet<&str> = persons.map(|one| one.module.value.as_str()).collect();
    for (_, module) in &entry.same_as {
        if !persons.contains(module.value.as_str()) {
            let title = format!("records of {} are no persons", quoted(&module.value));
            found.push(
                Diagnostic::error(codes::BAD_PEOPLE, title)
                    .at(&module.place, "no module of persons under `people`")
                    .suggest(&module.value, persons.iter().copied()),
            );
        }
    }
    let same_as = entry.same_as.iter();
    Person {
        kind: entry.kind.clone(),
        email: entry.email.clone(),
        phones: entry.phones.clone(),
        same_as: same_as
            .map(|(field, module)| (field.clone(), Module::new(&module.value)))
            .collect(),
    }
}
