use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::policy::Source;

const POLICY: &str = r#"
policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  finance: { from: { crm.role: Finance }, default_purpose: payment }
auth: { strong: { acr: phr } }
purposes:
  contract: { legal_basis: contract, roles: [sales, finance] }
  payment: { legal_basis: contract, roles: finance }
classify:
  Contacts: { last_name: identity.name, iban_c: financial.iban, phone_work: contact.phone, description: free_text }
detectors: [{ name: d, in: free_text, find: [iban, card] }]
grants:
  - { name: names, roles: [sales, finance], data: [identity.name, free_text], level: clear }
  - { name: part, roles: [sales, finance], data: [financial.iban], level: mask }
  - { name: pay, roles: finance, purposes: payment, data: financial.iban, level: clear, requires: { auth: strong } }
"#;

fn compiled(text: &str) -> Policy {
    let source = Source {
        path: "p.yaml".to_owned(),
        text: text.to_owned(),
    };
    let schema = crate::dialect::usual().schema().clone();
    let (policy, found) = Policy::compile(&[source], &[schema], b"0123456789abcdef");
    policy.unwrap_or_else(|| panic!("{}", found.render(false)))
}

/// An event as the first version of the format has it.
fn event(seq: u64, caller: &str, roles: &[&str], purpose: &str, changes: &Value) -> Value {
    let mut event = json!({
        "auth": { "acr": null, "age_seconds": 1, "amr": [], "method": "crm-session" },
        "caller": { "id": caller, "kind": "human", "name": caller, "roles": roles },
        "data": [],
        "dropped_masks": [],
        "id": format!("id-{seq}"),
        "node": "n",
        "origin": { "ip": "10.0.0.0/24" },
        "outcome": { "kind": "partial", "milliseconds": 1, "reason": null, "status": 200, "upstream_milliseconds": 1 },
        "part_of": null,
        "phase": "closed",
        "policy": { "hash": "sha256:then", "mode": "enforce", "name": "p" },
        "prev": format!("sha256:{}", "0".repeat(64)),
        "purpose": { "basis": "contract", "chosen_by": "header", "id": purpose },
        "records": { "count": 2, "refs": [], "withheld": { "consent": 0, "retention": 0, "row": 0 } },
        "request": { "action": "list", "asked": [], "dialect": "d", "matched": [], "module": "Contacts", "route": "r", "sorted": [], "trace": null, "written": [] },
        "seq": seq,
        "time": format!("2026-11-2{seq}T09:00:00.000Z"),
        "v": 1
    });
    merge(&mut event, changes);
    event
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, Value> = map
                .iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            sorted
                .into_iter()
                .map(|(key, value)| (key.clone(), value))
                .collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn data(category: &str, field: &str, in_text: u64) -> Value {
    json!({ "by": ["x"], "category": category, "fields": [field], "in_text": in_text, "level": "mask", "records": 2 })
}

fn shown(field: &str) -> Value {
    json!({ "data": [data("c", field, 0)] })
}

/// What comes of a log of these events under the policy and another one.
fn replayed(events: &[Value], other: &str) -> Replay {
    let dir = TempDir::new().unwrap();
    let text: String = events
        .iter()
        .map(|event| format!("{}\n", sorted(event)))
        .collect();
    std::fs::write(dir.path().join("audit-0000000000000001.jsonl"), text).unwrap();
    let query = Query::parse([], Timestamp::now()).unwrap();
    let policies = [&compiled(POLICY), &compiled(other)];
    let replay = replay(dir.path(), &query, policies, &mut || {}).unwrap();
    assert_eq!((replay.accesses, replay.damaged), (events.len() as u64, 0));
    replay
}

#[test]
fn accesses_that_would_show_more_are_counted_with_their_callers() {
    let events = [
        event(
            1,
            "ada",
            &["sales"],
            "contract",
            &shown("Contacts.last_name"),
        ),
        event(2, "ada", &["sales"], "contract", &shown("Contacts.iban_c")),
        event(3, "bob", &["finance"], "payment", &shown("Contacts.iban_c")),
        event(4, "ada", &["sales"], "contract", &shown("Contacts.iban_c")),
    ];
    let other = POLICY.replace(
        "data: [financial.iban], level: mask",
        "data: [financial.iban], level: clear",
    );
    let replay = replayed(&events, &other);
    assert_eq!((replay.more, replay.callers, replay.records), (3, 2, 6));
    assert_eq!(
        replay.first,
        Some(("2026-11-22T09:00:00.000Z".to_owned(), "id-2".to_owned()))
    );
    assert!(replay.undecided.is_empty());
    assert_eq!(
        replay.render(Some("30d")),
        "replay since 30d (4 accesses): 3 would have shown more, to 2 callers, in replies with 6 records; the first at 2026-11-22T09:00:00.000Z (id-2)\n"
    );
    assert_eq!(replayed(&events, POLICY).more, 0);
}

#[test]
fn strengths_count_by_name_where_both_policies_mean_the_same() {
    let strong =
        json!({ "auth": { "strengths": ["strong"] }, "data": [data("c", "Contacts.iban_c", 0)] });
    let events = [
        event(1, "bob", &["finance"], "payment", &strong),
        event(2, "bob", &["finance"], "payment", &shown("Contacts.iban_c")),
    ];
    let dropped = POLICY.replace(", requires: { auth: strong }", "");
    let replay = replayed(&events, &dropped);
    assert_eq!(
        (replay.more, replay.first.unwrap().1),
        (1, "id-2".to_owned())
    );
    let looser = POLICY.replace("acr: phr", "acr: [phr, pwd]");
    let replay = replayed(&events, &looser);
    assert_eq!(
        (replay.more, replay.undecided.values().sum::<u64>()),
        (0, 1)
    );
}

#[test]
fn what_was_refused_and_would_pass_is_more() {
    let refused = json!({
        "outcome": { "kind": "denied", "reason": "field-not-usable", "status": 403 },
        "request": { "matched": ["Contacts.iban_c"] },
        "records": { "count": 0 },
    });
    let events = [event(1, "ada", &["sales"], "contract", &refused)];
    let other = POLICY.replace(
        "data: [financial.iban], level: mask",
        "data: [financial.iban], level: clear",
    );
    assert_eq!(replayed(&events, &other).more, 1);
    assert_eq!(replayed(&events, POLICY).more, 0);
    // A purpose that the role may ask for now.
    let refused = json!({
        "outcome": { "kind": "denied", "reason": "purpose-not-allowed", "status": 403 },
        "request": { "asked": ["Contacts.last_name"] },
    });
    let events = [event(1, "ada", &["sales"], "payment", &refused)];
    let other = POLICY.replace(
        "roles: finance }\nclassify",
        "roles: [finance, sales] }\nclassify",
    );
    assert_eq!(replayed(&events, &other).more, 1);
}

#[test]
fn what_stands_in_texts_is_more_where_the_log_says_that_it_was_found() {
    let found = json!({ "data": [data("free_text", "Contacts.description", 0), data("financial.iban", "Contacts.description", 1)] });
    let events = [
        event(1, "ada", &["sales"], "contract", &found),
        event(
            2,
            "ada",
            &["sales"],
            "contract",
            &shown("Contacts.description"),
        ),
    ];
    let other = POLICY.replace("find: [iban, card]", "find: [card]");
    let replay = replayed(&events, &other);
    assert_eq!(
        (replay.more, replay.undecided.values().sum::<u64>()),
        (1, 1)
    );
    // Under the policy that looked for it, there was none.
    let hash = compiled(POLICY).hash().to_owned();
    let looked =
        json!({ "data": [data("c", "Contacts.description", 0)], "policy": { "hash": hash } });
    let events = [event(1, "ada", &["sales"], "contract", &looked)];
    let replay = replayed(&events, &other);
    assert_eq!((replay.more, replay.undecided.len()), (0, 0));
}

#[test]
fn what_the_log_does_not_tell_is_counted() {
    let events = [
        event(1, "ada", &["sales"], "contract", &shown("Contacts.iban_c")),
        event(2, "eve", &["guest"], "contract", &shown("Contacts.iban_c")),
        event(
            3,
            "ada",
            &["sales"],
            "contract",
            &shown("Contacts.(2 unknown)"),
        ),
    ];
    let other = POLICY.replace("crm.role: Sales", "crm.role: Vendors");
    let replay = replayed(&events, &other);
    assert_eq!(
        (replay.more, replay.undecided.values().sum::<u64>()),
        (0, 3)
    );
    let other = POLICY.replace("phone_work: contact.phone,", "\"*phone*\": contact.phone,");
    let replay = replayed(&events, &other);
    assert_eq!(replay.undecided.values().sum::<u64>(), 2, "{replay:?}");
}

#[test]
fn roles_that_only_the_new_policy_counts_leave_it_open() {
    let events = [event(
        1,
        "ada",
        &["sales"],
        "contract",
        &shown("Contacts.iban_c"),
    )];
    let grant = "  - { name: more, roles: auditor, data: financial.iban, level: clear }\n";
    let added = format!("{POLICY}{grant}").replace(
        "default_purpose: payment }\nauth",
        "default_purpose: payment }\n  auditor: { from: { crm.role: Auditor }, default_purpose: contract }\nauth",
    );
    // A role that may not ask for the purpose of the request does not count.
    let idle = added.replace(
        "roles: finance }\nclassify",
        "roles: [finance, auditor] }\nclassify",
    );
    let idle = idle.replace(
        "Auditor }, default_purpose: contract",
        "Auditor }, default_purpose: payment",
    );
    let counts = added.replace(
        "roles: [sales, finance] }\n  payment",
        "roles: [sales, finance, auditor] }\n  payment",
    );
    let undecided = |other: &str| {
        let replay = replayed(&events, other);
        assert_eq!(replay.more, 0);
        replay.undecided.values().sum::<u64>()
    };
    assert_eq!((undecided(&idle), undecided(&counts)), (0, 1));
    // One that there was may ask for the purpose now.
    let old_finance = event(2, "bob", &["sales"], "special", &shown("Contacts.iban_c"));
    let with = |roles: &str| {
        let purpose = format!("  special: {{ legal_basis: contract, roles: {roles} }}\nclassify");
        compiled(&POLICY.replace("classify", &purpose))
    };
    let access = access_of(&old_finance);
    let [old, new] = [with("[sales]"), with("[sales, finance]")];
    assert!(matches!(
        old.replayed(&new, &access),
        Replayed::Undecided(_)
    ));
    assert_eq!(old.replayed(&old, &access), Replayed::NotMore);
}

fn access_of(event: &Value) -> Access {
    Access {
        roles: vec![
            event["caller"]["roles"][0]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        ],
        purpose: event["purpose"]["id"].as_str().map(str::to_owned),
        is_stated: true,
        fields: vec![AccessField {
            name: "Contacts.iban_c".to_owned(),
            found: Vec::new(),
        }],
        ..Access::default()
    }
}

#[test]
fn a_refusal_that_the_old_policy_does_not_explain_is_left_open() {
    let refused = json!({
        "outcome": { "kind": "denied", "reason": "field-not-usable", "status": 403 },
        "request": { "matched": ["Contacts.last_name"] },
        "records": { "count": 0 },
    });
    let events = [event(1, "ada", &["sales"], "contract", &refused)];
    let replay = replayed(&events, POLICY);
    assert_eq!(
        (replay.more, replay.undecided.values().sum::<u64>()),
        (0, 1)
    );
}

#[test]
fn lines_that_are_no_events_are_counted() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("audit-0000000000000001.jsonl"), "{}\n").unwrap();
    let query = Query::parse([], Timestamp::now()).unwrap();
    let policy = compiled(POLICY);
    let replay = replay(dir.path(), &query, [&policy, &policy], &mut || {}).unwrap();
    assert_eq!(replay.damaged, 1);
}
