//! A list of objects that name an operator, a field and a value, or hold such a list themselves.

use serde_json::{Map, Value};

use super::{Scope, VALUES_MAX, flat, is_scalar};
use crate::dialect::Predicate;
use crate::dialect::carriers::{Arguments, Name};
use crate::reason::Reason;

/// Bytes of what stands beside a value.
const WORD_BYTES_MAX: usize = 64;

/// What such a list may hold.
#[derive(Debug)]
pub(in crate::dialect) struct Items {
    /// Parameters that carry the list; one of them at a time.
    pub(in crate::dialect) at: Vec<Name>,
    pub(in crate::dialect) operators: Vec<&'static str>,
    pub(in crate::dialect) operator: String,
    /// The names of the field's member, the one that is sent first.
    pub(in crate::dialect) field: Vec<String>,
    /// The members that hold values, and the first one the list of a group.
    pub(in crate::dialect) values: Vec<String>,
    /// Operators whose value is a list of items, all or one of which hold.
    pub(in crate::dialect) groups: Option<GroupWords>,
    /// Members that may stand beside: scalars that no policy rules, such as a time zone.
    pub(in crate::dialect) beside: Vec<String>,
    /// Operators of items that say what a parameter says, with the parameter.
    pub(in crate::dialect) lifted: Vec<(String, Name)>,
}

/// Words for items that hold a list of items.
#[derive(Debug)]
pub(in crate::dialect) struct GroupWords {
    pub(in crate::dialect) all: String,
    pub(in crate::dialect) any: String,
}

impl Items {
    /// All items of a list hold, and so do the parameters beside it.
    pub(in crate::dialect) fn lift(
        &self,
        arguments: &mut Arguments,
        word: Option<&str>,
    ) -> Result<(), Reason> {
        for at in &self.at {
            let Some(list) = arguments.take_at(at, word) else {
                continue;
            };
            let Value::Array(items) = list else {
                return Err(Reason::MalformedFilter);
            };
            let (mut left, all) = (Vec::new(), items.len());
            for item in items {
                let Some((name, value)) = self.lifted(&item)? else {
                    left.push(item);
                    continue;
                };
                if !arguments.put_at(name, word, value) {
                    return Err(Reason::DuplicateParameter);
                }
            }
            let is_used_up = left.is_empty() && all > 0;
            if !is_used_up && !arguments.put_at(at, word, Value::Array(left)) {
                return Err(Reason::DuplicateParameter);
            }
        }
        Ok(())
    }

    /// The parameter that says what an item says, and its value.
    fn lifted(&self, item: &Value) -> Result<Option<(&Name, Value)>, Reason> {
        let Value::Object(members) = item else {
            return Ok(None);
        };
        let operator = members.get(&self.operator).and_then(Value::as_str);
        let lifted = self.lifted.iter();
        let mut lifted = lifted.filter(|(known, _)| Some(known.as_str()) == operator);
        let Some((_, name)) = lifted.next() else {
            return Ok(None);
        };
        let value = self.values.first().map_or("", String::as_str);
        let is_known = |key: &String| *key == self.operator || *key == value;
        match members.get(value) {
            Some(value) if members.keys().all(is_known) => Ok(Some((name, value.clone()))),
            _ => Err(Reason::MalformedFilter),
        }
    }

    /// Whether one word stands for two things.
    pub(in crate::dialect) fn has_two_meanings(&self) -> bool {
        let mut members: Vec<&String> = vec![&self.operator];
        members.extend(self.values.iter().chain(&self.field).chain(&self.beside));
        let mut words: Vec<&str> = self.operators.clone();
        words.extend(self.lifted.iter().map(|(word, _)| word.as_str()));
        if let Some(groups) = &self.groups {
            words.extend([groups.all.as_str(), &groups.any]);
        }
        let is_unique = |number: usize, all: &[&str]| !all[..number].contains(&all[number]);
        let members: Vec<&str> = members.into_iter().map(String::as_str).collect();
        !(0..members.len()).all(|number| is_unique(number, &members))
            || !(0..words.len()).all(|number| is_unique(number, &words))
    }

    pub(in crate::dialect) fn list(
        &self,
        list: Value,
        scope: Scope<'_>,
    ) -> Result<Vec<Predicate>, Reason> {
        let Value::Array(items) = list else {
            return Err(Reason::MalformedFilter);
        };
        if items.len() > VALUES_MAX {
            return Err(Reason::MalformedFilter);
        }
        items
            .into_iter()
            .map(|item| self.read(item, scope))
            .collect()
    }

    pub(in crate::dialect) fn read(
        &self,
        item: Value,
        scope: Scope<'_>,
    ) -> Result<Predicate, Reason> {
        let Value::Object(mut members) = item else {
            return Err(Reason::MalformedFilter);
        };
        let Some(Value::String(word)) = members.shift_remove(&self.operator) else {
            return Err(Reason::MalformedFilter);
        };
        if let Some(groups) = &self.groups
            && (word == groups.all || word == groups.any)
        {
            members.retain(|_, value| !value.is_null());
            let list = members
                .shift_remove(self.values.first().map_or("", String::as_str))
                .ok_or(Reason::MalformedFilter)?;
            if !members.is_empty() {
                return Err(Reason::MalformedFilter);
            }
            let parts = self.list(list, scope)?;
            return Ok(if word == groups.all {
                Predicate::All(parts)
            } else {
                Predicate::Any(parts)
            });
        }
        let operator = self.operators.iter().find(|known| **known == word);
        let operator = operator.ok_or(Reason::MalformedFilter)?;
        let mut stated = self
            .field
            .iter()
            .filter_map(|name| members.shift_remove(name));
        let (Some(Value::String(field)), None) = (stated.next(), stated.next()) else {
            return Err(Reason::MalformedFilter);
        };
        let path = scope.path(&field)?;
        for (name, value) in &mut members {
            if self.values.contains(name) {
                *value = flat(value.take())?;
            } else if !self.beside.contains(name) || !is_word(value) {
                return Err(Reason::MalformedFilter);
            }
        }
        // What stands beside the value goes back with it.
        Ok(Predicate::Field {
            path,
            operator: Some(operator),
            value: Value::Object(members),
        })
    }

    /// A value, under the member that holds it.
    pub(in crate::dialect) fn operand(&self, value: &Value) -> Value {
        let members = self
            .values
            .first()
            .map(|name| (name.clone(), value.clone()));
        Value::Object(members.into_iter().collect())
    }

    pub(in crate::dialect) fn item(&self, filter: &Predicate, scope: Scope<'_>) -> Value {
        let group = |word: fn(&GroupWords) -> &String, parts: &[Predicate]| {
            let parts = parts.iter().map(|part| self.item(part, scope)).collect();
            let (Some(words), Some(value)) = (&self.groups, self.values.first()) else {
                return Value::Null;
            };
            Value::Object(Map::from_iter([
                (self.operator.clone(), Value::String(word(words).clone())),
                (value.clone(), Value::Array(parts)),
            ]))
        };
        match filter {
            Predicate::All(parts) => group(|words| &words.all, parts),
            Predicate::Any(parts) => group(|words| &words.any, parts),
            Predicate::Field {
                path,
                operator,
                value,
            } => {
                let mut members = Map::from_iter([
                    (
                        self.operator.clone(),
                        Value::from(operator.unwrap_or_default()),
                    ),
                    (
                        self.field.first().cloned().unwrap_or_default(),
                        Value::String(scope.spell(path)),
                    ),
                ]);
                members.extend(value.as_object().cloned().unwrap_or_default());
                Value::Object(members)
            }
            Predicate::Not(_) | Predicate::Caller { .. } => Value::Null,
        }
    }
}

/// A scalar; if it is a text, one such as `Europe/Paris` or `+01:00`.
fn is_word(value: &Value) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_/+-:.".contains(&byte);
    match value {
        Value::String(text) => text.len() <= WORD_BYTES_MAX && text.bytes().all(plain),
        value => is_scalar(value),
    }
}
