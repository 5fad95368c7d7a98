//! SugarCRM REST v10 to v11_x.
//!
//! A request walks `address` → `route` → `understand`, and back through `render`. The grammars of its arguments stand
//! in `filter`, `projection`, `query`, `write` and `fixed`; all carriers (brackets, JSON text, JSON body) are first
//! read into the same JSON values, so each grammar exists once. What the CRM's fields mean stands in
//! `schema/stock/sugarcrm.yaml`.

use std::sync::{Arc, LazyLock};

use http::Method;
use http::header::HeaderName;
use serde_json::{Map, Value};

use super::schema::stock::delivered::of_sugar_rest;
use super::schema::{Modules, Schema};
use super::{
    AnswerForm, Answered, Arrangement, Assembly, Bounds, Dialect, ErrorShape, Exchange, Failure,
    HeadForm, Incoming, Inquiry, Link, Misunderstood, OfPart, Operation, Outgoing, Rendering,
    Understood, Wanted,
};
use crate::door::Credential;
use crate::reason::Reason;
use crate::vocabulary::{Module, Spelling};

mod address;
mod arguments;
mod bulk;
#[cfg(test)]
mod differential;
mod envelope;
mod filter;
mod fixed;
mod grammar;
mod metadata;
mod part;
mod projection;
mod query;
mod refusal;
mod render;
mod reply;
mod route;
mod search;
mod session;
mod understand;
mod write;

pub use part::described;

/// The form of the look-up before an update.
const READ: &str = "GET /rest/{version}/{module}/{id}";

/// Bytes of the list of fields of a look-up.
const LOOK_UP_BYTES_MAX: usize = 4_096;

static HEAD: LazyLock<HeadForm> = LazyLock::new(|| HeadForm {
    credentials: vec![HeaderName::from_static("oauth-token")],
    bearer: true,
    ..HeadForm::default()
});

/// The version in which a session is looked up where a request names none.
pub(super) const USUAL_VERSION: &str = "v11";

/// SugarCRM's REST API, v10 to v11_x.
#[derive(Debug)]
pub struct SugarRest {
    schema: Arc<Schema>,
}

impl SugarRest {
    /// The API of a CRM of which nothing but the stock modules is known.
    #[expect(
        clippy::new_without_default,
        reason = "no value of a dialect is a default"
    )]
    pub fn new() -> Self {
        Self {
            schema: Schema::of_stock(of_sugar_rest()),
        }
    }
}

/// What a request is understood by.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    bounds: &'a Bounds,
    schema: &'a Schema,
}

impl Context<'_> {
    /// A link of a module, with its target: a stock one, or one that the CRM has described.
    fn link(&self, module: &Module, name: &str) -> Option<Link> {
        Some(Link {
            name: name.to_owned(),
            target: self.schema.target(module, name)?,
        })
    }
}

impl Dialect for SugarRest {
    fn name(&self) -> &'static str {
        "sugar-rest"
    }

    fn claims(&self, path: &str) -> bool {
        path.starts_with("/rest/")
    }

    fn head_form(&self) -> &HeadForm {
        &HEAD
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        let terms = Context {
            bounds,
            schema: &self.schema,
        };
        let understood = understand::request(request, &terms)?;
        Ok(understood.map(Spoken::boxed))
    }

    fn assemble(&self, _route: &str) -> Option<Assembly> {
        Some(Assembly::Entries(vec![
            ("contents", OfPart::Body),
            ("headers", OfPart::EmptyList),
            ("status", OfPart::Status),
        ]))
    }

    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        refusal::shape(status, label)
    }

    fn label(&self, reason: Reason) -> Option<&'static str> {
        // Clients refresh their token at this label, and ask for a password at `need_login`.
        (reason == Reason::BadCredential).then_some("invalid_grant")
    }

    fn inquire(&self, version: &str, _credential: &Credential, answers: &[Answered]) -> Inquiry {
        session::inquire(version, answers)
    }

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(Self { schema })
    }

    fn described(&self, _module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        metadata::read(answer)
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
        AnswerForm {
            shape: reply::shape(&self.0),
            media: "application/json",
            hides_errors: false,
            describes: reply::describes(&self.0),
        }
    }

    fn spelling(&self) -> Spelling {
        Spelling::Plain
    }

    fn failure(&self, _status: u16, body: &[u8]) -> Option<Failure> {
        refusal::label(body).map(Failure::labelled)
    }

    fn account(&self, _client: Option<&Credential>) -> Option<String> {
        let account = self.0.rendering.fixed.get("username")?.as_str()?;
        Some(account.to_owned())
    }

    fn look_up(&self, wanted: Wanted<'_>) -> Option<Box<dyn Exchange>> {
        let update = &self.0;
        let projection = wanted.projection(update, Some("id"), LOOK_UP_BYTES_MAX);
        let rendering = Rendering {
            form: READ,
            method: Method::GET,
            path: update.rendering.path.clone(),
            controls: Vec::new(),
            in_body: false,
            fixed: Map::new(),
        };
        Some(Self::boxed(update.look_up(READ, projection, rendering)))
    }

    fn record(&self, answer: Value) -> Option<Map<String, Value>> {
        match answer {
            Value::Object(record) => Some(record),
            _ => None,
        }
    }

    fn unchanged(&self) -> Arrangement {
        Arrangement::Same
    }
}

/// Context for tests: nothing but the stock modules is known.
#[cfg(test)]
fn stock_terms() -> Context<'static> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Schema::of_stock(of_sugar_rest()));
    const BOUNDS: Bounds = Bounds {
        page_max: 100,
        bulk_parts_max: 20,
        depth_max: 32,
    };
    Context {
        bounds: &BOUNDS,
        schema: &SCHEMA,
    }
}

#[cfg(test)]
impl super::testing::Speaks for SugarRest {
    fn exchange_of(&self, operation: Operation) -> Box<dyn Exchange> {
        Spoken::boxed(operation)
    }
}

#[cfg(test)]
mod tests;
