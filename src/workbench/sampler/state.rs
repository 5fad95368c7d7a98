//! How far a reading has come, kept in a file, so that what was interrupted goes on where it was: counts and where the next
//! page begins, no value and no id.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::pages::{Cursor, Remark};
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

    /// Whether records are missing.
    pub fn is_lacking(&self) -> bool {
        self.unread.is_some() || self.cursor.remarks.iter().any(|remark| remark.is_lack())
    }
}

impl<T: Default> Read<T> {
    fn again(&mut self) {
        self.unread = None;
        let remarks = &mut self.cursor.remarks;
        if remarks.remove(&Remark::Full) {
            // Behind what was remembered it goes on.
            self.cursor.is_done = false;
        }
        if self.is_lacking() {
            *self = Self::default();
        }
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

impl<T: Default> State<T> {
    /// Takes up again what was not read to its end.
    fn again(mut self) -> Self {
        for read in self.modules.values_mut() {
            read.again();
        }
        self
    }
}

/// It cannot be kept how far a reading has come.
#[derive(Debug, thiserror::Error)]
#[error("what was counted cannot be kept in `{}`: {}", .path.display(), files::words(.source))]
pub struct NotKept {
    path: PathBuf,
    source: io::Error,
}

/// Something stands where a state is to be kept, and is none: it is left as it is.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is there, and is not what this command keeps: it is not touched; name another file, or remove it", .0.display())]
pub struct Foreign(PathBuf);

/// What stands where a state is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<T> {
    /// Nothing.
    Nothing,
    /// The state of another reading.
    Other,
    /// One that can be gone on with.
    Same(State<T>),
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

    /// What stands there.
    ///
    /// # Errors
    /// If it is no state, or one of another command.
    pub fn read<T: Default + DeserializeOwned>(
        &self,
        terms: &Terms,
    ) -> Result<Standing<T>, Foreign> {
        // A link that leads nowhere is something, too.
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(Standing::Nothing);
        }
        let foreign = || Foreign(self.path.clone());
        let contents = files::read(&self.path, FILE_BYTES_MAX).map_err(|_| foreign())?;
        let state: State<T> = serde_json::from_slice(&contents.bytes).map_err(|_| foreign())?;
        if state.version != VERSION || state.terms.command != terms.command {
            return Err(foreign());
        }
        Ok(match state.terms == *terms {
            true => Standing::Same(state.again()),
            false => Standing::Other,
        })
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
        let read = |kept: &Kept, most| kept.read::<u64>(&terms(most)).ok();
        assert_eq!(read(&kept, 200), Some(Standing::Same(state)));
        assert_eq!(read(&kept, 300), Some(Standing::Other));
        kept.forget();
        assert_eq!(read(&kept, 300), Some(Standing::Nothing));
    }

    #[test]
    fn what_is_no_state_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::at(folder.path().join("crm.json"));
        for text in ["", "{", "policy: p\n", "{\"version\": 1}"] {
            std::fs::write(kept.path(), text).unwrap();
            assert!(kept.read::<u64>(&terms(200)).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(kept.path()).unwrap(), text);
        }
        // The state of another command, though it is of the same form.
        let other = Terms {
            command: "scan".to_owned(),
            ..terms(200)
        };
        kept.keep(&State::<u64>::new(other)).unwrap();
        assert!(kept.read::<u64>(&terms(200)).is_err());
        assert!(
            Kept::at(folder.path().to_owned())
                .read::<u64>(&terms(200))
                .is_err()
        );
    }

    #[test]
    fn what_was_not_read_to_its_end_is_taken_up_again() {
        let of = |remark: Option<Remark>, unread: Option<&str>| Read {
            cursor: Cursor {
                offset: 100,
                read: 100,
                is_done: unread.is_none(),
                remarks: remark.into_iter().collect(),
            },
            unread: unread.map(str::to_owned),
            tally: 7_u64,
        };
        let again = |mut read: Read<u64>| {
            read.again();
            read
        };
        let whole = of(Some(Remark::SmallPages), None);
        assert_eq!(again(whole.clone()), whole);
        let retried = again(of(None, Some("status 403")));
        assert!(!retried.has_ended() && retried.tally == 7);
        let full = again(of(Some(Remark::Full), None));
        assert!(!full.has_ended() && !full.is_lacking() && full.tally == 7);
        for remark in [Remark::AgainTheSame, Remark::TooLarge] {
            assert_eq!(again(of(Some(remark), None)), Read::default());
        }
    }
}
