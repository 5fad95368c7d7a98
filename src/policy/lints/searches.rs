//! Searches that look into more than the policy says: a hit proves a value that nobody was to be shown.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::{Origin, Schema};
use crate::vocabulary::{Category, Field, Level, Module, Role};

use super::super::codes;
use super::super::model::Searched;
use super::Looked;
use super::words::{listed, roles};

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    for (module, searched) in &looked.model.search {
        // Of several schemas the one counts of which the policy lists most: it may not be meant for the others.
        let missing = looked
            .schemas
            .iter()
            .filter(|schema| !schema.searched(module).is_empty())
            .map(|schema| missing(schema, module, searched))
            .min_by_key(Vec::len)
            .unwrap_or_default();
        if missing.is_empty() {
            continue;
        }
        let title = format!(
            "the CRM's search of {module} looks into {} too, as it is delivered",
            listed(&missing)
        );
        let learned = learned(looked, module, searched, &missing);
        let effect = match learned.is_empty() {
            true => "a hit proves what they hold".to_owned(),
            false => format!(
                "a hit proves what they hold to {}, who are not shown all of it",
                roles(&learned)
            ),
        };
        found.push(
            Diagnostic::warning(codes::SEARCH_TOO_FEW, title)
                .at(&searched.place, effect)
                .help("list what this CRM searches: a search is permitted if all listed fields are clear to the caller"),
        );
    }
}

fn missing(schema: &Schema, module: &Module, searched: &Searched) -> Vec<Field> {
    let mut stock = schema.searched(module);
    stock.retain(|field| {
        !searched.fields.iter().any(|listed| {
            listed == field
                || copies(schema, module, listed, field)
                || copies(schema, module, field, listed)
        })
    });
    stock
}

/// Whether a field shows another one.
fn copies(schema: &Schema, module: &Module, copy: &Field, of: &Field) -> bool {
    match schema.origin(module, copy.as_str()) {
        Origin::Copy {
            of: sources,
            perhaps,
        } => sources
            .iter()
            .chain(&perhaps)
            .any(|source| source.module == *module && source.field == *of),
        _ => false,
    }
}

/// The roles that may search and are not shown all that is searched.
fn learned<'a>(
    looked: &'a Looked<'_>,
    module: &Module,
    searched: &Searched,
    missing: &[Field],
) -> BTreeSet<&'a Role> {
    let classes = &looked.model.classes;
    let all = |fields: &[Field]| -> BTreeSet<Category> {
        fields
            .iter()
            .flat_map(|field| classes.of(module, field))
            .collect()
    };
    let searching: BTreeSet<&Role> = looked.sight.seen_by(&all(&searched.fields), Level::Clear);
    let seeing: BTreeSet<&Role> = looked.sight.seen_by(&all(missing), Level::Clear);
    let is_classified = missing
        .iter()
        .all(|field| !classes.of(module, field).is_empty());
    match is_classified {
        true => &searching - &seeing,
        false => searching,
    }
}
