//! Whom records are about.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::Module;

use super::super::codes;
use super::super::document::{AboutEntry, Document, PeopleEntry, PersonEntry};
use super::super::terms::{About, People, Person};
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
            AboutEntry::Linked(fields) => About::Linked(fields.clone()),
            AboutEntry::Person(person) => About::Person(self::person(person, entries, found)),
        };
        let module = Module::new(&entry.module.value);
        people.add(entry.upstream.clone(), module, about);
    }
    Some(people)
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
