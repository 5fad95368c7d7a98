//! Holes in the shipped policy are found.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::plan::{FieldRule, Show, Usable, Writable};
use crate::policy::testing::planted::{planted, shipped};
use crate::policy::testing::promises::promises;
use crate::policy::testing::stock;
use crate::policy::{Policy, Source};

fn compiled(sources: &[Source]) -> Policy {
    let (policy, found) = Policy::compile(sources, &[stock("sugar-rest")], &[0; 32]);
    policy.unwrap_or_else(|| panic!("{}", found.render(false)))
}

/// The promises that a policy breaks, with how.
fn broken(policy: &Policy) -> Vec<String> {
    let promises = promises();
    let broken = promises.iter().filter_map(|never| {
        let example = policy.prove(never).counterexample?;
        Some(format!("{}: {example:?}", never.name))
    });
    broken.collect()
}

#[test]
fn the_shipped_policy_keeps_its_promises() {
    let broken = broken(&compiled(&shipped()));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn planted_holes_are_found() {
    let mut by_kind: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
    for hole in planted() {
        let policy = compiled(&hole.sources());
        let (all, missed) = by_kind.entry(hole.kind).or_default();
        *all += 1;
        if broken(&policy).is_empty() {
            missed.push(hole.what);
        }
    }
    println!("{by_kind:#?}");
}
