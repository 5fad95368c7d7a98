//! Suites from text to verdict.

use std::sync::Arc;

use super::{Verdicts, codes, failures, load, run};
use crate::diagnostic::Diagnostics;
use crate::dialect::{self, Dialect};
use crate::policy::{Policy, Source};
use crate::workbench::bench;

const POLICY: &str = r#"policy: small
roles:
  sales: { from: { crm.role: Sales, crm.team: West }, default_purpose: contract }
  boss: { from: { crm.type: admin }, default_purpose: contract }
  finance: { from: { claim.roles: fin, token: company }, default_purpose: payment, actions: { Contacts: [list, read] } }
  fronted: { from: { front.roles: crm }, default_purpose: contract, actions: { Contacts: read } }
  robot: { from: { certificate: "dns:erp.example.com" }, kind: machine, purposes: payment, actions: { Contacts: read } }
auth:
  strong: { acr: [phr] }
  machine: { method: certificate }
purposes:
  contract: { legal_basis: contract, roles: [sales, boss, fronted] }
  payment: { legal_basis: contract, roles: [finance, robot] }
classify:
  "*": { id: technical.id, "*iban*": financial.iban, description: free_text }
  Contacts: { last_name: identity.name }
detectors:
  - { name: d, in: free_text, find: [iban] }
grants:
  - { name: base, roles: [sales, boss, finance, fronted, robot], data: [technical, identity.name, free_text], level: clear }
  - { name: masked, roles: [sales, boss, finance, fronted], data: financial.iban, level: mask }
  - { name: strong, roles: finance, data: financial.iban, requires: { auth: strong }, level: clear }
  - { name: robots, roles: robot, data: financial.iban, requires: { auth: machine }, level: clear }
  - { name: pseudonym, roles: sales, data: identity.name, level: token }
"#;

const RECORD: &str = r#"
records:
  j: { module: Contacts, fields: { id: c-1, last_name: Martin, iban_c: FR7630006000011234567890189, description: Rien. } }
"#;

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn dialects() -> Vec<Arc<dyn Dialect>> {
    vec![dialect::usual()]
}

fn policy() -> Arc<Policy> {
    let schemas: Vec<_> = dialects().iter().map(|one| one.schema().clone()).collect();
    let (policy, found) = Policy::compile(&[source("p.yaml", POLICY)], &schemas, bench::TOKEN_KEY);
    Arc::new(policy.unwrap_or_else(|| panic!("{}", found.render(false))))
}

fn read(text: &str) -> (Vec<super::Suite>, Diagnostics) {
    load(&[source("tests/s.yaml", text)], &policy(), &dialects())
}

fn verdicts(text: &str) -> Verdicts {
    let (suites, found) = read(text);
    assert!(found.is_empty(), "{}", found.render(false));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(&policy(), &dialects(), &suites))
}

fn codes_of(text: &str) -> Vec<&'static str> {
    let (suites, found) = read(text);
    assert!(suites.is_empty(), "a suite with a mistake is none");
    found.iter().map(|one| one.code).collect()
}

#[test]
fn everybody_comes_by_the_evidence_of_their_way() {
    let text = format!(
        r#"tests: small
people:
  sales: {{ crm: {{ roles: Sales, teams: [West] }} }}
  east: {{ crm: {{ roles: [Sales], teams: [East] }} }}
  admin: {{ crm: {{ type: admin, user: root }} }}
  token: {{ token: {{ issuer: company, roles: fin }} }}
  strong: {{ token: {{ issuer: company, roles: [fin] }}, auth: strong }}
  other: {{ token: {{ issuer: elsewhere, roles: [fin] }} }}
  front: {{ front: {{ user: f, roles: [crm] }} }}
  robot: {{ certificate: "dns:erp.example.com" }}
{RECORD}
cases:
  - {{ name: a, as: sales, read: j, expect: {{ last_name: clear, iban_c: mask, description: clear }} }}
  - {{ name: b, as: east, read: j, expect: {{ refused: no-role }} }}
  - {{ name: c, as: admin, read: j, expect: {{ iban_c: mask }} }}
  - {{ name: d, as: token, read: j, expect: {{ iban_c: mask }} }}
  - {{ name: e, as: strong, read: j, expect: {{ iban_c: clear }} }}
  - {{ name: f, as: strong, auth: machine, read: j, expect: {{ iban_c: mask }} }}
  - {{ name: g, as: other, read: j, expect: {{ refused: no-role }} }}
  - {{ name: h, as: front, read: j, expect: {{ iban_c: mask }} }}
  - {{ name: i, as: robot, read: j, expect: {{ iban_c: clear }} }}
  - {{ name: j, as: robot, list: {{ module: Contacts }}, expect: {{ refused: action-not-allowed }} }}
"#
    );
    let verdicts = verdicts(&text);
    assert!(verdicts.passed(), "{}", verdicts.render(true));
    // A rule of which no case sees anything is not exercised: `clear` is more than a pseudonym.
    let missed = verdicts.coverage.missed.iter();
    let missed: Vec<(&str, &str, &str)> = missed
        .map(|one| (one.kind, one.name.as_str(), one.place.as_str()))
        .collect();
    assert_eq!(missed, [("grant", "pseudonym", "p.yaml:24")]);
}

#[test]
fn a_case_that_expects_too_little_exercises_too_little() {
    let text = format!(
        "tests: small\npeople: {{ s: {{ crm: {{ roles: Sales, teams: West }} }} }}{RECORD}cases:\n  - {{ name: a, as: s, read: j, expect: {{ last_name: clear }} }}\n"
    );
    let missed = verdicts(&text).coverage.missed;
    let missed: Vec<&str> = missed.iter().map(|one| one.name.as_str()).collect();
    // The record holds an IBAN, and nobody looked at it.
    assert_eq!(missed, ["masked", "strong", "robots", "pseudonym"]);
}

#[test]
fn each_difference_fails_a_case() {
    let people = "people: { s: { crm: { roles: Sales, teams: West } } }";
    for (case, why) in [
        (
            "read: j, expect: { iban_c: clear }",
            "iban_c: expected clear, was mask: \"FR76 •••• •••• •••• •••• •••0 189\"",
        ),
        (
            "read: j, expect: { iban_c: hide }",
            "iban_c: expected hide, was mask: \"FR76 •••• •••• •••• •••• •••0 189\"",
        ),
        (
            "read: j, fields: [last_name], expect: { last_name: mask }",
            "last_name: expected mask, was clear: \"Martin\"",
        ),
        (
            "read: j, values: { last_name: M. }",
            "last_name: expected \"M.\", was \"Martin\"",
        ),
        (
            "read: j, expect: { refused: no-role }",
            "expected to be refused as no-role, was answered with 200",
        ),
        (
            "sort: { module: Contacts, by: iban_c }, expect: { refused: no-role }",
            "expected to be refused as no-role, was refused as field-not-usable",
        ),
        (
            "sort: { module: Contacts, by: iban_c }, expect: { iban_c: clear }",
            "was refused as field-not-usable",
        ),
        (
            "filter: { module: Contacts, by: last_name, value: Nobody }, expect: { last_name: clear }",
            "last_name: no record that has it was shown",
        ),
        (
            "write: j, set: { last_name: Durand }, forwards: {}",
            "last_name: expected to forward nothing, forwarded \"Durand\"",
        ),
        (
            "write: j, set: { last_name: Martin }, forwards: { last_name: Martin }",
            "last_name: expected to forward \"Martin\", forwarded nothing",
        ),
    ] {
        let text =
            format!("tests: small\n{people}{RECORD}cases:\n  - {{ name: a, as: s, {case} }}\n");
        let verdicts = verdicts(&text);
        assert!(!verdicts.passed(), "{case}");
        assert_eq!(verdicts.cases[0].why[0], why, "{case}");
    }
}

#[test]
fn suites_that_could_not_fail_are_mistakes() {
    let people = "people: { s: { crm: { roles: Sales, teams: West } } }";
    for (case, code) in [
        ("read: j, expect: {}", codes::EXPECTS_NOTHING),
        ("write: j, set: { last_name: D }", codes::EXPECTS_NOTHING),
        ("write: j, set: {}, forwards: {}", codes::NOT_ONE_ACTION),
        (
            "write: j, set: { last_name: D }, forwards: { lastname: D }",
            codes::CONTRADICTION,
        ),
        (
            "write: j, set: { last_name: D }, expect: { last_name: clear }",
            codes::NOT_OF_ACTION,
        ),
        (
            "create: { module: Contacts, fields: { lastnam: D } }, forwards: {}",
            codes::UNKNOWN_FIELD,
        ),
        (
            "list: { module: Contacts }, values: { last_name: x }, expect: { last_name: clear }",
            codes::NOT_OF_ACTION,
        ),
        (
            "list: { module: Contacts, fields: [last_name] }, expect: { iban_c: mask }",
            codes::CONTRADICTION,
        ),
        (
            "read: j, fields: [last_name], expect: { iban_c: mask }",
            codes::CONTRADICTION,
        ),
        (
            "read: j, expect: { iban_c: hide }, values: { iban_c: x }",
            codes::CONTRADICTION,
        ),
        (
            "read: j, expect: { refused: no-role }, values: { iban_c: x }",
            codes::CONTRADICTION,
        ),
        (
            "list: { module: Contcts }, expect: { refused: no-role }",
            codes::UNKNOWN_MODULE,
        ),
        (
            "list: { module: Contacts }, expect: { title: clear }",
            codes::LACKING,
        ),
    ] {
        // A second case uses the record, so that only the mistake is told.
        let text = format!(
            "tests: small\n{people}{RECORD}cases:\n  - {{ name: a, as: s, {case} }}\n  - {{ name: b, as: s, read: j, expect: {{ last_name: clear }} }}\n"
        );
        assert_eq!(codes_of(&text), [code], "{case}");
    }
    for (never, code) in [
        ("data: financial", codes::NO_PROMISE),
        ("data: financial, used_as: []", codes::NO_PROMISE),
        ("data: unclassified, used_as: matched", codes::NO_PROMISE),
        ("data: financial, at_least: hide", codes::NO_PROMISE),
        ("data: finance, at_least: mask", codes::UNKNOWN_CATEGORY),
        (
            "data: financial, at_least: mask, unless: { purposes: pay }",
            codes::UNKNOWN_PURPOSE,
        ),
    ] {
        let text = format!("tests: small\nalways:\n  - {{ name: a, never: {{ {never} }} }}\n");
        assert_eq!(codes_of(&text), [code], "{never}");
    }
    assert_eq!(codes_of("tests: small\n"), [codes::EMPTY]);
    assert_eq!(codes_of(""), ["Y011", codes::EMPTY]);
}

#[test]
fn a_module_that_nobody_knows_may_be_asked_for_where_that_is_tested() {
    let text = "tests: small\npeople: { s: { crm: { roles: Sales, teams: West } } }\ncases:\n  - { name: a, as: s, list: { module: Zeppelins }, expect: { refused: unknown-module } }\n";
    let verdicts = verdicts(text);
    assert!(verdicts.passed(), "{}", verdicts.render(false));
}

#[test]
fn tests_as_a_condition_tell_no_value_and_no_tests_are_an_error() {
    let failed = |text: &str| {
        let sources = [source("tests/s.yaml", text)];
        let found = failures(&policy(), &sources, &dialects());
        let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        (codes, found.render(false))
    };
    let suite = |level: &str, least: &str| {
        format!(
            "tests: small\npeople: {{ s: {{ crm: {{ roles: Sales, teams: West }} }} }}{RECORD}cases:\n  - {{ name: a, as: s, read: j, expect: {{ last_name: {level} }} }}\nalways:\n  - {{ name: b, never: {{ data: financial.iban, at_least: {least}, unless: {{ auth: [strong, machine] }} }} }}\n"
        )
    };
    assert_eq!(failed(&suite("clear", "clear")).0, Vec::<&str>::new());
    let (codes, told) = failed(&suite("mask", "mask"));
    assert_eq!(codes, [codes::FAILED, codes::BROKEN], "{told}");
    assert!(told.contains("case `a` fails, at tests/s.yaml:6"), "{told}");
    let (codes, wrong) = failed(&suite("clear, iban_c: clear", "clear").replace("as: s", "as: t"));
    assert!(!codes.is_empty());
    assert!(wrong.contains("at tests/s.yaml:6"), "{wrong}");
    for told in [told, wrong] {
        assert!(
            !told.contains(" | ") && !told.contains("last_name"),
            "{told}"
        );
    }
    let none = failures(&policy(), &[], &dialects());
    assert_eq!(
        none.iter().next().map(|one| one.code),
        Some(codes::NO_TESTS)
    );
    // Also where a runtime is at work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (codes, _) = runtime.block_on(async { failed(&suite("mask", "clear")) });
    assert_eq!(codes, [codes::FAILED]);
}

#[test]
fn a_case_says_when_it_is_where_rules_look_at_the_time() {
    let day = |days: i64| {
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        today.date() + jiff::Span::new().days(days)
    };
    let observing = format!(
        "{POLICY}caps: [{{ name: soon, data: identity.name, level: mask, mode: observe, until: {} }}]\n",
        day(30)
    );
    let schemas: Vec<_> = dialects().iter().map(|one| one.schema().clone()).collect();
    let (policy, found) =
        Policy::compile(&[source("p.yaml", &observing)], &schemas, bench::TOKEN_KEY);
    let policy = Arc::new(policy.unwrap_or_else(|| panic!("{}", found.render(false))));
    let suite = |now: &str, level: &str| {
        let text = format!(
            "tests: small\n{now}people: {{ b: {{ crm: {{ roles: Sales, teams: West }} }} }}\n{RECORD}cases:\n  - {{ name: a, as: b, read: j, expect: {{ last_name: {level} }} }}\n"
        );
        load(&[source("tests/s.yaml", &text)], &policy, &dialects())
    };
    let (_, found) = suite("", "clear");
    let codes: Vec<_> = found.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [codes::NO_MOMENT], "{}", found.render(false));
    for (days, level) in [(0, "clear"), (30, "clear"), (31, "mask")] {
        let now = format!("now: {}T12:00:00Z\n", day(days));
        let (suites, found) = suite(&now, level);
        assert!(found.is_empty(), "{}", found.render(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let verdicts = runtime.block_on(run(&policy, &dialects(), &suites));
        assert!(verdicts.passed(), "{days}: {}", verdicts.render(false));
    }
}
