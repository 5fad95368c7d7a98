//! What one request means: its version, its method, and what the arguments of the method say.

use http::Method as Verb;
use serde_json::{Map, Value, json};

use super::arguments::{Arguments, words};
use super::form::Form;
use super::method::{self, Kind, Method};
use super::sql::Table;
use super::version::Version;
use super::{grammar, login, names, query, search, write};
use crate::dialect::schema::Schema;
use crate::dialect::spelling::is_word_byte;
use crate::dialect::{
    Bounds, Database, Incoming, Link, Misunderstood, Operation, Projected, Query, Rendering,
    Understood,
};
use crate::door::Credential;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// The member of [`Rendering::fixed`] that says whether the caller chose fields.
pub(super) const CHOSEN: &str = "chosen";

/// The argument that says whether a relation ends. Like others that no plan changes, it is a member of
/// [`Rendering::fixed`] under its own name.
pub(super) const DELETE: &str = "delete";

/// What an operation is made of: the method, whose it is, and what is known.
pub(super) struct Making<'a> {
    pub(super) version: Version,
    pub(super) method: &'static Method,
    pub(super) credential: Option<Credential>,
    pub(super) bounds: &'a Bounds,
    pub(super) schema: &'a Schema,
    pub(super) database: Database,
}

/// What a request means.
pub(super) fn request(
    request: &Incoming<'_>,
    bounds: &Bounds,
    schema: &Schema,
    database: Database,
) -> Result<Understood<Operation>, Misunderstood> {
    let version = Version::of_path(request.path).ok_or(Reason::UnknownRoute)?;
    let form = form(request)?;
    let name = form.method().ok_or(Reason::MalformedBody)?;
    let method = method::by_name(name).ok_or(Reason::UnknownRoute)?;
    let making = Making {
        version,
        method,
        credential: None,
        bounds,
        schema,
        database,
    };
    understood(&form, making).map_err(|objection| Misunderstood {
        objection,
        route: Some(version.route(method)),
    })
}

/// What a request holds: a form, or a query string alone.
fn form(request: &Incoming<'_>) -> Result<Form, Objection> {
    let form = match (request.method, request.query) {
        (&Verb::POST, _) => Form::read(request.content_type, request.body)?,
        (&Verb::GET, Some(_)) if request.body.is_empty() => Form::default(),
        (&Verb::GET, Some(_)) => return Err(Reason::UnexpectedBody.into()),
        _ => return Err(Reason::MethodNotAllowed.into()),
    };
    let form = match request.query {
        None => form,
        Some(query) => form.with_query(query)?,
    };
    if form.is_json() {
        Ok(form)
    } else {
        Err(Reason::UnsupportedMediaType.into())
    }
}

fn understood(form: &Form, mut making: Making<'_>) -> Result<Understood<Operation>, Objection> {
    let (method, depth_max) = (making.method, making.bounds.depth_max);
    let count = making
        .version
        .arguments(method)
        .ok_or(Reason::UnknownRoute)?;
    let mut arguments = Arguments::read(form.arguments(), method, depth_max)?;
    arguments.limit(method, count)?;
    making.credential = credential(&mut arguments, method)?;
    let understood = match method.kind {
        Kind::SetEntries => write::entries(&making, &mut arguments)?,
        Kind::RelateAll => write::relations(&making, &mut arguments)?,
        Kind::Search => search::understood(&making, &mut arguments)?,
        _ => Understood::One(making.one(&mut arguments)?),
    };
    arguments.finish()?;
    Ok(understood)
}

/// The session, which is the first argument of every method that has one.
fn credential(arguments: &mut Arguments, method: &Method) -> Result<Option<Credential>, Reason> {
    if !method.arguments.contains(&"session") {
        return Ok(None);
    }
    // The CRM makes the name of a file of it.
    let plain = |byte: u8| is_word_byte(byte) || byte == b'-' || byte == b',';
    match arguments.text("session")?.as_str() {
        "" => Ok(None),
        token => Credential::argument(token)
            .filter(|_| token.bytes().all(plain))
            .map(Some)
            .ok_or(Reason::BadCredential),
    }
}

impl Making<'_> {
    /// An operation that says nothing yet.
    pub(super) fn blank(&self) -> Operation {
        Operation {
            action: self.method.action,
            access: self.method.access,
            route: self.version.route(self.method),
            version: self.version.name().to_owned(),
            credential: self.credential.clone(),
            of_caller: self.method.kind == Kind::UserId,
            module: None,
            record: None,
            link: None,
            related: Vec::new(),
            around: Vec::new(),
            query: Query::default(),
            write: None,
            rendering: Rendering {
                form: self.method.name,
                method: Verb::POST,
                path: self.version.path(self.method.kind).to_owned(),
                controls: Vec::new(),
                in_body: true,
                fixed: Map::new(),
            },
        }
    }

    /// Several parts in one envelope.
    pub(super) fn bulk(&self, parts: Vec<Operation>) -> Result<Understood<Operation>, Reason> {
        if parts.len() > self.bounds.bulk_parts_max {
            return Err(Reason::TooManyParts);
        }
        Ok(Understood::Bulk {
            credential: self.credential.clone(),
            route: self.version.route(self.method),
            version: self.version.name().to_owned(),
            parts: parts.into_iter().map(Ok).collect(),
        })
    }

    /// A table of the CRM's database.
    fn asked<'a>(&self, table: &'a str, module: &'a Module) -> Table<'a> {
        Table {
            name: table,
            module: module.as_str(),
            database: self.database,
        }
    }

    fn one(&self, arguments: &mut Arguments) -> Result<Operation, Objection> {
        let mut operation = self.blank();
        match self.method.kind {
            Kind::Login => operation.rendering.fixed = login::arguments(arguments)?,
            Kind::Modules => {
                let filter = arguments.text("filter")?;
                if !matches!(filter.as_str(), "" | "all" | "default" | "mobile") {
                    return Err(Reason::MalformedBody.into());
                }
                set(&mut operation, "filter", json!(filter));
            }
            Kind::ModuleFields => {
                operation.module = Some(arguments.module("module_name")?);
                let fields = words(arguments.list("fields")?, grammar::is_field);
                set(
                    &mut operation,
                    "fields",
                    json!(fields.ok_or(Reason::MalformedProjection)?),
                );
            }
            Kind::ModuleHash => operation.module = Some(arguments.module("module_name")?),
            Kind::Entry | Kind::Entries => self.entries(arguments, &mut operation)?,
            Kind::List => self.list(arguments, &mut operation)?,
            Kind::Count => {
                let module = arguments.module("module_name")?;
                let table = names::table(self.schema, &module);
                arguments.not_deleted()?;
                operation.query =
                    query::conditions(arguments, ("query", ""), self.asked(&table, &module))?;
                operation.module = Some(module);
            }
            Kind::Related => self.related(arguments, &mut operation)?,
            Kind::SetEntry => write::entry(self.schema, arguments, &mut operation)?,
            Kind::Relate => write::relation(self.schema, arguments, &mut operation)?,
            // Those without arguments of their own, and those that were understood before.
            Kind::Logout
            | Kind::UserId
            | Kind::ServerInfo
            | Kind::SetEntries
            | Kind::RelateAll
            | Kind::Search => {}
        }
        Ok(operation)
    }

    /// One record by its id, or several.
    fn entries(&self, arguments: &mut Arguments, operation: &mut Operation) -> Result<(), Reason> {
        let module = arguments.module("module_name")?;
        if self.method.kind == Kind::Entry {
            operation.record = Some(arguments.word("id", grammar::is_id)?);
        } else {
            let ids = words(arguments.list("ids")?, grammar::is_id);
            let ids = ids.ok_or(Reason::MalformedBody)?;
            let rows = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            if ids.is_empty() || rows > self.bounds.page_max {
                return Err(Reason::MalformedPage);
            }
            set(operation, "ids", json!(ids));
        }
        let names = ("select_fields", "link_name_to_fields_array");
        let fields = query::fields(arguments, names, &module, self.schema)?;
        project(operation, fields);
        // The list of what the caller looked at last is not kept.
        arguments.take("track_view");
        operation.module = Some(module);
        Ok(())
    }

    fn list(&self, arguments: &mut Arguments, operation: &mut Operation) -> Result<(), Reason> {
        let module = arguments.module("module_name")?;
        arguments.not_deleted()?;
        let table = names::table(self.schema, &module);
        let mut query = query::conditions(
            arguments,
            ("query", "order_by"),
            self.asked(&table, &module),
        )?;
        query::page(arguments, "max_results", self.bounds.page_max, &mut query)?;
        if arguments.flag("favorites")? {
            query.about_caller.push(("favorites", true));
        }
        operation.query = query;
        let names = ("select_fields", "link_name_to_fields_array");
        let fields = query::fields(arguments, names, &module, self.schema)?;
        project(operation, fields);
        operation.module = Some(module);
        Ok(())
    }

    fn related(
        &self,
        arguments: &mut Arguments,
        operation: &mut Operation,
    ) -> Result<(), Objection> {
        let module = arguments.module("module_name")?;
        operation.record = Some(arguments.word("module_id", grammar::is_id)?);
        let link = link(self.schema, arguments.text("link_field_name")?, &module)?;
        arguments.not_deleted()?;
        let table = names::table_behind(self.schema, &link);
        let names = ("related_module_query", "order_by");
        let mut query = query::conditions(arguments, names, self.asked(&table, &link.target))?;
        query::silent_page(arguments, "limit", self.bounds.page_max, &mut query)?;
        // Without a limit, the CRM would send all.
        query.limit.get_or_insert(self.bounds.page_max);
        operation.query = query;
        let names = ("related_fields", "related_module_link_name_to_fields_array");
        let fields = query::fields(arguments, names, &link.target, self.schema)?;
        project(operation, fields);
        operation.module = Some(module);
        operation.link = Some(link);
        Ok(())
    }
}

/// A link of a module.
pub(super) fn link(schema: &Schema, name: String, module: &Module) -> Result<Link, Reason> {
    if !grammar::is_link(&name) {
        return Err(Reason::MalformedBody);
    }
    names::link(schema, module, &name).ok_or(Reason::UnknownLink)
}

/// Sets what is asked for. Where the caller chose fields, none that is left never becomes all.
pub(super) fn project(operation: &mut Operation, fields: Option<Vec<Projected>>) {
    let chose = fields
        .iter()
        .flatten()
        .any(|item| matches!(item, Projected::Field(_)));
    set(operation, CHOSEN, json!(chose));
    operation.query.projection = fields;
}

pub(super) fn set(operation: &mut Operation, name: &str, value: Value) {
    operation.rendering.fixed.insert(name.to_owned(), value);
}
