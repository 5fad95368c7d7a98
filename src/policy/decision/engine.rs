//! Lift and cap: *the level of a category is the lowest of (best matching grant, every matching cap)*. So is what may be
//! written of it.
//!
//! `min` and `max` over a chain do not know any order, so neither does a policy: adding a cap or removing a grant never
//! discloses more.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::vocabulary::{Category, Level, Module, Purpose, Role, RuleName};

use super::super::language::catalogue::kind_of;
use super::super::language::model::{
    Applies, Cap, Grant, Model, Observation, Writing, about, is_special,
};

/// What shows data while the whole policy observes, as it is named in `explain` and in the log.
pub(in crate::policy) const OBSERVED: &str = "mode.observe";

/// Everything about a request that a rule can ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::policy) struct Situation {
    /// The roles that count.
    pub(in crate::policy) roles: BTreeSet<Role>,
    /// The purpose; `None` only for operations that need no caller.
    pub(in crate::policy) purpose: Option<Purpose>,
    /// The strengths of authentication that were proved.
    pub(in crate::policy) strengths: BTreeSet<String>,
    /// The modules of which anything may be seen; `None` for all.
    pub(in crate::policy) seen: Option<BTreeSet<Module>>,
    /// How rules count that only observe.
    pub(in crate::policy) observing: Observing,
}

/// How rules count that only observe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Observing {
    /// As on the day on which they show most, whichever it is: such caps are not there, such grants are, and what a whole
    /// policy withholds that observes is shown.
    Most,
    /// Those are in force of which the last day has passed.
    On {
        /// The latest last day that has passed.
        passed: Option<Date>,
        /// Whether the whole policy observes.
        whole: bool,
    },
    /// All are in force.
    #[default]
    Enforced,
}

impl Observing {
    fn lifts(self, observed: Option<&Observation>) -> bool {
        match (self, observed) {
            (Self::On { passed, .. }, Some(observed)) => passed >= Some(observed.last),
            _ => true,
        }
    }

    fn lowers(self, observed: Option<&Observation>) -> bool {
        match (self, observed) {
            (Self::Most, Some(_)) => false,
            (Self::On { passed, .. }, Some(observed)) => passed >= Some(observed.last),
            _ => true,
        }
    }
}

/// The level of one category, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Verdict {
    pub(in crate::policy) level: Level,
    /// The grants that lift it to what it would be without caps; none if no grant lifts it above the default.
    pub(in crate::policy) grants: Vec<usize>,
    /// The caps that lower it to what it is.
    pub(in crate::policy) caps: Vec<usize>,
    /// What may be written of it.
    pub(in crate::policy) write: Writing,
    /// The caps that lower that to nothing.
    pub(in crate::policy) unwritten: Vec<usize>,
    /// The names of the rules that made it so.
    pub(in crate::policy) by: Vec<RuleName>,
}

impl Situation {
    /// Whether records of a module may be seen, wherever they stand.
    pub(in crate::policy) fn sees(&self, module: &Module) -> bool {
        self.seen.as_ref().is_none_or(|seen| seen.contains(module))
    }
}

impl Grant {
    /// Whether the grant matches, but perhaps for the strength of authentication.
    pub(in crate::policy) fn nearly_matches(&self, situation: &Situation) -> bool {
        let purpose = match (&self.purposes, &situation.purpose) {
            (None, _) => true,
            (Some(purposes), Some(purpose)) => purposes.contains(purpose),
            (Some(_), None) => false,
        };
        purpose
            && !self.roles.is_disjoint(&situation.roles)
            && situation.observing.lifts(self.observed.as_ref())
    }

    /// Whether the grant matches.
    pub(in crate::policy) fn matches(&self, situation: &Situation) -> bool {
        (self.requires.is_empty() || !self.requires.is_disjoint(&situation.strengths))
            && self.nearly_matches(situation)
    }
}

impl Cap {
    /// Whether the cap matches. In doubt it does: without roles nobody is exempt, without a purpose every one counts.
    pub(in crate::policy) fn matches(&self, situation: &Situation) -> bool {
        let purpose = match (&self.purposes, &situation.purpose) {
            (Some(purposes), Some(purpose)) => purposes.contains(purpose),
            (None, _) | (_, None) => true,
        };
        purpose
            && situation.observing.lowers(self.observed.as_ref())
            && match &self.applies {
                Applies::Everyone => true,
                Applies::Roles(roles) => {
                    situation.roles.is_empty() || !roles.is_disjoint(&situation.roles)
                }
                Applies::UnlessRoles(exempt) => {
                    situation.roles.is_empty() || !situation.roles.is_subset(exempt)
                }
            }
    }
}

impl Cap {
    /// Whether it forbids to write, too: what is not seen in clear is not written either.
    pub(in crate::policy) fn forbids_writing(&self) -> bool {
        self.denies_write || self.level < Level::Clear
    }
}

impl Model {
    /// What a level means for a category: `mask` shows nothing of one that has no mask.
    pub(in crate::policy) fn meaning(&self, level: Level, category: &Category) -> Level {
        match self.categories.get(category) {
            Some(model) if level == Level::Mask && model.mask.is_none() => {
                if model.hidden {
                    Level::Hide
                } else {
                    Level::Redact
                }
            }
            Some(_) => level,
            // No such category: nothing is shown of it.
            None => Level::Hide,
        }
    }

    /// The level of a category that no grant reaches.
    pub(in crate::policy) fn floor(&self, category: &Category) -> Level {
        match self.categories.get(category) {
            Some(model) if !model.hidden => self.ungranted,
            _ => Level::Hide,
        }
    }

    /// Whether the whole policy only observes in a situation.
    pub(in crate::policy) fn observes_whole(&self, situation: &Situation) -> bool {
        match situation.observing {
            Observing::Most => self.observed.is_some(),
            Observing::On { whole, .. } => whole,
            Observing::Enforced => false,
        }
    }

    /// Whether nothing but firm caps holds a category down.
    fn is_let_pass(&self, situation: &Situation, category: &Category) -> bool {
        self.observes_whole(situation)
            && !is_special(category)
            && self.categories.contains_key(category)
    }

    /// The level in a situation of a category that no grant reaches.
    pub(in crate::policy) fn ungranted(&self, situation: &Situation, category: &Category) -> Level {
        match self.is_let_pass(situation, category) {
            true => Level::Clear,
            false => self.floor(category),
        }
    }

    /// What may be written in a situation of a category of which no grant lets anything be.
    pub(in crate::policy) fn unasked(&self, situation: &Situation, category: &Category) -> Writing {
        match self.is_let_pass(situation, category) {
            true => Writing::Any,
            false => Writing::No,
        }
    }

    /// The level in a situation of what nobody has classified.
    pub(in crate::policy) fn unclassified(&self, situation: &Situation) -> Level {
        match self.observes_whole(situation) {
            true => Level::Clear,
            false => self.unclassified,
        }
    }

    /// The level of a category.
    pub(in crate::policy) fn verdict(&self, situation: &Situation, category: &Category) -> Verdict {
        let is_let_pass = self.is_let_pass(situation, category);
        let floor = self.ungranted(situation, category);
        let granted: Vec<(usize, &Grant)> = self
            .grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| about(&grant.data, category) && grant.matches(situation))
            .collect();
        let best = granted
            .iter()
            .map(|(_, grant)| self.meaning(grant.level, category))
            .fold(floor, Level::max);
        let capped: Vec<(usize, &Cap)> = self.capped(situation, category).collect();
        let level = capped
            .iter()
            .map(|(_, cap)| self.meaning(cap.level, category))
            .fold(best, Level::min);
        let grants: Vec<usize> = granted
            .iter()
            .filter(|(_, grant)| best > floor && self.meaning(grant.level, category) == best)
            .map(|(at, _)| *at)
            .collect();
        let caps: Vec<usize> = capped
            .iter()
            // Where nothing was granted, a cap at the default level is the better reason: it says why.
            .filter(|(_, cap)| {
                (level < best || best == floor) && self.meaning(cap.level, category) == level
            })
            .map(|(at, _)| *at)
            .collect();
        let lifted = granted
            .iter()
            .map(|(_, grant)| self.writes(grant, category))
            .fold(self.unasked(situation, category), Writing::max);
        let unwritten: Vec<usize> = capped
            .iter()
            .filter(|(_, cap)| cap.forbids_writing())
            .map(|(at, _)| *at)
            .collect();
        let write = match unwritten.is_empty() {
            true => lifted,
            false => Writing::No,
        };
        let mut by = self.names(&grants, &caps, level, floor);
        if is_let_pass && caps.is_empty() {
            by = vec![RuleName::new(OBSERVED)];
        }
        Verdict {
            level,
            grants,
            caps,
            write,
            unwritten,
            by,
        }
    }

    /// The caps that hold a category down.
    fn capped<'a>(
        &'a self,
        situation: &'a Situation,
        category: &'a Category,
    ) -> impl Iterator<Item = (usize, &'a Cap)> {
        let caps = self.caps.iter().enumerate();
        caps.filter(|(_, cap)| about(&cap.data, category) && self.holds(cap, situation, category))
    }

    /// Whether a cap that is about a category holds it down.
    pub(in crate::policy) fn holds(
        &self,
        cap: &Cap,
        situation: &Situation,
        category: &Category,
    ) -> bool {
        cap.matches(situation) && (cap.firm || !self.is_let_pass(situation, category))
    }

    /// How far caps let a category be shown and written, whatever grants lift it to.
    pub(in crate::policy) fn ceiling(
        &self,
        situation: &Situation,
        category: &Category,
    ) -> (Level, Writing) {
        let no_cap = (Level::Clear, Writing::Any);
        self.capped(situation, category)
            .fold(no_cap, |(level, write), (_, cap)| {
                let level = level.min(self.meaning(cap.level, category));
                match cap.forbids_writing() {
                    true => (level, Writing::No),
                    false => (level, write),
                }
            })
    }

    /// What a grant lets be written of a category. What does not prove itself must be seen to be written.
    pub(in crate::policy) fn writes(&self, grant: &Grant, category: &Category) -> Writing {
        match grant.write {
            Writing::Valid if kind_of(category).is_none() => Writing::No,
            write => write,
        }
    }

    /// The rules without which the level would be another one, by name.
    fn names(&self, grants: &[usize], caps: &[usize], level: Level, floor: Level) -> Vec<RuleName> {
        let mut by: Vec<RuleName> = caps
            .iter()
            .filter_map(|at| self.caps.get(*at))
            .map(|cap| cap.name.clone())
            .collect();
        // Below the default, caps alone made the level.
        if caps.is_empty() || level > floor {
            by.extend(
                grants
                    .iter()
                    .filter_map(|at| self.grants.get(*at))
                    .map(|grant| grant.name.clone()),
            );
        }
        if by.is_empty() {
            by.push(RuleName::new("defaults.ungranted"));
        }
        by.sort();
        by
    }
}
