//! When a value that was sent is the value that was shown.

use serde_json::{Number, Value};

/// Whether two values are the same: numbers by value, objects in any order.
pub(super) fn same(sent: &Value, shown: &Value) -> bool {
    match (sent, shown) {
        (Value::Number(sent), Value::Number(shown)) => same_number(sent, shown),
        (Value::Array(sent), Value::Array(shown)) => {
            sent.len() == shown.len()
                && sent
                    .iter()
                    .zip(shown)
                    .all(|(sent, shown)| same(sent, shown))
        }
        (Value::Object(sent), Value::Object(shown)) => {
            sent.len() == shown.len()
                && sent
                    .iter()
                    .all(|(key, value)| shown.get(key).is_some_and(|shown| same(value, shown)))
        }
        // PHP writes an empty map as `[]`, and clients send back either.
        (Value::Array(list), Value::Object(map)) | (Value::Object(map), Value::Array(list)) => {
            list.is_empty() && map.is_empty()
        }
        _ => sent == shown,
    }
}

/// Whether a value holds nothing: `null`, a blank string, an empty list or object.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one == other || decimal(&one).is_some_and(|one| decimal(&other).as_ref() == Some(&one))
}

/// A number as sign, digits without zeros at either end, and exponent: equal numbers have equal forms.
fn decimal(spelling: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = spelling
        .strip_prefix('-')
        .map_or((false, spelling), |rest| (true, rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let exponent = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::try_from(zeros).ok()?)?;
    Some((negative, significant.to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_compare_by_value_and_exactly() {
        for (one, other) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("0", "-0.0"),
            ("0.10", "1e-1"),
            ("12345678901234567890123", "12345678901234567890123.0"),
        ] {
            assert!(same(&number(one), &number(other)), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.10000000000000001"),
        ] {
            assert!(!same(&number(one), &number(other)), "{one} {other}");
        }
    }

    #[test]
    fn structure_counts_but_not_the_order_of_members() {
        assert!(same(
            &json!({"a": 1, "b": [{"c": null}]}),
            &json!({"b": [{"c": null}], "a": 1.0})
        ));
        assert!(!same(&json!([1, 2]), &json!([2, 1])));
        assert!(!same(&json!("1"), &json!(1)));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
        assert!(same(&json!({}), &json!([])));
    }
}
