//! Whatever happens to a log: each segment states the tree over the events before it, and the writer goes on with the same.

use crate::audit::chain::{End, Lines, leaf_hash};
use crate::audit::tree::{Hash, Tree};

use super::watched::{TAMPERINGS, write_past_a_gap};
use super::*;

/// Reads all lines, holds each statement of a tree to those before it, and returns the leaves of the newest identity.
pub(super) fn tree_of_lines(dir: &Path) -> Option<(String, u64, Vec<Hash>)> {
    let oldest = segments(dir).unwrap().first().copied().unwrap_or(0);
    let mut lines: Vec<(u64, Hash)> = pruned_leaves(dir);
    lines.retain(|(seq, _)| *seq < oldest);
    let mut newest: Option<(String, u64)> = None;
    for first_seq in segments(dir).unwrap() {
        let mut read = Lines::of_segment(dir, first_seq).unwrap();
        while let Some(end) = read.next().unwrap() {
            let line = &read.line;
            let Some(event) = serde_json::from_slice::<Value>(line)
                .ok()
                .filter(|_| end == End::Newline)
            else {
                continue;
            };
            let seq = event["seq"].as_u64().unwrap();
            if event["event"] == "audit.segment" {
                let log = event["log"].as_str().unwrap().to_owned();
                let from = event["from"].as_u64().unwrap();
                let is_new = newest.as_ref().is_none_or(|(known, _)| *known != log);
                assert!(is_new || newest == Some((log.clone(), from)));
                let edge: Vec<String> = event["tree"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|hash| hash.as_str().unwrap().to_owned())
                    .collect();
                let tree = Tree::of(&leaves(&lines, from));
                let expected: Vec<String> =
                    tree.edge().iter().map(|h| crate::hex::hex(h)).collect();
                assert_eq!(edge, expected, "event {seq} of {}", dir.display());
                assert_eq!(tree.size(), seq - from);
                newest = Some((log, from));
            }
            // What was lost and turned up again is followed by what took its place.
            lines.retain(|(known, _)| *known < seq);
            lines.push((seq, leaf_hash(line)));
        }
    }
    newest.map(|(log, from)| (log, from, leaves(&lines, from)))
}

/// The leaves of events that were kept long enough.
fn pruned_leaves(dir: &Path) -> Vec<(u64, Hash)> {
    let mut files: Vec<_> = fs::read_dir(dir.join("pruned"))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let first: u64 = name.split('-').nth(1).unwrap().parse().unwrap();
        let bytes = fs::read(&file).unwrap();
        for (place, leaf) in bytes.as_chunks::<32>().0.iter().enumerate() {
            found.push((first + place as u64, *leaf));
        }
    }
    found
}

fn leaves(lines: &[(u64, Hash)], from: u64) -> Vec<Hash> {
    let of_tree = lines.iter().filter(|(seq, _)| *seq >= from);
    for (place, (seq, _)) in of_tree.clone().enumerate() {
        assert_eq!(*seq, from + place as u64);
    }
    of_tree.map(|(_, leaf)| *leaf).collect()
}

/// The tree over what is on disk, as the writer has it.
async fn tree_of_writer(log: &Log) -> LogTree {
    log.inner.shared.ask_for_tree();
    let began = Instant::now();
    loop {
        if let Some(tree) = log.inner.shared.ask_for_tree() {
            return tree;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no tree is told");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The writer's tree is one over lines that are there, and soon over all of them.
async fn agree(log: &Log, dir: &Path, what: &str) {
    let began = Instant::now();
    loop {
        let writer = tree_of_writer(log).await;
        let (id, from, leaves) = tree_of_lines(dir).unwrap();
        if (writer.log(), writer.from()) == (&*id, from) {
            let size = usize::try_from(writer.tree().size()).unwrap();
            assert_eq!(*writer.tree(), Tree::of(&leaves[..size]), "{what}");
            if size == leaves.len() {
                return;
            }
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: apart");
    }
}

/// Numbers that look random, always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn open_faulty(options: Options, dice: &mut Dice) -> Log {
    let faults = [Failure::Append, Failure::Lie, Failure::Sync, Failure::Begin];
    let fault = faults[dice.roll(4) as usize];
    let dir = options.dir.clone();
    // Not before the log is open.
    let first = 6 + dice.roll(20);
    let at = first..first + dice.roll(3);
    let faulty = |folder| {
        Box::new(Faulty {
            folder,
            dir,
            calls: Arc::default(),
            fault,
            at,
        }) as Box<dyn Disk>
    };
    Log::open_over(options, faulty).unwrap()
}

#[tokio::test]
async fn the_writer_has_the_tree_of_the_lines_whatever_happens() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let outer = TempDir::new().unwrap();
        let (dir, elsewhere) = (outer.path().join("log"), outer.path().join("elsewhere"));
        fs::create_dir(&elsewhere).unwrap();
        let durability = match seed % 2 {
            0 => Durability::Strict,
            _ => Durability::Relaxed(Duration::from_millis(3)),
        };
        let options = || Options {
            durability,
            segment_bytes_max: 4_000,
            ..Options::new(&dir, &outer.path().join("state"))
        };
        let mut log = open_faulty(options(), &mut dice);
        for step in 0..6 {
            let what = format!("seed {seed}, step {step}");
            match dice.roll(4) {
                0 => {
                    log.stop().unwrap();
                    log = open_faulty(options(), &mut dice);
                }
                1 => {
                    let (name, tamper, ..) =
                        TAMPERINGS[dice.roll(TAMPERINGS.len() as u64) as usize];
                    let _ = fs::remove_dir_all(&elsewhere);
                    fs::create_dir(&elsewhere).unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let gaps = log.figures().gaps;
                    tamper(&dir, &elsewhere);
                    write_past_another_gap(&log, gaps, &format!("{what}: {name}")).await;
                    // What was changed or is missing says nothing of the tree of the new identity.
                    let last = segments(&dir).unwrap().pop().unwrap();
                    for earlier in segments(&dir)
                        .unwrap()
                        .into_iter()
                        .filter(|one| *one < last)
                    {
                        fs::remove_file(dir.join(folder::segment_name(earlier))).unwrap();
                    }
                }
                _ => {
                    for _ in 0..dice.roll(30) {
                        let _ = close(new_record(&log)).await;
                    }
                }
            }
            heal(&log).await;
            agree(&log, &dir, &what).await;
        }
        log.stop().unwrap();
    }
}

/// Writes until the log works again.
async fn heal(log: &Log) {
    let began = Instant::now();
    while close(new_record(log)).await.is_err() || !log.healthy() {
        assert!(began.elapsed() < Duration::from_secs(20), "does not heal");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn write_past_another_gap(log: &Log, gaps: u64, what: &str) {
    let began = Instant::now();
    while log.figures().gaps == gaps {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{what} does not go on: {log:?}"
        );
        let _ = close(new_record(log)).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn stated(dir: &Path) -> Vec<(u64, String, u64)> {
    let all = raw(dir);
    let stated = all.iter().filter(|event| event["event"] == "audit.segment");
    stated
        .map(|event| {
            (
                event["seq"].as_u64().unwrap(),
                event["log"].as_str().unwrap().to_owned(),
                event["from"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_new_log_says_first_which_it_is_and_a_restart_goes_on_with_it() {
    let dir = TempDir::new().unwrap();
    for run in 0..3 {
        let log = Log::open(options(dir.path())).unwrap();
        write_requests(&log, 2).await;
        agree(&log, dir.path(), &format!("run {run}")).await;
        log.stop().unwrap();
    }
    let stated = stated(dir.path());
    assert_eq!(stated.len(), 1);
    assert_eq!((stated[0].0, stated[0].2), (1, 1));
}

#[tokio::test]
async fn a_gap_begins_a_new_identity_behind_it() {
    let outer = TempDir::new().unwrap();
    let (dir, state) = (outer.path().join("log"), outer.path().join("state"));
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    write_requests(&log, 3).await;
    fs::remove_file(dir.join(folder::segment_name(1))).unwrap();
    let _ = write_past_a_gap(&log).await;
    agree(&log, &dir, "behind a gap").await;
    log.stop().unwrap();
    let all = raw(&dir);
    assert_eq!(all[0]["event"], "audit.gap");
    assert_eq!(all[1]["event"], "audit.segment");
    assert_eq!(all[1]["from"], all[0]["seq"]);
    assert_eq!(all[1]["tree"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_kill_left_of_the_beginning_of_a_segment_is_made_whole() {
    let outer = TempDir::new().unwrap();
    let (dir, state) = (outer.path().join("log"), outer.path().join("state"));
    let open = || {
        let _ = fs::remove_dir_all(&state);
        Log::open(Options {
            segment_bytes_max: 3_000,
            ..Options::new(&dir, &state)
        })
    };
    let log = open().unwrap();
    write_requests(&log, 12).await;
    log.stop().unwrap();
    let last = segments(&dir).unwrap().pop().unwrap();
    assert!(last > 1);
    let path = dir.join(folder::segment_name(last));
    let whole = fs::read(&path).unwrap();
    let first_line = memchr::memchr(b'\n', &whole).unwrap() + 1;
    for length in [0, 1, first_line - 1, first_line] {
        fs::write(&path, &whole[..length]).unwrap();
        let log = open().unwrap();
        agree(&log, &dir, &format!("{length} bytes")).await;
        log.stop().unwrap();
        let stated = stated(&dir);
        assert!(
            stated
                .iter()
                .all(|(_, id, from)| (id, *from) == (&stated[0].1, 1))
        );
        let _ = verified(&dir);
        for later in segments(&dir)
            .unwrap()
            .into_iter()
            .filter(|one| *one > last)
        {
            fs::remove_file(dir.join(folder::segment_name(later))).unwrap();
        }
    }
}

#[tokio::test]
async fn a_gap_that_was_noted_and_nothing_behind_it_is_gone_on_with() {
    let outer = TempDir::new().unwrap();
    let (dir, state) = (outer.path().join("log"), outer.path().join("state"));
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    write_requests(&log, 3).await;
    fs::remove_file(dir.join(folder::segment_name(1))).unwrap();
    let _ = write_past_a_gap(&log).await;
    log.stop().unwrap();
    let path = dir.join(folder::segment_name(segments(&dir).unwrap()[0]));
    let whole = fs::read(&path).unwrap();
    let first_line = memchr::memchr(b'\n', &whole).unwrap() + 1;
    fs::write(&path, &whole[..first_line + 20]).unwrap();
    fs::remove_dir_all(&state).unwrap();
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    agree(&log, &dir, "torn behind a gap").await;
    log.stop().unwrap();
    let all = raw(&dir);
    assert_eq!(all[1]["event"], "audit.segment");
    assert_eq!(all[1]["from"], all[0]["seq"]);
}

/// Takes the statements out of a log, as an earlier version would have written it, and binds its lines anew.
fn without_statements(dir: &Path, also: impl Fn(u64, &mut Value)) {
    let (mut next, mut prev) = (0, format!("sha256:{}", "0".repeat(64)));
    for first_seq in segments(dir).unwrap() {
        let path = dir.join(folder::segment_name(first_seq));
        let text = fs::read_to_string(&path).unwrap();
        let (mut out, begins) = (String::new(), next + 1);
        for line in text.lines() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            if event["event"] == "audit.segment" {
                continue;
            }
            next += 1;
            event["seq"] = next.into();
            event["prev"] = prev.into();
            also(next, &mut event);
            let line = serde_json::to_string(&event).unwrap();
            prev = chain::leaf(line.as_bytes());
            out.push_str(&line);
            out.push('\n');
        }
        fs::remove_file(&path).unwrap();
        fs::write(dir.join(folder::segment_name(begins)), out).unwrap();
    }
}

async fn earlier_version(dir: &Path, also: impl Fn(u64, &mut Value)) -> u64 {
    let log = Log::open(Options {
        segment_bytes_max: 3_000,
        ..options(dir)
    })
    .unwrap();
    write_requests(&log, 12).await;
    log.stop().unwrap();
    fs::remove_dir_all(dir.join("state")).unwrap();
    without_statements(dir, also);
    raw(dir).len() as u64
}

#[tokio::test]
async fn a_log_of_an_earlier_version_is_gone_on_with_from_its_first_event() {
    let dir = TempDir::new().unwrap();
    let events = earlier_version(dir.path(), |_, _| {}).await;
    let files = segments(dir.path()).unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    agree(&log, dir.path(), "an earlier version").await;
    log.stop().unwrap();
    let stated = stated(dir.path());
    assert_eq!(stated.len(), 1);
    assert_eq!((stated[0].0, stated[0].2), (events + 1, 1));
    let now = segments(dir.path()).unwrap();
    assert_eq!(now[..files.len()], files);
    assert_eq!(now[files.len()..], [events + 1]);
    let _ = verified(dir.path());
}

#[tokio::test]
async fn a_log_of_an_earlier_version_that_is_not_whole_begins_a_new_identity() {
    let dir = TempDir::new().unwrap();
    let events = earlier_version(dir.path(), |_, _| {}).await;
    fs::remove_file(dir.path().join(folder::segment_name(1))).unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    log.stop().unwrap();
    assert_eq!(stated(dir.path())[0].2, events + 1);

    let dir = TempDir::new().unwrap();
    let noted = |seq: u64, event: &mut Value| {
        if seq == 3 {
            *event = json!({
                "event": "audit.gap", "id": event["id"], "last_hash": "sha256:0", "last_seq": 1, "node": event["node"],
                "prev": event["prev"], "refused": 0, "seq": 3, "time": event["time"], "v": 2, "why": "end-changed",
            });
        }
    };
    let events = earlier_version(dir.path(), noted).await;
    let log = Log::open(options(dir.path())).unwrap();
    log.stop().unwrap();
    assert_eq!(stated(dir.path())[0].2, events + 1);
}

#[tokio::test]
async fn an_earlier_version_that_went_on_in_between_is_followed() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 5).await;
    log.stop().unwrap();
    // A segment that states nothing.
    let next = raw(dir.path()).len() as u64 + 1;
    let mut event = raw(dir.path()).pop().unwrap();
    let last = serde_json::to_string(&event).unwrap();
    event["seq"] = next.into();
    event["prev"] = chain::leaf(last.as_bytes()).into();
    let line = serde_json::to_string(&event).unwrap() + "\n";
    fs::write(dir.path().join(folder::segment_name(next)), line).unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    agree(&log, dir.path(), "an earlier version in between").await;
    log.stop().unwrap();
    let stated = stated(dir.path());
    assert_eq!(stated.len(), 2);
    assert_eq!(stated[0].1, stated[1].1);
    assert_eq!((stated[1].0, stated[1].2), (next + 1, 1));
}

#[tokio::test]
async fn a_tree_that_cannot_be_is_damage() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 2).await;
    log.stop().unwrap();
    let path = dir.path().join(folder::segment_name(1));
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"from\":1", "\"from\":2"),
        ("\"from\":1", "\"from\":0"),
        ("\"tree\":[]", "\"tree\":[\"00\"]"),
        ("\"log\":\"", "\"log\":\"0"),
    ] {
        assert!(whole.contains(from));
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let error = Log::open(options(dir.path())).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { seq: 1, .. }),
            "{to}: {error}"
        );
    }
}
