//! Tamperings by chance, against a key and checkpoints that were kept elsewhere: all are found, and the first bad event is
//! named as exactly as anybody can.
//!
//! `PARAVENT_TAMPERINGS=10000` makes so many, of logs of 10,000 events; `PARAVENT_SEED` repeats a run.

use std::collections::BTreeMap;
use std::env;

use super::super::super::note::SigningKey;
use super::forge::{
    Chance, Files, Forge, joined, leaves_name, lines, name, rewritten, signing_key, write,
};
use super::*;
use serde_json::json;

const LOG: &str = "00112233445566778899aabbccddeeff";
const OTHER: &str = "ffeeddccbbaa99887766554433221100";

/// A log, and what was kept of it elsewhere.
struct Kept {
    log: Forge,
    outside: Outside,
    /// The sizes of the checkpoints, the last one being that of the whole log.
    sizes: Vec<u64>,
}

/// What was done to it.
struct Done {
    what: &'static str,
    /// Files that are others now, or gone.
    files: BTreeMap<String, Option<Vec<u8>>>,
    /// The first and the last event that may be named as the first bad one; `None` if there is none to be named.
    first_bad: Option<(u64, u64)>,
    /// What was kept elsewhere, if that was tampered with.
    outside: Option<Outside>,
    /// The event that must be among those that are named.
    holds: Option<u64>,
}

impl Done {
    fn new(what: &'static str, first_bad: (u64, u64)) -> Self {
        Self {
            what,
            files: BTreeMap::new(),
            first_bad: Some(first_bad),
            outside: None,
            holds: None,
        }
    }

    fn file(mut self, name: String, bytes: Option<Vec<u8>>) -> Self {
        self.files.insert(name, bytes);
        self
    }

    /// All segments of the log are those of another one.
    fn instead(mut self, kept: &Kept, other: &Forge) -> Self {
        for name in kept.log.files.keys() {
            if name.starts_with("audit-") {
                self.files.insert(name.clone(), None);
            }
        }
        for (name, bytes) in &other.files {
            if name.starts_with("audit-") {
                self.files.insert(name.clone(), Some(bytes.clone()));
            }
        }
        self
    }
}

fn make(events: u64, seed: u64) -> Kept {
    let mut chance = Chance::new(seed);
    let key = signing_key(1);
    let mut log = Forge::new(2);
    log.segment(Some(LOG));
    log.key(&key, None);
    let segments = 5;
    for segment in 1..=segments {
        log.requests(events * segment / segments, &mut chance);
        if segment < segments {
            log.segment(None);
        }
        let size = log.size();
        log.keep_checkpoint(size, &key);
    }
    let mut sizes: Vec<_> = (0..3).map(|_| chance.within(3, log.size())).collect();
    sizes.push(log.size());
    sizes.sort_unstable();
    sizes.dedup();
    let given = |size: &u64| Given {
        name: size.to_string(),
        text: log.checkpoint(*size, &key),
    };
    let outside = Outside {
        keys: vec![key.public().clone()],
        checkpoints: sizes.iter().map(given).collect(),
        ..Outside::default()
    };
    // Those in the folder, by the same key, narrow what is said.
    let inside = log
        .files
        .keys()
        .filter_map(|name| name.strip_prefix("checkpoints/")?.get(..16)?.parse().ok());
    let mut all: Vec<u64> = inside.chain(sizes).collect();
    all.sort_unstable();
    all.dedup();
    Kept {
        log,
        outside,
        sizes: all,
    }
}

impl Kept {
    fn events(&self) -> u64 {
        self.log.seq()
    }

    /// Where the first bad event is, if it is this one and only checkpoints can tell.
    fn interval(&self, seq: u64) -> (u64, u64) {
        let before = self.sizes.iter().rfind(|size| **size < seq);
        let behind = self.sizes.iter().find(|size| **size >= seq);
        (before.map_or(1, |size| size + 1), *behind.unwrap_or(&seq))
    }

    /// Where it is, if the log ends before this one.
    fn until(&self, seq: u64) -> (u64, u64) {
        (self.interval(seq).0, seq)
    }

    /// The segment that holds an event, its lines, and which of them it is.
    fn place(&self, seq: u64) -> (u64, Vec<Vec<u8>>, usize) {
        let first = *self
            .log
            .segments
            .iter()
            .rfind(|first| **first <= seq)
            .unwrap();
        let lines = lines(&self.log.files[&name(first)]);
        (first, lines, (seq - first) as usize)
    }

    fn changed(
        &self,
        what: &'static str,
        seq: u64,
        tamper: impl FnOnce(&mut Vec<Vec<u8>>, usize),
    ) -> Done {
        let (first, mut lines, at) = self.place(seq);
        tamper(&mut lines, at);
        Done::new(what, (seq, seq)).file(name(first), Some(joined(&lines)))
    }
}

/// One tampering by chance.
fn tampering(kept: &Kept, chance: &mut Chance) -> Done {
    let last = kept.events();
    match chance.below(22) {
        0 | 1 => flip(kept, chance),
        2 => deleted(kept, chance),
        3 => inserted(kept, chance),
        4 => {
            let seq = chance.within(1, last);
            kept.changed(
                "a changed event is inserted before itself",
                seq,
                |lines, at| {
                    let mut event: serde_json::Value = serde_json::from_slice(&lines[at]).unwrap();
                    event["node"] = json!("par-9z");
                    lines.insert(at, event.to_string().into_bytes());
                },
            )
        }
        5 => swapped(kept, chance),
        6 => moved(kept, chance),
        7 => truncated(kept, chance),
        8 => cut_file(kept, chance),
        9 => swapped_files(kept, chance),
        10 => {
            let segment = chance.below(kept.log.segments.len() as u64) as usize;
            let first = kept.log.segments[segment];
            let first_bad = match segment + 1 == kept.log.segments.len() {
                true => kept.until(first),
                false => (first, first),
            };
            Done::new("a segment is removed", first_bad).file(name(first), None)
        }
        11 => renamed(kept, chance),
        12 => spliced(kept, chance),
        13 => {
            let other = another(kept, OTHER, chance);
            let done = Done::new("another log stands there", (0, 0)).instead(kept, &other);
            Done {
                first_bad: None,
                ..done
            }
        }
        14 | 15 => rewritten_from(kept, chance),
        16 => left_out(kept, chance),
        17 => forged_statement(kept, chance),
        18 => forged_key(kept, chance),
        19 => forged_checkpoint(kept, chance),
        20 => {
            let gone = kept
                .log
                .files
                .keys()
                .filter(|name| name.starts_with("audit-"));
            let mut done = Done::new("all segments are removed", (1, 1));
            done.files.extend(gone.map(|name| (name.clone(), None)));
            done
        }
        _ => grown(kept, chance),
    }
}

/// One bit of a segment.
fn flip(kept: &Kept, chance: &mut Chance) -> Done {
    let first = kept.log.segments[chance.below(kept.log.segments.len() as u64) as usize];
    let mut bytes = kept.log.files[&name(first)].clone();
    let place = chance.below(bytes.len() as u64) as usize;
    let newlines = memchr::memchr_iter(b'\n', &bytes[..place]).count() as u64;
    let seq = first + newlines;
    bytes[place] ^= 1 << chance.below(8);
    let first_bad = match seq == kept.events() {
        // Nothing follows it: mostly, only the checkpoint contradicts it.
        true => kept.until(seq),
        false => (seq, seq),
    };
    Done::new("a bit is flipped", first_bad).file(name(first), Some(bytes))
}

fn deleted(kept: &Kept, chance: &mut Chance) -> Done {
    let seq = chance.within(1, kept.events());
    let mut done = kept.changed("events are deleted", seq, |lines, at| {
        let count = chance.within(1, 5).min((lines.len() - at) as u64) as usize;
        lines.drain(at..at + count);
    });
    let last_segment = *kept.log.segments.last().unwrap();
    if let Some(Some(bytes)) = done.files.get(&name(last_segment))
        && lines(bytes).len() as u64 == seq - last_segment
    {
        done.first_bad = Some(kept.until(seq));
    }
    done
}

fn inserted(kept: &Kept, chance: &mut Chance) -> Done {
    let (_, from, at) = kept.place(chance.within(1, kept.events()));
    let copy = from[at].clone();
    let seq = chance.within(1, kept.events() + 1);
    let (first, mut lines, _) = kept.place(seq.min(kept.events()));
    let place = (seq - first) as usize;
    if lines.get(place) == Some(&copy) {
        // That is the same as inserting it behind itself.
        lines.insert(place, copy);
        let first_bad = (seq + 1, seq + 1);
        return Done::new("an event is doubled", first_bad).file(name(first), Some(joined(&lines)));
    }
    lines.insert(place, copy);
    Done::new("an event is copied", (seq, seq)).file(name(first), Some(joined(&lines)))
}

fn swapped(kept: &Kept, chance: &mut Chance) -> Done {
    let one = chance.within(1, kept.events() - 1);
    let other = match chance.below(2) {
        0 => one + 1,
        _ => chance.within(one + 1, kept.events()),
    };
    let (first, mut lines, at) = kept.place(one);
    let (other_first, mut other_lines, other_at) = kept.place(other);
    let done = Done::new("two events are swapped", (one, one));
    if first == other_first {
        lines.swap(at, other_at);
        return done.file(name(first), Some(joined(&lines)));
    }
    std::mem::swap(&mut lines[at], &mut other_lines[other_at]);
    done.file(name(first), Some(joined(&lines)))
        .file(name(other_first), Some(joined(&other_lines)))
}

fn moved(kept: &Kept, chance: &mut Chance) -> Done {
    let first = kept.log.segments[chance.below(kept.log.segments.len() as u64) as usize];
    let mut all = lines(&kept.log.files[&name(first)]);
    let from = chance.below(all.len() as u64 - 1) as usize;
    let to = chance.within(from as u64 + 1, all.len() as u64 - 1) as usize;
    match chance.below(2) {
        0 => {
            let line = all.remove(from);
            all.insert(to, line);
        }
        _ => {
            let line = all.remove(to);
            all.insert(from, line);
        }
    }
    let seq = first + from as u64;
    Done::new("an event is moved", (seq, seq)).file(name(first), Some(joined(&all)))
}

/// The end is missing, maybe within a line.
fn truncated(kept: &Kept, chance: &mut Chance) -> Done {
    let seq = chance.within(1, kept.events());
    let (first, lines, at) = kept.place(seq);
    let mut bytes = joined(&lines[..at]);
    bytes.extend_from_slice(&lines[at][..chance.below(lines[at].len() as u64) as usize]);
    let mut done = Done::new("the end is cut off", kept.until(seq));
    let later = kept.log.segments.iter().filter(|later| **later > first);
    done.files.extend(later.map(|later| (name(*later), None)));
    match chance.below(2) {
        // A segment that is not there at all, if nothing is left of it.
        0 if bytes.is_empty() && first > 1 => done.file(name(first), None),
        _ => done.file(name(first), Some(bytes)),
    }
}

fn cut_file(kept: &Kept, chance: &mut Chance) -> Done {
    let segments = kept.log.segments.len() as u64 - 1;
    let first = kept.log.segments[chance.below(segments) as usize];
    let mut bytes = kept.log.files[&name(first)].clone();
    bytes.truncate(chance.below(bytes.len() as u64 - 1) as usize);
    let seq = first + memchr::memchr_iter(b'\n', &bytes).count() as u64;
    Done::new("a file ends early", (seq, seq)).file(name(first), Some(bytes))
}

fn swapped_files(kept: &Kept, chance: &mut Chance) -> Done {
    let segments = &kept.log.segments;
    let one = chance.below(segments.len() as u64 - 1) as usize;
    let other = chance.within(one as u64 + 1, segments.len() as u64 - 1) as usize;
    let (one, other) = (segments[one], segments[other]);
    let bytes = |first| Some(kept.log.files[&name(first)].clone());
    let copied_only = chance.below(2) == 0;
    let done = Done::new("files have each other's names", (one, one));
    let done = done.file(name(one), bytes(other));
    match copied_only {
        true => done,
        false => done.file(name(other), bytes(one)),
    }
}

fn renamed(kept: &Kept, chance: &mut Chance) -> Done {
    let segment = chance.below(kept.log.segments.len() as u64) as usize;
    let first = kept.log.segments[segment];
    let next = kept
        .log
        .segments
        .get(segment + 1)
        .copied()
        .unwrap_or(first + 100);
    let to = match chance.below(2) {
        0 if first > 1 => chance.within(kept.log.segments[segment - 1] + 1, first - 1),
        _ => chance.within(first + 1, next - 1),
    };
    let bytes = kept.log.files[&name(first)].clone();
    Done::new("a file has another name", (first, first))
        .file(name(first), None)
        .file(name(to), Some(bytes))
}

/// Another log, of about as many events in as many segments.
fn another(kept: &Kept, log: &str, chance: &mut Chance) -> Forge {
    let mut other = Forge::new(2);
    other.segment(Some(log));
    other.key(&signing_key(2), None);
    for first in kept.log.segments.iter().skip(1) {
        other.requests(first - 1, chance);
        if other.seq() + 1 == *first {
            other.segment(None);
        }
    }
    other.requests(kept.events(), chance);
    other
}

/// From some segment on, the events are those of another log, bound to the ones before.
fn spliced(kept: &Kept, chance: &mut Chance) -> Done {
    let segment = chance.within(1, kept.log.segments.len() as u64 - 1) as usize;
    let first = kept.log.segments[segment];
    let bound = chance.below(2) == 0;
    let mut forged = rewritten(&kept.log, first, &mut |_, _| false);
    forged.log = OTHER.to_owned();
    if bound {
        forged.segment(None);
        forged.requests(kept.events(), chance);
        return Done::new("another log goes on", (first, first)).instead(kept, &forged);
    }
    let other = another(kept, OTHER, chance);
    let mut done = Done::new("another log's files stand behind", (first, first));
    let later = kept.log.segments.iter().filter(|later| **later >= first);
    done.files.extend(later.map(|later| (name(*later), None)));
    let theirs = other.segments.iter().filter(|theirs| **theirs >= first);
    // Its files may begin elsewhere; then events are missing before the first of them.
    done.files
        .extend(theirs.map(|theirs| (name(*theirs), Some(other.files[&name(*theirs)].clone()))));
    if !other.segments.iter().any(|theirs| *theirs >= first) {
        done.first_bad = Some(kept.until(first));
    }
    done
}

/// The whole rest of the chain is written anew, correctly.
fn rewritten_from(kept: &Kept, chance: &mut Chance) -> Done {
    let seq = chance.within(3, kept.events());
    let is_request = |seq: u64| {
        let (_, lines, at) = kept.place(seq);
        memchr::memmem::find(&lines[at], b"\"event\":").is_none()
    };
    let seq = (seq..=kept.events())
        .find(|seq| is_request(*seq))
        .unwrap_or_else(|| kept.events());
    let forged = rewritten(&kept.log, seq, &mut |at, event| {
        if at == seq {
            event["time"] = json!("2026-11-01T00:00:00.001Z");
        }
        true
    });
    Done::new("the chain is written anew", kept.interval(seq)).instead(kept, &forged)
}

/// An event is left out, and the rest of the chain written anew, correctly.
fn left_out(kept: &Kept, chance: &mut Chance) -> Done {
    let seq = chance.within(3, kept.events());
    let is_request = |seq: u64| {
        let (_, lines, at) = kept.place(seq);
        memchr::memmem::find(&lines[at], b"\"event\":").is_none() && at > 0
    };
    let Some(seq) = (seq..=kept.events()).find(|seq| is_request(*seq)) else {
        return rewritten_from(kept, chance);
    };
    let forged = rewritten(&kept.log, seq, &mut |at, _| at != seq);
    let (first, last) = kept.interval(seq);
    // The last checkpoint speaks of an event more than there are.
    Done::new("an event is left out", (first, last)).instead(kept, &forged)
}

fn forged_statement(kept: &Kept, chance: &mut Chance) -> Done {
    let segment = chance.below(kept.log.segments.len() as u64) as usize;
    let first = kept.log.segments[segment];
    let kind = chance.below(3);
    let forged = rewritten(&kept.log, first, &mut |at, event| {
        if at == first {
            event.insert("forged".to_owned(), json!(true));
            match kind {
                0 => event["from"] = json!(2),
                1 => event["tree"] = json!(["00".repeat(32)]),
                _ if first == 1 => event["log"] = json!("0"),
                _ => event["log"] = json!(OTHER),
            }
        }
        true
    });
    Done::new("a false statement of the tree", (first, first)).instead(kept, &forged)
}

fn forged_key(kept: &Kept, chance: &mut Chance) -> Done {
    let (key, evil) = (signing_key(1), signing_key(9));
    let seq = chance.within(3, kept.events());
    let is_signed = chance.below(2) == 0;
    let mut forged = rewritten(&kept.log, seq, &mut |_, _| false);
    match is_signed {
        // Somebody's own key, without the one before: whoever trusts that one is told by a checkpoint only.
        true => forged.key(&evil, None),
        false => {
            let line = |key: &SigningKey| key.public().to_string();
            forged.notice(json!({
                "event": "audit.key", "key": line(&evil), "previous": line(&key), "signatures": ["AAAA", "AAAA"],
            }));
        }
    }
    forged.requests(kept.events(), chance);
    let first_bad = match is_signed {
        true => kept.interval(seq),
        false => (seq, seq),
    };
    Done::new("a key is put in force by somebody", first_bad).instead(kept, &forged)
}

/// What was kept elsewhere is not what it is said to be.
fn forged_checkpoint(kept: &Kept, chance: &mut Chance) -> Done {
    let mut outside = kept.outside.clone();
    let place = chance.below(outside.checkpoints.len() as u64) as usize;
    let text = &outside.checkpoints[place].text;
    let forged = match chance.below(3) {
        0 => kept.log.checkpoint(kept.log.size(), &signing_key(9)),
        1 => text.replacen('\n', "\n1", 1),
        _ => another(kept, OTHER, chance).checkpoint(3, &signing_key(1)),
    };
    outside.checkpoints[place].text = forged;
    Done {
        first_bad: None,
        outside: Some(outside),
        ..Done::new("a forged checkpoint", (0, 0))
    }
}

/// The log is rolled back and goes on otherwise.
fn grown(kept: &Kept, chance: &mut Chance) -> Done {
    let seq = chance.within(3, kept.events());
    let mut forged = rewritten(&kept.log, seq, &mut |_, _| false);
    forged.requests(kept.events() + chance.within(0, 30), chance);
    Done::new("the log is rolled back and goes on", kept.interval(seq)).instead(kept, &forged)
}

/// What `verify` says.
fn verdict(dir: &Path, outside: &Outside) -> (Reliance, Option<(u64, u64)>, String) {
    let found = examine(dir, outside, &mut |_| {});
    let first_bad = match &found.verdict {
        Err(Fault::Broken(broken)) => Some(broken.first_bad()),
        Err(Fault::Unexpected(unexpected)) => unexpected.first_bad(),
        _ => None,
    };
    (
        found.reliance(outside),
        first_bad,
        format!("{:?}", found.verdict),
    )
}

/// Puts files in a folder, or takes them away.
fn apply(dir: &Path, files: &Files, changed: &BTreeMap<String, Option<Vec<u8>>>, is_undone: bool) {
    for (name, bytes) in changed {
        let bytes = match is_undone {
            true => files.get(name),
            false => bytes.as_ref(),
        };
        match bytes {
            Some(bytes) => fs::write(dir.join(name), bytes).unwrap(),
            None => drop(fs::remove_file(dir.join(name))),
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn every_tampering_is_found_and_named() {
    let long = number("PARAVENT_TAMPERINGS");
    let (count, events) = (long.unwrap_or(330), long.map_or(300, |_| 10_000));
    let by_clock = || jiff::Timestamp::now().as_nanosecond() as u64;
    let seed = number("PARAVENT_SEED").unwrap_or_else(by_clock);
    println!("PARAVENT_SEED={seed}");
    let mut chance = Chance::new(seed);
    let mut tally = BTreeMap::new();
    let logs = 1 + count / 100;
    for round in 0..logs {
        let kept = make(events, chance.next());
        let dir = TempDir::new().unwrap();
        write(&kept.log.files, dir.path());
        let (reliance, _, said) = verdict(dir.path(), &kept.outside);
        assert_eq!(
            reliance,
            Reliance::Vouched,
            "a false alarm, seed {seed}, round {round}: {said}"
        );
        for _ in 0..count / logs + 1 {
            let done = tampering(&kept, &mut chance);
            apply(dir.path(), &kept.log.files, &done.files, false);
            let outside = done.outside.as_ref().unwrap_or(&kept.outside);
            let (reliance, named, said) = verdict(dir.path(), outside);
            let what = done.what;
            assert_eq!(reliance, Reliance::Broken, "seed {seed}, {what}: {said}");
            if let Some((first, last)) = done.first_bad {
                let named = named.unwrap_or_else(|| panic!("seed {seed}, {what}: {said}"));
                assert!(
                    first <= named.0 && named.1 <= last,
                    "seed {seed}, {what}: {first} to {last}, and not {named:?}: {said}"
                );
            }
            *tally.entry(what).or_insert(0_u64) += 1;
            apply(dir.path(), &kept.log.files, &done.files, true);
        }
        let (reliance, ..) = verdict(dir.path(), &kept.outside);
        assert_eq!(reliance, Reliance::Vouched, "seed {seed}");
    }
    println!(
        "{} tamperings of logs of {events} events: {tally:#?}",
        tally.values().sum::<u64>()
    );
}

/// A log of which the first segments were pruned.
fn pruned(seed: u64) -> Kept {
    let kept = make(300, seed);
    let (mut log, key) = (kept.log, signing_key(1));
    log.prune(2);
    let sizes = vec![log.size() / 2, log.size()];
    let given = |size: &u64| Given {
        name: size.to_string(),
        text: log.checkpoint(*size, &key),
    };
    let outside = Outside {
        keys: vec![key.public().clone()],
        checkpoints: sizes.iter().map(given).collect(),
        ..Outside::default()
    };
    Kept {
        log,
        outside,
        sizes,
    }
}

/// One tampering with what is kept of pruned events: the first and the last that may be named.
fn with_leaves(kept: &Kept, chance: &mut Chance) -> Done {
    let names = kept
        .log
        .files
        .keys()
        .filter(|name| name.starts_with("pruned/"));
    let names: Vec<_> = names.cloned().collect();
    let name = names[chance.below(2) as usize].clone();
    let mut bytes = kept.log.files[&name].clone();
    let first: u64 = name[14..30].parse().unwrap();
    let last: u64 = name[31..47].parse().unwrap();
    let at = chance.below(bytes.len() as u64) as usize;
    match chance.below(5) {
        0 | 1 => {
            bytes[at] ^= 1 << chance.below(8);
            let seq = first + at as u64 / 32;
            // Of the event itself nothing is there: the full subtrees of the tree narrow it down.
            Done::new("a bit of a leaf is flipped", (1, kept.log.segments[0] - 1))
                .file(name, Some(bytes))
                .holding(seq)
        }
        2 => {
            bytes.truncate(at);
            Done::new("leaves are cut off", (first, last)).file(name, Some(bytes))
        }
        3 => Done::new("leaves are removed", (first, last)).file(name, None),
        _ => {
            // And somebody removes a segment more, without a word.
            let next = kept.log.segments[0];
            let end = kept.log.segments[1] - 1;
            let leaves = kept.log.leaves[next as usize - 1..end as usize].concat();
            Done::new("a segment is removed and its leaves are kept", (next, end))
                .file(forge::name(next), None)
                .file(leaves_name(next, end), Some(leaves))
        }
    }
}

impl Done {
    /// The event that was tampered with, which must be among those that are named.
    fn holding(mut self, seq: u64) -> Self {
        self.holds = Some(seq);
        self
    }
}

#[test]
fn tampering_with_what_is_kept_of_pruned_events_is_found_and_named() {
    let seed =
        number("PARAVENT_SEED").unwrap_or_else(|| jiff::Timestamp::now().as_nanosecond() as u64);
    println!("PARAVENT_SEED={seed}");
    let mut chance = Chance::new(seed);
    let kept = pruned(chance.next());
    let dir = TempDir::new().unwrap();
    write(&kept.log.files, dir.path());
    let (reliance, _, said) = verdict(dir.path(), &kept.outside);
    assert_eq!(reliance, Reliance::Vouched, "seed {seed}: {said}");
    for _ in 0..60 {
        let done = with_leaves(&kept, &mut chance);
        apply(dir.path(), &kept.log.files, &done.files, false);
        let (reliance, named, said) = verdict(dir.path(), &kept.outside);
        let what = done.what;
        assert_eq!(reliance, Reliance::Broken, "seed {seed}, {what}: {said}");
        let named = named.unwrap_or_else(|| panic!("seed {seed}, {what}: {said}"));
        let (first, last) = done.first_bad.unwrap();
        assert!(
            first <= named.0 && named.1 <= last,
            "seed {seed}, {what}: {named:?}: {said}"
        );
        let holds = done
            .holds
            .is_none_or(|seq| (named.0..=named.1).contains(&seq));
        assert!(holds, "seed {seed}, {what}: {named:?}: {said}");
        apply(dir.path(), &kept.log.files, &done.files, true);
    }
}

#[test]
fn a_gap_begins_a_new_tree_and_checkpoints_of_both_hold() {
    let (mut chance, key) = (Chance::new(7), signing_key(1));
    let mut log = Forge::new(2);
    log.segment(Some(LOG));
    log.key(&key, None);
    log.requests(20, &mut chance);
    let early = log.checkpoint(10, &key);
    let before = log.seq();
    log.gap(3, OTHER);
    log.key(&key, Some(&key));
    log.requests(40, &mut chance);
    log.segment(None);
    log.requests(50, &mut chance);
    let dir = TempDir::new().unwrap();
    write(&log.files, dir.path());
    let given = |text: String| Given {
        name: String::new(),
        text,
    };
    let mut outside = Outside {
        keys: vec![key.public().clone()],
        checkpoints: vec![given(early), given(log.checkpoint(log.size(), &key))],
        ..Outside::default()
    };
    assert_eq!(
        verdict(dir.path(), &outside).0,
        Reliance::Broken,
        "the gap is not known"
    );
    outside.known_gaps = vec![KnownGap {
        first_seq: before + 1,
        last_seq: before + 3,
    }];
    let (reliance, _, said) = verdict(dir.path(), &outside);
    assert_eq!(reliance, Reliance::Vouched, "{said}");
    // A checkpoint that reaches into the gap is passed over while the gap is known, and no longer.
    let mut lost = log.clone();
    (lost.log, lost.from) = (LOG.to_owned(), 1);
    outside
        .checkpoints
        .push(given(lost.checkpoint(before + 2, &key)));
    assert_eq!(verdict(dir.path(), &outside).0, Reliance::Vouched);
    outside.known_gaps.clear();
    let (reliance, named, _) = verdict(dir.path(), &outside);
    assert_eq!(
        (reliance, named),
        (Reliance::Broken, Some((11, before + 1)))
    );
    // Whatever the gap swallows: a tree that goes on behind it is another one.
    let same = dir.path().join(name(before + 4));
    let text = fs::read_to_string(&same).unwrap();
    fs::write(&same, text.replacen(OTHER, LOG, 1)).unwrap();
    outside.known_gaps = vec![KnownGap {
        first_seq: before + 1,
        last_seq: before + 3,
    }];
    outside.checkpoints.truncate(1);
    let (reliance, named, _) = verdict(dir.path(), &outside);
    let statement = before + 5;
    assert_eq!(
        (reliance, named),
        (Reliance::Broken, Some((statement, statement)))
    );
}

#[test]
fn whom_to_trust_goes_from_a_key_to_the_one_that_it_names() {
    let mut chance = Chance::new(8);
    let [first, next, own] = [1, 2, 9].map(signing_key);
    let mut log = Forge::new(2);
    log.segment(Some(LOG));
    log.key(&first, None);
    log.requests(20, &mut chance);
    log.key(&next, Some(&first));
    log.requests(40, &mut chance);
    log.key(&own, None);
    log.requests(60, &mut chance);
    let dir = TempDir::new().unwrap();
    write(&log.files, dir.path());
    let against = |trusted: &SigningKey, signer: &SigningKey| {
        let outside = Outside {
            keys: vec![trusted.public().clone()],
            checkpoints: vec![Given {
                name: String::new(),
                text: log.checkpoint(log.size(), signer),
            }],
            ..Outside::default()
        };
        examine(dir.path(), &outside, &mut |_| {}).reliance(&outside)
    };
    assert_eq!(against(&first, &first), Reliance::Vouched);
    assert_eq!(against(&first, &next), Reliance::Vouched);
    assert_eq!(against(&next, &next), Reliance::Vouched);
    // A successor does not vouch for the one before, but has named it: nothing is wrong, and nothing proved.
    assert_eq!(against(&next, &first), Reliance::Whole);
    // Nobody whom it trusts has named that one.
    assert_eq!(against(&first, &own), Reliance::Broken);
    assert_eq!(against(&first, &signing_key(5)), Reliance::Broken);
    let alone = Outside::default();
    let found = examine(dir.path(), &alone, &mut |_| {});
    assert_eq!(found.reliance(&alone), Reliance::Whole);
    let unvouched: Vec<_> = found.keys.iter().map(|key| key.is_unvouched).collect();
    assert_eq!(unvouched, [false, false, true]);
    let local = Outside {
        trust_local: true,
        ..Outside::default()
    };
    let found = examine(dir.path(), &local, &mut |_| {});
    assert_eq!(found.reliance(&local), Reliance::Vouched);
}
