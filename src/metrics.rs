//! Counters for operators (Prometheus text format). No caller, record, field or URL is in a label.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::audit::{Checkpoints, Figures};
use crate::provenance;
use crate::reason::{Outcome, Reason};
use crate::vocabulary::Action;

mod limits;
mod log;
mod mails;
mod names;
mod reloads;
mod sinks;

use limits::LimitCounters;
use log::LogCounters;
pub use mails::MailMetrics;
pub use names::Drift;
use names::NameGauges;
pub use reloads::Reloads;
pub use sinks::SinkMetrics;

/// Registers from what this program was built.
fn tell_build(registry: &Registry) -> Result<(), prometheus::Error> {
    let build = IntGaugeVec::new(
        Opts::new("paravent_build_info", "From what this program was built."),
        &["version", "commit", "build"],
    )?;
    registry.register(Box::new(build.clone()))?;
    build
        .with_label_values(&[provenance::VERSION, provenance::COMMIT, provenance::BUILD])
        .set(1);
    Ok(())
}

/// All counters.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    refusals: IntCounterVec,
    disclosed: IntCounterVec,
    request_seconds: Histogram,
    upstream_seconds: Histogram,
    /// Open connections.
    pub connections: IntGauge,
    /// Requests being answered.
    pub requests_in_flight: IntGauge,
    /// Bytes of replies held back until they are complete.
    pub held_bytes: IntGauge,
    limits: LimitCounters,
    log: LogCounters,
    /// Answers of CRMs that could not be used, by `cause`.
    pub upstream_failures: IntCounterVec,
    panics: IntCounterVec,
    handshakes: IntCounterVec,
    names: NameGauges,
    observing: IntGaugeVec,
    probing: IntCounter,
    /// What came of changed policies and certificates.
    pub reloads: Reloads,
    /// How mails to persons leave, and what the portal answers.
    pub mails: MailMetrics,
    /// How far sinks of the access log are.
    pub sinks: SinkMetrics,
}

impl Metrics {
    /// Registers all counters, and the policy in force.
    pub fn new(policy_name: &str, policy_hash: &str) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter =
            |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
                registered(
                    &registry,
                    IntCounterVec::new(Opts::new(name, help), labels)?,
                )
            };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            registered(&registry, IntGauge::new(name, help)?)
        };
        let seconds = |name: &str, help: &str| -> Result<Histogram, prometheus::Error> {
            let bounds = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
            registered(&registry, Histogram::with_opts(bounds)?)
        };
        let reloads = Reloads::new(&registry)?;
        reloads.policy(policy_name, policy_hash);
        let probing = IntCounter::new(
            "paravent_predicate_budgets_used_up_total",
            "Callers that used up their budget of refused predicates.",
        )?;
        tell_build(&registry)?;
        Ok(Self {
            requests: counter(
                "paravent_requests_total",
                "Understood requests by action and outcome.",
                &["action", "outcome"],
            )?,
            refusals: counter(
                "paravent_refusals_total",
                "Refusals by reason.",
                &["reason"],
            )?,
            disclosed: counter(
                "paravent_fields_total",
                "Fields of replies by category and level.",
                &["category", "level"],
            )?,
            request_seconds: seconds(
                "paravent_request_seconds",
                "From the head of a request to its reply.",
            )?,
            upstream_seconds: seconds("paravent_upstream_seconds", "Of which the CRM took.")?,
            connections: gauge("paravent_connections", "Open connections.")?,
            requests_in_flight: gauge("paravent_requests_in_flight", "Requests being answered.")?,
            held_bytes: gauge(
                "paravent_held_bytes",
                "Bytes of replies held back until they are complete.",
            )?,
            limits: LimitCounters::new(&registry)?,
            log: LogCounters::new(&registry)?,
            probing: registered(&registry, probing)?,
            upstream_failures: counter(
                "paravent_upstream_failures_total",
                "Answers of the CRM that could not be used, by cause.",
                &["cause"],
            )?,
            panics: counter(
                "paravent_panics_total",
                "Requests that failed inside the proxy.",
                &[],
            )?,
            handshakes: counter(
                "paravent_tls_handshake_failures_total",
                "TLS handshakes that failed, by cause.",
                &["cause"],
            )?,
            observing: observing(&registry)?,
            names: NameGauges::new(&registry)?,
            reloads,
            mails: MailMetrics::new(&registry)?,
            sinks: SinkMetrics::new(&registry)?,
            registry,
        })
    }

    /// Counts an understood request, and how long it and the CRM took.
    pub fn request(
        &self,
        action: Action,
        outcome: Outcome,
        (request, upstream): (Duration, Duration),
    ) {
        self.requests
            .with_label_values(&[action.as_str(), outcome.as_str()])
            .inc();
        self.request_seconds.observe(request.as_secs_f64());
        self.upstream_seconds.observe(upstream.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn refusal(&self, reason: Reason) {
        self.refusals.with_label_values(&[reason.code()]).inc();
    }

    /// Counts the fields of a reply by category and level.
    pub fn field(&self, category: &str, level: &str, records: u64) {
        self.disclosed
            .with_label_values(&[category, level])
            .inc_by(records);
    }

    /// Says how many fields of the CRM no policy classifies.
    pub fn gaps(&self, dialect: &str, count: usize) {
        self.names.gaps(dialect, count);
    }

    /// Says how many names of a kind the CRM has sent that nobody has said anything of.
    pub fn drift(&self, dialect: &str, kind: Drift, count: usize) {
        self.names.drift(dialect, kind, count);
    }

    /// Counts a request that failed inside the proxy.
    pub fn panicked(&self) {
        let none: [&str; 0] = [];
        self.panics.with_label_values(&none).inc();
    }

    /// Counts a TLS handshake that failed; the cause is a word of a closed list.
    pub fn handshake_failed(&self, cause: &'static str) {
        self.handshakes.with_label_values(&[cause]).inc();
    }

    /// Says whether the whole policy only observes, and how many rules do.
    pub fn observing(&self, whole: bool, rules: usize) {
        let rules = i64::try_from(rules).unwrap_or(i64::MAX);
        for (what, count) in [("policy", i64::from(whole)), ("rules", rules)] {
            self.observing.with_label_values(&[what]).set(count);
        }
    }

    /// Counts a caller who used up the budget of refused predicates.
    pub fn probed(&self) {
        self.probing.inc();
    }

    /// Counts a caller who reached a limit on records.
    pub fn limit_reached(&self, limit: &str) {
        self.limits.reached.with_label_values(&[limit]).inc();
    }

    /// Says how many records are counted for limits.
    pub fn counted(&self, records: usize) {
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        self.limits.counted.set(records);
    }

    /// Says whether the access log can be written, and what it has done so far.
    pub fn audit(&self, healthy: bool, figures: &Figures, checkpoints: Option<&Checkpoints>) {
        self.log.show(healthy, figures, checkpoints);
    }

    /// All counters in the Prometheus text format, version 0.0.4.
    pub fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        let gathered = self.reloads.settled(|| self.registry.gather());
        TextEncoder::new().encode(&gathered, &mut text)?;
        Ok(text)
    }
}

fn observing(registry: &Registry) -> Result<IntGaugeVec, prometheus::Error> {
    let help = "What only observes: the whole policy (1 or 0), and how many rules.";
    let gauge = IntGaugeVec::new(Opts::new("paravent_policy_observing", help), &["what"])?;
    registered(registry, gauge)
}

/// A counter that a registry knows.
fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
