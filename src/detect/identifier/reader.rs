//! The search for what a reader takes for an identifier: by its form and the words around it, in a plain text.

use std::ops::Range;

use memchr::memmem;

use super::super::{characters, plain};
use super::{Kind, address, bic, birth_date, mail, national_id, passport, phone};

/// The fewest digits of what is no mail address and no bank: the number of a house.
const DIGITS_MIN: usize = 1;
const BLOCK_BYTES: usize = 128;

/// What was found.
pub(super) type Found = (Kind, Range<usize>);

/// A quick look at a text, before it is made plain.
pub(super) fn may_hold_any(text: &str) -> bool {
    let counts = |byte: &u8| u8::from(byte.is_ascii_digit() || characters::may_begin_digit(*byte));
    let mut digits = 0;
    text.as_bytes().chunks(BLOCK_BYTES).any(|block| {
        digits += usize::from(block.iter().map(counts).sum::<u8>());
        digits >= DIGITS_MIN
    }) || mail::may_hold_any(text.as_bytes())
        || bic::may_hold_any(text.as_bytes())
}

/// Finds everything in a plain text, without overlaps.
pub(super) fn search(text: &[u8], found: &mut dyn FnMut(Kind, Range<usize>)) {
    let mut spans: Vec<Found> = Vec::new();
    mail::all(text, &mut spans);
    bic::all(text, &mut spans);
    spans.sort_by_key(|(_, range)| range.start);
    let mut taken = spans.iter().map(|(_, range)| range.clone()).peekable();
    let (mut at, mut last) = (0, 0);
    let mut births = birth_date::Births::default();
    while let Some(figure) = next_figure(text, at) {
        while taken.next_if(|range| range.end <= figure.start).is_some() {}
        if let Some(range) = taken.peek().filter(|range| range.start < figure.end) {
            at = range.end.max(figure.start + 1);
            last = at;
            continue;
        }
        let limit = taken.peek().map_or(text.len(), |range| range.start);
        let text = &text[..limit];
        at = match one_at(text, &figure, last, &mut births) {
            Some((kind, range)) => {
                let end = range.end;
                last = end;
                if let Some(kind) = kind {
                    found(kind, range);
                }
                end.max(figure.start + 1)
            }
            None => figure.end,
        };
    }
    for (kind, range) in spans {
        found(kind, range);
    }
}

/// What stands at a figure, not before `last`: an identifier, or a date that is none.
fn one_at(
    text: &[u8],
    figure: &Range<usize>,
    last: usize,
    births: &mut birth_date::Births,
) -> Option<(Option<Kind>, Range<usize>)> {
    let found = |kind| move |range| (Some(kind), range);
    if let Some(range) = national_id::at(text, figure).filter(|range| range.start >= last) {
        return Some((Some(Kind::NationalId), range));
    }
    if let Some((range, is_birth)) = births.date_at(text, figure, last) {
        return Some((is_birth.then_some(Kind::BirthDate), range));
    }
    passport::at(text, figure)
        .filter(|range| range.start >= last)
        .map(found(Kind::Passport))
        .or_else(|| phone::at(text, figure, last).map(found(Kind::Phone)))
        .or_else(|| address::at(text, figure, last).map(found(Kind::Address)))
}

/// The next word from `at` on that holds a digit.
fn next_figure(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let digit = at + rest.iter().position(u8::is_ascii_digit)?;
    let start = word_start(text, digit).max(at);
    Some(start..word_end(text, digit))
}

/// Where the letters and digits that stand before `at` begin.
pub(super) fn word_start(text: &[u8], at: usize) -> usize {
    let before = text[..at].iter().rev();
    at - before.take_while(|byte| is_word(**byte)).take(WORD_MAX).count()
}

/// Where the letters and digits from `at` on end.
pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_word(**byte)).count()
}

/// Letters before a digit that are looked at.
const WORD_MAX: usize = 64;

/// Whether a byte is a letter or a digit.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == plain::LETTER
}

/// The byte at a place, or a blank beyond the text.
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b' ')
}

/// The byte before a place, or a blank before the text.
pub(super) fn byte_before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(b' ', |at| byte(text, at))
}

/// A group of digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What stands between it and the next one, if another one follows: one sign, or one with blanks around it.
    pub(super) gap: u8,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Its number, as far as it is one of at most nine digits.
    pub(super) fn value(&self, text: &[u8]) -> u32 {
        let digits = text.get(self.start..self.end.min(self.start + 9)).unwrap_or_default();
        digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit.wrapping_sub(b'0') % 10))
    }
}

/// Groups of digits in a row, with what people put between them.
pub(super) struct Groups {
    all: [Group; GROUPS_MAX],
    count: usize,
}

/// Groups that are looked at: those of the longest telephone number, digit by digit.
const GROUPS_MAX: usize = 16;

impl Groups {
    /// The groups from `at` on, where a digit stands.
    pub(super) fn at(text: &[u8], at: usize) -> Self {
        let mut groups = Self {
            all: [Group::default(); GROUPS_MAX],
            count: 0,
        };
        let mut start = at;
        while groups.count < GROUPS_MAX {
            let mut end = start;
            while byte(text, end).is_ascii_digit() {
                end += 1;
            }
            let (gap, next) = gap_at(text, end).unwrap_or((0, end));
            groups.all[groups.count] = Group { start, end, gap };
            groups.count += 1;
            if gap == 0 {
                break;
            }
            start = next;
        }
        groups
    }

    pub(super) fn as_slice(&self) -> &[Group] {
        &self.all[..self.count]
    }
}

/// What stands between two groups of digits, and where the second one begins.
fn gap_at(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let (mut sign, mut end) = (0, at);
    while end < at + 4 {
        match byte(text, end) {
            b' ' | b'\t' if end < text.len() => {
                if sign == 0 {
                    sign = b' ';
                }
            }
            other @ (b'.' | b'-' | b'/' | b'(' | b')' | b',' | b'_') if sign == 0 || sign == b' ' => {
                sign = other;
            }
            digit if digit.is_ascii_digit() && end > at => return Some((sign, end)),
            _ => return None,
        }
        end += 1;
    }
    byte(text, end).is_ascii_digit().then_some((sign, end))
}

/// Whether a text stands at a place of another one, whatever the case of its letters.
pub(super) fn stands_at(text: &[u8], at: usize, other: &str) -> bool {
    text.get(at..at + other.len())
        .is_some_and(|part| part.eq_ignore_ascii_case(other.as_bytes()))
}

/// Whether a text holds any of some words.
pub(super) fn holds_any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| memmem::find(text, word.as_bytes()).is_some())
}
