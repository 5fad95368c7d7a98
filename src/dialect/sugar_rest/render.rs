//! Writes an operation back as the canonical request. Nothing that a caller typed is relayed: names come from the
//! grammar, values are encoded anew.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::route::{self, Takes};
use super::{decode, query, understand, write};
use crate::dialect::spelling::encode;
use crate::dialect::{Media, Operation, Outgoing};

/// Parameters of a bracketed filter; a larger one travels as JSON. Leaves room for the other arguments.
const BRACKETED_MAX: usize = decode::PARAMETERS_MAX - 20;

/// The request that an operation becomes.
pub(super) fn request(operation: &Operation) -> Outgoing {
    let rendering = &operation.rendering;
    let takes = route::by_route(rendering.form).map_or(Takes::Nothing, |form| form.takes);
    let query = query::render(&operation.query);
    let (parameters, body) = match takes {
        Takes::List | Takes::Fields => (query, None),
        Takes::ListBody => (Map::new(), Some(query)),
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
