//! Rules, and whole policies, that only observe: what is shown is not what they say, and what they would say is known.

use jiff::Timestamp;
use proptest::prelude::*;

use super::properties::{
    FIELDS, cap_of, decisions_in, discloses_no_more, file, grant_of, rules, situations,
};
use crate::identity::Caller;
use crate::policy::decision::table::Tables;
use crate::policy::engine::{Observing, Situation};
use crate::policy::judge::View;
use crate::policy::model::is_special;
use crate::policy::plan::{Decision, Denial, FieldRule, Plan, Usable, Writable};
use crate::policy::testing::{SAMPLE, caller, compile, filtered, list, try_compile};
use crate::policy::{Given, Policy, State};
use crate::reason::Reason;
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role};

/// The last day of what observes here. Policies are read on 28 November.
const LAST: &str = "2026-12-20";
/// Data that may be observed.
const DATA: [&str; 8] = [
    "identity",
    "identity.name",
    "identity.civility",
    "contact",
    "contact.phone",
    "financial",
    "financial.iban",
    "free_text",
];

const DURING: Observing = Observing::On {
    passed: None,
    whole: false,
};

fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}

fn observed(rule: &str) -> String {
    format!("{rule}, mode: observe, until: {LAST}")
}

/// The rules of all fields in every situation, as requests get them.
fn ruled(policy: &Policy, observing: Observing) -> Vec<(Situation, std::sync::Arc<FieldRule>)> {
    let tables = Tables::new(policy.core.clone());
    let contacts = Module::new("Contacts");
    let mut all = Vec::new();
    for situation in situations() {
        let situation = Situation {
            observing,
            ..situation
        };
        let table = tables.of(situation.clone());
        for field in FIELDS {
            all.push((situation.clone(), table.records(&contacts).field(field)));
        }
    }
    all
}

/// Whether each rule tells what it would be if every rule were in force.
fn tells_what_would_be(policy: &Policy, observing: Observing) -> Result<(), TestCaseError> {
    for (situation, rule) in ruled(policy, observing) {
        let enforced = Situation {
            observing: Observing::Enforced,
            ..situation
        };
        let would = View::new(policy.core.clone(), enforced).rule(&rule.module, &rule.field);
        prop_assert!(would.would.is_none());
        let told = rule.would.as_deref();
        let told_level = told.map_or(rule.level, |told| told.level);
        let told_writable = told.map_or(&rule.writable, |told| &told.writable);
        prop_assert_eq!(told_level, would.level, "{:?}", rule);
        prop_assert_eq!(told_writable, &would.writable, "{:?}", rule);
        if let Some(told) = told {
            prop_assert_eq!(&told.by, &would.by);
        } else {
            prop_assert_eq!(rule.usable, would.usable);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_cap_that_observes_changes_nothing_and_tells_what_it_would(rules in rules(), cap in cap_of(&DATA)) {
        let (mut with, mut trying) = (rules.clone(), rules.clone());
        with.caps.push(cap.clone());
        trying.caps.push(observed(&cap));
        let (without, with, trying) = (rules.compile(), with.compile(), trying.compile());
        let during = decisions_in(&trying, DURING);
        prop_assert_eq!(&during, &decisions_in(&without, DURING));
        discloses_no_more(&decisions_in(&with, DURING), &during)?;
        prop_assert_eq!(decisions_in(&trying, Observing::Enforced), decisions_in(&with, Observing::Enforced));
        tells_what_would_be(&trying, DURING)?;
        // To whoever proves or compares, it is not there.
        prop_assert_eq!(decisions_in(&trying, Observing::Most), during);
    }

    #[test]
    fn a_grant_that_observes_shows_nothing_and_tells_what_it_would(rules in rules(), grant in grant_of(&DATA)) {
        let (mut with, mut trying) = (rules.clone(), rules.clone());
        with.grants.push(grant.clone());
        trying.grants.push(observed(&grant));
        let (without, with, trying) = (rules.compile(), with.compile(), trying.compile());
        let during = decisions_in(&trying, DURING);
        prop_assert_eq!(&during, &decisions_in(&without, DURING));
        discloses_no_more(&during, &decisions_in(&with, DURING))?;
        prop_assert_eq!(decisions_in(&trying, Observing::Enforced), decisions_in(&with, Observing::Enforced));
        tells_what_would_be(&trying, DURING)?;
        // It will show something by itself, so whoever proves or compares takes it for one that does.
        prop_assert_eq!(decisions_in(&trying, Observing::Most), decisions_in(&with, Observing::Most));
    }

    #[test]
    fn a_whole_policy_that_observes_holds_back_what_is_firm_or_special_and_nothing_else(rules in rules(), firm in cap_of(&DATA)) {
        let mut rules = rules;
        rules.caps.push(format!("{firm}, firm: true"));
        let text = format!("{}mode: observe\nuntil: {LAST}\n", file(&rules.items()));
        let (plain, trying) = (rules.compile(), compile(&[&text]));
        let whole = Observing::On { passed: None, whole: true };
        let (during, enforced) = (decisions_in(&trying, whole), decisions_in(&trying, Observing::Enforced));
        prop_assert_eq!(&enforced, &decisions_in(&plain, Observing::Enforced));
        discloses_no_more(&enforced, &during)?;
        tells_what_would_be(&trying, whole)?;
        let firm = plain.core.model.caps.last().unwrap();
        for ((situation, during), enforced) in situations().iter().zip(&during).zip(&enforced) {
            for (now, held) in during.categories.iter().zip(&enforced.categories) {
                let capped = crate::policy::model::about(&firm.data, &now.0) && firm.matches(situation);
                if is_special(&now.0) {
                    prop_assert_eq!(now, held);
                } else if capped {
                    prop_assert!(now.1 == plain.core.model.meaning(firm.level, &now.0), "{now:?}");
                } else {
                    prop_assert_eq!(now.1, Level::Clear, "{}", now.0);
                }
            }
        }
        // Who has no session of the CRM is held to the policy.
        let (moment, model) = (at("2026-12-01T00:00:00Z"), &trying.core.model);
        prop_assert_eq!(decisions_in(&trying, model.observing(moment, false)), enforced);
        prop_assert_eq!(decisions_in(&trying, model.observing(moment, true)), during);
    }
}

/// The sample with a cap, and perhaps more, that only observes.
fn trying(rules: &str) -> Policy {
    compile(&[SAMPLE, &format!("policy: sugarcrm-eu\n{rules}")])
}

const NAMES: &str = "caps: [{ name: no-names, data: identity.name, level: mask, mode: observe, until: 2026-12-20 }]\n";

fn decide(
    policy: &Policy,
    moment: &str,
    caller: &Caller,
    field: Option<&str>,
) -> Result<Plan, Denial> {
    let operation = field.map_or_else(|| list(Some("Contacts")), filtered);
    match policy.decide_at(at(moment), (caller, None), &operation) {
        Decision::Permit(plan) => Ok(plan),
        Decision::Deny(denial) => Err(denial),
    }
}

fn level(plan: &Plan, field: &str) -> Level {
    plan.records(&Module::new("Contacts")).field(field).level
}

#[test]
fn it_observes_to_the_end_of_its_last_day_and_then_enforces_by_itself() {
    let policy = trying(NAMES);
    let sales = caller(&["Sales"]);
    let hash = policy.hash().to_owned();
    for (moment, expected) in [
        ("2026-11-28T00:00:00Z", Level::Clear),
        ("2026-12-20T23:59:59.999Z", Level::Clear),
        ("2026-12-21T00:00:00Z", Level::Mask),
        ("2027-03-01T00:00:00Z", Level::Mask),
        // A clock that is set back: as late as it says.
        ("2026-12-20T12:00:00Z", Level::Clear),
        // A day ends in UTC.
        ("2026-12-21T00:30:00+01:00", Level::Clear),
        ("2026-12-20T23:30:00-01:00", Level::Mask),
    ] {
        let plan = decide(&policy, moment, &sales, None).unwrap();
        assert_eq!(level(&plan, "first_name"), expected, "{moment}");
        let would = plan.records(&Module::new("Contacts")).field("first_name");
        assert_eq!(
            would.would_show().is_some(),
            expected == Level::Clear,
            "{moment}"
        );
        let observation = policy.observation(at(moment));
        assert_eq!(
            observation.rules.len(),
            usize::from(expected == Level::Clear),
            "{moment}"
        );
    }
    assert_eq!(policy.hash(), hash);
}

#[test]
fn a_use_is_not_refused_by_what_observes_and_is_known_to_be() {
    let policy = trying(NAMES);
    let sales = caller(&["Sales"]);
    let plan = decide(&policy, "2026-12-01T00:00:00Z", &sales, Some("first_name")).unwrap();
    assert_eq!(plan.would(), Some(Reason::FieldNotUsable));
    let rule = plan.records(&Module::new("Contacts")).field("first_name");
    assert_eq!((rule.usable, &rule.writable), (Usable::Yes, &Writable::Yes));
    assert_eq!(rule.would.as_ref().unwrap().writable, Writable::No);
    let plan = decide(&policy, "2026-12-01T00:00:00Z", &sales, Some("email")).unwrap();
    assert_eq!(plan.would(), None);
    let denial = decide(&policy, "2026-12-21T00:00:00Z", &sales, Some("first_name")).unwrap_err();
    assert_eq!(
        (denial.reason, denial.is_observed),
        (Reason::FieldNotUsable, false)
    );
    // What a grant would permit that observes is refused, and known to be permitted then.
    let policy = trying(
        "grants: [{ name: ibans, roles: sales, data: financial.iban, level: clear, mode: observe, until: 2026-12-20 }]\n",
    );
    let denial = decide(&policy, "2026-12-01T00:00:00Z", &sales, Some("iban_c")).unwrap_err();
    assert_eq!(
        (denial.reason, denial.is_observed),
        (Reason::FieldNotUsable, true)
    );
    assert!(decide(&policy, "2026-12-21T00:00:00Z", &sales, Some("iban_c")).is_ok());
    let denial = decide(&policy, "2026-12-01T00:00:00Z", &sales, Some("nir_c")).unwrap_err();
    assert!(!denial.is_observed);
}

#[test]
fn a_whole_policy_observes_for_sessions_of_the_crm_alone_and_refuses_as_ever_who_may_not_ask() {
    let policy = trying("mode: observe\nuntil: 2026-12-20\n");
    let during = "2026-12-01T00:00:00Z";
    let plan = decide(&policy, during, &caller(&["Marketing"]), Some("iban_c")).unwrap();
    assert_eq!(plan.would(), Some(Reason::FieldNotUsable));
    for (field, expected, would) in [
        ("first_name", Level::Clear, Level::Redact),
        ("iban_c", Level::Clear, Level::Redact),
        ("shoe_size_c", Level::Clear, Level::Redact),
        ("nir_c", Level::Redact, Level::Redact),
        ("religion_c", Level::Hide, Level::Hide),
    ] {
        let rule = plan.records(&Module::new("Contacts")).field(field);
        let told = rule.would_show().map_or(rule.level, |would| would.level);
        assert_eq!((rule.level, told), (expected, would), "{field}");
        let by: Vec<&str> = rule.by.iter().map(|by| by.as_str()).collect();
        assert_eq!(
            by.contains(&"mode.observe"),
            expected == Level::Clear,
            "{field}"
        );
    }
    // Nobody is let in, and no purpose is open, that was not before.
    let reason = |roles: &[&str]| {
        decide(&policy, during, &caller(roles), None)
            .unwrap_err()
            .reason
    };
    assert_eq!(reason(&["Nobody"]), Reason::NoRole);
    let plan = policy.public_plan_at(at(during));
    assert_eq!(level(&plan, "first_name"), Level::Redact);
    let plan = decide(
        &policy,
        "2026-12-21T00:00:00Z",
        &caller(&["Marketing"]),
        None,
    )
    .unwrap();
    assert_eq!(level(&plan, "first_name"), Level::Redact);
    assert!(policy.observes(at(during)) && !policy.observes(at("2026-12-21T00:00:00Z")));
}

#[test]
fn to_whoever_proves_or_compares_a_cap_that_observes_is_none() {
    let policy = trying(NAMES);
    let state = State {
        roles: [Role::new("sales")].into(),
        purpose: Purpose::new("contract"),
        strengths: Default::default(),
    };
    let given: Given = policy
        .sight(&state)
        .category(&Category::new("identity.name"));
    assert_eq!(given.level, Level::Clear);
}

#[test]
fn what_may_not_observe_is_told_with_place_and_fix() {
    let told = |text: &str| {
        let text = format!("policy: sugarcrm-eu\n{text}");
        let (policy, found) = try_compile(&[SAMPLE, &text]);
        let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
        assert!(
            found.iter().all(|problem| problem.place.is_some()),
            "{}",
            found.render(false)
        );
        (policy.is_some(), codes.join(" "), found.render(false))
    };
    let cap = |keys: &str| format!("caps: [{{ name: c, level: mask, {keys} }}]\n");
    for (text, codes) in [
        (cap("data: identity, mode: observe"), "Y011"),
        (cap("data: identity, mode: watch, until: 2026-12-20"), "Y013"),
        (cap("data: identity, until: 2026-12-20"), "P040"),
        (cap("data: identity, mode: observe, until: 2026-02-30"), "P027"),
        (cap("data: identity, mode: observe, until: 20261220"), "Y012"),
        (cap("data: identity, mode: observe, until: 2027-02-27"), "P041"),
        (cap("data: identity, mode: observe, until: 2026-12-20, firm: true"), "P042"),
        (cap("data: special, mode: observe, until: 2026-12-20"), "P043"),
        (cap("data: [identity, special.health], mode: observe, until: 2026-12-20"), "P043"),
        (cap("data: criminal, mode: observe, until: 2026-12-20"), "P043"),
        (
            "grants: [{ name: g, roles: sales, data: special.belief, level: clear, mode: observe, until: 2026-12-20 }]\n".to_owned(),
            "P043",
        ),
        ("mode: observe\n".to_owned(), "P040"),
        ("until: 2026-12-20\n".to_owned(), "P040"),
        ("mode: observe\nuntil: 2027-02-27\n".to_owned(), "P041"),
    ] {
        let (is_valid, found, shown) = told(&text);
        assert_eq!((is_valid, found.as_str()), (false, codes), "{text}{shown}");
    }
    for (text, codes, part) in [
        (
            cap("data: identity, mode: observe, until: 2027-02-26"),
            "W141",
            "90 days are left",
        ),
        (
            cap("data: identity, mode: observe, until: 2026-12-28"),
            "N210",
            "30 days are left",
        ),
        (
            cap("data: identity, mode: observe, until: 2026-11-28"),
            "N210",
            "its last day is today",
        ),
        (
            cap("data: identity, mode: observe, until: 2026-11-27"),
            "W140",
            "`until: 2026-11-27` is over",
        ),
        (
            "mode: observe\nuntil: 2026-11-29\n".to_owned(),
            "W142",
            "1 day is left",
        ),
        (
            "mode: observe\nuntil: 2026-11-27\n".to_owned(),
            "W140",
            "this no longer observes",
        ),
    ] {
        let (is_valid, found, shown) = told(&text);
        assert_eq!((is_valid, found.as_str()), (true, codes), "{text}{shown}");
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn what_is_over_when_it_is_read_is_enforced_at_once() {
    const OVER: &str =
        "caps: [{ name: c, level: mask, data: identity.name, mode: observe, until: 2026-11-27 }]\n";
    let text = format!("policy: sugarcrm-eu\n{OVER}");
    let plan = decide(
        &compile(&[SAMPLE, &text]),
        "2026-11-27T12:00:00Z",
        &caller(&["Sales"]),
        None,
    );
    assert_eq!(level(&plan.unwrap(), "first_name"), Level::Mask);
}

#[test]
fn where_nothing_observes_nothing_is_worked_out_twice() {
    let policy = compile(&[SAMPLE]);
    let plan = decide(&policy, "2026-12-01T00:00:00Z", &caller(&["Sales"]), None).unwrap();
    assert!(plan.table.enforced().is_none());
    let policy = trying(NAMES);
    let plan = decide(&policy, "2026-12-21T00:00:00Z", &caller(&["Sales"]), None).unwrap();
    assert!(plan.table.enforced().is_none());
    let field = Field::fold("first_name");
    let rule = plan.records(&Module::new("Contacts")).field(field.as_str());
    assert!(rule.would.is_none());
}
