//! The folder of signed checkpoints: `SIZE16.LOGID8.checkpoint`, each a signed note.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::files;

use super::identity::LogTree;
use super::note::{Checkpoint, NOTE_BYTES_MAX, Note, VerifierKey};

/// The folder, in that of the log.
pub(super) const CHECKPOINTS: &str = "checkpoints";
const ENDING: &str = ".checkpoint";
/// How many of the newest stay, whatever their age.
const NEWEST: usize = 1_000;

/// The name of a checkpoint's file.
pub(super) fn name(log: &str, size: u64) -> String {
    let log = log.get(..8).unwrap_or(log);
    format!("{size:016}.{log}{ENDING}")
}

/// Size and beginning of the identity that a name tells.
fn parts(name: &str) -> Option<(u64, &str)> {
    let (size, log) = name.strip_suffix(ENDING)?.split_once('.')?;
    let is_number = size.len() == 16 && size.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_log = log.len() == 8 && log.bytes().all(is_hex);
    (is_number && is_log).then_some((size.parse().ok()?, log))
}

/// Keeps a text under a name in a folder of the log, durably, unless it stands there already. The folder of the log itself is
/// not made: it may be gone.
pub(super) fn keep(dir: &Path, folder: &str, name: &str, text: &str) -> io::Result<()> {
    let folder = dir.join(folder);
    let path = folder.join(name);
    if files::read(&path, text.len()).is_ok_and(|read| read.bytes == text.as_bytes()) {
        return Ok(());
    }
    let made = fs::DirBuilder::new().mode(0o700).create(&folder);
    match made {
        Ok(()) => fs::File::open(dir)?.sync_all()?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    files::replace(&path, text.as_bytes())
}

/// A checkpoint that was found.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) name: String,
    pub(super) note: Note,
    pub(super) checkpoint: Checkpoint,
}

/// Reads a checkpoint; an error in words if it is none.
fn read(folder: &Path, name: &str) -> Result<Held, String> {
    let bytes =
        files::read(&folder.join(name), NOTE_BYTES_MAX).map_err(|error| error.to_string())?;
    held(name, &bytes.bytes)
}

/// The checkpoint that bytes are.
pub(super) fn held(name: &str, bytes: &[u8]) -> Result<Held, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not text")?;
    let note = Note::parse(text).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
    Ok(Held {
        name: name.to_owned(),
        note,
        checkpoint,
    })
}

/// Whether a checkpoint is of a log, whatever node has signed it.
pub(super) fn is_of(checkpoint: &Checkpoint, log: &str) -> bool {
    let mut parts = checkpoint.origin.splitn(3, '/');
    parts.next() == Some("paravent") && parts.next() == Some(log)
}

/// The newest checkpoint of a log that a folder holds, and files that have its name and are none. `None` without either.
pub(super) fn newest(
    folder: &Path,
    log: &str,
    counts: impl Fn(&Held) -> bool,
) -> io::Result<Option<Held>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().unwrap_or_default();
        if parts(name).is_some_and(|(_, beginning)| log.starts_with(beginning)) {
            names.push(name.to_owned());
        }
    }
    // Sizes are of one length, so names are in their order.
    names.sort_unstable();
    for name in names.into_iter().rev() {
        match read(folder, &name) {
            Ok(held) if is_of(&held.checkpoint, log) && counts(&held) => return Ok(Some(held)),
            Ok(_) => {}
            Err(cause) => tracing::warn!(
                "`{name}` in `{}` is no checkpoint, and counts for nothing: {cause}",
                folder.display()
            ),
        }
    }
    Ok(None)
}

/// The key that signed the newest checkpoint of an origin, or the one of any that was written last.
pub(super) fn last_signed(
    dir: &Path,
    origin: Option<&str>,
    known: &[VerifierKey],
) -> Option<VerifierKey> {
    let folder = dir.join(CHECKPOINTS);
    let log = match origin {
        Some(origin) => origin.split('/').nth(1)?.to_owned(),
        None => {
            let entries = fs::read_dir(&folder).ok()?.flatten();
            let mut found: Vec<_> = entries
                .filter(|entry| parts(&entry.file_name().to_string_lossy()).is_some())
                .map(|entry| {
                    let written = entry.metadata().and_then(|found| found.modified()).ok();
                    (written, entry.file_name())
                })
                .collect();
            found.sort_unstable();
            // What somebody else has signed counts for nothing.
            return found.iter().rev().take(NEWEST).find_map(|(_, name)| {
                let held = read(&folder, &name.to_string_lossy()).ok()?;
                held.note.signed_by(known).ok().cloned()
            });
        }
    };
    let is_own = |held: &Held| {
        origin == Some(held.checkpoint.origin.as_str()) && held.note.signed_by(known).is_ok()
    };
    let held = newest(&folder, &log, is_own).ok()??;
    held.note.signed_by(known).ok().cloned()
}

/// Why a checkpoint of a tree would not go on from another one; `None` if it does as far as sizes tell.
pub(super) fn contradiction(tree: &LogTree, root: &[u8; 32], held: &Held) -> Option<String> {
    let (own, theirs) = (tree.tree().size(), held.checkpoint.size);
    let name = &held.name;
    if theirs > own {
        Some(format!(
            "`{name}` is of {theirs} events and the log has {own}: it was rolled back, or its key signs for another copy"
        ))
    } else if theirs == own && held.checkpoint.root != *root {
        Some(format!(
            "`{name}` is of other events than the log has: it was changed, or its key signs for another copy"
        ))
    } else {
        None
    }
}

/// The size of a checkpoint, and when its file was written.
type Written = (u64, SystemTime);

/// Takes away what lies between: beyond the newest, one an hour stays of each log, and the last of each log always does.
pub(super) fn thin(dir: &Path, current: &str) -> io::Result<usize> {
    let folder = dir.join(CHECKPOINTS);
    let mut logs: BTreeMap<String, Vec<Written>> = BTreeMap::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some((size, log)) = name.to_str().and_then(parts) {
            let written = entry.metadata()?.modified().unwrap_or(UNIX_EPOCH);
            logs.entry(log.to_owned())
                .or_default()
                .push((size, written));
        }
    }
    let mut order: Vec<(bool, SystemTime, String, Vec<Written>)> = Vec::new();
    for (log, mut found) in logs {
        found.sort_unstable();
        let last = found.iter().map(|(_, written)| *written).max();
        order.push((
            current.starts_with(&log),
            last.unwrap_or(UNIX_EPOCH),
            log,
            found,
        ));
    }
    // The log that is being written has the newest, whatever the clock says.
    order.sort_by_key(|(is_current, last, ..)| (*is_current, *last));
    let (mut kept, mut removed) = (0, 0);
    for (_, _, log, found) in order.into_iter().rev() {
        let mut hours = HashSet::new();
        for (place, (size, written)) in found.into_iter().rev().enumerate() {
            let age = written.duration_since(UNIX_EPOCH).unwrap_or_default();
            let is_first = hours.insert(age.as_secs() / 3_600);
            if kept < NEWEST || is_first || place == 0 {
                kept += 1;
                continue;
            }
            let name = name(&log, size);
            fs::remove_file(folder.join(&name))?;
            let _ = fs::remove_file(folder.join(format!("{name}.cosigned")));
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let log = "00112233445566778899aabbccddeeff";
        let written = name(log, 4_711);
        assert_eq!(written, "0000000000004711.00112233.checkpoint");
        assert_eq!(parts(&written), Some((4_711, "00112233")));
        for other in [
            "4711.00112233.checkpoint",
            "0000000000004711.0011223Z.checkpoint",
            "0000000000004711.00112233.checkpoint.cosigned",
            "0000000000004711.00112233.checkpoint.new",
            "+000000000004711.00112233.checkpoint",
        ] {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn one_an_hour_stays_beyond_the_newest_whatever_the_clock_says() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(CHECKPOINTS);
        fs::create_dir(&folder).unwrap();
        let put = |log: &str, size: u64, seconds: u64| {
            let path = folder.join(name(log, size));
            fs::write(&path, "x").unwrap();
            let time = UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        let (current, earlier) = ("aaaaaaaa00", "bbbbbbbb00");
        for size in 1..=120 {
            // One a minute: two hours.
            put(earlier, size, 7_200_000 + 60 * size);
        }
        for size in 1..=1_120 {
            // The clock went back a year.
            put(current, size, 3_600_000 + 60 * size);
        }
        let removed = thin(dir.path(), current).unwrap();
        let left = |log: &str| {
            let found = fs::read_dir(&folder).unwrap().flatten();
            let mut sizes: Vec<u64> = found
                .filter_map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    parts(&name)
                        .filter(|(_, at)| log.starts_with(at))
                        .map(|(size, _)| size)
                })
                .collect();
            sizes.sort_unstable();
            sizes
        };
        let of_current = left(current);
        assert!(of_current.ends_with(&(121..=1_120).collect::<Vec<_>>()));
        assert_eq!(of_current[..of_current.len() - 1_000], [59, 119]);
        assert_eq!(left(earlier), [59, 119, 120]);
        assert_eq!(removed, 118 + 117);
        assert_eq!(thin(dir.path(), current).unwrap(), 0);
    }
}
