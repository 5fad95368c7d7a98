//! No confused deputy: the account does for a caller only what the caller's role may do.

use serde_json::{Value, json};

use crate::harness::client::Response;

use super::certificates::{ASKED, Holder, Line};
use super::rig::{FRONT_SECRET, Rig};

fn rig() -> Rig {
    Rig::demo(&[
        "identity: [token, key, front]",
        &format!("identity: certificate, {ASKED}"),
    ])
}

/// Refused in full: nothing reaches the CRM, not even a login.
fn refused(rig: &Rig, headers: &[(&str, &str)], line: &str, body: Option<&Value>) -> Response {
    let (reply, heard) = rig.hearing(|| rig.send(0, line, headers, body));
    assert_eq!(reply.status, 403, "{line}: {}", reply.text());
    assert_eq!(heard, [""; 0], "{line}");
    let event = rig.event(&reply);
    assert_eq!(
        event["outcome"]["reason"],
        json!("action-not-allowed"),
        "{line}"
    );
    reply
}

/// All that somebody may not ask for who may list, read and count contacts.
fn not_allowed(contact: &str) -> Vec<(String, Option<Value>)> {
    let at = |rest: &str| format!("/rest/v11_24/{rest}");
    let none = |line: String| (line, None);
    let mut all: Vec<(String, Option<Value>)> = [
        "GET me",
        "GET me/preferences",
        "GET me/preference/datef",
        "GET metadata",
        "GET metadata?type_filter=modules",
        "GET lang/en_us",
        // About the caller.
        "GET Contacts?my_items=1",
        "GET Contacts?favorites=1",
        "GET Contacts?my_items=true&fields=last_name",
        "GET Contacts?filter[0][$owner]=",
        "GET Contacts?filter[0][$favorite]=",
        "GET Contacts/count?my_items=1",
        "GET Contacts/count?filter[0][$owner]=",
        // Others.
        "GET Accounts",
        "GET Accounts/count",
        "GET Users",
        "GET Users/1",
        "GET Leads",
        "GET Notes",
        "GET Cases",
        "GET Employees",
        "GET Teams",
        // Into others.
        "GET Contacts?filter[0][accounts.name][$starts]=A",
        "GET Contacts?filter[0][assigned_user_link.user_name]=sally",
        "GET Contacts/count?filter[0][accounts.name][$starts]=A",
        // Searches in others, and in nobody knows what.
        "GET search?q=Martin&max_num=1",
        "GET globalsearch?q=Martin",
        "GET globalsearch?q=Martin&module_list=Accounts",
        "GET globalsearch?q=Martin&module_list=Contacts,Accounts",
        "GET search?q=a&module_list=Accounts",
    ]
    .into_iter()
    .map(|line| none(line.replacen(' ', " /rest/v11_24/", 1)))
    .collect();
    for rest in [
        "/link/accounts",
        "/link/cases",
        "/link/notes",
        "/link/assigned_user_link",
        "/link/accounts/count",
        "/link/reports_to_link/count",
    ] {
        let line = format!("GET {}", at(&format!("Contacts/{contact}{rest}")));
        // What reports to a contact is a contact.
        if !rest.contains("reports_to") {
            all.push(none(line));
        }
    }
    for (line, body) in [
        ("POST Contacts/filter", json!({"filter": [{"$owner": ""}]})),
        (
            "POST Contacts/filter",
            json!({"filter": [{"$or": [{"last_name": "A"}, {"$and": [{"$favorite": ""}]}]}]}),
        ),
        ("POST Contacts/filter", json!({"my_items": true})),
        (
            "POST Contacts/filter",
            json!({"filter": [{"accounts.name": "A"}]}),
        ),
        (
            "POST Contacts/filter/count",
            json!({"filter": [{"$owner": ""}]}),
        ),
        (
            "POST Contacts/filter",
            json!({"fields": ["last_name", {"name": "accounts", "fields": ["name"]}]}),
        ),
        (
            "POST Contacts/filter",
            json!({"fields": ["last_name", {"name": "cases", "fields": ["name"], "filter": [{"$owner": ""}]}]}),
        ),
        ("POST Contacts", json!({"last_name": "New"})),
        ("POST Accounts", json!({"name": "New"})),
        ("POST Users", json!({"user_name": "evil"})),
        ("POST Teams", json!({"name": "evil"})),
        ("PUT Users/1", json!({"is_admin": true})),
        ("PUT Contacts/ID", json!({"title": "x"})),
        ("DELETE Contacts/ID", Value::Null),
        ("DELETE Users/1", Value::Null),
        (
            "POST Contacts/ID/link",
            json!({"link_name": "accounts", "ids": ["a"]}),
        ),
        ("POST Contacts/ID/link/accounts/a", json!({})),
        ("POST Contacts/ID/link/cases", json!({"name": "x"})),
        ("DELETE Contacts/ID/link/accounts/a", Value::Null),
        ("PUT Contacts/ID/favorite", json!({})),
        ("PUT Contacts/ID/unfavorite", json!({})),
        ("POST oauth2/logout", json!({})),
        ("POST metadata", json!({})),
    ] {
        let line = line
            .replacen(' ', " /rest/v11_24/", 1)
            .replace("ID", contact);
        all.push((line, Some(body).filter(|body| !body.is_null())));
    }
    all
}

fn contact(rig: &Rig) -> String {
    let admin = rig.world.login_at(rig.world.crm, "admin");
    let page = rig.world.send_to(
        rig.world.crm,
        "GET",
        "/rest/v11_24/Contacts?max_num=1",
        Some(&admin),
        None,
    );
    page.json()["records"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn whoever_may_list_read_and_count_contacts_may_nothing_else() {
    let rig = rig();
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let id = contact(&rig);
    let front = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Groups", "desk"),
        ("X-Front-Secret", FRONT_SECRET),
    ];
    for headers in [
        &[("Paravent-Token", &*token)][..],
        &[("Paravent-Key", &*key)],
        &front,
    ] {
        for (line, body) in not_allowed(&id) {
            let (reply, heard) = rig.hearing(|| rig.send(0, &line, headers, body.as_ref()));
            assert!(
                matches!(reply.status, 400 | 403 | 404),
                "{line}: {} {}",
                reply.status,
                reply.text()
            );
            assert_eq!(heard, [""; 0], "{line}");
            let reason = rig.event(&reply)["outcome"]["reason"].clone();
            // What nobody knows, nobody may either.
            let is_known = !["/Employees", "/Teams", "?q=", "/favorite", "/unfavorite"]
                .iter()
                .any(|what| line.contains(what));
            assert!(
                reason == "action-not-allowed" || !is_known,
                "{line} {body:?}: {reason}"
            );
        }
        for line in [
            "GET /rest/v11_24/Contacts?max_num=2".to_owned(),
            format!("GET /rest/v11_24/Contacts/{id}"),
            format!("GET /rest/v11_24/Contacts/{id}?fields=last_name,account_name"),
            "GET /rest/v11_24/Contacts/count".to_owned(),
            "GET /rest/v11_24/Contacts?max_num=1&my_items=0".to_owned(),
        ] {
            let reply = rig.send(0, &line, headers, None);
            assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        }
    }
    rig.watch_for_sessions();
    let holder = Holder::mailer();
    let mut line = Line::open(&rig, 1, Some(&holder));
    for (asked, _) in not_allowed(&id)
        .iter()
        .filter(|(line, body)| line.starts_with("GET") && body.is_none())
    {
        let (reply, heard) = rig.hearing(|| line.ask(asked, &[]).unwrap());
        assert!(
            matches!(reply.status, 400 | 403 | 404),
            "{asked}: {}",
            reply.status
        );
        assert_eq!(heard, [""; 0], "{asked}");
    }
}

/// What an account of the CRM may do is not what the caller may do, whatever the policy says.
#[test]
fn nobody_without_a_session_changes_who_may_do_what() {
    let rig = rig();
    let token = rig.token(&["writer"], json!({}));
    let headers = [("Paravent-Token", &*token)];
    let id = contact(&rig);
    for (line, body) in [
        (
            "POST /rest/v11_24/Users".to_owned(),
            json!({"user_name": "evil"}),
        ),
        (
            "PUT /rest/v11_24/Users/1".to_owned(),
            json!({"first_name": "E"}),
        ),
        ("DELETE /rest/v11_24/Users/1".to_owned(), Value::Null),
        (
            format!("POST /rest/v11_24/Contacts/{id}/link/assigned_user_link/1"),
            json!({}),
        ),
        (
            "POST /rest/v11_24/Users/1/link/contacts/x".to_owned(),
            json!({}),
        ),
        (
            format!("PUT /rest/v11_24/Contacts/{id}/favorite"),
            json!({}),
        ),
        ("POST /rest/v11_24/oauth2/logout".to_owned(), json!({})),
        (format!("DELETE /rest/v11_24/Contacts/{id}"), Value::Null),
    ] {
        refused(
            &rig,
            &headers,
            &line,
            Some(&body).filter(|body| !body.is_null()),
        );
    }
    let reply = rig.send(
        0,
        &format!("PUT /rest/v11_24/Contacts/{id}"),
        &headers,
        Some(&json!({"title": "Buyer"})),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = rig.get(0, "/rest/v11_24/Users?max_num=1", &headers);
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// A part of an envelope is decided as if it stood alone.
#[test]
fn parts_of_an_envelope_are_decided_each_by_itself() {
    let rig = rig();
    let (token, id) = (rig.token(&["portal"], json!({})), contact(&rig));
    let headers = [("Paravent-Token", &*token)];
    let parts: Vec<_> = not_allowed(&id)
        .into_iter()
        .filter(|(line, _)| !line.contains("oauth2") && !line.contains("/link"))
        .map(|(line, body)| {
            let (method, url) = line.split_once(" /rest/").unwrap();
            json!({"url": url, "method": method, "data": body.unwrap_or(json!({}))})
        })
        .collect();
    for part in parts {
        let body = json!({"requests": [part]});
        let (reply, heard) =
            rig.hearing(|| rig.send(0, "POST /rest/v11_24/bulk", &headers, Some(&body)));
        let status = match reply.status {
            200 => reply.json()[0]["status"].as_u64().unwrap(),
            other => u64::from(other),
        };
        assert!(
            matches!(status, 400 | 403 | 404),
            "{part}: {status} {}",
            reply.text()
        );
        assert_eq!(heard, [""; 0], "{part}");
    }
    let good = json!({"requests": [{"url": "v11_24/Contacts?max_num=1&fields=last_name"}, {"url": "v11_24/Accounts"}]});
    let reply = rig.send(0, "POST /rest/v11_24/bulk", &headers, Some(&good));
    assert_eq!(reply.json()[0]["status"], json!(200), "{}", reply.text());
    assert_eq!(reply.json()[1]["status"], json!(403));
}

/// Of records of other modules that come along nothing is shown.
#[test]
fn records_of_other_modules_that_come_along_stay_behind() {
    let rig = rig();
    let (token, id) = (rig.token(&["portal"], json!({})), contact(&rig));
    let admin = rig.world.login_at(rig.world.crm, "admin");
    let truth = rig
        .world
        .send_to(
            rig.world.crm,
            "GET",
            &format!("/rest/v11_24/Contacts/{id}"),
            Some(&admin),
            None,
        )
        .json();
    let reply = rig.get(
        0,
        &format!("/rest/v11_24/Contacts/{id}"),
        &[("Paravent-Token", &token)],
    );
    let shown = reply.json();
    assert_eq!(shown["last_name"], truth["last_name"]);
    for (name, value) in shown.as_object().unwrap() {
        if let Value::Object(embedded) = value {
            assert!(
                embedded
                    .values()
                    .all(|value| value.is_null() || value == &json!({})),
                "{name}: {value}"
            );
        }
    }
    for name in ["account_name", "assigned_user_name", "account_id"] {
        println!("{name}: {} → {}", truth[name], shown[name]);
    }
}

/// Who states nothing of use is nobody.
#[test]
fn a_role_that_the_proof_does_not_give_does_not_count() {
    let rig = rig();
    for (token, reason) in [
        (rig.token(&[], json!({})), "no-role"),
        (
            rig.token(
                &[
                    "finance", "sales", "Sales", "admin", "erp", "desk", "Portal",
                ],
                json!({}),
            ),
            "no-role",
        ),
        (rig.partners(&["portal", "writer"], json!({})), "no-role"),
        (
            rig.token(
                &["portal"],
                json!({"sub": "sally", "preferred_username": "admin"}),
            ),
            "",
        ),
    ] {
        let reply = rig.get(
            0,
            "/rest/v11_24/Contacts?max_num=1",
            &[("Paravent-Token", &token)],
        );
        match reason {
            "" => assert_eq!(reply.status, 200),
            reason => {
                assert_eq!(reply.status, 403, "{}", reply.text());
                assert_eq!(rig.event(&reply)["outcome"]["reason"], json!(reason));
            }
        }
    }
    let front = [
        ("X-Auth-Request-User", "portal"),
        ("X-Auth-Request-Groups", "portal,finance,erp"),
        ("X-Front-Secret", FRONT_SECRET),
    ];
    assert_eq!(
        rig.get(0, "/rest/v11_24/Contacts?max_num=1", &front).status,
        403
    );
}

/// A deletion that looks like an update, a relation that looks like a field, an update that looks like a creation.
#[test]
fn what_is_more_than_it_looks_like_is_refused() {
    let rig = rig();
    let id = contact(&rig);
    let put = format!("PUT /rest/v11_24/Contacts/{id}");
    for (role, line, body) in [
        ("editor", &*put, json!({"deleted": true})),
        ("editor", &put, json!({"deleted": 1, "title": "x"})),
        (
            "editor",
            &put,
            json!({"title": "x", "accounts": {"add": ["a-1"]}}),
        ),
        (
            "editor",
            &put,
            json!({"accounts": {"create": [{"name": "x"}]}}),
        ),
        (
            "editor",
            &put,
            json!({"assigned_user_link": {"add": ["1"]}}),
        ),
        ("editor", &put, json!({"my_favorite": true})),
        ("editor", &put, json!({"following": true})),
        (
            "editor",
            "POST /rest/v11_24/Contacts",
            json!({"last_name": "x"}),
        ),
        ("maker", &put, json!({"title": "x"})),
        (
            "maker",
            "POST /rest/v11_24/Contacts",
            json!({"last_name": "x", "accounts": {"add": ["a-1"]}}),
        ),
        (
            "maker",
            "POST /rest/v11_24/Contacts",
            json!({"last_name": "x", "assigned_user_link": {"create": [{"user_name": "x"}]}}),
        ),
        ("maker", "GET /rest/v11_24/Contacts", Value::Null),
    ] {
        let token = rig.token(&[role], json!({}));
        let body = Some(body).filter(|body| !body.is_null());
        let (reply, heard) =
            rig.hearing(|| rig.send(0, line, &[("Paravent-Token", &token)], body.as_ref()));
        // What the CRM says of a record for its caller is never written; it may come back with what was read.
        let is_left_out = ["my_favorite", "following"]
            .iter()
            .any(|name| body.as_ref().is_some_and(|body| !body[*name].is_null()));
        assert!(
            matches!(reply.status, 400 | 403) || is_left_out && reply.status == 200,
            "{role} {line} {body:?}: {} {}",
            reply.status,
            reply.text()
        );
        let is_written = heard
            .iter()
            .any(|line| !line.starts_with("GET") && !line.contains("oauth2/token"));
        assert!(!is_written, "{line} {body:?}: {heard:?}");
    }
    // Who makes or changes a record and may not read any is not shown it.
    let token = rig.token(&["maker"], json!({}));
    let body = json!({"last_name": "Newcomer", "title": "Buyer"});
    let reply = rig.send(
        0,
        "POST /rest/v11_24/Contacts",
        &[("Paravent-Token", &token)],
        Some(&body),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown =
        |reply: &Response| !reply.text().contains("Newcomer") && !reply.text().contains("Buyer");
    assert!(shown(&reply), "{}", reply.text());
    let made = reply.json()["id"].as_str().unwrap().to_owned();
    let token = rig.token(&["changer"], json!({}));
    let line = format!("PUT /rest/v11_24/Contacts/{made}");
    for body in [
        json!({}),
        json!({"department": "Export"}),
        json!({"title": null}),
    ] {
        let reply = rig.send(0, &line, &[("Paravent-Token", &token)], Some(&body));
        assert!(shown(&reply), "{body}: {}", reply.text());
    }
    let admin = rig.world.login_at(rig.world.crm, "admin");
    let target = format!("/rest/v11_24/Contacts/{made}");
    let truth = rig
        .world
        .send_to(rig.world.crm, "GET", &target, Some(&admin), None);
    assert_eq!(truth.json()["department"], json!("Export"));
    assert_eq!(truth.json()["last_name"], json!("Newcomer"));
}
