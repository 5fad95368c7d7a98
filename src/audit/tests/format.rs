//! Whatever is written is in canonical form, of the form of its version, and read again as it was written.

use serde::Deserialize as _;

use super::super::canonical::is_canonical;
use super::super::format::brief::{
    Auth, Caller, Definition, Policy, Records, Request, Stated, Terms,
};
use super::super::format::counts::Counts;
use super::super::format::notice::{Exported, KeyChange, Notice, SchemaOf};
use super::super::format::refs::Refs;
use super::super::format::{Origin, Phase, Told, brief};
use super::super::page::Page;
use super::*;

/// The lines of events, as a page holds them.
fn page(events: Vec<Event>) -> Vec<String> {
    let stated = std::collections::HashSet::new();
    let mut page = Page::new(
        &Head::start(),
        &stated,
        ("par-1a", "2026-03-01T12:00:00.000Z"),
    );
    for mut event in events {
        page.add(&mut event).unwrap();
    }
    let text = String::from_utf8(page.bytes).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn check(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap();
    assert!(is_canonical(line.as_bytes()), "{line}");
    assert_eq!(value["v"], 2);
    value
}

fn key_change(by: Option<&str>) -> KeyChange {
    KeyChange {
        by: by.map(str::to_owned),
        key: "mzxw6ytboi2345aa".to_owned(),
        name: "erp-prod".to_owned(),
        when: "2026-11-29T12:00:00Z".to_owned(),
    }
}

#[expect(clippy::too_many_lines, reason = "one of each kind")]
fn notices() -> Vec<Notice> {
    let mut classified = Classified::default();
    let category = crate::vocabulary::Category::new("financial.iban");
    classified.add(&Module::new("Contacts"), "iban_c", &[category]);
    let text = |text: &str| text.to_owned();
    vec![
        Notice::Exported(Exported {
            events: Some(17),
            filters: vec![text("caller=fanny")],
            purpose: Some(text("case 2026-17")),
            sha256: Some(text("5d41")),
            uid: 1_000,
        }),
        Notice::Exported(Exported::default()),
        Notice::Gap {
            last_hash: text("sha256:0"),
            last_seq: 7,
            refused: 0,
            why: text("end-missing"),
        },
        Notice::Read {
            command: None,
            uid: 0,
            words: vec![text("caller=\u{7f}é\"")],
        },
        Notice::Recovered {
            bytes: 3,
            part: Some(text("torn-1.part")),
            refused: 1,
        },
        Notice::Started {
            durability: text("strict"),
            head: Some(text("kept")),
        },
        Notice::Started {
            durability: text("strict"),
            head: None,
        },
        Notice::Stopped {},
        Notice::Refused {
            count: 1 << 53,
            origin: None,
            reason: text("no-credential"),
        },
        Notice::ClockStepped {
            from: text("2"),
            to: text("1"),
        },
        Notice::PredicatesUsedUp {
            caller: text("9b1f"),
            name: text("fanny"),
            policy: text("sha256:0"),
        },
        Notice::RecordsUsedUp {
            caller: text("9b1f"),
            count: Some(text("persons")),
            limit: text("bulk"),
            max: 500,
            name: text("fanny"),
            policy: text("sha256:0"),
            then: text("block"),
            upstream: text("crm"),
            window: text("1h"),
            would_be: 520,
        },
        Notice::LimitReached {
            count: 1,
            origin: Some(text("10.0.0.0/24")),
            reason: text("x"),
        },
        Notice::PolicyLoaded {
            by: Some(text("watch")),
            classified: classified.written(),
            hash: text("sha256:0"),
            name: text("p"),
            previous: Some(text("sha256:1")),
            schemas: vec![SchemaOf {
                dialect: text("sugar-rest"),
                hash: text("sha256:2"),
                upstream: text("crm"),
            }],
        },
        Notice::PolicyRejected {
            by: text("signal"),
            codes: vec![text("P001")],
            hash: None,
        },
        Notice::CertificateLoaded {
            by: text("watch"),
            fingerprint: text("sha256:3"),
            not_after: None,
            what: text("crm"),
        },
        Notice::CertificateRejected {
            by: text("watch"),
            codes: vec![text("C020")],
            what: text("crm"),
        },
        Notice::KeyCreated(key_change(Some("ann"))),
        Notice::KeyRotated(key_change(Some("ann"))),
        Notice::KeyRevoked(key_change(Some("ann"))),
        Notice::KeyExpired(key_change(None)),
        Notice::SchemaLearned {
            dialect: text("sugar-rest"),
            fields: 120,
            hash: text("sha256:1"),
            links: 7,
            upstream: text("crm"),
        },
    ]
}

#[test]
fn every_notice_is_canonical_and_read_again() {
    for notice in notices() {
        let lines = page(vec![Event::notice(notice.clone())]);
        let value = check(&lines[0]);
        assert_eq!(value["event"], notice.name());
        match Told::read(&value) {
            Some(Told::Notice(read)) => assert_eq!(*read, notice),
            other => panic!("{other:?}"),
        }
    }
    let lines = page(vec![Event::schema_learned(
        "crm",
        "sugar-rest",
        "sha256:1",
        120,
        7,
    )]);
    let value = check(&lines[0]);
    assert_eq!(
        (&value["fields"], &value["links"]),
        (&json!(120), &json!(7))
    );
}

/// A request of which everything is said that can be said.
fn whole() -> (Request, Terms) {
    let text = |text: &str| text.to_owned();
    let list = || vec![text("Contacts.iban_c"), text("Contacts.(1 unknown)")];
    let mut refs = Refs::default();
    refs.add("Contacts", Arc::from("c-1"));
    refs.add("Accounts", Arc::from("a\"1"));
    let request = Request {
        auth: Some(Auth {
            acr: Some(text("2")),
            age_seconds: 240,
            amr: vec![text("pwd")],
            method: "crm-session".into(),
            strengths: Vec::new(),
        }),
        caller: Some(Caller {
            id: text("9b1f"),
            kind: "human".into(),
            name: text("fanny"),
        }),
        counts: Counts::new(2, vec![(2, 3), (1, 0)]),
        dropped_masks: list(),
        flagged: list(),
        id: text("01KAPW3T9X6N"),
        node: String::new(),
        origin: Origin {
            ip: text("10.2.14.0/24"),
        },
        outcome: Some(brief::Outcome {
            kind: Outcome::Partial,
            milliseconds: 0,
            reason: Some("x".into()),
            status: Some(200),
            upstream_milliseconds: Some(0),
            would: Some("field-not-usable".into()),
        }),
        part_of: Some(text("01KAPW3T9X6M")),
        phase: Phase::Closed,
        prev: String::new(),
        records: Records {
            count: 2,
            refs,
            ..Records::default()
        },
        request: brief::Asked {
            action: Some("read".into()),
            dialect: "sugar-rest".into(),
            matched: list(),
            module: Some(text("Contacts")),
            route: Some(text("GET /x")),
            searched: Vec::new(),
            sorted: list(),
            trace: Some(text("4bf9")),
            upstream: text("crm"),
            written: list(),
        },
        seq: 0,
        terms: Stated::ById(String::new()),
        time: String::new(),
        v: 2,
    };
    (request, all_terms())
}

/// Terms of which everything is said that can be said.
fn all_terms() -> Terms {
    let text = |text: &str| text.to_owned();
    let list = || vec![text("Contacts.iban_c"), text("Contacts.(1 unknown)")];
    let entry = |category: Option<&str>| brief::Entry {
        by: vec![text("r")],
        category: category.map(str::to_owned),
        fields: list(),
        level: Level::Clear,
        would: Some(Level::Mask),
        would_by: vec![text("c")],
    };
    Terms {
        asked: list(),
        data: vec![entry(None), entry(Some("financial.iban"))],
        policy: Policy {
            hash: text("sha256:5d41"),
            mode: "enforce".into(),
            name: text("p"),
            schema: text("stock:sugar-rest"),
        },
        purpose: Some(crate::audit::format::Purpose {
            basis: text("contract"),
            chosen_by: "default".into(),
            id: text("sales"),
        }),
        roles: vec![text("finance")],
    }
}

#[test]
fn a_request_of_which_everything_is_said_is_canonical_and_read_again() {
    let (request, terms) = whole();
    let mut memory = memory::Memory::default();
    let spelled = memory.bare(&terms).unwrap();
    let lines = page(vec![Event::request(request.clone(), Some(spelled))]);
    let [definition, event] = [check(&lines[0]), check(&lines[1])];
    assert_eq!(definition["event"], "terms");
    assert_eq!(definition["id"], event["terms"]);
    assert!(
        Definition::<Terms>::deserialize(&definition)
            .unwrap()
            .is_sound()
    );
    let Some(Told::Brief(read)) = Told::read(&event) else {
        panic!("{event}")
    };
    assert_eq!(serde_json::to_string(&read).unwrap(), lines[1]);
    let full = read.in_full(&terms).unwrap();
    assert_eq!(full.data[0].in_text, 3);
    assert_eq!(full.records.refs, ["Accounts/a\"1", "Contacts/c-1"]);
    assert_eq!(full.caller.as_ref().unwrap().roles, ["finance"]);
    // In full, it is as version 1 wrote it: in order, and nothing left out.
    let text = serde_json::to_string(&full).unwrap();
    assert!(is_canonical(text.as_bytes()), "{text}");
    // It holds its terms itself where the segment holds too many.
    let here = Request {
        terms: Stated::Here(Box::new(terms.clone())),
        ..request
    };
    let value: Value = serde_json::from_str(&serde_json::to_string(&here).unwrap()).unwrap();
    assert_eq!(value["terms"], definition["terms"]);
    assert_eq!(Request::deserialize(&value).unwrap().terms, here.terms);
}

#[test]
fn every_outcome_is_read_in_both_versions_and_no_other() {
    let outcome = |kind: &str| json!({"kind": kind, "milliseconds": 1, "reason": null, "status": null, "upstream_milliseconds": null});
    for (kind, is_read) in [
        ("partial", true),
        ("challenged", true),
        ("not-found-by-policy", true),
        ("whatever", false),
    ] {
        let outcome = outcome(kind);
        let full = crate::audit::format::full::Outcome::deserialize(&outcome);
        assert_eq!(full.is_ok(), is_read, "{kind}");
        let brief = brief::Outcome::deserialize(&outcome);
        assert_eq!(brief.is_ok(), is_read, "{kind}");
    }
}
