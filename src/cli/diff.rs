//! `paravent diff`: what one policy shows, lets use and lets write beyond another one.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::against::{Against, compiled, read};
use super::{DONE, Format, PROBLEMS, UNUSABLE, print, unusable};
use crate::audit::{self, Query};
use crate::policy::{Compared, Policy, Source};
use crate::workbench::diff::{Lines, revision::Revision, to_json};
use crate::workbench::replay::{Replay, replay};

/// Two policies.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 if nothing more is shown, used or written than is accepted, 1 if something is, 2 if the arguments, a policy or the log cannot be used."
)]
pub(super) struct Arguments {
    /// The policy as it was: a folder, or REV:FOLDER of the git repository around the current folder
    #[arg(value_name = "OLD")]
    old: String,
    /// The policy as it is to be
    #[arg(value_name = "NEW")]
    new: String,
    /// A line that is meant, as it is printed, without its rules; may be given several times
    #[arg(long, value_name = "TEXT")]
    accept: Vec<String>,
    /// Decides the accesses of a log under both policies
    #[arg(long, value_name = "AUDIT_DIR")]
    replay: Option<PathBuf>,
    /// From this time on: 2026-11-23T09:00:00Z, 2026-11-23, or counted back: 30d, 24h
    #[arg(long, value_name = "TIME", requires = "replay")]
    since: Option<String>,
    #[command(flatten)]
    against: Against,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    compare(arguments).unwrap_or_else(|code| code)
}

fn compare(arguments: &Arguments) -> Result<u8, u8> {
    // A policy that cannot be used is no answer to whether it shows more.
    let schemas = arguments.against.schemas().map_err(|_| UNUSABLE)?;
    let policy = |name: &str| compiled(&sources(name)?, &schemas);
    let (old, new) = (policy(&arguments.old)?, policy(&arguments.new)?);
    let mut compared = Compared::default();
    for schema in &schemas {
        compared.extend(old.compared(&new, schema));
    }
    let lines = Lines::of(&compared);
    let unaccepted = lines
        .unaccepted(&arguments.accept)
        .map_err(|error| unusable(&error))?;
    let replay = replayed(arguments, [&old, &new])?;
    match arguments.format {
        Format::Json => {
            let mut report = to_json(&compared);
            if let Some(replay) = &replay {
                report["replay"] = replay.to_json();
            }
            print(&format!("{report:#}\n"));
            return Ok(if unaccepted > 0 { PROBLEMS } else { DONE });
        }
        Format::Text if compared.is_same() => {
            print("no difference: both show, use and write the same\n");
        }
        Format::Text => {
            let mut text = lines.render(&arguments.accept);
            if unaccepted > 0 {
                text.push_str(&format!(
                    "disclosure grows; lines that are not accepted: {unaccepted} (`--accept LINE` for each that is meant)\n"
                ));
            }
            print(&text);
        }
    }
    if let Some(replay) = &replay {
        print(&replay.render(arguments.since.as_deref()));
    }
    Ok(if unaccepted > 0 { PROBLEMS } else { DONE })
}

/// The accesses of the log under both policies, where one is given. A log that is not what was written proves nothing.
fn replayed(arguments: &Arguments, policies: [&Policy; 2]) -> Result<Option<Replay>, u8> {
    let Some(dir) = &arguments.replay else {
        return Ok(None);
    };
    let since = arguments
        .since
        .as_ref()
        .map(|since| format!("since={since}"));
    let query =
        Query::parse(since.as_deref(), Timestamp::now()).map_err(|error| unusable(&error))?;
    let words: Vec<String> = since.into_iter().collect();
    let noted = audit::record_reading(dir, "replay", &words);
    let bar = super::audit::progress_bar(dir);
    let verified = audit::verify(dir, &mut |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let verified = verified.map_err(|fault| {
        let damaged = matches!(fault, audit::Fault::Broken(_) | audit::Fault::Unexpected(_));
        let what = if damaged {
            "the log is not what was written: "
        } else {
            ""
        };
        eprintln!("error: {what}{fault}");
        UNUSABLE
    })?;
    let bar = super::audit::counting_bar(verified.events);
    let replay = replay(dir, &query, policies, &mut || bar.inc(1));
    bar.finish_and_clear();
    let replay = replay.map_err(|fault| unusable(&fault))?;
    if replay.damaged > 0 {
        eprintln!(
            "error: lines of the log that are not events: {}",
            replay.damaged
        );
        return Err(UNUSABLE);
    }
    if let Err(cause) = noted {
        eprintln!("note: that you read this log is not recorded in it: {cause}");
    }
    Ok(Some(replay))
}

/// The files of a folder, or of one of a revision. What lies in the current folder never stands for a revision: whoever can
/// add a folder could let a policy be compared with itself.
fn sources(name: &str) -> Result<Vec<Source>, u8> {
    let path = Path::new(name);
    let is_path = path.is_absolute() || name.starts_with('.');
    match Revision::parse(name).filter(|_| !is_path) {
        Some(revision) => revision.read().map_err(|error| unusable(&error)),
        None => read(path),
    }
}
