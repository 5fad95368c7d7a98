//! How words are read: letters without case and accents, and what stands between them.
//!
//! `SÉROPOSITIF`, `séropositif`, `seropositif` and `sero<b>positif</b>` are one word; what a reader does not see is
//! not there. Entities and percent escapes were undone before: each layer of a text is read for itself.

use std::sync::LazyLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// What parts two words of a phrase: blanks, apostrophes, dashes.
pub(super) const GAP: u8 = 0;
/// A letter that has no ASCII twin.
pub(super) const OTHER: u8 = 37;
/// Ends every phrase: a comma, a full stop, a bracket.
pub(super) const BREAK: u8 = 40;
/// Is not there at all: a combining mark, a soft hyphen, a tag that changes only how a word looks.
pub(super) const NOTHING: u8 = 41;

/// One glyph: a letter's or digit's number (`a` is 1, `0` is 27), or what is none; and of a ligature its second letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) code: u8,
    pub(super) second: Option<u8>,
}

/// Letters of a word; a longer one is none.
pub(super) const WORD_LETTERS_MAX: usize = 48;

/// Bytes of a tag; a longer one is none.
const TAG_BYTES_MAX: usize = 512;

/// Elements that change only how a part of a line looks.
const INLINE: &[&str] = &[
    "b", "i", "u", "em", "strong", "span", "font", "mark", "small", "a",
];

const ASCII: [u8; 128] = {
    let mut codes = [GAP; 128];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::cast_possible_truncation, reason = "an ASCII character")]
        let code = match byte as u8 {
            letter @ b'a'..=b'z' => letter - b'a' + 1,
            letter @ b'A'..=b'Z' => letter - b'A' + 1,
            digit @ b'0'..=b'9' => digit - b'0' + 27,
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'(' | b')' | b'[' | b']' | b'{' | b'}'
            | b'|' => BREAK,
            0..=8 | 14..=31 | 127 => NOTHING,
            _ => GAP,
        };
        codes[byte] = code;
        byte += 1;
    }
    codes
};

/// Whether a code is a letter or a digit.
#[inline]
pub(super) const fn is_letter(code: u8) -> bool {
    matches!(code, 1..=OTHER)
}

/// The glyph at byte `at` (a character boundary before the end of the text), and its length in bytes.
#[inline]
pub(super) fn glyph(text: &str, at: usize) -> (Glyph, usize) {
    match text.as_bytes().get(at) {
        Some(&byte) if byte < 128 && byte != b'<' && byte != b'.' => {
            (plain(ASCII[usize::from(byte)]), 1)
        }
        _ => longer(text, at),
    }
}

const fn plain(code: u8) -> Glyph {
    Glyph { code, second: None }
}

/// Where the next word begins.
#[inline]
pub(super) fn word_start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        match bytes.get(at) {
            None => return None,
            Some(&byte) if byte < 128 && byte != b'<' => {
                if is_letter(ASCII[usize::from(byte)]) {
                    return Some(at);
                }
                at += 1;
            }
            Some(_) => {
                let (glyph, length) = longer(text, at);
                if is_letter(glyph.code) {
                    return Some(at);
                }
                at += length;
            }
        }
    }
}

/// Hands the letters from `at` on, inside of a word, to `add`; tells where the word ends, without what is not there behind its
/// last letter.
pub(super) fn word_end(text: &str, mut at: usize, add: &mut impl FnMut(u8)) -> usize {
    let mut end = at;
    while at < text.len() {
        let (glyph, length) = glyph(text, at);
        at += length;
        if is_letter(glyph.code) {
            end = at;
            add(glyph.code);
            if let Some(second) = glyph.second {
                add(second);
            }
        } else if glyph.code != NOTHING {
            break;
        }
    }
    end
}

/// The code of a letter or digit of ASCII; of any other byte, that of a gap.
#[inline]
pub(super) fn plain_letter(byte: u8) -> u8 {
    ASCII_LETTERS[usize::from(byte)]
}

/// Whether a word may go on with a byte.
#[inline]
pub(super) fn may_go_on(byte: u8) -> bool {
    byte >= 128
        || matches!(byte, b'<' | b'.')
        || matches!(ASCII[usize::from(byte)], NOTHING | 1..=OTHER)
}

/// The codes of the letters and digits of ASCII; of all other bytes, none.
const ASCII_LETTERS: [u8; 256] = {
    let mut codes = [GAP; 256];
    let mut byte = 0;
    while byte < 128 {
        if is_letter(ASCII[byte]) {
            codes[byte] = ASCII[byte];
        }
        byte += 1;
    }
    codes
};

fn longer(text: &str, at: usize) -> (Glyph, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.chars().next() else {
        return (plain(BREAK), 1);
    };
    match first {
        '<' => tag(rest).map_or((plain(BREAK), 1), |(code, length)| (plain(code), length)),
        '.' => (plain(point(text, at)), 1),
        other => (folded(other), other.len_utf8()),
    }
}

/// A point between single letters belongs to their abbreviation: `V.I.H.`
fn point(text: &str, at: usize) -> u8 {
    let bytes = text.as_bytes();
    let is_letter = |index: Option<usize>| {
        index
            .and_then(|index| bytes.get(index))
            .is_some_and(u8::is_ascii_alphabetic)
    };
    let is_single = |index: usize, before: Option<usize>, behind: usize| {
        is_letter(Some(index)) && !is_letter(before) && !is_letter(Some(behind))
    };
    let before = at.checked_sub(1);
    let inside = before.is_some_and(|before| is_single(before, before.checked_sub(1), at))
        && is_single(at + 1, Some(at), at + 2);
    if inside { NOTHING } else { BREAK }
}

/// What the tag is that a text begins with, and its length.
pub(super) fn tag(rest: &str) -> Option<(u8, usize)> {
    let inside = rest.as_bytes().get(1..rest.len().min(TAG_BYTES_MAX))?;
    let length = memchr::memchr(b'>', inside)? + 2;
    let name = element(rest);
    match name {
        "" if !rest.starts_with("<!") => None,
        name if INLINE
            .iter()
            .any(|inline| inline.eq_ignore_ascii_case(name)) =>
        {
            Some((NOTHING, length))
        }
        _ => Some((BREAK, length)),
    }
}

/// The name of the element that a tag opens or closes.
fn element(tag: &str) -> &str {
    let inside = tag.trim_start_matches(['<', '/']);
    let end = inside
        .find(|character: char| !character.is_ascii_alphanumeric())
        .unwrap_or(inside.len());
    inside.get(..end).unwrap_or_default()
}

const LATIN_START: u32 = 0xc0;
const LATIN_END: u32 = 0x250;

/// The letters of Europe that are not ASCII's.
static LATIN: LazyLock<Vec<Glyph>> = LazyLock::new(|| {
    (LATIN_START..LATIN_END)
        .filter_map(char::from_u32)
        .map(composed)
        .collect()
});

#[inline]
fn folded(character: char) -> Glyph {
    match u32::from(character) {
        code @ LATIN_START..LATIN_END => {
            let index = usize::try_from(code - LATIN_START).ok();
            index
                .and_then(|index| LATIN.get(index))
                .copied()
                .unwrap_or(plain(OTHER))
        }
        _ => composed(character),
    }
}

fn composed(character: char) -> Glyph {
    let pair = |first: u8, second: u8| Glyph {
        code: ASCII[usize::from(first)],
        second: Some(ASCII[usize::from(second)]),
    };
    match character {
        'ß' | 'ẞ' => return pair(b's', b's'),
        'æ' | 'Æ' => return pair(b'a', b'e'),
        'œ' | 'Œ' => return pair(b'o', b'e'),
        'þ' | 'Þ' => return pair(b't', b'h'),
        'ø' | 'Ø' => return plain(ASCII[usize::from(b'o')]),
        'đ' | 'Đ' | 'ð' | 'Ð' => return plain(ASCII[usize::from(b'd')]),
        'ł' | 'Ł' => return plain(ASCII[usize::from(b'l')]),
        'ı' => return plain(ASCII[usize::from(b'i')]),
        '…' | '。' | '！' | '？' | '；' | '：' | '，' | '•' | '·' | '▪' | '¿' | '¡' =>
        {
            return plain(BREAK);
        }
        _ => {}
    }
    if is_combining_mark(character) || super::super::is_ignorable(character) {
        return plain(NOTHING);
    }
    let mut letters: [Option<u8>; 2] = [None; 2];
    let mut count = 0;
    decompose_compatible(character, |part| {
        let code = match u8::try_from(part) {
            Ok(byte) if byte < 128 => ASCII[usize::from(byte)],
            _ if is_combining_mark(part) => return,
            _ if part.is_alphanumeric() => OTHER,
            _ => GAP,
        };
        if let Some(letter) = letters.get_mut(count) {
            *letter = Some(code);
        }
        count += 1;
    });
    match letters {
        [Some(code), second] => Glyph {
            code,
            second: second.filter(|code| is_letter(*code)),
        },
        _ => plain(GAP),
    }
}

/// A phrase as it is compared: the codes of its letters, a gap between two words.
pub(super) fn codes(phrase: &str) -> Vec<u8> {
    let mut codes = Vec::with_capacity(phrase.len());
    let mut at = 0;
    while at < phrase.len() {
        let (glyph, length) = glyph(phrase, at);
        at += length;
        match glyph.code {
            NOTHING => {}
            code if is_letter(code) => {
                codes.push(code);
                codes.extend(glyph.second);
            }
            _ if codes.last().is_some_and(|last| *last != GAP) => codes.push(GAP),
            _ => {}
        }
    }
    if codes.last() == Some(&GAP) {
        codes.pop();
    }
    codes
}

/// A word as tables have it.
pub(super) fn spelled(word: &str) -> String {
    codes(word).into_iter().map(character).collect()
}

/// A code as a character, for words in tables: what `codes` took apart.
pub(super) fn character(code: u8) -> char {
    match code {
        1..=26 => char::from(b'a' + code - 1),
        27..=36 => char::from(b'0' + code - 27),
        GAP => ' ',
        _ => '\u{fffd}',
    }
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn case_accents_and_what_nobody_sees_make_no_difference() {
        for (text, meant) in [
            ("SÉROPOSITIF", "seropositif"),
            ("se\u{301}ro\u{ad}positif", "seropositif"),
            ("séro<b class=x>positif</b>", "seropositif"),
            ("l’œuvre  d'Église", "l oeuvre d eglise"),
            ("Straße, ŁÓDŹ", "strasse lodz"),
            ("V.I.H. +", "vih"),
            ("fin. a", "fin a"),
            ("ｆｕｌｌ 𝐛𝐨𝐥𝐝", "full bold"),
            ("a<br/>b<p>c", "a b c"),
            ("1 < 2 > x", "1 2 x"),
            ("rendez-vous", "rendez vous"),
        ] {
            assert_eq!(spelled(text), meant, "{text}");
        }
    }
}
