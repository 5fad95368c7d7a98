//! How long events are kept: whole segments go once all of their events are older.
//!
//! A segment that is not whole stays, with all behind it: what was done to it is evidence. So does everything while the
//! clock tells an earlier time than the newest event.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::chain::{End, Head, Line, Lines, last_line};
use super::event::{Event, integer};
use super::folder::{packed_name, parts_of, segment_name, segments, sync_dir};
use super::format::notice::Notice;
use super::gap;
use super::pruned;
use super::tree::Hash;

/// Segments that follow each other, of which all events are older than they must be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Old {
    /// The numbers of their first events.
    segments: Vec<u64>,
    last_seq: u64,
    bytes: u64,
}

/// What stands in a closed segment.
struct Content {
    leaves: Vec<Hash>,
    /// The latest time that an event of it says.
    latest: String,
}

impl Old {
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The event that says that they are about to go.
    pub(super) fn event(&self, keep: Duration) -> Event {
        Event::notice(Notice::Pruned {
            bytes: integer(self.bytes),
            first_seq: integer(self.segments.first().copied().unwrap_or_default()),
            keep: written(keep),
            last_seq: integer(self.last_seq),
            segments: self.segments.len() as u64,
            why: "keep".to_owned(),
        })
    }

    /// Removes their files. Their leaves are kept, and the event that says so is on disk.
    pub(super) fn remove(&self, dir: &Path) -> io::Result<()> {
        // The first ones first, so that what is left always follows what is gone.
        for first_seq in &self.segments {
            for name in files_of(dir, *first_seq)? {
                match fs::remove_file(dir.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            sync_dir(dir)?;
        }
        Ok(())
    }
}

/// The files of a segment, the one that counts last.
fn files_of(dir: &Path, first_seq: u64) -> io::Result<Vec<String>> {
    let mut names = parts_of(dir, first_seq)?;
    names.extend([packed_name(first_seq), segment_name(first_seq)]);
    Ok(names)
}

/// A time as the configuration writes it.
pub(super) fn written(keep: Duration) -> String {
    let seconds = keep.as_secs();
    match (seconds % 86_400, seconds % 3_600) {
        (0, _) => format!("{}d", seconds / 86_400),
        (_, 0) => format!("{}h", seconds / 3_600),
        _ => format!("{seconds}s"),
    }
}

/// Which segments are old enough to go. Their leaves are kept from here on.
///
/// # Errors
/// If the log cannot be read, or leaves cannot be kept.
pub(super) fn judge(
    dir: &Path,
    keep: Duration,
    now: Timestamp,
    pause: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Old> {
    let segments = segments(dir)?;
    let mut old = Old::default();
    let Some((&open, _)) = segments.split_last() else {
        return Ok(old);
    };
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    let horizon = format!("{:.3}", now.checked_sub(keep).unwrap_or(Timestamp::MIN));
    let Some(newest) = time_of_last(dir, open)? else {
        // It was begun a moment ago.
        return Ok(old);
    };
    for pair in segments.windows(2) {
        let &[first_seq, next_seq] = pair else {
            continue;
        };
        // Most are younger, which their last event tells.
        if time_of_last(dir, first_seq)?.is_some_and(|time| time >= horizon) {
            break;
        }
        if newest > format!("{now:.3}") {
            warn!(
                newest,
                "the clock tells an earlier time than the newest event of the access log; nothing of it is removed"
            );
            break;
        }
        let Some(content) = content(dir, first_seq, next_seq, pause)? else {
            warn!(
                segment = segment_name(first_seq),
                "a segment of the access log is older than `audit.keep`, but not whole; it stays, and so do those behind it: `paravent audit verify` says what is wrong"
            );
            break;
        };
        if content.latest >= horizon {
            break;
        }
        pruned::keep(dir, first_seq, &content.leaves)?;
        old.last_seq = first_seq + content.leaves.len() as u64 - 1;
        for name in files_of(dir, first_seq)? {
            old.bytes += fs::symlink_metadata(dir.join(name)).map_or(0, |there| there.len());
        }
        old.segments.push(first_seq);
    }
    Ok(old)
}

/// The time of the last event of a segment; `None` if it does not end with one.
fn time_of_last(dir: &Path, first_seq: u64) -> io::Result<Option<String>> {
    let line = last_line(dir, first_seq)?;
    Ok(line.as_deref().and_then(Line::read).map(|line| line.time))
}

/// Reads a closed segment; `None` if its events do not follow each other up to the next one, or to a noted gap.
fn content(
    dir: &Path,
    first_seq: u64,
    next_seq: u64,
    pause: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Option<Content>> {
    let mut lines = Lines::of_segment(dir, first_seq)?;
    let mut head: Option<Head> = None;
    let (mut leaves, mut latest) = (Vec::new(), String::new());
    let mut is_torn = false;
    while let Some(end) = lines.next()? {
        let line = Line::read(&lines.line).filter(|_| end == End::Newline);
        let Some(line) = line else {
            is_torn = true;
            continue;
        };
        let follows = match &head {
            Some(head) => head.precedes(&line),
            None => line.seq == first_seq,
        };
        let Some(leaf) = leaf(&line.hash).filter(|_| follows && !is_torn) else {
            return Ok(None);
        };
        leaves.push(leaf);
        head = Some(line.head());
        latest = latest.max(line.time);
        if leaves.len() % EVENTS_AT_A_TIME == 0 {
            pause()?;
        }
    }
    let last_seq = head.map_or(0, |head| head.seq);
    let is_whole = !is_torn && last_seq + 1 == next_seq;
    let is_whole = is_whole || last_seq > 0 && gap::bridged(dir, next_seq)?.is_some();
    Ok(is_whole.then_some(Content { leaves, latest }))
}

/// Events between two pauses.
const EVENTS_AT_A_TIME: usize = 512;

/// The bytes of a hash as the chain writes it.
fn leaf(hash: &str) -> Option<Hash> {
    let hex = hash.strip_prefix("sha256:")?;
    let mut leaf = Hash::default();
    if hex.len() != 2 * leaf.len() {
        return None;
    }
    for (byte, digits) in leaf.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(leaf)
}
