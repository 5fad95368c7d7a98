//! What a text that is written says anew: each finding is a write to its category.

use std::collections::HashSet;

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Topic};
use crate::filter::{Finding, findings};
use crate::objection::Objection;
use crate::policy::{SpanRule, TextRule};
use crate::reason::Reason;

/// Refuses a text that says something the caller may not write; tells whether it says something that goes into the log.
/// What the text said before it may go on saying, in the same words.
pub(super) fn judge(sent: &str, held: &str, rule: &TextRule) -> Result<bool, Objection> {
    let found = findings(rule, sent);
    if found.is_empty() {
        return Ok(false);
    }
    let said = said(held, rule);
    let mut is_flagged = false;
    for Finding { span, certainty } in found {
        let Some(rule) = rule.spans.iter().find(|own| own.kind == span.kind) else {
            continue;
        };
        let is_old = said.contains(&(span.kind, sent.get(span.range).unwrap_or_default()));
        match judged(rule, certainty) {
            Judged::Refused if !is_old => return Err(refusal(span.kind)),
            Judged::Flagged if !is_old => is_flagged = true,
            _ => {}
        }
    }
    Ok(is_flagged)
}

enum Judged {
    Refused,
    Flagged,
    Passed,
}

fn judged(rule: &SpanRule, certainty: Certainty) -> Judged {
    let is_sure = |least: Option<Certainty>| least.is_some_and(|least| certainty >= least);
    if rule.writable {
        Judged::Passed
    } else if is_sure(rule.refused) {
        Judged::Refused
    } else if is_sure(rule.flagged) {
        Judged::Flagged
    } else {
        Judged::Passed
    }
}

fn refusal(kind: Kind) -> Objection {
    match kind {
        Kind::Statement(topic) => Objection::statement(called(topic)),
        _ => Reason::FieldNotWritable.into(),
    }
}

/// What a topic is called in a sentence.
fn called(topic: Topic) -> &'static str {
    match topic {
        Topic::Health => "health",
        Topic::Belief => "religion or belief",
        Topic::Politics => "political opinions",
        Topic::TradeUnion => "trade-union membership",
        Topic::EthnicOrigin => "racial or ethnic origin",
        Topic::SexLife => "sex life or sexual orientation",
        Topic::Genetic => "genetic data",
        Topic::Biometric => "biometric data",
        Topic::Criminal => "offences or convictions",
    }
}

/// The statements of the text that is held, which are not new. An identifier could be taken for another one's place, so none
/// is old.
fn said<'h>(held: &'h str, rule: &TextRule) -> HashSet<(Kind, &'h str)> {
    if rule.lexicon.is_none() {
        return HashSet::new();
    }
    let statements = findings(rule, held)
        .into_iter()
        .filter(|found| matches!(found.span.kind, Kind::Statement(_)));
    statements
        .filter_map(|found| Some((found.span.kind, held.get(found.span.range)?)))
        .collect()
}
