//! `paravent audit reindex`.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::audit::{record_reading, reindex};

use super::{FINE, Streams, counting, say_unrecorded, unusable, words_of};

/// Of which log.
#[derive(Debug, Args)]
pub(super) struct ReindexArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// Why, for the note in the log.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

pub(super) fn run(args: &ReindexArgs, Streams { out, err }: &mut Streams<'_>) -> io::Result<u8> {
    let noted = record_reading(&args.dir, "reindex", &words_of(&[], args.reason.as_deref()));
    let begun = Instant::now();
    let bar = counting();
    let built = reindex(&args.dir, &mut |events| bar.set_position(events));
    bar.finish_and_clear();
    let built = match built {
        Ok(built) => built,
        Err(fault) => return unusable(&fault, err),
    };
    say_unrecorded(noted, err)?;
    writeln!(
        out,
        "the index knows {} events up to {}; what came behind is read from the segments",
        built.events, built.last_seq
    )?;
    writeln!(
        out,
        "references: {}; bytes: {}; seconds: {:.1}",
        built.references,
        built.bytes,
        begun.elapsed().as_secs_f64()
    )?;
    Ok(FINE)
}
