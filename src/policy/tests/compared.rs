//! What `compared` says of random policies, against the engine in every state: all sets of roles, all purposes, with and
//! without strong authentication.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::properties::{Rules, file, rules};
use crate::policy::testing::{compile, schema};
use crate::policy::{Aspect, Change, Policy, State, Writable};
use crate::vocabulary::{Category, Level, Purpose, Role};

const ROLES: [&str; 3] = ["r1", "r2", "r3"];
const PURPOSES: [&str; 2] = ["p1", "p2"];

/// Roles of each purpose, as bits.
type Invoke = [usize; 2];

fn policy(rules: &Rules, invoke: Invoke) -> Policy {
    let mut items = rules.items();
    for (_, text) in items
        .iter_mut()
        .filter(|(section, _)| *section == "purposes")
    {
        for (purpose, bits) in PURPOSES.iter().zip(invoke) {
            if text.contains(&format!("{purpose}:")) {
                let roles = of_bits(bits).into_iter().collect::<Vec<_>>().join(", ");
                *text = text.replace("[r1, r2, r3]", &format!("[{roles}]"));
            }
        }
    }
    compile(&[&file(&items)])
}

fn of_bits(bits: usize) -> BTreeSet<&'static str> {
    (0..3)
        .filter(|at| bits & (1 << at) != 0)
        .map(|at| ROLES[at])
        .collect()
}

fn roles_of(names: &BTreeSet<&str>) -> BTreeSet<Role> {
    names.iter().map(|name| Role::new(name)).collect()
}

/// What is given of a category to somebody with these roles; above 0, for 0 is a refusal.
fn given(
    policy: &Policy,
    invoke: Invoke,
    (held, purpose, strong): (&BTreeSet<&str>, usize, bool),
    category: &Category,
) -> (u8, u8) {
    let may = of_bits(invoke[purpose]);
    let counted: BTreeSet<&str> = held.intersection(&may).copied().collect();
    if counted.is_empty() {
        return (0, 0);
    }
    let state = State {
        roles: roles_of(&counted),
        purpose: Purpose::new(PURPOSES[purpose]),
        strengths: strong.then(|| "strong".to_owned()).into_iter().collect(),
    };
    let given = policy.sight(&state).category(category);
    let writable = match given.writable {
        Writable::No => 0,
        Writable::Valid(_) => 1,
        Writable::Yes => 2,
    };
    (given.level as u8 + 1, writable)
}

/// The rank of a word for what is shown or written.
fn rank(word: &str) -> u8 {
    let levels = Level::ALL.iter().position(|level| word == level.as_str());
    match word {
        "refused" | "not written" => 0,
        "written" => 2,
        word if word.starts_with("written if") => 1,
        word if word.starts_with("mask") => Level::Mask as u8 + 1,
        word if word.starts_with("token") => Level::Token as u8 + 1,
        _ => levels.map_or(u8::MAX, |at| at as u8 + 1),
    }
}

/// That somebody is let in, or not, and shown nothing is told of the purpose.
fn is_worth(old: u8, new: u8) -> bool {
    old.min(new) > 0 || old.max(new) > Level::Redact as u8 + 1
}

fn any_rules() -> impl Strategy<Value = (Rules, Invoke)> {
    (rules(), [1..8_usize, 1..8_usize])
}

/// Whether a change at this state, or at a part of it, says at least as much.
fn is_told(
    changes: &BTreeSet<Change>,
    aspect: Aspect,
    category: &Category,
    (held, purpose, strong): (&BTreeSet<&str>, usize, bool),
    (old, new): (u8, u8),
) -> bool {
    changes.iter().any(|change| {
        let (from, to) = (rank(&change.old), rank(&change.new));
        let covers = match new > old {
            true => from <= old && to >= new,
            false => from >= old && to <= new,
        };
        change.aspect == aspect
            && change.category.as_ref() == Some(category)
            && change.field.is_none()
            && change.roles.iter().all(|role| held.contains(role.as_str()))
            && change
                .purpose
                .as_ref()
                .is_some_and(|own| own.as_str() == PURPOSES[purpose])
            && (change.strength.is_some() == strong)
            && covers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_differs_for_any_set_of_roles_is_told_of_one_or_two(
        (old, old_invoke) in any_rules(),
        (new, new_invoke) in any_rules(),
    ) {
        let (before, after) = (policy(&old, old_invoke), policy(&new, new_invoke));
        let compared = before.compared(&after, &schema());
        let widest = compared.more.iter().map(|change| change.roles.len()).max();
        prop_assert!(widest.is_none_or(|roles| roles <= 2));
        for bits in 1..8 {
            let held = of_bits(bits);
            for (purpose, strong) in [(0, false), (0, true), (1, false), (1, true)] {
                let state = (&held, purpose, strong);
                for category in before.categories() {
                    let (shown, written) = given(&before, old_invoke, state, category);
                    let (shows, writes) = given(&after, new_invoke, state, category);
                    let told = |changes, aspect, values| is_told(changes, aspect, category, state, values);
                    let is_worth = is_worth(shown, shows);
                    if shows > shown && is_worth {
                        prop_assert!(told(&compared.more, Aspect::Shown, (shown, shows)), "{category} {state:?} {shown} {shows}");
                    }
                    if shows < shown && is_worth {
                        prop_assert!(told(&compared.less, Aspect::Shown, (shown, shows)), "{category} {state:?} {shown} {shows}");
                    }
                    if writes > written {
                        prop_assert!(told(&compared.writable, Aspect::Written, (written, writes)), "{category} {state:?}");
                    }
                    if writes < written {
                        prop_assert!(told(&compared.less, Aspect::Written, (written, writes)), "{category} {state:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn whatever_is_told_is_so(
        (old, old_invoke) in any_rules(),
        (new, new_invoke) in any_rules(),
    ) {
        let (before, after) = (policy(&old, old_invoke), policy(&new, new_invoke));
        let compared = before.compared(&after, &schema());
        let all = compared.more.iter().chain(&compared.less).chain(&compared.writable);
        for change in all.filter(|change| change.field.is_none()) {
            let Some(category) = &change.category else { continue };
            let held: BTreeSet<&str> = change.roles.iter().map(String::as_str).collect();
            let purpose = change.purpose.as_ref().map(ToString::to_string);
            let purpose = PURPOSES.iter().position(|name| Some((*name).to_owned()) == purpose).unwrap();
            let state = (&held, purpose, change.strength.is_some());
            let (shown, written) = given(&before, old_invoke, state, category);
            let (shows, writes) = given(&after, new_invoke, state, category);
            match change.aspect {
                Aspect::Shown => prop_assert_eq!((shown, shows), (rank(&change.old), rank(&change.new)), "{:?}", change),
                Aspect::Written => prop_assert_eq!((written, writes), (rank(&change.old), rank(&change.new)), "{:?}", change),
                _ => {}
            }
            // A pair is told only where neither role alone says as much.
            if held.len() == 2 && change.aspect == Aspect::Shown {
                for role in &held {
                    let alone = BTreeSet::from([*role]);
                    let state = (&alone, purpose, change.strength.is_some());
                    let (one, other) = (given(&before, old_invoke, state, category).0, given(&after, new_invoke, state, category).0);
                    let explains = if shows > shown {
                        one <= shown && other >= shows
                    } else {
                        one >= shown && other <= shows
                    };
                    let explains = explains && is_worth(one, other);
                    prop_assert!(!explains, "{change:?}");
                }
            }
        }
    }

    #[test]
    fn other_texts_of_the_same_meaning_are_no_difference(
        (rules, items, files) in rules().prop_flat_map(|rules| {
            let items = said_otherwise(&rules);
            let count = items.len();
            (Just(rules), Just(items).prop_shuffle(), prop::collection::vec(0..3_usize, count))
        })
    ) {
        let policy = compile(&[&file(&rules.items())]);
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        for (item, at) in items.into_iter().zip(files) {
            parts[at].push(item);
        }
        let texts: Vec<String> = parts.iter().map(|items| file(items)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let compared = policy.compared(&compile(&texts), &schema());
        prop_assert!(compared.is_same(), "{compared:#?}");
    }
}

/// The same rules under other names, grants and caps of several categories split into one of each.
fn said_otherwise(rules: &Rules) -> Vec<super::properties::Item> {
    let mut said = Vec::new();
    for (section, text) in rules.items() {
        if section != "grants" && section != "caps" {
            said.push((section, text));
            continue;
        }
        let renamed = text.replacen("{ name: ", "{ name: other-", 1);
        let Some((before, rest)) = renamed.split_once("data: [") else {
            said.push((section, renamed));
            continue;
        };
        let (data, after) = rest.split_once(']').unwrap_or((rest, ""));
        for (at, category) in data.split(", ").enumerate() {
            let before = before.replacen("name: other-", &format!("name: other-{at}-"), 1);
            said.push((section, format!("{before}data: {category}{after}")));
        }
    }
    said
}
