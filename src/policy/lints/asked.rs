//! Fields that conditions ask for and nobody knows: what they ask for would never be known, and so would hide everything.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::vocabulary::{Field, Module};

use super::super::codes;
use super::super::model::Compared;
use super::Looked;

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    for compared in &looked.model.compared {
        let modules = unknown(looked, compared);
        if modules.is_empty() {
            continue;
        }
        let modules: Vec<&str> = modules.into_iter().map(Module::as_str).collect();
        let field = &compared.field;
        let title = format!("no field `{field}` of {} is known", modules.join(", "));
        found.push(
            Diagnostic::warning(codes::ASKED_UNKNOWN, title)
                .at(&compared.place, "if the CRM has none, this never holds")
                .help("is it written as in the CRM? If so, classify it"),
        );
    }
}

/// The modules whose records are asked for a field that they are not known to have. A rule for all modules may ask for one
/// that some of them have.
fn unknown<'a>(looked: &'a Looked<'_>, compared: &'a Compared) -> BTreeSet<&'a Module> {
    let unknown = |module: &&Module| !knows(looked, module, &compared.field);
    let all = looked.model.classes.modules.keys();
    match &compared.modules {
        Some(modules) => modules.iter().filter(unknown).collect(),
        None if all.clone().all(|module| unknown(&module)) => all.collect(),
        None => BTreeSet::new(),
    }
}

fn knows(looked: &Looked<'_>, module: &Module, field: &Field) -> bool {
    let has = |name: &str| {
        let mut schemas = looked.schemas.iter();
        schemas.any(|schema| schema.has_field(module, name))
    };
    !looked.model.classes.of(module, field).is_empty() || has(field.as_str())
}
