//! SQLite: one file beside the access log, for one machine.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior, params_from_iter};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::{FORM, Row, SCHEMA, Store, Transaction, Value, Work, check_form};
use crate::files::words;
use crate::ledger::error::Error;

/// `prvl`: that a database is a ledger.
const APPLICATION: i32 = 0x7072_766c;
/// How long one waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look whether another process has written.
const PERIOD: Duration = Duration::from_millis(100);

/// The open file.
pub(super) struct Sqlite {
    path: PathBuf,
    connection: Connection,
    /// What `PRAGMA data_version` said.
    version: Option<i64>,
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        make(path)?;
        let mut store = Self::connect(path)?;
        store.lay_out()?;
        Ok(store)
    }

    fn connect(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(error)?;
        let store = Self {
            path: path.to_owned(),
            connection,
            version: None,
        };
        store.set_up().map_err(error)?;
        Ok(store)
    }

    fn set_up(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        self.connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        // What is emptied is overwritten, too.
        self.connection
            .pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        self.connection.pragma_update(None, "trusted_schema", "OFF")
    }

    /// Makes the tables where there are none; refuses what is no ledger, is damaged, or of another form.
    fn lay_out(&mut self) -> Result<(), Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(error)?;
        let number = |sql: &str| transaction.query_row(sql, [], |row| row.get::<_, i64>(0));
        let tables = number("SELECT count(*) FROM sqlite_schema").map_err(error)?;
        let application = number("PRAGMA application_id").map_err(error)?;
        if tables == 0 && application == 0 {
            let schema = SCHEMA.replace(" BYTES", " BLOB");
            let own = include_str!("sqlite.sql");
            let all = format!("{schema}{own}PRAGMA application_id = {APPLICATION};");
            transaction.execute_batch(&all).map_err(error)?;
            return transaction.commit().map_err(error);
        }
        if application != i64::from(APPLICATION) {
            return Err(Error::corrupt("the file `ledger.db` is no ledger"));
        }
        let form = number("SELECT value FROM ledger_counters WHERE name = 'form'");
        check_form(form.map_err(error)?)?;
        let check: String = transaction
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(error)?;
        match check == "ok" {
            true => transaction.commit().map_err(error),
            // What SQLite says may quote what the file holds.
            false => Err(Error::corrupt(
                "the file `ledger.db` is not what was written",
            )),
        }
    }
}

/// Makes the file, for nobody else to read, and its folder.
fn make(path: &Path) -> Result<(), Error> {
    let refused = |error: &std::io::Error| {
        Error::Unavailable(format!("`{}`: {}", path.display(), words(error)))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| refused(&error))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path);
    made.map(drop).map_err(|error| refused(&error))
}

impl Store for Sqlite {
    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(error)?;
        work(&mut Within(&transaction))?;
        transaction.commit().map_err(error)
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), Error> {
        let transaction = self.connection.transaction().map_err(error)?;
        work(&mut Within(&transaction))
    }

    fn another(&self, _: &Arc<Runtime>) -> Result<Box<dyn Store>, Error> {
        Ok(Box::new(Self::connect(&self.path)?))
    }

    fn may_have_changed(&mut self) -> Result<bool, Error> {
        let version = self
            .connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .map_err(error)?;
        Ok(self.version.replace(version) != Some(version))
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn bell(&self) -> Option<Arc<Notify>> {
        None
    }
}

struct Within<'c>(&'c rusqlite::Transaction<'c>);

impl Transaction for Within<'_> {
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error> {
        let mut statement = self.0.prepare(sql).map_err(error)?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(values)).map_err(error)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(error)? {
            let value = |place| row.get_ref(place).map_err(error).and_then(read);
            let values: Result<Vec<Value>, Error> = (0..columns).map(value).collect();
            rows.push(Row(values?));
        }
        Ok(rows)
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Error> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Integer(value)),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .map(Value::from)
            .map_err(|_| Error::corrupt("a text is not UTF-8")),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(Error::corrupt("a number is not whole")),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// What an error means. Its own text is left out: it may quote what is in the file.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn error(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Unavailable("the disk is full".to_owned()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::Unavailable("another process keeps it from being written".to_owned())
        }
        Some(ErrorCode::NotADatabase) => Error::corrupt("the file `ledger.db` is no database"),
        Some(ErrorCode::DatabaseCorrupt) => {
            Error::corrupt("the file `ledger.db` is not what was written")
        }
        Some(ErrorCode::ConstraintViolation) => {
            Error::corrupt("what was to be written contradicts what is there")
        }
        Some(code) => Error::Unavailable(format!("the file `ledger.db` cannot be used ({code:?})")),
        None => Error::corrupt("the file `ledger.db` does not hold what it should"),
    }
}

/// The form is in the schema, too.
const _: () = assert!(FORM == 2, "the schema says 2");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_and_nothing_of_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("ledger.db")).unwrap();
        let pages: i64 = store
            .connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        store
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
        let long = "x".repeat(100_000);
        let sql = "INSERT INTO outbox (id, sink, sealed, due, tries, since) VALUES ($1, $2, x'', 0, 0, 0)";
        let written = store.write(&mut |within| {
            within.run(sql, &["short".into(), "x".into()])?;
            within.run(sql, &["long".into(), (&long).into()]).map(drop)
        });
        assert!(matches!(written, Err(Error::Unavailable(why)) if why == "the disk is full"));
        let mut kept = None;
        store
            .read(&mut |within| {
                kept = Some(within.run("SELECT id FROM outbox", &[])?.len());
                Ok(())
            })
            .unwrap();
        assert_eq!(kept, Some(0));
    }
}
