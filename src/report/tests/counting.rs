//! Whom and what a report counts, where the log does not say it in one place.

use super::*;

fn breach(caller: &str) -> Asked<'static> {
    Asked {
        caller: Some(caller.to_owned()),
        ..asked(Name::BreachScope)
    }
}

/// An event of a request, of Eve.
fn part(lines: &mut Lines, time: &str, id: &str, phase: &str, refs: &[&str]) {
    let mut event = shown(refs, Some("identity.name"), "M.name", "clear");
    event["id"] = id.into();
    event["phase"] = phase.into();
    if phase != "closed" {
        event["outcome"] = Value::Null;
        event["data"] = json!([]);
    }
    lines.request(&format!("2026-03-0{time}:00.000Z"), "eve", "sales", event);
}

#[test]
fn a_request_across_the_edge_of_the_period_counts_whole() {
    let told_of = |events: &[(&str, &str, &str, &[&str])]| {
        let mut lines = Lines::default();
        part(&mut lines, "1T08:00", "early", "closed", &["M/90"]);
        for (time, id, phase, refs) in events {
            part(&mut lines, time, id, phase, refs);
        }
        lines.request("2026-03-09T00:00:00.000Z", "bob", "sales", json!({}));
        let mut asked = breach("eve");
        asked.persons = vec!["M".to_owned()];
        asked.period = Period {
            since: Some("2026-03-02T00:00:00.000Z".to_owned()),
            until: Some("2026-03-03T00:00:00.000Z".to_owned()),
        };
        told(&lines, &asked)
    };
    // It named records before the period, and ended in it.
    let report = told_of(&[
        ("1T23:58", "a", "opened", &[]),
        ("1T23:59", "a", "continued", &["M/1", "M/2"]),
        ("2T00:01", "a", "closed", &["M/3"]),
    ]);
    assert_eq!(report["figures"]["persons"], 3, "{report:#}");
    // It was opened in the period, and ended behind it.
    let behind: &[_] = &[
        ("2T23:58", "a", "opened", &[] as &[&str]),
        ("2T23:59", "a", "continued", &["M/1", "M/2"]),
        ("3T00:01", "a", "continued", &["M/3"]),
        ("3T00:02", "a", "closed", &["M/4"]),
    ];
    let report = told_of(behind);
    assert_eq!(report["figures"]["persons"], 4, "{report:#}");
    assert_eq!(report["figures"]["requests"], 1);
    assert_eq!(report["figures"]["unclosed"], 0);
    let findings = report["findings"].to_string();
    assert!(findings.contains("ended after it"), "{findings}");
    assert!(!findings.contains("No request"), "{findings}");
    // It was under way all the time.
    let report = told_of(&[
        ("1T23:58", "a", "opened", &[]),
        ("3T00:01", "a", "closed", &["M/1"]),
    ]);
    assert_eq!(report["figures"]["persons"], 1, "{report:#}");
    // Those before and behind do not count.
    let report = told_of(&[
        ("1T23:57", "a", "opened", &[]),
        ("1T23:58", "a", "continued", &["M/1"]),
        ("1T23:59", "a", "closed", &["M/2"]),
        ("3T00:01", "b", "opened", &[]),
        ("3T00:02", "b", "continued", &["M/3"]),
        ("3T00:03", "b", "closed", &["M/4"]),
    ]);
    assert_eq!(report["figures"]["persons"], 0, "{report:#}");
    assert!(report["findings"].to_string().contains("No request"));
    // One that named records in the period and was never closed.
    let report = told_of(&behind[..2]);
    assert_eq!(report["figures"]["persons"], json!({ "at_least": 2 }));
}

#[test]
fn an_account_that_was_renamed_is_counted_whole_and_told() {
    let mut lines = Lines::default();
    for (time, name, id, record) in [
        ("2026-03-02T08:00:00.000Z", "fanny", "7", "M/1"),
        ("2026-03-03T08:00:00.000Z", "fanny-martin", "7", "M/2"),
        ("2026-03-03T09:00:00.000Z", "bob", "8", "M/3"),
    ] {
        let mut seen = shown(&[record], Some("identity.name"), "M.name", "clear");
        seen["caller"] = json!({ "id": id, "name": name });
        lines.request(time, name, "sales", seen);
    }
    for caller in ["fanny", "fanny-martin", "7"] {
        let report = told(&lines, &breach(caller));
        assert_eq!(report["figures"]["persons"], 2, "{report:#}");
        let findings = report["findings"].to_string();
        assert!(findings.contains("7 (fanny, fanny-martin)"), "{findings}");
    }
    // Also if it bore the name that is known only outside of the period.
    let mut later = breach("fanny");
    later.period.since = Some("2026-03-03T00:00:00.000Z".to_owned());
    assert_eq!(told(&lines, &later)["figures"]["persons"], 1);

    // Whoever took the name over is counted with it, and both are told.
    let mut seen = shown(&["M/4"], Some("identity.name"), "M.name", "clear");
    seen["caller"] = json!({ "id": "9" });
    lines.request("2026-03-04T09:00:00.000Z", "fanny", "sales", seen);
    let report = told(&lines, &breach("fanny"));
    assert_eq!(report["figures"]["persons"], 3);
    let findings = report["findings"].to_string();
    assert!(
        findings.contains("7 (fanny, fanny-martin); 9 (fanny)"),
        "{findings}"
    );
}

#[test]
fn accounts_of_two_crms_never_mix() {
    let mut lines = Lines::default();
    for (upstream, name) in [("a", "ann"), ("b", "ben")] {
        let mut seen = shown(&["M/1"], Some("financial.iban"), "M.iban", "clear");
        seen["caller"] = json!({ "id": "7" });
        seen["request"]["upstream"] = upstream.into();
        lines.request("2026-03-02T08:00:00.000Z", name, "sales", seen);
    }
    let report = told(&lines, &asked(Name::TopReaders));
    let found: Vec<[&Value; 2]> = rows(&report, "accounts")
        .iter()
        .map(|row| [&row["account"], &row["account_id"]])
        .collect();
    let expected = [["ann", "a:7"], ["ben", "b:7"]].map(|row| row.map(|one| json!(one)));
    assert_eq!(found, [expected[0].each_ref(), expected[1].each_ref()]);
    for name in [Name::Monthly, Name::Category, Name::AccessReview] {
        let policy = policy();
        let mut asked = asked(name);
        asked.category = Some("financial".to_owned());
        asked.policy = Some(&policy);
        let report = told(&lines, &asked);
        let accounts = match name {
            Name::Monthly => report["figures"]["accounts"].as_u64().unwrap(),
            _ => rows(&report, "accounts").len() as u64,
        };
        assert_eq!(accounts, 2, "{name:?}");
    }
    // One of them, by its CRM; both, and said, by the bare id.
    for caller in ["a:7", "ann", "a:ann"] {
        let report = told(&lines, &breach(caller));
        assert_eq!(report["figures"]["different"], 1, "{caller}: {report:#}");
    }
    let report = told(&lines, &breach("7"));
    assert_eq!(report["figures"]["different"], 2);
    let findings = report["findings"].to_string();
    assert!(findings.contains("a:7 (ann); b:7 (ben)"), "{findings}");

    // Persons of one of the CRMs alone, or of both.
    for (persons, count) in [("a:M", 1), ("M", 2)] {
        let mut asked = breach("7");
        asked.persons = vec![persons.to_owned()];
        let report = told(&lines, &asked);
        assert_eq!(report["figures"]["persons"], count, "{persons}");
    }
}

#[test]
fn kinds_of_persons_that_do_not_exist_are_an_error() {
    let mut lines = Lines::default();
    lines.policy("2026-03-01T00:00:00.000Z", &[("identity.name", "Leads.x")]);
    let mut seen = shown(&["Contacts/1"], None, "Contacts.x", "clear");
    seen["request"] = json!({ "module": "Contacts", "upstream": "crm" });
    lines.request("2026-03-02T08:00:00.000Z", "eve", "sales", seen);
    let dir = TempDir::new().unwrap();
    lines.write(dir.path());
    let of = |person: &str| {
        let mut asked = breach("eve");
        asked.persons = vec![person.to_owned()];
        make(dir.path(), &asked, &mut |_| ())
    };
    let error = of("Contact").unwrap_err().to_string();
    assert_eq!(
        error,
        "`persons=`: no policy or event of this log has the module `Contact`; did you mean `Contacts`?"
    );
    assert!(of("other:Contacts").is_err());
    for (person, count) in [("Contacts", 1), ("crm:Contacts", 1), ("Leads", 0)] {
        let report = to_json(&of(person).unwrap());
        assert_eq!(report["figures"]["persons"], count, "{person}");
    }
}

#[test]
fn an_entry_that_tells_of_several_modules_is_a_least_number() {
    let policy = policy();
    let mut lines = Lines::default();
    let part = json!({ "id": "big", "phase": "continued", "outcome": null,
        "records": { "count": 3, "refs": ["C/1", "C/2", "C/3"] } });
    let mut closed = shown(&["A/1", "A/2"], Some("special.health"), "C.ill", "clear");
    closed["id"] = "big".into();
    closed["records"]["count"] = 5.into();
    closed["data"][0]["fields"] = json!(["A.ill", "C.ill"]);
    closed["data"][0]["records"] = 3.into();
    lines
        .request("2026-03-02T08:00:00.000Z", "eve", "sales", part)
        .request("2026-03-02T08:00:01.000Z", "eve", "sales", closed);
    let told_by = |name| {
        let mut asked = breach("eve");
        asked.name = name;
        asked.policy = Some(&policy);
        asked.category = Some("special".to_owned());
        told(&lines, &asked)
    };
    let least = json!({ "at_least": 3 });
    let report = told_by(Name::BreachScope);
    let category = &rows(&report, "categories")[0];
    // All are named: five records of these kinds.
    assert_eq!(
        (&category["different"], &category["disclosures"]),
        (&json!(5), &least)
    );
    let report = told_by(Name::Category);
    for table in ["accounts", "roles"] {
        assert_eq!(rows(&report, table)[0]["disclosures"], least, "{table}");
    }
    assert_eq!(report["figures"]["disclosures_clear"], least);
    assert_eq!(rows(&report, "days")[0]["clear"], least);
    assert_eq!(
        rows(&told_by(Name::Monthly), "clear")[0]["disclosures"],
        least
    );
    assert_eq!(
        rows(&told_by(Name::AccessReview), "beyond")[0]["disclosures"],
        least
    );
}

#[test]
fn several_fields_of_one_module_are_a_least_number_unless_all_records_had_one() {
    let of = |records: u64, fields: &[&str]| {
        let refs = ["M/1", "M/2", "M/3"];
        let mut seen = shown(&refs, Some("contact.phone"), "M.a", "clear");
        seen["data"][0]["fields"] = json!(fields);
        seen["data"][0]["records"] = records.into();
        let mut lines = Lines::default();
        lines.request("2026-03-02T08:00:00.000Z", "eve", "sales", seen);
        let report = told(&lines, &asked(Name::Monthly));
        rows(&report, "clear")[0]["disclosures"].clone()
    };
    assert_eq!(of(2, &["M.a"]), 2);
    assert_eq!(of(3, &["M.a", "M.b"]), 3);
    assert_eq!(of(2, &["M.a", "M.b"]), json!({ "at_least": 2 }));
    assert_eq!(of(2, &["M.(2 unknown)"]), json!({ "at_least": 2 }));
    assert_eq!(of(2, &["M.(1 unknown)"]), 2);
}

#[test]
fn a_search_counts_as_a_filter_does() {
    let mut lines = Lines::default();
    lines.policy("2026-03-01T00:00:00.000Z", &[("financial.iban", "M.iban")]);
    let refused = json!({
        "outcome": { "kind": "denied", "reason": "field-not-usable" },
        "request": { "searched": ["M.iban"] },
    });
    lines.request("2026-03-02T08:00:00.000Z", "eve", "sales", refused);
    let report = told(&lines, &asked(Name::Probes));
    let probe = &rows(&report, "predicates")[0];
    assert_eq!(
        (&probe["category"], &probe["searches"], &probe["filters"]),
        (&json!("financial.iban"), &json!(1), &json!(0))
    );
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    let report = told(&lines, &asked(Name::Denials));
    assert_eq!(rows(&report, "refused")[0]["what"], "M.iban");
    let mut of = asked(Name::Category);
    of.category = Some("financial".to_owned());
    assert_eq!(rows(&told(&lines, &of), "uses")[0]["use"], "search");
}
