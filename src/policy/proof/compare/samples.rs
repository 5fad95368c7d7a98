//! Names of fields that nobody knows yet, one for every way in which changed patterns can catch them.
//!
//! A name that two policies classify differently is caught by a pattern that changed. Where it is shown more, some pattern that
//! is gone held it down, and some pattern that is there shows it; other patterns that catch it only hide more. If the latter is
//! new, it alone tells. So names that fit one changed pattern, or one and any other, and as few as possible beside them, are
//! enough.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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

/// How many others are tried where names with that one are known.
const FILLERS_MAX: usize = 64;

/// Names for the patterns of a module's sections, under two policies: those of one pattern come first. A name that stands for
/// nothing but itself is none of them: it is known, and `is_known` says so.
pub(super) fn samples(
    sections: [&[&Section]; 2],
    is_known: &dyn Fn(&Field) -> bool,
) -> Vec<Sample> {
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
    let fittest =
        |shapes: &[String], patterns: &[&Pattern]| fittest(shapes, patterns, &all, is_known);
    let mut found = Vec::new();
    for one in &changed {
        found.extend(
            fittest(&[one.as_str().to_owned()], &[one]).map(|field| Sample {
                field,
                label: one.as_str().to_owned(),
                is_of_one: true,
            }),
        );
    }
    for (at, one) in changed.iter().enumerate() {
        // One that is gone may have held down what another one that has changed, too, shows.
        for other in changed.iter().skip(at + 1).chain(&same) {
            let Some(both) = meeting(one, other) else {
                continue;
            };
            let shapes = [
                filled(one, &core(other)),
                filled(other, &core(one)),
                filled(one, other.as_str()),
                filled(other, one.as_str()),
                both,
            ];
            found.extend(fittest(&shapes, &[one, other]).map(|field| Sample {
                field,
                label: format!("{}&{}", one.as_str(), other.as_str()),
                is_of_one: false,
            }));
        }
    }
    found
}

/// Of unknown names of some shapes, all of which fit these patterns, the one that fits the fewest others.
fn fittest(
    shapes: &[String],
    patterns: &[&Pattern],
    all: &[&Pattern],
    is_known: &dyn Fn(&Field) -> bool,
) -> Option<Field> {
    let fits = |name: String| {
        let field = Field::fold(&name);
        let is_one = !name.is_empty() && patterns.iter().all(|pattern| pattern.fits(&field));
        (is_one && !is_known(&field)).then_some(field)
    };
    let usual = ["", FILLER].into_iter();
    let names = usual.flat_map(|filler| shapes.iter().map(|shape| shape.replace('*', filler)));
    let fewest = names
        .filter_map(fits)
        .min_by_key(|field| all.iter().filter(|pattern| pattern.fits(field)).count());
    // Where all of these are known, others are not: a star stands for anything.
    fewest.or_else(|| {
        let numbers = 0..FILLERS_MAX;
        let mut names = numbers.flat_map(|number| {
            let filler = format!("{FILLER}{number}");
            shapes.iter().map(move |shape| shape.replace('*', &filler))
        });
        names.find_map(fits)
    })
}

/// A pattern of names that fit two patterns, with a star if there is such a one; `None` if no name fits both.
fn meeting(one: &Pattern, other: &Pattern) -> Option<String> {
    let [one, other] = [one, other].map(|pattern| pattern.as_str().chars().collect::<Vec<_>>());
    let mut plain = None;
    let mut met = BTreeSet::new();
    let mut open = VecDeque::from([(0, 0, String::new())]);
    while let Some((at, beside, text)) = open.pop_front() {
        let is_open = text.contains('*');
        if !met.insert((at, beside, is_open)) {
            continue;
        }
        let with = |char: char| format!("{text}{char}");
        match (one.get(at), other.get(beside)) {
            (None, None) if is_open => return Some(text),
            (None, None) => plain = plain.or(Some(text)),
            (Some('*'), Some('*')) => {
                open.push_back((at + 1, beside, with('*')));
                open.push_back((at, beside + 1, with('*')));
            }
            (Some('*'), next) => {
                open.extend(next.map(|char| (at, beside + 1, with(*char))));
                open.push_back((at + 1, beside, text));
            }
            (next, Some('*')) => {
                open.extend(next.map(|char| (at + 1, beside, with(*char))));
                open.push_back((at, beside + 1, text));
            }
            (Some(own), Some(char)) if own == char => {
                open.push_back((at + 1, beside + 1, with(*char)));
            }
            _ => {}
        }
    }
    plain
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
        let found = samples([&[&old], &[&new]], &|_| false);
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
        assert!(samples([&[&new], &[&new]], &|_| false).is_empty());
    }

    #[test]
    fn a_name_that_is_known_stands_for_no_other() {
        let new = section(&[("*note*", "work.position")]);
        let name = |known: &[&str]| {
            let found = samples([&[], &[&new]], &|field| known.contains(&field.as_str()));
            found.first().map(|sample| sample.field.as_str().to_owned())
        };
        assert_eq!(name(&[]).as_deref(), Some("note"));
        assert_eq!(name(&["note"]).as_deref(), Some("qzqnoteqzq"));
        assert_eq!(
            name(&["note", "qzqnoteqzq", "qzq0noteqzq0"]).as_deref(),
            Some("qzq1noteqzq1")
        );
    }

    #[test]
    fn patterns_meet_wherever_a_name_fits_both() {
        let meeting = |one, other| meeting(&Pattern::fold(one), &Pattern::fold(other));
        assert_eq!(meeting("ab*d", "a*cd").as_deref(), Some("ab*cd"));
        assert_eq!(meeting("a*", "b*"), None);
        for (one, other) in [
            ("ab*", "*bc"),
            ("*iban*", "*_c"),
            ("x_*", "*_c"),
            ("a*a", "*a*"),
        ] {
            let name = meeting(one, other).unwrap_or_default();
            assert!(name.contains('*'), "{one} {other} {name}");
            let field = Field::fold(&name.replace('*', "qzq"));
            for pattern in [one, other] {
                assert!(Pattern::fold(pattern).fits(&field), "{pattern} {field}");
            }
        }
        let old = section(&[("*iban*", "financial.iban"), ("*_c", "commercial.source")]);
        let new = section(&[("*_c", "commercial.subject")]);
        let found = samples([&[&old], &[&new]], &|_| false);
        assert!(found.iter().any(|sample| sample.label == "*_c&*iban*"));
    }
}
