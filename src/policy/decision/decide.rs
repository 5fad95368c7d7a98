//! Evidence → roles → purpose → modules → uses of fields: the decision about one operation.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::condition::Asker;
use crate::config::Way;
use crate::dialect::{Access, Operation, Projected, Query};
use crate::identity::Caller;
use crate::reason::Reason;
use crate::vocabulary::{FieldPath, Module, Purpose, Role, Use};

use super::super::Policy;
use super::super::language::model::{Model, RoleModel};
use super::conditional::RecordTerms;
use super::engine::{Facts, Situation};
use super::plan::{Decision, Denial, Plan, PurposeChosen, Usable};
use super::reach::{Reach, without_session};
use super::step_up::Touched;
use super::table::Table;

pub(in crate::policy) fn decide(
    policy: &Policy,
    now: Timestamp,
    (caller, header): (&Caller, Option<&str>),
    operation: &Operation,
) -> Decision {
    match operation.access {
        Access::Public => return Decision::Permit(policy.public_plan_at(now)),
        // Who has no session cannot end it: it would be the proxy's own.
        Access::Session if caller.has_session() => {
            return Decision::Permit(policy.public_plan_at(now));
        }
        Access::Session => {
            return Decision::Deny(denial(Reason::ActionNotAllowed, Vec::new(), None));
        }
        Access::Role | Access::Governed => {}
    }
    let proved = strengths(&policy.core.model, caller);
    match decided(policy, (caller, header), operation, (&proved, now)) {
        Ok(plan) => Decision::Permit(plan),
        Err(denial) => Decision::Deny(Denial {
            strengths: proved,
            ..denial
        }),
    }
}

/// The plan of an operation for which a role counts.
fn decided(
    policy: &Policy,
    (caller, header): (&Caller, Option<&str>),
    operation: &Operation,
    (proved, now): (&BTreeSet<String>, Timestamp),
) -> Result<Plan, Denial> {
    let model = &policy.core.model;
    let roles = roles(model, caller);
    if roles.is_empty() {
        return denied(Reason::NoRole, roles, None);
    }
    if let Err(reason) = without_session(caller, operation, policy.schema()) {
        return denied(reason, roles, None);
    }
    let stated = match Stated::of(header, caller) {
        Ok(stated) => stated,
        Err(reason) => return denied(reason, roles, None),
    };
    let purpose = match purpose(model, &roles, stated) {
        Ok(purpose) => purpose,
        Err(Reason::NoPurpose | Reason::AmbiguousPurpose) if operation.access == Access::Role => {
            return without_purpose(policy, now, roles, operation);
        }
        Err(reason) => return denied(reason, roles, None),
    };
    let counted = counted(model, &roles, &purpose.purpose);
    if counted.is_empty() {
        return denied(Reason::PurposeNotAllowed, roles, Some(purpose));
    }
    let reach = Reach::of(model, counted.iter(), caller.has_session());
    let roles = counted.iter().cloned().collect();
    let situation = Situation {
        roles: counted.clone(),
        purpose: Some(purpose.purpose.clone()),
        strengths: proved.clone(),
        seen: reach.seen(),
        observing: model.observing(now, caller.has_session()),
        facts: Facts::Least,
    };
    let asker = asker((caller, &counted), operation, now);
    let (situation, mut terms) = RecordTerms::of(&policy.tables, situation, &asker);
    let table = policy.tables.of(situation);
    let used = terms
        .as_ref()
        .map_or_else(|| table.clone(), RecordTerms::used);
    if let Some(terms) = &mut terms {
        terms.leave_out_restricted(&used_more((&used, &table), operation));
    }
    let mut plan = Plan {
        table,
        used,
        roles,
        purpose: Some(purpose),
        challenge: None,
        would: None,
        terms: terms.map(Arc::new),
        also: None,
        told_by: None,
    };
    // What the API tells of itself and of the caller is nobody's records.
    let reached = match operation.access {
        Access::Governed => reach.holds(operation),
        _ => Ok(()),
    };
    if let Err(reason) = reached {
        return denied(reason, plan.roles.to_vec(), plan.purpose);
    }
    plan.would = would(policy, &plan, operation).err();
    if let Err(reason) = allowed(model, &plan, operation) {
        return Err(Denial {
            is_observed: plan.table.enforced().is_some() && plan.would.is_none(),
            ..denial(reason, plan.roles.to_vec(), plan.purpose)
        });
    }
    stepping_up(policy, caller, operation, plan)
}

/// The same plan, with what stronger authentication would show more of; or why nothing goes without it.
fn stepping_up(
    policy: &Policy,
    caller: &Caller,
    operation: &Operation,
    mut plan: Plan,
) -> Result<Plan, Denial> {
    let Some(lacking) = plan.used.lacking(policy) else {
        return Ok(plan);
    };
    match lacking.touched(&plan.used, operation) {
        Touched::No => {}
        // Clients of a session of the CRM would answer by logging in again.
        Touched::Named if !caller.has_session() && caller.way() == Way::Token => {
            return Err(Denial {
                challenge: Some(lacking.challenge.clone()),
                ..denial(Reason::StepUp, plan.roles.to_vec(), plan.purpose)
            });
        }
        Touched::Named | Touched::Unnamed => plan.challenge = Some(lacking.challenge.clone()),
    }
    Ok(plan)
}

/// What conditions can ask of a request.
fn asker<'a>(
    (caller, roles): (&'a Caller, &'a BTreeSet<Role>),
    operation: &'a Operation,
    now: Timestamp,
) -> Asker<'a> {
    // Ids of others name nobody in the CRM, or somebody else.
    let has_session = caller.has_session();
    Asker {
        id: has_session.then(|| caller.id()),
        name: caller.crm_user(),
        kind: caller.crm_type(),
        roles,
        teams: has_session.then(|| caller.crm_teams()),
        now,
        action: Some(operation.action),
        // Where records of several are asked for, nobody knows which of them a rule means.
        module: operation
            .target()
            .filter(|_| operation.modules().len() == 1),
    }
}

/// Whether the operation would be permitted, if no rule only observed.
fn would(policy: &Policy, plan: &Plan, operation: &Operation) -> Result<(), Reason> {
    let Some(enforced) = plan.table.enforced() else {
        return Ok(());
    };
    let plan = Plan {
        table: enforced.clone(),
        used: plan.used.enforced().unwrap_or(&plan.used).clone(),
        ..plan.clone()
    };
    allowed(&policy.core.model, &plan, operation)
}

/// The roles that a caller's evidence makes.
pub(super) fn roles(model: &Model, caller: &Caller) -> Vec<Role> {
    let roles = model.roles.iter();
    roles
        .filter(|(_, role)| role.fits(caller))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The strengths of authentication that a caller has proved.
pub(super) fn strengths(model: &Model, caller: &Caller) -> BTreeSet<String> {
    let proved = model.strengths.iter();
    proved
        .filter(|(name, strength)| {
            strength.is_proved_by(caller) || caller.supposed_strengths().contains(*name)
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// The purpose that a request states, and by what.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct Stated<'a> {
    name: &'a str,
    by: &'static str,
}

impl<'a> Stated<'a> {
    /// By the header, or by the caller's token; by both only if they say the same.
    pub(super) fn of(header: Option<&'a str>, caller: &'a Caller) -> Result<Option<Self>, Reason> {
        let by = |name, by| Self { name, by };
        match (header, caller.stated_purpose()) {
            (Some(header), Some(claim)) if header != claim => Err(Reason::TwoPurposes),
            (Some(header), _) => Ok(Some(by(header, "header"))),
            (None, claim) => Ok(claim.map(|claim| by(claim, "claim"))),
        }
    }
}

/// What the dialect gives to whoever has a role, and of what a policy rules nothing.
fn without_purpose(
    policy: &Policy,
    now: Timestamp,
    roles: Vec<Role>,
    operation: &Operation,
) -> Result<Plan, Denial> {
    let plan = Plan {
        roles: roles.into(),
        ..policy.public_plan_at(now)
    };
    match allowed(&policy.core.model, &plan, operation) {
        Ok(()) => Ok(plan),
        Err(reason) => denied(reason, plan.roles.to_vec(), None),
    }
}

fn denied(
    reason: Reason,
    roles: Vec<Role>,
    purpose: Option<PurposeChosen>,
) -> Result<Plan, Denial> {
    Err(denial(reason, roles, purpose))
}

fn denial(reason: Reason, roles: Vec<Role>, purpose: Option<PurposeChosen>) -> Denial {
    Denial {
        reason,
        roles,
        purpose,
        strengths: BTreeSet::new(),
        challenge: None,
        is_observed: false,
    }
}

pub(in crate::policy) fn may_invoke(model: &Model, role: &Role, purpose: &Purpose) -> bool {
    let is_listed = model
        .purposes
        .get(purpose)
        .is_some_and(|purpose| purpose.roles.contains(role));
    let machine = model.roles.get(role).and_then(|role| role.machine.as_ref());
    is_listed && machine.is_none_or(|bound| bound.contains(purpose))
}

/// The roles that count for a purpose: those that may invoke it.
pub(in crate::policy) fn counted(
    model: &Model,
    roles: &[Role],
    purpose: &Purpose,
) -> BTreeSet<Role> {
    let may_invoke = |role: &&Role| may_invoke(model, role, purpose);
    roles.iter().filter(may_invoke).cloned().collect()
}

/// The purpose: the stated one if the caller may invoke it, else the one default of the caller's roles, else the first
/// of the policy's order that is one of their defaults. Whether a purpose exists is not told to those who may not invoke
/// it.
pub(in crate::policy) fn purpose(
    model: &Model,
    roles: &[Role],
    stated: Option<Stated<'_>>,
) -> Result<PurposeChosen, Reason> {
    let (purpose, chosen_by) = match stated {
        Some(Stated { name, by }) => {
            let purpose = Purpose::new(name);
            if !roles.iter().any(|role| may_invoke(model, role, &purpose)) {
                return Err(Reason::PurposeNotAllowed);
            }
            (purpose, by)
        }
        None => {
            let held: Vec<&RoleModel> = roles
                .iter()
                .filter_map(|role| model.roles.get(role))
                .collect();
            let defaults: BTreeSet<&Purpose> = held
                .iter()
                .filter_map(|role| role.usual_purpose())
                .collect();
            let by = match held.iter().all(|role| role.machine.is_some()) {
                true => "machine",
                false => "default",
            };
            let mut ordered = model.purpose_order.iter();
            match (defaults.first(), defaults.len()) {
                (None, _) => return Err(Reason::NoPurpose),
                (Some(only), 1) => ((*only).clone(), by),
                _ => {
                    let first = ordered.find(|purpose| defaults.contains(purpose));
                    (first.ok_or(Reason::AmbiguousPurpose)?.clone(), "order")
                }
            }
        }
    };
    let declared = model
        .purposes
        .get(&purpose)
        .ok_or(Reason::PurposeNotAllowed)?;
    Ok(PurposeChosen {
        basis: declared.basis.clone(),
        purpose,
        chosen_by,
    })
}

/// Whether the operation touches known modules only, and matches, sorts and searches only by what the caller is shown
/// in clear. What is shown never denies; what is written is judged by `writeback`, which compares first.
fn allowed(model: &Model, plan: &Plan, operation: &Operation) -> Result<(), Reason> {
    let modules = operation.modules();
    if !modules.iter().all(|module| model.classes.knows(module)) {
        return Err(Reason::UnknownModule);
    }
    for used in operation.uses() {
        let least = match used.how {
            Use::Shown | Use::Written => continue,
            Use::Matched | Use::Searched => Usable::Words,
            Use::Sorted => Usable::Yes,
        };
        // What is said of records that are linked would be said of those, too, that are not there for the caller.
        let is_elsewhere = operation.target() != Some(&used.path.module);
        if usable(plan, &used.path) < least || is_elsewhere && plan.has_rows(&used.path.module) {
            return Err(Reason::FieldNotUsable);
        }
    }
    if let Some(target) = operation.target() {
        operands(plan, &operation.query, target)?;
    }
    let mut searched: Vec<(&Module, &str)> = Vec::new();
    match operation.target() {
        Some(target) => operation.query.searched(target, &mut searched),
        // Nothing says in which modules the CRM would search.
        None if operation.query.search.is_some() => return Err(Reason::FieldNotUsable),
        None => {}
    }
    for (module, words) in searched {
        let words = Value::from(words);
        let rules = plan.used(module);
        for field in rules.searched().ok_or(Reason::FieldNotUsable)? {
            if !rules.field(field.as_str()).usable.permits(&words) {
                return Err(Reason::FieldNotUsable);
            }
        }
    }
    Ok(())
}

/// Whether what fields are compared with may be looked for in them, wherever the query compares.
fn operands(plan: &Plan, query: &Query, own: &Module) -> Result<(), Reason> {
    let mut permitted = true;
    for module in std::iter::once(own).chain(&query.beside) {
        if let Some(predicate) = &query.predicate {
            predicate.each_comparison(&mut |path, operand| {
                permitted &= usable(plan, &path.of(module)).permits(operand);
            });
        }
        // A header's value is an operand that nobody has read.
        permitted &= query
            .compared
            .iter()
            .all(|compared| usable(plan, &FieldPath::new(module, &compared.field)) == Usable::Yes);
    }
    if !permitted {
        return Err(Reason::FieldNotUsable);
    }
    for item in query.projection.iter().flatten() {
        if let Projected::Collection { link, query } = item {
            operands(plan, query, &link.target)?;
        }
    }
    Ok(())
}

fn usable(plan: &Plan, path: &FieldPath) -> Usable {
    usable_by(&plan.used, path)
}

fn usable_by(table: &Table, path: &FieldPath) -> Usable {
    let rules = table.records(&path.module);
    rules.field(path.field.as_str()).usable
}

/// The modules by whose fields an operation finds records that may be used less by one table than by another.
fn used_more((most, least): (&Arc<Table>, &Arc<Table>), operation: &Operation) -> BTreeSet<Module> {
    if Arc::ptr_eq(most, least) {
        return BTreeSet::new();
    }
    let mut paths = Vec::new();
    let mut searched = Vec::new();
    if let Some(target) = operation.target() {
        operation.query.searched(target, &mut searched);
    }
    for (module, _) in searched {
        let rules = most.records(module);
        let fields = rules.searched().into_iter().flatten();
        paths.extend(fields.map(|field| FieldPath::new(module, field.as_str())));
    }
    let finds = |how: Use| !matches!(how, Use::Shown | Use::Written);
    let uses = operation.uses().into_iter();
    paths.extend(uses.filter(|used| finds(used.how)).map(|used| used.path));
    let differs = |path: &FieldPath| usable_by(most, path) != usable_by(least, path);
    paths.retain(differs);
    paths.into_iter().map(|path| path.module).collect()
}
