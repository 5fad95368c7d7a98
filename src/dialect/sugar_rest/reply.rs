//! Where records lie in the reply to each form.

use super::route::{self, Gives};
use crate::dialect::schema::Modules;
use crate::dialect::schema::stock::delivered::of_sugar_rest;
use crate::dialect::{ObjectShape, Operation, Origin, Others, RecordShape, Shape};
use crate::vocabulary::Module;

/// The shape of the reply to an operation.
pub(super) fn shape(operation: &Operation) -> Shape {
    let gives = route::by_route(operation.rendering.form).map(|form| form.gives);
    let of_path = || {
        operation
            .module
            .as_ref()
            .map_or(Shape::Dropped, Shape::record)
    };
    let of_target = || operation.target().map_or(Shape::Dropped, Shape::record);
    match gives {
        Some(Gives::Records) => Shape::only(
            vec![
                ("next_offset", Shape::Scalar),
                ("records", list(of_target())),
            ],
            &["records"],
        ),
        Some(Gives::Found) => found(operation),
        Some(Gives::Alike) => Shape::only(
            vec![
                ("next_offset", Shape::Scalar),
                ("records", list(alike(operation))),
            ],
            &["records"],
        ),
        Some(Gives::Choices) => Shape::each(Shape::Scalar),
        Some(Gives::Count) => Shape::only(
            vec![("record_count", Shape::Scalar), ("has_more", Shape::Scalar)],
            &["record_count"],
        ),
        Some(Gives::Record) => of_target(),
        Some(Gives::Id) => deleted(operation),
        Some(Gives::Related) => Shape::only(
            vec![("record", of_path()), ("related_record", of_target())],
            &["record"],
        ),
        Some(Gives::RelatedList) => Shape::only(
            vec![
                ("record", of_path()),
                ("related_records", list(of_target())),
            ],
            &["record"],
        ),
        Some(Gives::Tokens) => tokens(),
        Some(Gives::Success) => Shape::only(vec![("success", Shape::Scalar)], &[]),
        Some(Gives::Scalar) => Shape::Scalar,
        Some(Gives::Metadata) => metadata(),
        Some(Gives::Labels) => Shape::only(
            vec![
                ("app_strings", Shape::Anything),
                ("app_list_strings", Shape::Anything),
                ("mod_strings", Shape::Anything),
                ("_hash", Shape::Scalar),
            ],
            &[],
        ),
        Some(Gives::Me) => Shape::only(vec![("current_user", me())], &["current_user"]),
        Some(Gives::Preferences) => Shape::each(Shape::Anything),
        Some(Gives::Preference) => Shape::Anything,
        Some(Gives::Parts) | None => Shape::Dropped,
    }
}

/// Whether the reply to an operation describes modules.
pub(super) fn describes(operation: &Operation) -> bool {
    let form = route::by_route(operation.rendering.form);
    form.is_some_and(|form| form.gives == Gives::Metadata)
}

fn list(element: Shape) -> Shape {
    Shape::List(Box::new(element))
}

/// The id of a record that is gone: a record all the same, so that the log names it.
fn deleted(operation: &Operation) -> Shape {
    operation.target().map_or(Shape::Dropped, |module| {
        Shape::Record(RecordShape {
            keys: vec![("id", Shape::Scalar)],
            ..RecordShape::of(module)
        })
    })
}

/// Records of several modules, each of which tells its own. How well one fits says no more than that it was found.
fn found(operation: &Operation) -> Shape {
    let score = || Shape::only(vec![("score", Shape::Scalar)], &[]);
    let record = |module: &Module| RecordShape {
        keys: vec![
            ("_score", Shape::Scalar),
            ("_search", score()),
            ("_highlights", Shape::Dropped),
        ],
        ..RecordShape::of(module)
    };
    let modules = operation.module.iter().chain(&operation.query.beside);
    let records = Shape::OneOf(modules.map(record).collect());
    Shape::only(
        vec![
            ("next_offset", Shape::Scalar),
            ("total", Shape::Scalar),
            ("query_time", Shape::Scalar),
            ("records", list(records)),
        ],
        &["records"],
    )
}

/// A record, and how much of what was asked for it is like. That the caller may match each field of it, is decided before.
fn alike(operation: &Operation) -> Shape {
    operation.target().map_or(Shape::Dropped, |module| {
        Shape::Record(RecordShape {
            keys: vec![("duplicate_check_rank", Shape::Scalar)],
            ..RecordShape::of(module)
        })
    })
}

fn tokens() -> Shape {
    let keys = [
        "access_token",
        "expires_in",
        "token_type",
        "scope",
        "refresh_token",
        "refresh_expires_in",
        "download_token",
    ];
    Shape::only(
        keys.into_iter().map(|key| (key, Shape::Scalar)).collect(),
        &["access_token"],
    )
}

/// An object with some known keys, and one shape for all others.
fn known_and(keys: Vec<(&'static str, Shape)>, others: Shape) -> Shape {
    Shape::Object(ObjectShape {
        keys,
        others: Others::Shape(Box::new(others)),
        required: &[],
    })
}

/// Definitions of modules and fields. A field's default is a value of that field, so it does not pass.
fn metadata() -> Shape {
    let field = known_and(
        vec![
            ("default", Shape::Dropped),
            ("display_default", Shape::Dropped),
        ],
        Shape::Anything,
    );
    let module = known_and(
        vec![("fields", known_and(vec![("_hash", Shape::Scalar)], field))],
        Shape::Anything,
    );
    Shape::only(
        vec![
            ("modules", known_and(vec![("_hash", Shape::Scalar)], module)),
            ("full_module_list", Shape::each(Shape::Scalar)),
            ("relationships", Shape::Anything),
            ("currencies", Shape::Anything),
            ("server_info", Shape::Anything),
            ("_hash", Shape::Scalar),
        ],
        &[],
    )
}

/// What the CRM says about the caller's rights, of a module as of a record.
fn access() -> Shape {
    let users = Module::new("Users");
    match of_sugar_rest().origin(&Modules::default(), &users, "_acl") {
        Origin::Structural(shape) => shape,
        _ => Shape::Dropped,
    }
}

/// The caller's own record: what a client needs in order to work passes, the rest follows the rules of `Users`.
fn me() -> Shape {
    let named = || Shape::only(vec![("id", Shape::Scalar), ("name", Shape::Scalar)], &[]);
    let mut keys: Vec<(&'static str, Shape)> = [
        "_hash",
        "full_name",
        "id",
        "is_manager",
        "type",
        "user_name",
    ]
    .into_iter()
    .map(|key| (key, Shape::Scalar))
    .collect();
    keys.extend([
        ("acl", known_and(vec![("_hash", Shape::Scalar)], access())),
        ("module_list", Shape::Anything),
        ("my_teams", list(named())),
        ("preferences", Shape::each(Shape::Anything)),
        ("roles", Shape::Anything),
    ]);
    Shape::Record(RecordShape {
        keys,
        counted: false,
        ..RecordShape::of(&Module::new("Users"))
    })
}

#[cfg(test)]
mod tests {
    use crate::dialect::testing::Speaks as _;
    use http::Method;

    use super::shape;
    use crate::dialect::sugar_rest::SugarRest;
    use crate::dialect::sugar_rest::route::{FORMS, Takes};
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
        let Ok(Understood::One(operation)) = SugarRest::new().meaning(&request, &bounds) else {
            panic!("{line} was not understood")
        };
        shape(&operation)
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
            listed.keys[1],
            ("records", Shape::List(Box::new(contacts.clone())))
        );
        assert_eq!(listed.required, ["records"]);
        let Shape::Object(related) =
            shape_of("DELETE /rest/v11/Accounts/a-1/link/contacts/c-1", "")
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
        let mut place = &metadata.keys[0].1;
        for _ in 0..2 {
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
            place = &each.keys[0].1;
        }
        assert_eq!(*place, Shape::Dropped);
    }

    #[test]
    fn every_form_but_the_envelope_has_a_shape() {
        for form in FORMS {
            let mut line = form
                .route
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
            let body = match form.takes {
                Takes::Login => r#"{"grant_type":"refresh_token","refresh_token":"x"}"#,
                Takes::Ids => r#"{"link_name":"contacts","ids":["c-1"]}"#,
                Takes::Parts => continue,
                Takes::Search | Takes::GlobalSearch => {
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
}
