//! What stands in a clause around its triggers: words, how they are written, and what the lexicon knows of them.

use std::ops::Range;

use super::clause::Clause;
use super::feature;
use super::fold::{self, BREAK, WORD_LETTERS_MAX};
use super::lexicon::{Lexicon, Of, is_common};
use super::lines::{CLASSES, LANGUAGES};

/// Words of a clause that are looked at. Behind them it may go on, but says nothing new.
const WORDS_MAX: usize = 200;

/// Words on either side of a trigger that say something of it.
const WORDS_NEAR: usize = 9;

/// A set of classes, by their places in [`CLASSES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Classes(u32);

impl Classes {
    pub(super) fn add(&mut self, class: u8) {
        self.0 |= 1 << class;
    }

    pub(super) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn both(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    pub(super) fn each(self) -> impl Iterator<Item = u8> {
        (0..32).filter(move |class| self.0 & (1 << class) != 0)
    }

    /// The classes that speak of a person: `title` to `given`, but for `job`.
    pub(super) fn of_persons() -> Self {
        const PERSONS: Classes =
            Classes::named(&["title", "pronoun", "first", "kin", "party", "given"]);
        PERSONS
    }

    /// The classes of what somebody is, has or does.
    pub(super) fn of_verbs() -> Self {
        const VERBS: Classes = Classes::named(&["being", "state"]);
        VERBS
    }

    /// The class of forms of `be`.
    fn of_copula() -> Self {
        const COPULA: Classes = Classes::named(&["being"]);
        COPULA
    }

    /// The classes of words that go on after what was said.
    pub(super) fn of_ends() -> Self {
        const ENDS: Classes =
            Classes::named(&["time", "past", "pronoun", "being", "absence", "condition"]);
        ENDS
    }

    /// The classes of words that are no condition of a person though a person has them.
    pub(super) fn of_things() -> Self {
        const THINGS: Classes = Classes::named(&["job", "product", "company", "event", "law"]);
        THINGS
    }

    /// The classes of words with which nothing is said of anybody.
    pub(super) fn of_doubts() -> Self {
        const DOUBTS: Classes = Classes::named(&[
            "condition",
            "question",
            "template",
            "general",
            "request",
            "insult",
        ]);
        DOUBTS
    }

    const fn named(names: &[&str]) -> Self {
        let (mut classes, mut at) = (0, 0);
        while at < names.len() {
            let mut place = 0;
            while place < CLASSES.len() {
                if feature::hash(CLASSES[place]) == feature::hash(names[at]) {
                    classes |= 1 << place;
                }
                place += 1;
            }
            at += 1;
        }
        Self(classes)
    }
}

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    /// Its first letter is a capital.
    Capital,
    /// All of its letters are, and there are several.
    Upper,
    Digits,
}

impl Case {
    fn of(word: &str) -> Self {
        let mut letters = word.chars().filter(|character| character.is_alphabetic());
        match letters.next() {
            None => Self::Digits,
            Some(first) if !first.is_uppercase() => Self::Lower,
            Some(_) => match letters.next() {
                Some(second) if second.is_uppercase() && letters.all(char::is_uppercase) => {
                    Self::Upper
                }
                _ => Self::Capital,
            },
        }
    }
}

/// A word of a clause.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) range: Range<usize>,
    /// Its place in [`Words::letters`].
    letters: Range<usize>,
    pub(super) hash: u64,
    pub(super) case: Case,
    pub(super) classes: Classes,
    /// Whether something that ends phrases, a comma or a bracket, stands directly before it.
    pub(super) follows_comma: bool,
    /// Whether a phrase of the context may begin with it.
    may_begin: bool,
    /// Whether it is common in its language: an article, a preposition, a conjunction.
    pub(super) is_common: bool,
}

/// The words of one clause.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) all: Vec<Word>,
    letters: String,
    pub(super) classes: Classes,
    /// How many words are common in each language.
    pub(super) languages: [u16; LANGUAGES.len()],
}

impl Words {
    /// The words of a clause, with their classes.
    pub(super) fn of(text: &str, clause: &Clause, lexicon: &Lexicon) -> Self {
        let mut words = Self::default();
        let mut at = clause.range.start;
        let mut follows_comma = false;
        let mut letters = [0; WORD_LETTERS_MAX];
        while at < clause.range.end && words.all.len() < WORDS_MAX {
            let (glyph, length) = fold::glyph(text, at);
            if fold::is_letter(glyph.code) {
                let (end, count) = fold::read_word(text, at, &mut letters);
                let read = letters.get(..count).unwrap_or_default();
                words.push(text, at..end, read, follows_comma, lexicon);
                at = end;
                follows_comma = false;
            } else {
                follows_comma |= glyph.code == BREAK;
                at += length;
            }
        }
        words.classify(text, lexicon);
        words
    }

    /// Adds a word, of which the letters are read.
    fn push(
        &mut self,
        text: &str,
        range: Range<usize>,
        read: &[u8],
        follows_comma: bool,
        lexicon: &Lexicon,
    ) {
        let from = self.letters.len();
        self.letters
            .extend(read.iter().copied().map(fold::character));
        self.all.push(Word {
            case: Case::of(text.get(range.clone()).unwrap_or_default()),
            hash: feature::hash(self.letters.get(from..).unwrap_or_default()),
            letters: from..self.letters.len(),
            may_begin: lexicon.context.may_begin(read),
            range,
            classes: Classes::default(),
            follows_comma,
            is_common: false,
        });
    }

    fn classify(&mut self, text: &str, lexicon: &Lexicon) {
        for place in 0..self.all.len() {
            let start = self.all[place].range.start;
            // Without its accent it is the Italian `and`.
            if matches!(text.get(self.all[place].range.clone()), Some("è" | "È")) {
                self.all[place].classes = self.all[place].classes.with(Classes::of_copula());
                self.classes = self.classes.with(Classes::of_copula());
            }
            let word = &self.all[place];
            if word.case != Case::Digits && !word.may_begin {
                continue;
            }
            let all = &mut self.all;
            let mut classes = self.classes;
            let languages = &mut self.languages;
            lexicon.context.walk(text, start, &mut |end, numbers| {
                for phrase in numbers.iter().filter_map(|number| lexicon.phrase(*number)) {
                    let Of::Class(class) = phrase.of else {
                        continue;
                    };
                    if is_common(class) {
                        if let Some(count) = languages.get_mut(phrase.language) {
                            *count += 1;
                        }
                        if let Some(word) = all.get_mut(place) {
                            word.is_common = true;
                        }
                        continue;
                    }
                    classes.add(class);
                    let covered = all[place..]
                        .iter_mut()
                        .take_while(|word| word.range.end <= end);
                    covered.for_each(|word| word.classes.add(class));
                }
            });
            self.classes = classes;
        }
    }

    /// A word's letters, folded.
    pub(super) fn letters(&self, word: &Word) -> &str {
        self.letters.get(word.letters.clone()).unwrap_or_default()
    }

    /// The words that lie in a part of the text: their places.
    pub(super) fn within(&self, range: &Range<usize>) -> Range<usize> {
        let first = self
            .all
            .partition_point(|word| word.range.end <= range.start);
        let end = self
            .all
            .partition_point(|word| word.range.start < range.end);
        first..end.max(first)
    }

    /// The places of the words near some of them: what stands further off has little to do with these.
    pub(super) fn near(&self, places: &Range<usize>) -> Range<usize> {
        places.start.saturating_sub(WORDS_NEAR)..(places.end + WORDS_NEAR).min(self.all.len())
    }

    /// The classes of the words near some of them.
    pub(super) fn classes_near(&self, places: &Range<usize>) -> Classes {
        let near = self.all.get(self.near(places)).unwrap_or_default();
        near.iter()
            .fold(Classes::default(), |all, word| all.with(word.classes))
    }

    /// Whether the clause is written in capitals, so that they tell nothing.
    pub(super) fn is_shouted(&self) -> bool {
        let of = |case| self.all.iter().filter(|word| word.case == case).count();
        of(Case::Upper) > of(Case::Lower) + of(Case::Capital)
    }

    /// Whether two words side by side, behind the first word of the clause, are written like a name.
    pub(super) fn hold_name(&self) -> bool {
        !self.is_shouted()
            && self.all.windows(2).skip(1).any(|pair| {
                pair.iter()
                    .all(|word| word.case == Case::Capital && word.range.len() > 1)
            })
    }
}
