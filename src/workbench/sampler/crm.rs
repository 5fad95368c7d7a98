//! A CRM, asked with one account: one request at a time, at a pace, a few times where that may help.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::{self, Upstream};
use crate::dialect::{Dialect, Exchange, Outgoing, USUAL_VERSION};
use crate::door::Credential;
use crate::identity::{Held, Service};
use crate::reason::Reason;
use crate::transport::{Cause, Destination, Failure, SetUpError, Transport, UpstreamCredential};

/// Requests in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u32);

impl Rate {
    /// Requests in a second, unless told.
    pub const USUAL: u32 = 10;

    /// From 1 to 1000.
    pub fn new(in_a_second: u32) -> Option<Self> {
        (1..=1000)
            .contains(&in_a_second)
            .then_some(Self(in_a_second))
    }

    fn pause(self) -> Duration {
        Duration::from_secs(1) / self.0
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self(Self::USUAL)
    }
}

/// Why a CRM gave no answer that is of use, in fixed words and numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It does not take the account.
    #[error(
        "the CRM does not accept the account: look at its name and password, and whether it may use the API"
    )]
    Account,
    /// There was no answer, or none that can be read.
    #[error("{}{}", .0.meaning(), .1.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default())]
    Cause(Cause, Option<String>),
    /// It answered with another status than that of success.
    #[error("it answered with status {0}")]
    Status(u16),
    /// It told an error.
    #[error("it told an error{}", .0.map(|label| format!(": {label}")).unwrap_or_default())]
    Told(Option<&'static str>),
    /// The API has no such request.
    #[error("its API has no request for this")]
    NoRequest,
    /// Something else than the CRM.
    #[error("{0}")]
    Other(&'static str),
}

impl Trouble {
    /// Whether asking for something else would fail, too.
    pub fn is_of_all(&self) -> bool {
        match self {
            Self::Account | Self::Other(_) => true,
            Self::Cause(cause, _) => !matches!(
                cause,
                Cause::TooLarge | Cause::MalformedJson | Cause::WrongShape | Cause::ContentType
            ),
            Self::Status(status) => matches!(status, 429 | 502..=504),
            Self::Told(_) | Self::NoRequest => false,
        }
    }

    fn of(failure: Failure) -> Self {
        match failure.cause {
            Some(cause) => Self::Cause(cause, failure.detail),
            None => Self::Other(failure.reason.text()),
        }
    }

    fn of_login(reason: Reason) -> Self {
        match reason {
            Reason::ServiceCredentialRefused => Self::Account,
            Reason::UpstreamUnreachable => Self::Other(
                "the CRM cannot be reached, or TLS with it failed: `paravent check --connect` tells why",
            ),
            reason => Self::Other(reason.text()),
        }
    }

    /// Whether asking again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 429 | 502..=504),
            Self::Cause(cause, _) => matches!(
                cause,
                Cause::Refused
                    | Cause::Unreachable
                    | Cause::ConnectTimeout
                    | Cause::ClosedEarly
                    | Cause::FirstByteTimeout
                    | Cause::TotalTimeout
            ),
            _ => false,
        }
    }
}

/// A request, and how its answer is read where the API says so.
#[derive(Debug)]
pub struct Asked {
    /// What is sent.
    pub outgoing: Outgoing,
    /// How the answer is read.
    pub exchange: Option<Box<dyn Exchange>>,
}

/// A CRM, and the account with which it is asked.
#[derive(Debug)]
pub struct Crm {
    transport: Transport,
    dialect: Arc<dyn Dialect>,
    service: Service,
    rate: Rate,
    /// Before when nothing is asked.
    next: Mutex<Instant>,
}

impl Crm {
    /// Sets up; asks nothing yet.
    ///
    /// # Errors
    /// If the connections cannot be set up.
    pub fn new(
        upstream: &Upstream,
        dialect: Arc<dyn Dialect>,
        account: config::Service,
        rate: Rate,
    ) -> Result<Self, SetUpError> {
        let transport = Transport::new(Destination::from(upstream))?;
        Ok(Self {
            service: Service::new(transport.clone(), dialect.clone(), account),
            transport,
            dialect,
            rate,
            next: Mutex::new(Instant::now()),
        })
    }

    /// The dialect in which it is asked.
    pub fn dialect(&self) -> &Arc<dyn Dialect> {
        &self.dialect
    }

    /// The version of the API in which it is asked.
    pub fn version(&self) -> &'static str {
        USUAL_VERSION
    }

    /// Asks, and gives the answer's body with how it is read. What depends on the session is made anew with each.
    ///
    /// # Errors
    /// Why there is no answer of use.
    pub async fn ask(
        &self,
        make: &(dyn Fn(&Credential) -> Option<Asked> + Sync),
        bytes_max: usize,
    ) -> Result<(Vec<u8>, Option<Box<dyn Exchange>>), Trouble> {
        let mut held = self.log_in(None).await?;
        let (mut attempts, mut was_renewed) = (0, false);
        loop {
            let asked = make(held.credential()).ok_or(Trouble::NoRequest)?;
            self.wait().await;
            let (trouble, pause) = match self.once(&asked, held.credential(), bytes_max).await {
                Ok(body) => return Ok((body, asked.exchange)),
                Err(failed) => failed,
            };
            match trouble {
                Trouble::Status(401) if !was_renewed => {
                    was_renewed = true;
                    held = self.log_in(Some(&held)).await?;
                }
                Trouble::Status(401) => return Err(Trouble::Account),
                trouble if trouble.may_pass() && attempts < AGAIN_MAX => {
                    let own = AGAIN_AFTER * 2_u32.pow(attempts);
                    tokio::time::sleep(pause.unwrap_or(own).min(PAUSE_MAX)).await;
                    attempts += 1;
                }
                trouble => return Err(trouble),
            }
        }
    }

    async fn log_in(&self, stale: Option<&Held>) -> Result<Held, Trouble> {
        let held = match stale {
            None => self.service.credential(self.version()).await,
            Some(stale) => self.service.renew(stale, self.version()).await,
        };
        held.map_err(Trouble::of_login)
    }

    /// Waits until it is time for another request.
    async fn wait(&self) {
        let mut next = self.next.lock().await;
        tokio::time::sleep_until(*next).await;
        *next = Instant::now() + self.rate.pause();
    }

    /// Asks once; with what went wrong comes after how long the CRM wishes to be asked again.
    async fn once(
        &self,
        asked: &Asked,
        credential: &Credential,
        bytes_max: usize,
    ) -> Result<Vec<u8>, (Trouble, Option<Duration>)> {
        let with = UpstreamCredential::of_service(credential.clone());
        let outgoing = asked.outgoing.clone();
        let answer = self.transport.ask(outgoing, &with, Service::ORIGIN).await;
        let mut answer = answer.map_err(|failure| (Trouble::of(failure), None))?;
        let status = answer.status.as_u16();
        if status != 200 {
            let after = answer.retry_after_seconds.map(u64::from);
            return Err((Trouble::Status(status), after.map(Duration::from_secs)));
        }
        answer
            .content
            .map_err(|cause| (Trouble::Cause(cause, None), None))?;
        let body = answer.whole_decoded(bytes_max).await;
        let body = body.map_err(|failure| (Trouble::of(failure), None))?;
        match asked.exchange.as_deref() {
            Some(exchange) if exchange.answer().hides_errors => {
                match exchange.failure(status, &body) {
                    Some(failure) if failure.ends_session => Err((Trouble::Status(401), None)),
                    Some(failure) => Err((Trouble::Told(failure.label), None)),
                    None => Ok(body),
                }
            }
            _ => Ok(body),
        }
    }
}

/// How often a request is repeated that may succeed then.
const AGAIN_MAX: u32 = 3;
/// After how long, the first time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// The longest that is waited because the CRM says so.
const PAUSE_MAX: Duration = Duration::from_secs(60);
