//! Counts by name, of so many names at most: what a log names may be endless.

use std::collections::BTreeMap;

use super::model::Cell;

/// Names that are counted each by itself. More are counted together, so that sums stay exact.
const NAMES_MAX: usize = 20_000;

/// Counts by name.
#[derive(Debug)]
pub(super) struct Tally<K, V> {
    own: BTreeMap<K, V>,
    most: usize,
    others: V,
    has_others: bool,
}

impl<K: Ord, V: Default> Default for Tally<K, V> {
    fn default() -> Self {
        Self::of_most(NAMES_MAX)
    }
}

impl<K: Ord, V: Default> Tally<K, V> {
    /// With so many names at most.
    pub(super) fn of_most(most: usize) -> Self {
        Self {
            own: BTreeMap::new(),
            most,
            others: V::default(),
            has_others: false,
        }
    }

    /// The count of a name.
    pub(super) fn at(&mut self, name: K) -> &mut V {
        if self.own.len() >= self.most && !self.own.contains_key(&name) {
            self.has_others = true;
            return &mut self.others;
        }
        self.own.entry(name).or_default()
    }

    /// The counts of the names, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.own.iter()
    }

    /// The count of a name, if it has one.
    pub(super) fn get(&self, name: &K) -> Option<&V> {
        self.own.get(name)
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.own.len()
    }

    /// What was counted together, if there were too many names.
    pub(super) fn others(&self) -> Option<&V> {
        self.has_others.then_some(&self.others)
    }

    /// The names with their counts, greatest first.
    pub(super) fn sorted<R: Ord>(&self, rank: impl Fn(&V) -> R) -> Vec<(&K, &V)> {
        let mut all: Vec<(&K, &V)> = self.own.iter().collect();
        all.sort_by_cached_key(|(_, count)| std::cmp::Reverse(rank(count)));
        all
    }
}

/// Numbers of a log, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amount {
    pub(super) sum: u64,
    /// Whether it may be more, as the log does not say all.
    pub(super) is_least: bool,
}

impl Amount {
    /// What is known to the end.
    pub(super) fn exactly(sum: u64) -> Self {
        Self {
            sum,
            is_least: false,
        }
    }

    /// Adds another.
    pub(super) fn add(&mut self, other: Self) {
        add(&mut self.sum, other.sum);
        self.is_least |= other.is_least;
    }

    /// As it is shown.
    pub(super) fn cell(self) -> Cell {
        match self.is_least {
            true => Cell::AtLeast(self.sum),
            false => Cell::Number(self.sum),
        }
    }
}

/// Adds a number of a log, which may say anything: what is too much for a counter is the most that it holds.
pub(super) fn add(sum: &mut u64, count: u64) {
    *sum = sum.saturating_add(count);
}

/// The sum of such numbers.
pub(super) fn sum(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}

/// The middle of some numbers; of an even number of them, the lower of both. 0 of none.
pub(super) fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    let middle = numbers.len().saturating_sub(1) / 2;
    numbers.get(middle).copied().unwrap_or(0)
}
