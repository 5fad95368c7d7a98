//! What must never happen is proved, or shown to happen.

use std::collections::BTreeSet;

use crate::policy::testing::compile;
use crate::policy::{Counterexample, How, Never, Policy, State};
use crate::vocabulary::{Category, Level, Purpose, Role};

mod brute;
mod speed;
mod worlds;

/// A policy about contacts, around some rules: people of three roles, two machines.
fn policy(rules: &str) -> Policy {
    compile(&[&format!(
        "policy: p
roles:
  sales: {{ from: {{ crm.role: Sales }} }}
  boss: {{ from: {{ crm.role: Boss, crm.type: admin }} }}
  clerk: {{ from: {{ crm.type: user }} }}
  erp: {{ from: {{ key: erp }}, kind: machine, purposes: work, actions: {{ Contacts: read }} }}
  dialer: {{ from: {{ key: dialer }}, kind: machine, purposes: work, actions: {{ Contacts: read }} }}
purposes:
  work: {{ legal_basis: contract, roles: [sales, boss, clerk, erp, dialer] }}
  audit: {{ legal_basis: legal-obligation, roles: boss }}
auth:
  fresh: {{ acr: phr, max_age: 5m }}
  strong: {{ acr: [phr, phrh], max_age: 15m }}
  machine: {{ method: key }}
  basic: {{ acr: pwd }}
classify:
  Contacts:
    first_name: identity.name
    iban_c: financial.iban
    description: free_text
    subject_c: commercial.subject
    both_c: [free_text, commercial.subject]
    \"*_note\": [free_text, identity.name]
{rules}"
    )])
}

fn shown(data: &str, level: Level) -> Never {
    Never {
        name: "n".to_owned(),
        data: [Category::new(data)].into(),
        roles: BTreeSet::new(),
        purposes: BTreeSet::new(),
        how: How {
            at_least: Some(level),
            ..How::default()
        },
        unless_roles: BTreeSet::new(),
        unless_purposes: BTreeSet::new(),
        unless_strengths: BTreeSet::new(),
    }
}

fn used(data: &str, use_it: fn(&mut How)) -> Never {
    let mut never = shown(data, Level::Clear);
    never.how.at_least = None;
    use_it(&mut never.how);
    never
}

fn example(policy: &Policy, never: &Never) -> Option<Counterexample> {
    policy.prove(never).counterexample
}

/// A counterexample in few words: roles, purpose, strengths, category or field, how, rules.
fn told(policy: &Policy, never: &Never) -> String {
    let Some(one) = example(policy, never) else {
        return "proved".to_owned();
    };
    let list = |names: Vec<&str>| names.join("+");
    let State {
        roles,
        purpose,
        strengths,
    } = &one.state;
    let field = one.field.as_ref().map(ToString::to_string);
    format!(
        "{} for {purpose} [{}]: {} {} {} by {}",
        list(roles.iter().map(Role::as_str).collect()),
        list(strengths.iter().map(String::as_str).collect()),
        field.unwrap_or_else(|| one.category.to_string()),
        one.how,
        one.level.as_str(),
        list(one.by.iter().map(|by| by.as_str()).collect()),
    )
}

#[test]
fn the_smallest_counterexample_is_told_with_its_rules() {
    let policy = policy(
        "grants:
  - { name: a, roles: [boss, sales], data: financial, level: mask }
  - { name: b, roles: [boss, sales], data: financial, level: clear, requires: { auth: fresh } }
  - { name: c, roles: boss, purposes: audit, data: financial, level: clear, requires: { auth: strong } }
caps: [{ name: d, data: financial, roles: clerk, level: token }]\n",
    );
    let clear = shown("financial.iban", Level::Clear);
    assert_eq!(
        told(&policy, &clear),
        "boss for audit [strong]: financial.iban shown clear by c"
    );
    let for_work = Never {
        purposes: [Purpose::new("work")].into(),
        ..clear.clone()
    };
    assert_eq!(
        told(&policy, &for_work),
        "boss for work [fresh+strong]: financial.iban shown clear by b"
    );
    let masked = shown("financial", Level::Mask);
    assert_eq!(
        told(&policy, &masked),
        "boss for audit []: financial.bic shown mask by a"
    );
    // Beside a clerk, nobody sees more than a token.
    let of_clerks = Never {
        roles: [Role::new("clerk")].into(),
        ..masked
    };
    assert_eq!(told(&policy, &of_clerks), "proved");
    let token = Never {
        roles: [Role::new("clerk")].into(),
        ..shown("financial.iban", Level::Token)
    };
    assert_eq!(
        told(&policy, &token),
        "clerk+sales for work []: financial.iban shown token by a+d"
    );
    // Who has proved the one has proved the other.
    let but_strong = Never {
        unless_strengths: ["strong".to_owned()].into(),
        ..clear.clone()
    };
    assert_eq!(told(&policy, &but_strong), "proved");
    let but_fresh = Never {
        unless_strengths: ["fresh".to_owned()].into(),
        ..for_work
    };
    assert_eq!(told(&policy, &but_fresh), "proved");
    let but_both = Never {
        unless_roles: [Role::new("boss")].into(),
        unless_purposes: [Purpose::new("work")].into(),
        ..clear
    };
    assert_eq!(told(&policy, &but_both), "proved");
}

#[test]
fn roles_that_exclude_each_other_are_not_put_together() {
    let policy = policy(
        "grants:
  - { name: a, roles: [sales, dialer, clerk], data: identity, level: clear }
  - { name: b, roles: erp, data: financial, level: clear, requires: { auth: machine } }\n",
    );
    let names = |role: &str| Never {
        roles: [Role::new(role)].into(),
        ..shown("identity.name", Level::Clear)
    };
    // Another key, another way, another type of account.
    assert_eq!(told(&policy, &names("erp")), "proved");
    assert_eq!(
        told(&policy, &names("boss")),
        "boss+sales for work []: identity.name shown clear by a"
    );
    // Who comes by key has proved just that.
    let but_machines = Never {
        unless_strengths: ["machine".to_owned()].into(),
        ..shown("financial", Level::Redact)
    };
    let told_so = told(&policy, &but_machines);
    assert!(told_so.contains("by defaults.ungranted"), "{told_so}");
    let clear = Never {
        unless_strengths: ["machine".to_owned()].into(),
        ..shown("financial", Level::Clear)
    };
    assert_eq!(told(&policy, &clear), "proved");
    for state in policy.states(3) {
        let has = |role: &str| state.roles.contains(&Role::new(role));
        assert!(!(has("boss") && has("clerk")), "{state:?}");
        assert!(!has("erp") || state.roles.len() == 1, "{state:?}");
        assert_eq!(
            has("erp") || has("dialer"),
            state.strengths.contains("machine")
        );
    }
}

#[test]
fn a_text_of_two_categories_needs_a_role_for_each() {
    let detectors = "detectors: [{ name: x, in: free_text, find: iban }]\n";
    let both = format!(
        "{detectors}grants:
  - {{ name: a, roles: sales, data: free_text, level: clear }}
  - {{ name: b, roles: clerk, data: commercial.subject, level: clear }}\n"
    );
    let sorted = Never {
        roles: [Role::new("boss")].into(),
        ..used("free_text", |how| how.sorted = true)
    };
    // What the detector finds is clear to nobody.
    assert_eq!(told(&policy(&both), &sorted), "proved");
    let leaves = both.replace("find: iban", "find: iban, uses: written");
    assert_eq!(
        told(&policy(&leaves), &sorted),
        "boss+sales for work []: free_text sorted clear by a"
    );
    let iban = shown("financial.iban", Level::Clear);
    assert_eq!(told(&policy(&both), &iban), "proved");
    assert_eq!(
        told(&policy(&leaves), &iban),
        "sales for work []: Contacts.description shown redact by a"
    );
    let split = "detectors:
  - { name: x, in: free_text, find: iban, uses: shown }
  - { name: y, in: commercial.subject, find: nir, uses: written }
grants:
  - { name: a, roles: sales, data: free_text, level: clear, write: deny }
  - { name: b, roles: clerk, data: [free_text, commercial.subject], level: clear }
caps: [{ name: c, data: free_text, unless_roles: [sales, clerk], level: redact }]\n";
    assert_eq!(
        told(
            &policy(split),
            &used("identity.national_id", |how| how.written = true)
        ),
        "clerk for work []: Contacts.description written redact by b"
    );
}

#[test]
fn a_caller_has_one_context_class() {
    let of = |strength: &str| {
        policy(&format!(
            "detectors: [{{ name: x, in: free_text, find: iban }}]
grants:
  - {{ name: a, roles: sales, data: free_text, level: clear, requires: {{ auth: fresh }} }}
  - {{ name: b, roles: clerk, data: financial, level: clear, requires: {{ auth: {strength} }} }}\n"
        ))
    };
    let sorted = used("free_text", |how| how.sorted = true);
    assert_eq!(told(&of("basic"), &sorted), "proved");
    assert_eq!(
        told(&of("strong"), &sorted),
        "clerk+sales for work [fresh+strong]: free_text sorted clear by a+b"
    );
}

#[test]
fn texts_are_held_to_what_the_policy_looks_for() {
    let grants =
        "grants: [{ name: a, roles: sales, data: [free_text, commercial], level: clear }]\n";
    let of = |detectors: &str| policy(&format!("detectors: [{detectors}]\n{grants}"));
    let whole = "{ name: x, in: [free_text, commercial.subject], find: [iban, health, belief] }";
    let health = shown("special.health", Level::Redact);
    let iban = shown("financial.iban", Level::Clear);
    for never in [&health, &iban] {
        assert_eq!(told(&of(whole), never), "proved");
    }
    for (detectors, iban_is, health_is) in [
        (
            "{ name: x, in: [free_text, commercial.subject], find: [iban, health], uses: [written, matched, sorted, searched] }",
            false,
            false,
        ),
        (
            "{ name: x, in: free_text, find: [iban, health] }, { name: y, in: commercial.subject, find: iban }",
            true,
            false,
        ),
        (
            "{ name: x, in: free_text, find: [iban, health] }, { name: y, in: commercial.subject, find: health }",
            false,
            true,
        ),
        (
            "{ name: x, in: free_text, find: [iban, health], at_least: certain }",
            true,
            false,
        ),
        (
            "{ name: x, in: free_text, find: [iban, health], at_least: possible }",
            true,
            true,
        ),
        (
            "{ name: x, in: free_text, find: [iban, health], languages: fr }",
            true,
            true,
        ),
        (
            "{ name: x, in: free_text, find: health, languages: fr }, { name: y, in: commercial.subject, find: [iban, health] }",
            false,
            false,
        ),
        // No detector looks in subjects: nothing is said of them.
        (
            "{ name: x, in: free_text, find: [iban, health] }",
            true,
            true,
        ),
    ] {
        let policy = of(detectors);
        assert_eq!(example(&policy, &iban).is_none(), iban_is, "{detectors}");
        assert_eq!(
            example(&policy, &health).is_none(),
            health_is,
            "{detectors}"
        );
    }
    let mut in_fields = iban.clone();
    in_fields.how.fields_only = true;
    let passing = of("{ name: x, in: free_text, find: [iban], uses: written }");
    assert_eq!(told(&passing, &in_fields), "proved");
    // What no detector looks for is told beside.
    let unlooked = |never| -> Vec<String> {
        let proved = passing.prove(never);
        assert!(proved.counterexample.is_none());
        proved.unlooked.iter().map(ToString::to_string).collect()
    };
    assert_eq!(unlooked(&health), ["special.health"]);
    assert!(unlooked(&in_fields).is_empty());
}

#[test]
fn uses_of_texts_follow_what_detectors_leave() {
    let of = |uses: &str| {
        policy(&format!(
            "detectors: [{{ name: x, in: commercial.subject, find: [iban, health]{uses} }}]
search: {{ Contacts: [subject_c, first_name] }}
grants: [{{ name: a, roles: sales, data: [commercial, identity], level: clear }}]\n"
        ))
    };
    type Forbid = fn(&mut How);
    let ways: [(&str, Forbid); 3] = [
        ("matched", |how| how.matched = true),
        ("sorted", |how| how.sorted = true),
        ("searched", |how| how.searched = true),
    ];
    for (uses, iban, health) in [
        ("", [true; 3], [true; 3]),
        // Words can be guessed, and digits cannot; what cannot be sorted by tells nothing by its order.
        (", uses: [shown, written]", [true; 3], [false, true, false]),
        (", uses: written", [false; 3], [false; 3]),
    ] {
        for (at, (name, way)) in ways.into_iter().enumerate() {
            let policy = of(uses);
            for (data, proved) in [("financial.iban", iban[at]), ("special", health[at])] {
                let found = told(&policy, &used(data, way));
                assert_eq!(found == "proved", proved, "{uses} {name} {data}: {found}");
                let mut in_fields = used(data, way);
                in_fields.how.fields_only = true;
                assert_eq!(told(&policy, &in_fields), "proved");
            }
        }
    }
    let names = used("identity.name", |how| how.searched = true);
    assert_eq!(told(&of(""), &names), "proved");
    assert_eq!(
        told(&of(", uses: [shown, written]"), &names),
        "sales for work []: Contacts.first_name searched clear by a"
    );
    // Nothing is searched that is not listed.
    let phones = used("contact.phone", |how| how.searched = true);
    assert_eq!(told(&of(", uses: [shown, written]"), &phones), "proved");
}

#[test]
fn whoever_has_a_category_in_clear_finds_it_in_texts_in_which_detectors_look_for_it() {
    let of = |data: &str| {
        policy(&format!(
            "detectors: [{{ name: x, in: commercial.subject, find: iban }}]
search: {{ Contacts: [subject_c] }}
grants:
  - {{ name: a, roles: sales, data: commercial, level: clear, requires: {{ auth: strong }} }}
  - {{ name: b, roles: clerk, data: {data}, level: clear }}\n"
        ))
    };
    // No field of the category is searched.
    let searched = used("financial.iban", |how| how.searched = true);
    assert_eq!(told(&of("work"), &searched), "proved");
    assert_eq!(
        told(&of("financial"), &searched),
        "clerk+sales for work [strong]: Contacts.subject_c searched clear by a"
    );
    let mut in_fields = searched;
    in_fields.how.fields_only = true;
    assert_eq!(told(&of("financial"), &in_fields), "proved");
}

#[test]
fn rights_to_write_are_proved_like_levels() {
    let policy = policy(
        "detectors: [{ name: x, in: free_text, find: iban }]
grants:
  - { name: a, roles: sales, data: [identity, free_text], level: clear, write: deny }
  - { name: b, roles: boss, data: identity, level: clear }
  - { name: c, roles: clerk, data: financial.iban, level: mask, write: allow }
caps: [{ name: d, data: identity, roles: clerk, write: deny }]\n",
    );
    let written = |data: &str| used(data, |how| how.written = true);
    assert_eq!(
        told(&policy, &written("identity")),
        "boss for audit []: identity.birth_date written clear by b"
    );
    let beside = |role: &str, data: &str| Never {
        roles: [Role::new(role)].into(),
        ..written(data)
    };
    assert_eq!(told(&policy, &beside("clerk", "identity")), "proved");
    assert_eq!(
        told(&policy, &beside("sales", "financial")),
        "clerk+sales for work []: financial.iban written mask by c"
    );
    assert_eq!(told(&policy, &written("free_text")), "proved");
}

#[test]
fn what_passes_or_is_nobodys_is_seen_by_everybody() {
    let policy = policy("");
    let none = shown("unclassified", Level::Redact);
    assert_eq!(
        told(&policy, &none),
        "boss for audit []: unclassified shown redact by defaults.unclassified"
    );
    assert_eq!(
        told(&policy, &shown("unclassified", Level::Token)),
        "proved"
    );
    let scaffolding = compile(&["policy: p
roles: { sales: { from: { crm.role: Sales } } }
purposes: { work: { legal_basis: contract, roles: sales } }
classify: { Contacts: { _module: special.health } }\n"]);
    assert_eq!(
        told(&scaffolding, &shown("special", Level::Clear)),
        "sales for work []: Contacts._module shown hide by dialect.structural"
    );
}

#[test]
fn a_cap_that_only_observes_holds_nobody_back() {
    // A proof knows no day, and policies are read on 28 November.
    let until = "2026-12-20";
    let grants = "grants: [{ name: a, roles: sales, data: financial, level: clear }]\n";
    let cap =
        |more: &str| format!("{grants}caps: [{{ name: c, data: financial, level: mask{more} }}]\n");
    let observed = format!(", mode: observe, until: {until}");
    let clear = shown("financial.iban", Level::Clear);
    assert_eq!(told(&policy(&cap("")), &clear), "proved");
    assert_eq!(
        told(&policy(&cap(&observed)), &clear),
        "sales for work []: financial.iban shown clear by a"
    );
    // A grant that observes will count one day.
    let grant = grants.replace("level: clear", &format!("level: clear{observed}"));
    assert_ne!(told(&policy(&grant), &clear), "proved");
    let whole = policy(&format!("mode: observe\nuntil: {until}\n{}", cap("")));
    assert_ne!(told(&whole, &clear), "proved");
    assert_eq!(told(&whole, &shown("special", Level::Redact)), "proved");
}
