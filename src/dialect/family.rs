//! What the stock of SugarCRM and of what became of it have in common, in whatever API they are asked; each dialect says what
//! differs.

use std::fmt;

use super::schema::{Modules, Stock};
use super::{Origin, Told, Unread, known, lengths, trust};
use crate::vocabulary::{Field, FieldPath, Module};

/// Modules whose records are accounts: `Employees` lie in the table of `Users`.
const ACCOUNTS: &[&str] = &["Employees", "Users"];

/// Whether the records of a module are accounts.
pub(super) fn is_account(module: &Module) -> bool {
    ACCOUNTS.contains(&module.as_str())
}

/// The stock of one dialect of the family.
pub(super) struct Family {
    /// The dialect's name.
    pub(super) name: &'static str,
    /// The module whose records are what the CRM calls a caller's teams.
    pub(super) teams: &'static str,
    /// See [`Stock::origin`].
    pub(super) origin: fn(&Modules, &Module, &str) -> Origin,
    /// See [`Stock::target`].
    pub(super) target: fn(&Module, &str) -> Option<Module>,
    /// See [`Stock::is_right`].
    pub(super) is_right: fn(&Module, &str) -> bool,
    /// See [`Stock::searched`].
    pub(super) searched: fn(&Module) -> Vec<Field>,
    /// See [`Stock::fields`].
    pub(super) fields: fn(&Module) -> Vec<Field>,
    /// See [`Stock::has_field`].
    pub(super) has_field: fn(&Module, &str) -> bool,
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Family").field(&self.name).finish()
    }
}

impl Stock for Family {
    fn name(&self) -> &'static str {
        self.name
    }

    fn origin(&self, beside: &Modules, module: &Module, field: &str) -> Origin {
        (self.origin)(beside, module, field)
    }

    fn target(&self, module: &Module, link: &str) -> Option<Module> {
        (self.target)(module, link)
    }

    fn display_field(&self) -> &str {
        "name"
    }

    fn identifying(&self) -> Vec<(Told, FieldPath)> {
        trust::identifying_in(self.teams)
    }

    fn accounts(&self) -> Vec<Module> {
        ACCOUNTS.iter().map(|name| Module::new(name)).collect()
    }

    fn is_right(&self, module: &Module, field: &str) -> bool {
        (self.is_right)(module, field)
    }

    fn unread(&self) -> Vec<Unread> {
        Vec::new()
    }

    fn modules(&self) -> Vec<Module> {
        known::modules()
    }

    fn is_text(&self, module: &Module, field: &str) -> bool {
        known::is_text(module, field)
    }

    fn searched(&self, module: &Module) -> Vec<Field> {
        (self.searched)(module)
    }

    fn fields(&self, module: &Module) -> Vec<Field> {
        (self.fields)(module)
    }

    fn has_field(&self, module: &Module, field: &str) -> bool {
        (self.has_field)(module, field)
    }

    fn names_all_fields(&self) -> bool {
        true
    }

    fn column_length(&self, module: &Module, field: &str) -> Option<usize> {
        lengths::of(module.as_str(), field)
    }
}
