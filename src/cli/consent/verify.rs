//! `paravent consent verify`.

use clap::Args;
use serde_json::json;

use super::super::crm::Failed;
use super::super::{DONE, Format, PROBLEMS, print};
use super::Configured;
use super::opened::{Opened, refused, with};
use crate::ledger::Verdict;

/// Which ledger.
#[derive(Debug, Args)]
#[command(
    after_help = "Whoever keeps the hash of the last event elsewhere can tell later whether the end was cut off: `verify` prints it."
)]
pub(super) struct Arguments {
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    config: Configured,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    with(&arguments.config.path, async |opened: &Opened| {
        let verdict = opened.ledger.verify().await.map_err(refused)?;
        print(&match arguments.format {
            Format::Json => json(&verdict),
            Format::Text => text(&verdict),
        });
        Ok(match verdict {
            Verdict::Sound { .. } => DONE,
            Verdict::Broken { .. } => PROBLEMS,
        })
    })
}

fn text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Sound { events: 0, .. } => "sound: no event yet\n".to_owned(),
        Verdict::Sound { events, hash } => format!("sound: {events} events, the last is {hash}\n"),
        Verdict::Broken { seq, id, why } => {
            let id = id
                .as_ref()
                .map_or_else(String::new, |id| format!(" ({id})"));
            format!("broken at event {seq}{id}: {why}\n")
        }
    }
}

fn json(verdict: &Verdict) -> String {
    let told = match verdict {
        Verdict::Sound { events, hash } => {
            json!({ "sound": true, "events": events, "hash": hash })
        }
        Verdict::Broken { seq, id, why } => {
            json!({ "sound": false, "seq": seq, "id": id, "why": why })
        }
    };
    format!("{told:#}\n")
}
