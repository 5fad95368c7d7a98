//! The words of an SQL fragment. A character that starts none of them (a comment, a backtick, an operator that nobody
//! needs) makes the fragment none.

use serde_json::Number;

use crate::dialect::spelling::hex;

/// Bytes of one fragment as it is written, and of its texts as they are meant: in hexadecimal they take twice as many.
const FRAGMENT_BYTES_MAX: usize = 65_536;
const TEXTS_BYTES_MAX: usize = 16_384;
/// What begins a text in hexadecimal, which no program between a client and the database reads.
const INTRODUCER: &str = "_utf8mb4";
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
    let mut texts_bytes = 0;
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return Some(words);
        }
        if words.len() == WORDS_MAX {
            return None;
        }
        let (word, after) = word(rest)?;
        if let Word::Text(text) = &word {
            texts_bytes += text.len();
        }
        if texts_bytes > TEXTS_BYTES_MAX {
            return None;
        }
        words.push(word);
        rest = after;
    }
}

/// What may stand between words.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn word(rest: &str) -> Option<(Word, &str)> {
    if let Some(digits) = after_introducer(rest) {
        return hexadecimal(digits);
    }
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
            _ if !is_textual(character) => return None,
            _ => text.push(character),
        }
    }
    None
}

/// Whether a text may hold a character as it is.
fn is_textual(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\t') || !character.is_control()
}

/// The digits of `_utf8mb4 0x…`; `None` if it is something else, such as a column of that name.
fn after_introducer(rest: &str) -> Option<&str> {
    let (introducer, after) = rest.split_at_checked(INTRODUCER.len())?;
    let digits = after.trim_start_matches(BLANKS).strip_prefix("0x")?;
    introducer
        .eq_ignore_ascii_case(INTRODUCER)
        .then_some(digits)
}

/// A text in hexadecimal: UTF-8 of what a text in quotes could hold. The database pads a half byte, and takes `0x` alone
/// for a name.
fn hexadecimal(digits: &str) -> Option<(Word, &str)> {
    let end = digits
        .bytes()
        .position(|byte| !is_letter(byte) && !byte.is_ascii_digit());
    let (digits, after) = digits.split_at(end.unwrap_or(digits.len()));
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits.as_bytes().chunks_exact(2);
    let bytes = bytes.map(|pair| Some(hex(pair[0])? << 4 | hex(pair[1])?));
    let text = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
    text.chars()
        .all(is_textual)
        .then_some((Word::Text(text), after))
}

/// Writes a text as a literal that ends at the same place for every server, whatever it makes of a backslash: quotes
/// are doubled, and so are backslashes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Writes a text as a literal of its bytes: whatever decodes or rewrites the statement on its way to the database finds
/// nothing in it. A text of no bytes has no such literal.
pub(super) fn in_hexadecimal(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut literal = format!("{INTRODUCER} 0x");
    literal.extend(text.bytes().flat_map(|byte| {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        [digit(byte >> 4), digit(byte & 15)]
    }));
    literal
}

#[cfg(test)]
mod tests {
    use super::{Word, in_hexadecimal, quoted, words};

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
            assert_eq!(text(&quoted(meant)).as_deref(), Some(meant), "{fragment}");
            assert_eq!(text(&in_hexadecimal(meant)).as_deref(), Some(meant));
        }
        for bad in ["'", "'a", r"'a\'", r"'\0'", r"'\Z'", r"'\x41'", "'a\u{0}'"] {
            assert_eq!(words(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_literal_ends_at_one_place_only() {
        for text in ["\\", "\\'", "'\\", "\\\\'", "''", "x' OR '1'='1"] {
            let literal = quoted(text);
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
    fn texts_in_hexadecimal_are_what_texts_in_quotes_are() {
        assert_eq!(in_hexadecimal("D\u{e9}%"), "_utf8mb4 0x44c3a925");
        assert_eq!(in_hexadecimal(""), "''");
        for fragment in ["_UTF8MB4 0x44C3A925", "_utf8mb4\t0x44c3a925"] {
            assert_eq!(text(fragment).as_deref(), Some("D\u{e9}%"), "{fragment}");
        }
        for bad in [
            "_utf8mb4 0x",
            "_utf8mb4 0x4",
            "_utf8mb4 0x4g",
            "_utf8mb4 0xff",
            "_utf8mb4 0xc0a8",
            "_utf8mb4 0x00",
            "_utf8mb4 0x1b",
            "_utf8mb4 0xc285",
            "_utf8mb4 0X44",
            "_utf8mb4 0x44_x",
            "_latin1 0x44",
            "0x44",
        ] {
            assert_eq!(words(bad), None, "{bad}");
        }
        let name = words("_utf8mb4").unwrap();
        assert_eq!(name, [Word::Name("_utf8mb4".to_owned())]);
        let many = "_utf8mb4 0x".to_owned() + &"61".repeat(16_384);
        assert!(words(&many).is_some() && words(&format!("{many} 'b'")).is_none());
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
