//! HTML entities in the texts of a CRM.
//!
//! Some CRMs store or send texts as HTML: `O&#039;Brien &amp; Cie`, and here and there encoded twice. Identifiers are
//! looked for in what such a text means, and what stands in its place is spelled in the same way again.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::vocabulary::Spelling;

/// What a text means: without its entities, whether encoded once or twice.
pub fn decode(spelling: Spelling, text: &str) -> Cow<'_, str> {
    match spelling {
        Spelling::Html if text.contains('&') => {
            let once = htmlize::unescape(text);
            match htmlize::unescape(&*once) {
                Cow::Borrowed(_) => once,
                Cow::Owned(twice) => Cow::Owned(twice),
            }
        }
        _ => Cow::Borrowed(text),
    }
}

/// Entities around entities that are undone.
const ROUNDS_MAX: usize = 16;

/// What a text means however often it was encoded, within bounds.
pub fn decode_wholly(text: &str) -> Cow<'_, str> {
    let mut meant = Cow::Borrowed(text);
    for _ in 0..ROUNDS_MAX {
        match htmlize::unescape(&*meant) {
            Cow::Borrowed(_) => break,
            Cow::Owned(once) => meant = Cow::Owned(once),
        }
    }
    meant
}

/// A text spelled for a CRM: the characters that mean something in HTML as entities.
pub fn encode(spelling: Spelling, text: &str) -> Cow<'_, str> {
    if spelling == Spelling::Plain || !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '>' => encoded.push_str("&gt;"),
            '"' => encoded.push_str("&quot;"),
            '\'' => encoded.push_str("&#039;"),
            other => encoded.push(other),
        }
    }
    Cow::Owned(encoded)
}

/// The same values with every text as it is meant.
pub fn decode_all(spelling: Spelling, values: &Map<String, Value>) -> Map<String, Value> {
    values
        .iter()
        .map(|(key, value)| (key.clone(), decode_value(spelling, value)))
        .collect()
}

/// The same value with every text as it is meant.
pub fn decode_value(spelling: Spelling, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(decode(spelling, text).into_owned()),
        Value::Array(values) => values
            .iter()
            .map(|value| decode_value(spelling, value))
            .collect(),
        Value::Object(members) => Value::Object(decode_all(spelling, members)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entities_are_undone_once_or_twice() {
        for (text, meant) in [
            ("O&#039;Brien &amp; Cie", "O'Brien & Cie"),
            ("O&#039;Brien &amp;amp; Cie", "O'Brien & Cie"),
            ("Jean-&Eacute;cho", "Jean-\u{c9}cho"),
            ("R&D", "R&D"),
            ("&amp;#70;R76", "FR76"),
            ("plain", "plain"),
        ] {
            assert_eq!(decode(Spelling::Html, text), meant);
            assert_eq!(decode(Spelling::Plain, text), text);
            assert_eq!(decode_wholly(text), meant);
        }
        assert_eq!(decode_wholly("&amp;amp;amp;#65;"), "A");
    }

    #[test]
    fn what_is_spelled_means_the_same() {
        for text in ["<b>\"O'Brien\" & Cie</b>", "plain", "&"] {
            assert_eq!(decode(Spelling::Html, &encode(Spelling::Html, text)), text);
            assert_eq!(encode(Spelling::Plain, text), text);
        }
    }

    #[test]
    fn values_are_decoded_wherever_they_stand() {
        let value = json!({"a": ["&lt;", 1, null], "b": {"c": "&quot;"}});
        let meant = json!({"a": ["<", 1, null], "b": {"c": "\""}});
        assert_eq!(decode_value(Spelling::Html, &value), meant);
    }
}
