//! Parameters that may say only a few things, and are sent on as they are or left out.

use serde_json::{Map, Value};

use super::description::{Name, Route};
use crate::dialect::carriers::{Arguments, flag, is_blank, put};
use crate::objection::Objection;
use crate::reason::Reason;

/// Bytes of a list of words.
const WORDS_BYTES_MAX: usize = 2_048;
/// The key of what is remembered beside a query.
const SENT: &str = "sent";

/// Such a parameter.
#[derive(Debug)]
pub(super) struct Confined {
    pub(super) name: Name,
    pub(super) may: May,
    /// Whether what it says is sent on; else it is left out.
    pub(super) is_sent: bool,
    /// Why it is refused if it says something else; `None`: it is one that nobody knows.
    pub(super) otherwise: Option<Reason>,
}

/// What a parameter may say.
#[derive(Debug)]
pub(super) enum May {
    /// Anything.
    Anything,
    /// One of these words.
    Words(Vec<String>),
    /// Words of its own, one or several.
    List,
    /// Yes or no.
    Flag,
    /// The same, where a no is what holds anyway.
    Switch,
    /// No.
    No,
    /// Nothing: an empty list or object.
    Nothing,
}

impl Confined {
    /// Takes what it says, if that is more than nothing.
    fn read(
        &self,
        arguments: &mut Arguments,
        word: Option<&str>,
    ) -> Result<Option<Value>, Objection> {
        let value = arguments.take_at(&self.name, word);
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let said = match &self.may {
            May::Anything => Some(None),
            May::Words(words) => {
                let text = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    _ => return Err(self.otherwise.unwrap_or(Reason::MalformedQuery).into()),
                };
                words.contains(&text).then(|| Some(text.into()))
            }
            May::List => list(value),
            May::Flag => flag(&value).map(|flag| Some(u8::from(flag).to_string().into())),
            May::Switch => flag(&value).map(|flag| flag.then(|| flag.into())),
            May::No => (is_blank(Some(&value)) || flag(&value) == Some(false)).then_some(None),
            May::Nothing => is_nothing(&value).then_some(None),
        };
        said.ok_or_else(|| self.objection())
    }

    fn objection(&self) -> Objection {
        match self.otherwise {
            Some(reason) => reason.into(),
            None => Objection::parameter(self.name.0.first().map_or("", String::as_str)),
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        value => is_blank(Some(value)),
    }
}

/// Words between commas, or in a list; an empty list is none.
fn list(value: Value) -> Option<Option<Value>> {
    let words = match value {
        Value::String(words) => words,
        Value::Array(items) => {
            let items = items.iter().map(Value::as_str);
            items.collect::<Option<Vec<_>>>()?.join(",")
        }
        _ => return None,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-,".contains(&byte);
    let fits = words.len() <= WORDS_BYTES_MAX && words.bytes().all(plain);
    fits.then(|| (!words.is_empty()).then(|| words.into()))
}

/// Takes parameters that may say only a few things.
pub(super) fn read(
    arguments: &mut Arguments,
    all: &[Confined],
    word: Option<&str>,
    fixed: &mut Map<String, Value>,
) -> Result<(), Objection> {
    let mut sent = Map::new();
    for (number, confined) in all.iter().enumerate() {
        let said = confined.read(arguments, word)?;
        if let Some(value) = said.filter(|_| confined.is_sent) {
            sent.insert(number.to_string(), value);
        }
    }
    if !sent.is_empty() {
        fixed.insert(SENT.to_owned(), Value::Object(sent));
    }
    Ok(())
}

/// Whether a parameter of this name is sent on.
pub(super) fn sends(fixed: &Map<String, Value>, route: &Route, name: &str) -> bool {
    let sent = fixed.get(SENT).and_then(Value::as_object);
    let mut confined = route.confined.iter().enumerate();
    confined.any(|(number, confined)| {
        let is_sent = sent.is_some_and(|sent| sent.contains_key(&number.to_string()));
        is_sent && matches!(confined.name.0.as_slice(), [only] if only == name)
    })
}

/// Writes what is sent on, and what is sent with each request.
pub(super) fn write(
    fixed: &Map<String, Value>,
    route: &Route,
    word: Option<&str>,
    tree: &mut Map<String, Value>,
) {
    let sent = fixed.get(SENT).and_then(Value::as_object);
    for (number, value) in sent.into_iter().flatten() {
        let number = number.parse::<usize>().ok();
        if let Some(confined) = number.and_then(|number| route.confined.get(number)) {
            put(tree, &confined.name, word, value.clone());
        }
    }
    for (name, value) in &route.always {
        put(tree, name, word, value.clone());
    }
}
