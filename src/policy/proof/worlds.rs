//! What can be supposed of moments and records, so that something happens that must never: as little as is enough.

use std::collections::BTreeSet;

use super::goals::Goal;
use crate::policy::engine::Facts;
use crate::policy::model::Model;
use crate::policy::supposed::{Assumed, For, Formula, Supposition};

/// So many combinations are looked at; beyond, everything that helps is supposed at once.
const WORLDS_MAX: usize = 4096;

/// Something that is supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) supposed: Vec<Assumed>,
}

/// Everything that can be supposed and matters to a goal.
pub(super) struct Worlds<'a> {
    /// The bits where nothing is supposed.
    base: u64,
    suppositions: Vec<Supposition>,
    model: &'a Model,
}

impl<'a> Worlds<'a> {
    pub(super) fn of(model: &'a Model, goal: &Goal) -> Self {
        let categories: Vec<_> = goal.needs.iter().map(|need| &need.category).collect();
        let what_for = match goal.how {
            "shown" => For::Showing,
            _ => For::Using,
        };
        let (always, suppositions) = model.suppositions(model.bits_about(&categories), what_for);
        Self {
            base: model.least() ^ always,
            suppositions,
            model,
        }
    }

    /// Whether anything can be supposed.
    pub(super) fn are_several(&self) -> bool {
        !self.suppositions.is_empty()
    }

    /// Everything that helps, whether it can be so at once or not.
    pub(super) fn most(&self) -> World {
        if self.model.conditions.is_empty() {
            return World {
                facts: Facts::Most,
                supposed: Vec::new(),
            };
        }
        self.world(&(0..self.suppositions.len()).collect::<Vec<_>>())
    }

    /// What can be so at once, what supposes least first; at the end of too much, everything that helps.
    pub(super) fn all(&self) -> impl Iterator<Item = World> {
        let mut left = WORLDS_MAX;
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        let mut given_up = false;
        let layers = std::iter::from_fn(move || {
            if sets.is_empty() || given_up {
                return None;
            }
            let next = self.larger(&sets, &mut left);
            let layer = std::mem::take(&mut sets);
            let mut worlds: Vec<World> = layer.iter().map(|set| self.world(set)).collect();
            match next {
                Some(next) => sets = next,
                None => {
                    given_up = true;
                    worlds.push(self.most());
                }
            }
            Some(worlds)
        });
        layers.flatten()
    }

    /// The sets with one more; `None`, if they are too many.
    fn larger(&self, sets: &[Vec<usize>], left: &mut usize) -> Option<Vec<Vec<usize>>> {
        let mut larger = Vec::new();
        for set in sets {
            let from = set.last().map_or(0, |last| last + 1);
            for next in from..self.suppositions.len() {
                let mut set = set.clone();
                set.push(next);
                if !Formula::can_hold(&self.formulas(&set)) {
                    continue;
                }
                *left = left.checked_sub(1)?;
                larger.push(set);
            }
        }
        Some(larger)
    }

    fn chosen<'s>(&'s self, set: &'s [usize]) -> impl Iterator<Item = &'s Supposition> {
        set.iter().filter_map(|at| self.suppositions.get(*at))
    }

    fn formulas<'s>(&'s self, set: &'s [usize]) -> Vec<&'s Formula> {
        self.chosen(set).map(|one| &one.formula).collect()
    }

    fn world(&self, set: &[usize]) -> World {
        let bits = self.chosen(set).fold(0, |all, one| all | one.bits);
        let supposed: BTreeSet<Assumed> = self.chosen(set).map(|one| one.said.clone()).collect();
        World {
            facts: Facts::Known(self.base ^ bits),
            supposed: supposed.into_iter().collect(),
        }
    }
}

/// The conditions as most can be used and as least is shown; `None`, if there are none.
pub(super) fn of_conditions(model: &Model) -> Option<[Facts; 2]> {
    if model.conditions.is_empty() {
        return None;
    }
    let (always, suppositions) = model.suppositions(u64::MAX, For::Using);
    let most = suppositions.iter().fold(always, |all, one| all | one.bits);
    Some([Facts::Known(model.least() ^ most), Facts::Least])
}
