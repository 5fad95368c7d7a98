//! In which form a body comes.

use super::Asked;
use super::trouble::Trouble;

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
    /// `multipart/form-data`, which programs for mail may send (RFC 8058).
    Parts,
    /// Nothing was sent.
    Nothing,
}

/// The form in which a body is stated to come.
pub(super) fn of(asked: &Asked) -> Result<Media, Trouble> {
    let Some(stated) = &asked.head.content_type else {
        return match asked.body.is_empty() {
            true => Ok(Media::Nothing),
            false => Err(Trouble::MEDIA),
        };
    };
    let mut parts = stated.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let media = match essence.as_str() {
        "application/x-www-form-urlencoded" => Media::Form,
        "application/json" => Media::Json,
        "multipart/form-data" => return Ok(Media::Parts),
        _ => return Err(Trouble::MEDIA),
    };
    let is_utf8 = |parameter: &str| {
        let parameter = parameter.to_ascii_lowercase();
        parameter.is_empty() || parameter == "charset=utf-8" || parameter == "charset=\"utf-8\""
    };
    match parts.all(is_utf8) {
        true => Ok(media),
        false => Err(Trouble::MEDIA),
    }
}

/// Whether whoever asks sends JSON, and so reads it.
pub(super) fn is_json(asked: &Asked) -> bool {
    of(asked) == Ok(Media::Json)
}
