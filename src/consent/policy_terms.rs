//! What a policy says of consent, as far as recording it and telling of it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use crate::ledger::{Proof, ShownText};
use crate::policy::Policy;

/// The legal basis that is consent.
const CONSENT: &str = "consent";

/// What a policy says of consent.
#[derive(Clone, Debug, Default)]
pub struct PolicyTerms {
    /// The purposes, by name.
    pub purposes: BTreeMap<String, Purpose>,
    /// The texts that persons are shown, by name.
    pub texts: BTreeMap<String, Text>,
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
    pub max_age: Option<Duration>,
    /// Whether consent must name to whom data go.
    pub names_recipient: bool,
    /// Whether an objection ends it.
    pub honours_objection: bool,
    /// The name of the text by which persons are asked.
    pub text: Option<String>,
    /// The categories of data that it shows.
    pub data: Vec<String>,
}

/// A text that persons are shown.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its version.
    pub version: String,
    /// What is shown, by language.
    pub languages: BTreeMap<String, String>,
}

/// Who is responsible.
#[derive(Clone, Debug, Default)]
pub struct Organisation {
    /// The name.
    pub name: Option<String>,
    /// The country (ISO 3166, two letters).
    pub country: Option<String>,
    /// The address of the house.
    pub address: Option<String>,
    /// Where the data protection officer is written to.
    pub dpo: Option<String>,
    /// The supervisory authority.
    pub authority: Option<Authority>,
    /// Languages, the first of them first.
    pub languages: Vec<String>,
}

/// A supervisory authority.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// Where it is in the web.
    pub url: String,
}

impl PolicyTerms {
    /// What a policy says.
    pub fn of(policy: &Policy) -> Self {
        let purposes = policy.purposes().map(|name| {
            let basis = policy.legal_basis(name).unwrap_or_default();
            (name.as_str().to_owned(), Purpose::of_basis(basis))
        });
        Self {
            purposes: purposes.collect(),
            ..Self::default()
        }
    }

    /// The text that a person was shown, by name and version, in a language; `None` if the policy has no such text.
    pub fn shown(&self, name: &str, version: &str, language: &str) -> Option<ShownText> {
        let text = self
            .texts
            .get(name)
            .filter(|text| text.version == version)?;
        let shown = text.languages.get(language)?;
        let hash = digest(&SHA256, shown.as_bytes());
        Some(ShownText {
            id: name.to_owned(),
            version: version.to_owned(),
            sha256: hash
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        })
    }
}

impl Purpose {
    /// A purpose of which nothing more is said than its basis.
    pub fn of_basis(basis: &str) -> Self {
        Self {
            legal_basis: basis.to_owned(),
            proof: Proof::None,
            max_age: None,
            names_recipient: false,
            honours_objection: false,
            text: None,
            data: Vec::new(),
        }
    }

    /// Whether it needs consent.
    pub fn asks_consent(&self) -> bool {
        self.legal_basis == CONSENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_its_version_and_language() {
        let text = Text {
            version: "3".to_owned(),
            languages: BTreeMap::from([("en".to_owned(), "Yes, write to me.".to_owned())]),
        };
        let terms = PolicyTerms {
            texts: BTreeMap::from([("newsletter".to_owned(), text)]),
            ..PolicyTerms::default()
        };
        let shown = terms.shown("newsletter", "3", "en").unwrap();
        // printf 'Yes, write to me.' | sha256sum
        assert_eq!(shown.sha256.len(), 64);
        assert_eq!(Some(shown), terms.shown("newsletter", "3", "en"));
        assert_eq!(terms.shown("newsletter", "2", "en"), None);
        assert_eq!(terms.shown("newsletter", "3", "fr"), None);
        assert_eq!(terms.shown("other", "3", "en"), None);
    }
}
