//! Which roles and strengths a caller can have at once.

use std::collections::{BTreeMap, BTreeSet};

use super::super::language::model::{Evidence, Model, RoleModel};
use super::strengths::Strengths;
use crate::config::Way;
use crate::vocabulary::Role;

/// Callers who come by one way and agree in what a caller has but one of: the name, the type, the issuer, the key.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) way: Way,
    /// The roles that one of them can have, all at once.
    pub(super) roles: BTreeSet<Role>,
}

/// Everybody who can call.
#[derive(Debug)]
pub(super) struct Callers {
    /// None holds only what another one holds, too.
    pub(super) crowds: Vec<Crowd>,
    strengths: BTreeMap<Way, Strengths>,
}

impl Callers {
    pub(super) fn of(model: &Model) -> Self {
        let ways = || Way::ALL.iter().map(|(_, way)| *way);
        let strengths = ways().map(|way| (way, Strengths::of(model, way)));
        Self {
            crowds: ways().flat_map(|way| crowds(model, way)).collect(),
            strengths: strengths.collect(),
        }
    }

    /// What callers of a way can prove.
    pub(super) fn strengths(&self, way: Way) -> Option<&Strengths> {
        self.strengths.get(&way)
    }
}

/// What a caller has one of, at most.
fn is_single(kind: Evidence) -> bool {
    match kind {
        Evidence::CrmUser
        | Evidence::CrmType
        | Evidence::Token
        | Evidence::Key
        | Evidence::Certificate
        | Evidence::FrontUser => true,
        Evidence::CrmRole | Evidence::CrmTeam | Evidence::ClaimRoles | Evidence::FrontRoles => {
            false
        }
    }
}

/// The values of one kind of evidence that a role asks for.
fn asked(role: &RoleModel, kind: Evidence) -> Option<&Vec<String>> {
    let mut evidence = role.from.iter();
    evidence
        .find(|(of, _)| *of == kind)
        .map(|(_, values)| values)
}

fn crowds(model: &Model, way: Way) -> Vec<Crowd> {
    let comes_by = |role: &RoleModel| {
        !role.from.is_empty() && role.from.iter().all(|(kind, _)| kind.way() == way)
    };
    let roles: BTreeMap<&Role, &RoleModel> = model
        .roles
        .iter()
        .filter(|(_, role)| comes_by(role))
        .collect();
    let mut sets: BTreeSet<BTreeSet<&Role>> =
        BTreeSet::from([roles.keys().copied().collect::<BTreeSet<_>>()]);
    let kinds = Evidence::ALL.into_iter();
    for kind in kinds.filter(|kind| is_single(*kind) && kind.way() == way) {
        let named: BTreeSet<&String> = roles
            .values()
            .filter_map(|role| asked(role, kind))
            .flatten()
            .collect();
        // With each of the values; a caller with another one has no more than each of these.
        let mut parted = BTreeSet::new();
        for value in named {
            for set in &sets {
                let mut set = set.clone();
                set.retain(|role| {
                    let asked = roles.get(role).and_then(|role| asked(role, kind));
                    asked.is_none_or(|values| values.contains(value))
                });
                parted.insert(set);
            }
        }
        if !parted.is_empty() {
            sets = largest(parted);
        }
    }
    let sets = sets.into_iter().filter(|set| !set.is_empty());
    sets.map(|set| Crowd {
        way,
        roles: set.into_iter().cloned().collect(),
    })
    .collect()
}

/// The sets that no other one holds.
fn largest(sets: BTreeSet<BTreeSet<&Role>>) -> BTreeSet<BTreeSet<&Role>> {
    let is_held = |set: &BTreeSet<&Role>| {
        let mut others = sets.iter().filter(|other| *other != set);
        others.any(|other| set.is_subset(other))
    };
    let kept = sets.iter().filter(|set| !is_held(set));
    kept.cloned().collect()
}
