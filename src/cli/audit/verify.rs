//! `paravent audit verify`.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::audit::{Fault, Gap, Head, record_reading, verify_against};

use super::{
    BROKEN, FINE, Format, Streams, UNVOUCHED, progress_bar, say_unrecorded, unusable, verdict,
    words_of,
};

/// What to verify, and against what.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// An event that must be there, as this command printed it: its number and its hash, with or without `sha256:`.
    #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
    pub(super) expect: Vec<Head>,
    /// A gap that the log notes and that is known, by the number of the last event before it.
    #[arg(long, value_name = "SEQ")]
    pub(super) expect_gap: Vec<u64>,
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

pub(super) fn run(args: &VerifyArgs, Streams { out, err }: &mut Streams<'_>) -> io::Result<u8> {
    let VerifyArgs {
        dir,
        expect: kept,
        expect_gap: known_gaps,
        format,
        reason,
    } = args;
    let noted = record_reading(dir, "verify", &words_of(&[], reason.as_deref()));
    let bar = progress_bar(dir);
    let verdict = verify_against(dir, kept, &mut |read_bytes| bar.set_position(read_bytes));
    bar.finish_and_clear();
    match verdict {
        Ok(verified) => {
            say_unrecorded(noted, err)?;
            let is_known = |gap: &Gap| known_gaps.contains(&gap.last_seq);
            let code = match (verified.gaps.iter().all(is_known), kept.is_empty()) {
                (false, _) => BROKEN,
                (true, false) => FINE,
                (true, true) => UNVOUCHED,
            };
            match format {
                Format::Text => verdict::write(&verified, kept, out)?,
                Format::Json => writeln!(out, "{}", verdict::json(&verified, code))?,
            }
            if code == BROKEN {
                writeln!(
                    err,
                    "error: the log notes gaps; one that is known is given with `--expect-gap`, by the number of the last event before it"
                )?;
            }
            Ok(code)
        }
        Err(fault @ (Fault::Broken(_) | Fault::Unexpected(_))) => {
            match format {
                Format::Text => writeln!(err, "error: the log is not what was written: {fault}")?,
                Format::Json => writeln!(out, "{}", verdict::json_of_fault(&fault))?,
            }
            Ok(BROKEN)
        }
        Err(fault) => unusable(&fault, err),
    }
}
