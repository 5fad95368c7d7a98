//! What an operation touches: modules, and each field by its use.

use serde_json::{Map, Value};

use super::{Operation, Path, Predicate, Projected, Query};
use crate::vocabulary::{FieldPath, FieldUse, Module, Use};

impl Operation {
    /// The module whose records are read or written: the link's target, else the module in the path.
    pub fn target(&self) -> Option<&Module> {
        self.link
            .as_ref()
            .map(|link| &link.target)
            .or(self.module.as_ref())
    }

    /// Every module that the operation touches, each once.
    pub fn modules(&self) -> Vec<&Module> {
        let mut modules: Vec<&Module> = self
            .module
            .iter()
            .chain(self.link.iter().map(|link| &link.target))
            .collect();
        if let Some(target) = self.target() {
            self.query.modules(target, &mut modules);
        }
        modules.sort();
        modules.dedup();
        modules
    }

    /// Every use of every field, each once.
    pub fn uses(&self) -> Vec<FieldUse> {
        let mut uses = Vec::new();
        if let Some(target) = self.target() {
            self.query.uses(target, &mut uses);
            for key in self.write.iter().flat_map(Map::keys) {
                uses.push(FieldUse {
                    path: FieldPath::new(target, key),
                    how: Use::Written,
                });
            }
        }
        uses.sort();
        uses.dedup();
        uses
    }
}

impl Query {
    fn modules<'a>(&'a self, own: &'a Module, into: &mut Vec<&'a Module>) {
        into.push(own);
        into.extend(&self.beside);
        if let Some(predicate) = &self.predicate {
            predicate
                .each_path(&mut |path| into.extend(path.link.as_ref().map(|link| &link.target)));
        }
        into.extend(
            self.order
                .iter()
                .filter_map(|sort| sort.path.link.as_ref())
                .map(|link| &link.target),
        );
        for item in self.projection.iter().flatten() {
            if let Projected::Collection { link, query } = item {
                query.modules(&link.target, into);
            }
        }
    }

    fn uses(&self, own: &Module, into: &mut Vec<FieldUse>) {
        for module in std::iter::once(own).chain(&self.beside) {
            self.uses_of(module, into);
        }
    }

    fn uses_of(&self, own: &Module, into: &mut Vec<FieldUse>) {
        let mut push = |path: &Path, how| {
            into.push(FieldUse {
                path: path.of(own),
                how,
            })
        };
        if let Some(predicate) = &self.predicate {
            predicate.each_path(&mut |path| push(path, Use::Matched));
        }
        for sort in &self.order {
            push(&sort.path, Use::Sorted);
        }
        into.extend(self.compared.iter().map(|compared| FieldUse {
            path: FieldPath::new(own, &compared.field),
            how: Use::Matched,
        }));
        for item in self.projection.iter().flatten() {
            match item {
                Projected::Field(name) => {
                    into.push(FieldUse {
                        path: FieldPath::new(own, name),
                        how: Use::Shown,
                    });
                }
                Projected::Collection { link, query } => query.uses(&link.target, into),
            }
        }
    }

    /// The modules whose full-text search the query uses, and the text that is searched for.
    pub fn searched<'a>(&'a self, own: &'a Module, into: &mut Vec<(&'a Module, &'a str)>) {
        if let Some(text) = &self.search {
            let modules = std::iter::once(own).chain(&self.beside);
            into.extend(modules.map(|module| (module, text.as_str())));
        }
        for item in self.projection.iter().flatten() {
            if let Projected::Collection { link, query } = item {
                query.searched(&link.target, into);
            }
        }
    }
}

impl Predicate {
    /// Visits every field path of the predicate.
    pub fn each_path<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        self.each_comparison(&mut |path, _| visit(path));
    }

    /// Visits every field path of the predicate, with what the field is compared with.
    pub fn each_comparison<'a>(&'a self, visit: &mut dyn FnMut(&'a Path, &'a Value)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_comparison(visit))
            }
            Self::Not(part) => part.each_comparison(visit),
            Self::Field { path, value, .. } => visit(path, value),
            Self::Caller { .. } => {}
        }
    }
}

impl Path {
    /// The field as module and name, where `own` is the module asked.
    pub fn of(&self, own: &Module) -> FieldPath {
        FieldPath::new(
            self.link.as_ref().map_or(own, |link| &link.target),
            &self.field,
        )
    }
}
