//! Holes in the shipped policy: what `diff` says of each.

use crate::policy::testing::planted::{planted, shipped};
use crate::policy::testing::promises::promises;
use crate::policy::testing::{stock, unlinted};

#[test]
fn every_hole_grows_disclosure_or_breaks_a_promise() {
    let schema = stock("sugar-rest");
    let whole = unlinted(&shipped(), schema.clone());
    let (mut told, mut broken, mut missed) = (0, 0, Vec::new());
    let holes = planted();
    for hole in &holes {
        let policy = unlinted(&hole.sources(), schema.clone());
        let compared = whole.compared(&policy, &schema);
        let grows = [&compared.more, &compared.usable, &compared.writable]
            .iter()
            .any(|changes| !changes.is_empty());
        if grows {
            told += 1;
        } else if promises()
            .iter()
            .any(|never| policy.prove(never).counterexample.is_some())
        {
            broken += 1;
        } else {
            missed.push(format!("{}: {}", hole.kind, hole.what));
        }
    }
    println!(
        "{} holes: {told} told, {broken} only break a promise, {missed:#?}",
        holes.len()
    );
    assert!(holes.len() >= 200 && (told + broken) * 200 >= 195 * holes.len());
}
