//! How far a reading has come, kept in a file, so that what was interrupted goes on where it was: counts and where the next
//! page begins, no value and no id.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::pages::Cursor;
use crate::files;

/// The form of the file.
const VERSION: u64 = 1;
/// Bytes of the file.
const FILE_BYTES_MAX: usize = 256 << 20;
/// How often it is written, at most.
const PAUSE: Duration = Duration::from_secs(2);

/// What a reading was about. Another one begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The command.
    pub command: String,
    /// The CRM.
    pub upstream: String,
    /// Where it is.
    pub url: String,
    /// Its API.
    pub dialect: String,
    /// The account, where it is not the proxy's own.
    pub account: Option<String>,
    /// The modules that were asked for; none: all.
    pub modules: Vec<String>,
    /// Records of a module at most; `None`: all.
    pub most: Option<u64>,
}

/// What was read, and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State<T> {
    version: u64,
    terms: Terms,
    /// By module.
    pub modules: BTreeMap<String, Read<T>>,
}

/// What was read of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read<T> {
    /// How far.
    pub cursor: Cursor,
    /// Why it could not be read, in fixed words.
    pub unread: Option<String>,
    /// What was counted.
    pub tally: T,
}

impl<T> Read<T> {
    /// Whether nothing more is to be read.
    pub fn has_ended(&self) -> bool {
        self.cursor.is_done || self.unread.is_some()
    }
}

impl<T> State<T> {
    /// Nothing yet.
    pub fn new(terms: Terms) -> Self {
        Self {
            version: VERSION,
            terms,
            modules: BTreeMap::new(),
        }
    }
}

/// It cannot be kept how far a reading has come.
#[derive(Debug, thiserror::Error)]
#[error("what was counted cannot be kept in `{}`: {}", .path.display(), files::words(.source))]
pub struct NotKept {
    path: PathBuf,
    source: io::Error,
}

/// The file of a state.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    written: Option<Instant>,
}

impl Kept {
    /// A file.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            written: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands there, if it is of the same terms.
    pub fn read<T: DeserializeOwned>(&self, terms: &Terms) -> Option<State<T>> {
        let contents = files::read(&self.path, FILE_BYTES_MAX).ok()?;
        let state: State<T> = serde_json::from_slice(&contents.bytes).ok()?;
        (state.version == VERSION && state.terms == *terms).then_some(state)
    }

    /// Whether something else stands there than a state that could be read on.
    pub fn is_of_other_terms<T: DeserializeOwned>(&self, terms: &Terms) -> bool {
        self.path.exists() && self.read::<T>(terms).is_none()
    }

    /// Writes it, if it was not just written.
    ///
    /// # Errors
    /// If that fails.
    pub fn keep_now_and_then<T: Serialize>(&mut self, state: &State<T>) -> Result<(), NotKept> {
        match self.written {
            Some(written) if written.elapsed() < PAUSE => Ok(()),
            _ => self.keep(state),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// If that fails.
    pub fn keep<T: Serialize>(&mut self, state: &State<T>) -> Result<(), NotKept> {
        self.written = Some(Instant::now());
        let written = serde_json::to_vec(state)
            .map_err(io::Error::other)
            .and_then(|bytes| files::replace(&self.path, &bytes));
        written.map_err(|source| NotKept {
            path: self.path.clone(),
            source,
        })
    }

    /// Removes it: nothing is left to go on with.
    pub fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(most: u64) -> Terms {
        Terms {
            command: "discover".to_owned(),
            upstream: "crm".to_owned(),
            url: "http://127.0.0.1:9".to_owned(),
            dialect: "x".to_owned(),
            account: None,
            modules: Vec::new(),
            most: Some(most),
        }
    }

    #[test]
    fn only_what_is_of_the_same_terms_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::at(folder.path().join("state/crm.json"));
        let mut state = State::<u64>::new(terms(200));
        state.modules.insert("A".to_owned(), Read::default());
        kept.keep(&state).unwrap();
        assert_eq!(kept.read::<u64>(&terms(200)), Some(state));
        assert_eq!(kept.read::<u64>(&terms(300)), None);
        assert!(kept.is_of_other_terms::<u64>(&terms(300)));
        std::fs::write(kept.path(), "{").unwrap();
        assert_eq!(kept.read::<u64>(&terms(200)), None);
        kept.forget();
        assert!(!kept.is_of_other_terms::<u64>(&terms(300)));
    }
}
