//! Where records lie in the reply to each method.

use super::method::{self, Kind};
use super::names;
use super::version::Version;
use crate::dialect::{
    ChoiceShape, Count, EntryShape, Layout, Link, ObjectShape, Operation, Others, Projected,
    RecordShape, Shape,
};
use crate::vocabulary::{Module, Spelling};

/// The shape of the reply to an operation.
pub(super) fn shape(operation: &Operation) -> Shape {
    let kind = method::by_name(operation.rendering.form).map(|method| method.kind);
    kind.map_or(Shape::Dropped, |kind| of(kind, operation))
}

fn of(kind: Kind, operation: &Operation) -> Shape {
    match kind {
        Kind::Login => login(),
        Kind::Logout | Kind::UserId => Shape::Scalar,
        Kind::ServerInfo => scalars(&["flavor", "version", "gmt_time"], &[]),
        Kind::Modules => modules(operation),
        Kind::ModuleFields => module_fields(),
        Kind::ModuleHash => Shape::each(Shape::Scalar),
        Kind::Entry | Kind::Entries | Kind::Related => Shape::only(
            vec![
                ("entry_list", list(entry(operation))),
                ("relationship_list", links_of_records(operation)),
            ],
            &["entry_list"],
        ),
        Kind::List => Shape::only(
            vec![
                ("result_count", Shape::Count(Count::Listed("entry_list"))),
                ("total_count", Shape::Count(Count::All(None))),
                ("next_offset", Shape::Count(Count::All(None))),
                ("entry_list", list(entry(operation))),
                ("relationship_list", links_of_records(operation)),
            ],
            &["entry_list"],
        ),
        Kind::Count => scalars(&["result_count"], &["result_count"]),
        Kind::SetEntry | Kind::SetEntries => written(operation),
        Kind::Relate | Kind::RelateAll => scalars(&["created", "failed", "deleted"], &[]),
        Kind::Search => found(operation),
    }
}

fn list(element: Shape) -> Shape {
    Shape::List(Box::new(element))
}

fn scalars(keys: &[&'static str], required: &'static [&'static str]) -> Shape {
    Shape::only(
        keys.iter().map(|key| (*key, Shape::Scalar)).collect(),
        required,
    )
}

/// A record whose values stand beside their names, spelled as HTML.
fn record(module: &Module, counted: bool) -> RecordShape {
    RecordShape {
        layout: Layout::Named,
        spelling: Spelling::Html,
        counted,
        ..RecordShape::of(module)
    }
}

/// What lies behind a link. Addresses are no records of the module whose rules they follow.
fn behind(link: &Link) -> RecordShape {
    let is_address = names::ADDRESSES.contains(&link.name.as_str());
    RecordShape {
        is_part: is_address,
        ..record(&link.target, !is_address)
    }
}

/// The name of the module, beside a record: of a stock module it must be the one that was asked.
fn module_name(operation: &Operation) -> Shape {
    let is_address = operation
        .link
        .as_ref()
        .is_some_and(|link| names::ADDRESSES.contains(&link.name.as_str()));
    let name = operation.target().and_then(names::stock_name);
    match name {
        Some(_) if is_address => Shape::Word(vec![names::ADDRESS_MODULE, "EmailAddress"]),
        Some(name) => Shape::Word(vec![name]),
        None => Shape::Scalar,
    }
}

fn entry(operation: &Operation) -> Shape {
    let record = match (&operation.link, &operation.module) {
        (Some(link), _) => behind(link),
        (None, Some(module)) => record(module, true),
        (None, None) => return Shape::Dropped,
    };
    Shape::Entry(Box::new(EntryShape {
        under: "name_value_list",
        record,
        keys: vec![("module_name", module_name(operation))],
    }))
}

/// The id of what was written, and what was sent as the CRM understood it, which older versions do not say.
fn written(operation: &Operation) -> Shape {
    let says_id_only = Version::named(&operation.version).is_some_and(Version::writes_silently);
    operation.module.as_ref().map_or(Shape::Dropped, |module| {
        if says_id_only {
            return Shape::Record(RecordShape {
                spelling: Spelling::Html,
                ..RecordShape::of(module)
            });
        }
        Shape::Entry(Box::new(EntryShape {
            under: "entry_list",
            record: record(module, true),
            keys: Vec::new(),
        }))
    })
}

/// What lies behind the links of each record. Methods and versions of the CRM have two forms of it: a list of links, or
/// an object with such a list, in which each record lies in an object of its own.
fn links_of_records(operation: &Operation) -> Shape {
    let items = operation.query.projection.iter().flatten();
    let links: Vec<&Link> = items
        .filter_map(|item| match item {
            Projected::Collection { link, .. } => Some(link),
            Projected::Field(_) => None,
        })
        .collect();
    if links.is_empty() {
        return list(Shape::Dropped);
    }
    let wrapped = |record| Shape::only(vec![("link_value", record)], &["link_value"]);
    Shape::Along {
        key: "entry_list",
        element: Box::new(Shape::Either {
            array: Box::new(list(linked(&links, &|record| record))),
            object: Box::new(Shape::only(
                vec![("link_list", list(linked(&links, &wrapped)))],
                &["link_list"],
            )),
        }),
    }
}

/// Records behind links, told by the link's name.
fn linked(links: &[&Link], element: &dyn Fn(Shape) -> Shape) -> Shape {
    let cases = links
        .iter()
        .map(|link| {
            let records = named_records(element(Shape::Record(behind(link))));
            (link.name.clone(), records)
        })
        .collect();
    Shape::Choice(Box::new(ChoiceShape {
        told_by: "name",
        cases,
    }))
}

/// `{"name": …, "records": […]}`
fn named_records(element: Shape) -> ObjectShape {
    ObjectShape {
        keys: vec![("name", Shape::Scalar), ("records", list(element))],
        others: Others::Dropped,
        required: &["records"],
    }
}

fn found(operation: &Operation) -> Shape {
    let Some(module) = &operation.module else {
        return Shape::Dropped;
    };
    let records = named_records(Shape::Record(record(module, true)));
    let choice = Shape::Choice(Box::new(ChoiceShape {
        told_by: "name",
        cases: vec![(module.to_string(), records)],
    }));
    Shape::only(vec![("entry_list", list(choice))], &["entry_list"])
}

/// The session, and what clients need to know of its user.
fn login() -> Shape {
    let names = [
        "user_id",
        "user_name",
        "user_language",
        "user_currency_id",
        "user_currency_name",
        "user_is_admin",
        "user_default_team_id",
        "user_default_dateformat",
        "user_default_timeformat",
        "user_number_separator",
        "user_number_seperator",
        "user_decimal_separator",
        "user_decimal_seperator",
        "mobile_max_list_entries",
        "mobile_max_subpanel_entries",
    ];
    let values = names
        .into_iter()
        .map(|name| (name, scalars(&["name", "value"], &[])))
        .collect();
    Shape::only(
        vec![
            ("id", Shape::Scalar),
            ("module_name", Shape::Scalar),
            ("name_value_list", Shape::only(values, &[])),
        ],
        &["id"],
    )
}

/// The modules that the caller may use.
fn modules(operation: &Operation) -> Shape {
    if Version::named(&operation.version).is_some_and(Version::names_modules) {
        return Shape::only(vec![("modules", list(Shape::Scalar))], &["modules"]);
    }
    let module = Shape::only(
        vec![
            ("module_key", Shape::Scalar),
            ("module_label", Shape::Scalar),
            ("favorite_enabled", Shape::Scalar),
            ("acls", list(scalars(&["action", "access"], &[]))),
        ],
        &[],
    );
    Shape::only(vec![("modules", list(module))], &["modules"])
}

/// Definitions of fields and links. A field's default is a value of that field, so it does not pass.
fn module_fields() -> Shape {
    let mut field: Vec<(&'static str, Shape)> = [
        "name",
        "type",
        "group",
        "id_name",
        "label",
        "required",
        "related_module",
        "calculated",
        "len",
        "parentenum",
        "type_name",
    ]
    .into_iter()
    .map(|key| (key, Shape::Scalar))
    .collect();
    field.push(("options", Shape::each(scalars(&["name", "value"], &[]))));
    let link = scalars(
        &[
            "name",
            "type",
            "group",
            "id_name",
            "relationship",
            "module",
            "bean_name",
        ],
        &[],
    );
    Shape::only(
        vec![
            ("module_name", Shape::Scalar),
            ("table_name", Shape::Scalar),
            ("module_fields", Shape::each(Shape::only(field, &[]))),
            ("link_fields", Shape::each(link)),
        ],
        &["module_name"],
    )
}
