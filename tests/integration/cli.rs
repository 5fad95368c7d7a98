//! The command line, as somebody would use it.

use serde_json::{Value, json};

use crate::harness::binary::{Demo, paravent, run, secret};
use crate::harness::client::{self, Request};
use crate::harness::ports;
use crate::harness::scripted::{self, Scripted};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn root() -> &'static str {
    env!("CARGO_MANIFEST_DIR")
}

const FIVE_MISTAKES: &str = r#"policy: broken
roles:
  sales: { from: { crm.role: "Sales" }, default_purpose: contract }
purposes:
  contract: { legal_basis: contract, roles: [sales] }
classify:
  Contacts:
    first_name: identity.nmae
    iban_c: financial.iban
grants:
  - { name: base, roles: [slaes], data: [identity.name], level: clear }
  - { name: iban, roles: [sales], data: financial.iban, level: maskk }
capz:
  - { name: firm, data: special, level: hide }
extends: { contacts: 3y }
"#;

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_no_success() {
    let folder = format!("{}/policies/starter", root());
    for words in [
        &["check", folder.as_str()][..],
        &["matrix", folder.as_str()],
        &["test", folder.as_str(), "--format", "junit"],
        &["schema", "policy"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = paravent(words).stdout(full.unwrap()).output();
        let output = output.unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains("could not be written"), "{words:?}: {told}");
    }
}

#[test]
fn check_shows_every_mistake_with_its_place_and_fix() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("policy.yaml"), FIVE_MISTAKES).unwrap();
    let output = run(&["check", dir.path().to_str().unwrap()]);
    let shown = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for (place, word, fix) in [
        (":8:17", "`identity.nmae`", "`identity.name`"),
        (":11:27", "`slaes`", "`sales`"),
        (":12:64", "`maskk`", "`mask`"),
        (":13:1", "`capz`", "`caps`"),
        (":15:1", "`extends`", "not supported yet"),
    ] {
        for part in [&format!("policy.yaml{place}"), word, fix] {
            assert!(shown.contains(part), "lacks {part}:\n{shown}");
        }
    }
    let output = run(&["check", "--format", "json", dir.path().to_str().unwrap()]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["severity"] == json!("error"))
        .count();
    assert_eq!((output.status.code(), errors), (Some(1), 5), "{report}");
}

#[cfg(unix)]
#[test]
fn nothing_waits_for_a_pipe_and_every_failure_has_its_cause_and_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    std::fs::create_dir(path("policy")).unwrap();
    std::fs::write(path("policy/p.yaml"), "policy: p\n").unwrap();
    for pipe in ["policy/caps.yaml", "pipe"] {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path(pipe),
            rustix::fs::FileType::Fifo,
            mode,
            0,
        )
        .unwrap();
    }
    let (policy, pipe, none) = (path("policy"), path("pipe"), path("none"));
    for (arguments, code, says, names) in [
        (&["check", &policy][..], 1, "named pipe", "policy/caps.yaml"),
        (&["check", &pipe], 1, "not a folder", "pipe"),
        (&["check", "--config", &pipe], 1, "named pipe", "pipe"),
        (&["serve", "--config", &pipe], 1, "named pipe", "pipe"),
        (&["check", "--description", &pipe], 1, "named pipe", "pipe"),
        (
            &["check", "--config", &policy],
            1,
            "it is a folder",
            "policy",
        ),
        (&["check", &none], 2, "no such folder", "none"),
        (
            &["check", &policy, "--description", &none],
            2,
            "no such description",
            "none",
        ),
    ] {
        let output = run(arguments);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        assert!(
            shown.contains(says) && shown.contains(names),
            "{arguments:?}: {shown}"
        );
        assert!(!shown.contains("entity not found"), "{shown}");
    }
}

#[test]
fn what_cannot_be_meant_is_valid_for_one_more_version() {
    let dir = tempfile::tempdir().unwrap();
    let policy = "policy: p\nroles: { sales: { from: { crm.role: Sales }, default_purpose: contract } }\npurposes: { contract: { legal_basis: contract, roles: sales } }\ncategories: { financial.iban: { mask: { last: 13 } } }\nclassify: { Contacts: { iban_c: financial.iban } }\ngrants: [{ name: g, roles: sales, data: financial.iban, level: mask }]\n";
    std::fs::write(dir.path().join("p.yaml"), policy).unwrap();
    let output = run(&["check", dir.path().to_str().unwrap()]);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for part in [
        "will be an error",
        "possibilities are left",
        "Contacts.iban_c",
        "`sales`",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn shipped_policies_and_examples_are_clean() {
    for (folder, description) in [
        ("policies/sugarcrm", None),
        ("policies/starter", None),
        ("examples/suitecrm/policies", None),
        (
            "examples/dolibarr/policy",
            Some("examples/dolibarr/dolibarr.yaml"),
        ),
        (
            "examples/espocrm/policy",
            Some("examples/espocrm/espocrm.yaml"),
        ),
    ] {
        let (folder, description) = (
            format!("{}/{folder}", root()),
            description.map(|file| format!("{}/{file}", root())),
        );
        let mut arguments = vec!["check", &folder, "--format", "json"];
        arguments.extend(
            description
                .iter()
                .flat_map(|file| ["--description", file.as_str()]),
        );
        let output = run(&arguments);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = (report["errors"].clone(), report["warnings"].clone());
        assert_eq!(told, (json!(0), json!(0)), "{folder}: {report}");
        assert_eq!(output.status.code(), Some(0), "{folder}");
        // Without the description it is nobody's policy, and no worse for that.
        assert_eq!(run(&["check", &folder]).status.code(), Some(0), "{folder}");
    }
    assert_eq!(run(&["check", "no/such/folder"]).status.code(), Some(2));
    assert_eq!(run(&["check"]).status.code(), Some(2));
    assert_eq!(run(&["no-such-command"]).status.code(), Some(2));
}

#[test]
fn explain_says_which_level_and_why() {
    let policies = format!("{}/policies/sugarcrm", root());
    let output = run(&[
        "explain",
        "--as",
        "finance",
        "--for",
        "payment",
        "--module",
        "Contacts",
        "--policies",
        &policies,
    ]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let row = |field: &str| {
        shown
            .lines()
            .find(|line| line.split_whitespace().next() == Some(field))
            .unwrap_or_else(|| panic!("no {field}:\n{shown}"))
    };
    assert!(
        row("iban_c").contains("financial.iban") && row("iban_c").contains("mask"),
        "{}",
        row("iban_c")
    );
    assert!(
        shown.contains("nearly:"),
        "a stronger authentication would give more:\n{shown}"
    );
    assert!(row("religion_c").contains("hide"));
    assert!(row("first_name").contains("clear"));
    let output = run(&[
        "explain",
        "--as",
        "nobody",
        "--for",
        "payment",
        "--module",
        "Contacts",
        "--policies",
        &policies,
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`nobody`"));
}

#[test]
fn the_demo_starts_tells_what_to_try_and_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    for account in ["sally", "sam", "fanny", "max", "dora", "admin"] {
        assert!(demo.greeting.contains(account), "{}", demo.greeting);
    }
    assert!(
        demo.greeting.matches("curl").count() >= 3,
        "{}",
        demo.greeting
    );
    let checkpoint = demo.greeting.split_whitespace();
    let checkpoint = checkpoint.skip_while(|word| *word != "--checkpoint").nth(1);
    let checkpoint = std::path::PathBuf::from(checkpoint.unwrap());
    assert!(checkpoint.is_file() && dir.path().join("audit.pub").is_file());
    let login = json!({"grant_type": "password", "client_id": "sugar", "username": "sally", "password": "demo", "platform": "base"});
    let request = |address: std::net::SocketAddr, method, target, headers, body: Option<&Value>| {
        client::raw(
            address,
            &Request {
                method,
                target,
                headers,
                body: body.map(|body| body.to_string().into_bytes()),
            }
            .bytes("demo"),
        )
    };
    let reply = request(
        demo.proxy,
        "POST",
        "/rest/v11_24/oauth2/token",
        vec![("Content-Type", "application/json".to_owned())],
        Some(&login),
    );
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let list = request(
        demo.proxy,
        "GET",
        "/rest/v11_24/Contacts?max_num=20",
        vec![("Authorization", format!("Bearer {token}"))],
        None,
    );
    assert_eq!(list.status, 200);
    let decision = list.header("paravent-decision").unwrap().to_owned();
    assert_eq!(demo.interrupt(), Some(0));

    assert!(checkpoint.is_file());
    let audit = dir.path().join("audit");
    let audit = audit.to_str().unwrap();
    let verified = run(&["audit", "verify", audit]);
    assert_eq!(
        verified.status.code(),
        Some(3),
        "{}",
        text(&verified.stderr)
    );
    let query = run(&[
        "audit",
        "query",
        audit,
        "caller=sally",
        "module=Contacts",
        "category=financial",
        "level=mask",
        "--format",
        "json",
    ]);
    assert_eq!(query.status.code(), Some(0), "{}", text(&query.stderr));
    let events: Vec<Value> = text(&query.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        events.iter().any(|event| event["id"] == json!(decision)),
        "{events:?}"
    );
    assert!(
        text(&run(&["audit", "query", audit, "outcome=partial", "since=1h"]).stdout)
            .contains("Contacts")
    );
    assert_eq!(
        run(&["audit", "query", audit, "colour=red"]).status.code(),
        Some(2)
    );
    assert!(text(&run(&["audit", "show", audit, &decision]).stdout).contains(&decision));

    // One changed letter is found, and named.
    let segment = std::fs::read_dir(audit)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .unwrap();
    let original = std::fs::read_to_string(&segment).unwrap();
    std::fs::write(&segment, original.replacen("\"sally\"", "\"sallx\"", 1)).unwrap();
    let broken = run(&["audit", "verify", audit]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        (text(&broken.stdout) + &text(&broken.stderr)).contains("event 8"),
        "{}",
        text(&broken.stderr)
    );
}

#[test]
fn serve_runs_from_a_configuration_and_stops_at_sigterm() {
    let crm = Scripted::start(|request| {
        if request.line.contains("/me ") {
            return scripted::me("sally", "Sales");
        }
        assert!(
            request
                .line
                .starts_with("GET /prefix/rest/v11/Contacts/c-1 "),
            "{}",
            request.line
        );
        scripted::json(200, br#"{"id":"c-1","_module":"Contacts","iban_c":"FR7630006000011234567890189","religion_c":"x"}"#)
    });
    let dir = tempfile::tempdir().unwrap();
    let (bind, admin) = (ports::free(), ports::free());
    secret(
        &dir.path().join("token.key"),
        b"0123456789abcdef0123456789abcdef",
    );
    std::fs::write(
        dir.path().join("paravent.yaml"),
        format!(
            "listeners:\n  - {{ name: crm, bind: \"{bind}\", upstream: sugar }}\nadmin: {{ bind: \"{admin}\" }}\nupstreams:\n  sugar: {{ url: \"http://{}/prefix\", dialects: [sugar-rest] }}\npolicies: {}/policies/sugarcrm\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit, durability: strict, node: par-1a }}\nlog: {{ format: json }}\nhosts: [crm.example.org]\n",
            crm.address,
            root(),
        ),
    )
    .unwrap();
    let config = dir.path().join("paravent.yaml");
    let mut child = paravent(&["serve", "--config", config.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let ready = b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while std::net::TcpStream::connect(admin).is_err() || client::raw(admin, ready).status != 200 {
        assert!(std::time::Instant::now() < deadline, "never ready");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let ask = |host: &str| {
        let request = Request {
            method: "GET",
            target: "/rest/v11/Contacts/c-1",
            headers: vec![("OAuth-Token", "t".to_owned())],
            body: None,
        };
        client::raw(bind, &request.bytes(host))
    };
    let reply = ask("crm.example.org");
    assert_eq!(
        reply.json(),
        json!({"id": "c-1", "_module": "Contacts", "iban_c": "FR76 •••• •••• •••• •••• •••0 189"})
    );
    assert_eq!(
        ask("evil.example.org").status,
        400,
        "only the configured names are answered"
    );
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let mut log = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{log}");
    assert!(
        log.lines()
            .filter(|line| line.starts_with('{'))
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{log}"
    );
    assert!(
        log.contains("\"listening\"") && !log.contains("3000600001"),
        "{log}"
    );
    let audit = dir.path().join("audit");
    let kept = std::fs::read_to_string(dir.path().join("state/head")).unwrap();
    let expected = [
        "audit",
        "verify",
        audit.to_str().unwrap(),
        "--expect",
        kept.trim_end(),
    ];
    assert_eq!(run(&expected).status.code(), Some(0));
    let shown = text(
        &run(&[
            "audit",
            "query",
            audit.to_str().unwrap(),
            "record=Contacts/c-1",
            "--format",
            "json",
        ])
        .stdout,
    );
    assert!(shown.contains("\"node\":\"par-1a\""), "{shown}");
}

#[test]
fn the_documents_name_every_key_of_a_configuration() {
    let document = std::fs::read_to_string(format!("{}/docs/operating.md", root())).unwrap();
    let mut keys = 0;
    for entry in std::fs::read_dir(format!("{}/src/config", root()))
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_file())
    {
        let source = std::fs::read_to_string(entry.path()).unwrap();
        for list in source.split("known: &[").skip(1) {
            for key in list
                .split(']')
                .next()
                .unwrap()
                .split('"')
                .skip(1)
                .step_by(2)
            {
                keys += 1;
                assert!(document.contains(key), "docs/operating.md lacks `{key}`");
            }
        }
    }
    assert!(keys > 30, "the keys were not found");
}

#[test]
fn a_broken_configuration_starts_nothing_and_shows_every_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("paravent.yaml");
    std::fs::write(
        &config,
        "listeners:\n  - { name: crm, bind: \"127.0.0.1:0\", upstream: suger }\nupstreams:\n  sugar: { url: \"ftp://x\", dialects: [sugar-rst] }\npolicies: nowhere/\naudit: { dir: audit, durabilty: strict }\n",
    )
    .unwrap();
    let output = run(&["serve", "--config", config.to_str().unwrap()]);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for part in [
        "`suger`",
        "`sugar`",
        "ftp",
        "`sugar-rst`",
        "`sugar-rest`",
        "nowhere",
        "`durabilty`",
        "`durability`",
        "paravent.yaml:2:",
    ] {
        assert!(shown.contains(part), "lacks {part}:\n{shown}");
    }
    let checked = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
}

#[test]
fn a_configuration_is_warned_of_what_its_description_and_policy_say_together() {
    let dir = tempfile::tempdir().unwrap();
    let example = |name: &str| {
        std::fs::read_to_string(format!("{}/examples/espocrm/{name}", root())).unwrap()
    };
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    std::fs::create_dir(dir.path().join("policy")).unwrap();
    write("paravent.yaml", &example("paravent.yaml"));
    write("policy/espocrm.yaml", &example("policy/espocrm.yaml"));
    write("token.key", "0123456789abcdef0123456789abcdef");
    let check = |description: &str| {
        write("espocrm.yaml", description);
        let config = dir.path().join("paravent.yaml");
        let output = run(&["check", "--config", config.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0));
        text(&output.stderr)
    };
    let clean = example("espocrm.yaml");
    let told = check(&clean);
    assert!(!told.contains("W112") && !told.contains("W113"), "{told}");
    let own =
        "[Account, Contact, Lead, Opportunity, Case, Task, Call, Meeting]\n    action: update";
    // Nobody writes what tells the teams of an account, not even where users may be written.
    let told = check(&clean.replacen(own, "[Account, User]\n    action: update", 1));
    assert!(!told.contains("W112"), "{told}");
    let whole = "dropped: [select, attributeSelect], records: $";
    let passed = format!("{whole}, pass: [$.emailAddress]");
    let told = check(&clean.replacen(whole, &passed, 1));
    assert!(
        told.contains("W113") && told.contains("espocrm.yaml:"),
        "{told}"
    );
}

/// What answered can be said later: the program and its metrics tell the same version, commit and build.
#[test]
fn version_and_metrics_tell_from_what_the_program_was_built() {
    let output = run(&["--version"]);
    let said = text(&output.stdout);
    let (version, rest) = said
        .trim()
        .strip_prefix("paravent ")
        .and_then(|said| said.split_once(" (commit "))
        .unwrap_or_else(|| panic!("{said}"));
    let (commit, build) = rest.trim_end_matches(')').split_once(", ").unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let digits = commit.trim_end_matches("-modified");
    let is_hash = digits.len() >= 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown" || option_env!("PARAVENT_COMMIT").is_some());
    assert!(
        build.starts_with("debug ") || build.starts_with("release "),
        "{build}"
    );
    assert_eq!(
        text(&run(&["audit", "--version"]).stdout)
            .split_once(' ')
            .unwrap()
            .1,
        said.split_once(' ').unwrap().1
    );

    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let metrics = client::raw(
        demo.admin,
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .text();
    let told = format!(
        "paravent_build_info{{build=\"{build}\",commit=\"{commit}\",version=\"{version}\"}} 1\n"
    );
    assert!(metrics.contains(&told), "{told}{metrics}");
}

/// Somebody searched by a hidden field and was refused: an auditor who asks for its category finds that.
#[test]
fn a_refused_request_is_found_by_the_category_of_the_field_that_it_named() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let send = |method: &str, target: &str, headers: &str, body: &str| {
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}");
        let length = body.len();
        let request = format!(
            "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        client::raw(demo.proxy, request.as_bytes())
    };
    let login =
        r#"{"grant_type":"password","client_id":"sugar","username":"sally","password":"demo"}"#;
    let session = send("POST", "/rest/v11_24/oauth2/token", "", login).json();
    let token = format!(
        "OAuth-Token: {}\r\n",
        session["access_token"].as_str().unwrap()
    );
    for field in ["religion_c", "iban_c"] {
        let body = json!({"filter": [{field: "x"}]}).to_string();
        let reply = send("POST", "/rest/v11_24/Contacts/filter", &token, &body);
        assert_eq!(reply.status, 403, "{}", reply.text());
    }
    let log = dir.path().join("audit");
    let ask = |filters: &[&str]| {
        let mut words = vec!["audit", "query", log.to_str().unwrap(), "--format", "json"];
        words.extend(filters);
        let output = run(&words);
        let found: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (output.status.code(), found, text(&output.stderr))
    };
    for (category, field) in [
        ("special", "Contacts.religion_c"),
        ("financial.iban", "Contacts.iban_c"),
    ] {
        let (code, found, told) = ask(&["outcome=denied", &format!("category={category}")]);
        assert_eq!((code, found.len()), (Some(0), 1), "{category}: {told}");
        assert_eq!(found[0]["request"]["matched"], json!([field]));
    }
    let (code, found, told) = ask(&["category=finacial"]);
    assert_eq!((code, found.len()), (Some(2), 0));
    assert!(told.contains("did you mean `financial`?"), "{told}");
}
