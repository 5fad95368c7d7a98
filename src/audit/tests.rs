//! The promises of the log as a whole: nothing acknowledged is ever missing, the chain never breaks, and nothing that
//! a caller chose gets in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::dialect::{
    Access, Operation, Path as FieldOf, Predicate, Projected, Query as Asked, Rendering, Session,
    Sort,
};
use crate::filter::Report;
use crate::identity::Caller;
use crate::policy::PurposeChosen;
use crate::reason::{Outcome, Reason};
use crate::vocabulary::{Action, Edit, Edits, FieldPath, Level, Module, Purpose, RecordRef, Role};
use crate::writeback::Settled;

use super::chain::Lines;
use super::disclosure::tests::{report, rule};
use super::folder::{Disk, Durable, Folder, SetAside, parts, segments};
use super::gap::Loss;
use super::*;

pub(super) fn stamp() -> PolicyStamp {
    PolicyStamp {
        name: Arc::from("sugarcrm-eu"),
        hash: Arc::from("sha256:5d41"),
        schema: Arc::from("stock:sugar-rest"),
    }
}

pub(super) fn policy_loaded(classified: &Classified) -> Event {
    let stamp = stamp();
    let loaded = Loaded {
        name: &stamp.name,
        hash: &stamp.hash,
        previous: None,
        schemas: Vec::new(),
    };
    Event::policy_loaded(&loaded, classified, By::Start)
}

mod compressed;
mod format;
mod identity;
mod retention;
mod sharing;
mod signed;
mod terms;
mod versions;
mod watched;

/// A log in a folder, with its state in the same one.
pub(super) fn options(dir: &Path) -> Options {
    Options::new(dir, &dir.join("state"))
}

pub(super) fn new_record(log: &Log) -> Record {
    record_of(log, "crm")
}

/// The record of a request to a CRM.
pub(super) fn record_of(log: &Log, upstream: &str) -> Record {
    let stamp = stamp();
    let arrival = Arrival {
        upstream,
        ..arrival(&stamp)
    };
    Record::new(log, arrival)
}

pub(super) fn arrival(policy: &PolicyStamp) -> Arrival<'_> {
    Arrival {
        origin: [10, 2, 14, 77].into(),
        policy,
        observes: false,
        upstream: "crm",
        dialect: "sugar-rest",
        route: None,
        trace: None,
    }
}

/// The same once it was decided for fanny, where all names are known.
pub(super) fn decided(record: Record, operation: &Operation) -> Record<Decided> {
    let meaning = Meaning {
        operation,
        knows_field: &|_| true,
        knows_module: &|_| true,
    };
    let record = record.identified(Some(&fanny()));
    record.decided((&[], None), meaning)
}

/// One that is closed without having disclosed anything.
pub(super) async fn close(record: Record) -> Result<Closed, AuditUnavailable> {
    let record = decided(record, &operation("Contacts", &[]));
    record.close(Report::default(), Outcome::Full, 200).await
}

pub(super) fn fanny() -> Caller {
    let session = Session {
        id: "9b1f".to_owned(),
        name: "fanny".to_owned(),
        kind: "user".to_owned(),
        roles: vec!["Finance".to_owned()],
        teams: Vec::new(),
    };
    Caller::from_session(session, Duration::from_secs(240))
}

/// `GET /rest/v11_24/{module}/{id}` with fields, matched by and sorted by others.
pub(super) fn operation(module: &str, fields: &[&str]) -> Operation {
    let path = |field: &str| FieldOf {
        link: None,
        field: field.to_owned(),
    };
    let field = |name: &&str| Projected::Field((*name).to_owned());
    let matched = |name: &&str| Predicate::Field {
        path: path(name),
        operator: None,
        value: json!("CANARY-VALUE"),
    };
    let sorted = |name: &&str| Sort {
        path: path(name),
        descending: false,
    };
    Operation {
        action: Action::Read,
        access: Access::Governed,
        route: "GET /rest/{version}/{module}/{id}",
        version: "v11_24".to_owned(),
        credential: None,
        of_caller: false,
        module: Some(Module::new(module)),
        record: Some("CANARY-ID".to_owned()),
        link: None,
        related: Vec::new(),
        around: Vec::new(),
        query: Asked {
            projection: Some(fields.iter().map(field).collect()),
            predicate: Some(Predicate::All(fields.iter().map(matched).collect())),
            order: fields.iter().map(sorted).collect(),
            search: Some("CANARY-SEARCH".to_owned()),
            ..Asked::default()
        },
        write: Some(
            fields
                .iter()
                .map(|name| ((*name).to_owned(), json!("CANARY-VALUE")))
                .collect(),
        ),
        rendering: Rendering {
            form: "record",
            method: Method::GET,
            path: "/rest/v11_24/CANARY".to_owned(),
            controls: Vec::new(),
            in_body: false,
            fixed: Map::new(),
        },
    }
}

pub(super) fn refs(count: usize) -> Vec<RecordRef> {
    let id = |number| Arc::from(format!("c-{number}"));
    (1..=count)
        .map(|number| RecordRef {
            module: Module::new("Contacts"),
            id: id(number),
        })
        .collect()
}

/// Every event but those that say terms or begin a segment, in full, in order.
pub(super) fn lines(dir: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    let summary = events(dir, &mut |found| {
        let event = found.json();
        if event["event"] != "audit.segment" {
            all.push(event);
        }
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((summary.unreadable_lines, summary.later_lines), (0, 0));
    all
}

/// Every line of every segment, in order, as it stands there.
pub(super) fn raw(dir: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for first_seq in segments(dir).unwrap() {
        let mut lines = Lines::of_segment(dir, first_seq).unwrap();
        while lines.next().unwrap().is_some() {
            all.push(serde_json::from_slice(&lines.line).unwrap());
        }
    }
    all
}

/// How many lines hold an event of this name.
fn count_of(dir: &Path, name: &str) -> u64 {
    let all = raw(dir);
    all.iter().filter(|event| event["event"] == name).count() as u64
}

fn verified(dir: &Path) -> Verified {
    identity::tree_of_lines(dir);
    verify(dir, &mut |_| {}).unwrap()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn write_requests(log: &Log, count: usize) {
    for _ in 0..count {
        let _ = close(new_record(log)).await.unwrap();
    }
}

#[tokio::test]
async fn the_chain_goes_on_over_restarts_and_segments() {
    let dir = TempDir::new().unwrap();
    for _ in 0..3 {
        let log = Log::open(Options {
            segment_bytes_max: 2_000,
            ..options(dir.path())
        })
        .unwrap();
        assert!(log.healthy());
        write_requests(&log, 10).await;
        log.stop().unwrap();
        assert!(!log.healthy());
        assert!(
            log.write(Event::policy_rejected(None, &[], By::Watch))
                .await
                .is_err()
        );
    }
    let verified = verified(dir.path());
    let terms = count_of(dir.path(), "terms");
    assert!(
        terms > 3 && terms <= verified.segments as u64 + 3,
        "{terms}"
    );
    let begun = count_of(dir.path(), "audit.segment");
    assert_eq!(begun, verified.segments as u64);
    assert_eq!(verified.events, 3 * (10 + 2) + terms + begun);
    assert!(verified.segments > 3);
    assert!(verified.set_aside.is_empty());
    let events: Vec<_> = lines(dir.path())
        .iter()
        .filter_map(|line| Some(line.get("event")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(events, ["audit.started", "audit.stopped"].repeat(3));
}

#[test]
fn a_second_writer_is_turned_away_whatever_happens_to_names() {
    let outer = TempDir::new().unwrap();
    let dir = outer.path().join("log");
    let log = Log::open(options(&dir)).unwrap();
    let moved = outer.path().join("moved");
    let linked = outer.path().join("linked");
    std::os::unix::fs::symlink(&dir, &linked).unwrap();
    let turned_away = |dir: &Path| {
        let error = Log::open(options(dir)).unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    };
    turned_away(&dir);
    turned_away(&linked);
    // The file that earlier versions locked: removed, made anew, moved away, and another in its place.
    let lock = dir.join("lock");
    let _ = fs::remove_file(&lock);
    turned_away(&dir);
    fs::write(&lock, "").unwrap();
    turned_away(&dir);
    fs::rename(&lock, dir.join("elsewhere")).unwrap();
    turned_away(&dir);
    fs::write(&lock, "other").unwrap();
    turned_away(&dir);
    fs::rename(&dir, &moved).unwrap();
    turned_away(&moved);
    fs::rename(&moved, &dir).unwrap();
    log.stop().unwrap();
    Log::open(options(&dir)).unwrap();
}

#[test]
fn only_the_owner_may_enter() {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = TempDir::new().unwrap();
    let dir = outer.path().join("a/b");
    let log = Log::open(options(&dir)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("audit-0000000000000001.jsonl")), 0o600);
    log.stop().unwrap();
}

#[tokio::test]
async fn a_line_torn_at_any_byte_is_set_aside_and_the_chain_goes_on() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 2).await;
    log.stop().unwrap();
    let name = folder::segment_name(1);
    let whole = fs::read(dir.path().join(&name)).unwrap();
    let body = &whole[..whole.len() - 1];
    let start = memchr::memrchr(b'\n', body).unwrap() + 1;
    let acknowledged = raw(dir.path()).len() as u64 - 1;
    for end in start..whole.len() {
        let torn = TempDir::new().unwrap();
        fs::write(torn.path().join(&name), &whole[..end]).unwrap();
        let log = Log::open(options(torn.path())).unwrap();
        log.stop().unwrap();
        let verified = verified(torn.path());
        if end == start {
            assert_eq!(verified.events, acknowledged + 2);
            continue;
        }
        assert_eq!(verified.events, acknowledged + 3, "torn at {end}");
        assert_eq!(verified.set_aside, ["torn-0000000000000001-1.part"]);
        let part = fs::read(torn.path().join(&verified.set_aside[0])).unwrap();
        assert_eq!(part, &whole[start..end]);
        let recovered = &raw(torn.path())[usize::try_from(acknowledged).unwrap()];
        assert_eq!(recovered["event"], "audit.recovered");
        assert_eq!(recovered["bytes"], part.len());
    }
}

#[tokio::test]
async fn zeros_left_by_a_power_cut_are_set_aside_but_not_in_front_of_events() {
    for (share, opens) in [(2, false), (1, true)] {
        let dir = TempDir::new().unwrap();
        let log = Log::open(options(dir.path())).unwrap();
        write_requests(&log, 3).await;
        log.stop().unwrap();
        let path = dir.path().join(folder::segment_name(1));
        let mut bytes = fs::read(&path).unwrap();
        let (half, whole) = (bytes.len() / 2, bytes.len());
        bytes[half..half + (whole - half) / share].fill(0);
        fs::write(&path, &bytes).unwrap();
        // Nothing says that these events had been on disk.
        fs::remove_dir_all(dir.path().join("state")).unwrap();
        let log = Log::open(options(dir.path()));
        assert_eq!(log.is_ok(), opens);
        if let Ok(log) = log {
            log.stop().unwrap();
            assert_eq!(verified(dir.path()).set_aside.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_log_that_was_tampered_with_does_not_open() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 3).await;
    log.stop().unwrap();
    let path = dir.path().join(folder::segment_name(1));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"status\":200", "\"status\":201", 1)).unwrap();
    let error = Log::open(options(dir.path())).unwrap_err();
    assert!(
        matches!(error, OpenError::Damaged { seq: 5, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("move it away"), "{error}");
}

#[tokio::test]
async fn events_of_a_later_format_are_refused_by_their_version_and_never_set_aside() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 3).await;
    log.stop().unwrap();
    let path = dir.path().join(folder::segment_name(1));
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let later = |from: usize| {
        let later = lines[from..].iter();
        let later = later.map(|line| line.replace("\"v\":2}", "\"v\":3}"));
        let all: Vec<String> = lines[..from]
            .iter()
            .map(|line| (*line).to_owned())
            .chain(later)
            .collect();
        all.join("\n")
    };
    let last = lines.len() - 1;
    // One at the end, with its newline and torn just before it; several; all.
    for (from, end) in [(last, "\n"), (last, ""), (2, "\n"), (0, "\n")] {
        let text = later(from) + end;
        fs::write(&path, &text).unwrap();
        let seq = from as u64 + 1;
        let error = Log::open(options(dir.path())).unwrap_err();
        assert!(
            matches!(error, OpenError::Later { seq: at, version: 3, .. } if at == seq),
            "{error}"
        );
        assert!(error.to_string().contains("format 3"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "nothing is moved");
        assert!(parts(dir.path()).unwrap().is_empty());
        if end == "\n" {
            let fault = verify(dir.path(), &mut |_| {}).unwrap_err();
            assert!(
                matches!(fault, Fault::Later { seq: at, version: 3, .. } if at == seq),
                "{fault}"
            );
        }
    }
    // Among events of this format it is no later version, but somebody's doing.
    let forged = whole.replacen("\"v\":2}", "\"v\":3}", 1);
    fs::write(&path, forged).unwrap();
    let fault = verify(dir.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(fault, Fault::Broken(_)), "{fault}");
}

#[tokio::test]
async fn a_segment_behind_one_of_a_later_format_is_refused_by_its_version() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 10).await;
    let all = segments(dir.path()).unwrap();
    let path = dir.path().join(folder::segment_name(all[all.len() - 2]));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"v\":2}", "\"v\":3}")).unwrap();
    let error = Log::open(options(dir.path())).unwrap_err();
    assert!(
        matches!(error, OpenError::Later { version: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_clock_that_stepped_back_between_two_runs_is_noted_first() {
    let dir = TempDir::new().unwrap();
    let at = |time: &str| {
        let time: jiff::Timestamp = time.parse().unwrap();
        Options {
            clock: Clock::telling(move || time),
            ..options(dir.path())
        }
    };
    Log::open(at("2026-03-01T12:00:00Z"))
        .unwrap()
        .stop()
        .unwrap();
    let log = Log::open(at("2026-03-01T11:59:59.999Z")).unwrap();
    write_requests(&log, 2).await;
    let figures = log.figures();
    assert_eq!((figures.clock_steps, figures.events), (1, 5));
    log.stop().unwrap();
    let events: Vec<Value> = lines(dir.path());
    assert_eq!(events[2]["event"], "clock.stepped");
    assert_eq!(events[2]["from"], "2026-03-01T12:00:00.000Z");
    assert_eq!(events[3]["event"], "audit.started");
    let found = verified(dir.path()).clock_steps;
    assert_eq!((found.len(), found[0].seq), (1, 4));
}

/// A disk that fails at chosen calls.
struct Faulty {
    folder: Folder,
    dir: PathBuf,
    calls: Arc<AtomicU64>,
    fault: Failure,
    at: std::ops::Range<u64>,
}

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    /// `ENOSPC` after half of the bytes.
    Append,
    /// It says that all bytes are written, and the first one is not.
    Lie,
    /// `EIO`.
    Sync,
    /// `ENOSPC`, after the file was made.
    Begin,
}

impl Faulty {
    fn fails(&self, fault: Failure) -> bool {
        self.fault == fault
            && self
                .at
                .contains(&self.calls.fetch_add(1, Ordering::Relaxed))
    }
}

/// Takes the first of the bytes away that were written last.
fn swallow(dir: &Path, written: usize) -> io::Result<()> {
    let newest = segments(dir)?.pop().expect("there is a segment");
    let segment = dir.join(folder::segment_name(newest));
    let mut bytes = fs::read(&segment)?;
    bytes.remove(bytes.len() - written);
    let file = fs::OpenOptions::new().write(true).open(&segment)?;
    io::Write::write_all(&mut &file, &bytes)?;
    file.set_len(bytes.len() as u64)
}

impl Disk for Faulty {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.fails(Failure::Append) {
            self.folder.append(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.folder.append(bytes)?;
        match self.fails(Failure::Lie) {
            true => swallow(&self.dir, bytes.len()),
            false => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.fails(Failure::Sync) {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.folder.sync()
    }

    fn begin(&mut self, first_seq: u64) -> io::Result<()> {
        if self.fails(Failure::Begin) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.folder.begin(first_seq)
    }

    fn holds(&self, durable: &Durable) -> io::Result<bool> {
        self.folder.holds(durable)
    }

    fn lost(&self) -> io::Result<Option<Loss>> {
        self.folder.lost()
    }

    fn bridge(&mut self, last: &Head, durable: &Durable) -> io::Result<()> {
        self.folder.bridge(last, durable)
    }

    fn cut(&mut self, durable: &Durable, acknowledged: &[u8]) -> io::Result<SetAside> {
        self.folder.cut(durable, acknowledged)
    }
}

/// Writes until the disk has failed and works again; returns the ids that were acknowledged and those that were not.
async fn write_through_a_fault(
    dir: &Path,
    durability: Durability,
    fault: Failure,
    at: std::ops::Range<u64>,
) -> (Vec<String>, Vec<String>) {
    let calls = Arc::new(AtomicU64::new(0));
    let options = Options {
        durability,
        segment_bytes_max: 3_000,
        ..options(dir)
    };
    let faulty = |folder| {
        Box::new(Faulty {
            folder,
            dir: dir.to_owned(),
            calls: Arc::clone(&calls),
            fault,
            at: at.clone(),
        }) as Box<dyn Disk>
    };
    let log = Log::open_over(options, faulty).unwrap();
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    let began = Instant::now();
    let mut healed = 0;
    while healed < 10 {
        assert!(began.elapsed() < Duration::from_secs(20), "does not heal");
        let record = new_record(&log);
        let id = record.id().to_owned();
        if close(record).await.is_ok() {
            acknowledged.push(id);
            healed += usize::from(calls.load(Ordering::Relaxed) >= at.end);
        } else {
            refused.push(id);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    assert!(log.healthy());
    log.stop().unwrap();
    (acknowledged, refused)
}

#[tokio::test]
async fn whatever_was_acknowledged_is_on_disk_and_the_log_heals() {
    let relaxed = Durability::Relaxed(Duration::from_millis(5));
    for durability in [Durability::Strict, relaxed] {
        for (fault, at) in [
            (Failure::Append, 1..2),
            (Failure::Append, 4..6),
            (Failure::Append, 7..10),
            (Failure::Lie, 1..2),
            (Failure::Lie, 4..6),
            (Failure::Sync, 1..2),
            (Failure::Sync, 3..6),
            (Failure::Sync, 5..6),
            (Failure::Begin, 0..1),
            (Failure::Begin, 1..4),
        ] {
            let dir = TempDir::new().unwrap();
            let (acknowledged, refused) =
                write_through_a_fault(dir.path(), durability, fault, at.clone()).await;
            let context = format!("{durability:?} {fault:?} {at:?}");
            verified(dir.path());
            let lines = lines(dir.path());
            let on_disk = |id: &String| lines.iter().filter(|line| line["id"] == **id).count();
            assert!(acknowledged.iter().all(|id| on_disk(id) == 1), "{context}");
            assert!(refused.iter().all(|id| on_disk(id) == 0), "{context}");
            let recovered = lines
                .iter()
                .filter(|line| line["event"] == "audit.recovered");
            assert!(recovered.count() > 0, "{context}");
            if durability == Durability::Strict {
                assert!(!refused.is_empty(), "{context}");
                let expected = usize::from(fault != Failure::Begin);
                assert!(parts(dir.path()).unwrap().len() >= expected, "{context}");
            }
            // And once more from the beginning, as after a restart.
            Log::open(options(dir.path())).unwrap().stop().unwrap();
            verified(dir.path());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_writers_share_a_few_syncs() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let mut tasks = Vec::new();
    for _ in 0..2_000 {
        let log = log.clone();
        tasks.push(tokio::spawn(async move {
            let closed = close(new_record(&log)).await;
            closed.unwrap().id().to_owned()
        }));
    }
    let mut ids = std::collections::BTreeSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 2_000);
    let figures = log.figures();
    assert_eq!(figures.events, 2_003);
    assert!(figures.syncs < 1_000, "{figures:?}");
    log.stop().unwrap();
    verified(dir.path());
    let lines = lines(dir.path());
    let found = lines.iter().filter_map(|line| line["id"].as_str());
    assert_eq!(found.filter(|id| ids.contains(*id)).count(), 2_000);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(Options {
        queue_events_max: 1,
        ..options(dir.path())
    })
    .unwrap();
    let mut refused = 0;
    let mut pending = Vec::new();
    for _ in 0..10_000 {
        match log.submit(Event::policy_rejected(None, &[], By::Watch)) {
            Ok(event) => pending.push(event),
            Err(AuditUnavailable) => refused += 1,
        }
    }
    assert!(refused > 0);
    let written = pending.len() as u64;
    for event in pending {
        event.safe().await.unwrap();
    }
    log.stop().unwrap();
    assert_eq!(verified(dir.path()).events, written + 3);
}

#[tokio::test]
async fn a_process_killed_at_any_instant_finds_its_acknowledged_events_again() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let mut record = decided(new_record(&log), &operation("Contacts", &[]));
    let _opened = record.open([]).await.unwrap();
    write_requests(&log, 5).await;
    // What is on disk at this instant, without any farewell.
    let after = TempDir::new().unwrap();
    copy(dir.path(), after.path());
    Log::open(options(after.path())).unwrap().stop().unwrap();
    let verified = verified(after.path());
    assert_eq!(verified.events, 1 + 1 + 1 + 1 + 5 + 2);
    assert_eq!(verified.unclosed.len(), 1);
    assert_eq!(verified.unclosed[0].id, record.id());
    record.abandon();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_while_the_log_is_written_opens_with_all_that_was_acknowledged() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(Options {
        segment_bytes_max: 100_000,
        ..options(dir.path())
    })
    .unwrap();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move { write_requests(&log, 500).await })
        })
        .collect();
    for _ in 0..10 {
        let acknowledged = log.figures().events;
        let after = TempDir::new().unwrap();
        copy(dir.path(), after.path());
        Log::open(options(after.path())).unwrap().stop().unwrap();
        assert!(verified(after.path()).events >= acknowledged + 2);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    log.stop().unwrap();
}

#[tokio::test]
async fn a_dropped_record_is_an_aborted_request() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let record = new_record(&log).identified(Some(&fanny()));
    let id = record.id().to_owned();
    drop(record);
    new_record(&log).abandon();
    log.stop().unwrap();
    let lines = lines(dir.path());
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["id"], id);
    assert_eq!(lines[1]["phase"], "closed");
    assert_eq!(lines[1]["outcome"]["kind"], "aborted");
    assert_eq!(lines[1]["caller"]["name"], "fanny");
}

#[tokio::test]
async fn an_event_says_who_saw_what_and_why() {
    let dir = TempDir::new().unwrap();
    let stamp = &stamp();
    let log = Log::open(options(dir.path())).unwrap();
    let traced = |trace| Arrival {
        trace: Some(trace),
        ..arrival(stamp)
    };
    let untraced = Record::new(&log, traced("not a trace"));
    let _ = untraced.refuse(403, None).await.unwrap();
    let record = Record::new(&log, traced("4bf92f3577b34da6a3ce929d0e0e4736"));
    let operation = operation("Contacts", &["iban_c"]);
    let meaning = Meaning {
        operation: &operation,
        knows_field: &|_| true,
        knows_module: &|_| true,
    };
    let purpose = PurposeChosen {
        purpose: Purpose::new("payment"),
        chosen_by: "default",
        basis: Arc::from("legal-obligation"),
    };
    let record = record.identified(Some(&fanny()));
    let mut record = record.decided((&[Role::new("finance")], Some(&purpose)), meaning);
    let religion = rule(
        "religion_c",
        &["special.belief"],
        Level::Hide,
        "no-special",
        true,
    );
    record.withheld_by_projection([&religion]);
    let iban = rule(
        "iban_c",
        &["financial.iban"],
        Level::Clear,
        "iban-for-payment",
        true,
    );
    record.upstream_took(Duration::from_millis(31));
    let contacts = Module::new("Contacts");
    let settled = Settled {
        edits: Edits(vec![("iban_c".to_owned(), Edit::Keep)]),
        dropped_masks: vec![
            FieldPath::new(&contacts, "iban_c"),
            FieldPath::new(&contacts, "canary"),
        ],
        ..Settled::default()
    };
    record.written(&contacts, &settled);
    let report = Report {
        refs: refs(1),
        ..report(vec![iban])
    };
    let closed = record.close(report, Outcome::Partial, 200).await.unwrap();
    let envelope = Record::envelope(&log, arrival(stamp)).addressed(&fanny());
    let part = envelope.part(Some("GET /rest/{version}/me"));
    let part_id = part.id().to_owned();
    let refused = part.refuse(403, Some(Reason::NoPurpose)).await;
    let _ = refused.unwrap();
    let envelope = envelope.close(Outcome::Partial, 200).await.unwrap();
    log.stop().unwrap();

    let lines = lines(dir.path());
    let mut event = lines[2].clone();
    assert_eq!(event["id"], closed.id());
    for changing in ["id", "prev", "time"] {
        event[changing] = Value::Null;
    }
    event["outcome"]["milliseconds"] = Value::Null;
    assert_eq!(event, sample_event());
    assert_eq!(lines[1]["request"]["trace"], Value::Null);
    assert_eq!(lines[3]["id"], part_id);
    assert_eq!(lines[3]["part_of"], envelope.id());
    assert_eq!(lines[3]["caller"]["name"], "fanny");
    assert_eq!(lines[3]["outcome"]["reason"], "no-purpose");
    assert_eq!(lines[4]["request"]["action"], "bulk");
    verified(dir.path());
}

/// The event of the design, as it is written.
fn sample_event() -> Value {
    json!({
        "v": 2, "seq": 6, "prev": null, "id": null, "part_of": null, "phase": "closed",
        "time": null, "node": "paravent",
        "caller": {"id": "9b1f", "name": "fanny", "kind": "human", "roles": ["finance"]},
        "auth": {"method": "crm-session", "acr": null, "amr": [], "age_seconds": 240},
        "origin": {"ip": "10.2.14.0/24"},
        "purpose": {"id": "payment", "chosen_by": "default", "basis": "legal-obligation"},
        "request": {
            "action": "read", "module": "Contacts", "route": "GET /rest/{version}/Contacts/{id}",
            "dialect": "sugar-rest", "asked": ["Contacts.iban_c"], "matched": ["Contacts.iban_c"],
            "sorted": ["Contacts.iban_c"], "written": ["Contacts.iban_c"],
            "trace": "4bf92f3577b34da6a3ce929d0e0e4736", "upstream": "crm"
        },
        "outcome": {"kind": "partial", "status": 200, "reason": null, "milliseconds": null, "upstream_milliseconds": 31},
        "policy": {"name": "sugarcrm-eu", "hash": "sha256:5d41", "mode": "enforce", "schema": "stock:sugar-rest"},
        "records": {"count": 1, "refs": ["Contacts/c-1"], "withheld": {"row": 0, "consent": 0, "retention": 0}},
        "data": [
            {"category": "financial.iban", "fields": ["Contacts.iban_c"], "level": "clear", "records": 1, "in_text": 0, "by": ["iban-for-payment"]},
            {"category": "special.belief", "fields": ["Contacts.religion_c"], "level": "hide", "records": 0, "in_text": 0, "by": ["no-special"]}
        ],
        "dropped_masks": ["Contacts.iban_c", "Contacts.(1 unknown)"]
    })
}

#[tokio::test]
async fn nothing_that_the_caller_chose_gets_in() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let hostile = [
        "CANARY1",
        "canary2\n{\"seq\":9}",
        "canary3\"}],",
        "\u{202e}canary4\u{2028}",
        "fr7612345678901234567890canary",
    ];
    for module in ["Contacts", "CANARY\nModule\""] {
        let meaning = Meaning {
            operation: &operation(module, &hostile),
            knows_field: &|path| path.field.as_str() == "iban_c",
            knows_module: &|module| module.as_str() == "Contacts",
        };
        let record = new_record(&log).identified(None);
        let mut record = record.decided((&[], None), meaning);
        let unknown: Vec<_> = hostile
            .iter()
            .map(|name| rule(name, &[], Level::Hide, "defaults.unclassified", false))
            .collect();
        record.withheld_by_projection(&unknown);
        let own = Module::new(module);
        let paths: Vec<_> = hostile
            .iter()
            .map(|name| FieldPath::new(&own, name))
            .collect();
        let edits = hostile.map(|name| (name.to_owned(), Edit::Keep));
        let settled = Settled {
            edits: Edits(edits.to_vec()),
            dropped_masks: paths.clone(),
            flagged: paths,
            ..Settled::default()
        };
        record.written(&own, &settled);
        let unknown = unknown.into_iter().map(Arc::new);
        let _opened = record.open(unknown).await.unwrap();
        let closed = record.close(Report::default(), Outcome::Full, 200).await;
        let _ = closed.unwrap();
    }
    log.stop().unwrap();
    let text = fs::read_to_string(dir.path().join(folder::segment_name(1))).unwrap();
    assert!(!text.to_lowercase().contains("canary"), "{text}");
    let lines = lines(dir.path());
    assert_eq!(
        lines[1]["request"]["asked"],
        json!(["Contacts.(5 unknown)"])
    );
    assert_eq!(lines[3]["request"]["asked"], json!(["(5 unknown)"]));
    assert_eq!(lines[3]["request"]["module"], "(unknown)");
    assert_eq!(
        lines[3]["request"]["route"],
        "GET /rest/{version}/{module}/{id}"
    );
    verified(dir.path());
}

#[tokio::test]
async fn naughty_record_ids_stay_one_line() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let naughty = [
        "a\nb",
        "a\r\nb",
        "a\u{2028}b",
        "a\u{85}b",
        "\u{0}",
        "\"",
        "\\",
        "\\n",
        "{\"seq\":1}",
        "\u{1b}[2J",
        "\u{202e}abc",
        "\u{feff}",
        "👩‍💻",
        "'; DROP TABLE",
        &"x".repeat(100_000),
    ];
    let record_of = |id: &&str| RecordRef {
        module: Module::new("Contacts"),
        id: Arc::from(*id),
    };
    let record = decided(new_record(&log), &operation("Contacts", &[]));
    let report = Report {
        refs: naughty.iter().map(record_of).collect(),
        ..report(Vec::new())
    };
    let _ = record.close(report, Outcome::Full, 200).await.unwrap();
    log.stop().unwrap();
    let text = fs::read_to_string(dir.path().join(folder::segment_name(1))).unwrap();
    assert_eq!(text.split(['\n', '\r', '\u{2028}', '\u{85}']).count(), 6);
    assert!(text.len() < 10_000);
    let found = &lines(dir.path())[1]["records"]["refs"];
    assert_eq!(found.as_array().unwrap().len(), naughty.len());
    assert_eq!(found[0], "Contacts/a\\u{a}b");
    assert_eq!(found[5], "Contacts/\"");
    verified(dir.path());
}

#[tokio::test]
async fn a_record_is_under_way_until_it_ends_however_it_ends() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let stamp = stamp();
    let envelope = Record::envelope(&log, arrival(&stamp)).addressed(&fanny());
    let mut part = decided(envelope.part(None), &operation("Contacts", &[]));
    let _opened = part.open([]).await.unwrap();
    let (abandoned, dropped) = (new_record(&log), new_record(&log));
    assert_eq!(log.under_way(), 4);
    abandoned.abandon();
    drop(dropped);
    assert_eq!(log.under_way(), 2);
    let closed = part.close(Report::default(), Outcome::Full, 200).await;
    let _closed = closed.unwrap();
    let _closed = envelope.close(Outcome::Full, 200).await.unwrap();
    // Who counts too many makes a lone event wait for company that never comes.
    assert_eq!(log.under_way(), 0);
    log.stop().unwrap();
}

#[tokio::test]
async fn many_records_go_into_events_before_the_last() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let mut record = decided(new_record(&log), &operation("Contacts", &[]));
    record.refs(&refs(1_500)).await.unwrap();
    let report = Report {
        refs: refs(2_000),
        records: 3_500,
        ..Report::default()
    };
    let closed = record.close(report, Outcome::Full, 200).await.unwrap();
    log.stop().unwrap();
    let lines = lines(dir.path());
    let of: Vec<_> = lines
        .iter()
        .filter(|line| line["id"] == closed.id())
        .map(|line| {
            let refs = line["records"]["refs"].as_array().unwrap().len();
            (
                line["phase"].as_str().unwrap(),
                refs,
                line["records"]["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        of,
        [
            ("continued", 1_000, 1_000),
            ("continued", 500, 500),
            ("continued", 1_000, 1_000),
            ("closed", 1_000, 3_500)
        ]
    );
}

#[tokio::test]
async fn readings_are_taken_up_while_the_log_runs_and_when_it_opens() {
    let dir = TempDir::new().unwrap();
    let words = ["caller=fanny".to_owned(), "x\ny".to_owned()];
    let log = Log::open(options(dir.path())).unwrap();
    record_reading(dir.path(), "query", &words).unwrap();
    let began = Instant::now();
    while log.figures().events < 2 {
        assert!(began.elapsed() < Duration::from_secs(10), "not taken up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.stop().unwrap();
    fs::write(dir.path().join("spool/reads-x.json"), "no note").unwrap();
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let readings: Vec<_> = lines(dir.path())
        .into_iter()
        .filter(|line| line["event"] == "audit.read")
        .collect();
    assert_eq!(readings.len(), 2);
    assert_eq!(readings[0]["command"], "query");
    assert_eq!(readings[0]["words"], json!(["caller=fanny", "x\\u{a}y"]));
    assert_eq!(readings[1]["command"], Value::Null);
    assert_eq!(fs::read_dir(dir.path().join("spool")).unwrap().count(), 0);
    verified(dir.path());
}

#[tokio::test]
async fn refusals_without_a_caller_become_one_event() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    for _ in 0..500 {
        new_record(&log).abandon_counted(Reason::NoCredential);
    }
    log.stop().unwrap();
    let lines = lines(dir.path());
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["event"], "auth.refused");
    assert_eq!(lines[1]["count"], 500);
    assert_eq!(lines[1]["origin"], "10.2.14.0/24");
    assert_eq!(lines[1]["reason"], "no-credential");
}

/// Writes a log of `count` requests that were opened and closed, in segments of a few events.
pub(super) async fn sample(dir: &Path, count: usize) {
    let log = Log::open(Options {
        segment_bytes_max: 4_000,
        ..options(dir)
    })
    .unwrap();
    for _ in 0..count {
        let mut record = decided(new_record(&log), &operation("Contacts", &[]));
        let _opened = record.open([]).await.unwrap();
        let closed = record.close(Report::default(), Outcome::Full, 200).await;
        let _ = closed.unwrap();
    }
    log.stop().unwrap();
}
