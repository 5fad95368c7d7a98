//! The outbox in the store: what is to be sent is written with what it tells of, and is forgotten once sent.

use super::error::Error;
use super::keys::PersonKeys;
use super::outgoing::{Due, Outgoing};
use super::persons::Persons;
use super::store::{Transaction, Value};
use super::{random, seal};

/// Milliseconds after which what could not be opened is tried again: the key may have been named since.
const ASIDE_FOR: i64 = 24 * 60 * 60 * 1000;

/// Puts something into the outbox; under what name.
pub(super) fn insert(persons: &mut Persons<'_>, outgoing: &Outgoing) -> Result<String, Error> {
    let id = random::id('o')?;
    let sealed = seal::seal(persons.keys, &id, &outgoing.body)?;
    let due = outgoing.due.map_or(persons.now, |due| due.as_millisecond());
    let sql =
        "INSERT INTO outbox (id, sink, sealed, due, tries, since) VALUES ($1, $2, $3, $4, 0, $5)";
    let values: [Value; 5] = [
        (&id).into(),
        (&outgoing.sink).into(),
        sealed.into(),
        due.into(),
        persons.now.into(),
    ];
    persons.within.run(sql, &values)?;
    Ok(id)
}

/// Puts several things into the outbox.
pub(super) fn insert_all(persons: &mut Persons<'_>, all: &[Outgoing]) -> Result<(), Error> {
    all.iter()
        .try_for_each(|outgoing| insert(persons, outgoing).map(drop))
}

/// Under which keys anything waits. What names no key at all is damage, which no key mends.
pub(super) fn keys(within: &mut dyn Transaction) -> Result<Vec<String>, Error> {
    let rows = within.run("SELECT DISTINCT substr(sealed, 1, 16) FROM outbox", &[])?;
    let ids = rows.iter().filter_map(|row| {
        let id = std::str::from_utf8(row.bytes(0).ok()?).ok()?;
        let is_id = id.len() == seal::ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| id.to_owned())
    });
    Ok(ids.collect())
}
const _: () = assert!(seal::ID_BYTES == 16, "the query says 16");

/// Whether something is due for a sink. Nothing changes.
pub(super) fn is_due(within: &mut dyn Transaction, sink: &str, now: i64) -> Result<bool, Error> {
    let sql = "SELECT id FROM outbox WHERE sink = $1 AND due <= $2 LIMIT 1";
    let found = within.run(sql, &[sink.into(), now.into()])?;
    Ok(!found.is_empty())
}

/// What was claimed.
pub(super) struct Claimed {
    pub(super) due: Vec<Due>,
    /// How much of it cannot be opened: it is set aside, and does not keep back what comes after it.
    pub(super) aside: u64,
}

/// Claims what is due, at most some: nobody else is given it before `until`.
pub(super) fn claim(
    keys: &PersonKeys,
    within: &mut dyn Transaction,
    (sink, now, until): (&str, i64, i64),
    at_most: u32,
) -> Result<Claimed, Error> {
    let sql = "UPDATE outbox SET due = $1, tries = tries + 1 WHERE due <= $2 AND id IN (SELECT id FROM outbox WHERE sink = $3 AND due <= $4 ORDER BY due, id LIMIT $5) RETURNING id, sealed, tries, since";
    let values: [Value; 5] = [
        until.into(),
        now.into(),
        sink.into(),
        now.into(),
        i64::from(at_most).into(),
    ];
    let rows = within.run(sql, &values)?;
    let mut claimed = Claimed {
        due: Vec::new(),
        aside: 0,
    };
    for row in &rows {
        let id = row.text(0)?;
        let Ok(body) = seal::open(keys, id, row.bytes(1)?) else {
            again(within, id, now.saturating_add(ASIDE_FOR))?;
            claimed.aside += 1;
            continue;
        };
        claimed.due.push(Due {
            id: id.to_owned(),
            body,
            tries: u32::try_from(row.integer(2)?).unwrap_or(u32::MAX),
            since: row.integer(3)?,
        });
    }
    claimed
        .due
        .sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
    Ok(claimed)
}

/// Forgets what was sent, or is given up.
pub(super) fn done(within: &mut dyn Transaction, id: &str) -> Result<(), Error> {
    let sql = "DELETE FROM outbox WHERE id = $1";
    within.run(sql, &[id.into()]).map(drop)
}

/// Lets what could not be sent be due again.
pub(super) fn again(within: &mut dyn Transaction, id: &str, due: i64) -> Result<(), Error> {
    let sql = "UPDATE outbox SET due = $1 WHERE id = $2";
    within.run(sql, &[due.into(), id.into()]).map(drop)
}
