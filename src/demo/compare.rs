//! The operators of filters. Case does not matter, as in the CRM's database.

use std::cmp::Ordering;

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

/// A test of a field's value against an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    NotEquals,
    Starts,
    Ends,
    Contains,
    NotContains,
    In,
    NotIn,
    Blank,
    NotBlank,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Between,
    DateBetween,
    DateRange,
    /// The same first two characters of a postcode stand in for a radius: the demo knows no map.
    NearZip,
    /// Never holds: the demo knows no coordinates.
    NearPoint,
}

impl Operator {
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "$equals" => Self::Equals,
            "$not_equals" => Self::NotEquals,
            "$starts" => Self::Starts,
            "$ends" => Self::Ends,
            "$contains" => Self::Contains,
            "$not_contains" => Self::NotContains,
            "$in" => Self::In,
            "$not_in" => Self::NotIn,
            "$is_null" | "$empty" => Self::Blank,
            "$not_null" | "$not_empty" => Self::NotBlank,
            "$lt" => Self::Less,
            "$lte" => Self::LessOrEqual,
            "$gt" => Self::Greater,
            "$gte" => Self::GreaterOrEqual,
            "$between" => Self::Between,
            "$dateBetween" => Self::DateBetween,
            "$dateRange" => Self::DateRange,
            "$in_radius_from_zip" => Self::NearZip,
            "$in_radius_from_coords" => Self::NearPoint,
            _ => return None,
        })
    }

    /// Whether the test holds. A value that is a list passes if one of its parts does; negations need all of them.
    pub(super) fn holds(self, value: &Value, operand: &Value, today: Date) -> bool {
        let have: Vec<String> = texts(value)
            .iter()
            .map(|text| text.to_lowercase())
            .collect();
        let want: Vec<String> = texts(operand)
            .iter()
            .map(|text| text.to_lowercase())
            .collect();
        let is_blank = have.iter().all(String::is_empty);
        let one = want.first().map(String::as_str).unwrap_or_default();
        let any = |holds: &dyn Fn(&str) -> bool| have.iter().any(|text| holds(text));
        let compares =
            |holds: fn(Ordering) -> bool| any(&|text| !text.is_empty() && holds(order(text, one)));
        let within = |low: &str, high: &str| {
            any(&|text| order(text, low).is_ge() && order(text, high).is_le())
        };
        let day_within = |low: &str, high: &str| {
            any(&|text| text.get(..10).is_some_and(|day| day >= low && day <= high))
        };
        match self {
            Self::Equals if one.is_empty() => is_blank,
            Self::Equals => any(&|text| order(text, one).is_eq()),
            Self::NotEquals => !Self::Equals.holds(value, operand, today),
            Self::Starts => any(&|text| text.starts_with(one)),
            Self::Ends => any(&|text| text.ends_with(one)),
            Self::Contains => any(&|text| want.iter().any(|part| text.contains(part.as_str()))),
            Self::NotContains => !Self::Contains.holds(value, operand, today),
            Self::In => any(&|text| want.iter().any(|one| order(text, one).is_eq())),
            Self::NotIn => !Self::In.holds(value, operand, today),
            Self::Blank => is_blank,
            Self::NotBlank => !is_blank,
            Self::Less => compares(Ordering::is_lt),
            Self::LessOrEqual => compares(Ordering::is_le),
            Self::Greater => compares(Ordering::is_gt),
            Self::GreaterOrEqual => compares(Ordering::is_ge),
            Self::Between => matches!(want.as_slice(), [low, high] if within(low, high)),
            Self::DateBetween => matches!(want.as_slice(), [low, high] if day_within(low, high)),
            Self::DateRange => range(one, today)
                .is_some_and(|(low, high)| day_within(&low.to_string(), &high.to_string())),
            Self::NearZip => {
                let zip = operand["zipCode"].as_str().and_then(|zip| zip.get(..2));
                zip.is_some_and(|start| any(&|text| text.starts_with(start)))
            }
            Self::NearPoint => false,
        }
    }
}

/// The first and last day of a named range.
fn range(word: &str, today: Date) -> Option<(Date, Date)> {
    let day = |days: i64| today.checked_add(days.days()).ok();
    let month = |months: i64| {
        let day = today.first_of_month().checked_add(months.months()).ok()?;
        Some((day, day.last_of_month()))
    };
    let year = |years: i64| {
        let day = today.first_of_year().checked_add(years.years()).ok()?;
        Some((day, day.last_of_year()))
    };
    match word {
        "today" => Some((today, today)),
        "yesterday" => Some((day(-1)?, day(-1)?)),
        "tomorrow" => Some((day(1)?, day(1)?)),
        "last_7_days" => Some((day(-6)?, today)),
        "next_7_days" => Some((today, day(6)?)),
        "last_30_days" => Some((day(-29)?, today)),
        "next_30_days" => Some((today, day(29)?)),
        "last_month" => month(-1),
        "this_month" => month(0),
        "next_month" => month(1),
        "last_year" => year(-1),
        "this_year" => year(0),
        "next_year" => year(1),
        _ => None,
    }
}

/// The order of two values: blanks first, then numbers by size, then texts without regard to case.
pub(super) fn order(left: &str, right: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) if !right.is_empty() => Ordering::Less,
        (None, Some(_)) if !left.is_empty() => Ordering::Greater,
        _ => left.to_lowercase().cmp(&right.to_lowercase()),
    }
}

/// The texts that a value compares by: of addresses the address, of other objects the name or id.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(flag) => vec![u8::from(*flag).to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) if text == "true" => vec!["1".into()],
        Value::String(text) if text == "false" => vec!["0".into()],
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(members) => ["email_address", "full_name", "name", "id"]
            .iter()
            .find_map(|key| members.get(*key))
            .map(texts)
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(word: &str, value: Value, operand: Value) -> bool {
        let today = jiff::civil::date(2026, 3, 15);
        Operator::read(word).unwrap().holds(&value, &operand, today)
    }

    #[test]
    fn texts_compare_without_regard_to_case() {
        assert!(holds("$equals", json!("Téa"), json!("TÉA")));
        assert!(holds("$starts", json!("Martine"), json!("mar")));
        assert!(holds("$ends", json!("Martine"), json!("INE")));
        assert!(holds("$contains", json!("Martine"), json!("arti")));
        assert!(holds("$not_contains", json!("Martine"), json!("xyz")));
        assert!(holds("$in", json!("New"), json!(["old", "new"])));
        assert!(holds("$not_in", json!("New"), json!(["old"])));
        assert!(!holds("$not_equals", json!("Téa"), json!("téa")));
    }

    #[test]
    fn numbers_compare_as_numbers_and_flags_in_every_spelling() {
        assert!(holds("$gt", json!(10), json!("9")));
        assert!(holds("$lte", json!("9"), json!(10)));
        assert!(holds("$between", json!("10"), json!([9, 11])));
        assert!(!holds("$lt", json!(""), json!(10)));
        for spelling in [json!(true), json!(1), json!("1"), json!("true")] {
            assert!(holds("$equals", json!(true), spelling));
        }
    }

    #[test]
    fn a_blank_is_null_and_empty() {
        for blank in [json!(""), json!(null), json!([])] {
            assert!(holds("$is_null", blank.clone(), json!("")));
            assert!(holds("$empty", blank.clone(), json!("")));
            assert!(holds("$equals", blank.clone(), json!("")));
            assert!(!holds("$not_empty", blank, json!("")));
        }
    }

    #[test]
    fn one_address_of_a_list_is_enough() {
        let list = json!([{"email_address": "a@example.org"}, {"email_address": "b@example.net"}]);
        assert!(holds("$equals", list.clone(), json!("b@example.net")));
        assert!(!holds("$not_equals", list.clone(), json!("b@example.net")));
        assert!(holds("$ends", list, json!("example.org")));
    }

    #[test]
    fn ranges_of_days_count_from_today() {
        let at = |day: &str| json!(format!("{day}T23:59:59+00:00"));
        assert!(holds("$dateRange", at("2026-03-09"), json!("last_7_days")));
        assert!(!holds("$dateRange", at("2026-03-08"), json!("last_7_days")));
        assert!(holds("$dateRange", at("2026-02-28"), json!("last_month")));
        assert!(holds("$dateRange", at("2027-12-31"), json!("next_year")));
        assert!(!holds("$dateRange", at("2026-03-15"), json!("whenever")));
        assert!(holds(
            "$dateBetween",
            at("2026-03-09"),
            json!(["2026-03-01", "2026-03-09"])
        ));
    }

    #[test]
    fn words_that_are_no_operators_are_not_read() {
        assert_eq!(Operator::read("$reference"), None);
        assert_eq!(Operator::read("equals"), None);
    }
}
