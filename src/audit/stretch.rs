//! Which stretch of a log two times mark. Events keep their order, times do not where the clock stepped back: so a time marks
//! a place among the events, and what stands between two places is the stretch.

use std::path::Path;

use super::chain::{End, Line, Lines};
use super::folder::{segment_name, segments};
use super::format::Stamp;
use super::verdict::Fault;

/// From the first event that was written at a time or after it, to the last event that was written before another.
///
/// Every event whose own time lies between the two is in it, and so is whatever stands between such events.
#[derive(Debug)]
pub(super) struct Stretch {
    since: Option<String>,
    has_begun: bool,
    /// The number of its last event, if it ends before the log does; 0 if it holds none.
    last_seq: Option<u64>,
}

impl Stretch {
    /// Finds where it ends. Times are given as events write them.
    pub(super) fn find(
        dir: &Path,
        since: Option<&str>,
        until: Option<&str>,
    ) -> Result<Self, Fault> {
        let last_seq = until.map(|until| last_before(dir, until)).transpose()?;
        Ok(Self {
            since: since.map(str::to_owned),
            has_begun: since.is_none(),
            last_seq,
        })
    }

    /// Whether an event is in it. Events are to be asked about in their order, each once.
    pub(super) fn holds(&mut self, line: &Line) -> bool {
        let time = line.time.as_str();
        self.has_begun |= self.since.as_deref().is_some_and(|since| since <= time);
        self.has_begun && self.last_seq.is_none_or(|last_seq| line.seq <= last_seq)
    }
}

/// The number of the last event that was written before a time; 0 if there is none.
fn last_before(dir: &Path, until: &str) -> Result<u64, Fault> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Fault::Unreadable { path, source }
    };
    let segments = segments(dir).map_err(unreadable(dir))?;
    // Mostly it stands near the end.
    for first_seq in segments.into_iter().rev() {
        let path = dir.join(segment_name(first_seq));
        let mut lines = Lines::of_segment(dir, first_seq).map_err(unreadable(&path))?;
        let mut last = None;
        while let Some(end) = lines.next().map_err(unreadable(&path))? {
            let stamp = serde_json::from_slice::<Stamp<'_>>(&lines.line);
            let stamp = stamp.ok().filter(|_| end == End::Newline);
            last = stamp
                .filter(|stamp| *stamp.time < *until)
                .map(|stamp| stamp.seq)
                .or(last);
        }
        if let Some(last) = last {
            return Ok(last);
        }
    }
    Ok(0)
}
