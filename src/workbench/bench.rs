//! One request of a case, taken through the proxy's own walk, before a CRM in memory that holds the case's records.
//!
//! The dialect says how a client would ask; the front door, the pipeline and all that it runs are those of the proxy. Only
//! four things are supposed: who asks (`identity` is told, instead of judging a proof), the way to the CRM (within the
//! process), the CRM itself, and the access log, which keeps nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::audit::{Clock, Log};
use crate::dialect::{Bounds, Dialect, Exchange, Outgoing, Session, Understood};
use crate::door::{self, Door, Head};
use crate::filter::Limits;
use crate::identity::{Supposed, SupposedProof, Ways};
use crate::json;
use crate::ledger::{Pretended, Standings};
use crate::metrics::Metrics;
use crate::pipeline::{LiveSchema, Pipeline, Services, Settings};
use crate::policy::Policy;
use crate::reason::{self, Reason};
use crate::reply::{Body, Reply};
use crate::transport::{Destination, Transport};
use crate::vocabulary::{Module, RuleName};

mod crm;
mod lay;
mod rules;
mod shown;
mod standing;

#[cfg(test)]
mod tests;

pub use crate::dialect::Ask;

use crm::Crm;

/// The key of tokens where nobody has one: with it, the same value has the same token whoever runs a test.
pub(in crate::workbench) const TOKEN_KEY: &[u8] = b"the workbench has no key of its own";

/// The proxy, and a CRM in memory behind it.
#[derive(Debug)]
pub struct Bench {
    policy: Arc<Policy>,
    dialect: Arc<dyn Dialect>,
    records: Arc<[Held]>,
    /// The same, of each of which it is told whom it is about.
    told: Vec<Held>,
    door: Door,
    /// What clocks show; `None`: the time it is.
    now: Option<Timestamp>,
    desks: Mutex<BTreeMap<Person, Arc<Desk>>>,
}

/// The proxy as one person meets it, and the CRM behind it.
#[derive(Debug)]
struct Desk {
    supposed: Supposed,
    pipeline: Pipeline,
    crm: Arc<Crm>,
    /// Held while a request walks: each finds the records as they were given.
    turn: tokio::sync::Mutex<()>,
}

/// A record that the CRM holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its module.
    pub module: Module,
    /// Its id.
    pub id: String,
    /// Its fields, as the CRM's API calls them, the id among them.
    pub fields: Map<String, Value>,
    /// What the person has said whom it is about.
    pub said: Pretended,
}

/// Who asks: what is proved of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// Roles in the CRM.
    pub crm_roles: Vec<String>,
    /// Teams in the CRM.
    pub crm_teams: Vec<String>,
    /// The user name in the CRM.
    pub crm_user: Option<String>,
    /// The kind of user in the CRM.
    pub crm_type: Option<String>,
    /// Issuer and roles of a token.
    pub token: Option<(String, Vec<String>)>,
    /// The name of an API key.
    pub key: Option<String>,
    /// The name in a client certificate.
    pub certificate: Option<String>,
    /// User and roles that an authenticating proxy told.
    pub front: Option<(String, Vec<String>)>,
    /// Strengths of authentication, by the names of the policy, taken as proved.
    pub strengths: BTreeSet<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The status of the reply.
    pub status: u16,
    /// The code of the refusal, if it was refused: `field-not-usable`.
    pub refused: Option<String>,
    /// The records of the reply as they were shown, by id: fields by their names in the CRM's API; a field that is not there
    /// was hidden, or not asked for.
    pub shown: BTreeMap<String, Map<String, Value>>,
    /// What a write sent to the CRM, if it sent anything.
    pub forwarded: Option<Map<String, Value>>,
    /// The rules that decided about what it touched.
    pub rules: BTreeSet<RuleName>,
}

/// Why a case cannot be put to a dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unasked {
    /// The API has no such request.
    #[error("`{dialect}` has no request for this: {what}")]
    NoSuchRequest { dialect: &'static str, what: String },
    /// The stages could not be put together: the system has no randomness.
    #[error("the proxy could not be set up")]
    NotSetUp,
}

impl Bench {
    /// Puts a proxy under a policy before a CRM that holds these records and speaks this dialect.
    pub fn new(policy: &Arc<Policy>, dialect: &Arc<dyn Dialect>, records: Vec<Held>) -> Self {
        let form = dialect.head_form();
        let told = standing::told(policy, &**dialect, &records);
        Self {
            told,
            policy: Arc::new(policy.keyed(TOKEN_KEY).in_schema(dialect.schema().clone())),
            dialect: dialect.clone(),
            records: records.into(),
            door: Door {
                hosts: Vec::new(),
                credential_headers: form.credentials.clone(),
                front_headers: Vec::new(),
                control_headers: form.controls.clone(),
                trusted_proxies: Vec::new(),
            },
            now: None,
            desks: Mutex::default(),
        }
    }

    /// The same at another moment than this one.
    #[must_use]
    pub fn at(self, now: Option<Timestamp>) -> Self {
        Self { now, ..self }
    }

    /// Takes one request through the walk, in a runtime of tokio whose time is enabled. Each finds the records as they were
    /// given.
    ///
    /// # Errors
    /// If the API has no such request.
    pub async fn ask(
        &self,
        person: &Person,
        purpose: Option<&str>,
        ask: &Ask,
    ) -> Result<Outcome, Unasked> {
        let no_such_request = || self.no_such_request(ask);
        let request = self.dialect.ask(ask, &BOUNDS);
        let request = request.ok_or_else(no_such_request)?;
        let exchange = self.understood(&request).ok_or_else(no_such_request)?;
        let desk = self.desk(person).ok_or(Unasked::NotSetUp)?;
        let _turn = desk.turn.lock().await;
        desk.pipeline.forget_shown();
        desk.crm.begin(self.told.clone());
        let reply = match self.knock(&request, purpose) {
            Ok(head) => {
                let body = request.body.clone().unwrap_or_default();
                desk.pipeline.handle(&head, &body).await
            }
            Err(reason) => desk.pipeline.turn_away(reason, ORIGIN),
        };
        let (forwarded, sent) = desk.crm.end();
        let (status, refused) = (reply.status(), refused(&reply));
        let shown = match refused {
            None => shown(&*exchange, reply, &sent),
            Some(_) => BTreeMap::new(),
        };
        let rules = self.rules_of(&desk, purpose, &*exchange);
        Ok(Outcome {
            status,
            refused,
            shown,
            forwarded,
            rules,
        })
    }

    fn no_such_request(&self, ask: &Ask) -> Unasked {
        let mut what = described(ask);
        let mut other = ask.clone();
        if let Ask::Read { id, .. } | Ask::Write { id, .. } = &mut other {
            ANY_ID.clone_into(id);
            if self.dialect.ask(&other, &BOUNDS).is_some() {
                what.push_str(", whose ids are of another form");
            }
        }
        Unasked::NoSuchRequest {
            dialect: self.dialect.name(),
            what,
        }
    }

    /// The head of a request, as it leaves the front door.
    fn knock(&self, request: &Outgoing, purpose: Option<&str>) -> Result<Head, Reason> {
        let mut knocking = http::Request::builder()
            .method(&request.method)
            .uri(&request.target)
            .header(HOST, AUTHORITY)
            .header(ACCEPT, request.media.accept());
        if request.body.is_some() {
            knocking = knocking.header(CONTENT_TYPE, request.media.content_type());
        }
        if let Some(purpose) = purpose {
            let purpose = HeaderValue::from_str(purpose).map_err(|_| Reason::MalformedPurpose)?;
            knocking = knocking.header("paravent-purpose", purpose);
        }
        let knocking = knocking.body(()).map_err(|_| Reason::MalformedTarget)?;
        door::enter(&knocking, ORIGIN, &self.door)
    }

    fn understood(&self, request: &Outgoing) -> Option<Box<dyn Exchange>> {
        match self.dialect.understand(&request.incoming(), &BOUNDS) {
            Ok(Understood::One(exchange)) => Some(exchange),
            _ => None,
        }
    }

    fn clock(&self) -> Clock {
        match self.now {
            Some(now) => Clock::telling(move || now),
            None => Clock::system(),
        }
    }

    fn desk(&self, person: &Person) -> Option<Arc<Desk>> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.get(person) {
            return Some(desk.clone());
        }
        let desk = Arc::new(Desk::new(
            &self.policy,
            &self.dialect,
            person,
            self.clock(),
            self.standings()?,
        )?);
        desks.insert(person.clone(), desk.clone());
        Some(desk)
    }
}

impl Desk {
    fn new(
        policy: &Policy,
        dialect: &Arc<dyn Dialect>,
        person: &Person,
        clock: Clock,
        standings: Arc<Standings>,
    ) -> Option<Self> {
        let crm = Arc::new(Crm::new(dialect.clone(), BOUNDS));
        let hosted = crm.clone();
        let destination = Destination {
            scheme: Scheme::HTTP,
            authority: Authority::from_static(AUTHORITY),
            prefix: String::new(),
            roots: None,
            connect_timeout: PATIENCE,
            first_byte_timeout: PATIENCE,
            total_timeout: PATIENCE,
        };
        let transport = Transport::within(
            destination,
            Arc::new(move |connection| Crm::host(&hosted, connection)),
        );
        let pipeline = Pipeline::new(
            (NAME.into(), transport),
            vec![Arc::new(LiveSchema::fixed(NAME, dialect.clone()))],
            policy,
            Log::nowhere(),
            Metrics::new(policy.name(), policy.hash()).ok()?,
            SETTINGS,
        );
        let supposed = person.supposed();
        let ways = Ways::supposing(&supposed);
        Some(Self {
            supposed,
            pipeline: (pipeline.ok()?)
                .reached_by(ways, None, &mut Services::new())
                .by_clock(clock)
                .asking(Some(standings)),
            crm,
            turn: tokio::sync::Mutex::default(),
        })
    }
}

impl Person {
    /// What is taken as proved. Of several ways, the one that says most of who it is: a machine's name, a token, the word of
    /// an authenticating proxy, else a session of the CRM, of which nothing more is said than stands here.
    fn supposed(&self) -> Supposed {
        let has_session = self.crm_user.is_some()
            || self.crm_type.is_some()
            || !(self.crm_roles.is_empty() && self.crm_teams.is_empty());
        let other = match (&self.key, &self.certificate, &self.token, &self.front) {
            (Some(name), ..) => Some(SupposedProof::Key(name.clone())),
            (_, Some(name), ..) => Some(SupposedProof::Certificate(name.clone())),
            (.., Some((user, roles))) => Some(SupposedProof::Front {
                user: user.clone(),
                roles: roles.clone(),
            }),
            // A token beside a session adds strength, and no roles.
            (_, _, Some((issuer, roles)), None) if !has_session => Some(SupposedProof::Token {
                issuer: issuer.clone(),
                roles: roles.clone(),
            }),
            _ => None,
        };
        let session = || Session {
            id: NAME.to_owned(),
            name: self.crm_user.clone().unwrap_or_default(),
            kind: self.crm_type.clone().unwrap_or_default(),
            roles: self.crm_roles.clone(),
            teams: self.crm_teams.clone(),
        };
        Supposed {
            proved: other.unwrap_or_else(|| SupposedProof::Session(session())),
            strengths: self.strengths.clone(),
        }
    }
}

/// The code of the refusal that a reply is.
fn refused(reply: &Reply) -> Option<String> {
    let is_error = reply.status() >= 400;
    let of_the_crm = || is_error.then(|| reason::Outcome::UpstreamError.as_str().to_owned());
    let own = reply.reason().map(|reason| reason.code().to_owned());
    own.or_else(of_the_crm)
}

/// The records that a reply shows.
fn shown(
    exchange: &dyn Exchange,
    reply: Reply,
    sent: &[String],
) -> BTreeMap<String, Map<String, Value>> {
    let bytes = match reply.into_body().0 {
        Body::Whole(whole) => whole.into_bytes(),
        // Nothing here is too large to be held.
        Body::Stream(_) => Bytes::new(),
    };
    match json::read(&bytes, BOUNDS.depth_max) {
        Ok(reply) => shown::records(&exchange.answer().shape, &reply, sent),
        Err(_) => BTreeMap::new(),
    }
}

/// What is asked, in the words of a case.
fn described(ask: &Ask) -> String {
    let module = ask.module();
    match ask {
        Ask::Read { id, .. } => format!("read `{id}` of `{module}`"),
        Ask::List { .. } => format!("list `{module}`"),
        Ask::Filter { by, .. } => format!("filter `{module}` by `{by}`"),
        Ask::Sort { by, .. } => format!("sort `{module}` by `{by}`"),
        Ask::Search { .. } => format!("search `{module}`"),
        Ask::Write { id, .. } => format!("write `{id}` of `{module}`"),
        Ask::Create { .. } => format!("create a record of `{module}`"),
    }
}

const NAME: &str = "workbench";
/// An id, whatever ids are made of.
const ANY_ID: &str = "1000001";
const AUTHORITY: &str = "workbench.invalid";
const ORIGIN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Nobody waits here for anything but this process.
const PATIENCE: Duration = Duration::from_secs(60);
const BOUNDS: Bounds = Bounds {
    page_max: 10_000,
    bulk_parts_max: 100,
    depth_max: 64,
};
const HELD_BYTES_MAX: usize = 256 << 20;
/// Bounds that no case meets: they are of traffic, and not of policies.
const SETTINGS: Settings = Settings {
    bounds: BOUNDS,
    secrets_in_query: false,
    limits: Limits {
        record_bytes_max: 16 << 20,
        text_bytes_max: 1 << 20,
        depth_max: BOUNDS.depth_max,
    },
    held_bytes_max: HELD_BYTES_MAX,
    held_bytes_total_max: HELD_BYTES_MAX,
    stream_large_replies: false,
    logins_per_minute: NonZeroU32::MAX,
    requests_per_minute: NonZeroU32::MAX,
    refused_predicates_per_hour: NonZeroU32::MAX,
};
