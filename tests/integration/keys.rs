//! `paravent key` beside a running proxy: nothing that is done to a key is lost, and no secret is anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::binary::{paravent, run, secret};
use crate::harness::ports;

struct Installed {
    folder: tempfile::TempDir,
}

/// A proxy at work; killed when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Installed {
    fn new() -> Self {
        let installed = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let (bind, admin) = (ports::free(), ports::free());
        secret(&installed.path("token.key"), b"0123456789abcdef");
        secret(&installed.path("api.key"), b"canary-api-key-0123");
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/sugarcrm");
        let text = format!(
            "listeners:\n  - {{ name: crm, bind: \"{bind}\", upstream: sugar }}\n\
             admin: {{ bind: \"{admin}\" }}\n\
             identity: {{ keys: {{ file: keys.json }} }}\n\
             upstreams:\n  sugar: {{ url: \"http://127.0.0.1:9\", dialects: [sugar-rest] }}\n\
             policies: {policies}\n\
             keys: {{ token: {{ file: token.key }}, api: {{ file: api.key }} }}\n\
             audit: {{ dir: log }}\nstate: {{ dir: kept }}\n"
        );
        fs::write(installed.path("paravent.yaml"), text).unwrap();
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self, words: &[&str]) -> Output {
        let config = self.path("paravent.yaml");
        let config = ["--config", config.to_str().unwrap()];
        run(&[&["key"], words, &config].concat())
    }

    fn create(&self, name: &str) -> String {
        let made = self.key(&[
            "create",
            "--name",
            name,
            "--expires",
            "90d",
            "--from",
            "10.1.0.0/16",
        ]);
        assert!(made.status.success(), "{}", said(&made));
        let key = String::from_utf8(made.stdout).unwrap();
        let key = key.strip_suffix('\n').unwrap().to_owned();
        assert!(key.len() == 73 && key.starts_with("pvk_"), "{key}");
        let told = String::from_utf8(made.stderr).unwrap();
        assert!(told.contains(name) && !told.contains(&key[4..20]), "{told}");
        key
    }

    fn list(&self) -> Vec<Value> {
        let listed = self.key(&["list", "--format", "json"]);
        assert!(listed.status.success(), "{}", said(&listed));
        serde_json::from_slice(&listed.stdout).unwrap()
    }

    fn serve(&self) -> Serving {
        let config = self.path("paravent.yaml");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("serve.log"));
        let child = paravent(&["serve", "--config", config.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn();
        Serving(child.unwrap())
    }

    /// The events about keys: each with its name and that of the key.
    fn events(&self) -> Vec<String> {
        let mut files: Vec<_> = fs::read_dir(self.path("log"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        files.sort();
        let text: String = files
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let events = text.lines().filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            let name = event["event"].as_str()?;
            let about = event["name"].as_str()?;
            (name.starts_with("key.")).then(|| format!("{name} {about}"))
        });
        events.collect()
    }

    fn wait_for(&self, expected: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.events() != expected {
            let log = fs::read_to_string(self.path("serve.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{:?}\n{log}", self.events());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn keys_are_made_listed_rotated_and_revoked() {
    let installed = Installed::new();
    let empty = installed.key(&["list"]);
    assert_eq!(said(&empty), "no key yet\n");
    assert!(!installed.path("keys.json").exists());
    let first = installed.create("erp-prod");
    let other = installed.create("mailer");
    let rotated = installed.key(&["rotate", "erp-prod", "--grace", "7d"]);
    assert!(rotated.status.success());
    let second = String::from_utf8(rotated.stdout).unwrap();
    let revoked = installed.key(&["revoke", "mailer"]);
    assert!(revoked.status.success() && revoked.stdout.is_empty());
    let again = installed.key(&["revoke", "mailer"]);
    assert!(again.status.success() && said(&again).contains("already"));
    let listed = installed.list();
    assert_eq!(listed.len(), 2);
    let (erp, mailer) = (&listed[0], &listed[1]);
    assert_eq!(
        (&erp["name"], &erp["state"]),
        (&"erp-prod".into(), &"valid".into())
    );
    assert_eq!(erp["id"], second[4..20]);
    assert_eq!(erp["older"][0]["id"], first[4..20]);
    assert_eq!(erp["from"][0], "10.1.0.0/16");
    assert!(erp["last_used"].is_null() && erp["revoked"].is_null());
    assert_eq!(
        (&mailer["state"], &mailer["id"]),
        (&"revoked".into(), &other[4..20].into())
    );
    let text = said(&installed.key(&["list"]));
    for word in [
        "name",
        "last used",
        "erp-prod",
        "valid",
        "revoked",
        "never",
        "10.1.0.0/16",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let kept = fs::read_to_string(installed.path("keys.json")).unwrap();
    for key in [&first, &other, &second.trim().to_owned()] {
        for shown in [
            &text,
            &kept,
            &said(&installed.key(&["list", "--format", "json"])),
        ] {
            assert!(!shown.contains(&key[21..]), "{shown}");
        }
    }
    for name in ["keys.json", "keys.json.lock"] {
        let mode = fs::metadata(installed.path(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn commands_that_cannot_be_meant_change_nothing() {
    let installed = Installed::new();
    installed.create("erp");
    installed.create("gone");
    installed.key(&["revoke", "gone"]);
    let before = fs::read(installed.path("keys.json")).unwrap();
    let made = |name, expires, from: &[&'static str]| {
        let words = ["create", "--name", name, "--expires", expires];
        let from = from.iter().flat_map(|one| ["--from", *one]);
        words.into_iter().chain(from).collect::<Vec<_>>()
    };
    for (words, told) in [
        (made("x", "90d", &[]), "--from"),
        (made("x", "90d", &["0.0.0.0/0"]), "not every address"),
        (made("x", "90d", &["::/0"]), "not every address"),
        (
            made("x", "90d", &["0.0.0.0/1", "128.0.0.0/1"]),
            "not every address",
        ),
        (made("x", "90d", &["10.1.0.1/16"]), "10.1.0.0/16"),
        (made("x", "90d", &["crm.example.org"]), "10.0.0.0/8"),
        (made("x", "0d", &["10.0.0.0/8"]), "over already"),
        (made("x", "2020-01-01", &["10.0.0.0/8"]), "begun already"),
        (made("x", "soon", &["10.0.0.0/8"]), "2027-01-31"),
        (made("a b", "90d", &["10.0.0.0/8"]), "--name"),
        (made("erp", "90d", &["10.0.0.0/8"]), "key rotate erp"),
        (made("gone", "90d", &["10.0.0.0/8"]), "never comes back"),
        (vec!["rotate", "gone", "--grace", "1d"], "never comes back"),
        (vec!["rotate", "nobody", "--grace", "1d"], "key list"),
        (vec!["rotate", "erp"], "--grace"),
        (vec!["rotate", "erp", "--grace", "soon"], "0s"),
        (vec!["revoke", "nobody"], "key list"),
    ] {
        let output = installed.key(&words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        assert!(said(&output).contains(told), "{words:?}: {}", said(&output));
    }
    assert_eq!(fs::read(installed.path("keys.json")).unwrap(), before);
    let elsewhere = run(&["key", "list", "--config", "missing.yaml"]);
    assert_eq!(elsewhere.status.code(), Some(2));
    let config = installed.path("paravent.yaml");
    let text = fs::read_to_string(&config).unwrap();
    let without = text.replace("identity: { keys: { file: keys.json } }\n", "");
    fs::write(&config, without).unwrap();
    let none = installed.key(&["list"]);
    assert!(none.status.code() == Some(2) && said(&none).contains("identity"));
}

#[test]
fn a_key_that_cannot_be_shown_is_told_of() {
    let installed = Installed::new();
    let config = installed.path("paravent.yaml");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let words = [
        "key",
        "create",
        "--name",
        "erp",
        "--expires",
        "1d",
        "--from",
        "10.0.0.0/8",
    ];
    let output = paravent(&[&words[..], &["--config", config.to_str().unwrap()]].concat())
        .stdout(full)
        .output()
        .unwrap();
    let told = said(&output);
    assert!(
        output.status.code() == Some(2) && told.contains("rotate erp"),
        "{told}"
    );
    assert!(!told.contains("pvk_"));
}

#[test]
fn commands_at_the_same_time_lose_nothing() {
    let installed = Installed::new();
    std::thread::scope(|scope| {
        for number in 0..12 {
            let installed = &installed;
            scope.spawn(move || {
                let name = format!("key-{number}");
                installed.create(&name);
                if number % 3 == 0 {
                    assert!(installed.key(&["revoke", &name]).status.success());
                }
            });
        }
    });
    let listed = installed.list();
    assert_eq!(listed.len(), 12);
    let revoked = listed.iter().filter(|key| key["state"] == "revoked");
    assert_eq!(revoked.count(), 4);
}

#[test]
fn what_is_done_to_keys_is_in_the_log_once_whether_the_proxy_runs_or_not() {
    let installed = Installed::new();
    let key = installed.create("before");
    let serving = installed.serve();
    installed.wait_for(&["key.created before"]);
    installed.create("during");
    installed.key(&["rotate", "during", "--grace", "1d"]);
    let so_far = [
        "key.created before",
        "key.created during",
        "key.rotated during",
    ];
    installed.wait_for(&so_far);
    // Killed, not stopped.
    drop(serving);
    installed.key(&["revoke", "before"]);
    let serving = installed.serve();
    let all = [&so_far[..], &["key.revoked before"]].concat();
    installed.wait_for(&all);
    drop(serving);
    // The state is lost, and the log is not.
    fs::remove_file(installed.path("kept/keys-noted.json")).unwrap();
    let serving = installed.serve();
    installed.create("after");
    let all = [&all[..], &["key.created after"]].concat();
    installed.wait_for(&all);
    drop(serving);
    let dir = installed.path("log");
    let verified = run(&["audit", "verify", dir.to_str().unwrap()]);
    assert!(said(&verified).starts_with("whole:"), "{}", said(&verified));
    let log = fs::read_to_string(installed.path("serve.log")).unwrap();
    assert!(!log.contains(&key[21..]) && !log.contains("canary-api-key"));
}

#[test]
fn a_file_of_keys_that_others_may_change_or_that_is_broken_stops_the_start() {
    let installed = Installed::new();
    installed.create("erp");
    let config = installed.path("paravent.yaml");
    let check = || {
        let words = ["check", "--connect", "--config", config.to_str().unwrap()];
        let output = run(&[&words[..], &["--running"]].concat());
        (output.status.code(), said(&output))
    };
    let path = installed.path("keys.json");
    for (mode, code) in [(0o600, None), (0o644, Some("C022")), (0o660, Some("C022"))] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (_, told) = check();
        match code {
            Some(code) => assert!(told.contains(code) && told.contains("keys.json"), "{told}"),
            None => assert!(!told.contains("C022") && !told.contains("C009"), "{told}"),
        }
    }
    fs::write(&path, "{").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, told) = check();
    assert_eq!(code, Some(1));
    assert!(
        told.contains("C009") && told.contains("not a file of keys"),
        "{told}"
    );
    // Nor does a command write over it.
    let made = installed.key(&[
        "create",
        "--name",
        "x",
        "--expires",
        "1d",
        "--from",
        "10.0.0.0/8",
    ]);
    assert!(made.status.code() == Some(2) && made.stdout.is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
}
