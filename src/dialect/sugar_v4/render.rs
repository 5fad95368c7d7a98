//! Writes an operation back as the canonical request: a form in one spelling, the method in lower case, the arguments
//! by position. Nothing that a caller typed is relayed.

use bytes::Bytes;
use http::Method as Verb;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::method;
use super::names;
use super::sql::{self, Table};
use super::understand::{CHOSEN, DELETE};
use super::version::{PATH, Version};
use crate::dialect::schema::Schema;
use crate::dialect::{Database, Media, Operation, Outgoing, Predicate, Projected, Query};
use crate::door::Credential;
use crate::vocabulary::{Action, Module};

/// The request that an operation becomes.
pub(super) fn request(operation: &Operation, schema: &Schema, database: Database) -> Outgoing {
    let name = operation.rendering.form;
    let method = method::by_name(name);
    let names = method.map_or([].as_slice(), |method| method.arguments);
    let taken = Version::named(&operation.version)
        .zip(method)
        .and_then(|(version, method)| version.arguments(method));
    let arguments = names
        .iter()
        .take(taken.unwrap_or(names.len()))
        .map(|name| match *name {
            "query" | "related_module_query" => filter_text(operation, schema, database),
            name => argument(name, operation),
        })
        .collect();
    at(&operation.rendering.path, name, &Value::Array(arguments))
}

/// A call of a method in the last version.
pub(super) fn call(name: &str, arguments: &Value) -> Outgoing {
    at(PATH, name, arguments)
}

fn at(path: &str, name: &str, arguments: &Value) -> Outgoing {
    let arguments = without_markup(&arguments.to_string());
    let encoded = utf8_percent_encode(&arguments, NON_ALPHANUMERIC);
    let body = format!("method={name}&input_type=JSON&response_type=JSON&rest_data={encoded}");
    Outgoing {
        method: Verb::POST,
        target: path.to_owned(),
        controls: Vec::new(),
        body: Some(Bytes::from(body)),
        media: Media::Form,
    }
}

/// JSON without a character that means something in HTML: old versions undo entities before they read the JSON, and
/// there is none. Such characters stand in its strings only.
fn without_markup(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '&' | '<' | '>' | '\'' => plain.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => plain.push(other),
        }
    }
    plain
}

/// The session, as an argument.
pub(super) fn session(credential: Option<&Credential>) -> Value {
    json!(credential.map(Credential::token).unwrap_or_default())
}

/// The value of an argument, by its name. What nobody sets is `null`.
fn argument(name: &str, operation: &Operation) -> Value {
    let query = &operation.query;
    match name {
        "session" => session(operation.credential.as_ref()),
        "module_name" => json!(operation.module.as_ref().map(ToString::to_string)),
        "modules" => json!([operation.module.as_ref().map(ToString::to_string)]),
        "id" | "module_id" => json!(operation.record),
        "link_field_name" => json!(operation.link.as_ref().map(|link| &link.name)),
        "select_fields" | "related_fields" => select_fields(operation),
        "link_name_to_fields_array" | "related_module_link_name_to_fields_array" => links(query),
        "order_by" => json!(sql::render_order(&query.order)),
        "offset" => json!(query.offset.unwrap_or(0)),
        "max_results" | "limit" => json!(query.limit.unwrap_or(0)),
        "deleted" => json!(0),
        "favorites" => json!(query.about_caller.iter().any(|(_, wanted)| *wanted)),
        "track_view" => json!(false),
        "search_string" => json!(query.search),
        "assigned_user_id" => owner(query),
        "related_ids" => json!(operation.related),
        "name_value_list" => name_value_list(operation),
        DELETE => {
            let ends = operation.rendering.fixed.get(DELETE) == Some(&Value::Bool(true));
            json!(u8::from(ends))
        }
        name => operation
            .rendering
            .fixed
            .get(name)
            .cloned()
            .unwrap_or_default(),
    }
}

/// Whose records are searched.
fn owner(query: &Query) -> Value {
    match &query.predicate {
        Some(Predicate::Field { value, .. }) => value.clone(),
        _ => json!(""),
    }
}

/// What a login says beside itself, the fields of a record, or the columns of a relation.
fn name_value_list(operation: &Operation) -> Value {
    let beside = operation.rendering.fixed.get("name_value_list");
    match (beside, operation.action) {
        (Some(Value::Object(beside)), _) => pairs(beside),
        (_, Action::Relate) => operation.write.as_ref().map_or_else(|| json!([]), pairs),
        _ => written(operation),
    }
}

fn filter_text(operation: &Operation, schema: &Schema, database: Database) -> Value {
    let table = names::of_table(schema, operation);
    let table = Table {
        name: &table,
        module: operation.target().map_or("", Module::as_str),
        database,
    };
    let filter = operation.query.predicate.as_ref();
    json!(
        filter
            .map(|filter| sql::render(filter, table))
            .unwrap_or_default()
    )
}

/// The fields asked for. For the CRM, none means all: where the caller chose some and none is left, it is the id.
fn select_fields(operation: &Operation) -> Value {
    let names = names(operation.query.projection.as_deref().unwrap_or_default());
    let chosen = operation.rendering.fixed.get(CHOSEN) == Some(&Value::Bool(true));
    if names.is_empty() && chosen {
        json!(["id"])
    } else {
        json!(names)
    }
}

fn names(items: &[Projected]) -> Vec<&str> {
    items
        .iter()
        .filter_map(|item| match item {
            Projected::Field(name) => Some(name.as_str()),
            Projected::Collection { .. } => None,
        })
        .collect()
}

fn links(query: &Query) -> Value {
    let items = query.projection.iter().flatten();
    items
        .filter_map(|item| match item {
            Projected::Collection { link, query } => {
                let fields = names(query.projection.as_deref().unwrap_or_default());
                Some(json!({"name": link.name, "value": fields}))
            }
            Projected::Field(_) => None,
        })
        .collect()
}

/// The fields that a record is written with, its id before them.
fn written(operation: &Operation) -> Value {
    let mut list = Vec::new();
    if let Some(record) = &operation.record {
        list.push(pair("id", &json!(record)));
    }
    if operation.action == Action::Delete {
        list.push(pair("deleted", &json!(1)));
    }
    let fields = operation.write.iter().flatten();
    list.extend(fields.map(|(name, value)| pair(name, value)));
    Value::Array(list)
}

fn pairs(fields: &Map<String, Value>) -> Value {
    fields
        .iter()
        .map(|(name, value)| pair(name, value))
        .collect()
}

fn pair(name: &str, value: &Value) -> Value {
    json!({"name": name, "value": value})
}
