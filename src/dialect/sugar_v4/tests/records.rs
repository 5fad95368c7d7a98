//! Replies under a plan in which nothing is shown: what is left of them.

use crate::dialect::testing::Speaks as _;
use serde_json::{Value, json};

use super::{SESSION, SugarV4, one};
use crate::dialect::{Database, Operation, Shape};

/// Every path at which a shape lets something through, with the module of the records there.
fn places(shape: &Shape, at: &str, into: &mut Vec<String>) {
    match shape {
        Shape::Anything => into.push(format!("{at} anything")),
        Shape::Scalar | Shape::Count(_) => into.push(format!("{at} scalar")),
        Shape::Word(words) => into.push(format!("{at} {}", words.join("|"))),
        Shape::NameOf(name) => into.push(format!("{at} {}", name.module)),
        Shape::Dropped => {}
        Shape::Object(object) => {
            for (key, shape) in &object.keys {
                places(shape, &format!("{at}.{key}"), into);
            }
            if let crate::dialect::Others::Shape(shape) = &object.others {
                places(shape, &format!("{at}.*"), into);
            }
        }
        Shape::List(element) | Shape::Along { element, .. } => {
            places(element, &format!("{at}[]"), into);
        }
        Shape::Record(record) => into.push(format!("{at} {}", record.module)),
        Shape::OneOf(records) => {
            into.extend(
                records
                    .iter()
                    .map(|record| format!("{at} {}", record.module)),
            );
        }
        Shape::Entry(entry) => {
            into.push(format!("{at}.{} {}", entry.under, entry.record.module));
            for (key, shape) in &entry.keys {
                places(shape, &format!("{at}.{key}"), into);
            }
        }
        Shape::Either { array, object } => {
            places(array, &format!("{at}(array)"), into);
            places(object, &format!("{at}(object)"), into);
        }
        Shape::Choice(choice) => {
            for (word, object) in &choice.cases {
                places(
                    &Shape::Object(object.clone()),
                    &format!("{at}<{word}>"),
                    into,
                );
            }
        }
    }
}

fn of(method: &str, arguments: &Value) -> Vec<String> {
    let operation: Operation = one(method, arguments).unwrap();
    let mut found = Vec::new();
    places(
        &SugarV4::before(Database::Mysql).shape(&operation),
        "",
        &mut found,
    );
    found
}

#[test]
fn records_are_held_to_the_module_that_they_belong_to() {
    let links = json!([{"name": "accounts", "value": ["name"]}, {"name": "email_addresses", "value": ["email_address"]}]);
    let list = of(
        "get_entry_list",
        &json!({"session": SESSION, "module_name": "Contacts", "link_name_to_fields_array": links}),
    );
    assert_eq!(
        list,
        [
            ".result_count scalar",
            ".total_count scalar",
            ".next_offset scalar",
            ".entry_list[].name_value_list Contacts",
            ".entry_list[].module_name Contacts",
            ".relationship_list[](array)[]<accounts>.name scalar",
            ".relationship_list[](array)[]<accounts>.records[] Accounts",
            ".relationship_list[](array)[]<email_addresses>.name scalar",
            ".relationship_list[](array)[]<email_addresses>.records[] Contacts",
            ".relationship_list[](object).link_list[]<accounts>.name scalar",
            ".relationship_list[](object).link_list[]<accounts>.records[].link_value Accounts",
            ".relationship_list[](object).link_list[]<email_addresses>.name scalar",
            ".relationship_list[](object).link_list[]<email_addresses>.records[].link_value Contacts",
        ]
    );
    let related = of(
        "get_relationships",
        &json!([SESSION, "Accounts", "a-1", "contacts", "", [], []]),
    );
    assert_eq!(
        related,
        [
            ".entry_list[].name_value_list Contacts",
            ".entry_list[].module_name Contacts",
        ]
    );
    let addresses = of(
        "get_relationships",
        &json!([SESSION, "Contacts", "c-1", "email_addresses"]),
    );
    assert_eq!(
        addresses,
        [
            ".entry_list[].name_value_list Contacts",
            ".entry_list[].module_name EmailAddresses|EmailAddress",
        ]
    );
    let custom = of("get_entry", &json!([SESSION, "acme_Boats", "b-1"]));
    assert_eq!(custom[1], ".entry_list[].module_name scalar");
    let search = of("search_by_module", &json!([SESSION, "x", ["Cases"]]));
    assert_eq!(
        search,
        [
            ".entry_list[]<Cases>.name scalar",
            ".entry_list[]<Cases>.records[] Cases",
        ]
    );
    let written = of("set_entry", &json!([SESSION, "Cases", {"name": "x"}]));
    assert_eq!(written, [".entry_list Cases"]);
}

#[test]
fn replies_without_records_pass_a_list_of_keys() {
    for (method, arguments) in [
        (
            "login",
            json!({"user_auth": {"user_name": "x", "password": "x"}}),
        ),
        ("get_available_modules", json!([SESSION, "all"])),
        ("get_module_fields", json!([SESSION, "Contacts"])),
        ("get_server_info", json!([])),
        (
            "set_relationship",
            json!([SESSION, "Accounts", "a-1", "contacts", ["c-1"]]),
        ),
    ] {
        let places = of(method, &arguments);
        assert!(!places.is_empty());
        assert!(
            places.iter().all(|place| place.ends_with(" scalar")),
            "{method} {places:?}"
        );
        assert!(
            !places.iter().any(|place| place.contains("default_value")),
            "{method}"
        );
    }
}
