//! What holds of persons, callers and moments, under two policies that may mean different things by it.

use super::super::{Aspect, Change, Compared};
use super::compared;

const BASE: &str = "policy: t
roles:
  sales: { from: { crm.role: Sales }, default_purpose: selling }
  trainee: { from: { crm.team: [Trainees, Interns] }, default_purpose: selling }
purposes:
  selling: { legal_basis: contract, roles: [sales, trainee] }
  other: { legal_basis: contract, roles: [sales] }
classify:
  Contacts: { last_name: identity.name, birthdate: identity.birth_date, lead_source: commercial.source }
  Accounts: { name: work.organisation, industry: commercial.source }
schedules:
  office: { days: [mon, tue], from: \"07:30\", to: \"20:00\", zone: Europe/Paris }
grants:
  - { name: base, roles: [sales, trainee], data: [identity.name, commercial.source, work, technical.id], level: clear }
";

const CONSENT: &str = "policy: t
organisation: { name: Example SA, country: FR, address: x, dpo: dpo@example.com, authority: { name: CNIL, url: \"https://www.cnil.fr\" }, languages: [en] }
texts: { newsletter: { version: \"3\", en: I want it. } }
people: { Contacts: { kind: customer, email: email1 } }
roles:
  marketing: { from: { crm.role: Marketing }, default_purpose: newsletter }
  partner: { from: { crm.user: acme }, recipient: acme }
purposes:
  newsletter: { legal_basis: consent, roles: marketing, consent: { proof: double-opt-in, max_age: 3y, matchable: technical.timestamp, text: newsletter } }
  portability: { legal_basis: consent, roles: partner, consent: { proof: signed-request, max_age: 30d, names_recipient: true } }
  plain: { legal_basis: contract, roles: marketing }
classify:
  Contacts: { last_name: identity.name, email1: contact.email }
grants:
  - { name: all, roles: [marketing, partner], data: [identity.name, contact.email], level: clear }
";

fn of(rules: &str) -> String {
    format!("{BASE}{rules}")
}

fn words(change: &Change) -> String {
    let when: Vec<String> = change.when.iter().map(ToString::to_string).collect();
    format!(
        "{} {} {} -> {} {}",
        change.aspect.as_str(),
        change.roles.join("+"),
        change.old,
        change.new,
        when.join(", ")
    )
}

fn more(compared: &Compared) -> Vec<String> {
    let parts = [&compared.more, &compared.usable, &compared.writable];
    parts.into_iter().flatten().map(words).collect()
}

fn has(compared: &Compared, aspect: Aspect) -> bool {
    let parts = [&compared.more, &compared.usable];
    parts.into_iter().flatten().any(|one| one.aspect == aspect)
}

/// Grants of birth dates, each where something holds.
fn births(conditions: &[&str]) -> String {
    let one = |(at, when): (usize, &&str)| {
        format!(
            "  - {{ name: g{at}, roles: sales, data: identity.birth_date, level: clear{when} }}\n"
        )
    };
    let grants: String = conditions.iter().enumerate().map(one).collect();
    of(&grants)
}

const OWN: &str = ", when: { record.assigned_user_id: { equals: { caller: id } } }";
const READ: &str = ", when: { request.action: { equals: read } }";
const EAST: &str = ", when: { record.lead_source: { in: East } }";
const NOT_EAST: &str = ", when: { record.lead_source: { not_in: East } }";

#[test]
fn all_alternatives_are_told() {
    let found = compared(BASE, &births(&[OWN, READ]));
    let shown: Vec<String> = more(&found);
    let shown = shown.iter().find(|line| line.starts_with("shown")).unwrap();
    assert!(
        shown.contains("where `g0` holds, or where `g1` holds"),
        "{shown}"
    );
    // What is more in another case is another line.
    let fewer = compared(BASE, &births(&[OWN]));
    assert!(!more(&fewer).contains(shown));
}

#[test]
fn where_too_much_is_conditional_nobody_says_that_all_is_told() {
    let many: Vec<String> = (0..12)
        .map(|at| format!(", when: {{ record.lead_source: {{ equals: s{at} }} }}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let found = compared(BASE, &births(&many));
    assert!(
        more(&found)
            .iter()
            .any(|line| line.contains("perhaps elsewhere")),
        "{:?}",
        more(&found)
    );
}

#[test]
fn what_nobody_knows_is_a_case_of_its_own() {
    let found = compared(&births(&[EAST, NOT_EAST]), &births(&[""]));
    assert!(
        more(&found)
            .iter()
            .any(|line| line.contains("nobody knows")),
        "{found:?}"
    );
    let back = compared(&births(&[""]), &births(&[EAST, NOT_EAST]));
    assert!(more(&back).is_empty() && !back.less.is_empty(), "{back:?}");
}

#[test]
fn who_loses_a_role_that_held_records_back_has_more_of_them() {
    let rules = "rows: [ { name: open, modules: Contacts, roles: trainee, keep_when: { record.lead_source: { equals: open } } } ]\n";
    let (wide, narrow) = (
        of(rules),
        of(rules).replace("[Trainees, Interns]", "Trainees"),
    );
    let found = compared(&wide, &narrow);
    assert!(has(&found, Aspect::Rows), "{found:?}");
    assert!(!has(&compared(&narrow, &wide), Aspect::Rows));
}

#[test]
fn the_roles_that_count_are_those_of_each_policy() {
    let rules = "  - { name: births, roles: sales, data: identity.birth_date, level: clear }
caps: [ { name: c, data: identity.birth_date, level: redact, when: { caller.roles: { equals: trainee } } } ]\n";
    let (wide, narrow) = (
        of(rules),
        of(rules).replace("[Trainees, Interns]", "Trainees"),
    );
    let found = compared(&wide, &narrow);
    assert!(
        more(&found)
            .iter()
            .any(|line| line.starts_with("shown sales redact -> clear")),
        "{found:?}"
    );
    let back = compared(&narrow, &wide);
    assert!(!has(&back, Aspect::Shown), "{back:?}");
}

#[test]
fn consent_on_other_terms_keeps_other_records() {
    assert!(compared(CONSENT, CONSENT).is_same());
    for (from, to) in [
        ("proof: double-opt-in", "proof: single-opt-in"),
        ("max_age: 3y", "max_age: 5y"),
        (", names_recipient: true", ""),
    ] {
        let weaker = CONSENT.replacen(from, to, 1);
        let found = compared(CONSENT, &weaker);
        assert!(has(&found, Aspect::Rows), "{to}: {found:?}");
        let back = compared(&weaker, CONSENT);
        assert!(
            more(&back).is_empty() && !back.less.is_empty(),
            "{to}: {back:?}"
        );
    }
    for (from, to) in [
        ("recipient: acme", "recipient: other"),
        ("email: email1", "email: last_name"),
    ] {
        let other = CONSENT.replacen(from, to, 1);
        assert!(has(&compared(CONSENT, &other), Aspect::Rows), "{to}");
        assert!(has(&compared(&other, CONSENT), Aspect::Rows), "{to}");
    }
}

#[test]
fn what_withheld_records_may_be_found_by_is_a_use() {
    let wider = CONSENT.replacen(
        "matchable: technical.timestamp",
        "matchable: [technical.timestamp, identity.name]",
        1,
    );
    let found = compared(CONSENT, &wider);
    assert!(has(&found, Aspect::Used), "{found:?}");
    let back = compared(&wider, CONSENT);
    assert!(more(&back).is_empty() && !back.less.is_empty(), "{back:?}");
}

#[test]
fn another_default_purpose_for_which_rows_do_not_count_is_more() {
    let rules = "rows: [ { name: open, modules: Contacts, roles: sales, purposes: selling, keep_when: { record.lead_source: { equals: open } } } ]\n";
    let old = of(rules);
    let new = old.replacen(
        "crm.role: Sales }, default_purpose: selling",
        "crm.role: Sales }, default_purpose: other",
        1,
    );
    let of_sales = |found: &Compared| {
        let is_one = |one: &&Change| one.aspect == Aspect::Default && one.roles == ["sales"];
        [&found.more, &found.less].map(|part| part.iter().any(|one| is_one(&one)))
    };
    assert_eq!(of_sales(&compared(&old, &new)), [true, false]);
    assert_eq!(of_sales(&compared(&new, &old)), [false, true]);
}

#[test]
fn copies_that_are_withheld_no_longer_are_told() {
    let cap = |when: &str| {
        of(&format!(
            "caps: [ {{ name: c, roles: trainee, data: work.organisation, level: redact{when} }} ]\n"
        ))
    };
    let asks = cap(", when: { record.industry: { equals: secret } }");
    let found = compared(&asks, &cap(""));
    assert!(
        found.more.iter().any(|one| {
            let field = one.field.as_deref().unwrap_or_default();
            field.contains("account_name") && one.roles == ["sales"]
        }),
        "{found:?}"
    );
}

#[test]
fn what_depends_on_a_caller_of_whom_nothing_is_known_holds_for_nobody_else() {
    let row = |operands: &str| {
        of(&format!(
            "rows: [ {{ name: r, modules: Contacts, keep_when: {{ record.lead_source: {{ in: [{operands}] }} }} }} ]\n"
        ))
    };
    let (wide, narrow) = (row("East, { caller: teams }"), row("East"));
    // Who has no teams that anybody knows, had none of the records.
    assert!(has(&compared(&wide, &narrow), Aspect::Rows));
    assert!(has(&compared(&narrow, &wide), Aspect::Rows));
}

#[test]
fn limits_that_let_more_through_are_more() {
    let limit = |terms: &str| of(&format!("limits: [ {{ name: bulk, {terms} }} ]\n"));
    let base = "roles: sales, count: records, data: identity, max: 500/h, then: block";
    let old = limit(base);
    assert!(compared(&old, &old.replace("bulk", "other")).is_same());
    for (from, to) in [
        ("500/h", "501/h"),
        ("500/h", "500/m"),
        ("then: block", "then: alert"),
        ("data: identity", "data: identity.name"),
        ("max", "level: clear, max"),
        ("max", "modules: Contacts, max"),
        ("max", "purposes: selling, max"),
    ] {
        let new = limit(&base.replacen(from, to, 1));
        let found = compared(&old, &new);
        assert!(has(&found, Aspect::Limits), "{to}: {found:?}");
        let back = compared(&new, &old);
        assert!(more(&back).is_empty() && !back.less.is_empty(), "{to}");
    }
    assert!(has(&compared(&old, BASE), Aspect::Limits));
    assert!(more(&compared(BASE, &old)).is_empty());
}

#[test]
fn limits_on_records_and_on_persons_cannot_be_compared() {
    let limit = |count: &str, people: &str| {
        of(&format!(
            "people: {{ Contacts: {{ kind: customer }}{people} }}\nlimits: [ {{ name: bulk, count: {count}, max: 5/h, then: block }} ]\n"
        ))
    };
    let (records, persons) = (limit("records", ""), limit("persons", ""));
    for (old, new) in [(&records, &persons), (&persons, &records)] {
        let found = compared(old, new);
        assert!(has(&found, Aspect::Limits), "{found:?}");
        let told = more(&found).join("; ");
        assert!(
            told.contains("5 records in 1h") && told.contains("5 persons in 1h"),
            "{told}"
        );
    }
    assert!(compared(&persons, &persons.replace("bulk", "other")).is_same());
    assert!(!has(
        &compared(&persons, &persons.replace("5/h", "4/h")),
        Aspect::Limits
    ));
    // Whom records are about is what is counted, where persons are.
    let of_nobody = ", Accounts: none";
    assert!(has(
        &compared(&persons, &limit("persons", of_nobody)),
        Aspect::Limits
    ));
    assert!(!has(
        &compared(&records, &limit("records", of_nobody)),
        Aspect::Limits
    ));
}

#[test]
fn three_roles_of_an_exception_are_looked_at() {
    let policy = |roles: &str| {
        "policy: t
roles:
  one: { from: { crm.role: One }, default_purpose: p }
  two: { from: { crm.role: Two }, default_purpose: p }
  three: { from: { crm.role: Three }, default_purpose: p }
purposes: { p: { legal_basis: contract, roles: [one, two, three] } }
classify: { Contacts: { birthdate: identity.birth_date } }
grants: [ { name: g, roles: one, data: identity.birth_date, level: clear } ]
caps: [ { name: c, roles: two, data: identity.birth_date, level: redact } ]
exceptions:
  - { name: e, lifts: c, roles: ROLES, from: 2026-11-28, until: 2026-12-08, ticket: T, approved_by: [a@example.com, b@example.com], why: x }
"
        .replace("ROLES", roles)
    };
    let found = compared(&policy("[one, two]"), &policy("[one, two, three]"));
    assert!(
        found
            .more
            .iter()
            .any(|one| one.roles == ["one", "three", "two"]),
        "{found:?}"
    );
}
