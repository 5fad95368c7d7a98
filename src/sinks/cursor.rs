//! The place up to which a receiver has taken events, kept over restarts.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::audit::Head;
use crate::files;

/// The folder of the state in which each sink has a folder.
const SINKS: &str = "sinks";
const FILE: &str = "cursor";
/// The place behind which the sink once began.
const BEGAN: &str = "began";
/// Bytes of the file.
const BYTES_MAX: usize = 256;
/// How often it is made durable at most. A power cut takes it back by so much: then events are sent twice, none is lost.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// The file of a cursor.
#[derive(Debug)]
pub(super) struct Cursor {
    dir: PathBuf,
    synced: Option<Instant>,
}

/// What stands there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nothing: the sink is new.
    Nothing,
    /// Something that is no cursor.
    Unreadable,
    /// The last event that was taken.
    At(Head),
}

impl Cursor {
    /// That of a sink.
    pub(super) fn of(state: &Path, name: &str) -> Self {
        Self {
            dir: state.join(SINKS).join(name),
            synced: None,
        }
    }

    /// Reads it.
    pub(super) fn read(&self) -> io::Result<Kept> {
        self.read_file(FILE)
    }

    /// The place behind which the sink once began.
    pub(super) fn began(&self) -> io::Result<Kept> {
        self.read_file(BEGAN)
    }

    fn read_file(&self, name: &str) -> io::Result<Kept> {
        let read = match files::read(&self.dir.join(name), BYTES_MAX) {
            Ok(contents) => contents.bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::Nothing),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8(read).ok();
        let head = text.and_then(|text| Head::parse(text.strip_suffix('\n')?));
        Ok(head.map_or(Kept::Unreadable, Kept::At))
    }

    /// Keeps the place behind which a new sink begins, durably. It is known from then on that it has begun.
    pub(super) fn begin(&mut self, head: &Head) -> io::Result<()> {
        self.write(BEGAN, head, true)?;
        self.settle(head)
    }

    /// Keeps a place: whoever reads it, or is killed, finds this one or the one before.
    pub(super) fn keep(&mut self, head: &Head) -> io::Result<()> {
        let is_due = self
            .synced
            .is_none_or(|synced| synced.elapsed() >= SYNC_INTERVAL);
        self.write(FILE, head, is_due)
    }

    /// The same, durably.
    pub(super) fn settle(&mut self, head: &Head) -> io::Result<()> {
        self.write(FILE, head, true)
    }

    fn write(&mut self, name: &str, head: &Head, is_durable: bool) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.dir)?;
        let new = self.dir.join([name, ".new"].concat());
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let mut file = options.open(&new)?;
        file.write_all(format!("{head}\n").as_bytes())?;
        if is_durable {
            file.sync_all()?;
        }
        fs::rename(&new, self.dir.join(name))?;
        if is_durable {
            File::open(&self.dir)?.sync_all()?;
            self.synced = Some(Instant::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_kept_and_nothing_else_is_taken_for_one() {
        let state = tempfile::tempdir().unwrap();
        let mut cursor = Cursor::of(state.path(), "siem");
        assert_eq!(cursor.read().unwrap(), Kept::Nothing);
        let head = Head {
            seq: 4_711,
            hash: format!("sha256:{}", "0b".repeat(32)),
        };
        cursor.keep(&head).unwrap();
        assert_eq!(cursor.read().unwrap(), Kept::At(head.clone()));
        cursor.settle(&head).unwrap();
        assert_eq!(cursor.read().unwrap(), Kept::At(head.clone()));
        let file = state.path().join("sinks/siem/cursor");
        for bad in [
            "",
            "4711",
            "4711:sha256:0b\n",
            "\u{feff}4711\n",
            &head.to_string(),
        ] {
            fs::write(&file, bad).unwrap();
            assert_eq!(cursor.read().unwrap(), Kept::Unreadable, "{bad:?}");
        }
        fs::write(&file, [0; 93]).unwrap();
        assert_eq!(cursor.read().unwrap(), Kept::Unreadable);
    }
}
