//! What a record has been told so far, whatever its stage, and the events that come of it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::filter::Report;
use crate::reason::{Outcome, Reason};
use crate::vocabulary::{RecordRef, RuleName};

use super::disclosure::Disclosure;
use super::event::{Event, integer};
use super::format::brief::{self, Asked, Policy, Records, Request, Stated, Terms};
use super::format::counts::Counts;
use super::format::full::Withheld;
use super::format::{Origin, Phase, VERSION};
use super::id;
use super::log::{AuditUnavailable, Log};
use super::names::{self, visible};
use super::record::{Arrival, Closed, Known, REFS_MAX};

/// One request on its way.
pub(super) struct Walk {
    pub(super) log: Log,
    pub(super) origin: IpAddr,
    /// The event so far, without what only its end knows.
    pub(super) event: Request,
    /// Its terms, but for the data.
    pub(super) frame: Terms,
    pub(super) disclosure: Disclosure,
    /// References that no event holds yet.
    refs: Vec<RecordRef>,
    /// The record that is about to be changed.
    pub(super) target: Option<RecordRef>,
    /// Records that the request named, and the CRM has not refused.
    pub(super) named: Vec<RecordRef>,
    /// Records, whether they have a reference or not.
    count: u64,
    /// Records that are not there for the caller.
    withheld: Withheld,
    /// Modules and fields of the request that may be named.
    pub(super) known: Known,
    pub(super) upstream_took: Option<Duration>,
    pub(super) started: Instant,
    pub(super) opened: bool,
    /// What would have become of the request, if no rule only observed.
    pub(super) would: Option<&'static str>,
    /// Whether the reply would have been another one for what was taken out of the request.
    pub(super) is_observed: bool,
    ended: bool,
}

impl Walk {
    pub(super) fn new(log: &Log, arrival: Arrival<'_>) -> Self {
        let stamp = arrival.policy;
        let frame = Terms {
            policy: Policy {
                hash: visible(&stamp.hash),
                mode: if arrival.observes {
                    "observe"
                } else {
                    "enforce"
                }
                .into(),
                name: visible(&stamp.name),
                schema: visible(&stamp.schema),
            },
            ..Terms::default()
        };
        let request = Asked {
            dialect: arrival.dialect.into(),
            route: arrival.route.map(str::to_owned),
            trace: arrival
                .trace
                .filter(|trace| is_trace(trace))
                .map(str::to_owned),
            upstream: visible(arrival.upstream),
            ..Asked::default()
        };
        let event = begun(id::new(), request);
        Self::begin(log.clone(), arrival.origin, event, frame)
    }

    fn begin(log: Log, origin: IpAddr, mut event: Request, frame: Terms) -> Self {
        log.begin();
        event.origin = Origin {
            ip: names::network(origin),
        };
        Self {
            log,
            origin,
            event,
            frame,
            disclosure: Disclosure::default(),
            refs: Vec::new(),
            target: None,
            named: Vec::new(),
            count: 0,
            withheld: Withheld::default(),
            known: Known::default(),
            upstream_took: None,
            started: Instant::now(),
            opened: false,
            would: None,
            is_observed: false,
            ended: false,
        }
    }

    /// One part of an envelope: its own id and route, the same caller and origin.
    pub(super) fn part(&self, route: Option<&'static str>) -> Self {
        let own = &self.event;
        let request = Asked {
            dialect: own.request.dialect.clone(),
            route: route.map(str::to_owned),
            trace: own.request.trace.clone(),
            upstream: own.request.upstream.clone(),
            ..Asked::default()
        };
        let event = Request {
            auth: own.auth.clone(),
            caller: own.caller.clone(),
            part_of: Some(own.id.clone()),
            ..begun(id::new(), request)
        };
        let frame = Terms {
            policy: self.frame.policy.clone(),
            ..Terms::default()
        };
        Self::begin(self.log.clone(), self.origin, event, frame)
    }

    /// What the filter showed and withheld.
    pub(super) fn disclosed(&mut self, report: Report) {
        self.disclosure.add(report.fields);
        self.refs.extend(report.refs);
        self.count = self.count.saturating_add(report.records);
        for (rule, records) in &report.absent {
            self.absent(rule, *records);
        }
    }

    /// What the first of two answers named and left out.
    pub(super) fn answered_anew(&mut self) {
        self.named.clear();
        self.withheld = Withheld::default();
    }

    /// Records are not there for the caller, because of a rule.
    pub(super) fn absent(&mut self, rule: &RuleName, records: u64) {
        let Withheld {
            consent,
            restriction,
            retention,
            row,
        } = &mut self.withheld;
        let kind = rule.as_str().split('.').next().unwrap_or_default();
        let counted = match kind {
            "consent" => consent,
            "restricted" => restriction,
            "retention" => retention,
            _ => row,
        };
        *counted = integer(counted.saturating_add(records));
    }

    /// Ends it, durably.
    pub(super) async fn close(
        mut self: Box<Self>,
        outcome: Outcome,
        status: Option<u16>,
        reason: Option<Reason>,
    ) -> Result<Closed, AuditUnavailable> {
        let id = self.event.id.clone();
        // All are handed over before the first is awaited: a caller who hangs up here changes nothing.
        let pending: Vec<_> = self
            .end(outcome, status, reason)
            .into_iter()
            .map(|event| self.log.submit(event))
            .collect();
        for event in pending {
            event?.safe().await?;
        }
        Ok(Closed::new(id))
    }

    pub(super) fn ended(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.log.end();
        }
    }

    /// The events that end it.
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
        let told = self.log.memory().told(&self.frame, &mut self.disclosure);
        let (terms, counts) = told.ok().unzip();
        let mut event = std::mem::replace(&mut self.event, begun(String::new(), Asked::default()));
        let count = integer(self.count);
        event.counts = Counts::new(count, counts.unwrap_or_default());
        event.records = Records {
            count,
            refs: names::records(last),
            withheld: self.withheld,
        };
        event.outcome = Some(brief::Outcome {
            kind: outcome,
            milliseconds: milliseconds(self.started.elapsed()),
            reason: reason.map(|reason| reason.code().into()),
            status,
            upstream_milliseconds: self.upstream_took.map(milliseconds),
            would: self.would.map(Into::into),
        });
        events.push(Event::request(event, terms));
        events
    }

    /// An event that carries references only.
    pub(super) fn continued(&self, refs: &[RecordRef]) -> Event {
        let mut event = self.event.clone();
        event.phase = Phase::Continued;
        event.records = Records {
            count: refs.len() as u64,
            refs: names::records(refs),
            ..Records::default()
        };
        Event::request(event, self.log.memory().bare(&self.frame).ok())
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if !self.ended {
            for event in self.end(Outcome::Aborted, None, None) {
                self.log.enqueue(event);
            }
        }
    }
}

/// An event of a request that has just begun.
fn begun(id: String, request: Asked) -> Request {
    Request {
        auth: None,
        caller: None,
        counts: Counts::default(),
        dropped_masks: Vec::new(),
        flagged: Vec::new(),
        id,
        node: String::new(),
        origin: Origin::default(),
        outcome: None,
        part_of: None,
        phase: Phase::Closed,
        prev: String::new(),
        records: Records::default(),
        request,
        seq: 0,
        terms: Stated::ById(String::new()),
        time: String::new(),
        v: VERSION,
    }
}

fn is_trace(trace: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    trace.len() == 32 && trace.bytes().all(is_hex) && trace.bytes().any(|byte| byte != b'0')
}

fn milliseconds(duration: Duration) -> u64 {
    integer(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
