//! Rebuilds the request within the plan; nothing that the caller typed is relayed.
//!
//! `policy` has already refused what may not be matched, sorted or searched (taking a predicate away would return
//! *more*). What is left to narrow is the projection, which records are asked for ([`Narrowed`]), and the fields of a write
//! that `writeback` settled.

use serde_json::{Map, Value};

use crate::dialect::{Exchange, Outgoing};
use crate::transport::UpstreamCredential;
use crate::vocabulary::{Edit, Edits};

mod matchable;
mod narrowed;

pub use narrowed::Narrowed;

/// A request that was rebuilt within a plan. `upstream::forward` takes nothing else.
///
/// ```
/// use paravent::{dialect::Exchange, guard::{Guarded, Narrowed, guard}, transport::UpstreamCredential, vocabulary::Edits};
/// fn in_order(exchange: &dyn Exchange, narrowed: &Narrowed, edits: &Edits, with: &UpstreamCredential) -> Guarded {
///     guard(exchange, narrowed, edits, with)
/// }
/// ```
///
/// ```compile_fail
/// // The parts are private: nobody but the guard makes one.
/// let guarded = paravent::guard::Guarded { outgoing: todo!() };
/// ```
///
/// ```compile_fail
/// // A dialect's rendering alone is not enough.
/// fn shortcut(outgoing: paravent::dialect::Outgoing) -> paravent::guard::Guarded { outgoing.into() }
/// ```
#[derive(Debug)]
pub struct Guarded {
    outgoing: Outgoing,
}

impl Guarded {
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

/// Rebuilds what was narrowed of an exchange, to be asked with a credential.
#[must_use]
pub fn guard(
    exchange: &dyn Exchange,
    narrowed: &Narrowed,
    edits: &Edits,
    with: &UpstreamCredential,
) -> Guarded {
    let mut operation = narrowed.operation.clone();
    // Some APIs have it among their arguments: it is written there, if anywhere, by what the CRM is called with.
    operation.credential = with.credential().cloned();
    operation.write = operation.write.as_ref().map(|write| edited(write, edits));
    Guarded {
        outgoing: exchange.render(&operation),
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
