//! Who can ask: roles, purposes that they may state, and what they can prove. And what people call categories and purposes.

use std::collections::BTreeSet;

use crate::policy::decide::may_invoke;
use crate::policy::language::model::Labels;
use crate::policy::{Policy, Sight, State};
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role};

use super::proven;

/// One role, for one purpose.
#[derive(Debug)]
pub struct Column {
    /// The role.
    pub role: Role,
    /// The purpose.
    pub purpose: Purpose,
    /// What is proved of the strength of authentication beyond the way by which callers with the role come.
    pub strength: Option<String>,
    /// All of that.
    pub state: State,
    /// What is given.
    pub sight: Sight,
}

impl Policy {
    /// Every role for every purpose that it may state, with everything that its callers can prove.
    pub fn columns(&self) -> Vec<Column> {
        let model = &self.core.model;
        let all = proven::all([model, model]);
        let mut columns = Vec::new();
        for (role, declared) in &model.roles {
            let ways: BTreeSet<_> = declared.from.iter().map(|(kind, _)| kind.way()).collect();
            let may = |purpose: &&Purpose| may_invoke(model, role, purpose);
            for purpose in model.purposes.keys().filter(may) {
                for proven in all.iter().filter(|proven| proven.is_of(&ways)) {
                    let [_, strengths] = proven.strengths.clone();
                    let state = State {
                        roles: BTreeSet::from([role.clone()]),
                        purpose: purpose.clone(),
                        strengths,
                    };
                    columns.push(Column {
                        role: role.clone(),
                        purpose: purpose.clone(),
                        strength: proven.name.clone(),
                        sight: self.sight(&state),
                        state,
                    });
                }
            }
        }
        columns
    }

    /// What people call a category, in French or in English, as far as it is told.
    pub fn label_of(&self, category: &Category, french: bool) -> Option<&str> {
        let model = self.core.model.categories.get(category)?;
        in_language(&model.labels, french)
    }

    /// What people call a purpose.
    pub fn label_of_purpose(&self, purpose: &Purpose, french: bool) -> Option<&str> {
        in_language(&self.core.model.purposes.get(purpose)?.labels, french)
    }

    /// The legal basis that is stated for a purpose.
    pub fn basis_of(&self, purpose: &Purpose) -> Option<&str> {
        let purpose = self.core.model.purposes.get(purpose)?;
        Some(&purpose.basis)
    }

    /// The level of what nobody has classified.
    pub fn unclassified(&self) -> Level {
        self.core.model.unclassified
    }

    /// The fields that it or the CRM's schema names in a module.
    pub fn fields(&self, module: &Module) -> Vec<Field> {
        let classes = &self.core.model.classes;
        let sections = [Some(&classes.everywhere), classes.modules.get(module)];
        let exact = sections.into_iter().flatten();
        let mut fields: BTreeSet<Field> = exact
            .flat_map(|section| section.exact.keys().cloned())
            .collect();
        fields.extend(self.core.schema.fields(module));
        fields.into_iter().collect()
    }
}

/// The label in a language, else in the other one.
fn in_language(labels: &Labels, french: bool) -> Option<&str> {
    let (own, other) = match french {
        true => (&labels.fr, &labels.en),
        false => (&labels.en, &labels.fr),
    };
    own.as_deref().or(other.as_deref())
}
