//! From an operation to the plan for it: who may ask at all, who asks, and what the policy says. The record is told each of
//! these on the way, and is handed back at its stage, whatever comes of it.

use std::sync::Arc;

use super::calling::With;
use super::{Pipeline, Visit};
use crate::audit::{Arrived, Decided, Event, Identified, Meaning, Record, Unanswered};
use crate::config::Way;
use crate::dialect::{Access, Exchange, Operation};
use crate::identity::{Attempt, Caller, Judges, Spent};
use crate::policy::{Challenge, Decision, Plan, PurposeChosen};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, FieldPath, Role};

/// On what terms an operation may be carried out.
pub(super) struct Terms {
    pub(super) login: Option<Attempt>,
    pub(super) plan: Plan,
    /// With what the CRM is called.
    pub(super) with: With,
}

/// Why an operation may not be carried out, and its record.
pub(super) struct NotAdmitted {
    pub(super) reason: Reason,
    /// The authentication that would do.
    pub(super) challenge: Option<Arc<Challenge>>,
    pub(super) record: Record<Unanswered>,
}

impl NotAdmitted {
    fn new<S>(reason: Reason, record: Record<S>) -> Self {
        Self {
            reason,
            challenge: None,
            record: record.unanswered(),
        }
    }
}

impl Pipeline {
    /// From an exchange to the plan for it.
    pub(super) async fn admit(
        &self,
        visit: &Visit<'_>,
        exchange: &dyn Exchange,
        record: Record<Arrived>,
    ) -> Result<(Terms, Record<Decided>), NotAdmitted> {
        let operation = exchange.operation();
        let login = match self.knock(visit, exchange).await {
            Ok(login) => login,
            Err(reason) => return Err(NotAdmitted::new(reason, record)),
        };
        let (caller, record) = self.identify(visit, operation, record).await?;
        let (plan, record) = self.decide(visit, caller.as_ref(), operation, record)?;
        let with = match &caller {
            None => Box::pin(self.anybodys(visit, operation)).await,
            Some(caller) => match self.callers(visit, caller, operation) {
                Ok(with) => with,
                Err(reason) => return Err(NotAdmitted::new(reason, record)),
            },
        };
        Ok((Terms { login, plan, with }, record))
    }

    /// With what the CRM is called for somebody who authenticated: their own session, or where they have none, the proxy's
    /// account.
    fn callers(
        &self,
        visit: &Visit<'_>,
        caller: &Caller,
        operation: &Operation,
    ) -> Result<With, Reason> {
        if self.ways.only_suppose() {
            return Ok(With::Nobody);
        }
        match (caller.has_session(), visit.shown.credential) {
            (true, Some(credential)) => Ok(With::Own(credential.clone())),
            (true, None) => Err(Reason::Internal),
            // What ends a session would end the account's.
            (false, _) if operation.access == Access::Session => Err(Reason::ActionNotAllowed),
            (false, _) => {
                let service = visit.entrance.service.clone();
                let service = service.ok_or(Reason::ServiceCredentialRefused)?;
                Ok(With::Service(service, operation.version.clone()))
            }
        }
    }

    /// With what it is called for what anybody may ask: with a credential that somebody vouches for. Where anybody may ask,
    /// the CRM may answer otherwise to a good one: a guess there counts as it does elsewhere.
    async fn anybodys(&self, visit: &Visit<'_>, operation: &Operation) -> With {
        let Some(credential) = visit.shown.credential else {
            return With::Nobody;
        };
        if operation.action != Action::Auth {
            let sessions = &visit.entrance.sessions;
            let judged = sessions.identify(credential, &operation.version, visit.origin);
            if self.ways.misplaced(credential).is_some() || judged.await.is_err() {
                return With::Nobody;
            }
        }
        With::Own(credential.clone())
    }

    /// Lets in who asks without a session: anybody now and then, and who logs in once it may fail.
    async fn knock(
        &self,
        visit: &Visit<'_>,
        exchange: &dyn Exchange,
    ) -> Result<Option<Attempt>, Reason> {
        let operation = exchange.operation();
        if operation.access != Access::Public {
            return Ok(None);
        }
        if operation.action == Action::Auth {
            self.may_log_in(visit)?;
        }
        self.anybody.admit(visit.origin)?;
        if operation.action != Action::Auth {
            return Ok(None);
        }
        let account = exchange.account(visit.shown.credential);
        let attempt = self
            .logins
            .attempt(visit.origin, account.as_deref())
            .await?;
        Ok(Some(attempt))
    }

    /// Who is asking, where the operation needs to know.
    async fn identify(
        &self,
        visit: &Visit<'_>,
        operation: &Operation,
        record: Record<Arrived>,
    ) -> Result<(Option<Caller>, Record<Identified>), NotAdmitted> {
        if operation.access == Access::Public {
            return Ok((None, record.identified(None)));
        }
        let caller = self.whose(visit, &operation.version).await;
        let caller = match caller {
            Ok(caller) => caller,
            Err(reason) => return Err(NotAdmitted::new(reason, record)),
        };
        let record = record.identified(Some(&caller));
        if let Err(reason) = self.callers.admit(&caller) {
            return Err(NotAdmitted::new(reason, record));
        }
        if operation.access == Access::Session {
            // It ends with this request, whatever becomes of that.
            visit.forget_session().await;
        }
        Ok((Some(caller), record))
    }

    /// Whose a request is, by what it shows.
    pub(super) async fn whose(&self, visit: &Visit<'_>, version: &str) -> Result<Caller, Reason> {
        let judges = Judges {
            sessions: &visit.entrance.sessions,
            impostors: &self.impostors,
            version,
            names: &|name| visit.policy().names_certificate(name),
        };
        self.ways.identify(&visit.shown, &judges).await
    }

    /// Logging in begins a session of the CRM: nobody does so where none is accepted, nor who comes by another way. A token
    /// may come with every request of a client, and means nothing here.
    fn may_log_in(&self, visit: &Visit<'_>) -> Result<(), Reason> {
        if !self.ways.accept(Way::CrmSession) || self.ways.show_another(&visit.shown)? {
            return Err(Reason::ActionNotAllowed);
        }
        Ok(())
    }

    /// What the caller may have.
    fn decide(
        &self,
        visit: &Visit<'_>,
        caller: Option<&Caller>,
        operation: &Operation,
        record: Record<Identified>,
    ) -> Result<(Plan, Record<Decided>), NotAdmitted> {
        let Some(caller) = caller else {
            let plan = visit.policy().public_plan_at(visit.now);
            let record = decided(visit, operation, &plan, (&[], None), record);
            return Ok((plan, record));
        };
        let asked = (caller, visit.purpose);
        match visit.policy().decide_at(visit.now, asked, operation) {
            Decision::Permit(plan) => {
                let is_machine = visit.policy().are_machines(plan.roles());
                let record = record.proved(plan.strengths(), is_machine);
                let terms = (plan.roles(), plan.purpose());
                let mut record = decided(visit, operation, &plan, terms, record);
                if let Some(reason) = plan.would() {
                    record.would_be_refused(reason);
                }
                Ok((plan, record))
            }
            Decision::Deny(denial) => {
                let is_machine = visit.policy().are_machines(&denial.roles);
                let record = record.proved(&denial.strengths, is_machine);
                let terms = (&*denial.roles, denial.purpose.as_ref());
                let plan = visit.policy().public_plan_at(visit.now);
                let mut record = decided(visit, operation, &plan, terms, record);
                if denial.is_observed {
                    record.would_be_permitted();
                }
                let reason = self.refused_predicate(visit, caller, denial.reason);
                let not_admitted = NotAdmitted::new(reason, record);
                Err(NotAdmitted {
                    challenge: denial.challenge,
                    ..not_admitted
                })
            }
        }
    }

    /// Counts a refused predicate against its caller's budget; once that is used up, there are too many requests.
    fn refused_predicate(&self, visit: &Visit<'_>, caller: &Caller, reason: Reason) -> Reason {
        if reason != Reason::FieldNotUsable {
            return reason;
        }
        match self.probes.spend(caller) {
            Spent::Within => return reason,
            Spent::UsedUp => {
                self.metrics.probed();
                let event = Event::predicates_used_up(caller, &visit.in_force.stamp);
                self.log.enqueue(event);
            }
            Spent::StillUsedUp => {}
        }
        Reason::TooManyRequests
    }
}

/// Records what a request means, in names that the policy or the dialect vouch for, and in which roles and for which
/// purpose it was decided.
fn decided(
    visit: &Visit<'_>,
    operation: &Operation,
    plan: &Plan,
    terms: (&[Role], Option<&PurposeChosen>),
    record: Record<Identified>,
) -> Record<Decided> {
    let knows_field =
        &|path: &FieldPath| plan.records(&path.module).field(path.field.as_str()).known;
    let meaning = Meaning {
        operation,
        knows_field,
        knows_module: &|module| visit.policy().knows(module),
    };
    let mut record = record.decided(terms, meaning);
    let mut searches = Vec::new();
    if let Some(target) = operation.target() {
        operation.query.searched(target, &mut searches);
    }
    let fields = searches.into_iter().flat_map(|(module, _)| {
        let fields = plan.records(module).searched().map(<[_]>::to_vec);
        let path = |field: Field| FieldPath::new(module, field.as_str());
        fields.into_iter().flatten().map(path).collect::<Vec<_>>()
    });
    record.searched(&fields.collect::<Vec<_>>());
    record
}
