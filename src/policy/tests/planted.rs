//! Holes in the shipped policy are found.

use std::collections::BTreeSet;

use crate::policy::decide::may_invoke;
use crate::policy::plan::{FieldRule, Show, Writable};
use crate::policy::proof::fields;
use crate::policy::testing::planted::{Planted, ToldBy, planted, shipped};
use crate::policy::testing::promises::promises;
use crate::policy::testing::{stock, unlinted};
use crate::policy::{Policy, State};

/// Kinds that change who has a role or a strength, and not what is given to whom: a promise is about roles and strengths.
const OF_IDENTITY: [&str; 2] = ["evidence", "strength"];

fn compiled(hole: &Planted) -> Policy {
    unlinted(&hole.sources(), stock("sugar-rest"))
}

fn whole() -> Policy {
    unlinted(&shipped(), stock("sugar-rest"))
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
    let broken = broken(&whole());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn planted_holes_break_promises() {
    let promises = promises();
    let mut found = 0;
    let mut holes = planted();
    holes.retain(|hole| hole.told_by == ToldBy::Promise);
    for hole in holes {
        let policy = compiled(&hole);
        let is_broken = |never| policy.prove(never).counterexample.is_some();
        assert!(promises.iter().any(is_broken), "{hole:?}");
        found += 1;
    }
    assert_eq!(found, 200);
}

#[test]
fn holes_that_break_no_promise_are_told_by_a_comparison_or_harmless() {
    let whole = whole();
    let mut harmless = 0;
    for hole in planted() {
        if hole.told_by == ToldBy::Promise {
            continue;
        }
        let policy = compiled(&hole);
        assert_eq!(broken(&policy), Vec::<String>::new(), "{hole:?}");
        match hole.told_by {
            ToldBy::Nothing => harmless += 1,
            _ if OF_IDENTITY.contains(&hole.kind) => {}
            _ => assert!(discloses(&whole, &policy), "{hole:?}"),
        }
    }
    assert_eq!(harmless, 5);
}

/// Whether something is given in a state of one role that was not given before.
pub(super) fn discloses(old: &Policy, new: &Policy) -> bool {
    let paths: BTreeSet<_> = [old, new]
        .iter()
        .flat_map(|policy| fields(&policy.core))
        .collect();
    alike(old, new).iter().any(|state| {
        let is_new = !is_possible(old, state);
        let (before, after) = (old.sight(state), new.sight(state));
        let categories = new.categories().any(|category| {
            let (before, after) = (before.category(category), after.category(category));
            let mask = |policy: &Policy| {
                let model = policy.core.model.categories.get(category);
                model.and_then(|model| model.mask.clone())
            };
            after.level > before.level
                || after.usable > before.usable
                || rank(&after.writable) > rank(&before.writable)
                || is_new && after.level > old.core.model.ungranted
                || mask(old) != mask(new)
        });
        categories
            || paths.iter().any(|path| {
                let (before, after) = (before.field(path), after.field(path));
                after.level > before.level
                    || after.usable > before.usable
                    || rank(&after.writable) > rank(&before.writable)
                    || lets_pass(&before, &after)
            })
            || new.core.model.search.len() > old.core.model.search.len()
    })
}

/// The states of one role alone, in which that role proves what either policy asks for and it proves at any rate.
fn alike(old: &Policy, new: &Policy) -> Vec<State> {
    let before = old.states(1);
    let with = |state: State| {
        let same = before
            .iter()
            .filter(|other| (&other.roles, &other.purpose) == (&state.roles, &state.purpose));
        let mut states: Vec<State> = same
            .map(|other| State {
                strengths: &other.strengths | &state.strengths,
                ..state.clone()
            })
            .collect();
        if states.is_empty() {
            states.push(state);
        }
        states
    };
    new.states(1).into_iter().flat_map(with).collect()
}

fn is_possible(policy: &Policy, state: &State) -> bool {
    let mut roles = state.roles.iter();
    roles.all(|role| may_invoke(&policy.core.model, role, &state.purpose))
}

/// Whether something is looked for in a text no more.
fn lets_pass(before: &FieldRule, after: &FieldRule) -> bool {
    let withheld = |rule: &FieldRule| match &rule.show {
        Show::Text(text) => {
            let spans = text.spans.iter();
            spans
                .filter(|span| span.shown.is_some())
                .map(|span| span.kind)
                .collect()
        }
        _ => BTreeSet::new(),
    };
    let is_text = matches!(before.show, Show::Text(_));
    is_text && after.level == before.level && !withheld(before).is_subset(&withheld(after))
}

fn rank(writable: &Writable) -> u8 {
    match writable {
        Writable::No => 0,
        Writable::Valid(_) => 1,
        Writable::Yes => 2,
    }
}
