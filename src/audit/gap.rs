//! Gaps: events that were on disk and are not where they were, noticed and noted.

use std::fmt;
use std::io;
use std::path::Path;

use super::chain::{Head, Lines, next_event};
use super::event::{Event, integer};
use super::format::Told;
use super::format::notice::Notice;

/// What became of events that were on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The folder is not there any more, or another one is there.
    Folder,
    /// The open segment is not there any more.
    Removed,
    /// Another file has its name.
    Replaced,
    /// It is shorter than what was written.
    Truncated,
    /// At a start, the log ends before the head that was kept elsewhere.
    EndMissing,
    /// At a start, the event of that head is another one.
    EndChanged,
}

impl Loss {
    /// The word in the event.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder-gone",
            Self::Removed => "segment-removed",
            Self::Replaced => "segment-replaced",
            Self::Truncated => "segment-truncated",
            Self::EndMissing => "end-missing",
            Self::EndChanged => "end-changed",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "its folder is not there any more",
            Self::Removed => "its open segment was removed or moved away",
            Self::Replaced => "another file has the name of its open segment",
            Self::Truncated => "its open segment is shorter than what was written",
            Self::EndMissing => "it ends before the head that was kept",
            Self::EndChanged => "its end is not what was written",
        })
    }
}

impl std::error::Error for Loss {}

impl From<Loss> for io::Error {
    fn from(loss: Loss) -> Self {
        Self::other(loss)
    }
}

/// The event that notes a gap behind the last event that is known to have been on disk. Events that were refused
/// meanwhile are counted.
pub(super) fn event(last: &Head, loss: Loss, refused: u64) -> Event {
    Event::notice(Notice::Gap {
        last_hash: last.hash.clone(),
        last_seq: integer(last.seq),
        refused: integer(refused),
        why: loss.as_str().to_owned(),
    })
}

/// The head that a segment says it follows, though no other segment may end there: it notes a gap right behind the event
/// before its first one. Mostly its first event does; where replies need not wait for the disk, those come first that were
/// acknowledged before.
pub(super) fn bridged(dir: &Path, first_seq: u64) -> io::Result<Option<Head>> {
    let mut lines = Lines::of_segment(dir, first_seq)?;
    let Some(first) = next_event(&mut lines)? else {
        return Ok(None);
    };
    let prev = first.prev.clone();
    let mut found = Some(first);
    while let Some(line) = found {
        let told = line.told();
        let head = told.as_ref().and_then(noted).map(|(head, _)| head);
        let head = head.filter(|head| head.seq + 1 == first_seq && head.hash == prev);
        if head.is_some() {
            return Ok(head);
        }
        found = next_event(&mut lines)?;
    }
    Ok(None)
}

/// The head behind which an event notes a gap, and why there is one.
pub(super) fn noted(told: &Told) -> Option<(Head, &str)> {
    let Told::Notice(notice) = told else {
        return None;
    };
    match &**notice {
        Notice::Gap {
            last_hash,
            last_seq,
            why,
            ..
        } => {
            let head = Head {
                seq: *last_seq,
                hash: last_hash.clone(),
            };
            Some((head, why))
        }
        _ => None,
    }
}
