//! Where a new installation is made, and how it gets to its place.

use std::cell::Cell;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::audit::note::SigningKey;
use crate::files;

/// What an installation is made of, and what it makes: none of it may be there.
const NAMES: &[&str] = &[
    "paravent.yaml",
    "policies",
    "schema",
    "token.key",
    "audit.key",
    "audit.pub",
    "checkpoints",
    ".gitignore",
    "audit",
    "state",
];
/// What stays of an installation that is not made, once anything was read: the access log, and its state.
const LOG: &[&str] = &["audit", "state"];
/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Why an installation is not made.
#[derive(Debug, thiserror::Error)]
pub enum NotPlaced {
    /// Something is there already.
    #[error("`{}` is there already; nothing is overwritten, and nothing was written", .0.display())]
    Taken(PathBuf),
    /// A file cannot be written.
    #[error("`{}` cannot be written: {}", .0.display(), files::words(.1))]
    Unwritable(PathBuf, #[source] io::Error),
    /// There is no key without it.
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// What stands in the way in a folder.
pub fn taken(dir: &Path) -> Option<PathBuf> {
    if fs::symlink_metadata(dir).is_ok_and(|found| !found.is_dir() && !dir.is_dir()) {
        return Some(dir.to_owned());
    }
    let mut paths = NAMES.iter().map(|name| dir.join(name));
    paths.find(|path| fs::symlink_metadata(path).is_ok())
}

/// A folder beside the one that is to be, which is removed unless it was moved; but not the log of what was read.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
    dir: PathBuf,
    keeps_log: Cell<bool>,
}

impl Staging {
    /// Makes it.
    ///
    /// # Errors
    /// If something stands in the way, or it cannot be made.
    pub fn beside(dir: &Path) -> Result<Self, NotPlaced> {
        if let Some(taken) = taken(dir) {
            return Err(NotPlaced::Taken(taken));
        }
        let dir = std::path::absolute(dir)
            .map_err(|error| NotPlaced::Unwritable(dir.to_owned(), error))?;
        let parent = dir.parent().unwrap_or(&dir).to_owned();
        fs::create_dir_all(&parent)
            .map_err(|error| NotPlaced::Unwritable(parent.clone(), error))?;
        let name = dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut bytes = [0; 8];
        random(&mut bytes)?;
        let path = parent.join(format!(".{name}.init-{:016x}", u64::from_ne_bytes(bytes)));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&path)
            .map_err(|error| NotPlaced::Unwritable(path.clone(), error))?;
        Ok(Self {
            path,
            dir,
            keeps_log: Cell::new(false),
        })
    }

    /// Personal data was read: its log stays, whatever comes.
    pub fn keep_log(&self) {
        self.keeps_log.set(true);
    }

    /// Whether the log stays.
    pub fn keeps_log(&self) -> bool {
        self.keeps_log.get()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file below it.
    ///
    /// # Errors
    /// If that fails.
    pub fn write(&self, name: &str, text: &str) -> Result<(), NotPlaced> {
        let path = self.path.join(name);
        let written = fs::create_dir_all(path.parent().unwrap_or(&self.path))
            .and_then(|()| fs::write(&path, text));
        written.map_err(|error| NotPlaced::Unwritable(path, error))
    }

    /// Removes a file below it.
    ///
    /// # Errors
    /// If that fails.
    pub fn remove(&self, name: &str) -> Result<(), NotPlaced> {
        let path = self.path.join(name);
        fs::remove_file(&path).map_err(|error| NotPlaced::Unwritable(path, error))
    }

    /// Makes a key: its owner's alone.
    ///
    /// # Errors
    /// If there is no randomness, or it cannot be written.
    pub fn key(&self, name: &str) -> Result<(), NotPlaced> {
        let mut bytes = [0; KEY_BYTES];
        random(&mut bytes)?;
        self.secret(name, &bytes)
    }

    /// Writes a key that signs the access log, and its public half.
    ///
    /// # Errors
    /// If there is no randomness, or one cannot be written.
    pub fn signing_key(&self, secret: &str, public: &str) -> Result<(), NotPlaced> {
        let (key, line) = SigningKey::generate("paravent").map_err(|_| NotPlaced::NoRandomness)?;
        self.secret(secret, format!("{line}\n").as_bytes())?;
        self.write(public, &format!("{}\n", key.public()))
    }

    /// Writes what its owner alone may read.
    fn secret(&self, name: &str, bytes: &[u8]) -> Result<(), NotPlaced> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(|error| NotPlaced::Unwritable(path, error))
    }

    /// Moves all of it to its place. What was moved is moved back if something fails.
    ///
    /// # Errors
    /// If something came in the way meanwhile, or a folder cannot be written.
    pub fn settle(&self) -> Result<(), NotPlaced> {
        let unwritable = |path: &Path, error| NotPlaced::Unwritable(path.to_owned(), error);
        if let Some(taken) = taken(&self.dir) {
            return Err(NotPlaced::Taken(taken));
        }
        fs::create_dir_all(&self.dir).map_err(|error| unwritable(&self.dir, error))?;
        let mut moved: Vec<(PathBuf, PathBuf)> = Vec::new();
        for name in NAMES {
            let (from, to) = (self.path.join(name), self.dir.join(name));
            if !from.exists() {
                continue;
            }
            if let Err(error) = fs::rename(&from, &to) {
                for (from, to) in moved.iter().rev() {
                    let _ = fs::rename(to, from);
                }
                return Err(unwritable(&to, error));
            }
            moved.push((from, to));
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.keeps_log() {
            let _ = fs::remove_dir_all(&self.path);
            return;
        }
        for name in NAMES.iter().filter(|name| !LOG.contains(name)) {
            let path = self.path.join(name);
            let _ = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
        }
        // Only where nothing stays: it was moved.
        let _ = fs::remove_dir(&self.path);
    }
}

fn random(bytes: &mut [u8]) -> Result<(), NotPlaced> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| NotPlaced::NoRandomness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_of_what_was_read_stays() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("crm");
        let staging = Staging::beside(&dir).unwrap();
        let path = staging.path().to_owned();
        let fill = |staging: &Staging| {
            for name in ["policies/a.yaml", "paravent.yaml", "audit/1.jsonl"] {
                staging.write(name, "x").unwrap();
            }
            staging.key("token.key").unwrap();
            staging.keep_log();
        };
        fill(&staging);
        drop(staging);
        assert!(!dir.exists());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        assert!(path.join("audit/1.jsonl").exists());
        fs::remove_dir_all(&path).unwrap();
        let staging = Staging::beside(&dir).unwrap();
        fill(&staging);
        staging.settle().unwrap();
        drop(staging);
        assert!(dir.join("audit/1.jsonl").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_left_half() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("crm");
        let staging = Staging::beside(&dir).unwrap();
        staging.write("policies/a.yaml", "x").unwrap();
        staging.key("token.key").unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let staging = Staging::beside(&dir).unwrap();
        staging.write("policies/a.yaml", "x").unwrap();
        staging.key("token.key").unwrap();
        staging.settle().unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(dir.join("token.key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let error = Staging::beside(&dir).unwrap_err();
        assert!(error.to_string().contains("policies"), "{error}");
        fs::remove_dir_all(dir.join("policies")).unwrap();
        let error = Staging::beside(&dir).unwrap_err();
        assert!(error.to_string().contains("token.key"), "{error}");
    }
}
