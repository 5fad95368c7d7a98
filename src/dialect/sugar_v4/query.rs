//! What records are asked for: fields, links, conditions, order, page. Read from arguments.

use serde_json::{Map, Value};

use super::arguments::{Arguments, list, words};
use super::sql::{self, Table};
use super::{grammar, names};
use crate::dialect::schema::Schema;
use crate::dialect::{Projected, Query};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Links of one request: each is a request of its own for every row.
const LINKS_MAX: usize = 10;

/// The fields of a request; `None` leaves the choice to the CRM.
type Fields = Option<Vec<Projected>>;

/// Takes the fields of records and of records behind links, by the names of their arguments. Links without a field
/// leave the choice of fields to the CRM.
pub(super) fn fields(
    arguments: &mut Arguments,
    (fields, links): (&str, &str),
    module: &Module,
    schema: &Schema,
) -> Result<Fields, Reason> {
    let own = names(arguments.list(fields).map_err(malformed)?)?;
    let linked = arguments.list(links).map_err(malformed)?;
    if linked.len() > LINKS_MAX {
        return Err(Reason::MalformedProjection);
    }
    let linked: Vec<Projected> = linked
        .into_iter()
        .map(|item| behind_link(item, module, schema))
        .collect::<Result<_, _>>()?;
    let mut seen: Vec<&str> = Vec::new();
    for item in &linked {
        if let Projected::Collection { link, .. } = item {
            if seen.contains(&link.name.as_str()) {
                return Err(Reason::MalformedProjection);
            }
            seen.push(&link.name);
        }
    }
    Ok(match own {
        None if linked.is_empty() => None,
        own => Some(own.into_iter().flatten().chain(linked).collect()),
    })
}

/// Takes the fields of records that no links go with.
pub(super) fn plain_fields(arguments: &mut Arguments, name: &str) -> Result<Fields, Reason> {
    names(arguments.list(name).map_err(malformed)?)
}

fn malformed(_: Reason) -> Reason {
    Reason::MalformedProjection
}

/// Fields by name, each once; none means all.
fn names(values: Vec<Value>) -> Result<Fields, Reason> {
    let names = words(values, grammar::is_field).ok_or(Reason::MalformedProjection)?;
    let mut fields: Vec<Projected> = Vec::new();
    for name in names {
        let field = Projected::Field(name);
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Ok((!fields.is_empty()).then_some(fields))
}

/// `{"name": LINK, "value": [FIELD, …]}`
fn behind_link(item: Value, module: &Module, schema: &Schema) -> Result<Projected, Reason> {
    let Value::Object(mut members) = item else {
        return Err(Reason::MalformedProjection);
    };
    let name = match members.shift_remove("name") {
        Some(Value::String(name)) if grammar::is_link(&name) => name,
        _ => return Err(Reason::MalformedProjection),
    };
    let fields = members
        .shift_remove("value")
        .map_or(Ok(Vec::new()), list)
        .map_err(malformed)?;
    if !members.is_empty() {
        return Err(Reason::MalformedProjection);
    }
    let link = names::link(schema, module, &name).ok_or(Reason::UnknownLink)?;
    let query = Query {
        projection: names(fields)?,
        ..Query::default()
    };
    Ok(Projected::Collection { link, query })
}

/// Takes a condition about a table, and an order.
pub(super) fn conditions(
    arguments: &mut Arguments,
    (filter, order): (&str, &str),
    table: Table<'_>,
) -> Result<Query, Reason> {
    let text = arguments
        .text(filter)
        .map_err(|_| Reason::MalformedFilter)?;
    let keys = arguments.text(order).map_err(|_| Reason::MalformedOrder)?;
    Ok(Query {
        predicate: sql::filter(&text, table)?,
        order: sql::order(&keys, table)?,
        ..Query::default()
    })
}

/// Takes a page. A size that is not said is the CRM's own; a larger one than is given is as large as is given, for the reply
/// tells that there is more.
pub(super) fn page(
    arguments: &mut Arguments,
    size: &str,
    page_max: u32,
    query: &mut Query,
) -> Result<(), Reason> {
    query.offset = arguments.number("offset")?.map(u64::from);
    query.limit = arguments
        .number(size)?
        .filter(|rows| *rows > 0)
        .map(|rows| rows.min(page_max));
    Ok(())
}

/// Takes a page of a reply that would not tell that there is more.
pub(super) fn silent_page(
    arguments: &mut Arguments,
    size: &str,
    page_max: u32,
    query: &mut Query,
) -> Result<(), Objection> {
    page(arguments, size, u32::MAX, query)?;
    match query.limit {
        Some(rows) if rows > page_max => Err(Objection::page_too_large(page_max)),
        _ => Ok(()),
    }
}

/// Names and values: a list of `{"name": …, "value": …}`, or an object of either.
pub(super) fn pairs(value: Value) -> Result<Map<String, Value>, Reason> {
    let mut pairs: Map<String, Value> = Map::new();
    let items: Vec<(Option<String>, Value)> = match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Array(items) => items.into_iter().map(|item| (None, item)).collect(),
        Value::Object(members) if super::arguments::is_list(&members) => {
            members.into_iter().map(|(_, item)| (None, item)).collect()
        }
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (Some(name), value))
            .collect(),
        _ => return Err(Reason::MalformedBody),
    };
    for (key, item) in items {
        let (name, value) = pair(key, item)?;
        let is_scalar = !value.is_array() && !value.is_object();
        if !grammar::is_field(&name) || !is_scalar || pairs.len() == PAIRS_MAX {
            return Err(Reason::MalformedBody);
        }
        if pairs.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Err(Reason::DuplicateParameter);
        }
        pairs.insert(name, value);
    }
    Ok(pairs)
}

/// Fields of one write.
const PAIRS_MAX: usize = 1_000;

fn pair(key: Option<String>, item: Value) -> Result<(String, Value), Reason> {
    let mut members = match (key, item) {
        (key, Value::Object(members)) => match key {
            // `{"f": {"name": "f", "value": …}}` says the name twice.
            Some(key) if members.get("name").and_then(Value::as_str) != Some(&key) => {
                return Err(Reason::MalformedBody);
            }
            _ => members,
        },
        (Some(key), value) => return Ok((key, value)),
        (None, _) => return Err(Reason::MalformedBody),
    };
    let (Some(Value::String(name)), Some(value)) =
        (members.shift_remove("name"), members.shift_remove("value"))
    else {
        return Err(Reason::MalformedBody);
    };
    members
        .is_empty()
        .then_some((name, value))
        .ok_or(Reason::MalformedBody)
}
