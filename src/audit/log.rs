//! The handle to a log that is being written.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tracing::error;

use crate::clock::Clock;
use crate::files::Group;
use crate::reason::Reason;

use super::chain::Head;
use super::checkpoints;
use super::compress;
use super::event::Event;
use super::folder::{Disk, Folder, SetAside};
use super::format::notice::Notice;
use super::gap::Loss;
use super::housekeeping::{Housekeeper, Rules};
use super::identity::LogTree;
use super::kept::Found;
use super::memory::Memory;
use super::names::visible;
use super::open::{self, Last, OpenError, Ready};
use super::refusals::Refusals;
use super::room::{Measured, Room};
use super::sharing;
use super::signer::{Checkpoints, Running, Signer, Signing, Told};
use super::signing::{self, Previous};
use super::writer::{Job, Message, Settings, Writer, recovered};

mod shared;

/// How long anybody waits for an event to be safe. The machine of a test may have other things to do.
const WRITE_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 120 } else { 10 });

/// When an event counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk.
    Strict,
    /// When the system has it; it is on disk at most this much later.
    Relaxed(Duration),
}

/// Where and how a log is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder.
    pub dir: PathBuf,
    /// The folder of the state, in which the head is kept: another one, so that both are not lost together.
    pub state: PathBuf,
    /// When an event counts as written.
    pub durability: Durability,
    /// The name of this process among those of one installation.
    pub node: String,
    /// Bytes from which a segment is followed by a new one.
    pub segment_bytes_max: u64,
    /// Events that may wait to be written; more are refused.
    pub queue_events_max: usize,
    /// How long events are kept; `None`: for ever.
    pub keep: Option<Duration>,
    /// Bytes that the folder may take; at that, nothing more is written. `None`: what the disk has.
    pub bytes_max: Option<u64>,
    /// The group that may read it.
    pub group: Option<Group>,
    /// What time it is.
    pub clock: Clock,
    /// How checkpoints are signed; without it, none is.
    pub signing: Option<Signing>,
}

impl Options {
    /// A log in a folder: strict, in segments of 64 MiB; its head is kept in the folder of the state.
    pub fn new(dir: &Path, state: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            state: state.to_owned(),
            durability: Durability::Strict,
            node: "paravent".to_owned(),
            segment_bytes_max: 64 << 20,
            queue_events_max: 1 << 16,
            keep: None,
            bytes_max: None,
            group: None,
            clock: Clock::system(),
            signing: None,
        }
    }
}

/// The event was not written, so nothing may be disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access log cannot be written")]
pub struct AuditUnavailable;

/// What the log has done since it was opened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events written.
    pub events: u64,
    /// Times that the disk was asked to make them durable.
    pub syncs: u64,
    /// Events that could not be written.
    pub lost: u64,
    /// Gaps: times that events on disk were not where they had been.
    pub gaps: u64,
    /// Times that the clock was seen to step back.
    pub clock_steps: u64,
    /// How much room it takes.
    pub room: Room,
}

/// A log that is being written. Clones write the same log.
#[derive(Clone)]
pub struct Log {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    /// The folder; `None` where nothing is kept.
    dir: Option<PathBuf>,
    /// To the writer; `None` where nothing is kept.
    queue: Option<SyncSender<Message>>,
    pub(super) shared: Arc<Shared>,
    memory: Mutex<Memory>,
    thread: Mutex<Option<JoinHandle<Result<(), AuditUnavailable>>>>,
    housekeeping: Mutex<Option<Housekeeping>>,
    /// Signs checkpoints.
    signer: Mutex<Option<Running>>,
    signed: Option<Arc<Told>>,
}

/// The thread that keeps house. It ends when the sender goes.
struct Housekeeping {
    end: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// What the writer and its clients both look at.
#[derive(Debug, Default)]
pub(super) struct Shared {
    healthy: AtomicBool,
    events: AtomicU64,
    syncs: AtomicU64,
    lost: AtomicU64,
    clock_steps: AtomicU64,
    gaps: AtomicU64,
    /// The number of the newest event that is on disk; 0 until there was one.
    settled: watch::Sender<u64>,
    /// Records that have begun and not ended.
    under_way: AtomicUsize,
    refusals: Mutex<Refusals>,
    /// Whether somebody wants to know the tree.
    wants_tree: AtomicBool,
    /// The tree over what was on disk when somebody last wanted to know it.
    tree: Mutex<Option<LogTree>>,
    room: Measured,
}

impl Log {
    /// Opens a log and goes on where it ended; begins it if the folder is empty or missing.
    ///
    /// # Errors
    /// If another process writes it or its state, a folder cannot be used, or the last segment is damaged in any way but a
    /// torn or missing end.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_over(options, |folder| Box::new(folder))
    }

    /// As [`Self::open`], over a disk that is made from the folder.
    pub(super) fn open_over(
        mut options: Options,
        disk: impl FnOnce(Folder) -> Box<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let Ready {
            folder,
            last,
            set_aside,
            kept,
            found,
            gap,
        } = open::open(&options.dir, &options.state)?;
        let unwritable = || OpenError::Unwritable {
            dir: options.dir.clone(),
        };
        if let Some(group) = &options.group {
            sharing::share(&options.dir, group)?;
        }
        let failed = |source| OpenError::Folder {
            dir: options.dir.clone(),
            source,
        };
        compress::clean_up(&options.dir).map_err(failed)?;
        let settings = Settings {
            dir: options.dir.clone(),
            node: visible(&options.node),
            durability: options.durability,
            segment_bytes_max: options.segment_bytes_max,
            clock: options.clock.clone(),
            keys: options.signing.as_ref().map(|signing| signing.keys.clone()),
        };
        let key_due = key_due(&settings, &last);
        let shared = Arc::new(Shared::default());
        shared.set_healthy(true);
        shared.room.allow(options.bytes_max);
        shared.room.measure(&options.dir).map_err(failed)?;
        let place = (
            options.dir.clone(),
            settings.node.clone(),
            options.clock.clone(),
        );
        let mut writer = Writer::new(disk(folder), settings, Arc::clone(&shared), last, kept);
        writer.key_due = key_due;
        let said = say_found(&mut writer, options.durability, (gap, set_aside, &found));
        said.map_err(|_| unwritable())?;
        writer.ingest();
        let signer = match options.signing.take() {
            Some(signing) => {
                let tree = writer.tree_on_disk().map_err(|_| unwritable())?;
                let signer = Signer::new(place, Arc::clone(&shared), signing);
                Some(signer.start(tree).map_err(|_| unwritable())?)
            }
            None => None,
        };
        let (queue, waiting) = mpsc::sync_channel(options.queue_events_max);
        let gone = Gone(Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || {
                let _gone = gone;
                writer.run(&waiting)
            })
            .map_err(|_| unwritable())?;
        let log = Self {
            inner: Arc::new(Inner {
                dir: Some(options.dir.clone()),
                queue: Some(queue),
                shared,
                memory: Mutex::default(),
                thread: Mutex::new(Some(thread)),
                housekeeping: Mutex::default(),
                signed: signer.as_ref().map(|running| Arc::clone(&running.told)),
                signer: Mutex::new(signer),
            }),
        };
        log.keep_house(&options).map_err(|_| unwritable())?;
        Ok(log)
    }

    /// Begins to compress, to measure, and to let go.
    fn keep_house(&self, options: &Options) -> std::io::Result<()> {
        let rules = Rules {
            dir: options.dir.clone(),
            keep: options.keep,
            group: options.group.clone(),
            clock: options.clock.clone(),
        };
        let (end, ends) = mpsc::sync_channel(1);
        let housekeeper = Housekeeper::new(rules, self.caretaker(), ends);
        let thread = thread::Builder::new()
            .name("audit-house".to_owned())
            .spawn(move || housekeeper.run())?;
        *lock(&self.inner.housekeeping) = Some(Housekeeping { end, thread });
        Ok(())
    }

    pub(super) fn caretaker(&self) -> Caretaker {
        Caretaker {
            inner: Arc::downgrade(&self.inner),
            shared: Arc::clone(&self.inner.shared),
        }
    }

    /// A log that keeps nothing, for walks whose callers and records are made up: there is nothing to account for. The
    /// workbench alone makes one.
    pub(crate) fn nowhere() -> Self {
        let shared = Arc::new(Shared::default());
        shared.set_healthy(true);
        Self {
            inner: Arc::new(Inner {
                dir: None,
                queue: None,
                shared,
                memory: Mutex::default(),
                thread: Mutex::default(),
                housekeeping: Mutex::default(),
                signer: Mutex::default(),
                signed: None,
            }),
        }
    }

    /// The folder; `None` where nothing is kept.
    pub fn dir(&self) -> Option<&Path> {
        self.inner.dir.as_deref()
    }

    /// Writes an event, and returns when it is safe.
    ///
    /// # Errors
    /// If it is not, or not within ten seconds. It may then stand in the log all the same; what may not happen is the
    /// reverse.
    pub async fn write(&self, event: Event) -> Result<(), AuditUnavailable> {
        self.hand_over(event, false)?.safe().await
    }

    /// Hands the last event of a record to the writer now; whether it is safe can be awaited.
    pub(super) fn submit(&self, event: Event) -> Result<Pending, AuditUnavailable> {
        self.hand_over(event, true)
    }

    /// Hands an event to the writer now; one that `waits` may wait for company.
    pub(super) fn hand_over(&self, event: Event, waits: bool) -> Result<Pending, AuditUnavailable> {
        self.hand_over_as(event, waits, false)
    }

    fn hand_over_as(
        &self,
        event: Event,
        waits: bool,
        on_disk: bool,
    ) -> Result<Pending, AuditUnavailable> {
        let (done, answer) = oneshot::channel();
        self.send(Job {
            event: Some(event),
            waits,
            on_disk,
            done: Some(done),
        })?;
        Ok(Pending {
            answer,
            shared: Arc::clone(&self.inner.shared),
        })
    }

    /// Hands an event to the writer without waiting. One that finds no place is counted in [`Figures::lost`].
    pub fn enqueue(&self, event: Event) {
        let job = Job {
            event: Some(event),
            waits: true,
            on_disk: false,
            done: None,
        };
        if self.send(job).is_err() {
            error!("an event found no place in the queue of the access log");
        }
    }

    fn send(&self, job: Job) -> Result<(), AuditUnavailable> {
        let Some(queue) = &self.inner.queue else {
            job.answer(Ok(()));
            return Ok(());
        };
        let sent = queue.try_send(Message::Event(job));
        sent.map_err(|error| {
            self.inner.shared.lost(1);
            if matches!(error, TrySendError::Disconnected(_)) {
                self.inner.shared.set_healthy(false);
            }
            AuditUnavailable
        })
    }

    /// What this log remembers of terms.
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.inner.memory)
    }

    /// Counts the refusal of a request that nobody vouches for. Such refusals become one event per network, reason
    /// and minute.
    pub fn refused(&self, origin: IpAddr, reason: Reason) {
        self.inner.shared.refusals().add(origin, reason);
    }

    /// A record begins: an event of it is to come.
    pub(super) fn begin(&self) {
        self.inner.shared.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended: its events were handed over.
    pub(super) fn end(&self) {
        self.inner.shared.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many records have begun and not ended.
    pub fn under_way(&self) -> usize {
        self.inner.shared.under_way()
    }

    /// Whether events can be written: while they cannot, requests are refused.
    pub fn healthy(&self) -> bool {
        self.inner.shared.healthy.load(Ordering::Relaxed) && !self.room().is_full()
    }

    /// How much room the log takes.
    pub fn room(&self) -> Room {
        self.inner.shared.room()
    }

    /// What the log has done since it was opened.
    pub fn figures(&self) -> Figures {
        let shared = &self.inner.shared;
        Figures {
            events: shared.events.load(Ordering::Relaxed),
            syncs: shared.syncs.load(Ordering::Relaxed),
            lost: shared.lost.load(Ordering::Relaxed),
            clock_steps: shared.clock_steps.load(Ordering::Relaxed),
            gaps: shared.gaps.load(Ordering::Relaxed),
            room: shared.room(),
        }
    }

    /// The number of the newest event that is on disk, now and from now on; 0 until there was one.
    pub fn settled(&self) -> watch::Receiver<u64> {
        self.inner.shared.settled.subscribe()
    }

    /// What became of checkpoints; `None` where none is signed.
    pub fn checkpoints(&self) -> Option<Checkpoints> {
        let signed = self.inner.signed.as_ref()?;
        Some(signed.get().clone())
    }

    /// Waits until all places have the newest checkpoint; its name there. `None` if that takes too long, or none is signed.
    pub fn published_by(&self, within: Duration) -> Option<String> {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            let told = self.checkpoints()?;
            let is_there = told.targets.iter().all(|target| told.lag(target) == 0);
            if told.size > 0 && is_there {
                return Some(checkpoints::name(&told.log, told.size));
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// Writes what waits, and `audit.stopped`, and ends the writer; signs a last checkpoint. Blocks; a second call does nothing.
    ///
    /// # Errors
    /// If the end could not be written.
    pub fn stop(&self) -> Result<(), AuditUnavailable> {
        let thread = lock(&self.inner.thread).take();
        let Some(thread) = thread else {
            return Ok(());
        };
        if let Some(Housekeeping { end, thread }) = lock(&self.inner.housekeeping).take() {
            drop(end);
            // Whatever became of it, the log is closed in order.
            let _ = thread.join();
        }
        // An error means that the writer has ended already; joining it says how.
        let _ = (self.inner.queue.as_ref()).map(|queue| queue.send(Message::Stop));
        let written = thread.join().unwrap_or(Err(AuditUnavailable));
        let signer = lock(&self.inner.signer).take();
        if let Some(signer) = signer {
            signer.stop();
        }
        written
    }
}

/// Says what a start has found, and that there was one.
fn say_found(
    writer: &mut Writer,
    durability: Durability,
    (gap, set_aside, found): (Option<(Head, Loss)>, Vec<SetAside>, &Found),
) -> Result<(), AuditUnavailable> {
    if let Some((last, loss)) = gap {
        writer.note_gap(last, loss).map_err(|_| AuditUnavailable)?;
    }
    for set_aside in set_aside {
        if set_aside == SetAside::default() {
            continue;
        }
        tracing::warn!(
            bytes = set_aside.bytes,
            part = set_aside.part,
            "a torn end of the access log was set aside"
        );
        writer.note(vec![recovered(set_aside, 0)])?;
    }
    let durability = match durability {
        Durability::Strict => "strict".to_owned(),
        Durability::Relaxed(within) => format!("relaxed: {}ms", within.as_millis()),
    };
    let started = Event::notice(Notice::Started {
        durability,
        head: Some(found.as_str().to_owned()),
    });
    writer.note(vec![started])
}

/// Whether the log is about to say that another key signs, and which one did before.
fn key_due(settings: &Settings, last: &Last) -> Option<Previous> {
    let keys = settings.keys.as_ref()?;
    let origin = signing::origin(&last.tree, &settings.node);
    let stated = last.placed.key_of(&settings.node);
    keys.due(&settings.dir, &origin, stated, last.goes_on)
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("healthy", &self.healthy())
            .finish_non_exhaustive()
    }
}

/// An event on its way to the disk. Dropping this does not call it back.
#[must_use]
#[derive(Debug)]
pub(super) struct Pending {
    answer: oneshot::Receiver<Result<(), AuditUnavailable>>,
    shared: Arc<Shared>,
}

impl Pending {
    /// Returns when the event is safe.
    pub(super) async fn safe(self) -> Result<(), AuditUnavailable> {
        match tokio::time::timeout(WRITE_TIMEOUT, self.answer).await {
            Ok(answer) => answer.unwrap_or(Err(AuditUnavailable)),
            Err(_) => {
                error!("the access log takes too long to write");
                self.shared.set_healthy(false);
                Err(AuditUnavailable)
            }
        }
    }
}

impl Pending {
    /// As [`Self::safe`], for a thread that may wait.
    fn wait(self) -> Result<(), AuditUnavailable> {
        let answer = self.answer.blocking_recv();
        answer.unwrap_or(Err(AuditUnavailable))
    }
}

/// What the thread that keeps house may do with the log. It does not keep it open.
pub(super) struct Caretaker {
    inner: Weak<Inner>,
    shared: Arc<Shared>,
}

impl Caretaker {
    /// Writes an event, and returns whether it is on disk: what it says is about to be done to the log itself.
    ///
    /// # Errors
    /// If nobody writes the log any more.
    pub(super) fn write(&self, event: Event) -> std::io::Result<bool> {
        let ended = || std::io::Error::from(std::io::ErrorKind::Interrupted);
        let inner = self.inner.upgrade().ok_or_else(ended)?;
        let handed = Log { inner }.hand_over_as(event, false, true);
        Ok(handed.and_then(Pending::wait).is_ok())
    }

    pub(super) fn measure(&self, dir: &Path) -> std::io::Result<()> {
        self.shared.room.measure(dir)
    }

    pub(super) fn room(&self) -> Room {
        self.shared.room()
    }
}

/// Turns the log unhealthy when the writer ends, however it ends.
struct Gone(Arc<Shared>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set_healthy(false);
    }
}

/// Nothing that is done under these locks can leave them half done, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
