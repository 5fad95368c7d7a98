//! What the pipeline fills in while a request walks.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dialect::Operation;
use crate::filter::Report;
use crate::identity::Caller;
use crate::policy::{FieldRule, Policy, PurposeChosen};
use crate::reason::{Outcome, Reason};
use crate::vocabulary::{Action, Edit, Edits, FieldPath, Module, RecordRef, Role, Use};

use super::chain::VERSION;
use super::disclosure::Disclosure;
use super::event::{
    Auth, CallerEntry, Event, OriginEntry, OutcomeEntry, PolicyEntry, PurposeEntry, Records,
    RequestEvent, integer,
};
use super::id;
use super::log::{AuditUnavailable, Log};
use super::names::{self, Names, visible};

/// References to records in one event; more go into events before it.
const REFS_MAX: usize = 1_000;

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

/// What happened to one request. Ends as an event: by [`Record::close`], or by itself, as `aborted`, when the request
/// is dropped.
///
/// ```compile_fail
/// // One request, one record.
/// fn twice(record: &paravent::audit::Record) -> paravent::audit::Record { record.clone() }
/// ```
pub struct Record {
    log: Log,
    origin: IpAddr,
    /// The event so far, without what only its end knows.
    event: RequestEvent,
    disclosure: Disclosure,
    /// The most that may be disclosed, for the event that opens the request.
    at_most: Disclosure,
    /// References that no event holds yet.
    refs: Vec<RecordRef>,
    /// The record that is about to be changed.
    target: Option<RecordRef>,
    /// Records that the request named, and the CRM has not refused.
    named: Vec<RecordRef>,
    /// Records, whether they have a reference or not.
    count: u64,
    /// Modules and fields of the request that may be named.
    known: Known,
    upstream: Option<Duration>,
    started: Instant,
    opened: bool,
    ended: bool,
}

/// Names in a request that the policy or the dialect vouch for.
#[derive(Debug, Default)]
struct Known {
    fields: BTreeSet<FieldPath>,
    modules: BTreeSet<Module>,
}

/// Proof that the event of a request is safe. Made only by [`Record::close`].
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

impl Record {
    /// Begins the record of a request: gives it its id and starts its clock.
    pub fn new(log: &Log, origin: IpAddr, policy: &PolicyStamp) -> Self {
        Self::begin(
            log.clone(),
            origin,
            RequestEvent {
                id: id::new(),
                origin: OriginEntry {
                    ip: names::network(origin),
                },
                policy: PolicyEntry {
                    hash: visible(&policy.hash),
                    mode: "enforce",
                    name: visible(&policy.name),
                },
                v: VERSION,
                ..RequestEvent::default()
            },
        )
    }

    fn begin(log: Log, origin: IpAddr, event: RequestEvent) -> Self {
        log.begin();
        Self {
            log,
            origin,
            event,
            disclosure: Disclosure::default(),
            at_most: Disclosure::default(),
            refs: Vec::new(),
            target: None,
            named: Vec::new(),
            count: 0,
            known: Known::default(),
            upstream: None,
            started: Instant::now(),
            opened: false,
            ended: false,
        }
    }

    /// Begins the record of one part of a bulk request: its own id, the same caller and origin.
    pub fn part(&self) -> Self {
        let mut event = RequestEvent {
            auth: self.event.auth.clone(),
            caller: self.event.caller.clone(),
            id: id::new(),
            origin: self.event.origin.clone(),
            part_of: Some(self.event.id.clone()),
            policy: self.event.policy.clone(),
            v: VERSION,
            ..RequestEvent::default()
        };
        event.request.dialect = self.event.request.dialect;
        event.request.trace = self.event.request.trace.clone();
        Self::begin(self.log.clone(), self.origin, event)
    }

    /// The id of the decision.
    pub fn id(&self) -> &str {
        &self.event.id
    }

    /// In which dialect the request speaks.
    pub fn dialect(&mut self, name: &'static str) {
        self.event.request.dialect = Some(name);
    }

    /// The template of the request's route, where no operation tells it.
    pub fn route(&mut self, route: &'static str) {
        self.event.request.route = Some(route.to_owned());
    }

    /// The trace that the request belongs to (W3C trace id). Anything but 32 lower-case hexadecimal digits is ignored.
    pub fn trace(&mut self, trace_id: &str) {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if trace_id.len() == 32
            && trace_id.bytes().all(is_hex)
            && trace_id.bytes().any(|byte| byte != b'0')
        {
            self.event.request.trace = Some(trace_id.to_owned());
        }
    }

    /// What the request means. Fields and modules are named if they are known, else counted.
    pub fn operation(
        &mut self,
        operation: &Operation,
        known: &dyn Fn(&FieldPath) -> bool,
        known_module: &dyn Fn(&Module) -> bool,
    ) {
        let (mut shown, mut matched) = (Names::default(), Names::default());
        let (mut sorted, mut written) = (Names::default(), Names::default());
        for field in operation.uses() {
            let list = match field.how {
                Use::Shown => &mut shown,
                Use::Matched | Use::Searched => &mut matched,
                Use::Sorted => &mut sorted,
                Use::Written => &mut written,
            };
            if !known_module(&field.path.module) {
                list.count(None);
            } else if known(&field.path) {
                list.name(&field.path);
                self.known.fields.insert(field.path);
            } else {
                list.count(Some(&field.path.module));
            }
        }
        let modules = operation.modules().into_iter();
        self.known.modules = modules
            .filter(|module| known_module(module))
            .cloned()
            .collect();
        let name = |module: &Module| {
            let known = self.known.modules.contains(module);
            known.then(|| visible(module.as_str()))
        };
        let request = &mut self.event.request;
        request.action = Some(operation.action.as_str());
        request.asked = shown.into_vec();
        request.matched = matched.into_vec();
        request.sorted = sorted.into_vec();
        request.written = written.into_vec();
        request.module = operation
            .target()
            .map(|module| name(module).unwrap_or_else(|| "(unknown)".to_owned()));
        request.route = Some(match operation.module.as_ref().and_then(name) {
            Some(module) => operation.route.replace("{module}", &module),
            None => operation.route.to_owned(),
        });
    }

    /// Which fields are really written, once what only came back was dropped.
    pub fn written(&mut self, module: &Module, edits: &Edits) {
        let mut written = Names::default();
        let kept = edits.0.iter().filter(|(_, edit)| *edit != Edit::Drop);
        for path in kept.map(|(key, _)| FieldPath::new(module, key)) {
            if self.known.fields.contains(&path) {
                written.name(&path);
            } else {
                written.count(Some(module).filter(|module| self.known.modules.contains(*module)));
            }
        }
        self.event.request.written = written.into_vec();
    }

    /// That the request is an envelope of several operations.
    pub fn envelope(&mut self, route: &'static str) {
        self.event.request.action = Some(Action::Bulk.as_str());
        self.event.request.route = Some(route.to_owned());
    }

    /// Whether it is known who asks.
    pub fn has_caller(&self) -> bool {
        self.event.caller.is_some()
    }

    /// Who asks: the CRM's id, its invisible characters written out.
    pub fn caller_id(&self) -> Option<&str> {
        self.event.caller.as_ref().map(|caller| caller.id.as_str())
    }

    /// The module whose records are asked for; `(unknown)` if nobody vouches for its name.
    pub fn module(&self) -> Option<&str> {
        self.event.request.module.as_deref()
    }

    /// Whether the log knows of this request already, by its opening event or as a part of another.
    pub fn is_expected(&self) -> bool {
        self.opened || self.event.part_of.is_some()
    }

    /// How long the request has taken so far, and how much of it the CRM took.
    pub fn took(&self) -> (Duration, Duration) {
        (self.started.elapsed(), self.upstream.unwrap_or_default())
    }

    /// Who asks, with what evidence.
    pub fn caller(&mut self, caller: &Caller) {
        self.event.caller = Some(CallerEntry {
            id: visible(caller.id()),
            kind: "human",
            name: visible(caller.name()),
            roles: Vec::new(),
        });
        self.event.auth = Some(Auth {
            acr: None,
            age_seconds: caller.age().as_secs(),
            amr: Vec::new(),
            method: "crm-session",
        });
    }

    /// In which roles and for which purpose. Roles need a caller, who comes first.
    pub fn terms(&mut self, roles: &[Role], purpose: Option<&PurposeChosen>) {
        if let Some(caller) = &mut self.event.caller {
            caller.roles = roles.iter().map(|role| visible(role.as_str())).collect();
        }
        self.event.purpose = purpose.map(|chosen| PurposeEntry {
            basis: visible(&chosen.basis),
            chosen_by: chosen.chosen_by,
            id: visible(chosen.purpose.as_str()),
        });
    }

    /// What the filter showed and withheld. References that went through [`Record::refs`] must not come again.
    pub fn disclosed(&mut self, report: Report) {
        self.disclosure.add(report.fields);
        self.refs.extend(report.refs);
        self.count = self.count.saturating_add(report.records);
    }

    /// Fields that were asked for and taken out of the request.
    pub fn withheld_by_projection<'a>(&mut self, rules: impl IntoIterator<Item = &'a FieldRule>) {
        for rule in rules {
            self.disclosure.add_withheld(rule);
        }
    }

    /// The most that the reply may disclose: the rules of all fields that are known of its modules. An event that opens
    /// the request holds them, so that one that is never closed still says what may have left.
    pub fn may_disclose(&mut self, rules: impl IntoIterator<Item = Arc<FieldRule>>) {
        for rule in rules {
            self.at_most.add_withheld(&rule);
        }
    }

    /// The record that is about to be changed, as the CRM sent its id. It is named even if the change is refused.
    pub fn found(&mut self, module: &Module, id: &str) {
        self.target = Some(RecordRef {
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
        let known = &self.known.modules;
        let records = records
            .into_iter()
            .filter(|record| known.contains(&record.module) && may_enter(record));
        self.named.extend(records);
    }

    /// Fields of a write that held only what the caller was shown, and were left out.
    pub fn dropped_masks(&mut self, fields: &[FieldPath]) {
        let mut names = Names::default();
        for path in fields {
            if self.known.fields.contains(path) {
                names.name(path);
            } else {
                let known = self.known.modules.contains(&path.module);
                names.count(known.then_some(&path.module));
            }
        }
        self.event.dropped_masks = names.into_vec();
    }

    /// How long the CRM took. Several answers add up.
    pub fn upstream_took(&mut self, took: Duration) {
        self.upstream = Some(self.upstream.unwrap_or_default().saturating_add(took));
    }

    /// Says, durably, that this request is about to be carried out: before a write is forwarded, and before a reply
    /// leaves that is too large to hold.
    ///
    /// # Errors
    /// If the log cannot be written: then neither may happen.
    pub async fn open(&mut self) -> Result<Opened, AuditUnavailable> {
        if !self.opened {
            let mut event = self.event.clone();
            event.phase = "opened";
            event.data = self.at_most.text();
            event.records.refs = names::records(&self.target);
            self.log.write(Event::request(event)).await?;
            self.opened = true;
        }
        let id = self.event.id.clone();
        Ok(Opened { id })
    }

    /// Names, durably, records of a reply that is being streamed.
    ///
    /// # Errors
    /// If the log cannot be written: then these records may not leave.
    pub async fn refs(&mut self, refs: &[RecordRef]) -> Result<(), AuditUnavailable> {
        // All are handed over before the first is awaited, so that they share one way to the disk.
        let chunks = refs.chunks(REFS_MAX);
        let handed_over: Vec<_> = chunks
            .map(|refs| self.log.hand_over(self.continued(refs), false))
            .collect();
        for event in handed_over {
            event?.safe().await?;
        }
        Ok(())
    }

    /// Ends the record, durably. What was disclosed may leave once this returns.
    ///
    /// # Errors
    /// If the log cannot be written: then nothing may leave.
    pub async fn close(
        mut self,
        outcome: Outcome,
        status: u16,
        reason: Option<Reason>,
    ) -> Result<Closed, AuditUnavailable> {
        let id = self.event.id.clone();
        // All are handed over before the first is awaited: a caller who hangs up here changes nothing.
        let pending: Vec<_> = self
            .end(outcome, Some(status), reason)
            .into_iter()
            .map(|event| self.log.submit(event))
            .collect();
        for event in pending {
            event?.safe().await?;
        }
        Ok(Closed { id })
    }

    /// Ends without an event: for requests that the HTTP layer itself rejects.
    pub fn abandon(mut self) {
        self.ended();
    }

    /// Ends without an event of its own: the refusal of a request that nobody vouches for is counted, and becomes one
    /// event per network, reason and minute.
    pub fn abandon_counted(self, reason: Reason) {
        self.log.refused(self.origin, reason);
        self.abandon();
    }

    fn ended(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.log.end();
        }
    }

    /// The events that end this record.
    fn end(&mut self, outcome: Outcome, status: Option<u16>, reason: Option<Reason>) -> Vec<Event> {
        self.ended();
        let mut refs = std::mem::take(&mut self.refs);
        for named in self.target.take().into_iter().chain(self.named.drain(..)) {
            // The CRM may have repeated what the caller wrote.
            match refs.iter_mut().find(|known| **known == named) {
                Some(known) => *known = names::of_request(named),
                None => refs.push(names::of_request(named)),
            }
        }
        let (early, last) = refs.split_at(refs.len().saturating_sub(1) / REFS_MAX * REFS_MAX);
        let mut events: Vec<_> = early
            .chunks(REFS_MAX)
            .map(|refs| self.continued(refs))
            .collect();
        let mut event = std::mem::take(&mut self.event);
        event.phase = "closed";
        event.data = self.disclosure.text();
        event.records = Records {
            count: integer(self.count),
            refs: names::records(last),
            ..Records::default()
        };
        event.outcome = Some(OutcomeEntry {
            kind: outcome.as_str(),
            milliseconds: milliseconds(self.started.elapsed()),
            reason: reason.map(Reason::code),
            status,
            upstream_milliseconds: self.upstream.map(milliseconds),
        });
        events.push(Event::request(event));
        events
    }

    /// An event that carries references only.
    fn continued(&self, refs: &[RecordRef]) -> Event {
        let mut event = self.event.clone();
        event.phase = "continued";
        event.records = Records {
            count: refs.len() as u64,
            refs: names::records(refs),
            ..Records::default()
        };
        Event::request(event)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.ended {
            for event in self.end(Outcome::Aborted, None, None) {
                self.log.enqueue(event);
            }
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.event.id)
            .finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    integer(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
