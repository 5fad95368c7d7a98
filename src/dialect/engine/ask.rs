//! How a client asks something of an API: the routes of the description that may say it, each tried until one is understood as
//! what was asked.

use http::Method;
use serde_json::{Map, Value, json};

use super::description::{Description, Route, Segment};
use super::{Described, query, render};
use crate::dialect::ask::{Ask, Meant, means};
use crate::dialect::{
    Access, Bounds, Operation, Outgoing, Path, Predicate, Projected, Query, Rendering, Sort,
};
use crate::vocabulary::Field;

/// Rows that are asked for where the API does not let all of them be asked for.
const ROWS: u32 = 20;

/// The request.
pub(super) fn request(described: &Described, ask: &Ask, bounds: &Bounds) -> Option<Outgoing> {
    let meant = ask.meant();
    let description = &*described.description;
    let routes = description.routes.iter();
    routes
        .filter(|route| may_say(description, route, &meant))
        .flat_map(|route| operations(description, route, &meant, bounds))
        .map(|operation| render::request(description, &operation))
        .find(|outgoing| means(described, outgoing, &meant, bounds))
}

/// Whether a route may be the one: it does this with records of the module, and nothing else.
fn may_say(description: &Description, route: &Route, meant: &Meant<'_>) -> bool {
    let is_of_records = route.action == meant.action
        && route.access == Access::Governed
        && route.link.is_none()
        && !(route.matches || route.is_envelope || route.logs_in || route.of_caller);
    let has = |segment: &Segment| route.template.contains(segment);
    let is_open = description.stock.is_some() || route.modules.contains(meant.module);
    let names_modules = || {
        let search = route.search.as_ref();
        search.is_some_and(super::listing::Search::names_modules)
    };
    let is_of_module = match &route.module {
        Some(module) => module == meant.module,
        None => is_open && (has(&Segment::Module) || route.tells()) || names_modules(),
    };
    let names_record = has(&Segment::Id) || route.tells() && meant.record.is_some();
    let is_plain = route
        .template
        .iter()
        .all(|segment| matches!(segment, Segment::Literal(_) | Segment::Module | Segment::Id));
    is_of_records
        && is_of_module
        && is_plain
        && names_record == meant.record.is_some()
        && route.write.is_some() == meant.write.is_some()
        && (meant.search.is_none() || route.search.is_some())
}

/// The ways in which a route may say it.
fn operations(
    description: &Description,
    route: &Route,
    meant: &Meant<'_>,
    bounds: &Bounds,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    let rows = ROWS.min(bounds.page_max);
    for (predicate, source) in predicates(route, meant) {
        for (order, ordered) in orders(route, meant) {
            for limit in [None, Some(rows)] {
                let mut fixed = Map::new();
                if let Some(source) = &source {
                    fixed.insert(query::SOURCES.to_owned(), json!([source]));
                }
                if ordered > 0 {
                    fixed.insert(query::ORDERED.to_owned(), ordered.into());
                }
                let query = Query {
                    projection: projection(route, meant.fields),
                    predicate: predicate.clone(),
                    order: order.clone(),
                    search: meant.search.map(str::to_owned),
                    limit,
                    ..Query::default()
                };
                operations.push(operation(description, route, meant, query, fixed));
            }
        }
    }
    operations
}

/// The fields, where the route lets them be chosen.
fn projection(route: &Route, fields: &[Field]) -> Option<Vec<Projected>> {
    route
        .listing
        .select
        .as_ref()
        .filter(|_| !fields.is_empty())?;
    let fields = fields.iter();
    Some(
        fields
            .map(|field| Projected::Field(field.as_str().to_owned()))
            .collect(),
    )
}

/// A comparison in each style of the route, and where a style is said to stand if there are several.
fn predicates(route: &Route, meant: &Meant<'_>) -> Vec<(Option<Predicate>, Option<Value>)> {
    let Some((field, value)) = &meant.compared else {
        return vec![(None, None)];
    };
    let listing = &route.listing;
    let mut predicates = Vec::new();
    for (number, style) in listing.predicates.iter().enumerate() {
        for filter in style.comparisons(&own(field), value) {
            predicates.push(match listing.is_plain {
                true => (Some(filter), None),
                false => (Some(Predicate::All(vec![filter])), Some(json!([number, 0]))),
            });
        }
    }
    predicates
}

/// An order in each way of the route, with the number of the way.
fn orders(route: &Route, meant: &Meant<'_>) -> Vec<(Vec<Sort>, usize)> {
    let Some(field) = meant.sorted else {
        return vec![(Vec::new(), 0)];
    };
    let order = || {
        vec![Sort {
            path: own(field),
            descending: false,
        }]
    };
    let ways = 0..route.listing.orders.len();
    ways.map(|way| (order(), way)).collect()
}

fn own(field: &Field) -> Path {
    Path {
        link: None,
        field: field.as_str().to_owned(),
    }
}

fn operation(
    description: &Description,
    route: &Route,
    meant: &Meant<'_>,
    query: Query,
    fixed: Map<String, Value>,
) -> Operation {
    Operation {
        action: route.action,
        access: route.access,
        route: route.name,
        version: description.usual_version(),
        credential: None,
        of_caller: false,
        module: Some(meant.module.clone()),
        record: meant.record.map(str::to_owned),
        link: None,
        related: Vec::new(),
        around: Vec::new(),
        query,
        write: meant.write.cloned(),
        rendering: Rendering {
            form: route.form,
            method: Method::clone(&route.method),
            path: String::new(),
            controls: Vec::new(),
            in_body: route.is_in_body(),
            fixed,
        },
    }
}

impl Description {
    /// The version in which something is asked where nobody says in which.
    fn usual_version(&self) -> String {
        let known = self.versions.iter().flat_map(|versions| &versions.known);
        let mut places = self.places.iter();
        let usual = places.find(|(_, prefix)| *prefix == self.prefix);
        let place = usual.map(|(version, _)| (*version).to_owned());
        known.last().cloned().or(place).unwrap_or_default()
    }
}
