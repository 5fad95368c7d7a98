//! Looks through a bundle that somebody hands over: every file present and nothing besides, each line of its leaf, each leaf in
//! a log that was signed, and the page what the lines say.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::hex::hex;

use super::super::names::visible;
use super::super::note::VerifierKey;
use super::archive::{Files, NoArchive, open};
use super::check::{Flaw, check};
use super::facts::Facts;
use super::kept::{Compared, Kept};
use super::manifest::{FORMAT, MANIFEST, MANIFEST_BYTES_MAX, Manifest, PAGE, VERSION, read};
use super::page;

/// Flaws that are told.
const FLAWS_MAX: usize = 50;

/// Why nothing can be said of a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// It cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no bundle: it is no ZIP", .path.display())]
    NoBundle {
        /// The file.
        path: PathBuf,
    },
    /// A later version made it.
    #[error("`{}` was made by a later version, in form {version} of bundles; this one knows form {VERSION}", .path.display())]
    Later {
        /// The file.
        path: PathBuf,
        /// The version of its form.
        version: u64,
    },
}

/// What is said of a bundle.
#[derive(Debug)]
pub enum Verdict {
    /// It is what was made of the log.
    Whole(Box<Verified>),
    /// It is not; what was found first.
    Altered(Vec<String>),
}

/// A bundle that is what was made.
#[derive(Debug)]
pub struct Verified {
    /// What for.
    pub purpose: String,
    /// What was asked.
    pub query: Vec<String>,
    /// When it was made, and by whom, as it says itself.
    pub made: (String, String),
    /// Events that were asked for.
    pub events: u64,
    /// When the first and the last of them were written.
    pub times: Option<(String, String)>,
    /// Other lines: terms, policies, beginnings of logs, events between.
    pub others: u64,
    /// Of all lines, those that nothing proves.
    pub unproved: u64,
    /// Events that were asked for and left out, as whoever made it says.
    pub left_out: u64,
    /// The numbers of the events between which nothing was left out, if that is shown.
    pub complete: Option<(u64, u64)>,
    /// Between the first and the last, what is not in it although everything was to be: then it is not complete.
    pub holes: Vec<(u64, u64)>,
    /// The logs.
    pub logs: Vec<Signed>,
    /// Checkpoints that were kept.
    pub kept: Vec<Compared>,
    /// Public keys inside: id and fingerprint.
    pub keys: Vec<(String, String)>,
    /// Hashes of policies and schemas that were in force and are not in it.
    pub absent: Vec<String>,
}

/// A log as it was signed.
#[derive(Debug)]
pub struct Signed {
    /// `paravent/LOGID/NODE`.
    pub origin: String,
    /// The numbers of its first event, and of the last that is covered.
    pub events: (u64, u64),
    /// The sizes of its checkpoints.
    pub sizes: Vec<u64>,
    /// The id of the key that has signed the last.
    pub key: String,
    /// Whether that key was given, or took the place of one that was, as both have signed.
    pub is_vouched: bool,
    /// Whether it is here only for the keys that took the place of others, which have signed that themselves.
    pub is_for_keys: bool,
}

impl Verified {
    /// Whether a key that was given stands behind every line, and all was shown that was to be.
    pub fn is_vouched(&self) -> bool {
        let mut logs = self.logs.iter().filter(|log| !log.is_for_keys).peekable();
        let is_signed = logs.peek().is_some() && logs.all(|log| log.is_vouched);
        let is_shown = self.holes.is_empty() && self.kept.iter().all(|kept| kept.is_same);
        self.unproved == 0 && is_signed && is_shown
    }
}

/// Looks through a bundle. Keys are those that are trusted, and with them those that took their place; what was signed by others
/// is said. Checkpoints are those that were kept: the logs must be those of then.
///
/// # Errors
/// If it cannot be read, is something else, or was made by a later version.
pub fn verify(path: &Path, keys: &[VerifierKey], kept: &[Kept]) -> Result<Verdict, Unusable> {
    let unreadable = |source| Unusable::Unreadable {
        path: path.to_owned(),
        source,
    };
    crate::files::check(path).map_err(unreadable)?;
    let file = File::open(path).map_err(unreadable)?;
    let files = match open(file) {
        Ok(files) => files,
        Err(NoArchive::Unreadable(error)) => return Err(unreadable(error)),
        Err(NoArchive::NoZip) => {
            return Err(Unusable::NoBundle {
                path: path.to_owned(),
            });
        }
        Err(NoArchive::Odd(what)) => return Ok(Verdict::Altered(vec![what])),
    };
    let manifest = match manifest(&files).map_err(unreadable)? {
        Ok(manifest) => manifest,
        Err(Declared::Later(version)) => {
            return Err(Unusable::Later {
                path: path.to_owned(),
                version,
            });
        }
        Err(Declared::Odd(what)) => return Ok(Verdict::Altered(vec![what])),
    };
    let flaws = listed(&files, &manifest).map_err(unreadable)?;
    if !flaws.is_empty() {
        return Ok(Verdict::Altered(flaws));
    }
    let told = check(&files, &manifest, keys).and_then(|facts| {
        is_same_page(&files, &manifest, &facts)?;
        Ok(facts)
    });
    let facts = match told {
        Ok(facts) => facts,
        Err(Flaw::Says(what)) => return Ok(Verdict::Altered(vec![what])),
        Err(Flaw::Unreadable(error)) => return Err(unreadable(error)),
    };
    let kept: Result<Vec<_>, _> = kept.iter().map(|kept| kept.compare(&facts)).collect();
    match kept {
        Ok(kept) => Ok(Verdict::Whole(Box::new(said(manifest, facts, kept)))),
        Err(what) => Ok(Verdict::Altered(vec![what])),
    }
}

/// Why the manifest is none.
enum Declared {
    Later(u64),
    Odd(String),
}

fn manifest(files: &Files) -> io::Result<Result<Manifest, Declared>> {
    #[derive(serde::Deserialize)]
    struct Form {
        bundle: u64,
        format: String,
    }
    let odd = |what: String| Ok(Err(Declared::Odd(what)));
    let Some(entry) = files.entry(MANIFEST) else {
        return odd(format!("`{MANIFEST}` is missing"));
    };
    let Some(bytes) = files.read(entry, MANIFEST_BYTES_MAX)? else {
        return odd(format!("`{MANIFEST}` is larger than one is"));
    };
    if let Ok(Form { bundle, format }) = serde_json::from_slice(&bytes)
        && bundle > VERSION
        && format == format!("paravent-bundle-{bundle}")
    {
        return Ok(Err(Declared::Later(bundle)));
    }
    let Some(manifest) = read::<Manifest>(&bytes) else {
        return odd(format!("`{MANIFEST}` is not in its form"));
    };
    let texts = [
        &manifest.purpose,
        &manifest.made.at,
        &manifest.made.by,
        &manifest.made.program,
    ];
    let texts = texts
        .into_iter()
        .chain(&manifest.query)
        .chain(&manifest.absent);
    let are_visible = texts.into_iter().all(|text| visible(text) == *text);
    if manifest.bundle != VERSION || manifest.format != FORMAT || !are_visible {
        return odd(format!("`{MANIFEST}` is not in its form"));
    }
    Ok(Ok(manifest))
}

/// Holds the files against the manifest.
fn listed(files: &Files, manifest: &Manifest) -> io::Result<Vec<String>> {
    let mut flaws = Vec::new();
    for listed in &manifest.files {
        let name = visible(&listed.name);
        match files.entry(&listed.name) {
            None => flaws.push(format!("`{name}` is missing")),
            Some(entry) => {
                let (hash, is_sound) = files.hash(entry)?;
                let is_same = hash == listed.sha256 && u64::from(entry.bytes) == listed.bytes;
                if !is_same || !is_sound {
                    flaws.push(format!("`{name}` was changed"));
                }
            }
        }
        if flaws.len() >= FLAWS_MAX {
            return Ok(flaws);
        }
    }
    let names = manifest.files.iter().map(|file| file.name.as_str());
    let expected: Vec<&str> = names.chain([MANIFEST]).collect();
    let mut known: Vec<&str> = expected.clone();
    known.sort_unstable();
    let found: Vec<&str> = files
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    let added = found
        .iter()
        .filter(|name| known.binary_search(name).is_err());
    flaws.extend(
        added
            .take(FLAWS_MAX)
            .map(|name| format!("`{name}` was added")),
    );
    if let Some(entry) = files.entry(MANIFEST)
        && !files.hash(entry)?.1
    {
        flaws.push(format!("`{MANIFEST}` was changed"));
    }
    if flaws.is_empty() && expected != found {
        flaws.push("its files are in another order than they were".to_owned());
    }
    Ok(flaws)
}

/// Makes the page again, and compares it with the one that is there.
fn is_same_page(files: &Files, manifest: &Manifest, facts: &Facts) -> Result<(), Flaw> {
    struct Hashed(Context);
    impl io::Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut made = Hashed(Context::new(&SHA256));
    page::write(manifest, facts, &mut made)?;
    let made = hex(made.0.finish().as_ref());
    let found = files
        .entry(PAGE)
        .map(|entry| files.hash(entry))
        .transpose()?;
    match found {
        Some((found, _)) if found == made => Ok(()),
        Some(_) => super::check::flaw(format!(
            "`{PAGE}` does not show what the lines say: made again, it is another page"
        )),
        None => super::check::flaw(format!("`{PAGE}` is missing")),
    }
}

fn said(manifest: Manifest, facts: Facts, kept: Vec<Compared>) -> Verified {
    let counts = facts.counts;
    let signed = facts.logs.iter().map(|log| Signed {
        origin: visible(&log.origin),
        events: (log.from, log.last()),
        sizes: log.checkpoints.iter().map(|one| one.size).collect(),
        key: log
            .checkpoints
            .last()
            .map(|last| last.key.clone())
            .unwrap_or_default(),
        is_vouched: log.is_vouched,
        is_for_keys: !log.has_events,
    });
    let complete = manifest.complete.filter(|_| facts.holes.is_empty());
    Verified {
        purpose: manifest.purpose,
        query: manifest.query,
        made: (manifest.made.at, manifest.made.by),
        events: counts.events,
        others: counts.between + counts.keys + counts.policies + counts.segments + counts.terms,
        unproved: counts.unproved,
        left_out: counts.left_out,
        complete: complete.map(|span| (span.first, span.last)),
        holes: facts.holes.clone(),
        logs: signed.collect(),
        kept,
        keys: facts
            .keys
            .iter()
            .map(|key| (key.id_text(), key.fingerprint()))
            .collect(),
        times: facts.times,
        absent: manifest.absent,
    }
}
