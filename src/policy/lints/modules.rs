//! Modules that the CRM is not known to have: a slip of the pen there makes a module known that nobody asks for, and leaves
//! the one that was meant refused.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::dialect::Schema;
use crate::vocabulary::Module;

use super::super::codes;
use super::Looked;
use super::words::listed;

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    let own: Vec<&Module> = looked.model.classes.modules.keys().collect();
    let knowing: Vec<&Schema> = looked
        .schemas
        .iter()
        .map(|schema| &**schema)
        .filter(|schema| !schema.modules().is_empty())
        .collect();
    if own.is_empty() || knowing.len() < looked.schemas.len() {
        return;
    }
    let all: BTreeSet<Module> = knowing.iter().flat_map(|schema| schema.modules()).collect();
    let is_known = |module: &Module| {
        // What an installation adds, or a part of it brings along.
        let is_added =
            module.as_str().contains('_') && knowing.iter().any(|schema| schema.names_all_fields());
        all.contains(module) || is_added
    };
    let unknown: Vec<&Module> = own
        .iter()
        .copied()
        .filter(|module| !is_known(module))
        .collect();
    // A policy that is checked with all schemas may be for none of them.
    let is_meant = knowing.len() == 1 || 2 * unknown.len() <= own.len();
    let told: Vec<&Module> = match is_meant {
        true => unknown.clone(),
        false => unknown
            .iter()
            .copied()
            .filter(|module| slip(module, &all).is_some())
            .collect(),
    };
    for module in &told {
        found.push(warning(looked, module, &all));
    }
    if told.is_empty() && !unknown.is_empty() && !is_meant {
        let title = format!(
            "{} are no modules of the CRMs that are built in",
            listed(unknown)
        );
        found.push(Diagnostic::note(codes::OTHER_CRM, title).help(
            "check it with the API that it is for: `--dialect`, `--description` or `--config`",
        ));
    }
}

fn warning(looked: &Looked<'_>, module: &Module, all: &BTreeSet<Module>) -> Diagnostic {
    let title = format!("the CRM is not known to have a module `{module}`");
    let mut warning = Diagnostic::warning(codes::UNKNOWN_TO_CRM, title);
    let section = looked.model.classes.modules.get(module);
    if let Some(place) = section.and_then(|section| section.place.as_ref()) {
        warning = warning.at(place, "requests for the module that was meant are refused");
    }
    match nearest(module.as_str(), all.iter().map(Module::as_str)) {
        Some(near) => warning.help(format!("did you mean `{near}`?")),
        None => warning.help("write it as the CRM's API does; case matters"),
    }
}

/// The module that a name is a slip of the pen for: more than its case or its last letter is wrong.
fn slip<'a>(module: &Module, all: &'a BTreeSet<Module>) -> Option<&'a str> {
    let name = module.as_str();
    let near = nearest(name, all.iter().map(Module::as_str))?;
    // Some CRMs name a module by one record, some by many.
    let plain = |name: &str| {
        let name = name.to_ascii_lowercase();
        match name.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => name.trim_end_matches('s').to_owned(),
        }
    };
    let same_start = name.chars().next() == near.chars().next();
    (same_start && plain(name) != plain(near)).then_some(near)
}
