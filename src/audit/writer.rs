//! The thread that writes: it numbers events, binds each to the one before it, and answers once they are safe.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::{error, info, warn};

use crate::clock::Clock;

use super::chain::Head;
use super::event::{Event, integer};
use super::folder::{Disk, Durable, SetAside};
use super::format::notice::Notice;
use super::identity::LogTree;
use super::kept::Kept;
use super::log::{AuditUnavailable, Durability, Shared};
use super::names::visible;
use super::open::Last;
use super::page::Page;
use super::signing::{Previous, SigningKeys};
use super::spool;
use super::tree::Hash;

mod mending;

use mending::Opening;

mod full;

/// Events of one batch.
const BATCH_EVENTS_MAX: usize = 1024;
/// Bytes from which relaxed writing no longer waits to be made durable.
const UNSYNCED_BYTES_MAX: usize = 4 << 20;
/// Requests under way from which the last event of one waits for theirs, so that they share one write and one
/// `fdatasync`. A lone request never waits, nor does what comes again and again while a reply streams.
const COMPANY: usize = 4;
/// How long it waits at most, a step at a time: little beside what a CRM takes.
const COMPANY_STEPS: u32 = 4;
const COMPANY_STEP: Duration = Duration::from_millis(1);
/// How often the thread looks up: for notes of readers, for counted refusals, and for a disk that works again.
const TICK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });

/// What waits for the writer.
#[derive(Debug)]
pub(super) enum Message {
    Event(Job),
    Stop,
}

/// An event, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    /// Until it is written.
    pub(super) event: Option<Event>,
    /// Whether it may wait for company.
    pub(super) waits: bool,
    /// Whether it is safe when it is on disk only, however events are written otherwise.
    pub(super) on_disk: bool,
    pub(super) done: Option<oneshot::Sender<Result<(), AuditUnavailable>>>,
}

impl Job {
    pub(super) fn answer(self, result: Result<(), AuditUnavailable>) {
        if let Some(done) = self.done {
            // Whoever waited may have hung up; the event stands all the same.
            let _ = done.send(result);
        }
    }
}

/// What the writer is told at the start.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) dir: PathBuf,
    pub(super) node: String,
    pub(super) durability: Durability,
    pub(super) segment_bytes_max: u64,
    pub(super) clock: Clock,
    /// What signs checkpoints.
    pub(super) keys: Option<SigningKeys>,
}

/// The state of the log between two batches.
pub(super) struct Writer {
    disk: Box<dyn Disk>,
    settings: Settings,
    shared: Arc<Shared>,
    /// The last event that was acknowledged.
    head: Head,
    /// When it was written, as it says.
    time: Option<String>,
    /// The last event that is known to be on disk; the same when strict.
    settled: Head,
    kept: Kept,
    /// The part of the current segment that is known to be on disk.
    durable: Durable,
    /// Acknowledged lines behind the durable part; empty when strict.
    acknowledged: Vec<u8>,
    /// The last line among them.
    acknowledged_last: Option<(u64, String)>,
    /// Their events: in another segment they need other lines.
    unsettled: Vec<Event>,
    /// Their leaves.
    unsettled_leaves: Vec<Hash>,
    /// The tree over what is known to be on disk.
    tree: LogTree,
    /// What the segment has to say first, as long as it has not.
    opening: Option<Opening>,
    /// Whether it has to be said which key signs checkpoints, and which one did before.
    pub(super) key_due: Option<Previous>,
    /// The ids of the terms that the segment holds, for all that is known. Nothing is known after a failure.
    stated: HashSet<Box<str>>,
    /// Since when they wait to be made durable.
    dirty_since: Option<Instant>,
    /// When the disk failed, or was last tried since.
    broken: Option<Instant>,
    /// Whether events are refused because there is no room.
    is_full: bool,
    /// Events refused since the disk failed, or there was no room.
    refused: u64,
    ticked: Instant,
    /// Notes of readers that were taken up and could not be removed.
    stuck: HashSet<PathBuf>,
}

impl Writer {
    pub(super) fn new(
        disk: Box<dyn Disk>,
        settings: Settings,
        shared: Arc<Shared>,
        last: Last,
        kept: Kept,
    ) -> Self {
        Self {
            disk,
            settings,
            shared,
            settled: last.head.clone(),
            kept,
            head: last.head,
            time: last.time,
            durable: last.durable,
            acknowledged: Vec::new(),
            acknowledged_last: None,
            unsettled: Vec::new(),
            unsettled_leaves: Vec::new(),
            tree: last.tree,
            opening: (!last.is_stated).then(Opening::default),
            key_due: None,
            stated: HashSet::new(),
            dirty_since: None,
            broken: None,
            is_full: false,
            refused: 0,
            ticked: Instant::now(),
            stuck: HashSet::new(),
        }
    }

    /// Writes until told to stop, or until nobody is left who could.
    pub(super) fn run(mut self, queue: &Receiver<Message>) -> Result<(), AuditUnavailable> {
        loop {
            match queue.recv_timeout(self.wait()) {
                Ok(Message::Event(job)) => {
                    if job.waits {
                        self.wait_for_company();
                    }
                    let (batch, stop) = gather(job, queue);
                    // Those who wait have their answer; the log's health has it too.
                    let _ = self.commit(batch);
                    if stop {
                        break;
                    }
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look_up();
        }
        while let Ok(Message::Event(job)) = queue.try_recv() {
            let _ = self.commit(gather(job, queue).0);
        }
        self.stop()
    }

    /// Waits for the events of requests that are under way, if there are several; not once there are none.
    fn wait_for_company(&self) {
        if self.shared.under_way() < COMPANY {
            return;
        }
        for _ in 0..COMPANY_STEPS {
            std::thread::sleep(COMPANY_STEP);
            if self.shared.under_way() == 0 {
                return;
            }
        }
    }

    fn stop(&mut self) -> Result<(), AuditUnavailable> {
        self.ingest();
        let refusals = self.shared.refusals().take();
        let stopped = |this: &mut Self, refusals| {
            this.note(refusals)?;
            this.note(vec![Event::notice(Notice::Stopped {})])?;
            this.make_durable()
        };
        let safe = stopped(self, refusals).or_else(|_| {
            // The last chance to say that something is wrong with the log.
            self.broken = None;
            self.mend().map_err(|cause| self.fail(&cause))?;
            stopped(self, Vec::new())
        });
        if safe.is_ok() {
            self.shared.tell_last_tree(&self.tree);
        }
        let kept = self.kept.settle().map_err(|cause| self.fail(&cause));
        safe.and(kept)
    }

    /// The tree over what was written, all of it on disk.
    pub(super) fn tree_on_disk(&mut self) -> Result<LogTree, AuditUnavailable> {
        self.make_durable()?;
        Ok(self.tree.clone())
    }

    /// How long nothing needs to be done.
    fn wait(&self) -> Duration {
        let sync = match (self.settings.durability, self.dirty_since) {
            (Durability::Relaxed(within), Some(since)) if self.broken.is_none() => {
                within.saturating_sub(since.elapsed())
            }
            _ => TICK,
        };
        sync.min(TICK.saturating_sub(self.ticked.elapsed()))
    }

    /// Does what is due beside writing batches.
    fn look_up(&mut self) {
        if let (Durability::Relaxed(within), Some(since)) =
            (self.settings.durability, self.dirty_since)
            && (since.elapsed() >= within || self.acknowledged.len() >= UNSYNCED_BYTES_MAX)
        {
            // A failure shows in the log's health; nobody waits for an answer here.
            let _ = self.make_durable();
        }
        if self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            self.watch();
            self.refuse_if_full(Vec::new());
            if self.heal() && !self.is_full {
                self.ingest();
                let refusals = Some(self.shared.refusals())
                    .filter(|refusals| refusals.due())
                    .map(|mut refusals| refusals.take());
                // As above: what could not be written shows in the log's figures.
                let _ = self.note(refusals.unwrap_or_default());
            }
        }
    }

    /// Looks whether the log and the kept head are still where they should be, also while nobody writes.
    fn watch(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let watched = match self.disk.lost() {
            Ok(Some(loss)) => Err(loss.into()),
            Ok(None) => self.kept.watch(&self.settled),
            Err(cause) => Err(cause),
        };
        match watched {
            Ok(()) => self.shared.tell_tree(&self.tree),
            Err(cause) => {
                self.fail(&cause);
            }
        }
    }

    /// Takes up the notes of readers.
    pub(super) fn ingest(&mut self) {
        self.stuck.retain(|path| path.symlink_metadata().is_ok());
        let waiting = spool::waiting(&self.settings.dir, &self.stuck);
        let (paths, events): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        if paths.is_empty() {
            return;
        }
        // Written first and removed second: a kill in between repeats notes, it does not lose any.
        let safe = self.note(events).and_then(|()| self.make_durable());
        if safe.is_err() {
            return;
        }
        for path in paths {
            if let Err(cause) = spool::remove(&path) {
                error!(%cause, "a note of a reader was taken up and cannot be removed from the spool of the access log; it is left there");
                self.stuck.insert(path);
            }
        }
    }

    /// Writes events that nobody waits for.
    pub(super) fn note(&mut self, events: Vec<Event>) -> Result<(), AuditUnavailable> {
        if events.is_empty() {
            return Ok(());
        }
        self.commit(events.into_iter().map(job).collect())
    }

    /// Writes a batch and answers those who wait.
    fn commit(&mut self, batch: Vec<Job>) -> Result<(), AuditUnavailable> {
        let mut batch = self.refuse_if_full(batch);
        if batch.is_empty() {
            return Err(AuditUnavailable);
        }
        let on_disk = batch.iter().any(|job| job.on_disk);
        let result = if self.heal() {
            let written = self.write(&mut batch);
            let safe = written.and_then(|()| if on_disk { self.settle() } else { Ok(()) });
            safe.map_err(|cause| self.fail(&cause))
        } else {
            Err(AuditUnavailable)
        };
        if result.is_ok() {
            self.shared.committed(batch.len());
        } else {
            self.refused += batch.len() as u64;
            self.shared.lost(batch.len());
        }
        batch.into_iter().for_each(|job| job.answer(result));
        result
    }

    /// Appends a batch behind the head. Only when all of it is where it should be does the head move. Events too
    /// large for the log are answered here and taken out of the batch.
    fn write(&mut self, batch: &mut Vec<Job>) -> io::Result<()> {
        self.turn_page()?;
        let now = self.settings.clock.now();
        let mut page = Page::new(&self.head, &self.stated, (&self.settings.node, &now));
        let opening = self.opening.clone();
        if let Some(opening) = &opening {
            self.open_segment(opening, &mut page)?;
        }
        if let Some(event) = &mut self.key_notice() {
            page.add(event)?;
        }
        let opened = page.leaves.len();
        let stepped_from = self.time.as_ref().filter(|time| **time > now);
        let mut stepped = stepped_from.map(|from| clock_stepped(from, &now));
        if let Some(event) = &mut stepped {
            page.add(event)?;
        }
        let has_stepped = stepped.is_some();
        let mut written: Vec<Event> = stepped.into_iter().collect();
        for mut job in std::mem::take(batch) {
            let Some(mut event) = job.event.take() else {
                continue;
            };
            if page.add(&mut event).is_ok() {
                written.push(event);
                batch.push(job);
                continue;
            }
            let event = event.name();
            error!(event, "an event is too large for the access log");
            self.shared.lost(1);
            job.answer(Err(AuditUnavailable));
        }
        let Page {
            mut bytes,
            head,
            mut leaves,
            last,
            fresh,
            ..
        } = page;
        if bytes.is_empty() {
            return Ok(());
        }
        self.disk.append(&bytes)?;
        self.shared.appended(bytes.len());
        match self.settings.durability {
            // What begins a segment is never written again, so it does not wait; nothing waits before it.
            Durability::Relaxed(_) if opened == 0 => {
                self.acknowledged.append(&mut bytes);
                self.acknowledged_last = last;
                self.unsettled.append(&mut written);
                self.unsettled_leaves.append(&mut leaves);
                self.dirty_since.get_or_insert_with(Instant::now);
            }
            _ => {
                self.sync(&head)?;
                self.durable.extend(bytes.len(), last);
                self.settle_at(head.clone(), leaves);
            }
        }
        (self.opening, self.key_due) = (None, None);
        self.shared.stated(opened);
        if opening.is_some_and(|opening| opening.gap.is_some()) {
            self.shared.gapped();
        }
        if has_stepped {
            self.shared.clock_stepped();
        }
        self.shared.stated(fresh.len());
        self.stated.extend(fresh);
        (self.head, self.time) = (head, Some(now));
        Ok(())
    }

    /// Takes note that events up to a head are on disk, behind those that were.
    fn settle_at(&mut self, head: Head, leaves: Vec<Hash>) {
        self.settled = head;
        leaves.into_iter().for_each(|leaf| self.tree.push(leaf));
        self.shared.tell_tree(&self.tree);
    }

    /// Begins a new segment when the current one is full.
    fn turn_page(&mut self) -> io::Result<()> {
        let bytes = self.durable.bytes + self.acknowledged.len() as u64;
        if bytes < self.settings.segment_bytes_max || self.opening.is_some() {
            return Ok(());
        }
        self.settle()?;
        // Nobody looks after it any more once it is left.
        if let Some(loss) = self.disk.lost()? {
            return Err(loss.into());
        }
        self.kept.settle()?;
        self.disk.begin(self.head.seq + 1)?;
        self.durable = Durable::none();
        self.opening = Some(Opening::default());
        self.stated.clear();
        Ok(())
    }

    /// Makes acknowledged lines durable.
    fn settle(&mut self) -> io::Result<()> {
        if self.dirty_since.is_some() {
            let head = self.head.clone();
            self.sync(&head)?;
            let leaves = std::mem::take(&mut self.unsettled_leaves);
            self.settle_at(head, leaves);
            self.durable
                .extend(self.acknowledged.len(), self.acknowledged_last.take());
            self.acknowledged.clear();
            self.unsettled.clear();
            self.dirty_since = None;
        }
        Ok(())
    }

    /// Makes durable what was appended, up to this head, and keeps the head.
    fn sync(&mut self, head: &Head) -> io::Result<()> {
        self.shared.synced();
        self.disk.sync()?;
        self.kept.keep(head)?;
        self.shared.settled(head.seq);
        Ok(())
    }

    /// As [`Self::settle`], outside of a batch.
    fn make_durable(&mut self) -> Result<(), AuditUnavailable> {
        if self.broken.is_some() {
            return Err(AuditUnavailable);
        }
        self.settle().map_err(|cause| self.fail(&cause))
    }

    /// Stops trusting the disk. After a failed `fdatasync` the page cache may hold what the disk does not, so nothing
    /// behind the durable part counts from here on.
    fn fail(&mut self, cause: &io::Error) -> AuditUnavailable {
        error!(%cause, "the access log cannot be written; requests are refused until it can");
        self.broken = Some(Instant::now());
        self.stated.clear();
        self.shared.set_healthy(false);
        AuditUnavailable
    }

    /// Whether the disk can be written, after an attempt to mend it, at most once a second.
    fn heal(&mut self) -> bool {
        let Some(tried) = self.broken else {
            return true;
        };
        if tried.elapsed() < TICK {
            return false;
        }
        match self.mend() {
            Ok(()) => {
                info!("the access log can be written again");
                self.shared.set_healthy(true);
                true
            }
            Err(cause) => {
                self.fail(&cause);
                false
            }
        }
    }
}

/// An event that nobody waits for.
fn job(event: Event) -> Job {
    Job {
        event: Some(event),
        waits: false,
        on_disk: false,
        done: None,
    }
}

/// The event that says that the clock tells an earlier time than the event before was written at.
fn clock_stepped(from: &str, to: &str) -> Event {
    let from = visible(from);
    warn!(
        from,
        to, "the clock stepped back; the access log keeps the order of its events"
    );
    Event::notice(Notice::ClockStepped {
        from,
        to: to.to_owned(),
    })
}

/// The event that says what was set aside, and how many events were refused.
pub(super) fn recovered(set_aside: SetAside, refused: u64) -> Event {
    Event::notice(Notice::Recovered {
        bytes: integer(set_aside.bytes),
        part: set_aside.part,
        refused: integer(refused),
    })
}

/// The job and those that wait behind it, and whether the order to stop stands behind them.
fn gather(first: Job, queue: &Receiver<Message>) -> (Vec<Job>, bool) {
    let mut batch = vec![first];
    while batch.len() < BATCH_EVENTS_MAX {
        match queue.try_recv() {
            Ok(Message::Event(job)) => batch.push(job),
            Ok(Message::Stop) => return (batch, true),
            Err(_) => break,
        }
    }
    (batch, false)
}
