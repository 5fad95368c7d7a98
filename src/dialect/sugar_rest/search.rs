//! A text that is looked for in several modules: `/search`, and `/globalsearch`, which only the search engine answers.
//!
//! The CRM searches every module that it can where a request names none. Which of them the policy lets be searched, nobody
//! here knows, and a reply about fewer modules than were meant would not tell: so the modules are named.

use serde_json::{Map, Value, json};

use super::{Context, filter, projection, query, route};
use crate::dialect::carriers::{Arguments, flag, is_blank};
use crate::dialect::{Operation, Query, Sort};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Modules of one search.
const MODULES_MAX: usize = 50;

/// The argument that names them.
const MODULES: &str = "module_list";

/// What a search may give beside its records: passages with values, counts of values, records of tags. A value that says
/// "no" is dropped.
const BESIDE: &[&str] = &["mod_aggs", "tags", "xmod_aggs"];
/// Filters by values that are counted, and by tags. Empty ones are dropped.
const FILTERS: &[&str] = &["agg_filters", "filters", "tag_filters"];
/// Passages around what was found, whatever the field. They are never asked for, whatever is said.
const HIGHLIGHTS: &str = "highlights";

/// Takes the arguments of a search into an operation.
pub(super) fn read(
    arguments: &mut Arguments,
    operation: &mut Operation,
    is_global: bool,
    terms: &Context<'_>,
) -> Result<(), Objection> {
    let mut modules = modules(arguments, operation.module.take())?.into_iter();
    let first = modules.next().ok_or(Reason::MalformedQuery)?;
    let mut query = Query {
        search: query::search_text(arguments)?,
        beside: modules.collect(),
        ..Query::default()
    };
    if query.search.is_none() {
        // Some versions would list every record.
        return Err(Reason::MalformedQuery.into());
    }
    if let Some(value) = arguments.take("max_num") {
        query.limit = query::limit(&value, terms.bounds.page_max)?;
    }
    query.offset = query::offset(arguments)?;
    query::refuse_stored(arguments, query::STORED)?;
    if is_global {
        query.order = sort(arguments.take("sort"), &first, terms)?;
        refuse_beside(arguments)?;
    } else {
        if let Some(value) = arguments.take("fields") {
            query.projection = projection::read(&value, &first, terms, 0)?;
        }
        if let Some(value) = arguments.take("order_by") {
            query.order = query::order(&value, &first, terms)?;
        }
        query::about_caller(arguments, &mut query)?;
    }
    if query.order.iter().any(|sort| sort.path.link.is_some()) {
        // A link means something in one module only.
        return Err(Reason::MalformedOrder.into());
    }
    operation.module = Some(first);
    operation.query = query;
    Ok(())
}

/// The modules to search, each once: the one in the path, or those that are listed.
fn modules(arguments: &mut Arguments, own: Option<Module>) -> Result<Vec<Module>, Reason> {
    let listed = match arguments.take(MODULES) {
        value if is_blank(value.as_ref()) => Vec::new(),
        Some(Value::String(names)) => names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| route::may_be_module(name).then(|| Module::new(name)))
            .collect::<Option<Vec<_>>>()
            .ok_or(Reason::UnknownModule)?,
        // The CRM would take a list for none at all.
        _ => return Err(Reason::MalformedQuery),
    };
    let mut sorted: Vec<&Module> = listed.iter().collect();
    sorted.sort();
    sorted.dedup();
    if sorted.len() != listed.len() {
        return Err(Reason::DuplicateParameter);
    }
    match own {
        _ if listed.len() > MODULES_MAX => Err(Reason::MalformedQuery),
        None => Ok(listed),
        Some(own) if listed.is_empty() || listed == [own.clone()] => Ok(vec![own]),
        // The CRM would look at the path only.
        Some(_) => Err(Reason::MalformedQuery),
    }
}

/// `{"date_modified": "desc"}`
fn sort(value: Option<Value>, own: &Module, terms: &Context<'_>) -> Result<Vec<Sort>, Reason> {
    let members = match value {
        Some(Value::Object(members)) if members.len() > query::SORTS_MAX => {
            return Err(Reason::MalformedOrder);
        }
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) if items.is_empty() => return Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => return Ok(Vec::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(Reason::MalformedOrder),
    };
    let key = |(name, direction): (String, Value)| {
        let direction = direction.as_str().ok_or(Reason::MalformedOrder)?;
        query::sort(&format!("{name}:{direction}"), own, terms)
    };
    members.into_iter().map(key).collect()
}

fn refuse_beside(arguments: &mut Arguments) -> Result<(), Objection> {
    arguments.take(HIGHLIGHTS);
    for name in BESIDE {
        let value = arguments.take(name);
        if !is_blank(value.as_ref()) && value.as_ref().and_then(flag) != Some(false) {
            return Err(Objection::parameter(name));
        }
    }
    for name in FILTERS {
        let is_empty = match arguments.take(name) {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(members)) => members.is_empty(),
            value => is_blank(value.as_ref()),
        };
        if !is_empty {
            return Err(Objection::parameter(name));
        }
    }
    Ok(())
}

/// Writes a search back as arguments.
pub(super) fn render(operation: &Operation, is_global: bool) -> Map<String, Value> {
    let mut arguments = query::render(&operation.query);
    if operation.rendering.form.contains("{module}") {
        // The path names it.
    } else {
        let own = operation.module.iter();
        let names = own.chain(&operation.query.beside).map(Module::as_str);
        let names = names.collect::<Vec<_>>().join(",");
        arguments.insert(MODULES.to_owned(), names.into());
    }
    if is_global {
        arguments.shift_remove("order_by");
        if !operation.query.order.is_empty() {
            let key = |sort: &Sort| {
                let direction = if sort.descending { "desc" } else { "asc" };
                (filter::path_text(&sort.path), json!(direction))
            };
            let sort: Map<String, Value> = operation.query.order.iter().map(key).collect();
            arguments.insert("sort".to_owned(), sort.into());
        }
        // A word would be a "yes" to PHP.
        arguments.insert(HIGHLIGHTS.to_owned(), json!(false));
    }
    arguments
}
