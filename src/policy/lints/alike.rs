//! Roles that nobody can have one without the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::Role;

use super::super::codes;
use super::super::model::{Model, RoleModel};

pub(super) fn warn(model: &Model, found: &mut Diagnostics) {
    let mut first: BTreeMap<_, (&Role, &RoleModel)> = BTreeMap::new();
    for (name, role) in &model.roles {
        let evidence: BTreeSet<(&str, BTreeSet<&String>)> = role
            .from
            .iter()
            .map(|(kind, values)| (kind.as_str(), values.iter().collect()))
            .collect();
        match first.get(&evidence) {
            None => {
                first.insert(evidence, (name, role));
            }
            Some((other, declared)) => {
                let title = format!(
                    "roles {} and {} rest on the same evidence",
                    quoted(other.as_str()),
                    quoted(name.as_str())
                );
                found.push(
                    Diagnostic::warning(codes::SAME_EVIDENCE, title)
                        .at(&role.place, "whoever has this role has the other one, too")
                        .also(&declared.place, "the other one")
                        .help("keep one of them, or tell them apart by other evidence: grants of both add up"),
                );
            }
        }
    }
}
