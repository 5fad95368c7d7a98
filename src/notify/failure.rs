//! Why a mail was not handed over: closed words, and nothing that a server or a mail says.

/// Why a mail was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The folder of mails.
    #[error("the folder of mails cannot be written")]
    Folder,
    /// What lies in the outbox.
    #[error("what lies in the outbox is no mail of this version")]
    Unreadable,
    /// The address or the texts cannot stand in a mail.
    #[error("it cannot be put into the form of a mail")]
    Form,
    /// No connection, or none with TLS.
    #[error("the mail server cannot be reached, or proves not who it is")]
    Connection,
    /// The server takes too long.
    #[error("the mail server takes too long")]
    Timeout,
    /// The server refused it, for now.
    #[error("the mail server does not take it now")]
    Deferred,
    /// The server refused it.
    #[error("the mail server refuses it")]
    Refused,
}

impl Failure {
    /// The word for it, in metrics.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Unreadable => "unreadable",
            Self::Form => "form",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
        }
    }
}
