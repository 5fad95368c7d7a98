//! A dialect made from a description: one YAML file that says what an API's requests mean and where its data lies.
//!
//! `read` makes a `Description` of the file, or says everything that is wrong with it. A request then walks
//! `understand` (path, arguments, body) and comes back through `render`; the styles of predicates stand in `predicate`,
//! `sql` and `rsql`, places in replies in `jsonpath`. What a description does not say does not pass.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use http::header::HeaderName;
use serde_json::{Map, Value};

use super::schema::{Modules, Schema, Stock};
use super::{
    Answered, Arrangement, Assembly, Bounds, Dialect, ErrorShape, Failure, Incoming, Inquiry,
    Misunderstood, Operation, Origin, Outgoing, Shape, Told, Understood, Unread, Which, rights,
};
use crate::diagnostic::{Diagnostics, File, load};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Field, FieldPath, Module, Spelling};

mod arguments;
mod caller;
pub mod codes;
mod description;
mod grammar;
mod identifying;
mod jsonpath;
mod predicate;
mod query;
mod query_string;
mod read;
mod render;
mod rsql;
mod sql;
mod understand;
mod write;

#[cfg(test)]
mod tests;

use description::Description;
use jsonpath::Shaping;

pub use read::KEYS;

/// An API that a description describes.
pub struct Described {
    description: Arc<Description>,
    schema: Arc<Schema>,
}

impl Described {
    /// Reads and checks a description. Every problem is in the diagnostics; a dialect comes out only if none is an error.
    pub fn load(path: &Path) -> (Option<Self>, Diagnostics) {
        let mut found = Diagnostics::new();
        match load(path, codes::UNREADABLE, &mut found) {
            Some(file) => Self::read_file(&file, found),
            None => (None, found),
        }
    }

    /// The same from a text; `name` stands for the file in messages.
    pub fn read(name: &str, text: &str) -> (Option<Self>, Diagnostics) {
        Self::read_file(&File::new(name, text), Diagnostics::new())
    }

    fn read_file(file: &File, mut found: Diagnostics) -> (Option<Self>, Diagnostics) {
        let description = read::read(file, &mut found);
        let usable = description.filter(|_| !found.has_errors());
        let finished = usable.map(|mut description| {
            (description.accounts, description.rights) = identifying::rights(&description);
            let description = Arc::new(description);
            let schema = Schema::of_stock(description.clone());
            Self {
                description,
                schema,
            }
        });
        (finished, found)
    }

    /// The path before all its routes.
    pub fn prefix(&self) -> &str {
        &self.description.prefix
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
        understand::below(&self.description, path).is_some()
    }

    fn credential_headers(&self) -> &[HeaderName] {
        &self.description.credentials.headers
    }

    fn control_headers(&self) -> &[&'static str] {
        &self.description.controls
    }

    fn accepts(&self, carrier: &Carrier) -> bool {
        match carrier {
            Carrier::Bearer => self.description.credentials.bearer,
            Carrier::Basic => self.description.credentials.basic,
            Carrier::Header(name) => self.description.credentials.headers.contains(name),
            Carrier::Argument => false,
        }
    }

    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        let operation = understand::request(&self.description, request, bounds)?;
        Ok(Understood::One(Box::new(operation)))
    }

    fn render(&self, operation: &Operation) -> Outgoing {
        render::request(&self.description, operation)
    }

    fn shape(&self, operation: &Operation) -> Shape {
        let route = self.description.route(operation.rendering.form);
        let places = route
            .map(|route| &route.reply)
            .filter(|places| !places.is_empty());
        let terms = Shaping {
            module: operation.target(),
            description: &self.description,
        };
        // At the root, what is dropped would leave no JSON text.
        match places.map(|places| places.shape(&terms)) {
            None | Some(Shape::Dropped) => Shape::only(Vec::new(), &[]),
            Some(shape) => shape,
        }
    }

    fn spelling(&self) -> Spelling {
        self.description.spelling
    }

    fn media(&self, _operation: &Operation) -> &'static str {
        self.description.media.accept()
    }

    fn refuse(&self, _status: u16, _label: Option<&'static str>) -> ErrorShape {
        ErrorShape {
            content_type: self.description.media.accept(),
            template: self.description.errors.clone(),
        }
    }

    fn label(&self, _reason: Reason) -> Option<&'static str> {
        None
    }

    fn error_label(&self, _status: u16, _body: &[u8]) -> Option<&'static str> {
        None
    }

    fn hides_errors(&self) -> bool {
        false
    }

    fn failure(&self, _body: &[u8]) -> Option<Failure> {
        None
    }

    fn look_up(&self, update: &Operation) -> Operation {
        // The check of a description sees to it that every update has one.
        understand::look_up(&self.description, update).unwrap_or_else(|| update.clone())
    }

    fn looked_up(&self, look_up: &Operation, reply: Value) -> Option<Map<String, Value>> {
        let record = self.the_record(look_up, &reply)?;
        let known = look_up
            .target()
            .and_then(|target| self.description.known(target));
        let under = self
            .description
            .route(look_up.rendering.form)
            .and_then(|route| route.reply.under());
        let mut fields = match under {
            None => write::flattened(record.as_object()?, known),
            Some(under) => match record.get(under)? {
                Value::Object(fields) => write::flattened(fields, known),
                _ => Map::new(),
            },
        };
        if let Some(id) = self.id_of(look_up, record) {
            fields.insert("id".to_owned(), Value::String(id));
        }
        Some(fields)
    }

    fn unchanged(&self, look_up: &Operation) -> Arrangement {
        // An update that answers with less than its record: its id, as far as anybody reads it.
        let otherwise = Arrangement::Id(look_up.record.clone());
        let fixed = &look_up.rendering.fixed;
        let update = fixed.get(write::FOR).and_then(Value::as_str);
        let update = update.and_then(|form| self.description.route(form));
        let read = self.description.route(look_up.rendering.form);
        let way = read.and_then(|route| route.reply.way());
        let frame = update.and_then(|route| route.reply.frame());
        match (way, frame) {
            (Some(at), Some(frame)) => Arrangement::Record {
                at,
                which: Which::WithId {
                    key: self.id_key(look_up),
                    id: look_up.record.clone(),
                },
                frame,
                otherwise: Box::new(otherwise),
            },
            _ => otherwise,
        }
    }

    fn account(&self, _login: &Operation) -> Option<String> {
        // No description has logins: whoever is described brings the credential along.
        None
    }

    fn inquire(&self, _version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        caller::inquire(&self.description, credential, answers)
    }

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(Self {
            description: self.description.clone(),
            schema,
        })
    }

    fn describes(&self, _operation: &Operation) -> bool {
        false
    }

    fn described(&self, _module: Option<&Module>, _answer: &[u8]) -> Option<Modules> {
        None
    }

    fn assemble(&self, _route: &str) -> Option<Assembly> {
        // No description has envelopes.
        None
    }
}

impl Described {
    /// The record of a look-up, found by its id where the look-up is a list.
    fn the_record<'a>(&self, look_up: &Operation, reply: &'a Value) -> Option<&'a Value> {
        let route = self.description.route(look_up.rendering.form)?;
        let records = route.reply.records(reply);
        match records.as_slice() {
            // Its id may be hidden from the caller; another one belongs to another record.
            [one] => {
                let id = self.id_of(look_up, one);
                (id.is_none() || id == look_up.record).then_some(*one)
            }
            many => many
                .iter()
                .copied()
                .find(|record| self.id_of(look_up, record) == look_up.record),
        }
    }

    fn id_of(&self, look_up: &Operation, record: &Value) -> Option<String> {
        record.get(self.id_key(look_up)).and_then(write::text)
    }

    /// The key of the id of the record that is looked up.
    fn id_key(&self, look_up: &Operation) -> &'static str {
        let known = look_up
            .target()
            .and_then(|target| self.description.known(target));
        known.map_or("id", |known| known.id)
    }
}

impl Stock for Description {
    fn name(&self) -> &'static str {
        self.name
    }

    fn origin(&self, _beside: &Modules, module: &Module, field: &str) -> Origin {
        let known = self.known(module);
        let origin = known.and_then(|known| known.algebra.origins.get(&field.to_ascii_lowercase()));
        origin.cloned().unwrap_or(Origin::Own)
    }

    fn target(&self, _module: &Module, _link: &str) -> Option<Module> {
        // Where a link leads stands in the routes that take it.
        None
    }

    fn display_field(&self) -> &str {
        &self.display
    }

    fn identifying(&self) -> Vec<(Told, FieldPath)> {
        identifying::fields(self)
    }

    fn accounts(&self) -> Vec<Module> {
        self.accounts.clone()
    }

    fn is_right(&self, module: &Module, field: &str) -> bool {
        let is_told = |told: &FieldPath| told.module == *module && told.field.as_str() == field;
        rights::is_password(field)
            || rights::is_administrator(field)
            || self.rights.iter().any(is_told)
            || (self.accounts.contains(module) && rights::is_right(field))
    }

    fn unread(&self) -> Vec<Unread> {
        Self::unread(self)
    }

    fn modules(&self) -> Vec<Module> {
        self.modules
            .iter()
            .map(|known| known.module.clone())
            .collect()
    }

    fn is_text(&self, _module: &Module, _field: &str) -> bool {
        // A description does not say so.
        false
    }

    fn searched(&self, _module: &Module) -> Vec<Field> {
        Vec::new()
    }

    fn fields(&self, module: &Module) -> Vec<Field> {
        let known = self.known(module);
        known
            .map(|known| known.algebra.fields.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn has_field(&self, module: &Module, field: &str) -> bool {
        self.known(module)
            .is_some_and(|known| known.algebra.fields.contains(field))
    }

    fn names_all_fields(&self) -> bool {
        // A description names those that something is to be said of.
        false
    }

    fn column_length(&self, module: &Module, field: &str) -> Option<usize> {
        let lengths = &self.known(module)?.algebra.lengths;
        lengths.get(&Field::fold(field)).copied()
    }
}
