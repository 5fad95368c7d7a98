//! What `verify` says: what was checked, what was found, and what nobody can know from the folder alone.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{BROKEN, FINE};
use crate::audit::{Fault, Gap, Head, Unexpected, Verified, visible};

/// Things of one kind that are listed one by one.
const SHOWN_MAX: usize = 20;

/// Writes what is known of a log that is what was written.
pub(super) fn write(verified: &Verified, kept: &[Head], out: &mut dyn Write) -> io::Result<()> {
    let Verified {
        events,
        segments,
        last_seq,
        ..
    } = verified;
    writeln!(
        out,
        "{}: {events} events up to {last_seq}, files: {segments}; each follows from the one before it",
        match verified.gaps.is_empty() {
            true => "whole",
            false => "whole but for the gaps that it notes",
        }
    )?;
    for head in kept {
        writeln!(
            out,
            "as expected: event {} has the hash that was given",
            head.seq
        )?;
    }
    let last = Head {
        seq: *last_seq,
        hash: verified.last_hash.clone(),
    };
    writeln!(out, "last: {last}")?;
    write_unknown(&last, kept, out)?;
    for gap in &verified.gaps {
        write_gap(gap, out)?;
    }
    write_list(
        "requests that were opened and never closed, so that up to everything left",
        verified.unclosed.iter(),
        |one| format!("{} (event {})", visible(&one.id), one.seq),
        out,
    )?;
    write_list(
        "the clock stepped back, so that times are not in the order of events",
        verified.clock_steps.iter(),
        |step| {
            let (from, to) = (visible(&step.from), visible(&step.to));
            format!("from {from} to {to} (event {})", step.seq)
        },
        out,
    )?;
    write_list(
        "set aside after a crash or a failure of the disk, never acknowledged",
        verified.set_aside.iter(),
        |part| visible(part),
        out,
    )?;
    if verified.unfinished_bytes > 0 {
        writeln!(
            out,
            "bytes of a last line that is being written, or was torn by a crash: {}",
            verified.unfinished_bytes
        )?;
    }
    Ok(())
}

/// What the folder alone cannot tell.
fn write_unknown(last: &Head, kept: &[Head], out: &mut dyn Write) -> io::Result<()> {
    let vouched_seq = kept.iter().map(|head| head.seq).max();
    match vouched_seq {
        None => write!(
            out,
            "not known from this folder alone: whether all of it was written anew, and whether there were events after {}",
            last.seq
        )?,
        Some(seq) if seq < last.seq => write!(
            out,
            "not known: whether events after {seq} were written anew, and whether there were more after {}",
            last.seq
        )?,
        Some(seq) => write!(out, "not known: whether there were events after {seq}")?,
    }
    writeln!(
        out,
        "; keep the line `last` elsewhere, and give it the next time: --expect {last}"
    )
}

fn write_gap(gap: &Gap, out: &mut dyn Write) -> io::Result<()> {
    let Gap { seq, last_seq, .. } = gap;
    let why = visible(&gap.why);
    let what = match gap.missing {
        Some((first, last)) => format!("events {first} to {last} are missing"),
        None if gap.is_changed => format!("event {last_seq} is not the one that was written"),
        None if why == "end-changed" => {
            format!("what stands up to event {last_seq} was written anew")
        }
        None => "no event is missing here any more".to_owned(),
    };
    writeln!(
        out,
        "a gap behind event {last_seq} is noted by event {seq} ({why}): {what}"
    )
}

fn write_list<T>(
    what: &str,
    items: impl ExactSizeIterator<Item = T>,
    line: impl Fn(T) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let count = items.len();
    if count > 0 {
        writeln!(out, "{what}: {count}")?;
    }
    for item in items.take(SHOWN_MAX) {
        writeln!(out, "  {}", line(item))?;
    }
    Ok(())
}

/// The same for scripts.
pub(super) fn json(verified: &Verified, code: u8) -> Value {
    let unclosed = verified.unclosed.iter();
    let gaps = verified.gaps.iter().map(|gap| {
        json!({
            "seq": gap.seq, "last_seq": gap.last_seq, "why": gap.why, "is_changed": gap.is_changed,
            "missing": gap.missing.map(|(first, last)| [first, last]),
        })
    });
    let steps = verified
        .clock_steps
        .iter()
        .map(|step| json!({"seq": step.seq, "from": step.from, "to": step.to}));
    json!({
        "verdict": match code {
            FINE => "as-expected",
            BROKEN => "gaps",
            _ => "whole",
        },
        "events": verified.events,
        "segments": verified.segments,
        "last_seq": verified.last_seq,
        "last_hash": verified.last_hash,
        "unclosed": unclosed.map(|one| json!({"seq": one.seq, "id": one.id})).collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
        "clock_steps": steps.collect::<Vec<_>>(),
        "set_aside": verified.set_aside,
        "unfinished_bytes": verified.unfinished_bytes,
    })
}

/// Of a log that is not what was written, for scripts.
pub(super) fn json_of_fault(fault: &Fault) -> Value {
    let what = fault.to_string();
    match fault {
        Fault::Broken(broken) => json!({
            "verdict": "broken",
            "file": broken.file,
            "line": broken.line,
            "seq": broken.seq,
            "what": broken.what.to_string(),
        }),
        Fault::Unexpected(Unexpected::Missing { seq, .. } | Unexpected::Differs { seq }) => {
            json!({"verdict": "not-as-expected", "seq": seq, "what": what})
        }
        _ => json!({"verdict": "unreadable", "what": what}),
    }
}
