//! Before a write: looks the current record up and lets `writeback` compare.

use serde_json::{Map, Value};

use super::release::unfilterable;
use super::{Pipeline, Visit};
use crate::audit::Record;
use crate::dialect::Operation;
use crate::filter::Filtering;
use crate::guard::guard;
use crate::json;
use crate::markup;
use crate::policy::Plan;
use crate::reply::Refusal;
use crate::transport::Cause;
use crate::vocabulary::{Action, Edit, Edits, Spelling};
use crate::writeback::{self, Current};

/// What is left of a write.
pub(super) enum Settlement {
    /// The operation writes no fields.
    Nothing,
    /// These edits.
    Edits(Edits),
    /// Nothing: the record is read instead, as the caller is shown it.
    Unchanged(Box<Operation>),
}

impl Pipeline {
    /// Settles what an operation writes.
    pub(super) async fn settle(
        &self,
        visit: &Visit<'_>,
        operation: &Operation,
        plan: &Plan,
        record: &mut Record,
    ) -> Result<Settlement, Refusal> {
        let (Some(write), Some(target)) = (&operation.write, operation.target()) else {
            return Ok(Settlement::Nothing);
        };
        let rules = plan.records(target);
        // Texts are compared as they are meant, not as they are spelled.
        let meant = &markup::decode_all(visit.dialect().spelling(), write);
        if operation.action != Action::Update {
            let settled = match operation.action {
                Action::Relate => writeback::settle_columns(meant, &rules)?,
                _ => writeback::settle(meant, None, &rules)?,
            };
            record.written(target, &settled.edits);
            return Ok(Settlement::Edits(settled.edits));
        }
        let settled = if write.is_empty() {
            writeback::Settled::default()
        } else {
            let (held, shown) = self.look_up(visit, operation, plan, record).await?;
            writeback::settle(
                meant,
                Some(&Current {
                    held: &held,
                    shown: &shown,
                }),
                &rules,
            )?
        };
        let unchanged = settled.is_empty();
        record.written(target, &settled.edits);
        record.dropped_masks(&settled.dropped_masks);
        if unchanged {
            let mut read = visit.dialect().look_up(operation);
            read.query
                .projection
                .clone_from(&operation.query.projection);
            return Ok(Settlement::Unchanged(Box::new(read)));
        }
        let edits = spelled_like(write, settled.edits, visit.dialect().spelling());
        Ok(Settlement::Edits(edits))
    }

    /// The current record: as the CRM holds it, and as the caller is shown it.
    async fn look_up(
        &self,
        visit: &Visit<'_>,
        update: &Operation,
        plan: &Plan,
        record: &mut Record,
    ) -> Result<(Map<String, Value>, Map<String, Value>), Refusal> {
        // The CRM's scaffolding is dropped from a write in any case, so it is not asked for.
        let rules = update.target().map(|target| plan.records(target));
        let mut asked = update.clone();
        if let (Some(write), Some(rules)) = (&mut asked.write, rules) {
            write.retain(|key, _| !rules.field(key).is_scaffolding());
        }
        let look_up = visit.dialect().look_up(&asked);
        let guarded = guard(visit.dialect(), &look_up, plan, &Edits::default());
        let untrusted = self.forward(visit, guarded, record).await?;
        let bytes = untrusted
            .whole(self.settings.limits.record_bytes_max)
            .await?;
        let mut filtering =
            Filtering::new(plan, &visit.dialect().shape(&look_up), self.settings.limits);
        let filtered = filtering
            .push(&bytes)
            .and_then(|()| filtering.finish())
            .map_err(|error| unfilterable(error, self.transport.failures()))?
            .0;
        let held = self.looked_up(visit, &look_up, &bytes)?;
        let shown = self.looked_up(visit, &look_up, filtered.as_bytes())?;
        // Comparing with another record than the one that will be written would put its spans into this one.
        let id = held.get("id").and_then(Value::as_str);
        if id != update.record.as_deref() {
            return Err(self.transport.failures().note(Cause::WrongShape).into());
        }
        if let (Some(module), Some(id)) = (&update.module, id) {
            record.found(module, id);
        }
        Ok((held, shown))
    }

    /// The record in the reply to a look-up, its texts as they are meant.
    fn looked_up(
        &self,
        visit: &Visit<'_>,
        look_up: &Operation,
        reply: &[u8],
    ) -> Result<Map<String, Value>, Refusal> {
        let dialect = visit.dialect();
        let reply = json::read(reply, self.settings.limits.depth_max);
        let reply = reply.map_err(|_| self.transport.failures().note(Cause::MalformedJson))?;
        // Some CRMs tell with a status of success that there is no such record.
        let record = dialect.looked_up(look_up, reply);
        let record = record.ok_or_else(|| Refusal::upstream(404, None))?;
        Ok(markup::decode_all(dialect.spelling(), &record))
    }
}

/// Spells the texts that were put together from what is held like the texts that were sent for them.
fn spelled_like(sent: &Map<String, Value>, edits: Edits, spelling: Spelling) -> Edits {
    let spell = |(key, edit): (String, Edit)| {
        let encoded = sent
            .get(&key)
            .is_some_and(|sent| markup::decode_value(spelling, sent) != *sent);
        match edit {
            Edit::Replace(Value::String(text)) if encoded => {
                let text = markup::encode(spelling, &text).into_owned();
                (key, Edit::Replace(Value::String(text)))
            }
            edit => (key, edit),
        }
    };
    Edits(edits.0.into_iter().map(spell).collect())
}
