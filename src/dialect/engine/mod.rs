//! A dialect made from a description: one YAML file that says what an API's requests mean and where its data lies.
//!
//! `read` makes a `Description` of the file, or says everything that is wrong with it. A request then walks `understand`
//! (path, arguments, body) and comes back through `render`; places in replies stand in `jsonpath`, the ways in which filters
//! and orders are written in `dialect::styles`. What a description does not say does not pass. What data cannot say stands in
//! a `native` part, which a compiled-in description names.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::schema::{Modules, Schema};
use super::{
    Absent, Account, AddressList, AnswerForm, Answered, Arrangement, Ask, Assembly, Bounds,
    Dialect, Entered, ErrorShape, Exchange, Failure, HeadForm, Incoming, Inquiry, Judging, Login,
    Misunderstood, Needed, Operation, Outgoing, Restricted, Shape, Understood, Wanted, Which,
    Widened,
};
use crate::diagnostic::{Diagnostics, File, load};
use crate::door::Credential;
use crate::reason::Reason;
use crate::vocabulary::{Field, Module, RecordRef, Spelling};

mod ask;
mod bodies;
mod caller;
pub mod codes;
mod confined;
mod description;
mod errors;
mod fields;
mod grammar;
mod identifying;
mod jsonpath;
mod listing;
mod look_at;
mod native;
mod projection;
mod query;
mod read;
mod relations;
mod render;
mod restrict;
mod search;
mod stock;
mod survey;
mod understand;
mod versions;
mod widen;
mod write;

#[cfg(test)]
mod tests;

use description::{Description, Known, Route};
use jsonpath::Shaping;
pub(super) use native::{Api, Envelope, Native};
pub(super) use versions::is_version_like;

pub use read::KEYS;

/// An API that a description describes.
#[derive(Clone)]
pub struct Described {
    description: Arc<Description>,
    schema: Arc<Schema>,
}

impl Described {
    /// Reads and checks a description. Every problem is in the diagnostics; a dialect comes out only if none is an error.
    pub fn load(path: &Path) -> (Option<Self>, Diagnostics) {
        let mut found = Diagnostics::new();
        match load(path, codes::UNREADABLE, &mut found) {
            Some(file) => Self::read_file(&file, found, &[]),
            None => (None, found),
        }
    }

    /// The same from a text; `name` stands for the file in messages.
    pub fn read(name: &str, text: &str) -> (Option<Self>, Diagnostics) {
        Self::read_file(&File::new(name, text), Diagnostics::new(), &[])
    }

    /// One that is compiled in, with the native parts that it may name.
    ///
    /// # Panics
    /// If it is not valid.
    pub(super) fn compiled(text: &str, natives: &[(&str, &'static dyn Native)]) -> Self {
        let file = File::new("description.yaml", text);
        let (described, found) = Self::read_file(&file, Diagnostics::new(), natives);
        described.unwrap_or_else(|| panic!("{}", found.render(false)))
    }

    fn read_file(
        file: &File,
        mut found: Diagnostics,
        natives: &[(&str, &'static dyn Native)],
    ) -> (Option<Self>, Diagnostics) {
        let description = read::read(file, natives, &mut found);
        let usable = description.filter(|_| !found.has_errors());
        let finished = usable.map(|description| {
            let stock = description.stock.clone();
            let stock = stock.unwrap_or_else(|| Arc::new(stock::of(&description)));
            Self {
                schema: Schema::of_stock(stock),
                description: Arc::new(description),
            }
        });
        (finished, found)
    }

    /// The same before a CRM of which this is known.
    pub(super) fn knowing(&self, schema: Arc<Schema>) -> Self {
        Self {
            description: self.description.clone(),
            schema,
        }
    }

    /// The paths before all its routes, the longest first.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        let places = self.description.places.iter();
        places.map(|(_, prefix)| prefix.as_str())
    }

    /// The routes that it describes, and what they do.
    pub fn routes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.description
            .routes
            .iter()
            .map(|route| (route.name, route.action.as_str()))
    }

    /// The modules that it describes.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.description.modules.iter().map(|known| &known.module)
    }
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Described")
            .field(&self.description.name)
            .finish()
    }
}

impl Dialect for Described {
    fn name(&self) -> &'static str {
        self.description.name
    }

    fn claims(&self, path: &str) -> bool {
        self.description.below(path).is_some()
    }

    fn head_form(&self) -> &HeadForm {
        &self.description.head
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        let context = understand::Context {
            description: &self.description,
            schema: Some(&self.schema),
            bounds,
        };
        let understood = understand::request(context, request)?;
        Ok(understood.map(|operation| -> Box<dyn Exchange> {
            Box::new(Spoken {
                description: self.description.clone(),
                schema: self.schema.clone(),
                operation,
            })
        }))
    }

    fn ask(&self, ask: &Ask, bounds: &Bounds) -> Option<Outgoing> {
        ask::request(self, ask, bounds)
    }

    fn assemble(&self, _route: &str) -> Option<Assembly> {
        self.description.native?.assembly()
    }

    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        errors::shape(&self.description, status, label)
    }

    fn label(&self, reason: Reason) -> Option<&'static str> {
        self.description.labels.of(reason)
    }

    fn inquire(&self, version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        caller::inquire(&self.description, version, credential, answers)
    }

    fn enter(
        &self,
        version: &str,
        account: &Account,
        held: Option<&Entered>,
        answers: &[Answered],
    ) -> Login {
        let Some(native) = self.description.native else {
            return Login::Impossible;
        };
        match native.enter(account, held, answers) {
            Login::Ask(question) => Login::Ask(Outgoing {
                target: format!("{}{}", self.description.place(version), question.target),
                ..question
            }),
            conclusion => conclusion,
        }
    }

    fn addresses(&self, field: &Field) -> Option<&AddressList> {
        self.description.addresses.get(field)
    }

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(self.knowing(schema))
    }

    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        self.description.native?.described(module, answer)
    }
}

/// One request and what comes back.
#[derive(Debug)]
struct Spoken {
    description: Arc<Description>,
    schema: Arc<Schema>,
    operation: Operation,
}

impl Exchange for Spoken {
    fn operation(&self) -> &Operation {
        &self.operation
    }

    fn render(&self, narrowed: &Operation) -> Outgoing {
        render::request(&self.description, narrowed)
    }

    fn answer(&self) -> AnswerForm {
        let route = self.route();
        let places = route.map(|route| &route.reply);
        let places = places.filter(|places| !places.is_empty());
        let terms = Shaping {
            operation: &self.operation,
            description: &self.description,
        };
        AnswerForm {
            // At the root, what is dropped would leave no JSON text.
            shape: match places.map(|places| places.shape(&terms)) {
                None | Some(Shape::Dropped) => Shape::only(Vec::new(), &[]),
                Some(shape) => shape,
            },
            media: route
                .map_or(self.description.media, |route| route.media)
                .accept(),
            hides_errors: false,
            describes: route.is_some_and(|route| route.describes),
            page: route.and_then(|route| widen::page(route, &self.operation)),
        }
    }

    fn spelling(&self) -> Spelling {
        self.description.spelling
    }

    fn failure(&self, _status: u16, body: &[u8]) -> Option<Failure> {
        self.description.labels.told(body).map(Failure::labelled)
    }

    fn account(&self, client: Option<&Credential>) -> Option<String> {
        // Without a login, whoever is described brings the credential along.
        let login = self.operation.rendering.fixed.get(understand::LOGIN)?;
        self.description.native?.account(login.as_object()?, client)
    }

    fn restrict(&self, operation: &Operation, needed: Needed<'_>) -> Restricted {
        restrict::restricted(&self.description, &self.schema, operation, needed)
    }

    fn also_ask(&self, operation: &Operation, judging: Judging<'_>) -> Option<Widened> {
        Some(widen::widened(&self.description, operation, judging))
    }

    fn page_at(&self, operation: &Operation, offset: u64, limit: u32) -> Option<Operation> {
        widen::paged(&self.description, operation, offset, limit)
    }

    fn absent(&self) -> Absent {
        Absent::Error {
            status: self.description.absent,
            label: None,
        }
    }

    fn look_at(&self, record: &RecordRef, fields: &BTreeSet<Field>) -> Option<Box<dyn Exchange>> {
        let operation = look_at::read(&self.description, &self.operation, record, fields)?;
        Some(self.of(operation))
    }

    fn look_up(&self, wanted: Wanted<'_>) -> Option<Box<dyn Exchange>> {
        let operation = understand::look_up(&self.description, &self.operation, wanted)?;
        Some(self.of(operation))
    }

    fn record(&self, answer: Value) -> Option<Map<String, Value>> {
        let record = self.the_record(&answer)?;
        let known = self.known();
        let under = self.route().and_then(|route| route.reply.under());
        let mut fields = match under {
            None => write::flattened(record.as_object()?, known),
            Some(under) => match record.get(under)? {
                Value::Object(fields) => write::flattened(fields, known),
                Value::Array(items) if items.is_empty() => Map::new(),
                _ => return None,
            },
        };
        match self.id_of(record) {
            Some(id) => {
                fields.insert("id".to_owned(), Value::String(id));
            }
            // Beside a key under which the fields lie, the id always stands.
            None if under.is_some() => return None,
            None => {}
        }
        Some(fields)
    }

    fn unchanged(&self) -> Arrangement {
        // An update that answers with less than its record: its id, as far as anybody reads it.
        let record = &self.operation.record;
        let otherwise = Arrangement::Id(record.clone());
        let fixed = &self.operation.rendering.fixed;
        let Some(update) = fixed.get(write::FOR).and_then(Value::as_str) else {
            return Arrangement::Same;
        };
        let update = self.description.route(update);
        let way = self.route().and_then(|route| route.reply.way());
        let frame = update.and_then(|route| route.reply.frame());
        match (way, frame) {
            (Some(at), Some(frame)) => Arrangement::Record {
                at,
                which: Which::WithId {
                    key: self.id_key(),
                    id: record.clone(),
                },
                frame,
                otherwise: Box::new(otherwise),
            },
            _ => otherwise,
        }
    }
}

impl Spoken {
    /// Another operation of the same API.
    fn of(&self, operation: Operation) -> Box<dyn Exchange> {
        Box::new(Self {
            description: self.description.clone(),
            schema: self.schema.clone(),
            operation,
        })
    }

    fn route(&self) -> Option<&Route> {
        self.description.route(self.operation.rendering.form)
    }

    fn known(&self) -> Option<&Known> {
        let target = self.operation.target()?;
        self.description.known(target)
    }

    /// The record of a look-up, found by its id where the look-up is a list.
    fn the_record<'a>(&self, answer: &'a Value) -> Option<&'a Value> {
        let records = self.route()?.reply.records(answer);
        let wanted = &self.operation.record;
        let is_all = self.route()?.reply.way().is_some_and(|way| way.is_empty());
        match records.as_slice() {
            // The reply is the record: that it is another one is a fault of the CRM, which whoever compares the ids tells.
            [one] if is_all => Some(*one),
            // Its id may be hidden from the caller; another one belongs to another record.
            [one] => {
                let id = self.id_of(one);
                (id.is_none() || id == *wanted).then_some(*one)
            }
            many => many
                .iter()
                .copied()
                .find(|record| self.id_of(record) == *wanted),
        }
    }

    fn id_of(&self, record: &Value) -> Option<String> {
        record.get(self.id_key()).and_then(write::text)
    }

    /// The key of the id of the record that is looked up.
    fn id_key(&self) -> &'static str {
        self.known().map_or("id", |known| known.id)
    }
}

#[cfg(test)]
impl super::testing::Speaks for Described {
    fn exchange_of(&self, operation: Operation) -> Box<dyn Exchange> {
        Box::new(Spoken {
            description: self.description.clone(),
            schema: self.schema.clone(),
            operation,
        })
    }
}
