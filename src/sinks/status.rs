//! How far a sink is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::audit::Why;
use crate::metrics::SinkMetrics;

use super::failure::Failure;

/// How long a sink may take to find its place until that is told of.
const BEGINNING_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

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
    /// Since when it does not work: since it was started, until it has found its place; or since the first failure behind a success.
    failing: Option<Timestamp>,
    /// Events that were never carried.
    missed: u64,
}

impl Status {
    pub(super) fn new(name: &str, metrics: SinkMetrics) -> Self {
        Self {
            name: name.to_owned(),
            metrics,
            state: Mutex::new(State {
                failing: Some(Timestamp::now()),
                ..State::default()
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Everything up to this event was taken.
    pub(super) fn at(&self, seq: u64) {
        self.state().at_seq = Some(seq);
    }

    /// It has found its place, and nothing fails any more.
    pub(super) fn begun(&self, seq: u64) {
        let mut state = self.state();
        state.at_seq = Some(seq);
        (state.failure, state.failing) = (None, None);
    }

    /// Events wait, of which the first was written then.
    pub(super) fn waiting(&self, since: Option<Timestamp>) {
        self.state().waiting = since;
    }

    /// So many events were taken.
    pub(super) fn delivered(&self, events: usize) {
        self.metrics.delivered(&self.name, events as u64);
        let mut state = self.state();
        (state.failure, state.failing) = (None, None);
    }

    /// An attempt failed.
    pub(super) fn failed(&self, failure: Failure) {
        self.metrics.failed(&self.name, failure.cause);
        let mut state = self.state();
        state.failure = Some(failure);
        state.failing.get_or_insert_with(Timestamp::now);
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
        let tried = state.failing.map(|since| now.duration_since(since));
        let begins =
            state.failure.is_none() && tried.is_some_and(|tried| tried < BEGINNING_TIMEOUT);
        let events = match state.at_seq {
            Some(at) => settled.saturating_sub(at),
            None if begins => 0,
            // Where nobody knows how far it is, nothing is known to be taken.
            None => settled,
        };
        let since = state.waiting.or(state.failing).filter(|_| events > 0);
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
            (None, None) if begins => (true, "it is about to begin".to_owned()),
            (None, None) => (
                false,
                format!("{events} events wait, since {seconds} s: it has not found its place"),
            ),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn a_sink_that_never_begins_has_taken_nothing() {
        let metrics = Metrics::new("name", "hash").unwrap();
        let status = Status::new("siem", metrics.sinks.clone());
        assert!(status.tell(40, Timestamp::now()).0);
        let later = Timestamp::now() + SignedDuration::from_secs(7_200);
        let (is_good, words) = status.tell(40, later);
        assert!(!is_good && words.starts_with("40 events wait"), "{words}");
        status.failed(Failure::CURSOR);
        let (is_good, words) = status.tell(40, later);
        assert!(!is_good && words.starts_with("40 events wait"), "{words}");
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        let told = |name: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().parse().unwrap()
        };
        assert_eq!(told("paravent_sink_lag_events{sink=\"siem\"}"), 40);
        assert!(told("paravent_sink_lag_seconds{sink=\"siem\"}") >= 7_200);
        status.begun(38);
        let (is_good, words) = status.tell(40, later);
        assert!(is_good && words.starts_with("2 events wait"), "{words}");
    }
}
