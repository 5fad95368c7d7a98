//! What one request means: its form, and what the form carries.

use http::Method;
use serde_json::{Map, Value};

use super::arguments;
use super::route::{self, Routed, Takes};
use super::{address, login, query, write};
use crate::dialect::carriers::Arguments;
use crate::dialect::schema::Schema;
use crate::dialect::{
    Bounds, Incoming, Link, Misunderstood, Operation, Query, Rendering, Understood,
};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// What a request means.
pub(super) fn request(
    request: &Incoming<'_>,
    bounds: &Bounds,
    schema: &Schema,
) -> Result<Understood<Operation>, Misunderstood> {
    let (version, segments) = address::read(request.path)?;
    let found = route::find(request.method.as_str(), &segments)?;
    let route = found.form.route;
    operation(request, bounds, (version, found), schema)
        .map(Understood::One)
        .map_err(|objection| Misunderstood {
            objection,
            route: Some(route),
        })
}

fn operation(
    request: &Incoming<'_>,
    bounds: &Bounds,
    (version, found): (&str, Routed),
    schema: &Schema,
) -> Result<Operation, Objection> {
    let form = found.form;
    let link = match (&found.module, &found.link) {
        (Some(module), Some(name)) => {
            let target = schema.target(module, name).ok_or(Reason::UnknownLink)?;
            let name = name.clone();
            Some(Link { name, target })
        }
        _ => None,
    };
    let mut operation = Operation {
        action: form.action,
        access: form.access,
        route: form.route,
        version: version.to_owned(),
        credential: None,
        module: found.module,
        record: found.record,
        link,
        related: found.related.into_iter().collect(),
        query: Query::default(),
        write: None,
        rendering: Rendering {
            form: form.route,
            method: request.method.clone(),
            path: String::new(),
            controls: Vec::new(),
            in_body: false,
            fixed: Map::new(),
        },
    };
    let arguments = arguments::of_query(request.query)?;
    let body = body(request, bounds, &operation, form.takes)?;
    carried(&mut operation, form.takes, arguments, body, bounds)?;
    let path = route::path(
        form.route,
        operation.module.as_ref(),
        operation.record.as_deref(),
        operation.link.as_ref().map(|link| link.name.as_str()),
        operation.related.first().map(String::as_str),
    );
    operation.rendering.path = address::placed(version, &path);
    Ok(operation)
}

/// The body of a request. The CRM reads every body, whatever the method, and lets it override the path: where a form
/// carries none, it is empty, or an object that says nothing, or what the path says; it is not sent on.
fn body(
    request: &Incoming<'_>,
    bounds: &Bounds,
    operation: &Operation,
    takes: Takes,
) -> Result<Map<String, Value>, Reason> {
    let (bytes, content_type) = (request.body, request.content_type);
    match takes {
        Takes::Login => arguments::login(bytes, content_type, bounds.depth_max),
        Takes::Create | Takes::Update | Takes::Relation => {
            arguments::document(bytes, content_type, bounds.depth_max)
        }
        Takes::Nothing | Takes::Fields | Takes::List | Takes::Related if bytes.is_empty() => {
            Ok(Map::new())
        }
        Takes::Nothing | Takes::Fields | Takes::List | Takes::Related => {
            let stated = arguments::document(bytes, content_type, bounds.depth_max);
            let stated = stated.map_err(|_| Reason::UnexpectedBody)?;
            match stated.is_empty() || is_of_path(stated, operation) {
                true => Ok(Map::new()),
                false => Err(Reason::UnexpectedBody),
            }
        }
    }
}

/// Whether the body of a deletion names what its path names: `{"id": …}`, or a document with type and id.
fn is_of_path(stated: Map<String, Value>, operation: &Operation) -> bool {
    let related = operation.related.first().map(String::as_str);
    let Some(id) = related.or(operation.record.as_deref()) else {
        return false;
    };
    if operation.rendering.method != Method::DELETE {
        return false;
    }
    if stated.len() == 1 && stated.get("id").and_then(Value::as_str) == Some(id) {
        return true;
    }
    write::relation(stated)
        .is_ok_and(|(module, stated)| stated == id && Some(&module) == operation.target())
}

/// Reads what the form carries into the operation.
fn carried(
    operation: &mut Operation,
    takes: Takes,
    mut arguments: Arguments,
    body: Map<String, Value>,
    bounds: &Bounds,
) -> Result<(), Objection> {
    match takes {
        Takes::Nothing => {}
        Takes::Login => operation.rendering.fixed = login::read(body)?,
        Takes::Fields => operation.query = query::fields(&mut arguments, &asked(operation)?)?,
        Takes::List => operation.query = query::list(&mut arguments, &asked(operation)?, bounds)?,
        Takes::Related => operation.query = query::related(&mut arguments, bounds)?,
        Takes::Create => write(operation, write::create(body)?),
        Takes::Update => write(operation, write::update(body)?),
        Takes::Relation => {
            let (module, id) = write::relation(body)?;
            relate(operation, module, id)?;
        }
    }
    arguments.finish()
}

fn write(operation: &mut Operation, document: write::Document) {
    operation.module = Some(document.module);
    operation.record = document.record;
    operation.write = Some(document.fields);
}

/// The record to relate belongs to the link's target; where the path names no link, the CRM looks for one that leads to
/// the record's module.
fn relate(operation: &mut Operation, module: Module, id: String) -> Result<(), Reason> {
    match &operation.link {
        Some(link) if link.target != module => return Err(Reason::MalformedBody),
        Some(_) => {}
        None => {
            operation.link = Some(Link {
                name: String::new(),
                target: module,
            });
        }
    }
    operation.related.push(id);
    Ok(())
}

/// The module that a request asks. Every form that needs one has one in its path.
fn asked(operation: &Operation) -> Result<Module, Reason> {
    operation.target().cloned().ok_or(Reason::UnknownRoute)
}
