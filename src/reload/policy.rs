//! Looks at the policy, and what belongs to it: schema files and tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::candidate::Candidate;
use super::looks::{Looks, Turn};
use super::texts::Texts;
use super::{Outcome, Reloader, Stage, codes_of};
use crate::audit::{By, Event, Loaded, keep_in_force};
use crate::background;
use crate::diagnostic::Diagnostics;
use crate::files::Fingerprint;
use crate::pipeline::{Catching, NewLimits, Prepared};
use crate::policy::Policy;

/// The part of the readiness page, and what it is called in metrics.
const PART: &str = "policy";
/// The part that says what is on disk.
const ON_DISK: &str = "policy-on-disk";

/// How long nearly all requests have ended after that were under way.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The policy that is in force, and what was seen of it on disk.
#[derive(Debug)]
pub(super) struct InForce {
    policy: Arc<Policy>,
    looks: Looks,
    /// Why what is on disk was refused the last time.
    why: String,
    /// Whether it was told that the access log cannot be written.
    is_told: bool,
}

impl InForce {
    pub(super) fn new(began: &Candidate) -> Self {
        Self {
            policy: began.policy.clone(),
            looks: Looks::new(began.texts),
            why: String::new(),
            is_told: false,
        }
    }

    /// Says that what is in force is what is on disk.
    pub(super) fn tell(&self, stage: &Stage) {
        let (name, hash) = (self.policy.name(), self.policy.hash());
        stage.parts.say(PART, true, format!("{name} {hash}"));
        stage.parts.say(ON_DISK, true, "it is in force");
        stage.metrics.reloads.policy(name, hash);
        stage.metrics.reloads.rejected(PART, false);
    }

    /// Says that what is on disk is not in force, and why; without a reason, for the one of before.
    fn tell_refused(&mut self, stage: &Stage, words: &str) {
        if !words.is_empty() {
            words.clone_into(&mut self.why);
        }
        stage.parts.say(ON_DISK, false, self.why.as_str());
        stage.metrics.reloads.rejected(PART, true);
    }
}

impl Reloader {
    /// Looks at the policy. What it holds is read, checked and tested beside the runtime.
    pub(super) async fn look_at_policy(
        &mut self,
        by: By,
        diagnostics: &mut Diagnostics,
    ) -> Outcome {
        let Some((texts, found)) = self.read(by).await else {
            let words =
                "it changes while it is read: change several files by exchanging the folder";
            self.stage.parts.say(ON_DISK, false, words);
            if by != By::Watch {
                tracing::warn!("the policy was not taken: {words}");
            }
            return Outcome::Unsettled;
        };
        let looks = &mut self.policy.looks;
        let turn = match by {
            By::Watch => looks.seen(found, Instant::now()),
            By::Start | By::Signal => looks.asked(found),
        };
        match turn {
            Turn::Nothing if found != looks.in_force() => {
                if looks.is_refused(found) {
                    self.policy.tell_refused(&self.stage, "");
                }
                Outcome::Unsettled
            }
            Turn::Nothing => {
                self.policy.tell(&self.stage);
                Outcome::Unchanged
            }
            Turn::Mended => {
                self.policy.tell(&self.stage);
                tracing::info!("the policy on disk is the one in force again");
                Outcome::Unchanged
            }
            Turn::Judge => self.judge(texts, found, by, diagnostics).await,
        }
    }

    /// Reads what is on disk, until two readings agree.
    async fn read(&self, by: By) -> Option<(Texts, Fingerprint)> {
        let (config, suites) = (self.config.clone(), self.suites.clone());
        // What was seen the last time needs no second reading; this is the second look. Who asks has only this one.
        let known = self.policy.looks.known(by == By::Watch);
        let read = move || Texts::settled(&config, suites.as_deref(), known);
        background::run("reload", read).await.flatten()
    }

    async fn judge(
        &mut self,
        texts: Texts,
        found: Fingerprint,
        by: By,
        diagnostics: &mut Diagnostics,
    ) -> Outcome {
        let hash = texts.policy.as_deref().ok().map(Policy::hash_of);
        let (config, suites) = (self.config.clone(), self.suites.clone());
        let judging = move || Candidate::judge(&config, &texts, suites.as_deref());
        // Whatever panics refuses.
        let judged = background::run("reload", judging).await;
        let (candidate, problems) = judged.unwrap_or_else(|| (None, Diagnostics::new()));
        let outcome = match candidate {
            Some(candidate) => self.take(candidate, found, by, &problems).await,
            None => {
                self.refuse((hash.as_deref(), found), by, &problems).await;
                Outcome::Rejected(codes_of(&problems))
            }
        };
        diagnostics.extend(problems);
        outcome
    }

    /// Puts a policy in force: on record first, then by one pointer for each CRM and dialect. Between the first of these
    /// and the last, some requests begin under the one policy and some under the other; each is decided by one of them from
    /// its beginning to its end, and its event names which.
    async fn take(
        &mut self,
        candidate: Candidate,
        found: Fingerprint,
        by: By,
        problems: &Diagnostics,
    ) -> Outcome {
        let Some(prepared) = self.prepare(&candidate).await else {
            let hash = candidate.policy.hash();
            self.refuse((Some(hash), found), by, problems).await;
            self.policy
                .tell_refused(&self.stage, "it could not be prepared");
            return Outcome::Rejected(Vec::new());
        };
        let is_same = candidate.policy.hash() == self.policy.policy.hash();
        if is_same && prepared.iter().all(|one| !one.is_new()) {
            // The same texts under other names, or other tests.
            drop(prepared);
            self.policy.looks.taken(found);
            self.policy.tell(&self.stage);
            return Outcome::Unchanged;
        }
        let (meter, standings) = (&self.stage.meter, self.stage.standings.clone());
        let limits = NewLimits::count(meter, &candidate.policy, standings, &self.stage.log).await;
        let Ok(limits) = limits else {
            drop(prepared);
            let hash = candidate.policy.hash();
            self.refuse((Some(hash), found), by, problems).await;
            let words = "its limits could not be counted from the access log";
            self.policy.tell_refused(&self.stage, words);
            return Outcome::Rejected(Vec::new());
        };
        let known = prepared.iter().map(Prepared::known).collect();
        keep_in_force(&self.stage.log, Some(&candidate.policy), known).await;
        let loaded = Loaded {
            name: candidate.policy.name(),
            hash: candidate.policy.hash(),
            previous: Some(self.policy.policy.hash()),
            schemas: prepared.iter().map(|one| one.schema()).collect(),
        };
        let event = Event::policy_loaded(&loaded, &candidate.classified, by);
        if self.stage.log.write(event).await.is_err() {
            let words = "the access log cannot be written";
            if !std::mem::replace(&mut self.policy.is_told, true) {
                tracing::error!("the policy on disk was not taken: {words}");
            }
            self.policy.tell_refused(&self.stage, words);
            return Outcome::Rejected(Vec::new());
        }
        let replaced: Vec<_> = prepared.into_iter().map(Prepared::put).collect();
        tokio::spawn(catch_up(limits.put()));
        for pipeline in &self.stage.pipelines {
            pipeline.policy_changed();
        }
        let previous = std::mem::replace(&mut self.policy.policy, candidate.policy);
        self.policy.is_told = false;
        self.policy.looks.taken(found);
        self.policy.tell(&self.stage);
        let policy = &self.policy.policy;
        let (name, hash, by) = (policy.name(), policy.hash(), by.as_str());
        tracing::info!(
            name,
            hash,
            previous = previous.hash(),
            by,
            "another policy is in force"
        );
        tokio::spawn(let_go((replaced, previous)));
        super::tell_observation(policy);
        if problems.warnings() > 0 {
            tracing::warn!(hash, "the policy has warnings:\n{}", problems.render(false));
        }
        Outcome::Taken
    }

    /// Prepares a policy for every CRM and dialect, so that nothing is put in force by half; `None` if that panics for one
    /// of them. Nothing is learned from here on, so that what is recorded is what comes into force.
    async fn prepare(&self, candidate: &Candidate) -> Option<Vec<Prepared>> {
        let mut prepared = Vec::new();
        for live in &self.stage.live {
            let dialect = candidate.dialect(live.upstream(), live.dialect().name())?;
            prepared.push(live.prepare(&candidate.policy, dialect.clone()).await?);
        }
        Some(prepared)
    }

    /// Leaves the policy in force, and says why, once.
    async fn refuse(
        &mut self,
        (hash, found): (Option<&str>, Fingerprint),
        by: By,
        problems: &Diagnostics,
    ) {
        let codes = codes_of(problems);
        let is_news = self.policy.looks.refused(found, Instant::now());
        let words = format!("it was refused: {}", codes.join(" "));
        self.policy
            .tell_refused(&self.stage, words.trim_end_matches(": "));
        if is_news {
            let event = Event::policy_rejected(hash, &codes, by);
            // Nothing changes, so that nothing depends on whether this is written.
            let _ = self.stage.log.write(event).await;
        }
        if is_news || by != By::Watch {
            tracing::error!(
                hash,
                codes = codes.join(" "),
                by = by.as_str(),
                "the policy on disk was refused; the one before stays in force:\n{}",
                problems.render(false)
            );
        }
    }
}

/// Drops what was in force, when requests under way have ended: it takes milliseconds, in which a thread that answers would
/// answer nobody.
async fn let_go(replaced: impl Send + 'static) {
    tokio::time::sleep(UNDER_WAY).await;
    background::run("reload", move || drop(replaced)).await;
}

/// New limits count what happened before they came into force.
async fn catch_up(limits: Catching) {
    if let Err(error) = limits.catch_up().await {
        let error = error.kind();
        tracing::error!(%error, "new limits could not be counted from the access log: what they count does not leave");
    }
}
