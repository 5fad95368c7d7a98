//! What a request relates: ids, the document of a record, and what the relation itself holds.

use serde_json::{Map, Value, json};

use super::description::{Description, Relates, Write};
use super::write::{self, document, framed, text};
use crate::dialect::carriers::Arguments;
use crate::dialect::schema::Schema;
use crate::dialect::{Link, Operation, Rendering};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Ids of one relate request.
const IDS_MAX: usize = 500;
/// Columns of all relations of one request.
const COLUMNS_MAX: usize = 1_000;
/// Bytes of a column's value.
const COLUMN_BYTES_MAX: usize = 1_000;
/// The key of what is remembered: which related id carries which columns.
const CARRIERS: &str = "columns";

/// Reads ids to relate: `{"id": …}` or `{"ids": […]}`.
fn ids(description: &Description, mut body: Map<String, Value>) -> Result<Vec<String>, Reason> {
    let ids = match (body.shift_remove("id"), body.shift_remove("ids")) {
        (None, None) => Vec::new(),
        (Some(id), None) => vec![id],
        (None, Some(Value::Array(ids))) if !ids.is_empty() => ids,
        _ => return Err(Reason::MalformedBody),
    };
    if !body.is_empty() || ids.len() > IDS_MAX {
        return Err(Reason::MalformedBody);
    }
    let id = |value: &Value| text(value).filter(|id| description.is_id(id));
    ids.iter()
        .map(id)
        .collect::<Option<_>>()
        .ok_or(Reason::MalformedBody)
}

/// Reads module and id of a record to relate.
pub(super) fn relation(
    description: &Description,
    form: &Write,
    body: Map<String, Value>,
) -> Result<(Module, String), Objection> {
    let document = document(description, form, body)?;
    if document.fields.is_some() {
        return Err(Reason::MalformedBody.into());
    }
    Ok((document.module, write::id(description, document.id)?))
}

/// Reads what one relation holds: named scalars. `None` if that is nothing.
fn columns(
    description: &Description,
    body: Map<String, Value>,
) -> Result<Option<Map<String, Value>>, Objection> {
    write::are_fields(description, "id", &body)?;
    let is_column = |value: &Value| match value {
        Value::String(text) => text.len() <= COLUMN_BYTES_MAX,
        Value::Number(number) => number.to_string().len() <= COLUMN_BYTES_MAX,
        Value::Null | Value::Bool(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    };
    if body.len() > COLUMNS_MAX || !body.values().all(is_column) {
        return Err(Reason::MalformedBody.into());
    }
    Ok((!body.is_empty()).then_some(body))
}

/// Several relations through one link, each perhaps with what it holds.
#[derive(Default)]
struct Relations {
    ids: Vec<String>,
    /// The columns of all relations. A column that several relations carry has one value: a plan decides about it once.
    columns: Option<Map<String, Value>>,
    /// Per id: the names of its columns.
    carriers: Map<String, Value>,
}

impl Relations {
    fn add(&mut self, description: &Description, item: Value) -> Result<(), Objection> {
        let (id, columns) = match item {
            Value::String(id) => (id, None),
            Value::Object(mut members) => match members.shift_remove("id") {
                Some(Value::String(id)) => (id, columns(description, members)?),
                _ => return Err(Reason::MalformedBody.into()),
            },
            _ => return Err(Reason::MalformedBody.into()),
        };
        if !description.is_id(&id) || self.ids.contains(&id) {
            return Err(Reason::MalformedBody.into());
        }
        if let Some(columns) = columns {
            let names: Vec<&String> = columns.keys().collect();
            self.carriers.insert(id.clone(), json!(names));
            let all = self.columns.get_or_insert_default();
            for (name, value) in columns {
                let known = all.keys().find(|known| known.eq_ignore_ascii_case(&name));
                let is_other = known.is_some_and(|known| *known != name || all[&name] != value);
                if is_other || (known.is_none() && all.len() == COLUMNS_MAX) {
                    return Err(Reason::MalformedBody.into());
                }
                all.insert(name, value);
            }
        }
        self.ids.push(id);
        Ok(())
    }
}

/// Reads `{"link_name": …, "ids": [id | {"id": …, columns…}]}`, where these are the names of link and ids.
fn listed(
    description: &Description,
    schema: Option<&Schema>,
    (link, ids): (&str, &str),
    body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<(), Objection> {
    let mut arguments = Arguments::of(body);
    let name = match arguments.take(link) {
        Some(Value::String(name)) if description.names.is_link(&name) => name,
        _ => return Err(Reason::MalformedBody.into()),
    };
    let Some(Value::Array(items)) = arguments.take(ids) else {
        return Err(Reason::MalformedBody.into());
    };
    arguments.finish()?;
    if items.is_empty() || items.len() > IDS_MAX {
        return Err(Reason::MalformedBody.into());
    }
    let module = operation.module.as_ref().ok_or(Reason::UnknownRoute)?;
    let link = description.link(schema, module, &name);
    operation.link = Some(link.ok_or(Reason::UnknownLink)?);
    let mut relations = Relations::default();
    items
        .into_iter()
        .try_for_each(|item| relations.add(description, item))?;
    operation.related = relations.ids;
    operation.write = relations.columns;
    let fixed = &mut operation.rendering.fixed;
    fixed.insert(CARRIERS.to_owned(), relations.carriers.into());
    Ok(())
}

/// Writes the list of ids back, each with those of its columns that are still to be written.
fn write_listed(operation: &Operation) -> Value {
    let Rendering { fixed, .. } = &operation.rendering;
    let item = |id: &String| {
        let carried = fixed.get(CARRIERS).and_then(|all| all.get(id)?.as_array());
        let columns = carried.into_iter().flatten().filter_map(|name| {
            let name = name.as_str()?;
            Some((
                name.to_owned(),
                operation.write.as_ref()?.get(name)?.clone(),
            ))
        });
        let columns: Map<String, Value> = columns.collect();
        if columns.is_empty() {
            return json!(id);
        }
        let mut members = Map::from_iter([("id".to_owned(), json!(id))]);
        members.extend(columns);
        Value::Object(members)
    };
    operation.related.iter().map(item).collect()
}

/// The record to relate belongs to the link's target; where the path names no link, the API looks for one that leads to
/// the record's module.
fn relate(operation: &mut Operation, target: Module, id: String) -> Result<(), Reason> {
    match &operation.link {
        Some(link) if link.target != target => return Err(Reason::MalformedBody),
        Some(_) => {}
        None => {
            let name = String::new();
            operation.link = Some(Link { name, target });
        }
    }
    operation.related.push(id);
    Ok(())
}

/// Reads what a request relates into its operation.
pub(super) fn read(
    description: &Description,
    schema: Option<&Schema>,
    relates: &Relates,
    body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<(), Objection> {
    match relates {
        Relates::No => {}
        Relates::Ids => {
            let ids = ids(description, body)?;
            if ids.is_empty() == operation.related.is_empty() {
                return Err(Reason::MalformedBody.into());
            }
            operation.related.extend(ids);
        }
        Relates::Document(form) => {
            let (module, id) = relation(description, form, body)?;
            relate(operation, module, id)?;
        }
        Relates::Columns => operation.write = columns(description, body)?,
        Relates::Listed { link, ids } => {
            listed(description, schema, (link, ids), body, operation)?;
        }
    }
    Ok(())
}

/// The body of a relate request.
pub(super) fn write(
    description: &Description,
    relates: &Relates,
    operation: &Operation,
) -> Option<Value> {
    match (relates, operation.related.as_slice()) {
        (Relates::No, _) => None,
        (Relates::Columns, _) => operation.write.clone().map(Value::Object),
        (Relates::Listed { link, ids }, _) => {
            let name = operation.link.as_ref().map(|link| link.name.as_str());
            let members = [
                (link.clone(), json!(name)),
                (ids.clone(), write_listed(operation)),
            ];
            Some(Value::Object(Map::from_iter(members)))
        }
        (Relates::Document(form), related) => {
            let word = operation
                .target()
                .map_or("", |module| description.word(module));
            let record = related.first().map(String::as_str);
            Some(framed(form, word, record, None))
        }
        (Relates::Ids, [id]) => Some(json!({ "id": id })),
        (Relates::Ids, ids) => Some(json!({ "ids": ids })),
    }
}

impl Relates {
    /// The form of a document.
    pub(super) fn document(&self) -> Option<&Write> {
        match self {
            Self::Document(form) => Some(form),
            _ => None,
        }
    }
}
