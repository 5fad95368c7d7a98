//! What is to be carried out of the ledger once an event is recorded: mails, lines of the access log.

use std::fmt;

use jiff::Timestamp;

/// Something to be sent. It is kept sealed, and forgotten once sent. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Who sends it: `mail`, `audit`.
    pub sink: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// Not before. Default: at once.
    pub due: Option<Timestamp>,
}

/// Something that is due. Whoever claimed it sends it, or lets it go.
#[derive(Clone, PartialEq, Eq)]
pub struct Due {
    pub(super) id: String,
    pub(super) body: Vec<u8>,
    pub(super) tries: u32,
    pub(super) since: i64,
}

impl Due {
    /// Its identifier: the same at each try.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is sent.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How often it was claimed, this time included.
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// When it was put there, in Unix milliseconds.
    pub fn since(&self) -> i64 {
        self.since
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes)", self.body.len())
    }
}

impl fmt::Debug for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Due({})", self.id)
    }
}
