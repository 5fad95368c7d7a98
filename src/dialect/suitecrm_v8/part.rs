//! What of the API its description cannot say.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::{description, login, session};
use crate::dialect::engine::{Described, Native};
use crate::dialect::schema::stock::delivered::of_suitecrm_v8;
use crate::dialect::schema::{Modules, Stock};
use crate::dialect::{Answered, Inquiry};
use crate::door::{Carrier, Credential};
use crate::objection::Objection;
use crate::vocabulary::Module;

static DESCRIBED: LazyLock<Described> = LazyLock::new(|| {
    let text = include_str!("../descriptions/suitecrm-v8.yaml");
    Described::compiled(text, &[("suitecrm-v8", &JsonApi)])
});

/// SuiteCRM's JSON:API, V8, before a CRM of which nothing but the stock modules is known.
pub fn described() -> Described {
    DESCRIBED.clone()
}

#[derive(Debug)]
struct JsonApi;

impl Native for JsonApi {
    fn stock(&self) -> Arc<Stock> {
        of_suitecrm_v8()
    }

    fn login(&self, body: Map<String, Value>) -> Result<Map<String, Value>, Objection> {
        login::read(body)
    }

    fn account(&self, login: &Map<String, Value>, client: Option<&Credential>) -> Option<String> {
        login::account(login, client)
    }

    fn inquire(&self, credential: &Credential, answers: &[Answered]) -> Inquiry {
        match credential.carrier() {
            Carrier::Bearer => session::inquire_below(answers),
            Carrier::Basic | Carrier::Header(_) | Carrier::Argument => Inquiry::Nobody,
        }
    }

    fn described(&self, module: &Module, answer: &[u8]) -> Option<Modules> {
        description::read(module, answer)
    }
}
