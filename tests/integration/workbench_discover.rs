//! `discover`, `scan` and `init` before the demo CRM, and before CRMs that say anything.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::binary::{Demo, paravent, run, secret};
use crate::harness::client::raw;
use crate::harness::ports;
use crate::harness::scripted::{self, Received, Scripted};

/// One demo for all tests of this file that run at a time. It ends with the last of them.
static DEMO: Mutex<Weak<(Demo, tempfile::TempDir)>> = Mutex::new(Weak::new());

fn shared_demo() -> Arc<(Demo, tempfile::TempDir)> {
    let mut shared = DEMO.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let folder = tempfile::tempdir().unwrap();
        let demo = Demo::start(folder.path());
        let demo = Arc::new((demo, folder));
        *shared = Arc::downgrade(&demo);
        demo
    })
}

/// A configuration before a CRM, with a policy of its own.
struct Installed {
    folder: tempfile::TempDir,
}

impl Installed {
    fn before(crm: SocketAddr, dialect: &str, policy: &[(&str, &str)]) -> Self {
        let installed = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        secret(&installed.path("token.key"), b"0123456789abcdef");
        secret(&installed.path("password"), b"demo\n");
        fs::create_dir(installed.path("policies")).unwrap();
        for (name, text) in policy {
            fs::write(installed.path("policies").join(name), text).unwrap();
        }
        let text = format!(
            "listeners:\n  - {{ name: crm, bind: \"127.0.0.1:18443\", upstream: crm }}\n\
             upstreams:\n  crm: {{ url: \"http://{crm}\", dialects: [{dialect}], timeouts: {{ first_byte: 1s, total: 2s }} }}\n\
             policies: policies\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: log }}\nstate: {{ dir: kept }}\n"
        );
        fs::write(installed.path("paravent.yaml"), text).unwrap();
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = paravent(words);
        command
            .arg("--config")
            .arg(self.path("paravent.yaml"))
            .args(["--user", "admin", "--rate", "1000", "--password-file"])
            .arg(self.path("password"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The rows of `discover --format json`, which must end well.
    fn rows(&self, words: &[&str]) -> Vec<Value> {
        let done = self.run(&[&["discover", "--format", "json"], words].concat());
        assert!(done.status.success(), "{}", err(&done));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Events of the access log by this name.
    fn events(&self, name: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.path("log")).unwrap().flatten() {
            if entry.path().is_file() {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                all.extend(
                    text.lines()
                        .filter_map(|line| serde_json::from_str::<Value>(line).ok()),
                );
            }
        }
        all.retain(|event| event["event"] == name);
        all
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn row<'a>(rows: &'a [Value], module: &str, field: &str) -> &'a Value {
    let is_it = |row: &&Value| row["module"] == module && row["field"] == field;
    rows.iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{module}.{field}"))
}

/// A small policy for the demo, with a file in each manner of writing.
const RULES: &str = "# Rules.\npolicy: small\nroles:\n  sales: { from: { crm.role: \"Sales\" }, default_purpose: work }\npurposes:\n  work: { legal_basis: contract, roles: [sales] }\ngrants:\n  - { name: base, roles: sales, data: [identity.name, contact], level: clear }\n";
const CLASSES: &str = "policy: small\n\nclassify: # what\n  \"*\":\n    id: technical.id\n    \"*phone*\": contact.phone\n  Contacts:\n    # names\n    first_name: identity.name # theirs\n    last_name: identity.name\n\n# the end\n";

fn small(crm: SocketAddr) -> Installed {
    let policy = [("rules.yaml", RULES), ("classes.yaml", CLASSES)];
    Installed::before(crm, "sugar-rest", &policy)
}

#[test]
fn the_demo_is_told_field_by_field_and_nothing_of_it_leaks() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let rows = demo.rows(&["--sample", "100"]);
    for (field, looks, suggestion) in [
        ("iban_c", "iban", "financial.iban"),
        ("nir_c", "nir", "identity.national_id"),
        ("religion_c", "words", "special.belief"),
        ("health_notes_c", "", "special.health"),
        ("union_member_c", "yes or no", "special.trade_union"),
        ("email", "mail", "contact.email"),
        ("birthdate", "day", "identity.birth_date"),
        ("description", "", "free_text"),
    ] {
        let row = row(&rows, "Contacts", field);
        assert_eq!(row["seen"], 100, "{row}");
        assert!(
            row["looks_like"].as_str().unwrap().starts_with(looks),
            "{row}"
        );
        assert_eq!(
            (&row["policy"], &row["suggestion"]),
            (&json!("unclassified"), &json!(suggestion)),
            "{row}"
        );
    }
    assert_eq!(
        row(&rows, "Contacts", "portal_password")["policy"],
        "secret"
    );
    assert_eq!(
        row(&rows, "Contacts", "phone_mobile")["policy"],
        "contact.phone"
    );
    assert_eq!(row(&rows, "Accounts", "name")["policy"], "module not known");
    for row in &rows {
        let suggestion = row["suggestion"].as_str().unwrap_or_default();
        assert!(!suggestion.contains("technical"), "{row}");
    }
    // Recorded before and behind each module, with counts.
    let events = demo.events("discover");
    let contacts: Vec<&Value> = events
        .iter()
        .filter(|event| event["module"] == "Contacts")
        .collect();
    assert_eq!(contacts.len(), 2, "{events:?}");
    assert_eq!(
        (&contacts[0]["read"], &contacts[1]["read"]),
        (&json!(null), &json!(100))
    );
    assert_eq!(
        (&contacts[0]["account"], &contacts[0]["most"]),
        (&json!("admin"), &json!(100))
    );
    let log = demo.path("log");
    let verified = run(&["audit", "verify", log.to_str().unwrap()]);
    assert!(out(&verified).starts_with("whole: "), "{}", out(&verified));
    // Nothing of a record is in what is printed or kept.
    let done = demo.run(&["discover", "--sample", "100"]);
    let text = format!("{}{}", out(&done), err(&done));
    for value in values_of_the_demo() {
        assert!(!text.contains(&value), "a value of a record is printed");
        assert!(!json!(rows).to_string().contains(&value));
    }
}

/// Values of records of the demo, as its bare API shows them.
fn values_of_the_demo() -> BTreeSet<String> {
    let shared = shared_demo();
    let ask = |line: &str, headers: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        raw(shared.0.crm, request.as_bytes()).json()
    };
    let login = json!({"grant_type": "password", "client_id": "sugar", "username": "admin", "password": "demo"});
    let token = ask(
        "POST /rest/v11_24/oauth2/token",
        "Content-Type: application/json\r\n",
        &login.to_string(),
    );
    let token = format!(
        "OAuth-Token: {}\r\n",
        token["access_token"].as_str().unwrap()
    );
    let list = ask("GET /rest/v11_24/Contacts?max_num=100", &token, "");
    let records = list["records"].as_array().unwrap();
    let fields = [
        "iban_c",
        "nir_c",
        "full_name",
        "phone_mobile",
        "last_name",
        "primary_address_street",
    ];
    let values = records.iter().flat_map(|record| {
        fields.map(|field| record[field].as_str().unwrap_or_default().to_owned())
    });
    let values: BTreeSet<String> = values.filter(|value| value.len() > 5).collect();
    assert!(values.len() > 100);
    values
}

#[test]
fn a_schema_is_written_twice_alike_and_check_accepts_it() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let schema = demo.path("schema/demo.yaml");
    let written = || {
        let done = demo.run(&[
            "discover",
            "--sample",
            "1",
            "--write-schema",
            schema.to_str().unwrap(),
        ]);
        assert!(done.status.success(), "{}", err(&done));
        fs::read_to_string(&schema).unwrap()
    };
    let first = written();
    assert!(
        first.contains("    schema: sugar-rest") || first.contains("schema: sugar-rest"),
        "{first}"
    );
    assert_eq!(written(), first);
    let policies = demo.path("policies");
    let checked = run(&[
        "check",
        policies.to_str().unwrap(),
        "--schema",
        schema.to_str().unwrap(),
        "--dialect",
        "sugar-rest",
    ]);
    assert!(checked.status.success(), "{}", err(&checked));
    // What somebody has added stays.
    let own = format!(
        "# Ours.\n{}",
        first.replace(
            "modules:",
            "modules:\n  Boats: { fields: { pin_c: { secret: true } } }"
        )
    );
    fs::write(&schema, own).unwrap();
    let third = written();
    assert!(
        third.starts_with("# Ours.\n") && third.contains("pin_c: { secret: true }"),
        "{third}"
    );
}

#[test]
fn suggestions_are_added_to_the_policy_and_nothing_is_changed() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let policies = demo.path("policies");
    let written = demo.run(&["discover", "--write-policy", policies.to_str().unwrap()]);
    assert!(written.status.success(), "{}", err(&written));
    assert_eq!(
        fs::read_to_string(policies.join("rules.yaml")).unwrap(),
        RULES
    );
    let text = fs::read_to_string(policies.join("classes.yaml")).unwrap();
    let mut new = text.lines();
    for old in CLASSES.lines() {
        assert!(new.any(|line| line == old), "{old}\n{text}");
    }
    let added = text
        .lines()
        .filter(|line| !CLASSES.lines().any(|old| old == *line));
    assert!(
        added
            .clone()
            .all(|line| line.ends_with("# suggested by discover")),
        "{text}"
    );
    assert!(added.count() > 20, "{text}");
    assert!(
        text.contains("    iban_c: financial.iban # suggested by discover\n"),
        "{text}"
    );
    assert!(
        text.contains("  Accounts: # suggested by discover\n"),
        "{text}"
    );
    assert!(
        !text.contains("  Users:"),
        "who may do what is not let in: {text}"
    );
    let checked = run(&[
        "check",
        policies.to_str().unwrap(),
        "--dialect",
        "sugar-rest",
    ]);
    assert!(checked.status.success(), "{}", err(&checked));
    // Once more, and there is nothing to add.
    let again = demo.run(&["discover", "--write-policy", policies.to_str().unwrap()]);
    assert!(
        again.status.success() && err(&again).contains("nothing to add"),
        "{}",
        err(&again)
    );
    assert_eq!(
        fs::read_to_string(policies.join("classes.yaml")).unwrap(),
        text
    );
}

#[test]
fn a_policy_with_errors_is_not_touched() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let other = demo.path("other");
    fs::create_dir(&other).unwrap();
    let broken = CLASSES.replace("identity.name\n", "identity.nam\n");
    fs::write(other.join("p.yaml"), &broken).unwrap();
    let done = demo.run(&[
        "discover",
        "--sample",
        "5",
        "--write-policy",
        other.to_str().unwrap(),
    ]);
    assert_eq!(done.status.code(), Some(1));
    assert!(err(&done).contains("nothing is written"), "{}", err(&done));
    assert_eq!(fs::read_to_string(other.join("p.yaml")).unwrap(), broken);
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}

#[test]
fn arguments_that_cannot_be_used_are_told() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let done = demo.run(&["discover", "--modules", "Contact"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        err(&done).contains("did you mean `Contacts`?"),
        "{}",
        err(&done)
    );
    let done = demo.run(&["discover", "--upstream", "cmr"]);
    assert!(err(&done).contains("did you mean `crm`?"), "{}", err(&done));
    secret(&demo.path("password"), b"wrong\n");
    let done = demo.run(&["discover"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        err(&done).contains("does not accept the account"),
        "{}",
        err(&done)
    );
    assert!(!err(&done).contains("wrong"));
    fs::set_permissions(
        demo.path("password"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let done = demo.run(&["discover"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(err(&done).contains("chmod 600"), "{}", err(&done));
}

#[test]
fn what_cannot_be_recorded_is_not_read() {
    let crm = lying(|_, _| json!({"next_offset": -1, "records": []}));
    let demo = small(crm.address);
    // A log that somebody has changed.
    fs::create_dir(demo.path("log")).unwrap();
    fs::write(demo.path("log/audit-0000000000000001.jsonl"), "{}\n{}\n").unwrap();
    let done = demo.run(&["discover"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(err(&done).contains("nothing is read"), "{}", err(&done));
    assert!(crm.take_all().is_empty(), "nothing was asked");
}

#[test]
fn texts_are_scanned_and_references_never_tell_what_is_special() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let done = demo.run(&[
        "scan",
        "--modules",
        "Contacts",
        "--sample",
        "200",
        "--format",
        "json",
        "--refs",
    ]);
    assert!(done.status.success(), "{}", err(&done));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    let rows = found["found"].as_array().unwrap();
    let of = |category: &str| {
        rows.iter()
            .filter(|row| row["category"] == category)
            .count()
    };
    assert!(
        of("financial.iban") > 0
            && rows
                .iter()
                .any(|row| row["category"].as_str().unwrap().starts_with("special.")),
        "{rows:?}"
    );
    assert!(rows.iter().all(|row| row["field"] != "iban_c"), "{rows:?}");
    let references = found["references"].as_array().unwrap();
    let all: BTreeSet<&str> = references
        .iter()
        .flat_map(|one| one["categories"].as_array().unwrap())
        .map(|one| one.as_str().unwrap())
        .collect();
    assert!(
        all.contains("special")
            && all
                .iter()
                .all(|one| !one.contains("special.") && *one != "criminal"),
        "{all:?}"
    );
    assert!(
        references
            .iter()
            .all(|one| one["record"].as_str().unwrap().starts_with("Contacts/"))
    );
    let csv = demo.run(&["scan", "--modules", "Contacts", "--format", "csv"]);
    assert!(
        out(&csv).starts_with("module,field,category,certainty,records,share\r\n"),
        "{}",
        out(&csv)
    );
    let text = demo.run(&["scan", "--modules", "Contacts"]);
    for value in values_of_the_demo() {
        assert!(
            !out(&csv).contains(&value)
                && !out(&text).contains(&value)
                && !found.to_string().contains(&value)
        );
    }
    assert!(demo.events("scan").iter().any(|event| event["read"] == 200));
}

/// The lines of a document's first block, but for the command and for what it leaves out.
fn shown(document: &str) -> Vec<String> {
    let path = format!(
        "{}/docs/workbench/{document}.md",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(path).unwrap();
    let block = text
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert!(
        block.starts_with(&format!("$ paravent {document} ")),
        "{block}"
    );
    let lines = block.lines().skip(1).filter(|line| *line != "…");
    lines.map(spaced).collect()
}

/// A line without what aligns it.
fn spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn holds_all(printed: &str, document: &str) {
    let printed: Vec<String> = printed.lines().map(spaced).collect();
    for line in shown(document) {
        assert!(
            printed.contains(&line),
            "docs/workbench/{document}.md shows what is not printed: {line}\n{printed:#?}"
        );
    }
}

#[test]
fn the_documents_show_what_is_printed() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    holds_all(&out(&demo.run(&["discover"])), "discover");
    holds_all(
        &out(&demo.run(&["scan", "--modules", "Contacts,Notes"])),
        "scan",
    );
}

// ---- CRMs that lie ------------------------------------------------------------------------------------------------

/// A CRM with one module of which a script says what a page holds, by offset and size.
fn lying(page: impl Fn(u64, u64) -> Value + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |request| answer(request, &page))
}

fn answer(request: &Received, page: &dyn Fn(u64, u64) -> Value) -> Vec<u8> {
    let target = request.line.split(' ').nth(1).unwrap_or_default();
    let number = |name: &str| {
        let parts = target.split(['?', '&']);
        let mut found =
            parts.filter_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        found.next().unwrap_or(0)
    };
    let body = if target.contains("/oauth2/token") {
        json!({"access_token": "t-1", "expires_in": 3600, "token_type": "bearer"})
    } else if target.contains("full_module_list") {
        json!({"full_module_list": {"Contacts": "Contacts", "_hash": "0"}})
    } else if target.contains("/metadata") {
        json!({"modules": {"Contacts": {"fields": {
            "shoe_size_c": {"type": "int"}, "rib_old_c": {"type": "varchar", "pii": true, "default": "canary-default"},
        }}}})
    } else {
        page(number("offset"), number("max_num"))
    };
    scripted::json(200, body.to_string().as_bytes())
}

fn records(from: u64, count: u64) -> Value {
    let records: Vec<Value> = (from..from + count)
        .map(|number| json!({"id": format!("c-{number}"), "_module": "Contacts", "rib_old_c": "FR7630006000011234567890189"}))
        .collect();
    json!({"next_offset": from + count, "records": records})
}

#[test]
fn more_than_was_asked_is_not_looked_at() {
    let crm = lying(|offset, limit| records(offset, limit * 3));
    let demo = small(crm.address);
    let done = demo.run(&["discover", "--sample", "10", "--format", "json"]);
    assert!(done.status.success(), "{}", err(&done));
    let rows: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(row(&rows, "Contacts", "rib_old_c")["seen"], 10);
    assert!(
        err(&done).contains("more records than it was asked for"),
        "{}",
        err(&done)
    );
}

#[test]
fn the_same_page_for_ever_ends() {
    let crm = lying(|_, limit| records(0, limit));
    let demo = small(crm.address);
    let done = demo.run(&["scan", "--all"]);
    assert_eq!(done.status.code(), Some(1), "{}", err(&done));
    assert!(
        err(&done).contains("the same records again"),
        "{}",
        err(&done)
    );
    assert!(crm.take_all().len() < 20);
}

#[test]
fn a_crm_without_modules_is_no_success() {
    let crm = Scripted::start(|request| match request.line.contains("full_module_list") {
        true => scripted::json(200, b"{\"full_module_list\": {\"_hash\": \"0\"}}"),
        false => answer(request, &|_, _| json!({})),
    });
    let demo = small(crm.address);
    for command in ["discover", "scan"] {
        let done = demo.run(&[command]);
        assert_eq!(done.status.code(), Some(1), "{}", err(&done));
        assert!(err(&done).contains("names no module"), "{}", err(&done));
    }
}

#[test]
fn what_is_no_state_is_not_overwritten() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let rules = demo.path("policies/rules.yaml");
    for words in [&["discover"][..], &["scan"], &["scan", "--refs"]] {
        let words = [words, &["--resume", rules.to_str().unwrap()]].concat();
        let done = demo.run(&words);
        assert_eq!(done.status.code(), Some(2), "{words:?}: {}", err(&done));
        assert_eq!(fs::read_to_string(&rules).unwrap(), RULES, "{words:?}");
    }
}

#[test]
fn what_init_has_read_stays_recorded_when_it_fails() {
    let crm = Scripted::start(|request| match request.line.contains("/Contacts") {
        true => scripted::json(503, b"{}"),
        false => answer(request, &|_, _| json!({"records": []})),
    });
    let folder = tempfile::tempdir().unwrap();
    let (dir, password) = (folder.path().join("crm"), folder.path().join("password"));
    secret(&password, b"demo\n");
    let url = format!("http://{}", crm.address);
    let words = [
        "--yes",
        "--dialect",
        "sugar-rest",
        "--url",
        &url,
        "--user",
        "admin",
    ];
    let password = [
        "--rate",
        "1000",
        "--password-file",
        password.to_str().unwrap(),
    ];
    let done = init(&dir, &[&words[..], &password[..]].concat());
    assert!(!done.status.success() && !dir.exists(), "{}", err(&done));
    let kept = fs::read_dir(folder.path()).unwrap().flatten();
    let kept = kept.map(|entry| entry.path()).find(|path| path.is_dir());
    let kept = kept.unwrap();
    assert!(
        err(&done).contains(kept.to_str().unwrap()),
        "{}",
        err(&done)
    );
    let text: String = walk(&kept.join("audit"))
        .iter()
        .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
        .collect();
    assert!(text.contains("\"discover\""), "{text}");
    assert!(!kept.join("token.key").exists() && !kept.join("policies").exists());
}

#[test]
fn what_is_no_name_and_no_type_is_never_repeated() {
    let crm = lying(|offset, _| match offset {
        0 => json!({"records": [
            {"id": 7, "_module": "Contacts", "FR7630006000011234567890189": 1, "canary name!": "x", "shoe_size_c": {"deep": ["canary-value"]}},
            {"id": ["canary-id"], "_module": "Contacts", "shoe_size_c": "canary-value"},
            "canary-row", 5, null,
        ]}),
        _ => json!({"records": {"canary": 1}}),
    });
    let demo = small(crm.address);
    let done = demo.run(&["discover"]);
    assert!(done.status.success(), "{}", err(&done));
    let scanned = demo.run(&["scan", "--refs"]);
    let text = format!(
        "{}{}{}{}",
        out(&done),
        err(&done),
        out(&scanned),
        err(&scanned)
    );
    assert!(!text.contains("canary") && !text.contains("FR76"), "{text}");
    assert!(text.contains("shoe_size_c"), "{text}");
    for kept in walk(demo.folder.path()) {
        let bytes = fs::read(&kept).unwrap();
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!holds(b"canary") && !holds(b"FR76"), "{}", kept.display());
    }
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => files.extend(walk(&path)),
            path => files.push(path),
        }
    }
    files
}

#[test]
fn what_is_no_answer_is_told_in_fixed_words() {
    for (response, told) in [
        (
            scripted::json(
                200,
                b"{\"records\": [{\"id\": 1, \"id\": 2, \"canary\": 1}]}",
            ),
            "is not JSON",
        ),
        (
            scripted::json(403, b"{\"error\": \"canary\"}"),
            "status 403",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\ncanary"
                .to_vec(),
            "content type",
        ),
    ] {
        let crm = Scripted::start(move |request| match request.line.contains("/Contacts") {
            true => response.clone(),
            false => answer(request, &|_, _| json!({})),
        });
        let demo = small(crm.address);
        // What was not read is asked for again.
        for _ in 0..2 {
            crm.take_all();
            let done = demo.run(&["discover"]);
            assert_eq!(done.status.code(), Some(1), "{}", err(&done));
            assert!(
                err(&done).contains("`Contacts` was not read") && err(&done).contains(told),
                "{}",
                err(&done)
            );
            assert!(!err(&done).contains("canary") && !out(&done).contains("canary"));
            assert!(demo.path("kept/discover/crm.sugar-rest.json").exists());
            let asked = crm.take_all();
            assert!(asked.iter().any(|one| one.line.contains("/Contacts")));
        }
    }
}

#[test]
fn marks_of_the_crm_are_told() {
    let crm = lying(|offset, limit| match offset {
        0 => records(0, limit),
        _ => json!({"records": []}),
    });
    let demo = small(crm.address);
    let done = demo.run(&["discover"]);
    assert!(out(&done).contains("1 fields are marked as personal in the CRM, 1 of them are not classified here: Contacts.rib_old_c"), "{}", out(&done));
}

#[test]
fn ten_thousand_fields_and_many_modules_are_bounded() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let crm = Scripted::start(move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        let target = request
            .line
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        if target.contains("full_module_list") {
            let names: serde_json::Map<String, Value> =
                (0..100).map(|n| (format!("M{n}"), json!(1))).collect();
            return scripted::json(
                200,
                json!({"full_module_list": names}).to_string().as_bytes(),
            );
        }
        answer(request, &|offset, _| match offset {
            0 if target.contains("/M7?") => {
                let fields: serde_json::Map<String, Value> = (0..10_000)
                    .map(|n| (format!("field_{n}_c"), json!("x")))
                    .collect();
                json!({"records": [fields]})
            }
            _ => json!({"records": []}),
        })
    });
    let demo = small(crm.address);
    let start = Instant::now();
    let rows = demo.rows(&[]);
    assert_eq!(
        rows.iter().filter(|row| row["module"] == "M7").count(),
        10_000
    );
    assert!(asked.load(Ordering::Relaxed) < 250, "{asked:?}");
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_was_interrupted_goes_on_where_it_was() {
    let crm = Scripted::start(|request| {
        let target = request.line.split(' ').nth(1).unwrap_or_default();
        if target.contains("full_module_list") {
            let names = json!({"full_module_list": {"Accounts": 1, "Contacts": 1}});
            return scripted::json(200, names.to_string().as_bytes());
        }
        if target.contains("/Contacts") {
            std::thread::sleep(Duration::from_millis(100));
        }
        answer(
            request,
            &|offset, limit| match target.contains("/Accounts") {
                true if offset >= 5 => json!({"records": []}),
                true => records(0, 5),
                false => records(offset, limit.min(10)),
            },
        )
    });
    let demo = small(crm.address);
    let start = |words: &[&str]| {
        demo.command(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let child = start(&["discover", "--sample", "300", "--format", "json"]);
    let kept = demo.path("kept/discover/crm.sugar-rest.json");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !fs::read_to_string(&kept)
        .unwrap_or_default()
        .contains("\"Contacts\"")
    {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(400));
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", err(&ended));
    assert!(
        err(&ended).contains("interrupted") && ended.stdout.is_empty(),
        "{}",
        err(&ended)
    );
    let state: Value = serde_json::from_str(&fs::read_to_string(&kept).unwrap()).unwrap();
    let read = state["modules"]["Contacts"]["cursor"]["read"]
        .as_u64()
        .unwrap();
    assert!(read > 0 && read < 300, "{state}");
    crm.take_all();
    let again = start(&["discover", "--sample", "300", "--format", "json"])
        .wait_with_output()
        .unwrap();
    assert!(
        again.status.success() && err(&again).contains("goes on where it was"),
        "{}",
        err(&again)
    );
    let rows: Vec<Value> = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(row(&rows, "Contacts", "rib_old_c")["seen"], 300);
    let asked = crm.take_all();
    assert!(
        !asked
            .iter()
            .any(|request| request.line.contains("/Accounts?")),
        "what was read is not read again"
    );
    assert!(
        !asked
            .iter()
            .any(|request| request.line.contains("offset=0 ")),
        "{asked:?}"
    );
    assert!(!kept.exists(), "nothing is left to go on with");
}

#[test]
fn a_crm_that_goes_away_is_told_and_may_come_back() {
    let demo = small("127.0.0.1:9".parse().unwrap());
    let done = demo.run(&["discover"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(err(&done).contains("cannot be reached"), "{}", err(&done));
}

#[test]
fn a_running_proxy_records_what_is_read_beside_it() {
    let shared = shared_demo();
    let demo = small(shared.0.crm);
    let (bind, admin) = (ports::free(), ports::free());
    let config = demo.path("paravent.yaml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("127.0.0.1:18443", &bind.to_string());
    fs::write(&config, format!("{text}admin: {{ bind: \"{admin}\" }}\n")).unwrap();
    let mut serving = paravent(&["serve", "--config", config.to_str().unwrap()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(admin).is_err() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
    let done = demo.run(&["discover", "--modules", "Cases", "--sample", "5"]);
    let succeeded = done.status.success();
    while demo.events("discover").len() < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let events = demo.events("discover");
    let _ = Command::new("kill")
        .args(["-TERM", &serving.id().to_string()])
        .status();
    let _ = serving.wait();
    assert!(succeeded, "{}", err(&done));
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(
        (&events[1]["module"], &events[1]["read"]),
        (&json!("Cases"), &json!(5))
    );
}

#[test]
fn names_that_are_values_are_never_repeated() {
    const IBAN: &str = "FR7630006000011234567890189";
    let crm = Scripted::start(|request| {
        let target = request.line.split(' ').nth(1).unwrap_or_default();
        if target.contains("full_module_list") {
            let named = json!({"full_module_list": {"Contacts": 1, IBAN: 1}});
            return scripted::json(200, named.to_string().as_bytes());
        }
        if target.contains("/metadata") {
            let fields = json!({IBAN: {"type": "int"}, "a_c": {"type": IBAN}, "b_c": {"type": "relate", "module": IBAN, "rname": "name"}});
            let said = json!({"modules": {"Contacts": {"fields": fields}, IBAN: {"fields": {}}}});
            return scripted::json(200, said.to_string().as_bytes());
        }
        answer(request, &|_, _| json!({"records": []}))
    });
    let demo = small(crm.address);
    let schema = demo.path("schema.yaml");
    let done = demo.run(&["discover", "--write-schema", schema.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1), "{}", err(&done));
    let text = format!(
        "{}{}{}",
        out(&done),
        err(&done),
        fs::read_to_string(schema).unwrap()
    );
    assert!(
        text.contains("a_c") && !text.contains("FR76") && !text.contains("fr76"),
        "{text}"
    );
    assert!(err(&done).contains("1 modules"), "{}", err(&done));
}

// ---- init ---------------------------------------------------------------------------------------------------------

fn init(dir: &Path, words: &[&str]) -> Output {
    paravent(&["init", dir.to_str().unwrap()])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn succeeds(words: &[&str]) {
    let done = run(words);
    assert!(
        done.status.success(),
        "{words:?}: {}{}",
        out(&done),
        err(&done)
    );
}

#[test]
fn init_before_the_demo_makes_what_check_and_test_accept() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("crm");
    let password = folder.path().join("password");
    secret(&password, b"demo\n");
    let shared = shared_demo();
    let url = format!("http://{}", shared.0.crm);
    let start = Instant::now();
    let words = [
        "--dialect",
        "sugar-rest",
        "--url",
        &url,
        "--yes",
        "--user",
        "admin",
        "--rate",
        "1000",
        "--password-file",
        password.to_str().unwrap(),
    ];
    let done = init(&dir, &words);
    assert!(done.status.success(), "{}", err(&done));
    assert!(start.elapsed() < Duration::from_secs(60));
    assert!(
        out(&done).contains("Data Protection, Finance, Marketing, Sales, Support"),
        "{}",
        out(&done)
    );
    assert!(out(&done).contains(" fields, of them "), "{}", out(&done));
    holds_all(&out(&done).replace(dir.to_str().unwrap(), "crm"), "init");
    for name in [
        "paravent.yaml",
        "policies/classify.yaml",
        "policies/rules.yaml",
        "policies/tests/starter.yaml",
        "schema",
        "token.key",
        ".gitignore",
    ] {
        assert!(dir.join(name).exists(), "{name}");
    }
    let config = dir.join("paravent.yaml");
    let config = config.to_str().unwrap();
    succeeds(&["check", "--config", config]);
    succeeds(&["test", "--config", config]);
    // Every field is classified, or was named as open.
    let rules = paravent(&[
        "discover",
        "--format",
        "json",
        "--config",
        config,
        "--user",
        "admin",
        "--rate",
        "1000",
        "--password-file",
        password.to_str().unwrap(),
    ])
    .stdin(Stdio::null())
    .output()
    .unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&rules.stdout).unwrap();
    for row in rows.iter().filter(|row| row["policy"] == "unclassified") {
        let name = format!(
            "{}.{}",
            row["module"].as_str().unwrap(),
            row["field"].as_str().unwrap()
        );
        assert!(out(&done).contains(&name), "{name} was not named");
    }
    // Nothing is overwritten.
    let before = fs::read(dir.join("token.key")).unwrap();
    let again = init(&dir, &words);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        err(&again).contains("paravent.yaml") && err(&again).contains("nothing was written"),
        "{}",
        err(&again)
    );
    assert_eq!(fs::read(dir.join("token.key")).unwrap(), before);
}

#[test]
fn init_without_an_account_makes_it_for_each_api() {
    let folder = tempfile::tempdir().unwrap();
    for dialect in ["sugar-rest", "sugar-v4", "suitecrm-v8"] {
        let dir = folder.path().join(dialect);
        let done = init(
            &dir,
            &[
                "--dialect",
                dialect,
                "--url",
                "https://crm.example.com",
                "--yes",
                "--role",
                "Vertrieb Süd",
                "--role",
                "Finance",
            ],
        );
        assert!(done.status.success(), "{}", err(&done));
        let config = dir.join("paravent.yaml");
        succeeds(&["check", "--config", config.to_str().unwrap()]);
        succeeds(&["test", "--config", config.to_str().unwrap()]);
    }
    let dir = folder.path().join("bare");
    let done = init(
        &dir,
        &[
            "--dialect",
            "sugar-rest",
            "--url",
            "https://crm.example.com",
            "--yes",
        ],
    );
    assert!(
        out(&done).contains("stands in for those of the CRM"),
        "{}",
        out(&done)
    );
    succeeds(&[
        "test",
        "--config",
        dir.join("paravent.yaml").to_str().unwrap(),
    ]);
}

#[test]
fn init_leaves_nothing_behind_when_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("crm");
    for words in [
        &["--yes", "--dialect", "sugar-rest"][..],
        &["--yes", "--url", "https://a.example"],
        &[
            "--yes",
            "--dialect",
            "sugar-rest",
            "--url",
            "ftp://a.example",
        ],
        &[
            "--yes",
            "--dialect",
            "sugar-rest",
            "--url",
            "http://127.0.0.1:9",
            "--user",
            "a",
            "--password-file",
            "/nowhere",
        ],
    ] {
        let done = init(&dir, words);
        assert!(!done.status.success(), "{words:?}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{words:?}: {}",
            err(&done)
        );
    }
}
