//! A session of the CRM, alone and with a token beside it.

use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::world::{Wish, World};

use super::rig::{Rig, now};

const LIST: &str = "/rest/v11_24/Contacts?max_num=2&fields=last_name,iban_c";

#[test]
fn a_token_strengthens_the_session_of_its_user_alone() {
    let rig = Rig::demo(&["identity: [crm-session, token]"]);
    let sally = rig.world.login("sally");
    let session = ("OAuth-Token", &*sally);
    let expired = json!({"crm_login": "sally", "exp": now() - 400, "iat": now() - 900});
    for (token, status, reason) in [
        (
            rig.token(&["portal"], json!({"crm_login": "sally"})),
            200,
            "",
        ),
        (rig.token(&[], json!({"crm_login": "SALLY"})), 200, ""),
        (
            rig.token(&["writer", "finance"], json!({"crm_login": "fanny"})),
            401,
            "proofs-differ",
        ),
        (
            rig.token(&[], json!({"crm_login": "sally "})),
            401,
            "proofs-differ",
        ),
        (
            rig.token(&[], json!({"crm_login": "seed_sally_id"})),
            401,
            "proofs-differ",
        ),
        (
            rig.token(&[], json!({"crm_login": "ſally"})),
            401,
            "proofs-differ",
        ),
        (
            rig.token(&[], json!({"preferred_username": "sally", "sub": "sally"})),
            401,
            "proofs-differ",
        ),
        (
            rig.token(&[], json!({"crm_login": ["sally"]})),
            401,
            "bad-token",
        ),
        (
            rig.token(&[], json!({"crm_login": "sally", "aud": "other"})),
            401,
            "bad-token",
        ),
        (rig.token(&[], expired), 401, "token-expired"),
        (rig.forged(&["portal"]), 401, "bad-token"),
        (
            rig.partners(&["portal"], json!({"crm_login": "sally"})),
            400,
            "two-credentials",
        ),
    ] {
        let (reply, heard) =
            rig.hearing(|| rig.get(0, LIST, &[session, ("Paravent-Token", &token)]));
        assert_eq!(reply.status, status, "{reason}: {}", reply.text());
        if status == 200 {
            let event = rig.event(&reply);
            assert_eq!(
                event["caller"]["roles"],
                json!(["sales"]),
                "the token's roles do not count"
            );
            assert_eq!(event["caller"]["name"], json!("sally"));
            assert_eq!(event["caller"]["id"], json!("seed_sally_id"));
            assert_eq!(event["auth"]["method"], json!("crm-session+token"));
        } else {
            assert!(
                heard.iter().all(|line| line.contains("/me")),
                "{reason}: {heard:?}"
            );
            assert!(rig.world.metrics().contains(reason), "{reason}");
        }
    }
    // Her session is as good as before, and still known.
    let (reply, heard) = rig.hearing(|| rig.get(0, LIST, &[session]));
    assert_eq!((reply.status, heard.len()), (200, 1), "{heard:?}");
    assert_eq!(rig.event(&reply)["auth"]["method"], json!("crm-session"));
    // The CRM is called with her session, never with the account's.
    let heard = String::from_utf8_lossy(&rig.behind.bytes()).into_owned();
    assert!(
        !heard.contains("\"admin\""),
        "the account has not logged in"
    );
    // The token may state the purpose.
    let token = rig.token(&[], json!({"crm_login": "sally", "purpose": "contract"}));
    let reply = rig.get(0, LIST, &[session, ("Paravent-Token", &token)]);
    assert_eq!(rig.event(&reply)["purpose"]["chosen_by"], json!("claim"));
    let reply = rig.get(
        0,
        LIST,
        &[
            session,
            ("Paravent-Token", &token),
            ("Paravent-Purpose", "payment"),
        ],
    );
    assert_eq!(reply.status, 400);
    // A session that the CRM does not know stays one.
    let good = rig.token(&["portal"], json!({"crm_login": "sally"}));
    let reply = rig.get(
        0,
        LIST,
        &[
            ("OAuth-Token", "no-session-of-anybody"),
            ("Paravent-Token", &good),
        ],
    );
    assert_eq!(reply.status, 401);
    // With a strengthened session she logs out as ever; then the token is all that is left.
    let both = [session, ("Paravent-Token", &*good)];
    let reply = rig.send(
        0,
        "POST /rest/v11_24/oauth2/logout",
        &both,
        Some(&json!({})),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(rig.get(0, LIST, &both).status, 401);
}

/// What a reply says, but for what is never twice the same.
fn said(reply: &Response) -> (u16, Vec<(String, String)>, String) {
    let passing = ["date", "paravent-decision", "content-length"];
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| !passing.contains(&name.as_str()));
    let headers = headers
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut parts = reply.text();
    // Parts have decisions of their own.
    while let Some((before, after)) = parts.split_once("(ref ") {
        parts = format!("{before}(REF{}", &after[26..]);
    }
    (reply.status, headers, parts)
}

/// Who configures issuers, keys and a front changes nothing for whoever has a session.
#[test]
fn sessions_are_what_they_were() {
    let rig = Rig::demo(&[
        "identity: crm-session",
        "identity: [crm-session, token]",
        "identity: [crm-session, token, key, front]",
    ]);
    let wish = Wish {
        sources: super::policy::sugar(),
        ..Wish::default()
    };
    let plain = World::scripted(rig.world.crm, wish);
    let session = rig.world.login("fanny");
    let contact = rig
        .world
        .get("/rest/v11_24/Contacts?max_num=1", &session)
        .json()["records"][0]["id"]
        .clone();
    let contact = contact.as_str().unwrap().to_owned();
    let requests: [(&str, Option<&str>, Option<Value>); 16] = [
        ("GET /rest/v11_24/ping", None, None),
        ("GET /rest/v11_24/me", Some(&session), None),
        ("GET /rest/v11_24/metadata/public", None, None),
        ("GET /rest/v11_24/Contacts?max_num=3", Some(&session), None),
        (
            "GET /rest/v11_24/Contacts?my_items=1&max_num=2",
            Some(&session),
            None,
        ),
        ("GET /rest/v11_24/Contacts/ID", Some(&session), None),
        (
            "GET /rest/v11_24/Contacts/ID?fields=iban_c",
            Some(&session),
            None,
        ),
        ("GET /rest/v11_24/Contacts/nobody", Some(&session), None),
        (
            "GET /rest/v11_24/Contacts?filter[0][iban_c]=FR76",
            Some(&session),
            None,
        ),
        ("GET /rest/v11_24/Contacts", Some("not-a-session"), None),
        ("GET /rest/v11_24/Contacts", None, None),
        ("GET /rest/v11_24/NoSuchModule", Some(&session), None),
        ("GET /no/such/api", Some(&session), None),
        (
            "POST /rest/v11_24/oauth2/token",
            None,
            Some(
                json!({"grant_type": "password", "client_id": "sugar", "client_secret": "", "username": "fanny", "password": "wrong", "platform": "base"}),
            ),
        ),
        (
            "POST /rest/v11_24/bulk",
            Some(&session),
            Some(
                json!({"requests": [{"url": "v11_24/Contacts?max_num=1"}, {"url": "v11_24/Accounts/x"}]}),
            ),
        ),
        ("DELETE /rest/v11_24/Contacts/nobody", Some(&session), None),
    ];
    for (line, session, body) in &requests {
        let line = line.replace("ID", &contact);
        let (method, target) = line.split_once(' ').unwrap();
        let before = said(&plain.send(method, target, *session, body.as_ref()));
        for address in &rig.world.proxies {
            let after = said(
                &rig.world
                    .send_to(*address, method, target, *session, body.as_ref()),
            );
            assert_eq!(after, before, "{line}");
        }
    }
}
