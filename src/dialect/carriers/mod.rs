//! How the arguments of a request travel, whatever CRM it is for: query strings, forms, JSON. Whatever carries them, they
//! become the same JSON values, each with one reading or none.

use serde_json::Value;

mod arguments;
mod body;
pub(super) mod multipart;
pub(super) mod query_string;

pub(super) use arguments::{Arguments, Name, put};
pub(super) use body::{Media, form, object};

/// Digits of a number that only makes an address new.
const NUMBER_DIGITS_MAX: usize = 20;

/// Whether a value says nothing: absent, null or blank.
pub(super) fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// A yes or no, as JSON or as text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    let spelling = match value {
        Value::Bool(flag) => return Some(*flag),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match spelling.as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Whether a text is a number such as clients put into an address that no cache shall answer: `_=1732291200000`.
pub(super) fn is_cache_buster(text: &str) -> bool {
    (1..=NUMBER_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
