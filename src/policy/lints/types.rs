//! Wildcards and masks, held against the types that the CRM's own fields have, as far as a schema file says them.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::dialect::{Schema, ValueType};
use crate::mask::Mask;
use crate::vocabulary::{Category, Field, Level, Module};

use super::super::classes::{Section, Wildcard};
use super::super::codes;
use super::Looked;
use super::words::{listed, roles};

/// What values of categories of the catalogue are, and of those below them.
const HOLD: &[(&str, &[ValueType])] = &[
    ("financial.iban", &[ValueType::Text]),
    ("financial.bic", &[ValueType::Text]),
    ("financial.card", &[ValueType::Text, ValueType::Number]),
    (
        "identity.national_id",
        &[ValueType::Text, ValueType::Number],
    ),
    ("identity.birth_date", &[ValueType::Text, ValueType::Date]),
    ("identity.name", &[ValueType::Text]),
    ("contact.email", &[ValueType::Text]),
    ("contact.phone", &[ValueType::Text, ValueType::Number]),
    ("contact.address", &[ValueType::Text, ValueType::Choice]),
    ("commercial.figures", &[ValueType::Text, ValueType::Number]),
    ("free_text", &[ValueType::Text]),
];

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    masks(looked, found);
    let classes = &looked.model.classes;
    let all: Vec<&Module> = classes.modules.keys().collect();
    for wildcard in &classes.everywhere.wildcards {
        catches(looked, wildcard, &all, found);
    }
    for (module, section) in &classes.modules {
        for wildcard in &section.wildcards {
            catches(looked, wildcard, &[module], found);
        }
    }
}

/// The fields of some modules whose types are known.
fn typed<'a>(
    schemas: &'a [std::sync::Arc<Schema>],
    modules: &'a [&'a Module],
) -> impl Iterator<Item = (&'a Module, &'a Field, ValueType)> {
    let of_module = move |module: &'a Module, schema: &'a Schema| {
        let own = schema.beside().get(module).into_iter();
        own.flat_map(|own| &own.fields)
            .filter_map(move |(field, _)| Some((module, field, schema.value_type(module, field)?)))
    };
    schemas.iter().flat_map(move |schema| {
        modules
            .iter()
            .flat_map(move |module| of_module(module, schema))
    })
}

/// A wildcard that catches what its category cannot be, or nothing at all.
fn catches(looked: &Looked<'_>, wildcard: &Wildcard, modules: &[&Module], found: &mut Diagnostics) {
    let pattern = quoted(wildcard.pattern.as_str());
    let holds = |category: &Category| {
        let mut known = HOLD.iter();
        let known = known.find(|(name, _)| Category::new(name).covers(category));
        known.map(|(_, types)| *types)
    };
    let mut odd = BTreeSet::new();
    for (module, field, kind) in typed(looked.schemas, modules) {
        let fits = wildcard
            .categories
            .iter()
            .filter_map(holds)
            .all(|types| types.contains(&kind));
        if wildcard.pattern.fits(field) && !fits && !is_named(looked, module, field) {
            odd.insert(format!("{module}.{field} ({})", kind.as_str()));
        }
    }
    if !odd.is_empty() {
        let title = format!(
            "{pattern} catches {}, which cannot be {}",
            listed(odd),
            listed(&wildcard.categories)
        );
        found.push(
            Diagnostic::warning(codes::LOOKS_OTHERWISE, title)
                .at(
                    &wildcard.place,
                    "the name only looks alike: their type says otherwise",
                )
                .help("classify these fields by name, with `instead_of`"),
        );
    }
    if catches_nothing(looked, wildcard, modules) {
        let title = format!("{pattern} catches no field that this CRM is known to have");
        found.push(Diagnostic::note(codes::CATCHES_NOTHING, title).at(
            &wildcard.place,
            "it is there for fields to come, or misspelt",
        ));
    }
}

/// Whoever names a field exactly has looked at it.
fn is_named(looked: &Looked<'_>, module: &Module, field: &Field) -> bool {
    let classes = &looked.model.classes;
    let named = |section: &Section| section.exact.contains_key(field);
    classes.modules.get(module).is_some_and(named) || named(&classes.everywhere)
}

/// Whether no field is caught, where somebody has said which fields this installation has.
fn catches_nothing(looked: &Looked<'_>, wildcard: &Wildcard, modules: &[&Module]) -> bool {
    let mut known = looked.schemas.iter().filter(|schema| {
        schema.names_all_fields()
            && modules
                .iter()
                .any(|module| schema.beside().get(module).is_some())
    });
    let Some(first) = known.next() else {
        return false;
    };
    let mut all = std::iter::once(first).chain(known);
    !all.any(|schema| {
        let mut modules = modules.iter();
        modules.any(|module| {
            schema
                .fields(module)
                .iter()
                .any(|field| wildcard.pattern.fits(field))
        })
    })
}

/// Masks of fields whose values none of them can take: these are redacted where they are to be masked.
fn masks(looked: &Looked<'_>, found: &mut Diagnostics) {
    let model = looked.model;
    let modules: Vec<&Module> = model.classes.modules.keys().collect();
    for (category, declared) in &model.categories {
        let Some(mask) = &declared.mask else { continue };
        let masked = looked.sight.seen_at([category], Level::Mask);
        if masked.is_empty() {
            continue;
        }
        let misfits: BTreeSet<String> = typed(looked.schemas, &modules)
            .filter(|(_, _, kind)| !fits(mask, *kind))
            .filter(|(module, field, _)| model.classes.of(module, field).contains(category))
            .map(|(module, field, kind)| format!("{module}.{field} ({})", kind.as_str()))
            .collect();
        if misfits.is_empty() {
            continue;
        }
        let title = format!("the mask of `{category}` never fits {}", listed(&misfits));
        let warning = Diagnostic::warning(codes::MASK_MISFITS, title).help(
            "such values are redacted instead: choose a mask of their type, or classify these fields as what they are",
        );
        let fields = model.classes.modules.iter();
        let place = declared.mask_place.as_ref().or_else(|| {
            let mut own = fields.flat_map(|(module, _)| {
                let typed = typed(looked.schemas, &modules);
                typed.filter(move |(of, _, _)| *of == module)
            });
            own.find_map(|(module, field, _)| model.classes.place(module, field, category))
        });
        found.push(match place {
            Some(place) => warning.at(place, format!("to be masked for {}", roles(&masked))),
            None => warning,
        });
    }
}

/// Whether a mask shows anything of values of a type.
fn fits(mask: &Mask, kind: ValueType) -> bool {
    match kind {
        ValueType::Flag => false,
        ValueType::Number => matches!(mask, Mask::Round(_)),
        ValueType::Date => matches!(
            mask,
            Mask::Year | Mask::YearAsDate | Mask::First(_) | Mask::Last(_) | Mask::Constant(_)
        ),
        ValueType::Text | ValueType::Choice => true,
    }
}
