//! What a caller is shown is counted before it leaves, and held back where a limit of the policy ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::excepted::{self, Excepted};
use super::telling::Telling;
use super::{Pipeline, Visit};
use crate::audit::{Decided, Log, Record};
use crate::dialect::Operation;
use crate::filter::{Report, Whom};
use crate::limits::{Counted, Fields, Meter, Reached, Reserved, Shown, Stopped, Used, Who};
use crate::metrics::Metrics;
use crate::policy::{FieldRule, Plan};
use crate::reason::Reason;
use crate::reply::{Refusal, Reply};
use crate::vocabulary::{Action, RecordRef, RuleName};

/// On what a request's records are counted.
#[derive(Clone, Debug)]
pub(super) struct Account {
    meter: Meter,
    who: Who,
    /// Who tells whom records are about; `None`: nobody counts that.
    telling: Option<Arc<Telling>>,
    /// The records that the request names.
    named: Vec<RecordRef>,
    log: Log,
    metrics: Metrics,
    /// Where exceptions are told that showed something; `None`, if there are none.
    excepted: Option<Excepted>,
}

impl Account {
    /// Counts records and persons, as long as nobody knows whether they leave. What is reached thereby is told once.
    pub(super) async fn reserve(
        &self,
        shown: Shown<'_>,
        record: &Record<Decided>,
    ) -> Result<Reserved, Stopped> {
        let reserved = match self.meter.reserve(&self.who, &shown) {
            Err(Stopped::NotReady) => {
                let waiting = self.meter.wait(&self.who);
                let _ = tokio::time::timeout(WAIT, waiting).await;
                self.meter.reserve(&self.who, &shown)
            }
            reserved => reserved,
        };
        match &reserved {
            Ok(reserved) => self.tell(reserved.reached(), record),
            Err(Stopped::Reached(stop)) => self.tell(&stop.reached, record),
            Err(Stopped::Full | Stopped::NotReady) => {}
        }
        reserved
    }

    /// The same of a whole reply.
    pub(super) async fn reserve_all(
        &self,
        report: &Report,
        record: &Record<Decided>,
    ) -> Result<Reserved, Stopped> {
        let mut fields = report.fields.values();
        if report.records == 0 && fields.any(|field| field.records > 0) {
            return self.reserve_parts(report, record).await;
        }
        let shown = Shown {
            refs: &report.refs,
            unnamed: report.records.saturating_sub(report.refs.len() as u64),
            whom: told_of_all(&report.whom, report.records),
            fields: Fields::Met(&report.fields),
        };
        self.reserve(shown, record).await
    }

    /// The same of a reply that holds parts of records and no record, as the addresses of somebody: they are of the records that
    /// the request names.
    async fn reserve_parts(
        &self,
        report: &Report,
        record: &Record<Decided>,
    ) -> Result<Reserved, Stopped> {
        let refs = &self.named;
        let telling = self.telling.as_ref();
        let whom = telling.map(|telling| telling.whom_of(refs));
        let shown = Shown {
            refs,
            unnamed: 0,
            whom: whom.as_deref(),
            fields: Fields::Met(&report.fields),
        };
        self.reserve(shown, record).await
    }

    /// That nothing was shown yet, and how much is left.
    pub(super) async fn begin(
        &self,
        plan: &Plan,
        record: &Record<Decided>,
    ) -> Result<Counted, Stopped> {
        let nothing = Shown {
            refs: &[],
            unnamed: 0,
            whom: None,
            fields: Fields::Planned(plan),
        };
        Ok(self.reserve(nothing, record).await?.count())
    }

    /// Whether the reply to a write would be held back, as far as can be known before it is carried out.
    pub(super) async fn foresee(
        &self,
        operation: &Operation,
        plan: &Plan,
        record: &Record<Decided>,
    ) -> Result<(), Stopped> {
        let Some(target) = operation.target().filter(|_| shows(operation.action)) else {
            return Ok(());
        };
        let mut refs = operation.named();
        if refs.is_empty() {
            // One that nobody has seen yet.
            refs.push(RecordRef {
                module: target.clone(),
                id: "".into(),
            });
        }
        let telling = self.telling.as_ref();
        let whom = telling.map(|telling| telling.whom_of(&refs));
        let shown = Shown {
            refs: &refs,
            unnamed: 0,
            whom: whom.as_deref(),
            fields: Fields::Planned(plan),
        };
        // It is given back at once: what the reply really shows is counted when it is known.
        self.reserve(shown, record).await.map(drop)
    }

    /// Tells of the exceptions among the rules that something is shown by.
    fn tell_excepted(&self, rules: BTreeSet<RuleName>, record: &Record<Decided>) {
        let (Some(excepted), Some(caller)) = (&self.excepted, record.caller_id()) else {
            return;
        };
        for exception in excepted.fresh(caller, rules) {
            if let Some(event) = record.exception_used(&exception) {
                self.log.enqueue(event);
            }
        }
    }

    /// The same of all that a reply shows.
    pub(super) fn tell_excepted_of(&self, report: &Report, record: &Record<Decided>) {
        if self.excepted.is_some() {
            self.tell_excepted(excepted::met(&report.fields), record);
        }
    }

    /// The same of all that a reply may show.
    pub(super) fn tell_excepted_at_most(&self, most: &[Arc<FieldRule>], record: &Record<Decided>) {
        if self.excepted.is_some() {
            self.tell_excepted(excepted::possible(most), record);
        }
    }

    fn tell(&self, reached: &[Reached], record: &Record<Decided>) {
        for reached in reached {
            self.metrics.limit_reached(reached.limit.name().as_str());
            if let Some(event) = record.limit_reached(reached) {
                self.log.enqueue(event);
            }
        }
    }

    /// How much of the limits is used up.
    fn used(&self) -> Vec<Used> {
        self.meter.used(&self.who)
    }
}

impl Pipeline {
    /// The same, which counts together with others what callers are shown.
    #[must_use]
    pub fn counted_by(mut self, meter: Meter) -> Self {
        self.meter = meter;
        self
    }

    /// From here on, nobody was shown anything: for tests of policies, none of which depends on another one.
    pub fn forget_shown(&self) {
        self.meter.forget();
    }

    /// On what the records of a request are counted.
    pub(super) fn account(
        &self,
        plan: &Plan,
        telling: Option<Arc<Telling>>,
        (operation, record): (&Operation, &Record<Decided>),
    ) -> Account {
        let caller = record.caller_id().unwrap_or_default();
        Account {
            who: self.meter.who(&self.upstream, caller, plan),
            meter: self.meter.clone(),
            telling,
            named: operation.named_there(),
            log: self.log.clone(),
            metrics: self.metrics.clone(),
            excepted: plan.has_exceptions().then(|| self.excepted.clone()),
        }
    }

    /// Refuses what would show more than a limit lets through.
    pub(super) async fn limited(
        &self,
        visit: &Visit<'_>,
        action: Action,
        (account, stopped): (&Account, Stopped),
        record: Record<Decided>,
    ) -> Reply {
        let reason = reason(&stopped);
        let refusal = Refusal::from(reason);
        let Stopped::Reached(stop) = stopped else {
            return self.refuse(visit, action, refusal, record).await;
        };
        let refusal = match reason {
            Reason::LimitReached => refusal.waiting(stop.retry_after_seconds),
            _ => refusal,
        };
        let reply = self.refuse(visit, action, refusal, record).await;
        let reply = reply.telling(account.used());
        match stop.challenge {
            Some(challenge) => reply.challenging(Some(challenge)),
            None => reply,
        }
    }
}

/// Why nothing more is shown.
pub(super) fn reason(stopped: &Stopped) -> Reason {
    match stopped {
        Stopped::Reached(stop) if stop.challenge.is_some() => Reason::LimitStepUp,
        Stopped::Reached(_) => Reason::LimitReached,
        Stopped::Full | Stopped::NotReady => Reason::Overloaded,
    }
}

/// Whom records are about, if that is told of all of them.
pub(super) fn told_of_all(whom: &[Whom], records: u64) -> Option<&[Whom]> {
    (whom.len() as u64 == records).then_some(whom)
}

/// Whether the reply to a write shows a record.
fn shows(action: Action) -> bool {
    action.writes() && action != Action::Delete
}

/// How long a reply waits until what was shown before was counted.
const WAIT: Duration = Duration::from_secs(10);
