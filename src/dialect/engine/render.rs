//! Writes an operation back as the canonical request: templates and names come from the description, values are encoded
//! anew.

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

use super::description::{Carries, Description, Route, Segment};
use super::{query, relations, understand, write};
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
    let mut asked = description.asked(operation);
    if let Some(asked) = &mut asked {
        asked.in_query = !route.is_in_body();
    }
    let mut parameters = match route.matches {
        true => Map::new(),
        false => query::write(&operation.query, fixed, route, asked),
    };
    if let Some(search) = &route.search {
        search.write_modules(operation, route, &mut parameters);
    }
    let mut body = written(description, route, operation);
    if route.is_in_body() {
        let mut members = match body.take() {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        members.append(&mut parameters);
        body = Some(Value::Object(members));
    }
    if let Carries::Json(name) = &route.carries
        && fixed.contains_key(understand::IN_JSON)
    {
        let text = Value::Object(std::mem::take(&mut parameters)).to_string();
        put(&mut parameters, name, None, text.into());
    }
    let mut target = path(description, route, operation, word);
    if !parameters.is_empty() {
        target.push('?');
        let names = description.names.of_parameters();
        target.push_str(&query_string::write(&parameters, names));
    }
    Outgoing {
        method: route.method.clone(),
        target,
        controls: operation.rendering.controls.clone(),
        body: body.map(|body| Bytes::from(body.to_string())),
        media: route.media,
    }
}

/// What the body says, beside the arguments of a query.
fn written(description: &Description, route: &Route, operation: &Operation) -> Option<Value> {
    if route.matches {
        return Some(write::write_matches(operation));
    }
    if let Some(form) = &route.write {
        return Some(write::write(description, form, operation));
    }
    let login = operation.rendering.fixed.get(understand::LOGIN);
    let related = || relations::write(description, &route.relates, operation);
    login.cloned().or_else(related)
}

fn path(description: &Description, route: &Route, operation: &Operation, word: &str) -> String {
    let fixed = &operation.rendering.fixed;
    let words = fixed.get(understand::WORDS).and_then(Value::as_object);
    let mut path = description.place(&operation.version);
    for place in &route.template {
        let segment = match place {
            Segment::Literal(literal) => literal.as_str(),
            Segment::Module => word,
            Segment::Id => operation.record.as_deref().unwrap_or_default(),
            Segment::Link => operation.link.as_ref().map_or("", |link| &link.name),
            Segment::Field => query::told_of(&operation.query).unwrap_or_default(),
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
