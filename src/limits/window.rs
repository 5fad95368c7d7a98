//! The records, or persons, that a caller was shown, and when the last time: a window that slides by twelfths. No clock; what
//! time it is is told.
//!
//! A record leaves the window once twelve whole twelfths lie behind the one in which it was shown: up to a twelfth later than
//! the window is long, and never earlier. Time that goes back changes nothing.

use std::collections::HashMap;
use std::time::Duration;

use crate::policy::Per;

use super::persons::Found;

/// A record, a person or a caller, by a hash that nobody outside of this process can make.
pub(super) type Key = u128;

/// Twelfths of a window that have begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Twelfth(u64);

/// How many twelfths behind its own a record still counts.
const TWELFTHS: u64 = 12;

impl Twelfth {
    /// That of a moment.
    pub(super) fn at(now: Duration, per: Per) -> Self {
        let passed = now.as_nanos() * u128::from(TWELFTHS) / per.length().as_nanos();
        Self(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// Whether something of this twelfth counts no longer.
    fn is_past(self, now: Self) -> bool {
        now.0.saturating_sub(self.0) > TWELFTHS
    }

    /// From when on that is so.
    fn past_from(self, per: Per) -> Duration {
        let twelfths = u32::try_from(self.0 + TWELFTHS + 1).unwrap_or(u32::MAX);
        per.length() * twelfths / 12
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// When it was shown the last time; `None`: it is only held.
    shown: Option<Twelfth>,
    /// Replies that will show it, unless they fail.
    held: u32,
    /// Whether it is a person of whom nothing but a reference is known.
    is_hearsay: bool,
}

/// Other names that are kept, for each person.
const ALSO_MAX: usize = 2;

/// What counts and of which nothing more is known yet.
const HEARSAY: Entry = Entry {
    shown: None,
    held: 0,
    is_hearsay: true,
};

/// The window of one limit and one caller.
#[derive(Debug, Default)]
pub(super) struct Window {
    records: HashMap<Key, Entry>,
    /// Other names of persons, who count under these.
    also: HashMap<Key, Key>,
    now: Twelfth,
    /// When it was told that the limit was reached.
    told: Option<Twelfth>,
    /// When something was shown that did not fit in here any more.
    overflowed: Option<Twelfth>,
}

impl Window {
    /// Forgets what counts no longer.
    pub(super) fn turn(&mut self, now: Twelfth) {
        if now <= self.now {
            return;
        }
        self.now = now;
        let counts = |at: Twelfth| !at.is_past(now);
        self.records
            .retain(|_, entry| entry.held > 0 || entry.shown.is_some_and(counts));
        let records = &self.records;
        self.also.retain(|_, key| records.contains_key(key));
        self.told = self.told.filter(|at| counts(*at));
        self.overflowed = self.overflowed.filter(|at| counts(*at));
    }

    /// Records that count.
    pub(super) fn used(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing of it is worth keeping.
    pub(super) fn is_spent(&self) -> bool {
        self.records.is_empty() && self.told.is_none() && self.overflowed.is_none()
    }

    /// Whether more was shown than is known one by one.
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed.is_some()
    }

    /// Whether a record counts already.
    pub(super) fn holds(&self, key: Key) -> bool {
        self.records.contains_key(&key)
    }

    /// Under which a person counts already who has this name.
    pub(super) fn known(&self, name: Key) -> Option<Key> {
        let also = || self.also.get(&name).copied().filter(|key| self.holds(*key));
        self.holds(name).then_some(name).or_else(also)
    }

    /// Whether of a person who counts nothing but this reference is known.
    pub(super) fn is_hearsay(&self, name: Key) -> bool {
        self.records
            .get(&name)
            .is_some_and(|entry| entry.is_hearsay)
    }

    /// Counts what a reply is about to show, and notes under which other names persons are known: as many as there is room
    /// for. Who is met by another one counts once more.
    pub(super) fn meet(&mut self, found: &Found) {
        for key in &found.keys {
            let entry = self.records.entry(*key).or_insert(HEARSAY);
            entry.held = entry.held.saturating_add(1);
            entry.is_hearsay &= !found.proven.contains(key);
        }
        for (name, key) in found
            .also
            .iter()
            .filter(|(_, key)| self.records.contains_key(key))
        {
            let is_room = self.also.len() < self.records.len() * ALSO_MAX;
            if is_room || self.also.contains_key(name) {
                self.also.insert(*name, *key);
            }
        }
    }

    /// How many of some records, each named once, do not count yet.
    pub(super) fn adds(&self, keys: &[Key]) -> usize {
        keys.iter().filter(|key| !self.holds(**key)).count()
    }

    /// The reply shows what was held for it.
    pub(super) fn keep(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(entry) = self.records.get_mut(key) {
                entry.held = entry.held.saturating_sub(1);
                entry.shown = Some(self.now);
            }
        }
    }

    /// The reply does not show them.
    pub(super) fn give_back(&mut self, keys: &[Key]) {
        let now = self.now;
        for key in keys {
            let Some(entry) = self.records.get_mut(key) else {
                continue;
            };
            entry.held = entry.held.saturating_sub(1);
            // That it was held has kept what was shown too long ago.
            if entry.held == 0 && entry.shown.is_none_or(|at| at.is_past(now)) {
                self.records.remove(key);
            }
        }
    }

    /// Counts records that were shown at some earlier time.
    pub(super) fn shown_at(&mut self, keys: &[Key], at: Twelfth) {
        let at = at.min(self.now);
        for key in keys.iter().filter(|_| !at.is_past(self.now)) {
            let entry = self.records.entry(*key).or_insert(HEARSAY);
            entry.shown = entry.shown.max(Some(at));
        }
    }

    /// More was shown than there is room for.
    pub(super) fn overflow(&mut self, at: Twelfth) {
        let at = at.min(self.now);
        if !at.is_past(self.now) {
            self.overflowed = self.overflowed.max(Some(at));
        }
    }

    /// Notes that it was told at some time; whether nobody had told it before within the window.
    pub(super) fn tell(&mut self, at: Twelfth) -> bool {
        let at = at.min(self.now);
        if at.is_past(self.now) {
            return false;
        }
        let is_news = self.told.is_none();
        self.told = self.told.max(Some(at));
        is_news
    }

    /// Now.
    pub(super) fn now(&self) -> Twelfth {
        self.now
    }

    /// From when on so many records fewer count, if none is shown again; `None` if there are not as many.
    pub(super) fn freed_from(&self, excess: usize, per: Per) -> Option<Duration> {
        let entries = self.records.values();
        let mut last: Vec<Twelfth> = entries
            .map(|entry| match entry.held {
                0 => entry.shown.unwrap_or(self.now),
                _ => self.now,
            })
            .collect();
        last.sort_unstable();
        let at = match excess.checked_sub(1) {
            None => None,
            Some(last_freed) => Some(*last.get(last_freed)?),
        };
        let at = at.max(self.overflowed)?;
        Some(at.past_from(per))
    }
}
