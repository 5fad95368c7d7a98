//! What a policy says of consent, as far as recording it and telling of it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::tz::TimeZone;
use jiff::{SpanFieldwise, Timestamp};

use crate::hex::hex;
use crate::ledger::{Event, Proof, ShownText};
use crate::policy::{ConsentProof, ConsentText, Language, Organisation, Policy};

/// The legal basis that is consent.
const CONSENT: &str = "consent";

/// What a policy says of consent.
#[derive(Clone, Debug, Default)]
pub struct PolicyTerms {
    /// The purposes, by name.
    pub purposes: BTreeMap<String, Purpose>,
    /// The texts that persons are shown, by name.
    pub texts: BTreeMap<String, ConsentText>,
    /// Who is responsible.
    pub organisation: Organisation,
}

/// What it says of a purpose.
#[derive(Clone, Debug)]
pub struct Purpose {
    /// Its legal basis.
    pub legal_basis: String,
    /// How well consent must be proven at least.
    pub proof: Proof,
    /// How old consent may be.
    pub max_age: Option<SpanFieldwise>,
    /// The names under which a CRM keeps the consent to it.
    pub crm: BTreeSet<String>,
    /// Whether an objection ends it.
    pub honours_objection: bool,
    /// The categories of data that it shows.
    pub data: Vec<String>,
    /// What persons read of it, by language.
    pub labels: BTreeMap<Language, String>,
    /// The name of the text that asks for consent.
    pub text: Option<String>,
    /// Whether consent names to whom data may go.
    pub names_recipient: bool,
}

impl PolicyTerms {
    /// What a policy says.
    pub fn of(policy: &Policy) -> Self {
        let purposes = policy.purposes().map(|name| {
            let terms = policy.consent_terms(name);
            let (en, fr) = policy.purpose_labels(name);
            let labels = [(Language::En, en), (Language::Fr, fr)];
            let labels = labels
                .into_iter()
                .filter_map(|(language, label)| Some((language, label?.to_owned())));
            let purpose = Purpose {
                legal_basis: policy.legal_basis(name).unwrap_or_default().to_owned(),
                proof: terms.map_or(Proof::None, |terms| proof(terms.proof)),
                max_age: terms.and_then(|terms| terms.max_age),
                crm: policy.names_in_crm(name).map(str::to_owned).collect(),
                honours_objection: policy.honours_objection(name),
                data: policy.shown_for(name),
                labels: labels.collect(),
                text: terms.and_then(|terms| terms.text.clone()),
                names_recipient: terms.is_some_and(|terms| terms.names_recipient),
            };
            (name.as_str().to_owned(), purpose)
        });
        Self {
            purposes: purposes.collect(),
            texts: policy.consent_texts().clone(),
            organisation: policy.organisation().clone(),
        }
    }

    /// What a person is asked to consent to for a purpose, in a language: what was shown and its words; `None` if the policy has
    /// no such text.
    pub fn asked(&self, purpose: &str, language: Language) -> Option<(ShownText, &str)> {
        let name = self.purposes.get(purpose)?.text.as_ref()?;
        let text = self.texts.get(name)?;
        let shown = self.shown(name, &text.version, language.as_str())?;
        Some((shown, text.words.get(&language)?))
    }

    /// The text that a person was shown, by name and version, in a language; `None` if the policy has no such text.
    pub fn shown(&self, name: &str, version: &str, language: &str) -> Option<ShownText> {
        let text = self.texts.get(name);
        let text = text.filter(|text| text.version == version)?;
        let (_, language) = Language::ALL.iter().find(|(code, _)| *code == language)?;
        let hash = digest(&SHA256, text.words.get(language)?.as_bytes());
        Some(ShownText {
            id: name.to_owned(),
            version: version.to_owned(),
            sha256: hex(hash.as_ref()),
        })
    }
}

/// How well consent is proven, in the words of the ledger.
pub fn proof(asked: ConsentProof) -> Proof {
    match asked {
        ConsentProof::None => Proof::None,
        ConsentProof::SingleOptIn => Proof::SingleOptIn,
        ConsentProof::DoubleOptIn => Proof::DoubleOptIn,
        ConsentProof::SignedRequest => Proof::SignedRequest,
    }
}

/// How long ago a consent of an age may have been given: as long as the calendar says. What no calendar has is no age at all.
pub fn age(most: SpanFieldwise, now: Timestamp) -> Duration {
    let day = now.to_zoned(TimeZone::UTC);
    let began = day.checked_sub(most.0).ok();
    let age = began.map(|began| now.duration_since(began.timestamp()).unsigned_abs());
    age.unwrap_or_default()
}

impl Purpose {
    /// A purpose of which nothing more is said than its basis.
    pub fn of_basis(basis: &str) -> Self {
        Self {
            legal_basis: basis.to_owned(),
            proof: Proof::None,
            max_age: None,
            crm: BTreeSet::new(),
            honours_objection: false,
            data: Vec::new(),
            labels: BTreeMap::new(),
            text: None,
            names_recipient: false,
        }
    }

    /// What persons read of it; its name, where the policy has no words for it.
    pub fn label<'a>(&'a self, name: &'a str, language: Language) -> &'a str {
        let own = self.labels.get(&language);
        let any = || self.labels.values().next();
        own.or_else(any).map_or(name, String::as_str)
    }

    /// Whether it needs consent.
    pub fn asks_consent(&self) -> bool {
        self.legal_basis == CONSENT
    }

    /// How old consent may be at a moment.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        self.max_age.map(|most| age(most, now))
    }

    /// When an affirmation ends, in Unix milliseconds; `None`: never of itself, or it is none.
    pub fn until(&self, event: &Event) -> Option<i64> {
        if !event.kind.affirms() {
            return None;
        }
        let age = self.max_age.map(|age| {
            let at = event.at.min(event.recorded);
            let began = Timestamp::from_millisecond(at).ok();
            let ends = began.and_then(|at| at.to_zoned(TimeZone::UTC).checked_add(age.0).ok());
            ends.map_or(at, |ends| ends.timestamp().as_millisecond())
        });
        [event.expires, age].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_text_is_known_by_its_version_and_language() {
        let text = ConsentText {
            version: "3".to_owned(),
            words: BTreeMap::from([(Language::En, "Yes, write to me.".to_owned())]),
        };
        let terms = PolicyTerms {
            texts: BTreeMap::from([("newsletter".to_owned(), text)]),
            ..PolicyTerms::default()
        };
        let shown = terms.shown("newsletter", "3", "en").unwrap();
        // printf 'Yes, write to me.' | sha256sum
        let sha256 = "37e514c420549ee6881910540d4dc68d82e236bd27532c232d6311b24188afc8";
        assert_eq!(shown.sha256, sha256);
        assert_eq!(terms.shown("newsletter", "2", "en"), None);
        assert_eq!(terms.shown("newsletter", "3", "fr"), None);
        assert_eq!(terms.shown("other", "3", "en"), None);
    }

    #[test]
    fn an_age_is_as_long_as_the_calendar_says() {
        let purpose = Purpose {
            max_age: Some(1.year().fieldwise()),
            ..Purpose::of_basis("consent")
        };
        let days = |now: &str| {
            let age = purpose.age(now.parse().unwrap()).unwrap();
            age.as_secs() / 86_400
        };
        assert_eq!(days("2026-03-01T00:00:00Z"), 365);
        assert_eq!(days("2024-03-01T00:00:00Z"), 366);
    }
}
