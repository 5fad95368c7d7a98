//! The keys of one issuer: asked for when they are due, when a token names one that is not known, and never more than once
//! a minute, whoever asks.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::watch;

use crate::config::{self, KEYS_BYTES_MAX, KeySource};
use crate::files;

use super::clock::{Clock, Moment};
use super::compact::Compact;
use super::fetch::Fetcher;
use super::jwks::{KeySet, Unverified};
use super::{Refused, SetUp, bad, unavailable};

/// One issuer, and its keys as far as they are known.
pub(super) struct Issuer {
    pub(super) form: config::Issuer,
    pub(super) name: Arc<str>,
    fetcher: Option<Fetcher>,
    clock: Clock,
    ring: RwLock<Option<Arc<Ring>>>,
    asking: Mutex<Asking>,
    /// `kid`s that no key had when the issuer was last asked, bounded.
    unknown: Cache<String, ()>,
}

/// The keys as the issuer told them once.
pub(super) struct Ring {
    keys: KeySet,
    /// Goes up when the keys change.
    pub(super) generation: u64,
    told: Moment,
}

/// When the issuer was last asked, and whether that is going on.
#[derive(Default)]
struct Asking {
    last: Option<Moment>,
    /// Ends when the asking does.
    running: Option<watch::Receiver<bool>>,
}

impl Issuer {
    /// An issuer that has not been asked yet; keys in a file are read.
    ///
    /// # Errors
    /// If no connection can be made, or the file holds no key that can be used.
    pub(super) fn new(form: &config::Issuer, clock: Clock) -> Result<Self, SetUp> {
        let fetcher = Fetcher::new(&form.issuer, &form.keys);
        let fetcher = fetcher.map_err(|source| SetUp::Roots(form.name.clone(), source))?;
        let issuer = Self {
            form: form.clone(),
            name: form.name.as_str().into(),
            fetcher,
            clock,
            ring: RwLock::default(),
            asking: Mutex::default(),
            unknown: Cache::new(UNKNOWN_MAX),
        };
        if let KeySource::File(path) = &form.keys {
            let unusable = |why| SetUp::Keys(form.name.clone(), why);
            let bytes =
                files::read(path, KEYS_BYTES_MAX).map_err(|error| unusable(error.to_string()))?;
            let told = issuer.clock.now();
            let (keys, dropped) =
                KeySet::read(&bytes.bytes).map_err(|why| unusable(why.to_owned()))?;
            if keys.is_empty() {
                let why = if dropped.is_empty() {
                    "it holds none"
                } else {
                    dropped[0]
                };
                return Err(unusable(why.to_owned()));
            }
            issuer.asking().last = Some(told);
            issuer.take(keys, &dropped, told);
        }
        Ok(issuer)
    }

    /// The keys, unless they were told too long ago.
    pub(super) fn fresh(&self) -> Option<Arc<Ring>> {
        let ring = self
            .ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        (self.clock.now().since(&ring.told) <= self.form.stale).then_some(ring)
    }

    /// Whether its tokens can be verified.
    pub(super) fn is_ready(&self) -> bool {
        self.fresh().is_some_and(|ring| !ring.keys.is_empty())
    }

    /// Verifies the signature of a token; the keys that did.
    pub(super) async fn verify(
        self: &Arc<Self>,
        token: &Compact<'_>,
    ) -> Result<Arc<Ring>, Refused> {
        if self.fresh().is_none() {
            self.ask().await;
        }
        let Some(ring) = self.fresh() else {
            return Err(unavailable(
                "the keys of its issuer are not known, or too old",
                self.pause(),
            ));
        };
        match ring.keys.verify(token, &self.form.algorithms) {
            Ok(()) => return Ok(ring),
            Err(Unverified::Bad(why)) => return Err(bad(why)),
            Err(Unverified::UnknownKid) => {}
        }
        self.verify_anew(token, &ring).await
    }

    /// The same, after the issuer was asked whether it has a new key, if it may be asked now.
    async fn verify_anew(
        self: &Arc<Self>,
        token: &Compact<'_>,
        before: &Arc<Ring>,
    ) -> Result<Arc<Ring>, Refused> {
        let kid = token.kid.clone().unwrap_or_default();
        self.ask().await;
        let Some(ring) = self.fresh() else {
            return Err(unavailable(
                "the keys of its issuer are too old",
                self.pause(),
            ));
        };
        match ring.keys.verify(token, &self.form.algorithms) {
            Ok(()) => return Ok(ring),
            Err(Unverified::Bad(why)) => return Err(bad(why)),
            Err(Unverified::UnknownKid) => {}
        }
        if !Arc::ptr_eq(&ring, before) {
            self.unknown.insert(kid, ()).await;
            return Err(bad("its issuer has no key of this `kid`"));
        }
        if self.unknown.contains_key(&kid) {
            return Err(bad("its issuer had no key of this `kid`"));
        }
        Err(unavailable(
            "its `kid` is not known, and its issuer cannot be asked yet",
            self.pause(),
        ))
    }

    /// Asks for the keys if that is due, without waiting for the answer.
    pub(super) fn refresh(self: &Arc<Self>) {
        let ring = self
            .ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let is_due = |ring: Arc<Ring>| self.clock.now().since(&ring.told) >= self.form.refresh;
        if ring.is_none_or(is_due) {
            self.begin();
        }
    }

    /// Waits until nobody asks for the keys any more.
    pub(super) async fn settle(&self) {
        let running = self.asking().running.clone();
        if let Some(mut running) = running {
            while running.changed().await.is_ok() {}
        }
    }

    /// Asks for the keys, or waits for the answer to whoever asks; returns at once if they were asked for a moment ago.
    pub(super) async fn ask(self: &Arc<Self>) {
        let running = self.begin();
        if let Some(mut running) = running {
            // It ends when nobody can tell anything any more.
            while running.changed().await.is_ok() {}
        }
    }

    /// Starts asking, if nobody does and the last time was long enough ago. A caller who goes away stops nothing.
    fn begin(self: &Arc<Self>) -> Option<watch::Receiver<bool>> {
        let mut asking = self.asking();
        if let Some(running) = &asking.running
            && running.has_changed().is_ok()
        {
            return Some(running.clone());
        }
        let now = self.clock.now();
        if asking.last.is_some_and(|last| now.since(&last) < PAUSE) {
            return None;
        }
        asking.last = Some(now);
        let (ends, running) = watch::channel(false);
        asking.running = Some(running.clone());
        let issuer = self.clone();
        tokio::spawn(async move {
            issuer.fetch().await;
            drop(ends);
        });
        Some(running)
    }

    async fn fetch(&self) {
        let told = self.clock.now();
        let bytes = match (&self.fetcher, &self.form.keys) {
            (Some(fetcher), _) => fetcher.keys().await,
            (None, KeySource::File(path)) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || files::read(&path, KEYS_BYTES_MAX));
                match read.await {
                    Ok(Ok(contents)) => Ok(contents.bytes),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err("reading broke off".to_owned()),
                }
            }
            (None, _) => Err("there is no way to ask".to_owned()),
        };
        let issuer = &*self.name;
        let read = bytes.and_then(|bytes| KeySet::read(&bytes).map_err(str::to_owned));
        match read {
            Ok((keys, dropped)) => {
                let former = self
                    .ring
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                if let Some(former) = former {
                    // Who comes with a key that is gone is not told to come again.
                    for kid in former.keys.kids_without(&keys) {
                        self.unknown.insert(kid.to_owned(), ()).await;
                    }
                }
                self.take(keys, &dropped, told);
            }
            Err(cause) => tracing::warn!(
                issuer,
                cause,
                "the keys of an issuer of tokens could not be read"
            ),
        }
    }

    /// Takes keys that were told.
    fn take(&self, keys: KeySet, dropped: &[&'static str], told: Moment) {
        let issuer = &*self.name;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let former = ring.as_ref();
        let is_same = former.is_some_and(|former| former.keys.is_same(&keys));
        let generation = former.map_or(1, |former| former.generation + u64::from(!is_same));
        if !is_same {
            for cause in dropped {
                tracing::warn!(issuer, cause, "a key of an issuer of tokens is not used");
            }
            if keys.is_empty() {
                tracing::error!(issuer, "an issuer of tokens has no key that can be used");
            } else {
                tracing::info!(issuer, generation, "an issuer of tokens told its keys");
            }
        }
        *ring = Some(Arc::new(Ring {
            keys,
            generation,
            told,
        }));
    }

    /// After how many seconds it may be asked again.
    fn pause(&self) -> u16 {
        let passed = self.asking().last.map(|last| self.clock.now().since(&last));
        let left = passed.map_or(Duration::ZERO, |passed| PAUSE.saturating_sub(passed));
        u16::try_from(left.as_secs() + 1).unwrap_or(u16::MAX)
    }

    fn asking(&self) -> std::sync::MutexGuard<'_, Asking> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an issuer is not asked again, whatever it answered.
const PAUSE: Duration = Duration::from_secs(60);
/// `kid`s that are remembered as unknown.
const UNKNOWN_MAX: u64 = 10_000;
