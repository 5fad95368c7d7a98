//! What was done to a log, and what is found.

use std::fs;

use tempfile::TempDir;

use super::super::folder::{segment_name, segments};
use super::super::tests::{raw, sample};
use super::super::tree::Tree;
use super::super::verdict::{Broken, Tampering};
use super::*;

mod forge;
mod tampering;
mod vectors;

/// Verifies a log of two segments and more after something was done to the lines of its first file, and says what
/// was found.
async fn after(tamper: impl FnOnce(&mut Vec<String>)) -> Broken {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 10).await;
    assert!(segments(dir.path()).unwrap().len() > 1);
    let path = dir.path().join(segment_name(1));
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    tamper(&mut lines);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    found(dir.path())
}

fn found(dir: &Path) -> Broken {
    match verify(dir, &mut |_| {}) {
        Err(Fault::Broken(broken)) => broken,
        other => panic!("{other:?}"),
    }
}

fn broken(line: u64, seq: u64, what: Tampering) -> Broken {
    let file = segment_name(1);
    Broken {
        file,
        line,
        seq,
        what,
    }
}

#[tokio::test]
async fn an_untouched_log_is_verified() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 10).await;
    let mut heard = 0;
    let verified = verify(dir.path(), &mut |_| heard += 1).unwrap();
    let events = raw(dir.path()).len() as u64;
    assert!(events > 22 + 1, "terms are said in each segment");
    assert_eq!((verified.events, verified.last_seq), (events, events));
    assert!(verified.unclosed.is_empty() && verified.set_aside.is_empty());
    assert_eq!(verified.unfinished_bytes, 0);
}

#[tokio::test]
async fn a_changed_event_is_named() {
    let change = |line: &mut String| *line = line.replace("10.2.14.0", "10.2.15.0");
    let changed = after(|lines| change(&mut lines[3])).await;
    assert_eq!(changed, broken(4, 4, Tampering::Changed));
    // The last of a file is found by the first of the next one, and still named where it stands.
    let mut last = 0;
    let changed = after(|lines| {
        last = lines.len() as u64;
        change(lines.last_mut().unwrap());
    })
    .await;
    assert_eq!(changed, broken(last, last, Tampering::Changed));
    let changed = after(|lines| {
        lines[3] = lines[3].replace("\"prev\":\"sha256:", "\"prev\":\"sha256:0");
    })
    .await;
    assert_eq!(changed, broken(4, 4, Tampering::Changed));
}

#[tokio::test]
async fn a_line_that_is_no_longer_canonical_is_named() {
    let spaced = after(|lines| lines[3] = lines[3].replace("\"seq\":", "\"seq\": ")).await;
    assert_eq!(spaced, broken(4, 4, Tampering::NotCanonical));
    let garbled = after(|lines| lines[3].insert(0, '\0')).await;
    assert_eq!(garbled, broken(4, 4, Tampering::NotCanonical));
    let emptied = after(|lines| lines[3].clear()).await;
    assert_eq!(emptied, broken(4, 4, Tampering::NotCanonical));
}

#[tokio::test]
async fn removed_events_are_counted() {
    let removed = after(|lines| {
        lines.drain(2..4);
    })
    .await;
    assert_eq!(removed, broken(3, 3, Tampering::Removed { last_seq: 4 }));
    let removed = after(|lines| {
        lines.remove(0);
    })
    .await;
    assert_eq!(removed, broken(1, 1, Tampering::Removed { last_seq: 1 }));
}

#[tokio::test]
async fn an_inserted_event_is_named() {
    let repeated = after(|lines| lines.insert(4, lines[3].clone())).await;
    assert_eq!(repeated, broken(5, 5, Tampering::Inserted));
    let forged = after(|lines| lines.insert(3, lines[3].replace("10.2.14.0", "10.9.9.0"))).await;
    assert_eq!(forged, broken(4, 4, Tampering::Inserted));
    let foreign = after(|lines| {
        lines.insert(
            3,
            lines[3].replace("\"prev\":\"sha256:", "\"prev\":\"sha256:0"),
        )
    })
    .await;
    assert_eq!(foreign, broken(4, 4, Tampering::Inserted));
}

#[tokio::test]
async fn a_reordered_event_is_named() {
    let reordered = after(|lines| lines.swap(3, 4)).await;
    assert_eq!(reordered, broken(4, 4, Tampering::Reordered));
}

#[tokio::test]
async fn a_file_that_ends_early_is_named() {
    let mut last = 0;
    let truncated = after(|lines| {
        last = lines.len() as u64;
        lines.pop();
    })
    .await;
    assert_eq!(
        truncated,
        broken(last, last, Tampering::Truncated { last_seq: last })
    );
}

#[tokio::test]
async fn a_missing_file_is_named() {
    for (index, line) in [(0, 0), (1, 1)] {
        let dir = TempDir::new().unwrap();
        sample(dir.path(), 20).await;
        let all = segments(dir.path()).unwrap();
        fs::remove_file(dir.path().join(segment_name(all[index]))).unwrap();
        let broken = found(dir.path());
        assert_eq!(broken.seq, all[index]);
        let last_seq = all[index + 1] - 1;
        assert!(
            matches!(broken.what, Tampering::Removed { last_seq: last } | Tampering::Truncated { last_seq: last } if last == last_seq),
            "{line} {broken}"
        );
    }
}

#[tokio::test]
async fn every_flipped_byte_but_those_of_the_last_event_is_found() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 1).await;
    let path = dir.path().join(segment_name(1));
    let whole = fs::read(&path).unwrap();
    let last = memchr::memrchr(b'\n', &whole[..whole.len() - 1]).unwrap();
    for place in 0..=last {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(verify(dir.path(), &mut |_| {}).is_err(), "byte {place}");
    }
}

#[tokio::test]
async fn a_line_that_is_being_written_is_not_a_fault() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 1).await;
    let path = dir.path().join(segment_name(1));
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"auth\":nul");
    fs::write(&path, text).unwrap();
    assert_eq!(
        verify(dir.path(), &mut |_| {}).unwrap().unfinished_bytes,
        11
    );
}

#[test]
fn a_folder_without_a_log_is_not_a_verified_log() {
    let dir = TempDir::new().unwrap();
    let verdict = verify(dir.path(), &mut |_| {});
    assert!(matches!(verdict, Err(Fault::NoLog { .. })));
    let verdict = verify(&dir.path().join("none"), &mut |_| {});
    assert!(matches!(verdict, Err(Fault::Unreadable { .. })));
}

#[test]
fn a_known_gap_is_read_as_it_is_written() {
    let parsed = |text| KnownGap::parse(text).map(|gap| (gap.first_seq, gap.last_seq));
    assert_eq!(parsed("480-501"), Some((480, 501)));
    assert_eq!(parsed("7-7"), Some((7, 7)));
    assert_eq!(parsed("501"), Some((502, 501)));
    assert_eq!(parsed("0"), Some((1, 0)));
    for wrong in [
        "",
        "-",
        "1-",
        "-1",
        "0-3",
        "4-3",
        "+1",
        "1-2-3",
        "a",
        "18446744073709551615",
    ] {
        assert_eq!(parsed(wrong), None, "{wrong}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_no_segment_and_is_not_waited_for() {
    let (send, receive) = std::sync::mpsc::channel();
    // Whoever waits there waits for ever.
    std::thread::spawn(move || {
        for packed in [false, true] {
            for is_link in [false, true] {
                let dir = TempDir::new().unwrap();
                let mut name = segment_name(1);
                if packed {
                    name += ".zst";
                }
                let path = dir.path().join(name);
                match is_link {
                    true => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
                    false => {
                        let made = std::process::Command::new("mkfifo").arg(path).status();
                        assert!(made.unwrap().success());
                    }
                }
                let verdict = verify(dir.path(), &mut |_| {});
                let is_refused = matches!(&verdict, Err(Fault::Unreadable { .. }));
                send.send((packed, is_link, is_refused, format!("{verdict:?}")))
                    .unwrap();
            }
        }
    });
    for _ in 0..4 {
        let heard = receive.recv_timeout(std::time::Duration::from_secs(60));
        let (packed, is_link, is_refused, said) = heard.unwrap();
        assert!(is_refused, "{packed} {is_link}: {said}");
    }
}

#[tokio::test]
async fn the_head_of_an_empty_chain_vouches_for_nothing() {
    let dir = TempDir::new().unwrap();
    sample(dir.path(), 3).await;
    let outside = Outside {
        kept: vec![Head::start()],
        ..Outside::default()
    };
    let found = examine(dir.path(), &outside, &mut |_| {});
    assert_eq!(found.reliance(&outside), Reliance::Whole);
}
