//! `paravent audit who-can`: who could see a category, and by which rule.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::cli::against::{Against, compiled, read};
use crate::workbench::matrix::{Language, Matrix};

use super::query::{ListFormat, table};
use super::told::csv;
use super::words::Lang;
use super::{FINE, Streams, unusable};

/// Which category, in which policy.
#[derive(Debug, Args)]
pub(super) struct WhoCanArgs {
    /// The category, and all below it.
    pub(super) category: String,
    /// The policy folder; without it, the one of the configuration, or `policies`.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
    #[command(flatten)]
    against: Against,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ListFormat,
    /// The language of the header.
    #[arg(long, value_enum, default_value_t)]
    pub(super) lang: Lang,
}

pub(super) fn run(args: &WhoCanArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let matrix = match matrix(args, streams)? {
        Ok(matrix) => matrix,
        Err(code) => return Ok(code),
    };
    let json = matrix.to_json();
    let cells = json.as_array().into_iter().flatten();
    let seen: Vec<_> = cells
        .filter(|cell| !["hide", "redact"].contains(&cell["level"].as_str().unwrap_or_default()))
        .collect();
    if args.format == ListFormat::Json {
        for cell in seen {
            writeln!(streams.out, "{cell}")?;
        }
        return Ok(FINE);
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<Vec<String>> = seen
        .iter()
        .map(|cell| {
            let rules = cell["by"].as_array().into_iter().flatten().map(text);
            vec![
                text(&cell["role"]),
                text(&cell["purpose"]),
                text(&cell["strength"]),
                text(&cell["category"]),
                text(&cell["level"]),
                text(&cell["matched"]),
                rules.collect::<Vec<_>>().join(" "),
            ]
        })
        .collect();
    rows.sort();
    let header = match args.lang {
        Lang::En => [
            "ROLE", "PURPOSE", "STRENGTH", "CATEGORY", "LEVEL", "MATCHED", "RULES",
        ],
        Lang::Fr => [
            "RÔLE",
            "FINALITÉ",
            "FORCE",
            "CATÉGORIE",
            "NIVEAU",
            "COMPARÉ",
            "RÈGLES",
        ],
    };
    if args.format == ListFormat::Csv {
        rows.insert(0, header.map(str::to_lowercase).to_vec());
        let text = csv(&rows).map_err(io::Error::other)?;
        write!(streams.out, "{text}")?;
    } else if rows.is_empty() {
        let nobody = args
            .lang
            .of("nobody can see it", "personne ne peut la voir");
        writeln!(streams.out, "{nobody}")?;
    } else {
        // What the question says already, and what spreadsheets are for, takes no room on a screen.
        let is_one = rows.iter().all(|row| row[3] == args.category);
        let places = [0, 1, 2, 3, 4, 6]
            .into_iter()
            .filter(|place| *place != 3 || !is_one);
        let places: Vec<usize> = places.collect();
        let shown = |row: &[String]| places.iter().map(|place| row[*place].clone()).collect();
        let header: Vec<&str> = places.iter().map(|place| header[*place]).collect();
        let rows: Vec<Vec<String>> = rows.iter().map(|row| shown(row)).collect();
        writeln!(streams.out, "{}", table(&header, &rows, &[]))?;
    }
    Ok(FINE)
}

/// The cells of the category. What is wrong is printed; then the exit code is given.
fn matrix(args: &WhoCanArgs, streams: &mut Streams<'_>) -> io::Result<Result<Matrix, u8>> {
    let policy = args.against.read().and_then(|(schemas, policies)| {
        let dir = args.policies.clone().or(policies);
        let dir = dir.unwrap_or_else(|| "policies".into());
        compiled(&read(&dir)?, &schemas)
    });
    let policy = match policy {
        Ok(policy) => policy,
        Err(code) => return Ok(Err(code)),
    };
    let only = [args.category.clone()];
    match Matrix::of(&policy, None, &only, Language::Names) {
        Ok(matrix) => Ok(Ok(matrix)),
        Err(error) => unusable(&error, streams.err).map(Err),
    }
}
