//! Persons in a window: one counts once, by whichever of their names they are met.
//!
//! A record tells more of its person than another one that refers to it, or than the log. So a window also notes which person a
//! record was of, and takes a person who was counted by a reference alone for the one that the record itself tells: once, since
//! whoever can change a record must not thereby make one person of many.

use std::collections::{HashMap, HashSet};

use crate::filter::Someone;

use super::window::{Key, Window};

/// What a reply is about to show, each once, as one window knows it: records, or persons.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Under which it counts.
    pub(super) keys: Vec<Key>,
    /// Other names of persons.
    pub(super) also: Vec<(Key, Key)>,
    /// Persons of whom more is known than a reference.
    pub(super) proven: HashSet<Key>,
}

/// What a reply is about to show that counts for a limit.
pub(super) enum Met<'s> {
    /// Records by these names.
    Records(Vec<Key>),
    /// These persons.
    Persons(Vec<&'s Someone>),
    /// Persons of whom nothing is known but the names of these records, of which nobody tells whom they are about.
    Somebody(Vec<Key>),
}

impl Met<'_> {
    /// The same, as a window knows it; `unnamed` makes a name that nobody has.
    pub(super) fn found(self, window: &Window, unnamed: impl Fn() -> Key) -> Found {
        match self {
            Self::Records(keys) => Found::records(keys),
            Self::Persons(persons) => Found::persons(window, persons.into_iter(), unnamed),
            Self::Somebody(names) => {
                let persons: Vec<Someone> = names.into_iter().map(Someone::heard_of).collect();
                Found::persons(window, persons.iter(), unnamed)
            }
        }
    }
}

/// How many references are followed from one to the next.
const STEPS: usize = 4;

impl Found {
    fn records(mut keys: Vec<Key>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self {
            keys,
            ..Self::default()
        }
    }

    fn persons<'s>(
        window: &Window,
        persons: impl Iterator<Item = &'s Someone> + Clone,
        unnamed: impl Fn() -> Key,
    ) -> Self {
        let told = told(persons.clone());
        let mut found = Self::default();
        for person in persons {
            let Some(first) = person.names.first().copied() else {
                found.keys.push(unnamed());
                continue;
            };
            let known = known(window, person, &told);
            let own = person.own.filter(|own| window.is_hearsay(*own));
            let key = known.or(own).unwrap_or_else(|| followed(first, &told));
            found.keys.push(key);
            let is_joined = known.is_none() && own.is_some();
            found.also.extend(person.own.map(|own| (own, key)));
            found.also.extend(is_joined.then_some((first, key)));
            if is_joined || !person.is_hearsay {
                found.proven.insert(key);
            }
        }
        found.also.retain(|(name, key)| name != key);
        found.keys.sort_unstable();
        found.keys.dedup();
        found
    }
}

/// What the records of a reply say of whom they are about, by the name of the record.
fn told<'s>(persons: impl Iterator<Item = &'s Someone>) -> HashMap<Key, Key> {
    let told = persons.filter_map(|person| Some((person.own?, *person.names.first()?)));
    told.filter(|(own, first)| own != first).collect()
}

/// The person whom a window knows by one of these names, or by what another record of the reply says.
fn known(window: &Window, person: &Someone, told: &HashMap<Key, Key>) -> Option<Key> {
    let mut names = person.names.iter();
    let by_name = names.find_map(|name| window.known(*name));
    by_name.or_else(|| {
        let mut names = person.names.iter();
        names.find_map(|name| window.known(followed(*name, told)))
    })
}

/// Whom a name is of, as far as the records of the reply tell.
fn followed(name: Key, told: &HashMap<Key, Key>) -> Key {
    let mut followed = name;
    for _ in 0..STEPS {
        match told.get(&followed) {
            Some(next) => followed = *next,
            None => break,
        }
    }
    followed
}
