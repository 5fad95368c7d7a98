//! How the value of a field compares: exactly, and not at all with what is of another type.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{FieldTest, Scalar};

/// Characters of a number that is compared.
const NUMBER_CHARACTERS_MAX: usize = 64;

/// Whether a value meets a test; `None`, if it is of a type that does not compare.
pub(super) fn test(test: &FieldTest, value: &Value) -> Option<bool> {
    match test {
        FieldTest::OneOf(scalars) => is_one_of(value, scalars),
        FieldTest::NoneOf(scalars) => is_one_of(value, scalars).map(|is| !is),
        FieldTest::LessThan(than) => Some(order(value, than)? == Ordering::Less),
        FieldTest::AtMost(most) => Some(order(value, most)? != Ordering::Greater),
        FieldTest::GreaterThan(than) => Some(order(value, than)? == Ordering::Greater),
        FieldTest::AtLeast(least) => Some(order(value, least)? != Ordering::Less),
        FieldTest::Before(time) => Some(moment(value)? < *time),
        FieldTest::After(time) => Some(moment(value)? >= *time),
        FieldTest::Blank(blank) => Some(is_blank(value) == *blank),
    }
}

/// Whether a value holds nothing.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_one_of(value: &Value, scalars: &[Scalar]) -> Option<bool> {
    // What holds nothing is none of the texts that anybody names, unless that is nothing, too. It is no number, and neither
    // true nor false: how it stands to those, nobody knows.
    if is_blank(value) {
        let has_blank = scalars.contains(&Scalar::Text(String::new()));
        let are_texts = scalars.iter().all(|one| matches!(one, Scalar::Text(_)));
        return match has_blank || are_texts {
            true => Some(has_blank),
            false => None,
        };
    }
    let mut is_unknown = false;
    for scalar in scalars {
        match equals(value, scalar) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_unknown = true,
        }
    }
    match value {
        Value::Array(_) | Value::Object(_) => None,
        _ => (!is_unknown).then_some(false),
    }
}

/// CRMs write numbers and truth values as texts, and the other way round.
fn equals(value: &Value, scalar: &Scalar) -> Option<bool> {
    match (value, scalar) {
        (Value::String(text), Scalar::Text(other)) => Some(text == other),
        (Value::Number(number), Scalar::Text(other)) => Some(number.to_string() == *other),
        (Value::Number(_) | Value::String(_), Scalar::Number(_)) => {
            Some(order(value, scalar)? == Ordering::Equal)
        }
        (value, Scalar::Bool(wanted)) => Some(truth(value)? == *wanted),
        _ => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Number(number) => truth_of(&number.to_string()),
        Value::String(text) => truth_of(text),
        _ => None,
    }
}

fn truth_of(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// How a value stands to a number, or a text to a text.
fn order(value: &Value, scalar: &Scalar) -> Option<Ordering> {
    match (value, scalar) {
        (Value::Number(number), Scalar::Number(other)) => decimals(&number.to_string(), other),
        (Value::String(text), Scalar::Number(other)) => decimals(text, other),
        (Value::String(text), Scalar::Text(other)) => Some(text.as_str().cmp(other)),
        _ => None,
    }
}

/// Compares two numbers in decimal notation, digit by digit: nothing is rounded.
fn decimals(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (Decimal::read(one)?, Decimal::read(other)?);
    Some(match (one.is_negative, other.is_negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => one.size(&other),
        (true, true) => other.size(&one),
    })
}

/// A number without exponent.
struct Decimal<'a> {
    is_negative: bool,
    whole: &'a str,
    part: &'a str,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let are_digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = text.len() <= NUMBER_CHARACTERS_MAX && are_digits(whole) && are_digits(part);
        let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
        fits.then_some(Self {
            // There is one zero.
            is_negative: unsigned.len() < text.len() && !(whole.is_empty() && part.is_empty()),
            whole,
            part,
        })
    }

    fn size(&self, other: &Self) -> Ordering {
        let whole = self.whole.len().cmp(&other.whole.len());
        whole
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.part.cmp(other.part))
    }
}

/// The moment that a value tells: RFC 3339 in its usual variants; without a zone, UTC; a day is its beginning.
fn moment(value: &Value) -> Option<Timestamp> {
    let Value::String(text) = value else {
        return None;
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil = match text.parse::<DateTime>() {
        Ok(time) => time,
        Err(_) => text
            .parse::<Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight()),
    };
    civil
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|time| time.timestamp())
}
