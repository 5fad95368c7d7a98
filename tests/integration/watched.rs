//! What an operator's tools do to the access log while it is written: `rm`, `mv`, logrotate with `create` and with
//! `copytruncate`, `sed -i`. No reply leaves whose event lies in no file, and what is missing is noted.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::binary::{self, Demo};
use crate::harness::client::{self, Request, Response};

const SEGMENT: &str = "audit-0000000000000001.jsonl";

fn ask(demo: &Demo, token: &str, target: &str) -> Response {
    let request = Request {
        method: "GET",
        target,
        headers: vec![("OAuth-Token", token.to_owned())],
        body: None,
    };
    client::raw(demo.proxy, &request.bytes("demo"))
}

fn log_in(demo: &Demo) -> String {
    let login = json!({"grant_type": "password", "client_id": "sugar", "username": "sally", "password": "demo", "platform": "base"});
    let request = Request {
        method: "POST",
        target: "/rest/v11_24/oauth2/token",
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: Some(login.to_string().into_bytes()),
    };
    let reply = client::raw(demo.proxy, &request.bytes("demo"));
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

fn list(demo: &Demo, token: &str) -> Response {
    ask(demo, token, "/rest/v11_24/Contacts?max_num=1&fields=id")
}

fn admin(demo: &Demo, path: &str) -> Response {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client::raw(demo.admin, request.as_bytes())
}

/// The text of all segments.
fn log_of(audit: &Path) -> String {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(audit)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// What is done, given the folder of the log and another one.
type Tamper = fn(&Path, &Path);

const TAMPERINGS: &[(&str, Tamper, i32)] = &[
    (
        "removed",
        |audit, _| {
            std::fs::remove_file(audit.join(SEGMENT)).unwrap();
        },
        1,
    ),
    (
        "moved away",
        |audit, elsewhere| {
            std::fs::rename(audit.join(SEGMENT), elsewhere.join("1")).unwrap();
        },
        1,
    ),
    (
        "moved away, and a new empty file",
        |audit, elsewhere| {
            std::fs::rename(audit.join(SEGMENT), elsewhere.join("1")).unwrap();
            std::fs::write(audit.join(SEGMENT), "").unwrap();
        },
        1,
    ),
    (
        "copied, and truncated in place",
        |audit, elsewhere| {
            std::fs::copy(audit.join(SEGMENT), elsewhere.join("1")).unwrap();
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(audit.join(SEGMENT));
            file.unwrap().set_len(0).unwrap();
        },
        1,
    ),
    (
        "moved away and copied back",
        |audit, elsewhere| {
            std::fs::rename(audit.join(SEGMENT), elsewhere.join("1")).unwrap();
            std::fs::copy(elsewhere.join("1"), audit.join(SEGMENT)).unwrap();
        },
        0,
    ),
    (
        "the folder removed",
        |audit, _| {
            std::fs::remove_dir_all(audit).unwrap();
        },
        1,
    ),
];

fn try_one(name: &str, tamper: Tamper, missing: i32) {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let audit = dir.path().join("audit");
    let demo = Demo::start(dir.path());
    let token = log_in(&demo);
    assert_eq!(list(&demo, &token).status, 200, "{name}");
    tamper(&audit, elsewhere.path());
    let mut released = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while released.len() < 3 {
        assert!(Instant::now() < deadline, "{name}: does not go on");
        let reply = list(&demo, &token);
        match reply.status {
            200 => released.push(reply.header("paravent-decision").unwrap().to_owned()),
            503 => assert!(!reply.text().contains("records"), "{name}"),
            other => panic!("{name}: {other}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(admin(&demo, "/readyz").status, 200, "{name}");
    let metrics = admin(&demo, "/metrics").text();
    assert!(
        metrics.contains("paravent_audit_gaps_total 1\n"),
        "{name}: {metrics}"
    );
    assert_eq!(demo.interrupt(), Some(0), "{name}");
    let text = log_of(&audit);
    for id in &released {
        assert!(text.contains(id), "{name}: the reply {id} has no event");
    }
    let gap = text.lines().find(|line| line.contains("audit.gap"));
    let gap: Value = serde_json::from_str(gap.unwrap()).unwrap();
    assert!(
        gap["last_hash"].as_str().unwrap().starts_with("sha256:"),
        "{name}"
    );

    // A restart does not make it whole.
    assert_eq!(Demo::start(dir.path()).interrupt(), Some(0), "{name}");
    let audit = audit.to_str().unwrap();
    let verified = binary::run(&["audit", "verify", audit]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!(verified.status.code(), Some(1), "{name}: {said}");
    assert_eq!(said.contains("are missing"), missing == 1, "{name}: {said}");
    let known = format!("1-{}", gap["last_seq"]);
    let verified = binary::run(&["audit", "verify", audit, "--expect-gap", &known]);
    assert_ne!(verified.status.code(), Some(1), "{name}: {said}");
}

#[test]
fn no_reply_leaves_whose_event_lies_in_no_file() {
    std::thread::scope(|scope| {
        for (name, tamper, missing) in TAMPERINGS {
            scope.spawn(move || try_one(name, *tamper, *missing));
        }
    });
}

#[test]
fn while_the_log_has_no_place_nothing_is_released_and_readiness_is_red() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("audit");
    let demo = Demo::start(dir.path());
    let token = log_in(&demo);
    assert_eq!(list(&demo, &token).status, 200);
    // Nothing can be made under a name that a file has.
    std::fs::rename(&audit, dir.path().join("moved")).unwrap();
    std::fs::write(&audit, "no folder").unwrap();
    for _ in 0..5 {
        let reply = list(&demo, &token);
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert!(!reply.text().contains("records"));
        assert_eq!(admin(&demo, "/readyz").status, 503);
        std::thread::sleep(Duration::from_millis(300));
    }
    std::fs::remove_file(&audit).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while list(&demo, &token).status != 200 {
        assert!(Instant::now() < deadline, "does not go on");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(admin(&demo, "/readyz").status, 200);
    assert_eq!(demo.interrupt(), Some(0));
    assert!(
        log_of(&audit)
            .lines()
            .next()
            .unwrap()
            .contains("folder-gone")
    );
}

#[test]
fn a_restart_sees_what_was_cut_off_while_nobody_looked() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("audit");
    assert_eq!(Demo::start(dir.path()).interrupt(), Some(0));
    let kept = std::fs::read_to_string(dir.path().join("state/head")).unwrap();
    std::fs::remove_dir_all(&audit).unwrap();
    assert_eq!(Demo::start(dir.path()).interrupt(), Some(0));
    let first: Value = serde_json::from_str(log_of(&audit).lines().next().unwrap()).unwrap();
    assert_eq!(first["event"], "audit.gap");
    assert_eq!(first["why"], "end-missing");
    let head = format!(
        "{:020}:{}",
        first["last_seq"].as_u64().unwrap(),
        first["last_hash"].as_str().unwrap()
    );
    assert_eq!(kept.trim_end(), head);
}
