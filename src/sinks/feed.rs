//! The task of one sink: reads on behind its cursor, hands over, keeps the cursor.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::audit::{Bounds, Follower, Head};
use crate::config::{Sink, SinkFrom};

use super::batch::{Item, items};
use super::cursor::{Cursor, Kept};
use super::failure::Failure;
use super::pace::{Backoff, Pace};
use super::receiver::Receiver;
use super::status::Status;

/// How often a failure that goes on is told of.
const TELLING_INTERVAL: Duration = Duration::from_secs(60);

/// What the task of a sink is made of.
pub(super) struct Feed {
    pub(super) sink: Sink,
    pub(super) dir: PathBuf,
    pub(super) state: PathBuf,
    pub(super) node: String,
    /// The newest event on disk.
    pub(super) settled: watch::Receiver<u64>,
    /// Until when what is left may be carried.
    pub(super) stop: watch::Receiver<Option<Instant>>,
    /// Held by the sink that uses a processor.
    pub(super) turn: Arc<Semaphore>,
    pub(super) pace: Pace,
    pub(super) status: Arc<Status>,
}

/// It is to end now.
struct Stopped;

/// A feed that has found its place.
struct Begun {
    feed: Feed,
    follower: Option<Follower>,
    cursor: Option<Cursor>,
    receiver: Receiver,
    backoff: Backoff,
    /// Bytes and events of a batch; fewer after the receiver could not take more.
    most: Bounds,
    told: Option<(Failure, Instant)>,
}

impl Feed {
    /// Carries events until it is stopped.
    pub(super) async fn run(self) {
        if let Ok(begun) = self.begin().await {
            begun.run().await;
        }
    }

    /// Finds the place, however often it takes.
    async fn begin(mut self) -> Result<Begun, Stopped> {
        let mut backoff = Backoff::default();
        let receiver = loop {
            match Receiver::new(&self.sink) {
                Ok(receiver) => break receiver,
                Err(failure) => self.fail(failure, &mut backoff).await?,
            }
        };
        loop {
            // There is no newest event before there is one.
            while *self.settled.borrow_and_update() == 0 {
                self.doze().await?;
            }
            let cursor = Cursor::of(&self.state, &self.sink.name);
            match self.place(cursor).await {
                Ok((follower, cursor)) => {
                    self.status.begun(follower.at().seq);
                    return Ok(Begun {
                        most: Bounds {
                            steps: self.pace.events,
                            bytes: self.pace.bytes,
                        },
                        feed: self,
                        follower: Some(follower),
                        cursor: Some(cursor),
                        receiver,
                        backoff,
                        told: None,
                    });
                }
                Err(failure) => self.fail(failure, &mut backoff).await?,
            }
        }
    }

    /// The place that was kept; a new sink keeps its first one at once.
    async fn place(&self, mut cursor: Cursor) -> Result<(Follower, Cursor), Failure> {
        let (dir, from, until) = (self.dir.clone(), self.sink.from, *self.settled.borrow());
        let name = self.sink.name.clone();
        let placing = move || {
            let kept = cursor.read().map_err(|_| Failure::CURSOR)?;
            let began = cursor.began().map_err(|_| Failure::CURSOR)?;
            let follower = match (kept, began, from) {
                (Kept::At(head), began, _) => {
                    // Until something was taken, what is left out has perhaps not been said.
                    let is_new = began == Kept::At(head.clone());
                    return Ok((begin(&dir, head, is_new), cursor));
                }
                (Kept::Nothing, Kept::At(head), _) => {
                    tracing::error!(
                        sink = name,
                        seq = head.seq,
                        "the cursor of a sink is gone; it begins again where it once began"
                    );
                    cursor.settle(&head).map_err(|_| Failure::CURSOR)?;
                    return Ok((begin(&dir, head, true), cursor));
                }
                (Kept::Nothing, Kept::Nothing, SinkFrom::Newest) => {
                    Follower::from_newest(&dir, until)
                }
                (Kept::Nothing, Kept::Nothing, SinkFrom::Beginning) => Follower::from_oldest(&dir),
                (Kept::Unreadable, ..) | (Kept::Nothing, Kept::Unreadable, _) => {
                    tracing::error!(
                        sink = name,
                        "the cursor of a sink cannot be read; it begins again with the first event that the log has"
                    );
                    Follower::from_oldest(&dir)
                }
            };
            let follower = follower.map_err(|_| Failure::LOG)?;
            let head = follower.at().clone();
            cursor.begin(&head).map_err(|_| Failure::CURSOR)?;
            Ok((begin(&dir, head, true), cursor))
        };
        match tokio::task::spawn_blocking(placing).await {
            Ok(placed) => placed,
            Err(_) => Err(Failure::LOG),
        }
    }

    async fn fail(&mut self, failure: Failure, backoff: &mut Backoff) -> Result<(), Stopped> {
        self.status.failed(failure);
        tell(&self.sink.name, failure);
        self.wait(failure, backoff).await
    }

    /// Whether it is to stop, or nobody is left who could say so.
    fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some() || self.stop.has_changed().is_err()
    }

    /// Waits after a failure, until the next attempt. At a stop there are few.
    async fn wait(&mut self, failure: Failure, backoff: &mut Backoff) -> Result<(), Stopped> {
        let time = backoff.next(&self.pace, failure.retry_after, failure.is_lasting);
        if !self.is_stopping() {
            tokio::select! {
                () = sleep(time) => {}
                () = asked(&mut self.stop) => {}
            }
            return Ok(());
        }
        if failure.is_lasting || backoff.is_hopeless() {
            return Err(Stopped);
        }
        tokio::select! {
            () = sleep(time.min(self.pace.first)) => Ok(()),
            () = over(&mut self.stop) => Err(Stopped),
        }
    }

    /// Waits until there may be something new. When it is to stop there is nothing to wait for.
    async fn doze(&mut self) -> Result<(), Stopped> {
        if self.is_stopping() {
            return Err(Stopped);
        }
        tokio::select! {
            changed = self.settled.changed() => {
                if changed.is_err() {
                    // Nobody writes the log any more; whoever stops that stops this.
                    sleep(self.pace.poll).await;
                }
            }
            () = sleep(self.pace.poll) => {}
            () = asked(&mut self.stop) => {}
        }
        Ok(())
    }

    /// Waits a moment for company, unless it is to stop.
    async fn linger(&mut self) {
        tokio::select! {
            () = sleep(self.pace.linger) => {}
            () = asked(&mut self.stop) => {}
        }
    }
}

impl Begun {
    async fn run(mut self) {
        let ended = self.carry().await;
        self.keep(None, true).await;
        if ended.is_err() {
            let name = &self.feed.sink.name;
            tracing::warn!(
                sink = name,
                "a sink could not carry all before the stop; it goes on after the next start"
            );
        }
    }

    /// Carries until everything is carried and it is to stop.
    async fn carry(&mut self) -> Result<(), Stopped> {
        loop {
            let until = *self.feed.settled.borrow_and_update();
            let at = self.at().seq;
            let is_placed = self.follower.as_ref().is_some_and(Follower::is_placed);
            if is_placed && at >= until {
                self.feed.status.waiting(None);
                if self.feed.doze().await.is_err() {
                    return Ok(());
                }
                if *self.feed.settled.borrow() > at {
                    self.feed.linger().await;
                }
                continue;
            }
            match self.read(until).await {
                Err(failure) => self.fail(failure).await?,
                Ok(batch) if batch.is_empty() => {
                    // Nothing but terms, which is as good as carried; or nothing that can be read at the moment.
                    let is_on = self.at().seq > at;
                    if is_on {
                        self.keep(Some(self.at()), false).await;
                    } else if self.feed.doze().await.is_err() {
                        return Ok(());
                    }
                }
                Ok(batch) => self.hand_over(batch).await?,
            }
        }
    }

    /// The last event that was read.
    fn at(&self) -> Head {
        let at = self.follower.as_ref().map(|follower| follower.at().clone());
        at.unwrap_or(Head {
            seq: 0,
            hash: String::new(),
        })
    }

    /// The next batch, in the form of the sink.
    async fn read(&mut self, until: u64) -> Result<Vec<Item>, Failure> {
        let Some(mut follower) = self.follower.take() else {
            return Err(Failure::LOG);
        };
        let turn = self.feed.turn.clone().acquire_owned().await;
        let start = Instant::now();
        let (sink, node) = (self.feed.sink.clone(), self.feed.node.clone());
        let (status, bounds) = (self.feed.status.clone(), self.most);
        let reading = move || {
            let (before, is_new) = (follower.at().clone(), follower.leaves_out());
            let read = follower.read(until, bounds);
            let items = read.map(|batch| items(batch, &sink, &node, &status));
            (follower, (before, is_new), items)
        };
        let read = tokio::task::spawn_blocking(reading).await;
        // At most half of a processor for all sinks together, however much there is to catch up with.
        sleep(start.elapsed()).await;
        drop(turn);
        let Ok((follower, (before, is_new), items)) = read else {
            return Err(Failure::LOG);
        };
        self.follower = Some(match items.is_err() {
            true => begin(&self.feed.dir, before, is_new),
            false => follower,
        });
        items.map_err(|_| Failure::LOG)
    }

    /// Hands a batch over, in as many parts and as often as it takes.
    async fn hand_over(&mut self, batch: Vec<Item>) -> Result<(), Stopped> {
        let mut rest = batch.as_slice();
        while let Some(first) = rest.first() {
            self.feed.status.waiting(first.time);
            let count = self.part(rest);
            let part: Vec<Bytes> = rest
                .iter()
                .take(count)
                .map(|item| item.bytes.clone())
                .collect();
            let taken = tokio::select! {
                taken = self.receiver.take(part, &self.feed.pace) => taken,
                () = over(&mut self.feed.stop) => return Err(Stopped),
            };
            match taken {
                Ok(()) => {
                    let (taken, left) = rest.split_at(count);
                    rest = left;
                    self.taken(taken).await;
                }
                Err(failure) if failure.is_too_much && count > 1 => {
                    let bytes = rest.iter().take(count).map(|item| item.bytes.len());
                    self.most = Bounds {
                        steps: count.div_ceil(2),
                        bytes: bytes.sum::<usize>().div_ceil(2),
                    };
                    self.too_much(failure).await?;
                }
                Err(failure) => self.fail(failure).await?,
            }
        }
        Ok(())
    }

    /// Less at a time may work: at once, if the receiver said so.
    async fn too_much(&mut self, failure: Failure) -> Result<(), Stopped> {
        if failure.status.is_none() {
            return self.fail(failure).await;
        }
        self.feed.status.failed(failure);
        Ok(())
    }

    /// How many events of a batch go at a time; one at least.
    fn part(&self, items: &[Item]) -> usize {
        let mut bytes = 0;
        let fits = |item: &&Item| {
            bytes += item.bytes.len();
            bytes <= self.most.bytes
        };
        let count = items.iter().take(self.most.steps).take_while(fits).count();
        count.max(1)
    }

    async fn taken(&mut self, items: &[Item]) {
        let Some(last) = items.last() else { return };
        self.backoff.reset();
        let pace = &self.feed.pace;
        // Slowly, so that a receiver with a bound seldom meets it.
        self.most = Bounds {
            steps: (self.most.steps + pace.events / 16 + 1).min(pace.events),
            bytes: (self.most.bytes + pace.bytes / 16 + 1).min(pace.bytes),
        };
        if self.told.take().is_some() {
            tracing::info!(sink = self.feed.sink.name, "a sink takes events again");
        }
        self.feed.status.delivered(items.len());
        self.keep(Some(last.head.clone()), false).await;
    }

    /// Keeps a place, or makes durable the one that was kept.
    async fn keep(&mut self, head: Option<Head>, is_last: bool) {
        let Some(mut cursor) = self.cursor.take() else {
            return;
        };
        if let Some(head) = &head {
            self.feed.status.at(head.seq);
        }
        let keeping = move || {
            let kept = match (head, is_last) {
                (Some(head), false) => cursor.keep(&head),
                (Some(head), true) => cursor.settle(&head),
                (None, _) => match cursor.read() {
                    Ok(Kept::At(head)) => cursor.settle(&head),
                    read => read.map(|_| ()),
                },
            };
            (cursor, kept)
        };
        let kept = match tokio::task::spawn_blocking(keeping).await {
            Ok((cursor, kept)) => {
                self.cursor = Some(cursor);
                kept.is_ok()
            }
            Err(_) => {
                self.cursor = Some(Cursor::of(&self.feed.state, &self.feed.sink.name));
                false
            }
        };
        if !kept {
            self.feed.status.failed(Failure::CURSOR);
            self.tell(Failure::CURSOR);
        }
    }

    async fn fail(&mut self, failure: Failure) -> Result<(), Stopped> {
        self.feed.status.failed(failure);
        self.tell(failure);
        self.feed.wait(failure, &mut self.backoff).await
    }

    /// Tells of a failure, when it is another one, and once a minute.
    fn tell(&mut self, failure: Failure) {
        let is_told = self.told.as_ref().is_some_and(|(told, when)| {
            told.cause == failure.cause && when.elapsed() < TELLING_INTERVAL
        });
        if !is_told {
            self.told = Some((failure, Instant::now()));
            tell(&self.feed.sink.name, failure);
        }
    }
}

/// Behind an event. Where a sink begins, it says which events of the log it leaves out.
fn begin(dir: &Path, head: Head, is_new: bool) -> Follower {
    match is_new && head.seq > 0 {
        true => Follower::leaving_out(dir, head),
        false => Follower::behind(dir, head),
    }
}

fn tell(sink: &str, failure: Failure) {
    let Failure {
        cause,
        meaning,
        status,
        ..
    } = failure;
    match failure.is_lasting {
        true => tracing::error!(
            sink,
            cause,
            status,
            "a sink is held until somebody repairs it: {meaning}"
        ),
        false => tracing::warn!(
            sink,
            cause,
            status,
            "a sink does not take events, which wait: {meaning}"
        ),
    }
}

/// Returns once it is to stop.
async fn asked(stop: &mut watch::Receiver<Option<Instant>>) {
    let _ = stop.wait_for(Option::is_some).await.map(|_| ());
}

/// Returns once a stop has taken all its time.
async fn over(stop: &mut watch::Receiver<Option<Instant>>) {
    let deadline = match stop.wait_for(Option::is_some).await {
        Ok(deadline) => *deadline,
        // Nobody waits for it.
        Err(_) => None,
    };
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}
