//! How identifiers are written: which characters belong to one, which may stand between them, and which end it.
//!
//! People group digits with blanks, dots and tags; copying from web pages adds invisible characters; phones write
//! full-width or Arabic-Indic digits. All of these are one spelling of the same identifier.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;

use super::characters::{fold, fold_ascii};
use super::escapes;

/// Separators in a row that still join two parts of an identifier. A separator is one character, entity or tag.
const SEPARATORS_IN_A_ROW_MAX: usize = 16;

/// Length of a tag that may stand inside an identifier.
const TAG_BYTES_MAX: usize = 256;

/// What stands at one place of a text, as far as identifiers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    /// A digit or an upper-case letter, folded to ASCII.
    Symbol(u8),
    /// Something that may stand between the symbols of an identifier.
    Separator,
    /// An HTML tag: a separator whose inside is a text of its own.
    Tag,
    /// Anything else ends an identifier.
    Other,
}

/// The glyph at byte `at` of the text (a character boundary before its end), and its length in bytes.
#[inline]
pub(super) fn glyph(text: &str, at: usize) -> (Glyph, usize) {
    let first = text.as_bytes().get(at).copied();
    match first.and_then(|byte| ASCII.get(usize::from(byte)).copied().flatten()) {
        Some(glyph) => (glyph, 1),
        None => longer_glyph(text, at),
    }
}

/// The same for what is not one ASCII character, or may begin something longer.
fn longer_glyph(text: &str, at: usize) -> (Glyph, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.chars().next() else {
        return (Glyph::Other, 1);
    };
    match first {
        '<' => tag(rest).map_or((Glyph::Other, 1), |length| (Glyph::Tag, length)),
        '&' => entity(rest).unwrap_or((Glyph::Other, 1)),
        other => (fold(other), other.len_utf8()),
    }
}

/// The glyphs of ASCII characters, but for those that may begin something longer.
const ASCII: [Option<Glyph>; 128] = {
    let mut glyphs = [Some(Glyph::Other); 128];
    let mut byte = 0;
    while byte < 128 {
        glyphs[byte as usize] = match byte {
            b'<' | b'&' => None,
            _ => Some(fold_ascii(byte)),
        };
        byte += 1;
    }
    glyphs
};

/// How bytes count: most are ASCII characters that end nothing.
const COUNTS: [u8; 256] = {
    let mut counts = [ELSE; 256];
    let mut byte = 0;
    while byte < 128 {
        counts[byte] = match ASCII[byte] {
            Some(Glyph::Symbol(b'0'..=b'9')) => SYMBOL | DIGIT,
            Some(Glyph::Symbol(_)) => SYMBOL,
            Some(Glyph::Separator) => 0,
            _ => ELSE,
        };
        byte += 1;
    }
    counts
};
/// A symbol; what is none is a separator.
const SYMBOL: u8 = 1;
/// A symbol that is a digit.
const DIGIT: u8 = 1 << 1;
/// Something that needs a closer look.
const ELSE: u8 = 1 << 2;

/// The length of the tag that a text begins with: `<b>`, `</strong>`, `<br/>`, `<!-- -->`.
pub(super) fn tag(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let name = bytes
        .get(1)
        .filter(|&&byte| byte != b'/')
        .or_else(|| bytes.get(2))?;
    if !name.is_ascii_alphabetic() && *name != b'!' {
        return None;
    }
    let inside = bytes.get(1..bytes.len().min(TAG_BYTES_MAX))?;
    let end = inside
        .iter()
        .position(|&byte| byte == b'>' || byte == b'<')?;
    (inside[end] == b'>').then_some(end + 2)
}

/// The entity that a text begins with, if it stands for a symbol or a separator, and its length. Without its semicolon it
/// may as well be none, as in `&#4111 1111…`, so that it is looked into in the layer below; but for two that browsers and
/// people know so.
fn entity(rest: &str) -> Option<(Glyph, usize)> {
    let (meant, length) = escapes::escape(rest)?;
    let escape = rest.get(..length)?;
    if !(escape.ends_with(';') || matches!(escape, "&nbsp" | "&shy")) {
        return None;
    }
    let mut characters = meant.chars();
    let (only, None) = (characters.next()?, characters.next()) else {
        return None;
    };
    let glyph = fold(only);
    (glyph != Glyph::Other && only != char::REPLACEMENT_CHARACTER).then_some((glyph, length))
}

/// Symbols that only separators stand between.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// The folded symbols.
    pub(super) symbols: Vec<u8>,
    /// Where in the text each of them stands.
    pub(super) places: Vec<Range<usize>>,
}

/// How many symbols of a sort stand in a stretch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) symbols: usize,
    pub(super) digits: usize,
}

impl Stretch {
    /// Holds the symbols of a part of a text instead of those that it held before.
    fn gather(&mut self, text: &str, part: Range<usize>, Tally { symbols, .. }: Tally) {
        self.symbols.clear();
        self.places.clear();
        self.symbols.reserve(symbols);
        self.places.reserve(symbols);
        let mut at = part.start;
        while at < part.end {
            let (glyph, length) = glyph(text, at);
            if let Glyph::Symbol(symbol) = glyph {
                self.symbols.push(symbol);
                self.places.push(at..at + length);
            }
            at += length;
        }
    }

    /// Whether nothing stands between a symbol and the one before it.
    pub(super) fn joined(&self, index: usize) -> bool {
        match (
            index
                .checked_sub(1)
                .and_then(|before| self.places.get(before)),
            self.places.get(index),
        ) {
            (Some(before), Some(own)) => before.end == own.start,
            _ => false,
        }
    }

    /// The sizes of the groups in which symbols are written.
    pub(super) fn groups(&self, symbols: &Range<usize>) -> Vec<usize> {
        let mut groups = Vec::new();
        let mut start = symbols.start;
        for end in symbols.start + 1..=symbols.end {
            if end == symbols.end || !self.joined(end) {
                groups.push(end - start);
                start = end;
            }
        }
        groups
    }

    /// Whether neither the symbol before nor the one behind touches these.
    pub(super) fn stand_alone(&self, symbols: &Range<usize>) -> bool {
        !self.joined(symbols.start) && !self.joined(symbols.end)
    }

    /// The bytes of the text from one symbol to the one before `end`.
    pub(super) fn range(&self, symbols: Range<usize>) -> Option<Range<usize>> {
        let first = self.places.get(symbols.start)?;
        let last = self.places.get(symbols.end.checked_sub(1)?)?;
        Some(first.start..last.end)
    }
}

/// Hands those stretches of a text to `visit` that are worth it, by what they hold, and returns the insides of the
/// text's tags, which no stretch holds. Few are, so that the others are not even gathered.
pub(super) fn stretches(
    text: &str,
    is_worth_it: impl Fn(Tally) -> bool,
    visit: &mut dyn FnMut(&Stretch),
) -> Vec<Range<usize>> {
    let mut insides = Vec::new();
    let mut stretch = Stretch::default();
    let mut end_at = |part: Range<usize>, tally: Tally| {
        if is_worth_it(tally) {
            stretch.gather(text, part, tally);
            visit(&stretch);
        }
    };
    let (mut start, mut tally, mut separators) = (0, Tally::default(), 0);
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        let count = COUNTS[usize::from(byte)];
        if count != ELSE && separators < SEPARATORS_IN_A_ROW_MAX {
            // Without a branch that depends on the text, which nobody could foretell.
            let is_symbol = usize::from(count & SYMBOL);
            tally.symbols += is_symbol;
            tally.digits += usize::from(count & DIGIT) / usize::from(DIGIT);
            separators = (separators + 1) * (1 - is_symbol);
            at += 1;
            continue;
        }
        let (glyph, length) = glyph(text, at);
        let end = at + length;
        if let Glyph::Symbol(symbol) = glyph {
            tally.symbols += 1;
            tally.digits += usize::from(symbol.is_ascii_digit());
            separators = 0;
        } else {
            if glyph == Glyph::Tag {
                insides.push(at + 1..end - 1);
            }
            separators += 1;
            if glyph == Glyph::Other || separators > SEPARATORS_IN_A_ROW_MAX {
                end_at(start..at, mem::take(&mut tally));
                start = end;
            }
        }
        at = end;
    }
    end_at(start..at, tally);
    insides
}

/// What people also put between the groups of an identifier, and between everything else: only a number in regular groups
/// is taken for one across these.
const JOINTS: [char; 20] = [
    ';', '|', '(', ')', '[', ']', '+', '*', '=', '\'', '\u{2019}', '~', '\\', '\u{ff1b}',
    '\u{ff5c}', '\u{ff08}', '\u{ff09}', '\u{ff0b}', '\u{ff1d}', '\u{ff0a}',
];

/// The text with blanks in place of its joints, byte for byte; `None` if it has none.
pub(super) fn joined(text: &str) -> Option<String> {
    has_joint(text).then(|| {
        let mut joined = String::with_capacity(text.len());
        for character in text.chars() {
            match JOINTS.contains(&character) {
                true => joined.extend(std::iter::repeat_n(' ', character.len_utf8())),
                false => joined.push(character),
            }
        }
        joined
    })
}

/// Whether a part of a text has a joint in it.
pub(super) fn has_joint(part: &str) -> bool {
    let is_near = |byte: &u8| byte.is_ascii_punctuation() || matches!(byte, 0xe2 | 0xef);
    part.bytes().any(|byte| is_near(&byte)) && part.contains(JOINTS)
}

/// The symbols of a value that is one identifier, however it is grouped; `None` if it holds anything else.
pub(super) fn compact(value: &str) -> Option<Cow<'_, str>> {
    // Counted to the end rather than to the first: that is done many bytes at a time.
    let is_other = |byte: u8| !(byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !value.bytes().fold(false, |any, byte| any | is_other(byte)) {
        return Some(Cow::Borrowed(value));
    }
    let mut compact = String::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        let (glyph, length) = glyph(value, at);
        match glyph {
            Glyph::Symbol(symbol) => compact.push(char::from(symbol)),
            Glyph::Separator | Glyph::Tag => {}
            Glyph::Other => return None,
        }
        at += length;
    }
    Some(Cow::Owned(compact))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::prelude::*;

    use super::{ASCII, Glyph, SEPARATORS_IN_A_ROW_MAX, compact, fold, glyph, stretches};

    /// Symbols and their places.
    type Gathered = (Vec<u8>, Vec<Range<usize>>);

    /// Stretches as they are gathered character by character.
    fn slow_stretches(text: &str) -> (Vec<Gathered>, Vec<Range<usize>>) {
        let (mut all, mut insides) = (vec![Gathered::default()], Vec::new());
        let (mut at, mut separators) = (0, 0);
        while at < text.len() {
            let (glyph, length) = glyph(text, at);
            match glyph {
                Glyph::Symbol(symbol) => {
                    let (symbols, places) = all.last_mut().unwrap();
                    symbols.push(symbol);
                    places.push(at..at + length);
                    separators = 0;
                }
                other => {
                    if other == Glyph::Tag {
                        insides.push(at + 1..at + length - 1);
                    }
                    separators += 1;
                    if other == Glyph::Other || separators > SEPARATORS_IN_A_ROW_MAX {
                        all.push(Gathered::default());
                    }
                }
            }
            at += length;
        }
        all.retain(|(symbols, _)| !symbols.is_empty());
        (all, insides)
    }

    proptest! {
        #[test]
        fn stretches_are_what_is_gathered_character_by_character(
            parts in prop::collection::vec(prop::sample::select(&[
                "a", "B", "7", "42", " ", "-", "é", "<b>", "<", "&nbsp;", "&#51;", "&lt;", "(", "\u{200b}", "\u{ff17}",
                "[", "%20", "%41", "%", "\u{968}", "\u{301}",
                "               ", "                ", "                 ", "\u{0}", "\u{7f}",
            ][..]), 0..40),
        ) {
            let text = parts.concat();
            let mut all = Vec::new();
            let insides = stretches(&text, |tally| tally.symbols > 0, &mut |stretch| {
                all.push((stretch.symbols.clone(), stretch.places.clone()));
            });
            prop_assert_eq!((all, insides), slow_stretches(&text), "{}", text);
            // What is counted is what is gathered.
            stretches(&text, |tally| tally.digits > 1, &mut |stretch| {
                assert!(stretch.symbols.iter().filter(|symbol| symbol.is_ascii_digit()).count() > 1);
            });
        }
    }

    #[test]
    fn the_table_of_ascii_says_what_characters_say() {
        for byte in (0..128_u8).filter(|byte| !matches!(byte, b'<' | b'&')) {
            let character = char::from(byte);
            assert_eq!(
                ASCII[usize::from(byte)],
                Some(fold(character)),
                "{character:?}"
            );
        }
    }

    #[test]
    fn grouping_of_every_kind_is_taken_out() {
        for spelled in [
            "FR76 3000",
            "fr76\u{a0}30\u{202f}00",
            "F R-7.6/3_0,0:0",
            "FR76&nbsp;30&#160;0&#x200B;0",
            "FR76<b>30</b><br/>00",
            "FR76\u{200b}30\u{ad}00\u{feff}",
            "\u{ff26}\u{ff32}\u{ff17}\u{ff16}3000",
            "FR76\u{663}000",
            "FR76&#51;000",
            "FR76&nbsp3000",
            "FR76\u{fffe}30\u{301}00",
            "FR76\u{969}\u{966}00",
        ] {
            assert_eq!(compact(spelled).as_deref(), Some("FR763000"), "{spelled}");
        }
    }

    #[test]
    fn other_characters_are_no_grouping() {
        for other in [
            "FR76•3000",
            "FR76(3000)",
            "FR76;30|00",
            "a@b",
            "1+1",
            "é",
            "a < b",
            "&lt;",
            "&",
        ] {
            assert_eq!(compact(other), None, "{other}");
        }
    }

    #[test]
    fn a_tag_is_measured_to_its_end() {
        assert_eq!(glyph("<b>1", 0), (Glyph::Tag, 3));
        assert_eq!(glyph("</b>1", 0), (Glyph::Tag, 4));
        assert_eq!(glyph("<b <i>1", 0), (Glyph::Other, 1));
        assert_eq!(glyph("< b>", 0), (Glyph::Other, 1));
        assert_eq!(glyph("<", 0), (Glyph::Other, 1));
        assert_eq!(glyph("</", 0), (Glyph::Other, 1));
    }
}
