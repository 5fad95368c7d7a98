//! What of a log was signed: the public keys and checkpoints that its folder keeps, held against its leaves.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::note::{Checkpoint, NOTE_BYTES_MAX, Note, VerifierKey};
use super::ExportError;
use super::forest::Forest;
use super::survey::{Identity, Survey, unreadable};

/// Public keys that are read.
const KEYS_MAX: usize = 1_000;

/// One log that lines are taken from.
pub(super) struct Tree<'s> {
    pub(super) log: &'s Identity,
    pub(super) forest: Forest<'s>,
    /// By size.
    pub(super) checkpoints: BTreeMap<u64, String>,
    /// How many events the last of them covers.
    pub(super) size: u64,
}

impl Tree<'_> {
    pub(super) fn covers(&self, seq: u64) -> bool {
        (self.log.from..self.log.from + self.size).contains(&seq)
    }
}

/// Whether a text is a checkpoint of a log.
pub(super) fn is_of(text: &str, log: &str) -> bool {
    let note = Note::parse(text).and_then(|note| Checkpoint::parse(note.text()));
    let origin = note.map(|checkpoint| checkpoint.origin).unwrap_or_default();
    let rest = origin
        .strip_prefix("paravent/")
        .and_then(|origin| origin.strip_prefix(log));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// The public keys that the folder keeps.
pub(super) fn keys(dir: &Path) -> Result<Vec<VerifierKey>, ExportError> {
    let folder = dir.join("keys");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&folder, error)),
    };
    let mut keys: Vec<VerifierKey> = Vec::new();
    for entry in entries.take(KEYS_MAX) {
        let path = entry.map_err(|error| unreadable(&folder, error))?.path();
        if path.extension().is_none_or(|end| end != "pub") {
            continue;
        }
        let read = crate::files::read(&path, NOTE_BYTES_MAX);
        let text = String::from_utf8(read.map_err(|error| unreadable(&path, error))?.bytes);
        let key = text.ok().and_then(|text| VerifierKey::parse(&text).ok());
        keys.extend(key);
    }
    keys.sort_by_key(VerifierKey::id_text);
    keys.dedup_by_key(|key| key.id_text());
    Ok(keys)
}

/// The tree of a log up to its last checkpoint, with the first one and those that were given; `None` if it has none.
pub(super) fn tree<'s>(
    dir: &Path,
    survey: &'s Survey,
    log: &'s Identity,
    keys: &[VerifierKey],
    given: Vec<(PathBuf, String)>,
) -> Result<Option<Tree<'s>>, ExportError> {
    let mut checkpoints = kept(dir, log, keys)?;
    for (path, text) in given {
        let note = Note::parse(&text);
        let checkpoint = note.and_then(|note| {
            note.signed_by(keys)?;
            Checkpoint::parse(note.text())
        });
        match checkpoint {
            Ok(checkpoint) => checkpoints.insert(checkpoint.size, (checkpoint, text, Some(path))),
            Err(what) => {
                let what = what.to_string();
                return Err(ExportError::Checkpoint { path, what });
            }
        };
    }
    // Before the log has said itself that it is one, nothing of it is signed.
    checkpoints.retain(|size, _| log.from + size > log.said);
    let Some(size) = checkpoints.keys().next_back().copied() else {
        return Ok(None);
    };
    let leaves = survey.leaves(log);
    let at = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let Some(covered) = leaves.get(..at(size)) else {
        let (id, have) = (&log.id, leaves.len());
        return Err(ExportError::Broken(match have {
            0 => format!(
                "the leaves of the first events of the log {id} are missing, from {} on",
                log.from
            ),
            _ => format!(
                "a checkpoint says that the log {id} has {size} events, and {have} are here"
            ),
        }));
    };
    let forest = Forest::new(covered);
    for (size, (checkpoint, _, path)) in &checkpoints {
        if forest.root(at(*size)) == Some(checkpoint.root) {
            continue;
        }
        let what = format!("says otherwise than the log what its first {size} events are");
        return Err(match path {
            Some(path) => ExportError::Checkpoint {
                path: path.clone(),
                what,
            },
            None => ExportError::Broken(format!("a checkpoint that was signed {what}")),
        });
    }
    Ok(Some(Tree {
        log,
        forest,
        checkpoints: checkpoints
            .into_iter()
            .map(|(size, (_, text, _))| (size, text))
            .collect(),
        size,
    }))
}

/// Checkpoints by size, each with its text, and with its file if it was given.
type Checkpoints = BTreeMap<u64, (Checkpoint, String, Option<PathBuf>)>;

/// The first and the last checkpoint that the folder keeps of a log.
fn kept(dir: &Path, log: &Identity, keys: &[VerifierKey]) -> Result<Checkpoints, ExportError> {
    let folder = dir.join("checkpoints");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(unreadable(&folder, error)),
    };
    let end = format!(".{}.checkpoint", log.id.get(..8).unwrap_or_default());
    let mut names = Vec::new();
    for entry in entries {
        let name = entry
            .map_err(|error| unreadable(&folder, error))?
            .file_name();
        names.extend(name.into_string().ok().filter(|name| name.ends_with(&end)));
    }
    names.sort();
    let read = |name: &String| {
        let path = folder.join(name);
        let bytes = crate::files::read(&path, NOTE_BYTES_MAX).ok()?.bytes;
        let text = String::from_utf8(bytes)
            .ok()
            .filter(|text| is_of(text, &log.id))?;
        let note = Note::parse(&text).ok()?;
        note.signed_by(keys).ok()?;
        Some((Checkpoint::parse(note.text()).ok()?, text))
    };
    // What is none, or is signed by nobody known, proves nothing.
    let first = names.iter().find_map(read);
    let last = names.iter().rev().find_map(read);
    let both = first.into_iter().chain(last);
    Ok(both
        .map(|(checkpoint, text)| (checkpoint.size, (checkpoint, text, None)))
        .collect())
}
