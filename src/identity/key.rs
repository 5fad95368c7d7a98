//! API keys: secrets that machines present, kept as keyed hashes.
//!
//! `paravent key` changes the file ([`Store`]), `serve` reads it ([`Keys`]) and looks again while it works, so that a key
//! that was revoked is refused within a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use jiff::Timestamp;

use super::{Clock, Refused};
use crate::files::Watched;
use crate::reason::Reason;

mod file;
mod spelling;
mod store;
mod used;

pub use file::{BadFile, Change, File, Key, Secret, State, What, are_networks, is_name};
pub use store::{Doing, Made, Store, StoreError};
pub use used::Used;

/// Whether a text is meant for a key, however badly it is written.
pub fn is_key(text: &str) -> bool {
    text.starts_with(spelling::PREFIX)
}

/// Why keys cannot be read at the start.
#[derive(Debug, thiserror::Error)]
#[error("could not read the API keys `{path}`: {why}")]
pub struct KeysError {
    path: String,
    why: String,
}

impl KeysError {
    /// Why, without the path.
    pub fn why(&self) -> &str {
        &self.why
    }
}

/// The API keys of a proxy, which it only reads. Its `Debug` shows none.
pub struct Keys {
    mac: hmac::Key,
    watched: Mutex<Watched>,
    set: RwLock<Arc<Set>>,
    /// Since when the file could not be read, if it cannot.
    unread_since: Mutex<Option<Instant>>,
    /// A clock that is set back makes no key live again.
    clock: Clock,
}

/// The keys of one reading of the file.
#[derive(Default)]
struct Set {
    file: Arc<File>,
    /// By the ids of their secrets.
    secrets: HashMap<String, Kept>,
    /// When each key was used last, by name, in seconds; 0 for never.
    used: HashMap<Arc<str>, Arc<AtomicI64>>,
}

/// A secret and the key that it is of.
struct Kept {
    tag: [u8; 32],
    name: Arc<str>,
    /// Where the key and the secret stand in the file.
    at: (usize, usize),
    used: Arc<AtomicI64>,
}

impl Keys {
    /// Reads the keys of a file, under the secret `keys.api`. A file that is not there yet holds none.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn open(path: &Path, secret: &[u8]) -> Result<Self, KeysError> {
        let mut watched = Watched::new(path, file::FILE_BYTES_MAX);
        let failed = |why: String| KeysError {
            path: path.display().to_string(),
            why,
        };
        let set = match watched.look() {
            Some(Ok(bytes)) => File::parse(bytes).map_err(|error| failed(error.to_string()))?,
            Some(Err(_)) if is_missing(path) => File::new(),
            Some(Err(why)) => return Err(failed(why.to_owned())),
            None => File::new(),
        };
        Ok(Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, secret),
            watched: Mutex::new(watched),
            set: RwLock::new(Arc::new(Set::new(set, &Set::default()))),
            unread_since: Mutex::default(),
            clock: Clock::system(),
        })
    }

    /// The name of the key that is stated from this address: that of the TCP peer.
    pub fn verify(&self, stated: &str, peer: IpAddr) -> Result<Arc<str>, Refused> {
        self.look();
        if self.is_stale() {
            return Err(Refused {
                reason: Reason::IdentityUnavailable,
                why: "the file of API keys could not be read for too long",
            });
        }
        let now = self.clock.now().latest.div_euclid(1_000);
        let now = Timestamp::from_second(now).unwrap_or(Timestamp::MAX);
        self.verify_at(stated, peer, now)
    }

    fn verify_at(&self, stated: &str, peer: IpAddr, now: Timestamp) -> Result<Arc<str>, Refused> {
        let id = spelling::id(stated).ok_or_else(|| refused("it has not the form of a key"))?;
        let set = self.set();
        let found = set.secrets.get(id);
        // Compared in any case, and in constant time: how long it takes says nothing of what is known.
        let tag = found.map_or(&NOBODYS, |kept| &kept.tag);
        let is_same = hmac::verify(&self.mac, stated.as_bytes(), tag).is_ok();
        let kept = found.ok_or_else(|| refused("no key has this id"))?;
        if !is_same {
            return Err(refused("the secret is not that of the key with this id"));
        }
        let key = set.file.keys.get(kept.at.0);
        let secret = key.and_then(|key| key.secrets.get(kept.at.1));
        let (Some(key), Some(secret)) = (key, secret) else {
            return Err(refused("no key has this id"));
        };
        if key.revoked.is_some() {
            return Err(refused("the key was revoked"));
        }
        if now >= secret.expires {
            let is_newest = kept.at.1 + 1 == key.secrets.len();
            return Err(refused(match is_newest {
                true => "the key has expired",
                false => "the key has a new secret, and this one was valid only for a while",
            }));
        }
        if !key.is_from(peer) {
            return Err(refused(
                "the key came from a network that is not one of its own",
            ));
        }
        kept.used.fetch_max(now.as_second(), Ordering::Relaxed);
        Ok(kept.name.clone())
    }

    /// Looks at the file, if it was not looked at for a while and nobody else is doing so. A file that cannot be read or
    /// understood, or that is older than what was read before, changes nothing.
    pub fn look(&self) {
        let mut watched = match self.watched.try_lock() {
            Ok(watched) => watched,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if !watched.is_due() {
            return;
        }
        let Some(found) = watched.look() else {
            return;
        };
        let before = self.set();
        let read = match found {
            Ok(bytes) => File::parse(bytes).map_err(|error| error.to_string()),
            Err(why) => Err(why.to_owned()),
        };
        let read = read.and_then(|file| match takes_back(&before.file, &file) {
            true => Err("it takes back what was revoked: is it an old copy?".to_owned()),
            false => Ok(file),
        });
        let path = watched.path().display();
        match read {
            Ok(file) => {
                tracing::info!(%path, keys = file.keys.len(), "the API keys were read");
                let set = Arc::new(Set::new(file, &before));
                *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
                *self.unread_since() = None;
            }
            // Before the first key is made there is no file.
            Err(_) if before.file.keys.is_empty() && is_missing(watched.path()) => {}
            Err(why) => {
                tracing::error!(%path, why, "the API keys cannot be read; those that were read before stay in force");
                self.unread_since().get_or_insert_with(Instant::now);
            }
        }
    }

    fn unread_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unread_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what was read before is too old to go on with.
    fn is_stale(&self) -> bool {
        let since = *self.unread_since();
        since.is_some_and(|since| since.elapsed() > STALE)
    }

    /// Whether what the file holds is in force: else it could not be read, and what it held before is.
    pub fn is_current(&self) -> bool {
        self.unread_since().is_none()
    }

    /// The file as it was read last.
    pub fn file(&self) -> Arc<File> {
        self.set().file.clone()
    }

    /// When each key was used last, of those that were used.
    pub fn used(&self) -> Used {
        let set = self.set();
        let used = set.used.iter().filter_map(|(name, at)| {
            let at = Timestamp::from_second(at.load(Ordering::Relaxed)).ok()?;
            (at > Timestamp::UNIX_EPOCH).then(|| (name.to_string(), at))
        });
        Used::new(used)
    }

    /// Remembers when keys were used before this start.
    pub fn remember(&self, used: &Used) {
        let set = self.set();
        for (name, at) in used.iter() {
            if let Some(known) = set.used.get(name) {
                known.fetch_max(at.as_second(), Ordering::Relaxed);
            }
        }
    }

    fn set(&self) -> Arc<Set> {
        let set = self.set.read();
        set.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("keys", &self.set().file.keys.len())
            .finish_non_exhaustive()
    }
}

impl Set {
    /// The keys of a file; when they were used is known from the set before.
    fn new(file: File, before: &Self) -> Self {
        let mut set = Self::default();
        for (number, key) in file.keys.iter().enumerate() {
            let name: Arc<str> = key.name.as_str().into();
            let used = before.used.get(&name).cloned().unwrap_or_default();
            for (at, secret) in key.secrets.iter().enumerate() {
                // Every secret of a file has its hash, or the file is none.
                let Some(tag) = secret.tag() else { continue };
                let kept = Kept {
                    tag,
                    name: name.clone(),
                    at: (number, at),
                    used: used.clone(),
                };
                set.secrets.insert(secret.id.clone(), kept);
            }
            set.used.insert(name, used);
        }
        set.file = Arc::new(file);
        set
    }
}

/// Whether a key that was revoked is not revoked any more, or gone, or a secret lasts longer than it did: no command does
/// that.
fn takes_back(before: &File, now: &File) -> bool {
    let states: HashMap<_, _> = now
        .keys
        .iter()
        .map(|key| (key.name.as_str(), key.revoked.is_some()))
        .collect();
    let ends = |file: &File| -> HashMap<String, Timestamp> {
        let secrets = file.keys.iter().flat_map(|key| &key.secrets);
        secrets
            .map(|secret| (secret.id.clone(), secret.expires))
            .collect()
    };
    let (ended, ends) = (ends(before), ends(now));
    let mut lasting = ended.iter();
    let lasts = lasting.any(|(id, expires)| ends.get(id).is_some_and(|now| now > expires));
    let mut revoked = before.keys.iter().filter(|key| key.revoked.is_some());
    lasts || revoked.any(|key| states.get(key.name.as_str()) != Some(&true))
}

/// Whether there is no such file. One that cannot be asked for may be there.
fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

fn refused(why: &'static str) -> Refused {
    Refused {
        reason: Reason::BadKey,
        why,
    }
}

/// How long keys stay in force whose file cannot be read.
const STALE: Duration = Duration::from_secs(60 * 60);

/// What an unknown key is compared with.
const NOBODYS: [u8; 32] = [0; 32];

#[cfg(test)]
mod tests;
