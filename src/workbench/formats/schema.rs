//! Schema files: what a CRM has beside the stock of its dialect.

use serde_json::Value;

use super::parts::{
    any_of, entries, flag, formed, key, map, needs, needs_one_of, one_or_list, suggested,
};
use crate::dialect;

pub(super) fn schema() -> Value {
    let root = map([
        key(
            "schema",
            dialect_name(),
            "The dialect to whose stock the file adds.",
        ),
        key(
            "modules",
            entries(name("Boats"), module()),
            "Modules, as the CRM writes them.",
        ),
    ]);
    needs(root, &["schema", "modules"])
}

fn dialect_name() -> Value {
    let known = dialect::NAMES.iter().map(|name| (*name).to_owned());
    suggested(known, formed("^[a-z0-9-]{1,40}$", "kontor"))
}

fn name(example: &str) -> Value {
    formed("^[A-Za-z0-9_-]{1,128}$", example)
}

fn module() -> Value {
    map([
        key(
            "fields",
            entries(name("size_c"), field()),
            "Its fields beside the stock.",
        ),
        key(
            "links",
            entries(name("crew"), link()),
            "Its links beside the stock, and where they lead.",
        ),
        key(
            "table",
            formed("^[A-Za-z0-9_]{1,128}$", "boats"),
            "Its table, where that is not its name in lower case. For dialects that send SQL.",
        ),
    ])
}

fn field() -> Value {
    let keys = map([
        key(
            "type",
            name("int"),
            "The type of its values, in the CRM's word.",
        ),
        key(
            "copies",
            one_or_list(formed("^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$", "Boats.name")),
            "The fields that it copies. It is shown, matched and written as those are.",
        ),
        key(
            "secret",
            flag(),
            "Never shown, matched or written, whatever a policy says.",
        ),
    ]);
    any_of([name("int"), keys])
}

fn link() -> Value {
    let keys = map([
        key("to", name("Boats"), "The module that it leads to."),
        key(
            "relationship",
            name("boats_crew"),
            "The relationship, of which the other end has a link too.",
        ),
    ]);
    any_of([
        name("Boats"),
        needs_one_of(keys, &[&["to"], &["relationship"]]),
    ])
}
