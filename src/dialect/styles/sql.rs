//! The text of Dolibarr's `sqlfilters`: `(t.lastname:like:'Pel%') and ((t.zip:=:'75001') or (te.vip:is:null))`.
//!
//! The CRM makes SQL of it by pattern matching, so only what has one reading for everybody passes: a column behind a
//! known table, an operator of the list, a quoted text without backslashes or parentheses, a number, `null`, or a list of
//! plain words and numbers. Functions, sub-queries and anything else are refused.
//!
//! A text ends with the last quote before the bracket: whatever quotes stand between are letters like others, and two of
//! them are two. Not so for `like`, where a text with a quote is none to some versions, nor beside a colon, at which some
//! versions cut: there no quote stands in a text.

use serde_json::{Number, Value};

use crate::dialect::{Path, Predicate};

/// Bytes of one filter.
const BYTES_MAX: usize = 8_192;
/// Nesting of parentheses.
const DEPTH_MAX: usize = 16;
/// Digits of a number.
const DIGITS_MAX: usize = 15;

/// What stands between the colons; longer ones first where one begins another.
const OPERATORS: &[&str] = &[
    "=", "!=", "<>", "<=", ">=", "<", ">", "like", "notlike", "in", "notin", "is", "isnot",
];

/// Reads a filter. `None`: not of this grammar.
pub(in crate::dialect) fn parse(
    text: &str,
    resolve: &dyn Fn(&str) -> Option<Path>,
) -> Option<Predicate> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut parser = Parser {
        rest: text,
        resolve,
    };
    let filter = parser.any(0)?;
    parser.blanks();
    parser.rest.is_empty().then_some(filter)
}

struct Parser<'a> {
    rest: &'a str,
    resolve: &'a dyn Fn(&str) -> Option<Path>,
}

impl<'a> Parser<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.blanks();
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    /// A word between two terms.
    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let is_next = self
            .rest
            .get(..word.len())
            .is_some_and(|next| next.eq_ignore_ascii_case(word))
            && self.rest[word.len()..].starts_with([' ', '(']);
        if is_next {
            self.rest = &self.rest[word.len()..];
        }
        is_next
    }

    fn any(&mut self, depth: usize) -> Option<Predicate> {
        let mut parts = vec![self.all(depth)?];
        while self.word("or") {
            parts.push(self.all(depth)?);
        }
        Some(one_or(parts, Predicate::Any))
    }

    fn all(&mut self, depth: usize) -> Option<Predicate> {
        let mut parts = vec![self.term(depth)?];
        while self.word("and") {
            parts.push(self.term(depth)?);
        }
        Some(one_or(parts, Predicate::All))
    }

    fn term(&mut self, depth: usize) -> Option<Predicate> {
        self.take("(")?;
        self.blanks();
        let filter = if self.rest.starts_with('(') {
            if depth >= DEPTH_MAX {
                return None;
            }
            self.any(depth + 1)?
        } else {
            self.comparison()?
        };
        self.take(")")?;
        Some(filter)
    }

    fn comparison(&mut self) -> Option<Predicate> {
        let end = self.rest.find(')')?;
        let (inside, rest) = self.rest.split_at(end);
        let mut parts = inside.splitn(3, ':');
        let (column, operator, literal) = (
            parts.next()?.trim_matches(' '),
            parts.next()?,
            parts.next()?,
        );
        if !column
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
        {
            return None;
        }
        let operator = operator.trim_matches(' ');
        let operator = OPERATORS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(operator))?;
        let value = value(operator, literal.trim_matches(' '))?;
        self.rest = rest;
        Some(Predicate::Field {
            path: (self.resolve)(column)?,
            operator: Some(operator),
            value,
        })
    }
}

fn one_or(mut parts: Vec<Predicate>, many: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

fn value(operator: &str, literal: &str) -> Option<Value> {
    match operator {
        "in" | "notin" => {
            let items = literal
                .split(',')
                .map(|item| scalar(item.trim_matches(' ')).filter(is_listed));
            items.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        "is" | "isnot" => literal.eq_ignore_ascii_case("null").then_some(Value::Null),
        "like" | "notlike" => scalar(literal).filter(|value| !holds_a_quote(value)),
        _ => scalar(literal),
    }
}

/// Whether a quote stands in a text.
fn holds_a_quote(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('\''))
}

/// Whether a value of a list stays as it is: from others the CRM takes characters away.
fn is_listed(value: &Value) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    match value {
        Value::String(text) => text.bytes().all(plain),
        _ => true,
    }
}

/// Whether a text names something that the CRM puts in its place: `__NOW__`, `__USER_ID__`.
fn names_a_constant(text: &str) -> bool {
    // It may stand behind further underscores.
    let mut places = text.as_bytes().windows(3);
    places.any(|place| matches!(place, [b'_', b'_', letter] if letter.is_ascii_uppercase()))
}

/// A quoted text or a number. The CRM makes floating-point numbers of numbers, which keep fifteen digits.
fn scalar(literal: &str) -> Option<Value> {
    if let Some(text) = literal.strip_prefix('\'') {
        let text = text.strip_suffix('\'')?;
        let plain =
            |letter: char| !letter.is_control() && !matches!(letter, '\\' | '`' | '(' | ')');
        let has_one_end = !(text.contains('\'') && text.contains(':'));
        let fits = text.chars().all(plain) && has_one_end && !names_a_constant(text);
        return fits.then(|| Value::String(text.to_owned()));
    }
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let fits = is_digits(whole) && is_digits(part) && count <= DIGITS_MAX;
    if !fits || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    literal.parse::<Number>().ok().map(Value::Number)
}

/// Writes a filter.
pub(in crate::dialect) fn write(filter: &Predicate, spell: &dyn Fn(&Path) -> String) -> String {
    match filter {
        Predicate::All(parts) => joined(parts, " and ", spell),
        Predicate::Any(parts) => joined(parts, " or ", spell),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            format!(
                "({}:{}:{})",
                spell(path),
                operator.unwrap_or("="),
                literal(value)
            )
        }
        // The grammar has none.
        Predicate::Not(_) | Predicate::Caller { .. } => String::new(),
    }
}

fn joined(parts: &[Predicate], between: &str, spell: &dyn Fn(&Path) -> String) -> String {
    let part = |part: &Predicate| match part {
        Predicate::All(_) | Predicate::Any(_) => format!("({})", write(part, spell)),
        _ => write(part, spell),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(between)
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => items.iter().map(literal).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
