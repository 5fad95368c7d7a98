//! `check --connect`, and what `serve` looks at before it starts.

use paravent::audit::note::SigningKey;
use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::harness::binary::{paravent, run, secret};
use crate::harness::ports;
use crate::harness::scripted::{self, Scripted};

/// An installation in a folder of its own.
struct Installed {
    folder: tempfile::TempDir,
    bind: SocketAddr,
    admin: SocketAddr,
}

const KEY: &str = "canary-key-0123456789abcdef";

impl Installed {
    fn new(url: &str, dialect: &str) -> Self {
        let (bind, admin) = (ports::free(), ports::free());
        let installed = Self {
            folder: tempfile::tempdir().unwrap(),
            bind,
            admin,
        };
        let (certificate, key) = certificate(|_| {});
        installed.write("crm.pem", &certificate);
        secret(&installed.path("crm.key"), key.as_bytes());
        secret(&installed.path("token.key"), KEY.as_bytes());
        let (_, signing) = SigningKey::generate("canary-key").unwrap();
        secret(&installed.path("audit.key"), signing.as_bytes());
        fs::create_dir(installed.path("out")).unwrap();
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/sugarcrm");
        installed.write(
            "paravent.yaml",
            &format!(
                "listeners:\n  - {{ name: crm, bind: \"{bind}\", upstream: sugar, tls: {{ certificate: crm.pem, key: crm.key }} }}\n\
                 admin: {{ bind: \"{admin}\" }}\n\
                 upstreams:\n  sugar:\n    url: \"{url}\"\n    dialects: {dialect}\n    timeouts: {{ first_byte: 500ms, total: 1s }}\n\
                 policies: {policies}\nkeys: {{ token: {{ file: token.key }}, audit: [{{ file: audit.key }}] }}\naudit: {{ dir: audit/log, publish: [{{ folder: out }}] }}\n"
            ),
        );
        installed
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn change(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("paravent.yaml")).unwrap();
        assert!(text.contains(from), "{from}");
        self.write("paravent.yaml", &text.replacen(from, to, 1));
    }

    fn rights(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    /// The exit code, and each problem that has to do with what is named.
    fn check(&self, more: &[&str]) -> (Option<i32>, Vec<Value>) {
        let config = self.path("paravent.yaml");
        let arguments = [
            "check",
            "--config",
            config.to_str().unwrap(),
            "--connect",
            "--format",
            "json",
        ];
        let output = run(&[&arguments[..], more].concat());
        let shown = String::from_utf8([output.stdout.clone(), output.stderr].concat()).unwrap();
        assert!(!shown.contains("canary-key"), "{shown}");
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{shown}"));
        let problems = report["diagnostics"].as_array().unwrap();
        let ours = |problem: &&Value| problem["code"].as_str().unwrap().starts_with('C');
        (
            output.status.code(),
            problems.iter().filter(ours).cloned().collect(),
        )
    }

    /// The one problem there is, which has a place and a fix.
    fn problem(&self, what: &str) -> (String, String) {
        let (code, problems) = self.check(&[]);
        let [problem] = problems.as_slice() else {
            panic!("{what}: {problems:#?}")
        };
        assert!(
            problem["file"]
                .as_str()
                .is_some_and(|file| file.ends_with("paravent.yaml")),
            "{what}: {problem}"
        );
        assert!(problem["help"].is_string(), "{what}: {problem}");
        let is_error = problem["severity"] == json!("error");
        assert_eq!(code, Some(i32::from(is_error)), "{what}: {problem}");
        (
            problem["code"].as_str().unwrap().to_owned(),
            problem.to_string(),
        )
    }
}

fn certificate(change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    change(&mut params);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn refuses() -> Scripted {
    Scripted::that_sees_checks(|_| {
        scripted::json(401, br#"{"error":"need_login","error_message":"x"}"#)
    })
}

fn before(crm: &Scripted) -> Installed {
    Installed::new(&format!("http://{}/crm", crm.address), "[sugar-rest]")
}

#[test]
fn a_good_installation_has_no_problem_and_nothing_is_made() {
    let crm = refuses();
    let installed = before(&crm);
    assert_eq!(installed.check(&[]), (Some(0), Vec::new()));
    assert!(!installed.path("audit").exists());
    let asked = crm.take_all();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "GET /crm/rest/v11/me HTTP/1.1");
    for usage in [
        &["check", "--connect", "policies/sugarcrm"][..],
        &["check", "--config", "x", "--running"],
    ] {
        assert_eq!(run(usage).status.code(), Some(2), "{usage:?}");
    }
}

#[test]
fn keys_and_certificates_fit_and_last() {
    let crm = refuses();
    let installed = before(&crm);
    let (_, other) = certificate(|_| {});
    secret(&installed.path("crm.key"), other.as_bytes());
    let (code, text) = installed.problem("another key");
    assert!(code == "C020" && text.contains("crm.key"), "{text}");

    let ends_in = |days: i64| {
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        let end = end.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (certificate, key) = certificate(|params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            let day = |number: i8| u8::try_from(number).unwrap();
            params.not_after = date_time_ymd(end.year().into(), day(end.month()), day(end.day()));
        });
        installed.write("crm.pem", &certificate);
        secret(&installed.path("crm.key"), key.as_bytes());
    };
    for (days, expected) in [(-2, "C021"), (5, "C120")] {
        ends_in(days);
        let (code, text) = installed.problem("a certificate that ends");
        assert!(code == expected && text.contains("crm.pem"), "{text}");
    }
    ends_in(60);
    assert_eq!(installed.check(&[]), (Some(0), Vec::new()));
}

#[test]
fn secrets_are_their_owners() {
    let crm = refuses();
    for name in ["token.key", "crm.key", "audit.key"] {
        let installed = before(&crm);
        installed.rights(name, 0o644);
        let (code, text) = installed.problem("everybody may read");
        assert!(code == "C022" && text.contains(name), "{text}");
        installed.rights(name, 0o660);
        let (code, text) = installed.problem("the group may write");
        assert!(code == "C022" && text.contains(name), "{text}");
        installed.rights(name, 0o640);
        assert_eq!(installed.check(&[]), (Some(0), Vec::new()));
        // As containers are handed their secrets.
        installed.rights(name, 0o444);
        installed.change("keys: { ", "keys: { readable_by_all: true, ");
        assert_eq!(installed.check(&[]), (Some(0), Vec::new()));
    }
}

#[test]
fn the_log_has_a_folder_and_addresses_are_free() {
    let crm = refuses();
    let installed = before(&crm);
    installed.write("audit", "a file");
    let (code, text) = installed.problem("no folder");
    assert!(code == "C023" && text.contains("not a folder"), "{text}");
    fs::remove_file(installed.path("audit")).unwrap();

    for address in [installed.bind, installed.admin] {
        let taken = TcpListener::bind(address).unwrap();
        let (code, text) = installed.problem("taken");
        assert!(
            code == "C024" && text.contains(&address.to_string()),
            "{text}"
        );
        assert_eq!(installed.check(&["--running"]), (Some(0), Vec::new()));
        drop(taken);
    }
    let elsewhere = format!("192.0.2.1:{}", installed.bind.port());
    installed.change(&installed.bind.to_string(), &elsewhere);
    let (code, text) = installed.problem("an address of another machine");
    assert!(
        code == "C024" && text.contains("address of this machine"),
        "{text}"
    );
}

#[test]
fn the_state_has_a_folder_that_no_other_process_uses() {
    let crm = refuses();
    let installed = before(&crm);
    let stated = |kept: &Path| format!("state: {{ dir: \"{}\" }}\naudit: {{", kept.display());
    let kept = installed.path("kept/state");
    installed.change("audit: {", &stated(&kept));
    installed.write("kept", "a file");
    let (code, text) = installed.problem("no folder");
    assert!(
        code == "C023" && text.contains("the state") && text.contains("not a folder"),
        "{text}"
    );
    fs::remove_file(installed.path("kept")).unwrap();
    assert_eq!(installed.check(&[]), (Some(0), Vec::new()));
    assert!(!installed.path("kept").exists());

    let other = before(&crm);
    other.change("audit: {", &stated(&kept));
    let mut child = serving(&other);
    let (code, text) = installed.problem("in use");
    assert!(
        code == "C023" && text.contains("another process") && text.contains("state.dir"),
        "{text}"
    );
    assert_eq!(installed.check(&["--running"]), (Some(0), Vec::new()));
    child.kill();
}

#[test]
fn a_running_proxy_is_seen_and_left_in_peace() {
    let crm = refuses();
    let installed = before(&crm);
    let mut child = serving(&installed);
    let (code, problems) = installed.check(&[]);
    let mut codes: Vec<_> = problems
        .iter()
        .map(|problem| problem["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!((code, codes), (Some(1), vec!["C023", "C024", "C024"]));
    assert_eq!(installed.check(&["--running"]), (Some(0), Vec::new()));
    child.kill();
}

/// A process that ends with its test.
struct Serving(Child);

impl Serving {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `serve`, ready.
fn serving(installed: &Installed) -> Serving {
    let config = installed.path("paravent.yaml");
    let log = fs::File::create(installed.path("serve.log")).unwrap();
    let child = paravent(&["serve", "--config", config.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let child = Serving(child);
    let deadline = Instant::now() + Duration::from_secs(120);
    while std::net::TcpStream::connect(installed.admin).is_err() {
        let log = fs::read_to_string(installed.path("serve.log")).unwrap();
        assert!(Instant::now() < deadline, "never ready: {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn a_crm_that_does_not_answer_as_it_should_is_told_with_its_cause() {
    let closed = ports::free();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let html = |status: u16| {
        let body = "<html>Log in</html>";
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Scripted::that_sees_checks(move |_| format!("{head}{body}").into_bytes())
    };
    let (found, missing) = (html(200), html(404));
    let moved = Scripted::that_sees_checks(|_| {
        b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    });
    let url = |address: SocketAddr| format!("http://{address}");
    for (url, cause) in [
        (url(closed), "refused"),
        (url(silent.local_addr().unwrap()), "first-byte-timeout"),
        (url(found.address), "content-type"),
        (url(missing.address), "status 404"),
        (url(moved.address), "redirect"),
        ("http://no-such-host.invalid".to_owned(), "dns"),
    ] {
        let installed = Installed::new(&url, "[sugar-rest]");
        let start = Instant::now();
        let (code, text) = installed.problem(cause);
        assert!(code == "C025" && text.contains(cause), "{cause}: {text}");
        assert!(start.elapsed() < Duration::from_secs(40), "{cause}");
    }
    let anybody = Scripted::that_sees_checks(|_| scripted::me("sally", "Sales"));
    let (code, text) = Installed::new(&url(anybody.address), "[sugar-rest]").problem("anybody");
    assert!(code == "C122", "{text}");
}

#[test]
fn every_dialect_is_asked_in_its_own_way() {
    let v4 = Scripted::that_sees_checks(|_| {
        scripted::json(
            200,
            br#"{"name":"Invalid Session ID","number":11,"description":"x"}"#,
        )
    });
    let v8 = Scripted::that_sees_checks(|_| scripted::json(401, br#"{"error":"access_denied"}"#));
    for (crm, dialect, asked) in [
        (&v4, "[sugar-v4]", "POST /service/v4_1/rest.php "),
        (&v8, "[suitecrm-v8]", "GET /Api/V8/current-user "),
        (
            &v8,
            "[{ description: espocrm.yaml }]",
            "GET /api/v1/App/user ",
        ),
        (&v8, "[{ description: listed.yaml }]", "GET / "),
    ] {
        let installed = Installed::new(&format!("http://{}", crm.address), dialect);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let example = fs::read_to_string(root.join("examples/espocrm/espocrm.yaml")).unwrap();
        installed.write("espocrm.yaml", &example);
        let start = example.find("  ask:\n").unwrap();
        let end = example.find("\nerrors:").unwrap();
        let hash = "a".repeat(64);
        let listed = format!("  listed: [{{ sha256: {hash}, id: \"1\", login: erp }}]\n");
        installed.write(
            "listed.yaml",
            &[&example[..start], &listed, &example[end..]].concat(),
        );
        let (code, problems) = installed.check(&[]);
        assert_eq!((code, problems.as_slice()), (Some(0), &[][..]), "{dialect}");
        let received = crm.take_all();
        assert!(
            received[0].line.starts_with(asked),
            "{dialect}: {}",
            received[0].line
        );
        let down = ports::free();
        installed.change(&crm.address.to_string(), &down.to_string());
        assert_eq!(installed.problem(dialect).0, "C025");
    }
}

#[test]
fn the_proxys_own_account_is_tried_once_and_only_by_a_check() {
    let crm = |status: u16, answer: &'static str| {
        Scripted::that_sees_checks(
            move |request| match request.line.contains("/oauth2/token ") {
                true => scripted::json(status, answer.as_bytes()),
                false => scripted::json(401, br#"{"error":"need_login"}"#),
            },
        )
    };
    let logins = |crm: &Scripted| {
        let received = crm.take_all().into_iter();
        received
            .filter(|request| request.line.starts_with("POST "))
            .count()
    };
    let installed = |crm: &Scripted| {
        let url = format!("http://{}", crm.address);
        let account = "[sugar-rest]\n    service: { user: paravent, password: { file: svc.pw } }";
        let installed = Installed::new(&url, account);
        secret(&installed.path("svc.pw"), b"canary-password");
        installed
    };
    let good = crm(200, r#"{"access_token":"a","expires_in":3600}"#);
    let account = installed(&good);
    assert_eq!(account.check(&[]), (Some(0), Vec::new()));
    assert_eq!(logins(&good), 1);
    fs::set_permissions(account.path("svc.pw"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(account.problem("a file that everybody may read").0, "C022");
    for (status, answer, label) in [
        (401, r#"{"error":"need_login"}"#, "the CRM refuses it"),
        (200, r#"{"access":"a"}"#, "unfilterable"),
    ] {
        let bad = crm(status, answer);
        let (code, text) = installed(&bad).problem(label);
        assert!(code == "C026" && text.contains(label), "{text}");
        assert!(!text.contains("canary-password"));
        assert_eq!(logins(&bad), 1);
    }
}

#[test]
fn serve_looks_before_it_starts_and_does_not_wait_for_the_crm() {
    let crm = refuses();
    let installed = before(&crm);
    installed.rights("token.key", 0o644);
    let config = installed.path("paravent.yaml");
    let output = run(&["serve", "--config", config.to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("C022") && told.contains("token.key") && !told.contains("canary-key"),
        "{told}"
    );
    installed.rights("token.key", 0o600);
    let (expired, key) = certificate(|params| params.not_after = date_time_ymd(2001, 1, 1));
    let good = fs::read_to_string(installed.path("crm.pem")).unwrap();
    let good_key = fs::read(installed.path("crm.key")).unwrap();
    installed.write("crm.pem", &expired);
    secret(&installed.path("crm.key"), key.as_bytes());
    let output = run(&["serve", "--config", config.to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && told.contains("C021"),
        "{told}"
    );
    installed.write("crm.pem", &good);
    secret(&installed.path("crm.key"), &good_key);

    // A CRM that accepts and says nothing: the proxy is ready before it gives up.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    installed.change(
        &format!("{}/crm", crm.address),
        &silent.local_addr().unwrap().to_string(),
    );
    installed.change(
        "first_byte: 500ms, total: 1s",
        "first_byte: 15s, total: 16s",
    );
    let mut child = serving(&installed);
    let log = || fs::read_to_string(installed.path("serve.log")).unwrap();
    assert!(!log().contains("C025"), "it waited: {}", log());
    let deadline = Instant::now() + Duration::from_secs(120);
    while !log().contains("C025") {
        assert!(Instant::now() < deadline, "{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(
        log().contains("first-byte-timeout") && log().contains("WARN"),
        "{}",
        log()
    );
    assert!(child.0.try_wait().unwrap().is_none(), "it goes on");
    let pid = child.0.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_log_that_nobody_signs_is_told_of_and_a_key_that_is_none_stops_the_start() {
    let crm = refuses();
    let installed = before(&crm);
    let signed = ", audit: [{ file: audit.key }]";
    installed.change(signed, "");
    let (code, text) = installed.problem("nothing is signed");
    assert!(code == "C134" && text.contains("not signed"), "{text}");
    installed.change(
        "{ file: token.key }",
        &format!("{{ file: token.key }}{signed}"),
    );
    installed.change(", publish: [{ folder: out }]", "");
    let (code, text) = installed.problem("published nowhere");
    assert!(code == "C134" && text.contains("nowhere"), "{text}");
    installed.change(
        "dir: audit/log",
        "dir: audit/log, publish: [{ folder: out }]",
    );
    fs::remove_dir(installed.path("out")).unwrap();
    let (code, text) = installed.problem("no folder");
    assert!(code == "C134" && text.contains("no folder"), "{text}");
    fs::create_dir(installed.path("out")).unwrap();
    let line = fs::read_to_string(installed.path("audit.key")).unwrap();
    let (_, other) = SigningKey::generate("canary-key").unwrap();
    // Base64 holds `+`, too.
    let secret_of = |line: &str| line.trim().splitn(5, '+').last().unwrap().to_owned();
    let lie = line.replace(&secret_of(&line), &secret_of(&other));
    for wrong in [lie.as_str(), "0123456789abcdef0123456789abcdef"] {
        secret(&installed.path("audit.key"), wrong.as_bytes());
        let (code, text) = installed.problem("no key");
        assert!(
            code == "C009" && text.contains("signs checkpoints"),
            "{text}"
        );
    }
    // A pipe that nobody writes keeps nobody waiting.
    fs::remove_file(installed.path("audit.key")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(installed.path("audit.key"))
        .status();
    assert!(made.unwrap().success());
    let (code, _) = installed.problem("a pipe");
    assert_eq!(code, "C001");
}
