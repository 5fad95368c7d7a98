//! Roles that rest on what callers can change: whoever may write it could choose their own role.
//!
//! Only fields count that the dialect names, and only as far as one role alone may write them. Who is linked to which
//! role or team no rule can say.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::dialect::{Schema, Told};
use crate::vocabulary::{FieldPath, Purpose, Role};

use super::codes;
use super::engine::{Facts, Situation};
use super::judge::{Core, View};
use super::model::{Applies, Evidence, Model};
use super::plan::{FieldRule, Writable};

/// Those who may write a field, and why the first of them may.
struct Writers {
    roles: BTreeSet<Role>,
    purpose: Purpose,
    rule: FieldRule,
}

pub(super) fn warn(core: &Core, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    let cores = schemas
        .iter()
        .map(|schema| Arc::new(core.in_schema(schema.clone())))
        .collect::<Vec<_>>();
    for (role, declared) in &core.model.roles {
        for (evidence, _) in &declared.from {
            // A hole in one dialect is one, whatever the others are.
            let writers = cores
                .iter()
                .find_map(|core| writers_of_evidence(core, *evidence, role));
            if let Some(writers) = writers {
                found.push(warning(&core.model, role, *evidence, &writers));
            }
        }
    }
}

fn writers_of_evidence(core: &Arc<Core>, evidence: Evidence, role: &Role) -> Option<Writers> {
    let told = match evidence {
        Evidence::CrmUser => Told::Name,
        Evidence::CrmType => Told::Kind,
        Evidence::CrmRole => Told::Role,
        Evidence::CrmTeam => Told::Team,
        // The CRM does not tell it.
        Evidence::ClaimRoles
        | Evidence::Token
        | Evidence::Key
        | Evidence::Certificate
        | Evidence::FrontRoles
        | Evidence::FrontUser => return None,
    };
    core.schema
        .identifying()
        .iter()
        .filter(|(tells, path)| *tells == told && core.model.classes.knows(&path.module))
        .find_map(|(_, path)| writers(core, path, role))
}

/// The roles that may write a field, as far as that gains somebody a role.
fn writers(core: &Arc<Core>, path: &FieldPath, gained: &Role) -> Option<Writers> {
    let mut writers: Option<Writers> = None;
    for (purpose, declared) in &core.model.purposes {
        for role in &declared.roles {
            if role == gained && !is_capped(&core.model, gained) {
                continue;
            }
            let situation = Situation {
                roles: BTreeSet::from([role.clone()]),
                purpose: Some(purpose.clone()),
                // Whoever can prove something may do so.
                strengths: core.model.strengths.keys().cloned().collect(),
                facts: Facts::Most,
                ..Situation::default()
            };
            let rule = View::new(core.clone(), situation).rule(&path.module, &path.field);
            if rule.writable != Writable::No {
                let first = || Writers {
                    roles: BTreeSet::new(),
                    purpose: purpose.clone(),
                    rule,
                };
                let writers = writers.get_or_insert_with(first);
                writers.roles.insert(role.clone());
            }
        }
    }
    writers
}

/// Whether a cap is for this role. Whoever has the role already gains nothing by writing what tells it, but may lose a
/// cap.
fn is_capped(model: &Model, role: &Role) -> bool {
    model
        .caps
        .iter()
        .any(|cap| matches!(&cap.applies, Applies::Roles(roles) if roles.contains(role)))
}

fn warning(model: &Model, role: &Role, evidence: Evidence, writers: &Writers) -> Diagnostic {
    let (module, field) = (&writers.rule.module, &writers.rule.field);
    let names: Vec<String> = writers
        .roles
        .iter()
        .map(|role| quoted(role.as_str()))
        .collect();
    let title = format!(
        "role {} rests on `{field}` of {module}, which {} may write",
        quoted(role.as_str()),
        names.join(", "),
    );
    let mut warning = Diagnostic::warning(codes::SELF_MADE, title).help(format!(
        "use other evidence, or refuse the write: put `{field}` in a category of its own with a cap that says \
         `write: deny`, or, where a description says what may be written, take the update of {module} out of it",
    ));
    if let Some(declared) = model.roles.get(role) {
        let label = format!("`{}` is told by that field", evidence.as_str());
        warning = warning.at(&declared.place, label);
    }
    let by = &writers.rule.by;
    match model.grants.iter().find(|grant| by.contains(&grant.name)) {
        Some(grant) => {
            let purpose = quoted(writers.purpose.as_str());
            let label = format!("this grant makes it writable, for purpose {purpose}");
            warning.also(&grant.place, label)
        }
        None => warning,
    }
}
