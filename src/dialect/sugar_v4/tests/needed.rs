//! What is needed of records: fields that are asked for, searches, pages, and records that there are not.

use std::collections::BTreeSet;

use super::*;
use crate::condition::{FieldTest, Resolved, Scalar};
use crate::dialect::{Absent, Exchange};
use crate::vocabulary::{Field, FieldPath};

fn exchange(method: &str, arguments: Value) -> Box<dyn Exchange> {
    SugarV4::before(Database::Mysql).exchange_of(one(method, &arguments).unwrap())
}

fn mine(field: &str) -> Resolved {
    let me = Scalar::Text("u-1".to_owned());
    Resolved::Field(Field::fold(field), FieldTest::OneOf(vec![me]))
}

fn judging(module: &Module) -> BTreeSet<Field> {
    let field = match module.as_str() {
        "Contacts" => "assigned_user_id",
        _ => "team_c",
    };
    BTreeSet::from([Field::fold(field)])
}

/// The arguments that the CRM receives.
fn sent(exchange: &dyn Exchange, operation: &Operation) -> Value {
    let body = exchange.render(operation).body.unwrap();
    let (_, arguments) = std::str::from_utf8(&body)
        .unwrap()
        .split_once("rest_data=")
        .unwrap();
    let arguments = percent_encoding::percent_decode_str(arguments)
        .decode_utf8()
        .unwrap();
    serde_json::from_str(&arguments).unwrap()
}

fn list(select: Value, links: Value) -> Box<dyn Exchange> {
    exchange(
        "get_entry_list",
        json!([SESSION, "Contacts", "", "", 0, select, links, 20, 0]),
    )
}

#[test]
fn fields_by_which_records_are_judged_are_selected_but_where_all_are_meant() {
    let path = |module: &str, field: &str| FieldPath::new(&Module::new(module), field);
    let links = json!([{"name": "accounts", "value": ["name"]}, {"name": "email_addresses", "value": ["email_address"]}]);
    let exchange = list(json!(["last_name"]), links);
    let widened = exchange.also_ask(exchange.operation(), &judging).unwrap();
    let arguments = sent(&*exchange, &widened.operation);
    assert_eq!(arguments[5], json!(["last_name", "assigned_user_id"]));
    assert_eq!(
        arguments[6],
        json!([
            {"name": "accounts", "value": ["name", "team_c"]},
            {"name": "email_addresses", "value": ["email_address"]},
        ])
    );
    let added = [
        path("Accounts", "team_c"),
        path("Contacts", "assigned_user_id"),
    ];
    assert_eq!(widened.added, BTreeSet::from(added));
    let all = list(json!([]), json!([]));
    let widened = all.also_ask(all.operation(), &judging).unwrap();
    assert_eq!(sent(&*all, &widened.operation)[5], json!([]));
    assert!(widened.added.is_empty());
}

#[test]
fn a_search_shows_what_it_likes_so_it_cannot_be_asked_for_more() {
    let search = |select: Value| {
        let arguments = json!([SESSION, "smith", ["Contacts"], 0, 20, "", select]);
        let part = one("search_by_module", &arguments).unwrap();
        SugarV4::before(Database::Mysql).exchange_of(part)
    };
    let all = search(json!([]));
    assert!(all.also_ask(all.operation(), &judging).is_none());
    assert!(
        all.also_ask(all.operation(), &|_| BTreeSet::new())
            .is_some()
    );
    let chosen = search(json!(["id"]));
    assert!(chosen.also_ask(chosen.operation(), &judging).is_some());
    let needed = |_: &Module| Some(mine("assigned_user_id"));
    assert!(
        !chosen
            .restrict(chosen.operation(), &needed)
            .unsaid
            .is_empty()
    );
}

#[test]
fn what_is_needed_stands_in_the_query_unless_it_is_no_column() {
    let arguments = json!([
        SESSION,
        "Contacts",
        "contacts.title = 'x' OR contacts.title = 'y'",
        "",
        0,
        ["id"],
        [],
        20,
        0
    ]);
    let exchange = exchange("get_entry_list", arguments);
    let restricted = |field: &'static str| {
        let needed = move |_: &Module| Some(mine(field));
        exchange.restrict(exchange.operation(), &needed)
    };
    let said = restricted("assigned_user_id");
    assert!(said.unsaid.is_empty());
    let query = sent(&*exchange, &said.operation)[2].clone();
    let query = query.as_str().unwrap();
    assert!(
        query.ends_with("AND contacts.assigned_user_id = _utf8mb4 0x752d31)"),
        "{query}"
    );
    assert!(query.starts_with("((contacts.title = "), "{query}");
    for field in ["account_id", "email1", "full_name", "assigned_user_name"] {
        assert!(!restricted(field).unsaid.is_empty(), "{field}");
    }
    let custom = restricted("team_c");
    let query = sent(&*exchange, &custom.operation)[2].clone();
    assert!(
        query.as_str().unwrap().contains("contacts_cstm.team_c"),
        "{query}"
    );
}

#[test]
fn addresses_of_a_record_are_not_records_of_its_module() {
    let arguments = json!([
        SESSION,
        "Contacts",
        "c-1",
        "email_addresses",
        "",
        ["email_address"],
        [],
        0
    ]);
    let exchange = exchange("get_relationships", arguments);
    let needed = |_: &Module| Some(mine("assigned_user_id"));
    let restricted = exchange.restrict(exchange.operation(), &needed);
    assert!(restricted.unsaid.is_empty());
    assert!(restricted.operation == *exchange.operation());
}

#[test]
fn an_absent_record_is_told_as_the_crm_tells_it() {
    let read = exchange("get_entry", json!([SESSION, "Contacts", "c-1", ["id"], []]));
    let Absent::Reply(reply) = read.absent() else {
        panic!("an error");
    };
    let recorded = json!({
        "entry_list": [{
            "id": "c-1",
            "module_name": "Contacts",
            "name_value_list": [
                {"name": "warning", "value": "Access to this object is denied since it has been deleted or does not exist"},
                {"name": "deleted", "value": "1"},
            ],
        }],
        "relationship_list": [],
    });
    assert_eq!(reply, recorded);
    assert_eq!(read.record(reply), None, "no record for a look-up either");
    let write = exchange(
        "set_entry",
        json!([SESSION, "Contacts", [{"name": "id", "value": "c-1"}, {"name": "deleted", "value": 1}]]),
    );
    assert!(matches!(write.absent(), Absent::Error { status: 404, .. }));
    let look = write
        .look_at(
            &write.operation().named()[0],
            &judging(&Module::new("Contacts")),
        )
        .unwrap();
    let arguments = sent(&*look, look.operation());
    assert_eq!(
        (&arguments[1], &arguments[2], &arguments[3]),
        (
            &json!("Contacts"),
            &json!("c-1"),
            &json!(["id", "assigned_user_id"])
        )
    );
}

#[test]
fn linked_records_in_an_order_have_no_pages_since_the_crm_sorts_only_those_of_one() {
    let related = |order: &str| {
        let arguments = json!([
            SESSION,
            "Accounts",
            "a-1",
            "contacts",
            "",
            ["last_name"],
            [],
            0,
            order,
            0,
            20
        ]);
        let exchange = exchange("get_relationships", arguments);
        exchange.page_at(exchange.operation(), 20, 20).is_some()
    };
    assert!(related(""));
    assert!(!related("last_name"));
}
