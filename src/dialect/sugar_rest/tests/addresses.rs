//! The path of a request: its API version and its segments, decoded once.

use super::understand_with;
use crate::dialect::{Operation, Understood};
use crate::reason::Reason;
use crate::vocabulary::Module;

const STATED: &str = "application/vnd.sugarcrm.core+json; version=11.24";

fn read(path: &str, accept: Option<&str>) -> Result<Operation, Reason> {
    match understand_with(&format!("GET {path}"), accept, "") {
        Ok(Understood::One(operation)) => Ok(operation),
        Ok(Understood::Bulk { .. }) => panic!("{path} is an envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

fn version(path: &str, accept: Option<&str>) -> Result<String, Reason> {
    read(path, accept).map(|operation| operation.version)
}

#[test]
fn the_version_stands_in_the_path_or_in_the_accept_header() {
    for (path, accept, expected) in [
        ("/rest/v11_24/Contacts", None, "v11_24"),
        ("/rest/v11/Contacts", Some("application/json"), "v11"),
        ("/rest/v10/me", None, "v10"),
        ("/rest/v11_0/me", None, "v11_0"),
        ("/rest/Contacts", Some(STATED), "v11_24"),
        (
            "/rest/me",
            Some("application/vnd.sugarcrm.core+json;version=\"11_5\""),
            "v11_5",
        ),
        (
            "/rest/me",
            Some("Application/vnd.sugarcrm.core+JSON ; version = 10"),
            "v10",
        ),
    ] {
        assert_eq!(version(path, accept).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn other_versions_are_refused() {
    for (path, accept) in [
        ("/rest/Contacts", None),
        ("/rest/Contacts", Some("application/json")),
        ("/rest/v9/Contacts", None),
        ("/rest/v12/Contacts", None),
        ("/rest/v11_100/Contacts", None),
        ("/rest/v11_024/Contacts", None),
        ("/rest/v11_24x/Contacts", None),
        ("/rest/v11.24/Contacts", None),
        (
            "/rest/me",
            Some("application/vnd.sugarcrm.core+json; version=42"),
        ),
        (
            "/rest/me",
            Some("application/vnd.sugarcrm.core+json; version=\"11"),
        ),
        (
            "/rest/me",
            Some("application/vnd.sugarcrm.core+json; version=11; q=1"),
        ),
        (
            "/rest/me",
            Some("text/html, application/vnd.sugarcrm.core+json; version=11"),
        ),
    ] {
        assert_eq!(
            version(path, accept),
            Err(Reason::UnknownVersion),
            "{path} {accept:?}"
        );
    }
}

#[test]
fn two_versions_are_refused_even_if_they_agree() {
    assert_eq!(
        version("/rest/v11_24/Contacts", Some(STATED)),
        Err(Reason::TwoVersions)
    );
    assert_eq!(
        version(
            "/rest/v11_24/Contacts",
            Some("text/html, application/VND.sugarcrm.core+json; version=11.18")
        ),
        Err(Reason::TwoVersions)
    );
}

#[test]
fn segments_are_decoded_once_and_hold_only_plain_characters() {
    for path in ["/rest/v11/%43ontacts/a%2Db", "/rest/v11/Contacts/a-b/"] {
        let operation = read(path, None).unwrap();
        assert_eq!(operation.module, Some(Module::new("Contacts")));
        assert_eq!(operation.record.as_deref(), Some("a-b"));
    }
    for path in [
        "/rest/v11/%2543ontacts",
        "/rest/v11/Contacts/a%2Fb",
        "/rest/v11/Contacts/a%5cb",
        "/rest/v11//Contacts",
        "/rest/v11/Contacts//",
        "/rest//",
        "/rest/v11/Contacts;x=1",
        "/rest/v11/Contacts%00",
        "/rest/v11/Contacts%20",
        "/rest/v11/Contacts%0a",
        "/rest/v11/Contacts%23x",
        "/rest/v11/Contacts/%zz",
        "/rest/v11/Contacts/1,2",
        "/rest/v11/Contacts/%EF%BC%8E",
        "/rest/v11/Contacts/é",
    ] {
        assert_eq!(
            read(path, None).err(),
            Some(Reason::MalformedTarget),
            "{path}"
        );
    }
}

#[test]
fn other_doors_are_not_this_api() {
    for path in [
        "/api/rest.php",
        "/rest",
        "/rest/v11",
        "/rest/v11/",
        "/service/v4_1/rest.php",
        "/REST/v11/me",
    ] {
        assert_eq!(read(path, None).err(), Some(Reason::UnknownRoute), "{path}");
    }
}
