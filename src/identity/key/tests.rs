//! What API keys promise.

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

const UNDER: &[u8] = b"0123456789abcdef";

/// A folder with a file of keys.
struct Bench {
    folder: tempfile::TempDir,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            now: "2026-11-29T12:00:00Z".parse().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn doing(&self) -> Doing {
        use std::sync::atomic::AtomicU32;
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        Doing {
            by: "ann".to_owned(),
            now: self.now,
            event: format!("{:026}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    fn create(&self, name: &str, from: &str) -> Result<String, StoreError> {
        let from: Vec<_> = from.split(' ').map(|one| one.parse().unwrap()).collect();
        let expires = self.now + days(90);
        let made = self
            .store()
            .create((name, &from), expires, UNDER, self.doing())?;
        Ok(made.key)
    }

    fn rotate(&self, name: &str, grace: i64) -> Result<String, StoreError> {
        let made = self
            .store()
            .rotate(name, days(grace), None, UNDER, self.doing())?;
        Ok(made.key)
    }

    fn keys(&self) -> Keys {
        Keys::open(&self.path(), UNDER).unwrap()
    }
}

fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}

fn peer(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn why(verified: Result<Arc<str>, Refused>) -> &'static str {
    let refused = verified.unwrap_err();
    assert_eq!(refused.reason, Reason::BadKey);
    refused.why
}

#[test]
fn a_key_is_accepted_from_its_networks_until_it_expires() {
    let bench = Bench::new();
    let key = bench
        .create("erp-prod", "10.1.0.0/16 2001:db8::/32")
        .unwrap();
    let keys = bench.keys();
    let verify = |from: &str, now| keys.verify_at(&key, peer(from), now);
    for from in ["10.1.2.3", "2001:db8::1", "::ffff:10.1.2.3"] {
        assert_eq!(&*verify(from, bench.now).unwrap(), "erp-prod", "{from}");
    }
    for from in ["10.2.0.1", "2001:db9::1", "127.0.0.1", "::ffff:10.2.0.1"] {
        assert!(why(verify(from, bench.now)).contains("network"), "{from}");
    }
    let last = bench.now + days(90) - SignedDuration::from_secs(1);
    assert!(verify("10.1.2.3", last).is_ok());
    let end = bench.now + days(90);
    assert_eq!(why(verify("10.1.2.3", end)), "the key has expired");
    assert_eq!(keys.used().of("erp-prod"), Some(last));
}

#[test]
fn what_is_kept_does_not_say_what_the_key_is() {
    let bench = Bench::new();
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    let secret = &key[21..];
    let kept = std::fs::read_to_string(bench.path()).unwrap();
    assert!(
        !kept.contains(secret) && !kept.contains(&secret[..26]),
        "{kept}"
    );
    let keys = bench.keys();
    assert!(!format!("{keys:?}").contains("erp"));
    let other = Keys::open(&bench.path(), b"another secret!!").unwrap();
    let refused = other.verify_at(&key, peer("10.0.0.1"), bench.now);
    assert!(why(refused).contains("secret"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(bench.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn unknown_keys_and_wrong_secrets_are_told_apart_by_the_operator_only() {
    let bench = Bench::new();
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    let keys = bench.keys();
    let verify = |stated: &str| why(keys.verify_at(stated, peer("10.0.0.1"), bench.now));
    assert_eq!(verify(""), "it has not the form of a key");
    let unknown = format!("pvk_{}{}", "a".repeat(16), &key[20..]);
    assert_eq!(verify(&unknown), "no key has this id");
    let wrong = format!("{}{}", &key[..21], "a".repeat(52));
    assert!(verify(&wrong).contains("secret"));
    assert!(keys.used().of("erp").is_none());
}

#[test]
fn a_rotated_key_has_both_secrets_for_the_grace() {
    let bench = Bench::new();
    let old = bench.create("erp", "10.0.0.0/8").unwrap();
    let new = bench.rotate("erp", 7).unwrap();
    let keys = bench.keys();
    let verify = |key: &str, now| keys.verify_at(key, peer("10.0.0.1"), now);
    for key in [&old, &new] {
        assert_eq!(&*verify(key, bench.now + days(6)).unwrap(), "erp");
    }
    let after = bench.now + days(7);
    assert!(why(verify(&old, after)).contains("new secret"));
    assert!(verify(&new, after).is_ok());
    // The new secret lasts as long as the old one did.
    assert!(verify(&new, bench.now + days(90)).is_err());
    // A second rotation does not lengthen the first grace.
    let newest = bench.rotate("erp", 30).unwrap();
    let keys = bench.keys();
    let verify = |key: &str, now| keys.verify_at(key, peer("10.0.0.1"), now);
    assert!(verify(&old, after).is_err());
    assert!(verify(&new, after).is_ok() && verify(&newest, after).is_ok());
    // One that leaked ends at once.
    bench.rotate("erp", 0).unwrap();
    let keys = bench.keys();
    for key in [&old, &new, &newest] {
        assert!(keys.verify_at(key, peer("10.0.0.1"), bench.now).is_err());
    }
}

#[test]
fn rotations_are_bounded_but_for_the_one_that_ends_all() {
    let bench = Bench::new();
    bench.create("erp", "10.0.0.0/8").unwrap();
    let many = (0..20).map(|_| bench.rotate("erp", 30)).collect::<Vec<_>>();
    assert_eq!(many.iter().filter(|made| made.is_ok()).count(), 7);
    assert!(matches!(many.last(), Some(Err(StoreError::Full(_)))));
    bench.rotate("erp", 0).unwrap();
    bench.rotate("erp", 30).unwrap();
}

#[test]
fn a_revoked_name_never_comes_back() {
    let bench = Bench::new();
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    let keys = bench.keys();
    assert_eq!(bench.store().revoke("erp", bench.doing()).unwrap(), None);
    let again = bench.store().revoke("erp", bench.doing()).unwrap();
    assert_eq!(again, Some(bench.now));
    let keys_then = bench.keys();
    let refused = keys_then.verify_at(&key, peer("10.0.0.1"), bench.now);
    assert_eq!(why(refused), "the key was revoked");
    let created = bench.create("erp", "10.0.0.0/8");
    assert!(matches!(created, Err(StoreError::Revoked { .. })));
    assert!(matches!(
        bench.rotate("erp", 1),
        Err(StoreError::Revoked { .. })
    ));
    let unknown = bench.store().revoke("other", bench.doing());
    assert!(matches!(unknown, Err(StoreError::Unknown { .. })));
    // What was read before is in force until somebody looks.
    assert!(keys.verify_at(&key, peer("10.0.0.1"), bench.now).is_ok());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let bench = Bench::new();
    for from in ["0.0.0.0/0", "::/0", "0.0.0.0/1 128.0.0.0/1", "10.0.0.1/8"] {
        let made = bench.create("erp", from);
        assert!(matches!(made, Err(StoreError::Networks)), "{from}");
    }
    let none = bench
        .store()
        .create(("erp", &[]), bench.now + days(1), UNDER, bench.doing());
    assert!(matches!(none, Err(StoreError::Networks)));
    for name in ["", "a b", "é", "a\n", &"a".repeat(101)] {
        let made = bench.create(name, "10.0.0.0/8");
        assert!(matches!(made, Err(StoreError::Name)), "{name}");
    }
    bench.create("erp", "10.0.0.0/8").unwrap();
    let twice = bench.create("erp", "10.0.0.0/8");
    assert!(matches!(twice, Err(StoreError::Taken { .. })));
    let late = bench
        .store()
        .rotate("erp", days(1), Some(bench.now), UNDER, bench.doing());
    assert!(matches!(late, Err(StoreError::Expired)));
    // Nothing of that has changed the file.
    let file = Store::read(&bench.path()).unwrap();
    assert_eq!((file.keys.len(), file.changes.len()), (1, 1));
    assert_eq!(file.keys[0].secrets.len(), 1);
}

#[test]
fn every_change_is_noted_with_who_and_when() {
    let bench = Bench::new();
    bench.create("erp", "10.0.0.0/8").unwrap();
    bench.rotate("erp", 1).unwrap();
    bench.store().revoke("erp", bench.doing()).unwrap();
    let file = Store::read(&bench.path()).unwrap();
    let changes: Vec<_> = file
        .changes
        .iter()
        .map(|change| (change.what, change.by.as_str(), change.time))
        .collect();
    let expected = [What::Created, What::Rotated, What::Revoked];
    assert_eq!(changes, expected.map(|what| (what, "ann", bench.now)));
    let ids = &file.keys[0].secrets;
    assert_eq!(file.changes[0].key, ids[0].id);
    assert_eq!(file.changes[2].key, ids[1].id);
}

/// Makes the next look one that is due.
fn wait() {
    std::thread::sleep(Duration::from_millis(260));
}

#[test]
fn a_change_is_seen_while_at_work_and_last_use_stays() {
    let bench = Bench::new();
    let keys = bench.keys();
    assert!(keys.is_current() && keys.file().keys.is_empty());
    let now = Timestamp::now();
    let bench = Bench { now, ..bench };
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    wait();
    assert_eq!(&*keys.verify(&key, peer("10.0.0.1")).unwrap(), "erp");
    let used = keys.used().of("erp").unwrap();
    let other = bench.create("other", "10.0.0.0/8").unwrap();
    wait();
    assert!(keys.verify(&other, peer("10.0.0.1")).is_ok());
    assert_eq!(keys.used().of("erp"), Some(used));
    // Revoked by a file of the same time and length.
    let text = std::fs::read_to_string(bench.path()).unwrap();
    let modified = std::fs::metadata(bench.path()).unwrap().modified().unwrap();
    let revoked = text.replacen(
        "\"revoked\": null",
        "\"revoked\": \"2026-11-29T12:00:00Z\"",
        1,
    );
    let blanks = revoked.len() - text.len();
    let revoked = revoked.replacen(&" ".repeat(blanks), "", 1);
    let revoked = match revoked.len() == text.len() {
        true => revoked,
        false => squeezed(&revoked, text.len()),
    };
    assert_eq!(revoked.len(), text.len());
    std::fs::write(bench.path(), revoked).unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(bench.path())
        .unwrap();
    file.set_times(std::fs::FileTimes::new().set_modified(modified))
        .unwrap();
    wait();
    let refused = keys.verify(&key, peer("10.0.0.1"));
    assert_eq!(why(refused), "the key was revoked");
    assert!(keys.verify(&other, peer("10.0.0.1")).is_ok());
}

/// The same JSON in fewer characters: blanks at the beginnings of lines go.
fn squeezed(text: &str, length: usize) -> String {
    let mut text = text.to_owned();
    while text.len() > length {
        let at = text.find("\n ").unwrap() + 1;
        text.remove(at);
    }
    text
}

#[test]
fn a_file_that_cannot_be_read_keeps_the_keys_that_were_read() {
    let bench = Bench {
        now: Timestamp::now(),
        ..Bench::new()
    };
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    let gone = bench.create("gone", "10.0.0.0/8").unwrap();
    let older = std::fs::read(bench.path()).unwrap();
    bench.store().revoke("gone", bench.doing()).unwrap();
    let whole = std::fs::read(bench.path()).unwrap();
    let keys = bench.keys();
    let half = whole[..whole.len() / 2].to_vec();
    let later = String::from_utf8(whole.clone()).unwrap();
    let later = later
        .replacen("\"version\": 1", "\"version\": 2", 1)
        .into_bytes();
    // An older copy would give back what was revoked.
    for broken in [b"".to_vec(), half, later, older, b"{}".to_vec()] {
        std::fs::write(bench.path(), broken).unwrap();
        wait();
        assert!(keys.verify(&key, peer("10.0.0.1")).is_ok());
        assert!(keys.verify(&gone, peer("10.0.0.1")).is_err());
        assert!(!keys.is_current());
    }
    std::fs::remove_file(bench.path()).unwrap();
    wait();
    assert!(keys.verify(&key, peer("10.0.0.1")).is_ok() && !keys.is_current());
    std::fs::write(bench.path(), whole).unwrap();
    wait();
    assert!(keys.verify(&key, peer("10.0.0.1")).is_ok() && keys.is_current());
}

#[test]
fn a_broken_file_does_not_open() {
    let bench = Bench::new();
    bench.create("erp", "10.0.0.0/8").unwrap();
    let good = std::fs::read_to_string(bench.path()).unwrap();
    for (from, to, told) in [
        ("\"version\": 1", "\"version\": 7", "version 7"),
        ("10.0.0.0/8", "0.0.0.0/0", "everywhere"),
        ("10.0.0.0/8", "10.0.0.1/8", "everywhere"),
        ("\"erp\"", "\"e p\"", "name"),
        ("\"hmac\": \"", "\"hmac\": \"A", "secret"),
        ("\"revoked\"", "\"revokt\"", "not a file of keys"),
        ("\"event\": \"0", "\"event\": \"x", "event"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        std::fs::write(bench.path(), bad).unwrap();
        let error = Keys::open(&bench.path(), UNDER).unwrap_err().to_string();
        assert!(error.contains(told), "{from}: {error}");
        // Nor is it written over.
        assert!(Store::open(&bench.path()).is_err());
    }
    std::fs::remove_file(bench.path()).unwrap();
    std::fs::create_dir(bench.path()).unwrap();
    assert!(Keys::open(&bench.path(), UNDER).is_err());
}

#[test]
fn commands_at_the_same_time_lose_nothing() {
    let bench = Bench::new();
    let path = bench.path();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (bench, path) = (&bench, &path);
            scope.spawn(move || {
                for number in 0..10 {
                    let name = format!("k-{thread}-{number}");
                    bench.create(&name, "10.0.0.0/8").unwrap();
                    if number % 2 == 0 {
                        let store = Store::open(path).unwrap();
                        store.revoke(&name, bench.doing()).unwrap();
                    }
                }
            });
        }
    });
    let file = Store::read(&path).unwrap();
    assert_eq!((file.keys.len(), file.changes.len()), (80, 120));
    let revoked = file.keys.iter().filter(|key| key.revoked.is_some());
    assert_eq!(revoked.count(), 40);
}

#[test]
fn when_keys_were_used_is_kept() {
    let bench = Bench::new();
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    bench.create("idle", "10.0.0.0/8").unwrap();
    let keys = bench.keys();
    keys.verify_at(&key, peer("10.0.0.1"), bench.now).unwrap();
    keys.used().write(bench.folder.path()).unwrap();
    let kept = Used::read(bench.folder.path()).unwrap();
    assert_eq!((kept.of("erp"), kept.of("idle")), (Some(bench.now), None));
    let keys = bench.keys();
    keys.remember(&kept);
    assert_eq!(keys.used(), kept);
    std::fs::write(bench.folder.path().join(Used::FILE), "{").unwrap();
    assert!(Used::read(bench.folder.path()).is_err());
}

proptest! {
    #[test]
    fn no_text_is_a_key(text in ".*|pvk_[a-z2-7]{16}_[a-z2-7]{52}|pvk_[a-z_0-9]{0,80}") {
        let bench = Bench::new();
        bench.create("erp", "10.0.0.0/8").unwrap();
        prop_assert!(bench.keys().verify_at(&text, peer("10.0.0.1"), bench.now).is_err());
    }
}

#[test]
fn no_other_byte_makes_the_same_key() {
    let bench = Bench::new();
    let key = bench.create("erp", "10.0.0.0/8").unwrap();
    let keys = bench.keys();
    let mut tried = 0;
    for at in 0..key.len() {
        for bit in 0..8 {
            let mut bytes = key.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let text = String::from_utf8_lossy(&bytes);
            let verified = keys.verify_at(&text, peer("10.0.0.1"), bench.now);
            assert!(verified.is_err(), "{at} {bit}");
            tried += 1;
        }
    }
    assert_eq!(tried, 584);
    assert!(keys.verify_at(&key, peer("10.0.0.1"), bench.now).is_ok());
}
