//! The one reading of the log that every report is made of.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use crate::audit::{Classified, Fault, Found, Part, Seen, stretch};

use super::Unanswerable;
use super::frame::{Frame, Health};
use super::model::Report;

/// Requests under way that are remembered, so that those which were never closed can be told; and the ids of further ones, so
/// that they can be counted.
const OPENED_MAX: usize = 10_000;
const IDS_MAX: usize = 1_000_000;
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
    /// Whether it lies in the period.
    pub(super) is_within: bool,
    /// Which categories fields have under its policy, if the log tells.
    pub(super) fields: Option<&'a Classified>,
}

/// What counts while the log is read.
pub(super) trait Counting {
    /// A request has ended. Those outside of the period are handed on, too.
    fn closed(&mut self, event: Event<'_>);

    /// A request names further records.
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

/// Reads the log for a report.
pub(super) fn run(
    dir: &Path,
    period: &Period,
    counting: &mut dyn Counting,
    progress: &mut dyn FnMut(u64),
) -> Result<Frame, Fault> {
    let mut frame = Frame::new(period);
    let mut policies: BTreeMap<String, Classified> = BTreeMap::new();
    let mut opened: HashMap<String, (u64, Found)> = HashMap::new();
    let mut more: HashSet<String> = HashSet::new();
    let (since, until) = (period.since.as_deref(), period.until.as_deref());
    let summary = stretch(dir, since, until, &mut |found, is_within| {
        progress(found.seq());
        frame.meet(&found, is_within);
        let Some(seen) = found.seen() else {
            if let Some((hash, Some(classified))) = found.loaded()
                && policies.len() < POLICIES_MAX
            {
                policies.insert(hash.to_owned(), classified);
            }
            counting.notice(&found, is_within);
            return;
        };
        let event = Event {
            seen,
            time: found.time(),
            is_within,
            fields: policies.get(seen.policy()),
        };
        match seen.part() {
            Part::Closed => {
                if opened.remove(found.id()).is_none() {
                    more.remove(found.id());
                }
                counting.closed(event);
            }
            Part::Continued => counting.continued(event),
            Part::Opened if !is_within => {}
            Part::Opened if opened.len() >= OPENED_MAX => {
                if more.len() < IDS_MAX {
                    more.insert(found.id().to_owned());
                }
            }
            Part::Opened => {
                opened.insert(found.id().to_owned(), (found.seq(), found));
            }
        }
    })?;
    let mut unclosed: Vec<(u64, Found)> = opened.into_values().collect();
    unclosed.sort_unstable_by_key(|(seq, _)| *seq);
    for (_, found) in &unclosed {
        if let Some(seen) = found.seen() {
            counting.unclosed(Event {
                seen,
                time: found.time(),
                is_within: true,
                fields: policies.get(seen.policy()),
            });
        }
    }
    frame.unclosed_untold = u64::try_from(more.len()).unwrap_or(u64::MAX);
    frame.health = Health {
        unclosed: u64::try_from(unclosed.len()).unwrap_or(u64::MAX),
        unreadable: summary.unreadable_lines,
        later: summary.later_lines,
        clock_steps: summary.clock_steps,
        ..frame.health
    };
    Ok(frame)
}
