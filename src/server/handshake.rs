//! Why a TLS handshake failed: one word of a closed list.

use std::io;

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

/// The word for what went wrong.
pub(super) fn cause(error: &io::Error) -> &'static str {
    let told = error.get_ref().and_then(|error| error.downcast_ref());
    match (told, error.kind()) {
        (Some(error), _) => of(error),
        (None, io::ErrorKind::TimedOut) => "timeout",
        (
            None,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected,
        ) => "closed-early",
        (None, _) => "other",
    }
}

fn of(error: &Error) -> &'static str {
    match error {
        Error::NoApplicationProtocol => "no-common-protocol",
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            // Came with TLS 1.2, and is looked for before the version is.
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => "no-common-version",
        Error::PeerIncompatible(_) => "no-common-cipher",
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            // Its signature does not hold.
            | AlertDescription::DecryptError
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate,
        ) => "certificate-refused",
        Error::NoCertificatesPresented => "no-client-certificate",
        Error::InvalidCertificate(_) => "client-certificate-refused",
        Error::AlertReceived(_) => "refused",
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "not-tls",
        Error::DecryptError
        | Error::InappropriateHandshakeMessage { .. }
        | Error::InappropriateMessage { .. }
        | Error::InvalidMessage(_)
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord => "malformed",
        _ => "other",
    }
}
