//! Sessions of the CRM: who a credential belongs to, asked once and kept for a minute.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use moka::Expiry;
use moka::future::Cache;

use super::Caller;
use super::limits::Origins;
use crate::dialect::{Answered, Dialect, Inquiry, Outgoing, Session};
use crate::door::Credential;
use crate::reason::Reason;
use crate::transport::Transport;

/// The sessions of one CRM. Credentials are kept only as keyed hashes, under a key that lives as long as the process.
#[derive(Debug)]
pub struct Sessions {
    known: Cache<Fingerprint, Seen>,
    /// Credentials that the CRM accepted when it was last asked: asking again is no guess, so it is not limited.
    accepted: Cache<Fingerprint, ()>,
    key: hmac::Key,
    transport: Transport,
    dialect: Arc<dyn Dialect>,
    unknown: Arc<Origins>,
    answer_bytes_max: usize,
}

type Fingerprint = [u8; 32];

/// What the CRM said of a credential, and when.
#[derive(Clone, Debug)]
enum Seen {
    Session(Arc<Session>, Instant),
    Nobody,
}

/// Why sessions cannot be kept: the system has no randomness.
#[derive(Debug, thiserror::Error)]
#[error("could not make the key of the session cache")]
pub struct NoRandomness;

impl Sessions {
    /// Sessions of the CRM behind `transport`; unknown credentials are limited per origin.
    pub fn new(
        transport: Transport,
        dialect: Arc<dyn Dialect>,
        unknown: Arc<Origins>,
    ) -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| NoRandomness)?;
        let known = Cache::builder()
            .max_capacity(SESSIONS_MAX)
            .expire_after(Lifetime)
            .build();
        Ok(Self {
            known,
            accepted: Cache::builder()
                .max_capacity(SESSIONS_MAX)
                .time_to_idle(ACCEPTED_IDLE)
                .build(),
            key,
            transport,
            dialect,
            unknown,
            answer_bytes_max: ANSWER_BYTES_MAX,
        })
    }

    /// Who sends this credential. One request per unknown credential is in flight; the others wait for its answer.
    pub async fn identify(
        &self,
        credential: &Credential,
        version: &str,
        origin: IpAddr,
    ) -> Result<Caller, Reason> {
        let fingerprint = self.fingerprint(credential);
        let seen = match self.known.get(&fingerprint).await {
            Some(seen) => seen,
            None => self.learn(fingerprint, credential, version, origin).await?,
        };
        match seen {
            Seen::Session(session, at) => Ok(Caller::from_session(session, at.elapsed())),
            Seen::Nobody => Err(Reason::BadCredential),
        }
    }

    /// Who sends this credential, if that is known without asking the CRM.
    pub async fn recall(&self, credential: &Credential) -> Option<Caller> {
        match self.known.get(&self.fingerprint(credential)).await? {
            Seen::Session(session, at) => Some(Caller::from_session(session, at.elapsed())),
            Seen::Nobody => None,
        }
    }

    /// Forgets a credential: at logout, and when the CRM no longer accepts it.
    pub async fn forget(&self, credential: &Credential) {
        let fingerprint = self.fingerprint(credential);
        self.known.invalidate(&fingerprint).await;
        self.accepted.invalidate(&fingerprint).await;
    }

    async fn learn(
        &self,
        fingerprint: Fingerprint,
        credential: &Credential,
        version: &str,
        origin: IpAddr,
    ) -> Result<Seen, Reason> {
        let ask = self.ask(fingerprint, credential, version, origin);
        self.known
            .try_get_with(fingerprint, ask)
            .await
            .map_err(|reason| *reason)
    }

    async fn ask(
        &self,
        fingerprint: Fingerprint,
        credential: &Credential,
        version: &str,
        origin: IpAddr,
    ) -> Result<Seen, Reason> {
        if self.accepted.get(&fingerprint).await.is_none() {
            self.unknown.admit(origin)?;
        }
        let mut answers = Vec::new();
        loop {
            match self.dialect.inquire(version, credential, &answers) {
                Inquiry::Ask(_) if answers.len() >= QUESTIONS_MAX => {
                    return Err(Reason::Unfilterable);
                }
                Inquiry::Ask(question) => {
                    answers.push(self.answer(question, credential, origin).await?);
                }
                Inquiry::Known(session) => {
                    self.accepted.insert(fingerprint, ()).await;
                    return Ok(Seen::Session(Arc::new(session), Instant::now()));
                }
                Inquiry::Nobody => {
                    self.accepted.invalidate(&fingerprint).await;
                    return Ok(Seen::Nobody);
                }
                Inquiry::Failed(reason) => return Err(reason),
            }
        }
    }

    async fn answer(
        &self,
        question: Outgoing,
        credential: &Credential,
        origin: IpAddr,
    ) -> Result<Answered, Reason> {
        let mut answer = self
            .transport
            .send(question, Some(credential), origin)
            .await?;
        let body = if answer.is_json {
            answer.whole_decoded(self.answer_bytes_max).await?
        } else {
            Vec::new()
        };
        Ok(Answered {
            status: answer.status.as_u16(),
            body: body.into(),
        })
    }

    fn fingerprint(&self, credential: &Credential) -> Fingerprint {
        let tag = hmac::sign(&self.key, credential.token().as_bytes());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(tag.as_ref());
        fingerprint
    }
}

/// How long an answer is believed.
#[derive(Debug)]
struct Lifetime;

impl Expiry<Fingerprint, Seen> for Lifetime {
    fn expire_after_create(&self, _: &Fingerprint, seen: &Seen, _: Instant) -> Option<Duration> {
        Some(match seen {
            Seen::Session(..) => SESSION_LIFETIME,
            Seen::Nobody => NOBODY_LIFETIME,
        })
    }
}

const SESSION_LIFETIME: Duration = Duration::from_secs(60);
const NOBODY_LIFETIME: Duration = Duration::from_secs(5);
const ACCEPTED_IDLE: Duration = Duration::from_secs(24 * 60 * 60);
const SESSIONS_MAX: u64 = 100_000;
/// Questions that the look-up of one session may need.
const QUESTIONS_MAX: usize = 8;
/// `/me` of a large installation lists the rights on each module.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
