//! A dialect that the CRM speaks, and what requests in it are decided by: policy and schema, which change as one.

use std::sync::{Arc, PoisonError, RwLock};

use super::drift::Notices;
use super::learning::LiveSchema;
use crate::audit::PolicyStamp;
use crate::dialect::Dialect;
use crate::filter::Memory;
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
    /// One pointer: a request is decided by one policy and one schema from its beginning to its end.
    in_force: RwLock<Arc<InForce>>,
}

/// What one request is decided by.
#[derive(Debug)]
pub(super) struct InForce {
    /// The dialect, with the schema.
    pub(super) dialect: Arc<dyn Dialect>,
    /// The policy, in terms of the schema.
    pub(super) policy: Policy,
    /// Both, as the log names them.
    pub(super) stamp: PolicyStamp,
    /// What filters leave to each other under these terms.
    pub(super) memory: Memory,
}

impl InForce {
    fn new(dialect: Arc<dyn Dialect>, policy: &Policy) -> Arc<Self> {
        let policy = policy.in_schema(dialect.schema().clone());
        Arc::new(Self {
            stamp: PolicyStamp::of(&policy),
            dialect,
            policy,
            memory: Memory::new(),
        })
    }
}

impl Entrance {
    pub(super) fn new(
        schema: Arc<LiveSchema>,
        policy: &Policy,
        sessions: Sessions,
        told: Arc<Notices>,
    ) -> Self {
        let in_force = RwLock::new(InForce::new(schema.dialect(), policy));
        Self {
            sessions,
            service: None,
            told,
            schema,
            in_force,
        }
    }

    /// What a request that begins now is decided by.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        let in_force = self.read();
        let dialect = self.schema.dialect();
        if Arc::ptr_eq(dialect.schema(), in_force.dialect.schema()) {
            return in_force;
        }
        let renewed = InForce::new(dialect, &in_force.policy);
        *self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner) = renewed.clone();
        renewed
    }

    fn read(&self) -> Arc<InForce> {
        // The pointer is always whole.
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        in_force.clone()
    }
}
