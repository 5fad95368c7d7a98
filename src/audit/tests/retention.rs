//! What was kept long enough goes, whole, said and provable; and nothing else does, however full it gets.

use jiff::Timestamp;

use super::super::chain::{Head, last_line};
use super::super::compress::compress;
use super::super::folder::{is_plain, packed_name, segment_name};
use super::super::retention::{self, Old};
use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn told(dir: &Path, time: &str) -> Options {
    let time = at(time);
    Options {
        segment_bytes_max: 1_500,
        clock: Clock::telling(move || time),
        ..options(dir)
    }
}

/// A log that was written on these days.
async fn written(dir: &Path, times: &[&str]) {
    for time in times {
        let log = Log::open(told(dir, time)).unwrap();
        write_requests(&log, 6).await;
        log.stop().unwrap();
    }
}

fn judged(dir: &Path, keep: Duration, now: &str) -> Old {
    retention::judge(dir, keep, at(now), &mut || Ok(())).unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("audit-")).collect();
    names.sort();
    names
}

/// The time of the last event of a segment.
fn last_time(dir: &Path, first_seq: u64) -> String {
    let line = last_line(dir, first_seq).unwrap().unwrap();
    let last: Value = serde_json::from_slice(&line).unwrap();
    last["time"].as_str().unwrap().to_owned()
}

/// Removes a segment, in whatever form it is kept.
fn remove(dir: &Path, first_seq: u64) {
    for name in [segment_name(first_seq), packed_name(first_seq)] {
        let _ = fs::remove_file(dir.join(name));
    }
    assert!(!segments(dir).unwrap().contains(&first_seq));
}

/// Lets a log keep house until what is old is gone.
async fn prune(dir: &Path, now: &str) {
    let first = segments(dir).unwrap()[0];
    let log = Log::open(Options {
        keep: Some(YEAR),
        ..told(dir, now)
    })
    .unwrap();
    until(|| segments(dir).unwrap()[0] != first).await;
    log.stop().unwrap();
}

#[tokio::test]
async fn what_is_older_goes_and_the_rest_still_verifies() {
    let dir = TempDir::new().unwrap();
    written(
        dir.path(),
        &["2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"],
    )
    .await;
    let before = raw(dir.path());
    let all = segments(dir.path()).unwrap();
    let go: Vec<_> = all
        .iter()
        .filter(|first| last_time(dir.path(), **first).starts_with("2024"))
        .collect();
    assert!(go.len() > 1 && go.len() < all.len());
    // In either form: some were compressed meanwhile, if there was time.
    if is_plain(dir.path(), all[0]).unwrap() {
        compress(dir.path(), all[0], &mut || Ok(())).unwrap();
    }
    prune(dir.path(), "2025-06-01T00:00:00Z").await;
    let left = segments(dir.path()).unwrap();
    assert_eq!(left[0], all[go.len()]);
    let last_seq = left[0] - 1;
    assert_eq!(pruned_up_to(dir.path()).unwrap(), Some(last_seq));

    let verified = verified(dir.path());
    let notice = raw(dir.path())
        .into_iter()
        .find(|event| event["event"] == "audit.pruned")
        .unwrap();
    assert_eq!(notice["first_seq"], 1);
    assert_eq!(notice["last_seq"], last_seq);
    assert_eq!(notice["segments"], go.len());
    assert_eq!(
        (&notice["keep"], &notice["why"]),
        (&"365d".into(), &"keep".into())
    );
    assert!(notice["bytes"].as_u64().unwrap() > 1_000);

    // Heads of events that are gone are still known.
    let head = |seq: u64| Head {
        seq,
        hash: before[seq as usize]["prev"].as_str().unwrap().to_owned(),
    };
    for seq in [1, last_seq - 1, last_seq, last_seq + 1] {
        verify_against(dir.path(), &[head(seq)], &mut |_| {}).unwrap();
        let other = Head {
            hash: format!("sha256:{}", "1".repeat(64)),
            ..head(seq)
        };
        let fault = verify_against(dir.path(), &[other], &mut |_| {}).unwrap_err();
        assert!(
            matches!(fault, Fault::Unexpected(Unexpected::Differs { .. })),
            "{fault}"
        );
    }
    // It is gone on with, and asked.
    written(dir.path(), &["2025-06-02T00:00:00Z"]).await;
    assert!(super::verified(dir.path()).events > verified.events);
    let summary = events(dir.path(), &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(summary.events > 0 && summary.unreadable_lines == 0);

    // Without the leaves, or with others, it is a log whose beginning is missing.
    let leaves = dir.path().join("pruned");
    let last = fs::read_dir(&leaves)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let whole = fs::read(&last).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&last, &changed).unwrap();
    assert!(verify(dir.path(), &mut |_| {}).is_err());
    fs::write(&last, &whole[1..]).unwrap();
    assert!(verify(dir.path(), &mut |_| {}).is_err());
    fs::remove_file(&last).unwrap();
    assert!(verify(dir.path(), &mut |_| {}).is_err());
    fs::write(&last, whole).unwrap();
    super::verified(dir.path());
}

#[tokio::test]
async fn nothing_younger_goes_nor_the_open_one_nor_anything_while_the_clock_went_back() {
    let dir = TempDir::new().unwrap();
    written(dir.path(), &["2024-01-01T00:00:00Z"]).await;
    let before = files(dir.path());
    // To the millisecond.
    assert!(judged(dir.path(), DAY, "2024-01-02T00:00:00Z").is_empty());
    assert!(judged(dir.path(), DAY, "2023-12-31T23:59:59Z").is_empty());
    assert!(judged(dir.path(), YEAR, "1970-01-02T00:00:00Z").is_empty());
    assert_eq!(files(dir.path()), before);
    let old = judged(dir.path(), DAY, "2024-01-02T00:00:00.001Z");
    old.remove(dir.path()).unwrap();
    assert!(!before[before.len() - 1].ends_with(".zst"));
    assert_eq!(files(dir.path()), before[before.len() - 1..]);
    assert!(judged(dir.path(), DAY, "2034-01-01T00:00:00Z").is_empty());
    // An event of a clock that went ahead keeps those before it, and so does one that is the newest.
    let dir = TempDir::new().unwrap();
    written(
        dir.path(),
        &["2024-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
    )
    .await;
    assert!(judged(dir.path(), DAY, "2025-01-01T00:00:00Z").is_empty());
    written(dir.path(), &["2024-02-01T00:00:00Z"]).await;
    let all = segments(dir.path()).unwrap();
    let old = judged(dir.path(), DAY, "2025-01-01T00:00:00Z");
    old.remove(dir.path()).unwrap();
    let left = segments(dir.path()).unwrap();
    assert!(left.len() < all.len(), "those of January went");
    let is_early = |event: &Value| event["time"].as_str().unwrap().starts_with("2030");
    assert!(raw(dir.path()).iter().any(is_early));
}

#[tokio::test]
async fn a_segment_that_is_not_whole_stays_and_so_does_what_follows() {
    let dir = TempDir::new().unwrap();
    written(dir.path(), &["2024-01-01T00:00:00Z"]).await;
    let all = segments(dir.path()).unwrap();
    let path = dir.path().join(segment_name(all[1]));
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.remove(1);
    for bad in [
        text.replacen("2024-01-01", "2023-01-01", 1),
        lines.join("\n") + "\n",
        text.clone() + "torn",
        text.clone() + &text,
    ] {
        fs::write(&path, bad).unwrap();
        let old = judged(dir.path(), DAY, "2026-01-01T00:00:00Z");
        assert_eq!(old, judged(dir.path(), DAY, "2026-01-01T00:00:00Z"));
        let seen = serde_json::to_value(format!("{old:?}"))
            .unwrap()
            .to_string();
        assert!(seen.contains(&format!("segments: [{}]", all[0])), "{seen}");
    }
}

#[tokio::test]
async fn a_kill_between_leaves_notice_and_files_is_repeated_without_harm() {
    let dir = TempDir::new().unwrap();
    written(
        dir.path(),
        &["2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"],
    )
    .await;
    let whole = verified(dir.path());
    // Killed behind the leaves, of which one was not even whole.
    let old = judged(dir.path(), YEAR, "2025-06-01T00:00:00Z");
    assert!(!old.is_empty());
    assert_eq!(verified(dir.path()), whole);
    assert_eq!(pruned_up_to(dir.path()).unwrap(), None);
    let first = fs::read_dir(dir.path().join("pruned"))
        .unwrap()
        .next()
        .unwrap();
    fs::write(first.unwrap().path(), b"half").unwrap();
    // Killed behind the notice.
    let log = Log::open(told(dir.path(), "2025-06-01T00:00:00Z")).unwrap();
    log.write(old.event(YEAR)).await.unwrap();
    log.stop().unwrap();
    assert_eq!(verified(dir.path()).gaps, []);
    // Killed behind the first file.
    let first = segments(dir.path()).unwrap()[0];
    assert!(!judged(dir.path(), YEAR, "2025-06-01T00:00:00Z").is_empty());
    remove(dir.path(), first);
    verified(dir.path());
    prune(dir.path(), "2025-06-01T00:00:00Z").await;
    verified(dir.path());
    assert_eq!(count_of(dir.path(), "audit.pruned"), 2);
    let first = segments(dir.path()).unwrap()[0];
    assert!(*last_time(dir.path(), first) >= *"2025");
    assert!(judged(dir.path(), YEAR, "2025-06-01T00:00:00Z").is_empty());
}

#[tokio::test]
async fn behind_a_gap_it_goes_as_well() {
    let dir = TempDir::new().unwrap();
    written(dir.path(), &["2024-01-01T00:00:00Z"]).await;
    let last = segments(dir.path()).unwrap().pop().unwrap();
    fs::remove_file(dir.path().join(segment_name(last))).unwrap();
    written(
        dir.path(),
        &["2024-01-02T00:00:00Z", "2025-01-01T00:00:00Z"],
    )
    .await;
    assert_eq!(verified(dir.path()).gaps.len(), 1);
    prune(dir.path(), "2025-06-01T00:00:00Z").await;
    assert_eq!(
        verified(dir.path()).gaps.len(),
        0,
        "it went with the event that notes it"
    );
    let first = segments(dir.path()).unwrap()[0];
    assert!(*last_time(dir.path(), first) >= *"2025");
}

#[tokio::test]
async fn what_is_about_to_be_removed_is_said_on_disk_before() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(Options {
        durability: Durability::Relaxed(Duration::from_secs(3_600)),
        ..options(dir.path())
    })
    .unwrap();
    write_requests(&log, 1).await;
    assert!(*log.settled().borrow() < log.figures().events);
    let caretaker = log.caretaker();
    let event = Event::policy_rejected(None, &[], By::Watch);
    let safe = tokio::task::spawn_blocking(move || caretaker.write(event)).await;
    assert!(safe.unwrap().unwrap());
    assert_eq!(*log.settled().borrow(), log.figures().events);
    log.stop().unwrap();
    verified(dir.path());
}

#[tokio::test]
async fn a_kept_head_whose_event_was_removed_is_no_gap_unless_it_was_another_one() {
    let dir = TempDir::new().unwrap();
    written(
        dir.path(),
        &["2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"],
    )
    .await;
    let before = raw(dir.path());
    prune(dir.path(), "2025-06-01T00:00:00Z").await;
    assert!(segments(dir.path()).unwrap()[0] > 3);
    let keep = |hash: &str| {
        fs::write(dir.path().join("state/head"), format!("{:020}:{hash}\n", 3)).unwrap();
    };
    keep(before[3]["prev"].as_str().unwrap());
    written(dir.path(), &["2025-06-02T00:00:00Z"]).await;
    assert_eq!(count_of(dir.path(), "audit.gap"), 0);
    keep(before[2]["prev"].as_str().unwrap());
    written(dir.path(), &["2025-06-03T00:00:00Z"]).await;
    assert_eq!(count_of(dir.path(), "audit.gap"), 1);
}

#[tokio::test]
async fn a_full_log_refuses_and_goes_on_when_there_is_room() {
    let dir = TempDir::new().unwrap();
    let filler = dir.path().join("filler");
    fs::create_dir_all(&filler).unwrap();
    let log = Log::open(Options {
        bytes_max: Some(100_000),
        ..options(dir.path())
    })
    .unwrap();
    write_requests(&log, 2).await;
    assert!(log.healthy() && !log.room().is_tight());
    // Whatever lies in the folder counts.
    fs::write(filler.join("a"), vec![0; 82_000]).unwrap();
    until(|| log.room().is_tight()).await;
    write_requests(&log, 2).await;
    assert!(log.healthy());
    fs::write(filler.join("a"), vec![0; 100_000]).unwrap();
    until(|| !log.healthy()).await;
    for _ in 0..3 {
        assert!(close(new_record(&log)).await.is_err());
    }
    let lost = log.figures().lost;
    assert!(lost >= 3);
    fs::remove_dir_all(&filler).unwrap();
    until(|| log.healthy()).await;
    write_requests(&log, 2).await;
    log.stop().unwrap();
    verified(dir.path());
    let recovered: Vec<_> = raw(dir.path())
        .into_iter()
        .filter(|event| event["event"] == "audit.recovered")
        .collect();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0]["refused"], lost);
}

#[tokio::test]
async fn a_full_log_never_drops_what_must_be_kept() {
    let dir = TempDir::new().unwrap();
    written(dir.path(), &["2024-01-01T00:00:00Z"]).await;
    let before = segments(dir.path()).unwrap();
    let log = Log::open(Options {
        bytes_max: Some(1_000),
        keep: Some(YEAR),
        ..told(dir.path(), "2024-12-30T00:00:00Z")
    })
    .unwrap();
    assert!(!log.healthy());
    assert!(close(new_record(&log)).await.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!log.healthy());
    log.stop().unwrap();
    assert!(segments(dir.path()).unwrap().starts_with(&before));
    // That it was opened and closed is written all the same.
    assert_eq!(count_of(dir.path(), "audit.started"), 2);
    verified(dir.path());
}

#[tokio::test]
async fn a_full_log_makes_room_by_itself_once_it_may() {
    let dir = TempDir::new().unwrap();
    for _ in 0..3 {
        written(dir.path(), &["2024-01-01T00:00:00Z"]).await;
    }
    let bytes: u64 = files(dir.path())
        .iter()
        .map(|name| fs::metadata(dir.path().join(name)).unwrap().len())
        .sum();
    let log = Log::open(Options {
        bytes_max: Some(bytes),
        keep: Some(YEAR),
        ..told(dir.path(), "2026-01-01T00:00:00Z")
    })
    .unwrap();
    until(|| log.healthy() && count_of(dir.path(), "audit.pruned") == 1).await;
    write_requests(&log, 2).await;
    log.stop().unwrap();
    assert!(pruned_up_to(dir.path()).unwrap().is_some());
    verified(dir.path());
}

async fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
