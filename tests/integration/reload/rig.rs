//! A proxy in this process that was started from a configuration, and whose files a test changes.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use paravent::audit::{By, Log};
use paravent::config::Config;
use paravent::identity::Authorities;
use paravent::proxy::{Configured, Proxy, log_options};
use paravent::reload::{Candidate, Handle, INTERVAL, Outcome, Report, Suites};
use serde_json::Value;

use crate::harness::binary;
use crate::harness::client::{self, Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::events_of;

/// What a policy shows of a contact: the level of names, and that of phones.
pub type Levels = (&'static str, &'static str);

/// Two policies, and what would be neither: half of the one and half of the other.
pub const A: Levels = ("clear", "redact");
pub const B: Levels = ("redact", "clear");

/// How often is looked in tests that do not ask.
pub const OFTEN: Duration = Duration::from_millis(20);

/// The files of a policy. It is whole only with both.
pub fn files((names, phones): Levels) -> [(&'static str, String); 2] {
    let grant = |name: &str, data: &str, level: &str| {
        format!("grants:\n  - {{ name: {name}, roles: sales, data: {data}, level: {level} }}\n")
    };
    [
        (
            "names.yaml",
            format!(
                "policy: alternating\nroles: {{ sales: {{ from: {{ crm.role: Sales }}, default_purpose: contract }} }}\n\
                 purposes: {{ contract: {{ legal_basis: contract, roles: [sales] }} }}\n\
                 classify:\n  Contacts: {{ id: technical.id, first_name: identity.name, phone_work: contact.phone }}\n{}  - {{ name: ids, roles: sales, data: technical, level: clear }}\n",
                grant("names", "identity.name", names)
            ),
        ),
        ("phones.yaml", grant("phones", "contact.phone", phones)),
    ]
}

pub fn write(folder: &Path, levels: Levels) {
    for (name, text) in files(levels) {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// The hash that the policy has.
pub fn hash(levels: Levels) -> String {
    let sources = files(levels).map(|(name, text)| paravent::policy::Source {
        path: name.to_owned(),
        text,
    });
    paravent::policy::Policy::hash_of(&sources)
}

pub struct Rig {
    pub dir: tempfile::TempDir,
    _crm: Scripted,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub handle: Handle,
    proxy: Option<Proxy>,
    runtime: tokio::runtime::Runtime,
}

/// What a test changes of the usual configuration.
#[derive(Default)]
pub struct Wish {
    /// Further lines of the upstream's section.
    pub upstream: &'static str,
    /// Further keys of the listener.
    pub listener: &'static str,
    /// Further sections.
    pub sections: &'static str,
    pub every: Option<Duration>,
    pub suites: Option<Arc<dyn Suites>>,
}

pub fn contact() -> Vec<u8> {
    scripted::json(
        200,
        br#"{"id":"c-1","_module":"Contacts","first_name":"Odile","phone_work":"0123456789"}"#,
    )
}

pub fn answer(request: &Received) -> Vec<u8> {
    match request.line.contains("/me ") {
        true => scripted::me("sally", "Sales"),
        false => contact(),
    }
}

impl Rig {
    pub fn start(wish: Wish) -> Self {
        Self::before(Scripted::start(answer), wish, |_| {})
    }

    /// Before a CRM, in a folder to which a test adds.
    pub fn before(crm: Scripted, wish: Wish, prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        binary::secret(&path.join("token.key"), b"0123456789abcdef");
        fs::create_dir(path.join("policies")).unwrap();
        write(&path.join("policies"), A);
        prepare(path);
        let text = format!(
            "listeners:\n  - {{ name: crm, bind: \"127.0.0.1:0\", upstream: crm{} }}\nadmin: {{ bind: \"127.0.0.1:0\" }}\n\
             upstreams:\n  crm: {{ url: \"http://{}\", dialects: [sugar-rest], timeouts: {{ connect: 30s, first_byte: 60s, total: 2m }}{} }}\n\
             policies: policies\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit }}\nlimits: {{ held_bytes_max: 64KiB }}\n{}",
            wish.listener, crm.address, wish.upstream, wish.sections
        );
        fs::write(path.join("paravent.yaml"), text).unwrap();
        let (config, found) = Config::load(&path.join("paravent.yaml"));
        let config = Arc::new(config.unwrap_or_else(|| panic!("{}", found.render(false))));
        let (began, found) = Candidate::at_start(&config, wish.suites.as_deref());
        let began = began.unwrap_or_else(|| panic!("{}", found.render(false)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let proxy = runtime.block_on(async {
            let authorities = Authorities::new(&config).unwrap();
            let log = Log::open(log_options(&config)).unwrap();
            let configured = Configured {
                config,
                began,
                authorities: &authorities,
                suites: wish.suites,
                every: wish.every.unwrap_or(INTERVAL * 1_000),
            };
            let listeners = configured.listeners().unwrap();
            Proxy::start(configured.set_up(listeners, log, None, None))
                .await
                .unwrap()
        });
        Self {
            _crm: crm,
            address: proxy.addresses[0],
            admin: proxy.admin,
            handle: proxy.reload.clone().unwrap(),
            proxy: Some(proxy),
            runtime,
            dir,
        }
    }

    pub fn policies(&self) -> PathBuf {
        self.dir.path().join("policies")
    }

    /// Looks at once.
    pub fn look(&self) -> Report {
        let look = self.handle.look(By::Signal);
        self.runtime.block_on(look).unwrap()
    }

    /// Looks in passing.
    pub fn pass(&self) -> Report {
        self.runtime.block_on(self.handle.look(By::Watch)).unwrap()
    }

    pub fn taken(&self) {
        let report = self.look();
        let why = report.diagnostics.render(false);
        assert_eq!(report.policy, Outcome::Taken, "{why}");
    }

    pub fn ask(&self) -> Response {
        ask(self.address)
    }

    pub fn events(&self) -> Vec<Value> {
        events_of(&self.dir.path().join("audit"))
    }

    /// The events with a name.
    pub fn named(&self, name: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["event"] == name);
        events
    }

    pub fn admin(&self, path: &str) -> Response {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        client::raw(self.admin, request.as_bytes())
    }

    /// The value of a metric, with its labels as they stand there.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.admin("/metrics").text();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(line.parse().unwrap())
    }

    /// The line of a part.
    pub fn part(&self, name: &str) -> String {
        let reply = self.admin("/readyz?verbose");
        assert_eq!(reply.status, 200);
        let text = reply.text();
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}: {text}"))
            .to_owned()
    }

    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(
                Instant::now() < deadline,
                "never {what}: {:?}",
                self.events()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops in order; all events.
    pub fn stop(mut self) -> Vec<Value> {
        self.end();
        self.events()
    }

    /// Stops in order.
    pub fn end(&mut self) {
        if let Some(proxy) = self.proxy.take() {
            self.runtime.block_on(proxy.stop(std::future::pending()));
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

pub fn request(target: &str) -> Request<'_> {
    Request {
        method: "GET",
        target,
        headers: vec![("OAuth-Token", "t".to_owned())],
        body: None,
    }
}

pub fn ask(address: SocketAddr) -> Response {
    client::raw(address, &request("/rest/v11/Contacts/c-1").bytes("a"))
}

/// By which policy a reply was filtered.
pub fn shown(reply: &Response) -> Levels {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let level = |field: &str| match body[field].is_string() {
        true => "clear",
        false => "redact",
    };
    (level("first_name"), level("phone_work"))
}

/// Makes what a folder holds another one, as Kubernetes does it: one link is exchanged.
pub fn publish(folder: &Path, moment: &str, levels: Levels) {
    let name = format!("..{moment}");
    fs::create_dir_all(folder.join(&name)).unwrap();
    write(&folder.join(&name), levels);
    point(folder, &name);
}

/// Points at another moment.
pub fn point(folder: &Path, name: &str) {
    let next = folder.join("..data_tmp");
    let _ = fs::remove_file(&next);
    std::os::unix::fs::symlink(name, &next).unwrap();
    fs::rename(&next, folder.join("..data")).unwrap();
}

/// Makes a folder one that Kubernetes publishes.
pub fn volume(folder: &Path, levels: Levels) {
    for (name, _) in files(levels) {
        let _ = fs::remove_file(folder.join(name));
        std::os::unix::fs::symlink(format!("..data/{name}"), folder.join(name)).unwrap();
    }
    publish(folder, "2026_01_01_00_00_00.1", levels);
}

/// A connection that stays open, over which one request after the other goes.
pub struct Kept<S>(pub S);

impl<S: Read + Write> Kept<S> {
    pub fn ask(&mut self) -> Response {
        let request = "GET /rest/v11/Contacts/c-1 HTTP/1.1\r\nHost: a\r\nOAuth-Token: t\r\n\r\n";
        self.0.write_all(request.as_bytes()).unwrap();
        let (mut raw, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            let count = self.0.read(&mut chunk).unwrap();
            assert!(
                count > 0,
                "the connection was closed: {}",
                String::from_utf8_lossy(&raw)
            );
            raw.extend_from_slice(&chunk[..count]);
            let reply = client::parse(raw.clone());
            if reply.status != 0 && reply.complete && reply.header("content-length").is_some() {
                return reply;
            }
        }
    }
}
