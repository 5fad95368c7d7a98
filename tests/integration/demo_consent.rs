//! The demo's newsletter: for this purpose exactly those contacts are there who have confirmed that they want it, and nothing tells
//! the others apart from nobody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use paravent::consent::{PolicyTerms, Stand, answer};
use paravent::ledger::{Ledger, Reference, Who};
use paravent::reload::Candidate;
use serde_json::{Value, json};

use crate::harness::binary::{Demo, paravent};
use crate::harness::client::{self, Request, Response};

const NEWSLETTER: &str = "newsletter";
/// An id that no record has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
/// For how long it is waited for what takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Response {
    let mut headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    headers.push(("Content-Type", "application/json".to_owned()));
    let target = format!("/rest/v11_24/{target}");
    let request = Request {
        method,
        target: &target,
        headers,
        body: body.map(|body| body.to_string().into_bytes()),
    };
    client::raw(address, &request.bytes("demo"))
}

fn log_in(address: SocketAddr, user: &str) -> String {
    let body = json!({"grant_type": "password", "client_id": "sugar", "username": user, "password": "demo"});
    let reply = send(address, "POST", "oauth2/token", &[], Some(body));
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// The demo, with a session of somebody in marketing, and one of whoever sees the truth.
struct Stage<'d> {
    demo: &'d Demo,
    max: String,
    admin: String,
}

impl<'d> Stage<'d> {
    fn of(demo: &'d Demo) -> Self {
        Self {
            demo,
            max: log_in(demo.proxy, "max"),
            admin: log_in(demo.crm, "admin"),
        }
    }

    /// As marketing does, for a purpose.
    fn ask(&self, purpose: &str, method: &str, id: &str, body: Option<Value>) -> Response {
        let headers = [("OAuth-Token", &*self.max), ("Paravent-Purpose", purpose)];
        send(
            self.demo.proxy,
            method,
            &format!("Contacts/{id}"),
            &headers,
            body,
        )
    }

    /// Whether a contact is there for the newsletter.
    fn is_there(&self, id: &str) -> bool {
        let reply = self.ask(NEWSLETTER, "GET", id, None);
        assert!(matches!(reply.status, 200 | 404), "{}", reply.status);
        reply.status == 200
    }

    /// A contact as it is in the CRM.
    fn truth(&self, id: &str) -> Response {
        send(
            self.demo.crm,
            "GET",
            &format!("Contacts/{id}"),
            &[("OAuth-Token", &self.admin)],
            None,
        )
    }

    /// All contacts of the CRM by id, each with its primary address.
    fn contacts(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        loop {
            let page = format!("Contacts?max_num=100&offset={}", all.len());
            let reply = send(
                self.demo.crm,
                "GET",
                &page,
                &[("OAuth-Token", &self.admin)],
                None,
            )
            .json();
            for contact in reply["records"].as_array().unwrap() {
                let text = |name: &str| contact[name].as_str().unwrap().to_owned();
                all.insert(text("id"), text("email1"));
            }
            if reply["next_offset"] == -1 {
                return all;
            }
        }
    }

    /// Waits until a contact is there, or is not.
    fn until(&self, id: &str, is_there: bool) {
        let begun = Instant::now();
        while self.is_there(id) != is_there {
            assert!(begun.elapsed() < PATIENCE, "it did not become {is_there}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn consent(&self, words: &[&str]) -> Output {
        let mut command = paravent(&[&["consent"], words].concat());
        command.arg("--config").arg(&self.demo.config);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// What the command says of somebody by an address.
    fn shown(&self, address: &str) -> Value {
        let words = [
            "show",
            "--email",
            address,
            "--purpose",
            NEWSLETTER,
            "--format",
            "json",
        ];
        let done = self.consent(&words);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let told: Value = serde_json::from_slice(&done.stdout).unwrap();
        told["purposes"][NEWSLETTER].clone()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How each record stands for the newsletter, by what the command asks too, without starting it each time.
fn stands(config: &Path, ids: &[&String]) -> Vec<Stand> {
    let (config, found) = paravent::config::Config::load(config);
    let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
    let (candidate, found) = Candidate::at_start(&config, None);
    let candidate = candidate.unwrap_or_else(|| panic!("{}", found.render(false)));
    let terms = PolicyTerms::of(&candidate.policy);
    let settings = paravent::proxy::ledger_settings(&config).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(settings).await.unwrap();
        let mut stands = Vec::new();
        for id in ids {
            let who = Who::Record(Reference::parse(&format!("sugar:Contacts/{id}")).unwrap());
            let now = Timestamp::now();
            let told = answer(&ledger, &who, &terms, &[NEWSLETTER], now)
                .await
                .unwrap();
            stands.push(told.purposes[NEWSLETTER].clone());
        }
        stands
    })
}

/// A reply without the identifier of the decision and what differs from request to request.
fn plain(reply: &Response) -> (u16, String, Vec<(String, String)>) {
    let decision = reply
        .header("paravent-decision")
        .unwrap_or_default()
        .to_owned();
    let plain = |text: &str| match decision.is_empty() {
        true => text.to_owned(),
        false => text.replace(&decision, "DECISION"),
    };
    let headers = reply.headers.iter().filter(|(name, _)| name != "date");
    let headers = headers.map(|(name, value)| (name.clone(), plain(value)));
    (reply.status, plain(&reply.text()), headers.collect())
}

#[test]
fn the_newsletter_of_the_demo_reaches_whoever_the_ledger_says() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let stage = Stage::of(&demo);
    let contacts = stage.contacts();
    let ids: Vec<&String> = contacts.keys().collect();
    assert!(ids.len() > 300, "{}", ids.len());
    let stands = stands(&demo.config, &ids);
    let mut states = BTreeMap::new();
    for ((index, id), stand) in ids.iter().enumerate().zip(&stands) {
        assert_eq!(stage.is_there(id), stand.is_valid, "{id}: {stand:?}");
        states
            .entry(index % 4)
            .or_insert_with(Vec::new)
            .push((stand.is_valid, stand.because));
    }
    for (rest, state) in [
        (0, (true, "valid")),
        (1, (false, "proof-too-weak")),
        (2, (false, "expired")),
        (3, (false, "nothing-recorded")),
    ] {
        assert!(states[&rest].iter().all(|one| *one == state), "{rest}");
    }
    // The command says the same, while the demo runs.
    for index in 0..4 {
        let shown = stage.shown(&contacts[ids[index]]);
        assert_eq!(shown["valid"], stands[index].is_valid, "{shown}");
        assert_eq!(shown["because"], stands[index].because);
    }
    // Another purpose shows them as before.
    for id in &ids[..4] {
        assert_eq!(stage.ask("direct-marketing", "GET", id, None).status, 200);
    }
    assert_eq!(demo.interrupt(), Some(0));
}

#[test]
fn who_did_not_confirm_is_like_nobody_and_cannot_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let stage = Stage::of(&demo);
    let contacts = stage.contacts();
    let withheld: Vec<&String> = contacts.keys().skip(1).take(3).collect();
    let before: Vec<_> = withheld.iter().map(|id| stage.truth(id).json()).collect();
    let changes = [
        ("GET", None),
        ("PUT", Some(json!({"title": "changed"}))),
        ("PUT", Some(json!({"description": ""}))),
        ("DELETE", None),
    ];
    for (method, body) in changes {
        let of_nobody = stage.ask(NEWSLETTER, method, NOBODY, body.clone());
        for id in &withheld {
            let reply = stage.ask(NEWSLETTER, method, id, body.clone());
            let said = (plain(&reply), plain(&of_nobody));
            assert_eq!(said.0, said.1, "{method} {id}");
            assert_eq!(reply.text().len(), of_nobody.text().len());
        }
    }
    for (id, before) in withheld.iter().zip(before) {
        assert_eq!(stage.truth(id).json(), before);
    }
}

#[test]
fn who_withdraws_is_gone_and_no_file_brings_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let stage = Stage::of(&demo);
    let contacts = stage.contacts();
    let (id, address) = contacts.iter().next().unwrap();
    assert!(stage.is_there(id));
    let words = [
        "withdraw",
        "--email",
        address,
        "--purpose",
        NEWSLETTER,
        "--source",
        "letter",
        "--by",
        "kim",
    ];
    let done = stage.consent(&words);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    stage.until(id, false);

    let file = dir.path().join("given.csv");
    let now = Timestamp::now();
    let line = format!("{address},{NEWSLETTER},given,{now},double-opt-in,fair");
    std::fs::write(
        &file,
        format!("email,purpose,kind,at,proof,source\n{line}\n"),
    )
    .unwrap();
    let done = stage.consent(&["import", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(stage.shown(address)["because"], "denied");
    // Somebody else's word is taken up, so the import was, too.
    let other = contacts.keys().nth(3).unwrap();
    let record = format!("sugar:Contacts/{other}");
    std::fs::write(
        &file,
        format!("record,purpose,kind,at,proof,source\n{record},{NEWSLETTER},given,{now},double-opt-in,fair\n"),
    )
    .unwrap();
    let done = stage.consent(&["import", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    stage.until(other, true);
    assert!(!stage.is_there(id));
    assert_eq!(demo.interrupt(), Some(0));

    // Started again, the demo goes on with what its ledger holds.
    let demo = Demo::start(dir.path());
    let stage = Stage::of(&demo);
    assert!(!stage.is_there(id));
    assert!(stage.is_there(other));
    // It overwrites no configuration of anybody else.
    assert_eq!(demo.interrupt(), Some(0));
}

/// A request to the portal of a demo, as a browser or `curl` sends it.
fn visit(demo: &Demo, method: &str, target: &str, form: Option<&str>) -> Response {
    let mut headers = Vec::new();
    if form.is_some() {
        let form = "application/x-www-form-urlencoded".to_owned();
        headers.push(("Content-Type", form));
    }
    let request = Request {
        method,
        target,
        headers,
        body: form.map(|form| form.as_bytes().to_vec()),
    };
    client::raw(demo.portal, &request.bytes("demo"))
}

/// The links that stand alone on a line in the mails to somebody.
fn links(demo: &Demo, dir: &Path, address: &str) -> Vec<String> {
    let start = format!("http://{}", demo.portal);
    let mut files: Vec<_> = std::fs::read_dir(dir.join("mail"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "eml"))
        .collect();
    files.sort();
    let mails = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap());
    let theirs = mails.filter(|mail| mail.contains(&format!("To: {address}\r\n")));
    let links = theirs.filter_map(|mail| {
        let mut lines = mail.lines();
        let link = lines.find_map(|line| line.strip_prefix(&start));
        link.map(|link| link.trim_end().to_owned())
    });
    links.collect()
}

#[test]
fn only_the_button_behind_a_link_in_a_mail_confirms_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let stage = Stage::of(&demo);
    let contacts = stage.contacts();
    // Of four contacts in order, the second has only said so.
    let (id, address) = contacts.iter().nth(1).unwrap();
    assert!(!stage.is_there(id));
    let ask = |address: &str| {
        let form = format!("email={address}&purpose={NEWSLETTER}");
        visit(&demo, "POST", "/consent/requests", Some(&form))
    };
    let (known, unknown) = (ask(address), ask("nobody@example.org"));
    assert_eq!((known.status, unknown.status), (202, 202));
    assert_eq!(known.text(), unknown.text());
    let begun = Instant::now();
    let link = loop {
        if let Some(link) = links(&demo, dir.path(), address).pop() {
            break link;
        }
        assert!(begun.elapsed() < PATIENCE, "no mail came");
        std::thread::sleep(Duration::from_millis(20));
    };
    for _ in 0..10 {
        assert_eq!(visit(&demo, "GET", &link, None).status, 200);
    }
    // The form carries the text that its page has shown.
    let page = visit(&demo, "GET", &link, None).text();
    let read = page.split("name=\"text\" value=\"").nth(1).unwrap();
    let read = read.split('"').next().unwrap();
    assert!(!stage.is_there(id));
    assert_eq!(stage.shown(address)["because"], "proof-too-weak");
    let (path, token) = link.split_once("?t=").unwrap();
    let lang = page.split("name=\"lang\" value=\"").nth(1).unwrap();
    let lang = lang.split('"').next().unwrap();
    let form = format!("t={token}&lang={lang}&text={read}");
    assert_eq!(visit(&demo, "POST", path, Some(&form)).status, 200);
    stage.until(id, true);
    assert_eq!(stage.shown(address)["proof"], "double-opt-in");
    for (method, body) in [("GET", None), ("POST", Some(form.as_str()))] {
        let target = if body.is_some() { path } else { &*link };
        assert_eq!(visit(&demo, method, target, body).status, 410, "{method}");
    }
    assert_eq!(demo.interrupt(), Some(0));
}

#[test]
fn the_demos_portal_has_an_api_whose_key_lies_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let address = Stage::of(&demo).contacts().into_values().next().unwrap();
    let key = std::fs::read_to_string(dir.path().join("keys/website.key")).unwrap();
    let ask = |key: &str| {
        let headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("Authorization", format!("Bearer {key}")),
        ];
        let body = json!({"email": address, "purpose": NEWSLETTER}).to_string();
        let request = Request {
            method: "POST",
            target: "/api/v1/consent/standing",
            headers,
            body: Some(body.into_bytes()),
        };
        client::raw(demo.portal, &request.bytes("demo"))
    };
    let told = ask(&key);
    assert_eq!(told.status, 200, "{}", told.text());
    assert_eq!(told.json()["purposes"][NEWSLETTER]["valid"], true);
    assert_eq!(ask("another").status, 401);
    // The configuration is one that the product starts with.
    let checked =
        crate::harness::binary::run(&["check", "--config", demo.config.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let keys = visit(&demo, "GET", "/.well-known/jwks.json", None).json();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert_eq!(demo.interrupt(), Some(0));
}

#[test]
fn the_demo_overwrites_nobodys_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("paravent.yaml");
    std::fs::write(&own, "listeners: []\n").unwrap();
    let done = crate::harness::binary::refused(&[
        "demo",
        "--port",
        "0",
        "--admin-port",
        "0",
        "--data",
        dir.path().to_str().unwrap(),
    ]);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    assert!(
        text(&done.stderr).contains("name another folder"),
        "{}",
        text(&done.stderr)
    );
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "listeners: []\n");
}
