//! The ways in which APIs write an order, each read into the same keys and written back from them.

use serde_json::{Map, Value};

use super::Scope;
use crate::dialect::Sort;
use crate::dialect::carriers::{Arguments, Name, is_blank, put};
use crate::reason::Reason;

/// Fields of an order.
const ORDER_MAX: usize = 16;
/// The same, in SugarCRM's ways.
const SUGAR_MAX: usize = 20;

/// How an order is written.
#[derive(Debug)]
pub(in crate::dialect) enum Order {
    /// `sort=-a,b`; or a single field.
    Signs { at: Name, is_single: bool },
    /// `order_by=a:desc,b`.
    Colons(Name),
    /// `{"a": "desc"}`, of the module's own fields only.
    Members(Name),
    /// `order=a desc,b`.
    Words { at: Name, words: Directions },
    /// `orderBy=a&order=desc`.
    Apart {
        by: Name,
        direction: Name,
        words: Directions,
    },
    /// `[{"field": "a", "direction": "desc"}]`.
    Objects {
        at: Name,
        field: String,
        direction: String,
        words: Directions,
    },
}

/// The words for both directions.
#[derive(Debug)]
pub(in crate::dialect) struct Directions {
    pub(in crate::dialect) ascending: String,
    pub(in crate::dialect) descending: String,
}

impl Order {
    /// Takes what is written in this way.
    pub(in crate::dialect) fn read(
        &self,
        arguments: &mut Arguments,
        scope: Scope<'_>,
    ) -> Result<Vec<Sort>, Reason> {
        let module = Some(scope.word);
        let listed = |arguments: &mut Arguments, name: &Name| {
            let text = arguments.text_at(name, module);
            text.map(split).map_err(|_| Reason::MalformedOrder)
        };
        let keys: Vec<Sort> = match self {
            Self::Signs { at, is_single } => {
                let keys = match is_single {
                    true => single(arguments.text_at(at, module))?,
                    false => listed(arguments, at)?,
                };
                keys.iter()
                    .map(|key| match key.strip_prefix('-') {
                        None => sort(key, false, scope),
                        Some(field) => sort(field, true, scope),
                    })
                    .collect::<Result<_, _>>()?
            }
            Self::Colons(at) => return colons(arguments.take_at(at, module), scope),
            Self::Members(at) => return members(arguments.take_at(at, module), scope),
            Self::Words { at, words } => listed(arguments, at)?
                .iter()
                .map(|key| {
                    let (field, way) = key.split_once(' ').unwrap_or((key, ""));
                    let is_descending = words.is_descending(Some(way.trim().into()))?;
                    sort(field, is_descending, scope)
                })
                .collect::<Result<_, _>>()?,
            Self::Apart {
                by,
                direction,
                words,
            } => {
                let keys = listed(arguments, by)?;
                let stated = arguments.take_at(direction, module);
                let is_descending = words.is_descending(stated)?;
                if is_descending && keys.is_empty() {
                    // It would turn an order that the API chose.
                    return Err(Reason::MalformedOrder);
                }
                keys.iter()
                    .map(|key| sort(key, is_descending, scope))
                    .collect::<Result<_, _>>()?
            }
            Self::Objects {
                at,
                field,
                direction,
                words,
            } => match arguments.take_at(at, module) {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(items)) => items
                    .into_iter()
                    .map(|item| object(item, field, direction, words, scope))
                    .collect::<Result<_, _>>()?,
                Some(_) => return Err(Reason::MalformedOrder),
            },
        };
        if keys.len() > ORDER_MAX {
            return Err(Reason::MalformedOrder);
        }
        Ok(keys)
    }

    /// Writes an order in this way.
    pub(in crate::dialect) fn write(
        &self,
        order: &[Sort],
        scope: Scope<'_>,
        into: &mut Map<String, Value>,
    ) {
        let Some(first) = order.first() else {
            return;
        };
        let module = Some(scope.word);
        let field = |sort: &Sort| scope.spell(&sort.path);
        let joined = |key: &dyn Fn(&Sort) -> String| {
            Value::String(order.iter().map(key).collect::<Vec<_>>().join(","))
        };
        match self {
            Self::Signs { at, .. } => {
                let signed = |sort: &Sort| match sort.descending {
                    true => format!("-{}", field(sort)),
                    false => field(sort),
                };
                put(into, at, module, joined(&signed));
            }
            Self::Colons(at) => {
                let worded = |sort: &Sort| format!("{}:{}", field(sort), way(sort));
                put(into, at, module, joined(&worded));
            }
            Self::Members(at) => {
                let member = |sort: &Sort| (field(sort), way(sort).into());
                let members: Map<String, Value> = order.iter().map(member).collect();
                put(into, at, module, members.into());
            }
            Self::Words { at, words } => {
                let worded = |sort: &Sort| format!("{} {}", field(sort), words.of(sort));
                put(into, at, module, joined(&worded));
            }
            Self::Apart {
                by,
                direction,
                words,
            } => {
                put(into, by, module, joined(&field));
                put(into, direction, module, words.of(first).into());
            }
            Self::Objects {
                at,
                field: named,
                direction,
                words,
            } => {
                let object = |sort: &Sort| {
                    Value::Object(Map::from_iter([
                        (named.clone(), field(sort).into()),
                        (direction.clone(), words.of(sort).into()),
                    ]))
                };
                put(into, at, module, order.iter().map(object).collect());
            }
        }
    }
}

impl Directions {
    /// Whether a direction is that from last to first; without any it is the other one.
    fn is_descending(&self, stated: Option<Value>) -> Result<bool, Reason> {
        let are_flags = [&self.ascending, &self.descending]
            .iter()
            .any(|word| matches!(word.as_str(), "true" | "false"));
        let stated = match stated {
            Some(Value::Bool(flag)) if are_flags => Some(flag.to_string().into()),
            stated => stated,
        };
        match stated {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(text))
                if text.is_empty() || text.eq_ignore_ascii_case(&self.ascending) =>
            {
                Ok(false)
            }
            Some(Value::String(text)) if text.eq_ignore_ascii_case(&self.descending) => Ok(true),
            Some(_) => Err(Reason::MalformedOrder),
        }
    }

    fn of(&self, sort: &Sort) -> &str {
        match sort.descending {
            true => &self.descending,
            false => &self.ascending,
        }
    }
}

/// The one key of an order that has no second.
fn single(text: Result<Option<String>, Reason>) -> Result<Vec<String>, Reason> {
    let text = text.map_err(|_| Reason::MalformedOrder)?;
    Ok(text.into_iter().collect())
}

fn split(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    let keys = text.split(',').map(|part| part.trim().to_owned());
    keys.filter(|part| !part.is_empty()).collect()
}

fn sort(field: &str, descending: bool, scope: Scope<'_>) -> Result<Sort, Reason> {
    let path = scope.fields.resolve(field);
    let path = path.map_err(|why| why.unwrap_or(Reason::MalformedOrder))?;
    Ok(Sort { path, descending })
}

/// SugarCRM's word for a direction.
fn way(sort: &Sort) -> &'static str {
    if sort.descending { "desc" } else { "asc" }
}

fn directed(field: &str, way: &str, scope: Scope<'_>) -> Result<Sort, Reason> {
    let descending = match way.to_ascii_lowercase().as_str() {
        "asc" => false,
        "desc" => true,
        _ => return Err(Reason::MalformedOrder),
    };
    sort(field, descending, scope)
}

fn colons(value: Option<Value>, scope: Scope<'_>) -> Result<Vec<Sort>, Reason> {
    let Some(value) = value.filter(|value| !is_blank(Some(value))) else {
        return Ok(Vec::new());
    };
    let text = value.as_str().ok_or(Reason::MalformedOrder)?;
    if text.split(',').count() > SUGAR_MAX {
        return Err(Reason::MalformedOrder);
    }
    let key = |key: &str| {
        let (field, way) = key.split_once(':').unwrap_or((key, "asc"));
        directed(field, way, scope)
    };
    text.split(',').map(|text| key(text.trim())).collect()
}

fn members(value: Option<Value>, scope: Scope<'_>) -> Result<Vec<Sort>, Reason> {
    let members = match value {
        Some(Value::Object(members)) if members.len() <= SUGAR_MAX => members,
        Some(Value::Array(items)) if items.is_empty() => return Ok(Vec::new()),
        value if is_blank(value.as_ref()) => return Ok(Vec::new()),
        _ => return Err(Reason::MalformedOrder),
    };
    let key =
        |(field, way): (&String, &Value)| directed(field, way.as_str().unwrap_or_default(), scope);
    members.iter().map(key).collect()
}

/// A key that is an object of a field and perhaps a direction, and of nothing else.
fn object(
    item: Value,
    field: &str,
    direction: &str,
    words: &Directions,
    scope: Scope<'_>,
) -> Result<Sort, Reason> {
    let Value::Object(mut members) = item else {
        return Err(Reason::MalformedOrder);
    };
    let named = members.shift_remove(field);
    let is_descending = words.is_descending(members.shift_remove(direction))?;
    match named {
        Some(Value::String(named)) if members.is_empty() => sort(&named, is_descending, scope),
        _ => Err(Reason::MalformedOrder),
    }
}
