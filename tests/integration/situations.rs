//! What docs/audit/situations.md tells is what happens: each command in its order, against the demo, word for word.
//!
//! What differs from run to run stands here for what a reader sees: times, ids, hashes, numbers of events. With
//! `PARAVENT_WRITE` set to a file, the page is written there with the answers of this run.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;
use serde_json::json;

use crate::harness::binary::Demo;
use crate::harness::client::{self, Request, Response};
use crate::walkthrough::{Step, steps};

const CONTACT: &str = "062d2f00-ab81-45a5-8444-0b844b46956d";

fn get(address: SocketAddr, target: &str, header: (&'static str, String)) -> Response {
    let request = Request {
        method: "GET",
        target,
        headers: vec![header],
        body: None,
    };
    client::raw(address, &request.bytes("demo"))
}

fn log_in(demo: &Demo, user: &str) -> (&'static str, String) {
    let body = json!({"grant_type": "password", "client_id": "sugar", "username": user, "password": "demo"});
    let request = Request {
        method: "POST",
        target: "/rest/v11_24/oauth2/token",
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: Some(body.to_string().into_bytes()),
    };
    let reply = client::raw(demo.proxy, &request.bytes("demo"));
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    ("OAuth-Token", token)
}

/// What happened before anybody asks.
fn play(demo: &Demo) {
    let contacts = "/rest/v11_24/Contacts";
    let (sally, max) = (log_in(demo, "sally"), log_in(demo, "max"));
    let strong = demo
        .greeting
        .lines()
        .find_map(|line| line.trim().strip_prefix("STRONG="));
    let fanny = ("Authorization", format!("Bearer {}", strong.unwrap()));
    for (address, target, who, status) in [
        (demo.proxy, format!("{contacts}/{CONTACT}"), &sally, 200),
        (
            demo.proxy,
            format!("{contacts}?max_num=20&fields=full_name,email1"),
            &max,
            200,
        ),
        (
            demo.tokens,
            format!("{contacts}?max_num=5&fields=full_name,iban_c"),
            &fanny,
            200,
        ),
        (
            demo.tokens,
            format!("{contacts}/{CONTACT}?fields=full_name,iban_c"),
            &fanny,
            200,
        ),
        (
            demo.proxy,
            format!("{contacts}?filter%5B0%5D%5Biban_c%5D%5B%24starts%5D=FR76"),
            &max,
            403,
        ),
        (
            demo.proxy,
            format!("{contacts}?filter%5B0%5D%5Breligion_c%5D%5B%24not_empty%5D="),
            &max,
            403,
        ),
    ] {
        let reply = get(address, &target, who.clone());
        assert_eq!(reply.status, status, "{target}: {}", reply.text());
    }
}

fn answer(command: &str, within: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_paravent")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("{{ {command}\n}} 2>/dev/null"))
        .current_dir(within)
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("NO_COLOR", "1")
        .env("USER", "root")
        .env_remove("PARAVENT_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + if lines.is_empty() { "" } else { "\n" }
}

/// A text without what differs from run to run.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, word) in [
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"\d{16}\.[0-9a-f]{8}\.checkpoint", "CHECKPOINT"),
        (r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "DECISION"),
        (r"\b[0-9a-f]{32,64}\b", "HASH"),
        (r"(key |\+)[0-9a-f]{8}\b", "KEY"),
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"\d\d:\d\d(:\d\d)?", "HOUR"),
        (r"\d{1,2} [A-Z][a-z]+ \d{4}", "DATE"),
        (
            r"(?i)\b(events?|up to|after|last:|sizes|expect|signed:|agree:)( event)? \d+(, \d+)*",
            "EVENTS",
        ),
        (r"\b\d+ (events|lines)\b", "EVENTS"),
        (r"made TIME by \S+,", "made TIME by SOMEBODY,"),
        (r"\s+", " "),
    ] {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, word)
            .into_owned();
    }
    text.trim().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn the_three_situations_are_as_they_are_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/audit/situations.md")).unwrap();
    let steps = steps(&page);
    assert!(steps.len() > 10, "{}", steps.len());
    let dir = tempfile::tempdir().unwrap();
    // The demo's policy is the shipped one, and two files more.
    for from in ["policies/sugarcrm", "policies/demo", "policies/newsletter"] {
        copy(&root.join(from), &dir.path().join("policies"));
    }
    let demo = Demo::start(&dir.path().join("demo"));
    play(&demo);
    let (mut written, mut wrong) = (page.clone(), Vec::new());
    for step in steps {
        let Step::Run {
            command,
            answer: expected,
        } = step
        else {
            panic!("{step:?}");
        };
        let said = answer(&command, dir.path());
        written = written.replacen(
            &format!("$ {command}\n{expected}"),
            &format!("$ {command}\n{said}"),
            1,
        );
        if plain(&said) != plain(&expected) {
            wrong.push(format!("$ {command}\n{said}\n--- expected\n{expected}"));
        }
    }
    if let Some(file) = std::env::var_os("PARAVENT_WRITE") {
        std::fs::write(file, written).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(dir.path().join("rapport.html").exists());
}

#[test]
fn only_what_differs_from_run_to_run_is_passed_over() {
    let one = "2026-11-29 01M8MDXG3ABM7XTQRBN1JFWWHW Fanny 5\n19:53:36 list";
    assert_eq!(plain(one), "DAY DECISION Fanny 5 HOUR list");
    assert_ne!(plain("persons 20"), plain("persons 21"));
    assert_ne!(plain("financial.iban"), plain("financial.bic"));
}
