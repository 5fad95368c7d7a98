//! The thread of the ledger that writes, and reads what memory does not have. How long it waits for another process that writes
//! is nothing to those who only ask how somebody stands: what others have written is followed by [`super::follower`].

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;

use super::counters::Counter;
use super::error::Error;
use super::follower::{Follower, Following};
use super::keys::PersonKeys;
use super::links;
use super::persons::{GONE, Persons};
use super::place::Place;
use super::room::Room;
use super::standings::Standings;
use super::store::{Store, Transaction, open};

/// What is asked of the thread.
type Task = Box<dyn FnOnce(&mut Worker) + Send>;
/// How often what has ended is forgotten.
const TIDY: Duration = Duration::from_secs(60 * 60);
/// Milliseconds for which a link that has ended is told to have: afterwards it is one that nobody knows.
const ENDED_FOR: i64 = 30 * 24 * 60 * 60 * 1000;
/// What can wait to be asked.
const WAITING_MAX: usize = 1024;

/// What the thread has.
pub(super) struct Worker {
    store: Box<dyn Store>,
    keys: Arc<PersonKeys>,
    standings: Arc<Standings>,
    clock: Clock,
    bytes_max: u64,
    following: Following,
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
    let opened = runtime().and_then(|runtime| {
        let worker = Worker::open(opening, &runtime)?;
        Ok((worker, runtime))
    });
    let (mut worker, runtime) = match opened {
        Ok(opened) => opened,
        Err(error) => return drop(tell.send(Err(error))),
    };
    if tell.send(Ok(())).is_err() {
        return;
    }
    // Who waits here lets a connection notice that it was closed.
    let mut next = Instant::now() + TIDY;
    loop {
        let woken = runtime.block_on(async {
            tokio::select! {
                biased;
                task = asked.recv() => task.map(Some),
                () = tokio::time::sleep_until(next.into()) => Some(None),
            }
        });
        match woken {
            Some(Some(task)) => task(&mut worker),
            Some(None) => {}
            None => return,
        }
        if Instant::now() >= next {
            next = Instant::now() + TIDY;
            if let Err(error) = worker.tidy() {
                tracing::warn!(%error, "what has ended in the consent ledger is not forgotten");
            }
        }
    }
}

/// What a thread waits with.
pub(super) fn runtime() -> Result<Arc<Runtime>, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime
        .map(Arc::new)
        .map_err(|_| Error::Unavailable("its thread cannot be started".to_owned()))
}

impl Worker {
    fn open(opening: Opening, runtime: &Arc<Runtime>) -> Result<Self, Error> {
        let store = open(&opening.place, runtime)?;
        let follower = Follower::open(&*store, &opening)?;
        Ok(Self {
            store,
            keys: opening.keys,
            standings: opening.standings,
            clock: opening.clock,
            bytes_max: opening.bytes_max,
            following: Following::start(follower)?,
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
        let (standings, bytes_max) = (Arc::clone(&self.standings), self.bytes_max);
        let mut done = None;
        self.store.write(&mut |within| {
            // The first thing: from here on nobody else writes, and what is read is the last.
            let change = Counter::Change.next(within)?;
            let mut persons = Persons {
                keys: &keys,
                within,
                now,
                change,
                room: Room::new(&standings, bytes_max),
            };
            done = Some(work(&mut persons)?);
            Ok(())
        })?;
        self.following.follow()?;
        done.ok_or(Error::Closed)
    }

    /// Forgets what has ended long ago, some of it at a time.
    pub(super) fn tidy(&mut self) -> Result<(), Error> {
        let ended = self.now().as_millisecond().saturating_sub(ENDED_FOR);
        let mut gone = 1;
        while gone > 0 {
            self.store.write(&mut |within| {
                gone = links::forget_before(within, ended)?;
                Ok(())
            })?;
        }
        // With one key nobody looks for what an older one kept.
        if self.keys.generations() == 1 {
            self.store.write(&mut |within| {
                let sql = "DELETE FROM person_keys WHERE kind = $1";
                within.run(sql, &[GONE.into()]).map(drop)
            })?;
        }
        Ok(())
    }

    /// Reads what is there at one moment.
    pub(super) fn read<T>(
        &mut self,
        mut work: impl FnMut(&mut Persons<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (keys, now) = (Arc::clone(&self.keys), self.now().as_millisecond());
        let (standings, bytes_max) = (Arc::clone(&self.standings), self.bytes_max);
        let mut done = None;
        self.store.read(&mut |within: &mut dyn Transaction| {
            let mut persons = Persons {
                keys: &keys,
                within,
                now,
                change: 0,
                room: Room::new(&standings, bytes_max),
            };
            done = Some(work(&mut persons)?);
            Ok(())
        })?;
        done.ok_or(Error::Closed)
    }
}
