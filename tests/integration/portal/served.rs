//! The whole program with a portal: from the form to the access log.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::stage::{CANARY, install, seen, token};
use crate::harness::binary::{paravent, run};
use crate::harness::client::{self, Request};

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_confirmed_link_is_in_the_ledger_and_the_access_log_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let config = install(folder.path(), "127.0.0.1:0");
    let words = ["serve", "--config", config.to_str().unwrap()];
    let mut child = paravent(&words)
        .env("PARAVENT_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut served = Served(child);
    let mut said = String::new();
    let portal: SocketAddr = loop {
        let line = lines.next().expect("it ended").unwrap();
        said.push_str(&line);
        if let Some(address) = line.split("portal listening address=").nth(1) {
            break address.split(' ').next().unwrap().parse().unwrap();
        }
    };
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<String>());
    let post = |target: &str, form: &str| {
        let request = Request {
            method: "POST",
            target,
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(form.as_bytes().to_vec()),
        };
        client::raw(portal, &request.bytes("localhost")).status
    };
    let form = format!("email={CANARY}@example.com&purpose=newsletter&source=website");
    assert_eq!(post("/consent/requests", &form), 202);
    let mail = eventually("no mail", || {
        let entry = fs::read_dir(folder.path().join("mail"))
            .ok()?
            .flatten()
            .next()?;
        let is_whole = entry.path().extension().is_some_and(|one| one == "eml");
        is_whole.then(|| fs::read_to_string(entry.path()).unwrap())
    });
    let token = token(&mail, "/consent/confirm");
    assert_eq!(post(&format!("/consent/confirm?t={token}"), &seen()), 200);
    assert_eq!(post(&format!("/consent/confirm?t={token}"), ""), 410);
    let stop = Command::new("kill").arg(served.0.id().to_string()).status();
    assert!(stop.unwrap().success());
    assert!(served.0.wait().unwrap().success());
    said.push_str(&rest.join().unwrap());
    let mut log = String::new();
    for entry in fs::read_dir(folder.path().join("log")).unwrap().flatten() {
        log.push_str(&fs::read_to_string(entry.path()).unwrap_or_default());
    }
    for name in ["recorded", "link_sent", "confirmed"] {
        assert!(log.contains(&format!("\"consent.{name}\"")), "{name}");
    }
    for text in [&log, &said] {
        assert!(!text.contains(CANARY) && !text.contains(&token));
    }
}

#[test]
fn check_says_what_the_portal_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let config = install(folder.path(), "127.0.0.1:0");
    let check = |text: &str, rules: &str| {
        fs::write(&config, text).unwrap();
        fs::write(folder.path().join("policies/rules.yaml"), rules).unwrap();
        let done = run(&["check", "--config", config.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        (
            done.status.code().unwrap(),
            said + &String::from_utf8_lossy(&done.stderr),
        )
    };
    let (good, rules) = (fs::read_to_string(&config).unwrap(), super::stage::RULES);
    let (code, said) = check(&good, rules);
    assert_eq!(code, 0, "{said}");
    let organisation = rules.lines().nth(1).unwrap();
    let portal = &good[good.find("portal:").unwrap()..];
    let without = |part: &str| good.replace(part, "");
    for (text, rules, says) in [
        (good.clone(), rules.replace(organisation, ""), "C014"),
        (
            good.replace(
                "url: http://127.0.0.1:8446",
                "url: http://privacy.example.com",
            ),
            rules.to_owned(),
            "C052",
        ),
        (
            good.replace(
                "url: http://127.0.0.1:8446",
                "url: https://privacy.example.com/x",
            ),
            rules.to_owned(),
            "C052",
        ),
        (
            good.replace(
                "\"https://www.example.com/\"",
                "\"https://www.example.com\"",
            ),
            rules.to_owned(),
            "C052",
        ),
        (
            good.replace("may: [show]", "may: [erase]"),
            rules.to_owned(),
            "erase",
        ),
        (
            without("person: [{ file: person.key }], "),
            rules.to_owned(),
            "keys.person",
        ),
        (
            without(&portal[portal.find("mail:").unwrap()..]),
            rules.to_owned(),
            "`mail` is missing",
        ),
        (
            without(&portal[..portal.find("mail:").unwrap()]),
            rules.to_owned(),
            "without `portal`",
        ),
        (
            good.replace(
                "dir: mail",
                "smtp: { host: mail.example.com, in_clear: allowed }",
            ),
            rules.to_owned(),
            "C053",
        ),
        (
            good.replace("dir: mail", "smtp: { host: mail.example.com, user: u }"),
            rules.to_owned(),
            "C053",
        ),
        (
            good.replace("from: \"Example", "from: \"Example <"),
            rules.to_owned(),
            "C053",
        ),
    ] {
        let (code, said) = check(&text, &rules);
        assert_eq!(code, 1, "{says}: {said}");
        assert!(said.contains(says), "{says}: {said}");
    }
    let (code, said) = check(&without(portal), rules);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("C135"), "{said}");
}
