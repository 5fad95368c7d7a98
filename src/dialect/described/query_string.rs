//! Query strings as trees, and back. Each text has one reading or none.

use serde_json::{Map, Value};

use super::grammar;
use crate::dialect::spelling::{decode, encode};
use crate::reason::Reason;

/// Parameters of one query string; PHP ignores those after the thousandth.
const PARAMETERS_MAX: usize = 500;
/// Brackets after one name.
const BRACKETS_MAX: usize = 32;

/// Reads `a=1&b[0][c]=2&d[]=3` into a tree whose leaves are texts. Numbered members are lists, which must be complete.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, Reason> {
    if text.contains(';') {
        return Err(Reason::MalformedQuery);
    }
    let mut root = Map::new();
    for (number, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if number == PARAMETERS_MAX {
            return Err(Reason::MalformedQuery);
        }
        let (name, value) = pair.split_once('=').ok_or(Reason::MalformedQuery)?;
        let name = decode(name, true).ok_or(Reason::MalformedQuery)?;
        let value = decode(value, true).ok_or(Reason::MalformedQuery)?;
        let steps = steps(&name).ok_or(Reason::MalformedQuery)?;
        insert(&mut root, &steps, value)?;
    }
    root.into_iter()
        .map(|(name, value)| Ok((name, listed(value)?)))
        .collect()
}

/// Splits `filter[0][name]` into its steps; there is at least one. A blank step appends, and is the last.
fn steps(name: &str) -> Option<Vec<&str>> {
    let (base, mut brackets) = name.split_at(name.find('[').unwrap_or(name.len()));
    if !grammar::is_parameter(base) {
        return None;
    }
    let mut steps = vec![base];
    while !brackets.is_empty() {
        let (step, rest) = brackets.strip_prefix('[')?.split_once(']')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let appends = step.is_empty() && rest.is_empty();
        if !(appends || !step.is_empty() && step.len() <= 130 && step.bytes().all(plain))
            || steps.len() > BRACKETS_MAX
        {
            return None;
        }
        steps.push(step);
        brackets = rest;
    }
    Some(steps)
}

fn insert(into: &mut Map<String, Value>, steps: &[&str], value: String) -> Result<(), Reason> {
    match steps {
        [] | [""] => Err(Reason::MalformedQuery),
        [last] if into.contains_key(*last) => Err(Reason::DuplicateParameter),
        [last] => {
            into.insert((*last).to_owned(), Value::String(value));
            Ok(())
        }
        [list, ""] => match into
            .entry(*list)
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            Value::Array(items) => {
                items.push(Value::String(value));
                Ok(())
            }
            _ => Err(Reason::DuplicateParameter),
        },
        [first, rest @ ..] => match into
            .entry(*first)
            .or_insert_with(|| Value::Object(Map::new()))
        {
            Value::Object(members) => insert(members, rest, value),
            _ => Err(Reason::DuplicateParameter),
        },
    }
}

/// Makes lists of numbered members.
fn listed(value: Value) -> Result<Value, Reason> {
    let Value::Object(members) = value else {
        return Ok(value);
    };
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    if !members.keys().all(is_number) {
        let members = members
            .into_iter()
            .map(|(name, value)| Ok((name, listed(value)?)));
        return members.collect::<Result<_, Reason>>().map(Value::Object);
    }
    let mut members = members;
    (0..members.len())
        // `01` would be a second name for `1`.
        .map(|index| {
            members
                .shift_remove(&index.to_string())
                .ok_or(Reason::MalformedQuery)
                .and_then(listed)
        })
        .collect::<Result<_, _>>()
        .map(Value::Array)
}

/// Writes a tree as a query string.
pub(super) fn write(tree: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in tree {
        flatten(name.clone(), value, &mut pairs);
    }
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn flatten(name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                flatten(format!("{name}[{key}]"), member, pairs);
            }
        }
        Value::Array(items) => {
            let is_flat = items
                .iter()
                .all(|item| !item.is_array() && !item.is_object());
            for (index, item) in items.iter().enumerate() {
                let step = if is_flat {
                    String::new()
                } else {
                    index.to_string()
                };
                flatten(format!("{name}[{step}]"), item, pairs);
            }
        }
        Value::String(text) => pairs.push((name, text.clone())),
        Value::Null => pairs.push((name, String::new())),
        other => pairs.push((name, other.to_string())),
    }
}
