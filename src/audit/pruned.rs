//! What is left of events that were kept long enough: their leaves, so that the chain and the tree still begin at the first.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::hex::hex;

use super::chain::Head;
use super::folder::{file_mode, folder_mode, segments, sync_dir};
use super::tree::Hash;
use super::verdict::Unexpected;

/// The folder of them.
const FOLDER: &str = "pruned";
const LEAF_BYTES: u64 = 32;

/// The leaves of events that are not there any more.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// By the numbers of their first and last events, in order.
    stretches: Vec<(u64, u64, PathBuf)>,
}

/// The file of a stretch of leaves.
fn file_name(first_seq: u64, last_seq: u64) -> String {
    format!("leaves-{first_seq:016}-{last_seq:016}.bin")
}

impl Pruned {
    /// Looks which there are. Stretches of segments that are still there do not count: they were not removed yet.
    pub(super) fn of(dir: &Path, first_segment: u64) -> io::Result<Self> {
        let entries = match fs::read_dir(dir.join(FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let mut stretches = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let numbers = name.to_str().and_then(|name| {
                let (first, last) = name
                    .strip_prefix("leaves-")?
                    .strip_suffix(".bin")?
                    .split_once('-')?;
                Some((first.parse().ok()?, last.parse().ok()?))
            });
            let Some((first, last)) = numbers else {
                continue;
            };
            if *name != *file_name(first, last) || first > last || last >= first_segment {
                continue;
            }
            let leaves = (last - first).saturating_add(1);
            if entry.metadata()?.len() != leaves.saturating_mul(LEAF_BYTES) {
                let what = format!("`{FOLDER}/{}` is not whole", file_name(first, last));
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            stretches.push((first, last, entry.path()));
        }
        stretches.sort();
        Ok(Self { stretches })
    }

    /// The number of the last event that is not there any more; 0 if there is none.
    pub(super) fn last_seq(&self) -> u64 {
        self.stretches.last().map_or(0, |(_, last, _)| *last)
    }

    /// Which of these heads is of an event that is not there any more, and was another one.
    pub(super) fn differs(&self, kept: &[Head]) -> io::Result<Option<Unexpected>> {
        for Head { seq, hash } in kept {
            if self.hash(*seq)?.is_some_and(|there| there != *hash) {
                return Ok(Some(Unexpected::Differs { seq: *seq }));
            }
        }
        Ok(None)
    }

    /// Hands out the leaves of events from one up to the one before another, in order; whether all of them are there.
    pub(super) fn leaves(
        &self,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(Hash),
    ) -> io::Result<bool> {
        let mut next = from;
        for (first, last, path) in &self.stretches {
            if next >= to || *first > next {
                break;
            }
            if *last < next {
                continue;
            }
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start((next - first) * LEAF_BYTES))?;
            let mut file = BufReader::new(file);
            while next <= *last && next < to {
                let mut leaf = Hash::default();
                file.read_exact(&mut leaf)?;
                visit(leaf);
                next += 1;
            }
        }
        Ok(from < to && next == to)
    }

    /// The hash of an event that is not there any more, as the chain has it.
    pub(super) fn hash(&self, seq: u64) -> io::Result<Option<String>> {
        let holds = |(first, last, _): &&(u64, u64, PathBuf)| (*first..=*last).contains(&seq);
        let Some((first, _, path)) = self.stretches.iter().find(holds) else {
            return Ok(None);
        };
        let mut leaf = Hash::default();
        File::open(path)?.read_exact_at(&mut leaf, (seq - first) * LEAF_BYTES)?;
        Ok(Some(format!("sha256:{}", hex(&leaf))))
    }
}

/// The number of the last event of a log that was removed because it had been kept long enough; `None` if there is none.
///
/// # Errors
/// If the folder cannot be read.
pub fn pruned_up_to(dir: &Path) -> io::Result<Option<u64>> {
    let Some(first_segment) = segments(dir)?.first().copied() else {
        return Ok(None);
    };
    let last_seq = Pruned::of(dir, first_segment)?.last_seq();
    Ok((last_seq > 0).then_some(last_seq))
}

/// Keeps leaves, durably. A stretch that is there already stays.
pub(super) fn keep(dir: &Path, first_seq: u64, leaves: &[Hash]) -> io::Result<()> {
    let folder = dir.join(FOLDER);
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(folder_mode(dir))
        .create(&folder)?;
    sync_dir(dir)?;
    let last_seq = first_seq + leaves.len() as u64 - 1;
    let name = file_name(first_seq, last_seq);
    let path = folder.join(&name);
    let bytes = leaves.concat();
    if fs::read(&path).is_ok_and(|there| there == bytes) {
        // What a process kept that was killed need not be on disk yet.
        File::open(&path)?.sync_all()?;
        return sync_dir(&folder);
    }
    let unfinished = folder.join(name + ".part");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(file_mode(dir))
        .open(&unfinished)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    sync_dir(&folder)
}
