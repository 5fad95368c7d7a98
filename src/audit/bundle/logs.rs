//! The logs of a bundle as they were signed: the checkpoints of each, every one going on the one before, and their keys.

use std::collections::HashSet;

use super::super::names::visible;
use super::super::note::{Checkpoint, NOTE_BYTES_MAX, Note, NoteError, VerifierKey};
use super::super::tree::is_consistent;
use super::archive::Files;
use super::check::{Flaw, flaw, found};
use super::facts::{CheckpointFacts, LogFacts};
use super::manifest::{MANIFEST_BYTES_MAX, TREES, TreeOf, Trees, hashes, read};

/// Logs that lines of one bundle come from.
const LOGS_MAX: usize = 1_000;
/// Checkpoints of all of them: the first and the last of each, and those that were given to whoever made it.
const CHECKPOINTS_MAX: usize = 3_000;
/// Keys that have signed them.
const KEYS_MAX: usize = 1_000;

pub(super) fn keys(files: &Files) -> Result<Vec<VerifierKey>, Flaw> {
    let mut keys: Vec<VerifierKey> = Vec::new();
    let entries = files.entries.iter();
    for entry in entries.filter(|entry| entry.name.starts_with("keys/")) {
        if keys.len() >= KEYS_MAX {
            return flaw("it holds more keys than a bundle does");
        }
        let bytes = files
            .read(entry, NOTE_BYTES_MAX as u32)?
            .unwrap_or_default();
        let key = std::str::from_utf8(&bytes).ok();
        let key = key.and_then(|text| VerifierKey::parse(text).ok());
        let Some(key) = key.filter(|key| format!("{key}\n").as_bytes() == bytes) else {
            return flaw(format!("`{}` is no public key", entry.name));
        };
        if entry.name != key_name(&key) {
            return flaw(format!("`{}` holds another key", entry.name));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The name of the file that holds a public key.
pub(super) fn key_name(key: &VerifierKey) -> String {
    format!("keys/{}.pub", key.id_text())
}

pub(super) fn trees(files: &Files) -> Result<Trees, Flaw> {
    let bytes = files.read(found(files, TREES)?, MANIFEST_BYTES_MAX)?;
    let Some(trees) = bytes.and_then(|bytes| read::<Trees>(&bytes)) else {
        return flaw(format!("`{TREES}` is not in its form"));
    };
    if trees.logs.len() > LOGS_MAX {
        return flaw(format!("`{TREES}` names more logs than a bundle holds"));
    }
    let checkpoints = trees.logs.iter().map(|tree| tree.checkpoints.len());
    if checkpoints.sum::<usize>() > CHECKPOINTS_MAX {
        return flaw(format!(
            "`{TREES}` names more checkpoints than a bundle holds"
        ));
    }
    let mut from = 0;
    for tree in &trees.logs {
        if tree.from <= from || tree.from > 1 << 53 {
            return flaw(format!("the logs of `{TREES}` are not in their order"));
        }
        from = tree.from;
    }
    Ok(trees)
}

/// The name of a checkpoint of a log.
pub(super) fn checkpoint_name(size: u64, log: &str) -> String {
    let log = log.get(..8).unwrap_or(log);
    format!("checkpoints/{size:016}.{log}.checkpoint")
}

/// Checks the checkpoints of one log against its keys, and against each other; gives the last one, too.
pub(super) fn log(
    files: &Files,
    tree: &TreeOf,
    keys: &[VerifierKey],
    used: &mut HashSet<String>,
) -> Result<(LogFacts, Note), Flaw> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_id = tree.log.len() == 32 && tree.log.bytes().all(is_hex);
    if !is_id || tree.checkpoints.len() != tree.consistency.len() + 1 {
        return flaw(format!("`{TREES}` is not in its form"));
    }
    let mut facts = LogFacts {
        origin: String::new(),
        from: tree.from,
        checkpoints: Vec::new(),
        has_events: false,
        is_vouched: false,
    };
    let mut newest = None;
    let mut before: Option<Checkpoint> = None;
    let mut proofs = tree.consistency.iter();
    for name in &tree.checkpoints {
        let bytes = files.read(found(files, name)?, NOTE_BYTES_MAX as u32)?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let wrong = |what: &dyn std::fmt::Display| Flaw::Says(format!("`{name}` {what}"));
        let note = Note::parse(&text.unwrap_or_default()).map_err(|error| wrong(&error))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| wrong(&error))?;
        let key = note.signed_by(keys).map_err(|error| wrong(&error))?;
        for key in keys {
            let id = key.id_text();
            if !used.contains(&id) && note.signed_by(std::slice::from_ref(key)).is_ok() {
                used.insert(id);
            }
        }
        let origin = checkpoint.origin.strip_prefix("paravent/");
        let origin = origin.and_then(|origin| origin.strip_prefix(&tree.log));
        if !origin.is_some_and(|origin| origin.starts_with('/')) {
            return flaw(format!("`{name}` is of another log"));
        }
        let is_size = (1..=1 << 53).contains(&checkpoint.size);
        if !is_size || *name != checkpoint_name(checkpoint.size, &tree.log) {
            return flaw(format!("`{name}` holds a checkpoint of another size"));
        }
        if let Some(before) = &before {
            let proof = hashes(proofs.next().map_or(&[][..], Vec::as_slice));
            let (old, new) = (
                (before.size, &before.root),
                (checkpoint.size, &checkpoint.root),
            );
            if before.size >= checkpoint.size || !is_consistent(old, new, &proof) {
                return flaw(format!(
                    "nothing shows that the log of `{name}` goes on the one before: it is a log that was written anew, or the proof was changed"
                ));
            }
        }
        facts.origin.clone_from(&checkpoint.origin);
        facts.checkpoints.push(CheckpointFacts {
            size: checkpoint.size,
            root: super::hex(&checkpoint.root),
            key: key.id_text(),
        });
        (before, newest) = (Some(checkpoint), Some(note));
    }
    match newest {
        Some(newest) => Ok((facts, newest)),
        None => flaw(format!("`{TREES}` is not in its form")),
    }
}

/// Says of which logs the last checkpoint is signed by a key that counts.
pub(super) fn vouch(
    facts: &mut [LogFacts],
    newest: &[Note],
    counting: &[VerifierKey],
) -> Result<(), Flaw> {
    for (log, note) in facts.iter_mut().zip(newest) {
        log.is_vouched = match note.signed_by(counting) {
            Ok(_) => true,
            // A key that was given may have the name and number of one inside, and be another.
            Err(NoteError::Forged) => {
                return flaw(format!(
                    "the last checkpoint of the log `{}` bears the name and id of a key that was given, and not its signature",
                    visible(&log.origin)
                ));
            }
            Err(_) => false,
        };
    }
    Ok(())
}
