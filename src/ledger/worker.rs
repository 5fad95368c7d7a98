//! The thread of the ledger: it alone speaks with the store. Between what it is asked it looks whether others have written.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::clock::Clock;

use super::counters::Counter;
use super::error::Error;
use super::follow::{Mark, follow, load};
use super::keys::PersonKeys;
use super::persons::Persons;
use super::place::Place;
use super::standings::Standings;
use super::store::{Store, Transaction, open};

/// What is asked of the thread.
type Task = Box<dyn FnOnce(&mut Worker) + Send>;
/// What can wait to be asked.
const WAITING_MAX: usize = 1024;

/// What the thread has.
pub(super) struct Worker {
    store: Box<dyn Store>,
    keys: Arc<PersonKeys>,
    standings: Arc<Standings>,
    clock: Clock,
    mark: Mark,
    /// Whether there may be what memory lacks.
    is_behind: bool,
}

/// The thread, as others see it. It ends when nobody can ask it any more.
#[derive(Debug)]
pub(super) struct Thread {
    tasks: Option<mpsc::Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

/// What a ledger is opened with.
pub(super) struct Opening {
    pub(super) place: Place,
    pub(super) keys: Arc<PersonKeys>,
    pub(super) standings: Arc<Standings>,
    pub(super) bytes_max: u64,
    pub(super) clock: Clock,
}

impl Thread {
    /// Starts the thread; waits until everything is in memory.
    pub(super) async fn start(opening: Opening) -> Result<Self, Error> {
        let (tasks, asked) = mpsc::channel(WAITING_MAX);
        let (tell, told) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || run(opening, asked, tell))
            .map_err(|_| Error::Unavailable("its thread cannot be started".to_owned()))?;
        told.await.map_err(|_| Error::Closed)??;
        Ok(Self {
            tasks: Some(tasks),
            thread: Some(thread),
        })
    }

    /// Asks the thread, and waits for the answer. Who stops waiting does not stop what was asked.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Worker) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = oneshot::channel();
        let task: Task = Box::new(move |worker| drop(tell.send(task(worker))));
        let tasks = self.tasks.as_ref().ok_or(Error::Closed)?;
        tasks.send(task).await.map_err(|_| Error::Closed)?;
        told.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked was noticed by whoever waited for its answer.
            drop(thread.join());
        }
    }
}

/// What the thread does.
fn run(
    opening: Opening,
    mut asked: mpsc::Receiver<Task>,
    tell: oneshot::Sender<Result<(), Error>>,
) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime.map(Arc::new) else {
        let error = Error::Unavailable("its thread cannot be started".to_owned());
        drop(tell.send(Err(error)));
        return;
    };
    let mut worker = match Worker::open(opening, &runtime) {
        Ok(worker) => worker,
        Err(error) => return drop(tell.send(Err(error))),
    };
    if tell.send(Ok(())).is_err() {
        return;
    }
    let (bell, period) = (
        worker.store.bell().unwrap_or_default(),
        worker.store.period(),
    );
    while let Some(woken) = runtime.block_on(wake(&mut asked, &bell, period)) {
        if let Some(task) = woken {
            task(&mut worker);
        }
        // What cannot be followed makes the standings stale, which is seen by whoever asks for their freshness.
        let _stale = worker.look();
    }
}

/// Waits until something is asked, others have written, or it is time to look; `None` at the end.
async fn wake(
    asked: &mut mpsc::Receiver<Task>,
    bell: &Notify,
    period: Duration,
) -> Option<Option<Task>> {
    tokio::select! {
        biased;
        task = asked.recv() => task.map(Some),
        () = bell.notified() => Some(None),
        () = tokio::time::sleep(period) => Some(None),
    }
}

impl Worker {
    fn open(opening: Opening, runtime: &Arc<Runtime>) -> Result<Self, Error> {
        let mut store = open(&opening.place, runtime)?;
        // Noted before everything is read: what is written meanwhile is looked for again.
        store.may_have_changed()?;
        let mark = load(
            &mut *store,
            &opening.standings,
            &opening.keys,
            opening.bytes_max,
        )?;
        Ok(Self {
            store,
            keys: opening.keys,
            standings: opening.standings,
            clock: opening.clock,
            mark,
            is_behind: false,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.moment()
    }

    /// Writes durably, then brings it and everything before it into memory.
    pub(super) fn write<T>(
        &mut self,
        mut work: impl FnMut(&mut Persons<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (keys, now) = (Arc::clone(&self.keys), self.now().as_millisecond());
        let mut done = None;
        self.store.write(&mut |within| {
            // The first thing: from here on nobody else writes, and what is read is the last.
            let change = Counter::Change.next(within)?;
            let mut persons = Persons {
                keys: &keys,
                within,
                now,
                change,
            };
            done = Some(work(&mut persons)?);
            Ok(())
        })?;
        self.follow()?;
        done.ok_or(Error::Closed)
    }

    /// Reads what is there at one moment.
    pub(super) fn read<T>(
        &mut self,
        mut work: impl FnMut(&mut Persons<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (keys, now) = (Arc::clone(&self.keys), self.now().as_millisecond());
        let mut done = None;
        self.store.read(&mut |within: &mut dyn Transaction| {
            let mut persons = Persons {
                keys: &keys,
                within,
                now,
                change: 0,
            };
            done = Some(work(&mut persons)?);
            Ok(())
        })?;
        done.ok_or(Error::Closed)
    }

    fn follow(&mut self) -> Result<(), Error> {
        // Whatever fails from here on, is tried again until it succeeds: the store says only once that something changed.
        self.is_behind = true;
        self.mark = follow(&mut *self.store, &self.standings, &self.keys, &self.mark)?;
        self.is_behind = false;
        Ok(())
    }

    /// Follows where others may have written.
    fn look(&mut self) -> Result<(), Error> {
        let asked = std::time::Instant::now();
        if self.store.may_have_changed()? || self.is_behind {
            return self.follow();
        }
        self.standings.confirm(asked);
        Ok(())
    }
}
