//! Tokens of issuers: signed statements of who asks, with what authentication, why (RFC 7519, RFC 9068, RFC 8725).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::future::Cache;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config;
use crate::reason::Reason;
use crate::tally::Tally;
use crate::transport::SetUpError;

mod claims;
mod clock;
mod compact;
mod explain;
mod fetch;
mod issuer;
mod jwks;
mod roca;

pub use claims::Claims;
pub use clock::{Clock, Moment};
pub use explain::Explained;

use claims::{Addressed, Stated};
use compact::Compact;
use issuer::Issuer;

/// The tokens of all issuers. Tokens that were verified are known again by their hash.
pub struct Tokens {
    issuers: Vec<Arc<Issuer>>,
    clock: Clock,
    verified: Cache<[u8; 32], Arc<Verified>>,
    told: Tally,
}

/// A token whose signature was verified.
struct Verified {
    issuer: Arc<Issuer>,
    /// The generation of the issuer's keys that did it.
    generation: u64,
    stated: Stated,
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the caller is told.
    pub reason: Reason,
    /// What is wrong, for the operator.
    pub why: &'static str,
    /// After how many seconds it may be tried again.
    pub retry_after_seconds: Option<u16>,
}

/// Why tokens of an issuer cannot be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum SetUp {
    /// Root certificates.
    #[error("could not set up connections to the issuer `{0}`")]
    Roots(String, #[source] SetUpError),
    /// The file of its keys.
    #[error("could not use the file of keys of the issuer `{0}`: {1}")]
    Keys(String, String),
}

impl Tokens {
    /// Tokens of these issuers, judged by the clock of the system. Nobody is asked yet.
    ///
    /// # Errors
    /// If root certificates cannot be used, or a file of keys holds none that can.
    pub fn new(issuers: &[config::Issuer]) -> Result<Self, SetUp> {
        Self::with_clock(issuers, Clock::system())
    }

    /// The same, judged by another clock.
    ///
    /// # Errors
    /// As for `new`.
    pub fn with_clock(issuers: &[config::Issuer], clock: Clock) -> Result<Self, SetUp> {
        let issuers = issuers
            .iter()
            .map(|form| Issuer::new(form, clock.clone()).map(Arc::new));
        Ok(Self {
            issuers: issuers.collect::<Result<_, _>>()?,
            clock,
            told: Tally::default(),
            verified: Cache::builder()
                .max_capacity(VERIFIED_MAX)
                .time_to_idle(VERIFIED_IDLE)
                .build(),
        })
    }

    /// What a token states, if it is good. `certificate` is that of the connection (DER), if the caller showed one.
    ///
    /// # Errors
    /// Why it is not good, or cannot be judged now.
    pub async fn verify(
        &self,
        token: &str,
        certificate: Option<&[u8]>,
    ) -> Result<Arc<Claims>, Refused> {
        if token.len() > compact::TOKEN_BYTES_MAX {
            return Err(bad("larger than 8 KiB"));
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = self.verified.get(&hash).await;
        let known = known.filter(|known| {
            let keys = known.issuer.fresh();
            keys.is_some_and(|keys| keys.generation == known.generation)
        });
        let verified = match known {
            Some(known) => known,
            None => {
                let verified = Arc::new(self.learn(token).await?);
                self.verified.insert(hash, verified.clone()).await;
                verified
            }
        };
        let skew = verified.issuer.form.skew;
        verified
            .stated
            .judge(&self.clock.now(), skew, certificate)?;
        Ok(verified.stated.claims.clone())
    }

    /// Verifies a token that is not known.
    async fn learn(&self, token: &str) -> Result<Verified, Refused> {
        let token = Compact::read(token).map_err(bad)?;
        let claims = token.claims().map_err(bad)?;
        let addressed = Addressed::read(&claims).map_err(bad)?;
        let issuer = self.issuer(&addressed).map_err(bad)?;
        // What is refused in any case makes nobody ask for keys.
        let stated = Stated::read(&token, &claims, &issuer.form, &issuer.name).map_err(bad)?;
        let keys = issuer.verify(&token).await?;
        Ok(Verified {
            issuer: issuer.clone(),
            generation: keys.generation,
            stated,
        })
    }

    /// The only issuer that a token can be from.
    fn issuer(&self, addressed: &Addressed<'_>) -> Result<&Arc<Issuer>, &'static str> {
        let named = |issuer: &&Arc<Issuer>| issuer.form.issuer == addressed.issuer;
        if !self.issuers.iter().any(|issuer| named(&issuer)) {
            return Err("its issuer (`iss`) is not one of the configuration");
        }
        let meant =
            |issuer: &&Arc<Issuer>| named(issuer) && addressed.is_for(&issuer.form.audience);
        let mut meant = self.issuers.iter().filter(meant);
        match (meant.next(), meant.next()) {
            (Some(issuer), None) => Ok(issuer),
            (None, _) => Err("it is for another audience (`aud`)"),
            _ => Err("it is for two audiences of the configuration (`aud`)"),
        }
    }

    /// Whether a credential, however badly it is written, looks like a token of one of the issuers: such a one is for
    /// nobody else.
    pub fn is_ours(&self, credential: &str) -> bool {
        let issuers = self
            .issuers
            .iter()
            .map(|issuer| issuer.form.issuer.as_str());
        compact::names_issuer(credential, issuers)
    }

    /// Whether the tokens of every issuer can be verified.
    pub fn is_ready(&self) -> bool {
        self.unready().is_none()
    }

    /// The first issuer whose tokens cannot be verified, by its name.
    pub fn unready(&self) -> Option<&str> {
        let unready = self.issuers.iter().find(|issuer| !issuer.is_ready());
        unready.map(|issuer| &*issuer.name)
    }

    /// How long ago somebody authenticated, where the token says so. A clock that is set back makes nobody younger.
    pub fn age(&self, claims: &Claims) -> Option<Duration> {
        let now = self.clock.now().latest.div_euclid(1_000);
        let age = now.saturating_sub(claims.auth_time()?);
        Some(Duration::from_secs(u64::try_from(age).unwrap_or(0)))
    }

    /// Asks every issuer whose keys are due, and waits for the answers.
    pub async fn refresh(&self) {
        for issuer in &self.issuers {
            issuer.refresh();
        }
        for issuer in &self.issuers {
            issuer.settle().await;
        }
    }

    /// Keeps the keys of all issuers fresh until `stop` turns true.
    pub fn start(self: &Arc<Self>, mut stop: watch::Receiver<bool>) -> JoinHandle<()> {
        let tokens = self.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(TICK);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = tick.tick() => tokens.tick(),
                    _ = stop.wait_for(|stop| *stop) => break,
                }
            }
        })
    }
}

impl Tokens {
    fn tick(&self) {
        self.issuers.iter().for_each(Issuer::refresh);
        let now = self.clock.now();
        let back = now.latest.saturating_sub(now.wall) / 1_000;
        if back > BACK_SECONDS_MAX && self.told.add("clock").is_some() {
            tracing::error!(
                seconds = back,
                "the clock was set back: tokens that had expired before stay expired until it is that late again, or a restart"
            );
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.issuers.iter().map(|issuer| &issuer.name).collect();
        f.debug_struct("Tokens")
            .field("issuers", &names)
            .finish_non_exhaustive()
    }
}

fn bad(why: &'static str) -> Refused {
    Refused {
        reason: Reason::BadToken,
        why,
        retry_after_seconds: None,
    }
}

fn unavailable(why: &'static str, seconds: u16) -> Refused {
    Refused {
        reason: Reason::IdentityUnavailable,
        why,
        retry_after_seconds: Some(seconds),
    }
}

/// Verified tokens that are known again.
const VERIFIED_MAX: u64 = 10_000;
const VERIFIED_IDLE: Duration = Duration::from_secs(10 * 60);
/// By how much a clock may be set back without a word.
const BACK_SECONDS_MAX: i64 = 5 * 60;
/// How often it is looked whether keys are due.
const TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
