//! `paravent audit export`.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::audit::Query;
use crate::audit::bundle::{self, Asked, ExportError, Lang};
use crate::audit::note::NOTE_BYTES_MAX;
use crate::{files, provenance};

use super::{BROKEN, FINE, Streams, UNUSABLE, unusable};

/// Which events, what for, and where to.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The folder of the log.
    dir: PathBuf,
    /// What must hold, as key=value; as `paravent audit query`.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// The bundle to make; nothing may have that name yet.
    #[arg(short, long, value_name = "BUNDLE")]
    output: PathBuf,
    /// What the bundle is for: it stands in it, and in the log.
    #[arg(long = "for", value_name = "CASE")]
    purpose: String,
    /// A signed checkpoint of this log that was kept elsewhere: the bundle shows that the log is still the one of then.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Take every event between the first and the last that matches: then nothing can have been left out between.
    #[arg(long)]
    complete: bool,
    /// Take events that no signed checkpoint covers yet, too: nothing proves them.
    #[arg(long)]
    unsigned: bool,
    /// The language of the page.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
}

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

pub(super) fn run(args: &ExportArgs, Streams { out, err }: &mut Streams<'_>) -> io::Result<u8> {
    let now = Timestamp::now();
    let query = match Query::parse(args.filters.iter().map(String::as_str), now) {
        Ok(query) => query,
        Err(error) => return unusable(&error, err),
    };
    if args.purpose.trim().is_empty() {
        writeln!(
            err,
            "error: `--for` says nothing; say what the bundle is for"
        )?;
        return Ok(UNUSABLE);
    }
    let mut checkpoints = Vec::new();
    for path in &args.checkpoint {
        let read = files::read(path, NOTE_BYTES_MAX);
        let text = read.and_then(|read| String::from_utf8(read.bytes).map_err(io::Error::other));
        match text {
            Ok(text) => checkpoints.push((path.clone(), text)),
            Err(source) => {
                let path = path.clone();
                return unusable(&ExportError::Unreadable { path, source }, err);
            }
        }
    }
    let asked = Asked {
        query: &query,
        words: &args.filters,
        purpose: args.purpose.trim(),
        checkpoints: &checkpoints,
        complete: args.complete,
        unsigned: args.unsigned,
        lang: match args.lang {
            Language::En => Lang::En,
            Language::Fr => Lang::Fr,
        },
        at: &format!("{now:.3}"),
        by: &files::user(),
        uid: rustix::process::geteuid().as_raw(),
        program: provenance::LINE,
    };
    match bundle::export(&args.dir, &args.output, &asked) {
        Ok(made) => {
            writeln!(
                out,
                "{}: {} events, {} lines; sha256 {}",
                args.output.display(),
                made.events,
                made.lines,
                made.sha256
            )?;
            notes(args, &made, *err)?;
            Ok(FINE)
        }
        Err(
            error @ (ExportError::Broken(_)
            | ExportError::Checkpoint { .. }
            | ExportError::Nothing(_)),
        ) => {
            writeln!(err, "error: {error}")?;
            Ok(BROKEN)
        }
        Err(error) => unusable(&error, err),
    }
}

/// What of a bundle is not as one may think.
fn notes(args: &ExportArgs, made: &bundle::Exported, err: &mut dyn io::Write) -> io::Result<()> {
    if made.left_out > 0 {
        writeln!(
            err,
            "note: left out, because no signed checkpoint covers them yet: {} events; `--unsigned` takes them without proof",
            made.left_out
        )?;
    }
    if made.unproved > 0 {
        writeln!(err, "note: lines that nothing proves: {}", made.unproved)?;
    }
    for hash in &made.absent {
        writeln!(
            err,
            "note: what was in force under the hash {hash} is not kept in `{}`",
            args.dir.join("policies").display()
        )?;
    }
    if let Some(cause) = &made.unrecorded {
        writeln!(
            err,
            "note: that you made this bundle is not recorded in the log: {cause}"
        )?;
    }
    Ok(())
}
