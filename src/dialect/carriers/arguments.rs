//! The arguments of a request, whatever carried them: each is taken by somebody, or the request is refused.

use serde_json::{Map, Value};

use super::is_blank;
use crate::objection::Objection;
use crate::reason::Reason;

/// Arguments that nobody has taken yet.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Arguments {
    members: Map<String, Value>,
    /// Whether one with a blank value is none.
    blank_is_none: bool,
}

/// The name of an argument: `filter` `[`status`]`. `{module}` stands for the module asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialect) struct Name(pub(in crate::dialect) Vec<String>);

impl Name {
    /// The steps, where `{module}` is this.
    pub(in crate::dialect) fn steps<'a>(
        &'a self,
        module: Option<&'a str>,
    ) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(move |step| match module {
            Some(module) if step == "{module}" => module,
            _ => step,
        })
    }
}

impl Arguments {
    /// The members of an object, blank ones and `null` among them.
    pub(in crate::dialect) fn of(members: Map<String, Value>) -> Self {
        Self {
            members,
            blank_is_none: false,
        }
    }

    /// The same, where `null` is none, and a blank text is none too if that is so of the API.
    pub(in crate::dialect) fn stated(mut members: Map<String, Value>, blank_is_none: bool) -> Self {
        members.retain(|_, value| !value.is_null());
        Self {
            members,
            blank_is_none,
        }
    }

    /// The members of an object, where one with a blank value or `null` is none as soon as somebody takes it.
    pub(in crate::dialect) fn unless_blank(members: Map<String, Value>) -> Self {
        Self {
            members,
            blank_is_none: true,
        }
    }

    /// Adds arguments that another carrier holds. A name in both has two readings.
    pub(in crate::dialect) fn and(mut self, others: Map<String, Value>) -> Result<Self, Reason> {
        for (name, value) in others {
            if self.members.insert(name, value).is_some() {
                return Err(Reason::DuplicateParameter);
            }
        }
        Ok(self)
    }

    /// Takes an argument of a plain name.
    pub(in crate::dialect) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.shift_remove(name)
    }

    /// Takes an argument that is no map, though names of others begin with its own.
    pub(in crate::dialect) fn take_unless_map(&mut self, name: &str) -> Option<Value> {
        let is_map = self.members.get(name)?.is_object();
        (!is_map).then(|| self.take(name)).flatten()
    }

    /// Takes an argument. `module` is the word for the module asked.
    pub(in crate::dialect) fn take_at(
        &mut self,
        name: &Name,
        module: Option<&str>,
    ) -> Option<Value> {
        let steps: Vec<&str> = name.steps(module).collect();
        let taken = take(&mut self.members, &steps)?;
        let is_none = self.blank_is_none && is_blank(Some(&taken));
        (!is_none).then_some(taken)
    }

    /// Puts an argument where another one says the same; `false`, if there is one.
    pub(in crate::dialect) fn put_at(
        &mut self,
        name: &Name,
        module: Option<&str>,
        value: Value,
    ) -> bool {
        let is_new = self.take_at(name, module).is_none();
        put(&mut self.members, name, module, value);
        is_new
    }

    /// Takes an argument that is a text; a number counts as one.
    pub(in crate::dialect) fn text_at(
        &mut self,
        name: &Name,
        module: Option<&str>,
    ) -> Result<Option<String>, Reason> {
        match self.take_at(name, module) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Reason::MalformedQuery),
        }
    }

    /// Takes every argument whose value fits.
    pub(in crate::dialect) fn take_all(
        &mut self,
        fits: impl Fn(&Value) -> bool,
    ) -> Map<String, Value> {
        let (taken, left) = std::mem::take(&mut self.members)
            .into_iter()
            .partition(|(_, value)| fits(value));
        self.members = left;
        taken
    }

    pub(in crate::dialect) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Refuses what nobody took.
    pub(in crate::dialect) fn finish(self) -> Result<(), Objection> {
        let left = self.members.keys().next();
        left.map_or(Ok(()), |name| Err(Objection::parameter(name)))
    }
}

fn take(from: &mut Map<String, Value>, steps: &[&str]) -> Option<Value> {
    let (first, rest) = steps.split_first()?;
    if rest.is_empty() {
        return from.shift_remove(*first);
    }
    let inner = from.get_mut(*first)?.as_object_mut()?;
    let taken = take(inner, rest);
    if taken.is_some() && inner.is_empty() {
        from.shift_remove(*first);
    }
    taken
}

/// Puts an argument where its name says.
pub(in crate::dialect) fn put(
    into: &mut Map<String, Value>,
    name: &Name,
    module: Option<&str>,
    value: Value,
) {
    let steps: Vec<&str> = name.steps(module).collect();
    put_within(into, &steps, value);
}

fn put_within(into: &mut Map<String, Value>, steps: &[&str], value: Value) {
    match steps {
        [] => {}
        [last] => {
            into.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = into
                .entry(*first)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put_within(inner, rest, value);
            }
        }
    }
}
