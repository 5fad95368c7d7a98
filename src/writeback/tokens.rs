//! A text as an edit is judged by: words that may come and go, what may not come in, and the withheld spans between them.

use std::ops::Range;

use unicode_normalization::{IsNormalized, is_nfkc_quick};

use crate::detect;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A character of a plain word, or what stands between such words.
    Plain(char),
    /// The end of a line.
    Break,
    /// Any other character that means nothing to a program.
    Other(char),
    /// What a program could read, change or drop: a tag or a bracket of one, an escape, a character that nobody sees.
    Loaded(&'t str),
    /// A withheld span.
    Span,
}

/// Parts a text; the spans are in order and apart.
pub(super) fn tokens<'t>(text: &'t str, spans: &[Range<usize>]) -> Vec<Token<'t>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    for span in spans {
        part(text, at..span.start, &mut tokens);
        tokens.push(Token::Span);
        at = span.end;
    }
    part(text, at..text.len(), &mut tokens);
    tokens
}

/// Parts what stands between two spans. No piece reaches over a span, so that a tag around one is left open here.
fn part<'t>(text: &'t str, between: Range<usize>, tokens: &mut Vec<Token<'t>>) {
    let mut rest = text.get(between).unwrap_or_default();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\r' if rest.starts_with("\r\n") => (Token::Break, 2),
            '\n' | '\r' => (Token::Break, 1),
            '<' => loaded(rest, tag(rest)),
            '>' => loaded(rest, 1),
            '%' | '&' => match detect::escape_length(rest) {
                Some(length) => loaded(rest, length),
                None => (Token::Other(first), 1),
            },
            // How an emoji is drawn; phones write it behind many.
            '\u{fe0f}' => (Token::Other(first), first.len_utf8()),
            hidden if detect::is_ignorable(hidden) || (hidden.is_control() && hidden != '\t') => {
                loaded(rest, hidden.len_utf8())
            }
            plain if is_plain(plain) => (Token::Plain(plain), plain.len_utf8()),
            '\u{2028}' | '\u{2029}' => loaded(rest, first.len_utf8()),
            other => (Token::Other(other), other.len_utf8()),
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn loaded(rest: &str, length: usize) -> (Token<'_>, usize) {
    (Token::Loaded(rest.get(..length).unwrap_or(rest)), length)
}

/// The length of the tag or comment that a text begins with: to its end, or to that of the text. A bracket that begins no
/// tag stands alone.
fn tag(rest: &str) -> usize {
    let begins = |second: char| second.is_ascii_alphabetic() || matches!(second, '/' | '!' | '?');
    if !rest.chars().nth(1).is_some_and(begins) {
        return 1;
    }
    let end = match rest.starts_with("<!--") {
        true => rest.find("-->").map(|at| at + 3),
        false => rest.find('>').map(|at| at + 1),
    };
    end.unwrap_or(rest.len())
}

/// Whether a character belongs to plain words: letters that no program composes or replaces by others, digits, blanks, and
/// the punctuation of sentences.
fn is_plain(character: char) -> bool {
    match character {
        ' ' | '.' | ',' | ';' | ':' | '!' | '?' | '-' | '\'' => true,
        character if character.is_ascii() => character.is_ascii_alphanumeric(),
        character => {
            character.is_alphabetic()
                && is_nfkc_quick(std::iter::once(character)) == IsNormalized::Yes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    fn loaded(text: &str) -> Vec<&str> {
        let loaded = |token| match token {
            Token::Loaded(text) => Some(text),
            _ => None,
        };
        tokens(text, &[]).into_iter().filter_map(loaded).collect()
    }

    #[test]
    fn what_a_program_could_read_is_told_from_words() {
        for (text, expected) in [
            ("Été à l'usine: 12 h - d'accord ?", vec![]),
            ("(50 %) & [x] «é» \u{1f600} \u{301}", vec![]),
            ("a < b > c", vec!["<", ">"]),
            (
                "<b>x</b><!-- a > b -->",
                vec!["<b>", "</b>", "<!-- a > b -->"],
            ),
            (
                "%41 &amp; &nbsp &#49 R&D",
                vec!["%41", "&amp;", "&nbsp", "&#49"],
            ),
            ("<a href=\"x", vec!["<a href=\"x"]),
            (
                "\u{200b}\u{fffe}\u{2028}\u{7}\t",
                vec!["\u{200b}", "\u{fffe}", "\u{2028}", "\u{7}"],
            ),
        ] {
            assert_eq!(loaded(text), expected, "{text}");
        }
    }

    #[test]
    fn letters_that_a_program_composes_or_replaces_are_not_plain() {
        for text in [
            "e\u{301}", "\u{ff21}", "\u{fb01}", "\u{212b}", "\u{663}", "ª",
        ] {
            let all = tokens(text, &[]);
            assert!(
                all.iter().any(|token| !matches!(token, Token::Plain(_))),
                "{text}"
            );
        }
        let plain = |token: &Token<'_>| matches!(token, Token::Plain(_));
        assert!(tokens("éÀßŁжλ漢ع", &[]).iter().all(plain));
    }

    #[test]
    fn nothing_reaches_over_a_span() {
        let text = "<a href=\"SPAN\">\r\nx";
        let expected = [
            Token::Loaded("<a href=\""),
            Token::Span,
            Token::Other('"'),
            Token::Loaded(">"),
            Token::Break,
            Token::Plain('x'),
        ];
        let span = 9..13;
        assert_eq!(tokens(text, std::slice::from_ref(&span)), expected);
    }
}
