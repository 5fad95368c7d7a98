//! The legacy API of SugarCRM and SuiteCRM, `service/v4_1/rest.php` and its older versions (`version`).
//!
//! A request walks `form` → `arguments` → `understand`, and back through `render`: one form with a method's name and
//! its arguments as JSON. Reading is in `query`, `search` and `sql` (with `lexer` and `email`), writing in `write`.
//! What the CRM's fields mean stands in `schema/stock/suitecrm.yaml`; the names of links and tables in `names`.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use http::Method as Verb;
use serde_json::{Map, Value, json};

use super::schema::stock::delivered::of_sugar_v4;
use super::schema::{Modules, Schema};
use super::{
    Absent, Account, AddressList, AnswerForm, Answered, Arrangement, Ask, Assembly, Bounds,
    Database, Dialect, Entered, ErrorShape, Exchange, Failure, HeadForm, Incoming, Inquiry,
    Judging, Login, Misunderstood, Needed, Operation, Outgoing, Projected, Rendering, Restricted,
    Understood, Wanted, Widened,
};
use crate::door::Credential;
use crate::reason::Reason;
use crate::vocabulary::{Field, Module, RecordRef, Spelling};

mod arguments;
mod ask;
mod assembly;
mod description;
mod email;
mod enter;
mod form;
mod grammar;
mod identity;
mod lexer;
mod login;
mod method;
mod names;
mod query;
mod refusal;
mod render;
mod reply;
mod restrict;
mod search;
mod sql;
mod survey;
mod understand;
mod version;
mod widen;
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
            schema: Schema::of_stock(of_sugar_v4()),
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

    fn head_form(&self) -> &HeadForm {
        &HEAD
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        let understood = understand::request(request, bounds, &self.schema, self.database)?;
        Ok(understood.map(|operation| self.exchange(operation)))
    }

    fn has_secrets_in_query(&self, request: &Incoming<'_>) -> bool {
        form::has_secrets(request.query)
    }

    fn ask(&self, ask: &Ask, bounds: &Bounds) -> Option<Outgoing> {
        ask::request(self, ask, bounds)
    }

    fn assemble(&self, route: &str) -> Option<Assembly> {
        Some(assembly::envelope(route))
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

    fn inquire(&self, _version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        identity::inquire(credential, answers)
    }

    fn enter(
        &self,
        _version: &str,
        account: &Account,
        _held: Option<&Entered>,
        answers: &[Answered],
    ) -> Login {
        enter::step(account, answers)
    }

    fn addresses(&self, _field: &Field) -> Option<&AddressList> {
        // They stand behind a link.
        None
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

    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        description::read(module, answer)
    }
}

static HEAD: LazyLock<HeadForm> = LazyLock::new(|| HeadForm {
    argument: true,
    ..HeadForm::default()
});

impl SugarV4 {
    fn exchange(&self, operation: Operation) -> Box<dyn Exchange> {
        Box::new(Spoken {
            operation,
            schema: self.schema.clone(),
            database: self.database,
        })
    }
}

/// One request and what comes back.
#[derive(Debug)]
struct Spoken {
    operation: Operation,
    schema: Arc<Schema>,
    database: Database,
}

impl Exchange for Spoken {
    fn operation(&self) -> &Operation {
        &self.operation
    }

    fn render(&self, narrowed: &Operation) -> Outgoing {
        render::request(narrowed, &self.schema, self.database)
    }

    fn answer(&self) -> AnswerForm {
        AnswerForm {
            shape: reply::shape(&self.operation),
            media: "application/json",
            hides_errors: true,
            describes: is(&self.operation, method::Kind::ModuleFields),
            page: widen::page(&self.operation),
        }
    }

    fn spelling(&self) -> Spelling {
        Spelling::Html
    }

    fn failure(&self, _status: u16, body: &[u8]) -> Option<Failure> {
        refusal::failure(body)
    }

    fn account(&self, _client: Option<&Credential>) -> Option<String> {
        let auth = self.operation.rendering.fixed.get("user_auth")?;
        Some(auth.get("user_name")?.as_str()?.to_owned())
    }

    fn restrict(&self, operation: &Operation, needed: Needed<'_>) -> Restricted {
        restrict::restricted(operation, (&self.schema, self.database), needed)
    }

    fn also_ask(&self, operation: &Operation, judging: Judging<'_>) -> Option<Widened> {
        widen::widened(operation, judging)
    }

    fn page_at(&self, operation: &Operation, offset: u64, limit: u32) -> Option<Operation> {
        widen::paged(operation, offset, limit)
    }

    fn absent(&self) -> Absent {
        widen::absent(&self.operation)
    }

    fn look_at(&self, record: &RecordRef, fields: &BTreeSet<Field>) -> Option<Box<dyn Exchange>> {
        let names = fields.iter().map(|field| field.as_str());
        let named = std::iter::once("id").chain(names.filter(|name| *name != "id"));
        let projection = named.map(|name| Projected::Field(name.to_owned()));
        let named = Operation {
            module: Some(record.module.clone()),
            record: Some(record.id.to_string()),
            ..self.operation.clone()
        };
        self.read(&named, Some(projection.collect()))
    }

    fn look_up(&self, wanted: Wanted<'_>) -> Option<Box<dyn Exchange>> {
        let update = &self.operation;
        self.read(update, wanted.projection(update, Some("id"), usize::MAX))
    }

    fn record(&self, answer: Value) -> Option<Map<String, Value>> {
        assembly::only_record(answer)
    }

    fn unchanged(&self) -> Arrangement {
        assembly::as_written()
    }
}

impl Spoken {
    /// The read of the record that an operation names.
    fn read(&self, named: &Operation, fields: Option<Vec<Projected>>) -> Option<Box<dyn Exchange>> {
        let method = method::of(method::Kind::Entry)?;
        let rendering = Rendering {
            form: method.name,
            method: Verb::POST,
            path: version::PATH.to_owned(),
            controls: Vec::new(),
            in_body: true,
            fixed: Map::from_iter([(understand::CHOSEN.to_owned(), json!(true))]),
        };
        Some(Box::new(Self {
            operation: named.look_up(method.route, fields, rendering),
            schema: self.schema.clone(),
            database: self.database,
        }))
    }
}

fn is(operation: &Operation, kind: method::Kind) -> bool {
    method::by_name(operation.rendering.form).is_some_and(|method| method.kind == kind)
}

#[cfg(test)]
impl super::testing::Speaks for SugarV4 {
    fn exchange_of(&self, operation: Operation) -> Box<dyn Exchange> {
        self.exchange(operation)
    }
}

#[cfg(test)]
mod tests;
