//! Masks and tokens: pure functions from a value to its partial form.

use std::borrow::Cow;

use crate::detect::{self, Kind};

mod number;
mod placeholder;
mod token;

pub use placeholder::{Placeholder, placeholders, placeholders_with};
pub use token::Tokenizer;

/// The character that stands for one that is not shown.
const BULLET: char = '•';

/// What stands for a hidden part of any length.
const BULLETS: &str = "••••";

/// The partial form of a value that a category owns.
#[derive(Clone, Debug, PartialEq)]
pub enum Mask {
    /// Country, check digits and the last four characters: `FR76 •••• •••• •••• •••• •••0 189`.
    Iban,
    /// The first four characters: `BNPA••••`.
    Bic,
    /// The last four digits: `•••• •••• •••• 1234`.
    Card,
    /// Initials: `M. T.`
    Initials,
    /// First letter and domain: `j•••@example.org`.
    Mail,
    /// The last N characters that are letters or digits: `•••• 11`.
    Last(usize),
    /// The first N characters that are letters or digits: `06••••`.
    First(usize),
    /// The year of a date: `1984`.
    Year,
    /// The first of January of the date's year: `1984-01-01`.
    YearAsDate,
    /// The department of a French postcode, else the value itself if it is a country code or name of at most three characters.
    Department,
    /// A number rounded to a multiple of N, and to two significant digits (also for JSON numbers).
    Round(u64),
    /// A fixed text.
    Constant(String),
}

impl Mask {
    /// The masked form of a string; `None` where the value does not fit the mask, or where the mask would show more
    /// than half of its letters and digits: then it is redacted. A blank stays blank.
    ///
    /// The half is of the whole value, but of the part before the `@` for [`Mask::Mail`]. It does not apply where the
    /// form is not made of the value's own characters: a department, a rounded number, a fixed text.
    pub fn apply(&self, value: &str) -> Option<String> {
        let mut masked = Vec::new();
        let is_masked = self.apply_to(value, &mut masked);
        String::from_utf8(masked).ok().filter(|_| is_masked)
    }

    /// Appends the masked form of a string, as [`Self::apply`] says it; `false` where there is none, and then appends
    /// nothing. What is appended is UTF-8.
    pub fn apply_to(&self, value: &str, masked: &mut Vec<u8>) -> bool {
        let before = masked.len();
        let is_masked = self.form(value, masked).is_some();
        if !is_masked {
            masked.truncate(before);
        }
        is_masked
    }

    fn form(&self, value: &str, masked: &mut Vec<u8>) -> Option<()> {
        let is_visible = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
        let bytes = value.as_bytes();
        let trimmed = if is_visible(bytes.first()) && is_visible(bytes.last()) {
            value
        } else {
            value.trim()
        };
        if trimmed.is_empty() {
            put(masked, value);
            return Some(());
        }
        match self {
            Self::Iban => return iban(trimmed, masked),
            Self::Bic => {
                let symbols = compact(trimmed, Kind::Bic)?;
                put(masked, symbols.get(..4)?);
                put(masked, BULLETS);
            }
            Self::Card => {
                let symbols = compact(trimmed, Kind::Card)?;
                put(masked, "•••• •••• •••• ");
                put(masked, symbols.get(symbols.len().checked_sub(4)?..)?);
            }
            Self::Initials => return initials(trimmed, masked),
            Self::Mail => return mail(trimmed, masked),
            Self::Last(0) => {
                at_most_half(trimmed, 0)?;
                put(masked, BULLETS);
            }
            Self::Last(count) => {
                let half = last(trimmed, count.saturating_mul(2))?;
                put(masked, "•••• ");
                let shown = last(half, *count)?;
                for character in significant(shown) {
                    put_char(masked, character);
                }
            }
            Self::First(count) => {
                at_most_half(trimmed, *count)?;
                let shown = significant(trimmed).take(*count);
                shown.for_each(|c| put_char(masked, c));
                put(masked, BULLETS);
            }
            Self::Year => put(masked, year(trimmed)?),
            Self::YearAsDate => {
                put(masked, year(trimmed)?);
                put(masked, "-01-01");
            }
            Self::Department => put(masked, &department(trimmed)?),
            Self::Round(step) => put(masked, &number::round(trimmed, *step)?),
            Self::Constant(text) => put(masked, text),
        }
        Some(())
    }

    /// The masked form of a JSON number, given and returned as its spelling; `None` if this is no mask for numbers.
    pub fn apply_number(&self, spelling: &str) -> Option<String> {
        match self {
            Self::Round(step) => number::round(spelling, *step),
            _ => None,
        }
    }
}

fn put(masked: &mut Vec<u8>, text: &str) {
    masked.extend_from_slice(text.as_bytes());
}

#[inline]
fn put_char(masked: &mut Vec<u8>, character: char) {
    if character.is_ascii() {
        masked.push(character as u8);
    } else {
        put(masked, character.encode_utf8(&mut [0; 4]));
    }
}

/// The compacted value, if it has the length and the characters of this kind. Its checksum may be wrong: a mistyped
/// number is masked like a right one.
fn compact(value: &str, kind: Kind) -> Option<Cow<'_, str>> {
    detect::compact(value).filter(|symbols| kind.is_shaped(symbols))
}

/// The letters and digits of a value.
fn significant(value: &str) -> impl Iterator<Item = char> {
    value.chars().filter(|c| c.is_alphanumeric())
}

/// The end of a value that holds just so many letters and digits; `None` if the value does not hold as many, or `count`
/// is 0.
fn last(value: &str, count: usize) -> Option<&str> {
    let mut left = Some(count).filter(|count| *count > 0)?;
    for (start, byte) in value.bytes().enumerate().rev() {
        match WEIGHTS[usize::from(byte)] {
            OF_SEVERAL_BYTES => {
                let mut symbols = value
                    .char_indices()
                    .rev()
                    .filter(|(_, c)| c.is_alphanumeric());
                let (start, _) = symbols.nth(count - 1)?;
                return value.get(start..);
            }
            weight => left -= usize::from(weight),
        }
        if left == 0 {
            return value.get(start..);
        }
    }
    None
}

/// By byte: 1 for letters and digits, 0 for other characters of ASCII.
static WEIGHTS: [u8; 256] = {
    let mut weights = [OF_SEVERAL_BYTES; 256];
    let mut byte = 0;
    while byte < 128 {
        weights[byte] = (byte as u8).is_ascii_alphanumeric() as u8;
        byte += 1;
    }
    weights
};

/// A byte of a character that has several.
const OF_SEVERAL_BYTES: u8 = u8::MAX;

/// `None` if `shown` letters and digits would be more than half of those that a value has, or it has none.
fn at_most_half(value: &str, shown: usize) -> Option<()> {
    // Counted from the end, and no further than needed.
    last(value, shown.saturating_mul(2).max(1)).map(|_| ())
}

fn iban(value: &str, masked: &mut Vec<u8>) -> Option<()> {
    let symbols = compact(value, Kind::Iban)?;
    if symbols.len() < 16 {
        return None;
    }
    let last_shown = symbols.len() - 4;
    put(masked, symbols.get(..4)?);
    let mut place = 4;
    while place + 4 <= last_shown {
        put(masked, " ••••");
        place += 4;
    }
    for (place, symbol) in symbols.bytes().enumerate().skip(place) {
        if place % 4 == 0 {
            masked.push(b' ');
        }
        match place < last_shown {
            true => put_char(masked, BULLET),
            false => masked.push(symbol),
        }
    }
    Some(())
}

fn initials(value: &str, masked: &mut Vec<u8>) -> Option<()> {
    let letters = || {
        let words = value.split_whitespace();
        words.filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
    };
    at_most_half(value, letters().count())?;
    for (place, letter) in letters().enumerate() {
        if place > 0 {
            masked.push(b' ');
        }
        letter.to_uppercase().for_each(|c| put_char(masked, c));
        masked.push(b'.');
    }
    letters().next().map(|_| ())
}

fn mail(value: &str, masked: &mut Vec<u8>) -> Option<()> {
    let (local, domain) = value.split_once('@')?;
    let fits = !local.contains(char::is_whitespace) && is_domain(domain);
    at_most_half(local, 1).filter(|_| fits)?;
    put_char(masked, significant(local).next()?);
    put(masked, "•••@");
    put(masked, domain);
    Some(())
}

/// Labels of letters, digits and hyphens with a dot between each two, ending in a letter or digit.
fn is_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && label.starts_with(char::is_alphanumeric)
                && label.ends_with(char::is_alphanumeric)
        })
}

/// The year of `1984-05-12`, with or without a time behind it.
fn year(value: &str) -> Option<&str> {
    let date = value.get(..10)?;
    let fits = date.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let ends = matches!(value.as_bytes().get(10), None | Some(b'T' | b' '));
    let (month, day) = (date.get(5..7)?, date.get(8..10)?);
    let is_day = ("01"..="12").contains(&month) && ("01"..="31").contains(&day);
    date.get(..4).filter(|_| fits && ends && is_day)
}

fn department(value: &str) -> Option<String> {
    if value.chars().count() <= 3 && value.chars().all(char::is_alphabetic) {
        return Some(value.to_owned());
    }
    let digits: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let shown = match digits.get(..3)? {
        "200" | "201" => "2A",
        "202" | "206" => "2B",
        overseas if overseas.starts_with("97") || overseas.starts_with("98") => overseas,
        nowhere if nowhere.starts_with("00") || nowhere.starts_with("20") => return None,
        other => other.get(..2)?,
    };
    Some(shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Mask;
    use proptest::prelude::*;

    fn masked(mask: &Mask, value: &str) -> String {
        mask.apply(value).unwrap_or_else(|| "redacted".to_owned())
    }

    #[test]
    fn an_iban_shows_its_head_and_last_four() {
        for (value, expected) in [
            (
                "FR7612345678901234567890189",
                "FR76 •••• •••• •••• •••• •••0 189",
            ),
            (
                "fr76 1234 5678 9012 3456 7890 189",
                "FR76 •••• •••• •••• •••• •••0 189",
            ),
            ("DE89370400440532013000", "DE89 •••• •••• •••• ••30 00"),
            ("BE68539007547034", "BE68 •••• •••• 7034"),
            ("CH9300762011623852957", "CH93 •••• •••• •••• •295 7"),
        ] {
            assert_eq!(masked(&Mask::Iban, value), expected);
        }
    }

    #[test]
    fn an_iban_that_is_none_or_too_short_is_redacted() {
        for value in [
            "NO9386011117947",
            "see file",
            "FR76",
            "12345678901234567890",
            "FR76 1234 (old)",
        ] {
            assert_eq!(Mask::Iban.apply(value), None, "{value}");
        }
    }

    #[test]
    fn each_mask_shows_its_part() {
        for (mask, value, expected) in [
            (Mask::Bic, "BNPAFRPPXXX", "BNPA••••"),
            (Mask::Bic, "bnpa fr pp", "BNPA••••"),
            (Mask::Bic, "BNPA", "redacted"),
            (Mask::Card, "4111-1111-1111-1234", "•••• •••• •••• 1234"),
            (Mask::Card, "1234", "redacted"),
            (Mask::Initials, "Maëlys Tavernier-Oudin", "M. T."),
            (Mask::Initials, "élodie", "É."),
            (Mask::Initials, "Al B", "redacted"),
            (Mask::Mail, "jean.dupont@example.org", "j•••@example.org"),
            (Mask::Mail, "j@example.org", "redacted"),
            (Mask::Mail, "jean@example.org, a@b.c", "redacted"),
            (Mask::Mail, "no mail", "redacted"),
            (Mask::Last(2), "+33 6 12 34 56 11", "•••• 11"),
            (Mask::Last(2), "123", "redacted"),
            (Mask::First(2), "0612345678", "06••••"),
            (Mask::Year, "1984-05-12", "1984"),
            (Mask::Year, "1984-05-12T10:00:00+01:00", "1984"),
            (Mask::Year, "1984", "redacted"),
            (Mask::Year, "12/05/1984", "redacted"),
            (Mask::Year, "0000-00-00", "redacted"),
            (Mask::YearAsDate, "1984-05-12", "1984-01-01"),
            (Mask::Department, "75011", "75"),
            (Mask::Department, "97410", "974"),
            (Mask::Department, "20000", "2A"),
            (Mask::Department, "20137", "2A"),
            (Mask::Department, "20600", "2B"),
            (Mask::Department, "20200", "2B"),
            (Mask::Department, "00123", "redacted"),
            (Mask::Department, "FR", "FR"),
            (Mask::Department, "France", "redacted"),
            (Mask::Round(1000), "12499.99", "12000"),
            (Mask::Round(1000), "about 12", "redacted"),
            (Mask::Constant("•••".to_owned()), "x", "•••"),
        ] {
            assert_eq!(masked(&mask, value), expected, "{mask:?} of {value}");
        }
    }

    #[test]
    fn a_blank_stays_as_it_is() {
        for mask in [
            Mask::Iban,
            Mask::Last(2),
            Mask::Round(10),
            Mask::Constant("x".to_owned()),
        ] {
            assert_eq!(mask.apply("").as_deref(), Some(""));
            assert_eq!(mask.apply(" \t").as_deref(), Some(" \t"));
        }
    }

    #[test]
    fn only_rounding_is_a_mask_for_numbers() {
        assert_eq!(Mask::Round(10).apply_number("14").as_deref(), Some("10"));
        assert_eq!(Mask::Last(2).apply_number("123456"), None);
        assert_eq!(Mask::Constant("x".to_owned()).apply_number("1"), None);
    }

    fn any_mask() -> impl Strategy<Value = Mask> {
        prop_oneof![
            Just(Mask::Iban),
            Just(Mask::Bic),
            Just(Mask::Card),
            Just(Mask::Initials),
            Just(Mask::Mail),
            (0_usize..6).prop_map(Mask::Last),
            (0_usize..6).prop_map(Mask::First),
            Just(Mask::Year),
            Just(Mask::Department),
            (0_u64..2000).prop_map(Mask::Round),
        ]
    }

    proptest! {
        #[test]
        fn any_value_is_masked_without_failing(mask in any_mask(), value in "\\PC*", number in "[-+0-9.eE]{0,40}") {
            mask.apply(&value);
            mask.apply(&number);
            mask.apply_number(&number);
        }

        #[test]
        fn the_last_characters_are_those_that_are_letters_or_digits(count in 1_usize..6, value in "[ -~é]{0,30}") {
            let significant: Vec<char> = value.chars().filter(|c| c.is_alphanumeric()).collect();
            let expected = match significant.len() {
                _ if value.trim().is_empty() => Some(value.clone()),
                length if count > length / 2 => None,
                length => Some(format!("•••• {}", significant[length - count..].iter().collect::<String>())),
            };
            prop_assert_eq!(Mask::Last(count).apply(&value), expected);
        }

        #[test]
        fn at_most_half_of_a_value_is_shown(
            mask in prop_oneof![Just(Mask::Iban), Just(Mask::Bic), Just(Mask::Card), Just(Mask::Initials),
                (1_usize..6).prop_map(Mask::Last), (1_usize..6).prop_map(Mask::First)],
            value in "[A-Z]{1,7}[0-9A-Z ]{0,30}",
        ) {
            if let Some(masked) = mask.apply(&value) {
                let count = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
                prop_assert!(count(&masked) * 2 <= count(&value), "{mask:?}");
            }
        }
    }
}
