//! Which strengths of authentication are proved together.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::language::model::{Model, Proof};
use crate::config::Way;

/// What callers who come by one way can prove.
#[derive(Debug)]
pub(super) struct Strengths {
    /// What each of them proves by the way alone.
    by_way: BTreeSet<String>,
    /// For every proof, what is proved with it at the least: also each strength that it implies. With the authentication
    /// context class that it rests on, if it does.
    least: BTreeSet<(Option<String>, BTreeSet<String>)>,
}

/// What callers can prove who have one authentication context class, and not what is exempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provable {
    /// What each of them proves.
    pub(super) always: BTreeSet<String>,
    /// What may come to it, in any number.
    pub(super) parts: Vec<BTreeSet<String>>,
}

/// Just enough to make a proof hold.
struct Facts<'a> {
    way: Way,
    acr: Option<&'a str>,
    amr: Option<&'a str>,
    age: Option<Duration>,
}

impl Facts<'_> {
    /// The strengths that these facts prove.
    fn prove(&self, model: &Model) -> BTreeSet<String> {
        let has = |of: Option<&str>, listed: &[String]| {
            listed.is_empty() || of.is_some_and(|of| listed.iter().any(|one| one == of))
        };
        let holds = |proof: &Proof| {
            let is_young = |most| self.age.is_some_and(|age| age <= most);
            has(self.acr, &proof.acr)
                && has(self.amr, &proof.amr)
                && (proof.methods.is_empty() || proof.methods.contains(&self.way))
                && proof.max_age.is_none_or(is_young)
        };
        let strengths = model.strengths.iter();
        let proved = strengths.filter(|(_, strength)| strength.any.iter().any(holds));
        proved.map(|(name, _)| name.clone()).collect()
    }
}

/// Each of some values; of none, that there is none.
fn each(values: &[String]) -> Vec<Option<&str>> {
    match values {
        [] => vec![None],
        values => values.iter().map(|value| Some(value.as_str())).collect(),
    }
}

impl Strengths {
    pub(super) fn of(model: &Model, way: Way) -> Self {
        let by_way = Facts {
            way,
            acr: None,
            amr: None,
            age: None,
        };
        let mut all = Self {
            by_way: by_way.prove(model),
            least: BTreeSet::new(),
        };
        // Only a token makes claims: alone, or beside a session of the CRM.
        if !matches!(way, Way::CrmSession | Way::Token) {
            return all;
        }
        let proofs = model.strengths.values().flat_map(|strength| &strength.any);
        for proof in proofs.filter(|proof| proof.methods.is_empty() || proof.methods.contains(&way))
        {
            for acr in each(&proof.acr) {
                for amr in each(&proof.amr) {
                    let age = proof.max_age;
                    let facts = Facts { way, acr, amr, age };
                    let proved = facts.prove(model);
                    all.least.insert((acr.map(str::to_owned), proved));
                }
            }
        }
        all
    }

    /// What callers can prove without proving any of these, for each authentication context class: a caller has one.
    pub(super) fn without(&self, exempt: &BTreeSet<String>) -> Vec<Provable> {
        if !self.by_way.is_disjoint(exempt) {
            return Vec::new();
        }
        let classes: BTreeSet<&Option<String>> = self.least.iter().map(|(acr, _)| acr).collect();
        let mut all: Vec<Provable> = Vec::new();
        for class in std::iter::once(&None).chain(classes) {
            let parts: BTreeSet<&BTreeSet<String>> = self
                .least
                .iter()
                .filter(|(acr, part)| {
                    (acr.is_none() || acr == class)
                        && part.is_disjoint(exempt)
                        && !part.is_subset(&self.by_way)
                })
                .map(|(_, part)| part)
                .collect();
            let provable = Provable {
                always: self.by_way.clone(),
                parts: parts.into_iter().cloned().collect(),
            };
            if !all.contains(&provable) {
                all.push(provable);
            }
        }
        // Whoever can prove each of these, and more, stands for them. Who can prove the same only together with more is no
        // smaller counterexample.
        let known = all.clone();
        all.retain(|own| {
            let stands_for_it = |other: &Provable| {
                own != other && own.parts.iter().all(|part| other.parts.contains(part))
            };
            !known.iter().any(stands_for_it)
        });
        all
    }

    /// Every set of these that makes a difference to one grant: what the way proves, and each proof with all that it implies,
    /// but for those that smaller ones make up; and everything at once.
    pub(super) fn sets(&self, asked: &BTreeSet<&String>) -> BTreeSet<BTreeSet<String>> {
        let of_asked = |set: &BTreeSet<String>| -> BTreeSet<String> {
            let names = set.iter().filter(|name| asked.contains(name));
            names.cloned().collect()
        };
        let least = self.least.iter().map(|(_, set)| of_asked(set));
        let all: BTreeSet<BTreeSet<String>> = least.chain([of_asked(&self.by_way)]).collect();
        let is_made_up = |set: &BTreeSet<String>| {
            let smaller = all.iter().filter(|one| *one != set && one.is_subset(set));
            let union: BTreeSet<&String> = smaller.clone().flatten().collect();
            smaller.count() > 0 && union.len() == set.len()
        };
        let mut sets: BTreeSet<_> = all.iter().filter(|set| !is_made_up(set)).cloned().collect();
        sets.insert(all.into_iter().flatten().collect());
        sets
    }
}

impl Provable {
    /// All that such callers can prove at once.
    pub(super) fn whole(&self) -> BTreeSet<String> {
        let parts = self.parts.iter().flatten();
        parts.chain(&self.always).cloned().collect()
    }
}
