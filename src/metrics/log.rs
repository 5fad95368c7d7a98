//! What the access log has done: it counts by itself, and is asked when somebody wants to know.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::audit::{Checkpoints, Figures};

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
    signed: Signed,
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
            signed: Signed::new(registry)?,
            raising: Arc::default(),
        })
    }

    /// Takes over what the log has counted.
    pub(super) fn show(&self, healthy: bool, figures: &Figures, checkpoints: Option<&Checkpoints>) {
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
        if let Some(checkpoints) = checkpoints {
            self.signed.show(checkpoints);
        }
    }
}

/// What became of signed checkpoints. Nothing is told where none is signed.
#[derive(Clone, Debug)]
struct Signed {
    size: IntGauge,
    time: IntGauge,
    refused: IntGauge,
    failures: IntCounter,
    lag: IntGaugeVec,
    published: IntGaugeVec,
    publish_failures: IntCounterVec,
}

impl Signed {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let gauges = |name: &str, help: &str| -> Result<IntGaugeVec, prometheus::Error> {
            let gauges = IntGaugeVec::new(Opts::new(name, help), &["target"])?;
            registry.register(Box::new(gauges.clone()))?;
            Ok(gauges)
        };
        let failures = IntCounter::new(
            "paravent_audit_checkpoint_failures_total",
            "Times that no checkpoint of the access log could be made or signed.",
        )?;
        registry.register(Box::new(failures.clone()))?;
        let publish_failures = IntCounterVec::new(
            Opts::new(
                "paravent_audit_publish_failures_total",
                "Times that a checkpoint of the access log could not be published.",
            ),
            &["target"],
        )?;
        registry.register(Box::new(publish_failures.clone()))?;
        Ok(Self {
            failures,
            publish_failures,
            size: gauge(
                "paravent_audit_checkpoint_events",
                "Events of the access log that the last signed checkpoint holds.",
            )?,
            time: gauge(
                "paravent_audit_checkpoint_seconds",
                "When the last checkpoint was signed, in seconds since 1970.",
            )?,
            refused: gauge(
                "paravent_audit_checkpoint_refused",
                "Whether nothing is signed, because it would speak against what was signed before.",
            )?,
            lag: gauges(
                "paravent_audit_publish_lag_events",
                "Signed events of the access log of which a target knows nothing yet.",
            )?,
            published: gauges(
                "paravent_audit_published_seconds",
                "When a target last took a checkpoint, in seconds since 1970.",
            )?,
        })
    }

    fn show(&self, told: &Checkpoints) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.size.set(number(told.size));
        self.time.set(told.at.map_or(0, |at| at.as_second()));
        self.refused.set(i64::from(told.refused.is_some()));
        let raise = |counter: &IntCounter, total: u64| {
            counter.inc_by(total.saturating_sub(counter.get()));
        };
        raise(&self.failures, told.failures);
        for target in &told.targets {
            let label = [target.name.as_str()];
            let lag = number(told.lag(target));
            self.lag.with_label_values(&label).set(lag);
            let at = target.at.map_or(0, |at| at.as_second());
            self.published.with_label_values(&label).set(at);
            let failures = self.publish_failures.with_label_values(&label);
            raise(&failures, target.failures);
        }
    }
}
