//! Reads what was kept outside of a log's folder: public keys and checkpoints. Nothing in the folder can vouch for it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::audit::Given;
use crate::audit::note::{Checkpoint, NOTE_BYTES_MAX, Note, NoteError, VerifierKey};
use crate::files;

/// Why something that was given cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// It lies in the folder of the log.
    #[error(
        "`{}` lies in the log's own folder, so whoever changed the log could change it, too: give a copy that was kept elsewhere, or `--trust-local` to trust the folder",
        .0.display()
    )]
    Inside(PathBuf),
    /// It cannot be read.
    #[error("`{}` cannot be read: {}", .0.display(), files::words(.1))]
    Unreadable(PathBuf, io::Error),
    /// A folder holds no checkpoint.
    #[error("`{}` holds no checkpoint: give a folder of files `….checkpoint`, or one file", .0.display())]
    Empty(PathBuf),
    /// It is not what it was given as.
    #[error("`{name}` {error}: {fix}")]
    Other {
        /// What was given.
        name: String,
        /// What is wrong with it.
        error: NoteError,
        /// What to give instead.
        fix: &'static str,
    },
}

/// Reads a public key: the line itself, or a file that holds it.
pub(super) fn key(dir: &Path, given: &str) -> Result<VerifierKey, Unusable> {
    let path = Path::new(given);
    let is_line = given.contains('+') && !path.exists();
    let line = match is_line {
        true => given.to_owned(),
        false => {
            outside(dir, path)?;
            read(path)?
        }
    };
    VerifierKey::parse(&line).map_err(|error| Unusable::Other {
        name: given.to_owned(),
        error,
        fix: "give the file `audit.pub` that `paravent audit keygen` made, or the line in it",
    })
}

/// Reads checkpoints: one file, or all in a folder.
pub(super) fn checkpoints(dir: &Path, path: &Path) -> Result<Vec<Given>, Unusable> {
    outside(dir, path)?;
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let failed = |error| Unusable::Unreadable(path.to_owned(), error);
        paths.clear();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?.path();
            let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
            if entry.is_file() && !entry.file_name().is_none_or(is_hidden) {
                outside(dir, &entry)?;
                paths.push(entry);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(Unusable::Empty(path.to_owned()));
        }
    }
    paths.iter().map(|path| checkpoint(path)).collect()
}

fn checkpoint(path: &Path) -> Result<Given, Unusable> {
    let text = read(path)?;
    let name = path.display().to_string();
    let read = Note::parse(&text).and_then(|note| Checkpoint::parse(note.text()));
    match read {
        Ok(_) => Ok(Given { name, text }),
        Err(error) => Err(Unusable::Other {
            name,
            error,
            fix: "give a checkpoint as `paravent` published it, unchanged; a folder must hold nothing else",
        }),
    }
}

/// The text of a small file.
fn read(path: &Path) -> Result<String, Unusable> {
    let failed = |error| Unusable::Unreadable(path.to_owned(), error);
    let contents = files::read(path, NOTE_BYTES_MAX).map_err(failed)?;
    String::from_utf8(contents.bytes).map_err(|_| {
        failed(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not UTF-8",
        ))
    })
}

/// Links that are followed for one path.
const LINKS_MAX: usize = 40;

/// That a path leads out of the folder, and no link on the way to it lies in the folder: who may write that could let such a one
/// lead anywhere.
fn outside(dir: &Path, path: &Path) -> Result<(), Unusable> {
    let Ok(dir) = fs::canonicalize(dir) else {
        // That the log is not there is said by whoever reads it.
        return Ok(());
    };
    match passes_through(&dir, path) {
        Ok(true) => Err(Unusable::Inside(path.to_owned())),
        Ok(false) => Ok(()),
        Err(error) => Err(Unusable::Unreadable(path.to_owned(), error)),
    }
}

/// Whether a path, followed link by link, leads to a folder or anything in it.
fn passes_through(dir: &Path, path: &Path) -> io::Result<bool> {
    let path = std::path::absolute(path)?;
    let mut rest: Vec<_> = path.iter().rev().map(OsStr::to_owned).collect();
    let (mut at, mut links) = (PathBuf::new(), 0);
    while let Some(part) = rest.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        if next.starts_with(dir) {
            return Ok(true);
        }
        if !fs::symlink_metadata(&next)?.is_symlink() {
            at = next;
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(io::Error::other("too many links lead to each other"));
        }
        // A target that is absolute takes the place of all before it.
        let target = fs::read_link(&next)?;
        rest.extend(target.iter().rev().map(OsStr::to_owned));
    }
    Ok(false)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_that_is_reached_by_way_of_the_folder_lies_outside() {
        let place = tempfile::TempDir::new().unwrap();
        let at = |name: &str| place.path().join(name);
        for folder in ["log/keys", "elsewhere", "kept"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["log/keys/1.pub", "elsewhere/1.pub", "kept/1.pub"] {
            fs::write(at(file), b"x\n").unwrap();
        }
        symlink(at("elsewhere"), at("log/checkpoints")).unwrap();
        symlink("../elsewhere/1.pub", at("log/2.pub")).unwrap();
        symlink("log", at("link")).unwrap();
        symlink("../log/checkpoints", at("kept/from")).unwrap();
        symlink("elsewhere", at("good")).unwrap();
        symlink("round", at("round")).unwrap();
        let log = at("log");
        for inside in [
            "log",
            "log/keys/1.pub",
            "log/checkpoints",
            "log/checkpoints/1.pub",
            "log/2.pub",
            "link/checkpoints/1.pub",
            "kept/from",
            "kept/from/1.pub",
            "kept/../log/2.pub",
        ] {
            let said = outside(&log, &at(inside));
            assert!(
                matches!(said, Err(Unusable::Inside(_))),
                "{inside}: {said:?}"
            );
            let said = outside(&at("link"), &at(inside));
            assert!(
                matches!(said, Err(Unusable::Inside(_))),
                "{inside}: {said:?}"
            );
        }
        for good in ["kept/1.pub", "good/1.pub", "elsewhere", "kept/../good"] {
            outside(&log, &at(good)).unwrap();
        }
        for unreadable in ["round", "none", "kept/1.pub/none"] {
            let said = outside(&log, &at(unreadable));
            assert!(
                matches!(said, Err(Unusable::Unreadable(..))),
                "{unreadable}: {said:?}"
            );
        }
    }
}
