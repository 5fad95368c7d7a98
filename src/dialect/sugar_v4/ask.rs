//! How a client asks something, in the last version.

use http::Method as Verb;
use serde_json::{Map, json};

use super::method::{self, Kind};
use super::understand::CHOSEN;
use super::{SugarV4, render, version};
use crate::dialect::ask::{Ask, Meant, means};
use crate::dialect::{
    Bounds, Operation, Outgoing, Path, Predicate, Projected, Query, Rendering, Sort,
};
use crate::vocabulary::{Action, Field};

/// The request.
pub(super) fn request(dialect: &SugarV4, ask: &Ask, bounds: &Bounds) -> Option<Outgoing> {
    let meant = ask.meant();
    let kind = match meant.action {
        Action::Read => Kind::Entry,
        Action::Create | Action::Update => Kind::SetEntry,
        _ if meant.search.is_some() => Kind::Search,
        _ => Kind::List,
    };
    let operation = operation(method::of(kind)?, &meant);
    let outgoing = render::request(&operation, &dialect.schema, dialect.database);
    means(dialect, &outgoing, &meant, bounds).then_some(outgoing)
}

fn operation(method: &'static method::Method, meant: &Meant<'_>) -> Operation {
    let own = |field: &Field| Path {
        link: None,
        field: field.as_str().to_owned(),
    };
    let fields = meant.fields.iter();
    let fields = fields.map(|field| Projected::Field(field.as_str().to_owned()));
    let chose = !meant.fields.is_empty();
    let comparison = meant.compared.as_ref().map(|(field, value)| {
        Predicate::All(vec![Predicate::Field {
            path: own(field),
            operator: Some("="),
            value: value.clone(),
        }])
    });
    let order = meant.sorted.map(|field| Sort {
        path: own(field),
        descending: false,
    });
    Operation {
        action: meant.action,
        access: method.access,
        route: method.route,
        version: version::Version::V4_1.name().to_owned(),
        credential: None,
        of_caller: false,
        module: Some(meant.module.clone()),
        record: meant.record.map(str::to_owned),
        link: None,
        related: Vec::new(),
        around: Vec::new(),
        query: Query {
            projection: chose.then(|| fields.collect()),
            predicate: comparison,
            order: order.into_iter().collect(),
            search: meant.search.map(str::to_owned),
            ..Query::default()
        },
        write: meant.write.cloned(),
        rendering: Rendering {
            form: method.name,
            method: Verb::POST,
            path: version::PATH.to_owned(),
            controls: Vec::new(),
            in_body: true,
            fixed: Map::from_iter([
                (CHOSEN.to_owned(), json!(chose)),
                ("unified_search_only".to_owned(), json!(true)),
            ]),
        },
    }
}
