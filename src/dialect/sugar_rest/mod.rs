//! SugarCRM REST v10 to v11_x.
//!
//! A request walks `address` → `route` → `understand`, and back through `render`. The grammars of its arguments stand
//! in `filter`, `projection`, `query`, `write` and `fixed`; all carriers (brackets, JSON text, JSON body) are first
//! read into the same JSON values, so each grammar exists once. What the CRM's fields mean stands in `algebra`.

use std::sync::Arc;

use http::Method;
use http::header::HeaderName;
use serde_json::{Map, Value};

use super::family::Family;
use super::schema::{Modules, Schema};
use super::{
    Access, Answered, Arrangement, Assembly, Bounds, Dialect, ErrorShape, Failure, Incoming,
    Inquiry, Link, Misunderstood, OfPart, Operation, Origin, Outgoing, Projected, Query, Rendering,
    Shape, Understood, known,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, Module, Spelling};

mod address;
mod algebra;
mod arguments;
mod bulk;
pub(super) mod decode;
mod filter;
mod fixed;
mod grammar;
mod links;
mod metadata;
mod projection;
mod query;
mod refusal;
mod render;
mod reply;
mod route;
mod search;
mod session;
mod stock;
mod understand;
mod write;

/// The form of the look-up before an update.
const READ: &str = "GET /rest/{version}/{module}/{id}";

/// Bytes of the list of fields of a look-up; `%2C` stands between two names.
const LOOK_UP_BYTES_MAX: usize = 4_096;

/// Beside `Authorization: Bearer`.
static CREDENTIAL_HEADERS: [HeaderName; 1] = [HeaderName::from_static("oauth-token")];

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
            schema: Schema::of_stock(Arc::new(STOCK)),
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
        let target =
            links::target(module, name).or_else(|| match self.schema.origin(module, name) {
                Origin::Related(target) => Some(target),
                _ => None,
            })?;
        Some(Link {
            name: name.to_owned(),
            target,
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

    fn credential_headers(&self) -> &[HeaderName] {
        &CREDENTIAL_HEADERS
    }

    fn accepts(&self, carrier: &Carrier) -> bool {
        match carrier {
            Carrier::Bearer => true,
            Carrier::Header(name) => CREDENTIAL_HEADERS.contains(name),
            Carrier::Basic | Carrier::Argument => false,
        }
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
        understand::request(request, &terms)
    }

    fn render(&self, operation: &Operation) -> Outgoing {
        render::request(operation)
    }

    fn shape(&self, operation: &Operation) -> Shape {
        reply::shape(operation)
    }

    fn spelling(&self) -> Spelling {
        Spelling::Plain
    }

    fn media(&self, _operation: &Operation) -> &'static str {
        "application/json"
    }

    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        refusal::shape(status, label)
    }

    fn label(&self, reason: Reason) -> Option<&'static str> {
        // Clients refresh their token at this label, and ask for a password at `need_login`.
        (reason == Reason::BadCredential).then_some("invalid_grant")
    }

    fn error_label(&self, _status: u16, body: &[u8]) -> Option<&'static str> {
        refusal::label(body)
    }

    fn hides_errors(&self) -> bool {
        false
    }

    fn failure(&self, _body: &[u8]) -> Option<Failure> {
        None
    }

    fn look_up(&self, update: &Operation) -> Operation {
        let keys = || update.write.iter().flat_map(Map::keys);
        // Servers bound the length of a request line; a record that is written whole is read whole.
        let fits = keys().map(|key| key.len() + 3).sum::<usize>() <= LOOK_UP_BYTES_MAX;
        // A write never names the id: it stands in the path.
        let asked = std::iter::once("id").chain(keys().map(String::as_str));
        Operation {
            action: Action::Read,
            access: Access::Governed,
            route: READ,
            version: update.version.clone(),
            credential: None,
            module: update.module.clone(),
            record: update.record.clone(),
            link: None,
            related: Vec::new(),
            query: Query {
                projection: fits
                    .then(|| asked.map(|key| Projected::Field(key.to_owned())).collect()),
                ..Query::default()
            },
            write: None,
            rendering: Rendering {
                form: READ,
                method: Method::GET,
                path: update.rendering.path.clone(),
                controls: Vec::new(),
                in_body: false,
                fixed: Map::new(),
            },
        }
    }

    fn looked_up(&self, _look_up: &Operation, reply: Value) -> Option<Map<String, Value>> {
        match reply {
            Value::Object(record) => Some(record),
            _ => None,
        }
    }

    fn unchanged(&self, _look_up: &Operation) -> Arrangement {
        Arrangement::Same
    }

    fn account(&self, login: &Operation) -> Option<String> {
        let account = login.rendering.fixed.get("username")?.as_str()?;
        Some(account.to_owned())
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

    fn describes(&self, operation: &Operation) -> bool {
        reply::describes(operation)
    }

    fn described(&self, _module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        metadata::read(answer)
    }

    fn assemble(&self, _route: &str) -> Option<Assembly> {
        Some(Assembly::Entries(vec![
            ("contents", OfPart::Body),
            ("headers", OfPart::EmptyList),
            ("status", OfPart::Status),
        ]))
    }
}

/// The stock modules.
const STOCK: Family = Family {
    name: "sugar-rest",
    teams: "Teams",
    origin: algebra::origin_with,
    target: links::target,
    is_right: algebra::is_right,
    searched: known::searched_by_sugar,
    fields: |module| {
        let names = stock::fields(module).iter();
        names.map(|name| Field::fold(name)).collect()
    },
    has_field: |module, field| stock::fields(module).contains(&field),
};

/// Context for tests: nothing but the stock modules is known.
#[cfg(test)]
fn stock_terms() -> Context<'static> {
    use std::sync::LazyLock;
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Schema::of_stock(Arc::new(STOCK)));
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
mod tests;
