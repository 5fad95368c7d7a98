//! The walk itself; read this first.
//!
//! ```text
//! front door → understand → identify → decide → guard → forward → filter → record → reply
//! ```
//!
//! `door` has read the head. [`Pipeline::handle`] understands the request; `Pipeline::walk` takes one operation from
//! there to its reply; whatever goes wrong on the way becomes a `Refusal`, and whatever happens is recorded before the
//! reply exists. A bulk request is several walks inside an outer event.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;

use crate::audit::{Event, Log, PolicyStamp, Record};
use crate::dialect::{Access, Bounds, Dialect, Incoming, Operation, Understood};
use crate::door::{Credential, Head};
use crate::filter::{Limits, Memory};
use crate::guard::guard;
use crate::identity::{
    Attempt, Caller, Callers, Guesses, NoRandomness, Origins, Probes, Sessions, Spent,
};
use crate::metrics::Metrics;
use crate::policy::{Decision, FieldRule, Plan, Policy};
use crate::reason::Reason;
use crate::reply::{Refusal, Reply};
use crate::tally::Tally;
use crate::transport::Transport;
use crate::upstream::{self, Untrusted};
use crate::vocabulary::{Action, Edits, FieldPath};

mod budget;
mod bulk;
mod cut;
mod drift;
mod pace;
mod refuse;
mod release;
mod settle;
mod stream;

pub use cut::{Cut, Knife};

use budget::Budget;
use drift::Notices;
use refuse::said;
use settle::Settlement;

/// Everything that a request meets on its way to one CRM.
#[derive(Debug)]
pub struct Pipeline {
    entrances: Vec<Entrance>,
    transport: Transport,
    /// Logins that failed.
    logins: Guesses,
    /// Look-ups of credentials that the CRM does not know.
    strangers: Arc<Guesses>,
    /// Requests that need no session.
    anybody: Origins,
    callers: Callers,
    probes: Probes,
    /// Requests of which nothing was understood, by reason.
    turned_away: Tally,
    log: Log,
    settings: Settings,
    budget: Arc<Budget>,
    metrics: Metrics,
    stamp: PolicyStamp,
    cut: Cut,
}

/// A dialect that the CRM speaks, with the policy and the sessions in its terms.
#[derive(Debug)]
struct Entrance {
    dialect: Arc<dyn Dialect>,
    /// The policy, with the field algebra of the dialect.
    policy: Policy,
    /// What its filters leave to each other.
    memory: Memory,
    sessions: Sessions,
    told: Arc<Notices>,
}

/// Bounds of the walk.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What a request may ask.
    pub bounds: Bounds,
    /// What a reply may be.
    pub limits: Limits,
    /// Bytes of a reply that are held back until it is complete; a larger reply streams.
    pub held_bytes_max: usize,
    /// The same, over all requests.
    pub held_bytes_total_max: usize,
    /// Whether replies larger than `held_bytes_max` stream (else they are refused).
    pub stream_large_replies: bool,
    /// Logins that fail, per origin and per account name; look-ups of credentials that the CRM does not know, per origin.
    pub logins_per_minute: NonZeroU32,
    /// Requests per caller.
    pub requests_per_minute: NonZeroU32,
    /// Refused predicates per caller.
    pub refused_predicates_per_hour: NonZeroU32,
}

/// One request, or one part of a bulk request, on its way.
#[derive(Clone, Copy)]
struct Visit<'a> {
    entrance: &'a Entrance,
    credential: Option<&'a Credential>,
    purpose: Option<&'a str>,
    trace: Option<&'a str>,
    origin: IpAddr,
    /// Whether the reply must be whole before it is used (a part of a bulk reply cannot stream).
    whole_only: bool,
    /// Bytes of the reply that may be held back.
    held_bytes_max: usize,
}

impl Pipeline {
    /// Puts the stages together. Makes no connection yet.
    pub fn new(
        transport: Transport,
        dialects: Vec<Arc<dyn Dialect>>,
        policy: Arc<Policy>,
        log: Log,
        metrics: Metrics,
        settings: Settings,
    ) -> Result<Self, NoRandomness> {
        let strangers = Arc::new(Guesses::per_minute(settings.logins_per_minute)?);
        let entrance = |dialect: Arc<dyn Dialect>| -> Result<Entrance, NoRandomness> {
            let sessions = Sessions::new(transport.clone(), dialect.clone(), strangers.clone())?;
            let policy = policy.in_dialect(dialect.clone());
            let failures = transport.failures().clone();
            let told = Arc::new(Notices::new(dialect.name(), metrics.clone(), failures));
            Ok(Entrance {
                told,
                dialect,
                policy,
                memory: Memory::new(),
                sessions,
            })
        };
        Ok(Self {
            entrances: dialects
                .into_iter()
                .map(entrance)
                .collect::<Result<_, _>>()?,
            logins: Guesses::per_minute(settings.logins_per_minute)?,
            strangers,
            anybody: Origins::per_minute(
                settings.logins_per_minute.saturating_mul(PUBLIC_PER_LOGIN),
            ),
            callers: Callers::per_minute(settings.requests_per_minute),
            probes: Probes::per_hour(settings.refused_predicates_per_hour),
            turned_away: Tally::default(),
            budget: Arc::new(Budget::new(
                settings.held_bytes_total_max,
                metrics.held_bytes.clone(),
            )),
            stamp: PolicyStamp {
                name: policy.name().into(),
                hash: policy.hash().into(),
            },
            transport,
            log,
            settings,
            metrics,
            cut: Knife::new().1,
        })
    }

    /// The same, whose requests are cut off by another's knife.
    #[must_use]
    pub fn cut_by(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// Answers one request, as [`Self::handle`] does; nothing, if it is cut off.
    pub async fn handle_unless_cut(&self, head: &Head, body: &Bytes) -> Option<Reply> {
        tokio::select! {
            biased;
            reply = self.handle(head, body) => Some(reply),
            () = self.cut.made() => None,
        }
    }

    /// Answers one request and writes down what happened, whatever happened.
    pub async fn handle(&self, head: &Head, body: &Bytes) -> Reply {
        let Some(entrance) = self
            .entrances
            .iter()
            .find(|entrance| entrance.dialect.claims(&head.path))
        else {
            return self
                .misunderstood(head, self.entrances.first(), Reason::UnknownRoute.into())
                .await;
        };
        let incoming = Incoming {
            method: &head.method,
            path: &head.path,
            query: head.query.as_deref(),
            accept: head.accept.as_deref(),
            content_type: head.content_type.as_deref(),
            body,
        };
        let understood = entrance
            .dialect
            .understand(&incoming, &self.settings.bounds)
            .and_then(|understood| {
                let credential = the_credential(&*entrance.dialect, head, &understood)?;
                Ok((understood, credential))
            });
        let (understood, credential) = match understood {
            Ok(understood) => understood,
            Err(misunderstood) => {
                return self
                    .misunderstood(head, Some(entrance), misunderstood)
                    .await;
            }
        };
        let mut visit = Visit {
            entrance,
            credential: credential.as_ref(),
            purpose: head.purpose.as_deref(),
            trace: head.trace.as_deref(),
            origin: head.origin,
            whole_only: false,
            held_bytes_max: self.settings.held_bytes_max,
        };
        match understood {
            Understood::One(operation) => {
                let record = self.record(&visit);
                self.walk(&visit, *operation, record).await
            }
            Understood::Bulk {
                route,
                version,
                parts,
                ..
            } => {
                visit.whole_only = true;
                self.bulk(&visit, (route, &version), parts).await
            }
        }
    }

    /// Takes one operation from its meaning to its reply.
    async fn walk(&self, visit: &Visit<'_>, operation: Operation, mut record: Record) -> Reply {
        let action = operation.action;
        record.route(operation.route);
        match self.answer(visit, operation, &mut record).await {
            Ok(answer) => self.release(visit, answer, record).await,
            Err(refusal) => self.refuse(visit, action, refusal, record).await,
        }
    }

    /// From an operation to the CRM's answer, unread, with the terms on which it may be shown.
    async fn answer(
        &self,
        visit: &Visit<'_>,
        mut operation: Operation,
        record: &mut Record,
    ) -> Result<Answer, Refusal> {
        let login = self.knock(visit, &operation).await?;
        let caller = self.identify(visit, &operation, record).await?;
        let plan = self.decide(visit, caller.as_ref(), &operation, record)?;
        let (mut edits, mut watched, mut is_unchanged) = (Edits::default(), None, false);
        match self.settle(visit, &operation, &plan, record).await? {
            Settlement::Nothing => {}
            Settlement::Edits(settled) => edits = settled,
            Settlement::Watched(settled, watch) => (edits, watched) = (settled, Some(watch)),
            // Only what was shown came back: nothing is written, the caller gets the record as shown.
            Settlement::Unchanged(read) => {
                operation = *read;
                is_unchanged = true;
            }
        }
        let guarded = guard(visit.dialect(), &operation, &plan, &edits);
        record.withheld_by_projection(guarded.withheld().iter().map(|rule| &**rule));
        let withheld = guarded.withheld().to_vec();
        if operation.action.writes() {
            self.may_disclose(&operation, &plan, record);
            let _opened = record.open().await.map_err(|_| Reason::AuditUnavailable)?;
        }
        let mut forwarded = self.forward(visit, guarded, record).await;
        if let Some(login) = login {
            self.log_in_ended(login, &forwarded).await;
        }
        record.named(operation.named(), said(operation.action, &forwarded));
        if let Some(watch) = watched {
            // To its end first: some CRMs answer one request of a session after the other.
            if let Ok(untrusted) = &mut forwarded {
                let bytes_max = self.settings.limits.record_bytes_max;
                let _ = untrusted.peek(bytes_max, visit.held_bytes_max).await;
            }
            self.watch(visit, &operation, &plan, &watch, record).await?;
        }
        let untrusted = forwarded.map_err(|refusal| refusal.of(operation.action))?;
        let shape = visit.dialect().shape(&operation);
        Ok(Answer {
            operation,
            untrusted,
            plan,
            shape,
            withheld,
            is_unchanged,
        })
    }

    /// Lets in who asks without a session: anybody now and then, and who logs in once it may fail.
    async fn knock(
        &self,
        visit: &Visit<'_>,
        operation: &Operation,
    ) -> Result<Option<Attempt>, Reason> {
        if operation.access != Access::Public {
            return Ok(None);
        }
        self.anybody.admit(visit.origin)?;
        if operation.action != Action::Auth {
            return Ok(None);
        }
        let account = visit.dialect().account(operation);
        let attempt = self
            .logins
            .attempt(visit.origin, account.as_deref())
            .await?;
        Ok(Some(attempt))
    }

    /// Counts a login to which the CRM said no. What it could not answer is no failed guess.
    async fn log_in_ended(&self, login: Attempt, forwarded: &Result<Untrusted, Refusal>) {
        match forwarded {
            Ok(_) => self.logins.welcome(login).await,
            Err(refusal) if refusal.is_the_crms_no() => login.failed(),
            Err(_) => {}
        }
    }

    /// Who is asking, where the operation needs to know.
    async fn identify(
        &self,
        visit: &Visit<'_>,
        operation: &Operation,
        record: &mut Record,
    ) -> Result<Option<Caller>, Reason> {
        if operation.access == Access::Public {
            return Ok(None);
        }
        let credential = visit.credential.ok_or(Reason::NoCredential)?;
        let caller = visit
            .entrance
            .sessions
            .identify(credential, &operation.version, visit.origin)
            .await?;
        record.caller(&caller);
        self.callers.admit(&caller)?;
        if operation.access == Access::Session {
            // It ends with this request, whatever becomes of that.
            visit.entrance.sessions.forget(credential).await;
        }
        Ok(Some(caller))
    }

    /// What the caller may have.
    fn decide(
        &self,
        visit: &Visit<'_>,
        caller: Option<&Caller>,
        operation: &Operation,
        record: &mut Record,
    ) -> Result<Plan, Reason> {
        let (Some(caller), Access::Role | Access::Governed) = (caller, operation.access) else {
            let plan = visit.policy().public_plan();
            self.note(visit, operation, &plan, record);
            return Ok(plan);
        };
        match visit.policy().decide(caller, visit.purpose, operation) {
            Decision::Permit(plan) => {
                record.terms(plan.roles(), plan.purpose());
                self.note(visit, operation, &plan, record);
                Ok(plan)
            }
            Decision::Deny(denial) => {
                record.terms(&denial.roles, denial.purpose.as_ref());
                self.note(visit, operation, &visit.policy().public_plan(), record);
                Err(self.refused_predicate(caller, denial.reason))
            }
        }
    }

    /// Counts a refused predicate against its caller's budget; once that is used up, there are too many requests.
    fn refused_predicate(&self, caller: &Caller, reason: Reason) -> Reason {
        if reason != Reason::FieldNotUsable {
            return reason;
        }
        match self.probes.spend(caller) {
            Spent::Within => return reason,
            Spent::UsedUp => {
                self.metrics.probed();
                let event = Event::predicates_used_up(caller, &self.stamp);
                self.log.enqueue(event);
            }
            Spent::StillUsedUp => {}
        }
        Reason::TooManyRequests
    }

    /// Tells the record the most that a reply may disclose, before an event opens it.
    fn may_disclose(&self, operation: &Operation, plan: &Plan, record: &mut Record) {
        for module in operation.modules() {
            record.may_disclose(plan.records(module).known());
        }
    }

    /// Carries a guarded request to the CRM; an answer that is an error becomes a refusal here, its words unread but
    /// for one label of a closed list.
    async fn forward(
        &self,
        visit: &Visit<'_>,
        guarded: crate::guard::Guarded,
        record: &mut Record,
    ) -> Result<Untrusted, Refusal> {
        let start = std::time::Instant::now();
        let forwarded =
            upstream::forward(&self.transport, guarded, visit.credential, visit.origin).await;
        record.upstream_took(start.elapsed());
        let mut untrusted = forwarded?;
        if untrusted.is_success() {
            self.look_for_failure(visit, &mut untrusted).await?;
            return Ok(untrusted);
        }
        let status = untrusted.status();
        if let (401, Some(credential)) = (status, visit.credential) {
            visit.entrance.sessions.forget(credential).await;
        }
        let words = untrusted.words(ERROR_BYTES_MAX).await;
        Err(Refusal::upstream(
            status,
            visit.dialect().error_label(status, &words),
        ))
    }

    /// Some CRMs tell errors with a status of success: a short body is looked at before it is filtered.
    async fn look_for_failure(
        &self,
        visit: &Visit<'_>,
        untrusted: &mut Untrusted,
    ) -> Result<(), Refusal> {
        if !visit.dialect().hides_errors() {
            return Ok(());
        }
        let held_bytes_max = self.settings.held_bytes_max;
        let body = untrusted.peek(ERROR_BYTES_MAX, held_bytes_max).await?;
        let Some(failure) = body.and_then(|body| visit.dialect().failure(&body)) else {
            return Ok(());
        };
        if failure.ends_session {
            if let Some(credential) = visit.credential {
                visit.entrance.sessions.forget(credential).await;
            }
            return Err(Reason::BadCredential.into());
        }
        Err(Refusal::upstream(untrusted.status(), failure.label))
    }

    fn record(&self, visit: &Visit<'_>) -> Record {
        let mut record = Record::new(&self.log, visit.origin, &self.stamp);
        record.dialect(visit.dialect().name());
        visit.trace.iter().for_each(|trace| record.trace(trace));
        record
    }

    /// Notes what the request means, in names that the policy or the dialect vouch for.
    fn note(&self, visit: &Visit<'_>, operation: &Operation, plan: &Plan, record: &mut Record) {
        let known = |path: &FieldPath| plan.records(&path.module).field(path.field.as_str()).known;
        record.operation(operation, &known, &|module| visit.policy().knows(module));
    }

    /// Forgets who has not been seen for a while. Called now and then.
    pub fn sweep(&self) {
        self.logins.sweep();
        self.strangers.sweep();
        self.anybody.sweep();
        self.callers.sweep();
        self.probes.sweep();
        self.transport.failures().sweep();
        self.sweep_turned_away();
    }
}

/// The one credential of a request: in its head or among its arguments, and of a kind that the API has.
fn the_credential(
    dialect: &dyn Dialect,
    head: &Head,
    understood: &Understood,
) -> Result<Option<Credential>, Reason> {
    let argument = match understood {
        Understood::One(operation) => &operation.credential,
        Understood::Bulk { credential, .. } => credential,
    };
    match (&head.credential, argument) {
        (Some(_), Some(_)) => Err(Reason::TwoCredentials),
        (Some(credential), None) if !dialect.accepts(credential.carrier()) => {
            Err(Reason::BadCredential)
        }
        (credential, argument) => Ok(argument.as_ref().or(credential.as_ref()).cloned()),
    }
}

/// The CRM's answer, unread, and the terms on which it may be shown.
struct Answer {
    operation: Operation,
    untrusted: Untrusted,
    plan: Plan,
    shape: crate::dialect::Shape,
    withheld: Vec<Arc<FieldRule>>,
    /// Whether it answers an update that changed nothing.
    is_unchanged: bool,
}

impl<'a> Visit<'a> {
    fn dialect(&self) -> &'a dyn Dialect {
        &*self.entrance.dialect
    }

    fn policy(&self) -> &'a Policy {
        &self.entrance.policy
    }
}

/// An error body is read only for its label.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// Requests that need no session, such as pings, for each login that an origin may try.
const PUBLIC_PER_LOGIN: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
