//! What records are asked for: read from the arguments of a route, and written back as such.

use serde_json::{Map, Value, json};

use super::description::{Page, Route, Segment, Select, Zero};
use super::fields::Asked;
use super::grammar;
use crate::dialect::carriers::{Arguments, Name, is_blank, put};
use crate::dialect::{Bounds, Path, Predicate, Projected, Query};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::intern;

/// Fields of a projection.
const FIELDS_MAX: usize = 1_000;
/// Digits of a number.
const DIGITS_MAX: usize = 10;
/// Digits of a number that is counted from one, which every reader takes for the same.
const COUNTED_DIGITS_MAX: usize = 9;
/// Bytes of a text to search for.
const SEARCH_BYTES_MAX: usize = 1_000;

/// Keys of what is remembered beside a query.
pub(super) const SOURCES: &str = "sources";
const SELECTED: &str = "selected";
const PAGE: &str = "page";
const CURSOR: &str = "cursor";
const SENT: &str = "sent";
const ORDERED: &str = "ordered";

/// A filter that stands in the path.
const IN_PATH: usize = usize::MAX;

/// Reads the arguments of a route. What is neither a query nor a write is put into `fixed`.
pub(super) fn read(
    arguments: &mut Arguments,
    route: &Route,
    asked: Option<Asked<'_>>,
    bounds: &Bounds,
    fixed: &mut Map<String, Value>,
) -> Result<Query, Objection> {
    let word = asked.map(|asked| asked.word);
    let mut query = Query::default();
    for predicate in &route.predicates {
        predicate.lift(arguments, word)?;
    }
    sent(arguments, route, word, fixed)?;
    for name in &route.dropped {
        arguments.take_at(name, word);
    }
    query.projection = match &route.select {
        None => None,
        Some(Select::Text { names, separator }) => {
            projection(arguments, names, *separator, word, fixed)?
        }
        Some(Select::ByModule(name)) => by_module(arguments, name, asked)?,
    };
    compared(arguments, route, asked, &mut query, fixed)?;
    if let Some(page) = &route.page {
        paging(arguments, page, word, bounds, &mut query, fixed)?;
    }
    if let Some(name) = &route.search {
        query.search = arguments
            .text_at(name, word)?
            .filter(|text| !text.is_empty());
        if query
            .search
            .as_ref()
            .is_some_and(|text| text.len() > SEARCH_BYTES_MAX || text.chars().any(char::is_control))
        {
            return Err(Reason::MalformedQuery.into());
        }
    }
    about_caller(arguments, route, word, &mut query)?;
    Ok(query)
}

/// Reads what records are compared with, and by what they are ordered.
fn compared(
    arguments: &mut Arguments,
    route: &Route,
    asked: Option<Asked<'_>>,
    query: &mut Query,
    fixed: &mut Map<String, Value>,
) -> Result<(), Reason> {
    let Some(asked) = asked else {
        return Ok(());
    };
    let scope = asked.scope();
    let (mut parts, mut sources) = (Vec::new(), Vec::new());
    for (number, predicate) in route.predicates.iter().enumerate() {
        if let Some((filter, name)) = predicate.read(arguments, scope)? {
            parts.push(filter);
            sources.push(json!([number, name]));
        }
    }
    if route.is_plain() {
        query.predicate = parts.pop();
    } else if !parts.is_empty() {
        query.predicate = Some(Predicate::All(parts));
        fixed.insert(SOURCES.to_owned(), Value::Array(sources));
    }
    for (number, order) in route.orders.iter().enumerate() {
        let sorts = order.read(arguments, scope)?;
        if sorts.is_empty() {
            continue;
        }
        if !query.order.is_empty() {
            return Err(Reason::DuplicateParameter);
        }
        query.order = sorts;
        if number > 0 {
            fixed.insert(ORDERED.to_owned(), number.into());
        }
    }
    Ok(())
}

/// Adds the fields that a record is looked up by in the path.
pub(super) fn looked_up_by(
    query: &mut Query,
    fixed: &mut Map<String, Value>,
    by: Vec<(String, String)>,
) {
    if by.is_empty() {
        return;
    }
    let part = |(field, value): (String, String)| Predicate::Field {
        path: Path { link: None, field },
        operator: None,
        value: Value::String(value),
    };
    let by = Predicate::All(by.into_iter().map(part).collect());
    let sources = fixed
        .entry(SOURCES)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(sources) = sources {
        sources.push(json!([IN_PATH, 0]));
    }
    match &mut query.predicate {
        Some(Predicate::All(parts)) => parts.push(by),
        _ => query.predicate = Some(Predicate::All(vec![by])),
    }
}

impl Route {
    /// Whether one style in one parameter says all of which records are meant.
    fn is_plain(&self) -> bool {
        let by = |place: &Segment| matches!(place, Segment::By(_));
        matches!(self.predicates.as_slice(), [one] if one.is_whole())
            && !self.template.iter().any(by)
    }
}

impl Page {
    /// A number of rows, or of a page.
    fn read(&self, text: &str) -> Option<u64> {
        let digits_max = match self.zero {
            Zero::Refused => COUNTED_DIGITS_MAX,
            Zero::None | Zero::All => DIGITS_MAX,
        };
        let is_number = text.len() <= digits_max && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number)?;
        (number > 0 || self.zero != Zero::Refused).then_some(number)
    }

    /// The number of a page of so many rows.
    fn number_of(&self, query: &Query, fixed: &Map<String, Value>) -> Option<(&Name, Value)> {
        let (name, first) = self.number.as_ref()?;
        if self.offset.is_some() {
            return fixed.get(PAGE).map(|number| (name, number.clone()));
        }
        let rows = u64::from(query.limit.or(self.default)?);
        Some((name, (query.offset? / rows.max(1) + first).into()))
    }
}

/// The value that stands in the path for a field.
pub(super) fn in_path<'a>(
    query: &'a Query,
    fixed: &Map<String, Value>,
    field: &str,
) -> Option<&'a str> {
    let parts = parts(query, fixed)
        .find(|(_, predicate, _)| *predicate == IN_PATH)?
        .0;
    let Predicate::All(parts) = parts else {
        return None;
    };
    parts.iter().find_map(|part| match part {
        Predicate::Field { path, value, .. } if path.field == field => value.as_str(),
        _ => None,
    })
}

/// The parts of a filter, with the predicate that each came from and the parameter that carried it.
fn parts<'a>(
    query: &'a Query,
    fixed: &Map<String, Value>,
) -> impl Iterator<Item = (&'a Predicate, usize, usize)> {
    let sources: Vec<(usize, usize)> = fixed
        .get(SOURCES)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|source| {
            let number = |at: usize| {
                source
                    .get(at)?
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok())
            };
            Some((number(0)?, number(1)?))
        })
        .collect();
    let filters = match &query.predicate {
        Some(Predicate::All(parts)) => parts.as_slice(),
        _ => &[],
    };
    filters
        .iter()
        .zip(sources)
        .map(|(filter, (predicate, name))| (filter, predicate, name))
}

fn sent(
    arguments: &mut Arguments,
    route: &Route,
    word: Option<&str>,
    fixed: &mut Map<String, Value>,
) -> Result<(), Reason> {
    let mut sent = Map::new();
    for (number, (name, values)) in route.fixed.iter().enumerate() {
        match arguments.text_at(name, word)? {
            None => {}
            Some(text) if values.contains(&text) => {
                sent.insert(number.to_string(), Value::String(text));
            }
            Some(_) => return Err(Reason::UnknownParameter),
        }
    }
    if !sent.is_empty() {
        fixed.insert(SENT.to_owned(), Value::Object(sent));
    }
    Ok(())
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

fn paging(
    arguments: &mut Arguments,
    page: &Page,
    word: Option<&str>,
    bounds: &Bounds,
    query: &mut Query,
    fixed: &mut Map<String, Value>,
) -> Result<(), Objection> {
    let mut number = |name: &Name| {
        let text = arguments.text_at(name, word);
        match text.map_err(|_| Reason::MalformedPage)? {
            None => Ok(None),
            Some(text) => page.read(&text).map(Some).ok_or(Reason::MalformedPage),
        }
    };
    let max = page
        .max
        .map_or(bounds.page_max, |max| max.min(bounds.page_max));
    let stated = number(&page.size)?;
    // What nobody states is what the API sends then: its own number of rows, or all.
    let wish = match stated {
        Some(0) if page.zero == Zero::All => u64::MAX,
        Some(rows) => rows,
        None => page.default.map_or(u64::MAX, u64::from),
    };
    let is_cut = wish > u64::from(max);
    if is_cut && !page.tells_more {
        return Err(Objection::page_too_large(max));
    }
    query.limit = match stated {
        _ if is_cut => Some(max),
        None => None,
        Some(_) => u32::try_from(wish).ok(),
    };
    if let Some(name) = &page.offset {
        query.offset = number(name)?;
    }
    if let Some((name, first)) = &page.number
        && let Some(asked) = number(name)?
    {
        if is_cut && asked > *first {
            // Pages of another size are other rows.
            return Err(Objection::page_too_large(max));
        }
        let rows = query.limit.or(page.default).unwrap_or(max);
        query.offset = Some(asked.saturating_sub(*first).saturating_mul(u64::from(rows)));
        if page.offset.is_some() {
            fixed.insert(PAGE.to_owned(), asked.into());
        }
    }
    if let Some(name) = &page.cursor
        && let Some(cursor) = arguments.text_at(name, word)?
    {
        if !grammar::is_cursor(&cursor) {
            return Err(Reason::MalformedPage.into());
        }
        fixed.insert(CURSOR.to_owned(), cursor.into());
    }
    // What stands in place of a map of a size and a number is no page.
    let rest = page
        .size
        .0
        .first()
        .and_then(|base| arguments.take_unless_map(base));
    match is_blank(rest.as_ref()) {
        true => Ok(()),
        false => Err(Reason::MalformedPage.into()),
    }
}

fn about_caller(
    arguments: &mut Arguments,
    route: &Route,
    word: Option<&str>,
    query: &mut Query,
) -> Result<(), Reason> {
    for (name, words) in &route.about_caller {
        let Some(value) = arguments.take_at(name, word) else {
            continue;
        };
        if words.is_empty() {
            let flag = match value {
                Value::Bool(flag) => flag,
                Value::String(text) if text == "1" || text == "true" => true,
                Value::String(text) if text == "0" || text == "false" => false,
                _ => return Err(Reason::MalformedQuery),
            };
            query.about_caller.push((flag_name(name), flag));
            continue;
        }
        let asked = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in asked {
            let known = words.iter().find(|known| item.as_str() == Some(**known));
            let known = known.ok_or(Reason::StoredQuery)?;
            if query.about_caller.iter().all(|(word, _)| word != known) {
                query.about_caller.push((known, true));
            }
        }
    }
    Ok(())
}

/// The name of a flag; names come from the description.
fn flag_name(name: &Name) -> &'static str {
    intern(&name.0.join("."))
}

/// Writes a query as arguments.
pub(super) fn write(
    query: &Query,
    fixed: &Map<String, Value>,
    route: &Route,
    asked: Option<Asked<'_>>,
) -> Map<String, Value> {
    let word = asked.map(|asked| asked.word);
    let mut tree = Map::new();
    for (number, value) in fixed
        .get(SENT)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let name = number
            .parse::<usize>()
            .ok()
            .and_then(|number| route.fixed.get(number));
        if let Some((name, _)) = name {
            put(&mut tree, name, word, value.clone());
        }
    }
    write_projection(query, fixed, route, word, &mut tree);
    if let (Some(page), Some(limit)) = (&route.page, query.limit) {
        put(&mut tree, &page.size, word, limit.into());
    }
    if let Some(page) = &route.page {
        if let (Some(name), Some(offset)) = (&page.offset, query.offset) {
            put(&mut tree, name, word, offset.into());
        }
        if let (Some(name), Some(cursor)) = (&page.cursor, fixed.get(CURSOR)) {
            put(&mut tree, name, word, cursor.clone());
        }
        if let Some((name, number)) = page.number_of(query, fixed) {
            put(&mut tree, name, word, number);
        }
    }
    if let (Some(name), Some(text)) = (&route.search, &query.search) {
        put(&mut tree, name, word, text.as_str().into());
    }
    write_about_caller(query, route, word, &mut tree);
    let Some(asked) = &asked else {
        return tree;
    };
    let scope = asked.scope();
    let ordered = fixed.get(ORDERED).and_then(Value::as_u64);
    let number = ordered.and_then(|number| usize::try_from(number).ok());
    if let Some(order) = route.orders.get(number.unwrap_or_default()) {
        order.write(&query.order, scope, &mut tree);
    }
    if let (true, Some(filter), [style]) = (
        route.is_plain(),
        &query.predicate,
        route.predicates.as_slice(),
    ) {
        style.write(filter, 0, scope, &mut tree);
        return tree;
    }
    for (filter, number, name) in parts(query, fixed) {
        if let Some(predicate) = route.predicates.get(number) {
            predicate.write(filter, name, scope, &mut tree);
        }
    }
    tree
}

fn write_projection(
    query: &Query,
    fixed: &Map<String, Value>,
    route: &Route,
    word: Option<&str>,
    tree: &mut Map<String, Value>,
) {
    let (Some(select), Some(fields)) = (&route.select, &query.projection) else {
        return;
    };
    let fields = fields.iter().filter_map(|item| match item {
        Projected::Field(field) => Some(field.as_str()),
        Projected::Collection { .. } => None,
    });
    let fields: Vec<&str> = fields.collect();
    let (names, separator) = match select {
        Select::Text { names, separator } => (names.as_slice(), *separator),
        Select::ByModule(name) => (std::slice::from_ref(name), ','),
    };
    let selected = fixed.get(SELECTED).and_then(Value::as_array);
    let selected = |at: usize| selected.and_then(|selected| selected.get(at));
    let number = selected(0).and_then(Value::as_u64).unwrap_or(0);
    let is_list = selected(1).and_then(Value::as_bool).unwrap_or(false);
    let name = usize::try_from(number)
        .ok()
        .and_then(|number| names.get(number));
    let value = match is_list {
        true => fields.into(),
        false => fields.join(&separator.to_string()).into(),
    };
    if let Some(name) = name {
        put(tree, name, word, value);
    }
}

fn write_about_caller(
    query: &Query,
    route: &Route,
    word: Option<&str>,
    tree: &mut Map<String, Value>,
) {
    for (name, words) in &route.about_caller {
        if words.is_empty() {
            let flag = query
                .about_caller
                .iter()
                .find(|(known, _)| *known == flag_name(name));
            if let Some((_, flag)) = flag {
                put(tree, name, word, Value::Bool(*flag));
            }
            continue;
        }
        let asked = query
            .about_caller
            .iter()
            .filter(|(known, _)| words.contains(known));
        let asked: Vec<Value> = asked.map(|(known, _)| Value::from(*known)).collect();
        if !asked.is_empty() {
            put(tree, name, word, Value::Array(asked));
        }
    }
}
