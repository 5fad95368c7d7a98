//! The rules of a policy as a list: what each is called and where it stands.

use std::collections::BTreeSet;

use crate::diagnostic::Place;
use crate::vocabulary::{Category, Field, Level, Module, Purpose, RuleName};

use super::Policy;

/// A rule of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// `grant` or `cap`.
    pub kind: &'static str,
    /// Its name.
    pub name: &'a RuleName,
    /// Where it stands.
    pub place: &'a Place,
}

impl Policy {
    /// Its grants and caps.
    pub fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        let model = &self.core.model;
        let grants = model.grants.iter().map(|grant| Rule {
            kind: "grant",
            name: &grant.name,
            place: &grant.place,
        });
        let caps = model.caps.iter().map(|cap| Rule {
            kind: "cap",
            name: &cap.name,
            place: &cap.place,
        });
        grants.chain(caps)
    }

    /// The categories of which grants show something for a purpose, in the order of their names.
    pub fn shown_for(&self, purpose: &Purpose) -> Vec<String> {
        let model = &self.core.model;
        let Some(declared) = model.purposes.get(purpose) else {
            return Vec::new();
        };
        let grants = model.grants.iter().filter(|grant| {
            let is_for = |of: &BTreeSet<Purpose>| of.contains(purpose);
            grant.level > Level::Redact
                && grant.purposes.as_ref().is_none_or(is_for)
                && !grant.roles.is_disjoint(&declared.roles)
        });
        let data = grants.flat_map(|grant| grant.data.iter().map(Category::as_str));
        let data: BTreeSet<&str> = data.collect();
        data.into_iter().map(str::to_owned).collect()
    }

    /// Whether it classifies a field of a module, or what is known of the CRM's data has it.
    pub fn knows_field(&self, module: &Module, field: &Field) -> bool {
        !self.core.model.classes.of(module, field).is_empty()
            || self.core.schema.has_field(module, field.as_str())
    }
}
