//! Sessions of the CRM: who a credential belongs to, asked once and kept for a minute.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use moka::Expiry;
use moka::future::Cache;

use super::guesses::{Attempt, Guesses};
use super::inquiry::inquire;
use super::{Caller, NoRandomness};
use crate::dialect::{Dialect, Session};
use crate::door::Credential;
use crate::reason::Reason;
use crate::transport::Transport;

/// The sessions of one CRM. Credentials are kept only as keyed hashes, under a key that lives as long as the process.
#[derive(Debug)]
pub struct Sessions {
    known: Cache<Fingerprint, Seen>,
    /// Credentials that the CRM accepted when it was last asked: asking again is no guess.
    accepted: Cache<Fingerprint, ()>,
    /// Credentials that it refused a while ago: they were counted, and asking again is no new guess.
    refused: Cache<Fingerprint, ()>,
    key: hmac::Key,
    transport: Transport,
    dialect: Arc<dyn Dialect>,
    unknown: Arc<Guesses>,
}

type Fingerprint = [u8; 32];

/// What the CRM said of a credential, and when.
#[derive(Clone, Debug)]
enum Seen {
    Session(Arc<Session>, Instant),
    Nobody,
}

impl Sessions {
    /// Sessions of the CRM behind `transport`; credentials that it does not know are limited per origin.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(
        transport: Transport,
        dialect: Arc<dyn Dialect>,
        unknown: Arc<Guesses>,
    ) -> Result<Self, NoRandomness> {
        Self::that_last(Lifetime::USUAL, transport, dialect, unknown)
    }

    fn that_last(
        lifetime: Lifetime,
        transport: Transport,
        dialect: Arc<dyn Dialect>,
        unknown: Arc<Guesses>,
    ) -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| NoRandomness)?;
        let known = Cache::builder()
            .max_capacity(SESSIONS_MAX)
            .expire_after(lifetime)
            .build();
        Ok(Self {
            known,
            accepted: Cache::builder()
                .max_capacity(SESSIONS_MAX)
                .time_to_idle(ACCEPTED_IDLE)
                .build(),
            refused: Cache::builder()
                .max_capacity(SESSIONS_MAX)
                .time_to_live(REFUSED_LIFETIME)
                .build(),
            key,
            transport,
            dialect,
            unknown,
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
        if self.accepted.remove(&fingerprint).await.is_some() {
            // Its client may try it once more: that is no guess.
            self.refused.insert(fingerprint, ()).await;
        }
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
        let mut attempt = None;
        if !self.is_known(&fingerprint).await {
            let account = credential.account();
            attempt = Some(self.unknown.attempt(origin, account.as_deref()).await?);
        }
        let asked = inquire(&self.transport, &*self.dialect, credential, version, origin);
        match asked.await {
            Ok(Some(session)) => {
                self.accepted.insert(fingerprint, ()).await;
                self.refused.invalidate(&fingerprint).await;
                if let Some(attempt) = attempt {
                    self.unknown.welcome(attempt).await;
                }
                Ok(Seen::Session(Arc::new(session), Instant::now()))
            }
            Ok(None) => {
                self.accepted.invalidate(&fingerprint).await;
                self.refused.insert(fingerprint, ()).await;
                attempt.into_iter().for_each(Attempt::failed);
                Ok(Seen::Nobody)
            }
            Err(failure) => Err(self.transport.failures().note(failure)),
        }
    }

    /// Whether the CRM's answer is likely enough to be the one that it gave before.
    async fn is_known(&self, fingerprint: &Fingerprint) -> bool {
        self.accepted.get(fingerprint).await.is_some()
            || self.refused.get(fingerprint).await.is_some()
    }

    fn fingerprint(&self, credential: &Credential) -> Fingerprint {
        let tag = hmac::sign(&self.key, credential.token().as_bytes());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(tag.as_ref());
        fingerprint
    }
}

/// How long an answer is believed.
#[derive(Clone, Copy, Debug)]
struct Lifetime {
    session: Duration,
    nobody: Duration,
}

impl Lifetime {
    const USUAL: Self = Self {
        session: Duration::from_secs(60),
        nobody: Duration::from_secs(5),
    };
}

impl Expiry<Fingerprint, Seen> for Lifetime {
    fn expire_after_create(&self, _: &Fingerprint, seen: &Seen, _: Instant) -> Option<Duration> {
        Some(match seen {
            Seen::Session(..) => self.session,
            Seen::Nobody => self.nobody,
        })
    }
}

const ACCEPTED_IDLE: Duration = Duration::from_secs(24 * 60 * 60);
const REFUSED_LIFETIME: Duration = Duration::from_secs(10 * 60);
const SESSIONS_MAX: u64 = 100_000;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::num::NonZeroU32;
    use std::sync::atomic::{AtomicBool, Ordering};

    use http::uri::Scheme;

    use super::*;
    use crate::dialect::sugar_rest;
    use crate::transport::Destination;

    /// A CRM that knows every session whose token begins with `good`, until it has forgotten all.
    fn crm(forgotten: Arc<AtomicBool>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |mut socket: TcpStream| {
            let (mut head, mut chunk) = (Vec::new(), [0; 1_024]);
            while !head.ends_with(b"\r\n\r\n") {
                let count = socket.read(&mut chunk).unwrap();
                head.extend_from_slice(&chunk[..count]);
            }
            let is_known = head.windows(11).any(|window| window == b"token: good");
            let (status, body) = match is_known && !forgotten.load(Ordering::SeqCst) {
                true => ("200 OK", r#"{"current_user":{"id":"u-1","user_name":"u"}}"#),
                false => ("401 No", r#"{"error":"need_login"}"#),
            };
            let length = body.len();
            write!(socket, "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        };
        std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
        address
    }

    fn sessions() -> Sessions {
        before(crm(Arc::default()))
    }

    fn before(crm: SocketAddr) -> Sessions {
        let timeout = Duration::from_secs(5);
        let transport = Transport::new(Destination {
            scheme: Scheme::HTTP,
            authority: crm.to_string().parse().unwrap(),
            prefix: String::new(),
            roots: None,
            connect_timeout: timeout,
            first_byte_timeout: timeout,
            total_timeout: timeout,
        });
        let lifetime = Lifetime {
            session: Duration::from_millis(1),
            nobody: Duration::from_millis(1),
        };
        let unknown = Arc::new(Guesses::per_minute(NonZeroU32::new(3).unwrap()).unwrap());
        let dialect = Arc::new(sugar_rest::described());
        Sessions::that_last(lifetime, transport.unwrap(), dialect, unknown).unwrap()
    }

    async fn ask(sessions: &Sessions, token: &str) -> Option<Reason> {
        // What was learned before is forgotten.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let credential = credential(token);
        let origin = [192, 0, 2, 1].into();
        sessions.identify(&credential, "v11", origin).await.err()
    }

    fn credential(token: &str) -> Credential {
        let request = http::Request::get("/rest/v11/me").header("host", "a");
        let request = request.header("oauth-token", token).body(()).unwrap();
        let door = crate::door::Door {
            hosts: Vec::new(),
            credential_headers: sugar_rest::described().head_form().credentials.clone(),
            front_headers: Vec::new(),
            control_headers: sugar_rest::described().head_form().controls.clone(),
            trusted_proxies: Vec::new(),
        };
        let head = crate::door::enter(&request, [192, 0, 2, 1].into(), &door);
        head.unwrap().credential.unwrap().unwrap()
    }

    #[tokio::test]
    async fn sessions_that_were_accepted_pass_beyond_the_bound() {
        let sessions = sessions();
        let bad = Some(Reason::BadCredential);
        assert_eq!(ask(&sessions, "good-1").await, None);
        for number in 0..3 {
            assert_eq!(ask(&sessions, &format!("bad-{number}")).await, bad);
        }
        let limited = Some(Reason::TooManyRequests);
        assert_eq!(ask(&sessions, "bad-3").await, limited);
        assert_eq!(ask(&sessions, "good-2").await, limited, "nobody knows it");
        for _ in 0..5 {
            assert_eq!(ask(&sessions, "good-1").await, None);
        }
    }

    #[tokio::test]
    async fn sessions_that_all_end_at_once_make_nobody_a_guesser() {
        let forgotten = Arc::new(AtomicBool::new(false));
        let sessions = before(crm(forgotten.clone()));
        let all = ["good-1", "good-2", "good-3", "good-4", "good-5"];
        for token in all {
            assert_eq!(ask(&sessions, token).await, None);
        }
        forgotten.store(true, Ordering::SeqCst);
        for token in all {
            // As after an answer of the CRM with 401.
            sessions.forget(&credential(token)).await;
            assert_eq!(ask(&sessions, token).await, Some(Reason::BadCredential));
        }
        forgotten.store(false, Ordering::SeqCst);
        assert_eq!(ask(&sessions, "good-6").await, None);
    }

    #[tokio::test]
    async fn a_client_that_comes_back_with_an_ended_session_is_one_guess() {
        let sessions = sessions();
        for _ in 0..20 {
            assert_eq!(ask(&sessions, "bad-1").await, Some(Reason::BadCredential));
        }
        assert_eq!(ask(&sessions, "good-1").await, None);
    }
}
