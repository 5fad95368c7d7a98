//! What is in force, and what came of changing it.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::registered;

/// Counters and gauges of policies and certificates.
#[derive(Clone, Debug)]
pub struct Reloads {
    policy: IntGaugeVec,
    total: IntCounterVec,
    rejected: IntGaugeVec,
    restart_needed: IntGauge,
    not_after: IntGaugeVec,
    /// Held while one policy gives way to another, so that nobody sees none or two.
    changing: Arc<Mutex<()>>,
}

impl Reloads {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registered(registry, gauge)
        };
        let total = Opts::new(
            "paravent_reloads_total",
            "Changed policies and certificates, by what became of them.",
        );
        let restart_needed = IntGauge::new(
            "paravent_restart_needed",
            "Whether a file that is read at the start only has changed since.",
        )?;
        Ok(Self {
            policy: gauge(
                "paravent_policy_info",
                "The policy in force.",
                &["name", "hash"],
            )?,
            total: registered(registry, IntCounterVec::new(total, &["what", "result"])?)?,
            rejected: gauge(
                "paravent_reload_rejected",
                "Whether what is on disk was refused, so that what was before is in force.",
                &["what"],
            )?,
            restart_needed: registered(registry, restart_needed)?,
            not_after: gauge(
                "paravent_certificate_not_after_seconds",
                "Until when the certificate of a listener is valid, in seconds since 1970.",
                &["name"],
            )?,
            changing: Arc::default(),
        })
    }

    /// This policy is in force, and no other.
    pub fn policy(&self, name: &str, hash: &str) {
        self.settled(|| {
            self.policy.reset();
            self.policy.with_label_values(&[name, hash]).set(1);
        });
    }

    /// Counts what became of something that was looked at.
    pub fn ended(&self, what: &str, result: &'static str) {
        self.total.with_label_values(&[what, result]).inc();
    }

    /// Says whether what is on disk was refused.
    pub fn rejected(&self, what: &str, is_rejected: bool) {
        let gauge = self.rejected.with_label_values(&[what]);
        gauge.set(i64::from(is_rejected));
    }

    /// Says whether only a restart makes everything count that is on disk.
    pub fn restart_needed(&self, is_needed: bool) {
        self.restart_needed.set(i64::from(is_needed));
    }

    /// Says until when the certificate of a listener is valid.
    pub fn not_after(&self, name: &str, seconds: i64) {
        self.not_after.with_label_values(&[name]).set(seconds);
    }

    /// Does something while no policy gives way to another.
    pub(super) fn settled<T>(&self, what: impl FnOnce() -> T) -> T {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        what()
    }
}
