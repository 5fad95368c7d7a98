//! Identifiers and statements inside a text: what of it is left.

use crate::detect::statement::{Certainty, Statement};
use crate::detect::{self, Kind, Span};
use crate::policy::{SpanRule, TextRule};
use crate::vocabulary::Level;

/// A finding that is not shown as it stands in its text, and what is shown in its place.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The finding.
    pub span: Span,
    /// What stands in its place: a mask, a token, or the kind in brackets.
    pub text: String,
}

/// The findings of a text that are not shown as they stand, in order. What a caller is shown of a text is the text
/// with these replacements; `writeback` undoes them by the same list.
pub fn replacements(rule: &TextRule, text: &str) -> Vec<Replacement> {
    replaced(rule, text, &statements(rule, text))
}

/// A finding in a text that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was found, and where.
    pub span: Span,
    /// How sure it is. An identifier is what it is.
    pub certainty: Certainty,
}

/// Everything in a text that counts when it is written, whatever its level, and whether it is shown or not.
pub fn findings(rule: &TextRule, text: &str) -> Vec<Finding> {
    let is_judged = |span: &SpanRule| span.refused.is_some() || span.flagged.is_some();
    let identifiers = search(rule, text, &[], is_judged)
        .into_iter()
        .map(|span| Finding {
            span,
            certainty: Certainty::Certain,
        });
    let statements = statements(rule, text).into_iter().map(|statement| Finding {
        certainty: statement.certainty,
        span: span_of(&statement),
    });
    identifiers.chain(statements).collect()
}

/// The text with its findings replaced by what their rules show of them; `None` if nothing is to be replaced.
/// Every finding is told to `found`, also one that stays.
pub(super) fn treat(rule: &TextRule, text: &str, found: &mut dyn FnMut(Kind)) -> Option<String> {
    let statements = statements(rule, text);
    if statements.is_empty() && !detect::may_hold_any(text) {
        return None;
    }
    let hidden = replaced(rule, text, &statements);
    // Only what is not part of something hidden: of two readings of the same digits the stricter one counts.
    for clear in search(
        rule,
        text,
        &statements,
        is_shown(|level| level == Level::Clear),
    ) {
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

fn replaced(rule: &TextRule, text: &str, statements: &[Statement]) -> Vec<Replacement> {
    let shown = |span: &Span| {
        let identifier = text.get(span.range.clone()).unwrap_or_default();
        replacement(rule, span.kind, identifier)
    };
    search(
        rule,
        text,
        statements,
        is_shown(|level| level < Level::Clear),
    )
    .into_iter()
    .map(|span| Replacement {
        text: shown(&span),
        span,
    })
    .collect()
}

/// The statements of a text, if such are looked for.
fn statements(rule: &TextRule, text: &str) -> Vec<Statement> {
    rule.lexicon
        .as_ref()
        .map_or_else(Vec::new, |lexicon| detect::statements(text, lexicon))
}

fn span_of(statement: &Statement) -> Span {
    Span {
        kind: Kind::Statement(statement.topic),
        range: statement.range.clone(),
    }
}

/// Whether what a rule finds is shown at a level of this sort.
fn is_shown(is_meant: impl Fn(Level) -> bool) -> impl Fn(&SpanRule) -> bool {
    move |span| span.shown.is_some() && is_meant(span.level)
}

/// The findings of those kinds whose rules are meant. Statements count as far as they are sure enough to be shown so.
fn search(
    rule: &TextRule,
    text: &str,
    statements: &[Statement],
    is_meant: impl Fn(&SpanRule) -> bool,
) -> Vec<Span> {
    let meant = rule.spans.iter().filter(|span| is_meant(span));
    if meant.clone().next().is_none() {
        return Vec::new();
    }
    let is_sure = |statement: &&Statement| {
        let mut rules = meant.clone();
        rules.any(|rule| {
            rule.kind == Kind::Statement(statement.topic)
                && rule.shown.is_some_and(|least| statement.certainty >= least)
        })
    };
    let sure: Vec<Span> = statements.iter().filter(is_sure).map(span_of).collect();
    let identifiers = match detect::may_hold_any(text) {
        true => detect::find_again(text, &|kind| meant.clone().any(|span| span.kind == kind)),
        false => Vec::new(),
    };
    match sure.is_empty() {
        true => identifiers,
        false => detect::without_overlaps(identifiers.into_iter().chain(sure).collect()),
    }
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
        // A token of a statement would tell which others say the same.
        Some(SpanRule {
            level: Level::Token,
            tokenizer: Some(tokenizer),
            ..
        }) if !matches!(kind, Kind::Statement(_)) => Some(tokenizer.token(identifier)),
        _ => None,
    };
    shown.unwrap_or_else(|| format!("[{}]", kind.as_str()))
}
