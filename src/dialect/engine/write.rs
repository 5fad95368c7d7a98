//! What a request writes: the fields of a record.

use serde_json::{Map, Value};

use super::description::{Description, Known, Name, Repeats, Write, Written};
use crate::dialect::carriers::{self, Arguments, is_blank};
use crate::dialect::schema::Schema;
use crate::dialect::{Operation, Origin, Path, Predicate};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// Keys of one write.
const KEYS_MAX: usize = 1_000;
/// The key of what is remembered of inner objects: which fields lay in which.
const INNER: &str = "inner";
/// The key of the route whose look-up this is.
pub(super) const FOR: &str = "for";

/// A document that tells which record it is of.
pub(super) struct Document {
    pub(super) module: Module,
    pub(super) id: Option<Value>,
    pub(super) fields: Option<Value>,
}

/// Reads a document that tells module and id beside the fields; nothing else stands in it.
pub(super) fn document(
    description: &Description,
    form: &Write,
    body: Map<String, Value>,
) -> Result<Document, Objection> {
    let (last, outer) = form.under.split_last().ok_or(Reason::MalformedBody)?;
    let mut members = Arguments::of(body);
    for step in outer {
        let Some(Value::Object(inner)) = members.take(step) else {
            return Err(Reason::MalformedBody.into());
        };
        members.finish()?;
        members = Arguments::of(inner);
    }
    let mut stated = |template: &str| {
        let (place, _) = form.beside.iter().find(|(_, known)| known == template)?;
        members.take(place.0.last()?)
    };
    let module = match stated("{module}") {
        Some(Value::String(name)) => description.module_named(&name),
        _ => None,
    };
    let module = module.ok_or(Reason::MalformedBody)?;
    let id = stated("{id}");
    let fields = members.take(last);
    members.finish()?;
    Ok(Document { module, id, fields })
}

/// The id of a record that there is.
pub(super) fn id(description: &Description, stated: Option<Value>) -> Result<String, Reason> {
    match stated {
        Some(Value::String(id)) if description.is_id(&id) => Ok(id),
        _ => Err(Reason::MalformedBody),
    }
}

/// The id of a new record. It may state a UUID, if the API refuses one that it has, deleted records included.
pub(super) fn own_id(form: &Write, stated: Option<Value>) -> Result<Option<String>, Reason> {
    match stated {
        id if is_blank(id.as_ref()) => Ok(None),
        Some(Value::String(id)) if form.own_id && is_uuid(&id) => Ok(Some(id)),
        _ => Err(Reason::IdOnCreate),
    }
}

fn is_uuid(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    let fits = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    lengths.eq([8, 4, 4, 4, 12]) && id.bytes().all(fits)
}

/// The fields of a document. PHP writes an empty object as an empty array.
pub(super) fn plain(fields: Option<Value>) -> Result<Map<String, Value>, Reason> {
    match fields {
        None => Ok(Map::new()),
        Some(Value::Object(fields)) => Ok(fields),
        Some(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        Some(_) => Err(Reason::MalformedBody),
    }
}

/// Reads the fields of a record into the operation that writes it.
pub(super) fn read(
    description: &Description,
    schema: Option<&Schema>,
    mut body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<(), Objection> {
    leave_out(description, schema, &mut body, operation);
    let target = operation.target();
    let known = target.and_then(|target| description.known(target));
    let record = match operation.action {
        Action::Update => operation.record.as_deref(),
        _ => None,
    };
    let id = known.map_or("id", |known| known.id);
    match (body.shift_remove(id), record) {
        (None, _) => {}
        (Some(Value::Null), None) => {}
        (Some(Value::String(stated)), None) if stated.is_empty() => {}
        (Some(_), None) => return Err(Reason::IdOnCreate.into()),
        (Some(stated), Some(record)) if text(&stated).as_deref() == Some(record) => {}
        (Some(_), Some(_)) => return Err(Reason::IdMismatch.into()),
    }
    description.written.take_from(&mut body)?;
    let inner = known.map_or(&[][..], |known| &known.inner);
    let mut fields = Map::new();
    let mut inner_keys = Map::new();
    for (key, value) in body {
        let is_inner = inner.contains(&key.as_str());
        match value {
            Value::Object(members) if is_inner => {
                inner_keys.insert(key, members.keys().map(String::as_str).collect());
                for (name, value) in members {
                    put(&mut fields, name, value)?;
                }
            }
            // An inner object that is blank holds no field.
            Value::Null if is_inner => {}
            Value::Array(items) if is_inner && items.is_empty() => {}
            _ if is_inner => return Err(Reason::MalformedBody.into()),
            value => put(&mut fields, key, value)?,
        }
    }
    are_fields(description, id, &fields)?;
    if !are_apart(&fields) {
        return Err(Reason::MalformedBody.into());
    }
    if !inner_keys.is_empty() {
        let fixed = &mut operation.rendering.fixed;
        fixed.insert(INNER.to_owned(), Value::Object(inner_keys));
    }
    operation.write = Some(fields);
    Ok(())
}

/// Leaves out what the API does not look at, or what says again where the record stands.
fn leave_out(
    description: &Description,
    schema: Option<&Schema>,
    body: &mut Map<String, Value>,
    operation: &Operation,
) {
    let Some(target) = operation.target() else {
        return;
    };
    let written = &description.written;
    let has_field = |key: &str| schema.is_some_and(|schema| schema.has_field(target, key));
    for (name, repeats) in &written.repeats {
        let meant = match repeats {
            Repeats::Module => operation.module.as_ref().map(Module::as_str),
            Repeats::Target => Some(target.as_str()).filter(|_| !has_field(name)),
            Repeats::Id if operation.action == Action::Update => operation.record.as_deref(),
            Repeats::Id => None,
        };
        if meant.is_some() && body.get(name).and_then(Value::as_str) == meant {
            body.shift_remove(name);
        }
    }
    let stock = description.stock.as_ref();
    let is_stock = stock.is_some_and(|stock| stock.has_module(target));
    let is_unread = |key: &String| {
        written.unread.contains(key) || is_stock && written.unread_in_stock.contains(key)
    };
    let ignored = &description.ignored.members;
    body.retain(|key, _| !ignored.contains(key) && (!is_unread(key) || has_field(key)));
}

/// Whether all members are fields, by their names.
pub(super) fn are_fields(
    description: &Description,
    id: &str,
    fields: &Map<String, Value>,
) -> Result<(), Objection> {
    let is_field = |(key, value): &(&String, &Value)| {
        description.names.is_field(key)
            && !key.eq_ignore_ascii_case(id)
            && description.written.has_field(key, value)
    };
    let mut others = fields.iter().filter(|field| !is_field(field));
    others
        .next()
        .map_or(Ok(()), |(key, _)| Err(Objection::member(key)))
}

/// Reads fields and values that a record may already have: each is compared. What the CRM says of a record is none.
pub(super) fn matches(
    description: &Description,
    schema: &Schema,
    mut body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<(), Objection> {
    if let Some(target) = operation.target() {
        let said_again = |key: &str| {
            let mut repeats = description.written.repeats.iter();
            repeats.any(|(name, _)| name == key)
        };
        let is_said = |key: &str| matches!(schema.origin(target, key), Origin::Structural(_));
        body.retain(|key, _| !is_said(key) || said_again(key));
    }
    read(description, Some(schema), body, operation)?;
    let comparison = |(field, value): (String, Value)| Predicate::Field {
        path: Path { link: None, field },
        operator: None,
        value,
    };
    let fields = operation.write.take().unwrap_or_default();
    let parts: Vec<Predicate> = fields.into_iter().map(comparison).collect();
    operation.query.predicate = (!parts.is_empty()).then_some(Predicate::All(parts));
    Ok(())
}

/// Writes such fields and values.
pub(super) fn write_matches(operation: &Operation) -> Value {
    let parts = match &operation.query.predicate {
        Some(Predicate::All(parts)) => parts.as_slice(),
        _ => &[],
    };
    let member = |part: &Predicate| match part {
        Predicate::Field { path, value, .. } => Some((path.field.clone(), value.clone())),
        _ => None,
    };
    Value::Object(parts.iter().filter_map(member).collect())
}

impl Written {
    /// Takes out what may only say no, or nothing.
    fn take_from(&self, body: &mut Map<String, Value>) -> Result<(), Reason> {
        let mut says = |names: &[String], fits: fn(&Value) -> bool| {
            let mut stated = names.iter().filter_map(|name| body.shift_remove(name));
            stated.all(|value| fits(&value))
        };
        match says(&self.no, says_no) && says(&self.blank, |value| is_blank(Some(value))) {
            true => Ok(()),
            false => Err(Reason::FieldNotWritable),
        }
    }

    /// Whether a name is a field's in exactly this spelling: another spelling of the other names would be read differently
    /// by somebody.
    fn has_field(&self, name: &str, value: &Value) -> bool {
        let others = self.no.iter().chain(&self.blank).chain(&self.refused);
        let mut others = others.map(String::as_str);
        (!self.flat || is_flat(value)) && !others.any(|word| word.eq_ignore_ascii_case(name))
    }
}

/// Whether a value is a scalar, a list of scalars, or empty: what fields of records look like in replies.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items
            .iter()
            .all(|item| !matches!(item, Value::Array(_) | Value::Object(_))),
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

fn says_no(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Number(number) => number.as_u64() == Some(0),
        _ => false,
    }
}

/// The fields of a body, parted from what stands beside them.
pub(super) fn fields_of(
    write: &Write,
    body: Map<String, Value>,
    word: &str,
    record: Option<&str>,
) -> Result<Map<String, Value>, Reason> {
    let mut arguments = Arguments::of(body);
    for (place, template) in &write.beside {
        let stated = arguments.take_at(place, None);
        match (stated, filled(template, word, record)) {
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
fn filled(template: &str, word: &str, record: Option<&str>) -> Option<String> {
    let text = template.replace("{module}", word);
    match record {
        Some(record) => Some(text.replace("{id}", record)),
        None => (!text.contains("{id}")).then_some(text),
    }
}

/// A field has one place.
fn put(fields: &mut Map<String, Value>, key: String, value: Value) -> Result<(), Reason> {
    match fields.len() < KEYS_MAX && fields.insert(key, value).is_none() {
        true => Ok(()),
        false => Err(Reason::MalformedBody),
    }
}

/// Whether each field has one spelling.
fn are_apart(fields: &Map<String, Value>) -> bool {
    let mut names: Vec<String> = fields.keys().map(|key| key.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

/// The text of an id.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The body of a write.
pub(super) fn write(description: &Description, form: &Write, operation: &Operation) -> Value {
    let mut fields = operation.write.clone().unwrap_or_default();
    let inner = operation.rendering.fixed.get(INNER);
    let inner = inner.and_then(Value::as_object);
    for (key, names) in inner.into_iter().flatten() {
        let names = names.as_array().into_iter().flatten();
        let members: Map<String, Value> = names
            .filter_map(Value::as_str)
            .filter_map(|name| Some((name.to_owned(), fields.shift_remove(name)?)))
            .collect();
        if !members.is_empty() {
            fields.insert(key.clone(), Value::Object(members));
        }
    }
    let record = operation.record.as_deref();
    let record = record.filter(|_| form.tells || operation.action == Action::Update);
    let word = operation
        .target()
        .map_or("", |module| description.word(module));
    framed(form, word, record, Some(fields))
}

/// The fields, and what stands beside them.
pub(super) fn framed(
    form: &Write,
    word: &str,
    record: Option<&str>,
    fields: Option<Map<String, Value>>,
) -> Value {
    let mut body = Map::new();
    for (place, template) in &form.beside {
        if let Some(text) = filled(template, word, record) {
            carriers::put(&mut body, place, None, text.into());
        }
    }
    match fields {
        Some(fields) if form.under.is_empty() => body.extend(fields),
        Some(fields) => {
            carriers::put(&mut body, &Name(form.under.clone()), None, fields.into());
        }
        None => {}
    }
    Value::Object(body)
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
