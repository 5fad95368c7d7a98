//! Finds the records in a reply, where the shape of the answer says that they lie.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::dialect::{EntryShape, Layout, MODULE_KEY, ObjectShape, Others, RecordShape, Shape};
use crate::markup;

/// The records of a reply, by the ids that the CRM sent, in their order: the id of a record may be withheld.
pub(super) fn records(
    shape: &Shape,
    reply: &Value,
    sent: &[String],
) -> BTreeMap<String, Map<String, Value>> {
    let mut found = Vec::new();
    look(shape, reply, &mut found);
    let is_whole = found.len() == sent.len();
    let named = found.into_iter().enumerate().map(|(at, (id, fields))| {
        let sent = sent.get(at).filter(|_| is_whole).cloned();
        let id = sent.or(id).unwrap_or_else(|| format!("#{}", at + 1));
        (id, fields)
    });
    named.collect()
}

/// A record: its id, as far as it is shown, and its fields.
type Found = (Option<String>, Map<String, Value>);

fn look(shape: &Shape, value: &Value, found: &mut Vec<Found>) {
    match (shape, value) {
        (Shape::Record(record), _) => found.extend(of(record, value, None)),
        (Shape::OneOf(several), Value::Object(members)) => {
            let module = members.get(MODULE_KEY).and_then(Value::as_str);
            let mut shapes = several.iter();
            let record = shapes.find(|shape| Some(shape.module.as_str()) == module);
            found.extend(record.and_then(|record| of(record, value, None)));
        }
        (Shape::Entry(entry), Value::Object(members)) => found.extend(entered(entry, members)),
        (Shape::List(element) | Shape::Along { element, .. }, Value::Array(items)) => {
            items.iter().for_each(|item| look(element, item, found));
        }
        (Shape::Object(object), Value::Object(members)) => within(object, members, found),
        (Shape::Choice(choice), Value::Object(members)) => {
            let word = members.get(choice.told_by).and_then(Value::as_str);
            let mut cases = choice.cases.iter();
            if let Some((_, object)) = cases.find(|(known, _)| Some(known.as_str()) == word) {
                within(object, members, found);
            }
        }
        (Shape::Either { array, .. }, Value::Array(_)) => look(array, value, found),
        (Shape::Either { object, .. }, _) => look(object, value, found),
        _ => {}
    }
}

fn within(object: &ObjectShape, members: &Map<String, Value>, found: &mut Vec<Found>) {
    for (key, value) in members {
        let mut named = object.keys.iter();
        match (named.find(|(known, _)| known == key), &object.others) {
            (Some((_, inside)), _) => look(inside, value, found),
            (None, Others::Shape(inside)) => look(inside, value, found),
            (None, _) => {}
        }
    }
}

/// A record beside its id.
fn entered(entry: &EntryShape, members: &Map<String, Value>) -> Option<Found> {
    let id = members.get(entry.record.id);
    of(&entry.record, members.get(entry.under)?, id)
}

fn of(record: &RecordShape, value: &Value, id_beside: Option<&Value>) -> Option<Found> {
    let mut fields = Map::new();
    for (name, value) in members(value)? {
        let (name, value) = match record.layout {
            Layout::Flat => (name, value),
            Layout::Named => named(name, value)?,
        };
        if record.keys.iter().any(|(known, _)| *known == name) || name == MODULE_KEY {
            continue;
        }
        match value {
            Value::Object(inner) if record.inner.contains(&name.as_str()) => {
                fields.extend(inner.clone());
            }
            value => {
                fields.insert(name, value.clone());
            }
        }
    }
    if let Some(id) = id_beside {
        fields.insert(record.id.to_owned(), id.clone());
    }
    let id = fields.get(record.id).and_then(text);
    Some((id, markup::decode_all(record.spelling, &fields)))
}

/// The members of an object, or the elements of a list, which have no names of their own.
fn members(value: &Value) -> Option<Vec<(String, &Value)>> {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            Some(members.map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::Array(items) => Some(items.iter().map(|item| (String::new(), item)).collect()),
        _ => None,
    }
}

/// A field whose value stands beside its name.
fn named(key: String, pair: &Value) -> Option<(String, &Value)> {
    let name = pair.get("name").and_then(Value::as_str);
    let name = name.map_or(key, str::to_owned);
    Some((name, pair.get("value")?))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
