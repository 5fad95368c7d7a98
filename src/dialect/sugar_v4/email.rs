//! The one sub-select of the grammar: records by their e-mail address. Addresses stand in a table of their own, so
//! every client that looks somebody up by address sends it, in one of these ways:
//!
//! ```text
//! SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON (ea.id = eabr.email_address_id)
//! WHERE eabr.deleted = 0 AND ea.email_address LIKE 'x%'
//! SELECT bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON (eabr.email_address_id = ea.id)
//! WHERE bean_module = 'Contacts' AND ea.email_address_caps = 'X' AND eabr.deleted = 0
//! SELECT email_addr_bean_rel.bean_id FROM email_addr_bean_rel, email_addresses WHERE email_addresses.id =
//! email_addr_bean_rel.email_address_id AND email_addr_bean_rel.deleted = 0 AND email_addresses.email_address IN ('x')
//! ```
//!
//! What is said of a relation and its address is one list of conditions, wherever it stands: that the two belong together,
//! that neither is deleted (of the relation it is added where it is not said, for what is deleted is not available), that
//! the relation is one of the module that is asked, and one comparison of the address, or several of which one holds. It
//! becomes predicates about the field [`FIELD`] of the module that is asked.

use serde_json::{Map, Value, json};

use super::sql::{Parser, Table as Asked, joined, list_text, literal_text};
use crate::dialect::{Path, Predicate};
use crate::reason::Reason;

/// The field that a record's addresses are judged as.
pub(super) const FIELD: &str = "email1";

/// The members of a predicate's value, where more is said than the comparison: of which module the relation is, and that
/// the address itself is not deleted.
const COMPARED: &str = "compared";
const MODULE: &str = "module";
const KEPT: &str = "kept";

/// A way to compare addresses.
struct Form {
    /// The operator, where an address of the record compares so, and where none does.
    has: &'static str,
    has_none: &'static str,
    column: &'static str,
    comparison: &'static str,
}

macro_rules! forms {
    ($($noun:literal $column:literal: $($comparison:literal)+;)+) => {
        &[$($(Form {
            has: concat!("HAS ", $noun, " ", $comparison),
            has_none: concat!("HAS NO ", $noun, " ", $comparison),
            column: $column,
            comparison: $comparison,
        }),+),+]
    };
}

const FORMS: &[Form] = forms! {
    "ADDRESS" "email_address": "=" "LIKE" "IN";
    "CAPITALS" "email_address_caps": "=" "LIKE" "IN";
};

/// Addresses of one list, and comparisons of which one holds.
const LIST_MAX: usize = 100;
/// Brackets within brackets.
const DEPTH_MAX: usize = 4;

/// Reads the sub-select after its first word, up to the bracket that closes it.
pub(super) fn predicate(parser: &mut Parser<'_>, negated: bool) -> Result<Predicate, Reason> {
    let selected = stated(parser)?;
    parser.expect_keyword("FROM")?;
    let first = named(parser)?;
    let join = join(parser)?;
    let other = named(parser)?;
    let is_relation_first = first.table == Table::Relation;
    // An address that belongs to nobody would be a row without a record, among which `NOT IN` finds nothing.
    let has_blanks = join == Join::Left && !is_relation_first;
    if first.table == other.table || (negated && has_blanks) {
        return Err(Reason::MalformedFilter);
    }
    let (relation, address) = match is_relation_first {
        true => (first.alias, other.alias),
        false => (other.alias, first.alias),
    };
    let names = Names { relation, address };
    if names.column(&selected)? != (Table::Relation, "bean_id") {
        return Err(Reason::MalformedFilter);
    }
    let mut said = Said::default();
    if join != Join::Listed {
        parser.expect_keyword("ON")?;
        names.conditions(parser, &mut said, DEPTH_MAX)?;
    }
    // A comparison that only says what is joined leaves nobody out.
    if join == Join::Left && !said.compared.is_empty() {
        return Err(Reason::MalformedFilter);
    }
    parser.expect_keyword("WHERE")?;
    names.conditions(parser, &mut said, DEPTH_MAX)?;
    said.predicate(negated)
}

/// How the two tables are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    Listed,
    Inner,
    Left,
}

fn join(parser: &mut Parser<'_>) -> Result<Join, Reason> {
    if parser.take(",") {
        return Ok(Join::Listed);
    }
    let join = match parser.keyword("LEFT") {
        true => Join::Left,
        false => Join::Inner,
    };
    parser.keyword(if join == Join::Left { "OUTER" } else { "INNER" });
    parser.expect_keyword("JOIN")?;
    Ok(join)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Relation,
    Address,
}

const TABLES: &[(&str, Table, &[&str])] = &[
    (
        "email_addr_bean_rel",
        Table::Relation,
        &[
            "id",
            "bean_id",
            "bean_module",
            "email_address_id",
            "deleted",
        ],
    ),
    (
        "email_addresses",
        Table::Address,
        &["id", "email_address", "email_address_caps", "deleted"],
    ),
];

/// A table, and the name that it goes by.
struct Named {
    table: Table,
    alias: String,
}

/// The names that the two tables go by.
struct Names {
    relation: String,
    address: String,
}

/// A column as it is stated, folded: perhaps a table's name, and its own.
type Stated = (Option<String>, String);

fn stated(parser: &mut Parser<'_>) -> Result<Stated, Reason> {
    let first = parser.name()?.to_ascii_lowercase();
    match parser.take(".") {
        true => Ok((Some(first), parser.name()?.to_ascii_lowercase())),
        false => Ok((None, first)),
    }
}

fn named(parser: &mut Parser<'_>) -> Result<Named, Reason> {
    // To most servers the names of tables have case.
    let name = parser.name()?.to_owned();
    let known = TABLES.iter().find(|(known, ..)| *known == name);
    let (_, table, _) = *known.ok_or(Reason::MalformedFilter)?;
    let is_stated = parser.keyword("AS") || !FOLLOWS.iter().any(|word| parser.is_next(word));
    let alias = match is_stated && !parser.is_next_sign(",") {
        true => parser.name()?.to_ascii_lowercase(),
        false => name,
    };
    Ok(Named { table, alias })
}

/// What may follow a table that goes by its own name.
const FOLLOWS: &[&str] = &["INNER", "JOIN", "LEFT", "ON", "WHERE"];

/// What the conditions have said so far.
#[derive(Default)]
struct Said {
    is_joined: bool,
    is_of_module: bool,
    /// Whether the address is said not to be deleted.
    is_kept: bool,
    /// How many conditions are no comparison of the address.
    others: usize,
    /// Comparisons of the address, of which one holds.
    compared: Vec<(&'static Form, Value)>,
}

impl Said {
    fn predicate(self, negated: bool) -> Result<Predicate, Reason> {
        if !self.is_joined || self.compared.is_empty() {
            return Err(Reason::MalformedFilter);
        }
        let parts = self.compared.into_iter().map(|(form, compared)| {
            let flags = [(MODULE, self.is_of_module), (KEPT, self.is_kept)];
            let mut members = Map::from_iter([(COMPARED.to_owned(), compared.clone())]);
            let said = flags.into_iter().filter(|(_, is_said)| *is_said);
            members.extend(said.map(|(name, _)| (name.to_owned(), json!(true))));
            let value = match members.len() {
                1 => compared,
                _ => Value::Object(members),
            };
            Predicate::Field {
                path: Path {
                    link: None,
                    field: FIELD.to_owned(),
                },
                operator: Some(if negated { form.has_none } else { form.has }),
                value,
            }
        });
        Ok(joined(parts.collect(), negated))
    }
}

impl Names {
    /// The table and the name of a column; one without a table is that of the only table that has it.
    fn column(&self, (table, name): &Stated) -> Result<(Table, &'static str), Reason> {
        let is_meant = |of: Table| match table {
            None => true,
            Some(alias) => *alias == *self.alias(of),
        };
        let mut found = TABLES.iter().filter_map(|(_, of, columns)| {
            let column = columns.iter().find(|column| *column == name)?;
            is_meant(*of).then_some((*of, *column))
        });
        match (found.next(), found.next()) {
            (Some(one), None) if self.relation != self.address => Ok(one),
            _ => Err(Reason::MalformedFilter),
        }
    }

    fn alias(&self, table: Table) -> &str {
        match table {
            Table::Relation => &self.relation,
            Table::Address => &self.address,
        }
    }

    /// Conditions that all hold, perhaps in brackets.
    fn conditions(
        &self,
        parser: &mut Parser<'_>,
        said: &mut Said,
        deep: usize,
    ) -> Result<(), Reason> {
        loop {
            match parser.take("(") {
                true => self.bracket(parser, said, deep)?,
                false => self.condition(parser, said)?,
            }
            if !parser.keyword("AND") {
                return Ok(());
            }
        }
    }

    /// What stands in brackets: conditions that all hold, or comparisons of which one holds.
    fn bracket(&self, parser: &mut Parser<'_>, said: &mut Said, deep: usize) -> Result<(), Reason> {
        let deeper = deep.checked_sub(1).ok_or(Reason::MalformedFilter)?;
        let mut inner = Said::default();
        self.conditions(parser, &mut inner, deeper)?;
        while parser.keyword("OR") {
            let mut other = Said::default();
            match parser.take("(") {
                true => self.bracket(parser, &mut other, deeper)?,
                false => self.condition(parser, &mut other)?,
            }
            if inner.others + other.others != 0 {
                return Err(Reason::MalformedFilter);
            }
            inner.compared.append(&mut other.compared);
        }
        parser.expect(")")?;
        if inner.compared.len() > LIST_MAX
            || !(inner.compared.is_empty() || said.compared.is_empty())
        {
            return Err(Reason::MalformedFilter);
        }
        said.is_joined |= inner.is_joined;
        said.is_of_module |= inner.is_of_module;
        said.is_kept |= inner.is_kept;
        said.others += inner.others;
        said.compared.append(&mut inner.compared);
        Ok(())
    }

    fn condition(&self, parser: &mut Parser<'_>, said: &mut Said) -> Result<(), Reason> {
        let column = self.column(&stated(parser)?)?;
        if let (Table::Address, name @ ("email_address" | "email_address_caps")) = column {
            let compared = comparison(parser, name)?;
            is_true(said.compared.is_empty())?;
            said.compared.push(compared);
            return Ok(());
        }
        said.others += 1;
        match column {
            (table, "deleted") => {
                said.is_kept |= table == Table::Address;
                parser.expect("=")?;
                is_true(is_zero(&parser.literal()?))
            }
            (Table::Relation, "bean_module") => {
                parser.expect("=")?;
                let module = parser.literal()?;
                said.is_of_module = true;
                is_true(module.as_str() == Some(parser.module()))
            }
            (Table::Relation, "email_address_id") | (Table::Address, "id") => {
                parser.expect("=")?;
                let other = self.column(&stated(parser)?)?;
                let ends = [
                    (Table::Relation, "email_address_id"),
                    (Table::Address, "id"),
                ];
                said.is_joined = true;
                is_true(ends.contains(&other) && other != column)
            }
            _ => Err(Reason::MalformedFilter),
        }
    }
}

fn is_true(holds: bool) -> Result<(), Reason> {
    holds.then_some(()).ok_or(Reason::MalformedFilter)
}

pub(super) fn is_zero(value: &Value) -> bool {
    matches!(value.to_string().as_str(), "0" | "\"0\"")
}

fn comparison(parser: &mut Parser<'_>, column: &str) -> Result<(&'static Form, Value), Reason> {
    let (comparison, value) = if parser.take("=") {
        ("=", parser.literal()?)
    } else if parser.keyword("LIKE") {
        ("LIKE", parser.literal()?)
    } else {
        parser.expect_keyword("IN")?;
        parser.expect("(")?;
        let mut list = vec![parser.literal()?];
        while parser.take(",") && list.len() < LIST_MAX {
            list.push(parser.literal()?);
        }
        parser.expect(")")?;
        ("IN", Value::Array(list))
    };
    let form = FORMS
        .iter()
        .find(|form| form.column == column && form.comparison == comparison)
        .ok_or(Reason::MalformedFilter)?;
    Ok((form, value))
}

/// Writes the predicate for a table; `None` if the operator is not one of these.
pub(super) fn render(operator: &str, value: &Value, asked: Asked<'_>) -> Option<String> {
    let form = FORMS
        .iter()
        .find(|form| operator == form.has || operator == form.has_none)?;
    let membership = if operator == form.has { "IN" } else { "NOT IN" };
    let is_said = |name| value.get(name) == Some(&Value::Bool(true));
    let mut more = String::new();
    if is_said(KEPT) {
        more.push_str("ea.deleted = 0 AND ");
    }
    if is_said(MODULE) {
        let module = literal_text(&json!(asked.module), asked.database);
        more.push_str(&format!("eabr.bean_module = {module} AND "));
    }
    let value = value.get(COMPARED).unwrap_or(value);
    let value = match value {
        Value::Array(list) => format!("({})", list_text(list, ", ", asked.database)),
        one => literal_text(one, asked.database),
    };
    let table = asked.name;
    Some(format!(
        "{table}.id {membership} (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea \
         ON (ea.id = eabr.email_address_id) WHERE eabr.deleted = 0 AND {more}ea.{} {} {value})",
        form.column, form.comparison
    ))
}
