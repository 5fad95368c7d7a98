//! The words that statements are made of, of the languages that a policy asks for: triggers, harmless phrases, and what
//! stands around them.

use std::fmt;
use std::sync::Arc;

use super::entry::Entry;
use super::layout::Sort;
use super::names::{CLASSES, LANGUAGES, TOPICS};
use super::phrases::{Phrases, Reading};
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
}

impl fmt::Debug for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.codes()).finish()
    }
}

/// A table that `build.rs` made of the lexicon's files.
macro_rules! table {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}
pub(super) use table;

static PHRASES: Phrases = Phrases {
    chains: table!("chains").as_chunks().0,
    endings: table!("endings").as_chunks().0,
    lists: table!("lists").as_chunks().0,
    first: table!("first"),
    stems: table!("stems"),
    starts: table!("starts"),
    further: table!("further"),
    context: table!("context"),
    ending_looks: table!("ending_looks"),
};

static TYPOS: Typos = Typos {
    words: table!("typo_words").as_chunks().0,
    letters: table!("typo_letters"),
    starts: table!("typo_starts").as_chunks().0,
    ends: table!("typo_ends").as_chunks().0,
    runs: table!("typo_runs"),
    closed: table!("typo_closed").as_chunks().0,
    open: table!("typo_open").as_chunks().0,
};

/// Of each phrase the hash of its text, and where that stands.
static TOLD: &[[u8; 16]] = table!("phrases").as_chunks().0;
static TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/texts"));

/// A phrase of the lexicon, as it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrase {
    pub(super) text: &'static str,
    /// The hash of its text.
    pub(super) hash: u64,
}

/// The words of some languages.
#[derive(Debug)]
pub struct Lexicon {
    /// The languages that it is of.
    languages: Languages,
}

impl Lexicon {
    /// The words of these languages.
    pub fn of(languages: Languages) -> Arc<Self> {
        Arc::new(Self { languages })
    }

    /// What tells it from other ones.
    pub(in crate::detect) fn identity(&self) -> u64 {
        u64::from(self.languages.0)
    }

    /// A quick look: whether a trigger or a harmless phrase may begin with a word.
    #[inline]
    pub(super) fn may_begin(&self, word: &Reading, next: Option<&Reading>) -> bool {
        PHRASES.may_begin(word, next)
    }

    /// The triggers and harmless phrases that begin with a word, of which the next one is given, each with its end.
    pub(super) fn triggers(
        &self,
        text: &str,
        words: (&Reading, Option<&Reading>),
        visit: &mut dyn FnMut(usize, Entry),
    ) {
        let mut visit = |end, entry| visit(end, entry);
        PHRASES.walk(text, words, (Sort::Trigger, self.languages.0), &mut visit);
    }

    /// What is known of the context that begins with a word, of which the next one is given, each with its end.
    #[inline]
    pub(super) fn context(
        &self,
        text: &str,
        words: (&Reading, Option<&Reading>),
        visit: &mut impl FnMut(usize, Entry),
    ) {
        PHRASES.walk(text, words, (Sort::Context, self.languages.0), visit);
    }

    /// Triggers that are the end of a word: `*krebs`.
    pub(super) fn endings(&self, word: &Reading) -> impl Iterator<Item = Entry> {
        PHRASES.ending(word, self.languages.0)
    }

    /// Long triggers that a word is with one letter wrong.
    #[inline]
    pub(super) fn typos(&self, word: &Reading, found: &mut dyn FnMut(Entry)) {
        TYPOS.of(word, self.languages.0, found);
    }

    /// A phrase by its number.
    #[inline]
    pub(super) fn phrase(&self, number: u32) -> Option<Phrase> {
        let told = TOLD.get(usize::try_from(number).ok()?)?;
        let (halves, _) = told.as_chunks::<8>();
        let &[hash, place] = halves else {
            return None;
        };
        let place = u64::from_le_bytes(place);
        let start = usize::try_from(place & u64::from(u32::MAX)).ok()?;
        let length = usize::try_from(place >> 32).ok()?;
        Some(Phrase {
            text: TEXTS.get(start..start + length)?,
            hash: u64::from_le_bytes(hash),
        })
    }
}

/// The class of words that tell which language a clause is in.
pub(super) fn is_common(class: u8) -> bool {
    usize::from(class) + 1 == CLASSES.len()
}

/// The name of a class.
pub(super) fn class_name(class: u8) -> &'static str {
    CLASSES.get(usize::from(class)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::names::COMMON;
    use super::super::phrases::Reading;
    use super::super::tables;
    use super::{CLASSES, Languages, Lexicon, PHRASES, TYPOS, class_name, is_common};

    #[test]
    fn the_program_holds_what_the_files_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lexicon");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let files: Vec<_> = tables::files()
            .map(|(name, is_context)| (name.clone(), read(&name), is_context))
            .collect();
        let made = tables::of_files(&files, &read("weights.tsv")).unwrap();
        for (name, held) in [
            ("chains", PHRASES.chains.as_flattened()),
            ("lists", PHRASES.lists.as_flattened()),
            ("typo_words", TYPOS.words.as_flattened()),
            ("typo_open", TYPOS.open.as_flattened()),
            ("features", table!("features")),
            ("bounds", table!("bounds")),
        ] {
            assert!(made[name] == held, "{name}");
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_told_with_its_place() {
        let made = |text: &str, weights: &str| {
            let file = ("lexicon/fr.tsv".to_owned(), text.to_owned(), false);
            tables::of_files(&[file], weights).unwrap_err()
        };
        let twice = "fr\tmalade\thealth\t2\t\nfr\tmalade\thealth\t3\t\n";
        assert_eq!(
            made(twice, ""),
            "lexicon/fr.tsv: `malade` stands there twice: leave one out"
        );
        assert!(made("fr\tmalade\thealth\t9\t\n", "").contains("lexicon/fr.tsv: line 1: `9`"));
        assert!(made("", "known\nx\ty\tz\tw\n").contains("lexicon/weights.tsv: line 1"));
    }

    #[test]
    fn words_of_other_languages_are_not_looked_for() {
        let found = |codes: &[&str], text: &str| {
            let languages = codes.iter().filter_map(|code| Languages::named(code));
            let lexicon = Lexicon::of(languages.fold(Languages::NONE, Languages::and));
            let (mut word, mut found) = (Reading::NONE, Vec::new());
            word.read(text, 0);
            let mut next = Reading::NONE;
            let behind = text.find(' ').map(|blank| next.read(text, blank + 1));
            let next = behind.map(|()| &next);
            lexicon.triggers(text, (&word, next), &mut |_, entry| {
                found.push(lexicon.phrase(entry.number()).unwrap().text);
            });
            found.dedup();
            found
        };
        assert!(found(&["de", "fr"], "schwanger").contains(&"schwanger*"));
        assert!(found(&["fr", "es"], "schwanger").is_empty());
        assert!(found(&["fr"], "arrêt maladie").contains(&"arrêt maladie"));
        assert!(found(&[], "arrêt maladie").is_empty());
    }

    #[test]
    fn the_last_class_is_that_of_common_words() {
        let last = u8::try_from(CLASSES.len() - 1).unwrap();
        assert!(is_common(last) && class_name(last) == COMMON && !is_common(0));
    }
}
