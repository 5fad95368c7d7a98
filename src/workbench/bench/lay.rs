//! Lays records out as an answer of the CRM, where the shape of the answer says that they lie.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::Held;
use crate::dialect::{
    EntryShape, Layout, MODULE_KEY, ObjectShape, Operation, Others, RecordShape, Shape,
};
use crate::markup;
use crate::vocabulary::Spelling;

/// The answer to an operation that holds these records.
pub(super) fn out(shape: &Shape, operation: &Operation, records: &[Held]) -> Value {
    if matches!(shape, Shape::Scalar) {
        // An answer that is nothing but a scalar is the id of what was written.
        return records.first().map_or(Value::Null, id_alone);
    }
    let mut laying = Laying {
        operation,
        left: records.iter().collect(),
    };
    laying.value(shape).unwrap_or_else(|| json!({}))
}

/// A number, where it is written like one.
fn id_alone(record: &Held) -> Value {
    let number = record.id.parse::<u64>();
    number.map_or_else(|_| record.id.as_str().into(), Value::from)
}

struct Laying<'a> {
    operation: &'a Operation,
    left: VecDeque<&'a Held>,
}

impl<'a> Laying<'a> {
    /// What stands at a place; nothing, where no record lies and nothing else is needed.
    fn value(&mut self, shape: &Shape) -> Option<Value> {
        match shape {
            Shape::Dropped => None,
            Shape::Anything | Shape::Scalar | Shape::Count(_) => Some(Value::Null),
            Shape::Word(words) => words.first().map(|word| (*word).into()),
            Shape::NameOf(name) => Some(name.module.as_str().into()),
            Shape::Object(object) => Some(self.object(object)),
            Shape::List(element) | Shape::Along { element, .. } => Some(self.list(element)),
            Shape::Record(record) => {
                let held = self.left.pop_front()?;
                Some(laid(record, held, held.fields.clone()))
            }
            Shape::OneOf(several) => self.one_of(several),
            Shape::Entry(entry) => self.entry(entry),
            Shape::Choice(choice) => {
                let (word, object) = choice
                    .cases
                    .iter()
                    .find(|(_, object)| self.leads_within(object))?;
                let mut value = self.object(object);
                if let Value::Object(members) = &mut value {
                    members.insert(choice.told_by.to_owned(), word.as_str().into());
                }
                Some(value)
            }
            Shape::Either { array, object } => match self.leads(object) {
                true => self.value(object),
                false => self.value(array),
            },
        }
    }

    fn object(&mut self, object: &ObjectShape) -> Value {
        let mut members = Map::new();
        for (key, inside) in &object.keys {
            let says = matches!(inside, Shape::Word(_) | Shape::NameOf(_));
            if (says || self.leads(inside) || object.required.contains(key))
                && let Some(value) = self.value(inside)
            {
                members.insert((*key).to_owned(), value);
            }
        }
        if let Others::Shape(inside) = &object.others
            && self.leads(inside)
        {
            while let Some(id) = self.left.front().map(|held| held.id.clone()) {
                let Some(value) = self.value(inside) else {
                    break;
                };
                members.insert(id, value);
            }
        }
        Value::Object(members)
    }

    /// Records that are left stand in a list each by itself; within an element that holds several, all of them.
    fn list(&mut self, element: &Shape) -> Value {
        let mut items = Vec::new();
        while !self.left.is_empty() && self.leads(element) {
            match self.value(element) {
                Some(value) => items.push(value),
                None => break,
            }
        }
        Value::Array(items)
    }

    fn one_of(&mut self, several: &[RecordShape]) -> Option<Value> {
        let held = self.left.pop_front()?;
        let mut shapes = several.iter();
        let record = shapes.find(|shape| shape.module == held.module)?;
        let mut fields = held.fields.clone();
        fields.insert(MODULE_KEY.to_owned(), held.module.as_str().into());
        Some(laid(record, held, fields))
    }

    fn entry(&mut self, entry: &EntryShape) -> Option<Value> {
        let held = self.left.pop_front()?;
        let mut fields = held.fields.clone();
        fields.shift_remove(entry.record.id);
        let mut members = Map::new();
        members.insert(entry.record.id.to_owned(), held.id.as_str().into());
        for (key, inside) in &entry.keys {
            if let (Shape::Word(_) | Shape::NameOf(_), Some(value)) = (inside, self.value(inside)) {
                members.insert((*key).to_owned(), value);
            }
        }
        members.insert(entry.under.to_owned(), written(&entry.record, fields));
        Some(Value::Object(members))
    }

    /// Whether records of the operation lie at a place or below.
    fn leads(&self, shape: &Shape) -> bool {
        let is_target = |record: &RecordShape| Some(&record.module) == self.operation.target();
        match shape {
            Shape::Record(record) => is_target(record),
            Shape::OneOf(several) => several.iter().any(is_target),
            Shape::Entry(entry) => is_target(&entry.record),
            Shape::List(element) | Shape::Along { element, .. } => self.leads(element),
            Shape::Object(object) => self.leads_within(object),
            Shape::Choice(choice) => {
                let mut cases = choice.cases.iter();
                cases.any(|(_, object)| self.leads_within(object))
            }
            Shape::Either { array, object } => self.leads(array) || self.leads(object),
            Shape::Anything
            | Shape::Scalar
            | Shape::Count(_)
            | Shape::Dropped
            | Shape::Word(_)
            | Shape::NameOf(_) => false,
        }
    }

    fn leads_within(&self, object: &ObjectShape) -> bool {
        let mut named = object.keys.iter();
        named.any(|(_, inside)| self.leads(inside))
            || matches!(&object.others, Others::Shape(inside) if self.leads(inside))
    }
}

/// A record in whose own place its id stands.
fn laid(record: &RecordShape, held: &Held, fields: Map<String, Value>) -> Value {
    let mut fields = fields;
    let id = fields.entry(record.id);
    id.or_insert_with(|| held.id.as_str().into());
    written(record, fields)
}

/// The fields of a record, as the CRM writes and spells them.
fn written(record: &RecordShape, fields: Map<String, Value>) -> Value {
    let named = |(name, value): (String, Value)| match record.layout {
        Layout::Flat => (name, value),
        Layout::Named => {
            let pair = json!({"name": name, "value": value});
            (name, pair)
        }
    };
    let spelled = fields
        .into_iter()
        .map(|(name, value)| (name, spelled(record.spelling, value)));
    Value::Object(spelled.map(named).collect())
}

fn spelled(spelling: Spelling, value: Value) -> Value {
    match value {
        Value::String(text) => markup::encode(spelling, &text).into_owned().into(),
        Value::Array(items) => items
            .into_iter()
            .map(|item| spelled(spelling, item))
            .collect(),
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (name, spelled(spelling, value)));
            Value::Object(members.collect())
        }
        other => other,
    }
}
