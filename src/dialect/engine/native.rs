//! What of an API data cannot say: a part of the program that a compiled-in description names.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::understand::{self, Context};
use crate::dialect::carriers::Arguments;
use crate::dialect::schema::{Modules, Stock};
use crate::dialect::survey::AboutModule;
use crate::dialect::{
    Account, Answered, Assembly, Bounds, Entered, Incoming, Inquiry, Login, Misunderstood,
    Operation, Outgoing, Understood,
};
use crate::door::Credential;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Field, FieldPath, Module};

/// Such a part.
pub(in crate::dialect) trait Native: Send + Sync + fmt::Debug {
    /// What the CRM has as it is delivered. An installation may have more modules than it names.
    fn stock(&self) -> Arc<Stock>;

    /// The arguments of a login, from an allow-list: those in its query string, and those in its body.
    fn login(
        &self,
        query: Arguments,
        body: Map<String, Value>,
    ) -> Result<Map<String, Value>, Objection>;

    /// Whether filters of the CRM know a field that its records have.
    fn filters_by(&self, _field: &Field) -> bool {
        true
    }

    /// The account name that a login states: see [`crate::dialect::Exchange::account`].
    fn account(&self, login: &Map<String, Value>, client: Option<&Credential>) -> Option<String>;

    /// Whose session a credential is: see [`crate::dialect::Dialect::inquire`]. Questions stand below the API's place.
    fn inquire(&self, credential: &Credential, answers: &[Answered]) -> Inquiry;

    /// How an account logs in: see [`crate::dialect::Dialect::enter`]. Questions stand below the API's place.
    fn enter(&self, account: &Account, held: Option<&Entered>, answers: &[Answered]) -> Login;

    /// What an answer says of the fields of a module, or of all modules.
    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules>;

    /// The question which modules there are: see [`crate::dialect::survey::Survey`]. Questions stand below the API's place.
    fn naming(&self) -> Option<Outgoing> {
        None
    }

    /// The modules that an answer to it names.
    fn named(&self, _answer: &[u8]) -> Option<Vec<Module>> {
        None
    }

    /// The questions whose answers describe the fields of modules.
    fn describing(&self, _modules: &[Module]) -> Vec<AboutModule> {
        Vec::new()
    }

    /// The fields that the CRM itself has marked as personal, in an answer that describes.
    fn marked(&self, _answer: &[u8]) -> BTreeSet<FieldPath> {
        BTreeSet::new()
    }

    /// The field in which the names of the CRM's roles stand.
    fn roles(&self) -> Option<FieldPath> {
        None
    }

    /// The files of a policy for the CRM as it is delivered.
    fn starter(&self) -> &'static [&'static str] {
        &[]
    }

    /// The requests that the body of another one holds.
    fn envelope(&self, _body: Map<String, Value>, _api: &Api<'_>) -> Result<Envelope, Objection> {
        Err(Reason::UnknownRoute.into())
    }

    /// How the reply to an envelope is made of the replies to its parts.
    fn assembly(&self) -> Option<Assembly> {
        None
    }
}

/// Requests in a request.
pub(in crate::dialect) struct Envelope {
    /// The credential that they repeat, if they do.
    pub(in crate::dialect) credential: Option<Credential>,
    /// The version in which the session is looked up.
    pub(in crate::dialect) version: String,
    pub(in crate::dialect) parts: Vec<Result<Operation, Misunderstood>>,
}

/// The API as its description tells it.
pub(in crate::dialect) struct Api<'a>(pub(super) Context<'a>);

impl Api<'_> {
    pub(in crate::dialect) fn bounds(&self) -> &Bounds {
        self.0.bounds
    }

    /// What a request means.
    pub(in crate::dialect) fn understand(
        &self,
        request: &Incoming<'_>,
    ) -> Result<Understood<Operation>, Misunderstood> {
        understand::request(self.0, request)
    }

    /// The segments of a path behind its version, decoded, if it is one of the API.
    pub(in crate::dialect) fn segments(&self, path: &str) -> Option<Vec<String>> {
        let read = understand::segments(self.0.description, path, None).ok();
        read.map(|(_, segments)| segments)
    }
}
