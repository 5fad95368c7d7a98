//! Stores that were changed, damaged, or are none.

use std::path::PathBuf;

use rusqlite::Connection;

use super::super::{Error, Kind, Place, Verdict};
use super::stage::{Stage, by_staff, each};

const ADDRESSES: [&str; 3] = ["anna@example.com", "bob@example.com", "cecile@example.com"];

/// The file of a ledger, where it is one.
fn file(stage: &Stage) -> Option<PathBuf> {
    match &stage.place {
        Place::Folder(folder) => Some(folder.join("ledger.db")),
        Place::Postgres(_) => None,
    }
}

/// Runs SQL beside the ledger, as whoever may write the store can.
fn tamper(stage: &Stage, sql: &str) -> Result<(), String> {
    match &stage.place {
        Place::Folder(_) => {
            let connection = Connection::open(file(stage).unwrap()).unwrap();
            connection
                .execute_batch(sql)
                .map_err(|error| error.to_string())
        }
        Place::Postgres(settings) => stage.wait(async {
            let said = std::env::var("PARAVENT_POSTGRES").unwrap();
            let said = format!("{said} dbname={}", settings.database);
            let connected = tokio_postgres::connect(&said, tokio_postgres::NoTls).await;
            let (client, connection) = connected.unwrap();
            tokio::spawn(connection);
            let done = client.batch_execute(sql).await;
            done.map_err(|error| {
                error
                    .as_db_error()
                    .map_or_else(String::new, ToString::to_string)
            })
        }),
    }
}

fn filled(stage: &Stage) {
    let ledger = stage.open();
    for address in ADDRESSES {
        stage.record(&ledger, by_staff(address, Kind::Given));
        stage.record(&ledger, by_staff(address, Kind::Withdrawn));
    }
}

/// Lets the ledger be changed, as only its owner can.
fn unlock(stage: &Stage) {
    let sql = match &stage.place {
        Place::Folder(_) => {
            "DROP TRIGGER ledger_update; DROP TRIGGER ledger_delete; DROP TRIGGER ledger_insert;"
        }
        Place::Postgres(_) => "ALTER TABLE ledger DISABLE TRIGGER ALL;",
    };
    tamper(stage, sql).unwrap();
}

#[test]
fn events_are_neither_changed_nor_deleted_nor_replaced() {
    each(|stage| {
        filled(stage);
        let row = "SELECT 2, 'e_x', person, purpose, kind, at, recorded, basis, proof, source, by_kind, by_id, text_id, text_version, text_sha256, language, expires, recipient, replaces, reference, prev, hash FROM ledger WHERE seq = 1";
        let mut refused = vec![
            "UPDATE ledger SET kind = 'given' WHERE seq = 2".to_owned(),
            "DELETE FROM ledger WHERE seq = 2".to_owned(),
        ];
        match stage.place {
            Place::Folder(_) => refused.push(format!("INSERT OR REPLACE INTO ledger {row}")),
            Place::Postgres(_) => refused.push("TRUNCATE ledger".to_owned()),
        }
        for sql in refused {
            let error = tamper(stage, &sql).unwrap_err();
            assert!(error.contains("the ledger only grows"), "{sql}: {error}");
        }
        let verdict = stage.wait(stage.open().verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 6, .. }));
    });
}

#[test]
fn a_changed_copy_is_told_by_the_first_event_that_is_wrong() {
    for (sql, seq, why) in [
        (
            "UPDATE ledger SET kind = 'given' WHERE seq = 2",
            2,
            "it is not what was recorded",
        ),
        (
            "UPDATE ledger SET at = at - 1, proof = 'double-opt-in' WHERE seq = 3",
            3,
            "it is not what was recorded",
        ),
        (
            "UPDATE ledger SET expires = 1 WHERE seq = 1",
            1,
            "it is not what was recorded",
        ),
        (
            "DELETE FROM ledger WHERE seq = 4",
            4,
            "events before it are missing",
        ),
        (
            "DELETE FROM ledger WHERE seq = 1",
            1,
            "events before it are missing",
        ),
        (
            "UPDATE ledger SET prev = 'x' WHERE seq = 5",
            5,
            "it does not follow the event before it",
        ),
        (
            "DELETE FROM ledger WHERE seq = 6",
            6,
            "events behind the last one are missing",
        ),
    ] {
        each(|stage| {
            filled(stage);
            let ledger = stage.open();
            unlock(stage);
            tamper(stage, sql).unwrap();
            match stage.wait(ledger.verify()).unwrap() {
                Verdict::Broken {
                    seq: found,
                    why: said,
                    ..
                } => {
                    assert_eq!((found, said), (seq, why), "{sql}");
                }
                Verdict::Sound { .. } => panic!("{sql}: sound"),
            }
        });
    }
}

#[test]
fn an_end_that_was_cut_off_does_not_open() {
    each(|stage| {
        filled(stage);
        unlock(stage);
        tamper(stage, "DELETE FROM ledger WHERE seq = 6").unwrap();
        let opened = stage.open_under(&[&[1; 32]]);
        assert!(matches!(opened, Err(Error::Corrupt(_))));
    });
}

#[test]
fn a_file_that_is_no_ledger_does_not_open() {
    each(|stage| {
        let Some(file) = file(stage) else { return };
        let open = || stage.open_under(&[&[1; 32]]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(
            &file,
            "not a database, but long enough to be looked at\n".repeat(99),
        )
        .unwrap();
        assert!(
            matches!(open(), Err(Error::Corrupt(why)) if why == "the file `ledger.db` is no database")
        );
        std::fs::remove_file(&file).unwrap();
        Connection::open(&file)
            .unwrap()
            .execute_batch("CREATE TABLE t (a)")
            .unwrap();
        assert!(
            matches!(open(), Err(Error::Corrupt(why)) if why == "the file `ledger.db` is no ledger")
        );
        std::fs::remove_file(&file).unwrap();
        filled(stage);
        tamper(stage, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE ledger_counters SET value = 9 WHERE name = 'form'").unwrap();
        assert!(matches!(
            open(),
            Err(Error::OtherForm { found: 9, known: 2 })
        ));
        tamper(stage, "UPDATE ledger_counters SET value = 2 WHERE name = 'form'; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert!(open().is_ok());
        // A page in the middle is overwritten.
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 4096].fill(0x5a);
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(open(), Err(Error::Corrupt(_))));
    });
}

#[test]
fn a_store_that_lost_what_was_seen_in_it_makes_standings_stale() {
    each(|stage| {
        filled(stage);
        let ledger = stage.open();
        unlock(stage);
        tamper(
            stage,
            "DELETE FROM ledger WHERE seq = 6; UPDATE ledger_counters SET value = value - 1",
        )
        .unwrap();
        stage.until("it is stale", || {
            matches!(
                ledger.standings().freshness(),
                super::super::Freshness::Stale { .. }
            )
        });
    });
}

#[test]
fn no_address_is_in_the_files() {
    each(|stage| {
        filled(stage);
        let Some(file) = file(stage) else { return };
        for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for name in ["anna", "bob@", "cecile", "example.com"] {
                assert!(
                    !bytes
                        .windows(name.len())
                        .any(|part| part == name.as_bytes()),
                    "{name}"
                );
            }
        }
    });
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    each(|stage| {
        filled(stage);
        let Some(file) = file(stage) else { return };
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    });
}
