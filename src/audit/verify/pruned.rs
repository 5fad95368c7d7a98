//! The leaves of events that retention removed.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::super::tree::Hash;

/// The folder that holds them.
pub(super) const PRUNED: &str = "pruned";
/// Bytes of a leaf.
const LEAF_BYTES: u64 = 32;

/// One file of leaves.
#[derive(Clone, Debug)]
struct Leaves {
    first_seq: u64,
    last_seq: u64,
    path: PathBuf,
}

/// All of them, read in the order of events.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    files: Vec<Leaves>,
    /// Which file is open, and the number of the event whose leaf comes next in it.
    open: Option<(usize, u64, BufReader<File>)>,
}

/// A file of leaves that is none: its name, and the number that it begins with.
pub(super) struct Unsound {
    pub(super) file: String,
    pub(super) seq: u64,
}

impl Pruned {
    /// Lists them. The second result is the first file that is too short, too long, or holds what another one does, of events
    /// that are not there; of others, a file that is not whole does not count: its segment was not removed yet.
    pub(super) fn list(dir: &Path, first_segment: u64) -> io::Result<(Self, Option<Unsound>)> {
        let mut files = Vec::new();
        let entries = match fs::read_dir(dir.join(PRUNED)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Self::default(), None));
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let range = entry.file_name().to_str().and_then(range_of);
            files.extend(range.map(|(first_seq, last_seq)| Leaves {
                first_seq,
                last_seq,
                path: entry.path(),
            }));
        }
        files.sort_by_key(|file| (file.first_seq, file.last_seq));
        let (mut sound, mut unsound) = (Vec::new(), None);
        let mut before = 0;
        for file in files {
            let count = (file.last_seq + 1).saturating_sub(file.first_seq);
            let is_sound = file.first_seq > before
                && count > 0
                && fs::metadata(&file.path)?.len() == count * LEAF_BYTES;
            if is_sound {
                before = file.last_seq;
                sound.push(file);
            } else if file.last_seq < first_segment && unsound.is_none() {
                unsound = Some(Unsound {
                    file: name(file.first_seq, file.last_seq),
                    seq: file.first_seq,
                });
            }
        }
        let files = sound;
        Ok((Self { files, open: None }, unsound))
    }

    /// The number of the last event before this one of which there is a leaf.
    pub(super) fn last_before(&self, seq: u64) -> Option<u64> {
        let files = self.files.iter().rev();
        let mut last = files.filter(|file| file.first_seq < seq);
        last.next().map(|file| file.last_seq.min(seq - 1))
    }

    /// The events with which files begin of segments that are not there any more.
    pub(super) fn starts(&self, first_segment: u64) -> Vec<u64> {
        let gone = self.files.iter();
        let gone = gone.filter(|file| file.last_seq < first_segment);
        gone.map(|file| file.first_seq).collect()
    }

    /// The name of the file that should hold the leaf of an event.
    pub(super) fn file_of(&self, seq: u64) -> String {
        let file = self.files.iter().rfind(|file| file.first_seq <= seq);
        file.map_or_else(
            || PRUNED.to_owned(),
            |file| name(file.first_seq, file.last_seq),
        )
    }

    /// The number of the first event of which there is a leaf.
    pub(super) fn first(&self) -> Option<u64> {
        self.files.first().map(|file| file.first_seq)
    }

    /// The leaf of an event, if it was kept.
    pub(super) fn leaf(&mut self, seq: u64) -> io::Result<Option<Hash>> {
        let is_next = |open: &(usize, u64, BufReader<File>)| open.1 == seq;
        if !self.open.as_ref().is_some_and(is_next) {
            let of = |file: &Leaves| (file.first_seq..=file.last_seq).contains(&seq);
            let Some(index) = self.files.iter().position(of) else {
                return Ok(None);
            };
            let Some(file) = self.files.get(index) else {
                return Ok(None);
            };
            let mut reader = BufReader::new(File::open(&file.path)?);
            reader.seek(SeekFrom::Start((seq - file.first_seq) * LEAF_BYTES))?;
            self.open = Some((index, seq, reader));
        }
        let Some((index, next, reader)) = &mut self.open else {
            return Ok(None);
        };
        let mut leaf = [0; LEAF_BYTES as usize];
        reader.read_exact(&mut leaf)?;
        *next += 1;
        if self
            .files
            .get(*index)
            .is_some_and(|file| file.last_seq < *next)
        {
            self.open = None;
        }
        Ok(Some(leaf))
    }
}

fn name(first_seq: u64, last_seq: u64) -> String {
    format!("{PRUNED}/leaves-{first_seq:016}-{last_seq:016}.bin")
}

/// The numbers of the first and last event in the name of a file; `None` if it is some other file.
fn range_of(file_name: &str) -> Option<(u64, u64)> {
    let range = file_name.strip_prefix("leaves-")?.strip_suffix(".bin")?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let is_exact = name(first, last).ends_with(&format!("/{file_name}"));
    (is_exact && last < u64::MAX).then_some((first, last))
}
