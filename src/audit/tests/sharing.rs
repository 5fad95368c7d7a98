//! A group may read the log and leave notes, and nothing that a member does keeps anybody else from it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use crate::files::Group;

use super::super::folder::segment_name;
use super::super::spool;
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
    assert_eq!((mode(&secret), mode(&linked)), (0o600, 0o600));
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
