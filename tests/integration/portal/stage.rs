//! A portal on a real socket, with a ledger, a folder of mails and a clock that is set.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use paravent::config::{Config, MailWay};
use paravent::consent::{PolicyTerms, Signer};
use paravent::ledger::{self, Clock, Ledger, PersonKeys, Place};
use paravent::metrics::Metrics;
use paravent::notify::{Mailer, Postman};
use paravent::portal::{Parts, Portal};
use paravent::proxy::limits;
use paravent::reload::Candidate;
use paravent::server::PortalFront;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::harness::binary::secret;
use crate::harness::client::{self, Request, Response};

/// A policy with a purpose of each sort.
pub const RULES: &str = r#"policy: small
organisation: { name: "Example & Co", country: FR, address: "1 rue de la Paix, Paris", dpo: dpo@example.com, authority: { name: CNIL, url: "https://www.cnil.fr" }, languages: [fr, en] }
texts: { letter: { version: "3", en: I want the letter., fr: Je veux la lettre. } }
people: { Contacts: { kind: customer, email: email } }
roles:
  sales: { from: { crm.role: "Sales" }, default_purpose: support }
purposes:
  marketing: { legal_basis: legitimate-interest, roles: [sales], honour_objection: true }
  newsletter: { label: { en: Monthly letter, fr: Lettre mensuelle }, legal_basis: consent, roles: [sales], consent: { proof: double-opt-in, max_age: 3y, text: letter } }
  support: { legal_basis: contract, roles: [sales] }
grants:
  - { name: base, roles: sales, data: [identity.name, contact], level: clear }
classify:
  Contacts:
    email: contact.email
    last_name: identity.name
"#;

/// RFC 8410, section 10.3.
pub const SIGNS: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

/// What stands in no file and no answer.
pub const CANARY: &str = "canary.person";

pub struct Stage {
    folder: tempfile::TempDir,
    pub runtime: tokio::runtime::Runtime,
    pub ledger: Arc<Ledger>,
    pub address: SocketAddr,
    ahead: Arc<AtomicI64>,
    stop: watch::Sender<bool>,
}

/// Lays out an installation.
pub fn install(folder: &Path, portal: &str) -> PathBuf {
    fs::create_dir(folder.join("policies")).unwrap();
    fs::write(folder.join("policies/rules.yaml"), RULES).unwrap();
    secret(&folder.join("token.key"), b"0123456789abcdef");
    secret(&folder.join("person.key"), &[7; 32]);
    secret(&folder.join("receipts.pem"), SIGNS.as_bytes());
    let (all, show) = (sha256("all-rights"), sha256("may-show"));
    let text = format!(
        "listeners:\n  - {{ name: crm, bind: \"127.0.0.1:0\", upstream: sugar }}\n\
         admin: {{ bind: \"127.0.0.1:0\" }}\n\
         upstreams:\n  sugar: {{ url: \"http://127.0.0.1:9\", dialects: [sugar-rest] }}\n\
         policies: policies\n\
         keys: {{ token: {{ file: token.key }}, person: [{{ file: person.key }}], receipts: {{ file: receipts.pem }} }}\n\
         audit: {{ dir: log }}\nstate: {{ dir: kept }}\n\
         portal:\n  bind: \"{portal}\"\n  url: http://127.0.0.1:8446\n  return_to: [\"https://www.example.com/\"]\n\
         \x20 api:\n    - {{ name: website, sha256: {all}, may: [request, record, withdraw, show] }}\n\
         \x20   - {{ name: reader, sha256: {show}, may: [show] }}\n\
         mail: {{ dir: mail, from: \"Example <privacy@example.com>\" }}\n"
    );
    let path = folder.join("paravent.yaml");
    fs::write(&path, text).unwrap();
    path
}

pub fn sha256(text: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    paravent::hex::hex(hash.as_ref())
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = install(folder.path(), "127.0.0.1:0");
        let (config, found) = Config::load(&path);
        let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
        let (candidate, found) = Candidate::at_start(&config, None);
        let candidate = candidate.unwrap_or_else(|| panic!("{}", found.render(false)));
        let terms = Arc::new(PolicyTerms::of(&candidate.policy));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let told = ahead.clone();
        let clock = Clock::telling(move || {
            Timestamp::now() + SignedDuration::from_secs(told.load(Ordering::SeqCst))
        });
        let settings = ledger::Settings {
            place: Place::Folder(folder.path().join("kept")),
            keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
            bytes_max: 1 << 30,
            clock: clock.clone(),
        };
        let ledger = Arc::new(runtime.block_on(Ledger::open(settings)).unwrap());
        let metrics = Metrics::new("small", "sha256:0").unwrap();
        let postman = Postman::default();
        let mail = config.mail.clone().unwrap();
        assert!(matches!(mail.way, MailWay::Folder(_)));
        let settings = config.portal.clone().unwrap();
        let portal = Portal::new(Parts {
            settings: settings.clone(),
            upstreams: BTreeSet::from(["sugar".to_owned()]),
            ledger: ledger.clone(),
            terms: Box::new(move || terms.clone()),
            postman: postman.clone(),
            signer: Some(Signer::read(SIGNS.as_bytes()).unwrap()),
            metrics: metrics.mails.clone(),
            clock,
        });
        let local: Vec<ipnet::IpNet> = vec!["127.0.0.9/32".parse().unwrap()];
        let front = PortalFront::new(portal, limits(&config.limits, &[], &local, &[]));
        let (stop, stopped) = watch::channel(false);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(Arc::new(front).serve(listener, None, stopped.clone()));
        let mailer = Mailer::new(&mail).unwrap();
        runtime.spawn(mailer.run(ledger.clone(), metrics.mails.clone(), postman, stopped));
        Self {
            folder,
            runtime,
            ledger,
            address,
            ahead,
            stop,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets time pass.
    pub fn pass(&self, span: SignedDuration) {
        self.ahead.fetch_add(span.as_secs(), Ordering::SeqCst);
    }

    pub fn get(&self, target: &str) -> Response {
        self.send(&Request {
            method: "GET",
            target,
            ..Request::default()
        })
    }

    /// Sends a form, as somebody with an address of their own.
    pub fn form(&self, target: &str, form: &str) -> Response {
        self.form_from(target, form, None)
    }

    pub fn form_from(&self, target: &str, form: &str, origin: Option<&str>) -> Response {
        let mut headers = vec![(
            "Content-Type",
            "application/x-www-form-urlencoded".to_owned(),
        )];
        headers.extend(origin.map(|origin| ("Origin", origin.to_owned())));
        self.send(&Request {
            method: "POST",
            target,
            headers,
            body: Some(form.as_bytes().to_vec()),
        })
    }

    pub fn send(&self, request: &Request<'_>) -> Response {
        checked(client::raw(self.address, &request.bytes("127.0.0.1:8446")))
    }

    /// The same, from another address.
    pub fn send_from(&self, source: &str, request: &Request<'_>) -> Response {
        let source: IpAddr = source.parse().unwrap();
        let bytes = request.bytes("127.0.0.1:8446");
        checked(client::raw_from(source, self.address, &bytes))
    }

    /// Asks for something with a key.
    pub fn api(&self, target: &str, key: &str, body: &Value, extra: &[(&str, &str)]) -> Response {
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("Authorization", format!("Bearer {key}")),
        ];
        headers.extend(
            extra
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        self.send(&Request {
            method: "POST",
            target,
            headers,
            body: Some(body.to_string().into_bytes()),
        })
    }

    /// All mails, once there are so many; the oldest first.
    pub fn mails(&self, count: usize) -> Vec<String> {
        let mails = self.eventually(|mails| (mails.len() >= count).then_some(mails));
        assert_eq!(mails.len(), count);
        mails
    }

    /// What a look at all mails finds, once it finds something.
    fn eventually<T>(&self, look: impl Fn(Vec<String>) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = look(self.delivered()) {
                return found;
            }
            assert!(Instant::now() < deadline, "{:?}", self.delivered());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All mails that are there, the oldest first.
    fn delivered(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.path("mail"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|one| one == "eml"))
            .collect();
        files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let read = files.iter().map(|path| fs::read_to_string(path).unwrap());
        read.collect()
    }

    /// Waits until the outbox is empty, and so all that was begun is done.
    pub fn settle(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.runtime.block_on(self.ledger.is_due("mail")).unwrap() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks for the newsletter in somebody's name; the token of the mail's link.
    pub fn asked(&self, address: &str) -> String {
        let to = format!("To: {address}\r\n");
        let theirs = |mails: Vec<String>| {
            let theirs = mails.into_iter().filter(|mail| mail.contains(&to));
            theirs.collect::<Vec<_>>()
        };
        let before = theirs(self.delivered()).len();
        let form = format!("email={address}&purpose=newsletter&language=en&source=website");
        assert_eq!(self.form("/consent/requests", &form).status, 202);
        let mail = self.eventually(|mails| theirs(mails).into_iter().nth(before));
        token(&mail, "/consent/confirm")
    }

    /// The standing of somebody for a purpose, as a program is told.
    pub fn standing(&self, address: &str, purpose: &str) -> Value {
        let body = serde_json::json!({ "email": address, "purpose": purpose });
        let told = self.api("/api/v1/consent/standing", "may-show", &body, &[]);
        assert_eq!(told.status, 200, "{}", told.text());
        told.json()["purposes"][purpose].clone()
    }

    /// Events of the ledger.
    pub fn events(&self) -> usize {
        self.runtime
            .block_on(self.ledger.events_after(0))
            .unwrap()
            .len()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// No answer of the portal may be kept, framed, run something or say where somebody came from; none names the person.
fn checked(response: Response) -> Response {
    for (name, expected) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(response.header(name), Some(expected), "{response:?}");
    }
    assert_eq!(response.header("set-cookie"), None);
    let text = response.text();
    assert!(!text.contains(CANARY), "{text}");
    if response.header("content-type") == Some("text/html; charset=utf-8") {
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(policy.ends_with("; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
        for refused in ["<script", " style=", " onclick", "javascript:"] {
            assert!(!text.contains(refused), "{refused}: {text}");
        }
    }
    response
}

/// What a page in English carries of the text that it has shown.
pub fn seen() -> String {
    format!("text=letter@3:en:{}", sha256("I want the letter."))
}

/// The token of the link that stands alone on a line.
pub fn token(mail: &str, path: &str) -> String {
    let start = format!("http://127.0.0.1:8446{path}?t=");
    let lines = mail.lines().filter_map(|line| line.strip_prefix(&*start));
    let tokens: Vec<&str> = lines.collect();
    assert_eq!(tokens.len(), 1, "{mail}");
    tokens[0].trim_end().to_owned()
}
