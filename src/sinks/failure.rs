//! Why a receiver has not taken events: closed words for metrics, and nothing that a receiver or an event says.

use std::io;
use std::time::Duration;

use crate::transport::Cause;

/// Why a receiver has not taken events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The word for it, in metrics.
    pub cause: &'static str,
    /// What it means, for the operator.
    pub meaning: &'static str,
    /// The status of a web server.
    pub status: Option<u16>,
    /// After how long the receiver wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// Whether nothing will change until somebody repairs something.
    pub(super) is_lasting: bool,
    /// Whether less at a time may work.
    pub(super) is_too_much: bool,
}

impl Failure {
    pub(super) const fn new(cause: &'static str, meaning: &'static str) -> Self {
        Self {
            cause,
            meaning,
            status: None,
            retry_after: None,
            is_lasting: false,
            is_too_much: false,
        }
    }

    pub(super) const CLOSED_EARLY: Self = Self::new(
        "closed-early",
        "the receiver closed the connection before it had taken everything",
    );
    pub(super) const UNCONFIRMED: Self = Self {
        is_too_much: true,
        ..Self::new(
            "unconfirmed",
            "the receiver did not close the connection once everything was sent, so nobody knows whether it has read it",
        )
    };
    /// It takes too long.
    pub const TIMEOUT: Self = Self {
        is_too_much: true,
        ..Self::new("timeout", "the receiver takes too long")
    };
    pub(super) const NOT_HTTP: Self =
        Self::new("not-http", "what the receiver answers is not HTTP");
    pub(super) const LOG: Self = Self::new("log-unreadable", "the access log cannot be read");
    pub(super) const CURSOR: Self = Self::new(
        "cursor",
        "the cursor cannot be kept: events that were taken are sent again after a restart",
    );
    pub(super) const SET_UP: Self = Self {
        is_lasting: true,
        ..Self::new(
            "set-up",
            "its certificates, key or authorities cannot be used",
        )
    };

    /// No connection was made.
    pub(super) fn of_connecting(cause: Cause) -> Self {
        Self::new(cause.as_str(), cause.meaning())
    }

    /// A file cannot be written.
    pub(super) fn of_file(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new("disk-full", "there is no space left for the file")
            }
            io::ErrorKind::PermissionDenied => Self::new(
                "not-permitted",
                "the system does not permit to write the file",
            ),
            io::ErrorKind::NotFound => {
                Self::new("not-found", "the folder of the file is not there")
            }
            io::ErrorKind::BrokenPipe => {
                Self::new("closed-early", "nobody reads standard output any more")
            }
            _ => Self::new("file", "the file cannot be written"),
        }
    }

    /// A web server has not answered that it has taken them.
    pub(super) fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        let lasting = |cause, meaning| Self {
            is_lasting: true,
            ..Self::new(cause, meaning)
        };
        let failure = match status {
            413 => Self {
                is_too_much: true,
                is_lasting: true,
                ..Self::new("too-large", "the receiver takes no bodies of this size")
            },
            401 | 403 | 407 => lasting("refused-credential", "the receiver refuses our credential"),
            408 | 425 => Self::new("receiver-busy", "the receiver asks for another attempt"),
            429 => Self::new("too-many", "the receiver says that we ask too often"),
            400..500 => lasting(
                "refused",
                "the receiver refuses what it is sent, and will not take it the next time either",
            ),
            500.. => Self::new("receiver-failed", "the receiver failed"),
            300..400 => lasting(
                "redirect",
                "the receiver redirects, which is never followed",
            ),
            _ => lasting(
                "other-status",
                "the receiver answers with a status that does not say that it has taken anything",
            ),
        };
        Self {
            status: Some(status),
            retry_after,
            ..failure
        }
    }
}
