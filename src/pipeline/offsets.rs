//! Where pages that were put together went on: the offsets that callers were given, and those of the CRM that they stand for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};

use crate::dialect::{Exchange, Operation};

/// How long an offset is good, from the last page of its list on.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);
/// Lists of one caller, and offsets of one list, that are remembered.
const LISTS_MAX: usize = 32;
const OFFSETS_MAX: usize = 256;
/// Lists that are remembered over all callers.
const ALL_LISTS_MAX: usize = 20_000;

/// The offsets that callers were given.
#[derive(Debug, Default)]
pub(super) struct Offsets(Mutex<HashMap<String, Vec<List>>>);

/// A list, whichever page of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListKey([u8; 32]);

/// What was told of a list.
#[derive(Debug)]
struct List {
    key: ListKey,
    used: Instant,
    /// Where in the CRM's list a page begins that begins at an offset of ours.
    begins: BTreeMap<u64, u64>,
    /// The offset behind the last record, once it was told.
    end: Option<u64>,
}

/// How far a page has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turned {
    /// The offset behind its last record, of records that are there for the caller.
    pub(super) ours: u64,
    /// That of the next record which may be, in the CRM's list.
    pub(super) theirs: u64,
    /// Whether there are no more.
    pub(super) is_last: bool,
}

impl ListKey {
    /// The list that an operation asks for a page of, for a purpose; `None`, if it has no pages. Which fields are asked for
    /// does not matter.
    pub(super) fn of(
        exchange: &dyn Exchange,
        operation: &Operation,
        purpose: Option<&str>,
    ) -> Option<Self> {
        let mut first = exchange.page_at(operation, 0, 1)?;
        first.credential = None;
        first.query.projection = None;
        let request = exchange.render(&first);
        let mut context = Context::new(&SHA256);
        let parts = [
            purpose.unwrap_or_default().as_bytes(),
            request.method.as_str().as_bytes(),
            request.target.as_bytes(),
            request.body.as_deref().unwrap_or_default(),
        ];
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let digest = context.finish();
        digest.as_ref().try_into().ok().map(Self)
    }
}

impl Offsets {
    /// Where in our list a page begins, and where in the CRM's; `None`, if no page that the caller was given ended there.
    pub(super) fn begin(&self, caller: &str, key: ListKey, offset: u64) -> Option<(u64, u64)> {
        if offset == 0 {
            return Some((0, 0));
        }
        let mut callers = self.callers();
        let lists = callers.get_mut(caller)?;
        let list = lists.iter_mut().find(|list| list.key == key)?;
        list.used = Instant::now();
        // Behind the end there is nothing more, as whoever was told the end knows.
        let offset = list.end.map_or(offset, |end| offset.min(end));
        Some((offset, *list.begins.get(&offset)?))
    }

    /// Remembers what a caller is told.
    pub(super) fn turned(&self, caller: &str, key: ListKey, turned: Turned) {
        let mut callers = self.callers();
        let place_in = |lists: &Vec<List>| lists.iter().position(|list| list.key == key);
        let place = callers.get(caller).and_then(place_in);
        // Only a new list takes room, so that only then all are counted.
        if place.is_none() && callers.values().map(Vec::len).sum::<usize>() >= ALL_LISTS_MAX {
            forget_oldest(&mut callers);
        }
        let lists = callers.entry(caller.to_owned()).or_default();
        let mut list = place.map_or_else(|| List::new(key), |place| lists.remove(place));
        list.used = Instant::now();
        list.begins.insert(turned.ours, turned.theirs);
        if list.begins.len() > OFFSETS_MAX {
            list.begins.pop_first();
        }
        list.end = turned.is_last.then_some(turned.ours);
        if lists.len() >= LISTS_MAX {
            lists.remove(0);
        }
        lists.push(list);
    }

    /// Forgets what nobody has asked for in a while.
    pub(super) fn sweep(&self) {
        let mut callers = self.callers();
        callers.retain(|_, lists| {
            lists.retain(|list| list.used.elapsed() < GOOD_FOR);
            !lists.is_empty()
        });
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<String, Vec<List>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn new(key: ListKey) -> Self {
        Self {
            key,
            used: Instant::now(),
            begins: BTreeMap::new(),
            end: None,
        }
    }
}

/// Forgets the lists of whoever has turned no page for longest.
fn forget_oldest(callers: &mut HashMap<String, Vec<List>>) {
    let last_used = |lists: &Vec<List>| lists.iter().map(|list| list.used).max();
    let oldest = callers.iter().min_by_key(|(_, lists)| last_used(lists));
    let oldest = oldest.map(|(caller, _)| caller.clone());
    if let Some(oldest) = oldest {
        callers.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: ListKey = ListKey([1; 32]);
    const OTHER: ListKey = ListKey([2; 32]);

    fn turned(ours: u64, theirs: u64, is_last: bool) -> Turned {
        Turned {
            ours,
            theirs,
            is_last,
        }
    }

    #[test]
    fn a_page_begins_where_another_of_the_same_list_and_caller_ended() {
        let offsets = Offsets::default();
        offsets.turned("anna", LIST, turned(20, 73, false));
        assert_eq!(offsets.begin("anna", LIST, 0), Some((0, 0)));
        assert_eq!(offsets.begin("anna", LIST, 20), Some((20, 73)));
        for (caller, list, offset) in [
            ("anna", LIST, 19),
            ("anna", LIST, 40),
            ("anna", OTHER, 20),
            ("bert", LIST, 20),
        ] {
            assert_eq!(offsets.begin(caller, list, offset), None);
        }
    }

    #[test]
    fn whoever_asks_behind_an_end_does_not_move_it() {
        let offsets = Offsets::default();
        offsets.turned("anna", LIST, turned(27, 90, true));
        let (ours, theirs) = offsets.begin("anna", LIST, 500).unwrap();
        assert_eq!((ours, theirs), (27, 90));
        offsets.turned("anna", LIST, turned(ours, theirs, true));
        assert_eq!(offsets.begin("anna", LIST, 28), Some((27, 90)));
    }

    #[test]
    fn behind_an_end_that_was_told_there_is_nothing_and_that_is_said() {
        let offsets = Offsets::default();
        offsets.turned("anna", LIST, turned(20, 73, false));
        offsets.turned("anna", LIST, turned(27, 90, true));
        assert_eq!(offsets.begin("anna", LIST, 27), Some((27, 90)));
        assert_eq!(offsets.begin("anna", LIST, 40), Some((27, 90)));
        assert_eq!(offsets.begin("anna", LIST, 25), None);
    }

    #[test]
    fn what_is_remembered_is_bounded_by_caller_and_by_list() {
        let offsets = Offsets::default();
        for page in 1..=1_000 {
            offsets.turned("anna", LIST, turned(page, page, false));
        }
        assert_eq!(offsets.begin("anna", LIST, 1_000), Some((1_000, 1_000)));
        assert_eq!(offsets.begin("anna", LIST, 1), None);
        offsets.turned("bert", LIST, turned(20, 20, false));
        for list in 0..=255 {
            offsets.turned("anna", ListKey([list; 32]), turned(20, 20, false));
        }
        assert_eq!(
            offsets.begin("anna", ListKey([255; 32]), 20),
            Some((20, 20))
        );
        assert_eq!(offsets.begin("anna", ListKey([3; 32]), 20), None);
        assert_eq!(offsets.begin("bert", LIST, 20), Some((20, 20)));
    }
}
