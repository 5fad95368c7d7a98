//! `paravent audit verify`.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::audit::{Fault, Head, KnownGap, Outside, Reliance, examine, record_reading};

use super::{
    BROKEN, FINE, Format, Streams, UNUSABLE, UNVOUCHED, outside, progress_bar, say_unrecorded,
    unusable, verdict, words_of,
};

/// What to verify, and against what.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// A public key to trust, kept outside of the folder: the file `audit.pub`, or the line in it.
    #[arg(long, value_name = "PUB")]
    pub(super) key: Vec<String>,
    /// A signed checkpoint that was kept outside of the folder, or a folder of them.
    #[arg(long, value_name = "FILE")]
    pub(super) checkpoint: Vec<PathBuf>,
    /// Trust the keys and checkpoints that lie in the folder of the log.
    ///
    /// Whoever may write the folder can make them all anew: this finds accidents, and nobody who covers his tracks.
    #[arg(long)]
    pub(super) trust_local: bool,
    /// An event that must be there, as this command printed it: its number and its hash, with or without `sha256:`.
    #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
    pub(super) expect: Vec<Head>,
    /// A gap that the log notes and that is known: the events that were missing in it, or, if none were, the number of the last
    /// one before it.
    #[arg(long, value_name = "FIRST-LAST", value_parser = gap)]
    pub(super) expect_gap: Vec<KnownGap>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Why, for the note in the log.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

/// Reads what must be there.
fn head(text: &str) -> Result<Head, &'static str> {
    Head::parse(text)
        .ok_or("write the number of an event, a colon, and its hash of 64 hexadecimal digits")
}

/// Reads which gap is known.
fn gap(text: &str) -> Result<KnownGap, &'static str> {
    KnownGap::parse(text).ok_or(
        "write the numbers of the first and the last event that are missing, `480-501`, as this command printed them; or one number, `501`, if none were",
    )
}

pub(super) fn run(args: &VerifyArgs, Streams { out, err }: &mut Streams<'_>) -> io::Result<u8> {
    let VerifyArgs {
        dir,
        format,
        reason,
        ..
    } = args;
    let known = match known(args) {
        Ok(known) => known,
        Err(error) => return unusable(&error, err),
    };
    let noted = record_reading(dir, "verify", &words_of(&[], reason.as_deref()));
    let bar = progress_bar(dir);
    let found = examine(dir, &known, &mut |read_bytes| bar.set_position(read_bytes));
    bar.finish_and_clear();
    let code = match found.reliance(&known) {
        Reliance::Vouched => FINE,
        Reliance::Broken => BROKEN,
        Reliance::Whole => UNVOUCHED,
        Reliance::Unusable => UNUSABLE,
    };
    match (&found.verdict, format) {
        (Ok(verified), Format::Text) => {
            say_unrecorded(noted, err)?;
            verdict::write(verified, &found, &known, out)?;
            verdict::write_objections(&found, &known, err)?;
        }
        (Ok(verified), Format::Json) => {
            say_unrecorded(noted, err)?;
            writeln!(out, "{}", verdict::json(verified, &found, code))?;
            verdict::write_objections(&found, &known, err)?;
        }
        (Err(fault @ (Fault::Broken(_) | Fault::Unexpected(_))), Format::Text) => {
            verdict::write_fault(fault, &found, err)?;
        }
        (Err(fault @ (Fault::Broken(_) | Fault::Unexpected(_))), Format::Json) => {
            writeln!(out, "{}", verdict::json_of_fault(fault, &found))?;
        }
        (Err(fault), _) => return unusable(fault, err),
    }
    Ok(code)
}

/// Reads what was kept outside.
fn known(args: &VerifyArgs) -> Result<Outside, outside::Unusable> {
    let keys = args.key.iter().map(|key| outside::key(&args.dir, key));
    let checkpoints = args.checkpoint.iter();
    let checkpoints = checkpoints.map(|path| outside::checkpoints(&args.dir, path));
    Ok(Outside {
        kept: args.expect.clone(),
        keys: keys.collect::<Result<_, _>>()?,
        checkpoints: checkpoints.collect::<Result<Vec<_>, _>>()?.concat(),
        known_gaps: args.expect_gap.clone(),
        trust_local: args.trust_local,
    })
}
