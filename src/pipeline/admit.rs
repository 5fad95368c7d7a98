//! From an operation to the plan for it: who may ask at all, who asks, and what the policy says. The record is told each of
//! these on the way, and is handed back at its stage, whatever comes of it.

use super::{Pipeline, Visit};
use crate::audit::{Arrived, Decided, Event, Identified, Meaning, Record, Unanswered};
use crate::dialect::{Access, Exchange, Operation};
use crate::identity::{Attempt, Caller, Spent};
use crate::policy::{Decision, Plan, PurposeChosen};
use crate::reason::Reason;
use crate::vocabulary::{Action, FieldPath, Role};

/// On what terms an operation may be carried out.
pub(super) struct Terms {
    pub(super) login: Option<Attempt>,
    pub(super) plan: Plan,
}

/// Why an operation may not be carried out, and its record.
pub(super) struct NotAdmitted {
    pub(super) reason: Reason,
    pub(super) record: Record<Unanswered>,
}

impl NotAdmitted {
    fn new<S>(reason: Reason, record: Record<S>) -> Self {
        Self {
            reason,
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
        Ok((Terms { login, plan }, record))
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
        self.anybody.admit(visit.origin)?;
        if operation.action != Action::Auth {
            return Ok(None);
        }
        let account = exchange.account(visit.credential);
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
        let Some(credential) = visit.credential else {
            return Err(NotAdmitted::new(Reason::NoCredential, record));
        };
        let sessions = &visit.entrance.sessions;
        let caller = sessions.identify(credential, &operation.version, visit.origin);
        let caller = match caller.await {
            Ok(caller) => caller,
            Err(reason) => return Err(NotAdmitted::new(reason, record)),
        };
        let record = record.identified(Some(&caller));
        if let Err(reason) = self.callers.admit(&caller) {
            return Err(NotAdmitted::new(reason, record));
        }
        if operation.access == Access::Session {
            // It ends with this request, whatever becomes of that.
            visit.entrance.sessions.forget(credential).await;
        }
        Ok((Some(caller), record))
    }

    /// What the caller may have.
    fn decide(
        &self,
        visit: &Visit<'_>,
        caller: Option<&Caller>,
        operation: &Operation,
        record: Record<Identified>,
    ) -> Result<(Plan, Record<Decided>), NotAdmitted> {
        let (Some(caller), Access::Role | Access::Governed) = (caller, operation.access) else {
            let plan = visit.policy().public_plan();
            let record = decided(visit, operation, &plan, (&[], None), record);
            return Ok((plan, record));
        };
        match visit.policy().decide(caller, visit.purpose, operation) {
            Decision::Permit(plan) => {
                let terms = (plan.roles(), plan.purpose());
                let record = decided(visit, operation, &plan, terms, record);
                Ok((plan, record))
            }
            Decision::Deny(denial) => {
                let terms = (&*denial.roles, denial.purpose.as_ref());
                let plan = visit.policy().public_plan();
                let record = decided(visit, operation, &plan, terms, record);
                let reason = self.refused_predicate(visit, caller, denial.reason);
                Err(NotAdmitted::new(reason, record))
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
    record.decided(terms, meaning)
}
