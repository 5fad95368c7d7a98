//! The walk itself; read this first.
//!
//! ```text
//! front door → understand → identify → decide → guard → forward → filter → record → reply
//! ```
//!
//! `door` has read the head. [`Pipeline::handle`] understands the request; `Pipeline::walk` takes one operation from
//! there to its reply; whatever goes wrong on the way becomes a `Refusal`, and whatever happens is recorded before the
//! reply exists. A bulk request is several walks inside an outer event.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::audit::{Arrival, Arrived, Clock, Decided, Log, Record};
use crate::config::{self, Way};
use crate::dialect::{AnswerForm, Bounds, Dialect, Exchange, Incoming, Operation, Understood};
use crate::door::{Carrier, Credential, Head};
use crate::filter::Limits;
use crate::guard::{Narrowed, guard};
use crate::identity::{
    Attempt, Callers, Guesses, NoRandomness, Origins, Probes, Service, Sessions, Shown, Ways,
};
use crate::ledger::Standings;
use crate::limits::Meter;
use crate::metrics::Metrics;
use crate::policy::{FieldRule, Plan, Policy};
use crate::reason::Reason;
use crate::reply::{Refusal, Reply};
use crate::tally::Tally;
use crate::transport::Transport;
use crate::upstream::Untrusted;
use crate::vocabulary::Edits;

mod admit;
mod budget;
mod bulk;
mod calling;
mod carry;
mod charge;
mod controls;
mod credential;
mod cut;
mod drift;
mod entrance;
mod excepted;
mod in_force;
mod judged;
mod learning;
mod offsets;
mod pace;
mod people;
mod recount;
mod refill;
mod refuse;
mod release;
mod settle;
mod stream;
mod sweeping;
mod telling;
mod whose;

pub use cut::{Cut, Knife};
pub use learning::{LiveSchema, Prepared};
pub use recount::{Catching, NewLimits};

use admit::{NotAdmitted, Terms};
use budget::{Budget, Share};
use calling::{Called, With};
use controls::all_controls;
use credential::{no_session, the_credential};
use drift::Notices;
use entrance::Entrance;
use excepted::Excepted;
use in_force::InForce;
use judged::{told_alike, told_of_absence, told_of_no_other};
use offsets::Offsets;
use people::Asking;
use refuse::said;
use settle::Settlement;
use telling::Telling;

/// Everything that a request meets on its way to one CRM.
#[derive(Debug)]
pub struct Pipeline {
    entrances: Vec<Entrance>,
    transport: Transport,
    /// Logins that failed.
    logins: Guesses,
    /// Look-ups of credentials that the CRM does not know.
    strangers: Arc<Guesses>,
    /// Tokens, keys and certificates that were not accepted: they hold back nobody's session.
    impostors: Guesses,
    /// Requests that need no session.
    anybody: Origins,
    callers: Callers,
    probes: Probes,
    /// How many records callers were shown.
    meter: Meter,
    /// Which exceptions were told of.
    excepted: Excepted,
    /// Where pages went on that were put together here.
    offsets: Offsets,
    /// Requests of which nothing was understood, by reason.
    turned_away: Tally,
    log: Log,
    settings: Settings,
    budget: Arc<Budget>,
    metrics: Metrics,
    /// The name of the CRM in the configuration.
    upstream: Arc<str>,
    ways: Ways,
    cut: Cut,
    clock: Clock,
    /// How persons stand; `None`, if nobody keeps that.
    standings: Option<Arc<Standings>>,
}

/// Bounds of the walk.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What a request may ask.
    pub bounds: Bounds,
    /// Whether requests may carry sessions and passwords in their query strings, in ways that the API has.
    pub secrets_in_query: bool,
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

/// The proxy's own accounts, by the name of the CRM and that of the dialect. An account has one session: some CRMs end the
/// one before with each login.
pub type Services = BTreeMap<(Arc<str>, &'static str), Service>;

/// One request, or one part of a bulk request, on its way.
#[derive(Clone, Copy)]
struct Visit<'a> {
    entrance: &'a Entrance,
    /// What it is decided by, from its beginning to its end.
    in_force: &'a InForce,
    /// What shows who the caller is.
    shown: Shown<'a>,
    /// With what the CRM is called; as long as nobody has decided, with nothing.
    with: &'a With,
    purpose: Option<&'a str>,
    trace: Option<&'a str>,
    /// When it began: until when rules only observe is judged by that.
    now: Timestamp,
    origin: IpAddr,
    /// Who is asked of the persons whom records are about, where rules ask.
    persons: Option<&'a Arc<Asking>>,
    /// Who tells whom they are about, where that is counted.
    telling: Option<&'a Arc<Telling>>,
    /// Whether the reply must be whole before it is used (a part of a bulk reply cannot stream).
    whole_only: bool,
    /// Bytes of the reply that may be held back.
    held_bytes_max: usize,
}

impl Pipeline {
    /// Puts the stages together before a CRM, given by its name in the configuration and the way to it. Makes no connection
    /// yet.
    pub fn new(
        (upstream, transport): (Arc<str>, Transport),
        schemas: Vec<Arc<LiveSchema>>,
        policy: &Policy,
        log: Log,
        metrics: Metrics,
        settings: Settings,
    ) -> Result<Self, NoRandomness> {
        let strangers = Arc::new(Guesses::per_minute(settings.logins_per_minute)?);
        let entrance = |schema: Arc<LiveSchema>| -> Result<Entrance, NoRandomness> {
            let dialect = schema.dialect();
            let failures = transport.failures().clone();
            let told = Arc::new(Notices::new(dialect.name(), metrics.clone(), failures));
            let sessions = Sessions::new(transport.clone(), dialect, strangers.clone())?;
            Ok(Entrance::new(schema, policy, sessions, told))
        };
        Ok(Self {
            entrances: schemas
                .into_iter()
                .map(entrance)
                .collect::<Result<_, _>>()?,
            logins: Guesses::per_minute(settings.logins_per_minute)?,
            strangers,
            impostors: Guesses::per_minute(settings.logins_per_minute)?,
            anybody: Origins::per_minute(
                settings.logins_per_minute.saturating_mul(PUBLIC_PER_LOGIN),
            ),
            callers: Callers::per_minute(settings.requests_per_minute),
            probes: Probes::per_hour(settings.refused_predicates_per_hour),
            meter: Meter::new(policy).map_err(|_| NoRandomness)?,
            excepted: Excepted::default(),
            offsets: Offsets::default(),
            turned_away: Tally::default(),
            budget: Arc::new(Budget::new(
                settings.held_bytes_total_max,
                metrics.held_bytes.clone(),
            )),
            upstream,
            ways: Ways::default(),
            transport,
            log,
            settings,
            metrics,
            cut: Knife::new().1,
            clock: Clock::system(),
            standings: None,
        })
    }

    /// The same, whose callers prove in these ways who they are; whoever has no session of the CRM is served by the proxy's
    /// own account, which is one for all pipelines to a CRM.
    #[must_use]
    pub fn reached_by(
        mut self,
        ways: Ways,
        account: Option<&config::Service>,
        services: &mut Services,
    ) -> Self {
        for entrance in &mut self.entrances {
            let dialect = entrance.schema.dialect();
            entrance.service = account.map(|account| {
                let key = (self.upstream.clone(), dialect.name());
                let service =
                    || Service::new(self.transport.clone(), dialect.clone(), account.clone());
                services.entry(key).or_insert_with(service).clone()
            });
        }
        self.ways = ways;
        self
    }

    /// The same, whose requests are cut off by another's knife.
    #[must_use]
    pub fn cut_by(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// The same, for which it is as late as a clock tells, as far as rules look at the time.
    #[must_use]
    pub fn by_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
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
        let all = self.entrances.iter().map(|one| (one, one.in_force()));
        let claims = |(_, in_force): &(_, Arc<InForce>)| in_force.dialect.claims(&head.path);
        let Some((entrance, in_force)) = all.clone().find(claims) else {
            let first = all.clone().next();
            let reason = Reason::UnknownRoute.into();
            return self.misunderstood(head, first, reason).await;
        };
        let incoming = Incoming {
            method: &head.method,
            path: &head.path,
            query: head.query.as_deref(),
            accept: head.accept.as_deref(),
            content_type: head.content_type.as_deref(),
            controls: &head.controls,
            body,
        };
        let is_let_in =
            self.settings.secrets_in_query || !in_force.dialect.has_secrets_in_query(&incoming);
        let understood = match is_let_in {
            true => in_force
                .dialect
                .understand(&incoming, &self.settings.bounds),
            false => Err(Reason::CredentialInQuery.into()),
        };
        let understood = understood.and_then(|understood| {
            self.ways.check_front(&self.shown(head, None))?;
            if let Some(reason) = self.misplaced(head, body, &understood) {
                return Err(reason.into());
            }
            let credential = match self.ways.accept(Way::CrmSession) {
                true => the_credential(&*in_force.dialect, head, &understood)?,
                false => no_session(head, &understood)?,
            };
            all_controls(head, &understood)?;
            Ok((understood, credential))
        });
        let (understood, credential) = match understood {
            Ok(understood) => understood,
            Err(misunderstood) => {
                return self
                    .misunderstood(head, Some((entrance, in_force)), misunderstood)
                    .await;
            }
        };
        let mut visit = Visit {
            entrance,
            in_force: &in_force,
            shown: self.shown(head, credential.as_ref()),
            with: &With::Nobody,
            purpose: head.purpose.as_deref(),
            trace: head.trace.as_deref(),
            now: self.clock.moment(),
            origin: head.origin,
            persons: None,
            telling: None,
            whole_only: false,
            held_bytes_max: self.settings.held_bytes_max,
        };
        match understood {
            Understood::One(exchange) => {
                let route = exchange.operation().route;
                let record = Record::new(&self.log, self.arrival(&visit, Some(route)));
                self.walk(&visit, exchange, record, &mut None).await
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

    /// Takes one exchange from its meaning to its reply. Who was asked of persons stays with whoever holds the reply back.
    async fn walk(
        &self,
        visit: &Visit<'_>,
        exchange: Box<dyn Exchange>,
        record: Record<Arrived>,
        persons: &mut Option<Arc<Asking>>,
    ) -> Reply {
        let action = exchange.operation().action;
        let admitted = match self.admit(visit, &*exchange, record).await {
            Ok(admitted) => admitted,
            Err(NotAdmitted {
                reason,
                challenge,
                record,
            }) => {
                let reply = self.refuse(visit, action, reason.into(), record).await;
                return reply.challenging(challenge);
            }
        };
        let (terms, mut record) = admitted;
        let Terms {
            login,
            mut plan,
            with,
        } = terms;
        let telling = self.telling(visit, &mut plan);
        let operation = exchange.operation();
        let account = self.account(&plan, telling.clone(), (operation, &record));
        if let Err(stopped) = account.foresee(operation, &plan, &record).await {
            let stopped = (&account, stopped);
            return self.limited(visit, action, stopped, record).await;
        }
        let step_up = plan.challenge().cloned();
        *persons = match self.persons(visit, &mut plan) {
            Ok(persons) => persons,
            Err(reason) => return self.refuse(visit, action, reason.into(), record).await,
        };
        let visit = &Visit {
            with: &with,
            persons: persons.as_ref(),
            telling: telling.as_ref(),
            ..*visit
        };
        let absence = told_of_absence(&*exchange, &plan);
        let answer = self.answer(visit, exchange, (login, plan), &mut record);
        let answer = answer.await.map_err(|refusal| told_alike(refusal, absence));
        let reply = match answer {
            Ok(answer) => self.release(visit, (answer, account), record).await,
            Err(refusal) => self.refuse(visit, action, refusal, record).await,
        };
        reply.stepping_up(step_up)
    }

    /// From a plan to the CRM's answer, unread, with the terms on which it may be shown.
    async fn answer(
        &self,
        visit: &Visit<'_>,
        mut exchange: Box<dyn Exchange>,
        (login, plan): (Option<Attempt>, Plan),
        record: &mut Record<Decided>,
    ) -> Result<Answer, Refusal> {
        let (mut edits, mut watched, mut is_unchanged) = (Edits::default(), None, false);
        self.look_first(visit, &*exchange, &plan, record).await?;
        match self.settle(visit, &*exchange, &plan, record).await? {
            Settlement::Nothing => {}
            Settlement::Edits(settled) => edits = settled,
            Settlement::Watched(settled, watch) => (edits, watched) = (settled, Some(watch)),
            // Only what was shown came back: nothing is written, the caller gets the record as shown.
            Settlement::Unchanged(read) => {
                exchange = read;
                is_unchanged = true;
            }
        }
        let narrowed = Narrowed::of(&*exchange, &plan)?;
        if narrowed.sifts() {
            let refilled = self.refilled(visit, exchange, (plan, narrowed), record);
            return Box::pin(refilled).await;
        }
        let guarding = |called: &Called| guard(&*exchange, &narrowed, &edits, &called.credential);
        let called = visit.call().await?;
        let guarded = guarding(&called);
        record.withheld_by_projection(narrowed.withheld().iter().map(|rule| &**rule));
        let operation = exchange.operation();
        if operation.action.writes() {
            let most = most(operation, &plan);
            let opened = record.open(most).await;
            let _opened = opened.map_err(|_| Reason::AuditUnavailable)?;
        }
        let form = exchange.answer();
        let asked = (&*exchange, &form);
        let mut forwarded = self
            .carry(visit, asked, (guarded, called), &guarding, record)
            .await?;
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
            self.watch(visit, &*exchange, &plan, &watch, record).await?;
        }
        let untrusted = forwarded
            .map_err(|refusal| told_of_no_other(refusal.of(operation.action), operation, &plan))?;
        Ok(Answer {
            form,
            exchange,
            untrusted,
            plan,
            narrowed,
            is_unchanged,
            held: None,
        })
    }

    /// Counts a login to which the CRM said no. What it could not answer is no failed guess.
    async fn log_in_ended(&self, login: Attempt, forwarded: &Result<Untrusted, Refusal>) {
        match forwarded {
            Ok(_) => self.logins.welcome(login).await,
            Err(refusal) if refusal.is_the_crms_no() => login.failed(),
            Err(_) => {}
        }
    }

    /// What a request shows for who its caller is.
    fn shown<'a>(&self, head: &'a Head, credential: Option<&'a Credential>) -> Shown<'a> {
        let proofs = &head.proofs;
        // Where no session of the CRM is accepted, the usual header carries a token.
        let bearer = head.credential.as_ref().ok().and_then(Option::as_ref);
        let bearer = bearer
            .filter(|one| !self.ways.accept(Way::CrmSession) && *one.carrier() == Carrier::Bearer);
        Shown {
            credential,
            token: proofs.token.as_ref().or(bearer),
            key: proofs.key.as_ref(),
            front: &proofs.front,
            certificates: proofs.certificates.as_deref().unwrap_or_default(),
            peer: proofs.peer.unwrap_or(head.origin).to_canonical(),
            origin: head.origin,
        }
    }

    /// How a request came in, for its record.
    fn arrival<'a>(&'a self, visit: &Visit<'a>, route: Option<&'static str>) -> Arrival<'a> {
        Arrival {
            origin: visit.origin,
            policy: &visit.in_force.stamp,
            observes: visit.policy().observes(visit.now),
            upstream: &self.upstream,
            dialect: visit.dialect().name(),
            route,
            trace: visit.trace,
        }
    }
}

/// The most that a reply may disclose.
fn most(operation: &Operation, plan: &Plan) -> Vec<Arc<FieldRule>> {
    let modules = operation.modules().into_iter();
    modules
        .flat_map(|module| plan.records_at_most(module).possible())
        .collect()
}

/// The CRM's answer, unread, and the terms on which it may be shown.
struct Answer {
    exchange: Box<dyn Exchange>,
    form: AnswerForm,
    untrusted: Untrusted,
    plan: Plan,
    narrowed: Narrowed,
    /// Whether it answers an update that changed nothing.
    is_unchanged: bool,
    /// What of the budget it takes, where it was read ahead.
    held: Option<Share>,
}

impl<'a> Visit<'a> {
    /// Forgets whose session it was that the CRM no longer accepts.
    async fn forget_session(&self) {
        if let Some(credential) = self.shown.credential {
            self.entrance.sessions.forget(credential).await;
        }
    }

    /// Whether somebody whom its records are about has said something since they were asked about.
    fn has_changed(&self) -> bool {
        self.persons.is_some_and(|persons| persons.has_changed())
    }

    fn dialect(&self) -> &'a dyn Dialect {
        &*self.in_force.dialect
    }

    fn policy(&self) -> &'a Policy {
        &self.in_force.policy
    }
}

/// Requests that need no session, such as pings, for each login that an origin may try.
const PUBLIC_PER_LOGIN: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
