//! A dialect that the CRM speaks, with the sessions in its terms.

use std::sync::Arc;

use super::Pipeline;
use super::drift::Notices;
use super::in_force::{Current, InForce};
use super::learning::LiveSchema;
use crate::identity::{Service, Sessions};
use crate::policy::Policy;

/// A dialect that the CRM speaks, with the sessions in its terms.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) sessions: Sessions,
    /// The proxy's own account, for callers who have no session.
    pub(super) service: Option<Service>,
    pub(super) told: Arc<Notices>,
    pub(super) schema: Arc<LiveSchema>,
    /// What requests are decided by. All entrances to one CRM in one dialect share it.
    current: Arc<Current>,
}

impl Entrance {
    pub(super) fn new(
        schema: Arc<LiveSchema>,
        policy: &Policy,
        sessions: Sessions,
        told: Arc<Notices>,
    ) -> Self {
        Self {
            sessions,
            service: None,
            told,
            current: schema.under(policy),
            schema,
        }
    }

    /// What a request that begins now is decided by, to its end.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.current.load_full()
    }
}

impl Pipeline {
    /// Another policy, or another schema, is in force: fields that are classified now are no gaps any more.
    pub fn policy_changed(&self) {
        for entrance in &self.entrances {
            entrance.told.look_again(&entrance.in_force().policy);
        }
    }
}
