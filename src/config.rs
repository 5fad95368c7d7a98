//! What the operator wrote in the server configuration, checked: addresses, the CRM, folders, secrets, bounds.
//!
//! Nothing in it decides who sees what; that is the policy. Paths are relative to the configuration's folder. Secrets
//! are read from files or environment variables that it names, never written in it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Scheme};
use ipnet::IpNet;

use crate::diagnostic::{Diagnostics, Place, Spanned, load};
use crate::dialect::Dialect;
use crate::files::Group;

mod api_keys;
mod audit;
mod claim_paths;
mod clients;
pub mod codes;
mod files;
mod front;
mod identity;
mod issuers;
mod limits;
mod listeners;
mod mail;
mod networks;
mod portal;
mod read;
mod reload;
mod secrets;
mod service;
mod state;
mod upstream;

pub use api_keys::ApiKeys;
pub use audit::{FACILITIES, Peer, PeerTls, Receiver, Sink, SinkFormat, SinkFrom};
pub use audit::{Publish, PublishTo};
pub use claim_paths::{ClaimPath, ClaimPaths};
pub use clients::Clients;
pub use front::TrustedFront;
pub use identity::{Identity, Way};
pub use issuers::{
    Algorithm, Issuer, KEYS_BYTES_MAX, KEYS_DEPTH_MAX, KeySource, plain_type, safe_url,
};
pub use mail::{Mail, MailWay, SUBMISSIONS, Smtp};
pub use networks::network;
pub use portal::{ApiClient, MAY, May, Portal};
pub use reload::{Once, Reload};
pub use secrets::Secret;
pub use service::{Proof, Service};
pub use state::Postgres;

/// A server configuration that was checked. Made only by [`Config::load`].
#[derive(Debug)]
pub struct Config {
    /// Where callers are served; at least one.
    pub listeners: Vec<Listener>,
    /// Where health and metrics are; never a listener's address. Default: `127.0.0.1:9180`.
    pub admin: SocketAddr,
    /// Where that stands, if it is not the default.
    pub admin_place: Option<Place>,
    /// Who issues proofs that listeners accept besides sessions of the CRM.
    pub identity: Identity,
    /// The CRMs, by the names that listeners use; at least one.
    pub upstreams: BTreeMap<String, Upstream>,
    /// The folder of the policy.
    pub policies: PathBuf,
    /// The access log.
    pub audit: Audit,
    /// The folder of what is kept over restarts, beside the access log. Default: `state` beside the log's folder, at the
    /// place of that.
    pub state: Spanned<PathBuf>,
    /// The database that nodes share, in place of files in that folder. Default: none.
    pub postgres: Option<Postgres>,
    /// Bytes of memory that standings of the consent ledger may take. Default: 512 MiB.
    pub ledger_bytes_max: u64,
    /// Where persons confirm and change what they agree to. Default: nowhere.
    pub portal: Option<Portal>,
    /// How mails to persons leave. There is one where there is a portal.
    pub mail: Option<Mail>,
    /// Bounds.
    pub limits: Limits,
    /// The log for operators.
    pub log: Log,
    /// Host names that are answered, in lower case and without a port; empty for any, which is the default.
    pub hosts: Vec<String>,
    /// Whether a whole policy may only observe. Default: no.
    pub observe: bool,
    /// How long a stop waits for requests to end. Default: 30 s.
    pub stop_timeout: Duration,
    /// What becomes of files that change while they are in use.
    pub reload: Reload,
    /// Itself, and files that it names, which count as they were when it was read, until the next start.
    pub read_once: Vec<Once>,
    secrets: Secrets,
}

/// An address at which callers are served.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name, for messages and metrics.
    pub name: String,
    /// The address.
    pub bind: Spanned<SocketAddr>,
    /// The name of the CRM behind it.
    pub upstream: String,
    /// TLS; without it, callers' credentials travel in clear. Default: none.
    pub tls: Option<Tls>,
    /// The ways in which callers may prove who they are, each once. Default: sessions of the CRM.
    pub ways: Vec<Way>,
    /// The networks of proxies before this listener that say where a request came from, in `X-Forwarded-For`. Never
    /// everybody. Default: none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether calls of SuiteCRM's legacy API may stand in the query string, sessions and passwords included, where every
    /// log on the way keeps them. Default: no.
    pub v4_get: bool,
}

/// The files of a TLS server. Both were read once and hold what they should.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate chain (PEM).
    pub certificate: Spanned<PathBuf>,
    /// The private key (PEM).
    pub key: Spanned<PathBuf>,
    /// Whose client certificates are asked for. Default: nobody's.
    pub clients: Option<Clients>,
}

/// A CRM.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where its URL stands.
    pub place: Place,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and perhaps port.
    pub authority: Authority,
    /// The path below which requests go: blank, or starting with `/` and not ending with it.
    pub prefix: String,
    /// The dialects that it speaks; at least one, their paths disjoint.
    pub dialects: Vec<Arc<dyn Dialect>>,
    /// The schema files, of which the dialects know already.
    pub schemas: Vec<Spanned<PathBuf>>,
    /// Whether the schema grows by what the CRM says of its own data.
    pub learn: bool,
    /// Rows of one reply; a larger wish is clamped. Default: 1000.
    pub page_max: u32,
    /// How long the CRM may take.
    pub timeouts: Timeouts,
    /// A file of further root certificates (PEM). Default: only the system's.
    pub ca: Option<PathBuf>,
    /// The proxy's own account, for callers who have no session of this CRM. Default: none.
    pub service: Option<Service>,
}

/// How long a CRM may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection is made. Default: 2 s.
    pub connect: Duration,
    /// Until the head of the response. Default: 20 s.
    pub first_byte: Duration,
    /// Until the end of the response. Default: 60 s.
    pub total: Duration,
}

/// The access log.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Its folder.
    pub dir: Spanned<PathBuf>,
    /// When an event counts as written. Default: strict.
    pub durability: Durability,
    /// The name of this process among those of one installation. Default: `paravent`.
    pub node: String,
    /// How long events are kept. Default: for ever.
    pub keep: Option<Duration>,
    /// Bytes that its folder may take. Default: what the disk has.
    pub max_bytes: Option<u64>,
    /// The group that may read it. Default: none.
    pub group: Option<Spanned<Group>>,
    /// To whom its events are carried. Default: nobody.
    pub sinks: Vec<Sink>,
    /// Whether the report on unusual days may be made, for the security of the data: it watches employees. Default: no.
    pub watches_for_security: bool,
    /// Where signed checkpoints are published. Default: nowhere.
    pub publish: Vec<Publish>,
}

/// When an event of the access log counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk: `strict`.
    Strict,
    /// When the system has it; it is on disk at most this much later: `relaxed: 50ms`.
    Relaxed(Duration),
}

/// Bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body. Default: 1 MiB.
    pub request_bytes_max: usize,
    /// Bytes of a reply that are held back until it is complete. Default: 8 MiB.
    pub held_bytes_max: usize,
    /// The same, over all requests. Default: 256 MiB.
    pub held_bytes_total_max: usize,
    /// Bytes of one record of a reply. Default: 1 MiB.
    pub record_bytes_max: usize,
    /// Bytes of a text in which identifiers and statements are looked for. Default: 1 MiB.
    pub text_bytes_max: usize,
    /// Nesting of JSON. Default: 128.
    pub depth_max: usize,
    /// Parts of one bulk request. Default: 50.
    pub bulk_parts_max: usize,
    /// Open connections of one listener. Default: 4096.
    pub connections_max: usize,
    /// Requests that one listener answers at once. Default: 512.
    pub requests_max: usize,
    /// Requests of one caller in a minute. Default: 600,000, which stops only what runs away.
    pub requests_per_minute: NonZeroU32,
    /// Refused predicates of one caller in an hour. Default: 60.
    pub refused_predicates_per_hour: NonZeroU32,
    /// Logins that the CRM refuses, of one origin and for one account; and sessions that it does not know, of one origin.
    /// Default: 30.
    pub logins_per_minute: NonZeroU32,
    /// Until a request's head has arrived. Default: 10 s.
    pub head_timeout: Duration,
    /// Until a request's body has arrived. Default: 30 s.
    pub body_timeout: Duration,
    /// How long a connection may be silent. Default: 75 s.
    pub idle_timeout: Duration,
    /// What becomes of replies larger than `held_bytes_max`. Default: they stream.
    pub large_replies: LargeReplies,
}

/// What becomes of replies that are larger than what is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargeReplies {
    /// They stream, after a durable `opened` event that reports the most they may disclose.
    Stream,
    /// They are refused.
    Refuse,
}

/// The log for operators, on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its form. Default: text.
    pub format: LogFormat,
    /// The least severe entry that is written: `error`, `warn`, `info`, `debug`, `trace`. Default: `info`.
    pub level: &'static str,
}

/// The form of the log for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What Paravent keeps to itself: the section `keys`.
#[derive(Debug)]
struct Secrets {
    readable_by_all: bool,
    token: Secret,
    api: Option<Secret>,
    /// What signs checkpoints of the access log.
    audit: Vec<Secret>,
    /// Under what the consent ledger keeps persons.
    person: Vec<Secret>,
    /// What signs receipts.
    receipts: Option<Secret>,
    keys_place: Place,
}

impl Config {
    /// Where health and metrics are, if the configuration does not say.
    pub const ADMIN_DEFAULT: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9180);

    /// How long a stop waits, if the configuration does not say.
    pub const STOP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

    /// Reads a configuration and everything that it names, but for the policy. It comes out only if nothing is an error.
    pub fn load(path: &Path) -> (Option<Self>, Diagnostics) {
        let mut found = Diagnostics::new();
        let once = Once::of(path);
        let Some(file) = load(path, codes::UNREADABLE, &mut found) else {
            return (None, found);
        };
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let config = read::read(&file, folder, once, &mut found);
        if found.has_errors() {
            return (None, found);
        }
        (config, found)
    }

    /// Whether everybody on the machine may read the files of secrets: `keys.readable_by_all`. Default: no.
    pub fn are_secrets_readable_by_all(&self) -> bool {
        self.secrets.readable_by_all
    }

    /// The key of the tokens that stand in for values: at least 16 bytes.
    pub fn token_key(&self) -> &[u8] {
        self.secrets.token.bytes()
    }

    /// The file of that key, if it is read from one.
    pub fn token_key_file(&self) -> Option<&Spanned<PathBuf>> {
        self.secrets.token.file()
    }

    /// The key under which API keys are kept: at least 16 bytes. There is one where there are API keys.
    pub fn api_key(&self) -> Option<&[u8]> {
        self.secrets.api.as_ref().map(Secret::bytes)
    }

    /// The keys that sign checkpoints of the access log, each with what its file holds; the first signs.
    pub fn audit_keys(&self) -> &[Secret] {
        &self.secrets.audit
    }

    /// The keys under which the consent ledger keeps persons, of 32 bytes or more; the first writes, both find. Default: none.
    pub fn person_keys(&self) -> &[Secret] {
        &self.secrets.person
    }

    /// The key that signs receipts, as its file holds it. Default: none.
    pub fn receipts_key(&self) -> Option<&[u8]> {
        self.secrets.receipts.as_ref().map(Secret::bytes)
    }

    /// Where the section `keys` stands.
    pub fn keys_place(&self) -> &Place {
        &self.secrets.keys_place
    }

    /// The file of that key, if it is read from one.
    pub fn api_key_file(&self) -> Option<&Spanned<PathBuf>> {
        self.secrets.api.as_ref()?.file()
    }
}

impl Upstream {
    /// Rows of one reply, if the configuration does not say.
    pub const PAGE_MAX_DEFAULT: u32 = 1000;
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            first_byte: Duration::from_secs(20),
            total: Duration::from_secs(60),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes_max: 1 << 20,
            held_bytes_max: 8 << 20,
            held_bytes_total_max: 256 << 20,
            record_bytes_max: 1 << 20,
            text_bytes_max: 1 << 20,
            depth_max: 128,
            bulk_parts_max: 50,
            connections_max: 4096,
            requests_max: 512,
            requests_per_minute: NonZeroU32::MIN.saturating_add(599_999),
            refused_predicates_per_hour: NonZeroU32::MIN.saturating_add(59),
            logins_per_minute: NonZeroU32::MIN.saturating_add(29),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            large_replies: LargeReplies::Stream,
        }
    }
}

#[cfg(test)]
mod tests;
