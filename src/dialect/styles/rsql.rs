//! RSQL: `city==Lyon;(rating=gt=3,owner.name=in=("A B",C))`. A semicolon means *and*, a comma *or*; *and* binds closer.

use serde_json::Value;

use crate::dialect::{Path, Predicate};

/// Bytes of one filter.
const BYTES_MAX: usize = 8_192;
/// Nesting of parentheses.
const DEPTH_MAX: usize = 16;
/// Characters that a value can only hold in quotes.
const RESERVED: &str = "\"'();,=!~<> ";

/// Reads a filter. `None`: not of this grammar.
pub(in crate::dialect) fn parse(
    text: &str,
    operators: &[&'static str],
    resolve: &dyn Fn(&str) -> Option<Path>,
) -> Option<Predicate> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut parser = Parser {
        rest: text,
        operators,
        resolve,
    };
    let filter = parser.any(0)?;
    parser.rest.is_empty().then_some(filter)
}

struct Parser<'a> {
    rest: &'a str,
    operators: &'a [&'static str],
    resolve: &'a dyn Fn(&str) -> Option<Path>,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    /// What comes before the first character that does not fit.
    fn run(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|letter| !fits(letter))
            .unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    fn any(&mut self, depth: usize) -> Option<Predicate> {
        let mut parts = vec![self.all(depth)?];
        while self.take(",").is_some() {
            parts.push(self.all(depth)?);
        }
        Some(one_or(parts, Predicate::Any))
    }

    fn all(&mut self, depth: usize) -> Option<Predicate> {
        let mut parts = vec![self.term(depth)?];
        while self.take(";").is_some() {
            parts.push(self.term(depth)?);
        }
        Some(one_or(parts, Predicate::All))
    }

    fn term(&mut self, depth: usize) -> Option<Predicate> {
        if self.take("(").is_none() {
            return self.comparison();
        }
        if depth >= DEPTH_MAX {
            return None;
        }
        let inside = self.any(depth + 1)?;
        self.take(")")?;
        Some(inside)
    }

    fn comparison(&mut self) -> Option<Predicate> {
        let selector = self.run(|letter| letter.is_ascii_alphanumeric() || "_.-".contains(letter));
        let path = (self.resolve)(selector)?;
        // The longest operator that fits: `<` begins `<=`.
        let fitting = self
            .operators
            .iter()
            .filter(|operator| self.rest.starts_with(**operator));
        let operator = fitting.max_by_key(|operator| operator.len()).copied()?;
        self.take(operator)?;
        let value = if self.take("(").is_some() {
            let mut values = vec![self.value()?];
            while self.take(",").is_some() {
                values.push(self.value()?);
            }
            self.take(")")?;
            Value::Array(values)
        } else {
            self.value()?
        };
        Some(Predicate::Field {
            path,
            operator: Some(operator),
            value,
        })
    }

    fn value(&mut self) -> Option<Value> {
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|letter| matches!(letter, '"' | '\''));
        let Some(quote) = quote else {
            let text = self.run(|letter| !RESERVED.contains(letter));
            return is_plain(text).then(|| Value::String(text.to_owned()));
        };
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => text.push(letters.next()?.1),
                _ if letter == quote => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(Value::String(text));
                }
                _ => text.push(letter),
            }
        }
        None
    }
}

/// Whether a value needs no quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|letter| RESERVED.contains(letter) || letter == '\\')
}

fn one_or(mut parts: Vec<Predicate>, many: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

/// Writes a filter.
pub(in crate::dialect) fn write(filter: &Predicate, spell: &dyn Fn(&Path) -> String) -> String {
    let joined = |parts: &[Predicate], between: &str| {
        let part = |part: &Predicate| match part {
            Predicate::All(_) | Predicate::Any(_) => format!("({})", write(part, spell)),
            _ => write(part, spell),
        };
        parts.iter().map(part).collect::<Vec<_>>().join(between)
    };
    match filter {
        Predicate::All(parts) => joined(parts, ";"),
        Predicate::Any(parts) => joined(parts, ","),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            format!(
                "{}{}{}",
                spell(path),
                operator.unwrap_or("=="),
                literal(value)
            )
        }
        // The grammar has none.
        Predicate::Not(_) | Predicate::Caller { .. } => String::new(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("({})", values.join(","))
        }
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        other => other.to_string(),
    }
}
