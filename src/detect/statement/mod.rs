//! Finds statements in free text from which somebody's health, belief, politics, union, origin, sex life, genes, biometric
//! traits or offences can be read.
//!
//! A text is cut into clauses (`clause`), in which triggers of the lexicon are looked for (`candidate`, `phrases`). What
//! stands around them (`context`) decides, by weights that were learnt from labelled sentences (`feature`, `model`, `score`). The same text
//! always gives the same findings, and each can say which words made it.

use std::collections::BTreeSet;
use std::ops::Range;

mod candidate;
mod clause;
mod context;
mod entry;
mod feature;
mod fold;
mod hash;
mod layout;
mod lexicon;
#[cfg(test)]
mod lines;
mod model;
mod names;
mod phrases;
mod score;
#[cfg(test)]
mod tables;
mod typo;

pub use lexicon::{Languages, Lexicon, Topic};

/// How surely a clause is a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// A trigger, and nothing that speaks against it.
    Possible,
    /// More speaks for it than against it.
    Likely,
    /// Said outright, of a person.
    Certain,
}

impl Certainty {
    /// Every one, the least first.
    pub const ALL: [Self; 3] = [Self::Possible, Self::Likely, Self::Certain];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|certainty| certainty.as_str() == name)
    }
}

/// A statement in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub topic: Topic,
    /// Its clause.
    pub range: Range<usize>,
    /// How surely it is one.
    pub certainty: Certainty,
}

/// The statements of a text, in the order of their clauses.
pub fn find(text: &str, lexicon: &Lexicon) -> Vec<Statement> {
    let mut found = Vec::new();
    judged(text, lexicon, &mut |statement, _| found.push(statement));
    found
}

/// The statements of a text, each with the words and the context that made it.
pub fn explain(text: &str, lexicon: &Lexicon) -> Vec<(Statement, Vec<String>)> {
    let mut explained = Vec::new();
    judged(text, lexicon, &mut |statement, candidate| {
        let because = score::because(candidate, statement.topic, lexicon);
        explained.push((statement, because));
    });
    explained
}

fn judged(
    text: &str,
    lexicon: &Lexicon,
    visit: &mut dyn FnMut(Statement, &candidate::Candidate<'_>),
) {
    candidate::each(text, lexicon, &score::is_known, &mut |candidate| {
        for topic in topics(candidate) {
            if let Some(certainty) = score::certainty(candidate, topic, lexicon) {
                let range = candidate.clause.range.clone();
                visit(
                    Statement {
                        topic,
                        range,
                        certainty,
                    },
                    candidate,
                );
            }
        }
    });
}

/// A word that is another one whenever the same text may give other findings: a hash of the code that finds, of the lexicon and
/// of the weights, made by `build.rs`.
pub(super) fn version() -> &'static str {
    env!("PARAVENT_DETECTORS")
}

/// The topics of a candidate's triggers.
fn topics(candidate: &candidate::Candidate<'_>) -> impl Iterator<Item = Topic> {
    Topic::ALL.into_iter().filter(|topic| {
        candidate
            .triggers
            .iter()
            .any(|trigger| trigger.topic == *topic)
    })
}

/// Long words of a text that are taken for a trigger with a letter wrong: what the model is told of ordinary texts.
#[doc(hidden)]
pub fn typos(text: &str, lexicon: &Lexicon) -> Vec<String> {
    candidate::typos(text, lexicon)
}

/// What the model is trained on: of each clause and topic the names of its features.
#[doc(hidden)]
pub fn study(
    text: &str,
    lexicon: &Lexicon,
    known: &BTreeSet<String>,
) -> Vec<(Range<usize>, Topic, Vec<String>)> {
    let mut studied = Vec::new();
    candidate::each(
        text,
        lexicon,
        &|word| known.contains(word),
        &mut |candidate| {
            for topic in topics(candidate) {
                let names = score::names(candidate, topic, lexicon);
                studied.push((candidate.clause.range.clone(), topic, names));
            }
        },
    );
    studied
}

#[cfg(test)]
mod tests;
