//! Each change of a key is one event, whatever happens in between.

use std::fs;

use ipnet::IpNet;
use jiff::SignedDuration;

use super::super::{Options, new_id};
use super::*;
use crate::identity::key::{Doing, Store};

const UNDER: &[u8] = b"0123456789abcdef";

struct Bench {
    folder: tempfile::TempDir,
    log: Log,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(options(folder.path())).unwrap();
        Self { folder, log }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn change(&self, what: What, name: &str) {
        let store = Store::open(&self.path("keys.json")).unwrap();
        let doing = Doing {
            by: "ann".to_owned(),
            now: now(),
            event: new_id(),
        };
        let from: IpNet = "10.0.0.0/8".parse().unwrap();
        let grace = SignedDuration::ZERO;
        match what {
            What::Created => drop(store.create((name, &[from]), later(), UNDER, doing)),
            What::Rotated => drop(store.rotate(name, grace, Some(much_later()), UNDER, doing)),
            What::Revoked => drop(store.revoke(name, doing)),
        }
    }

    /// As a start of the proxy has it.
    fn follower(&self) -> Follower {
        let keys = Keys::open(&self.path("keys.json"), UNDER).unwrap();
        let (dir, state) = (self.path("log"), self.path("state"));
        Follower::new(Arc::new(keys), self.log.clone(), dir, state)
    }

    /// The events about keys: each with its name, and that of the key.
    fn events(&self) -> Vec<(String, String)> {
        let mut told = Vec::new();
        events(&self.path("log"), &mut |found| {
            let event = found.action().unwrap_or_default();
            if event.starts_with("key.") {
                let value = found.json();
                let name = value["name"].as_str().unwrap();
                told.push((event.to_owned(), name.to_owned()));
                assert_eq!(value["by"].is_null(), event == "key.expired");
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        told
    }
}

fn options(folder: &Path) -> Options {
    Options::new(&folder.join("log"), &folder.join("state"))
}

fn now() -> Timestamp {
    // What follows the keys by the clock of the machine must not find them expired.
    "2126-11-29T12:00:00Z".parse().unwrap()
}

fn later() -> Timestamp {
    now() + SignedDuration::from_hours(24)
}

fn much_later() -> Timestamp {
    now() + SignedDuration::from_hours(48)
}

fn told(events: &[(&str, &str)]) -> Vec<(String, String)> {
    let events = events.iter();
    events
        .map(|(event, name)| ((*event).to_owned(), (*name).to_owned()))
        .collect()
}

#[tokio::test]
async fn changes_become_events_in_their_order_once() {
    let bench = Bench::new();
    bench.change(What::Created, "a");
    bench.change(What::Created, "b");
    bench.change(What::Rotated, "a");
    bench.change(What::Revoked, "b");
    let expected = told(&[
        ("key.created", "a"),
        ("key.created", "b"),
        ("key.rotated", "a"),
        ("key.revoked", "b"),
    ]);
    let mut follower = bench.follower();
    for _ in 0..3 {
        follower.note(now()).await;
        assert_eq!(bench.events(), expected);
    }
    bench.follower().note(now()).await;
    assert_eq!(bench.events(), expected);
}

#[tokio::test]
async fn a_key_expires_once_for_each_of_its_secrets() {
    let bench = Bench::new();
    bench.change(What::Created, "a");
    bench.change(What::Created, "b");
    bench.change(What::Revoked, "b");
    bench.follower().note(now()).await;
    assert_eq!(bench.events().len(), 3);
    for _ in 0..2 {
        // A key that was revoked does not expire as well.
        bench.follower().note(later()).await;
        assert_eq!(bench.events().last().unwrap().0, "key.expired");
        assert_eq!(bench.events().len(), 4);
    }
    bench.change(What::Rotated, "a");
    let mut follower = bench.follower();
    follower.note(later()).await;
    follower.note(much_later()).await;
    let events = bench.events();
    let expected = told(&[("key.rotated", "a"), ("key.expired", "a")]);
    assert_eq!(events[4..], expected);
}

#[tokio::test]
async fn wherever_a_start_was_cut_short_nothing_is_lost_or_doubled() {
    let bench = Bench::new();
    let noted = bench.path("state").join(FILE);
    bench.change(What::Created, "a");
    bench.change(What::Created, "b");
    let expected = told(&[("key.created", "a"), ("key.created", "b")]);
    // Before anything was written.
    let nothing = br#"{"version":1,"events":[],"expired":[],"writing":true}"#;
    fs::write(&noted, nothing).unwrap();
    bench.follower().note(now()).await;
    assert_eq!(bench.events(), expected);
    // After it was written, and before that was kept; and with a state that is gone or broken.
    for before in [&nothing[..], b"", b"{", br#"{"version":2}"#] {
        fs::write(&noted, before).unwrap();
        bench.follower().note(later()).await;
        bench.follower().note(later()).await;
    }
    fs::remove_file(&noted).unwrap();
    bench.follower().note(later()).await;
    let expired = told(&[("key.expired", "a"), ("key.expired", "b")]);
    assert_eq!(bench.events(), [expected, expired].concat());
    // In the middle.
    bench.change(What::Revoked, "a");
    bench.change(What::Revoked, "b");
    let file = Store::read(&bench.path("keys.json")).unwrap();
    let first = Due::Change(file.changes[2].clone());
    bench.log.write(first.event()).await.unwrap();
    fs::write(&noted, nothing).unwrap();
    bench.follower().note(later()).await;
    let revoked = told(&[("key.revoked", "a"), ("key.revoked", "b")]);
    assert_eq!(bench.events()[4..], revoked);
}

#[tokio::test]
async fn an_older_copy_of_the_file_doubles_nothing() {
    let bench = Bench::new();
    bench.change(What::Created, "a");
    let older = fs::read(bench.path("keys.json")).unwrap();
    bench.change(What::Created, "b");
    let newer = fs::read(bench.path("keys.json")).unwrap();
    for copy in [&newer, &older, &newer, &older] {
        fs::write(bench.path("keys.json"), copy).unwrap();
        bench.follower().note(now()).await;
    }
    assert_eq!(bench.events().len(), 2);
    // A new file begins anew.
    fs::remove_file(bench.path("keys.json")).unwrap();
    bench.change(What::Created, "a");
    bench.follower().note(now()).await;
    assert_eq!(bench.events().len(), 3);
}

#[tokio::test]
async fn while_the_log_or_the_state_cannot_be_written_changes_wait() {
    let bench = Bench::new();
    bench.change(What::Created, "a");
    let mut follower = bench.follower();
    let noted = bench.path("state").join(FILE);
    // A folder in its place.
    fs::create_dir(&noted).unwrap();
    follower.note(now()).await;
    assert!(bench.events().is_empty());
    fs::remove_dir(&noted).unwrap();
    follower.note(now()).await;
    assert_eq!(bench.events().len(), 1);
    bench.log.stop().unwrap();
    bench.change(What::Created, "b");
    bench.follower().note(now()).await;
    assert_eq!(bench.events().len(), 1);
    // The next start of the proxy.
    let Bench { folder, log } = bench;
    drop((follower, log));
    let log = Log::open(options(folder.path())).unwrap();
    let bench = Bench { folder, log };
    bench.follower().note(now()).await;
    assert_eq!(bench.events().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_running_proxy_follows_and_keeps_when_keys_were_used() {
    let bench = Bench::new();
    let keys = Arc::new(Keys::open(&bench.path("keys.json"), UNDER).unwrap());
    let (stop, stopped) = watch::channel(false);
    let folders = (bench.path("log"), bench.path("state"));
    let following = tokio::spawn(follow_keys(keys, bench.log.clone(), folders, stopped));
    bench.change(What::Created, "a");
    while bench.events().is_empty() {
        tokio::time::sleep(TICK).await;
    }
    stop.send(true).unwrap();
    following.await.unwrap();
    assert_eq!(bench.events(), told(&[("key.created", "a")]));
}
