//! Identifiers made of digits: payment cards and the French national identification number.

use std::ops::Range;

use super::spelling::{self, Stretch};

/// Shortest card number.
pub(super) const CARD_DIGITS_MIN: usize = 13;
/// Longest card number.
pub(super) const CARD_DIGITS_MAX: usize = 19;
/// Digits of an international phone number (ITU-T E.164).
const PHONE_DIGITS_MAX: usize = 15;
/// Length of a NIR with its key.
pub(super) const NIR_SYMBOLS: usize = 15;

/// Whether digits are a plausible card number: length, issuer, Luhn's checksum, and not one digit repeated.
pub(super) fn is_card(symbols: &[u8]) -> bool {
    (CARD_DIGITS_MIN..=CARD_DIGITS_MAX).contains(&symbols.len())
        && symbols.iter().all(u8::is_ascii_digit)
        && has_issuer(symbols)
        && symbols.windows(2).any(|pair| pair[0] != pair[1])
        && passes_luhn(symbols)
}

fn has_issuer(digits: &[u8]) -> bool {
    match digits {
        [b'3'..=b'6', ..] => true,
        [b'2', a, b, c, ..] if digits.len() == 16 => (*b"221"..=*b"720").contains(&[*a, *b, *c]),
        _ => false,
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.saturating_sub(b'0'));
            match place % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether symbols are a NIR with the right key: sex, year, month, department (2A and 2B in Corsica), commune, order, key.
pub(super) fn is_nir(symbols: &[u8]) -> bool {
    if !is_nir_shaped(symbols) {
        return false;
    }
    let Some((number, key)) = symbols
        .split_at_checked(NIR_SYMBOLS - 2)
        .filter(|(_, key)| key.len() == 2)
    else {
        return false;
    };
    let corsican = match number.get(5..7) {
        Some(b"2A") => Some(*b"19"),
        Some(b"2B") => Some(*b"18"),
        _ => None,
    };
    let mut digits = [0; NIR_SYMBOLS - 2];
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
}

/// Whether symbols are as many digits as a NIR has, the second of its department perhaps an A or B.
pub(super) fn is_nir_shaped(symbols: &[u8]) -> bool {
    symbols.len() == NIR_SYMBOLS
        && symbols.iter().enumerate().all(|(place, symbol)| {
            symbol.is_ascii_digit() || (place == 6 && matches!(symbol, b'A' | b'B'))
        })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u64::from(digit - b'0'))
    })
}

/// The NIR that begins at `start`, if one does. Directly before and after it stands no digit.
pub(super) fn nir_at(stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    let end = start + NIR_SYMBOLS;
    let symbols = stretch.symbols.get(start..end)?;
    let touches = |index: usize, neighbour: usize| {
        stretch.joined(index)
            && stretch
                .symbols
                .get(neighbour)
                .is_some_and(u8::is_ascii_digit)
    };
    let alone = !touches(start, start.wrapping_sub(1)) && !touches(end, end);
    (alone && is_nir(symbols)).then_some(start..end)
}

/// The NIR that begins at `start` in the groups in which it is written, or digit by digit.
pub(super) fn regular_nir_at(stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    let nir = nir_at(stretch, start)?;
    let groups = stretch.groups(&nir);
    let ends = groups.iter().scan(0, |end, group| {
        *end += group;
        Some(*end)
    });
    let is_usual = ends.into_iter().all(|end| NIR_ENDS.contains(&end));
    let one_by_one = groups.iter().all(|group| *group == 1);
    (stretch.stand_alone(&nir) && (is_usual || one_by_one)).then_some(nir)
}

/// Where the parts of a NIR end: sex, year, month, department, commune, order, key.
const NIR_ENDS: [usize; 7] = [1, 3, 5, 7, 10, 13, NIR_SYMBOLS];

/// The card that begins at `start` in regular groups.
pub(super) fn regular_card_at(stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    if stretch.joined(start) || !matches!(stretch.symbols.get(start), Some(b'2'..=b'6')) {
        return None;
    }
    // One more than the longest card has tells as much of the run as its end.
    let digits = stretch.symbols[start..].iter().take(CARD_DIGITS_MAX + 1);
    let run_end = start + digits.take_while(|symbol| symbol.is_ascii_digit()).count();
    card_at(stretch, start, run_end)
}

/// Card numbers among the digits of a stretch: every run of digits that is one as a whole, however it is grouped, and
/// those parts of longer runs that are grouped as cards are.
pub(super) fn cards(text: &str, stretch: &Stretch, found: &mut dyn FnMut(Range<usize>)) {
    let mut start = 0;
    while start < stretch.symbols.len() {
        let end = start
            + stretch.symbols[start..]
                .iter()
                .take_while(|symbol| symbol.is_ascii_digit())
                .count();
        let is_phone = end - start <= PHONE_DIGITS_MAX && follows_plus(text, stretch, start);
        if end - start >= CARD_DIGITS_MIN && !is_phone {
            cards_of_run(stretch, start..end, found);
        }
        start = end.max(start + 1);
    }
}

/// `+49 …` is a phone number, whatever its checksum, if it is not too long for one.
fn follows_plus(text: &str, stretch: &Stretch, start: usize) -> bool {
    stretch
        .places
        .get(start)
        .and_then(|place| text.get(..place.start))
        .is_some_and(|before| before.ends_with('+'))
}

fn cards_of_run(stretch: &Stretch, run: Range<usize>, found: &mut dyn FnMut(Range<usize>)) {
    if is_card(&stretch.symbols[run.clone()]) && !begins_with_date(stretch, &run) {
        return found(run);
    }
    let starts = run
        .clone()
        .filter(|&start| start == run.start || !stretch.joined(start));
    for start in starts {
        if !matches!(stretch.symbols[start], b'2'..=b'6') {
            continue;
        }
        if let Some(card) = card_at(stretch, start, run.end) {
            found(card);
        }
    }
}

/// Whether a card is written in one piece, or in groups as cards are.
pub(super) fn is_grouped(card: &str) -> bool {
    let mut is_regular = false;
    spelling::stretches(card, |_| true, &mut |stretch| {
        is_regular = is_grouped_as_card(&stretch.groups(&(0..stretch.symbols.len())));
    });
    is_regular
}

/// The best card at one start of a longer run: of the usual length if possible, else the longest.
fn card_at(stretch: &Stretch, start: usize, run_end: usize) -> Option<Range<usize>> {
    let usual = match &stretch.symbols[start..run_end] {
        [b'3', b'4' | b'7', ..] => 15,
        [b'3', b'0' | b'6' | b'8', ..] => 14,
        _ => 16,
    };
    let longest_first = (CARD_DIGITS_MIN..=CARD_DIGITS_MAX).rev();
    std::iter::once(usual)
        .chain(longest_first)
        .map(|length| start..start + length)
        .find(|card| {
            card.end <= run_end
                && (card.end == run_end || !stretch.joined(card.end))
                && is_card(&stretch.symbols[card.clone()])
                && is_grouped_as_card(&stretch.groups(card))
        })
}

fn is_grouped_as_card(groups: &[usize]) -> bool {
    let Some((last, others)) = groups.split_last() else {
        return false;
    };
    let in_fours = others.iter().all(|&group| group == 4) && *last <= 4;
    let one_by_one = *last == 1 && others.iter().all(|&group| group == 1);
    others.is_empty() || in_fours || one_by_one || matches!(groups, [4, 6, 4 | 5])
}

/// `30/11/1984 10:15:00` is a date with a time, whatever its checksum.
fn begins_with_date(stretch: &Stretch, run: &Range<usize>) -> bool {
    let sizes = stretch.groups(run);
    let mut at = run.start;
    let mut part = |size: usize| {
        let value = decimal(&stretch.symbols[at..at + size]);
        at += size;
        value.unwrap_or(0)
    };
    let (day, month, year) = match sizes.get(..3) {
        Some([2, 2, 4]) => (part(2), part(2), part(4)),
        Some([4, 2, 2]) => {
            let (year, month) = (part(4), part(2));
            (part(2), month, year)
        }
        _ => return false,
    };
    (1..=31).contains(&day) && (1..=12).contains(&month) && (1900..2100).contains(&year)
}

#[cfg(test)]
mod tests {
    use super::{is_card, is_nir};

    #[test]
    fn published_test_cards_are_cards() {
        for card in [
            "4111111111111111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "30569309025904",
            "3530111333300000",
            "6011111111111117",
        ] {
            assert!(is_card(card.as_bytes()), "{card}");
        }
    }

    #[test]
    fn other_numbers_are_no_cards() {
        for other in [
            "4111111111111112",
            "1111111111111117",
            "2111111111111114",
            "411111111111",
            "5555555555555555",
            "4444444444444448000000",
        ] {
            assert!(!is_card(other.as_bytes()), "{other}");
        }
    }

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
}
