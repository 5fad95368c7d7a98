//! What a MySQL server sees of a statement: its words and signs, and the bytes of its literals.

use std::fmt;

/// A part of a statement.
#[derive(Clone, PartialEq, Eq)]
pub enum Token {
    /// A text: its bytes as the server holds them.
    Literal(Vec<u8>),
    /// A number, keyword or part of a name, in lower case.
    Word(String),
    /// A character that means something.
    Sign(char),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Self::Word(word) => f.write_str(word),
            Self::Sign(sign) => write!(f, "{sign}"),
        }
    }
}

/// The tokens of a statement. `None`: a literal or a comment does not end, so the server refuses the whole.
pub fn tokens(statement: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\'' | '"' => {
                let (text, rest) = literal(after, first)?;
                push_literal(&mut tokens, text.into_bytes());
                rest
            }
            '#' => after.split_once('\n').map_or("", |(_, rest)| rest),
            '-' if after.starts_with("- ")
                || after.starts_with("-\t")
                || after.starts_with("-\n") =>
            {
                after.split_once('\n').map_or("", |(_, rest)| rest)
            }
            // What stands in a comment of this kind is executed.
            '/' if after.starts_with("*!") => &after["*!".len()..],
            '/' if after.starts_with('*') => after[1..].split_once("*/")?.1,
            '*' if after.starts_with('/') => &after[1..],
            '`' => {
                let (name, rest) = after.split_once('`')?;
                tokens.push(Token::Word(name.to_lowercase()));
                rest
            }
            _ if first.is_whitespace() || first.is_control() => after,
            _ if is_part(first) => {
                let end = rest.find(|letter| !is_part(letter));
                let (word, rest) = rest.split_at(end.unwrap_or(rest.len()));
                push_word(&mut tokens, word);
                rest
            }
            _ => {
                tokens.push(Token::Sign(first));
                after
            }
        };
    }
    Some(tokens)
}

/// The same tokens without what the literals say.
pub fn bones(tokens: &[Token]) -> Vec<Token> {
    let bone = |token: &Token| match token {
        Token::Literal(_) => Token::Literal(Vec::new()),
        other => other.clone(),
    };
    tokens.iter().map(bone).collect()
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// Literals that follow each other are one.
fn push_literal(tokens: &mut Vec<Token>, mut bytes: Vec<u8>) {
    match tokens.last_mut() {
        Some(Token::Literal(before)) => before.append(&mut bytes),
        Some(Token::Word(word)) if word == "_utf8mb4" || word == "_utf8" => {
            tokens.pop();
            tokens.push(Token::Literal(bytes));
        }
        _ => tokens.push(Token::Literal(bytes)),
    }
}

fn push_word(tokens: &mut Vec<Token>, word: &str) {
    let digits = word.strip_prefix("0x").filter(|digits| !digits.is_empty());
    let bytes = digits.and_then(|digits| {
        let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        (0..digits.len()).step_by(2).map(pair).collect()
    });
    match bytes {
        Some(bytes) => push_literal(tokens, bytes),
        None => tokens.push(Token::Word(word.to_lowercase())),
    }
}

/// A literal after its quote, and what follows it.
fn literal(text: &str, quote: char) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next()?.1 {
                'n' => literal.push('\n'),
                'r' => literal.push('\r'),
                't' => literal.push('\t'),
                '0' => literal.push('\0'),
                'b' => literal.push('\u{8}'),
                'Z' => literal.push('\u{1a}'),
                wildcard @ ('%' | '_') => literal.extend(['\\', wildcard]),
                other => literal.push(other),
            },
            _ if letter != quote => literal.push(letter),
            _ if text[at + 1..].starts_with(quote) => {
                literal.push(quote);
                letters.next();
            }
            _ => return Some((literal, &text[at + 1..])),
        }
    }
    None
}
