//! One proof of one way: whatever else a request shows ends here.

use serde_json::{Value, json};

use super::rig::{FRONT_SECRET, Rig};

const LIST: &str = "/rest/v11_24/Contacts?max_num=1&fields=last_name";

fn rig() -> Rig {
    Rig::demo(&[
        "identity: [token, key, front]",
        "identity: [crm-session, token, key, front]",
        "identity: crm-session",
        "identity: token",
    ])
}

#[test]
fn each_way_alone_is_served_by_the_account() {
    let rig = rig();
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let bearer = format!("Bearer {token}");
    let front = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Groups", "desk,x"),
        ("X-Front-Secret", FRONT_SECRET),
    ];
    for (listener, headers, method, id, kind) in [
        (
            0,
            &[("Paravent-Token", &*token)][..],
            "token",
            "company:u-4711",
            "human",
        ),
        (
            0,
            &[("Authorization", &*bearer)],
            "token",
            "company:u-4711",
            "human",
        ),
        (0, &[("Paravent-Key", &*key)], "key", "key:erp", "machine"),
        (0, &front, "front", "front:ada", "human"),
        (
            1,
            &[("Paravent-Token", &*token)],
            "token",
            "company:u-4711",
            "human",
        ),
        (1, &[("Paravent-Key", &*key)], "key", "key:erp", "machine"),
        (1, &front, "front", "front:ada", "human"),
        (
            3,
            &[("Paravent-Token", &*token)],
            "token",
            "company:u-4711",
            "human",
        ),
    ] {
        let (reply, heard) = rig.hearing(|| rig.get(listener, LIST, headers));
        assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        assert_eq!(reply.json()["records"].as_array().unwrap().len(), 1);
        let lists: Vec<_> = heard
            .iter()
            .filter(|line| line.starts_with("GET /rest/v11_24/Contacts?"))
            .collect();
        assert_eq!(lists.len(), 1, "{heard:?}");
        assert!(
            heard
                .iter()
                .all(|line| line.contains("oauth2/token") || line == lists[0]),
            "{heard:?}"
        );
        let event = rig.event(&reply);
        assert_eq!(event["auth"]["method"], json!(method));
        assert_eq!(event["caller"]["id"], json!(id));
        assert_eq!(event["caller"]["kind"], json!(kind));
        rig.watch_for_sessions();
    }
}

/// Requests that show more than one thing, or a thing where it does not belong, end here.
#[test]
fn two_proofs_are_none() {
    let rig = rig();
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let session = rig.world.login_at(rig.world.proxies[1], "sally");
    let bearer = format!("Bearer {token}");
    let basic = {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(format!("u:{token}"));
        format!("Basic {text}")
    };
    let (t, k, b) = (
        ("Paravent-Token", &*token),
        ("Paravent-Key", &*key),
        ("Authorization", &*bearer),
    );
    let s = ("OAuth-Token", &*session);
    let [id, groups, secret] = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Groups", "desk"),
        ("X-Front-Secret", FRONT_SECRET),
    ];
    for (listener, headers, status) in [
        (0, &[t, k][..], 400),
        (0, &[t, b], 400),
        (0, &[k, b], 400),
        (0, &[t, t], 400),
        (0, &[k, k], 400),
        (0, &[b, b], 400),
        (0, &[t, id, groups, secret], 400),
        (0, &[k, id, secret], 400),
        (0, &[b, id, secret], 400),
        (0, &[s], 401),
        (0, &[s, t], 401),
        (1, &[s, k], 400),
        (1, &[s, id, groups, secret], 400),
        (1, &[t, k], 400),
        (1, &[b], 401),
        (1, &[b, t], 401),
        (1, &[s, b], 400),
        (1, &[("OAuth-Token", &token)], 401),
        (1, &[("Authorization", &basic)], 401),
        (0, &[("OAuth-Token", &token)], 401),
        (0, &[("Authorization", &basic)], 401),
        (2, &[t], 401),
        (2, &[k], 401),
        (2, &[s, t], 401),
        (2, &[s, k], 401),
        (2, &[b], 401),
        (2, &[("OAuth-Token", &token)], 401),
        (2, &[("Authorization", &basic)], 401),
        (3, &[k], 401),
        (3, &[t, k], 401),
        (3, &[s, t], 401),
        // Spellings that some server would make the same variable of.
        (0, &[("Paravent_Token", &token)], 400),
        (0, &[("PARAVENT_KEY", &key)], 400),
        (0, &[("paravent-_token", &token)], 401),
        (0, &[t, ("Paravent_Purpose", "payment")], 400),
        (0, &[t, ("X_Auth_Request_User", "ada")], 400),
        (0, &[("X-Auth_Request-User", "ada"), groups, secret], 400),
        (0, &[("X-Auth-Request-User_", "ada"), t], 200),
        (2, &[s, ("Paravent_Token", &token)], 400),
        // Somebody who is no front, or not all of it.
        (0, &[id, groups], 400),
        (
            0,
            &[
                id,
                groups,
                ("X-Front-Secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f1"),
            ],
            400,
        ),
        (0, &[id, groups, ("X-Front-Secret", "")], 400),
        (0, &[t, ("X-Front-Secret", "x")], 400),
        (0, &[t, groups], 400),
        (0, &[groups, secret], 400),
        (0, &[id, id, groups, secret], 400),
        (0, &[id, groups, groups, secret], 400),
        (0, &[id, groups, secret, secret], 400),
        // Nothing at all.
        (0, &[], 401),
        (1, &[], 401),
        (0, &[secret], 401),
    ] {
        let (reply, heard) = rig.hearing(|| rig.get(listener, LIST, headers));
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(
            reply.status,
            status,
            "{listener} {names:?}: {}",
            reply.text()
        );
        let is_asked = heard.iter().any(|line| line.contains("/Contacts"));
        assert_eq!(is_asked, status == 200, "{listener} {names:?}: {heard:?}");
        // A credential of the CRM is looked up at most, and only where it may be one.
        let is_held = heard
            .iter()
            .all(|line| line.contains("oauth2/token") || line.contains("/me"));
        assert!(is_held || status == 200, "{listener} {names:?}: {heard:?}");
    }
    let front = [id, groups, secret];
    let (reply, heard) = rig.hearing(|| rig.get_from("127.0.0.2", 0, LIST, &front));
    assert_eq!((reply.status, heard.len()), (400, 0));
}

/// A token of an issuer, wherever it is put, is for nobody else.
#[test]
fn tokens_and_keys_never_reach_the_crm() {
    let rig = rig();
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let expired = rig.token(
        &["portal"],
        json!({"exp": 1_600_000_000, "iat": 1_599_999_000}),
    );
    let forged = rig.forged(&["portal"]);
    let login = |password: &str| json!({"grant_type": "password", "client_id": "sugar", "client_secret": "", "username": "sally", "password": password, "platform": "base"});
    let refresh = |token: &str| json!({"grant_type": "refresh_token", "client_id": "sugar", "client_secret": "", "refresh_token": token, "platform": "base"});
    for listener in 0..4 {
        for proof in [&token, &expired, &forged, &key] {
            for (line, headers, body) in [
                (format!("GET {LIST}&access_token={proof}"), vec![], None),
                (format!("GET {LIST}&oauth_token={proof}"), vec![], None),
                (
                    format!("GET {LIST}"),
                    vec![("Cookie", format!("PHPSESSID={proof}"))],
                    None,
                ),
                (
                    format!("GET {LIST}"),
                    vec![("Proxy-Authorization", format!("Bearer {proof}"))],
                    None,
                ),
                (
                    format!("GET {LIST}"),
                    vec![("X-Api-Key", proof.clone())],
                    None,
                ),
                (
                    "GET /rest/v11_24/ping".to_owned(),
                    vec![("OAuth-Token", token.clone())],
                    None,
                ),
                (
                    "GET /rest/v11_24/ping".to_owned(),
                    vec![("Authorization", format!("Bearer {token}"))],
                    None,
                ),
                (
                    "GET /rest/v11_24/metadata/public".to_owned(),
                    vec![("Paravent-Token", proof.clone())],
                    None,
                ),
                (
                    "GET /rest/v11_24/ping".to_owned(),
                    vec![("Paravent-Key", proof.clone())],
                    None,
                ),
                (
                    "POST /rest/v11_24/oauth2/token".to_owned(),
                    vec![("Paravent-Token", proof.clone())],
                    Some(login("demo")),
                ),
                (
                    "POST /rest/v11_24/oauth2/token".to_owned(),
                    vec![("Paravent-Key", proof.clone())],
                    Some(login("demo")),
                ),
                (
                    "POST /rest/v11_24/oauth2/token".to_owned(),
                    vec![],
                    Some(login(proof)),
                ),
                (
                    "POST /rest/v11_24/oauth2/token".to_owned(),
                    vec![],
                    Some(refresh(proof)),
                ),
                (
                    "POST /rest/v11_24/oauth2/logout".to_owned(),
                    vec![("OAuth-Token", token.clone())],
                    Some(json!({})),
                ),
            ] {
                let headers: Vec<(&str, &str)> = headers
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                let reply = rig.send(listener, &line, &headers, body.as_ref());
                let is_login = line.contains("oauth2/token")
                    && headers
                        .first()
                        .is_some_and(|(name, _)| *name == "Paravent-Token");
                let is_public = line.contains("/ping") || line.contains("/public") || is_login;
                assert!(
                    is_public || (400..500).contains(&reply.status),
                    "{listener} {line} {headers:?}: {}",
                    reply.status
                );
            }
        }
    }
}

/// Logging in begins a session of the CRM; whoever comes by another way has none to begin.
#[test]
fn nobody_logs_in_who_shows_something_else() {
    let rig = rig();
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let login = json!({"grant_type": "password", "client_id": "sugar", "client_secret": "", "username": "sally", "password": "demo", "platform": "base"});
    let front = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Groups", "desk"),
        ("X-Front-Secret", FRONT_SECRET),
    ];
    let stranger = [("X-Auth-Request-User", "ada"), ("X-Front-Secret", "guess")];
    let bearer = format!("Bearer {token}");
    for (listener, headers) in [
        (0, &[][..]),
        (3, &[]),
        (0, &[("Paravent-Token", &*token)]),
        (1, &[("Paravent-Key", &*key)]),
        (1, &[("Authorization", &*bearer)]),
        (1, &front),
        (1, &stranger),
    ] {
        let (reply, heard) = rig.hearing(|| {
            rig.send(
                listener,
                "POST /rest/v11_24/oauth2/token",
                headers,
                Some(&login),
            )
        });
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert!(
            (400..404).contains(&reply.status),
            "{listener} {names:?}: {} {}",
            reply.status,
            reply.text()
        );
        assert_eq!(heard, [""; 0], "{listener} {names:?}");
    }
    // A token may come with every request of a client: it means nothing here.
    for headers in [&[][..], &[("Paravent-Token", &*token)]] {
        let line = "POST /rest/v11_24/oauth2/token";
        let reply = rig.send(1, line, headers, Some(&login));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let token: Value = reply.json();
        assert!(token["access_token"].is_string());
    }
}
