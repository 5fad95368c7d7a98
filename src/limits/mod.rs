//! How many records, or persons whom they are about, each caller was shown in a while. A reply is counted before it leaves: first
//! its records are reserved, all at once or none, then it is recorded, then they count. Whatever fails in between gives them back.
//!
//! `window` counts for one caller and limit, `shown` says which records count, `persons` who is whom, `counted` proves that they
//! were, `recount` counts what the log tells of before. Records, persons and callers are known by keyed hashes only, which die with
//! the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use dashmap::DashMap;

use crate::policy::{Count, Plan, Policy};
use crate::vocabulary::{Module, RecordRef};

mod counted;
mod persons;
mod recount;
mod rules;
mod shown;
#[cfg(test)]
mod tests;
mod window;

pub use counted::{Counted, Reached, Reserved, Stop, Stopped, Used};
pub use recount::{Recount, Told, ToldField};
pub use rules::Who;
pub use shown::{Fields, Shown};

use persons::{Found, Met};
use rules::{Rule, Set};
use window::{Key, Twelfth, Window};

/// Records and persons that are counted at once, over all callers and limits: with everything around them, about 200 MB, and as
/// much again for other names of persons. Beyond that no limit lets anything through that it does not count already.
pub const COUNTED_MAX: usize = 2_000_000;

/// How late it is when a process begins: what was shown before lies not before the beginning of time.
const BEGINNING: Duration = Duration::from_secs(2 * 86_400);

/// What counts for a limit, each once.
type Wanted = (Arc<Rule>, Found);

/// Under which it counts.
type Held = (Arc<Rule>, Vec<Key>);

/// No random numbers.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system has no random numbers")]
pub struct NoSecret;

/// Counts what callers are shown. Clones count together.
#[derive(Clone)]
pub struct Meter(Arc<Inner>);

struct Inner {
    secret: hmac::Key,
    started: Instant,
    current: ArcSwap<Set>,
    accounts: DashMap<Key, BTreeMap<u64, Window>>,
    /// Records and persons in all windows.
    counted: AtomicUsize,
    counted_max: usize,
    /// The next number of a rule, or of a record without a name.
    next: AtomicU64,
}

/// Limits that are about to come into force.
#[derive(Debug)]
pub struct Incoming {
    set: Arc<Set>,
    fresh: Vec<Arc<Rule>>,
}

/// Limits that were in force before.
#[derive(Debug)]
pub struct Outgoing(Arc<Set>);

impl Meter {
    /// Counts for the limits of a policy, of which nothing was shown before.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new(policy: &Policy) -> Result<Self, NoSecret> {
        let meter = Self::empty()?;
        let incoming = meter.incoming(policy);
        let _ = meter.put(&incoming);
        meter.ready(&incoming);
        Ok(meter)
    }

    /// Counts for no limit yet.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn empty() -> Result<Self, NoSecret> {
        Self::holding(COUNTED_MAX)
    }

    /// The same, at most so many records.
    fn holding(counted_max: usize) -> Result<Self, NoSecret> {
        let secret = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Self(Arc::new(Inner {
            secret: secret.map_err(|_| NoSecret)?,
            started: Instant::now(),
            current: ArcSwap::default(),
            accounts: DashMap::new(),
            counted: AtomicUsize::new(0),
            counted_max,
            next: AtomicU64::new(1),
        })))
    }

    /// The limits of a policy, before they come into force.
    pub fn incoming(&self, policy: &Policy) -> Incoming {
        let before = self.0.current.load();
        let next = || self.0.next.fetch_add(1, Ordering::Relaxed);
        let set = Set::of(policy, &before, next);
        let is_known = |rule: &Arc<Rule>| before.rules.iter().any(|one| Arc::ptr_eq(one, rule));
        let fresh = set.rules.iter().filter(|rule| !is_known(rule)).cloned();
        Incoming {
            fresh: fresh.collect(),
            set: Arc::new(set),
        }
    }

    /// Puts limits in force. Those that are new let nothing through before they are [`Self::ready`].
    pub fn put(&self, incoming: &Incoming) -> Outgoing {
        Outgoing(self.0.current.swap(incoming.set.clone()))
    }

    /// What was shown before was counted.
    pub fn ready(&self, incoming: &Incoming) {
        for rule in &incoming.fresh {
            rule.ready.send_replace(true);
        }
    }

    /// Whose account a plan's records are counted on: that of a caller of a CRM.
    pub fn who(&self, upstream: &str, caller: &str, plan: &Plan) -> Who {
        Who::of(self.account(upstream, caller), plan)
    }

    fn account(&self, upstream: &str, caller: &str) -> Key {
        self.key(&["caller", upstream, caller])
    }

    /// A person, by the number that a ledger has for them.
    pub fn person(&self, number: u32) -> u128 {
        self.key(&["person", &number.to_string()])
    }

    /// Whoever has an address, in its one spelling.
    pub fn address(&self, address: &str) -> u128 {
        self.key(&["address", address])
    }

    /// A record, as an account knows it. Accounts are of one CRM, so its name need not stand here.
    pub fn record(&self, module: &str, id: &str) -> u128 {
        self.key(&["record", module, id])
    }

    /// A record that nobody can recognise: it counts as another one each time.
    fn unnamed(&self) -> Key {
        u128::from(self.0.next.fetch_add(1, Ordering::Relaxed))
    }

    /// So many of them; no more than is too much for a limit, whatever it is.
    fn each_unnamed(&self, count: u64, rule: &Rule) -> impl Iterator<Item = Key> {
        let most = u64::from(rule.limit.max()) + 1;
        (0..count.min(most)).map(|_| self.unnamed())
    }

    fn key(&self, parts: &[&str]) -> Key {
        let mut context = hmac::Context::with_key(&self.0.secret);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let bytes = tag.as_ref().iter().take(16);
        bytes.fold(0, |key, byte| key << 8 | u128::from(*byte))
    }

    fn now(&self) -> Duration {
        BEGINNING + self.0.started.elapsed()
    }

    /// Waits until what was shown before was counted for all limits that count for somebody.
    pub async fn wait(&self, who: &Who) {
        let set = self.0.current.load_full();
        for rule in set.applying(who) {
            // It cannot be gone as long as the set is held.
            let _ = rule.ready.subscribe().wait_for(|ready| *ready).await;
        }
    }

    /// Counts what a reply is about to show, if no limit stops it.
    ///
    /// # Errors
    /// If one does: then nothing is counted.
    pub fn reserve(&self, who: &Who, shown: &Shown<'_>) -> Result<Reserved, Stopped> {
        self.reserve_at(self.now(), who, shown)
    }

    fn reserve_at(&self, now: Duration, who: &Who, shown: &Shown<'_>) -> Result<Reserved, Stopped> {
        let set = self.0.current.load_full();
        let met = self.met(&set, who, shown);
        if met.iter().any(|(rule, _)| !rule.is_ready()) {
            return Err(Stopped::NotReady);
        }
        let mut reserved = Reserved {
            meter: self.clone(),
            account: who.account,
            held: Vec::new(),
            reached: Vec::new(),
            used: Vec::new(),
            _by: set,
        };
        if met.is_empty() {
            return Ok(reserved);
        }
        // The account is locked until all of it is reserved: requests at the same time cannot share what is left.
        let mut windows = self.0.accounts.entry(who.account).or_default();
        let wanted = self.turn(&mut windows, now, met);
        if let Some(stop) = stop(&mut windows, (who, now), &wanted) {
            return Err(Stopped::Reached(Box::new(stop)));
        }
        self.find_room(&windows, who, &wanted)?;
        for (rule, found) in wanted {
            let window = windows.entry(rule.number).or_default();
            self.hold(window, (rule, found), who, &mut reserved);
        }
        Ok(reserved)
    }

    /// Forgets what counts no longer for some limits, and finds what was met in what still does.
    fn turn(
        &self,
        windows: &mut BTreeMap<u64, Window>,
        now: Duration,
        met: Vec<(Arc<Rule>, Met<'_>)>,
    ) -> Vec<Wanted> {
        let before = in_all(windows);
        let wanted = met.into_iter().map(|(rule, met)| {
            let window = windows.entry(rule.number).or_default();
            window.turn(Twelfth::at(now, rule.limit.per()));
            let found = met.found(window, || self.unnamed());
            (rule, found)
        });
        let wanted = wanted.collect();
        self.resized(before, in_all(windows));
        wanted
    }

    /// Whether there is room for what must be counted one by one, because a limit holds back what is beyond it.
    fn find_room(
        &self,
        windows: &BTreeMap<u64, Window>,
        who: &Who,
        wanted: &[Wanted],
    ) -> Result<(), Stopped> {
        let stopping = wanted.iter().filter(|(rule, _)| rule.stops(who));
        let adds = stopping.map(|(rule, found)| {
            let window = windows.get(&rule.number);
            window.map_or(found.keys.len(), |window| window.adds(&found.keys))
        });
        let adds: usize = adds.sum();
        match adds == 0 || self.has_room_for(adds) {
            true => Ok(()),
            false => Err(Stopped::Full),
        }
    }

    /// Counts for one limit what a reply is about to show.
    fn hold(&self, window: &mut Window, (rule, mut found): Wanted, who: &Who, to: &mut Reserved) {
        let adds = window.adds(&found.keys);
        let would_be = window.used() + adds;
        let is_over = exceeds(would_be, &rule) || window.has_overflowed();
        if is_over && window.tell(window.now()) {
            to.reached.push(reached(&rule, would_be));
        }
        // For what is held back, there was room.
        let fits = rule.stops(who) || self.has_room(window, &rule, adds);
        if !fits {
            window.overflow(window.now());
            found.keys.retain(|key| window.holds(*key));
        }
        let before = window.used();
        window.meet(&found);
        self.resized(before, window.used());
        to.used.extend(used(&rule, window));
        to.held.push((rule, found.keys));
    }

    /// What counts for each limit that counts for somebody.
    fn met<'s>(&self, set: &Set, who: &Who, shown: &Shown<'s>) -> Vec<(Arc<Rule>, Met<'s>)> {
        let mut keys: Vec<Option<Key>> = vec![None; shown.refs.len()];
        let met = set.applying(who).map(|rule| {
            let met = match (rule.limit.count(), shown.whom) {
                (Count::Persons, Some(whom)) => {
                    Met::Persons(shown.persons(&rule.limit, whom).collect())
                }
                (Count::Persons, None) => Met::Somebody(self.records(rule, shown, &mut keys)),
                (Count::Records, _) => Met::Records(self.records(rule, shown, &mut keys)),
            };
            (rule.clone(), met)
        });
        met.collect()
    }

    /// The records that count for a limit.
    fn records(&self, rule: &Rule, shown: &Shown<'_>, keys: &mut [Option<Key>]) -> Vec<Key> {
        let mut modules: BTreeMap<&Module, bool> = BTreeMap::new();
        let mut of = Vec::new();
        for (record, key) in shown.refs.iter().zip(keys) {
            let counts = *modules
                .entry(&record.module)
                .or_insert_with(|| shown.fields.count_of(&rule.limit, &record.module));
            if counts {
                of.push(*key.get_or_insert_with(|| self.key_of(record)));
            }
        }
        if shown.unnamed > 0 && shown.fields.count_of_any(&rule.limit) {
            of.extend(self.each_unnamed(shown.unnamed, rule));
        }
        of
    }

    fn key_of(&self, record: &RecordRef) -> Key {
        self.record(record.module.as_str(), &record.id)
    }

    /// Whether so many more fit. Who is only told of counts up to twice what the limit names.
    fn has_room(&self, window: &Window, rule: &Rule, adds: usize) -> bool {
        let max = usize::try_from(rule.limit.max()).unwrap_or(usize::MAX);
        let most = max.saturating_mul(2);
        adds == 0 || (window.used() + adds <= most && self.has_room_for(adds))
    }

    /// Whether so many more fit. Requests at the same time may be a little over that together.
    fn has_room_for(&self, adds: usize) -> bool {
        let all = self.0.counted.load(Ordering::Relaxed);
        all.saturating_add(adds) <= self.0.counted_max
    }

    /// How much of the limits is used up that count for somebody, without showing anything.
    pub fn used(&self, who: &Who) -> Vec<Used> {
        let set = self.0.current.load_full();
        let Some(account) = self.0.accounts.get(&who.account) else {
            return Vec::new();
        };
        let told = set
            .applying(who)
            .filter_map(|rule| used(rule, account.get(&rule.number)?));
        told.collect()
    }

    /// Ends what was reserved: at some time it leaves, or never.
    fn settle(&self, account: Key, held: &[Held], leaves: Option<Duration>) {
        let Some(mut account) = self.0.accounts.get_mut(&account) else {
            return;
        };
        let before = in_all(&account);
        for (rule, keys) in held {
            let Some(window) = account.get_mut(&rule.number) else {
                continue;
            };
            match leaves {
                Some(now) => {
                    window.turn(Twelfth::at(now, rule.limit.per()));
                    window.keep(keys);
                }
                None => window.give_back(keys),
            }
        }
        self.resized(before, in_all(&account));
    }

    fn resized(&self, before: usize, after: usize) {
        let counted = &self.0.counted;
        match after.checked_sub(before) {
            Some(more) => counted.fetch_add(more, Ordering::Relaxed),
            None => counted.fetch_sub(before - after, Ordering::Relaxed),
        };
    }

    /// Forgets what counts no longer, and limits that are gone. Called now and then.
    pub fn sweep(&self) {
        self.sweep_at(self.now());
    }

    fn sweep_at(&self, now: Duration) {
        let set = self.0.current.load_full();
        self.0.accounts.retain(|_, windows| {
            let before = in_all(windows);
            windows.retain(|number, window| {
                let rule = set.rules.iter().find(|rule| rule.number == *number);
                if let Some(rule) = rule {
                    window.turn(Twelfth::at(now, rule.limit.per()));
                }
                rule.is_some() && !window.is_spent()
            });
            self.resized(before, in_all(windows));
            !windows.is_empty()
        });
    }

    /// Forgets what anybody was shown.
    pub fn forget(&self) {
        self.0.accounts.retain(|_, windows| {
            self.resized(in_all(windows), 0);
            false
        });
    }

    /// Records and persons that are counted now.
    pub fn counted(&self) -> usize {
        self.0.counted.load(Ordering::Relaxed)
    }
}

impl Outgoing {
    /// Whether nothing is reserved any more that these limits counted.
    pub fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) <= 1
    }
}

impl Incoming {
    /// Whether something must be counted that was shown before.
    pub fn is_new(&self) -> bool {
        !self.fresh.is_empty()
    }
}

impl fmt::Debug for Meter {
    /// Without what it knows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("counted", &self.counted())
            .finish_non_exhaustive()
    }
}

fn in_all(windows: &BTreeMap<u64, Window>) -> usize {
    windows.values().map(Window::used).sum()
}

fn exceeds(records: usize, rule: &Rule) -> bool {
    records as u64 > u64::from(rule.limit.max())
}

fn reached(rule: &Rule, would_be: usize) -> Reached {
    Reached {
        limit: rule.limit.clone(),
        would_be: would_be as u64,
    }
}

fn used(rule: &Rule, window: &Window) -> Option<Used> {
    let used = Used::new(&rule.limit, window.used());
    used.is_told().then_some(used)
}

/// What stops a reply: all limits that it would cross, as far as they hold something back.
fn stop(
    windows: &mut BTreeMap<u64, Window>,
    (who, now): (&Who, Duration),
    wanted: &[Wanted],
) -> Option<Stop> {
    let mut crossed: Option<Stop> = None;
    for (rule, found) in wanted {
        let window = windows.entry(rule.number).or_default();
        let adds = window.adds(&found.keys);
        let would_be = window.used() + adds;
        let is_over = exceeds(would_be, rule) || window.has_overflowed();
        if adds == 0 || !rule.stops(who) || !is_over {
            continue;
        }
        let per = rule.limit.per();
        let excess = would_be.saturating_sub(usize::try_from(rule.limit.max()).unwrap_or(0));
        let freed = window.freed_from(excess, per);
        let wait = freed.map_or_else(|| per.length(), |freed| freed.saturating_sub(now));
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
        let challenge = rule.challenge.clone();
        let stop = crossed.get_or_insert_with(|| Stop {
            retry_after_seconds: seconds,
            challenge: challenge.clone(),
            reached: Vec::new(),
        });
        stop.retry_after_seconds = stop.retry_after_seconds.max(seconds);
        // No authentication helps against a limit that asks for none.
        if challenge.is_none() {
            stop.challenge = None;
        }
        if window.tell(window.now()) {
            stop.reached.push(reached(rule, would_be));
        }
    }
    crossed
}
