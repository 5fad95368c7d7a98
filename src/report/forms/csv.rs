//! One table of a report for spreadsheets (RFC 4180). What a spreadsheet would compute is marked as text.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use crate::report::{Cell, Report, Table};
use crate::spreadsheet::harmless;

/// Why a table cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchTable {
    /// The report has others.
    #[error("the report has no table `{0}`; it has {1}")]
    Other(String, String),
    /// The report has none.
    #[error("the report has no table: it says in words what there is to say; see `--format table`")]
    None,
}

/// A table of a report as CSV, the first one unless another is named; and the keys of those that were left out.
///
/// # Errors
/// If the report has no such table.
pub fn csv(report: &Report, key: Option<&str>) -> Result<(String, Vec<String>), NoSuchTable> {
    let keys: Vec<String> = report.tables().map(|table| table.key.to_string()).collect();
    let is_meant = |table: &&Table| key.is_none_or(|key| key == table.key);
    let table = report.tables().find(is_meant).ok_or_else(|| match key {
        Some(key) if !keys.is_empty() => {
            NoSuchTable::Other(crate::audit::visible(key), keys.join(", "))
        }
        _ => NoSuchTable::None,
    })?;
    let left = keys.into_iter().filter(|one| *one != table.key).collect();
    Ok((lines(table, report), left))
}

fn lines(table: &Table, report: &Report) -> String {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    let is_register = table.key == "register";
    let heads = table.columns.iter().map(|column| match is_register {
        // Its columns are those of a sheet that people have.
        true => harmless(&column.title),
        false => column.key.to_owned(),
    });
    // Writing to memory does not fail, nor do rows differ in length.
    let _ = writer.write_record(heads);
    for row in &table.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::FillIn(what) => format!("[{}]", harmless(what)),
            Cell::Names(names) if is_register => harmless(&names.join(", ")),
            cell if is_register => harmless(&cell.shown(report.language)),
            cell => harmless(&cell.plain()),
        });
        let _ = writer.write_record(cells);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
