//! What each style can say of a field, and how it says that more must hold than is asked already.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::needed::{Said, Says, Sign, Which, flattened, moment, said};
use super::{Bracket, PredicateStyle, Scope};
use crate::condition::Resolved;
use crate::dialect::carriers::Arguments;
use crate::dialect::{Path, Predicate, ValueType};
use crate::vocabulary::{Field, Spelling};

/// Groups of a filter in two levels. Some APIs take no more.
const GROUPS_MAX: usize = 5;

/// Words for signs, in lower case. Of those that an API lists, the first that fits is taken.
const WORDS: &[(Sign, &[&str])] = &[
    (Sign::Is, &["=", "==", "eq", "equals", "$equals"]),
    (
        Sign::IsNot,
        &["!=", "<>", "neq", "ne", "notequals", "$not_equals"],
    ),
    (Sign::Less, &["<", "lt", "lessthan", "=lt=", "$lt"]),
    (
        Sign::AtMost,
        &["<=", "lte", "le", "lessthanorequals", "=le=", "$lte"],
    ),
    (Sign::Greater, &[">", "gt", "greaterthan", "=gt=", "$gt"]),
    (
        Sign::AtLeast,
        &[">=", "gte", "ge", "greaterthanorequals", "=ge=", "$gte"],
    ),
    (Sign::Null, &["isnull", "not_has_property", "$is_null"]),
    (Sign::NotNull, &["isnotnull", "has_property", "$not_null"]),
    (Sign::True, &["istrue"]),
    (Sign::False, &["isfalse"]),
];
/// Words for lists of which one is the field's value, and of which none is.
const IN: &[&str] = &["in", "=in="];
const NOT_IN: &[&str] = &["notin", "not in", "not_in", "=out="];

fn word(words: &[&str], operators: &[&'static str]) -> Option<&'static str> {
    let known = |word: &&str| {
        let mut operators = operators.iter();
        operators.find(|operator| operator.eq_ignore_ascii_case(word))
    };
    words.iter().find_map(known).copied()
}

fn word_for(sign: Sign, operators: &[&'static str]) -> Option<&'static str> {
    let (_, words) = WORDS.iter().find(|(known, _)| *known == sign)?;
    word(words, operators)
}

/// What is known of the fields of the module that is asked.
#[derive(Clone, Copy)]
pub(in crate::dialect) struct Columns<'a> {
    /// The path of a field; `None`, if it is none by which the API is known to filter.
    pub(in crate::dialect) path: &'a dyn Fn(&Field) -> Option<Path>,
    pub(in crate::dialect) kind: &'a dyn Fn(&Field) -> Option<ValueType>,
    /// Whether a field is known to hold moments, or days; `None`: not which.
    pub(in crate::dialect) has_time: &'a dyn Fn(&Field) -> Option<bool>,
    /// How texts are spelled where they are kept.
    pub(in crate::dialect) spelling: Spelling,
}

struct Style<'a> {
    style: &'a PredicateStyle,
    columns: Columns<'a>,
}

impl Says for Style<'_> {
    fn compare(&self, field: &Field, sign: Sign, value: Value) -> Option<Predicate> {
        let path = (self.columns.path)(field)?;
        is_kept(self.columns.spelling, &value).then_some(())?;
        let of = |operator: &'static str, value: Value| Predicate::Field {
            path: path.clone(),
            operator: Some(operator),
            value,
        };
        match self.style {
            PredicateStyle::Dollars(_) => {
                let (operator, value) = of_dollars(sign, &value)?;
                Some(of(operator, value))
            }
            PredicateStyle::Sql(_) => {
                let (operator, value) = of_sql(sign, value)?;
                Some(of(operator, value))
            }
            PredicateStyle::Domain { operators, .. } => {
                let (sign, value) = of_domain(sign, value)?;
                Some(of(word_for(sign, operators)?, value))
            }
            PredicateStyle::Rsql { operators, .. } => {
                // What stands for any letters is no letter.
                let text = value.as_str().filter(|text| !text.contains('*'));
                Some(of(word_for(sign, operators)?, text?.into()))
            }
            PredicateStyle::Items(items) | PredicateStyle::Groups(super::Groups { items, .. }) => {
                let value = match value {
                    Value::Null => Value::Object(Map::new()),
                    value => items.operand(&value),
                };
                Some(of(word_for(sign, &items.operators)?, value))
            }
            PredicateStyle::Bracket(bracket) => {
                let (sign, text) = of_bracket(sign, &value)?;
                Some(of(word_for(sign, &bracket.operators)?, text.into()))
            }
            PredicateStyle::Equals(_) | PredicateStyle::Ids { .. } | PredicateStyle::Words(..) => {
                None
            }
        }
    }

    fn compare_all(&self, field: &Field, is_one: bool, values: &[Value]) -> Option<Predicate> {
        let words = if is_one { IN } else { NOT_IN };
        let are_kept = |value| is_kept(self.columns.spelling, value);
        values.iter().all(are_kept).then_some(())?;
        let list = Value::Array(values.to_vec());
        let (operator, value) = match self.style {
            PredicateStyle::Dollars(_) => {
                let texts = values.iter().map(text).collect::<Option<Vec<_>>>()?;
                (if is_one { "$in" } else { "$not_in" }, json!(texts))
            }
            PredicateStyle::Domain { operators, .. } => (word(words, operators)?, list),
            PredicateStyle::Rsql { operators, .. } => {
                let is_plain =
                    |value: &Value| value.as_str().is_some_and(|text| !text.contains('*'));
                values.iter().all(is_plain).then_some(())?;
                (word(words, operators)?, list)
            }
            PredicateStyle::Items(items) | PredicateStyle::Groups(super::Groups { items, .. }) => {
                (word(words, &items.operators)?, items.operand(&list))
            }
            _ => return None,
        };
        Some(Predicate::Field {
            path: (self.columns.path)(field)?,
            operator: Some(operator),
            value,
        })
    }

    fn kind(&self, field: &Field) -> Option<ValueType> {
        (self.columns.kind)(field)
    }

    fn moment(&self, field: &Field, time: Timestamp) -> Option<Value> {
        match self.style {
            PredicateStyle::Dollars(_) => match (self.columns.has_time)(field)? {
                true => moment(time, 1, "%Y-%m-%dT%H:%M:%S+00:00"),
                false => moment(time, 24 * 60 * 60, "%Y-%m-%d"),
            },
            PredicateStyle::Items(_) | PredicateStyle::Domain { .. } => {
                moment(time, 1, "%Y-%m-%d %H:%M:%S")
            }
            // Replies tell minutes.
            PredicateStyle::Bracket(Bracket { reread: true, .. }) => {
                moment(time, 60, "%Y-%m-%d %H:%M:%S")
            }
            _ => None,
        }
    }
}

/// Texts alone: they are kept however they travel.
fn of_dollars(sign: Sign, value: &Value) -> Option<(&'static str, Value)> {
    let nothing = || Value::from("");
    Some(match sign {
        Sign::Is => ("$equals", text(value)?.into()),
        Sign::IsNot => ("$not_equals", text(value)?.into()),
        Sign::Less => ("$lt", text(value)?.into()),
        Sign::AtMost => ("$lte", text(value)?.into()),
        Sign::Greater => ("$gt", text(value)?.into()),
        Sign::AtLeast => ("$gte", text(value)?.into()),
        Sign::Null => ("$is_null", nothing()),
        Sign::NotNull => ("$not_null", nothing()),
        Sign::Empty => ("$empty", nothing()),
        Sign::NotEmpty => ("$not_empty", nothing()),
        Sign::True => ("$equals", "1".into()),
        Sign::False => ("$equals", "0".into()),
    })
}

fn of_sql(sign: Sign, value: Value) -> Option<(&'static str, Value)> {
    Some(match sign {
        Sign::Is => ("=", value),
        Sign::IsNot => ("!=", value),
        Sign::Less => ("<", value),
        Sign::AtMost => ("<=", value),
        Sign::Greater => (">", value),
        Sign::AtLeast => (">=", value),
        Sign::Null => ("is", Value::Null),
        Sign::NotNull => ("isnot", Value::Null),
        Sign::True => ("=", 1.into()),
        Sign::False => ("=", 0.into()),
        Sign::Empty | Sign::NotEmpty => return None,
    })
}

/// There, `false` stands for what holds nothing, too.
fn of_domain(sign: Sign, value: Value) -> Option<(Sign, Value)> {
    Some(match sign {
        Sign::Null => (Sign::Is, false.into()),
        Sign::NotNull => (Sign::IsNot, false.into()),
        Sign::True => (Sign::Is, true.into()),
        Sign::False | Sign::Empty | Sign::NotEmpty => return None,
        sign => (sign, value),
    })
}

fn of_bracket(sign: Sign, value: &Value) -> Option<(Sign, String)> {
    Some(match sign {
        Sign::True => (Sign::Is, "1".to_owned()),
        Sign::False => (Sign::Is, "0".to_owned()),
        // A blank parameter may be none.
        sign => (sign, text(value).filter(|text| !text.is_empty())?),
    })
}

/// Whether a value is kept as it is said: some CRMs keep entities, and not everywhere the same.
pub(in crate::dialect) fn is_kept(spelling: Spelling, value: &Value) -> bool {
    let is_markup = |letter| matches!(letter, '&' | '<' | '>' | '"' | '\'');
    spelling == Spelling::Plain || value.as_str().is_none_or(|text| !text.contains(is_markup))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl PredicateStyle {
    /// A filter in this style, and what is needed beside it (`None`, if that is nothing); and whether that says all that is
    /// needed. `None`, if nothing of it can be said.
    pub(in crate::dialect) fn and(
        &self,
        filter: Option<(&Predicate, usize)>,
        needed: &Resolved,
        columns: Columns<'_>,
        scope: Scope<'_>,
    ) -> Option<(Option<Predicate>, bool)> {
        let says = Style {
            style: self,
            columns,
        };
        let Said { which, is_exact } = said(needed, &says);
        let needed = match which {
            Which::Those(predicate) => predicate,
            // What asks for nothing is written like anything else: no record is without an id.
            Which::None => says.compare(&Field::fold("id"), Sign::Null, Value::Null)?,
            Which::Every => return is_exact.then_some((None, true)),
        };
        let number = filter.map_or(0, |(_, number)| number);
        let both = self.both(filter.map(|(filter, _)| filter), needed)?;
        // What is not understood again as what it means is not said.
        let mut written = Map::new();
        self.write(&both, number, scope, &mut written);
        let again = self.read(&mut Arguments::of(written), scope).ok()?;
        (again? == (both.clone(), number)).then_some((Some(both), is_exact))
    }

    /// Two filters, of which both hold, as this style reads them.
    fn both(&self, filter: Option<&Predicate>, needed: Predicate) -> Option<Predicate> {
        let inside = || match filter {
            None => Some(Vec::new()),
            Some(Predicate::All(parts)) => Some(parts.clone()),
            Some(_) => None,
        };
        match self {
            Self::Dollars(_) => {
                let mut parts: Vec<Predicate> = filter.cloned().into_iter().collect();
                parts.push(needed);
                Some(Predicate::All(flattened(parts, true)))
            }
            Self::Items(_) => {
                let mut parts = inside()?;
                parts.push(needed);
                Some(Predicate::All(flattened(parts, true)))
            }
            Self::Sql(_) | Self::Rsql { .. } => {
                let mut parts = inside()?;
                parts.push(needed);
                let mut parts = flattened(parts, true);
                let whole = match parts.len() {
                    1 => parts.remove(0),
                    _ => Predicate::All(parts),
                };
                Some(Predicate::All(vec![whole]))
            }
            Self::Domain { .. } => {
                let mut parts = inside()?;
                parts.extend(flattened(vec![needed], true).into_iter().map(in_pairs));
                Some(Predicate::All(parts))
            }
            Self::Groups(_) => grouped(inside()?, needed),
            Self::Bracket(bracket) => listed(bracket, filter, needed),
            Self::Equals(_) | Self::Ids { .. } | Self::Words(..) => None,
        }
    }
}

/// The same, where a word joins two.
fn in_pairs(predicate: Predicate) -> Predicate {
    let pairs = |parts: Vec<Predicate>, join: fn(Vec<Predicate>) -> Predicate| {
        let parts = parts.into_iter().map(in_pairs);
        parts.reduce(|one, other| join(vec![one, other]))
    };
    match predicate {
        Predicate::All(parts) => pairs(parts, Predicate::All).unwrap_or(Predicate::All(Vec::new())),
        Predicate::Any(parts) => pairs(parts, Predicate::Any).unwrap_or(Predicate::Any(Vec::new())),
        other => other,
    }
}

/// Comparisons that stand beside others, of which all hold.
fn listed(bracket: &Bracket, filter: Option<&Predicate>, needed: Predicate) -> Option<Predicate> {
    let mut parts = match filter {
        None => Vec::new(),
        Some(Predicate::All(parts)) => parts.clone(),
        Some(Predicate::Any(parts)) if parts.len() == 1 && !bracket.reread => parts.clone(),
        Some(_) => return None,
    };
    parts.extend(flattened(vec![needed], true));
    // Comparisons of one field stand together.
    let field = |part: &Predicate| match part {
        Predicate::Field { path, .. } => Some(path.field.clone()),
        _ => None,
    };
    let fields = parts.iter().map(field).collect::<Option<Vec<_>>>()?;
    let first = |part: &Predicate| {
        let own = field(part);
        fields.iter().position(|field| Some(field) == own.as_ref())
    };
    let places: Vec<_> = parts.iter().map(first).collect();
    let mut placed: Vec<_> = places.into_iter().zip(parts).collect();
    placed.sort_by_key(|(place, _)| *place);
    Some(Predicate::All(
        placed.into_iter().map(|(_, part)| part).collect(),
    ))
}

/// What is needed stands in every group.
fn grouped(filter: Vec<Predicate>, needed: Predicate) -> Option<Predicate> {
    let groups = match filter.into_iter().next() {
        None => vec![Vec::new()],
        Some(groups) => groups_of(groups)?,
    };
    let needed = groups_of(needed)?;
    let both = groups.iter().flat_map(|group| {
        let joined = |more: &Vec<Predicate>| Predicate::All([group.as_slice(), more].concat());
        needed.iter().map(joined)
    });
    let both: Vec<Predicate> = both.take(GROUPS_MAX + 1).collect();
    (both.len() <= GROUPS_MAX).then(|| Predicate::All(vec![Predicate::Any(both)]))
}

/// A predicate as groups, of which one holds, of comparisons, of which all hold.
fn groups_of(predicate: Predicate) -> Option<Vec<Vec<Predicate>>> {
    let of_all = |parts: Vec<Predicate>| {
        let are_plain = parts
            .iter()
            .all(|part| matches!(part, Predicate::Field { .. }));
        are_plain.then_some(parts)
    };
    match predicate {
        Predicate::Any(parts) => parts
            .into_iter()
            .map(|part| of_all(flattened(vec![part], true)))
            .collect(),
        Predicate::All(parts) => Some(vec![of_all(parts)?]),
        part => Some(vec![of_all(vec![part])?]),
    }
}
