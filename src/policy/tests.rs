//! What a policy promises.

use std::sync::Arc;

mod causes;
mod compared;
mod conditional;
mod conditions;
mod folder;
mod found;
mod identity;
mod limits;
mod lints;
mod observe;
mod order;
mod people;
mod planted;
mod proofs;
mod properties;
mod retention;
mod shipped;
mod superfluous;
mod trust;
mod uses;

use super::plan::{Decision, FieldRule, Show, Usable, Writable};
use super::testing::{SAMPLE, caller, compile, filtered, list, try_compile};
use super::{Plan, Policy, Source};
use crate::detect::Kind;
use crate::diagnostic::Severity;
use crate::dialect::engine::Described;
use crate::dialect::{Access, Dialect, Link, Path, Projected, Query, Sort};
use crate::mask::Mask;
use crate::reason::Reason;
use crate::vocabulary::{Level, Module, Purpose, Role};

fn plan(policy: &Policy, roles: &[&str], purpose: Option<&str>) -> Plan {
    match policy.decide(&caller(roles), purpose, &list(Some("Contacts"))) {
        Decision::Permit(plan) => plan,
        Decision::Deny(denial) => panic!("denied: {}", denial.reason),
    }
}

fn rule(plan: &Plan, field: &str) -> Arc<FieldRule> {
    plan.records(&Module::new("Contacts")).field(field)
}

fn names(rule: &FieldRule) -> Vec<&str> {
    rule.by.iter().map(|name| name.as_str()).collect()
}

fn reason(decision: Decision) -> Option<Reason> {
    match decision {
        Decision::Permit(_) => None,
        Decision::Deny(denial) => Some(denial.reason),
    }
}

/// A policy around some rules: two roles, two purposes, a few classified fields.
fn around(rules: &str) -> String {
    format!(
        "policy: p
roles:
  sales: {{ from: {{ crm.role: Sales }}, default_purpose: contract }}
  boss: {{ from: {{ crm.role: [Boss, Chief], crm.team: West }} }}
purposes:
  contract: {{ legal_basis: contract, roles: [sales, boss] }}
  audit: {{ legal_basis: legal-obligation, roles: boss }}
auth:
  strong: {{ acr: phr, max_age: 15m }}
classify:
  \"*\": {{ description: free_text, \"*iban*\": financial.iban }}
  Contacts:
    first_name: identity.name
    last_name: identity.name
    email: contact.email
    iban_pro_c: {{ category: work.position, instead_of: financial.iban, reviewed: {{ by: a@b.eu, on: 2026-11-02, why: not one }} }}
    nir_c: identity.national_id
    health_c: special.health
  Accounts: {{ name: work.organisation }}
{rules}"
    )
}

#[test]
fn the_sample_policy_compiles_without_errors_or_warnings() {
    let (policy, found) = try_compile(&[SAMPLE]);
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    assert_eq!(
        found.errors() + found.warnings(),
        0,
        "{}",
        found.render(false)
    );
    assert_eq!(policy.name(), "sugarcrm-eu");
    assert!(policy.hash().starts_with("sha256:") && policy.hash().len() == 71);
    let summary = policy.summary();
    assert_eq!((summary.grants, summary.caps, summary.modules), (5, 2, 3));
}

#[test]
fn explain_of_the_sample_names_every_reason() {
    let policy = compile(&[SAMPLE]);
    let explanation = policy
        .explain(
            &[Role::new("finance")],
            &Purpose::new("payment"),
            &[],
            &Module::new("Contacts"),
        )
        .unwrap();
    let text = explanation.render();
    let hash = policy.hash();
    let head = format!(
        "finance, for \"payment\" (legal obligation), CRM session — policy sugarcrm-eu {}…{}\n",
        &hash[..11],
        &hash[69..]
    );
    assert!(text.starts_with(&head), "{text}");
    insta::assert_snapshot!(&text[head.len()..], @r#"
FIELD             CATEGORY              SHOWN   MATCHED  WRITTEN  BECAUSE
account_name      work.organisation     clear   yes      yes      grant base-data (policies/p0.yaml:61); made of Accounts.name
assigned_user_id  technical.owner       clear   yes      yes      grant plumbing (60)
birthdate         identity.birth_date   redact  no       no       no grant for these roles and this purpose
date_entered      technical.timestamp   clear   yes      yes      grant plumbing (60)
date_modified     technical.timestamp   clear   yes      yes      grant plumbing (60)
description       free_text             clear   no       yes      grant base-data (61); identifiers found inside follow their own category
email             contact.email         clear   yes      yes      grant base-data (61)
email1            contact.email         clear   yes      yes      grant base-data (61); made of email
first_name        identity.name         clear   yes      yes      grant base-data (61)
full_name         identity.name         clear   yes      yes      grant base-data (61); made of first_name, last_name, salutation
health_notes_c    special.health        hide    no       no       cap no-special-categories (71): Art. 9 data has no place in this CRM; firm
id                technical.id          clear   yes      yes      grant plumbing (60)
last_name         identity.name         clear   yes      yes      grant base-data (61)
phone_home        contact.phone         clear   yes      yes      grant base-data (61)
religion_c        special.belief        hide    no       no       cap no-special-categories (71): Art. 9 data has no place in this CRM; firm
union_member_c    special.trade_union   hide    no       no       cap no-special-categories (71): Art. 9 data has no place in this CRM; firm
*bic*             financial.bic         mask    no       no       grant iban-last-digits (66)
                                                                  nearly: iban-for-payment (67) would give clear, needs strong authentication
*iban*            financial.iban        mask    no       no       grant iban-last-digits (66)
                                                                  nearly: iban-for-payment (67) would give clear, needs strong authentication
*nir*             identity.national_id  redact  no       no       cap no-national-id (72); firm
*phone*           contact.phone         clear   yes      yes      grant base-data (61)
(any other)       (unclassified)        redact  no       no       defaults.unclassified
"#);
}

#[test]
fn explain_with_a_strength_shows_what_it_gives() {
    let policy = compile(&[SAMPLE]);
    let explain = |strengths: &[&str], module: &str| {
        policy.explain(
            &[Role::new("finance"), Role::new("sales")],
            &Purpose::new("payment"),
            strengths,
            &Module::new(module),
        )
    };
    let explanation = explain(&["strong"], "Contacts").unwrap();
    let row = |name: &str| {
        explanation
            .rows
            .iter()
            .find(|row| row.field == name)
            .unwrap()
    };
    assert_eq!(row("*iban*").level, Level::Clear);
    assert_eq!(row("*iban*").by, ["iban-for-payment"]);
    assert_eq!(explanation.roles, [Role::new("finance")]);
    let text = explanation.render();
    assert!(text.contains("strong authentication"), "{text}");
    assert!(text.contains("sales does not count"), "{text}");
    let json = explanation.to_json();
    assert_eq!(json["fields"][0]["field"], "account_name");
    assert_eq!(json["strengths"][0], "strong");

    let error = explain(&["stron"], "Contacts").unwrap_err().to_string();
    assert_eq!(error, "unknown strength `stron`; did you mean `strong`?");
    let error = explain(&[], "Contract").unwrap_err().to_string();
    assert!(error.starts_with("unknown module `Contract`"), "{error}");
    let closed = policy
        .explain(
            &[Role::new("dpo")],
            &Purpose::new("payment"),
            &[],
            &Module::new("Contacts"),
        )
        .unwrap_err();
    assert_eq!(
        closed.to_string(),
        "none of these roles may invoke `payment`; these may: finance"
    );
}

#[test]
fn all_mistakes_are_shown_at_once_with_place_and_fix() {
    let text = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
purposes:
  contract: { legal_basis: contract, roles: [sales] }
classify:
  Contacts: { first_name: identity.name, \"*iban*\": technical.id }
grants:
  - { name: base, roles: marketting, data: [identity.civilty], level: cleer }
capz: []
";
    let (policy, found) = try_compile(&[text]);
    assert!(policy.is_none());
    insta::assert_snapshot!(found.render(false), @r#"
error[P021]: a wildcard may never classify as `technical`
 --> policies/p0.yaml:7:52
  |
7 |   Contacts: { first_name: identity.name, "*iban*": technical.id }
  |                                                    ^^^^^^^^^^^^ for every field that fits `*iban*`
  |
help: name each technical field exactly

error[P011]: unknown role `marketting`
 --> policies/p0.yaml:9:26
  |
9 |   - { name: base, roles: marketting, data: [identity.civilty], level: cleer }
  |                          ^^^^^^^^^^ not declared under `roles`
  |
help: declared: sales

error[P014]: unknown data category `identity.civilty`
 --> policies/p0.yaml:9:45
  |
9 |   - { name: base, roles: marketting, data: [identity.civilty], level: cleer }
  |                                             ^^^^^^^^^^^^^^^^ not in the catalogue and not defined under `categories`
  |
help: a category with a similar name exists: `identity.civility`

error[Y013]: unknown level `cleer`
 --> policies/p0.yaml:9:71
  |
9 |   - { name: base, roles: marketting, data: [identity.civilty], level: cleer }
  |                                                                       ^^^^^ must be one of: hide, redact, token, mask, clear
  |
help: did you mean `clear`?

error[P001]: unknown section `capz`
  --> policies/p0.yaml:10:1
   |
10 | capz: []
   | ^^^^ not a section of a policy
   |
help: did you mean `caps`?
"#);
}

#[test]
fn everything_that_does_not_exist_yet_is_refused_by_name() {
    let grant = |key: &str| {
        format!("grants: [{{ name: g, roles: sales, data: work, level: clear, {key}: x }}]\n")
    };
    let mut cases: Vec<String> = ["extends"]
        .iter()
        .map(|section| format!("{section}: []\n"))
        .collect();
    for key in ["ask", "match", "kind", "country"] {
        if key != "ask" {
            cases.push(grant(key));
        }
        cases.push(format!(
            "caps: [{{ name: c, data: work, level: hide, {key}: x }}]\n"
        ));
    }
    cases.push("detectors: [{ name: d, in: free_text, find: [iban, names] }]\n".to_owned());
    for text in cases {
        let (policy, found) = try_compile(&[&around(&text)]);
        assert!(policy.is_none(), "{text}");
        let shown = found.render(false);
        assert!(shown.contains("is not supported yet"), "{text}: {shown}");
        assert_eq!(found.errors(), 1, "{text}: {shown}");
    }
    for (bad, good) in [
        ("claim.groups: x", "crm.role: Sales"),
        ("client.id: x", "crm.role: Sales"),
    ] {
        let text = around("").replacen(good, bad, 1);
        let (policy, found) = try_compile(&[&text]);
        assert!(policy.is_none(), "{bad}");
        assert!(
            found.render(false).contains("is not supported yet"),
            "{bad}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_class_of_mistake_has_its_code() {
    for (rules, code) in [
        ("policy: other\n", "Y002"),
        ("capz: []\n", "P001"),
        (
            "grants: [{ name: g, roles: salse, data: work, level: clear }]\n",
            "P011",
        ),
        (
            "grants: [{ name: g, roles: sales, purposes: contrat, data: work, level: clear }]\n",
            "P012",
        ),
        (
            "grants: [{ name: g, roles: sales, data: work, level: clear, requires: { auth: stong } }]\n",
            "P013",
        ),
        (
            "grants: [{ name: g, roles: sales, data: wrok, level: clear }]\n",
            "P014",
        ),
        (
            "caps: [{ name: c, data: identity.nam, level: hide }]\n",
            "P014",
        ),
        (
            "grants: [{ name: g, roles: sales, data: work, level: open }]\n",
            "Y013",
        ),
        ("grants: [{ name: g, data: work, level: clear }]\n", "Y011"),
        (
            "grants: [{ name: g, roles: [], data: work, level: clear }]\n",
            "Y012",
        ),
        (
            "grants: [{ name: g, roles: sales, data: contact, level: mask, write: allow }]\n",
            "P025",
        ),
        (
            "grants: [{ name: g, roles: sales, data: financial.iban, level: mask, write: yes }]\n",
            "Y013",
        ),
        ("caps: [{ name: c, data: work, write: allow }]\n", "P030"),
        ("caps: [{ name: c, data: work, write: no }]\n", "Y013"),
        ("caps: [{ name: c, data: work }]\n", "Y011"),
        (
            "grants: [{ name: g, roles: sales, data: work, level: clear }]\ncaps: [{ name: g, data: work, level: mask }]\n",
            "P004",
        ),
        (
            "grants: [{ name: défaut, roles: sales, data: work, level: clear }]\n",
            "P005",
        ),
        (
            "grants: [{ name: defaults.x, roles: sales, data: work, level: clear }]\n",
            "P005",
        ),
        (
            "caps: [{ name: c, data: work, level: hide, roles: sales, unless_roles: boss }]\n",
            "P024",
        ),
        ("search: { Contcts: [first_name] }\n", "P018"),
        ("search: { Contacts: [\"*name\"] }\n", "P005"),
        ("search: { \"*\": [name] }\n", "P028"),
        ("categories: { work.x: { mask: { last: 0 } } }\n", "Y016"),
        ("categories: { work.x: { mask: ibann } }\n", "P016"),
        ("categories: { work.x: { mask: { lst: 2 } } }\n", "P016"),
        (
            "categories: { work.x: { mask: { last: 1, first: 1 } } }\n",
            "P016",
        ),
        (
            "categories: { work.x: { mask: { date: \"YYYY\" } } }\n",
            "Y013",
        ),
        ("categories: { Work.X: {} }\n", "P005"),
        ("defaults: { unclassified: clear }\n", "Y013"),
        (
            "detectors: [{ name: d, in: freetext, find: iban }]\n",
            "P014",
        ),
    ] {
        let (policy, found) = try_compile(&[&around(rules)]);
        assert!(policy.is_none(), "{rules}");
        let codes: Vec<_> = found.iter().map(|d| d.code).collect();
        assert!(codes.contains(&code), "{rules}: {}", found.render(false));
    }
    for (good, bad, code) in [
        ("{ crm.role: Sales }", "{}", "P026"),
        ("crm.role: Sales", "crm.rol: Sales", "P015"),
        (
            "default_purpose: contract",
            "default_purpose: audit",
            "P020",
        ),
        (
            "\"*iban*\": financial.iban",
            "\"*iban*\": technical.owner",
            "P021",
        ),
        ("first_name: identity.name", "first_name: identity", "P014"),
        ("first_name: identity.name", "prénom: identity.name", "P005"),
        ("iban_pro_c: {", "\"*pro_c\": {", "P022"),
        (
            ", reviewed: { by: a@b.eu, on: 2026-11-02, why: not one }",
            "",
            "P023",
        ),
        ("on: 2026-11-02", "on: 2026-13-02", "P027"),
        ("on: 2026-11-02, ", "", "Y011"),
        ("policy: p\n", "", "P002"),
        ("policy: p\n", "policy: \"p p\"\n", "P005"),
        (
            "nir_c: identity.national_id",
            "First_Name: identity.name",
            "P004",
        ),
        ("legal_basis: contract", "legal_basis: wish", "Y013"),
    ] {
        let text = around("").replacen(good, bad, 1);
        let (policy, found) = try_compile(&[&text]);
        assert!(policy.is_none(), "{bad}");
        let codes: Vec<_> = found.iter().map(|d| d.code).collect();
        assert!(codes.contains(&code), "{bad}: {}", found.render(false));
    }
}

#[test]
fn a_name_defined_in_two_files_is_an_error_that_shows_both() {
    let other = "policy: p\nroles:\n  sales: { from: { crm.user: x } }\nclassify:\n  Contacts: { first_name: work.position }\n";
    let (policy, found) = try_compile(&[&around(""), other]);
    assert!(policy.is_none());
    let text = found.render(false);
    assert_eq!(found.errors(), 2, "{text}");
    assert!(text.contains("role `sales` is defined twice"), "{text}");
    assert!(text.contains("policies/p0.yaml:3:3"), "{text}");
    assert!(text.contains("policies/p1.yaml:3:3"), "{text}");
    let (_, found) = try_compile(&[&around(""), "policy: q\n"]);
    assert!(found.render(false).contains("error[P003]"));
}

#[test]
fn warnings_are_few_and_right() {
    for (rules, expected) in [
        ("", vec!["W127"]),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: clear }]\n",
            vec![],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: clear }, { name: h, roles: sales, purposes: audit, data: work, level: clear }]\n",
            vec!["W103"],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: redact }]\n",
            vec!["W104"],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: clear }, { name: h, roles: sales, data: work.position, level: token }]\n",
            vec!["W105"],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: special.health, level: clear }]\ncaps: [{ name: c, data: special, level: hide }]\n",
            vec!["W106"],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: clear }]\ncaps: [{ name: c, data: special, level: clear }]\n",
            vec!["W104"],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: clear }]\nsearch: { Contacts: [first_name, shoe_size_c] }\n",
            vec!["W109"],
        ),
        (
            "grants: [{ name: g, roles: [sales, boss], data: work, level: clear, requires: { auth: strong } }]\n",
            vec![],
        ),
    ] {
        let (policy, found) = try_compile(&[&around(rules)]);
        assert!(policy.is_some(), "{}", found.render(false));
        let codes: Vec<_> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, expected, "{rules}: {}", found.render(false));
    }
    let quiet = "grants: [{ name: g, roles: [sales, boss], data: work, level: clear }]\n";
    for (good, bad, code) in [
        (
            "instead_of: financial.iban",
            "instead_of: financial.bic",
            "W108",
        ),
        ("\"*iban*\"", "\"*lut*\"", "W107"),
        (
            "roles: [sales, boss] }\n  audit",
            "roles: [boss] }\n  audit",
            "P020",
        ),
        (
            "roles: [sales, boss] }\n  audit: { legal_basis: legal-obligation, roles: boss }",
            "roles: [sales] }",
            "W101",
        ),
    ] {
        let text = around(quiet).replacen(good, bad, 1);
        let (_, found) = try_compile(&[&text]);
        assert!(
            found.iter().any(|d| d.code == code),
            "{bad}: {}",
            found.render(false)
        );
    }
}

#[test]
fn a_parent_is_named_by_the_field_that_names_records() {
    let described = |field: &str| {
        let text = include_str!("../../examples/espocrm/espocrm.yaml").replacen(
            "field: name }",
            &format!("field: {field} }}"),
            1,
        );
        let (described, found) = Described::read("espocrm.yaml", &text);
        Arc::new(described.unwrap_or_else(|| panic!("{}", found.render(false))))
    };
    let text = include_str!("../../examples/espocrm/policy/espocrm.yaml");
    for (field, level) in [("name", Level::Clear), ("cReligion", Level::Hide)] {
        let source = Source {
            path: "policy.yaml".to_owned(),
            text: text.replacen("crm.team: \"Sales\"", "crm.role: \"Sales\"", 1),
        };
        let (policy, found) =
            Policy::compile(&[source], &[described(field).schema().clone()], &[0; 32]);
        let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
        let Decision::Permit(plan) =
            policy.decide(&caller(&["Sales"]), None, &list(Some("Account")))
        else {
            panic!("denied")
        };
        let shown = plan
            .records(&Module::new("Account"))
            .display_name()
            .unwrap();
        assert_eq!(shown.level, level, "{field}");
    }
}

#[test]
fn data_that_a_dialect_takes_for_scaffolding_is_told() {
    let (described, _) = Described::read(
        "espocrm.yaml",
        include_str!("../../examples/espocrm/espocrm.yaml"),
    );
    let schema = described.unwrap().schema().clone();
    let text = include_str!("../../examples/espocrm/policy/espocrm.yaml");
    for (entry, expected) in [
        ("", vec![]),
        ("isFollowed: technical.state, ", vec![]),
        ("IsFollowed: special.health, ", vec!["W111"]),
    ] {
        let contact = format!("  Contact: {{ {entry}cShoeSize: free_text }}");
        let source = Source {
            path: "policy.yaml".to_owned(),
            text: text.replacen("  Contact: {}", &contact, 1),
        };
        let (_, found) = Policy::compile(&[source], std::slice::from_ref(&schema), &[0; 32]);
        let told = found.iter().filter(|d| d.severity != Severity::Note);
        let codes: Vec<_> = told.map(|d| d.code).collect();
        assert_eq!(codes, expected, "{entry}: {}", found.render(false));
    }
}

#[test]
fn roles_come_from_all_the_evidence_of_one_entry() {
    let policy = compile(&[&around("")]);
    let roles = |crm: &[&str], purpose| match policy.decide(&caller(crm), purpose, &list(None)) {
        Decision::Permit(plan) => plan.roles().to_vec(),
        Decision::Deny(denial) => denial.roles,
    };
    assert_eq!(roles(&["Sales"], None), [Role::new("sales")]);
    assert_eq!(roles(&["Chief"], Some("audit")), [Role::new("boss")]);
    assert_eq!(roles(&["sales"], None), []);
    let (text, west) = (around(""), "crm.team: West");
    let elsewhere = compile(&[&text.replacen(west, "crm.team: East", 1)]);
    let decision = elsewhere.decide(&caller(&["Boss"]), Some("audit"), &list(None));
    assert_eq!(reason(decision), Some(Reason::NoRole));
    let by_name = compile(&[&text.replacen(west, "crm.user: ada, crm.type: user", 1)]);
    let decision = by_name.decide(&caller(&["Boss"]), Some("audit"), &list(None));
    assert_eq!(reason(decision), None);
}

#[test]
fn the_purpose_is_stated_or_the_one_default_and_narrows_the_roles() {
    let text = around("");
    let policy = compile(&[&text]);
    let decide = |policy: &Policy, roles: &[&str], stated: Option<&str>| {
        policy.decide(&caller(roles), stated, &list(Some("Contacts")))
    };
    let Decision::Permit(plan) = decide(&policy, &["Sales", "Boss"], None) else {
        panic!("denied");
    };
    let purpose = plan.purpose().unwrap();
    assert_eq!(
        (purpose.purpose.as_str(), purpose.chosen_by),
        ("contract", "default")
    );
    assert_eq!(&*purpose.basis, "contract");
    assert_eq!(plan.roles().len(), 2);
    let Decision::Permit(plan) = decide(&policy, &["Sales", "Boss"], Some("audit")) else {
        panic!("denied");
    };
    assert_eq!(plan.purpose().unwrap().chosen_by, "header");
    assert_eq!(plan.roles(), [Role::new("boss")]);

    let denied = |roles: &[&str], stated| reason(decide(&policy, roles, stated));
    assert_eq!(
        denied(&["Sales"], Some("audit")),
        Some(Reason::PurposeNotAllowed)
    );
    assert_eq!(
        denied(&["Sales"], Some("nothing")),
        Some(Reason::PurposeNotAllowed)
    );
    assert_eq!(denied(&["Boss"], None), Some(Reason::NoPurpose));
    assert_eq!(denied(&["Nobody"], Some("contract")), Some(Reason::NoRole));
    let two = text.replacen(
        "crm.team: West }",
        "crm.team: West }, default_purpose: audit",
        1,
    );
    let two = compile(&[&two]);
    let decision = decide(&two, &["Sales", "Boss"], None);
    assert_eq!(reason(decision), Some(Reason::AmbiguousPurpose));
}

#[test]
fn only_known_modules_pass_and_what_is_matched_or_sorted_must_be_clear() {
    let policy = compile(&[&around(
        "grants: [{ name: g, roles: sales, data: [identity.name, contact], level: clear }, { name: m, roles: sales, data: financial, level: mask }]\n",
    )]);
    let decide = |operation| reason(policy.decide(&caller(&["Sales"]), None, &operation));
    assert_eq!(decide(list(None)), None);
    assert_eq!(decide(list(Some("Contacts"))), None);
    assert_eq!(decide(list(Some("contacts"))), Some(Reason::UnknownModule));
    assert_eq!(decide(list(Some("Tasks"))), Some(Reason::UnknownModule));
    let mut linked = list(Some("Contacts"));
    linked.link = Some(Link {
        name: "tasks".to_owned(),
        target: Module::new("Tasks"),
    });
    assert_eq!(decide(linked), Some(Reason::UnknownModule));

    for (field, usable) in [
        ("first_name", true),
        ("FIRST_NAME", true),
        ("email", true),
        ("email2", true),
        ("full_name", true),
        ("iban_c", false),
        ("shoe_size_c", false),
        ("description", false),
        ("hash_copy", false),
        ("user_hash", false),
        ("accounts", false),
        ("parent_name", false),
    ] {
        let expected = (!usable).then_some(Reason::FieldNotUsable);
        assert_eq!(decide(filtered(field)), expected, "{field}");
        let mut sorted = list(Some("Contacts"));
        sorted.query.order.push(Sort {
            path: Path {
                link: None,
                field: field.to_owned(),
            },
            descending: false,
        });
        assert_eq!(decide(sorted), expected, "{field}");
        // What is only shown or written never denies here.
        let mut shown = list(Some("Contacts"));
        shown.query.projection = Some(vec![Projected::Field(field.to_owned())]);
        let body = std::iter::once((field.to_owned(), serde_json::Value::from("x")));
        shown.write = Some(body.collect());
        assert_eq!(decide(shown), None, "{field}");
    }
}

#[test]
fn a_search_needs_a_listed_module_with_clear_fields() {
    let base = "grants: [{ name: g, roles: sales, data: identity.name, level: clear }]\n";
    let ask = |extra: &str, module: Option<&str>, nested: bool| {
        let policy = compile(&[&around(&format!("{base}{extra}"))]);
        let mut operation = list(module);
        if nested {
            operation.query.projection = Some(vec![Projected::Collection {
                link: Link {
                    name: "accounts".to_owned(),
                    target: Module::new("Accounts"),
                },
                query: Query {
                    search: Some("x".to_owned()),
                    ..Query::default()
                },
            }]);
        } else {
            operation.query.search = Some("x".to_owned());
        }
        reason(policy.decide(&caller(&["Sales"]), None, &operation))
    };
    let refused = Some(Reason::FieldNotUsable);
    assert_eq!(
        ask(
            "search: { Contacts: [first_name] }\n",
            Some("Contacts"),
            false
        ),
        None
    );
    assert_eq!(
        ask(
            "search: { Contacts: [first_name] }\n",
            Some("Contacts"),
            true
        ),
        refused
    );
    assert_eq!(
        ask(
            "search: { Contacts: [first_name, email] }\n",
            Some("Contacts"),
            false
        ),
        refused
    );
    assert_eq!(ask("", Some("Contacts"), false), refused);
    assert_eq!(
        ask("search: { Contacts: [first_name] }\n", None, false),
        refused
    );
}

#[test]
fn operations_that_need_no_caller_get_a_plan_that_grants_nothing() {
    let policy = compile(&[SAMPLE]);
    let mut operation = list(None);
    operation.access = Access::Session;
    let Decision::Permit(plan) = policy.decide(&caller(&["Nobody"]), None, &operation) else {
        panic!("denied");
    };
    for plan in [plan, policy.public_plan()] {
        assert!(plan.roles().is_empty() && plan.purpose().is_none());
        let records = plan.records(&Module::new("Contacts"));
        for field in ["first_name", "id", "iban_c", "anything"] {
            assert!(records.field(field).level <= Level::Redact, "{field}");
        }
        assert_eq!(records.field("_module").level, Level::Clear);
    }
}

#[test]
fn each_kind_of_field_gets_its_rule() {
    let policy = compile(&[&around(
        "grants:
  - { name: base, roles: sales, data: [identity.name, contact, work, free_text], level: clear }
  - { name: bank, roles: sales, data: financial.iban, level: mask }
detectors: [{ name: d, in: free_text, find: [iban, nir] }]
",
    )]);
    let plan = plan(&policy, &["Sales"], None);
    let first = rule(&plan, "First_Name");
    assert_eq!((first.level, names(&first)), (Level::Clear, vec!["base"]));
    assert!(matches!(first.show, Show::Clear) && first.usable == Usable::Yes && first.known);
    assert_eq!(first.writable, Writable::Yes);

    let iban = rule(&plan, "my_iban_c");
    assert_eq!((iban.level, names(&iban)), (Level::Mask, vec!["bank"]));
    assert!(matches!(iban.show, Show::Mask(Mask::Iban)) && iban.usable == Usable::No);
    assert_eq!(
        rule(&plan, "iban_pro_c").categories[0].as_str(),
        "work.position"
    );

    let unknown = rule(&plan, "shoe_size_c");
    assert_eq!(
        (unknown.level, names(&unknown)),
        (Level::Redact, vec!["defaults.unclassified"])
    );
    assert!(!unknown.known && unknown.categories.is_empty());

    let secret = rule(&plan, "user_hash");
    assert_eq!(
        (secret.level, names(&secret)),
        (Level::Hide, vec!["dialect.secret"])
    );
    assert!(matches!(secret.show, Show::Remove));
    assert_eq!(rule(&plan, "hash_copy").level, Level::Hide);

    let structural = rule(&plan, "_module");
    assert!(matches!(structural.show, Show::Shaped(_)) && structural.structural);
    let related = rule(&plan, "accounts");
    assert!(matches!(&related.show, Show::Related(module) if module.as_str() == "Accounts"));
    assert!(matches!(rule(&plan, "tasks").show, Show::Redact));
    assert!(matches!(rule(&plan, "mystery_link").show, Show::Redact));
    assert!(matches!(
        rule(&plan, "parent_name").show,
        Show::ByParent {
            told_by: "parent_type"
        }
    ));

    let email = rule(&plan, "email");
    assert!(matches!(&email.show, Show::Items { inner, .. } if matches!(**inner, Show::Clear)));

    let text = rule(&plan, "description");
    let Show::Text(spans) = &text.show else {
        panic!("no text");
    };
    let spans: Vec<_> = spans
        .spans
        .iter()
        .map(|s| (s.kind, s.level, s.writable))
        .collect();
    assert_eq!(
        spans,
        [
            (Kind::Iban, Level::Mask, false),
            (Kind::Nir, Level::Redact, false)
        ]
    );
    assert!(text.usable == Usable::No && text.writable == Writable::Yes);

    assert_eq!(rule(&plan, "account_name").level, Level::Clear);
    assert_eq!(rule(&plan, "task_name").level, Level::Redact);
    assert_eq!(rule(&plan, "loop_a").level, Level::Redact);
    let shown = plan
        .records(&Module::new("Accounts"))
        .display_name()
        .unwrap();
    assert_eq!(shown.level, Level::Clear);
    assert!(plan.records(&Module::new("Tasks")).display_name().is_none());
}

#[test]
fn a_copy_follows_all_that_it_copies_and_what_it_may_copy_where_that_is_classified() {
    let rules = "grants: [{ name: base, roles: sales, data: identity, level: clear }]
caps: [{ name: low, data: identity.civility, level: redact }]
";
    let plan_of = |text: &str| plan(&compile(&[text]), &["Sales"], None);
    let text = around(rules);
    assert_eq!(rule(&plan_of(&text), "full_name").level, Level::Clear);
    let classified = text.replacen(
        "nir_c: identity.national_id",
        "salutation: identity.civility",
        1,
    );
    let full = plan_of(&classified);
    let full = rule(&full, "full_name");
    assert_eq!((full.level, names(&full)), (Level::Redact, vec!["low"]));
    let unclassified = text.replacen("    last_name: identity.name\n", "", 1);
    let full = plan_of(&unclassified);
    assert_eq!(names(&rule(&full, "full_name")), ["defaults.unclassified"]);
    let own = text.replacen(
        "nir_c: identity.national_id",
        "full_name: special.health",
        1,
    );
    assert_eq!(rule(&plan_of(&own), "full_name").level, Level::Hide);
}

#[test]
fn a_field_of_two_categories_with_different_masks_is_redacted() {
    let rules = "grants: [{ name: base, roles: sales, data: [identity.name, contact.phone, contact.email], level: mask }]\n";
    let text = around(rules).replacen(
        "nir_c: identity.national_id",
        "nir_c: [contact.phone, contact.email]",
        1,
    );
    let plan = plan(&compile(&[&text]), &["Sales"], None);
    let both = rule(&plan, "nir_c");
    assert!(matches!(both.show, Show::Redact));
    assert_eq!((both.level, names(&both)), (Level::Redact, vec!["base"]));
    assert!(matches!(
        rule(&plan, "full_name").show,
        Show::Mask(Mask::Initials)
    ));
}

#[test]
fn mask_shows_nothing_of_a_category_that_has_no_mask() {
    let rules = "grants: [{ name: g, roles: sales, data: [work, special], level: mask }]\n";
    let plan = plan(&compile(&[&around(rules)]), &["Sales"], None);
    assert!(matches!(rule(&plan, "iban_pro_c").show, Show::Redact));
    assert_eq!(rule(&plan, "iban_pro_c").level, Level::Redact);
    assert!(matches!(rule(&plan, "health_c").show, Show::Remove));
}

#[test]
fn what_is_not_shown_in_clear_is_written_only_by_a_grant_that_no_cap_touches() {
    let grants = "grants:
  - { name: see, roles: sales, data: financial.iban, level: mask }
  - { name: enter, roles: sales, purposes: contract, data: financial.iban, level: redact, write: allow }
detectors: [{ name: d, in: free_text, find: iban }]
";
    let writable = |extra: &str| {
        let plan = plan(
            &compile(&[&around(&format!("{grants}{extra}"))]),
            &["Sales"],
            None,
        );
        rule(&plan, "iban_c").writable.clone()
    };
    assert_eq!(writable(""), Writable::Valid(Kind::Iban));
    assert_eq!(
        writable("caps: [{ name: c, data: financial, level: mask }]\n"),
        Writable::No
    );
    assert_eq!(
        writable("caps: [{ name: c, data: financial, level: clear }]\n"),
        Writable::Valid(Kind::Iban)
    );
    assert_eq!(
        writable("caps: [{ name: c, data: financial, level: mask, purposes: audit }]\n"),
        Writable::Valid(Kind::Iban)
    );
}

#[test]
fn who_sees_may_write_unless_the_grant_says_otherwise_or_a_cap_forbids_it() {
    let writable = |rules: &str, field: &str| {
        let plan = plan(
            &compile(&[&around(rules)]),
            &["Sales", "Boss"],
            Some("contract"),
        );
        let rule = rule(&plan, field);
        assert_eq!(rule.level, Level::Clear, "{rules}");
        rule.writable.clone()
    };
    let see =
        |more: &str| format!("{{ name: see, roles: sales, data: identity, level: clear{more} }}");
    let enter = "{ name: enter, roles: boss, data: identity.name, level: clear }";
    for (grants, caps, expected) in [
        (see(""), "", Writable::Yes),
        (see(", write: allow"), "", Writable::Yes),
        (see(", write: deny"), "", Writable::No),
        // A denial takes no right away that another grant gives.
        (
            format!("{}, {enter}", see(", write: deny")),
            "",
            Writable::Yes,
        ),
        // A cap does, whatever grants say.
        (
            see(", write: allow"),
            "caps: [{ name: c, data: identity, level: clear, write: deny }]\n",
            Writable::No,
        ),
        (
            see(""),
            "caps: [{ name: c, data: identity, write: deny }]\n",
            Writable::No,
        ),
        (
            see(""),
            "caps: [{ name: c, data: identity, write: deny, roles: boss }]\n",
            Writable::No,
        ),
        (
            see(""),
            "caps: [{ name: c, data: identity, write: deny, purposes: audit }]\n",
            Writable::Yes,
        ),
        (
            see(""),
            "caps: [{ name: c, data: work, write: deny }]\n",
            Writable::Yes,
        ),
    ] {
        let rules = format!("grants: [{grants}]\n{caps}");
        assert_eq!(writable(&rules, "first_name"), expected, "{rules}");
        // A copy is written as what it copies.
        assert_eq!(writable(&rules, "full_name"), expected, "{rules}");
    }
    // Who may write only what proves itself may do no more where somebody else's grant shows it.
    let iban = "grants:
  - { name: see, roles: boss, data: financial.iban, level: clear, write: deny }
  - { name: enter, roles: sales, data: financial.iban, level: mask, write: allow }
";
    assert_eq!(writable(iban, "iban_c"), Writable::Valid(Kind::Iban));
}

#[test]
fn an_identifier_in_a_text_is_written_by_the_right_of_its_own_category() {
    for (write, expected) in [("", true), (", write: deny", false)] {
        let rules = format!(
            "grants: [{{ name: t, roles: sales, data: free_text, level: clear }}, {{ name: i, roles: sales, data: financial.iban, level: clear{write} }}]
detectors: [{{ name: d, in: free_text, find: iban }}]\n"
        );
        let plan = plan(&compile(&[&around(&rules)]), &["Sales"], None);
        let rule = rule(&plan, "description");
        let Show::Text(text) = &rule.show else {
            panic!("no text")
        };
        assert_eq!(text.spans[0].writable, expected);
        assert_eq!(rule.writable, Writable::Yes);
    }
}

#[test]
fn explain_says_what_is_shown_matched_and_written() {
    let rules = "grants:
  - { name: see, roles: sales, data: [identity.name, contact, free_text], level: clear, write: deny }
  - { name: enter, roles: sales, data: contact, level: clear }
  - { name: bank, roles: sales, data: financial.iban, level: mask, write: allow }
caps: [{ name: kept, why: names are kept elsewhere, data: identity.name, write: deny }]
detectors: [{ name: d, in: free_text, find: iban }]
";
    let policy = compile(&[&around(rules)]);
    let explain = policy.explain(
        &[Role::new("sales")],
        &Purpose::new("contract"),
        &[],
        &Module::new("Contacts"),
    );
    let text = explain.unwrap().render();
    let table = text.split_once("\n\n").unwrap().1;
    insta::assert_snapshot!(table, @r#"
FIELD         CATEGORY              SHOWN   MATCHED  WRITTEN     BECAUSE
account_name  work.organisation     redact  no       no          no grant for these roles and this purpose; made of Accounts.name
description   free_text             clear   no       no          grant see (policies/p0.yaml:21); identifiers found inside follow their own category
                                                                 not written: no grant gives the right
email         contact.email         clear   yes      yes         grant see (21)
                                                                 grant enter (22)
email1        contact.email         clear   yes      yes         grant see (21); made of email
                                                                 grant enter (22)
first_name    identity.name         clear   yes      no          grant see (21)
                                                                 not written: cap kept (24): names are kept elsewhere
full_name     identity.name         clear   yes      no          grant see (21); made of first_name, last_name, salutation
                                                                 not written: cap kept (24): names are kept elsewhere
health_c      special.health        hide    no       no          no grant for these roles and this purpose
iban_pro_c    work.position         redact  no       no          no grant for these roles and this purpose
last_name     identity.name         clear   yes      no          grant see (21)
                                                                 not written: cap kept (24): names are kept elsewhere
nir_c         identity.national_id  redact  no       no          no grant for these roles and this purpose
*iban*        financial.iban        mask    no       valid iban  grant bank (23)
                                                                 written: grant bank (23)
(any other)   (unclassified)        redact  no       no          defaults.unclassified
"#);
}

#[test]
fn caps_for_roles_apply_to_any_and_exempt_only_if_all_are_exempt() {
    let level = |cap: &str, roles: &[&str]| {
        let text = around(&format!(
            "grants: [{{ name: g, roles: [sales, boss], data: identity, level: clear }}]\ncaps: [{{ name: c, data: identity, level: redact, {cap} }}]\n"
        ));
        let plan = plan(&compile(&[&text]), roles, Some("contract"));
        rule(&plan, "first_name").level
    };
    assert_eq!(level("roles: boss", &["Sales"]), Level::Clear);
    assert_eq!(level("roles: boss", &["Sales", "Boss"]), Level::Redact);
    assert_eq!(level("unless_roles: boss", &["Boss"]), Level::Clear);
    assert_eq!(
        level("unless_roles: boss", &["Sales", "Boss"]),
        Level::Redact
    );
    assert_eq!(
        level("unless_roles: [boss, sales]", &["Sales", "Boss"]),
        Level::Clear
    );
    assert_eq!(level("purposes: audit", &["Boss"]), Level::Clear);
    assert_eq!(level("purposes: contract", &["Boss"]), Level::Redact);
}

#[test]
fn names_that_callers_invent_do_not_fill_the_memory() {
    let policy = compile(&[SAMPLE]);
    let plan = plan(&policy, &["Sales"], None);
    let records = plan.records(&Module::new("Contacts"));
    for at in 0..5_000 {
        assert_eq!(records.field(&format!("X{at}_iban")).level, Level::Mask);
    }
    let long = "A".repeat(10_000);
    assert_eq!(records.field(&long).level, Level::Redact);
}

#[test]
fn the_hash_depends_on_the_texts_alone() {
    let (a, b) = (around(""), "policy: p\n".to_owned());
    let hash = |texts: &[&str]| compile(texts).hash().to_owned();
    assert_eq!(hash(&[&a, &b]), hash(&[&b, &a]));
    assert_ne!(hash(&[&a]), hash(&[&a, &b]));
    assert_ne!(hash(&[&a]), hash(&[&format!("{a}# more\n")]));
}

#[test]
fn debug_output_of_a_policy_does_not_hold_the_token_key() {
    let policy = compile(&[SAMPLE]);
    let shown = format!("{policy:?} {:?}", policy.public_plan());
    let key = format!("{:?}", b"0123456789abcdef".as_slice());
    assert!(!shown.contains("0123456789abcdef") && !shown.contains(key.trim_matches(['[', ']'])));
}
