//! What records are asked for: `fields[…]`, `filter[…]`, `sort`, `page[…]`. Read from the query string, written back.

use serde_json::{Value, json};

use super::{grammar, modules};
use crate::dialect::carriers::{Arguments, is_blank};
use crate::dialect::{Bounds, Path, Predicate, Projected, Query, Sort, reread};
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Comparisons. The CRM looks words up among its constants, so that it takes `and` and `or` for comparisons too.
const OPERATORS: &[&str] = &["eq", "neq", "gt", "gte", "lt", "lte", "like"];

/// The word that stands among the fields of a filter and says how its comparisons are joined. No field of that name can
/// be filtered by.
const JOINED_BY: &str = "operator";

/// The field that says whether a record is gone.
const DELETED: &str = "deleted";

/// Names of fields in one projection.
const FIELDS_MAX: usize = 500;
/// Comparisons of one filter.
const COMPARISONS_MAX: usize = 100;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 4_000;
/// Digits of a number.
const DIGITS_MAX: usize = 9;

/// Takes the arguments of a list.
pub(super) fn list(
    arguments: &mut Arguments,
    own: &Module,
    bounds: &Bounds,
) -> Result<Query, Objection> {
    let projection = fields(arguments, own)?.projection;
    let query = related(arguments, bounds)?;
    Ok(Query {
        projection,
        ..query
    })
}

/// Takes the arguments of a list of related records, of which the CRM shows all fields.
pub(super) fn related(arguments: &mut Arguments, bounds: &Bounds) -> Result<Query, Objection> {
    let mut query = Query::default();
    if let Some(value) = arguments.take("filter") {
        query.predicate = filter(value)?;
    }
    if let Some(value) = stated(arguments.take("sort")) {
        query.order.push(sort(&value)?);
    }
    if let Some(value) = stated(arguments.take("page")) {
        page(value, &mut query, bounds)?;
    }
    Ok(query)
}

/// A parameter that says something: one without a value is none.
fn stated(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !is_blank(Some(value)))
}

/// Takes the argument of a request that only chooses fields. The CRM would take the names of another module's fields,
/// and look them up in this one.
pub(super) fn fields(arguments: &mut Arguments, own: &Module) -> Result<Query, Reason> {
    let Some(value) = arguments.take("fields") else {
        return Ok(Query::default());
    };
    let Value::Object(by_module) = value else {
        return Err(Reason::MalformedProjection);
    };
    let mut by_module = by_module.into_iter();
    let (Some((name, Value::String(names))), None) = (by_module.next(), by_module.next()) else {
        return Err(Reason::MalformedProjection);
    };
    if !grammar::is_module(&name) || modules::canonical(&name) != *own {
        return Err(Reason::MalformedProjection);
    }
    let names: Vec<&str> = names
        .split(',')
        .map(|name| name.trim_matches(' '))
        .collect();
    if names.len() > FIELDS_MAX || !names.iter().all(|name| grammar::is_field(name)) {
        return Err(Reason::MalformedProjection);
    }
    let mut projection: Vec<Projected> = Vec::new();
    for name in names {
        let item = Projected::Field(name.to_owned());
        if !projection.contains(&item) {
            projection.push(item);
        }
    }
    Ok(Query {
        projection: Some(projection),
        ..Query::default()
    })
}

fn filter(value: Value) -> Result<Option<Predicate>, Reason> {
    if is_blank(Some(&value)) {
        return Ok(None);
    }
    let Value::Object(mut fields) = value else {
        return Err(Reason::MalformedFilter);
    };
    let joined_by = fields.shift_remove(JOINED_BY);
    let mut comparisons = Vec::new();
    for (field, by_operator) in fields {
        if field.eq_ignore_ascii_case(DELETED) {
            // The CRM adds this to a filter that does not say it.
            match field == DELETED && by_operator == json!({"eq": "0"}) {
                true => continue,
                false => return Err(Reason::StoredQuery),
            }
        }
        let Value::Object(by_operator) = by_operator else {
            return Err(Reason::MalformedFilter);
        };
        for (operator, value) in by_operator {
            comparisons.push(comparison(&field, &operator, value)?);
        }
    }
    let joined_by = match &joined_by {
        None => "and",
        Some(Value::String(word)) => word,
        Some(_) => return Err(Reason::MalformedFilter),
    };
    match joined_by.to_ascii_lowercase().as_str() {
        // How nothing is joined says nothing.
        "and" if comparisons.is_empty() => Ok(None),
        _ if comparisons.is_empty() || comparisons.len() > COMPARISONS_MAX => {
            Err(Reason::MalformedFilter)
        }
        "and" => Ok(Some(Predicate::All(comparisons))),
        "or" => Ok(Some(Predicate::Any(comparisons))),
        _ => Err(Reason::MalformedFilter),
    }
}

fn comparison(field: &str, operator: &str, value: Value) -> Result<Predicate, Reason> {
    let known = OPERATORS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(operator));
    if !grammar::is_field(field) || field.eq_ignore_ascii_case(JOINED_BY) {
        return Err(Reason::MalformedFilter);
    }
    Ok(Predicate::Field {
        path: own(field),
        operator: Some(known.ok_or(Reason::MalformedFilter)?),
        value: Value::String(text(&value).ok_or(Reason::MalformedFilter)?),
    })
}

/// The text that is compared with, as the CRM will read it, which quotes it by itself.
fn text(value: &Value) -> Option<String> {
    let stated = value
        .as_str()
        .filter(|text| text.len() <= VALUE_BYTES_MAX)?;
    reread::settled(stated).filter(|text| !reread::is_rewritten(text))
}

fn own(field: &str) -> Path {
    Path {
        link: None,
        field: field.to_owned(),
    }
}

/// One field, `-` before it for the last first.
fn sort(value: &Value) -> Result<Sort, Reason> {
    let text = value.as_str().ok_or(Reason::MalformedOrder)?;
    let (field, descending) = match text.strip_prefix('-') {
        Some(field) => (field, true),
        None => (text, false),
    };
    if !grammar::is_field(field) {
        return Err(Reason::MalformedOrder);
    }
    Ok(Sort {
        path: own(field),
        descending,
    })
}

/// Rows of a page, clamped, and the page's number. The CRM sends twenty rows where nothing is said. The reply tells how many
/// pages of a clamped size there are, to whoever begins with the first: later pages of another size are other rows.
fn page(value: Value, query: &mut Query, bounds: &Bounds) -> Result<(), Objection> {
    let Value::Object(mut page) = value else {
        return Err(Reason::MalformedPage.into());
    };
    let mut is_cut = false;
    if let Some(size) = stated(page.shift_remove("size")) {
        let wish = number(&size)?;
        is_cut = wish > bounds.page_max;
        query.limit = Some(wish.min(bounds.page_max));
    }
    if let Some(number_of_page) = stated(page.shift_remove("number")) {
        let asked = number(&number_of_page)?;
        if is_cut && asked > 1 {
            return Err(Objection::page_too_large(bounds.page_max));
        }
        query.offset = Some(asked.into());
    }
    if page.is_empty() {
        Ok(())
    } else {
        Err(Reason::UnknownParameter.into())
    }
}

/// A whole number from one. What the CRM makes of others differs from version to version.
fn number(value: &Value) -> Result<u32, Reason> {
    value
        .as_str()
        .filter(|text| {
            (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        })
        .and_then(|text| text.parse().ok())
        .filter(|number| *number > 0)
        .ok_or(Reason::MalformedPage)
}

/// Writes a query back as parameters, names and values not yet encoded.
pub(super) fn render(query: &Query, own: Option<&Module>) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    if let (Some(items), Some(own)) = (&query.projection, own) {
        let names: Vec<&str> = items.iter().filter_map(field_name).collect();
        parameters.push((format!("fields[{own}]"), names.join(",")));
    }
    match &query.predicate {
        Some(Predicate::All(parts)) => parameters.extend(parts.iter().filter_map(parameter)),
        Some(Predicate::Any(parts)) => {
            parameters.push((format!("filter[{JOINED_BY}]"), "or".to_owned()));
            parameters.extend(parts.iter().filter_map(parameter));
        }
        Some(Predicate::Field { .. } | Predicate::Not(_) | Predicate::Caller { .. }) | None => {}
    }
    if let Some(sort) = query.order.first() {
        let sign = if sort.descending { "-" } else { "" };
        parameters.push(("sort".to_owned(), format!("{sign}{}", sort.path.field)));
    }
    if let Some(size) = query.limit {
        parameters.push(("page[size]".to_owned(), size.to_string()));
    }
    if let Some(number) = query.offset {
        parameters.push(("page[number]".to_owned(), number.to_string()));
    }
    parameters
}

/// The name of a field in a projection; this API has nothing else there.
fn field_name(item: &Projected) -> Option<&str> {
    match item {
        Projected::Field(name) => Some(name),
        Projected::Collection { .. } => None,
    }
}

/// One comparison as a parameter.
fn parameter(part: &Predicate) -> Option<(String, String)> {
    match part {
        Predicate::Field {
            path,
            operator: Some(operator),
            value: Value::String(value),
        } => Some((format!("filter[{}][{operator}]", path.field), value.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{list, related, render};
    use crate::dialect::{Bounds, Query};
    use crate::reason::Reason;
    use crate::vocabulary::Module;

    const BOUNDS: Bounds = Bounds {
        page_max: 500,
        bulk_parts_max: 1,
        depth_max: 9,
    };

    fn read(text: &str) -> Result<Query, Reason> {
        let mut arguments = super::super::arguments::of_query(Some(text))?;
        let query = list(&mut arguments, &Module::new("Contacts"), &BOUNDS);
        let query = query.map_err(|objection| objection.reason)?;
        arguments.finish().map_err(|objection| objection.reason)?;
        Ok(query)
    }

    fn again(text: &str) -> Result<String, Reason> {
        let parameters = render(&read(text)?, Some(&Module::new("Contacts")));
        let pairs = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Ok(pairs.collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn arguments_have_one_spelling() {
        for (text, expected) in [
            ("", ""),
            (
                "fields[Contacts]=id,last_name",
                "fields[Contacts]=id,last_name",
            ),
            ("fields[Contact]=id,id", "fields[Contacts]=id"),
            ("%66ields%5BContacts%5D=a%2C%20b", "fields[Contacts]=a,b"),
            ("sort=-iban_c", "sort=-iban_c"),
            ("sort=&filter=&page[number]=&page[size]=", ""),
            ("page=", ""),
            (
                "page[number]=&page[size]=20&_=1732291200000",
                "page[size]=20",
            ),
            ("filter[operator]=AND", ""),
            ("filter[deleted][eq]=0", ""),
            (
                "filter[operator]=or&filter[a][eq]=1&filter[deleted][eq]=0&filter[b][eq]=2",
                "filter[operator]=or&filter[a][eq]=1&filter[b][eq]=2",
            ),
            (
                "filter[a][gt]=1&filter[operator]=and&filter[b][lt]=2&filter[operator]=and&filter[c][lt]=3",
                "filter[a][gt]=1&filter[b][lt]=2&filter[c][lt]=3",
            ),
            (
                "page[number]=1&page[size]=100000",
                "page[size]=500&page[number]=1",
            ),
            ("filter[a][LIKE]=%25x", "filter[a][like]=%x"),
            (
                "filter[a][gte]=1&filter[a][lte]=2&filter[operator]=and",
                "filter[a][gte]=1&filter[a][lte]=2",
            ),
            (
                "filter[a][eq]=1&filter[operator]=OR&filter[b][neq]=",
                "filter[operator]=or&filter[a][eq]=1&filter[b][neq]=",
            ),
        ] {
            assert_eq!(again(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn whatever_is_not_understood_is_refused() {
        for (text, reason) in [
            ("fields[Leads]=iban_c", Reason::MalformedProjection),
            (
                "fields[Contacts]=a&fields[Leads]=b",
                Reason::MalformedProjection,
            ),
            (
                "fields[Contacts]=a&fields[Contact]=b",
                Reason::MalformedProjection,
            ),
            (
                "fields[Contacts]=a&fields[Contacts]=b",
                Reason::DuplicateParameter,
            ),
            ("fields[Contacts]=", Reason::MalformedProjection),
            ("fields[Contacts]=a,,b", Reason::MalformedProjection),
            ("fields[Contacts]=a, b", Reason::MalformedQuery),
            ("fields[Contacts]=a%20b", Reason::MalformedProjection),
            ("fields[Contacts][]=a", Reason::MalformedProjection),
            ("fields=a", Reason::MalformedProjection),
            ("fields[]=a", Reason::MalformedProjection),
            ("filter[a]=1", Reason::MalformedFilter),
            ("filter[a][or]=1", Reason::MalformedFilter),
            ("filter[a][and]=1", Reason::MalformedFilter),
            ("filter[a][xx]=1", Reason::MalformedFilter),
            ("filter[a][eq][x]=1", Reason::MalformedFilter),
            ("filter[a][eq][]=1", Reason::MalformedFilter),
            ("filter[a.b][eq]=1", Reason::MalformedFilter),
            ("filter[0][a][eq]=1", Reason::MalformedFilter),
            ("filter[operator]=or", Reason::MalformedFilter),
            (
                "filter[operator]=xor&filter[a][eq]=1",
                Reason::MalformedFilter,
            ),
            (
                "filter[operator][eq]=or&filter[a][eq]=1",
                Reason::MalformedFilter,
            ),
            ("filter[Operator][eq]=1", Reason::MalformedFilter),
            ("filter[deleted][eq]=1", Reason::StoredQuery),
            ("filter[DELETED][neq]=2", Reason::StoredQuery),
            ("filter[Deleted][eq]=0", Reason::StoredQuery),
            (
                "filter[deleted][eq]=0&filter[deleted][neq]=1",
                Reason::StoredQuery,
            ),
            ("filter[deleted][EQ]=00", Reason::StoredQuery),
            (
                "filter[operator]=or&filter[deleted][eq]=0",
                Reason::MalformedFilter,
            ),
            ("sort=a,b", Reason::MalformedOrder),
            ("sort=--a", Reason::MalformedOrder),
            ("sort=contacts.a", Reason::MalformedOrder),
            ("sort[]=a", Reason::MalformedOrder),
            ("page[size]=0", Reason::MalformedPage),
            ("page[size]=-1", Reason::MalformedPage),
            ("page[size]=9999999999", Reason::MalformedPage),
            ("page[number]=0", Reason::MalformedPage),
            ("page[number]=2&page[size]=501", Reason::PageTooLarge),
            ("page=2", Reason::MalformedPage),
            ("page[offset]=2", Reason::UnknownParameter),
            ("deleted=1", Reason::UnknownParameter),
            ("moduleName=Contacts", Reason::UnknownParameter),
            ("id=1", Reason::UnknownParameter),
            ("linkFieldName=contacts", Reason::UnknownParameter),
            ("sourceBean=x", Reason::UnknownParameter),
            ("_METHOD=DELETE", Reason::UnknownParameter),
        ] {
            assert_eq!(again(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn related_records_take_no_fields() {
        let mut arguments =
            super::super::arguments::of_query(Some("fields[Contacts]=last_name&sort=a")).unwrap();
        let query = related(&mut arguments, &BOUNDS).unwrap();
        assert_eq!(query.order.len(), 1);
        let left = arguments.finish().map_err(|objection| objection.reason);
        assert_eq!(left, Err(Reason::UnknownParameter));
    }
}
