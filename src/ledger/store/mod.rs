//! Where the ledger lies: a database that takes one SQL, whichever it is.
//!
//! Parameters are written `$1`, `$2`, … and first appear in that order, which both databases read alike.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::error::Error;
use super::place::Place;

mod dial;
mod postgres;
mod sqlite;
mod value;

pub(super) use value::{Row, Value};

/// The form that this program writes.
pub(super) const FORM: i64 = 2;
/// The tables, in the SQL that both databases know; `BYTES` is each one's own word.
const SCHEMA: &str = include_str!("../schema.sql");

/// What a transaction may do.
pub(super) trait Transaction {
    /// Runs one statement; the rows that it returns.
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error>;
}

/// What is done within a transaction.
pub(super) type Work<'w> = &'w mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>;

/// A database.
pub(super) trait Store: Send {
    /// Does all of it, durably, or nothing. One writer at a time, over all processes.
    fn write(&mut self, work: Work<'_>) -> Result<(), Error>;

    /// Reads what was there at one moment.
    fn read(&mut self, work: Work<'_>) -> Result<(), Error>;

    /// Another connection to the same database, for who follows it.
    fn another(&self, runtime: &Arc<Runtime>) -> Result<Box<dyn Store>, Error>;

    /// Whether others may have written since this was last asked.
    fn may_have_changed(&mut self) -> Result<bool, Error>;

    /// How often to ask.
    fn period(&self) -> Duration;

    /// Rings when others have written, where the database tells.
    fn bell(&self) -> Option<Arc<Notify>>;
}

/// Opens the database; makes the tables where there are none.
pub(super) fn open(place: &Place, runtime: &Arc<Runtime>) -> Result<Box<dyn Store>, Error> {
    match place {
        Place::Folder(folder) => Ok(Box::new(sqlite::Sqlite::open(&file(folder))?)),
        Place::Postgres(settings) => {
            let store = postgres::Postgres::open(settings.clone(), Arc::clone(runtime))?;
            Ok(Box::new(store))
        }
    }
}

/// The file, in the folder of the state.
pub(super) fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("ledger.db")
}

/// Refuses a database of another form.
fn check_form(found: i64) -> Result<(), Error> {
    match found == FORM {
        true => Ok(()),
        false => Err(Error::OtherForm { found, known: FORM }),
    }
}
