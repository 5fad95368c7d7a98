//! Ledgers to try things on: over a file, and over PostgreSQL where there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::super::{
    About, Address, Channel, Clock, Draft, Error, Kind, Ledger, PersonKeys, Place, Proof, Recorded,
    Reference, Settings, Standing, Terms, Who,
};
use crate::config::Postgres;

/// Where a PostgreSQL is that tests may make databases in: `host=… port=… user=…`.
const VARIABLE: &str = "PARAVENT_POSTGRES";

/// One store, and a clock that is set.
pub(super) struct Stage {
    pub(super) runtime: Runtime,
    pub(super) place: Place,
    now: Arc<AtomicI64>,
    _folder: Option<tempfile::TempDir>,
}

/// Runs a test over each store that there is.
pub(super) fn each(test: impl Fn(&Stage)) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().join("state"));
    test(&Stage::new(place, Some(folder)));
    match postgres() {
        Some(settings) => test(&Stage::new(Place::Postgres(settings), None)),
        None => eprintln!("SKIPPED: PostgreSQL: {VARIABLE} is not set (tests/ledger/run sets it)"),
    }
}

/// A new database.
fn postgres() -> Option<Postgres> {
    let said = std::env::var(VARIABLE).ok()?;
    let word = |name: &str| {
        let mut words = said
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        words
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    let database = super::super::random::id('t').unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let connected = tokio_postgres::connect(&said, tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        let make = format!("CREATE DATABASE {database}");
        client.batch_execute(&make).await.unwrap();
    });
    Some(Postgres {
        host: word("host").unwrap(),
        port: word("port").unwrap().parse().unwrap(),
        database,
        user: word("user").unwrap(),
        password: None,
        ca: None,
        listen: None,
    })
}

impl Stage {
    fn new(place: Place, folder: Option<tempfile::TempDir>) -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            place,
            now: Arc::new(AtomicI64::new(1_700_000_000_000)),
            _folder: folder,
        }
    }

    /// Opens the ledger as one process does.
    pub(super) fn open(&self) -> Ledger {
        self.open_under(&[&[1; 32]]).unwrap()
    }

    pub(super) fn open_under(&self, keys: &[&[u8]]) -> Result<Ledger, Error> {
        self.open_with(keys, u64::MAX)
    }

    pub(super) fn open_with(&self, keys: &[&[u8]], bytes_max: u64) -> Result<Ledger, Error> {
        let now = Arc::clone(&self.now);
        let moment = move || Timestamp::from_millisecond(now.load(Ordering::SeqCst)).unwrap();
        self.runtime.block_on(Ledger::open(Settings {
            place: self.place.clone(),
            keys: PersonKeys::new(keys).unwrap(),
            bytes_max,
            clock: Clock::telling(moment),
        }))
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.load(Ordering::SeqCst)).unwrap()
    }

    /// Sets the clock on, or back.
    pub(super) fn pass(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    pub(super) fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    pub(super) fn append(&self, ledger: &Ledger, draft: Draft) -> Result<Recorded, Error> {
        self.pass(1);
        self.wait(ledger.append(draft))
    }

    /// Records an event that must be allowed.
    pub(super) fn record(&self, ledger: &Ledger, draft: Draft) -> Recorded {
        self.append(ledger, draft).unwrap()
    }

    pub(super) fn standing(&self, ledger: &Ledger, about: &About<'_>) -> Standing {
        self.standing_of(ledger, about, Proof::SingleOptIn)
    }

    pub(super) fn standing_of(&self, ledger: &Ledger, about: &About<'_>, proof: Proof) -> Standing {
        let terms = Terms {
            proof,
            max_age: None,
            recipient: None,
        };
        ledger
            .standings()
            .about(about, "newsletter", &terms, self.now())
    }

    /// Whether consent of whoever has an address is valid.
    pub(super) fn is_valid(&self, ledger: &Ledger, address: &str) -> bool {
        self.standing(ledger, &primary(address)).is_valid()
    }

    /// Ends every connection to the database, where there are any.
    pub(super) fn disconnect(&self) {
        let Place::Postgres(settings) = &self.place else {
            return;
        };
        let said = std::env::var(VARIABLE).unwrap();
        self.wait(async {
            let connected = tokio_postgres::connect(&said, tokio_postgres::NoTls).await;
            let (client, connection) = connected.unwrap();
            tokio::spawn(connection);
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                settings.database
            );
            client.batch_execute(&sql).await.unwrap();
        });
    }

    /// Lets others work for a moment, between two attempts.
    pub(super) fn moment(&self) {
        self.wait(async { tokio::time::sleep(Duration::from_millis(50)).await });
    }

    /// Waits until something holds.
    pub(super) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let waited = self.wait(async {
            let polling = async {
                while !holds() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), polling).await
        });
        assert!(waited.is_ok(), "{what}");
    }
}

/// A record that has an address and no name.
pub(super) fn primary(address: &str) -> About<'_> {
    About {
        references: &[],
        primary: Some(address),
        others: &[],
    }
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(super) fn at(text: &str) -> Who {
    Who::Address(address(text))
}

pub(super) fn record(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

/// An event for the newsletter, with the proof that its channel gives at best, but a signature.
pub(super) fn draft(who: Who, kind: Kind, channel: Channel) -> Draft {
    let proof = match (&channel, kind.affirms()) {
        (_, false) => Proof::None,
        (Channel::Staff, _) => Proof::SingleOptIn,
        (channel, _) => channel.best_proof(),
    };
    Draft {
        proof,
        source: "test".to_owned(),
        by: "tester".to_owned(),
        ..Draft::new(who, "newsletter", kind, channel)
    }
}

/// What staff records of whoever has an address.
pub(super) fn by_staff(address: &str, kind: Kind) -> Draft {
    draft(at(address), kind, Channel::Staff)
}
