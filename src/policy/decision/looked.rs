//! What detectors look for in a text, and what a finding counts for.

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Languages};
use crate::vocabulary::{Category, Level, RuleName};

use super::super::language::model::{Model, Terms, about};
use super::plan::{SpanRule, Usable};

/// What is looked for in a text, and what for. Where several detectors look for it, all of their terms count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Looked {
    pub(in crate::policy) kind: Kind,
    pub(in crate::policy) languages: Languages,
    /// How sure it must be to be withheld; `None`: it is shown.
    pub(in crate::policy) shown: Option<Certainty>,
    /// Whether the text may only be matched where the kind's category is clear.
    pub(in crate::policy) matched: bool,
    /// How sure a new one must be to be refused; `None`: it may be written.
    pub(in crate::policy) refused: Option<Certainty>,
    pub(in crate::policy) flagged: Option<Certainty>,
}

impl Looked {
    fn of(kind: Kind, terms: &Terms) -> Self {
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
    fn and(self, other: Self) -> Self {
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

    /// How far a text may be matched in which it is looked for, where its category has this level.
    pub(in crate::policy) fn usable(self, level: Level) -> Usable {
        match level {
            Level::Clear => Usable::Yes,
            _ => self.leaves(),
        }
    }

    /// How far a text may be matched in which it is looked for, where its category is not clear. Of what a detector leaves to
    /// be matched, words can be guessed one by one; a number could be read digit by digit, and what identifies without digits
    /// letter by letter.
    pub(in crate::policy) fn leaves(self) -> Usable {
        let is_of_letters = matches!(self.kind, Kind::Address | Kind::Bic | Kind::Mail);
        if self.matched || is_of_letters && self.shown.is_some() {
            Usable::No
        } else if self.shown.is_some() && !matches!(self.kind, Kind::Statement(_)) {
            Usable::Words
        } else {
            Usable::Yes
        }
    }
}

/// What detectors look for in a field of these categories.
pub(in crate::policy) fn looked_for(model: &Model, categories: &BTreeSet<Category>) -> Vec<Looked> {
    let mut looked: BTreeMap<Kind, Looked> = BTreeMap::new();
    let detectors = model.detectors.iter().filter(|detector| {
        categories
            .iter()
            .any(|category| about(&detector.within, category))
    });
    for detector in detectors {
        for kind in &detector.find {
            let own = Looked::of(*kind, &detector.terms);
            let all = looked.get(kind).map_or(own, |others| others.and(own));
            looked.insert(*kind, all);
        }
    }
    looked.into_values().collect()
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
