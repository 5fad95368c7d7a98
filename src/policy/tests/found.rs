//! Holes in the shipped policy: what `diff` says of each.

use std::sync::Arc;

use crate::diagnostic::{Diagnostics, File};
use crate::dialect::Schema;
use crate::policy::document::Document;
use crate::policy::judge::Core;
use crate::policy::testing::planted::{planted, shipped};
use crate::policy::testing::promises::promises;
use crate::policy::testing::stock;
use crate::policy::{Policy, Source, check, sections, source};

/// Compiles files that hold no error, without telling what is odd about them.
fn compiled(sources: &[Source], schema: &Arc<Schema>) -> Policy {
    let mut found = Diagnostics::new();
    let mut document = Document::default();
    for source in sources {
        let file = File::new(source.path.as_str(), source.text.as_str());
        sections::read(&file, &mut document, &mut found);
    }
    let model = check::check(document, source::hash(sources, None), &mut found);
    assert!(!found.has_errors(), "{}", found.render(false));
    Policy::of(Core::new(model, schema.clone(), &[0; 32]))
}

#[test]
fn every_hole_grows_disclosure_or_breaks_a_promise() {
    let schema = stock("sugar-rest");
    let whole = compiled(&shipped(), &schema);
    let (mut told, mut broken, mut missed) = (0, 0, Vec::new());
    let holes = planted();
    for hole in &holes {
        let policy = compiled(&hole.sources(), &schema);
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
    // What is left shows nobody anything: nothing is written of it here that a promise or a comparison could tell.
    assert!(missed.len() <= 5, "{missed:#?}");
}
