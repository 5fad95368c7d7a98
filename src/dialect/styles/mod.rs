//! The styles in which APIs write which records are meant, each read into the same [`Predicate`] and written back from it.

use serde_json::{Map, Value};

use super::carriers::{Arguments, Name, put};
use crate::dialect::{Path, Predicate, is_equality};
use crate::reason::Reason;

mod bracket;
mod dollars;
mod domain;
mod groups;
mod items;
mod needed;
mod order;
mod rsql;
mod says;
mod sql;
#[cfg(test)]
mod tests;

pub(super) use bracket::Bracket;
pub(super) use groups::Groups;
pub(super) use items::{GroupWords, Items};
pub(super) use needed::{Said, Says, Sign, Which, flattened, moment, said};
pub(super) use order::{Directions, Order};
pub(super) use says::{Columns, is_kept};

/// Values of one list.
pub(super) const VALUES_MAX: usize = 500;

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
    /// SugarCRM's lists of objects.
    Dollars(Name),
    /// A text in RSQL.
    Rsql {
        at: Name,
        operators: Vec<&'static str>,
    },
    /// Words for filters that the API keeps, with the fields that each looks at.
    Words(Name, Vec<(&'static str, Vec<String>)>),
}

/// What filters and orders may name.
pub(super) trait Fields {
    /// The field that a name means, or why it means none: `None`, if it is no name of a field at all.
    fn resolve(&self, text: &str) -> Result<Path, Option<Reason>>;

    /// Whether the module has such a link.
    fn has_link(&self, name: &str) -> bool;

    /// How a field is named.
    fn spell(&self, path: &Path) -> String;

    /// Whether a text can be the id of a record.
    fn is_id(&self, text: &str) -> bool;
}

/// Whose fields are meant.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) fields: &'a dyn Fields,
    /// The word for the module in parameters.
    pub(super) word: &'a str,
    /// Nesting of JSON in a text.
    pub(super) depth_max: usize,
    /// Whether what is written travels in a query string, which knows texts only.
    pub(super) in_query: bool,
}

impl Scope<'_> {
    fn path(self, text: &str) -> Result<Path, Reason> {
        let path = self.fields.resolve(text);
        path.map_err(|why| why.unwrap_or(Reason::MalformedFilter))
    }

    fn spell(self, path: &Path) -> String {
        self.fields.spell(path)
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
        match self {
            Self::Dollars(_) => true,
            Self::Bracket(bracket) => bracket.joined_by.is_some(),
            _ => false,
        }
    }

    /// The filters that compare a field with a value: those that say that it is that value stand first.
    pub(super) fn comparisons(&self, path: &Path, value: &Value) -> Vec<Predicate> {
        let comparison = |operator, value: &Value| Predicate::Field {
            path: path.clone(),
            operator,
            value: value.clone(),
        };
        let bare = || comparison(None, value);
        let with = |operators: &[&'static str], value: &Value| -> Vec<Predicate> {
            let mut operators = operators.to_vec();
            operators.sort_by_key(|word| !is_equality(Some(word)));
            let operators = operators.into_iter();
            operators
                .map(|word| comparison(Some(word), value))
                .collect()
        };
        let all = |comparison| Predicate::All(vec![comparison]);
        let comparisons = match self {
            Self::Equals(_) | Self::Ids { .. } | Self::Dollars(_) => vec![bare()],
            Self::Words(..) => Vec::new(),
            Self::Sql(_) => with(&["="], value),
            Self::Domain { operators, .. } | Self::Rsql { operators, .. } => with(operators, value),
            Self::Bracket(bracket) => {
                let mut comparisons = with(&bracket.operators, value);
                comparisons.extend(bracket.bare.then(bare));
                comparisons
            }
            Self::Items(items) => with(&items.operators, &items.operand(value)),
            Self::Groups(Groups { items, .. }) => {
                let comparisons = with(&items.operators, &items.operand(value)).into_iter();
                comparisons
                    .map(|comparison| Predicate::Any(vec![all(comparison)]))
                    .collect()
            }
        };
        comparisons.into_iter().map(all).collect()
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
            Self::Dollars(at) => {
                let list = arguments.take_at(at, Some(scope.word)).unwrap_or_default();
                let filter = dollars::read(&list, scope)?;
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
        if let Self::Dollars(at) = self {
            return put(into, at, Some(scope.word), dollars::write(filter, scope));
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
            Self::Bracket(_) | Self::Dollars(_) => {}
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
    let is_id = |text: &str| scope.fields.is_id(text);
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

/// A text without control characters, as a query string could hold it, or another scalar.
pub(super) fn is_scalar(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.chars().any(char::is_control),
        other => !matches!(other, Value::Array(_) | Value::Object(_)),
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
