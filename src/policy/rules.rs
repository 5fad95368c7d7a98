//! The rules of one module under one plan.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use dashmap::DashMap;

use crate::vocabulary::{Field, Module};

use super::judge::View;
use super::plan::FieldRule;

/// Names per module whose rule is kept beside the known ones; beyond, it is computed each time.
const NAMES_MAX: usize = 4096;
/// Bytes of a name that is folded without allocating.
const NAME_BYTES: usize = 128;

/// The rules of one module's records.
pub(super) struct Rules {
    view: Arc<View>,
    module: Module,
    /// Names that the policy or the dialect knows.
    known: HashMap<Field, Arc<FieldRule>>,
    /// Names that were met.
    met: DashMap<Field, Arc<FieldRule>>,
}

impl Rules {
    pub(super) fn new(view: Arc<View>, module: &Module) -> Self {
        let classes = &view.core.model.classes;
        let exact = [Some(&classes.everywhere), classes.modules.get(module)];
        let mut names: Vec<Field> = exact
            .iter()
            .flatten()
            .flat_map(|section| section.exact.keys().cloned())
            .collect();
        names.extend(view.core.dialect.fields(module));
        let known = names
            .into_iter()
            .map(|name| {
                let rule = Arc::new(view.rule(module, &name));
                (name, rule)
            })
            .collect();
        Self {
            view,
            module: module.clone(),
            known,
            met: DashMap::new(),
        }
    }

    pub(super) fn module(&self) -> &Module {
        &self.module
    }

    pub(super) fn field(&self, name: &str) -> Arc<FieldRule> {
        if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.folded(name);
        }
        let mut buffer = [0; NAME_BYTES];
        if let Some(bytes) = buffer.get_mut(..name.len()) {
            bytes.copy_from_slice(name.as_bytes());
            bytes.make_ascii_lowercase();
            if let Ok(name) = std::str::from_utf8(bytes) {
                return self.folded(name);
            }
        }
        self.folded(Field::fold(name).as_str())
    }

    fn folded(&self, name: &str) -> Arc<FieldRule> {
        if let Some(rule) = self.known.get(name) {
            return rule.clone();
        }
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

    pub(super) fn known(&self) -> Vec<Arc<FieldRule>> {
        self.known
            .values()
            .filter(|rule| !rule.structural)
            .cloned()
            .collect()
    }

    pub(super) fn display_name(&self) -> Option<Arc<FieldRule>> {
        self.view
            .core
            .model
            .classes
            .knows(&self.module)
            .then(|| self.field("name"))
    }

    pub(super) fn searched(&self) -> Option<&[Field]> {
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
