//! Events in the store.

use super::error::Error;
use super::event::Event;
use super::kinds::{ByKind, Kind, Proof};
use super::person::PersonId;
use super::store::{Row, Transaction, Value};

/// The columns, in the order in which they are read.
macro_rules! columns {
    () => {
        "seq, id, person, purpose, kind, at, recorded, basis, proof, source, by_kind, by_id, text_id, text_version, text_sha256, language, expires, recipient, replaces, reference, prev, hash"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO ledger (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
);

/// Puts an event behind the last one.
pub(super) fn insert(within: &mut dyn Transaction, event: &Event) -> Result<(), Error> {
    let values: [Value; 22] = [
        event.seq.into(),
        (&event.id).into(),
        event.person.as_str().into(),
        (&event.purpose).into(),
        event.kind.name().into(),
        event.at.into(),
        event.recorded.into(),
        event.basis.as_ref().into(),
        event.proof.name().into(),
        (&event.source).into(),
        event.by_kind.name().into(),
        (&event.by_id).into(),
        event.text_id.as_ref().into(),
        event.text_version.as_ref().into(),
        event.text_sha256.as_ref().into(),
        event.language.as_ref().into(),
        event.expires.into(),
        event.recipient.as_ref().into(),
        event.replaces.as_ref().into(),
        event.reference.as_ref().into(),
        (&event.prev).into(),
        (&event.hash).into(),
    ];
    within.run(INSERT, &values).map(drop)
}

/// The last event.
pub(super) fn last(within: &mut dyn Transaction) -> Result<Option<Event>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM ledger ORDER BY seq DESC LIMIT 1"
    );
    within.run(sql, &[])?.first().map(read).transpose()
}

/// The event that was recorded under a reference.
pub(super) fn referred(
    within: &mut dyn Transaction,
    reference: &str,
) -> Result<Option<Event>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM ledger WHERE reference = $1");
    within
        .run(sql, &[reference.into()])?
        .first()
        .map(read)
        .transpose()
}

/// The event of an identifier.
pub(super) fn identified(within: &mut dyn Transaction, id: &str) -> Result<Option<Event>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM ledger WHERE id = $1");
    within.run(sql, &[id.into()])?.first().map(read).transpose()
}

/// Events behind a number, at most some, in their order.
pub(super) fn after(
    within: &mut dyn Transaction,
    seq: i64,
    at_most: i64,
) -> Result<Vec<Event>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM ledger WHERE seq > $1 ORDER BY seq LIMIT $2"
    );
    within
        .run(sql, &[seq.into(), at_most.into()])?
        .iter()
        .map(read)
        .collect()
}

/// The events of what one person is recorded under, in their order.
pub(super) fn of(within: &mut dyn Transaction, person: &PersonId) -> Result<Vec<Event>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM ledger WHERE person = $1 ORDER BY seq"
    );
    within
        .run(sql, &[person.as_str().into()])?
        .iter()
        .map(read)
        .collect()
}

/// The events of persons whose numbers lie in a range: by number, then in their order.
pub(super) fn of_numbers(
    within: &mut dyn Transaction,
    after: i64,
    to: i64,
) -> Result<Vec<(i64, Event)>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", number FROM ledger JOIN persons USING (person) WHERE number > $1 AND number <= $2 ORDER BY number, seq"
    );
    let rows = within.run(sql, &[after.into(), to.into()])?;
    rows.iter()
        .map(|row| Ok((row.integer(22)?, read(row)?)))
        .collect()
}

/// What a row holds.
fn read(row: &Row) -> Result<Event, Error> {
    let word = |place| row.text(place);
    let unknown = || Error::corrupt("an event holds a word that is not known");
    Ok(Event {
        seq: row.integer(0)?,
        id: word(1)?.to_owned(),
        person: PersonId(word(2)?.to_owned()),
        purpose: word(3)?.to_owned(),
        kind: Kind::named(word(4)?).ok_or_else(unknown)?,
        at: row.integer(5)?,
        recorded: row.integer(6)?,
        basis: row.text_or_none(7)?,
        proof: Proof::named(word(8)?).ok_or_else(unknown)?,
        source: word(9)?.to_owned(),
        by_kind: ByKind::named(word(10)?).ok_or_else(unknown)?,
        by_id: word(11)?.to_owned(),
        text_id: row.text_or_none(12)?,
        text_version: row.text_or_none(13)?,
        text_sha256: row.text_or_none(14)?,
        language: row.text_or_none(15)?,
        expires: row.integer_or_none(16)?,
        recipient: row.text_or_none(17)?,
        replaces: row.text_or_none(18)?,
        reference: row.text_or_none(19)?,
        prev: word(20)?.to_owned(),
        hash: word(21)?.to_owned(),
    })
}
