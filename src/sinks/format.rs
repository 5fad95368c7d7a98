//! The forms in which events leave.
//!
//! Each is one line of characters that can be seen: whatever a name holds, it can neither end a line nor steer a terminal.

use serde_json::Value;

use crate::audit::ascii;
use crate::config::SinkFormat;

use super::story::Story;

mod cef;
mod ecs;
mod ocsf;
#[cfg(test)]
mod tests;

/// The name that formats ask for.
const PRODUCT: &str = "Paravent";

/// An event in a form, without a newline.
pub(super) fn line(format: SinkFormat, story: Story<'_>) -> String {
    match format {
        SinkFormat::Paravent => ascii(story.value()),
        SinkFormat::Ocsf => ascii(&ocsf::of(story)),
        SinkFormat::Ecs => ascii(&ecs::of(story)),
        SinkFormat::Cef => cef::of(story),
    }
}

/// The same without what is null, or empty.
fn trimmed(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, value)| (key, trimmed(value)));
            entries.filter(|(_, value)| !is_nothing(value)).collect()
        }
        value => value,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// All of an event but the references to records, which a format carries elsewhere.
fn without_refs(story: Story<'_>) -> Value {
    let mut value = story.value().clone();
    if let Some(records) = value.pointer_mut("/records").and_then(Value::as_object_mut) {
        records.remove("refs");
    }
    value
}
