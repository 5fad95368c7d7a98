//! `paravent consent export`.

use clap::{Args, ValueEnum};

use super::super::crm::Failed;
use super::super::{DONE, print};
use super::Configured;
use super::opened::{Opened, operator, refused, with};
use crate::consent::{Export, Exported, Note};

/// In which form.
#[derive(Debug, Args)]
#[command(after_help = "Whoever takes it out is recorded in the access log (`consent.read`).")]
pub(super) struct Arguments {
    /// The form
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    #[command(flatten)]
    config: Configured,
}

/// For a spreadsheet, for scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Rows with commas (RFC 4180)
    #[default]
    Csv,
    /// One JSON document
    Json,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    let form = match arguments.format {
        Form::Csv => Export::Csv,
        Form::Json => Export::Json,
    };
    with(&arguments.config.path, async |opened: &Opened| {
        let note = Note::Read {
            person: None,
            how: "export",
        };
        let noted = opened.ledger.send(vec![note.by(&operator())]).await;
        noted.map_err(refused)?;
        let mut export = Exported::new(&opened.ledger, form);
        while let Some(part) = export.next().await.map_err(refused)? {
            print(&part);
        }
        Ok(DONE)
    })
}
