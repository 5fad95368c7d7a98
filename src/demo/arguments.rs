//! The arguments of a request: one bag of query string and JSON body, as the CRM reads them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Fault;

/// How deep brackets may nest.
const DEPTH_MAX: usize = 16;
/// How many parameters a query string may hold.
const PARAMETERS_MAX: usize = 1_000;

/// Merges query string and body; the body wins.
pub(super) fn arguments(query: &str, body: &[u8]) -> Result<Map<String, Value>, Fault> {
    let mut all = from_query(query)?;
    if !body.iter().all(u8::is_ascii_whitespace) {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => all.extend(members),
            _ => {
                return Err(Fault::invalid(format!(
                    "Invalid JSON body: {}",
                    String::from_utf8_lossy(body)
                )));
            }
        }
    }
    Ok(all)
}

/// Reads PHP's bracket form: `filter[0][last_name][$starts]=Ta`.
fn from_query(query: &str) -> Result<Map<String, Value>, Fault> {
    let mut all = Value::Object(Map::new());
    for pair in query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .take(PARAMETERS_MAX)
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        let steps = steps(&name)?;
        let mut at = &mut all;
        for step in steps {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Value::Object(members) = at else { break };
            let key = if step.is_empty() {
                members.len().to_string()
            } else {
                step.to_owned()
            };
            at = members.entry(key).or_insert(Value::Null);
        }
        *at = Value::String(value);
    }
    match all {
        Value::Object(members) => Ok(members.into_iter().map(|(k, v)| (k, listed(v))).collect()),
        _ => Ok(Map::new()),
    }
}

/// The steps of a name: `a[b][]` is `a`, `b`, and a blank that means the next number.
fn steps(name: &str) -> Result<Vec<&str>, Fault> {
    let malformed = || Fault::invalid(format!("Invalid parameter: {name}"));
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut steps = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(malformed)?;
        let (step, after) = inner.split_once(']').ok_or_else(malformed)?;
        steps.push(step);
        rest = after;
        if steps.len() > DEPTH_MAX {
            return Err(malformed());
        }
    }
    Ok(steps)
}

/// Objects whose keys are all numbers are lists.
fn listed(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    let number = |key: &String| key.parse::<usize>().ok();
    if members.is_empty() || !members.keys().all(|key| number(key).is_some()) {
        return Value::Object(members.into_iter().map(|(k, v)| (k, listed(v))).collect());
    }
    let mut numbered: Vec<(Option<usize>, Value)> = members
        .into_iter()
        .map(|(key, value)| (number(&key), listed(value)))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    Value::Array(numbered.into_iter().map(|(_, value)| value).collect())
}

/// Undoes the encoding of a form: `+` is a blank.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn brackets_become_lists_and_objects() {
        let all = arguments(
            "filter[0][last_name][$starts]=T%C3%A9a+b&filter[1][$or][0][status]=New&x[]=1&x[]=2",
            b"",
        );
        assert_eq!(
            Value::Object(all.unwrap()),
            json!({"filter": [{"last_name": {"$starts": "Téa b"}}, {"$or": [{"status": "New"}]}], "x": ["1", "2"]})
        );
    }

    #[test]
    fn the_body_wins_and_what_is_no_object_is_refused() {
        let all = arguments("max_num=3&q=a", br#"{"max_num":5}"#).unwrap();
        assert_eq!(Value::Object(all), json!({"max_num": 5, "q": "a"}));
        assert_eq!(arguments("", b"[]").unwrap_err().status, 422);
        assert_eq!(arguments("a[b=1", b"").unwrap_err().status, 422);
    }
}
