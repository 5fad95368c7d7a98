//! Project Wycheproof's signatures and keys: what is valid is accepted, unless it is listed here with the reason.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::Algorithm;
use crate::identity::token::compact::Compact;
use crate::identity::token::jwks::KeySet;

/// Valid ones that are not accepted.
const REFUSED: &[(&str, &str)] = &[
    ("HS", "a shared secret: whoever can verify can write"),
    ("ES512", "the curve P-521 is not known here"),
    (
        "PS384 with a key for PS256",
        "a key is used for its own algorithm only",
    ),
];

fn vectors(name: &str) -> Option<Value> {
    let Some(corpora) = std::env::var_os("PARAVENT_CORPORA") else {
        let is_ci = std::env::var("CI").is_ok_and(|ci| !matches!(&*ci, "" | "0" | "false"));
        assert!(
            !is_ci,
            "`PARAVENT_CORPORA` does not name the folder of public corpora"
        );
        println!("skipped: `PARAVENT_CORPORA` does not name the folder of public corpora");
        return None;
    };
    let path = std::path::Path::new(&corpora).join("wycheproof").join(name);
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// Whether a token in compact form is accepted with a set of keys, whatever it claims.
fn is_accepted(token: &Value, keys: &Value) -> bool {
    let all: Vec<_> = Algorithm::ALL.iter().map(|(_, one)| *one).collect();
    let Ok((keys, _)) = KeySet::read(keys.to_string().as_bytes()) else {
        return false;
    };
    let token = token.as_str().and_then(|token| Compact::read(token).ok());
    token.is_some_and(|token| keys.verify(&token, &all).is_ok())
}

/// What a valid vector is signed with, and with which key.
fn signed_with(token: &Value, keys: &Value) -> String {
    use base64::Engine as _;
    let header = token.as_str().unwrap().split('.').next().unwrap();
    // Some vectors for shared secrets are not written strictly.
    let header = header.replace(
        |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-',
        "",
    );
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"]);
    let (own, of_key) = (
        header["alg"].as_str().unwrap(),
        key.unwrap()["alg"].as_str(),
    );
    match of_key {
        Some(of_key) if own.starts_with("PS") && of_key != own => {
            format!("{own} with a key for {of_key}")
        }
        _ if own.starts_with("HS") => "HS".to_owned(),
        _ => own.to_owned(),
    }
}

/// Runs a file of vectors: how many are accepted, how many valid ones are not, by what they are signed with.
fn run(vectors: &Value, keys: impl Fn(&Value) -> Value) -> (usize, BTreeMap<String, usize>) {
    let (mut accepted, mut left) = (0, BTreeMap::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = keys(group);
        for test in group["tests"].as_array().unwrap() {
            let (id, is_valid) = (&test["tcId"], test["result"] == "valid");
            match is_accepted(&test["jws"], &keys) {
                true => {
                    assert!(is_valid, "{id} {} is accepted", test["comment"]);
                    accepted += 1;
                }
                false if is_valid => {
                    *left.entry(signed_with(&test["jws"], &keys)).or_default() += 1
                }
                false => {}
            }
        }
    }
    let is_listed = |name: &String| REFUSED.iter().any(|(known, _)| known == name);
    assert!(left.keys().all(is_listed), "{left:?}");
    (accepted, left)
}

#[test]
fn wycheproof_signatures_are_accepted_exactly_if_they_are_valid_and_listed() {
    let Some(vectors) = vectors("json_web_signature_test.json") else {
        return;
    };
    assert_eq!(vectors["numberOfTests"], 401);
    let keys = |group: &Value| {
        let key = group.get("public").unwrap_or_else(|| &group["private"]);
        json!({"keys": [key]})
    };
    let (accepted, left) = run(&vectors, keys);
    println!("{accepted} accepted, valid but left out: {left:?}");
    let left: Vec<_> = left
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    assert_eq!(
        left,
        [("ES512", 2), ("HS", 10), ("PS384 with a key for PS256", 2)]
    );
    assert_eq!(accepted, 46 - 14);
}

#[test]
fn wycheproof_keys_are_used_exactly_if_they_are_valid_and_listed() {
    let Some(vectors) = vectors("json_web_key_test.json") else {
        return;
    };
    assert_eq!(vectors["numberOfTests"], 26);
    let keys = |group: &Value| {
        group
            .get("public")
            .unwrap_or_else(|| &group["private"])
            .clone()
    };
    let (accepted, left) = run(&vectors, keys);
    let left: Vec<_> = left
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    assert_eq!((accepted, left), (1, vec![("HS", 4)]));
}
