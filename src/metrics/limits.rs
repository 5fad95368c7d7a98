//! How often limits were reached, and how much is counted for them.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

use super::registered;

/// Counters of limits.
#[derive(Clone, Debug)]
pub(super) struct LimitCounters {
    pub(super) reached: IntCounterVec,
    pub(super) counted: IntGauge,
}

impl LimitCounters {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let reached = Opts::new(
            "paravent_limits_reached_total",
            "Callers that reached a limit on records, once a window, by limit.",
        );
        let counted = IntGauge::new(
            "paravent_limits_counted_records",
            "Records that are counted for limits, over all callers.",
        )?;
        Ok(Self {
            reached: registered(registry, IntCounterVec::new(reached, &["limit"])?)?,
            counted: registered(registry, counted)?,
        })
    }
}
