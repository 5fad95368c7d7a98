//! Writes an operation back as the canonical request. Nothing that a caller typed is relayed: names come from the
//! grammar, values are encoded anew.

use bytes::Bytes;
use serde_json::Value;

use super::route::{self, Takes};
use super::{query, write};
use crate::dialect::spelling::encode;
use crate::dialect::{Media, Operation, Outgoing};

/// The request that an operation becomes.
pub(super) fn request(operation: &Operation) -> Outgoing {
    let rendering = &operation.rendering;
    let takes = route::by_route(rendering.form).map_or(Takes::Nothing, |form| form.takes);
    let (parameters, body) = match takes {
        Takes::Nothing => (Vec::new(), None),
        Takes::Login => (Vec::new(), Some(Value::Object(rendering.fixed.clone()))),
        Takes::Fields | Takes::List | Takes::Related => (
            query::render(&operation.query, operation.module.as_ref()),
            None,
        ),
        Takes::Create | Takes::Update => (Vec::new(), written(operation)),
        Takes::Relation => (Vec::new(), relation(operation)),
    };
    let mut target = rendering.path.clone();
    for (number, (name, value)) in parameters.iter().enumerate() {
        target.push(if number == 0 { '?' } else { '&' });
        target.push_str(&format!("{}={}", encode(name), encode(value)));
    }
    Outgoing {
        method: rendering.method.clone(),
        target,
        controls: operation.rendering.controls.clone(),
        body: body.map(|body| Bytes::from(body.to_string())),
        media: if takes == Takes::Login {
            Media::Json
        } else {
            Media::JsonApi
        },
    }
}

fn written(operation: &Operation) -> Option<Value> {
    let fields = operation.write.clone().unwrap_or_default();
    let record = operation.record.as_deref();
    let module = operation.module.as_ref()?;
    Some(write::render(module, record, Some(&fields)))
}

fn relation(operation: &Operation) -> Option<Value> {
    let related = operation.related.first().map(String::as_str);
    Some(write::render(operation.target()?, related, None))
}
