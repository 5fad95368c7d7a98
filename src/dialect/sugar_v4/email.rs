//! The one sub-select of the grammar: records by their e-mail address. Addresses stand in a table of their own, so
//! every client that looks somebody up by address sends it.
//!
//! ```text
//! SELECT a.bean_id FROM email_addr_bean_rel a JOIN email_addresses b ON (b.id = a.email_address_id)
//! WHERE a.deleted = 0 AND b.email_address = 'x'
//! ```
//!
//! It is one predicate about the field [`FIELD`] of the module that is asked.

use serde_json::Value;

use super::sql::{Parser, Table as Asked, list_text, literal_text};
use crate::dialect::{Path, Predicate};
use crate::reason::Reason;

/// The field that a record's addresses are judged as.
pub(super) const FIELD: &str = "email1";

/// A way to compare addresses.
struct Form {
    /// The operator, where an address of the record compares so, and where none does.
    has: &'static str,
    has_none: &'static str,
    column: &'static str,
    comparison: &'static str,
}

const FORMS: &[Form] = &[
    Form {
        has: "HAS ADDRESS =",
        has_none: "HAS NO ADDRESS =",
        column: "email_address",
        comparison: "=",
    },
    Form {
        has: "HAS ADDRESS LIKE",
        has_none: "HAS NO ADDRESS LIKE",
        column: "email_address",
        comparison: "LIKE",
    },
    Form {
        has: "HAS ADDRESS IN",
        has_none: "HAS NO ADDRESS IN",
        column: "email_address",
        comparison: "IN",
    },
    Form {
        has: "HAS CAPITALS =",
        has_none: "HAS NO CAPITALS =",
        column: "email_address_caps",
        comparison: "=",
    },
    Form {
        has: "HAS CAPITALS LIKE",
        has_none: "HAS NO CAPITALS LIKE",
        column: "email_address_caps",
        comparison: "LIKE",
    },
    Form {
        has: "HAS CAPITALS IN",
        has_none: "HAS NO CAPITALS IN",
        column: "email_address_caps",
        comparison: "IN",
    },
];

/// Addresses of one list.
const LIST_MAX: usize = 100;

/// Reads the sub-select after its first word, up to the bracket that closes it.
pub(super) fn predicate(parser: &mut Parser<'_>, negated: bool) -> Result<Predicate, Reason> {
    let selected = alias_column(parser)?;
    parser.expect_keyword("FROM")?;
    parser.expect_keyword("email_addr_bean_rel")?;
    let relation = alias(parser, "email_addr_bean_rel", "JOIN")?;
    parser.keyword("INNER");
    parser.expect_keyword("JOIN")?;
    parser.expect_keyword("email_addresses")?;
    let address = alias(parser, "email_addresses", "ON")?;
    let aliases = Aliases { relation, address };
    parser.expect_keyword("ON")?;
    aliases.joined(parser)?;
    parser.expect_keyword("WHERE")?;
    if aliases.table(&selected.0)? != Table::Relation || selected.1 != "bean_id" {
        return Err(Reason::MalformedFilter);
    }
    aliases.compared(parser, negated)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Relation,
    Address,
}

struct Aliases {
    relation: String,
    address: String,
}

/// `a.column`, folded.
fn alias_column(parser: &mut Parser<'_>) -> Result<(String, String), Reason> {
    let alias = parser.name()?.to_ascii_lowercase();
    parser.expect(".")?;
    Ok((alias, parser.name()?.to_ascii_lowercase()))
}

/// The name that a table goes by, if the next word is not the one that must follow.
fn alias(parser: &mut Parser<'_>, table: &str, follows: &str) -> Result<String, Reason> {
    if parser.keyword("AS") {
        return Ok(parser.name()?.to_ascii_lowercase());
    }
    if parser.is_next(follows) || parser.is_next("INNER") {
        return Ok(table.to_owned());
    }
    Ok(parser.name()?.to_ascii_lowercase())
}

impl Aliases {
    fn table(&self, alias: &str) -> Result<Table, Reason> {
        match (alias == self.relation, alias == self.address) {
            (true, false) => Ok(Table::Relation),
            (false, true) => Ok(Table::Address),
            _ => Err(Reason::MalformedFilter),
        }
    }

    /// The condition that joins the two tables, in brackets or not.
    fn joined(&self, parser: &mut Parser<'_>) -> Result<(), Reason> {
        let in_brackets = parser.take("(");
        let one = self.column(parser)?;
        parser.expect("=")?;
        let other = self.column(parser)?;
        let ends = [
            (Table::Relation, "email_address_id".to_owned()),
            (Table::Address, "id".to_owned()),
        ];
        if !(ends.contains(&one) && ends.contains(&other) && one != other) {
            return Err(Reason::MalformedFilter);
        }
        while parser.keyword("AND") {
            self.not_deleted(parser)?;
        }
        if in_brackets {
            parser.expect(")")?;
        }
        Ok(())
    }

    fn column(&self, parser: &mut Parser<'_>) -> Result<(Table, String), Reason> {
        let (alias, column) = alias_column(parser)?;
        Ok((self.table(&alias)?, column))
    }

    fn not_deleted(&self, parser: &mut Parser<'_>) -> Result<(), Reason> {
        let (_, column) = self.column(parser)?;
        parser.expect("=")?;
        if column == "deleted" && is_zero(&parser.literal()?) {
            Ok(())
        } else {
            Err(Reason::MalformedFilter)
        }
    }

    /// What is said of relations and addresses: they are not deleted, and one comparison.
    fn compared(&self, parser: &mut Parser<'_>, negated: bool) -> Result<Predicate, Reason> {
        let mut found = None;
        loop {
            let (table, column) = self.column(parser)?;
            if column == "deleted" {
                parser.expect("=")?;
                if !is_zero(&parser.literal()?) {
                    return Err(Reason::MalformedFilter);
                }
            } else if table == Table::Address && found.is_none() {
                found = Some(comparison(parser, &column, negated)?);
            } else {
                return Err(Reason::MalformedFilter);
            }
            if !parser.keyword("AND") {
                return found.ok_or(Reason::MalformedFilter);
            }
        }
    }
}

pub(super) fn is_zero(value: &Value) -> bool {
    matches!(value.to_string().as_str(), "0" | "\"0\"")
}

fn comparison(parser: &mut Parser<'_>, column: &str, negated: bool) -> Result<Predicate, Reason> {
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
    Ok(Predicate::Field {
        path: Path {
            link: None,
            field: FIELD.to_owned(),
        },
        operator: Some(if negated { form.has_none } else { form.has }),
        value,
    })
}

/// Writes the predicate for a table; `None` if the operator is not one of these.
pub(super) fn render(operator: &str, value: &Value, table: Asked<'_>) -> Option<String> {
    let form = FORMS
        .iter()
        .find(|form| operator == form.has || operator == form.has_none)?;
    let membership = if operator == form.has { "IN" } else { "NOT IN" };
    let value = match value {
        Value::Array(list) => format!("({})", list_text(list, ", ", table.database)),
        one => literal_text(one, table.database),
    };
    let table = table.name;
    Some(format!(
        "{table}.id {membership} (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea \
         ON (ea.id = eabr.email_address_id) WHERE eabr.deleted = 0 AND ea.{} {} {value})",
        form.column, form.comparison
    ))
}
