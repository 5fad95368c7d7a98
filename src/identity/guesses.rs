//! How often somebody may guess: attempts that failed, per origin and per account name.
//!
//! Whether an attempt fails is known only once the CRM has answered. Until then it might, so there are never more under way
//! than may still fail; others wait for their turn. A bound so holds for those who try many at once too, and somebody who
//! does not guess is never refused for being one of many.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use dashmap::DashMap;
use moka::future::Cache;
use tokio::sync::Notify;

use super::NoRandomness;
use super::limits::network;
use crate::reason::Reason;

/// The failed attempts of the last minute. Account names are kept only as keyed hashes, under a key that lives as long as
/// the process.
#[derive(Debug)]
pub struct Guesses {
    seats: DashMap<Whom, Arc<Seat>>,
    per_minute: NonZeroU32,
    key: hmac::Key,
    /// Accounts that have logged in from a network: whoever guesses elsewhere does not lock them out there.
    at_home: Cache<Hash, ()>,
}

type Hash = [u8; 32];

/// What failures count against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whom {
    Origin(IpAddr),
    Account(Hash),
}

/// An attempt under way. Dropped, it did not fail.
#[must_use]
#[derive(Debug)]
pub struct Attempt {
    seats: Vec<Taken>,
    at_home: Option<Hash>,
}

impl Guesses {
    /// So many a minute may fail.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn per_minute(per_minute: NonZeroU32) -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| NoRandomness)?;
        Ok(Self {
            seats: DashMap::new(),
            per_minute,
            key,
            at_home: Cache::builder()
                .max_capacity(AT_HOME_MAX)
                .time_to_idle(AT_HOME_IDLE)
                .build(),
        })
    }

    /// Begins an attempt, once it may fail: at once, or when enough of those under way have ended.
    ///
    /// # Errors
    /// If too many have failed, or it is not its turn for too long.
    pub async fn attempt(&self, origin: IpAddr, account: Option<&str>) -> Result<Attempt, Reason> {
        let network = network(origin);
        let mut seats = vec![self.take(Whom::Origin(network)).await?];
        let mut at_home = None;
        if let Some(account) = account {
            let account = folded(account);
            let home = self.hash(&[network.to_string().as_bytes(), b" ", account.as_bytes()]);
            let whom = match self.at_home.get(&home).await {
                Some(()) => home,
                None => self.hash(&[account.as_bytes()]),
            };
            seats.push(self.take(Whom::Account(whom)).await?);
            at_home = Some(home);
        }
        Ok(Attempt { seats, at_home })
    }

    /// Ends an attempt to log in that the CRM has accepted.
    pub async fn welcome(&self, attempt: Attempt) {
        if let Some(home) = attempt.at_home {
            self.at_home.insert(home, ()).await;
        }
    }

    /// Forgets whose failures have been a while ago.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.seats
            .retain(|_, seat| Arc::strong_count(seat) > 1 || !seat.is_free(self.per_minute, now));
    }

    async fn take(&self, whom: Whom) -> Result<Taken, Reason> {
        // The guard of the map is gone before anything is awaited.
        let seat = Arc::clone(&self.seats.entry(whom).or_default());
        let taken = tokio::time::timeout(TURN_TIMEOUT, seat.take(self.per_minute)).await;
        taken.unwrap_or(Err(Reason::TooManyRequests))
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut context = hmac::Context::with_key(&self.key);
        parts.iter().for_each(|part| context.update(part));
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

impl Attempt {
    /// Ends an attempt to which the CRM said no.
    pub fn failed(self) {
        for taken in self.seats {
            taken.seat.state().fail(taken.per_minute, Instant::now());
        }
    }
}

/// How many of one origin, or for one account, have failed, and how many still may.
#[derive(Debug, Default)]
struct Seat {
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How long until all failures are forgotten, as of `at`. Each adds its share of a minute.
    debt: Duration,
    at: Option<Instant>,
    under_way: u32,
}

/// One of those under way.
#[derive(Debug)]
struct Taken {
    seat: Arc<Seat>,
    per_minute: NonZeroU32,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seat.state().under_way -= 1;
        self.seat.ended.notify_waiters();
    }
}

impl Seat {
    async fn take(self: Arc<Self>, per_minute: NonZeroU32) -> Result<Taken, Reason> {
        loop {
            // Listens before it looks, so that nothing ends unheard in between.
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.state().begin(per_minute, Instant::now())? {
                let seat = Arc::clone(&self);
                return Ok(Taken { seat, per_minute });
            }
            ended.await;
        }
    }

    /// Nothing that is done under this lock can be left half done.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_free(&self, per_minute: NonZeroU32, now: Instant) -> bool {
        let mut state = self.state();
        state.under_way == 0 && state.may_fail(per_minute, now) == per_minute.get()
    }
}

impl State {
    /// Whether another attempt has begun, if it may begin at all: now, or later.
    fn begin(&mut self, per_minute: NonZeroU32, now: Instant) -> Result<bool, Reason> {
        let may_fail = self.may_fail(per_minute, now);
        if may_fail == 0 {
            return Err(Reason::TooManyRequests);
        }
        let begins = self.under_way < may_fail;
        self.under_way += u32::from(begins);
        Ok(begins)
    }

    fn fail(&mut self, per_minute: NonZeroU32, now: Instant) {
        self.forget(now);
        self.debt += MINUTE / per_minute.get();
    }

    /// How many attempts may still fail.
    fn may_fail(&mut self, per_minute: NonZeroU32, now: Instant) -> u32 {
        self.forget(now);
        let left = MINUTE.saturating_sub(self.debt).as_nanos();
        let each = (MINUTE / per_minute.get()).as_nanos().max(1);
        let bound = per_minute.get();
        u32::try_from(left / each).unwrap_or(bound).min(bound)
    }

    fn forget(&mut self, now: Instant) {
        let since = self.at.replace(now).unwrap_or(now);
        self.debt = self
            .debt
            .saturating_sub(now.saturating_duration_since(since));
    }
}

/// An account name as CRMs compare it: without regard to case, and to spaces around it.
fn folded(account: &str) -> String {
    account.trim().to_lowercase()
}

const MINUTE: Duration = Duration::from_secs(60);
/// How long an attempt waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
const AT_HOME_MAX: u64 = 100_000;
const AT_HOME_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses(per_minute: u32) -> Guesses {
        Guesses::per_minute(NonZeroU32::new(per_minute).unwrap()).unwrap()
    }

    fn origin(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    async fn fails(guesses: &Guesses, from: u8, account: Option<&str>) -> bool {
        match guesses.attempt(origin(from), account).await {
            Ok(attempt) => {
                attempt.failed();
                true
            }
            Err(_) => false,
        }
    }

    #[tokio::test]
    async fn what_does_not_fail_is_never_counted() {
        let guesses = guesses(3);
        for _ in 0..50 {
            drop(guesses.attempt(origin(1), Some("sally")).await.unwrap());
        }
        for _ in 0..3 {
            assert!(fails(&guesses, 1, None).await);
        }
        assert!(!fails(&guesses, 1, None).await);
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert!(guesses.attempt(mapped, None).await.is_err(), "the same");
        assert!(fails(&guesses, 2, None).await, "others are not held back");
    }

    #[tokio::test]
    async fn never_more_are_under_way_than_may_fail_and_the_others_wait() {
        let guesses = Arc::new(guesses(2));
        let first = guesses.attempt(origin(1), None).await.unwrap();
        let second = guesses.attempt(origin(1), None).await.unwrap();
        let third = tokio::spawn({
            let guesses = Arc::clone(&guesses);
            async move { guesses.attempt(origin(1), None).await.map(drop) }
        });
        let fourth = tokio::spawn({
            let guesses = Arc::clone(&guesses);
            async move { guesses.attempt(origin(1), None).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!third.is_finished() && !fourth.is_finished());
        drop(first);
        assert_eq!(third.await.unwrap(), Ok(()));
        assert_eq!(fourth.await.unwrap(), Ok(()));
        let waits = tokio::spawn({
            let guesses = Arc::clone(&guesses);
            let (first, second) = (guesses.attempt(origin(1), None).await.unwrap(), second);
            async move {
                let waiting = guesses.attempt(origin(1), None);
                let fail = async {
                    first.failed();
                    second.failed();
                };
                tokio::join!(waiting, fail).0.map(drop)
            }
        });
        assert_eq!(waits.await.unwrap(), Err(Reason::TooManyRequests));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_does_not_come_is_not_waited_for_for_ever() {
        let guesses = guesses(1);
        let _held = guesses.attempt(origin(1), None).await.unwrap();
        assert!(guesses.attempt(origin(1), None).await.is_err());
    }

    #[tokio::test]
    async fn guesses_at_one_account_count_wherever_they_come_from() {
        let guesses = guesses(3);
        for from in 1..=3 {
            assert!(fails(&guesses, from, Some("Sally ")).await);
        }
        assert!(!fails(&guesses, 4, Some("sally")).await);
        assert!(fails(&guesses, 4, Some("fanny")).await);
    }

    #[tokio::test]
    async fn whoever_guesses_elsewhere_locks_nobody_out_at_home() {
        let guesses = guesses(3);
        let attempt = guesses.attempt(origin(9), Some("sally")).await.unwrap();
        guesses.welcome(attempt).await;
        for from in 1..=3 {
            assert!(fails(&guesses, from, Some("sally")).await);
        }
        assert!(!fails(&guesses, 1, Some("sally")).await);
        for _ in 0..3 {
            assert!(fails(&guesses, 9, Some("sally")).await);
        }
        assert!(
            !fails(&guesses, 9, Some("sally")).await,
            "home has a bound, too"
        );
    }

    #[test]
    fn failures_are_forgotten_one_after_the_other() {
        let per_minute = NonZeroU32::new(6).unwrap();
        let (mut state, start) = (State::default(), Instant::now());
        for _ in 0..6 {
            state.fail(per_minute, start);
        }
        let left = |state: &mut State, seconds| {
            state.may_fail(per_minute, start + Duration::from_secs(seconds))
        };
        assert_eq!(left(&mut state, 9), 0);
        assert_eq!(left(&mut state, 10), 1);
        assert_eq!(left(&mut state, 59), 5);
        assert_eq!(left(&mut state, 3_600), 6);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_name_but_a_hash_and_of_the_past_but_a_minute() {
        let guesses = guesses(1_000);
        assert!(fails(&guesses, 1, Some("canary-name")).await);
        assert!(!format!("{guesses:?}").contains("canary"));
        guesses.sweep();
        assert_eq!(guesses.seats.len(), 2);
        tokio::time::sleep(Duration::from_millis(80)).await;
        guesses.sweep();
        assert_eq!(guesses.seats.len(), 0);
    }
}
