//! A request goes by mail, and counts once a button was pressed.

use std::fs;

use jiff::SignedDuration;

use super::stage::{CANARY, Stage, seen, token};
use crate::harness::client::Request;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn address() -> String {
    format!("{CANARY}@example.com")
}

#[test]
fn to_look_confirms_nothing_and_the_button_confirms_once() {
    let stage = Stage::new();
    let token = stage.asked(&address());
    let link = format!("/consent/confirm?t={token}");
    let before = stage.events();
    for _ in 0..10 {
        let page = stage.get(&link);
        assert_eq!(page.status, 200);
        assert!(
            page.text().contains("I want the letter."),
            "{}",
            page.text()
        );
    }
    let head = stage.send(&Request {
        method: "HEAD",
        target: &link,
        ..Request::default()
    });
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(stage.events(), before);
    assert_eq!(stage.standing(&address(), "newsletter")["valid"], false);
    let done = stage.form(&link, &format!("t={token}&lang=en&{}", seen()));
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains("Monthly letter"));
    let standing = stage.standing(&address(), "newsletter");
    assert_eq!(standing["state"], "confirmed");
    assert_eq!(standing["valid"], true);
    assert_eq!(standing["proof"], "double-opt-in");
    for again in [stage.form(&link, ""), stage.get(&link)] {
        assert_eq!(again.status, 410);
    }
    assert_eq!(stage.events(), before + 1);
}

#[test]
fn a_link_that_was_cut_swapped_or_made_up_confirms_nothing() {
    let stage = Stage::new();
    let token = stage.asked(&address());
    let mail = stage.mails(1).remove(0);
    let out = mail
        .lines()
        .find_map(|line| line.strip_prefix("List-Unsubscribe: <"))
        .unwrap();
    let out = out
        .split("?t=")
        .nth(1)
        .unwrap()
        .trim_end_matches(['>', '\r']);
    let (id, mac) = token.rsplit_once('.').unwrap();
    let other = stage.asked("other@example.com");
    let (_, other_mac) = other.rsplit_once('.').unwrap();
    let before = stage.events();
    let odd = [
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        format!("{id}.{other_mac}"),
        format!("v1..{mac}"),
        out.to_owned(),
        "x".repeat(3000),
        "%F0%9F%98%80".to_owned(),
    ];
    for odd in odd {
        let link = format!("/consent/confirm?t={odd}");
        assert_eq!(stage.get(&link).status, 404, "{odd}");
        assert_eq!(stage.form(&link, "").status, 404, "{odd}");
    }
    for link in ["/consent/confirm", "/consent/confirm?t="] {
        assert_eq!(stage.get(link).status, 404, "{link}");
        assert_eq!(stage.form(link, "").status, 404, "{link}");
    }
    // Two tokens, or one twice, are none.
    let doubled = format!("/consent/confirm?t={token}&t={token}");
    assert_eq!(stage.form(&doubled, "").status, 400);
    let link = format!("/consent/confirm?t={token}");
    assert_eq!(stage.form(&link, &format!("t={other}")).status, 400);
    assert_eq!(stage.form(&link, "more=1").status, 400);
    assert_eq!(stage.form(&link, "t=a&t=b").status, 400);
    assert_eq!(stage.events(), before);
    assert_eq!(stage.form(&link, &seen()).status, 200);
}

#[test]
fn the_proof_names_the_text_that_the_page_has_shown() {
    let stage = Stage::new();
    let token = stage.asked(&address());
    let link = format!("/consent/confirm?t={token}");
    let before = stage.events();
    // Another text than one that is in force or was asked: a former version, other words, none.
    for other in [
        seen().replace("@3", "@2"),
        seen().replace(":en:", ":fr:"),
        seen() + "0",
        "text=none".to_owned(),
        String::new(),
    ] {
        let again = stage.form(&link, &other);
        assert_eq!(again.status, 409, "{other}");
        assert!(again.text().contains("name=\"text\""), "{other}");
    }
    assert_eq!(stage.events(), before);
    // The page in another language than the mail.
    let page = stage.get(&format!("{link}&lang=fr")).text();
    let read = page.split("name=\"text\" value=\"").nth(1).unwrap();
    let read = read.split('"').next().unwrap();
    let form = format!("lang=fr&text={read}");
    assert_eq!(stage.form(&link, &form).status, 200);
    let events = stage.runtime.block_on(stage.ledger.events_after(0));
    let confirmed = events.unwrap().pop().unwrap();
    assert_eq!(confirmed.language.as_deref(), Some("fr"));
    let hash = super::stage::sha256("Je veux la lettre.");
    assert_eq!(confirmed.text_sha256, Some(hash));
}

#[test]
fn a_link_ends_after_two_days() {
    let stage = Stage::new();
    let late = stage.asked(&address());
    stage.pass(HOUR * 47);
    let link = format!("/consent/confirm?t={late}");
    assert_eq!(stage.get(&link).status, 200);
    stage.pass(HOUR);
    assert_eq!(stage.get(&link).status, 410);
    assert_eq!(stage.form(&link, "").status, 410);
    assert_eq!(stage.standing(&address(), "newsletter")["valid"], false);
}

#[test]
fn what_was_withdrawn_is_given_again_by_mail_only() {
    let stage = Stage::new();
    let confirm = |stage: &Stage| {
        let token = stage.asked(&address());
        let link = format!("/consent/confirm?t={token}");
        assert_eq!(stage.form(&link, &seen()).status, 200);
    };
    confirm(&stage);
    let event = |kind: &str, proof: &str| {
        let body = serde_json::json!({
            "email": address(), "purpose": "newsletter", "kind": kind, "proof": proof, "source": "website",
        });
        stage.api("/api/v1/consent/events", "all-rights", &body, &[])
    };
    stage.pass(HOUR);
    assert_eq!(event("withdrawn", "none").status, 201);
    assert_eq!(stage.standing(&address(), "newsletter")["valid"], false);
    stage.pass(HOUR);
    assert_eq!(event("given", "single-opt-in").status, 201);
    assert_eq!(stage.standing(&address(), "newsletter")["valid"], false);
    confirm(&stage);
    assert_eq!(stage.standing(&address(), "newsletter")["valid"], true);
}

#[test]
fn mails_say_what_they_should_and_nothing_else_names_anybody() {
    let stage = Stage::new();
    let form =
        format!("email={CANARY}%40example.com&purpose=newsletter&language=fr&source=website");
    assert_eq!(stage.form("/consent/requests", &form).status, 202);
    let mail = stage.mails(1).remove(0);
    let head = mail.split("\r\n\r\n").next().unwrap();
    for line in [
        &*format!("To: {CANARY}@example.com"),
        "From: Example <privacy@example.com>",
        "Content-Language: fr",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Content-Transfer-Encoding: 8bit",
    ] {
        assert!(head.lines().any(|one| one == line), "{line}: {head}");
    }
    assert!(mail.contains("Lettre mensuelle") && mail.contains("Je veux la lettre."));
    let token = token(&mail, "/consent/confirm");
    assert_eq!(
        stage
            .form(&format!("/consent/confirm?t={token}"), &seen())
            .status,
        200
    );
    stage.settle();
    let mut looked = 0;
    for entry in fs::read_dir(stage.path("kept")).unwrap().flatten() {
        let bytes = fs::read(entry.path()).unwrap();
        for secret in [CANARY, &*token] {
            let holds = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!holds, "{} holds it", entry.path().display());
        }
        looked += usize::from(entry.file_name().to_string_lossy().starts_with("ledger.db"));
    }
    assert!(looked > 0);
    for entry in fs::read_dir(stage.path("mail")).unwrap().flatten() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
