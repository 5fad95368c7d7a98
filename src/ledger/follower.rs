//! The thread that follows the store: it has a connection of its own, on which it only reads, so that nobody who writes keeps it
//! from confirming that memory is what the store has.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::error::Error;
use super::follow::{Mark, follow, load};
use super::keys::PersonKeys;
use super::standings::Standings;
use super::store::Store;
use super::worker::{Opening, runtime};

/// What follows the store.
pub(super) struct Follower {
    store: Box<dyn Store>,
    runtime: Arc<Runtime>,
    keys: Arc<PersonKeys>,
    standings: Arc<Standings>,
    bytes_max: u64,
    mark: Mark,
    /// Whether there may be what memory lacks.
    is_behind: bool,
    has_warned: bool,
}

impl Follower {
    /// Brings everything into memory.
    pub(super) fn open(store: &dyn Store, opening: &Opening) -> Result<Self, Error> {
        let runtime = runtime()?;
        let mut store = store.another(&runtime)?;
        // Noted before everything is read: what is written meanwhile is looked for again.
        store.may_have_changed()?;
        let mark = load(
            &mut *store,
            &opening.standings,
            &opening.keys,
            (opening.bytes_max, opening.clock.moment().as_millisecond()),
        )?;
        Ok(Self {
            store,
            runtime,
            keys: Arc::clone(&opening.keys),
            standings: Arc::clone(&opening.standings),
            bytes_max: opening.bytes_max,
            mark,
            is_behind: false,
            has_warned: false,
        })
    }

    fn follow(&mut self) -> Result<(), Error> {
        // Whatever fails from here on, is tried again until it succeeds: the store says only once that something changed.
        self.is_behind = true;
        self.mark = follow(&mut *self.store, &self.standings, &self.keys, &self.mark)?;
        self.is_behind = false;
        self.warn();
        Ok(())
    }

    /// Follows where others may have written.
    fn look(&mut self) -> Result<(), Error> {
        let asked = Instant::now();
        if self.store.may_have_changed()? || self.is_behind {
            return self.follow();
        }
        self.standings.confirm(asked);
        Ok(())
    }

    /// Tells the operator while there is still room.
    fn warn(&mut self) {
        let (bytes, max) = (self.standings.bytes(), self.bytes_max);
        let is_near = bytes > max / 5 * 4;
        if is_near && !self.has_warned {
            tracing::warn!(
                bytes,
                max,
                "the consent ledger takes more than 80 % of `state.memory_max`; above it nobody new becomes known, and nothing starts: raise it"
            );
        }
        self.has_warned = is_near;
    }
}

/// The thread, and what it follows with.
pub(super) struct Following {
    follower: Arc<Mutex<Follower>>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    pub(super) fn start(follower: Follower) -> Result<Self, Error> {
        let (bell, period) = (
            follower.store.bell().unwrap_or_default(),
            follower.store.period(),
        );
        let runtime = Arc::clone(&follower.runtime);
        let (follower, stop) = (Arc::new(Mutex::new(follower)), Arc::<Notify>::default());
        let (its, until) = (Arc::clone(&follower), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("ledger-follow".to_owned())
            .spawn(move || {
                while runtime.block_on(wake(&until, &bell, period)) {
                    // What cannot be followed makes the standings stale, which is seen by whoever asks for their freshness.
                    let _stale = lock(&its).look();
                }
            })
            .map_err(|_| Error::Unavailable("its thread cannot be started".to_owned()))?;
        Ok(Self {
            follower,
            stop,
            thread: Some(thread),
        })
    }

    /// Brings what was written into memory, now.
    pub(super) fn follow(&self) -> Result<(), Error> {
        lock(&self.follower).follow()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // One that panicked has left the standings stale.
            drop(thread.join());
        }
    }
}

/// What follows stays usable, whoever panicked with it: it tries again from where memory was.
fn lock(follower: &Mutex<Follower>) -> std::sync::MutexGuard<'_, Follower> {
    follower.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until others have written, or it is time to look; false at the end.
async fn wake(stop: &Notify, bell: &Notify, period: Duration) -> bool {
    tokio::select! {
        biased;
        () = stop.notified() => false,
        () = bell.notified() => true,
        () = tokio::time::sleep(period) => true,
    }
}
