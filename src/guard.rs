//! Rebuilds the request within the plan; nothing that the caller typed is relayed.
//!
//! `policy` has already refused what may not be matched, sorted or searched (taking a predicate away would return
//! *more*). What is left to narrow is the projection, and the fields of a write that `writeback` settled.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::dialect::{Exchange, Outgoing, Projected, Query};
use crate::policy::{FieldRule, Plan, Show};
use crate::transport::UpstreamCredential;
use crate::vocabulary::{Edit, Edits, Level, Module};

/// A request that was rebuilt within a plan. `upstream::forward` takes nothing else.
///
/// ```
/// use paravent::{dialect::Exchange, guard::{Guarded, guard}, policy::Plan, transport::UpstreamCredential, vocabulary::Edits};
/// fn in_order(exchange: &dyn Exchange, plan: &Plan, edits: &Edits, with: &UpstreamCredential) -> Guarded {
///     guard(exchange, plan, edits, with)
/// }
/// ```
///
/// ```compile_fail
/// // The parts are private: nobody but the guard makes one.
/// let guarded = paravent::guard::Guarded { outgoing: todo!(), withheld: Vec::new() };
/// ```
///
/// ```compile_fail
/// // A dialect's rendering alone is not enough.
/// fn shortcut(outgoing: paravent::dialect::Outgoing) -> paravent::guard::Guarded { outgoing.into() }
/// ```
#[derive(Debug)]
pub struct Guarded {
    outgoing: Outgoing,
    withheld: Vec<Arc<FieldRule>>,
}

impl Guarded {
    /// Fields that were asked for and are not asked of the CRM, because the plan hides them.
    pub fn withheld(&self) -> &[Arc<FieldRule>] {
        &self.withheld
    }

    /// The same, whatever has become since of the fields that its headers compare with. Switches stay.
    pub(crate) fn unconditional(mut self, exchange: &dyn Exchange) -> Self {
        let compared = &exchange.operation().query.compared;
        let compares = |name| compared.iter().any(|compared| compared.header == name);
        let controls = &mut self.outgoing.controls;
        controls.retain(|control| !compares(control.name()));
        self
    }

    /// The request to send.
    pub(crate) fn into_outgoing(self) -> Outgoing {
        self.outgoing
    }
}

/// Rebuilds what an exchange asks within its plan, to be asked with a credential.
#[must_use]
pub fn guard(
    exchange: &dyn Exchange,
    plan: &Plan,
    edits: &Edits,
    with: &UpstreamCredential,
) -> Guarded {
    let operation = exchange.operation();
    let mut narrowed = operation.clone();
    // Some APIs have it among their arguments: it is written there, if anywhere, by what the CRM is called with.
    narrowed.credential = with.credential().cloned();
    let mut withheld = Vec::new();
    if let Some(target) = operation.target() {
        narrow(&mut narrowed.query, target, plan, &mut withheld);
    }
    narrowed.write = operation.write.as_ref().map(|write| edited(write, edits));
    withheld.sort_by(|one, other| (&one.module, &one.field).cmp(&(&other.module, &other.field)));
    withheld.dedup_by(|one, other| (&one.module, &one.field) == (&other.module, &other.field));
    Guarded {
        outgoing: exchange.render(&narrowed),
        withheld,
    }
}

/// Takes hidden fields out of a projection. An empty projection would mean *all*, so it becomes `id`.
fn narrow(query: &mut Query, module: &Module, plan: &Plan, withheld: &mut Vec<Arc<FieldRule>>) {
    let Some(projection) = &mut query.projection else {
        return;
    };
    if !query.beside.is_empty() {
        // What is hidden in one module may be shown in another: each record is held to its own rules in the reply.
        return;
    }
    let rules = plan.records(module);
    projection.retain_mut(|item| match item {
        Projected::Field(name) => {
            let rule = rules.field(name);
            let hidden = rule.level == Level::Hide || matches!(rule.show, Show::Remove);
            if hidden {
                withheld.push(rule);
            }
            !hidden
        }
        Projected::Collection { link, query } => {
            narrow(query, &link.target, plan, withheld);
            true
        }
    });
    if projection.is_empty() {
        projection.push(Projected::Field("id".to_owned()));
    }
}

/// The write that is left. A key without an edit is left out: only what was settled is written.
fn edited(write: &Map<String, Value>, edits: &Edits) -> Map<String, Value> {
    let mut left = Map::new();
    for (key, edit) in &edits.0 {
        match (edit, write.get(key)) {
            (Edit::Keep, Some(value)) => {
                left.insert(key.clone(), value.clone());
            }
            (Edit::Replace(value), Some(_)) => {
                left.insert(key.clone(), value.clone());
            }
            (Edit::Drop, _) | (_, None) => {}
        }
    }
    left
}
