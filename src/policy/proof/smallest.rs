//! The smallest state in which something happens, once it is known to happen in a large one.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use super::goals::{Goal, Least, Need};
use super::strengths::Provable;
use crate::policy::engine::{Facts, Situation};
use crate::policy::model::{Cap, Grant, Model, about};
use crate::vocabulary::{Purpose, Role, RuleName};

/// Beyond so many half-ways to a smallest set of roles, roles are left out one by one instead.
const REACHED_MAX: usize = 4096;

/// States of one purpose, of roles none of which a cap holds back from what a goal needs.
pub(super) struct Within<'a> {
    pub(super) model: &'a Model,
    pub(super) goal: &'a Goal,
    pub(super) purpose: &'a Purpose,
    pub(super) roles: &'a BTreeSet<Role>,
    /// One of these must be among them, if there are any.
    pub(super) wanted: &'a BTreeSet<Role>,
    /// What is supposed of conditions.
    pub(super) facts: Facts,
}

impl Within<'_> {
    fn state(&self, roles: BTreeSet<Role>, strengths: BTreeSet<String>) -> State {
        State {
            roles,
            purpose: self.purpose.clone(),
            strengths,
        }
    }

    /// The largest state. If what the goal needs does not hold in it, it holds in none.
    pub(super) fn largest(&self, provable: &Provable) -> State {
        self.state(self.roles.clone(), provable.whole())
    }

    /// The smallest state in which the goal is met: of the fewest roles, and of these with the fewest strengths.
    pub(super) fn smallest(&self, provable: &Provable) -> State {
        let whole = provable.whole();
        let Some(fewest) = self.cover(&whole).map(|roles| roles.len()) else {
            return self.largest(provable);
        };
        let mut states = self
            .few(provable)
            .into_iter()
            .map(|(_, strengths)| strengths)
            .chain(std::iter::once_with(|| self.shrunk(provable, fewest)))
            .filter_map(|strengths| {
                let roles = self.cover(&strengths)?;
                (roles.len() == fewest).then(|| self.state(roles, strengths))
            });
        let found = states.find(|state| self.is_met(state));
        found.unwrap_or_else(|| self.largest(provable))
    }

    fn is_met(&self, state: &State) -> bool {
        is_met(self.model, self.goal, &state.situation(self.facts))
    }

    /// What is always proved, with none, one or two of the proofs that a grant asks for, the fewest strengths first.
    fn few(&self, provable: &Provable) -> BTreeSet<(usize, BTreeSet<String>)> {
        let grants = self.model.grants.iter();
        let asked: BTreeSet<&String> = grants.flat_map(|grant| &grant.requires).collect();
        let parts: Vec<&BTreeSet<String>> = provable
            .parts
            .iter()
            .filter(|part| part.iter().any(|strength| asked.contains(strength)))
            .collect();
        let with = |parts: &[&BTreeSet<String>]| {
            let parts = parts.iter().copied().flatten();
            let all: BTreeSet<String> = parts.chain(&provable.always).cloned().collect();
            (all.len(), all)
        };
        let mut few = BTreeSet::from([with(&[])]);
        for (at, one) in parts.iter().enumerate() {
            few.insert(with(&[one]));
            if self.goal.needs.len() > 1 {
                few.extend(parts.iter().skip(at + 1).map(|other| with(&[one, other])));
            }
        }
        few
    }

    /// All that can be proved, without the proofs that are not needed.
    fn shrunk(&self, provable: &Provable, fewest: usize) -> BTreeSet<String> {
        let mut kept = provable.clone();
        let mut at = 0;
        while at < kept.parts.len() {
            let mut fewer = kept.clone();
            fewer.parts.remove(at);
            let covers = self.cover(&fewer.whole());
            match covers.is_some_and(|roles| roles.len() == fewest) {
                true => kept = fewer,
                false => at += 1,
            }
        }
        kept.whole()
    }

    /// The fewest roles that together meet the goal: what several are granted adds up, and none of them is held back.
    fn cover(&self, strengths: &BTreeSet<String>) -> Option<BTreeSet<Role>> {
        let whole = (1_u64 << (self.goal.needs.len() + 1).min(63)) - 1;
        let roles: Vec<(&Role, u64)> = self
            .roles
            .iter()
            .map(|role| (role, self.meets(role, strengths)))
            .collect();
        if roles.iter().fold(0, |all, (_, own)| all | own) != whole || self.goal.needs.len() > 62 {
            return None;
        }
        let mut reached: BTreeMap<u64, BTreeSet<Role>> = BTreeMap::from([(0, BTreeSet::new())]);
        while reached.len() <= REACHED_MAX {
            let mut further = reached.clone();
            for (met, some) in &reached {
                for (role, own) in &roles {
                    further.entry(met | own).or_insert_with(|| {
                        let mut more = some.clone();
                        more.insert((*role).clone());
                        more
                    });
                }
            }
            if let Some(enough) = further.remove(&whole) {
                return Some(enough);
            }
            reached = further;
        }
        Some(without_spare(&roles, whole))
    }

    /// Which of the goal's needs a role meets alone, a bit each; and one more, if it is one of those that are wanted.
    fn meets(&self, role: &Role, strengths: &BTreeSet<String>) -> u64 {
        let alone = self.state(BTreeSet::from([role.clone()]), strengths.clone());
        let situation = alone.situation(self.facts);
        let is_wanted = self.wanted.is_empty() || self.wanted.contains(role);
        let needs = self.goal.needs.iter();
        let met = needs.map(|need| need.is_met(self.model, &situation));
        let bits = met.chain([is_wanted]).zip(0..);
        bits.fold(0, |all, (is_met, bit)| all | u64::from(is_met) << bit)
    }
}

/// Some roles of which none can be left out.
fn without_spare(roles: &[(&Role, u64)], whole: u64) -> BTreeSet<Role> {
    let mut kept = roles.to_vec();
    let mut at = 0;
    while at < kept.len() {
        let others = kept.iter().enumerate().filter(|(other, _)| *other != at);
        match others.fold(0, |all, (_, (_, own))| all | own) == whole {
            true => {
                kept.remove(at);
            }
            false => at += 1,
        }
    }
    kept.into_iter().map(|(role, _)| role.clone()).collect()
}

/// Whether all that a goal needs holds.
pub(super) fn is_met(model: &Model, goal: &Goal, situation: &Situation) -> bool {
    let mut needs = goal.needs.iter();
    needs.all(|need| need.is_met(model, situation))
}

impl Need {
    fn is_met(&self, model: &Model, situation: &Situation) -> bool {
        let verdict = model.verdict(situation, &self.category);
        match self.least {
            Least::Shown(level) => verdict.level >= level,
            Least::Written(write) => verdict.write >= write,
        }
    }

    /// The rules that give it.
    pub(super) fn by(&self, model: &Model, situation: &Situation) -> Vec<RuleName> {
        let verdict = model.verdict(situation, &self.category);
        if matches!(self.least, Least::Shown(_)) {
            return verdict.by;
        }
        let writes = |grant: &&Grant| {
            about(&grant.data, &self.category)
                && grant.matches(situation)
                && model.writes(grant, &self.category) == verdict.write
        };
        let grants = model.grants.iter().filter(writes);
        grants.map(|grant| grant.name.clone()).collect()
    }

    /// Whether a cap holds it back, where it matches.
    pub(super) fn is_held_by(&self, model: &Model, cap: &Cap) -> bool {
        let is_held = match self.least {
            Least::Shown(least) => model.meaning(cap.level, &self.category) < least,
            Least::Written(_) => cap.forbids_writing(),
        };
        is_held && about(&cap.data, &self.category)
    }

    /// Whether caps hold it back, whatever is granted.
    pub(super) fn is_held_back(&self, model: &Model, situation: &Situation) -> bool {
        let (level, write) = model.ceiling(situation, &self.category);
        match self.least {
            Least::Shown(least) => level < least,
            Least::Written(least) => write < least,
        }
    }
}
