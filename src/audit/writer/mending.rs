//! What begins a segment, and how the writer goes on after a failure or behind a gap.

use std::io;

use tracing::error;

use crate::audit::chain::Head;
use crate::audit::event::Event;
use crate::audit::folder::Durable;
use crate::audit::gap::{self, Loss};
use crate::audit::identity::LogTree;
use crate::audit::page::Page;
use crate::audit::signing::{self, Previous};

use super::{Writer, job, recovered};

/// What a segment has to say before anything else: which tree it goes on, and behind a gap that there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    /// The last event before the gap, and why there is one.
    pub(super) gap: Option<(Head, Loss)>,
}

impl Writer {
    /// Adds what a segment has to say first. All of it stands behind what is on disk, and nothing between.
    pub(super) fn open_segment(&self, opening: &Opening, page: &mut Page<'_>) -> io::Result<()> {
        if let Some((last, loss)) = &opening.gap {
            page.add(&mut gap::event(last, *loss, self.refused))?;
        }
        let tree = self.tree.after(&page.leaves);
        page.add(&mut tree.statement())
    }

    /// The event that says which key signs, if that has to be said.
    pub(super) fn key_notice(&self) -> Option<Event> {
        let previous = self.key_due.as_ref()?;
        let keys = self.settings.keys.as_ref()?;
        let origin = signing::origin(&self.tree, &self.settings.node);
        keys.notice(&origin, previous.0.as_ref())
    }

    /// Goes back to the durable part of the segment and on from there. Events that were refused are set aside, those
    /// that were acknowledged are written again.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        self.kept.watch(&self.settled)?;
        match self.disk.lost()? {
            // Only what was written behind the durable part is not there, or not whole: nothing is lost that anybody was told of.
            Some(Loss::Truncated) if self.disk.holds(&self.durable)? => {}
            Some(loss) => return self.bridge(loss),
            None => {}
        }
        let set_aside = self.disk.cut(&self.durable, &self.acknowledged)?;
        if !self.acknowledged.is_empty() {
            self.disk.append(&self.acknowledged)?;
            self.settle()?;
        }
        let notes_gap = self
            .opening
            .as_ref()
            .is_some_and(|opening| opening.gap.is_some());
        // A gap that could not be noted yet tells of the refused events as well.
        let refused = if notes_gap { 0 } else { self.refused };
        self.write(&mut vec![job(recovered(set_aside, refused))])?;
        self.broken = None;
        self.refused = 0;
        Ok(())
    }

    /// Goes on in a new segment behind what was lost, under a new identity, and notes the gap. What was acknowledged and had
    /// not reached the disk is written again before.
    fn bridge(&mut self, loss: Loss) -> io::Result<()> {
        let last = self.settled.clone();
        let tree = LogTree::new(last.seq + 1)?;
        self.disk.bridge(&last, &self.durable)?;
        self.durable = Durable::none();
        self.tree = tree;
        self.key_due = self.settings.keys.as_ref().map(|_| Previous::default());
        self.stated.clear();
        // It stays to be noted, whatever becomes of the first attempt.
        self.opening = Some(Opening {
            gap: Some((last.clone(), loss)),
        });
        self.write_again(&last)?;
        self.note_gap(last, loss)?;
        self.broken = None;
        self.refused = 0;
        Ok(())
    }

    /// Writes what was acknowledged and had not reached the disk, as the first events of a new segment. That holds no terms
    /// yet, so they stand before the events that name them.
    fn write_again(&mut self, last: &Head) -> io::Result<()> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let time = match &self.time {
            Some(time) => time.clone(),
            None => self.settings.clock.now(),
        };
        let mut page = Page::new(last, &self.stated, (&self.settings.node, &time));
        for event in &mut self.unsettled {
            page.add(event)?;
        }
        let Page {
            bytes,
            head,
            leaves,
            last,
            fresh,
            ..
        } = page;
        self.unsettled_leaves = leaves;
        (self.acknowledged, self.acknowledged_last) = (bytes, last);
        (self.head, self.stated) = (head, fresh);
        self.disk.append(&self.acknowledged)?;
        self.settle()
    }

    /// Writes the event that notes a gap behind the last event that is known to have been on disk.
    pub(in crate::audit) fn note_gap(&mut self, last: Head, loss: Loss) -> io::Result<()> {
        let (last_seq, last_hash) = (last.seq, last.hash.as_str());
        error!(last_seq, last_hash, "the access log has a gap: {loss}");
        self.opening = Some(Opening {
            gap: Some((last, loss)),
        });
        self.write(&mut Vec::new())
    }
}
