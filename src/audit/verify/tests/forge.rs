//! Makes logs line by line, as the writer does and as somebody does who tampers with one and knows how.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::hex::hex;

use super::super::super::format::brief::Terms;
use super::super::super::note::{Checkpoint, SigningKey};
use super::super::super::tree::{Hash, Tree};
use super::super::event::leaf;

/// Numbers by chance that are the same whenever they begin with the same seed.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 below another one.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number between two, both included.
    pub(super) fn within(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }
}

/// A key that is always the same for the same number.
pub(super) fn signing_key(number: u8) -> SigningKey {
    let seed = [number; 32];
    let public = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let mut named = b"paravent\n\x01".to_vec();
    named.extend_from_slice(public.public_key().as_ref());
    let id = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &named);
    let id: String = id.as_ref()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let material = STANDARD.encode([&[1], seed.as_slice()].concat());
    SigningKey::parse(&format!("PRIVATE+KEY+paravent+{id}+{material}")).unwrap()
}

/// A folder of a log, in memory: files by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Writes a log.
#[derive(Clone)]
pub(super) struct Forge {
    pub(super) files: Files,
    /// The LOGID; empty while no identity was begun.
    pub(super) log: String,
    /// The number of the event that is leaf 0.
    pub(super) from: u64,
    /// All leaves, that of event 1 first. Those of events that are missing are zeros.
    pub(super) leaves: Vec<Hash>,
    pub(super) version: u8,
    /// The names of the segments, in order.
    pub(super) segments: Vec<u64>,
    terms: Vec<String>,
    clock: u64,
}

impl Forge {
    pub(super) fn new(version: u8) -> Self {
        Self {
            files: Files::new(),
            log: String::new(),
            from: 1,
            leaves: Vec::new(),
            version,
            segments: Vec::new(),
            terms: Vec::new(),
            clock: 0,
        }
    }

    pub(super) fn seq(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn file(&self) -> String {
        name(*self.segments.last().unwrap())
    }

    /// Begins a segment, without saying anything in it.
    pub(super) fn bare_segment(&mut self) {
        self.segments.push(self.seq() + 1);
        self.terms.clear();
        self.files.insert(self.file(), Vec::new());
    }

    /// Begins a segment and says to which tree it belongs: of a new identity, if one is given.
    pub(super) fn segment(&mut self, log: Option<&str>) {
        self.bare_segment();
        if let Some(log) = log {
            self.log = log.to_owned();
        }
        self.state();
    }

    /// Begins a segment behind a gap in which so many events are missing, with a new identity.
    pub(super) fn gap(&mut self, missing: u64, log: &str) {
        let last = self.leaves.last().copied().unwrap_or_default();
        for number in 0..missing {
            let mut lost = last;
            lost[0] ^= u8::try_from(number).unwrap() + 1;
            self.leaves.push(lost);
        }
        let (last_seq, last) = (self.seq(), self.leaves.last().copied().unwrap_or_default());
        self.bare_segment();
        self.notice(json!({
            "event": "audit.gap", "last_seq": last_seq, "last_hash": format!("sha256:{}", hex(&last)),
            "refused": 0, "why": "end-missing",
        }));
        (self.log, self.from) = (log.to_owned(), last_seq + 1);
        self.state();
    }

    /// The tree over the events from one on, up to another.
    pub(super) fn tree(&self, size: u64) -> Tree {
        let from = usize::try_from(self.from - 1).unwrap();
        Tree::of(&self.leaves[from..from + usize::try_from(size).unwrap()])
    }

    pub(super) fn size(&self) -> u64 {
        self.seq() + 1 - self.from
    }

    pub(super) fn state(&mut self) {
        let edge: Vec<_> = self
            .tree(self.size())
            .edge()
            .iter()
            .map(|hash| hex(hash))
            .collect();
        let (log, from) = (self.log.clone(), self.from);
        self.notice(json!({"event": "audit.segment", "from": from, "log": log, "tree": edge}));
    }

    /// A notice of what was given.
    pub(super) fn notice(&mut self, details: Value) {
        let mut event = details.as_object().unwrap().clone();
        if !event.contains_key("id") {
            event.insert("id".to_owned(), json!(self.id()));
        }
        self.event(event);
    }

    fn id(&self) -> String {
        format!("01KAPW3T9X{:016}", self.seq() + 1)
    }

    /// Adds an event in its place.
    pub(super) fn event(&mut self, mut event: Map<String, Value>) {
        self.clock += 37;
        let prev = self.leaves.last().copied().unwrap_or_default();
        let (seconds, milliseconds) = (self.clock / 1000, self.clock % 1000);
        let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
        let time = format!(
            "2026-11-{:02}T{hours:02}:{minutes:02}:{:02}.{milliseconds:03}Z",
            1 + seconds / 86400 % 28,
            seconds % 60
        );
        event.insert("node".to_owned(), json!("par-1a"));
        event.insert("prev".to_owned(), json!(format!("sha256:{}", hex(&prev))));
        event.insert("seq".to_owned(), json!(self.seq() + 1));
        event.insert("time".to_owned(), json!(time));
        event.insert("v".to_owned(), json!(self.version));
        event.sort_keys();
        self.line(&Value::Object(event).to_string());
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.leaves.push(leaf(line.as_bytes()));
        let file = self.file();
        let text = self.files.get_mut(&file).unwrap();
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }

    /// Puts a key in force.
    pub(super) fn key(&mut self, key: &SigningKey, previous: Option<&SigningKey>) {
        let line = key.public().to_string();
        let before = previous.map(|key| key.public().to_string());
        let text = format!(
            "paravent audit key\nparavent/{}/par-1a\n{line}\n{}\n",
            self.log,
            before.as_deref().unwrap_or_default()
        );
        let signers = [Some(key), previous];
        let signatures = signers.into_iter().flatten();
        let signatures = signatures.map(|key| STANDARD.encode(key.signature(text.as_bytes())));
        let signatures: Vec<_> = signatures.collect();
        self.notice(json!({
            "event": "audit.key", "key": line, "previous": before, "signatures": signatures,
        }));
    }

    /// A checkpoint of the first events of the identity.
    pub(super) fn checkpoint(&self, size: u64, key: &SigningKey) -> String {
        let checkpoint = Checkpoint {
            origin: format!("paravent/{}/par-1a", self.log),
            size,
            root: self.tree(size).root(),
        };
        key.sign(&checkpoint.text())
    }

    /// Leaves a checkpoint in the folder.
    pub(super) fn keep_checkpoint(&mut self, size: u64, key: &SigningKey) {
        let name = format!("checkpoints/{size:016}.{}.checkpoint", &self.log[..8]);
        let note = self.checkpoint(size, key);
        self.files.insert(name, note.into_bytes());
    }

    /// Removes the first segments, and keeps their leaves.
    pub(super) fn prune(&mut self, count: usize) {
        let gone: Vec<_> = self.segments.drain(..count).collect();
        let ends = gone.iter().skip(1).chain(self.segments.first());
        let ranges: Vec<_> = gone
            .iter()
            .zip(ends)
            .map(|(first, next)| (*first, next - 1))
            .collect();
        let (first, last) = (ranges[0].0, ranges[count - 1].1);
        self.notice(json!({
            "bytes": 1, "event": "audit.pruned", "first_seq": first, "keep": "365d", "last_seq": last,
            "segments": count, "why": "older than `audit.keep`",
        }));
        for (first, last) in ranges {
            let kept = (first - 1) as usize..last as usize;
            let leaves = self.leaves[kept].concat();
            self.files.insert(leaves_name(first, last), leaves);
            self.files.remove(&name(first));
        }
    }

    /// An event of a request, and its terms where its segment has not said them.
    pub(super) fn request(&mut self, chance: &mut Chance) {
        if self.version == 1 {
            return self.request_in_full(chance);
        }
        let terms = terms(chance.below(12));
        let id = Terms::id_of(&terms.to_string());
        if !self.terms.contains(&id) {
            self.terms.push(id.clone());
            self.notice(json!({"event": "terms", "id": id, "terms": terms}));
        }
        let count = [1, 1, 1, 5, 20][chance.below(5) as usize];
        let refs: Vec<_> = (0..count)
            .map(|_| format!("{:08x}-4b1c-11ee-be56-0242ac120002", chance.next() as u32))
            .collect();
        let caller = chance.below(40);
        let phase = match chance.below(20) {
            0 => "opened",
            _ => "closed",
        };
        let mut event = json!({
            "auth": {"age_seconds": chance.below(900), "method": "crm-session"},
            "caller": {"id": format!("{caller:x}9b1f"), "kind": "human", "name": format!("user{caller} \u{e9}")},
            "counts": [[0, chance.below(9) + 21]],
            "id": self.id(),
            "origin": {"ip": format!("10.2.{}.0/24", chance.below(200))},
            "outcome": {"kind": "partial", "milliseconds": chance.below(80), "status": 200, "upstream_milliseconds": chance.below(60)},
            "phase": phase,
            "records": {"count": count, "refs": {"Contacts": refs}},
            "request": {"action": "list", "dialect": "sugar-rest", "module": "Contacts", "route": "GET /rest/{version}/{module}", "upstream": "sugar"},
            "terms": id,
        });
        if phase == "opened" {
            event.as_object_mut().unwrap().remove("outcome");
        }
        self.event(event.as_object().unwrap().clone());
    }

    fn request_in_full(&mut self, chance: &mut Chance) {
        let event = json!({
            "auth": null, "caller": null, "data": [], "dropped_masks": [], "id": self.id(),
            "origin": {"ip": format!("10.2.{}.0/24", chance.below(200))},
            "outcome": {"kind": "denied", "milliseconds": chance.below(80), "reason": "no-role", "status": 403, "upstream_milliseconds": null},
            "part_of": null, "phase": "closed",
            "policy": {"hash": "sha256:5d41", "mode": "enforce", "name": "sugarcrm-eu"},
            "purpose": null,
            "records": {"count": 0, "refs": [], "withheld": {"consent": 0, "retention": 0, "row": 0}},
            "request": {"action": "list", "asked": [], "dialect": "sugar-rest", "matched": [], "module": "Contacts", "route": null, "sorted": [], "trace": null, "written": []},
        });
        self.event(event.as_object().unwrap().clone());
    }

    pub(super) fn requests(&mut self, until_seq: u64, chance: &mut Chance) {
        while self.seq() < until_seq {
            self.request(chance);
        }
    }
}

/// The lines of a file, without their newlines.
pub(super) fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<_> = file
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(lines.pop().as_deref(), Some(&b""[..]));
    lines
}

/// A file of lines.
pub(super) fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_slice(), b"\n"])
        .flatten()
        .copied()
        .collect()
}

pub(super) fn name(first_seq: u64) -> String {
    format!("audit-{first_seq:016}.jsonl")
}

pub(super) fn leaves_name(first: u64, last: u64) -> String {
    format!("pruned/leaves-{first:016}-{last:016}.bin")
}

/// Puts files in a folder.
pub(super) fn write(files: &Files, dir: &Path) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn terms(kind: u64) -> Value {
    let fields = |count| {
        (0..count)
            .map(|at| format!("Contacts.field_{kind}_{at}_c"))
            .collect::<Vec<_>>()
    };
    json!({
        "asked": ["Contacts.iban_c"],
        "data": [
            {"by": ["iban-for-payment"], "category": "financial.iban", "fields": ["Contacts.iban_c"], "level": "clear"},
            {"by": ["defaults.unclassified"], "fields": fields(20), "level": "redact"},
            {"by": ["no-special-categories"], "category": "special.belief", "fields": fields(3), "level": "hide"},
        ],
        "policy": {"hash": "sha256:5d41", "mode": "enforce", "name": "sugarcrm-eu", "schema": "stock:sugar-rest"},
        "purpose": {"basis": "legal-obligation", "chosen_by": "default", "id": "payment"},
        "roles": ["finance"],
    })
}

/// Goes on behind some lines of a log with other ones, as they come, with a correct chain and correct statements: what somebody
/// writes who covers his tracks. `lines` are all lines of the log; `change` may change an event before it is put in its place.
pub(super) fn rewritten(
    log: &Forge,
    from_seq: u64,
    change: &mut dyn FnMut(u64, &mut Map<String, Value>) -> bool,
) -> Forge {
    let mut forged = Forge::new(log.version);
    (forged.log, forged.from) = (log.log.clone(), log.from);
    for first_seq in &log.segments {
        let lines = lines(&log.files[&name(*first_seq)]);
        let mut begins = Some(*first_seq);
        for (at, line) in lines.iter().enumerate() {
            let seq = first_seq + at as u64;
            let mut event: Map<String, Value> = serde_json::from_slice(line).unwrap();
            if seq >= from_seq && !change(seq, &mut event) {
                continue;
            }
            if begins.take().is_some() {
                forged.bare_segment();
            }
            if seq < from_seq {
                forged.line(std::str::from_utf8(line).unwrap());
                continue;
            }
            if event.get("event") == Some(&json!("audit.segment")) && !event.contains_key("forged")
            {
                let edge = forged.tree(forged.size());
                event["tree"] = edge
                    .edge()
                    .iter()
                    .map(|hash| hex(hash))
                    .collect::<Vec<_>>()
                    .into();
            }
            event.remove("forged");
            let prev = forged.leaves.last().copied().unwrap_or_default();
            event["prev"] = json!(format!("sha256:{}", hex(&prev)));
            event["seq"] = json!(forged.seq() + 1);
            forged.line(&Value::Object(event).to_string());
        }
    }
    forged
}
