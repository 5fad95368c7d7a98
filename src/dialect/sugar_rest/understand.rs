//! What one request means: its form, and what the form carries.

use serde_json::{Map, Value};

use super::Context;
use super::address::{self, Address};
use super::arguments::{self, Arguments};
use super::route::{self, Routed, Takes};
use super::{fixed, projection, query, write};
use crate::dialect::{Incoming, Misunderstood, Operation, Query, Rendering, Understood};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// The member of [`Rendering::fixed`] that tells which related id carries which columns.
pub(super) const CARRIERS: &str = "columns";

/// What a request means.
pub(super) fn request(
    request: &Incoming<'_>,
    terms: &Context<'_>,
) -> Result<Understood<Operation>, Misunderstood> {
    let address = address::read(request.path, request.accept)?;
    let found = route::find(request.method.as_str(), &address.segments, terms)?;
    let route = found.form.route;
    let understood = if found.form.takes == Takes::Parts {
        super::bulk::parts(request, terms).map(|parts| Understood::Bulk {
            credential: None,
            route,
            version: super::bulk::version(&parts).to_owned(),
            parts,
        })
    } else {
        operation(request, terms, &address, found).map(Understood::One)
    };
    understood.map_err(|objection| Misunderstood {
        objection,
        route: Some(route),
    })
}

/// The body of a request, which must be empty unless its method carries one.
pub(super) fn body(
    request: &Incoming<'_>,
    terms: &Context<'_>,
) -> Result<Map<String, Value>, Reason> {
    if matches!(request.method.as_str(), "GET" | "DELETE") && !request.body.is_empty() {
        return Err(Reason::UnexpectedBody);
    }
    arguments::body(request.body, request.content_type, terms.bounds.depth_max)
}

fn operation(
    request: &Incoming<'_>,
    terms: &Context<'_>,
    address: &Address,
    found: Routed,
) -> Result<Operation, Objection> {
    let form = found.form;
    let mut operation = Operation {
        action: form.action,
        access: form.access,
        route: form.route,
        version: address.version.clone(),
        credential: None,
        module: found.module,
        record: found.record,
        link: found.link,
        related: found.related.into_iter().collect(),
        query: Query::default(),
        write: None,
        rendering: Rendering {
            form: form.route,
            method: request.method.clone(),
            path: format!("/rest/{}/{}", address.version, address.segments.join("/")),
            controls: Vec::new(),
            in_body: form.takes == Takes::ListBody,
            fixed: Map::new(),
        },
    };
    let query = Arguments::of_query(request.query)?;
    let body = body(request, terms)?;
    if !body.is_empty() && matches!(form.takes, Takes::Nothing | Takes::Fields) {
        return Err(Reason::UnexpectedBody.into());
    }
    carried(&mut operation, form.takes, query, body, terms)?;
    Ok(operation)
}

/// Reads what the form carries into the operation.
fn carried(
    operation: &mut Operation,
    takes: Takes,
    mut query: Arguments,
    body: Map<String, Value>,
    terms: &Context<'_>,
) -> Result<(), Objection> {
    match takes {
        Takes::Login => operation.rendering.fixed = fixed::login(query, body)?,
        Takes::Metadata | Takes::MetadataBody => {
            operation.rendering.fixed = fixed::metadata(query.and(body)?)?;
        }
        Takes::List | Takes::ListBody => {
            let target = target(operation)?;
            let mut arguments = query.and(body)?;
            operation.query = query::list(&mut arguments, &target, terms)?;
            arguments.finish()?;
        }
        Takes::Fields => {
            let target = target(operation)?;
            operation.query = query::fields(&mut query, &target, terms, projection::DEPTH_MAX)?;
            query.finish()?;
        }
        Takes::Create | Takes::Update => {
            let target = target(operation)?;
            let (beside, body) = split(body);
            let mut arguments = query.and(beside)?;
            operation.query = query::fields(&mut arguments, &target, terms, projection::DEPTH_MAX)?;
            arguments.finish()?;
            operation.write = Some(match &operation.record {
                Some(record) if operation.action == Action::Update => {
                    write::update(body, &target, record)?
                }
                _ => write::create(body, &target)?,
            });
        }
        Takes::Columns => {
            query.finish()?;
            operation.write = write::columns(body)?;
        }
        Takes::Ids => {
            query.finish()?;
            let relations = write::relations(body, &target(operation)?, terms)?;
            operation.link = Some(relations.link);
            operation.related = relations.ids;
            operation.write = relations.columns;
            let carriers = Value::Object(relations.carriers);
            operation
                .rendering
                .fixed
                .insert(CARRIERS.to_owned(), carriers);
        }
        Takes::Nothing | Takes::Parts => query.finish()?,
    }
    Ok(())
}

/// The module that a request asks. Every form that needs one has one in its path.
fn target(operation: &Operation) -> Result<Module, Reason> {
    operation.target().cloned().ok_or(Reason::UnknownRoute)
}

/// Parts the arguments of a write's body from the fields to write.
fn split(mut body: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let beside = write::BESIDE_FIELDS
        .iter()
        .filter_map(|name| {
            body.shift_remove(*name)
                .map(|value| ((*name).to_owned(), value))
        })
        .collect();
    (beside, body)
}
