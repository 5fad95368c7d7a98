//! International bank account numbers (ISO 13616): two letters, two check digits, eleven to thirty letters or digits.

use super::super::spelling::Stretch;

/// Shortest IBAN.
pub(super) const SYMBOLS_MIN: usize = 15;
/// Longest IBAN.
pub(super) const SYMBOLS_MAX: usize = 34;

/// The length of an IBAN by country, from the SWIFT registry, sorted by country.
const LENGTHS: &[([u8; 2], usize)] = &[
    (*b"AD", 24),
    (*b"AE", 23),
    (*b"AL", 28),
    (*b"AT", 20),
    (*b"AZ", 28),
    (*b"BA", 20),
    (*b"BE", 16),
    (*b"BG", 22),
    (*b"BH", 22),
    (*b"BI", 27),
    (*b"BR", 29),
    (*b"BY", 28),
    (*b"CH", 21),
    (*b"CR", 22),
    (*b"CY", 28),
    (*b"CZ", 24),
    (*b"DE", 22),
    (*b"DJ", 27),
    (*b"DK", 18),
    (*b"DO", 28),
    (*b"EE", 20),
    (*b"EG", 29),
    (*b"ES", 24),
    (*b"FI", 18),
    (*b"FK", 18),
    (*b"FO", 18),
    (*b"FR", 27),
    (*b"GB", 22),
    (*b"GE", 22),
    (*b"GI", 23),
    (*b"GL", 18),
    (*b"GR", 27),
    (*b"GT", 28),
    (*b"HN", 28),
    (*b"HR", 21),
    (*b"HU", 28),
    (*b"IE", 22),
    (*b"IL", 23),
    (*b"IQ", 23),
    (*b"IS", 26),
    (*b"IT", 27),
    (*b"JO", 30),
    (*b"KW", 30),
    (*b"KZ", 20),
    (*b"LB", 28),
    (*b"LC", 32),
    (*b"LI", 21),
    (*b"LT", 20),
    (*b"LU", 20),
    (*b"LV", 21),
    (*b"LY", 25),
    (*b"MC", 27),
    (*b"MD", 24),
    (*b"ME", 22),
    (*b"MK", 19),
    (*b"MN", 20),
    (*b"MR", 27),
    (*b"MT", 31),
    (*b"MU", 30),
    (*b"NI", 28),
    (*b"NL", 18),
    (*b"NO", 15),
    (*b"OM", 23),
    (*b"PK", 24),
    (*b"PL", 28),
    (*b"PS", 29),
    (*b"PT", 25),
    (*b"QA", 29),
    (*b"RO", 24),
    (*b"RS", 22),
    (*b"RU", 33),
    (*b"SA", 24),
    (*b"SC", 31),
    (*b"SD", 18),
    (*b"SE", 24),
    (*b"SI", 19),
    (*b"SK", 24),
    (*b"SM", 27),
    (*b"SO", 23),
    (*b"ST", 25),
    (*b"SV", 28),
    (*b"TL", 23),
    (*b"TN", 24),
    (*b"TR", 26),
    (*b"UA", 29),
    (*b"VA", 22),
    (*b"VG", 24),
    (*b"XK", 20),
    (*b"YE", 30),
];

/// The length of the IBANs of the country that the symbols begin with.
pub(super) fn national_length(symbols: &[u8]) -> Option<usize> {
    let country = symbols.first_chunk::<2>()?;
    LENGTHS
        .binary_search_by_key(country, |(code, _)| *code)
        .ok()
        .map(|found| LENGTHS[found].1)
}

/// Whether symbols have the shape of an IBAN, whatever their checksum.
pub(super) fn is_shaped(symbols: &[u8]) -> bool {
    (SYMBOLS_MIN..=SYMBOLS_MAX).contains(&symbols.len()) && begins(symbols)
}

/// Whether symbols are an IBAN of its country's length (or of a country without one) with the right checksum.
pub(super) fn is_valid(symbols: &[u8]) -> bool {
    is_shaped(symbols)
        && national_length(symbols).is_none_or(|length| length == symbols.len())
        && checks(symbols)
}

/// Two letters and two digits.
fn begins(symbols: &[u8]) -> bool {
    matches!(symbols, [a, b, c, d, ..]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit())
}

/// ISO 7064 mod 97-10: country and check digits behind the rest, letters as 10 to 35, leaves 1.
fn checks(symbols: &[u8]) -> bool {
    Check::new(symbols).holds(symbols.len())
}

/// The checksum of one beginning of some symbols after the other.
struct Check<'s> {
    symbols: &'s [u8],
    /// How many symbols count so far, and what they leave.
    length: usize,
    rest: u64,
}

impl<'s> Check<'s> {
    fn new(symbols: &'s [u8]) -> Self {
        Self {
            symbols,
            length: symbols.len().min(HEAD),
            rest: 0,
        }
    }

    /// Whether the checksum of so many symbols is right; they may not become fewer.
    fn holds(&mut self, length: usize) -> bool {
        let next = self.symbols.get(self.length..length).unwrap_or_default();
        self.rest = remainder(self.rest, next);
        self.length = self.length.max(length);
        let head = self.symbols.get(..HEAD.min(length)).unwrap_or_default();
        remainder(self.rest, head) == 1
    }
}

/// Country and check digits.
const HEAD: usize = 4;

/// What is left of a number that goes on with some symbols, divided by 97.
fn remainder(rest: u64, symbols: &[u8]) -> u64 {
    // Seven symbols are at most fourteen digits, behind the two of the rest.
    symbols.chunks(7).fold(rest, |rest, part| {
        part.iter()
            .fold(rest, |value, &symbol| match symbol.is_ascii_digit() {
                true => value * 10 + u64::from(symbol - b'0'),
                false => value * 100 + u64::from(symbol.saturating_sub(b'A')) + 10,
            })
            % 97
    })
}

/// Of what follows country and check digits, a quarter is digits: prose that the checksum fits by chance is not.
fn is_mostly_account(symbols: &[u8]) -> bool {
    let account = symbols.get(4..).unwrap_or_default();
    let digits = account
        .iter()
        .filter(|symbol| symbol.is_ascii_digit())
        .count();
    digits * 4 >= account.len()
}

/// Whether an account has letters and digits where those of its country have nothing else.
fn is_structured(symbols: &[u8]) -> bool {
    let Some((country, account)) = symbols.split_first_chunk::<2>() else {
        return false;
    };
    let is_all = |part: Option<&[u8]>, is_one: fn(&u8) -> bool| {
        part.is_some_and(|part| part.iter().all(is_one))
    };
    // A long word is none of an account's.
    if account
        .split(u8::is_ascii_digit)
        .any(|letters| letters.len() >= WORD_MIN)
    {
        return false;
    }
    // French accounts end in a key.
    let ends = !matches!(country, b"FR" | b"MC")
        || is_all(
            account.last_chunk::<2>().map(<[u8; 2]>::as_slice),
            u8::is_ascii_digit,
        );
    match STRUCTURES.iter().find(|(known, _, _)| *known == country) {
        Some((_, letters, digits)) => {
            let account = account.get(2..).unwrap_or_default();
            ends && is_all(account.get(..*letters), u8::is_ascii_uppercase)
                && is_all(
                    account.get(*letters..account.len().min(letters + digits)),
                    u8::is_ascii_digit,
                )
        }
        None => true,
    }
}

/// How many letters an account begins with, and how many digits follow, where that is fixed (SWIFT registry).
#[rustfmt::skip]
const STRUCTURES: &[(&[u8; 2], usize, usize)] = &[
    (b"AD", 0, 8), (b"AE", 0, ALL), (b"AL", 0, 8), (b"AT", 0, ALL), (b"AZ", 4, 0), (b"BA", 0, ALL), (b"BE", 0, ALL), (b"BG", 4, 6), (b"BH", 4, 0),
    (b"BI", 0, ALL), (b"BR", 0, 23), (b"CH", 0, 5), (b"CR", 0, ALL), (b"CY", 0, 8), (b"CZ", 0, ALL), (b"DE", 0, ALL), (b"DJ", 0, ALL), (b"DK", 0, ALL),
    (b"EE", 0, ALL), (b"EG", 0, ALL), (b"ES", 0, ALL), (b"FI", 0, ALL), (b"FK", 2, ALL), (b"FO", 0, ALL), (b"FR", 0, 10), (b"GB", 4, ALL), (b"GE", 2, ALL), (b"GI", 4, 0),
    (b"GL", 0, ALL), (b"GR", 0, 7), (b"HN", 4, ALL), (b"HR", 0, ALL), (b"HU", 0, ALL), (b"IE", 4, ALL), (b"IL", 0, ALL), (b"IQ", 4, ALL), (b"IS", 0, ALL), (b"IT", 1, 10),
    (b"JO", 4, 4), (b"KW", 4, 0), (b"KZ", 0, 3), (b"LB", 0, 4), (b"LC", 4, 0), (b"LI", 0, 5), (b"LT", 0, ALL), (b"LU", 0, 3), (b"LV", 4, 0), (b"LY", 0, ALL),
    (b"MC", 0, 10), (b"ME", 0, ALL), (b"MK", 0, 3), (b"MN", 0, ALL), (b"MR", 0, ALL), (b"MT", 4, 5), (b"MU", 4, 19), (b"NI", 4, ALL), (b"NL", 4, ALL), (b"NO", 0, ALL),
    (b"OM", 0, 3), (b"PK", 4, 0), (b"PL", 0, ALL), (b"PS", 4, 0), (b"PT", 0, ALL), (b"QA", 4, 0), (b"RO", 4, 0), (b"RS", 0, ALL), (b"RU", 0, 14), (b"SA", 0, 2),
    (b"SC", 4, 20), (b"SD", 0, ALL), (b"SE", 0, ALL), (b"SI", 0, ALL), (b"SK", 0, ALL), (b"SM", 1, 10), (b"SO", 0, ALL), (b"ST", 0, ALL), (b"SV", 4, ALL), (b"TL", 0, ALL),
    (b"TN", 0, ALL), (b"TR", 0, 6), (b"UA", 0, 6), (b"VA", 0, ALL), (b"VG", 4, ALL), (b"XK", 0, ALL), (b"YE", 4, 4),
];
/// Letters of a word in prose, in a row, more than accounts have.
const WORD_MIN: usize = 8;
/// More than any account has.
const ALL: usize = SYMBOLS_MAX;

/// The number of symbols of the IBAN that begins at `start`, if one does.
///
/// With its country's length, it may be grouped in any way and stand directly beside other letters or digits; with
/// another length, it must stand alone, in one piece or in groups of four.
pub(super) fn length_at(stretch: &Stretch, start: usize) -> Option<usize> {
    let symbols = stretch.symbols.get(start..)?;
    if !begins(symbols) {
        return None;
    }
    let is_account = |length: usize| {
        symbols
            .get(..length)
            .is_some_and(|symbols| is_mostly_account(symbols) && is_structured(symbols))
    };
    let national = national_length(symbols);
    if let Some(length) = national
        && is_account(length)
        && checks(&symbols[..length])
    {
        return Some(length);
    }
    if stretch.joined(start) {
        return None;
    }
    let mut check = Check::new(symbols);
    let mut best = None;
    regular_ends(stretch, start, &mut |length| {
        if check.holds(length) && is_account(length) {
            best = Some(length);
        }
    });
    best
}

/// The same, of one that stands alone, its country and check digits in one piece or two, or symbol by symbol.
pub(super) fn regular_length_at(stretch: &Stretch, start: usize) -> Option<usize> {
    if stretch.joined(start) {
        return None;
    }
    let length = length_at(stretch, start)?;
    let groups = stretch.groups(&(start..start + length));
    let is_usual = match groups.as_slice() {
        [2, 2, ..] => true,
        [1, ..] => groups.iter().all(|group| *group == 1),
        [first, ..] => *first >= 4,
        [] => false,
    };
    (is_usual && !stretch.joined(start + length)).then_some(length)
}

/// Tells the lengths at which a number that is written in one piece, or in groups of four, may end, the shortest first. It
/// begins apart from what stands before it.
fn regular_ends(stretch: &Stretch, start: usize, tell: &mut dyn FnMut(usize)) {
    let mut group_start = start;
    loop {
        let mut end = group_start + 1;
        while end - start <= SYMBOLS_MAX && stretch.joined(end) {
            end += 1;
        }
        let (group, length) = (end - group_start, end - start);
        let in_one_piece = group_start == start && group > 4;
        if length > SYMBOLS_MAX || (group > 4 && !in_one_piece) {
            return;
        }
        if length >= SYMBOLS_MIN {
            tell(length);
        }
        if group != 4 || end >= stretch.symbols.len() {
            return;
        }
        group_start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::{LENGTHS, is_shaped, is_valid};

    #[test]
    fn published_examples_are_valid() {
        for iban in [
            "AD1200012030200359100100",
            "BE68539007547034",
            "CH9300762011623852957",
            "DE89370400440532013000",
            "ES9121000418450200051332",
            "FR1420041010050500013M02606",
            "GB29NWBK60161331926819",
            "IT60X0542811101000000123456",
            "LC55HEMM000100010012001200023015",
            "LU280019400644750000",
            "MT84MALT011000012345MTLCAST001S",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "PL61109010140000071219812874",
            "PT50000201231234567890154",
            "SE4550000000058398257466",
        ] {
            assert!(
                is_valid(iban.as_bytes()) && super::is_structured(iban.as_bytes()),
                "{iban}"
            );
        }
    }

    #[test]
    fn a_wrong_checksum_or_national_length_is_not_valid() {
        assert!(!is_valid(b"FR1420041010050500013M02607"));
        assert!(!is_valid(b"DE8937040044053201300"));
        assert!(is_shaped(b"FR1420041010050500013M02607"));
        assert!(!is_shaped(b"FR14"));
        assert!(!is_shaped(b"1420041010050500013M02606"));
    }

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(LENGTHS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(super::STRUCTURES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
