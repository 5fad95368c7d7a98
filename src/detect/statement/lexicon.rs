//! The words that statements are made of, of the languages that a policy asks for: triggers, harmless phrases, and what
//! stands around them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::feature;
use super::lines::{self, CLASSES, COMMON, LANGUAGES, TOPICS};
use super::phrases::Phrases;
use super::typo::Typos;

/// What a statement is about: a category of Art. 9 or 10 GDPR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Illness, disability, treatment, pregnancy.
    Health,
    /// Religion, philosophical conviction.
    Belief,
    /// Party, vote, political opinion.
    Politics,
    /// Membership of or office in a union.
    TradeUnion,
    /// Descent, skin colour, ethnic group.
    EthnicOrigin,
    /// Sexual orientation, sex life, gender transition.
    SexLife,
    /// Results of genetic tests.
    Genetic,
    /// Fingerprint, face, iris, voice, taken to identify.
    Biometric,
    /// Offences, convictions, suspicion.
    Criminal,
}

impl Topic {
    /// Every topic, in the order of the files of the lexicon.
    pub const ALL: [Self; 9] = [
        Self::Health,
        Self::Belief,
        Self::Politics,
        Self::TradeUnion,
        Self::EthnicOrigin,
        Self::SexLife,
        Self::Genetic,
        Self::Biometric,
        Self::Criminal,
    ];

    /// Its name: `health`, the last word of its category.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .position(|topic| *topic == self)
            .and_then(|place| TOPICS.get(place))
            .copied()
            .unwrap_or_default()
    }

    /// Its category: `special.health`.
    pub fn category(self) -> &'static str {
        match self {
            Self::Health => "special.health",
            Self::Belief => "special.belief",
            Self::Politics => "special.politics",
            Self::TradeUnion => "special.trade_union",
            Self::EthnicOrigin => "special.ethnic_origin",
            Self::SexLife => "special.sex_life",
            Self::Genetic => "special.genetic",
            Self::Biometric => "special.biometric",
            Self::Criminal => "criminal",
        }
    }

    /// The topic of this name.
    pub fn named(name: &str) -> Option<Self> {
        let place = TOPICS.iter().position(|topic| *topic == name)?;
        Self::ALL.get(place).copied()
    }
}

/// A set of the lexicon's languages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Languages(u8);

impl Languages {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// All of them.
    pub fn all() -> Self {
        LANGUAGES
            .iter()
            .filter_map(|name| Self::named(name))
            .fold(Self::NONE, Self::and)
    }

    /// The language of this code (ISO 639-1), alone.
    pub fn named(name: &str) -> Option<Self> {
        LANGUAGES
            .iter()
            .position(|known| *known == name)
            .map(|place| Self(1 << place))
    }

    /// These and others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The codes of the languages that there are.
    pub fn known() -> &'static [&'static str] {
        LANGUAGES
    }

    /// The codes of these languages.
    pub fn codes(self) -> impl Iterator<Item = &'static str> {
        let names = LANGUAGES.iter().enumerate();
        names
            .filter(move |(place, _)| self.0 & (1 << place) != 0)
            .map(|(_, name)| *name)
    }

    fn hold(self, language: usize) -> bool {
        self.0 & (1 << language) != 0
    }
}

impl fmt::Debug for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.codes()).finish()
    }
}

/// What a phrase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A trigger of a topic, with its weight.
    Trigger(Topic, u8),
    /// Says nothing of anybody.
    Harmless,
    /// A class of words, by its place in [`CLASSES`].
    Class(u8),
}

/// A phrase of the lexicon.
#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pub(super) text: &'static str,
    /// Its place in [`LANGUAGES`].
    pub(super) language: usize,
    pub(super) of: Of,
    /// The hash of its text.
    pub(super) hash: u64,
}

/// The files. A mistake in one is an error of the build.
const FILES: &[(&str, &str)] = &[
    ("", include_str!("../../../lexicon/common.tsv")),
    (
        include_str!("../../../lexicon/de.tsv"),
        include_str!("../../../lexicon/context-de.tsv"),
    ),
    (
        include_str!("../../../lexicon/en.tsv"),
        include_str!("../../../lexicon/context-en.tsv"),
    ),
    (
        include_str!("../../../lexicon/es.tsv"),
        include_str!("../../../lexicon/context-es.tsv"),
    ),
    (
        include_str!("../../../lexicon/fr.tsv"),
        include_str!("../../../lexicon/context-fr.tsv"),
    ),
    (
        include_str!("../../../lexicon/it.tsv"),
        include_str!("../../../lexicon/context-it.tsv"),
    ),
];

/// The texts of all files.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    FILES
        .iter()
        .flat_map(|(triggers, context)| [*triggers, *context])
}

/// The words of some languages.
#[derive(Debug)]
pub struct Lexicon {
    /// The languages that it is of.
    languages: Languages,
    pub(super) phrases: Vec<Phrase>,
    /// Triggers and harmless phrases, from their first word on.
    pub(super) triggers: Phrases,
    /// Triggers that are the end of a word: `*krebs`.
    pub(super) endings: Phrases,
    /// What may stand around them.
    pub(super) context: Phrases,
    /// Long triggers, to be found with one letter wrong.
    pub(super) typos: Typos,
}

impl Lexicon {
    /// The words of these languages; read once.
    pub fn of(languages: Languages) -> Arc<Self> {
        static READ: LazyLock<Mutex<BTreeMap<Languages, Arc<Lexicon>>>> =
            LazyLock::new(Mutex::default);
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let lexicon = read
            .entry(languages)
            .or_insert_with(|| Arc::new(Self::read(languages)));
        Arc::clone(lexicon)
    }

    fn read(languages: Languages) -> Self {
        let mut phrases = Vec::new();
        for (triggers, context) in FILES {
            for (text, is_context) in [(triggers, false), (context, true)] {
                // The build has read the very same files.
                let lines = lines::read(text, is_context).unwrap_or_default();
                let meant = lines
                    .into_iter()
                    .filter(|line| languages.hold(line.language));
                phrases.extend(meant.map(|line| Phrase {
                    text: line.phrase,
                    hash: feature::hash(line.phrase),
                    language: line.language,
                    of: match line.of {
                        Some(class) if is_context => {
                            Of::Class(u8::try_from(class).unwrap_or(u8::MAX))
                        }
                        Some(topic) => match Topic::ALL.get(topic) {
                            Some(topic) => Of::Trigger(*topic, line.weight),
                            None => Of::Harmless,
                        },
                        None => Of::Harmless,
                    },
                }));
            }
        }
        Self::made_of(languages, phrases)
    }

    fn made_of(languages: Languages, phrases: Vec<Phrase>) -> Self {
        let numbered = || phrases.iter().zip(0_u32..);
        let is_ending = |phrase: &Phrase| phrase.text.starts_with('*');
        let is_class = |phrase: &Phrase| matches!(phrase.of, Of::Class(_));
        let whole = |is_context: bool| {
            let meant = numbered()
                .filter(move |(phrase, _)| is_class(phrase) == is_context && !is_ending(phrase));
            meant.flat_map(|(phrase, number)| {
                spellings(phrase).map(move |spelling| (spelling, number))
            })
        };
        let endings = numbered().filter(|(phrase, _)| is_ending(phrase) && !is_class(phrase));
        let endings = endings
            .flat_map(|(phrase, number)| spellings(phrase).map(move |spelling| (spelling, number)));
        // A weak trigger with a wrong letter would be anything.
        let strong = numbered().filter(|(phrase, _)| matches!(phrase.of, Of::Trigger(_, 2..)));
        Self {
            languages,
            triggers: Phrases::new(whole(false)),
            context: Phrases::new(whole(true)),
            endings: Phrases::endings(endings),
            typos: Typos::new(strong.map(|(phrase, number)| (phrase.text, number))),
            phrases,
        }
    }

    /// What tells it from other ones.
    pub(in crate::detect) fn identity(&self) -> u64 {
        u64::from(self.languages.0)
    }

    pub(super) fn phrase(&self, number: u32) -> Option<&Phrase> {
        self.phrases.get(usize::try_from(number).ok()?)
    }
}

/// How a phrase is written: German umlauts also as two letters.
fn spellings(phrase: &Phrase) -> impl Iterator<Item = Cow<'static, str>> {
    let is_german = LANGUAGES.get(phrase.language) == Some(&"de");
    let other = (is_german && phrase.text.contains(['ä', 'ö', 'ü'])).then(|| {
        phrase
            .text
            .replace('ä', "ae")
            .replace('ö', "oe")
            .replace('ü', "ue")
    });
    std::iter::once(Cow::Borrowed(phrase.text)).chain(other.map(Cow::Owned))
}

/// The class of words that tell which language a clause is in.
pub(super) fn is_common(class: u8) -> bool {
    class_name(class) == COMMON
}

/// The name of a class.
pub(super) fn class_name(class: u8) -> &'static str {
    CLASSES.get(usize::from(class)).copied().unwrap_or_default()
}
