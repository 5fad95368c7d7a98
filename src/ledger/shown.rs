//! Links that go to mailboxes: who shows one has the mailbox.

use std::fmt;

use super::person::PersonId;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Confirms one request, once.
    Confirm,
    /// Shows and changes what a person has agreed to, until it expires.
    Preferences,
    /// Ends mails (RFC 8058), until it expires.
    Unsubscribe,
    /// Proves who opened a request of rights, once.
    Identify,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Confirm,
        Self::Preferences,
        Self::Unsubscribe,
        Self::Identify,
    ];

    /// The name, as the store has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Preferences => "preferences",
            Self::Unsubscribe => "unsubscribe",
            Self::Identify => "identify",
        }
    }

    /// The use of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether such a link is taken by the first who uses it.
    pub fn is_once(self) -> bool {
        matches!(self, Self::Confirm | Self::Identify)
    }
}

/// That somebody shows a link which is good at this moment. Made only by the ledger, which looked it up; to look changes
/// nothing. An event that names it takes it, where it is good only once.
///
/// ```compile_fail
/// let shown = paravent::ledger::Shown { person: unreachable!() };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    pub(super) sha256: String,
    pub(super) used_for: Use,
    pub(super) person: PersonId,
    pub(super) purpose: String,
    pub(super) event: Option<String>,
}

impl Shown {
    /// What the link is for.
    pub fn used_for(&self) -> Use {
        self.used_for
    }

    /// To whom it went.
    pub fn person(&self) -> &PersonId {
        &self.person
    }

    /// The purpose that it is about; `*` if all.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The identifier of the event that it answers, if it does.
    pub fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({})", self.used_for.name())
    }
}
