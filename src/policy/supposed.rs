//! What must be so for conditional rules to show most: proofs, comparisons and pages suppose it, and say so.
//!
//! A condition of a grant, or of an exception, must hold; that of a cap must fail, and nobody must be in doubt about it. Each
//! such supposition is a [`Formula`] over what is compared. Suppositions that contradict each other are left out where that
//! is cheap to see ([`Formula::can_hold`]); what is not seen is supposed, so that a proof overlooks nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::condition::{Condition, RequestFact, Subject, Test};
use crate::vocabulary::{Category, RuleName};

use super::model::{Bit, Model, about};

mod formula;
pub(in crate::policy) mod words;

pub(in crate::policy) use formula::Formula;

/// What is supposed of the moment, the caller and the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assumed {
    /// What these rules ask for holds.
    Holds(Vec<RuleName>),
    /// What these rules ask for does not hold.
    Fails(Vec<RuleName>),
    /// These exceptions are in force.
    InForce {
        /// Their names.
        names: Vec<RuleName>,
        /// The first moment.
        from: Option<Timestamp>,
        /// The first moment afterwards.
        until: Option<Timestamp>,
    },
    /// These exceptions are not in force.
    Expired(Vec<RuleName>),
    /// It is an hour of a schedule.
    Inside(String),
    /// It is none.
    Outside(String),
    /// Nobody knows whether what these rules ask for holds.
    Unknown(Vec<RuleName>),
    /// It is so by what one of two policies means.
    By {
        /// Whether it is the new one.
        new: bool,
        /// What is so.
        what: Box<Self>,
    },
    /// One of these, each all of its parts.
    Either(Vec<Vec<Self>>),
    /// In other cases, too, perhaps: there are too many to tell.
    Perhaps,
}

/// What is supposed at once, and the conditions that it makes show most.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Supposition {
    pub(in crate::policy) formula: Formula,
    /// The bits that it turns from how they show least.
    pub(in crate::policy) bits: u64,
    pub(in crate::policy) said: Assumed,
}

/// For what something is supposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum For {
    /// To show a record: each answers for itself.
    Showing,
    /// To match, sort, search or write: nothing is known of records then.
    Using,
}

impl Model {
    /// The bits of all conditions as they show least.
    pub(in crate::policy) fn least(&self) -> u64 {
        let bits = (0..).map(Bit).zip(&self.conditions);
        let set = bits.filter(|(_, noted)| noted.withholds);
        set.fold(0, |all, (bit, _)| all | bit.mask())
    }

    /// The bits of rules about some categories, and of what lifts them.
    pub(in crate::policy) fn bits_about(&self, categories: &[&Category]) -> u64 {
        let is_about = |data: &[Category]| {
            let mut categories = categories.iter();
            categories.any(|category| about(data, category))
        };
        let grants = self.grants.iter().filter(|grant| is_about(&grant.data));
        let caps = self.caps.iter().filter(|cap| is_about(&cap.data));
        let of_caps = caps.flat_map(|cap| {
            let exceptions = cap.exceptions.iter().map(|exception| exception.when);
            cap.when.into_iter().chain(exceptions)
        });
        let bits = grants.filter_map(|grant| grant.when).chain(of_caps);
        bits.fold(0, |all, bit| all | bit.mask())
    }

    /// What must be so for a condition to show most.
    pub(in crate::policy) fn shows_most(&self, bit: Bit, what_for: For) -> Option<Formula> {
        let noted = self.conditions.get(usize::from(bit.0))?;
        let formula = match noted.withholds {
            true => Formula::fails(&noted.condition),
            false => Formula::holds(&noted.condition),
        };
        // Of no record is it taken for granted that its processing is restricted: those that are, are left out afterwards.
        let mut restrictions = self.restrictions.iter();
        let is_spared = restrictions.any(|restriction| restriction.when == bit);
        Some(match what_for {
            For::Using if !is_spared => formula.without_records(),
            For::Showing | For::Using => formula,
        })
    }

    /// What can be supposed of some bits, conditions of one meaning together; and the bits that show most whatever is so.
    pub(in crate::policy) fn suppositions(
        &self,
        bits: u64,
        what_for: For,
    ) -> (u64, Vec<Supposition>) {
        let mut always = 0;
        let mut all: BTreeMap<String, (Formula, u64)> = BTreeMap::new();
        for bit in (0..self.conditions.len()).filter_map(|at| u8::try_from(at).ok().map(Bit)) {
            let Some(formula) = self.shows_most(bit, what_for).filter(|_| bit.is_in(bits)) else {
                continue;
            };
            if formula.is_always() {
                always |= bit.mask();
            } else if Formula::can_hold(&[&formula]) {
                all.entry(formula.key()).or_insert((formula, 0)).1 |= bit.mask();
            }
        }
        let supposition = |(formula, bits)| Supposition {
            said: self.said(bits, true),
            formula,
            bits,
        };
        (always, all.into_values().map(supposition).collect())
    }

    /// What is said where these conditions, which mean the same, show most or show least.
    pub(in crate::policy) fn said(&self, bits: u64, most: bool) -> Assumed {
        let is_of = |bit: Option<Bit>| bit.is_some_and(|bit| bit.is_in(bits));
        let mut noted = (0..).map(Bit).zip(&self.conditions);
        let of = noted.find(|(bit, _)| bit.is_in(bits));
        let holds = of.is_some_and(|(_, noted)| noted.withholds != most);
        let condition = of.map(|(_, noted)| &noted.condition);
        let exceptions = self.caps.iter().flat_map(|cap| &cap.exceptions);
        let exceptions = exceptions.filter(|exception| is_of(Some(exception.when)));
        let exceptions = names(exceptions.map(|exception| &exception.name));
        if !exceptions.is_empty() {
            let (from, until) = condition.map_or((None, None), window);
            return match holds {
                true => Assumed::InForce {
                    names: exceptions,
                    from,
                    until,
                },
                false => Assumed::Expired(exceptions),
            };
        }
        if let Some(Condition::Is(Subject::Request(RequestFact::Time), test)) = condition {
            match (test, holds) {
                (Test::Inside(schedule), true) | (Test::Outside(schedule), false) => {
                    return Assumed::Inside(schedule.name.clone());
                }
                (Test::Outside(schedule), true) | (Test::Inside(schedule), false) => {
                    return Assumed::Outside(schedule.name.clone());
                }
                _ => {}
            }
        }
        let grants = self.grants.iter().filter(|grant| is_of(grant.when));
        let caps = self.caps.iter().filter(|cap| is_of(cap.when));
        let rules = names(
            grants
                .map(|rule| &rule.name)
                .chain(caps.map(|rule| &rule.name)),
        );
        match holds {
            true => Assumed::Holds(rules),
            false => Assumed::Fails(rules),
        }
    }
}

/// From when until when a condition on the moment holds, if it is one of two ends.
pub(in crate::policy) fn window(condition: &Condition) -> (Option<Timestamp>, Option<Timestamp>) {
    let (mut from, mut until) = (None, None);
    let parts = match condition {
        Condition::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    for part in parts {
        match part {
            Condition::Is(Subject::Request(RequestFact::Time), Test::After(time)) => {
                from = Some(*time);
            }
            Condition::Is(Subject::Request(RequestFact::Time), Test::Before(time)) => {
                until = Some(*time);
            }
            _ => {}
        }
    }
    (from, until)
}

fn names<'a>(names: impl Iterator<Item = &'a RuleName>) -> Vec<RuleName> {
    let mut names: Vec<RuleName> = names.cloned().collect();
    names.sort();
    names.dedup();
    names
}
