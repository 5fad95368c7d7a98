//! Holds the files of a bundle against each other: whoever makes one looks through it as whoever receives it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Read as _};

use super::super::chain::{EVENT_BYTES_MAX, Line};
use super::super::expand::{Entry as Expanded, Segment};
use super::super::names::visible;
use super::super::note::VerifierKey;
use super::super::policies::{self, DETECTORS, SCHEMA};
use super::super::tree::{Tree, is_consistent, is_included};
use super::archive::{Entry, Files, Stored};
use super::facts::{Facts, LogFacts, PolicyFacts, ROWS_MAX, Row};
use super::logs::{keys, log, trees, vouch};
use super::manifest::{
    As, EVENTS, MANIFEST, Manifest, PAGE, PROOF_BYTES_MAX, PROOFS, Proof, TREES, TreeOf, Trees,
    hashes, read,
};
use super::rotation::{KEY, Rotation, SaysKey, followed};
use super::survey::{LOADED, SEGMENT, SaysSegment};

/// Bytes of the terms of one segment.
const TERMS_BYTES_MAX: usize = 256 << 20;
/// Bytes of one file of a policy, and of all files of one.
const POLICY_BYTES_MAX: u32 = 64 << 20;
/// Keys that took the place of others.
const ROTATIONS_MAX: usize = 1_000;
/// Policies and schemas by which was decided.
const IN_FORCE_MAX: usize = 10_000;
/// Holes that are told.
const HOLES_MAX: usize = 1_000;

/// Why a bundle is not what was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Flaw {
    #[error("{0}")]
    Says(String),
    #[error("the bundle cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

pub(super) fn flaw<T>(what: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw::Says(what.into()))
}

/// Looks through all files but the manifest and the page.
pub(super) fn check(
    files: &Files,
    manifest: &Manifest,
    given: &[VerifierKey],
) -> Result<Facts, Flaw> {
    let mut facts = Facts {
        keys: keys(files)?,
        ..Facts::default()
    };
    let trees = trees(files)?;
    let mut named = HashSet::new();
    let (mut used, mut newest) = (HashSet::new(), Vec::new());
    for tree in &trees.logs {
        named.extend(tree.checkpoints.iter().map(String::as_str));
        let (of_log, note) = log(files, tree, &facts.keys, &mut used)?;
        facts.logs.push(of_log);
        newest.push(note);
    }
    if let Some(unused) = facts.keys.iter().find(|key| !used.contains(&key.id_text())) {
        return flaw(format!(
            "the key {} has signed nothing here",
            unused.id_text()
        ));
    }
    for entry in &files.entries {
        let name = entry.name.as_str();
        let belongs = matches!(name, EVENTS | PROOFS | TREES | PAGE | MANIFEST)
            || name.starts_with("keys/")
            || name.starts_with("policies/")
            || named.contains(name);
        if !belongs {
            return flaw(format!("`{name}` does not belong to it"));
        }
    }
    let mut lines = Lines::new(manifest, &trees, &mut facts);
    lines.all(files)?;
    let (in_force, rotations) = lines.end()?;
    vouch(&mut facts.logs, &newest, &followed(given, &rotations))?;
    facts.counts.left_out = manifest.counts.left_out;
    if facts.counts != manifest.counts {
        return flaw(format!("`{MANIFEST}` counts other events than there are"));
    }
    if facts.counts.events == 0 {
        return flaw("it holds no event that was asked for");
    }
    policies(files, manifest, &in_force, &mut facts)?;
    Ok(facts)
}

pub(super) fn found<'f>(files: &'f Files, name: &str) -> Result<&'f Entry, Flaw> {
    match files.entry(name) {
        Some(entry) => Ok(entry),
        None => flaw(format!("`{name}` is missing")),
    }
}

/// Goes through the lines.
struct Lines<'a> {
    manifest: &'a Manifest,
    facts: &'a mut Facts,
    trees: &'a Trees,
    /// The root of the last checkpoint of each log.
    roots: Vec<[u8; 32]>,
    /// The tree up to the end of what was seen of the range of each log.
    ranges: Vec<Option<Tree>>,
    /// Whether an event has said where each log begins.
    is_said: Vec<bool>,
    segment: (u64, Segment),
    terms_bytes: usize,
    in_force: BTreeSet<String>,
    /// Keys that took the place of others, in the order in which they did.
    rotations: Vec<Rotation>,
    seq: u64,
    /// The last event within what is complete: its number, its leaf and the place of its log.
    within: Option<(u64, [u8; 32], usize)>,
}

impl<'a> Lines<'a> {
    fn new(manifest: &'a Manifest, trees: &'a Trees, facts: &'a mut Facts) -> Self {
        let root = |log: &LogFacts| {
            let last = log.checkpoints.last();
            last.and_then(|last| super::unhex(&last.root))
                .unwrap_or_default()
        };
        let range = |tree: &TreeOf| {
            let range = tree.range.as_ref()?;
            let before = range.first.checked_sub(tree.from)?;
            Tree::from_edge(before, hashes(&range.edge))
        };
        Self {
            manifest,
            trees,
            roots: facts.logs.iter().map(root).collect(),
            ranges: trees.logs.iter().map(range).collect(),
            is_said: vec![false; trees.logs.len()],
            segment: (0, Segment::default()),
            terms_bytes: 0,
            in_force: BTreeSet::new(),
            rotations: Vec::new(),
            seq: 0,
            within: None,
            facts,
        }
    }

    fn all(&mut self, files: &Files) -> Result<(), Flaw> {
        let mut lines = BufReader::with_capacity(1 << 16, files.reader(found(files, EVENTS)?));
        let mut proofs = BufReader::with_capacity(1 << 16, files.reader(found(files, PROOFS)?));
        let (mut line, mut proof) = (Vec::new(), Vec::new());
        let mut number = 0_u64;
        loop {
            number += 1;
            let has_line = next(&mut lines, EVENT_BYTES_MAX, &mut line)?;
            let has_proof = next(&mut proofs, PROOF_BYTES_MAX, &mut proof)?;
            match (has_line, has_proof) {
                (Some(true), Some(true)) => {}
                (Some(false), Some(false)) => return Ok(()),
                (Some(true), Some(false)) => {
                    return flaw(format!("line {number} of `{EVENTS}` has no proof"));
                }
                (Some(false), Some(true)) => {
                    return flaw(format!("line {number} of `{PROOFS}` is of no event"));
                }
                (None, _) => return flaw(format!("line {number} of `{EVENTS}` is no line")),
                (_, None) => return flaw(format!("line {number} of `{PROOFS}` is no line")),
            }
            let Some(event) = Line::read(&line) else {
                return flaw(format!(
                    "line {number} of `{EVENTS}` is not an event in canonical form"
                ));
            };
            let Some(proof) = read::<Proof>(&proof) else {
                return flaw(format!("line {number} of `{PROOFS}` is not in its form"));
            };
            let leaf = super::leaf(&line);
            let told = self.line(&event, &proof, (leaf, line.len()));
            told.map_err(|told| match told {
                Flaw::Says(what) => Flaw::Says(format!("event {}: {what}", event.seq)),
                unreadable => unreadable,
            })?;
        }
    }

    fn line(
        &mut self,
        event: &Line,
        proof: &Proof,
        (leaf, bytes): ([u8; 32], usize),
    ) -> Result<(), Flaw> {
        if proof.seq != event.seq || event.seq <= self.seq {
            return flaw("it stands in another place than its proof, or its number came before");
        }
        self.seq = event.seq;
        if proof.segment < self.segment.0 || proof.segment > event.seq {
            return flaw("it is said to be of a segment that it cannot be of");
        }
        if proof.segment > self.segment.0 {
            self.segment = (proof.segment, Segment::default());
            self.terms_bytes = 0;
        }
        let place = self.proved(event, proof, leaf)?;
        let entry = match self.segment.1.expand(event) {
            Ok(entry) => entry,
            Err(what) => return flaw(what.to_string()),
        };
        let name = event.value["event"].as_str();
        if matches!(entry, Expanded::Terms) {
            self.terms_bytes += bytes;
            if self.terms_bytes > TERMS_BYTES_MAX {
                return flaw("there are more terms than a segment holds");
            }
        }
        let is_rotation = name == Some(KEY) && self.rotates(event, place)?;
        let fits = match proof.why {
            As::Event => !matches!(entry, Expanded::Terms),
            As::Terms => matches!(entry, Expanded::Terms),
            As::Policy => name == Some(LOADED),
            As::Segment => name == Some(SEGMENT),
            As::Key => is_rotation,
            As::Between => self.is_within(event.seq),
        };
        if !fits {
            return flaw("it is not what it is said to be in the bundle for");
        }
        if let (Some(place), Some(SEGMENT)) = (place, name) {
            self.says_segment(event, place)?;
        }
        let of_log = place.and_then(|place| self.facts.logs.get_mut(place));
        if let Some(log) = of_log {
            log.has_events |= !matches!(proof.why, As::Segment | As::Key);
        }
        self.follow(event, proof, (place, leaf))?;
        self.count(event, &entry, proof);
        match self.in_force.len() > IN_FORCE_MAX {
            true => flaw("more policies were in force than a bundle holds"),
            false => Ok(()),
        }
    }

    /// Checks that an event is in its log; gives that one's place, if one is said to hold it.
    fn proved(
        &mut self,
        event: &Line,
        proof: &Proof,
        leaf: [u8; 32],
    ) -> Result<Option<usize>, Flaw> {
        let Some(id) = &proof.log else {
            let covers = |log: &LogFacts| (log.from..=log.last()).contains(&event.seq);
            return match proof.path {
                None if self.facts.logs.iter().any(covers) => {
                    flaw("a checkpoint covers it, and nothing proves it")
                }
                None => Ok(None),
                Some(_) => flaw("its proof is of no log"),
            };
        };
        let place = self.trees.logs.iter().position(|tree| tree.log == *id);
        let Some((place, tree)) = place.and_then(|at| Some((at, self.trees.logs.get(at)?))) else {
            return flaw(format!("its log is not in `{TREES}`"));
        };
        let last = self.facts.logs.get(place).map_or(0, LogFacts::last);
        if event.seq < tree.from || event.seq > last {
            return flaw("the checkpoint of its log does not cover it");
        }
        let (index, size) = (event.seq - tree.from, last - tree.from + 1);
        match (&proof.path, &tree.range) {
            (Some(path), _) => {
                let root = self.roots.get(place).copied().unwrap_or_default();
                if !is_included(&leaf, index, size, &root, &hashes(path)) {
                    return flaw(
                        "it is not the one that is in the signed log, or its proof is another's",
                    );
                }
            }
            (None, Some(range)) if (range.first..=range.last).contains(&event.seq) => {
                match self.ranges.get_mut(place) {
                    Some(Some(grown)) if grown.size() == index => grown.push(leaf),
                    _ => return flaw("events before it are missing, or their proof is none"),
                }
            }
            (None, _) => return flaw("nothing proves it"),
        }
        Ok(Some(place))
    }

    fn is_within(&self, seq: u64) -> bool {
        let span = self.manifest.complete;
        span.is_some_and(|span| (span.first..=span.last).contains(&seq))
    }

    /// An event that says where its segment belongs says what the bundle does.
    fn says_segment(&mut self, event: &Line, place: usize) -> Result<(), Flaw> {
        let says: Option<SaysSegment> = serde_json::from_value(event.value.clone()).ok();
        let is_it = says.is_some_and(|says| {
            let tree = self.trees.logs.get(place);
            tree.is_some_and(|tree| tree.from == says.from && tree.log == says.log)
        });
        if !is_it {
            return flaw(format!(
                "it says otherwise than `{TREES}` where its log begins"
            ));
        }
        if let Some(said) = self.is_said.get_mut(place) {
            *said = true;
        }
        Ok(())
    }

    /// Whether an event of a log says that a key took the place of another, and both say so.
    fn rotates(&mut self, event: &Line, place: Option<usize>) -> Result<bool, Flaw> {
        let log = place.and_then(|place| self.trees.logs.get(place));
        let says: Option<SaysKey> = serde_json::from_value(event.value.clone()).ok();
        let rotation = log.and_then(|log| says?.rotation(&log.log));
        let is_rotation = rotation.is_some();
        self.rotations.extend(rotation);
        match self.rotations.len() > ROTATIONS_MAX {
            true => flaw("more keys took the place of others than a bundle tells of"),
            false => Ok(is_rotation),
        }
    }

    /// Whether nothing is missing before an event that is within what is complete.
    fn follow(
        &mut self,
        event: &Line,
        proof: &Proof,
        (place, leaf): (Option<usize>, [u8; 32]),
    ) -> Result<(), Flaw> {
        let Some(span) = self.manifest.complete else {
            return match proof.path.is_some() || place.is_none() {
                true => Ok(()),
                false => flaw("a range proves it, in a bundle that is not complete"),
            };
        };
        if !self.is_within(event.seq) {
            return match proof.why == As::Event && place.is_some() {
                true => flaw("it was asked for, and lies outside of what is complete"),
                false => Ok(()),
            };
        }
        let Some(place) = place else {
            // It is told that nothing proves it, and that here is a hole.
            return Ok(());
        };
        if proof.path.is_some() {
            return flaw("it lies within what is complete, and no range proves it");
        }
        match self.within {
            None if event.seq != span.first => return flaw("events before it were left out"),
            None => {}
            Some((seq, hash, log)) if event.seq == seq + 1 => {
                let is_bound = event.prev == format!("sha256:{}", super::hex(&hash));
                if log != place && !is_bound {
                    // A log that begins anew behind an event that is not the one that was there.
                    self.hole(seq, event.seq)?;
                }
            }
            Some((_, _, log)) if log == place => return flaw("events before it were left out"),
            Some((seq, ..)) => self.hole(seq + 1, event.seq - 1)?,
        }
        self.within = Some((event.seq, leaf, place));
        Ok(())
    }

    fn hole(&mut self, first: u64, last: u64) -> Result<(), Flaw> {
        if self.facts.holes.len() >= HOLES_MAX {
            return flaw("there are too many gaps");
        }
        self.facts.holes.push((first, last));
        Ok(())
    }

    fn count(&mut self, event: &Line, entry: &Expanded, proof: &Proof) {
        let counts = &mut self.facts.counts;
        *match proof.why {
            As::Event => &mut counts.events,
            As::Terms => &mut counts.terms,
            As::Policy => &mut counts.policies,
            As::Segment => &mut counts.segments,
            As::Key => &mut counts.keys,
            As::Between => &mut counts.between,
        } += 1;
        counts.unproved += u64::from(proof.log.is_none());
        if proof.why != As::Event {
            return;
        }
        if let Expanded::Request(request) = entry {
            self.in_force.insert(request.policy.hash.clone());
            self.in_force.extend(request.policy.schema.clone());
        }
        let first = self.facts.times.take().map(|(first, _)| first);
        let time = visible(&event.time);
        let first = first.unwrap_or_else(|| time.clone());
        self.facts.times = Some((first, time));
        if self.facts.rows.len() < ROWS_MAX {
            let row = Row::of(event, entry, proof.log.is_some());
            self.facts.rows.push(row);
        }
    }

    /// What only the last line shows. Gives the hashes of policies and schemas by which was decided, and the keys that took the
    /// place of others.
    fn end(self) -> Result<(BTreeSet<String>, Vec<Rotation>), Flaw> {
        if let Some(span) = self.manifest.complete
            && self.within.is_none_or(|(seq, ..)| seq != span.last)
        {
            return flaw(format!("events up to {} were left out", span.last));
        }
        for (place, tree) in self.trees.logs.iter().enumerate() {
            if self.is_said.get(place) != Some(&true) {
                return flaw(format!("no event says where the log {} begins", tree.log));
            }
            let Some(range) = &tree.range else { continue };
            let grown = self.ranges.get(place).and_then(Option::as_ref);
            let root = self.roots.get(place).copied().unwrap_or_default();
            let last = self.facts.logs.get(place).map_or(0, LogFacts::last);
            let is_proved = grown.is_some_and(|grown| {
                grown.size() == (range.last + 1).saturating_sub(tree.from)
                    && range.first <= range.last
                    && is_consistent(
                        (grown.size(), &grown.root()),
                        ((last + 1).saturating_sub(tree.from), &root),
                        &hashes(&range.path),
                    )
            });
            if !is_proved {
                return flaw(format!(
                    "events {} to {} are not those that are in the signed log, or their proof is another's",
                    range.first, range.last
                ));
            }
        }
        Ok((self.in_force, self.rotations))
    }
}

/// Reads a line without its newline: whether there is one; `None` if it is too long, or does not end.
fn next(
    from: &mut BufReader<Stored<'_>>,
    bytes_max: usize,
    line: &mut Vec<u8>,
) -> io::Result<Option<bool>> {
    line.clear();
    let mut bounded = from.take(bytes_max as u64 + 1);
    if bounded.read_until(b'\n', line)? == 0 {
        return Ok(Some(false));
    }
    Ok(line.pop_if(|byte| *byte == b'\n').map(|_| true))
}

/// Holds the policies and schemas against their hashes, and against those by which was decided.
fn policies(
    files: &Files,
    manifest: &Manifest,
    in_force: &BTreeSet<String>,
    facts: &mut Facts,
) -> Result<(), Flaw> {
    let mut folders: BTreeMap<&str, Vec<(&str, &Entry)>> = BTreeMap::new();
    for entry in &files.entries {
        let Some(path) = entry.name.strip_prefix("policies/") else {
            continue;
        };
        match path.split_once('/') {
            Some((hash, file)) if !file.contains('/') => {
                folders.entry(hash).or_default().push((file, entry));
            }
            _ => return flaw(format!("`{}` does not belong to it", entry.name)),
        }
    }
    let mut absent = in_force.clone();
    for (hash, entries) in folders {
        let mut texts = HashMap::new();
        let mut room = POLICY_BYTES_MAX;
        for (name, entry) in &entries {
            let Some(bytes) = files.read(entry, room)? else {
                return flaw(format!("`{}` is larger than a policy is", entry.name));
            };
            room -= entry.bytes;
            texts.insert(*name, bytes);
        }
        let is_schema = texts.contains_key(SCHEMA);
        if policies::hash_of(&texts) != hash {
            let what = if is_schema { "schema" } else { "policy" };
            return flaw(format!("`policies/{hash}` is not the {what} of that hash"));
        }
        if !absent.remove(&format!("sha256:{hash}")) {
            return flaw(format!("by `policies/{hash}` nothing of this was decided"));
        }
        let names = entries.iter().filter(|(name, _)| *name != DETECTORS);
        facts.policies.push(PolicyFacts {
            hash: format!("sha256:{hash}"),
            is_schema,
            files: names.map(|(name, _)| (*name).to_owned()).collect(),
        });
    }
    match manifest.absent.iter().eq(absent.iter()) {
        true => Ok(()),
        false => flaw(format!(
            "`{MANIFEST}` says of other policies that they are absent"
        )),
    }
}
