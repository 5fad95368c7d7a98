//! `paravent consent`: records what persons agree to and refuse, and tells it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

mod export;
mod import;
mod merge;
mod opened;
mod receipt;
mod record;
mod show;
mod sync;
mod verify;
mod whom;

/// What to do with the consent ledger.
#[derive(Debug, Args)]
#[command(
    after_help = "No address is kept in the clear: of each, the ledger holds a MAC under `keys.person`.\nA running proxy takes up a change within a second; it needs no restart. Run this as the user whose the ledger is."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Record that a person agrees, or another decision
    Record(record::Arguments),
    /// Record that a person agrees no more, refuses or objects
    Withdraw(record::Withdrawal),
    /// Show how a person stands, and because of what
    Show(show::Arguments),
    /// Make a receipt of a decision, for the person
    Receipt(receipt::Arguments),
    /// Join two persons whom the CRM has merged
    Merge(merge::Arguments),
    /// Look whether every event is what was recorded
    Verify(verify::Arguments),
    /// Record the events of a file (CSV)
    Import(import::Arguments),
    /// Take over what a CRM says of consent, and which records are of whom
    Sync(sync::Arguments),
    /// Write all events to standard output; persons are named by records and keys, never by addresses
    Export(export::Arguments),
}

/// Which installation.
#[derive(Debug, Args)]
struct Configured {
    /// The configuration
    #[arg(long = "config", value_name = "FILE", default_value = "paravent.yaml")]
    path: PathBuf,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    let done = match &arguments.command {
        Command::Record(arguments) => record::run(arguments),
        Command::Withdraw(arguments) => record::withdraw(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Receipt(arguments) => receipt::run(arguments),
        Command::Merge(arguments) => merge::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Sync(arguments) => sync::run(arguments),
        Command::Export(arguments) => export::run(arguments),
    };
    done.unwrap_or_else(|failed| failed.tell())
}
