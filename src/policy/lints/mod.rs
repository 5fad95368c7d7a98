//! Policies that are valid and disclose what nobody meant. Each warning says the effect in words: which fields, to which
//! roles. What cannot be meant is said to become an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::dialect::{Origin, Schema};
use crate::vocabulary::{Field, Module};

use super::codes;
use super::model::Model;
use sight::Sight;

mod accounts;
mod alike;
mod asked;
mod conditions;
mod escapes;
mod idle;
mod masks;
mod modules;
mod open;
mod people;
mod searches;
mod sight;
mod special;
mod subject;
mod texts;
mod types;
mod wildcards;
mod words;

/// What the lints look at.
struct Looked<'a> {
    model: &'a Model,
    schemas: &'a [Arc<Schema>],
    sight: Sight<'a>,
}

pub(super) fn warn(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    let looked = Looked {
        model,
        schemas,
        sight: Sight::new(model),
    };
    modules::warn(&looked, found);
    special::warn(&looked, found);
    wildcards::warn(&looked, found);
    texts::warn(&looked, found);
    masks::warn(&looked, found);
    accounts::warn(&looked, found);
    searches::warn(&looked, found);
    escapes::warn(&looked, found);
    alike::warn(model, found);
    asked::warn(&looked, found);
    open::warn(&looked, found);
    people::warn(model, found);
    types::warn(&looked, found);
    idle::warn(model, found);
    conditions::warn(model, found);
}

impl Looked<'_> {
    /// The fields that a dialect knows of a module or that the policy names in it, as far as they hold data of their own.
    fn fields(&self, schema: &Schema, module: &Module) -> BTreeSet<Field> {
        let classes = &self.model.classes;
        let own = classes.modules.get(module).into_iter();
        let named = own
            .chain([&classes.everywhere])
            .flat_map(|section| section.exact.keys());
        let mut fields: BTreeSet<Field> = schema.fields(module).into_iter().collect();
        // Of a module whose fields are known, a name for all modules need not be one of its fields.
        if fields.is_empty() || !schema.names_all_fields() {
            fields.extend(named.cloned());
        } else {
            fields.extend(own_names(self.model, module));
        }
        fields.retain(|field| {
            let origin = schema.origin(module, field.as_str());
            matches!(origin, Origin::Own | Origin::Items(_))
        });
        fields
    }
}

fn own_names(model: &Model, module: &Module) -> Vec<Field> {
    let own = model.classes.modules.get(module);
    own.map(|section| section.exact.keys().cloned().collect())
        .unwrap_or_default()
}

/// A policy that classifies or grants nothing, or declares nobody.
pub(super) fn empty(model: &Model, found: &mut Diagnostics) {
    let classes = &model.classes;
    let mut sections = classes.modules.values().chain([&classes.everywhere]);
    let classifies =
        sections.any(|section| !section.exact.is_empty() || !section.wildcards.is_empty());
    let lacks: Vec<&str> = [
        (
            model.roles.is_empty(),
            "declares no role, so that everybody is refused",
        ),
        (
            classes.modules.is_empty(),
            "knows no module, so that every request for records is refused",
        ),
        (
            !classifies,
            "classifies no field, so that all are redacted or hidden",
        ),
        (
            model.grants.is_empty(),
            "grants nothing, so that all fields are redacted or hidden",
        ),
    ]
    .into_iter()
    .filter_map(|(lacks, effect)| lacks.then_some(effect))
    .collect();
    if !lacks.is_empty() {
        let title = format!("policy {} {}", quoted(&model.name), lacks.join("; it "));
        let warning = Diagnostic::warning(codes::EMPTY, title);
        found.push(
            warning
                .help("if the rest stands in another file, that file must lie in the same folder"),
        );
    }
}
