//! The rules of one module under one plan.

use std::fmt;
use std::sync::Arc;

use dashmap::DashMap;

use crate::vocabulary::{Field, Module};

use super::fields::{KnownFields, folded};
use super::judge::View;
use super::plan::FieldRule;

/// Names per module whose rule is kept beside the known ones; beyond, it is computed each time.
const NAMES_MAX: usize = 4096;

/// The rules of one module's records.
pub(in crate::policy) struct Rules {
    view: Arc<View>,
    module: Module,
    /// Names that the policy or the dialect knows.
    known: Arc<KnownFields>,
    /// Names that were met.
    met: DashMap<Field, Arc<FieldRule>>,
}

impl Rules {
    pub(in crate::policy) fn new(view: Arc<View>, module: &Module) -> Self {
        let classes = &view.core.model.classes;
        let exact = [Some(&classes.everywhere), classes.modules.get(module)];
        let mut names: Vec<Field> = exact
            .iter()
            .flatten()
            .flat_map(|section| section.exact.keys().cloned())
            .collect();
        names.extend(view.core.schema.fields(module));
        names.sort();
        names.dedup();
        let known = names.iter().map(|name| Arc::new(view.rule(module, name)));
        let known = Arc::new(KnownFields::new(known));
        Self {
            view,
            module: module.clone(),
            known,
            met: DashMap::new(),
        }
    }

    pub(in crate::policy) fn module(&self) -> &Module {
        &self.module
    }

    pub(in crate::policy) fn field(&self, name: &str) -> Arc<FieldRule> {
        match self
            .known
            .number(name)
            .and_then(|number| self.known.rule(number))
        {
            Some(rule) => rule.clone(),
            None => folded(name, |folded| self.stranger(folded)),
        }
    }

    /// The rule of a folded name that nobody knows.
    fn stranger(&self, name: &str) -> Arc<FieldRule> {
        if let Some(rule) = self.met.get(name) {
            return rule.clone();
        }
        let field = Field::fold(name);
        let rule = Arc::new(self.view.rule(&self.module, &field));
        if self.met.len() < NAMES_MAX {
            self.met.insert(field, rule.clone());
        }
        rule
    }

    pub(in crate::policy) fn fields(&self) -> &Arc<KnownFields> {
        &self.known
    }

    pub(in crate::policy) fn known(&self) -> Vec<Arc<FieldRule>> {
        self.known
            .rules()
            .iter()
            .filter(|rule| !rule.structural)
            .cloned()
            .collect()
    }

    pub(in crate::policy) fn display_name(&self) -> Option<Arc<FieldRule>> {
        self.view
            .core
            .model
            .classes
            .knows(&self.module)
            .then(|| self.field(self.view.core.schema.display_field()))
    }

    pub(in crate::policy) fn searched(&self) -> Option<&[Field]> {
        self.view
            .core
            .model
            .search
            .get(&self.module)
            .map(|searched| searched.fields.as_slice())
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}
