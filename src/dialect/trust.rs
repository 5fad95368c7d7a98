//! What a policy takes on trust: the fields that tell who a caller is, and the keys that pass unread.

use crate::diagnostic::Place;
use crate::vocabulary::{Field, Module};

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
