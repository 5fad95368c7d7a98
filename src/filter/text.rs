//! Identifiers inside a text: what of it is left.

use crate::detect::{self, Kind, Span};
use crate::policy::{SpanRule, TextRule};
use crate::vocabulary::Level;

/// An identifier that is not shown as it stands in its text, and what is shown in its place.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The identifier.
    pub span: Span,
    /// What stands in its place: a mask, a token, or the kind in brackets.
    pub text: String,
}

/// The identifiers of a text that are not shown as they stand, in order. What a caller is shown of a text is the text
/// with these replacements; `writeback` undoes them by the same list.
pub fn replacements(rule: &TextRule, text: &str) -> Vec<Replacement> {
    let shown = |span: &Span| {
        let identifier = text.get(span.range.clone()).unwrap_or_default();
        replacement(rule, span.kind, identifier)
    };
    search(rule, text, |level| level < Level::Clear)
        .into_iter()
        .map(|span| Replacement {
            text: shown(&span),
            span,
        })
        .collect()
}

/// The text with its identifiers replaced by what their rules show of them; `None` if nothing is to be replaced.
/// Every identifier is told to `found`, also one that stays.
pub(super) fn treat(rule: &TextRule, text: &str, found: &mut dyn FnMut(Kind)) -> Option<String> {
    if !detect::may_hold_any(text) {
        return None;
    }
    let hidden = replacements(rule, text);
    // Only what is not part of something hidden: of two readings of the same digits the stricter one counts.
    for clear in search(rule, text, |level| level == Level::Clear) {
        let is_apart = hidden.iter().all(|Replacement { span, .. }| {
            span.range.end <= clear.range.start || clear.range.end <= span.range.start
        });
        if is_apart {
            found(clear.kind);
        }
    }
    if hidden.is_empty() {
        return None;
    }
    let mut treated = String::with_capacity(text.len());
    let mut from = 0;
    for Replacement { span, text: shown } in &hidden {
        found(span.kind);
        treated.push_str(text.get(from..span.range.start).unwrap_or_default());
        treated.push_str(shown);
        from = span.range.end;
    }
    treated.push_str(text.get(from..).unwrap_or_default());
    Some(treated)
}

/// The identifiers of those kinds whose level is of this sort.
fn search(rule: &TextRule, text: &str, is_meant: impl Fn(Level) -> bool) -> Vec<Span> {
    let meant = rule.spans.iter().filter(|span| is_meant(span.level));
    if meant.clone().next().is_none() {
        return Vec::new();
    }
    detect::find_where(text, &|kind| meant.clone().any(|span| span.kind == kind))
}

fn replacement(rule: &TextRule, kind: Kind, identifier: &str) -> String {
    // Invariant of the search: there is a rule for the kind. If a kind had two, the lower level would count.
    let rule = rule
        .spans
        .iter()
        .filter(|span| span.kind == kind)
        .min_by_key(|span| span.level);
    let shown = match rule {
        // What a mask would show of anything but the identifier itself (a coded one, two that overlap) says too much.
        Some(SpanRule {
            level: Level::Mask,
            mask: Some(mask),
            ..
        }) if kind.is_valid(identifier) => mask.apply(identifier),
        Some(SpanRule {
            level: Level::Token,
            tokenizer: Some(tokenizer),
            ..
        }) => Some(tokenizer.token(identifier)),
        _ => None,
    };
    shown.unwrap_or_else(|| format!("[{}]", kind.as_str()))
}
