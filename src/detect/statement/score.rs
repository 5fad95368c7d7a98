//! Whether a clause with triggers is a statement: a linear model over what stands in it.

use super::Certainty;
use super::candidate::{Candidate, Form};
use super::context::Classes;
use super::feature::{Says, Slot, features, is_outright};
use super::fold;
use super::lexicon::{Lexicon, Topic, class_name};
use super::model::MODEL;
use super::names::SHARED;

/// Whether a word of ordinary texts looks like a trigger with a letter wrong.
pub(super) fn is_known(word: &str) -> bool {
    MODEL.is_known(word)
}

/// The features of a clause for a topic, by name: what the model is trained on.
pub(super) fn names(candidate: &Candidate<'_>, topic: Topic, lexicon: &Lexicon) -> Vec<String> {
    let mut names = Vec::new();
    features(candidate, topic, lexicon, &mut |slot, says| {
        let says = spelled(says);
        names.push(format!("{}\t{}\t{says}", topic.as_str(), slot.name()));
        if slot.is_shared() {
            names.push(format!("{SHARED}\t{}\t{says}", slot.name()));
        }
    });
    names
}

fn spelled(says: Says<'_>) -> String {
    match says {
        Says::Word(word) | Says::Phrase(word, _) => word.to_owned(),
        Says::Read(letters, _) => letters.iter().copied().map(fold::character).collect(),
        Says::Class(class) => class_name(class).to_owned(),
        Says::Number(number) => number.to_string(),
    }
}

/// How surely a clause is a statement about a topic; `None` if it is none.
pub(super) fn certainty(
    candidate: &Candidate<'_>,
    topic: Topic,
    lexicon: &Lexicon,
) -> Option<Certainty> {
    let score = score(candidate, topic, lexicon);
    let own = candidate
        .triggers
        .iter()
        .filter(|trigger| trigger.topic == topic);
    let weight = own.map(|trigger| trigger.weight).max()?;
    if score < MODEL.bound(Certainty::Possible, weight) {
        return None;
    }
    let is_said = is_said_outright(candidate, topic);
    if score < MODEL.bound(Certainty::Likely, weight) && !is_said {
        return Some(Certainty::Possible);
    }
    let is_of_person = !candidate
        .words
        .classes
        .both(Classes::of_persons())
        .is_empty()
        || candidate.words.hold_name();
    let mut own = candidate
        .triggers
        .iter()
        .filter(|trigger| trigger.topic == topic);
    // What somebody may have meant to write is not certain.
    let is_written = own.any(|trigger| trigger.weight >= OUTRIGHT && trigger.form != Form::Typo);
    let is_sure = is_said || (is_of_person && score >= MODEL.bound(Certainty::Certain, weight));
    Some(match is_written && is_sure {
        true => Certainty::Certain,
        false => Certainty::Likely,
    })
}

/// The weight of words that mean nothing else.
const OUTRIGHT: u8 = 3;

/// Whether a trigger that means nothing else is said of a person outright.
fn is_said_outright(candidate: &Candidate<'_>, topic: Topic) -> bool {
    let own = candidate
        .triggers
        .iter()
        .filter(|trigger| trigger.topic == topic);
    own.filter(|trigger| trigger.weight >= OUTRIGHT && trigger.form != Form::Typo)
        .any(|trigger| is_outright(candidate, &candidate.words.within(&trigger.range)))
}

/// How much speaks for a statement, in thousandths.
fn score(candidate: &Candidate<'_>, topic: Topic, lexicon: &Lexicon) -> i32 {
    let mut score = 0;
    features(candidate, topic, lexicon, &mut |slot, says| {
        score += MODEL.weight(topic, slot, says)
    });
    score
}

/// What made a clause a statement: its triggers, and what of its context speaks most for it.
pub(super) fn because(candidate: &Candidate<'_>, topic: Topic, lexicon: &Lexicon) -> Vec<String> {
    let own = candidate
        .triggers
        .iter()
        .filter(|trigger| trigger.topic == topic);
    let mut because: Vec<String> = own
        .filter_map(|trigger| {
            Some(format!(
                "`{}` (weight {})",
                lexicon.phrase(trigger.entry.number())?.text,
                trigger.weight
            ))
        })
        .collect();
    let mut context: Vec<(i32, String)> = Vec::new();
    features(candidate, topic, lexicon, &mut |slot, says| {
        if matches!(
            slot,
            Slot::Bias | Slot::Phrase | Slot::Weight | Slot::Sum | Slot::Count
        ) {
            return;
        }
        let weight = MODEL.weight(topic, slot, says);
        if weight > 0 {
            context.push((weight, format!("{}: {}", slot.name(), spelled(says))));
        }
    });
    context.sort_by(|one, other| other.cmp(one));
    context.dedup();
    because.extend(context.into_iter().take(TOLD_MAX).map(|(_, told)| told));
    because
}

/// How many features of the context are told.
const TOLD_MAX: usize = 5;
