//! What bundles promise.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::filter::Report;
use crate::reason::Outcome;

use super::super::folder::{segment_name, segments};
use super::super::note::{Checkpoint, SigningKey, VerifierKey};
use super::super::query::Query;
use super::super::signing::key_text;
use super::super::tests::{arrival, close, decided, new_record, operation, options, raw};
use super::super::tree::Tree;
use super::super::{Log, Options, PolicyStamp, Record};
use super::archive::{self, Files, Writer};
use super::manifest::{Listed, MANIFEST, Manifest, read, written};
use super::*;

mod answers;
mod attacks;
mod hostile;
mod made;
mod random;
mod rotated;

/// A log that is signed, in a folder of its own.
struct Signed {
    dir: TempDir,
    key: SigningKey,
    /// The key before that one, and the number of the event that says so.
    before: Option<(SigningKey, u64)>,
    /// The numbers of the events that closed requests.
    requests: Vec<u64>,
    last: u64,
}

/// What a log is like.
#[derive(Clone, Debug)]
struct Shape {
    requests: usize,
    /// Before which segments there is a gap.
    gaps: Vec<usize>,
    /// Events behind the last checkpoint.
    unsigned: u64,
    stamp: Option<PolicyStamp>,
    /// With which segment a new key takes the place of the one before.
    rotates: Option<usize>,
}

impl Shape {
    fn of(requests: usize) -> Self {
        Self {
            requests,
            gaps: Vec::new(),
            unsigned: 0,
            stamp: None,
            rotates: None,
        }
    }
}

/// Requests of three callers, in small segments.
async fn requests(dir: &Path, shape: &Shape) {
    let log = Log::open(Options {
        segment_bytes_max: 4_000,
        ..options(dir)
    })
    .unwrap();
    for number in 0..shape.requests {
        let record = match &shape.stamp {
            Some(stamp) => Record::new(&log, arrival(stamp)),
            None => new_record(&log),
        };
        if number % 4 == 3 {
            let _ = close(record).await.unwrap();
            continue;
        }
        let mut record = decided(record, &operation("Contacts", &[]));
        let _opened = record.open([]).await.unwrap();
        let report = Report {
            refs: super::super::tests::refs(number % 3 + 1),
            records: number as u64 % 3 + 1,
            ..Report::default()
        };
        let closed = record.close(report, Outcome::Full, 200).await;
        let _ = closed.unwrap();
    }
    log.stop().unwrap();
}

const CALLERS: [(&str, &str); 3] = [
    ("9b1f", "fanny"),
    ("a1", "<b>amal</b>"),
    ("z", "zoé \u{202e}x"),
];

/// The text of one line behind another.
fn bound(mut event: Value, seq: u64, prev: &[u8; 32]) -> String {
    event["seq"] = seq.into();
    event["prev"] = format!("sha256:{}", hex(prev)).into();
    if event.get("caller").is_some() {
        let (id, name) = CALLERS[seq as usize % 3];
        (event["caller"]["id"], event["caller"]["name"]) = (id.into(), name.into());
    }
    let sorted: BTreeMap<String, Value> = match event {
        Value::Object(map) => map.into_iter().collect(),
        other => panic!("{other}"),
    };
    serde_json::to_string(&sorted).unwrap()
}

impl Signed {
    /// Writes a log of this shape as a process that signs does: with `audit.segment` where each segment begins, and checkpoints.
    async fn new(shape: &Shape) -> Self {
        let (dir, unsigned) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        requests(unsigned.path(), shape).await;
        let (key, _) = SigningKey::generate("paravent").unwrap();
        let mut before = None;
        let (mut tree, mut from, mut id) = (Tree::default(), 1, log_id(0));
        let (mut seq, mut prev) = (0, [0; 32]);
        let mut requests = Vec::new();
        let mut trees: Trees = Vec::new();
        for (at, first) in segments(unsigned.path()).unwrap().into_iter().enumerate() {
            let text = fs::read_to_string(unsigned.path().join(segment_name(first))).unwrap();
            let mut events: Vec<Value> = Vec::new();
            let time = "2026-11-28T10:00:00.000Z";
            if shape.gaps.contains(&at) {
                // Two events are missing.
                let head = format!("sha256:{}", "ab".repeat(32));
                events.push(json!({"event": "audit.gap", "id": format!("01GAP{at}"), "last_hash": head,
                    "last_seq": seq + 2, "node": "n", "refused": 0, "time": time, "v": 2, "why": "end-missing"}));
                (seq, prev) = (seq + 2, [0xab; 32]);
                (tree, from, id) = (Tree::default(), seq + 1, log_id(at));
            }
            let edge: Vec<String> = tree.edge().iter().map(|hash| hex(hash)).collect();
            events.push(json!({"event": "audit.segment", "from": from, "id": format!("01SEG{at}"), "log": id,
                "node": "n", "time": time, "tree": edge, "v": 2}));
            if shape.rotates == Some(at) {
                let (old, _) = SigningKey::generate("paravent").unwrap();
                let place = json!({"id": format!("01KEY{at}"), "node": "n", "time": time, "v": 2});
                events.push(rotation(&old, &key, &id, place));
                before = Some((old, seq + events.len() as u64));
            }
            let lines = text.lines();
            let written = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
            // What the process says of its own log does not hold of this one.
            events.extend(written.filter(|event| event["event"] != "audit.segment"));
            let name = dir.path().join(segment_name(seq + 1));
            let mut lines = String::new();
            for event in events {
                seq += 1;
                requests.extend((event["phase"] == "closed").then_some(seq));
                let line = bound(event, seq, &prev);
                prev = leaf(line.as_bytes());
                tree.push(prev);
                match trees.last_mut().filter(|(log, ..)| *log == id) {
                    Some((.., states)) => states.push(tree.clone()),
                    None => trees.push((id.clone(), from, vec![tree.clone()])),
                }
                lines.push_str(&line);
                lines.push('\n');
            }
            fs::write(name, lines).unwrap();
        }
        let signed = Self {
            dir,
            key,
            before,
            requests,
            last: seq,
        };
        signed.sign(&trees, shape.unsigned);
        signed
    }

    /// Signs each log twice: near its beginning and near its end.
    fn sign(&self, trees: &Trees, unsigned: u64) {
        for folder in ["checkpoints", "keys", "spool"] {
            fs::create_dir_all(self.path().join(folder)).unwrap();
        }
        let keys = self.before.iter().map(|(key, _)| key);
        for key in keys.chain([&self.key]).map(SigningKey::public) {
            let name = format!("{}.pub", key.id_text());
            fs::write(self.path().join("keys").join(name), format!("{key}\n")).unwrap();
        }
        for (log, from, states) in trees {
            for size in [states.len() / 2, states.len() - unsigned as usize] {
                let last = from + size as u64 - 1;
                let before = self.before.as_ref().filter(|(_, seq)| last < *seq);
                let key = before.map_or(&self.key, |(key, _)| key);
                self.checkpoint(key, log, &states[size - 1]);
            }
        }
    }

    fn checkpoint(&self, key: &SigningKey, log: &str, tree: &Tree) -> PathBuf {
        let text = signed(key, log, tree);
        let name = format!("{:016}.{}.checkpoint", tree.size(), &log[..8]);
        let path = self.path().join("checkpoints").join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.key.public().clone()]
    }

    fn out(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Makes a bundle.
    fn export(&self, name: &str, wish: &Wish<'_>) -> Result<Exported, ExportError> {
        wish.export(self.path(), &self.out(name))
    }

    /// Makes one that is sound, and says what is said of it.
    fn exported(&self, name: &str, wish: &Wish<'_>) -> Verified {
        self.export(name, wish).unwrap();
        match verify(&self.out(name), &self.keys(), &[]).unwrap() {
            Verdict::Whole(verified) => *verified,
            Verdict::Altered(flaws) => panic!("{flaws:?}"),
        }
    }
}

/// The trees of each log after each of its events, with its id and the number of its first event.
type Trees = Vec<(String, u64, Vec<Tree>)>;

/// What says that a key took the place of another one.
fn rotation(old: &SigningKey, new: &SigningKey, log: &str, mut event: Value) -> Value {
    let (key, previous) = (new.public().to_string(), old.public().to_string());
    let text = key_text(&format!("paravent/{log}/n"), &key, Some(&previous));
    let signed = |key: &SigningKey| STANDARD.encode(key.signature(text.as_bytes()));
    event["event"] = "audit.key".into();
    (event["key"], event["previous"]) = (key.into(), previous.into());
    event["signatures"] = json!([signed(new), signed(old)]);
    event
}

fn log_id(number: usize) -> String {
    format!("{number:08x}{}", "5a".repeat(12))
}

/// A checkpoint of a tree.
fn signed(key: &SigningKey, log: &str, tree: &Tree) -> String {
    let checkpoint = Checkpoint {
        origin: format!("paravent/{log}/n"),
        size: tree.size(),
        root: tree.root(),
    };
    key.sign(&checkpoint.text())
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
struct Wish<'a> {
    words: &'a [&'a str],
    complete: bool,
    unsigned: bool,
    lang: Lang,
    checkpoints: &'a [(PathBuf, String)],
}

impl<'a> Wish<'a> {
    fn of(words: &'a [&'a str]) -> Self {
        Self {
            words,
            ..Self::default()
        }
    }

    fn complete(words: &'a [&'a str]) -> Self {
        Self {
            complete: true,
            ..Self::of(words)
        }
    }

    fn export(&self, dir: &Path, out: &Path) -> Result<Exported, ExportError> {
        let words: Vec<String> = self.words.iter().map(|word| (*word).to_owned()).collect();
        let query = Query::parse(self.words.iter().copied(), jiff::Timestamp::UNIX_EPOCH).unwrap();
        let asked = Asked {
            query: &query,
            words: &words,
            purpose: "case <2026-17> & more",
            checkpoints: self.checkpoints,
            complete: self.complete,
            unsigned: self.unsigned,
            lang: self.lang,
            at: "2026-11-29T10:00:00.000Z",
            by: "auditor",
            uid: 1_000,
            program: "1.2.3",
        };
        export(dir, out, &asked)
    }
}

/// The files of a bundle, by name, in their order.
type Taken = Vec<(String, Vec<u8>)>;

fn opened(path: &Path) -> Files {
    match archive::open(fs::File::open(path).unwrap()) {
        Ok(files) => files,
        Err(error) => panic!("{error:?}"),
    }
}

fn taken(path: &Path) -> Taken {
    let files = opened(path);
    let entries = files.entries.iter();
    entries
        .map(|entry| {
            (
                entry.name.clone(),
                files.read(entry, u32::MAX).unwrap().unwrap(),
            )
        })
        .collect()
}

fn file<'t>(taken: &'t mut Taken, name: &str) -> &'t mut Vec<u8> {
    let found = taken.iter_mut().find(|(known, _)| known.starts_with(name));
    &mut found.unwrap_or_else(|| panic!("no {name}")).1
}

/// Packs files.
fn pack(taken: &Taken, out: &Path) {
    let _ = fs::remove_file(out);
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(out)
        .unwrap();
    let mut writer = Writer::new(file).unwrap();
    for (name, bytes) in taken {
        writer.add_bytes(name, bytes).unwrap();
    }
    writer.finish().unwrap();
}

/// Packs files as somebody does who knows the format: with a manifest that lists what is there, changed at will.
fn reseal(mut taken: Taken, out: &Path, change: impl FnOnce(&mut Manifest)) {
    let at = taken.iter().position(|(name, _)| name == MANIFEST).unwrap();
    let (_, bytes) = taken.remove(at);
    let mut manifest: Manifest = read(&bytes).unwrap();
    let hash = |bytes: &[u8]| hex(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref());
    let listed = taken.iter().map(|(name, bytes)| Listed {
        bytes: bytes.len() as u64,
        name: name.clone(),
        sha256: hash(bytes),
    });
    manifest.files = listed.collect();
    change(&mut manifest);
    taken.push((MANIFEST.to_owned(), written(&manifest)));
    pack(&taken, out);
}

/// Why a bundle is not valid.
fn flaws(path: &Path, keys: &[VerifierKey]) -> Vec<String> {
    match verify(path, keys, &[]).unwrap() {
        Verdict::Altered(flaws) => flaws,
        Verdict::Whole(found) => panic!("valid: {found:?}"),
    }
}
