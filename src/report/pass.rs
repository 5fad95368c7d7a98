//! The one reading of the log that every report is made of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use crate::audit::{Classified, Datum, Fault, Found, Part, Seen, Spot, stretch};

use super::Unanswerable;
use super::frame::{Frame, Health};
use super::model::Report;
use super::tally::Amount;

/// Requests under way that are remembered, so that those which were never closed can be told; and the ids of further ones, so
/// that they can be counted.
const OPENED_MAX: usize = 10_000;
const IDS_MAX: usize = 1_000_000;
/// Records that requests under way have named, and that are remembered until it is known whether the request counts.
const NAMED_MAX: usize = 500_000;
/// Policies whose classifications are remembered.
const POLICIES_MAX: usize = 1_000;

/// From when until when, as events write times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// From the first event at or after it.
    pub since: Option<String>,
    /// To the last event before it.
    pub until: Option<String>,
}

/// An event of a request, with what is known around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    pub(super) seen: Seen<'a>,
    pub(super) time: &'a str,
    /// Whether it lies in the period; of an event that names further records, whether its request counts there.
    pub(super) is_within: bool,
    /// Whether it is of a request that was under way in the period and ended after it.
    pub(super) is_over: bool,
    /// Which categories fields have under its policy, if the log tells.
    pub(super) fields: Option<&'a Classified>,
    /// The CRM, if the log tells of several: their accounts and records never mix.
    pub(super) upstream: Option<&'a str>,
    /// The events of its request that stand before it and name further records, as far as they are remembered.
    parts: &'a [Found],
}

impl<'a> Event<'a> {
    /// All records that its request names, as far as they are remembered.
    pub(super) fn refs(self) -> impl Iterator<Item = &'a String> {
        let parts = self.parts.iter().filter_map(Found::seen);
        parts.chain([self.seen]).flat_map(|seen| seen.refs())
    }

    /// In how many records its request met data. An entry says of how many records it holds the field that most have; if
    /// it holds several fields, others may stand in other records.
    pub(super) fn records(self, datum: &Datum<'_>) -> Amount {
        let is_least = match datum.fields {
            [] => false,
            [one] if !is_several(one) => false,
            fields => {
                let modules: BTreeSet<&str> = fields.iter().map(|field| module(field)).collect();
                let named = self.refs().count();
                let all = u64::try_from(named).unwrap_or(u64::MAX) >= self.seen.disclosed();
                let is_of = |record: &&String| modules.contains(module_of(record));
                let own = u64::try_from(self.refs().filter(is_of).count()).unwrap_or(u64::MAX);
                let most = if all { own } else { u64::MAX };
                modules.len() > 1 || datum.records < most.min(self.seen.disclosed())
            }
        };
        Amount {
            sum: datum.records,
            is_least,
        }
    }
}

/// The module of `Module.field`; nothing if it is not told.
fn module(field: &str) -> &str {
    field.split_once('.').map_or("", |(module, _)| module)
}

/// Whether what stands for a field tells how many there were that cannot be named, and there were several.
fn is_several(field: &str) -> bool {
    let count = field.rsplit_once('(').map(|(_, rest)| rest);
    count.is_some_and(|rest| rest.ends_with(" unknown)") && !rest.starts_with("1 "))
}

/// `Contacts` of `crm:Contacts/c-1` and of `Contacts/c-1`.
pub(super) fn module_of(record: &str) -> &str {
    let module = record.split_once('/').map_or(record, |(module, _)| module);
    module.rsplit_once(':').map_or(module, |(_, module)| module)
}

/// What counts while the log is read.
pub(super) trait Counting {
    /// Whether it has to have read the whole log once before it can count.
    fn reads_twice(&self) -> bool {
        false
    }

    /// The first reading, if there are two.
    fn before(&mut self, _event: Event<'_>) {}

    /// A request has ended. Those outside of the period are handed on, too.
    fn closed(&mut self, event: Event<'_>);

    /// A request names further records. It is handed on when it is known whether the request counts, so with events of any
    /// time, and before the request is said to have ended.
    fn continued(&mut self, _event: Event<'_>) {}

    /// A request of the period was opened and never closed: up to everything that it says was disclosed.
    fn unclosed(&mut self, _event: Event<'_>) {}

    /// Anything else happened.
    fn notice(&mut self, _found: &Found, _is_within: bool) {}

    /// What came out of it.
    ///
    /// # Errors
    /// If what was asked for cannot exist in this log.
    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable>;
}

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Before,
    Within,
    After,
}

/// A request under way.
#[derive(Debug)]
struct Request {
    opened: Option<Found>,
    /// Where it was opened.
    first: Side,
    /// Whether an event of it lies in the period.
    is_within: bool,
    /// Its events that name further records.
    parts: Vec<Found>,
}

/// One reading.
struct Pass<'p> {
    period: &'p Period,
    has_begun: bool,
    has_several: bool,
    policies: BTreeMap<String, Classified>,
    under_way: HashMap<String, Request>,
    /// How many records those under way have named.
    named: usize,
    /// Ids of those of the period for which there was no room.
    more: HashSet<String>,
    /// Events that name records and are of no request that is known to count, for there was no room to remember them.
    forgotten: u64,
}

impl Pass<'_> {
    fn event<'a>(&'a self, found: &'a Found, is_within: bool, is_over: bool) -> Option<Event<'a>> {
        let seen = found.seen()?;
        Some(Event {
            seen,
            time: found.time(),
            is_within,
            is_over,
            fields: self.policies.get(seen.policy()),
            upstream: seen.upstream().filter(|_| self.has_several),
            parts: &[],
        })
    }

    /// Where an event stands. Between the events of the log a time is all that there is to go by.
    fn side(&mut self, found: &Found, is_within: bool) -> Side {
        self.has_begun |= is_within;
        let until = self.period.until.as_deref();
        match is_within {
            true => Side::Within,
            false if self.has_begun || until.is_some_and(|until| until <= found.time()) => {
                Side::After
            }
            false => Side::Before,
        }
    }

    fn meet(&mut self, found: Found, place: Spot, counting: &mut dyn Counting) {
        self.has_several = place.has_several;
        let side = self.side(&found, place.is_within);
        let Some(seen) = found.seen() else {
            if let Some((hash, Some(classified))) = found.loaded()
                && self.policies.len() < POLICIES_MAX
            {
                self.policies.insert(hash.to_owned(), classified);
            }
            counting.notice(&found, place.is_within);
            return;
        };
        match seen.part() {
            Part::Opened => self.open(found, side),
            Part::Continued => self.go_on(found, side, counting),
            Part::Closed => self.close(&found, side, counting),
        }
    }

    fn open(&mut self, found: Found, side: Side) {
        if self.under_way.len() < OPENED_MAX {
            let id = found.id().to_owned();
            let request = self.under_way.entry(id).or_insert(Request {
                opened: None,
                first: side,
                is_within: false,
                parts: Vec::new(),
            });
            request.is_within |= side == Side::Within;
            request.opened = Some(found);
        } else if side == Side::Within && self.more.len() < IDS_MAX {
            self.more.insert(found.id().to_owned());
        }
    }

    fn go_on(&mut self, found: Found, side: Side, counting: &mut dyn Counting) {
        let count = found.seen().map_or(0, |seen| seen.refs().len());
        let has_room = self.named.saturating_add(count) <= NAMED_MAX
            && (self.under_way.len() < OPENED_MAX || self.under_way.contains_key(found.id()));
        if has_room {
            self.named += count;
            let id = found.id().to_owned();
            let request = self.under_way.entry(id).or_insert(Request {
                opened: None,
                first: side,
                is_within: false,
                parts: Vec::new(),
            });
            request.is_within |= side == Side::Within;
            request.parts.push(found);
        } else if let Some(event) = self
            .event(&found, true, false)
            .filter(|_| side == Side::Within)
        {
            // However its request ends, this was named in the period.
            counting.continued(event);
        } else {
            self.forgotten += 1;
        }
    }

    fn close(&mut self, found: &Found, side: Side, counting: &mut dyn Counting) {
        let request = self.under_way.remove(found.id());
        let was_under_way = match &request {
            Some(request) => request.is_within || request.first == Side::Before,
            None => self.more.remove(found.id()),
        };
        let is_within = side == Side::Within;
        let is_over = side == Side::After && was_under_way;
        let parts = request.map(|request| request.parts).unwrap_or_default();
        self.hand_on(&parts, is_within, is_over, counting);
        if let Some(event) = self.event(found, is_within, is_over) {
            counting.closed(Event {
                parts: &parts,
                ..event
            });
        }
    }

    fn hand_on(
        &mut self,
        parts: &[Found],
        is_within: bool,
        is_over: bool,
        counting: &mut dyn Counting,
    ) {
        for part in parts {
            let count = part.seen().map_or(0, |seen| seen.refs().len());
            self.named = self.named.saturating_sub(count);
            let event = self.event(part, is_within, is_over);
            if let Some(event) = event.filter(|_| is_within || is_over) {
                counting.continued(event);
            }
        }
    }

    /// What was never closed; returns how many requests of the period that were.
    fn end(&mut self, counting: &mut dyn Counting) -> u64 {
        let left = std::mem::take(&mut self.under_way).into_values();
        let mut unclosed: Vec<Request> = left.filter(|request| request.is_within).collect();
        let seq = |found: &Found| found.seq();
        unclosed.sort_by_key(|one| one.opened.as_ref().or_else(|| one.parts.first()).map(seq));
        for request in &unclosed {
            self.hand_on(&request.parts, true, false, counting);
            let found = request.opened.as_ref().or_else(|| request.parts.first());
            if let Some(event) = found.and_then(|found| self.event(found, true, false)) {
                counting.unclosed(event);
            }
        }
        u64::try_from(unclosed.len()).unwrap_or(u64::MAX)
    }
}

/// Reads the log for a report.
pub(super) fn run(
    dir: &Path,
    period: &Period,
    counting: &mut dyn Counting,
    progress: &mut dyn FnMut(u64),
) -> Result<Frame, Fault> {
    let mut frame = Frame::new(period);
    let mut pass = Pass {
        period,
        has_begun: false,
        has_several: false,
        policies: BTreeMap::new(),
        under_way: HashMap::new(),
        named: 0,
        more: HashSet::new(),
        forgotten: 0,
    };
    let (since, until) = (period.since.as_deref(), period.until.as_deref());
    if counting.reads_twice() {
        stretch(dir, since, until, &mut |found, place| {
            progress(found.seq());
            pass.has_several = place.has_several;
            if let Some(event) = pass.event(&found, place.is_within, false) {
                counting.before(event);
            }
        })?;
    }
    let summary = stretch(dir, since, until, &mut |found, place| {
        progress(found.seq());
        frame.meet(&found, place.is_within);
        pass.meet(found, place, counting);
    })?;
    frame.unclosed_untold = u64::try_from(pass.more.len()).unwrap_or(u64::MAX);
    frame.health = Health {
        unclosed: pass.end(counting),
        forgotten: pass.forgotten,
        unreadable: summary.unreadable_lines,
        later: summary.later_lines,
        clock_steps: summary.clock_steps,
        ..frame.health
    };
    Ok(frame)
}
