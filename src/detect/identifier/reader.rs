//! The search for what a reader takes for an identifier: by its form and the words around it, in a plain text.

use std::ops::Range;

use super::super::plain;
use super::sight::Sight;
use super::{Kind, address, bic, birth_date, mail, national_id, passport, phone};

/// The fewest digits of what is no mail address and no bank: the number of a house.
const DIGITS_MIN: usize = 1;

/// What was found.
pub(super) type Found = (Kind, Range<usize>);

/// Whether a look at a text leaves room for anything that is read.
pub(super) fn may_hold_any(sight: Sight) -> bool {
    sight.digits >= DIGITS_MIN || sight.mail || sight.hidden_mail || sight.bank
}

/// Finds everything in a plain text, without overlaps.
pub(super) fn search(text: &[u8], sight: Sight, found: &mut dyn FnMut(Kind, Range<usize>)) {
    let mut spans: Vec<Found> = Vec::new();
    if sight.mail {
        mail::all(text, &mut spans);
    }
    if sight.hidden_mail || sight.mail {
        mail::all_hidden(text, sight.hidden_mail, &mut spans);
    }
    bic::all(text, sight.bank, &mut spans);
    if spans.len() > 1 {
        spans.sort_by_key(|(_, range)| range.start);
    }
    if sight.digits >= DIGITS_MIN {
        search_figures(text, &spans, found);
    }
    for (kind, range) in spans {
        found(kind, range);
    }
}

/// Finds what stands at the figures of a text, apart from what was found before.
fn search_figures(text: &[u8], others: &[Found], found: &mut dyn FnMut(Kind, Range<usize>)) {
    let mut others = others.iter().map(|(_, range)| range.clone()).peekable();
    let mut seen = Seen::default();
    let mut at = 0;
    while let Some(figure) = next_figure(text, at) {
        while others.next_if(|range| range.end <= figure.start).is_some() {}
        if let Some(range) = others.peek().filter(|range| range.start < figure.end) {
            at = range.end.max(figure.start + 1);
            seen.last = at;
            continue;
        }
        let limit = others.peek().map_or(text.len(), |range| range.start);
        at = match one_at(&text[..limit], &figure, &mut seen) {
            Step::Over(end) => end,
            Step::Found(kind, range) => {
                seen.last = range.end;
                let end = range.end.max(figure.start + 1);
                if let Some(kind) = kind {
                    found(kind, range);
                }
                end
            }
        };
    }
}

/// What was seen of a text so far.
#[derive(Default)]
pub(super) struct Seen {
    /// Where the last identifier or date ends: no other one reaches back over it.
    last: usize,
    births: birth_date::Births,
    pub(super) postcodes: address::Postcodes,
}

/// How a search goes on.
enum Step {
    /// From here, for nothing was found.
    Over(usize),
    /// From the end of what was found, which may be a date of something else than a birth.
    Found(Option<Kind>, Range<usize>),
}

/// What stands at a figure: an identifier, or a date that is none.
fn one_at(text: &[u8], figure: &Range<usize>, seen: &mut Seen) -> Step {
    let last = seen.last;
    let start = figure.start
        + text[figure.clone()]
            .iter()
            .take_while(|byte| !byte.is_ascii_digit())
            .count();
    let groups = Groups::at(text, start);
    let groups = groups.as_slice();
    let is_list = groups.len() == GROUPS_MAX
        && groups
            .iter()
            .all(|group| group.gap == groups[0].gap && byte(text, group.start) != b'0');
    if is_list {
        // Numbers without end.
        return Step::Over(groups[GROUPS_MAX / 2].start);
    }
    let digits: usize = groups.iter().map(Group::len).sum();
    let found = |kind| move |range| Step::Found(Some(kind), range);
    let not_before = |range: &Range<usize>| range.start >= last;
    if let Some(range) = national_id::at(text, figure, digits).filter(not_before) {
        return Step::Found(Some(Kind::NationalId), range);
    }
    if start == figure.start
        && let Some((range, is_birth)) = seen.births.date_at(text, figure, groups, last)
    {
        return Step::Found(is_birth.then_some(Kind::BirthDate), range);
    }
    passport::at(text, figure)
        .filter(not_before)
        .map(found(Kind::Passport))
        .or_else(|| phone::at(text, start, groups, last).map(found(Kind::Phone)))
        .or_else(|| {
            address::at(text, figure, &mut seen.postcodes)
                .filter(not_before)
                .map(found(Kind::Address))
        })
        .unwrap_or(Step::Over(figure.end))
}

/// The next word from `at` on that holds a digit.
fn next_figure(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let digit = at + rest.iter().position(u8::is_ascii_digit)?;
    let start = word_start(text, digit).max(at);
    // To its very end: the search goes on behind it.
    let word = text[digit..].iter().take_while(|byte| is_word(**byte));
    Some(start..digit + word.count())
}

/// Where the letters and digits that stand before `at` begin.
pub(super) fn word_start(text: &[u8], at: usize) -> usize {
    let before = text[..at].iter().rev();
    at - before
        .take_while(|byte| is_word(**byte))
        .take(WORD_MAX)
        .count()
}

/// Where the letters and digits from `at` on end, as far as they are looked at.
pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| is_word(**byte));
    at + word.take(WORD_MAX).count()
}

/// Letters and digits that are looked at on one side of a place: more than any known word has. Whatever looks around a
/// place looks so far at most, or words without end would be read again at every place in them.
pub(super) const WORD_MAX: usize = 64;

/// Whether a byte is a letter or a digit.
pub(super) fn is_word(byte: u8) -> bool {
    #[cfg(test)]
    steps::count();
    byte.is_ascii_alphanumeric() || byte == plain::LETTER
}

/// The byte at a place, or a blank beyond the text.
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    #[cfg(test)]
    steps::count();
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
    size: u16,
    /// What stands between it and the next one, if another one follows: one sign, or one with blanks around it.
    pub(super) gap: u8,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        usize::from(self.size)
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.len()
    }

    /// Its number, as far as it is one of at most nine digits.
    pub(super) fn value(&self, text: &[u8]) -> u32 {
        let digits = text
            .get(self.start..self.start + self.len().min(9))
            .unwrap_or_default();
        digits.iter().fold(0, |value, digit| {
            value * 10 + u32::from(digit.wrapping_sub(b'0') % 10)
        })
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
            let size = u16::try_from(end - start).unwrap_or(u16::MAX);
            groups.all[groups.count] = Group { start, size, gap };
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
            other @ (b'.' | b'-' | b'/' | b'(' | b')' | b',' | b'_')
                if sign == 0 || sign == b' ' =>
            {
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

/// How often the search looks at a byte.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// Those of a search on this thread.
    pub(in crate::detect::identifier) fn of(search: impl FnOnce()) -> usize {
        let before = STEPS.get();
        search();
        STEPS.get() - before
    }
}
