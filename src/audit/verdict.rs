//! What can be said of a log that was checked.

use std::io;
use std::path::PathBuf;

use super::format::VERSION;

/// A log that is what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its files.
    pub segments: usize,
    /// Its events.
    pub events: u64,
    /// The number of its last event.
    pub last_seq: u64,
    /// The hash of its last event: `sha256:…`. Kept elsewhere, it shows later whether the end was cut off.
    pub last_hash: String,
    /// Requests that were opened and never closed: "up to everything" was disclosed.
    pub unclosed: Vec<Unclosed>,
    /// Gaps that the log itself notes.
    pub gaps: Vec<Gap>,
    /// Where the time of an event is earlier than that of the one before it.
    pub clock_steps: Vec<ClockStep>,
    /// Files that hold what was set aside after a crash or a failure of the disk.
    pub set_aside: Vec<String>,
    /// Bytes of a last line that is not complete: being written now, or torn by a crash.
    pub unfinished_bytes: u64,
}

/// A gap that the log itself notes: events had been on disk, and were not where they had been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The number of the event that notes it.
    pub seq: u64,
    /// The number of the last event that is known to have been on disk.
    pub last_seq: u64,
    /// Why, in a word.
    pub why: String,
    /// The numbers of the first and the last event that are missing, if any are.
    pub missing: Option<(u64, u64)>,
    /// Whether the event that it follows is not the one that was written.
    pub is_changed: bool,
}

/// A request that was opened and never closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclosed {
    /// The number of the opening event.
    pub seq: u64,
    /// The id of the decision.
    pub id: String,
}

/// The clock stepped back: times are in the order of events before and after, but not across.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// The number of the first event with an earlier time.
    pub seq: u64,
    /// The time of the event before it.
    pub from: String,
    /// Its time.
    pub to: String,
}

/// Why a log is not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds no segments.
    #[error("`{}` holds no access log", .dir.display())]
    NoLog {
        /// The folder.
        dir: PathBuf,
    },
    /// It is not what was written.
    #[error("{0}")]
    Broken(Broken),
    /// It is not the log of which something was kept elsewhere.
    #[error("{0}")]
    Unexpected(Unexpected),
    /// The question has no one meaning for this log.
    #[error("{0}")]
    Unclear(String),
    /// It goes on in a later format than this program knows, so nobody can say more here.
    #[error(
        "the log was written by a later version: event {seq} (line {line} of `{file}`) is in format {version}, and this version knows format {VERSION}; ask the later one"
    )]
    Later {
        /// The name of the segment.
        file: String,
        /// The line in it, from 1.
        line: u64,
        /// The number that the event should have.
        seq: u64,
        /// The version of its format.
        version: u64,
    },
}

/// What differs from what was kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unexpected {
    /// The event is not there.
    #[error(
        "event {seq} is missing, which was there when its hash was kept; the log ends at event {last_seq}"
    )]
    Missing {
        /// The number of the event.
        seq: u64,
        /// The number of the last event of the log; 0 if it has none.
        last_seq: u64,
    },
    /// The event has another hash.
    #[error(
        "event {seq} is not the one whose hash was kept: it, or what stands before it, was written anew"
    )]
    Differs {
        /// The number of the event.
        seq: u64,
    },
}

/// The first event that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} (line {line} of `{file}`): {what}")]
pub struct Broken {
    /// The name of the segment.
    pub file: String,
    /// The line in it, from 1; 0 if it is the file itself.
    pub line: u64,
    /// The number of the event.
    pub seq: u64,
    /// What was done.
    pub what: Tampering,
}

/// What was done to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Tampering {
    /// The event is not the one that was written.
    #[error("the event was changed after it was written")]
    Changed,
    /// The line is not an event in canonical form.
    #[error("the line is not an event in canonical form")]
    NotCanonical,
    /// Events are missing.
    #[error("events are missing, up to event {last_seq}")]
    Removed {
        /// The last one that is missing.
        last_seq: u64,
    },
    /// The end of a file is missing.
    #[error("the file ends too early, and events are missing, up to event {last_seq}")]
    Truncated {
        /// The last one that is missing.
        last_seq: u64,
    },
    /// There is an event too many.
    #[error("the event was inserted")]
    Inserted,
    /// The event stands later than it was written.
    #[error("the event stands in another place than it was written")]
    Reordered,
    /// The event has not the form of an event of its version.
    #[error("the event has not the form that events of its version have")]
    Malformed,
    /// The event names terms that nothing before it in its segment says.
    #[error("the event names terms that no event before it in its file holds")]
    TermsMissing,
    /// The event says terms under the id of others.
    #[error("the terms that the event holds are not those of its id")]
    TermsChanged,
    /// The event counts an entry that its terms have not.
    #[error("the event counts an entry that its terms have not")]
    Miscounted,
    /// The file begins with another event than the one that it is named after.
    #[error("the file after this event is named after an event that came earlier")]
    Renamed,
}
