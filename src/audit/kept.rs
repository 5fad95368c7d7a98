//! The head of the log, kept outside of it: so a start sees whether the end of the log is still there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chain::Head;
use super::folder::{Identity, sync_dir};

/// The file in the folder of the state.
const FILE: &str = "head";
/// `00000000000000004711:sha256:…` and a newline: of one length, so that each takes the place of the one before.
const TEXT_BYTES: usize = 20 + 1 + 71 + 1;

/// The file that keeps the head, locked by this process.
#[derive(Debug)]
pub(super) struct Kept {
    dir: PathBuf,
    file: File,
    identity: Identity,
}

/// What a start finds there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing was kept.
    Nothing,
    /// Something that is no head.
    Unreadable,
    /// This head.
    Head(Head),
}

impl Found {
    /// The word in the event that says that the log was opened.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Unreadable => "unreadable",
            Self::Head(_) => "kept",
        }
    }
}

impl Kept {
    /// Opens the file, makes it where it is missing, and locks it; `None` if another process has.
    pub(super) fn open(dir: &Path) -> io::Result<Option<(Self, Found)>> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(dir)?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(dir.join(FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        file.sync_all()?;
        sync_dir(dir)?;
        let mut text = String::new();
        let read = (&mut file)
            .take(TEXT_BYTES as u64 + 1)
            .read_to_string(&mut text);
        let found = match read {
            Ok(0) => Found::Nothing,
            Ok(TEXT_BYTES) => match text.strip_suffix('\n').and_then(Head::parse) {
                Some(head) => Found::Head(head),
                None => Found::Unreadable,
            },
            Err(error) if error.kind() != io::ErrorKind::InvalidData => return Err(error),
            _ => Found::Unreadable,
        };
        let identity = Identity::of(&file.metadata()?);
        let kept = Self {
            dir: dir.to_owned(),
            file,
            identity,
        };
        Ok(Some((kept, found)))
    }

    /// Keeps a head. It need not be on disk: whatever is lost of it then makes it an earlier one.
    pub(super) fn keep(&self, head: &Head) -> io::Result<()> {
        let text = format!("{:020}:{}\n", head.seq, head.hash);
        self.file.write_all_at(text.as_bytes(), 0)
    }

    /// Sees to it that the file is still under its name; else makes it anew.
    pub(super) fn watch(&mut self, head: &Head) -> io::Result<()> {
        match fs::symlink_metadata(self.dir.join(FILE)) {
            Ok(there) if Identity::of(&there) == self.identity => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        tracing::warn!(
            "the head of the access log, kept beside it, was taken away; it is kept anew"
        );
        let in_use = || io::Error::other("another process keeps a head there now");
        *self = Self::open(&self.dir)?.ok_or_else(in_use)?.0;
        self.keep(head)
    }

    /// Makes durable what is kept.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
