//! A schema with one of each kind of field, and short ways to ask a policy.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Map, Value};

use super::{Policy, Source};
use crate::diagnostic::Diagnostics;
use crate::dialect::{
    Access, Items, Modules, Operation, Origin, Path, Predicate, Query, Rendering, Schema, Session,
    Shape, Stock, Told, Unread, by_name,
};
use crate::identity::Caller;
use crate::vocabulary::{Action, Field, FieldPath, Module};

/// What is known of a CRM before which a built-in dialect stands.
pub(super) fn stock(dialect: &str) -> Arc<Schema> {
    by_name(dialect).unwrap().schema().clone()
}

/// Text of the sample policy of the documentation.
pub(super) const SAMPLE: &str = include_str!("testing/sample.yaml");

#[derive(Debug)]
pub(super) struct TestStock;

fn contacts(field: &str) -> FieldPath {
    FieldPath::new(&Module::new("Contacts"), field)
}

impl Stock for TestStock {
    fn name(&self) -> &'static str {
        "test"
    }

    fn origin(&self, _beside: &Modules, _module: &Module, field: &str) -> Origin {
        match field {
            "full_name" => Origin::Copy {
                of: vec![contacts("first_name"), contacts("last_name")],
                perhaps: vec![contacts("salutation")],
            },
            "email" => Origin::Items(Items {
                treated: &["email_address"],
                passed: &["primary_address"],
            }),
            "email1" => Origin::Copy {
                of: vec![contacts("email")],
                perhaps: Vec::new(),
            },
            "email2" => Origin::Copy {
                of: vec![contacts("email1")],
                perhaps: Vec::new(),
            },
            "account_name" => Origin::Copy {
                of: vec![FieldPath::new(&Module::new("Accounts"), "name")],
                perhaps: Vec::new(),
            },
            "task_name" => Origin::Copy {
                of: vec![FieldPath::new(&Module::new("Tasks"), "name")],
                perhaps: Vec::new(),
            },
            "loop_a" => Origin::Copy {
                of: vec![contacts("loop_b")],
                perhaps: Vec::new(),
            },
            "loop_b" => Origin::Copy {
                of: vec![contacts("loop_a")],
                perhaps: Vec::new(),
            },
            "hash_copy" => Origin::Copy {
                of: vec![contacts("first_name"), contacts("user_hash")],
                perhaps: Vec::new(),
            },
            "user_hash" => Origin::Secret,
            "_module" => Origin::Structural(Shape::Scalar),
            "accounts" => Origin::Related(Module::new("Accounts")),
            "tasks" => Origin::Related(Module::new("Tasks")),
            "mystery_link" => Origin::UnknownRelated,
            "parent_name" => Origin::CopyOfParent {
                told_by: "parent_type",
            },
            _ => Origin::Own,
        }
    }

    fn target(&self, _module: &Module, _link: &str) -> Option<Module> {
        None
    }

    fn modules(&self) -> Vec<Module> {
        Vec::new()
    }

    fn is_text(&self, module: &Module, field: &str) -> bool {
        field == "description" || (field == "name" && module.as_str() == "Cases")
    }

    fn searched(&self, module: &Module) -> Vec<Field> {
        let fields: &[&str] = match module.as_str() {
            "Accounts" => &["name", "phone"],
            _ => &[],
        };
        fields.iter().map(|name| Field::fold(name)).collect()
    }

    fn fields(&self, module: &Module) -> Vec<Field> {
        stock_fields(module)
            .iter()
            .map(|name| Field::fold(name))
            .collect()
    }

    fn display_field(&self) -> &str {
        "name"
    }

    fn identifying(&self) -> Vec<(Told, FieldPath)> {
        vec![
            (Told::Name, FieldPath::new(&Module::new("Users"), "login")),
            (Told::Name, FieldPath::new(&Module::new("Staff"), "login")),
            (Told::Team, FieldPath::new(&Module::new("Teams"), "name")),
        ]
    }

    fn accounts(&self) -> Vec<Module> {
        vec![Module::new("Users")]
    }

    fn is_right(&self, module: &Module, field: &str) -> bool {
        module.as_str() == "Users" && field == "is_admin"
    }

    fn unread(&self) -> Vec<Unread> {
        Vec::new()
    }

    fn has_field(&self, module: &Module, field: &str) -> bool {
        stock_fields(module).contains(&field)
    }

    fn names_all_fields(&self) -> bool {
        true
    }

    fn column_length(&self, _module: &Module, _field: &str) -> Option<usize> {
        None
    }
}

/// What is known of the test CRM.
pub(super) fn schema() -> Arc<Schema> {
    Schema::of_stock(Arc::new(TestStock))
}

fn stock_fields(module: &Module) -> &'static [&'static str] {
    match module.as_str() {
        "Contacts" => &[
            "id",
            "first_name",
            "last_name",
            "full_name",
            "salutation",
            "email",
            "email1",
            "phone_home",
            "birthdate",
            "account_name",
            "description",
            "_module",
        ],
        _ => &["id", "name"],
    }
}

/// Compiles some files, named `p0.yaml`, `p1.yaml`…
pub(super) fn try_compile(texts: &[&str]) -> (Option<Policy>, Diagnostics) {
    let sources: Vec<Source> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| Source {
            path: format!("policies/p{at}.yaml"),
            text: (*text).to_owned(),
        })
        .collect();
    let today = jiff::civil::date(2026, 11, 28);
    Policy::compile_on(today, &sources, &[schema()], b"0123456789abcdef")
}

/// Compiles files that hold no error.
pub(super) fn compile(texts: &[&str]) -> Policy {
    let (policy, found) = try_compile(texts);
    policy.unwrap_or_else(|| panic!("{}", found.render(false)))
}

/// A caller with these roles in the CRM.
pub(super) fn caller(roles: &[&str]) -> Caller {
    let session = Session {
        id: "u-1".to_owned(),
        name: "ada".to_owned(),
        kind: "user".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        teams: vec!["West".to_owned(), "Global".to_owned()],
    };
    Caller::from_session(session, Duration::ZERO)
}

/// A list of a module's records.
pub(super) fn list(module: Option<&str>) -> Operation {
    Operation {
        action: Action::List,
        access: Access::Governed,
        route: "GET /{module}",
        version: "v11".to_owned(),
        credential: None,
        module: module.map(Module::new),
        record: None,
        link: None,
        related: Vec::new(),
        query: Query::default(),
        write: None,
        rendering: Rendering {
            form: "list",
            method: Method::GET,
            path: "/".to_owned(),
            controls: Vec::new(),
            in_body: false,
            fixed: Map::new(),
        },
    }
}

/// A list of contacts whose field equals something.
pub(super) fn filtered(field: &str) -> Operation {
    let mut operation = list(Some("Contacts"));
    operation.query.predicate = Some(Predicate::Field {
        path: Path {
            link: None,
            field: field.to_owned(),
        },
        operator: None,
        value: Value::from("x"),
    });
    operation
}
