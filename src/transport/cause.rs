//! Why the CRM gave no answer that can be used: a closed list, for the operator's log and the metrics. A cause carries no
//! value and no address.

use std::error::Error;
use std::io::{self, ErrorKind};

use crate::reason::Reason;

macro_rules! causes {
    ($($variant:ident = ($word:literal, $meaning:literal),)*) => {
        /// Why the CRM gave no answer that can be used.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Cause {
            $(#[doc = $meaning] $variant,)*
        }

        impl Cause {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in the log and the metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What it means, in words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

causes! {
    Dns = ("dns", "the name of its host has no address"),
    Refused = ("refused", "nothing listens at its address and port"),
    Unreachable = ("unreachable", "there is no way to its address"),
    ConnectTimeout = ("connect-timeout", "no connection was made in time"),
    TlsUntrusted = ("tls-untrusted", "nobody who is trusted vouches for its certificate"),
    TlsExpired = ("tls-expired", "its certificate has expired, or is not valid yet"),
    TlsName = ("tls-name", "its certificate is for other names"),
    TlsOther = ("tls-other", "TLS failed, perhaps because it speaks none"),
    NotHttp = ("not-http", "what it sent is not HTTP, or is framed in more ways than one"),
    ClosedEarly = ("closed-early", "it closed the connection before the end of its answer"),
    FirstByteTimeout = ("first-byte-timeout", "its answer did not begin in time"),
    TotalTimeout = ("total-timeout", "its answer did not end in time"),
    Redirect = ("redirect", "it answered with a redirect, or another status that does not pass"),
    ContentType = ("content-type", "the content type of its answer is not one of JSON"),
    Charset = ("charset", "its answer is not in UTF-8"),
    ContentCoding = ("content-coding", "its answer is compressed in a way that is not known, or broken"),
    TooLarge = ("too-large", "its answer is over a bound"),
    MalformedJson = ("malformed-json", "its answer is not JSON"),
    WrongShape = ("wrong-shape", "its answer is not what its dialect expects"),
}

impl Cause {
    /// What the caller is told.
    pub fn reason(self) -> Reason {
        match self {
            Self::Dns | Self::Refused | Self::Unreachable | Self::ConnectTimeout => {
                Reason::UpstreamUnreachable
            }
            Self::TlsUntrusted | Self::TlsExpired | Self::TlsName | Self::TlsOther => {
                Reason::UpstreamUnreachable
            }
            Self::NotHttp | Self::ClosedEarly => Reason::UpstreamBroken,
            Self::FirstByteTimeout | Self::TotalTimeout => Reason::UpstreamSlow,
            Self::Redirect => Reason::UpstreamRedirect,
            Self::ContentType | Self::Charset | Self::ContentCoding => Reason::Unfilterable,
            Self::MalformedJson | Self::WrongShape => Reason::Unfilterable,
            Self::TooLarge => Reason::ReplyTooLarge,
        }
    }

    /// Why a connection was not made.
    pub(crate) fn of_connecting(error: &(dyn Error + 'static)) -> Self {
        of(error).unwrap_or(Self::Unreachable)
    }

    /// Why an exchange on a connection failed.
    pub(super) fn of_exchange(error: &(dyn Error + 'static)) -> Self {
        match of(error) {
            // The connection was there.
            None | Some(Self::Refused | Self::Unreachable | Self::ConnectTimeout) => {
                Self::ClosedEarly
            }
            Some(cause) => cause,
        }
    }
}

/// A name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(super) struct NoAddress(#[source] pub(super) io::Error);

/// The first error of a chain that tells.
fn of(error: &(dyn Error + 'static)) -> Option<Cause> {
    if error.is::<NoAddress>() {
        return Some(Cause::Dns);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // The source of such an error is not what it holds, but the source of that.
        let held = error.get_ref().map(|held| held as &(dyn Error + 'static));
        return held.and_then(of).or_else(|| of_kind(error.kind()));
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    let own = error.downcast_ref::<hyper::Error>().and_then(of_http);
    own.or_else(|| error.source().and_then(of))
}

fn of_kind(kind: ErrorKind) -> Option<Cause> {
    match kind {
        ErrorKind::ConnectionRefused => Some(Cause::Refused),
        ErrorKind::TimedOut => Some(Cause::ConnectTimeout),
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Some(Cause::ClosedEarly),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Some(Cause::NotHttp),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Some(Cause::Unreachable)
        }
        _ => None,
    }
}

fn of_http(error: &hyper::Error) -> Option<Cause> {
    if error.is_parse_too_large() {
        Some(Cause::TooLarge)
    } else if error.is_parse() {
        Some(Cause::NotHttp)
    } else if error.is_incomplete_message() {
        Some(Cause::ClosedEarly)
    } else {
        None
    }
}

fn of_tls(error: &rustls::Error) -> Cause {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else {
        return Cause::TlsOther;
    };
    match bad {
        Bad::Expired
        | Bad::ExpiredContext { .. }
        | Bad::NotValidYet
        | Bad::NotValidYetContext { .. } => Cause::TlsExpired,
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Cause::TlsName,
        Bad::UnknownIssuer | Bad::BadSignature | Bad::Revoked => Cause::TlsUntrusted,
        // A certificate that is its own authority; the error has no name outside of the library's own.
        Bad::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            Cause::TlsUntrusted
        }
        _ => Cause::TlsOther,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_first_error_of_a_chain_that_tells_is_the_cause() {
        let error = |kind: ErrorKind| io::Error::from(kind);
        for (kind, cause) in [
            (ErrorKind::ConnectionRefused, Cause::Refused),
            (ErrorKind::TimedOut, Cause::ConnectTimeout),
            (ErrorKind::NetworkUnreachable, Cause::Unreachable),
            (ErrorKind::PermissionDenied, Cause::Unreachable),
            (ErrorKind::ConnectionReset, Cause::ClosedEarly),
            (ErrorKind::UnexpectedEof, Cause::ClosedEarly),
        ] {
            assert_eq!(Cause::of_connecting(&error(kind)), cause, "{kind}");
            let wrapped = io::Error::other(io::Error::other(error(kind)));
            assert_eq!(Cause::of_connecting(&wrapped), cause, "{kind} inside");
        }
        let eof = io::Error::new(ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(
            Cause::of_connecting(&io::Error::other(eof)),
            Cause::ClosedEarly
        );
        for kind in [
            ErrorKind::TimedOut,
            ErrorKind::HostUnreachable,
            ErrorKind::ConnectionReset,
        ] {
            assert_eq!(
                Cause::of_exchange(&error(kind)),
                Cause::ClosedEarly,
                "{kind}"
            );
        }
        let unknown = NoAddress(error(ErrorKind::TimedOut));
        assert_eq!(Cause::of_connecting(&unknown), Cause::Dns);
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        let alert = io::Error::new(ErrorKind::InvalidData, alert);
        assert_eq!(Cause::of_exchange(&alert), Cause::TlsOther);
    }

    #[test]
    fn words_are_unique() {
        let words: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(words.len(), Cause::ALL.len());
    }
}
