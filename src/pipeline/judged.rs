//! Records that are not there for the caller: looked at before anything is done with them, and answered as the CRM answers
//! where it has none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::charge::Account;
use super::people::Asking;
use super::{Answer, Pipeline, Visit};
use crate::audit::{Decided, Record};
use crate::dialect::{Absent, Exchange, Operation};
use crate::filter::{Asked, Filtering, Persons, Sheet};
use crate::guard::Narrowed;
use crate::markup;
use crate::policy::{Conditions, Judged, Plan};
use crate::reason::{Outcome, Reason};
use crate::reply::{Refusal, Reply};
use crate::vocabulary::{Action, RecordRef};

impl Pipeline {
    /// Looks at the records that a request names, where some are not there for the caller, before anything is done with
    /// them. Of one that is read the reply tells enough.
    pub(super) async fn look_first(
        &self,
        visit: &Visit<'_>,
        exchange: &dyn Exchange,
        plan: &Plan,
        record: &mut Record<Decided>,
    ) -> Result<(), Refusal> {
        let operation = exchange.operation();
        if !plan.asks_of_records() {
            return Ok(());
        }
        let named = operation.named_there();
        if named.is_empty() || is_told_by_its_reply(exchange) {
            return Ok(());
        }
        if named.len() > LOOKS_MAX {
            return Err(Reason::TooManyParts.into());
        }
        for named in named {
            let module = &named.module;
            let is_spared = match operation.action {
                Action::Delete => plan.has_preserved(module),
                _ => spares_restricted(operation) && plan.has_restricted(module),
            };
            let is_judged = plan.has_rows(module) || is_spared;
            if let Some(conditions) = plan.conditions(module).filter(|_| is_judged) {
                let looking = self.look_at(visit, exchange, (&named, &conditions), record);
                looking.await?;
            }
        }
        Ok(())
    }

    async fn look_at(
        &self,
        visit: &Visit<'_>,
        exchange: &dyn Exchange,
        (named, conditions): (&RecordRef, &Conditions),
        record: &mut Record<Decided>,
    ) -> Result<(), Refusal> {
        let look = exchange.look_at(named, conditions.fields());
        let look = look.ok_or(Reason::ActionNotAllowed)?;
        let narrowed = Narrowed::whole(&*look);
        let held = match self.fetch(visit, (&*look, &narrowed), record).await {
            Ok((_, bytes)) => self.looked_up(&*look, &bytes),
            Err(refusal) => Err(refusal),
        };
        let held = match held {
            Err(refusal) if is_unreadable(&refusal) => return Err(gone(&*look)),
            held => held?,
        };
        // Of another spelling of the id, nobody knows whom it is about.
        if held.get("id").and_then(Value::as_str) != Some(&*named.id) {
            return Err(gone(&*look));
        }
        let held = markup::decode_all(look.spelling(), &held);
        let sheet = Sheet::of(&named.module, &named.id, held);
        let told = &mut sheet.told(known(visit));
        match conditions.judge(told) {
            Judged::There(_) if spares_restricted(exchange.operation()) => {
                let is_held = match exchange.operation().action {
                    Action::Delete => conditions.is_preserved(told),
                    _ => conditions.is_restricted(told),
                };
                match is_held {
                    true => Err(Reason::FieldNotWritable.into()),
                    false => Ok(()),
                }
            }
            Judged::There(_) => Ok(()),
            Judged::Absent(rule) => {
                record.absent(&rule, 1);
                Err(gone(&*look))
            }
        }
    }

    /// Why a reply is refused that cannot be read, or is too large. Not even that may show of a record that is not there for the
    /// caller: it is looked at by itself.
    pub(super) async fn unreadable(
        &self,
        visit: &Visit<'_>,
        (exchange, plan): (&dyn Exchange, &Plan),
        reason: Reason,
        record: &mut Record<Decided>,
    ) -> Refusal {
        for named in exchange.operation().named_there() {
            let conditions = plan.conditions(&named.module);
            let conditions = conditions.filter(|_| plan.has_rows(&named.module));
            let Some(conditions) = conditions else {
                continue;
            };
            let looking = self.look_at(visit, exchange, (&named, &conditions), record);
            if let Err(refusal) = looking.await {
                return refusal;
            }
        }
        reason.into()
    }

    /// The reply about a record that is not there for the caller.
    pub(super) async fn absent(
        &self,
        visit: &Visit<'_>,
        answer: Answer,
        (account, record): (Account, Record<Decided>),
    ) -> Reply {
        let exchange = &*answer.exchange;
        let action = exchange.operation().action;
        match exchange.absent() {
            Absent::Error { .. } => self.refuse(visit, action, gone(exchange), record).await,
            Absent::Reply(reply) => {
                let counted_in = (account, record);
                self.release_absent(visit, (answer, &reply), counted_in)
                    .await
            }
        }
    }

    /// Some CRMs tell with a status of success that there is no such record.
    async fn release_absent(
        &self,
        visit: &Visit<'_>,
        (answer, reply): (Answer, &Value),
        (account, record): (Account, Record<Decided>),
    ) -> Reply {
        let (action, form) = (answer.exchange.operation().action, &answer.form);
        // What stands for a record holds nothing that could be judged.
        let (plan, limits) = (answer.plan.unjudged(), self.settings.limits);
        let memory = &visit.in_force.memory;
        let mut filtering = Filtering::new(&plan, &form.shape, Asked::default(), limits, memory);
        let bytes = Bytes::from(reply.to_string());
        let passed = filtering.push(&bytes).and_then(|()| filtering.finish());
        match passed {
            Ok((filtered, report)) => {
                let (whole, kind) = ((filtered, report, 0), (action, SUCCESS, form.media));
                let outcome = Some(Outcome::NotFoundByPolicy);
                self.leave(visit, whole, kind, outcome, (account, record))
                    .await
            }
            Err(error) => {
                let reason = visit.entrance.told.unfilterable(error);
                self.refuse(visit, action, reason.into(), record).await
            }
        }
    }
}

/// The status of a reply about a record, whether or not there is one, where the API says in its body that there is none.
const SUCCESS: u16 = 200;
/// Records that are looked at for one request.
const LOOKS_MAX: usize = 50;

/// Whether it shows in the reply that the record is not there which a request names: because it is that record. What else is
/// told of a record, and beside it, tells that there is one.
fn is_told_by_its_reply(exchange: &dyn Exchange) -> bool {
    let operation = exchange.operation();
    let is_read = operation.action == Action::Read
        && operation.link.is_none()
        && operation.related.is_empty()
        && operation.around.is_empty();
    let mut holds_it = false;
    if is_read {
        exchange
            .answer()
            .shape
            .each_module(&mut |module| holds_it |= Some(module) == operation.module.as_ref());
    }
    holds_it
}

/// Whether an answer came that cannot be read: nobody knows what holds of the record.
fn is_unreadable(refusal: &Refusal) -> bool {
    matches!(
        refusal.reason(),
        Some(Reason::ReplyTooLarge | Reason::Unfilterable)
    )
}

/// What a refusal must look like that tells that there is no record which a request names, where some are not there for the
/// caller: the CRM's words may tell more than is said of those. `None`: none is withheld.
pub(super) fn told_of_absence(exchange: &dyn Exchange, plan: &Plan) -> Option<Refusal> {
    if !plan.asks_of_records() {
        return None;
    }
    let named = exchange.operation().named_there();
    let hides = named.iter().any(|named| plan.has_rows(&named.module));
    hides.then(|| {
        let (status, label) = absence(exchange);
        Refusal::upstream(status, label)
    })
}

/// The same as a refusal, told as it must be.
pub(super) fn told_alike(refusal: Refusal, absence: Option<Refusal>) -> Refusal {
    let is_absence =
        |told: &Refusal| refusal.reason().is_none() && refusal.status() == told.status();
    match absence.filter(is_absence) {
        Some(told) => told,
        None => refusal,
    }
}

/// The same as why a CRM refused a write, told in one way for all that may have been wrong: where some records are not there for
/// the caller, it may be one of these that stood in its way.
pub(super) fn told_of_no_other(refusal: Refusal, operation: &Operation, plan: &Plan) -> Refusal {
    let is_write = matches!(operation.action, Action::Create | Action::Update);
    let hides = operation
        .target()
        .is_some_and(|module| plan.has_rows(module));
    let is_such = refusal.reason().is_none() && matches!(refusal.status(), 400 | 409 | 422 | 500);
    if !(is_write && hides && is_such) {
        return refusal;
    }
    // Who says what a record must be like that is written expects to hear that it is not.
    let is_conditional = !operation.query.compared.is_empty();
    Refusal::upstream(if is_conditional { 409 } else { 422 }, None)
}

/// Whether an operation changes what is held of the records that it names without looking at them first, so that somebody must
/// look whether their processing is restricted. Who updates fields looks in any case.
fn spares_restricted(operation: &Operation) -> bool {
    let is_written = || {
        operation
            .write
            .as_ref()
            .is_some_and(|write| !write.is_empty())
    };
    match operation.action {
        Action::Delete => true,
        Action::Relate => is_written(),
        _ => false,
    }
}

/// Who knows of persons, for whoever judges a record that was looked up.
pub(super) fn known<'v>(visit: &Visit<'v>) -> Option<&'v dyn Persons> {
    visit
        .persons
        .map(|persons| -> &'v dyn Persons { &**persons })
}

/// How the CRM was asked, for a filter of its answer, of which nobody counts what it lets through.
pub(super) fn asked_of(narrowed: &Narrowed, persons: Option<&Arc<Asking>>) -> Asked {
    let mut added: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for path in narrowed.added() {
        let of = added.entry(path.module.clone()).or_default();
        of.insert(path.field.clone());
    }
    Asked {
        pushed: narrowed.unsaid().is_empty() || narrowed.sifts(),
        added,
        ids_alone: narrowed.writes(),
        persons: persons.map(|persons| Arc::clone(persons) as Arc<dyn Persons>),
        tells: None,
    }
}

/// What a record that is not there looks like to a request that looks at it first.
pub(super) fn gone(look: &dyn Exchange) -> Refusal {
    let (status, label) = absence(look);
    Refusal::absent(status, label)
}

fn absence(exchange: &dyn Exchange) -> (u16, Option<&'static str>) {
    match exchange.absent() {
        Absent::Error { status, label } => (status, label),
        Absent::Reply(_) => (404, None),
    }
}
