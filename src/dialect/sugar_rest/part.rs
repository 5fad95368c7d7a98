//! What of the API its description cannot say.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::{envelope, fixed, metadata, session};
use crate::dialect::carriers::Arguments;
use crate::dialect::engine::{Api, Described, Envelope, Native};
use crate::dialect::schema::stock::delivered::of_sugar_rest;
use crate::dialect::schema::{Modules, Stock};
use crate::dialect::{Answered, Assembly, Inquiry, OfPart};
use crate::door::Credential;
use crate::objection::Objection;
use crate::vocabulary::Module;

/// SugarCRM's REST API, v10 to v11_x, before a CRM of which nothing but the stock modules is known.
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
        fixed::login(query, body)
    }

    fn account(&self, login: &Map<String, Value>, _client: Option<&Credential>) -> Option<String> {
        Some(login.get("username")?.as_str()?.to_owned())
    }

    fn inquire(&self, _credential: &Credential, answers: &[Answered]) -> Inquiry {
        session::inquire_below(answers)
    }

    fn described(&self, _module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        metadata::read(answer)
    }

    fn envelope(&self, body: Map<String, Value>, api: &Api<'_>) -> Result<Envelope, Objection> {
        envelope::envelope(body, api)
    }

    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Entries(vec![
            ("contents", OfPart::Body),
            ("headers", OfPart::EmptyList),
            ("status", OfPart::Status),
        ]))
    }
}
