//! Why somebody asks: said by the header, by the token, or known of the role.

use serde_json::{Value, json};

use crate::harness::client::Response;

use super::certificates::{ASKED, Holder, Line};
use super::rig::{FRONT_SECRET, Rig, now};

const LIST: &str = "/rest/v11_24/Contacts?max_num=1&fields=last_name";

fn outcome(rig: &Rig, reply: &Response) -> (u16, Value, Value) {
    let event = rig.event(reply);
    match reply.status {
        200 => (
            200,
            event["purpose"]["id"].clone(),
            event["purpose"]["chosen_by"].clone(),
        ),
        status => (status, event["outcome"]["reason"].clone(), Value::Null),
    }
}

#[test]
fn a_purpose_is_stated_once_and_allowed() {
    let rig = Rig::demo(&[
        "identity: [token, key, front]",
        &format!("identity: certificate, {ASKED}"),
    ]);
    let token = |roles: &[&str], purpose: Value| {
        (
            "Paravent-Token",
            rig.token(roles, json!({"purpose": purpose})),
        )
    };
    let erp = ("Paravent-Key", rig.key("erp", "127.0.0.0/8"));
    let sync = ("Paravent-Key", rig.key("sync", "127.0.0.0/8"));
    let none = Value::Null;
    for (proof, header, expected) in [
        (
            token(&["payer"], none.clone()),
            None,
            (200, "payment", "default"),
        ),
        (
            token(&["payer"], none.clone()),
            Some("contract"),
            (200, "contract", "header"),
        ),
        (
            token(&["payer"], json!("contract")),
            None,
            (200, "contract", "claim"),
        ),
        (
            token(&["payer"], json!("contract")),
            Some("contract"),
            (200, "contract", "header"),
        ),
        (
            token(&["payer"], json!("contract")),
            Some("payment"),
            (400, "two-purposes", ""),
        ),
        (
            token(&["payer"], json!("contract")),
            Some("Contract"),
            (400, "two-purposes", ""),
        ),
        (
            token(&["payer"], json!("direct-marketing")),
            None,
            (403, "purpose-not-allowed", ""),
        ),
        (
            token(&["payer"], json!("no-such-purpose")),
            None,
            (403, "purpose-not-allowed", ""),
        ),
        (
            token(&["payer"], none.clone()),
            Some("data-subject-request"),
            (403, "purpose-not-allowed", ""),
        ),
        (
            token(&["portal"], json!("payment")),
            None,
            (403, "purpose-not-allowed", ""),
        ),
        (
            token(&["portal"], none.clone()),
            Some("payment"),
            (403, "purpose-not-allowed", ""),
        ),
        (
            token(&["robot"], none.clone()),
            None,
            (403, "no-purpose", ""),
        ),
        (
            token(&["robot"], json!("payment")),
            None,
            (200, "payment", "claim"),
        ),
        (
            token(&["robot"], none.clone()),
            Some("contract"),
            (200, "contract", "header"),
        ),
        (
            token(&["robot"], none.clone()),
            Some("support"),
            (403, "purpose-not-allowed", ""),
        ),
        (erp.clone(), None, (200, "payment", "machine")),
        (erp.clone(), Some("payment"), (200, "payment", "header")),
        // It may be invoked by the role; the machine is bound to another one.
        (
            erp.clone(),
            Some("contract"),
            (403, "purpose-not-allowed", ""),
        ),
        (erp, Some("support"), (403, "purpose-not-allowed", "")),
        (sync.clone(), None, (403, "no-purpose", "")),
        (sync, Some("contract"), (200, "contract", "header")),
    ] {
        let mut headers = vec![(proof.0, &*proof.1)];
        headers.extend(header.map(|header| ("Paravent-Purpose", header)));
        let (reply, heard) = rig.hearing(|| rig.get(0, LIST, &headers));
        let by = match expected.2 {
            "" => Value::Null,
            by => json!(by),
        };
        assert_eq!(
            outcome(&rig, &reply),
            (expected.0, json!(expected.1), by),
            "{header:?} {}",
            reply.text()
        );
        assert_eq!(heard.is_empty(), expected.0 != 200, "{heard:?}");
    }
    let twice = [
        ("Paravent-Purpose", "payment"),
        ("Paravent-Purpose", "payment"),
    ];
    let token = rig.token(&["payer"], json!({}));
    let reply = rig.get(0, LIST, &[twice[0], twice[1], ("Paravent-Token", &token)]);
    assert_eq!(reply.status, 400);
    let mut line = Line::open(&rig, 1, Some(&Holder::mailer()));
    let reply = line.ask(&format!("GET {LIST}"), &[]).unwrap();
    assert_eq!(
        outcome(&rig, &reply),
        (200, json!("contract"), json!("machine"))
    );
    let reply = line
        .ask(&format!("GET {LIST}"), &[("Paravent-Purpose", "payment")])
        .unwrap();
    assert_eq!(reply.status, 403);
}

#[test]
fn the_log_says_who_came_how() {
    let rig = Rig::demo(&["identity: [token, key, front]"]);
    let key = rig.key("erp", "127.0.0.0/8");
    let claims = json!({
        "sub": "f:1:ada", "preferred_username": "Ada L.", "acr": "phr", "amr": ["pwd", "sc"], "auth_time": now() - 100,
        "email": "ada.private@example.org",
    });
    rig.world
        .forbid("an e-mail of a caller", "ada.private@example.org");
    let token = rig.token(&["payer", "robot"], claims);
    let weak = rig.token(&["robot"], json!({"purpose": "payment"}));
    let front = [
        ("X-Auth-Request-User", "Zoé"),
        ("X-Auth-Request-Groups", "other, desk"),
        ("X-Front-Secret", FRONT_SECRET),
    ];
    for (headers, caller, auth) in [
        (
            &[("Paravent-Token", &*token), ("Paravent-Purpose", "payment")][..],
            json!({"id": "company:f:1:ada", "name": "Ada L.", "kind": "human"}),
            json!({"method": "token", "strengths": ["strong"], "acr": "phr", "amr": ["pwd", "sc"]}),
        ),
        (
            &[("Paravent-Token", &weak)],
            json!({"id": "company:u-4711", "kind": "machine"}),
            json!({"method": "token", "acr": null, "amr": []}),
        ),
        (
            &[("Paravent-Key", &key)],
            json!({"id": "key:erp", "kind": "machine"}),
            json!({"method": "key", "acr": null, "amr": [], "strengths": ["machine"]}),
        ),
        (
            &front,
            json!({"id": "front:Zoé", "kind": "human"}),
            json!({"method": "front", "acr": null}),
        ),
    ] {
        let reply = rig.get(0, LIST, headers);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let event = rig.event(&reply);
        for (part, wanted) in [("caller", caller), ("auth", auth)] {
            for (name, value) in wanted.as_object().unwrap() {
                assert_eq!(event[part][name], *value, "{part}.{name}: {event}");
            }
            if part == "auth" && wanted.get("strengths").is_none() {
                assert!(event["auth"].get("strengths").is_none(), "{event}");
            }
        }
    }
    let reply = rig.get(
        0,
        LIST,
        &[("Paravent-Token", &token), ("Paravent-Purpose", "payment")],
    );
    let age = rig.event(&reply)["auth"]["age_seconds"].as_i64().unwrap();
    assert!((100..130).contains(&age), "{age}");
}
