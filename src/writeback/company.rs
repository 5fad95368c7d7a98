//! Whether withheld spans keep their order, number and company in a text that was edited around them.
//!
//! The original is put back where its mask stands, and then the CRM reads the text once more: it cuts, cleans, escapes,
//! composes and drops, each CRM in its own way. So what may change beside an original is not left to what detectors see
//! now. On a line that holds one, only plain words come and go; no other line gains anything that a program reads; nothing
//! is left open before one.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tokens::{Token, tokens};

/// A text and the places of the withheld spans, or of their masks, in it.
#[derive(Clone, Copy)]
pub(super) struct Marked<'t> {
    pub(super) text: &'t str,
    pub(super) spans: &'t [Range<usize>],
}

impl<'t> Marked<'t> {
    pub(super) fn new(text: &'t str, spans: &'t [Range<usize>]) -> Self {
        Self { text, spans }
    }
}

/// Whether nothing was done to a text but what may be done around its withheld spans.
pub(super) fn is_kept(sent: Marked<'_>, shown: Marked<'_>) -> bool {
    let sent = tokens(sent.text, sent.spans);
    let shown = tokens(shown.text, shown.spans);
    only_words_changed_beside_spans(&sent, &shown)
        && nothing_loaded_came_in(&sent, &shown)
        && nothing_was_left_open(&sent, &shown)
        && all_stand_apart(&sent, &shown)
}

/// Whether the lines that hold spans are the same but for plain words.
fn only_words_changed_beside_spans(sent: &[Token<'_>], shown: &[Token<'_>]) -> bool {
    fn bare<'a, 't>(tokens: &'a [Token<'t>]) -> impl Iterator<Item = Vec<&'a Token<'t>>> {
        let is_break = |token: &Token<'_>| *token == Token::Break;
        let lines = tokens.split(is_break);
        lines
            .filter(|line| line.contains(&Token::Span))
            .map(|line| {
                line.iter()
                    .filter(|token| !matches!(token, Token::Plain(_)))
                    .collect()
            })
    }
    bare(sent).eq(bare(shown))
}

/// Whether what a program could read is what it could read before, or less of it, between the same spans.
fn nothing_loaded_came_in(sent: &[Token<'_>], shown: &[Token<'_>]) -> bool {
    let counts = |token: &&Token<'_>| matches!(token, Token::Loaded(_) | Token::Span);
    is_subsequence(sent.iter().filter(counts), shown.iter().filter(counts))
}

/// Whether nothing more is open at any span than was open there before: quotes, brackets, elements, tags.
fn nothing_was_left_open(sent: &[Token<'_>], shown: &[Token<'_>]) -> bool {
    let (Some(sent), Some(shown)) = (open_at_spans(sent), open_at_spans(shown)) else {
        return false;
    };
    let is_no_more = |(sent, shown): (&Opened, &Opened)| {
        let mut kinds = sent.iter();
        kinds.all(|(kind, count)| shown.get(kind).is_some_and(|before| count <= before))
    };
    sent.len() == shown.len() && sent.iter().zip(&shown).all(is_no_more)
}

fn is_subsequence<T: PartialEq>(
    mut part: impl Iterator<Item = T>,
    whole: impl Iterator<Item = T>,
) -> bool {
    let mut next = part.next();
    for item in whole {
        if next.as_ref() == Some(&item) {
            next = part.next();
        }
    }
    next.is_none()
}

/// Something that can be open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Open {
    /// Closed by this character.
    Until(char),
    /// Closed by the end tag of this name.
    Element(String),
    /// A tag that does not end before the span.
    Tag,
}

/// How many of each kind are open.
type Opened = BTreeMap<Open, usize>;

/// Kinds of elements that may be open at a time.
const KINDS_MAX: usize = 64;

/// Brackets and quotes, and what closes each.
const PAIRS: &[(char, char)] = &[
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('"', '"'),
    ('`', '`'),
    ('«', '»'),
    ('‹', '›'),
    ('“', '”'),
    ('„', '“'),
];

/// Elements without an end tag (HTML Living Standard, 13.1.2).
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// What is open at each span; `None` if it is of too many kinds.
fn open_at_spans(tokens: &[Token<'_>]) -> Option<Vec<Opened>> {
    let (mut open, mut at_spans) = (Opened::new(), Vec::new());
    for token in tokens {
        match token {
            Token::Span => at_spans.push(open.clone()),
            Token::Other(character) => turn(&mut open, *character),
            Token::Loaded(text) if text.starts_with('<') => tag(&mut open, text),
            Token::Loaded(">") => {
                close(&mut open, &Open::Tag);
            }
            Token::Loaded(_) | Token::Plain(_) | Token::Break => {}
        }
        if open.len() > KINDS_MAX {
            return None;
        }
    }
    Some(at_spans)
}

/// Takes a character for the end of what it ends, else for the begin of what it begins.
fn turn(open: &mut Opened, character: char) {
    if close(open, &Open::Until(character)) {
        return;
    }
    if let Some((_, end)) = PAIRS.iter().find(|(begin, _)| *begin == character) {
        *open.entry(Open::Until(*end)).or_default() += 1;
    }
}

/// Ends one of a kind; whether one was open.
fn close(open: &mut Opened, kind: &Open) -> bool {
    let Some(count) = open.get_mut(kind) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        open.remove(kind);
    }
    true
}

fn tag(open: &mut Opened, text: &str) {
    if !text.ends_with('>') {
        *open.entry(Open::Tag).or_default() += 1;
        return;
    }
    let inside = text.trim_start_matches('<').trim_end_matches('>');
    let (ends, inside) = match inside.strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    let length = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = inside.get(..length).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    if name.is_empty() || VOID.contains(&name.as_str()) || inside.ends_with('/') {
        return;
    }
    if ends {
        close(open, &Open::Element(name));
    } else {
        *open.entry(Open::Element(name)).or_default() += 1;
    }
}

/// What stands beside a span, read from it outwards.
#[derive(Debug, PartialEq, Eq)]
struct Beside<'t> {
    /// What touches it, up to a blank or the end of the line.
    touching: Vec<Token<'t>>,
    /// Whether what touches it ends at another span.
    ends_at_span: bool,
    /// The next word on the line.
    word: Vec<char>,
    /// What ends the line before, if nothing but its end parts it from the span, and it is what an escape or a number could
    /// begin with.
    edge: Vec<Token<'t>>,
}

/// What escapes begin with, and a number that is no card: should a program join two lines, the next one would go on in it.
const BEGINS: &str = "%&#+=\\<";

impl<'t> Beside<'t> {
    fn read<'a>(outwards: impl Iterator<Item = &'a Token<'t>>) -> Self
    where
        't: 'a,
    {
        let mut beside = Self {
            touching: Vec::new(),
            ends_at_span: false,
            word: Vec::new(),
            edge: Vec::new(),
        };
        let mut touches = true;
        let mut outwards = outwards;
        while let Some(token) = outwards.next() {
            match token {
                Token::Break => {
                    if beside.touching.is_empty() && touches {
                        beside.edge = edge(outwards);
                    }
                    break;
                }
                Token::Span => {
                    beside.ends_at_span = touches;
                    break;
                }
                Token::Plain(' ') | Token::Other('\t' | '\u{a0}') => touches = false,
                other if touches => {
                    beside.touching.push(*other);
                    // Behind a whole tag begins a text of its own.
                    touches = !matches!(other, Token::Loaded(text) if text.ends_with('>'));
                }
                _ => {}
            }
            match token {
                Token::Plain(letter) | Token::Other(letter) if letter.is_alphanumeric() => {
                    beside.word.push(*letter);
                }
                _ if !touches && !beside.word.is_empty() => break,
                _ => {}
            }
        }
        beside
    }

    /// Whether it stands beside the span as it stood before, or apart from it and without a digit in the next word.
    fn is_apart(&self, before: &Self) -> bool {
        let is_free = self.touching.is_empty() && !self.ends_at_span;
        let touches_as_before =
            (&self.touching, self.ends_at_span) == (&before.touching, before.ends_at_span);
        let is_word_as_before = self.word == before.word;
        (is_free || touches_as_before)
            && (self.edge.is_empty() || self.edge == before.edge)
            && (is_word_as_before || !self.word.iter().any(|letter| letter.is_numeric()))
    }
}

/// The last word of a line, read from its end, if it holds what an escape could begin with.
fn edge<'a, 't: 'a>(outwards: impl Iterator<Item = &'a Token<'t>>) -> Vec<Token<'t>> {
    let is_end = |token: &&Token<'_>| matches!(token, Token::Break | Token::Plain(' '));
    let touching = outwards.skip_while(|token| **token == Token::Break);
    let word = touching.take_while(|token| !is_end(token));
    let word: Vec<Token<'t>> = word.copied().collect();
    let begins = |token: &Token<'_>| match token {
        Token::Other(character) => BEGINS.contains(*character),
        Token::Loaded(_) => true,
        Token::Plain(_) | Token::Break | Token::Span => false,
    };
    if word.iter().any(begins) {
        word
    } else {
        Vec::new()
    }
}

/// Whether all spans stand apart from what came near them.
fn all_stand_apart(sent: &[Token<'_>], shown: &[Token<'_>]) -> bool {
    fn sides<'a, 't>(
        tokens: &'a [Token<'t>],
    ) -> impl Iterator<Item = [Beside<'t>; 2]> + use<'a, 't> {
        let spans = tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| **token == Token::Span);
        spans.map(|(at, _)| {
            [
                Beside::read(tokens[..at].iter().rev()),
                Beside::read(tokens[at + 1..].iter()),
            ]
        })
    }
    sides(sent).zip(sides(shown)).all(|(sent, shown)| {
        let mut pairs = sent.iter().zip(&shown);
        pairs.all(|(sent, shown)| sent.is_apart(shown))
    })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::{Marked, is_kept};

    /// Spans are written `@`.
    fn kept(sent: &str, shown: &str) -> bool {
        let spans = |text: &str| -> Vec<Range<usize>> {
            text.match_indices('@').map(|(at, _)| at..at + 1).collect()
        };
        let (of_sent, of_shown) = (spans(sent), spans(shown));
        let sent = Marked {
            text: sent,
            spans: &of_sent,
        };
        let shown = Marked {
            text: shown,
            spans: &of_shown,
        };
        is_kept(sent, shown)
    }

    #[test]
    fn ordinary_edits_go_on_working() {
        for (shown, sent) in [
            ("IBAN @", "Bonjour Odile, voici l'IBAN: @"),
            ("IBAN @", "IBAN @ à rappeler demain, merci !"),
            (
                "IBAN @",
                "IBAN @\nRappelée le 12/05/2026 (absente) \u{1f600} 100 %",
            ),
            ("IBAN @", "Fax: +33 1 23 45 67 89 [bureau]\nIBAN @"),
            ("IBAN @ merci", "@"),
            ("(IBAN @)\r\nvu", "(ancien IBAN @)\nvu et revu"),
            ("IBAN:@, nir @.", "IBAN:@, et nir @."),
            (
                "<p>IBAN @</p><p>merci</p>",
                "<p>ancien IBAN @</p><p>merci bien</p>",
            ),
            ("<b>x</b>\nIBAN @", "IBAN @"),
            ("a \"b\" (c)\n@", "a «b» [c] (d)\n@"),
            ("@", "@"),
        ] {
            assert!(kept(sent, shown), "{shown} → {sent}");
        }
    }

    #[test]
    fn a_line_that_holds_a_span_gains_only_plain_words() {
        for sent in [
            "(IBAN @",
            "IBAN @ 50%",
            "IBAN @ a/b",
            "IBAN @ \u{1f600}",
            "IBAN @ e\u{301}",
            "IBAN @ \u{ff21}",
            "IBAN @ a@b",
            "IBAN @ « x »",
            "IBAN @ =",
            "IBAN\t@",
            "IBAN\u{a0}@",
            "IBAN @ \"x\"",
            "IBAN @ #1",
            "IBAN @ +33",
        ] {
            let sent = sent.replacen("a@b", "a\u{40}", 1);
            assert!(!kept(&sent, "IBAN @"), "{sent}");
        }
        assert!(!kept("IBAN @", "IBAN (@)") && !kept("IBAN @", "IBAN @ / x"));
    }

    #[test]
    fn words_stand_apart_from_a_span_and_no_digit_beside_it() {
        for sent in [
            "x@",
            "@x",
            "IBAN 12 @",
            "IBAN @ 12",
            "IBAN @, 12 fois",
            "IBAN a1 @",
            "IBAN@",
            ".@",
            "@.",
            "@-",
            "'@'",
            "12: @",
        ] {
            assert!(!kept(sent, "IBAN @"), "{sent}");
        }
        assert!(
            kept("IBAN @.", "RIB @.")
                && kept("le 12 mai @", "@")
                && kept("IBAN 12 @ x", "IBAN 12 @")
        );
    }

    #[test]
    fn a_line_that_an_escape_could_go_on_from_does_not_come_before_a_span() {
        for line in ["+", "100 %", "x %9", "a&#", "=", "x=4", "\\"] {
            assert!(!kept(&format!("{line}\n@"), "@"), "{line}");
            assert!(kept(&format!("{line} fin\n@"), "@"), "{line}");
            let before = format!("{line}\n@");
            assert!(kept(&format!("vu\n{before}"), &before), "{line}");
        }
        assert!(kept("(absente)\n@", "@") && kept("+33 6\nIBAN @", "IBAN @"));
    }

    #[test]
    fn spans_keep_their_company() {
        for (shown, sent) in [
            ("a @ b @", "a @\nb @"),
            ("a @\nb @", "a @ b @"),
            ("a @ b @", "a @ @"),
            ("a @ b @", "a @"),
            ("a @", "a @ b @"),
        ] {
            let is_pushed = sent == "a @ @";
            assert_eq!(kept(sent, shown), is_pushed, "{shown} → {sent}");
        }
        assert!(!kept("a @@", "a @ b @") && !kept("a @, @", "a @,@"));
    }

    #[test]
    fn no_line_gains_what_a_program_reads() {
        for line in [
            "<b>x</b>", "a < b", "a > b", "&eacute;", "&#49;", "&nbsp", "%41", "\u{200b}",
            "\u{fffe}", "\u{7}", "\u{feff}", "<!-- -->", "\u{e000}", "\u{2028}",
        ] {
            for sent in [format!("{line}\nIBAN @"), format!("IBAN @\n{line}")] {
                assert!(!kept(&sent, "IBAN @"), "{sent}");
                assert!(kept(&sent, &sent.replace("IBAN", "RIB")), "{sent}");
            }
        }
        // A percent sign that was there does not become an escape.
        assert!(!kept("100 %41\n@", "100 %\n@") && !kept("R&Delta;\n@", "R&D\n@"));
    }

    #[test]
    fn nothing_is_left_open_before_a_span() {
        for sent in ["(x\n@", "\"x\n@", "«x\n@", "[(x)\n@", "`x\n@", "x\n\"\n@"] {
            assert!(!kept(sent, "x\n@"), "{sent}");
            let behind = sent.replace("\n@", "").replace('x', "");
            let behind = format!("@\n{behind}");
            assert!(kept(&behind, "@"), "{behind}");
        }
        assert!(!kept("<i>x\n@", "<i>x</i>\n@"));
        assert!(!kept("\"x\n@", "\"x\"\n@"));
        assert!(kept("(x\ny @", "(x\n@"));
        // However much is open: it is counted.
        let deep = "(\n".repeat(200_000);
        assert!(kept(&format!("{deep}x @"), &format!("{deep}@")));
        assert!(!kept(&format!("({deep}@"), &format!("{deep}@")));
    }
}
