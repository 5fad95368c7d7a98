//! The grammar of `query` and `order_by`: fragments of SQL, of which a small part is understood.
//!
//! ```text
//! query     = and *( OR and )
//! and       = not *( AND not )
//! not       = NOT not / "(" query ")" / predicate
//! predicate = column ( comparison literal / [NOT] LIKE text / [NOT] IN "(" literal *( "," literal ) ")"
//!           / [NOT] BETWEEN literal AND literal / IS [NOT] NULL )
//!           / id [NOT] IN "(" e-mail addresses ")"
//! ```
//!
//! A column belongs to the module that is asked. `NOT` is pushed down to the predicates, which is exact in SQL's logic
//! of three values. Everything else (functions, expressions, other tables, sub-selects) is refused.

use serde_json::Value;

use super::lexer::{self, Word};
use super::{email, grammar};
use crate::dialect::{Database, Path, Predicate, Sort, reread};
use crate::reason::Reason;

/// Brackets within brackets.
const DEPTH_MAX: usize = 30;
/// Literals of one list.
const LIST_MAX: usize = 500;
/// Keys of one order.
const SORTS_MAX: usize = 10;

/// The operators that compare with one literal, each with its opposite.
const COMPARISONS: &[(&str, &str)] = &[("=", "!="), ("<", ">="), (">", "<="), ("LIKE", "NOT LIKE")];
/// The other operators, each with its opposite.
const OTHERS: &[(&str, &str)] = &[
    ("IN", "NOT IN"),
    ("BETWEEN", "NOT BETWEEN"),
    ("IS NULL", "IS NOT NULL"),
];

/// The field that says whether a record is gone.
const DELETED: &str = "deleted";

/// The table that a fragment is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    pub(super) name: &'a str,
    /// The module whose records lie in it.
    pub(super) module: &'a str,
    /// The database that it lies in.
    pub(super) database: Database,
}

/// Reads `query`, about a table. `None` for all records.
pub(super) fn filter(text: &str, table: Table<'_>) -> Result<Option<Predicate>, Reason> {
    let words = lexer::words(text).ok_or(Reason::MalformedFilter)?;
    if words.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        words: &words,
        at: 0,
        table,
    };
    let filter = parser.any(false, DEPTH_MAX)?;
    parser.end()?;
    Ok((filter != everything()).then_some(filter))
}

/// Reads `order_by`, about a table.
pub(super) fn order(text: &str, table: Table<'_>) -> Result<Vec<Sort>, Reason> {
    let words = lexer::words(text).ok_or(Reason::MalformedOrder)?;
    let mut parser = Parser {
        words: &words,
        at: 0,
        table,
    };
    let mut order = Vec::new();
    while parser.at < words.len() {
        if order.len() == SORTS_MAX || (!order.is_empty() && !parser.take(",")) {
            return Err(Reason::MalformedOrder);
        }
        let path = parser.column().map_err(|_| Reason::MalformedOrder)?;
        let descending = parser.keyword("DESC");
        if !descending {
            parser.keyword("ASC");
        }
        order.push(Sort { path, descending });
    }
    Ok(order)
}

/// What holds for every record that is not deleted.
fn everything() -> Predicate {
    Predicate::All(Vec::new())
}

/// Words, read from left to right.
pub(super) struct Parser<'a> {
    words: &'a [Word],
    at: usize,
    table: Table<'a>,
}

type Parsed<T> = Result<T, Reason>;

impl Parser<'_> {
    fn any(&mut self, negated: bool, deep: usize) -> Parsed<Predicate> {
        let mut parts = vec![self.all(negated, deep)?];
        while self.keyword("OR") {
            parts.push(self.all(negated, deep)?);
        }
        Ok(joined(parts, negated))
    }

    fn all(&mut self, negated: bool, deep: usize) -> Parsed<Predicate> {
        let mut parts = vec![self.one(negated, deep)?];
        while self.keyword("AND") {
            parts.push(self.one(negated, deep)?);
        }
        Ok(joined(parts, !negated))
    }

    fn one(&mut self, negated: bool, deep: usize) -> Parsed<Predicate> {
        let deeper = deep.checked_sub(1).ok_or(Reason::MalformedFilter)?;
        if self.keyword("NOT") {
            return self.one(!negated, deeper);
        }
        if self.take("(") {
            let inner = self.any(negated, deeper)?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.predicate(negated)
    }

    fn predicate(&mut self, negated: bool) -> Parsed<Predicate> {
        let path = self.column()?;
        let not = self.keyword("NOT");
        if self.keyword("IN") {
            self.expect("(")?;
            return self.within(path, negated != not);
        }
        let (operator, value) = if self.keyword("LIKE") {
            let pattern = self.literal()?;
            (
                "LIKE",
                pattern
                    .is_string()
                    .then_some(pattern)
                    .ok_or(Reason::MalformedFilter)?,
            )
        } else if self.keyword("BETWEEN") {
            let low = self.literal()?;
            self.expect_keyword("AND")?;
            ("BETWEEN", Value::Array(vec![low, self.literal()?]))
        } else if not {
            return Err(Reason::MalformedFilter);
        } else if self.keyword("IS") {
            let not = self.keyword("NOT");
            self.expect_keyword("NULL")?;
            return leaf(path, "IS NULL", Value::Null, negated != not);
        } else {
            let comparison = self.comparison()?;
            (comparison, self.literal()?)
        };
        leaf(path, operator, value, negated != not)
    }

    /// What stands between the brackets of `IN`.
    fn within(&mut self, path: Path, negated: bool) -> Parsed<Predicate> {
        let filter = if self.keyword("SELECT") {
            if !path.field.eq_ignore_ascii_case("id") {
                return Err(Reason::MalformedFilter);
            }
            email::predicate(self, negated)?
        } else {
            let mut list = vec![self.literal()?];
            while self.take(",") {
                if list.len() == LIST_MAX {
                    return Err(Reason::MalformedFilter);
                }
                list.push(self.literal()?);
            }
            leaf(path, "IN", Value::Array(list), negated)?
        };
        self.expect(")")?;
        Ok(filter)
    }

    /// A column of the table, or of the table of its custom fields, with or without the table's name.
    fn column(&mut self) -> Parsed<Path> {
        let first = self.name()?.to_owned();
        let (table, field) = if self.take(".") {
            (Some(first), self.name()?.to_owned())
        } else {
            (None, first)
        };
        let belongs = match table.as_deref() {
            None => true,
            Some(table) if table == self.table.name => true,
            Some(table) => {
                table.strip_suffix("_cstm") == Some(self.table.name) && is_custom(&field)
            }
        };
        if !belongs || !grammar::is_column(&field) {
            return Err(Reason::MalformedFilter);
        }
        Ok(Path { link: None, field })
    }

    fn comparison(&mut self) -> Parsed<&'static str> {
        match self.words.get(self.at) {
            Some(Word::Sign(sign @ ("=" | "!=" | "<" | "<=" | ">" | ">="))) => {
                self.at += 1;
                Ok(sign)
            }
            _ => Err(Reason::MalformedFilter),
        }
    }

    /// A text or a number.
    pub(super) fn literal(&mut self) -> Parsed<Value> {
        let value = match self.words.get(self.at) {
            Some(Word::Text(text)) if self.is_kept(text) => Value::String(text.clone()),
            Some(Word::Number(number)) => Value::Number(number.clone()),
            _ => return Err(Reason::MalformedFilter),
        };
        self.at += 1;
        Ok(value)
    }

    /// Whether a text reaches the database as it is. Where it is sent in quotes, the CRM's rewriting of its own queries
    /// must find nothing in it.
    fn is_kept(&self, text: &str) -> bool {
        match self.table.database {
            Database::Mysql => true,
            Database::Other => !reread::is_rewritten(text),
        }
    }

    /// The module that is asked.
    pub(super) fn module(&self) -> &str {
        self.table.module
    }

    /// A part of a name.
    pub(super) fn name(&mut self) -> Parsed<&str> {
        match self.words.get(self.at) {
            Some(Word::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(Reason::MalformedFilter),
        }
    }

    /// Takes a keyword, if it comes next.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_next(keyword);
        self.at += usize::from(found);
        found
    }

    /// Whether a keyword comes next.
    pub(super) fn is_next(&self, keyword: &str) -> bool {
        matches!(self.words.get(self.at), Some(Word::Name(name)) if name.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn expect_keyword(&mut self, keyword: &str) -> Parsed<()> {
        self.keyword(keyword)
            .then_some(())
            .ok_or(Reason::MalformedFilter)
    }

    /// Whether a sign comes next.
    pub(super) fn is_next_sign(&self, sign: &str) -> bool {
        matches!(self.words.get(self.at), Some(Word::Sign(next)) if *next == sign)
    }

    /// Takes a sign, if it comes next.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = self.is_next_sign(sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Parsed<()> {
        self.take(sign).then_some(()).ok_or(Reason::MalformedFilter)
    }

    fn end(&self) -> Parsed<()> {
        (self.at == self.words.len())
            .then_some(())
            .ok_or(Reason::MalformedFilter)
    }
}

/// Several predicates as one. What holds for everything is left out of `All`, and swallows `Any`.
pub(super) fn joined(mut parts: Vec<Predicate>, all: bool) -> Predicate {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    if all {
        parts.retain(|part| *part != everything());
        if parts.len() == 1 {
            return parts.remove(0);
        }
        return Predicate::All(parts);
    }
    if parts.contains(&everything()) {
        return everything();
    }
    Predicate::Any(parts)
}

/// One predicate about a field, or its opposite.
fn leaf(path: Path, operator: &'static str, value: Value, negated: bool) -> Parsed<Predicate> {
    if path.field.eq_ignore_ascii_case(DELETED) {
        // The CRM says so of its own accord.
        return if operator == "=" && email::is_zero(&value) && !negated {
            Ok(everything())
        } else {
            Err(Reason::StoredQuery)
        };
    }
    let operator = if negated {
        opposite(operator)
    } else {
        operator
    };
    Ok(Predicate::Field {
        path,
        operator: Some(operator),
        value,
    })
}

fn opposite(operator: &'static str) -> &'static str {
    let pairs = || COMPARISONS.iter().chain(OTHERS);
    pairs()
        .find(|(one, _)| *one == operator)
        .map(|(_, other)| *other)
        .or_else(|| {
            pairs()
                .find(|(_, other)| *other == operator)
                .map(|(one, _)| *one)
        })
        .unwrap_or(operator)
}

/// Whether a field stands in the table of custom fields.
fn is_custom(field: &str) -> bool {
    field.to_ascii_lowercase().ends_with("_c")
}

/// Writes a filter as a fragment about a table.
pub(super) fn render(filter: &Predicate, table: Table<'_>) -> String {
    match filter {
        Predicate::All(parts) => joined_text(parts, " AND ", table),
        Predicate::Any(parts) => joined_text(parts, " OR ", table),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            let operator = operator.unwrap_or("=");
            if let Some(text) = email::render(operator, value, table) {
                return text;
            }
            let column = column(&path.field, table.name);
            let list_text = |list: &[Value], between| list_text(list, between, table.database);
            match (operator, value) {
                ("IS NULL" | "IS NOT NULL", _) => format!("{column} {operator}"),
                ("IN" | "NOT IN", Value::Array(list)) => {
                    format!("{column} {operator} ({})", list_text(list, ", "))
                }
                ("BETWEEN" | "NOT BETWEEN", Value::Array(ends)) => {
                    format!("{column} {operator} {}", list_text(ends, " AND "))
                }
                _ => format!(
                    "{column} {operator} {}",
                    literal_text(value, table.database)
                ),
            }
        }
        // The grammar has none.
        Predicate::Not(_) | Predicate::Caller { .. } => "1 = 0".to_owned(),
    }
}

fn joined_text(parts: &[Predicate], between: &str, table: Table<'_>) -> String {
    let parts: Vec<String> = parts.iter().map(|part| render(part, table)).collect();
    format!("({})", parts.join(between))
}

fn column(field: &str, table: &str) -> String {
    let custom = if is_custom(field) { "_cstm" } else { "" };
    format!("{table}{custom}.{field}")
}

pub(super) fn list_text(list: &[Value], between: &str, database: Database) -> String {
    let text = |value| literal_text(value, database);
    let texts: Vec<String> = list.iter().map(text).collect();
    texts.join(between)
}

pub(super) fn literal_text(value: &Value, database: Database) -> String {
    let text = match value {
        Value::Number(number) => return number.to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match database {
        Database::Mysql => lexer::in_hexadecimal(&text),
        Database::Other => lexer::quoted(&text),
    }
}

/// Writes an order: bare names, the only form that the CRM heeds everywhere.
pub(super) fn render_order(order: &[Sort]) -> String {
    let keys: Vec<String> = order
        .iter()
        .map(|sort| {
            let direction = if sort.descending { " DESC" } else { "" };
            format!("{}{direction}", sort.path.field)
        })
        .collect();
    keys.join(", ")
}
