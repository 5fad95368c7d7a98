//! The replies to the parts of an envelope.

use std::sync::Arc;

use super::{Reply, Whole, entries, gathered};
use crate::dialect::{Assembly, Dialect};
use crate::limits::Used;
use crate::policy::Challenge;

/// The replies to the parts of an envelope, put together.
#[derive(Debug)]
pub struct Assembled {
    pub(super) status: u16,
    /// What would show more in one of the parts.
    pub(super) step_up: Option<Arc<Challenge>>,
    pub(super) body: Whole,
    pub(super) withheld: usize,
    pub(super) used: Vec<Used>,
}

impl Assembled {
    /// Puts the replies to the parts of an envelope together, in their order.
    pub fn of(dialect: &dyn Dialect, route: &str, parts: Vec<Reply>) -> Self {
        let withheld = parts.iter().filter_map(|part| part.withheld).sum();
        let step_up = parts.iter().find_map(|part| part.step_up.clone());
        let used = parts.iter().flat_map(|part| part.used.iter().cloned());
        let used = Used::last_of_each(used);
        let (status, body) = match dialect.assemble(route) {
            Some(Assembly::Entries(members)) => (200, entries(&members, parts)),
            Some(Assembly::Object(members)) => gathered(&members, parts),
            None => (500, Whole::default()),
        };
        Self {
            status,
            step_up,
            body,
            withheld,
            used,
        }
    }

    /// The status of the whole.
    pub fn status(&self) -> u16 {
        self.status
    }
}
