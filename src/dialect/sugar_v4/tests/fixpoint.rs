//! What is written back is understood as what it was made of, and no input is more than a refusal.

use crate::dialect::testing::Speaks as _;
use http::Method as Verb;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{PATH, SESSION, SugarV4, URLENCODED, bounds, send};
use crate::dialect::{Database, Incoming, Operation, Understood};

/// One request of each method, with everything that it may say.
#[rustfmt::skip]
fn requests() -> Vec<(&'static str, Value)> {
    let links =
        json!([{"name": "accounts", "value": ["name"]}, {"name": "email_addresses", "value": []}]);
    let filter = "(last_name LIKE 'D%' OR NOT (iban_c = 'x' AND id IN ('1', '2'))) AND date_entered BETWEEN 1 AND 2";
    let fields = json!(["id", "name"]);
    vec![
        ("login", json!([{"user_name": "a", "password": "b", "version": "1"}, "x", {"language": "fr_FR"}])),
        ("logout", json!([SESSION])),
        ("get_user_id", json!([SESSION])),
        ("get_server_info", json!([])),
        ("get_available_modules", json!([SESSION, "all"])),
        ("get_module_fields", json!([SESSION, "Contacts", ["id"]])),
        ("get_module_fields_md5", json!([SESSION, "Contacts"])),
        ("get_entry", json!([SESSION, "Contacts", "c-1", fields, links, true])),
        ("get_entry", json!([SESSION, "Contacts", "c-1", [], links])),
        ("get_entries", json!([SESSION, "Contacts", ["c-1", "c-2"], fields, links])),
        ("get_entry_list", json!([SESSION, "Contacts", filter, "last_name DESC, id", 20, fields, links, 5, 0, true])),
        ("get_entry_list", json!([SESSION, "Contacts"])),
        ("get_entries_count", json!([SESSION, "Contacts", filter])),
        ("get_relationships", json!([SESSION, "Accounts", "a-1", "contacts", filter, fields, [], 0, "id", 1, 2])),
        ("set_entry", json!([SESSION, "Contacts", {"id": "c-1", "last_name": "D", "iban_c": null}])),
        ("set_entry", json!([SESSION, "Contacts", {"last_name": "D"}])),
        ("set_entry", json!([SESSION, "Contacts", {"id": "c-1", "deleted": 1}])),
        ("set_relationship", json!([SESSION, "Accounts", "a-1", "contacts", ["c-1"], {"role": "x"}, 1])),
        ("search_by_module", json!([SESSION, "abc", ["Contacts"], 1, 5, "u-1", fields, false, true])),
    ]
}

fn understood(dialect: &SugarV4, body: &str) -> Operation {
    match send(dialect, body) {
        Ok(Understood::One(operation)) => operation,
        other => panic!("{other:?}"),
    }
}

fn body(dialect: &SugarV4, operation: &Operation) -> String {
    String::from_utf8(dialect.render(operation).body.unwrap().to_vec()).unwrap()
}

#[test]
fn what_is_written_back_is_understood_as_the_same_operation() {
    let dialect = SugarV4::before(Database::Mysql);
    for (method, arguments) in requests() {
        let first = understood(&dialect, &super::form(method, &arguments.to_string()));
        let written = body(&dialect, &first);
        let again = understood(&dialect, &written);
        assert_eq!(body(&dialect, &again), written, "{method}");
        assert_eq!(again.action, first.action, "{method}");
        assert_eq!(again.uses(), first.uses(), "{method}");
        assert_eq!(again.modules(), first.modules(), "{method}");
        assert_eq!(again.record, first.record, "{method}");
        assert_eq!(again.link, first.link, "{method}");
        assert_eq!(again.write, first.write, "{method}");
        assert_eq!(again.credential, first.credential, "{method}");
        assert_eq!(again.query.predicate, first.query.predicate, "{method}");
        assert_eq!(dialect.shape(&again), dialect.shape(&first), "{method}");
    }
}

fn any_request(content_type: &str, body: &[u8]) {
    let request = Incoming {
        method: &Verb::POST,
        path: PATH,
        query: None,
        accept: None,
        content_type: Some(content_type),
        controls: &[],
        body,
    };
    let dialect = SugarV4::before(Database::Mysql);
    if let Ok(Understood::One(operation)) = dialect.meaning(&request, &bounds()) {
        let _ = dialect.render(&operation);
        let _ = dialect.shape(&operation);
    }
}

/// Any JSON, with words of the API in it.
fn json_value() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just(SESSION),
        Just("Contacts"),
        Just("name"),
        Just("value"),
        Just("id"),
        Just("deleted"),
        Just("contacts"),
        Just("0"),
        Just("1"),
        Just(""),
        Just("last_name = 'x'"),
        Just("email_addresses"),
    ];
    let leaf = prop_oneof![
        words.clone().prop_map(|word| json!(word)),
        any::<i32>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|flag| json!(flag)),
        Just(Value::Null),
        ".{0,8}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            proptest::collection::vec((words.clone(), inner), 0..5).prop_map(|pairs| {
                Value::Object(
                    pairs
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_body_is_understood_or_refused(body in any::<Vec<u8>>(), text in ".{0,200}") {
        for content_type in [URLENCODED, "multipart/form-data; boundary=b"] {
            any_request(content_type, &body);
            any_request(content_type, text.as_bytes());
            any_request(content_type, format!("--b\r\n{text}\r\n--b--").as_bytes());
        }
    }

    #[test]
    fn any_arguments_are_understood_or_refused(
        arguments in proptest::collection::vec(json_value(), 0..12),
        method in 0..super::super::method::METHODS.len(),
    ) {
        let method = &super::super::method::METHODS[method];
        let mut arguments = arguments;
        arguments.truncate(method.arguments.len());
        let body = super::form(method.name, &Value::Array(arguments).to_string());
        let dialect = SugarV4::before(Database::Mysql);
        if let Ok(Understood::One(operation)) = send(&dialect, &body) {
            let written = self::body(&dialect, &operation);
            let again = understood(&dialect, &written);
            prop_assert_eq!(self::body(&dialect, &again), written);
        }
    }
}
