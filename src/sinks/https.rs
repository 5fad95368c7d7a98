//! Web servers: batches of lines, as a body of `application/x-ndjson`.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::config::{Peer, Secret, SinkFormat};

use super::dial::Wire;
use super::failure::Failure;

/// Bytes of an answer that are read, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long that may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const HEADERS_MAX: usize = 100;

/// A web server that takes events.
pub(super) struct Poster {
    wire: Wire,
    host: HeaderValue,
    target: String,
    authorization: Option<HeaderValue>,
    content_type: &'static str,
    gzip: bool,
    /// A connection that may be used again.
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Poster {
    pub(super) fn new(
        (peer, target): (&Peer, &str),
        bearer: Option<&(String, Secret)>,
        format: SinkFormat,
        gzip: bool,
    ) -> Result<Self, Failure> {
        let usual = if peer.tls.is_some() { 443 } else { 80 };
        let host = match peer.host.contains(':') {
            true => format!("[{}]", peer.host),
            false => peer.host.clone(),
        };
        let host = match peer.port == usual {
            true => host,
            false => format!("{host}:{}", peer.port),
        };
        let authorization = bearer.map(|(scheme, token)| {
            let mut value = scheme.as_bytes().to_vec();
            value.push(b' ');
            value.extend_from_slice(token.bytes());
            let mut value = HeaderValue::from_bytes(&value).map_err(|_| Failure::SET_UP)?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self {
            wire: Wire::new(peer)?,
            host: HeaderValue::from_str(&host).map_err(|_| Failure::SET_UP)?,
            target: target.to_owned(),
            authorization: authorization.transpose()?,
            content_type: match format {
                SinkFormat::Cef => "text/plain; charset=utf-8",
                _ => "application/x-ndjson",
            },
            gzip,
            open: None,
        })
    }

    /// Sends lines, and returns once the server has answered that it has taken them.
    pub(super) async fn send(&mut self, lines: &[Bytes]) -> Result<(), Failure> {
        let body = self.body(lines);
        let used = self.open.take();
        let response = match used.filter(|open| !open.is_closed()) {
            // It may have been closed a moment ago: that says nothing of the server.
            Some(open) => match self.ask(open, body.clone()).await {
                Ok(response) => response,
                Err(_) => self.ask_anew(body).await?,
            },
            None => self.ask_anew(body).await?,
        };
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers().get(header::RETRY_AFTER));
        if !self.drain(response).await {
            self.open = None;
        }
        match status {
            200 | 201 | 202 | 204 => Ok(()),
            status => Err(Failure::of_status(status, retry_after)),
        }
    }

    async fn ask_anew(&mut self, body: Bytes) -> Result<Response<Incoming>, Failure> {
        let connection = self.wire.dial().await?;
        let io = TokioIo::new(connection.stream);
        let mut builder = http1::Builder::new();
        builder.max_headers(HEADERS_MAX);
        let (open, connection) = builder.handshake(io).await.map_err(|_| Failure::NOT_HTTP)?;
        // It ends with the sender.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        self.ask(open, body).await
    }

    async fn ask(
        &mut self,
        mut open: SendRequest<Full<Bytes>>,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        open.ready().await.map_err(|_| Failure::CLOSED_EARLY)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.parse().map_err(|_| Failure::SET_UP)?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        let content_type = HeaderValue::from_static(self.content_type);
        headers.insert(header::CONTENT_TYPE, content_type);
        let agent = HeaderValue::from_static(concat!("paravent/", env!("CARGO_PKG_VERSION")));
        headers.insert(header::USER_AGENT, agent);
        if self.gzip {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let answered = open.send_request(request).await;
        let response = answered.map_err(|error| match error.is_parse() {
            true => Failure::NOT_HTTP,
            false => Failure::CLOSED_EARLY,
        })?;
        self.open = Some(open);
        Ok(response)
    }

    fn body(&self, lines: &[Bytes]) -> Bytes {
        let plain = lines.concat();
        if !self.gzip {
            return plain.into();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Memory takes all of it.
        let _ = encoder.write_all(&plain);
        encoder.finish().unwrap_or_default().into()
    }

    /// Reads the rest of an answer; whether it has come to its end. What it says means nothing.
    async fn drain(&self, response: Response<Incoming>) -> bool {
        let mut body = response.into_body();
        let reading = async {
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > ANSWER_BYTES_MAX {
                    return false;
                }
            }
            true
        };
        timeout(ANSWER_TIMEOUT, reading).await.unwrap_or(false)
    }
}

/// After how long to ask again: seconds, or a date.
fn retry_after(value: Option<&HeaderValue>) -> Option<Duration> {
    let text = value?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left = date.duration_since(Timestamp::now());
    Duration::try_from(left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_ask_again_is_told_in_seconds_or_as_a_date() {
        let told = |text: &'static str| retry_after(Some(&HeaderValue::from_static(text)));
        assert_eq!(told("120"), Some(Duration::from_secs(120)));
        assert!(
            told("Tue, 31 Dec 2199 23:59:59 GMT").is_some_and(|left| left.as_secs() > 1_000_000)
        );
        for none in ["Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-1", ""] {
            assert_eq!(told(none), None, "{none}");
        }
        assert_eq!(retry_after(None), None);
    }
}
