//! How many different things were named: exactly, as long as they fit into memory.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};

use super::model::Cell;

/// Things that are remembered: some 80 MB.
const THINGS_MAX: usize = 4_000_000;

/// Things that were named, each as 64 bits of a keyed hash: two of four million look alike once in two million logs.
#[derive(Debug)]
pub(super) struct Distinct {
    hashes: HashSet<u64>,
    key: RandomState,
    most: usize,
    is_full: bool,
}

impl Default for Distinct {
    fn default() -> Self {
        Self::of_most(THINGS_MAX)
    }
}

impl Distinct {
    /// With room for so many.
    pub(super) fn of_most(most: usize) -> Self {
        Self {
            hashes: HashSet::new(),
            key: RandomState::new(),
            most,
            is_full: false,
        }
    }

    /// Whether a thing is named for the first time. Where there is no room left it is not counted.
    pub(super) fn is_new(&mut self, thing: impl Hash) -> bool {
        let hash = self.key.hash_one(thing);
        if self.hashes.contains(&hash) {
            return false;
        }
        if self.hashes.len() >= self.most {
            self.is_full = true;
            return false;
        }
        self.hashes.insert(hash)
    }

    /// A count of new things as it may be shown: if there was no room for some, it may be more.
    pub(super) fn cell(&self, count: u64) -> Cell {
        match self.is_full {
            true => Cell::AtLeast(count),
            false => Cell::Number(count),
        }
    }
}
