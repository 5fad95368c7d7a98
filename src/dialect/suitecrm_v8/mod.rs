//! The JSON:API (V8) of SuiteCRM 7 and 8.
//!
//! A request walks `address` → `route` → `understand`, and back through `render`. What it carries stands in `query`
//! (parameters), `write` (documents) and `login`; the names of modules in `modules`. What the CRM's fields mean stands
//! in `schema/stock/suitecrm.yaml`, and in what it says of itself (`description`).

use std::sync::{Arc, LazyLock};

use http::Method;
use serde_json::{Map, Value};

use super::schema::stock::delivered::of_suitecrm_v8;
use super::schema::{Modules, Schema};
use super::{
    AnswerForm, Answered, Arrangement, Assembly, Bounds, Dialect, ErrorShape, Exchange, Failure,
    HeadForm, Incoming, Inquiry, Misunderstood, Operation, Outgoing, Rendering, Understood, Wanted,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Module, Spelling};

mod address;
mod arguments;
mod description;
mod grammar;
mod login;
mod modules;
mod part;
mod query;
mod refusal;
mod render;
mod reply;
mod route;
mod session;
mod understand;
mod write;

pub use part::described;
use route::{Gives, READ};

/// Bytes of the list of fields of a look-up.
const LOOK_UP_BYTES_MAX: usize = 4_096;

/// The media type of the API.
const JSON_API: &str = "application/vnd.api+json";

/// SuiteCRM's JSON:API, V8.
#[derive(Debug)]
pub struct SuiteCrmV8 {
    schema: Arc<Schema>,
}

impl SuiteCrmV8 {
    /// The API of a CRM of which nothing but the stock modules is known.
    #[expect(
        clippy::new_without_default,
        reason = "no value of a dialect is a default"
    )]
    pub fn new() -> Self {
        Self {
            schema: Schema::of_stock(of_suitecrm_v8()),
        }
    }
}

/// Basic carries the id and secret of a client that logs in; `inquire` makes it nobody's session.
static HEAD: LazyLock<HeadForm> = LazyLock::new(|| HeadForm {
    bearer: true,
    basic: true,
    ..HeadForm::default()
});

impl Dialect for SuiteCrmV8 {
    fn name(&self) -> &'static str {
        "suitecrm-v8"
    }

    fn claims(&self, path: &str) -> bool {
        address::is_claimed(path)
    }

    fn head_form(&self) -> &HeadForm {
        &HEAD
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        let understood = understand::request(request, bounds, &self.schema)?;
        Ok(understood.map(Spoken::boxed))
    }

    fn assemble(&self, _route: &str) -> Option<Assembly> {
        None
    }

    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        refusal::shape(status, label)
    }

    fn label(&self, reason: Reason) -> Option<&'static str> {
        matches!(reason, Reason::NoCredential | Reason::BadCredential).then_some("access_denied")
    }

    fn inquire(&self, version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        match credential.carrier() {
            Carrier::Bearer => session::inquire(version, answers),
            Carrier::Basic | Carrier::Header(_) | Carrier::Argument => Inquiry::Nobody,
        }
    }

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(Self { schema })
    }

    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        description::read(module?, answer)
    }
}

/// One request and what comes back.
#[derive(Debug)]
struct Spoken(Operation);

impl Spoken {
    fn boxed(operation: Operation) -> Box<dyn Exchange> {
        Box::new(Self(operation))
    }
}

impl Exchange for Spoken {
    fn operation(&self) -> &Operation {
        &self.0
    }

    fn render(&self, narrowed: &Operation) -> Outgoing {
        render::request(narrowed)
    }

    fn answer(&self) -> AnswerForm {
        let gives = gives(&self.0);
        AnswerForm {
            shape: reply::shape(&self.0),
            media: match gives {
                Some(Gives::Tokens) => "application/json",
                _ => JSON_API,
            },
            hides_errors: false,
            describes: gives == Some(Gives::Fields),
        }
    }

    fn spelling(&self) -> Spelling {
        Spelling::Html
    }

    fn failure(&self, _status: u16, body: &[u8]) -> Option<Failure> {
        refusal::label(body).map(Failure::labelled)
    }

    fn account(&self, client: Option<&Credential>) -> Option<String> {
        let named = |name| {
            self.0
                .rendering
                .fixed
                .get(name)?
                .as_str()
                .map(str::to_owned)
        };
        match named("grant_type")?.as_str() {
            // A client that logs in for itself is its own account. What the body says of it counts before the header.
            "client_credentials" => named("client_id").or_else(|| client?.account()),
            _ => named("username"),
        }
    }

    fn look_up(&self, wanted: Wanted<'_>) -> Option<Box<dyn Exchange>> {
        let update = &self.0;
        let (module, record) = (update.module.as_ref(), update.record.as_deref());
        // The id stands beside the fields.
        let projection = wanted.projection(update, None, LOOK_UP_BYTES_MAX);
        let rendering = Rendering {
            form: READ,
            method: Method::GET,
            path: address::placed(
                &update.version,
                &route::path(READ, module, record, None, None),
            ),
            controls: Vec::new(),
            in_body: false,
            fixed: Map::new(),
        };
        Some(Self::boxed(update.look_up(READ, projection, rendering)))
    }

    fn record(&self, answer: Value) -> Option<Map<String, Value>> {
        let Value::Object(mut root) = answer else {
            return None;
        };
        let Some(Value::Object(mut data)) = root.remove("data") else {
            return None;
        };
        let mut record = match data.remove("attributes") {
            Some(Value::Object(attributes)) => attributes,
            Some(Value::Array(items)) if items.is_empty() => Map::new(),
            _ => return None,
        };
        record.insert("id".to_owned(), data.remove("id")?);
        Some(record)
    }

    fn unchanged(&self) -> Arrangement {
        Arrangement::Same
    }
}

fn gives(operation: &Operation) -> Option<Gives> {
    route::by_route(operation.rendering.form).map(|form| form.gives)
}

#[cfg(test)]
impl super::testing::Speaks for SuiteCrmV8 {
    fn exchange_of(&self, operation: Operation) -> Box<dyn Exchange> {
        Spoken::boxed(operation)
    }
}

#[cfg(test)]
mod differential;

#[cfg(test)]
mod tests;
