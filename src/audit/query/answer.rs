//! Answers: with an index where there is one, and the same without.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::path::Path;

use super::super::events::{Found, Start, each_from};
use super::super::expand::Entry;
use super::super::index::{Index, Indexed, Trouble, forsake};
use super::super::stretch::Stretch;
use super::super::upstreams::{Upstreams, Wanted};
use super::super::verdict::Fault;
use super::scan::{Hit, Looking};
use super::{Policies, Query};

/// Which part of the results is handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Only the newest.
    pub limit: Option<usize>,
    /// Only events before this one, by number. Requests that were never closed stand behind all others, so they are not on
    /// such a page.
    pub before: Option<u64>,
    /// Only events behind this one, by number; nor requests that were never closed.
    pub after: Option<u64>,
}

/// Whether an index may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// If there is one.
    #[default]
    Index,
    /// Only the segments are read.
    Segments,
}

impl Pages {
    /// The index may be asked, unless somebody said that it may not.
    pub fn unless(no_index: bool) -> Self {
        match no_index {
            true => Self::Segments,
            false => Self::Index,
        }
    }
}

/// What was looked through, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events looked through.
    pub events: u64,
    /// Lines that are not events in canonical form, or lack what they name; `verify` says where.
    pub unreadable_lines: u64,
    /// Events whose time is earlier than that of the event before.
    pub clock_steps: u64,
    /// Lines in a later format than this program knows.
    pub later_lines: u64,
    /// The number and the time of the newest event: the answer is complete up to it.
    pub last: Option<(u64, String)>,
    /// How many results there are, on whatever page.
    pub matched: u64,
    /// How many of them are requests that were never closed.
    pub unclosed: u64,
    /// The number of the first event that was handed out and closed a request.
    pub first_seq: Option<u64>,
    /// Requests that named fields whose categories the log does not tell, so that they were matched by their data alone.
    pub untold: u64,
    /// Values of filters that no event has: `role=finanze`.
    pub unseen: Vec<String>,
    /// Why the category that was asked for cannot occur: neither a policy of this log nor an event has it.
    pub unheard_of: Option<String>,
    /// What is to be said of the index.
    pub index: Indexed,
}

/// Hands the events that match to `sink`, in the order of the log, until it breaks off. A request has one result: the
/// event that closed it. Requests that were never closed come last; as nobody knows what left, they match every
/// filter about records, data and outcome.
///
/// # Errors
/// If the log cannot be read, or the record that is asked for may be one of several CRMs. The log is not verified.
pub fn query(
    dir: &Path,
    query: &Query,
    sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    query.answer(dir, Page::default(), Pages::Index, sink)
}

/// Results on their way to whoever asked.
struct Handing<'a> {
    page: Page,
    dir: &'a Path,
    index: Option<&'a Index>,
    upstreams: &'a Upstreams,
    sink: &'a mut dyn FnMut(&Found) -> ControlFlow<()>,
    newest: VecDeque<(Option<u64>, Hit)>,
    matched: u64,
    first_seq: Option<u64>,
    has_stopped: bool,
    fault: Option<Fault>,
}

impl Handing<'_> {
    /// Takes a result, and hands it on or keeps it. `seq`: the number of the event that closed the request.
    fn take(&mut self, seq: Option<u64>, hit: Hit) -> ControlFlow<()> {
        let is_on_page = match seq {
            Some(seq) => {
                self.page.before.is_none_or(|before| seq < before)
                    && self.page.after.is_none_or(|after| after < seq)
            }
            None => self.page.before.is_none() && self.page.after.is_none(),
        };
        if !is_on_page {
            return ControlFlow::Continue(());
        }
        self.matched += 1;
        match self.page.limit {
            None => self.hand_out(seq, hit),
            Some(limit) => {
                self.newest.push_back((seq, hit));
                if self.newest.len() > limit {
                    self.newest.pop_front();
                }
                ControlFlow::Continue(())
            }
        }
    }

    fn hand_out(&mut self, seq: Option<u64>, hit: Hit) -> ControlFlow<()> {
        let read;
        let found: &Found = match &hit {
            Hit::Whole(found) => found,
            Hit::At(place) => {
                let index = self.index;
                match index.map(|index| index.event(self.dir, *place, self.upstreams)) {
                    Some(Ok(found)) => {
                        read = found;
                        &read
                    }
                    Some(Err(fault)) => {
                        self.fault = Some(fault);
                        self.has_stopped = true;
                        return ControlFlow::Break(());
                    }
                    None => return ControlFlow::Continue(()),
                }
            }
        };
        self.first_seq = self.first_seq.or(seq);
        let flow = (self.sink)(found);
        self.has_stopped = flow.is_break();
        flow
    }

    /// Hands out what was kept.
    fn finish(&mut self) -> Result<(), Fault> {
        for (seq, hit) in std::mem::take(&mut self.newest) {
            if self.hand_out(seq, hit).is_break() {
                break;
            }
        }
        self.fault.take().map_or(Ok(()), Err)
    }
}

fn with(summary: Summary, index: Indexed) -> Summary {
    Summary { index, ..summary }
}

/// Hands every event of one decision to `sink`, and those of its parts.
///
/// # Errors
/// If the log cannot be read. It is not verified.
pub fn show(
    dir: &Path,
    id: &str,
    pages: Pages,
    sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let mut said = Indexed::default();
    let index = match pages {
        Pages::Index => Index::find(dir, &mut said)?,
        Pages::Segments => None,
    };
    match show_from(dir, id, index.as_ref(), sink) {
        Err(Trouble::Index(why)) => {
            forsake(dir, &why, &mut said);
            let summary = show_from(dir, id, None, sink);
            summary
                .map(|summary| with(summary, said))
                .map_err(Trouble::fault)
        }
        other => other
            .map(|summary| with(summary, said))
            .map_err(Trouble::fault),
    }
}

fn show_from(
    dir: &Path,
    id: &str,
    index: Option<&Index>,
    sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Result<Summary, Trouble> {
    let upstreams = Upstreams::find_from(dir, index)?;
    let (mut start, mut before) = (Start::default(), Summary::default());
    if let Some(index) = index {
        (start, before) = index.rest()?;
        for place in index.of_decision(dir, id)? {
            if sink(&index.event(dir, place, &upstreams)?).is_break() {
                return Ok(before);
            }
        }
    }
    let mut rest = each_from(dir, start, &mut |line, entry| {
        let is_found = match &entry {
            Entry::Request(event) => event.id == id || event.part_of.as_deref() == Some(id),
            Entry::Notice(_) => line.id == id,
            Entry::Terms => false,
        };
        if is_found {
            sink(&Found::new(line, entry, &upstreams))
        } else {
            ControlFlow::Continue(())
        }
    })?;
    rest.events += before.events;
    rest.last = rest.last.or(before.last);
    Ok(rest)
}

impl Query {
    /// Answers it: hands a page of the events that match to `sink`, in the order of the log, until it breaks off. A request has
    /// one result, the event that closed it; requests that were never closed come last.
    ///
    /// # Errors
    /// If the log cannot be read, or the record that is asked for may be one of several CRMs. The log is not verified.
    pub fn answer(
        &self,
        dir: &Path,
        page: Page,
        pages: Pages,
        sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
    ) -> Result<Summary, Fault> {
        let mut said = Indexed::default();
        let index = match pages {
            Pages::Index => Index::find(dir, &mut said)?,
            Pages::Segments => None,
        };
        match self.answer_from(dir, page, index.as_ref(), sink) {
            // Nothing was handed out yet, for all stretches are looked at before: what the index says is no answer.
            Err(Trouble::Index(why)) => {
                forsake(dir, &why, &mut said);
                let summary = self.answer_from(dir, page, None, sink);
                summary
                    .map(|summary| with(summary, said))
                    .map_err(Trouble::fault)
            }
            other => other
                .map(|summary| with(summary, said))
                .map_err(Trouble::fault),
        }
    }

    fn answer_from(
        &self,
        dir: &Path,
        page: Page,
        index: Option<&Index>,
        sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
    ) -> Result<Summary, Trouble> {
        let upstreams = Upstreams::find_from(dir, index)?;
        let records: Result<Vec<Wanted>, Fault> = self
            .record
            .iter()
            .map(|asked| upstreams.settle(asked))
            .collect();
        let mut looking = Looking {
            query: self,
            upstreams: &upstreams,
            records: records?,
            named: HashSet::new(),
            policies: Policies::default(),
            unclosed: BTreeMap::new(),
            stretch: Stretch::find(dir, self.since.as_deref(), self.until.as_deref(), index)?,
            unseen: self.values(),
            untold: 0,
        };
        let mut handing = Handing {
            page,
            dir,
            index,
            upstreams: &upstreams,
            sink,
            newest: VecDeque::new(),
            matched: 0,
            first_seq: None,
            has_stopped: false,
            fault: None,
        };
        let mut start = Start::default();
        let mut before = Summary::default();
        if let Some(index) = index {
            (start, before) = index.rest()?;
            index.ask(dir, &mut looking, &mut |place| {
                handing.take(Some(place.seq), Hit::At(place))
            })?;
        }
        let mut summary = before;
        if !handing.has_stopped {
            let mut rest = each_from(dir, start, &mut |line, entry| {
                looking.look(line, entry, &mut |seq, hit| handing.take(Some(seq), hit))
            })?;
            rest.events += summary.events;
            rest.clock_steps += summary.clock_steps;
            rest.last = rest.last.or(summary.last);
            summary = rest;
        }
        let mut unclosed: Vec<_> = std::mem::take(&mut looking.unclosed)
            .into_values()
            .collect();
        unclosed.sort_unstable_by_key(|(seq, _)| *seq);
        for (_, hit) in unclosed {
            if handing.has_stopped {
                break;
            }
            let before = handing.matched;
            let flow = handing.take(None, hit);
            summary.unclosed += handing.matched - before;
            if flow.is_break() {
                break;
            }
        }
        handing.finish()?;
        (summary.matched, summary.first_seq) = (handing.matched, handing.first_seq);
        summary.untold = looking.untold;
        if !handing.has_stopped {
            summary.unheard_of = looking.policies.unheard_of(self);
            summary.unseen = looking.unseen.into_iter().map(|(word, _)| word).collect();
        }
        Ok(summary)
    }
}
