//! Reports over logs that were written for them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::policy::{Policy, Source};

use super::forms::{csv, json as to_json, page, terminal};
use super::*;

mod counting;

/// A log as the first version wrote it. Readers do not verify it, so nothing is bound to anything.
#[derive(Default)]
struct Lines(Vec<Value>);

impl Lines {
    /// Adds an event at a time; returns its place.
    fn add(&mut self, time: &str, mut event: Value) -> &mut Self {
        let seq = self.0.len() + 1;
        event["seq"] = seq.into();
        event["time"] = time.into();
        event["node"] = "par".into();
        event["v"] = 1.into();
        event["prev"] = "sha256:0".into();
        if event["id"].is_null() {
            event["id"] = format!("id-{seq}").into();
        }
        self.0.push(event);
        self
    }

    /// A request of a caller in a role: what was done to which records, at which levels.
    fn request(&mut self, time: &str, caller: &str, role: &str, change: Value) -> &mut Self {
        let mut event = json!({
            "auth": null,
            "caller": { "id": format!("i-{caller}"), "kind": "human", "name": caller, "roles": [role] },
            "data": [], "dropped_masks": [], "origin": { "ip": "10.0.0.0/24" },
            "outcome": { "kind": "full", "milliseconds": 1, "reason": null, "status": 200, "upstream_milliseconds": 1 },
            "part_of": null, "phase": "closed",
            "policy": { "hash": "sha256:5d", "mode": "enforce", "name": "p" },
            "purpose": { "basis": "contract", "chosen_by": "default", "id": "contract" },
            "records": { "count": 0, "refs": [], "withheld": { "consent": 0, "retention": 0, "row": 0 } },
            "request": { "action": "list", "asked": [], "dialect": "d", "matched": [], "module": "M", "route": null,
                         "sorted": [], "trace": null, "written": [] },
        });
        merge(&mut event, &change);
        self.add(time, event)
    }

    /// What categories fields have.
    fn policy(&mut self, time: &str, classes: &[(&str, &str)]) -> &mut Self {
        let classes = classes
            .iter()
            .map(|(category, field)| json!({ "categories": [category], "fields": [field] }));
        let classes: Vec<Value> = classes.collect();
        let event = json!({ "event": "policy.loaded", "hash": "sha256:5d", "name": "p", "classified": classes });
        self.add(time, event)
    }

    fn write(&self, dir: &Path) {
        let lines: Vec<String> = self
            .0
            .iter()
            .map(|event| format!("{}\n", sorted(event)))
            .collect();
        fs::write(dir.join("audit-0000000000000001.jsonl"), lines.concat()).unwrap();
    }
}

/// The same with its keys in order, as canonical JSON has them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<&String, Value> = map
                .iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            Value::Object(
                map.into_iter()
                    .map(|(key, value)| (key.clone(), value))
                    .collect(),
            )
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn merge(event: &mut Value, change: &Value) {
    match change.as_object() {
        Some(map) if event.is_object() => map
            .iter()
            .for_each(|(key, value)| merge(&mut event[key], value)),
        _ => *event = change.clone(),
    }
}

/// Records of a module that were disclosed, with data at a level.
fn shown(refs: &[&str], category: Option<&str>, field: &str, level: &str) -> Value {
    json!({
        "records": { "count": refs.len(), "refs": refs },
        "data": [{ "by": ["r"], "category": category, "fields": [field], "in_text": 0, "level": level, "records": refs.len() }],
    })
}

fn asked(name: Name) -> Asked<'static> {
    Asked {
        name,
        period: Period::default(),
        language: Language::English,
        caller: None,
        category: None,
        persons: Vec::new(),
        policy: None,
        controller: None,
        dpo: None,
    }
}

fn made(lines: &Lines, asked: &Asked<'_>) -> Report {
    let dir = TempDir::new().unwrap();
    lines.write(dir.path());
    make(dir.path(), asked, &mut |_| ()).unwrap()
}

fn told(lines: &Lines, asked: &Asked<'_>) -> Value {
    to_json(&made(lines, asked))
}

fn rows<'v>(told: &'v Value, table: &str) -> &'v [Value] {
    told["tables"][table]["rows"].as_array().unwrap()
}

#[test]
fn a_breach_counts_persons_records_and_what_was_never_closed() {
    let mut lines = Lines::default();
    lines.policy(
        "2026-03-01T00:00:00.000Z",
        &[("identity.name", "M.name"), ("financial.iban", "M.iban")],
    );
    let iban = |refs: &[&str]| shown(refs, Some("financial.iban"), "M.iban", "clear");
    lines
        .request(
            "2026-03-01T08:00:00.000Z",
            "eve",
            "sales",
            iban(&["M/1", "M/0"]),
        )
        .request(
            "2026-03-02T08:00:00.000Z",
            "eve",
            "sales",
            iban(&["M/1", "M/2"]),
        )
        .request(
            "2026-03-02T09:00:00.000Z",
            "bob",
            "sales",
            iban(&["M/7", "M/8"]),
        )
        .request(
            "2026-03-02T10:00:00.000Z",
            "eve",
            "sales",
            iban(&["M/2", "M/3"]),
        )
        .request(
            "2026-03-02T11:00:00.000Z",
            "eve",
            "sales",
            shown(&["O/1"], Some("commercial.figures"), "O.sum", "mask"),
        )
        .request(
            "2026-03-02T12:00:00.000Z",
            "eve",
            "sales",
            shown(&["O/1"], Some("special.health"), "O.ill", "hide"),
        );
    let mut asked = asked(Name::BreachScope);
    asked.caller = Some("eve".to_owned());
    asked.period.since = Some("2026-03-02T00:00:00.000Z".to_owned());
    let report = told(&lines, &asked);
    let figures = &report["figures"];
    assert_eq!(figures["persons"], 3, "{report:#}");
    assert_eq!(figures["different"], 4);
    assert_eq!(figures["requests"], 4);
    assert_eq!(figures["first"], "2026-03-02T08:00:00.000Z");
    assert_eq!(figures["last"], "2026-03-02T12:00:00.000Z");
    let categories = rows(&report, "categories");
    assert_eq!(categories.len(), 2, "what was hidden was not reached");
    assert_eq!(categories[0]["category"], "financial.iban");
    assert_eq!(
        (&categories[0]["different"], &categories[0]["disclosures"]),
        (&json!(3), &json!(4))
    );
}

#[test]
fn a_breach_is_up_to_everything_where_a_request_was_never_closed() {
    let mut lines = Lines::default();
    lines.policy("2026-03-01T00:00:00.000Z", &[("identity.name", "M.name")]);
    let iban = shown(
        &["M/1", "M/2", "M/3"],
        Some("financial.iban"),
        "M.iban",
        "clear",
    );
    lines.request("2026-03-02T08:00:00.000Z", "eve", "sales", iban);
    let other = shown(&["O/1"], Some("commercial.figures"), "O.sum", "mask");
    lines.request("2026-03-02T11:00:00.000Z", "eve", "sales", other);
    let mut asked = asked(Name::BreachScope);
    asked.caller = Some("eve".to_owned());
    // One of two that were opened is closed: the other one is up to everything.
    let opened = json!({ "id": "o-1", "phase": "opened", "outcome": null });
    lines
        .request("2026-03-03T08:00:00.000Z", "eve", "sales", opened.clone())
        .request(
            "2026-03-03T08:00:01.000Z",
            "eve",
            "sales",
            json!({ "id": "o-1" }),
        );
    let report = told(&lines, &asked);
    assert_eq!(
        (
            &report["figures"]["unclosed"],
            &report["figures"]["persons"]
        ),
        (&json!(0), &json!(3))
    );
    lines.request("2026-03-03T09:00:00.000Z", "eve", "sales", json!({ "id": "o-2", "phase": "opened", "outcome": null,
        "data": [{ "by": ["r"], "category": "financial.iban", "fields": ["M.iban"], "in_text": 0, "level": "clear", "records": 0 }] }));
    let report = told(&lines, &asked);
    assert_eq!(report["figures"]["unclosed"], 1);
    assert_eq!(report["figures"]["persons"], json!({ "at_least": 3 }));
    assert_eq!(
        rows(&report, "unclosed")[0]["categories"],
        "IBAN (financial.iban): in clear"
    );
    let findings = report["findings"].to_string();
    assert!(
        findings.contains("1 request was opened and never closed"),
        "{findings}"
    );

    // Persons as somebody states them; an account that is not there.
    asked.persons = vec!["O".to_owned()];
    assert_eq!(
        told(&lines, &asked)["figures"]["persons"],
        json!({ "at_least": 1 })
    );
    asked.caller = Some("nobody".to_owned());
    let findings = told(&lines, &asked)["findings"].to_string();
    assert!(
        findings.contains("No request of an account with the id or name nobody"),
        "{findings}"
    );
}

#[test]
fn records_of_a_reply_in_parts_are_counted_by_kind_and_at_most_by_category() {
    let mut lines = Lines::default();
    let part = |id: &str| json!({ "id": "big", "phase": "continued", "outcome": null, "records": { "count": 1, "refs": [id] } });
    lines
        .request("2026-03-02T08:00:00.000Z", "eve", "sales", part("crm:M/1"))
        .request("2026-03-02T08:00:01.000Z", "eve", "sales", part("crm:M/2"));
    let mut closed = shown(&["crm:M/3"], Some("identity.name"), "M.name", "clear");
    closed["records"]["count"] = 3.into();
    closed["data"][0]["records"] = 3.into();
    closed["id"] = "big".into();
    lines.request("2026-03-02T08:00:02.000Z", "eve", "sales", closed);
    let mut asked = asked(Name::BreachScope);
    asked.caller = Some("i-eve".to_owned());
    let report = told(&lines, &asked);
    assert_eq!(
        (
            &report["figures"]["persons"],
            &report["figures"]["requests"]
        ),
        (&json!(3), &json!(1))
    );
    assert_eq!(rows(&report, "categories")[0]["different"], 3);
}

#[test]
fn whoever_filtered_by_bank_data_is_found() {
    let mut lines = Lines::default();
    lines.policy(
        "2026-03-01T00:00:00.000Z",
        &[("financial.iban", "M.*iban*"), ("work.position", "M.job")],
    );
    let refused = |field: &str| {
        json!({
            "outcome": { "kind": "denied", "reason": "field-not-usable" }, "request": { "matched": [field] },
        })
    };
    lines
        .request(
            "2026-03-02T08:00:00.000Z",
            "eve",
            "sales",
            refused("M.old_iban_2"),
        )
        .request(
            "2026-03-02T08:10:00.000Z",
            "eve",
            "sales",
            refused("M.iban"),
        )
        .request(
            "2026-03-02T10:10:00.000Z",
            "eve",
            "sales",
            refused("M.iban"),
        )
        .request("2026-03-02T10:10:00.000Z", "bob", "sales", refused("M.job"))
        .request(
            "2026-03-02T10:11:00.000Z",
            "bob",
            "sales",
            json!({ "request": { "matched": ["M.iban"] } }),
        );
    let report = told(&lines, &asked(Name::Probes));
    let predicates = rows(&report, "predicates");
    assert_eq!(predicates.len(), 2);
    assert_eq!(
        (&predicates[0]["account"], &predicates[0]["category"]),
        (&json!("eve"), &json!("financial.iban"))
    );
    assert_eq!(
        (&predicates[0]["filters"], &predicates[0]["within_an_hour"]),
        (&json!(3), &json!(2))
    );
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0]
            .as_str()
            .unwrap()
            .starts_with("eve tried 3 times to filter or sort by IBAN")
    );

    let report = told(&lines, &asked(Name::Denials));
    assert_eq!(report["figures"]["refused"], 4);
    assert_eq!(rows(&report, "reasons")[0]["accounts"], 2);
    assert_eq!(rows(&report, "refused")[0]["what"], "M.iban");
}

/// Forty days of two accounts, each with so many records a day; then a day.
fn forty_days(on_the_last: [u64; 2]) -> Lines {
    let mut lines = Lines::default();
    let first: jiff::civil::Date = "2026-01-01".parse().unwrap();
    let disclosed = |count: u64| json!({ "records": { "count": count } });
    for day in 0..40 {
        let date = first.checked_add(jiff::Span::new().days(day)).unwrap();
        for (number, account) in ["ann", "bob"].into_iter().enumerate() {
            let count = if day == 39 { on_the_last[number] } else { 20 };
            lines.request(
                &format!("{date}T09:00:00.000Z"),
                account,
                "sales",
                disclosed(count),
            );
        }
    }
    lines
}

#[test]
fn a_day_differs_with_its_reason_or_not_at_all() {
    let days = |on_the_last| {
        let report = told(&forty_days(on_the_last), &asked(Name::Unusual));
        rows(&report, "days").to_vec()
    };
    // Five times both medians, and a hundred at least.
    let found = days([100, 20]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["account"], &found[0]["day"]),
        (&json!("ann"), &json!("2026-02-09"))
    );
    assert_eq!(
        found[0]["reason"],
        "100: the median of its 30 active days of the 30 before is 20, the most 20; the median of 30 days of others with the same roles is 20"
    );
    assert!(days([99, 20]).is_empty());
    assert_eq!(
        days([100, 100]).len(),
        2,
        "the day itself is not compared with itself"
    );

    // A category that it had not seen in clear.
    let mut lines = forty_days([20, 20]);
    let health = shown(&["M/1"], Some("special.health"), "M.ill", "clear");
    lines.request("2026-02-09T10:00:00.000Z", "ann", "sales", health);
    let report = told(&lines, &asked(Name::Unusual));
    let reason = rows(&report, "days")[0]["reason"].to_string();
    assert!(
        reason.contains("nobody else with the same roles did"),
        "{reason}"
    );

    // Only days of the period are listed; those before it are compared with.
    let mut later = asked(Name::Unusual);
    later.period.since = Some("2026-02-10T00:00:00.000Z".to_owned());
    assert!(rows(&told(&forty_days([100, 20]), &later), "days").is_empty());
    later.period.since = Some("2026-02-09T00:00:00.000Z".to_owned());
    assert_eq!(rows(&told(&forty_days([100, 20]), &later), "days").len(), 1);
}

#[test]
fn accounts_stand_beside_their_peers() {
    let mut lines = Lines::default();
    for (account, role, count) in [
        ("a", "sales", 10),
        ("b", "sales", 20),
        ("c", "sales", 50),
        ("d", "finance", 7),
    ] {
        lines.request(
            "2026-03-02T08:00:00.000Z",
            account,
            role,
            json!({ "records": { "count": count, "refs": ["M/1"] } }),
        );
    }
    let report = told(&lines, &asked(Name::TopReaders));
    let found: Vec<(&Value, &Value, &Value)> = rows(&report, "accounts")
        .iter()
        .map(|row| (&row["account"], &row["times_median"], &row["different"]))
        .collect();
    let one = json!(1);
    assert_eq!(
        found,
        [
            (&json!("c"), &json!("2.5"), &one),
            (&json!("b"), &json!("1.0"), &one),
            (&json!("a"), &json!("0.5"), &one),
            (&json!("d"), &Value::Null, &one),
        ]
    );
}

fn policy() -> Policy {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/policies/starter/starter.yaml"
    ))
    .unwrap();
    let sources = [Source {
        path: "starter.yaml".to_owned(),
        text,
    }];
    let schemas: Vec<_> = crate::dialect::NAMES
        .iter()
        .filter_map(|name| crate::dialect::by_name(name))
        .map(|dialect| dialect.schema().clone())
        .collect();
    Policy::compile(&sources, &schemas, b"0123456789abcdef0123456789abcdef")
        .0
        .unwrap()
}

#[test]
fn what_is_declared_is_held_against_what_was_observed() {
    let policy = policy();
    let purpose = policy.purposes().next().unwrap().to_string();
    let column = policy
        .columns()
        .into_iter()
        .find(|column| column.purpose.as_str() == purpose)
        .unwrap();
    let role = column.role.to_string();
    let mut lines = Lines::default();
    let mut health = shown(&["M/1"], Some("special.health"), "M.ill", "clear");
    health["purpose"]["id"] = purpose.clone().into();
    let mut other = shown(&["M/1"], Some("identity.name"), "M.name", "clear");
    other["purpose"]["id"] = "sale-of-data".into();
    lines
        .request("2026-03-02T08:00:00.000Z", "eve", &role, health)
        .request("2026-03-02T08:00:00.000Z", "eve", &role, other);
    let mut asked = asked(Name::Register);
    asked.policy = Some(&policy);
    asked.dpo = Some("=dpo".to_owned());
    let report = made(&lines, &asked);
    let read = to_json(&report);
    let found: Vec<(&str, &str)> = rows(&read, "differences")
        .iter()
        .map(|row| {
            (
                row["purpose"].as_str().unwrap(),
                row["finding"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(
        found.contains(&(purpose.as_str(), "shown beyond what is declared")),
        "{found:?}"
    );
    assert!(
        found.contains(&("sale-of-data", "used and not declared in this policy")),
        "{found:?}"
    );
    let idle = policy
        .purposes()
        .filter(|one| one.as_str() != purpose)
        .count();
    let never = found
        .iter()
        .filter(|(_, finding)| finding.starts_with("declared and never used"))
        .count();
    assert_eq!(never, idle);
    // Lines with findings stand first, and each says its source.
    let (text, _) = csv(&report, None).unwrap();
    let head = text.lines().next().unwrap();
    assert!(
        head.starts_with("Declared or observed,Finding,Name of the processing,No. / ref."),
        "{head}"
    );
    assert!(
        text.contains("[to be filled in: controller: give --controller]") && text.contains("'=dpo"),
        "{text}"
    );
    let sources = rows(&read, "register")
        .iter()
        .filter(|row| row["source"] == "observed")
        .count();
    assert_eq!(sources, 2);
}

#[test]
fn what_is_granted_is_held_against_what_was_used() {
    let policy = policy();
    let name = crate::vocabulary::Category::new("identity.name");
    let columns = policy.columns();
    let mut clear = columns
        .iter()
        .filter(|column| column.sight.category(&name).level == crate::vocabulary::Level::Clear);
    let role = clear.next().unwrap().role.to_string();
    let mut lines = Lines::default();
    for (category, field) in [("special.health", "M.ill"), ("identity.name", "M.name")] {
        let data = shown(&["M/1"], Some(category), field, "clear");
        lines.request("2026-03-02T08:00:00.000Z", "eve", &role, data);
    }
    let mut asked = asked(Name::AccessReview);
    asked.policy = Some(&policy);
    let read = told(&lines, &asked);
    let beyond = rows(&read, "beyond");
    assert_eq!(
        (&beyond[0]["category"], &beyond[0]["level"]),
        (&json!("special.health"), &json!("clear"))
    );
    let grants = rows(&read, "grants");
    let used: Vec<&Value> = grants.iter().filter(|row| row["state"] == "used").collect();
    assert_eq!(used.len(), 1, "{used:?}");
    assert_eq!(
        (&used[0]["role"], &used[0]["category"]),
        (&json!(role), &json!("identity.name"))
    );
    assert!(
        read["findings"]
            .to_string()
            .contains("too little to say what was not used for 90 days")
    );
}

#[test]
fn a_category_that_cannot_exist_is_an_error_with_a_suggestion() {
    let mut lines = Lines::default();
    lines.policy("2026-03-01T00:00:00.000Z", &[("own.secret", "M.x")]);
    lines.request(
        "2026-03-02T08:00:00.000Z",
        "eve",
        "sales",
        shown(&["M/1"], Some("financial.iban"), "M.iban", "clear"),
    );
    let dir = TempDir::new().unwrap();
    lines.write(dir.path());
    let of = |category: &str| {
        let mut asked = asked(Name::Category);
        asked.category = Some(category.to_owned());
        make(dir.path(), &asked, &mut |_| ())
    };
    let error = of("financail").unwrap_err().to_string();
    assert_eq!(
        error,
        "no policy or event of this log has the category `financail`; did you mean `financial`?"
    );
    let report = to_json(&of("financial").unwrap());
    assert_eq!(report["figures"]["accounts_clear"], 1);
    for exists in ["own", "own.secret", "special.health"] {
        assert_eq!(
            to_json(&of(exists).unwrap())["figures"]["accounts_clear"],
            0
        );
    }
}

#[test]
fn exceptions_are_told_with_whom_they_showed_what() {
    let by = |rules: &[&str], level: &str| {
        let mut shown = shown(&["M/1", "M/2"], Some("financial.income"), "M.x", level);
        shown["data"][0]["by"] = json!(rules);
        shown
    };
    let mut lines = Lines::default();
    lines
        .request(
            "2026-03-02T08:00:00.000Z",
            "eve",
            "sales",
            by(&["base", "exception.year-end"], "clear"),
        )
        .request(
            "2026-03-03T08:00:00.000Z",
            "eve",
            "sales",
            by(&["exception.year-end"], "mask"),
        )
        .request(
            "2026-03-03T08:00:00.000Z",
            "sam",
            "sales",
            by(&["base"], "clear"),
        )
        .request(
            "2026-03-03T08:00:00.000Z",
            "sue",
            "sales",
            by(&["exception.year-end"], "redact"),
        );
    let report = told(&lines, &asked(Name::Exceptions));
    let text = report.to_string();
    assert!(!text.contains("sam") && !text.contains("sue"), "{text}");
    assert_eq!(report["figures"]["exceptions"], 1);
    assert_eq!(report["figures"]["requests"], 2);
    for word in [
        "year-end",
        "eve",
        "financial.income",
        "2026-03-02",
        "2026-03-03",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let none = told(
        Lines::default().request("2026-03-02T08:00:00.000Z", "eve", "sales", json!({})),
        &asked(Name::Exceptions),
    );
    assert_eq!(none["figures"]["exceptions"], 0);
}

#[test]
fn a_month_has_its_figures_and_its_changes() {
    let mut lines = Lines::default();
    lines.policy("2026-03-01T00:00:00.000Z", &[]);
    let key = json!({ "event": "key.created", "by": "root", "key": "k", "name": "night", "when": "2026-03-01T00:00:00Z" });
    let read = json!({ "event": "audit.read", "command": "report", "uid": 7, "words": ["monthly", "reason=case 1"] });
    let limit = json!({ "event": "limit.records", "caller": "eve", "limit": "bulk", "max": 1, "name": "eve", "policy": "p",
        "then": "block", "upstream": "crm", "window": "1h", "would_be": 2 });
    lines
        .request(
            "2026-03-02T08:00:00.000Z",
            "eve",
            "sales",
            shown(&["M/1"], Some("special.health"), "M.ill", "clear"),
        )
        .request(
            "2026-03-02T08:00:00.000Z",
            "eve",
            "sales",
            json!({ "outcome": { "kind": "denied" } }),
        )
        .add("2026-03-03T08:00:00.000Z", key)
        .add("2026-03-03T08:00:00.000Z", read)
        .add("2026-03-03T08:00:00.000Z", limit.clone())
        .add("2026-03-04T08:00:00.000Z", limit)
        .request(
            "2026-04-01T00:00:00.000Z",
            "bob",
            "sales",
            shown(&["M/2"], None, "M.x", "redact"),
        );
    let mut asked = asked(Name::Monthly);
    asked.period.until = Some("2026-04-01T00:00:00.000Z".to_owned());
    let report = told(&lines, &asked);
    let figures = &report["figures"];
    for (key, count) in [
        ("requests", 2),
        ("accounts", 1),
        ("disclosed", 1),
        ("denied", 1),
        ("loaded", 1),
        ("limited", 2),
        ("unclassified", 0),
    ] {
        assert_eq!(figures[key], count, "{key}");
    }
    assert_eq!(rows(&report, "changes").len(), 2);
    assert_eq!(
        rows(&report, "readings")[0]["words"],
        json!(["monthly", "reason=case 1"])
    );
    assert!(
        report["findings"]
            .to_string()
            .contains("Art. 9 or 10 GDPR was shown in clear: Health")
    );
    asked.period = Period::default();
    assert_eq!(told(&lines, &asked)["figures"]["unclassified"], 1);
    let report = told(&lines, &self::asked(Name::Unclassified));
    assert_eq!(rows(&report, "fields")[0]["field"], "M.x");
}

/// Names that mean harm.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=1+1",
    "\u{1b}[2J\u{7}\u{0}\r\n\t",
    "\u{202e}evil\u{2066}",
    "{{ 7 }}{% if %}&amp;'",
];

#[test]
fn hostile_names_are_harmless_in_every_form_and_language() {
    let policy = policy();
    let mut lines = Lines::default();
    for name in HOSTILE {
        let mut seen = shown(&[name], Some(name), name, "clear");
        seen["request"] =
            json!({ "module": name, "action": name, "matched": [name], "written": [name] });
        seen["purpose"] = json!({ "id": name, "basis": name });
        seen["origin"]["ip"] = name.into();
        let mut refused = seen.clone();
        refused["outcome"] = json!({ "kind": "denied", "reason": "field-not-usable" });
        lines
            .request(name, name, name, seen)
            .request("2026-03-02T08:00:00.000Z", name, name, refused.clone())
            .request("2026-03-02T08:00:00.000Z", "eve", name, refused)
            .request(
                "2026-03-02T08:00:00.000Z",
                name,
                name,
                json!({ "id": name, "phase": "opened", "outcome": null }),
            )
            .add(
                "2026-03-02T08:00:00.000Z",
                json!({ "event": "auth.refused", "origin": name, "reason": name, "count": 1 }),
            )
            .add(
                "2026-03-02T08:00:00.000Z",
                json!({ "event": "audit.read", "command": name, "uid": 1, "words": [name] }),
            );
    }
    for name in Name::ALL {
        for hostile in HOSTILE {
            let mut asked = asked(name);
            asked.policy = Some(&policy);
            asked.caller = Some(hostile.to_owned());
            asked.category = Some(hostile.to_owned());
            asked.controller = Some(hostile.to_owned());
            let english = made(&lines, &asked);
            asked.language = Language::French;
            let french = made(&lines, &asked);
            for report in [&english, &french] {
                harmless(report);
            }
            // Scripts read the same of both, but for sentences.
            let keys = |report: &Report| {
                let told = to_json(report);
                let tables = told["tables"].as_object().unwrap().clone();
                let counts: Vec<(String, usize)> = tables
                    .into_iter()
                    .map(|(key, table)| (key, table["rows"].as_array().unwrap().len()))
                    .collect();
                (told["figures"].clone(), counts)
            };
            assert_eq!(keys(&english), keys(&french), "{}", name.as_str());
            assert_ne!(english.means, french.means);
            assert_eq!(english.limits.len(), french.limits.len());
        }
    }
}

fn harmless(report: &Report) {
    let is_invisible = |letter: char| {
        letter != '\n'
            && (letter.is_control()
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    let text = terminal(report, None);
    assert!(!text.contains(is_invisible), "{text:?}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    let text = to_json(report).to_string();
    assert!(
        !text.contains("\\u001b") && !text.contains(is_invisible),
        "{text}"
    );
    let text = page(report).unwrap();
    assert!(
        !text.contains("<script") && !text.contains("<img") && !text.contains(is_invisible),
        "{text}"
    );
    assert!(text.contains(&format!("<html lang=\"{}\">", report.language.code())));
    for table in report.tables() {
        let (text, _) = csv(report, Some(&table.key)).unwrap();
        assert!(!text.replace("\r\n", "").contains(is_invisible), "{text:?}");
        for cell in text.split([',', '\n']) {
            assert!(
                !cell
                    .trim_start_matches('"')
                    .starts_with(['=', '+', '-', '@']),
                "{cell}"
            );
        }
    }
}

#[test]
fn what_does_not_fit_is_counted_together_or_said_to_be_at_least() {
    let mut tally: tally::Tally<u32, u64> = tally::Tally::of_most(2);
    (0..5).for_each(|name| *tally.at(name) += 1);
    *tally.at(1) += 1;
    assert_eq!((tally.len(), tally.others()), (2, Some(&3)));
    assert_eq!(tally.sorted(|count| *count), [(&1, &2), (&0, &1)]);
    let mut distinct = distinct::Distinct::of_most(2);
    let new = [1, 1, 2]
        .into_iter()
        .filter(|thing| distinct.is_new(thing))
        .count();
    assert_eq!((new, distinct.cell(2)), (2, Cell::Number(2)));
    assert!(!distinct.is_new(3) && !distinct.is_new(1));
    assert_eq!(distinct.cell(2), Cell::AtLeast(2));
    assert_eq!(tally::median(vec![]), 0);
    assert_eq!(tally::median(vec![9, 1, 5]), 5);
    assert_eq!(tally::median(vec![9, 1]), 1);
}

#[test]
fn numbers_and_dates_have_the_form_of_the_language() {
    let (english, french) = (Language::English, Language::French);
    assert_eq!(english.number(1_234_567), "1,234,567");
    assert_eq!(french.number(1_234_567), "1\u{202f}234\u{202f}567");
    assert_eq!(
        (english.tenths(12_345), french.tenths(45)),
        ("1,234.5".to_owned(), "4,5".to_owned())
    );
    let time = "2026-08-01T09:04:11.482Z";
    assert_eq!(english.moment(time), "1 August 2026 at 09:04 UTC");
    assert_eq!(french.moment(time), "1er août 2026 à 09:04 UTC");
    assert_eq!(
        (english.time(time), french.time(time)),
        ("2026-08-01 09:04".to_owned(), "01/08/2026 09:04".to_owned())
    );
    assert_eq!(english.moment("soon"), "soon");
    let words = [["day", "jour"], ["days", "jours"]];
    assert_eq!(
        (
            english.count(0, words[0], words[1]),
            french.count(0, words[0], words[1])
        ),
        ("0 days".to_owned(), "0 jour".to_owned())
    );
}
