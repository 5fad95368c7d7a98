//! Which rows a database selects by a condition: what is compared with nothing is neither selected nor not.

use std::cmp::Ordering;

use super::sql::Token;

/// The texts of a row's columns, by their names without the table; `None`: there is no such column.
pub type Row<'a> = &'a dyn Fn(&str) -> Option<Cell>;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Text(String),
    /// A number, as it is written.
    Number(String),
}

/// Whether a condition holds of a row; `Err`: the server refuses the statement.
pub fn holds(condition: &[Token], row: Row<'_>) -> Result<Option<bool>, String> {
    let mut reader = Reader {
        left: condition,
        row,
    };
    let holds = reader.any()?;
    match reader.left {
        [] => Ok(holds),
        left => Err(format!("what is {left:?}?")),
    }
}

struct Reader<'a> {
    left: &'a [Token],
    row: Row<'a>,
}

type Answer = Result<Option<bool>, String>;

impl Reader<'_> {
    fn next(&mut self) -> Result<Token, String> {
        let (first, left) = self.left.split_first().ok_or("it ends too early")?;
        self.left = left;
        Ok(first.clone())
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.left.first(), Some(Token::Word(next)) if next == word);
        self.left = &self.left[usize::from(found)..];
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.left.first() == Some(&Token::Sign(sign));
        self.left = &self.left[usize::from(found)..];
        found
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        let left = self.left.len();
        match self.sign(sign) {
            true => Ok(()),
            false => Err(format!("no {sign:?} before the last {left} tokens")),
        }
    }

    fn any(&mut self) -> Answer {
        let mut holds = self.all()?;
        while self.word("or") {
            let other = self.all()?;
            holds = not(both(not(holds), not(other)));
        }
        Ok(holds)
    }

    fn all(&mut self) -> Answer {
        let mut holds = self.one()?;
        while self.word("and") {
            holds = both(holds, self.one()?);
        }
        Ok(holds)
    }

    fn one(&mut self) -> Answer {
        if self.sign('(') {
            let inside = self.any()?;
            self.expect(')')?;
            return Ok(inside);
        }
        let column = self.operand()?;
        let is_not = self.word("not");
        if self.word("in") {
            self.expect('(')?;
            let mut found = Some(false);
            loop {
                let equal = compare(&column, &self.operand()?).map(|order| order.is_eq());
                found = not(both(not(found), not(equal)));
                if !self.sign(',') {
                    break;
                }
            }
            self.expect(')')?;
            return Ok(if is_not { not(found) } else { found });
        }
        if self.word("is") {
            let is_not = self.word("not");
            return match self.word("null") {
                true => Ok(Some((column == Cell::Null) != is_not)),
                false => Err("is what?".to_owned()),
            };
        }
        let signs: fn(Ordering) -> bool = match (self.next()?, self.left.first()) {
            (Token::Sign('<'), Some(Token::Sign('>'))) => self.after(Ordering::is_ne),
            (Token::Sign('!'), Some(Token::Sign('='))) => self.after(Ordering::is_ne),
            (Token::Sign('<'), Some(Token::Sign('='))) => self.after(Ordering::is_le),
            (Token::Sign('>'), Some(Token::Sign('='))) => self.after(Ordering::is_ge),
            (Token::Sign('<'), _) => Ordering::is_lt,
            (Token::Sign('>'), _) => Ordering::is_gt,
            (Token::Sign('='), _) => Ordering::is_eq,
            (other, _) => return Err(format!("compares {other:?}?")),
        };
        Ok(compare(&column, &self.operand()?).map(signs))
    }

    fn after(&mut self, signs: fn(Ordering) -> bool) -> fn(Ordering) -> bool {
        self.left = &self.left[1..];
        signs
    }

    /// A column, a text or a number.
    fn operand(&mut self) -> Result<Cell, String> {
        match self.next()? {
            Token::Literal(bytes) => Ok(Cell::Text(
                String::from_utf8(bytes).map_err(|error| error.to_string())?,
            )),
            Token::Sign('-') => match self.operand()? {
                Cell::Number(number) => Ok(Cell::Number(format!("-{number}"))),
                other => Err(format!("minus {other:?}")),
            },
            Token::Word(word) if word.starts_with(|letter: char| letter.is_ascii_digit()) => {
                if !self.sign('.') {
                    return Ok(Cell::Number(word));
                }
                match self.next()? {
                    Token::Word(part) => Ok(Cell::Number(format!("{word}.{part}"))),
                    other => Err(format!("{word}.{other:?}")),
                }
            }
            Token::Word(mut name) => {
                if self.sign('.') {
                    match self.next()? {
                        Token::Word(column) => name = column,
                        other => return Err(format!("{name}.{other:?}")),
                    }
                }
                (self.row)(&name).ok_or_else(|| format!("no column {name}"))
            }
            Token::Sign(sign) => Err(format!("what is {sign}?")),
        }
    }
}

/// How two values compare: as numbers, if one is; `None` with nothing.
fn compare(one: &Cell, other: &Cell) -> Option<Ordering> {
    let number = |cell: &Cell| match cell {
        Cell::Text(text) | Cell::Number(text) => leading(text),
        Cell::Null => 0.0,
    };
    match (one, other) {
        (Cell::Null, _) | (_, Cell::Null) => None,
        (Cell::Text(one), Cell::Text(other)) => Some(one.cmp(other)),
        _ => number(one).partial_cmp(&number(other)),
    }
}

/// The number that a text begins with.
fn leading(text: &str) -> f64 {
    let fits = |end: &usize| {
        text.get(..*end)
            .is_some_and(|text| text.parse::<f64>().is_ok())
    };
    let end = (1..=text.len()).rev().find(fits);
    end.and_then(|end| text[..end].parse().ok()).unwrap_or(0.0)
}

fn not(holds: Option<bool>) -> Option<bool> {
    holds.map(|holds| !holds)
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
