//! The search for what a checksum proves, in any spelling: account numbers, cards, French national numbers.

use std::ops::Range;

use super::super::spelling::{self, Stretch, Tally};
use super::super::{Meant, Span, characters};
use super::{Kind, card, iban, nir};

/// The fewest digits of any identifier that is looked for: those of an IBAN that is letters as far as possible.
const DIGITS_MIN: usize = 5;
/// The fewest symbols of any identifier that is looked for: those of a card.
pub(in crate::detect) const SYMBOLS_MIN: usize = card::DIGITS_MIN;

/// Adds every identifier of a text that begins at byte `offset` of the whole.
pub(super) fn search(text: &str, offset: usize, is_meant: Meant<'_>, spans: &mut Vec<Span>) {
    if !may_hold_any(text) {
        return;
    }
    let insides = spelling::stretches(text, may_hold_one, &mut |stretch| {
        search_stretch(text, stretch, offset, is_meant, spans);
    });
    if let Some(joined) = spelling::joined(text) {
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
pub(super) fn may_hold_any(text: &str) -> bool {
    let counts = |byte: &u8| {
        u8::from(byte.is_ascii_digit() || *byte == b'&' || characters::may_begin_digit(*byte))
    };
    let mut digits = 0;
    // Blocks whose sum fits into a byte, so that they are summed up many bytes at a time.
    text.as_bytes().chunks(BLOCK_BYTES).any(|block| {
        digits += usize::from(block.iter().map(counts).sum::<u8>());
        digits >= DIGITS_MIN
    })
}

const BLOCK_BYTES: usize = 128;

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

