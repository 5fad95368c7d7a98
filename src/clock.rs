//! The clock that events are stamped by, and that rules go by.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time of day, which may step back: when somebody sets the system's clock, or a machine starts with a wrong one.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::telling(Timestamp::now)
    }

    /// A clock that tells what it is told to.
    pub fn telling(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn moment(&self) -> Timestamp {
        (self.0)()
    }

    /// The time, as events write it: RFC 3339, UTC, milliseconds. Such texts are in the order of time.
    pub fn now(&self) -> String {
        format!("{:.3}", (self.0)())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
