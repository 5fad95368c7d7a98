//! `paravent audit tail`.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::audit::{Page, Pages, Query, ascii, log_bytes, record_reading};

use super::query::say_complete;
use super::told::Told;
use super::{FINE, Streams, UNUSABLE, readable, say_unrecorded, unusable, words_of};

/// How often the log is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Which requests, and whether to go on.
#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// What must hold, as key=value, or key=value,value.
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    /// Go on with what is written from now on, until it is interrupted.
    #[arg(long, short)]
    pub(super) follow: bool,
    /// So many of the newest.
    #[arg(long, short = 'n', default_value_t = 10)]
    pub(super) lines: usize,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: TailFormat,
    /// Read the segments only, even if there is an index.
    #[arg(long)]
    pub(super) no_index: bool,
    /// Why, for the note in the log.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TailFormat {
    /// One line a request.
    #[default]
    Text,
    /// One event a line, with all that its terms say.
    Json,
}

pub(super) fn run(args: &TailArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let asked = match Query::parse(args.filters.iter().map(String::as_str), Timestamp::now()) {
        Ok(asked) => asked,
        Err(error) => return unusable(&error, streams.err),
    };
    let words = words_of(&args.filters, args.reason.as_deref());
    let noted = record_reading(&args.dir, "tail", &words);
    say_unrecorded(noted, streams.err)?;
    // Requests that are under way are not told of before they end.
    let mut page = Page {
        limit: Some(args.lines),
        after: Some(0),
        ..Page::default()
    };
    let (mut is_first, mut unreadable, mut code) = (true, 0, FINE);
    loop {
        let bytes = log_bytes(&args.dir).ok();
        let mut written = Ok(());
        let summary = asked.answer(
            &args.dir,
            page,
            Pages::unless(args.no_index),
            &mut |event| {
                let told = Told::of(event);
                written = match args.format {
                    TailFormat::Json => writeln!(streams.out, "{}", ascii(told.value())),
                    TailFormat::Text => writeln!(streams.out, "{}", line(&told)),
                };
                match written {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            },
        );
        let summary = match summary {
            Ok(summary) => summary,
            Err(fault) => return unusable(&fault, streams.err),
        };
        written?;
        streams.out.flush()?;
        if is_first {
            if let Some(help) = &summary.unheard_of {
                writeln!(
                    streams.err,
                    "error: no policy or event of this log has the category: {help}"
                )?;
                return Ok(UNUSABLE);
            }
            for word in &summary.unseen {
                writeln!(streams.err, "note: no event of this log has `{word}`")?;
            }
            say_complete(&summary, streams.err)?;
        }
        // What cannot be read is said when it is met first, not with each look.
        if is_first || summary.unreadable_lines + summary.later_lines > unreadable {
            code = code.max(readable(&summary, streams.err)?);
        }
        unreadable = summary.unreadable_lines + summary.later_lines;
        is_first = false;
        if !args.follow {
            return Ok(code);
        }
        let last = summary.last.map(|(seq, _)| seq);
        page = Page {
            limit: None,
            after: last.or(page.after),
            ..Page::default()
        };
        while log_bytes(&args.dir).ok() == bytes {
            thread::sleep(EVERY);
        }
    }
}

/// A request in one line: when, who, why, what, what was shown in clear, of how many records, and its id.
fn line(told: &Told) -> String {
    let (day, time) = told.day_and_time();
    let mut parts = vec![format!("{day} {time}"), told.who(), told.what()];
    let why = told.text("/purpose/id");
    if !why.is_empty() {
        parts.push(format!("for {why}"));
    }
    if told.is_request() {
        parts.push(told.outcome());
        let clear = told.at_level("clear");
        if !clear.is_empty() {
            parts.push(format!("clear: {}", clear.join(", ")));
        }
        let count = told.number("/records/count").unwrap_or(0);
        parts.push(format!("records: {count}"));
    }
    parts.push(told.text("/id"));
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}
