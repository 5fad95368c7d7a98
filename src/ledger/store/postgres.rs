//! PostgreSQL: one ledger for several nodes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, IsolationLevel};

use super::dial::{dial, error, unreachable};
use super::{FORM, Row, SCHEMA, Store, Transaction, Value, Work, check_form};
use crate::config::Postgres as Settings;
use crate::ledger::error::Error;

/// How often to look whether another node has written, whether or not the database told.
const PERIOD: Duration = Duration::from_millis(250);
/// How long an answer may take: a server that hangs counts as down.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to make the tables, or to wait for another node that makes them.
const PATIENCE_AT_START: Duration = Duration::from_secs(30);
/// How long after a failure the database is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// A database that is reached again whenever it was lost.
pub(super) struct Postgres {
    settings: Settings,
    runtime: Arc<Runtime>,
    client: Option<Client>,
    /// Whether to hear what other nodes tell: who only writes need not.
    listens: bool,
    listener: Option<Client>,
    bell: Arc<Notify>,
    patience: Duration,
    failed: Option<Instant>,
}

impl Postgres {
    pub(super) fn open(settings: Settings, runtime: Arc<Runtime>) -> Result<Self, Error> {
        let mut store = Self::new(settings, runtime, false);
        store.patience = PATIENCE_AT_START;
        store.lay_out()?;
        store.patience = PATIENCE;
        Ok(store)
    }

    fn new(settings: Settings, runtime: Arc<Runtime>, listens: bool) -> Self {
        Self {
            settings,
            runtime,
            client: None,
            listens,
            listener: None,
            bell: Arc::default(),
            patience: PATIENCE,
            failed: None,
        }
    }

    /// Makes the tables where there are none; refuses another form.
    fn lay_out(&mut self) -> Result<(), Error> {
        self.transaction(false, &mut |within| {
            // Of nodes that start together, one makes them.
            within.batch("SELECT pg_advisory_xact_lock(8101800981)")?;
            let exists =
                "SELECT CASE WHEN to_regclass('ledger_counters') IS NULL THEN 0::BIGINT ELSE 1 END";
            let exists = within.run(exists, &[])?;
            if exists
                .first()
                .is_none_or(|row| row.integer(0).ok() != Some(1))
            {
                let schema = SCHEMA.replace(" BYTES", " BYTEA");
                within.batch(&format!("{schema}{}", include_str!("postgres.sql")))?;
            }
            let form = "SELECT value FROM ledger_counters WHERE name = 'form'";
            let form = within.run(form, &[])?;
            check_form(form.first().map_or(Ok(FORM - 1), |row| row.integer(0))?)
        })
    }

    /// Connects where that is needed. After a failure the database is left alone for a moment.
    fn connect(&mut self) -> Result<(), Error> {
        if self
            .client
            .as_ref()
            .is_some_and(|client| !client.is_closed())
        {
            return Ok(());
        }
        if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return Err(unreachable("it was not reached a moment ago"));
        }
        let (settings, bell, listens) = (&self.settings, &self.bell, self.listens);
        let listen = settings
            .listen
            .as_ref()
            .map(|(host, port)| (host.as_str(), *port));
        let connected = self.runtime.block_on(async {
            let client = within(self.patience, dial(settings, None, bell)).await?;
            if !listens {
                return Ok((client, None));
            }
            // Where it cannot be listened to, asking is enough.
            let listener = within(self.patience, async {
                let listener = dial(settings, listen, bell).await?;
                listener.batch_execute(LISTEN).await.map_err(error)?;
                Ok(listener)
            });
            Ok::<_, Error>((client, listener.await.ok()))
        });
        match connected {
            Ok((client, listener)) => {
                (self.client, self.listener, self.failed) = (Some(client), listener, None);
                Ok(())
            }
            Err(error) => {
                self.failed = Some(Instant::now());
                Err(error)
            }
        }
    }

    fn transaction(
        &mut self,
        is_reading: bool,
        work: &mut dyn FnMut(&mut Within<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.connect()?;
        let done = self.attempt(is_reading, work);
        // What was under way on this connection is not known any more.
        if matches!(done, Err(Error::Unavailable(_))) {
            (self.client, self.failed) = (None, Some(Instant::now()));
        }
        done
    }

    fn attempt(
        &mut self,
        is_reading: bool,
        work: &mut dyn FnMut(&mut Within<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (runtime, patience) = (Arc::clone(&self.runtime), self.patience);
        let client = self.client.as_mut().ok_or(Error::Closed)?;
        let isolation = match is_reading {
            true => IsolationLevel::RepeatableRead,
            // A writer waits for the one before it, and reads what that one wrote.
            false => IsolationLevel::ReadCommitted,
        };
        let begin = client
            .build_transaction()
            .isolation_level(isolation)
            .read_only(is_reading)
            .start();
        let begun = runtime.block_on(within(patience, async { begin.await.map_err(error) }))?;
        let mut inner = Within {
            transaction: begun,
            runtime: &runtime,
            patience,
        };
        work(&mut inner)?;
        let commit = inner.transaction.commit();
        runtime.block_on(within(patience, async { commit.await.map_err(error) }))
    }
}

/// Tells other nodes of a change, when the transaction is done.
const NOTIFY: &str = "NOTIFY paravent_ledger";
/// Hears of it.
const LISTEN: &str = "LISTEN paravent_ledger";

impl Store for Postgres {
    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.transaction(false, &mut |within| {
            // Whatever the server's own settings are.
            within.batch("SET LOCAL synchronous_commit = on")?;
            work(within)?;
            within.batch(NOTIFY)
        })
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.transaction(true, &mut |within| work(within))
    }

    fn another(&self, runtime: &Arc<Runtime>) -> Result<Box<dyn Store>, Error> {
        let store = Self::new(self.settings.clone(), Arc::clone(runtime), true);
        Ok(Box::new(store))
    }

    fn may_have_changed(&mut self) -> Result<bool, Error> {
        // The database is asked for the number of the last change; there is nothing cheaper.
        Ok(true)
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn bell(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.bell))
    }
}

struct Within<'c> {
    transaction: tokio_postgres::Transaction<'c>,
    runtime: &'c Runtime,
    patience: Duration,
}

impl Within<'_> {
    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        let done = async { self.transaction.batch_execute(sql).await.map_err(error) };
        self.runtime.block_on(within(self.patience, done))
    }
}

impl Transaction for Within<'_> {
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error> {
        // Not prepared: a pooler may give each transaction another connection.
        let typed = typed(values);
        let done = async {
            self.transaction
                .query_typed(sql, &typed)
                .await
                .map_err(error)
        };
        let rows = self.runtime.block_on(within(self.patience, done))?;
        rows.iter().map(read).collect()
    }
}

fn typed(values: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    let typed = values.iter().map(|value| {
        let of_type = match value {
            Value::Null => Type::UNKNOWN,
            Value::Integer(_) => Type::INT8,
            Value::Text(_) => Type::TEXT,
            Value::Bytes(_) => Type::BYTEA,
        };
        (value as &(dyn ToSql + Sync), of_type)
    });
    typed.collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let value = |(place, column): (usize, &tokio_postgres::Column)| {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place).map(Value::from),
            Type::TEXT => {
                let text = row.try_get::<_, Option<&str>>(place);
                text.map(Value::from)
            }
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(place).map(Value::from),
            _ => return Err(Error::corrupt("a column is of another type")),
        };
        value.map_err(|_| Error::corrupt("a value is of another type"))
    };
    let values: Result<Vec<Value>, Error> = row.columns().iter().enumerate().map(value).collect();
    values.map(Row)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of_type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql(of_type, out),
            Self::Text(text) => text.to_sql(of_type, out),
            Self::Bytes(bytes) => bytes.to_sql(of_type, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Waits for an answer, but not for ever.
async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(unreachable("it does not answer")),
    }
}
