//! How fast a sink goes.

use std::time::Duration;

/// Spans of time and bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long a sink that has caught up waits for company, once there is an event.
    pub(super) linger: Duration,
    /// How often it looks, if nobody wakes it.
    pub(super) poll: Duration,
    /// The first wait after a failure; it doubles.
    pub(super) first: Duration,
    /// The longest wait after a failure.
    pub(super) most: Duration,
    /// The wait after a failure that somebody has to repair.
    pub(super) hold: Duration,
    /// How long one attempt may take.
    pub(super) attempt: Duration,
    /// Events at a time.
    pub(super) events: usize,
    /// Bytes of text at a time; a single event may be larger.
    pub(super) bytes: usize,
    /// How long a stop lets sinks carry what is left.
    pub(super) drain: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            linger: Duration::from_millis(300),
            poll: Duration::from_secs(1),
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
            hold: Duration::from_secs(60),
            attempt: Duration::from_secs(60),
            events: 500,
            bytes: 1 << 20,
            drain: Duration::from_secs(5),
        }
    }
}

/// The longest wait that a receiver may ask for.
const ASKED_MAX: Duration = Duration::from_secs(60 * 60);

/// How long to wait after failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether it has failed so often that a stop does not wait for it.
    pub(super) fn is_hopeless(&self) -> bool {
        self.failures > 3
    }

    /// It failed once more: how long to wait, also if the receiver asks for a wait, or somebody has to repair something.
    pub(super) fn next(&mut self, pace: &Pace, asked: Option<Duration>, hold: bool) -> Duration {
        let doubled = pace
            .first
            .saturating_mul(1 << self.failures.min(16))
            .min(pace.most);
        self.failures = self.failures.saturating_add(1);
        let own = if hold {
            pace.hold.max(doubled)
        } else {
            doubled
        };
        asked.map_or(own, |asked| asked.min(ASKED_MAX).max(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_what_is_asked_for_is_kept() {
        let pace = Pace::default();
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8)
            .map(|_| backoff.next(&pace, None, false).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.reset();
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(backoff.next(&pace, asked(120), false).as_secs(), 120);
        assert_eq!(backoff.next(&pace, asked(1), false).as_secs(), 2);
        assert_eq!(backoff.next(&pace, asked(1 << 40), false).as_secs(), 3_600);
        backoff.reset();
        assert_eq!(backoff.next(&pace, None, true).as_secs(), 60);
    }
}
