//! What a caller may have proved of the strength of their authentication, where two policies may define strengths otherwise.
//!
//! A strength is proved by any of its proofs, and a grant asks for any of some strengths. So of everything that can be
//! proved, only this makes a difference: nothing, and what just suffices for one proof of either policy. A caller who proves more
//! matches the grants of each proof that holds, and the best of them stands alone in one of these.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::Way;
use crate::policy::language::model::{Model, Proof};

/// What a caller has proved, and the strengths that it makes under both policies.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Proven {
    /// The way by which the caller came; `None`: it does not matter.
    pub(in crate::policy) way: Option<Way>,
    /// The strengths under the first policy, and under the second.
    pub(in crate::policy) strengths: [BTreeSet<String>; 2],
    /// What people call it; `None`: nothing beyond the way.
    pub(in crate::policy) name: Option<String>,
}

/// Claims that a caller may have beside the way.
#[derive(Clone, Copy, Debug, Default)]
struct Claims<'a> {
    acr: Option<&'a str>,
    amr: Option<&'a str>,
    age: Option<Duration>,
}

impl Proven {
    /// Whether callers who come by one of some ways can have proved it.
    pub(in crate::policy) fn is_of(&self, ways: &BTreeSet<Way>) -> bool {
        let states_claims = [Way::CrmSession, Way::Token];
        match self.way {
            Some(way) => ways.contains(&way),
            None => {
                self.name.is_none()
                    || ways.is_empty()
                    || states_claims.iter().any(|way| ways.contains(way))
            }
        }
    }
}

/// All that makes a difference under two policies, the least first.
pub(in crate::policy) fn all(models: [&Model; 2]) -> Vec<Proven> {
    let by_way = proofs(models).any(|proof| !proof.methods.is_empty());
    let ways: Vec<Option<Way>> = match by_way {
        true => Way::ALL.iter().map(|(_, way)| Some(*way)).collect(),
        false => vec![None],
    };
    ways.into_iter()
        .flat_map(|way| by_one_way(models, way))
        .collect()
}

fn proofs(models: [&Model; 2]) -> impl Iterator<Item = &Proof> {
    let strengths = models
        .into_iter()
        .flat_map(|model| model.strengths.values());
    strengths.flat_map(|strength| &strength.any)
}

fn by_one_way(models: [&Model; 2], way: Option<Way>) -> Vec<Proven> {
    let proved = |claims: Claims<'_>| models.map(|model| strengths(model, way, claims));
    let plain = proved(Claims::default());
    let mut found: BTreeMap<[BTreeSet<String>; 2], BTreeSet<String>> = BTreeMap::new();
    let has_claims = matches!(way, None | Some(Way::CrmSession | Way::Token));
    for proof in proofs(models).filter(|_| has_claims) {
        for claims in claims(proof) {
            let strengths = proved(claims);
            if strengths != plain {
                found.entry(strengths).or_default().insert(claims.name());
            }
        }
    }
    let nothing = Proven {
        way,
        strengths: plain.clone(),
        name: None,
    };
    let more = found.into_iter().map(|(strengths, names)| Proven {
        way,
        name: Some(name(&strengths, &plain, names)),
        strengths,
    });
    std::iter::once(nothing).chain(more).collect()
}

/// The names of the strengths, where both policies mean the same by them; else what was proved.
fn name(
    strengths: &[BTreeSet<String>; 2],
    plain: &[BTreeSet<String>; 2],
    claims: BTreeSet<String>,
) -> String {
    let [old, new] = strengths;
    let names: Vec<&str> = match old == new {
        true => new
            .difference(&plain[1])
            .map(String::as_str)
            .collect::<Vec<_>>(),
        false => Vec::new(),
    };
    match names.is_empty() {
        false => names.join("+"),
        true => claims.into_iter().collect::<Vec<_>>().join(" or "),
    }
}

/// What just suffices for a proof.
fn claims(proof: &Proof) -> Vec<Claims<'_>> {
    let mut all = Vec::new();
    for acr in each(&proof.acr) {
        for amr in each(&proof.amr) {
            let age = proof.max_age;
            all.push(Claims { acr, amr, age });
        }
    }
    all
}

/// One of some values; nothing, where none is asked for.
fn each(values: &[String]) -> Vec<Option<&str>> {
    match values.is_empty() {
        true => vec![None],
        false => values.iter().map(|value| Some(value.as_str())).collect(),
    }
}

impl Claims<'_> {
    fn name(&self) -> String {
        let parts = [
            self.acr.map(|acr| format!("acr {acr}")),
            self.amr.map(|amr| format!("amr {amr}")),
            self.age.map(|age| format!("at most {} ago", span(age))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(" ")
    }
}

/// A duration as policies write it.
pub(in crate::policy) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let whole = units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or_else(
        || format!("{seconds}s"),
        |(unit, word)| format!("{}{word}", seconds / unit),
    )
}

/// The strengths that somebody has proved.
fn strengths(model: &Model, way: Option<Way>, claims: Claims<'_>) -> BTreeSet<String> {
    let holds = |proof: &Proof| {
        let has = |values: &[String], claim: Option<&str>| {
            values.is_empty() || claim.is_some_and(|claim| values.iter().any(|one| one == claim))
        };
        let is_young = |most: Duration| claims.age.is_some_and(|age| age <= most);
        has(&proof.acr, claims.acr)
            && has(&proof.amr, claims.amr)
            && (proof.methods.is_empty() || way.is_some_and(|way| proof.methods.contains(&way)))
            && proof.max_age.is_none_or(is_young)
    };
    let proved = model.strengths.iter();
    proved
        .filter(|(_, strength)| strength.any.iter().any(holds))
        .map(|(name, _)| name.clone())
        .collect()
}
