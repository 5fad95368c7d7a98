//! The fixed texts of errors of the CRM, and when to ask again.

/// The fixed text for an error status of the CRM.
pub(super) fn text_of(status: u16) -> &'static str {
    match status {
        400 | 422 => "The CRM does not accept this request.",
        401 => "The CRM does not accept this login or session; log in again.",
        403 => "The CRM does not allow this.",
        404 => "The CRM does not find this.",
        409 => "The record was changed in the meantime; read it again.",
        412 => "The CRM's metadata has changed; read it again.",
        413 => "The request is too large for the CRM.",
        429 => "The CRM is receiving too many requests; try again later.",
        500..=599 => "The CRM failed.",
        _ => "The CRM answered with an error.",
    }
}

pub(super) const EXISTS_ALREADY: &str = "The CRM has such a record already.";
/// After how many seconds to ask again, where nobody says better.
pub(super) fn retry_after_seconds(status: u16) -> Option<u32> {
    matches!(status, 429 | 503).then_some(RETRY_AFTER_SECONDS)
}

const RETRY_AFTER_SECONDS: u32 = 5;
