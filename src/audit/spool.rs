//! Word that somebody read the log, or read records of a CRM beside the proxy. Whoever does takes no lock and may not write
//! the log, so they leave a note in a folder; the process that writes the log takes it up, now or at its next start.

use std::collections::HashSet;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::event::{Event, integer};
use super::folder::SPOOL;
use super::format::notice::{Exported, Notice, Sampled};
use super::id;
use super::names::visible;

/// How the names of notes begin, of those who read the log and of those who read records.
const READS: &str = "reads-";
const SAMPLES: &str = "samples-";
/// Of those who took events out of it.
const EXPORTS: &str = "exports-";
const KINDS: [&str; 3] = [READS, SAMPLES, EXPORTS];
/// Notes taken up at a time.
const NOTES_MAX: usize = 64;
/// Names in the folder that are looked at for them, and those that may be some: whoever writes the log has other things to
/// do.
const ENTRIES_MAX: usize = 32_768;
const FILES_MAX: usize = 4_096;
/// Bytes of one note.
const NOTE_BYTES_MAX: u64 = 16 << 10;
/// How long something that is no note may lie in the folder: whoever leaves one writes it under another name first.
const STRAY_FOR: Duration = Duration::from_secs(3_600);
/// Words of a filter in one note.
const WORDS_MAX: usize = 32;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    command: String,
    words: Vec<String>,
}

/// What was taken out of the log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Export {
    pub(super) events: u64,
    pub(super) filters: Vec<String>,
    #[serde(rename = "for")]
    pub(super) purpose: String,
    pub(super) sha256: String,
}

/// Notes that events were taken out of the log in `dir`. The event `audit.exported` follows within a second, or when the log is
/// opened next.
pub(super) fn record_export(dir: &Path, export: &Export) -> io::Result<()> {
    let filters = export.filters.iter().take(WORDS_MAX);
    let bounded = Export {
        filters: filters.map(|word| visible(word)).collect(),
        purpose: visible(&export.purpose),
        ..export.clone()
    };
    leave(dir, EXPORTS, &serde_json::to_vec(&bounded)?)
}

/// The event that the note of an export becomes. One that is no note still says that somebody was there.
fn exported(bytes: &[u8], uid: u32) -> Event {
    let export = serde_json::from_slice::<Export>(bytes).ok();
    let filters = export.iter().flat_map(|export| &export.filters);
    let is_hex =
        |hash: &&str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    Event::notice(Notice::Exported(Exported {
        events: export.as_ref().map(|export| integer(export.events)),
        filters: filters.take(WORDS_MAX).map(|word| visible(word)).collect(),
        purpose: export.as_ref().map(|export| visible(&export.purpose)),
        sha256: export
            .as_ref()
            .map(|export| export.sha256.as_str())
            .filter(is_hex)
            .map(str::to_owned),
        uid,
    }))
}

/// Which command reads records of a CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reader {
    /// `paravent discover`, and `paravent init`.
    Discover,
    /// `paravent scan`.
    Scan,
}

/// Records of one module that a command reads.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Which command.
    pub reader: Reader,
    /// Who runs it: a user of the operating system.
    pub by: String,
    /// With whose account in the CRM; `None`: the proxy's own.
    pub account: Option<String>,
    /// The CRM.
    pub upstream: String,
    /// Its API.
    pub dialect: String,
    /// The module.
    pub module: String,
    /// How many records at most; `None`: all.
    pub most: Option<u64>,
    /// How many were read; `None`: it is about to begin.
    pub read: Option<u64>,
}

impl Sampling {
    /// The event that it becomes, and whose note it was: whoever leaves one may say anything in it.
    fn event(&self, uid: u32) -> Event {
        let told = Sampled {
            account: self.account.as_deref().map(visible),
            by: visible(&self.by),
            dialect: visible(&self.dialect),
            module: visible(&self.module),
            most: self.most.map(integer),
            read: self.read.map(integer),
            uid: Some(uid),
            upstream: visible(&self.upstream),
        };
        Event::notice(match self.reader {
            Reader::Discover => Notice::Discover(told),
            Reader::Scan => Notice::Scan(told),
        })
    }
}

/// Notes that records are about to be read, or were. The event follows within a second, or when the log is opened next.
///
/// # Errors
/// If the note is not on disk: then nothing may be read.
pub fn record_sampling(dir: &Path, sampling: &Sampling) -> io::Result<()> {
    leave(dir, SAMPLES, &serde_json::to_vec(sampling)?)
}

/// How many notes of commands that read records wait in the folder of a log.
pub fn samplings_waiting(dir: &Path) -> usize {
    let entries = fs::read_dir(dir.join(SPOOL)).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| is_note(path, SAMPLES)).count()
}

/// Notes that the log in `dir` is being read: by which command, and with which words. The event `audit.read` follows
/// within a second, or when the log is opened next.
///
/// # Errors
/// If the note cannot be written: then this reading will not be recorded.
pub fn record_reading(dir: &Path, command: &'static str, words: &[String]) -> io::Result<()> {
    let note = Note {
        command: command.to_owned(),
        words: words
            .iter()
            .take(WORDS_MAX)
            .map(|word| visible(word))
            .collect(),
    };
    leave(dir, READS, &serde_json::to_vec(&note)?)
}

/// Leaves a note, whole and on disk.
fn leave(dir: &Path, beginning: &str, bytes: &[u8]) -> io::Result<()> {
    let name = format!("{beginning}{}.json", id::new());
    let spool = dir.join(SPOOL);
    let unfinished = spool.join(format!("{name}.part"));
    // Readable for all who may enter the folder: the writer of the log is often not the user who reads it.
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o644)
        .open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, spool.join(name))?;
    fs::File::open(spool)?.sync_all()
}

fn is_note(path: &Path, beginning: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(beginning) && name.ends_with(".json"))
}

fn is_any_note(path: &Path) -> bool {
    KINDS.iter().any(|kind| is_note(path, kind))
}

/// The notes that wait, each with the event that it becomes; but not those that are `done`.
pub(super) fn waiting(dir: &Path, done: &HashSet<PathBuf>) -> Vec<(PathBuf, Event)> {
    let Ok(entries) = fs::read_dir(dir.join(SPOOL)) else {
        return Vec::new();
    };
    let notes = entries
        .take(ENTRIES_MAX)
        .flatten()
        // Nobody leaves a note that way, and it might not be possible to take it away.
        .filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| is_any_note(path) && !done.contains(path))
        .take(FILES_MAX);
    // In the order in which they were left: their ids begin with the time.
    let mut notes: Vec<PathBuf> = notes.collect();
    notes.sort();
    notes
        .into_iter()
        .filter_map(|path| event(&path).ok().map(|event| (path, event)))
        .take(NOTES_MAX)
        .collect()
}

/// The event that a note becomes. One that is no note still says that somebody was there, and whose file it is.
fn event(path: &Path) -> io::Result<Event> {
    let there = fs::symlink_metadata(path)?;
    if there.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let (bytes, uid) = read(path).unwrap_or_else(|| (Vec::new(), there.uid()));
    if is_note(path, SAMPLES)
        && let Ok(sampling) = serde_json::from_slice::<Sampling>(&bytes)
    {
        return Ok(sampling.event(uid));
    }
    if is_note(path, EXPORTS) {
        return Ok(exported(&bytes, uid));
    }
    let note = serde_json::from_slice::<Note>(&bytes).ok();
    let words = note.iter().flat_map(|note| &note.words);
    Ok(Event::notice(Notice::Read {
        command: note.as_ref().map(|note| visible(&note.command)),
        uid,
        words: words.take(WORDS_MAX).map(|word| visible(word)).collect(),
    }))
}

/// What stands in a note, and whose it is. Whoever may leave notes may put anything under the name of one: so nothing is
/// followed or waited for, what counts is the file that was opened, and one that has other names may be anybody's.
fn read(path: &Path) -> Option<(Vec<u8>, u32)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let note = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)
        .ok()?;
    let opened = note.metadata().ok()?;
    if !opened.is_file() || opened.nlink() > 1 {
        return None;
    }
    let mut bytes = Vec::new();
    note.take(NOTE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some((bytes, opened.uid()))
}

/// Removes a note that was taken up. Whoever left it may have taken it away, or put a folder in its place: then there is none
/// any more.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|there| there.is_dir()) => Ok(()),
        removed => removed,
    }
}

/// Removes what is not a note, nor about to become one, so that nobody fills the folder with it. Notes go when they are taken
/// up.
pub(super) fn clear(dir: &Path) {
    for entry in fs::read_dir(dir.join(SPOOL))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder && is_any_note(&path) {
            continue;
        }
        // A link is not followed.
        let Ok(there) = entry.metadata() else {
            continue;
        };
        // Somebody else may have taken it away, or put something into a folder.
        let _ = if there.is_dir() {
            fs::remove_dir(path)
        } else if there.len() > NOTE_BYTES_MAX || has_lain(&there) {
            fs::remove_file(path)
        } else {
            Ok(())
        };
    }
}

fn has_lain(there: &Metadata) -> bool {
    let written = there.modified().ok();
    let lain = written.and_then(|written| SystemTime::now().duration_since(written).ok());
    lain.is_some_and(|lain| lain > STRAY_FOR)
}
