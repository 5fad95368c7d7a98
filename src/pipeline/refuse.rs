//! How a request is refused: recorded where somebody vouches for it, counted where nobody does.

use std::net::IpAddr;
use std::sync::Arc;

use super::calling::With;
use super::{Entrance, InForce, Pipeline, Visit};
use crate::audit::{Record, Said};
use crate::config::Way;
use crate::dialect::Misunderstood;
use crate::door::Head;
use crate::metrics::Metrics;
use crate::objection::Objection;
use crate::reason::{Outcome, Reason};
use crate::reply::{Refusal, Reply};
use crate::upstream::Untrusted;
use crate::vocabulary::Action;

impl Pipeline {
    /// A request that has no single meaning. The CRM is not asked whose it is: a caller whose session is known is
    /// named in the event, others are counted by origin and minute, so that nobody can fill the disk.
    pub(super) async fn misunderstood(
        &self,
        head: &Head,
        entrance: Option<(&Entrance, Arc<InForce>)>,
        misunderstood: Misunderstood,
    ) -> Reply {
        let Misunderstood { objection, route } = misunderstood;
        let refusal = Refusal::from(objection);
        let Some((entrance, in_force)) = entrance else {
            return self.turn_away(objection, head.origin);
        };
        let credential = head.credential.as_ref().ok().and_then(Option::as_ref);
        let credential = credential.filter(|_| self.ways.accept(Way::CrmSession));
        let visit = Visit {
            entrance,
            in_force: &in_force,
            shown: self.shown(head, credential),
            with: &With::Nobody,
            purpose: None,
            trace: head.trace.as_deref(),
            now: self.clock.moment(),
            origin: head.origin,
            persons: None,
            telling: None,
            whole_only: false,
            held_bytes_max: self.settings.held_bytes_max,
        };
        let caller = match credential {
            Some(credential) => entrance.sessions.recall(credential).await,
            None => self.whose(&visit, "").await.ok(),
        };
        let Some(caller) = caller else {
            self.unread(objection.reason, head.origin);
            return Reply::from_refusal(&*in_force.dialect, refusal, None);
        };
        let arrival = self.arrival(&visit, route);
        let record = Record::new(&self.log, arrival).identified(Some(&caller));
        let refusal = match self.callers.admit(&caller) {
            Ok(()) => refusal,
            Err(reason) => reason.into(),
        };
        self.refuse(&visit, Action::Other, refusal, record).await
    }

    /// Records a refusal and makes it a reply. Refusals of callers who did not authenticate, and of those who ask too
    /// often, are only counted: nobody can fill the disk.
    pub(super) async fn refuse<S>(
        &self,
        visit: &Visit<'_>,
        action: Action,
        refusal: Refusal,
        record: Record<S>,
    ) -> Reply {
        if let Some(reason) = refusal.reason() {
            self.metrics.refusal(reason);
        }
        tell(
            &self.metrics,
            &record,
            action,
            (refusal.outcome(), refusal.status(), refusal.reason()),
        );
        let is_flood = !record.has_caller() || refusal.reason() == Some(Reason::TooManyRequests);
        if is_flood && !record.is_expected() {
            record.abandon_counted(refusal.reason().unwrap_or(Reason::BadCredential));
            return Reply::from_refusal(visit.dialect(), refusal, None);
        }
        match record.refuse(refusal.status(), refusal.reason()).await {
            Ok(closed) => Reply::from_refusal(visit.dialect(), refusal, Some(closed.id())),
            Err(_) => self.unrecorded(visit),
        }
    }

    /// The log cannot be written: nothing is released.
    pub(super) fn unrecorded(&self, visit: &Visit<'_>) -> Reply {
        self.metrics.refusal(Reason::AuditUnavailable);
        Reply::from_refusal(visit.dialect(), Reason::AuditUnavailable.into(), None)
    }

    /// A refusal of the HTTP layer, before anything was understood, in the error shape of the CRM. Nobody vouches for
    /// it, so it is counted by network and minute.
    pub fn turn_away(&self, objection: impl Into<Objection>, origin: IpAddr) -> Reply {
        let objection = objection.into();
        self.unread(objection.reason, origin);
        match self.entrances.first() {
            Some(entrance) => {
                let dialect = entrance.schema.dialect();
                // Nobody has looked which API was meant: no refusal looks like a success of another one.
                Reply::from_refusal(&*dialect, objection.into(), None).sent_plainly()
            }
            None => Reply::from_problem(objection.into()),
        }
    }

    /// Counts a request that could not be read.
    pub fn unread(&self, reason: Reason, origin: IpAddr) {
        self.metrics.refusal(reason);
        self.log.refused(origin, reason);
        if let Some(count) = self.turned_away.add(reason.code()) {
            tell_turned_away(reason.code(), count);
        }
    }

    /// Tells the operator of requests that were turned away since that was last told.
    pub(super) fn sweep_turned_away(&self) {
        for (reason, count) in self.turned_away.due() {
            tell_turned_away(reason, count);
        }
    }
}

impl Drop for Pipeline {
    /// Nothing that was counted stays untold.
    fn drop(&mut self) {
        for (reason, count) in self.turned_away.rest() {
            tell_turned_away(reason, count);
        }
    }
}

/// Anybody can send what is turned away here, so it is told once a minute.
fn tell_turned_away(reason: &'static str, count: u64) {
    tracing::info!(reason, count, "turned away");
}

/// What the CRM has said to a request that it was sent.
pub(super) fn said(action: Action, forwarded: &Result<Untrusted, Refusal>) -> Said {
    let Err(refusal) = forwarded else {
        return Said::Done;
    };
    let is_answer = match refusal.reason() {
        None => refusal.status() < 500,
        Some(
            Reason::ReplyTooLarge
            | Reason::Unfilterable
            | Reason::UpstreamBroken
            | Reason::UpstreamRedirect
            | Reason::UpstreamSlow,
        ) => false,
        Some(_) => true,
    };
    if action.writes() && !is_answer {
        Said::Unknown
    } else {
        Said::Refused
    }
}

/// Counts the end of a request and tells the operator: ids, words and numbers only.
pub(super) fn tell<S>(
    metrics: &Metrics,
    record: &Record<S>,
    action: Action,
    (outcome, status, reason): (Outcome, u16, Option<Reason>),
) {
    let (took, upstream) = record.took();
    metrics.request(action, outcome, (took, upstream));
    let (decision, action, outcome_word) = (record.id(), action.as_str(), outcome.as_str());
    let milliseconds = took.as_millis();
    if matches!(
        outcome,
        Outcome::Full | Outcome::Partial | Outcome::Observed
    ) {
        tracing::debug!(
            decision,
            action,
            outcome = outcome_word,
            status,
            milliseconds,
            "answered"
        );
        return;
    }
    // An error of the CRM itself has no reason of ours.
    let reason = reason.map_or(outcome_word, Reason::code);
    tracing::info!(
        decision,
        reason,
        caller = record.caller_id(),
        module = record.module(),
        action,
        outcome = outcome_word,
        status,
        milliseconds,
        "refused"
    );
}
