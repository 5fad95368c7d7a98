//! How much of a streamed reply leaves at a time, after one event of the log that names its records.
//!
//! A reply that begins comes soon, a long one costs few events: what waits may grow, in bytes and in time, from one release
//! to the next. The pieces in which the CRM sends it do not matter.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes that are released at once at first, and later.
const BYTES: (usize, usize) = (32 << 10, 1 << 20);
/// How long anything waits at first, and later.
const WAIT: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// Tells when what waits is to be released.
#[derive(Debug)]
pub(super) struct Pace {
    bytes: usize,
    bytes_max: usize,
    wait: Duration,
    /// When the first of what waits came.
    since: Option<Instant>,
}

impl Pace {
    /// For a reply of which at most so many bytes may wait.
    pub(super) fn new(held_bytes_max: usize) -> Self {
        let bytes_max = BYTES.1.min(held_bytes_max);
        Self {
            bytes: BYTES.0.min(bytes_max),
            bytes_max,
            wait: WAIT.0,
            since: None,
        }
    }

    /// Until when what waits may wait; `None` if nothing does, and a time in the past if it is enough now.
    pub(super) fn deadline(&mut self, waiting_bytes: usize) -> Option<Instant> {
        if waiting_bytes == 0 {
            return None;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        Some(match waiting_bytes >= self.bytes {
            true => since,
            false => since + self.wait,
        })
    }

    /// All that waited has been released.
    pub(super) fn released(&mut self) {
        self.since = None;
        self.bytes = (self.bytes * 2).min(self.bytes_max);
        self.wait = (self.wait * 2).min(WAIT.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_leaves_at_once_grows_and_nothing_waits_for_long() {
        let mut pace = Pace::new(8 << 20);
        assert_eq!(pace.deadline(0), None);
        let now = Instant::now();
        assert_eq!(pace.deadline(BYTES.0), Some(now));
        assert_eq!(pace.deadline(1), Some(now + WAIT.0));
        tokio::time::advance(WAIT.0 / 2).await;
        assert_eq!(
            pace.deadline(2),
            Some(now + WAIT.0),
            "the first byte counts"
        );
        for _ in 0..20 {
            pace.released();
        }
        let now = Instant::now();
        assert_eq!(pace.deadline(BYTES.1 - 1), Some(now + WAIT.1));
        assert_eq!(pace.deadline(BYTES.1), Some(now));
        // Never more than may be held.
        assert_eq!(Pace::new(1_000).deadline(1_000), Some(Instant::now()));
    }
}
