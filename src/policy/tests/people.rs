//! What people's say counts for: terms are told where they contradict each other, and become rules.

use jiff::ToSpan;

use super::around;
use crate::condition::{Condition, Operand, PersonFact, Resolved, Scalar, Subject, Test};
use crate::policy::language::model::{Applies, Cap, Model};
use crate::policy::testing::{caller, compile, filtered, try_compile};
use crate::policy::{About, ConsentProof, Decision, Language, Plan, WhenMissing, Writable};
use crate::reason::Reason;
use crate::vocabulary::{Category, Level, Module, Purpose, Role};

/// A policy in which all of it stands; one part of it may be exchanged.
fn asking(good: &str, bad: &str) -> String {
    let text = "policy: p
organisation:
  name: Example SA
  country: FR
  authority: { name: CNIL, url: https://www.cnil.fr }
  languages: [fr, en]
texts: { letter: { version: \"3\", en: I want it., fr: Je le veux. } }
roles:
  marketing: { from: { crm.role: Marketing }, default_purpose: newsletter }
  partner: { from: { crm.user: acme }, recipient: acme }
purposes:
  newsletter: { legal_basis: consent, roles: marketing, consent: { proof: double-opt-in, max_age: 3y, text: letter } }
  study: { legal_basis: consent, roles: marketing, consent: { proof: none, when_missing: redact, matchable: technical.owner } }
  portability: { legal_basis: consent, roles: partner, consent: { proof: signed-request, names_recipient: true } }
  mailing: { legal_basis: legitimate-interest, roles: marketing, honour_objection: true }
  claims: { legal_basis: legal-obligation, roles: marketing, despite_restriction: true }
people:
  Contacts: { kind: customer, email: email, phone: [phone_home, phone_work] }
  Leads: { kind: prospect, same_as: { contact_id: Contacts } }
  Notes: { of: { contact_id: Contacts, parent_id: { by: parent_type } } }
  Accounts: none
  \"kontor:Accounts\": { kind: customer, email: mail }
  Products: none
classify:
  Contacts: { email: contact.email }
  Leads: {}
  Notes: {}
  Accounts: {}
  Products: {}
grants: [{ name: g, roles: [marketing, partner], data: contact, level: clear }]
retention: [{ name: old, modules: Leads, clock: [record.seen, record.won], after: 3y, hold_when: { record.hold: { equals: true } }, then: { hide: record } }]
";
    assert!(text.contains(good), "{good}");
    text.replacen(good, bad, 1)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn terms_that_contradict_each_other_are_told_at_their_place() {
    for (good, bad, code, place) in [
        (
            ", consent: { proof: double-opt-in, max_age: 3y, text: letter }",
            "",
            "P051",
            "newsletter: { legal",
        ),
        (
            "legal_basis: legitimate-interest, roles: marketing",
            "legal_basis: contract, roles: marketing",
            "P051",
            "true }",
        ),
        (
            "despite_restriction: true",
            "consent: { proof: none }",
            "P051",
            "{ proof",
        ),
        (
            "honour_objection: true",
            "honour_objection: true, crm: [Mail]",
            "P051",
            "[Mail]",
        ),
        ("proof: double-opt-in, ", "", "Y011", "{ max_age"),
        ("proof: double-opt-in", "proof: opt-in", "Y013", "opt-in"),
        ("max_age: 3y", "max_age: 3", "Y014", "3,"),
        ("text: letter", "text: lettre", "P051", "lettre"),
        (", fr: Je le veux.", "", "P051", "letter } }"),
        ("when_missing: redact", "when_missing: hide", "Y013", "hide"),
        (
            "matchable: technical.owner",
            "matchable: technical.id",
            "P051",
            "technical.id",
        ),
        (
            "matchable: technical.owner",
            "matchable: technical",
            "P051",
            "technical",
        ),
        (
            "matchable: technical.owner",
            "matchable: techincal",
            "P014",
            "techincal",
        ),
        (", recipient: acme", "", "P051", "partner, consent"),
        ("country: FR", "country: France", "P051", "France"),
        ("https://www.cnil.fr", "www.cnil.fr", "P051", "www"),
        ("[fr, en]", "[fr, de]", "Y013", "de"),
        ("version: \"3\", ", "", "Y011", "{ en"),
        ("en: I want it., fr: Je le veux.", "", "P051", "{ version"),
        (
            "same_as: { contact_id: Contacts }",
            "same_as: { contact_id: Notes }",
            "P053",
            "Notes",
        ),
        (
            "of: { contact_id",
            "email: mail, of: { contact_id",
            "P053",
            "mail",
        ),
        (
            "{ contact_id: Contacts, parent_id: { by: parent_type } }",
            "[contact_id, parent_id]",
            "P053",
            "[contact_id",
        ),
        (
            "{ contact_id: Contacts, p",
            "{ contact_id: Calls, p",
            "P053",
            "Calls",
        ),
        (
            "{ contact_id: Contacts, p",
            "{ contact_id: Notes, p",
            "P053",
            "Notes",
        ),
        (
            "{ contact_id: Contacts, parent_id: { by: parent_type } }",
            "{}",
            "P053",
            "{}",
        ),
        ("{ by: parent_type }", "{ bye: x }", "Y010", "bye"),
        ("Accounts: none", "Accounts: nobody", "Y013", "nobody"),
        ("kind: prospect, ", "", "Y011", "{ same_as"),
        ("Products: none", "Productss: none", "P018", "Productss"),
        (
            "Products: none",
            "\"kontor:Accounts:x\": none",
            "P005",
            "\"kontor",
        ),
        ("name: g,", "name: restricted,", "P004", "Contacts: {"),
        (
            "name: g,",
            "name: consent.newsletter,",
            "P005",
            "consent.newsletter",
        ),
        (
            "[record.seen, record.won]",
            "[record.seen, record.date_modified]",
            "P055",
            "record.date_modified",
        ),
        (
            "[record.seen, record.won]",
            "request.time",
            "P055",
            "request.time",
        ),
        ("[record.seen, record.won]", "[]", "Y012", "[]"),
        (
            "then: { hide: record }",
            "then: anonymise",
            "Y017",
            "anonymise",
        ),
        (
            "then: { hide: record }",
            "then: { hide: fields }",
            "Y013",
            "fields",
        ),
        (
            "then: { hide: record }",
            "then: { hide: record, ask_crm: erase }",
            "Y017",
            "ask_crm",
        ),
        ("after: 3y", "after: soon", "Y014", "soon"),
        ("modules: Leads", "modules: Leeds", "P018", "Leeds"),
    ] {
        let (policy, found) = try_compile(&[&asking(good, bad)]);
        let shown = found.render(false);
        assert!(policy.is_none(), "{bad}");
        let problem = found.iter().find(|one| one.code == code);
        let problem = problem.unwrap_or_else(|| panic!("{bad}: {shown}"));
        let at = problem.place.as_ref().unwrap();
        let is_there = at.file.text()[at.span.start..].starts_with(place);
        let also = problem.second.as_ref();
        let is_also =
            also.is_some_and(|(at, _)| at.file.text()[at.span.start..].starts_with(place));
        assert!(is_there || is_also, "{bad}: {shown}");
    }
}

#[test]
fn whoever_rests_on_what_people_say_says_who_they_are() {
    let study =
        "purposes:\n  study: { legal_basis: consent, roles: sales, consent: { proof: none } }\n";
    let text = around("").replacen("purposes:\n", study, 1);
    let (policy, found) = try_compile(&[&text]);
    assert!(policy.is_none());
    assert!(
        found.iter().any(|one| one.code == "P053"),
        "{}",
        found.render(false)
    );
    let asked = "caps: [{ name: c, data: work, level: hide, when: { person.restricted: { equals: true } } }]\n";
    let (policy, found) = try_compile(&[&around(asked)]);
    assert!(policy.is_none());
    assert!(
        found.iter().any(|one| one.code == "P053"),
        "{}",
        found.render(false)
    );
}

fn of_persons(fact: PersonFact, is: bool) -> Condition {
    let is = Operand::Literal(Scalar::Bool(is));
    Condition::Is(Subject::Person(fact), Test::OneOf(vec![is]))
}

fn cap<'a>(model: &'a Model, name: &str) -> (&'a Cap, &'a Condition) {
    let cap = model
        .caps
        .iter()
        .find(|cap| cap.name.as_str() == name)
        .unwrap();
    let noted = &model.conditions[usize::from(cap.when.unwrap().0)];
    assert!(noted.withholds && cap.firm, "{name}");
    (cap, &noted.condition)
}

#[test]
fn terms_become_rules_like_others() {
    let policy = compile(&[&asking("", "")]);
    let model = &policy.core.model;
    let rows: Vec<&str> = model.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(
        rows,
        [
            "retention.old",
            "consent.mailing",
            "consent.newsletter",
            "consent.portability"
        ]
    );
    // Accounts are somebody's in one upstream.
    let modules: Vec<&str> = model.rows[2].modules.iter().map(Module::as_str).collect();
    assert_eq!(modules, ["Accounts", "Contacts", "Leads", "Notes"]);
    assert!(
        model
            .rows
            .iter()
            .all(|row| matches!(row.applies, Applies::Everyone))
    );
    assert_eq!(
        model.rows[1].keep_when,
        of_persons(PersonFact::Objected, false)
    );
    assert_eq!(
        model.rows[2].keep_when,
        of_persons(PersonFact::Consented, true)
    );
    assert_eq!(
        model.rows[2].purposes,
        Some([Purpose::new("newsletter")].into())
    );
    let three_years = Test::NewerThan(3.years().fieldwise());
    let young = |name: &str| {
        Condition::Is(
            Subject::Record(crate::vocabulary::Field::fold(name)),
            three_years.clone(),
        )
    };
    let held = Condition::Is(
        Subject::Record(crate::vocabulary::Field::fold("hold")),
        Test::OneOf(vec![Operand::Literal(Scalar::Bool(true))]),
    );
    assert_eq!(
        model.rows[0].keep_when,
        Condition::Any(vec![young("seen"), young("won"), held])
    );
    assert!(model.rows[0].purposes.is_none());
    let (study, condition) = cap(model, "consent.study");
    assert_eq!(*condition, of_persons(PersonFact::Consented, false));
    assert_eq!(study.level, Level::Redact);
    let (restricted, condition) = cap(model, "restricted");
    assert_eq!(*condition, of_persons(PersonFact::Restricted, true));
    let purposes: Vec<&str> = restricted
        .purposes
        .iter()
        .flatten()
        .map(Purpose::as_str)
        .collect();
    assert_eq!(purposes, ["mailing", "newsletter", "portability", "study"]);
    for category in model.categories.keys() {
        let is_capped = restricted.data.iter().any(|data| data.covers(category));
        assert_eq!(
            is_capped,
            !Category::new("technical").covers(category),
            "{category}"
        );
    }
}

/// A plan for marketing, for one of its purposes, of a list of contacts that are found by a field.
fn found_by(field: &str, purpose: &str) -> Result<Plan, Reason> {
    let policy = compile(&[&asking("", "")
        .replace(
            "Contacts: { email: contact.email }",
            "Contacts: { email: contact.email, date_modified: technical.timestamp }",
        )
        .replace(
            "data: contact, level: clear }",
            "data: [contact, technical], level: clear }",
        )]);
    let caller = caller(&["Marketing"]);
    match policy.decide(&caller, Some(purpose), &filtered(field)) {
        Decision::Permit(plan) => Ok(plan),
        Decision::Deny(denial) => Err(denial.reason),
    }
}

#[test]
fn what_restrictions_withhold_is_used_and_finds_no_restricted_records() {
    let contacts = Module::new("Contacts");
    let plan = found_by("email", "mailing").unwrap();
    assert!(plan.has_restricted(&contacts));
    // Those who object, and those whose processing is restricted.
    let needed = plan.conditions(&contacts).unwrap().needed();
    assert!(matches!(needed, Some(Resolved::All(rows)) if rows.len() == 2));
    let email = plan.used(&contacts).field("email");
    assert_eq!(
        (email.level, &email.writable),
        (Level::Clear, &Writable::Yes)
    );
    assert_eq!(plan.records(&contacts).field("email").level, Level::Redact);

    let plan = found_by("date_modified", "mailing").unwrap();
    let conditions = plan.conditions(&contacts).unwrap();
    assert_eq!(conditions.needed(), conditions.needed_if_unrestricted());

    // What must go on does with everybody.
    let plan = found_by("email", "claims").unwrap();
    assert!(!plan.has_restricted(&contacts));
    assert!(
        plan.conditions(&contacts)
            .is_none_or(|one| one.needed().is_none())
    );

    // Nothing else is lifted with it: whether somebody consents is asked of each record.
    assert_eq!(
        found_by("email", "study").unwrap_err(),
        Reason::FieldNotUsable
    );
}

#[test]
fn a_cap_of_ones_own_for_those_restricted_holds_for_every_use() {
    let caps = "retention: []\ncaps: [{ name: own, data: contact, level: redact, purposes: claims, when: { person.restricted: { equals: true } } }]\n";
    let text = asking("", "");
    let (rules, _) = text.split_once("retention:").unwrap();
    let policy = compile(&[&format!("{rules}{caps}")]);
    let caller = caller(&["Marketing"]);
    let decided = |purpose: &str| match policy.decide(&caller, Some(purpose), &filtered("email")) {
        Decision::Permit(_) => None,
        Decision::Deny(denial) => Some(denial.reason),
    };
    assert_eq!(decided("claims"), Some(Reason::FieldNotUsable));
    assert_eq!(decided("mailing"), None, "they are left out");
}

#[test]
fn terms_can_be_asked_for() {
    let policy = compile(&[&asking("", "")]);
    let terms = policy.consent_terms(&Purpose::new("newsletter")).unwrap();
    assert_eq!(terms.proof, ConsentProof::DoubleOptIn);
    assert_eq!(terms.when_missing, WhenMissing::OmitRecord);
    assert_eq!(
        terms.matchable,
        [Category::new("technical.timestamp")].into()
    );
    assert_eq!(terms.max_age.map(|age| age.0.get_years()), Some(3));
    assert!(policy.consent_terms(&Purpose::new("mailing")).is_none());
    assert!(policy.honours_objection(&Purpose::new("mailing")));
    assert!(policy.goes_on_despite_restriction(&Purpose::new("claims")));
    assert!(!policy.goes_on_despite_restriction(&Purpose::new("mailing")));
    assert_eq!(policy.recipient(&Role::new("partner")), Some("acme"));
    assert_eq!(policy.recipient(&Role::new("marketing")), None);
    assert_eq!(
        policy.organisation().languages,
        [Language::Fr, Language::En]
    );
    assert_eq!(
        policy.consent_texts()["letter"].words[&Language::Fr],
        "Je le veux."
    );
    let people = policy.people().unwrap();
    let accounts = Module::new("Accounts");
    assert_eq!(people.about("sugar", &accounts), Some(&About::Nobody));
    assert!(
        matches!(people.about("kontor", &accounts), Some(About::Person(one)) if one.kind == "customer")
    );
    assert!(
        matches!(people.about("sugar", &Module::new("Notes")), Some(About::Linked(by)) if by.len() == 2)
    );
    assert_eq!(people.about("sugar", &Module::new("Calls")), None);
    let needs = policy.needs();
    assert!(needs.ledger && needs.confirmation);
    assert_eq!(needs.organisation, ["address", "dpo"]);
    assert_eq!(
        compile(&[&around("")]).needs(),
        crate::policy::Needs::default()
    );
}

#[test]
fn a_module_of_which_nobody_says_whom_it_is_about_is_told() {
    let (policy, found) = try_compile(&[&asking("  Products: none\n", "")]);
    assert!(policy.is_some(), "{}", found.render(false));
    let told: Vec<_> = found.iter().filter(|one| one.code == "W159").collect();
    assert_eq!(told.len(), 1, "{}", found.render(false));
    assert!(told[0].title.contains("Products"));
    // It is asked for consent like all others.
    let rows = &policy.unwrap().core.model.rows;
    assert!(rows[2].modules.contains(&Module::new("Products")));
}
