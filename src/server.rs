//! Accepts: sockets, TLS, HTTP limits, time-outs, shutdown, and the admin listener.
//!
//! Each request is answered in a task of its own: a caller who hangs up does not stop the walk half-way (its event is
//! still written), and a panic stays in the request that caused it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::door::Door;
use crate::door::wire::Wire;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::reason::Reason;

mod admin;
mod answer;
mod files;
mod handshake;
mod parts;
mod portal;
mod shares;
mod signals;
mod timed;
mod watched;

pub use admin::{Readiness, serve_admin};
use answer::Exchange;
pub use files::allow_open_files;
pub use parts::Parts;
pub use portal::PortalFront;
pub use signals::{Asked, Signals, listen};
use timed::{Activity, Timed};
use watched::{Doubt, Watched};

/// With what connections begin that begin now. Those that have begun keep what they have.
pub type TlsInUse = ArcSwap<rustls::ServerConfig>;

/// Bounds of connections and requests.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub request_bytes_max: usize,
    /// The same, over all requests that are arriving or being answered; more are refused with 503.
    pub request_bytes_total_max: usize,
    /// Open connections; more wait to be accepted.
    pub connections_max: usize,
    /// Requests being answered at once; more are refused with 503.
    pub requests_max: usize,
    /// Until a request's head has arrived, and until a TLS handshake is done.
    pub head_timeout: Duration,
    /// Until a request's body has arrived.
    pub body_timeout: Duration,
    /// How long a connection may be silent between requests, or a caller may not read.
    pub idle_timeout: Duration,
    /// What is looked for at the door.
    pub door: Door,
}

/// One listener before one CRM.
#[derive(Debug)]
pub struct Front {
    pipeline: Arc<Pipeline>,
    limits: Limits,
    metrics: Metrics,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    /// Room for bodies of requests, in KiB.
    bodies: Arc<Semaphore>,
}

impl Front {
    /// Puts a pipeline behind bounds.
    pub fn new(pipeline: Arc<Pipeline>, limits: Limits, metrics: Metrics) -> Self {
        let connections = Arc::new(Semaphore::new(limits.connections_max));
        let requests = Arc::new(Semaphore::new(limits.requests_max));
        let kib = limits.request_bytes_total_max / answer::KIB;
        let bodies = Arc::new(Semaphore::new(kib.min(Semaphore::MAX_PERMITS)));
        Self {
            pipeline,
            limits,
            metrics,
            connections,
            requests,
            bodies,
        }
    }

    /// Accepts connections until `stop` turns true, then lets the open ones finish their requests.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        tls: Option<Arc<TlsInUse>>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut connections = tokio::task::JoinSet::new();
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            let permit = self.connections.clone().acquire_owned();
            let accepted = tokio::select! {
                accepted = async { (permit.await, listener.accept().await) } => accepted,
                _ = sweep.tick() => {
                    self.pipeline.sweep();
                    continue;
                }
                Some(_) = connections.join_next() => continue,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (Ok(permit), Ok((socket, peer))) = accepted else {
                // Out of file descriptors, most likely: give requests a moment to end.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let tls = tls.as_ref().map(|tls| TlsAcceptor::from(tls.load_full()));
            let (front, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                front.metrics.connections.inc();
                let ended = front.clone().connect(socket, peer, tls, stop).await;
                front.metrics.connections.dec();
                if let Err(error) = ended {
                    tracing::debug!(kind = ?error.kind(), "a connection ended early");
                }
                drop(permit);
            });
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    async fn connect(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let activity = Activity::new();
        let socket = Timed::new(socket, self.limits.idle_timeout);
        match tls {
            None => {
                self.converse(socket, (peer, None), activity, Spoken::Either, stop)
                    .await
            }
            Some(acceptor) => {
                let handshake =
                    tokio::time::timeout(self.limits.head_timeout, acceptor.accept(socket)).await;
                let handshake = handshake.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                let socket = handshake.inspect_err(|error| {
                    let cause = handshake::cause(error);
                    self.metrics.handshake_failed(cause);
                    tracing::debug!(cause, "a TLS handshake failed");
                })?;
                let spoken = match socket.get_ref().1.alpn_protocol() {
                    Some(HTTP2) => Spoken::Http2,
                    _ => Spoken::Http1,
                };
                let certificates = socket.get_ref().1.peer_certificates();
                let certificates = certificates.map(|chain| {
                    let own = chain.iter().map(|one| one.clone().into_owned());
                    own.collect::<Arc<[CertificateDer<'static>]>>()
                });
                let peer = (peer, certificates);
                // In a box, so that connections in clear do not take the room of those over TLS.
                Box::pin(self.converse(socket, peer, activity, spoken, stop)).await
            }
        }
    }

    /// Serves the requests of one connection until it ends, falls silent, or the proxy stops.
    async fn converse<S>(
        self: Arc<Self>,
        socket: S,
        (peer, certificates): Peer,
        activity: Activity,
        spoken: Spoken,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let builder = http_of(&self.limits, spoken);
        let doubt = Doubt::default();
        let wire = match spoken {
            Spoken::Http1 => Wire::http1(),
            Spoken::Http2 | Spoken::Either => Wire::default(),
        };
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let exchange = Exchange {
                front: self.clone(),
                origin: peer.ip(),
                certificates: certificates.clone(),
                busy: activity.begin(),
                doubt: doubt.clone(),
            };
            // In a box, for which hyper keeps room as long as the connection lives.
            let answer = Box::pin(exchange.answer(request));
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let socket = Watched::new(socket, wire, doubt.clone());
        let connection = builder.serve_connection(TokioIo::new(socket), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = activity.idle_for(self.limits.idle_timeout) => None,
            () = activity.unread_for(self.limits.idle_timeout) => return Ok(()),
            _ = stop.wait_for(|stop| *stop) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                // A connection in the middle of a head or a handshake has nothing to finish.
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = activity.idle_for(LINGER) => return Ok(()),
                    () = activity.unread_for(self.limits.idle_timeout) => return Ok(()),
                }
            }
        };
        ended.map_err(|error| {
            let foreign = doubt.is_foreign().then_some(Reason::MalformedHead);
            if let Some(reason) = foreign.or_else(|| unreadable(&*error)) {
                self.pipeline.unread(reason, peer.ip());
            }
            io::ErrorKind::ConnectionAborted.into()
        })
    }
}

/// How a connection is spoken on, within bounds.
fn http_of(limits: &Limits, spoken: Spoken) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_pending_accept_reset_streams(Some(RESETS_MAX))
        .max_local_error_reset_streams(Some(RESETS_MAX))
        .keep_alive_interval(Some(limits.idle_timeout / 2))
        .keep_alive_timeout(limits.head_timeout);
    match spoken {
        Spoken::Either => builder,
        Spoken::Http1 => builder.http1_only(),
        Spoken::Http2 => builder.http2_only(),
    }
}

/// The other end of a connection, and the certificates that it has shown.
type Peer = (SocketAddr, Option<Arc<[CertificateDer<'static>]>>);

/// What a connection speaks. Over TLS it is what ALPN has agreed on (RFC 9113 section 3.2): whoever has agreed on one
/// and sends the other is not served, because others on the way go by what was agreed.
#[derive(Clone, Copy, Debug)]
enum Spoken {
    Http1,
    Http2,
    /// In clear nothing is agreed on; the first bytes tell.
    Either,
}

/// Why hyper itself has answered with an error, if it has.
fn unreadable(error: &(dyn std::error::Error + 'static)) -> Option<Reason> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        Some(Reason::HeadTooLarge)
    } else {
        error.is_parse().then_some(Reason::MalformedHead)
    }
}

/// TLS 1.2 and 1.3 with a certificate, HTTP/2 preferred. Where client certificates are asked for (`clients`), no session is
/// resumed: each connection shows its certificate.
pub fn tls(
    certificates: Vec<CertificateDer<'static>>,
    key: rustls_pki_types::PrivateKeyDer<'static>,
    clients: Option<Arc<dyn rustls::server::danger::ClientCertVerifier>>,
) -> Result<rustls::ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    let mut config = match clients {
        None => builder
            .with_no_client_auth()
            .with_single_cert(certificates, key)?,
        Some(clients) => {
            let builder = builder.with_client_cert_verifier(clients);
            let mut config = builder.with_single_cert(certificates, key)?;
            without_resumption(&mut config);
            config
        }
    };
    // A client that speaks the oldest of these says so, and must be told that it may.
    config.alpn_protocols = [HTTP2, b"http/1.1", b"http/1.0"].map(<[u8]>::to_vec).into();
    Ok(config)
}

/// Turns off every way to go on with an earlier TLS session, which would keep what was proved then.
pub fn without_resumption(config: &mut rustls::ServerConfig) {
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
}

const HTTP2: &[u8] = b"h2";
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const LINGER: Duration = Duration::from_secs(1);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;
const HEADER_LIST_BYTES_MAX: u32 = 32 * 1024;
const STREAMS_MAX: u32 = 64;
const RESETS_MAX: usize = 20;
