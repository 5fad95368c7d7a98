//! A schema with one of each kind of field, and short ways to ask a policy.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Map, Value};

pub(crate) mod planted;
pub(crate) mod promises;

use super::document::Document;
use super::judge::Core;
use super::{Policy, Source, check, sections, source};
use crate::diagnostic::{Diagnostics, File};
use crate::dialect::{
    Access, Operation, Path, Predicate, Query, Rendering, Schema, Session, Stock, by_name,
};
use crate::identity::Caller;
use crate::vocabulary::{Action, Module};

/// What is known of a CRM before which a built-in dialect stands.
pub(super) fn stock(dialect: &str) -> Arc<Schema> {
    by_name(dialect).unwrap().schema().clone()
}

/// Text of the sample policy of the documentation.
pub(super) const SAMPLE: &str = include_str!("testing/sample.yaml");

/// What the test CRM has as it is delivered.
const STOCK: &str = include_str!("testing/stock.yaml");

/// What is known of the test CRM.
pub(super) fn schema() -> Arc<Schema> {
    Schema::of_stock(Arc::new(Stock::of_text("test", STOCK)))
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
        of_caller: false,
        module: module.map(Module::new),
        record: None,
        link: None,
        related: Vec::new(),
        around: Vec::new(),
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

/// Compiles files that hold no error, without telling what is odd about them.
pub(crate) fn unlinted(sources: &[Source], schema: Arc<Schema>) -> Policy {
    let mut found = Diagnostics::new();
    let mut document = Document::default();
    for source in sources {
        let file = File::new(source.path.as_str(), source.text.as_str());
        sections::read(&file, &mut document, &mut found);
    }
    let model = check::check(document, source::hash(sources, None), &mut found);
    assert!(!found.has_errors(), "{}", found.render(false));
    Policy::of(Core::new(model, schema, &[0; 32]))
}
