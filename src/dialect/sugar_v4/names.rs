//! Names of links and tables, stock or known beside it.

use super::links;
use crate::dialect::Link;
use crate::dialect::schema::Schema;
use crate::vocabulary::Module;

/// A link of a module, with its target. What is stock cannot be known otherwise.
pub(super) fn link(schema: &Schema, module: &Module, name: &str) -> Option<Link> {
    Some(Link {
        name: name.to_owned(),
        target: schema.target(module, name)?,
    })
}

/// The module that a stock link leads to. Addresses are ruled by the record that owns them.
pub(super) fn target(module: &Module, name: &str) -> Option<Module> {
    match links::ADDRESSES.contains(&name) {
        true => Some(module.clone()),
        false => links::target(module, name),
    }
}

/// The table that the records of a module lie in.
pub(super) fn table(schema: &Schema, module: &Module) -> String {
    links::table(module)
        .or_else(|| schema.beside().get(module)?.table.as_deref())
        .map_or_else(|| module.as_str().to_ascii_lowercase(), str::to_owned)
}

/// The table that the records behind a link lie in.
pub(super) fn table_behind(schema: &Schema, link: &Link) -> String {
    match links::ADDRESSES.contains(&link.name.as_str()) {
        true => links::ADDRESS_TABLE.to_owned(),
        false => table(schema, &link.target),
    }
}
