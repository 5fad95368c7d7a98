//! One HTTP exchange: head and body in, within bounds; a `Reply` out, and nothing else.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::Front;
use super::timed::Busy;
use crate::door;
use crate::reason::Reason;
use crate::reply::{self, CutOff, Reply};

/// One request of a connection.
pub(super) struct Exchange {
    pub(super) front: Arc<Front>,
    pub(super) origin: IpAddr,
    pub(super) busy: Busy,
}

/// What is sent: the body of a reply, with what lives as long as it is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    body: reply::Body,
    _held: Option<reply::Held>,
    _busy: Busy,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Exchange {
    pub(super) async fn answer(self, request: Request<Incoming>) -> Response<Sending> {
        let Ok(permit) = self.front.requests.clone().try_acquire_owned() else {
            let reply = self.front.pipeline.turn_away(Reason::Overloaded);
            return self.send(reply, None, true);
        };
        self.front.metrics.requests_in_flight.inc();
        let (reply, close) = self.reply(request).await;
        self.front.metrics.requests_in_flight.dec();
        self.send(reply, Some(permit), close)
    }

    /// The reply, and whether the connection ends with it (its request was not read to the end).
    async fn reply(&self, request: Request<Incoming>) -> (Reply, bool) {
        let pipeline = self.front.pipeline.clone();
        let head = match door::enter(&request, self.origin, &self.front.limits.hosts) {
            Ok(head) => head,
            Err(reason) => return (pipeline.turn_away(reason), true),
        };
        let body = match self.body(request).await {
            Ok(body) => body,
            Err(reason) => return (pipeline.turn_away(reason), true),
        };
        let walk = {
            let pipeline = pipeline.clone();
            // In a box, because tasks are moved a few times and the walk is large.
            tokio::spawn(Box::pin(async move { pipeline.handle(&head, &body).await }))
        };
        match walk.await {
            Ok(reply) => (reply, false),
            Err(_) => {
                self.front.metrics.panicked();
                (pipeline.turn_away(Reason::Internal), true)
            }
        }
    }

    async fn body(&self, request: Request<Incoming>) -> Result<Bytes, Reason> {
        let bytes_max = self.front.limits.request_bytes_max;
        let body = request.into_body();
        if body.size_hint().lower() > bytes_max as u64 {
            return Err(Reason::BodyTooLarge);
        }
        let collected = tokio::time::timeout(
            self.front.limits.body_timeout,
            Limited::new(body, bytes_max).collect(),
        )
        .await;
        match collected.map_err(|_| Reason::RequestSlow)? {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(Reason::BodyTooLarge)
            }
            Err(_) => Err(Reason::MalformedHead),
        }
    }

    fn send(
        self,
        reply: Reply,
        permit: Option<OwnedSemaphorePermit>,
        close: bool,
    ) -> Response<Sending> {
        let mut headers = HeaderMap::new();
        for (name, value) in reply.headers() {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let status =
            StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (body, held) = reply.into_body();
        let mut response = Response::new(Sending {
            body,
            _held: held,
            _busy: self.busy,
            _permit: permit,
        });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match &mut self.body {
            reply::Body::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            // In pieces, so that what is held and permitted lasts until the caller has read nearly all of it.
            reply::Body::Whole(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            reply::Body::Stream(receiver) => receiver.poll_recv(cx).map(|item| {
                item.map(|item| item.map(|filtered| Frame::data(filtered.into_bytes())))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.body, reply::Body::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            reply::Body::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            reply::Body::Stream(_) => SizeHint::default(),
        }
    }
}

const PIECE_BYTES_MAX: usize = 64 * 1024;
