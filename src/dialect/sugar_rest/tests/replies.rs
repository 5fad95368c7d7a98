//! Where records lie in the reply to each request.

use crate::dialect::testing::Speaks as _;
use http::Method;

use super::described;
use crate::dialect::{Bounds, Incoming, ObjectShape, Others, Shape, Understood};
use crate::vocabulary::Module;

fn shape_of(line: &str, body: &str) -> Shape {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let request = Incoming {
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path,
        query,
        accept: None,
        content_type: None,
        controls: &[],
        body: body.as_bytes(),
    };
    let bounds = Bounds {
        page_max: 1,
        bulk_parts_max: 1,
        depth_max: 9,
    };
    let Ok(Understood::One(operation)) = described().meaning(&request, &bounds) else {
        panic!("{line} was not understood")
    };
    described().shape(&operation)
}

fn keys(shape: &Shape) -> Vec<&'static str> {
    let Shape::Object(ObjectShape {
        keys,
        others: Others::Dropped,
        ..
    }) = shape
    else {
        panic!("not a closed object")
    };
    keys.iter().map(|(key, _)| *key).collect()
}

/// What stands under a key.
fn under<'a>(shape: &'a ObjectShape, key: &str) -> &'a Shape {
    let known = shape.keys.iter().find(|(known, _)| *known == key);
    &known.unwrap().1
}

#[test]
fn records_are_held_to_the_module_that_they_belong_to() {
    let contacts = Shape::record(&Module::new("Contacts"));
    let accounts = Shape::record(&Module::new("Accounts"));
    assert_eq!(shape_of("GET /rest/v11/Contacts/c-1", ""), contacts);
    assert_eq!(
        shape_of("PUT /rest/v11/Contacts/c-1/favorite", ""),
        contacts
    );
    let listed = shape_of("GET /rest/v11/Accounts/a-1/link/contacts", "");
    let Shape::Object(listed) = listed else {
        panic!()
    };
    assert_eq!(
        *under(&listed, "records"),
        Shape::List(Box::new(contacts.clone()))
    );
    assert_eq!(listed.required, ["records"]);
    let Shape::Object(related) = shape_of("DELETE /rest/v11/Accounts/a-1/link/contacts/c-1", "")
    else {
        panic!()
    };
    assert_eq!(
        related.keys,
        [
            ("record", accounts.clone()),
            ("related_record", contacts.clone())
        ]
    );
    let body = r#"{"link_name":"contacts","ids":["c-1"]}"#;
    let Shape::Object(related) = shape_of("POST /rest/v11/Accounts/a-1/link", body) else {
        panic!()
    };
    assert_eq!(
        related.keys,
        [
            ("record", accounts),
            ("related_records", Shape::List(Box::new(contacts)))
        ]
    );
}

#[test]
fn replies_without_records_pass_a_list_of_keys() {
    assert_eq!(
        keys(&shape_of("GET /rest/v11/Contacts/count", "")),
        ["record_count", "has_more"]
    );
    let Shape::Record(deleted) = shape_of("DELETE /rest/v11/Contacts/c-1", "") else {
        panic!("a deletion is not recorded")
    };
    assert!(deleted.counted && deleted.keys == [("id", Shape::Scalar)]);
    assert_eq!(
        keys(&shape_of("POST /rest/v11/oauth2/logout", "")),
        ["success"]
    );
    assert_eq!(keys(&shape_of("GET /rest/v11/me", "")), ["current_user"]);
    assert_eq!(shape_of("GET /rest/v11/ping", ""), Shape::Scalar);
    let login = r#"{"grant_type":"refresh_token","refresh_token":"x"}"#;
    assert!(keys(&shape_of("POST /rest/v11/oauth2/token", login)).contains(&"refresh_token"));
}

#[test]
fn defaults_of_fields_do_not_pass_in_metadata() {
    let Shape::Object(metadata) = shape_of("GET /rest/v11/metadata", "") else {
        panic!()
    };
    let mut place = under(&metadata, "modules");
    for key in ["fields", "default"] {
        // Each module, then its fields, then each field.
        let Shape::Object(ObjectShape {
            others: Others::Shape(each),
            ..
        }) = place
        else {
            panic!()
        };
        let Shape::Object(each) = &**each else {
            panic!()
        };
        place = under(each, key);
    }
    assert_eq!(*place, Shape::Dropped);
}

#[test]
fn every_form_but_the_envelope_has_a_shape() {
    for (route, _) in described().routes() {
        let mut line = route
            .replace("{version}", "v11")
            .replace("{module}", "Accounts");
        for (name, value) in [
            ("{id}", "a-1"),
            ("{link}", "contacts"),
            ("{related}", "c-1"),
            ("{field}", "status"),
            ("{name}", "datepref"),
            ("{code}", "fr_FR"),
        ] {
            line = line.replace(name, value);
        }
        let body = match line.rsplit('/').next().unwrap_or_default() {
            "token" => r#"{"grant_type":"refresh_token","refresh_token":"x"}"#,
            "link" => r#"{"link_name":"contacts","ids":["c-1"]}"#,
            "bulk" => continue,
            "search" | "globalsearch" => {
                line.push_str("?q=x");
                if !line.contains("/Accounts/") {
                    line.push_str("&module_list=Accounts");
                }
                ""
            }
            _ => "",
        };
        assert_ne!(shape_of(&line, body), Shape::Dropped, "{line}");
    }
}
