//! Names of links and tables, stock or known beside it.

use crate::dialect::schema::stock::delivered::of_sugar_v4;
use crate::dialect::schema::{Modules, Schema};
use crate::dialect::{Link, Operation, Origin};
use crate::vocabulary::{Module, intern};

/// Links to the addresses of a record, which are ruled by its own e-mail field.
pub(super) const ADDRESSES: &[&str] = &["email_addresses", "email_addresses_primary"];

/// The module of addresses as records of their own.
pub(super) const ADDRESS_MODULE: &str = "EmailAddresses";

/// The table that addresses lie in.
pub(super) const ADDRESS_TABLE: &str = "email_addresses";

/// A link of a module, with its target. What is stock cannot be known otherwise.
pub(super) fn link(schema: &Schema, module: &Module, name: &str) -> Option<Link> {
    Some(Link {
        name: name.to_owned(),
        target: schema.target(module, name)?,
    })
}

/// The name of a stock module, which a reply must tell if it tells one.
pub(super) fn stock_name(module: &Module) -> Option<&'static str> {
    let is_stock = of_sugar_v4().has_module(module);
    is_stock.then(|| intern(module.as_str()))
}

/// Whether a field is composed by the CRM whenever a record is saved, so that writing it changes nothing. Lists compose it
/// in another way than single records, so a record that is written back may hold a name that nobody typed.
pub(super) fn is_composed(module: &Module, field: &str) -> bool {
    let name = of_sugar_v4().origin(&Modules::default(), module, "name");
    matches!(field, "name" | "full_name") && matches!(name, Origin::Copy { of, .. } if of.len() > 1)
}

/// The table that the records of a module lie in.
pub(super) fn table(schema: &Schema, module: &Module) -> String {
    let stock = schema.stock().table(module);
    stock
        .or_else(|| schema.beside().get(module)?.table.as_deref())
        .map_or_else(|| module.as_str().to_ascii_lowercase(), str::to_owned)
}

/// The table that the records behind a link lie in.
pub(super) fn table_behind(schema: &Schema, link: &Link) -> String {
    match ADDRESSES.contains(&link.name.as_str()) {
        true => ADDRESS_TABLE.to_owned(),
        false => table(schema, &link.target),
    }
}

/// The table of the records that an operation asks for.
pub(super) fn of_table(schema: &Schema, operation: &Operation) -> String {
    match (&operation.link, &operation.module) {
        (Some(link), _) => table_behind(schema, link),
        (None, Some(module)) => table(schema, module),
        (None, None) => String::new(),
    }
}
