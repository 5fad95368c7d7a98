//! Which event was tampered with, where the chain breaks.

use std::io;

use crate::hex::hex;

use super::super::chain::{Head, Line, Lines, next_event};
use super::super::verdict::Tampering;
use super::event::{Event, Link};

/// What stands where the chain breaks.
pub(super) struct Break<'a> {
    /// The event that should be followed, and the one before it.
    pub(super) head: Link,
    pub(super) before: Link,
    /// The one that does not follow.
    pub(super) event: &'a Event<'a>,
    /// Whether it is the first of its segment.
    pub(super) is_first: bool,
    /// Whether the head is proved by a checkpoint.
    pub(super) is_proved: bool,
}

/// Which of two events that do not fit was tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The one that should stand here.
    This(Tampering),
    /// The one before it.
    TheOneBefore(Tampering),
    /// It or the one before it: only a checkpoint can tell.
    Either,
}

impl Break<'_> {
    /// Says what was done. `rest` are the lines behind it in its segment, `next_segment` those of the next one.
    pub(super) fn judge(
        &self,
        rest: &mut Lines,
        next_segment: impl FnOnce() -> io::Result<Option<Lines>>,
    ) -> io::Result<Verdict> {
        let Self { head, event, .. } = self;
        let expected = head.seq + 1;
        if event.prev == Some(head.leaf) {
            return Ok(Verdict::This(Tampering::Changed));
        }
        if self.is_first && event.seq < expected {
            return Ok(Verdict::This(Tampering::Renamed));
        }
        let own = if_decoded(next_event(rest))?;
        let next = match &own {
            Some(next) => Some((next.seq, next.prev.clone())),
            None => match if_decoded(next_segment())? {
                Some(mut lines) => {
                    if_decoded(next_event(&mut lines))?.map(|next| (next.seq, next.prev))
                }
                None => None,
            },
        };
        if follows_later(head, own, rest)? {
            return Ok(Verdict::This(match event.seq > expected {
                true => Tampering::Reordered,
                false => Tampering::Inserted,
            }));
        }
        let is_sibling = event.seq == head.seq && event.prev == Some(self.before.leaf);
        if is_sibling && event.leaf != head.leaf && !self.is_proved {
            return Ok(Verdict::TheOneBefore(Tampering::Inserted));
        }
        let is_next = |seq| next.as_ref().is_some_and(|(next, _)| *next == seq);
        Ok(if event.seq == expected {
            self.neighbours(next.as_ref())
        } else if event.seq > expected && !is_next(expected + 1) {
            let last_seq = event.seq - 1;
            Verdict::This(Tampering::Removed { last_seq })
        } else if event.seq < expected && is_next(expected) {
            Verdict::This(Tampering::Inserted)
        } else {
            Verdict::This(Tampering::Changed)
        })
    }

    /// Its number is right: so it names another one before it than the one that is there.
    fn neighbours(&self, next: Option<&(u64, String)>) -> Verdict {
        let Self { head, event, .. } = self;
        let names_it = |prev: &String| prev.strip_prefix("sha256:") == Some(&hex(&event.leaf));
        let is_contradicted =
            next.is_some_and(|(seq, prev)| *seq == head.seq + 2 && !names_it(prev));
        if is_contradicted || self.is_proved || head.seq == 0 {
            Verdict::This(Tampering::Changed)
        } else if next.is_some() {
            Verdict::TheOneBefore(Tampering::Changed)
        } else {
            Verdict::Either
        }
    }
}

/// What stands further on; nothing where a compressed segment cannot be decoded. That is said when it is its turn.
pub(super) fn if_decoded<T>(found: io::Result<Option<T>>) -> io::Result<Option<T>> {
    match found {
        Err(error) if is_undecoded(&error) => Ok(None),
        found => found,
    }
}

/// Whether an error is one of what a file holds, and not of the system.
pub(super) fn is_undecoded(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other
    )
}

/// Whether some event further on follows.
fn follows_later(head: &Link, first: Option<Line>, rest: &mut Lines) -> io::Result<bool> {
    let head = Head {
        seq: head.seq,
        hash: format!("sha256:{}", hex(&head.leaf)),
    };
    let mut found = first;
    while let Some(line) = found {
        if head.precedes(&line) {
            return Ok(true);
        }
        found = if_decoded(next_event(rest))?;
    }
    Ok(false)
}
