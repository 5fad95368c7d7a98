//! Filters in prefix notation, as Odoo's domains are: `["|", ["city", "=", "Lyon"], "!", ["vip", "=", true]]`.

use serde_json::{Value, json};

use super::{Scope, VALUES_MAX, flat};
use crate::dialect::Predicate;
use crate::reason::Reason;

const ALL: &str = "&";
const ANY: &str = "|";
const NOT: &str = "!";

/// What a domain means: each of its terms holds. No term at all asks for nothing in particular.
pub(in crate::dialect) fn read(
    list: Value,
    operators: &[&'static str],
    scope: Scope<'_>,
) -> Result<Vec<Predicate>, Reason> {
    let Value::Array(terms) = list else {
        return Err(Reason::MalformedFilter);
    };
    if terms.len() > VALUES_MAX {
        return Err(Reason::MalformedFilter);
    }
    // From its end a prefix notation is a postfix one.
    let mut stack: Vec<Predicate> = Vec::new();
    for term in terms.into_iter().rev() {
        let read = match term {
            Value::String(word) => joined(&word, &mut stack)?,
            term => comparison(term, operators, scope)?,
        };
        stack.push(read);
    }
    stack.reverse();
    Ok(stack)
}

/// Joins what stands behind a word.
fn joined(word: &str, stack: &mut Vec<Predicate>) -> Result<Predicate, Reason> {
    let mut next = || stack.pop().ok_or(Reason::MalformedFilter);
    match word {
        ALL => Ok(Predicate::All(vec![next()?, next()?])),
        ANY => Ok(Predicate::Any(vec![next()?, next()?])),
        NOT => Ok(Predicate::Not(Box::new(next()?))),
        _ => Err(Reason::MalformedFilter),
    }
}

fn comparison(
    term: Value,
    operators: &[&'static str],
    scope: Scope<'_>,
) -> Result<Predicate, Reason> {
    let Value::Array(parts) = term else {
        return Err(Reason::MalformedFilter);
    };
    let Ok([Value::String(field), Value::String(word), value]) = <[Value; 3]>::try_from(parts)
    else {
        return Err(Reason::MalformedFilter);
    };
    let operator = operators.iter().find(|known| **known == word);
    Ok(Predicate::Field {
        path: scope.path(&field)?,
        operator: Some(operator.ok_or(Reason::MalformedFilter)?),
        value: flat(value)?,
    })
}

pub(in crate::dialect) fn write(parts: &[Predicate], scope: Scope<'_>) -> Value {
    let mut terms = Vec::new();
    for part in parts {
        write_term(part, scope, &mut terms);
    }
    Value::Array(terms)
}

fn write_term(term: &Predicate, scope: Scope<'_>, into: &mut Vec<Value>) {
    let mut join = |word: &str, parts: &[Predicate]| {
        let words = parts.len().saturating_sub(1);
        into.extend(std::iter::repeat_n(Value::from(word), words));
        for part in parts {
            write_term(part, scope, into);
        }
    };
    match term {
        Predicate::All(parts) => join(ALL, parts),
        Predicate::Any(parts) => join(ANY, parts),
        Predicate::Not(part) => {
            into.push(NOT.into());
            write_term(part, scope, into);
        }
        Predicate::Field {
            path,
            operator,
            value,
        } => into.push(json!([scope.spell(path), operator, value])),
        // The grammar has none.
        Predicate::Caller { .. } => {}
    }
}
