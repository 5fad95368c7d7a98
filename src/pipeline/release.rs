//! From the CRM's answer to a reply: filtered whole and recorded before the first byte leaves, or, where it is too
//! large to hold, record by record after its opening event.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::budget::Share;
use super::refuse::tell;
use super::{Answer, Pipeline, READER_TIMEOUT, Visit};
use crate::audit::Record;
use crate::dialect::Shape;
use crate::filter::{Cause, Filtered, Filtering, Report, Unfilterable};
use crate::metrics::Metrics;
use crate::policy::{FieldRule, Plan};
use crate::reason::{Outcome, Reason};
use crate::reply::{CutOff, Reply};
use crate::transport::{self, Failure, Failures};
use crate::upstream::Untrusted;
use crate::vocabulary::Action;

/// A reply under way.
struct Stream {
    untrusted: Untrusted,
    filtering: Filtering,
    record: Record,
    action: Action,
    status: u16,
    held_bytes_max: usize,
    metrics: Metrics,
    failures: Arc<Failures>,
    sender: mpsc::Sender<Result<Filtered, CutOff>>,
}

/// What became of an answer while it was read.
enum Read {
    Whole(Filtered, Report),
    TooLargeToHold(Box<Filtering>),
}

impl Pipeline {
    /// Filters an answer, records what it discloses, and makes it a reply.
    pub(super) async fn release(
        &self,
        visit: &Visit<'_>,
        answer: Answer,
        mut record: Record,
    ) -> Reply {
        let Answer {
            operation,
            mut untrusted,
            plan,
            shape,
            withheld,
            is_unchanged,
        } = answer;
        let dialect = visit.dialect();
        let (action, status) = (operation.action, untrusted.status());
        let media = dialect.media(&operation);
        let mut description = dialect.describes(&operation).then(Vec::new);
        let mut share = self.budget.share();
        let read = self
            .read(
                visit,
                &mut untrusted,
                (&plan, &shape),
                description.as_mut(),
                &mut share,
            )
            .await;
        match read {
            Ok(Read::Whole(mut filtered, report)) => {
                if is_unchanged {
                    filtered = filtered.rearranged(|read| dialect.unchanged(&operation, read));
                }
                if description.is_some_and(|description| dialect.learn(&operation, &description)) {
                    visit.policy().renew();
                    self.tell_gaps(visit);
                }
                let withheld = count_withheld(&report, &withheld);
                self.release_whole(
                    visit,
                    (filtered, report),
                    withheld,
                    (action, status, media),
                    record,
                )
                .await
                .holding(share)
            }
            Ok(Read::TooLargeToHold(filtering))
                if self.settings.stream_large_replies && !visit.whole_only && !is_unchanged =>
            {
                self.may_disclose(&operation, &plan, &mut record);
                let Ok(opened) = record.open().await else {
                    return self.unrecorded(visit);
                };
                let (sender, receiver) = mpsc::channel(1);
                let held_bytes_max = self.settings.held_bytes_max;
                let metrics = self.metrics.clone();
                let stream = Stream {
                    untrusted,
                    filtering: *filtering,
                    record,
                    action,
                    status,
                    held_bytes_max,
                    metrics,
                    failures: self.transport.failures().clone(),
                    sender,
                };
                tokio::spawn(stream.run(share));
                Reply::from_stream(status, receiver, &opened).of_type(media)
            }
            Ok(Read::TooLargeToHold(_)) => {
                let reason = self.transport.failures().note(transport::Cause::TooLarge);
                self.refuse(visit, action, reason.into(), record).await
            }
            Err(reason) => self.refuse(visit, action, reason.into(), record).await,
        }
    }

    async fn read(
        &self,
        visit: &Visit<'_>,
        untrusted: &mut Untrusted,
        (plan, shape): (&Plan, &Shape),
        mut description: Option<&mut Vec<u8>>,
        share: &mut Share,
    ) -> Result<Read, Reason> {
        let mut filtering = Filtering::new(plan, shape, self.settings.limits);
        let unfilterable = |error| unfilterable(error, self.transport.failures());
        let held_bytes_max = self.settings.held_bytes_max;
        while let Some(chunk) = untrusted
            .chunk(held_bytes_max, &mut |bytes| share.grow_to(bytes))
            .await?
        {
            if let Some(description) = &mut description {
                description.extend_from_slice(&chunk);
            }
            filtering.push(&chunk).map_err(unfilterable)?;
            if filtering.pending() > visit.held_bytes_max {
                return Ok(Read::TooLargeToHold(Box::new(filtering)));
            }
            share.grow_to(filtering.pending())?;
        }
        let (filtered, report) = filtering.finish().map_err(unfilterable)?;
        Ok(Read::Whole(filtered, report))
    }

    /// Tells the operator which fields of the CRM nobody has classified: names of fields, never a value.
    fn tell_gaps(&self, visit: &Visit<'_>) {
        let gaps = visit.policy().gaps();
        let count: usize = gaps.values().map(Vec::len).sum();
        self.metrics.gaps(visit.dialect().name(), count);
        for (module, fields) in gaps {
            let names: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
            tracing::info!(%module, fields = names.join(" "), "fields that no policy classifies are redacted");
        }
    }

    async fn release_whole(
        &self,
        visit: &Visit<'_>,
        (filtered, report): (Filtered, Report),
        withheld: usize,
        (action, status, media): (Action, u16, &'static str),
        mut record: Record,
    ) -> Reply {
        let outcome = outcome(&report, withheld);
        count(&self.metrics, &report);
        record.disclosed(report);
        tell(&self.metrics, &record, action, (outcome, status, None));
        match record.close(outcome, status, None).await {
            Ok(closed) => Reply::from_filtered(status, filtered, withheld, &closed).of_type(media),
            Err(_) => self.unrecorded(visit),
        }
    }
}

impl Stream {
    /// Sends record by record; the log knows each record before it leaves.
    async fn run(mut self, share: Share) {
        let result = self.flow().await;
        drop(share);
        let Self {
            filtering,
            mut record,
            action,
            status,
            metrics,
            failures,
            sender,
            ..
        } = self;
        let (outcome, reason) = match result {
            Ok(()) => match filtering.finish() {
                Ok((rest, report)) => {
                    count(&metrics, &report);
                    let outcome = outcome(&report, count_withheld(&report, &[]));
                    record.disclosed(report);
                    let sent = send(&sender, Ok(rest)).await;
                    if sent.is_ok() {
                        (outcome, None)
                    } else {
                        (Outcome::Aborted, None)
                    }
                }
                Err(error) => {
                    let reason = unfilterable(error, &failures);
                    (reason.outcome(), Some(reason))
                }
            },
            Err(Some(reason)) => (reason.outcome(), Some(reason)),
            Err(None) => (Outcome::Aborted, None),
        };
        if reason.is_some() {
            let _ = send(&sender, Err(CutOff)).await;
        }
        tell(&metrics, &record, action, (outcome, status, reason));
        // The stream ends for the caller only after its closing event; if that fails, the opening one stands for it.
        if record.close(outcome, status, reason).await.is_err() {
            let _ = send(&sender, Err(CutOff)).await;
        }
    }

    /// Passes on what the filter lets through until the CRM's answer ends; `Err(None)` if the caller went away.
    async fn flow(&mut self) -> Result<(), Option<Reason>> {
        loop {
            self.record
                .refs(&self.filtering.take_refs())
                .await
                .map_err(|_| Some(Reason::AuditUnavailable))?;
            if self.filtering.pending() > 0 {
                let released = self.filtering.release();
                send(&self.sender, Ok(released)).await.map_err(|()| None)?;
            }
            let Some(chunk) = self
                .untrusted
                .chunk(self.held_bytes_max, &mut |_| Ok(()))
                .await
                .map_err(Some)?
            else {
                return Ok(());
            };
            self.filtering
                .push(&chunk)
                .map_err(|error| Some(unfilterable(error, &self.failures)))?;
        }
    }
}

async fn send(
    sender: &mpsc::Sender<Result<Filtered, CutOff>>,
    item: Result<Filtered, CutOff>,
) -> Result<(), ()> {
    match tokio::time::timeout(READER_TIMEOUT, sender.send(item)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

/// The cause and the place go to the operator's log, the caller learns neither.
pub(super) fn unfilterable(error: Unfilterable, failures: &Failures) -> Reason {
    let cause = match error.cause {
        Cause::Syntax | Cause::Truncated | Cause::DuplicateKey => transport::Cause::MalformedJson,
        Cause::Encoding => transport::Cause::Charset,
        Cause::Depth | Cause::RecordTooLarge => transport::Cause::TooLarge,
        Cause::Shape | Cause::OtherModule => transport::Cause::WrongShape,
    };
    let place = format!("{:?} at byte {}", error.cause, error.offset);
    failures.note(Failure {
        reason: Reason::Unfilterable,
        ..Failure::from(cause).with(place)
    })
}

/// Distinct fields that the plan withholds: by level, never by value.
fn count_withheld(report: &Report, dropped: &[Arc<FieldRule>]) -> usize {
    report.fields.shown_less()
        + dropped
            .iter()
            .filter(|rule| !report.fields.contains_key(&rule.path()))
            .count()
}

fn outcome(report: &Report, withheld: usize) -> Outcome {
    if withheld == 0 && !report.fields.has_in_text() {
        Outcome::Full
    } else {
        Outcome::Partial
    }
}

fn count(metrics: &Metrics, report: &Report) {
    for (category, level, records) in report.fields.by_category() {
        let category = category.map_or("unclassified", |category| category.as_str());
        metrics.field(category, level.as_str(), records);
    }
}
