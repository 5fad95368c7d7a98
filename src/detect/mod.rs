//! Finds identifiers in text. Pure functions; a detector classifies, rules decide.
//!
//! The search errs towards finding those that a checksum proves: they may be grouped in any way, with tags and invisible
//! characters in them, may stand directly beside words, and may be encoded, once or several times. Of the others, the form
//! and the words around them decide; they are read as a reader sees them.

use std::borrow::Cow;
use std::ops::Range;

mod characters;
mod escapes;
mod identifier;
mod ignorable;
mod layers;
mod memo;
mod plain;
mod spelling;
pub mod statement;

#[cfg(test)]
mod tests;

pub use identifier::Kind;
pub(crate) use identifier::{elbow_room, iban_length, may_disclaim, stands_in_any_company};

/// An identifier found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes in the text, from its first to its last character.
    pub range: Range<usize>,
}

/// What stands in the place of a statement.
pub(crate) const WITHHELD: &str = "withheld";

/// Which kinds are looked for.
pub type Meant<'k> = &'k dyn Fn(Kind) -> bool;

/// Finds identifiers of some kinds, left to right, without overlaps.
pub fn find(text: &str, kinds: &[Kind]) -> Vec<Span> {
    find_where(text, &|kind| kinds.contains(&kind))
}

/// The same of the kinds that are meant.
pub fn find_where(text: &str, is_meant: Meant<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    layers::all(text, &mut |layer, source| {
        identifier::search_layer(layer, is_meant, source, &mut spans);
    });
    without_overlaps(spans)
}

/// The same, remembered of texts that were read before.
pub fn find_again(text: &str, is_meant: Meant<'_>) -> Vec<Span> {
    memo::identifiers(text, is_meant).to_vec()
}

/// The statements of a text, in order: of the text itself, and of what it says once its escapes are undone.
pub fn statements(text: &str, lexicon: &statement::Lexicon) -> Vec<statement::Statement> {
    memo::statements(text, lexicon).to_vec()
}

/// The same, read anew.
pub(crate) fn read_statements(
    text: &str,
    lexicon: &statement::Lexicon,
) -> Vec<statement::Statement> {
    let mut found = Vec::new();
    layers::all(text, &mut |layer, source| {
        found.extend(statement::find(layer, lexicon).into_iter().map(|found| {
            statement::Statement {
                range: source(&found.range),
                ..found
            }
        }));
    });
    found.sort_by_key(|found| (found.range.start, found.range.end, found.topic));
    // A clause in which nothing is coded is the same in every layer.
    found.dedup();
    found
}

/// The same, each with the words and the context that made it.
pub fn explained(
    text: &str,
    lexicon: &statement::Lexicon,
) -> Vec<(statement::Statement, Vec<String>)> {
    let mut found = Vec::new();
    layers::all(text, &mut |layer, source| {
        for (mut statement, because) in statement::explain(layer, lexicon) {
            statement.range = source(&statement.range);
            found.push((statement, because));
        }
    });
    found.sort_by_key(|(found, _)| (found.range.start, found.range.end, found.topic));
    found.dedup_by(|one, other| one.0 == other.0);
    found
}

/// What detectors find, as a word that is another one whenever the same text may give other findings.
pub fn version() -> &'static str {
    statement::version()
}

/// A quick look: many texts hold nothing that an identifier could be made of.
pub(crate) fn may_hold_any(text: &str) -> bool {
    identifier::may_hold_any(text)
}

/// Of spans that lie in one another the outer one stays; spans that partly overlap become one, so that no part of
/// either is left over. What a statement is part of is withheld like one.
pub(crate) fn without_overlaps(mut spans: Vec<Span>) -> Vec<Span> {
    if spans.is_empty() {
        return spans;
    }
    spans.sort_by(|a, b| (a.range.start, b.range.end).cmp(&(b.range.start, a.range.end)));
    let mut apart: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
                if matches!(span.kind, Kind::Statement(_)) {
                    last.kind = span.kind;
                }
            }
            _ => apart.push(span),
        }
    }
    apart
}

/// The letters and digits of a value that is one identifier, upper case, without its grouping; `None` if the value
/// holds anything that is neither.
pub(crate) fn compact(value: &str) -> Option<Cow<'_, str>> {
    spelling::compact(value)
}

/// Bytes of the percent escape or HTML entity that a text begins with, if it begins with one.
pub(crate) fn escape_length(text: &str) -> Option<usize> {
    escapes::escape(text).map(|(_, length)| length)
}

/// A text with its percent escapes and entities undone once.
pub(crate) fn decode_once(text: &str) -> String {
    layers::decode_once(text)
}

/// The ASCII digit of a digit of another script.
pub(crate) fn digit_of_a_script(character: char) -> Option<u8> {
    characters::digit(character)
}

/// Whether a character is one that a reader does not see and a program may drop.
pub(crate) fn is_ignorable(character: char) -> bool {
    ignorable::is_ignorable(character)
}
