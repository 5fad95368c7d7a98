//! The legacy API of SugarCRM and SuiteCRM, `service/v4_1/rest.php` and its older versions (`version`).
//!
//! A request walks `form` → `arguments` → `understand`, and back through `render`: one form with a method's name and
//! its arguments as JSON. Reading is in `query`, `search` and `sql` (with `lexer` and `email`), writing in `write`.
//! What the CRM's fields mean stands in `algebra`; the names of links and tables in `names`.

use std::sync::Arc;

use http::Method as Verb;
use http::header::HeaderName;
use serde_json::{Map, Value, json};

use super::family::Family;
use super::schema::{Modules, Schema};
use super::{
    Access, Answered, Arrangement, Assembly, Bounds, Database, Dialect, ErrorShape, Failure,
    Incoming, Inquiry, Misunderstood, Operation, Outgoing, Projected, Query, Rendering, Shape,
    Understood, known,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, Module, Spelling};

mod algebra;
mod arguments;
mod assembly;
mod description;
mod email;
mod form;
mod grammar;
mod identity;
mod lexer;
mod links;
mod login;
mod method;
mod names;
mod query;
mod refusal;
mod render;
mod reply;
mod search;
mod sql;
mod stock;
mod understand;
mod version;
mod write;

/// The legacy API of SugarCRM and SuiteCRM, v4_1.
#[derive(Debug)]
pub struct SugarV4 {
    schema: Arc<Schema>,
    database: Database,
}

impl SugarV4 {
    /// The dialect of a CRM whose records lie in a database.
    pub fn before(database: Database) -> Self {
        Self {
            schema: Schema::of_stock(Arc::new(STOCK)),
            database,
        }
    }
}

/// Paths of the API, of its other versions, and of other doors to the same records that its sessions open.
const PREFIXES: &[&str] = &["/service/", "/custom/service/", "/index.php/", "/soap.php/"];
const PATHS: &[&str] = &["/service", "/custom/service", "/index.php", "/soap.php"];

impl Dialect for SugarV4 {
    fn name(&self) -> &'static str {
        "sugar-v4"
    }

    fn claims(&self, path: &str) -> bool {
        PATHS.contains(&path) || PREFIXES.iter().any(|prefix| path.starts_with(prefix))
    }

    fn credential_headers(&self) -> &[HeaderName] {
        &[]
    }

    fn accepts(&self, carrier: &Carrier) -> bool {
        *carrier == Carrier::Argument
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        understand::request(request, bounds, &self.schema, self.database)
    }

    fn has_secrets_in_query(&self, request: &Incoming<'_>) -> bool {
        form::has_secrets(request.query)
    }

    fn render(&self, operation: &Operation) -> Outgoing {
        render::request(operation, &self.schema, self.database)
    }

    fn shape(&self, operation: &Operation) -> Shape {
        reply::shape(operation)
    }

    fn spelling(&self) -> Spelling {
        Spelling::Html
    }

    fn media(&self, _operation: &Operation) -> &'static str {
        "application/json"
    }

    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        refusal::shape(status, label)
    }

    fn status(&self, reason: Reason) -> u16 {
        refusal::status(reason)
    }

    fn label(&self, reason: Reason) -> Option<&'static str> {
        refusal::label(reason)
    }

    fn error_label(&self, _status: u16, body: &[u8]) -> Option<&'static str> {
        refusal::failure(body).and_then(|failure| failure.label)
    }

    fn hides_errors(&self) -> bool {
        true
    }

    fn failure(&self, body: &[u8]) -> Option<Failure> {
        refusal::failure(body)
    }

    fn look_up(&self, update: &Operation) -> Operation {
        let (form, route) =
            method::of(method::Kind::Entry).map_or(("", ""), |method| (method.name, method.route));
        let keys = update.write.iter().flat_map(Map::keys);
        let asked = std::iter::once("id").chain(keys.map(String::as_str));
        Operation {
            action: Action::Read,
            access: Access::Governed,
            route,
            version: update.version.clone(),
            credential: update.credential.clone(),
            module: update.module.clone(),
            record: update.record.clone(),
            link: None,
            related: Vec::new(),
            query: Query {
                projection: Some(asked.map(|key| Projected::Field(key.to_owned())).collect()),
                ..Query::default()
            },
            write: None,
            rendering: Rendering {
                form,
                method: Verb::POST,
                path: version::PATH.to_owned(),
                controls: Vec::new(),
                in_body: true,
                fixed: Map::from_iter([(understand::CHOSEN.to_owned(), json!(true))]),
            },
        }
    }

    fn looked_up(&self, _look_up: &Operation, reply: Value) -> Option<Map<String, Value>> {
        assembly::only_record(reply)
    }

    fn unchanged(&self, _look_up: &Operation) -> Arrangement {
        assembly::as_written()
    }

    fn account(&self, login: &Operation) -> Option<String> {
        let auth = login.rendering.fixed.get("user_auth")?;
        Some(auth.get("user_name")?.as_str()?.to_owned())
    }

    fn inquire(&self, _version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        identity::inquire(credential, answers)
    }

    fn describes(&self, operation: &Operation) -> bool {
        is(operation, method::Kind::ModuleFields)
    }

    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        description::read(module, answer)
    }

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(Self {
            schema,
            database: self.database,
        })
    }

    fn assemble(&self, route: &str) -> Option<Assembly> {
        Some(assembly::envelope(route))
    }
}

/// The stock modules.
const STOCK: Family = Family {
    name: "sugar-v4",
    teams: "SecurityGroups",
    origin: algebra::origin,
    target: names::target,
    is_right: algebra::is_right,
    searched: known::searched_by_suite,
    fields: |module| {
        let names = stock::fields(module).iter();
        names.map(|name| Field::fold(name)).collect()
    },
    has_field: |module, field| stock::fields(module).contains(&field),
};

fn is(operation: &Operation, kind: method::Kind) -> bool {
    method::by_name(operation.rendering.form).is_some_and(|method| method.kind == kind)
}

#[cfg(test)]
mod tests;
