//! Names of fields that nobody knows yet, one for every way in which changed patterns can catch them.
//!
//! A name that two policies classify differently is caught by a pattern that changed. Where it is shown more, some pattern that
//! is gone held it down, and some pattern that is there shows it; other patterns that catch it only hide more. If the latter is
//! new, it alone tells. So names that fit one changed pattern, or one and another that has not changed, and as few as
//! possible beside them, are enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::language::classes::{Pattern, Section};
use crate::vocabulary::{Category, Field};

/// A name, and the patterns that it stands for.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) field: Field,
    pub(super) label: String,
    /// Whether it stands for one pattern alone.
    pub(super) is_of_one: bool,
}

/// Stands for a star where nothing else does: no name holds it.
const FILLER: &str = "qzq";

/// Names for the patterns of a module's sections, under two policies: those of one pattern come first.
pub(super) fn samples(sections: [&[&Section]; 2]) -> Vec<Sample> {
    let mut patterns: BTreeMap<&Pattern, [BTreeSet<&Category>; 2]> = BTreeMap::new();
    for (side, sections) in sections.into_iter().enumerate() {
        for wildcard in sections.iter().flat_map(|section| &section.wildcards) {
            let known = patterns.entry(&wildcard.pattern).or_default();
            known[side].extend(&wildcard.categories);
        }
    }
    let all: Vec<&Pattern> = patterns.keys().copied().collect();
    let (same, changed): (Vec<_>, Vec<_>) = patterns.iter().partition(|(_, [old, new])| old == new);
    let changed: Vec<&Pattern> = changed.into_iter().map(|(pattern, _)| *pattern).collect();
    let same: Vec<&Pattern> = same.into_iter().map(|(pattern, _)| *pattern).collect();
    let is_exact = |field: &Field| {
        let mut sections = sections.into_iter().flatten();
        sections.any(|section| section.exact.contains_key(field))
    };
    let mut found = Vec::new();
    for one in &changed {
        let names = [filled(one, ""), filled(one, FILLER)];
        found.extend(
            fittest(names, &[one], &all).map(|field| (field, one.as_str().to_owned(), true)),
        );
    }
    for one in &changed {
        for other in &same {
            let names = [
                filled(one, &core(other)),
                filled(other, &core(one)),
                filled(one, &filled(other, FILLER)),
                filled(other, &filled(one, FILLER)),
            ];
            let label = format!("{}&{}", one.as_str(), other.as_str());
            found.extend(fittest(names, &[one, other], &all).map(|field| (field, label, false)));
        }
    }
    found
        .into_iter()
        .filter(|(field, ..)| !is_exact(field))
        .map(|(field, label, is_of_one)| Sample {
            field,
            label,
            is_of_one,
        })
        .collect()
}

/// Of some names that fit these patterns the one that fits the fewest others.
fn fittest<const N: usize>(
    names: [String; N],
    patterns: &[&Pattern],
    all: &[&Pattern],
) -> Option<Field> {
    let names = names.iter().filter(|name| !name.is_empty());
    let fields = names.map(|name| Field::fold(name));
    fields
        .filter(|field| patterns.iter().all(|pattern| pattern.fits(field)))
        .min_by_key(|field| all.iter().filter(|pattern| pattern.fits(field)).count())
}

fn filled(pattern: &Pattern, filler: &str) -> String {
    pattern.as_str().replace('*', filler)
}

/// A pattern without its stars.
fn core(pattern: &Pattern) -> String {
    filled(pattern, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::language::classes::Wildcard;

    fn section(patterns: &[(&str, &str)]) -> Section {
        let place = crate::diagnostic::Place {
            file: crate::diagnostic::File::new("p.yaml", ""),
            span: 0..0,
        };
        Section {
            wildcards: patterns
                .iter()
                .map(|(pattern, category)| Wildcard {
                    pattern: Pattern::fold(pattern),
                    categories: BTreeSet::from([Category::new(category)]),
                    place: place.clone(),
                })
                .collect(),
            ..Section::default()
        }
    }

    #[test]
    fn names_fit_what_changed_and_what_stands_beside_it() {
        let old = section(&[
            ("*iban*", "financial.iban"),
            ("*_c", "commercial.source"),
            ("x_*", "work"),
        ]);
        let new = section(&[("*_c", "commercial.source"), ("x_*", "work")]);
        let found = samples([&[&old], &[&new]]);
        let names: Vec<(&str, &str)> = found
            .iter()
            .map(|sample| (sample.label.as_str(), sample.field.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("*iban*", "iban"),
                ("*iban*&*_c", "_ciban_c"),
                ("*iban*&x_*", "x_ibanx_"),
            ]
        );
        assert!(samples([&[&new], &[&new]]).is_empty());
    }
}
