//! Whole exchanges: raw bytes of a caller through a proxy before the demo's CRM, and raw bytes of a CRM through a proxy
//! to a caller.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use http::uri::Scheme;

use crate::audit::{Durability, Log, Options};
use crate::config;
use crate::demo::{self, Crm};
use crate::dialect::Dialect;
use crate::dialect::sugar_rest;
use crate::identity::Ways;
use crate::pipeline::LiveSchema;
use crate::policy::Policy;
use crate::proxy::{ListenerSetup, Proxy, Setup, limits, settings};
use crate::transport::Destination;

/// A proxy that runs as long as the process.
struct Stage {
    proxy: SocketAddr,
    admin: SocketAddr,
    /// A session of somebody in sales.
    token: String,
    /// What sales may never see.
    secrets: Vec<String>,
    _runtime: tokio::runtime::Runtime,
    _proxy: Proxy,
    _audit: tempfile::TempDir,
}

/// Where a fuzzed request says `TOKEN`, a session stands.
const TOKEN: &[u8] = b"TOKEN";
const LOGIN: &str =
    r#"{"grant_type":"password","client_id":"sugar","username":"NAME","password":"demo"}"#;

/// Raw bytes of a caller: whatever they are, nothing that is hidden comes back, and nothing fails inside.
pub(super) fn request(bytes: &[u8]) {
    static STAGE: LazyLock<Stage> = LazyLock::new(before_the_demo);
    let stage = &*STAGE;
    let mut filled = Vec::new();
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, TOKEN) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(stage.token.as_bytes());
        rest = &rest[at + TOKEN.len()..];
    }
    filled.extend_from_slice(rest);
    let reply = speak(stage.proxy, &filled);
    for secret in &stage.secrets {
        assert!(
            memchr::memmem::find(&reply, secret.as_bytes()).is_none(),
            "a secret leaked"
        );
    }
    stage.check(&reply);
}

/// Raw bytes of a CRM, in answer to a plain question: whatever they are, what comes back is a reply of the proxy.
pub(super) fn reply(bytes: &[u8]) {
    static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static STAGE: LazyLock<Stage> =
        LazyLock::new(|| before(puppet(&SAID), "x".to_owned(), Vec::new()));
    let stage = &*STAGE;
    bytes.clone_into(&mut SAID.lock().expect("nobody panics with it"));
    let question = b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: x\r\nConnection: close\r\n\r\n";
    let reply = speak(stage.proxy, question);
    let is_known = [
        &b"HTTP/1.1 200 OK\r\n"[..],
        b"HTTP/1.1 201 ",
        b"HTTP/1.1 202 ",
        b"HTTP/1.1 204 ",
        b"HTTP/1.1 4",
        b"HTTP/1.1 5",
    ]
    .iter()
    .any(|start| reply.starts_with(start));
    assert!(is_known, "no reply");
    let body = reply.windows(4).position(|window| window == b"\r\n\r\n");
    let body = body.map_or(&[][..], |at| &reply[at + 4..]);
    for hidden in [&b"\"religion_c\""[..], b"\"portal_password\""] {
        let is_chunked = memchr::memmem::find(&reply, b"transfer-encoding").is_some();
        assert!(
            is_chunked || memchr::memmem::find(body, hidden).is_none(),
            "shown"
        );
    }
    stage.check(&reply);
}

impl Stage {
    fn check(&self, reply: &[u8]) {
        if memchr::memmem::find(reply, b" 500 ").is_some() {
            let metrics = speak(
                self.admin,
                b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            );
            assert!(
                memchr::memmem::find(&metrics, b"paravent_panics_total").is_none(),
                "a panic"
            );
        }
    }
}

/// Sends bytes and returns what comes back.
fn speak(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut reply = Vec::new();
    let Ok(mut socket) = TcpStream::connect(address) else {
        return reply;
    };
    let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = socket.write_all(bytes);
    let _ = socket.read_to_end(&mut reply);
    reply
}

/// A CRM that says to every question what `said` holds, and knows the caller.
fn puppet(said: &'static Mutex<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut head = [0; 4_096];
            let count = socket.read(&mut head).unwrap_or(0);
            let answer = if memchr::memmem::find(&head[..count], b"/me ").is_some() {
                let body = r#"{"current_user":{"type":"user","id":"1","user_name":"sally","roles":["Sales"],"my_teams":[]}}"#;
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
            } else {
                said.lock().expect("nobody panics with it").clone()
            };
            let _ = socket.write_all(&answer);
        }
    });
    address
}

fn before_the_demo() -> Stage {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .expect("a port");
    let crm = listener.local_addr().expect("an address");
    runtime.spawn(demo::serve(
        listener,
        Arc::new(Crm::invent(7)),
        std::future::pending(),
    ));
    // The demo runs as long as the process.
    std::mem::forget(runtime);
    let admin = log_in(crm, "admin");
    let page = ask(crm, &admin, "/rest/v11_24/Contacts?max_num=200");
    let contacts: serde_json::Value = serde_json::from_slice(&page).expect("contacts");
    let secrets = contacts["records"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|contact| [&contact["nir_c"], &contact["health_notes_c"]])
        .filter_map(|value| value.as_str())
        .filter(|text| text.len() >= 12)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    assert!(secrets.len() > 20, "the demo has secrets");
    let mut stage = before(crm, String::new(), secrets);
    stage.token = log_in(stage.proxy, "sally");
    stage
}

fn body_of(reply: Vec<u8>) -> Vec<u8> {
    let at = reply.windows(4).position(|window| window == b"\r\n\r\n");
    at.map(|at| reply[at + 4..].to_vec()).unwrap_or_default()
}

fn log_in(address: SocketAddr, name: &str) -> String {
    let body = LOGIN.replace("NAME", name);
    let request = format!(
        "POST /rest/v11_24/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let reply = body_of(speak(address, request.as_bytes()));
    let reply: serde_json::Value = serde_json::from_slice(&reply).expect("tokens");
    reply["access_token"].as_str().expect("a token").to_owned()
}

fn ask(address: SocketAddr, token: &str, target: &str) -> Vec<u8> {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nOAuth-Token: {token}\r\nConnection: close\r\n\r\n"
    );
    body_of(speak(address, request.as_bytes()))
}

fn before(crm: SocketAddr, token: String, secrets: Vec<String>) -> Stage {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let audit = tempfile::tempdir().expect("a folder");
    let (policy, _) = Policy::compile(
        &demo::policy_sources(),
        &[sugar_rest::described().schema().clone()],
        b"a key for fuzzers that nobody has",
    );
    let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(sugar_rest::described())];
    let live = |dialect: &Arc<dyn Dialect>| Arc::new(LiveSchema::fixed("crm", dialect.clone()));
    let live = dialects.iter().map(live).collect();
    let many = NonZeroU32::MAX;
    let wait = Duration::from_secs(1);
    // Most of what is fuzzed is not whole, and nobody wants to wait for the rest.
    let patience = Duration::from_millis(50);
    let configured = config::Limits {
        requests_per_minute: many,
        refused_predicates_per_hour: many,
        logins_per_minute: many,
        head_timeout: patience,
        body_timeout: patience,
        idle_timeout: patience,
        ..config::Limits::default()
    };
    let setup = Setup {
        listeners: vec![ListenerSetup {
            ways: Ways::default(),
            service: None,
            name: "fuzzed".to_owned(),
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            tls_files: None,
            upstream: "fuzzed".into(),
            destination: Destination {
                scheme: Scheme::HTTP,
                authority: crm.to_string().parse().expect("an authority"),
                prefix: String::new(),
                roots: None,
                connect_timeout: wait,
                first_byte_timeout: wait,
                total_timeout: wait,
            },
            limits: limits(&configured, &[], &[], &dialects),
            schemas: live,
            settings: settings(&configured, 1_000, false),
        }],
        admin: (Ipv4Addr::LOCALHOST, 0).into(),
        policy: Arc::new(policy.expect("the demo's policy compiles")),
        log: Log::open(Options {
            durability: Durability::Relaxed(Duration::from_secs(5)),
            ..Options::new(audit.path(), &audit.path().join("state"))
        })
        .expect("a log"),
        stop_timeout: wait,
        reload: None,
        ledger: None,
        portal: None,
        sinks: crate::sinks::Plan::default(),
    };
    let proxy = runtime.block_on(Proxy::start(setup)).expect("a proxy");
    Stage {
        proxy: proxy.addresses[0],
        admin: proxy.admin,
        token,
        secrets,
        _runtime: runtime,
        _proxy: proxy,
        _audit: audit,
    }
}
