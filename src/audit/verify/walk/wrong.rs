//! What is wrong where the log is not what was written.

use std::io;

use super::super::super::chain::{Lines, later_version, next_event};
use super::super::super::folder::{packed_name, segment_name};
use super::super::super::gap;
use super::super::super::verdict::{Fault, Tampering};
use super::super::event::Event;
use super::super::judge::{Break, Verdict, if_decoded, is_undecoded};
use super::{At, End, Walk, broken};

impl Walk<'_> {
    pub(super) fn unreadable(&self, source: io::Error) -> Fault {
        Fault::Unreadable {
            path: self.dir.to_owned(),
            source,
        }
    }

    /// What an error of reading a segment means: a compressed one may have been tampered with.
    pub(super) fn unread(&self, first_seq: u64, line: u64, source: io::Error) -> Fault {
        let path = self.dir.join(segment_name(first_seq));
        let is_data = is_undecoded(&source);
        match is_data && !path.exists() {
            true => {
                let seq = self.head.seq + 1;
                broken(packed_name(first_seq), line, seq, Tampering::Undecodable)
            }
            false => Fault::Unreadable { path, source },
        }
    }

    /// What a line means that is no event.
    pub(super) fn no_event(
        &mut self,
        at: &mut At<'_>,
        line: &[u8],
        end: End,
    ) -> io::Result<Result<bool, Fault>> {
        let expected = self.head.seq + 1;
        let file = segment_name(at.first_seq);
        let later = later_version(line);
        let is_rest_empty = if_decoded(next_event(at.lines))?.is_none();
        if let Some(version) = later
            && is_rest_empty
            // Else somebody has written it between events of this format.
            && self.has_no_events_behind(at.first_seq)?
        {
            self.identities.push(super::super::event::leaf(line), b"");
            return Ok(Err(Fault::Later {
                file,
                line: at.number,
                seq: expected,
                version,
            }));
        }
        if let Some(next_first) = at.next_first
            && is_rest_empty
            && if_decoded(gap::bridged(self.dir, next_first))?.is_some()
        {
            return Ok(Ok(false));
        }
        let what = match (end, at.next_first) {
            (End::File, Some(next)) => Tampering::Truncated {
                last_seq: next.saturating_sub(1),
            },
            _ => Tampering::NotCanonical,
        };
        Ok(Err(broken(file, at.number, expected, what)))
    }

    fn has_no_events_behind(&self, first_seq: u64) -> io::Result<bool> {
        for later in self.segments.iter().filter(|later| **later > first_seq) {
            let lines = Lines::of_segment(self.dir, *later);
            let first = lines.and_then(|mut lines| next_event(&mut lines));
            if if_decoded(first)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says what was done where an event does not follow.
    pub(super) fn contradiction(
        &mut self,
        at: &mut At<'_>,
        event: &Event<'_>,
    ) -> io::Result<Fault> {
        let found = Break {
            head: self.head,
            before: self.before,
            event,
            is_first: at.number == 1,
            is_proved: self.is_head_proved() || self.identities.is_stated_by(event),
        };
        let next = at.next_first;
        let next = || {
            next.map(|next| Lines::of_segment(self.dir, next))
                .transpose()
        };
        let verdict = match found.judge(at.lines, next)? {
            Verdict::Either => self.decide(event),
            verdict => verdict,
        };
        let what = match verdict {
            Verdict::This(what) => {
                let file = segment_name(at.first_seq);
                return Ok(broken(file, at.number, self.head.seq + 1, what));
            }
            Verdict::TheOneBefore(what) => what,
            Verdict::Either => Tampering::Changed,
        };
        let first_seq = self.head.seq;
        if first_seq == self.pruned_seq {
            let what = Tampering::PrunedDiffer { first_seq };
            return Ok(broken(self.pruned.file_of(first_seq), 0, first_seq, what));
        }
        let (file, line) = self.place;
        Ok(broken(segment_name(file), line, first_seq, what))
    }

    /// Whether a checkpoint that counts agrees up to the head.
    fn is_head_proved(&self) -> bool {
        let (Some(log), Some(tree)) = (self.identities.log(), self.identities.growing()) else {
            return false;
        };
        let judge = self.judging(Vec::new());
        judge.agrees_if(self.claims, (log, tree.size()), &tree.root()) == Some(true)
    }

    /// The very last event contradicts the one before it, and nothing else knows which of the two was changed.
    fn decide(&self, event: &Event<'_>) -> Verdict {
        let (Some(log), Some(tree), Some(prev)) =
            (self.identities.log(), self.identities.growing(), event.prev)
        else {
            return Verdict::Either;
        };
        let root = tree.root_if(prev, event.leaf);
        let judge = self.judging(Vec::new());
        match judge.agrees_if(self.claims, (log, tree.size() + 1), &root) {
            Some(true) | None => Verdict::Either,
            Some(false) => Verdict::This(Tampering::Changed),
        }
    }
}
