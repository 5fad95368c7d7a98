//! The clock that tokens and keys are judged by.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time of day, which somebody may set, and a steady time, which nobody can.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> (i64, Duration) + Send + Sync>,
    /// The latest time of day that was ever told.
    latest: Arc<AtomicI64>,
}

/// A moment as a clock told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970, UTC.
    pub wall: i64,
    /// The latest such time that was told so far: what has ended does not come back when a clock is set back.
    pub latest: i64,
    steady: Duration,
}

impl Clock {
    /// The clocks of the system.
    pub fn system() -> Self {
        let start = Instant::now();
        Self::telling(move || {
            let wall = SystemTime::now().duration_since(UNIX_EPOCH);
            let wall = wall.map_or(0, |wall| wall.as_millis());
            (i64::try_from(wall).unwrap_or(i64::MAX), start.elapsed())
        })
    }

    /// A clock that tells what it is told to: milliseconds since 1970, and a steady time.
    pub fn telling(read: impl Fn() -> (i64, Duration) + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
            latest: Arc::default(),
        }
    }

    /// What it is now.
    pub fn now(&self) -> Moment {
        let (wall, steady) = (self.read)();
        let latest = self.latest.fetch_max(wall, Ordering::Relaxed).max(wall);
        Moment {
            wall,
            latest,
            steady,
        }
    }
}

impl Moment {
    /// How long ago another moment was: what the one or the other clock says, whichever is more. What has grown old stays old
    /// when the time of day is set back.
    pub fn since(&self, earlier: &Self) -> Duration {
        let wall = u64::try_from(self.latest.saturating_sub(earlier.latest)).unwrap_or(0);
        let steady = self.steady.saturating_sub(earlier.steady);
        steady.max(Duration::from_millis(wall))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(wall: i64, steady: u64) -> Moment {
        Clock::telling(move || (wall, Duration::from_millis(steady))).now()
    }

    #[test]
    fn the_larger_of_both_times_has_passed() {
        let start = moment(1_000, 10);
        for (wall, steady, passed) in [
            (2_000, 20, 1_000),
            (1_001, 510, 500),
            (0, 15, 5),
            (i64::MIN, 10, 0),
        ] {
            let now = moment(wall, steady);
            assert_eq!(now.since(&start), Duration::from_millis(passed), "{wall}");
        }
    }

    #[test]
    fn what_has_grown_old_stays_old_when_a_clock_is_set_back() {
        let wall = Arc::new(AtomicI64::new(1_000));
        let told = wall.clone();
        let clock = Clock::telling(move || (told.load(Ordering::Relaxed), Duration::ZERO));
        let (at, start) = (|time| wall.store(time, Ordering::Relaxed), clock.now());
        at(9_000);
        assert_eq!(clock.now().since(&start), Duration::from_secs(8));
        at(1_000);
        assert_eq!(clock.now().since(&start), Duration::from_secs(8));
        // What comes after that is young.
        assert_eq!(clock.now().since(&clock.now()), Duration::ZERO);
    }

    #[test]
    fn the_latest_time_stays_when_a_clock_is_set_back() {
        let wall = Arc::new(AtomicI64::new(5_000));
        let told = wall.clone();
        let clock = Clock::telling(move || (told.load(Ordering::Relaxed), Duration::ZERO));
        assert_eq!((clock.now().wall, clock.now().latest), (5_000, 5_000));
        wall.store(1_000, Ordering::Relaxed);
        assert_eq!((clock.now().wall, clock.now().latest), (1_000, 5_000));
        assert_eq!(clock.clone().now().latest, 5_000);
    }
}
