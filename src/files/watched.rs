//! A file that others replace while it is in use.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{read, words};

/// How often a file is looked at, at most.
const PAUSE: Duration = Duration::from_millis(250);

/// A file whose contents are looked at again and again. They are compared themselves: that its time and length stayed says
/// nothing.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    bytes_max: usize,
    /// What the last look has found: the contents, or why there are none.
    seen: Option<Result<Vec<u8>, String>>,
    looked: Option<Instant>,
}

impl Watched {
    /// A file of at most so many bytes, not looked at yet.
    pub fn new(path: &Path, bytes_max: usize) -> Self {
        Self {
            path: path.to_owned(),
            bytes_max,
            seen: None,
            looked: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was not looked at for a while.
    pub fn is_due(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= PAUSE)
    }

    /// What the last look has found.
    pub fn seen(&self) -> Option<&[u8]> {
        self.seen.as_ref()?.as_deref().ok()
    }

    /// Looks, and tells what is there (or why nothing is) if it is not what was there before.
    pub fn look(&mut self) -> Option<Result<&[u8], &str>> {
        self.looked = Some(Instant::now());
        let found = read(&self.path, self.bytes_max);
        let found = found.map(|contents| contents.bytes);
        let found = found.map_err(|error| words(&error));
        if self.seen.as_ref() == Some(&found) {
            return None;
        }
        let seen = self.seen.insert(found).as_ref();
        Some(seen.map(Vec::as_slice).map_err(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, FileTimes};
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_change_is_seen_once_whatever_the_time_and_length_of_the_file_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let write = |text: &str| {
            fs::write(&path, text).unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            let time = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
            file.set_times(time).unwrap();
        };
        let mut watched = Watched::new(&path, 10);
        assert!(watched.is_due());
        assert_eq!(watched.look(), Some(Err("there is no such file or folder")));
        assert!(!watched.is_due());
        assert_eq!(watched.look(), None);
        write("one");
        assert_eq!(watched.look(), Some(Ok(&b"one"[..])));
        assert_eq!(watched.look(), None);
        write("two");
        assert_eq!(watched.look(), Some(Ok(&b"two"[..])));
        fs::remove_file(&path).unwrap();
        assert!(watched.look().is_some_and(|found| found.is_err()));
        write("two");
        assert_eq!(watched.look(), Some(Ok(&b"two"[..])));
        write("much too long");
        assert_eq!(watched.look(), Some(Err("it is larger than 10 bytes")));
        assert_eq!(watched.look(), None);
    }
}
