//! A mail as it lies in the outbox: all that is needed to hand it over, whatever the policy says by then.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SINK;
use super::failure::Failure;
use super::texts::{self, House};
use crate::ledger::{Address, Outgoing, Use};
use crate::policy::Language;

/// A mail. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) language: String,
    /// What ends mails (RFC 8058).
    pub(super) unsubscribe: Option<String>,
    #[serde(rename = "use")]
    used_for: String,
    purpose: String,
}

/// What a mail is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Whether somebody wants what was asked for in their name.
    Confirm {
        /// The purpose.
        purpose: &'a str,
        /// What persons read of it.
        label: &'a str,
        /// What they are asked to consent to.
        asked: Option<&'a str>,
    },
    /// Where somebody sees and changes what they agree to.
    Preferences,
}

/// The links of a mail.
#[derive(Clone, Debug)]
pub struct Links {
    /// The one that it is about.
    pub main: String,
    /// The one that ends mails.
    pub unsubscribe: Option<String>,
}

impl Letter {
    /// Writes a mail.
    pub fn new(
        to: &Address,
        subject: &Subject<'_>,
        links: Links,
        house: &House<'_>,
        language: Language,
    ) -> Self {
        let (heading, text) = texts::write(subject, &links.main, house, language);
        let (used_for, purpose) = match subject {
            Subject::Confirm { purpose, .. } => (Use::Confirm, *purpose),
            Subject::Preferences => (Use::Preferences, "*"),
        };
        Self {
            to: to.as_str().to_owned(),
            subject: heading,
            text,
            language: language.as_str().to_owned(),
            unsubscribe: links.unsubscribe,
            used_for: used_for.name().to_owned(),
            purpose: purpose.to_owned(),
        }
    }

    /// As the outbox takes it.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn outgoing(&self) -> Result<Outgoing, Failure> {
        Ok(Outgoing {
            sink: SINK.to_owned(),
            body: serde_json::to_vec(self).map_err(|_| Failure::Form)?,
            due: None,
        })
    }

    /// What lies in the outbox.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body).map_err(|_| Failure::Unreadable)
    }

    /// What its link is for.
    pub(super) fn used_for(&self) -> Option<Use> {
        Use::named(&self.used_for)
    }

    /// The purpose that it is about; `*` if all.
    pub(super) fn purpose(&self) -> &str {
        &self.purpose
    }

    /// Who has the address.
    pub(super) fn address(&self) -> Result<Address, Failure> {
        Address::parse(&self.to).map_err(|_| Failure::Unreadable)
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({})", self.used_for)
    }
}
