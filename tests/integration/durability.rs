//! No lost event: not when the process is killed at any instant, and not when the log cannot be written.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use paravent::audit::Clock;
use serde_json::{Value, json};

use crate::harness::binary::{self, Demo};
use crate::harness::client::{self, Request, Response};
use crate::harness::world::{Wish, World};

fn ask(
    demo: &Demo,
    method: &str,
    target: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Response {
    let mut headers: Vec<_> = token
        .map(|token| ("OAuth-Token", token.to_owned()))
        .into_iter()
        .collect();
    headers.extend(body.map(|_| ("Content-Type", "application/json".to_owned())));
    let request = Request {
        method,
        target,
        headers,
        body: body.map(|body| body.to_string().into_bytes()),
    };
    // The process may be killed at any moment: a refused connection is an answer like any other here.
    std::panic::catch_unwind(|| client::raw(demo.proxy, &request.bytes("demo"))).unwrap_or(
        Response {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            raw: Vec::new(),
            complete: false,
        },
    )
}

/// Verifies the log of a demo against the head that it has kept.
fn verified(data: &std::path::Path) -> std::process::Output {
    let kept = std::fs::read_to_string(data.join("state/head")).unwrap();
    let audit = data.join("audit");
    let audit = audit.to_str().unwrap();
    binary::run(&["audit", "verify", audit, "--expect", kept.trim_end()])
}

#[test]
fn every_reply_that_was_received_has_its_event_after_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut received = BTreeSet::new();
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for round in 0..20 {
        let mut demo = Demo::start(dir.path());
        let login = json!({"grant_type": "password", "client_id": "sugar", "username": "sally", "password": "demo", "platform": "base"});
        let reply = ask(
            &demo,
            "POST",
            "/rest/v11_24/oauth2/token",
            None,
            Some(&login),
        );
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        let (stop, ids) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (demo, token, stop, ids) = (&demo, &token, &stop, &ids);
                scope.spawn(move || {
                    let mut n = 0;
                    while !stop.load(Ordering::SeqCst) && n < 10_000 {
                        n += 1;
                        let body = json!({"last_name": "Round", "description": format!("{round} {worker} {n}")});
                        let reply = if n % 3 == 0 {
                            ask(demo, "POST", "/rest/v11_24/Contacts", Some(token), Some(&body))
                        } else {
                            ask(demo, "GET", "/rest/v11_24/Contacts?max_num=3", Some(token), None)
                        };
                        // A reply counts as received with its head: the decision is named there.
                        if let Some(id) = reply.header("paravent-decision") {
                            ids.lock().unwrap().push((id.to_owned(), reply.status));
                        }
                    }
                });
            }
            // A machine that is busy answers late: kill it in the middle of its work, not before.
            let deadline = Instant::now() + client::PATIENCE;
            while ids.lock().unwrap().is_empty() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(60 + 17 * round));
            let pid = demo.child.id().to_string();
            assert!(
                std::process::Command::new("kill")
                    .args(["-KILL", &pid])
                    .status()
                    .unwrap()
                    .success()
            );
            stop.store(true, Ordering::SeqCst);
        });
        demo.child.wait().unwrap();
        let ids = ids.into_inner().unwrap();
        assert!(!ids.is_empty(), "round {round} received nothing");
        received.extend(ids);
    }
    std::panic::set_hook(quiet);

    let demo = Demo::start(dir.path());
    assert_eq!(demo.interrupt(), Some(0));
    let audit = dir.path().join("audit");
    let verified = verified(dir.path());
    assert!(
        verified.status.success(),
        "{}{}",
        String::from_utf8_lossy(&verified.stdout),
        String::from_utf8_lossy(&verified.stderr)
    );
    let mut events: Vec<Value> = Vec::new();
    for entry in std::fs::read_dir(&audit).unwrap().flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            events.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
    }
    let closed: BTreeSet<_> = events
        .iter()
        .filter(|event| event["phase"] == json!("closed"))
        .map(|event| {
            (
                event["id"].as_str().unwrap().to_owned(),
                event["outcome"]["status"].as_u64().unwrap(),
            )
        })
        .collect();
    for (id, status) in &received {
        assert!(
            closed.contains(&(id.clone(), u64::from(*status))),
            "the reply {id} ({status}) has no event"
        );
    }
}

#[test]
fn when_the_log_cannot_be_written_nothing_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start_with(dir.path(), |command| {
        let mut limited = std::process::Command::new("bash");
        limited
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args());
        limited
    });
    // A disk that is full 64 KiB from now on, for the log: a bound of files, the signal that goes with it ignored.
    let log = std::fs::read_dir(dir.path().join("audit")).unwrap();
    let log = log.flatten().map(|entry| entry.metadata().unwrap().len());
    let bytes = log.max().unwrap() + 64 * 1024;
    let limited = std::process::Command::new("prlimit")
        .args([
            "--pid",
            &demo.pid().to_string(),
            &format!("--fsize={bytes}"),
        ])
        .status()
        .unwrap();
    assert!(limited.success());
    let login = json!({"grant_type": "password", "client_id": "sugar", "username": "sally", "password": "demo", "platform": "base"});
    let reply = ask(
        &demo,
        "POST",
        "/rest/v11_24/oauth2/token",
        None,
        Some(&login),
    );
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let mut received = Vec::new();
    for _ in 0..200 {
        let reply = ask(
            &demo,
            "GET",
            "/rest/v11_24/Contacts?max_num=20",
            Some(&token),
            None,
        );
        match reply.status {
            200 => received.push(reply.header("paravent-decision").unwrap().to_owned()),
            503 => {
                assert!(!reply.text().contains("records") && reply.header("retry-after").is_some());
                break;
            }
            other => panic!("{other}: {}", reply.text()),
        }
    }
    assert!(
        !received.is_empty() && received.len() < 200,
        "the disk was never full"
    );
    let body = json!({"last_name": "Unwritten"});
    assert_eq!(
        ask(
            &demo,
            "POST",
            "/rest/v11_24/Contacts",
            Some(&token),
            Some(&body)
        )
        .status,
        503
    );
    let count = client::raw(demo.crm, b"GET /rest/v11_24/Contacts/count?filter[0][last_name]=Unwritten HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_ne!(
        count.json()["record_count"],
        json!(1),
        "a write was forwarded without its event"
    );
    let ready = client::raw(
        demo.admin,
        b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(ready.status, 503);
    drop(demo);

    // With room on the disk it goes on, and everything that was released is in it.
    let demo = Demo::start(dir.path());
    assert_eq!(demo.interrupt(), Some(0));
    let audit = dir.path().join("audit");
    let verified = verified(dir.path());
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    let text: String = std::fs::read_dir(&audit)
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
        .collect();
    for id in received {
        assert!(text.contains(&id), "the reply {id} has no event");
    }
}

#[test]
fn a_second_process_is_turned_away_though_the_lock_file_of_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let audit = dir.path().join("audit");
    let lock = audit.join("lock");
    let is_turned_away = || {
        let out = binary::refused(&binary::demo_words(dir.path().to_str().unwrap()));
        let words = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{words}");
        // Not only the state that it keeps beside the log.
        assert!(words.contains("error: the access log"), "{words}");
        assert!(words.contains("in use by another process"), "{words}");
    };
    is_turned_away();
    let _ = std::fs::remove_file(&lock);
    is_turned_away();
    std::fs::write(&lock, "").unwrap();
    is_turned_away();
    std::fs::rename(&lock, audit.join("lock.old")).unwrap();
    is_turned_away();
    assert_eq!(demo.interrupt(), Some(0));
    assert_eq!(verified(dir.path()).status.code(), Some(0));
}

#[test]
fn a_log_that_a_later_version_went_on_with_is_refused_by_its_version() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Demo::start(dir.path()).interrupt(), Some(0));
    let audit = dir.path().join("audit");
    let path = audit.join("audit-0000000000000001.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let last = text.trim_end().rfind('\n').unwrap();
    let later = text[last..].replace("\"v\":2}", "\"v\":3}");
    std::fs::write(&path, format!("{}{later}", &text[..last])).unwrap();
    let audit = audit.to_str().unwrap();
    let demo = binary::demo_words(dir.path().to_str().unwrap());
    for words in [&demo[..], &["audit", "verify", audit]] {
        let out = binary::refused(words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains("is in format 3"), "{said}");
    }
    let out = binary::run(&["audit", "query", audit]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("format of a later version: 1"), "{said}");
}

#[test]
fn a_clock_that_steps_back_leaves_its_mark() {
    let time: Arc<Mutex<Timestamp>> = Arc::new(Mutex::new("2026-03-01T10:00:00Z".parse().unwrap()));
    let told = time.clone();
    let mut world = World::demo_with(Wish {
        clock: Some(Clock::telling(move || *told.lock().unwrap())),
        ..Wish::default()
    });
    let sally = world.login("sally");
    let list = |world: &World, at: &str| {
        *time.lock().unwrap() = at.parse().unwrap();
        let reply = world.get("/rest/v11_24/Contacts?max_num=1", &sally);
        reply.header("paravent-decision").unwrap().to_owned()
    };
    let first = list(&world, "2026-03-01T10:30:00Z");
    let late = list(&world, "2026-03-01T12:00:00Z");
    let early = list(&world, "2026-03-01T10:15:00Z");
    let after = list(&world, "2026-03-01T10:20:00Z");
    let steps = "paravent_clock_steps_total 1";
    assert!(world.metrics().contains(steps), "{}", world.metrics());
    world.stop();
    let stepped: Vec<Value> = world
        .events()
        .into_iter()
        .filter(|event| event["event"] == "clock.stepped")
        .collect();
    assert_eq!(stepped.len(), 1);
    assert_eq!(stepped[0]["from"], "2026-03-01T12:00:00.000Z");
    assert_eq!(stepped[0]["to"], "2026-03-01T10:15:00.000Z");
    assert_eq!(stepped[0]["time"], stepped[0]["to"]);

    let dir = world.audit.path().to_str().unwrap();
    let verified = binary::run(&["audit", "verify", dir]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    let line = format!(
        "from 2026-03-01T12:00:00.000Z to 2026-03-01T10:15:00.000Z (event {})",
        stepped[0]["seq"]
    );
    assert!(said.contains(&line), "{said}");
    // What lies between two places in the order of events, whatever their times.
    for (since, until, expected) in [
        ("10:40", "12:30", vec![&late, &early, &after]),
        ("10:00", "10:18", vec![&first, &late, &early]),
        ("10:00", "10:16", vec![&first, &late, &early]),
        ("11:00", "11:30", vec![&late, &early, &after]),
        ("12:30", "13:00", vec![]),
    ] {
        let since = format!("since=2026-03-01T{since}:00Z");
        let until = format!("until=2026-03-01T{until}:00Z");
        let words = [
            "audit",
            "query",
            dir,
            "action=list",
            &since,
            &until,
            "--format",
            "json",
        ];
        let found = binary::run(&words);
        let ids: Vec<Value> = String::from_utf8_lossy(&found.stdout)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
            .collect();
        assert_eq!(json!(ids), json!(expected), "{since} {until}");
        let note = String::from_utf8_lossy(&found.stderr).into_owned();
        assert!(
            note.contains("the clock stepped back in this log"),
            "{note}"
        );
    }
}
