//! Which categories the fields of a policy have: written when the policy comes into force, so that a question about a
//! category finds requests that only named a field, and of which nothing came back.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocabulary::{Category, Module};

use super::format::notice::Class;
use super::names::visible;

/// Bytes of names beyond which a table is not written: an event has a bound.
const NAMES_BYTES_MAX: usize = 1 << 20;

/// The categories of fields and of patterns of fields, module by module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classified {
    /// By `Module.field`; in the name of a pattern, `*` stands for any run of characters.
    names: BTreeMap<String, BTreeSet<Category>>,
}

impl Classified {
    /// Adds a field of a module, or a pattern of fields. One without categories says nothing.
    pub fn add(&mut self, module: &Module, field: &str, categories: &[Category]) {
        if !categories.is_empty() {
            let name = visible(&format!("{}.{field}", module.as_str()));
            self.names
                .entry(name)
                .or_default()
                .extend(categories.iter().cloned());
        }
    }

    /// Adds what another table says.
    pub(super) fn add_all(&mut self, other: Self) {
        for (name, categories) in other.names {
            self.names.entry(name).or_default().extend(categories);
        }
    }

    /// As an event holds it: one entry for all names with the same categories; `None` if it is too large for an event.
    /// A list, as the keys of objects have an order of their own in canonical JSON.
    pub(super) fn written(&self) -> Option<Vec<Class>> {
        let bytes: usize = self.names.keys().map(String::len).sum();
        if bytes > NAMES_BYTES_MAX {
            return None;
        }
        let mut entries: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
        for (name, categories) in &self.names {
            let categories = categories.iter().map(|one| one.as_str().to_owned());
            let fields = entries.entry(categories.collect()).or_default();
            fields.push(name.clone());
        }
        let class = |(categories, fields)| Class { categories, fields };
        Some(entries.into_iter().map(class).collect())
    }

    /// Reads what an event holds.
    pub(super) fn read(classes: &[Class]) -> Self {
        let mut names: BTreeMap<String, BTreeSet<Category>> = BTreeMap::new();
        for class in classes {
            for name in &class.fields {
                let categories = class.categories.iter().map(|one| Category::new(one));
                names.entry(name.clone()).or_default().extend(categories);
            }
        }
        Self { names }
    }

    /// Whether a field, `Module.field`, has a category or one below it. The patterns count for fields without an entry.
    pub(super) fn is_of(&self, name: &str, wanted: &Category) -> bool {
        let covered =
            |categories: &BTreeSet<Category>| categories.iter().any(|one| wanted.covers(one));
        match self.names.get(name) {
            Some(own) => covered(own),
            None => self
                .names
                .iter()
                .any(|(pattern, categories)| covered(categories) && fits(pattern, name)),
        }
    }

    /// The categories of a field, `Module.field`; those of the patterns, if it has no entry.
    pub fn categories_of(&self, name: &str) -> BTreeSet<&Category> {
        match self.names.get(name) {
            Some(own) => own.iter().collect(),
            None => {
                let fitting = self.names.iter().filter(|(one, _)| fits(one, name));
                fitting.flat_map(|(_, categories)| categories).collect()
            }
        }
    }

    /// All fields and patterns of fields, `Module.field`, with their categories.
    pub fn names(&self) -> impl Iterator<Item = (&str, &BTreeSet<Category>)> {
        let names = self.names.iter();
        names.map(|(name, categories)| (name.as_str(), categories))
    }

    /// All categories that a field has.
    pub(super) fn categories(&self) -> impl Iterator<Item = &Category> {
        self.names.values().flatten()
    }
}

/// Whether a name is what a pattern says. The parts between stars are looked for from left to right.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = name
        .strip_prefix(head)
        .and_then(|name| name.strip_suffix(tail));
    let mut parts = middle.split('*');
    inner.is_some_and(|inner| {
        parts
            .try_fold(inner, |left, part| Some(left.split_once(part)?.1))
            .is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_patterns_count_for_other_fields() {
        let mut written = Classified::default();
        let contacts = Module::new("Contacts");
        let category = |name: &str| Category::new(name);
        written.add(&contacts, "iban_c", &[category("financial.iban")]);
        written.add(&contacts, "*iban*", &[category("financial.iban")]);
        written.add(&contacts, "*relig*", &[category("special.belief")]);
        // A reviewed decision: the pattern does not count for this field.
        written.add(&contacts, "religion_of_state", &[category("work.position")]);
        written.add(&contacts, "shoe_size", &[]);
        let classes = written.written().unwrap();
        assert_eq!(classes.len(), 3);
        let read = Classified::read(&classes);
        assert_eq!(read, written);
        let special = category("special");
        assert!(read.is_of("Contacts.religion_c", &special));
        assert!(!read.is_of("Contacts.religion_of_state", &special));
        assert!(!read.is_of("Accounts.religion_c", &special));
        assert!(!read.is_of("Contacts.religion_c", &category("spec")));
        assert!(read.is_of("Contacts.old_iban_2", &category("financial.iban")));
        assert!(!read.is_of("Contacts.shoe_size", &special));
    }
}
