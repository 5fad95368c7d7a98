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

impl Default for Used {
    fn default() -> Self {
        Self::new([])
    }
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

    /// What a state keeps.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn read(state: &Path) -> io::Result<Self> {
        let bytes = match files::read(&state.join(Self::FILE), BYTES_MAX) {
            Ok(contents) => contents.bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let used: Self = serde_json::from_slice(&bytes)?;
        match used.version {
            VERSION => Ok(used),
            _ => Err(io::Error::other("it is in another version")),
        }
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
