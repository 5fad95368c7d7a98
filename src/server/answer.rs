//! One HTTP exchange: head and body in, within bounds; a `Reply` out, and nothing else.

use std::borrow::Cow;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use rustls_pki_types::CertificateDer;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::Front;
use super::timed::Busy;
use super::watched::Doubt;
use crate::door::{self, Head};
use crate::reason::Reason;
use crate::reply::{self, CutOff, Piece, Reply};

/// One request of a connection.
pub(super) struct Exchange {
    pub(super) front: Arc<Front>,
    /// The peer, until the head was read.
    pub(super) origin: IpAddr,
    /// The certificates of the peer, its own first, where the connection has asked for them.
    pub(super) certificates: Option<Arc<[CertificateDer<'static>]>>,
    pub(super) busy: Busy,
    pub(super) doubt: Doubt,
}

/// One of the requests that are answered at once. It lasts as long as anybody works on the request: a caller who hangs
/// up, or resets a stream, does not make room before the walk has ended.
#[derive(Clone, Debug)]
struct Turn {
    _permit: Arc<OwnedSemaphorePermit>,
    _counted: Arc<Counted>,
}

/// A request's body as it arrives, and the room that it takes among all of them.
struct Arriving {
    bytes: Vec<u8>,
    room: Vec<OwnedSemaphorePermit>,
}

/// Keeps a gauge up by one.
#[derive(Debug)]
struct Counted(prometheus::IntGauge);

impl Counted {
    fn new(gauge: &prometheus::IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What is sent: the body of a reply, with what lives as long as it is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    /// What may be sent, and has not been sent yet.
    released: Bytes,
    /// What releases more, if the reply streams.
    stream: Option<mpsc::Receiver<Result<Piece, CutOff>>>,
    _held: Option<reply::Held>,
    busy: Busy,
    _turn: Option<Turn>,
}

impl Exchange {
    pub(super) async fn answer(mut self, request: Request<Incoming>) -> Response<Sending> {
        let peer = self.origin;
        let trusted = &self.front.limits.door.trusted_proxies;
        match door::origin(request.headers(), self.origin, trusted) {
            Ok(origin) => self.origin = origin,
            Err(reason) => return self.turn_away(reason),
        }
        // An upgrade is never made, so whoever sent other bytes behind its request is not read any further.
        let upgrades = request.headers().contains_key(header::UPGRADE);
        let (mut head, body) = match self.read(request).await {
            Ok(read) => read,
            Err(reason) => return self.turn_away(reason),
        };
        head.proofs.peer = Some(peer);
        head.proofs.certificates = self.certificates.take();
        // Only now: somebody whose body arrives slowly takes nobody's turn.
        let Ok(permit) = self.front.requests.clone().try_acquire_owned() else {
            return self.turn_away(Reason::Overloaded);
        };
        let turn = Turn {
            _permit: Arc::new(permit),
            _counted: Arc::new(Counted::new(&self.front.metrics.requests_in_flight)),
        };
        let (reply, failed) = self.walk(head, body, &turn).await;
        // Replies that are ready at the same time leave together, as the requests to the CRM do.
        tokio::task::yield_now().await;
        self.send(reply, Some(turn), failed || upgrades)
    }

    /// Reads a request to its end.
    async fn read(&self, request: Request<Incoming>) -> Result<(Head, Arriving), Reason> {
        self.certain()?;
        let head = door::enter(&request, self.origin, &self.front.limits.door)?;
        let body = self.body(request).await?;
        Ok((head, body))
    }

    /// The reply, and whether the walk failed.
    async fn walk(&self, head: Head, body: Arriving, turn: &Turn) -> (Reply, bool) {
        let (pipeline, turn) = (self.front.pipeline.clone(), turn.clone());
        // In a box, because tasks are moved a few times and the walk is large.
        let walk = tokio::spawn(Box::pin(async move {
            let bytes = Bytes::from(body.bytes);
            let reply = pipeline.handle_unless_cut(&head, &bytes).await;
            drop((turn, body.room));
            reply
        }));
        match walk.await {
            Ok(Some(reply)) => (reply, false),
            // Its connection is about to end.
            Ok(None) => (Reply::from_problem(Reason::Overloaded.into()), true),
            Err(_) => {
                self.front.metrics.panicked();
                let pipeline = &self.front.pipeline;
                (pipeline.turn_away(Reason::Internal, self.origin), true)
            }
        }
    }

    /// A refusal of a request that was not read to its end, or is in doubt: the connection ends with it.
    fn turn_away(self, reason: Reason) -> Response<Sending> {
        let reply = self.front.pipeline.turn_away(reason, self.origin);
        self.send(reply, None, true)
    }

    /// Whether all bytes of the connection have had one reading so far.
    fn certain(&self) -> Result<(), Reason> {
        if self.doubt.is_raised() {
            Err(Reason::MalformedHead)
        } else {
            Ok(())
        }
    }

    async fn body(&self, request: Request<Incoming>) -> Result<Arriving, Reason> {
        let body = request.into_body();
        if body.size_hint().lower() > self.front.limits.request_bytes_max as u64 {
            return Err(Reason::BodyTooLarge);
        }
        let collected = tokio::time::timeout(self.front.limits.body_timeout, self.collect(body));
        let collected = collected.await.map_err(|_| Reason::RequestSlow)??;
        self.certain().map(|()| collected)
    }

    async fn collect(&self, mut body: Incoming) -> Result<Arriving, Reason> {
        let mut arriving = Arriving {
            bytes: Vec::new(),
            room: Vec::new(),
        };
        let mut kib = 0;
        while let Some(frame) = body.frame().await {
            // Nobody looks at trailers, so nobody may send any.
            let data = frame
                .map(Frame::into_data)
                .map_err(|_| Reason::MalformedHead)?
                .map_err(|_| Reason::MalformedHead)?;
            let length = arriving.bytes.len() + data.len();
            if length > self.front.limits.request_bytes_max {
                return Err(Reason::BodyTooLarge);
            }
            let more = u32::try_from(length.div_ceil(KIB) - kib).unwrap_or(u32::MAX);
            if more > 0 {
                let room = self.front.bodies.clone().try_acquire_many_owned(more);
                arriving.room.push(room.map_err(|_| Reason::Overloaded)?);
                kib = length.div_ceil(KIB);
            }
            arriving.bytes.extend_from_slice(&data);
        }
        Ok(arriving)
    }

    fn send(self, reply: Reply, turn: Option<Turn>, close: bool) -> Response<Sending> {
        let mut headers = HeaderMap::new();
        for (name, value) in reply.headers() {
            let value = match value {
                Cow::Borrowed(value) => Bytes::from_static(value.as_bytes()),
                Cow::Owned(value) => Bytes::from(value),
            };
            if let Ok(value) = HeaderValue::from_maybe_shared(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let status =
            StatusCode::from_u16(reply.sent_as()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (body, held) = reply.into_body();
        let (released, stream) = match body {
            reply::Body::Whole(whole) => (whole.into_bytes(), None),
            reply::Body::Stream(receiver) => (Bytes::new(), Some(receiver)),
        };
        self.busy.offers();
        let mut response = Response::new(Sending {
            released,
            stream,
            _held: held,
            busy: self.busy,
            _turn: turn,
        });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

impl Sending {
    /// The next piece: small, so that what is held lasts until the caller has read nearly all of it, and so that a
    /// caller who reads slowly is seen to read.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let piece = |bytes: &mut Bytes| {
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX));
            Poll::Ready(Some(Ok(Frame::data(piece))))
        };
        match &mut self.stream {
            _ if !self.released.is_empty() => piece(&mut self.released),
            None => Poll::Ready(None),
            Some(receiver) => match receiver.poll_recv(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some(Err(cut_off))) => Poll::Ready(Some(Err(cut_off))),
                Poll::Ready(Some(Ok(piece_of_it))) => {
                    self.released = piece_of_it.into_bytes();
                    piece(&mut self.released)
                }
            },
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let polled = self.poll_piece(cx);
        if polled.is_pending() {
            self.busy.owes();
        } else {
            self.busy.offers();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_none() && self.released.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.stream {
            None => SizeHint::with_exact(self.released.len() as u64),
            Some(_) => SizeHint::default(),
        }
    }
}

pub(super) const KIB: usize = 1024;
const PIECE_BYTES_MAX: usize = 64 * 1024;
