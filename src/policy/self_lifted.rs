//! Rules that ask for what those may change whom they are for: who writes the field chooses what they see.
//!
//! A record that a row rule keeps away cannot be written either, so a row counts only where somebody may write the field for
//! a purpose, or by a role, for which the rule does not hold. Who writes the field outside the proxy no rule can say.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::condition::{Condition, Subject};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::dialect::Schema;
use crate::vocabulary::{Category, Field, FieldPath, Module, Purpose, Role, RuleName};

use super::codes;
use super::engine::Situation;
use super::judge::{Core, View};
use super::model::{Bit, Cap, Model, about};
use super::plan::Writable;
use super::proof;

/// A rule that asks something of records.
struct Asking<'a> {
    kind: &'static str,
    name: &'a RuleName,
    place: &'a Place,
    condition: &'a Condition,
    /// The modules whose records it asks; `None`: each.
    modules: Option<&'a BTreeSet<Module>>,
    /// What nobody writes while it holds.
    unwritten: &'a [Category],
    /// Whether it is for these callers.
    is_for: Box<dyn Fn(&Situation) -> bool + 'a>,
}

pub(super) fn warn(core: &Core, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    let asking = asking(&core.model);
    if asking.is_empty() {
        return;
    }
    let in_schema = |schema: &Arc<Schema>| Arc::new(core.in_schema(schema.clone()));
    let views: Vec<View> = schemas
        .iter()
        .map(in_schema)
        .flat_map(|core| {
            let situations = situations(&core.model).into_iter();
            situations.map(move |one| View::new(core.clone(), one))
        })
        .collect();
    for rule in &asking {
        let mut fields = BTreeSet::new();
        rule.condition.each_subject(&mut |subject| {
            if let Subject::Record(field) = subject {
                fields.insert(field.clone());
            }
        });
        for field in fields {
            if let Some((path, roles)) = writers(&core.model, &views, rule, &field) {
                found.push(warning(rule, &path, &roles));
            }
        }
    }
}

fn asking(model: &Model) -> Vec<Asking<'_>> {
    let condition = |bit: Option<Bit>| {
        let noted = model.conditions.get(usize::from(bit?.0))?;
        noted
            .condition
            .is_about_records()
            .then_some(&noted.condition)
    };
    let grants = model.grants.iter().filter_map(|grant| {
        Some(Asking {
            kind: "grant",
            name: &grant.name,
            place: &grant.place,
            condition: condition(grant.when)?,
            modules: None,
            unwritten: &[],
            is_for: Box::new(move |situation| !grant.roles.is_disjoint(&situation.roles)),
        })
    });
    let restriction = |cap: &Cap| {
        let mut restrictions = model.restrictions.iter();
        restrictions.find(|restriction| restriction.row.name == cap.name)
    };
    let caps = model.caps.iter().filter_map(|cap| {
        let restriction = restriction(cap);
        Some(Asking {
            kind: "cap",
            name: &cap.name,
            place: &cap.place,
            condition: condition(cap.when)?,
            modules: restriction.map(|one| &one.row.modules),
            unwritten: restriction.map_or(&[], |_| cap.data.as_slice()),
            is_for: Box::new(move |situation| cap.is_for(situation)),
        })
    });
    let rows = model.rows.iter().map(|row| Asking {
        kind: "row",
        name: &row.name,
        place: &row.place,
        condition: &row.keep_when,
        modules: Some(&row.modules),
        unwritten: &[],
        // Whom it is for cannot write what it keeps from them.
        is_for: Box::new(move |situation| {
            let mut modules = row.modules.iter();
            modules.any(|module| !row.matches(situation, module))
        }),
    });
    grants.chain(caps).chain(rows).collect()
}

/// Each role alone, for each purpose, with everything that it may prove, as most can be written.
fn situations(model: &Model) -> Vec<Situation> {
    let facts = proof::used_at_most(model);
    let strengths: BTreeSet<String> = model.strengths.keys().cloned().collect();
    let alone = |(purpose, role): (&Purpose, &Role)| Situation {
        roles: BTreeSet::from([role.clone()]),
        purpose: Some(purpose.clone()),
        strengths: strengths.clone(),
        facts,
        ..Situation::default()
    };
    let purposes = model.purposes.iter();
    let all = purposes
        .flat_map(|(purpose, declared)| declared.roles.iter().map(move |role| (purpose, role)));
    all.map(alone).collect()
}

/// Those who may write a field on which a rule for them depends, and where first.
fn writers(
    model: &Model,
    views: &[View],
    rule: &Asking<'_>,
    field: &Field,
) -> Option<(FieldPath, BTreeSet<Role>)> {
    let modules = model.classes.modules.keys();
    let meant = |module: &&Module| rule.modules.is_none_or(|modules| modules.contains(*module));
    for module in modules.filter(meant) {
        let categories = model.classes.of(module, field);
        if categories.iter().any(|own| about(rule.unwritten, own)) {
            continue;
        }
        // What nobody classified is not written.
        let mut roles = BTreeSet::new();
        for view in views.iter().filter(|view| (rule.is_for)(&view.situation)) {
            let is_known =
                view.core.schema.has_field(module, field.as_str()) || !categories.is_empty();
            if is_known && view.rule(module, field).writable != Writable::No {
                roles.extend(view.situation.roles.iter().cloned());
            }
        }
        if rule.kind == "row" {
            roles.retain(|role| is_held(model, rule, role));
        }
        if !roles.is_empty() {
            let path = FieldPath {
                module: module.clone(),
                field: field.clone(),
            };
            return Some((path, roles));
        }
    }
    None
}

/// Whether a row rule is for a role for some purpose: else nothing is gained.
fn is_held(model: &Model, rule: &Asking<'_>, role: &Role) -> bool {
    situations(model)
        .iter()
        .filter(|situation| situation.roles.contains(role))
        .any(|situation| !(rule.is_for)(situation))
}

fn warning(rule: &Asking<'_>, path: &FieldPath, roles: &BTreeSet<Role>) -> Diagnostic {
    let roles: Vec<String> = roles.iter().map(|role| quoted(role.as_str())).collect();
    let (module, field) = (&path.module, &path.field);
    let title = format!(
        "{} {} asks for `{field}` of {module}, which {} may write",
        rule.kind,
        quoted(rule.name.as_str()),
        roles.join(", "),
    );
    Diagnostic::warning(codes::SELF_LIFTED, title)
        .at(rule.place, "whoever it is for can change what it gives them")
        .help(format!(
            "ask for a field that they may not write, or refuse the write: put `{field}` in a category of its own with a \
             cap that says `write: deny`",
        ))
}
