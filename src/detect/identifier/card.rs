//! Payment cards (ISO/IEC 7812).

use std::ops::Range;

use super::super::plain::Plain;
use super::super::spelling::{self, Stretch};
use super::label::{self, Label};
use super::nir::decimal;

/// Shortest card number.
pub(super) const DIGITS_MIN: usize = 12;
/// Longest card number.
const DIGITS_MAX: usize = 19;
/// Digits of an international phone number (ITU-T E.164).
const PHONE_DIGITS_MAX: usize = 15;
/// Digits of a French establishment's number, and of its company's, with which it begins.
const SIRET_DIGITS: usize = 14;
const SIREN_DIGITS: usize = 9;

/// Whether digits are a plausible card number: an issuer's, of a length that it uses, with Luhn's checksum, and not one
/// digit repeated.
pub(super) fn is_card(symbols: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&symbols.len())
        && symbols.iter().all(u8::is_ascii_digit)
        && lengths(symbols).contains(&symbols.len())
        && symbols.windows(2).any(|pair| pair[0] != pair[1])
        && passes_luhn(symbols)
}

/// Whether symbols are as many digits as a card has.
pub(super) fn is_shaped(symbols: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&symbols.len()) && symbols.iter().all(u8::is_ascii_digit)
}

/// The lengths of the cards whose numbers begin so.
fn lengths(digits: &[u8]) -> &'static [usize] {
    let Some(head) = digits.get(..4).and_then(decimal) else {
        return &[];
    };
    match head {
        // Visa
        4000..=4999 => &[13, 16, 19],
        // Mastercard
        5100..=5599 | 2221..=2720 => &[16],
        // American Express
        3400..=3499 | 3700..=3799 => &[15],
        // Diners Club
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => &[14, 16, 17, 18, 19],
        // JCB, Discover, UnionPay, Mir
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 | 8100..=8171 | 2200..=2204 => {
            &[16, 17, 18, 19]
        }
        // Maestro, and the national cards of its ranges
        5000..=5099 | 5600..=5899 | 6000..=6999 => &[12, 13, 14, 15, 16, 17, 18, 19],
        _ => &[],
    }
}

/// Whether a card's length is the one that nearly all cards of its issuer have. Others are found where a word says what
/// they are: there are many more numbers of these lengths that are none.
fn has_usual_length(digits: &[u8]) -> bool {
    digits.len() == usual_length(digits)
}

fn usual_length(digits: &[u8]) -> usize {
    match digits {
        [b'3', b'4' | b'7', ..] => 15,
        [b'3', b'0' | b'6' | b'8' | b'9', ..] => 14,
        _ => 16,
    }
}

pub(super) fn passes_luhn(digits: &[u8]) -> bool {
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

/// The card that begins at `start` in regular groups.
pub(super) fn regular_at(text: &str, stretch: &Stretch, start: usize) -> Option<Range<usize>> {
    if stretch.joined(start) || !matches!(stretch.symbols.get(start), Some(b'2'..=b'6' | b'8')) {
        return None;
    }
    // One more than the longest card has tells as much of the run as its end.
    let digits = stretch.symbols[start..].iter().take(DIGITS_MAX + 1);
    let run_end = start + digits.take_while(|symbol| symbol.is_ascii_digit()).count();
    card_at(stretch, start, run_end).filter(|card| is_meant(text, stretch, card))
}

/// Card numbers among the digits of a stretch: every run of digits that is one as a whole, however it is grouped, and
/// those parts of longer runs that are grouped as cards are.
pub(super) fn all(text: &str, stretch: &Stretch, found: &mut dyn FnMut(Range<usize>)) {
    let mut start = 0;
    while start < stretch.symbols.len() {
        let end = start
            + stretch.symbols[start..]
                .iter()
                .take_while(|symbol| symbol.is_ascii_digit())
                .count();
        let is_phone = end - start <= PHONE_DIGITS_MAX && follows_plus(text, stretch, start);
        if end - start >= DIGITS_MIN && !is_phone {
            all_of_run(stretch, start..end, &mut |card| {
                if is_meant(text, stretch, &card) {
                    found(card);
                }
            });
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

/// Whether what stands before a number lets it be a card: no word that says otherwise, and one that says so if hardly any
/// card has this form.
fn is_meant(text: &str, stretch: &Stretch, card: &Range<usize>) -> bool {
    let Some(place) = stretch.range(card.clone()) else {
        return false;
    };
    let mut from = place.start.saturating_sub(LABEL_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..place.start).unwrap_or_default();
    let before = Plain::of(before, &mut |_| {});
    match label::before(before.bytes(), before.bytes().len()) {
        Some(Label::Card) => true,
        Some(Label::Other) => false,
        _ => {
            let digits = &stretch.symbols[card.clone()];
            has_usual_length(digits) && !is_company(digits)
        }
    }
}

/// Bytes before a number in which its label stands, with entities.
const LABEL_BYTES: usize = label::REACH * 2;

/// Whether digits are a SIRET: also those of its company pass the checksum.
fn is_company(digits: &[u8]) -> bool {
    digits.len() == SIRET_DIGITS && passes_luhn(&digits[..SIREN_DIGITS])
}

fn all_of_run(stretch: &Stretch, run: Range<usize>, found: &mut dyn FnMut(Range<usize>)) {
    if is_card(&stretch.symbols[run.clone()]) && !begins_with_date(stretch, &run) {
        return found(run);
    }
    let mut start = run.start;
    while start < run.end {
        let card = (start == run.start || !stretch.joined(start))
            .then(|| card_at(stretch, start, run.end))
            .flatten()
            .filter(|card| !is_part_of_fours(stretch, card, &run));
        start = card.as_ref().map_or(start + 1, |card| card.end);
        if let Some(card) = card {
            found(card);
        }
    }
}

/// Whether a number in groups of four goes on before it in the same way: then it is the end of a longer one.
fn is_part_of_fours(stretch: &Stretch, card: &Range<usize>, run: &Range<usize>) -> bool {
    let gap = |index: usize| {
        let before = index
            .checked_sub(1)
            .and_then(|before| stretch.places.get(before));
        before
            .zip(stretch.places.get(index))
            .map(|(before, own)| own.start - before.end)
    };
    let groups = stretch.groups(card);
    groups.len() > 1
        && card.start >= run.start + 4
        && stretch.groups(&(card.start - 4..card.start)) == [4]
        && (card.start == run.start + 4 || !stretch.joined(card.start - 4))
        && gap(card.start) == gap(card.start + groups[0])
        && gap(card.start) == Some(1)
}

/// Whether a card of the usual form is found whatever stands beside it, but for words that say that it is none.
pub(super) fn stands_anywhere(card: &str) -> bool {
    let mut is_regular = false;
    spelling::stretches(card, |_| true, &mut |stretch| {
        is_regular = is_grouped_as_card(&stretch.groups(&(0..stretch.symbols.len())))
            && has_usual_length(&stretch.symbols)
            && !is_company(&stretch.symbols);
    });
    is_regular
}

/// The best card at one start of a longer run: of the usual length if possible, else the longest.
fn card_at(stretch: &Stretch, start: usize, run_end: usize) -> Option<Range<usize>> {
    let digits = stretch.symbols.get(start..run_end)?;
    let usual = usual_length(digits);
    let lengths = lengths(digits);
    std::iter::once(&usual)
        .chain(lengths.iter().rev())
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
    use super::{is_card, is_company};

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
    fn a_card_has_one_of_its_issuers_lengths() {
        for (card, fits) in [
            ("4222222222222", true),
            ("30569309025904", true),
            ("378282246310005", true),
            ("3782822463100051", false),
            ("5555555555554444", true),
            ("55555555555557", false),
            ("6759649826438453", true),
            ("676770000005", true),
            ("2200000000000004", true),
            ("2300000000000003", true),
            ("2800000000000008", false),
        ] {
            assert_eq!(is_card(card.as_bytes()), fits, "{card}");
        }
        assert!(is_company(b"73282932000074"));
    }
}
