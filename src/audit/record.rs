//! What the pipeline fills in while a request walks. A record is of the type of its stage, so that none ends as if it had
//! been told what it was not:
//!
//! ```text
//! Arrived → Identified → Decided → closed         Envelope → Addressed → closed
//! ```
//!
//! At each stage the request may be refused, or dropped: then it was aborted.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::dialect::Operation;
use crate::filter::Report;
use crate::identity::Caller;
use crate::policy::{FieldRule, Policy, PurposeChosen};
use crate::reason::{Outcome, Reason};
use crate::vocabulary::{Action, Edit, FieldPath, Module, RecordRef, Role, RuleName, Use};
use crate::writeback::Settled;

use super::event::Event;
use super::format::brief::{self, Asked, Auth};
use super::format::{Phase, Purpose};
use super::log::{AuditUnavailable, Log};
use super::names::{self, Names, visible};
use super::walk::Walk;

mod told;

/// References to records in one event; more go into events before it.
pub(super) const REFS_MAX: usize = 1_000;

/// The policy that a request is held to, as the log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyStamp {
    /// Its name.
    pub name: Arc<str>,
    /// The hash of its meaning-bearing text: `sha256:…`.
    pub hash: Arc<str>,
    /// The hash of what is known of the CRM's data: `sha256:…`.
    pub schema: Arc<str>,
}

impl PolicyStamp {
    /// The stamp of a policy, in the schema that it is held to.
    pub fn of(policy: &Policy) -> Self {
        Self {
            name: policy.name().into(),
            hash: policy.hash().into(),
            schema: policy.schema().hash().clone(),
        }
    }
}

/// How a request came in: what is known of it before anybody asks whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// From where.
    pub origin: IpAddr,
    /// The policy that it is held to.
    pub policy: &'a PolicyStamp,
    /// Whether the whole of it only observes.
    pub observes: bool,
    /// The name of the CRM in the configuration.
    pub upstream: &'a str,
    /// The name of the dialect that it speaks.
    pub dialect: &'static str,
    /// The template of its route, if that is known.
    pub route: Option<&'static str>,
    /// The trace that it belongs to (W3C trace id). Anything but 32 lower-case hexadecimal digits is ignored.
    pub trace: Option<&'a str>,
}

/// What a request means, and which names in it the policy or the dialect vouch for.
#[derive(Clone, Copy)]
pub struct Meaning<'a> {
    /// What it means.
    pub operation: &'a Operation,
    /// Whether a field is known: else it is counted.
    pub knows_field: &'a dyn Fn(&FieldPath) -> bool,
    /// Whether a module is known.
    pub knows_module: &'a dyn Fn(&Module) -> bool,
}

/// What the CRM has said to a request that names records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It has done what was asked.
    Done,
    /// Nobody knows: it was asked to change something, and did not answer, or failed.
    Unknown,
    /// It was not asked, or did not do it.
    Refused,
}

/// Stage: a request came in.
#[derive(Debug)]
pub enum Arrived {}
/// Stage: it is known who asks, or that nobody needs to know.
#[derive(Debug)]
pub enum Identified {}
/// Stage: it is known what was asked, and what the policy says to it.
#[derive(Debug)]
pub enum Decided {}
/// Stage: an envelope of several operations came in.
#[derive(Debug)]
pub enum Envelope {}
/// Stage: it is known whose envelope it is.
#[derive(Debug)]
pub enum Addressed {}
/// Stage: the request is not answered.
#[derive(Debug)]
pub enum Unanswered {}

/// What happened to one request. Ends as an event: by being closed or refused, or by itself, as `aborted`, when it is
/// dropped.
///
/// ```compile_fail
/// // One request, one record.
/// fn twice(record: &paravent::audit::Record) -> paravent::audit::Record { record.clone() }
/// ```
///
/// ```compile_fail
/// // What nobody has decided cannot be closed as if it had been.
/// use paravent::audit::{Identified, Record};
/// async fn early(record: Record<Identified>) { let _ = record.close(Default::default(), paravent::reason::Outcome::Full, 200).await; }
/// ```
///
/// ```compile_fail
/// // Nothing is decided for somebody of whom nobody has asked who it is.
/// use paravent::audit::{Arrived, Meaning, Record};
/// fn early(record: Record<Arrived>, meaning: Meaning<'_>) { record.decided((&[], None), meaning); }
/// ```
#[must_use]
pub struct Record<S = Arrived> {
    walk: Box<Walk>,
    stage: PhantomData<S>,
}

/// Names in a request that the policy or the dialect vouch for.
#[derive(Debug, Default)]
pub(super) struct Known {
    fields: BTreeSet<FieldPath>,
    modules: BTreeSet<Module>,
}

/// Proof that the event of a request is safe. Made only where a [`Record`] ends.
///
/// ```compile_fail
/// // No proof without an event: the field is private.
/// let closed = paravent::audit::Closed { id: String::new() };
/// ```
#[must_use]
#[derive(Debug)]
pub struct Closed {
    id: String,
}

impl Closed {
    pub(super) fn new(id: String) -> Self {
        Self { id }
    }

    /// The id of the decision, as the caller reads it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Proof that the log knows that a request is about to be carried out. Made only by [`Record::open`].
#[must_use]
#[derive(Debug)]
pub struct Opened {
    id: String,
}

impl Opened {
    /// The id of the decision, as the caller reads it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Record<Arrived> {
    /// Begins the record of a request: gives it its id and starts its clock.
    pub fn new(log: &Log, arrival: Arrival<'_>) -> Self {
        Self::of(Walk::new(log, arrival))
    }

    /// It is known who asks, with what evidence; or nobody needs to know.
    pub fn identified(mut self, caller: Option<&Caller>) -> Record<Identified> {
        if let Some(caller) = caller {
            self.walk.called_by(caller);
        }
        self.at()
    }
}

impl Record<Identified> {
    /// It is known how surely the caller authenticated, in the words of the policy, and whether the roles are those of a
    /// machine.
    pub fn proved(mut self, strengths: &BTreeSet<String>, is_machine: bool) -> Self {
        if let Some(auth) = &mut self.walk.event.auth {
            auth.strengths = strengths.iter().map(|name| visible(name)).collect();
        }
        if let (true, Some(caller)) = (is_machine, &mut self.walk.event.caller) {
            caller.kind = "machine".into();
        }
        self
    }

    /// It is known what was asked, and what the policy says to it: in which roles, for which purpose. Fields and modules
    /// are named if they are known, else counted.
    pub fn decided(
        mut self,
        (roles, purpose): (&[Role], Option<&PurposeChosen>),
        meaning: Meaning<'_>,
    ) -> Record<Decided> {
        let frame = &mut self.walk.frame;
        frame.roles = roles.iter().map(|role| visible(role.as_str())).collect();
        frame.purpose = purpose.map(|chosen| Purpose {
            basis: visible(&chosen.basis),
            chosen_by: chosen.chosen_by.into(),
            id: visible(chosen.purpose.as_str()),
        });
        self.walk.means(meaning);
        self.at()
    }
}

impl Record<Envelope> {
    /// Begins the record of an envelope of several operations.
    pub fn envelope(log: &Log, arrival: Arrival<'_>) -> Self {
        let mut walk = Walk::new(log, arrival);
        walk.event.request.action = Some(Action::Bulk.as_str().into());
        Self::of(walk)
    }

    /// It is known whose envelope it is.
    pub fn addressed(mut self, caller: &Caller) -> Record<Addressed> {
        self.walk.called_by(caller);
        self.at()
    }
}

impl Record<Addressed> {
    /// Begins the record of one part: its own id and route, the same caller and origin.
    pub fn part(&self, route: Option<&'static str>) -> Record<Arrived> {
        Record::of(self.walk.part(route))
    }

    /// Ends the record, durably, once each part has ended.
    ///
    /// # Errors
    /// If the log cannot be written: then nothing may leave.
    pub async fn close(self, outcome: Outcome, status: u16) -> Result<Closed, AuditUnavailable> {
        self.walk.close(outcome, Some(status), None).await
    }
}

impl Record<Decided> {
    /// Which fields are really written, once what only came back was dropped, which held only what the caller was shown, and
    /// the texts of which likely say something new of a special category.
    pub fn written(&mut self, module: &Module, settled: &Settled) {
        let Settled {
            edits,
            dropped_masks,
            flagged,
            ..
        } = settled;
        let known = &self.walk.known;
        let kept = edits.0.iter().filter(|(_, edit)| *edit != Edit::Drop);
        let written: Vec<FieldPath> = kept.map(|(key, _)| FieldPath::new(module, key)).collect();
        let (written, dropped_masks) = (known.names(&written), known.names(dropped_masks));
        self.walk.event.request.written = written;
        self.walk.event.dropped_masks = dropped_masks;
        self.walk.event.flagged = known.names(flagged);
    }

    /// The fields that a full-text search of the request looks into, as the policy lists them.
    pub fn searched<'f>(&mut self, fields: impl IntoIterator<Item = &'f FieldPath>) {
        let mut names = Names::default();
        fields.into_iter().for_each(|field| names.name(field));
        self.walk.event.request.searched = names.into_vec();
    }

    /// So many records that the request is about are not there for the caller, because of a rule.
    pub fn absent(&mut self, rule: &RuleName, records: u64) {
        self.walk.absent(rule, records);
    }

    /// The CRM is asked once more: what its first answer named and left out is nothing that the caller is told of.
    pub fn answered_anew(&mut self) {
        self.walk.answered_anew();
    }

    /// Fields that were asked for and taken out of the request.
    pub fn withheld_by_projection<'a>(&mut self, rules: impl IntoIterator<Item = &'a FieldRule>) {
        for rule in rules {
            self.walk.is_observed |= rule.would_show().is_some();
            self.walk.disclosure.add_withheld(rule);
        }
    }

    /// Why the request would have been refused, if no rule only observed.
    pub fn would_be_refused(&mut self, reason: Reason) {
        self.walk.would.get_or_insert_with(|| reason.code());
    }

    /// The request is refused, and would have been permitted, if no rule only observed.
    pub fn would_be_permitted(&mut self) {
        self.walk.would = Some("permitted");
    }

    /// Whether the reply would have been another one, as far as is known before it is filtered.
    pub fn is_observed(&self) -> bool {
        self.walk.would.is_some() || self.walk.is_observed
    }

    /// The record that is about to be changed, as the CRM sent its id. It is named even if the change is refused.
    pub fn found(&mut self, module: &Module, id: &str) {
        self.walk.target = Some(RecordRef {
            module: module.clone(),
            id: Arc::from(id),
        });
    }

    /// The records that the request named. Their ids are what the caller wrote, so they enter the log only where the CRM
    /// has done what was asked of them; where nobody knows, only those in which no word can hide.
    pub fn named(&mut self, records: Vec<RecordRef>, said: Said) {
        let may_enter = |record: &RecordRef| match said {
            Said::Done => true,
            Said::Unknown => names::is_wordless(&record.id),
            Said::Refused => false,
        };
        let known = &self.walk.known.modules;
        let records = records
            .into_iter()
            .filter(|record| known.contains(&record.module) && may_enter(record));
        self.walk.named.extend(records);
    }

    /// How long the CRM took. Several answers add up.
    pub fn upstream_took(&mut self, took: Duration) {
        let before = self.walk.upstream_took.unwrap_or_default();
        self.walk.upstream_took = Some(before.saturating_add(took));
    }

    /// Says, durably, that this request is about to be carried out: before a write is forwarded, and before a reply
    /// leaves that is too large to hold. The event holds the most that the reply may disclose, the rules of all fields that
    /// are known of its modules, so that a request that is never closed still says what may have left.
    ///
    /// # Errors
    /// If the log cannot be written: then neither may happen.
    pub async fn open(
        &mut self,
        may_disclose: impl IntoIterator<Item = Arc<FieldRule>>,
    ) -> Result<Opened, AuditUnavailable> {
        if !self.walk.opened {
            let event = self.walk.opening(may_disclose);
            self.walk.log.write(event).await?;
            self.walk.opened = true;
        }
        let id = self.walk.event.id.clone();
        Ok(Opened { id })
    }

    /// Names, durably, records of a reply that is being streamed.
    ///
    /// # Errors
    /// If the log cannot be written: then these records may not leave.
    pub async fn refs(&mut self, refs: &[RecordRef]) -> Result<(), AuditUnavailable> {
        let walk = &self.walk;
        // All are handed over before the first is awaited, so that they share one way to the disk.
        let chunks = refs.chunks(REFS_MAX);
        let handed_over: Vec<_> = chunks
            .map(|refs| walk.log.hand_over(walk.continued(refs), false))
            .collect();
        for event in handed_over {
            event?.safe().await?;
        }
        Ok(())
    }

    /// Ends the record, durably, with what the filter showed and withheld. That may leave once this returns. References that
    /// went through [`Record::refs`] must not come again.
    ///
    /// # Errors
    /// If the log cannot be written: then nothing may leave.
    pub async fn close(
        mut self,
        report: Report,
        outcome: Outcome,
        status: u16,
    ) -> Result<Closed, AuditUnavailable> {
        self.walk.disclosed(report);
        self.walk.close(outcome, Some(status), None).await
    }

    /// Ends the record of a reply, durably, that was cut off while it streamed: by a reason of ours, or by the caller.
    ///
    /// # Errors
    /// If the log cannot be written: then the event that opened the request stands for it.
    pub async fn cut_off(
        self,
        status: u16,
        reason: Option<Reason>,
    ) -> Result<Closed, AuditUnavailable> {
        let outcome = reason.map_or(Outcome::Aborted, Reason::outcome);
        self.walk.close(outcome, Some(status), reason).await
    }
}

impl<S> Record<S> {
    fn of(walk: Walk) -> Self {
        Self {
            walk: Box::new(walk),
            stage: PhantomData,
        }
    }

    fn at<Next>(self) -> Record<Next> {
        Record {
            walk: self.walk,
            stage: PhantomData,
        }
    }

    /// The same, which can only be refused.
    pub fn unanswered(self) -> Record<Unanswered> {
        self.at()
    }

    /// The id of the decision.
    pub fn id(&self) -> &str {
        &self.walk.event.id
    }

    /// Whether it is known who asks.
    pub fn has_caller(&self) -> bool {
        self.walk.event.caller.is_some()
    }

    /// Who asks: the CRM's id, its invisible characters written out.
    pub fn caller_id(&self) -> Option<&str> {
        let caller = self.walk.event.caller.as_ref();
        caller.map(|caller| caller.id.as_str())
    }

    /// The module whose records are asked for; `(unknown)` if nobody vouches for its name.
    pub fn module(&self) -> Option<&str> {
        self.walk.event.request.module.as_deref()
    }

    /// Whether the log knows of this request already, by its opening event or as a part of another.
    pub fn is_expected(&self) -> bool {
        self.walk.opened || self.walk.event.part_of.is_some()
    }

    /// How long the request has taken so far, and how much of it the CRM took.
    pub fn took(&self) -> (Duration, Duration) {
        let upstream = self.walk.upstream_took.unwrap_or_default();
        (self.walk.started.elapsed(), upstream)
    }

    /// Ends the record, durably: the request was refused for a reason of ours, or answered with an error by the CRM.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn refuse(
        self,
        status: u16,
        reason: Option<Reason>,
    ) -> Result<Closed, AuditUnavailable> {
        let outcome = reason.map_or(Outcome::UpstreamError, Reason::outcome);
        self.walk.close(outcome, Some(status), reason).await
    }

    /// Ends without an event: for requests that the HTTP layer itself rejects.
    pub fn abandon(mut self) {
        self.walk.ended();
    }

    /// Ends without an event of its own: the refusal of a request that nobody vouches for is counted, and becomes one
    /// event per network, reason and minute.
    pub fn abandon_counted(self, reason: Reason) {
        self.walk.log.refused(self.walk.origin, reason);
        self.abandon();
    }
}

impl Walk {
    fn called_by(&mut self, caller: &Caller) {
        self.event.caller = Some(brief::Caller {
            id: visible(caller.id()),
            kind: caller.kind().into(),
            name: visible(caller.name()),
        });
        self.event.auth = Some(Auth {
            acr: caller.acr().map(visible),
            age_seconds: caller.age().as_secs(),
            amr: caller.amr().iter().map(|amr| visible(amr)).collect(),
            method: caller.method().into(),
            strengths: Vec::new(),
        });
    }

    fn means(&mut self, meaning: Meaning<'_>) {
        let operation = meaning.operation;
        let (mut shown, mut matched) = (Names::default(), Names::default());
        let (mut sorted, mut written) = (Names::default(), Names::default());
        for field in operation.uses() {
            let list = match field.how {
                Use::Shown => &mut shown,
                Use::Matched | Use::Searched => &mut matched,
                Use::Sorted => &mut sorted,
                Use::Written => &mut written,
            };
            if !(meaning.knows_module)(&field.path.module) {
                list.count(None);
            } else if (meaning.knows_field)(&field.path) {
                list.name(&field.path);
                self.known.fields.insert(field.path);
            } else {
                list.count(Some(&field.path.module));
            }
        }
        let modules = operation.modules().into_iter();
        self.known.modules = modules
            .filter(|module| (meaning.knows_module)(module))
            .cloned()
            .collect();
        let name = |module: &Module| {
            let known = self.known.modules.contains(module);
            known.then(|| visible(module.as_str()))
        };
        let route = match operation.module.as_ref().and_then(name) {
            Some(module) => operation.route.replace("{module}", &module),
            None => operation.route.to_owned(),
        };
        let before = std::mem::take(&mut self.event.request);
        self.event.request = Asked {
            action: Some(operation.action.as_str().into()),
            matched: matched.into_vec(),
            module: operation
                .target()
                .map(|module| name(module).unwrap_or_else(|| "(unknown)".to_owned())),
            route: Some(route),
            sorted: sorted.into_vec(),
            written: written.into_vec(),
            ..before
        };
        self.frame.asked = shown.into_vec();
    }

    fn opening(&mut self, may_disclose: impl IntoIterator<Item = Arc<FieldRule>>) -> Event {
        let mut most = super::disclosure::Disclosure::default();
        for rule in may_disclose {
            most.add_withheld(&rule);
        }
        let told = self.log.memory().told(&self.frame, &mut most);
        let mut event = self.event.clone();
        event.phase = Phase::Opened;
        event.records.refs = names::records(&self.target);
        Event::request(event, told.ok().map(|(terms, _)| terms))
    }
}

impl Known {
    /// Fields by name where they are known, else counted.
    fn names(&self, paths: &[FieldPath]) -> Vec<String> {
        let mut names = Names::default();
        for path in paths {
            if self.fields.contains(path) {
                names.name(path);
            } else {
                let is_known = self.modules.contains(&path.module);
                names.count(is_known.then_some(&path.module));
            }
        }
        names.into_vec()
    }
}

impl<S> fmt::Debug for Record<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
