//! The grammar of `fields`: a comma-separated text, or a list of names and of collections with a query of their own.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Context, grammar, query};
use crate::dialect::Projected;
use crate::dialect::carriers::Arguments;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Items of one list.
const ITEMS_MAX: usize = 500;
/// Collections within collections.
pub(super) const DEPTH_MAX: usize = 3;
/// Collections of one list: each is a list request of its own for every row.
const COLLECTIONS_MAX: usize = 10;

/// Reads the value of `fields`. `None` leaves the choice to the CRM.
pub(super) fn read(
    value: &Value,
    own: &Module,
    terms: &Context<'_>,
    collections_deep: usize,
) -> Result<Option<Vec<Projected>>, Reason> {
    let parsed;
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) if text.starts_with('[') => {
            parsed = crate::json::read(text.as_bytes(), terms.bounds.depth_max)
                .map_err(|_| Reason::MalformedProjection)?;
            parsed.as_array().ok_or(Reason::MalformedProjection)?
        }
        Value::String(text) => {
            parsed = text.split(',').map(str::trim).collect();
            parsed.as_array().ok_or(Reason::MalformedProjection)?
        }
        _ => return Err(Reason::MalformedProjection),
    };
    if items.is_empty() {
        return Ok(None);
    }
    let mut reader = Reader {
        own,
        terms,
        collections_deep,
        collections_left: COLLECTIONS_MAX,
        seen: HashSet::new(),
        projection: Vec::new(),
    };
    if items.len() > ITEMS_MAX {
        return Err(Reason::MalformedProjection);
    }
    items.iter().try_for_each(|item| reader.item(item))?;
    Ok(Some(reader.projection))
}

struct Reader<'a> {
    own: &'a Module,
    terms: &'a Context<'a>,
    collections_deep: usize,
    collections_left: usize,
    seen: HashSet<String>,
    projection: Vec<Projected>,
}

impl Reader<'_> {
    fn item(&mut self, item: &Value) -> Result<(), Reason> {
        match item {
            Value::String(name) if grammar::is_field(name) => {
                // Said twice is said once, if nothing more is said of it.
                if self.seen.insert(name.to_ascii_lowercase()) {
                    self.projection.push(Projected::Field(name.clone()));
                } else if self.is_collection(name) {
                    return Err(Reason::MalformedProjection);
                }
                Ok(())
            }
            Value::Object(members) => self.collection(members),
            _ => Err(Reason::MalformedProjection),
        }
    }

    fn is_collection(&self, name: &str) -> bool {
        self.projection.iter().any(
            |item| matches!(item, Projected::Collection { link, .. } if link.name.eq_ignore_ascii_case(name)),
        )
    }

    fn collection(&mut self, members: &Map<String, Value>) -> Result<(), Reason> {
        let deeper = self.collections_deep.checked_sub(1);
        let left = self.collections_left.checked_sub(1);
        let (Some(deeper), Some(left)) = (deeper, left) else {
            return Err(Reason::MalformedProjection);
        };
        self.collections_left = left;
        let mut arguments = Arguments::of(members.clone());
        let name = match arguments.take("name") {
            Some(Value::String(name)) if grammar::is_link(&name) => name,
            _ => return Err(Reason::MalformedProjection),
        };
        if !self.seen.insert(name.to_ascii_lowercase()) {
            return Err(Reason::MalformedProjection);
        }
        let link = self
            .terms
            .link(self.own, &name)
            .ok_or(Reason::UnknownLink)?;
        let query = query::page(&mut arguments, &link.target, self.terms, deeper)?;
        arguments
            .finish()
            .map_err(|_| Reason::MalformedProjection)?;
        self.projection.push(Projected::Collection { link, query });
        Ok(())
    }
}

/// Writes a projection back: as text where it can be, else as a list.
///
/// An empty projection becomes `id`: for the CRM, no fields at all means every field.
pub(super) fn render(items: &[Projected]) -> Value {
    if items.is_empty() {
        return json!("id");
    }
    let names: Option<Vec<&str>> = items
        .iter()
        .map(|item| match item {
            Projected::Field(name) => Some(name.as_str()),
            Projected::Collection { .. } => None,
        })
        .collect();
    match names {
        Some(names) => json!(names.join(",")),
        None => items.iter().map(item).collect(),
    }
}

fn item(item: &Projected) -> Value {
    match item {
        Projected::Field(name) => json!(name),
        Projected::Collection { link, query } => {
            let mut members = Map::from_iter([("name".to_owned(), json!(link.name))]);
            members.extend(query::render(query));
            // Inside an object the CRM wants a list.
            if let Some(Value::String(names)) = members.get("fields") {
                let names: Value = names.split(',').collect();
                members.insert("fields".to_owned(), names);
            }
            Value::Object(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::stock_terms;
    use super::{DEPTH_MAX, read, render};
    use crate::dialect::Projected;
    use crate::reason::Reason;
    use crate::vocabulary::Module;

    fn projection(value: &Value) -> Result<Option<Vec<Projected>>, Reason> {
        let terms = stock_terms();
        read(value, &Module::new("Accounts"), &terms, DEPTH_MAX)
    }

    #[test]
    fn text_and_lists_name_fields() {
        for value in [
            json!("id,last_name"),
            json!("id, last_name,ID"),
            json!(["id", "last_name"]),
            json!("[\"id\",\"last_name\",\"Last_Name\"]"),
        ] {
            let read = projection(&value).unwrap().unwrap();
            assert_eq!(render(&read), json!("id,last_name"), "{value}");
        }
        for value in [json!(""), json!([]), json!(null), json!("[]")] {
            assert_eq!(projection(&value), Ok(None), "{value}");
        }
    }

    #[test]
    fn collections_have_a_query_about_the_target_of_their_link() {
        let value = json!(["name", {
            "name": "contacts", "fields": ["id", "full_name"],
            "filter": [{"accounts.industry": "x"}], "order_by": "iban_c:desc", "max_num": 5
        }]);
        let read = projection(&value).unwrap().unwrap();
        assert_eq!(render(&read), value);
        assert_eq!(
            projection(&json!(value.to_string())),
            Ok(Some(read.clone()))
        );
        let Projected::Collection { link, query } = &read[1] else {
            panic!("no collection")
        };
        assert_eq!(link.target, Module::new("Contacts"));
        assert_eq!(query.order[0].path.field, "iban_c");
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        for value in [
            json!("id,,name"),
            json!("id;name"),
            json!("contacts.name"),
            json!("*"),
            json!("id name"),
            json!("[\"id\""),
            json!("[{}]"),
            json!([1]),
            json!([["id"]]),
            json!({"id": true}),
            json!([{"fields": ["id"]}]),
            json!([{"name": 1}]),
            json!([{"name": "contacts", "link": "cases"}]),
            json!([{"name": "contacts", "q": "x"}]),
            json!([{"name": "contacts"}, {"name": "contacts", "fields": ["id"]}]),
            json!([{"name": "contacts"}, "contacts"]),
            json!(vec!["a"; 501]),
        ] {
            assert_eq!(
                projection(&value),
                Err(Reason::MalformedProjection),
                "{value}"
            );
        }
        assert_eq!(
            projection(&json!([{"name": "history"}])),
            Err(Reason::UnknownLink)
        );
        assert_eq!(
            projection(&json!([{"name": "contacts", "view": "list"}])),
            Err(Reason::StoredQuery)
        );
    }

    #[test]
    fn collections_are_bounded() {
        let deep = |depth: usize| {
            (0..depth).fold(
                json!(["id"]),
                |fields, _| json!([{"name": "members", "fields": fields}]),
            )
        };
        assert!(projection(&deep(DEPTH_MAX)).is_ok());
        assert_eq!(
            projection(&deep(DEPTH_MAX + 1)),
            Err(Reason::MalformedProjection)
        );
    }

    #[test]
    fn no_fields_never_becomes_all_fields() {
        assert_eq!(render(&[]), json!("id"));
    }
}
