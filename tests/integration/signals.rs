//! What the operating system may tell the process: to stop, to stop at once, to look whether its policy has changed, and
//! things that mean nothing to it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::binary::{self, paravent};
use crate::harness::client::{self, Request};
use crate::harness::ports;
use crate::harness::scripted::{self, Scripted};

/// `paravent serve` before a scripted CRM.
struct Process {
    child: Child,
    bind: SocketAddr,
    admin: SocketAddr,
    audit: PathBuf,
    logged: Arc<Mutex<String>>,
    dir: tempfile::TempDir,
}

impl Process {
    fn start(crm: &Scripted) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (bind, admin) = (ports::free(), ports::free());
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let key = b"0123456789abcdef0123456789abcdef";
        binary::secret(&dir.path().join("token.key"), key);
        write(
            "paravent.yaml",
            &format!(
                "listeners:\n  - {{ name: crm, bind: \"{bind}\", upstream: sugar }}\nadmin: {{ bind: \"{admin}\" }}\n\
                 upstreams:\n  sugar: {{ url: \"http://{}\", dialects: [sugar-rest], timeouts: {{ first_byte: 60s }} }}\n\
                 policies: policies\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit }}\n\
                 stop_timeout: 50s\n",
                crm.address,
            ),
        );
        let policies = dir.path().join("policies");
        std::fs::create_dir(&policies).unwrap();
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/sugarcrm");
        for entry in std::fs::read_dir(shipped).unwrap().flatten() {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), policies.join(entry.file_name())).unwrap();
            }
        }
        let config = dir.path().join("paravent.yaml");
        let mut child = paravent(&["serve", "--config", config.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let logged: Arc<Mutex<String>> = Arc::default();
        let (lines, told) = (BufReader::new(child.stderr.take().unwrap()), logged.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut told = told.lock().unwrap();
                told.push_str(&line);
                told.push('\n');
            }
        });
        let process = Self {
            child,
            bind,
            admin,
            audit: dir.path().join("audit"),
            logged,
            dir,
        };
        process.wait_until("ready", |process| {
            TcpStream::connect(process.admin).is_ok() && process.is_ready()
        });
        process
    }

    fn is_ready(&self) -> bool {
        let ready = b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        client::raw(self.admin, ready).status == 200
    }

    fn ask(&self) -> u16 {
        client::raw(self.bind, &request()).status
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success(), "{name}");
    }

    fn logged(&self) -> String {
        self.logged.lock().unwrap().clone()
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(Instant::now() < deadline, "never {what}: {}", self.logged());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end; the exit code, and the events that it left.
    fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let code = self.child.wait().unwrap().code();
        let verified = binary::run(&["audit", "verify", self.audit.to_str().unwrap()]);
        assert_ne!(verified.status.code(), Some(1), "{}", self.logged());
        let text = std::fs::read_to_string(self.audit.join("audit-0000000000000001.jsonl"));
        let events = text.unwrap();
        let events = events
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        (code, events.collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request() -> Vec<u8> {
    let request = Request {
        method: "GET",
        target: "/rest/v11/Contacts/c-1?fields=id",
        headers: vec![("OAuth-Token", "t".to_owned())],
        body: None,
    };
    request.bytes("crm.example.org")
}

/// A CRM that answers at once, but for records: those when it is told to.
fn slow_crm() -> (Scripted, Arc<Mutex<bool>>) {
    let answers = Arc::new(Mutex::new(false));
    let told = answers.clone();
    let crm = Scripted::start(move |request| {
        if request.line.contains("/me ") {
            return scripted::me("sally", "Sales");
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while !*told.lock().unwrap() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        scripted::json(200, br#"{"id":"c-1","_module":"Contacts"}"#)
    });
    (crm, answers)
}

/// A request that nobody has answered yet.
fn begin(process: &Process, crm: &Scripted) -> TcpStream {
    crm.take_all();
    let mut socket = TcpStream::connect(process.bind).unwrap();
    socket.write_all(&request()).unwrap();
    process.wait_until("asked", |_| !crm.take().is_empty());
    socket
}

#[test]
fn signals_without_a_use_are_noted_and_change_nothing() {
    let (crm, answers) = slow_crm();
    *answers.lock().unwrap() = true;
    let process = Process::start(&crm);
    for (name, word) in [("-USR1", "SIGUSR1"), ("-USR2", "SIGUSR2")] {
        process.signal(name);
        process.wait_until(word, |process| {
            process.logged().contains(&format!("signal=\"{word}\""))
        });
        assert_eq!(process.ask(), 200, "{name}");
        assert!(process.is_ready(), "{name}");
    }
    process.signal("-TERM");
    let (code, events) = process.end();
    assert_eq!(code, Some(0));
    assert_eq!(events.last().unwrap()["event"], "audit.stopped");
}

#[test]
fn a_hangup_takes_a_changed_policy_at_once_and_leaves_a_broken_one() {
    let (crm, answers) = slow_crm();
    *answers.lock().unwrap() = true;
    let process = Process::start(&crm);
    let path = process.dir.path().join("policies/rules.yaml");
    let rules = std::fs::read_to_string(&path).unwrap();
    let looked = |process: &Process, policy: &str| {
        let line = format!("as a signal has asked policy={policy}");
        process.signal("-HUP");
        process.wait_until(policy, |process| process.logged().contains(&line));
        assert_eq!(process.ask(), 200, "{policy}");
        assert!(process.is_ready(), "{policy}");
    };
    looked(&process, "unchanged");
    std::fs::write(&path, format!("{rules}\n# Reviewed.\n")).unwrap();
    looked(&process, "taken");
    std::fs::write(&path, "purposes: [").unwrap();
    looked(&process, "rejected");
    assert!(process.logged().contains("the policy on disk was refused"));
    process.signal("-TERM");
    let (code, events) = process.end();
    assert_eq!(code, Some(0));
    let told = events.iter().filter_map(|event| {
        let name = event["event"].as_str()?;
        let by = event["by"].as_str()?;
        Some(format!("{name} {by}"))
    });
    let told: Vec<String> = told.collect();
    assert_eq!(told[0], "policy.loaded start");
    assert!(told[1].starts_with("policy.loaded "), "{told:?}");
    assert!(told[2].starts_with("policy.rejected "), "{told:?}");
    assert_eq!(told.len(), 3);
}

#[test]
fn every_way_to_ask_for_a_stop_closes_the_log_in_order() {
    for name in ["-TERM", "-INT", "-QUIT"] {
        let (crm, answers) = slow_crm();
        let process = Process::start(&crm);
        let socket = begin(&process, &crm);
        process.signal(name);
        // It says for how many requests it waits, and how long.
        process.wait_until("told", |process| {
            let log = process.logged();
            let line = log.lines().find(|line| line.contains("the stop waits"));
            line.is_some_and(|line| line.contains("requests=1 seconds=50"))
        });
        *answers.lock().unwrap() = true;
        let mut reply = String::new();
        std::io::Read::read_to_string(&mut &socket, &mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{name}: {reply}");
        let (code, events) = process.end();
        assert_eq!(code, Some(0), "{name}");
        assert_eq!(events.last().unwrap()["event"], "audit.stopped", "{name}");
    }
}

#[test]
fn a_second_request_to_stop_ends_at_once_with_the_log_in_order() {
    for (first, second) in [("-TERM", "-TERM"), ("-INT", "-INT"), ("-TERM", "-INT")] {
        let (crm, _) = slow_crm();
        let process = Process::start(&crm);
        let mut socket = begin(&process, &crm);
        process.signal(first);
        process.wait_until("waiting", |process| {
            process.logged().contains("the stop waits")
        });
        let asked = Instant::now();
        process.signal(second);
        let (code, events) = process.end();
        assert!(
            asked.elapsed() < Duration::from_secs(25),
            "{first} {second}: it waited for the request"
        );
        assert_eq!(code, Some(0), "{first} {second}");
        assert_eq!(events.last().unwrap()["event"], "audit.stopped");
        // What was cut off is recorded as cut off, and nothing of it was released.
        let cut = events.iter().find(|event| event["phase"] == "closed");
        let cut = cut.unwrap_or_else(|| panic!("{first} {second}: no event: {events:?}"));
        assert_eq!(cut["outcome"]["kind"], "aborted");
        assert_eq!(cut["caller"]["name"], "sally");
        let mut reply = Vec::new();
        let _ = std::io::Read::read_to_end(&mut socket, &mut reply);
        let text = String::from_utf8_lossy(&reply);
        assert!(!text.contains("c-1"), "{text}");
    }
}
