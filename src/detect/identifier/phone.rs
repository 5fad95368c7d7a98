//! Telephone numbers: international ones (ITU-T E.164), and the national forms of Western Europe.

use std::ops::Range;

use super::super::plain;
use super::label::{self, Label};
use super::reader::{Group, Groups, byte, byte_before, word_end, word_start};
use super::words::Words;

/// Bytes of the longest: fifteen digits, each by itself, with signs.
pub(super) const BYTES_MAX: usize = 40;
/// Digits of the shortest.
const DIGITS_MIN: usize = 6;
/// Digits of the national number of a country, without the zero that stands before it at home.
type Digits = std::ops::RangeInclusive<usize>;

/// Whether a text is a telephone number and nothing else.
pub(super) fn is_number(value: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b" +()./-_\t".contains(&byte);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value.bytes().all(is_part) && (6..=16).contains(&digits)
}

/// Whether a number is found whatever stands beside it, apart from it and but for words that say that it is another one's.
pub(super) fn stands_anywhere(value: &str) -> bool {
    let text = value.as_bytes();
    let Some(digit) = text.iter().position(u8::is_ascii_digit) else {
        return false;
    };
    let is_whole = |range: Range<usize>| range == (0..text.len());
    let groups = Groups::at(text, digit);
    international_at(text, digit, groups.as_slice()).is_some_and(is_whole)
        || trunk_at(text, digit, groups.as_slice()).is_some_and(|(range, is_pairs)| {
            let groups = groups.as_slice();
            (is_pairs && !is_sequence(text, groups) || groups.len() == 1) && is_whole(range)
        })
}

/// The number at a figure, not before `last`.
pub(super) fn at(text: &[u8], start: usize, groups: &[Group], last: usize) -> Option<Range<usize>> {
    if groups.iter().map(Group::len).sum::<usize>() < DIGITS_MIN {
        return None;
    }
    if let Some(range) = international_at(text, start, groups) {
        let is_part = byte(text, range.start) == b'0' && goes_on_before(text, &range, last);
        return Some(range).filter(|range| range.start >= last && !is_part);
    }
    let first = byte(text, start);
    if first == b'0' {
        let (range, is_pairs) = trunk_at(text, start, groups)?;
        let is_alone = || match is_pairs {
            true => !is_list(text, groups, last),
            false => !goes_on_before(text, &range, last) && is_apart(text, &range),
        };
        let is_fine = match label::before(text, range.start) {
            Some(Label::Other) => false,
            Some(Label::Phone) => is_pairs || is_alone(),
            _ => is_alone() && !is_measure(text, range.end),
        };
        return (is_fine && range.start >= last).then_some(range);
    }
    if !matches!(first, b'2'..=b'9') || !is_apart(text, &(start..start)) {
        return None;
    }
    bare_at(text, start, groups)
}

/// Whether digits stand before a number in groups that could be its own, and that nothing else was found to be.
fn goes_on_before(text: &[u8], range: &Range<usize>, last: usize) -> bool {
    let gap = text[last.min(range.start)..range.start]
        .iter()
        .rev()
        .take(3)
        .take_while(|byte| b" .-/".contains(byte))
        .count();
    let before = range.start - gap;
    let is_figure = before > last && byte_before(text, before).is_ascii_digit();
    let is_whole = text[range.clone()].iter().all(u8::is_ascii_digit)
        && gap > 0
        && byte_before(text, range.start) == b' ';
    is_figure
        && !is_whole
        && !text[word_start(text, before)..before]
            .iter()
            .any(u8::is_ascii_alphabetic)
}

/// A number with its country: `+33 6 12 34 56 78`, `0033 (0)6…`, `(+33) 6…`.
fn international_at(text: &[u8], start: usize, groups: &[Group]) -> Option<Range<usize>> {
    let before = byte_before(text, start);
    let (mut first, digits) = if before == b'+' {
        (start - 1, start)
    } else if byte(text, start) == b'0'
        && byte(text, start + 1) == b'0'
        && !before.is_ascii_alphanumeric()
    {
        let digits = start + 2 + usize::from(byte(text, start + 2) == b' ');
        (start, digits)
    } else {
        return None;
    };
    if !byte(text, digits).is_ascii_digit() || byte(text, digits) == b'0' {
        return None;
    }
    if byte_before(text, first) == b'(' {
        first -= 1;
    }
    let own;
    let groups = match digits == start {
        true => groups,
        false => {
            own = Groups::at(text, digits);
            own.as_slice()
        }
    };
    let (code, national) = country(text, groups)?;
    let end = end_of_national(text, groups, code, &national)?;
    let count = |sign: u8| {
        text[first..end]
            .iter()
            .filter(|byte| **byte == sign)
            .count()
    };
    let is_open = byte(text, first) == b'(' && count(b'(') != count(b')');
    Some(first + usize::from(is_open)..end)
}

/// The digits of a country's code, and those of its national numbers.
fn country(text: &[u8], groups: &[Group]) -> Option<(usize, Digits)> {
    let mut code = [0_u8; 3];
    let digits = groups
        .iter()
        .flat_map(|group| &text[group.start..group.end()]);
    for (place, digit) in code.iter_mut().zip(digits) {
        *place = *digit;
    }
    (1..=3).find_map(|length| {
        let code = &code[..length];
        let national = COUNTRIES
            .iter()
            .find(|(known, _, _)| known.as_bytes() == code);
        national.map(|(_, least, most)| (length, usize::from(*least)..=usize::from(*most)))
    })
}

/// Where a number ends whose country's code has so many digits: behind the last group with which it is long enough and not
/// too long.
fn end_of_national(text: &[u8], groups: &[Group], code: usize, national: &Digits) -> Option<usize> {
    let (mut seen, mut zeros, mut end) = (0, 0, None);
    let mut signs: Option<u8> = None;
    for (place, group) in groups.iter().enumerate() {
        let before = seen;
        seen += group.len();
        // `(0)`, or the zero of the national form, which somebody left there.
        if before >= code && zeros == 0 && before == code && byte(text, group.start) == b'0' {
            zeros = usize::from(group.len() == 1 || !national.contains(&(seen - code)) || code < 3);
        }
        let digits = seen.checked_sub(code + zeros);
        if digits.is_some_and(|digits| national.contains(&digits)) {
            end = Some(group.end());
        }
        if digits.is_some_and(|digits| digits >= *national.end()) {
            break;
        }
        // Behind a whole number another one may follow, set off by another sign.
        let is_other_sign = signs.is_some_and(|sign| sign != group.gap) && before > code;
        if end.is_some() && (is_other_sign || is_new(text, groups, place + 1)) {
            break;
        }
        if before > code && group.gap != 0 {
            signs.get_or_insert(group.gap);
        }
    }
    let end = end?;
    (!byte(text, end).is_ascii_digit()).then_some(end)
}

/// Whether a group begins another number.
fn is_new(text: &[u8], groups: &[Group], place: usize) -> bool {
    let Some(group) = groups.get(place) else {
        return false;
    };
    byte(text, group.start) == b'0' && group.len() >= 2 && groups.len() - place > 2
}

/// A number with the zero of the national form, and whether it is written in five pairs.
fn trunk_at(text: &[u8], start: usize, all: &[Group]) -> Option<(Range<usize>, bool)> {
    if byte(text, start) != b'0'
        || !matches!(byte(text, start + 1), b'1'..=b'9') && byte(text, start + 1).is_ascii_digit()
    {
        return None;
    }
    if byte_before(text, start).is_ascii_digit() {
        return None;
    }
    let opens = byte_before(text, start) == b'(';
    let mut best = None;
    for count in 1..=all.len().min(6) {
        let groups = &all[..count];
        let digits: usize = groups.iter().map(Group::len).sum();
        if digits > 12 {
            break;
        }
        let is_last = count == all.len();
        if is_trunk_form(text, groups, digits, is_last)
            || is_last && is_spaced_area(text, groups, digits)
        {
            best = Some((count, digits));
        }
    }
    let (count, _) = best?;
    let groups = &all[..count];
    let end = groups[count - 1].end();
    let closes = text[start..end].contains(&b')');
    if opens != closes
        && (opens || closes)
        && text[start..end].iter().any(|byte| b"()".contains(byte))
    {
        return None;
    }
    let first = start - usize::from(opens && closes);
    Some((first..end, is_pairs(groups)))
}

/// `0 30 / 12 34 56`: a zero that stands apart, where a word says that it is a number.
fn is_spaced_area(text: &[u8], groups: &[Group], digits: usize) -> bool {
    groups.len() > 2
        && groups[0].len() == 1
        && (8..=12).contains(&digits)
        && groups[1..]
            .iter()
            .all(|group| group.gap == 0 || b" /-".contains(&group.gap))
        && (byte(text, groups[1].start) == b'8'
            || label::before(text, groups[0].start) == Some(Label::Phone))
}

/// Five pairs with the same sign between them: nothing else is written so, but for lists.
fn is_pairs(groups: &[Group]) -> bool {
    groups.len() == 5
        && groups.iter().all(|group| group.len() == 2)
        && groups[..4].iter().all(|group| group.gap == groups[0].gap)
        && matches!(groups[0].gap, b' ' | b'.' | b'-' | b'/')
}

/// Whether the five pairs that begin here are some of a list: of more pairs, or of numbers that count up or down.
fn is_list(text: &[u8], groups: &[Group], last: usize) -> bool {
    let gap = groups[0].gap;
    let is_end = |group: &Group| {
        let sign = byte(text, group.end());
        let goes_on = b":,./-".contains(&sign) && byte(text, group.end() + 1).is_ascii_digit();
        group.gap == 0 && !sign.is_ascii_alphanumeric() && !goes_on
    };
    let pairs = 1 + groups
        .windows(2)
        .take_while(|pair| {
            pair[0].gap == gap && pair[1].len() == 2 && (pair[1].gap == gap || is_end(&pair[1]))
        })
        .count();
    // More numbers, or the number of a house, before a word.
    let are_numbers = pairs.is_multiple_of(PAIRS)
        && groups[..pairs]
            .iter()
            .step_by(PAIRS)
            .all(|group| byte(text, group.start) == b'0' && byte(text, group.start + 1) != b'0');
    let end = groups[pairs.max(1) - 1].end();
    let is_before_house =
        pairs == PAIRS + 1 && byte(text, end) == b' ' && byte(text, end + 1).is_ascii_alphabetic();
    is_sequence(text, groups)
        || is_pair_before(text, groups[0].start, gap, last)
        || pairs > PAIRS && !are_numbers && !is_before_house
}

/// Pairs of a number.
const PAIRS: usize = 5;

/// Whether another pair stands before a place, with the same sign behind it, that belongs to nothing else.
fn is_pair_before(text: &[u8], at: usize, gap: u8, last: usize) -> bool {
    let Some(start) = at.checked_sub(3).filter(|start| *start >= last) else {
        return false;
    };
    let before = byte_before(text, start);
    text[start].is_ascii_digit()
        && text[start + 1].is_ascii_digit()
        && text[start + 2] == gap
        && !before.is_ascii_alphanumeric()
        && (before == gap || !b"+:,./-".contains(&before))
}

/// Whether five pairs count up or down by so little that they are the numbers of things.
fn is_sequence(text: &[u8], groups: &[Group]) -> bool {
    let step = |pair: &[Group]| i64::from(pair[1].value(text)) - i64::from(pair[0].value(text));
    let mut steps = groups.windows(2).take(PAIRS - 1).map(step);
    let first = steps.next().unwrap_or_default();
    (1..=10).contains(&first.abs()) && steps.all(|step| step == first)
}

/// Whether the word directly behind a number is a measure.
fn is_measure(text: &[u8], end: usize) -> bool {
    byte(text, end) == b' '
        && MEASURES.hold(
            text.get(end + 1..word_end(text, end + 1))
                .unwrap_or_default(),
        )
}

/// Measures that are no words, and no beginnings of names: those may stand behind a telephone number.
#[rustfmt::skip]
static MEASURES: Words = Words::new(&[
    "chf", "cm", "eur", "euro", "euros", "exemplaires", "gb", "gbp", "kb", "kg", "kilo*", "km", "kw", "kwh", "litres",
    "m2", "m3", "mb", "mm", "mwh", "octets", "pcs", "pieces", "stuck", "tb", "tonnes", "unites", "units", "usd",
]);

/// Whether groups have the sizes of a national number, with the same sign between all but the first two.
fn is_trunk_form(text: &[u8], groups: &[Group], digits: usize, is_last: bool) -> bool {
    let sizes = groups
        .iter()
        .fold(0_u32, |sizes, group| sizes * 10 + group.len().min(9) as u32);
    let (_, inner) = groups.split_last().unwrap_or((&groups[0], &[]));
    let even = inner
        .windows(2)
        .skip(1)
        .all(|pair| pair[0].gap == pair[1].gap);
    let is_usual = if groups.len() == 1 {
        (9..=12).contains(&digits)
    } else {
        TRUNK_FORMS.contains(&sizes)
    };
    // A decimal, the number of a firm in Belgium, hours.
    let is_number = inner
        .first()
        .is_some_and(|first| matches!(first.gap, b',' | b'_'))
        || (sizes == 433
            && inner.iter().all(|group| group.gap == b'.')
            && is_belgian_firm(text, groups))
        || (sizes / 10 == 22 && digits < 9)
        || inner
            .iter()
            .skip(1)
            .any(|group| matches!(group.gap, b',' | b'_' | b'('));
    let stops = is_last
        || groups
            .last()
            .is_some_and(|last| last.gap != b'.' || groups.len() > 2);
    // Short ones look like many other numbers.
    let start = groups[0].start;
    let is_told =
        || byte_before(text, start) == b'(' || label::before(text, start) == Some(Label::Phone);
    is_usual && even && !is_number && stops && (digits >= LONG || is_told())
}

/// Digits of a national number that is no short one.
const LONG: usize = 9;

/// `0403.019.261`: the check digits of an enterprise number.
fn is_belgian_firm(text: &[u8], groups: &[Group]) -> bool {
    let value = groups.iter().fold(0, |value, group| {
        (value * 1000 % 1_000_000_000) + group.value(text)
    });
    let (body, check) = (value / 100 % 100_000_000, value % 100);
    97 - body % 97 == check
}

/// Sizes of the groups of numbers with a zero at home.
#[rustfmt::skip]
static TRUNK_FORMS: &[u32] = &[
    22222, 4222, 433, 3322, 343, 334, 1333, 28, 37, 46, 55, 56, 47, 48, 36, 35, 45, 244, 344, 434, 533, 2322, 3222, 324, 234,
    4322, 4223, 4224, 444, 2332, 2323, 333, 332, 345, 354, 445, 443, 453, 38, 39, 49, 57, 58, 27, 26, 267, 3333, 4332, 5222, 522, 5322, 371, 372, 373, 361, 362, 281, 461,
    532, 524, 543, 44, 3422, 3224, 3225, 32222, 42222, 3232, 353, 534, 535, 435, 436, 446, 255, 235, 236, 2224, 2225, 233, 243, 422, 423, 3223,
];

/// A number without such a zero, where the form or a word says that it is one.
fn bare_at(text: &[u8], start: usize, all: &[Group]) -> Option<Range<usize>> {
    let (label, is_near) = label::labelled(text, start).unzip();
    if label == Some(Label::Other) || label == Some(Label::Card) {
        return None;
    }
    let is_called_number = label == Some(Label::Number);
    let is_named = label == Some(Label::Phone);
    let mut best = None;
    for count in 1..=all.len().min(5) {
        let groups = &all[..count];
        let digits: usize = groups.iter().map(Group::len).sum();
        if digits > 11 {
            break;
        }
        let gaps = &groups[..count - 1];
        let is_american = is_american(text, groups);
        let even = is_american || gaps.windows(2).all(|pair| pair[0].gap == pair[1].gap);
        let plain = is_american
            || gaps
                .iter()
                .all(|group| matches!(group.gap, b' ' | b'-' | b'.' | b'/'));
        let sizes = groups
            .iter()
            .fold(0, |sizes, group| sizes * 10 + group.len().min(9) as u32);
        let fits = is_bare_form(text, groups, sizes, digits) && plain && (even || is_named);
        let is_whole = count == all.len();
        let is_free = is_named
            && is_near == Some(true)
            && plain
            && even
            && is_whole
            && (6..=10).contains(&digits)
            && sizes != 44
            && !is_date(text, groups);
        let is_alone = || is_whole && is_alone(text, groups, digits, is_called_number);
        if fits && (is_named || is_alone()) || is_free {
            best = Some((
                groups[count - 1].end(),
                start - usize::from(groups[0].gap == b')'),
            ));
        }
    }
    let (end, start) = best?;
    is_apart(text, &(start..end)).then_some(start..end)
}

/// Whether three groups could be a date.
fn is_date(text: &[u8], groups: &[Group]) -> bool {
    let [one, two, three] = groups else {
        return false;
    };
    let is_day = |day: &Group, month: &Group| {
        (1..=31).contains(&day.value(text)) && (1..=12).contains(&month.value(text))
    };
    let year = one.len().max(three.len());
    matches!(year, 2 | 4)
        && two.len() <= 2
        && (is_day(one, two) || is_day(two, one) || is_day(three, two))
}

/// Whether groups have the sizes and the first digits of a Spanish, Portuguese, Italian or Luxembourgish number.
fn is_bare_form(text: &[u8], groups: &[Group], sizes: u32, digits: usize) -> bool {
    let (first, second) = (byte(text, groups[0].start), byte(text, groups[0].start + 1));
    match digits {
        // Spain, Portugal; Luxembourg's mobile numbers
        9 => {
            matches!(first, b'6'..=b'9' | b'2')
                && matches!(
                    sizes,
                    333 | 3222 | 2322 | 2223 | 234 | 36 | 9 | 27 | 432 | 324
                )
        }
        // Italy's mobile numbers
        10 if is_american(text, groups) => true,
        10 => {
            first == b'3'
                && (b'1'..=b'9').contains(&second)
                && matches!(sizes, 334 | 37 | 3322 | 343 | 3223 | 9 | 46 | 433)
        }
        8 => first == b'2' && second >= b'4' && matches!(sizes, 2222 | 8),
        _ => false,
    }
}

/// `212-555-0187`, `(212) 555-0187`.
fn is_american(text: &[u8], groups: &[Group]) -> bool {
    let [area, exchange, rest] = groups else {
        return false;
    };
    let begins = |group: &Group| (b'2'..=b'9').contains(&byte(text, group.start));
    let is_set_off = matches!(
        (area.gap, exchange.gap),
        (b'-' | b'/' | b')', b'-') | (b'.', b'.')
    ) && (area.gap == b')') == (byte_before(text, area.start) == b'(');
    [area.len(), exchange.len(), rest.len()] == [3, 3, 4]
        && begins(area)
        && begins(exchange)
        && is_set_off
}

/// Whether a number without a zero and without a word that says so is one all the same: no amount, no firm.
fn is_alone(text: &[u8], groups: &[Group], digits: usize, is_called_number: bool) -> bool {
    let start = groups[0].start;
    let end = groups.last().map_or(start, |group| group.end());
    let first = byte(text, start);
    let sized = groups.len() > 1 || is_called_number;
    let behind = label::words_behind(text, end).next().unwrap_or_default();
    let is_amount = !is_called_number
        && matches!(
            text[end..].iter().find(|byte| **byte != b' '),
            Some(&(plain::MONEY | b'%' | b'$' | plain::RAISED))
        )
        || UNITS.hold(behind)
        || matches!(
            (byte(text, end), byte(text, end + 1)),
            (b',' | b'.' | b'/' | b'-', b'0'..=b'9')
        )
        || matches!(
            text[..start].iter().rev().find(|byte| **byte != b' '),
            Some(&(plain::MONEY | b'$' | b'=' | b'#' | b'.' | b','))
        );
    let luhn = |range: Range<usize>| {
        let digits: Vec<u8> = text[range]
            .iter()
            .copied()
            .filter(u8::is_ascii_digit)
            .collect();
        super::card::passes_luhn(&digits)
    };
    let is_firm = digits == 9 && first != b'6' && luhn(start..end);
    let is_mobile = matches!((digits, first), (9, b'6' | b'7' | b'9') | (10, b'3'))
        || is_american(text, groups);
    let by_dots = digits == 9
        && groups.iter().all(|group| group.len() == 3)
        && matches!(groups[0].gap, b'.' | b'-');
    sized && is_mobile && !is_amount && !is_firm && !by_dots
}

/// What numbers are counts of.
#[rustfmt::skip]
static UNITS: Words = Words::new(&[
    "bytes", "chf", "clients", "copie", "copies", "dollar*", "einwohner", "ejemplares", "eur", "euro*", "exemplaires",
    "francs", "franken", "g", "gb", "gbp", "habitants", "heures", "hours", "inhabitants", "k", "kg", "km", "ko",
    "kunden", "kw", "kwh", "l", "lignes", "livres", "m", "m2", "m3", "mb", "million*", "mo", "mwh", "octets", "pezzi",
    "pieces", "pounds", "rcs", "rows", "siren", "siret", "stuck", "stunden", "t", "tb", "tonnes", "unidades", "units",
    "usd", "views", "visit*", "w",
]);

/// Whether neither a letter nor a sign that binds touches a number.
fn is_apart(text: &[u8], range: &Range<usize>) -> bool {
    let (before, behind) = (byte_before(text, range.start), byte(text, range.end));
    let is_bound = match before {
        b'/' | b'=' | b'?' | b'&' | b'#' | b'_' => true,
        b'-' | b'.' | b',' | b'\'' => {
            byte_before(text, range.start - 1).is_ascii_digit() || is_code(text, range.start - 1)
        }
        letter if letter.is_ascii_alphanumeric() => {
            !label_touches(text, range.start)
                && !is_long_word(text, word_start(text, range.start)..range.start)
        }
        _ => false,
    };
    let is_bound = is_bound && !(before == b'/' && label_touches(text, range.start - 1));
    let goes_on = range.end > range.start
        && (behind.is_ascii_alphanumeric()
            && !is_long_word(text, range.end..word_end(text, range.end))
            || matches!(behind, b'_' | b'=' | b'@')
            || (matches!(behind, b'-' | b'/' | b'.' | b',')
                && byte(text, range.end + 1).is_ascii_alphanumeric()
                && behind != b'/'
                && behind != b'.'
                && behind != b','));
    !is_bound && !goes_on
}

/// Whether a word that touches a number is one of prose, from which only a blank was lost: codes are short.
fn is_long_word(text: &[u8], word: Range<usize>) -> bool {
    word.len() >= WORD_MIN && text[word].iter().all(u8::is_ascii_alphabetic)
}

/// Letters of a word that is no code.
pub(super) const WORD_MIN: usize = 4;

/// Whether letters before a sign are no word for a telephone number: `REF-0612345678`.
fn is_code(text: &[u8], at: usize) -> bool {
    byte_before(text, at).is_ascii_alphanumeric() && !label_touches(text, at)
}

/// Whether a word for a telephone number ends at `at`: `Tel.`, `T:`.
fn label_touches(text: &[u8], at: usize) -> bool {
    static WORDS: Words = Words::new(&[
        "cell", "fax", "fon", "gsm", "handy", "m", "mob*", "p", "ph", "phone", "port", "portable",
        "t", "tel*",
    ]);
    let word = label::words_before(text, at).next().unwrap_or_default();
    WORDS.hold(word)
}

/// Codes of countries, with the fewest and the most digits of their numbers (ITU-T E.164 and national plans).
#[rustfmt::skip]
static COUNTRIES: &[(&str, u8, u8)] = &[
    ("33", 9, 9), ("32", 8, 9), ("352", 5, 11), ("41", 9, 9), ("49", 6, 11), ("43", 6, 12), ("34", 9, 9), ("39", 8, 11), ("31", 9, 9),
    ("44", 9, 10), ("353", 7, 9), ("351", 9, 9), ("1", 10, 10), ("377", 8, 9), ("376", 6, 9), ("378", 6, 10), ("423", 7, 9), ("350", 8, 8),
    ("45", 8, 8), ("46", 7, 10), ("47", 8, 8), ("354", 7, 9), ("358", 6, 11), ("48", 9, 9), ("420", 9, 9), ("421", 9, 9), ("36", 8, 9),
    ("40", 9, 9), ("359", 7, 9), ("30", 10, 10), ("385", 8, 9), ("386", 8, 8), ("372", 7, 8), ("371", 8, 8), ("370", 8, 8), ("356", 8, 8),
    ("357", 8, 8), ("381", 8, 9), ("382", 8, 8), ("383", 8, 9), ("387", 8, 9), ("389", 8, 8), ("355", 8, 9), ("373", 8, 8), ("380", 9, 9), ("375", 9, 9),
    ("7", 10, 10), ("90", 10, 10), ("212", 9, 9), ("213", 8, 9), ("216", 8, 8), ("20", 9, 10), ("221", 9, 9), ("225", 10, 10), ("223", 8, 8),
    ("226", 8, 8), ("227", 8, 8), ("228", 8, 8), ("229", 8, 10), ("230", 7, 8), ("233", 9, 9), ("234", 10, 10), ("237", 9, 9), ("241", 8, 9), ("242", 9, 9), ("243", 9, 9), ("254", 9, 9),
    ("261", 9, 9), ("262", 9, 9), ("27", 9, 9), ("590", 9, 9), ("594", 9, 9), ("596", 9, 9), ("687", 6, 6), ("689", 8, 8), ("508", 6, 6),
    ("961", 7, 8), ("962", 9, 9), ("966", 9, 9), ("971", 8, 9), ("972", 8, 9), ("974", 8, 8), ("965", 8, 8), ("86", 11, 11), ("81", 9, 10), ("82", 9, 10), ("91", 10, 10),
    ("61", 9, 9), ("64", 8, 10), ("65", 8, 8), ("66", 9, 9), ("60", 9, 10), ("62", 9, 11), ("63", 10, 10), ("84", 9, 10), ("852", 8, 8), ("886", 9, 9), ("92", 10, 10), ("98", 10, 10),
    ("52", 10, 10), ("54", 10, 11), ("55", 10, 11), ("56", 9, 9), ("57", 10, 10), ("51", 9, 9), ("58", 10, 10), ("593", 9, 9), ("595", 9, 9), ("598", 8, 8), ("591", 8, 8), ("506", 8, 8), ("507", 7, 8), ("53", 8, 8),
];
