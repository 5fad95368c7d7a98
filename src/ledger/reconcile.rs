//! Brings together what another system says of persons and what it said before. A system that keeps flags says the same each time it
//! is asked, so a flag is recorded when it is first seen, and again only after the system was seen without it: a flag that nobody
//! took away does not undo what the person said since.
//!
//! What was seen stands in the ledger itself, under references that are numbered for each flag of each record: whoever records it
//! twice finds it there.

use std::collections::BTreeSet;

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
use super::fold::fold;
use super::kinds::{Kind, Proof};
use super::person::{Name, PersonId, Who};
use super::persons::Persons;
use super::reference::Reference;

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
    /// How well that is proven.
    pub proof: Proof,
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
        for (_, kind) in left_behind(persons, heard)? {
            done.count(kind);
        }
        let whom = foreseen(persons, heard)?;
        for (saying, part, person) in heard.counted(&whom) {
            if let Some(due) = due(persons, (&heard.record, part), saying, person)? {
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
        done.attached += u64::from(is_attached(persons, heard)?);
        let left = left_behind(persons, heard)?;
        let whom = attach(persons, heard)?;
        for (purpose, kind) in left {
            let Some(own) = &whom.own else { continue };
            done.count(kind);
            let draft = from.draft(own, &purpose, kind);
            append::append(persons, &draft, from.now)?;
        }
        for (saying, part, person) in heard.counted(&whom) {
            if let Some(due) = due(persons, (&heard.record, part), saying, person)? {
                done.count(due.kind);
                let draft = due.draft(saying, from)?;
                append::append(persons, &draft, from.now)?;
            }
        }
    }
    Ok(done)
}

/// Whom a record reaches.
struct Whom {
    /// The record's own person; `None`: somebody who is not known yet, or nobody.
    own: Option<PersonId>,
    /// Who has its address, where that matters: of a shared one, what denies is about that one, too; and who confirmed an
    /// address is who has it, whatever record states it.
    of_address: Option<PersonId>,
    /// Whether something can be proven of whoever has its address: there is one, and it never stood under two names.
    is_provable: bool,
}

/// Which of the persons of a record a flag is about. Each has its own count of what was recorded.
#[derive(Clone, Copy)]
enum Part {
    Own,
    Address,
}

impl Heard {
    /// What counts of it, and of whom: nobody has agreed under an address of which nobody knows whose it is, and what denies
    /// there denies for the record and for the address, so that it stands whichever of the two changes. What is proven is of
    /// the address alone: whoever can change that of a record proves nothing of the record's person.
    fn counted<'h>(
        &'h self,
        whom: &'h Whom,
    ) -> impl Iterator<Item = (&'h Saying, Part, Option<&'h PersonId>)> {
        // Whoever takes back what they had agreed to denies.
        let denies = |saying: &Saying| !saying.kind.affirms() || !saying.stands;
        let counts = move |saying: &&Saying| !self.is_shared || denies(saying);
        let all = self.says.iter().filter(counts);
        let own = all.clone().filter(|saying| saying.proof == Proof::None);
        let own = own.map(move |saying| (saying, Part::Own, whom.own.as_ref()));
        let of_address = all.filter(move |saying| match saying.proof {
            Proof::None => self.is_shared,
            _ => whom.is_provable || denies(saying),
        });
        own.chain(of_address.map(move |saying| (saying, Part::Address, whom.of_address.as_ref())))
    }

    /// Whether it says something of whoever has its address.
    fn is_proven(&self) -> bool {
        self.says.iter().any(|saying| saying.proof != Proof::None)
    }

    /// Whether somebody must be known for it: who has no address and says nothing need not be.
    fn is_of_somebody(&self) -> bool {
        self.address.is_some() || self.says.iter().any(|saying| saying.stands)
    }

    /// Its address, if nobody knows whose that is.
    fn shared(&self) -> Option<&Address> {
        self.address.as_ref().filter(|_| self.is_shared)
    }
}

/// Whether its record becomes known by it.
fn is_attached(persons: &mut Persons<'_>, heard: &Heard) -> Result<bool, Error> {
    let name = Name::Record(heard.record.clone());
    Ok(heard.is_of_somebody() && persons.named(&name)?.is_none())
}

/// The person that a record leaves, because two names stand under the address by which it was found.
fn left(persons: &mut Persons<'_>, heard: &Heard) -> Result<Option<PersonId>, Error> {
    let Some(address) = heard.shared() else {
        return Ok(None);
    };
    let own = persons.named(&Name::Record(heard.record.clone()))?;
    let of_address = persons.named(&Name::Address(address.clone()))?;
    Ok(own.filter(|own| Some(own) == of_address.as_ref()))
}

/// The denials that stand for the person that a record leaves: they are recorded once more for the one that becomes its own, which
/// else would be one that has denied nothing.
fn left_behind(
    persons: &mut Persons<'_>,
    heard: &Heard,
) -> Result<BTreeSet<(String, Kind)>, Error> {
    let Some(left) = left(persons, heard)? else {
        return Ok(BTreeSet::new());
    };
    let mut denials = BTreeSet::new();
    for state in fold(&persons.history(&left)?) {
        let mut stands = |is_so: bool, kind| {
            if is_so {
                denials.insert((state.purpose.clone(), kind));
            }
        };
        stands(state.is_objected, Kind::Objected);
        stands(state.is_restricted, Kind::Restricted);
        let is_told = state.is_objected || state.is_restricted;
        stands(state.is_denied && !is_told, Kind::Withdrawn);
    }
    Ok(denials)
}

/// Whom it will be about. Nothing changes.
fn foreseen(persons: &mut Persons<'_>, heard: &Heard) -> Result<Whom, Error> {
    let record = Who::Record(heard.record.clone());
    let Some(address) = &heard.address else {
        return Ok(Whom {
            own: persons.find(&record)?,
            of_address: None,
            is_provable: false,
        });
    };
    if heard.is_shared {
        let is_left = left(persons, heard)?.is_some();
        return Ok(Whom {
            own: persons.find(&record)?.filter(|_| !is_left),
            of_address: persons.find(&Who::Address(address.clone()))?,
            is_provable: false,
        });
    }
    let who = Who::RecordWith(heard.record.clone(), address.clone());
    let is_provable = is_provable(persons, heard, address)?;
    let of_address = match heard.is_proven() {
        true => persons.find(&Who::Address(address.clone()))?,
        false => None,
    };
    Ok(Whom {
        own: persons.find(&who)?,
        of_address,
        is_provable,
    })
}

/// Whether it says something that is proven of whoever has its address, and somebody has it. That two names stood under it is
/// not taken back by what is heard later.
fn is_provable(persons: &mut Persons<'_>, heard: &Heard, address: &Address) -> Result<bool, Error> {
    Ok(heard.is_proven() && !persons.is_shared(&Name::Address(address.clone()))?)
}

/// Whom it is about, who becomes known by it.
fn attach(persons: &mut Persons<'_>, heard: &Heard) -> Result<Whom, Error> {
    let record = Who::Record(heard.record.clone());
    if !heard.is_of_somebody() {
        return Ok(Whom {
            own: persons.find(&record)?,
            of_address: None,
            is_provable: false,
        });
    }
    let Some(address) = &heard.address else {
        return Ok(Whom {
            own: Some(persons.find_or_make(&record)?),
            of_address: None,
            is_provable: false,
        });
    };
    if heard.is_shared {
        let own = persons.separate(&heard.record, address)?;
        let of_address = persons.find_or_make(&Who::Address(address.clone()))?;
        if !persons.is_shared(&Name::Address(address.clone()))? {
            persons.share(address, true)?;
        }
        return Ok(Whom {
            own: Some(own),
            of_address: Some(of_address),
            is_provable: false,
        });
    }
    let who = Who::RecordWith(heard.record.clone(), address.clone());
    let own = persons.find_or_make(&who)?;
    let is_provable = is_provable(persons, heard, address)?;
    let who = Who::Address(address.clone());
    let of_address = match (heard.is_proven(), is_provable) {
        (true, true) => Some(persons.find_or_make(&who)?),
        (true, false) => persons.find(&who)?,
        (false, _) => None,
    };
    Ok(Whom {
        own: Some(own),
        of_address,
        is_provable,
    })
}

impl From<'_> {
    fn draft(&self, person: &PersonId, purpose: &str, kind: Kind) -> Draft {
        let who = Who::Person(person.clone());
        let mut draft = Draft::new(who, purpose, kind, Channel::Sync);
        draft.source = self.source.to_owned();
        draft.by = self.by.to_owned();
        draft
    }
}

/// An event that is to be recorded of a flag.
struct Next {
    kind: Kind,
    reference: String,
    /// Of whom; `None`: of somebody who is not known yet.
    person: Option<PersonId>,
}

impl Next {
    fn draft(&self, saying: &Saying, from: &From<'_>) -> Result<Draft, Error> {
        let person = self.person.as_ref().ok_or(Error::Nobody)?;
        let mut draft = from.draft(person, &saying.purpose, self.kind);
        if self.kind == saying.kind {
            draft.at = saying.at;
            draft.proof = saying.proof;
        }
        draft.reference = Some(self.reference.clone());
        Ok(draft)
    }
}

/// What is to be recorded of a flag, after what was recorded of it before. What was recorded of somebody whom the record does not
/// reach any more is none of the person whom it reaches now.
fn due(
    persons: &mut Persons<'_>,
    (record, part): (&Reference, Part),
    saying: &Saying,
    person: Option<&PersonId>,
) -> Result<Option<Next>, Error> {
    let tag = tag(record, part, saying);
    let of_address = (saying.proof != Proof::None).then_some(person);
    let (number, last) = last(persons, &tag, of_address)?;
    let last = last.filter(|last| last.kind == saying.kind);
    let of = match &last {
        Some(last) => Some(persons.root(last.person.clone())?),
        None => None,
    };
    let was_set = last.filter(|_| of.as_ref() == person);
    let (kind, person) = match (saying.stands, was_set, of) {
        (true, Some(last), _) if saying.at.is_none_or(|at| at.as_millisecond() == last.at) => {
            return Ok(None);
        }
        (true, ..) => (saying.kind, person.cloned()),
        // Whoever is no longer among those who agreed has withdrawn: that is who had agreed.
        (false, _, Some(of)) if saying.kind.affirms() => (Kind::Withdrawn, Some(of)),
        (false, _, Some(of)) => (Kind::Notice, Some(of)),
        (false, _, None) => return Ok(None),
    };
    let reference = numbered(&tag, number + 1);
    Ok(Some(Next {
        kind,
        reference,
        person,
    }))
}

/// The number of the last event of a flag, 0 if there is none, and that event; of a flag of addresses, the last of whoever has
/// this one.
fn last(
    persons: &mut Persons<'_>,
    tag: &str,
    of_address: Option<Option<&PersonId>>,
) -> Result<(u64, Option<Event>), Error> {
    let (mut number, mut last) = (0, None);
    while let Some(event) = events::referred(persons.within, &numbered(tag, number + 1))? {
        number += 1;
        let is_of_it = match of_address {
            Some(person) => Some(&persons.root(event.person.clone())?) == person,
            None => true,
        };
        if is_of_it {
            last = Some(event);
        }
    }
    Ok((number, last))
}

fn numbered(tag: &str, number: u64) -> String {
    format!("sync.{tag}.{number}")
}

/// What tells a flag of a record apart from all others.
fn tag(record: &Reference, of: Part, saying: &Saying) -> String {
    let mut hash = Context::new(&SHA256);
    for part in [record.as_str(), &saying.purpose, saying.kind.name()] {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    if let Part::Address = of {
        hash.update(b"address\0");
    }
    // What is proven is a flag of its own, beside the word of somebody of the house.
    if saying.proof != Proof::None {
        hash.update(saying.proof.name().as_bytes());
        hash.update(&[0]);
    }
    let hash = hash.finish();
    hex(hash.as_ref().get(..TAG_BYTES).unwrap_or_default())
}
