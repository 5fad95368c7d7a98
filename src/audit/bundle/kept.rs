//! Checkpoints that whoever looks through a bundle has kept: the log must still be the one of then.

use super::super::names::visible;
use super::super::note::{Checkpoint, Note, NoteError};
use super::facts::{Facts, LogFacts};

/// A checkpoint that was kept elsewhere.
#[derive(Clone, Debug)]
pub struct Kept {
    name: String,
    checkpoint: Checkpoint,
}

/// Why something is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: give a checkpoint as `paravent` published it, unchanged")]
pub struct NoCheckpoint(NoteError);

impl Kept {
    /// Reads one. The name is that of its file.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(name: &str, text: &str) -> Result<Self, NoCheckpoint> {
        let note = Note::parse(text).map_err(NoCheckpoint)?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(NoCheckpoint)?;
        Ok(Self {
            name: visible(name),
            checkpoint,
        })
    }

    /// What a bundle says of it; what is wrong if that is something else than it says itself.
    pub(super) fn compare(&self, facts: &Facts) -> Result<Compared, String> {
        let Checkpoint { origin, size, root } = &self.checkpoint;
        let is_it = |log: &&LogFacts| log_of(&log.origin) == log_of(origin);
        let log = facts.logs.iter().find(is_it);
        let mut checkpoints = log.into_iter().flat_map(|log| &log.checkpoints);
        let same = checkpoints.find(|one| one.size == *size);
        if same.is_some_and(|same| same.root != super::hex(root)) {
            return Err(format!(
                "`{}` says otherwise what the first {size} events of the log `{}` are: that log was written anew",
                self.name,
                visible(origin)
            ));
        }
        Ok(Compared {
            name: self.name.clone(),
            origin: visible(origin),
            size: *size,
            is_same: same.is_some(),
        })
    }
}

/// The LOGID of an origin.
fn log_of(origin: &str) -> Option<&str> {
    let (log, _) = origin.strip_prefix("paravent/")?.split_once('/')?;
    Some(log)
}

/// A checkpoint that was kept, held against those of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its file.
    pub name: String,
    /// The log that it is of, as it says.
    pub origin: String,
    /// Of how many events.
    pub size: u64,
    /// Whether it is among those of the bundle, so that the log is shown to go on it. If not, the bundle does not speak of it.
    pub is_same: bool,
}
