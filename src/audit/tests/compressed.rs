//! Compressed segments are read as plain ones are, and no instant of compressing leaves less than a whole one.

use jiff::Timestamp;

use super::super::chain::{last_line, next_event};
use super::super::compress::{clean_up, compress, due};
use super::super::folder::{packed_name, segment_name};
use super::*;

fn go_on() -> io::Result<()> {
    Ok(())
}

/// Compresses all segments but the last.
fn compress_all(dir: &Path) {
    let all = segments(dir).unwrap();
    for first_seq in &all[..all.len() - 1] {
        let done = compress(dir, *first_seq, &mut go_on).unwrap();
        assert!(done.packed < done.plain);
    }
}

/// Every line of every segment.
fn lines_of(dir: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for first_seq in segments(dir).unwrap() {
        let mut lines = Lines::of_segment(dir, first_seq).unwrap();
        while lines.next().unwrap().is_some() {
            all.push(lines.line.clone());
        }
    }
    all
}

fn shown(dir: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    let asked = Query::parse([], Timestamp::now()).unwrap();
    query(dir, &asked, &mut |found| {
        all.push(found.json());
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    all
}

#[tokio::test]
async fn readers_see_no_difference() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 12).await;
    let before = (
        verified(dir.path()),
        lines_of(dir.path()),
        shown(dir.path()),
        log_bytes(dir.path()).unwrap(),
    );
    assert!(before.0.segments > 3 && !before.2.is_empty());
    compress_all(dir.path());
    let first = segments(dir.path()).unwrap()[0];
    assert!(!dir.path().join(segment_name(first)).exists());
    let after = (
        verified(dir.path()),
        lines_of(dir.path()),
        shown(dir.path()),
        log_bytes(dir.path()).unwrap(),
    );
    assert!(before == after);
    // It is gone on with, and the chain holds across the forms.
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 3).await;
    log.stop().unwrap();
    assert!(verified(dir.path()).events > before.0.events + 3);
}

#[tokio::test]
async fn lines_are_read_from_any_place_where_one_begins() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 4).await;
    for is_packed in [false, true] {
        if is_packed {
            compress_all(dir.path());
        }
        let mut all = Lines::of_segment(dir.path(), 1).unwrap();
        let mut places = Vec::new();
        while all.next().unwrap().is_some() {
            places.push((all.start_bytes, all.end_bytes, all.line.clone()));
        }
        assert!(places.len() > 3);
        for (start, end, line) in &places {
            let mut from = Lines::at(dir.path(), 1, *start).unwrap();
            from.next().unwrap();
            assert_eq!((from.start_bytes, from.end_bytes), (*start, *end));
            assert_eq!(from.line, *line);
        }
        let (_, end, last) = places.pop().unwrap();
        assert_eq!(last_line(dir.path(), 1).unwrap(), Some(last));
        for behind in [end, end + 1_000] {
            let mut from = Lines::at(dir.path(), 1, behind).unwrap();
            assert!(from.next().unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn a_damaged_file_is_named_whoever_reads_it() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 12).await;
    compress_all(dir.path());
    let name = packed_name(segments(dir.path()).unwrap()[1]);
    let path = dir.path().join(&name);
    let whole = fs::read(&path).unwrap();
    let mut garbled = whole.clone();
    garbled[whole.len() / 3] ^= 0xff;
    for bytes in [&whole[..whole.len() / 2], &garbled, b"", b"no zstd at all"] {
        fs::write(&path, bytes).unwrap();
        let says = |fault: Fault| {
            assert!(fault.to_string().contains(&name), "{fault}");
        };
        says(verify(dir.path(), &mut |_| {}).unwrap_err());
        let asked = Query::parse([], Timestamp::now()).unwrap();
        says(
            query(dir.path(), &asked, &mut |_| {
                std::ops::ControlFlow::Continue(())
            })
            .unwrap_err(),
        );
        says(events(dir.path(), &mut |_| std::ops::ControlFlow::Continue(())).unwrap_err());
        assert!(log_bytes(dir.path()).is_err() || *bytes == garbled);
    }
    fs::write(&path, whole).unwrap();
    verified(dir.path());
}

#[tokio::test]
async fn a_kill_at_any_instant_leaves_one_whole_copy() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 6).await;
    let before = verified(dir.path());
    let plain = fs::read(dir.path().join(segment_name(1))).unwrap();
    let packed = dir.path().join(packed_name(1));
    // While it is written: what there is has a name that nobody reads.
    let unfinished = dir.path().join(packed_name(1) + ".part");
    let foreign = dir.path().join("notes.zst.part");
    for path in [&unfinished, &foreign] {
        fs::write(path, b"half").unwrap();
    }
    assert_eq!(verified(dir.path()), before);
    clean_up(dir.path()).unwrap();
    assert!(!unfinished.exists() && foreign.exists());
    // Between both names: the plain one counts, also if the other one is not what it should be.
    compress(dir.path(), 1, &mut go_on).unwrap();
    fs::write(dir.path().join(segment_name(1)), &plain).unwrap();
    assert_eq!(verified(dir.path()), before);
    fs::write(&packed, b"of another log").unwrap();
    assert_eq!(verified(dir.path()), before);
    assert_eq!(due(dir.path(), Timestamp::MAX).unwrap().first(), Some(&1));
    compress(dir.path(), 1, &mut go_on).unwrap();
    assert_eq!(verified(dir.path()), before);
    assert!(!dir.path().join(segment_name(1)).exists());
    // Broken off in the middle, nothing is left of it.
    let second = segments(dir.path()).unwrap()[1];
    let stopped = compress(dir.path(), second, &mut || {
        Err(io::ErrorKind::Interrupted.into())
    });
    assert_eq!(stopped.unwrap_err().kind(), io::ErrorKind::Interrupted);
    assert!(dir.path().join(segment_name(second)).exists());
    assert!(!dir.path().join(packed_name(second) + ".part").exists());
}

#[tokio::test]
async fn a_segment_that_changes_meanwhile_stays() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 6).await;
    let path = dir.path().join(segment_name(1));
    let mut grow = || {
        let mut file = fs::OpenOptions::new().append(true).open(&path)?;
        io::Write::write_all(&mut file, b"more\n")
    };
    assert!(compress(dir.path(), 1, &mut grow).is_err());
    assert!(path.exists());
}

#[tokio::test]
async fn what_was_closed_an_hour_ago_is_due_and_the_open_one_never_is() {
    let dir = TempDir::new().unwrap();
    let at = |time: &str| time.parse::<Timestamp>().unwrap();
    for time in ["2026-03-01T12:00:00Z", "2026-03-01T12:30:00Z"] {
        let time = at(time);
        let log = Log::open(Options {
            segment_bytes_max: 1_000,
            clock: Clock::telling(move || time),
            ..options(dir.path())
        })
        .unwrap();
        write_requests(&log, 4).await;
        log.stop().unwrap();
    }
    let all = segments(dir.path()).unwrap();
    let began_at = |first_seq: u64| {
        let mut lines = Lines::of_segment(dir.path(), first_seq).unwrap();
        next_event(&mut lines).unwrap().unwrap().time
    };
    let closed_at_noon = all
        .iter()
        .filter(|first| began_at(**first).contains("T12:00"))
        .count()
        - 1;
    assert!(closed_at_noon > 0 && closed_at_noon + 1 < all.len());
    let due_at = |time: &str| due(dir.path(), at(time)).unwrap();
    assert!(due_at("2026-03-01T12:59:59.999Z").is_empty());
    assert_eq!(due_at("2026-03-01T13:00:00Z"), all[..closed_at_noon]);
    assert_eq!(due_at("2026-03-01T13:30:00Z"), all[..all.len() - 1]);
    // A clock that went back makes nothing due.
    assert!(due_at("2020-01-01T00:00:00Z").is_empty());
}

#[tokio::test]
async fn a_log_that_ends_with_a_compressed_segment_goes_on_in_a_new_one() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 6).await;
    compress_all(dir.path());
    let open = segments(dir.path()).unwrap().pop().unwrap();
    fs::remove_file(dir.path().join(segment_name(open))).unwrap();
    let last = segments(dir.path()).unwrap().pop().unwrap();
    let packed = fs::read(dir.path().join(packed_name(last))).unwrap();
    for state in ["state", "another"] {
        let log = Log::open(Options::new(dir.path(), &dir.path().join(state))).unwrap();
        write_requests(&log, 2).await;
        log.stop().unwrap();
        assert!(!dir.path().join(segment_name(last)).exists());
        assert_eq!(
            fs::read(dir.path().join(packed_name(last))).unwrap(),
            packed
        );
    }
    // The state tells what is missing.
    assert_eq!(verified(dir.path()).gaps.len(), 1);
}

#[tokio::test]
async fn closed_segments_are_compressed_by_themselves() {
    let dir = TempDir::new().unwrap();
    let now = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&now);
    let noon: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let clock = Clock::telling(move || {
        noon + jiff::SignedDuration::from_secs(told.load(Ordering::Relaxed) as i64)
    });
    let log = Log::open(Options {
        segment_bytes_max: 1_000,
        clock: clock.clone(),
        ..options(dir.path())
    })
    .unwrap();
    write_requests(&log, 6).await;
    log.stop().unwrap();
    let closed = segments(dir.path()).unwrap().len() - 1;
    now.store(3_601, Ordering::Relaxed);
    let log = Log::open(Options {
        clock,
        ..options(dir.path())
    })
    .unwrap();
    let packed = || {
        let names = fs::read_dir(dir.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".zst")).count()
    };
    let began = Instant::now();
    while packed() < closed {
        assert!(began.elapsed() < Duration::from_secs(20), "not compressed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.stop().unwrap();
    verified(dir.path());
}
