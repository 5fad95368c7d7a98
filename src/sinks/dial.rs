//! Connections to receivers.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{Peer, PeerTls};
use crate::transport::{self, Cause};

use super::failure::Failure;

/// How long a connection may take to be made, without TLS and with it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to a receiver.
#[derive(Clone)]
pub struct Wire {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// A connection to a receiver.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// About how long something takes to get there and back.
    pub(super) round_trip: Duration,
}

/// Bytes to and from a receiver.
#[derive(Debug)]
pub(super) enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// Sets it up; makes no connection yet.
    ///
    /// # Errors
    /// If certificates, key or authorities cannot be used.
    pub fn new(peer: &Peer) -> Result<Self, Failure> {
        let tls = match &peer.tls {
            Some(tls) => {
                let name = ServerName::try_from(peer.host.clone()).map_err(|_| Failure::SET_UP)?;
                let connector = TlsConnector::from(Arc::new(client(tls)?));
                Some((connector, name))
            }
            None => None,
        };
        Ok(Self {
            host: peer.host.clone(),
            port: peer.port,
            tls,
        })
    }

    /// Makes a connection, up to the end of the handshake.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn reach(&self) -> Result<(), Failure> {
        self.dial().await.map(|_| ())
    }

    pub(super) async fn dial(&self) -> Result<Connection, Failure> {
        let dialled = timeout(CONNECT_TIMEOUT, self.connect()).await;
        dialled.unwrap_or(Err(Failure::of_connecting(Cause::ConnectTimeout)))
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let addresses = lookup_host((self.host.as_str(), self.port)).await;
        let mut failure = Failure::of_connecting(Cause::Dns);
        for address in addresses.map_err(|_| failure)? {
            let start = Instant::now();
            let tcp = match TcpStream::connect(address).await {
                Ok(tcp) => tcp,
                Err(error) => {
                    failure = Failure::of_connecting(Cause::of_connecting(&error));
                    continue;
                }
            };
            let round_trip = start.elapsed();
            // Without it, everything goes through all the same.
            let _ = tcp.set_nodelay(true);
            let stream = match &self.tls {
                None => Stream::Clear(tcp),
                Some((connector, name)) => {
                    let connected = connector.connect(name.clone(), tcp).await;
                    let connected = connected
                        .map_err(|error| Failure::of_connecting(Cause::of_connecting(&error)));
                    Stream::Tls(Box::new(connected?))
                }
            };
            return Ok(Connection { stream, round_trip });
        }
        Err(failure)
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// What we trust, and what we show.
fn client(tls: &PeerTls) -> Result<rustls::ClientConfig, Failure> {
    let trusting = transport::trusting(tls.ca.as_deref()).map_err(|_| Failure::SET_UP)?;
    let Some((certificate, key)) = &tls.client else {
        return Ok(trusting.with_no_client_auth());
    };
    let chain = CertificateDer::pem_file_iter(&certificate.value).map_err(|_| Failure::SET_UP)?;
    let chain = chain
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Failure::SET_UP)?;
    let key = PrivateKeyDer::from_pem_file(&key.value).map_err(|_| Failure::SET_UP)?;
    let client = trusting.with_client_auth_cert(chain, key);
    client.map_err(|_| Failure::SET_UP)
}

impl Stream {
    /// Waits for the end of the connection below TLS, of which the end of TLS says nothing.
    pub(super) async fn closed(&mut self) -> io::Result<()> {
        let tcp = match self {
            Self::Clear(tcp) => tcp,
            Self::Tls(tls) => tls.get_mut().0,
        };
        let mut nothing = [0; 1024];
        while tcp.read(&mut nothing).await? > 0 {}
        Ok(())
    }

    /// What the system has learned of the connection that no read or write has told.
    pub(super) fn error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Clear(tcp) => tcp.take_error(),
            Self::Tls(tls) => tls.get_ref().0.take_error(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}
