//! The outbox in the store: what is to be sent is written with what it tells of, and is forgotten once sent.

use super::error::Error;
use super::keys::PersonKeys;
use super::outgoing::{Due, Outgoing};
use super::persons::Persons;
use super::store::{Transaction, Value};
use super::{random, seal};

/// Puts something into the outbox.
pub(super) fn insert(persons: &mut Persons<'_>, outgoing: &Outgoing) -> Result<(), Error> {
    let id = random::id('o')?;
    let sealed = seal::seal(persons.keys, &id, &outgoing.body)?;
    let due = outgoing.due.map_or(persons.now, |due| due.as_millisecond());
    let sql = "INSERT INTO outbox (id, sink, sealed, due, tries, done, since) VALUES ($1, $2, $3, $4, 0, NULL, $5)";
    let values: [Value; 5] = [
        (&id).into(),
        (&outgoing.sink).into(),
        sealed.into(),
        due.into(),
        persons.now.into(),
    ];
    persons.within.run(sql, &values).map(drop)
}

/// Whether something is due for a sink. Nothing changes.
pub(super) fn is_due(within: &mut dyn Transaction, sink: &str, now: i64) -> Result<bool, Error> {
    let sql = "SELECT id FROM outbox WHERE sink = $1 AND done IS NULL AND due <= $2 LIMIT 1";
    let found = within.run(sql, &[sink.into(), now.into()])?;
    Ok(!found.is_empty())
}

/// Claims what is due, at most some: nobody else is given it before `until`.
pub(super) fn claim(
    keys: &PersonKeys,
    within: &mut dyn Transaction,
    sink: &str,
    now: i64,
    until: i64,
    at_most: u32,
) -> Result<Vec<Due>, Error> {
    let sql = "UPDATE outbox SET due = $1, tries = tries + 1 WHERE done IS NULL AND due <= $2 AND id IN (SELECT id FROM outbox WHERE sink = $3 AND done IS NULL AND due <= $4 ORDER BY due, id LIMIT $5) RETURNING id, sealed, tries, since";
    let values: [Value; 5] = [
        until.into(),
        now.into(),
        sink.into(),
        now.into(),
        i64::from(at_most).into(),
    ];
    let rows = within.run(sql, &values)?;
    let due = rows.iter().map(|row| {
        Ok(Due {
            id: row.text(0)?.to_owned(),
            body: seal::open(keys, row.text(0)?, row.bytes(1)?)?,
            tries: u32::try_from(row.integer(2)?).unwrap_or(u32::MAX),
            since: row.integer(3)?,
        })
    });
    let mut due: Vec<Due> = due.collect::<Result<_, Error>>()?;
    due.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
    Ok(due)
}

/// Forgets what was sent, or is given up; that it was there stays.
pub(super) fn done(within: &mut dyn Transaction, id: &str, now: i64) -> Result<(), Error> {
    let sql = "UPDATE outbox SET done = $1, sealed = NULL WHERE id = $2";
    within.run(sql, &[now.into(), id.into()]).map(drop)
}

/// Lets what could not be sent be due again.
pub(super) fn again(within: &mut dyn Transaction, id: &str, due: i64) -> Result<(), Error> {
    let sql = "UPDATE outbox SET due = $1 WHERE id = $2 AND done IS NULL";
    within.run(sql, &[due.into(), id.into()]).map(drop)
}
