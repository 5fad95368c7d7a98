//! Wildcards that give fields another category than their names speak of, and so show them.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Field, Level, Module};

use super::super::classes::Wildcard;
use super::super::codes;
use super::Looked;
use super::subject::{TYPICAL, subjects};
use super::words::{listed, roles};

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    let classes = &looked.model.classes;
    for wildcard in &classes.everywhere.wildcards {
        let modules: Vec<&Module> = classes.modules.keys().collect();
        found.push_any(problem(looked, wildcard, &modules, true));
    }
    for (module, section) in &classes.modules {
        for wildcard in &section.wildcards {
            found.push_any(problem(looked, wildcard, &[module], false));
        }
    }
}

fn problem(
    looked: &Looked<'_>,
    wildcard: &Wildcard,
    modules: &[&Module],
    everywhere: bool,
) -> Option<Diagnostic> {
    let seen = looked.sight.seen_by(&wildcard.categories, Level::Token);
    let pattern = wildcard.pattern.as_str();
    if seen.is_empty() || modules.is_empty() {
        return None;
    }
    let categories = listed(&wildcard.categories);
    if wildcard.pattern.words().next().is_none() {
        let what = match everywhere {
            true => "every field of every module",
            false => "every field of this module",
        };
        let title = format!(
            "{} makes {what} {categories}, shown to {}",
            quoted(pattern),
            roles(&seen)
        );
        let problem = match everywhere {
            true => Diagnostic::error_to_be(codes::CATCHES_OTHERS, title),
            false => Diagnostic::warning(codes::CATCHES_OTHERS, title),
        };
        let also = match caught(looked, wildcard, modules) {
            Some(caught) => format!("also {}", listed(caught)),
            None => "all that nobody else classifies".to_owned(),
        };
        let label = format!(
            "{also}, and whatever the CRM adds tomorrow; `defaults.unclassified` never applies"
        );
        return Some(
            problem
                .at(&wildcard.place, label)
                .help("name the fields, or use a wildcard that says what they hold"),
        );
    }
    let caught = caught(looked, wildcard, modules)?;
    let title = format!(
        "{} catches {}, which speak of something else than {categories}, and shows them to {}",
        quoted(pattern),
        listed(caught),
        roles(&seen),
    );
    Some(
        Diagnostic::warning(codes::CATCHES_OTHERS, title)
            .at(&wildcard.place, format!("shown as {categories}"))
            .help("name the fields that are meant, or classify those that are not: a field in two categories gets the lowest of their levels"),
    )
}

/// Fields that a wildcard catches, whose names speak of what none of their categories can hold, and that somebody is
/// shown: known ones, or if it catches whatever comes, names that such fields are often given.
fn caught(looked: &Looked<'_>, wildcard: &Wildcard, modules: &[&Module]) -> Option<Vec<String>> {
    let mut caught = Vec::new();
    let mut typical = BTreeSet::new();
    for module in modules {
        for schema in looked.schemas {
            for field in looked.fields(schema, module) {
                if is_mistaken(looked, wildcard, module, &field) {
                    caught.push(format!("{module}.{field}"));
                }
            }
        }
        for name in TYPICAL {
            if is_mistaken(looked, wildcard, module, &Field::fold(name)) {
                typical.insert((*name).to_owned());
            }
        }
    }
    caught.sort();
    caught.dedup();
    // The worst first.
    caught.sort_by_key(|name| {
        let field = name.rsplit('.').next().unwrap_or_default();
        subjects(field).iter().map(|subject| subject.rank()).min()
    });
    caught.extend(typical);
    (!caught.is_empty()).then_some(caught)
}

fn is_mistaken(looked: &Looked<'_>, wildcard: &Wildcard, module: &Module, field: &Field) -> bool {
    if !wildcard.pattern.fits(field) {
        return false;
    }
    // Whoever names a field exactly has looked at it.
    let classes = &looked.model.classes;
    let own = classes.modules.get(module).into_iter();
    if own
        .chain([&classes.everywhere])
        .any(|section| section.exact.contains_key(field))
    {
        return false;
    }
    let spoken = subjects(field.as_str());
    let categories: BTreeSet<Category> = classes.of(module, field);
    let is_told = spoken
        .iter()
        .any(|subject| categories.iter().any(|category| subject.fits(category)));
    !spoken.is_empty() && !is_told && !looked.sight.seen_by(&categories, Level::Token).is_empty()
}
