//! `paravent matrix`: who sees what.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::against::{Against, compiled, read};
use super::{DONE, columns, print, unusable};
use crate::vocabulary::Module;
use crate::workbench::matrix::{Language, Matrix};

/// The width of a table where nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// Of which policy.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy folder; without it, the one of the configuration, or `policies`
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The fields of a module in place of categories
    #[arg(long, value_name = "MODULE")]
    fields: Option<String>,
    /// Only these categories, and those below them
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    only: Vec<String>,
    /// The language of labels and of the page; without it, names as the policy has them
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    #[command(flatten)]
    against: Against,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: MatrixFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// French.
    Fr,
    /// English.
    En,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MatrixFormat {
    /// For a terminal.
    #[default]
    Table,
    /// One line a cell, for spreadsheets.
    Csv,
    /// A table of Markdown.
    Markdown,
    /// One page, for printing.
    Html,
    /// One entry a cell, for scripts.
    Json,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    match text(arguments) {
        Ok(text) => {
            print(&text);
            DONE
        }
        Err(code) => code,
    }
}

fn text(arguments: &Arguments) -> Result<String, u8> {
    let (mut schemas, policies) = arguments.against.read()?;
    let module = arguments.fields.as_deref().map(Module::new);
    // The first schema is the one whose fields are shown.
    if let Some(module) = &module {
        let of_it = schemas
            .iter()
            .position(|schema| schema.modules().contains(module));
        schemas.swap(0, of_it.unwrap_or_default());
    }
    let dir = arguments.dir.clone().or(policies);
    let dir = dir.unwrap_or_else(|| "policies".into());
    let policy = compiled(&read(&dir)?, &schemas)?;
    let language = match (arguments.lang, arguments.format) {
        (Some(Lang::Fr), _) => Language::French,
        (Some(Lang::En), _) | (None, MatrixFormat::Html) => Language::English,
        (None, _) => Language::Names,
    };
    let matrix = Matrix::of(&policy, module.as_ref(), &arguments.only, language);
    let matrix = matrix.map_err(|error| unusable(&error))?;
    Ok(match arguments.format {
        MatrixFormat::Table => matrix.to_table(columns().map_or(WIDTH, usize::from)),
        MatrixFormat::Csv => matrix.to_csv(),
        MatrixFormat::Markdown => matrix.to_markdown(),
        MatrixFormat::Html => matrix.to_html(),
        MatrixFormat::Json => format!("{:#}\n", matrix.to_json()),
    })
}
