//! All events of a log, in full, one by one.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;

use crate::vocabulary::Level;

use super::chain::{End, Line, Lines, later_version};
use super::expand::{Entry, Segment};
use super::folder::{segment_name, segments};
use super::format::brief::Terms;
use super::format::{Phase, full};
use super::query::Summary;
use super::upstreams::Upstreams;
use super::verdict::Fault;

/// An event of a log, in full: it says itself what its terms say. Records have the name of their CRM before them
/// (`crm:Contacts/c-1`) where the log tells of several.
#[derive(Debug)]
pub struct Found {
    time: String,
    id: String,
    entry: Entry,
    /// A notice as it stands in the log.
    value: Value,
}

impl Found {
    pub(super) fn new(line: &Line, mut entry: Entry, upstreams: &Upstreams) -> Self {
        let value = match &mut entry {
            Entry::Request(request) => {
                if upstreams.are_several() {
                    name_upstream(request);
                }
                Value::Null
            }
            Entry::Notice(_) | Entry::Terms => line.value.clone(),
        };
        Self {
            time: line.time.clone(),
            id: line.id.clone(),
            entry,
            value,
        }
    }

    pub(super) fn request(&self) -> Option<&full::Request> {
        match &self.entry {
            Entry::Request(request) => Some(request),
            Entry::Notice(_) | Entry::Terms => None,
        }
    }

    /// It as it stands in the log, if it is not about a request.
    pub(super) fn notice(&self) -> Option<&Value> {
        self.request().is_none().then_some(&self.value)
    }

    /// When it was written, as it says.
    pub fn time(&self) -> &str {
        &self.time
    }

    /// Its id; that of the decision, if it is about a request.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether this is a request that was opened and never closed: "up to everything" was disclosed.
    pub fn is_unclosed(&self) -> bool {
        self.request()
            .is_some_and(|request| request.phase == Phase::Opened)
    }

    /// The name of the caller.
    pub fn caller(&self) -> Option<&str> {
        Some(self.request()?.caller.as_ref()?.name.as_str())
    }

    /// What was done, or the name of an event that is not about a request.
    pub fn action(&self) -> Option<&str> {
        match self.request() {
            Some(request) => request.request.action.as_deref(),
            None => self.value["event"].as_str(),
        }
    }

    /// The module that was asked for.
    pub fn module(&self) -> Option<&str> {
        self.request()?.request.module.as_deref()
    }

    /// The purpose.
    pub fn purpose(&self) -> Option<&str> {
        Some(self.request()?.purpose.as_ref()?.id.as_str())
    }

    /// The word for the outcome.
    pub fn outcome(&self) -> Option<&str> {
        Some(self.request()?.outcome.as_ref()?.kind.as_str())
    }

    /// How many records were disclosed.
    pub fn records(&self) -> Option<u64> {
        Some(self.request()?.records.count)
    }

    /// At which level data of which category was met; `None` is data that nobody has classified.
    pub fn levels(&self) -> impl Iterator<Item = (Level, Option<&str>)> {
        let entries = self.request().into_iter().flat_map(|request| &request.data);
        entries.map(|entry| (entry.level, entry.category.as_deref()))
    }

    /// All of it, as JSON.
    pub fn json(&self) -> Value {
        match self.request() {
            // Each field of it has a form in JSON.
            Some(request) => serde_json::to_value(request).unwrap_or_default(),
            None => self.value.clone(),
        }
    }
}

/// Writes the name of the CRM before each record.
fn name_upstream(request: &mut full::Request) {
    let Some(upstream) = &request.request.upstream else {
        return;
    };
    for record in &mut request.records.refs {
        *record = [upstream, ":", record].concat();
    }
}

/// Hands every event to `sink`, in the order of the log, until it breaks off.
///
/// # Errors
/// If the log cannot be read. It is not verified.
pub fn events(
    dir: &Path,
    sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let upstreams = Upstreams::find(dir)?;
    each(dir, &mut |line, entry| match entry {
        Entry::Terms => ControlFlow::Continue(()),
        entry => sink(&Found::new(line, entry, &upstreams)),
    })
}

/// From where on events are read: from the first, unless it says another place.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// The number of the first event of the segment.
    pub(super) segment: u64,
    /// Bytes of its text before the place.
    pub(super) offset: u64,
    /// Terms that the segment has said before.
    pub(super) terms: Vec<(String, Terms)>,
    /// The time of the event before.
    pub(super) time: String,
}

/// Reads every event, and those that say terms.
pub(super) fn each(
    dir: &Path,
    visit: &mut dyn FnMut(&Line, Entry) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    each_from(dir, Start::default(), visit)
}

/// The same from a place on.
pub(super) fn each_from(
    dir: &Path,
    start: Start,
    visit: &mut dyn FnMut(&Line, Entry) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Fault::Unreadable { path, source }
    };
    let segments = segments(dir).map_err(unreadable(dir))?;
    if segments.is_empty() {
        return Err(Fault::NoLog {
            dir: dir.to_owned(),
        });
    }
    let mut summary = Summary::default();
    let mut time = start.time;
    let mut terms = start.terms;
    for first_seq in segments {
        if first_seq < start.segment {
            continue;
        }
        let path = dir.join(segment_name(first_seq));
        let mut segment = Segment::default();
        let is_first = first_seq == start.segment;
        let offset = if is_first { start.offset } else { 0 };
        for (id, said) in terms.drain(..).filter(|_| is_first) {
            segment.know(id, said);
        }
        let mut lines = Lines::at(dir, first_seq, offset).map_err(unreadable(&path))?;
        while let Some(end) = lines.next().map_err(unreadable(&path))? {
            if end == End::File {
                // Being written, or torn: not an event yet.
                break;
            }
            let line = Line::read(&lines.line);
            let read = line.and_then(|line| Some((segment.expand(&line).ok()?, line)));
            let Some((entry, line)) = read else {
                match later_version(&lines.line) {
                    Some(_) => summary.later_lines += 1,
                    None => summary.unreadable_lines += 1,
                }
                continue;
            };
            summary.events += 1;
            summary.clock_steps += u64::from(line.time < time);
            summary.last = Some((line.seq, line.time.clone()));
            time.clone_from(&line.time);
            if visit(&line, entry).is_break() {
                return Ok(summary);
            }
        }
    }
    Ok(summary)
}
