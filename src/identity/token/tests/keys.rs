//! Keys come, stay and go as the issuer says; and nobody makes the proxy ask more than once a minute.

use std::sync::Arc;

use serde_json::json;

use super::rig::{EC, Filed, ISSUER, Published, RSA, Signer, assert_refused, form, ok, set, with};
use crate::config::KeySource;
use crate::identity::token::{Tokens, jwks::KeySet};
use crate::reason::Reason;

async fn reason(tokens: &Tokens, signer: &Signer) -> Option<Reason> {
    let verified = tokens.verify(&signer.good(), None).await;
    verified.err().map(|refused| refused.reason)
}

#[tokio::test]
async fn a_key_that_is_published_ahead_loses_nothing() {
    let (new, published) = (Signer::p256("new"), Published::new(&set(&[&EC])));
    let (tokens, hands) = published.tokens();
    assert!(!tokens.is_ready());
    tokens.refresh().await;
    assert!(tokens.is_ready());
    assert_eq!(reason(&tokens, &EC).await, None);
    published.publish(&set(&[&EC, &new]));
    hands.pass(600);
    tokens.refresh().await;
    assert_eq!(published.asked(), 2);
    assert_eq!(
        (reason(&tokens, &new).await, reason(&tokens, &EC).await),
        (None, None)
    );
    assert_eq!(published.asked(), 2, "nobody had to ask");
}

#[tokio::test]
async fn a_key_that_is_gone_ends_what_it_proved() {
    let (new, published) = (Signer::p256("new"), Published::new(&set(&[&EC])));
    let (tokens, hands) = published.tokens();
    let token = EC.token(&json!({}), &json!({"exp": super::rig::NOW + 7_200}));
    assert!(tokens.verify(&token, None).await.is_ok());
    published.publish(&set(&[&new]));
    hands.pass(600);
    tokens.refresh().await;
    let refused = tokens.verify(&token, None).await.err();
    assert_refused(refused, Reason::BadToken, "no key of this `kid`", "at once");
    assert_eq!(published.asked(), 2);
    // The same `kid` with another key is another key.
    let other = Signer::p256("ec");
    published.publish(&set(&[&other]));
    hands.pass(600);
    tokens.refresh().await;
    let refused = tokens.verify(&token, None).await.err();
    assert_refused(
        refused,
        Reason::BadToken,
        "signature is wrong",
        "another key",
    );
    assert_eq!(reason(&tokens, &other).await, Some(Reason::TokenExpired));
}

#[tokio::test]
async fn a_key_that_was_not_published_ahead_loses_a_minute() {
    let (new, published) = (Signer::p256("new"), Published::new(&set(&[&EC])));
    let (tokens, hands) = published.tokens();
    tokens.refresh().await;
    hands.pass(20);
    published.publish(&set(&[&EC, &new]));
    let refused = tokens.verify(&new.good(), None).await.unwrap_err();
    assert_eq!(refused.reason, Reason::IdentityUnavailable);
    assert_eq!(refused.retry_after_seconds, Some(41));
    assert_eq!(published.asked(), 1);
    hands.pass(40);
    assert_eq!(reason(&tokens, &new).await, None);
    assert_eq!(published.asked(), 2);
}

#[tokio::test]
async fn a_thousand_unknown_keys_make_nobody_ask_twice_in_a_minute() {
    let published = Published::new(&set(&[&EC]));
    let (tokens, hands) = published.tokens();
    tokens.refresh().await;
    for minute in 0..3 {
        hands.pass(60);
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..1_000 {
            let tokens = tokens.clone();
            let token = EC.token(&json!({"kid": format!("{minute}-{number}")}), &json!({}));
            asking.spawn(async move { tokens.verify(&token, None).await.unwrap_err().reason });
        }
        let reasons = asking.join_all().await;
        let is_refused =
            |reason: &Reason| matches!(reason, Reason::BadToken | Reason::IdentityUnavailable);
        assert!(reasons.iter().all(is_refused));
        assert_eq!(published.asked(), 2 + minute);
        assert_eq!(reason(&tokens, &EC).await, None, "others are served");
    }
}

#[tokio::test]
async fn an_unknown_key_is_remembered_and_may_become_known() {
    let (new, published) = (Signer::p256("new"), Published::new(&set(&[&EC])));
    let (tokens, hands) = published.tokens();
    tokens.refresh().await;
    hands.pass(60);
    assert_eq!(reason(&tokens, &new).await, Some(Reason::BadToken));
    assert_eq!(reason(&tokens, &new).await, Some(Reason::BadToken));
    assert_eq!(published.asked(), 2);
    published.publish(&set(&[&EC, &new]));
    assert_eq!(
        reason(&tokens, &new).await,
        Some(Reason::BadToken),
        "not asked yet"
    );
    hands.pass(60);
    assert_eq!(reason(&tokens, &new).await, None);
}

#[tokio::test]
async fn known_keys_serve_until_they_are_stale() {
    let published = Published::new(&set(&[&EC]));
    let (tokens, hands) = published.tokens();
    let token = EC.token(&json!({}), &json!({"exp": super::rig::NOW + 36_000}));
    assert!(tokens.verify(&token, None).await.is_ok());
    published.answer(|_| Some(with("503 No", "application/json", "{}")));
    for _ in 0..6 {
        hands.pass(600);
        tokens.refresh().await;
        assert!(tokens.verify(&token, None).await.is_ok());
    }
    assert_eq!(published.asked(), 7);
    hands.pass(1);
    assert_eq!(tokens.unready(), Some("company"));
    let refused = tokens.verify(&token, None).await.unwrap_err();
    assert_eq!(refused.reason, Reason::IdentityUnavailable);
    assert!(
        refused
            .retry_after_seconds
            .is_some_and(|seconds| (1..=61).contains(&seconds))
    );
    published.publish(&set(&[&EC]));
    hands.pass(60);
    assert!(tokens.verify(&token, None).await.is_ok());
    assert!(tokens.is_ready());
}

#[tokio::test]
async fn either_clock_makes_keys_stale() {
    for steadily in [false, true] {
        let published = Published::new(&set(&[&EC]));
        let (tokens, hands) = published.tokens();
        let token = EC.token(&json!({}), &json!({"exp": super::rig::NOW + 36_000}));
        assert!(tokens.verify(&token, None).await.is_ok());
        published.answer(|_| Some(with("500 No", "application/json", "{}")));
        match steadily {
            true => hands.pass_steadily(3_601),
            false => hands.step(3_601),
        }
        let refused = tokens.verify(&token, None).await.unwrap_err();
        assert_eq!(refused.reason, Reason::IdentityUnavailable, "{steadily}");
        // Set back, the clock makes nothing fresh.
        hands.step(-3_601);
        assert!(tokens.verify(&token, None).await.is_err(), "{steadily}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_token() {
    let filed = Filed::new(&set(&[&EC]), |_| {});
    let token = EC.good();
    let unseen = EC.token(&json!({}), &json!({"jti": "2"}));
    assert_eq!(filed.refused(&token).await, None);
    filed.hands.pass(659);
    assert_eq!(filed.refused(&token).await, None, "within the skew");
    filed.hands.pass(1);
    let expired = filed.refused(&token).await;
    assert_refused(expired, Reason::TokenExpired, "expired", "then");
    filed.hands.step(-660);
    for token in [&token, &unseen] {
        assert_refused(
            filed.refused(token).await,
            Reason::TokenExpired,
            "expired",
            "set back",
        );
    }
    // One of the future stays one: the clock that is right now counts.
    let next = EC.token(
        &json!({}),
        &json!({"iat": super::rig::NOW + 650, "exp": super::rig::NOW + 1_300}),
    );
    assert_refused(
        filed.refused(&next).await,
        Reason::BadToken,
        "in the future",
        "next",
    );
}

#[tokio::test]
async fn who_gives_no_usable_keys_leaves_the_old_ones() {
    let many: Vec<_> = (0..101).map(|_| EC.jwk()).collect();
    let huge = json!({"keys": [EC.jwk()], "more": "x".repeat(1 << 20)}).to_string();
    let other = Published::new(&set(&[&EC]));
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}/keys\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        other.url
    );
    for (case, answer) in [
        ("down", "".to_owned()),
        ("not HTTP", "hello\r\n\r\n".to_owned()),
        ("a redirect", redirect),
        ("an error", with("500 No", "application/json", &set(&[&EC]))),
        (
            "a part",
            with("206 Partial Content", "application/json", &set(&[&EC])),
        ),
        ("a page", with("200 OK", "text/html", &set(&[&EC]))),
        (
            "no type",
            ok(&set(&[&EC])).replace("Content-Type: application/json\r\n", ""),
        ),
        (
            "compressed",
            ok(&set(&[&EC])).replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n"),
        ),
        (
            "broken off",
            ok(&set(&[&EC])).replace("Content-Length: ", "Content-Length: 9"),
        ),
        ("huge", ok(&huge)),
        ("many", ok(&json!({"keys": many}).to_string())),
        ("no keys", ok("{}")),
        ("a list", ok("[]")),
        ("not JSON", ok("keys")),
        ("two readings", ok(r#"{"keys":[],"keys":[]}"#)),
    ] {
        let published = Published::new(&set(&[&EC]));
        published.answer(move |_| Some(answer.clone()));
        let (tokens, hands) = published.tokens();
        assert_eq!(
            reason(&tokens, &EC).await,
            Some(Reason::IdentityUnavailable),
            "{case}"
        );
        assert_eq!((tokens.is_ready(), published.asked()), (false, 1), "{case}");
        published.publish(&set(&[&EC]));
        hands.pass(60);
        assert_eq!(reason(&tokens, &EC).await, None, "{case}");
    }
    assert_eq!(other.asked(), 0, "a redirect was followed");
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_not_waited_for() {
    let published = Published::new(&set(&[&EC]));
    published.answer(|_| None);
    let (tokens, hands) = published.tokens();
    let start = tokio::time::Instant::now();
    assert_eq!(
        reason(&tokens, &EC).await,
        Some(Reason::IdentityUnavailable)
    );
    assert!(start.elapsed().as_secs() <= 5);
    hands.pass(30);
    let refused = tokens.verify(&EC.good(), None).await.unwrap_err();
    assert_eq!(refused.retry_after_seconds, Some(31));
    assert!(start.elapsed().as_secs() <= 5, "nobody waits again");
}

#[tokio::test]
async fn callers_who_go_away_keep_nobody_from_asking() {
    let published = Published::new(&set(&[&EC]));
    let (tokens, _hands) = published.tokens();
    let asking = tokens.clone();
    let asked = tokio::spawn(async move { asking.verify(&EC.good(), None).await.is_ok() });
    tokio::task::yield_now().await;
    asked.abort();
    tokens.refresh().await;
    assert!(tokens.is_ready());
    assert_eq!(published.asked(), 1);
}

#[tokio::test]
async fn an_issuer_may_withdraw_all_keys() {
    let published = Published::new(&set(&[&EC]));
    let (tokens, hands) = published.tokens();
    let token = EC.token(&json!({}), &json!({"exp": super::rig::NOW + 7_200}));
    assert!(tokens.verify(&token, None).await.is_ok());
    published.publish(r#"{"keys":[]}"#);
    hands.pass(600);
    tokens.refresh().await;
    let refused = tokens.verify(&token, None).await.err();
    assert_refused(refused, Reason::BadToken, "`kid`", "none left");
    assert!(!tokens.is_ready());
}

/// The metadata of an issuer on this machine.
fn metadata(issuer: &str, keys: &str) -> String {
    ok(&json!({"issuer": issuer, "jwks_uri": keys}).to_string())
}

#[tokio::test]
async fn metadata_leads_to_keys_only_if_it_is_that_of_the_issuer() {
    for (case, issuer, path, is_good) in [
        ("its own", "URL/realm", "URL/keys", true),
        ("a slash more", "URL/realm/", "URL/keys", false),
        ("another", "https://other.example", "URL/keys", false),
        ("keys in clear", "URL/realm", "http://192.0.2.1/keys", false),
        ("no URL", "URL/realm", "/keys", false),
        ("a file", "URL/realm", "file:///etc/passwd", false),
    ] {
        let published = Published::new("");
        let url = published.url.clone();
        let place = |text: &str| text.replace("URL", &url);
        let (metadata, keys) = (metadata(&place(issuer), &place(path)), ok(&set(&[&EC])));
        published.answer(move |path| {
            Some(match path {
                "/realm/.well-known/openid-configuration" => metadata.clone(),
                "/keys" => keys.clone(),
                _ => with("404 No", "application/json", "{}"),
            })
        });
        let mut form = form(KeySource::Discover);
        form.issuer = format!("{url}/realm");
        let hands = super::rig::Hands::new();
        let tokens = Tokens::with_clock(&[form], hands.clock()).unwrap();
        let token = EC.token(&json!({}), &json!({"iss": format!("{url}/realm")}));
        let verified = tokens.verify(&token, None).await;
        assert_eq!(verified.is_ok(), is_good, "{case}");
    }
}

#[tokio::test]
async fn a_file_of_keys_is_read_again() {
    let filed = Filed::new(&set(&[&EC]), |_| {});
    assert!(filed.tokens.is_ready());
    std::fs::write(filed.file.path(), set(&[&RSA])).unwrap();
    assert_eq!(reason(&filed.tokens, &EC).await, None);
    filed.hands.pass(600);
    let tokens = Arc::new(filed.tokens);
    tokens.refresh().await;
    assert_eq!(reason(&tokens, &EC).await, Some(Reason::BadToken));
    let token = RSA.token(&json!({}), &json!({"exp": super::rig::NOW + 1_000}));
    assert!(tokens.verify(&token, None).await.is_ok());
}

#[tokio::test]
async fn a_file_without_a_usable_key_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for keys in [
        "",
        "{}",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"YQ"}]}"#,
    ] {
        std::fs::write(file.path(), keys).unwrap();
        let form = form(KeySource::File(file.path().to_owned()));
        assert!(Tokens::new(&[form]).is_err(), "{keys}");
    }
}

#[tokio::test]
async fn keys_are_kept_fresh_until_the_end() {
    let published = Published::new(&set(&[&EC]));
    let (tokens, _hands) = published.tokens();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let task = tokens.start(stopped);
    while !tokens.is_ready() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stop.send(true).unwrap();
    task.await.unwrap();
    assert_eq!(published.asked(), 1);
}

#[tokio::test]
async fn two_issuers_do_not_speak_for_each_other() {
    let (one, two) = (Signer::p256("a"), Signer::p256("a"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, key: &Signer| {
        let path = folder.path().join(name);
        std::fs::write(&path, set(&[key])).unwrap();
        KeySource::File(path)
    };
    let mut other = form(file("two", &two));
    other.name = "partner".to_owned();
    other.issuer = "https://partner.example".to_owned();
    let mut narrow = form(file("three", &one));
    (narrow.name, narrow.audience) = ("narrow".to_owned(), "narrow".to_owned());
    let forms = [form(file("one", &one)), other, narrow];
    let tokens = Tokens::with_clock(&forms, super::rig::Hands::new().clock()).unwrap();
    let from = |key: &Signer, issuer: &str, audience: serde_json::Value| {
        key.token(&json!({}), &json!({"iss": issuer, "aud": audience}))
    };
    for (token, name) in [
        (from(&one, ISSUER, json!("paravent")), Some("company")),
        (
            from(&two, "https://partner.example", json!("paravent")),
            Some("partner"),
        ),
        (
            from(&one, "https://partner.example", json!("paravent")),
            None,
        ),
        (from(&two, ISSUER, json!("paravent")), None),
        (from(&one, ISSUER, json!("narrow")), Some("narrow")),
        (from(&one, ISSUER, json!(["narrow", "paravent"])), None),
    ] {
        let verified = tokens.verify(&token, None).await;
        assert_eq!(
            verified
                .ok()
                .map(|claims| claims.issuer().to_string())
                .as_deref(),
            name
        );
        assert!(tokens.is_ours(&token));
    }
    assert!(!tokens.is_ours(&from(&one, "https://crm.example", json!("paravent"))));
}

#[test]
fn only_keys_for_signatures_are_kept() {
    let own = EC.jwk();
    let changed = |changes: serde_json::Value| {
        let mut jwk = own.clone();
        super::rig::change(&mut jwk, &changes);
        jwk
    };
    for (jwk, is_kept, why) in [
        (changed(json!({})), true, ""),
        (changed(json!({"use": null})), true, ""),
        (changed(json!({"use": "enc"})), false, ""),
        (changed(json!({"key_ops": ["verify"]})), true, ""),
        (changed(json!({"key_ops": ["sign"]})), false, ""),
        (
            changed(json!({"key_ops": "verify"})),
            false,
            "not of its type",
        ),
        (changed(json!({"alg": "ES256"})), true, ""),
        (changed(json!({"alg": "ES384"})), false, "not its own"),
        (changed(json!({"alg": "HS256"})), false, "not its own"),
        (changed(json!({"crv": "P-384"})), false, "not a point"),
        (changed(json!({"crv": "P-521"})), false, "curve"),
        (changed(json!({"crv": "secp256k1"})), false, "curve"),
        (changed(json!({"kty": "RSA"})), false, "curve"),
        (changed(json!({"kty": "oct", "k": "YWFh"})), false, "secret"),
        (changed(json!({"d": "AQ"})), false, "secret"),
        (changed(json!({"x": null})), false, "missing"),
        (changed(json!({"x": "AQ"})), false, "not a point"),
        (changed(json!({"y": own["x"]})), false, "not a point"),
        (changed(json!({"kid": 5})), false, "not of its type"),
        (
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            false,
            "2048",
        ),
        (
            json!({"kty": "RSA", "n": RSA.jwk()["n"], "e": "AQ"}),
            false,
            "not one",
        ),
        (
            json!({"kty": "RSA", "n": RSA.jwk()["n"], "e": "AQAB="}),
            false,
            "not in base64url",
        ),
        (json!("key"), false, "not a JSON object"),
    ] {
        let set = json!({"keys": [jwk]}).to_string();
        let (keys, dropped) = KeySet::read(set.as_bytes()).unwrap();
        assert_eq!(!keys.is_empty(), is_kept, "{jwk}");
        assert_eq!(
            dropped.first().is_some_and(|cause| cause.contains(why)),
            !why.is_empty(),
            "{jwk} {dropped:?}"
        );
    }
    let twice = json!({"keys": [EC.jwk(), Signer::p256("ec").jwk(), RSA.jwk()]}).to_string();
    let (keys, dropped) = KeySet::read(twice.as_bytes()).unwrap();
    assert!(!keys.is_empty() && dropped == ["two keys have the same `kid`"]);
    let (only, _) = KeySet::read(set(&[&RSA]).as_bytes()).unwrap();
    assert!(keys.is_same(&only));
}
