//! Documents that write: `{"data": {"type", "id", "attributes"}}`.

use serde_json::{Map, Value, json};

use super::{grammar, modules};
use crate::dialect::carriers::{Arguments, is_blank};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Attributes of one record.
const ATTRIBUTES_MAX: usize = 1_000;

/// The attribute that deletes a record, or brings it back.
const DELETED: &str = "deleted";
/// The attribute that carries the bytes of a file.
const FILE: &str = "filecontents";
/// Attributes whose presence makes the CRM write a file, an empty one where no bytes come along. They are left out.
const FILE_NAMES: &[&str] = &["filename", "uploadfile"];

/// Properties of the CRM's objects that are no fields. The CRM sets whatever property an attribute names.
const NO_FIELDS: &[&str] = &[
    "acl_fields",
    "additional_meta_fields",
    "bean_implements",
    "called_handler_save_email",
    "column_fields",
    "createdaudit",
    "custom_fields",
    "db",
    "dbmanager",
    "disable_custom_fields",
    "disable_row_level_security",
    "disable_vardefs",
    "dynamic_fields",
    "emailaddress",
    "exclude_fields",
    "fetched_rel_row",
    "fetched_row",
    "field_defs",
    "field_name_map",
    "ignore_update_c",
    "in_import",
    "in_relationship_update",
    "in_save",
    "in_workflow",
    "layout_def",
    "list_fields",
    "loaded_relationships",
    "logic_hook_depth",
    "module_dir",
    "module_name",
    "new_schema",
    "new_with_id",
    "notify_inworkflow",
    "number_formatting_done",
    "object_name",
    "optimistic_lock",
    "process_field",
    "process_save_dates",
    "processed",
    "processed_dates_times",
    "rel_fields_before_value",
    "relationship_fields",
    "required_fields",
    "save_file",
    "save_from_post",
    "set_created_by",
    "table_name",
    "track_visibility",
    "tracker_visibility",
    "update_date_entered",
    "update_date_modified",
    "update_modified_by",
];

/// A record to write: its module, its id where it exists, and the fields.
pub(super) struct Document {
    pub(super) module: Module,
    pub(super) record: Option<String>,
    pub(super) fields: Map<String, Value>,
}

/// Reads a new record. It may state a UUID of its own beside its type, as some clients always do: the CRM refuses one
/// that it has, deleted records included.
pub(super) fn create(body: Map<String, Value>) -> Result<Document, Objection> {
    let mut document = Data::read(body)?;
    let record = match document.id.take() {
        id if is_blank(id.as_ref()) => None,
        Some(Value::String(id)) if is_uuid(&id) => Some(id),
        _ => return Err(Reason::IdOnCreate.into()),
    };
    let fields = document.attributes(None)?;
    Ok(Document {
        module: document.module,
        record,
        fields,
    })
}

fn is_uuid(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && id
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Reads the fields to change in a record. Module and id stand only here.
pub(super) fn update(body: Map<String, Value>) -> Result<Document, Objection> {
    let mut document = Data::read(body)?;
    let id = record_id(document.id.take())?;
    let fields = document.attributes(Some(&id))?;
    Ok(Document {
        module: document.module,
        record: Some(id),
        fields,
    })
}

/// Reads module and id of a record to relate.
pub(super) fn relation(body: Map<String, Value>) -> Result<(Module, String), Objection> {
    let mut document = Data::read(body)?;
    if document.attributes.is_some() {
        return Err(Reason::MalformedBody.into());
    }
    Ok((document.module, record_id(document.id.take())?))
}

/// The one member of a document.
struct Data {
    module: Module,
    id: Option<Value>,
    attributes: Option<Value>,
}

impl Data {
    fn read(body: Map<String, Value>) -> Result<Self, Objection> {
        let mut arguments = Arguments::of(body);
        let Some(Value::Object(data)) = arguments.take("data") else {
            return Err(Reason::MalformedBody.into());
        };
        arguments.finish()?;
        let mut members = Arguments::of(data);
        let module = match members.take("type") {
            Some(Value::String(name)) if grammar::is_module(&name) => modules::canonical(&name),
            _ => return Err(Reason::MalformedBody.into()),
        };
        let (id, attributes) = (members.take("id"), members.take("attributes"));
        members.finish()?;
        Ok(Self {
            module,
            id,
            attributes,
        })
    }

    /// The fields among the attributes. PHP writes an empty object as an empty array.
    fn attributes(&mut self, record: Option<&str>) -> Result<Map<String, Value>, Reason> {
        let mut fields = match self.attributes.take() {
            None => Map::new(),
            Some(Value::Object(fields)) => fields,
            Some(Value::Array(items)) if items.is_empty() => Map::new(),
            Some(_) => return Err(Reason::MalformedBody),
        };
        if fields.len() > ATTRIBUTES_MAX {
            return Err(Reason::MalformedBody);
        }
        match fields.shift_remove("id") {
            None => {}
            value if record.is_none() && is_blank(value.as_ref()) => {}
            Some(Value::String(id)) if record == Some(id.as_str()) => {}
            Some(_) if record.is_none() => return Err(Reason::IdOnCreate),
            Some(_) => return Err(Reason::IdMismatch),
        }
        if !fields.shift_remove(DELETED).as_ref().is_none_or(says_no) {
            return Err(Reason::FieldNotWritable);
        }
        if !is_blank(fields.shift_remove(FILE).as_ref()) {
            return Err(Reason::FieldNotWritable);
        }
        for name in FILE_NAMES {
            fields.shift_remove(*name);
        }
        if fields.iter().all(|(name, value)| is_field(name, value)) {
            Ok(fields)
        } else {
            Err(Reason::MalformedBody)
        }
    }
}

/// A name that is a field's in exactly this spelling: another spelling of the names above would be read differently by
/// somebody.
fn is_field(name: &str, value: &Value) -> bool {
    let reserved = [DELETED, FILE, "id"];
    let is_reserved = reserved
        .iter()
        .chain(FILE_NAMES)
        .chain(NO_FIELDS)
        .any(|word| word.eq_ignore_ascii_case(name));
    grammar::is_field(name) && !is_reserved && is_flat(value)
}

/// Whether a value is a scalar, a list of scalars, or empty: what attributes of records look like in replies.
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

fn record_id(value: Option<Value>) -> Result<String, Reason> {
    match value {
        Some(Value::String(id)) if grammar::is_id(&id) => Ok(id),
        _ => Err(Reason::MalformedBody),
    }
}

/// A document with a record in it.
pub(super) fn render(
    module: &Module,
    record: Option<&str>,
    fields: Option<&Map<String, Value>>,
) -> Value {
    let mut data = Map::from_iter([("type".to_owned(), json!(module.as_str()))]);
    if let Some(record) = record {
        data.insert("id".to_owned(), json!(record));
    }
    if let Some(fields) = fields {
        data.insert("attributes".to_owned(), Value::Object(fields.clone()));
    }
    json!({"data": data})
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{create, relation, update};
    use crate::reason::Reason;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else {
            panic!("not an object")
        };
        object
    }

    fn written(data: Value) -> Result<Value, Reason> {
        update(object(json!({ "data": data })))
            .map(|document| json!([document.module.as_str(), document.record, document.fields]))
            .map_err(|objection| objection.reason)
    }

    #[test]
    fn a_whole_record_may_be_written_back() {
        let data = json!({"type": "Contact", "id": "c-1", "attributes": {
            "id": "c-1", "deleted": "0", "last_name": "Martin", "accounts": "", "reports_to_link": {}, "tags": ["a"],
            "filename": "rib.pdf", "filecontents": "", "n": null
        }});
        let fields = json!({"last_name": "Martin", "accounts": "", "reports_to_link": {}, "tags": ["a"], "n": null});
        assert_eq!(written(data), Ok(json!(["Contacts", "c-1", fields])));
        assert_eq!(
            written(json!({"type": "Contacts", "id": "c-1", "attributes": []})),
            Ok(json!(["Contacts", "c-1", {}]))
        );
    }

    #[test]
    fn other_documents_are_refused() {
        let of =
            |attributes: Value| json!({"type": "Contacts", "id": "c-1", "attributes": attributes});
        for (data, reason) in [
            (
                json!({"type": "Contacts", "attributes": {}}),
                Reason::MalformedBody,
            ),
            (json!({"type": "Contacts", "id": 1}), Reason::MalformedBody),
            (
                json!({"type": ["Contacts"], "id": "1"}),
                Reason::MalformedBody,
            ),
            (json!({"id": "c-1"}), Reason::MalformedBody),
            (
                json!({"type": "Contacts", "id": "c-1", "relationships": {}}),
                Reason::UnknownParameter,
            ),
            (of(json!({"id": "c-2"})), Reason::IdMismatch),
            (of(json!({"ID": "c-1"})), Reason::MalformedBody),
            (of(json!({"deleted": 1})), Reason::FieldNotWritable),
            (of(json!({"deleted": "1"})), Reason::FieldNotWritable),
            (of(json!({"Deleted": "0"})), Reason::MalformedBody),
            (
                of(json!({"filecontents": "UklC"})),
                Reason::FieldNotWritable,
            ),
            (of(json!({"FileContents": "UklC"})), Reason::MalformedBody),
            (of(json!({"table_name": "users"})), Reason::MalformedBody),
            (of(json!({"New_With_Id": true})), Reason::MalformedBody),
            (of(json!({"a": {"b": 1}})), Reason::MalformedBody),
            (of(json!({"a": [[1]]})), Reason::MalformedBody),
            (of(json!({"a.b": 1})), Reason::MalformedBody),
            (of(json!({"_METHOD": "DELETE"})), Reason::MalformedBody),
            (of(json!([1])), Reason::MalformedBody),
        ] {
            assert_eq!(written(data.clone()), Err(reason), "{data}");
        }
        let read = |body| update(object(body)).err().map(|objection| objection.reason);
        assert_eq!(read(json!({"foo": 1})), Some(Reason::MalformedBody));
        assert_eq!(read(json!({"data": []})), Some(Reason::MalformedBody));
        assert_eq!(
            read(json!({"data": {"type": "Contacts", "id": "c-1"}, "moduleName": "Users"})),
            Some(Reason::UnknownParameter)
        );
    }

    #[test]
    fn a_new_record_states_no_id_but_a_uuid() {
        let create = |data| {
            let created = create(object(json!({ "data": data })));
            let created = created.map_err(|objection| objection.reason);
            created.map(|document| document.fields)
        };
        for data in [
            json!({"type": "Contacts", "id": "c-1", "attributes": {}}),
            json!({"type": "Contacts", "attributes": {"id": "c-1"}}),
        ] {
            assert_eq!(create(data), Err(Reason::IdOnCreate));
        }
        let own = "0b8f6a52-3c1d-4e7a-9f10-2d3c4b5a6978";
        let body = object(json!({"data": {"type": "Contacts", "id": own, "attributes": {}}}));
        assert_eq!(super::create(body).unwrap().record.as_deref(), Some(own));
        let blank = json!({"type": "Contacts", "id": "", "attributes": {"id": null, "a": 1}});
        assert_eq!(create(blank), Ok(object(json!({"a": 1}))));
    }

    #[test]
    fn a_relation_names_one_record() {
        let read =
            |data| relation(object(json!({ "data": data }))).map_err(|objection| objection.reason);
        let (module, id) = read(json!({"type": "aCase", "id": "c-1"})).unwrap();
        assert_eq!((module.as_str(), id.as_str()), ("Cases", "c-1"));
        for data in [
            json!({"type": "Cases"}),
            json!({"type": "Cases", "id": "../x"}),
            json!({"type": "Cases", "id": ["c-1"]}),
            json!({"type": "Cases", "id": "c-1", "attributes": {"name": "x"}}),
            json!([{"type": "Cases", "id": "c-1"}]),
        ] {
            assert_eq!(read(data), Err(Reason::MalformedBody));
        }
    }
}
