//! What of a write is only a mask coming back.
//!
//! Clients read a record, change one field, and send the whole record back. The pipeline looks the current record up;
//! this module compares what was sent with what the caller is shown of it, and says what becomes of each key: dropped
//! (it is only what was shown), written, or written with the original spans put back where masks stood. Anything else
//! that has the form of a mask is refused, whoever sends it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::detect::{Kind, Meant};
use crate::mask;
use crate::objection::Objection;
use crate::policy::{FieldRule, RecordRules, Show, TextRule, Writable};
use crate::reason::Reason;
use crate::vocabulary::{Edit, Edits, Field, FieldPath, Level};

mod apart;
mod company;
mod compare;
mod label;
mod new;
mod observed;
mod room;
mod spans;
mod tokens;

#[cfg(test)]
mod tests;

use compare::{is_blank, same};
pub use observed::would_be_refused;
use spans::Restored;

/// A write, settled key by key.
#[derive(Debug, Default)]
pub struct Settled {
    /// What becomes of each key.
    pub edits: Edits,
    /// Masked fields whose masks came back and were dropped or replaced, for the log.
    pub dropped_masks: Vec<FieldPath>,
    /// Texts into which originals were put back: what the CRM makes of them must be looked at.
    pub put_back: Vec<PutBack>,
    /// Fields whose texts say something new that is likely of a category which the caller may not write, for the log.
    pub flagged: Vec<FieldPath>,
}

/// A text into which originals were put back.
#[derive(Debug)]
pub struct PutBack {
    /// Its key, as it was sent.
    pub key: String,
    /// The rule of its field.
    rule: Arc<FieldRule>,
    /// The text that is written.
    text: String,
}

impl PutBack {
    /// Whether a record holds the text that was written, as the caller is shown both. Blanks, entities and composed letters
    /// are not told apart: they hide and show nothing.
    pub fn is_written(&self, record: &Map<String, Value>) -> bool {
        self.is_alike(self.held(record).and_then(Value::as_str), &self.text)
    }

    /// The same of the text that the record held before.
    pub fn is_left(&self, record: &Map<String, Value>, before: &Map<String, Value>) -> bool {
        let before = self.held(before).and_then(Value::as_str);
        before
            .is_some_and(|before| self.is_alike(self.held(record).and_then(Value::as_str), before))
    }

    fn is_alike(&self, held: Option<&str>, expected: &str) -> bool {
        match (&self.rule.show, held) {
            (Show::Text(rule), Some(held)) => spans::is_shown_alike(expected, held, rule),
            _ => false,
        }
    }

    /// What a record holds under the same name.
    pub fn held<'a>(&self, record: &'a Map<String, Value>) -> Option<&'a Value> {
        find(record, &self.rule.field)
    }
}

impl Settled {
    /// Whether nothing is left to write.
    pub fn is_empty(&self) -> bool {
        self.edits.0.iter().all(|(_, edit)| *edit == Edit::Drop)
    }
}

/// What the CRM holds, and what the caller is shown of it.
pub struct Current<'a> {
    /// As the CRM sent it.
    pub held: &'a Map<String, Value>,
    /// As the caller is shown it.
    pub shown: &'a Map<String, Value>,
    /// How much the column of a field holds at least, in characters and in bytes, as far as the CRM's schema is known.
    pub length: &'a dyn Fn(&Field) -> Option<usize>,
}

/// Settles a write: an update where there is a current record, else a creation. In texts of more bytes nothing is looked for.
pub fn settle(
    sent: &Map<String, Value>,
    current: Option<&Current<'_>>,
    rules: &RecordRules,
    text_bytes_max: usize,
) -> Result<Settled, Objection> {
    let mut settled = Settled::default();
    for (key, value) in sent {
        let rule = rules.field(key);
        let found = current.map(|current| Found {
            held: find(current.held, &rule.field),
            shown: find(current.shown, &rule.field),
            length: (current.length)(&rule.field),
        });
        let Restored { edit, is_flagged } =
            settle_field(value, found.as_ref(), &rule, text_bytes_max)?;
        if is_flagged {
            settled.flagged.push(rule.path());
        }
        let was_masked =
            matches!(rule.level, Level::Mask | Level::Token) || matches!(edit, Edit::Replace(_));
        if was_masked && edit != Edit::Keep && !is_blank(value) {
            settled.dropped_masks.push(FieldPath {
                module: rule.module.clone(),
                field: rule.field.clone(),
            });
        }
        if let Edit::Replace(Value::String(text)) = &edit {
            settled.put_back.push(PutBack {
                key: key.clone(),
                rule,
                text: text.clone(),
            });
        }
        settled.edits.0.push((key.clone(), edit));
    }
    Ok(settled)
}

/// Settles the columns of a relation. A CRM may take them for fields of the related record, which nobody has looked up:
/// a text could replace one that hides identifiers.
pub fn settle_columns(
    sent: &Map<String, Value>,
    rules: &RecordRules,
    text_bytes_max: usize,
) -> Result<Settled, Objection> {
    let settled = settle(sent, None, rules, text_bytes_max)?;
    let is_text = |key: &str| matches!(rules.field(key).show, Show::Text(_));
    let mut written = settled.edits.0.iter();
    if written.any(|(key, edit)| *edit != Edit::Drop && is_text(key)) {
        return Err(Reason::FieldNotWritable.into());
    }
    Ok(settled)
}

/// One field of the current record.
struct Found<'a> {
    held: Option<&'a Value>,
    shown: Option<&'a Value>,
    length: Option<usize>,
}

fn settle_field(
    sent: &Value,
    found: Option<&Found<'_>>,
    rule: &FieldRule,
    text_bytes_max: usize,
) -> Result<Restored, Objection> {
    if rule.is_scaffolding() {
        return Ok(Edit::Drop.into());
    }
    if let Some(shown) = found.and_then(|found| found.shown)
        && same(sent, shown)
    {
        return Ok(Edit::Drop.into());
    }
    if is_blank(sent)
        && (rule.level <= Level::Redact || (rule.writable == Writable::No && is_absent(found)))
    {
        return Ok(Edit::Drop.into());
    }
    match (&rule.writable, &rule.show) {
        (Writable::No, _) if holds_placeholder(sent) => Err(Reason::MaskWrittenBack.into()),
        (Writable::No, _) => Err(Reason::FieldNotWritable.into()),
        (Writable::Yes, Show::Text(text)) => settle_text(sent, found, text, text_bytes_max),
        (_, _) if holds_placeholder(sent) => Err(Reason::MaskWrittenBack.into()),
        (Writable::Yes, Show::Items { inner, .. }) => {
            settle_items(sent, found, inner, text_bytes_max)
        }
        (Writable::Yes, _) if is_flat(sent) => Ok(Edit::Keep.into()),
        (Writable::Valid(kind), _) if is_valid(sent, *kind) => Ok(Edit::Keep.into()),
        (Writable::Yes | Writable::Valid(_), _) => Err(Reason::FieldNotWritable.into()),
    }
}

/// A text, or what stands in its place: `null` or a number would take hidden identifiers away as well. Of an update, the
/// text that is held must be known, though it be blank: it was asked for by this name.
fn settle_text(
    sent: &Value,
    found: Option<&Found<'_>>,
    text: &TextRule,
    bytes_max: usize,
) -> Result<Restored, Objection> {
    let held = match found {
        None => Some(Cow::Borrowed("")),
        Some(found) => found.held.and_then(spelling),
    };
    let (Some(held), Some(sent)) = (held, spelling(sent)) else {
        return Err(Reason::FieldNotWritable.into());
    };
    if held.len().max(sent.len()) > bytes_max {
        return Err(Reason::TextTooLong.into());
    }
    let length = found.and_then(|found| found.length);
    spans::restore(&sent, &held, text, length)
}

/// A list of objects. Masks in it cannot be edited around, and no new identifier may come in.
fn settle_items(
    sent: &Value,
    found: Option<&Found<'_>>,
    inner: &Show,
    bytes_max: usize,
) -> Result<Restored, Objection> {
    let items = sent
        .as_array()
        .map_or_else(|| std::slice::from_ref(sent), Vec::as_slice);
    let fits = |item: &Value| match item {
        Value::Object(members) => members.values().all(is_scalar),
        Value::Array(_) => false,
        _ => true,
    };
    if !items.iter().all(fits) {
        return Err(Reason::FieldNotWritable.into());
    }
    let Show::Text(text) = inner else {
        return Ok(Edit::Keep.into());
    };
    // What is hidden in a list is not put back: nothing may be lost, whatever stands for it.
    if found
        .and_then(|found| found.shown)
        .is_some_and(|shown| holds_placeholder_of(shown, &|_| true))
    {
        return Err(Reason::MaskWrittenBack.into());
    }
    let mut is_flagged = false;
    for part in items.iter().flat_map(parts).filter_map(spelling) {
        if part.len() > bytes_max {
            return Err(Reason::TextTooLong.into());
        }
        is_flagged |= spans::restore(&part, "", text, None)?.is_flagged;
    }
    Ok(Restored {
        edit: Edit::Keep,
        is_flagged,
    })
}

fn parts(item: &Value) -> Vec<&Value> {
    match item {
        Value::Object(members) => members.values().collect(),
        other => vec![other],
    }
}

/// How a scalar is written in a text.
fn spelling(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => Some(Cow::Borrowed("")),
        Value::Bool(_) | Value::Number(_) => Some(Cow::Owned(value.to_string())),
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// Whether a value is a scalar or a list of scalars. Anything else could be records to write behind a link that nobody
/// knows.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_scalar),
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

/// Whether a value is a valid identifier and nothing else: no markup, no invisible characters.
fn is_valid(value: &Value, kind: Kind) -> bool {
    value.as_str().is_some_and(|text| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
        text.bytes().all(is_plain) && kind.is_valid(text)
    })
}

fn is_absent(found: Option<&Found<'_>>) -> bool {
    found.is_none_or(|found| found.held.is_none_or(is_blank))
}

/// A key of a record, compared as the filter compares it.
fn find<'a>(record: &'a Map<String, Value>, field: &Field) -> Option<&'a Value> {
    record.get(field.as_str()).or_else(|| {
        record
            .iter()
            .find(|(key, _)| Field::fold(key) == *field)
            .map(|(_, value)| value)
    })
}

/// Whether a string anywhere in a value has the form of a mask, a token or a bracketed kind.
fn holds_placeholder(value: &Value) -> bool {
    holds_placeholder_of(value, &|_| false)
}

/// The same, where the names of further kinds may stand in brackets for what is hidden.
fn holds_placeholder_of(value: &Value, stands_in: Meant<'_>) -> bool {
    match value {
        Value::String(text) => !mask::placeholders_with(text, stands_in).is_empty(),
        Value::Array(values) => values
            .iter()
            .any(|value| holds_placeholder_of(value, stands_in)),
        Value::Object(members) => members
            .values()
            .any(|value| holds_placeholder_of(value, stands_in)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
