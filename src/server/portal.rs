//! The portal's listener: the bounds of the others, and no way to the CRM.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::shares::Shares;
use super::timed::{Activity, Timed};
use super::watched::{Doubt, Watched};
use super::{ACCEPT_PAUSE, HTTP2, LINGER, Limits, SWEEP_INTERVAL, Spoken, TlsInUse, http_of};
use crate::door;
use crate::door::wire::Wire;
use crate::portal::{Asked, Portal};
use crate::reason::Reason;

/// Bytes of a body: a form, or one event.
const BODY_BYTES_MAX: usize = 16 << 10;
/// Open connections; more wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// Of these, one origin may have an eighth.
const SHARE: usize = 8;
/// Requests that are answered at once; more are refused.
const REQUESTS_MAX: usize = 64;
/// Until a body has arrived: it is small.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The portal behind its bounds.
#[derive(Debug)]
pub struct PortalFront {
    portal: Arc<Portal>,
    limits: Limits,
    connections: Arc<Semaphore>,
    shares: Arc<Shares>,
    requests: Arc<Semaphore>,
}

impl PortalFront {
    /// Puts the portal behind bounds: of `limits`, time-outs and the door.
    pub fn new(portal: Arc<Portal>, limits: Limits) -> Self {
        let bounded = |most: usize, own: usize| Arc::new(Semaphore::new(most.min(own)));
        let most = CONNECTIONS_MAX.min(limits.connections_max) / SHARE;
        let proxies = limits.door.trusted_proxies.clone();
        Self {
            portal,
            shares: Shares::new(most, proxies),
            connections: bounded(CONNECTIONS_MAX, limits.connections_max),
            requests: bounded(REQUESTS_MAX, limits.requests_max),
            limits,
        }
    }

    /// Accepts connections until `stop` turns true, then lets the open ones finish their requests, and what these began.
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
                    self.portal.sweep();
                    continue;
                }
                Some(_) = connections.join_next() => continue,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (Ok(permit), Ok((socket, peer))) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // Who has its share is hung up on, and may come again.
            let Some(share) = self.shares.take(peer.ip()) else {
                continue;
            };
            let tls = tls.as_ref().map(|tls| TlsAcceptor::from(tls.load_full()));
            let (front, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                if let Err(error) = front.connect(socket, peer, tls, stop).await {
                    tracing::debug!(kind = ?error.kind(), "a connection to the portal ended early");
                }
                drop((permit, share));
            });
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
        self.portal.finish().await;
    }

    async fn connect(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let socket = Timed::new(socket, self.limits.idle_timeout);
        let Some(acceptor) = tls else {
            return self.converse(socket, peer.ip(), Spoken::Either, stop).await;
        };
        let handshake = tokio::time::timeout(self.limits.head_timeout, acceptor.accept(socket));
        let socket = handshake
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let spoken = match socket.get_ref().1.alpn_protocol() {
            Some(HTTP2) => Spoken::Http2,
            _ => Spoken::Http1,
        };
        Box::pin(self.converse(socket, peer.ip(), spoken, stop)).await
    }

    async fn converse<S>(
        self: Arc<Self>,
        socket: S,
        peer: IpAddr,
        spoken: Spoken,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let (activity, doubt) = (Activity::new(), Doubt::default());
        let builder = http_of(&self.limits, spoken);
        let wire = match spoken {
            Spoken::Http1 => Wire::http1(),
            Spoken::Http2 | Spoken::Either => Wire::default(),
        };
        let service = service_fn(|request: Request<Incoming>| {
            let (front, busy, doubt) = (self.clone(), activity.begin(), doubt.clone());
            // Whoever hangs up does not stop half-way what was begun.
            let answer = tokio::spawn(Box::pin(async move {
                let response = front.exchange(request, peer, &doubt).await;
                drop(busy);
                response
            }));
            let front = self.clone();
            async move {
                let response = answer.await.unwrap_or_else(|_| {
                    front
                        .portal
                        .turn_away("/", Reason::Internal)
                        .into_response()
                });
                Ok::<_, Infallible>(response)
            }
        });
        let socket = Watched::new(socket, wire, doubt.clone());
        let connection = builder.serve_connection(TokioIo::new(socket), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = activity.idle_for(self.limits.idle_timeout) => None,
            _ = stop.wait_for(|stop| *stop) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = activity.idle_for(LINGER) => return Ok(()),
                }
            }
        };
        ended.map_err(|_| io::ErrorKind::ConnectionAborted.into())
    }

    async fn exchange(
        &self,
        mut request: Request<Incoming>,
        peer: IpAddr,
        doubt: &Doubt,
    ) -> Response<Full<Bytes>> {
        // What is looked at is answered alike; hyper leaves out the body where only the head was asked for.
        if request.method() == Method::HEAD {
            *request.method_mut() = Method::GET;
        }
        let path = request.uri().path().to_owned();
        let answer = match self.read(request, peer, doubt).await {
            Err(reason) => self.portal.turn_away(&path, reason),
            Ok(asked) => match self.requests.try_acquire() {
                Err(_) => self.portal.turn_away(&path, Reason::Overloaded),
                Ok(_turn) => self.portal.answer(asked).await,
            },
        };
        answer.into_response()
    }

    /// Reads a request to its end.
    async fn read(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        doubt: &Doubt,
    ) -> Result<Asked, Reason> {
        let trusted = &self.limits.door.trusted_proxies;
        let origin = door::origin(request.headers(), peer, trusted)?;
        let head = door::enter(&request, origin, &self.limits.door)?;
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect();
        let body = tokio::time::timeout(BODY_TIMEOUT, body)
            .await
            .map_err(|_| Reason::RequestSlow)?
            .map_err(
                |error| match error.is::<http_body_util::LengthLimitError>() {
                    true => Reason::BodyTooLarge,
                    false => Reason::MalformedHead,
                },
            )?;
        // Nobody looks at trailers, so nobody may send any.
        if body.trailers().is_some() || doubt.is_raised() {
            return Err(Reason::MalformedHead);
        }
        Asked::of(head, &parts.headers, body.to_bytes())
    }
}
