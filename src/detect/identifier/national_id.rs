//! National identification numbers: a form, a check digit, and mostly a word before it.

use std::ops::Range;

use super::label;
use super::reader::{byte, byte_before, is_word, word_end};
use super::words::Words;

/// Bytes of the longest, in groups.
pub(super) const BYTES_MAX: usize = 22;

/// Digits of those that have the fewest, but for a group that holds letters.
const DIGITS_MIN: usize = 6;
/// Symbols of the longest: an Italian tax code.
const SYMBOLS_MAX: usize = 16;

/// A kind of number.
struct Number {
    /// Whether symbols are one.
    checks: fn(&[u8]) -> bool,
    symbols: usize,
    /// Words that announce it.
    words: Words,
    /// Sizes of the groups with which it needs no such word.
    sure: &'static [&'static [usize]],
}

#[rustfmt::skip]
static NUMBERS: &[Number] = &[
    Number { checks: is_fiscal_code, symbols: 16, words: Words::new(&[]), sure: &[&[16], &[6, 2, 3, 5], &[3, 3, 5, 5], &[6, 5, 5], &[3, 3, 2, 3, 5], &[3, 3, 5, 4, 1], &[6, 5, 4, 1]] },
    Number { checks: is_dni, symbols: 9, words: Words::new(&["dni", "documento", "identidad", "nie", "nif"]), sure: &[&[9], &[8, 1], &[1, 7, 1], &[2, 3, 3, 1], &[1, 1, 3, 3, 1]] },
    Number { checks: is_avs, symbols: 13, words: Words::new(&["ahv", "ahvn13", "assure", "avs", "navs", "navs13", "oasi", "sozialversicherung*", "versicherten*"]), sure: &[&[3, 4, 4, 2]] },
    Number { checks: is_belgian, symbols: 11, words: Words::new(&["bis", "insz", "nationaal", "national", "niss", "nn", "registre", "rijksregister*", "rrn"]), sure: &[&[2, 2, 2, 3, 2], &[6, 3, 2]] },
    Number { checks: is_tax_id, symbols: 11, words: Words::new(&["fiscal", "identifikationsnummer", "idnr", "steuer*", "steuerid", "stid", "tax", "tin"]), sure: &[] },
    Number { checks: is_pesel, symbols: 11, words: Words::new(&["pesel"]), sure: &[] },
    Number { checks: is_bsn, symbols: 9, words: Words::new(&["bsn", "burgerservice*", "burgerservicenr", "sofi*"]), sure: &[] },
    Number { checks: is_nino, symbols: 9, words: Words::new(&["insurance", "national", "ni", "nin", "nino"]), sure: &[&[2, 2, 2, 2, 1]] },
    Number { checks: is_pps, symbols: 8, words: Words::new(&["pps*", "ppsn"]), sure: &[] },
    Number { checks: is_pps, symbols: 9, words: Words::new(&["pps*", "ppsn"]), sure: &[] },
    Number { checks: is_portuguese, symbols: 9, words: Words::new(&["contribuinte", "fiscal", "nif"]), sure: &[] },
    Number { checks: is_austrian, symbols: 10, words: Words::new(&["sozialversicherungsnummer", "sv", "svn", "svnr", "versicherungsnummer"]), sure: &[] },
    Number { checks: is_luxembourgish, symbols: 13, words: Words::new(&["cns", "identification", "matricule", "matrikel*", "national"]), sure: &[] },
    Number { checks: is_german_pension, symbols: 12, words: Words::new(&["rentenversicherung*", "rvnr", "sozialversicherung*", "sv", "svnr", "versicherungsnummer"]), sure: &[] },
    Number { checks: is_french_card, symbols: 12, words: Words::new(&["cni", "identite"]), sure: &[] },
];

/// Whether a text is a number of some country and nothing else.
pub(super) fn is_national_id(value: &str) -> bool {
    let symbols: Vec<u8> = value
        .bytes()
        .filter(|byte| !b" .-/".contains(byte))
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    NUMBERS
        .iter()
        .any(|number| symbols.len() == number.symbols && (number.checks)(&symbols))
}

/// Letters and digits in groups.
struct Symbols {
    symbols: [u8; SYMBOLS_MAX],
    length: usize,
    sizes: [usize; 6],
    groups: usize,
    end: usize,
}

/// The number whose first figure this is.
pub(super) fn at(text: &[u8], figure: &Range<usize>, digits: usize) -> Option<Range<usize>> {
    if digits < DIGITS_MIN && figure.len() < DIGITS_MIN - 1 {
        return None;
    }
    starts(text, figure).find_map(|start| number_at(text, start).map(|end| start..end))
}

/// Where a number with this first figure may begin: there, or with the letters before it.
fn starts(text: &[u8], figure: &Range<usize>) -> impl Iterator<Item = usize> {
    let letters_before = |at: usize| {
        let blank = at
            .checked_sub(1)
            .filter(|at| matches!(text[*at], b' ' | b'-'))?;
        let count = text[..blank]
            .iter()
            .rev()
            .take(7)
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let start = blank - count;
        let is_whole = matches!(count, 1..=3 | 6) && !is_word(byte_before(text, start));
        is_whole.then_some(start)
    };
    let first = letters_before(figure.start);
    let second = first.and_then(letters_before);
    [second, first, Some(figure.start)].into_iter().flatten()
}

fn number_at(text: &[u8], start: usize) -> Option<usize> {
    let before = byte_before(text, start);
    if matches!(before, b'/' | b'_' | b'=' | b'#' | b'@' | b'+')
        || (matches!(before, b'-' | b'.') && is_word(byte_before(text, start - 1)))
    {
        return None;
    }
    let mut found = Symbols {
        symbols: [0; SYMBOLS_MAX],
        length: 0,
        sizes: [0; 6],
        groups: 0,
        end: start,
    };
    let mut best = None;
    let mut at = start;
    while found.groups < found.sizes.len() {
        let end = word_end(text, at);
        let word = text.get(at..end)?;
        if word.is_empty()
            || found.length + word.len() > SYMBOLS_MAX
            || !word.iter().all(u8::is_ascii_alphanumeric)
        {
            break;
        }
        for (place, byte) in found.symbols[found.length..].iter_mut().zip(word) {
            *place = byte.to_ascii_uppercase();
        }
        found.length += word.len();
        found.sizes[found.groups] = word.len();
        found.groups += 1;
        found.end = end;
        if is_one(text, start, &found) {
            best = Some(end);
        }
        if !matches!(byte(text, end), b' ' | b'.' | b'-' | b'/') || !is_word(byte(text, end + 1)) {
            break;
        }
        at = end + 1;
    }
    let end = best?;
    let goes_on =
        matches!(byte(text, end), b'-' | b'_' | b'/' | b'@') && is_word(byte(text, end + 1));
    (!goes_on).then_some(end)
}

/// Whether symbols that begin at `start` are a number of some country.
fn is_one(text: &[u8], start: usize, found: &Symbols) -> bool {
    let symbols = &found.symbols[..found.length];
    let sizes = &found.sizes[..found.groups];
    let mut numbers = NUMBERS
        .iter()
        .filter(|number| number.symbols == found.length && (number.checks)(symbols));
    numbers.any(|number| match said(text, start, number) {
        Said::This => true,
        Said::Nothing => number.sure.contains(&sizes) && is_capital(text, start, found.end),
        Said::Other => false,
    })
}

fn is_capital(text: &[u8], start: usize, end: usize) -> bool {
    let part = &text[start..end];
    let letters = part.iter().filter(|byte| byte.is_ascii_alphabetic());
    !letters.clone().any(u8::is_ascii_lowercase) || (letters.count() > 8 && !part.contains(&b' '))
}

/// What the words before a number say.
enum Said {
    This,
    Other,
    Nothing,
}

fn said(text: &[u8], start: usize, number: &Number) -> Said {
    for (place, word) in label::words_before(text, start).take(6).enumerate() {
        if number.words.hold(word) {
            return Said::This;
        }
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits > 4 {
            break;
        }
        if place < 3 && label::before(text, start) == Some(label::Label::Other) {
            return match number.words.all().is_empty() {
                true => Said::Nothing,
                false if OTHERS.hold(word) => Said::Other,
                false => continue,
            };
        }
    }
    match label::before(text, start) {
        Some(label::Label::Other) if !number.words.all().is_empty() => Said::Other,
        _ => Said::Nothing,
    }
}

/// Words of numbers that are nobody's.
#[rustfmt::skip]
static OTHERS: Words = Words::new(&[
    "cif", "ean", "imei", "iva", "ref", "serial", "serie", "siren", "siret", "tva", "vat",
]);

fn digits(symbols: &[u8]) -> Option<u64> {
    symbols.iter().try_fold(0_u64, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u64::from(digit - b'0'))
    })
}

fn weighted(symbols: &[u8], weights: &[u32]) -> u32 {
    let pairs = symbols.iter().zip(weights);
    pairs
        .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum()
}

/// Spain: eight digits and a letter; of foreigners the first digit is one of three letters.
fn is_dni(symbols: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let [first, middle @ .., last] = symbols else {
        return false;
    };
    let first = match first {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        digit if digit.is_ascii_digit() => u64::from(digit - b'0'),
        _ => return false,
    };
    digits(middle).is_some_and(|rest| {
        let value = first * 10_000_000 + rest;
        value > 0 && usize::try_from(value % 23).is_ok_and(|place| LETTERS[place] == *last)
    })
}

/// Italy: six letters of the name, the date of birth, the place, a check letter; digits may have become letters.
fn is_fiscal_code(symbols: &[u8]) -> bool {
    const FORM: &[u8; 16] = b"AAAAAA00M00A000A";
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let fits = symbols.len() == FORM.len()
        && symbols.iter().zip(FORM).all(|(symbol, form)| match form {
            b'A' => symbol.is_ascii_uppercase(),
            b'0' => symbol.is_ascii_digit() || b"LMNPQRSTUV".contains(symbol),
            _ => b"ABCDEHLMPRST".contains(symbol),
        });
    if !fits
        || symbols
            .iter()
            .filter(|symbol| symbol.is_ascii_digit())
            .count()
            < 3
    {
        return false;
    }
    let sum: u32 = symbols[..15]
        .iter()
        .enumerate()
        .map(|(place, symbol)| {
            let value = match symbol.is_ascii_digit() {
                true => symbol - b'0',
                false => symbol - b'A',
            };
            match place % 2 {
                0 => ODD[usize::from(value)],
                _ => u32::from(value),
            }
        })
        .sum();
    u32::from(symbols[15] - b'A') == sum % 26
}

/// Germany's tax number: one digit twice or three times among the first ten, and a check digit (ISO 7064, mod 11,10).
fn is_tax_id(symbols: &[u8]) -> bool {
    if symbols.len() != 11 || digits(symbols).is_none() || symbols[0] == b'0' {
        return false;
    }
    let mut counts = [0; 10];
    let mut product = 10;
    for digit in &symbols[..10] {
        let digit = u32::from(digit - b'0');
        counts[digit as usize] += 1;
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let most = counts.iter().max().copied().unwrap_or_default();
    let check = match 11 - product {
        10 => 0,
        check => check,
    };
    repeated == 1 && (2..=3).contains(&most) && u32::from(symbols[10] - b'0') == check
}

/// The Netherlands: nine digits, the eleven-test.
fn is_bsn(symbols: &[u8]) -> bool {
    symbols.len() == 9
        && digits(symbols).is_some_and(|value| value > 0)
        && weighted(&symbols[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == u32::from(symbols[8] - b'0')
}

/// Poland: date of birth, number, check digit.
fn is_pesel(symbols: &[u8]) -> bool {
    let Some(date) = symbols.get(..6).and_then(digits) else {
        return false;
    };
    let (month, day) = (date / 100 % 100 % 20, date % 100);
    symbols.len() == 11
        && digits(symbols).is_some()
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (10 - weighted(&symbols[..10], &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10
            == u32::from(symbols[10] - b'0')
}

/// The United Kingdom: two letters, six digits, a letter.
fn is_nino(symbols: &[u8]) -> bool {
    let [a, b, number @ .., last] = symbols else {
        return false;
    };
    let prefix = [*a, *b];
    let is_given = ![*b"BG", *b"GB", *b"NK", *b"KN", *b"TN", *b"NT", *b"ZZ"].contains(&prefix);
    is_given
        && a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
        && !b"DFIQUV".contains(a)
        && !b"DFIOQUV".contains(b)
        && number.len() == 6
        && digits(number).is_some()
        && (b'A'..=b'D').contains(last)
}

/// Switzerland: 756 and a check digit like that of an EAN.
fn is_avs(symbols: &[u8]) -> bool {
    symbols.starts_with(b"756")
        && symbols.len() == 13
        && digits(symbols).is_some()
        && (10 - weighted(&symbols[..12], &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10) % 10
            == u32::from(symbols[12] - b'0')
}

/// Belgium: date of birth, number, two check digits; of those born since 2000 with a 2 before.
fn is_belgian(symbols: &[u8]) -> bool {
    let (Some(body), Some(check), Some(date)) = (
        symbols.get(..9).and_then(digits),
        symbols.get(9..11).and_then(digits),
        symbols.get(..6).and_then(digits),
    ) else {
        return false;
    };
    let (month, day) = (date / 100 % 100 % 20, date % 100);
    month <= 12
        && day <= 31
        && (97 - body % 97 == check || 97 - (2_000_000_000 + body) % 97 == check)
}

/// Ireland: seven digits, a check letter, perhaps another letter.
fn is_pps(symbols: &[u8]) -> bool {
    let Some((number, letters)) = symbols
        .split_at_checked(7)
        .filter(|(number, _)| digits(number).is_some())
    else {
        return false;
    };
    let second = match letters {
        [_] => 0,
        [_, letter] if letter.is_ascii_uppercase() => match letter {
            b'W' => 0,
            letter => u32::from(letter - b'A') + 1,
        },
        _ => return false,
    };
    let sum = weighted(number, &[8, 7, 6, 5, 4, 3, 2]) + second * 9;
    let check = match sum % 23 {
        0 => b'W',
        rest => b'A' + u8::try_from(rest - 1).unwrap_or_default(),
    };
    letters[0] == check
}

/// Portugal's tax number of a person.
fn is_portuguese(symbols: &[u8]) -> bool {
    if symbols.len() != 9 || digits(symbols).is_none() || !b"1234".contains(&symbols[0]) {
        return false;
    }
    let check = match weighted(&symbols[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    u32::from(symbols[8] - b'0') == check
}

/// Austria's social insurance: three digits, a check digit, date of birth.
fn is_austrian(symbols: &[u8]) -> bool {
    if symbols.len() != 10 || digits(symbols).is_none() || symbols[0] == b'0' {
        return false;
    }
    let sum = weighted(&symbols[..3], &[3, 7, 9]) + weighted(&symbols[4..], &[5, 8, 4, 2, 1, 6]);
    sum % 11 == u32::from(symbols[3] - b'0')
}

/// Luxembourg: date of birth, number, two check digits, of which the first is Luhn's.
fn is_luxembourgish(symbols: &[u8]) -> bool {
    let Some(date) = symbols.get(..8).and_then(digits) else {
        return false;
    };
    symbols.len() == 13
        && digits(symbols).is_some()
        && (1850..2100).contains(&(date / 10_000))
        && (1..=12).contains(&(date / 100 % 100))
        && (1..=31).contains(&(date % 100))
        && super::card::passes_luhn(&symbols[..12])
}

/// Germany's pension insurance: area, date of birth, letter of the name, number, check digit.
fn is_german_pension(symbols: &[u8]) -> bool {
    let (Some(head), Some(letter), Some(tail)) =
        (symbols.get(..8), symbols.get(8), symbols.get(9..12))
    else {
        return false;
    };
    if digits(head).is_none() || digits(tail).is_none() || !letter.is_ascii_uppercase() {
        return false;
    }
    let place = letter - b'A' + 1;
    let mut all = [0; 12];
    all[..8].copy_from_slice(head);
    all[8] = b'0' + place / 10;
    all[9] = b'0' + place % 10;
    all[10..].copy_from_slice(&tail[..2]);
    let sum: u32 = all
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(digit, weight)| {
            let product = u32::from(digit - b'0') * weight;
            product / 10 + product % 10
        })
        .sum();
    sum % 10 == u32::from(tail[2] - b'0')
}

/// The former French identity card: twelve digits, year and month of issue first.
fn is_french_card(symbols: &[u8]) -> bool {
    let month = symbols.get(2..4).and_then(digits);
    digits(symbols).is_some() && month.is_some_and(|month| (1..=12).contains(&month))
}
