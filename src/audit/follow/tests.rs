//! What whoever follows a log is told, whatever happens to it.

use std::fs;

use tempfile::TempDir;

use super::super::folder::segment_name;
use super::super::tests::{close, options, record_of};
use super::super::{By, Event, Log, Options};
use super::*;

const ALL: Bounds = Bounds {
    steps: usize::MAX,
    bytes: usize::MAX,
};

/// What was handed out, in words: numbers of events, and remarks.
fn told(steps: &[Step]) -> Vec<String> {
    let one = |step: &Step| match step {
        Step::Event(event) => event.head.seq.to_string(),
        Step::Remark(remark) => {
            let why = remark.why.as_str();
            format!("{why} {}-{}", remark.first_seq, remark.last_seq)
        }
    };
    steps.iter().map(one).collect()
}

fn rest(follower: &mut Follower, until: u64) -> Vec<String> {
    told(&follower.read(until, ALL).unwrap().steps)
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect()
}

fn open(dir: &Path, segment_bytes_max: u64) -> Log {
    Log::open(Options {
        segment_bytes_max,
        ..options(dir)
    })
    .unwrap()
}

async fn note(log: &Log, count: usize) {
    for _ in 0..count {
        let event = Event::policy_rejected(None, &["P001"], By::Watch);
        log.write(event).await.unwrap();
    }
}

/// A log of notices alone, in small segments; the number of its last event.
async fn of_notices(dir: &Path, count: usize) -> u64 {
    let log = open(dir, 700);
    note(&log, count).await;
    log.stop().unwrap();
    *log.settled().borrow()
}

#[tokio::test]
async fn every_event_comes_once_in_order_over_segments_restarts_and_batches() {
    let dir = TempDir::new().unwrap();
    let last = of_notices(dir.path(), 20).await;
    assert!(segments(dir.path()).unwrap().len() > 4);
    let mut follower = Follower::from_oldest(dir.path()).unwrap();
    assert_eq!(rest(&mut follower, last), numbers(1..=last));
    assert!(rest(&mut follower, last).is_empty());
    // By another follower, in steps of three, begun anew each time.
    let mut at = Follower::from_oldest(dir.path()).unwrap().at().clone();
    let mut all = Vec::new();
    while at.seq < last {
        let mut follower = Follower::behind(dir.path(), at);
        let three = Bounds {
            steps: 3,
            bytes: 1 << 20,
        };
        let batch = follower.read(last, three).unwrap();
        assert!((1..=3).contains(&batch.steps.len()));
        all.extend(told(&batch.steps));
        at = batch.at;
    }
    assert_eq!(all, numbers(1..=last));
    // What is written later follows.
    let again = of_notices(dir.path(), 3).await;
    assert_eq!(rest(&mut follower, again), numbers(last + 1..=again));
    let mut newest = Follower::from_newest(dir.path(), again).unwrap();
    assert_eq!(rest(&mut newest, again), numbers([again]));
}

#[tokio::test]
async fn nothing_is_handed_out_before_it_is_on_disk_and_a_batch_is_bounded_in_bytes() {
    let dir = TempDir::new().unwrap();
    let last = of_notices(dir.path(), 9).await;
    let mut follower = Follower::from_oldest(dir.path()).unwrap();
    assert!(rest(&mut follower, 0).is_empty());
    assert_eq!(rest(&mut follower, 4), numbers(1..=4));
    let one = Bounds {
        steps: 100,
        bytes: 1,
    };
    let batch = follower.read(last, one).unwrap();
    assert_eq!(told(&batch.steps), ["5"]);
}

#[tokio::test]
async fn events_say_themselves_what_their_terms_say_and_records_name_their_crm() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path(), 2_000);
    for upstream in ["crm", "other", "crm"] {
        for _ in 0..4 {
            let _ = close(record_of(&log, upstream)).await.unwrap();
        }
    }
    log.stop().unwrap();
    let last = *log.settled().borrow();
    let mut requests = 0;
    let mut at = Follower::from_oldest(dir.path()).unwrap().at().clone();
    while at.seq < last {
        // Each time from a place that was kept, so that terms before it are found again.
        let mut follower = Follower::behind(dir.path(), at);
        let batch = follower.read(last, Bounds { steps: 1, bytes: 1 }).unwrap();
        for step in &batch.steps {
            let Step::Event(event) = step else {
                panic!("{step:?}")
            };
            assert!(!event.value.to_string().contains("CANARY"));
            if event.value.get("event").is_none() {
                requests += 1;
                assert_eq!(event.value["policy"]["name"], "sugarcrm-eu");
                assert_eq!(event.value["caller"]["roles"], serde_json::json!([]));
                assert!(event.value.get("terms").is_none());
                let upstream = event.value["request"]["upstream"].as_str().unwrap();
                let refs = event.value["records"]["refs"].as_array().unwrap();
                let own = format!("{upstream}:Contacts/");
                assert!(
                    refs.iter()
                        .all(|one| one.as_str().unwrap().starts_with(&own))
                );
            }
        }
        at = batch.at;
    }
    assert_eq!(requests, 12);
}

#[tokio::test]
async fn what_was_pruned_or_is_missing_is_said_and_the_rest_follows() {
    let dir = TempDir::new().unwrap();
    let last = of_notices(dir.path(), 20).await;
    let all = segments(dir.path()).unwrap();
    let begun = Follower::behind(dir.path(), Follower::from_oldest(dir.path()).unwrap().at);
    let mut reading = Follower::from_oldest(dir.path()).unwrap();
    let first = reading.read(last, Bounds { steps: 1, bytes: 1 }).unwrap();
    assert_eq!(told(&first.steps), ["1"]);
    let remove = |seq: u64| fs::remove_file(dir.path().join(segment_name(seq))).unwrap();
    // Old segments go, also while one of them is read.
    let pruned = dir.path().join("pruned");
    fs::create_dir(&pruned).unwrap();
    let leaves = vec![7; 32 * usize::try_from(all[2] - 1).unwrap()];
    let file = pruned.join(format!("leaves-{:016}-{:016}.bin", 1, all[2] - 1));
    fs::write(&file, &leaves).unwrap();
    remove(all[0]);
    remove(all[1]);
    let pruned = |from: u64| {
        let mut told = vec![format!("pruned {from}-{}", all[2] - 1)];
        told.extend(numbers(all[2]..=last));
        told
    };
    assert_eq!(
        rest(
            &mut Follower {
                place: None,
                ..begun
            },
            last
        ),
        pruned(1)
    );
    // Its first event is not the one of these leaves.
    let of_others = rest(&mut reading, last);
    assert_eq!(of_others[0], format!("other-log {0}-{0}", all[2]));
    let mut reading = Follower::behind(dir.path(), first.at.clone());
    let hash = first.at.hash.strip_prefix("sha256:").unwrap();
    let own = |place: usize| u8::from_str_radix(&hash[2 * place..2 * place + 2], 16).unwrap();
    let mut leaves = leaves;
    for (place, byte) in leaves.iter_mut().take(32).enumerate() {
        *byte = own(place);
    }
    fs::write(&file, &leaves).unwrap();
    assert_eq!(rest(&mut reading, last), pruned(2));
    // The event right before the oldest one was taken: nothing is missed.
    let before = Follower::from_oldest(dir.path()).unwrap().at;
    assert_eq!(before.seq, all[2] - 1);
    let mut follower = Follower::behind(dir.path(), before.clone());
    assert_eq!(rest(&mut follower, last), numbers(all[2]..=last));
    // One in the middle goes, which nobody prunes.
    remove(all[3]);
    let mut follower = Follower::behind(dir.path(), before);
    let mut expected = numbers(all[2]..all[3]);
    expected.push(format!("missing {}-{}", all[3], all[4] - 1));
    expected.extend(numbers(all[4]..=last));
    assert_eq!(rest(&mut follower, last), expected);
}

#[tokio::test]
async fn a_place_of_another_log_is_told_from_one_of_this_log() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let last = of_notices(one.path(), 20).await;
    let shorter = of_notices(other.path(), 5).await;
    let mut follower = Follower::from_oldest(one.path()).unwrap();
    let place = |follower: &mut Follower, seq| {
        follower.read(seq, ALL).unwrap();
        follower.at().clone()
    };
    let early = place(&mut follower, 3);
    let late = place(&mut follower, last);
    for at in [early.clone(), late] {
        let mut expected = vec!["other-log 1-1".to_owned()];
        expected.extend(numbers(1..=shorter));
        let mut follower = Follower::behind(other.path(), at);
        assert_eq!(rest(&mut follower, shorter), expected);
    }
    // The leaves of what was pruned tell, too.
    let all = segments(one.path()).unwrap();
    let oldest = all.into_iter().find(|first| *first > 5).unwrap();
    let mut leaves = vec![7; 32 * usize::try_from(oldest - 1).unwrap()];
    let own = |digits: &str| u8::from_str_radix(digits, 16).unwrap();
    for seq in segments(one.path()).unwrap() {
        if seq < oldest {
            fs::remove_file(one.path().join(segment_name(seq))).unwrap();
        }
    }
    let kept = one.path().join("pruned");
    fs::create_dir(&kept).unwrap();
    let file = kept.join(format!("leaves-{:016}-{:016}.bin", 1, oldest - 1));
    fs::write(&file, &leaves).unwrap();
    let mut follower = Follower::behind(one.path(), early.clone());
    let told = rest(&mut follower, last);
    assert_eq!(told[0], format!("other-log {oldest}-{oldest}"));
    let hash = early.hash.strip_prefix("sha256:").unwrap();
    for place in 0..32 {
        leaves[2 * 32 + place] = own(&hash[2 * place..2 * place + 2]);
    }
    fs::write(&file, &leaves).unwrap();
    let mut follower = Follower::behind(one.path(), early);
    let told = rest(&mut follower, last);
    assert_eq!(told[0], format!("pruned 4-{}", oldest - 1));
}

#[tokio::test]
async fn what_is_no_event_or_does_not_follow_is_said_and_nothing_stops() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path(), 1 << 20);
    note(&log, 6).await;
    log.stop().unwrap();
    let last = *log.settled().borrow();
    let path = dir.path().join(segment_name(1));
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // One is changed, two are noise, one claims another number.
    lines[2] = lines[2].replace("P001", "P002");
    lines[4] = "{}".to_owned();
    lines[5] = "x".repeat(100);
    lines[7] = lines[7].replace("\"seq\":8", "\"seq\":18446744073709551615");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let mut follower = Follower::from_oldest(dir.path()).unwrap();
    assert_eq!(
        rest(&mut follower, last),
        [
            "1",
            "2",
            "3",
            "changed 4-4",
            "4",
            "unreadable 5-6",
            "changed 7-7",
            "7",
            "unreadable 8-8",
            "changed 9-9",
            "9"
        ]
    );
    assert_eq!(follower.at().seq, last);
}

#[tokio::test]
async fn a_gap_is_gone_over_while_the_log_goes_on() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path(), 1 << 20);
    note(&log, 3).await;
    let mut follower = Follower::from_oldest(dir.path()).unwrap();
    let half = Bounds {
        steps: 2,
        bytes: 1 << 20,
    };
    assert_eq!(told(&follower.read(4, half).unwrap().steps), ["1", "2"]);
    fs::remove_file(dir.path().join(segment_name(1))).unwrap();
    // Until the log has noticed there is nothing to be read.
    assert!(rest(&mut follower, 5).is_empty());
    let mut settled = log.settled();
    while *settled.borrow_and_update() < 6 {
        settled.changed().await.unwrap();
    }
    note(&log, 1).await;
    log.stop().unwrap();
    let last = *settled.borrow();
    let mut expected = vec!["missing 3-5".to_owned()];
    expected.extend(numbers(6..=last));
    assert_eq!(rest(&mut follower, last), expected);
}
