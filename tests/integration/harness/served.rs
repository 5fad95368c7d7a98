//! A proxy in a process of its own: the binary that `PARAVENT_BINARY` names, with a configuration made of a wish.
//!
//! Some faults only show without debug assertions, so every test that starts a [`World`](super::world::World) can be
//! run against a release build: see `CONTRIBUTING.md`.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::world::Wish;

/// The process; ended with it.
pub struct Served {
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

/// The binary to test, if there is one and it can do what is wished for.
pub fn binary(wish: &Wish) -> Option<PathBuf> {
    let is_plain = wish.tls.is_none()
        && wish.crm_tls.is_none()
        && wish.audit.is_none()
        && wish.clock.is_none()
        && wish.reached.is_empty()
        && wish.ledger.is_none()
        && !wish.learn;
    std::env::var_os("PARAVENT_BINARY")
        .map(PathBuf::from)
        .filter(|_| is_plain && is_usual(wish))
}

/// Whether the dialect is the product's own `sugar-rest`.
fn is_usual(wish: &Wish) -> bool {
    format!("{:?}", wish.dialects).starts_with("[Described(\"sugar-rest\")")
        && wish.dialects.len() == 1
}

impl Served {
    /// Starts the binary before a CRM; what it logs is appended to `log`.
    pub fn start(
        binary: &Path,
        crm: SocketAddr,
        wish: &Wish,
        audit: &Path,
        log: Arc<Mutex<Vec<u8>>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paravent.yaml");
        std::fs::write(&path, configuration(crm, wish, audit)).unwrap();
        super::binary::secret(&folder.path().join("token.key"), KEY);
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        for (number, source) in wish.sources.iter().enumerate() {
            let name = format!("policies/{number}.yaml");
            std::fs::write(folder.path().join(name), &source.text).unwrap();
        }
        #[allow(clippy::zombie_processes, reason = "`Drop` waits for it")]
        let mut child = Command::new(binary)
            .args(["serve", "--config", path.to_str().unwrap()])
            .env("NO_COLOR", "1")
            .env("PARAVENT_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let seen: Arc<Mutex<String>> = Arc::default();
        let tail = seen.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                log.lock()
                    .unwrap()
                    .extend_from_slice(format!("{line}\n").as_bytes());
                let mut tail = tail.lock().unwrap();
                if tail.len() < 100_000 {
                    tail.push_str(&line);
                    tail.push('\n');
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(120);
        let (proxy, admin) = loop {
            let text = seen.lock().unwrap().clone();
            let address = |word: &str| {
                let line = text.lines().find(|line| line.contains(word))?;
                let (_, address) = line.split_once("address=")?;
                address.split(' ').next()?.parse().ok()
            };
            if let (Some(proxy), Some(admin)) =
                (address(": listening "), address(": admin listening "))
            {
                break (proxy, admin);
            }
            let has_ended = child.try_wait().unwrap().is_some();
            assert!(
                !has_ended && Instant::now() < deadline,
                "{binary:?} did not start: {text}"
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        Self {
            proxy,
            admin,
            child,
            _folder: folder,
        }
    }

    /// The most memory that the process has used, in bytes.
    pub fn memory_peak(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024)
    }

    /// Asks it to stop in order, and waits.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(crm: SocketAddr, wish: &Wish, audit: &Path) -> String {
    let kib = |bytes: usize| format!("{}KiB", bytes.div_ceil(1024));
    let ms = |wait: Duration| format!("{}ms", wait.as_millis());
    let trusted = match wish.trusted_proxies.as_slice() {
        [] => String::new(),
        networks => format!(", trusted_proxies: {networks:?}"),
    };
    let mut text = format!(
        "listeners:\n  - {{ name: crm, bind: \"127.0.0.1:0\", upstream: crm{trusted} }}\n\
         admin: {{ bind: \"127.0.0.2:0\" }}\n\
         upstreams:\n  crm:\n    url: http://{crm}\n    dialects: [sugar-rest]\n    learn: {learn}\n\
         \x20   timeouts: {{ connect: 2s, first_byte: {}, total: {} }}\n\
         policies: policies/\nkeys: {{ token: {{ file: token.key }} }}\n\
         audit: {{ dir: \"{}\", durability: strict }}\nstate: {{ dir: state/ }}\nstop_timeout: 10s\nlimits:\n",
        ms(wish.first_byte),
        ms(wish.total),
        audit.display(),
        learn = wish.learn,
    );
    for (name, value) in [
        ("held_bytes_max", kib(wish.held_bytes_max)),
        ("record_bytes_max", kib(wish.record_bytes_max)),
        ("text_bytes_max", kib(wish.text_bytes_max)),
        ("request_bytes_max", kib(wish.request_bytes_max)),
        ("bulk_parts_max", "100".to_owned()),
        ("requests_max", wish.requests_max.to_string()),
        ("requests_per_minute", wish.requests_per_minute.to_string()),
        (
            "refused_predicates_per_hour",
            wish.refused_predicates_per_hour.to_string(),
        ),
        ("logins_per_minute", wish.logins_per_minute.to_string()),
        ("head_timeout", ms(wish.head_timeout)),
        ("body_timeout", ms(wish.body_timeout)),
        ("idle_timeout", ms(wish.idle_timeout)),
    ] {
        let _ = writeln!(text, "  {name}: {value}");
    }
    text
}

const KEY: &[u8] = b"a key that is only used in tests";
