//! The arguments of a request, whatever carried them: each is taken by somebody, or the request is refused.

use serde_json::{Map, Value};

use super::description::Name;
use super::query_string;
use crate::objection::Objection;
use crate::reason::Reason;

/// Arguments that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    members: Map<String, Value>,
    /// Whether one with a blank value is none.
    blank_is_none: bool,
}

impl Arguments {
    /// Those of a query string. A parameter that the API would take for a credential is refused.
    pub(super) fn of_query(
        text: Option<&str>,
        credentials: &[String],
        blank_is_none: bool,
    ) -> Result<Self, Reason> {
        let arguments = query_string::read(text.unwrap_or_default())?;
        let is_credential = |name: &String| {
            credentials
                .iter()
                .any(|word| word.eq_ignore_ascii_case(name))
        };
        if arguments.keys().any(is_credential) {
            return Err(Reason::CredentialInQuery);
        }
        Ok(Self {
            members: arguments,
            blank_is_none,
        })
    }

    /// Those of a JSON object. `null` is none.
    pub(super) fn of_object(mut arguments: Map<String, Value>, blank_is_none: bool) -> Self {
        arguments.retain(|_, value| !value.is_null());
        Self {
            members: arguments,
            blank_is_none,
        }
    }

    /// The members of a body that is written; `null` and blank texts are values there.
    pub(super) fn of_body(members: Map<String, Value>) -> Self {
        Self {
            members,
            blank_is_none: false,
        }
    }

    /// Takes an argument. `module` is the word for the module asked.
    pub(super) fn take(&mut self, name: &Name, module: Option<&str>) -> Option<Value> {
        let steps: Vec<&str> = name.steps(module).collect();
        let taken = take(&mut self.members, &steps)?;
        let is_none = self.blank_is_none && taken.as_str() == Some("");
        (!is_none).then_some(taken)
    }

    /// Puts an argument where another one says the same; `false`, if there is one.
    pub(super) fn put(&mut self, name: &Name, module: Option<&str>, value: Value) -> bool {
        let is_new = self.take(name, module).is_none();
        put(&mut self.members, name, module, value);
        is_new
    }

    /// Takes an argument that is a text; a number counts as one.
    pub(super) fn text(
        &mut self,
        name: &Name,
        module: Option<&str>,
    ) -> Result<Option<String>, Reason> {
        match self.take(name, module) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Reason::MalformedQuery),
        }
    }

    /// Takes every argument whose value fits.
    pub(super) fn take_all(&mut self, fits: impl Fn(&Value) -> bool) -> Map<String, Value> {
        let (taken, left) = std::mem::take(&mut self.members)
            .into_iter()
            .partition(|(_, value)| fits(value));
        self.members = left;
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), Objection> {
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
pub(super) fn put(into: &mut Map<String, Value>, name: &Name, module: Option<&str>, value: Value) {
    let steps: Vec<&str> = name.steps(module).collect();
    put_at(into, &steps, value);
}

fn put_at(into: &mut Map<String, Value>, steps: &[&str], value: Value) {
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
                put_at(inner, rest, value);
            }
        }
    }
}
