//! What the lexicon knows by name: languages, what statements are about, and classes of words.

/// The languages of the lexicon (ISO 639-1).
pub(super) const LANGUAGES: &[&str] = &["de", "en", "es", "fr", "it"];

/// What statements are about, as the files name it.
pub(super) const TOPICS: &[&str] = &[
    "health",
    "belief",
    "politics",
    "trade_union",
    "ethnic_origin",
    "sex_life",
    "genetic",
    "biometric",
    "criminal",
];

/// The topic of features that mean the same for all of them.
pub(super) const SHARED: &str = "*";

/// What words around a trigger can be.
pub(super) const CLASSES: &[&str] = &[
    "title",
    "pronoun",
    "first",
    "kin",
    "party",
    "job",
    "given",
    "being",
    "state",
    "told",
    "product",
    "company",
    "event",
    "law",
    "place",
    "price",
    "general",
    "request",
    "question",
    "condition",
    "template",
    "negation",
    "past",
    "polite",
    "time",
    "absence",
    "insult",
    COMMON,
];

/// The class of words that tell which language a clause is in.
pub(super) const COMMON: &str = "common";
