//! The few shapes that all formats are made of, as JSON Schema writes them.

use serde_json::{Map, Value, json};

/// A key of a map, and what may stand there.
pub(super) type Key = (&'static str, Value);

/// A key, with what it means.
pub(super) fn key(name: &'static str, shape: Value, meaning: &str) -> Key {
    (name, about(shape, meaning))
}

/// A shape with what it means.
pub(super) fn about(mut shape: Value, meaning: &str) -> Value {
    shape["description"] = meaning.into();
    shape
}

/// A map of these keys and no others. Nothing at all stands for an empty one.
pub(super) fn map(keys: impl IntoIterator<Item = Key>) -> Value {
    let properties: Map<String, Value> = keys
        .into_iter()
        .map(|(name, shape)| (name.to_owned(), shape))
        .collect();
    json!({ "type": ["object", "null"], "additionalProperties": false, "properties": properties })
}

/// A map in which some keys must stand.
pub(super) fn needs(mut map: Value, required: &[&str]) -> Value {
    map["type"] = "object".into();
    map["required"] = required.into();
    map
}

/// A map in which one of several sets of keys must stand.
pub(super) fn needs_one_of(mut map: Value, sets: &[&[&str]]) -> Value {
    map["type"] = "object".into();
    map["anyOf"] = sets.iter().map(|set| json!({ "required": set })).collect();
    map
}

/// A map whose keys are names that its author chooses.
pub(super) fn entries(names: Value, each: Value) -> Value {
    json!({ "type": ["object", "null"], "propertyNames": names, "additionalProperties": each })
}

/// A map whose keys the author chooses among some.
pub(super) fn some_of(keys: impl IntoIterator<Item = Key>) -> Value {
    let mut map = map(keys);
    map["type"] = "object".into();
    map["minProperties"] = 1.into();
    map
}

/// A list; nothing at all stands for an empty one.
pub(super) fn list(items: Value) -> Value {
    json!({ "type": ["array", "null"], "items": items })
}

/// One, or a list of them that is not empty.
pub(super) fn one_or_list(items: Value) -> Value {
    any_of([
        items.clone(),
        json!({ "type": "array", "items": items, "minItems": 1 }),
    ])
}

/// One, or a list of them.
pub(super) fn one_or_any_list(items: Value) -> Value {
    any_of([items.clone(), json!({ "type": "array", "items": items })])
}

/// One of several shapes.
pub(super) fn any_of(shapes: impl IntoIterator<Item = Value>) -> Value {
    json!({ "anyOf": shapes.into_iter().collect::<Vec<_>>() })
}

/// One of some words.
pub(super) fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// A text, one of some words or any other of a form.
pub(super) fn suggested(words: impl IntoIterator<Item = String>, other: Value) -> Value {
    let words: Vec<String> = words.into_iter().collect();
    any_of([json!({ "enum": words }), other])
}

/// Any text that is not blank.
pub(super) fn text(example: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "examples": [example] })
}

/// Any text, blank or not.
pub(super) fn any_text(example: &str) -> Value {
    json!({ "type": "string", "examples": [example] })
}

/// A text of a form.
pub(super) fn formed(pattern: &str, example: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "examples": [example] })
}

/// Free words that people read.
pub(super) fn prose(example: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 500, "examples": [example] })
}

/// `true` or `false`.
pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// A whole number within bounds.
pub(super) fn integer(least: i64, most: i64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// A span of time, with its unit.
pub(super) fn duration(example: &str) -> Value {
    formed("^[0-9]+(ms|s|m|h|d)$", example)
}

/// A number of bytes, with its unit.
pub(super) fn size(example: &str) -> Value {
    formed("^[0-9]+(B|KiB|MiB|GiB)$", example)
}

/// The path of a file or folder.
pub(super) fn path(example: &str) -> Value {
    text(example)
}

/// A name that log, headers and messages can carry.
pub(super) fn name(example: &str) -> Value {
    formed("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", example)
}

/// What stands under `$defs`.
pub(super) fn defined(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Any value.
pub(super) fn anything() -> Value {
    json!({})
}
