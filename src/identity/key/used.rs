//! When keys were used last, kept over restarts.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files;

const VERSION: u64 = 1;
const BYTES_MAX: usize = 4 << 20;

/// When keys were used last, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    version: u64,
    used: BTreeMap<String, Timestamp>,
}

impl Used {
    /// The file in the folder of the state.
    pub const FILE: &str = "keys-used.json";

    pub(super) fn new(used: impl IntoIterator<Item = (String, Timestamp)>) -> Self {
        Self {
            version: VERSION,
            used: used.into_iter().collect(),
        }
    }

    /// What a state keeps. Nothing depends on it, so one that cannot be read says nothing.
    pub fn read(state: &Path) -> Self {
        let read = files::read(&state.join(Self::FILE), BYTES_MAX).ok();
        let read = read.and_then(|contents| serde_json::from_slice(&contents.bytes).ok());
        read.filter(|used: &Self| used.version == VERSION)
            .unwrap_or_else(|| Self::new([]))
    }

    /// Keeps it in a state.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, state: &Path) -> io::Result<()> {
        files::replace(&state.join(Self::FILE), &serde_json::to_vec(self)?)
    }

    /// When a key was used.
    pub fn of(&self, name: &str) -> Option<Timestamp> {
        self.used.get(name).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.used.iter().map(|(name, at)| (name.as_str(), *at))
    }
}
