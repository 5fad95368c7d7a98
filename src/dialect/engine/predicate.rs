//! The styles in which APIs write which records are meant, each read into the same [`Predicate`] and written back from it.

use serde_json::{Map, Value};

use super::bracket::Bracket;
use super::description::{Description, Name};
use super::groups::Groups;
use super::{domain, rsql, sql};
use crate::dialect::carriers::{Arguments, put};
use crate::dialect::{Path, Predicate};
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Values of one list.
pub(super) const VALUES_MAX: usize = 500;
/// Bytes of what stands beside a value.
const WORD_BYTES_MAX: usize = 64;

/// A style.
#[derive(Debug)]
pub(super) enum PredicateStyle {
    /// A parameter is a field's value: `status=open`.
    Equals(Vec<(Name, String)>),
    /// A parameter is one or more ids: `company=3,5`.
    Ids {
        parameters: Vec<(Name, String)>,
        /// Whether they are a list, and no text.
        list: bool,
    },
    /// `filter[name][contains]=x`.
    Bracket(Bracket),
    /// A list of objects that name an operator, a field and a value, or hold such a list themselves.
    Items(Items),
    /// A list of objects, one of which holds, that each hold a list of items, all of which hold.
    Groups(Groups),
    /// A list in prefix notation, as Odoo's domains are.
    Domain {
        at: Name,
        operators: Vec<&'static str>,
    },
    /// Dolibarr's text.
    Sql(Name),
    /// A text in RSQL.
    Rsql {
        at: Name,
        operators: Vec<&'static str>,
    },
    /// Words for filters that the API keeps, with the fields that each looks at.
    Words(Name, Vec<(&'static str, Vec<String>)>),
}

/// The members of [`PredicateStyle::Items`].
#[derive(Debug)]
pub(super) struct Items {
    /// Parameters that carry the list; one of them at a time.
    pub(super) at: Vec<Name>,
    pub(super) operators: Vec<&'static str>,
    pub(super) operator: String,
    /// The names of the field's member, the one that is sent first.
    pub(super) field: Vec<String>,
    /// The members that hold values, and the first one the list of a group.
    pub(super) values: Vec<String>,
    /// Operators whose value is a list of items, all or one of which hold.
    pub(super) groups: Option<GroupWords>,
    /// Members that may stand beside: scalars that no policy rules, such as a time zone.
    pub(super) beside: Vec<String>,
    /// Operators of items that say what a parameter says, with the parameter.
    pub(super) lifted: Vec<(String, Name)>,
}

/// Words for items that hold a list of items.
#[derive(Debug)]
pub(super) struct GroupWords {
    pub(super) all: String,
    pub(super) any: String,
}

/// Whose fields are meant.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) description: &'a Description,
    pub(super) module: &'a Module,
    /// The word for the module in parameters.
    pub(super) word: &'a str,
}

impl Scope<'_> {
    pub(super) fn path(&self, text: &str) -> Result<Path, Reason> {
        let path = self.description.resolve(self.module, text);
        path.ok_or(Reason::MalformedFilter)
    }

    pub(super) fn spell(&self, path: &Path) -> String {
        self.description.spell(self.module, path)
    }
}

impl PredicateStyle {
    /// Puts what stands in a list and says what a parameter says, into that parameter.
    pub(super) fn lift(&self, arguments: &mut Arguments, word: Option<&str>) -> Result<(), Reason> {
        match self {
            Self::Items(items) if !items.lifted.is_empty() => items.lift(arguments, word),
            _ => Ok(()),
        }
    }

    /// Whether it says by itself how comparisons are joined.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Bracket(bracket) if bracket.joined_by.is_some())
    }

    /// Takes what is written in this style; the number says which of its parameters carried it.
    pub(super) fn read(
        &self,
        arguments: &mut Arguments,
        scope: Scope<'_>,
    ) -> Result<Option<(Predicate, usize)>, Reason> {
        let filter = match self {
            Self::Equals(parameters) => equals(parameters, arguments, scope, is_scalar)?,
            Self::Ids { parameters, list } => ids(parameters, *list, arguments, scope)?,
            Self::Bracket(bracket) => {
                let filter = bracket.read(arguments, scope)?;
                return Ok(filter.map(|filter| (filter, 0)));
            }
            Self::Items(items) => {
                let mut found = None;
                for (number, at) in items.at.iter().enumerate() {
                    match (arguments.take_at(at, Some(scope.word)), &found) {
                        (None, _) => {}
                        (Some(_), Some(_)) => return Err(Reason::DuplicateParameter),
                        (Some(list), None) => found = Some((items.list(list, scope)?, number)),
                    }
                }
                return Ok(found.map(|(parts, number)| (Predicate::All(parts), number)));
            }
            Self::Groups(groups) => match arguments.take_at(&groups.at, Some(scope.word)) {
                None => Vec::new(),
                Some(list) => groups.read(list, scope)?,
            },
            Self::Domain { at, operators } => match arguments.take_at(at, Some(scope.word)) {
                None => Vec::new(),
                Some(list) => domain::read(list, operators, scope)?,
            },
            Self::Sql(at) => match arguments
                .text_at(at, Some(scope.word))?
                .filter(|text| !text.is_empty())
            {
                None => Vec::new(),
                Some(text) => {
                    let resolve = |text: &str| scope.path(text).ok();
                    vec![sql::parse(&text, &resolve).ok_or(Reason::MalformedFilter)?]
                }
            },
            Self::Rsql { at, operators } => {
                let text = arguments.text_at(at, Some(scope.word))?;
                match text.filter(|text| !text.is_empty()) {
                    None => Vec::new(),
                    Some(text) => {
                        let resolve = |text: &str| scope.path(text).ok();
                        let filter = rsql::parse(&text, operators, &resolve);
                        vec![filter.ok_or(Reason::MalformedFilter)?]
                    }
                }
            }
            Self::Words(at, words) => match arguments.text_at(at, Some(scope.word))? {
                None => Vec::new(),
                Some(text) => kept(words, &text)?,
            },
        };
        Ok((!filter.is_empty()).then(|| (Predicate::All(filter), 0)))
    }

    /// Writes a filter back into the parameter that carried it.
    pub(super) fn write(
        &self,
        filter: &Predicate,
        number: usize,
        scope: Scope<'_>,
        into: &mut Map<String, Value>,
    ) {
        if let Self::Bracket(bracket) = self {
            return bracket.write(filter, scope, into);
        }
        let Predicate::All(parts) = filter else {
            return;
        };
        let mut place = |name: &Name, value: Value| put(into, name, Some(scope.word), value);
        match self {
            Self::Equals(parameters) | Self::Ids { parameters, .. } => {
                for part in parts {
                    let Predicate::Field { path, value, .. } = part else {
                        continue;
                    };
                    let own = parameters.iter().find(|(_, field)| *field == path.field);
                    if let Some((name, _)) = own {
                        place(name, value.clone());
                    }
                }
            }
            Self::Bracket(_) => {}
            Self::Items(items) => {
                if let Some(at) = items.at.get(number) {
                    place(
                        at,
                        parts.iter().map(|part| items.item(part, scope)).collect(),
                    );
                }
            }
            Self::Groups(groups) => {
                if let Some(part) = parts.first() {
                    place(&groups.at, groups.write(part, scope));
                }
            }
            Self::Domain { at, .. } => place(at, domain::write(parts, scope)),
            Self::Sql(at) => {
                if let Some(part) = parts.first() {
                    place(at, sql::write(part, &|path| scope.spell(path)).into());
                }
            }
            Self::Rsql { at, .. } => {
                if let Some(part) = parts.first() {
                    place(at, rsql::write(part, &|path| scope.spell(path)).into());
                }
            }
            Self::Words(at, _) => {
                if let Some(Predicate::Field {
                    operator: Some(word),
                    ..
                }) = parts.first()
                {
                    place(at, (*word).into());
                }
            }
        }
    }
}

/// What a filter that the API keeps looks at.
fn kept(words: &[(&'static str, Vec<String>)], text: &str) -> Result<Vec<Predicate>, Reason> {
    let (word, fields) = words
        .iter()
        .find(|(word, _)| *word == text)
        .ok_or(Reason::StoredQuery)?;
    let field = |field: &String| Predicate::Field {
        path: Path {
            link: None,
            field: field.clone(),
        },
        operator: Some(word),
        value: Value::Null,
    };
    Ok(fields.iter().map(field).collect())
}

fn equals(
    parameters: &[(Name, String)],
    arguments: &mut Arguments,
    scope: Scope<'_>,
    fits: fn(&Value) -> bool,
) -> Result<Vec<Predicate>, Reason> {
    let mut parts = Vec::new();
    for (name, field) in parameters {
        match arguments.take_at(name, Some(scope.word)) {
            None => {}
            Some(value) if fits(&value) => parts.push(Predicate::Field {
                path: Path {
                    link: None,
                    field: field.clone(),
                },
                operator: None,
                value,
            }),
            Some(_) => return Err(Reason::MalformedFilter),
        }
    }
    Ok(parts)
}

/// Comparisons with ids: a list of them, or a text in which commas separate them. Who expects the one may take the other
/// for something else: a text for a list of its characters, a list for no filter.
fn ids(
    parameters: &[(Name, String)],
    is_list: bool,
    arguments: &mut Arguments,
    scope: Scope<'_>,
) -> Result<Vec<Predicate>, Reason> {
    let is_id = |text: &str| scope.description.ids.fit(text);
    let one = |value: &Value| match value {
        Value::String(text) => is_id(text),
        Value::Number(number) => is_id(&number.to_string()),
        _ => false,
    };
    let filter = equals(parameters, arguments, scope, |_| true)?;
    let are_ids = filter.iter().all(|part| match part {
        Predicate::Field { value, .. } => match value {
            Value::Array(items) => {
                is_list && (1..=VALUES_MAX).contains(&items.len()) && items.iter().all(one)
            }
            Value::String(text) => !is_list && text.split(',').all(is_id),
            value => !is_list && one(value),
        },
        _ => false,
    });
    are_ids.then_some(filter).ok_or(Reason::MalformedFilter)
}

impl Items {
    /// All items of a list hold, and so do the parameters beside it.
    fn lift(&self, arguments: &mut Arguments, word: Option<&str>) -> Result<(), Reason> {
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
    pub(super) fn has_two_meanings(&self) -> bool {
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

    fn list(&self, list: Value, scope: Scope<'_>) -> Result<Vec<Predicate>, Reason> {
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

    pub(super) fn read(&self, item: Value, scope: Scope<'_>) -> Result<Predicate, Reason> {
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

    pub(super) fn item(&self, filter: &Predicate, scope: Scope<'_>) -> Value {
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

/// A text without control characters, as a query string could hold it, or another scalar.
pub(super) fn is_scalar(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.chars().any(char::is_control),
        other => !matches!(other, Value::Array(_) | Value::Object(_)),
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

/// A scalar, or a list of such.
pub(super) fn flat(value: Value) -> Result<Value, Reason> {
    let fits = match &value {
        Value::Array(items) => items.len() <= VALUES_MAX && items.iter().all(is_scalar),
        one => is_scalar(one),
    };
    fits.then_some(value).ok_or(Reason::MalformedFilter)
}
