//! Carries the events of the access log to others: files, syslog servers, web servers.
//!
//! Each sink follows the segments by itself, behind a cursor that moves only once the receiver has taken what stands before
//! it: every event arrives at least once, in order, whatever fails or is restarted in between. Requests never wait for it:
//! a sink has a task of its own, holds one bounded batch, and what it does with a processor it does in turns with the others.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::audit::Log;
use crate::config::Sink;
use crate::metrics::SinkMetrics;

mod batch;
mod cursor;
mod dial;
mod failure;
mod feed;
mod file;
mod format;
mod https;
mod pace;
mod receiver;
mod status;
mod story;
mod syslog;
#[cfg(test)]
mod tests;

pub use dial::Wire;
pub use failure::Failure;
use feed::Feed;
use pace::Pace;
use status::Status;

/// How often metrics and `/readyz` are brought up to date.
const TICK: Duration = Duration::from_secs(1);

/// What is to be carried, and from where.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// To whom.
    pub sinks: Vec<Sink>,
    /// The folder of the log.
    pub dir: PathBuf,
    /// The folder of the state, in which cursors are kept.
    pub state: PathBuf,
    /// The name of this process.
    pub node: String,
}

/// Is told how a part of the proxy is.
pub type Say = Arc<dyn Fn(&str, bool, String) + Send + Sync>;

/// Sinks at work.
#[derive(Debug, Default)]
pub struct Sinks {
    feeds: Vec<JoinHandle<()>>,
    /// Tells how far they are, until what stands beside it is gone.
    ticking: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
    /// Until when they may carry what is left; they go on as long as there is no such time.
    stop: watch::Sender<Option<Instant>>,
    /// How long a stop lets them do so.
    drain: Duration,
}

impl Sinks {
    /// Begins to carry.
    pub fn start(plan: &Plan, log: &Log, metrics: &SinkMetrics, say: Say) -> Self {
        Self::start_at(plan, log.settled(), metrics, say, Pace::default())
    }

    fn start_at(
        plan: &Plan,
        settled: watch::Receiver<u64>,
        metrics: &SinkMetrics,
        say: Say,
        pace: Pace,
    ) -> Self {
        let (stop, stopped) = watch::channel(None);
        // What needs a processor is done by one sink at a time.
        let turn = Arc::new(Semaphore::new(1));
        let mut statuses = Vec::new();
        let mut feeds = Vec::new();
        for sink in &plan.sinks {
            let region = sink.region.as_deref().unwrap_or_default();
            metrics.begun(&sink.name, sink.kind(), sink.format.as_str(), region);
            tracing::info!(
                sink = sink.name,
                to = sink.kind(),
                format = sink.format.as_str(),
                region,
                "the access log is carried to a sink"
            );
            let status = Arc::new(Status::new(&sink.name, metrics.clone()));
            statuses.push(status.clone());
            let feed = Feed {
                sink: sink.clone(),
                dir: plan.dir.clone(),
                state: plan.state.clone(),
                node: plan.node.clone(),
                settled: settled.clone(),
                stop: stopped.clone(),
                turn: turn.clone(),
                pace,
                status,
            };
            feeds.push(tokio::spawn(feed.run()));
        }
        let ticking = (!statuses.is_empty()).then(|| {
            let (end, ended) = oneshot::channel();
            (tokio::spawn(tick(statuses, settled, say, ended)), end)
        });
        Self {
            feeds,
            ticking,
            stop,
            drain: pace.drain,
        }
    }

    /// Carries what is left, for a bounded time, and ends. What is not carried by then is carried after the next start.
    pub async fn stop(mut self) {
        let deadline = Instant::now() + self.drain;
        let _ = self.stop.send(Some(deadline));
        for feed in &mut self.feeds {
            // A little more: it ends by itself, and keeps its cursor.
            if tokio::time::timeout_at(deadline + TICK, &mut *feed)
                .await
                .is_err()
            {
                tracing::warn!("the stop does not wait for a sink that hangs");
                feed.abort();
            }
        }
        if let Some((ticking, end)) = self.ticking {
            drop(end);
            let _ = ticking.await;
        }
    }
}

/// Tells how far sinks are as long as they carry, and where they stood at the end.
async fn tick(
    statuses: Vec<Arc<Status>>,
    settled: watch::Receiver<u64>,
    say: Say,
    mut ended: oneshot::Receiver<()>,
) {
    loop {
        let is_last = ended.try_recv() == Err(oneshot::error::TryRecvError::Closed);
        for status in &statuses {
            let (is_good, words) = status.tell(*settled.borrow(), Timestamp::now());
            say(&format!("sink:{}", status.name()), is_good, words);
        }
        if is_last {
            return;
        }
        let _ = tokio::time::timeout(TICK, &mut ended).await;
    }
}
