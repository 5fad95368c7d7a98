//! Requests that mean one thing to a proxy and another to the CRM.

use serde_json::{Value, json};

use super::{bulk, understand, understand_with};
use crate::reason::Reason;

fn refused(line: &str) -> Option<Reason> {
    understand(line, "").err()
}

#[test]
fn routing_parameters_are_refused() {
    for line in [
        "GET /rest/v11_24/Notes?__sugar_url=v11_24/Contacts",
        "GET /rest/v11_24/Notes/n-1?module=Contacts&record=c-1",
        "GET /rest/v11_24/Notes/n-1?id=c-1",
        "GET /rest/v11_24/Notes/n-1?link_name=contacts",
        "DELETE /rest/v11_24/Notes/n-1?record=c-1",
        "GET /rest/v11_24/Notes?_method=DELETE",
        "GET /rest/v11_24/Notes?format=sugar-html-json",
        "GET /rest/v11_24/Notes?platform=portal",
        "GET /rest/v11_24/ping?callback=x",
    ] {
        assert_eq!(refused(line), Some(Reason::UnknownParameter), "{line}");
    }
    assert_eq!(
        understand("POST /rest/v11/Notes/filter", r#"{"module":"Contacts"}"#),
        Err(Reason::UnknownParameter)
    );
}

#[test]
fn direct_script_paths_are_refused() {
    for line in [
        "GET /api/rest.php?__sugar_url=v11_24/Contacts",
        "GET /rest/v11/rest.php",
        "GET /service/v4_1/rest.php",
    ] {
        assert_eq!(refused(line), Some(Reason::UnknownRoute), "{line}");
    }
}

#[test]
fn a_projection_is_not_given_twice() {
    assert_eq!(
        refused("GET /rest/v11_24/Notes?fields=id&fields=iban_c"),
        Some(Reason::DuplicateParameter)
    );
    for (line, body) in [
        (
            "POST /rest/v11/Contacts/filter?fields=id",
            r#"{"fields":"iban_c"}"#,
        ),
        (
            "PUT /rest/v11/Contacts/c-1?fields=id",
            r#"{"fields":"iban_c"}"#,
        ),
    ] {
        assert_eq!(
            understand(line, body),
            Err(Reason::DuplicateParameter),
            "{line}"
        );
    }
}

#[test]
fn a_version_in_both_places_is_refused() {
    let accept = "application/vnd.sugarcrm.core+json; version=11.18";
    let refused = understand_with("GET /rest/v11_24/Contacts", Some(accept), "").unwrap_err();
    assert_eq!(refused.objection.reason, Reason::TwoVersions);
}

#[test]
fn bodies_where_none_belongs_are_refused() {
    for line in [
        "GET /rest/v11/Contacts",
        "GET /rest/v11/Contacts/filter",
        "GET /rest/v11/Contacts/c-1",
        "DELETE /rest/v11/Contacts/c-1",
        "DELETE /rest/v11/Contacts/c-1/favorite",
        "GET /rest/v11/ping",
    ] {
        assert_eq!(
            understand(line, r#"{"fields":"iban_c"}"#),
            Err(Reason::UnexpectedBody),
            "{line}"
        );
    }
    assert_eq!(
        understand("POST /rest/v11/oauth2/logout", r#"{"a":1}"#),
        Err(Reason::UnexpectedBody)
    );
}

#[test]
fn json_with_two_readings_is_refused() {
    for body in [
        r#"{"iban_c":"A","iban_c":"B"}"#,
        r#"{"iban_c":"A","\u0069ban_c":"B"}"#,
        r#"{"iban_c":"A","IBAN_C":"B"}"#,
        r#"[{"iban_c":"A"}]"#,
        r#""iban_c""#,
        "{\"i\u{e9}\":1}",
    ] {
        assert_eq!(
            understand("PUT /rest/v11/Contacts/c-1", body),
            Err(Reason::MalformedBody),
            "{body}"
        );
    }
    assert_eq!(
        refused(r#"GET /rest/v11/Contacts?filter=[{"a":1,"a":2}]"#),
        Some(Reason::MalformedFilter)
    );
}

#[test]
fn a_write_cannot_move_to_another_record() {
    for (body, reason) in [
        (r#"{"id":"c-2","title":"x"}"#, Reason::IdMismatch),
        (r#"{"ID":"c-2","title":"x"}"#, Reason::MalformedBody),
        (
            r#"{"_module":"Accounts","title":"x"}"#,
            Reason::MalformedBody,
        ),
        (r#"{"view":"record","title":"x"}"#, Reason::StoredQuery),
    ] {
        assert_eq!(
            understand("PUT /rest/v11/Contacts/c-1", body),
            Err(reason),
            "{body}"
        );
    }
}

#[test]
fn credentials_in_a_query_are_refused_on_every_route() {
    for line in [
        "GET /rest/v11/Contacts?oauth_token=x",
        "GET /rest/v11/ping?download_token=x",
        "DELETE /rest/v11/Contacts/c-1?oauth%5Ftoken=x",
    ] {
        assert_eq!(refused(line), Some(Reason::CredentialInQuery), "{line}");
    }
}

#[test]
fn an_envelope_in_an_envelope_refuses_the_whole() {
    for part in [
        json!({"url": "/v11_24/bulk", "method": "POST", "data": "{\"requests\":[]}"}),
        json!({"url": "v11/bulk"}),
        json!({"url": "v11/%62ulk", "method": "PATCH"}),
        json!({"url": "v11/BULK/x?__sugar_url=1"}),
    ] {
        assert_eq!(
            bulk(json!([{"url": "v11/me"}, part])),
            Err(Reason::NestedBulk),
            "{part}"
        );
    }
}

#[test]
fn a_credential_in_a_part_refuses_the_whole() {
    for part in [
        json!({"url": "/v11_24/me", "headers": ["OAuth_Token: someone-else"]}),
        json!({"url": "/v11_24/me", "headers": ["OAuth-Token: a b"]}),
        json!({"url": "/v11_24/me", "headers": ["OAuth-Token:"]}),
        json!({"url": "/v11_24/me", "headers": {"Oauth-token": "a", "Authorization": "Bearer a"}}),
        json!({"url": "/v11/me", "headers": {"authorization": "Bearer x"}}),
        json!({"url": "/v11/me", "headers": ["COOKIE:a=b"]}),
        json!({"url": "/v11/me?oauth_token=x"}),
        json!({"url": "/v11/Contacts?fields=id&download_token=x"}),
        json!({"url": "/v11/oauth2/token", "method": "POST", "data": {"grant_type": "password"}}),
        json!({"url": "/v11/oauth2/logout", "method": "POST"}),
        json!({"url": "/v11/oauth2/sudo/admin", "method": "POST"}),
    ] {
        assert_eq!(bulk(json!([part])), Err(Reason::CredentialInBulk), "{part}");
    }
    let with = |token: &str| json!({"url": "/v11/me", "headers": {"OAuth-Token": token}});
    assert!(bulk(json!([with("a"), {"url": "/v11/me"}, with("a")])).is_ok());
    let two = bulk(json!([with("a"), with("b")]));
    assert_eq!(two, Err(Reason::CredentialInBulk));
}

#[test]
fn headers_of_a_part_that_change_its_meaning_refuse_the_whole() {
    for (headers, reason) in [
        (
            json!(["X-HTTP-Method-Override: DELETE"]),
            Reason::MalformedHead,
        ),
        (json!({"X-Method-Override": "PUT"}), Reason::MalformedHead),
        (json!(["X-Sugar-Platform: portal"]), Reason::MalformedHead),
        (
            json!(["Content-Type : application/json"]),
            Reason::MalformedHead,
        ),
        (
            json!(["Accept: application/vnd.sugarcrm.core+json; version=10"]),
            Reason::MalformedHead,
        ),
        (json!(["Accept: text/html"]), Reason::MalformedHead),
        (json!(["no colon"]), Reason::MalformedHead),
        (json!(["Accept: */*", "accept: */*"]), Reason::MalformedHead),
        (
            json!(["Content-Type: application/json\r\nOAuth-Token: x"]),
            Reason::MalformedHead,
        ),
        (
            json!(["Paravent-Purpose: payment"]),
            Reason::MalformedPurpose,
        ),
        (json!([1]), Reason::MalformedBody),
        (json!("Accept: */*"), Reason::MalformedBody),
    ] {
        let part = json!({"url": "/v11/me", "headers": headers});
        assert_eq!(bulk(json!([part])), Err(reason), "{headers}");
    }
}

#[test]
fn malformed_envelopes_are_refused() {
    for body in [
        json!({}),
        json!({"requests": {}}),
        json!({"requests": [[]]}),
        json!({"requests": [{}]}),
        json!({"requests": [{"url": 1}]}),
        json!({"requests": [{"url": "v11/me", "method": 1}]}),
        json!({"requests": [{"url": "v11/me", "data": 1}]}),
        json!({"requests": [{"url": "v11/me", "data": ["a"]}]}),
        json!({"requests": [{"url": "v11/me", "body": "x"}]}),
        json!({"requests": [], "platform": "base"}),
    ] {
        let refused = understand_with("POST /rest/v11/bulk", None, &body.to_string()).unwrap_err();
        assert_eq!(refused.objection.reason, Reason::MalformedBody, "{body}");
        assert_eq!(refused.route, Some("POST /rest/{version}/bulk"));
    }
    let many = Value::Array(vec![json!({"url": "v11/me"}); 6]);
    assert_eq!(bulk(many), Err(Reason::TooManyParts));
}

#[test]
fn a_part_that_is_not_understood_is_refused_in_its_place() {
    for (part, reason) in [
        (json!({"url": "/rest/v11/me"}), Reason::UnknownVersion),
        (json!({"url": "//v11/me"}), Reason::UnknownVersion),
        (
            json!({"url": "https://elsewhere/v11/me"}),
            Reason::UnknownVersion,
        ),
        (json!({"url": "me"}), Reason::UnknownVersion),
        (json!({"url": "/v9/me"}), Reason::UnknownVersion),
        (json!({"url": "/v11/../v11/me"}), Reason::UnknownRoute),
        (json!({"url": "/v11/Contacts#x"}), Reason::MalformedTarget),
        (
            json!({"url": "/v11/Contacts?q=a b"}),
            Reason::MalformedQuery,
        ),
        (
            json!({"url": "/v11/me", "method": "PATCH"}),
            Reason::MethodNotAllowed,
        ),
        (
            json!({"url": "/v11/me", "method": "get"}),
            Reason::MethodNotAllowed,
        ),
        (
            json!({"url": "/v11/Contacts", "data": {"fields": "iban_c"}}),
            Reason::UnexpectedBody,
        ),
        (
            json!({"url": "/v11/Contacts/filter", "method": "POST", "data": "{"}),
            Reason::MalformedBody,
        ),
        (
            json!({"url": "/v11/Contacts", "method": "POST", "data": "{}", "headers": ["Content-Type: text/plain"]}),
            Reason::UnsupportedMediaType,
        ),
    ] {
        let parts = bulk(json!([part, {"url": "v11/me"}])).unwrap();
        assert_eq!(parts[0], Err(reason), "{part}");
        assert!(parts[1].is_ok());
    }
}
