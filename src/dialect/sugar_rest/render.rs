//! Writes an operation back as the canonical request. Nothing that a caller typed is relayed: names come from the
//! grammar, values are encoded anew.

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use super::route::{self, Takes};
use super::{query, search, understand, write};
use crate::dialect::carriers::query_string::PARAMETERS_MAX;
use crate::dialect::spelling::encode;
use crate::dialect::{Media, Operation, Outgoing, Predicate};

/// Parameters of a bracketed filter; a larger one travels as JSON. Leaves room for the other arguments.
const BRACKETED_MAX: usize = PARAMETERS_MAX - 20;

/// The request that an operation becomes.
pub(super) fn request(operation: &Operation) -> Outgoing {
    let rendering = &operation.rendering;
    let takes = route::by_route(rendering.form).map_or(Takes::Nothing, |form| form.takes);
    let query = query::render(&operation.query);
    let (parameters, body) = match takes {
        Takes::List | Takes::Fields => (with(query, &rendering.fixed), None),
        Takes::ListBody => (Map::new(), Some(with(query, &rendering.fixed))),
        Takes::Search => (search::render(operation, false), None),
        Takes::GlobalSearch if rendering.method == Method::GET => {
            (search::render(operation, true), None)
        }
        Takes::GlobalSearch => (Map::new(), Some(search::render(operation, true))),
        Takes::Matches => (Map::new(), Some(matches(operation))),
        Takes::Create | Takes::Update => {
            let mut body = operation.write.clone().unwrap_or_default();
            body.extend(query);
            (Map::new(), Some(body))
        }
        Takes::Columns => (Map::new(), operation.write.clone()),
        Takes::Ids => (Map::new(), Some(ids(operation))),
        Takes::Login | Takes::MetadataBody => (Map::new(), Some(rendering.fixed.clone())),
        Takes::Metadata => (rendering.fixed.clone(), None),
        Takes::Nothing | Takes::Parts => (Map::new(), None),
    };
    let mut target = rendering.path.clone();
    let query_string = query_string(&parameters);
    if !query_string.is_empty() {
        target.push('?');
        target.push_str(&query_string);
    }
    Outgoing {
        method: rendering.method.clone(),
        target,
        controls: operation.rendering.controls.clone(),
        body: body.map(|body| Bytes::from(Value::Object(body).to_string())),
        media: Media::Json,
    }
}

fn with(mut arguments: Map<String, Value>, others: &Map<String, Value>) -> Map<String, Value> {
    arguments.extend(others.clone());
    arguments
}

/// The fields and values of a predicate that is made of nothing else.
fn matches(operation: &Operation) -> Map<String, Value> {
    let Some(Predicate::All(parts)) = &operation.query.predicate else {
        return Map::new();
    };
    let part = |part: &Predicate| match part {
        Predicate::Field { path, value, .. } => Some((path.field.clone(), value.clone())),
        _ => None,
    };
    parts.iter().filter_map(part).collect()
}

fn ids(operation: &Operation) -> Map<String, Value> {
    let carriers = operation.rendering.fixed.get(understand::CARRIERS);
    let ids = write::render_ids(&operation.related, operation.write.as_ref(), carriers);
    let name = operation.link.as_ref().map(|link| link.name.as_str());
    Map::from_iter([
        ("link_name".to_owned(), json!(name)),
        ("ids".to_owned(), ids),
    ])
}

fn query_string(parameters: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in parameters {
        match value {
            Value::String(text) => pairs.push((name.clone(), text.clone())),
            Value::Bool(flag) => pairs.push((name.clone(), u8::from(*flag).to_string())),
            Value::Object(_) => match bracketed(name, value) {
                Some(members) => pairs.extend(members),
                None => pairs.push((name.clone(), value.to_string())),
            },
            Value::Array(_) if name == "filter" => match bracketed(name, value) {
                Some(filter) => pairs.extend(filter),
                None => pairs.push((name.clone(), value.to_string())),
            },
            other => pairs.push((name.clone(), other.to_string())),
        }
    }
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// A filter in brackets; `None` where brackets would lose something: a type, an empty list, or PHP's patience.
fn bracketed(name: &str, filter: &Value) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    flatten(name.to_owned(), filter, &mut pairs)?;
    (pairs.len() <= BRACKETED_MAX).then_some(pairs)
}

fn flatten(name: String, value: &Value, pairs: &mut Vec<(String, String)>) -> Option<()> {
    match value {
        Value::String(text) => pairs.push((name, text.clone())),
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                flatten(format!("{name}[{index}]"), item, pairs)?;
            }
        }
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                flatten(format!("{name}[{key}]"), member, pairs)?;
            }
        }
        _ => return None,
    }
    Some(())
}
