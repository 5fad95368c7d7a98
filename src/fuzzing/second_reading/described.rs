//! The same for APIs by description: Dolibarr's filters, which become SQL, and EspoCRM's trees of conditions.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::super::models::dolibarr::{self, Colons};
use super::super::models::espocrm;
use super::super::models::php::{self, Tree};
use super::super::models::sql::{self, Token};
use super::{Piece, encode, operation, tokens_of};
use crate::dialect::Predicate;
use crate::dialect::engine::Described;

fn described(text: &str) -> Described {
    Described::read("description.yaml", text)
        .0
        .expect("an example")
}

pub(in crate::fuzzing) static DOLIBARR: LazyLock<Described> =
    LazyLock::new(|| described(include_str!("../../../examples/dolibarr/dolibarr.yaml")));
pub(in crate::fuzzing) static ESPOCRM: LazyLock<Described> =
    LazyLock::new(|| described(include_str!("../../../examples/espocrm/espocrm.yaml")));

pub(super) fn sql_filters(one: &str, other: &str) -> bool {
    let filter = format!(
        "((t.lastname:like:'{one}') or (t.zip:=:'{other}')) and (t.town:in:'{one}',3) and (t.rowid:>:{other})"
    );
    let alone =
        format!("((t.lastname:like:'{one}') or (t.zip:=:'{other}')) and (t.rowid:isnot:null)");
    let mut is_sent = false;
    for filter in [
        filter,
        alone,
        format!("(t.town:in:'{one}',3)"),
        format!("(t.rowid:>:{other})"),
        // A quote within a text is a letter of it.
        format!("(t.lastname:=:'{one}') or (t.town:<>:'{other}'')"),
    ] {
        let target = format!("/api/index.php/contacts?sqlfilters={}", encode(&filter));
        let Some((operation, outgoing)) = operation(&*DOLIBARR, &target, None) else {
            continue;
        };
        is_sent = true;
        let query = outgoing
            .target
            .split_once('?')
            .map_or("", |(_, query)| query);
        let parameters = php::parse_str(query);
        let sent = parameters
            .get("sqlfilters")
            .and_then(Tree::text)
            .expect("a filter");
        let meant = vec![Token::Word("and".to_owned()), Token::Sign('(')];
        let meant = [
            meant,
            criteria(operation.query.predicate.as_ref()),
            vec![Token::Sign(')')],
        ]
        .concat();
        let runs = |colons| {
            let condition = dolibarr::condition(sent, colons).expect("a filter that the CRM takes");
            sql::tokens(&condition).expect("a condition that ends")
        };
        assert_eq!(
            without_brackets(&runs(Colons::FirstTwo)),
            without_brackets(&meant),
            "other SQL"
        );
        // Versions that lose what follows a third colon compare the same columns with less.
        let names = |tokens: &[Token]| -> Vec<Token> {
            let named = |token: &&Token| matches!(token, Token::Word(word) if !word.starts_with(|first: char| first.is_ascii_digit()));
            tokens.iter().filter(named).cloned().collect()
        };
        assert_eq!(names(&runs(Colons::Every)), names(&meant), "other SQL");
    }
    is_sent
}

/// Brackets say nothing here: the filters join by one word only, or have them of their own.
fn without_brackets(tokens: &[Token]) -> Vec<Token> {
    let is_bracket = |token: &&Token| !matches!(token, Token::Sign('(' | ')'));
    tokens.iter().filter(is_bracket).cloned().collect()
}

/// What a filter of Dolibarr's means, as SQL.
fn criteria(filter: Option<&Predicate>) -> Vec<Token> {
    match filter {
        Some(Predicate::All(parts)) => joined(parts, "and"),
        Some(Predicate::Any(parts)) => joined(parts, "or"),
        Some(Predicate::Field {
            path,
            operator,
            value,
        }) => {
            let column = match path.field.as_str() {
                "id" => "rowid",
                field => field,
            };
            let operator = match operator.unwrap_or("=") {
                "notlike" => "not like",
                "isnot" => "is not",
                "notin" => "not in",
                "!=" => "<>",
                other => other,
            };
            let mut tokens = tokens_of(&[Piece::Sql(&format!("(t.{column} {operator}"))]);
            tokens.extend(value_tokens(value));
            tokens.push(Token::Sign(')'));
            tokens
        }
        // The grammar has neither.
        Some(Predicate::Not(_) | Predicate::Caller { .. }) | None => Vec::new(),
    }
}

fn joined(parts: &[Predicate], word: &str) -> Vec<Token> {
    let parts: Vec<Vec<Token>> = parts.iter().map(|part| criteria(Some(part))).collect();
    parts.join(&Token::Word(word.to_owned()))
}

fn value_tokens(value: &Value) -> Vec<Token> {
    match value {
        Value::String(text) => vec![Token::Literal(text.as_bytes().to_vec())],
        Value::Array(items) => {
            let items: Vec<Vec<Token>> = items.iter().map(value_tokens).collect();
            items.join(&Token::Sign(','))
        }
        Value::Null => vec![Token::Word("null".to_owned())],
        number => {
            let number = number.to_string().parse::<f64>().expect("a number");
            tokens_of(&[Piece::Sql(&number.to_string())])
        }
    }
}

pub(super) fn conditions(as_json: bool, one: &str, other: &str) -> bool {
    let items = json!([
        {"type": "or", "value": [
            {"type": "equals", "attribute": "lastName", "value": one},
            {"type": "in", "attribute": "account.name", "value": [other, one, "x"]}
        ]},
        {"type": "on", "attribute": "createdAt", "value": "2024-01-01", "timeZone": other}
    ]);
    let short = json!([{"type": "contains", "attribute": "lastName", "value": one}]);
    let mut is_sent = false;
    for items in [items, short] {
        let query = if as_json {
            format!(
                "searchParams={}",
                encode(&json!({ "where": items }).to_string())
            )
        } else {
            brackets("where", &items)
        };
        let target = format!("/api/v1/Contact?{query}");
        let Some((operation, outgoing)) = operation(&*ESPOCRM, &target, None) else {
            continue;
        };
        is_sent = true;
        let query = outgoing
            .target
            .split_once('?')
            .map_or("", |(_, query)| query);
        let read = espocrm::conditions(query).expect("conditions");
        let meant: Vec<Value> = match &operation.query.predicate {
            Some(Predicate::All(sources)) => sources.iter().flat_map(listed).collect(),
            _ => Vec::new(),
        };
        assert_eq!(
            read,
            espocrm::as_texts(&Value::Array(meant)),
            "another tree"
        );
        assert_eq!(
            read,
            espocrm::as_texts(&items),
            "another tree than was sent"
        );
    }
    is_sent
}

fn listed(source: &Predicate) -> Vec<Value> {
    match source {
        Predicate::All(parts) => parts.iter().map(item).collect(),
        other => vec![item(other)],
    }
}

/// An item of EspoCRM's that means a filter.
fn item(filter: &Predicate) -> Value {
    let group = |word: &str, parts: &[Predicate]| {
        let parts: Vec<Value> = parts.iter().map(item).collect();
        json!({"type": word, "value": parts})
    };
    match filter {
        Predicate::All(parts) => group("and", parts),
        Predicate::Any(parts) => group("or", parts),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            let attribute = match &path.link {
                Some(link) => format!("{}.{}", link.name, path.field),
                None => path.field.clone(),
            };
            let mut members = Map::from_iter([
                ("type".to_owned(), json!(operator)),
                ("attribute".to_owned(), json!(attribute)),
            ]);
            members.extend(value.as_object().cloned().unwrap_or_default());
            Value::Object(members)
        }
        Predicate::Not(_) | Predicate::Caller { .. } => Value::Null,
    }
}

/// A tree as a query string.
fn brackets(name: &str, value: &Value) -> String {
    let mut pairs = Vec::new();
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                pairs.push(brackets(&format!("{name}[{place}]"), item));
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                pairs.push(brackets(&format!("{name}[{key}]"), member));
            }
        }
        Value::String(text) => pairs.push(format!("{}={}", encode(name), encode(text))),
        other => pairs.push(format!("{}={}", encode(name), encode(&other.to_string()))),
    }
    pairs.join("&")
}
