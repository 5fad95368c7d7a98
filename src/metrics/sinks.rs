//! How far sinks of the access log are.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

use super::registered;

/// Counters and gauges of sinks, by their names in the configuration.
#[derive(Clone, Debug)]
pub struct SinkMetrics {
    sinks: IntGaugeVec,
    lag_events: IntGaugeVec,
    lag_seconds: IntGaugeVec,
    delivered: IntCounterVec,
    failures: IntCounterVec,
    missed: IntCounterVec,
}

impl SinkMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
        };
        let counter = |name: &str, help: &str, labels: &[&str]| {
            registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
        };
        Ok(Self {
            sinks: gauge(
                "paravent_sink_info",
                "Sinks of the access log: what they are, and in which country.",
                &["sink", "receiver", "format", "region"],
            )?,
            lag_events: gauge(
                "paravent_sink_lag_events",
                "Events on disk that a sink has not taken yet.",
                &["sink"],
            )?,
            lag_seconds: gauge(
                "paravent_sink_lag_seconds",
                "How long the oldest of them has been waiting.",
                &["sink"],
            )?,
            delivered: counter(
                "paravent_sink_delivered_total",
                "Events that a sink has taken.",
                &["sink"],
            )?,
            failures: counter(
                "paravent_sink_failures_total",
                "Attempts that a sink has not taken, by cause.",
                &["sink", "cause"],
            )?,
            missed: counter(
                "paravent_sink_remarks_total",
                "Events that were not where, or not what, a sink expected, by why.",
                &["sink", "why"],
            )?,
        })
    }

    /// A sink begins.
    pub fn begun(&self, sink: &str, receiver: &str, format: &str, region: &str) {
        self.sinks
            .with_label_values(&[sink, receiver, format, region])
            .set(1);
        self.delivered(sink, 0);
        self.lag(sink, 0, 0);
    }

    /// So many events wait, for so long.
    pub fn lag(&self, sink: &str, events: u64, seconds: u64) {
        let set = |gauge: &IntGaugeVec, number| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            gauge.with_label_values(&[sink]).set(number);
        };
        set(&self.lag_events, events);
        set(&self.lag_seconds, seconds);
    }

    /// Events were taken.
    pub fn delivered(&self, sink: &str, events: u64) {
        self.delivered.with_label_values(&[sink]).inc_by(events);
    }

    /// An attempt failed; the cause is a word of a closed list.
    pub fn failed(&self, sink: &str, cause: &'static str) {
        self.failures.with_label_values(&[sink, cause]).inc();
    }

    /// Events are not as they should be; the reason is a word of a closed list.
    pub fn missed(&self, sink: &str, why: &'static str, events: u64) {
        self.missed.with_label_values(&[sink, why]).inc_by(events);
    }
}
