//! Errors in the CRM's own shape: `{"errors": {"status", "title", "detail"}}`, and beside it that of OAuth where the
//! error is one of a login or token: `{"error", "message"}`.

use http::StatusCode;
use serde_json::{Value, json};

use crate::dialect::ErrorShape;
use crate::dialect::arrangement::TEXT;
use crate::json;

/// The codes of OAuth that the CRM's login answers with.
const LABELS: &[&str] = &[
    "access_denied",
    "invalid_client",
    "invalid_credentials",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "server_error",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// Nesting of an error's body.
const DEPTH_MAX: usize = 16;

/// The body of an error.
pub(super) fn shape(status: u16, label: Option<&'static str>) -> ErrorShape {
    let of_status = || StatusCode::from_u16(status).ok()?.canonical_reason();
    let title = label.or_else(of_status).unwrap_or("Error");
    let error = json!({"status": status, "title": title, "detail": TEXT});
    let template = match label {
        None => json!({ "errors": error }),
        Some(label) => json!({"error": label, "message": TEXT, "errors": error}),
    };
    ErrorShape {
        content_type: super::JSON_API,
        template,
    }
}

/// The code that a login's error states, if it is a documented one. Nothing else of the body is read: other errors hold
/// the CRM's words, and that of a wrong password holds the password.
pub(super) fn label(body: &[u8]) -> Option<&'static str> {
    let Ok(Value::Object(members)) = json::read(body, DEPTH_MAX) else {
        return None;
    };
    let stated = members.get("error")?.as_str()?;
    LABELS.iter().find(|label| **label == stated).copied()
}

#[cfg(test)]
mod tests {
    use super::{label, shape};

    #[test]
    fn an_error_is_an_object_with_fixed_texts() {
        assert_eq!(
            shape(403, None).filled(403, "No \"way\".").to_string(),
            r#"{"errors":{"status":403,"title":"Forbidden","detail":"No \"way\"."}}"#
        );
        assert_eq!(
            shape(401, Some("access_denied"))
                .filled(401, "x")
                .to_string(),
            r#"{"error":"access_denied","message":"x","errors":{"status":401,"title":"access_denied","detail":"x"}}"#
        );
    }

    #[test]
    fn only_documented_codes_are_read_from_an_error() {
        assert_eq!(
            label(br#"{"error":"invalid_client","message":"x"}"#),
            Some("invalid_client")
        );
        for body in [
            r#"{"error":"unknown_error","message":"The password is invalid: secret"}"#,
            r#"{"errors":{"status":400,"title":null,"detail":"Unknown column"}}"#,
            r#"{"error":["invalid_client"]}"#,
            r#"{"error":"x","error":"invalid_client"}"#,
            "<html>",
            "",
        ] {
            assert_eq!(label(body.as_bytes()), None, "{body}");
        }
    }
}
