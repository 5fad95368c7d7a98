//! What a request writes: the fields of a record, or the columns of a relation.

use serde_json::{Map, Value, json};

use super::arguments::{Arguments, is_blank};
use super::{Context, grammar, route};
use crate::dialect::Link;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Keys of one write.
const KEYS_MAX: usize = 1_000;
/// Ids of one relate request.
const IDS_MAX: usize = 500;
/// Bytes of a column's value.
const COLUMN_BYTES_MAX: usize = 1_000;

/// Arguments that a write's body may hold beside the fields to write; they choose what the reply shows.
pub(super) const BESIDE_FIELDS: &[&str] = &["fields", "view"];

/// Names that are no fields, in exactly this spelling: another one would be read differently by somebody. The CRM has
/// one bag for all arguments of a request, so the names of what stands in its path are among them.
const NOT_WRITTEN: &[&str] = &[
    "__sugar_url",
    "link_name",
    "module",
    "record",
    "remote_id",
    "id",
    "_module",
    "fields",
    "view",
    "filter_id",
    "erased_fields",
];

/// Reads the fields of a new record of a module.
pub(super) fn create(
    mut body: Map<String, Value>,
    module: &Module,
) -> Result<Map<String, Value>, Reason> {
    if !is_blank(body.shift_remove("id").as_ref()) {
        return Err(Reason::IdOnCreate);
    }
    fields(body, module)
}

/// Reads the fields to change in a record.
pub(super) fn update(
    mut body: Map<String, Value>,
    module: &Module,
    record: &str,
) -> Result<Map<String, Value>, Reason> {
    match body.shift_remove("id") {
        None => {}
        Some(Value::String(id)) if id == record => {}
        Some(_) => return Err(Reason::IdMismatch),
    }
    fields(body, module)
}

fn fields(mut body: Map<String, Value>, module: &Module) -> Result<Map<String, Value>, Reason> {
    match body.shift_remove("_module") {
        None => {}
        Some(Value::String(name)) if name == module.as_str() => {}
        Some(_) => return Err(Reason::MalformedBody),
    }
    keys(body)
}

fn keys(body: Map<String, Value>) -> Result<Map<String, Value>, Reason> {
    let is_field = |key: &String| {
        grammar::is_field(key)
            && !NOT_WRITTEN
                .iter()
                .any(|word| word.eq_ignore_ascii_case(key))
    };
    if body.len() > KEYS_MAX || !body.keys().all(is_field) {
        return Err(Reason::MalformedBody);
    }
    Ok(body)
}

/// Reads the columns of one relation: named scalars. `None` if there are none.
pub(super) fn columns(body: Map<String, Value>) -> Result<Option<Map<String, Value>>, Reason> {
    let columns = keys(body)?;
    let is_column = |value: &Value| match value {
        Value::String(text) => text.len() <= COLUMN_BYTES_MAX,
        Value::Number(number) => number.to_string().len() <= COLUMN_BYTES_MAX,
        Value::Null | Value::Bool(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    };
    if !columns.values().all(is_column) {
        return Err(Reason::MalformedBody);
    }
    Ok((!columns.is_empty()).then_some(columns))
}

/// Several relations to make through one link.
pub(super) struct Relations {
    pub(super) link: Link,
    pub(super) ids: Vec<String>,
    /// The columns of all relations. A column that several relations carry has one value.
    pub(super) columns: Option<Map<String, Value>>,
    /// Per id: the names of its columns.
    pub(super) carriers: Map<String, Value>,
}

/// Reads `{"link_name": …, "ids": [id | {"id": …, columns…}]}`.
///
/// A column with different values for different ids is refused: a plan decides about a column once.
pub(super) fn relations(
    body: Map<String, Value>,
    module: &Module,
    terms: &Context<'_>,
) -> Result<Relations, Objection> {
    let mut arguments = Arguments::of_object(body);
    let name = match arguments.take("link_name") {
        Some(Value::String(name)) if grammar::is_link(&name) => name,
        _ => return Err(Reason::MalformedBody.into()),
    };
    let Some(Value::Array(items)) = arguments.take("ids") else {
        return Err(Reason::MalformedBody.into());
    };
    arguments.finish()?;
    if items.is_empty() || items.len() > IDS_MAX {
        return Err(Reason::MalformedBody.into());
    }
    let mut relations = Relations {
        link: terms.link(module, &name).ok_or(Reason::UnknownLink)?,
        ids: Vec::new(),
        columns: None,
        carriers: Map::new(),
    };
    items.into_iter().try_for_each(|item| relations.add(item))?;
    Ok(relations)
}

impl Relations {
    fn add(&mut self, item: Value) -> Result<(), Reason> {
        let (id, columns) = match item {
            Value::String(id) => (id, None),
            Value::Object(mut members) => match members.shift_remove("id") {
                Some(Value::String(id)) => (id, columns(members)?),
                _ => return Err(Reason::MalformedBody),
            },
            _ => return Err(Reason::MalformedBody),
        };
        if !route::may_be_id(&id) || self.ids.contains(&id) {
            return Err(Reason::MalformedBody);
        }
        if let Some(columns) = columns {
            let names: Vec<&String> = columns.keys().collect();
            self.carriers.insert(id.clone(), json!(names));
            let all = self.columns.get_or_insert_default();
            for (name, value) in columns {
                let known = all.keys().find(|known| known.eq_ignore_ascii_case(&name));
                if known.is_some_and(|known| *known != name || all[&name] != value) {
                    return Err(Reason::MalformedBody);
                }
                all.insert(name, value);
            }
        }
        self.ids.push(id);
        Ok(())
    }
}

/// Writes the items of `ids` back, each with those of its columns that are still to be written.
pub(super) fn render_ids(
    ids: &[String],
    columns: Option<&Map<String, Value>>,
    carriers: Option<&Value>,
) -> Value {
    let item = |id: &String| {
        let carried = carriers.and_then(|carriers| carriers.get(id)?.as_array());
        let pairs: Vec<(&str, &Value)> = carried
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str())
            .filter_map(|name| Some((name, columns?.get(name)?)))
            .collect();
        if pairs.is_empty() {
            return json!(id);
        }
        let mut members = Map::from_iter([("id".to_owned(), json!(id))]);
        members.extend(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.clone())),
        );
        Value::Object(members)
    };
    ids.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::stock_terms;
    use super::{columns, create, relations, render_ids, update};
    use crate::reason::Reason;
    use crate::vocabulary::Module;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else {
            panic!("not an object")
        };
        object
    }

    #[test]
    fn an_update_keeps_to_the_record_in_the_path() {
        let update =
            |body| update(object(body), &Module::new("Contacts"), "c-1").map(Value::Object);
        assert_eq!(
            update(json!({"b": 1, "id": "c-1", "_module": "Contacts", "a": [2]})),
            Ok(json!({"b": 1, "a": [2]}))
        );
        for id in [
            json!("c-2"),
            json!("C-1"),
            json!(""),
            json!(null),
            json!(["c-1"]),
        ] {
            assert_eq!(update(json!({"id": id})), Err(Reason::IdMismatch));
        }
        for body in [
            json!({"_module": "Accounts"}),
            json!({"ID": "c-2"}),
            json!({"_Module": "Contacts"}),
            json!({"View": "record"}),
            json!({"module": "Users"}),
            json!({"Record": "c-2"}),
            json!({"link_name": ""}),
            json!({"remote_id": null}),
            json!({"__sugar_url": "v11/Users"}),
            json!({"a b": 1}),
            json!({"a.b": 1}),
            json!({"$set": 1}),
            json!({"": 1}),
        ] {
            assert_eq!(update(body.clone()), Err(Reason::MalformedBody), "{body}");
        }
    }

    #[test]
    fn a_new_record_does_not_state_its_id() {
        let create = |body| create(object(body), &Module::new("Contacts")).map(Value::Object);
        assert_eq!(create(json!({"id": "c-1"})), Err(Reason::IdOnCreate));
        assert_eq!(create(json!({"id": "", "a": 1})), Ok(json!({"a": 1})));
        assert_eq!(create(json!({"id": null})), Ok(json!({})));
    }

    #[test]
    fn columns_are_scalars() {
        assert_eq!(columns(Map::new()), Ok(None));
        let role = object(json!({"opportunity_role": "Evaluator"}));
        assert_eq!(columns(role.clone()), Ok(Some(role)));
        for body in [
            json!({"a": [1]}),
            json!({"a": {}}),
            json!({"id": "x"}),
            json!({"a": "x".repeat(1_001)}),
        ] {
            assert_eq!(columns(object(body)), Err(Reason::MalformedBody));
        }
    }

    #[test]
    fn relations_carry_ids_and_one_value_a_column() {
        let read = |body| relations(object(body), &Module::new("Opportunities"), &stock_terms());
        let ids = json!(["c-1", {"id": "c-2", "role": "a", "n": 1}, {"id": "c-3", "role": "a"}, {"id": "c-4"}]);
        let all = read(json!({"link_name": "contacts", "ids": ids})).unwrap();
        assert_eq!(all.ids, ["c-1", "c-2", "c-3", "c-4"]);
        assert_eq!(all.columns, Some(object(json!({"role": "a", "n": 1}))));
        let carriers = Value::Object(all.carriers);
        assert_eq!(
            render_ids(&all.ids, all.columns.as_ref(), Some(&carriers)),
            json!(["c-1", {"id": "c-2", "role": "a", "n": 1}, {"id": "c-3", "role": "a"}, "c-4"])
        );
        let narrowed = object(json!({"n": 2}));
        assert_eq!(
            render_ids(&all.ids, Some(&narrowed), Some(&carriers)),
            json!(["c-1", {"id": "c-2", "n": 2}, "c-3", "c-4"])
        );
    }

    #[test]
    fn other_relations_are_refused() {
        let read = |body| {
            let read = relations(object(body), &Module::new("Opportunities"), &stock_terms());
            read.err().map(|objection| objection.reason)
        };
        for body in [
            json!({"ids": ["c-1"]}),
            json!({"link_name": "contacts"}),
            json!({"link_name": "contacts", "ids": []}),
            json!({"link_name": "contacts", "ids": "c-1"}),
            json!({"link_name": "contacts", "ids": [1]}),
            json!({"link_name": "contacts", "ids": ["../x"]}),
            json!({"link_name": "contacts", "ids": ["c-1", "c-1"]}),
            json!({"link_name": "contacts", "ids": [{"role": "a"}]}),
            json!({"link_name": "contacts", "ids": [{"id": "c-1", "a": []}]}),
            json!({"link_name": "contacts", "ids": [{"id": "c-1", "a": 1}, {"id": "c-2", "a": 2}]}),
            json!({"link_name": "contacts", "ids": [{"id": "c-1", "a": 1}, {"id": "c-2", "A": 1}]}),
            json!({"link_name": ["contacts"], "ids": ["c-1"]}),
        ] {
            assert_eq!(read(body.clone()), Some(Reason::MalformedBody), "{body}");
        }
        assert_eq!(
            read(json!({"link_name": "history", "ids": ["c-1"]})),
            Some(Reason::UnknownLink)
        );
        assert_eq!(
            read(json!({"link_name": "contacts", "ids": ["c-1"], "module": "Leads"})),
            Some(Reason::UnknownParameter)
        );
    }
}
