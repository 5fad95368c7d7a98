//! What a CRM has told about its own modules: their fields, and where links and copies lead.
//!
//! It is learned from descriptions that pass on their way to a caller, and it only adds to what a dialect knows of stock
//! modules: a field that the dialect knows as a secret, a copy or scaffolding stays one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::dialect::Origin;
use crate::vocabulary::{Field, FieldPath, Module};

/// Modules that are remembered; no CRM has more.
const MODULES_MAX: usize = 2_000;
/// Fields of one module that are remembered.
const FIELDS_MAX: usize = 5_000;

/// What a field was told to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A field with a value of its own.
    Own,
    /// Records of another module.
    Link(Module),
    /// A copy of a related record's field.
    CopyOf(FieldPath),
}

/// The fields of each module that was described so far.
#[derive(Default)]
pub(super) struct Schema {
    modules: RwLock<BTreeMap<Module, BTreeMap<Field, Told>>>,
}

impl Schema {
    /// Remembers what a description told of a module. Whether anything of it was new.
    pub(super) fn learn(&self, module: &Module, fields: BTreeMap<Field, Told>) -> bool {
        let mut modules = self.modules.write().unwrap_or_else(PoisonError::into_inner);
        if !modules.contains_key(module) && modules.len() >= MODULES_MAX {
            return false;
        }
        let known = modules.entry(module.clone()).or_default();
        let mut is_new = false;
        for (field, told) in fields {
            if known.get(&field) == Some(&told)
                || (!known.contains_key(&field) && known.len() >= FIELDS_MAX)
            {
                continue;
            }
            known.insert(field, told);
            is_new = true;
        }
        is_new
    }

    /// What a field was told to be; the name is folded.
    pub(super) fn told(&self, module: &Module, field: &str) -> Option<Told> {
        self.read(module, |fields| fields.get(field).cloned())?
    }

    /// The module that a link was told to lead to.
    pub(super) fn target(&self, module: &Module, link: &str) -> Option<Module> {
        match self.told(module, link)? {
            Told::Link(target) => Some(target),
            Told::Own | Told::CopyOf(_) => None,
        }
    }

    /// The fields that hold values, of a module that was described.
    pub(super) fn fields(&self, module: &Module) -> Vec<Field> {
        let holding = |fields: &BTreeMap<Field, Told>| {
            fields
                .iter()
                .filter(|(_, told)| !matches!(told, Told::Link(_)))
                .map(|(field, _)| field.clone())
                .collect()
        };
        self.read(module, holding).unwrap_or_default()
    }

    /// Where a value comes from that the dialect knows nothing about.
    pub(super) fn origin(&self, module: &Module, field: &str) -> Origin {
        match self.told(module, field) {
            None | Some(Told::Own) => Origin::Own,
            Some(Told::Link(target)) => Origin::Related(target),
            Some(Told::CopyOf(source)) => Origin::Copy {
                of: vec![source],
                perhaps: Vec::new(),
            },
        }
    }

    fn read<T>(
        &self,
        module: &Module,
        look: impl FnOnce(&BTreeMap<Field, Told>) -> T,
    ) -> Option<T> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        modules.get(module).map(look)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Schema")
            .field("modules", &modules.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(field: &str, told: Told) -> (Module, BTreeMap<Field, Told>) {
        let fields = BTreeMap::from([(Field::fold(field), told)]);
        (Module::new("Contacts"), fields)
    }

    #[test]
    fn what_is_told_again_is_not_new() {
        let schema = Schema::default();
        let (module, fields) = contacts("boats_c", Told::Link(Module::new("acme_Boats")));
        assert!(schema.learn(&module, fields.clone()));
        assert!(!schema.learn(&module, fields));
        assert_eq!(
            schema.target(&module, "boats_c"),
            Some(Module::new("acme_Boats"))
        );
        assert_eq!(schema.target(&Module::new("Accounts"), "boats_c"), None);
        assert!(schema.fields(&module).is_empty(), "a link holds no value");
        let (module, fields) = contacts("boats_c", Told::Own);
        assert!(schema.learn(&module, fields), "the CRM was changed");
        assert_eq!(schema.fields(&module), [Field::fold("boats_c")]);
    }

    #[test]
    fn memory_is_bounded() {
        let schema = Schema::default();
        let module = Module::new("Contacts");
        let many = (0..FIELDS_MAX + 10)
            .map(|number| (Field::fold(&format!("f{number}_c")), Told::Own))
            .collect();
        schema.learn(&module, many);
        assert_eq!(schema.fields(&module).len(), FIELDS_MAX);
        for number in 0..MODULES_MAX + 10 {
            let (_, fields) = contacts("a", Told::Own);
            schema.learn(&Module::new(&format!("m{number}")), fields);
        }
        assert_eq!(schema.modules.read().unwrap().len(), MODULES_MAX);
    }
}
