//! Replies in another form than they came in: of the parts of an envelope, and of a read in place of an update.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::identity;
use super::method::{Kind, METHODS};
use crate::json;

/// Nesting of a reply that was filtered already.
const DEPTH_MAX: usize = 64;

/// The reply to an envelope, of the replies to its parts. Where every part was refused, it is the first refusal: the
/// API has no place for the others.
pub(super) fn envelope(route: &str, parts: &[(u16, Bytes)]) -> (u16, Bytes) {
    if let Some(refusal) = parts.first().filter(|_| !parts.iter().any(is_good)) {
        return refusal.clone();
    }
    let replies: Vec<Option<Value>> = parts
        .iter()
        .map(|part| is_good(part).then(|| json::read(&part.1, DEPTH_MAX).ok())?)
        .collect();
    let kind = METHODS.iter().find(|method| method.route == route);
    let assembled = match kind.map(|method| method.kind) {
        Some(Kind::SetEntries) => ids(&replies),
        Some(Kind::RelateAll) => counts(&replies),
        _ => found(&replies),
    };
    (200, Bytes::from(assembled.to_string()))
}

/// An error that the CRM told with a status of success is no success.
fn is_good((status, body): &(u16, Bytes)) -> bool {
    *status < 400 && super::refusal::failure(body).is_none()
}

/// The id of each record, `null` in the place of one that was refused.
fn ids(replies: &[Option<Value>]) -> Value {
    let id = |reply: &Option<Value>| reply.as_ref()?.get("id").cloned();
    let ids: Vec<Option<Value>> = replies.iter().map(id).collect();
    json!({"ids": ids})
}

/// Relations made, failed and ended; a part that was refused has failed.
fn counts(replies: &[Option<Value>]) -> Value {
    let count = |name: &str| -> u64 {
        let counts = replies.iter().flatten().filter_map(|reply| reply.get(name));
        counts.filter_map(number).sum()
    };
    let refused = replies.iter().filter(|reply| reply.is_none()).count() as u64;
    json!({
        "created": count("created"),
        "failed": count("failed") + refused,
        "deleted": count("deleted"),
    })
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// What was found in each module.
fn found(replies: &[Option<Value>]) -> Value {
    let lists = replies
        .iter()
        .flatten()
        .filter_map(|reply| reply.get("entry_list")?.as_array());
    let all: Vec<&Value> = lists.flatten().collect();
    json!({"entry_list": all})
}

/// The one record of a reply, flattened, its id under `id`.
pub(super) fn only_record(reply: Value) -> Option<Map<String, Value>> {
    let mut entries = entries(reply)?;
    let entry = entries.pop().filter(|_| entries.is_empty())?;
    identity::flat(entry)
}

fn entries(reply: Value) -> Option<Vec<Value>> {
    let Value::Object(mut reply) = reply else {
        return None;
    };
    match reply.shift_remove("entry_list")? {
        Value::Array(entries) => Some(entries),
        _ => None,
    }
}

/// The reply to a read of one record, in the form of the reply to an update.
pub(super) fn as_written(read: &[u8]) -> Option<Bytes> {
    let mut entries = entries(json::read(read, DEPTH_MAX).ok()?)?;
    let Some(Value::Object(mut entry)) = entries.pop().filter(|_| entries.is_empty()) else {
        return None;
    };
    let id = entry.shift_remove("id")?;
    let fields = entry.shift_remove("name_value_list")?;
    Some(Bytes::from(
        json!({"id": id, "entry_list": fields}).to_string(),
    ))
}
