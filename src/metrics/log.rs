//! What the access log has done: it counts by itself, and is asked when somebody wants to know.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounter, IntGauge, Registry};

use crate::audit::Figures;

/// Counters of the access log.
#[derive(Clone, Debug)]
pub(super) struct LogCounters {
    healthy: IntGauge,
    events: IntCounter,
    lost: IntCounter,
    gaps: IntCounter,
    clock_steps: IntCounter,
    bytes: IntGauge,
    bytes_max: IntGauge,
    /// Held while they are brought up to what the log has counted.
    raising: Arc<Mutex<()>>,
}

impl LogCounters {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        Ok(Self {
            healthy: gauge(
                "paravent_audit_healthy",
                "Whether the access log can be written.",
            )?,
            bytes: gauge(
                "paravent_audit_bytes",
                "Bytes of all files in the folder of the access log.",
            )?,
            bytes_max: gauge(
                "paravent_audit_bytes_max",
                "Bytes that they may take; 0 if that is not bounded.",
            )?,
            events: counter(
                "paravent_audit_events_total",
                "Events written to the access log.",
            )?,
            lost: counter(
                "paravent_audit_lost_total",
                "Events that could not be written to the access log.",
            )?,
            gaps: counter(
                "paravent_audit_gaps_total",
                "Times that events of the access log were not where they had been.",
            )?,
            clock_steps: counter(
                "paravent_clock_steps_total",
                "Times that the clock was seen to step back.",
            )?,
            raising: Arc::default(),
        })
    }

    /// Takes over what the log has counted.
    pub(super) fn show(&self, healthy: bool, figures: &Figures) {
        let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.healthy.set(i64::from(healthy));
        self.bytes.set(bytes(figures.room.used));
        self.bytes_max.set(bytes(figures.room.most.unwrap_or(0)));
        // Nothing is done under the lock that a panic could leave half done.
        let _raising = self.raising.lock().unwrap_or_else(PoisonError::into_inner);
        for (counter, total) in [
            (&self.events, figures.events),
            (&self.lost, figures.lost),
            (&self.gaps, figures.gaps),
            (&self.clock_steps, figures.clock_steps),
        ] {
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }
}
