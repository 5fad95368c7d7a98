//! The account that the CRM is called with: renewed once, never the caller's business, and nobody else's session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::scripted::{self, Received, Scripted};

use super::rig::{Behind, PASSWORD, Plan, Rig};

const LIST: &str = "/rest/v11_24/Contacts?max_num=1&fields=last_name";
const SESSION: &str = "session-of-the-account-";
const HERS: &str = "the-session-of-sally";

/// How the CRM is in a bad mood.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    /// What the account was given first is soon forgotten.
    Forgets,
    /// No session of the account is ever good for data.
    Distrusts,
    /// The password is wrong.
    Refuses,
    /// Data cannot be had.
    Fails,
}

/// A CRM that says in each answer what it was called with, as far as it may.
fn crm(mood: Mood, logins: Arc<AtomicUsize>) -> Scripted {
    Scripted::start(move |request: &Received| {
        let credential = request.header("oauth-token").unwrap_or_default().to_owned();
        if request.line.contains("/oauth2/token") {
            if mood == Mood::Refuses {
                return scripted::json(
                    401,
                    json!({"error": "need_login", "error_message": PASSWORD})
                        .to_string()
                        .as_bytes(),
                );
            }
            let number = logins.fetch_add(1, Ordering::SeqCst);
            let tokens = json!({"access_token": format!("{SESSION}{number}"), "refresh_token": format!("refresh-{number}-of-the-account"), "expires_in": 3600});
            return scripted::json(200, tokens.to_string().as_bytes());
        }
        if credential == HERS {
            return match request.line.contains("/me ") {
                true => scripted::me("sally", "Sales"),
                false => list(&credential),
            };
        }
        let is_good = match mood {
            Mood::Forgets => credential != format!("{SESSION}0"),
            Mood::Distrusts | Mood::Refuses => false,
            Mood::Fails => {
                return scripted::json(
                    500,
                    json!({"error": "fatal", "error_message": credential})
                        .to_string()
                        .as_bytes(),
                );
            }
        };
        match is_good {
            true => list(&credential),
            false => scripted::json(
                401,
                json!({"error": "invalid_grant", "error_message": credential})
                    .to_string()
                    .as_bytes(),
            ),
        }
    })
}

fn list(credential: &str) -> Vec<u8> {
    let record = json!({"id": "c-1", "_module": "Contacts", "last_name": "Martin", "unheard_of": credential, "_debug": credential});
    scripted::json(
        200,
        json!({"next_offset": -1, "records": [record], "session": credential})
            .to_string()
            .as_bytes(),
    )
}

fn rig(mood: Mood) -> (Rig, Arc<AtomicUsize>) {
    let logins: Arc<AtomicUsize> = Arc::default();
    let plan = Plan {
        service: "{ user: paravent, password: { file: svc.pw } }",
        ..Plan::demo(&["identity: [token, key]", "identity: [crm-session, token]"])
    };
    let rig = Rig::new(Behind::Scripted(crm(mood, logins.clone())), plan);
    for number in 0..3 {
        rig.world
            .forbid("a session of the account", &format!("{SESSION}{number}"));
        rig.world.forbid(
            "a renewal of the account",
            &format!("refresh-{number}-of-the-account"),
        );
    }
    rig.world.forbid("a session of somebody", HERS);
    (rig, logins)
}

fn lists(heard: &[String]) -> usize {
    heard
        .iter()
        .filter(|line| line.contains("/Contacts"))
        .count()
}

#[test]
fn a_session_that_has_ended_is_renewed_once() {
    let (rig, logins) = rig(Mood::Forgets);
    let token = rig.token(&["portal"], json!({}));
    let headers = [("Paravent-Token", &*token)];
    let (reply, heard) = rig.hearing(|| rig.get(0, LIST, &headers));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        (lists(&heard), logins.load(Ordering::SeqCst)),
        (2, 2),
        "{heard:?}"
    );
    let (reply, heard) = rig.hearing(|| rig.get(0, LIST, &headers));
    assert_eq!((reply.status, heard.len()), (200, 1), "{heard:?}");
    // One of each, and no more: a renewal changes nothing of the decision.
    let events: Vec<Value> = rig
        .world
        .events()
        .into_iter()
        .filter(|event| event["request"]["action"] == "list")
        .collect();
    assert_eq!(events.len(), 2);
}

#[test]
fn an_account_that_is_refused_is_not_the_callers_fault() {
    for (mood, status, reason) in [
        (Mood::Distrusts, 502, json!("service-credential-refused")),
        (Mood::Refuses, 502, json!("service-credential-refused")),
        (Mood::Fails, 502, Value::Null),
    ] {
        let (rig, logins) = rig(mood);
        let token = rig.token(&["portal"], json!({}));
        let (hers, theirs) = ([("OAuth-Token", HERS)], [("Paravent-Token", &*token)]);
        assert_eq!(rig.get(1, LIST, &hers).status, 200);
        for listener in [0, 1, 0] {
            let reply = rig.get(listener, LIST, &theirs);
            assert!(
                reply.status == status || reply.status == 500 && mood == Mood::Fails,
                "{}: {}",
                reply.status,
                reply.text()
            );
            assert_eq!(reply.header("www-authenticate"), None);
            let event = rig.event(&reply);
            assert!(
                reason.is_null() || event["outcome"]["reason"] == reason,
                "{event}"
            );
        }
        // One account, however many listeners.
        let logins = logins.load(Ordering::SeqCst);
        assert!(logins <= 4, "{logins}");
        // Her session is as good as before, and nobody has to ask whose it is.
        let (reply, heard) = rig.hearing(|| rig.get(1, LIST, &hers));
        assert_eq!((reply.status, heard.len()), (200, 1), "{heard:?}");
        // In an envelope it is each part's fault, and nobody is told to log in.
        let body = json!({"requests": [{"url": "v11_24/Contacts?max_num=1"}]});
        let reply = rig.send(0, "POST /rest/v11_24/bulk", &theirs, Some(&body));
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.json()[0]["status"].as_i64().unwrap() >= 500,
            "{}",
            reply.text()
        );
    }
}

#[test]
fn what_is_written_is_written_once() {
    let (rig, _) = rig(Mood::Forgets);
    let token = rig.token(&["writer"], json!({}));
    let body = json!({"last_name": "Durand"});
    let (reply, heard) = rig.hearing(|| {
        rig.send(
            0,
            "POST /rest/v11_24/Contacts",
            &[("Paravent-Token", &token)],
            Some(&body),
        )
    });
    let writes = heard
        .iter()
        .filter(|line| line.starts_with("POST /rest/v11_24/Contacts"))
        .count();
    // Once with what the CRM has forgotten, which did nothing; once more.
    assert!(
        writes == 2 && reply.status < 500,
        "{} {heard:?}",
        reply.status
    );
    let events = rig.world.decision(&reply);
    assert_eq!(events.len(), 2, "opened and closed: {events:#?}");
}
