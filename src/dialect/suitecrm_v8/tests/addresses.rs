//! Where the API lies, what stands in a path, and which routes there are.

use std::collections::BTreeSet;

use super::{described, understand};
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Dialect, ModuleName, Shape};
use crate::reason::Reason;
use crate::vocabulary::Module;

const PLACES: &[(&str, &str)] = &[
    ("V8 at index.php", "/Api/index.php/"),
    ("V8", "/Api/"),
    ("V8 at legacy/index.php", "/legacy/Api/index.php/"),
    ("V8 at legacy", "/legacy/Api/"),
];

fn reason(line: &str) -> Option<Reason> {
    understand(line, "").err()
}

#[test]
fn the_api_lies_at_one_of_four_places() {
    let dialect = described();
    for (version, place) in PLACES {
        let path = format!("{place}V8/module/Contacts");
        for path in [path.clone(), format!("{path}/")] {
            assert!(dialect.claims(&path));
            let operation = understand(&format!("GET {path}"), "").unwrap();
            assert_eq!(operation.version, *version);
            assert_eq!(operation.module, Some(Module::new("Contacts")));
        }
        let operation = understand(&format!("GET {path}"), "").unwrap();
        assert_eq!(dialect.render(&operation).target, path);
    }
    let mut elsewhere = understand("GET /Api/V8/module/Contacts", "").unwrap();
    elsewhere.version = "v11_24".to_owned();
    assert_eq!(dialect.render(&elsewhere).target, "/Api/V8/module/Contacts");
    for path in [
        "/api/V8/x",
        "/Legacy/Api/V8/x",
        "/legacy/V8/x",
        "/x/Api/V8/x",
        "/legacy/service/x",
    ] {
        assert!(!dialect.claims(path), "{path}");
        assert!(understand(&format!("GET {path}"), "").is_err(), "{path}");
    }
}

#[test]
fn segments_are_decoded_once_and_hold_only_plain_characters() {
    let operation = understand("GET /Api/V8/module/%43ontacts/a%2Db", "").unwrap();
    assert_eq!(operation.module, Some(Module::new("Contacts")));
    assert_eq!(operation.record.as_deref(), Some("a-b"));
    for path in [
        "/Api/V8/module/%2543ontacts",
        "/Api/V8/module/Contacts%2Fa",
        "/Api/V8/module/Contacts/a%5cb",
        "/Api//V8/module/Contacts",
        "/Api/V8/module/Contacts//",
        "/Api/index.php//V8/module/Contacts",
        "/Api/V8/module/Contacts;x=1",
        "/Api/V8/module/Contacts%00",
        "/Api/V8/module/Contacts%20",
        "/Api/V8/module/Contacts+",
        "/Api/V8/module/Contacts/bad!id",
        "/Api/V8/module/%EF%BC%A3ontacts",
        "/Api/V8/module/%zz",
        "/Api/",
    ] {
        let line = format!("GET {path}");
        assert_eq!(reason(&line), Some(Reason::MalformedTarget), "{path}");
    }
    for path in ["/Api", "/api/V8/me", "/index.php", "/legacy/Api"] {
        let line = format!("GET {path}");
        assert_eq!(reason(&line), Some(Reason::UnknownRoute), "{path}");
    }
    let deep = "GET /Api/V8/module/a/b/c/d/e/f";
    assert_eq!(reason(deep), Some(Reason::UnknownRoute));
}

#[test]
fn names_of_each_kind_are_told_apart() {
    let is_module = |text: &str| reason(&format!("GET /Api/V8/module/{text}")).is_none();
    let is_id = |text: &str| reason(&format!("GET /Api/V8/module/Notes/{text}")).is_none();
    let is_link = |text: &str| {
        let line = format!("GET /Api/V8/module/Notes/n-1/relationships/{text}");
        // Whatever looks like a link is looked for.
        reason(&line).is_none_or(|reason| reason == Reason::UnknownLink)
    };
    let is_field = |text: &str| reason(&format!("GET /Api/V8/module/Notes?sort={text}")).is_none();
    assert!(is_module("Contacts") && is_module("AOS_Quotes") && is_module("aCase"));
    assert!(!is_module("1Contacts") && !is_module("Contacts.json") && !is_module(""));
    assert!(is_id("239a0f1a-9717-5533-9b0b-02982d49e6a2") && is_id("1"));
    assert!(is_id("seed_sally_id") && !is_id("bad!id") && !is_id("..") && !is_id("-1"));
    assert!(!is_id(&"a".repeat(65)));
    assert!(is_link("SecurityGroups") && !is_link("a-b") && !is_link("1a"));
    assert!(is_field("iban_c") && !is_field("_method") && !is_field("a.b") && !is_field("%C3%A9"));
}

#[test]
fn records_are_called_by_the_names_of_their_module() {
    let names = |module: &str| -> ModuleName {
        let read = understand(&format!("GET /Api/V8/module/{module}/c-1"), "").unwrap();
        let shape = described().shape(&read);
        let entry = super::record(&shape);
        let named = entry.keys.iter().find_map(|(_, shape)| match shape {
            Shape::NameOf(names) => Some(names.clone()),
            _ => None,
        });
        named.unwrap()
    };
    let cases = names("Cases");
    assert!(["Cases", "Case", "aCase"].iter().all(|name| cases.is(name)));
    let boats = names("acme_Boats");
    assert!(boats.is("acme_Boats") && !boats.is("acme_Boat") && !boats.is("Contact"));
    let case = understand("GET /Api/V8/module/aCase/c-1", "").unwrap();
    assert_eq!(case.module.unwrap().as_str(), "Cases");
}

#[test]
fn each_form_has_a_route_of_its_own() {
    let mut seen = BTreeSet::new();
    for (route, _) in described().routes() {
        assert!(seen.insert(route), "{route}");
        assert!(route.contains(" /Api/"), "{route}");
    }
    assert_eq!(seen.len(), 16);
}

#[test]
fn a_known_path_refuses_other_methods() {
    for line in [
        "POST /Api/V8/module/Contacts/c-1",
        "PUT /Api/V8/module/Contacts/c-1",
        "PATCH /Api/V8/module/Contacts/c-1",
        "POST /Api/V8/module/Contacts",
        "PUT /Api/V8/module",
        "GET /Api/V8/module",
        "GET /Api/access_token",
        "DELETE /Api/V8/current-user",
        "HEAD /Api/V8/module/Contacts",
        "DELETE /Api/V8/module/Contacts/c-1/relationships/cases",
        "PATCH /Api/V8/module/Contacts/c-1/relationships/cases",
    ] {
        assert_eq!(reason(line), Some(Reason::MethodNotAllowed), "{line}");
    }
}

#[test]
fn unlisted_routes_are_refused() {
    for line in [
        "GET /Api/V8/user-preferences/1",
        "GET /Api/V8/meta/swagger.json",
        "GET /Api/V8/custom/anything",
        "GET /Api/V8/nosuch",
        "GET /Api/index.php/index.php/V8/module/Contacts",
        "GET /Api/V8/module/Contacts/c-1/relationships",
        "GET /Api/V8/module/Contacts/c-1/x",
        "GET /Api/v8/module/Contacts",
        "POST /Api/authorize",
        "GET /Api/V8/meta/fields",
        "GET /Api/V8/search-defs/Contacts",
        "POST /Api/V8/logout/all",
    ] {
        let refused = reason(line);
        assert!(
            matches!(
                refused,
                Some(Reason::UnknownRoute | Reason::MethodNotAllowed)
            ),
            "{line}: {refused:?}"
        );
    }
}
