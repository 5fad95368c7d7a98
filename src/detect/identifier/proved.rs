//! The search for what a checksum proves, in any spelling: account numbers, cards, French national numbers.

use std::ops::Range;

use super::super::spelling::{self, Stretch, Tally};
use super::super::{Meant, Span};
use super::sight::Sight;
use super::{Kind, card, iban, nir};

/// The fewest digits of any identifier that is looked for: those of an IBAN that is letters as far as possible.
const DIGITS_MIN: usize = 5;
/// The fewest digits of one in regular groups.
const JOINED_DIGITS_MIN: usize = 9;
/// The fewest symbols of any identifier that is looked for: those of a card.
const SYMBOLS_MIN: usize = card::DIGITS_MIN;

/// Adds every identifier of a text that begins at byte `offset` of the whole.
pub(super) fn search(text: &str, offset: usize, is_meant: Meant<'_>, spans: &mut Vec<Span>) {
    let sight = Sight::of(text);
    if may_hold_any(sight) {
        search_seen(text, sight, offset, is_meant, spans);
    }
}

/// The same of a text that was looked at.
pub(super) fn search_seen(
    text: &str,
    sight: Sight,
    offset: usize,
    is_meant: Meant<'_>,
    spans: &mut Vec<Span>,
) {
    let insides = spelling::stretches(text, may_hold_one, &mut |stretch| {
        search_stretch(text, stretch, offset, is_meant, spans);
    });
    let may_be_joined = sight.joints && sight.digits >= JOINED_DIGITS_MIN;
    if let Some(joined) = may_be_joined.then(|| spelling::joined(text)).flatten() {
        search_regular(text, &joined, offset, is_meant, spans);
    }
    // A tag is a separator to the text around it, and a text of its own: `<a href="?iban=…">`. It holds no other tag.
    for inside in insides {
        if let Some(text) = text.get(inside.clone()) {
            search(text, offset + inside.start, is_meant, spans);
        }
    }
}

/// Whether a text has enough of what may be a digit, or stand for one.
pub(super) fn may_hold_any(sight: Sight) -> bool {
    sight.digits >= DIGITS_MIN
}

/// Whether a stretch is long enough for an identifier, and holds enough digits.
fn may_hold_one(Tally { symbols, digits }: Tally) -> bool {
    symbols >= SYMBOLS_MIN && digits >= DIGITS_MIN
}
/// Adds what reads as one identifier across what else parts things from each other: brackets, bars, semicolons. Such an
/// identifier is written in regular groups; in any groups, lists of numbers would be full of them.
fn search_regular(
    text: &str,
    joined: &str,
    offset: usize,
    is_meant: Meant<'_>,
    spans: &mut Vec<Span>,
) {
    spelling::stretches(joined, may_hold_one, &mut |stretch| {
        let whole = stretch.range(0..stretch.symbols.len()).unwrap_or_default();
        if !text.get(whole).is_some_and(spelling::has_joint) {
            return;
        }
        let mut add = |kind, symbols: Range<usize>| {
            let range = stretch.range(symbols).unwrap_or_default();
            if text.get(range.clone()).is_some_and(spelling::has_joint) {
                let range = range.start + offset..range.end + offset;
                spans.push(Span { kind, range });
            }
        };
        for start in 0..stretch.symbols.len() {
            if is_meant(Kind::Iban)
                && let Some(length) = iban::regular_length_at(stretch, start)
            {
                add(Kind::Iban, start..start + length);
            }
            if is_meant(Kind::Nir)
                && let Some(symbols) = nir::regular_at(stretch, start)
            {
                add(Kind::Nir, symbols);
            }
            if is_meant(Kind::Card)
                && let Some(symbols) = card::regular_at(text, stretch, start)
            {
                add(Kind::Card, symbols);
            }
        }
    });
}

fn search_stretch(
    text: &str,
    stretch: &Stretch,
    offset: usize,
    is_meant: Meant<'_>,
    spans: &mut Vec<Span>,
) {
    let mut add = |kind, symbols: Range<usize>| {
        if let Some(range) = stretch.range(symbols) {
            spans.push(Span {
                kind,
                range: range.start + offset..range.end + offset,
            });
        }
    };
    let starts = 0..stretch.symbols.len();
    if is_meant(Kind::Iban) {
        for start in starts.clone() {
            if let Some(length) = iban::length_at(stretch, start) {
                add(Kind::Iban, start..start + length);
            }
        }
    }
    // A card or a national number is digits all over.
    let is_long = stretch
        .symbols
        .iter()
        .filter(|symbol| symbol.is_ascii_digit())
        .count()
        >= SYMBOLS_MIN;
    if !is_long {
        return;
    }
    if is_meant(Kind::Card) {
        card::all(text, stretch, &mut |symbols| add(Kind::Card, symbols));
    }
    if is_meant(Kind::Nir) {
        spans.extend(starts.filter_map(|start| {
            let range = nir::at(text, stretch, start)?;
            Some(Span {
                kind: Kind::Nir,
                range: range.start + offset..range.end + offset,
            })
        }));
    }
}

/// The search without the quick looks that spare most texts from it.
#[cfg(test)]
pub(in crate::detect) fn search_fully(text: &str, offset: usize, spans: &mut Vec<Span>) {
    let is_meant = |kind: Kind| kind.has_checksum();
    let insides = spelling::stretches(text, |_| true, &mut |stretch| {
        search_stretch(text, stretch, offset, &is_meant, spans);
    });
    if let Some(joined) = spelling::joined(text) {
        search_regular(text, &joined, offset, &is_meant, spans);
    }
    for inside in insides {
        search_fully(&text[inside.clone()], offset + inside.start, spans);
    }
}
