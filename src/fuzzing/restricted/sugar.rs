//! What SugarCRM selects for a filter.

use super::*;

pub(super) fn of_sugar_rest(outgoing: &Outgoing, row: &Row) -> bool {
    let body: Value = serde_json::from_slice(outgoing.body.as_deref().unwrap_or(b"{}")).unwrap();
    let items = body["filter"].as_array().cloned().unwrap_or_default();
    all(items.iter().map(|item| sugar_item(item, row))) == Some(true)
}

fn sugar_item(item: &Value, row: &Row) -> Option<bool> {
    let (key, value) = item
        .as_object()
        .expect("an object")
        .iter()
        .next()
        .expect("a member");
    let parts = || {
        let parts = value.as_array().expect("a list").iter();
        parts.map(|part| sugar_item(part, row))
    };
    match key.as_str() {
        "$and" => return all(parts()),
        "$or" => return any_of(parts()),
        _ => {}
    }
    let (word, operand) = match value {
        Value::Object(members) => {
            let (word, operand) = members.iter().next().expect("an operator");
            (word.as_str(), operand.clone())
        }
        bare => ("$equals", bare.clone()),
    };
    let field = key.as_str();
    let compare = |sign, value: &Value| compared(SUGAR, row, (field, sign), value);
    let moment = |value: &Value| match value.as_str() {
        // It makes of it what its database holds.
        Some(text) if field == SUGAR.moment => {
            text.replace('T', " ").trim_end_matches("+00:00").into()
        }
        _ => value.clone(),
    };
    match word {
        "$equals" => compare("=", &operand),
        "$not_equals" => compare("<>", &operand),
        "$in" => compare("in", &operand),
        "$not_in" => compare("not in", &operand),
        "$lt" => compare("<", &moment(&operand)),
        "$lte" => compare("<=", &moment(&operand)),
        "$gt" => compare(">", &moment(&operand)),
        "$gte" => compare(">=", &moment(&operand)),
        "$is_null" => compare("is null", &Value::Null),
        "$not_null" => compare("is not null", &Value::Null),
        "$empty" => {
            any_of([compare("is null", &Value::Null), compare("=", &"".into())].into_iter())
        }
        "$not_empty" => all([
            compare("is not null", &Value::Null),
            compare("<>", &"".into()),
        ]
        .into_iter()),
        other => panic!("{other}"),
    }
}
