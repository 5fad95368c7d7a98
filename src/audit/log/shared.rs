//! What the writer and its clients tell each other by.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use crate::audit::identity::LogTree;
use crate::audit::refusals::Refusals;
use crate::audit::room::Room;

use super::{Shared, lock};

impl Shared {
    pub(in crate::audit) fn room(&self) -> Room {
        self.room.room()
    }

    /// Bytes were appended to the log.
    pub(in crate::audit) fn appended(&self, bytes: usize) {
        self.room.append(bytes);
    }

    pub(in crate::audit) fn refusals(&self) -> MutexGuard<'_, Refusals> {
        lock(&self.refusals)
    }

    pub(in crate::audit) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(in crate::audit) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    pub(in crate::audit) fn committed(&self, events: usize) {
        self.events.fetch_add(events as u64, Ordering::Relaxed);
        self.set_healthy(true);
    }

    /// Events up to this one are on disk.
    pub(in crate::audit) fn settled(&self, seq: u64) {
        self.settled.send_replace(seq);
    }

    pub(in crate::audit) fn synced(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    /// Events were written that the log itself needs: terms, and what begins a segment.
    pub(in crate::audit) fn stated(&self, events: usize) {
        self.events.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Asks for the tree over what is on disk; what was told since this was last asked.
    pub(in crate::audit) fn ask_for_tree(&self) -> Option<LogTree> {
        let told = lock(&self.tree).take();
        self.wants_tree.store(true, Ordering::Relaxed);
        told
    }

    /// Tells the tree over what is on disk, if somebody wants to know it.
    pub(in crate::audit) fn tell_tree(&self, tree: &LogTree) {
        if self.wants_tree.load(Ordering::Relaxed) {
            self.wants_tree.store(false, Ordering::Relaxed);
            self.tell_last_tree(tree);
        }
    }

    /// Tells it in any case.
    pub(in crate::audit) fn tell_last_tree(&self, tree: &LogTree) {
        *lock(&self.tree) = Some(tree.clone());
    }

    /// A gap was noted.
    pub(in crate::audit) fn gapped(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// The clock has stepped back, and an event says so.
    pub(in crate::audit) fn clock_stepped(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
        self.clock_steps.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::audit) fn lost(&self, events: usize) {
        self.lost.fetch_add(events as u64, Ordering::Relaxed);
    }
}
