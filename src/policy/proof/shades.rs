//! How much is shown of something by what holds of moments, callers and records, for pages that people read.

use std::collections::BTreeSet;

use super::State;
use super::compare::apart::Apart;
use super::compare::worlds::Worlds;
use crate::policy::engine::{Facts, Situation};
use crate::policy::model::Model;
use crate::policy::supposed::words;
use crate::policy::{Assumed, Policy};
use crate::vocabulary::{Category, Level, Module, RuleName};

/// A level, and something that is enough for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shade {
    /// The level.
    pub level: Level,
    /// What is enough; of the last shade nothing: so it is in every other case.
    pub when: Vec<Assumed>,
}

/// Which records are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The module.
    pub module: Module,
    /// The rule.
    pub by: RuleName,
    /// What must hold of them, as a policy writes it.
    pub when: String,
}

/// The levels of something, the highest first; one, if nothing changes it.
pub(in crate::policy) fn shades(
    model: &Model,
    categories: &[Category],
    level: &mut dyn FnMut(Facts) -> Level,
) -> Vec<Shade> {
    let categories: Vec<&Category> = categories.iter().collect();
    let bits = model.bits_about(&categories);
    if bits == 0 {
        let level = level(Facts::Most);
        return vec![Shade {
            level,
            when: Vec::new(),
        }];
    }
    let worlds = Worlds::of([model, model], [bits, bits], &Apart::NONE);
    let levels: Vec<Level> = worlds
        .all
        .iter()
        .map(|world| level(world.showing[0]))
        .collect();
    let all: BTreeSet<Level> = levels.iter().copied().collect();
    let least = all.first().copied();
    let shade = |level: &Level| {
        let at_least = levels.iter().enumerate().filter(|(_, one)| *one >= level);
        let at_least: Vec<usize> = at_least.map(|(at, _)| at).collect();
        Shade {
            level: *level,
            when: match Some(*level) == least {
                true => Vec::new(),
                false => worlds.told(&at_least),
            },
        }
    };
    all.iter().rev().map(shade).collect()
}

/// Shades in words: `clear where `own` holds, else mask`; nothing, if there is but one.
pub(in crate::policy) fn told(shades: &[Shade]) -> Option<String> {
    let [above @ .., least] = shades else {
        return None;
    };
    if above.is_empty() {
        return None;
    }
    let mut told: Vec<String> = above
        .iter()
        .map(|shade| {
            let when = shade.when.iter().map(|when| when.words(false));
            format!("{} {}", shade.level, when.collect::<Vec<_>>().join(", "))
        })
        .collect();
    told.push(match is_whole(above) {
        true => format!("else {}", least.level),
        false => format!("elsewhere at least {}", least.level),
    });
    Some(told.join("; "))
}

/// Whether all is told that is enough for these shades.
pub fn is_whole(above: &[Shade]) -> bool {
    let mut above = above.iter();
    above.all(|shade| !shade.when.contains(&Assumed::Perhaps))
}

impl Policy {
    /// How much is shown in a state of something in these categories, of a module or of whichever, by what holds beside.
    pub fn shades(
        &self,
        state: &State,
        categories: &[Category],
        module: Option<&Module>,
    ) -> Vec<Shade> {
        let model = &self.core.model;
        shades(model, categories, &mut |facts| {
            let facts = module.map_or(facts, |module| model.facts_of(facts, module));
            let situation = state.situation(facts);
            let verdicts = categories
                .iter()
                .map(|category| model.verdict(&situation, category).level);
            verdicts
                .min()
                .unwrap_or_else(|| model.unclassified(&situation))
        })
    }

    /// Which records are there in a state, where not all are.
    pub fn kept(&self, state: &State) -> Vec<Kept> {
        kept(&self.core.model, &state.situation(Facts::Least), None)
    }
}

/// Which records of a module, or of all, are there in a situation.
pub(in crate::policy) fn kept(
    model: &Model,
    situation: &Situation,
    module: Option<&Module>,
) -> Vec<Kept> {
    let of_row = |row: &crate::policy::model::RowRule| -> Vec<Kept> {
        let modules = row.modules.iter();
        let modules = modules.filter(|own| module.is_none_or(|module| module == *own));
        let matched = modules.filter(|module| row.matches(situation, module));
        let kept = matched.map(|module| Kept {
            module: module.clone(),
            by: row.name.clone(),
            when: words::condition(&row.keep_when),
        });
        kept.collect()
    };
    model.rows.iter().flat_map(of_row).collect()
}
