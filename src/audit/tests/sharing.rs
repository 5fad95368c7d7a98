//! A group may read the log and leave notes, and nothing that a member does keeps anybody else from it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use crate::files::Group;

use super::super::folder::segment_name;
use super::super::spool::{self, Export};
use super::*;

/// The group of whoever runs this.
fn own_group() -> Group {
    let id = rustix::process::getegid().as_raw();
    let name = id.to_string();
    Group { name, id }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn a_group_may_read_all_but_write_in_the_spool_only() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("log");
    let log = |group: Option<Group>| {
        Log::open(Options {
            segment_bytes_max: 1_000,
            group,
            ..Options::new(&path, &dir.path().join("state"))
        })
        .unwrap()
    };
    log(None).stop().unwrap();
    assert_eq!(
        (mode(&path), mode(&path.join(segment_name(1)))),
        (0o700, 0o600)
    );
    for file in [
        "keys/a.pub",
        "checkpoints/b",
        "policies/c/d",
        "index/e",
        "torn-0000000000000001-1.part",
    ] {
        let file = path.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let secret = path.join("somebody's");
    fs::write(&secret, "").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let private = path.join("keys/audit.key");
    fs::write(&private, "").unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    let linked = dir.path().join("elsewhere");
    fs::write(&linked, "").unwrap();
    fs::set_permissions(&linked, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&linked, path.join("index/link")).unwrap();
    let shared = log(Some(own_group()));
    write_requests(&shared, 6).await;
    shared.stop().unwrap();
    assert!(segments(&path).unwrap().len() > 2);
    for first_seq in segments(&path).unwrap() {
        assert_eq!(mode(&path.join(segment_name(first_seq))), 0o640);
    }
    assert_eq!(mode(&path), 0o2750);
    assert_eq!(mode(&path.join("spool")), 0o3770);
    for folder in ["keys", "checkpoints", "policies", "policies/c", "index"] {
        assert_eq!(mode(&path.join(folder)), 0o2750, "{folder}");
    }
    for file in [
        "keys/a.pub",
        "checkpoints/b",
        "policies/c/d",
        "index/e",
        "torn-0000000000000001-1.part",
    ] {
        assert_eq!(mode(&path.join(file)), 0o640, "{file}");
    }
    for not_theirs in [secret, linked, private] {
        assert_eq!(mode(&not_theirs), 0o600, "{}", not_theirs.display());
    }
}

#[tokio::test]
async fn whatever_lies_in_the_spool_the_notes_of_others_are_taken_up() {
    let dir = TempDir::new().unwrap();
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let spool = dir.path().join("spool");
    let note = |name: &str| spool.join(format!("reads-{name}.json"));
    fs::create_dir(note("00-folder")).unwrap();
    fs::write(note("00-folder").join("in"), "").unwrap();
    symlink("/dev/zero", note("01-device")).unwrap();
    symlink(dir.path(), note("02-folder")).unwrap();
    symlink(note("03-loop"), note("03-loop")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        note("04-pipe"),
        rustix::fs::Mode::from_raw_mode(0o644),
    )
    .unwrap();
    let foreign = dir.path().join("foreign");
    fs::write(&foreign, r#"{"command":"verify","words":["foreign"]}"#).unwrap();
    fs::hard_link(&foreign, note("05-link")).unwrap();
    fs::write(note("06-huge"), vec![b'['; 1 << 20]).unwrap();
    fs::write(spool.join("huge"), vec![0; 1 << 20]).unwrap();
    fs::write(spool.join("reads-new.json.part"), "about to be one").unwrap();
    record_reading(dir.path(), "verify", &["honest".to_owned()]).unwrap();
    spool::clear(dir.path());
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let reads: Vec<_> = raw(dir.path())
        .into_iter()
        .filter(|event| event["event"] == "audit.read")
        .collect();
    let said: Vec<_> = reads
        .iter()
        .filter(|event| !event["command"].is_null())
        .collect();
    assert_eq!(said.len(), 1, "{reads:?}");
    assert_eq!(said[0]["words"], json!(["honest"]));
    assert!(reads.len() > 5, "that somebody put it there is said");
    let left: Vec<_> = fs::read_dir(&spool)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(foreign.exists() && dir.path().join("state").exists());
    verified(dir.path());
}

#[test]
fn a_note_that_cannot_be_removed_keeps_no_other_one_from_being_taken_up() {
    let dir = TempDir::new().unwrap();
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    for word in ["first", "second"] {
        record_reading(dir.path(), "verify", &[word.to_owned()]).unwrap();
    }
    let none = std::collections::HashSet::new();
    let all = spool::waiting(dir.path(), &none);
    assert_eq!(all.len(), 2);
    let first = all[0].0.clone();
    let left = spool::waiting(dir.path(), &std::iter::once(first.clone()).collect());
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, all[1].0);
    // Whoever left it may take it away, before or after it was read.
    spool::remove(&first).unwrap();
    assert!(!first.exists());
    spool::remove(&first).unwrap();
    fs::create_dir(&first).unwrap();
    spool::remove(&first).unwrap();
    // That of another name is left where it is: not even a folder of very many keeps others away.
    assert!(spool::remove(&first.join("file/in")).is_ok());
    fs::write(first.join("file"), "").unwrap();
    assert!(spool::remove(&first.join("file/in")).is_err());
}

#[tokio::test]
async fn a_note_of_an_export_is_never_removed_unread() {
    let dir = TempDir::new().unwrap();
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let export = Export {
        events: 3,
        filters: vec!["x".repeat(2_000); 40],
        purpose: "audit of 2026".to_owned(),
        sha256: "0".repeat(64),
    };
    spool::record_export(dir.path(), &export).unwrap();
    let spool = dir.path().join("spool");
    fs::write(spool.join("exports-huge.json"), vec![b'['; 1 << 20]).unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(86_400);
    for entry in fs::read_dir(&spool).unwrap() {
        let note = fs::File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap();
        note.set_modified(long_ago).unwrap();
    }
    spool::clear(dir.path());
    assert_eq!(fs::read_dir(&spool).unwrap().count(), 2);
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let all = raw(dir.path());
    let exported: Vec<_> = all
        .iter()
        .filter(|event| event["event"] == "audit.exported")
        .collect();
    assert_eq!(exported.len(), 2);
    assert!(
        exported
            .iter()
            .any(|event| event["for"] == "audit of 2026" && event["events"] == 3)
    );
}

#[tokio::test]
async fn a_note_of_records_that_were_read_says_whose_it_was() {
    let dir = TempDir::new().unwrap();
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let sampling = Sampling {
        reader: Reader::Scan,
        by: "somebody else".to_owned(),
        account: None,
        upstream: "crm".to_owned(),
        dialect: "sugar-rest".to_owned(),
        module: "Contacts".to_owned(),
        most: Some(10),
        read: None,
    };
    record_sampling(dir.path(), &sampling).unwrap();
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let all = raw(dir.path());
    let scan = all.iter().find(|event| event["event"] == "scan").unwrap();
    assert_eq!(scan["by"], "somebody else");
    assert_eq!(scan["uid"], rustix::process::geteuid().as_raw());
    verified(dir.path());
}

#[tokio::test]
async fn what_lies_in_the_spool_takes_no_room_of_the_log() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(Options {
        bytes_max: Some(100_000),
        ..options(dir.path())
    })
    .unwrap();
    // Filled elsewhere: an empty folder is removed from the spool at once.
    let elsewhere = TempDir::new().unwrap();
    let folder = elsewhere.path().join("d");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("y"), vec![0; 200_000]).unwrap();
    let sparse = fs::File::create(folder.join("x")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    fs::rename(&folder, dir.path().join("spool/d")).unwrap();
    log.caretaker().measure(dir.path()).unwrap();
    assert!(log.healthy() && !log.room().is_tight());
    write_requests(&log, 1).await;
    log.stop().unwrap();
}
