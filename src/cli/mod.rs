//! The command line: one file per command.
//!
//! Rules of its voice: results go to standard output, everything else to standard error; errors are lower-case
//! fragments after `error:` that say what to do; colour and progress only on a terminal, and never with `NO_COLOR`.
//! Exit codes: 0 done, 1 problems found, 2 unusable arguments or set-up.

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};

use crate::provenance;

mod against;
pub mod audit;
mod check;
mod consent;
mod crm;

mod demo;
mod detect;
mod diff;
mod discover;
mod explain;
mod explain_text;
mod explain_token;
mod init;
mod key;
mod logging;
mod matrix;
mod password;
mod scan;
mod schema;
mod serve;
mod test;
pub mod verify;

/// A privacy-enforcing reverse proxy in front of a CRM that already exists.
#[derive(Debug, Parser)]
#[command(name = "paravent", version = provenance::LINE, about, long_about = None, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = "Exit codes: 0 done, 1 problems found, 2 unusable arguments or set-up.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a small CRM with invented people, and the proxy in front of it
    Demo(demo::Arguments),
    /// Run the proxy
    Serve(serve::Arguments),
    /// Show every problem of a policy folder, or of a configuration and the policies it names
    Check(check::Arguments),
    /// Run the tests of a policy: cases, and what must never happen
    Test(test::Arguments),
    /// Show which level each classified field gets, and because of which rule; what detectors find in a text; or what
    /// would be understood of a token
    Explain(explain::Arguments),
    /// Show what one policy shows, lets use and lets write beyond another one
    Diff(diff::Arguments),
    /// Show who sees what: each role and purpose with each category, or with each field of a module
    Matrix(matrix::Arguments),
    /// Measure the detectors on labelled texts of your own
    Detect(detect::Arguments),
    /// Make a configuration, a policy, tests and a key for a CRM
    Init(init::Arguments),
    /// Show what the fields of a CRM hold, what the policy says of them, and what they most likely are
    Discover(discover::Arguments),
    /// Show what stands in the texts of a CRM
    Scan(scan::Arguments),
    /// Print the JSON Schemas of what people write, for editors; or make a schema file of what a CRM says of its own data
    Schema(schema::Arguments),
    /// Make, list, revoke and rotate API keys
    Key(key::Arguments),
    /// Record what persons agree to and refuse, and show how they stand
    Consent(consent::Arguments),
    /// Verify and query the access log
    Audit(audit::AuditArgs),
    /// Check a bundle of events that was taken out of an access log. Needs nothing but the bundle, and a key
    Verify(verify::Arguments),
}

/// How a script would read the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Broken pipe is a normal end.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { UNUSABLE } else { DONE });
        }
    };
    let code = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Matrix(arguments) => matrix::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Detect(arguments) => detect::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Discover(arguments) => discover::run(&arguments),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Consent(arguments) => consent::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    };
    ExitCode::from(match code {
        DONE if IS_CUT.load(Ordering::Relaxed) => UNUSABLE,
        code => code,
    })
}

/// Whether something that was to be printed is not where it should be: a command that ends well otherwise has not done so.
static IS_CUT: AtomicBool = AtomicBool::new(false);

/// Done.
const DONE: u8 = 0;
/// Problems were found.
const PROBLEMS: u8 = 1;
/// The arguments or the set-up cannot be used.
const UNUSABLE: u8 = 2;

/// Whether standard error takes colour.
fn colour() -> bool {
    std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width of the terminal that standard output is; `None` if it is none.
fn columns() -> Option<u16> {
    #[cfg(unix)]
    return rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| size.ws_col)
        .filter(|columns| *columns > 0);
    #[cfg(not(unix))]
    return None;
}

/// Prints an error with its causes and gives the code for an unusable set-up.
fn unusable(error: &dyn std::error::Error) -> u8 {
    let mut text = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    eprintln!("{text}");
    UNUSABLE
}

/// Writes to standard output. A reader who went away is a normal end; a full disk is not.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("error: the answer could not be written: {error}");
        IS_CUT.store(true, Ordering::Relaxed);
    }
}
