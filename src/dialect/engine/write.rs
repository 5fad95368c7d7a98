//! What a request writes: the fields of a record, or ids to relate.

use serde_json::{Map, Value, json};

use super::description::{Description, Known, Name, Relates, Route, Write, Written};
use crate::dialect::carriers::{self, Arguments, Media, is_blank};
use crate::dialect::{Incoming, Operation, spelling};
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

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
    description: &Description,
    route: &Route,
    request: &Incoming<'_>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    let tells = route.relates.document().or(route.write.as_ref());
    let is_needed = route.logs_in || tells.is_some_and(|form| form.tells);
    if request.body.is_empty() && !is_needed {
        return Ok(Map::new());
    }
    let media = Media::of(request.content_type);
    let takes_form = route.write.as_ref().is_some_and(|write| write.form);
    let form = carriers::form(request.body, media, description.names.of_parameters());
    match form.filter(|_| route.logs_in || takes_form && media == Media::Form) {
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

/// Whether a body is an empty object, or that of a deletion names what its path names: `{"id": …}`, or a document with type
/// and id, which stand where those of a relation stand.
pub(super) fn repeats_path(
    description: &Description,
    request: &Incoming<'_>,
    operation: &Operation,
    depth_max: usize,
) -> bool {
    let is_json = matches!(
        Media::of(request.content_type),
        Media::Json | Media::JsonApi
    );
    let stated = carriers::object(request.body, depth_max);
    let Some(stated) = stated.ok().filter(|_| is_json) else {
        return false;
    };
    let related = operation.related.first();
    let record = match related.or(operation.record.as_ref()) {
        Some(record) if *request.method == http::Method::DELETE => record,
        _ => return stated.is_empty(),
    };
    let is_id = stated.get("id").and_then(Value::as_str) == Some(record);
    if stated.is_empty() || stated.len() == 1 && is_id {
        return true;
    }
    let forms = description.routes.iter();
    let mut forms = forms.filter_map(|route| route.relates.document());
    forms.next().is_some_and(|form| {
        let said = relation(description, form, stated);
        said.is_ok_and(|(module, id)| id == *record && Some(&module) == operation.target())
    })
}

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
    Ok((document.module, id(description, document.id)?))
}

/// The id of a record that there is.
pub(super) fn id(description: &Description, stated: Option<Value>) -> Result<String, Reason> {
    match stated {
        Some(Value::String(id)) if description.ids.fit(&id) => Ok(id),
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
    mut body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<(), Reason> {
    let target = operation.target();
    let known = target.and_then(|target| description.known(target));
    let record = match operation.action {
        Action::Update => operation.record.as_deref(),
        _ => None,
    };
    body.retain(|key, _| !description.ignored.members.contains(key));
    let id = known.map_or("id", |known| known.id);
    match (body.shift_remove(id), record) {
        (None, _) => {}
        (Some(Value::Null), None) => {}
        (Some(Value::String(stated)), None) if stated.is_empty() => {}
        (Some(_), None) => return Err(Reason::IdOnCreate),
        (Some(stated), Some(record)) if text(&stated).as_deref() == Some(record) => {}
        (Some(_), Some(_)) => return Err(Reason::IdMismatch),
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
            _ if is_inner => return Err(Reason::MalformedBody),
            value => put(&mut fields, key, value)?,
        }
    }
    let is_field = |(key, value): (&String, &Value)| {
        description.names.is_field(key)
            && !key.eq_ignore_ascii_case(id)
            && description.written.has_field(key, value)
    };
    if !fields.iter().all(is_field) || !are_apart(&fields) {
        return Err(Reason::MalformedBody);
    }
    if !inner_keys.is_empty() {
        let fixed = &mut operation.rendering.fixed;
        fixed.insert(INNER.to_owned(), Value::Object(inner_keys));
    }
    operation.write = Some(fields);
    Ok(())
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
fn framed(
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

/// The body of a relate request.
pub(super) fn write_related(
    description: &Description,
    relates: &Relates,
    operation: &Operation,
) -> Option<Value> {
    match (relates, operation.related.as_slice()) {
        (Relates::No, _) => None,
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
    fn document(&self) -> Option<&Write> {
        match self {
            Self::Document(form) => Some(form),
            Self::No | Self::Ids => None,
        }
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
