//! What conditions of two policies can be at once: the same condition is the same in both, any other one is free.

use std::collections::BTreeSet;

use super::cells::{NEW, OLD};
use crate::policy::engine::Facts;
use crate::policy::model::{Bit, Model};
use crate::policy::supposed::{Assumed, For, Formula};

/// So many conditions that matter to the same data are tried in every combination. Of more, those are tried in which all but
/// two are as they show most or least under one of the policies, or all hold, or none.
const FREE_MAX: usize = 10;

/// A condition of one policy or of both.
#[derive(Debug)]
struct Variable {
    yes: Formula,
    /// What is so where it does not hold; `None`, where that says nothing of anything else.
    no: Option<Formula>,
    parts: Vec<Part>,
}

/// Bits of a policy that depend on it.
#[derive(Clone, Copy, Debug)]
struct Part {
    side: usize,
    what_for: For,
    bits: u64,
    /// Whether they show most where it holds, or where it does not.
    most: bool,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy::proof) struct World {
    holds: Vec<bool>,
    /// The conditions of a record that is shown.
    pub(in crate::policy::proof) showing: [Facts; 2],
    /// Those by which fields are used.
    pub(in crate::policy::proof) using: [Facts; 2],
}

/// All combinations that matter to some data.
#[derive(Debug)]
pub(in crate::policy::proof) struct Worlds<'a> {
    models: [&'a Model; 2],
    variables: Vec<Variable>,
    pub(in crate::policy::proof) all: Vec<World>,
}

const MODES: [For; 2] = [For::Showing, For::Using];

impl<'a> Worlds<'a> {
    /// Those of some bits of each policy.
    pub(in crate::policy::proof) fn of(models: [&'a Model; 2], bits: [u64; 2]) -> Self {
        let mut worlds = Self {
            models,
            variables: Vec::new(),
            all: Vec::new(),
        };
        let mut always = [[0; 2]; 2];
        for side in [OLD, NEW] {
            for (mode, what_for) in MODES.into_iter().enumerate() {
                always[mode][side] = worlds.note(side, bits[side], what_for);
            }
        }
        worlds.all = worlds.combined(always);
        worlds
    }

    /// Notes what the bits of a policy depend on; those are handed back that show most whatever is so.
    fn note(&mut self, side: usize, bits: u64, what_for: For) -> u64 {
        let model = self.models[side];
        let mut always = 0;
        for (bit, noted) in (0..).map(Bit).zip(&model.conditions) {
            let Some(yes) = model.shows_most(bit, what_for).filter(|_| bit.is_in(bits)) else {
                continue;
            };
            if yes.is_always() {
                always |= bit.mask();
                continue;
            }
            if !Formula::can_hold(&[&yes]) {
                continue;
            }
            // What nobody knows of records may be so, and may not.
            let is_of_request = what_for == For::Showing || !noted.condition.is_about_records();
            let no = is_of_request.then(|| match noted.withholds {
                true => Formula::holds(&noted.condition),
                false => Formula::fails(&noted.condition),
            });
            self.add(yes, no, (side, what_for, bit.mask()));
        }
        always
    }

    fn add(
        &mut self,
        yes: Formula,
        no: Option<Formula>,
        (side, what_for, bits): (usize, For, u64),
    ) {
        let (key, opposite) = (yes.key(), no.as_ref().map(Formula::key));
        let part = |most| Part {
            side,
            what_for,
            bits,
            most,
        };
        for known in &mut self.variables {
            let (own, other) = (known.yes.key(), known.no.as_ref().map(Formula::key));
            if own == key {
                return known.parts.push(part(true));
            }
            if opposite.as_ref() == Some(&own) || other.as_ref() == Some(&key) {
                return known.parts.push(part(false));
            }
        }
        let parts = vec![part(true)];
        self.variables.push(Variable { yes, no, parts });
    }

    fn combined(&self, always: [[u64; 2]; 2]) -> Vec<World> {
        let count = self.variables.len();
        if count == 0 {
            return vec![self.world(Vec::new(), always)];
        }
        let tried: BTreeSet<Vec<bool>> = match count <= FREE_MAX {
            true => (0..1_usize << count)
                .map(|number| (0..count).map(|at| number >> at & 1 == 1).collect())
                .collect(),
            false => self.few(),
        };
        let possible = tried.into_iter().filter(|holds| self.can_be(holds));
        possible.map(|holds| self.world(holds, always)).collect()
    }

    /// Combinations close to those that show most or least.
    fn few(&self) -> BTreeSet<Vec<bool>> {
        let count = self.variables.len();
        let mut bases = vec![vec![true; count], vec![false; count]];
        for side in [OLD, NEW] {
            for most in [true, false] {
                let of = |variable: &Variable| {
                    let mut parts = variable.parts.iter();
                    let part = parts.find(|part| part.side == side);
                    part.or_else(|| variable.parts.first())
                        .is_none_or(|part| part.most)
                        == most
                };
                bases.push(self.variables.iter().map(of).collect());
            }
        }
        let mut tried = BTreeSet::new();
        for base in bases {
            for one in 0..count {
                for other in one..count {
                    let mut holds = base.clone();
                    for at in [one, other] {
                        if let Some(holds) = holds.get_mut(at) {
                            *holds = !*holds;
                        }
                    }
                    tried.insert(holds);
                    let mut holds = base.clone();
                    if let Some(holds) = holds.get_mut(one) {
                        *holds = !*holds;
                    }
                    tried.insert(holds);
                }
            }
            tried.insert(base);
        }
        tried
    }

    fn can_be(&self, holds: &[bool]) -> bool {
        let so = self.variables.iter().zip(holds);
        let formulas: Vec<&Formula> = so
            .filter_map(|(variable, holds)| match holds {
                true => Some(&variable.yes),
                false => variable.no.as_ref(),
            })
            .collect();
        Formula::can_hold(&formulas)
    }

    fn world(&self, holds: Vec<bool>, always: [[u64; 2]; 2]) -> World {
        let facts = |mode: usize, side: usize| {
            let model = self.models[side];
            if model.conditions.is_empty() {
                return Facts::Most;
            }
            let mut turned = always[mode][side];
            for (variable, holds) in self.variables.iter().zip(&holds) {
                let own = variable.parts.iter().filter(|part| {
                    part.side == side && part.what_for == MODES[mode] && part.most == *holds
                });
                turned |= own.fold(0, |all, part| all | part.bits);
            }
            Facts::Known(model.least() ^ turned)
        };
        World {
            showing: [facts(0, OLD), facts(0, NEW)],
            using: [facts(1, OLD), facts(1, NEW)],
            holds,
        }
    }

    /// What is common to all of some combinations and to no other one, as little as tells them; of several that are no such
    /// set, what tells the first.
    pub(in crate::policy::proof) fn told(&self, some: &[usize]) -> Vec<Assumed> {
        let Some(first) = some.first().and_then(|at| self.all.get(*at)) else {
            return Vec::new();
        };
        let mut kept: Vec<usize> = (0..self.variables.len()).collect();
        for variable in 0..self.variables.len() {
            let fewer: Vec<usize> = kept.iter().copied().filter(|at| *at != variable).collect();
            let is_like = |world: &World| {
                let mut fewer = fewer.iter();
                fewer.all(|at| world.holds.get(*at) == first.holds.get(*at))
            };
            let alike = self
                .all
                .iter()
                .enumerate()
                .filter(|(_, world)| is_like(world));
            if alike.map(|(at, _)| at).all(|at| some.contains(&at)) {
                kept = fewer;
            }
        }
        let said = kept.iter().filter_map(|at| {
            let holds = *first.holds.get(*at)?;
            let parts = &self.variables.get(*at)?.parts;
            let of_new = parts.iter().find(|part| part.side == NEW);
            let part = of_new.or_else(|| parts.first())?;
            Some(self.models[part.side].said(part.bits, part.most == holds))
        });
        let said: BTreeSet<Assumed> = said.collect();
        said.into_iter().collect()
    }
}
