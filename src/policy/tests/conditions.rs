//! Conditions, rows, schedules, exceptions: what their authors write is what counts, and mistakes are told at their place.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::around;
use crate::condition::{Asker, Condition, Facts, PersonFact};
use crate::policy::Policy;
use crate::policy::language::model::{Bit, Model};
use crate::policy::testing::{compile, try_compile};
use crate::vocabulary::{Action, Field, Module, Role};

mod oracle;

struct Record<'a>(&'a Value);

impl Facts for Record<'_> {
    fn field(&mut self, field: &Field) -> Option<Value> {
        self.0.get(field.as_str()).cloned()
    }

    fn person(&mut self, _: PersonFact) -> Option<bool> {
        None
    }
}

/// When all of this happens: a Tuesday.
const NOW: &str = "2026-12-01T12:00:00Z";

fn holds_at(condition: &Condition, now: &str, record: &Value) -> Option<bool> {
    let roles = [Role::new("sales")].into();
    let module = Module::new("Contacts");
    let teams = ["East".to_owned(), "All".to_owned()];
    let asker = Asker {
        id: Some("u-1"),
        name: Some("sally"),
        kind: None,
        roles: &roles,
        teams: Some(&teams),
        now: now.parse().unwrap(),
        action: Some(Action::List),
        module: Some(&module),
    };
    condition.resolve(&asker).holds(&mut Record(record))
}

fn model(policy: &Policy) -> &Model {
    &policy.core.model
}

const PEOPLE: &str = "people: { Contacts: { kind: customer, email: email }, Accounts: none }\n";

/// The condition of a row rule.
fn keeping(condition: &str) -> Condition {
    let rows =
        format!("rows: [{{ name: r, modules: Contacts, keep_when: {condition} }}]\n{PEOPLE}");
    let policy = compile(&[&around(&rows)]);
    model(&policy).rows[0].keep_when.clone()
}

/// One mistake in a condition: its code, and what stands under the caret.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("{}", "P050", "{}"),
    ("{ all: [] }", "P050", "[]"),
    ("{ any: [] }", "P050", "[]"),
    ("{ not: {} }", "P050", "{}"),
    ("{ any: { record.status: { blank: true } } }", "Y012", "{"),
    (
        "{ rekord.status: { blank: true } }",
        "P050",
        "rekord.status",
    ),
    ("{ caller.mail: { equals: x } }", "P050", "caller.mail"),
    ("{ record.sta*: { blank: true } }", "P005", "record.sta*"),
    ("{ record.status: { is: x } }", "Y010", "is"),
    ("{ record.status: {} }", "P050", "{}"),
    (
        "{ record.status: { equals: a, not_equals: b } }",
        "P050",
        "{ equals",
    ),
    ("{ record.status: active }", "Y012", "active"),
    ("{ record.status: { equals: null } }", "P050", "null"),
    ("{ record.status: { equals: [a, b] } }", "Y012", "[a, b]"),
    ("{ record.status: { in: [] } }", "P050", "[]"),
    (
        "{ record.status: { equals: { caller: mail } } }",
        "Y013",
        "mail",
    ),
    (
        "{ record.status: { equals: { record: id } } }",
        "Y010",
        "record",
    ),
    ("{ record.status: { inside: office } }", "Y010", "inside"),
    ("{ record.amount: { less_than: \"10\" } }", "P050", "\"10\""),
    ("{ record.amount: { less_than: 1e3 } }", "P050", "1e3"),
    (
        "{ record.amount: { at_least: { caller: id } } }",
        "P050",
        "{ caller",
    ),
    (
        "{ record.created: { before: yesterday } }",
        "P027",
        "yesterday",
    ),
    (
        "{ record.created: { after: 2026-12-01T12:00:00 } }",
        "P027",
        "2026",
    ),
    ("{ record.created: { older_than: 3 } }", "Y014", "3"),
    ("{ record.created: { older_than: 0d } }", "Y014", "0d"),
    ("{ record.created: { newer_than: 3x } }", "Y014", "3x"),
    ("{ record.created: { newer_than: 101y } }", "Y014", "101y"),
    ("{ record.status: { blank: yes } }", "Y012", "yes"),
    (
        "{ caller.id: { equals: { caller: name } } }",
        "Y012",
        "{ caller",
    ),
    ("{ caller.id: { less_than: 3 } }", "Y010", "less_than"),
    ("{ caller.roles: { equals: saels } }", "P011", "saels"),
    (
        "{ request.module: { in: [Contacts, Conacts] } }",
        "P018",
        "Conacts",
    ),
    ("{ request.action: { equals: export } }", "Y013", "export"),
    ("{ request.time: { equals: 2026-12-01 } }", "Y010", "equals"),
    ("{ request.time: { inside: offic } }", "P054", "offic"),
    ("{ person.consented: { equals: yes } }", "Y012", "yes"),
    ("{ person.consented: { blank: true } }", "Y010", "blank"),
];

const OFFICE: &str = "schedules:\n  office: { days: [mon, tue, wed, thu, fri], from: \"07:30\", to: \"20:00\", zone: Europe/Paris, except: [2026-12-25] }\n";

#[test]
fn every_mistake_of_a_condition_is_told_once_at_its_place() {
    for (condition, code, place) in MISTAKES {
        for rule in [
            format!(
                "grants: [{{ name: g, roles: sales, data: work, level: clear, when: {condition} }}]\n"
            ),
            format!("caps: [{{ name: c, data: work, level: hide, when: {condition} }}]\n"),
            format!("rows: [{{ name: r, modules: Contacts, keep_when: {condition} }}]\n"),
        ] {
            told(&format!("{rule}{OFFICE}{PEOPLE}"), code, place);
        }
    }
}

/// That a text has one error, of this code, at a place that begins so.
fn told(rules: &str, code: &str, place: &str) {
    let (policy, found) = try_compile(&[&around(rules)]);
    let shown = found.render(false);
    assert!(policy.is_none(), "{rules}");
    assert_eq!(found.errors(), 1, "{rules}: {shown}");
    let problem = found.iter().find(|one| one.code == code);
    let problem = problem.unwrap_or_else(|| panic!("{rules}: {shown}"));
    let at = problem.place.as_ref().unwrap();
    let text = &at.file.text()[at.span.start..];
    assert!(text.starts_with(place), "{rules}: {shown}");
}

#[test]
fn every_mistake_of_rows_schedules_and_exceptions_is_told_at_its_place() {
    let row = |keys: &str| format!("rows: [{{ {keys} }}]\n");
    let keep = "keep_when: { record.a: { blank: true } }";
    for (text, code, place) in [
        (row(&format!("modules: Contacts, {keep}")), "Y011", "{ mod"),
        (row(&format!("name: r, {keep}")), "Y011", "{ name"),
        (row("name: r, modules: Contacts"), "Y011", "{ name"),
        (
            row(&format!("name: r, modules: \"*\", {keep}")),
            "P028",
            "\"*\"",
        ),
        (
            row(&format!("name: r, modules: Contcts, {keep}")),
            "P018",
            "Contcts",
        ),
        (
            row(&format!("name: r, modules: Contacts, roles: sails, {keep}")),
            "P011",
            "sails",
        ),
        (
            row(&format!("name: r, modules: Contacts, purposes: x, {keep}")),
            "P012",
            "x",
        ),
        (
            row(&format!(
                "name: r, modules: Contacts, roles: sales, unless_roles: boss, {keep}"
            )),
            "P024",
            "sales",
        ),
        (
            row(&format!("name: rows.r, modules: Contacts, {keep}")),
            "P005",
            "rows.r",
        ),
        (
            row(&format!("name: r, modules: Contacts, level: hide, {keep}")),
            "Y010",
            "level",
        ),
    ] {
        told(&text, code, place);
    }
    let schedule = |good: &str, bad: &str| OFFICE.replacen(good, bad, 1);
    for (good, bad, code, place) in [
        ("mon, tue", "monday, tue", "Y013", "monday"),
        ("[mon, tue, wed, thu, fri]", "[]", "P054", "[]"),
        ("\"07:30\"", "\"7:30\"", "P054", "\"7:30\""),
        ("\"07:30\"", "\"24:00\"", "P054", "\"24:00\""),
        ("\"20:00\"", "\"07:30\"", "P054", "\"07:30\""),
        ("\"20:00\"", "\"20:60\"", "P054", "\"20:60\""),
        ("Europe/Paris", "Europe/Pariss", "P054", "Europe/Pariss"),
        (", zone: Europe/Paris", "", "Y011", "{ days"),
        ("2026-12-25", "2026-12-32", "P027", "2026-12-32"),
        ("office:", "\"of fice\":", "P005", "\"of fice\""),
    ] {
        let (policy, found) = try_compile(&[&around(&schedule(good, bad))]);
        let shown = found.render(false);
        assert!(policy.is_none() && found.errors() == 1, "{bad}: {shown}");
        let problem = found.iter().find(|one| one.code == code);
        let at = problem
            .unwrap_or_else(|| panic!("{bad}: {shown}"))
            .place
            .clone()
            .unwrap();
        assert!(
            at.file.text()[at.span.start..].starts_with(place),
            "{bad}: {shown}"
        );
    }
}

/// A cap, and what lifts it.
fn lifting(good: &str, bad: &str) -> String {
    let text = "grants: [{ name: g, roles: sales, data: work, level: clear }]
caps:
  - { name: masked, data: financial, level: mask }
  - { name: never, data: special, level: hide, firm: true }
exceptions:
  - { name: e, lifts: masked, roles: [sales], from: 2026-12-28, until: 2027-01-26, ticket: T-1, approved_by: [a@b.eu, c@b.eu] }
";
    assert!(text.contains(good), "{good}");
    text.replacen(good, bad, 1)
}

#[test]
fn what_lifts_a_cap_is_short_approved_and_about_a_cap_that_gives_way() {
    for (good, bad, code, place) in [
        ("lifts: masked", "lifts: maskd", "P052", "maskd"),
        ("lifts: masked", "lifts: g", "P052", "g,"),
        ("lifts: masked", "lifts: never", "P052", "never"),
        ("lifts: masked, ", "", "Y011", "{ name: e"),
        ("roles: [sales]", "roles: [sales, clerk]", "P011", "clerk"),
        ("roles: [sales], ", "", "Y011", "{ name: e"),
        ("2027-01-26", "2027-01-27", "P052", "2027-01-27"),
        ("2027-01-26", "2026-12-27", "P052", "2026-12-27"),
        ("2027-01-26", "2027-02-30", "P027", "2027-02-30"),
        ("ticket: T-1", "ticket: \"\"", "P005", "\"\""),
        ("ticket: T-1, ", "", "Y011", "{ name: e"),
        ("[a@b.eu, c@b.eu]", "[a@b.eu]", "P052", "[a@b.eu]"),
        ("[a@b.eu, c@b.eu]", "[a@b.eu, A@b.eu]", "P052", "[a@b.eu"),
        (", approved_by: [a@b.eu, c@b.eu]", "", "Y011", "{ name: e"),
        ("name: e,", "name: masked,", "P004", "masked"),
    ] {
        told(&lifting(good, bad), code, place);
    }
    let (policy, found) = try_compile(&[&around(&lifting("2026-12-28", "2026-12-28"))]);
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    assert!(found.iter().all(|one| one.code != "W143"));
    let cap = &model(&policy).caps[0];
    assert_eq!(cap.exceptions[0].name.as_str(), "exception.e");
    assert!(model(&policy).caps[1].exceptions.is_empty());
    let over = lifting(
        "from: 2026-12-28, until: 2027-01-26",
        "from: 2026-11-01, until: 2026-11-20",
    );
    let (policy, found) = try_compile(&[&around(&over)]);
    assert!(policy.is_some());
    assert!(
        found.iter().any(|one| one.code == "W143"),
        "{}",
        found.render(false)
    );
}

#[test]
fn an_exception_is_in_force_on_its_days_and_no_other() {
    let in_zone = lifting("ticket", "zone: Europe/Paris, ticket");
    for (text, zone) in [(lifting("", ""), "UTC"), (in_zone, "Europe/Paris")] {
        let policy = compile(&[&around(&text)]);
        let Bit(bit) = model(&policy).caps[0].exceptions[0].when;
        let noted = &model(&policy).conditions[usize::from(bit)];
        assert!(!noted.withholds);
        let zone = TimeZone::get(zone).unwrap();
        for (day, time, expected) in [
            ("2026-12-27", "23:59:59", false),
            ("2026-12-28", "00:00:00", true),
            ("2027-01-26", "23:59:59", true),
            ("2027-01-27", "00:00:00", false),
        ] {
            let there: jiff::civil::DateTime = format!("{day}T{time}").parse().unwrap();
            let moment = there
                .to_zoned(zone.clone())
                .unwrap()
                .timestamp()
                .to_string();
            assert_eq!(
                holds_at(&noted.condition, &moment, &json!({})),
                Some(expected),
                "{moment}"
            );
        }
    }
}

#[test]
fn rules_that_ask_the_same_share_a_bit_and_there_are_at_most_64() {
    let rules = |count: usize, same: bool| {
        let caps = (0..count).map(|at| {
            let value = if same { 0 } else { at };
            format!("  - {{ name: c{at}, data: work, level: hide, when: {{ record.a: {{ equals: {value} }} }} }}\n")
        });
        format!("caps:\n{}", caps.collect::<String>())
    };
    let policy = compile(&[&around(&rules(100, true))]);
    assert_eq!(model(&policy).conditions.len(), 1);
    assert!(
        model(&policy)
            .caps
            .iter()
            .all(|cap| cap.when == Some(Bit(0)))
    );
    let policy = compile(&[&around(&rules(64, false))]);
    assert_eq!(model(&policy).conditions.len(), 64);
    told(&rules(65, false), "P050", "{ record.a: { equals: 64 }");
    // What the same condition counts for in doubt is another question.
    let both = "grants: [{ name: g, roles: sales, data: work, level: clear, when: { record.a: { equals: 1 } } }]
caps: [{ name: c, data: contact, level: hide, when: { record.a: { equals: 1 } } }]\n";
    let policy = compile(&[&around(both)]);
    let withholds: Vec<bool> = model(&policy)
        .conditions
        .iter()
        .map(|noted| noted.withholds)
        .collect();
    assert_eq!(withholds, [false, true]);
}

#[test]
fn conditions_say_what_is_written() {
    let record = json!({
        "owner": "u-1", "team": "East", "status": "Active", "amount": "12.50", "vip": "1",
        "created": "2024-06-30 08:00:00", "none": null,
    });
    for (condition, expected) in [
        ("{ record.owner: { equals: { caller: id } } }", Some(true)),
        (
            "{ record.OWNER: { not_equals: { caller: id } } }",
            Some(false),
        ),
        ("{ record.team: { in: { caller: teams } } }", Some(true)),
        (
            "{ record.team: { in: [West, { caller: teams }] } }",
            Some(true),
        ),
        ("{ record.team: { not_in: [West, North] } }", Some(true)),
        ("{ record.owner: { equals: { caller: type } } }", None),
        ("{ record.status: { equals: active } }", Some(false)),
        ("{ record.amount: { equals: 12.5 } }", Some(true)),
        (
            "{ record.amount: { less_than: 12.500000000000000000001 } }",
            Some(true),
        ),
        ("{ record.amount: { at_most: 12 } }", Some(false)),
        ("{ record.vip: { equals: true } }", Some(true)),
        ("{ record.created: { older_than: 2y } }", Some(true)),
        ("{ record.created: { older_than: 30mo } }", Some(false)),
        ("{ record.created: { newer_than: 130w } }", Some(true)),
        ("{ record.created: { before: 2024-06-30 } }", Some(false)),
        (
            "{ record.created: { after: 2024-06-30T10:00:00+02:00 } }",
            Some(true),
        ),
        ("{ record.none: { blank: true } }", Some(true)),
        ("{ record.missing: { blank: true } }", None),
        ("{ not: { record.missing: { blank: true } } }", None),
        (
            "{ record.vip: { equals: true }, record.status: { equals: Lost } }",
            Some(false),
        ),
        (
            "{ any: [ { record.missing: { equals: 1 } }, { caller.name: { equals: sally } } ] }",
            Some(true),
        ),
        ("{ caller.teams: { equals: All } }", Some(true)),
        ("{ caller.roles: { not_in: [boss] } }", Some(true)),
        ("{ caller.type: { blank: true } }", None),
        ("{ request.action: { in: [read, list] } }", Some(true)),
        ("{ request.module: { equals: Accounts } }", Some(false)),
        (
            "{ request.time: { before: 2026-12-01T12:00:01Z } }",
            Some(true),
        ),
        ("{ person.consented: { equals: true } }", None),
    ] {
        assert_eq!(
            holds_at(&keeping(condition), NOW, &record),
            expected,
            "{condition}"
        );
    }
    let office = format!(
        "rows: [{{ name: r, modules: Contacts, keep_when: {{ request.time: {{ inside: office }} }} }}]\n{OFFICE}"
    );
    let office = compile(&[&around(&office)]);
    let office = &model(&office).rows[0].keep_when;
    assert_eq!(
        holds_at(office, "2026-12-01T06:30:00Z", &record),
        Some(true)
    );
    assert_eq!(
        holds_at(office, "2026-12-01T06:29:59Z", &record),
        Some(false)
    );
    assert_eq!(
        holds_at(office, "2026-12-25T12:00:00Z", &record),
        Some(false)
    );
}

#[test]
fn a_schedule_of_a_whole_day_ends_at_24_and_one_of_a_night_on_the_next_day() {
    let text = "rows:
  - { name: r, modules: Contacts, keep_when: { request.time: { inside: sundays } } }
  - { name: s, modules: Contacts, keep_when: { request.time: { inside: nights } } }
schedules:
  sundays: { days: sun, from: \"00:00\", to: \"24:00\", zone: UTC }
  nights: { days: [mon], from: \"22:00\", to: \"06:00\", zone: UTC }
";
    let policy = compile(&[&around(text)]);
    let [sundays, nights] = [0, 1].map(|at| &model(&policy).rows[at].keep_when);
    for (condition, moment, expected) in [
        (sundays, "2026-11-29T00:00:00Z", true),
        (sundays, "2026-11-29T23:59:59Z", true),
        (sundays, "2026-11-30T00:00:00Z", false),
        (nights, "2026-11-30T22:00:00Z", true),
        (nights, "2026-12-01T05:59:59Z", true),
        (nights, "2026-12-01T06:00:00Z", false),
        (nights, "2026-11-29T23:00:00Z", false),
    ] {
        assert_eq!(
            holds_at(condition, moment, &json!({})),
            Some(expected),
            "{moment}"
        );
    }
}

#[test]
fn rows_keep_their_terms() {
    let text = "rows: [{ name: r, modules: [Contacts, Accounts], unless_roles: boss, purposes: contract, keep_when: { record.a: { equals: x } }, why: w }]\n";
    let policy = compile(&[&around(text)]);
    let row = &model(&policy).rows[0];
    assert_eq!(row.name.as_str(), "rows.r");
    assert_eq!(row.modules.len(), 2);
    let purposes = row.purposes.as_ref().unwrap();
    assert!(
        purposes
            .iter()
            .map(|purpose| purpose.as_str())
            .eq(["contract"])
    );
}

#[test]
fn a_field_that_nobody_knows_is_told() {
    for (rule, told) in [
        (
            "rows: [{ name: r, modules: [Contacts, Accounts], keep_when: { record.iban_pro_c: { equals: x } } }]\n",
            None,
        ),
        (
            "rows: [{ name: r, modules: Accounts, keep_when: { record.first_name: { equals: x } } }]\n",
            Some("`first_name` of Accounts"),
        ),
        (
            "caps: [{ name: c, data: work, level: hide, when: { record.first_name: { equals: x } } }]\n",
            None,
        ),
        (
            "caps: [{ name: c, data: work, level: hide, when: { record.frist_name: { equals: x } } }]\n",
            Some("`frist_name` of Accounts, Contacts"),
        ),
    ] {
        let (policy, found) = try_compile(&[&around(rule)]);
        assert!(policy.is_some(), "{}", found.render(false));
        let titles: Vec<&str> = found
            .iter()
            .filter(|one| one.code == "W156")
            .map(|one| one.title.as_str())
            .collect();
        assert_eq!(titles.len(), usize::from(told.is_some()), "{titles:?}");
        assert!(
            titles
                .iter()
                .all(|title| title.contains(told.unwrap_or_default())),
            "{titles:?}"
        );
    }
}

#[test]
fn what_asks_for_something_is_not_superfluous_beside_what_does_not() {
    let text = "grants:
  - { name: masked, roles: [sales, boss], data: contact, level: mask }
  - { name: own, roles: [sales, boss], data: contact, level: clear, when: { record.first_name: { equals: { caller: name } } } }
caps:
  - { name: nights, data: contact, level: redact, when: { request.time: { outside: office } } }
  - { name: lifted, data: contact, level: mask }
exceptions:
  - { name: e, lifts: lifted, roles: [sales, boss], from: 2026-12-28, until: 2027-01-08, ticket: T-1, approved_by: [a@b.eu, c@b.eu] }
";
    let (policy, found) = try_compile(&[&around(&format!("{text}{OFFICE}"))]);
    assert!(policy.is_some(), "{}", found.render(false));
    for code in ["W104", "W105", "W106", "W150"] {
        assert!(
            found.iter().all(|one| one.code != code),
            "{}",
            found.render(false)
        );
    }
}

#[test]
fn the_examples_of_the_documentation_are_policies() {
    let document = include_str!("../../../docs/policy.md");
    let base = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  finance: { from: { crm.role: Finance }, default_purpose: contract }
purposes: { contract: { legal_basis: contract, roles: [sales, finance] } }
classify:
  \"*\": { last_contact_c: technical.timestamp, converted_c: technical.timestamp, legal_hold_c: technical.timestamp, assigned_user_id: technical.owner, date_entered: technical.timestamp, status: commercial.subject, team_name: technical.owner }
  Contacts: { email: contact.email, iban_c: financial.iban, health_c: special.health, description: free_text }
  Leads: {}
  Notes: {}
  Accounts: {}
";
    for section in [
        "### Conditions",
        "### `rows`",
        "### `schedules`",
        "### `exceptions`",
        "### `people`",
        "### Consent, objections, restrictions",
        "### `retention`",
    ] {
        let text = document.split(&format!("\n{section}\n")).nth(1).unwrap();
        let example = text
            .split("```yaml\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let (policy, found) = try_compile(&[base, &format!("policy: p\n{example}")]);
        assert!(policy.is_some(), "{section}: {}", found.render(false));
        assert!(
            found.iter().all(|one| one.code != "W156"),
            "{}",
            found.render(false)
        );
    }
}

proptest! {
    #[test]
    fn what_a_condition_says_of_a_record_is_what_a_slow_reading_says(
        condition in oracle::condition(),
        record in oracle::record(),
    ) {
        let text = condition.to_string();
        prop_assert_eq!(
            holds_at(&keeping(&text), NOW, &record),
            condition.says(&record),
            "{} of {}", text, record
        );
    }

    #[test]
    fn the_order_of_conditions_and_rules_never_matters(
        conditions in prop::collection::vec(oracle::condition(), 1..4),
        record in oracle::record(),
    ) {
        let rows: Vec<String> = conditions.iter().enumerate().map(|(at, condition)| {
            format!("rows: [{{ name: r{at}, modules: Contacts, keep_when: {condition} }}]\npolicy: p\n")
        }).collect();
        let joined = |parts: Vec<String>| keeping(&format!("{{ all: [{}] }}", parts.join(", ")));
        let texts = || conditions.iter().map(ToString::to_string);
        prop_assert_eq!(
            holds_at(&joined(texts().collect()), NOW, &record),
            holds_at(&joined(texts().rev().collect()), NOW, &record)
        );
        let base = around("");
        let kept = |files: Vec<&str>| {
            let policy = compile(&files);
            let rows = &model(&policy).rows;
            let mut kept: Vec<_> = rows.iter().map(|row| {
                (row.name.as_str().to_owned(), holds_at(&row.keep_when, NOW, &record))
            }).collect();
            kept.sort();
            kept
        };
        let there: Vec<&str> = [base.as_str()].into_iter().chain(rows.iter().map(String::as_str)).collect();
        let back = there.iter().rev().copied().collect();
        prop_assert_eq!(kept(there), kept(back));
    }
}
