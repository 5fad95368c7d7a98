//! Holds documents to schemas: as much of JSON Schema as the schemas use, and nothing that it does not know.

use regex::Regex;
use serde_json::Value;

/// What a document has that a schema does not take, or lacks.
pub(super) fn problems(root: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, root, document, "$", &mut found);
    found
}

pub(super) fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    check(root, schema, value, "", &mut found);
    found.is_empty()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else {
        if *schema == Value::Bool(false) {
            found.push(format!("{at}: is not known"));
        }
        return;
    };
    for (rule, says) in rules {
        match rule.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "examples" => {}
            "$ref" => {
                let name = says.as_str().and_then(|path| path.strip_prefix("#/$defs/"));
                let target = &root["$defs"][name.unwrap()];
                assert!(target.is_object(), "{says} leads nowhere");
                check(root, target, value, at, found);
            }
            "anyOf" => {
                let shapes = says.as_array().unwrap();
                if !shapes.iter().any(|shape| fits(root, shape, value)) {
                    let lacks = shapes.iter().all(|shape| shape.get("required").is_some());
                    let word = if lacks { "needs" } else { "fits" };
                    found.push(format!("{at}: {word} none of {says}: {value}"));
                }
            }
            "not" => {
                if fits(root, says, value) {
                    found.push(format!("{at}: must not fit {says}"));
                }
            }
            "enum" => {
                if !says.as_array().unwrap().contains(value) {
                    found.push(format!("{at}: {value} is none of {says}"));
                }
            }
            "type" => {
                let is = |kind: &Value| kind.as_str() == Some(kind_of(value));
                let is_one = says
                    .as_array()
                    .map_or_else(|| is(says), |all| all.iter().any(is));
                if !is_one {
                    found.push(format!("{at}: {value} is not of type {says}"));
                }
            }
            "properties"
            | "additionalProperties"
            | "propertyNames"
            | "required"
            | "minProperties"
            | "maxProperties" => {
                if let Some(object) = value.as_object() {
                    check_object(root, schema, rule, object, at, found);
                }
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, says, item, &format!("{at}[{number}]"), found);
                }
            }
            "minItems" => check_least(value.as_array().map(Vec::len), says, at, found),
            "minLength" | "maxLength" | "pattern" => {
                if let Some(text) = value.as_str() {
                    check_text(rule, says, text, at, found);
                }
            }
            "minimum" | "maximum" => {
                let bounds = value.as_i64().zip(says.as_i64());
                let is_beyond = |(value, bound)| match rule.as_str() {
                    "minimum" => value < bound,
                    _ => value > bound,
                };
                if bounds.is_some_and(is_beyond) {
                    found.push(format!("{at}: {value} is beyond {says}"));
                }
            }
            other => panic!("the checker does not know `{other}`"),
        }
    }
}

fn check_object(
    root: &Value,
    schema: &Value,
    rule: &str,
    object: &serde_json::Map<String, Value>,
    at: &str,
    found: &mut Vec<String>,
) {
    let says = &schema[rule];
    for (name, value) in object {
        let inner = format!("{at}.{name}");
        let known = schema["properties"].get(name);
        match rule {
            "properties" => {
                if let Some(known) = known {
                    check(root, known, value, &inner, found);
                }
            }
            "additionalProperties" if known.is_none() => check(root, says, value, &inner, found),
            "propertyNames" => check(root, says, &Value::from(name.as_str()), &inner, found),
            _ => {}
        }
    }
    match rule {
        "required" => {
            let names = says.as_array().unwrap().iter().filter_map(Value::as_str);
            let missing = names.filter(|name| !object.contains_key(*name));
            found.extend(missing.map(|name| format!("{at}: needs `{name}`")));
        }
        "minProperties" => check_least(Some(object.len()), says, at, found),
        "maxProperties" if object.len() as u64 > says.as_u64().unwrap() => {
            found.push(format!("{at}: has more than {says} keys"));
        }
        _ => {}
    }
}

fn check_least(count: Option<usize>, least: &Value, at: &str, found: &mut Vec<String>) {
    if count.is_some_and(|count| (count as u64) < least.as_u64().unwrap()) {
        found.push(format!("{at}: holds fewer than {least}"));
    }
}

fn check_text(rule: &str, says: &Value, text: &str, at: &str, found: &mut Vec<String>) {
    let length = text.chars().count() as u64;
    let fits = match rule {
        "minLength" => length >= says.as_u64().unwrap(),
        "maxLength" => length <= says.as_u64().unwrap(),
        _ => Regex::new(says.as_str().unwrap()).unwrap().is_match(text),
    };
    if !fits {
        found.push(format!("{at}: {text:?} does not fit {rule} {says}"));
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
