//! The arguments of a login, rebuilt from what is known of them.

use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::query;
use crate::dialect::reread;
use crate::dialect::spelling::is_word_byte;
use crate::objection::Objection;
use crate::reason::Reason;

/// Bytes of one text of a login.
const TEXT_BYTES_MAX: usize = 4_096;

/// What may be said beside the login.
const BESIDE: &[&str] = &["language", "notifyonsave"];

/// What clients state within `user_auth` and the CRM does not read there: it reads the name, the password and its encryption.
const UNREAD: &[&str] = &["application", "application_name", "language"];

/// Takes the arguments of a login.
pub(super) fn arguments(arguments: &mut Arguments) -> Result<Map<String, Value>, Objection> {
    let Some(Value::Object(mut stated)) = arguments.take("user_auth") else {
        return Err(Reason::MalformedBody.into());
    };
    stated.retain(|name, value| {
        !(UNREAD.contains(&name.as_str()) && (value.is_string() || value.is_null()))
    });
    let mut auth = Map::new();
    for (name, needed) in [
        ("user_name", true),
        ("password", true),
        ("version", false),
        ("encryption", false),
    ] {
        match stated.shift_remove(name) {
            None | Some(Value::Null) if !needed => {}
            Some(value) => {
                auth.insert(name.to_owned(), json!(text(value, needed)?));
            }
            None => return Err(Reason::MalformedBody.into()),
        }
    }
    if let Some(name) = stated.keys().next() {
        return Err(Objection::parameter(name));
    }
    let name = auth.get("user_name").and_then(Value::as_str);
    if !name.is_some_and(reread::is_account) {
        return Err(Reason::MalformedBody.into());
    }
    let application = text(json!(arguments.text("application_name")?), true)?;
    let beside = arguments
        .take("name_value_list")
        .map_or(Ok(Map::new()), query::pairs)?;
    if let Some(name) = beside.keys().find(|name| !BESIDE.contains(&name.as_str())) {
        return Err(Objection::parameter(name));
    }
    // The CRM makes the name of a file of the language.
    if !beside.values().all(is_code) {
        return Err(Reason::MalformedBody.into());
    }
    Ok(Map::from_iter([
        ("user_auth".to_owned(), Value::Object(auth)),
        ("application_name".to_owned(), json!(application)),
        ("name_value_list".to_owned(), Value::Object(beside)),
    ]))
}

/// `fr_FR`, or a flag.
fn is_code(value: &Value) -> bool {
    match value {
        Value::String(text) => text.bytes().all(|byte| is_word_byte(byte) || byte == b'-'),
        Value::Bool(_) | Value::Null => true,
        Value::Number(number) => number.is_u64(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// A text; one that is a word has no other characters.
fn text(value: Value, free: bool) -> Result<String, Reason> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err(Reason::MalformedBody),
    };
    let is_word = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    let fits = text.len() <= TEXT_BYTES_MAX
        && !text.chars().any(char::is_control)
        && (free || is_word(&text));
    fits.then_some(text).ok_or(Reason::MalformedBody)
}
