//! What of an API data cannot say: a part of the program that a compiled-in description names.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::dialect::schema::{Modules, Stock};
use crate::dialect::{Account, Answered, Entered, Inquiry, Login};
use crate::door::Credential;
use crate::objection::Objection;
use crate::vocabulary::Module;

/// Such a part.
pub(in crate::dialect) trait Native: Send + Sync + fmt::Debug {
    /// What the CRM has as it is delivered. An installation may have more modules than it names.
    fn stock(&self) -> Arc<Stock>;

    /// The arguments of a login, from an allow-list.
    fn login(&self, body: Map<String, Value>) -> Result<Map<String, Value>, Objection>;

    /// The account name that a login states: see [`crate::dialect::Exchange::account`].
    fn account(&self, login: &Map<String, Value>, client: Option<&Credential>) -> Option<String>;

    /// Whose session a credential is: see [`crate::dialect::Dialect::inquire`]. Questions stand below the API's place.
    fn inquire(&self, credential: &Credential, answers: &[Answered]) -> Inquiry;

    /// How an account logs in: see [`crate::dialect::Dialect::enter`]. Questions stand below the API's place.
    fn enter(&self, account: &Account, held: Option<&Entered>, answers: &[Answered]) -> Login;

    /// What an answer says of the fields of a module.
    fn described(&self, module: &Module, answer: &[u8]) -> Option<Modules>;
}
