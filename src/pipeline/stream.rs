//! A reply that is too large to hold: it leaves piece by piece, each after an event that names its records.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Cut;
use super::budget::Share;
use super::charge::{Account, reason, told_of_all};
use super::drift::Notices;
use super::pace::Pace;
use super::people::Asking;
use super::refuse::tell;
use super::release::{count, count_withheld, outcome};
use crate::audit::{Decided, Record};
use crate::filter::{Filtering, Report, Whom};
use crate::limits::{Fields, Reserved, Shown};
use crate::metrics::Metrics;
use crate::policy::Plan;
use crate::reason::{Outcome, Reason};
use crate::reply::{CutOff, Piece};
use crate::upstream::Untrusted;
use crate::vocabulary::{Action, RecordRef};

/// How long a piece may wait for a slow reader.
const READER_TIMEOUT: Duration = Duration::from_secs(60);

/// A reply under way.
pub(super) struct Stream {
    pub(super) untrusted: Untrusted,
    pub(super) passing: Passing,
    pub(super) record: Record<Decided>,
    pub(super) action: Action,
    pub(super) status: u16,
    pub(super) held_bytes_max: usize,
    pub(super) metrics: Metrics,
    pub(super) told: Arc<Notices>,
    pub(super) cut: Cut,
    pub(super) sender: Sender,
}

/// What is let through, and counted as it leaves.
pub(super) struct Passing {
    filtering: Filtering,
    counting: Counting,
    persons: Option<Arc<Asking>>,
}

/// Counts what leaves.
struct Counting {
    plan: Plan,
    account: Account,
    /// Records that were counted so far.
    records: u64,
}

/// How a stream ended.
enum End {
    /// The filter has seen all of it.
    Whole(Report, Outcome),
    /// For a reason of ours, or because the caller went away.
    CutOff(Option<Reason>),
}

/// Where the pieces go.
type Sender = mpsc::Sender<Result<Piece, CutOff>>;

impl Stream {
    /// Sends piece by piece; the log knows each record before it leaves.
    pub(super) async fn run(mut self, share: Share) {
        let cut = self.cut.clone();
        let result = tokio::select! {
            result = self.flow() => result,
            () = cut.made() => Err(None),
        };
        drop(share);
        let Self {
            passing,
            record,
            action,
            status,
            metrics,
            told,
            sender,
            ..
        } = self;
        let end = match result {
            Ok(()) => match passing.finish(&told, &record).await {
                Ok((rest, report)) => {
                    count(&metrics, &report);
                    told.report(&report);
                    let outcome = outcome(&report, count_withheld(&report, &[]), &record);
                    let sent = send(&sender, Ok(rest)).await;
                    End::Whole(report, sent.map_or(Outcome::Aborted, |()| outcome))
                }
                Err(reason) => End::CutOff(Some(reason)),
            },
            Err(reason) => End::CutOff(reason),
        };
        let (outcome, reason) = match &end {
            End::Whole(_, outcome) => (*outcome, None),
            End::CutOff(reason) => (reason.map_or(Outcome::Aborted, Reason::outcome), *reason),
        };
        if reason.is_some() {
            let _ = send(&sender, Err(CutOff)).await;
        }
        tell(&metrics, &record, action, (outcome, status, reason));
        let closed = match end {
            End::Whole(report, outcome) => record.close(report, outcome, status).await,
            End::CutOff(reason) => record.cut_off(status, reason).await,
        };
        // The stream ends for the caller only after its closing event; if that fails, the opening one stands for it.
        if closed.is_err() {
            let _ = send(&sender, Err(CutOff)).await;
        }
    }

    /// Passes on what the filter lets through until the CRM's answer ends; `Err(None)` if the caller went away.
    async fn flow(&mut self) -> Result<(), Option<Reason>> {
        let Self {
            untrusted,
            passing,
            record,
            told,
            sender,
            ..
        } = self;
        let mut pace = Pace::new(self.held_bytes_max);
        loop {
            let hold = &mut |_| Ok(());
            let next = untrusted.chunk(self.held_bytes_max, hold);
            tokio::pin!(next);
            let chunk = loop {
                match pace.deadline(passing.filtering.pending()) {
                    None => break next.await,
                    Some(deadline) if deadline <= Instant::now() => {
                        passing.release(record, sender).await?;
                        pace.released();
                    }
                    Some(deadline) => {
                        if let Ok(chunk) = tokio::time::timeout_at(deadline, next.as_mut()).await {
                            break chunk;
                        }
                    }
                }
            };
            let Some(chunk) = chunk.map_err(Some)? else {
                return passing.release(record, sender).await;
            };
            if let Err(error) = passing.filtering.push(&chunk) {
                told.keys(passing.filtering.unheard());
                return Err(Some(told.unfilterable(error)));
            }
        }
    }
}

impl Passing {
    pub(super) fn new(
        filtering: Filtering,
        plan: Plan,
        account: Account,
        persons: Option<Arc<Asking>>,
    ) -> Self {
        let counting = Counting {
            plan,
            account,
            records: 0,
        };
        Self {
            filtering,
            counting,
            persons,
        }
    }

    /// Whether somebody whom what waits is about has said something since.
    fn has_changed(&self) -> bool {
        let persons = self.persons.as_ref();
        persons.is_some_and(|persons| persons.has_changed())
    }

    /// Releases all that waits, once its records are counted and the log knows them. Where a limit ends, nothing of it is
    /// released.
    async fn release(
        &mut self,
        record: &mut Record<Decided>,
        sender: &Sender,
    ) -> Result<(), Option<Reason>> {
        if self.has_changed() {
            return Err(Some(Reason::StandingChanged));
        }
        let (refs, whom) = (self.filtering.take_refs(), self.filtering.take_whom());
        let records = self.filtering.records();
        let reserved = self.counting.reserve((&refs, &whom), records, record).await;
        let reserved = reserved.map_err(Some)?;
        let recorded = record.refs(&refs).await;
        recorded.map_err(|_| Some(Reason::AuditUnavailable))?;
        let counted = reserved.count();
        if self.filtering.pending() > 0 {
            let piece = Piece::new(self.filtering.release(), counted);
            if let Some(persons) = &self.persons {
                persons.released();
            }
            send(sender, Ok(piece)).await.map_err(|()| None)?;
        }
        Ok(())
    }

    /// The rest, counted, and what was done.
    async fn finish(
        self,
        told: &Notices,
        record: &Record<Decided>,
    ) -> Result<(Piece, Report), Reason> {
        if self.has_changed() {
            return Err(Reason::StandingChanged);
        }
        let Self {
            filtering,
            mut counting,
            ..
        } = self;
        let finished = filtering.finish();
        let (rest, report) = finished.map_err(|error| told.unfilterable(error))?;
        let shown = (&*report.refs, &*report.whom);
        let reserved = counting.reserve(shown, report.records, record);
        Ok((Piece::new(rest, reserved.await?.count()), report))
    }
}

impl Counting {
    /// Counts records that are about to leave: `records` is how many there were so far.
    async fn reserve(
        &mut self,
        (refs, whom): (&[RecordRef], &[Whom]),
        records: u64,
        record: &Record<Decided>,
    ) -> Result<Reserved, Reason> {
        let more = records.saturating_sub(self.records);
        self.records = records;
        let shown = Shown {
            refs,
            unnamed: more.saturating_sub(refs.len() as u64),
            whom: told_of_all(whom, more),
            fields: Fields::Planned(&self.plan),
        };
        let reserved = self.account.reserve(shown, record).await;
        reserved.map_err(|stopped| reason(&stopped))
    }
}

async fn send(sender: &Sender, item: Result<Piece, CutOff>) -> Result<(), ()> {
    match tokio::time::timeout(READER_TIMEOUT, sender.send(item)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}
