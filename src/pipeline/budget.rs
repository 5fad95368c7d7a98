//! How many bytes of replies are held back at once, over all requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus::IntGauge;

use crate::reason::Reason;

/// The budget.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    bytes_max: usize,
    gauge: IntGauge,
}

/// What one request has taken of the budget; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(bytes_max: usize, gauge: IntGauge) -> Self {
        Self {
            used: AtomicUsize::new(0),
            bytes_max,
            gauge,
        }
    }

    pub(super) fn share(self: &Arc<Self>) -> Share {
        Share {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

impl Share {
    /// Grows to `bytes`, or says that the proxy is busy.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Reason> {
        let Some(more) = bytes.checked_sub(self.bytes) else {
            return Ok(());
        };
        let used = self.budget.used.fetch_add(more, Ordering::Relaxed) + more;
        self.bytes = bytes;
        self.budget.show(used);
        if used > self.budget.bytes_max {
            Err(Reason::Overloaded)
        } else {
            Ok(())
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let used = self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed) - self.bytes;
        self.budget.show(used);
    }
}

impl Budget {
    fn show(&self, used: usize) {
        self.gauge.set(i64::try_from(used).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_is_refused_and_what_is_dropped_comes_back() {
        let budget = Arc::new(Budget::new(100, IntGauge::new("held", "held").unwrap()));
        let mut one = budget.share();
        assert_eq!(one.grow_to(60), Ok(()));
        assert_eq!(one.grow_to(50), Ok(()), "a share does not shrink");
        let mut other = budget.share();
        assert_eq!(other.grow_to(41), Err(Reason::Overloaded));
        drop(other);
        assert_eq!(one.grow_to(100), Ok(()));
        drop(one);
        assert_eq!(budget.gauge.get(), 0);
    }
}
