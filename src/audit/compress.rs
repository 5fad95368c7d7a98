//! Compresses closed segments. At any instant one whole copy is there: the plain one goes last, when the compressed one is
//! on disk under its name and was read back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use jiff::{SignedDuration, Timestamp};

use super::chain::{Lines, next_event};
use super::folder::{
    self, Identity, advise_to_forget, file_mode, packed_name, segment_name, segments, sync_dir,
};
use super::seekable::{Packed, pack};

/// How long a segment stays as it was written, for whoever follows the files.
const PLAIN_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How the name of a compressed segment ends that may not be whole.
const UNFINISHED: &str = ".part";

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compressed {
    /// The bytes of its text.
    pub(super) plain: u64,
    /// The bytes of its compressed file.
    pub(super) packed: u64,
}

/// The segments that are to be compressed: not the open one, nor one that was closed less than an hour ago.
pub(super) fn due(dir: &Path, now: Timestamp) -> io::Result<Vec<u64>> {
    let closed_before = format!("{:.3}", now.checked_sub(PLAIN_FOR).unwrap_or_default());
    let segments = segments(dir)?;
    let mut due = Vec::new();
    for pair in segments.windows(2) {
        let &[first_seq, next_seq] = pair else {
            continue;
        };
        if !folder::is_plain(dir, first_seq)? {
            continue;
        }
        // It was closed when the next one began.
        let next = Lines::of_segment(dir, next_seq).and_then(|mut lines| next_event(&mut lines));
        // One that cannot be read keeps no other one as it is.
        if next.is_ok_and(|next| next.is_some_and(|next| next.time <= closed_before)) {
            due.push(first_seq);
        }
    }
    Ok(due)
}

/// Removes what attempts that were broken off have left behind. Needs the lock.
pub(super) fn clean_up(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_unfinished = entry.file_name().to_str().is_some_and(|name| {
            let packed = name.strip_suffix(UNFINISHED);
            let number = packed
                .and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl.zst"))
                .and_then(|number| number.parse().ok());
            number.is_some_and(|number| packed == Some(&packed_name(number)))
        });
        if is_unfinished {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Compresses a segment, and removes the plain one. `pause` is called after every part of the work, and may break it off.
///
/// # Errors
/// If anything of it fails. Then the plain one is still there.
pub(super) fn compress(
    dir: &Path,
    first_seq: u64,
    pause: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Compressed> {
    let unfinished = dir.join(packed_name(first_seq) + UNFINISHED);
    let done = compress_to(dir, first_seq, &unfinished, pause);
    if done.is_err() {
        // Whatever remains of it is removed at the next start.
        let _ = fs::remove_file(&unfinished);
    }
    done
}

fn compress_to(
    dir: &Path,
    first_seq: u64,
    unfinished: &Path,
    pause: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Compressed> {
    let plain_path = dir.join(segment_name(first_seq));
    let plain = File::open(&plain_path)?;
    let before = plain.metadata()?;
    let out = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(file_mode(dir))
        .open(unfinished)?;
    let mut context = Context::new(&SHA256);
    // What is appended meanwhile shows below.
    let mut text = BufReader::with_capacity(1 << 16, plain).take(before.len());
    pack(&mut text, &mut &out, &mut |frame| {
        context.update(frame);
        pause()
    })?;
    out.sync_all()?;
    let packed = out.metadata()?.len();
    // What is read back should come from the disk.
    advise_to_forget(&out, packed);
    advise_to_forget(text.get_ref().get_ref(), before.len());
    if hash_of(unfinished, pause)?.as_ref() != context.finish().as_ref() {
        return Err(io::Error::other(
            "the compressed segment is not what was written to it",
        ));
    }
    fs::rename(unfinished, dir.join(packed_name(first_seq)))?;
    sync_dir(dir)?;
    let there = fs::symlink_metadata(&plain_path)?;
    let stamp = |of: &fs::Metadata| (Identity::of(of), of.len(), of.mtime(), of.mtime_nsec());
    if stamp(&there) != stamp(&before) {
        return Err(io::Error::other(
            "the segment was changed while it was compressed",
        ));
    }
    fs::remove_file(&plain_path)?;
    sync_dir(dir)?;
    Ok(Compressed {
        plain: before.len(),
        packed,
    })
}

/// The hash of the text of a compressed file.
fn hash_of(path: &Path, pause: &mut dyn FnMut() -> io::Result<()>) -> io::Result<Digest> {
    let mut packed = Packed::open(File::open(path)?)?;
    let mut context = Context::new(&SHA256);
    loop {
        let text = packed.fill_buf()?;
        if text.is_empty() {
            return Ok(context.finish());
        }
        context.update(text);
        let length = text.len();
        packed.consume(length);
        pause()?;
    }
}
