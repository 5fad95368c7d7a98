//! How long requests wait while a policy of 2,000 fields takes the place of another: the slowest in a hundred of times with a
//! reload, beside those of quiet times as long, in turns. Ends with 1 if that is more than one and a half times as long. What
//! is told of the reload itself, and of the 100 ms after it, is told only: in a time so short that are single requests.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paravent::audit::{By, Log};
use paravent::config::Config;
use paravent::identity::Authorities;
use paravent::proxy::{Configured, Proxy, log_options};
use paravent::reload::{Candidate, INTERVAL, Outcome};

/// That of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FIELDS: usize = 2_000;
const CALLERS: usize = 2;
const ROUNDS: usize = 10;
/// Of each of the times that are compared. In a minute one reload would hardly be seen.
const TIME: Duration = Duration::from_secs(3);
/// Tables are still cold for so long.
const AFTER: Duration = Duration::from_millis(100);
const RATIO_MAX: f64 = 1.5;

fn write(folder: &Path, level: &str) {
    let fields: Vec<String> = (0..FIELDS)
        .map(|number| format!("    field_{number}_c: c{}.value\n", number % 20))
        .collect();
    let categories: Vec<String> = (0..20)
        .map(|number| format!("  c{number}.value: {{}}\n"))
        .collect();
    let grants: Vec<String> = (0..20)
        .map(|number| {
            format!("  - {{ name: g{number}, roles: sales, data: c{number}, level: {level} }}\n")
        })
        .collect();
    let text = format!(
        "policy: large\nroles: {{ sales: {{ from: {{ crm.role: Sales }}, default_purpose: contract }} }}\n\
         purposes: {{ contract: {{ legal_basis: contract, roles: [sales] }} }}\ncategories:\n{}\
         classify:\n  Contacts:\n    id: technical.id\n{}\
         grants:\n  - {{ name: ids, roles: sales, data: technical, level: clear }}\n{}",
        categories.concat(),
        fields.concat(),
        grants.concat()
    );
    fs::write(folder.join("large.yaml"), text).unwrap();
}

/// A CRM whose records have fifty fields.
fn crm() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let fields: Vec<String> = (0..50)
        .map(|number| format!(",\"field_{number}_c\":\"a value\""))
        .collect();
    let record = format!(
        "{{\"id\":\"c-1\",\"_module\":\"Contacts\"{}}}",
        fields.concat()
    );
    let me = r#"{"current_user":{"type":"user","id":"u","user_name":"sally","full_name":"S","roles":["Sales"],"my_teams":[],"acl":{},"module_list":["Contacts"],"preferences":{},"_hash":"0"}}"#;
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let record = record.clone();
            std::thread::spawn(move || {
                let _ = socket.set_nodelay(true);
                while let Some(head) = head(&mut socket) {
                    let body = if head.contains("/me ") { me } else { &record };
                    let reply = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if socket.write_all(reply.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn head(socket: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut byte) = (Vec::new(), [0; 4096]);
    loop {
        let count = socket.read(&mut byte).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(byte.get(..count)?);
        if bytes.ends_with(b"\r\n\r\n") {
            return String::from_utf8(bytes).ok();
        }
    }
}

/// Asks on one connection; when each request began, and how long it took.
fn ask(address: SocketAddr, done: &AtomicBool) -> Vec<(Instant, Duration)> {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    let request = "GET /rest/v11/Contacts/c-1 HTTP/1.1\r\nHost: a\r\nOAuth-Token: t\r\n\r\n";
    let (mut took, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    while !done.load(Ordering::Relaxed) {
        let began = Instant::now();
        socket.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        while !reply.ends_with(b"}") {
            let count = socket.read(&mut chunk).unwrap();
            assert!(count > 0, "the connection was closed");
            reply.extend_from_slice(&chunk[..count]);
        }
        assert!(reply.starts_with(b"HTTP/1.1 200"));
        took.push((began, began.elapsed()));
    }
    took
}

fn start(dir: &Path, runtime: &tokio::runtime::Runtime) -> Proxy {
    fs::create_dir(dir.join("policies")).unwrap();
    write(&dir.join("policies"), "clear");
    fs::write(dir.join("token.key"), "0123456789abcdef").unwrap();
    let text = format!(
        "listeners: [{{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }}]\nadmin: {{ bind: \"127.0.0.1:0\" }}\n\
         upstreams: {{ crm: {{ url: \"http://{}\", dialects: [sugar-rest] }} }}\n\
         policies: policies\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit, durability: {{ relaxed: 50ms }} }}\n",
        crm()
    );
    fs::write(dir.join("paravent.yaml"), text).unwrap();
    let (config, found) = Config::load(&dir.join("paravent.yaml"));
    let config = Arc::new(config.unwrap_or_else(|| panic!("{}", found.render(false))));
    let (began, found) = Candidate::at_start(&config, None);
    let began = began.unwrap_or_else(|| panic!("{}", found.render(false)));
    runtime.block_on(async {
        let authorities = Authorities::new(&config).unwrap();
        let log = Log::open(log_options(&config)).unwrap();
        let configured = Configured {
            config,
            began,
            authorities: &authorities,
            suites: None,
            every: INTERVAL * 1_000,
        };
        let listeners = configured.listeners().unwrap();
        Proxy::start(configured.set_up(listeners, log, None, None))
            .await
            .unwrap()
    })
}

/// From when to when each of the times that are compared lasted.
struct Times {
    quiet: (Instant, Instant),
    busy: (Instant, Instant),
    reload: (Instant, Instant),
}

/// How long the slowest in a hundred of so many requests took.
struct Slowest {
    took: Duration,
    of: usize,
}

impl Slowest {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let of = took.len();
        let took = took.get(of * 99 / 100).copied().unwrap_or_default();
        Self { took, of }
    }
}

impl std::fmt::Display for Slowest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "p99 {:.0?} of {} requests", self.took, self.of)
    }
}

fn main() {
    if std::env::args().any(|word| word == "--test") {
        // There is nothing to see in a build that nobody would run.
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let proxy = start(dir.path(), &runtime);
    let (address, handle) = (proxy.addresses[0], proxy.reload.clone().unwrap());
    let (done, all) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                let took = ask(address, &done);
                all.lock().unwrap().extend(took);
            });
        }
        for round in 0..ROUNDS {
            let quiet = Instant::now();
            std::thread::sleep(TIME);
            let busy = Instant::now();
            std::thread::sleep(TIME / 2);
            let level = if round % 2 == 0 { "redact" } else { "clear" };
            write(&dir.path().join("policies"), level);
            let began = Instant::now();
            let report = runtime.block_on(handle.look(By::Signal)).unwrap();
            assert_eq!(report.policy, Outcome::Taken);
            let reload = (began, Instant::now());
            std::thread::sleep((busy + TIME).saturating_duration_since(Instant::now()));
            times.push(Times {
                quiet: (quiet, busy),
                busy: (busy, Instant::now()),
                reload,
            });
        }
        done.store(true, Ordering::Relaxed);
    });
    let all = all.into_inner().unwrap();
    let of = |time: fn(&Times) -> (Instant, Instant)| {
        let is_in = |(began, took): &&(Instant, Duration)| {
            let mut times = times.iter().map(time);
            times.any(|(from, until)| *began + *took >= from && *began <= until)
        };
        all.iter().filter(is_in).map(|(_, took)| *took).collect()
    };
    let quiet = Slowest::of(of(|times| times.quiet));
    let busy = Slowest::of(of(|times| times.busy));
    let during = Slowest::of(of(|times| (times.reload.0, times.reload.1 + AFTER)));
    let took: Duration = times.iter().map(|one| one.reload.1 - one.reload.0).sum();
    println!("a reload takes {:.1?}", took / ROUNDS as u32);
    println!("quiet times of {TIME:?}: {quiet}");
    println!("with a reload in the middle: {busy}");
    println!("of these in the reload or in the {AFTER:?} after it: {during}");
    let ratio = busy.took.as_secs_f64() / quiet.took.as_secs_f64();
    println!("{ratio:.2} times as long (at most {RATIO_MAX})");
    runtime.block_on(proxy.stop(std::future::pending()));
    if ratio > RATIO_MAX {
        std::process::exit(1);
    }
}
