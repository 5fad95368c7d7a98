//! The grammar of `fields`.

use serde_json::{Value, json};

use super::{described, understand};
use crate::dialect::Projected;
use crate::dialect::testing::Speaks as _;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Collections within collections.
const DEPTH_MAX: usize = 3;

fn projection(value: &Value) -> Result<Option<Vec<Projected>>, Reason> {
    let body = json!({"fields": value}).to_string();
    let operation = understand("POST /rest/v11/Accounts/filter", &body)?;
    Ok(operation.query.projection)
}

/// The projection as it is written back.
fn render(items: &[Projected]) -> Value {
    let mut operation = understand("POST /rest/v11/Accounts/filter", "").unwrap();
    operation.query.projection = Some(items.to_vec());
    let body = described().render(&operation).body.unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["fields"].take()
}

#[test]
fn text_and_lists_name_fields() {
    for value in [
        json!("id,last_name"),
        json!("id, last_name,ID"),
        json!(["id", "last_name"]),
        json!("[\"id\",\"last_name\",\"Last_Name\"]"),
    ] {
        let read = projection(&value).unwrap().unwrap();
        assert_eq!(render(&read), json!("id,last_name"), "{value}");
    }
    for value in [json!(""), json!([]), json!(null), json!("[]")] {
        assert_eq!(projection(&value), Ok(None), "{value}");
    }
}

#[test]
fn collections_have_a_query_about_the_target_of_their_link() {
    let value = json!(["name", {
        "name": "contacts", "fields": ["id", "full_name"],
        "filter": [{"accounts.industry": "x"}], "order_by": "iban_c:desc", "max_num": 5
    }]);
    let read = projection(&value).unwrap().unwrap();
    assert_eq!(render(&read), value);
    assert_eq!(
        projection(&json!(value.to_string())),
        Ok(Some(read.clone()))
    );
    let Projected::Collection { link, query } = &read[1] else {
        panic!("no collection")
    };
    assert_eq!(link.target, Module::new("Contacts"));
    assert_eq!(query.order[0].path.field, "iban_c");
}

#[test]
fn what_is_not_in_the_grammar_is_refused() {
    for value in [
        json!("id,,name"),
        json!("id;name"),
        json!("contacts.name"),
        json!("*"),
        json!("id name"),
        json!("[\"id\""),
        json!("[{}]"),
        json!([1]),
        json!([["id"]]),
        json!({"id": true}),
        json!([{"fields": ["id"]}]),
        json!([{"name": 1}]),
        json!([{"name": "contacts", "link": "cases"}]),
        json!([{"name": "contacts", "q": "x"}]),
        json!([{"name": "contacts"}, {"name": "contacts", "fields": ["id"]}]),
        json!([{"name": "contacts"}, "contacts"]),
        json!(vec!["a"; 501]),
    ] {
        assert_eq!(
            projection(&value),
            Err(Reason::MalformedProjection),
            "{value}"
        );
    }
    assert_eq!(
        projection(&json!([{"name": "history"}])),
        Err(Reason::UnknownLink)
    );
    assert_eq!(
        projection(&json!([{"name": "contacts", "view": "list"}])),
        Err(Reason::StoredQuery)
    );
}

#[test]
fn collections_are_bounded() {
    let deep = |depth: usize| {
        (0..depth).fold(
            json!(["id"]),
            |fields, _| json!([{"name": "members", "fields": fields}]),
        )
    };
    assert!(projection(&deep(DEPTH_MAX)).is_ok());
    assert_eq!(
        projection(&deep(DEPTH_MAX + 1)),
        Err(Reason::MalformedProjection)
    );
}

#[test]
fn no_fields_never_becomes_all_fields() {
    assert_eq!(render(&[]), json!("id"));
}
