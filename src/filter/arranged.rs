//! Replies in another form than they were filtered in: the same content, put together as a dialect's description says.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::Filtered;
use crate::dialect::{Arrangement, Frame, Gathered, Step, Which};

impl Filtered {
    /// The same content as an arrangement says.
    pub(crate) fn arranged(self, arrangement: &Arrangement) -> Self {
        if *arrangement == Arrangement::Same {
            return self;
        }
        let reply = serde_json::from_slice(&self.0).unwrap_or_default();
        match rebuilt(&reply, arrangement) {
            Some(value) => Self::of(&value),
            None => self,
        }
    }

    /// An object of what is gathered from the replies to the parts of an envelope; `None` stands for a refused one.
    pub(crate) fn gathered(members: &[(&'static str, Gathered)], parts: &[Option<Self>]) -> Self {
        let replies: Vec<Option<Value>> = parts
            .iter()
            .map(|part| serde_json::from_slice(&part.as_ref()?.0).ok())
            .collect();
        let members = members
            .iter()
            .map(|(key, how)| ((*key).to_owned(), gathered(*how, &replies)));
        Self::of(&Value::Object(members.collect()))
    }

    fn of(value: &Value) -> Self {
        Self(Bytes::from(value.to_string()))
    }
}

/// What stands in the place of a reply; `None` for the reply itself.
fn rebuilt(reply: &Value, arrangement: &Arrangement) -> Option<Value> {
    match arrangement {
        Arrangement::Same => None,
        Arrangement::Id(id) => Some(id.as_deref().map_or(Value::Null, id_value)),
        Arrangement::Record {
            at,
            which,
            frame,
            otherwise,
        } => chosen(&followed(reply, at), which)
            .and_then(|record| framed(record, frame))
            .or_else(|| rebuilt(reply, otherwise)),
    }
}

fn id_value(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| id.into(), Value::from)
}

/// Where a way leads.
fn followed<'v>(reply: &'v Value, way: &[Step]) -> Vec<&'v Value> {
    way.iter().fold(vec![reply], |places, step| {
        let next = places.into_iter().map(|place| followed_once(place, *step));
        next.flatten().collect()
    })
}

fn followed_once(place: &Value, step: Step) -> Vec<&Value> {
    match (step, place) {
        (Step::Name(name), Value::Object(members)) => members.get(name).into_iter().collect(),
        (Step::Element, Value::Array(items)) => items.iter().collect(),
        (Step::Member, Value::Object(members)) => members.values().collect(),
        _ => Vec::new(),
    }
}

fn chosen<'v>(records: &[&'v Value], which: &Which) -> Option<&'v Value> {
    match (records, which) {
        ([only], Which::Only) => Some(only),
        (_, Which::Only) => None,
        ([only], Which::WithId { key, id }) => {
            // Its id may be hidden from the caller; another one belongs to another record.
            let told = id_of(only, key);
            (told.is_none() || told == *id).then_some(*only)
        }
        (many, Which::WithId { key, id }) => many
            .iter()
            .copied()
            .find(|record| id_of(record, key) == *id),
    }
}

fn id_of(record: &Value, key: &str) -> Option<String> {
    match record.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn framed(record: &Value, frame: &Frame) -> Option<Value> {
    match frame {
        Frame::Record => Some(record.clone()),
        Frame::Member(key) => record.as_object()?.get(*key).cloned(),
        Frame::Object(members) => {
            let members = members
                .iter()
                .map(|(key, frame)| Some(((*key).to_owned(), framed(record, frame)?)));
            Some(Value::Object(members.collect::<Option<Map<_, _>>>()?))
        }
        Frame::List(frame) => Some(Value::Array(vec![framed(record, frame)?])),
    }
}

fn gathered(how: Gathered, replies: &[Option<Value>]) -> Value {
    let under = |key| replies.iter().map(move |reply| reply.as_ref()?.get(key));
    let sum = |key| {
        let numbers = under(key).flatten().filter_map(number);
        numbers.fold(0, u64::saturating_add)
    };
    match how {
        Gathered::Each(key) => under(key)
            .map(|value| value.cloned().unwrap_or_default())
            .collect(),
        Gathered::Sum(key) => sum(key).into(),
        Gathered::SumAndRefused(key) => {
            let refused = replies.iter().filter(|reply| reply.is_none()).count() as u64;
            sum(key).saturating_add(refused).into()
        }
        Gathered::Joined(key) => under(key)
            .filter_map(|value| value?.as_array())
            .flatten()
            .cloned()
            .collect(),
    }
}

/// The number that a value tells, if it is a whole one.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
