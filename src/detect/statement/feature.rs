//! What stands in a clause with triggers, as features: each says one thing, for one topic or for all of them.

use std::ops::Range;

use super::candidate::{Candidate, Form, Trigger};
use super::clause::End;
use super::context::{Case, Classes, Words};
use super::hash::{Letters, hash};
use super::lexicon::{Lexicon, Topic};
use super::names::{CLASSES, LANGUAGES};

macro_rules! slots {
    ($($slot:ident $name:literal,)*) => {
        /// What a feature is about. Its name stands in the file of weights.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Slot {
            $($slot,)*
        }

        const SLOT_NAMES: &[&str] = &[$($name,)*];
        const SLOT_HASHES: &[u64] = &[$(hash($name),)*];
    };
}

slots! {
    Bias "bias",
    Weight "weight",
    Sum "sum",
    Count "count",
    Phrase "phrase",
    Language "language",
    Form "form",
    Other "other",
    Class "class",
    ClassWeight "class-weight",
    ClassBefore1 "class-1",
    ClassBefore2 "class-2",
    ClassBefore3 "class-3",
    ClassBehind1 "class+1",
    ClassBehind2 "class+2",
    ClassBehind3 "class+3",
    PersonBefore "person-",
    PersonBehind "person+",
    NoPerson "no-person",
    WordBefore1 "word-1",
    WordBefore2 "word-2",
    WordBehind1 "word+1",
    WordBehind2 "word+2",
    Bag "word",
    Case "case",
    CaseBefore "case-1",
    CaseBehind "case+1",
    End "end",
    Label "label",
    LabelWord "label-word",
    Length "length",
    Name "name",
    Around "around",
    Said "said",
    Distance "distance",
    Modifies "modifies",
    Segment "segment",
    Outright "outright",
}

/// What a feature says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says<'w> {
    Word(&'static str),
    /// A phrase of the lexicon, and its hash.
    Phrase(&'static str, u64),
    /// The letters of a word, and its hash.
    Read(&'w [u8], u64),
    Class(u8),
    Number(usize),
}

impl Says<'_> {
    #[inline]
    pub(super) fn hash(self) -> u64 {
        match self {
            Self::Word(word) => hash(word),
            Self::Phrase(_, hash) | Self::Read(_, hash) => hash,
            Self::Class(class) => CLASS_HASHES
                .get(usize::from(class))
                .copied()
                .unwrap_or_default(),
            Self::Number(number) => NUMBER_HASHES.get(number).copied().unwrap_or_default(),
        }
    }
}

const CLASS_HASHES: [u64; CLASSES.len()] = {
    let (mut hashes, mut class) = ([0; CLASSES.len()], 0);
    while class < CLASSES.len() {
        hashes[class] = hash(CLASSES[class]);
        class += 1;
    }
    hashes
};

/// The hashes of numbers, written in figures.
const NUMBER_HASHES: [u64; 256] = {
    let (mut hashes, mut number) = ([0; 256], 0);
    while number < 256 {
        let mut letters = Letters::NONE;
        let mut part = 100;
        while part > 0 {
            if number >= part || part == 1 {
                letters = letters.and(b'0' + (number / part % 10) as u8);
            }
            part /= 10;
        }
        hashes[number] = letters.0;
        number += 1;
    }
    hashes
};

/// The slots of words and of classes before and behind a trigger, from the nearest on.
const WORDS_BEFORE: [Slot; 2] = [Slot::WordBefore1, Slot::WordBefore2];
const WORDS_BEHIND: [Slot; 2] = [Slot::WordBehind1, Slot::WordBehind2];
const CLASSES_BEFORE: [Slot; 3] = [Slot::ClassBefore1, Slot::ClassBefore2, Slot::ClassBefore3];
const CLASSES_BEHIND: [Slot; 3] = [Slot::ClassBehind1, Slot::ClassBehind2, Slot::ClassBehind3];

impl Slot {
    pub(super) fn name(self) -> &'static str {
        SLOT_NAMES.get(self as usize).copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn hash(self) -> u64 {
        SLOT_HASHES.get(self as usize).copied().unwrap_or_default()
    }

    /// Whether it means the same whatever the topic, so that all topics learn from each other.
    pub(super) fn is_shared(self) -> bool {
        !matches!(self, Self::Bias | Self::Phrase | Self::Other)
    }
}

/// The features of one clause for one topic: each for the topic, and where it may say something of all topics, for all.
pub(super) fn features(
    candidate: &Candidate<'_>,
    topic: Topic,
    lexicon: &Lexicon,
    add: &mut impl FnMut(Slot, Says<'_>),
) {
    let own = || {
        candidate
            .triggers
            .iter()
            .filter(|trigger| trigger.topic == topic)
    };
    let Some(main) = own().max_by_key(|trigger| (trigger.weight, usize::MAX - trigger.range.start))
    else {
        return;
    };
    add(Slot::Bias, Says::Number(1));
    of_triggers(own, main, (candidate.language, lexicon), add);
    for other in candidate
        .triggers
        .iter()
        .filter(|trigger| trigger.topic != topic)
    {
        add(Slot::Other, Says::Word(other.topic.as_str()));
    }
    of_words(candidate.words, main, add);
    of_persons(candidate, main, add);
    of_clause(candidate, add);
}

fn of_triggers<'t, I: Iterator<Item = &'t Trigger>>(
    own: impl Fn() -> I,
    main: &Trigger,
    (language, lexicon): (Option<usize>, &Lexicon),
    add: &mut impl FnMut(Slot, Says<'_>),
) {
    add(Slot::Weight, Says::Number(usize::from(main.weight)));
    let sum: usize = own().map(|trigger| usize::from(trigger.weight)).sum();
    add(Slot::Sum, Says::Number(sum.min(8)));
    add(Slot::Count, Says::Number(own().count().min(4)));
    for trigger in own().take(TRIGGERS_MAX) {
        if let Some(phrase) = lexicon.phrase(trigger.entry.number()) {
            add(Slot::Phrase, Says::Phrase(phrase.text, phrase.hash));
        }
    }
    let language = match language {
        None => "unknown",
        Some(language) if language == main.entry.language() => "same",
        Some(_) => "other",
    };
    add(Slot::Language, Says::Word(language));
    let form = match main.form {
        Form::Word => "word",
        Form::Words => "words",
        Form::Ending => "ending",
        Form::Typo => "typo",
    };
    add(Slot::Form, Says::Word(form));
}

/// The words beside the trigger, and all words of the clause.
fn of_words(words: &Words, main: &Trigger, add: &mut impl FnMut(Slot, Says<'_>)) {
    let trigger = words.within(&main.range);
    let mut beside = |place: Option<usize>, word_slot: Option<&Slot>, class_slot: Slot| {
        let word = place.and_then(|place| words.all.get(place));
        if let Some(slot) = word_slot {
            add(
                *slot,
                word.map_or(Says::Word("-"), |word| {
                    Says::Read(words.letters(word), word.hash)
                }),
            );
        }
        let classes = word.map_or_else(Classes::default, |word| word.classes);
        classes
            .each()
            .for_each(|class| add(class_slot, Says::Class(class)));
    };
    for (near, (before, behind)) in CLASSES_BEFORE.into_iter().zip(CLASSES_BEHIND).enumerate() {
        beside(
            trigger.start.checked_sub(near + 1),
            WORDS_BEFORE.get(near),
            before,
        );
        beside(Some(trigger.end + near), WORDS_BEHIND.get(near), behind);
    }
    for place in words
        .near(&trigger)
        .filter(|place| !trigger.contains(place))
    {
        if let Some(word) = words
            .all
            .get(place)
            .filter(|word| word.case != Case::Digits)
        {
            add(Slot::Bag, Says::Read(words.letters(word), word.hash));
        }
    }
    if words.is_shouted() {
        return;
    }
    let case = |place: Option<usize>| {
        place
            .and_then(|place| words.all.get(place))
            .map_or("-", |word| match word.case {
                Case::Lower => "lower",
                Case::Capital => "capital",
                Case::Upper => "upper",
                Case::Digits => "digits",
            })
    };
    let first = if trigger.start == 0 {
        "first"
    } else {
        case(Some(trigger.start))
    };
    add(Slot::Case, Says::Word(first));
    add(
        Slot::CaseBefore,
        Says::Word(case(trigger.start.checked_sub(1))),
    );
    add(Slot::CaseBehind, Says::Word(case(Some(trigger.end))));
}

/// Whether the clause speaks of a person, and on which side of the trigger.
fn of_persons(candidate: &Candidate<'_>, main: &Trigger, add: &mut impl FnMut(Slot, Says<'_>)) {
    let words = &candidate.words;
    let persons = Classes::of_persons();
    let trigger = words.within(&main.range);
    let of = |place: usize| {
        words
            .all
            .get(place)
            .map_or_else(Classes::default, |word| word.classes.both(persons))
    };
    let before = (0..trigger.start)
        .rev()
        .map(of)
        .find(|classes| !classes.is_empty());
    let behind = (trigger.end..words.all.len())
        .map(of)
        .find(|classes| !classes.is_empty());
    for (slot, found) in [(Slot::PersonBefore, before), (Slot::PersonBehind, behind)] {
        match found {
            Some(classes) => classes
                .each()
                .for_each(|class| add(slot, Says::Class(class))),
            None => add(slot, Says::Word("-")),
        }
    }
    said(words, &trigger, main.weight, add);
    if main.form != Form::Typo && is_outright(candidate, &trigger) {
        add(Slot::Outright, Says::Number(usize::from(main.weight)));
    }
    let has_name = words.hold_name();
    if has_name {
        add(Slot::Name, Says::Number(1));
    }
    if before.is_none() && behind.is_none() && !has_name {
        let around = match candidate.around.both(persons).is_empty() {
            true => 0,
            false => 10,
        };
        add(
            Slot::NoPerson,
            Says::Number(usize::from(main.weight) + around),
        );
    }
    for class in words.classes_near(&trigger).each() {
        add(Slot::Class, Says::Class(class));
        add(
            Slot::ClassWeight,
            Says::Number(usize::from(class) * 4 + usize::from(main.weight)),
        );
    }
    for class in candidate.around.each() {
        add(Slot::Around, Says::Class(class));
    }
}

/// Whether the clause says it of a person: `she is …`, `Mr Durand has …`; how far that person stands; what the trigger is said
/// to be a part of; and whether it stands by itself between commas.
fn said(words: &Words, trigger: &Range<usize>, weight: u8, add: &mut impl FnMut(Slot, Says<'_>)) {
    let persons = Classes::of_persons();
    let verbs = Classes::of_verbs();
    let all = &words.all;
    let is_of = |place: usize, classes: Classes| {
        all.get(place)
            .is_some_and(|word| !word.classes.both(classes).is_empty())
    };
    let before = (0..trigger.start)
        .rev()
        .find(|place| is_of(*place, persons));
    let behind = (trigger.end..all.len()).find(|place| is_of(*place, persons));
    let verb =
        before.is_some_and(|before| (before + 1..trigger.start).any(|place| is_of(place, verbs)));
    let any_verb = (0..trigger.start).any(|place| is_of(place, verbs));
    let weight = usize::from(weight);
    let form = usize::from(before.is_some())
        + 2 * usize::from(verb)
        + 4 * usize::from(any_verb)
        + 8 * usize::from(behind.is_some());
    add(Slot::Said, Says::Number(form * 4 + weight));
    let far = before
        .map(|before| trigger.start - before)
        .into_iter()
        .chain(behind.map(|behind| behind + 1 - trigger.end))
        .min();
    let far = match far {
        None => 0,
        Some(1) => 1,
        Some(2 | 3) => 2,
        Some(4..=7) => 3,
        Some(_) => 4,
    };
    add(Slot::Distance, Says::Number(far * 4 + weight));
    let next = all
        .get(trigger.end)
        .map_or_else(Classes::default, |word| word.classes);
    next.each().for_each(|class| {
        add(
            Slot::Modifies,
            Says::Number(usize::from(class) * 4 + weight),
        )
    });
    let starts = trigger.start == 0
        || all
            .get(trigger.start)
            .is_some_and(|word| word.follows_comma);
    let ends = all.get(trigger.end).is_none_or(|word| word.follows_comma);
    add(
        Slot::Segment,
        Says::Number((usize::from(starts) + 2 * usize::from(ends)) * 4 + weight),
    );
}

/// Words between a person, what they are said to be, and the trigger.
const WORDS_BETWEEN_MAX: usize = 2;

/// Whether a clause says of a person that they are, have or do what the trigger says, with nothing behind that could turn it
/// into the name of a thing: `Mrs Keller is pregnant, …`, `il a un cancer depuis …`.
pub(super) fn is_outright(candidate: &Candidate<'_>, trigger: &Range<usize>) -> bool {
    let (words, all) = (&candidate.words, &candidate.words.all);
    // In German every noun is written with a capital.
    let tells_names = candidate
        .language
        .is_some_and(|language| LANGUAGES.get(language) != Some(&"de"));
    let classes = |place: usize| {
        all.get(place)
            .map_or_else(Classes::default, |word| word.classes)
    };
    let is_of = |place: usize, of: Classes| !classes(place).both(of).is_empty();
    let near = |end: usize, of: Classes| {
        let first = end.saturating_sub(WORDS_BETWEEN_MAX + 1);
        (first..end).rev().find(|place| is_of(*place, of))
    };
    let is_person = |place: usize| {
        is_of(place, Classes::of_persons())
            || (tells_names
                && place > 0
                && all
                    .get(place)
                    .is_some_and(|word| word.case == Case::Capital))
    };
    let follows_person =
        |verb: usize| (verb.saturating_sub(WORDS_BETWEEN_MAX)..verb).any(is_person);
    // The verb may be a part of the trigger: `has cancer`.
    let has_own = trigger
        .clone()
        .any(|place| is_of(place, Classes::of_verbs()));
    let verbs = has_own
        .then_some(trigger.start)
        .into_iter()
        .chain(near(trigger.start, Classes::of_verbs()));
    let has_person = verbs.into_iter().any(follows_person);
    let is_job = trigger
        .clone()
        .any(|place| is_of(place, Classes::of_things()));
    if is_job || !words.classes.both(Classes::of_doubts()).is_empty() {
        return false;
    }
    let is_closed = all.get(trigger.end).is_none_or(|word| {
        word.follows_comma || word.is_common || !word.classes.both(Classes::of_ends()).is_empty()
    });
    has_person && is_closed
}

/// What the clause is like, and what stands before it.
fn of_clause(candidate: &Candidate<'_>, add: &mut impl FnMut(Slot, Says<'_>)) {
    let end = match candidate.clause.end {
        End::Stop | End::Line => "end",
        End::Question => "question",
        End::Colon => "colon",
    };
    add(Slot::End, Says::Word(end));
    let length = match candidate.words.all.len() {
        count @ 0..=3 => count,
        4..=6 => 4,
        7..=12 => 7,
        13..=24 => 13,
        _ => 25,
    };
    add(Slot::Length, Says::Number(length));
    match &candidate.before {
        Some((clause, words)) if clause.end == End::Colon => {
            add(Slot::Label, Says::Word("-"));
            words
                .classes
                .each()
                .for_each(|class| add(Slot::Label, Says::Class(class)));
            for word in words.all.iter().rev().take(3) {
                add(Slot::LabelWord, Says::Read(words.letters(word), word.hash));
            }
        }
        _ => {}
    }
}

/// Triggers of a clause that count.
const TRIGGERS_MAX: usize = 8;
