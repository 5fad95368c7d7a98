//! Random conditions and records, and what they say of each other, read slowly.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A condition as it is written.
#[derive(Clone, Debug)]
pub(super) enum Said {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Among(&'static str, bool, Vec<Value>),
    Number(&'static str, &'static str, i64),
    Older(&'static str, i64),
    Blank(&'static str, bool),
}

const FIELDS: [&str; 3] = ["a", "b", "c"];
const ORDERS: [&str; 4] = ["less_than", "at_most", "greater_than", "at_least"];

fn literal() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec!["", "x", "X", "1", "true"]).prop_map(Value::from),
        (-1..3_i64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn leaf() -> impl Strategy<Value = Said> {
    let field = || prop::sample::select(&FIELDS[..]);
    prop_oneof![
        3 => (field(), any::<bool>(), prop::collection::vec(literal(), 1..3))
            .prop_map(|(field, one, values)| Said::Among(field, one, values)),
        2 => (field(), prop::sample::select(&ORDERS[..]), -1..3_i64)
            .prop_map(|(field, order, number)| Said::Number(field, order, number)),
        1 => (field(), 1..400_i64).prop_map(|(field, days)| Said::Older(field, days)),
        1 => (field(), any::<bool>()).prop_map(|(field, blank)| Said::Blank(field, blank)),
    ]
}

pub(super) fn condition() -> impl Strategy<Value = Said> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Said::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Said::Any),
            inner.prop_map(|part| Said::Not(Box::new(part))),
        ]
    })
}

/// A record that lacks some fields, and whose others are of all types.
pub(super) fn record() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        literal(),
        Just(Value::Null),
        Just(json!([])),
        Just(json!(["x"])),
        Just(json!({ "x": 1 })),
        Just(json!("2026-11-30")),
        Just(json!("2026-01-01T00:00:00Z")),
    ];
    prop::collection::vec(prop::option::weighted(0.8, value), FIELDS.len()).prop_map(|values| {
        let known = FIELDS.iter().zip(values);
        let known = known.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Value::Object(known.collect::<Map<_, _>>())
    })
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |parts: &[Self]| {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            parts.join(", ")
        };
        match self {
            Self::All(parts) => write!(f, "{{ all: [{}] }}", list(parts)),
            Self::Any(parts) => write!(f, "{{ any: [{}] }}", list(parts)),
            Self::Not(part) => write!(f, "{{ not: {part} }}"),
            Self::Among(field, one, values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                let word = if *one { "in" } else { "not_in" };
                write!(
                    f,
                    "{{ record.{field}: {{ {word}: [{}] }} }}",
                    values.join(", ")
                )
            }
            Self::Number(field, order, number) => {
                write!(f, "{{ record.{field}: {{ {order}: {number} }} }}")
            }
            Self::Older(field, days) => {
                write!(f, "{{ record.{field}: {{ older_than: {days}d }} }}")
            }
            Self::Blank(field, blank) => {
                write!(f, "{{ record.{field}: {{ blank: {blank} }} }}")
            }
        }
    }
}

impl Said {
    /// Yes, no, or nobody knows.
    pub(super) fn says(&self, record: &Value) -> Option<bool> {
        let said = |parts: &[Self]| -> Vec<Option<bool>> {
            parts.iter().map(|part| part.says(record)).collect()
        };
        match self {
            Self::All(parts) => {
                let said = said(parts);
                if said.contains(&Some(false)) {
                    return Some(false);
                }
                (!said.contains(&None)).then_some(true)
            }
            Self::Any(parts) => {
                let said = said(parts);
                if said.contains(&Some(true)) {
                    return Some(true);
                }
                (!said.contains(&None)).then_some(false)
            }
            Self::Not(part) => part.says(record).map(|said| !said),
            Self::Among(field, one, values) => {
                let value = record.get(field)?;
                let said: Vec<_> = values.iter().map(|literal| equal(value, literal)).collect();
                let is_one = match (said.contains(&Some(true)), said.contains(&None)) {
                    (true, _) => Some(true),
                    (false, true) => None,
                    (false, false) => Some(false),
                };
                is_one.map(|is| is == *one)
            }
            Self::Number(field, order, number) => {
                let value = number_of(record.get(field)?)?;
                Some(match *order {
                    "less_than" => value < *number,
                    "at_most" => value <= *number,
                    "greater_than" => value > *number,
                    _ => value >= *number,
                })
            }
            Self::Older(field, days) => Some(age_in_hours(record.get(field)?)? > days * 24),
            Self::Blank(field, blank) => Some(is_blank(record.get(field)?) == *blank),
        }
    }
}

fn is_blank(value: &Value) -> bool {
    [json!(null), json!(""), json!([]), json!({})].contains(value)
}

fn equal(value: &Value, literal: &Value) -> Option<bool> {
    if is_blank(value) {
        // It is no number, and neither true nor false.
        return literal.is_string().then(|| *literal == json!(""));
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is) => {
            return literal.as_bool().map(|literal| literal == *is);
        }
        _ => return None,
    };
    match literal {
        Value::String(literal) => Some(*literal == text),
        Value::Bool(literal) => match text.as_str() {
            "1" | "true" => Some(*literal),
            "0" | "false" => Some(!literal),
            _ => None,
        },
        number => Some(number.as_i64()? == number_of(value)?),
    }
}

fn number_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Before noon of the first of December.
fn age_in_hours(value: &Value) -> Option<i64> {
    match value.as_str()? {
        "2026-11-30" => Some(36),
        "2026-01-01T00:00:00Z" => Some(334 * 24 + 12),
        _ => None,
    }
}
