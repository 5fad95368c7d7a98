//! `paravent audit`: the auditor's questions to a log. None needs the process that writes it, nor its permission.
//!
//! Exit codes: 0 when the question was answered, 1 when the log is not what was written or nothing has the id asked
//! for, 2 when the arguments or the folder cannot be used, 3 when a log is whole and nothing from outside of it says more.
//! Answers go to standard output, all else to standard error.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::path::Path;

use crate::audit::{Summary, log_bytes};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

mod query;
mod reindex;
mod show;
mod tail;
mod told;
mod verdict;
mod verify;
mod who_can;
mod who_saw;
mod words;

/// The question was answered.
const FINE: u8 = 0;
/// The log is not what was written, or nothing has the id asked for.
const BROKEN: u8 = 1;
/// The arguments or the folder cannot be used.
const UNUSABLE: u8 = 2;

/// The log is whole, but nothing from outside of it was given.
const UNVOUCHED: u8 = 3;

/// Verify and question an access log.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that every event is in its place, that none was changed and none between them is missing.
    ///
    /// The log may be in use. What the log alone cannot show is whether its end was cut off, or all of it written anew: keep
    /// what this command prints as `last` somewhere else, and give it with `--expect` the next time. Exits with 0 if the log is
    /// whole and as expected, with 1 if it is not, with 3 if it is whole and nothing was expected.
    Verify(verify::VerifyArgs),
    /// List the requests that match all filters, oldest first.
    ///
    /// Filters: caller=ID-OR-NAME, role=, purpose=, module=, record=MODULE/ID (UPSTREAM:MODULE/ID where the log tells of
    /// several), category=NAME (and all below it, however it was used), field=MODULE.FIELD, level=LEVEL,
    /// use=shown|matched|sorted|searched|written|exported, outcome=KIND, reason=CODE, origin=ADDRESS-OR-NETWORK, strength=,
    /// policy=NAME-OR-HASH, action=ACTION, id=ID, text-kind=KIND (identifiers that were found in texts), since=TIME (from the
    /// first event at or after it), until=TIME (to the last event before it). A TIME is 2026-11-23T09:00:00Z, 2026-11-23,
    /// or counted back from now: 7d, 24h, 30m. Several values stand between commas; one of them must hold. All filters must
    /// hold; those about data must hold of the same data.
    /// Requests that were opened and never closed come last, and
    /// match every filter about records, data and outcome: nobody knows what left.
    Query(query::QueryArgs),
    /// Say what one decision was, in a sentence, and what became of data; with --json, print all its events.
    Show(show::ShowArgs),
    /// Print the newest requests that match all filters, and go on with what is written: filters as of `query`.
    Tail(tail::TailArgs),
    /// Say who saw a record: for the house, or for the person whom it is about.
    WhoSaw(who_saw::WhoSawArgs),
    /// Say who could see a category under a policy, and by which rules.
    WhoCan(who_can::WhoCanArgs),
    /// Build the index of a log anew. It is never evidence: it only finds sooner what stands in the segments.
    Reindex(reindex::ReindexArgs),
}

/// For people or for scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Answers on standard output; returns the exit code.
pub fn run(args: &AuditArgs) -> u8 {
    let mut out = io::BufWriter::new(io::stdout().lock());
    answer(&args.command, &mut out, &mut io::stderr().lock())
}

fn answer(command: &Command, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let streams = &mut Streams { out, err };
    let result = match command {
        Command::Verify(args) => verify::run(args, streams),
        Command::Query(args) => query::run(args, streams),
        Command::Show(args) => show::run(args, streams),
        Command::Tail(args) => tail::run(args, streams),
        Command::WhoSaw(args) => who_saw::run(args, streams),
        Command::WhoCan(args) => who_can::run(args, streams),
        Command::Reindex(args) => reindex::run(args, streams),
    };
    let Streams { out, err } = streams;
    match result.and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => code,
        // Whoever read our output has seen enough: `paravent audit query … | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => FINE,
        Err(error) => {
            let _ = writeln!(err, "error: the answer could not be written: {error}");
            UNUSABLE
        }
    }
}

struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

fn unusable(error: &dyn std::error::Error, err: &mut dyn Write) -> io::Result<u8> {
    writeln!(err, "error: {error}")?;
    Ok(UNUSABLE)
}

/// Reading the log is itself an event; where it cannot become one, the reader is told.
fn say_unrecorded(noted: io::Result<()>, err: &mut dyn Write) -> io::Result<()> {
    match noted {
        Ok(()) => Ok(()),
        Err(cause) => writeln!(
            err,
            "note: that you read this log is not recorded in it: {cause}"
        ),
    }
}

fn readable(summary: &Summary, err: &mut dyn Write) -> io::Result<u8> {
    let mut code = FINE;
    for (what, lines) in [
        ("lines that are not events", summary.unreadable_lines),
        (
            "events in the format of a later version",
            summary.later_lines,
        ),
    ] {
        if lines > 0 {
            code = BROKEN;
            writeln!(
                err,
                "error: {what}: {lines}; `paravent audit verify` says where the first one is"
            )?;
        }
    }
    Ok(code)
}

pub(super) fn progress_bar(dir: &Path) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(log_bytes(dir).ok(), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Progress over nobody knows how many events.
fn counting() -> ProgressBar {
    match io::stderr().is_terminal() {
        true => ProgressBar::new_spinner().with_message("events"),
        false => ProgressBar::hidden(),
    }
}

/// The words of a reading for the note in the log: filters, and why it was done.
fn words_of(filters: &[String], reason: Option<&str>) -> Vec<String> {
    let reason = reason.map(|reason| format!("reason={reason}"));
    filters.iter().cloned().chain(reason).collect()
}

/// Progress over so many events.
pub(super) fn counting_bar(events: u64) -> ProgressBar {
    match io::stderr().is_terminal() {
        true => ProgressBar::with_draw_target(Some(events), ProgressDrawTarget::stderr()),
        false => ProgressBar::hidden(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use clap::{CommandFactory, FromArgMatches, Parser};
    use tempfile::TempDir;

    use serde_json::Value;

    use crate::audit::{Arrival, Log, Options, PolicyStamp, Record};
    use crate::reason::Reason;

    use super::*;

    fn options(dir: &Path) -> Options {
        Options::new(dir, &dir.join("state"))
    }

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        audit: AuditArgs,
    }

    /// Runs a command line over a folder; returns the exit code, standard output and standard error.
    pub(super) fn run_in(dir: &Path, line: &str) -> (u8, String, String) {
        let dir = dir.to_str().unwrap();
        let words = line.split(' ').map(|word| word.replace("DIR", dir));
        let matches =
            Cli::command().get_matches_from(["audit".to_owned()].into_iter().chain(words));
        let cli = Cli::from_arg_matches(&matches).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = answer(&cli.audit.command, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(out), text(err))
    }

    /// A log of three refused requests; returns the id of the last.
    async fn sample(dir: &Path) -> String {
        let log = Log::open(options(dir)).unwrap();
        let policy = PolicyStamp {
            name: Arc::from("p"),
            hash: Arc::from("sha256:0"),
            schema: Arc::from("sha256:1"),
        };
        let arrival = Arrival {
            origin: [127, 0, 0, 1].into(),
            policy: &policy,
            observes: false,
            upstream: "crm",
            dialect: "sugar-rest",
            route: None,
            trace: None,
        };
        let mut last = String::new();
        for _ in 0..3 {
            let record = Record::new(&log, arrival);
            let closed = record.refuse(403, Some(Reason::NoRole)).await;
            last = closed.unwrap().id().to_owned();
        }
        log.stop().unwrap();
        last
    }

    #[test]
    fn the_arguments_are_sound() {
        Cli::command().debug_assert();
    }

    #[tokio::test]
    async fn verify_answers_with_its_exit_code() {
        let dir = TempDir::new().unwrap();
        sample(dir.path()).await;
        let (code, out, err) = run_in(dir.path(), "verify DIR");
        assert_eq!((code, err.as_str()), (UNVOUCHED, ""));
        assert!(
            out.starts_with("whole: 6 events up to 6, files: 1;"),
            "{out}"
        );
        assert!(out.contains("not known from this folder alone"), "{out}");
        let (_, out, _) = run_in(dir.path(), "verify DIR --format json");
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&found["events"], &found["verdict"]),
            (&6.into(), &"whole".into())
        );

        let path = dir.path().join("audit-0000000000000001.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("\"status\":403", "\"status\":200", 1)).unwrap();
        let (code, out, err) = run_in(dir.path(), "verify DIR");
        assert_eq!((code, out.as_str()), (BROKEN, ""));
        assert!(
            err.contains("event 3 (line 3 of `audit-0000000000000001.jsonl`)"),
            "{err}"
        );
        let (code, out, _) = run_in(dir.path(), "verify DIR --format json");
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &found["verdict"]), (BROKEN, &"broken".into()));

        let empty = TempDir::new().unwrap();
        assert_eq!(run_in(empty.path(), "verify DIR").0, UNUSABLE);
        assert_eq!(run_in(empty.path(), "verify DIR/none").0, UNUSABLE);
        assert_eq!(run_in(empty.path(), "query DIR").0, UNUSABLE);
    }

    #[tokio::test]
    async fn query_lists_the_newest_and_says_what_it_left_out() {
        let dir = TempDir::new().unwrap();
        let id = sample(dir.path()).await;
        let (code, out, err) = run_in(dir.path(), "query DIR outcome=denied --limit 1");
        assert_eq!(code, FINE);
        assert!(out.starts_with("WHEN") && out.contains(&id), "{out}");
        assert!(out.lines().all(|line| line.trim_end().len() <= 80), "{out}");
        let said = "the newest 1 of 3; older ones with `--before 5`, all with `--limit 3`\ncomplete up to event 6 of ";
        assert!(err.starts_with(said), "{err}");
        let (_, page, _) = run_in(
            dir.path(),
            "query DIR outcome=denied --before 5 --format csv",
        );
        assert_eq!(page.lines().count(), 3, "{page}");
        let (_, out, _) = run_in(dir.path(), "query DIR outcome=denied --format json");
        assert_eq!(out.lines().count(), 3);
        let (code, out, err) = run_in(dir.path(), "query DIR caller=nobody");
        assert_eq!((code, out.as_str()), (FINE, ""));
        let said =
            "note: no event of this log has `caller=nobody`\nno request matches, of 6 events\n";
        assert!(err.starts_with(said), "{err}");
        let (code, _, err) = run_in(dir.path(), "query DIR calller=fanny");
        assert_eq!(code, UNUSABLE);
        assert!(err.contains("did you mean `caller`"), "{err}");
    }

    #[tokio::test]
    async fn show_prints_a_decision_or_says_that_there_is_none() {
        let dir = TempDir::new().unwrap();
        let id = sample(dir.path()).await;
        let (code, out, _) = run_in(dir.path(), &format!("show DIR {id}"));
        assert_eq!(code, FINE);
        assert!(
            out.contains("denied: no-role") && out.contains(&id),
            "{out}"
        );
        let (_, out, _) = run_in(dir.path(), &format!("show DIR {id} --json"));
        assert!(out.contains("\"reason\":\"no-role\""), "{out}");
        let (_, out, _) = run_in(dir.path(), &format!("show DIR {id} --lang fr"));
        assert!(
            out.starts_with("Le ") && out.contains("cela n'a pas abouti"),
            "{out}"
        );
        let (code, out, err) = run_in(dir.path(), "show DIR 01NONE");
        assert_eq!((code, out.as_str()), (BROKEN, ""));
        assert_eq!(err, "error: no event has the id `01NONE`\n");
    }

    #[tokio::test]
    async fn a_reading_that_cannot_be_recorded_is_announced() {
        let dir = TempDir::new().unwrap();
        sample(dir.path()).await;
        fs::remove_dir_all(dir.path().join("spool")).unwrap();
        let (code, _, err) = run_in(dir.path(), "query DIR");
        assert_eq!(code, FINE);
        assert!(err.contains("is not recorded in it"), "{err}");
    }

    #[tokio::test]
    async fn a_tampered_log_cannot_steer_the_terminal() {
        let dir = TempDir::new().unwrap();
        sample(dir.path()).await;
        let path = dir.path().join("audit-0000000000000001.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let evil = text.replacen("\"id\":\"", "\"id\":\"\\u001b[2J\u{202e}", 1);
        fs::write(&path, evil).unwrap();
        let (_, out, _) = run_in(dir.path(), "query DIR");
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out}");
        assert!(out.contains("\\u{1b}"), "{out}");
    }

    #[test]
    fn a_reader_who_has_seen_enough_is_no_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let dir = TempDir::new().unwrap();
        Log::open(options(dir.path())).unwrap().stop().unwrap();
        let words = [
            "audit",
            "query",
            dir.path().to_str().unwrap(),
            "--format",
            "json",
        ];
        let matches = Cli::command().get_matches_from(words);
        let command = Cli::from_arg_matches(&matches).unwrap().audit.command;
        assert_eq!(answer(&command, &mut Closed, &mut Vec::new()), FINE);
    }
}
