//! On which terms people's data is used: who answers for it, whom records are about, what consent must be like.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SpanFieldwise;

use crate::vocabulary::{Category, Field, Module};

/// Who answers for the data: what receipts, mails and pages say of it. Whatever the policy does not state is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organisation {
    /// Its name.
    pub name: Option<String>,
    /// Its country (ISO 3166-1), by which telephone numbers without one are read.
    pub country: Option<String>,
    /// Where it can be written to.
    pub address: Option<String>,
    /// Where its data protection officer can be written to.
    pub dpo: Option<String>,
    /// To whom people can complain.
    pub authority: Option<Authority>,
    /// The languages in which it speaks to people, the first of which is used where nobody says.
    pub languages: Vec<Language>,
}

impl Organisation {
    /// The keys that the policy does not state.
    pub fn lacks(&self) -> Vec<&'static str> {
        let stated = [
            ("name", self.name.is_some()),
            ("country", self.country.is_some()),
            ("address", self.address.is_some()),
            ("dpo", self.dpo.is_some()),
            ("authority", self.authority.is_some()),
            ("languages", !self.languages.is_empty()),
        ];
        let missing = stated.into_iter().filter(|(_, is_stated)| !is_stated);
        missing.map(|(key, _)| key).collect()
    }
}

/// A supervisory authority (Art. 51 GDPR).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// Where it can be reached.
    pub url: String,
}

/// A language in which people are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

impl Language {
    /// All of them, with their words.
    pub const ALL: &[(&str, Self)] = &[("en", Self::En), ("fr", Self::Fr)];

    /// Its code (ISO 639-1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

/// What people are asked to consent to, in their language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentText {
    /// Its version.
    pub version: String,
    /// Its words, by language: one at least.
    pub words: BTreeMap<Language, String>,
}

/// How surely a consent is known, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentProof {
    /// Somebody says so.
    None,
    /// Somebody typed an address, which may be another's.
    SingleOptIn,
    /// Whoever reads the mails of an address confirmed it.
    DoubleOptIn,
    /// A request that the person signed.
    SignedRequest,
}

impl ConsentProof {
    /// All of them, with their words.
    pub const ALL: &[(&str, Self)] = &[
        ("none", Self::None),
        ("single-opt-in", Self::SingleOptIn),
        ("double-opt-in", Self::DoubleOptIn),
        ("signed-request", Self::SignedRequest),
    ];
}

/// What becomes of records of persons who do not consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMissing {
    /// They are not there.
    OmitRecord,
    /// Nothing but what is technical is shown of them.
    Redact,
}

/// On which terms a consent is one.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsentTerms {
    /// How surely it must be known.
    pub proof: ConsentProof,
    /// For how long it holds; `None`: until it is withdrawn.
    pub max_age: Option<SpanFieldwise>,
    /// What becomes of records where it is missing.
    pub when_missing: WhenMissing,
    /// What records may be matched, sorted and searched by all the same.
    pub matchable: BTreeSet<Category>,
    /// What is asked for, by the name of its text.
    pub text: Option<String>,
    /// Whether it is given to one recipient alone, that of the caller's roles.
    pub names_recipient: bool,
}

/// What may be matched if nothing else is said: it tells when something happened, not to whom.
pub(in crate::policy) fn matchable_by_default() -> BTreeSet<Category> {
    BTreeSet::from([Category::new("technical.timestamp")])
}

/// Whom records of a module are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Each about a person.
    Person(Person),
    /// Each about all who are linked by these fields; if nobody is, about nobody.
    Linked(BTreeMap<Field, Target>),
    /// About nobody.
    Nobody,
}

/// In which module a field refers to records: an id alone may be that of a stranger in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// In this one.
    Module(Module),
    /// In the one that this field of the same record names.
    By(Field),
}

/// How a record tells about whom it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What kind of person: `customer`.
    pub kind: String,
    /// The field of the address.
    pub email: Option<Field>,
    /// The fields of telephone numbers.
    pub phones: Vec<Field>,
    /// Fields that refer to a record of a module about the same person.
    pub same_as: BTreeMap<Field, Module>,
}

/// Whom records are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// By module, and by the upstream of it where the policy names one.
    of: BTreeMap<Module, BTreeMap<Option<String>, About>>,
}

impl People {
    pub(super) fn add(&mut self, upstream: Option<String>, module: Module, about: About) {
        self.of.entry(module).or_default().insert(upstream, about);
    }

    /// Whom records of a module of an upstream are about; `None`: the policy does not say.
    pub fn about(&self, upstream: &str, module: &Module) -> Option<&About> {
        let of = self.of.get(module)?;
        // Few are named, so that looking at each costs less than a copy of the name.
        let mut named = of.iter();
        let own = named.find(|(name, _)| name.as_deref() == Some(upstream));
        own.map(|(_, about)| about).or_else(|| of.get(&None))
    }

    /// Every module of which something is said, with its upstream where that is named.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Module, &About)> {
        self.of.iter().flat_map(|(module, of)| {
            of.iter()
                .map(move |(upstream, about)| (upstream.as_deref(), module, about))
        })
    }

    /// Whether records of a module are about nobody, wherever they are.
    pub(in crate::policy) fn are_about_nobody(&self, module: &Module) -> bool {
        self.of.get(module).is_some_and(|of| {
            of.contains_key(&None) && of.values().all(|about| *about == About::Nobody)
        })
    }

    /// Whether something is said of a module, of whatever upstream.
    pub(in crate::policy) fn know(&self, module: &Module) -> bool {
        self.of.contains_key(module)
    }
}

/// What a policy needs of the configuration, and of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The ledger: it rests on what people have said.
    pub ledger: bool,
    /// Pages and mails: it asks for a proof that only a confirmed link makes.
    pub confirmation: bool,
    /// Keys of `organisation` that receipts, mails and pages hold and the policy does not state.
    pub organisation: Vec<&'static str>,
}
