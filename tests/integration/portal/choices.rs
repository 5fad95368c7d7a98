//! A person sees and changes what they agree to, and has receipts of it.

use jiff::SignedDuration;
use serde_json::Value;

use super::stage::{CANARY, Stage, seen, token};
use crate::harness::client::{Request, Response};

fn address() -> String {
    format!("{CANARY}@example.com")
}

/// Somebody who has confirmed, and the token of the link to their choices.
fn known(stage: &Stage) -> String {
    let confirm = stage.asked(&address());
    assert_eq!(
        stage
            .form(&format!("/consent/confirm?t={confirm}"), &seen())
            .status,
        200
    );
    let form = format!("email={}&language=en", address());
    assert_eq!(stage.form("/preferences/link", &form).status, 202);
    token(&stage.mails(2)[1], "/preferences")
}

fn change(stage: &Stage, token: &str, purpose: &str, change: &str) -> Response {
    let form = format!(
        "t={token}&lang=en&purpose={purpose}&change={change}&{}",
        seen()
    );
    stage.form("/preferences", &form)
}

#[test]
fn choices_are_shown_and_change_at_once() {
    let stage = Stage::new();
    let token = known(&stage);
    let page = stage.get(&format!("/preferences?t={token}&lang=en")).text();
    for words in [
        "Monthly letter",
        "You agree (since",
        "Used on a legitimate interest.",
        "Used because of a contract",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let french = stage.get(&format!("/preferences?t={token}&lang=fr")).text();
    assert!(french.contains("<html lang=\"fr\">") && french.contains("Vous y consentez"));
    let before = stage.events();
    for (purpose, word, says) in [
        ("newsletter", "withdraw", "You do not agree"),
        ("newsletter", "give", "You agree (since"),
        ("marketing", "object", "You object (since"),
        ("marketing", "lift", "Used on a legitimate interest."),
    ] {
        stage.pass(SignedDuration::from_secs(60));
        let page = change(&stage, &token, purpose, word);
        assert_eq!(page.status, 200);
        assert!(page.text().contains(says), "{word}: {}", page.text());
    }
    assert_eq!(stage.events(), before + 4);
    let standing = stage.standing(&address(), "newsletter");
    assert_eq!(standing["proof"], "double-opt-in");
    // Once more changes nothing.
    assert_eq!(change(&stage, &token, "newsletter", "give").status, 200);
    assert_eq!(stage.events(), before + 4);
    stage.pass(SignedDuration::from_secs(60));
    assert_eq!(change(&stage, &token, "*", "object").status, 200);
    assert_eq!(stage.standing(&address(), "newsletter")["valid"], false);
    assert_eq!(
        stage.standing(&address(), "marketing")["because"],
        "objected"
    );
}

#[test]
fn what_is_not_offered_is_not_changed() {
    let stage = Stage::new();
    let token = known(&stage);
    let before = stage.events();
    for (purpose, word, status) in [
        ("support", "object", 409),
        ("support", "withdraw", 409),
        ("marketing", "give", 409),
        ("newsletter", "object", 409),
        ("none", "withdraw", 409),
        ("*", "give", 409),
        ("*", "withdraw", 409),
        ("newsletter", "erase", 400),
        ("newsletter", "", 400),
    ] {
        assert_eq!(
            change(&stage, &token, purpose, word).status,
            status,
            "{purpose} {word}"
        );
    }
    let extra = format!("t={token}&purpose=newsletter&change=withdraw&person=1");
    assert_eq!(stage.form("/preferences", &extra).status, 400);
    // A link for something else opens nothing.
    let confirm = stage.asked(&address());
    assert_eq!(stage.get(&format!("/preferences?t={confirm}")).status, 404);
    assert_eq!(
        change(&stage, &confirm, "newsletter", "withdraw").status,
        404
    );
    assert_eq!(stage.events(), before + 1);
}

#[test]
fn the_link_ends_after_thirty_days_and_without_one_a_page_sends_it() {
    let stage = Stage::new();
    let token = known(&stage);
    let link = format!("/preferences?t={token}");
    stage.pass(SignedDuration::from_hours(30 * 24 - 1));
    assert_eq!(stage.get(&link).status, 200);
    stage.pass(SignedDuration::from_hours(1));
    assert_eq!(stage.get(&link).status, 410);
    assert_eq!(change(&stage, &token, "newsletter", "withdraw").status, 410);
    let page = stage.get("/preferences?lang=en");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("action=\"/preferences/link\""));
}

#[test]
fn receipts_are_the_persons_own_and_signed() {
    let stage = Stage::new();
    let token = known(&stage);
    let event = stage.standing(&address(), "newsletter")["event"].clone();
    let event = event.as_str().unwrap();
    let receipt = stage.get(&format!("/preferences?t={token}&receipt={event}"));
    assert_eq!(receipt.header("content-type"), Some("application/ld+json"));
    assert_eq!(receipt.json()["@type"], "dpv:ConsentReceipt");
    let signed = stage.get(&format!("/preferences?t={token}&receipt={event}&form=jws"));
    let keys = stage.get("/.well-known/jwks.json").json();
    let key = &keys["keys"][0];
    let header = jsonwebtoken::decode_header(signed.text()).unwrap();
    assert_eq!(header.kid.as_deref(), key["kid"].as_str());
    let x = jsonwebtoken::DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    let read = jsonwebtoken::decode::<Value>(signed.text(), &x, &validation).unwrap();
    assert_eq!(read.claims["@type"], "dpv:ConsentReceipt");
    // Somebody else's is none.
    let confirm = stage.asked("other@example.com");
    assert_eq!(
        stage
            .form(&format!("/consent/confirm?t={confirm}"), &seen())
            .status,
        200
    );
    let theirs = stage.standing("other@example.com", "newsletter")["event"].clone();
    let theirs = theirs.as_str().unwrap();
    assert_eq!(
        stage
            .get(&format!("/preferences?t={token}&receipt={theirs}"))
            .status,
        404
    );
}

#[test]
fn one_request_ends_mails() {
    let stage = Stage::new();
    let token = known(&stage);
    let unsubscribe = |mail: &str| {
        let line = mail
            .lines()
            .find_map(|line| line.strip_prefix("List-Unsubscribe: <"));
        let url = line.unwrap().trim_end_matches(['>', '\r']).to_owned();
        url.strip_prefix("http://127.0.0.1:8446")
            .unwrap()
            .to_owned()
    };
    let mails = stage.mails(2);
    let (of_letter, of_all) = (unsubscribe(&mails[0]), unsubscribe(&mails[1]));
    let before = stage.events();
    assert_eq!(stage.get(&of_letter).status, 200);
    for odd in [
        "",
        "List-Unsubscribe=Yes",
        "List-Unsubscribe=One-Click&more=1",
    ] {
        assert_eq!(stage.form(&of_letter, odd).status, 400, "{odd}");
    }
    let other = format!("/preferences/unsubscribe?t={token}");
    assert_eq!(stage.form(&other, "List-Unsubscribe=One-Click").status, 404);
    assert_eq!(stage.events(), before);
    stage.pass(SignedDuration::from_secs(60));
    let parts = Request {
        method: "POST",
        target: &of_letter,
        headers: vec![("Content-Type", "multipart/form-data; boundary=b".to_owned())],
        body: Some(b"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n".to_vec()),
    };
    assert_eq!(stage.send(&parts).status, 200);
    assert_eq!(
        stage.standing(&address(), "newsletter")["state"],
        "withdrawn"
    );
    assert_eq!(stage.standing(&address(), "marketing")["valid"], true);
    // As programs for mail do, from wherever they are.
    let answer = stage.form_from(
        &of_all,
        "List-Unsubscribe=One-Click",
        Some("https://mail.example"),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        stage.standing(&address(), "marketing")["because"],
        "objected"
    );
}

#[test]
fn what_is_so_already_makes_no_event() {
    let stage = Stage::new();
    let token = known(&stage);
    let mails = stage.mails(2);
    let out = mails[1].lines().find_map(|line| {
        let url = line.strip_prefix("List-Unsubscribe: <http://127.0.0.1:8446")?;
        Some(url.trim_end_matches(['>', '\r']).to_owned())
    });
    let out = out.unwrap();
    let before = stage.events();
    for _ in 0..3 {
        assert_eq!(stage.form(&out, "List-Unsubscribe=One-Click").status, 200);
        assert_eq!(change(&stage, &token, "*", "object").status, 200);
    }
    assert_eq!(stage.events(), before + 1);
    // Another text than the one that is in force: nothing is agreed to.
    let other = format!("t={token}&lang=en&purpose=newsletter&change=give&text=letter@2:en:0");
    assert_eq!(stage.form("/preferences", &other).status, 200);
    assert_eq!(stage.events(), before + 1);
}

#[test]
fn names_of_the_policy_are_words_and_no_markup() {
    let stage = Stage::new();
    let page = stage.get("/preferences?lang=en").text();
    assert!(
        page.contains("Example &#38; Co") || page.contains("Example &amp; Co"),
        "{page}"
    );
    assert!(!page.contains("Example & Co"));
}
