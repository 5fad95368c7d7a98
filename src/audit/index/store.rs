//! The file of the index: numbered bodies in a few tables, each with a sum that tells whether it is what was written.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

/// The version of the form; another one is built anew.
pub(super) const VERSION: i32 = 1;
/// `prvi`: that a database is an index of an access log.
const APPLICATION: i32 = 0x7072_7669;
/// Where it lies, below the folder of the log.
const FOLDER: &str = "index";
/// Bytes of a sum.
const SUM: usize = 8;
/// How long one waits for another process that writes.
const PATIENCE: Duration = Duration::from_millis(500);

/// Which bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// One: what the index is about.
    State,
    /// Words and shapes that events repeat.
    Words,
    /// Stretches of events.
    Blocks,
    /// Where ids and records are named.
    Keys,
}

impl Table {
    const ALL: [Self; 4] = [Self::State, Self::Words, Self::Blocks, Self::Keys];

    fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Words => "words",
            Self::Blocks => "blocks",
            Self::Keys => "keys",
        }
    }
}

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::audit) enum Unusable {
    /// There is none.
    #[error("there is none")]
    Missing,
    /// Another process writes it.
    #[error("another process writes it")]
    Busy,
    /// Nobody waits for it any more.
    #[error("it was stopped")]
    Stopped,
    /// It may not be read, or not be written.
    #[error("{0}")]
    Denied(String),
    /// It is no index, or not what was written.
    #[error("{0}")]
    Damaged(String),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Busy,
            Some(
                Code::CannotOpen
                | Code::PermissionDenied
                | Code::ReadOnly
                | Code::DiskFull
                | Code::SystemIoFailure,
            ) => Self::Denied(error.to_string()),
            _ => Self::Damaged(format!("it is damaged ({error})")),
        }
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Denied(error.to_string())
    }
}

/// Takes a body, and its place.
pub(super) type Visit<'v> = &'v mut dyn FnMut(u64, &[u8]) -> Result<(), Unusable>;

/// That a body is not what was written.
pub(super) fn damaged(what: &str) -> Unusable {
    Unusable::Damaged(format!("it is damaged ({what})"))
}

/// The file of the index of a log.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join(FOLDER).join("index.sqlite")
}

/// The open index, as it was at one moment, or (to write) as nobody else changes it.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens an index to read what it is at this moment.
    pub(super) fn read(dir: &Path) -> Result<Self, Unusable> {
        let path = path(dir);
        if !has_folder(dir)? || !path.exists() {
            return Err(Unusable::Missing);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Self::of(Connection::open_with_flags(path, flags)?)?;
        store.connection.execute_batch("BEGIN")?;
        store.check()?;
        Ok(store)
    }

    /// Opens an index to write; makes it where it is missing.
    pub(super) fn write(dir: &Path) -> Result<Self, Unusable> {
        let path = path(dir);
        if !has_folder(dir)? || !path.exists() {
            make(dir, &path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Self::of(Connection::open_with_flags(path, flags)?)?;
        let (application, version) = store.marks()?;
        if (application, version) == (0, 0) && store.is_empty()? {
            store.lay_out()?;
        }
        store.check()?;
        store.begin()?;
        Ok(store)
    }

    fn of(connection: Connection) -> Result<Self, Unusable> {
        connection.busy_timeout(PATIENCE)?;
        // Room for a part of it, whatever its size.
        connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA mmap_size = 0;")?;
        Ok(Self { connection })
    }

    fn marks(&self) -> Result<(i32, i32), Unusable> {
        let pragma = |name: &str| {
            self.connection
                .pragma_query_value(None, name, |row| row.get(0))
        };
        Ok((pragma("application_id")?, pragma("user_version")?))
    }

    fn is_empty(&self) -> Result<bool, Unusable> {
        let count = "SELECT count(*) FROM sqlite_schema";
        let count: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        Ok(count == 0)
    }

    fn lay_out(&self) -> Result<(), Unusable> {
        let mut text = format!(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = DELETE; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
        );
        for table in Table::ALL {
            let name = table.name();
            text.push_str(&format!(
                "CREATE TABLE IF NOT EXISTS {name} (place INTEGER PRIMARY KEY, body BLOB NOT NULL);"
            ));
        }
        Ok(self.connection.execute_batch(&text)?)
    }

    fn check(&self) -> Result<(), Unusable> {
        match self.marks()? {
            (APPLICATION, VERSION) => Ok(()),
            (APPLICATION, version) if version > VERSION => Err(Unusable::Damaged(
                "a later version of Paravent wrote it".to_owned(),
            )),
            (APPLICATION, _) => Err(Unusable::Damaged(
                "an older version of Paravent wrote it".to_owned(),
            )),
            _ => Err(Unusable::Damaged(
                "it is something else than an index of an access log".to_owned(),
            )),
        }
    }

    /// Begins to write; nobody else does until it is committed.
    fn begin(&self) -> Result<(), Unusable> {
        // What is lost with the power is built again.
        self.connection
            .execute_batch("PRAGMA synchronous = NORMAL")?;
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// What was written is there for all; writing goes on.
    pub(super) fn commit(&self) -> Result<(), Unusable> {
        self.connection.execute_batch("COMMIT")?;
        self.begin()
    }

    /// Writes a body.
    pub(super) fn put(&self, table: Table, place: u64, body: &[u8]) -> Result<(), Unusable> {
        let mut whole = Vec::with_capacity(body.len() + SUM);
        whole.extend_from_slice(body);
        whole.extend_from_slice(&sum(table, place, body));
        let text = format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2)", table.name());
        let mut statement = self.connection.prepare(&text)?;
        statement.execute(params![number(place)?, whole])?;
        Ok(())
    }

    /// A body.
    pub(super) fn get(&self, table: Table, place: u64) -> Result<Option<Vec<u8>>, Unusable> {
        let text = format!("SELECT body FROM {} WHERE place = ?1", table.name());
        let mut statement = self.connection.prepare(&text)?;
        let row = statement.query_row([number(place)?], |row| row.get::<_, Vec<u8>>(0));
        match row.optional()? {
            Some(whole) => Ok(Some(checked(table, place, &whole)?.to_vec())),
            None => Ok(None),
        }
    }

    /// The body whose place is the last one up to a place.
    pub(super) fn last_up_to(
        &self,
        table: Table,
        place: u64,
    ) -> Result<Option<(u64, Vec<u8>)>, Unusable> {
        let text = format!(
            "SELECT place FROM {} WHERE place <= ?1 ORDER BY place DESC LIMIT 1",
            table.name()
        );
        let mut statement = self.connection.prepare(&text)?;
        let row = statement.query_row([number(place)?], |row| row.get::<_, i64>(0));
        let Some(found) = row.optional()? else {
            return Ok(None);
        };
        let found = found.unsigned_abs();
        Ok(self.get(table, found)?.map(|body| (found, body)))
    }

    /// Hands the bodies from a place on, and before another, to `visit`.
    pub(super) fn each(
        &self,
        table: Table,
        places: std::ops::Range<u64>,
        visit: Visit<'_>,
    ) -> Result<(), Unusable> {
        let text = format!(
            "SELECT place, body FROM {} WHERE place >= ?1 AND place < ?2 ORDER BY place",
            table.name()
        );
        let mut statement = self.connection.prepare(&text)?;
        let mut rows = statement.query(params![number(places.start)?, number(places.end)?])?;
        while let Some(row) = rows.next()? {
            let place = row.get::<_, i64>(0)?.unsigned_abs();
            let whole = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            visit(place, checked(table, place, whole)?)?;
        }
        Ok(())
    }

    /// Takes bodies away.
    pub(super) fn remove(
        &self,
        table: Table,
        places: std::ops::Range<u64>,
    ) -> Result<(), Unusable> {
        let text = format!(
            "DELETE FROM {} WHERE place >= ?1 AND place < ?2",
            table.name()
        );
        let mut statement = self.connection.prepare(&text)?;
        statement.execute(params![number(places.start)?, number(places.end)?])?;
        Ok(())
    }
}

/// Takes an index away, so that it is built anew.
pub(super) fn discard(dir: &Path) -> Result<(), Unusable> {
    let path = path(dir);
    if !has_folder(dir)? {
        return Ok(());
    }
    for name in [path.clone(), path.with_extension("sqlite-journal")] {
        match fs::remove_file(name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether there is the folder of an index. One that is a link, or somebody else's, is none.
fn has_folder(dir: &Path) -> Result<bool, Unusable> {
    let log = fs::metadata(dir)?;
    match fs::symlink_metadata(dir.join(FOLDER)) {
        Ok(found) if found.is_dir() && found.uid() == log.uid() => Ok(true),
        Ok(_) => Err(Unusable::Denied(format!(
            "`{}` is not a folder of the user who writes the log",
            dir.join(FOLDER).display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes an empty file, readable for those who may read the log.
fn make(dir: &Path, path: &Path) -> Result<(), Unusable> {
    let shared = fs::metadata(dir)?.mode() & 0o050;
    let (mode, folder_mode) = (0o600 | shared & 0o040, 0o700 | shared);
    if !has_folder(dir)? {
        let mut builder = fs::DirBuilder::new();
        builder.mode(folder_mode).create(dir.join(FOLDER))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(mode).open(path)?;
    Ok(())
}

fn number(place: u64) -> Result<i64, Unusable> {
    i64::try_from(place).map_err(|_| damaged("a number is too large"))
}

fn sum(table: Table, place: u64, body: &[u8]) -> [u8; SUM] {
    let mut context = Context::new(&SHA256);
    context.update(table.name().as_bytes());
    context.update(&place.to_le_bytes());
    context.update(body);
    let mut sum = [0; SUM];
    let hash = context.finish();
    sum.iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    sum
}

fn checked(table: Table, place: u64, whole: &[u8]) -> Result<&[u8], Unusable> {
    let (body, found) = whole
        .split_last_chunk::<SUM>()
        .ok_or_else(|| damaged("a body is too short"))?;
    match *found == sum(table, place, body) {
        true => Ok(body),
        false => Err(damaged("a body has another sum")),
    }
}
