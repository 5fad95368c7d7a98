//! Descriptions of APIs that nobody runs here: that what such an API has can be said, and means what it means there.

use serde_json::{Value, json};

use super::*;
use crate::dialect::{Path, Predicate, Sort};

fn hubspot() -> Described {
    described(include_str!(
        "../../../../tests/data/described/hubspot.yaml"
    ))
}

const SEARCH: &str = "POST /crm/v3/objects/0-1/search";

fn search(body: &Value) -> Result<Operation, Reason> {
    understand(&hubspot(), SEARCH, &body.to_string())
}

fn own(field: &str) -> Path {
    Path {
        link: None,
        field: field.to_owned(),
    }
}

#[test]
fn one_of_the_groups_holds_and_in_it_every_filter() {
    let body = json!({
        "filterGroups": [
            {"filters": [
                {"propertyName": "city", "operator": "EQ", "value": "Lyon"},
                {"propertyName": "amount", "operator": "BETWEEN", "value": 1, "highValue": 9},
            ]},
            {"filters": [{"propertyName": "email", "operator": "IN", "values": ["a@b.ch", "c@d.ch"]}]},
        ],
        "sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}],
        "properties": ["city", "email"],
        "limit": 500,
        "after": "100",
        "query": "zola",
    });
    let operation = search(&body).unwrap();
    let field = |name, operator, value| Predicate::Field {
        path: own(name),
        operator: Some(operator),
        value,
    };
    let expected = Predicate::Any(vec![
        Predicate::All(vec![
            field("city", "EQ", json!({"value": "Lyon"})),
            field("amount", "BETWEEN", json!({"value": 1, "highValue": 9})),
        ]),
        Predicate::All(vec![field(
            "email",
            "IN",
            json!({"values": ["a@b.ch", "c@d.ch"]}),
        )]),
    ]);
    let found = Predicate::All(vec![Predicate::All(vec![expected])]);
    assert_eq!(operation.query.predicate, Some(found));
    let order = [Sort {
        path: own("createdate"),
        descending: true,
    }];
    assert_eq!(operation.query.order, order);
    assert_eq!(
        operation.query.limit,
        Some(100),
        "the bound of the upstream"
    );
    assert_eq!(operation.query.search.as_deref(), Some("zola"));

    let outgoing = hubspot().render(&operation);
    assert_eq!(outgoing.target, "/crm/v3/objects/contacts/search");
    let sent: Value = serde_json::from_slice(&outgoing.body.unwrap()).unwrap();
    let mut bounded = body;
    bounded["limit"] = json!(100);
    assert_eq!(sent, bounded);
}

#[test]
fn every_field_of_a_group_and_of_an_order_is_judged() {
    let body = json!({
        "filterGroups": [{"filters": [{"propertyName": "hs_email_domain", "operator": "EQ", "value": "x"}]}],
        "sorts": [{"propertyName": "iban"}],
    });
    let operation = search(&body).unwrap();
    let uses = operation.uses();
    let fields: Vec<&str> = uses.iter().map(|used| used.path.field.as_str()).collect();
    assert!(fields.contains(&"hs_email_domain"), "{fields:?}");
    assert!(fields.contains(&"iban"), "{fields:?}");
}

#[test]
fn what_is_not_a_group_a_key_or_a_cursor_is_refused() {
    let filter = json!({"propertyName": "city", "operator": "EQ", "value": "Lyon"});
    for (body, reason) in [
        (json!({"filterGroups": [{}]}), Reason::MalformedFilter),
        (json!({"filterGroups": {}}), Reason::MalformedFilter),
        (
            json!({"filterGroups": [{"filters": []}]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"filterGroups": [{"filters": [filter], "not": true}]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"filterGroups": [{"filters": [{"filters": [filter]}]}]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "LIKE", "value": "L"}]}]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "", "value": [filter]}]}]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": {"a": 1}}]}]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"filterGroups": vec![json!({"filters": [filter]}); 501]}),
            Reason::MalformedFilter,
        ),
        (
            json!({"sorts": [{"direction": "ASCENDING"}]}),
            Reason::MalformedOrder,
        ),
        (
            json!({"sorts": [{"propertyName": "city", "direction": "UP"}]}),
            Reason::MalformedOrder,
        ),
        (
            json!({"sorts": [{"propertyName": "city", "nulls": 1}]}),
            Reason::MalformedOrder,
        ),
        (json!({"sorts": "city"}), Reason::MalformedOrder),
        (json!({"after": "a b"}), Reason::MalformedPage),
        (json!({"after": ""}), Reason::MalformedPage),
        (json!({"filters": [filter]}), Reason::UnknownParameter),
    ] {
        assert_eq!(search(&body).unwrap_err(), reason, "{body}");
    }
    assert_eq!(
        search(&json!({"filterGroups": []}))
            .unwrap()
            .query
            .predicate,
        None
    );
}

#[test]
fn a_cursor_goes_on_as_it_came() {
    let hubspot = hubspot();
    let line = "GET /crm/v3/objects/contacts?limit=5&after=NTI1Cg%253D%253D&properties=city,email&archived=false";
    let operation = understand(&hubspot, line, "").unwrap();
    assert_eq!(operation.query.limit, Some(5));
    assert_eq!(
        shown(&hubspot.render(&operation)),
        "GET /crm/v3/objects/contacts?archived=false&properties=city,email&limit=5&after=NTI1Cg%3D%3D"
    );
}

#[test]
fn fields_to_write_lie_under_properties() {
    let hubspot = hubspot();
    let body = r#"{"properties":{"city":"Lyon"}}"#;
    let operation = understand(&hubspot, "PATCH /crm/v3/objects/0-1/7", body).unwrap();
    assert_eq!(
        shown(&hubspot.render(&operation)),
        format!("PATCH /crm/v3/objects/contacts/7 {body}")
    );
    let associated = r#"{"properties":{"city":"Lyon"},"associations":[]}"#;
    assert!(understand(&hubspot, "POST /crm/v3/objects/0-1", associated).is_err());
}

// ---- Odoo ------------------------------------------------------------------------------------------------------------

fn odoo() -> Described {
    described(include_str!("../../../../tests/data/described/odoo.yaml"))
}

fn search_read(domain: &Value) -> Result<Operation, Reason> {
    let body = json!({"domain": domain, "fields": ["name"], "limit": 5, "order": "name desc, id"});
    understand(
        &odoo(),
        "POST /json/2/res.partner/search_read",
        &body.to_string(),
    )
}

#[test]
fn a_domain_is_read_from_its_end() {
    let domain = json!([
        "|",
        "!",
        ["city", "=", "Lyon"],
        "&",
        ["parent_id.name", "ilike", "z"],
        ["id", "not in", [1, 2]],
        ["vip", "=", true]
    ]);
    let operation = search_read(&domain).unwrap();
    let field = |path: Path, operator, value| Predicate::Field {
        path,
        operator: Some(operator),
        value,
    };
    let of_parent = Path {
        link: Some(crate::dialect::Link {
            name: "parent_id".to_owned(),
            target: Module::new("partners"),
        }),
        field: "name".to_owned(),
    };
    let either = Predicate::Any(vec![
        Predicate::Not(Box::new(field(own("city"), "=", json!("Lyon")))),
        Predicate::All(vec![
            field(of_parent, "ilike", json!("z")),
            field(own("id"), "not in", json!([1, 2])),
        ]),
    ]);
    let terms = vec![either, field(own("vip"), "=", json!(true))];
    let found = Predicate::All(vec![Predicate::All(terms)]);
    assert_eq!(operation.query.predicate, Some(found));

    let outgoing = odoo().render(&operation);
    assert_eq!(outgoing.target, "/json/2/res.partner/search_read");
    let sent: Value = serde_json::from_slice(&outgoing.body.unwrap()).unwrap();
    assert_eq!(sent["domain"], domain);
    assert_eq!(sent["order"], "name desc,id asc");
}

#[test]
fn what_a_negation_holds_is_judged() {
    let operation = search_read(&json!(["!", ["vat", "=", "x"]])).unwrap();
    let matched = |used: &FieldUse| used.path.field.as_str() == "vat" && used.how == Use::Matched;
    assert!(operation.uses().iter().any(matched));
}

#[test]
fn what_is_no_domain_is_refused() {
    let leaf = json!(["city", "=", "Lyon"]);
    let mut long = vec![json!("!"); 500];
    long.push(leaf.clone());
    for domain in [
        json!({}),
        json!("[]"),
        json!(["&", leaf]),
        json!(["|"]),
        json!(["!"]),
        json!([leaf, "&"]),
        json!(["^", leaf, leaf]),
        json!([["city", "=", "Lyon", 1]]),
        json!([["city", "="]]),
        json!([[1, "=", 1]]),
        json!([["city", "any", [leaf]]]),
        json!([["city", "child_of", 1]]),
        json!([["city", "=", {"a": 1}]]),
        json!([["city", "in", [["a"]]]]),
        json!([["parent_id.user_id.name", "=", "x"]]),
        json!([["elsewhere.name", "=", "x"]]),
        json!([[leaf]]),
        Value::Array(long),
    ] {
        let said = search_read(&domain).map(|operation| operation.query);
        assert_eq!(said.unwrap_err(), Reason::MalformedFilter, "{domain}");
    }
    assert_eq!(search_read(&json!([])).unwrap().query.predicate, None);
}

#[test]
fn the_deepest_domain_is_read_shown_compared_and_written() {
    for (word, words) in [("!", 499), ("&", 249), ("|", 249)] {
        let leaf = json!(["city", "=", "Lyon"]);
        let mut terms = vec![json!(word); words];
        terms.resize(if word == "!" { 500 } else { 499 }, leaf);
        let domain = Value::Array(terms);
        let operation = search_read(&domain).unwrap();
        assert!(!format!("{operation:?}{operation:#?}").contains("Lyon"));
        assert_eq!(operation.clone(), operation);
        assert!(!operation.uses().is_empty());
        let sent = odoo().render(&operation).body.unwrap();
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(sent["domain"], domain);
    }
}

#[test]
fn records_are_read_by_a_list_of_ids_and_by_nothing_else() {
    let odoo = odoo();
    let read = |body: &str| understand(&odoo, "POST /json/2/res.partner/read", body);
    let body = r#"{"fields":["name"],"ids":[7,8]}"#;
    let operation = read(body).unwrap();
    assert_eq!(
        shown(&odoo.render(&operation)),
        format!("POST /json/2/res.partner/read {body}")
    );
    for body in [
        r#"{"ids":[]}"#,
        r#"{"ids":["x"]}"#,
        r#"{"ids":[[7]]}"#,
        r#"{"ids":{"a":1}}"#,
        r#"{"ids":[null]}"#,
        // Odoo would take the first for the records 7 and 8.
        r#"{"ids":"78"}"#,
        r#"{"ids":"7,8"}"#,
        r#"{"ids":7}"#,
    ] {
        assert_eq!(read(body).unwrap_err(), Reason::MalformedFilter, "{body}");
    }
    for line in ["write", "create", "unlink", "web_read", "message_post"] {
        let line = format!("POST /json/2/res.partner/{line}");
        assert!(
            understand(&odoo, &line, r#"{"ids":[7]}"#).is_err(),
            "{line}"
        );
    }
}
