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
    Applies, Bit, Cap, Exception, Grant, Model, Noted, Observation, RowRule, Writing, about,
    is_special,
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
    /// Which conditions of rules hold.
    pub(in crate::policy) facts: Facts,
}

/// Which conditions of rules hold, by their [`Bit`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Facts {
    /// All that withhold, and none that show: the least that a caller has, whatever holds.
    #[default]
    Least,
    /// The other way round: the most that a caller has. No moment and no record need be like that.
    Most,
    /// Those whose bits are set.
    Known(u64),
}

impl Facts {
    /// Whether something that shows, or lifts what withholds, does so.
    pub(in crate::policy) fn show(self, when: Option<Bit>) -> bool {
        when.is_none_or(|bit| match self {
            Self::Least => false,
            Self::Most => true,
            Self::Known(bits) => bit.is_in(bits),
        })
    }

    /// The same, but that these do not hold.
    pub(in crate::policy) fn without(self, bits: u64) -> Self {
        match self {
            Self::Known(known) => Self::Known(known & !bits),
            other => other,
        }
    }

    /// Whether something that withholds does so.
    pub(in crate::policy) fn withhold(self, when: Option<Bit>) -> bool {
        when.is_none_or(|bit| match self {
            Self::Least => true,
            Self::Most => false,
            Self::Known(bits) => bit.is_in(bits),
        })
    }
}

impl Bit {
    pub(in crate::policy) fn is_in(self, bits: u64) -> bool {
        bits & self.mask() != 0
    }

    pub(in crate::policy) fn mask(self) -> u64 {
        1_u64.checked_shl(self.0.into()).unwrap_or_default()
    }
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
    /// That of nobody in particular: what of it withholds, does so for everybody.
    pub(in crate::policy) fn of_whoever() -> Self {
        Self {
            facts: Facts::Most,
            ..Self::default()
        }
    }

    fn is_of_whoever(&self) -> bool {
        self.roles.is_empty() && self.facts == Facts::Most
    }

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
            && situation.facts.show(self.when)
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
        self.would_match(situation) && !self.is_lifted(situation)
    }

    /// Whether it matches, if no exception lifts it.
    pub(in crate::policy) fn would_match(&self, situation: &Situation) -> bool {
        self.is_for(situation)
            && situation.observing.lowers(self.observed.as_ref())
            && situation.facts.withhold(self.when)
    }

    /// Whether the roles and the purpose are meant.
    pub(in crate::policy) fn is_for(&self, situation: &Situation) -> bool {
        is_for(self.purposes.as_ref(), situation) && self.applies.to(situation)
    }

    /// Whether an exception is in force for all roles that count.
    fn is_lifted(&self, situation: &Situation) -> bool {
        self.lifted_by(situation).next().is_some()
    }

    /// The exceptions that are in force for all roles that count.
    fn lifted_by<'a>(&'a self, situation: &'a Situation) -> impl Iterator<Item = &'a Exception> {
        let roles = &situation.roles;
        self.exceptions.iter().filter(move |exception| {
            !roles.is_empty()
                && roles.is_subset(&exception.roles)
                && situation.facts.show(Some(exception.when))
        })
    }
}

impl RowRule {
    /// Whether it says of a module's records whether they are there. In doubt it does, as a cap would.
    pub(in crate::policy) fn matches(&self, situation: &Situation, module: &Module) -> bool {
        let is_for_all = self.purposes.is_none() && matches!(self.applies, Applies::Everyone);
        self.modules.contains(module)
            && (is_for_all || !situation.is_of_whoever())
            && is_for(self.purposes.as_ref(), situation)
            && self.applies.to(situation)
    }
}

/// Whether something that withholds does so for a purpose: without one, every one counts.
fn is_for(purposes: Option<&BTreeSet<Purpose>>, situation: &Situation) -> bool {
    match (purposes, &situation.purpose) {
        (Some(purposes), Some(purpose)) => purposes.contains(purpose),
        (None, _) | (_, None) => true,
    }
}

impl Applies {
    /// Whether the roles that count are meant: without roles nobody is exempt.
    fn to(&self, situation: &Situation) -> bool {
        let roles = &situation.roles;
        match self {
            Self::Everyone => true,
            Self::Roles(meant) => roles.is_empty() || !meant.is_disjoint(roles),
            Self::UnlessRoles(exempt) => roles.is_empty() || !roles.is_subset(exempt),
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
    /// Whether records of a module are there, or show something of these categories, only where something holds of them.
    pub(in crate::policy) fn depends_on_records<'a>(
        &self,
        situation: &Situation,
        module: &Module,
        categories: impl Iterator<Item = &'a Category>,
    ) -> bool {
        // Of records about nobody, it is known what holds of the persons whom they are about.
        let people = self.people.as_ref();
        let is_known = people.is_some_and(|people| people.are_about_nobody(module));
        let asks = |when: Option<Bit>| {
            let noted = when.and_then(|bit| self.conditions.get(usize::from(bit.0)));
            noted.is_some_and(|Noted { condition, .. }| {
                condition.is_about_records()
                    && !condition.is_about_others_than(module)
                    && !(is_known && condition.is_about_persons_alone())
            })
        };
        let asked = |category: &Category| {
            let mut grants = self.grants.iter();
            let mut caps = self.caps.iter();
            grants.any(|grant| asks(grant.when) && about(&grant.data, category))
                || caps.any(|cap| asks(cap.when) && about(&cap.data, category))
        };
        let mut categories = categories.peekable();
        // What nobody has classified is withheld of some records alone while the whole policy observes.
        let is_restricted = categories.peek().is_none() && self.observes_whole(situation) && {
            let mut restrictions = self.restrictions.iter();
            restrictions.any(|one| one.row.matches(situation, module))
        };
        let mut rows = self.rows.iter();
        is_restricted || rows.any(|row| row.matches(situation, module)) || categories.any(asked)
    }

    /// The conditions of what is withheld of some records, and may be used of all others.
    pub(in crate::policy) fn restricting(&self) -> u64 {
        let bits = self.restrictions.iter().map(|one| one.when.mask());
        bits.fold(0, |all, bit| all | bit)
    }

    /// The same, as far as that is so in a situation.
    pub(in crate::policy) fn restricting_in(&self, situation: &Situation) -> u64 {
        let restrictions = self.restrictions.iter();
        let of = restrictions.filter(|one| is_for(one.row.purposes.as_ref(), situation));
        of.fold(0, |all, one| all | one.when.mask())
    }

    /// What counts of most records: as little is shown as conditions can, but nothing is withheld of some records alone.
    pub(in crate::policy) fn of_most_records(&self) -> Facts {
        match self.restricting() {
            0 => Facts::Least,
            restricting => Facts::Known(self.least() & !restricting),
        }
    }

    /// Whether the data of a record are withheld whatever they are, as far as restrictions do it.
    pub(in crate::policy) fn restricts(&self, situation: &Situation) -> bool {
        self.restrictions.iter().any(|one| {
            is_for(one.row.purposes.as_ref(), situation) && situation.facts.withhold(Some(one.when))
        })
    }

    /// The conditions of rules that withhold nothing of a module's records, whatever they hold: they are about those of others.
    pub(in crate::policy) fn bits_of_others(&self, module: &Module) -> u64 {
        let noted = (0..).map(Bit).zip(&self.conditions);
        let of_others = noted
            .filter(|(_, noted)| noted.withholds && noted.condition.is_about_others_than(module));
        of_others.fold(0, |all, (bit, _)| all | bit.mask())
    }

    /// The same conditions, as far as they can hold of a module's records.
    pub(in crate::policy) fn facts_of(&self, facts: Facts, module: &Module) -> Facts {
        match (facts, self.bits_of_others(module)) {
            (facts, 0) => facts,
            (Facts::Least, others) => Facts::Known(self.least() & !others),
            (Facts::Known(bits), others) => Facts::Known(bits & !others),
            // Nothing withholds anything then.
            (Facts::Most, _) => Facts::Most,
        }
    }

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
        } else {
            by.extend(self.excepted(situation, category, (level, write)));
            by.sort();
            by.dedup();
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

    /// The exceptions without which less of a category would be shown, or let be written.
    fn excepted<'a>(
        &'a self,
        situation: &'a Situation,
        category: &'a Category,
        (level, write): (Level, Writing),
    ) -> impl Iterator<Item = RuleName> {
        let caps = self.caps.iter().filter(move |cap| {
            let lowers = self.meaning(cap.level, category) < level;
            about(&cap.data, category)
                && (lowers || (cap.forbids_writing() && write > Writing::No))
                && cap.would_match(situation)
        });
        let exceptions = caps.flat_map(|cap| cap.lifted_by(situation));
        exceptions.map(|exception| exception.name.clone())
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
