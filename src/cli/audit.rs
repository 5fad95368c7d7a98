//! `paravent audit`: the auditor's questions to a log. None needs the process that writes it, nor its permission.
//!
//! Exit codes: 0 when the question was answered, 1 when the log is not what was written or nothing has the id asked
//! for, 2 when the arguments or the folder cannot be used, 3 when a log is whole and nothing from outside of it says more.
//! Answers go to standard output, all else to standard error.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::path::Path;

use crate::audit::{Summary, log_bytes, pruned_up_to};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

mod export;
mod keygen;
mod outside;
mod query;
mod reindex;
mod report;
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
    /// The log may be in use. What the log alone cannot show is whether its end was cut off, or all of it written anew: give a
    /// public key and a signed checkpoint that were kept elsewhere, or what this command once printed as `last`, with
    /// `--expect`. Exits with 0 if the log is whole and as they say, with 1 if it is not, with 3 if it is whole and nothing from
    /// outside of its folder says more, with 2 if nobody can say.
    Verify(verify::VerifyArgs),
    /// Make a key that signs checkpoints of the log: `audit.key` for the proxy, `audit.pub` for whoever verifies.
    Keygen(keygen::KeygenArgs),
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
    /// Print a report: for a terminal, a script, a spreadsheet, or as a page to print.
    ///
    /// access-review: what roles may have against what they used. breach-scope: what an account reached (Art. 33 GDPR).
    /// category: who met data of a category. denials: what was refused. exceptions. monthly: what happened in a month.
    /// probes: who filtered by what is not shown. register: the record of processing (Art. 30 GDPR). top-readers: who read most.
    /// unclassified: data that nobody has classified. unusual: days that differ (only with a stated purpose).
    Report(Box<report::ReportArgs>),
    /// Take events out of the log, with everything that proves them: one file, for `paravent verify`.
    Export(export::ExportArgs),
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

/// What `paravent-verify` has of these questions.
#[derive(Debug, Args)]
pub(super) struct VerifyOnly {
    #[command(flatten)]
    args: verify::VerifyArgs,
}

/// Verifies, and nothing else; returns the exit code.
pub(super) fn verify_only(args: &VerifyOnly) -> u8 {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let streams = &mut Streams {
        out: &mut out,
        err: &mut err,
    };
    verify::run(&args.args, streams).unwrap_or(UNUSABLE)
}

fn answer(command: &Command, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let streams = &mut Streams { out, err };
    let result = match command {
        Command::Verify(args) => verify::run(args, streams),
        Command::Keygen(args) => keygen::run(args, streams),
        Command::Query(args) => query::run(args, streams),
        Command::Report(args) => report::run(args, streams),
        Command::Show(args) => show::run(args, streams),
        Command::Export(args) => export::run(args, streams),
        Command::Tail(args) => tail::run(args, streams),
        Command::WhoSaw(args) => who_saw::run(args, streams),
        Command::WhoCan(args) => who_can::run(args, streams),
        Command::Reindex(args) => reindex::run(args, streams),
    };
    let Streams { out, err } = streams;
    let result = result.and_then(|code| say_pruned(command, *err).map(|()| code));
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

/// An answer from a log whose beginning was removed says so.
fn say_pruned(command: &Command, err: &mut dyn Write) -> io::Result<()> {
    let dir = match command {
        Command::Verify(args) => &args.dir,
        Command::Query(args) => &args.dir,
        Command::Show(args) => &args.dir,
        Command::Report(args) => &args.dir,
        Command::Export(args) => &args.dir,
        Command::Tail(args) => &args.dir,
        Command::WhoSaw(args) => &args.dir,
        Command::Keygen(_) | Command::Reindex(_) | Command::WhoCan(_) => return Ok(()),
    };
    match pruned_up_to(dir) {
        Ok(Some(last_seq)) => writeln!(
            err,
            "note: events up to {last_seq} are not there, only their hashes in `pruned`: kept long enough, as the log itself says; `paravent audit verify` tells who vouches for that"
        ),
        // What cannot be read was said already.
        _ => Ok(()),
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
            out.starts_with("whole: 7 events up to 7, files: 1;"),
            "{out}"
        );
        assert!(out.contains("not known from this folder alone"), "{out}");
        let (_, out, _) = run_in(dir.path(), "verify DIR --format json");
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&found["events"], &found["verdict"]),
            (&7.into(), &"whole".into())
        );

        let path = dir.path().join("audit-0000000000000001.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("\"status\":403", "\"status\":200", 1)).unwrap();
        let (code, out, err) = run_in(dir.path(), "verify DIR");
        assert_eq!((code, out.as_str()), (BROKEN, ""));
        assert!(
            err.contains("event 4 (line 4 of `audit-0000000000000001.jsonl`)"),
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

    #[test]
    fn verify_says_what_a_key_and_a_checkpoint_from_outside_prove() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audit");
        let run = |words: &str| run_in(&data, words);
        let signed = "verify DIR/whole-and-signed/log";
        let key = "--key DIR/keys/1.pub";
        let outside = "--checkpoint DIR/whole-and-signed/outside";
        let (code, out, _) = run(&format!("{signed} {key} {outside}"));
        assert_eq!(code, FINE, "{out}");
        assert!(out.contains("signed up to event"), "{out}");
        assert!(
            out.contains("not known: whether there were events after"),
            "{out}"
        );
        let line = fs::read_to_string(data.join("keys/1.pub")).unwrap();
        assert_eq!(
            run(&format!("{signed} --key {} {outside}", line.trim())).0,
            FINE
        );
        // Neither alone, and nothing that lies in the folder itself.
        assert_eq!(run(signed).0, UNVOUCHED);
        assert_eq!(run(&format!("{signed} {key}")).0, UNVOUCHED);
        let (code, out, _) = run(&format!("{signed} {outside}"));
        assert_eq!(code, UNVOUCHED);
        assert!(out.contains("proves nothing"), "{out}");
        assert_eq!(run(&format!("{signed} --trust-local")).0, FINE);
        let inside = "--checkpoint DIR/whole-and-signed/log/checkpoints";
        let (code, _, err) = run(&format!("{signed} {key} {inside}"));
        assert_eq!(code, UNUSABLE);
        assert!(err.contains("lies in the log's own folder"), "{err}");
        let (code, _, err) = run(&format!("{signed} --key DIR/cases.json {outside}"));
        assert_eq!(code, UNUSABLE);
        assert!(
            err.contains("is larger than") || err.contains("is not a public key"),
            "{err}"
        );
        let (code, _, err) = run(&format!("{signed} {key} --checkpoint DIR/keys"));
        assert_eq!(code, UNUSABLE);
        assert!(err.contains("is not a signed note"), "{err}");
        for (case, says) in [
            ("checkpoint-of-another-log", "is of another log"),
            ("checkpoint-forged", "its signature is false"),
            (
                "checkpoint-by-another-key",
                "is signed by no key that you gave",
            ),
            (
                "rolled-back",
                "are missing, which were there when a checkpoint was signed",
            ),
            ("rewritten", "a checkpoint says otherwise"),
            ("signed-two-logs", "has signed two different logs"),
        ] {
            let words = format!("verify DIR/{case}/log {key} --checkpoint DIR/{case}/outside");
            let (code, _, err) = run(&words);
            assert_eq!(code, BROKEN, "{case}: {err}");
            assert!(err.contains(says), "{case}: {err}");
            let (code, out, _) = run(&(words + " --format json"));
            let found: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(code, BROKEN);
            assert_ne!(found["verdict"], "as-expected", "{case}");
        }
    }

    #[test]
    fn verify_says_who_vouches_for_what_was_pruned() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audit");
        for (case, must, says, vouched) in [
            ("pruned", FINE, "kept long enough, as event ", 17),
            (
                "pruned-unsigned",
                UNVOUCHED,
                "unsigned pruning from event 1 on",
                0,
            ),
        ] {
            let words = format!(
                "verify DIR/{case}/log --key DIR/keys/1.pub --checkpoint DIR/{case}/outside"
            );
            let (code, out, err) = run_in(&data, &words);
            assert_eq!(code, must, "{out}{err}");
            assert!(out.contains(says), "{out}");
            let (_, out, _) = run_in(&data, &(words + " --format json"));
            let found: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(found["pruned"]["vouched_seq"], vouched, "{out}");
            assert_eq!(found["pruned"]["last_seq"], 17, "{out}");
        }
    }

    #[tokio::test]
    async fn query_lists_the_newest_and_says_what_it_left_out() {
        let dir = TempDir::new().unwrap();
        let id = sample(dir.path()).await;
        let (code, out, err) = run_in(dir.path(), "query DIR outcome=denied --limit 1");
        assert_eq!(code, FINE);
        assert!(out.starts_with("WHEN") && out.contains(&id), "{out}");
        assert!(out.lines().all(|line| line.trim_end().len() <= 80), "{out}");
        let said = "the newest 1 of 3; older ones with `--before 6`, all with `--limit 3`\ncomplete up to event 7 of ";
        assert!(err.starts_with(said), "{err}");
        let (_, page, _) = run_in(
            dir.path(),
            "query DIR outcome=denied --before 6 --format csv",
        );
        assert_eq!(page.lines().count(), 3, "{page}");
        let (_, out, _) = run_in(dir.path(), "query DIR outcome=denied --format json");
        assert_eq!(out.lines().count(), 3);
        let (code, out, err) = run_in(dir.path(), "query DIR caller=nobody");
        assert_eq!((code, out.as_str()), (FINE, ""));
        let said =
            "note: no event of this log has `caller=nobody`\nno request matches, of 7 events\n";
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
    async fn a_report_is_made_where_its_arguments_say_something() {
        let dir = TempDir::new().unwrap();
        sample(dir.path()).await;
        for format in ["table", "json", "csv", "html"] {
            let line = format!("report DIR denials --format {format} --lang fr");
            let (code, out, _) = run_in(dir.path(), &line);
            assert!(code == FINE && out.contains("no-role"), "{out}");
        }
        for (line, cause) in [
            ("report DIR unusual", "watches employees"),
            ("report DIR breach-scope", "needs `caller=ID-OR-NAME`"),
            ("report DIR category", "needs `category=NAME`"),
            (
                "report DIR category category=financail",
                "did you mean `financial`?",
            ),
            (
                "report DIR denials caller=fanny",
                "says nothing to the report `denials`",
            ),
            ("report DIR denials caler=fanny", "did you mean `caller`?"),
            ("report DIR denials since=soon", "`soon` is not a time"),
            (
                "report DIR denials --since 1d --until 2d",
                "is not after `since`",
            ),
            ("report DIR register", "--policies DIR"),
            ("report DIR register --policies DIR/none", ""),
            (
                "report DIR denials --format csv --table none",
                "it has reasons",
            ),
            ("report DIR denials -o DIR/none/file", "cannot be written"),
            ("report DIR/none denials", "none"),
        ] {
            let (code, out, err) = run_in(dir.path(), line);
            assert_eq!((code, out.as_str()), (UNUSABLE, ""), "{line}");
            assert!(err.contains(cause), "{line}: {err}");
        }
        let (code, _, _) = run_in(dir.path(), "report DIR unusual --purpose security");
        assert_eq!(code, FINE);
        let elsewhere = TempDir::new().unwrap();
        let page = elsewhere.path().join("page");
        let line = format!("report DIR monthly --format html -o {}", page.display());
        let (code, out, _) = run_in(dir.path(), &line);
        assert_eq!((code, out.as_str()), (FINE, ""));
        assert!(fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&page).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let left = fs::read_dir(elsewhere.path()).unwrap().flatten();
        assert!(
            !left
                .map(|entry| entry.file_name())
                .any(|name| name.to_string_lossy().ends_with(".part"))
        );
    }

    #[tokio::test]
    async fn a_report_leaves_word_of_why_and_tells_what_it_could_not_read() {
        let dir = TempDir::new().unwrap();
        sample(dir.path()).await;
        run_in(
            dir.path(),
            "report DIR denials --since 2026-01-01 --reason audit",
        );
        Log::open(options(dir.path())).unwrap().stop().unwrap();
        let (_, out, _) = run_in(
            dir.path(),
            "report DIR monthly --since 2026-01-01 --format json",
        );
        let told: Value = serde_json::from_str(&out).unwrap();
        let reading = &told["tables"]["readings"]["rows"][0];
        let words = ["denials", "since=2026-01-01T00:00:00.000Z", "reason=audit"];
        assert_eq!(
            (&reading["command"], &reading["words"]),
            (&"report".into(), &words.as_slice().into())
        );

        let path = dir.path().join("audit-0000000000000001.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(
            &path,
            text.replacen("\"phase\":\"closed\"", "\"phase\":\"open\"", 1),
        )
        .unwrap();
        let (code, out, err) = run_in(dir.path(), "report DIR denials");
        assert_eq!(code, BROKEN);
        assert!(err.contains("are not events of this version: 1"), "{err}");
        assert!(out.contains("1 line is not an event"), "{out}");
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
