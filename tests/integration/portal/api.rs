//! Programs of the house record what they may, once, and are told what is wrong.

use serde_json::{Value, json};

use super::stage::{CANARY, Stage, seen};
use crate::harness::client::Request;

const EVENTS: &str = "/api/v1/consent/events";
const STANDING: &str = "/api/v1/consent/standing";

fn event(more: &Value) -> Value {
    let mut event = json!({
        "email": format!("{CANARY}@example.com"),
        "purpose": "newsletter",
        "kind": "given",
        "proof": "single-opt-in",
        "source": "website",
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[test]
fn an_event_is_recorded_once_for_each_key() {
    let stage = Stage::new();
    let key = [("Idempotency-Key", "order-17")];
    let first = stage.api(EVENTS, "all-rights", &event(&json!({})), &key);
    assert_eq!(first.status, 201, "{}", first.text());
    let told = first.json();
    assert_eq!(told["kind"], "given");
    assert_eq!(told["by"], "website");
    assert_eq!(told["by_kind"], "system");
    let second = stage.api(EVENTS, "all-rights", &event(&json!({})), &key);
    assert_eq!(second.status, 200);
    assert_eq!(second.body, first.body);
    let other = event(&json!({ "kind": "withdrawn", "proof": "none" }));
    assert_eq!(stage.api(EVENTS, "all-rights", &other, &key).status, 422);
    assert_eq!(stage.api(EVENTS, "all-rights", &other, &[]).status, 201);
    assert_eq!(stage.events(), 2);
}

#[test]
fn a_program_does_what_it_may() {
    let stage = Stage::new();
    for (key, status) in [("may-show", 403), ("no-key", 401), ("", 401)] {
        let answer = stage.api(EVENTS, key, &event(&json!({})), &[]);
        assert_eq!(answer.status, status, "{key}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.json()["status"], status);
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
    }
    let basic = Request {
        method: "POST",
        target: STANDING,
        headers: vec![("Authorization", "Basic YTpi".to_owned())],
        body: Some(b"{}".to_vec()),
    };
    assert_eq!(stage.send(&basic).status, 401);
    assert_eq!(stage.events(), 0);
}

#[test]
fn what_cannot_be_recorded_is_refused_with_its_cause() {
    let stage = Stage::new();
    for (more, status, cause) in [
        (json!({ "kind": "confirmed" }), 422, "kind"),
        (json!({ "kind": "objection_lifted" }), 422, "kind"),
        (json!({ "kind": "agreed" }), 422, "`kind`"),
        (json!({ "proof": "double-opt-in" }), 422, "double-opt-in"),
        (json!({ "proof": "signed-request" }), 422, "prove"),
        (json!({ "purpose": "nothing" }), 422, "`purpose`"),
        (json!({ "purpose": "*" }), 422, "`purpose`"),
        (json!({ "source": null }), 422, "`source`"),
        (
            json!({ "source": format!("{CANARY}@example.com") }),
            422,
            "source",
        ),
        (json!({ "email": CANARY }), 422, "`email`"),
        (json!({ "email": null }), 422, "`email`"),
        (json!({ "record": "sugar:Contacts/1" }), 422, "one of"),
        (
            json!({ "email": null, "record": "other:Contacts/1" }),
            422,
            "`record`",
        ),
        (json!({ "at": "yesterday" }), 422, "`at`"),
        (json!({ "at": "2999-01-01T00:00:00Z" }), 422, "`at`"),
        (
            json!({ "text": "letter@9", "language": "fr" }),
            422,
            "`text`",
        ),
        (json!({ "more": "1" }), 400, "members"),
        (json!({ "purpose": 1 }), 400, "texts"),
    ] {
        let answer = stage.api(EVENTS, "all-rights", &event(&more), &[]);
        assert_eq!(answer.status, status, "{more}: {}", answer.text());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        let cause = if cause == "members" || cause == "texts" {
            "object of texts"
        } else {
            cause
        };
        assert!(detail.contains(cause), "{more}: {detail}");
    }
    let form = stage.form(EVENTS, "email=a@example.com");
    assert_eq!(form.status, 401);
    assert_eq!(stage.events(), 0);
}

#[test]
fn a_request_of_a_program_goes_by_mail_too() {
    let stage = Stage::new();
    let request = event(&json!({ "kind": "requested", "proof": null, "language": "en" }));
    let key = [("Idempotency-Key", "form-1")];
    let first = stage.api(EVENTS, "all-rights", &request, &key);
    assert_eq!(first.status, 201, "{}", first.text());
    let mail = stage.mails(1).remove(0);
    assert!(mail.contains("Monthly letter"));
    assert_eq!(stage.api(EVENTS, "all-rights", &request, &key).status, 200);
    // Three mails an hour, whoever asks for them; what was recorded before is none.
    for status in [201, 201, 429] {
        assert_eq!(
            stage.api(EVENTS, "all-rights", &request, &[]).status,
            status
        );
    }
    assert_eq!(stage.api(EVENTS, "all-rights", &request, &key).status, 200);
    stage.mails(3);
    let token = super::stage::token(&mail, "/consent/confirm");
    assert_eq!(
        stage
            .form(&format!("/consent/confirm?t={token}"), &seen())
            .status,
        200
    );
    let standing = stage.standing(&format!("{CANARY}@example.com"), "newsletter");
    assert_eq!(standing["valid"], true);
}

#[test]
fn a_standing_is_told_as_it_is_shown() {
    let stage = Stage::new();
    let nobody = stage.api(
        STANDING,
        "may-show",
        &json!({ "email": "nobody@example.com" }),
        &[],
    );
    assert_eq!(nobody.status, 200);
    assert_eq!(nobody.json()["person"], Value::Null);
    assert_eq!(nobody.json()["purposes"]["newsletter"]["valid"], false);
    // That somebody was asked for whom nobody knows is told, too.
    let until = jiff::Timestamp::MAX;
    let told = stage.ledger.claim("audit".to_owned(), until, 100);
    let told = stage.runtime.block_on(told).unwrap();
    let told: Vec<Value> = told
        .iter()
        .map(|due| serde_json::from_slice(due.body()).unwrap())
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["event"], &told[0]["person"]),
        (&json!("consent.read"), &Value::Null)
    );
    let record = json!({ "email": null, "record": "sugar:Contacts/7", "kind": "objected", "purpose": "marketing", "proof": "none" });
    assert_eq!(
        stage.api(EVENTS, "all-rights", &event(&record), &[]).status,
        201
    );
    let asked = json!({ "record": "sugar:Contacts/7", "purpose": "marketing" });
    let told = stage.api(STANDING, "may-show", &asked, &[]).json();
    assert_eq!(told["keys"]["record"], json!(["sugar:Contacts/7"]));
    assert_eq!(told["purposes"]["marketing"]["because"], "objected");
    assert_eq!(told["purposes"].as_object().unwrap().len(), 1);
    let odd = json!({ "email": "a@example.com", "purpose": "nothing" });
    assert_eq!(stage.api(STANDING, "may-show", &odd, &[]).status, 422);
}
