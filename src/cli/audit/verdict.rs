//! What `verify` says: what was checked, what was found, and what nobody can know from the folder alone.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{BROKEN, FINE};
use crate::audit::{
    Checked, Fault, Findings, Gap, Head, Outside, Pruning, Standing, Verified, visible,
};
use crate::hex::hex;

/// Things of one kind that are listed one by one.
const SHOWN_MAX: usize = 20;

/// Writes what is known of a log that is what was written.
pub(super) fn write(
    verified: &Verified,
    found: &Findings,
    known: &Outside,
    out: &mut dyn Write,
) -> io::Result<()> {
    let kept = &known.kept;
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
    write_signed(*last_seq, found, out)?;
    write_pruned(verified, out)?;
    write_checkpoints(found, out)?;
    writeln!(out, "last: {last}")?;
    write_unknown(&last, found, kept, out)?;
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

/// What was pruned, and who says so.
fn write_pruned(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let Some(pruned) = &verified.pruned else {
        return Ok(());
    };
    let Pruning {
        first_seq,
        last_seq,
        told_seq,
        vouched_seq,
    } = pruned;
    write!(
        out,
        "pruned: events {first_seq} to {last_seq} are not there, only their leaves: kept long enough, as event {told_seq} says"
    )?;
    if pruned.is_vouched() {
        return writeln!(out);
    }
    let from = first_seq.max(&(vouched_seq + 1)).to_owned();
    writeln!(
        out,
        "; unsigned pruning from event {from} on: no checkpoint with a key that you gave, and no --expect, reaches an event that tells of it, so whoever may write the folder may have removed them"
    )
}

/// Up to where a signature reaches, and who has signed.
fn write_signed(last_seq: u64, found: &Findings, out: &mut dyn Write) -> io::Result<()> {
    for key in found.keys.iter().filter(|key| key.is_unvouched) {
        writeln!(
            out,
            "another key from event {} on: {}+{}, for which the one before does not vouch",
            key.seq,
            visible(&key.name),
            key.id
        )?;
    }
    let Some(signed) = &found.signed else {
        return match found.identities.is_empty() {
            true => writeln!(out, "not signed: the log does not say which log it is"),
            false => writeln!(out, "not signed by any key that you gave"),
        };
    };
    let seq = signed.seq.unwrap_or_default();
    writeln!(
        out,
        "signed up to event {seq} ({}); not yet signed: {}",
        by(signed),
        last_seq.saturating_sub(seq)
    )
}

/// When and by which key.
fn by(signed: &Checked) -> String {
    let time = signed.time.as_deref().filter(|time| !time.is_empty());
    let time = time.map(|time| format!("{}, ", visible(time)));
    let key = signed.signer.as_ref();
    let key = key.map_or_else(
        || "no key that is known".to_owned(),
        |signer| format!("key {}+{}", visible(&signer.name), signer.id),
    );
    time.unwrap_or_default() + &key
}

/// What each checkpoint says. Of those in the folder that agree, only how many.
fn write_checkpoints(found: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let (mut agreeing, mut shown) = (0, 0);
    for checked in &found.checkpoints {
        if !checked.is_outside && checked.standing == Standing::Agrees {
            agreeing += 1;
            continue;
        }
        shown += 1;
        if shown <= SHOWN_MAX || checked.is_outside {
            writeln!(
                out,
                "checkpoint {}: {}",
                visible(&checked.name),
                says(checked)
            )?;
        }
    }
    if shown > SHOWN_MAX {
        writeln!(out, "checkpoints that do not agree or were given: {shown}")?;
    }
    if agreeing > 0 {
        writeln!(
            out,
            "checkpoints in the folder itself that agree: {agreeing}"
        )?;
    }
    Ok(())
}

/// What a checkpoint says, in words.
fn says(checked: &Checked) -> String {
    let seq = checked.seq.unwrap_or_default();
    let is_known = checked.signer.as_ref().is_some_and(|signer| signer.counts);
    match checked.standing {
        Standing::Agrees if is_known => {
            format!(
                "the log up to event {seq} is the one that was signed ({})",
                by(checked)
            )
        }
        Standing::Agrees => format!(
            "agrees with the log up to event {seq}, but proves nothing: no key that you gave has signed it ({})",
            by(checked)
        ),
        Standing::Differs => format!(
            "the log up to event {seq} is not the one that was signed ({})",
            by(checked)
        ),
        Standing::Missing { next_seq } => {
            format!("events {next_seq} to {seq} were there when it was signed, and are missing")
        }
        Standing::InGap { last_seq } => format!(
            "speaks of events up to {seq}, which are missing in the known gap that ends behind event {last_seq}"
        ),
        Standing::Beyond => format!("speaks of events up to {seq}, behind the first bad one"),
        Standing::OtherLog => format!("is of another log ({})", visible(&checked.log)),
        Standing::Pruned => format!(
            "is of events that were pruned, and of the leaves that were kept of them ({})",
            visible(&checked.log)
        ),
        Standing::Forged => "its signature is false: it is forged, or was changed".to_owned(),
        Standing::Unsigned => "is signed by no key that you gave, so it proves nothing".to_owned(),
        Standing::Unread(error) => error.to_string(),
    }
}

/// Why a whole log is not accepted.
pub(super) fn write_objections(
    found: &Findings,
    known: &Outside,
    err: &mut dyn Write,
) -> io::Result<()> {
    let gaps = found
        .verdict
        .as_ref()
        .map_or(&[][..], |verified| &verified.gaps);
    for gap in gaps.iter().filter(|gap| !known.knows(gap)).take(SHOWN_MAX) {
        let all = match gap.missing {
            Some((first, last)) => format!("{first}-{last}"),
            None => gap.last_seq.to_string(),
        };
        writeln!(
            err,
            "error: the log notes a gap behind event {}, and it was not given as known with all that is missing in it: if it is, give `--expect-gap {all}`",
            gap.last_seq
        )?;
    }
    for checked in &found.checkpoints {
        let is_given = checked.is_outside || known.trust_local;
        if is_given && !checked.standing.is_passed_over() {
            writeln!(
                err,
                "error: checkpoint {}: {}",
                visible(&checked.name),
                says(checked)
            )?;
        }
    }
    Ok(())
}

/// Writes what is wrong, and how far the log is proved to be right.
pub(super) fn write_fault(fault: &Fault, found: &Findings, err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "error: the log is not what was written: {fault}")?;
    match &found.signed {
        Some(signed) => {
            let seq = signed.seq.unwrap_or_default();
            writeln!(
                err,
                "signed up to event {seq} ({}): the log up to there is what was written",
                by(signed)
            )?;
        }
        None => writeln!(
            err,
            "nothing proves what stands before: whether more was written anew, only a checkpoint and a key from elsewhere can tell"
        )?,
    }
    write_checkpoints(found, err)
}

/// What the folder alone cannot tell.
fn write_unknown(
    last: &Head,
    found: &Findings,
    kept: &[Head],
    out: &mut dyn Write,
) -> io::Result<()> {
    let signed = found.signed.iter().filter(|signed| signed.is_outside);
    let signed = signed.filter_map(|signed| signed.seq);
    let vouched_seq = kept.iter().map(|head| head.seq).chain(signed).max();
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
        "; compare with a checkpoint from elsewhere (--key, --checkpoint), or keep the line `last` elsewhere, and give it the next time: --expect {last}"
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
pub(super) fn json(verified: &Verified, found: &Findings, code: u8) -> Value {
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
            BROKEN if verified.gaps.is_empty() => "not-as-expected",
            BROKEN => "gaps",
            _ => "whole",
        },
        "events": verified.events,
        "segments": verified.segments,
        "last_seq": verified.last_seq,
        "last_hash": verified.last_hash,
        "unclosed": unclosed.map(|one| json!({"seq": one.seq, "id": one.id})).collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
        "pruned": verified.pruned.as_ref().map(|pruned| json!({
            "first_seq": pruned.first_seq, "last_seq": pruned.last_seq, "told_seq": pruned.told_seq,
            "vouched": pruned.is_vouched(), "vouched_seq": pruned.vouched_seq,
        })),
        "clock_steps": steps.collect::<Vec<_>>(),
        "set_aside": verified.set_aside,
        "unfinished_bytes": verified.unfinished_bytes,
        "signed_to": found.signed.as_ref().and_then(|signed| signed.seq),
        "checkpoints": checkpoints(found),
        "identities": identities(found),
        "keys": keys(found),
    })
}

fn checkpoints(found: &Findings) -> Vec<Value> {
    let one = |checked: &Checked| {
        let signer = checked.signer.as_ref();
        json!({
            "name": checked.name,
            "given": checked.is_outside,
            "log": checked.log,
            "size": checked.size,
            "seq": checked.seq,
            "key": signer.map(|signer| format!("{}+{}", signer.name, signer.id)),
            "key_counts": checked.counts,
            "standing": checked.standing.as_str(),
        })
    };
    found.checkpoints.iter().map(one).collect()
}

fn identities(found: &Findings) -> Vec<Value> {
    let all = found.identities.iter();
    all.map(
        |one| json!({"log": one.log, "from": one.from, "size": one.size, "root": hex(&one.root)}),
    )
    .collect()
}

fn keys(found: &Findings) -> Vec<Value> {
    let all = found.keys.iter();
    all.map(|key| {
        let name = format!("{}+{}", key.name, key.id);
        json!({"seq": key.seq, "key": name, "vouched": !key.is_unvouched})
    })
    .collect()
}

/// Of a log that is not what was written, for scripts.
pub(super) fn json_of_fault(fault: &Fault, found: &Findings) -> Value {
    let mut said = match fault {
        Fault::Broken(broken) => json!({
            "verdict": "broken",
            "file": broken.file,
            "line": broken.line,
            "seq": broken.seq,
            "first_bad": [broken.first_bad().0, broken.first_bad().1],
            "kind": broken.what.as_str(),
            "what": broken.what.to_string(),
        }),
        Fault::Unexpected(unexpected) => {
            let first_bad = unexpected.first_bad();
            json!({
                "verdict": "not-as-expected",
                "seq": first_bad.map(|(_, last)| last),
                "first_bad": first_bad.map(|(first, last)| [first, last]),
                "kind": unexpected.as_str(),
                "what": unexpected.to_string(),
            })
        }
        _ => json!({"verdict": "unreadable", "what": fault.to_string()}),
    };
    said["signed_to"] = found.signed.as_ref().and_then(|signed| signed.seq).into();
    said["checkpoints"] = checkpoints(found).into();
    said
}
