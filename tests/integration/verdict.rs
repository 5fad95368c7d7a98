//! What `audit verify` can say of a log, and what only something that is kept elsewhere can tell.

use std::path::Path;
use std::process::Output;

use paravent::audit::{By, Event, Log, Options};
use serde_json::{Value, json};

use crate::harness::binary;

/// A log of so many events in segments of a few, written by two runs.
fn write(dir: &Path, events: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let log = Log::open(Options {
        segment_bytes_max: 2_000,
        ..Options::new(&dir.join("audit"), &dir.join("state"))
    })
    .unwrap();
    for number in 0..events {
        let event = Event::policy_rejected(Some(&number.to_string()), &[], By::Watch);
        runtime.block_on(log.write(event)).unwrap();
    }
    log.stop().unwrap();
}

fn verify(dir: &Path, expected: &[&str]) -> Output {
    let audit = dir.join("audit");
    let mut words = vec!["audit", "verify", audit.to_str().unwrap()];
    for head in expected {
        words.extend(["--expect", head]);
    }
    binary::run(&words)
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// The line that is to be kept elsewhere.
fn last(output: &Output) -> String {
    let said = said(output);
    let line = said.lines().find_map(|line| line.strip_prefix("last: "));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir.join("audit"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    paths.sort();
    paths
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// What somebody does to a log who may write its folder; given an older copy of it.
type Tamper = fn(&Path, &Path);

fn cut_tail(dir: &Path, _: &Path) {
    let path = segments(dir).pop().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let last = text.trim_end().rfind('\n').map_or(0, |newline| newline + 1);
    std::fs::write(path, &text[..last]).unwrap();
}

fn drop_newest(dir: &Path, _: &Path) {
    std::fs::remove_file(segments(dir).pop().unwrap()).unwrap();
}

fn roll_back(dir: &Path, older: &Path) {
    std::fs::remove_dir_all(dir.join("audit")).unwrap();
    copy(older, &dir.join("audit"));
}

fn empty(dir: &Path, _: &Path) {
    for path in segments(dir) {
        std::fs::remove_file(path).unwrap();
    }
}

fn empty_in_place(dir: &Path, _: &Path) {
    let all = segments(dir);
    for path in &all[1..] {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::write(&all[0], "").unwrap();
}

fn remove(dir: &Path, _: &Path) {
    std::fs::remove_dir_all(dir.join("audit")).unwrap();
}

/// The whole chain anew, around other events, by another log.
fn rewrite(dir: &Path, _: &Path) {
    std::fs::remove_dir_all(dir.join("audit")).unwrap();
    std::fs::remove_dir_all(dir.join("state")).unwrap();
    write(dir, 60);
}

#[test]
fn the_verdict_says_what_was_checked_and_what_cannot_be_known() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 20);
    let whole = verify(dir.path(), &[]);
    let text = said(&whole);
    assert_eq!(whole.status.code(), Some(3), "{text}");
    for part in [
        "whole: 25 events up to 25",
        "not known from this folder alone: whether all of it was written anew, and whether there were events after 25",
        &format!("--expect {}", last(&whole)),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("none missing"), "{text}");
    let head = last(&whole);
    let (seq, hash) = head.split_once(":sha256:").unwrap();
    assert_eq!((seq, hash.len()), ("25", 64));
    // With or without the name of the hash; later too.
    for expected in [head.clone(), format!("{seq}:{hash}")] {
        let output = verify(dir.path(), &[&expected]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("as expected: event 25"));
    }
    write(dir.path(), 5);
    let later = verify(dir.path(), &[&head]);
    assert_eq!(later.status.code(), Some(0), "{}", said(&later));
    let last_seq = last(&later).split(':').next().unwrap().to_owned();
    let unknown = format!(
        "whether events after 25 were written anew, and whether there were more after {last_seq}"
    );
    assert!(said(&later).contains(&unknown), "{}", said(&later));
    let both = verify(dir.path(), &[&head, &last(&later)]);
    assert_eq!(both.status.code(), Some(0), "{}", said(&both));
    for wrong in ["25", "25:xyz", "x:00", &format!("25:{}", &hash[1..])] {
        let output = verify(dir.path(), &[wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(said(&output).contains("64 hexadecimal digits"), "{wrong}");
    }
}

#[test]
fn what_is_missing_at_the_end_or_written_anew_is_found_by_what_is_kept_elsewhere() {
    for (name, tamper, unaided) in [
        ("the tail cut", cut_tail as Tamper, 3),
        ("the newest segment dropped", drop_newest, 3),
        ("rolled back to a copy", roll_back, 3),
        ("emptied", empty, 2),
        ("emptied in place", empty_in_place, 3),
        ("the folder removed", remove, 2),
        ("rewritten whole", rewrite, 3),
    ] {
        let (dir, older) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(dir.path(), 20);
        copy(&dir.path().join("audit"), older.path());
        write(dir.path(), 20);
        let head = last(&verify(dir.path(), &[]));
        tamper(dir.path(), older.path());
        // From the folder alone, nobody can tell.
        let alone = verify(dir.path(), &[]);
        assert_eq!(
            alone.status.code(),
            Some(unaided),
            "{name}: {}",
            said(&alone)
        );
        let expected = verify(dir.path(), &[&head]);
        let text = said(&expected);
        assert_eq!(expected.status.code(), Some(1), "{name}: {text}");
        assert!(text.contains("event 51"), "{name}: {text}");
        let words = match name {
            "rewritten whole" => "was written anew",
            _ => "is missing",
        };
        assert!(text.contains(words), "{name}: {text}");
        let audit = dir.path().join("audit");
        let output = binary::run(&[
            "audit",
            "verify",
            audit.to_str().unwrap(),
            "--expect",
            &head,
            "--format",
            "json",
        ]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&found["verdict"], &found["seq"]),
            (&json!("not-as-expected"), &json!(51)),
            "{name}"
        );
    }
}
