//! Proofs over conditions, against worlds: moments, callers and records, each asked by the conditions themselves.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::brute::{Oracle, Shape, Text, brute, never, text};
use super::{shown, told, used};
use crate::condition::{Asker, Facts as Told, PersonFact, Resolved};
use crate::policy::engine::Facts;
use crate::policy::model::{Bit, Model};
use crate::policy::testing::compile;
use crate::policy::{Never, Policy};
use crate::vocabulary::{Field, Level, Role};

const CONDITIONS: [&str; 8] = [
    "{ record.stage_c: { equals: won } }",
    "{ record.stage_c: { equals: lost } }",
    "{ not: { record.stage_c: { equals: won } } }",
    "{ request.time: { inside: office } }",
    "{ request.time: { outside: office } }",
    "{ any: [{ record.stage_c: { in: [won, lost] } }, { caller.teams: { equals: West } }] }",
    "{ record.stage_c: { equals: won }, request.time: { inside: office } }",
    "{ record.owner_c: { equals: { caller: id } } }",
];
const SECTIONS: &str = "schedules:
  office: { days: [mon, tue, wed, thu, fri], from: \"08:00\", to: \"18:00\", zone: UTC }
";
/// Inside and outside the schedule, before, while and after the exception is in force.
const MOMENTS: [&str; 4] = [
    "2026-11-16T12:00:00Z",
    "2026-12-02T12:00:00Z",
    "2026-12-02T23:00:00Z",
    "2026-11-16T23:00:00Z",
];

/// Larger sets of roles are looked at where no condition is.
const ROLES_MOST: u32 = 2;

struct Record(Value);

impl Told for Record {
    fn field(&mut self, field: &Field) -> Option<Value> {
        self.0.get(field.as_str()).cloned()
    }

    fn person(&mut self, _: PersonFact) -> Option<bool> {
        None
    }
}

/// The bits of a record in a request, and those of which no record is asked.
fn bits(model: &Model, asker: &Asker<'_>, record: &Value) -> [u64; 2] {
    let mut both = [0, 0];
    for (bit, noted) in (0..).map(Bit).zip(&model.conditions) {
        let resolved = noted.condition.resolve(asker);
        let of_request = match &resolved {
            Resolved::Known(known) => *known,
            _ => None,
        };
        let of_record = resolved.holds(&mut Record(record.clone()));
        for (all, holds) in both.iter_mut().zip([of_record, of_request]) {
            if holds.unwrap_or(noted.withholds) {
                *all |= bit.mask();
            }
        }
    }
    both
}

/// Everything that can be so, as conditions see it.
fn worlds(model: &Model) -> BTreeSet<[u64; 2]> {
    let roles: BTreeSet<Role> = BTreeSet::new();
    let mut worlds = BTreeSet::new();
    for moment in MOMENTS {
        for teams in [vec!["West".to_owned()], vec!["East".to_owned()]] {
            let asker = Asker {
                id: Some("u1"),
                name: None,
                kind: None,
                roles: &roles,
                teams: Some(&teams),
                now: moment.parse::<Timestamp>().unwrap(),
                action: None,
                module: None,
            };
            for stage in [json!("won"), json!("lost"), json!("open"), json!([1])] {
                for owner in ["u1", "u2"] {
                    let record = json!({ "stage_c": stage, "owner_c": owner });
                    worlds.insert(bits(model, &asker, &record));
                }
            }
        }
    }
    worlds
}

/// A policy some of whose rules ask for something, and the first cap of which is lifted for a while.
fn conditional() -> impl Strategy<Value = Text> {
    let picked = prop::collection::vec(prop::option::of(0..CONDITIONS.len()), 16);
    (text(Shape::Mixed), picked, any::<bool>()).prop_map(|(text, picked, is_lifted)| {
        let mut picked = picked.into_iter();
        let mut policy = String::new();
        for line in text.policy.lines() {
            let is_rule = ["grants-", "caps-"]
                .iter()
                .any(|name| line.starts_with(&format!("  - {{ name: {name}")));
            let when = picked.next_if_rule(is_rule);
            policy += &match (line.strip_suffix(" }"), when) {
                (Some(rule), Some(at)) => format!("{rule}, when: {} }}\n", CONDITIONS[at]),
                _ => format!("{line}\n"),
            };
        }
        policy += SECTIONS;
        if is_lifted && policy.contains("name: caps-0") {
            policy += "exceptions:
  - { name: e, lifts: caps-0, roles: [r0, r1, r2, r8, r10], from: 2026-12-01, until: 2026-12-10, ticket: T-1,
      approved_by: [a@example.com, b@example.com], why: closing }\n";
        }
        Text { policy, ..text }
    })
}

/// Takes one of the picked conditions for each rule.
trait NextIfRule {
    fn next_if_rule(&mut self, is_rule: bool) -> Option<usize>;
}

impl<I: Iterator<Item = Option<usize>>> NextIfRule for I {
    fn next_if_rule(&mut self, is_rule: bool) -> Option<usize> {
        is_rule.then(|| self.next().flatten()).flatten()
    }
}

fn agree(text: &Text, never: &Never) -> Result<(), TestCaseError> {
    let policy = compile(&[&text.policy]);
    let worlds = worlds(&policy.core.model);
    let found = policy.prove(never).counterexample;
    let context = || format!("{}\n{never:#?}\n{found:#?}", text.policy);
    let oracle = |facts: [u64; 2]| Oracle::new(&policy, never, facts.map(Facts::Known));
    let Some(example) = &found else {
        for world in worlds {
            let happens = brute(text.shape, &oracle(world), ROLES_MOST);
            prop_assert_eq!(happens, None, "{:?} {}", world, context());
        }
        return Ok(());
    };
    let is_real = worlds
        .iter()
        .any(|world| oracle(*world).happens(&example.state));
    prop_assert!(is_real, "{}", context());
    // Where nothing need be supposed, nothing is, and the state is the smallest.
    let least = policy.core.model.least();
    let certain = brute(text.shape, &oracle([least, least]), u32::MAX);
    let size = (example.state.roles.len(), example.state.strengths.len());
    let told = example.supposed.is_empty().then_some(size);
    prop_assert_eq!(told, certain, "{}", context());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_proof_agrees_with_every_moment_caller_and_record(
        text in conditional(),
        nevers in prop::collection::vec(never(), 3),
    ) {
        for never in &nevers {
            agree(&text, never)?;
        }
    }
}

/// A policy of three roles with conditions.
fn policy(rules: &str) -> Policy {
    super::policy(&format!("{SECTIONS}{rules}"))
}

fn supposed(policy: &Policy, never: &Never) -> Vec<String> {
    let example = policy.prove(never).counterexample;
    let supposed = example.into_iter().flat_map(|example| example.supposed);
    supposed.map(|one| one.to_string()).collect()
}

#[test]
fn a_counterexample_says_what_it_supposes_and_no_more_than_it_needs() {
    let policy = policy(
        "grants:
  - { name: own, roles: sales, data: financial, level: mask, when: { record.owner_c: { equals: { caller: id } } } }
  - { name: day, roles: [sales, boss], data: identity, level: clear, when: { request.time: { inside: office } } }
  - { name: all, roles: boss, data: financial, level: clear }
caps:
  - { name: night, data: financial, level: mask, when: { request.time: { outside: office } } }
  - { name: bank, data: financial, level: token, unless_roles: sales }
exceptions:
  - { name: close, lifts: bank, roles: boss, from: 2026-12-01, until: 2026-12-10, ticket: T-1,
      approved_by: [a@example.com, b@example.com], why: closing }\n",
    );
    let clear = shown("financial.iban", Level::Clear);
    assert!(
        told(&policy, &clear).starts_with("boss for audit []"),
        "{}",
        told(&policy, &clear)
    );
    assert_eq!(
        supposed(&policy, &clear),
        [
            "while exception `close` is in force (from 2026-12-01 until 2026-12-11)",
            "inside `office`",
        ]
    );
    let masked = shown("financial.iban", Level::Mask);
    assert_eq!(supposed(&policy, &masked), ["where `own` holds"]);
    assert_eq!(
        supposed(&policy, &shown("financial.iban", Level::Token)),
        [""; 0]
    );
    assert_eq!(
        supposed(&policy, &shown("identity.name", Level::Clear)),
        ["inside `office`"]
    );
}

#[test]
fn what_cannot_be_so_at_once_is_not_supposed() {
    let rules = |when: &str| {
        policy(&format!(
            "grants: [{{ name: g, roles: sales, data: financial, level: clear, when: {{ request.time: {{ inside: office }} }} }}]
caps: [{{ name: c, data: financial, level: mask, when: {when} }}]\n"
        ))
    };
    let clear = shown("financial", Level::Clear);
    let inside = rules("{ request.time: { inside: office } }");
    assert_eq!(told(&inside, &clear), "proved");
    let outside = rules("{ request.time: { outside: office } }");
    assert_eq!(supposed(&outside, &clear), ["inside `office`"]);
}

#[test]
fn what_may_be_used_is_decided_before_any_record_is_known() {
    let policy = policy(
        "grants:
  - { name: own, roles: sales, data: financial, level: clear, when: { record.owner_c: { equals: { caller: id } } } }
  - { name: day, roles: boss, data: identity, level: clear, when: { request.time: { inside: office } } }\n",
    );
    let matched = |data| used(data, |how| how.matched = true);
    let written = |data| used(data, |how| how.written = true);
    assert_eq!(
        supposed(&policy, &shown("financial", Level::Clear)),
        ["where `own` holds"]
    );
    assert_eq!(told(&policy, &matched("financial")), "proved");
    assert_eq!(told(&policy, &written("financial")), "proved");
    assert_eq!(supposed(&policy, &matched("identity")), ["inside `office`"]);
    assert_eq!(supposed(&policy, &written("identity")), ["inside `office`"]);
}

#[test]
fn an_exception_for_some_is_found_though_whoever_has_more_roles_is_held_back() {
    let policy = policy(
        "grants: [{ name: g, roles: [sales, boss], data: financial, level: clear }]
caps: [{ name: c, data: financial, level: mask, roles: sales }]
exceptions:
  - { name: e, lifts: c, roles: sales, from: 2026-12-01, until: 2026-12-10, ticket: T-1,
      approved_by: [a@example.com, b@example.com], why: w }\n",
    );
    // Bosses are not held back at all, and who is both is, in spite of the exception.
    let mut of_sales = shown("financial", Level::Clear);
    of_sales.roles = [Role::new("sales")].into();
    assert!(told(&policy, &of_sales).starts_with("sales for work []"));
    let supposed = supposed(&policy, &of_sales);
    assert!(
        supposed[0].starts_with("while exception `e`"),
        "{supposed:?}"
    );
}
