//! The demo's second listener and the tokens of its issuer; what `explain --token` says of them; an issuer that is not there.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::absent::skipped;
use crate::harness::binary::{Demo, paravent, run, secret};
use crate::harness::client::{self, Request, Response};
use crate::harness::ports;

/// One of the two tokens that the demo prints.
fn token(demo: &Demo, name: &str) -> String {
    let line = demo
        .greeting
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{name}=")));
    line.expect("the demo prints a token").to_owned()
}

fn get(address: SocketAddr, target: &str, headers: Vec<(&'static str, String)>) -> Response {
    let request = Request {
        method: "GET",
        target,
        headers,
        body: None,
    };
    client::raw(address, &request.bytes("demo"))
}

fn log_in(demo: &Demo, user: &str) -> String {
    let body = json!({"grant_type": "password", "client_id": "sugar", "username": user, "password": "demo"});
    let request = Request {
        method: "POST",
        target: "/rest/v11_24/oauth2/token",
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: Some(body.to_string().into_bytes()),
    };
    let reply = client::raw(demo.proxy, &request.bytes("demo"));
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

fn bearer(token: &str) -> Vec<(&'static str, String)> {
    vec![("Authorization", format!("Bearer {token}"))]
}

fn ibans(reply: &Response) -> Vec<String> {
    let records = reply.json()["records"].as_array().unwrap().clone();
    let ibans = records
        .iter()
        .map(|record| record["iban_c"].as_str().unwrap().to_owned());
    ibans.filter(|iban| !iban.is_empty()).collect()
}

const NAMED: &str = "/rest/v11_24/Contacts?max_num=20&fields=full_name,iban_c";

#[test]
fn a_token_of_the_demo_sees_masks_is_challenged_and_then_sees_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let (weak, strong) = (token(&demo, "WEAK"), token(&demo, "STRONG"));

    let whole = "/rest/v11_24/Contacts?max_num=20";
    let reply = get(demo.tokens, whole, bearer(&weak));
    assert_eq!(reply.status, 200);
    assert!(ibans(&reply).iter().all(|iban| iban.contains('•')));
    assert_eq!(
        reply.header("paravent-step-up"),
        Some("acr_values=\"phr phrh\", max_age=900")
    );
    let reply = get(demo.tokens, NAMED, bearer(&weak));
    assert_eq!(reply.status, 401);
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("insufficient_user_authentication"),
        "{challenge}"
    );
    let reply = get(demo.tokens, NAMED, bearer(&strong));
    let seen = ibans(&reply);
    assert_eq!(reply.status, 200);
    assert!(!seen.is_empty() && seen.iter().all(|iban| !iban.contains('•')));

    // The account that acts for her is nobody's deputy.
    for target in [
        "/rest/v11_24/me",
        "/rest/v11_24/Cases",
        "/rest/v11_24/Users",
    ] {
        let reply = get(demo.tokens, target, bearer(&strong));
        assert_eq!(reply.status, 403, "{target}");
    }
    // Her session is strengthened, nobody else's is.
    for (user, status) in [("fanny", 200), ("sally", 401)] {
        let session = log_in(&demo, user);
        let both = vec![("OAuth-Token", session), ("Paravent-Token", strong.clone())];
        assert_eq!(get(demo.proxy, NAMED, both).status, status, "{user}");
    }
    assert_eq!(get(demo.admin, "/readyz", Vec::new()).status, 200);
    assert_eq!(demo.interrupt(), Some(0));

    let audit = dir.path().join("audit");
    let query = |words: &[&str]| -> Vec<Value> {
        let mut arguments = vec!["audit", "query", audit.to_str().unwrap()];
        arguments.extend(words);
        arguments.extend(["--format", "json"]);
        let output = run(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let events = query(&["module=Contacts"]);
    let by = |method: &str| {
        let of_method = |event: &&Value| event["auth"]["method"] == json!(method);
        events.iter().filter(of_method).cloned().collect::<Vec<_>>()
    };
    assert_eq!(by("crm-session+token").len(), 1, "{events:?}");
    let by_token = by("token");
    assert!(
        by_token
            .iter()
            .any(|event| event["outcome"]["kind"] == json!("challenged"))
    );
    let caller = &by_token[0]["caller"];
    assert_eq!(caller["id"], json!("company:seed_fanny_id"), "{caller}");
    for file in std::fs::read_dir(&audit).unwrap().flatten() {
        let text = std::fs::read(file.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        for hidden in [&weak, &strong, &seen[0]] {
            assert!(!text.contains(hidden), "{:?}", file.path());
        }
    }
}

#[test]
fn what_the_demo_says_about_tokens_works_word_for_word() {
    let has_curl = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if has_curl.is_err() {
        skipped("curl is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let own = demo.greeting.split("By token").nth(1).unwrap();
    let own = own.split("Each access is recorded").next().unwrap();
    let commands: Vec<&str> = own
        .lines()
        .filter_map(|line| line.strip_prefix("     "))
        .collect();
    let (tokens, curls) = commands.split_at(2);
    assert!(curls.len() == 4 && curls.iter().all(|line| line.starts_with("curl ")));
    let script = format!(
        "TOKEN={}\n{}\n{}",
        log_in(&demo, "sally"),
        tokens.join("\n"),
        curls.join("\necho '@@'\n")
    );
    let output = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let parts: Vec<&str> = said.split("@@\n").collect();
    for (part, words) in parts.iter().zip([
        ["paravent-step-up: acr_values=", "••••"],
        ["401 Unauthorized", "insufficient_user_authentication"],
        ["\"iban_c\":\"FR76999", "\"full_name\":"],
        ["\"need_login\"", "not that of the session's user"],
    ]) {
        assert!(words.iter().all(|word| part.contains(word)), "{part}");
    }
    assert!(!parts[2].contains('•'), "{}", parts[2]);
}

/// A configuration that trusts an issuer, beside its secrets.
fn configuration(folder: &Path, keys: &str, admin: u16) -> String {
    secret(&folder.join("token.key"), &[7; 32]);
    secret(&folder.join("service.pw"), b"demo");
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/sugarcrm");
    let config = folder.join("paravent.yaml");
    let text = format!(
        "listeners:\n  - {{ name: crm, bind: \"127.0.0.1:0\", upstream: sugar, identity: [crm-session, token] }}\n\
         admin: {{ bind: \"127.0.0.1:{admin}\" }}\n\
         identity:\n  tokens:\n    - name: company\n      issuer: https://login.example/demo\n      audience: paravent\n\
         \x20     keys: {keys}\n      claims: {{ name: $.name, roles: $.roles }}\n      strengthens: {{ crm_user: $.crm_login }}\n\
         upstreams:\n  sugar:\n    url: http://127.0.0.1:9\n    dialects: [sugar-rest]\n\
         \x20   service: {{ user: paravent, password: {{ file: service.pw }}, client_id: sugar }}\n\
         policies: {policies}\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit }}\n"
    );
    std::fs::write(&config, text).unwrap();
    config.to_str().unwrap().to_owned()
}

#[test]
fn explain_says_what_is_understood_of_a_token_and_never_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let keys = format!("{{ file: {} }}", dir.path().join("issuer.json").display());
    let config = configuration(dir.path(), &keys, 0);
    let file = dir.path().join("shown.jwt");
    let explained = |token: &str, arguments: &[&str]| {
        std::fs::write(&file, format!("{token}\n")).unwrap();
        let mut all = vec!["explain", "--token", file.to_str().unwrap()];
        all.extend(arguments);
        let output = run(&all);
        let said = String::from_utf8(output.stdout).unwrap();
        let all_said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
        for hidden in token.split('.').chain(["seed_fanny_id", "Delorsaie"]) {
            assert!(hidden.len() < 8 || !all_said.contains(hidden), "{all_said}");
        }
        (output.status.code(), said)
    };
    let strong = token(&demo, "STRONG");
    let (code, said) = explained(&strong, &["--config", &config]);
    for line in [
        "accepted    yes",
        "issuer      company",
        "roles       finance-by-token",
        "purpose     payment (by default)",
        "strength    strong: proved",
        "strength    machine: not proved: lacks method",
    ] {
        assert!(said.lines().any(|one| one == line), "lacks {line}:\n{said}");
    }
    assert_eq!(code, Some(0), "{said}");
    let weak = token(&demo, "WEAK");
    let (_, said) = explained(&weak, &["--config", &config, "--format", "json"]);
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["accepted"], json!(true));
    assert_eq!(
        told["standing"]["strengths"]["strong"],
        json!({"proved": false, "lacks": [["acr"]]})
    );

    let mut broken = weak.clone();
    let last = if broken.pop() == Some('A') { 'Q' } else { 'A' };
    broken.push(last);
    let (code, said) = explained(&broken, &["--config", &config, "--format", "json"]);
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(told["refused"]["reason"], json!("bad-token"), "{told}");
    let (code, said) = explained(&weak, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("algorithm   ES256") && said.contains("`iss`"),
        "{said}"
    );
    for arguments in [
        ["explain", "--token", "no/such/file"].as_slice(),
        &[
            "explain",
            "--token",
            file.to_str().unwrap(),
            "--config",
            "none.yaml",
        ],
        &[
            "explain",
            "--token",
            file.to_str().unwrap(),
            "--as",
            "finance",
        ],
        &["explain", "--config", "none.yaml"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

/// A proxy at work; killed when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn readyz_says_whose_keys_are_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let admin = ports::free();
    // Nobody listens at the port of discarded bytes.
    let keys = "{ url: \"http://127.0.0.1:9/keys\" }";
    let config = configuration(dir.path(), keys, admin.port());
    let child = paravent(&["serve", "--config", &config])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _serving = Serving(child);
    let deadline = Instant::now() + Duration::from_secs(120);
    while std::net::TcpStream::connect(admin).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    let reply = get(admin, "/readyz", Vec::new());
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.text().contains("`company`"), "{}", reply.text());
    assert_eq!(get(admin, "/livez", Vec::new()).status, 200);
}
