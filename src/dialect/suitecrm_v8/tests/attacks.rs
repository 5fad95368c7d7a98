//! Ways around a proxy that work against this CRM, each refused.

use crate::dialect::testing::Speaks as _;
use serde_json::json;

use super::{again, described, understand, understand_in};
use crate::dialect::{Dialect, Inquiry};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;

#[test]
fn nothing_overrides_the_path() {
    for (line, reason) in [
        (
            "GET /Api/V8/module/Notes?moduleName=Contacts",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/module/Contacts/c-1?id=c-2",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/module/Notes/n-1/relationships/contact?linkFieldName=x",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/module/Accounts/a-1/relationships/contacts?sourceBean[id]=1",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/meta/fields/Notes?module=Contacts",
            Reason::UnknownParameter,
        ),
        (
            "DELETE /Api/V8/module/Contacts/c-1?relatedBeanId=1",
            Reason::UnknownParameter,
        ),
        (
            "PATCH /Api/V8/module?data[type]=Users",
            Reason::UnknownParameter,
        ),
        (
            "POST /Api/V8/module/Accounts/a-1/relationships?data[id]=1",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/module/Contacts?moduleName[]=Users",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/module/Contacts?fields[Leads]=iban_c",
            Reason::MalformedProjection,
        ),
        (
            "GET /Api/V8/module/Accounts/a-1/relationships/contacts?fields[Contacts]=id",
            Reason::UnknownParameter,
        ),
        (
            "GET /Api/V8/module/Contacts?_METHOD=DELETE",
            Reason::UnknownParameter,
        ),
    ] {
        let body = match line.split(' ').next() {
            Some("PATCH") => r#"{"data":{"type":"Contacts","id":"c-1"}}"#,
            Some("POST") => r#"{"data":{"type":"Contacts","id":"c-1"}}"#,
            _ => "",
        };
        assert_eq!(understand(line, body), Err(reason), "{line}");
    }
    let body = json!({"moduleName": "Contacts"}).to_string();
    for line in [
        "GET /Api/V8/module/Notes",
        "GET /Api/V8/module/Notes/n-1",
        "DELETE /Api/V8/module/Notes/n-1",
        "GET /Api/V8/module/Accounts/a-1/relationships/contacts",
        "GET /Api/V8/current-user",
        "POST /Api/V8/logout",
    ] {
        assert_eq!(
            understand(line, &body),
            Err(Reason::UnexpectedBody),
            "{line}"
        );
    }
}

#[test]
fn nothing_is_decoded_twice_and_no_method_is_overridden() {
    for line in [
        "GET /Api/V8/module/%2543ontacts",
        "GET /Api/V8/module/Contacts%2500",
        "GET /Api/V8/module/Contacts/..",
        "GET /Api//V8/module/Contacts",
        "GET /Api/V8/module/Contacts//",
    ] {
        assert!(
            matches!(
                understand(line, ""),
                Err(Reason::MalformedTarget | Reason::UnknownRoute)
            ),
            "{line}"
        );
    }
    let form = Some("application/x-www-form-urlencoded");
    let refused = |line: &str, body: &str| {
        understand_in(&described(), line, form, body)
            .map_err(|refused| refused.objection.reason)
            .err()
    };
    assert_eq!(
        refused("POST /Api/V8/module/Contacts/c-1", "_METHOD=DELETE"),
        Some(Reason::MethodNotAllowed)
    );
    assert_eq!(
        refused(
            "POST /Api/V8/module",
            "data%5Btype%5D=Contacts&_METHOD=PATCH"
        ),
        Some(Reason::UnsupportedMediaType)
    );
    assert_eq!(
        refused(
            "POST /Api/access_token",
            "grant_type=client_credentials&_METHOD=GET"
        ),
        Some(Reason::UnknownParameter)
    );
}

#[test]
fn operators_are_comparisons_and_deleted_records_are_gone() {
    for operator in ["or", "and", "OR", "in", "not_in", "EQ;", "eq eq", ""] {
        let line = format!("GET /Api/V8/module/Contacts?filter[last_name][{operator}]=1");
        assert!(
            matches!(
                understand(&line, ""),
                Err(Reason::MalformedFilter | Reason::MalformedQuery)
            ),
            "{line}"
        );
    }
    for field in ["deleted", "Deleted", "%64eleted"] {
        let line = format!("GET /Api/V8/module/Contacts?filter[{field}][eq]=1");
        assert!(
            matches!(
                understand(&line, ""),
                Err(Reason::StoredQuery | Reason::MalformedFilter)
            ),
            "{line}"
        );
    }
}

#[test]
fn values_that_the_crm_would_rewrite_are_refused() {
    for value in [
        "x+UNION+ALL+SELECT+y",
        "x%20Order%20By%20y",
        "x+parent_Users_users.name",
        "x+(contact_name+OR+y%25",
    ] {
        for path in ["Tasks", "Accounts/a-1/relationships/tasks"] {
            let line = format!("GET /Api/V8/module/{path}?filter[name][eq]={value}");
            assert_eq!(
                understand(&line, "").unwrap_err(),
                Reason::MalformedFilter,
                "{line}"
            );
        }
    }
    understand("GET /Api/V8/module/Tasks?filter[name][eq]=Credit+Union", "").unwrap();
}

#[test]
fn other_doors_stay_shut() {
    for line in [
        "GET /Api/index.php/index.php/V8/module/Contacts",
        "GET /legacy/Api/V8/user-preferences/1",
        "GET /Api/legacy/V8/module/Contacts",
        "GET /Api/index.php",
        "GET /Api/V8/user-preferences/1",
        "GET /Api/V8/meta/swagger.json",
        "GET /Api/V8/custom/x",
        "POST /Api/V8/custom/x",
        "GET /Api/V8/OAuth2/private.key",
        "GET /Api/V7/module/Contacts",
        "GET /Api/docs/swagger/swagger.json",
    ] {
        assert!(
            matches!(
                understand(line, ""),
                Err(Reason::UnknownRoute | Reason::MethodNotAllowed)
            ),
            "{line}"
        );
    }
    for path in [
        "/Api",
        "/api/V8/module/Contacts",
        "/legacy",
        "/legacy/index.php",
        "/legacy/service/v4_1/rest.php",
        "/index.php",
        "/service/v4_1/rest.php",
        "/soap.php",
    ] {
        assert!(!described().claims(path), "{path}");
    }
}

#[test]
fn a_token_stands_in_its_header_only() {
    let dialect = described();
    assert!(dialect.head_form().credentials.is_empty());
    assert!(dialect.head_form().accepts(&Carrier::Bearer));
    assert!(!dialect.head_form().accepts(&Carrier::Argument));
    let argument = Credential::argument("x").unwrap();
    assert_eq!(dialect.inquire("V8", &argument, &[]), Inquiry::Nobody);
    for name in ["access_token", "token", "oauth_token", "ACCESS_TOKEN"] {
        let line = format!("GET /Api/V8/current-user?{name}=x");
        assert_eq!(
            understand(&line, ""),
            Err(Reason::CredentialInQuery),
            "{line}"
        );
    }
}

#[test]
fn links_lead_where_they_are_known_to_lead() {
    for line in [
        "GET /Api/V8/module/Contacts/c-1/relationships/nosuch",
        "GET /Api/V8/module/Notes/n-1/relationships/members",
        "GET /Api/V8/module/Accounts/a-1/relationships/Contacts",
        "DELETE /Api/V8/module/Contacts/c-1/relationships/nosuch/x-1",
    ] {
        assert_eq!(understand(line, ""), Err(Reason::UnknownLink), "{line}");
    }
    let body = json!({"data": {"type": "Users", "id": "u-1"}}).to_string();
    assert_eq!(
        understand(
            "POST /Api/V8/module/Accounts/a-1/relationships/contacts",
            &body
        ),
        Err(Reason::MalformedBody),
        "a record of another module than the link's"
    );
}

#[test]
fn what_a_value_says_stays_a_value() {
    let line = "GET /Api/V8/module/Contacts?filter[last_name][eq]=x%26moduleName%3DUsers%23%25%00";
    assert_eq!(understand(line, ""), Err(Reason::MalformedQuery));
    let line = "GET /Api/V8/module/Contacts?filter[last_name][eq]=x%26moduleName%3DUsers%23%25%27%22%5B%5D";
    let operation = understand(line, "").unwrap();
    let outgoing = described().render(&operation);
    assert!(!outgoing.target.contains("&moduleName") && !outgoing.target.contains('#'));
    assert_eq!(again(&outgoing), Ok(operation));
}
