//! What detectors look for in a text, and on which terms.

use std::collections::BTreeSet;

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Languages};
use crate::vocabulary::RuleName;

use super::super::language::model::Terms;
use super::plan::SpanRule;

/// What is looked for in a text, and what for. Where several detectors look for it, all of their terms count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Looked {
    pub(in crate::policy) kind: Kind,
    pub(super) languages: Languages,
    /// How sure it must be to be withheld; `None`: it is shown.
    pub(super) shown: Option<Certainty>,
    /// Whether the text may only be matched where the kind's category is clear.
    pub(super) matched: bool,
    /// How sure a new one must be to be refused; `None`: it may be written.
    pub(super) refused: Option<Certainty>,
    pub(super) flagged: Option<Certainty>,
}

impl Looked {
    pub(super) fn of(kind: Kind, terms: &Terms) -> Self {
        let is_statement = matches!(kind, Kind::Statement(_));
        let certainty = |least| {
            if is_statement {
                least
            } else {
                Certainty::Possible
            }
        };
        let refused = if is_statement {
            terms.refuse
        } else {
            Some(Certainty::Possible)
        };
        Self {
            kind,
            languages: terms.languages,
            shown: terms.shown.then_some(certainty(terms.at_least)),
            matched: terms.matched,
            refused: refused.filter(|_| terms.written),
            flagged: terms.flag.filter(|_| terms.written && is_statement),
        }
    }

    /// The terms of both, each where it withholds more.
    pub(super) fn and(self, other: Self) -> Self {
        let lower = |one: Option<Certainty>, other: Option<Certainty>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            kind: self.kind,
            languages: self.languages.and(other.languages),
            shown: lower(self.shown, other.shown),
            matched: self.matched || other.matched,
            refused: lower(self.refused, other.refused),
            flagged: lower(self.flagged, other.flagged),
        }
    }
}

/// What is said of statements must not tell which they are, not even where all but one are shown: the rules that withhold
/// or show any of them are named for all of them.
pub(super) fn efface(spans: &mut [SpanRule]) {
    let is_statement = |span: &&SpanRule| matches!(span.kind, Kind::Statement(_));
    let all: BTreeSet<RuleName> = spans
        .iter()
        .filter(is_statement)
        .flat_map(|span| span.by.clone())
        .collect();
    for span in spans {
        if matches!(span.kind, Kind::Statement(_)) {
            span.by = all.iter().cloned().collect();
        }
    }
}
