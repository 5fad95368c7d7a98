//! Writes an operation back as the canonical request: a form in one spelling, the method in lower case, the arguments
//! by position. Nothing that a caller typed is relayed.

use bytes::Bytes;
use http::Method as Verb;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::method::{self, Kind};
use super::schema::Schema;
use super::sql;
use super::understand::{CHOSEN, ENDS, FIELDS, FILTER, IDS, PATH, UNIFIED};
use crate::dialect::{Filter, Media, Operation, Outgoing, Projected, Query};
use crate::door::Credential;
use crate::vocabulary::Action;

/// The request that an operation becomes.
pub(super) fn request(operation: &Operation, schema: &Schema) -> Outgoing {
    let name = operation.rendering.form;
    let kind = method::by_name(name).map(|method| method.kind);
    let arguments = kind.map_or(Vec::new(), |kind| arguments(kind, operation, schema));
    call(name, &Value::Array(arguments))
}

/// A call of a method.
pub(super) fn call(name: &str, arguments: &Value) -> Outgoing {
    let arguments = arguments.to_string();
    let encoded = utf8_percent_encode(&arguments, NON_ALPHANUMERIC);
    let body = format!("method={name}&input_type=JSON&response_type=JSON&rest_data={encoded}");
    Outgoing {
        method: Verb::POST,
        target: PATH.to_owned(),
        body: Some(Bytes::from(body)),
        media: Media::Form,
    }
}

/// The session, as an argument.
pub(super) fn session(credential: Option<&Credential>) -> Value {
    json!(credential.map(Credential::token).unwrap_or_default())
}

fn arguments(kind: Kind, operation: &Operation, schema: &Schema) -> Vec<Value> {
    let fixed = |name: &str| operation.rendering.fixed.get(name).cloned();
    let query = &operation.query;
    let session = session(operation.credential.as_ref());
    let module = json!(operation.module.as_ref().map(ToString::to_string));
    let record = json!(operation.record);
    let select = || select_fields(operation);
    let links = || links(query);
    match kind {
        Kind::Login => ["user_auth", "application_name", "name_value_list"]
            .into_iter()
            .map(|name| match fixed(name) {
                Some(Value::Object(list)) if name == "name_value_list" => pairs(&list),
                value => value.unwrap_or_default(),
            })
            .collect(),
        Kind::ServerInfo => Vec::new(),
        Kind::Logout | Kind::UserId => vec![session],
        Kind::Modules => vec![session, fixed(FILTER).unwrap_or_default()],
        Kind::ModuleFields => vec![session, module, fixed(FIELDS).unwrap_or_else(|| json!([]))],
        Kind::ModuleHash => vec![session, module],
        Kind::Entry => vec![session, module, record, select(), links(), json!(false)],
        Kind::Entries => {
            let ids = fixed(IDS).unwrap_or_else(|| json!([]));
            vec![session, module, ids, select(), links(), json!(false)]
        }
        Kind::List => {
            let page = (offset(query), json!(query.limit.unwrap_or(0)));
            let text = filter_text(operation, schema);
            let order = json!(sql::render_order(&query.order));
            let favorites = json!(is_about_caller(query));
            vec![
                session,
                module,
                text,
                order,
                page.0,
                select(),
                links(),
                page.1,
                json!(0),
                favorites,
            ]
        }
        Kind::Count => vec![session, module, filter_text(operation, schema), json!(0)],
        Kind::Related => {
            let link = json!(operation.link.as_ref().map(|link| &link.name));
            let text = filter_text(operation, schema);
            let order = json!(sql::render_order(&query.order));
            let page = (offset(query), json!(query.limit.unwrap_or(0)));
            vec![
                session,
                module,
                record,
                link,
                text,
                select(),
                links(),
                json!(0),
                order,
                page.0,
                page.1,
            ]
        }
        Kind::SetEntry | Kind::SetEntries => {
            vec![session, module, written(operation), json!(false)]
        }
        Kind::Relate | Kind::RelateAll => {
            let link = json!(operation.link.as_ref().map(|link| &link.name));
            let columns = operation.write.as_ref().map_or_else(|| json!([]), pairs);
            let ends = u8::from(fixed(ENDS) == Some(Value::Bool(true)));
            vec![
                session,
                module,
                record,
                link,
                json!(operation.related),
                columns,
                json!(ends),
            ]
        }
        Kind::Search => search(operation, session, module),
    }
}

fn search(operation: &Operation, session: Value, module: Value) -> Vec<Value> {
    let query = &operation.query;
    let owner = match &query.filter {
        Some(Filter::Field { value, .. }) => value.clone(),
        _ => json!(""),
    };
    vec![
        session,
        json!(query.search),
        json!([module]),
        offset(query),
        json!(query.limit.unwrap_or(0)),
        owner,
        select_fields(operation),
        json!(operation.rendering.fixed.get(UNIFIED) != Some(&Value::Bool(false))),
        json!(is_about_caller(query)),
    ]
}

fn offset(query: &Query) -> Value {
    json!(query.offset.unwrap_or(0))
}

fn is_about_caller(query: &Query) -> bool {
    query.about_caller.iter().any(|(_, wanted)| *wanted)
}

fn filter_text(operation: &Operation, schema: &Schema) -> Value {
    let table = match (&operation.link, &operation.module) {
        (Some(link), _) => schema.table_behind(link),
        (None, Some(module)) => schema.table(module),
        (None, None) => String::new(),
    };
    let filter = operation.query.filter.as_ref();
    json!(
        filter
            .map(|filter| sql::render(filter, &table))
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
