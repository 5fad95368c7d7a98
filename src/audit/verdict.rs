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
    /// What is not there any more because it had been kept long enough, as the log itself says.
    pub pruned: Option<Pruning>,
    /// Where the time of an event is earlier than that of the one before it.
    pub clock_steps: Vec<ClockStep>,
    /// Files that hold what was set aside after a crash or a failure of the disk.
    pub set_aside: Vec<String>,
    /// Bytes of a last line that is not complete: being written now, or torn by a crash.
    pub unfinished_bytes: u64,
}

/// Events that are not there any more, of which only the leaves were kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// The number of the first of them of which there is a leaf.
    pub first_seq: u64,
    /// The number of the last one.
    pub last_seq: u64,
    /// The number of the `audit.pruned` that tells of the last one.
    pub told_seq: u64,
    /// Up to which event something that was kept elsewhere, or a key that counts, vouches for what `audit.pruned` tells; 0 if
    /// nothing does: whoever may write the folder may have removed them.
    pub vouched_seq: u64,
}

impl Pruning {
    /// Whether something vouches for all of it.
    pub fn is_vouched(&self) -> bool {
        self.vouched_seq >= self.last_seq
    }
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

/// A key that was put in force for checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInForce {
    /// The number of the event that says so.
    pub seq: u64,
    /// The name of the key.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Whether another key was in force before, and has not named this one its successor.
    pub is_unvouched: bool,
}

/// One identity of a log: events that are in one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its LOGID.
    pub log: String,
    /// The number of its first event.
    pub from: u64,
    /// How many events it has.
    pub size: u64,
    /// The root of its tree.
    pub root: super::tree::Hash,
}

/// What a checkpoint says of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Where it was found.
    pub name: String,
    /// Whether it was given from outside of the folder.
    pub is_outside: bool,
    /// The LOGID that it names.
    pub log: String,
    /// The size of the tree that it speaks of.
    pub size: u64,
    /// The number of the last event that it speaks of, if it is of this log.
    pub seq: Option<u64>,
    /// When that event was written, as it says.
    pub time: Option<String>,
    /// Whose signature it bears, of the keys that are known.
    pub signer: Option<Signer>,
    /// Whether that is a key to trust.
    pub counts: bool,
    /// What it says.
    pub standing: Standing,
}

impl Checked {
    /// Whether it proves something: it agrees, there are events of which it speaks, and a key counts that has signed it.
    pub fn is_proof(&self) -> bool {
        let by_key = self.signer.as_ref().is_some_and(|signer| signer.counts);
        by_key && self.size > 0 && self.standing == Standing::Agrees
    }
}

/// Who has signed a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The name of the key.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Whether it was given from outside, or one that was has named it its successor.
    pub counts: bool,
}

/// How a checkpoint stands to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The log holds what it says.
    Agrees,
    /// The log holds something else.
    Differs,
    /// The log ends before.
    Missing {
        /// The number of the first event that is missing.
        next_seq: u64,
    },
    /// It speaks of events that are missing in a gap that is known.
    InGap {
        /// The number of the last event before the gap ends.
        last_seq: u64,
    },
    /// It speaks of events behind the first bad one.
    Beyond,
    /// It is of another log.
    OtherLog,
    /// It is of an identity of which all events were pruned, and their leaves are those that it speaks of.
    Pruned,
    /// Its signature is false.
    Forged,
    /// No key that was given has signed it.
    Unsigned,
    /// It is none.
    Unread(super::note::NoteError),
}

impl Standing {
    /// Whether nothing is wrong with it, though it need not prove anything.
    pub fn is_passed_over(self) -> bool {
        matches!(self, Self::Agrees | Self::InGap { .. } | Self::Pruned)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::Missing { .. } => "missing",
            Self::InGap { .. } => "in-gap",
            Self::Beyond => "beyond",
            Self::OtherLog => "other-log",
            Self::Pruned => "pruned",
            Self::Forged => "forged",
            Self::Unsigned => "unsigned",
            Self::Unread(_) => "no-checkpoint",
        }
    }
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
    /// A signed checkpoint says otherwise.
    #[error(
        "a checkpoint says otherwise: {} was written anew, or what follows was", within(*.first_seq, *.last_seq)
    )]
    Forked {
        /// The first event that may be the first bad one.
        first_seq: u64,
        /// The last event that may be.
        last_seq: u64,
    },
    /// Two checkpoints, both signed by keys that count, say different things of the same log.
    #[error(
        "a key has signed two different logs: the checkpoint of {size} events is not of the log of which the one of {other} events is"
    )]
    Split {
        /// The size of the one that is not of this log.
        size: u64,
        /// The size of the one that is.
        other: u64,
    },
    /// A signed checkpoint speaks of more events.
    #[error(
        "events {seq} to {last_seq} are missing, which were there when a checkpoint was signed{}", unless_same(*.first_seq, *.seq)
    )]
    Cut {
        /// The first event that may be the first bad one: nothing proves it and those behind it.
        first_seq: u64,
        /// The number of the first event that is missing.
        seq: u64,
        /// The number of the last event that the checkpoint speaks of.
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

impl Tampering {
    /// A word for it, for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NotCanonical => "not-canonical",
            Self::Removed { .. } => "removed",
            Self::Truncated { .. } => "truncated",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::Malformed => "malformed",
            Self::TermsMissing => "terms-missing",
            Self::TermsChanged => "terms-changed",
            Self::Miscounted => "miscounted",
            Self::Renamed => "renamed",
            Self::Undecodable => "undecodable",
            Self::Misstated => "misstated",
            Self::KeyForged => "key-forged",
            Self::PrunedMissing => "pruned-missing",
            Self::PrunedUntold => "pruned-untold",
            Self::PrunedDiffer { .. } => "pruned-differ",
        }
    }
}

impl Unexpected {
    /// A word for it, for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Differs { .. } => "differs",
            Self::Forked { .. } => "forked",
            Self::Split { .. } => "split",
            Self::Cut { .. } => "cut",
        }
    }

    /// The first and the last event that may be the first bad one; `None` if nobody can say.
    pub fn first_bad(self) -> Option<(u64, u64)> {
        match self {
            Self::Missing { seq, last_seq } => Some((last_seq.saturating_add(1).min(seq), seq)),
            Self::Differs { seq } => Some((1, seq)),
            Self::Forked {
                first_seq,
                last_seq,
            } => Some((first_seq, last_seq)),
            Self::Cut { first_seq, seq, .. } => Some((first_seq, seq)),
            Self::Split { .. } => None,
        }
    }
}

impl Broken {
    /// The first and the last event that may be the first bad one: mostly the same.
    pub fn first_bad(&self) -> (u64, u64) {
        match self.what {
            Tampering::PrunedDiffer { first_seq } => (first_seq, self.seq),
            _ => (self.seq, self.seq),
        }
    }
}

fn unless_same(first: u64, seq: u64) -> String {
    match first < seq {
        true => format!("; nothing proves those from {first} on that are there"),
        false => String::new(),
    }
}

fn within(first: u64, last: u64) -> String {
    match first == last {
        true => format!("event {first}"),
        false => format!("an event from {first} to {last}"),
    }
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
    /// The file begins with another event than the one that it is named after, or is named after one that came earlier.
    #[error("the file is not the one whose name it has")]
    Renamed,
    /// The compressed file cannot be read from here on.
    #[error("the file cannot be decompressed from here on")]
    Undecodable,
    /// The segment does not say to which tree it belongs, or says something that is not so.
    #[error("`audit.segment` is missing, or does not say what the log holds")]
    Misstated,
    /// A key was put in force that nobody has signed who had to.
    #[error("the key that the event puts in force is not signed as it must be")]
    KeyForged,
    /// Events were removed by retention, and what must be kept of them is not there.
    #[error("the event was pruned, and its leaf is not there, or the file of leaves is not whole")]
    PrunedMissing,
    /// Events were removed, and no `audit.pruned` says so.
    #[error("the event is not there, and no `audit.pruned` tells of it")]
    PrunedUntold,
    /// What is kept of pruned events is not theirs.
    #[error("what is kept of pruned events from {first_seq} on is not theirs")]
    PrunedDiffer {
        /// The first one of which it may be so.
        first_seq: u64,
    },
}
