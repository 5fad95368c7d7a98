//! Events of the ledger as they are told.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ledger::Event;

/// A moment in words; blank for one that no calendar has.
pub fn time(milliseconds: i64) -> String {
    let moment = Timestamp::from_millisecond(milliseconds);
    moment.map_or_else(|_| String::new(), |moment| moment.to_string())
}

/// An event. What is absent is left out, but for what every event has.
pub fn event(event: &Event) -> Value {
    let mut told = json!({
        "id": event.id,
        "kind": event.kind.name(),
        "purpose": event.purpose,
        "at": time(event.at),
        "recorded": time(event.recorded),
        "proof": event.proof.name(),
        "source": event.source,
        "by": event.by_id,
        "by_kind": event.by_kind.name(),
    });
    let text = event.text_id.as_ref().zip(event.text_version.as_ref());
    let optional = [
        ("basis", event.basis.clone()),
        ("text", text.map(|(id, version)| format!("{id}@{version}"))),
        ("language", event.language.clone()),
        ("expires", event.expires.map(time)),
        ("recipient", event.recipient.clone()),
        ("replaces", event.replaces.clone()),
        ("reference", event.reference.clone()),
    ];
    if let Value::Object(members) = &mut told {
        for (name, value) in optional {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.into());
            }
        }
    }
    told
}
