//! What happened to the consent ledger becomes events of the log. Whoever writes the ledger, in whichever process, leaves it in
//! the ledger's outbox, in the same transaction; the process that holds the log takes it up. Each is in the log at least once: it
//! leaves the outbox when it is durable here.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::sync::watch;
use tracing::{error, warn};

use super::event::{Event, integer};
use super::format::notice::{ConsentChange, Notice};
use super::log::Log;
use super::names::visible;
use crate::ledger::{Due, Error, Ledger};

/// The part of the outbox that is the log's.
const SINK: &str = "audit";
/// How often it is looked whether something waits.
const TICK: Duration = Duration::from_millis(250);
/// How many are taken up at a time.
const AT_ONCE: u32 = 100;
/// For how long nobody else takes up what was claimed.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_secs(30);
/// When something is tried again that this version cannot read: a later one may.
const UNREAD_FOR: SignedDuration = SignedDuration::from_hours(1);

/// What lies in the outbox.
#[derive(Debug, Deserialize)]
#[serde(tag = "event")]
enum Told {
    #[serde(rename = "consent.recorded")]
    Recorded(Change),
    #[serde(rename = "consent.merged")]
    Merged(Change),
    #[serde(rename = "consent.read")]
    Read {
        by: String,
        how: String,
        person: Option<String>,
    },
    #[serde(rename = "consent.link_sent")]
    LinkSent {
        by: String,
        person: String,
        purpose: String,
        #[serde(rename = "use")]
        used_for: String,
    },
    #[serde(rename = "consent.confirmed")]
    Confirmed {
        by: String,
        person: String,
        purpose: String,
        request: String,
    },
    #[serde(rename = "consent.synced")]
    Synced {
        affirmed: u64,
        attached: u64,
        by: String,
        denied: u64,
        gone: u64,
        seen: u64,
        upstream: String,
        whole: bool,
    },
    #[serde(rename = "consent.imported")]
    Imported {
        bad: u64,
        by: String,
        known: u64,
        new: u64,
        sha256: String,
    },
}

/// An event of the ledger.
#[derive(Debug, Deserialize)]
struct Change {
    by: String,
    hash: String,
    id: String,
    kind: String,
    person: String,
    proof: String,
    purpose: String,
    recorded: i64,
}

impl Change {
    fn told(&self) -> ConsentChange {
        let recorded = Timestamp::from_millisecond(self.recorded);
        ConsentChange {
            by: visible(&self.by),
            entry: visible(&self.id),
            hash: visible(&self.hash),
            kind: visible(&self.kind),
            person: visible(&self.person),
            proof: visible(&self.proof),
            purpose: visible(&self.purpose),
            recorded: recorded.map_or_else(|_| String::new(), |time| time.to_string()),
        }
    }
}

impl Told {
    fn notice(&self) -> Notice {
        match self {
            Self::Recorded(change) => Notice::ConsentRecorded(change.told()),
            Self::Merged(change) => Notice::ConsentMerged(change.told()),
            Self::Read { by, how, person } => Notice::ConsentRead {
                by: visible(by),
                how: visible(how),
                person: person.as_deref().map(visible),
            },
            Self::LinkSent {
                by,
                person,
                purpose,
                used_for,
            } => Notice::ConsentLinkSent {
                by: visible(by),
                person: visible(person),
                purpose: visible(purpose),
                used_for: visible(used_for),
            },
            Self::Confirmed {
                by,
                person,
                purpose,
                request,
            } => Notice::ConsentConfirmed {
                by: visible(by),
                person: visible(person),
                purpose: visible(purpose),
                request: visible(request),
            },
            Self::Synced {
                affirmed,
                attached,
                by,
                denied,
                gone,
                seen,
                upstream,
                whole,
            } => Notice::ConsentSynced {
                affirmed: integer(*affirmed),
                attached: integer(*attached),
                by: visible(by),
                denied: integer(*denied),
                gone: integer(*gone),
                seen: integer(*seen),
                upstream: visible(upstream),
                whole: *whole,
            },
            Self::Imported {
                bad,
                by,
                known,
                new,
                sha256,
            } => Notice::ConsentImported {
                bad: integer(*bad),
                by: visible(by),
                known: integer(*known),
                new: integer(*new),
                sha256: visible(sha256),
            },
        }
    }
}

/// Takes up what the ledger's outbox holds for the log, until told to stop.
pub async fn follow_consents(ledger: Arc<Ledger>, log: Log, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_told = false;
    loop {
        let is_last = tokio::select! {
            _ = ticks.tick() => false,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        match take_up(&ledger, &log).await {
            Ok(()) => is_told = false,
            Err(cause) if !is_told => {
                warn!(%cause, "what happened to the consent ledger waits for the access log");
                is_told = true;
            }
            Err(_) => {}
        }
        if is_last {
            return;
        }
    }
}

/// Why something stays in the outbox.
#[derive(Debug, thiserror::Error)]
enum Waits {
    #[error(transparent)]
    Ledger(#[from] Error),
    #[error("the access log cannot be written")]
    Log,
}

/// Takes up all that waits. What was claimed and not taken up is due again after a while.
async fn take_up(ledger: &Ledger, log: &Log) -> Result<(), Waits> {
    while ledger.is_due(SINK).await? {
        let until = Timestamp::now().saturating_add(CLAIMED_FOR);
        let until = until.unwrap_or(Timestamp::MAX);
        let due = ledger.claim(SINK.to_owned(), until, AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut written = Vec::new();
        let mut done = Ok(());
        for due in due {
            done = one(ledger, log, &due, &mut written).await;
            if done.is_err() {
                break;
            }
        }
        // In one step, also where the log failed half-way: what is durable there is not told again.
        if !written.is_empty() {
            ledger.sent(&written, Vec::new()).await?;
        }
        done?;
    }
    Ok(())
}

/// Takes one up; what is durable in the log is added to what was written.
async fn one(ledger: &Ledger, log: &Log, due: &Due, written: &mut Vec<Due>) -> Result<(), Waits> {
    let Ok(told) = serde_json::from_slice::<Told>(due.body()) else {
        let id = due.id();
        error!(
            id,
            "something in the outbox of the consent ledger cannot be read, and waits for a later version of the program"
        );
        let again = Timestamp::now().saturating_add(UNREAD_FOR);
        let again = again.unwrap_or(Timestamp::MAX);
        return Ok(ledger.unsent(due, again).await?);
    };
    let durable = log.write(Event::notice(told.notice())).await;
    durable.map_err(|_| Waits::Log)?;
    written.push(due.clone());
    Ok(())
}

#[cfg(test)]
mod tests;
