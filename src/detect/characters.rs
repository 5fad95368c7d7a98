//! What single characters mean to an identifier: digits and letters of every script that have an ASCII twin, and what
//! may stand between them.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::ignorable::is_ignorable;
use super::spelling::Glyph;

/// The zeros of all scripts; the other digits of each follow it (Unicode 17, general category Nd, but for ASCII's own).
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce,
    0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// Where letters begin that look like ASCII's, such as `ℝ`. Composed letters of living scripts stand before.
const LOOKALIKES_START: char = '\u{2100}';
/// Where digits and punctuation begin that are the same as ASCII's but for their width.
const WIDTHS_START: char = '\u{fb00}';

/// Whether the first byte of a character's UTF-8 may begin a digit that is none of ASCII's. In the languages of Europe few
/// characters begin so.
pub(super) const fn may_begin_digit(byte: u8) -> bool {
    matches!(byte, 0xd9..=0xe1 | 0xea | 0xef | 0xf0)
}

/// What an ASCII character is to an identifier, however it was spelled.
pub(super) const fn fold_ascii(byte: u8) -> Glyph {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' => Glyph::Symbol(byte),
        b'a'..=b'z' => Glyph::Symbol(byte.to_ascii_uppercase()),
        b'-' | b'.' | b'/' | b'_' | b',' | b':' => Glyph::Separator,
        0..=b' ' | 0x7f => Glyph::Separator,
        _ => Glyph::Other,
    }
}

/// What a character is to an identifier.
pub(super) fn fold(character: char) -> Glyph {
    if let Ok(byte) = u8::try_from(character)
        && byte.is_ascii()
    {
        return fold_ascii(byte);
    }
    if let Some(digit) = digit(character) {
        return Glyph::Symbol(digit);
    }
    if character.is_whitespace()
        || character.is_control()
        || is_ignorable(character)
        || is_dash_or_dot(character)
        || is_combining_mark(character)
    {
        return Glyph::Separator;
    }
    twin(character)
}

/// The ASCII twin of a digit of another script.
pub(super) fn digit(character: char) -> Option<u8> {
    let code = u32::from(character);
    let after = ZEROS.partition_point(|zero| *zero <= code);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    let value = u8::try_from(code - zero).ok().filter(|value| *value < 10)?;
    Some(b'0' + value)
}

/// The ASCII twin of a character that Unicode calls compatible with it (NFKC): `Ｆ`, `𝐅`, `ℝ`, `（`.
fn twin(character: char) -> Glyph {
    if character < LOOKALIKES_START {
        return Glyph::Other;
    }
    let (mut only, mut count) = (None, 0);
    decompose_compatible(character, |part| {
        only = u8::try_from(part).ok().filter(u8::is_ascii);
        count += 1;
    });
    match only.filter(|_| count == 1).map(fold_ascii) {
        // Digits in circles and the like number lists.
        Some(Glyph::Symbol(b'0'..=b'9')) if character < WIDTHS_START => Glyph::Other,
        Some(glyph) => glyph,
        None => Glyph::Other,
    }
}

fn is_dash_or_dot(character: char) -> bool {
    matches!(character, '\u{b7}' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::{ZEROS, fold, is_ignorable, may_begin_digit};
    use crate::detect::spelling::Glyph;

    #[test]
    fn digits_of_every_script_have_their_value() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10_u8 {
                let digit = char::from_u32(zero + u32::from(value)).unwrap();
                assert_eq!(fold(digit), Glyph::Symbol(b'0' + value), "{digit}");
                let mut bytes = [0; 4];
                let first = digit.encode_utf8(&mut bytes).as_bytes()[0];
                assert!(may_begin_digit(first), "{digit}");
            }
        }
    }

    #[test]
    fn nothing_is_a_digit_that_the_quick_look_does_not_count() {
        for character in '\u{80}'..=char::MAX {
            let mut bytes = [0; 4];
            let first = character.encode_utf8(&mut bytes).as_bytes()[0];
            if matches!(fold(character), Glyph::Symbol(b'0'..=b'9')) {
                assert!(may_begin_digit(first), "{character}");
                assert!(
                    character.is_numeric() || character > '\u{1cc00}',
                    "{character}"
                );
            }
        }
    }

    #[test]
    fn letters_of_other_styles_are_letters_and_words_stay_words() {
        for (character, letter) in [('Ｆ', b'F'), ('ｒ', b'R'), ('𝐅', b'F'), ('ℝ', b'R')] {
            assert_eq!(fold(character), Glyph::Symbol(letter), "{character}");
        }
        for character in ['é', 'ß', 'Ж', '漢', '①', '²', '½', '“', '€', '•'] {
            assert_eq!(fold(character), Glyph::Other, "{character}");
        }
        for character in [
            '\u{301}',
            '\u{fffe}',
            '\u{fdd0}',
            '\u{e000}',
            '\u{1fffe}',
            '\u{200d}',
            '\u{e0041}',
            '\u{a0}',
            '\u{2028}',
        ] {
            assert_eq!(fold(character), Glyph::Separator, "{character:?}");
        }
        assert!(!is_ignorable('a') && !is_ignorable('é') && is_ignorable('\u{10ffff}'));
    }
}
