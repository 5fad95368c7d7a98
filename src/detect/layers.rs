//! Texts inside a text: what it says once its percent escapes and HTML entities are undone, and what its long words spell
//! in base64 or hexadecimal.
//!
//! Programs behind this one undo such codings, and programs before it apply them: an identifier that was put into a link
//! is percent-encoded, one that a CRM stores as HTML is full of entities. Every layer is a text of its own, down to the
//! one in which nothing is left to undo.

use std::ops::Range;

use super::characters::fold;
use super::escapes;
use super::spelling::Glyph;

/// Codings around codings; what lies deeper stays unread.
const LAYERS_MAX: usize = 8;
/// The fewest characters in which base64 spells an identifier.
const WORD_BYTES_MIN: usize = SPELLED_MIN.div_ceil(3) * 4 - 2;
/// The fewest letters and digits of an identifier that is looked for in such a word.
const SPELLED_MIN: usize = 13;
/// The fewest capitals in a word that spells it in base64: the letter that begins the spelling of three digits, or of a
/// capital and two digits, is one.
const CAPITALS_MIN: usize = 3;

/// Tells where a part of a layer comes from.
pub(super) type Source<'s> = &'s dyn Fn(&Range<usize>) -> Range<usize>;

/// A text with one coding taken off.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) text: String,
    parts: Vec<Part>,
}

/// A part of a layer, and where it comes from. It ends where the next one starts.
struct Part {
    start: usize,
    source: Range<usize>,
    /// Whether it stands there as it is; else it stands there as an escape.
    is_verbatim: bool,
}

/// An escape that could be undone.
struct Escape<'t> {
    spelling: &'t str,
    meant: &'t str,
    /// Whether it stands directly behind a letter, a digit or another escape.
    follows_symbol: bool,
}

impl Layer {
    /// What a text says when those of its escapes are undone once that fit; `None` if it has none.
    fn under(text: &str, fits: fn(Escape<'_>) -> bool) -> Option<Self> {
        let mut layer = Self::default();
        let (mut at, mut copied) = (0, 0);
        while let Some(skipped) = memchr::memchr2(b'%', b'&', text.as_bytes().get(at..)?) {
            at += skipped;
            match escapes::escape(text.get(at..)?) {
                Some((meant, length))
                    if fits(Escape {
                        spelling: text.get(at..at + length)?,
                        meant: &meant,
                        follows_symbol: text[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
                            || (at == copied && at > 0),
                    }) =>
                {
                    if layer.parts.is_empty() {
                        layer.text.reserve(text.len());
                    }
                    layer.verbatim(text, copied..at);
                    layer.push(at..at + length, false);
                    layer.text.push_str(&meant);
                    at += length;
                    copied = at;
                }
                _ => at += 1,
            }
        }
        if layer.parts.is_empty() {
            return None;
        }
        layer.verbatim(text, copied..text.len());
        Some(layer)
    }

    /// Adds a part of the text as it stands there.
    pub(super) fn verbatim(&mut self, text: &str, source: Range<usize>) {
        if let Some(part) = text.get(source.clone()).filter(|part| !part.is_empty()) {
            self.push(source, true);
            self.text.push_str(part);
        }
    }

    /// Says that what is added next comes from here.
    pub(super) fn push(&mut self, source: Range<usize>, is_verbatim: bool) {
        self.parts.push(Part {
            start: self.text.len(),
            source,
            is_verbatim,
        });
    }

    /// Where a part of the text, which is not empty, comes from.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let part = |at: usize| {
            let after = self.parts.partition_point(|part| part.start <= at);
            self.parts.get(after.saturating_sub(1))
        };
        let start = part(range.start).map_or(range.start, |part| match part.is_verbatim {
            true => part.source.start + range.start - part.start,
            false => part.source.start,
        });
        let end =
            part(range.end.saturating_sub(1)).map_or(range.end, |part| match part.is_verbatim {
                true => part.source.start + range.end - part.start,
                false => part.source.end,
            });
        start..end
    }

    /// What comes from a part of the source.
    pub(super) fn target(&self, source: &Range<usize>, length: usize) -> Range<usize> {
        let start = self
            .parts
            .partition_point(|part| part.source.end <= source.start);
        let end = self
            .parts
            .partition_point(|part| part.source.start < source.end);
        let Some(first) = self.parts.get(start) else {
            return length..length;
        };
        let start = match first.is_verbatim {
            true => first.start + source.start.saturating_sub(first.source.start),
            false => first.start,
        };
        let behind = self.parts.get(end).map_or(length, |part| part.start);
        let end = match self.parts.get(end.saturating_sub(1)) {
            Some(last) if last.is_verbatim => {
                behind.min(last.start + source.end.saturating_sub(last.source.start))
            }
            _ => behind,
        };
        start..end.max(start)
    }
}

/// Hands a text to `visit`, and every layer under it.
pub(super) fn all(text: &str, visit: &mut dyn FnMut(&str, Source<'_>)) {
    visit(text, &Range::clone);
    each(text, visit);
}

/// Hands every layer under a text to `visit`, outermost first, with a function that tells where a part of it comes from.
///
/// Whether `%41` is an escape or a percent sign and a number, nobody can know: `%4111 1111…` begins with a card. So each
/// layer is read with and without the escapes that stand for symbols.
pub(super) fn each(text: &str, visit: &mut dyn FnMut(&str, Source<'_>)) {
    let mut layers: Vec<Layer> = Vec::new();
    let mut show = |layer: &Layer, above: &[Layer]| {
        visit(&layer.text, &|range| {
            let upwards = above.iter().rev();
            upwards.fold(layer.source(range), |range, layer| layer.source(&range))
        });
    };
    for _ in 0..LAYERS_MAX {
        let above = layers.last().map_or(text, |layer| &layer.text);
        let Some(layer) = Layer::under(above, |_| true) else {
            return;
        };
        // Where all escapes are such, the layers are the same.
        let grouped = Layer::under(above, separates).filter(|grouped| grouped.text != layer.text);
        if let Some(grouped) = grouped {
            show(&grouped, &layers);
        }
        show(&layer, &layers);
        layers.push(layer);
    }
}

/// A text with its escapes undone once.
pub(super) fn decode_once(text: &str) -> String {
    Layer::under(text, |_| true).map_or_else(|| text.to_owned(), |layer| layer.text)
}

/// Whether an escape certainly is one, and may stand between the symbols of an identifier.
fn separates(escape: Escape<'_>) -> bool {
    let is_separator =
        |character| fold(character) == Glyph::Separator && character != char::REPLACEMENT_CHARACTER;
    escape.follows_symbol
        && (escape.spelling.starts_with('%') || escape.spelling.ends_with(';'))
        && escape.meant.chars().all(is_separator)
}

/// Whether a text has a word that is long enough to spell an identifier in base64 or hexadecimal.
pub(super) fn may_hold_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut start = 0;
    // Backwards from where a long word that begins at `start` would end, so that most of a text is not looked at.
    while let Some(window) = bytes.get(start..start + WORD_BYTES_MIN) {
        match window.iter().rposition(|byte| !is_word_byte(*byte)) {
            Some(last) => start += last + 1,
            None => {
                let word = word_around(bytes, start);
                if may_spell(bytes, &word) {
                    return true;
                }
                start = word.end;
            }
        }
    }
    false
}

/// Whether a word is long enough, and has digits or capitals enough, to spell an identifier.
fn may_spell(bytes: &[u8], word: &Range<usize>) -> bool {
    if word.len() < WORD_BYTES_MIN {
        return false;
    }
    let letters = bytes.get(word.clone()).unwrap_or_default();
    letters.iter().any(u8::is_ascii_digit)
        || letters
            .iter()
            .filter(|letter| letter.is_ascii_uppercase())
            .count()
            >= CAPITALS_MIN
}

/// Hands what each long word of a text spells to `visit`, with the word's place.
pub(super) fn words(text: &str, visit: &mut dyn FnMut(&str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(skipped) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| is_word_byte(*byte)))
    {
        let word = word_around(bytes, at + skipped);
        at = word.end + 1;
        if !may_spell(bytes, &word) {
            continue;
        }
        // A slash or a dash belongs to base64, or parts a path.
        let parts = bytes[word.clone()].split(|byte| !byte.is_ascii_alphanumeric());
        let parts = parts.filter(|part| (WORD_BYTES_MIN..word.len()).contains(&part.len()));
        for letters in parts.chain([&bytes[word.clone()]]) {
            let digits = letters.strip_prefix(b"0x").unwrap_or(letters);
            for spelled in [hexadecimal(digits), base64(letters)].into_iter().flatten() {
                visit(&String::from_utf8_lossy(&spelled), word.clone());
            }
        }
    }
}

/// A letter of either alphabet of base64 (RFC 4648), which hold that of hexadecimal.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn word_around(bytes: &[u8], at: usize) -> Range<usize> {
    let before = bytes[..at]
        .iter()
        .rev()
        .take_while(|byte| is_word_byte(**byte));
    let behind = bytes[at..].iter().take_while(|byte| is_word_byte(**byte));
    at - before.count()..at + behind.count()
}

fn hexadecimal(letters: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = letters.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|pair| escapes::byte(pair[0], pair[1]))
        .collect()
}

/// What letters spell in base64, either alphabet; its padding is no letter. A last letter that fills no byte is left out.
fn base64(letters: &[u8]) -> Option<Vec<u8>> {
    let mut spelled = Vec::with_capacity(letters.len() * 3 / 4);
    for group in letters.chunks(4) {
        let mut bits = 0;
        for letter in group {
            bits = bits << 6 | sextet(*letter)?;
        }
        bits <<= 6 * (4 - group.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        spelled.extend(bytes.into_iter().take(group.len() * 6 / 8));
    }
    Some(spelled)
}

fn sextet(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Layer, base64, each, may_hold_word, words};

    #[test]
    fn layers_go_down_to_the_text_in_which_nothing_is_left_to_undo() {
        for (text, last) in [
            ("a%20b", "a b"),
            ("%2546%2552", "FR"),
            ("%26%2349%3B", "1"),
            ("&#37;46", "F"),
            ("&amp;amp;#49;&#x31;&#49 &eacute;", "111 é"),
            ("%C3%A9 %zz %", "é %zz %"),
        ] {
            let mut seen = String::new();
            each(text, &mut |layer, _| seen = layer.to_owned());
            assert_eq!(seen, last, "{text}");
        }
        assert!(Layer::under("100 % & more; é", |_| true).is_none());
    }

    #[test]
    fn words_are_read_in_both_alphabets_with_and_without_padding() {
        let mut seen = Vec::new();
        words(
            "x RlI3NjMwMDA2MDAwMDExMjM0NTY3ODkwMTg5== y 46523736333030303630303030313132",
            &mut |spelled, _| {
                seen.push(spelled.to_owned());
            },
        );
        assert!(
            seen.contains(&"FR7630006000011234567890189".to_owned()),
            "{seen:?}"
        );
        assert!(seen.contains(&"FR76300060000112".to_owned()), "{seen:?}");
        let mut path = Vec::new();
        words(
            "https://h/p/RlI3NjMwMDA2MDAwMDExMjM0NTY3ODkwMTg5 0x46523736333030303630303030313132",
            &mut |spelled, _| path.push(spelled.to_owned()),
        );
        assert!(
            path.contains(&"FR7630006000011234567890189".to_owned()),
            "{path:?}"
        );
        assert!(path.contains(&"FR76300060000112".to_owned()), "{path:?}");
        assert_eq!(base64(b"QQ"), Some(b"A".to_vec()));
        assert_eq!(base64(b"-_-_"), base64(b"+/+/"));
    }

    proptest! {
        #[test]
        fn a_part_of_a_layer_comes_from_where_it_says(
            parts in prop::collection::vec(prop::sample::select(&[
                "a", "é", "%41", "%C3%A9", "&#49;", "&amp;", "&nbsp", "%", "&", " ", "%2541", "&amp;#49;",
            ][..]), 0..20),
        ) {
            let text = parts.concat();
            each(&text, &mut |layer, source| {
                for (at, character) in layer.char_indices() {
                    let range = source(&(at..at + character.len_utf8()));
                    let part = text.get(range).expect("a part of the text");
                    // Undone by itself, it says the same or more.
                    let mut said = vec![part.to_owned()];
                    each(part, &mut |layer, _| said.push(layer.to_owned()));
                    assert!(said.iter().any(|said| said.contains(character)), "{part} {character}");
                }
            });
        }

        #[test]
        fn a_quick_look_overlooks_no_long_word(text in "[a-zA-Z0-9 +/é=-]{0,120}") {
            let mut any = false;
            words(&text, &mut |_, _| any = true);
            prop_assert!(!any || may_hold_word(&text));
        }
    }
}
