//! Which categories a field belongs to: exact entries and wildcards, which unite.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Place;
use crate::vocabulary::{Category, Field, Module};

/// The classification of all known modules.
#[derive(Debug, Default)]
pub(in crate::policy) struct Classes {
    /// Applies inside every known module.
    pub(in crate::policy) everywhere: Section,
    /// The known modules.
    pub(in crate::policy) modules: BTreeMap<Module, Section>,
}

/// One section of `classify`.
#[derive(Debug, Default)]
pub(in crate::policy) struct Section {
    /// Where the module is named first; `None` for the section of all modules.
    pub(in crate::policy) place: Option<Place>,
    pub(in crate::policy) exact: BTreeMap<Field, Exact>,
    pub(in crate::policy) wildcards: Vec<Wildcard>,
}

/// An entry for one field.
#[derive(Debug)]
pub(in crate::policy) struct Exact {
    pub(in crate::policy) categories: BTreeSet<Category>,
    /// Categories that the field would have otherwise, and has not: a reviewed decision.
    pub(in crate::policy) instead_of: BTreeSet<Category>,
    pub(in crate::policy) place: Place,
}

/// An entry for all fields whose name fits a pattern.
#[derive(Debug)]
pub(in crate::policy) struct Wildcard {
    pub(in crate::policy) pattern: Pattern,
    pub(in crate::policy) categories: BTreeSet<Category>,
    pub(in crate::policy) place: Place,
}

impl Classes {
    /// Whether the policy knows a module.
    pub(in crate::policy) fn knows(&self, module: &Module) -> bool {
        self.modules.contains_key(module)
    }

    /// Whether another classification gives every field the same categories, by the same entries.
    pub(in crate::policy) fn says_the_same(&self, other: &Self) -> bool {
        self.everywhere.says_the_same(&other.everywhere)
            && self.modules.len() == other.modules.len()
            && self.modules.iter().all(|(module, own)| {
                let other = other.modules.get(module);
                other.is_some_and(|other| own.says_the_same(other))
            })
    }

    /// Where a field of a known module is given a category.
    pub(in crate::policy) fn place(
        &self,
        module: &Module,
        field: &Field,
        category: &Category,
    ) -> Option<&Place> {
        let own = self.modules.get(module)?;
        [own, &self.everywhere]
            .into_iter()
            .find_map(|section| section.place(field, category))
    }

    /// The categories of a field by its own name; empty if the module is not known or no one has classified the field.
    pub(in crate::policy) fn of(&self, module: &Module, field: &Field) -> BTreeSet<Category> {
        let Some(section) = self.modules.get(module) else {
            return BTreeSet::new();
        };
        let sections = [&self.everywhere, section];
        let mut categories: BTreeSet<Category> = sections
            .iter()
            .flat_map(|section| &section.wildcards)
            .filter(|wildcard| wildcard.pattern.fits(field))
            .flat_map(|wildcard| wildcard.categories.iter().cloned())
            .collect();
        // A section takes away only what stands before it: what a module says of its own field is never overruled.
        for exact in sections
            .iter()
            .filter_map(|section| section.exact.get(field))
        {
            categories.retain(|category| !exact.instead_of.contains(category));
            categories.extend(exact.categories.iter().cloned());
        }
        categories
    }
}

impl Section {
    fn says_the_same(&self, other: &Self) -> bool {
        let exact = |section: &Self| -> Vec<_> {
            let exact = section.exact.iter();
            exact
                .map(|(field, entry)| {
                    let categories = entry.categories.clone();
                    (field.clone(), categories, entry.instead_of.clone())
                })
                .collect()
        };
        let wildcards = |section: &Self| -> BTreeMap<Pattern, BTreeSet<Category>> {
            let mut all: BTreeMap<Pattern, BTreeSet<Category>> = BTreeMap::new();
            for wildcard in &section.wildcards {
                let categories = all.entry(wildcard.pattern.clone()).or_default();
                categories.extend(wildcard.categories.iter().cloned());
            }
            all
        };
        exact(self) == exact(other) && wildcards(self) == wildcards(other)
    }

    /// The first entry that gives a field a category.
    fn place(&self, field: &Field, category: &Category) -> Option<&Place> {
        let exact = self.exact.get(field).into_iter();
        let exact = exact.map(|entry| (&entry.categories, &entry.place));
        let wildcards = self.wildcards.iter();
        let wildcards = wildcards
            .filter(|entry| entry.pattern.fits(field))
            .map(|entry| (&entry.categories, &entry.place));
        exact
            .chain(wildcards)
            .find(|(categories, _)| categories.contains(category))
            .map(|(_, place)| place)
    }
}

/// A field name in which `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::policy) struct Pattern {
    text: String,
    /// The parts between the stars, blank ones too; one, if there is no star.
    parts: Vec<String>,
}

impl Pattern {
    /// Folds a pattern to lower case.
    pub(in crate::policy) fn fold(pattern: &str) -> Self {
        let text = pattern.to_ascii_lowercase();
        let parts = text.split('*').map(str::to_owned).collect();
        Self { text, parts }
    }

    pub(in crate::policy) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a field's name fits. The parts between stars are looked for from left to right: linear, no backtracking.
    pub(in crate::policy) fn fits(&self, field: &Field) -> bool {
        let name = field.as_str().as_bytes();
        let [head, middle @ .., tail] = self.parts.as_slice() else {
            return self.text.as_bytes() == name;
        };
        let inner = name.strip_prefix(head.as_bytes());
        let Some(mut inner) = inner.and_then(|rest| rest.strip_suffix(tail.as_bytes())) else {
            return false;
        };
        for part in middle {
            let found = memchr::memmem::find(inner, part.as_bytes());
            let Some(behind) = found.and_then(|at| inner.get(at + part.len()..)) else {
                return false;
            };
            inner = behind;
        }
        true
    }

    /// The words between the stars.
    pub(in crate::policy) fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.parts.iter().map(String::as_str);
        words.filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use crate::vocabulary::Field;

    #[test]
    fn stars_stand_for_any_run_of_characters() {
        for (pattern, name, fits) in [
            ("*iban*", "iban_c", true),
            ("*iban*", "old_iban", true),
            ("*iban*", "IBAN", true),
            ("*iban*", "ian", false),
            ("phone_*", "phone_home", true),
            ("phone_*", "telephone_home", false),
            ("*_c", "x_c", true),
            ("*_c", "x_d", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("a*bc*c", "abc", false),
            ("*", "anything", true),
            ("**", "anything", true),
            ("*a*a*", "a", false),
            ("*a*a*", "xaya", true),
        ] {
            assert_eq!(
                Pattern::fold(pattern).fits(&Field::fold(name)),
                fits,
                "{pattern} {name}"
            );
        }
    }
}
