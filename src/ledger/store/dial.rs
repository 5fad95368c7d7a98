//! Connections to PostgreSQL: TLS always, but on this machine.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::Postgres as Settings;
use crate::ledger::error::Error;

/// Connects to the database, or to where it can be listened to.
pub(super) async fn dial(
    settings: &Settings,
    listen: Option<(&str, u16)>,
    bell: &Arc<Notify>,
) -> Result<Client, Error> {
    let (host, port) = listen.unwrap_or((settings.host.as_str(), settings.port));
    let mut config = Config::new();
    config
        .host(host)
        .port(port)
        .dbname(&settings.database)
        .user(&settings.user)
        .application_name("paravent");
    if let Some(password) = &settings.password {
        config.password(password.bytes());
    }
    if is_here(host) {
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(error)?;
        drive(connection, Arc::clone(bell));
        return Ok(client);
    }
    config.ssl_mode(SslMode::Require);
    let tls = MakeRustlsConnect::new(tls(settings.ca.as_deref())?);
    let (client, connection) = config.connect(tls).await.map_err(error)?;
    drive(connection, Arc::clone(bell));
    Ok(client)
}

/// Whether a host is this machine: a folder of sockets, or a loopback address.
fn is_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}

/// TLS that trusts whom a file names; without one, whom the system trusts.
fn tls(ca: Option<&Path>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unreachable("TLS cannot be set up"))?;
    let Some(path) = ca else {
        let builder = builder
            .with_native_roots()
            .map_err(|_| unreachable("the system's certificates cannot be read"))?;
        return Ok(builder.with_no_client_auth());
    };
    let unread = || unreachable("the certificates of `ca` cannot be read");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| unread())? {
        let certificate = certificate.map_err(|_| unread())?;
        roots.add(certificate).map_err(|_| unread())?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Lets a connection work, and rings when others tell of changes.
fn drive<S, T>(mut connection: Connection<S, T>, bell: Arc<Notify>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        while let Some(Ok(message)) =
            std::future::poll_fn(|context| connection.poll_message(context)).await
        {
            if matches!(message, AsyncMessage::Notification(_)) {
                bell.notify_one();
            }
        }
    });
}

/// That the database does not do what it should.
pub(super) fn unreachable(what: &str) -> Error {
    Error::Unavailable(format!("the database: {what}"))
}

/// What an error means. The server's own text is left out: it may quote values.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn error(error: tokio_postgres::Error) -> Error {
    let Some(code) = error.code() else {
        return unreachable(match error.is_closed() {
            true => "the connection was closed",
            false => "it cannot be reached, or its certificate is not trusted",
        });
    };
    match code.code() {
        // Raised by a trigger, or a constraint: what is there contradicts.
        code if code == "P0001" || code.starts_with("23") => {
            Error::corrupt("what was to be written contradicts what is there")
        }
        code => unreachable(&format!("it refused (SQLSTATE {code})")),
    }
}
