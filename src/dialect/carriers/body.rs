//! Bodies: JSON objects, and forms in both of their spellings (RFC 7578, and `application/x-www-form-urlencoded`).

use serde_json::{Map, Value};

use super::multipart;
use super::query_string::{self, Names};
use crate::dialect::spelling;
use crate::json;
use crate::reason::Reason;

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Media<'a> {
    /// JSON in UTF-8.
    Json,
    /// JSON:API in UTF-8.
    JsonApi,
    /// A form, percent-encoded.
    Form,
    /// A form in parts, between this boundary.
    Multipart(&'a str),
    /// Anything else.
    Other,
}

impl<'a> Media<'a> {
    /// What a content type says; nothing is JSON.
    pub(in crate::dialect) fn of(content_type: Option<&'a str>) -> Self {
        let Some(content_type) = content_type else {
            return Self::Json;
        };
        if let Some(boundary) = multipart::boundary(content_type) {
            return Self::Multipart(boundary);
        }
        let media = spelling::media_in_utf_8(content_type).unwrap_or_default();
        match media.to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "application/vnd.api+json" => Self::JsonApi,
            "application/x-www-form-urlencoded" => Self::Form,
            _ => Self::Other,
        }
    }
}

/// Reads a body that is one JSON object.
pub(in crate::dialect) fn object(
    bytes: &[u8],
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    match json::read(bytes, depth_max) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Reason::MalformedBody),
    }
}

/// Reads a form into an object, whose values are texts; `None` if it is none.
pub(in crate::dialect) fn form(
    bytes: &[u8],
    media: Media<'_>,
    names: &Names,
) -> Option<Result<Map<String, Value>, Reason>> {
    match media {
        Media::Form => Some(encoded(bytes, names)),
        Media::Multipart(boundary) => Some(in_parts(bytes, boundary)),
        Media::Json | Media::JsonApi | Media::Other => None,
    }
}

fn encoded(bytes: &[u8], names: &Names) -> Result<Map<String, Value>, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::MalformedBody)?;
    query_string::read(text.trim_end(), names).map_err(|reason| match reason {
        Reason::DuplicateParameter => reason,
        _ => Reason::MalformedBody,
    })
}

fn in_parts(bytes: &[u8], boundary: &str) -> Result<Map<String, Value>, Reason> {
    let mut members = Map::new();
    for (name, value) in multipart::read(bytes, boundary)? {
        if members.insert(name, value.into()).is_some() {
            return Err(Reason::DuplicateParameter);
        }
    }
    Ok(members)
}
