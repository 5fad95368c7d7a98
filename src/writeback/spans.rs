//! Puts original identifiers back where their masks stand in a text that was edited around them.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::apart::{self, Seen};
use super::company::{self, Marked};
use super::label;
use super::new;
use super::room;
use crate::detect::{self, Kind, Span};
use crate::filter::{Replacement, replacements};
use crate::markup;
use crate::mask::{self, Placeholder};
use crate::objection::Objection;
use crate::policy::TextRule;
use crate::reason::Reason;
use crate::vocabulary::Edit;

/// What becomes of a text.
#[derive(Debug, PartialEq)]
pub(super) struct Restored {
    pub(super) edit: Edit,
    /// Whether it says something that is told in the log.
    pub(super) is_flagged: bool,
}

impl From<Edit> for Restored {
    fn from(edit: Edit) -> Self {
        Self {
            edit,
            is_flagged: false,
        }
    }
}

/// An identifier that is not shown: its kind, where it stands in the held text, and where it was put in the new one.
struct Original {
    kind: Kind,
    held: Range<usize>,
    put: Range<usize>,
}

/// What becomes of a text that was sent for one that is held, in a column of which `length` is known or not.
///
/// The masks in the sent text must be the masks of the shown text, each once and in the same order, in the same company,
/// and nothing that could be read together with an original may have come near it. All of that is judged by what the caller
/// sees, so that no answer tells what is hidden. Any other identifier in the text is a write to its category. None of the
/// originals may lie where the CRM could cut it; and the detectors must find them exactly where they were put.
pub(super) fn restore(
    sent: &str,
    held: &str,
    rule: &TextRule,
    length: Option<usize>,
) -> Result<Restored, Objection> {
    let shown = Shown::of(held, rule);
    let visible = shown.visible();
    let put = put_back(sent, held, &shown)?;
    if put.originals.is_empty() {
        return Ok(Restored {
            edit: Edit::Keep,
            is_flagged: new::judge(sent, &visible, rule)?,
        });
    }
    let (new, old) = (Marked::new(sent, &put.masks), shown.marked());
    let seen = shown.seen();
    if !company::is_kept(new, old)
        || !apart::all_stand_apart(new, old, &seen)
        || !label::are_kept(new, old, &seen)
    {
        return Err(Reason::EditedTooClose.into());
    }
    // One that is only found in a certain company is not, as soon as a program joins two lines; but where its company is what
    // the CRM has held so far, it has been found there. A statement is withheld with its whole clause, and a program that
    // joined two would only make one of them.
    let needs_company = |original: &Original| {
        !matches!(original.kind, Kind::Statement(_))
            && !detect::stands_in_any_company(original.kind, &held[original.held.clone()])
            && (original.kind.has_checksum() || !original.keeps_company(&put.text, held))
    };
    if put.originals.iter().any(needs_company) {
        return Err(Reason::EditedTooClose.into());
    }
    let without = put.without_originals();
    let own = replacements(rule, &without);
    let is_flagged = new::judge(&without, &visible, rule)?;
    if !room::is_enough(&put.text, held, &put.ends(), length) {
        return Err(Reason::WithheldTextTooLong.into());
    }
    // What was judged by its form holds for every original; this is the proof for these.
    if !put.is_found_by(rule, own.len()) {
        return Err(Reason::EditedTooClose.into());
    }
    Ok(Restored {
        edit: Edit::Replace(Value::String(put.text)),
        is_flagged,
    })
}

impl Original {
    /// Whether all that words say of it stands beside it as it stood in the held text.
    fn keeps_company(&self, put: &str, held: &str) -> bool {
        let before =
            |text: &str, at: usize| text.as_bytes()[at.saturating_sub(COMPANY_BYTES)..at].to_vec();
        let behind = |text: &str, at: usize| {
            text.as_bytes()[at..text.len().min(at + COMPANY_BYTES)].to_vec()
        };
        before(put, self.put.start) == before(held, self.held.start)
            && behind(put, self.put.end) == behind(held, self.held.end)
    }

    fn ends(&self, put: &str) -> room::Ends {
        let spare = match self.kind {
            Kind::Statement(_) => {
                let own = put.get(self.put.clone()).unwrap_or_default();
                STATEMENT_BYTES.saturating_sub(room::cost(own))
            }
            kind => kind.longest().saturating_sub(self.put.len()),
        };
        room::Ends {
            put: self.put.end,
            held: self.held.end,
            spare,
        }
    }
}

/// Bytes beside an identifier in which words say what it is, with entities and tags.
const COMPANY_BYTES: usize = 256;

/// A text with the originals where their masks stood.
struct Put {
    text: String,
    originals: Vec<Original>,
    /// The places of their masks in the text that was sent.
    masks: Vec<Range<usize>>,
}

/// Puts the originals back where their masks stand, if all of them do, in their order.
fn put_back(sent: &str, held: &str, shown: &Shown) -> Result<Put, Reason> {
    // A name in brackets that stands for nothing in this text is only a word of it.
    let stands_in = |kind: Kind| shown.spans.iter().any(|span| span.kind == kind);
    let placeholders = |text: &str| mask::placeholders_with(text, &stands_in);
    let (found, expected) = (placeholders(sent), placeholders(&shown.text));
    if !are_the_same(sent, &found, &shown.text, &expected) {
        return Err(Reason::MaskWrittenBack);
    }
    let mut put = Put {
        text: String::with_capacity(sent.len()),
        originals: Vec::with_capacity(shown.spans.len()),
        masks: Vec::with_capacity(shown.spans.len()),
    };
    let mut copied = 0;
    let mut spans = shown.masks.iter().zip(&shown.spans).peekable();
    for (found, expected) in found.iter().zip(&expected) {
        // A literal that merely looks like a mask is part of the text and stays.
        let Some((_, span)) = spans.next_if(|(mask, _)| **mask == expected.range) else {
            continue;
        };
        put.text.push_str(&sent[copied..found.range.start]);
        let start = put.text.len();
        put.text.push_str(&held[span.range.clone()]);
        put.originals.push(Original {
            kind: span.kind,
            held: span.range.clone(),
            put: start..put.text.len(),
        });
        put.masks.push(found.range.clone());
        copied = found.range.end;
    }
    put.text.push_str(&sent[copied..]);
    match spans.next() {
        None => Ok(put),
        Some(_) => Err(Reason::MaskWrittenBack),
    }
}

impl Put {
    fn ends(&self) -> Vec<room::Ends> {
        let originals = self.originals.iter();
        originals
            .map(|original| original.ends(&self.text))
            .collect()
    }

    /// The text with a character in place of each original that belongs to no identifier.
    fn without_originals(&self) -> String {
        let mut without = self.text.clone();
        for original in self.originals.iter().rev() {
            without.replace_range(original.put.clone(), WALL);
        }
        without
    }

    /// Whether the detectors find each original exactly where it was put, and so many others.
    fn is_found_by(&self, rule: &TextRule, others: usize) -> bool {
        let found = replacements(rule, &self.text);
        let mut puts = self
            .originals
            .iter()
            .map(|original| &original.put)
            .peekable();
        let own = found
            .iter()
            .filter(|found| puts.next_if(|put| **put == found.span.range).is_none());
        own.count() == others && puts.next().is_none()
    }
}

/// Bytes that are taken for needed by a withheld statement, so that no answer tells how long it is.
const STATEMENT_BYTES: usize = 512;

/// A character that ends what detectors read.
const WALL: &str = "\u{a4}";

/// Whether a text, as it is shown, is the same as another but for what programs change about blanks, entities and composed
/// letters.
pub(super) fn is_shown_alike(one: &str, other: &str, rule: &TextRule) -> bool {
    let folded = |text: &str| {
        let shown = Shown::of(text, rule).text;
        let meant = markup::decode_wholly(&shown);
        let words: Vec<&str> = meant.split_whitespace().collect();
        words.join(" ").nfc().collect::<String>()
    };
    folded(one) == folded(other)
}

/// Whether two texts hold the same masks in the same order. Masks that look alike could change places unseen, so the
/// text between two of them must be the same as well.
fn are_the_same(sent: &str, found: &[Placeholder], shown: &str, expected: &[Placeholder]) -> bool {
    if found.len() != expected.len() {
        return false;
    }
    let last_alike: HashMap<&str, usize> = expected
        .iter()
        .enumerate()
        .map(|(place, mask)| (&shown[mask.range.clone()], place))
        .collect();
    let mut alike_until = None;
    let mut ends = (0, 0);
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let mask = &shown[expected.range.clone()];
        let is_fixed = alike_until >= Some(place);
        if sent[found.range.clone()] != *mask
            || (is_fixed && sent[ends.0..found.range.start] != shown[ends.1..expected.range.start])
        {
            return false;
        }
        alike_until = alike_until.max(last_alike.get(mask).copied());
        ends = (found.range.end, expected.range.end);
    }
    true
}

/// A text as it is shown, with the places of its masks and the identifiers behind them.
struct Shown {
    text: String,
    masks: Vec<Range<usize>>,
    spans: Vec<Span>,
}

impl Shown {
    fn of(held: &str, rule: &TextRule) -> Self {
        let mut shown = Self {
            text: String::with_capacity(held.len()),
            masks: Vec::new(),
            spans: Vec::new(),
        };
        let mut copied = 0;
        for Replacement { span, text } in replacements(rule, held) {
            shown.text.push_str(&held[copied..span.range.start]);
            let start = shown.text.len();
            shown.text.push_str(&text);
            shown.masks.push(start..shown.text.len());
            copied = span.range.end;
            shown.spans.push(span);
        }
        shown.text.push_str(&held[copied..]);
        shown
    }

    /// The text with a character in place of each mask, as [`Put::without_originals`] has it.
    fn visible(&self) -> String {
        let mut visible = self.text.clone();
        for mask in self.masks.iter().rev() {
            visible.replace_range(mask.clone(), WALL);
        }
        visible
    }

    fn marked(&self) -> Marked<'_> {
        Marked::new(&self.text, &self.masks)
    }

    /// What the caller sees of each span.
    fn seen(&self) -> Vec<Seen> {
        let masks = self
            .masks
            .iter()
            .map(|mask| self.text[mask.clone()].as_bytes());
        let spans = masks.zip(&self.spans);
        spans
            .map(|(mask, span)| Seen {
                kind: span.kind,
                country: match mask {
                    [a, b, c, d, ..] if c.is_ascii_digit() && d.is_ascii_digit() => {
                        Some([a.to_ascii_uppercase(), b.to_ascii_uppercase()])
                    }
                    _ => None,
                },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
