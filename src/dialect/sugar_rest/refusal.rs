//! Errors in the CRM's own shape: `{"error": label, "error_message": text}`.

use serde_json::{Value, json};

use crate::dialect::ErrorShape;
use crate::dialect::arrangement::TEXT;
use crate::json;

/// The documented labels.
const LABELS: &[&str] = &[
    "edit_conflict",
    "fatal_error",
    "inactive_portal_user",
    "incorrect_version",
    "invalid_grant",
    "invalid_parameter",
    "metadata_out_of_date",
    "missing_parameter",
    "need_login",
    "no_method",
    "not_authorized",
    "not_found",
    "portal_not_configured",
    "request_failure",
    "request_too_large",
    "too_many_requests",
];

/// Nesting of an error's body; a conflict may hold a whole record.
const DEPTH_MAX: usize = 64;

/// The body of an error.
pub(super) fn shape(status: u16, label: Option<&'static str>) -> ErrorShape {
    let label = label.unwrap_or_else(|| default_label(status));
    ErrorShape {
        content_type: "application/json",
        template: json!({"error": label, "error_message": TEXT}),
    }
}

fn default_label(status: u16) -> &'static str {
    match status {
        401 => "need_login",
        403 => "not_authorized",
        404 => "not_found",
        405 => "no_method",
        408 => "request_failure",
        409 => "edit_conflict",
        412 => "metadata_out_of_date",
        413 | 431 => "request_too_large",
        429 => "too_many_requests",
        400..=499 => "invalid_parameter",
        _ => "fatal_error",
    }
}

/// The label that an error's body states, if it is a documented one. Nothing else of the body is read.
pub(super) fn label(body: &[u8]) -> Option<&'static str> {
    let Ok(Value::Object(members)) = json::read(body, DEPTH_MAX) else {
        return None;
    };
    let stated = members.get("error")?.as_str()?;
    LABELS.iter().find(|label| **label == stated).copied()
}

#[cfg(test)]
mod tests {
    use super::{LABELS, default_label, label, shape};
    use crate::reason::Reason;

    #[test]
    fn every_refusal_has_a_documented_label() {
        for reason in Reason::ALL {
            assert!(LABELS.contains(&default_label(reason.status())), "{reason}");
        }
        assert_eq!(
            shape(403, None).filled(403, "No \"way\".").to_string(),
            r#"{"error":"not_authorized","error_message":"No \"way\"."}"#
        );
        assert_eq!(
            shape(422, Some("missing_parameter"))
                .filled(422, "x")
                .to_string(),
            r#"{"error":"missing_parameter","error_message":"x"}"#
        );
    }

    #[test]
    fn only_documented_labels_are_read_from_an_error() {
        assert_eq!(
            label(br#"{"error":"invalid_grant","error_message":"x"}"#),
            Some("invalid_grant")
        );
        for body in [
            r#"{"error":"Contact Jane exists"}"#,
            r#"{"error":["invalid_grant"]}"#,
            r#"{"error":"need_login","error":"invalid_grant"}"#,
            r#"["invalid_grant"]"#,
            "<html>",
            "",
        ] {
            assert_eq!(label(body.as_bytes()), None, "{body}");
        }
    }
}
