//! Who asks for what a stronger authentication would show is told so, as their clients understand it.

use serde_json::{Value, json};

use crate::harness::client::Response;

use super::rig::{Rig, now};

const ASKED: &str = "acr_values=\"phr phrh\", max_age=900";
const CHALLENGE: &str =
    "Bearer error=\"insufficient_user_authentication\", acr_values=\"phr phrh\", max_age=900";

fn rig() -> (Rig, Value) {
    let rig = Rig::demo(&["identity: [token, key]", "identity: [crm-session, token]"]);
    let admin = rig.world.login_at(rig.world.crm, "admin");
    let target = "/rest/v11_24/Contacts?max_num=50&fields=iban_c,account_id,last_name";
    let page = rig
        .world
        .send_to(rig.world.crm, "GET", target, Some(&admin), None)
        .json();
    let records = page["records"].as_array().unwrap();
    let full = |contact: &&Value| {
        ["iban_c", "account_id"]
            .iter()
            .all(|name| contact[*name].as_str().is_some_and(|text| !text.is_empty()))
    };
    let contact = records.iter().find(full).unwrap().clone();
    (rig, contact)
}

fn strong(changes: Value) -> Value {
    let mut claims = json!({"acr": "phr", "auth_time": now() - 10});
    claims
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    claims
}

fn is_masked(shown: &Value, truth: &Value) -> bool {
    let (shown, truth) = (
        shown["iban_c"].as_str().unwrap(),
        truth["iban_c"].as_str().unwrap(),
    );
    shown.contains("••••") && !shown.replace(' ', "").contains(&truth[4..truth.len() - 4])
}

fn challenged(rig: &Rig, reply: &Response) {
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert_eq!(reply.header("www-authenticate"), Some(CHALLENGE));
    assert_eq!(reply.header("paravent-step-up"), None);
    let event = rig.event(reply);
    assert_eq!(event["outcome"]["kind"], json!("challenged"), "{event}");
    assert_eq!(event["outcome"]["reason"], json!("step-up"));
    assert!(event["auth"].get("strengths").is_none(), "{event}");
}

#[test]
fn a_weak_token_that_names_the_field_is_challenged() {
    let (rig, contact) = rig();
    let id = contact["id"].as_str().unwrap();
    let named = format!("/rest/v11_24/Contacts/{id}?fields=last_name,iban_c");
    for claims in [
        json!({}),
        json!({"acr": "1", "auth_time": now() - 10}),
        json!({"acr": "PHR", "auth_time": now() - 10}),
        json!({"acr": "phr phrh", "auth_time": now() - 10}),
        json!({"acr": "phr"}),
        json!({"auth_time": now() - 10}),
        json!({"amr": ["hwk", "phr"], "auth_time": now() - 10}),
        json!({"acr": "phr", "auth_time": now() - 905}),
        json!({"acr": "phr", "auth_time": 0}),
    ] {
        let token = rig.token(&["payer"], claims.clone());
        let headers = [("Paravent-Token", &*token)];
        for target in [
            &*named,
            "/rest/v11_24/Contacts?max_num=2&fields=iban_c",
            "/rest/v11_24/Contacts?max_num=1&fields=iban_c,last_name&order_by=last_name",
        ] {
            let (reply, heard) = rig.hearing(|| rig.get(0, target, &headers));
            challenged(&rig, &reply);
            assert_eq!(heard, [""; 0], "{claims}");
        }
        let reply = rig.get(0, &format!("/rest/v11_24/Contacts/{id}"), &headers);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("paravent-step-up"), Some(ASKED), "{claims}");
        assert_eq!(reply.header("www-authenticate"), None);
        assert!(is_masked(&reply.json(), &contact));
        // Nothing of it was asked for.
        let reply = rig.get(
            0,
            &format!("/rest/v11_24/Contacts/{id}?fields=last_name"),
            &headers,
        );
        assert_eq!(
            (reply.status, reply.header("paravent-step-up")),
            (200, None)
        );
    }
}

#[test]
fn a_strong_token_is_shown_it() {
    let (rig, contact) = rig();
    let id = contact["id"].as_str().unwrap();
    for (claims, age) in [
        (strong(json!({})), 10..20),
        (
            strong(json!({"acr": "phrh", "amr": ["pwd", "hwk"]})),
            10..20,
        ),
        (strong(json!({"auth_time": now() - 880})), 880..900),
        // One of the clocks is a little wrong.
        (strong(json!({"auth_time": now() + 30})), 0..1),
    ] {
        let token = rig.token(&["payer"], claims.clone());
        for target in [
            format!("/rest/v11_24/Contacts/{id}?fields=iban_c"),
            format!("/rest/v11_24/Contacts/{id}"),
        ] {
            let reply = rig.get(0, &target, &[("Paravent-Token", &token)]);
            assert_eq!(reply.status, 200, "{claims}: {}", reply.text());
            assert_eq!(reply.json()["iban_c"], contact["iban_c"]);
            assert_eq!(reply.header("paravent-step-up"), None);
            let auth = rig.event(&reply)["auth"].clone();
            assert_eq!(auth["strengths"], json!(["strong"]));
            assert_eq!(auth["acr"], claims["acr"]);
            assert_eq!(auth["amr"], claims.get("amr").cloned().unwrap_or(json!([])));
            assert!(
                age.contains(&auth["age_seconds"].as_i64().unwrap()),
                "{auth}"
            );
        }
    }
    let ahead = rig.token(&["payer"], strong(json!({"auth_time": now() + 3_600})));
    let (reply, heard) = rig.hearing(|| {
        rig.get(
            0,
            &format!("/rest/v11_24/Contacts/{id}?fields=iban_c"),
            &[("Paravent-Token", &ahead)],
        )
    });
    assert_eq!((reply.status, heard.len()), (401, 0));
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    // Strong for another purpose, or in another role, shows nothing more, and nothing is promised.
    for (roles, purpose) in [(&["payer"][..], Some("contract")), (&["portal"], None)] {
        let token = rig.token(roles, strong(json!({})));
        let mut headers = vec![("Paravent-Token", &*token)];
        headers.extend(purpose.map(|purpose| ("Paravent-Purpose", purpose)));
        let reply = rig.get(
            0,
            &format!("/rest/v11_24/Contacts/{id}?fields=iban_c"),
            &headers,
        );
        if reply.status == 200 {
            assert!(is_masked(&reply.json(), &contact));
            assert_eq!(reply.header("paravent-step-up"), None);
        } else {
            assert_eq!(reply.status, 403, "{}", reply.text());
        }
    }
}

#[test]
fn through_links_and_collections_it_is_the_same_field() {
    let (rig, contact) = rig();
    let account = contact["account_id"].as_str().unwrap();
    let weak = rig.token(&["payer"], json!({}));
    let good = rig.token(&["payer"], strong(json!({})));
    let link = format!(
        "GET /rest/v11_24/Accounts/{account}/link/contacts?fields=last_name,iban_c&max_num=20"
    );
    let collection = json!({"fields": ["name", {"name": "contacts", "fields": ["last_name", "iban_c"]}], "max_num": 2});
    for (line, body) in [
        (&*link, None),
        ("POST /rest/v11_24/Accounts/filter", Some(&collection)),
    ] {
        let (reply, heard) = rig.hearing(|| rig.send(0, line, &[("Paravent-Token", &weak)], body));
        challenged(&rig, &reply);
        assert_eq!(heard, [""; 0]);
        let reply = rig.send(0, line, &[("Paravent-Token", &good)], body);
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        assert_eq!(reply.header("paravent-step-up"), None);
    }
    let reply = rig.send(0, &link, &[("Paravent-Token", &good)], None);
    assert!(reply.text().contains(contact["iban_c"].as_str().unwrap()));
    let unnamed = format!("/rest/v11_24/Accounts/{account}/link/contacts?max_num=20");
    let reply = rig.get(0, &unnamed, &[("Paravent-Token", &weak)]);
    assert_eq!(
        (reply.status, reply.header("paravent-step-up")),
        (200, Some(ASKED))
    );
    assert!(!reply.text().contains(contact["iban_c"].as_str().unwrap()));
}

#[test]
fn a_part_of_an_envelope_is_challenged_alone() {
    let (rig, contact) = rig();
    let id = contact["id"].as_str().unwrap();
    let named = json!({"url": format!("v11_24/Contacts/{id}?fields=iban_c")});
    let whole = json!({"url": format!("v11_24/Contacts/{id}")});
    let plain = json!({"url": format!("v11_24/Contacts/{id}?fields=last_name")});
    let weak = rig.token(&["payer"], json!({}));
    for (parts, statuses) in [
        (json!([named, plain]), [401, 200]),
        (json!([plain, named]), [200, 401]),
        (json!([named, named]), [401, 401]),
        (json!([whole, plain]), [200, 200]),
    ] {
        let reply = rig.send(
            0,
            "POST /rest/v11_24/bulk",
            &[("Paravent-Token", &weak)],
            Some(&json!({"requests": parts})),
        );
        assert_eq!(reply.status, 200, "{parts}: {}", reply.text());
        let answered = reply.json();
        let got: Vec<_> = answered
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["status"].as_i64().unwrap())
            .collect();
        assert_eq!(got, statuses, "{parts}");
        assert!(!reply.text().contains(contact["iban_c"].as_str().unwrap()));
        assert_eq!(reply.header("paravent-step-up"), Some(ASKED), "{parts}");
    }
    let good = rig.token(&["payer"], strong(json!({})));
    let reply = rig.send(
        0,
        "POST /rest/v11_24/bulk",
        &[("Paravent-Token", &good)],
        Some(&json!({"requests": [named]})),
    );
    assert_eq!(reply.json()[0]["contents"]["iban_c"], contact["iban_c"]);
}

#[test]
fn who_has_a_session_or_a_key_is_told_and_never_challenged() {
    let (rig, contact) = rig();
    let id = contact["id"].as_str().unwrap();
    let fanny = rig.world.login_at(rig.world.proxies[1], "fanny");
    let key = rig.key("erp", "127.0.0.0/8");
    let weak = rig.token(&[], json!({"crm_login": "fanny"}));
    let good = rig.token(&[], strong(json!({"crm_login": "fanny"})));
    let session = ("OAuth-Token", &*fanny);
    let targets = [
        format!("/rest/v11_24/Contacts/{id}?fields=iban_c"),
        format!("/rest/v11_24/Contacts/{id}"),
    ];
    for target in &targets {
        for (listener, headers) in [
            (1, &[session][..]),
            (1, &[session, ("Paravent-Token", &*weak)]),
            (0, &[("Paravent-Key", &*key)]),
        ] {
            let reply = rig.get(listener, target, headers);
            assert_eq!(reply.status, 200, "{target}: {}", reply.text());
            assert_eq!(reply.header("paravent-step-up"), Some(ASKED));
            assert!(is_masked(&reply.json(), &contact));
        }
        let reply = rig.get(1, target, &[session, ("Paravent-Token", &good)]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["iban_c"], contact["iban_c"]);
        assert_eq!(reply.header("paravent-step-up"), None);
        let event = rig.event(&reply);
        assert_eq!(event["auth"]["method"], json!("crm-session+token"));
        assert_eq!(event["auth"]["strengths"], json!(["strong"]));
        assert_eq!(event["caller"]["name"], json!("fanny"));
    }
}
