//! What a fragment says of a record, in SQL's logic of three values, is what the filter says that is made of it.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::dialect::sugar_v4::sql::{self, Table};
use crate::dialect::{Database, Predicate};

const BOATS: Table<'static> = Table {
    name: "boats",
    module: "Boats",
    database: Database::Mysql,
};

/// True, false, or unknown.
type Truth = Option<bool>;

/// A record of three columns, which may be null.
type Row = [Option<i64>; 3];

const COLUMNS: [&str; 3] = ["x", "y", "z"];

/// A condition, as it would be written by hand.
#[derive(Clone, Debug)]
enum Condition {
    Compares(usize, &'static str, i64),
    IsOneOf(usize, bool, Vec<i64>),
    IsBetween(usize, bool, i64, i64),
    IsNull(usize, bool),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

fn condition() -> impl Strategy<Value = Condition> {
    let operator = prop_oneof![
        Just("="),
        Just("<>"),
        Just("<"),
        Just("<="),
        Just(">"),
        Just(">=")
    ];
    let number = || -2i64..3;
    let leaf = prop_oneof![
        (0..3usize, operator, number()).prop_map(|(c, o, v)| Condition::Compares(c, o, v)),
        (0..3usize, any::<bool>(), vec(number(), 1..3))
            .prop_map(|(c, not, list)| Condition::IsOneOf(c, not, list)),
        (0..3usize, any::<bool>(), number(), number())
            .prop_map(|(c, not, a, b)| Condition::IsBetween(c, not, a, b)),
        (0..3usize, any::<bool>()).prop_map(|(c, not)| Condition::IsNull(c, not)),
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|part| Condition::Not(Box::new(part))),
            vec(inner.clone(), 2..4).prop_map(Condition::And),
            vec(inner, 2..4).prop_map(Condition::Or),
        ]
    })
}

impl Condition {
    fn text(&self) -> String {
        let not = |not: &bool| if *not { " NOT" } else { "" };
        let joined = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts.iter().map(Self::text).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::Compares(column, operator, value) => {
                format!("{} {operator} {value}", COLUMNS[*column])
            }
            Self::IsOneOf(column, negated, list) => {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                format!(
                    "{}{} IN ({})",
                    COLUMNS[*column],
                    not(negated),
                    list.join(", ")
                )
            }
            Self::IsBetween(column, negated, low, high) => {
                format!(
                    "{}{} BETWEEN {low} AND {high}",
                    COLUMNS[*column],
                    not(negated)
                )
            }
            Self::IsNull(column, negated) => {
                format!("{} IS{} NULL", COLUMNS[*column], not(negated))
            }
            // Without brackets around what is denied: `NOT` binds less than comparisons, more than `AND`.
            Self::Not(part) => format!("NOT {}", part.text()),
            Self::And(parts) => joined(parts, " AND "),
            Self::Or(parts) => joined(parts, " OR "),
        }
    }

    fn holds(&self, row: &Row) -> Truth {
        match self {
            Self::Compares(column, operator, value) => compares(row[*column]?, operator, *value),
            Self::IsOneOf(column, negated, list) => Some(list.contains(&row[*column]?) != *negated),
            Self::IsBetween(column, negated, low, high) => {
                Some((*low..=*high).contains(&row[*column]?) != *negated)
            }
            Self::IsNull(column, negated) => Some(row[*column].is_none() != *negated),
            Self::Not(part) => part.holds(row).map(|truth| !truth),
            Self::And(parts) => all(parts.iter().map(|part| part.holds(row))),
            Self::Or(parts) => any_of(parts.iter().map(|part| part.holds(row))),
        }
    }
}

fn compares(one: i64, operator: &str, other: i64) -> Truth {
    Some(match operator {
        "=" => one == other,
        "!=" | "<>" => one != other,
        "<" => one < other,
        "<=" => one <= other,
        ">" => one > other,
        ">=" => one >= other,
        _ => panic!("{operator}"),
    })
}

fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    any_of(truths.map(|truth| truth.map(|truth| !truth))).map(|truth| !truth)
}

fn any_of(truths: impl Iterator<Item = Truth>) -> Truth {
    let truths: Vec<Truth> = truths.collect();
    if truths.contains(&Some(true)) {
        Some(true)
    } else if truths.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn says(filter: &Predicate, row: &Row) -> Truth {
    match filter {
        Predicate::All(parts) => all(parts.iter().map(|part| says(part, row))),
        Predicate::Any(parts) => any_of(parts.iter().map(|part| says(part, row))),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            let column = COLUMNS.iter().position(|name| *name == path.field).unwrap();
            let held = row[column];
            let numbers = |value: &Value| -> Vec<i64> {
                let list = value.as_array().unwrap().iter();
                list.map(|value| value.as_i64().unwrap()).collect()
            };
            match operator.unwrap() {
                "IS NULL" => Some(held.is_none()),
                "IS NOT NULL" => Some(held.is_some()),
                "IN" => Some(numbers(value).contains(&held?)),
                "NOT IN" => Some(!numbers(value).contains(&held?)),
                "BETWEEN" => Some((numbers(value)[0]..=numbers(value)[1]).contains(&held?)),
                "NOT BETWEEN" => Some(!(numbers(value)[0]..=numbers(value)[1]).contains(&held?)),
                comparison => compares(held?, comparison, value.as_i64().unwrap()),
            }
        }
        Predicate::Not(_) | Predicate::Caller { .. } => panic!("the grammar has none"),
    }
}

proptest! {
    #[test]
    fn a_filter_holds_where_its_fragment_does(
        condition in condition(),
        row in [proptest::option::of(-2i64..3), proptest::option::of(-2i64..3), proptest::option::of(-2i64..3)],
    ) {
        let text = condition.text();
        let filter = sql::filter(&text, BOATS).unwrap().unwrap();
        prop_assert_eq!(says(&filter, &row), condition.holds(&row), "{}", text);
        let again = sql::filter(&sql::render(&filter, BOATS), BOATS).unwrap().unwrap();
        prop_assert_eq!(says(&again, &row), condition.holds(&row), "{}", text);
    }
}
