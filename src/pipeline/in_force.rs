//! What requests are decided by: policy and schema, which change as one.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::whose::Whose;
use crate::audit::PolicyStamp;
use crate::dialect::Dialect;
use crate::filter::Memory;
use crate::policy::Policy;

/// The one pointer through which requests find what they are decided by. Each reads it once; what it has read then stays
/// whole as long as the request goes on, whatever is put in its place.
pub(super) type Current = ArcSwap<InForce>;

/// What one request is decided by.
#[derive(Debug)]
pub(super) struct InForce {
    /// The dialect, with the schema.
    pub(super) dialect: Arc<dyn Dialect>,
    /// The policy, in terms of the schema.
    pub(super) policy: Policy,
    /// Both, as the log names them.
    pub(super) stamp: PolicyStamp,
    /// Whom records are about, if the policy says that.
    pub(super) whose: Option<Arc<Whose>>,
    /// What filters leave to each other under these terms.
    pub(super) memory: Memory,
}

impl InForce {
    pub(super) fn new(dialect: Arc<dyn Dialect>, policy: &Policy) -> Arc<Self> {
        let policy = policy.in_schema(dialect.schema().clone());
        Arc::new(Self {
            stamp: PolicyStamp::of(&policy),
            whose: Whose::of(&policy, &*dialect),
            dialect,
            policy,
            memory: Memory::new(),
        })
    }
}
