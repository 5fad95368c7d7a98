//! What records are asked for: projection, filter, order, search, page. Read from arguments, and written back.

use serde_json::{Map, Value, json};

use super::{Context, filter, projection};
use crate::dialect::carriers::{Arguments, flag, is_blank};
use crate::dialect::{Query, Sort, reread};
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Bytes of a search text.
const SEARCH_BYTES_MAX: usize = 1_000;
/// Keys of an order.
pub(super) const SORTS_MAX: usize = 20;
/// Digits of a number.
const DIGITS_MAX: usize = 9;

/// Arguments that let the CRM choose what is asked for, or ask for what is gone. A value that says "no" is dropped.
pub(super) const STORED: &[&str] = &["filter_id", "view", "deleted", "erased_fields"];

/// An argument that names the fields of one of the CRM's own layouts, and the layouts that every installation has. What they
/// hold, the CRM chooses, as it does where no field is named: each field of the reply is held to the policy, and a layout
/// filters, sorts and searches nothing.
pub(super) const VIEW: &str = "view";
const VIEWS: &[&str] = &[
    "list",
    "preview",
    "record",
    "selection-list",
    "subpanel-list",
];

/// Whether the CRM shall note that the caller has seen the record, for a list of what was seen last. It is not asked to.
pub(super) const VIEWED: &str = "viewed";

/// An argument beside an order.
pub(super) const NULLS_LAST: &str = "nulls_last";

/// Filters about the caller.
const ABOUT_CALLER: &[&str] = &["my_items", "favorites"];

/// Takes the arguments of a list or a count.
pub(super) fn list(
    arguments: &mut Arguments,
    own: &Module,
    terms: &Context<'_>,
) -> Result<Query, Reason> {
    let mut query = page(arguments, own, terms, projection::DEPTH_MAX)?;
    query.search = search_text(arguments)?;
    if query.search.is_some() && query.predicate.is_some() {
        return Err(Reason::SearchWithFilter);
    }
    about_caller(arguments, &mut query)?;
    Ok(query)
}

/// Takes a text to search for.
pub(super) fn search_text(arguments: &mut Arguments) -> Result<Option<String>, Reason> {
    match arguments.take("q") {
        value if is_blank(value.as_ref()) => Ok(None),
        Some(Value::String(text))
            if text.len() <= SEARCH_BYTES_MAX
                && !text.chars().any(char::is_control)
                && reread::names_no_field(&text) =>
        {
            Ok(Some(text))
        }
        _ => Err(Reason::MalformedQuery),
    }
}

/// Takes the filters about the caller.
pub(super) fn about_caller(arguments: &mut Arguments, query: &mut Query) -> Result<(), Reason> {
    for name in ABOUT_CALLER {
        match arguments.take(name) {
            value if is_blank(value.as_ref()) => {}
            value => {
                let wanted = value.as_ref().and_then(flag);
                let wanted = wanted.ok_or(Reason::MalformedQuery)?;
                query.about_caller.push((name, wanted));
            }
        }
    }
    Ok(())
}

/// Takes the layout whose fields are asked for.
pub(super) fn view(arguments: &mut Arguments) -> Result<Option<&'static str>, Reason> {
    match arguments.take(VIEW) {
        value if is_blank(value.as_ref()) => Ok(None),
        value => {
            let known = VIEWS
                .iter()
                .find(|known| value.as_ref().and_then(Value::as_str) == Some(known));
            known.copied().map(Some).ok_or(Reason::StoredQuery)
        }
    }
}

/// Takes whether the caller's having seen the record shall be noted, which is left out.
pub(super) fn viewed(arguments: &mut Arguments) -> Result<(), Reason> {
    match arguments.take(VIEWED) {
        value if is_blank(value.as_ref()) => Ok(()),
        value => match value.as_ref().and_then(flag) {
            Some(_) => Ok(()),
            None => Err(Reason::MalformedQuery),
        },
    }
}

/// Takes whether records without a value come last in an order. That they need not, is no argument.
pub(super) fn nulls_last(arguments: &mut Arguments) -> Result<bool, Reason> {
    match arguments.take(NULLS_LAST) {
        value if is_blank(value.as_ref()) => Ok(false),
        value => value.as_ref().and_then(flag).ok_or(Reason::MalformedOrder),
    }
}

/// Takes the arguments that lists and collections share.
pub(super) fn page(
    arguments: &mut Arguments,
    own: &Module,
    terms: &Context<'_>,
    collections_deep: usize,
) -> Result<Query, Reason> {
    let mut query = fields(arguments, own, terms, collections_deep)?;
    if let Some(value) = arguments.take("filter") {
        query.predicate = filter::read(&value, own, terms)?;
    }
    if let Some(value) = arguments.take("order_by") {
        query.order = order(&value, own, terms)?;
    }
    if let Some(value) = arguments.take("max_num") {
        query.limit = limit(&value, terms.bounds.page_max)?;
    }
    query.offset = offset(arguments)?;
    Ok(query)
}

/// Takes the rows to skip.
pub(super) fn offset(arguments: &mut Arguments) -> Result<Option<u64>, Reason> {
    match arguments.take("offset") {
        Some(value) if !is_blank(Some(&value)) => {
            let rows = number(&value).ok_or(Reason::MalformedPage)?;
            Ok(Some(rows.into()))
        }
        _ => Ok(None),
    }
}

/// Takes the arguments of a request that only chooses fields.
pub(super) fn fields(
    arguments: &mut Arguments,
    own: &Module,
    terms: &Context<'_>,
    collections_deep: usize,
) -> Result<Query, Reason> {
    refuse_stored(arguments, STORED)?;
    let projection = match arguments.take("fields") {
        Some(value) => projection::read(&value, own, terms, collections_deep)?,
        None => None,
    };
    Ok(Query {
        projection,
        ..Query::default()
    })
}

/// Takes arguments of [`STORED`] out, and refuses them if they say anything.
pub(super) fn refuse_stored(arguments: &mut Arguments, names: &[&str]) -> Result<(), Reason> {
    for name in names {
        let value = arguments.take(name);
        if !is_blank(value.as_ref()) && value.as_ref().and_then(flag) != Some(false) {
            return Err(Reason::StoredQuery);
        }
    }
    Ok(())
}

pub(super) fn order(value: &Value, own: &Module, terms: &Context<'_>) -> Result<Vec<Sort>, Reason> {
    if is_blank(Some(value)) {
        return Ok(Vec::new());
    }
    let text = value.as_str().ok_or(Reason::MalformedOrder)?;
    if text.split(',').count() > SORTS_MAX {
        return Err(Reason::MalformedOrder);
    }
    text.split(',')
        .map(|item| sort(item.trim(), own, terms))
        .collect()
}

pub(super) fn sort(item: &str, own: &Module, terms: &Context<'_>) -> Result<Sort, Reason> {
    let (name, direction) = item.split_once(':').unwrap_or((item, "asc"));
    let descending = match direction.to_ascii_lowercase().as_str() {
        "asc" => false,
        "desc" => true,
        _ => return Err(Reason::MalformedOrder),
    };
    Ok(Sort {
        path: filter::path(name, own, terms, Reason::MalformedOrder)?,
        descending,
    })
}

/// Rows wanted, clamped. The CRM reads -1 as "all"; what it makes of 0 nobody says, so that is refused.
pub(super) fn limit(value: &Value, page_max: u32) -> Result<Option<u32>, Reason> {
    let all = [json!(-1), json!("-1")];
    if is_blank(Some(value)) {
        Ok(None)
    } else if all.contains(value) {
        Ok(Some(page_max))
    } else {
        match number(value) {
            None | Some(0) => Err(Reason::MalformedPage),
            Some(rows) => Ok(Some(rows.min(page_max))),
        }
    }
}

/// A whole number, as JSON or as text.
fn number(value: &Value) -> Option<u32> {
    let spelling = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if spelling.len() > DIGITS_MAX || !spelling.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    spelling.parse().ok()
}

/// Writes a query back as arguments.
pub(super) fn render(query: &Query) -> Map<String, Value> {
    let mut arguments = Map::new();
    let mut set = |name: &str, value| {
        arguments.insert(name.to_owned(), value);
    };
    if let Some(items) = &query.projection {
        set("fields", projection::render(items));
    }
    if let Some(filter) = &query.predicate {
        set("filter", filter::render(filter));
    }
    if !query.order.is_empty() {
        let keys: Vec<String> = query.order.iter().map(sort_text).collect();
        set("order_by", json!(keys.join(",")));
    }
    if let Some(text) = &query.search {
        set("q", json!(text));
    }
    if let Some(rows) = query.limit {
        set("max_num", json!(rows));
    }
    if let Some(rows) = query.offset {
        set("offset", json!(rows));
    }
    for (name, wanted) in &query.about_caller {
        set(name, json!(wanted));
    }
    arguments
}

fn sort_text(sort: &Sort) -> String {
    let direction = if sort.descending { "desc" } else { "asc" };
    format!("{}:{direction}", filter::path_text(&sort.path))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::stock_terms;
    use super::{Arguments, list, render};
    use crate::dialect::Query;
    use crate::reason::Reason;
    use crate::vocabulary::Module;

    fn query(arguments: Value) -> Result<Query, Reason> {
        let terms = stock_terms();
        let Value::Object(arguments) = arguments else {
            panic!("not an object")
        };
        let mut arguments = Arguments::of(arguments);
        let query = list(&mut arguments, &Module::new("Contacts"), &terms)?;
        arguments.finish().map_err(|objection| objection.reason)?;
        Ok(query)
    }

    #[test]
    fn orders_name_fields_and_directions() {
        let read =
            query(json!({"order_by": "last_name:ASC, date_modified:desc,accounts.name"})).unwrap();
        assert_eq!(
            render(&read)["order_by"],
            json!("last_name:asc,date_modified:desc,accounts.name:asc")
        );
        for order in [
            "last_name desc",
            "last_name:down",
            "last_name:asc:desc",
            "a,,b",
            "-last_name",
            "IF(1,a,b)",
            "a.b.c",
        ] {
            assert_eq!(
                query(json!({"order_by": order})),
                Err(Reason::MalformedOrder),
                "{order}"
            );
        }
        assert_eq!(
            query(json!({"order_by": ["a"]})),
            Err(Reason::MalformedOrder)
        );
        assert_eq!(
            query(json!({"order_by": "nowhere.a"})),
            Err(Reason::UnknownLink)
        );
        assert_eq!(query(json!({"order_by": ""})), Ok(Query::default()));
    }

    #[test]
    fn pages_are_numbers_and_clamped() {
        for (value, rows) in [
            (json!(20), 20),
            (json!("20"), 20),
            (json!(101), 100),
            (json!("999999999"), 100),
            (json!(-1), 100),
            (json!("-1"), 100),
        ] {
            assert_eq!(query(json!({"max_num": value})).unwrap().limit, Some(rows));
        }
        for value in [
            json!(0),
            json!("00"),
            json!(-2),
            json!(1.5),
            json!("1e3"),
            json!(" 1"),
            json!("+1"),
            json!(1_000_000_000_u64),
            json!(true),
            json!([1]),
        ] {
            assert_eq!(
                query(json!({"max_num": value})),
                Err(Reason::MalformedPage),
                "{value}"
            );
        }
        assert_eq!(query(json!({"offset": "40"})).unwrap().offset, Some(40));
        for value in [json!("end"), json!(-1), json!({"calls": 1})] {
            assert_eq!(query(json!({"offset": value})), Err(Reason::MalformedPage));
        }
    }

    #[test]
    fn a_search_stands_alone() {
        assert_eq!(
            query(json!({"q": "Ta", "filter": []}))
                .unwrap()
                .search
                .as_deref(),
            Some("Ta")
        );
        assert_eq!(
            query(json!({"q": "", "filter": [{"a": 1}]}))
                .unwrap()
                .search,
            None
        );
        assert_eq!(
            query(json!({"q": "Ta", "filter": [{"a": 1}]})),
            Err(Reason::SearchWithFilter)
        );
        assert_eq!(query(json!({"q": ["Ta"]})), Err(Reason::MalformedQuery));
        // Old versions hand it to a search engine in whose grammar this asks another field.
        for text in ["iban_c:FR76*", "a OR _exists_&#58;x"] {
            assert_eq!(query(json!({"q": text})), Err(Reason::MalformedQuery));
        }
    }

    #[test]
    fn stored_queries_and_deleted_or_erased_data_are_refused() {
        for arguments in [
            json!({"filter_id": "f-1"}),
            json!({"view": "record"}),
            json!({"deleted": true}),
            json!({"deleted": "1"}),
            json!({"deleted": "yes"}),
            json!({"deleted": []}),
            json!({"erased_fields": 1}),
        ] {
            assert_eq!(
                query(arguments.clone()),
                Err(Reason::StoredQuery),
                "{arguments}"
            );
        }
        let harmless =
            json!({"deleted": false, "erased_fields": "0", "view": "", "filter_id": null});
        assert_eq!(query(harmless), Ok(Query::default()));
    }

    #[test]
    fn parameters_that_nobody_knows_are_refused() {
        for name in [
            "__sugar_url",
            "module",
            "record",
            "Nulls_last",
            "Filter",
            "_method",
            "format",
        ] {
            assert_eq!(
                query(json!({name: "x"})),
                Err(Reason::UnknownParameter),
                "{name}"
            );
        }
    }

    #[test]
    fn filters_about_the_caller_are_flags() {
        let read = query(json!({"favorites": "1", "my_items": false})).unwrap();
        assert_eq!(
            read.about_caller,
            [("my_items", false), ("favorites", true)]
        );
        assert_eq!(
            query(json!({"favorites": "maybe"})),
            Err(Reason::MalformedQuery)
        );
    }
}
