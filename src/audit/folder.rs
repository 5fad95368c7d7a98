//! The folder that holds the log: segments, and what was set aside.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::chain::{self, Head, Line, leaf};
use super::gap::Loss;

/// The folder in which readers leave word that they have read.
pub(super) const SPOOL: &str = "spool";

/// What the writer asks of a disk. Tests put one in between that fails.
pub(super) trait Disk: Send {
    /// Appends to the current segment: all of it, or an error after any part of it.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes durable what was appended, where everybody will look for it: it is an error if the segment is
    /// [lost](Self::lost).
    fn sync(&mut self) -> io::Result<()>;

    /// Begins a segment, named after its first event. After an error the segment before it is still the current one.
    fn begin(&mut self, first_seq: u64) -> io::Result<()>;

    /// What became of the current segment, if it is not under its name any more, or shorter than what was written.
    fn lost(&self) -> io::Result<Option<Loss>>;

    /// Whether the current segment, under its name, holds its durable part.
    fn holds(&self, durable: &Durable) -> io::Result<bool>;

    /// Goes on in a new segment behind the last event on disk, because the current one is lost; the folder is made anew
    /// if it is gone. What was appended to the lost one behind its durable part is taken back, so that it fits if it
    /// turns up again; so it is from a copy that has its name now.
    fn bridge(&mut self, last: &Head, durable: &Durable) -> io::Result<()>;

    /// Opens the current segment afresh, after an error, and takes away everything behind its durable part. Bytes
    /// other than `acknowledged` are set aside in a file of their own.
    fn cut(&mut self, durable: &Durable, acknowledged: &[u8]) -> io::Result<SetAside>;
}

/// The part of a segment that is known to be on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Durable {
    /// Its length.
    pub(super) bytes: u64,
    /// The length of its last line with the newline, and that line's hash, to recognise it by.
    pub(super) last: Option<(u64, String)>,
}

impl Durable {
    /// Of an empty segment.
    pub(super) fn none() -> Self {
        Self {
            bytes: 0,
            last: None,
        }
    }

    /// Lines were added; the last of them is given by its length with the newline, and its hash.
    pub(super) fn extend(&mut self, bytes: usize, last: Option<(u64, String)>) {
        self.bytes += bytes as u64;
        self.last = last.or_else(|| self.last.take());
    }
}

/// Bytes that were taken out of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SetAside {
    /// How many.
    pub(super) bytes: u64,
    /// The file that holds them, if there are any.
    pub(super) part: Option<String>,
}

/// Which file or folder something is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// A folder of segments, locked by this process.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    /// The folder itself. Holds the lock until it is dropped.
    lock: File,
    first_seq: u64,
    file: File,
    identity: Identity,
    /// The length of the segment.
    bytes: u64,
    /// Up to where the system need not keep it in memory.
    uncached_bytes: u64,
}

/// Bytes of a segment that the system is left to keep in memory.
const CACHED_BYTES_MAX: u64 = 256 << 10;
/// A multiple of the size of a page, whatever the machine.
const PAGES_BYTES: u64 = 64 << 10;

/// The name of the segment that begins with an event.
pub(super) fn segment_name(first_seq: u64) -> String {
    format!("audit-{first_seq:016}.jsonl")
}

/// The name of the compressed form of that segment.
pub(super) fn packed_name(first_seq: u64) -> String {
    segment_name(first_seq) + PACKED
}

/// How the name of a compressed segment ends.
const PACKED: &str = ".zst";

/// The numbers of the first events of all segments, in order, plain or compressed. Needs no lock.
pub(super) fn segments(dir: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        let plain = name.strip_suffix(PACKED).unwrap_or(name);
        let number = plain
            .strip_prefix("audit-")
            .and_then(|number| number.strip_suffix(".jsonl")?.parse().ok());
        // Only the exact spelling counts: `audit-1.jsonl` is some other file.
        found.extend(number.filter(|number| *plain == *segment_name(*number)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Whether a segment is kept as it was written, so that it can be gone on with.
pub(super) fn is_plain(dir: &Path, first_seq: u64) -> io::Result<bool> {
    match fs::symlink_metadata(dir.join(segment_name(first_seq))) {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a folder holds a log. Needs no lock.
pub fn holds_log(dir: &Path) -> bool {
    segments(dir).is_ok_and(|segments| !segments.is_empty())
}

/// How much text the segments of a log hold, uncompressed. Needs no lock.
///
/// # Errors
/// If the folder cannot be read.
pub fn log_bytes(dir: &Path) -> io::Result<u64> {
    let segments = segments(dir)?;
    segments.into_iter().try_fold(0, |sum, first_seq| {
        Ok(sum + chain::text_bytes(dir, first_seq)?)
    })
}

/// Takes a segment away that holds no event. What it does hold is set aside.
pub(super) fn take_away(dir: &Path, first_seq: u64) -> io::Result<SetAside> {
    let path = dir.join(segment_name(first_seq));
    let bytes = fs::symlink_metadata(&path)?.len();
    if bytes == 0 {
        fs::remove_file(path)?;
        sync_dir(dir)?;
        return Ok(SetAside::default());
    }
    let taken = parts_of(dir, first_seq)?;
    let name = |number: &u64| format!("torn-{first_seq:016}-{number}.part");
    let free = (1..)
        .map(|number| name(&number))
        .find(|name| !taken.contains(name));
    let part = free.ok_or(io::ErrorKind::AlreadyExists)?;
    fs::rename(path, dir.join(&part))?;
    sync_dir(dir)?;
    Ok(SetAside {
        bytes,
        part: Some(part),
    })
}

/// The mode of a file in the folder of a log: its group may read what it may list.
pub(super) fn file_mode(dir: &Path) -> u32 {
    0o600 | shared_with_group(dir) & 0o040
}

/// The mode of a folder in it.
pub(super) fn folder_mode(dir: &Path) -> u32 {
    0o700 | shared_with_group(dir)
}

fn shared_with_group(dir: &Path) -> u32 {
    fs::metadata(dir).map_or(0, |there| there.mode() & 0o050)
}

/// Whether a file of this name is one of the log itself.
pub(super) fn is_log_file(name: &str) -> bool {
    let is_segment = name.starts_with("audit-") && name.contains(".jsonl");
    is_segment || is_part(name)
}

fn is_part(name: &str) -> bool {
    name.starts_with("torn-") && name.ends_with(".part")
}

/// The names of the files that hold what was set aside of a segment, in order.
pub(super) fn parts_of(dir: &Path, first_seq: u64) -> io::Result<Vec<String>> {
    let mut names = parts(dir)?;
    let beginning = format!("torn-{first_seq:016}-");
    names.retain(|name| name.starts_with(&beginning));
    Ok(names)
}

/// The names of the files that hold what was set aside, in order.
pub(super) fn parts(dir: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        found.extend(
            name.to_str()
                .filter(|name| is_part(name))
                .map(str::to_owned),
        );
    }
    found.sort_unstable();
    Ok(found)
}

/// Makes the folder where it is missing, and locks it; `None` if another process has. The lock is the system's and lies on
/// the folder itself, so that it holds by whatever path the folder is reached, and whatever becomes of the names in it.
pub(super) fn lock(dir: &Path) -> io::Result<Option<File>> {
    let is_new = !dir.exists();
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(dir)?;
    builder.create(dir.join(SPOOL))?;
    // Its name must be as durable as what is in it.
    if let (true, Some(parent)) = (is_new, dir.canonicalize()?.parent()) {
        sync_dir(parent)?;
    }
    let lock = File::open(dir)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a process holds the lock of a file or folder. Makes nothing.
pub(super) fn is_locked(path: &Path) -> bool {
    let lock = File::open(path);
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// Whether a process writes the log in a folder. Makes nothing.
pub fn is_being_written(dir: &Path) -> bool {
    is_locked(dir)
}

impl Folder {
    /// Opens a segment of a locked folder to go on with, or begins it.
    pub(super) fn open(dir: &Path, lock: File, first_seq: u64) -> io::Result<Self> {
        let file = open_segment(dir, first_seq)?;
        let metadata = file.metadata()?;
        Ok(Self {
            dir: dir.to_owned(),
            lock,
            first_seq,
            bytes: metadata.len(),
            uncached_bytes: 0,
            identity: Identity::of(&metadata),
            file,
        })
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Begins a segment, which must hold nothing yet, and makes it the current one.
    fn begin_empty(&mut self, first_seq: u64) -> io::Result<()> {
        let file = open_segment(&self.dir, first_seq)?;
        let metadata = file.metadata()?;
        if metadata.len() > 0 || self.dir.join(packed_name(first_seq)).exists() {
            return Err(io::Error::other(
                "the next segment has been begun by somebody else",
            ));
        }
        (self.file, self.first_seq) = (file, first_seq);
        (self.bytes, self.uncached_bytes) = (0, 0);
        self.identity = Identity::of(&metadata);
        Ok(())
    }

    /// Whether the folder is still the one under its name.
    fn is_in_place(&self) -> io::Result<bool> {
        match fs::metadata(&self.dir) {
            Ok(there) => Ok(Identity::of(&there) == Identity::of(&self.lock.metadata()?)),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes back what was appended behind the durable part: if those are the events that follow it, and nothing else.
    fn take_back(&self, last: &Head, durable: &Durable) -> io::Result<()> {
        let appended = self.bytes.saturating_sub(durable.bytes);
        let length = self.file.metadata()?.len();
        let (Some(start), 1..) = (length.checked_sub(appended), appended) else {
            return Ok(());
        };
        let mut tail = vec![0; usize::try_from(appended).unwrap_or_default()];
        self.file.read_exact_at(&mut tail, start)?;
        let first = tail.split(|byte| *byte == b'\n').next();
        match first.and_then(Line::read) {
            Some(line) if last.precedes(&line) => {
                self.file.set_len(start)?;
                self.file.sync_all()?;
                self.take_back_copied(durable, &tail)
            }
            _ => Ok(()),
        }
    }

    /// The same from another file that has the segment's name: a copy that was made while events were written which nobody
    /// was told of. What is not of them is somebody else's, and left for who verifies the log.
    fn take_back_copied(&self, durable: &Durable, appended: &[u8]) -> io::Result<()> {
        let path = self.dir.join(segment_name(self.first_seq));
        match fs::symlink_metadata(&path) {
            Ok(there) if there.is_file() && Identity::of(&there) != self.identity => {}
            Ok(_) => return Ok(()),
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        let no_link = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .custom_flags(no_link)
            .open(path)?;
        let there = file.metadata()?;
        // A file with another name, too, is a copy that somebody keeps; without a line of ours, it is anybody's.
        if !there.is_file() || there.nlink() != 1 || durable.last.is_none() {
            return Ok(());
        }
        let behind = there.len().checked_sub(durable.bytes);
        let behind = behind.and_then(|bytes| usize::try_from(bytes).ok());
        let Some(bytes) = behind.filter(|bytes| (1..=appended.len()).contains(bytes)) else {
            return Ok(());
        };
        let mut tail = vec![0; bytes];
        file.read_exact_at(&mut tail, durable.bytes)?;
        if !appended.starts_with(&tail) || !ends_as(&file, durable)? {
            return Ok(());
        }
        file.set_len(durable.bytes)?;
        file.sync_all()
    }

    /// Tells the system that what is on disk will not soon be read: so the log does not push out of memory what others
    /// will read, and is written to the same few pages again and again.
    fn uncache(&mut self) {
        if self.bytes - self.uncached_bytes < CACHED_BYTES_MAX {
            return;
        }
        // Whole pages only: what begins a page that is not full is wanted when the next bytes come.
        self.uncached_bytes = self.bytes / PAGES_BYTES * PAGES_BYTES;
        advise_to_forget(&self.file, self.uncached_bytes);
    }

    /// Sets bytes aside: in a file of its own, durably, once.
    fn set_aside(&self, bytes: &[u8]) -> io::Result<SetAside> {
        let mut number = 1_u64;
        loop {
            let part = format!("torn-{:016}-{number}.part", self.first_seq);
            let path = self.dir.join(&part);
            let bytes_set_aside = SetAside {
                bytes: bytes.len() as u64,
                part: Some(part),
            };
            match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if let Err(error) = write_new(&path, bytes) {
                        // An incomplete copy would only mislead; the original is still in place.
                        let _ = fs::remove_file(&path);
                        return Err(error);
                    }
                    sync_dir(&self.dir)?;
                    return Ok(bytes_set_aside);
                }
                Err(error) => return Err(error),
                // An attempt that failed later on has set the same bytes aside already.
                Ok(held) if held.len() == bytes.len() as u64 && fs::read(&path)? == bytes => {
                    return Ok(bytes_set_aside);
                }
                Ok(_) => number += 1,
            }
        }
    }
}

impl Disk for Folder {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if let Some(loss) = self.lost()? {
            return Err(loss.into());
        }
        self.uncache();
        Ok(())
    }

    fn begin(&mut self, first_seq: u64) -> io::Result<()> {
        self.begin_empty(first_seq)
    }

    fn lost(&self) -> io::Result<Option<Loss>> {
        let there = match fs::symlink_metadata(self.dir.join(segment_name(self.first_seq))) {
            Ok(there) => there,
            Err(error) if is_missing(&error) => {
                let loss = match self.is_in_place()? {
                    true => Loss::Removed,
                    false => Loss::Folder,
                };
                return Ok(Some(loss));
            }
            Err(error) => return Err(error),
        };
        Ok(if Identity::of(&there) != self.identity {
            Some(match self.is_in_place()? {
                true => Loss::Replaced,
                false => Loss::Folder,
            })
        } else {
            (there.len() < self.bytes).then_some(Loss::Truncated)
        })
    }

    fn holds(&self, durable: &Durable) -> io::Result<bool> {
        let file = File::open(self.dir.join(segment_name(self.first_seq)))?;
        Ok(file.metadata()?.len() >= durable.bytes && ends_as(&file, durable)?)
    }

    fn bridge(&mut self, last: &Head, durable: &Durable) -> io::Result<()> {
        if let Err(cause) = self.take_back(last, durable) {
            warn!(%cause, "events that were never acknowledged stand behind the end of a lost segment");
        }
        if !self.is_in_place()? {
            let in_use = || io::Error::other("another process writes the log that is there now");
            self.lock = lock(&self.dir)?.ok_or_else(in_use)?;
        }
        self.begin_empty(last.seq + 1)
    }

    fn cut(&mut self, durable: &Durable, acknowledged: &[u8]) -> io::Result<SetAside> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(self.dir.join(segment_name(self.first_seq)))?;
        if !ends_as(&file, durable)? {
            return Err(io::Error::other("the segment was changed by somebody else"));
        }
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(durable.bytes))?;
        file.read_to_end(&mut tail)?;
        let foreign = tail.strip_prefix(acknowledged).unwrap_or(&tail);
        let set_aside = if foreign.is_empty() {
            SetAside::default()
        } else {
            self.set_aside(foreign)?
        };
        file.set_len(durable.bytes)?;
        file.sync_all()?;
        self.identity = Identity::of(&file.metadata()?);
        self.file = file;
        (self.bytes, self.uncached_bytes) = (durable.bytes, 0);
        Ok(set_aside)
    }
}

/// Whether the durable part of a segment ends with its last line.
fn ends_as(file: &File, durable: &Durable) -> io::Result<bool> {
    let Some((line_bytes, hash)) = &durable.last else {
        return Ok(true);
    };
    let mut line = vec![0; usize::try_from(*line_bytes).unwrap_or_default()];
    file.read_exact_at(&mut line, durable.bytes.saturating_sub(*line_bytes))?;
    Ok(line.pop() == Some(b'\n') && leaf(&line) == *hash)
}

/// Opens a segment to append to, and makes it and its place in the folder durable.
fn open_segment(dir: &Path, first_seq: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(file_mode(dir))
        .open(dir.join(segment_name(first_seq)))?;
    file.sync_all()?;
    sync_dir(dir)?;
    Ok(file)
}

/// A hint: it does not matter whether it is taken.
#[cfg(target_os = "linux")]
pub(super) fn advise_to_forget(file: &File, bytes: u64) {
    let _ = rustix::fs::fadvise(
        file,
        0,
        std::num::NonZeroU64::new(bytes),
        rustix::fs::Advice::DontNeed,
    );
}

#[cfg(not(target_os = "linux"))]
pub(super) fn advise_to_forget(_: &File, _: u64) {}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Whether nothing is there: not the file, or not the folder that it should be in.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_need_not_keep_in_memory_is_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock(dir.path()).unwrap().unwrap();
        let mut folder = Folder::open(dir.path(), held, 1).unwrap();
        let mut written = Vec::new();
        // Of a length that fits into no number of pages.
        for number in 0..200_u8 {
            let line = vec![number; 10_007];
            folder.append(&line).unwrap();
            folder.sync().unwrap();
            written.extend(line);
        }
        assert!(folder.uncached_bytes > 3 * CACHED_BYTES_MAX);
        let path = dir.path().join(segment_name(1));
        assert!(fs::read(&path).unwrap() == written);
        folder.begin(201).unwrap();
        folder.append(b"next").unwrap();
        folder.sync().unwrap();
        assert_eq!(
            fs::read(dir.path().join(segment_name(201))).unwrap(),
            b"next"
        );
        assert!(fs::read(&path).unwrap() == written);
    }
}
