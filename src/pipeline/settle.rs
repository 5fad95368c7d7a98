//! Around a write: before it, looks the current record up and lets `writeback` compare; after one that put originals back
//! into a text, looks whether the CRM holds that text, and else writes the old one back.

use serde_json::{Map, Value};

use super::calling::Called;
use super::judged::{asked_of, gone, known};
use super::{Pipeline, Visit};
use crate::audit::{Decided, Record};
use crate::dialect::{AnswerForm, Exchange, Wanted};
use crate::filter::{self, Filtering, Sheet};
use crate::guard::{Guarded, Narrowed, guard};
use crate::json;
use crate::markup;
use crate::policy::Plan;
use crate::reason::Reason;
use crate::reply::Refusal;
use crate::transport::Cause;
use crate::upstream::Untrusted;
use crate::vocabulary::{Action, Edit, Edits, Field, Module, Spelling};
use crate::writeback::{self, Current, PutBack};

/// What is left of a write.
pub(super) enum Settlement {
    /// The operation writes no fields.
    Nothing,
    /// These edits.
    Edits(Edits),
    /// These edits, after which it must be looked at what the CRM made of a text.
    Watched(Edits, Box<Watch>),
    /// Nothing: the record is read instead, as the caller is shown it.
    Unchanged(Box<dyn Exchange>),
}

/// Texts into which originals are put back, and what to do if the CRM does not hold them as they were written.
#[derive(Debug)]
pub(super) struct Watch {
    texts: Vec<PutBack>,
    /// The texts as they were before the write, as they are meant.
    before: Map<String, Value>,
    /// The same, as the CRM sent them.
    raw: Map<String, Value>,
    /// What the caller sent, in whose spelling texts are written back.
    sent: Map<String, Value>,
}

impl Watch {
    /// Texts as they were before: in the spelling of the caller's write, and, where that is another one, as the CRM sent
    /// them. Which one comes out the same is the CRM's habit.
    fn old(&self, texts: &[&PutBack], spelling: Spelling) -> Vec<Edits> {
        let of = |record: &Map<String, Value>| {
            let old = |text: &&PutBack| {
                let old = text.held(record).cloned().unwrap_or_default();
                (text.key.clone(), Edit::Replace(old))
            };
            Edits(texts.iter().map(old).collect())
        };
        let mut spellings = vec![
            spelled_like(&self.sent, of(&self.before), spelling),
            of(&self.raw),
        ];
        spellings.dedup();
        spellings
    }
}

/// What the CRM made of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// It holds what was written.
    AsWritten,
    /// It holds what it held before: it refused the write, or ignored it.
    AsBefore,
    /// It holds something else, or cannot be asked.
    Otherwise,
}

impl Pipeline {
    /// Settles what an operation writes.
    pub(super) async fn settle(
        &self,
        visit: &Visit<'_>,
        exchange: &dyn Exchange,
        plan: &Plan,
        record: &mut Record<Decided>,
    ) -> Result<Settlement, Refusal> {
        let (operation, spelling) = (exchange.operation(), exchange.spelling());
        let (Some(write), Some(target)) = (&operation.write, operation.target()) else {
            return Ok(Settlement::Nothing);
        };
        let mut rules = plan.used(target);
        let bytes_max = self.settings.limits.text_bytes_max;
        // Texts are compared as they are meant, not as they are spelled.
        let meant = &markup::decode_all(spelling, write);
        if operation.action != Action::Update {
            let settled = match operation.action {
                Action::Relate => writeback::settle_columns(meant, &rules, bytes_max)?,
                _ => writeback::settle(meant, None, &rules, bytes_max)?,
            };
            record.written(target, &settled);
            if writeback::would_be_refused(&settled, meant, None, &rules) {
                record.would_be_refused(Reason::FieldNotWritable);
            }
            return Ok(Settlement::Edits(settled.edits));
        }
        let (mut before, mut raw) = (Map::new(), Map::new());
        let settled = if write.is_empty() {
            writeback::Settled::default()
        } else {
            let found = self.look_up(visit, exchange, write, plan, record).await?;
            if found.is_restricted {
                rules = plan.records(target);
            }
            let length = |field: &Field| {
                let schema = visit.dialect().schema();
                schema.column_length(target, field.as_str())
            };
            before = found.meant(spelling);
            raw = found.held;
            let current = Current {
                held: &before,
                shown: &found.shown,
                length: &length,
            };
            writeback::settle(meant, Some(&current), &rules, bytes_max)?
        };
        let unchanged = settled.is_empty();
        record.written(target, &settled);
        if writeback::would_be_refused(&settled, meant, Some(&before), &rules) {
            record.would_be_refused(Reason::FieldNotWritable);
        }
        if unchanged {
            let read = exchange.look_up(Wanted::Reply);
            return Ok(Settlement::Unchanged(read.ok_or(Reason::Internal)?));
        }
        let edits = spelled_like(write, settled.edits, spelling);
        if settled.put_back.is_empty() {
            return Ok(Settlement::Edits(edits));
        }
        let watch = Watch {
            texts: settled.put_back,
            before,
            raw,
            sent: write.clone(),
        };
        Ok(Settlement::Watched(edits, Box::new(watch)))
    }

    /// Looks what the CRM made of texts that originals were put back into, whatever it answered to the write. Where it holds
    /// something else, the text as it was is written back, and looked at again.
    pub(super) async fn watch(
        &self,
        visit: &Visit<'_>,
        update: &dyn Exchange,
        plan: &Plan,
        watch: &Watch,
        record: &mut Record<Decided>,
    ) -> Result<(), Reason> {
        let held = self.held(visit, update, plan, watch, record).await;
        let of = |wanted: Held| held.iter().filter(move |(_, held)| *held == wanted);
        // Of a text that the CRM has left as it was, no more is shown than before.
        if of(Held::Otherwise).next().is_none() {
            return Ok(());
        }
        let changed: Vec<&PutBack> = of(Held::Otherwise).map(|(text, _)| *text).collect();
        let mut is_restored = false;
        for edits in watch.old(&changed, update.spelling()) {
            // Whether it is there again, the CRM is asked, whatever it answers to this.
            let _ = self.write_back(visit, update, plan, &edits, record).await;
            let held = self.held(visit, update, plan, watch, record).await;
            is_restored = held.iter().all(|(_, held)| *held != Held::Otherwise);
            if is_restored {
                break;
            }
        }
        tracing::warn!(
            decision = record.id(),
            module = update.operation().target().map(Module::as_str),
            is_restored,
            "the CRM changed a text around what is withheld in it"
        );
        Err(match is_restored {
            true => Reason::Restored,
            false => Reason::NotRestored,
        })
    }

    /// What the CRM holds of each text that was written.
    async fn held<'w>(
        &self,
        visit: &Visit<'_>,
        update: &dyn Exchange,
        plan: &Plan,
        watch: &'w Watch,
        record: &mut Record<Decided>,
    ) -> Vec<(&'w PutBack, Held)> {
        let keys = watch.texts.iter().map(|text| text.key.clone());
        let asked = keys.map(|key| (key, Value::Null)).collect();
        let found = self.look_up(visit, update, &asked, plan, record).await;
        let found = found.ok().map(|found| found.meant(update.spelling()));
        let texts = watch.texts.iter();
        texts
            .map(|text| {
                let held = match &found {
                    Some(found) if text.is_written(found) => Held::AsWritten,
                    Some(found) if text.is_left(found, &watch.before) => Held::AsBefore,
                    // What cannot be looked at may be anything.
                    _ => Held::Otherwise,
                };
                (text, held)
            })
            .collect()
    }

    /// Writes texts as they were before. The record is no longer of the version that the update was for: the update itself
    /// has changed it.
    async fn write_back(
        &self,
        visit: &Visit<'_>,
        update: &dyn Exchange,
        plan: &Plan,
        edits: &Edits,
        record: &mut Record<Decided>,
    ) -> Result<(), Refusal> {
        let narrowed = Narrowed::of(update, plan)?;
        let guarding = |called: &Called| {
            guard(update, &narrowed, edits, &called.credential).unconditional(update)
        };
        let form = update.answer();
        let asked = (update, &form);
        let reply = self.carry_own(visit, asked, &guarding, record).await?;
        reply.whole(self.settings.limits.record_bytes_max).await?;
        Ok(())
    }

    /// The current record, as far as the keys of an object name its fields.
    async fn look_up(
        &self,
        visit: &Visit<'_>,
        exchange: &dyn Exchange,
        keys: &Map<String, Value>,
        plan: &Plan,
        record: &mut Record<Decided>,
    ) -> Result<LookedUp, Refusal> {
        let update = exchange.operation();
        // The CRM's scaffolding is dropped from a write in any case, so it is not asked for.
        let rules = update.target().map(|target| plan.records(target));
        let mut asked = keys.clone();
        if let Some(rules) = rules {
            asked.retain(|key, _| !rules.field(key).is_scaffolding());
        }
        let look_up = exchange.look_up(Wanted::Fields(&asked));
        let look_up = look_up.ok_or(Reason::Internal)?;
        let narrowed = Narrowed::of(&*look_up, plan)?;
        let (form, bytes) = self.fetch(visit, (&*look_up, &narrowed), record).await?;
        let memory = &visit.in_force.memory;
        let limits = self.settings.limits;
        let mut filtering = Filtering::new(
            plan,
            &form.shape,
            asked_of(&narrowed, visit.persons),
            limits,
            memory,
        );
        let passed = filtering.push(&bytes).and_then(|()| filtering.finish());
        let filtered = match passed {
            Ok((filtered, _)) => filtered,
            Err(error) if error.cause == filter::Cause::Absent => return Err(gone(&*look_up)),
            Err(error) => return Err(visit.entrance.told.unfilterable(error).into()),
        };
        let held = self.looked_up(&*look_up, &bytes)?;
        let shown = self.looked_up(&*look_up, filtered.as_bytes())?;
        let shown = markup::decode_all(look_up.spelling(), &shown);
        // Comparing with another record than the one that will be written would put its spans into this one.
        let id = held.get("id").and_then(Value::as_str);
        if id != update.record.as_deref() {
            return Err(self.transport.failures().note(Cause::WrongShape).into());
        }
        if let (Some(module), Some(id)) = (&update.module, id) {
            record.found(module, id);
        }
        let is_restricted = is_restricted(visit, plan, &*look_up, &held);
        Ok(LookedUp {
            held,
            shown,
            is_restricted,
        })
    }

    /// The whole answer to a read of the proxy's own, unread.
    pub(super) async fn fetch(
        &self,
        visit: &Visit<'_>,
        (look, narrowed): (&dyn Exchange, &Narrowed),
        record: &mut Record<Decided>,
    ) -> Result<(AnswerForm, Vec<u8>), Refusal> {
        let guarding =
            |called: &Called| guard(look, narrowed, &Edits::default(), &called.credential);
        let form = look.answer();
        let untrusted = self.carry_own(visit, (look, &form), &guarding, record);
        let bytes = untrusted
            .await?
            .whole(self.settings.limits.record_bytes_max);
        Ok((form, bytes.await?))
    }

    /// Carries a request of the proxy's own to the CRM, for the caller.
    pub(super) async fn carry_own(
        &self,
        visit: &Visit<'_>,
        asked: (&dyn Exchange, &AnswerForm),
        guarding: &(dyn Fn(&Called) -> Guarded + Sync),
        record: &mut Record<Decided>,
    ) -> Result<Untrusted, Refusal> {
        let called = visit.call().await?;
        let guarded = guarding(&called);
        self.carry(visit, asked, (guarded, called), guarding, record)
            .await?
    }

    /// The record in the reply to a look-up.
    #[expect(
        clippy::result_large_err,
        reason = "a refusal is small enough for all that is async"
    )]
    pub(super) fn looked_up(
        &self,
        look_up: &dyn Exchange,
        reply: &[u8],
    ) -> Result<Map<String, Value>, Refusal> {
        let reply = json::read(reply, self.settings.limits.depth_max);
        let reply = reply.map_err(|_| self.transport.failures().note(Cause::MalformedJson))?;
        // Some CRMs tell with a status of success that there is no such record.
        let record = look_up.record(reply);
        record.ok_or_else(|| Refusal::upstream(404, None))
    }
}

/// A record that was looked up.
struct LookedUp {
    /// As the CRM sent it.
    held: Map<String, Value>,
    /// As the caller is shown it, its texts as they are meant.
    shown: Map<String, Value>,
    /// Whether its processing is restricted.
    is_restricted: bool,
}

impl LookedUp {
    /// As the CRM holds it, its texts as they are meant.
    fn meant(&self, spelling: Spelling) -> Map<String, Value> {
        markup::decode_all(spelling, &self.held)
    }
}

/// Whether the processing of a record that was looked up is restricted.
fn is_restricted(
    visit: &Visit<'_>,
    plan: &Plan,
    look_up: &dyn Exchange,
    held: &Map<String, Value>,
) -> bool {
    let operation = look_up.operation();
    let (Some(module), Some(id)) = (operation.target(), &operation.record) else {
        return true;
    };
    if !plan.has_restricted(module) {
        return false;
    }
    let conditions = plan.conditions(module);
    let sheet = Sheet::of(module, id, markup::decode_all(look_up.spelling(), held));
    conditions.is_none_or(|conditions| conditions.is_restricted(&mut sheet.told(known(visit))))
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
