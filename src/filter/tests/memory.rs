//! What filters leave to each other saves work, and changes nothing: not within one policy, not between two.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use crate::dialect::{Bounds, Dialect, Incoming, Session, Shape, Understood, by_name};
use crate::filter::{Asked, Filter, Memory, RecordRef, Report};
use crate::identity::Caller;
use crate::policy::{Decision, Plan, Policy, Source};

use super::LIMITS;

/// A policy under which a caller reads one of two fields of contacts, and accounts by their names.
fn policy(shown: &str, level: &str) -> Policy {
    let text = format!(
        "policy: p\nroles: {{ r: {{ from: {{ crm.role: Sales }}, default_purpose: w }} }}\n\
         purposes: {{ w: {{ legal_basis: contract, roles: [r] }} }}\n\
         classify:\n  \"*\": {{ id: technical.id, name: technical.id }}\n  \
         Contacts: {{ title: work.position, department: contact.phone }}\n  Accounts: {{ name: technical.id }}\n\
         grants:\n  - {{ name: base, roles: r, data: technical, level: clear }}\n  \
         - {{ name: some, roles: r, data: {shown}, level: {level} }}\n"
    );
    let source = Source {
        path: "p.yaml".to_owned(),
        text,
    };
    let dialect = by_name("sugar-rest").unwrap();
    let (policy, found) = Policy::compile(
        &[source],
        &[dialect.schema().clone()],
        b"a key of this test",
    );
    policy.unwrap_or_else(|| panic!("{}", found.render(false)))
}

/// What a caller of that policy may have of a page of contacts, and where it lies.
fn terms(policy: &Policy) -> (Plan, Shape) {
    let dialect: Arc<dyn Dialect> = by_name("sugar-rest").unwrap();
    let incoming = Incoming {
        method: &http::Method::GET,
        path: "/rest/v11_24/Contacts",
        query: None,
        accept: None,
        content_type: None,
        controls: &[],
        body: b"",
    };
    let bounds = Bounds {
        page_max: 100,
        bulk_parts_max: 1,
        depth_max: 16,
    };
    let Ok(Understood::One(exchange)) = dialect.understand(&incoming, &bounds) else {
        panic!("not understood");
    };
    let session = Session {
        id: Ipv4Addr::LOCALHOST.to_string(),
        name: "ada".to_owned(),
        kind: "user".to_owned(),
        roles: vec!["Sales".to_owned()],
        teams: Vec::new(),
    };
    let caller = Caller::from_session(session, Duration::ZERO);
    match policy.decide(&caller, None, exchange.operation()) {
        Decision::Permit(plan) => (plan, exchange.answer().shape),
        Decision::Deny(denial) => panic!("{:?}", denial.reason),
    }
}

/// Replies with the same modules and much the same fields, in other orders, some of which nobody knows.
const REPLIES: [&str; 4] = [
    r#"{"next_offset":-1,"records":[{"id":"c-1","title":"T","department":"D","odd_c":"O"},{"id":"c-2","title":"U"}]}"#,
    r#"{"next_offset":-1,"records":[{"department":"E","odd_c":"P","id":"c-3","title":"V"}]}"#,
    r#"{"next_offset":-1,"records":[{"id":"c-4","accounts":{"records":[{"id":"a-1","name":"N","title":"W"}]},"title":"X"}]}"#,
    r#"{"next_offset":-1,"records":[{"ODD_C":"Q","other_c":1,"id":"c-5","title":"Y","department":"F"}]}"#,
];

/// All that comes of a reply.
type Outcome = (
    String,
    Vec<RecordRef>,
    Vec<(String, String, u64)>,
    usize,
    bool,
);

fn outcome((plan, shape): &(Plan, Shape), text: &str, memory: &Memory) -> Outcome {
    let mut filter = Filter::new(plan, shape, Asked::default(), LIMITS, memory);
    let mut out = Vec::new();
    filter.push(text.as_bytes(), &mut out).unwrap();
    let report: Report = filter.finish(&mut out).unwrap();
    let counts = report.fields.iter().map(|(path, count)| {
        let level = count.rule.level.as_str().to_owned();
        (path.to_string(), level, count.records)
    });
    (
        String::from_utf8(out).unwrap(),
        report.refs.clone(),
        counts.collect(),
        report.fields.shown_less(),
        report.fields.set().has_unclassified(),
    )
}

fn alone(terms: &(Plan, Shape)) -> Vec<Outcome> {
    let each = REPLIES.iter();
    each.map(|text| outcome(terms, text, &Memory::new()))
        .collect()
}

#[test]
fn two_policies_in_one_process_answer_as_each_does_alone() {
    let (one, other) = (
        policy("work.position", "clear"),
        policy("contact.phone", "mask"),
    );
    let (one, other) = (terms(&one), terms(&other));
    let expected = (alone(&one), alone(&other));
    assert!(expected.0[0].0.contains("\"T\"") && !expected.0[0].0.contains("\"D\""));
    assert!(!expected.1[0].0.contains("\"T\""), "{}", expected.1[0].0);
    let memories = (Memory::new(), Memory::new());
    for round in 0..3 {
        for (at, text) in REPLIES.iter().enumerate() {
            // In every round another reply of the other policy has come before.
            let other_at = (at + round) % REPLIES.len();
            let shown = outcome(&one, text, &memories.0);
            assert_eq!(shown, expected.0[at], "round {round}");
            let shown = outcome(&other, REPLIES[other_at], &memories.1);
            assert_eq!(shown, expected.1[other_at], "round {round}");
        }
    }
}

#[test]
fn a_memory_that_is_given_plans_of_several_policies_mixes_nothing() {
    let memory = Memory::new();
    let kept = policy("work.position", "clear");
    let kept = terms(&kept);
    let expected = alone(&kept);
    for round in 0..24 {
        // It is dropped at the end of the round, and the next one may come to lie where it lay.
        let passing = match round % 3 {
            0 => policy("contact.phone", "clear"),
            1 => policy("work.position", "redact"),
            _ => policy("[work, contact]", "clear"),
        };
        let passing = terms(&passing);
        let passing_expected = alone(&passing);
        for (at, text) in REPLIES.iter().enumerate() {
            let shown = outcome(&passing, text, &memory);
            assert_eq!(shown, passing_expected[at], "round {round}");
            let shown = outcome(&kept, text, &memory);
            assert_eq!(shown, expected[at], "round {round}");
        }
    }
}

#[test]
fn what_a_memory_holds_is_bounded_and_shown_to_nobody() {
    let memory = Memory::new();
    for _ in 0..40 {
        let passing = policy("work.position", "clear");
        let terms = terms(&passing);
        REPLIES.iter().for_each(|text| {
            outcome(&terms, text, &memory);
        });
    }
    let (books, sets) = memory.held();
    assert!((1..=16).contains(&books), "one thread keeps {books}");
    assert!((1..=64).contains(&sets), "one thread keeps {sets}");
    assert_eq!(format!("{memory:?}"), "Memory { .. }");
}
