//! What is needed of records, said in `query` beside what the caller says there.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::method::{self, Kind};
use super::names;
use super::sql::{self, Table};
use crate::dialect::schema::Schema;
use crate::dialect::styles::{Said, Says, Sign, Which, flattened, is_kept, moment, said};
use crate::dialect::{
    Database, Link, Needed, Operation, Origin, Path, Predicate, Projected, Restricted, ValueType,
};
use crate::vocabulary::{Field, Module, Spelling};

/// Names of ids that lie in other tables than the record, but in these modules.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("account_id", &["Cases", "Leads"]),
    ("contact_id", &["Leads", "Notes", "Tasks"]),
    ("opportunity_id", &["Leads"]),
    // Addresses have a table of their own.
    ("email1", &[]),
    // A column of the record's own table, whatever its ending says.
    ("template_ddown_c", &[]),
];

/// The columns of a module's records.
struct Columns<'a> {
    schema: &'a Schema,
    module: &'a Module,
}

impl Columns<'_> {
    fn path(&self, field: &Field) -> Option<Path> {
        let name = field.as_str();
        let known = ELSEWHERE.iter().find(|(known, _)| *known == name);
        let is_column = known.is_none_or(|(_, modules)| modules.contains(&self.module.as_str()));
        let is_own = self.schema.origin(self.module, name) == Origin::Own;
        (is_own && is_column).then(|| Path {
            link: None,
            field: name.to_owned(),
        })
    }
}

impl Says for Columns<'_> {
    fn compare(&self, field: &Field, sign: Sign, value: Value) -> Option<Predicate> {
        let (operator, value) = match sign {
            Sign::Is => ("=", value),
            Sign::IsNot => ("!=", value),
            Sign::Less => ("<", value),
            Sign::AtMost => ("<=", value),
            Sign::Greater => (">", value),
            Sign::AtLeast => (">=", value),
            Sign::Null => ("IS NULL", Value::Null),
            Sign::NotNull => ("IS NOT NULL", Value::Null),
            Sign::True => ("=", json!(1)),
            Sign::False => ("=", json!(0)),
            Sign::Empty | Sign::NotEmpty => return None,
        };
        is_kept(Spelling::Html, &value).then_some(())?;
        Some(Predicate::Field {
            path: self.path(field)?,
            operator: Some(operator),
            value,
        })
    }

    fn compare_all(&self, field: &Field, is_one: bool, values: &[Value]) -> Option<Predicate> {
        let are_kept = values.iter().all(|value| is_kept(Spelling::Html, value));
        are_kept.then_some(())?;
        Some(Predicate::Field {
            path: self.path(field)?,
            operator: Some(if is_one { "IN" } else { "NOT IN" }),
            value: Value::Array(values.to_vec()),
        })
    }

    fn kind(&self, field: &Field) -> Option<ValueType> {
        self.schema.value_type(self.module, field)
    }

    fn moment(&self, _field: &Field, time: Timestamp) -> Option<Value> {
        moment(time, 1, "%Y-%m-%d %H:%M:%S")
    }
}

/// The same as an operation, asked only of records of which what is needed holds.
pub(super) fn restricted(
    operation: &Operation,
    (schema, database): (&Schema, Database),
    needed: Needed<'_>,
) -> Restricted {
    let mut restricted = Restricted::new(operation);
    let Some(method) = method::by_name(operation.rendering.form) else {
        return Restricted::nothing_said(operation, needed);
    };
    let selects = matches!(
        method.kind,
        Kind::Entries | Kind::List | Kind::Count | Kind::Related | Kind::Search
    );
    let are_records = operation.link.as_ref().is_none_or(leads_to_records);
    let target = operation.target().filter(|_| selects && are_records);
    if let Some(target) = target
        && let Some(must) = needed(target)
    {
        let columns = Columns {
            schema,
            module: target,
        };
        let name = names::of_table(schema, operation);
        let table = Table {
            name: &name,
            module: target.as_str(),
            database,
        };
        let can_say = matches!(method.kind, Kind::List | Kind::Count | Kind::Related);
        let filter = operation.query.predicate.as_ref();
        let both = can_say.then(|| and(filter, said(&must, &columns), (&columns, table)));
        let (predicate, is_exact) = both.flatten().unwrap_or_else(|| (filter.cloned(), false));
        restricted.operation.query.predicate = predicate;
        if !is_exact {
            restricted.unsaid.insert(target.clone());
        }
    }
    // Behind links, no filter is.
    for item in operation.query.projection.iter().flatten() {
        if let Projected::Collection { link, .. } = item
            && leads_to_records(link)
            && needed(&link.target).is_some()
        {
            restricted.unsaid.insert(link.target.clone());
        }
    }
    restricted
}

/// Whether records of a module lie behind a link; else it is the addresses of the record itself.
pub(super) fn leads_to_records(link: &Link) -> bool {
    !names::ADDRESSES.contains(&link.name.as_str())
}

/// A filter, and what is said beside it; and whether that is all. `None`, if it would be understood otherwise.
fn and(
    filter: Option<&Predicate>,
    Said { which, is_exact }: Said,
    (columns, table): (&Columns<'_>, Table<'_>),
) -> Option<(Option<Predicate>, bool)> {
    let needed = match which {
        Which::Every => return Some((filter.cloned(), is_exact)),
        // No record is without an id.
        Which::None => columns.compare(&Field::fold("id"), Sign::Null, Value::Null)?,
        Which::Those(predicate) => predicate,
    };
    let parts = filter.cloned().into_iter().chain([needed]).collect();
    let both = sql::joined(flattened(parts, true), true);
    let again = sql::filter(&sql::render(&both, table), table).ok()?;
    (again.as_ref() == Some(&both)).then_some((Some(both), is_exact))
}
