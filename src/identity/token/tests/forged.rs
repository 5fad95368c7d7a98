//! Tokens that somebody made who is not the issuer.

use aws_lc_rs::hmac;
use base64::Engine as _;
use serde_json::json;

use super::rig::{EC, Filed, RSA, Secret, Signer, assert_refused, claims, encode, set};
use crate::reason::Reason;

fn filed() -> Filed {
    Filed::new(&set(&[&EC, &RSA]), |_| {})
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let filed = filed();
    let Secret::Rsa(pair, _) = &RSA.secret else {
        panic!("an RSA key")
    };
    let der = aws_lc_rs::signature::KeyPair::public_key(pair).as_ref();
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
    let modulus = RSA.jwk()["n"].as_str().unwrap().to_owned();
    for secret in [
        pem.as_bytes(),
        pem.trim().as_bytes(),
        der,
        modulus.as_bytes(),
        b"",
    ] {
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("RS256", hmac::HMAC_SHA256),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let header = encode(json!({"alg": name, "kid": "rsa"}).to_string());
            let signed = format!("{header}.{}", encode(claims().to_string()));
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            let refused = filed.refused(&format!("{signed}.{}", encode(tag))).await;
            assert_refused(refused, Reason::BadToken, "", name);
        }
    }
}

#[tokio::test]
async fn nobody_brings_their_own_key() {
    let filed = filed();
    let own = Signer::p256("ec");
    for header in [
        json!({}),
        json!({"jwk": own.jwk()}),
        json!({"jku": "http://127.0.0.1:1/keys"}),
    ] {
        let refused = filed.refused(&own.token(&header, &json!({}))).await;
        assert_refused(
            refused,
            Reason::BadToken,
            "signature is wrong",
            &header.to_string(),
        );
    }
    // Without a `kid`, the only key that fits is the issuer's.
    let refused = filed
        .refused(&own.token(&json!({"kid": null}), &json!({})))
        .await;
    assert_refused(refused, Reason::BadToken, "signature is wrong", "no kid");
}

#[tokio::test]
async fn a_token_without_a_key_is_taken_only_where_one_key_fits() {
    let other = Signer::p256("other");
    let filed = Filed::new(&set(&[&EC, &other]), |_| {});
    let token = EC.token(&json!({"kid": null}), &json!({}));
    assert_refused(
        filed.refused(&token).await,
        Reason::BadToken,
        "several fit",
        "two",
    );
    let token = RSA.token(&json!({"kid": null}), &json!({}));
    assert_refused(
        filed.refused(&token).await,
        Reason::BadToken,
        "none fits",
        "none",
    );
}

#[tokio::test]
async fn a_token_is_written_in_one_way() {
    let filed = filed();
    let good = EC.good();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("three parts")
    };
    assert_eq!(filed.refused(&good).await, None);
    // The last character of 64 bytes holds two bits of them; the other four must be zero.
    let last = signature.chars().last().unwrap();
    let next = char::from_u32(u32::from(last) + 1).unwrap();
    let stray = format!("{}{next}", &signature[..signature.len() - 1]);
    for forged in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{stray}"),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}.{payload}.{signature}AA"),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("{header}.{payload}.\u{e9}"),
        good.replacen('.', "..", 1),
        good.to_lowercase(),
        json!({"payload": payload, "protected": header, "signature": signature}).to_string(),
        format!("{}.{payload}.{signature}", encode(r#"{"alg":"none"}"#)),
        format!("{}.{payload}.", encode(r#"{"alg":"none"}"#)),
        "a".repeat(8 * 1024 + 1),
    ] {
        assert_refused(filed.refused(&forged).await, Reason::BadToken, "", &forged);
    }
}

#[tokio::test]
async fn one_bit_anywhere_makes_it_another_token() {
    let filed = filed();
    let good = EC.good();
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        // A `kid` that is not known any more is not judged yet.
        let reason = filed.refused(&forged).await.unwrap().reason;
        assert!(
            matches!(reason, Reason::BadToken | Reason::IdentityUnavailable),
            "{at}"
        );
    }
}

#[tokio::test]
async fn tokens_larger_than_8_kib_are_refused() {
    let filed = filed();
    let token = |length: usize| EC.token(&json!({}), &json!({"more": "x".repeat(length)}));
    assert_eq!(filed.refused(&token(5_000)).await, None);
    assert_refused(
        filed.refused(&token(6_000)).await,
        Reason::BadToken,
        "8 KiB",
        "6,000",
    );
}
