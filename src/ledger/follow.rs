//! Brings what changed in the store into memory. Whoever wrote it, it comes in this way: so a writer's own events are where
//! everybody else's are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::counters::Counter;
use super::error::{Error, Under};
use super::event::Event;
use super::fold::fold;
use super::keys::{KeyKind, PersonKeys};
use super::person::PersonId;
use super::persons::{GONE, Persons, kept, number};
use super::room::Room;
use super::standings::Standings;
use super::store::{Row, Store, Transaction};
use super::{events, links, outbox};

/// Persons that are read at once.
const AT_ONCE: i64 = 4096;

/// How far memory has followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last change.
    change: i64,
    /// The last event.
    seq: i64,
    /// Its hash.
    hash: String,
}

/// Brings everything that changed since the mark into memory; the new mark.
pub(super) fn follow(
    store: &mut dyn Store,
    standings: &Standings,
    keys: &PersonKeys,
    mark: &Mark,
) -> Result<Mark, Error> {
    let asked = Instant::now();
    let mut reached = mark.clone();
    store.read(&mut |within| {
        reached = follow_within(within, standings, keys, mark)?;
        Ok(())
    })?;
    standings.confirm(asked);
    Ok(reached)
}

fn follow_within(
    within: &mut dyn Transaction,
    standings: &Standings,
    keys: &PersonKeys,
    mark: &Mark,
) -> Result<Mark, Error> {
    let change = Counter::Change.value(within)?;
    if change == mark.change {
        return Ok(mark.clone());
    }
    if change < mark.change {
        return Err(Error::corrupt("it lacks what this process has seen in it"));
    }
    let reached = continued(within, mark, change)?;
    let mut touched = BTreeSet::new();
    let sql = "SELECT DISTINCT person FROM ledger WHERE seq > $1";
    for row in within.run(sql, &[mark.seq.into()])? {
        touched.insert(row.text(0)?.to_owned());
    }
    let sql = "SELECT person FROM persons WHERE change > $1 AND merged_into IS NOT NULL";
    let merged = within.run(sql, &[mark.change.into()])?;
    let mut persons = Persons {
        keys,
        within,
        now: 0,
        change,
        room: Room::new(standings, u64::MAX),
    };
    let mut roots = BTreeSet::new();
    for person in touched {
        roots.insert(persons.root(PersonId(person))?);
    }
    for row in &merged {
        roots.insert(persons.root(PersonId(row.text(0)?.to_owned()))?);
    }
    for root in &roots {
        stand(&mut persons, standings, root)?;
    }
    for row in &merged {
        let person = PersonId(row.text(0)?.to_owned());
        let into = persons.root(person.clone())?;
        standings.merge(persons.number(&person)?, persons.number(&into)?);
    }
    names(within, standings, keys, mark.change)?;
    Ok(reached)
}

/// How far the store is, if it goes on where memory is.
fn continued(within: &mut dyn Transaction, mark: &Mark, change: i64) -> Result<Mark, Error> {
    let lost = || Error::corrupt("it lacks what this process has seen in it");
    let last = events::last(within)?;
    if mark.seq > 0 {
        let known = events::after(within, mark.seq - 1, 1)?;
        let is_known = known.first().is_some_and(|known| known.hash == mark.hash);
        is_known.then_some(()).ok_or_else(lost)?;
    }
    let seq = last.as_ref().map_or(0, |last| last.seq);
    if seq != Counter::Seq.value(within)? {
        return Err(Error::corrupt("the last event is not where it should be"));
    }
    Ok(Mark {
        change,
        seq,
        hash: last.map(|last| last.hash).unwrap_or_default(),
    })
}

/// Notes how a person stands who may be made of several.
fn stand(persons: &mut Persons<'_>, standings: &Standings, root: &PersonId) -> Result<(), Error> {
    let all = persons.history(root)?;
    standings.stand(persons.number(root)?, &fold(&all))
}

/// Notes names that changed since a change.
fn names(
    within: &mut dyn Transaction,
    standings: &Standings,
    keys: &PersonKeys,
    since: i64,
) -> Result<(), Error> {
    let sql = "SELECT kind, key, key_id, number, shared FROM person_keys JOIN persons USING (person) WHERE person_keys.change > $1";
    let rows = within.run(sql, &[since.into()])?;
    rows.iter().try_for_each(|row| name(row, standings, keys))
}

/// Notes the names of persons whose numbers lie in a range.
fn names_of(
    within: &mut dyn Transaction,
    standings: &Standings,
    keys: &PersonKeys,
    after: i64,
    to: i64,
) -> Result<(), Error> {
    let sql = "SELECT kind, key, key_id, number, shared FROM persons JOIN person_keys USING (person) WHERE number > $1 AND number <= $2";
    let rows = within.run(sql, &[after.into(), to.into()])?;
    rows.iter().try_for_each(|row| name(row, standings, keys))
}

fn name(row: &Row, standings: &Standings, keys: &PersonKeys) -> Result<(), Error> {
    if row.text(0)? == GONE {
        let gone = kept(keys, KeyKind::Email, row.text(1)?)?;
        standings.unname(&gone);
        return Ok(());
    }
    let unknown = || Error::corrupt("a name is of a kind that is not known");
    let kind = KeyKind::named(row.text(0)?).ok_or_else(unknown)?;
    if kind != KeyKind::Record && keys.generation(row.text(2)?).is_none() {
        return Err(Error::OtherKey(Under::Names));
    }
    // A telephone number proves nothing of a record: it is found in the store only.
    if kind != KeyKind::Phone {
        let kept = kept(keys, kind, row.text(1)?)?;
        standings.name(&kept, number(row.integer(3)?)?, row.integer(4)? != 0);
    }
    Ok(())
}

/// Brings everything into memory, at the start.
pub(super) fn load(
    store: &mut dyn Store,
    standings: &Standings,
    keys: &PersonKeys,
    (bytes_max, now): (u64, i64),
) -> Result<Mark, Error> {
    let asked = Instant::now();
    let mut reached = Mark::default();
    store.read(&mut |within| {
        check_keys(within, keys, now)?;
        reached = load_within(within, standings, keys, bytes_max)?;
        Ok(())
    })?;
    standings.confirm(asked);
    Ok(reached)
}

/// Refuses a store in which anything is kept under a key that is not named: an address that nobody finds any more, a mail that
/// cannot be sent, a link that a person holds.
fn check_keys(within: &mut dyn Transaction, keys: &PersonKeys, now: i64) -> Result<(), Error> {
    let is_named = |id: &str| keys.generation(id).is_some();
    if !outbox::keys(within)?.iter().all(|id| is_named(id)) {
        return Err(Error::OtherKey(Under::Outbox));
    }
    match links::keys(within, now)?.iter().all(|id| is_named(id)) {
        true => Ok(()),
        false => Err(Error::OtherKey(Under::Links)),
    }
}

fn load_within(
    within: &mut dyn Transaction,
    standings: &Standings,
    keys: &PersonKeys,
    bytes_max: u64,
) -> Result<Mark, Error> {
    let change = Counter::Change.value(within)?;
    let persons = Counter::Number.value(within)?;
    let reached = continued(within, &Mark::default(), change)?;
    if let Some(last) = events::last(within)?
        && last.hashed()? != last.hash
    {
        return Err(Error::corrupt("the last event is not what was recorded"));
    }
    let check = |standings: &Standings| match standings.bytes() {
        bytes if bytes > bytes_max => Err(Error::TooLarge {
            bytes,
            max: bytes_max,
        }),
        _ => Ok(()),
    };
    let sql = "SELECT person FROM persons WHERE merged_into IS NOT NULL";
    let merged = within.run(sql, &[])?;
    let mut from = 0;
    while from < persons {
        let page = events::of_numbers(within, from, from + AT_ONCE)?;
        for (person, events) in by_person(page) {
            standings.stand(number(person)?, &fold(&events))?;
        }
        names_of(within, standings, keys, from, from + AT_ONCE)?;
        check(standings)?;
        from += AT_ONCE;
    }
    // Those who were merged stand together.
    let mut persons = Persons {
        keys,
        within,
        now: 0,
        change,
        room: Room::new(standings, u64::MAX),
    };
    let mut roots = BTreeSet::new();
    for row in &merged {
        let person = PersonId(row.text(0)?.to_owned());
        let into = persons.root(person.clone())?;
        standings.merge(persons.number(&person)?, persons.number(&into)?);
        roots.insert(into);
    }
    for root in &roots {
        stand(&mut persons, standings, root)?;
    }
    check(standings)?;
    Ok(reached)
}

fn by_person(page: Vec<(i64, Event)>) -> BTreeMap<i64, Vec<Event>> {
    let mut by_person: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
    for (person, event) in page {
        by_person.entry(person).or_default().push(event);
    }
    by_person
}
