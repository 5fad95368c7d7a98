//! Signed checkpoints: what is signed is on disk, and nothing is signed that speaks against what was signed before.

use crate::audit::checkpoints::{CHECKPOINTS, name};
use crate::audit::note::{Checkpoint, Note, SigningKey, VerifierKey};
use crate::audit::tree::{Hash, Tree};

use super::identity::tree_of_lines;
use super::watched::write_past_a_gap;
use super::*;

fn key() -> SigningKey {
    SigningKey::generate("paravent").unwrap().0
}

fn keys(lines: &[&str]) -> SigningKeys {
    let lines = lines.iter().map(|line| line.as_bytes());
    SigningKeys::read(lines).unwrap().unwrap()
}

fn key_line() -> String {
    SigningKey::generate("paravent").unwrap().1
}

/// What of a key nobody else may know: Base64, in which `+` is a digit.
fn secret(line: &str) -> &str {
    line.splitn(5, '+').last().unwrap().trim()
}

fn public(line: &str) -> VerifierKey {
    SigningKey::parse(line).unwrap().public().clone()
}

/// Signs whatever is new at once.
fn eager(keys: SigningKeys, targets: Vec<Target>) -> Option<Signing> {
    Some(Signing {
        targets,
        every: Duration::ZERO,
        ..Signing::new(keys)
    })
}

fn signed(dir: &Path, keys: SigningKeys) -> Options {
    Options {
        signing: eager(keys, Vec::new()),
        ..options(dir)
    }
}

fn to_folder(folder: &Path) -> Target {
    Target {
        place: Place::Folder(folder.to_owned()),
        region: None,
    }
}

/// The checkpoints of a folder by size, each held to the key.
fn checkpoints(folder: &Path, key: &VerifierKey) -> Vec<Checkpoint> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".checkpoint"))
        .collect();
    names.sort();
    let read = |name: &String| {
        let note = Note::parse(&fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        note.signed_by(std::slice::from_ref(key)).unwrap();
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        assert!(name.starts_with(&format!("{:016}.", checkpoint.size)));
        checkpoint
    };
    names.iter().map(read).collect()
}

/// Holds all checkpoints to the lines of the log.
fn are_of(dir: &Path, checkpoints: &[Checkpoint]) {
    let (log, _, leaves) = tree_of_lines(dir).unwrap();
    for checkpoint in checkpoints {
        let size = usize::try_from(checkpoint.size).unwrap();
        assert_eq!(checkpoint.origin, format!("paravent/{log}/paravent"));
        assert_eq!(checkpoint.root, Tree::of(&leaves[..size]).root());
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "not in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn told(log: &Log) -> Checkpoints {
    log.checkpoints().unwrap()
}

#[tokio::test]
async fn a_start_events_and_a_stop_are_signed() {
    let relaxed = Durability::Relaxed(Duration::from_millis(3));
    for durability in [Durability::Strict, relaxed] {
        let dir = TempDir::new().unwrap();
        let line = key_line();
        let folder = dir.path().join(CHECKPOINTS);
        let log = Log::open(Options {
            durability,
            ..signed(dir.path(), keys(&[&line]))
        })
        .unwrap();
        // What has started is signed when it has.
        let at_start = checkpoints(&folder, &public(&line));
        assert_eq!(at_start.len(), 1);
        assert_eq!(at_start[0].size, 3);
        let size = told(&log).size;
        write_requests(&log, 3).await;
        until("signed", || told(&log).size > size).await;
        log.stop().unwrap();
        let all = checkpoints(&folder, &public(&line));
        assert!(all.len() >= 3);
        are_of(dir.path(), &all);
        let lines = raw(dir.path());
        assert_eq!(all.last().unwrap().size, lines.len() as u64);
        assert_eq!(told(&log).size, lines.len() as u64);
        let kept = format!("keys/{}.pub", public(&line).id_text());
        let kept = fs::read_to_string(dir.path().join(kept)).unwrap();
        assert_eq!(VerifierKey::parse(&kept).unwrap(), public(&line));
        let _ = verified(dir.path());
    }
}

#[tokio::test]
async fn nothing_is_signed_without_a_key_nor_without_an_event() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    write_requests(&log, 1).await;
    assert_eq!(log.checkpoints(), None);
    log.stop().unwrap();
    assert!(!dir.path().join(CHECKPOINTS).exists());
    assert_eq!(count_of(dir.path(), "audit.key"), 0);

    let line = key_line();
    let log = Log::open(signed(dir.path(), keys(&[&line]))).unwrap();
    let folder = dir.path().join(CHECKPOINTS);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(checkpoints(&folder, &public(&line)).len(), 1);
    log.stop().unwrap();
    assert_eq!(checkpoints(&folder, &public(&line)).len(), 2);
}

#[tokio::test]
async fn a_minute_or_a_thousand_events_are_signed_and_not_each_event() {
    let dir = TempDir::new().unwrap();
    let line = key_line();
    let log = Log::open(Options {
        signing: Some(Signing::new(keys(&[&line]))),
        durability: Durability::Relaxed(Duration::from_millis(5)),
        ..options(dir.path())
    })
    .unwrap();
    let at_start = told(&log).size;
    write_requests(&log, 20).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(told(&log).size, at_start);
    write_requests(&log, 1_000).await;
    until("a thousand", || told(&log).size > at_start + 900).await;
    log.stop().unwrap();
}

/// What the log says of keys: key, previous, and who has signed that.
fn key_events(dir: &Path, keys: &[&VerifierKey]) -> Vec<(usize, Option<usize>, Vec<usize>)> {
    use base64::Engine as _;
    let of = |line: &Value| {
        keys.iter()
            .position(|key| line.as_str() == Some(&key.to_string()))
    };
    let all = raw(dir);
    let mut log = String::new();
    let mut found = Vec::new();
    for event in &all {
        if event["event"] == "audit.segment" {
            log = event["log"].as_str().unwrap().to_owned();
        }
        if event["event"] != "audit.key" {
            continue;
        }
        let text = format!(
            "paravent audit key\nparavent/{log}/paravent\n{}\n{}\n",
            event["key"].as_str().unwrap(),
            event["previous"].as_str().unwrap_or_default()
        );
        let signers = event["signatures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|signature| {
                let bytes = base64::engine::general_purpose::STANDARD;
                let bytes = bytes.decode(signature.as_str().unwrap()).unwrap();
                let has_signed = |key: &&VerifierKey| key.has_signed(text.as_bytes(), &bytes);
                keys.iter().position(has_signed).unwrap()
            });
        found.push((
            of(&event["key"]).unwrap(),
            of(&event["previous"]),
            signers.collect(),
        ));
    }
    found
}

#[tokio::test]
async fn a_key_is_announced_once_and_its_rotation_is_signed_by_both() {
    let dir = TempDir::new().unwrap();
    let lines = [key_line(), key_line(), key_line()];
    let publics: Vec<VerifierKey> = lines.iter().map(|line| public(line)).collect();
    let run = |keys: SigningKeys| {
        let log = Log::open(Options {
            segment_bytes_max: 2_000,
            ..signed(dir.path(), keys)
        })
        .unwrap();
        log.stop().unwrap();
    };
    for _ in 0..3 {
        run(keys(&[&lines[0]]));
    }
    // Rotated with the one before beside it, then without.
    for _ in 0..2 {
        run(keys(&[&lines[1], &lines[0]]));
    }
    for _ in 0..2 {
        run(keys(&[&lines[2]]));
    }
    let publics: Vec<&VerifierKey> = publics.iter().collect();
    assert_eq!(
        key_events(dir.path(), &publics),
        [
            (0, None, vec![0]),
            (1, Some(0), vec![1, 0]),
            (2, Some(1), vec![2])
        ]
    );
    let _ = verified(dir.path());
}

#[tokio::test]
async fn a_new_identity_says_its_key_before_anything_of_it_is_signed() {
    let outer = TempDir::new().unwrap();
    let (dir, state) = (outer.path().join("log"), outer.path().join("state"));
    let line = key_line();
    let log = Log::open(Options {
        signing: eager(keys(&[&line]), Vec::new()),
        ..Options::new(&dir, &state)
    })
    .unwrap();
    write_requests(&log, 3).await;
    let before = told(&log).log;
    fs::remove_file(dir.join(folder::segment_name(1))).unwrap();
    let _ = write_past_a_gap(&log).await;
    until("the new identity", || told(&log).log != before).await;
    log.stop().unwrap();
    let all = raw(&dir);
    let names: Vec<&str> = all
        .iter()
        .take(3)
        .filter_map(|event| event["event"].as_str())
        .collect();
    assert_eq!(names, ["audit.gap", "audit.segment", "audit.key"]);
    assert_eq!(key_events(&dir, &[&public(&line)]), [(0, None, vec![0])]);
    let new = told(&log).log;
    let of_new: Vec<Checkpoint> = checkpoints(&dir.join(CHECKPOINTS), &public(&line))
        .into_iter()
        .filter(|one| one.origin.contains(&new))
        .collect();
    assert!(of_new.iter().all(|one| one.size >= 3));
    are_of(&dir, &of_new);
}

fn copy_all(from: &Path, to: &Path) {
    try_copy_all(from, to).unwrap();
}

fn try_copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => try_copy_all(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

/// A copy of a folder in which files come and go. Where one went meanwhile, what took its place may not have been seen: then all
/// over again.
fn copy_of_running(from: &Path) -> TempDir {
    loop {
        let to = TempDir::new().unwrap();
        match try_copy_all(from, to.path()) {
            Ok(()) => return to,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_log_that_was_rolled_back_signs_nothing_until_that_is_put_right() {
    let outer = TempDir::new().unwrap();
    let path = |name: &str| outer.path().join(name);
    let line = key_line();
    fs::create_dir(path("published")).unwrap();
    let open = || {
        Log::open(Options {
            signing: eager(keys(&[&line]), vec![to_folder(&path("published"))]),
            ..Options::new(&path("log"), &path("state"))
        })
        .unwrap()
    };
    let log = open();
    write_requests(&log, 5).await;
    log.stop().unwrap();
    copy_all(&path("log"), &path("copy"));
    let log = open();
    write_requests(&log, 50).await;
    log.stop().unwrap();
    let published = checkpoints(&path("published"), &public(&line));
    assert_eq!(
        published.last().unwrap().size,
        raw(&path("log")).len() as u64
    );

    // The log's folder and its state, with all that lies in them.
    fs::remove_dir_all(path("log")).unwrap();
    fs::remove_dir_all(path("state")).unwrap();
    copy_all(&path("copy"), &path("log"));
    let log = open();
    let refused = told(&log).refused.unwrap();
    assert!(refused.contains("rolled back"), "{refused}");
    write_requests(&log, 3).await;
    assert!(log.healthy(), "requests go on");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(told(&log).refused.is_some());
    let before = fs::read_dir(path("log").join(CHECKPOINTS)).unwrap().count();
    let last_published = checkpoints(&path("published"), &public(&line));
    assert_eq!(last_published.last(), published.last());
    // Longer than what was signed, it is still another one.
    write_requests(&log, 60).await;
    until("compared", || {
        let refused = told(&log).refused.unwrap_or_default();
        refused.contains("are not those of")
    })
    .await;
    assert_eq!(
        fs::read_dir(path("log").join(CHECKPOINTS)).unwrap().count(),
        before
    );

    fs::rename(path("published"), path("elsewhere")).unwrap();
    fs::create_dir(path("published")).unwrap();
    until("signed again", || told(&log).refused.is_none()).await;
    log.stop().unwrap();
    are_of(
        &path("log"),
        &checkpoints(&path("published"), &public(&line)),
    );
}

#[tokio::test]
async fn a_key_that_signs_for_a_copy_is_found_out_by_what_is_kept_beside_the_log() {
    let outer = TempDir::new().unwrap();
    let path = |name: &str| outer.path().join(name);
    let line = key_line();
    let open = |dir: &str| {
        Log::open(Options {
            signing: eager(keys(&[&line]), Vec::new()),
            ..Options::new(&path(dir), &path(&format!("{dir}.state")))
        })
        .unwrap()
    };
    let log = open("log");
    write_requests(&log, 5).await;
    log.stop().unwrap();
    copy_all(&path("log"), &path("copy"));
    for (dir, count) in [("log", 20), ("copy", 30)] {
        let log = open(dir);
        write_requests(&log, count).await;
        log.stop().unwrap();
    }
    // The checkpoints of the copy, beside the log.
    copy_all(
        &path("copy").join(CHECKPOINTS),
        &path("log").join(CHECKPOINTS),
    );
    let log = open("log");
    assert!(told(&log).refused.unwrap().contains("another copy"));
    write_requests(&log, 40).await;
    until("longer", || {
        told(&log)
            .refused
            .unwrap_or_default()
            .contains("are not those")
    })
    .await;
    log.stop().unwrap();
}

#[tokio::test]
async fn a_log_that_was_written_anew_is_not_signed() {
    let dir = TempDir::new().unwrap();
    let line = key_line();
    let log = Log::open(signed(dir.path(), keys(&[&line]))).unwrap();
    write_requests(&log, 12).await;
    log.stop().unwrap();
    watched::rewrite(dir.path());
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    let log = Log::open(signed(dir.path(), keys(&[&line]))).unwrap();
    assert!(told(&log).refused.unwrap().contains("are not those of"));
    log.stop().unwrap();
}

#[tokio::test]
async fn a_kill_between_an_event_and_its_checkpoint_is_gone_on_from() {
    let dir = TempDir::new().unwrap();
    let line = key_line();
    let log = Log::open(Options {
        segment_bytes_max: 2_500,
        ..signed(dir.path(), keys(&[&line]))
    })
    .unwrap();
    let early = told(&log).size;
    write_requests(&log, 30).await;
    // At this instant, and with fewer checkpoints than there were.
    let after = copy_of_running(dir.path());
    log.stop().unwrap();
    let folder = after.path().join(CHECKPOINTS);
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with(&format!("{early:016}")) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let log = Log::open(signed(after.path(), keys(&[&line]))).unwrap();
    assert_eq!(told(&log).refused, None);
    assert!(told(&log).size > early + 30);
    log.stop().unwrap();
    are_of(after.path(), &checkpoints(&folder, &public(&line)));
    assert_eq!(count_of(after.path(), "audit.key"), 1);
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_kept_stops_no_request_and_is_tried_again() {
    let dir = TempDir::new().unwrap();
    let line = key_line();
    // A file where the folder should be.
    let folder = dir.path().join(CHECKPOINTS);
    fs::write(&folder, "").unwrap();
    let log = Log::open(signed(dir.path(), keys(&[&line]))).unwrap();
    write_requests(&log, 3).await;
    let failed = told(&log);
    assert!(
        failed.failing.is_some() && failed.failures > 0,
        "{failed:?}"
    );
    assert_eq!((failed.size, failed.refused), (0, None));
    assert!(log.healthy());
    fs::remove_file(&folder).unwrap();
    until("signed", || told(&log).failing.is_none()).await;
    log.stop().unwrap();
    are_of(dir.path(), &checkpoints(&folder, &public(&line)));
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_anything_from_being_signed() {
    let dir = TempDir::new().unwrap();
    let line = key_line();
    for time in ["2026-03-01T12:00:00Z", "2026-03-01T06:00:00Z"] {
        let time: jiff::Timestamp = time.parse().unwrap();
        let log = Log::open(Options {
            clock: Clock::telling(move || time),
            ..signed(dir.path(), keys(&[&line]))
        })
        .unwrap();
        let size = told(&log).size;
        assert_eq!(told(&log).at, Some(time));
        write_requests(&log, 3).await;
        until("signed", || told(&log).size > size).await;
        log.stop().unwrap();
    }
    are_of(
        dir.path(),
        &checkpoints(&dir.path().join(CHECKPOINTS), &public(&line)),
    );
}

#[tokio::test]
async fn a_folder_that_comes_back_gets_the_newest() {
    let outer = TempDir::new().unwrap();
    let (dir, published) = (outer.path().join("log"), outer.path().join("published"));
    let line = key_line();
    let log = Log::open(Options {
        signing: eager(keys(&[&line]), vec![to_folder(&published)]),
        ..Options::new(&dir, &outer.path().join("state"))
    })
    .unwrap();
    write_requests(&log, 3).await;
    until("failing", || told(&log).targets[0].failing.is_some()).await;
    assert!(!published.exists(), "it is never made");
    let behind = told(&log);
    assert!(behind.lag(&behind.targets[0]) > 0);
    fs::create_dir(&published).unwrap();
    until("published", || {
        let told = told(&log);
        told.targets[0].failing.is_none() && told.lag(&told.targets[0]) == 0
    })
    .await;
    log.stop().unwrap();
    let all = checkpoints(&published, &public(&line));
    assert_eq!(all.last().unwrap().size, raw(&dir).len() as u64);
    are_of(&dir, &all);
    // Others sign as well, and write what they like: only what a known key has signed counts.
    let other = key();
    let forged = Checkpoint {
        size: 1_000_000,
        root: [7; 32],
        ..all[0].clone()
    };
    let forged_name = name(&told(&log).log, 1_000_000);
    fs::write(published.join(&forged_name), other.sign(&forged.text())).unwrap();
    fs::write(published.join(name(&told(&log).log, 2_000_000)), "nonsense").unwrap();
    let log = Log::open(Options {
        signing: eager(keys(&[&line]), vec![to_folder(&published)]),
        ..Options::new(&dir, &outer.path().join("state"))
    })
    .unwrap();
    assert_eq!(told(&log).refused, None);
    log.stop().unwrap();
}

#[test]
fn a_key_that_is_none_is_refused() {
    let line = key_line();
    let other = key_line();
    let (ours, theirs) = (secret(&line), secret(&other));
    let lie = line.replace(ours, theirs);
    for wrong in [
        "",
        "PRIVATE+KEY+",
        &lie,
        &public(&line).to_string(),
        "\u{ff}",
    ] {
        assert!(
            SigningKeys::read(std::iter::once(wrong.as_bytes())).is_err(),
            "{wrong}"
        );
    }
    assert!(SigningKeys::read([line.as_bytes(), &[0xff]].into_iter()).is_err());
    assert!(SigningKeys::read(std::iter::empty()).unwrap().is_none());
    assert!(!format!("{:?}", keys(&[&line])).contains(ours));
    let _: Hash = Tree::default().root();
}

mod servers;

#[tokio::test]
async fn what_somebody_else_has_signed_keeps_nothing_from_being_signed() {
    let dir = TempDir::new().unwrap();
    let line = key_line();
    let open = || Log::open(signed(dir.path(), keys(&[&line]))).unwrap();
    let log = open();
    write_requests(&log, 2).await;
    log.stop().unwrap();
    let (id, ..) = tree_of_lines(dir.path()).unwrap();
    let foreign = Checkpoint {
        origin: format!("paravent/{id}/paravent"),
        size: 10_000,
        root: [7; 32],
    };
    let note = key().sign(&foreign.text());
    let folder = dir.path().join(CHECKPOINTS);
    let path = folder.join(name(&id, foreign.size));
    fs::write(&path, note).unwrap();
    let log = open();
    let size = told(&log).size;
    assert!(size > 0, "{:?}", told(&log));
    write_requests(&log, 2).await;
    log.stop().unwrap();
    assert!(told(&log).size > size && told(&log).refused.is_none());
    fs::remove_file(path).unwrap();
    are_of(dir.path(), &checkpoints(&folder, &public(&line)));
    assert_eq!(count_of(dir.path(), "audit.key"), 1);
}

#[tokio::test]
async fn a_checkpoint_whose_events_were_removed_is_compared_by_their_leaves() {
    let outer = TempDir::new().unwrap();
    let path = |name: &str| outer.path().join(name);
    let line = key_line();
    let at = |dir: &str, time: &str, is_signed: bool| {
        let time: jiff::Timestamp = time.parse().unwrap();
        Options {
            segment_bytes_max: 1_500,
            clock: Clock::telling(move || time),
            signing: eager(keys(&[&line]), Vec::new()).filter(|_| is_signed),
            ..Options::new(&path(dir), &path(&format!("{dir}.state")))
        }
    };
    let log = Log::open(at("log", "2024-01-01T00:00:00Z", true)).unwrap();
    write_requests(&log, 2).await;
    log.stop().unwrap();
    let size = told(&log).size;
    for time in ["2024-01-02T00:00:00Z", "2025-05-30T00:00:00Z"] {
        let log = Log::open(at("log", time, false)).unwrap();
        write_requests(&log, 12).await;
        log.stop().unwrap();
    }
    let log = Log::open(Options {
        keep: Some(Duration::from_secs(365 * 86_400)),
        ..at("log", "2025-06-01T00:00:00Z", false)
    })
    .unwrap();
    until("removed", || segments(&path("log")).unwrap()[0] > size + 1).await;
    log.stop().unwrap();
    for copy in ["changed", "lost"] {
        copy_all(&path("log"), &path(copy));
    }

    let now = "2025-06-02T00:00:00Z";
    let log = Log::open(at("log", now, true)).unwrap();
    assert!(told(&log).size > size, "{:?}", told(&log));
    log.stop().unwrap();
    are_of(
        &path("log"),
        &checkpoints(&path("log").join(CHECKPOINTS), &public(&line)),
    );

    let leaves = fs::read_dir(path("changed").join("pruned")).unwrap();
    let leaves = leaves.map(|entry| entry.unwrap().path()).min().unwrap();
    let mut bytes = fs::read(&leaves).unwrap();
    bytes[0] ^= 1;
    fs::write(&leaves, bytes).unwrap();
    let log = Log::open(at("changed", now, true)).unwrap();
    assert!(told(&log).refused.unwrap().contains("are not those of"));
    log.stop().unwrap();

    // It cannot be known: that is no accusation, and nothing is signed until it can.
    fs::rename(path("lost").join("pruned"), path("pruned")).unwrap();
    let log = Log::open(at("lost", now, true)).unwrap();
    assert_eq!((told(&log).size, told(&log).refused), (0, None));
    assert!(told(&log).failing.unwrap().contains("cannot be known"));
    fs::rename(path("pruned"), path("lost").join("pruned")).unwrap();
    until("signed", || {
        told(&log).size > size && told(&log).failing.is_none()
    })
    .await;
    log.stop().unwrap();
}
