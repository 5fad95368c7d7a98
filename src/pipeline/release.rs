//! From the CRM's answer to a reply: filtered whole and recorded before the first byte leaves, or, where it is too
//! large to hold, as a stream after its opening event.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::budget::Share;
use super::charge::Account;
use super::judged::{asked_of, told_alike, told_of_absence};
use super::learning::DESCRIPTION_BYTES_MAX;
use super::refuse::tell;
use super::stream::{Passing, Stream};
use super::{Answer, Pipeline, Visit, most};
use crate::audit::{Decided, Record};
use crate::dialect::Operation;
use crate::filter::{self, Asked, Filtered, Filtering, Report, Tells};
use crate::guard::Narrowed;
use crate::metrics::Metrics;
use crate::policy::FieldRule;
use crate::reason::{Outcome, Reason};
use crate::reply::{Refusal, Reply};
use crate::transport::Cause;
use crate::vocabulary::{Action, RuleName};

/// What became of an answer while it was read.
enum Read {
    Whole(Box<Released>),
    TooLargeToHold(Box<Filtering>),
    /// The record that it is about is not there for the caller, because of these rules.
    Absent(BTreeMap<RuleName, u64>),
    /// It cannot be read.
    Unfit(Reason),
}

/// What passed the filter whole.
struct Released {
    filtered: Filtered,
    report: Report,
    /// The same, where nothing is known of the persons whom it is about: what is told of what was written, if one of them denies
    /// something before it leaves.
    lesser: Option<(Filtered, Report)>,
}

/// An answer that was read.
struct Attempt {
    read: Result<Read, Reason>,
    /// What it says of the CRM's own data, where it says anything.
    description: Option<Vec<u8>>,
    /// What it takes of the budget.
    share: Share,
}

impl Attempt {
    fn is_whole(&self) -> bool {
        matches!(self.read, Ok(Read::Whole(_)))
    }
}

impl Pipeline {
    /// Filters an answer, records what it discloses, and makes it a reply.
    pub(super) async fn release(
        &self,
        visit: &Visit<'_>,
        (mut answer, account): (Answer, Account),
        mut record: Record<Decided>,
    ) -> Reply {
        let mut attempt = self.read(visit, &mut answer).await;
        if attempt.is_whole() && is_asked_again(visit, &answer) {
            // What was read takes no room any more.
            drop(attempt);
            let action = answer.exchange.operation().action;
            // In a box, as all that requests seldom need.
            let asking = Box::pin(self.asked_again(visit, answer, &mut record)).await;
            answer = match asking {
                Ok(again) => again,
                Err(refusal) => return self.refuse(visit, action, refusal, record).await,
            };
            attempt = self.read(visit, &mut answer).await;
        }
        self.release_read(visit, attempt, (answer, account), record)
            .await
    }

    /// The CRM's answer once more, where somebody whom it is about has denied something since the first one was looked at: so
    /// that nobody gets an error because of that, and nobody is shown who is not to be.
    async fn asked_again(
        &self,
        visit: &Visit<'_>,
        answer: Answer,
        record: &mut Record<Decided>,
    ) -> Result<Answer, Refusal> {
        let Answer {
            exchange,
            plan,
            untrusted,
            held,
            ..
        } = answer;
        drop((untrusted, held));
        if let Some(persons) = visit.persons {
            persons.released();
        }
        record.answered_anew();
        let absence = told_of_absence(&*exchange, &plan);
        let again = self.answer(visit, exchange, (None, plan), record).await;
        again.map_err(|refusal| told_alike(refusal, absence))
    }

    /// Records what an answer discloses that was read, and makes it a reply. What seldom comes is in boxes, for the sake of all
    /// other requests.
    async fn release_read(
        &self,
        visit: &Visit<'_>,
        attempt: Attempt,
        (mut answer, account): (Answer, Account),
        mut record: Record<Decided>,
    ) -> Reply {
        let Attempt {
            read,
            description,
            share,
        } = attempt;
        // Counted until what was read ahead has passed the filter.
        let _held = answer.held.take();
        let is_unchanged = answer.is_unchanged;
        let operation = answer.exchange.operation();
        let media = answer.form.media;
        let (action, status) = (operation.action, answer.untrusted.status());
        match read {
            Ok(Read::Whole(mut whole)) => {
                if is_unchanged {
                    whole.filtered = whole.filtered.arranged(&answer.exchange.unchanged());
                }
                if let Some(description) = description {
                    self.hear(visit, operation, &description).await;
                }
                let (whole, kind) = ((whole, &answer.narrowed), (action, status, media));
                self.release_whole(visit, whole, kind, account, record)
                    .await
                    .holding(share)
            }
            Ok(Read::Absent(by)) => {
                for (rule, records) in &by {
                    record.absent(rule, *records);
                }
                Box::pin(self.absent(visit, answer, (account, record))).await
            }
            Ok(Read::TooLargeToHold(filtering))
                if self.settings.stream_large_replies && !visit.whole_only && !is_unchanged =>
            {
                if description.is_some() {
                    tell_too_long(visit);
                }
                let rest = (answer, filtering, share);
                Box::pin(self.streamed(visit, rest, (account, record))).await
            }
            Ok(Read::TooLargeToHold(_)) => {
                let reason = self.transport.failures().note(Cause::TooLarge);
                self.refuse(visit, action, reason.into(), record).await
            }
            Ok(Read::Unfit(reason)) => {
                let asked = (&*answer.exchange, &answer.plan);
                let looking = self.unreadable(visit, asked, reason, &mut record);
                let refusal = Box::pin(looking).await;
                self.refuse(visit, action, refusal, record).await
            }
            Err(reason) => self.refuse(visit, action, reason.into(), record).await,
        }
    }

    /// Releases a reply that is too large to hold, piece by piece, once it is recorded that it begins.
    async fn streamed(
        &self,
        visit: &Visit<'_>,
        (answer, filtering, share): (Answer, Box<Filtering>, Share),
        (account, mut record): (Account, Record<Decided>),
    ) -> Reply {
        let (operation, plan) = (answer.exchange.operation(), &answer.plan);
        let (action, media) = (operation.action, answer.form.media);
        let status = answer.untrusted.status();
        let most = most(operation, plan);
        let Ok(opened) = record.open(most.iter().cloned()).await else {
            return self.unrecorded(visit);
        };
        account.tell_excepted_at_most(&most, &record);
        let begun = account.begin(plan, &record).await;
        let counted = match begun.map_err(|stopped| (&account, stopped)) {
            Ok(counted) => counted,
            Err(stopped) => return self.limited(visit, action, stopped, record).await,
        };
        let (sender, receiver) = mpsc::channel(1);
        let stream = Stream {
            told: visit.entrance.told.clone(),
            cut: self.cut.clone(),
            untrusted: answer.untrusted,
            passing: Passing::new(*filtering, answer.plan, account, visit.persons.cloned()),
            record,
            action,
            status,
            held_bytes_max: self.settings.held_bytes_max,
            metrics: self.metrics.clone(),
            sender,
        };
        tokio::spawn(stream.run(share));
        Reply::from_stream(status, receiver, &opened, counted).of_type(media)
    }

    /// Takes in what the CRM says of its own data, where an answer says anything.
    async fn hear(&self, visit: &Visit<'_>, operation: &Operation, description: &[u8]) {
        if description.len() > DESCRIPTION_BYTES_MAX {
            tell_too_long(visit);
            return;
        }
        let module = operation.module.as_ref();
        let Some(said) = visit.dialect().described(module, description) else {
            return;
        };
        // Whoever asked does not wait for a disk that does not answer; what was begun goes on.
        let (schema, log) = (visit.entrance.schema.clone(), self.log.clone());
        let hearing = tokio::spawn(async move { schema.hear(said, &log).await });
        if let Ok(Ok(Some(heard))) = tokio::time::timeout(HEARING_TIMEOUT, hearing).await {
            let gaps = visit.policy().in_schema(heard).gaps();
            visit.entrance.told.gaps(gaps);
        }
    }

    /// Reads an answer through the filter.
    async fn read(&self, visit: &Visit<'_>, answer: &mut Answer) -> Attempt {
        let mut share = self.budget.share();
        let mut description = answer.form.describes.then(Vec::new);
        let read = self
            .read_into(visit, answer, description.as_mut(), &mut share)
            .await;
        Attempt {
            read,
            description,
            share,
        }
    }

    async fn read_into(
        &self,
        visit: &Visit<'_>,
        answer: &mut Answer,
        mut description: Option<&mut Vec<u8>>,
        share: &mut Share,
    ) -> Result<Read, Reason> {
        let operation = answer.exchange.operation();
        let is_one = operation.action == Action::Read && operation.link.is_none();
        let (limits, memory) = (self.settings.limits, &visit.in_force.memory);
        let telling = visit.telling.map(|one| Arc::clone(one) as Arc<dyn Tells>);
        let asked = Asked {
            tells: telling,
            ..asked_of(&answer.narrowed, visit.persons)
        };
        let (plan, shape) = (&answer.plan, &answer.form.shape);
        let keeps = operation.action.writes() && asked.persons.is_some();
        let mut kept = keeps.then(|| {
            let lesser = Asked {
                persons: None,
                ..asked.clone()
            };
            Filtering::new(plan, shape, lesser, limits, memory)
        });
        let mut filtering = Filtering::new(plan, shape, asked, limits, memory);
        let untrusted = &mut answer.untrusted;
        let held_bytes_max = self.settings.held_bytes_max;
        while let Some(chunk) = untrusted
            .chunk(held_bytes_max, &mut |bytes| share.grow_to(bytes))
            .await?
        {
            if let Some(description) = &mut description
                && description.len() <= DESCRIPTION_BYTES_MAX
            {
                description.extend_from_slice(&chunk);
            }
            kept = kept.and_then(|mut kept| kept.push(&chunk).is_ok().then_some(kept));
            if let Err(error) = filtering.push(&chunk) {
                if error.cause == filter::Cause::Absent {
                    return Ok(Read::Absent(filtering.absent().clone()));
                }
                visit.entrance.told.keys(filtering.unheard());
                return Ok(Read::Unfit(visit.entrance.told.unfilterable(error)));
            }
            if filtering.pending() > visit.held_bytes_max {
                return Ok(Read::TooLargeToHold(Box::new(filtering)));
            }
            share.grow_to(filtering.pending())?;
        }
        let absent = filtering.absent().clone();
        match filtering.finish() {
            // Some APIs put the one record that is read into a list.
            Ok((_, report)) if is_one && !report.absent.is_empty() && report.records == 0 => {
                Ok(Read::Absent(report.absent))
            }
            Ok((filtered, report)) => {
                visit.entrance.told.report(&report);
                let lesser = kept.and_then(|kept| kept.finish().ok());
                Ok(Read::Whole(Box::new(Released {
                    filtered,
                    report,
                    lesser,
                })))
            }
            Err(error) if error.cause == filter::Cause::Absent => Ok(Read::Absent(absent)),
            Err(error) => Ok(Read::Unfit(visit.entrance.told.unfilterable(error))),
        }
    }

    async fn release_whole(
        &self,
        visit: &Visit<'_>,
        (whole, narrowed): (Box<Released>, &Narrowed),
        (action, status, media): (Action, u16, &'static str),
        account: Account,
        record: Record<Decided>,
    ) -> Reply {
        let Released {
            filtered,
            report,
            lesser,
        } = *whole;
        let (filtered, report, lesser) = match (visit.has_changed(), lesser) {
            (false, lesser) => (filtered, report, lesser.map(|(filtered, _)| filtered)),
            // What was written stays written, and its caller is told so.
            (true, Some((filtered, report))) => (filtered, report, None),
            (true, None) => {
                let reason = Reason::StandingChanged;
                return self.refuse(visit, action, reason.into(), record).await;
            }
        };
        let withheld = count_withheld(&report, narrowed.withheld());
        let (whole, kind) = ((filtered, report, withheld), (action, status, media));
        let counted_in = (account, record);
        let reply = self.leave(visit, whole, kind, None, counted_in).await;
        reply.lessened_to(lesser.filter(|_| visit.whole_only))
    }

    /// Lets a whole reply leave, once it is counted and recorded. Its outcome is what it shows, if nobody says another.
    pub(super) async fn leave(
        &self,
        visit: &Visit<'_>,
        (filtered, report, withheld): (Filtered, Report, usize),
        (action, status, media): (Action, u16, &'static str),
        stated: Option<Outcome>,
        (account, record): (Account, Record<Decided>),
    ) -> Reply {
        let reserved = match account.reserve_all(&report, &record).await {
            Ok(reserved) => reserved,
            Err(stopped) => {
                let stopped = (&account, stopped);
                return self.limited(visit, action, stopped, record).await;
            }
        };
        let outcome = stated.unwrap_or_else(|| {
            count(&self.metrics, &report);
            outcome(&report, withheld, &record)
        });
        tell(&self.metrics, &record, action, (outcome, status, None));
        account.tell_excepted_of(&report, &record);
        match record.close(report, outcome, status).await {
            Ok(closed) => {
                let counted = reserved.count();
                Reply::from_filtered(status, filtered, withheld, &closed, counted).of_type(media)
            }
            Err(_) => self.unrecorded(visit),
        }
    }
}

/// Whether the CRM is asked again: somebody has denied something since its answer was looked at, and to ask it changes nothing.
fn is_asked_again(visit: &Visit<'_>, answer: &Answer) -> bool {
    let writes = answer.exchange.operation().action.writes();
    visit.has_changed() && !writes && !answer.is_unchanged
}

/// Tells that a description of the CRM's data passes unread.
fn tell_too_long(visit: &Visit<'_>) {
    tracing::warn!(
        dialect = visit.dialect().name(),
        "what the CRM says of its data is too long to be read: nothing is learned of it"
    );
}

/// How long a reply waits for what it says to be learned.
const HEARING_TIMEOUT: Duration = Duration::from_secs(10);

/// Distinct fields that the plan withholds: by level, never by value.
pub(super) fn count_withheld(report: &Report, dropped: &[Arc<FieldRule>]) -> usize {
    report.fields.shown_less()
        + dropped
            .iter()
            .filter(|rule| !report.fields.contains_key(&rule.path()))
            .count()
}

pub(super) fn outcome(report: &Report, withheld: usize, record: &Record<Decided>) -> Outcome {
    if record.is_observed() || report.fields.is_observed() {
        Outcome::Observed
    } else if withheld == 0 && !report.fields.has_in_text() {
        Outcome::Full
    } else {
        Outcome::Partial
    }
}

pub(super) fn count(metrics: &Metrics, report: &Report) {
    for (category, level, records) in report.fields.by_category() {
        let category = category.map_or("unclassified", |category| category.as_str());
        metrics.field(category, level.as_str(), records);
    }
}
