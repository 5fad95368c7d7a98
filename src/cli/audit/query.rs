//! `paravent audit query`.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::audit::{Page, Pages, Query, Summary, ascii, record_reading};

use super::told::{Told, csv};
use super::{Streams, UNUSABLE, readable, say_unrecorded, unusable, words_of};

/// Rows of a table, unless told otherwise.
const TABLE_ROWS_DEFAULT: usize = 100;
/// Columns of a terminal, where nobody says how many.
pub(super) const COLUMNS: u16 = 80;

/// Which requests, and how to answer.
#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// What must hold, as key=value, or key=value,value.
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(super) format: ListFormat,
    /// Only the newest N (default: 100 in a table, else all).
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Only events before this one, by number: the page before the one that said so.
    #[arg(long, value_name = "SEQ")]
    pub(super) before: Option<u64>,
    /// Read the segments only, even if there is an index.
    #[arg(long)]
    pub(super) no_index: bool,
    /// Why, for the note in the log.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

/// For people or for scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// One row a request.
    #[default]
    Table,
    /// One event a line, with all that its terms say.
    Json,
    /// One line a request, for spreadsheets.
    Csv,
}

pub(super) fn run(args: &QueryArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let asked = match Query::parse(args.filters.iter().map(String::as_str), Timestamp::now()) {
        Ok(asked) => asked,
        Err(error) => return unusable(&error, streams.err),
    };
    let words = words_of(&args.filters, args.reason.as_deref());
    let noted = record_reading(&args.dir, "query", &words);
    let limit = match args.format {
        ListFormat::Table => Some(args.limit.unwrap_or(TABLE_ROWS_DEFAULT)),
        ListFormat::Json | ListFormat::Csv => args.limit,
    };
    let page = Page {
        limit,
        before: args.before,
        ..Page::default()
    };
    let pages = Pages::unless(args.no_index);
    let mut rows = Vec::new();
    if args.format == ListFormat::Csv {
        rows.push(csv_header());
    }
    let mut written = Ok(());
    let mut shown = 0_usize;
    let summary = asked.answer(&args.dir, page, pages, &mut |event| {
        shown += 1;
        let told = Told::of(event);
        match args.format {
            ListFormat::Json => written = writeln!(streams.out, "{}", ascii(told.value())),
            ListFormat::Csv => rows.push(csv_row(&told)),
            ListFormat::Table => rows.push(row(&told).to_vec()),
        }
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
    match args.format {
        ListFormat::Csv => {
            let text = csv(&rows).map_err(io::Error::other)?;
            write!(streams.out, "{text}")?;
        }
        ListFormat::Table if !rows.is_empty() => {
            writeln!(streams.out, "{}", table(&HEADER, &rows, WHOLE))?;
        }
        ListFormat::Table | ListFormat::Json => {}
    }
    say(&asked, &summary, shown, args, streams)
}

/// What is to be said beside the results.
fn say(
    asked: &Query,
    summary: &Summary,
    shown: usize,
    args: &QueryArgs,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let err = &mut *streams.err;
    if asked.is_timed() && summary.clock_steps > 0 {
        writeln!(
            err,
            "note: the clock stepped back in this log, so times are not in the order of events; `since` begins with the first event at or after its time, `until` ends with the last one before its time"
        )?;
    }
    if summary.untold > 0 {
        writeln!(
            err,
            "note: requests under policies whose categories this log does not tell, found by their data alone: {}",
            summary.untold
        )?;
    }
    if let Some(help) = &summary.unheard_of {
        writeln!(
            err,
            "error: no policy or event of this log has the category: {help}"
        )?;
        return Ok(UNUSABLE);
    }
    for word in &summary.unseen {
        writeln!(err, "note: no event of this log has `{word}`")?;
    }
    if asked.asks_for_exports() {
        writeln!(
            err,
            "note: nothing that this version proxies writes files, so no event tells of an export"
        )?;
    }
    let found = summary.matched;
    if found == 0 {
        writeln!(err, "no request matches, of {} events", summary.events)?;
    } else if (shown as u64) < found {
        write!(err, "the newest {shown} of {found}; ")?;
        match (args.before, summary.first_seq) {
            (_, Some(seq)) => writeln!(
                err,
                "older ones with `--before {seq}`, all with `--limit {found}`"
            )?,
            (_, None) => writeln!(err, "all with `--limit {found}`")?,
        }
    }
    say_complete(summary, err)?;
    readable(summary, err)
}

/// Up to which event an answer is complete, and what became of the index.
pub(super) fn say_complete(summary: &Summary, err: &mut dyn io::Write) -> io::Result<()> {
    for note in &summary.index.notes {
        writeln!(err, "note: {note}")?;
    }
    if let Some((seq, time)) = &summary.last {
        let time = crate::audit::visible(time);
        let how = match summary.index.up_to {
            Some(up_to) if up_to >= *seq => "by the index".to_owned(),
            Some(up_to) => format!("by the index up to {up_to}, the rest from the segments"),
            None => "from the segments".to_owned(),
        };
        writeln!(err, "complete up to event {seq} of {time} ({how})")?;
    }
    Ok(())
}

const HEADER: [&str; 6] = [
    "WHEN (UTC)",
    "DECISION",
    "WHO",
    "WHY, WHAT",
    "SHOWN IN CLEAR",
    "N",
];

/// Columns that stay in one piece however narrow the terminal is: what is copied from a row.
pub(super) const WHOLE: &[usize] = &[0, 1];

/// The row of an event: when, which, who, why and what, what was shown in clear, of how many records.
pub(super) fn row(told: &Told) -> [String; 6] {
    let (day, time) = told.day_and_time();
    let roles = told.list("/caller/roles").join(", ");
    let who = match roles.is_empty() {
        true => told.text("/caller/name"),
        false => format!("{}\n({roles})", told.text("/caller/name")),
    };
    let why = match told.text("/purpose/id") {
        why if why.is_empty() => told.what(),
        why => format!("{why}:\n{}", told.what()),
    };
    let clear = by_kind(&told.at_level("clear"));
    let is_plain = ["full", "partial"].contains(&told.outcome().as_str());
    let clear = match (told.is_request() && !is_plain, clear.is_empty()) {
        (true, true) => told.outcome(),
        (true, false) => format!("{}\n{clear}", told.outcome()),
        (false, true) if told.is_request() => "-".to_owned(),
        (false, _) => clear,
    };
    let count = told.number("/records/count");
    let count = match told.is_unclosed {
        true => "?".to_owned(),
        false => count.map(|count| count.to_string()).unwrap_or_default(),
    };
    [
        format!("{day}\n{time}"),
        told.text("/id"),
        who,
        why,
        clear,
        count,
    ]
}

/// A table that fits the terminal; without one, 80 columns.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], whole: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    let columns = crate::cli::columns().unwrap_or(COLUMNS);
    table.set_width(columns);
    let share = share(columns, rows, whole);
    let fits = width(header, rows) <= usize::from(columns);
    for row in rows {
        let is_whole = |place| fits || whole.contains(&place);
        let cells = row.iter().enumerate();
        table.add_row(cells.map(|(place, text)| match is_whole(place) {
            true => text.clone(),
            false => folded(text, share),
        }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for place in whole {
        if let Some(column) = table.column_mut(*place) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// How wide a table is in which nothing is broken.
fn width(header: &[&str], rows: &[Vec<String>]) -> usize {
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    let of_column = |(place, name): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| longest(row.get(place)?));
        cells.chain(longest(name)).max().unwrap_or(0) + 1
    };
    header.iter().enumerate().map(of_column).sum()
}

/// What each column has at least beside those that stay whole.
fn share(columns: u16, rows: &[Vec<String>], whole: &[usize]) -> usize {
    /// What three columns have beside the time and the id, in 80.
    const LEAST: usize = 12;
    let widest = |place: &usize| {
        let cells = rows.iter().filter_map(|row| row.get(*place));
        let widths = cells.flat_map(|cell| cell.lines().map(|line| line.chars().count()));
        widths.max().unwrap_or(0) + 1
    };
    let taken: usize = whole.iter().map(widest).sum();
    let others = rows.first().map_or(1, Vec::len).saturating_sub(whole.len());
    let left = usize::from(columns).saturating_sub(taken);
    (left / others.max(1)).saturating_sub(1).max(LEAST)
}

/// A text whose long words are broken where they may be: behind a point, a hyphen, an underscore, a slash.
fn folded(text: &str, width: usize) -> String {
    let fold = |word: &str| {
        let (mut lines, mut line) = (String::new(), String::new());
        for part in word.split_inclusive(['.', '-', '_', '/']) {
            let length = line.chars().count() + part.chars().count();
            if length > width && !line.is_empty() {
                lines.push_str(&line);
                lines.push('\n');
                line.clear();
            }
            line.push_str(part);
        }
        lines + &line
    };
    let line = |line: &str| line.split(' ').map(fold).collect::<Vec<_>>().join(" ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Categories, those of one kind together: `identity: civility, name`.
pub(super) fn by_kind(names: &[String]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let (kind, rest) = name.split_once('.').unwrap_or((name, ""));
        kinds.entry(kind).or_default().push(rest);
    }
    let lines = kinds.into_iter().map(|(kind, rests)| {
        let rests: Vec<&str> = rests.into_iter().filter(|rest| !rest.is_empty()).collect();
        match rests.is_empty() {
            true => kind.to_owned(),
            false => format!("{kind}: {}", rests.join(", ")),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

const CSV: [(&str, &str); 12] = [
    ("seq", "/seq"),
    ("time", "/time"),
    ("id", "/id"),
    ("caller", "/caller/id"),
    ("caller_name", "/caller/name"),
    ("caller_kind", "/caller/kind"),
    ("purpose", "/purpose/id"),
    ("action", "/request/action"),
    ("module", "/request/module"),
    ("outcome", "/outcome/kind"),
    ("reason", "/outcome/reason"),
    ("count", "/records/count"),
];
const LISTS: [(&str, &str); 6] = [
    ("roles", "/caller/roles"),
    ("asked", "/request/asked"),
    ("matched", "/request/matched"),
    ("sorted", "/request/sorted"),
    ("searched", "/request/searched"),
    ("written", "/request/written"),
];
const LEVELS: [&str; 5] = ["clear", "mask", "token", "redact", "hide"];

fn csv_header() -> Vec<String> {
    let names = CSV.iter().chain(&LISTS).map(|(name, _)| *name);
    let names = names.chain(LEVELS).chain(["never_closed"]);
    names.map(str::to_owned).collect()
}

fn csv_row(told: &Told) -> Vec<String> {
    let one = |(_, path): &(&str, &str)| match told.number(path) {
        Some(number) => number.to_string(),
        None => told.text(path),
    };
    let list = |(_, path): &(&str, &str)| told.list(path).join(" ");
    let level = |level: &str| told.at_level(level).join(" ");
    let never_closed = if told.is_unclosed { "yes" } else { "" };
    CSV.iter()
        .map(one)
        .chain(LISTS.iter().map(list))
        .chain(LEVELS.map(level))
        .chain([never_closed.to_owned()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_only_where_they_must_be() {
        let rows = [["location.address", "Leads.primary_address_street"]
            .map(str::to_owned)
            .to_vec()];
        let shown = table(&["CATEGORY", "FIELDS"], &rows, &[]).to_string();
        assert!(
            shown.contains("location.address Leads.primary_address_street"),
            "{shown}"
        );
        let long = "A".repeat(60);
        let shown = table(
            &[long.as_str(), "CATEGORY", "FIELDS"],
            &[["x"]
                .iter()
                .chain(&["location.address", "Leads.primary_address_street"])
                .map(|text| (*text).to_owned())
                .collect()],
            &[0],
        )
        .to_string();
        assert!(!shown.contains("location.address"), "{shown}");
    }

    #[test]
    fn ids_and_times_stay_in_one_piece_in_a_narrow_terminal() {
        let id = "01M83Y8M1EYC31YH0QJEMEN0D4";
        let row = [
            "2026-11-23\n09:00:00",
            id,
            "a-rather-long-name\n(customer-service, finance)",
            "invoicing-and-payment:\nread Contacts",
            "financial.iban\nidentity.national_id\ncontact.address",
            "1000",
        ];
        let rows = [row.map(str::to_owned).to_vec()];
        let mut table = table(&HEADER, &rows, WHOLE);
        for width in [60, 80, 120] {
            table.set_width(width);
            let shown = table.to_string();
            assert!(
                shown.contains("2026-11-23") && shown.contains(id),
                "{shown}"
            );
            let widest = shown
                .lines()
                .map(|line| line.trim_end().chars().count())
                .max();
            assert!(widest.unwrap() <= usize::from(width), "{width}\n{shown}");
        }
    }
}
