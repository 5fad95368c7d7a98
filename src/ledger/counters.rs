//! The counters of the store. Who counts holds every other writer off until the transaction ends, so what is counted later
//! becomes visible later, and who follows misses nothing.

use super::error::Error;
use super::store::Transaction;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counter {
    /// Whatever changes.
    Change,
    /// Persons.
    Number,
    /// Events.
    Seq,
}

impl Counter {
    fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Number => "number",
            Self::Seq => "seq",
        }
    }

    /// Counts one more.
    pub(super) fn next(self, within: &mut dyn Transaction) -> Result<i64, Error> {
        let sql = "UPDATE ledger_counters SET value = value + 1 WHERE name = $1 RETURNING value";
        only(&within.run(sql, &[self.name().into()])?)
    }

    /// What was counted so far.
    pub(super) fn value(self, within: &mut dyn Transaction) -> Result<i64, Error> {
        let sql = "SELECT value FROM ledger_counters WHERE name = $1";
        only(&within.run(sql, &[self.name().into()])?)
    }
}

fn only(rows: &[super::store::Row]) -> Result<i64, Error> {
    let row = rows.first();
    row.ok_or_else(|| Error::corrupt("a counter is missing"))?
        .integer(0)
}
