//! The one spelling of an event: canonical JSON after RFC 8785, with integers as its only numbers.
//!
//! Events are written by `serde_json` from structs whose fields stand in order; this module is what readers hold
//! them against.

use std::io::Write as _;

use serde_json::Value;

/// The largest integer that every reader of JSON keeps exactly.
pub(super) const INTEGER_MAX: u64 = 1 << 53;

/// Whether a text is the canonical spelling of the value read from it.
pub(super) fn is_canonical(text: &[u8], value: &Value) -> bool {
    let mut spelling = Vec::with_capacity(text.len());
    write(value, &mut spelling) && spelling == text
}

/// Appends the canonical spelling; false where there is none.
fn write(value: &Value, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Null | Value::Bool(_) => write!(out, "{value}").is_ok(),
        Value::Number(number) => {
            let spelling = number.to_string();
            out.extend_from_slice(spelling.as_bytes());
            is_integer(&spelling)
        }
        // RFC 8785 asks for the escapes that serde_json uses: the short ones, and `\u00xx` in lower case.
        Value::String(text) => serde_json::to_writer(out, text).is_ok(),
        Value::Array(items) => {
            out.push(b'[');
            let fine = items.iter().enumerate().all(|(index, item)| {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out)
            });
            out.push(b']');
            fine
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            let fine = entries.into_iter().enumerate().all(|(index, (key, item))| {
                if index > 0 {
                    out.push(b',');
                }
                if serde_json::to_writer(&mut *out, key).is_err() {
                    return false;
                }
                out.push(b':');
                write(item, out)
            });
            out.push(b'}');
            fine
        }
    }
}

fn is_integer(spelling: &str) -> bool {
    spelling
        .parse::<u64>()
        .is_ok_and(|number| number <= INTEGER_MAX && number.to_string() == spelling)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> bool {
        is_canonical(text.as_bytes(), &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn there_is_one_spelling_only() {
        assert!(check(r#"{"a":[1,null,true],"b":"é\n\u001f\"\\/"}"#));
        // Sorted by UTF-16 code units: U+1F600 (D83D …) stands before U+FB33.
        assert!(check("{\"\u{1f600}\":1,\"\u{fb33}\":2}"));
        for text in [
            r#"{"b":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":-0}"#,
            r#"{"a":9007199254740993}"#,
            r#"{"a":"\u00e9"}"#,
            r#"{"a":"\u001F"}"#,
            r#"{"a":"\/"}"#,
            "{\"\u{fb33}\":2,\"\u{1f600}\":1}",
        ] {
            assert!(!check(text), "{text}");
        }
    }
}
