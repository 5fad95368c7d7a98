//! What a request writes: the fields of a record, or the columns of a relation.

use serde_json::{Map, Value, json};

use super::{Context, grammar, route};
use crate::dialect::carriers::{Arguments, is_blank};
use crate::dialect::schema::stock::delivered::of_sugar_rest;
use crate::dialect::{Link, Origin, Path, Predicate};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Keys of one write, and columns of all its relations.
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

/// What a search said of a record that a client writes back; no module has such a field. What the CRM itself says about a
/// record (`_acl`, `_hash`, `following`…) is no field either, and never written.
const OF_SEARCHES: &[&str] = &["_highlights", "_score", "_search"];

/// Names that clients send along though the CRM has no field of that name in any stock module, and does not look at them:
/// their own number of the record (`reference_id`), and how alike it was to another (`duplicate_check_rank`). They are left
/// out of stock modules, unless the installation has such a field; other modules may have one that nobody described.
const OF_CLIENTS: &[&str] = &["duplicate_check_rank", "reference_id"];

/// Names of what a record is, in other versions of the API. They may repeat what the path says.
const MODULE_NAMES: &[&str] = &["_module", "module_name"];

/// Where the record of a write stands.
pub(super) struct Place<'a> {
    /// The module in the path.
    pub(super) module: Option<&'a Module>,
    /// The module of the record that is written.
    pub(super) target: &'a Module,
    /// The record in the path; none, if it is new.
    pub(super) record: Option<&'a str>,
}

/// Reads the fields of a new record, or those to change in one. What the path says may stand beside them again.
pub(super) fn fields(
    mut body: Map<String, Value>,
    place: &Place<'_>,
    terms: &Context<'_>,
) -> Result<Map<String, Value>, Objection> {
    let id = body.shift_remove("id");
    match (place.record, &id) {
        (_, None) => {}
        (None, id) if is_blank(id.as_ref()) => {}
        (None, Some(_)) => return Err(Reason::IdOnCreate.into()),
        (Some(record), Some(Value::String(id))) if id == record => {}
        (Some(_), Some(_)) => return Err(Reason::IdMismatch.into()),
    }
    if let Some(record) = place.record
        && body.get("record").and_then(Value::as_str) == Some(record)
    {
        body.shift_remove("record");
    }
    let is = |value: Option<&Value>, module: &Module| {
        value.and_then(Value::as_str) == Some(module.as_str())
    };
    if place
        .module
        .is_some_and(|module| is(body.get("module"), module))
    {
        body.shift_remove("module");
    }
    for name in MODULE_NAMES {
        if is(body.get(*name), place.target) && !terms.schema.has_field(place.target, name) {
            body.shift_remove(*name);
        }
    }
    leave_out(&mut body, place.target, terms);
    keys(body)
}

/// Leaves out what the CRM does not look at.
fn leave_out(body: &mut Map<String, Value>, module: &Module, terms: &Context<'_>) {
    let is_stock = of_sugar_rest().has_module(module);
    let is_ignored =
        |key: &str| OF_SEARCHES.contains(&key) || (OF_CLIENTS.contains(&key) && is_stock);
    body.retain(|key, _| !is_ignored(key) || terms.schema.has_field(module, key));
}

fn keys(body: Map<String, Value>) -> Result<Map<String, Value>, Objection> {
    let is_field = |key: &String| {
        grammar::is_field(key)
            && !NOT_WRITTEN
                .iter()
                .any(|word| word.eq_ignore_ascii_case(key))
    };
    if let Some(key) = body.keys().find(|key| !is_field(key)) {
        return Err(Objection::member(key));
    }
    if body.len() > KEYS_MAX {
        return Err(Reason::MalformedBody.into());
    }
    Ok(body)
}

/// Reads the fields and values that a record may already have: each is compared.
pub(super) fn matches(
    mut body: Map<String, Value>,
    module: &Module,
    terms: &Context<'_>,
) -> Result<Option<Predicate>, Objection> {
    let place = Place {
        module: Some(module),
        target: module,
        record: None,
    };
    let is_said_by_the_crm = |key: &str| {
        let origin = terms.schema.origin(module, key);
        matches!(origin, Origin::Structural(_))
    };
    body.retain(|key, _| !is_said_by_the_crm(key) || MODULE_NAMES.contains(&key.as_str()));
    let comparison = |(field, value): (String, Value)| Predicate::Field {
        path: Path { link: None, field },
        operator: None,
        value,
    };
    let fields = fields(body, &place, terms)?;
    let parts: Vec<Predicate> = fields.into_iter().map(comparison).collect();
    Ok((!parts.is_empty()).then_some(Predicate::All(parts)))
}

/// Reads the columns of one relation: named scalars. `None` if there are none.
pub(super) fn columns(body: Map<String, Value>) -> Result<Option<Map<String, Value>>, Objection> {
    let columns = keys(body)?;
    let is_column = |value: &Value| match value {
        Value::String(text) => text.len() <= COLUMN_BYTES_MAX,
        Value::Number(number) => number.to_string().len() <= COLUMN_BYTES_MAX,
        Value::Null | Value::Bool(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    };
    if !columns.values().all(is_column) {
        return Err(Reason::MalformedBody.into());
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
    let mut arguments = Arguments::of(body);
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
    fn add(&mut self, item: Value) -> Result<(), Objection> {
        let (id, columns) = match item {
            Value::String(id) => (id, None),
            Value::Object(mut members) => match members.shift_remove("id") {
                Some(Value::String(id)) => (id, columns(members)?),
                _ => return Err(Reason::MalformedBody.into()),
            },
            _ => return Err(Reason::MalformedBody.into()),
        };
        if !route::may_be_id(&id) || self.ids.contains(&id) {
            return Err(Reason::MalformedBody.into());
        }
        if let Some(columns) = columns {
            let names: Vec<&String> = columns.keys().collect();
            self.carriers.insert(id.clone(), json!(names));
            let all = self.columns.get_or_insert_default();
            for (name, value) in columns {
                let known = all.keys().find(|known| known.eq_ignore_ascii_case(&name));
                let is_other = known.is_some_and(|known| *known != name || all[&name] != value);
                if is_other || (known.is_none() && all.len() == KEYS_MAX) {
                    return Err(Reason::MalformedBody.into());
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
    use super::{Place, columns, fields, matches, relations, render_ids};
    use crate::reason::Reason;
    use crate::vocabulary::Module;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else {
            panic!("not an object")
        };
        object
    }

    fn written(body: Value, record: Option<&str>) -> Result<Value, Reason> {
        let contacts = Module::new("Contacts");
        let place = Place {
            module: Some(&contacts),
            target: &contacts,
            record,
        };
        let fields = fields(object(body), &place, &stock_terms());
        fields
            .map(Value::Object)
            .map_err(|objection| objection.reason)
    }

    #[test]
    fn an_update_keeps_to_the_record_in_the_path() {
        let update = |body| written(body, Some("c-1"));
        assert_eq!(
            update(json!({"b": 1, "id": "c-1", "_module": "Contacts", "a": [2]})),
            Ok(json!({"b": 1, "a": [2]}))
        );
        let again = json!({"module": "Contacts", "module_name": "Contacts", "record": "c-1"});
        assert_eq!(update(again), Ok(json!({})));
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
            json!({"module": "contacts"}),
            json!({"record": "c-2"}),
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
    fn names_that_the_crm_does_not_look_at_are_left_out_in_their_own_spelling() {
        let beside = json!({"reference_id": "m-1", "_score": 3, "_highlights": {}, "title": "x"});
        assert_eq!(written(beside, None), Ok(json!({"title": "x"})));
        let other = json!({"Reference_id": "m-1", "module_name": "Leads"});
        assert_eq!(
            written(other.clone(), None),
            Ok(other),
            "fields like others"
        );
    }

    #[test]
    fn each_field_that_a_record_may_have_is_compared() {
        let read = |body| {
            let contacts = Module::new("Contacts");
            let read = matches(object(body), &contacts, &stock_terms());
            read.map_err(|objection| objection.reason)
        };
        let body = json!({"last_name": "Tan", "email": [{"email_address": "a@b.example"}], "deleted": 0, "_acl": {},
            "id": "", "reference_id": "m-1", "_module": "Contacts"});
        let mut compared = Vec::new();
        let read_body = read(body).unwrap().unwrap();
        read_body.each_path(&mut |path| compared.push(path.field.clone()));
        assert_eq!(compared, ["last_name", "email"]);
        assert_eq!(read(json!({})), Ok(None));
        for (body, reason) in [
            (json!({"id": "c-1"}), Reason::IdOnCreate),
            (json!({"module": "Users"}), Reason::MalformedBody),
            (json!({"fields": "id"}), Reason::MalformedBody),
            (json!({"a.b": 1}), Reason::MalformedBody),
        ] {
            assert_eq!(read(body), Err(reason));
        }
    }

    #[test]
    fn a_new_record_does_not_state_its_id() {
        let create = |body| written(body, None);
        assert_eq!(create(json!({"id": "c-1"})), Err(Reason::IdOnCreate));
        assert_eq!(create(json!({"id": "", "a": 1})), Ok(json!({"a": 1})));
        assert_eq!(create(json!({"id": null})), Ok(json!({})));
    }

    #[test]
    fn columns_are_scalars() {
        let columns = |body| columns(body).map_err(|objection| objection.reason);
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
        // However many ids they stand beside, columns are as few as the fields of a write.
        let item = |id: &str| {
            let columns = (0..600).map(|number| (format!("{id}_{number}"), json!(1)));
            let all = columns.chain([("id".to_owned(), json!(id))]);
            Value::Object(all.collect())
        };
        let ids = |ids: &[&str]| ids.iter().map(|id| item(id)).collect::<Vec<_>>();
        assert_eq!(
            read(json!({"link_name": "contacts", "ids": ids(&["c"])})),
            None
        );
        assert_eq!(
            read(json!({"link_name": "contacts", "ids": ids(&["c", "d"])})),
            Some(Reason::MalformedBody)
        );
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
