//! SugarCRM's lists of objects: `[{"$or": [{"name": {"$starts": "A"}}, {"accounts.industry": "x"}]}, {"$owner": ""}]`, as
//! JSON, as JSON in a text, or in brackets.

use serde_json::{Map, Value, json};

use super::{Scope, VALUES_MAX};
use crate::dialect::Predicate;
use crate::dialect::carriers::query_string::PARAMETERS_MAX;
use crate::reason::Reason;

/// Predicates of one filter.
const PREDICATES_MAX: usize = 200;
/// Nesting of `$and` and `$or`.
const DEPTH_MAX: usize = 16;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 1_000;
/// Parameters of a filter in brackets; a larger one travels as JSON. Leaves room for the other arguments.
const BRACKETED_MAX: usize = PARAMETERS_MAX - 20;
/// Digits of a time span.
const SPAN_DIGITS_MAX: usize = 5;

/// What an operator compares with.
#[derive(Clone, Copy)]
enum Operand {
    /// A scalar.
    Scalar,
    /// A scalar or null.
    ScalarOrNull,
    /// A scalar, or a list for fields with several values.
    ScalarOrList,
    /// A list.
    List,
    /// A list of two.
    Pair,
    /// Nothing: any sign that the operator is meant.
    Nothing,
    /// A word for a span of days.
    DateRange,
    /// An object with exactly these members.
    Place(&'static [&'static str]),
}

const OPERATORS: &[(&str, Operand)] = &[
    ("$equals", Operand::ScalarOrNull),
    ("$not_equals", Operand::ScalarOrNull),
    ("$starts", Operand::Scalar),
    ("$ends", Operand::Scalar),
    ("$contains", Operand::ScalarOrList),
    ("$not_contains", Operand::ScalarOrList),
    ("$in", Operand::List),
    ("$not_in", Operand::List),
    ("$is_null", Operand::Nothing),
    ("$not_null", Operand::Nothing),
    ("$empty", Operand::Nothing),
    ("$not_empty", Operand::Nothing),
    ("$lt", Operand::Scalar),
    ("$lte", Operand::Scalar),
    ("$gt", Operand::Scalar),
    ("$gte", Operand::Scalar),
    ("$between", Operand::Pair),
    ("$dateBetween", Operand::Pair),
    ("$dateRange", Operand::DateRange),
    (
        "$in_radius_from_zip",
        Operand::Place(&["zipCode", "countries", "radius", "unitType"]),
    ),
    (
        "$in_radius_from_coords",
        Operand::Place(&["latitude", "longitude", "radius", "unitType"]),
    ),
];

/// Fields that an operator about a place may stand on. The CRM looks where the record's address lies, whatever the
/// field, so the field must be one that the policy classifies as an address.
const ADDRESSES: &[&str] = &[
    "address_",
    "alt_address_",
    "billing_address_",
    "primary_address_",
    "shipping_address_",
];

const DATE_RANGES: &[&str] = &[
    "today",
    "yesterday",
    "tomorrow",
    "last_7_days",
    "next_7_days",
    "last_30_days",
    "next_30_days",
    "last_month",
    "this_month",
    "next_month",
    "last_year",
    "this_year",
    "next_year",
];

/// Words about the caller. All but `$tracker` take a link, or what says that the record itself is meant: nothing, or
/// [`ITSELF`].
const CALLER_WORDS: &[&str] = &["$favorite", "$following", "$owner", "$creator", "$tracker"];
const ITSELF: &str = "_this";

/// Records that are not deleted are all that a list gives.
const DELETED: &str = "deleted";

/// Reads such a list. `None` is every record.
pub(super) fn read(value: &Value, scope: Scope<'_>) -> Result<Option<Predicate>, Reason> {
    let mut reader = Reader {
        scope,
        predicates_left: PREDICATES_MAX,
    };
    let parsed;
    let value = match value {
        Value::String(text) if !text.is_empty() => {
            parsed = crate::json::read(text.as_bytes(), scope.depth_max)
                .map_err(|_| Reason::MalformedFilter)?;
            &parsed
        }
        other => other,
    };
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::Array(items) if items.is_empty() => Ok(None),
        Value::Object(members) if members.is_empty() => Ok(None),
        Value::Array(items) => {
            let parts = reader.expressions(items, Junction::All, DEPTH_MAX)?;
            Ok((!parts.is_empty()).then_some(Predicate::All(parts)))
        }
        _ => Err(Reason::MalformedFilter),
    }
}

/// What joins the expressions of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Junction {
    All,
    Any,
}

struct Reader<'a> {
    scope: Scope<'a>,
    predicates_left: usize,
}

impl Reader<'_> {
    fn expressions(
        &mut self,
        items: &[Value],
        joined: Junction,
        depth_left: usize,
    ) -> Result<Vec<Predicate>, Reason> {
        items
            .iter()
            .filter_map(|item| {
                let Value::Object(members) = item else {
                    return Some(Err(Reason::MalformedFilter));
                };
                let clause =
                    |(key, value): (&String, &Value)| self.clause(key, value, joined, depth_left);
                only_or_all(members, joined, clause).transpose()
            })
            .collect()
    }

    fn clause(
        &mut self,
        key: &str,
        value: &Value,
        joined: Junction,
        depth_left: usize,
    ) -> Result<Option<Predicate>, Reason> {
        self.predicates_left = self
            .predicates_left
            .checked_sub(1)
            .ok_or(Reason::MalformedFilter)?;
        match (key, value) {
            ("$and" | "$or", Value::Array(items)) if !items.is_empty() => {
                let depth_left = depth_left.checked_sub(1).ok_or(Reason::MalformedFilter)?;
                if key == "$or" {
                    let parts = self.expressions(items, Junction::Any, depth_left)?;
                    return Ok(Some(Predicate::Any(parts)));
                }
                let parts = self.expressions(items, Junction::All, depth_left)?;
                match (parts.is_empty(), joined) {
                    (false, _) => Ok(Some(Predicate::All(parts))),
                    (true, Junction::All) => Ok(None),
                    (true, Junction::Any) => Err(Reason::StoredQuery),
                }
            }
            (_, Value::String(argument)) if key.starts_with('$') => {
                self.about_caller(key, argument).map(Some)
            }
            _ if key.starts_with('$') => Err(Reason::MalformedFilter),
            _ => self.field(key, value, joined),
        }
    }

    fn about_caller(&self, key: &str, argument: &str) -> Result<Predicate, Reason> {
        let word = *CALLER_WORDS
            .iter()
            .find(|word| **word == key)
            .ok_or(Reason::MalformedFilter)?;
        if word == "$tracker" {
            if !is_time_span(argument) {
                return Err(Reason::MalformedFilter);
            }
        } else if !argument.is_empty()
            && argument != ITSELF
            && !self.scope.fields.has_link(argument)
        {
            return Err(Reason::UnknownLink);
        }
        Ok(Predicate::Caller {
            word,
            argument: argument.to_owned(),
        })
    }

    fn field(
        &mut self,
        key: &str,
        value: &Value,
        joined: Junction,
    ) -> Result<Option<Predicate>, Reason> {
        // What a list does anyway, beside other conditions that all hold; as one of several it would mean every record.
        if key == DELETED && joined == Junction::All && is_not_deleted(value) {
            return Ok(None);
        }
        let path = self.scope.path(key)?;
        if path.field.eq_ignore_ascii_case(DELETED) {
            return Err(Reason::StoredQuery);
        }
        let Value::Object(operators) = value else {
            let value = operand(Operand::ScalarOrNull, value).ok_or(Reason::MalformedFilter)?;
            return Ok(Some(Predicate::Field {
                path,
                operator: None,
                value,
            }));
        };
        self.predicates_left = self
            .predicates_left
            .checked_sub(operators.len().saturating_sub(1))
            .ok_or(Reason::MalformedFilter)?;
        only_or_all(operators, joined, |(name, value)| {
            let (operator, takes) = OPERATORS
                .iter()
                .find(|(operator, _)| operator == name)
                .ok_or(Reason::MalformedFilter)?;
            if matches!(takes, Operand::Place(_)) && !is_address(&path.field) {
                return Err(Reason::MalformedFilter);
            }
            Ok(Some(Predicate::Field {
                path: path.clone(),
                operator: Some(operator),
                value: operand(*takes, value).ok_or(Reason::MalformedFilter)?,
            }))
        })
    }
}

/// Whether a condition says that records are not deleted.
fn is_not_deleted(value: &Value) -> bool {
    let value = match value {
        Value::Object(operators) if operators.len() == 1 => operators.get("$equals"),
        other => Some(other),
    };
    value.is_some_and(|value| [json!(0), json!("0"), json!(false)].contains(value))
}

/// Reads the members of an object: one, or several that all hold; nothing, if they say what a list does anyway. Below `$or` the CRM would join several with "or",
/// which nobody who wrote them can be sure of.
fn only_or_all<'a>(
    members: &'a Map<String, Value>,
    joined: Junction,
    mut read: impl FnMut((&'a String, &'a Value)) -> Result<Option<Predicate>, Reason>,
) -> Result<Option<Predicate>, Reason> {
    let mut parts = members.iter();
    match (parts.next(), members.len()) {
        (Some(only), 1) => read(only),
        (Some(_), _) if joined == Junction::All => {
            let parts = members.iter().filter_map(|member| read(member).transpose());
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            Ok((!parts.is_empty()).then_some(Predicate::All(parts)))
        }
        _ => Err(Reason::MalformedFilter),
    }
}

/// `-7 DAY`.
fn is_time_span(text: &str) -> bool {
    text.strip_prefix('-')
        .unwrap_or(text)
        .split_once(' ')
        .is_some_and(|(number, unit)| {
            (1..=SPAN_DIGITS_MAX).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && matches!(unit, "MINUTE" | "HOUR" | "DAY" | "WEEK" | "MONTH" | "YEAR")
        })
}

/// The operand as it is written back, if it is one that the operator takes.
fn operand(takes: Operand, value: &Value) -> Option<Value> {
    let fits = match takes {
        Operand::Scalar => is_value(value),
        Operand::ScalarOrNull => value.is_null() || is_value(value),
        Operand::ScalarOrList => is_value(value) || is_list(value),
        Operand::List => is_list(value),
        Operand::Pair => is_list(value) && value.as_array().is_some_and(|items| items.len() == 2),
        Operand::DateRange => value
            .as_str()
            .is_some_and(|word| DATE_RANGES.contains(&word)),
        Operand::Place(members) => is_place(members, value),
        Operand::Nothing => {
            let meant = [json!(""), json!(null), json!(true), json!(1), json!("1")];
            return meant.contains(value).then(|| json!(""));
        }
    };
    fits.then(|| value.clone())
}

fn is_address(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ADDRESSES.iter().any(|start| field.starts_with(start))
}

fn is_value(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= VALUE_BYTES_MAX && !text.chars().any(char::is_control),
        Value::Number(number) => number.to_string().len() <= VALUE_BYTES_MAX,
        Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn is_list(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.len() <= VALUES_MAX && items.iter().all(is_value))
}

fn is_place(members: &[&str], value: &Value) -> bool {
    value.as_object().is_some_and(|place| {
        place.len() == members.len()
            && members.iter().all(|member| {
                place.get(*member).is_some_and(|value| match *member {
                    "countries" => is_value(value) || is_list(value),
                    "zipCode" => is_value(value),
                    "unitType" => is_unit(value),
                    _ => is_number(value),
                })
            })
    })
}

/// `km`, `miles`.
fn is_unit(value: &Value) -> bool {
    let word = value.as_str();
    word.is_some_and(|word| word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// A number, or a text that is one.
fn is_number(value: &Value) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'-';
    match value {
        Value::Number(_) => is_value(value),
        Value::String(text) => is_value(value) && !text.is_empty() && text.bytes().all(plain),
        _ => false,
    }
}

/// Writes such a list: for a query string as text where brackets would lose something.
pub(super) fn write(filter: &Predicate, scope: Scope<'_>) -> Value {
    let list = match filter {
        Predicate::All(parts) => expressions(parts, scope),
        other => Value::Array(vec![expression(other, scope)]),
    };
    match scope.in_query && !is_kept_by_brackets(&list) {
        true => Value::String(list.to_string()),
        false => list,
    }
}

/// Whether brackets keep all of a list: they lose types and empty lists, and PHP reads only so many of them.
fn is_kept_by_brackets(list: &Value) -> bool {
    texts(list).is_some_and(|texts| texts <= BRACKETED_MAX)
}

/// How many texts a tree of nothing else holds.
fn texts(value: &Value) -> Option<usize> {
    let sum = |mut inner: Box<dyn Iterator<Item = &Value> + '_>| {
        inner.try_fold(0, |sum, value| Some(sum + texts(value)?))
    };
    match value {
        Value::String(_) => Some(1),
        Value::Array(items) if !items.is_empty() => sum(Box::new(items.iter())),
        Value::Object(members) if !members.is_empty() => sum(Box::new(members.values())),
        _ => None,
    }
}

fn expressions(parts: &[Predicate], scope: Scope<'_>) -> Value {
    parts.iter().map(|part| expression(part, scope)).collect()
}

fn expression(filter: &Predicate, scope: Scope<'_>) -> Value {
    let (key, value) = match filter {
        Predicate::All(parts) => ("$and".to_owned(), expressions(parts, scope)),
        Predicate::Any(parts) => ("$or".to_owned(), expressions(parts, scope)),
        // The grammar has none.
        Predicate::Not(part) => (
            "$not".to_owned(),
            Value::Array(vec![expression(part, scope)]),
        ),
        Predicate::Caller { word, argument } => ((*word).to_owned(), json!(argument)),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            let value = operator.map_or_else(|| value.clone(), |operator| json!({operator: value}));
            (scope.spell(path), value)
        }
    };
    Value::Object(Map::from_iter([(key, value)]))
}
