//! `search_by_module`: one text looked for in several modules. Each module is a search of its own.

use serde_json::{Value, json};

use super::arguments::{Arguments, flag, words};
use super::understand::{Making, project, set};
use super::{grammar, query};
use crate::dialect::{Operation, Path, Predicate, Understood, reread};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Bytes of a search text.
const SEARCH_BYTES_MAX: usize = 1_000;

/// What a search means.
pub(super) fn understood(
    making: &Making<'_>,
    arguments: &mut Arguments,
) -> Result<Understood<Operation>, Objection> {
    let text = text(&arguments.text("search_string")?)?;
    let modules = words(arguments.list("modules")?, grammar::is_module);
    let modules = modules.ok_or(Reason::MalformedQuery)?;
    let mut part = making.blank();
    part.query.search = Some(text);
    query::silent_page(
        arguments,
        "max_results",
        making.bounds.page_max,
        &mut part.query,
    )?;
    let owner = arguments.text("assigned_user_id")?;
    if !owner.is_empty() {
        part.query.predicate = Some(assigned_to(owner)?);
    }
    let fields = query::plain_fields(arguments, "select_fields")?;
    project(&mut part, fields);
    // Whether modules that the CRM leaves out of its global search are searched too. What is searched in a module is
    // the same, and listed by the policy.
    let unified = arguments.take("unified_search_only");
    let unified = unified.map_or(Some(true), |value| flag(&value));
    set(
        &mut part,
        "unified_search_only",
        json!(unified.ok_or(Reason::MalformedQuery)?),
    );
    if arguments.flag("favorites")? {
        part.query.about_caller.push(("favorites", true));
    }
    Ok(each(making, part, &modules)?)
}

/// The text that is looked for, as the CRM will read it. It quotes it by itself, and more than once.
fn text(stated: &str) -> Result<String, Reason> {
    let text = reread::settled(stated).filter(|text| {
        stated.len() <= SEARCH_BYTES_MAX && !text.trim().is_empty() && reread::is_searchable(text)
    });
    text.ok_or(Reason::MalformedQuery)
}

fn assigned_to(owner: String) -> Result<Predicate, Reason> {
    if !grammar::is_id(&owner) {
        return Err(Reason::MalformedQuery);
    }
    Ok(Predicate::Field {
        path: Path {
            link: None,
            field: "assigned_user_id".to_owned(),
        },
        operator: Some("="),
        value: Value::String(owner),
    })
}

/// The same search in each module. Without a module, the CRM would choose.
fn each(
    making: &Making<'_>,
    part: Operation,
    modules: &[String],
) -> Result<Understood<Operation>, Reason> {
    let mut parts: Vec<Operation> = Vec::new();
    for name in modules {
        let module = Some(Module::new(name));
        if parts.iter().any(|part| part.module == module) {
            return Err(Reason::DuplicateParameter);
        }
        parts.push(Operation {
            module,
            ..part.clone()
        });
    }
    match (parts.len(), parts.pop()) {
        (_, None) => Err(Reason::MalformedQuery),
        (1, Some(only)) => Ok(Understood::One(only)),
        (_, Some(last)) => {
            parts.push(last);
            making.bulk(parts)
        }
    }
}
