//! The names of modules. Requests name a module or the object that its records are; replies always name the object.

use crate::dialect::ModuleName;
use crate::dialect::schema::stock::delivered::of_suitecrm_v8;
use crate::vocabulary::Module;

/// The module that a request names, by whichever of its names. A name that nobody knows is a module of its own.
pub(super) fn canonical(name: &str) -> Module {
    of_suitecrm_v8().module_named(name)
}

/// The names that the CRM may call a module's records by.
pub(super) fn names(module: &Module) -> ModuleName {
    ModuleName {
        module: module.clone(),
        others: of_suitecrm_v8().records(module).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::vocabulary::Module;

    #[test]
    fn records_are_called_by_the_names_of_their_module() {
        let cases = names(&Module::new("Cases"));
        assert!(["Cases", "Case", "aCase"].iter().all(|name| cases.is(name)));
        let boats = names(&Module::new("acme_Boats"));
        assert!(boats.is("acme_Boats") && !boats.is("acme_Boat") && !boats.is("Contact"));
    }
}
