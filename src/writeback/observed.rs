//! Whether a write that is carried out would be refused, if no rule only observed.

use serde_json::{Map, Value};

use super::{Settled, find, is_blank, is_valid, parts, spelling};
use crate::filter::findings;
use crate::policy::{FieldRule, RecordRules, Show, TextRule, Writable};
use crate::vocabulary::{Edit, Level};

/// Whether any of what is written would be refused. What only came back is not written. Of an edit around what is shown
/// now and would then be hidden nobody knows how it would have been made: it counts as one that would do.
pub fn would_be_refused(
    settled: &Settled,
    sent: &Map<String, Value>,
    held: Option<&Map<String, Value>>,
    rules: &RecordRules,
) -> bool {
    let written = settled.edits.0.iter();
    let mut written = written.filter(|(_, edit)| *edit != Edit::Drop);
    written.any(|(key, _)| {
        let rule = rules.field(key);
        let held = held.and_then(|held| find(held, &rule.field));
        sent.get(key)
            .is_some_and(|sent| is_refused(sent, held, &rule))
    })
}

fn is_refused(sent: &Value, held: Option<&Value>, rule: &FieldRule) -> bool {
    let by_field = rule
        .would
        .as_ref()
        .is_some_and(|would| match &would.writable {
            // Nothing is written by a blank where something is hidden.
            _ if is_blank(sent) && would.level <= Level::Redact => false,
            Writable::Yes => false,
            Writable::Valid(kind) => !is_valid(sent, *kind),
            Writable::No => true,
        });
    let by_text = || match &rule.show {
        Show::Text(text) => says_anew(sent, held, text),
        Show::Items { inner, .. } => match &**inner {
            Show::Text(text) => says_anew(sent, held, text),
            _ => false,
        },
        _ => false,
    };
    by_field || by_text()
}

/// Whether a text says what would then be a write to a category that the caller may not write.
fn says_anew(sent: &Value, held: Option<&Value>, text: &TextRule) -> bool {
    let is_forbidden = |kind| {
        let span = text.spans.iter().find(|span| span.kind == kind);
        let span = span.filter(|span| span.refused.is_some());
        let would = span.and_then(|span| span.would.as_ref());
        would.is_some_and(|would| would.writable == Writable::No)
    };
    if !text.spans.iter().any(|span| is_forbidden(span.kind)) {
        return false;
    }
    let held = texts(held);
    texts(Some(sent)).iter().any(|sent| {
        findings(text, sent).into_iter().any(|finding| {
            let found = sent.get(finding.span.range).unwrap_or_default();
            is_forbidden(finding.span.kind) && !held.iter().any(|held| held.contains(found))
        })
    })
}

/// What a value says, piece by piece.
fn texts(value: Option<&Value>) -> Vec<String> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let parts = items.iter().flat_map(parts).filter_map(spelling);
    parts.map(std::borrow::Cow::into_owned).collect()
}
