//! `paravent diff`: what one policy shows, lets use and lets write beyond another one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::against::{Against, compiled, read};
use super::{DONE, Format, PROBLEMS, UNUSABLE, print, unusable};
use crate::policy::{Compared, Source};
use crate::workbench::diff::{Lines, revision::Revision, to_json};

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
    match arguments.format {
        Format::Json => print(&format!("{:#}\n", to_json(&compared))),
        Format::Text if compared.is_same() => {
            print("no difference: both show, use and write the same\n");
        }
        Format::Text => {
            let mut text = lines.render(&arguments.accept);
            if unaccepted > 0 {
                text.push_str(&format!(
                    "disclosure grows: {unaccepted} lines that are not accepted (`--accept LINE` for each that is meant)\n"
                ));
            }
            print(&text);
        }
    }
    Ok(if unaccepted > 0 { PROBLEMS } else { DONE })
}

/// The files of a folder, or of one of a revision.
fn sources(name: &str) -> Result<Vec<Source>, u8> {
    let path = Path::new(name);
    match Revision::parse(name).filter(|_| !path.is_dir()) {
        Some(revision) => revision.read().map_err(|error| unusable(&error)),
        None => read(path),
    }
}
