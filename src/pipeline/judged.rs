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
        if !plan.asks_of_records() || is_told_by_its_reply(operation) {
            return Ok(());
        }
        let named = operation.named();
        if named.len() > LOOKS_MAX {
            return Err(Reason::TooManyParts.into());
        }
        for named in named {
            let rows = plan.has_rows(&named.module);
            if let Some(conditions) = plan.conditions(&named.module).filter(|_| rows) {
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
        let (_, bytes) = self.fetch(visit, (&*look, &narrowed), record).await?;
        let held = self.looked_up(&*look, &bytes)?;
        // Of another spelling of the id, nobody knows whom it is about.
        if held.get("id").and_then(Value::as_str) != Some(&*named.id) {
            return Err(gone(&*look));
        }
        let held = markup::decode_all(look.spelling(), &held);
        let persons = visit.persons.map(|persons| -> &dyn Persons { &**persons });
        let sheet = Sheet::of(&named.module, &named.id, held);
        match conditions.judge(&mut sheet.told(persons)) {
            Judged::There(_) => Ok(()),
            Judged::Absent(rule) => {
                record.absent(&rule, 1);
                Err(gone(&*look))
            }
        }
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

/// Whether what is not there shows in the reply, because nothing is done but to read it.
fn is_told_by_its_reply(operation: &Operation) -> bool {
    let reads = matches!(
        operation.action,
        Action::Read | Action::List | Action::Count
    );
    reads && operation.link.is_none() && operation.related.is_empty()
}

/// How the CRM was asked, for the filter of its answer.
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
    }
}

/// What a record that is not there looks like to a request that looks at it first.
pub(super) fn gone(look: &dyn Exchange) -> Refusal {
    match look.absent() {
        Absent::Error { status, label } => Refusal::absent(status, label),
        Absent::Reply(_) => Refusal::absent(404, None),
    }
}
