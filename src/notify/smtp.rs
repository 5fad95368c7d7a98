//! Hands mails to a mail server: TLS from the first byte at port 465, elsewhere STARTTLS or nothing.

use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::failure::Failure;
use super::worker::SetUpError;
use crate::config::{self, SUBMISSIONS};
use crate::files;

/// How long the server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a mail may take.
const MAIL_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a file of certificates.
const PEM_BYTES_MAX: usize = 4 << 20;

/// The way to a mail server.
pub(super) struct Server(AsyncSmtpTransport<Tokio1Executor>);

impl Server {
    /// Sets it up; makes no connection yet.
    pub(super) fn new(server: &config::Smtp, domain: &str) -> Result<Self, SetUpError> {
        let tls = match (server.is_in_clear, server.port) {
            (true, _) => Tls::None,
            (false, SUBMISSIONS) => Tls::Wrapper(tls(server)?),
            (false, _) => Tls::Required(tls(server)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*server.host)
            .port(server.port)
            .timeout(Some(ANSWER_TIMEOUT))
            .hello_name(ClientId::Domain(domain.to_owned()))
            .tls(tls);
        if let Some((user, password)) = &server.account {
            let password =
                std::str::from_utf8(password.bytes()).map_err(|_| SetUpError::Account)?;
            builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
        }
        Ok(Self(builder.build()))
    }

    /// Hands a mail over.
    pub(super) async fn send(&self, mail: Message) -> Result<(), Failure> {
        match tokio::time::timeout(MAIL_TIMEOUT, self.0.send(mail)).await {
            Err(_) => Err(Failure::Timeout),
            Ok(sent) => sent.map(drop).map_err(|error| why(&error)),
        }
    }

    /// Connects, and shows who it is; hands nothing over.
    pub(super) async fn reach(&self) -> Result<(), Failure> {
        match self.0.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Connection),
            Err(error) => Err(why(&error)),
        }
    }
}

fn why(error: &smtp::Error) -> Failure {
    match error {
        error if error.is_timeout() => Failure::Timeout,
        error if error.is_permanent() => Failure::Refused,
        error if error.is_transient() => Failure::Deferred,
        // What the server does not speak, UTF-8 in addresses for one.
        error if error.is_client() => Failure::Refused,
        _ => Failure::Connection,
    }
}

fn tls(server: &config::Smtp) -> Result<TlsParameters, SetUpError> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca {
        let pem = files::read(path, PEM_BYTES_MAX).map_err(|_| SetUpError::Authorities)?;
        let roots = Certificate::from_pem(&pem.bytes).map_err(|_| SetUpError::Authorities)?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(roots);
    }
    builder.build_rustls().map_err(|_| SetUpError::Tls)
}
