//! Whatever happens to the open segment while the log is written: nothing is acknowledged that lies in no file, and what
//! is missing is noted.

use super::*;

/// What is done to a log behind the writer's back, given its folder and another one.
pub(super) type Tamper = fn(&Path, &Path);

/// Every event of every segment, in order; torn lines left out.
fn events_of(dir: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for first_seq in segments(dir).unwrap() {
        let text = fs::read_to_string(dir.join(folder::segment_name(first_seq))).unwrap();
        all.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str(line).ok()),
        );
    }
    all
}

fn open_segment(dir: &Path) -> PathBuf {
    let last = segments(dir).unwrap().pop().unwrap();
    dir.join(folder::segment_name(last))
}

fn removed(dir: &Path, _: &Path) {
    fs::remove_file(open_segment(dir)).unwrap();
}

fn moved(dir: &Path, elsewhere: &Path) {
    fs::rename(open_segment(dir), elsewhere.join("moved")).unwrap();
}

fn moved_with_an_empty_file_in_its_place(dir: &Path, elsewhere: &Path) {
    let path = open_segment(dir);
    fs::rename(&path, elsewhere.join("moved")).unwrap();
    fs::write(path, "").unwrap();
}

fn emptied(dir: &Path, elsewhere: &Path) {
    let path = open_segment(dir);
    fs::copy(&path, elsewhere.join("copied")).unwrap();
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(0)
        .unwrap();
}

fn cut_within_a_line(dir: &Path, _: &Path) {
    let file = fs::OpenOptions::new()
        .write(true)
        .open(open_segment(dir))
        .unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 300).unwrap();
}

fn copied_back(dir: &Path, elsewhere: &Path) {
    let path = open_segment(dir);
    fs::rename(&path, elsewhere.join("moved")).unwrap();
    fs::copy(elsewhere.join("moved"), path).unwrap();
}

fn copied_back_with_a_change(dir: &Path, _: &Path) {
    let path = open_segment(dir);
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(path, text.replace("10.2.14.0", "10.2.15.0")).unwrap();
}

fn linked(dir: &Path, elsewhere: &Path) {
    let path = open_segment(dir);
    fs::rename(&path, elsewhere.join("moved")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("moved"), path).unwrap();
}

fn folder_removed(dir: &Path, _: &Path) {
    fs::remove_dir_all(dir).unwrap();
}

fn folder_moved(dir: &Path, elsewhere: &Path) {
    fs::rename(dir, elsewhere.join("folder")).unwrap();
}

fn folder_moved_with_another_in_its_place(dir: &Path, elsewhere: &Path) {
    fs::rename(dir, elsewhere.join("folder")).unwrap();
    fs::create_dir(dir).unwrap();
}

/// Whether all of the log is still there, or all but what is missing, or something in it was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Left {
    Whole,
    Missing,
    Changed,
}

pub(super) const TAMPERINGS: &[(&str, Tamper, &str, Left)] = &[
    ("removed", removed, "segment-removed", Left::Missing),
    ("moved", moved, "segment-removed", Left::Missing),
    (
        "moved, an empty file in its place",
        moved_with_an_empty_file_in_its_place,
        "segment-replaced",
        Left::Missing,
    ),
    ("emptied", emptied, "segment-truncated", Left::Missing),
    (
        "cut within a line",
        cut_within_a_line,
        "segment-truncated",
        Left::Missing,
    ),
    ("copied back", copied_back, "segment-replaced", Left::Whole),
    (
        "copied back with a change",
        copied_back_with_a_change,
        "segment-replaced",
        Left::Changed,
    ),
    (
        "a link in its place",
        linked,
        "segment-replaced",
        Left::Whole,
    ),
    (
        "folder removed",
        folder_removed,
        "folder-gone",
        Left::Missing,
    ),
    ("folder moved", folder_moved, "folder-gone", Left::Missing),
    (
        "another folder in its place",
        folder_moved_with_another_in_its_place,
        "folder-gone",
        Left::Missing,
    ),
];

/// Writes until the log has noted a gap and goes on; returns the ids that were acknowledged since.
pub(super) async fn write_past_a_gap(log: &Log) -> Vec<String> {
    let began = Instant::now();
    let mut acknowledged = Vec::new();
    while log.figures().gaps == 0 || acknowledged.len() < 3 {
        assert!(began.elapsed() < Duration::from_secs(20), "does not go on");
        let record = new_record(log);
        let id = record.id().to_owned();
        if close(record).await.is_ok() {
            acknowledged.push(id);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    acknowledged
}

fn paths() -> (TempDir, PathBuf, PathBuf) {
    let outer = TempDir::new().unwrap();
    let (dir, elsewhere) = (outer.path().join("log"), outer.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    (outer, dir, elsewhere)
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_nobody_will_look_into() {
    let relaxed = Durability::Relaxed(Duration::from_millis(5));
    for durability in [Durability::Strict, relaxed] {
        for (name, tamper, why, left) in TAMPERINGS {
            let name = format!("{name}, {durability:?}");
            let (outer, dir, elsewhere) = paths();
            let options = || Options {
                durability,
                ..Options::new(&dir, &outer.path().join("state"))
            };
            let log = Log::open(options()).unwrap();
            write_requests(&log, 5).await;
            // What is lost is on disk.
            tokio::time::sleep(Duration::from_millis(30)).await;
            tamper(&dir, &elsewhere);
            let acknowledged = write_past_a_gap(&log).await;
            assert!(log.healthy(), "{name}");
            log.stop().unwrap();

            let events = events_of(&dir);
            let on_disk = |id: &String| events.iter().any(|event| event["id"] == **id);
            assert!(acknowledged.iter().all(on_disk), "{name}: {events:?}");
            let gaps: Vec<&Value> = events
                .iter()
                .filter(|event| event["event"] == "audit.gap")
                .collect();
            let [gap] = gaps.as_slice() else {
                panic!("{name}: {gaps:?}")
            };
            assert_eq!(gap["why"], *why, "{name}");
            assert_eq!(gap["last_seq"], 8, "{name}");
            let own = fs::read_to_string(open_segment(&dir)).unwrap();
            assert_eq!(segments(&dir).unwrap().pop(), Some(9), "{name}");
            if durability == Durability::Strict {
                assert!(own.lines().next().unwrap().contains("audit.gap"), "{name}");
            }

            let verdict = verify(&dir, &mut |_| {});
            if *left == Left::Changed {
                assert!(
                    matches!(verdict, Err(Fault::Broken(_))),
                    "{name}: {verdict:?}"
                );
            } else {
                let verdict = verdict.unwrap_or_else(|fault| panic!("{name}: {fault}"));
                let missing = verdict.gaps[0].missing;
                assert_eq!(missing.is_some(), *left == Left::Missing, "{name}");
                assert!(missing.is_none_or(|(_, last)| last == 8), "{name}");
            }
            // It opens again, and the gap stays the only one.
            Log::open(options()).unwrap().stop().unwrap();
            let opened = events_of(&dir);
            let count = opened.iter().filter(|event| event["event"] == "audit.gap");
            assert_eq!(count.count(), 1, "{name}");
        }
    }
}

/// A copy may have been made between the write of events and the look whether the segment is still in its place.
#[tokio::test]
async fn a_copy_in_the_place_of_a_segment_holds_no_event_that_nobody_was_told_of() {
    let (_outer, dir, elsewhere) = paths();
    let log = Log::open(options(&elsewhere)).unwrap();
    write_requests(&log, 5).await;
    log.stop().unwrap();
    let text = fs::read(open_segment(&elsewhere)).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (written, appended) = (lines[..5].concat(), lines[5..7].concat());
    let hash = chain::leaf(lines[4].strip_suffix(b"\n").unwrap());
    let durable = Durable {
        bytes: written.len() as u64,
        last: Some((lines[4].len() as u64, hash.clone())),
    };
    let foreign = [&appended[..], b"more"].concat();
    for (tail, left) in [
        (&appended[..], &b""[..]),
        (&appended[..appended.len() / 2], b""),
        (lines[5], b""),
        (b"", b""),
        (&foreign, &foreign),
        (b"more", b"more"),
    ] {
        fs::create_dir_all(&dir).unwrap();
        let held = folder::lock(&dir).unwrap().unwrap();
        let mut folder = Folder::open(&dir, held, 1).unwrap();
        folder.append(&written).unwrap();
        folder.sync().unwrap();
        folder.append(&appended).unwrap();
        let path = open_segment(&dir);
        fs::remove_file(&path).unwrap();
        fs::write(&path, [&written[..], tail].concat()).unwrap();
        let last = Head {
            seq: 5,
            hash: hash.clone(),
        };
        folder.bridge(&last, &durable).unwrap();
        assert!(fs::read(&path).unwrap() == [&written[..], left].concat());
        assert_eq!(segments(&dir).unwrap(), [1, 6]);
        drop(folder);
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[tokio::test]
async fn a_segment_that_turns_up_again_fits() {
    let (outer, dir, elsewhere) = paths();
    let options = || Options::new(&dir, &outer.path().join("state"));
    let log = Log::open(options()).unwrap();
    write_requests(&log, 5).await;
    let path = open_segment(&dir);
    moved(&dir, &elsewhere);
    write_past_a_gap(&log).await;
    log.stop().unwrap();
    fs::rename(elsewhere.join("moved"), path).unwrap();
    let found = verified(&dir);
    assert_eq!(found.gaps.len(), 1);
    assert_eq!((found.gaps[0].last_seq, found.gaps[0].missing), (8, None));
    Log::open(options()).unwrap().stop().unwrap();
}

#[tokio::test]
async fn nothing_is_acknowledged_while_there_is_no_place_for_a_folder() {
    let (outer, dir, elsewhere) = paths();
    let log = Log::open(Options::new(&dir, &outer.path().join("state"))).unwrap();
    write_requests(&log, 2).await;
    folder_moved(&dir, &elsewhere);
    fs::write(&dir, "no folder").unwrap();
    let began = Instant::now();
    for _ in 0..20 {
        let closed = close(new_record(&log)).await;
        assert!(closed.is_err());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!log.healthy());
    fs::remove_file(&dir).unwrap();
    while close(new_record(&log)).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "does not go on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(log.healthy());
    log.stop().unwrap();
    assert_eq!(verified(&dir).gaps.len(), 1);
}

#[tokio::test]
async fn a_lost_segment_is_noticed_while_nobody_writes() {
    let (outer, dir, elsewhere) = paths();
    let log = Log::open(Options::new(&dir, &outer.path().join("state"))).unwrap();
    write_requests(&log, 2).await;
    moved(&dir, &elsewhere);
    let began = Instant::now();
    while log.figures().gaps == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "not noticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.stop().unwrap();
    assert_eq!(verified(&dir).gaps[0].missing, Some((1, 5)));
}

#[tokio::test]
async fn a_segment_that_is_lost_last_of_all_is_noted_at_the_stop() {
    let (outer, dir, elsewhere) = paths();
    let log = Log::open(Options::new(&dir, &outer.path().join("state"))).unwrap();
    write_requests(&log, 2).await;
    moved(&dir, &elsewhere);
    log.stop().unwrap();
    let events = events_of(&dir);
    assert_eq!(events[0]["event"], "audit.gap");
    assert_eq!(events.last().unwrap()["event"], "audit.stopped");
}

/// What is done to a log that nobody writes.
type TamperWithEnd = fn(&Path);

/// What is done to a log between two runs, given its folder; and why a start finds it.
const BETWEEN_RUNS: &[(&str, TamperWithEnd, &str)] = &[
    ("its last lines cut off", cut_off_lines, "end-missing"),
    ("its end cut within a line", cut_off_end, "end-missing"),
    ("its newest segment dropped", drop_newest, "end-missing"),
    ("emptied", drop_all, "end-missing"),
    ("its segments emptied", empty_all, "end-missing"),
    ("its folder removed", remove_folder, "end-missing"),
    ("its last event changed", change_last, "end-changed"),
    ("rewritten whole", rewrite, "end-changed"),
];

fn cut_off_lines(dir: &Path) {
    let path = open_segment(dir);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept: String = lines[..lines.len() / 2]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(path, kept).unwrap();
}

fn cut_off_end(dir: &Path) {
    let path = open_segment(dir);
    let bytes = fs::read(&path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 100]).unwrap();
}

fn drop_newest(dir: &Path) {
    fs::remove_file(open_segment(dir)).unwrap();
}

fn drop_all(dir: &Path) {
    for first in segments(dir).unwrap() {
        fs::remove_file(dir.join(folder::segment_name(first))).unwrap();
    }
}

fn empty_all(dir: &Path) {
    for first in segments(dir).unwrap() {
        fs::write(dir.join(folder::segment_name(first)), "").unwrap();
    }
}

fn remove_folder(dir: &Path) {
    fs::remove_dir_all(dir).unwrap();
}

fn change_last(dir: &Path) {
    let path = open_segment(dir);
    let text = fs::read_to_string(&path).unwrap();
    let last = text.trim_end().rfind('\n').map_or(0, |newline| newline + 1);
    let changed = text[last..].replace("\"node\":\"paravent\"", "\"node\":\"elsewhere\"");
    assert_ne!(changed, text[last..]);
    fs::write(path, format!("{}{changed}", &text[..last])).unwrap();
}

/// The whole chain anew, with one event more, as somebody does it who knows how.
pub(in super::super) fn rewrite(dir: &Path) {
    let (mut head, mut tree) = (Head::start(), tree::Tree::default());
    let mut text = String::new();
    let mut events = events_of(dir);
    // It is one segment then, which says once to which log it belongs.
    let (mut is_first, count) = (true, events.len());
    events.retain(|event| event["event"] != "audit.segment" || std::mem::take(&mut is_first));
    while events.len() <= count {
        events.push(events[events.len() - 1].clone());
    }
    for event in &mut events {
        event["seq"] = (head.seq + 1).into();
        event["prev"] = head.hash.as_str().into();
        if event["event"].is_null() {
            event["origin"]["ip"] = "192.0.2.0/24".into();
        }
        if event["event"] == "audit.segment" {
            let edge = tree.edge().iter();
            event["tree"] = edge.map(|hash| crate::hex::hex(hash)).collect();
        }
        let line = event.to_string();
        let leaf = chain::leaf_hash(line.as_bytes());
        head = head.after(&leaf);
        tree.push(leaf);
        text.push_str(&line);
        text.push('\n');
    }
    drop_all(dir);
    fs::write(dir.join(folder::segment_name(1)), text).unwrap();
}

#[tokio::test]
async fn a_start_sees_that_the_end_of_the_log_is_missing() {
    for (name, tamper, why) in BETWEEN_RUNS {
        let (outer, dir, _) = paths();
        let options = || Options {
            segment_bytes_max: 4_000,
            ..Options::new(&dir, &outer.path().join("state"))
        };
        let log = Log::open(options()).unwrap();
        write_requests(&log, 12).await;
        log.stop().unwrap();
        let before = verified(&dir);
        assert!(before.segments > 1 && before.gaps.is_empty());
        let kept = fs::read_to_string(outer.path().join("state/head")).unwrap();
        let head = Head {
            seq: before.last_seq,
            hash: before.last_hash,
        };
        assert_eq!(Head::parse(kept.trim_end()), Some(head.clone()));
        tamper(&dir);

        let opened = Log::open(options());
        if *name == "its segments emptied" {
            // Nothing of a segment was torn by us: that is no log any more.
            assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{name}");
            continue;
        }
        let log = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        write_requests(&log, 1).await;
        log.stop().unwrap();
        let events = events_of(&dir);
        let gap = events
            .iter()
            .find(|event| event["event"] == "audit.gap")
            .unwrap_or_else(|| panic!("{name}: no gap is noted"));
        assert_eq!(gap["why"], *why, "{name}");
        assert_eq!(gap["last_seq"], head.seq, "{name}");
        assert_eq!(gap["last_hash"], head.hash, "{name}");
        let verdict = verify(&dir, &mut |_| {}).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(verdict.gaps.len(), 1, "{name}");
        let found = &verdict.gaps[0];
        let is_told = match *why {
            "end-missing" => found.missing.is_some_and(|(_, last)| last == head.seq),
            _ => found.is_changed || *name == "rewritten whole",
        };
        assert!(is_told, "{name}: {found:?}");
        // And once more: what was noted is not noted again.
        Log::open(options()).unwrap().stop().unwrap();
        assert_eq!(verify(&dir, &mut |_| {}).unwrap().gaps.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_kill_while_a_gap_is_begun_keeps_no_log_from_being_opened() {
    let begun = ["", "{\"event\":\"audit.gap\",\"id", "\0\0\0"];
    for (tamper, left) in [cut_off_lines, cut_off_end, drop_all]
        .into_iter()
        .flat_map(|tamper: fn(&Path)| begun.map(|left| (tamper, left)))
    {
        let (outer, dir, _) = paths();
        let options = || Options::new(&dir, &outer.path().join("state"));
        let log = Log::open(options()).unwrap();
        write_requests(&log, 6).await;
        log.stop().unwrap();
        let last_seq = verified(&dir).last_seq;
        tamper(&dir);
        let next = dir.join(folder::segment_name(last_seq + 1));
        fs::write(&next, left).unwrap();
        let log = Log::open(options()).unwrap_or_else(|error| panic!("{left:?}: {error}"));
        write_requests(&log, 1).await;
        log.stop().unwrap();
        let events = events_of(&dir);
        let gaps: Vec<_> = events
            .iter()
            .filter(|event| event["event"] == "audit.gap")
            .collect();
        assert_eq!(gaps.len(), 1, "{left:?}");
        assert_eq!(gaps[0]["last_seq"], last_seq);
        let part = format!("torn-{:016}-1.part", last_seq + 1);
        let is_told =
            |event: &&Value| event["event"] == "audit.recovered" && event["part"] == part.as_str();
        assert_eq!(
            events.iter().filter(is_told).count(),
            usize::from(!left.is_empty())
        );
        if !left.is_empty() {
            assert_eq!(fs::read_to_string(dir.join(part)).unwrap(), left);
        }
        verify(&dir, &mut |_| {}).unwrap();
    }
}

#[tokio::test]
async fn a_log_that_is_ahead_of_its_kept_head_is_no_gap() {
    let (outer, dir, _) = paths();
    let state = outer.path().join("state");
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    write_requests(&log, 3).await;
    let early = fs::read(state.join("head")).unwrap();
    write_requests(&log, 3).await;
    log.stop().unwrap();
    // As after a power cut that has lost the last heads, or all of them, or left nothing that is one.
    for (kept, word) in [
        (&early[..], "kept"),
        (b"", "none"),
        (&[0; 93], "unreadable"),
    ] {
        fs::write(state.join("head"), kept).unwrap();
        Log::open(Options::new(&dir, &state))
            .unwrap()
            .stop()
            .unwrap();
        assert!(verified(&dir).gaps.is_empty());
        let events = events_of(&dir);
        let started = events
            .iter()
            .rfind(|event| event["event"] == "audit.started");
        assert_eq!(started.unwrap()["head"], word);
    }
}

#[tokio::test]
async fn a_kept_head_that_is_taken_away_is_kept_anew() {
    let (outer, dir, _) = paths();
    let state = outer.path().join("state");
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    write_requests(&log, 3).await;
    fs::remove_dir_all(&state).unwrap();
    let began = Instant::now();
    while !state.join("head").exists() {
        assert!(began.elapsed() < Duration::from_secs(20), "not noticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.stop().unwrap();
    let kept = fs::read_to_string(state.join("head")).unwrap();
    let kept = Head::parse(kept.trim_end()).unwrap();
    assert_eq!(kept.seq, verified(&dir).last_seq);
}

#[tokio::test]
async fn while_the_head_cannot_be_kept_nothing_is_acknowledged() {
    let (outer, dir, _) = paths();
    let state = outer.path().join("state");
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    write_requests(&log, 3).await;
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "no folder").unwrap();
    let began = Instant::now();
    while log.healthy() {
        assert!(began.elapsed() < Duration::from_secs(20), "not noticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..20 {
        let closed = close(new_record(&log)).await;
        assert!(closed.is_err());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fs::remove_file(&state).unwrap();
    while !log.healthy() {
        assert!(began.elapsed() < Duration::from_secs(20), "does not go on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    write_requests(&log, 1).await;
    log.stop().unwrap();
    assert!(verified(&dir).gaps.is_empty());
}

#[test]
fn two_logs_do_not_share_a_state() {
    let (outer, dir, elsewhere) = paths();
    let state = outer.path().join("state");
    let log = Log::open(Options::new(&dir, &state)).unwrap();
    let error = Log::open(Options::new(&elsewhere, &state)).unwrap_err();
    assert!(matches!(error, OpenError::StateInUse { .. }), "{error}");
    assert!(error.to_string().contains("state: { dir: … }"), "{error}");
    log.stop().unwrap();
    let no_folder = outer.path().join("file");
    fs::write(&no_folder, "").unwrap();
    let error = Log::open(Options::new(&elsewhere, &no_folder)).unwrap_err();
    assert!(matches!(error, OpenError::State { .. }), "{error}");
}
