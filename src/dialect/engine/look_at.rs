//! The read of a record that a request names, before anything is done with it.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Map;

use super::description::{Description, Route, Segment};
use super::understand::{self, WORDS};
use crate::dialect::{Access, Operation, Projected, Query, Rendering};
use crate::vocabulary::{Action, Field, RecordRef};

/// The read of a record with these fields.
pub(super) fn read(
    description: &Description,
    operation: &Operation,
    record: &RecordRef,
    fields: &BTreeSet<Field>,
) -> Option<Operation> {
    let words = operation.rendering.fixed.get(WORDS);
    let words = words.map(|words| (WORDS.to_owned(), words.clone()));
    let route = route(description, operation, record)?;
    let names = fields.iter();
    let names: Vec<&str> = names
        .map(|field| description.spelled(&record.module, field))
        .collect();
    // Beside a key under which the fields lie, the id always stands.
    let id = route.reply.under().is_none();
    let id = id.then(|| description.id_key(&record.module));
    let is_short = understand::fits_line(route, names.iter().map(|name| name.len()));
    let named = id.into_iter().chain(names);
    let projection: Vec<Projected> = named
        .map(|name| Projected::Field(name.to_owned()))
        .collect();
    let selects = is_short && !projection.is_empty() && route.listing.select.is_some();
    let query = Query {
        projection: selects.then_some(projection),
        ..Query::default()
    };
    Some(Operation {
        action: route.action,
        access: Access::Governed,
        route: route.name,
        version: operation.version.clone(),
        credential: operation.credential.clone(),
        of_caller: false,
        module: Some(record.module.clone()),
        record: Some(record.id.to_string()),
        link: None,
        related: Vec::new(),
        around: Vec::new(),
        query,
        write: None,
        rendering: Rendering {
            form: route.form,
            method: route.method.clone(),
            path: String::new(),
            controls: Vec::new(),
            in_body: false,
            fixed: Map::from_iter(words),
        },
    })
}

/// The route that reads such a record: a read by its id, or a list that holds it, as the description says of an update.
fn route<'a>(
    description: &'a Description,
    operation: &Operation,
    record: &RecordRef,
) -> Option<&'a Route> {
    let has_words = operation.rendering.fixed.contains_key(WORDS);
    let is_plain = |route: &&Route| {
        let mut places = route.template.iter();
        places.all(|place| match place {
            Segment::Literal(_) | Segment::Module | Segment::Id => true,
            Segment::Word(_) => has_words,
            _ => false,
        })
    };
    let is_of_module = |route: &&Route| match &route.module {
        Some(module) => *module == record.module,
        None => {
            let is_open = description.stock.is_some() || route.modules.contains(&record.module);
            is_open && route.template.contains(&Segment::Module)
        }
    };
    let is_read = |route: &&Route| {
        route.method == Method::GET
            && route.action == Action::Read
            && route.access == Access::Governed
            && route.link.is_none()
            && !route.of_caller
            && route.template.contains(&Segment::Id)
    };
    let mut routes = description.routes.iter();
    let read = routes.find(|route| is_read(route) && is_plain(route) && is_of_module(route));
    read.or_else(|| {
        let mut updates = description.routes.iter().filter(is_of_module);
        let stated = updates.find_map(|route| description.routes.get(route.look_up?));
        stated.filter(is_plain)
    })
}
