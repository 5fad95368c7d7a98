//! Which stretch of a log two times mark. Events keep their order, times do not where the clock stepped back: so a time marks
//! a place among the events, and what stands between two places is the stretch.

use std::io;
use std::path::Path;

use super::chain::{End, Line, Lines};
use super::folder::{segment_name, segments};
use super::format::Stamp;
use super::index::{Index, Trouble};
use super::verdict::Fault;

/// From the first event that was written at a time or after it, to the last event that was written before another.
///
/// Every event whose own time lies between the two is in it, and so is whatever stands between such events.
#[derive(Debug)]
pub(super) struct Stretch {
    since: Option<String>,
    has_begun: bool,
    /// The number of its first event, if an index knows it.
    first_seq: Option<u64>,
    /// The number of its last event, if it ends before the log does; 0 if it holds none.
    last_seq: Option<u64>,
}

impl Stretch {
    /// Finds where it ends; where it begins, if that is in the part of the log that an index knows. Times are given as events
    /// write them.
    pub(super) fn find(
        dir: &Path,
        since: Option<&str>,
        until: Option<&str>,
        index: Option<&Index>,
    ) -> Result<Self, Trouble> {
        let last_seq = until.map(|until| last_before(dir, until, index));
        let first_seq = match (since, index) {
            (Some(since), Some(index)) => index.first_at(dir, since)?,
            _ => None,
        };
        Ok(Self {
            since: since.map(str::to_owned),
            has_begun: since.is_none() || first_seq.is_some(),
            first_seq,
            last_seq: last_seq.transpose()?,
        })
    }

    /// The numbers of the events that are in it, as far as an index knows them.
    pub(super) fn known(&self) -> std::ops::RangeInclusive<u64> {
        let first_seq = match (self.has_begun, self.first_seq) {
            (true, first_seq) => first_seq.unwrap_or(0),
            (false, _) => u64::MAX,
        };
        first_seq..=self.last_seq.unwrap_or(u64::MAX)
    }

    /// Whether an event is in it. Events are to be asked about in their order, each once.
    pub(super) fn holds(&mut self, line: &Line) -> bool {
        let time = line.time.as_str();
        self.has_begun |= self.since.as_deref().is_some_and(|since| since <= time);
        self.has_begun && self.last_seq.is_none_or(|last_seq| line.seq <= last_seq)
    }
}

/// The number of the last event that was written before a time; 0 if there is none.
fn last_before(dir: &Path, until: &str, index: Option<&Index>) -> Result<u64, Trouble> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Fault::Unreadable { path, source }
    };
    let (segment, bytes) = index.map(Index::end).unwrap_or_default();
    let segments = segments(dir).map_err(unreadable(dir))?;
    // Mostly it stands near the end.
    for first_seq in segments.into_iter().rev().take_while(|one| *one >= segment) {
        let path = dir.join(segment_name(first_seq));
        let offset = if first_seq == segment { bytes } else { 0 };
        let mut lines = Lines::at(dir, first_seq, offset).map_err(unreadable(&path))?;
        let last = last_line(&mut lines, u64::MAX, until).map_err(unreadable(&path))?;
        if let Some(last) = last {
            return Ok(last);
        }
    }
    match index {
        Some(index) => Ok(index.last_before(dir, until)?.unwrap_or(0)),
        None => Ok(0),
    }
}

/// The number of the last of so many lines that was written before a time.
pub(super) fn last_line(lines: &mut Lines, count: u64, until: &str) -> io::Result<Option<u64>> {
    let mut last = None;
    for _ in 0..count {
        let Some(end) = lines.next()? else { break };
        let stamp = serde_json::from_slice::<Stamp<'_>>(&lines.line);
        let stamp = stamp.ok().filter(|_| end == End::Newline);
        last = stamp
            .filter(|stamp| *stamp.time < *until)
            .map(|stamp| stamp.seq)
            .or(last);
    }
    Ok(last)
}

/// The number of the first of so many lines that was written at a time or after it.
pub(super) fn first_line(lines: &mut Lines, count: u64, since: &str) -> io::Result<Option<u64>> {
    for _ in 0..count {
        if lines.next()?.is_none() {
            break;
        }
        let stamp = serde_json::from_slice::<Stamp<'_>>(&lines.line).ok();
        if let Some(stamp) = stamp.filter(|stamp| *since <= *stamp.time) {
            return Ok(Some(stamp.seq));
        }
    }
    Ok(None)
}
