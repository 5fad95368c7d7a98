//! What happened to a ledger is in the log, once it runs.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;

use super::*;
use crate::audit::Options;
use crate::ledger::{
    Address, Channel, Clock, Draft, Kind, Outgoing, PersonKeys, Place, Settings, Who,
};

async fn ledger(folder: &Path) -> Arc<Ledger> {
    ledger_by(Clock::system(), folder).await
}

async fn ledger_by(clock: Clock, folder: &Path) -> Arc<Ledger> {
    let settings = Settings {
        place: Place::Folder(folder.to_owned()),
        keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
        bytes_max: 1 << 30,
        clock,
    };
    Arc::new(Ledger::open(settings).await.unwrap())
}

fn log(folder: &Path) -> Log {
    let (dir, state) = (folder.join("log"), folder.join("state"));
    Log::open(Options::new(&dir, &state)).unwrap()
}

/// The events of the log about consent.
fn events(folder: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder.join("log")).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        all.extend(lines.filter(|event: &Value| {
            let name = event["event"].as_str();
            name.is_some_and(|name| name.starts_with("consent."))
        }));
    }
    all
}

async fn record(ledger: &Ledger) -> String {
    let address = Address::parse("anna@example.com").unwrap();
    let mut draft = Draft::new(
        Who::Address(address),
        "newsletter",
        Kind::Given,
        Channel::Staff,
    );
    (draft.source, draft.by) = ("telephone".to_owned(), "kim".to_owned());
    let recorded = ledger.append(draft).await.unwrap();
    recorded.event().id.clone()
}

#[tokio::test]
async fn what_was_recorded_is_taken_up_once_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path()).await;
    let log = log(folder.path());
    let id = record(&ledger).await;
    let (stop, stopped) = watch::channel(true);
    follow_consents(ledger.clone(), log.clone(), stopped.clone()).await;
    follow_consents(ledger.clone(), log.clone(), stopped).await;
    drop(stop);
    log.stop().unwrap();
    let events = events(folder.path());
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["event"], "consent.recorded");
    assert_eq!(events[0]["entry"], id);
    assert_eq!(events[0]["purpose"], "newsletter");
    assert!(!events[0].to_string().contains("anna"));
}

#[tokio::test]
async fn what_cannot_be_read_waits_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path()).await;
    let log = log(folder.path());
    let odd = Outgoing {
        sink: SINK.to_owned(),
        body: b"{\"event\":\"consent.later\"}".to_vec(),
        due: None,
    };
    ledger.send(vec![odd]).await.unwrap();
    record(&ledger).await;
    take_up(&ledger, &log).await.unwrap();
    assert!(!ledger.is_due(SINK).await.unwrap());
    log.stop().unwrap();
    assert_eq!(events(folder.path()).len(), 1);
}

#[tokio::test]
async fn what_the_log_did_not_take_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ahead = Arc::new(AtomicI64::new(0));
    let seconds = ahead.clone();
    let clock = Clock::telling(move || {
        Timestamp::now() + SignedDuration::from_secs(seconds.load(Ordering::SeqCst))
    });
    let ledger = ledger_by(clock, folder.path()).await;
    let stopped = log(folder.path());
    record(&ledger).await;
    stopped.stop().unwrap();
    assert!(take_up(&ledger, &stopped).await.is_err());
    assert!(events(folder.path()).is_empty());
    // It was claimed, and is due again once that has passed; the next start of the proxy takes it up.
    assert!(!ledger.is_due(SINK).await.unwrap());
    ahead.store(60, Ordering::SeqCst);
    drop(stopped);
    let log = log(folder.path());
    take_up(&ledger, &log).await.unwrap();
    log.stop().unwrap();
    assert_eq!(events(folder.path()).len(), 1);
}
