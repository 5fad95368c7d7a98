//! A large policy is proved in no time.

use std::fmt::Write as _;

use crate::policy::testing::{schema, unlinted};
use crate::policy::{How, Never, Policy, Source};
use crate::vocabulary::{Category, Level, Role};

/// 2,000 classified fields, 200 rules, 30 roles, 10 purposes, 20 strengths.
fn large() -> String {
    let mut text = "policy: large\nroles:\n".to_owned();
    let roles: Vec<String> = (0..30).map(|at| format!("role-{at}")).collect();
    for role in &roles {
        let _ = writeln!(text, "  {role}: {{ from: {{ crm.role: {role} }} }}");
    }
    text += "auth:\n";
    for at in 0..20 {
        let (acr, age) = (at % 7, at + 1);
        let _ = writeln!(
            text,
            "  s{at}: {{ any: [{{ acr: [a{acr}, a{at}], max_age: {age}m }}, {{ amr: [m{at}, m{acr}] }}] }}"
        );
    }
    text += "purposes:\n";
    for at in 0..10 {
        let all = roles.join(", ");
        let _ = writeln!(text, "  p{at}: {{ legal_basis: contract, roles: [{all}] }}");
    }
    text += "categories:\n";
    for at in 0..60 {
        let _ = writeln!(text, "  own{}.c{at}: {{}}", at % 6);
    }
    text += "detectors:\n  - { name: d, in: [free_text, own0], find: [iban, card, nir, special, criminal] }\nclassify:\n";
    for module in 0..20 {
        let _ = writeln!(text, "  M{module}:");
        for field in 0..100 {
            let (one, other) = ((module * 7 + field) % 60, (module + field * 11) % 60);
            let (group, beside) = (one % 6, other % 6);
            let _ = writeln!(
                text,
                "    f{field}: [own{group}.c{one}, own{beside}.c{other}]"
            );
        }
    }
    text += "grants:\n";
    for at in 0..150 {
        let (role, other, purpose) = (at % 30, (at * 7 + 3) % 30, at % 10);
        let requires = if at % 3 == 0 {
            format!(", requires: {{ auth: s{} }}", at % 20)
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "  - {{ name: g{at}, roles: [role-{role}, role-{other}], purposes: p{purpose}, data: [own{}, free_text, own1.c{}], level: clear{requires} }}",
            at % 5,
            (at % 10) * 6 + 1,
        );
    }
    text += "caps:\n";
    for at in 0..50 {
        let _ = writeln!(
            text,
            "  - {{ name: c{at}, data: [own{}, own2.c{}], roles: [role-{}, role-{}], level: mask }}",
            at % 6,
            (at % 10) * 6 + 2,
            at % 30,
            (at + 1) % 30,
        );
    }
    text
}

fn never(at: usize) -> Never {
    Never {
        name: format!("n{at}"),
        data: [
            format!("own{}", at % 6),
            "special".to_owned(),
            "financial".to_owned(),
        ]
        .map(|name| Category::new(&name))
        .into(),
        roles: match at % 2 {
            0 => [Role::new(&format!("role-{at}"))].into(),
            _ => [].into(),
        },
        purposes: [].into(),
        how: How {
            at_least: Some(Level::Clear),
            matched: true,
            sorted: true,
            searched: true,
            written: true,
            fields_only: false,
        },
        unless_roles: [].into(),
        unless_purposes: [].into(),
        unless_strengths: [format!("s{at}")].into(),
    }
}

fn policy() -> Policy {
    let source = Source {
        path: "large.yaml".to_owned(),
        text: large(),
    };
    unlinted(&[source], schema())
}

/// How long it takes is for `benches/workbench`; that it ends at all, over so many roles and strengths, is for here.
#[test]
fn promises_about_a_large_policy_are_proved_over_few_states() {
    let policy = policy();
    let proofs: Vec<_> = (0..20).map(|at| policy.prove(&never(at))).collect();
    let states: usize = proofs.iter().map(|proved| proved.states).sum();
    let broken = proofs
        .iter()
        .filter(|proved| proved.counterexample.is_some())
        .count();
    // Subsets of thirty roles alone would be more than a thousand million.
    assert!(states > 1_000 && states < 10_000_000, "{states}");
    assert!(broken > 0);
}
