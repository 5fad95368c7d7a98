//! How the proxy's own account logs in: what it states, the steps, and what comes of them.

use std::fmt;
use std::time::Duration;

use super::Outgoing;
use crate::door::Credential;
use crate::reason::Reason;

pub(super) mod oauth;
#[cfg(test)]
mod tests;

/// A text that nobody is shown, its `Debug` least of all.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps a text.
    pub(crate) fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself: for the request that proves it only.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The proxy's own account in a CRM, as far as a login states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its name and password; none where the client itself logs in.
    pub user: Option<(String, Secret)>,
    /// The client that logs in, where the API knows clients.
    pub client_id: Option<String>,
    /// What proves the client.
    pub client_secret: Option<Secret>,
    /// Whether the password goes as it is where the API would also take its MD5 sum, which no directory behind it can read.
    pub plain: bool,
    /// The kind of client, where the API tells clients apart by it.
    pub platform: Option<String>,
}

/// What a login came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// What the CRM is called with from now on.
    pub credential: Credential,
    /// With what it is renewed without the password.
    pub refresh: Option<Secret>,
    /// How long it lasts, where the CRM says so.
    pub lifetime: Option<Duration>,
}

/// The next step of a login.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// Ask the CRM this, without a credential.
    Ask(Outgoing),
    /// The account is in.
    Entered(Entered),
    /// The CRM does not accept the account.
    Refused,
    /// The answers cannot be relied on.
    Failed(Reason),
    /// The API has no login that an account of this kind could make.
    Impossible,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The body holds the password.
            Self::Ask(question) => f.debug_tuple("Ask").field(&question.target).finish(),
            Self::Entered(entered) => f.debug_tuple("Entered").field(entered).finish(),
            Self::Refused => f.write_str("Refused"),
            Self::Failed(reason) => f.debug_tuple("Failed").field(reason).finish(),
            Self::Impossible => f.write_str("Impossible"),
        }
    }
}
