//! The proxy's own account in a CRM: logs in, renews what it holds, and never hammers.
//!
//! One login at a time, at the pace of [`Pace`]; whoever needs it meanwhile waits for it, and is told the same.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::inquiry::{answer, why};
use crate::config::{self, Proof};
use crate::dialect::{Account, Dialect, Entered, Login};
use crate::door::Credential;
use crate::reason::Reason;
use crate::tally::Tally;
use crate::transport::{Cause, Failure, Transport};

/// The account of one CRM in the terms of one dialect. Clones are the same.
#[derive(Clone, Debug)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Transport,
    dialect: Arc<dyn Dialect>,
    account: config::Service,
    current: RwLock<Option<Current>>,
    turn: Mutex<Pace>,
    told: Tally,
}

/// What the CRM is called with, and which of those that the account has had it is.
#[derive(Clone, Debug)]
pub struct Held {
    credential: Credential,
    generation: u64,
}

impl Held {
    /// What the CRM is called with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

/// What the account came to last.
#[derive(Clone, Debug)]
struct Current {
    entered: Arc<Entered>,
    generation: u64,
    at: Instant,
    /// Whether the CRM has said that it does not know it, or no longer.
    has_ended: bool,
}

impl Current {
    fn held(&self) -> Held {
        Held {
            credential: self.entered.credential.clone(),
            generation: self.generation,
        }
    }

    /// Whether it is of use until a while before its end.
    fn lasts(&self, now: Instant, before_end: impl Fn(Duration) -> Duration) -> bool {
        let age = now.duration_since(self.at);
        let is_within = |lifetime: Duration| age < lifetime.saturating_sub(before_end(lifetime));
        !self.has_ended && self.entered.lifetime.is_none_or(is_within)
    }
}

impl Service {
    /// Where requests with this account come from, whoever they are for: some CRMs end a session for good that is used
    /// from two networks.
    pub const ORIGIN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// The account before a CRM. Asks nothing yet.
    pub fn new(transport: Transport, dialect: Arc<dyn Dialect>, account: config::Service) -> Self {
        Self(Arc::new(Inner {
            transport,
            dialect,
            account,
            current: RwLock::default(),
            turn: Mutex::default(),
            told: Tally::default(),
        }))
    }

    /// What to call the CRM with; logs in first where that is needed. One login at a time, the others wait for it.
    ///
    /// # Errors
    /// Why there is nothing to call it with.
    pub async fn credential(&self, version: &str) -> Result<Held, Reason> {
        let account = match &self.0.account.proof {
            Proof::Login(account) => account,
            Proof::Fixed(credential) => return self.0.fixed(credential),
        };
        let Some(current) = self.0.current() else {
            return self.later_than(0, account, version).await;
        };
        let now = Instant::now();
        if current.lasts(now, margin) {
            return Ok(current.held());
        }
        let is_of_use = current.lasts(now, |_| Duration::ZERO);
        if is_of_use && self.0.turn.try_lock().is_err() {
            // Somebody renews it.
            return Ok(current.held());
        }
        let renewed = self.later_than(current.generation, account, version).await;
        match renewed {
            Err(_) if is_of_use => Ok(current.held()),
            renewed => renewed,
        }
    }

    /// The same after the CRM has said that it does not know this one, or no longer. Whoever comes with one that was
    /// renewed meanwhile gets the new one.
    ///
    /// # Errors
    /// Why there is nothing to call it with.
    pub async fn renew(&self, stale: &Held, version: &str) -> Result<Held, Reason> {
        match &self.0.account.proof {
            Proof::Login(account) => {
                self.0.end(stale.generation);
                self.later_than(stale.generation, account, version).await
            }
            Proof::Fixed(_) => Err(self.0.refused("refused")),
        }
    }

    /// Tells of what has come since it was last told of. Called now and then.
    pub fn sweep(&self) {
        for (what, count) in self.0.told.due() {
            self.0.tell(what, count);
        }
    }

    /// One that came later than a generation. A login that was begun is ended, whatever becomes of whoever began it.
    async fn later_than(
        &self,
        generation: u64,
        account: &Account,
        version: &str,
    ) -> Result<Held, Reason> {
        let (inner, account, version) = (self.0.clone(), account.clone(), version.to_owned());
        let entering =
            tokio::spawn(async move { inner.enter(generation, &account, &version).await });
        entering.await.unwrap_or(Err(Reason::Internal))
    }
}

impl Inner {
    fn current(&self) -> Option<Current> {
        // What stands there is always whole.
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Option<Current>> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that the CRM does not know this one any more.
    fn end(&self, generation: u64) {
        if let Some(current) = &mut *self.write()
            && current.generation == generation
        {
            current.has_ended = true;
        }
    }

    fn fixed(&self, credential: &Credential) -> Result<Held, Reason> {
        match self.dialect.head_form().accepts(credential.carrier()) {
            true => Ok(Held {
                credential: credential.clone(),
                generation: 0,
            }),
            false => Err(self.refused("impossible")),
        }
    }

    async fn enter(
        &self,
        generation: u64,
        account: &Account,
        version: &str,
    ) -> Result<Held, Reason> {
        let mut pace = self.turn.lock().await;
        let current = self.current();
        if let Some(current) = &current
            && current.generation > generation
        {
            return Ok(current.held());
        }
        let ended = current.as_ref().filter(|current| current.has_ended);
        let lasted = ended.map(|current| current.at.elapsed());
        pace.begin(Instant::now(), lasted)?;
        let held = current.as_ref().map(|current| &*current.entered);
        let ended = self.log_in(account, held, version).await;
        pace.end(Instant::now(), ended.as_ref().err().copied());
        let current = Current {
            entered: Arc::new(ended?),
            generation: current.map_or(0, |current| current.generation) + 1,
            at: Instant::now(),
            has_ended: false,
        };
        let held = current.held();
        *self.write() = Some(current);
        Ok(held)
    }

    /// Walks the steps of the dialect.
    async fn log_in(
        &self,
        account: &Account,
        held: Option<&Entered>,
        version: &str,
    ) -> Result<Entered, Reason> {
        let mut answers = Vec::new();
        let mut content = Ok(());
        let note = |failure: Failure| self.transport.failures().note(failure);
        loop {
            match self.dialect.enter(version, account, held, &answers) {
                Login::Ask(_) if answers.len() >= STEPS_MAX => {
                    return Err(note(Cause::WrongShape.into()));
                }
                Login::Ask(question) => {
                    let told = answer(&self.transport, question, None, Service::ORIGIN).await;
                    let answered;
                    (answered, content) = told.map_err(note)?;
                    answers.push(answered);
                }
                Login::Entered(entered) => return Ok(entered),
                Login::Refused => return Err(self.refused("refused")),
                Login::Impossible => return Err(self.refused("impossible")),
                Login::Failed(reason) => {
                    return Err(note(why(reason, answers.last(), content, LOGIN)));
                }
            }
        }
    }

    /// Takes note that the CRM does not take the account; what the caller is told.
    fn refused(&self, what: &'static str) -> Reason {
        if let Some(count) = self.told.add(what) {
            self.tell(what, count);
        }
        Reason::ServiceCredentialRefused
    }

    fn tell(&self, what: &'static str, count: u64) {
        let (upstream, dialect) = (self.transport.failures().upstream(), self.dialect.name());
        tracing::warn!(
            upstream,
            dialect,
            what,
            count,
            "the CRM does not accept the proxy's own account"
        );
    }
}

impl Drop for Inner {
    /// Nothing that was counted stays untold.
    fn drop(&mut self) {
        for (what, count) in self.told.rest() {
            self.tell(what, count);
        }
    }
}

/// How often it is tried to log in. An account that is refused too often is locked by its CRM.
#[derive(Debug, Default)]
struct Pace {
    /// Until when it is not tried again, and what is said meanwhile.
    pause: Option<(Instant, Reason)>,
    /// How long the last pause after a refusal was.
    length: Duration,
    /// How many logins in a row came to something that did not last.
    brief: u32,
}

impl Pace {
    /// Whether it may be tried now, where the last login came to something that is so old.
    fn begin(&mut self, now: Instant, lasted: Option<Duration>) -> Result<(), Reason> {
        if let Some((until, reason)) = self.pause
            && now < until
        {
            return Err(reason);
        }
        self.brief = match lasted {
            Some(lasted) if lasted < LASTING => self.brief + 1,
            _ => 0,
        };
        if self.brief <= BRIEF_MAX {
            return Ok(());
        }
        // What it gives it does not take.
        let reason = Reason::ServiceCredentialRefused;
        self.pause = Some((now + LASTING, reason));
        Err(reason)
    }

    /// Takes note of what came of it.
    fn end(&mut self, now: Instant, failed: Option<Reason>) {
        self.pause = failed.map(|reason| {
            let pause = match reason {
                // Nobody has seen the password.
                Reason::UpstreamUnreachable => UNREACHABLE_PAUSE,
                _ => {
                    self.length = (self.length * 2).clamp(PAUSE_MIN, PAUSE_MAX);
                    self.length
                }
            };
            (now + pause, reason)
        });
        if failed.is_none() {
            self.length = Duration::ZERO;
        }
    }
}

/// How long before its end something is renewed.
fn margin(lifetime: Duration) -> Duration {
    (lifetime / 10).min(MARGIN_MAX)
}

/// What the operator is told of.
const LOGIN: &str = "at the login of the proxy's own account";
/// Steps that one login may need.
const STEPS_MAX: usize = 4;
const MARGIN_MAX: Duration = Duration::from_secs(60);
const PAUSE_MIN: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(1);
/// What lasts so long was of use.
const LASTING: Duration = Duration::from_secs(60);
/// Logins in a row that need not have been of use: a CRM that is set up anew ends its sessions.
const BRIEF_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Reason = Reason::ServiceCredentialRefused;

    #[test]
    fn an_account_that_is_refused_is_tried_less_and_less_often() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for pause in [5, 10, 20, 40, 60, 60] {
            assert_eq!(pace.begin(now, None), Ok(()));
            pace.end(now, Some(REFUSED));
            let almost = now + Duration::from_secs(pause) - Duration::from_millis(1);
            assert_eq!(pace.begin(almost, None), Err(REFUSED), "{pause}");
            now += Duration::from_secs(pause);
        }
        assert_eq!(pace.begin(now, None), Ok(()));
        pace.end(now, None);
        assert_eq!(pace.begin(now, None), Ok(()));
        pace.end(now, Some(Reason::UpstreamBroken));
        let after = now + Duration::from_secs(5);
        assert_eq!(pace.begin(now, None), Err(Reason::UpstreamBroken));
        assert_eq!(pace.begin(after, None), Ok(()), "it begins anew");
    }

    #[test]
    fn a_crm_that_is_not_there_is_asked_again_soon() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for second in 0..100 {
            let at = now + Duration::from_secs(second);
            assert_eq!(pace.begin(at, None), Ok(()));
            pace.end(at, Some(Reason::UpstreamUnreachable));
            let told = pace.begin(at, None);
            assert_eq!(told, Err(Reason::UpstreamUnreachable));
        }
    }

    #[test]
    fn what_is_given_and_never_taken_is_not_asked_for_again_and_again() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let brief = Some(Duration::from_secs(1));
        for _ in 0..BRIEF_MAX {
            assert_eq!(pace.begin(now, brief), Ok(()));
            pace.end(now, None);
        }
        assert_eq!(pace.begin(now, brief), Err(REFUSED));
        let almost = now + LASTING - Duration::from_millis(1);
        assert_eq!(pace.begin(almost, brief), Err(REFUSED));
        assert_eq!(pace.begin(now + LASTING, Some(LASTING)), Ok(()));
        pace.end(now + LASTING, None);
        assert_eq!(pace.begin(now + LASTING, brief), Ok(()));
    }

    #[test]
    fn a_token_is_renewed_before_its_end_and_of_use_until_then() {
        let current = Current {
            entered: Arc::new(Entered {
                credential: Credential::argument("a").unwrap(),
                refresh: None,
                lifetime: Some(Duration::from_secs(3_600)),
            }),
            generation: 1,
            at: Instant::now(),
            has_ended: false,
        };
        let state = |age| {
            let now = current.at + Duration::from_secs(age);
            let of_use = current.lasts(now, |_| Duration::ZERO);
            (current.lasts(now, margin), of_use)
        };
        assert_eq!(state(0), (true, true));
        assert_eq!(state(3_530), (true, true));
        assert_eq!(state(3_545), (false, true));
        assert_eq!(state(3_601), (false, false));
        assert_eq!(margin(Duration::from_secs(20)), Duration::from_secs(2));
    }
}
