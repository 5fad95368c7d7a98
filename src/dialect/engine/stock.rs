//! What a description says of the CRM's data, as stock: everything but what the requests are.

use std::collections::BTreeMap;

use super::description::Description;
use super::identifying;
use crate::dialect::schema::Stock;
use crate::dialect::schema::stock::{ModuleStock, Rights, Source};

/// The stock of a description.
pub(super) fn of(description: &Description) -> Stock {
    let (accounts, rights) = identifying::rights(description);
    let modules = description.modules.iter().map(|known| {
        let algebra = &known.algebra;
        let sources = algebra.origins.iter();
        let sources = sources.map(|(name, origin)| (name.clone(), Source::Fixed(origin.clone())));
        let said = ModuleStock {
            fields: algebra.fields.clone(),
            sources: sources.collect(),
            lengths: algebra.lengths.clone(),
            ..ModuleStock::default()
        };
        (known.module.clone(), said)
    });
    Stock {
        name: description.name,
        display: description.display.clone(),
        known: description
            .modules
            .iter()
            .map(|known| known.module.clone())
            .collect(),
        everywhere: ModuleStock::default(),
        groups: Vec::new(),
        modules: modules.collect(),
        endings: Vec::new(),
        mirrors: BTreeMap::new(),
        links_are_blank: false,
        administration: identifying::administration(description),
        accounts,
        rights: Rights::Guessed(rights),
        identifying: identifying::fields(description),
        unread: description.unread(),
        // It names those that something is to be said of.
        names_all_fields: false,
    }
}
