//! Brings together what another system says of persons and what it said before. A system that keeps flags says the same each time it
//! is asked, so a flag is recorded when it is first seen, and again only after the system was seen without it: a flag that nobody
//! took away does not undo what the person said since.
//!
//! What was seen stands in the ledger itself, under references that are numbered for each flag of each record: whoever records it
//! twice finds it there.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;

use crate::hex::hex;

use super::address::Address;
use super::append;
use super::channel::Channel;
use super::draft::Draft;
use super::error::Error;
use super::event::Event;
use super::events;
use super::kinds::Kind;
use super::person::{Name, Who};
use super::persons::Persons;
use super::reference::Reference;
use super::store::Transaction;

/// Bytes of what tells flags apart.
const TAG_BYTES: usize = 16;

/// What another system says of the person of a record.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The record.
    pub record: Reference,
    /// Its primary address, if it has one.
    pub address: Option<Address>,
    /// Whether two names stand under that address: then nobody knows whose it is, and it only denies.
    pub is_shared: bool,
    /// What it says.
    pub says: Vec<Saying>,
}

/// A flag of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// The purpose that it is about.
    pub purpose: String,
    /// What it says where it is set: that the person agreed, or a denial.
    pub kind: Kind,
    /// Whether it is set.
    pub stands: bool,
    /// When that happened. Denials have no time: they count from when they were first seen.
    pub at: Option<Timestamp>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Records that were not known before.
    pub attached: u64,
    /// Events that affirm.
    pub affirmed: u64,
    /// Events that deny.
    pub denied: u64,
    /// Notes that a flag is gone.
    pub gone: u64,
}

impl Reconciled {
    /// Adds what came of something else.
    pub fn add(&mut self, other: Self) {
        self.attached += other.attached;
        self.affirmed += other.affirmed;
        self.denied += other.denied;
        self.gone += other.gone;
    }

    fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Notice => self.gone += 1,
            kind if kind.denies() => self.denied += 1,
            _ => self.affirmed += 1,
        }
    }
}

/// Who says it, who asked, and when.
pub(super) struct From<'a> {
    pub(super) source: &'a str,
    pub(super) by: &'a str,
    pub(super) now: Timestamp,
}

/// Looks what would come of it. Nothing changes.
pub(super) fn look(
    persons: &mut Persons<'_>,
    heard: &[Heard],
    _: &From<'_>,
) -> Result<Reconciled, Error> {
    let mut done = Reconciled::default();
    for heard in heard {
        done.attached += u64::from(is_attached(persons, heard)?);
        for saying in heard.counted() {
            if let Some(due) = due(persons.within, &heard.record, saying)? {
                done.count(due.kind);
            }
        }
    }
    Ok(done)
}

/// Records it.
pub(super) fn record(
    persons: &mut Persons<'_>,
    heard: &[Heard],
    from: &From<'_>,
) -> Result<Reconciled, Error> {
    let mut done = Reconciled::default();
    for heard in heard {
        if is_attached(persons, heard)? {
            done.attached += 1;
        }
        let Some(who) = attach(persons, heard)? else {
            continue;
        };
        for saying in heard.counted() {
            if let Some(due) = due(persons.within, &heard.record, saying)? {
                done.count(due.kind);
                let draft = due.draft(who.clone(), saying, from);
                append::append(persons, &draft, from.now)?;
            }
        }
    }
    Ok(done)
}

impl Heard {
    /// What counts of it: nobody has agreed under an address of which nobody knows whose it is.
    fn counted(&self) -> impl Iterator<Item = &Saying> {
        let counts = |saying: &&Saying| !self.is_shared || !saying.kind.affirms();
        self.says.iter().filter(counts)
    }

    /// Whether somebody must be known for it: who has no address and says nothing need not be.
    fn is_of_somebody(&self) -> bool {
        self.address.is_some() || self.says.iter().any(|saying| saying.stands)
    }
}

/// Whether its record becomes known by it.
fn is_attached(persons: &mut Persons<'_>, heard: &Heard) -> Result<bool, Error> {
    let name = Name::Record(heard.record.clone());
    Ok(heard.is_of_somebody() && persons.named(&name)?.is_none())
}

/// Whom it is about, who becomes known by it. What denies under an address of two names is about whoever has the address.
fn attach(persons: &mut Persons<'_>, heard: &Heard) -> Result<Option<Who>, Error> {
    let who = match &heard.address {
        _ if !heard.is_of_somebody() => {
            let known = persons.find(&Who::Record(heard.record.clone()))?;
            return Ok(known.map(Who::Person));
        }
        None => Who::Record(heard.record.clone()),
        Some(address) if heard.is_shared => {
            persons.separate(&heard.record, address)?;
            if !persons.is_shared(&Name::Address(address.clone()))? {
                persons.share(address, true)?;
            }
            Who::Address(address.clone())
        }
        Some(address) => Who::RecordWith(heard.record.clone(), address.clone()),
    };
    persons
        .find_or_make(&who)
        .map(|person| Some(Who::Person(person)))
}

/// An event that is to be recorded of a flag.
struct Next {
    kind: Kind,
    reference: String,
}

impl Next {
    fn draft(&self, who: Who, saying: &Saying, from: &From<'_>) -> Draft {
        let mut draft = Draft::new(who, &saying.purpose, self.kind, Channel::Sync);
        draft.at = saying.at.filter(|_| self.kind == saying.kind);
        draft.source = from.source.to_owned();
        draft.by = from.by.to_owned();
        draft.reference = Some(self.reference.clone());
        draft
    }
}

/// What is to be recorded of a flag, after what was recorded of it before.
fn due(
    within: &mut dyn Transaction,
    record: &Reference,
    saying: &Saying,
) -> Result<Option<Next>, Error> {
    let tag = tag(record, saying);
    let (number, last) = last(within, &tag)?;
    let was_set = last.as_ref().filter(|last| last.kind == saying.kind);
    let kind = match (saying.stands, was_set) {
        (true, None) => saying.kind,
        (true, Some(last)) => {
            let is_another = saying.at.is_some_and(|at| at.as_millisecond() != last.at);
            match is_another {
                true => saying.kind,
                false => return Ok(None),
            }
        }
        // Whoever is no longer among those who agreed has withdrawn.
        (false, Some(_)) if saying.kind.affirms() => Kind::Withdrawn,
        (false, Some(_)) => Kind::Notice,
        (false, None) => return Ok(None),
    };
    let reference = numbered(&tag, number + 1);
    Ok(Some(Next { kind, reference }))
}

/// The last event of a flag, and its number; 0, if there is none.
fn last(within: &mut dyn Transaction, tag: &str) -> Result<(u64, Option<Event>), Error> {
    let (mut number, mut last) = (0, None);
    while let Some(event) = events::referred(within, &numbered(tag, number + 1))? {
        number += 1;
        last = Some(event);
    }
    Ok((number, last))
}

fn numbered(tag: &str, number: u64) -> String {
    format!("sync.{tag}.{number}")
}

/// What tells a flag of a record apart from all others.
fn tag(record: &Reference, saying: &Saying) -> String {
    let mut hash = Context::new(&SHA256);
    for part in [record.as_str(), &saying.purpose, saying.kind.name()] {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    let hash = hash.finish();
    hex(hash.as_ref().get(..TAG_BYTES).unwrap_or_default())
}
