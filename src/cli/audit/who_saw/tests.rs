//! What is told of a record, to the house and to the person.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::tests::run_in;

/// An event of a request of fanny, a person, or of an outside machine; or of one that was never closed.
fn event(seq: u64, caller: (&str, &str), phase: &str, level: &str) -> Value {
    let (name, kind) = caller;
    let mut event = json!({
        "auth": {"age_seconds": 1, "method": "crm-session"},
        "caller": {"id": format!("id-of-{name}"), "kind": kind, "name": name},
        "id": format!("01REQUEST{seq}"), "node": "n", "origin": {"ip": "10.2.14.0/24"},
        "phase": phase, "prev": "sha256:0",
        "records": {"count": 1, "refs": {"Contacts": ["c-1"], "Accounts": ["a-9"]}},
        "request": {"action": "read", "dialect": "sugar-rest", "module": "Contacts", "upstream": "crm"},
        "seq": seq, "time": format!("2026-11-28T10:0{seq}:00.000Z"), "v": 2,
        "terms": {
            "data": [
                {"by": ["r"], "category": "financial.iban", "fields": ["Contacts.iban_c"], "level": level},
                {"by": ["r"], "category": "special.health", "fields": ["Contacts.health_c"], "level": "hide"},
            ],
            "policy": {"hash": "sha256:1", "mode": "enforce", "name": "p", "schema": "sha256:2"},
            "purpose": {"basis": "contract", "chosen_by": "default", "id": "payment"},
            "roles": ["secret-role"],
        },
    });
    if phase == "closed" {
        event["outcome"] = json!({"kind": "partial", "milliseconds": 3, "status": 200});
    }
    event
}

/// The same with its keys in order, as events have them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<&String, Value> = entries
                .iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), value));
            Value::Object(entries.collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn log(dir: &Path) {
    let events = [
        event(1, ("fanny", "human"), "closed", "clear"),
        event(2, ("=acme-billing", "machine"), "closed", "mask"),
        event(3, ("fanny", "human"), "closed", "hide"),
        event(4, ("bob", "human"), "opened", "clear"),
    ];
    let lines: Vec<String> = events
        .iter()
        .map(|event| format!("{}\n", sorted(event)))
        .collect();
    fs::write(dir.join("audit-0000000000000001.jsonl"), lines.concat()).unwrap();
    fs::create_dir(dir.join("spool")).unwrap();
}

#[test]
fn the_house_reads_who_and_the_person_does_not() {
    let dir = TempDir::new().unwrap();
    log(dir.path());
    let (code, out, err) = run_in(dir.path(), "who-saw DIR Contacts/c-1");
    assert_eq!(code, 0, "{err}");
    for word in [
        "fanny",
        "secret-",
        "01REQUEST3",
        "up to everything",
        "financial: iban",
    ] {
        assert!(out.contains(word), "{word}\n{out}");
    }
    assert!(
        out.lines()
            .all(|line| line.trim_end().chars().count() <= 80),
        "{out}"
    );
    assert!(
        err.contains("never closed: 1") && err.contains("complete up to event 4"),
        "{err}"
    );
    for format in ["table", "csv", "json"] {
        let line = format!("who-saw DIR Contacts/c-1 --edition person --format {format}");
        let (_, out, _) = run_in(dir.path(), &line);
        for word in [
            "fanny",
            "bob",
            "secret-role",
            "10.2.14",
            "01REQUEST",
            "special.health",
        ] {
            assert!(!out.contains(word), "{word}\n{out}");
        }
        for word in ["2026-11-28", "payment", "acme-billing", "up to everything"] {
            assert!(out.contains(word), "{word}\n{out}");
        }
        assert!(format != "csv" || out.contains(",'=acme-billing,"), "{out}");
    }
}

#[test]
fn staff_is_named_where_that_was_decided_and_the_log_knows_why() {
    let dir = TempDir::new().unwrap();
    log(dir.path());
    let (_, out, _) = run_in(
        dir.path(),
        "who-saw DIR Contacts/c-1 --edition person --with-staff case-17",
    );
    assert!(
        out.contains("fanny") && !out.contains("secret-role"),
        "{out}"
    );
    let notes = fs::read_dir(dir.path().join("spool")).unwrap().flatten();
    let notes: Vec<String> = notes
        .map(|note| fs::read_to_string(note.path()).unwrap())
        .collect();
    assert!(notes.concat().contains("with-staff=case-17"), "{notes:?}");
    assert_eq!(
        run_in(dir.path(), "who-saw DIR Contacts/c-1 --with-staff case-17").0,
        2
    );
}

#[test]
fn records_of_the_same_replies_are_told_with_what_is_known_of_them() {
    let dir = TempDir::new().unwrap();
    log(dir.path());
    let (_, out, _) = run_in(
        dir.path(),
        "who-saw DIR Contacts/c-1 --linked --format json",
    );
    let linked = out.lines().find(|line| line.contains("a-9")).unwrap();
    let linked: Value = serde_json::from_str(linked).unwrap();
    assert_eq!(linked["linked"], "Accounts/a-9");
    assert_eq!(
        (&linked["replies"], &linked["only_record_of_its_module"]),
        (&json!(3), &json!(true))
    );
}

#[test]
fn a_decision_is_told_in_a_sentence() {
    let dir = TempDir::new().unwrap();
    log(dir.path());
    let (_, out, _) = run_in(dir.path(), "show DIR 01REQUEST1");
    assert!(
        out.starts_with("On 28 November 2026 at 10:01 (UTC) fanny (secret-role) read Contacts"),
        "{out}"
    );
    assert!(
        out.contains("the caller saw financial.iban in clear; hidden: special.health."),
        "{out}"
    );
    let (_, out, _) = run_in(dir.path(), "show DIR 01REQUEST4 --lang fr");
    assert!(out.contains("jusqu'à tout a pu être communiqué"), "{out}");
    let (_, out, _) = run_in(dir.path(), "tail DIR -n 1 caller=fanny");
    assert!(
        out.contains("01REQUEST3") && out.lines().count() == 1,
        "{out}"
    );
}

/// A log of these events.
fn log_of(dir: &Path, events: &[Value]) {
    let lines = events.iter().map(|event| format!("{}\n", sorted(event)));
    let text: String = lines.collect();
    fs::write(dir.join("audit-0000000000000001.jsonl"), text).unwrap();
    fs::create_dir(dir.join("spool")).unwrap();
}

#[test]
fn nobody_is_named_where_the_log_does_not_get_to_know_why() {
    let dir = TempDir::new().unwrap();
    log(dir.path());
    let asked = "who-saw DIR Contacts/c-1 --edition person --with-staff=";
    for (what, line) in [
        ("blank", asked.to_owned()),
        ("no spool", format!("{asked}case-17")),
    ] {
        if what == "no spool" {
            fs::remove_dir_all(dir.path().join("spool")).unwrap();
        }
        let (code, out, err) = run_in(dir.path(), &line);
        assert_eq!((code, out.as_str()), (2, ""), "{what}: {err}");
        assert!(
            err.contains("--with-staff") || err.contains("does not"),
            "{err}"
        );
    }
}

#[test]
fn outside_recipients_are_named_by_what_is_known_of_them() {
    let dir = TempDir::new().unwrap();
    let mut partner = event(1, ("paula", "human"), "closed", "clear");
    partner["terms"]["roles"] = json!(["partner"]);
    let mut nameless = event(2, ("", "machine"), "closed", "clear");
    nameless["caller"]["id"] = json!("erp-7");
    let mut nobody = event(3, ("x", "human"), "closed", "clear");
    nobody["caller"] = Value::Null;
    let staff = event(4, ("fanny", "human"), "closed", "clear");
    log_of(dir.path(), &[partner, nameless, nobody, staff]);
    let recipients = |words: &str| -> Vec<String> {
        let line = format!("who-saw DIR Contacts/c-1 --edition person --format json{words}");
        let (code, out, err) = run_in(dir.path(), &line);
        assert_eq!(code, 0, "{err}");
        let rows = out.lines().map(|line| serde_json::from_str(line).unwrap());
        rows.map(|row: Value| row["recipient"].as_str().unwrap().to_owned())
            .collect()
    };
    let staff = "staff of the organisation";
    assert_eq!(recipients(""), ["erp-7", staff, "unknown"]);
    assert_eq!(
        recipients(" --outside partner"),
        ["erp-7", "paula", staff, "unknown"]
    );
    let (_, _, err) = run_in(
        dir.path(),
        "who-saw DIR Contacts/c-1 --edition person --outside partners",
    );
    assert!(
        err.contains("no caller of these requests has the role `partners`"),
        "{err}"
    );
    let (code, ..) = run_in(dir.path(), "who-saw DIR Contacts/c-1 --outside partner");
    assert_eq!(code, 2);
}

#[test]
fn a_record_is_told_as_linked_through_another_only_where_that_is_known() {
    let dir = TempDir::new().unwrap();
    let mut listed = event(1, ("fanny", "human"), "closed", "clear");
    // Most records of the reply stand in events before it.
    listed["records"]["count"] = json!(1_801);
    log_of(dir.path(), &[listed]);
    for record in ["Contacts/c-1", "crm:Contacts/c-1"] {
        let line = format!("who-saw DIR {record} --linked --format json");
        let (code, out, err) = run_in(dir.path(), &line);
        assert_eq!(code, 0, "{err}");
        let linked: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|row| row.get("linked").is_some())
            .collect();
        assert_eq!(linked.len(), 1, "{out}");
        assert_eq!(linked[0]["linked"], "Accounts/a-9");
        assert_eq!(linked[0]["only_record_of_its_module"], false);
    }
    let line = "who-saw DIR Contacts/c-1 --linked --edition person";
    let (code, out, err) = run_in(dir.path(), line);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
}

#[test]
fn json_has_no_character_that_steers_a_terminal() {
    let dir = TempDir::new().unwrap();
    let hostile = event(1, ("a\u{202e}b\u{9b}31m", "human"), "closed", "clear");
    log_of(dir.path(), &[hostile]);
    for line in [
        "query DIR --format json",
        "show DIR 01REQUEST1 --json",
        "tail DIR --format json",
    ] {
        let (code, out, err) = run_in(dir.path(), line);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("a\\u202eb\\u009b31m"), "{line}: {out}");
        assert!(
            out.bytes()
                .all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte))
        );
        let told: Value = serde_json::from_str(out.trim()).unwrap();
        assert_eq!(told["caller"]["name"], "a\u{202e}b\u{9b}31m");
    }
}

#[test]
fn tail_says_what_cannot_be_read_as_the_other_questions_do() {
    let dir = TempDir::new().unwrap();
    log(dir.path());
    assert_eq!(run_in(dir.path(), "tail DIR").0, 0);
    let segment = dir.path().join("audit-0000000000000001.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("\"seq\":3", "\"seq\":3.5", 1)).unwrap();
    let (code, _, err) = run_in(dir.path(), "tail DIR");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("lines that are not events: 1"), "{err}");
}
