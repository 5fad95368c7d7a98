//! A15, A16: a field that may not be seen may not be asked about.

use serde_json::{Value, json};

use super::{LIST, before, before_with, good_page};
use crate::harness::client::Response;
use crate::harness::world::{Wish, World};

/// All that asks about `field`: in each way that a request can.
fn questions(field: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let mut all = Vec::new();
    let mut get = |target: String| all.push(("GET", target, None));
    for operator in [
        "$equals",
        "$not_equals",
        "$starts",
        "$ends",
        "$contains",
        "$not_contains",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$is_null",
        "$not_null",
        "$empty",
        "$not_empty",
    ] {
        let value = if operator.contains("null") || operator.contains("empty") {
            ""
        } else {
            "FR76"
        };
        get(format!("{LIST}?filter[0][{field}][{operator}]={value}"));
    }
    for path in ["", "/filter", "/count", "/filter/count"] {
        get(format!("{LIST}{path}?filter[0][{field}]=x"));
        get(format!(
            "{LIST}{path}?filter[0][$or][0][last_name]=a&filter[0][$or][1][{field}]=b"
        ));
        get(format!(
            "{LIST}{path}?filter=%5B%7B%22{field}%22%3A%22x%22%7D%5D"
        ));
        get(format!(
            "{LIST}{path}?filter[0][{}][$in][]=x",
            field.to_uppercase()
        ));
    }
    get(format!(
        "{LIST}?filter[0][{field}][$between][]=a&filter[0][{field}][$between][]=b"
    ));
    get(format!("{LIST}?filter[0][direct_reports.{field}]=x"));
    get(format!(
        "/rest/v11_24/Accounts?filter[0][contacts.{field}]=x"
    ));
    get(format!(
        "/rest/v11_24/Accounts?order_by=contacts.{field}:desc"
    ));
    get(format!(
        "/rest/v11_24/Accounts/a-1/link/contacts?filter[0][{field}]=x"
    ));
    get(format!(
        "/rest/v11_24/Accounts/a-1/link/contacts/count?filter[0][{field}]=x"
    ));
    get(format!(
        "/rest/v11_24/Accounts/a-1/link/contacts?order_by={field}"
    ));
    for order in [
        field.to_owned(),
        format!("{field}:desc"),
        format!("last_name,{field}:asc"),
        field.to_uppercase(),
    ] {
        get(format!("{LIST}?order_by={order}&max_num=1"));
    }
    let nested = |inner: &str| {
        format!(
            "/rest/v11_24/Accounts?fields=[%22name%22,{{%22name%22:%22contacts%22,%22fields%22:[%22id%22],{inner}}}]"
        )
    };
    get(nested(&format!("%22order_by%22:%22{field}:desc%22")));
    get(nested(&format!("%22filter%22:[{{%22{field}%22:%22x%22}}]")));
    let mut post = |target: &str, body: Value| all.push(("POST", target.to_owned(), Some(body)));
    for path in [
        "/rest/v11_24/Contacts/filter",
        "/rest/v11_24/Contacts/filter/count",
    ] {
        post(path, json!({"filter": [{field: {"$starts": "FR76"}}]}));
        post(
            path,
            json!({"filter": [{"$and": [{"$or": [{"last_name": "a"}, {field: {"$in": ["x"]}}]}]}]}),
        );
        post(
            path,
            json!({"filter": [{"last_name": "a"}], "order_by": format!("{field}:desc")}),
        );
    }
    all
}

fn ask(world: &World, (method, target, body): &(&str, String, Option<Value>)) -> Response {
    world.send(method, target, Some("tok-1"), body.as_ref())
}

#[test]
fn a15_what_is_hidden_is_not_matched_sorted_counted_or_searched() {
    let (crm, world) = before(|_| good_page());
    assert_eq!(world.get(LIST, "tok-1").status, 200);
    crm.take_all();
    // Masked, redacted, hidden, secret, unclassified, and not there at all.
    for field in [
        "iban_c",
        "nir_c",
        "religion_c",
        "portal_password",
        "nobody_knows_c",
        "iban",
    ] {
        for question in questions(field) {
            let reply = ask(&world, &question);
            assert_eq!(reply.status, 403, "{question:?}: {}", reply.text());
            assert_eq!(
                world.decision(&reply)[0]["outcome"]["reason"],
                json!("field-not-usable"),
                "{question:?}"
            );
            // Whose session it is, the CRM is asked again each minute, which a busy machine takes for this.
            let mut reached = crm.take_all();
            reached.retain(|request| !request.line.contains("/me HTTP"));
            assert!(reached.is_empty(), "{question:?}: {}", reached[0].line);
        }
    }
    // In an envelope each part is refused in its place.
    let parts: Vec<Value> = questions("iban_c")
        .into_iter()
        .map(|(method, target, body)| {
            let url = target.strip_prefix("/rest").unwrap();
            json!({"url": url, "method": method, "data": body})
        })
        .collect();
    let count = parts.len();
    let reply = world.send(
        "POST",
        "/rest/v11_24/bulk",
        Some("tok-1"),
        Some(&json!({"requests": parts})),
    );
    assert_eq!(reply.status, 200);
    let statuses: Vec<Value> = reply
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["status"].clone())
        .collect();
    assert_eq!(statuses, vec![json!(403); count]);
    assert!(crm.take_all().is_empty());
    // Doors that look a record up by a value, write by a filter, or copy a field.
    for (method, target, body) in [
        (
            "POST",
            "/rest/v11_24/Contacts/duplicateCheck",
            json!({"iban_c": "x"}),
        ),
        (
            "PUT",
            "/rest/v11_24/Contacts/MassUpdate",
            json!({"massupdate_params": {"filter": [{"iban_c": "x"}]}}),
        ),
        (
            "GET",
            "/rest/v11_24/integrate/Contacts/iban_c/x",
            Value::Null,
        ),
        (
            "PUT",
            "/rest/v11_24/Contacts/c-1/id_field/iban_c",
            json!({}),
        ),
        (
            "PATCH",
            "/rest/v11_24/Contacts/c-1",
            json!([{"op": "copy", "from": "/iban_c", "path": "/last_name"}]),
        ),
        (
            "PUT",
            "/rest/v11_24/Contacts/c-1",
            json!([{"op": "test", "path": "/iban_c", "value": "x"}]),
        ),
        (
            "POST",
            "/rest/v11_24/Filters",
            json!({"filter_definition": [{"iban_c": "x"}]}),
        ),
        ("POST", "/rest/v11_24/Reports", json!({})),
        ("GET", "/rest/v11_24/Contacts/enum/iban_c", Value::Null),
        ("GET", "/rest/v11_24/Contacts?filter_id=abc", Value::Null),
        ("GET", "/rest/v11_24/Cases?q=FR76", Value::Null),
        (
            "POST",
            "/rest/v11_24/WebLogicHooks",
            json!({"url": "http://evil.example"}),
        ),
    ] {
        let body = (!body.is_null()).then_some(body);
        let reply = world.send(method, target, Some("tok-1"), body.as_ref());
        assert!(
            (400..406).contains(&reply.status),
            "{method} {target}: {}",
            reply.status
        );
        assert!(crm.take_all().is_empty(), "{method} {target}");
    }
}

#[test]
fn a15_a_refusal_does_not_tell_a_protected_field_from_an_unknown_one() {
    let (_crm, world) = before(|_| good_page());
    let answers = |field: &str| -> Vec<(u16, Vec<String>, String)> {
        questions(field)
            .iter()
            .map(|question| {
                let reply = ask(&world, question);
                let id = reply.header("paravent-decision").unwrap().to_owned();
                let names = reply.headers.iter().map(|(name, _)| name.clone()).collect();
                (reply.status, names, reply.text().replace(&id, "…"))
            })
            .collect()
    };
    assert_eq!(answers("iban_c"), answers("nobody_knows_c"));
}

#[test]
fn a16_a_projection_that_is_emptied_never_becomes_everything() {
    let (crm, world) = before(|_| good_page());
    for target in [
        "/rest/v11_24/Contacts?fields=religion_c",
        "/rest/v11_24/Contacts?fields=religion_c,health_notes_c",
        "/rest/v11_24/Contacts?fields[]=religion_c",
        "/rest/v11_24/Contacts?fields=[%22religion_c%22]",
        "/rest/v11_24/Contacts/c-1?fields=religion_c",
        "/rest/v11_24/Contacts/c-1?fields=portal_password",
        "/rest/v11_24/Accounts?fields=[{%22name%22:%22contacts%22,%22fields%22:[%22religion_c%22]}]",
        "/rest/v11_24/Accounts/a-1/link/contacts?fields=religion_c",
    ] {
        world.get(target, "tok-1");
        for request in crm.take() {
            let sent = percent_encoding::percent_decode_str(&request.line)
                .decode_utf8()
                .unwrap()
                .into_owned();
            assert!(
                sent.contains("fields=") && !sent.contains("fields=&"),
                "{target}: {sent}"
            );
            assert!(
                !sent.contains("religion") && !sent.contains("password"),
                "{target}: {sent}"
            );
            assert!(!sent.contains("\"fields\":[]"), "{target}: {sent}");
        }
    }
    let body = json!({"fields": ["religion_c"], "filter": []});
    world.send(
        "POST",
        "/rest/v11_24/Contacts/filter",
        Some("tok-1"),
        Some(&body),
    );
    for request in crm.take() {
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        assert!(
            !["", "religion_c"].contains(&sent["fields"].as_str().unwrap_or("")),
            "{sent}"
        );
    }
}

#[test]
fn refused_predicates_use_up_a_budget() {
    let wish = Wish {
        refused_predicates_per_hour: 5,
        ..Wish::default()
    };
    let (crm, mut world) = before_with(wish, |_| good_page());
    let probe = |field: &str| {
        world
            .get(&format!("{LIST}?filter[0][{field}][$starts]=F"), "tok-1")
            .status
    };
    let statuses: Vec<u16> = (0..8)
        .map(|n| probe(["iban_c", "nobody_knows_c"][n % 2]))
        .collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429, 429]);
    assert_eq!(crm.take().len(), 0);
    // Parts of an envelope count, and other requests go on.
    let bulk = json!({"requests": [{"url": "/v11_24/Contacts?order_by=iban_c"}, {"url": "/v11_24/Contacts?order_by=last_name"}]});
    let reply = world.send("POST", "/rest/v11_24/bulk", Some("tok-1"), Some(&bulk));
    assert_eq!(
        (&reply.json()[0]["status"], &reply.json()[1]["status"]),
        (&json!(429), &json!(200))
    );
    assert_eq!(
        world
            .get(&format!("{LIST}?filter[0][last_name]=x"), "tok-1")
            .status,
        200
    );
    let metrics = world.metrics();
    assert!(
        metrics.contains("paravent_predicate_budgets_used_up_total 1"),
        "{metrics}"
    );
    world.stop();
    let events = world.events();
    let used_up: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == json!("limit.predicates"))
        .collect();
    assert_eq!(used_up.len(), 1, "reported once");
    assert_eq!(used_up[0]["name"], json!("sally"));
    let counted = events
        .iter()
        .find(|event| event["event"] == json!("limit.reached"))
        .unwrap();
    assert_eq!(
        (&counted["reason"], &counted["count"]),
        (&json!("too-many-requests"), &json!(3))
    );
}
