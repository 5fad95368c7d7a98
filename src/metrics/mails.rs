//! Counters of mails to persons, and of what the portal answers.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// How mails to persons leave.
#[derive(Clone, Debug)]
pub struct MailMetrics {
    handed_over: IntCounter,
    failures: IntCounterVec,
    given_up: IntCounter,
    aside: IntGauge,
    answers: IntCounterVec,
}

impl MailMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            handed_over: IntCounter::new(
                "paravent_mails_total",
                "Mails to persons that were handed over.",
            )?,
            failures: IntCounterVec::new(
                Opts::new(
                    "paravent_mail_failures_total",
                    "Mails that could not be handed over, by cause; each is tried again.",
                ),
                &["cause"],
            )?,
            given_up: IntCounter::new(
                "paravent_mails_given_up_total",
                "Mails that could not be handed over for a day.",
            )?,
            aside: IntGauge::new(
                "paravent_consent_outbox_aside",
                "What was set aside in the outbox of the consent ledger since the start, because no key opens it.",
            )?,
            answers: IntCounterVec::new(
                Opts::new(
                    "paravent_portal_requests_total",
                    "What the portal was asked, by route and status.",
                ),
                &["route", "status"],
            )?,
        };
        registry.register(Box::new(metrics.handed_over.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        registry.register(Box::new(metrics.given_up.clone()))?;
        registry.register(Box::new(metrics.aside.clone()))?;
        registry.register(Box::new(metrics.answers.clone()))?;
        Ok(metrics)
    }

    /// A mail was handed over.
    pub fn handed_over(&self) {
        self.handed_over.inc();
    }

    /// A mail could not be handed over.
    pub fn failed(&self, cause: &str) {
        self.failures.with_label_values(&[cause]).inc();
    }

    /// A mail is given up.
    pub fn given_up(&self) {
        self.given_up.inc();
    }

    /// So much of the ledger's outbox was set aside since the start.
    pub fn set_aside(&self, count: u64) {
        self.aside.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The portal has answered.
    pub fn answered(&self, route: &str, status: u16) {
        let status = status.to_string();
        self.answers.with_label_values(&[route, &status]).inc();
    }
}
