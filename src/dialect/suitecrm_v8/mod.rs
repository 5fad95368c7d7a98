//! The JSON:API (V8) of SuiteCRM 7 and 8.
//!
//! A request walks `address` → `route` → `understand`, and back through `render`. What it carries stands in `query`
//! (parameters), `write` (documents) and `login`; the names of modules in `modules`. What the CRM's fields mean stands
//! in `algebra`, `links` and `stock`, and in what it says of itself (`description`).

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use http::header::HeaderName;
use serde_json::{Map, Value};

use super::family::Family;
use super::schema::{Modules, Schema};
use super::{
    Access, Answered, Arrangement, Assembly, Bounds, Dialect, ErrorShape, Failure, Incoming,
    Inquiry, Misunderstood, Operation, Outgoing, Projected, Query, Rendering, Shape, Understood,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, Module, Spelling};

mod address;
mod algebra;
mod arguments;
mod description;
mod grammar;
mod links;
mod login;
mod modules;
mod query;
mod refusal;
mod render;
mod reply;
mod route;
mod session;
mod stock;
mod understand;
mod write;

use route::{Gives, READ};

/// Bytes of the list of fields of a look-up; `%2C` stands between two names.
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
            schema: Schema::of_stock(Arc::new(STOCK)),
        }
    }
}

impl Dialect for SuiteCrmV8 {
    fn name(&self) -> &'static str {
        "suitecrm-v8"
    }

    fn claims(&self, path: &str) -> bool {
        address::is_claimed(path)
    }

    fn credential_headers(&self) -> &[HeaderName] {
        &[]
    }

    /// Basic carries the id and secret of a client that logs in; `inquire` makes it nobody's session.
    fn accepts(&self, carrier: &Carrier) -> bool {
        matches!(carrier, Carrier::Bearer | Carrier::Basic)
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        understand::request(request, bounds, &self.schema)
    }

    fn render(&self, operation: &Operation) -> Outgoing {
        render::request(operation)
    }

    fn shape(&self, operation: &Operation) -> Shape {
        reply::shape(operation)
    }

    fn spelling(&self) -> Spelling {
        Spelling::Html
    }

    fn media(&self, operation: &Operation) -> &'static str {
        match gives(operation) {
            Some(Gives::Tokens) => "application/json",
            _ => JSON_API,
        }
    }

    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        refusal::shape(status, label)
    }

    fn label(&self, reason: Reason) -> Option<&'static str> {
        matches!(reason, Reason::NoCredential | Reason::BadCredential).then_some("access_denied")
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
        let names = || keys().map(|key| Projected::Field(key.clone())).collect();
        let (module, record) = (update.module.as_ref(), update.record.as_deref());
        Operation {
            action: Action::Read,
            access: Access::Governed,
            route: READ,
            version: update.version.clone(),
            credential: None,
            module: module.cloned(),
            record: record.map(str::to_owned),
            link: None,
            related: Vec::new(),
            query: Query {
                projection: fits.then(names),
                ..Query::default()
            },
            write: None,
            rendering: Rendering {
                form: READ,
                method: Method::GET,
                path: address::placed(
                    &update.version,
                    &route::path(READ, module, record, None, None),
                ),
                controls: Vec::new(),
                in_body: false,
                fixed: Map::new(),
            },
        }
    }

    fn looked_up(&self, _look_up: &Operation, reply: Value) -> Option<Map<String, Value>> {
        let Value::Object(mut root) = reply else {
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

    fn unchanged(&self, _look_up: &Operation) -> Arrangement {
        Arrangement::Same
    }

    fn account(&self, login: &Operation) -> Option<String> {
        let named = |name| login.rendering.fixed.get(name)?.as_str();
        // A client that logs in for itself is its own account.
        let account = match named("grant_type")? {
            "client_credentials" => named("client_id"),
            _ => named("username"),
        };
        account.map(str::to_owned)
    }

    fn inquire(&self, version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        match credential.carrier() {
            Carrier::Bearer => session::inquire(version, answers),
            Carrier::Basic | Carrier::Header(_) | Carrier::Argument => Inquiry::Nobody,
        }
    }

    fn describes(&self, operation: &Operation) -> bool {
        gives(operation) == Some(Gives::Fields)
    }

    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        description::read(module?, answer)
    }

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(Self { schema })
    }

    fn assemble(&self, _route: &str) -> Option<Assembly> {
        None
    }
}

/// The stock modules.
const STOCK: Family = Family {
    name: "suitecrm-v8",
    teams: "SecurityGroups",
    origin: |beside, module, field| algebra::origin(module, field, beside),
    target: links::target,
    is_right: algebra::is_right,
    // It has no search over several fields.
    searched: |_| Vec::new(),
    fields: |module| {
        let fields: BTreeSet<Field> = stock::fields(module).map(Field::fold).collect();
        fields.into_iter().collect()
    },
    has_field: |module, field| stock::fields(module).any(|name| name.eq_ignore_ascii_case(field)),
};

fn gives(operation: &Operation) -> Option<Gives> {
    route::by_route(operation.rendering.form).map(|form| form.gives)
}

#[cfg(test)]
mod tests;
