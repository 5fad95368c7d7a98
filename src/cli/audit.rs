//! `paravent audit`: the auditor's questions to a log. None needs the process that writes it, nor its permission.
//!
//! Exit codes: 0 when the question was answered, 1 when the log is not what was written or nothing has the id asked
//! for, 2 when the arguments or the folder cannot be used, 3 when a log is whole and nothing from outside of it says more.
//! Answers go to standard output, all else to standard error.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::audit::{
    Fault, Found, Gap, Head, Query, Summary, log_bytes, query, record_reading, show,
    verify_against, visible,
};
use crate::vocabulary::Level;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

mod verdict;

/// The question was answered.
const FINE: u8 = 0;
/// The log is not what was written, or nothing has the id asked for.
const BROKEN: u8 = 1;
/// The arguments or the folder cannot be used.
const UNUSABLE: u8 = 2;

/// The log is whole, but nothing from outside of it was given.
const UNVOUCHED: u8 = 3;

/// Rows of a table, unless told otherwise.
const TABLE_ROWS_DEFAULT: usize = 100;

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
    Verify {
        /// The folder of the log.
        dir: PathBuf,
        /// An event that must be there, as this command printed it: its number and its hash, with or without `sha256:`.
        #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
        expect: Vec<Head>,
        /// A gap that the log notes and that is known, by the number of the last event before it.
        #[arg(long, value_name = "SEQ")]
        expect_gap: Vec<u64>,
        /// How to answer.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// List the requests that match all filters, oldest first.
    ///
    /// Filters: caller=ID-OR-NAME, module=NAME, record=MODULE/ID (UPSTREAM:MODULE/ID where the log tells of several), category=NAME (and all below it: data that was met, or
    /// fields that the request named), level=LEVEL, outcome=KIND, action=ACTION, purpose=NAME, id=ID, since=TIME (from the
    /// first event at or after it), until=TIME (to the last event before it). A TIME is 2026-11-23T09:00:00Z, 2026-11-23,
    /// or counted back from now: 7d, 24h, 30m.
    /// Requests that were opened and never closed come last, and
    /// match every filter about records, data and outcome: nobody knows what left.
    Query {
        /// The folder of the log.
        dir: PathBuf,
        /// What must hold, as key=value.
        #[arg(value_name = "FILTER")]
        filters: Vec<String>,
        /// How to answer.
        #[arg(long, value_enum, default_value_t = ListFormat::Table)]
        format: ListFormat,
        /// Only the newest N (default: 100 in a table, all as JSON).
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Print all events of one decision, and of its parts.
    Show {
        /// The folder of the log.
        dir: PathBuf,
        /// The id, as the header `Paravent-Decision` gave it.
        id: String,
        /// How to answer.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
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

/// For people or for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// One row a request.
    Table,
    /// One event a line, with all that its terms say.
    Json,
}

/// Answers on standard output; returns the exit code.
pub fn run(args: &AuditArgs) -> u8 {
    let mut out = io::BufWriter::new(io::stdout().lock());
    answer(&args.command, &mut out, &mut io::stderr().lock())
}

fn answer(command: &Command, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let result = match command {
        Command::Verify {
            dir,
            expect,
            expect_gap,
            format,
        } => run_verify(
            dir,
            (expect, expect_gap),
            *format,
            &mut Streams { out, err },
        ),
        Command::Query {
            dir,
            filters,
            format,
            limit,
        } => run_query(dir, filters, *format, *limit, &mut Streams { out, err }),
        Command::Show { dir, id, format } => run_show(dir, id, *format, &mut Streams { out, err }),
    };
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

/// Reads what must be there.
fn head(text: &str) -> Result<Head, &'static str> {
    Head::parse(text)
        .ok_or("write the number of an event, a colon, and its hash of 64 hexadecimal digits")
}

fn run_verify(
    dir: &Path,
    (kept, known_gaps): (&[Head], &[u64]),
    format: Format,
    Streams { out, err }: &mut Streams<'_>,
) -> io::Result<u8> {
    let noted = record_reading(dir, "verify", &[]);
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

fn run_query(
    dir: &Path,
    filters: &[String],
    format: ListFormat,
    limit: Option<usize>,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let asked = match Query::parse(filters.iter().map(String::as_str), Timestamp::now()) {
        Ok(asked) => asked,
        Err(error) => return unusable(&error, streams.err),
    };
    let noted = record_reading(dir, "query", filters);
    let limit = match format {
        ListFormat::Table => Some(limit.unwrap_or(TABLE_ROWS_DEFAULT)),
        ListFormat::Json => limit,
    };
    let mut newest = VecDeque::new();
    let mut found = 0_usize;
    let mut written = Ok(());
    let summary = query(dir, &asked, &mut |event| {
        found += 1;
        match limit {
            None => {
                written = writeln!(streams.out, "{}", event.json());
                if written.is_err() {
                    return ControlFlow::Break(());
                }
            }
            Some(limit) => {
                newest.push_back((event.json().to_string(), row(event)));
                if newest.len() > limit {
                    newest.pop_front();
                }
            }
        }
        ControlFlow::Continue(())
    });
    let summary = match summary {
        Ok(summary) => summary,
        Err(fault) => return unusable(&fault, streams.err),
    };
    written?;
    say_unrecorded(noted, streams.err)?;
    if asked.is_timed() && summary.clock_steps > 0 {
        writeln!(
            streams.err,
            "note: the clock stepped back in this log, so times are not in the order of events; `since` begins with the first event at or after its time, `until` ends with the last one before its time"
        )?;
    }
    match format {
        ListFormat::Json => {
            for (line, _) in &newest {
                writeln!(streams.out, "{line}")?;
            }
        }
        ListFormat::Table if !newest.is_empty() => {
            writeln!(streams.out, "{}", table(newest.iter().map(|(_, row)| row)))?;
        }
        ListFormat::Table => {}
    }
    if summary.untold > 0 {
        writeln!(
            streams.err,
            "note: requests under policies whose categories this log does not tell, found by their data alone: {}",
            summary.untold
        )?;
    }
    if let Some(help) = &summary.unheard_of {
        writeln!(
            streams.err,
            "error: no policy or event of this log has the category: {help}"
        )?;
        return Ok(UNUSABLE);
    }
    if found == 0 {
        let events = summary.events;
        writeln!(streams.err, "no request matches, of {events} events")?;
    } else if limit.is_some_and(|limit| limit < found) {
        let shown = newest.len();
        writeln!(
            streams.err,
            "the newest {shown} of {found}; more with `--limit {found}`"
        )?;
    }
    readable(&summary, streams.err)
}

fn run_show(dir: &Path, id: &str, format: Format, streams: &mut Streams<'_>) -> io::Result<u8> {
    let noted = record_reading(dir, "show", &[id.to_owned()]);
    let mut found = 0_usize;
    let mut written = Ok(());
    let summary = show(dir, id, &mut |event| {
        found += 1;
        written = match format {
            Format::Text => writeln!(streams.out, "{}", pretty(event)),
            Format::Json => writeln!(streams.out, "{}", event.json()),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let summary = match summary {
        Ok(summary) => summary,
        Err(fault) => return unusable(&fault, streams.err),
    };
    written?;
    say_unrecorded(noted, streams.err)?;
    let code = readable(&summary, streams.err)?;
    if found == 0 {
        writeln!(streams.err, "error: no event has the id `{}`", visible(id))?;
        return Ok(BROKEN);
    }
    Ok(code)
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

/// Progress over so many events.
pub(super) fn counting_bar(events: u64) -> ProgressBar {
    match io::stderr().is_terminal() {
        true => ProgressBar::with_draw_target(Some(events), ProgressDrawTarget::stderr()),
        false => ProgressBar::hidden(),
    }
}

const HEADER: [&str; 9] = [
    "TIME", "DECISION", "CALLER", "ACTION", "MODULE", "PURPOSE", "OUTCOME", "RECORDS", "DATA",
];

/// The places of what is copied from a row.
const TIME: usize = 0;
const DECISION: usize = 1;

/// The levels of an event's data: those that withhold with their categories, the rest as a number. `audit show` and
/// JSON have all of it.
fn levels(found: &Found) -> String {
    let of = |wanted: Level| {
        let levels = found.levels().filter(move |(level, _)| *level == wanted);
        levels.map(|(_, category)| category.map_or_else(|| "(unclassified)".to_owned(), visible))
    };
    let mut parts: Vec<String> = Level::ALL[..4]
        .iter()
        .rev()
        .map(|level| (level, of(*level).collect::<Vec<_>>()))
        .filter(|(_, categories)| !categories.is_empty())
        .map(|(level, categories)| format!("{level}: {}", categories.join(", ")))
        .collect();
    let clear = of(Level::Clear).count();
    if clear > 0 {
        parts.insert(0, format!("clear: {clear} categories"));
    }
    parts.join("; ")
}

/// The row of an event. A log that somebody tampered with may hold anything, so each text is made visible here too.
fn row(found: &Found) -> [String; 9] {
    let text = |text: Option<&str>| text.map(visible).unwrap_or_default();
    let outcome = if found.is_unclosed() {
        "(never closed)".to_owned()
    } else {
        text(found.outcome())
    };
    [
        visible(found.time()),
        visible(found.id()),
        text(found.caller()),
        text(found.action()),
        text(found.module()),
        text(found.purpose()),
        outcome,
        found
            .records()
            .map(|count| count.to_string())
            .unwrap_or_default(),
        levels(found),
    ]
}

fn table<'a>(rows: impl Iterator<Item = &'a [String; 9]>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(HEADER);
    if let Some(columns) = super::columns() {
        table.set_width(columns);
    }
    for row in rows {
        table.add_row(row);
    }
    // What is copied from a row stays in one piece, however narrow the terminal is.
    for place in [TIME, DECISION] {
        if let Some(column) = table.column_mut(place) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// An event spread over lines. Strings keep their JSON escapes, and what those leave is made visible.
fn pretty(event: &Found) -> String {
    let text = serde_json::to_string_pretty(&event.json()).unwrap_or_default();
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
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
    fn run_in(dir: &Path, line: &str) -> (u8, String, String) {
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
        assert!(out.starts_with(" TIME") && out.contains(&id), "{out}");
        assert_eq!(out.lines().count(), 2);
        assert_eq!(err, "the newest 1 of 3; more with `--limit 3`\n");
        let (_, out, _) = run_in(dir.path(), "query DIR outcome=denied --format json");
        assert_eq!(out.lines().count(), 3);
        let (code, out, err) = run_in(dir.path(), "query DIR caller=nobody");
        assert_eq!((code, out.as_str()), (FINE, ""));
        assert_eq!(err, "no request matches, of 6 events\n");
        let (code, _, err) = run_in(dir.path(), "query DIR calller=fanny");
        assert_eq!(code, UNUSABLE);
        assert!(err.contains("did you mean `caller`"), "{err}");
    }

    #[test]
    fn ids_and_times_stay_in_one_piece_in_a_narrow_terminal() {
        let mut row: [String; 9] =
            std::array::from_fn(|_| "some words that can be split".to_owned());
        row[TIME] = "2026-11-23T09:00:00.000Z".to_owned();
        row[DECISION] = "01M83Y8M1EYC31YH0QJEMEN0D4".to_owned();
        let mut table = table([&row].into_iter());
        for width in [40, 80, 120] {
            table.set_width(width);
            let shown = table.to_string();
            assert!(
                shown.contains(&row[TIME]) && shown.contains(&row[DECISION]),
                "{shown}"
            );
        }
    }

    #[tokio::test]
    async fn show_prints_a_decision_or_says_that_there_is_none() {
        let dir = TempDir::new().unwrap();
        let id = sample(dir.path()).await;
        let (code, out, _) = run_in(dir.path(), &format!("show DIR {id}"));
        assert_eq!(code, FINE);
        assert!(out.contains("\"reason\": \"no-role\""), "{out}");
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
        let command = Command::Query {
            dir: dir.path().to_owned(),
            filters: Vec::new(),
            format: ListFormat::Json,
            limit: None,
        };
        assert_eq!(answer(&command, &mut Closed, &mut Vec::new()), FINE);
    }
}
