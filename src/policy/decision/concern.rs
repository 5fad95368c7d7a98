//! Which conditions of rules are about a module's records, and which fields these are asked for.

use std::collections::BTreeSet;

use crate::vocabulary::{Category, Field, Module};

use super::super::language::catalogue::category_of;
use super::super::language::model::{Bit, Model, about};
use super::judge::View;
use super::looked::looked_for;

/// What conditions of rules have to do with a module's records.
#[derive(Debug)]
pub(in crate::policy) struct Concern {
    /// The conditions of rules about something that the records may hold.
    bits: u64,
    /// Fields that conditions ask for, that records of other modules have, and these have not.
    foreign: BTreeSet<Field>,
}

impl Concern {
    /// Looks at all that is known of a module.
    pub(super) fn of(view: &View, module: &Module) -> Self {
        let model = &view.core.model;
        let categories = categories(view, module);
        // Restrictions say more than what is shown: what nobody has classified, and whether a record may be deleted.
        let bits = bits(model, &categories) | model.restricting();
        Self {
            bits: bits & !model.bits_of_others(module),
            foreign: foreign(view, module),
        }
    }

    /// Whether rules about the records ask for a condition.
    pub(super) fn asks(&self, bit: Bit) -> bool {
        bit.is_in(self.bits)
    }

    /// Whether the records may have a field.
    pub(super) fn may_have(&self, field: &Field) -> bool {
        !self.foreign.contains(field)
    }
}

/// All that the records may hold, in fields of their own, in copies, and within texts.
fn categories(view: &View, module: &Module) -> BTreeSet<Category> {
    let model = &view.core.model;
    let own = model.classes.modules.get(module);
    let sections = || own.into_iter().chain([&model.classes.everywhere]);
    let mut fields: BTreeSet<Field> = view.core.schema.fields(module).into_iter().collect();
    fields.extend(sections().flat_map(|section| section.exact.keys().cloned()));
    let wildcards = sections().flat_map(|section| &section.wildcards);
    let mut all: BTreeSet<Category> = wildcards
        .flat_map(|wildcard| wildcard.categories.iter().cloned())
        .collect();
    for field in &fields {
        all.extend(view.sources(module, field).categories);
    }
    let within = looked_for(model, &all);
    all.extend(within.iter().map(|looked| category_of(looked.kind)));
    all
}

/// The conditions of rules about some of these categories.
fn bits(model: &Model, categories: &BTreeSet<Category>) -> u64 {
    let is_about = |data: &[Category]| categories.iter().any(|category| about(data, category));
    let grants = model.grants.iter().filter(|grant| is_about(&grant.data));
    let caps = model.caps.iter().filter(|cap| is_about(&cap.data));
    let exceptions = caps.clone().flat_map(|cap| &cap.exceptions);
    let asked = grants
        .filter_map(|grant| grant.when)
        .chain(caps.filter_map(|cap| cap.when))
        .chain(exceptions.map(|exception| exception.when));
    asked.fold(0, |all, bit| all | bit.mask())
}

/// Fields that conditions ask records of whatever module for, and that only others are known to have. One that nobody is known
/// to have is asked for everywhere.
fn foreign(view: &View, module: &Module) -> BTreeSet<Field> {
    let (model, schema) = (&view.core.model, &view.core.schema);
    let has = |module: &Module, field: &Field| {
        schema.has_field(module, field.as_str()) || !model.classes.of(module, field).is_empty()
    };
    let asked = model.compared.iter();
    let asked = asked.filter(|compared| compared.modules.is_none());
    let is_foreign = |field: &&Field| {
        let mut modules = model.classes.modules.keys();
        !has(module, field) && modules.any(|other| has(other, field))
    };
    let foreign = asked.map(|compared| &compared.field).filter(is_foreign);
    foreign.cloned().collect()
}
