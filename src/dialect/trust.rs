//! What a policy takes on trust: the fields that tell who a caller is, and the keys that pass unread.

use crate::diagnostic::Place;
use crate::vocabulary::{Field, FieldPath, Module};

/// What the CRM tells of a session, as far as a role can come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The login name: [`super::Session::name`].
    Name,
    /// The type of the account: [`super::Session::kind`].
    Kind,
    /// The name of a role: [`super::Session::roles`].
    Role,
    /// The name of a team: [`super::Session::teams`].
    Team,
}

/// A key that passes unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The module of the record that it belongs to.
    pub module: Module,
    /// The key, as a field would be called.
    pub field: Field,
    /// Where the description says that it passes.
    pub place: Place,
}

/// The fields that tell who a caller is, in SugarCRM and in what became of it. `Employees` lie in the table of `Users`.
/// Who belongs to which role or team is no field: it is told by links, which are the CRM's to guard.
pub(super) fn identifying_in(teams: &str) -> Vec<(Told, FieldPath)> {
    let fields = [
        (Told::Name, "Users", "user_name"),
        (Told::Name, "Employees", "user_name"),
        (Told::Kind, "Users", "is_admin"),
        (Told::Kind, "Employees", "is_admin"),
        (Told::Role, "ACLRoles", "name"),
        (Told::Team, teams, "name"),
    ];
    let path = |module: &str, field| FieldPath::new(&Module::new(module), field);
    fields
        .into_iter()
        .map(|(told, module, field)| (told, path(module, field)))
        .collect()
}
