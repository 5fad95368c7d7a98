//! Word that somebody read the log. Readers take no lock and may not write the log, so they leave a note in a folder;
//! the process that writes the log takes it up, now or at its next start.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::folder::SPOOL;
use super::format::notice::Notice;
use super::id;
use super::names::visible;

/// Notes taken up at a time.
const NOTES_MAX: usize = 64;
/// Bytes of one note.
const NOTE_BYTES_MAX: u64 = 16 << 10;
/// Words of a filter in one note.
const WORDS_MAX: usize = 32;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    command: String,
    words: Vec<String>,
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
    let name = format!("reads-{}.json", id::new());
    let spool = dir.join(SPOOL);
    let unfinished = spool.join(format!("{name}.part"));
    // Readable for all who may enter the folder: the writer of the log is often not the user who reads it.
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o644)
        .open(&unfinished)?;
    file.write_all(&serde_json::to_vec(&note)?)?;
    file.sync_all()?;
    fs::rename(unfinished, spool.join(name))
}

/// The notes that wait, each with the event that it becomes.
pub(super) fn waiting(dir: &Path) -> Vec<(PathBuf, Event)> {
    let Ok(entries) = fs::read_dir(dir.join(SPOOL)) else {
        return Vec::new();
    };
    let notes = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("reads-") && name.ends_with(".json"))
        });
    notes
        .filter_map(|path| event(&path).ok().map(|event| (path, event)))
        .take(NOTES_MAX)
        .collect()
}

/// The event that a note becomes. One that is no note still says that somebody was there, and whose file it is.
fn event(path: &Path) -> io::Result<Event> {
    let metadata = fs::symlink_metadata(path)?;
    let mut bytes = Vec::new();
    if metadata.is_file() {
        fs::File::open(path)?
            .take(NOTE_BYTES_MAX)
            .read_to_end(&mut bytes)?;
    }
    let note = serde_json::from_slice::<Note>(&bytes).ok();
    let words = note.iter().flat_map(|note| &note.words);
    Ok(Event::notice(Notice::Read {
        command: note.as_ref().map(|note| visible(&note.command)),
        uid: metadata.uid(),
        words: words.take(WORDS_MAX).map(|word| visible(word)).collect(),
    }))
}
