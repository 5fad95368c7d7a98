//! `{field}[{operator}]=value`, perhaps below a name: `filter[name][contains]=x`.

use serde_json::{Map, Value};

use super::{Scope, flat, is_scalar};
use crate::dialect::carriers::{Arguments, Name, put};
use crate::dialect::{Predicate, reread};
use crate::reason::Reason;

/// Comparisons of one filter that says how they are joined.
const COMPARISONS_MAX: usize = 100;
/// Bytes of a text that the API reads once more.
const TEXT_BYTES_MAX: usize = 4_000;

/// What such a filter may hold.
#[derive(Debug)]
pub(in crate::dialect) struct Bracket {
    pub(in crate::dialect) at: Option<Name>,
    pub(in crate::dialect) operators: Vec<&'static str>,
    /// Whether the API reads operators without regard to case.
    pub(in crate::dialect) ignore_case: bool,
    /// Whether `filter[name]=x` means equality.
    pub(in crate::dialect) bare: bool,
    /// The word that stands among the fields and says how comparisons are joined, by `and` or `or`.
    pub(in crate::dialect) joined_by: Option<String>,
    /// Comparisons that the API adds by itself, each with its operator and value: they may be said, and none but these of
    /// their fields.
    pub(in crate::dialect) implied: Vec<(String, String, String)>,
    /// Whether the API undoes entities in texts, and looks for words of its own in the query that it makes of them.
    pub(in crate::dialect) reread: bool,
}

impl Bracket {
    /// Takes a filter; no comparison at all is none.
    pub(in crate::dialect) fn read(
        &self,
        arguments: &mut Arguments,
        scope: Scope<'_>,
    ) -> Result<Option<Predicate>, Reason> {
        let mut fields = match &self.at {
            Some(at) => match arguments.take_at(at, Some(scope.word)) {
                None => return Ok(None),
                Some(Value::Object(fields)) => fields,
                Some(_) => return Err(Reason::MalformedFilter),
            },
            None => {
                arguments.take_all(|value| value.is_object() || (self.bare && !value.is_array()))
            }
        };
        let joined = self.joined_by.as_ref();
        let joined = joined.and_then(|name| fields.shift_remove(name));
        let parts = self.comparisons(fields, scope)?;
        let is_or = match joined {
            None => false,
            Some(Value::String(word)) if word.eq_ignore_ascii_case("and") => false,
            Some(Value::String(word)) if word.eq_ignore_ascii_case("or") => true,
            Some(_) => return Err(Reason::MalformedFilter),
        };
        let is_full = self.joined_by.is_some() && parts.len() > COMPARISONS_MAX;
        match parts.is_empty() {
            _ if is_full => Err(Reason::MalformedFilter),
            // How nothing is joined says nothing, if it would hold for all.
            true if is_or => Err(Reason::MalformedFilter),
            true => Ok(None),
            false if is_or => Ok(Some(Predicate::Any(parts))),
            false => Ok(Some(Predicate::All(parts))),
        }
    }

    fn comparisons(
        &self,
        fields: Map<String, Value>,
        scope: Scope<'_>,
    ) -> Result<Vec<Predicate>, Reason> {
        let mut parts = Vec::new();
        for (field, value) in fields {
            if self.is_implied(&field, &value)? {
                continue;
            }
            let is_joint = |word: &String| word.eq_ignore_ascii_case(&field);
            if self.joined_by.as_ref().is_some_and(is_joint) {
                return Err(Reason::MalformedFilter);
            }
            let path = scope.path(&field)?;
            match value {
                Value::Object(comparisons) if !comparisons.is_empty() => {
                    for (operator, value) in comparisons {
                        let operator = self.operator(&operator);
                        parts.push(Predicate::Field {
                            path: path.clone(),
                            operator: Some(operator.ok_or(Reason::MalformedFilter)?),
                            value: self.value(value)?,
                        });
                    }
                }
                value if self.bare && is_scalar(&value) => {
                    parts.push(Predicate::Field {
                        path,
                        operator: None,
                        value,
                    });
                }
                _ => return Err(Reason::MalformedFilter),
            }
        }
        Ok(parts)
    }

    /// Whether the API adds this by itself.
    fn is_implied(&self, field: &str, value: &Value) -> Result<bool, Reason> {
        let mut implied = self.implied.iter();
        let Some((known, operator, meant)) =
            implied.find(|(known, _, _)| known.eq_ignore_ascii_case(field))
        else {
            return Ok(false);
        };
        let only = |stated: &Map<String, Value>| {
            stated.len() == 1 && stated.get(operator).and_then(Value::as_str) == Some(meant)
        };
        match known == field && value.as_object().is_some_and(only) {
            true => Ok(true),
            false => Err(Reason::StoredQuery),
        }
    }

    fn operator(&self, word: &str) -> Option<&'static str> {
        let is_it =
            |known: &&&str| **known == word || self.ignore_case && known.eq_ignore_ascii_case(word);
        self.operators.iter().find(is_it).copied()
    }

    /// What is compared with; a text as the API will read it, which quotes it by itself.
    fn value(&self, value: Value) -> Result<Value, Reason> {
        if !self.reread {
            return flat(value);
        }
        let text = value.as_str().filter(|text| text.len() <= TEXT_BYTES_MAX);
        let text = text.and_then(reread::settled);
        let text = text.filter(|text| !reread::is_rewritten(text));
        text.map(Value::String).ok_or(Reason::MalformedFilter)
    }

    /// Writes a filter, without the name above.
    pub(in crate::dialect) fn write(
        &self,
        filter: &Predicate,
        scope: Scope<'_>,
        into: &mut Map<String, Value>,
    ) {
        let mut fields: Map<String, Value> = Map::new();
        let parts = match (filter, &self.joined_by) {
            (Predicate::All(parts), _) => parts,
            (Predicate::Any(parts), Some(joined_by)) => {
                fields.insert(joined_by.clone(), "or".into());
                parts
            }
            _ => return,
        };
        for part in parts {
            let Predicate::Field {
                path,
                operator,
                value,
            } = part
            else {
                continue;
            };
            let field = scope.spell(path);
            let Some(operator) = operator else {
                fields.insert(field, value.clone());
                continue;
            };
            let all = fields
                .entry(field)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(all) = all {
                all.insert((*operator).to_owned(), value.clone());
            }
        }
        match &self.at {
            Some(at) => put(into, at, Some(scope.word), Value::Object(fields)),
            None => into.extend(fields),
        }
    }
}
