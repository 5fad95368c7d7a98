//! How everybody stands, in memory: each record of a reply asks at its turn, and no question goes to the store.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use jiff::Timestamp;

use super::address::Address;
use super::error::Error;
use super::fold::State;
use super::keys::{Kept, KeyKind, PersonKeys};
use super::person::Person;
use super::rows::{Asked, Known, Row, answer, rows};
use super::spelled::Spelled;
use super::terms::{About, Because, Standing, Terms};

/// How long what was confirmed with the store counts as fresh.
const FRESH: Duration = Duration::from_secs(1);
/// Persons that lie together.
const CHUNK: u32 = 256;

/// How everybody stands. What it holds follows the store; see [`Standings::freshness`].
#[derive(Debug)]
pub struct Standings {
    keys: Arc<PersonKeys>,
    known: Known,
    /// Whom a name finds.
    found: DashMap<Short, Found, foldhash::fast::RandomState>,
    /// Persons by number: chunks of [`CHUNK`].
    persons: DashMap<u32, Vec<Held>, foldhash::fast::RandomState>,
    /// Counts changes.
    changes: AtomicU64,
    /// Bytes of all rows.
    row_bytes: AtomicU64,
    started: Instant,
    /// Milliseconds since `started` at which everything was known to be here; 0 if never.
    confirmed: AtomicU64,
    /// Whether each record is taken for a person of its own, because no ledger knows better.
    pub(super) is_pretended: bool,
}

/// 96 bits of what is kept of a name: enough to tell the names of all the world apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Short([u8; 12]);

impl Short {
    fn of(kept: &Kept) -> Self {
        let mut short = [0; 12];
        let kept = kept.0.iter();
        short
            .iter_mut()
            .zip(kept)
            .for_each(|(to, from)| *to = *from);
        Self(short)
    }
}

/// The number of a person, and whether the name is of two.
#[derive(Clone, Copy, Debug)]
struct Found(u32);

impl Found {
    const SHARED: u32 = 1 << 31;

    fn person(self) -> u32 {
        self.0 & !Self::SHARED
    }

    fn is_shared(self) -> bool {
        self.0 & Self::SHARED != 0
    }
}

/// One person.
#[derive(Clone, Debug, Default)]
struct Held {
    rows: Box<[Row]>,
    /// The change at which this was last touched.
    changed: u64,
    /// The person that this one is now; itself if 0.
    merged_into: u32,
}

/// Whom a held reply shows, and since when.
#[derive(Clone, Debug)]
pub struct Shows {
    since: u64,
    keys: Vec<Kept>,
}

impl Shows {
    /// Adds a record.
    pub fn add(&mut self, standing: &Standing) {
        self.keys.extend_from_slice(&standing.keys);
    }
}

/// Who has some names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// Their number in this ledger; of those who were merged, that of the one who is left.
    pub person: Option<u32>,
    /// Whether the address is known as one of two names.
    pub is_shared: bool,
}

/// Whether standings are what the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// They were a second ago at most.
    Fresh,
    /// They may not be.
    Stale {
        /// For how long nothing was confirmed; `None` if nothing ever was.
        since: Option<Duration>,
    },
}

impl Standings {
    pub(super) fn new(keys: Arc<PersonKeys>) -> Self {
        Self {
            keys,
            known: Known::default(),
            found: DashMap::default(),
            persons: DashMap::default(),
            changes: AtomicU64::new(0),
            row_bytes: AtomicU64::new(0),
            started: Instant::now(),
            confirmed: AtomicU64::new(0),
            is_pretended: false,
        }
    }

    pub(super) fn keys(&self) -> &Arc<PersonKeys> {
        &self.keys
    }

    /// How the persons of a record stand for a purpose.
    pub fn about(
        &self,
        about: &About<'_>,
        purpose: &str,
        terms: &Terms<'_>,
        now: Timestamp,
    ) -> Standing {
        let asked = Asked::of(&self.known, purpose, terms, now.as_millisecond());
        let mut reached = Reached::default();
        for reference in about.references {
            let kept = self.keys.kept(0, KeyKind::Record, reference);
            self.reach(kept, true, &mut reached);
        }
        if let Some(primary) = about.primary {
            self.reach_address(primary, true, &mut reached);
        }
        // Lists of all addresses have the primary one, too, which does all that others do.
        let others = about.others.iter();
        for other in others.filter(|other| Some(**other) != about.primary) {
            self.reach_address(other, false, &mut reached);
        }
        self.decide(reached, &asked)
    }

    /// Who has one of these references, the first that somebody has, or else this address. An address of which two names are
    /// known tells nobody.
    pub fn whom<'r>(
        &self,
        references: impl Iterator<Item = &'r str>,
        address: Option<&Address>,
    ) -> Whom {
        if self.is_pretended {
            return Whom::default();
        }
        let spelled = address.map(|address| self.keys.kept_of(address));
        let spelled = spelled
            .into_iter()
            .flat_map(|(first, second)| iter::once(first).chain(second));
        let is_shared = spelled.clone().any(|kept| self.is_shared(&kept));
        let references = references.map(|text| self.keys.kept(0, KeyKind::Record, text));
        let mut names = references.chain(spelled.filter(|_| !is_shared));
        let found = names.find_map(|kept| {
            let found = self.found.get(&Short::of(&kept))?;
            Some(found.person())
        });
        Whom {
            person: found.map(|person| self.root(person)),
            is_shared,
        }
    }

    /// How a person who is known stands for a purpose, under whatever name.
    pub fn of(
        &self,
        person: &Person,
        purpose: &str,
        terms: &Terms<'_>,
        now: Timestamp,
    ) -> Standing {
        let asked = Asked::of(&self.known, purpose, terms, now.as_millisecond());
        let mut reached = Reached::default();
        for record in &person.records {
            let kept = self.keys.kept(0, KeyKind::Record, record.as_str());
            self.reach(kept, true, &mut reached);
        }
        for kept in person.emails.iter().filter_map(|text| Kept::read(text)) {
            self.reach(kept, true, &mut reached);
        }
        self.decide(reached, &asked)
    }

    /// Rule 4: of several persons, each with events must be valid, and one of those that may affirm must.
    fn decide(&self, reached: Reached, asked: &Asked) -> Standing {
        let mut standing = Standing {
            because: Because::Nothing,
            objected: reached.is_unread,
            restricted: reached.is_unread,
            person: reached.persons.iter().map(|(person, _)| *person).min(),
            keys: reached.keys,
        };
        let mut worst: Option<Because> = None;
        let mut affirms = false;
        for (person, may_affirm) in reached.persons {
            let answer = self.held(person, |held| answer(&held.rows, asked));
            let Some(answer) = answer else { continue };
            standing.objected |= answer.is_objected;
            standing.restricted |= answer.is_restricted;
            if answer.is_decided {
                worst = Some(worst.map_or(answer.because, |worst| worst.min(answer.because)));
                affirms |= may_affirm;
            }
        }
        standing.because = match worst {
            Some(Because::Valid) if !affirms => Because::Nothing,
            Some(worst) => worst,
            None => Because::Nothing,
        };
        standing
    }

    fn reach_address(&self, text: &str, may_affirm: bool, reached: &mut Reached) {
        let (first, second) = match self.keys.spelled(text) {
            Spelled::Kept(first, second) => (first, second),
            Spelled::Blank => return,
            Spelled::Unread => {
                reached.is_unread = true;
                return;
            }
        };
        let spelled = || iter::once(first).chain(second);
        // An address of which two names are known under any of the keys is one of two names.
        let is_shared = spelled().any(|kept| self.is_shared(&kept));
        for kept in spelled() {
            self.reach(kept, may_affirm && !is_shared, reached);
        }
    }

    fn is_shared(&self, kept: &Kept) -> bool {
        let found = self.found.get(&Short::of(kept));
        found.is_some_and(|found| found.is_shared())
    }

    fn reach(&self, kept: Kept, may_affirm: bool, reached: &mut Reached) {
        reached.keys.push(kept);
        let Some(found) = self.found.get(&Short::of(&kept)).map(|found| *found) else {
            return;
        };
        let person = self.root(found.person());
        let may_affirm = may_affirm && !found.is_shared();
        let known = reached
            .persons
            .iter_mut()
            .find(|(known, _)| *known == person);
        match known {
            Some((_, known)) => *known |= may_affirm,
            None => reached.persons.push((person, may_affirm)),
        }
    }

    /// Whom a person is now.
    fn root(&self, mut person: u32) -> u32 {
        while let Some(next) = self.held(person, |held| held.merged_into) {
            if next == 0 || next == person {
                break;
            }
            person = next;
        }
        person
    }

    fn held<T>(&self, person: u32, read: impl FnOnce(&Held) -> T) -> Option<T> {
        let chunk = self.persons.get(&(person / CHUNK))?;
        chunk.get((person % CHUNK) as usize).map(read)
    }

    /// Begins to note whom a reply shows. It comes before the first question for that reply.
    pub fn shows(&self) -> Shows {
        Shows {
            since: self.changes.load(Ordering::SeqCst),
            keys: Vec::new(),
        }
    }

    /// Whether anything became known since then of somebody whom a reply shows, a denial above all.
    pub fn changed_since(&self, shows: &Shows) -> bool {
        if self.changes.load(Ordering::SeqCst) == shows.since {
            return false;
        }
        let is_changed = |person: u32| {
            self.held(person, |held| held.changed > shows.since)
                .unwrap_or(false)
        };
        shows.keys.iter().any(|kept| {
            let found = self.found.get(&Short::of(kept)).map(|found| *found);
            found.is_some_and(|found| {
                is_changed(found.person()) || is_changed(self.root(found.person()))
            })
        })
    }

    /// Whether this is what the store has.
    pub fn freshness(&self) -> Freshness {
        self.freshness_at(Instant::now())
    }

    pub(super) fn freshness_at(&self, now: Instant) -> Freshness {
        let confirmed = self.confirmed.load(Ordering::SeqCst);
        if confirmed == 0 {
            return Freshness::Stale { since: None };
        }
        let confirmed = self.started + Duration::from_millis(confirmed);
        let since = now.saturating_duration_since(confirmed);
        match since <= FRESH {
            true => Freshness::Fresh,
            false => Freshness::Stale { since: Some(since) },
        }
    }

    /// Notes that everything which was in the store at that moment is here.
    pub(super) fn confirm(&self, at: Instant) {
        let since = at.saturating_duration_since(self.started).as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX).max(1);
        self.confirmed.fetch_max(since, Ordering::SeqCst);
    }

    /// The names of purposes and recipients.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Notes whom a name finds.
    pub(super) fn name(&self, kept: &Kept, person: u32, is_shared: bool) {
        let shared = if is_shared { Found::SHARED } else { 0 };
        self.found.insert(Short::of(kept), Found(person | shared));
        self.touch(person, |_| {});
    }

    /// Notes that a name finds nobody any more.
    pub(super) fn unname(&self, kept: &Kept) {
        if let Some((_, found)) = self.found.remove(&Short::of(kept)) {
            self.touch(found.person(), |_| {});
        }
    }

    /// Notes how a person stands.
    pub(super) fn stand(&self, person: u32, states: &[State]) -> Result<(), Error> {
        let rows = rows(states, &self.known)?;
        self.touch(person, |held| self.exchange(held, rows));
        Ok(())
    }

    /// Notes that a person is another one now, who stands for both.
    pub(super) fn merge(&self, person: u32, into: u32) {
        self.touch(person, |held| {
            held.merged_into = into;
            self.exchange(held, Box::default());
        });
    }

    fn exchange(&self, held: &mut Held, rows: Box<[Row]>) {
        self.row_bytes.fetch_add(bytes(&rows), Ordering::Relaxed);
        let before = std::mem::replace(&mut held.rows, rows);
        self.row_bytes.fetch_sub(bytes(&before), Ordering::Relaxed);
    }

    /// Changes a person, and notes that.
    fn touch(&self, person: u32, change: impl FnOnce(&mut Held)) {
        let mut chunk = self.persons.entry(person / CHUNK).or_default();
        let place = (person % CHUNK) as usize;
        if chunk.len() <= place {
            // Persons are numbered one after the other: a chunk grows to its end, and no further.
            let room = (place + 1).next_multiple_of(CHUNK as usize / 8);
            let more = room - chunk.len();
            chunk.reserve_exact(more);
            chunk.resize(place + 1, Held::default());
        }
        if let Some(held) = chunk.get_mut(place) {
            change(held);
            // Counted while nobody else can read this person: who counts from here on reads what is new.
            held.changed = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        }
    }

    /// Bytes of memory that this takes.
    pub fn bytes(&self) -> u64 {
        // A table has one byte beside each place.
        let name = size_of::<(Short, Found)>() + 1;
        let chunk = size_of::<(u32, Vec<Held>)>() + 1 + CHUNK as usize * size_of::<Held>();
        let names = self.found.capacity() * 8 / 7 * name;
        let persons = self.persons.len() * chunk;
        (names + persons) as u64 + self.row_bytes.load(Ordering::Relaxed)
    }
}

/// Whom a record reaches.
#[derive(Debug, Default)]
struct Reached {
    keys: Vec<Kept>,
    /// Each with whether it may affirm.
    persons: Vec<(u32, bool)>,
    /// Whether an address could not be read.
    is_unread: bool,
}

/// Bytes of rows, as an allocator gives them.
fn bytes(rows: &[Row]) -> u64 {
    (size_of_val(rows).next_multiple_of(16)) as u64
}
