//! Where records lie in the reply to each form.

use super::modules;
use super::route::{self, Gives};
use crate::dialect::{EntryShape, Operation, RecordShape, Shape};
use crate::vocabulary::{Module, Spelling};

/// The shape of the reply to an operation.
pub(super) fn shape(operation: &Operation) -> Shape {
    let target = operation.target();
    match route::by_route(operation.rendering.form).map(|form| form.gives) {
        Some(Gives::Tokens) => tokens(),
        Some(Gives::Done) => done(),
        Some(Gives::Me) => Shape::only(vec![("data", me())], &["data"]),
        Some(Gives::Records) => records(target),
        Some(Gives::Record) => {
            let record = target.map_or(Shape::Dropped, record);
            Shape::only(vec![("data", record)], &["data"])
        }
        Some(Gives::Modules) => described("modules", Shape::each(module())),
        Some(Gives::Fields) => described("fields", Shape::each(field())),
        Some(Gives::Columns) => list(column()),
        Some(Gives::SearchForms) => described("SearchDefs", search_forms()),
        None => Shape::Dropped,
    }
}

fn list(element: Shape) -> Shape {
    Shape::List(Box::new(element))
}

fn scalars(keys: &[&'static str]) -> Vec<(&'static str, Shape)> {
    keys.iter().map(|key| (*key, Shape::Scalar)).collect()
}

fn tokens() -> Shape {
    let keys = ["token_type", "expires_in", "access_token", "refresh_token"];
    Shape::only(scalars(&keys), &["access_token"])
}

/// That something is done, without the words that the CRM has for it.
fn done() -> Shape {
    Shape::only(
        vec![
            ("meta", Shape::only(Vec::new(), &[])),
            ("data", list(Shape::Dropped)),
        ],
        &[],
    )
}

/// A page. Its links would repeat the values of a filter; pages are asked for by number.
fn records(target: Option<&Module>) -> Shape {
    let numbers = ["total-pages", "total-records", "records-on-this-page"];
    Shape::only(
        vec![
            ("meta", Shape::only(scalars(&numbers), &[])),
            ("data", list(target.map_or(Shape::Dropped, record))),
        ],
        &["data"],
    )
}

/// A record of a module, which it must name.
fn record(module: &Module) -> Shape {
    let record = RecordShape {
        spelling: Spelling::Html,
        ..RecordShape::of(module)
    };
    entry(record)
}

/// A record that lies beside its type and id. Paths to related records hold names and ids only.
fn entry(record: RecordShape) -> Shape {
    let related = Shape::only(
        vec![("links", Shape::only(scalars(&["related"]), &[]))],
        &[],
    );
    let keys = vec![
        ("type", Shape::NameOf(modules::names(&record.module))),
        ("relationships", Shape::each(related)),
        ("links", Shape::only(scalars(&["self"]), &[])),
    ];
    Shape::Entry(Box::new(EntryShape {
        under: "attributes",
        record,
        keys,
    }))
}

/// The caller's own record: what a client needs in order to know who it is passes, the rest follows the rules of
/// `Users`.
fn me() -> Shape {
    let keys = ["id", "user_name", "full_name", "name", "is_admin"];
    entry(RecordShape {
        keys: scalars(&keys),
        spelling: Spelling::Html,
        counted: false,
        ..RecordShape::of(&Module::new("Users"))
    })
}

/// A description of the CRM, in the attributes of a thing of this type.
fn described(of: &'static str, attributes: Shape) -> Shape {
    let keys = vec![("type", Shape::Word(vec![of])), ("attributes", attributes)];
    Shape::only(
        vec![("data", Shape::only(keys, &["type", "attributes"]))],
        &["data"],
    )
}

/// A module's label, and words about the caller's rights.
fn module() -> Shape {
    Shape::only(
        vec![("label", Shape::Scalar), ("access", Shape::Anything)],
        &[],
    )
}

/// The definition of a field. Its default is a value of that field, so it does not pass.
fn field() -> Shape {
    let keys = [
        "type",
        "dbType",
        "source",
        "relationship",
        "len",
        "precision",
        "comments",
        "required",
    ];
    Shape::only(scalars(&keys), &[])
}

fn column() -> Shape {
    let keys = [
        "fieldName",
        "width",
        "label",
        "link",
        "default",
        "module",
        "id",
        "sortable",
    ];
    Shape::only(scalars(&keys), &[])
}

/// The fields of the search forms, without the SQL behind them.
fn search_forms() -> Shape {
    let item = || Shape::only(scalars(&["name", "label", "type", "options"]), &[]);
    Shape::only(
        vec![
            ("module", Shape::Scalar),
            ("basic", list(item())),
            ("advanced", list(item())),
        ],
        &[],
    )
}
