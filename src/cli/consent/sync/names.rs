//! Under which names addresses stand, kept as hashes with a key of their own: nobody can tell from them who it is.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use crate::ledger::{Address, Reference};

/// Which records were met, and under which names their addresses stand.
#[derive(Default)]
pub(super) struct Names {
    state: foldhash::fast::RandomState,
    met: HashSet<u64, foldhash::fast::RandomState>,
    /// By address: its first name.
    names: HashMap<u64, u64, foldhash::fast::RandomState>,
    shared: HashSet<u64, foldhash::fast::RandomState>,
}

impl Names {
    /// Notes a record; whether it was not met before.
    pub(super) fn meet(&mut self, record: &Reference) -> bool {
        let hash = self.state.hash_one(record.as_str());
        self.met.insert(hash)
    }

    /// How many records were met.
    pub(super) fn met(&self) -> u64 {
        self.met.len() as u64
    }

    /// Notes under which name an address stands. Blank says nothing.
    pub(super) fn note(&mut self, address: &Address, name: &str) {
        if name.is_empty() {
            return;
        }
        let address = self.state.hash_one(address.as_str());
        let name = self.state.hash_one(name);
        if *self.names.entry(address).or_insert(name) != name {
            self.shared.insert(address);
        }
    }

    /// Whether an address stands under two names.
    pub(super) fn is_shared(&self, address: &Address) -> bool {
        self.shared.contains(&self.state.hash_one(address.as_str()))
    }

    /// How many do.
    pub(super) fn shared(&self) -> u64 {
        self.shared.len() as u64
    }
}
