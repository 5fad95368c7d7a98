//! Why the ledger does not do what it was asked. No text holds a value, a name or an address.

use super::keys::KeysError;
use super::refused::Refused;

/// Why the ledger does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer, or takes nothing more (a full disk). Whether what was asked was done is not known: asked again
    /// with the same reference, it is done once.
    #[error("the ledger cannot be reached: {0}")]
    Unavailable(String),
    /// The store is none, is damaged, or does not hold what this process has seen in it.
    #[error("the ledger is damaged: {0}")]
    Corrupt(String),
    /// The store is of another version of the program.
    #[error(
        "the ledger has form {found}, this program knows form {known}: use the program that wrote it, or a later one"
    )]
    OtherForm {
        /// The form of the store.
        found: i64,
        /// The form that this program knows.
        known: i64,
    },
    /// The store was written under a key that is not among `keys.person`.
    #[error(
        "{0} the ledger under another key: name the file of the key it was written under in `keys.person`"
    )]
    OtherKey(Under),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// What is in the store takes more memory than it may.
    #[error(
        "the ledger takes {bytes} bytes of memory, more than `state.memory_max` ({max}): raise it, or give it less to hold"
    )]
    TooLarge {
        /// Bytes that it takes.
        bytes: u64,
        /// Bytes that it may take.
        max: u64,
    },
    /// What was asked is not allowed, whoever asks.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody is known under what was named.
    #[error("nobody is known under what was named")]
    Nobody,
    /// The process stops.
    #[error("the ledger is closed")]
    Closed,
}

/// What is kept under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// Names of persons.
    Names,
    /// What waits to be sent.
    Outbox,
    /// Links in mails that are still good.
    Links,
}

impl std::fmt::Display for Under {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Names => "addresses or telephone numbers are kept in",
            Self::Outbox => "mails or lines of the access log wait in",
            Self::Links => "links in mails that are still good are kept in",
        })
    }
}

impl Error {
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}
