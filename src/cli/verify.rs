//! `paravent verify`: a bundle, offline and without configuration. `paravent-verify` runs the same.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use super::audit::VerifyOnly;
use super::{DONE, Format, PROBLEMS, UNUSABLE};
use crate::audit::bundle::{Kept, Verdict, Verified, verify};
use crate::audit::note::{NOTE_BYTES_MAX, VerifierKey};
use crate::{audit, files, provenance};

/// Nobody vouches for what is otherwise sound.
const UNVOUCHED: u8 = 3;

/// Which bundle, and whose signatures are trusted.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The bundle.
    bundle: PathBuf,
    /// A public key that you have from elsewhere: its file, or the line itself. Without one, anybody may have made the bundle.
    #[arg(long, value_name = "PUB")]
    key: Vec<String>,
    /// A signed checkpoint of the log that you have kept: the log must still be the one of then. May be repeated.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Checks what was taken out of an access log, and access logs. It needs no configuration and asks nobody.
#[derive(Debug, Parser)]
#[command(name = "paravent-verify", version = provenance::LINE, about, long_about = None, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 valid, 1 not, 2 nothing can be said, 3 sound, but nothing from outside vouches for it."
)]
struct Alone {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a bundle of events that was taken out of an access log
    Verify(Arguments),
    /// Check an access log
    AuditVerify(VerifyOnly),
}

/// The whole of the program `paravent-verify`.
pub fn alone(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let code = match Alone::try_parse_from(arguments) {
        Ok(Alone { command }) => match command {
            Command::Verify(arguments) => run(&arguments),
            Command::AuditVerify(arguments) => super::audit::verify_only(&arguments),
        },
        Err(error) => {
            let _ = error.print();
            if error.use_stderr() { UNUSABLE } else { DONE }
        }
    };
    ExitCode::from(code)
}

/// Runs it on standard output and standard error.
pub(super) fn run(arguments: &Arguments) -> u8 {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    answer(arguments, &mut out, &mut err).unwrap_or(UNUSABLE)
}

fn answer(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut keys = Vec::new();
    for word in &arguments.key {
        match key(word) {
            Ok(key) => keys.push(key),
            Err(what) => {
                writeln!(err, "error: `--key {}` {what}", audit::visible(word))?;
                return Ok(UNUSABLE);
            }
        }
    }
    let mut kept = Vec::new();
    for path in &arguments.checkpoint {
        match checkpoint(path) {
            Ok(checkpoint) => kept.push(checkpoint),
            Err(what) => {
                let path = path.display().to_string();
                writeln!(
                    err,
                    "error: `--checkpoint {}` {what}",
                    audit::visible(&path)
                )?;
                return Ok(UNUSABLE);
            }
        }
    }
    let verdict = match verify(&arguments.bundle, &keys, &kept) {
        Ok(verdict) => verdict,
        Err(unusable) => {
            writeln!(err, "error: {unusable}")?;
            return Ok(UNUSABLE);
        }
    };
    match (verdict, arguments.format) {
        (Verdict::Altered(flaws), Format::Text) => {
            for flaw in flaws {
                writeln!(err, "error: not valid: {}", audit::visible(&flaw))?;
            }
            Ok(PROBLEMS)
        }
        (Verdict::Altered(flaws), Format::Json) => {
            writeln!(out, "{}", json!({ "verdict": "not-valid", "flaws": flaws }))?;
            Ok(PROBLEMS)
        }
        (Verdict::Whole(found), format) => {
            let code = match !keys.is_empty() && found.is_vouched() {
                true => DONE,
                false => UNVOUCHED,
            };
            match format {
                Format::Text => tell(&found, &keys, out)?,
                Format::Json => writeln!(out, "{}", json(&found, code))?,
            }
            Ok(code)
        }
    }
}

/// Runs a command line of `paravent-verify verify`, for tests: its exit code, standard output and standard error.
#[cfg(test)]
pub(crate) fn answer_to(words: &[&str]) -> (u8, String, String) {
    let words = ["paravent-verify", "verify"].iter().chain(words);
    let Ok(Alone { command }) = Alone::try_parse_from(words) else {
        return (UNUSABLE, String::new(), String::new());
    };
    let Command::Verify(arguments) = command else {
        panic!("another command");
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = answer(&arguments, &mut out, &mut err).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

/// Reads a key: a line, or the file that holds it.
fn key(word: &str) -> Result<VerifierKey, String> {
    if let Ok(key) = VerifierKey::parse(word) {
        return Ok(key);
    }
    let read = files::read(Path::new(word), NOTE_BYTES_MAX);
    let bytes = read
        .map_err(|error| format!("cannot be read: {error}"))?
        .bytes;
    let text = String::from_utf8(bytes).unwrap_or_default();
    VerifierKey::parse(&text).map_err(|error| error.to_string())
}

/// Reads a checkpoint that was kept.
fn checkpoint(path: &Path) -> Result<Kept, String> {
    let read = files::read(path, NOTE_BYTES_MAX);
    let bytes = read
        .map_err(|error| format!("cannot be read: {error}"))?
        .bytes;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let name = path.display().to_string();
    Kept::read(&name, &text).map_err(|error| error.to_string())
}

/// Says what is shown, and what is not.
fn tell(found: &Verified, given: &[VerifierKey], out: &mut dyn Write) -> io::Result<()> {
    let Verified { purpose, query, .. } = found;
    let (at, by) = &found.made;
    writeln!(out, "for {purpose}: asked for {}", words(query))?;
    writeln!(out, "made {at} by {by}, as it says itself")?;
    let proved = match found.unproved {
        0 => "all lines are in a signed log, none altered".to_owned(),
        unproved => {
            format!("{unproved} lines are NOT PROVED, all others are in a signed log, none altered")
        }
    };
    writeln!(
        out,
        "{} events and {} lines beside them; {proved}",
        found.events, found.others
    )?;
    for log in &found.logs {
        let (first, last) = log.events;
        let sizes: Vec<String> = log.sizes.iter().map(u64::to_string).collect();
        writeln!(
            out,
            "  {}: events {first} to {last} as signed by the key {}; checkpoints of the sizes {}, each going on the one before",
            log.origin,
            log.key,
            sizes.join(", ")
        )?;
    }
    writeln!(out, "the page shows what the lines say")?;
    completeness(found, out)?;
    comparison(found, out)?;
    if found.left_out > 0 {
        writeln!(
            out,
            "left out, as its maker says: {} events that no checkpoint covered yet",
            found.left_out
        )?;
    }
    for hash in &found.absent {
        writeln!(out, "not in it: what was in force under the hash {hash}")?;
    }
    conclusion(found, given, out)
}

/// Says whether something may have been left out.
fn completeness(found: &Verified, out: &mut dyn Write) -> io::Result<()> {
    match found.complete {
        Some((first, last)) => writeln!(
            out,
            "complete: every event from {first} to {last} is in it; which of them answer the question was for its maker to find, and all can be looked through"
        )?,
        None if found.holes.is_empty() => writeln!(
            out,
            "that nothing was left out is not proved: made without --complete"
        )?,
        None => {}
    }
    for (first, last) in &found.holes {
        writeln!(
            out,
            "NOT SHOWN: what stood from {first} to {last}; there the log goes on anew, or behind a gap, and nothing shows that it was not left out"
        )?;
    }
    Ok(())
}

/// Says of checkpoints that were kept whether the log is the one of then.
fn comparison(found: &Verified, out: &mut dyn Write) -> io::Result<()> {
    for kept in &found.kept {
        let (name, origin, size) = (&kept.name, &kept.origin, kept.size);
        match kept.is_same {
            true => writeln!(
                out,
                "the first {size} events of {origin} are those of `{name}`"
            )?,
            false => writeln!(
                out,
                "NOT SHOWN: that the log is the one of `{name}`, the first {size} events of {origin}, of which it says nothing: have it made with `paravent audit export --checkpoint`"
            )?,
        }
    }
    Ok(())
}

fn conclusion(found: &Verified, given: &[VerifierKey], out: &mut dyn Write) -> io::Result<()> {
    if given.is_empty() {
        writeln!(
            out,
            "NOBODY VOUCHES for it: anybody can make a bundle with a key of their own. Compare with the fingerprint that you have from elsewhere, and give that key with --key:"
        )?;
        return keys_inside(found, out);
    }
    if found.is_vouched() {
        return writeln!(out, "valid");
    }
    let strangers = found.logs.iter();
    let mut strangers = strangers
        .filter(|log| !log.is_vouched && !log.is_for_keys)
        .peekable();
    let is_signed = strangers.peek().is_none() && !found.logs.is_empty();
    for log in strangers {
        writeln!(
            out,
            "NOBODY VOUCHES for {}: its last checkpoint is signed by the key {}, and not by one that was given, or that is shown to have taken its place",
            log.origin, log.key
        )?;
    }
    match is_signed {
        true => writeln!(out, "valid but for what is not proved, or not shown"),
        false => keys_inside(found, out),
    }
}

fn keys_inside(found: &Verified, out: &mut dyn Write) -> io::Result<()> {
    for (id, fingerprint) in &found.keys {
        writeln!(out, "  key {id}: {fingerprint}")?;
    }
    Ok(())
}

fn words(query: &[String]) -> String {
    match query {
        [] => "everything".to_owned(),
        words => words.join(" "),
    }
}

fn json(found: &Verified, code: u8) -> serde_json::Value {
    let span = |(first, last): &(u64, u64)| json!({ "first": first, "last": last });
    let logs = found.logs.iter().map(|log| {
        json!({
            "origin": log.origin,
            "first": log.events.0,
            "last": log.events.1,
            "sizes": log.sizes,
            "key": log.key,
            "vouched": log.is_vouched,
            "for_keys": log.is_for_keys,
        })
    });
    let kept = found.kept.iter().map(|kept| {
        json!({ "name": kept.name, "origin": kept.origin, "same": kept.is_same, "size": kept.size })
    });
    let keys = found.keys.iter();
    let keys = keys.map(|(id, fingerprint)| json!({ "id": id, "fingerprint": fingerprint }));
    json!({
        "verdict": if code == DONE { "valid" } else { "unvouched" },
        "for": found.purpose,
        "query": found.query,
        "made": { "at": found.made.0, "by": found.made.1 },
        "events": found.events,
        "lines": found.events + found.others,
        "unproved": found.unproved,
        "left_out": found.left_out,
        "complete": found.complete.as_ref().map(span),
        "holes": found.holes.iter().map(span).collect::<Vec<_>>(),
        "checkpoints": kept.collect::<Vec<_>>(),
        "logs": logs.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
        "absent": found.absent,
    })
}
