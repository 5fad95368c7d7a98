//! An index of the log, so that a question need not read all of it.
//!
//! It is never evidence: it is built from the segments alone, says nothing that they do not, and can be thrown away at any time.
//! An event that it finds is read where it stands in the log. Answers with and without it are the same.
//!
//! Events stand in stretches. What an event is is one number: of a combination of a shape (all of a request but what is its own:
//! id, time, duration, records), a caller and a network. A question is put to each shape once, by the code that reads
//! segments, so looking for events is looking through numbers. Records and ids are found by a number made of their name.

use std::path::Path;
use std::time::{Duration, Instant};

use super::folder::segments;
use super::verdict::Fault;

mod ask;
mod block;
mod build;
mod keeper;
mod look;
mod shape;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use keeper::{Keeper, keep};
pub(super) use look::Index;

use build::Builder;
use state::State;
use store::{Store, Unusable};

/// What is to be said of the index that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// The number of the last event that it knew; `None` if there was none.
    pub up_to: Option<u64>,
    /// What happened to it.
    pub notes: Vec<String>,
}

impl Indexed {
    /// The index was no use.
    pub(super) fn damaged(&mut self, why: &str) {
        self.up_to = None;
        self.notes.push(format!(
            "the index was not used: {why}; `paravent audit reindex` builds it anew"
        ));
    }
}

/// Why an answer was not found.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The log cannot be read.
    Log(Fault),
    /// The index is not what was written.
    Index(String),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Log(fault)
    }
}

impl From<Unusable> for Trouble {
    fn from(error: Unusable) -> Self {
        Self::Index(error.to_string())
    }
}

impl Trouble {
    /// What is told of it.
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Log(fault) => fault,
            Self::Index(why) => Fault::Unclear(format!("the index cannot be used: {why}")),
        }
    }
}

/// An index turned out to be damaged while it was asked: it is taken away by whoever may do that, so that it is built anew.
pub(super) fn forsake(dir: &Path, why: &str, said: &mut Indexed) {
    said.damaged(why);
    if is_ours(dir) && store::discard(dir).is_ok() {
        said.notes
            .push("it was taken away, and is built anew at the next question".to_owned());
    }
}

/// What building an index came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Events that it knows.
    pub events: u64,
    /// The number of the last of them.
    pub last_seq: u64,
    /// References to records that were read now.
    pub references: u64,
    /// Bytes of its file.
    pub bytes: u64,
}

/// Builds the index of a log anew. `seen` hears how many events it knows so far.
///
/// # Errors
/// If there is no log, or the index cannot be written.
pub fn reindex(dir: &Path, seen: &mut dyn FnMut(u64)) -> Result<Built, Fault> {
    if log_segments(dir)?.is_empty() {
        return Err(Fault::NoLog {
            dir: dir.to_owned(),
        });
    }
    if !is_ours(dir) {
        return Err(Fault::Unclear(format!(
            "the index of `{}` is made by the user who writes the log, and by nobody else: run this as that user, `sudo -u '#{}' paravent audit reindex …`",
            dir.display(),
            owner(dir).unwrap_or_default()
        )));
    }
    let mut built = || -> Result<Built, Unusable> {
        store::discard(dir)?;
        let mut builder = Builder::open(dir, block::EVENTS)?;
        build(&mut builder, &mut |state| {
            seen(state.events());
            false
        })?;
        let bytes = std::fs::metadata(store::path(dir))?.len();
        Ok(Built {
            events: builder.state.events(),
            last_seq: builder.state.last_seq,
            references: builder.references,
            bytes,
        })
    };
    built().map_err(|error| Fault::Unclear(format!("the index cannot be built: {error}")))
}

/// Stretches after which what was built is kept.
const COMMIT_EVERY: u32 = 64;

/// Reads all that is left into an index; stops where `pause` says so.
fn build(
    builder: &mut Builder<'_>,
    pause: &mut dyn FnMut(&State) -> bool,
) -> Result<bool, Unusable> {
    loop {
        let (mut stretches, mut is_over) = (0, false);
        let is_done = builder.advance(&mut |state| {
            stretches += 1;
            is_over = pause(state);
            is_over || stretches >= COMMIT_EVERY
        })?;
        if stretches > 0 || builder.has_other_files() {
            builder.note_files()?;
        }
        if is_done || is_over {
            return Ok(is_done);
        }
    }
}

/// Whether an index is of this log, as far as it goes; what of it is gone by now.
enum Fit {
    /// It is. The number of the first event that is still there, if the oldest segments are gone.
    Fits { pruned: Option<u64> },
    /// It is not, and why.
    Not(String),
}

/// `is_over` says when nobody waits for the answer any more: hashing may take long.
fn fit(dir: &Path, state: &State, is_over: &dyn Fn() -> bool) -> Result<Fit, Unusable> {
    let numbers = segments(dir)?;
    let Some(first) = numbers.first() else {
        return Ok(Fit::Not("the log is gone".to_owned()));
    };
    let kept: Vec<_> = state
        .segments
        .iter()
        .filter(|segment| segment.first_seq >= *first)
        .collect();
    let known = kept.iter().map(|segment| segment.first_seq);
    if !numbers.iter().copied().take(kept.len()).eq(known)
        || kept.is_empty() && !state.segments.is_empty()
    {
        return Ok(Fit::Not(
            "it is of another log, or of one with other segments".to_owned(),
        ));
    }
    for segment in &kept {
        if segment.events == 0 || segment.file.is_some() && segment.file == segment.file_now(dir) {
            continue;
        }
        if !segment.begins_the_same(dir)? {
            return Ok(Fit::Not("it is of another log".to_owned()));
        }
        if !segment.is_unchanged(dir, is_over)? {
            let name = super::folder::segment_name(segment.first_seq);
            return Ok(Fit::Not(format!("`{name}` is not what was indexed")));
        }
    }
    let is_pruned = kept.len() < state.segments.len();
    Ok(Fit::Fits {
        pruned: is_pruned.then_some(*first),
    })
}

/// Opens an index to write, as far as it fits the log; else a new one. Says what happened to the one before.
fn open_fitting<'d>(
    dir: &'d Path,
    notes: &mut Vec<String>,
    is_over: &dyn Fn() -> bool,
) -> Result<Builder<'d>, Unusable> {
    let opened = Builder::open(dir, block::EVENTS).and_then(|mut builder| {
        match fit(dir, &builder.state, is_over)? {
            Fit::Fits { pruned } => {
                if let Some(first_seq) = pruned {
                    builder.prune(first_seq)?;
                }
                Ok(builder)
            }
            Fit::Not(why) => Err(Unusable::Damaged(why)),
        }
    });
    match opened {
        Err(Unusable::Damaged(why)) => {
            notes.push(format!("the index is built anew: {why}"));
            store::discard(dir)?;
            Builder::open(dir, block::EVENTS)
        }
        other => other,
    }
}

/// Bytes of a log that are rather read than added to its index by somebody who asks.
const REST_BYTES: u64 = if cfg!(test) { 2 << 10 } else { 4 << 20 };

/// How long somebody who asks waits at most for the index to be brought up to date; the rest is read from the segments.
const PATIENCE: Duration = Duration::from_secs(20);

/// Brings an index up to date, if whoever asks may write it and there is something to add.
fn bring_up_to_date(dir: &Path, notes: &mut Vec<String>) -> Result<(), Unusable> {
    let mut builder = open_fitting(dir, notes, &|| false)?;
    let begun = Instant::now();
    if !build(&mut builder, &mut |_| begun.elapsed() > PATIENCE)? {
        notes.push(
            "the index is not complete yet; `paravent audit reindex` completes it".to_owned(),
        );
    }
    Ok(())
}

/// How large the file of a segment is, compressed or not.
fn bytes_of(dir: &Path, first_seq: u64) -> u64 {
    let segment = state::Segment {
        first_seq,
        ..state::Segment::default()
    };
    segment.file_now(dir).map_or(0, |(bytes, ..)| bytes)
}

/// Whether so little is behind a place, a segment and how much of it, that it is read as soon as it would be added.
fn is_little(dir: &Path, (segment, bytes): (u64, u64)) -> bool {
    let rest = segments(dir).map(|numbers| {
        let behind = numbers.into_iter().filter(|number| *number >= segment);
        behind.map(|number| bytes_of(dir, number)).sum::<u64>()
    });
    rest.is_ok_and(|all| all.saturating_sub(bytes) < REST_BYTES)
}

/// Whether the user who asks is the one who writes the log. Nobody else touches its index: whoever owns the folder can put a
/// link there, along which somebody who may do more would write and delete elsewhere.
fn is_ours(dir: &Path) -> bool {
    owner(dir).is_ok_and(|owner| owner == rustix::process::geteuid().as_raw())
}

fn owner(dir: &Path) -> std::io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(dir).map(|metadata| metadata.uid())
}

fn log_segments(dir: &Path) -> Result<Vec<u64>, Fault> {
    segments(dir).map_err(|source| Fault::Unreadable {
        path: dir.to_owned(),
        source,
    })
}

impl Index {
    /// The index of a log, brought up to date if that may be done; `None` if there is none that can be used.
    pub(super) fn find(dir: &Path, said: &mut Indexed) -> Result<Option<Self>, Fault> {
        if log_segments(dir)?.is_empty() {
            return Err(Fault::NoLog {
                dir: dir.to_owned(),
            });
        }
        let opened = Self::open(dir);
        let end = match &opened {
            Ok(index) => Some(index.end()),
            Err(Unusable::Missing) => Some((0, 0)),
            Err(_) => None,
        };
        if end.is_some_and(|end| is_little(dir, end)) {
            return Ok(Self::told(opened, said));
        }
        drop(opened);
        if is_ours(dir) {
            match bring_up_to_date(dir, &mut said.notes) {
                // Whoever else writes it brings it up to date.
                Ok(()) | Err(Unusable::Busy | Unusable::Missing) => {}
                Err(error) => said
                    .notes
                    .push(format!("the index cannot be written: {error}")),
            }
        }
        Ok(Self::told(Self::open(dir), said))
    }

    /// What is said of an index that was opened, or not.
    fn told(opened: Result<Self, Unusable>, said: &mut Indexed) -> Option<Self> {
        match opened {
            Ok(index) => {
                said.up_to = index.last_seq();
                return Some(index);
            }
            Err(Unusable::Missing) => {}
            Err(Unusable::Busy) => {
                let note = "the index is in use; the segments were read".to_owned();
                said.notes.push(note);
            }
            Err(error) => said.damaged(&error.to_string()),
        }
        None
    }

    fn open(dir: &Path) -> Result<Self, Unusable> {
        let store = Store::read(dir)?;
        let state = State::read(&store)?;
        match fit(dir, &state, &|| false)? {
            Fit::Fits { pruned: None, .. } => Ok(Self::of(store, state)),
            Fit::Fits { .. } => Err(Unusable::Damaged(
                "segments that it knows were removed since".to_owned(),
            )),
            Fit::Not(why) => Err(Unusable::Damaged(why)),
        }
    }
}
