//! What of SuiteCRM's JSON:API, V8, its description (`descriptions/suitecrm-v8.yaml`) cannot say: whose session a
//! credential is (`session`), what a login holds (`login`), how the proxy's own account logs in (`enter`), and what the CRM says of its fields (`description`). What these
//! are as it is delivered stands in `schema/stock/suitecrm.yaml`.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::carriers::Arguments;
use super::engine::{Described, Native};
use super::schema::stock::delivered::of_suitecrm_v8;
use super::schema::{Modules, Stock};
use super::survey::AboutModule;
use super::{Account, Answered, Entered, Inquiry, Login, Outgoing};
use crate::door::{Carrier, Credential};
use crate::objection::Objection;
use crate::vocabulary::{Field, FieldPath, Module};

mod description;
mod enter;
mod login;
mod session;
mod survey;

/// SuiteCRM's JSON:API before a CRM of which nothing but the stock modules is known.
pub fn described() -> Described {
    static DESCRIBED: LazyLock<Described> = LazyLock::new(|| {
        let text = include_str!("../descriptions/suitecrm-v8.yaml");
        Described::compiled(text, &[("suitecrm-v8", &JsonApi)])
    });
    DESCRIBED.clone()
}

#[derive(Debug)]
struct JsonApi;

impl Native for JsonApi {
    fn stock(&self) -> Arc<Stock> {
        of_suitecrm_v8()
    }

    fn login(
        &self,
        query: Arguments,
        body: Map<String, Value>,
    ) -> Result<Map<String, Value>, Objection> {
        let login = login::read(body)?;
        query.finish()?;
        Ok(login)
    }

    fn account(&self, login: &Map<String, Value>, client: Option<&Credential>) -> Option<String> {
        login::account(login, client)
    }

    fn filters_by(&self, field: &Field) -> bool {
        // Addresses and the fields that an installation adds lie in other tables, which some versions do not look into.
        let name = field.as_str();
        name != "email1" && !name.ends_with("_c")
    }

    fn inquire(&self, credential: &Credential, answers: &[Answered]) -> Inquiry {
        match credential.carrier() {
            Carrier::Bearer => session::inquire(answers),
            Carrier::Basic | Carrier::Header(_) | Carrier::Argument => Inquiry::Nobody,
        }
    }

    fn enter(&self, account: &Account, held: Option<&Entered>, answers: &[Answered]) -> Login {
        enter::step(account, held, answers)
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

    fn roles(&self) -> Option<FieldPath> {
        Some(FieldPath::new(&Module::new("ACLRoles"), "name"))
    }

    fn starter(&self) -> &'static [&'static str] {
        &[include_str!(
            "../../../examples/suitecrm/policies/suitecrm.yaml"
        )]
    }

    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        description::read(module?, answer)
    }
}

#[cfg(test)]
mod tests;
