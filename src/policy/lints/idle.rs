//! Rules without which nothing would change, in whatever role, purpose and strength.
//!
//! One role at a time is enough. A grant that makes a difference to somebody with several roles makes one to somebody with
//! that one alone which it is for: fewer grants stand beside it, and fewer caps hold it down. Of a cap it is asked whether it
//! would make a difference if everything were granted, since a cap is there for what somebody may grant tomorrow; then no
//! other role matters to it either.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Level};

use super::super::codes;
use super::super::decide::may_invoke;
use super::super::engine::{Facts, Observing, Situation};
use super::super::model::{Cap, Grant, Model, Writing, about};
use super::super::warnings;
use super::words::listed;

pub(super) fn warn(model: &Model, found: &mut Diagnostics) {
    let states = states(model);
    grants(model, &states, found);
    caps(model, &states, found);
}

/// Every state of one role alone that a rule can tell from others: without a strength of authentication, and with each.
fn states(model: &Model) -> Vec<Situation> {
    let mut states = Vec::new();
    let strengths: Vec<BTreeSet<String>> = std::iter::once(BTreeSet::new())
        .chain(
            model
                .strengths
                .keys()
                .map(|name| BTreeSet::from([name.clone()])),
        )
        .collect();
    for purpose in model.purposes.keys() {
        for role in model
            .roles
            .keys()
            .filter(|role| may_invoke(model, role, purpose))
        {
            for strengths in &strengths {
                states.push(Situation {
                    roles: BTreeSet::from([role.clone()]),
                    purpose: Some(purpose.clone()),
                    strengths: strengths.clone(),
                    seen: None,
                    observing: Observing::Enforced,
                    facts: Facts::Most,
                });
            }
        }
    }
    states
}

/// The highest of some values, and who alone has it.
#[derive(Clone, Copy)]
struct Top<T> {
    best: T,
    /// The one with the best value; `None` if there are several, or it is nobody's.
    alone: Option<usize>,
    second: T,
}

impl<T: Ord + Copy> Top<T> {
    fn new(floor: T) -> Self {
        Self {
            best: floor,
            alone: None,
            second: floor,
        }
    }

    fn add(&mut self, at: usize, value: T) {
        if value > self.best {
            (self.second, self.best, self.alone) = (self.best, value, Some(at));
        } else if value == self.best {
            (self.second, self.alone) = (value, None);
        } else if value > self.second {
            self.second = value;
        }
    }
}

/// The rules that are about each category, by its name.
struct Rules<'a> {
    categories: Vec<&'a Category>,
    /// By rule, the places of its categories.
    of: Vec<Vec<usize>>,
}

impl<'a> Rules<'a> {
    fn new<'r>(model: &'a Model, data: impl Iterator<Item = &'r Vec<Category>>) -> Self {
        let categories: Vec<&Category> = model.categories.keys().collect();
        let places = |data: &Vec<Category>| {
            let all = categories.iter().enumerate();
            let own = all.filter(|(_, category)| about(data, category));
            own.map(|(at, _)| at).collect()
        };
        Self {
            of: data.map(places).collect(),
            categories,
        }
    }
}

/// The rules that make no difference, one after the other: without those that were found before.
fn idle(
    rules: &Rules<'_>,
    mut left: BTreeSet<usize>,
    asked: &BTreeSet<usize>,
    effective: &dyn Fn(&BTreeSet<usize>) -> BTreeSet<usize>,
) -> Vec<usize> {
    let mut found = Vec::new();
    loop {
        let effective = effective(&left);
        let mut touched = BTreeSet::new();
        let before = found.len();
        for at in asked.intersection(&left) {
            let Some(own) = rules.of.get(*at) else {
                continue;
            };
            // Of two that give the same, one is needed: those that could stand for each other wait for the next round.
            if !effective.contains(at) && own.iter().all(|place| !touched.contains(place)) {
                touched.extend(own.iter().copied());
                found.push(*at);
            }
        }
        if found.len() == before {
            return found;
        }
        left = found.iter().fold(left, |mut left, at| {
            left.remove(at);
            left
        });
    }
}

fn grants(model: &Model, states: &[Situation], found: &mut Diagnostics) {
    let rules = Rules::new(model, model.grants.iter().map(|grant| &grant.data));
    let matching = matching(states, &model.grants, Grant::matches);
    let held = held(model, states, &rules.categories);
    // What only observes gives nothing yet, and is about to be looked at. What asks for something beside may not match where
    // another one does. What is told otherwise is not told twice.
    let is_left = |(at, grant): &(usize, &Grant)| {
        grant.observed.is_none()
            && grant.when.is_none()
            && warnings::idle(model, *at, grant).is_none()
    };
    let all = model.grants.iter().enumerate().filter(is_left);
    let left: BTreeSet<usize> = all.map(|(at, _)| at).collect();
    let effective = |left: &BTreeSet<usize>| effective(model, &rules, (&matching, &held), left);
    let idle = idle(&rules, left.clone(), &left, &|left| effective(left).0);
    let rest: BTreeSet<usize> = left
        .iter()
        .filter(|at| !idle.contains(at))
        .copied()
        .collect();
    let (_, writing) = effective(&rest);
    for (at, grant) in model.grants.iter().enumerate() {
        if idle.contains(&at) {
            found.push(superfluous(model, grant, states));
        } else if let (Some(place), true, false) = (
            &grant.allows_write,
            rest.contains(&at),
            writing.contains(&at),
        ) {
            let name = quoted(grant.name.as_str());
            found.push(
                Diagnostic::warning(
                    codes::WRITES_NOTHING,
                    format!("`write: allow` of grant {name} lets nobody write anything"),
                )
                .at(
                    place,
                    "caps forbid it, or other grants give the same right, for whomever it is",
                )
                .help("take it out, or look at the caps on its data"),
            );
        }
    }
}

/// By state, the rules that match in it.
fn matching<R>(
    states: &[Situation],
    rules: &[R],
    matches: fn(&R, &Situation) -> bool,
) -> Vec<Vec<usize>> {
    let of = |state: &Situation| {
        let rules = rules.iter().enumerate();
        let rules = rules.filter(|(_, rule)| matches(rule, state));
        rules.map(|(at, _)| at).collect()
    };
    states.iter().map(of).collect()
}

/// By state and category, the level that caps hold it down to, and whether they forbid to write.
type Held = Vec<Vec<(Level, bool)>>;

fn held(model: &Model, states: &[Situation], categories: &[&Category]) -> Held {
    let caps = Rules::new(model, model.caps.iter().map(|cap| &cap.data));
    let matching = matching(states, &model.caps, Cap::matches);
    let of = |caps_of_state: &Vec<usize>| {
        let mut held = vec![(Level::Clear, false); categories.len()];
        for at in caps_of_state {
            let (Some(cap), Some(own)) = (model.caps.get(*at), caps.of.get(*at)) else {
                continue;
            };
            // What only observes holds nothing down yet, and what is lifted or asks for something does not always.
            if cap.observed.is_some() || cap.is_conditional() {
                continue;
            }
            for place in own {
                if let (Some(held), Some(category)) = (held.get_mut(*place), categories.get(*place))
                {
                    held.0 = held.0.min(model.meaning(cap.level, category));
                    held.1 |= cap.denies_write || cap.level < Level::Clear;
                }
            }
        }
        held
    };
    matching.iter().map(of).collect()
}

/// The grants that make a difference, and those whose right to write does.
fn effective(
    model: &Model,
    rules: &Rules<'_>,
    (matching, held): (&[Vec<usize>], &Held),
    left: &BTreeSet<usize>,
) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (mut effective, mut writing) = (BTreeSet::new(), BTreeSet::new());
    for (matching, held) in matching.iter().zip(held) {
        let mut levels: BTreeMap<usize, (Top<Level>, Top<Writing>)> = BTreeMap::new();
        for at in matching.iter().filter(|at| left.contains(at)) {
            let (Some(grant), Some(own)) = (model.grants.get(*at), rules.of.get(*at)) else {
                continue;
            };
            for place in own {
                let Some(category) = rules.categories.get(*place) else {
                    continue;
                };
                let floor = || (Top::new(model.floor(category)), Top::new(Writing::No));
                let (level, write) = levels.entry(*place).or_insert_with(floor);
                level.add(*at, model.meaning(grant.level, category));
                write.add(*at, model.writes(grant, category));
                // What is seen may be written: saying so aloud gives no more, and takes nothing away.
                if grant.level == Level::Clear
                    && held.get(*place).is_some_and(|(_, denied)| !denied)
                {
                    writing.insert(*at);
                }
            }
        }
        for (place, (level, write)) in levels {
            let Some((most, is_denied)) = held.get(place) else {
                continue;
            };
            if level.best.min(*most) != level.second.min(*most) {
                effective.extend(level.alone);
            }
            if !is_denied && write.best != write.second {
                effective.extend(write.alone);
                writing.extend(write.alone);
            }
        }
    }
    (effective, writing)
}

/// What stands in the way of a grant, or for it.
fn superfluous(model: &Model, grant: &Grant, states: &[Situation]) -> Diagnostic {
    let mut others = BTreeSet::new();
    for state in states.iter().filter(|state| grant.matches(state)) {
        let categories = model.categories.keys();
        for category in categories.filter(|category| about(&grant.data, category)) {
            let verdict = model.verdict(state, category);
            let by = verdict.by.iter().filter(|by| **by != grant.name);
            others.extend(
                by.filter(|by| !by.as_str().starts_with("defaults."))
                    .cloned(),
            );
        }
    }
    let name = quoted(grant.name.as_str());
    let label = match others.is_empty() {
        true => "all of its data is shown just so without it".to_owned(),
        false => format!("{} decide already", listed(&others)),
    };
    Diagnostic::warning(
        codes::INEFFECTIVE,
        format!("grant {name} changes nothing for anybody"),
    )
    .at(&grant.place, label)
    .help("take it out; if it was to show more, look at the caps on its data")
}

fn caps(model: &Model, states: &[Situation], found: &mut Diagnostics) {
    let rules = Rules::new(model, model.caps.iter().map(|cap| &cap.data));
    let matching = matching(states, &model.caps, Cap::matches);
    let is_told = |cap: &Cap| cap.level == Level::Clear && !cap.denies_write;
    let all = |firm: bool| -> BTreeSet<usize> {
        let caps = model.caps.iter().enumerate();
        let caps = caps
            .filter(|(_, cap)| cap.observed.is_none() && !cap.is_conditional() && !is_told(cap));
        caps.filter(|(_, cap)| cap.firm || !firm)
            .map(|(at, _)| at)
            .collect()
    };
    let effective = |left: &BTreeSet<usize>| lowering(model, &rules, &matching, left);
    // A firm cap holds where another one may give way, so it is needed beside that.
    let firm = all(true);
    let mut superfluous = idle(&rules, firm.clone(), &firm, &effective);
    let others: BTreeSet<usize> = all(false).difference(&firm).copied().collect();
    let left: BTreeSet<usize> = all(false)
        .into_iter()
        .filter(|at| !superfluous.contains(at))
        .collect();
    superfluous.extend(idle(&rules, left, &others, &effective));
    superfluous.sort_unstable();
    for (at, cap) in superfluous
        .iter()
        .filter_map(|at| Some((*at, model.caps.get(*at)?)))
    {
        let matches = matching.iter().any(|matching| matching.contains(&at));
        let holders = model
            .caps
            .iter()
            .enumerate()
            .filter(|(other, _)| !superfluous.contains(other));
        let holders = holders.filter(|(_, other)| {
            let mut categories = model.categories.keys();
            categories.any(|category| about(&cap.data, category) && about(&other.data, category))
        });
        let holders: Vec<_> = holders.map(|(_, other)| &other.name).collect();
        let label = match matches {
            true => format!(
                "its data is held down as far by {}, for everybody whom it is for",
                listed(holders)
            ),
            false => "nobody whom it is for may invoke any of its purposes".to_owned(),
        };
        let title = format!(
            "cap {} can never change a decision",
            quoted(cap.name.as_str())
        );
        found.push(
            Diagnostic::warning(codes::INEFFECTIVE, title)
                .at(&cap.place, label)
                .help("take it out, or lower its level"),
        );
    }
}

/// The caps that would make a difference, if everything were granted in clear.
fn lowering(
    model: &Model,
    rules: &Rules<'_>,
    matching: &[Vec<usize>],
    left: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut effective = BTreeSet::new();
    for matching in matching {
        let mut lowest = BTreeMap::new();
        for at in matching.iter().filter(|at| left.contains(at)) {
            let (Some(cap), Some(own)) = (model.caps.get(*at), rules.of.get(*at)) else {
                continue;
            };
            let denies = cap.denies_write || cap.level < Level::Clear;
            for place in own {
                let Some(category) = rules.categories.get(*place) else {
                    continue;
                };
                let clear = || (Top::new(std::cmp::Reverse(Level::Clear)), Top::new(false));
                let (level, write) = lowest.entry(*place).or_insert_with(clear);
                level.add(*at, std::cmp::Reverse(model.meaning(cap.level, category)));
                write.add(*at, denies);
            }
        }
        for (level, write) in lowest.into_values() {
            effective.extend(level.alone.filter(|_| level.best != level.second));
            effective.extend(write.alone.filter(|_| write.best != write.second));
        }
    }
    effective
}
