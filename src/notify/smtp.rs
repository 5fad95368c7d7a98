//! Hands mails to a mail server: TLS from the first byte at port 465, elsewhere STARTTLS or nothing.

use std::time::Duration;

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
    pub(super) fn new(smtp: &config::Smtp, domain: &str) -> Result<Self, SetUpError> {
        let tls = match (smtp.is_in_clear, smtp.port) {
            (true, _) => Tls::None,
            (false, SUBMISSIONS) => Tls::Wrapper(tls(smtp)?),
            (false, _) => Tls::Required(tls(smtp)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*smtp.host)
            .port(smtp.port)
            .timeout(Some(ANSWER_TIMEOUT))
            .hello_name(ClientId::Domain(domain.to_owned()))
            .tls(tls);
        if let Some((user, password)) = &smtp.account {
            let password =
                std::str::from_utf8(password.bytes()).map_err(|_| SetUpError::Account)?;
            builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
        }
        Ok(Self(builder.build()))
    }

    /// Hands a mail over.
    pub(super) async fn send(&self, mail: Message) -> Result<(), Failure> {
        let sent = tokio::time::timeout(MAIL_TIMEOUT, self.0.send(mail)).await;
        match sent {
            Err(_) => Err(Failure::Timeout),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_timeout() => Err(Failure::Timeout),
            Ok(Err(error)) if error.is_permanent() => Err(Failure::Refused),
            Ok(Err(error)) if error.is_transient() => Err(Failure::Deferred),
            // What the server does not speak, UTF-8 in addresses for one.
            Ok(Err(error)) if error.is_client() => Err(Failure::Refused),
            Ok(Err(_)) => Err(Failure::Connection),
        }
    }
}

fn tls(smtp: &config::Smtp) -> Result<TlsParameters, SetUpError> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca {
        let pem = files::read(path, PEM_BYTES_MAX).map_err(|_| SetUpError::Authorities)?;
        let roots = Certificate::from_pem(&pem.bytes).map_err(|_| SetUpError::Authorities)?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(roots);
    }
    builder.build_rustls().map_err(|_| SetUpError::Tls)
}
