//! What EspoCRM makes of a list's parameters: a tree of conditions, whatever carried it.

use serde_json::{Map, Value};

use super::php::{self, Tree};

/// The items of `where`, as JSON whose scalars are texts. `None`: there are none.
pub fn conditions(query: &str) -> Option<Value> {
    let parameters = php::parse_str(query);
    // What stands in this parameter replaces all others.
    if let Some(text) = parameters.get("searchParams").and_then(Tree::text) {
        let all: Value = serde_json::from_str(text).ok()?;
        return all.get("where").map(as_texts);
    }
    let items = parameters
        .get("whereGroup")
        .or_else(|| parameters.get("where"));
    items.map(as_json)
}

/// A tree as JSON: members whose names are their places are a list.
fn as_json(tree: &Tree) -> Value {
    match tree {
        Tree::Text(text) => Value::String(text.clone()),
        Tree::Members(members) => {
            let is_list = members
                .iter()
                .enumerate()
                .all(|(place, (name, _))| *name == place.to_string());
            if is_list {
                members.iter().map(|(_, member)| as_json(member)).collect()
            } else {
                let members = members
                    .iter()
                    .map(|(name, member)| (name.clone(), as_json(member)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

/// JSON whose scalars are the texts that a query string could carry.
pub fn as_texts(value: &Value) -> Value {
    match value {
        Value::Null => Value::String(String::new()),
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        Value::String(_) => value.clone(),
        Value::Array(items) => items.iter().map(as_texts).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| (name.clone(), as_texts(member)));
            Value::Object(members.collect())
        }
    }
}
