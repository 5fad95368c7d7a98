//! `paravent consent merge`.

use clap::Args;

use super::super::crm::Failed;
use super::super::{DONE, print};
use super::Configured;
use super::opened::{Opened, operator, refused, with};
use super::whom::reference;
use crate::ledger::Who;

/// Who is one person.
#[derive(Debug, Args)]
#[command(
    after_help = "What was recorded of either before stays apart, so this affirms nothing; what is recorded afterwards counts for both. It cannot be undone."
)]
pub(super) struct Arguments {
    /// A record of each of them; the first one stays
    #[arg(
        long = "record",
        value_name = "UPSTREAM:MODULE/ID",
        required = true,
        num_args = 1
    )]
    records: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Who does it [default: the user of the system]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    config: Configured,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    let [one, other] = arguments.records.as_slice() else {
        return Err(Failed::unusable(
            "name two records: `--record A --record B`; the first one stays",
        ));
    };
    with(&arguments.config.path, async |opened: &Opened| {
        let who = |text: &str| reference(text, &opened.config).map(Who::Record);
        let by = arguments.by.clone().unwrap_or_else(operator);
        let (survivor, other, why) = (who(one)?, who(other)?, arguments.why.clone());
        let merged = opened.ledger.merge(survivor, other, why, by).await;
        let merged = merged.map_err(refused)?;
        let event = merged.event();
        print(&format!("merged: {} ({})\n", event.id, event.person));
        Ok(DONE)
    })
}
