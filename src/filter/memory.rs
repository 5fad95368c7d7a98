//! What filters leave to those that come after them. A reply mostly shows what an earlier one has shown on the same terms,
//! so that its fields have been met, and their rules found.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::policy::KnownFields;
use crate::vocabulary::{Field, Module};

use super::book::ModuleBook;
use super::report::{FieldCount, FieldCounts, Ordering};

/// Parts that are locked one by one. As many threads as that hardly ever meet.
const SLOTS: usize = 16;
/// Books that one part keeps.
const BOOKS_MAX: usize = 16;
/// Sets of fields that one part keeps.
const SETS_MAX: usize = 64;
/// Fields of the largest set that is kept. Modules have a hundred or two.
const SET_FIELDS_MAX: usize = 512;

/// What the filters before one CRM leave to each other. Whoever holds a policy holds one of these, and drops it with the
/// policy, so that nothing of one policy is left to another.
///
/// It only saves work: a filter whose memory is empty lets the same bytes through and counts the same. Bounded; a copy is
/// the same memory.
#[derive(Clone, Default)]
pub struct Memory(Arc<[Mutex<Slot>; SLOTS]>);

/// What one part of a memory holds. What it is looked up by is held, too, so that an address which is compared cannot have
/// been given to something else in the meantime.
#[derive(Default)]
struct Slot {
    books: Vec<ModuleBook>,
    sets: Vec<Arc<Ordering>>,
}

impl Memory {
    /// An empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// The part that other threads hardly use.
    fn slot(&self) -> Option<MutexGuard<'_, Slot>> {
        let thread = std::thread::current().id();
        let number = foldhash::fast::FixedState::default().hash_one(thread);
        let slot = self.0.get((number % SLOTS as u64) as usize)?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An empty book of a module, on the terms that these known fields are part of, where these fields were asked for to judge
    /// records only, and those are read to do so.
    pub(super) fn take(
        &self,
        module: &Module,
        known: Arc<KnownFields>,
        added: &Arc<BTreeSet<Field>>,
        read: &Arc<BTreeSet<Field>>,
    ) -> ModuleBook {
        let is_that = |book: &ModuleBook| {
            Arc::ptr_eq(&book.known, &known)
                && book.module == *module
                && book.added == *added
                && book.read == *read
        };
        let kept = self.slot().and_then(|mut slot| {
            let at = slot.books.iter().position(is_that)?;
            Some(slot.books.swap_remove(at))
        });
        kept.unwrap_or_else(|| ModuleBook::new(module, known, Arc::clone(added), Arc::clone(read)))
    }

    /// Keeps a book that has been reported.
    pub(super) fn put(&self, mut book: ModuleBook) {
        if !book.clear() {
            return;
        }
        book.number = None;
        book.has_room = false;
        let Some(mut slot) = self.slot() else { return };
        if slot.books.len() >= BOOKS_MAX {
            slot.books.remove(0);
        }
        slot.books.push(book);
    }

    /// Puts counts of different fields, in whatever order they come, into that of their paths.
    pub(super) fn ordered(&self, counts: &[FieldCount<'_>]) -> FieldCounts {
        let kept = self.slot().filter(|_| counts.len() <= SET_FIELDS_MAX);
        let Some(mut slot) = kept else {
            return counts.iter().copied().collect();
        };
        let known = slot.sets.iter().find(|kept| kept.is_of(counts)).cloned();
        let set = known.unwrap_or_else(|| {
            if slot.sets.len() >= SETS_MAX {
                slot.sets.clear();
            }
            let set = Arc::new(Ordering::new(counts));
            slot.sets.push(set.clone());
            set
        });
        drop(slot);
        set.fill(counts)
    }
}

impl fmt::Debug for Memory {
    /// Without what it holds: names of fields that a CRM has sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Memory {
    /// How many books and sets it holds.
    pub(super) fn held(&self) -> (usize, usize) {
        let slots = self.0.iter().map(|slot| slot.lock().unwrap());
        slots.fold((0, 0), |(books, sets), slot| {
            (books + slot.books.len(), sets + slot.sets.len())
        })
    }
}
