//! `paravent consent import`.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::super::crm::Failed;
use super::super::{DONE, Format, PROBLEMS, print};
use super::Configured;
use super::opened::{Opened, operator, refused, with};
use crate::consent::{Checked, Import, Note};
use crate::files;

/// Bytes of a file.
const FILE_BYTES_MAX: usize = 256 << 20;

/// Which file.
#[derive(Debug, Args)]
#[command(
    after_help = "Columns: email or record, purpose, kind, at, proof, source; and, where wanted, basis, expires, language, recipient, reference, text.\nEvery line is looked at first; if one is bad, nothing is recorded. Imported once more, the same lines change nothing.\nAn import never affirms where a denial stands."
)]
pub(super) struct Arguments {
    /// The file: CSV in UTF-8, with a heading
    file: PathBuf,
    /// Record the good lines, though others are bad
    #[arg(long)]
    skip_bad: bool,
    /// Look at every line, and record nothing
    #[arg(long)]
    dry_run: bool,
    /// Who imports it [default: the user of the system]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    config: Configured,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    let shown = arguments.file.display();
    let read = files::read(&arguments.file, FILE_BYTES_MAX);
    let contents = read.map_err(|error| {
        let why = files::words(&error);
        Failed::unusable(format!("could not read `{shown}`: {why}"))
    })?;
    with(&arguments.config.path, async |opened: &Opened| {
        let by = arguments.by.clone().unwrap_or_else(operator);
        let import = Import::of(&contents.bytes, &opened.terms, &by);
        let import = import.map_err(|why| Failed::problem(format!("`{shown}`: {why}")))?;
        let bar = bar(import.bytes());
        let mut progress = |at| bar.set_position(at);
        let checked = import.check(&opened.ledger, &mut progress).await;
        let checked = checked.map_err(refused)?;
        let is_refused = checked.bad > 0 && !arguments.skip_bad;
        if arguments.dry_run || is_refused {
            bar.finish_and_clear();
            tell(arguments, &checked, &checked, false);
            return Ok(if checked.bad > 0 { PROBLEMS } else { DONE });
        }
        let done = import.record(&opened.ledger, &mut progress).await;
        let done = done.map_err(refused)?;
        let note = Note::Imported {
            sha256: &import.sha256(),
            new: done.new,
            known: done.known,
            bad: done.bad,
        };
        let noted = opened.ledger.send(vec![note.by(&by)]).await;
        noted.map_err(refused)?;
        bar.finish_and_clear();
        tell(arguments, &checked, &done, true);
        Ok(if done.bad > 0 { PROBLEMS } else { DONE })
    })
}

fn tell(arguments: &Arguments, checked: &Checked, done: &Checked, is_recorded: bool) {
    if arguments.format == Format::Json {
        let wrong = checked
            .wrong
            .iter()
            .map(|wrong| json!({ "line": wrong.line, "column": wrong.column, "why": wrong.why }));
        let told = json!({
            "recorded": is_recorded,
            "lines": done.lines,
            "new": done.new,
            "known": done.known,
            "bad": done.bad,
            "wrong": wrong.collect::<Vec<_>>(),
        });
        return print(&format!("{told:#}\n"));
    }
    for wrong in &checked.wrong {
        eprintln!("error: {wrong}");
    }
    let more = checked.bad.saturating_sub(checked.wrong.len() as u64);
    if more > 0 {
        eprintln!("error: and {more} more lines");
    }
    let Checked {
        lines,
        new,
        known,
        bad,
        ..
    } = done;
    let counts = format!("{lines} lines: {new} new, {known} recorded before, {bad} bad");
    print(&match (is_recorded, arguments.dry_run) {
        (true, _) => format!("{counts}\n"),
        (false, true) => format!("{counts}; nothing was recorded (--dry-run)\n"),
        (false, false) => format!(
            "{counts}; nothing was recorded: mend them, or leave them out with --skip-bad\n"
        ),
    });
}

fn bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
