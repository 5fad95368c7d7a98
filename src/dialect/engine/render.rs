//! Writes an operation back as the canonical request: templates and names come from the description, values are encoded
//! anew.

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

use super::description::{Carries, Description, Route, Segment};
use super::{query, understand, write};
use crate::dialect::carriers::{put, query_string};
use crate::dialect::{Operation, Outgoing, spelling};

/// The request that an operation becomes.
pub(super) fn request(description: &Description, operation: &Operation) -> Outgoing {
    let Some(route) = description.route(operation.rendering.form) else {
        // No route has a blank form; nothing that the CRM knows is asked.
        return Outgoing {
            method: Method::GET,
            target: description.prefix.clone(),
            controls: Vec::new(),
            body: None,
            media: description.media,
        };
    };
    let fixed = &operation.rendering.fixed;
    let module = operation.module.as_ref();
    let word = module.map_or("", |module| description.word(module));
    let asked = description.asked(operation);
    let mut parameters = query::write(&operation.query, fixed, route, asked);
    let form = route.write.as_ref();
    let mut body = form.map(|form| write::write(description, form, operation));
    if !route.template.contains(&Segment::Related) {
        body = body.or_else(|| write::write_related(description, &route.relates, operation));
    }
    body = body.or_else(|| fixed.get(understand::LOGIN).cloned());
    match &route.carries {
        Carries::Query => {}
        Carries::Body => body = Some(Value::Object(std::mem::take(&mut parameters))),
        Carries::Json(name) => {
            if fixed.contains_key(understand::IN_JSON) {
                let text = Value::Object(std::mem::take(&mut parameters)).to_string();
                put(&mut parameters, name, None, text.into());
            }
        }
    }
    let mut target = path(description, route, operation, word);
    if !parameters.is_empty() {
        target.push('?');
        target.push_str(&query_string::write(&parameters));
    }
    Outgoing {
        method: route.method.clone(),
        target,
        controls: operation.rendering.controls.clone(),
        body: body.map(|body| Bytes::from(body.to_string())),
        media: route.media,
    }
}

fn path(description: &Description, route: &Route, operation: &Operation, word: &str) -> String {
    let fixed = &operation.rendering.fixed;
    let words = fixed.get(understand::WORDS).and_then(Value::as_object);
    let mut path = description.place(&operation.version).to_owned();
    for place in &route.template {
        let segment = match place {
            Segment::Literal(literal) => literal.as_str(),
            Segment::Module => word,
            Segment::Id => operation.record.as_deref().unwrap_or_default(),
            Segment::Link => operation.link.as_ref().map_or("", |link| &link.name),
            Segment::Related => operation.related.first().map_or("", String::as_str),
            Segment::Word(name) => words
                .and_then(|words: &Map<String, Value>| words.get(name)?.as_str())
                .unwrap_or_default(),
            Segment::By(field) => {
                query::in_path(&operation.query, fixed, field).unwrap_or_default()
            }
        };
        path.push('/');
        path.push_str(&spelling::encode(segment));
    }
    path
}
