//! The rules of one module under one plan.

use std::fmt;
use std::sync::{Arc, OnceLock};

use dashmap::DashMap;

use crate::dialect::Origin;
use crate::vocabulary::{Field, Level, Module};

use super::fields::{KnownFields, folded};
use super::judge::View;
use super::plan::FieldRule;

/// Names per module whose rule is kept beside the known ones; beyond, it is computed each time.
const NAMES_MAX: usize = 4096;

/// No field's name.
const UNTHOUGHT_OF: &str = "(unlisted)";

/// The rules of one module's records.
pub(in crate::policy) struct Rules {
    view: Arc<View>,
    module: Module,
    /// Names that the policy or the dialect knows.
    known: Arc<KnownFields>,
    /// Names that were met.
    met: DashMap<Field, Arc<FieldRule>>,
    /// What fields would show whose names nobody knows.
    strangers: OnceLock<Vec<Arc<FieldRule>>>,
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
            strangers: OnceLock::new(),
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

    /// The known ones, and one for each way in which fields of other names show something.
    pub(in crate::policy) fn possible(&self) -> Vec<Arc<FieldRule>> {
        let mut all = self.known();
        let strangers = self.strangers.get_or_init(|| self.strangers());
        all.extend(strangers.iter().cloned());
        all
    }

    /// A pattern fits itself, and nothing fits it as a name that does not fit all names of that pattern: its rule is the one
    /// that shows most of them. The last one is that of a name that nobody has thought of.
    fn strangers(&self) -> Vec<Arc<FieldRule>> {
        let classes = &self.view.core.model.classes;
        let sections = || std::iter::once(&classes.everywhere).chain(classes.modules.values());
        let patterns = sections()
            .flat_map(|section| &section.wildcards)
            .map(|wildcard| Field::fold(wildcard.pattern.as_str()));
        // What a field copies may be classified where it stands.
        let is_copy = |name: &&Field| {
            let origin = self.view.core.schema.origin(&self.module, name.as_str());
            matches!(origin, Origin::Copy { .. } | Origin::CopyItems { .. })
        };
        let copied = sections().flat_map(|section| section.exact.keys());
        let mut names: Vec<Field> = copied.filter(is_copy).cloned().chain(patterns).collect();
        names.push(Field::fold(UNTHOUGHT_OF));
        names.sort();
        names.dedup();
        let is_stranger = |name: &Field| self.known.number(name.as_str()).is_none();
        let rules = names.iter().filter(|name| is_stranger(name));
        let rules = rules.map(|name| self.view.rule(&self.module, name));
        rules
            .filter(|rule| !rule.structural && rule.level >= Level::Token)
            .map(|rule| {
                // It is no field's name: the log counts it.
                Arc::new(FieldRule {
                    known: false,
                    ..rule
                })
            })
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
