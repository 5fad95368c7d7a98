//! What stands in a clause around its triggers: words, how they are written, and what the lexicon knows of them.

use std::ops::Range;

use super::clause::Clause;
use super::fold::{self, BREAK};
use super::hash::{Letters, hash};
use super::lexicon::{Lexicon, is_common};
use super::names::{CLASSES, LANGUAGES};
use super::phrases::Reading;

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
        let mut left = self.0;
        std::iter::from_fn(move || {
            let class = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            u8::try_from(class).ok().filter(|class| *class < 32)
        })
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
                if hash(CLASSES[place]) == hash(names[at]) {
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
    #[inline]
    fn of(word: &str) -> Self {
        match *word.as_bytes() {
            [first, ..] if first.is_ascii_lowercase() => Self::Lower,
            [first, second, ..] if first.is_ascii_uppercase() && second.is_ascii_lowercase() => {
                Self::Capital
            }
            _ => Self::of_any(word),
        }
    }

    fn of_any(word: &str) -> Self {
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
    /// Whether it is common in its language: an article, a preposition, a conjunction.
    pub(super) is_common: bool,
}

/// The words of one clause.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) all: Vec<Word>,
    letters: Vec<u8>,
    /// What phrases say of words behind the one that they begin with, and where they end.
    said: Vec<(usize, u8)>,
    pub(super) classes: Classes,
    /// How many words are common in each language.
    pub(super) languages: [u16; LANGUAGES.len()],
}

impl Words {
    /// Reads the words of a clause, with their classes, in place of those before.
    pub(super) fn read(&mut self, text: &str, clause: &Clause, lexicon: &Lexicon) {
        self.all.clear();
        self.letters.clear();
        (self.classes, self.languages) = <_>::default();
        let mut readings = [Reading::NONE, Reading::NONE];
        let [word, next] = &mut readings;
        let (mut word, mut next) = (word, next);
        self.said.clear();
        let mut place = next_word(text, clause.range.start);
        if let Some((start, _)) = place {
            word.read(text, start);
        }
        // A phrase of the last words may go on behind the clause.
        while let Some((start, follows_comma)) = place
            && start < clause.range.end
            && self.all.len() < WORDS_MAX
        {
            place = next_word(text, word.end);
            if let Some((start, _)) = place {
                next.read(text, start);
            }
            self.push(text, word, follows_comma);
            self.classify(text, (word, place.map(|_| &*next)), lexicon);
            std::mem::swap(&mut word, &mut next);
        }
    }

    /// Adds a word that was read.
    fn push(&mut self, text: &str, word: &Reading, follows_comma: bool) {
        let from = self.letters.len();
        self.letters.extend_from_slice(word.letters());
        let range = word.start..word.end;
        self.all.push(Word {
            case: Case::of(text.get(range.clone()).unwrap_or_default()),
            hash: hash_of(word.letters()),
            letters: from..self.letters.len(),
            range,
            classes: Classes::default(),
            follows_comma,
            is_common: false,
        });
    }

    /// Says of the last word what phrases that begin with it or before it say of it.
    fn classify(
        &mut self,
        text: &str,
        (read, next): (&Reading, Option<&Reading>),
        lexicon: &Lexicon,
    ) {
        let Some(word) = self.all.last_mut() else {
            return;
        };
        self.said.retain(|(end, _)| read.end <= *end);
        for (_, class) in &self.said {
            word.classes.add(*class);
        }
        // Without its accent it is the Italian `and`.
        if matches!(
            text.as_bytes().get(word.range.clone()),
            Some([0xc3, 0xa8 | 0x88])
        ) {
            word.classes = word.classes.with(Classes::of_copula());
            self.classes = self.classes.with(Classes::of_copula());
        }
        lexicon.context(text, (read, next), &mut |end, entry| {
            let class = entry.class();
            if is_common(class) {
                if let Some(count) = self.languages.get_mut(entry.language()) {
                    *count += 1;
                }
                word.is_common = true;
                return;
            }
            self.classes.add(class);
            if read.end <= end {
                word.classes.add(class);
            }
            if read.end < end {
                self.said.push((end, class));
            }
        });
    }

    /// A word's letters, folded.
    pub(super) fn letters(&self, word: &Word) -> &[u8] {
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

/// Where the next word from `at` on begins, and whether something that ends phrases stands before it.
fn next_word(text: &str, mut at: usize) -> Option<(usize, bool)> {
    let mut follows_comma = false;
    while at < text.len() {
        let (glyph, length) = fold::glyph(text, at);
        if fold::is_letter(glyph.code) {
            return Some((at, follows_comma));
        }
        follows_comma |= glyph.code == BREAK;
        at += length;
    }
    None
}

/// The hash of letters as they are spelled in the file of weights.
#[inline]
fn hash_of(letters: &[u8]) -> u64 {
    letters
        .iter()
        .fold(Letters::NONE, |hash, code| {
            match SPELLED.get(usize::from(*code)) {
                Some(letter) => hash.and(*letter),
                None => {
                    let mut bytes = [0; 4];
                    let other = fold::character(*code).encode_utf8(&mut bytes);
                    other.bytes().fold(hash, Letters::and)
                }
            }
        })
        .0
}

/// How letters and digits of ASCII are spelled, by their codes.
const SPELLED: [u8; 37] = *b" abcdefghijklmnopqrstuvwxyz0123456789";
