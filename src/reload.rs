//! Looks, while the proxy runs, whether policies and certificates have changed, and puts what is new in force, without
//! touching a connection.
//!
//! Contents are compared, never times: links that are exchanged, as Kubernetes does it, and file systems without reliable
//! times are seen. What has changed is taken once two looks agree, is checked like at a start, is recorded, and then put in
//! force in one step. What is refused leaves what was before in force, is told once, and never makes the proxy unready.
//! Policy and certificates are taken independently of each other.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::audit::{By, Log};
use crate::config::Config;
use crate::diagnostic::{Diagnostics, Severity};
use crate::ledger::Standings;
use crate::limits::Meter;
use crate::metrics::Metrics;
use crate::pipeline::{LiveSchema, Pipeline};
use crate::policy::{Observation, Policy};
use crate::server::Parts;

mod candidate;
mod certificates;
mod looks;
mod needs;
mod once;
mod policy;
mod texts;

pub use candidate::{Candidate, classified, schemas};
pub use certificates::{TlsFiles, TlsListener};
pub use texts::Suites;

use certificates::Certificate;
use once::ReadOnce;
use policy::InForce;

/// How often is looked, where nothing else is said.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// What is looked at.
#[derive(Debug)]
pub struct Source {
    /// The configuration that runs.
    pub config: Arc<Config>,
    /// What was put in force at the start.
    pub began: Candidate,
    /// What runs tests, if they must pass.
    pub suites: Option<Arc<dyn Suites>>,
    /// How often is looked; `None` for only when asked.
    pub every: Option<Duration>,
}

/// On what changes act.
#[derive(Debug)]
pub struct Stage {
    /// The schemas of all upstreams, each once.
    pub live: Vec<Arc<LiveSchema>>,
    /// Every pipeline.
    pub pipelines: Vec<Arc<Pipeline>>,
    /// The listeners that speak TLS.
    pub tls: Vec<TlsListener>,
    /// The access log.
    pub log: Log,
    /// What callers are shown.
    pub meter: Meter,
    /// What a ledger knows of persons.
    pub standings: Option<Arc<Standings>>,
    /// Counters.
    pub metrics: Metrics,
    /// What `/readyz?verbose` says.
    pub parts: Parts,
}

/// What came of a look at something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What is on disk is in force, as it was.
    Unchanged,
    /// What is on disk is in force now.
    Taken,
    /// What is on disk was refused, because of errors with these codes. What was before is in force.
    Rejected(Vec<&'static str>),
    /// Nothing was judged: what is on disk changes while it is read, or may still do so.
    Unsettled,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Outcome {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Taken => "taken",
            Self::Rejected(_) => "rejected",
            Self::Unsettled => "unsettled",
        }
    }
}

/// What came of a look.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of the policy, the schema files and the tests.
    pub policy: Outcome,
    /// Of each certificate, and of the authorities that vouch for clients, by name.
    pub certificates: Vec<(String, Outcome)>,
    /// What is wrong, or odd, with what was judged.
    pub diagnostics: Diagnostics,
}

/// Asks for a look. Clones ask the same.
#[derive(Clone, Debug)]
pub struct Handle(mpsc::Sender<Asked>);

type Asked = (By, oneshot::Sender<Report>);

impl Handle {
    /// Looks at once; what came of it. `None` if nobody looks any more.
    pub async fn look(&self, by: By) -> Option<Report> {
        let (tell, told) = oneshot::channel();
        self.0.send((by, tell)).await.ok()?;
        told.await.ok()
    }
}

/// Whoever looks.
#[derive(Debug)]
pub struct Reloader {
    config: Arc<Config>,
    suites: Option<Arc<dyn Suites>>,
    every: Option<Duration>,
    stage: Stage,
    policy: InForce,
    certificates: Vec<Certificate>,
    once: ReadOnce,
}

impl Reloader {
    /// Looks at a source, on a stage on which it was put in force.
    pub fn new(source: Source, mut stage: Stage) -> Self {
        let certificates = Certificate::all(std::mem::take(&mut stage.tls));
        let policy = InForce::new(&source.began);
        policy.tell(&stage);
        for certificate in &certificates {
            certificate.tell(&stage);
        }
        once::tell(&stage, &[]);
        Self {
            config: source.config,
            suites: source.suites,
            every: source.every,
            stage,
            policy,
            certificates,
            once: ReadOnce::default(),
        }
    }

    /// Looks until told to stop.
    pub fn run(mut self, mut stop: watch::Receiver<bool>) -> (Handle, impl Future<Output = ()>) {
        let (sender, mut asked) = mpsc::channel::<Asked>(16);
        let looking = async move {
            let mut ticks = self.every.map(|every| {
                // What is in force was read a moment ago.
                let mut ticks = interval_at(Instant::now() + every, every);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                ticks
            });
            loop {
                let tick = async {
                    match &mut ticks {
                        Some(ticks) => drop(ticks.tick().await),
                        None => pending().await,
                    }
                };
                let asked = tokio::select! {
                    () = tick => None,
                    Some(asked) = asked.recv() => Some(asked),
                    _ = stop.wait_for(|stop| *stop) => return,
                };
                let by = asked.as_ref().map_or(By::Watch, |(by, _)| *by);
                let report = self.look(by).await;
                if let Some((_, tell)) = asked {
                    let _ = tell.send(report);
                }
            }
        };
        (Handle(sender), looking)
    }

    /// Looks at everything.
    async fn look(&mut self, by: By) -> Report {
        let mut diagnostics = Diagnostics::new();
        let policy = self.look_at_policy(by, &mut diagnostics).await;
        self.count("policy", &policy, by);
        let mut certificates = Vec::new();
        for at in 0..self.certificates.len() {
            let Some(certificate) = self.certificates.get_mut(at) else {
                break;
            };
            let (name, outcome) = certificate.look(by, &self.stage, &mut diagnostics).await;
            self.count(&name, &outcome, by);
            certificates.push((name, outcome));
        }
        self.once.look(&self.config, &self.stage).await;
        Report {
            policy,
            certificates,
            diagnostics,
        }
    }

    /// Counts what came of a look. That nothing has changed counts only for who wanted to know.
    fn count(&self, what: &str, outcome: &Outcome, by: By) {
        let is_news = matches!(outcome, Outcome::Taken | Outcome::Rejected(_));
        if is_news || by != By::Watch {
            self.stage.metrics.reloads.ended(what, outcome.as_str());
        }
    }
}

/// The codes of all errors, each once, in order.
fn codes_of(found: &Diagnostics) -> Vec<&'static str> {
    let errors = found.iter().filter(|one| one.severity == Severity::Error);
    let mut codes: Vec<_> = errors.map(|error| error.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Tells the operator what of a policy only observes.
pub fn tell_observation(policy: &Policy) {
    let Observation { whole, rules } = policy.observation(jiff::Timestamp::now());
    if let Some(until) = whole {
        tracing::warn!(%until, "the whole policy only observes: nearly everything is shown");
    }
    for (rule, until) in rules {
        tracing::info!(rule = rule.as_str(), %until, "a rule only observes");
    }
}
