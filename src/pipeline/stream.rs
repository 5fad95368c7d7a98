//! A reply that is too large to hold: it leaves piece by piece, each after an event that names its records.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Cut;
use super::budget::Share;
use super::drift::Notices;
use super::pace::Pace;
use super::refuse::tell;
use super::release::{count, count_withheld, outcome};
use crate::audit::{Decided, Record};
use crate::filter::{Filtered, Filtering, Report};
use crate::metrics::Metrics;
use crate::reason::{Outcome, Reason};
use crate::reply::CutOff;
use crate::upstream::Untrusted;
use crate::vocabulary::Action;

/// How long a piece may wait for a slow reader.
const READER_TIMEOUT: Duration = Duration::from_secs(60);

/// A reply under way.
pub(super) struct Stream {
    pub(super) untrusted: Untrusted,
    pub(super) filtering: Filtering,
    pub(super) record: Record<Decided>,
    pub(super) action: Action,
    pub(super) status: u16,
    pub(super) held_bytes_max: usize,
    pub(super) metrics: Metrics,
    pub(super) told: Arc<Notices>,
    pub(super) cut: Cut,
    pub(super) sender: Sender,
}

/// How a stream ended.
enum End {
    /// The filter has seen all of it.
    Whole(Report, Outcome),
    /// For a reason of ours, or because the caller went away.
    CutOff(Option<Reason>),
}

/// Where the pieces go.
type Sender = mpsc::Sender<Result<Filtered, CutOff>>;

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
            filtering,
            record,
            action,
            status,
            metrics,
            told,
            sender,
            ..
        } = self;
        let end = match result {
            Ok(()) => match filtering.finish() {
                Ok((rest, report)) => {
                    count(&metrics, &report);
                    told.report(&report);
                    let outcome = outcome(&report, count_withheld(&report, &[]), &record);
                    let sent = send(&sender, Ok(rest)).await;
                    End::Whole(report, sent.map_or(Outcome::Aborted, |()| outcome))
                }
                Err(error) => End::CutOff(Some(told.unfilterable(error))),
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
            filtering,
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
                match pace.deadline(filtering.pending()) {
                    None => break next.await,
                    Some(deadline) if deadline <= Instant::now() => {
                        release(filtering, record, sender).await?;
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
                return release(filtering, record, sender).await;
            };
            if let Err(error) = filtering.push(&chunk) {
                told.keys(filtering.unheard());
                return Err(Some(told.unfilterable(error)));
            }
        }
    }
}

/// Releases all that waits, once the log knows its records.
async fn release(
    filtering: &mut Filtering,
    record: &mut Record<Decided>,
    sender: &Sender,
) -> Result<(), Option<Reason>> {
    let recorded = record.refs(&filtering.take_refs()).await;
    recorded.map_err(|_| Some(Reason::AuditUnavailable))?;
    if filtering.pending() > 0 {
        let released = filtering.release();
        send(sender, Ok(released)).await.map_err(|()| None)?;
    }
    Ok(())
}

async fn send(sender: &Sender, item: Result<Filtered, CutOff>) -> Result<(), ()> {
    match tokio::time::timeout(READER_TIMEOUT, sender.send(item)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}
