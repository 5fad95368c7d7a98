//! The limits in force. They follow each other, and what a limit has counted outlives the policy that named it first.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

use crate::policy::{Challenge, Limit, Plan, Policy, Then};
use crate::vocabulary::{Purpose, Role};

use super::window::Key;

/// Limits that are in force together.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) rules: Vec<Arc<Rule>>,
}

/// A limit in force.
#[derive(Debug)]
pub(super) struct Rule {
    /// No other limit ever has it.
    pub(super) number: u64,
    pub(super) limit: Limit,
    pub(super) challenge: Option<Arc<Challenge>>,
    /// Whether what was shown before was counted.
    pub(super) ready: watch::Sender<bool>,
}

/// Who is shown records, as far as limits care: in which roles, for which purpose, how surely authenticated.
#[derive(Clone, Debug)]
pub struct Who {
    pub(super) account: Key,
    roles: Arc<[Role]>,
    purpose: Option<Purpose>,
    proved: Arc<BTreeSet<String>>,
}

impl Set {
    /// The limits of a policy; those that were in force before keep their numbers, others get new ones.
    pub(super) fn of(policy: &Policy, before: &Self, mut next: impl FnMut() -> u64) -> Self {
        let rules = policy.limits().iter().map(|limit| {
            let same = before.rules.iter().find(|rule| rule.limit.is_same(limit));
            let challenge = policy.asked_by(limit);
            match same {
                Some(same) if same.challenge == challenge => same.clone(),
                _ => Arc::new(Rule {
                    number: next(),
                    limit: limit.clone(),
                    challenge,
                    ready: watch::Sender::new(false),
                }),
            }
        });
        Self {
            rules: rules.collect(),
        }
    }

    /// Those that count what somebody is shown.
    pub(super) fn applying<'s>(&'s self, who: &'s Who) -> impl Iterator<Item = &'s Arc<Rule>> {
        self.rules.iter().filter(|rule| who.is_counted_by(rule))
    }
}

impl Rule {
    /// Whether what was shown before was counted.
    pub(super) fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Whether it holds back what somebody would be shown beyond it.
    pub(super) fn stops(&self, who: &Who) -> bool {
        match self.limit.then() {
            Then::Alert => false,
            Then::Block => true,
            Then::StepUp(strengths) => strengths.is_disjoint(&who.proved),
        }
    }
}

impl Who {
    /// Whether a limit counts what they are shown.
    pub(super) fn is_counted_by(&self, rule: &Rule) -> bool {
        rule.limit.applies(&self.roles, self.purpose.as_ref())
    }

    pub(super) fn of(account: Key, plan: &Plan) -> Self {
        Self {
            account,
            roles: plan.roles().into(),
            purpose: plan.purpose().map(|chosen| chosen.purpose.clone()),
            proved: Arc::new(plan.strengths().clone()),
        }
    }

    /// The same, as an event of the log tells it. Nothing is asked of what is over.
    pub(super) fn told(account: Key, roles: &[String], purpose: Option<&str>) -> Self {
        Self {
            account,
            roles: roles.iter().map(|role| Role::new(role)).collect(),
            purpose: purpose.map(Purpose::new),
            proved: Arc::default(),
        }
    }
}
