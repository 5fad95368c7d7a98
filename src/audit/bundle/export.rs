//! Makes a bundle: finds what is wanted, writes it with its proofs, looks through it as whoever receives it will, and only then
//! gives it its name.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::super::id;
use super::super::names::visible;
use super::super::query::{Query, query};
use super::super::spool::{Export, record_export};
use super::super::verdict::Fault;
use super::hex;
use super::manifest::Lang;
use super::plan::{Failed, Plan};
use super::survey::{Mark, Survey, mark};

/// What is asked for, and how.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Which requests.
    pub query: &'a Query,
    /// The same in the words that were typed.
    pub words: &'a [String],
    /// What for.
    pub purpose: &'a str,
    /// Signed checkpoints that were kept elsewhere, from which on the log is to be shown to be the same.
    pub checkpoints: &'a [(PathBuf, String)],
    /// Whether to take everything between the first and the last event.
    pub complete: bool,
    /// Whether to take events that no checkpoint covers.
    pub unsigned: bool,
    /// The language of the page.
    pub lang: Lang,
    /// When.
    pub at: &'a str,
    /// Who.
    pub by: &'a str,
    /// The number of that user of the operating system.
    pub uid: u32,
    /// The program.
    pub program: &'a str,
}

/// What was made.
#[derive(Debug)]
pub struct Exported {
    /// Events that were asked for.
    pub events: u64,
    /// Lines in the bundle.
    pub lines: u64,
    /// Events that no checkpoint covers, and that were left out.
    pub left_out: u64,
    /// Events that no checkpoint covers, and that were taken.
    pub unproved: u64,
    /// Hashes of policies and schemas that the log's folder does not hold.
    pub absent: Vec<String>,
    /// The SHA-256 of the bundle, in hexadecimal.
    pub sha256: String,
    /// Why the log will not tell of it, if it will not.
    pub unrecorded: Option<io::Error>,
}

/// Why no bundle was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log cannot be questioned.
    #[error(transparent)]
    Log(#[from] Fault),
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bundle cannot be written.
    #[error("`{}` cannot be written: {source}", .path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something has its name already.
    #[error("`{}` is there already; a bundle is never written over something", .path.display())]
    Taken {
        /// Which.
        path: PathBuf,
    },
    /// The log is not what was written, or not what was signed.
    #[error("no bundle can be made of this log: {0}; `paravent audit verify` says more")]
    Broken(String),
    /// A checkpoint that was given does not fit.
    #[error("the checkpoint `{}` {what}", .path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// Nothing is left to be exported.
    #[error("{0}")]
    Nothing(String),
}

/// Makes a bundle of a log. Nothing is at `out` until all of it is.
///
/// # Errors
/// If the log cannot be read or is not what was signed, nothing matches, or the bundle cannot be written.
pub fn export(dir: &Path, out: &Path, asked: &Asked<'_>) -> Result<Exported, ExportError> {
    let taken = || ExportError::Taken {
        path: out.to_owned(),
    };
    if fs::symlink_metadata(out).is_ok() {
        return Err(taken());
    }
    let survey = Survey::of(dir, &wanted(dir, asked)?)?;
    let plan = Plan::new(dir, &survey, asked)?;
    let unwritable = |source| ExportError::Unwritable {
        path: out.to_owned(),
        source,
    };
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = out.with_file_name(format!(".{name}.{}.part", id::new()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(unwritable)?;
    let unfinished = Unfinished(unfinished);
    let mut made = plan.write(dir, file, asked).map_err(|error| match error {
        Failed::Io(source) => unwritable(source),
        Failed::Export(error) => error,
    })?;
    made.sha256 = hash(&unfinished.0).map_err(unwritable)?;
    let note = Export {
        events: made.events,
        filters: asked.words.iter().map(|word| visible(word)).collect(),
        purpose: visible(asked.purpose),
        sha256: made.sha256.clone(),
    };
    made.unrecorded = record_export(dir, &note).err();
    match put(&unfinished.0, out) {
        Ok(()) => Ok(made),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
        Err(error) => Err(unwritable(error)),
    }
}

/// A file that goes unless it got its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives a file its name, unless something has it.
fn put(unfinished: &Path, out: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, out) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // Some file systems have no links.
        Err(_) if fs::symlink_metadata(out).is_ok() => {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Err(_) => fs::rename(unfinished, out)?,
        Ok(()) => {}
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn hash(path: &Path) -> io::Result<String> {
    let (mut file, mut chunk) = (File::open(path)?, vec![0; 1 << 16]);
    let mut context = Context::new(&SHA256);
    loop {
        let read = file.read(&mut chunk)?;
        match chunk.get(..read) {
            None | Some([]) => return Ok(hex(context.finish().as_ref())),
            Some(bytes) => context.update(bytes),
        }
    }
}

/// The ids of what matches.
fn wanted(dir: &Path, asked: &Asked<'_>) -> Result<HashSet<Mark>, ExportError> {
    let mut wanted = HashSet::new();
    let summary = query(dir, asked.query, &mut |found| {
        wanted.insert(mark(found.id()));
        ControlFlow::Continue(())
    })?;
    if let Some(help) = summary.unheard_of {
        let what = format!("no policy or event of this log has the category: {help}");
        return Err(ExportError::Nothing(what));
    }
    if summary.unreadable_lines + summary.later_lines > 0 {
        return Err(ExportError::Broken(
            "it holds lines that are not events, or are those of a later version".to_owned(),
        ));
    }
    match wanted.is_empty() {
        true => Err(ExportError::Nothing(format!(
            "no event matches, of {}; no bundle is made of nothing",
            summary.events
        ))),
        false => Ok(wanted),
    }
}
