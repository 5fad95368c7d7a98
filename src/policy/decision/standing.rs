//! Who a caller would be, for whoever wonders why somebody gets what they get.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::Caller;
use crate::reason::Reason;
use crate::vocabulary::{Purpose, Role};

use super::super::language::model::{Evidence, Model};
use super::decide::{self, Stated};
use super::plan::PurposeChosen;

/// Who a caller would be who states no purpose in a header.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The roles that the caller's evidence makes.
    pub roles: Vec<Role>,
    /// How many roles a token states that make none of the policy.
    pub claims_unused: usize,
    /// The purpose that would be chosen, or why none would be.
    pub purpose: Result<PurposeChosen, Reason>,
    /// The purposes that a header could state.
    pub purposes: BTreeSet<Purpose>,
    /// Of each strength of the policy, what each of its proofs lacks; it is proved if one of them lacks nothing.
    pub strengths: BTreeMap<String, Vec<Vec<&'static str>>>,
}

impl Standing {
    pub(in crate::policy) fn of(model: &Model, caller: &Caller) -> Self {
        let roles = decide::roles(model, caller);
        let purpose = match roles.as_slice() {
            [] => Err(Reason::NoRole),
            roles => {
                let stated = Stated::of(None, caller);
                stated.and_then(|stated| decide::purpose(model, roles, stated))
            }
        };
        let may_invoke = |purpose: &&Purpose| {
            let mut roles = roles.iter();
            roles.any(|role| decide::may_invoke(model, role, purpose))
        };
        let strengths = model.strengths.iter().map(|(name, strength)| {
            let lacks = strength.any.iter();
            let lacks = lacks.map(|proof| proof.lacks(caller).collect());
            (name.clone(), lacks.collect())
        });
        Self {
            claims_unused: claims_unused(model, caller),
            purpose,
            purposes: model.purposes.keys().filter(may_invoke).cloned().collect(),
            strengths: strengths.collect(),
            roles,
        }
    }
}

fn claims_unused(model: &Model, caller: &Caller) -> usize {
    let evidence = model.roles.values().flat_map(|role| &role.from);
    let named: BTreeSet<&String> = evidence
        .filter(|(kind, _)| *kind == Evidence::ClaimRoles)
        .flat_map(|(_, values)| values)
        .collect();
    let unused = caller.claim_roles().iter();
    unused.filter(|claim| !named.contains(claim)).count()
}
