//! Clauses in which triggers stand: what may be a statement.

use std::cell::Cell;
use std::ops::Range;

use super::clause::{self, Clause};
use super::context::{Classes, Words};
use super::entry::Entry;
use super::fold;
use super::layout::TYPO_LETTERS_MIN;
use super::lexicon::{Lexicon, Topic};
use super::names::LANGUAGES;
use super::phrases::Reading;

/// The fewest letters of a word whose end may be a trigger.
const COMPOUND_LETTERS_MIN: usize = 5;

/// How a trigger was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the lexicon has it, in one word.
    Word,
    /// In several.
    Words,
    /// As the end of a longer word.
    Ending,
    /// With a letter wrong.
    Typo,
}

/// A trigger in a text.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) range: Range<usize>,
    pub(super) topic: Topic,
    pub(super) weight: u8,
    /// What the lexicon has of it.
    pub(super) entry: Entry,
    pub(super) form: Form,
    /// The languages in which it stands inside a harmless phrase.
    harmless: [bool; LANGUAGES.len()],
}

/// A clause with triggers, and its neighbours.
#[derive(Debug)]
pub(super) struct Candidate<'t> {
    pub(super) clause: &'t Clause,
    pub(super) words: &'t Words,
    pub(super) triggers: Vec<Trigger>,
    /// The clause before, and its words.
    pub(super) before: Option<(&'t Clause, &'t Words)>,
    /// The classes of words in the clauses near by.
    pub(super) around: Classes,
    /// The language that it is in, by its place in [`LANGUAGES`].
    pub(super) language: Option<usize>,
}

/// What was found in a text, not yet sorted out.
#[derive(Default)]
struct Found {
    triggers: Vec<Trigger>,
    /// Harmless phrases, each with its language.
    harmless: Vec<(Range<usize>, usize)>,
}

/// Whether a word is one of ordinary texts, though it looks like a trigger with a letter wrong.
pub(super) type IsKnown<'k> = &'k dyn Fn(&str) -> bool;

/// Every clause of a text in which a trigger stands. Without any, nothing is allocated.
pub(super) fn each(
    text: &str,
    lexicon: &Lexicon,
    is_known: IsKnown<'_>,
    visit: &mut dyn FnMut(&Candidate<'_>),
) {
    let triggers = triggers(text, lexicon, is_known);
    if triggers.is_empty() {
        return;
    }
    let clauses = clause::all(text);
    let mut known = WINDOW.take();
    let mut rest = triggers.as_slice();
    for (place, clause) in clauses.iter().enumerate() {
        let passed = rest.partition_point(|trigger| trigger.range.start < clause.range.start);
        let until = rest.partition_point(|trigger| trigger.range.start < clause.range.end);
        let own = rest.get(passed..until).unwrap_or_default();
        rest = rest.get(until..).unwrap_or_default();
        if own.is_empty() {
            continue;
        }
        let near = place.saturating_sub(BEFORE)..(place + 2).min(clauses.len());
        for place in near.clone() {
            known.read(text, &clauses, place, lexicon);
        }
        let words_of = |place: usize| known.get(place);
        let Some(words) = words_of(place) else {
            continue;
        };
        // Its own words tell which language it is in; those beside it, where they do not.
        let language =
            language([words].into_iter()).or_else(|| language(near.clone().filter_map(words_of)));
        let whole = own
            .iter()
            .filter(|trigger| trigger.range.end <= clause.range.end);
        let own = in_language(whole, language);
        if own.is_empty() {
            continue;
        }
        let around = near.filter(|other| *other != place).filter_map(words_of);
        let before = place
            .checked_sub(1)
            .and_then(|place| Some((clauses.get(place)?, words_of(place)?)));
        visit(&Candidate {
            clause,
            triggers: own,
            language,
            around: around.fold(Classes::default(), |all, words| all.with(words.classes)),
            before,
            words,
        });
    }
    known.forget();
    WINDOW.set(known);
}

/// Clauses before one that say something of it; and one behind.
const BEFORE: usize = 2;

/// The words of the clauses that were read last.
#[derive(Default)]
struct Window {
    all: [(Option<usize>, Words); BEFORE + 2],
}

thread_local! {
    /// Room for the next text.
    static WINDOW: Cell<Window> = Cell::default();
}

impl Window {
    fn forget(&mut self) {
        for (place, _) in &mut self.all {
            *place = None;
        }
    }

    /// Reads the words of a clause, unless they are known. What lies further before it is forgotten.
    fn read(&mut self, text: &str, clauses: &[Clause], place: usize, lexicon: &Lexicon) {
        let (own, words) = &mut self.all[place % (BEFORE + 2)];
        if *own != Some(place)
            && let Some(clause) = clauses.get(place)
        {
            words.read(text, clause, lexicon);
            *own = Some(place);
        }
    }

    fn get(&self, place: usize) -> Option<&Words> {
        let (own, words) = self.all.get(place % (BEFORE + 2))?;
        (*own == Some(place)).then_some(words)
    }
}

/// The language that a clause and its neighbours are in, as far as their common words tell.
fn language<'w>(words: impl Iterator<Item = &'w Words>) -> Option<usize> {
    let mut counts = [0_u16; LANGUAGES.len()];
    for words in words {
        for (sum, count) in counts.iter_mut().zip(words.languages) {
            *sum = sum.saturating_add(count);
        }
    }
    let most = *counts.iter().max()?;
    let mut languages = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count == most);
    match (most, languages.next(), languages.next()) {
        (1.., Some((language, _)), None) => Some(language),
        _ => None,
    }
}

/// The triggers that can be meant in a clause of a language, each place once: `au` is a certificate of illness in German and
/// a preposition in French.
fn in_language<'f>(
    triggers: impl Iterator<Item = &'f Trigger>,
    language: Option<usize>,
) -> Vec<Trigger> {
    let is_own =
        |trigger: &Trigger| language.is_none_or(|language| language == trigger.entry.language());
    // In another language a harmless phrase may be none.
    let is_harmless = |trigger: &Trigger| {
        let language = language.unwrap_or_else(|| trigger.entry.language());
        trigger.harmless.get(language) == Some(&true)
    };
    let mut meant: Vec<Trigger> = Vec::new();
    // A short word, or one with a letter wrong, may be a word of another language.
    let is_meant = |trigger: &Trigger| {
        let is_vague = trigger.entry.is_short() || trigger.form == Form::Typo;
        (is_own(trigger) || !is_vague) && !is_harmless(trigger)
    };
    for trigger in triggers.filter(|trigger| is_meant(trigger)).cloned() {
        let same = meant
            .iter_mut()
            .rev()
            .take(Topic::ALL.len() * LANGUAGES.len());
        let mut same =
            same.filter(|other| other.topic == trigger.topic && other.range == trigger.range);
        match same.next() {
            Some(other) if is_own(&trigger) && !is_own(other) => *other = trigger,
            Some(other) if is_own(&trigger) == is_own(other) && trigger.weight > other.weight => {
                *other = trigger
            }
            Some(_) => {}
            None => meant.push(trigger),
        }
    }
    meant
}

/// The triggers of a text, in order, but for those inside a longer one of the same topic.
fn triggers(text: &str, lexicon: &Lexicon, is_known: IsKnown<'_>) -> Vec<Trigger> {
    let mut found = Found::default();
    let mut readings = [Reading::NONE, Reading::NONE];
    let [word, next] = &mut readings;
    let (mut word, mut next) = (word, next);
    let mut at = fold::word_start(text, 0);
    if let Some(start) = at {
        word.read(text, start);
    }
    while at.is_some() {
        at = fold::word_start(text, word.end);
        if let Some(start) = at {
            next.read(text, start);
        }
        found.look(text, word, at.map(|_| &*next), lexicon, is_known);
        std::mem::swap(&mut word, &mut next);
    }
    found.sorted_out()
}

/// The words of a text in which a trigger is seen through a wrong letter.
pub(super) fn typos(text: &str, lexicon: &Lexicon) -> Vec<String> {
    let typos = triggers(text, lexicon, &|_| false)
        .into_iter()
        .filter(|trigger| trigger.form == Form::Typo);
    typos
        .map(|trigger| fold::spelled(text.get(trigger.range).unwrap_or_default()))
        .collect()
}

impl Found {
    /// Looks for triggers that begin with a word, of which the next one is given.
    #[inline]
    fn look(
        &mut self,
        text: &str,
        word: &Reading,
        next: Option<&Reading>,
        lexicon: &Lexicon,
        is_known: IsKnown<'_>,
    ) {
        let before = self.triggers.len() + self.harmless.len();
        let start = word.start;
        if lexicon.may_begin(word, next) {
            let mut add = |end, entry| self.add(start..end, entry, None);
            lexicon.triggers(text, (word, next), &mut add);
        }
        if word.letters().len() >= COMPOUND_LETTERS_MIN {
            for entry in lexicon.endings(word) {
                self.add(start..word.end, entry, Some(Form::Ending));
            }
        }
        if word.letters().len() >= TYPO_LETTERS_MIN
            && self.triggers.len() + self.harmless.len() == before
        {
            self.add_typos(text, (word, next), lexicon, is_known);
        }
    }

    /// The triggers that a long word may have been meant to be, unless it is known as another one.
    fn add_typos(
        &mut self,
        text: &str,
        (word, next): (&Reading, Option<&Reading>),
        lexicon: &Lexicon,
        is_known: IsKnown<'_>,
    ) {
        let mut meant = Vec::new();
        lexicon.typos(word, &mut |entry| meant.push(entry));
        if meant.is_empty() {
            return;
        }
        let range = word.start..word.end;
        let mut is_other = is_known(&fold::spelled(text.get(range.clone()).unwrap_or_default()));
        lexicon.context(text, (word, next), &mut |end, _| {
            is_other |= end == range.end
        });
        if !is_other {
            for entry in meant {
                self.add(range.clone(), entry, Some(Form::Typo));
            }
        }
    }

    fn add(&mut self, range: Range<usize>, entry: Entry, form: Option<Form>) {
        let written = match entry.is_one_word() {
            true => Form::Word,
            false => Form::Words,
        };
        match entry.topic().and_then(|topic| Topic::ALL.get(topic)) {
            Some(topic) => self.triggers.push(Trigger {
                range,
                topic: *topic,
                weight: entry.weight(),
                entry,
                form: form.unwrap_or(written),
                harmless: [false; LANGUAGES.len()],
            }),
            None => self.harmless.push((range, entry.language())),
        }
    }

    fn sorted_out(mut self) -> Vec<Trigger> {
        if self.triggers.is_empty() {
            return self.triggers;
        }
        // The longest first, so that what stands inside of it comes after.
        self.triggers
            .sort_by_key(|trigger| (trigger.range.start, usize::MAX - trigger.range.end));
        self.harmless.sort_by_key(|(range, _)| range.start);
        let mut harmless = self.harmless.iter().peekable();
        let (mut ends, mut longest) = ([0; LANGUAGES.len()], [const { 0..0 }; Topic::ALL.len()]);
        self.triggers.retain_mut(|trigger| {
            while let Some((range, language)) =
                harmless.next_if(|(range, _)| range.start <= trigger.range.start)
            {
                if let Some(end) = ends.get_mut(*language) {
                    *end = range.end.max(*end);
                }
            }
            trigger.harmless = ends.map(|end| trigger.range.end <= end);
            let Some(last) = longest.get_mut(trigger.topic as usize) else {
                return false;
            };
            let is_inside = trigger.range.end <= last.end && trigger.range != *last;
            if !is_inside {
                *last = trigger.range.clone();
            }
            !is_inside
        });
        self.triggers
    }
}
