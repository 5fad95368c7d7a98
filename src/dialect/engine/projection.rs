//! Which fields are asked for, in the ways in which APIs write that.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::description::Name;
use super::fields::Asked;
use super::listing::{Listing, Select, Within};
use super::{confined, grammar, query};
use crate::dialect::carriers::{Arguments, put};
use crate::dialect::{Bounds, Link, Projected, Query};
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;

/// Fields of a projection.
const FIELDS_MAX: usize = 1_000;
/// The same, of one that may ask for records within records.
const ITEMS_MAX: usize = 500;
/// Lists of records within records in one projection: each is a request of its own for every row.
const COLLECTIONS_MAX: usize = 10;

/// The key of what is remembered beside a query.
const SELECTED: &str = "selected";

/// How records are asked for, of whom, and by what that is bounded.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) listing: &'a Listing,
    pub(super) asked: Option<Asked<'a>>,
    pub(super) bounds: &'a Bounds,
    /// How many lists of records may still lie in each other.
    pub(super) depth: usize,
}

impl Select {
    /// Takes a projection.
    pub(super) fn read(
        &self,
        arguments: &mut Arguments,
        terms: Terms<'_>,
        fixed: &mut Map<String, Value>,
    ) -> Result<Option<Vec<Projected>>, Objection> {
        let word = terms.asked.map(|asked| asked.word);
        match self {
            Self::Text { names, separator } => {
                Ok(projection(arguments, names, *separator, word, fixed)?)
            }
            Self::ByModule(name) => Ok(by_module(arguments, name, terms.asked)?),
            Self::Names { at, within } => match (arguments.take_at(at, word), terms.asked) {
                (None, _) => Ok(None),
                (Some(value), Some(asked)) => {
                    let within = asked.description.within.as_ref().filter(|_| *within);
                    names(value, (asked, within), terms)
                }
                (Some(_), None) => Err(Reason::MalformedProjection.into()),
            },
        }
    }
}

fn projection(
    arguments: &mut Arguments,
    names: &[Name],
    separator: char,
    word: Option<&str>,
    fixed: &mut Map<String, Value>,
) -> Result<Option<Vec<Projected>>, Reason> {
    let mut found: Option<Vec<Projected>> = None;
    for (number, name) in names.iter().enumerate() {
        let (fields, is_list): (Vec<String>, bool) = match arguments.take_at(name, word) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => {
                let fields = text.split(separator).map(|field| field.trim().to_owned());
                (fields.filter(|field| !field.is_empty()).collect(), false)
            }
            Some(Value::Array(items)) => {
                let fields = items.into_iter().map(|item| match item {
                    Value::String(field) => Ok(field),
                    _ => Err(Reason::MalformedProjection),
                });
                (fields.collect::<Result<_, _>>()?, true)
            }
            Some(_) => return Err(Reason::MalformedProjection),
        };
        if found.is_some() {
            return Err(Reason::DuplicateParameter);
        }
        if fields.len() > FIELDS_MAX || !fields.iter().all(|field| grammar::is_field(field)) {
            return Err(Reason::MalformedProjection);
        }
        // No field at all would mean every field to somebody.
        if fields.is_empty() {
            continue;
        }
        fixed.insert(SELECTED.to_owned(), json!([number, is_list]));
        found = Some(fields.into_iter().map(Projected::Field).collect());
    }
    Ok(found)
}

/// Takes the names of fields below that of their module, by whichever of its names. The API would take those of another
/// module, and look them up in this one.
fn by_module(
    arguments: &mut Arguments,
    name: &Name,
    asked: Option<Asked<'_>>,
) -> Result<Option<Vec<Projected>>, Reason> {
    let Some(value) = name.0.first().and_then(|base| arguments.take(base)) else {
        return Ok(None);
    };
    let (Value::Object(by_module), Some(asked)) = (value, asked) else {
        return Err(Reason::MalformedProjection);
    };
    let mut by_module = by_module.into_iter();
    let (Some((module, Value::String(names))), None) = (by_module.next(), by_module.next()) else {
        return Err(Reason::MalformedProjection);
    };
    let description = asked.description;
    let names: Vec<&str> = names
        .split(',')
        .map(|name| name.trim_matches(' '))
        .collect();
    if description.module_named(&module).as_ref() != Some(asked.module)
        || names.len() > FIELDS_MAX
        || !names.iter().all(|name| description.names.is_field(name))
    {
        return Err(Reason::MalformedProjection);
    }
    let mut projection: Vec<Projected> = Vec::new();
    for name in names {
        let item = Projected::Field(name.to_owned());
        if !projection.contains(&item) {
            projection.push(item);
        }
    }
    Ok(Some(projection))
}

/// Reads names, and requests for records within records.
fn names(
    value: Value,
    (asked, within): (Asked<'_>, Option<&Within>),
    terms: Terms<'_>,
) -> Result<Option<Vec<Projected>>, Objection> {
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) if text.starts_with('[') => {
            match json::read(text.as_bytes(), asked.depth_max) {
                Ok(Value::Array(items)) => items,
                _ => return Err(Reason::MalformedProjection.into()),
            }
        }
        Value::String(text) => text.split(',').map(|name| name.trim().into()).collect(),
        _ => return Err(Reason::MalformedProjection.into()),
    };
    if items.is_empty() {
        return Ok(None);
    }
    if items.len() > ITEMS_MAX {
        return Err(Reason::MalformedProjection.into());
    }
    let mut reader = Names {
        asked,
        within,
        terms,
        collections_left: COLLECTIONS_MAX,
        seen: HashSet::new(),
        projection: Vec::new(),
    };
    items.into_iter().try_for_each(|item| reader.item(item))?;
    Ok(Some(reader.projection))
}

struct Names<'a> {
    asked: Asked<'a>,
    within: Option<&'a Within>,
    terms: Terms<'a>,
    collections_left: usize,
    seen: HashSet<String>,
    projection: Vec<Projected>,
}

impl Names<'_> {
    fn item(&mut self, item: Value) -> Result<(), Objection> {
        match item {
            Value::String(name) if self.asked.description.names.is_field(&name) => {
                // Said twice is said once, if nothing more is said of it.
                if self.seen.insert(name.to_ascii_lowercase()) {
                    self.projection.push(Projected::Field(name));
                } else if self.is_collection(&name) {
                    return Err(Reason::MalformedProjection.into());
                }
                Ok(())
            }
            Value::Object(members) => self.collection(members),
            _ => Err(Reason::MalformedProjection.into()),
        }
    }

    fn is_collection(&self, name: &str) -> bool {
        self.projection.iter().any(
            |item| matches!(item, Projected::Collection { link, .. } if link.name.eq_ignore_ascii_case(name)),
        )
    }

    fn collection(&mut self, members: Map<String, Value>) -> Result<(), Objection> {
        let depth = self.terms.depth.checked_sub(1);
        let left = self.collections_left.checked_sub(1);
        let (Some(within), Some(depth), Some(left)) = (self.within, depth, left) else {
            return Err(Reason::MalformedProjection.into());
        };
        self.collections_left = left;
        let mut arguments = Arguments::unless_blank(members);
        let name = match arguments.take(&within.name) {
            Some(Value::String(name)) if self.asked.description.names.is_link(&name) => name,
            _ => return Err(Reason::MalformedProjection.into()),
        };
        if !self.seen.insert(name.to_ascii_lowercase()) {
            return Err(Reason::MalformedProjection.into());
        }
        let link = self.asked.link(&name).ok_or(Reason::UnknownLink)?;
        let query = self.behind(&mut arguments, &link, (within, depth))?;
        arguments
            .finish()
            .map_err(|_| Reason::MalformedProjection)?;
        self.projection.push(Projected::Collection { link, query });
        Ok(())
    }

    /// What is asked of the records behind a link.
    fn behind(
        &self,
        arguments: &mut Arguments,
        link: &Link,
        (within, depth): (&Within, usize),
    ) -> Result<Query, Objection> {
        let terms = Terms {
            listing: &within.listing,
            asked: Some(self.asked.behind(link)),
            depth,
            bounds: self.terms.bounds,
        };
        let word = terms.asked.map(|asked| asked.word);
        confined::read(arguments, &within.confined, word, &mut Map::new())?;
        // Of such a request, nothing but the query is to be remembered: `check` sees to that.
        query::page(arguments, terms, &mut Map::new())
    }
}

/// Writes a projection.
pub(super) fn write(
    query: &Query,
    fixed: &Map<String, Value>,
    (listing, asked): (&Listing, Option<Asked<'_>>),
    tree: &mut Map<String, Value>,
) {
    let (Some(select), Some(items)) = (&listing.select, &query.projection) else {
        return;
    };
    let word = asked.map(|asked| asked.word);
    let field = |item: &Projected| match item {
        Projected::Field(field) => Some(field.clone()),
        Projected::Collection { .. } => None,
    };
    let fields = || items.iter().filter_map(field).collect::<Vec<_>>();
    let (names, separator) = match select {
        Select::Text { names, separator } => (names.as_slice(), *separator),
        Select::ByModule(name) => (std::slice::from_ref(name), ','),
        Select::Names { at, .. } => {
            if let Some(asked) = asked {
                put(tree, at, word, listed(items, asked));
            }
            return;
        }
    };
    let selected = fixed.get(SELECTED).and_then(Value::as_array);
    let selected = |at: usize| selected.and_then(|selected| selected.get(at));
    let number = selected(0).and_then(Value::as_u64).unwrap_or(0);
    let is_list = selected(1).and_then(Value::as_bool).unwrap_or(false);
    let name = usize::try_from(number)
        .ok()
        .and_then(|number| names.get(number));
    let value = match is_list {
        true => fields().into(),
        false => fields().join(&separator.to_string()).into(),
    };
    if let Some(name) = name {
        put(tree, name, word, value);
    }
}

/// A text, where it can be one, else a list. Without any field it is the id: no fields at all would mean every one.
fn listed(items: &[Projected], asked: Asked<'_>) -> Value {
    if items.is_empty() {
        return "id".into();
    }
    let name = |item: &Projected| match item {
        Projected::Field(name) => Some(name.clone()),
        Projected::Collection { .. } => None,
    };
    if let Some(names) = items.iter().map(name).collect::<Option<Vec<_>>>() {
        return names.join(",").into();
    }
    let item = |item: &Projected| match item {
        Projected::Field(name) => name.as_str().into(),
        Projected::Collection { link, query } => collection(link, query, asked),
    };
    let list: Value = items.iter().map(item).collect();
    match asked.in_query {
        true => list.to_string().into(),
        false => list,
    }
}

fn collection(link: &Link, query: &Query, asked: Asked<'_>) -> Value {
    let Some(within) = &asked.description.within else {
        return Value::Null;
    };
    let mut members = Map::from_iter([(within.name.clone(), json!(link.name))]);
    let listing = (&within.listing, Some(asked.behind(link)));
    query::write_page(query, &Map::new(), listing, &mut members);
    // Inside an object it must be a list.
    if let Some(Select::Names { at, .. }) = &within.listing.select
        && let [name] = at.0.as_slice()
        && let Some(Value::String(names)) = members.get(name)
    {
        let names: Value = names.split(',').collect();
        members.insert(name.clone(), names);
    }
    Value::Object(members)
}
