//! What records are asked for: order, page, search, and what stands beside.

use serde_json::{Value, json};

use super::{described, understand};
use crate::dialect::Query;
use crate::dialect::testing::Speaks as _;
use crate::reason::Reason;

fn query(arguments: Value) -> Result<Query, Reason> {
    let operation = understand("POST /rest/v11/Contacts/filter", &arguments.to_string())?;
    Ok(operation.query)
}

/// The arguments as they are written back.
fn render(query: &Query) -> Value {
    let mut operation = understand("POST /rest/v11/Contacts/filter", "").unwrap();
    operation.query = query.clone();
    let body = described().render(&operation).body.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn orders_name_fields_and_directions() {
    let read =
        query(json!({"order_by": "last_name:ASC, date_modified:desc,accounts.name"})).unwrap();
    assert_eq!(
        render(&read)["order_by"],
        json!("last_name:asc,date_modified:desc,accounts.name:asc")
    );
    for order in [
        "last_name desc",
        "last_name:down",
        "last_name:asc:desc",
        "a,,b",
        "-last_name",
        "IF(1,a,b)",
        "a.b.c",
    ] {
        assert_eq!(
            query(json!({"order_by": order})),
            Err(Reason::MalformedOrder),
            "{order}"
        );
    }
    assert_eq!(
        query(json!({"order_by": ["a"]})),
        Err(Reason::MalformedOrder)
    );
    assert_eq!(
        query(json!({"order_by": "nowhere.a"})),
        Err(Reason::UnknownLink)
    );
    assert_eq!(query(json!({"order_by": ""})), Ok(Query::default()));
}

#[test]
fn pages_are_numbers_and_clamped() {
    for (value, rows) in [
        (json!(20), 20),
        (json!("20"), 20),
        (json!(101), 100),
        (json!("999999999"), 100),
        (json!(-1), 100),
        (json!("-1"), 100),
    ] {
        assert_eq!(query(json!({"max_num": value})).unwrap().limit, Some(rows));
    }
    for value in [
        json!(0),
        json!("00"),
        json!(-2),
        json!(1.5),
        json!("1e3"),
        json!(" 1"),
        json!("+1"),
        json!(1_000_000_000_u64),
        json!(true),
        json!([1]),
    ] {
        assert_eq!(
            query(json!({"max_num": value})),
            Err(Reason::MalformedPage),
            "{value}"
        );
    }
    assert_eq!(query(json!({"offset": "40"})).unwrap().offset, Some(40));
    for value in [json!("end"), json!(-1), json!({"calls": 1})] {
        assert_eq!(query(json!({"offset": value})), Err(Reason::MalformedPage));
    }
}

#[test]
fn a_search_stands_alone() {
    assert_eq!(
        query(json!({"q": "Ta", "filter": []}))
            .unwrap()
            .search
            .as_deref(),
        Some("Ta")
    );
    assert_eq!(
        query(json!({"q": "", "filter": [{"a": 1}]}))
            .unwrap()
            .search,
        None
    );
    assert_eq!(
        query(json!({"q": "Ta", "filter": [{"a": 1}]})),
        Err(Reason::SearchWithFilter)
    );
    assert_eq!(query(json!({"q": ["Ta"]})), Err(Reason::MalformedQuery));
    // Old versions hand it to a search engine in whose grammar this asks another field.
    for text in ["iban_c:FR76*", "a OR _exists_&#58;x"] {
        assert_eq!(query(json!({"q": text})), Err(Reason::MalformedQuery));
    }
}

#[test]
fn stored_queries_and_deleted_or_erased_data_are_refused() {
    for arguments in [
        json!({"filter_id": "f-1"}),
        json!({"view": "other"}),
        json!({"deleted": true}),
        json!({"deleted": "1"}),
        json!({"deleted": "yes"}),
        json!({"deleted": []}),
        json!({"erased_fields": 1}),
    ] {
        assert_eq!(
            query(arguments.clone()),
            Err(Reason::StoredQuery),
            "{arguments}"
        );
    }
    let harmless = json!({"deleted": false, "erased_fields": "0", "view": "", "filter_id": null});
    assert_eq!(query(harmless), Ok(Query::default()));
}

#[test]
fn parameters_that_nobody_knows_are_refused() {
    for name in [
        "__sugar_url",
        "module",
        "record",
        "Nulls_last",
        "Filter",
        "_method",
        "format",
    ] {
        assert_eq!(
            query(json!({name: "x"})),
            Err(Reason::UnknownParameter),
            "{name}"
        );
    }
}

#[test]
fn filters_about_the_caller_are_flags() {
    let read = query(json!({"favorites": "1", "my_items": false})).unwrap();
    assert_eq!(
        read.about_caller,
        [("my_items", false), ("favorites", true)]
    );
    assert_eq!(
        query(json!({"favorites": "maybe"})),
        Err(Reason::MalformedQuery)
    );
}

#[test]
fn metadata_is_chosen_by_plain_words() {
    let read = |value: Value| {
        let operation = understand("POST /rest/v11/metadata", &Value::to_string(&value))?;
        let body = described().render(&operation).body.unwrap();
        Ok(serde_json::from_slice::<Value>(&body).unwrap())
    };
    assert_eq!(
        read(
            json!({"type_filter": "modules,labels", "module_filter": ["Contacts", "pmse_Inbox"], "platform": "", "module_dependencies": true})
        ),
        Ok(
            json!({"type_filter": "modules,labels", "module_filter": "Contacts,pmse_Inbox", "module_dependencies": "1"})
        )
    );
    for value in [
        json!({"type_filter": "a b"}),
        json!({"module_filter": [1]}),
        json!({"platform": {"a": "b"}}),
        json!({"lang": "../x"}),
        json!({"module_dependencies": "maybe"}),
    ] {
        assert_eq!(read(value.clone()), Err(Reason::MalformedQuery), "{value}");
    }
    assert_eq!(read(json!({"_hash": "x"})), Err(Reason::UnknownParameter));
}
