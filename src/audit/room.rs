//! How much room the log takes, of how much it may.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::folder::SPOOL;

/// Of the room there is, what may be taken before somebody is told: in hundredths.
const TIGHT: u64 = 80;

/// How much room a log takes, and how much it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes of all files in its folder, but for the notes of readers.
    pub used: u64,
    /// Bytes that they may take.
    pub most: Option<u64>,
}

impl Room {
    /// Whether little is left: more than 80 % are taken.
    pub fn is_tight(self) -> bool {
        self.most
            .is_some_and(|most| u128::from(self.used) * 100 >= u128::from(most) * u128::from(TIGHT))
    }

    /// Whether nothing is left.
    pub fn is_full(self) -> bool {
        self.most.is_some_and(|most| self.used >= most)
    }
}

/// What is known of it while the log is written: measured now and then, and counted between.
#[derive(Debug, Default)]
pub(super) struct Measured {
    most: AtomicU64,
    /// Bytes that were appended since the log was opened.
    appended: AtomicU64,
    /// Bytes of everything else.
    rest: AtomicI64,
}

impl Measured {
    /// Sets how many bytes may be taken.
    pub(super) fn allow(&self, most: Option<u64>) {
        self.most.store(most.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Bytes were appended to the log.
    pub(super) fn append(&self, bytes: usize) {
        self.appended.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Measures a folder.
    pub(super) fn measure(&self, dir: &Path) -> io::Result<()> {
        // What is appended meanwhile may count twice, until the next time; it never counts as nothing.
        let appended = self.appended.load(Ordering::Relaxed);
        let rest = i128::from(bytes_of(dir, DEPTH_MAX, Some(SPOOL))?) - i128::from(appended);
        let rest = i64::try_from(rest).unwrap_or(i64::MAX);
        self.rest.store(rest, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn room(&self) -> Room {
        let rest = self.rest.load(Ordering::Relaxed);
        let most = self.most.load(Ordering::Relaxed);
        let appended = self.appended.load(Ordering::Relaxed);
        Room {
            used: appended.saturating_add_signed(rest),
            most: (most != u64::MAX).then_some(most),
        }
    }
}

/// Folders in folders that count. The log has no more than two.
const DEPTH_MAX: usize = 4;

/// The bytes of all files in a folder, and in those in it. What goes meanwhile does not count; nor does one folder, where
/// others may leave what they like: whoever may do that must not be able to have every request refused.
fn bytes_of(dir: &Path, depth: usize, but: Option<&str>) -> io::Result<u64> {
    let mut sum = 0_u64;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if but.is_some_and(|but| entry.file_name() == but) {
            continue;
        }
        let there = match entry.metadata() {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        sum = sum.saturating_add(if there.is_dir() && depth > 0 {
            bytes_of(&entry.path(), depth - 1, None).unwrap_or_default()
        } else {
            there.len()
        });
    }
    Ok(sum)
}
