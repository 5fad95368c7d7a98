//! The records of an answer, found where its shape says that they lie.

use serde_json::{Map, Value};

use super::Confirmation;
use crate::dialect::{
    ChoiceShape, EntryShape, Layout, MODULE_KEY, ObjectShape, Others, RecordShape, Shape,
};
use crate::markup;
use crate::vocabulary::{Module, Spelling};

/// Nesting of an answer in which records are looked for.
const DEPTH_MAX: usize = 32;

/// A record of an answer.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its module.
    pub module: &'a Module,
    /// Its id.
    pub id: Option<&'a str>,
    /// Its fields, as the CRM writes their names.
    pub fields: Vec<(&'a str, &'a Value)>,
    /// How texts are spelled in it.
    pub spelling: Spelling,
    /// What stands beside it of its addresses; `None`: that was not asked, or is not told.
    pub confirmations: Option<Vec<Confirmation>>,
}

impl Row<'_> {
    /// The value of a field, as it is meant; `None`, if the record does not tell it.
    pub fn value(&self, field: &str) -> Option<Value> {
        let mut fields = self.fields.iter();
        let (_, value) = fields.find(|(name, _)| *name == field)?;
        Some(markup::decode_value(self.spelling, value))
    }
}

/// Shows every record of an answer. What lies elsewhere, or is not what the shape says, is none.
pub fn rows<'a>(shape: &'a Shape, answer: &'a Value, visit: &mut dyn FnMut(Row<'a>)) {
    walk(shape, answer, DEPTH_MAX, visit);
}

fn walk<'a>(shape: &'a Shape, value: &'a Value, depth: usize, visit: &mut dyn FnMut(Row<'a>)) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match (shape, value) {
        (Shape::Object(object), Value::Object(members)) => {
            of_object(object, members, depth, visit);
        }
        (Shape::List(element) | Shape::Along { element, .. }, Value::Array(values)) => {
            for value in values {
                walk(element, value, depth, visit);
            }
        }
        (Shape::Record(record), value) => of_record(record, value, None, visit),
        (Shape::OneOf(records), value) => {
            let told = value.get(MODULE_KEY).and_then(Value::as_str);
            let is_it = |record: &&RecordShape| Some(record.module.as_str()) == told;
            if let Some(record) = records.iter().find(is_it) {
                of_record(record, value, None, visit);
            }
        }
        (Shape::Entry(entry), Value::Object(members)) => of_entry(entry, members, visit),
        (Shape::Choice(choice), Value::Object(members)) => {
            if let Some(object) = chosen(choice, members) {
                of_object(object, members, depth, visit);
            }
        }
        (Shape::Either { array, .. }, Value::Array(_)) => walk(array, value, depth, visit),
        (Shape::Either { object, .. }, Value::Object(_)) => walk(object, value, depth, visit),
        _ => {}
    }
}

fn of_object<'a>(
    shape: &'a ObjectShape,
    members: &'a Map<String, Value>,
    depth: usize,
    visit: &mut dyn FnMut(Row<'a>),
) {
    for (key, value) in members {
        let known = shape.keys.iter().find(|(name, _)| name == key);
        match (known, &shape.others) {
            (Some((_, shape)), _) => walk(shape, value, depth, visit),
            (None, Others::Shape(shape)) => walk(shape, value, depth, visit),
            _ => {}
        }
    }
}

fn chosen<'a>(choice: &'a ChoiceShape, members: &'a Map<String, Value>) -> Option<&'a ObjectShape> {
    let told = members.get(choice.told_by)?.as_str()?;
    let case = choice.cases.iter().find(|(word, _)| word == told)?;
    Some(&case.1)
}

fn of_entry<'a>(
    entry: &'a EntryShape,
    members: &'a Map<String, Value>,
    visit: &mut dyn FnMut(Row<'a>),
) {
    let id = members.get(entry.record.id).and_then(Value::as_str);
    if let Some(record) = members.get(entry.under) {
        of_record(&entry.record, record, id, visit);
    }
}

/// A record; what belongs to another one, such as the name behind a link, counts as none.
fn of_record<'a>(
    shape: &'a RecordShape,
    value: &'a Value,
    id: Option<&'a str>,
    visit: &mut dyn FnMut(Row<'a>),
) {
    if !shape.counted {
        return;
    }
    let mut row = Row {
        module: &shape.module,
        id,
        fields: Vec::new(),
        spelling: shape.spelling,
        confirmations: None,
    };
    match (value, shape.layout) {
        (Value::Object(members), Layout::Flat) => add(shape, members, &mut row),
        (Value::Object(members), Layout::Named) => {
            for (name, named) in members {
                row.fields
                    .push((name, named.get("value").unwrap_or(&Value::Null)));
            }
        }
        (Value::Array(all), Layout::Named) => {
            let named = all.iter().filter_map(|one| {
                let name = one.get("name")?.as_str()?;
                Some((name, one.get("value").unwrap_or(&Value::Null)))
            });
            row.fields.extend(named);
        }
        _ => return,
    }
    let own = || {
        let mut fields = row.fields.iter();
        fields.find(|(name, _)| *name == shape.id)?.1.as_str()
    };
    row.id = row.id.or_else(own);
    visit(row);
}

fn add<'a>(shape: &'a RecordShape, members: &'a Map<String, Value>, row: &mut Row<'a>) {
    for (name, value) in members {
        let has_own_shape = shape.keys.iter().any(|(key, _)| key == name);
        match value {
            Value::Object(inner) if shape.inner.contains(&name.as_str()) => {
                row.fields
                    .extend(inner.iter().map(|(name, value)| (name.as_str(), value)));
            }
            _ if has_own_shape || name == MODULE_KEY => {}
            _ => row.fields.push((name, value)),
        }
    }
}
