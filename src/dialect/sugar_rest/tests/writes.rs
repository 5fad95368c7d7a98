//! What a request writes: the fields of a record, or the columns of a relation.

use serde_json::{Map, Value, json};

use super::{described, understand};
use crate::dialect::Operation;
use crate::dialect::testing::Speaks as _;
use crate::reason::Reason;

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("not an object")
    };
    object
}

fn written(body: Value, record: Option<&str>) -> Result<Value, Reason> {
    let line = match record {
        Some(record) => format!("PUT /rest/v11/Contacts/{record}"),
        None => "POST /rest/v11/Contacts".to_owned(),
    };
    let operation = understand(&line, &body.to_string())?;
    Ok(operation.write.unwrap_or_default().into())
}

fn relations(body: &Value) -> Result<Operation, Reason> {
    understand("POST /rest/v11/Opportunities/o-1/link", &body.to_string())
}

/// The ids as they are written back.
fn render_ids(operation: &Operation) -> Value {
    let body = described().render(operation).body.unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["ids"].take()
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
    let read = |body: Value| {
        let line = "POST /rest/v11/Contacts/duplicateCheck";
        let operation = understand(line, &Value::to_string(&body))?;
        Ok(operation.query.predicate)
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
    let columns = |body: Map<String, Value>| {
        let line = "PUT /rest/v11/Opportunities/o-1/link/contacts/c-1";
        let operation = understand(line, &Value::Object(body).to_string())?;
        Ok(operation.write)
    };
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
    let ids = json!(["c-1", {"id": "c-2", "role": "a", "n": 1}, {"id": "c-3", "role": "a"}, {"id": "c-4"}]);
    let mut all = relations(&json!({"link_name": "contacts", "ids": ids})).unwrap();
    assert_eq!(all.related, ["c-1", "c-2", "c-3", "c-4"]);
    assert_eq!(all.write, Some(object(json!({"role": "a", "n": 1}))));
    assert_eq!(
        render_ids(&all),
        json!(["c-1", {"id": "c-2", "role": "a", "n": 1}, {"id": "c-3", "role": "a"}, "c-4"])
    );
    all.write = Some(object(json!({"n": 2})));
    assert_eq!(
        render_ids(&all),
        json!(["c-1", {"id": "c-2", "n": 2}, "c-3", "c-4"])
    );
}

#[test]
fn other_relations_are_refused() {
    let read = |body: Value| relations(&body).err();
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
