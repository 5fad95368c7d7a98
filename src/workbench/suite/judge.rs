//! How much of a value was shown, read off what came: a test is about what a caller sees.

use serde_json::Value;

use crate::vocabulary::Level;

/// The level of what was shown of a value. `held` is not blank.
///
/// - The key is not there: `hide`.
/// - Nothing stands there (`null`, `[]`, `{}`, a blank): `redact`. So it is where a mask did not fit the value.
/// - The value itself: `clear`, also where a mask left it as it was, since all of it was disclosed.
/// - A pseudonym: `token`. Anything else: `mask`. A text in which spans were withheld is masked, whatever the levels of
///   those are; one in which nothing was found is clear.
/// - Of a list or an object: the lowest of its members that are there; members that the proxy drops say nothing.
pub(super) fn level(held: &Value, shown: Option<&Value>) -> Level {
    let Some(shown) = shown else {
        return Level::Hide;
    };
    if is_nothing(shown) {
        return Level::Redact;
    }
    if same(held, shown) {
        return Level::Clear;
    }
    match (held, shown) {
        (_, Value::String(text)) if is_token(text) => Level::Token,
        (Value::Array(held), Value::Array(shown)) => {
            let members = held.iter().zip(shown);
            lowest(members.map(|(held, shown)| member(held, shown)))
        }
        (Value::Object(held), Value::Object(shown)) => {
            let members = held
                .iter()
                .filter_map(|(name, held)| Some((held, shown.get(name)?)));
            lowest(members.map(|(held, shown)| member(held, shown)))
        }
        _ => Level::Mask,
    }
}

fn member(held: &Value, shown: &Value) -> Level {
    match same(held, shown) {
        true => Level::Clear,
        false => level(held, Some(shown)),
    }
}

fn lowest(levels: impl Iterator<Item = Level>) -> Level {
    levels.min().unwrap_or(Level::Redact)
}

/// Whether two values are one: APIs that know texts only write numbers and flags as texts.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(number), Value::String(text))
        | (Value::String(text), Value::Number(number)) => number.to_string() == *text,
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Bool(flag), Value::String(text)) | (Value::String(text), Value::Bool(flag)) => {
            matches!(
                (flag, text.as_str()),
                (true, "1" | "true") | (false, "0" | "false")
            )
        }
        _ => one == other,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a text is a pseudonym: `t_` and 128 bits in hexadecimal.
fn is_token(text: &str) -> bool {
    const DIGITS: usize = 32;
    text.strip_prefix("t_").is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::level;
    use crate::vocabulary::Level;

    #[test]
    fn the_level_is_read_off_what_came() {
        let token = format!("t_{}", "0a".repeat(16));
        let held = json!("FR76 3000");
        assert_eq!(level(&held, None), Level::Hide);
        for (held, shown, expected) in [
            (json!("Jeanne"), json!(null), Level::Redact),
            (json!("Jeanne"), json!(""), Level::Redact),
            (json!("Jeanne"), json!("Jeanne"), Level::Clear),
            (json!("Jeanne"), json!("J."), Level::Mask),
            (json!("Jeanne"), json!(token), Level::Token),
            (json!("Jeanne"), json!("t_short"), Level::Mask),
            (json!(38), json!("38"), Level::Clear),
            (json!(38), json!(40), Level::Mask),
            (json!(true), json!("1"), Level::Clear),
            (json!(["a"]), json!([]), Level::Redact),
            (json!(["a", "b"]), json!(["a", "•"]), Level::Mask),
        ] {
            assert_eq!(level(&held, Some(&shown)), expected, "{held} {shown}");
        }
    }

    #[test]
    fn a_list_of_objects_has_the_lowest_level_of_its_members() {
        let held = json!([{ "email_address": "j@example.org", "primary": true, "odd": "x" }]);
        let shown = |address: Value| json!([{ "email_address": address, "primary": true }]);
        for (address, expected) in [
            (json!("j@example.org"), Level::Clear),
            (json!("j•••@example.org"), Level::Mask),
            (json!(null), Level::Redact),
        ] {
            assert_eq!(level(&held, Some(&shown(address))), expected);
        }
    }
}
