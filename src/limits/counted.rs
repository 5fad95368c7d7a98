//! That what a reply shows was counted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::policy::{Challenge, Limit, Per};

use super::rules::Set;
use super::window::Key;
use super::{Held, Meter};

/// Records that count, as long as nobody knows whether their reply leaves. Dropped, they are given back.
#[must_use]
#[derive(Debug)]
pub struct Reserved {
    pub(super) meter: Meter,
    pub(super) account: Key,
    pub(super) held: Vec<Held>,
    pub(super) reached: Vec<Reached>,
    pub(super) used: Vec<Used>,
    /// By which limits they were counted: others do not take their place before this is over.
    pub(super) _by: Arc<Set>,
}

/// Proof that what a reply shows was counted. Made only from [`Reserved`].
///
/// ```
/// fn leaves(reserved: paravent::limits::Reserved) -> paravent::limits::Counted { reserved.count() }
/// ```
///
/// ```compile_fail
/// // Nothing is counted by saying so: the field is private.
/// let counted = paravent::limits::Counted { used: Vec::new() };
/// ```
#[must_use]
#[derive(Debug)]
pub struct Counted {
    used: Vec<Used>,
}

/// A limit was reached, which nobody has told yet.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The limit.
    pub limit: Limit,
    /// Records or persons that count, with those that the reply would show.
    pub would_be: u64,
}

/// How much of a limit is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    limit: Arc<str>,
    used: usize,
    max: u32,
    per: Per,
}

/// Why records may not be shown.
#[derive(Debug)]
pub enum Stopped {
    /// There would be more than a limit lets through.
    Reached(Box<Stop>),
    /// There is no room to count them in.
    Full,
    /// What was shown before is still being counted.
    NotReady,
}

/// A limit that was reached, and what is known of it.
#[derive(Debug)]
pub struct Stop {
    /// After how many seconds to ask again.
    pub retry_after_seconds: u32,
    /// The authentication that would do, where one would.
    pub challenge: Option<Arc<Challenge>>,
    /// Limits that nobody has told yet.
    pub reached: Vec<Reached>,
}

impl Reserved {
    /// The reply leaves.
    pub fn count(self) -> Counted {
        let now = self.meter.now();
        self.count_at(now)
    }

    pub(super) fn count_at(mut self, now: Duration) -> Counted {
        let held = std::mem::take(&mut self.held);
        self.meter.settle(self.account, &held, Some(now));
        Counted {
            used: std::mem::take(&mut self.used),
        }
    }

    /// Limits that the reply reaches, which nobody has told yet.
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            self.meter.settle(self.account, &self.held, None);
        }
    }
}

impl Counted {
    /// How much of the limits is used up, of which not much is left.
    pub fn into_used(self) -> Vec<Used> {
        self.used
    }
}

impl Used {
    pub(super) fn new(limit: &Limit, used: usize) -> Self {
        Self {
            limit: limit.name().as_str().into(),
            used,
            max: limit.max(),
            per: limit.per(),
        }
    }

    /// Whether so much is used up that callers are told.
    pub(super) fn is_told(&self) -> bool {
        self.used as u64 * 100 >= u64::from(self.max) * TOLD_PER_CENT
    }

    /// Of several, the last of each limit.
    pub fn last_of_each(all: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut last: Vec<Self> = Vec::new();
        for used in all {
            match last.iter_mut().find(|one| one.limit == used.limit) {
                Some(one) => *one = used,
                None => last.push(used),
            }
        }
        last
    }
}

impl fmt::Display for Used {
    /// As a header says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            limit,
            used,
            max,
            per,
        } = self;
        write!(f, "{limit}; used={used}; max={max}; window={per}")
    }
}

/// From how many per cent of a limit on callers are told.
const TOLD_PER_CENT: u64 = 80;
