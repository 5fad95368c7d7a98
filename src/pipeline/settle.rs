//! Around a write: before it, looks the current record up and lets `writeback` compare; after one that put originals back
//! into a text, looks whether the CRM holds that text, and else writes the old one back.

use serde_json::{Map, Value};

use super::{Pipeline, Visit};
use crate::audit::Record;
use crate::dialect::Operation;
use crate::filter::Filtering;
use crate::guard::guard;
use crate::json;
use crate::markup;
use crate::policy::Plan;
use crate::reason::Reason;
use crate::reply::Refusal;
use crate::vocabulary::{Action, Edit, Edits, Field, Module, Spelling};
use crate::writeback::{self, Current, PutBack};

/// What is left of a write.
pub(super) enum Settlement {
    /// The operation writes no fields.
    Nothing,
    /// These edits.
    Edits(Edits),
    /// These edits, after which it must be looked at what the CRM made of a text.
    Watched(Edits, Watch),
    /// Nothing: the record is read instead, as the caller is shown it.
    Unchanged(Box<Operation>),
}

/// Texts into which originals are put back, and what to do if the CRM does not hold them as they were written.
#[derive(Debug)]
pub(super) struct Watch {
    texts: Vec<PutBack>,
    /// The record before the write, as the CRM sent it.
    before: Map<String, Value>,
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
        let mut before = Map::new();
        let settled = if write.is_empty() {
            writeback::Settled::default()
        } else {
            let found = self.look_up(visit, operation, plan, record).await?;
            let length = |field: &Field| {
                let dialect = visit.dialect();
                dialect.column_length(target, field.as_str())
            };
            let current = Current {
                held: &found.meant(visit),
                shown: &found.shown,
                length: &length,
            };
            let settled = writeback::settle(meant, Some(&current), &rules)?;
            before = found.held;
            settled
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
        if settled.put_back.is_empty() {
            return Ok(Settlement::Edits(edits));
        }
        let texts = settled.put_back;
        Ok(Settlement::Watched(edits, Watch { texts, before }))
    }

    /// Looks what the CRM made of texts that originals were put back into, whatever it said to the write. Where it holds
    /// something else, the text as it was is written back, once.
    pub(super) async fn watch(
        &self,
        visit: &Visit<'_>,
        update: &Operation,
        plan: &Plan,
        watch: Watch,
        record: &mut Record,
    ) -> Result<(), Reason> {
        let mut asked = update.clone();
        let keys = watch.texts.iter().map(|text| text.key.clone());
        asked.write = Some(keys.map(|key| (key, Value::Null)).collect());
        let changed: Vec<&PutBack> = match self.look_up(visit, &asked, plan, record).await {
            Ok(found) => {
                let held = found.meant(visit);
                // A write that was refused, or ignored, has left the old text.
                let is_left = |text: &PutBack| text.held(&found.held) == text.held(&watch.before);
                let is_changed = |text: &&PutBack| !text.is_held(&held) && !is_left(text);
                watch.texts.iter().filter(is_changed).collect()
            }
            // What cannot be looked at may be anything.
            Err(_) => watch.texts.iter().collect(),
        };
        if changed.is_empty() {
            return Ok(());
        }
        let old = |text: &&PutBack| Some((text.key.clone(), text.held(&watch.before)?.clone()));
        asked.write = Some(changed.iter().filter_map(old).collect());
        let is_restored = self.write_back(visit, &asked, plan, record).await.is_ok();
        tracing::warn!(
            decision = record.id(),
            module = asked.target().map(Module::as_str),
            is_restored,
            "the CRM changed a text around what is withheld in it"
        );
        Err(match is_restored {
            true => Reason::Restored,
            false => Reason::NotRestored,
        })
    }

    /// Writes what the CRM itself has sent.
    async fn write_back(
        &self,
        visit: &Visit<'_>,
        update: &Operation,
        plan: &Plan,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let keys = update.write.iter().flatten().map(|(key, _)| key.clone());
        let edits = Edits(keys.map(|key| (key, Edit::Keep)).collect());
        let guarded = guard(visit.dialect(), update, plan, &edits);
        let reply = self.forward(visit, guarded, record).await?;
        reply.whole(self.settings.limits.record_bytes_max).await?;
        Ok(())
    }

    /// The current record.
    async fn look_up(
        &self,
        visit: &Visit<'_>,
        update: &Operation,
        plan: &Plan,
        record: &mut Record,
    ) -> Result<LookedUp, Refusal> {
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
            .map_err(|_| Reason::Unfilterable)?
            .0;
        let held = self.looked_up(visit, &look_up, &bytes)?;
        let shown = self.looked_up(visit, &look_up, filtered.as_bytes())?;
        let shown = markup::decode_all(visit.dialect().spelling(), &shown);
        // Comparing with another record than the one that will be written would put its spans into this one.
        let id = held.get("id").and_then(Value::as_str);
        if id != update.record.as_deref() {
            return Err(Reason::Unfilterable.into());
        }
        if let (Some(module), Some(id)) = (&update.module, id) {
            record.found(module, id);
        }
        Ok(LookedUp { held, shown })
    }

    /// The record in the reply to a look-up.
    fn looked_up(
        &self,
        visit: &Visit<'_>,
        look_up: &Operation,
        reply: &[u8],
    ) -> Result<Map<String, Value>, Refusal> {
        let dialect = visit.dialect();
        let reply = json::read(reply, self.settings.limits.depth_max);
        let reply = reply.map_err(|_| Reason::Unfilterable)?;
        // Some CRMs tell with a status of success that there is no such record.
        let record = dialect.looked_up(look_up, reply);
        record.ok_or_else(|| Refusal::upstream(404, None))
    }
}

/// A record that was looked up.
struct LookedUp {
    /// As the CRM sent it.
    held: Map<String, Value>,
    /// As the caller is shown it, its texts as they are meant.
    shown: Map<String, Value>,
}

impl LookedUp {
    /// As the CRM holds it, its texts as they are meant.
    fn meant(&self, visit: &Visit<'_>) -> Map<String, Value> {
        markup::decode_all(visit.dialect().spelling(), &self.held)
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
