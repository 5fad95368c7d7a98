//! What was done to API keys becomes events: each change one event, whatever happens in between.
//!
//! `paravent key` may not write the log, which a running proxy holds. It notes each change in the file of keys, with the id
//! of the event that it becomes. The proxy that reads that file writes the event, under that id, and keeps in the folder
//! of the state how far it came. Before it writes, it keeps that it is writing; if it then finds that it was, it looks in
//! the log itself for what is there.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::files;
use crate::identity::Keys;
use crate::identity::key::{Change, File, Key, State, Used, What};

use super::event::Event;
use super::events::events;
use super::format::notice::{KeyChange, Notice};
use super::log::Log;
use super::names::visible;
use super::verdict::Fault;

/// How often changes are looked for.
const TICK: Duration = Duration::from_millis(500);
/// How often it is kept when keys were used, at most.
const USED_PAUSE: Duration = Duration::from_secs(60);
/// The file in the folder of the state.
const FILE: &str = "keys-noted.json";
const FILE_BYTES_MAX: usize = 4 << 20;
const VERSION: u64 = 1;
/// Changes that are remembered: more than a file tells of.
const KEPT_MAX: usize = 30_000;

/// How far changes have become events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    version: u64,
    /// The events of changes that are in the log, in the order of time, as ids of events are.
    events: BTreeSet<String>,
    /// The newest secrets of keys whose expiry is in the log.
    expired: BTreeSet<String>,
    /// Whether more are being written: then only the log knows how far that came.
    writing: bool,
}

/// Follows the keys until told to stop: changes become events of this log, and when keys were used is kept. `dir` is the
/// folder of the log, `state` that of the state.
pub async fn follow_keys(
    keys: Arc<Keys>,
    log: Log,
    (dir, state): (PathBuf, PathBuf),
    mut stop: watch::Receiver<bool>,
) {
    match Used::read(&state) {
        Ok(used) => keys.remember(&used),
        Err(cause) => warn!(%cause, "it is not known when API keys were used before this start"),
    }
    let mut follower = Follower::new(keys, log, dir, state);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
        follower.note(Timestamp::now()).await;
        if follower.used_kept.elapsed() >= USED_PAUSE {
            follower.keep_used().await;
        }
    }
    follower.keep_used().await;
}

struct Follower {
    keys: Arc<Keys>,
    log: Log,
    dir: PathBuf,
    state: PathBuf,
    noted: Noted,
    /// Whether what is noted is all that is in the log.
    is_sure: bool,
    /// Whether it was told that something cannot be kept.
    is_told: bool,
    used: Used,
    used_kept: Instant,
}

impl Follower {
    fn new(keys: Arc<Keys>, log: Log, dir: PathBuf, state: PathBuf) -> Self {
        let noted = files::read(&state.join(FILE), FILE_BYTES_MAX).ok();
        let noted: Option<Noted> =
            noted.and_then(|contents| serde_json::from_slice(&contents.bytes).ok());
        let noted = noted.filter(|noted| noted.version == VERSION);
        Self {
            is_sure: noted.as_ref().is_some_and(|noted| !noted.writing),
            noted: noted.unwrap_or_default(),
            used: keys.used(),
            used_kept: Instant::now(),
            is_told: false,
            keys,
            log,
            dir,
            state,
        }
    }

    /// Writes what is not in the log yet. What fails is tried again.
    async fn note(&mut self, now: Timestamp) {
        self.keys.look();
        let file = self.keys.file();
        if due(&file, now, &self.noted).is_empty() || !self.log.healthy() {
            return;
        }
        if !self.is_sure {
            let dir = self.dir.clone();
            let Ok(Ok(written)) = tokio::task::spawn_blocking(move || written(&dir)).await else {
                return;
            };
            self.noted.events.extend(written.events);
            self.noted.expired.extend(written.expired);
        }
        let due = due(&file, now, &self.noted);
        if !self.keep(!due.is_empty()).await && !due.is_empty() {
            return;
        }
        self.is_sure = true;
        for due in due {
            if self.log.write(due.event()).await.is_err() {
                // It may be written yet.
                self.is_sure = false;
                return;
            }
            match due {
                Due::Change(change) => self.noted.events.insert(change.event),
                Due::Expired { key, .. } => self.noted.expired.insert(key),
            };
        }
        self.noted.forget(&file);
        self.keep(false).await;
    }

    /// Keeps what is noted, and whether more is being written.
    async fn keep(&mut self, writing: bool) -> bool {
        self.noted.version = VERSION;
        self.noted.writing = writing;
        let (noted, path) = (self.noted.clone(), self.state.join(FILE));
        let kept = move || files::replace(&path, &serde_json::to_vec(&noted)?);
        let kept = tokio::task::spawn_blocking(kept).await;
        self.tell(kept)
    }

    /// Keeps when keys were used, if that is not what is kept.
    async fn keep_used(&mut self) {
        self.used_kept = Instant::now();
        let used = self.keys.used();
        if used == self.used {
            return;
        }
        self.used = used.clone();
        let state = self.state.clone();
        let kept = tokio::task::spawn_blocking(move || used.write(&state)).await;
        self.tell(kept);
    }

    /// Whether something was kept. That it was not is told once.
    fn tell(&mut self, kept: Result<io::Result<()>, tokio::task::JoinError>) -> bool {
        let kept = kept.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(cause) = &kept
            && !std::mem::replace(&mut self.is_told, true)
        {
            let state = self.state.display();
            error!(%cause, %state, "what was done to API keys cannot be kept in the state");
        }
        self.is_told &= kept.is_err();
        kept.is_ok()
    }
}

impl Noted {
    /// Forgets the oldest of very many.
    fn forget(&mut self, file: &File) {
        while self.events.len() > KEPT_MAX {
            self.events.pop_first();
        }
        if self.expired.len() > KEPT_MAX {
            let newest: HashSet<_> = file.keys.iter().filter_map(newest).collect();
            self.expired.retain(|key| newest.contains(key.as_str()));
        }
    }
}

/// Something that is to become an event.
enum Due {
    Change(Change),
    Expired {
        key: String,
        name: String,
        when: Timestamp,
    },
}

impl Due {
    fn event(&self) -> Event {
        match self {
            Self::Change(change) => {
                let notice = match change.what {
                    What::Created => Notice::KeyCreated,
                    What::Rotated => Notice::KeyRotated,
                    What::Revoked => Notice::KeyRevoked,
                };
                let told = KeyChange {
                    by: Some(visible(&change.by)),
                    key: visible(&change.key),
                    name: visible(&change.name),
                    when: change.time.to_string(),
                };
                Event::notice_of(change.event.clone(), notice(told))
            }
            Self::Expired { key, name, when } => Event::notice(Notice::KeyExpired(KeyChange {
                by: None,
                key: visible(key),
                name: visible(name),
                when: when.to_string(),
            })),
        }
    }
}

/// What is not noted: changes, and keys that have expired since.
fn due(file: &File, now: Timestamp, noted: &Noted) -> Vec<Due> {
    let changes = file.changes.iter();
    let changes = changes.filter(|change| !noted.events.contains(&change.event));
    let expired = file.keys.iter().filter_map(|key| {
        let newest = key.newest()?;
        let is_due = key.state(now) == State::Expired && !noted.expired.contains(&newest.id);
        is_due.then(|| Due::Expired {
            key: newest.id.clone(),
            name: key.name.clone(),
            when: newest.expires,
        })
    });
    changes.cloned().map(Due::Change).chain(expired).collect()
}

fn newest(key: &Key) -> Option<&str> {
    Some(key.newest()?.id.as_str())
}

/// What of this is in a log already.
fn written(dir: &Path) -> Result<Noted, Fault> {
    let mut noted = Noted::default();
    events(dir, &mut |found| {
        let event = found.action().unwrap_or_default();
        if event == "key.expired" {
            let value = found.json();
            let key = value["key"].as_str().unwrap_or_default();
            noted.expired.insert(key.to_owned());
        } else if event.starts_with("key.") {
            noted.events.insert(found.id().to_owned());
        }
        ControlFlow::Continue(())
    })
    .inspect_err(
        |cause| warn!(%cause, "the access log cannot be read for what was done to API keys"),
    )?;
    Ok(noted)
}

#[cfg(test)]
mod tests;
