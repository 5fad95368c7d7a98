//! The rules of a policy as a list: what each is called and where it stands.

use crate::diagnostic::Place;
use crate::vocabulary::{Field, Module, RuleName};

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

    /// Whether it classifies a field of a module, or what is known of the CRM's data has it.
    pub fn knows_field(&self, module: &Module, field: &Field) -> bool {
        !self.core.model.classes.of(module, field).is_empty()
            || self.core.schema.has_field(module, field.as_str())
    }
}
