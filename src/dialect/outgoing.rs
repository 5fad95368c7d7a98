//! A request to the CRM.

use bytes::Bytes;
use http::Method;

use super::Incoming;
use crate::door::Control;

/// A request to the CRM, rendered.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded, below the upstream's own prefix.
    pub target: String,
    /// Headers that change what the request means.
    pub controls: Vec<Control>,
    /// A body, if there is one.
    pub body: Option<Bytes>,
    /// What the body is, and what is asked for.
    pub media: Media,
}

impl Outgoing {
    /// The request as it comes in at whoever it is sent to.
    pub(crate) fn incoming(&self) -> Incoming<'_> {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target.as_str(), None),
        };
        let body = self.body.as_deref();
        Incoming {
            method: &self.method,
            path,
            query,
            accept: Some(self.media.accept()),
            content_type: body.map(|_| self.media.content_type()),
            controls: &self.controls,
            body: body.unwrap_or_default(),
        }
    }
}

/// The media type of a request to the CRM, and what it accepts in return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// JSON for JSON.
    Json,
    /// JSON:API (`application/vnd.api+json`) for JSON:API.
    JsonApi,
    /// A form (`application/x-www-form-urlencoded`) for JSON.
    Form,
}

impl Media {
    /// The content type of a body.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonApi => "application/vnd.api+json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    /// What is accepted in return.
    pub fn accept(self) -> &'static str {
        match self {
            Self::Json | Self::Form => "application/json",
            Self::JsonApi => "application/vnd.api+json",
        }
    }
}
