//! Which fields of a module a policy speaks of, whoever asks: those by name, those that a wildcard or a copy reaches, and
//! patterns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dialect::Origin;
use crate::vocabulary::{Category, Field, Module};

use super::Policy;
use super::engine::Situation;
use super::judge::View;

/// What a policy speaks of in a module.
pub(super) struct Named<'a> {
    /// Fields that hold data, each with where its value comes from.
    pub(super) fields: Vec<(Field, Origin)>,
    /// Patterns, with their categories.
    pub(super) patterns: BTreeMap<&'a str, BTreeSet<Category>>,
}

impl<'a> Named<'a> {
    pub(super) fn of(view: &'a View, module: &Module) -> Self {
        let classes = &view.core.model.classes;
        let sections: Vec<_> = [Some(&classes.everywhere), classes.modules.get(module)]
            .into_iter()
            .flatten()
            .collect();
        let mut fields: BTreeSet<Field> = sections
            .iter()
            .flat_map(|section| section.exact.keys().cloned())
            .collect();
        for field in view.core.schema.fields(module) {
            if !fields.contains(&field) && !view.sources(module, &field).categories.is_empty() {
                fields.insert(field);
            }
        }
        let mut patterns: BTreeMap<&str, BTreeSet<Category>> = BTreeMap::new();
        for wildcard in sections.iter().flat_map(|section| &section.wildcards) {
            patterns
                .entry(wildcard.pattern.as_str())
                .or_default()
                .extend(wildcard.categories.iter().cloned());
        }
        let with_origin = |field: Field| {
            let origin = view.core.schema.origin(module, field.as_str());
            // The rest is ruled by the dialect alone.
            let is_data = matches!(
                origin,
                Origin::Own | Origin::Items(_) | Origin::Copy { .. } | Origin::CopyItems { .. }
            );
            is_data.then_some((field, origin))
        };
        Self {
            fields: fields.into_iter().filter_map(with_origin).collect(),
            patterns,
        }
    }
}

impl Policy {
    /// The categories of the fields and the patterns of fields of a module that the policy speaks of. They are the same in
    /// every role and for every purpose.
    pub(crate) fn categories_in(&self, module: &Module) -> Vec<(String, Vec<Category>)> {
        let view = View::new(Arc::clone(&self.core), Situation::default());
        let named = Named::of(&view, module);
        let fields = named.fields.iter().map(|(field, _)| {
            let categories = view.sources(module, field).categories;
            (field.to_string(), categories.into_iter().collect())
        });
        let patterns = named.patterns.iter().map(|(pattern, categories)| {
            ((*pattern).to_owned(), categories.iter().cloned().collect())
        });
        fields.chain(patterns).collect()
    }
}
