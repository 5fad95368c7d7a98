//! The only thing that the portal sends.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;

/// What somebody is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Of a status, a type and a body. The URL of a page holds a token: it goes into no referrer, no cache and no index.
    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let fixed = [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
            (header::CONTENT_TYPE, content_type),
        ];
        let headers = fixed
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)));
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: headers.collect(),
            body: body.into(),
        }
    }

    /// The same with another header; without it, if its value cannot stand in one.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same, leading elsewhere.
    pub(super) fn leading_to(self, status: u16, name: HeaderName, url: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(self.status);
        Self { status, ..self }.with(name, url)
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// As it is sent.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
