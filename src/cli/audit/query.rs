//! `paravent audit query`.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::audit::{Found, Query, query, record_reading, visible};
use crate::vocabulary::Level;

use super::{Streams, UNUSABLE, readable, say_unrecorded, unusable};

/// Rows of a table, unless told otherwise.
const TABLE_ROWS_DEFAULT: usize = 100;

/// Which requests, and how to answer.
#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// What must hold, as key=value.
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(super) format: ListFormat,
    /// Only the newest N (default: 100 in a table, all as JSON).
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
}

/// For people or for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// One row a request.
    Table,
    /// One event a line, with all that its terms say.
    Json,
}

pub(super) fn run(args: &QueryArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let QueryArgs {
        dir,
        filters,
        format,
        limit,
    } = args;
    let (format, limit) = (*format, *limit);
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
    if let Some(columns) = crate::cli::columns() {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
