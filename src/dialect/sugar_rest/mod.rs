//! What of SugarCRM's REST API, v10 to v11_x, its description (`descriptions/sugar-rest.yaml`) cannot say: whose session a
//! credential is (`session`), what a login and a bulk request hold (`login`, `bulk`), and what the CRM says of its fields
//! (`metadata`). What these are as it is delivered stands in `schema/stock/sugarcrm.yaml`.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::carriers::Arguments;
use super::engine::{Api, Described, Envelope, Native};
use super::schema::stock::delivered::of_sugar_rest;
use super::schema::{Modules, Stock};
use super::survey::AboutModule;
use super::{Account, Answered, Assembly, Entered, Inquiry, Login, OfPart, Outgoing};
use crate::door::Credential;
use crate::objection::Objection;
use crate::vocabulary::{FieldPath, Module};

mod bulk;
mod enter;
mod login;
mod metadata;
mod session;
mod survey;

/// The version in which a session is looked up where a request names none.
pub(super) const USUAL_VERSION: &str = "v11";

/// SugarCRM's REST API before a CRM of which nothing but the stock modules is known.
pub fn described() -> Described {
    static DESCRIBED: LazyLock<Described> = LazyLock::new(|| {
        let text = include_str!("../descriptions/sugar-rest.yaml");
        Described::compiled(text, &[("sugar-rest", &Rest)])
    });
    DESCRIBED.clone()
}

#[derive(Debug)]
struct Rest;

impl Native for Rest {
    fn stock(&self) -> Arc<Stock> {
        of_sugar_rest()
    }

    fn login(
        &self,
        query: Arguments,
        body: Map<String, Value>,
    ) -> Result<Map<String, Value>, Objection> {
        login::read(query, body)
    }

    fn account(&self, login: &Map<String, Value>, _client: Option<&Credential>) -> Option<String> {
        Some(login.get("username")?.as_str()?.to_owned())
    }

    fn inquire(&self, _credential: &Credential, answers: &[Answered]) -> Inquiry {
        session::inquire(answers)
    }

    fn enter(&self, account: &Account, held: Option<&Entered>, answers: &[Answered]) -> Login {
        enter::step(account, held, answers)
    }

    fn described(&self, _module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        metadata::read(answer)
    }

    fn naming(&self) -> Option<Outgoing> {
        Some(survey::naming())
    }

    fn named(&self, answer: &[u8]) -> Option<Vec<Module>> {
        survey::named(answer)
    }

    fn describing(&self, modules: &[Module]) -> Vec<AboutModule> {
        survey::describing(modules)
    }

    fn marked(&self, answer: &[u8]) -> BTreeSet<FieldPath> {
        survey::marked(answer)
    }

    fn roles(&self) -> Option<FieldPath> {
        Some(FieldPath::new(&Module::new("ACLRoles"), "name"))
    }

    fn starter(&self) -> &'static [&'static str] {
        &[
            include_str!("../../../policies/sugarcrm/classify.yaml"),
            include_str!("../../../policies/sugarcrm/rules.yaml"),
        ]
    }

    fn envelope(&self, body: Map<String, Value>, api: &Api<'_>) -> Result<Envelope, Objection> {
        bulk::envelope(body, api)
    }

    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Entries(vec![
            ("contents", OfPart::Body),
            ("headers", OfPart::EmptyList),
            ("status", OfPart::Status),
        ]))
    }
}

#[cfg(test)]
mod tests;
