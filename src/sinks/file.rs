//! Files: JSON lines, or lines of another format, appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use bytes::Bytes;

use crate::files;

/// A file that lines are appended to.
#[derive(Debug)]
pub(super) struct Appender {
    path: PathBuf,
    file: Option<File>,
}

impl Appender {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Appends lines, and returns once they are on disk. A file that was moved away, removed or replaced is opened afresh
    /// before.
    pub(super) fn append(&mut self, lines: &[Bytes]) -> io::Result<()> {
        let appended = self.opened().and_then(|mut file| {
            let bytes: Vec<u8> = lines.concat();
            file.write_all(&bytes)?;
            file.sync_data()
        });
        if appended.is_err() {
            // It may end within a line now, which is looked at when it is opened again.
            self.file = None;
        }
        appended
    }

    fn opened(&mut self) -> io::Result<&File> {
        let is_same = |file: &File| {
            let there = std::fs::metadata(&self.path)?;
            let own = file.metadata()?;
            io::Result::Ok((there.dev(), there.ino()) == (own.dev(), own.ino()))
        };
        let kept = self
            .file
            .take()
            .filter(|file| is_same(file).unwrap_or(false));
        let file = match kept {
            Some(file) => file,
            None => self.open()?,
        };
        Ok(self.file.insert(file))
    }

    fn open(&self) -> io::Result<File> {
        match files::check(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            checked => checked?,
        }
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true).mode(0o600);
        let mut file = options.open(&self.path)?;
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                // The end of a line that was torn; the whole line follows.
                file.write_all(b"\n")?;
            }
        }
        Ok(file)
    }
}

/// Writes lines to standard output.
pub(super) fn print(lines: &[Bytes]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&lines.concat())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_again_after_it_was_rotated_and_a_torn_line_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.jsonl");
        let lines = |text: &str| vec![Bytes::from(format!("{text}\n"))];
        let mut appender = Appender::new(path.clone());
        appender.append(&lines("one")).unwrap();
        std::fs::rename(&path, dir.path().join("out.1")).unwrap();
        appender.append(&lines("two")).unwrap();
        std::fs::remove_file(&path).unwrap();
        appender.append(&lines("three")).unwrap();
        std::fs::write(&path, "thr").unwrap();
        Appender::new(path.clone()).append(&lines("three")).unwrap();
        appender.append(&lines("four")).unwrap();
        let text = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(text("out.1"), "one\n");
        assert_eq!(text("out.jsonl"), "thr\nthree\nfour\n");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(appender.append(&lines("five")).is_err());
    }
}
