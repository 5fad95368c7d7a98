//! Records an event: the event, its chain, who it is about, the link that it takes, what it sends, in one transaction.

use jiff::Timestamp;

use super::channel::Channel;
use super::counters::Counter;
use super::draft::{Draft, EVERY};
use super::error::Error;
use super::event::{Event, MERGE};
use super::kinds::Kind;
use super::outgoing::Outgoing;
use super::person::{PersonId, Who};
use super::persons::Persons;
use super::refused::Refused;
use super::rows::MEMBERS_MAX;
use super::{events, links, outbox, random};

/// The sink that the access log takes events up from.
pub(super) const AUDIT: &str = "audit";

/// Records an event; whether it is new. The store's other writers wait.
pub(super) fn append(
    persons: &mut Persons<'_>,
    draft: &Draft,
    now: Timestamp,
) -> Result<(Event, bool), Error> {
    draft.check(now)?;
    if let Some(known) = repeated(persons, draft)? {
        return Ok((known, false));
    }
    let person = persons.find_or_make(&draft.who)?;
    let answers = match &draft.channel {
        Channel::Link(shown) => {
            let owner = persons.root(shown.person.clone())?;
            let is_for = shown.purpose == EVERY || shown.purpose == draft.purpose;
            if owner != person || !is_for {
                return Err(Refused::Link.into());
            }
            links::take(persons.within, shown, persons.now)?;
            shown.event.clone()
        }
        _ => None,
    };
    let replaces = draft.despite_denial.clone().or(answers);
    let event = event(draft, person, replaces, now.as_millisecond());
    let event = chain(persons, event)?;
    for link in &draft.links {
        links::insert(persons.within, link, &event.person, Some(&event.id))?;
    }
    for outgoing in &draft.outgoing {
        outbox::insert(persons, outgoing)?;
    }
    tell(persons, "consent.recorded", &event)?;
    Ok((event, true))
}

/// The event that was recorded under the same reference.
pub(super) fn repeated(persons: &mut Persons<'_>, draft: &Draft) -> Result<Option<Event>, Error> {
    let Some(reference) = &draft.reference else {
        return Ok(None);
    };
    let Some(known) = events::referred(persons.within, reference)? else {
        return Ok(None);
    };
    let person = persons.find(&draft.who)?;
    let owner = persons.root(known.person.clone())?;
    match person == Some(owner) && says_the_same(&known, draft) {
        true => Ok(Some(known)),
        false => Err(Refused::Reference.into()),
    }
}

/// Whether an event says all that a draft says, and nothing else. Who asks may be somebody else than who asked first.
fn says_the_same(known: &Event, draft: &Draft) -> bool {
    let replaces = match &draft.channel {
        Channel::Link(shown) => shown.event.as_ref(),
        _ => draft.despite_denial.as_ref(),
    };
    // What names no time happened when it was recorded.
    let at = draft.at.map_or(known.recorded, |at| at.as_millisecond());
    let asked = event(draft, known.person.clone(), replaces.cloned(), at);
    let known = Event {
        seq: 0,
        id: String::new(),
        recorded: at,
        by_id: draft.by.clone(),
        prev: String::new(),
        hash: String::new(),
        ..known.clone()
    };
    asked == known
}

/// Joins two persons: the second is the first from here on.
pub(super) fn merge(
    persons: &mut Persons<'_>,
    survivor: &Who,
    other: &Who,
    why: &str,
    by: &str,
) -> Result<Event, Error> {
    let into = persons.find(survivor)?.ok_or(Error::Nobody)?;
    let person = persons.find(other)?.ok_or(Error::Nobody)?;
    if into == person {
        return Err(Refused::Merged.into());
    }
    let members = persons.members(&into)?.len() + persons.members(&person)?.len();
    if members > MEMBERS_MAX {
        return Err(Refused::MergedMany.into());
    }
    persons.merge(&person, &into)?;
    let mut draft = Draft::new(
        Who::Person(into.clone()),
        EVERY,
        Kind::Notice,
        Channel::Staff,
    );
    (draft.source, draft.by) = (MERGE.to_owned(), by.to_owned());
    // Why is part of the event: what stands for a legal basis elsewhere.
    draft.basis = Some(why.to_owned());
    let now = Timestamp::from_millisecond(persons.now).map_err(|_| Refused::Ahead)?;
    draft.check(now)?;
    let event = event(&draft, into, Some(person.0), now.as_millisecond());
    let event = chain(persons, event)?;
    tell(persons, "consent.merged", &event)?;
    Ok(event)
}

/// An event that has no place in the chain yet.
fn event(draft: &Draft, person: PersonId, replaces: Option<String>, now: i64) -> Event {
    let text = draft.text.as_ref();
    Event {
        seq: 0,
        id: String::new(),
        person,
        purpose: draft.purpose.clone(),
        kind: draft.kind,
        at: draft.at.map_or(now, |at| at.as_millisecond()),
        recorded: now,
        basis: draft.basis.clone(),
        proof: draft.proof,
        source: draft.source.clone(),
        by_kind: draft.channel.by_kind(),
        by_id: draft.by.clone(),
        text_id: text.map(|text| text.id.clone()),
        text_version: text.map(|text| text.version.clone()),
        text_sha256: text.map(|text| text.sha256.clone()),
        language: draft.language.clone(),
        expires: draft.expires.map(|expires| expires.as_millisecond()),
        recipient: draft.recipient.clone(),
        replaces,
        reference: draft.reference.clone(),
        prev: String::new(),
        hash: String::new(),
    }
}

/// Puts an event behind the last one.
fn chain(persons: &mut Persons<'_>, mut event: Event) -> Result<Event, Error> {
    persons.room.take(&event)?;
    let last = events::last(persons.within)?;
    event.seq = Counter::Seq.next(persons.within)?;
    if event.seq != last.as_ref().map_or(1, |last| last.seq + 1) {
        return Err(Error::corrupt("the last event is not where it should be"));
    }
    event.id = random::id('e')?;
    let happened_now = event.at == event.recorded;
    if let Some(last) = last {
        // A clock that was set back makes no denial older than what it denies.
        event.recorded = event.recorded.max(last.recorded);
        event.prev = last.hash;
    }
    if event.kind.affirms() || event.kind.lifts() {
        // What comes after a denial counts after it, though both came within one moment or by a clock that was ahead.
        let denied = persons.last_denial(&event.person)?;
        event.recorded = denied.map_or(event.recorded, |denied| event.recorded.max(denied + 1));
    }
    if happened_now {
        event.at = event.recorded;
    }
    event.hash = event.hashed()?;
    events::insert(persons.within, &event)?;
    Ok(event)
}

/// Puts into the outbox what the access log must tell. It names the event, and nobody.
fn tell(persons: &mut Persons<'_>, name: &str, event: &Event) -> Result<(), Error> {
    let body = serde_json::json!({
        "event": name,
        "id": event.id,
        "seq": event.seq,
        "person": event.person.as_str(),
        "purpose": event.purpose,
        "kind": event.kind.name(),
        "proof": event.proof.name(),
        "by": event.by_kind.name(),
        "recorded": event.recorded,
        "hash": event.hash,
    });
    let outgoing = Outgoing {
        sink: AUDIT.to_owned(),
        body: body.to_string().into_bytes(),
        due: None,
    };
    outbox::insert(persons, &outgoing).map(drop)
}
