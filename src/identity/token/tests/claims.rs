//! The table of claims and headers: exactly the good ones are accepted.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::rig::{EC, Filed, ISSUER, NOW, RSA, Signer, assert_refused, claims, encode, set};
use crate::config::{Algorithm, ClaimPath};
use crate::reason::Reason;

fn filed() -> Filed {
    Filed::new(&set(&[&EC, &RSA]), |_| {})
}

/// Changes of the claims, and why such a token is refused; blank if it is not.
#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<(Value, &'static str)> {
    let far = NOW * 1_000;
    vec![
        (json!({}), ""),
        // Who it is from and for.
        (json!({"iss": null}), "`iss` is missing"),
        (json!({"iss": 5}), "`iss` is not a text"),
        (json!({"iss": [ISSUER]}), "`iss` is not a text"),
        (json!({"iss": format!("{ISSUER}/")}), "its issuer"),
        (json!({"iss": ISSUER.to_uppercase()}), "its issuer"),
        (json!({"iss": format!("{ISSUER}\u{0}")}), "its issuer"),
        (
            json!({"iss": "https://login.example.evil/realms/crm"}),
            "its issuer",
        ),
        (json!({"aud": null}), "`aud` is missing"),
        (json!({"aud": "paravent2"}), "another audience"),
        (json!({"aud": "par"}), "another audience"),
        (json!({"aud": "Paravent"}), "another audience"),
        (json!({"aud": "paravent/"}), "another audience"),
        (json!({"aud": "a paravent"}), "another audience"),
        (json!({"aud": []}), "another audience"),
        (json!({"aud": ["other", "another"]}), "another audience"),
        (json!({"aud": ["other", "paravent"]}), ""),
        (json!({"aud": ["paravent", 5]}), "`aud` is neither"),
        (json!({"aud": {"0": "paravent"}}), "`aud` is neither"),
        (json!({"aud": true}), "`aud` is neither"),
        // Whom it is about.
        (json!({"sub": null}), "`sub` is missing"),
        (json!({"sub": ""}), "`sub` is not a short text"),
        (json!({"sub": 17}), "`sub` is not a short text"),
        (json!({"sub": ["u-1"]}), "`sub` is not a short text"),
        (json!({"sub": "u-1\n"}), "`sub` is not a short text"),
        (json!({"sub": "u".repeat(255)}), ""),
        (json!({"sub": "u".repeat(256)}), "`sub` is not a short text"),
        // From when to when.
        (json!({"exp": null}), "`exp` is missing"),
        (json!({"exp": "9999999999"}), "`exp` is not a date"),
        (
            json!({"exp": (NOW + 600).to_string()}),
            "`exp` is not a date",
        ),
        (json!({"exp": true}), "`exp` is not a date"),
        (json!({"exp": [NOW + 600]}), "`exp` is not a date"),
        (json!({"exp": -1}), "`exp` is not a date"),
        (json!({"exp": far}), "`exp` is not a date"),
        (json!({"exp": u64::MAX}), "`exp` is not a date"),
        (json!({"exp": NOW as f64 + 600.75}), ""),
        (json!({"exp": NOW - 59, "iat": NOW - 900}), ""),
        (json!({"exp": NOW - 60, "iat": NOW - 900}), "it has expired"),
        (
            json!({"exp": NOW - 3_600, "iat": NOW - 7_200}),
            "it has expired",
        ),
        (
            json!({"exp": NOW - 10, "iat": NOW - 10}),
            "it ends before it begins",
        ),
        (json!({"exp": NOW - 20}), "it ends before it begins"),
        (json!({"iat": null}), "`iat` is missing"),
        (
            json!({"iat": (NOW - 10).to_string()}),
            "`iat` is not a date",
        ),
        (json!({"iat": -5}), "`iat` is not a date"),
        (json!({"iat": NOW + 60}), ""),
        (json!({"iat": NOW + 61}), "issued in the future"),
        (json!({"iat": NOW - 10, "exp": NOW - 10 + 43_200}), ""),
        (
            json!({"iat": NOW - 10, "exp": NOW - 9 + 43_200}),
            "`lifetime_max`",
        ),
        (json!({"exp": 253_402_300_799i64}), "`lifetime_max`"),
        (json!({"nbf": NOW - 10}), ""),
        (json!({"nbf": NOW + 60}), ""),
        (json!({"nbf": NOW + 61}), "not valid yet"),
        (json!({"nbf": NOW as f64 + 60.5}), "not valid yet"),
        (json!({"nbf": "x"}), "`nbf` is not a date"),
        (json!({"nbf": {"a": 1}}), "`nbf` is not a date"),
        (json!({"auth_time": NOW - 5}), ""),
        (
            json!({"auth_time": NOW + 61}),
            "`auth_time` lies in the future",
        ),
        (json!({"auth_time": "now"}), "`auth_time` is not a date"),
        // What it is.
        (json!({"nonce": "n"}), "`nonce`"),
        (json!({"at_hash": "n"}), "`at_hash`"),
        (json!({"events": {}}), "`events`"),
        (json!({"typ": "ID"}), "`typ` of its claims"),
        (json!({"typ": "Refresh"}), "`typ` of its claims"),
        (json!({"typ": "Bearer"}), ""),
        (json!({"azp": 5}), "`azp` or `client_id` is not a text"),
        (json!({"cnf": {"jkt": "a"}}), "bound (`cnf`)"),
        (json!({"cnf": {}}), "bound (`cnf`)"),
        (json!({"cnf": "a"}), "bound (`cnf`)"),
        (json!({"cnf": {"x5t#S256": "short"}}), "bound (`cnf`)"),
        (
            json!({"cnf": {"x5t#S256": encode([0; 32])}}),
            "none was shown",
        ),
        (
            json!({"cnf": {"x5t#S256": encode([0; 32]), "jkt": "a"}}),
            "bound (`cnf`)",
        ),
        // What is used of it.
        (json!({"purpose": "payment"}), ""),
        (json!({"purpose": ["payment"]}), "claim for `purpose`"),
        (json!({"purpose": 5}), "claim for `purpose`"),
        (json!({"purpose": ""}), "claim for `purpose`"),
        (json!({"preferred_username": null}), ""),
        (json!({"preferred_username": ["a"]}), "claim for `name`"),
        (json!({"realm_access": null}), ""),
        (json!({"realm_access": {"roles": []}}), ""),
        (
            json!({"realm_access": {"roles": ["a", 5]}}),
            "claim for `roles`",
        ),
        (json!({"realm_access": {"roles": [["a"], "b"]}}), ""),
        (
            json!({"realm_access": {"roles": [{"name": "a"}]}}),
            "claim for `roles`",
        ),
        (json!({"acr": "phr", "amr": ["pwd", "hwk"]}), ""),
        (json!({"acr": 3}), "`acr` is not a short text"),
        (json!({"amr": "hwk"}), "`amr` is not a list"),
        (json!({"amr": ["hwk", 1]}), "`amr` is not a list"),
    ]
}

#[tokio::test]
async fn a18_exactly_the_good_claims_are_accepted() {
    let filed = filed();
    let table = table();
    assert!(table.len() >= 80);
    for (changes, why) in table {
        let refused = filed.refused(&EC.token(&json!({}), &changes)).await;
        let reason = match why {
            "it has expired" => Reason::TokenExpired,
            _ => Reason::BadToken,
        };
        match why {
            "" => assert_eq!(refused, None, "{changes}"),
            why => assert_refused(refused, reason, why, &changes.to_string()),
        }
    }
}

#[tokio::test]
async fn headers_are_read_strictly() {
    let filed = filed();
    for (changes, why) in [
        (json!({}), ""),
        (json!({"typ": null}), ""),
        (json!({"typ": "JWT"}), ""),
        (json!({"typ": "application/AT+JWT"}), ""),
        (json!({"typ": "logout+jwt"}), "`typ` of its header"),
        (json!({"typ": "dpop+jwt"}), "`typ` of its header"),
        (json!({"typ": 5}), "`typ` of its header"),
        (json!({"jku": "https://evil.example/keys"}), ""),
        (json!({"x5u": "https://evil.example/x"}), ""),
        (json!({"x5c": ["MIIB"]}), ""),
        (json!({"jwk": Signer::p256("ec").jwk()}), ""),
        (json!({"crit": ["exp"], "exp": 1}), "`crit`"),
        (json!({"crit": []}), "`crit`"),
        (json!({"b64": false}), "`b64`"),
        (json!({"b64": true}), "`b64`"),
        (json!({"enc": "A256GCM"}), "encrypted"),
        (json!({"zip": "DEF"}), "compressed"),
        (json!({"cty": "JWT"}), "a token within a token"),
        (json!({"cty": "application/jwt"}), "a token within a token"),
        (json!({"alg": null}), "no `alg`"),
        (json!({"alg": 5}), "`alg` of its header"),
        (json!({"alg": "none"}), "not one of the issuer's list"),
        (json!({"alg": "nOnE"}), "not one of the issuer's list"),
        (json!({"alg": "HS256"}), "not one of the issuer's list"),
        (json!({"alg": "ES384"}), "not one of the issuer's list"),
        (json!({"alg": "es256"}), "not one of the issuer's list"),
        (json!({"alg": "RS256"}), "not that of its key"),
        (json!({"kid": "rsa"}), "not that of its key"),
        (json!({"kid": 5}), "`kid` of its header"),
        (json!({"kid": ["ec"]}), "`kid` of its header"),
        (json!({"kid": "a".repeat(256)}), "`kid` of its header"),
        (json!({"kid": null}), ""),
    ] {
        let refused = filed.refused(&EC.token(&changes, &json!({}))).await;
        match why {
            "" => assert_eq!(refused, None, "{changes}"),
            why => assert_refused(refused, Reason::BadToken, why, &changes.to_string()),
        }
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let filed = filed();
    let header = json!({"alg": "ES256", "kid": "ec"}).to_string();
    let claims = claims().to_string();
    let object = "not one JSON object";
    for (header, claims, why) in [
        (header.as_str(), claims.clone(), ""),
        (
            r#"{"alg":"ES256","alg":"ES256","kid":"ec"}"#,
            claims.clone(),
            object,
        ),
        (
            r#"{"alg":"none","\u0061lg":"ES256","kid":"ec"}"#,
            claims.clone(),
            object,
        ),
        (r#"["ES256"]"#, claims.clone(), object),
        (r#"{"alg":"ES256","kid":"ec"} x"#, claims.clone(), object),
        (&header, claims.replacen('{', r#"{"exp":1,"#, 1), object),
        (&header, claims.replacen('{', r#"{"sub":"u-2","#, 1), object),
        (
            &header,
            claims.replace(r#""roles":"#, r#""roles":["admin"],"roles":"#),
            object,
        ),
        (&header, claims.replacen('{', r#"{"exp2":1e400,"#, 1), ""),
        (
            &header,
            claims.replace(&format!("{}", NOW + 600), "1e400"),
            "`exp` is not a date",
        ),
        (
            &header,
            claims.replace(&format!("{}", NOW + 600), "1.8000006e9"),
            "",
        ),
        (
            &header,
            claims.replace(&format!("{}", NOW + 600), "null"),
            "`exp` is not a date",
        ),
        (&header, format!("[{claims}]"), object),
        (&header, "null".to_owned(), object),
        (&header, String::new(), object),
        (&header, format!("{claims}{claims}"), object),
        (&header, format!("\u{feff}{claims}"), object),
        (&header, format!(" {claims} "), ""),
        (&header, "[".repeat(4_000), object),
    ] {
        let refused = filed.refused(&EC.token_of(header, &claims)).await;
        match why {
            "" => assert_eq!(refused, None, "{header} {claims}"),
            why => assert_refused(
                refused,
                Reason::BadToken,
                why,
                &format!("{header} {claims}"),
            ),
        }
    }
}

#[tokio::test]
async fn a_token_states_what_its_issuer_says() {
    let filed = filed();
    let changes =
        json!({"purpose": "payment", "acr": "phr", "amr": ["pwd", "hwk"], "auth_time": NOW - 90});
    let token = EC.token(&json!({}), &changes);
    let stated = filed.tokens.verify(&token, None).await.unwrap();
    assert_eq!((&**stated.issuer(), stated.subject()), ("company", "u-1"));
    assert_eq!(
        (stated.name(), stated.purpose()),
        (Some("fanny"), Some("payment"))
    );
    assert_eq!(stated.roles(), ["crm-sales", "crm-finance"]);
    assert_eq!((stated.acr(), stated.amr().len()), (Some("phr"), 2));
    assert_eq!(stated.auth_time(), Some(NOW - 90));
    assert_eq!(filed.tokens.age(&stated).unwrap().as_secs(), 90);
    assert_eq!((stated.crm_user(), stated.strengthens()), (None, false));
    let shown = format!("{stated:?} {:?}", filed.tokens);
    assert!(
        shown.contains("company") && !shown.contains("fanny") && !shown.contains("u-1"),
        "{shown}"
    );
}

#[tokio::test]
async fn only_a_configured_claim_names_a_user_of_the_crm() {
    let filed = Filed::new(&set(&[&EC]), |form| {
        form.crm_user = ClaimPath::read("$.crm_login")
    });
    let user = |value: Value| EC.token(&json!({}), &json!({"crm_login": value}));
    let stated = filed
        .tokens
        .verify(&user(json!("fanny")), None)
        .await
        .unwrap();
    assert_eq!(
        (stated.crm_user(), stated.strengthens()),
        (Some("fanny"), true)
    );
    let stated = filed.tokens.verify(&EC.good(), None).await.unwrap();
    assert_eq!((stated.crm_user(), stated.strengthens()), (None, true));
    for value in [json!(""), json!(1), json!(["fanny"])] {
        let refused = filed.refused(&user(value.clone())).await;
        assert_refused(
            refused,
            Reason::BadToken,
            "claim for `crm_user`",
            &value.to_string(),
        );
    }
}

#[tokio::test]
async fn a_bound_token_needs_its_certificate_each_time() {
    let filed = filed();
    let (own, other) = (b"a certificate".as_slice(), b"another".as_slice());
    let hash = encode(digest(&SHA256, own));
    let token = EC.token(&json!({}), &json!({"cnf": {"x5t#S256": hash}}));
    for _ in 0..2 {
        assert!(filed.tokens.verify(&token, Some(own)).await.is_ok());
        let refused = filed.tokens.verify(&token, Some(other)).await.err();
        assert_refused(refused, Reason::BadToken, "another certificate", "other");
        assert_refused(
            filed.refused(&token).await,
            Reason::BadToken,
            "none was shown",
            "none",
        );
    }
    assert!(filed.tokens.verify(&EC.good(), Some(other)).await.is_ok());
}

#[tokio::test]
async fn types_and_parties_of_the_configuration_are_kept_to() {
    let filed = Filed::new(&set(&[&EC]), |form| {
        form.kind = Some("at+jwt".to_owned());
        form.parties = vec!["portal".to_owned()];
    });
    let party = |changes: Value| EC.token(&json!({}), &changes);
    for (changes, is_good) in [
        (json!({}), false),
        (json!({"azp": "portal"}), true),
        (json!({"client_id": "portal"}), true),
        (json!({"azp": "portal", "client_id": "portal"}), true),
        (json!({"azp": "portal", "client_id": "other"}), false),
        (json!({"azp": "Portal"}), false),
        (json!({"azp": "other"}), false),
    ] {
        assert_eq!(
            filed.refused(&party(changes.clone())).await.is_none(),
            is_good,
            "{changes}"
        );
    }
    for (kind, is_good) in [
        (json!("application/at+jwt"), true),
        (json!("AT+JWT"), true),
        (json!("JWT"), false),
        (Value::Null, false),
    ] {
        let token = EC.token(&json!({"typ": kind}), &json!({"azp": "portal"}));
        assert_eq!(filed.refused(&token).await.is_none(), is_good, "{kind}");
    }
}

#[tokio::test]
async fn every_algorithm_that_is_listed_is_verified() {
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let mut signers = vec![Signer::p256("1"), Signer::p384("2"), Signer::edwards("3")];
    signers.extend(rsa.map(|algorithm| Signer::rsa(algorithm, algorithm)));
    let keys: Vec<_> = signers.iter().collect();
    let all = Filed::new(&set(&keys), |form| {
        form.algorithms = Algorithm::ALL
            .iter()
            .map(|(_, algorithm)| *algorithm)
            .collect();
    });
    let usual = Filed::new(&set(&keys), |_| {});
    for signer in &signers {
        let name = signer.algorithm();
        assert_eq!(all.refused(&signer.good()).await, None, "{name}");
        let is_usual = Algorithm::DEFAULT.iter().any(|one| one.as_str() == name);
        assert_eq!(
            usual.refused(&signer.good()).await.is_none(),
            is_usual,
            "{name}"
        );
        let spoilt = signer.good();
        let mut spoilt = spoilt.into_bytes();
        let at = spoilt.len() - 20;
        spoilt[at] = if spoilt[at] == b'A' { b'B' } else { b'A' };
        let refused = all.refused(&String::from_utf8(spoilt).unwrap()).await;
        assert_refused(refused, Reason::BadToken, "signature is wrong", name);
    }
}

#[tokio::test]
async fn what_would_be_understood_is_explained() {
    let filed = filed();
    let good = filed.tokens.explain(&EC.good(), None).await;
    assert_eq!(
        (good.refused, good.algorithm, good.kid.as_deref()),
        (None, Some("ES256"), Some("ec"))
    );
    assert_eq!(good.claims.unwrap().roles().len(), 2);
    assert!(
        good.used
            .contains(&("roles", "$.realm_access.roles[*]".to_owned()))
    );
    let late = EC.token(&json!({}), &json!({"exp": NOW - 3_600, "iat": NOW - 7_200}));
    let late = filed.tokens.explain(&late, None).await;
    assert_eq!(late.refused.unwrap().reason, Reason::TokenExpired);
    assert_eq!(late.claims.unwrap().subject(), "u-1");
    let none = filed.tokens.explain("a.b", None).await;
    assert!(none.claims.is_none() && none.refused.is_some());
}
