//! What records are asked for: read from the arguments of a route, and written back as such.

use serde_json::{Map, Value, json};

use super::description::Route;
use super::fields::Asked;
use super::listing::{Listing, Page, Zero};
use super::projection::{self, Terms};
use super::{confined, grammar};
use crate::dialect::carriers::{Arguments, Name, flag, is_blank, put};
use crate::dialect::{Bounds, Path, Predicate, Query};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::intern;

/// Digits of a number.
const DIGITS_MAX: usize = 10;
/// Digits of a number that is counted from one, which every reader takes for the same.
const COUNTED_DIGITS_MAX: usize = 9;

/// Keys of what is remembered beside a query.
pub(super) const SOURCES: &str = "sources";
const PAGE: &str = "page";
const CURSOR: &str = "cursor";
const VIEW: &str = "view";
pub(super) const ORDERED: &str = "ordered";

/// A filter that stands in the path.
const IN_PATH: usize = usize::MAX;

/// Reads the arguments of a route. What is neither a query nor a write is put into `fixed`.
pub(super) fn read(
    arguments: &mut Arguments,
    route: &Route,
    terms: Terms<'_>,
    fixed: &mut Map<String, Value>,
) -> Result<Query, Objection> {
    let word = terms.asked.map(|asked| asked.word);
    for predicate in &route.listing.predicates {
        predicate.lift(arguments, word)?;
    }
    confined::read(arguments, &route.confined, word, fixed)?;
    let mut query = page(arguments, terms, fixed)?;
    if let Some(search) = &route.search {
        query.search = search.read(arguments, word)?;
        if search.alone && query.search.is_some() && query.predicate.is_some() {
            return Err(Reason::SearchWithFilter.into());
        }
    }
    about_caller(arguments, route, word, &mut query)?;
    Ok(query)
}

/// Reads what lists have in common, those of records within records among them.
pub(super) fn page(
    arguments: &mut Arguments,
    terms: Terms<'_>,
    fixed: &mut Map<String, Value>,
) -> Result<Query, Objection> {
    let Terms { listing, asked, .. } = terms;
    let mut query = Query::default();
    if let Some(select) = &listing.select {
        query.projection = select.read(arguments, terms, fixed)?;
    }
    compared(arguments, listing, asked, &mut query, fixed)?;
    if let Some(page) = &listing.page {
        let word = asked.map(|asked| asked.word);
        paging(arguments, page, word, terms.bounds, &mut query, fixed)?;
    }
    Ok(query)
}

/// Reads what records are compared with, and by what they are ordered.
fn compared(
    arguments: &mut Arguments,
    listing: &Listing,
    asked: Option<Asked<'_>>,
    query: &mut Query,
    fixed: &mut Map<String, Value>,
) -> Result<(), Reason> {
    let Some(asked) = asked else {
        return Ok(());
    };
    let scope = asked.scope();
    let (mut parts, mut sources) = (Vec::new(), Vec::new());
    for (number, predicate) in listing.predicates.iter().enumerate() {
        if let Some((filter, name)) = predicate.read(arguments, scope)? {
            parts.push(filter);
            sources.push(json!([number, name]));
        }
    }
    if listing.is_plain {
        query.predicate = parts.pop();
    } else if !parts.is_empty() {
        query.predicate = Some(Predicate::All(parts));
        fixed.insert(SOURCES.to_owned(), Value::Array(sources));
    }
    for (number, order) in listing.orders.iter().enumerate() {
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

impl Page {
    /// A number of rows to skip, or of any that may be 0.
    fn read(&self, text: &str) -> Option<u64> {
        let digits_max = match self.zero {
            Zero::Refused => COUNTED_DIGITS_MAX,
            Zero::None | Zero::All => DIGITS_MAX,
        };
        let is_number = text.len() <= digits_max && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    }

    /// A number of rows, or of a page.
    fn read_counted(&self, text: &str) -> Option<u64> {
        let number = self.read(text);
        number.filter(|number| *number > 0 || self.zero != Zero::Refused)
    }

    /// A number of rows that are wanted, which may be all.
    fn wish(&self, text: &str) -> Option<u64> {
        match &self.all {
            Some(all) if all == text => Some(u64::MAX),
            _ => self.read_counted(text),
        }
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

/// The field of which it is asked what it may hold.
pub(super) fn told_of(query: &Query) -> Option<&str> {
    match &query.predicate {
        Some(Predicate::All(parts)) => match parts.as_slice() {
            [Predicate::Field { path, .. }] => Some(&path.field),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a view is asked for, in which fields are.
pub(super) fn has_view(fixed: &Map<String, Value>, route: &Route) -> bool {
    confined::sends(fixed, route, VIEW)
}

/// Forgets the page that was asked for; whether a word says where to go on.
pub(super) fn forget_page(fixed: &mut Map<String, Value>) -> bool {
    fixed.shift_remove(PAGE);
    fixed.contains_key(CURSOR)
}

/// The parts of a filter, with the predicate that each came from and the parameter that carried it.
pub(super) fn parts<'a>(
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

fn paging(
    arguments: &mut Arguments,
    page: &Page,
    word: Option<&str>,
    bounds: &Bounds,
    query: &mut Query,
    fixed: &mut Map<String, Value>,
) -> Result<(), Objection> {
    let mut number = |name: &Name, read: fn(&Page, &str) -> Option<u64>| {
        let text = arguments.text_at(name, word);
        match text.map_err(|_| Reason::MalformedPage)? {
            None => Ok(None),
            Some(text) => read(page, &text).map(Some).ok_or(Reason::MalformedPage),
        }
    };
    let max = page
        .max
        .map_or(bounds.page_max, |max| max.min(bounds.page_max));
    let stated = number(&page.size, Page::wish)?;
    // What nobody states is what the API sends then: its own number of rows, or all.
    let wish = match stated {
        Some(0) if page.zero == Zero::All => u64::MAX,
        Some(rows) => rows,
        None if page.keeps_default => 0,
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
        query.offset = number(name, Page::read)?;
    }
    if let Some((name, first)) = &page.number
        && let Some(asked) = number(name, Page::read_counted)?
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
            let flag = flag(&value).ok_or(Reason::MalformedQuery)?;
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
    confined::write(fixed, route, word, &mut tree);
    let listing = (&route.listing, asked);
    write_shown(query, fixed, listing, &mut tree);
    if let (Some(search), Some(text)) = (&route.search, &query.search) {
        put(&mut tree, &search.at, word, text.as_str().into());
    }
    write_about_caller(query, route, word, &mut tree);
    write_compared(query, fixed, listing, &mut tree);
    tree
}

/// Writes what lists have in common, those of records within records among them.
pub(super) fn write_page(
    query: &Query,
    fixed: &Map<String, Value>,
    listing: (&Listing, Option<Asked<'_>>),
    tree: &mut Map<String, Value>,
) {
    write_shown(query, fixed, listing, tree);
    write_compared(query, fixed, listing, tree);
}

/// Writes what is shown of records, and how many.
fn write_shown(
    query: &Query,
    fixed: &Map<String, Value>,
    (listing, asked): (&Listing, Option<Asked<'_>>),
    tree: &mut Map<String, Value>,
) {
    let word = asked.map(|asked| asked.word);
    projection::write(query, fixed, (listing, asked), tree);
    if let Some(page) = &listing.page {
        if let Some(limit) = query.limit {
            put(tree, &page.size, word, limit.into());
        }
        if let (Some(name), Some(offset)) = (&page.offset, query.offset) {
            put(tree, name, word, offset.into());
        }
        if let (Some(name), Some(cursor)) = (&page.cursor, fixed.get(CURSOR)) {
            put(tree, name, word, cursor.clone());
        }
        if let Some((name, number)) = page.number_of(query, fixed) {
            put(tree, name, word, number);
        }
    }
}

/// Writes what records are compared with, and by what they are ordered.
fn write_compared(
    query: &Query,
    fixed: &Map<String, Value>,
    (listing, asked): (&Listing, Option<Asked<'_>>),
    tree: &mut Map<String, Value>,
) {
    let Some(asked) = &asked else {
        return;
    };
    let scope = asked.scope();
    let ordered = fixed.get(ORDERED).and_then(Value::as_u64);
    let number = ordered.and_then(|number| usize::try_from(number).ok());
    if let Some(order) = listing.orders.get(number.unwrap_or_default()) {
        order.write(&query.order, scope, tree);
    }
    if let (true, Some(filter), [style]) = (
        listing.is_plain,
        &query.predicate,
        listing.predicates.as_slice(),
    ) {
        return style.write(filter, 0, scope, tree);
    }
    for (filter, number, name) in parts(query, fixed) {
        if let Some(predicate) = listing.predicates.get(number) {
            predicate.write(filter, name, scope, tree);
        }
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
