//! How often one caller may be told that a predicate is refused. A refusal tells nothing by itself; many of them tell
//! that somebody is looking for a way.

use std::num::NonZeroU32;

use governor::Quota;

use super::Caller;
use super::limits::Callers;

/// The budget of each caller.
#[derive(Debug)]
pub struct Probes {
    left: Callers,
    /// Who was reported less than an hour ago.
    reported: Callers,
}

/// What a refused predicate did to its caller's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Something was left.
    Within,
    /// Nothing was left; nobody knows it yet.
    UsedUp,
    /// Nothing was left, as was reported already.
    StillUsedUp,
}

impl Probes {
    /// So many an hour.
    pub fn per_hour(count: NonZeroU32) -> Self {
        Self {
            left: Callers::with(Quota::per_hour(count)),
            reported: Callers::with(Quota::per_hour(NonZeroU32::MIN)),
        }
    }

    /// Counts one refused predicate.
    pub fn spend(&self, caller: &Caller) -> Spent {
        if self.left.admit(caller).is_ok() {
            Spent::Within
        } else if self.reported.admit(caller).is_ok() {
            Spent::UsedUp
        } else {
            Spent::StillUsedUp
        }
    }

    /// Forgets callers that have not been seen for a while.
    pub fn sweep(&self) {
        self.left.sweep();
        self.reported.sweep();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dialect::Session;

    fn caller(id: &str) -> Caller {
        let session = Session {
            id: id.to_owned(),
            name: id.to_owned(),
            kind: "user".to_owned(),
            roles: Vec::new(),
            teams: Vec::new(),
        };
        Caller::from_session(session, Duration::ZERO)
    }

    #[test]
    fn a_used_up_budget_is_reported_once_and_others_keep_theirs() {
        let probes = Probes::per_hour(NonZeroU32::new(3).unwrap());
        let spend = |id| probes.spend(&caller(id));
        assert_eq!([spend("a"), spend("a"), spend("a")], [Spent::Within; 3]);
        assert_eq!(spend("a"), Spent::UsedUp);
        assert_eq!([spend("a"), spend("a")], [Spent::StillUsedUp; 2]);
        assert_eq!(spend("b"), Spent::Within);
    }
}
