//! Accounts of the CRM are people too: fields of theirs that a rule for all records shows; and roles that nearly every
//! account has.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Level, Module, Role};

use super::super::codes;
use super::super::model::{Evidence, RoleModel};
use super::Looked;
use super::words::{listed, roles};

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    let mut accounts: BTreeSet<Module> = BTreeSet::new();
    for schema in looked.schemas {
        accounts.extend(schema.accounts().iter().cloned());
    }
    for module in &accounts {
        found.push_any(reached(looked, module));
    }
    for (role, declared) in &looked.model.roles {
        found.push_any(everybodys(looked, role, declared));
    }
}

/// Groups of categories that say of a colleague no more than what the work needs.
const OF_WORK: &[&str] = &["technical", "work", "commercial", "consent_record"];

/// Fields of accounts that only the section of all modules classifies, and that somebody is shown.
fn reached(looked: &Looked<'_>, module: &Module) -> Option<Diagnostic> {
    let classes = &looked.model.classes;
    let own = classes.modules.get(module)?;
    let of_work = |category: &Category| {
        let mut groups = OF_WORK.iter();
        groups.any(|group| Category::new(group).covers(category))
    };
    let mut fields: BTreeMap<String, BTreeSet<&Role>> = BTreeMap::new();
    let schemas = looked.schemas.iter();
    for schema in schemas.filter(|schema| schema.accounts().contains(module)) {
        for field in looked.fields(schema, module) {
            let is_own = own.exact.contains_key(&field)
                || own
                    .wildcards
                    .iter()
                    .any(|wildcard| wildcard.pattern.fits(&field));
            let categories = classes.of(module, &field);
            if is_own || categories.iter().all(of_work) {
                continue;
            }
            let seen = looked.sight.seen_by(&categories, Level::Token);
            if !seen.is_empty() {
                fields.entry(field.to_string()).or_default().extend(seen);
            }
        }
    }
    let seen: BTreeSet<&Role> = fields.values().flatten().copied().collect();
    let first = fields.keys().next()?;
    let title = format!(
        "section `\"*\"` reaches {module}, and shows {} of colleagues to {}",
        listed(fields.keys()),
        roles(&seen),
    );
    let warning = Diagnostic::warning(codes::REACHES_ACCOUNTS, title).help(format!(
        "say in the section of {module} what these are of a colleague, such as `{first}: colleague.private` with a category \
         of your own that nobody is granted: a field in two categories gets the lowest of their levels"
    ));
    let label = "only the section of all modules classifies them";
    Some(match &own.place {
        Some(place) => warning.at(place, label),
        None => warning,
    })
}

/// Words that CRMs use for the type of accounts that are nothing special.
const USUAL: &[&str] = &[
    "user",
    "users",
    "regular",
    "regular user",
    "regularuser",
    "normal",
    "standard",
    "default",
    "internal",
    "employee",
    "staff",
    "member",
    "0",
    "false",
    "no",
];

/// Whether nothing but a type that most accounts have makes a role.
fn is_everybodys(role: &RoleModel) -> bool {
    let is_usual = |value: &String| USUAL.contains(&value.to_ascii_lowercase().as_str());
    !role.from.is_empty()
        && role
            .from
            .iter()
            .all(|(evidence, values)| *evidence == Evidence::CrmType && values.iter().any(is_usual))
}

fn everybodys(looked: &Looked<'_>, role: &Role, declared: &RoleModel) -> Option<Diagnostic> {
    if !is_everybodys(declared) {
        return None;
    }
    let model = looked.model;
    let others: Vec<&Role> = model
        .roles
        .iter()
        .filter(|(other, declared)| *other != role && !is_everybodys(declared))
        .map(|(other, _)| other)
        .collect();
    // A role for everybody is one that gives no more than each other role does.
    let more: Vec<&Category> = model
        .categories
        .keys()
        .filter(|category| {
            let own = looked.sight.most(role, category);
            others
                .iter()
                .any(|other| looked.sight.most(other, category) < own)
        })
        .collect();
    if more.is_empty() {
        return None;
    }
    let behind: BTreeSet<&Role> = others
        .into_iter()
        .filter(|other| {
            let less = |category: &&Category| {
                looked.sight.most(other, category) < looked.sight.most(role, category)
            };
            more.iter().any(less)
        })
        .collect();
    let title = format!(
        "nearly every account of the CRM has role {}: {} of it reaches those of {} too",
        quoted(role.as_str()),
        listed(&more),
        roles(&behind),
    );
    Some(
        Diagnostic::warning(codes::EVERYBODYS_KIND, title)
            .at(&declared.place, "`crm.type` tells administrators from all others, and nothing more")
            .help("add other evidence, such as `crm.role: \"…\"`: everything listed in one `from` must hold"),
    )
}
