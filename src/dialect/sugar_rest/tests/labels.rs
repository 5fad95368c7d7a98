//! Errors in the CRM's own shape: `{"error": label, "error_message": text}`.

use serde_json::json;

use super::{described, understand};
use crate::dialect::Dialect as _;
use crate::dialect::testing::Speaks as _;
use crate::reason::Reason;

/// The label that an error's body states.
fn label(body: &[u8]) -> Option<&'static str> {
    let operation = understand("GET /rest/v11/ping", "").unwrap();
    described().exchange_of(operation).failure(400, body)?.label
}

#[test]
fn every_refusal_has_a_documented_label() {
    for reason in Reason::ALL {
        let body = described()
            .refuse(reason.status(), None)
            .filled(reason.status(), "x");
        let stated = json!({"error": body["error"]}).to_string();
        assert!(label(stated.as_bytes()).is_some(), "{reason}");
    }
    assert_eq!(
        described()
            .refuse(403, None)
            .filled(403, "No \"way\".")
            .to_string(),
        r#"{"error":"not_authorized","error_message":"No \"way\"."}"#
    );
    assert_eq!(
        described()
            .refuse(422, Some("missing_parameter"))
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
