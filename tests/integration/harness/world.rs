//! A proxy before a CRM, started for one test and stopped with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::uri::Scheme;
use paravent::audit::{Clock, Durability, Log, Options};
use paravent::demo::{Crm, serve};
use paravent::diagnostic::Diagnostics;
use paravent::dialect::{self, Bounds, Dialect};
use paravent::door::Door;
use paravent::filter;
use paravent::identity::Ways;
use paravent::ledger::Ledger;
use paravent::pipeline::{LiveSchema, Settings};
use paravent::policy::{Policy, Source};
use paravent::proxy::{ListenerSetup, Proxy, Setup};
use paravent::server::Limits;
use paravent::transport::Destination;
use serde_json::{Value, json};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::canary::Canaries;
use super::client::{self, Request, Response};
use super::served::{self, Served};

/// Everything a test needs; the audit folder is removed with it.
pub struct World {
    pub proxy: SocketAddr,
    /// All listeners, that one first.
    pub proxies: Vec<SocketAddr>,
    pub admin: SocketAddr,
    pub crm: SocketAddr,
    pub audit: tempfile::TempDir,
    runtime: Option<tokio::runtime::Runtime>,
    running: Option<Running>,
    forbidden: Mutex<Canaries>,
    /// How much the worlds of this process had logged before this one began.
    logged_before: usize,
}

/// Where the proxy runs.
enum Running {
    Here(Box<Proxy>),
    Apart(Served),
}

impl Running {
    /// Of the listeners and of the admin listener.
    fn addresses(&self) -> (Vec<SocketAddr>, SocketAddr) {
        match self {
            Self::Here(proxy) => (proxy.addresses.clone(), proxy.admin),
            Self::Apart(served) => (vec![served.proxy], served.admin),
        }
    }
}

/// A listener, and how callers prove there who they are.
#[derive(Clone, Debug)]
pub struct Reached {
    pub ways: Ways,
    pub service: Option<paravent::config::Service>,
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// What a test changes of the usual set-up.
#[derive(Clone, Debug)]
pub struct Wish {
    pub held_bytes_max: usize,
    pub record_bytes_max: usize,
    pub text_bytes_max: usize,
    pub request_bytes_max: usize,
    pub requests_max: usize,
    pub first_byte: Duration,
    pub total: Duration,
    pub logins_per_minute: u32,
    pub requests_per_minute: u32,
    pub refused_predicates_per_hour: u32,
    pub head_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
    pub trusted_proxies: Vec<&'static str>,
    /// Whether calls may stand in query strings.
    pub v4_get: bool,
    pub sources: Vec<Source>,
    pub dialects: Vec<Arc<dyn Dialect>>,
    /// Whether the schema grows by what the CRM says of its own data.
    pub learn: bool,
    pub audit: Option<PathBuf>,
    /// What the access log takes for the time.
    pub clock: Option<Clock>,
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The listeners, where one for sessions of the CRM is not enough.
    pub reached: Vec<Reached>,
    /// What persons have said.
    pub ledger: Option<Arc<Ledger>>,
    /// The CRM speaks TLS with a certificate of this root, under this name.
    pub crm_tls: Option<(PathBuf, &'static str)>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            held_bytes_max: 8 << 20,
            record_bytes_max: 1 << 20,
            text_bytes_max: 1 << 20,
            request_bytes_max: 1 << 20,
            requests_max: 256,
            first_byte: Duration::from_secs(60),
            total: Duration::from_secs(120),
            logins_per_minute: 10_000,
            requests_per_minute: 100_000,
            refused_predicates_per_hour: 10_000,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            trusted_proxies: Vec::new(),
            v4_get: false,
            sources: paravent::demo::policy_sources(),
            dialects: vec![dialect::by_name("sugar-rest").unwrap()],
            learn: false,
            audit: None,
            clock: None,
            tls: None,
            reached: Vec::new(),
            ledger: None,
            crm_tls: None,
        }
    }
}

impl World {
    /// A proxy before the demo's CRM.
    pub fn demo() -> Self {
        Self::demo_with(Wish::default())
    }

    pub fn demo_with(wish: Wish) -> Self {
        capture_log();
        let runtime = runtime();
        let (crm, _) = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let task = tokio::spawn(serve(
                listener,
                Arc::new(Crm::invent(7)),
                std::future::pending(),
            ));
            (address, task)
        });
        let world = Self::before(crm, wish, runtime);
        world.watch_for_the_truth();
        world
    }

    /// A proxy before a scripted CRM.
    pub fn scripted(crm: SocketAddr, wish: Wish) -> Self {
        capture_log();
        Self::before(crm, wish, runtime())
    }

    fn run(
        crm: SocketAddr,
        wish: Wish,
        runtime: &tokio::runtime::Runtime,
        audit: &Path,
    ) -> Running {
        match served::binary(&wish) {
            Some(binary) => {
                let log = LOG.get().unwrap().clone();
                Running::Apart(Served::start(&binary, crm, &wish, audit, log))
            }
            None => Running::Here(Box::new(runtime.block_on(start(crm, wish, audit)))),
        }
    }

    /// The same in a process of its own, whatever is tested: the binary of this build.
    pub fn apart(crm: SocketAddr, wish: Wish) -> Self {
        capture_log();
        let audit = tempfile::tempdir().unwrap();
        let log = LOG.get().unwrap().clone();
        let logged_before = log.lock().unwrap().len();
        let binary = Path::new(env!("CARGO_BIN_EXE_paravent"));
        let served = Served::start(binary, crm, &wish, audit.path(), log);
        Self::of(
            crm,
            Running::Apart(served),
            audit,
            (runtime(), logged_before),
        )
    }

    fn before(crm: SocketAddr, wish: Wish, runtime: tokio::runtime::Runtime) -> Self {
        let audit = tempfile::tempdir().unwrap();
        let logged_before = LOG.get().unwrap().lock().unwrap().len();
        let running = Self::run(crm, wish, &runtime, audit.path());
        Self::of(crm, running, audit, (runtime, logged_before))
    }

    fn of(
        crm: SocketAddr,
        running: Running,
        audit: tempfile::TempDir,
        (runtime, logged_before): (tokio::runtime::Runtime, usize),
    ) -> Self {
        let (proxies, admin) = running.addresses();
        Self {
            proxy: proxies[0],
            proxies,
            admin,
            crm,
            audit,
            runtime: Some(runtime),
            running: Some(running),
            forbidden: Mutex::default(),
            logged_before,
        }
    }

    /// Stops the proxy in order, and starts it anew with the same folders.
    pub fn restart(&mut self, wish: Wish) {
        self.stop();
        let runtime = self.runtime.as_ref().unwrap();
        let running = Self::run(self.crm, wish, runtime, self.audit.path());
        (self.proxies, self.admin) = running.addresses();
        self.proxy = self.proxies[0];
        self.running = Some(running);
    }

    /// Reads the bare CRM as its administrator and watches for what no role may see: NIR and Art. 9 data.
    fn watch_for_the_truth(&self) {
        let token = self.login_at(self.crm, "admin");
        let mut forbidden = self.forbidden.lock().unwrap();
        for contact in self.all_contacts(&token) {
            let id = contact["id"].as_str().unwrap();
            for field in ["nir_c", "health_notes_c"] {
                let value = contact[field].as_str().unwrap_or_default();
                if value.chars().count() >= 8 {
                    forbidden.add(&format!("Contacts/{id}.{field}"), value);
                }
            }
        }
        assert!(
            forbidden.len() > 1_000,
            "the demo's CRM holds too little to leak"
        );
    }

    pub fn all_contacts(&self, admin: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let target = format!("/rest/v11_24/Contacts?max_num=100&offset={}", all.len());
            let page = self.send_to(self.crm, "GET", &target, Some(admin), None);
            let page = page.json();
            let records = page["records"].as_array().unwrap().clone();
            all.extend(records);
            if page["next_offset"] == json!(-1) {
                return all;
            }
        }
    }

    /// Adds a value that must not be seen from now on.
    pub fn forbid(&self, name: &str, value: &str) {
        self.forbidden.lock().unwrap().add(name, value);
    }

    /// Logs in through the proxy.
    pub fn login(&self, account: &str) -> String {
        self.login_at(self.proxy, account)
    }

    pub fn login_at(&self, address: SocketAddr, account: &str) -> String {
        let body = json!({"grant_type": "password", "client_id": "sugar", "client_secret": "", "username": account, "password": "demo", "platform": "base"});
        let reply = self.send_to(
            address,
            "POST",
            "/rest/v11_24/oauth2/token",
            None,
            Some(&body),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends a request through the proxy, and looks at every byte that comes back.
    pub fn send(
        &self,
        method: &str,
        target: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Response {
        self.send_to(self.proxy, method, target, token, body)
    }

    pub fn get(&self, target: &str, token: &str) -> Response {
        self.send("GET", target, Some(token), None)
    }

    pub fn send_to(
        &self,
        address: SocketAddr,
        method: &str,
        target: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Response {
        let mut headers = Vec::new();
        headers.extend(token.map(|token| ("OAuth-Token", token.to_owned())));
        headers.extend(body.map(|_| ("Content-Type", "application/json".to_owned())));
        let request = Request {
            method,
            target,
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
        };
        self.send_request(address, &request)
    }

    pub fn send_request(&self, address: SocketAddr, request: &Request<'_>) -> Response {
        self.send_raw(address, &request.bytes(&address.to_string()))
    }

    pub fn send_raw(&self, address: SocketAddr, bytes: &[u8]) -> Response {
        let response = client::raw(address, bytes);
        if self.proxies.contains(&address) {
            self.look_at(&response);
        }
        response
    }

    /// Looks at every byte that came back.
    pub fn look_at(&self, response: &Response) {
        let line = String::from_utf8_lossy(bytes_of_request_line(&response.raw)).into_owned();
        if let Some(name) = self.forbidden.lock().unwrap().found_in(&response.raw) {
            panic!(
                "{name} leaked in a reply ({line}): {}",
                String::from_utf8_lossy(&response.raw)
            );
        }
        for (name, _) in &response.headers {
            assert!(
                HEADERS.contains(&name.as_str()),
                "a header that is not on the list: {name}"
            );
        }
    }

    /// The truth about a contact, at the bare CRM.
    pub fn truth(&self, module: &str, id: &str) -> Value {
        let admin = self.login_at(self.crm, "admin");
        self.send_to(
            self.crm,
            "GET",
            &format!("/rest/v11_24/{module}/{id}"),
            Some(&admin),
            None,
        )
        .json()
    }

    /// All events of the log, in order and in full.
    pub fn events(&self) -> Vec<Value> {
        events_of(self.audit.path())
    }

    /// The events of one decision.
    pub fn decision(&self, reply: &Response) -> Vec<Value> {
        let id = reply
            .header("paravent-decision")
            .expect("the reply names its decision");
        let events: Vec<Value> = self
            .events()
            .into_iter()
            .filter(|event| event["id"] == json!(id))
            .collect();
        assert!(!events.is_empty(), "decision {id} is not in the log");
        events
    }

    /// The lines of the operator's log that hold a text. All tests write the same log, so it must be this world's own.
    pub fn log_lines(&self, text: &str) -> Vec<String> {
        let log = LOG.get().unwrap().lock().unwrap();
        let log = String::from_utf8_lossy(&log[self.logged_before..]).into_owned();
        log.lines()
            .filter(|line| line.contains(text))
            .map(str::to_owned)
            .collect()
    }

    pub fn metrics(&self) -> String {
        client::raw(
            self.admin,
            b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n",
        )
        .text()
    }

    /// Stops the proxy in order.
    pub fn stop(&mut self) {
        match (&self.runtime, self.running.take()) {
            (Some(runtime), Some(Running::Here(proxy))) => {
                runtime.block_on(proxy.stop(std::future::pending()));
            }
            (_, Some(Running::Apart(served))) => served.stop(),
            _ => {}
        }
    }

    /// The most memory that the proxy has used, if it has a process of its own.
    pub fn memory_peak(&self) -> Option<u64> {
        match &self.running {
            Some(Running::Apart(served)) => served.memory_peak(),
            _ => None,
        }
    }
}

impl Drop for World {
    /// Every test is a leak test: log lines, metrics and audit records are scanned at the end of each.
    fn drop(&mut self) {
        let metrics = if self.running.is_some() && !std::thread::panicking() {
            self.metrics()
        } else {
            String::new()
        };
        self.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
        if std::thread::panicking() {
            return;
        }
        let forbidden = self.forbidden.lock().unwrap();
        assert_eq!(
            forbidden.found_in(metrics.as_bytes()),
            None,
            "leaked in the metrics"
        );
        assert_eq!(
            forbidden.found_in(&LOG.get().unwrap().lock().unwrap()[self.logged_before..]),
            None,
            "leaked in the log"
        );
        // The policy and the schema are the operator's own words, not of a record or a caller.
        let policies = self.audit.path().join("policies");
        let entries = walk(self.audit.path()).into_iter();
        for entry in entries.filter(|entry| !entry.starts_with(&policies)) {
            assert_eq!(
                forbidden.found_in(&std::fs::read(&entry).unwrap()),
                None,
                "leaked in {}",
                entry.display()
            );
        }
    }
}

/// What is known of the CRM's data, and whether it grows.
fn live(dialect: &Arc<dyn Dialect>, learn: bool, folder: &Path) -> LiveSchema {
    let mut found = Diagnostics::new();
    let live = match learn {
        true => LiveSchema::growing("crm", dialect.clone(), folder, &mut found),
        false => Some(LiveSchema::fixed("crm", dialect.clone())),
    };
    live.unwrap_or_else(|| panic!("{found:?}"))
}

async fn start(crm: SocketAddr, wish: Wish, audit: &Path) -> Proxy {
    let (policy, diagnostics) = Policy::compile(
        &wish.sources,
        &wish
            .dialects
            .iter()
            .map(|dialect| dialect.schema().clone())
            .collect::<Vec<_>>(),
        b"a key that is only used in tests",
    );
    let policy = Arc::new(policy.unwrap_or_else(|| panic!("{diagnostics:?}")));
    let dir = wish.audit.clone().unwrap_or_else(|| audit.to_owned());
    let log = Log::open(Options {
        durability: Durability::Strict,
        clock: wish.clock.clone().unwrap_or_else(Clock::system),
        ..Options::new(&dir, &audit.join("state"))
    })
    .unwrap();
    let usual = Reached {
        ways: Ways::default(),
        service: None,
        tls: wish.tls.clone(),
    };
    let reached = match wish.reached.as_slice() {
        [] => std::slice::from_ref(&usual),
        reached => reached,
    };
    let listeners = reached
        .iter()
        .map(|reached| listener(crm, &wish, reached, audit))
        .collect();
    let setup = Setup {
        ledger: wish.ledger.clone(),
        portal: None,
        listeners,
        admin: ([127, 0, 0, 1], 0).into(),
        policy,
        log,
        stop_timeout: Duration::from_secs(10),
        sinks: paravent::sinks::Plan::default(),
        reload: None,
    };
    Proxy::start(setup).await.unwrap()
}

fn listener(crm: SocketAddr, wish: &Wish, reached: &Reached, audit: &Path) -> ListenerSetup {
    ListenerSetup {
        ways: reached.ways.clone(),
        service: reached.service.clone(),
        upstream: "crm".into(),
        name: "crm".to_owned(),
        bind: ([127, 0, 0, 1], 0).into(),
        tls: reached.tls.clone(),
        tls_files: None,
        destination: Destination {
            scheme: if wish.crm_tls.is_some() {
                Scheme::HTTPS
            } else {
                Scheme::HTTP
            },
            authority: match &wish.crm_tls {
                Some((_, name)) => format!("{name}:{}", crm.port()).parse().unwrap(),
                None => crm.to_string().parse().unwrap(),
            },
            prefix: String::new(),
            roots: wish.crm_tls.as_ref().map(|(roots, _)| roots.clone()),
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: wish.first_byte,
            total_timeout: wish.total,
        },
        schemas: wish
            .dialects
            .iter()
            .map(|dialect| Arc::new(live(dialect, wish.learn, &audit.join("state/schema"))))
            .collect(),
        settings: Settings {
            bounds: Bounds {
                page_max: 1_000,
                bulk_parts_max: 100,
                depth_max: 128,
            },
            secrets_in_query: wish.v4_get,
            limits: filter::Limits {
                record_bytes_max: wish.record_bytes_max,
                text_bytes_max: wish.text_bytes_max,
                depth_max: 128,
            },
            held_bytes_max: wish.held_bytes_max,
            held_bytes_total_max: 256 << 20,
            stream_large_replies: true,
            logins_per_minute: wish.logins_per_minute.try_into().unwrap(),
            requests_per_minute: wish.requests_per_minute.try_into().unwrap(),
            refused_predicates_per_hour: wish.refused_predicates_per_hour.try_into().unwrap(),
        },
        limits: Limits {
            request_bytes_max: wish.request_bytes_max,
            request_bytes_total_max: 256 << 20,
            connections_max: 1_000,
            requests_max: wish.requests_max,
            head_timeout: wish.head_timeout,
            body_timeout: wish.body_timeout,
            idle_timeout: wish.idle_timeout,
            door: Door {
                hosts: Vec::new(),
                credential_headers: wish
                    .dialects
                    .iter()
                    .flat_map(|dialect| dialect.head_form().credentials.clone())
                    .collect(),
                front_headers: Vec::new(),
                control_headers: wish
                    .dialects
                    .iter()
                    .flat_map(|dialect| dialect.head_form().controls.clone())
                    .collect(),
                trusted_proxies: wish
                    .trusted_proxies
                    .iter()
                    .map(|network| network.parse().unwrap())
                    .collect(),
            },
        },
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn bytes_of_request_line(raw: &[u8]) -> &[u8] {
    raw.split(|byte| *byte == b'\r').next().unwrap_or_default()
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path))
        } else {
            files.push(path)
        }
    }
    files
}

static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

/// What was logged so far, by all worlds of this process.
pub fn logged() -> String {
    let log = LOG.get().map(|log| log.lock().unwrap().clone());
    String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
}

/// Everything that the library logs in this process, at its most talkative.
fn capture_log() {
    struct Tap(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Tap {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    LOG.get_or_init(|| {
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let tap = log.clone();
        let ours = Targets::new().with_target("paravent", LevelFilter::TRACE);
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || Tap(tap.clone()));
        let _ = tracing_subscriber::registry()
            .with(ours)
            .with(lines)
            .try_init();
        log
    });
}

/// All events of a log, in order and in full.
pub fn events_of(audit: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    let summary = paravent::audit::events(audit, &mut |found| {
        all.push(found.json());
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((summary.unreadable_lines, summary.later_lines), (0, 0));
    all
}

/// The headers that a reply may have.
const HEADERS: &[&str] = &[
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "paravent-decision",
    "paravent-limit",
    "paravent-step-up",
    "paravent-withheld",
    "retry-after",
    "transfer-encoding",
    "www-authenticate",
    "x-content-type-options",
];
