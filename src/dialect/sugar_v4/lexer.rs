//! The words of an SQL fragment. A character that starts none of them (a comment, a backtick, an operator that nobody
//! needs) makes the fragment none.

use serde_json::Number;

/// Bytes of one fragment.
const FRAGMENT_BYTES_MAX: usize = 16_384;
/// Words of one fragment.
const WORDS_MAX: usize = 2_000;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A keyword or a part of a name, as it was written.
    Name(String),
    /// A number, with its sign.
    Number(Number),
    /// A text, as it is meant.
    Text(String),
    /// A bracket, dot, comma or comparison, in its canonical spelling.
    Sign(&'static str),
}

/// The signs; longer ones first.
const SIGNS: &[(&str, &str)] = &[
    ("<=>", ""),
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    (".", "."),
];

/// Reads a fragment into words.
pub(super) fn words(text: &str) -> Option<Vec<Word>> {
    if text.len() > FRAGMENT_BYTES_MAX {
        return None;
    }
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            return Some(words);
        }
        if words.len() == WORDS_MAX {
            return None;
        }
        let (word, after) = word(rest)?;
        words.push(word);
        rest = after;
    }
}

fn word(rest: &str) -> Option<(Word, &str)> {
    let first = rest.bytes().next()?;
    match first {
        b'\'' | b'"' => string(rest),
        b'0'..=b'9' | b'-' => number(rest),
        _ if is_letter(first) => {
            let end = rest
                .bytes()
                .position(|byte| !is_letter(byte) && !byte.is_ascii_digit());
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            Some((Word::Name(name.to_owned()), after))
        }
        _ => {
            let (spelling, sign) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign))?;
            (!sign.is_empty()).then(|| (Word::Sign(sign), &rest[spelling.len()..]))
        }
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// `12`, `-3.50`; what follows must not belong to it.
fn number(rest: &str) -> Option<(Word, &str)> {
    let end = rest.bytes().enumerate().position(|(at, byte)| {
        !(byte.is_ascii_digit() || byte == b'.' || (at == 0 && byte == b'-'))
    });
    let (spelling, after) = rest.split_at(end.unwrap_or(rest.len()));
    let number = serde_json::from_str(spelling).ok()?;
    let goes_on = after
        .bytes()
        .next()
        .is_some_and(|byte| is_letter(byte) || byte == b'-');
    (!goes_on).then_some((Word::Number(number), after))
}

/// A text in either kind of quotes, with MySQL's escapes. An escape that servers read differently is refused.
fn string(rest: &str) -> Option<(Word, &str)> {
    let quote = rest.chars().next()?;
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next()?.1 {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                escaped @ ('\\' | '\'' | '"') => text.push(escaped),
                // Wildcards that mean themselves: the pattern keeps the backslash.
                wildcard @ ('%' | '_') => text.extend(['\\', wildcard]),
                _ => return None,
            },
            _ if character == quote => {
                if characters.next_if(|(_, next)| *next == quote).is_some() {
                    text.push(quote);
                } else {
                    return Some((Word::Text(text), &rest[at + quote.len_utf8()..]));
                }
            }
            '\n' | '\r' | '\t' => text.push(character),
            _ if character.is_control() => return None,
            _ => text.push(character),
        }
    }
    None
}

/// Whether a text says what the CRM looks for in its own queries, which it takes for plain text, literals and all, so that
/// a literal could end elsewhere than here, and what stands behind it would be SQL. To count the rows of a list, it cuts
/// the list's query off at an order and rewrites the selects of a union. What begins with a bracket and the name of
/// somebody related, up to a wildcard and the end of the literal and of the bracket, it writes three times over. And
/// whoever names the name of a parent's table has that table joined, whatever the parent's module.
pub(in crate::dialect) fn is_rewritten(text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    let names_a_parent = folded
        .split_once("parent_")
        .is_some_and(|(_, rest)| rest.contains(".name"));
    names_a_parent
        || folded.contains("order by")
        || folded.contains("union all")
        || text.split('(').skip(1).any(begins_like_a_field)
}

/// Which names the CRM looks for depends on its fields, all of which are written small.
fn begins_like_a_field(text: &str) -> bool {
    let begins = |first: char| first.is_ascii_lowercase() || first == '_';
    text.trim_start().starts_with(begins)
}

/// Writes a text as a literal that ends at the same place for every server, whatever it makes of a backslash: quotes
/// are doubled, and so are backslashes.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{Word, literal, words};

    fn text(fragment: &str) -> Option<String> {
        match words(fragment)?.as_slice() {
            [Word::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    #[test]
    fn texts_are_read_as_they_are_meant() {
        for (fragment, meant) in [
            ("'O''Brien'", "O'Brien"),
            (r"'O\'Brien'", "O'Brien"),
            ("\"O'Brien\"", "O'Brien"),
            ("'a\\\\'", "a\\"),
            (r"'50\%'", r"50\%"),
            (r"'a\nb'", "a\nb"),
            ("'été -- /* # ;'", "été -- /* # ;"),
            ("''", ""),
        ] {
            assert_eq!(text(fragment).as_deref(), Some(meant), "{fragment}");
            assert_eq!(text(&literal(meant)).as_deref(), Some(meant), "{fragment}");
        }
        for bad in ["'", "'a", r"'a\'", r"'\0'", r"'\Z'", r"'\x41'", "'a\u{0}'"] {
            assert_eq!(words(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_literal_ends_at_one_place_only() {
        for text in ["\\", "\\'", "'\\", "\\\\'", "''", "x' OR '1'='1"] {
            let literal = literal(text);
            let inner = &literal[1..literal.len() - 1];
            // Whether a backslash escapes or not, no quote inside stands alone.
            assert_eq!(
                inner.replace("''", "").matches('\'').count(),
                0,
                "{literal}"
            );
            let escaped = inner.replace("\\\\", "");
            assert!(!escaped.contains('\\'), "{literal}");
        }
    }

    #[test]
    fn what_starts_no_word_is_refused() {
        for bad in [
            "a--b",
            "a -- b",
            "a # b",
            "a /* b */",
            "`a`",
            "a;b",
            "a || b",
            "a && b",
            "a <=> b",
            "!a",
            "@a",
            ":a",
            "a+1",
            "a*1",
            "0x41",
            "1e5",
            "1a",
            "01",
            ".5",
            "1.",
            "1..2",
            "--1",
            "5-3",
            "é",
            "a\u{a0}b",
            "a\\b",
            "{a}",
            "a%2",
        ] {
            let read = words(bad);
            assert!(
                read.is_none() || read == words(". 5"),
                "{bad} was read as {read:?}"
            );
        }
        assert_eq!(words("-3.50 <> x").map(|words| words.len()), Some(3));
    }
}
