//! A text as a reader sees it, in ASCII: accents and marks taken off, entities undone, tags and what nobody sees left out.
//!
//! Words and the forms of numbers are looked for in this reading, whose parts know where they come from.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::{decompose_canonical, decompose_compatible, is_combining_mark};

use super::layers::Layer;
use super::{characters, escapes, ignorable, spelling};

/// Stands for a letter that has no twin in ASCII.
pub(super) const LETTER: u8 = 1;
/// Stands for any other character, and for what is not read.
pub(super) const WALL: u8 = 2;
/// Stands for the sign of a currency.
pub(super) const MONEY: u8 = 3;
/// Stands for a raised sign: `°`, `º`, `ª`.
pub(super) const RAISED: u8 = 4;
/// Stands for an account number that was found.
pub(super) const ACCOUNT: u8 = 5;

/// A text as a reader sees it.
pub(super) struct Plain<'t> {
    text: Cow<'t, [u8]>,
    /// `None` if it is the text itself.
    layer: Option<Layer>,
}

impl<'t> Plain<'t> {
    /// Reads a text; the insides of its tags, which are texts of their own, are told to `inside`.
    pub(super) fn of(text: &'t str, inside: &mut dyn FnMut(Range<usize>)) -> Self {
        let is_itself = text.bytes().fold(true, |all, byte| {
            all & (byte.is_ascii() & (byte != b'<') & (byte != b'&'))
        });
        if is_itself {
            return Self {
                text: Cow::Borrowed(text.as_bytes()),
                layer: None,
            };
        }
        let mut layer = read(text, inside);
        Self {
            text: Cow::Owned(std::mem::take(&mut layer.text).into_bytes()),
            layer: Some(layer),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Puts something else in place of a part of the source, but for its first `kept` characters.
    pub(super) fn cover(&mut self, source: &Range<usize>, with: u8, kept: usize) {
        let range = match &self.layer {
            Some(layer) => layer.target(source, self.text.len()),
            None => source.clone(),
        };
        if let Some(part) = self.text.to_mut().get_mut(range) {
            part.iter_mut().skip(kept).for_each(|byte| *byte = with);
        }
    }

    /// Where a part of it, which is not empty, comes from.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        match &self.layer {
            Some(layer) => layer.source(range),
            None => range.clone(),
        }
    }
}

fn read(text: &str, inside: &mut dyn FnMut(Range<usize>)) -> Layer {
    let bytes = text.as_bytes();
    let mut layer = Layer::default();
    layer.text.reserve(text.len());
    let (mut at, mut copied) = (0, 0);
    let mut letters = String::new();
    while let Some(skipped) = bytes.get(at..).and_then(|rest| {
        rest.iter()
            .position(|byte| !byte.is_ascii() || matches!(byte, b'<' | b'&'))
    }) {
        at += skipped;
        let rest = text.get(at..).unwrap_or_default();
        letters.clear();
        let length = match bytes[at] {
            b'<' => match spelling::tag(rest) {
                Some(length) => {
                    let name = rest.get(1..length - 1).unwrap_or_default();
                    letters.push_str(in_place_of(name));
                    inside(at + 1..at + length - 1);
                    length
                }
                None => 0,
            },
            b'&' => escapes::escape(rest).map_or(0, |(meant, length)| {
                meant
                    .chars()
                    .for_each(|character| spell(character, &mut letters));
                length
            }),
            _ => {
                let character = rest.chars().next().unwrap_or_default();
                spell(character, &mut letters);
                character.len_utf8()
            }
        };
        if length == 0 {
            at += 1;
            continue;
        }
        layer.verbatim(text, copied..at);
        if !letters.is_empty() {
            layer.push(at..at + length, false);
            layer.text.push_str(&letters);
        }
        at += length;
        copied = at;
    }
    layer.verbatim(text, copied..text.len());
    layer
}

/// What a reader sees of a tag: the end of a line, a blank, or nothing.
fn in_place_of(inside: &str) -> &'static str {
    const LINES: &[&str] = &[
        "article",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ];
    let name = inside.trim_start_matches('/');
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = name.get(..length).unwrap_or_default();
    let is = |other: &&str| other.eq_ignore_ascii_case(name);
    if LINES.iter().any(is) {
        return "\n";
    }
    match name {
        "td" | "th" | "TD" | "TH" => " ",
        "at" | "AT" => "(at)",
        "dot" | "DOT" => "(dot)",
        _ if inside.contains('@') => "\u{2}",
        _ => "",
    }
}

/// Spells a character in ASCII.
fn spell(character: char, letters: &mut String) {
    if character.is_ascii() {
        return letters.push(character);
    }
    match character {
        'ß' => return letters.push_str("ss"),
        'æ' => return letters.push_str("ae"),
        'œ' => return letters.push_str("oe"),
        'ø' => return letters.push('o'),
        'Ø' => return letters.push('O'),
        'Æ' => return letters.push_str("AE"),
        'Œ' => return letters.push_str("OE"),
        'ł' => return letters.push('l'),
        'Ł' => return letters.push('L'),
        'đ' => return letters.push('d'),
        'ı' => return letters.push('i'),
        '€' | '£' | '¥' => return letters.push(char::from(MONEY)),
        '°' | 'º' | 'ª' => return letters.push(char::from(RAISED)),
        '№' => return letters.push_str("n\u{4}"),
        '’' | '‘' | '´' => return letters.push('\''),
        '«' | '»' | '“' | '”' | '„' => return letters.push('"'),
        '…' => return letters.push('.'),
        '•' | '·' => return letters.push('*'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => return letters.push('-'),
        '\u{2028}' | '\u{2029}' | '\u{85}' => return letters.push('\n'),
        _ => {}
    }
    if let Some(digit) = characters::digit(character) {
        return letters.push(char::from(digit));
    }
    if character.is_whitespace() {
        return letters.push(' ');
    }
    if ignorable::is_ignorable(character) || is_combining_mark(character) || character.is_control()
    {
        return;
    }
    let mut first = None;
    let mut keep = |part: char| {
        first.get_or_insert(part);
    };
    match character < '\u{2100}' {
        true => decompose_canonical(character, &mut keep),
        false => decompose_compatible(character, &mut keep),
    }
    letters.push(match first {
        // Digits in circles and the like number lists.
        Some(twin)
            if twin.is_ascii_graphic() && !(twin.is_ascii_digit() && character < '\u{fb00}') =>
        {
            twin
        }
        _ if character.is_alphabetic() => char::from(LETTER),
        _ => char::from(WALL),
    });
}

#[cfg(test)]
mod tests {
    use super::Plain;

    fn read(text: &str) -> String {
        String::from_utf8(Plain::of(text, &mut |_| {}).bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_reader_sees_words_without_their_marks() {
        for (text, read_as) in [
            ("plain", "plain"),
            ("Née à Straße", "Nee a Strasse"),
            ("n&eacute;e&nbsp;le<br/>3", "nee le\n3"),
            ("06<b> 12</b>\u{200b}34", "06 1234"),
            ("a\u{ff20}b\u{ff17}", "a@b7"),
            ("e\u{301}t\u{e9}", "ete"),
            ("12 € n° 5", "12 \u{3} n\u{4} 5"),
            ("用户 ①", "\u{1}\u{1} \u{2}"),
            ("a < b & c", "a < b & c"),
        ] {
            assert_eq!(read(text), read_as, "{text}");
        }
    }

    #[test]
    fn a_part_comes_from_where_it_stands() {
        let text = "né&eacute; <b>ß</b>x\u{200b}y";
        let plain = Plain::of(text, &mut |_| {});
        assert_eq!(plain.bytes(), b"nee ssxy");
        for (range, source) in [
            (1..2, "é"),
            (2..3, "&eacute;"),
            (4..6, "ß"),
            (6..8, "x\u{200b}y"),
        ] {
            assert_eq!(&text[plain.source(&range)], source);
        }
        let mut plain = plain;
        let at = text.find("&ea").unwrap();
        plain.cover(&(at..at + 8), b'#', 0);
        assert_eq!(plain.bytes(), b"ne# ssxy");
    }

    #[test]
    fn the_insides_of_tags_are_told() {
        let mut insides = Vec::new();
        Plain::of("<a href='x'>b</a>", &mut |inside| insides.push(inside));
        assert_eq!(insides, [1..11, 14..16]);
    }
}
