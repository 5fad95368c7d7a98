//! The French national identification number (NIR): sex, year, month, department, commune, order, key.

use std::borrow::Cow;
use std::ops::Range;

use super::super::escapes;
use super::super::spelling::{self, Glyph, Stretch};

/// Length with the key.
const SYMBOLS: usize = 15;
/// Length without the key.
const BODY: usize = SYMBOLS - 2;

/// The place of the number that begins at `start`, if one does, with its key directly behind it or behind the word for it.
pub(super) fn at(text: &str, stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    if !matches!(stretch.symbols.get(start)?, b'1'..=b'4' | b'7' | b'8') {
        return None;
    }
    match with_key_at(stretch, start) {
        Some(symbols) => stretch.range(symbols),
        None => with_worded_key_at(text, stretch, start),
    }
}

/// The same with the word for the key: `clé 38`, `(clef : 38)`.
fn with_worded_key_at(text: &str, stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    let body = stretch.symbols.get(start..start + BODY)?;
    if stretch
        .symbols
        .get(start + BODY)
        .is_some_and(u8::is_ascii_digit)
    {
        return None;
    }
    let is_body = body.iter().enumerate().all(|(place, symbol)| {
        symbol.is_ascii_digit() || (place == 6 && matches!(symbol, b'A' | b'B'))
    });
    if !is_body || touches(stretch, start, start.wrapping_sub(1)) {
        return None;
    }
    let range = stretch.range(start..start + BODY)?;
    let (key, length) = worded_key(text.get(range.end..)?)?;
    let mut symbols = [0; SYMBOLS];
    symbols[..BODY].copy_from_slice(body);
    symbols[BODY..].copy_from_slice(&key);
    is_nir(&symbols).then_some(range.start..range.end + length)
}

/// The key behind the word for it, and where it ends.
fn worded_key(rest: &str) -> Option<([u8; 2], usize)> {
    let (mut word, mut letters, mut at) = ([0; 5], 0, 0);
    let mut gap = 0;
    while letters < word.len() {
        let (glyph, length) = spelling::glyph(rest, at);
        let letter = match glyph {
            Glyph::Symbol(symbol) => symbol,
            _ if is_sharp_e(rest.get(at..)?) => b'E',
            _ => {
                gap += 1;
                let is_between =
                    glyph != Glyph::Other || spelling::has_joint(rest.get(at..at + length)?);
                if gap > GAP_MAX || !is_between {
                    return None;
                }
                at += length;
                continue;
            }
        };
        // `clef` has one letter more than `clé`; a word that goes on is another one.
        let length = match glyph {
            Glyph::Symbol(_) => length,
            _ => sharp_e_length(rest.get(at..)?),
        };
        let fits = match letters {
            0 => matches!(letter, b'C' | b'K'),
            1 => letter == if word[0] == b'C' { b'L' } else { b'E' },
            2 => letter == if word[0] == b'C' { b'E' } else { b'Y' },
            3 if letter == b'F' => {
                at += length;
                continue;
            }
            _ => letter.is_ascii_digit(),
        };
        if !fits {
            return None;
        }
        word[letters] = letter;
        letters += 1;
        at += length;
    }
    let is_longer =
        matches!(spelling::glyph(rest, at), (Glyph::Symbol(b'0'..=b'9'), _)) && at < rest.len();
    (!is_longer).then_some(([word[3], word[4]], at))
}

/// What may stand between the number, the word and the key.
const GAP_MAX: usize = 16;

fn is_sharp_e(rest: &str) -> bool {
    sharp_e_length(rest) > 0
}

/// Bytes of the `é` that a text begins with.
fn sharp_e_length(rest: &str) -> usize {
    match rest.chars().next() {
        Some(letter @ ('é' | 'É' | 'è' | 'ê')) => letter.len_utf8(),
        Some('&' | '%') => match escapes::escape(rest) {
            Some((meant, length)) if matches!(&*meant, "é" | "É") => length,
            _ => 0,
        },
        _ => 0,
    }
}

/// The letters and digits of a value that is one number, without its grouping and the word for the key.
pub(super) fn compact(value: &str) -> Option<Cow<'_, str>> {
    if let Some(symbols) = spelling::compact(value) {
        return Some(match symbols.len() > SYMBOLS {
            true => Cow::Owned(
                symbols
                    .replace("CLEF", "")
                    .replace("CLE", "")
                    .replace("KEY", ""),
            ),
            false => symbols,
        });
    }
    let mut found = None;
    spelling::stretches(value, |_| true, &mut |stretch| {
        if found.is_none() && stretch.range(0..1).is_some_and(|range| range.start == 0) {
            found = with_worded_key_at(value, stretch, 0);
        }
    });
    found.filter(|range| range.end == value.trim_end_matches([')', ']', ' ']).len())?;
    let symbols: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = symbols.to_ascii_uppercase();
    Some(Cow::Owned(
        letters
            .replace("CLEF", "")
            .replace("CLE", "")
            .replace("CLF", "")
            .replace("CL", "")
            .replace("KEY", ""),
    ))
}

/// Whether symbols are a NIR with the right key: sex, year, month, department (2A and 2B in Corsica), commune, order, key.
pub(super) fn is_nir(symbols: &[u8]) -> bool {
    if !is_shaped(symbols) {
        return false;
    }
    let Some((number, key)) = symbols
        .split_at_checked(SYMBOLS - 2)
        .filter(|(_, key)| key.len() == 2)
    else {
        return false;
    };
    let corsican = match number.get(5..7) {
        Some(b"2A") => Some(*b"19"),
        Some(b"2B") => Some(*b"18"),
        _ => None,
    };
    let mut digits = [0; SYMBOLS - 2];
    digits.copy_from_slice(number);
    if let (Some(stand_in), Some(department)) = (corsican, digits.get_mut(5..7)) {
        department.copy_from_slice(&stand_in);
    }
    let (Some(value), Some(key), Some(month)) = (
        decimal(&digits),
        decimal(key),
        number.get(3..5).and_then(decimal),
    ) else {
        return false;
    };
    matches!(
        number.first(),
        Some(b'1' | b'2' | b'3' | b'4' | b'7' | b'8')
    ) && matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
        && key == 97 - value % 97
        && (!is_provisional(number) || (month <= 12 && !is_device(symbols)))
}

/// Whether a number is one of those that are given until there is a certificate of birth.
fn is_provisional(number: &[u8]) -> bool {
    matches!(number.first(), Some(b'3' | b'4' | b'7' | b'8'))
}

/// Whether symbols are the number of a mobile phone (IMEI), which has a checksum of its own.
fn is_device(symbols: &[u8]) -> bool {
    matches!(symbols, [b'3', b'5', ..] | [b'8', b'6', ..]) && super::card::passes_luhn(symbols)
}

/// Whether symbols are as many digits as a NIR has, the second of its department perhaps an A or B.
pub(super) fn is_shaped(symbols: &[u8]) -> bool {
    symbols.len() == SYMBOLS
        && symbols.iter().enumerate().all(|(place, symbol)| {
            symbol.is_ascii_digit() || (place == 6 && matches!(symbol, b'A' | b'B'))
        })
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u64::from(digit - b'0'))
    })
}

/// The NIR that begins at `start`, if one does. Directly before and after it stands no digit.
fn with_key_at(stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    let end = start + SYMBOLS;
    let symbols = stretch.symbols.get(start..end)?;
    let alone = !touches(stretch, start, start.wrapping_sub(1)) && !touches(stretch, end, end);
    (alone && is_nir(symbols) && !is_part(stretch, &(start..end))).then_some(start..end)
}

/// Whether digits in groups that are none of a NIR go on before or behind it: it is a part of a longer number.
fn is_part(stretch: &Stretch, nir: &Range<usize>) -> bool {
    let is_digit = |place: Option<usize>| {
        place
            .and_then(|place| stretch.symbols.get(place))
            .is_some_and(u8::is_ascii_digit)
    };
    let goes_on = is_digit(nir.start.checked_sub(1)) || is_digit(Some(nir.end));
    goes_on && !has_usual_groups(&stretch.groups(nir))
}

fn has_usual_groups(groups: &[usize]) -> bool {
    let ends = groups.iter().scan(0, |end, group| {
        *end += group;
        Some(*end)
    });
    ends.into_iter().all(|end| ENDS.contains(&end))
}

/// The NIR that begins at `start` in the groups in which it is written, or digit by digit.
pub(super) fn regular_at(stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    let nir = with_key_at(stretch, start)?;
    let groups = stretch.groups(&nir);
    let is_usual = has_usual_groups(&groups);
    let one_by_one = groups.iter().all(|group| *group == 1);
    (stretch.stand_alone(&nir) && (is_usual || one_by_one)).then_some(nir)
}

/// Where the parts of a NIR end: sex, year, month, department, commune, order, key.
const ENDS: [usize; 7] = [1, 3, 5, 7, 10, 13, SYMBOLS];

/// Whether a digit touches the symbol at `index`.
fn touches(stretch: &Stretch, index: usize, neighbour: usize) -> bool {
    stretch.joined(index)
        && stretch
            .symbols
            .get(neighbour)
            .is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::{compact, is_nir, worded_key};

    #[test]
    fn a_nir_is_checked_with_its_key_in_corsica_too() {
        assert!(is_nir(b"255081416802538"));
        assert!(!is_nir(b"255081416802539"));
        assert!(!is_nir(b"2550814168025"));
        // 1 84 05 2A 004 001: the key is computed with 19 in place of 2A.
        let key = 97 - 1_840_519_004_001_u64 % 97;
        assert!(is_nir(format!("184052A004001{key:02}").as_bytes()));
        let key = 97 - 1_840_518_004_001_u64 % 97;
        assert!(is_nir(format!("184052B004001{key:02}").as_bytes()));
        assert!(!is_nir(format!("184052C004001{key:02}").as_bytes()));
    }

    #[test]
    fn a_month_that_no_registry_gives_is_no_nir() {
        let key = 97 - 1_841_375_004_001_u64 % 97;
        assert!(!is_nir(format!("1841375004001{key:02}").as_bytes()));
    }

    #[test]
    fn a_key_stands_behind_its_word() {
        for text in [
            " clé 38",
            " clef: 38",
            "(CLÉ 38)",
            "\ncle=38 x",
            " cl&eacute; 38",
            " key 38.",
            " clé n 38",
        ] {
            let found = worded_key(text).map(|(key, _)| key);
            assert_eq!(
                found,
                Some(*b"38").filter(|_| !text.contains(" n ")),
                "{text}"
            );
        }
        assert_eq!(worded_key(" clé 381"), None);
        assert_eq!(worded_key(" client 38"), None);
        assert_eq!(
            compact("2 55 08 14 168 025 clé 38").as_deref(),
            Some("255081416802538")
        );
        assert_eq!(
            compact("2550814168025 (clef 38").as_deref(),
            Some("255081416802538")
        );
    }
}
