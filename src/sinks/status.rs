//! How far a sink is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::audit::Why;
use crate::metrics::SinkMetrics;

use super::failure::Failure;

/// How far a sink is, for metrics and `/readyz`.
#[derive(Debug)]
pub(super) struct Status {
    name: String,
    metrics: SinkMetrics,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last event that the receiver has taken; `None` until that is known.
    at_seq: Option<u64>,
    /// When the first event was written that waits.
    waiting: Option<Timestamp>,
    /// Why the last attempt failed.
    failure: Option<Failure>,
    /// Events that were never carried.
    missed: u64,
}

impl Status {
    pub(super) fn new(name: &str, metrics: SinkMetrics) -> Self {
        Self {
            name: name.to_owned(),
            metrics,
            state: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Everything up to this event was taken.
    pub(super) fn at(&self, seq: u64) {
        self.state().at_seq = Some(seq);
    }

    /// Events wait, of which the first was written then.
    pub(super) fn waiting(&self, since: Option<Timestamp>) {
        self.state().waiting = since;
    }

    /// So many events were taken.
    pub(super) fn delivered(&self, events: usize) {
        self.metrics.delivered(&self.name, events as u64);
        self.state().failure = None;
    }

    /// An attempt failed.
    pub(super) fn failed(&self, failure: Failure) {
        self.metrics.failed(&self.name, failure.cause);
        self.state().failure = Some(failure);
    }

    /// Events are not as they should be.
    pub(super) fn remarked(&self, why: Why, events: u64) {
        self.metrics.missed(&self.name, why.as_str(), events);
        if why.is_loss() {
            let mut state = self.state();
            state.missed = state.missed.saturating_add(events);
        }
    }

    /// Shows the lag; whether it is good, and in what words. `settled` is the newest event on disk.
    pub(super) fn tell(&self, settled: u64, now: Timestamp) -> (bool, String) {
        let state = self.state();
        let events = state.at_seq.map_or(0, |at| settled.saturating_sub(at));
        let since = state.waiting.filter(|_| events > 0);
        let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
        let seconds = u64::try_from(seconds).unwrap_or_default();
        self.metrics.lag(&self.name, events, seconds);
        let missed = match state.missed {
            0 => String::new(),
            missed => format!("; {missed} events were gone before they were carried"),
        };
        match (&state.failure, state.at_seq) {
            (Some(failure), _) => {
                let status = failure.status.map(|status| format!(" (status {status})"));
                let status = status.unwrap_or_default();
                let words = format!(
                    "{} events wait, since {seconds} s: {}{status}{missed}",
                    events, failure.meaning
                );
                (false, words)
            }
            (None, None) => (true, "it is about to begin".to_owned()),
            (None, Some(_)) => (
                state.missed == 0,
                format!("{events} events wait, since {seconds} s{missed}"),
            ),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that a panic could leave half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
