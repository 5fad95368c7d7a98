//! What is needed of records: fields that are asked for, filters of collections, pages, and records that a request names.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::condition::{FieldTest, Resolved, Scalar};
use crate::dialect::{Absent, Exchange};
use crate::vocabulary::{Field, FieldPath, Module, RecordRef};

fn exchange(line: &str, body: &str) -> Box<dyn Exchange> {
    described().exchange_of(understand(line, body).unwrap())
}

fn mine() -> Resolved {
    let me = Scalar::Text("u-1".to_owned());
    Resolved::Field(Field::fold("assigned_user_id"), FieldTest::OneOf(vec![me]))
}

fn judging(_: &Module) -> BTreeSet<Field> {
    BTreeSet::from([Field::fold("assigned_user_id")])
}

/// Path and query as the CRM decodes them.
fn sent(exchange: &dyn Exchange, operation: &Operation) -> String {
    let target = exchange.render(operation).target;
    percent_encoding::percent_decode_str(&target)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[test]
fn fields_by_which_records_are_judged_are_asked_for_everywhere_and_told_where_nobody_asked() {
    let path = |module: &str| FieldPath::new(&Module::new(module), "assigned_user_id");
    for (line, asked, added) in [
        (
            "GET /rest/v11_24/Contacts?fields=last_name",
            "fields=last_name,assigned_user_id",
            vec![path("Contacts")],
        ),
        ("GET /rest/v11_24/Contacts", "/Contacts", vec![]),
        (
            "GET /rest/v11_24/Contacts?fields=assigned_user_id",
            "fields=assigned_user_id",
            vec![],
        ),
        // A view has fields of its own, which nobody here knows.
        (
            "GET /rest/v11_24/Contacts?view=list",
            "fields=assigned_user_id&view=list",
            vec![],
        ),
        // What one place asks for stays in the other.
        (
            r#"GET /rest/v11_24/Contacts?fields=["id",{"name":"accounts","fields":["name"]}]"#,
            r#"["id",{"name":"accounts","fields":["name","assigned_user_id"]},"assigned_user_id"]"#,
            vec![path("Accounts"), path("Contacts")],
        ),
    ] {
        let line = line
            .replace('"', "%22")
            .replace(['{'], "%7B")
            .replace('}', "%7D");
        let exchange = exchange(&line, "");
        let widened = exchange.also_ask(exchange.operation(), &judging).unwrap();
        let sent = sent(&*exchange, &widened.operation);
        let parts = asked.split('&');
        for part in parts {
            assert!(sent.contains(part), "{line}: {sent}");
        }
        assert_eq!(
            widened.added.into_iter().collect::<Vec<_>>(),
            added,
            "{line}"
        );
    }
}

#[test]
fn every_list_says_what_is_needed_but_searches_and_what_compares_linked_records() {
    let needed = |module: &Module| (module.as_str() == "Contacts").then(mine);
    for (line, body, unsaid) in [
        ("GET /rest/v11_24/Contacts", "", false),
        (
            "GET /rest/v11_24/Contacts?my_items=1&order_by=date_modified",
            "",
            false,
        ),
        ("GET /rest/v11_24/Contacts/filter/count", "", false),
        ("GET /rest/v11_24/Accounts/a-1/link/contacts", "", false),
        (
            "GET /rest/v11_24/Accounts/a-1/link/contacts/leancount",
            "",
            false,
        ),
        // One record is judged by itself.
        ("GET /rest/v11_24/Contacts/c-1", "", false),
        ("GET /rest/v11_24/Accounts", "", false),
        ("GET /rest/v11_24/Contacts?q=smith", "", true),
        (
            "GET /rest/v11_24/globalsearch?q=smith&module_list=Accounts,Contacts",
            "",
            true,
        ),
        ("GET /rest/v11_24/Contacts/enum/title", "", true),
        (
            "POST /rest/v11_24/Contacts/duplicateCheck",
            r#"{"last_name":"Smith"}"#,
            true,
        ),
        (
            r#"POST /rest/v11_24/Accounts/filter"#,
            r#"{"filter":[{"contacts.title":"x"}]}"#,
            true,
        ),
    ] {
        let exchange = exchange(line, body);
        let restricted = exchange.restrict(exchange.operation(), &needed);
        assert_eq!(!restricted.unsaid.is_empty(), unsaid, "{line}");
    }
}

#[test]
fn collections_within_records_say_it_of_theirs() {
    let body = r#"{"fields":["id",{"name":"contacts","fields":["id"],"max_num":5}]}"#;
    let exchange = exchange("POST /rest/v11_24/Accounts/filter", body);
    let needed = |module: &Module| (module.as_str() == "Contacts").then(mine);
    let restricted = exchange.restrict(exchange.operation(), &needed);
    assert!(restricted.unsaid.is_empty());
    let body = exchange.render(&restricted.operation).body.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let filter = json!([{"assigned_user_id": {"$equals": "u-1"}}]);
    assert_eq!(body["fields"][1]["filter"], filter);
    assert_eq!(body.get("filter"), None);
}

#[test]
fn pages_go_on_at_any_row() {
    let exchange = exchange("GET /rest/v11_24/Contacts?max_num=20&offset=40", "");
    let paged = exchange.page_at(exchange.operation(), 67, 20).unwrap();
    assert!(sent(&*exchange, &paged).contains("max_num=20&offset=67"));
    assert!(exchange.page_at(exchange.operation(), 0, 0).is_none());
    let read = self::exchange("GET /rest/v11_24/Contacts/c-1", "");
    assert!(read.page_at(read.operation(), 0, 20).is_none());
}

#[test]
fn both_ends_of_a_relation_can_be_looked_at() {
    let relation = exchange("DELETE /rest/v11_24/Accounts/a-1/link/contacts/c-1", "");
    let operation = relation.operation().clone();
    let fields = BTreeSet::from([Field::fold("assigned_user_id")]);
    let looked: Vec<String> = operation
        .named()
        .iter()
        .map(|record| {
            let look = relation.look_at(record, &fields).unwrap();
            assert_eq!(
                (look.operation().action, &look.operation().link),
                (Action::Read, &None)
            );
            sent(&*look, look.operation())
        })
        .collect();
    assert_eq!(
        looked,
        [
            "/rest/v11_24/Accounts/a-1?fields=id,assigned_user_id",
            "/rest/v11_24/Contacts/c-1?fields=id,assigned_user_id",
        ]
    );
    let record = RecordRef {
        module: Module::new("Contacts"),
        id: Arc::from("c-1"),
    };
    let look = relation.look_at(&record, &BTreeSet::new()).unwrap();
    let answer = json!({"id": "c-1", "assigned_user_id": "u-1"});
    assert_eq!(
        look.record(answer).unwrap()["assigned_user_id"],
        json!("u-1")
    );
    assert_eq!(
        look.record(json!({"id": "c-2"})).unwrap()["id"],
        json!("c-2")
    );
}

#[test]
fn an_absent_record_is_an_error_with_the_crms_label() {
    let Absent::Error { status, label } = exchange("GET /rest/v11_24/Contacts/c-1", "").absent()
    else {
        panic!("a reply");
    };
    let (ours, theirs) = (
        described().refuse(status, label),
        described().refuse(404, Some("not_found")),
    );
    assert_eq!(
        (ours.content_type, ours.template),
        (theirs.content_type, theirs.template)
    );
}
