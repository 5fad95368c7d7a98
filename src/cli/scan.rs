//! `paravent scan`: what stands in the texts of a CRM.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde_json::json;

use super::crm::{self, Asked, Failed};
use super::{PROBLEMS, print};
use crate::audit::Reader;
use crate::workbench::matrix::csv_line;
use crate::workbench::sampler::State;
use crate::workbench::scan::{Reference, References, Row, Texts, counting, rows};

/// What to look at.
#[derive(Debug, Args)]
#[command(
    after_help = "Counts are kept, never values. What is read is recorded in the access log of the configuration.\nInterrupted (Ctrl-C, or because the CRM went away), the same command goes on where it was; with --refs, it begins anew."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    asked: Asked,
    /// Records of each module that are looked at
    #[arg(long, value_name = "N", default_value_t = 200, conflicts_with = "all", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    sample: u64,
    /// Look at every record
    #[arg(long)]
    all: bool,
    /// Also list the records; of data of Art. 9 and 10 GDPR only that it is there, not which
    #[arg(long)]
    refs: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// For people, for scripts, for a spreadsheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Rows with commas (RFC 4180).
    Csv,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    match scan(arguments) {
        Ok(code) => code,
        Err(failed) => failed.tell(),
    }
}

fn scan(arguments: &Arguments) -> Result<u8, Failed> {
    let most = (!arguments.all).then_some(arguments.sample);
    let mut opened = crm::open(&arguments.asked, Reader::Scan, most)?;
    // References are not kept on disk, so those of what was read before would be missing.
    let mut state: State<Texts> = match arguments.refs {
        true => crm::anew(&opened)?,
        false => crm::resumed(&opened)?,
    };
    let references = arguments.refs.then(|| Arc::new(References::default()));
    let catalogue = crm::read_records(&mut opened, &mut state, |schema| {
        counting(schema, references.clone())
    })?;
    let rows = rows(&state.modules);
    let references = references.map(|references| references.all());
    let read: u64 = state.modules.values().map(|read| read.cursor.read).sum();
    print(&match arguments.format {
        Format::Text => text(&rows, references.as_ref(), (read, state.modules.len())),
        Format::Json => json(&rows, references.as_ref(), &state),
        Format::Csv => csv(&rows, references.as_ref()),
    });
    let is_whole = crm::remarks(&catalogue, &state);
    let code = crm::ended(&opened.kept, &state, is_whole);
    match references {
        Some((_, left_out @ 1..)) => {
            eprintln!("note: {left_out} references found no room");
            Ok(PROBLEMS)
        }
        _ => Ok(code),
    }
}

type Found = (Vec<Reference>, u64);

fn text(rows: &[Row], references: Option<&Found>, (read, modules): (u64, usize)) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "MODULE",
        "FIELD",
        "CATEGORY",
        "CERTAINTY",
        "RECORDS",
        "SHARE",
    ]);
    for row in rows {
        table.add_row([
            &row.module,
            &row.field,
            &row.category,
            &row.certainty,
            &row.records.to_string(),
            &format!("{} %", row.share),
        ]);
    }
    let mut text = String::new();
    if !rows.is_empty() {
        for line in table.to_string().lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    for reference in references.iter().flat_map(|found| &found.0) {
        text.push_str(&format!("{}  {}\n", reference.record, joined(reference)));
    }
    text.push_str(&format!("{read} records of {modules} modules were read\n"));
    text
}

fn joined(reference: &Reference) -> String {
    let categories: Vec<&str> = reference.categories.iter().map(String::as_str).collect();
    categories.join(" ")
}

/// A list of rows; with references an object with both, and with what was not read.
fn json(rows: &[Row], references: Option<&Found>, state: &State<Texts>) -> String {
    let document = match references {
        None => json!(rows),
        Some((references, _)) => {
            let modules = state.modules.iter();
            let unread: Vec<_> = modules
                .filter_map(|(module, read)| Some((module, read.unread.as_ref()?)))
                .map(|(module, why)| json!({"module": module, "why": why}))
                .collect();
            json!({"found": rows, "references": references, "unread": unread})
        }
    };
    format!("{document:#}\n")
}

/// The rows; with references these instead.
fn csv(rows: &[Row], references: Option<&Found>) -> String {
    if let Some((references, _)) = references {
        let lines = references
            .iter()
            .map(|one| csv_line(&[&one.record, &joined(one)]));
        return csv_line(&["record", "categories"]) + &lines.collect::<String>();
    }
    let lines = rows.iter().map(|row| {
        csv_line(&[
            &row.module,
            &row.field,
            &row.category,
            &row.certainty,
            &row.records.to_string(),
            &row.share.to_string(),
        ])
    });
    let head = [
        "module",
        "field",
        "category",
        "certainty",
        "records",
        "share",
    ];
    csv_line(&head) + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_no_formula() {
        let reference = Reference {
            record: "=cmd/1,2".to_owned(),
            categories: ["special".to_owned()].into_iter().collect(),
        };
        let text = csv(&[], Some(&(vec![reference], 0)));
        assert_eq!(text, "record,categories\r\n\"'=cmd/1,2\",special\r\n");
    }
}
