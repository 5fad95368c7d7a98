//! What one request means: its form, and what the form carries.

use serde_json::{Map, Value};

use super::Context;
use super::address::{self, Address};
use super::arguments;
use super::route::{self, Routed, Takes};
use super::{fixed, projection, query, search, write};
use crate::dialect::carriers::Arguments;
use crate::dialect::{
    Compared, Incoming, Misunderstood, Operation, Path, Predicate, Query, Rendering, Understood,
};
use crate::door::Control;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// The member of [`Rendering::fixed`] that tells which related id carries which columns.
pub(super) const CARRIERS: &str = "columns";

/// The header with which an update is made only if the record has not been changed since, and the field that the CRM
/// compares it with.
const TIMESTAMP: &str = "x-timestamp";
const CHANGED: &str = "date_modified";
/// Bytes of a date.
const DATE_BYTES_MAX: usize = 40;

/// What a request means.
pub(super) fn request(
    request: &Incoming<'_>,
    terms: &Context<'_>,
) -> Result<Understood<Operation>, Misunderstood> {
    let address = address::read(request.path, request.accept)?;
    let found = route::find(request.method.as_str(), &address.segments, terms)?;
    let route = found.form.route;
    let understood = if found.form.takes == Takes::Parts {
        super::bulk::parts(request, terms).map(|envelope| Understood::Bulk {
            credential: envelope.credential,
            route,
            version: super::bulk::version(&envelope.parts).to_owned(),
            parts: envelope.parts,
        })
    } else {
        operation(request, terms, &address, found).map(Understood::One)
    };
    understood.map_err(|objection| Misunderstood {
        objection,
        route: Some(route),
    })
}

/// The body of a request, which must say nothing unless its method or form carries one. Some clients send `{}` with all that
/// they ask.
pub(super) fn body(
    request: &Incoming<'_>,
    takes: Takes,
    terms: &Context<'_>,
) -> Result<Map<String, Value>, Reason> {
    let depth_max = terms.bounds.depth_max;
    let takes_none = match takes {
        Takes::Nothing | Takes::Fields => true,
        Takes::GlobalSearch => false,
        _ => matches!(request.method.as_str(), "GET" | "DELETE"),
    };
    let body = match takes {
        Takes::Login => arguments::login(request.body, request.content_type, depth_max),
        _ => arguments::body(request.body, request.content_type, depth_max),
    };
    match body {
        Ok(members) if members.is_empty() => Ok(members),
        _ if takes_none => Err(Reason::UnexpectedBody),
        body => body,
    }
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
        of_caller: form.is_about_caller(),
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
    if let Some(field) = found.field {
        // What a field may hold is told to whoever may match it: some lists are made of records.
        operation.query.predicate = Some(Predicate::All(vec![one_of(field)]));
    }
    let query = arguments::of_query(request.query)?;
    let body = body(request, form.takes, terms)?;
    carried(&mut operation, form.takes, query, body, terms)?;
    if form.takes == Takes::Update
        && let Some(control) = request
            .controls
            .iter()
            .find(|control| is_condition(control))
    {
        operation.query.compared.push(Compared {
            field: CHANGED.to_owned(),
            header: control.name(),
        });
        operation.rendering.controls.push(control.clone());
    }
    Ok(operation)
}

/// A comparison with whatever the field may hold.
fn one_of(field: String) -> Predicate {
    Predicate::Field {
        path: Path { link: None, field },
        operator: None,
        value: Value::Null,
    }
}

/// Whether a header says since when the record must not have changed: a date, with a time and where that counts.
fn is_condition(control: &Control) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || b"-+:.TZ ".contains(&byte);
    let (name, value) = (control.name(), control.value());
    name == TIMESTAMP
        && (1..=DATE_BYTES_MAX).contains(&value.len())
        && value.starts_with(|first: char| first.is_ascii_digit())
        && value.bytes().all(plain)
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
            shown_as(&mut arguments, operation)?;
            operation.query = query::list(&mut arguments, &target, terms)?;
            if query::nulls_last(&mut arguments)? {
                let last = (query::NULLS_LAST.to_owned(), Value::Bool(true));
                operation.rendering.fixed.extend([last]);
            }
            arguments.finish()?;
        }
        Takes::Search | Takes::GlobalSearch => {
            let is_global = takes == Takes::GlobalSearch;
            let mut arguments = query.and(body)?;
            search::read(&mut arguments, operation, is_global, terms)?;
            arguments.finish()?;
        }
        Takes::Matches => {
            query.finish()?;
            let target = target(operation)?;
            operation.query.predicate = write::matches(body, &target, terms)?;
        }
        Takes::Fields => {
            let target = target(operation)?;
            if operation.action == Action::Read {
                shown_as(&mut query, operation)?;
            }
            query::viewed(&mut query)?;
            operation.query = query::fields(&mut query, &target, terms, projection::DEPTH_MAX)?;
            query.finish()?;
        }
        Takes::Create | Takes::Update => {
            let target = target(operation)?;
            let (beside, body) = split(body);
            query::viewed(&mut query)?;
            let mut arguments = query.and(beside)?;
            operation.query = query::fields(&mut arguments, &target, terms, projection::DEPTH_MAX)?;
            arguments.finish()?;
            let record = operation.record.as_deref();
            let record = record.filter(|_| operation.action == Action::Update);
            let place = write::Place {
                module: operation.module.as_ref(),
                target: &target,
                record,
            };
            operation.write = Some(write::fields(body, &place, terms)?);
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

/// Takes the layout in which records are to be shown.
fn shown_as(arguments: &mut Arguments, operation: &mut Operation) -> Result<(), Reason> {
    if let Some(view) = query::view(arguments)? {
        let shown = (query::VIEW.to_owned(), Value::from(view));
        operation.rendering.fixed.extend([shown]);
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
