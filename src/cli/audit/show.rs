//! `paravent audit show`.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;

use crate::audit::{Found, record_reading, show, visible};

use super::{BROKEN, Format, Streams, readable, say_unrecorded, unusable};

/// Which decision, and how to answer.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// The id, as the header `Paravent-Decision` gave it.
    pub(super) id: String,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

pub(super) fn run(args: &ShowArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let ShowArgs { dir, id, format } = args;
    let noted = record_reading(dir, "show", &[id.to_owned()]);
    let mut found = 0_usize;
    let mut written = Ok(());
    let summary = show(dir, id, &mut |event| {
        found += 1;
        written = match format {
            Format::Text => writeln!(streams.out, "{}", pretty(event)),
            Format::Json => writeln!(streams.out, "{}", event.json()),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let summary = match summary {
        Ok(summary) => summary,
        Err(fault) => return unusable(&fault, streams.err),
    };
    written?;
    say_unrecorded(noted, streams.err)?;
    let code = readable(&summary, streams.err)?;
    if found == 0 {
        writeln!(streams.err, "error: no event has the id `{}`", visible(id))?;
        return Ok(BROKEN);
    }
    Ok(code)
}

/// An event spread over lines. Strings keep their JSON escapes, and what those leave is made visible.
fn pretty(event: &Found) -> String {
    let text = serde_json::to_string_pretty(&event.json()).unwrap_or_default();
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
}
