//! How a record is shown, and what of a body is stored.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::Fault;
use super::query::Item;
use super::schema::{self, Field, Kind, Module};
use super::store::{Mark, Row, Store, stamp, text};

/// The records as one user sees them at one moment.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) store: &'a Store,
    pub(super) user: &'a str,
    pub(super) now: Timestamp,
}

/// How long a short text may be.
const TEXT_CHARACTERS_MAX: usize = 255;
/// How long a long text may be.
const LONG_CHARACTERS_MAX: usize = 65_536;
/// How many addresses, tags, teams or words a list may hold.
const LIST_MAX: usize = 100;

impl View<'_> {
    /// The value of a field.
    pub(super) fn value(&self, module: &Module, row: &Row, field: &Field) -> Value {
        let stored = || row.get(field.name).cloned();
        let linked = |via| {
            let link = module.link(via)?;
            let target = schema::module(link.target)?;
            Some((target, self.store.linked(row, link).into_iter().next()?))
        };
        match field.kind {
            Kind::Bool => stored().unwrap_or(json!(false)),
            Kind::Words | Kind::Objects | Kind::Mail => stored().unwrap_or(json!([])),
            Kind::Mail1 => json!(address(row, true)),
            Kind::Mail2 => json!(address(row, false)),
            Kind::MailRest => json!(rest(row).join(",")),
            Kind::MailFlag(flag) => json!(
                addresses(row)
                    .iter()
                    .any(|one| is_primary(one) && one[flag] == json!(true))
            ),
            Kind::NameAndMail => match address(row, true) {
                "" => json!(person(row, false)),
                mail => json!(format!("{} <{mail}>", person(row, false))),
            },
            Kind::PersonName => json!(person(row, false)),
            Kind::FullName => json!(person(row, true)),
            Kind::NameOf(via) => json!(linked(via).map_or_else(String::new, |(target, row)| name(target, row))),
            Kind::One(via) => linked(via).map_or_else(
                || json!({"name": "", "id": "", "_acl": {"fields": [], "_hash": ""}}),
                |(target, row)| {
                    let key = if target.name == "Users" { "full_name" } else { "name" };
                    json!({key: name(target, row), "id": row["id"], "_acl": {"fields": [], "_hash": super::routes::hash(target.name)}})
                },
            ),
            Kind::ParentName => json!(self.parent_name(row)),
            Kind::Favorite => json!(self.store.is_marked(Mark::Favorite, self.user, text(row, "id"))),
            Kind::Following => json!(self.store.is_marked(Mark::Following, self.user, text(row, "id"))),
            Kind::Text
            | Kind::Long
            | Kind::Enum(_)
            | Kind::Number
            | Kind::Date
            | Kind::Stamp
            | Kind::Id
            | Kind::Own => stored().unwrap_or_else(|| json!("")),
        }
    }

    fn parent_name(&self, row: &Row) -> String {
        schema::module(text(row, "parent_type"))
            .and_then(|target| {
                let row = self.store.row(target.name, text(row, "parent_id"))?;
                Some(name(target, row))
            })
            .unwrap_or_default()
    }

    /// A record: whole, or only these fields with `id` and `date_modified`, which are always there.
    pub(super) fn record(&self, module: &Module, row: &Row, fields: Option<&[Item]>) -> Value {
        let mut shown = Map::new();
        let mut show = |field: &Field| {
            if !shown.contains_key(field.name) {
                shown.insert(field.name.to_owned(), self.value(module, row, field));
            }
        };
        match fields {
            None => module.fields().for_each(&mut show),
            Some(items) => {
                let always = ["id", "date_modified"].into_iter();
                let asked = items.iter().flat_map(|item| item.names(module));
                for field in always.chain(asked).filter_map(|name| module.field(name)) {
                    show(field);
                }
                for item in items {
                    if let Item::Collection { link, ask } = item
                        && let Some(target) = schema::module(link.target)
                    {
                        let rows = self.store.linked(row, link);
                        shown.insert(link.name.to_owned(), self.list(target, rows, ask));
                    }
                }
            }
        }
        shown.insert("_acl".into(), json!({"fields": {}}));
        shown.insert("_module".into(), json!(module.name));
        Value::Object(shown)
    }
}

/// The name under which other records know a record.
fn name(module: &Module, row: &Row) -> String {
    match module.field("name").map(|field| field.kind) {
        Some(Kind::PersonName) => person(row, false),
        _ => text(row, "name").to_owned(),
    }
}

fn person(row: &Row, with_salutation: bool) -> String {
    let parts = ["salutation", "first_name", "last_name"];
    let parts: Vec<&str> = parts[usize::from(!with_salutation)..]
        .iter()
        .map(|part| text(row, part))
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

fn addresses(row: &Row) -> &[Value] {
    row.get("email")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn is_primary(one: &Value) -> bool {
    one["primary_address"] == json!(true)
}

fn address(row: &Row, primary: bool) -> &str {
    addresses(row)
        .iter()
        .find(|one| is_primary(one) == primary)
        .and_then(|one| one["email_address"].as_str())
        .unwrap_or_default()
}

fn rest(row: &Row) -> Vec<&str> {
    addresses(row)
        .iter()
        .filter(|one| !is_primary(one))
        .filter_map(|one| one["email_address"].as_str())
        .collect()
}

impl Store {
    /// Makes a record from a body and returns its id.
    pub(super) fn create(
        &mut self,
        module: &Module,
        body: &Map<String, Value>,
        user: &str,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let mut row = Row::new();
        for field in module.fields().filter(|field| !field.default.is_empty()) {
            row.insert(field.name.to_owned(), json!(field.default));
        }
        let id = match body.get("id").and_then(Value::as_str) {
            Some(wish) if self.row(module.name, wish).is_some() => {
                return Err(Fault::invalid(format!("Record already exists: {wish}")));
            }
            Some(wish) if !wish.is_empty() => wish.to_owned(),
            _ => self.new_id(),
        };
        if module.name == "Cases" {
            let last = self
                .rows(module)
                .iter()
                .filter_map(|row| row.get("case_number")?.as_u64())
                .max();
            row.insert("case_number".into(), json!(last.unwrap_or(0) + 1));
        }
        for (key, value) in [
            ("id", json!(id)),
            ("date_entered", stamp(now)),
            ("created_by", json!(user)),
            ("assigned_user_id", json!(user)),
        ] {
            row.insert(key.into(), value);
        }
        self.accept(module, &mut row, body)?;
        if text(&row, module.required).is_empty() {
            return Err(Fault::new(
                422,
                "missing_parameter",
                format!("Missing required parameter: {}", module.required),
            ));
        }
        self.keep(module, row, body, user, now)?;
        Ok(id)
    }

    /// Changes a record. Keys that the module does not have are ignored.
    pub(super) fn update(
        &mut self,
        module: &Module,
        id: &str,
        body: &Map<String, Value>,
        user: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut row = self.found(module, id)?.clone();
        self.accept(module, &mut row, body)?;
        self.keep(module, row, body, user, now)
    }

    fn keep(
        &mut self,
        module: &Module,
        mut row: Row,
        body: &Map<String, Value>,
        user: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        row.insert("date_modified".into(), stamp(now));
        row.insert("modified_user_id".into(), json!(user));
        let id = text(&row, "id").to_owned();
        self.put(module, row)?;
        for (key, mark) in [
            ("my_favorite", Mark::Favorite),
            ("following", Mark::Following),
        ] {
            if let Some(is_set) = body.get(key).and_then(flag) {
                self.mark(mark, user, &id, is_set);
            }
        }
        Ok(())
    }

    /// Takes over what a body says of fields that may be written.
    fn accept(
        &mut self,
        module: &Module,
        row: &mut Row,
        body: &Map<String, Value>,
    ) -> Result<(), Fault> {
        for (key, value) in body {
            // Deleting has its own request.
            let Some(field) = module.field(key).filter(|field| field.name != "deleted") else {
                continue;
            };
            let stored = match field.kind {
                Kind::Mail => self.accept_addresses(row, value)?,
                // The list says more than its first address.
                Kind::Mail1 if !body.contains_key("email") => self.accept_primary(row, value)?,
                kind => match accepted(kind, field, value)? {
                    Some(stored) => stored,
                    None => continue,
                },
            };
            let column = if field.kind == Kind::Mail1 {
                "email"
            } else {
                field.name
            };
            row.insert(column.to_owned(), stored);
        }
        Ok(())
    }

    fn accept_primary(&mut self, row: &Row, value: &Value) -> Result<Value, Fault> {
        let others = addresses(row)
            .iter()
            .filter(|one| !is_primary(one))
            .cloned();
        let mut list = Vec::new();
        if value.as_str().is_some_and(|mail| !mail.is_empty()) {
            list.push(json!({"email_address": value, "primary_address": true}));
        }
        list.extend(others);
        self.accept_addresses(row, &Value::Array(list))
    }

    fn accept_addresses(&mut self, row: &Row, value: &Value) -> Result<Value, Fault> {
        let list = match value {
            Value::Array(list) if list.len() <= LIST_MAX => list.as_slice(),
            Value::Null => &[],
            _ => return Err(Fault::invalid(format!("Invalid value for email: {value}"))),
        };
        let given = |one: &Value| one.get("primary_address").and_then(flag).unwrap_or(false);
        let primary = list.iter().position(given).unwrap_or(0);
        let mut stored = Vec::new();
        for (position, one) in list.iter().enumerate() {
            let mail = one
                .as_str()
                .or_else(|| one["email_address"].as_str())
                .unwrap_or_default();
            if !mail.contains('@') || mail.len() > TEXT_CHARACTERS_MAX {
                return Err(Fault::invalid(format!("Invalid email address: {mail}")));
            }
            let known = addresses(row)
                .iter()
                .find(|old| old["email_address"] == json!(mail));
            let set = |key: &str| {
                one.get(key)
                    .or_else(|| known?.get(key))
                    .and_then(flag)
                    .unwrap_or(false)
            };
            let flags = ["reply_to_address", "invalid_email", "opt_out"].map(set);
            let id = known.map_or_else(
                || json!(self.new_id()),
                |old| old["email_address_id"].clone(),
            );
            stored.push(json!({
                "email_address": mail, "primary_address": position == primary, "reply_to_address": flags[0],
                "invalid_email": flags[1], "opt_out": flags[2], "email_address_id": id,
            }));
        }
        Ok(Value::Array(stored))
    }
}

/// What is stored of a written value; `None` if the field cannot be written this way.
fn accepted(kind: Kind, field: &Field, value: &Value) -> Result<Option<Value>, Fault> {
    let invalid = || {
        let said = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        Fault::invalid(format!("Invalid value for {}: {said}", field.name))
    };
    let short = |characters_max: usize| match value {
        Value::Null => Ok(json!("")),
        Value::String(said) if said.chars().count() <= characters_max => Ok(json!(said)),
        Value::Number(number) => Ok(json!(number.to_string())),
        Value::Bool(said) => Ok(json!(if *said { "1" } else { "0" })),
        _ => Err(invalid()),
    };
    let starts_with_date = |said: &str| {
        said.get(..10)
            .is_some_and(|day| day.parse::<Date>().is_ok())
    };
    let stored = match kind {
        // Choices are not checked: the CRM keeps what a client says.
        Kind::Text | Kind::Enum(_) | Kind::Id => short(TEXT_CHARACTERS_MAX)?,
        Kind::Long => short(LONG_CHARACTERS_MAX)?,
        Kind::Bool => json!(flag(value).ok_or_else(invalid)?),
        Kind::Date | Kind::Stamp => match value.as_str() {
            Some(said) if said.is_empty() || starts_with_date(said) => json!(said),
            None if value.is_null() => json!(""),
            _ => return Err(invalid()),
        },
        Kind::Words | Kind::Objects => match value {
            Value::Array(list) if list.len() <= LIST_MAX => value.clone(),
            Value::Null => json!([]),
            _ => return Err(invalid()),
        },
        _ => return Ok(None),
    };
    Ok(Some(stored))
}

/// A flag in any of the ways in which clients write it.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Null => Some(false),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "1" | "true" | "on" | "yes" => Some(true),
            "0" | "false" | "off" | "no" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
