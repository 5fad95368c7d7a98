//! What a request writes: the fields of a record, or ids to relate.

use serde_json::{Map, Value, json};

use super::description::{Description, Known, Name, Write};
use super::grammar;
use crate::dialect::carriers::query_string::Names;
use crate::dialect::carriers::{self, Arguments, Media};
use crate::dialect::{Incoming, Operation, spelling};
use crate::json;
use crate::reason::Reason;
use crate::vocabulary::Action;

/// Keys of one write.
const KEYS_MAX: usize = 1_000;
/// Ids of one relate request.
const IDS_MAX: usize = 500;
/// The key of what is remembered of inner objects: which fields lay in which.
const INNER: &str = "inner";
/// The key of the route whose look-up this is.
pub(super) const FOR: &str = "for";

/// Reads a body. A form is read like JSON whose values are texts.
pub(super) fn body(
    request: &Incoming<'_>,
    form: bool,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    let media = Media::of(request.content_type);
    match carriers::form(request.body, media, &Names::PLAIN)
        .filter(|_| form && media == Media::Form)
    {
        Some(form) => form,
        None if matches!(media, Media::Json | Media::JsonApi) => {
            carriers::object(request.body, depth_max)
        }
        None => Err(Reason::UnsupportedMediaType),
    }
}

/// Whether the body of a request that takes none says nothing: an empty object or list, or the id that the path says.
pub(super) fn says_nothing(
    request: &Incoming<'_>,
    id: &str,
    record: Option<&str>,
    depth_max: usize,
) -> bool {
    let is_json = |media: &str| media.trim().eq_ignore_ascii_case("application/json");
    let media = request.content_type.map(spelling::media_in_utf_8);
    if !media.is_none_or(|media| media.is_some_and(is_json)) {
        return false;
    }
    match json::read(request.body, depth_max) {
        Ok(Value::Array(items)) => items.is_empty(),
        Ok(Value::Object(mut members)) => {
            if let Some(record) = record
                && members.get(id).and_then(text).as_deref() == Some(record)
            {
                members.shift_remove(id);
            }
            members.is_empty()
        }
        _ => false,
    }
}

/// What a write is read by.
pub(super) struct Terms<'a> {
    pub(super) known: Option<&'a Known>,
    /// The id in the path of an update.
    pub(super) record: Option<&'a str>,
    /// Members that the API does not look at.
    pub(super) ignored: &'a [String],
}

/// Reads the fields of a record.
pub(super) fn read(
    write: &Write,
    body: Map<String, Value>,
    terms: &Terms<'_>,
    fixed: &mut Map<String, Value>,
) -> Result<Map<String, Value>, Reason> {
    let (known, record) = (terms.known, terms.record);
    let mut body = fields_of(write, body, known, record)?;
    body.retain(|key, _| !terms.ignored.contains(key));
    let id = known.map_or("id", |known| known.id);
    match (body.shift_remove(id), record) {
        (None, _) => {}
        (Some(Value::Null), None) => {}
        (Some(Value::String(stated)), None) if stated.is_empty() => {}
        (Some(_), None) => return Err(Reason::IdOnCreate),
        (Some(stated), Some(record)) if text(&stated).as_deref() == Some(record) => {}
        (Some(_), Some(_)) => return Err(Reason::IdMismatch),
    }
    let mut fields = Map::new();
    let mut inner_keys = Map::new();
    for (key, value) in body {
        let is_inner = known.is_some_and(|known| known.inner.contains(&key.as_str()));
        match value {
            Value::Object(members) if is_inner => {
                inner_keys.insert(key, members.keys().map(String::as_str).collect());
                for (name, value) in members {
                    put(&mut fields, name, value)?;
                }
            }
            Value::Null => put_unless(is_inner, &mut fields, key, Value::Null)?,
            Value::Array(items) if items.is_empty() => {
                put_unless(is_inner, &mut fields, key, Value::Array(items))?;
            }
            _ if is_inner => return Err(Reason::MalformedBody),
            value => put(&mut fields, key, value)?,
        }
    }
    let is_field = |key: &String| grammar::is_field(key) && !key.eq_ignore_ascii_case(id);
    if !fields.keys().all(is_field) {
        return Err(Reason::MalformedBody);
    }
    if !inner_keys.is_empty() {
        fixed.insert(INNER.to_owned(), Value::Object(inner_keys));
    }
    Ok(fields)
}

/// The fields of a body, parted from what stands beside them.
fn fields_of(
    write: &Write,
    body: Map<String, Value>,
    known: Option<&Known>,
    record: Option<&str>,
) -> Result<Map<String, Value>, Reason> {
    let mut arguments = Arguments::of(body);
    for (place, template) in &write.beside {
        let stated = arguments.take_at(place, None);
        match (stated, filled(template, known, record)) {
            (None | Some(Value::Null), _) => {}
            (Some(stated), Some(meant)) if text(&stated) == Some(meant.clone()) => {}
            (Some(_), Some(_)) if template.contains("{id}") => return Err(Reason::IdMismatch),
            (Some(_), None) => return Err(Reason::IdOnCreate),
            (Some(_), Some(_)) => return Err(Reason::MalformedBody),
        }
    }
    if write.under.is_empty() {
        return Ok(arguments.take_all(|_| true));
    }
    let fields = arguments.take_at(&Name(write.under.clone()), None);
    match fields {
        Some(Value::Object(fields)) if arguments.is_empty() => Ok(fields),
        // Whatever stood beside them may be gone, and the fields with it.
        None if arguments.is_empty() && !write.beside.is_empty() => Ok(Map::new()),
        _ => Err(Reason::MalformedBody),
    }
}

/// What must stand beside the fields; `None` where it holds the id of a record that is not made yet.
fn filled(template: &str, known: Option<&Known>, record: Option<&str>) -> Option<String> {
    let module = known.map_or("", |known| known.paths[0].as_str());
    let text = template.replace("{module}", module);
    match record {
        Some(record) => Some(text.replace("{id}", record)),
        None => (!text.contains("{id}")).then_some(text),
    }
}

/// An inner object that is blank holds no field.
fn put_unless(
    is_inner: bool,
    fields: &mut Map<String, Value>,
    key: String,
    value: Value,
) -> Result<(), Reason> {
    if is_inner {
        Ok(())
    } else {
        put(fields, key, value)
    }
}

/// A field has one place, and one spelling; and each is compared with all before it, so that there are few.
fn put(fields: &mut Map<String, Value>, key: String, value: Value) -> Result<(), Reason> {
    let is_full = fields.len() == KEYS_MAX;
    if is_full || fields.keys().any(|known| known.eq_ignore_ascii_case(&key)) {
        return Err(Reason::MalformedBody);
    }
    fields.insert(key, value);
    Ok(())
}

/// The text of an id.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads ids to relate: `{"id": …}` or `{"ids": […]}`.
pub(super) fn ids(
    description: &Description,
    mut body: Map<String, Value>,
) -> Result<Vec<String>, Reason> {
    let ids = match (body.shift_remove("id"), body.shift_remove("ids")) {
        (None, None) => Vec::new(),
        (Some(id), None) => vec![id],
        (None, Some(Value::Array(ids))) if !ids.is_empty() => ids,
        _ => return Err(Reason::MalformedBody),
    };
    if !body.is_empty() || ids.len() > IDS_MAX {
        return Err(Reason::MalformedBody);
    }
    let id = |value: &Value| text(value).filter(|id| description.ids.fit(id));
    ids.iter()
        .map(id)
        .collect::<Option<_>>()
        .ok_or(Reason::MalformedBody)
}

/// The body of a write.
pub(super) fn write(write: &Write, operation: &Operation, known: Option<&Known>) -> Value {
    let mut fields = operation.write.clone().unwrap_or_default();
    let inner = operation
        .rendering
        .fixed
        .get(INNER)
        .and_then(Value::as_object);
    for (key, names) in inner.into_iter().flatten() {
        let names = names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let members: Map<String, Value> = names
            .filter_map(|name| Some((name.to_owned(), fields.shift_remove(name)?)))
            .collect();
        if !members.is_empty() {
            fields.insert(key.clone(), Value::Object(members));
        }
    }
    if write.under.is_empty() && write.beside.is_empty() {
        return Value::Object(fields);
    }
    let mut body = Map::new();
    let record = operation
        .record
        .as_deref()
        .filter(|_| operation.action == Action::Update);
    for (place, template) in &write.beside {
        if let Some(text) = filled(template, known, record) {
            carriers::put(&mut body, place, None, text.into());
        }
    }
    if write.under.is_empty() {
        body.extend(fields);
    } else {
        carriers::put(&mut body, &Name(write.under.clone()), None, fields.into());
    }
    Value::Object(body)
}

/// The body of a relate request.
pub(super) fn write_ids(ids: &[String]) -> Value {
    match ids {
        [id] => json!({ "id": id }),
        ids => json!({ "ids": ids }),
    }
}

/// The fields of a record as it was read: those of inner objects among them, the id under `id`.
pub(super) fn flattened(record: &Map<String, Value>, known: Option<&Known>) -> Map<String, Value> {
    let mut fields = Map::new();
    for (key, value) in record {
        match value {
            Value::Object(members)
                if known.is_some_and(|known| known.inner.contains(&key.as_str())) =>
            {
                fields.extend(members.clone());
            }
            value => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
    if let Some(id) = record
        .get(known.map_or("id", |known| known.id))
        .and_then(text)
    {
        fields.insert("id".to_owned(), Value::String(id));
    }
    fields
}
