//! Errors in the CRM's own shape: `{"name": …, "number": …, "description": …}`, which it sends with status 200.

use serde_json::{Value, json};

use crate::dialect::arrangement::TEXT;
use crate::dialect::{ErrorShape, Failure};
use crate::json;
use crate::reason::Reason;

/// The documented errors: number and name.
const ERRORS: &[(i32, &str)] = &[
    (-1, "Function Does Not Exist"),
    (10, LOGIN),
    (11, SESSION),
    (12, "User Not Configured"),
    (20, MODULE),
    (21, "File Does Not Exist"),
    (30, "Module Not Supported"),
    (31, "Relationship Not Supported"),
    (40, ACCESS),
    (50, "Duplicate Records"),
    (51, RECORDS),
    (60, "Sessions Exceeded"),
    (70, "No Admin"),
    (1_000, CALL),
    (1_001, FORMAT),
    (1_008, "Password Expired"),
];

const LOGIN: &str = "Invalid Login";
const SESSION: &str = "Invalid Session ID";
const SESSION_WORDS: &str = "The session ID is invalid";
const MODULE: &str = "Module Does Not Exist";
const ACCESS: &str = "Access Denied";
const RECORDS: &str = "No Records";
const CALL: &str = "Invalid Call Error";
const FORMAT: &str = "Invalid Data Format";

/// The number that says that a session is not known.
const SESSION_NUMBER: i32 = 11;

/// Nesting of an error's body.
const DEPTH_MAX: usize = 4;

/// The body of an error.
pub(super) fn shape(status: u16, label: Option<&'static str>) -> ErrorShape {
    let name = label.unwrap_or_else(|| by_status(status));
    let number = ERRORS.iter().find(|(_, known)| *known == name);
    let number = number.map_or(0, |(number, _)| *number);
    // The CRM sends this one as a text.
    let number = if number < 0 {
        json!(number.to_string())
    } else {
        json!(number)
    };
    // A session that is none is told in the CRM's own words too.
    let description = if name == SESSION { SESSION_WORDS } else { TEXT };
    ErrorShape {
        content_type: "application/json",
        template: json!({"name": name, "number": number, "description": description}),
    }
}

fn by_status(status: u16) -> &'static str {
    match status {
        401 => SESSION,
        403 => ACCESS,
        404 => RECORDS,
        400..=499 => FORMAT,
        _ => CALL,
    }
}

/// The status of an error of our own. By the number in a reply of success clients know that their session has ended, and
/// log in anew; a status of HTTP they take for a broken server.
pub(super) fn status(reason: Reason) -> u16 {
    match reason {
        Reason::NoCredential | Reason::BadCredential => 200,
        other => other.status(),
    }
}

/// The name of an error of our own, where its status does not tell the best one.
pub(super) fn label(reason: Reason) -> Option<&'static str> {
    (reason == Reason::UnknownModule).then_some(MODULE)
}

/// The error that a body tells; `None` if it is not one.
pub(super) fn failure(body: &[u8]) -> Option<Failure> {
    let number = number(body)?;
    let known = ERRORS.iter().find(|(known, _)| *known == number);
    Some(Failure {
        label: known.map(|(_, name)| *name),
        ends_session: number == SESSION_NUMBER,
    })
}

/// The number of the error that a body tells. Nothing else of it is read.
fn number(body: &[u8]) -> Option<i32> {
    let Ok(Value::Object(members)) = json::read(body, DEPTH_MAX) else {
        return None;
    };
    let is_error = members.len() == 3
        && members.get("name").is_some_and(Value::is_string)
        && members.contains_key("description");
    match members.get("number")? {
        _ if !is_error => None,
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(number) => number.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ERRORS, by_status, failure, shape, status};
    use crate::reason::Reason;

    #[test]
    fn refusals_have_the_numbers_that_clients_know() {
        for (status, label, name, number) in [
            (401, None, "Invalid Session ID", json!(11)),
            (403, None, "Access Denied", json!(40)),
            (
                403,
                Some("Module Does Not Exist"),
                "Module Does Not Exist",
                json!(20),
            ),
            (400, None, "Invalid Data Format", json!(1001)),
            (502, None, "Invalid Call Error", json!(1000)),
            (200, Some("Invalid Login"), "Invalid Login", json!(10)),
            (
                200,
                Some("Function Does Not Exist"),
                "Function Does Not Exist",
                json!("-1"),
            ),
        ] {
            let words = if status == 401 {
                super::SESSION_WORDS
            } else {
                "x"
            };
            let body: Value = shape(status, label).filled(status, "x");
            assert_eq!(
                body,
                json!({"name": name, "number": number, "description": words})
            );
        }
        for reason in Reason::ALL {
            let name = by_status(reason.status());
            assert!(ERRORS.iter().any(|(_, known)| *known == name), "{reason}");
        }
    }

    #[test]
    fn a_session_that_ended_is_told_as_the_crm_tells_it() {
        for reason in Reason::ALL {
            let is_session = matches!(reason, Reason::NoCredential | Reason::BadCredential);
            assert_eq!(status(*reason) == 200, is_session, "{reason}");
            let is_unknown = reason.status() == 401;
            assert_eq!(by_status(reason.status()) == super::SESSION, is_unknown);
        }
    }

    #[test]
    fn only_numbers_are_read_from_an_error() {
        let told = |body: &str| failure(body.as_bytes());
        let session = told(r#"{"name":"Invalid Session ID","number":11,"description":"x"}"#);
        assert!(session.unwrap().ends_session);
        let unknown = told(r#"{"name":"Jane Doe","number":"-1","description":"Jane"}"#).unwrap();
        assert_eq!(unknown.label, Some("Function Does Not Exist"));
        let odd = told(r#"{"name":"Jane Doe","number":4711,"description":"Jane"}"#).unwrap();
        assert_eq!((odd.label, odd.ends_session), (None, false));
        for body in [
            "null",
            "\"1\"",
            "{}",
            r#"{"entry_list":[]}"#,
            r#"{"name":"x","number":11,"description":"x","id":"1"}"#,
            r#"{"name":"x","number":11,"number":12,"description":"x"}"#,
            r#"{"name":{"name":"x"},"number":11,"description":"x"}"#,
            "cb({})",
        ] {
            assert_eq!(told(body), None, "{body}");
        }
    }
}
