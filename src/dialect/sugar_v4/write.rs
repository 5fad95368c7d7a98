//! What a request writes: the fields of a record, or relations between records.

use serde_json::{Map, Value, json};

use super::arguments::{Arguments, flag, list, words};
use super::method::{self, Kind};
use super::understand::{DELETE, Making, link, set};
use super::{grammar, names, query};
use crate::dialect::schema::Schema;
use crate::dialect::{Operation, Projected, Understood};
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// Ids of one relation.
const IDS_MAX: usize = 500;

/// Names that are no fields: the CRM sets whatever property of its object is named, and these are those that say which
/// table a record is written to, and how. A policy may classify by a wildcard that fits them.
const NOT_FIELDS: &[&str] = &[
    "acl_category",
    "acltype",
    "additional_column_fields",
    "column_fields",
    "custom_fields",
    "db",
    "disable_custom_fields",
    "disable_row_level_security",
    "disable_vardefs",
    "emailaddress",
    "fetched_rel_row",
    "fetched_row",
    "field_defs",
    "field_name_map",
    "importable",
    "in_import",
    "in_save",
    "in_workflow",
    "list_fields",
    "module_dir",
    "module_name",
    "new_schema",
    "notify_inworkflow",
    "object_name",
    "optimistic_lock",
    "process_save_dates",
    "processed",
    "rel_fields_before_value",
    "relationship_fields",
    "required_fields",
    "save_file",
    "save_from_post",
    "set_created_by",
    "table_name",
    "tracker_visibility",
    "update_date_entered",
    "update_date_modified",
    "update_modified_by",
    "update_vcal",
];

/// Names that clients send along with a record, or read from one, and that say what the call says already: its module. The
/// CRM sets a property that nobody reads, or one that is the same already. They are left out where they name that module
/// and no field has the name.
const MODULE_AGAIN: &[&str] = &["module", "module_name"];

/// Names that clients send along with every record, and stock modules have no field of: the CRM sets a property that nobody
/// reads. Mautic keeps there which of its own records it sends. Other modules may have such a field.
const OF_CLIENTS: &[&str] = &["reference_id"];

/// Takes what `set_entry` writes.
pub(super) fn entry(
    schema: &Schema,
    arguments: &mut Arguments,
    operation: &mut Operation,
) -> Result<(), Reason> {
    let module = arguments.module("module_name")?;
    let fields = arguments
        .take("name_value_list")
        .ok_or(Reason::MalformedBody)?;
    arguments.take("track_view");
    write(schema, operation, module, query::pairs(fields)?)
}

/// A record with an id is updated, or deleted; one without is created.
fn write(
    schema: &Schema,
    operation: &mut Operation,
    module: Module,
    mut fields: Map<String, Value>,
) -> Result<(), Reason> {
    fields.retain(|name, value| {
        let is_again =
            MODULE_AGAIN.contains(&name.as_str()) && value.as_str() == Some(module.as_str());
        let is_of_client =
            OF_CLIENTS.contains(&name.as_str()) && names::stock_name(&module).is_some();
        !(is_again || is_of_client) || schema.has_field(&module, name)
    });
    fields.retain(|name, _| !names::is_composed(&module, name));
    operation.module = Some(module);
    operation.record = match fields.shift_remove("id") {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(Value::String(id)) if id.is_empty() => None,
        Some(Value::String(id)) if grammar::is_id(&id) => Some(id),
        Some(Value::Number(id)) if grammar::is_id(&id.to_string()) => Some(id.to_string()),
        Some(_) => return Err(Reason::MalformedBody),
    };
    let own_id = fields.shift_remove("new_with_id");
    if own_id.is_some_and(|value| flag(&value) != Some(false)) {
        return Err(Reason::IdOnCreate);
    }
    refuse_odd_names(&fields)?;
    if let Some(deleted) = fields.shift_remove("deleted") {
        match flag(&deleted) {
            Some(false) => {}
            Some(true) if fields.is_empty() && operation.record.is_some() => {
                operation.action = Action::Delete;
                return Ok(());
            }
            _ => return Err(Reason::MalformedBody),
        }
    }
    operation.action = if operation.record.is_some() {
        Action::Update
    } else {
        Action::Create
    };
    // The answer shows what was sent.
    let shown = fields.keys().cloned().map(Projected::Field).collect();
    operation.query.projection = Some(shown);
    operation.write = Some(fields);
    Ok(())
}

/// Refuses names that are no fields, and `deleted` in another spelling: somebody would read it differently.
fn refuse_odd_names(fields: &Map<String, Value>) -> Result<(), Reason> {
    let is_odd = |name: &String| {
        let folded = name.to_ascii_lowercase();
        matches!(folded.as_str(), "id" | "new_with_id")
            || (folded == "deleted" && folded != *name)
            || NOT_FIELDS.contains(&folded.as_str())
    };
    if fields.keys().any(is_odd) {
        Err(Reason::MalformedBody)
    } else {
        Ok(())
    }
}

/// `set_entries`: each record is a `set_entry` of its own.
pub(super) fn entries(
    making: &Making<'_>,
    arguments: &mut Arguments,
) -> Result<Understood<Operation>, Reason> {
    let module = arguments.module("module_name")?;
    let records = arguments.list("name_value_lists")?;
    if records.is_empty() {
        return Err(Reason::MalformedBody);
    }
    let parts = records
        .into_iter()
        .map(|fields| {
            let mut part = part(making, Kind::SetEntry);
            write(
                making.schema,
                &mut part,
                module.clone(),
                query::pairs(fields)?,
            )?;
            Ok(part)
        })
        .collect::<Result<_, Reason>>()?;
    making.bulk(parts)
}

/// A part of an envelope: what the method of one record or relation would be.
fn part(making: &Making<'_>, kind: Kind) -> Operation {
    let mut part = making.blank();
    if let Some(method) = method::of(kind) {
        part.action = method.action;
        part.route = making.version.route(method);
        part.rendering.form = method.name;
    }
    part
}

/// Takes what `set_relationship` makes or ends.
pub(super) fn relation(
    schema: &Schema,
    arguments: &mut Arguments,
    operation: &mut Operation,
) -> Result<(), Reason> {
    let module = arguments.module("module_name")?;
    let relation = Relation {
        record: arguments.word("module_id", grammar::is_id)?,
        link: arguments.text("link_field_name")?,
        ids: related_ids(arguments.take("related_ids"))?,
        columns: arguments
            .take("name_value_list")
            .map_or(Ok(Map::new()), query::pairs)?,
        ends: arguments.flag("delete")?,
    };
    relation.into_operation(schema, module, operation)
}

/// One relation.
struct Relation {
    record: String,
    link: String,
    ids: Vec<String>,
    columns: Map<String, Value>,
    ends: bool,
}

impl Relation {
    fn into_operation(
        self,
        schema: &Schema,
        module: Module,
        operation: &mut Operation,
    ) -> Result<(), Reason> {
        // An address that changed its owner would be shown by the rules of the new one.
        if names::ADDRESSES.contains(&self.link.as_str()) {
            return Err(Reason::UnknownLink);
        }
        let (link, mut columns) = (link(schema, self.link, &module)?, self.columns);
        // Some clients name the table of the relation here: no column of it has that name, so the CRM takes no notice.
        let tables = [
            format!("{module}_{}", link.target),
            format!("{}_{module}", link.target),
        ];
        columns.retain(|name, _| {
            tables
                .iter()
                .all(|table| table.to_ascii_lowercase() != *name)
        });
        refuse_odd_names(&columns)?;
        operation.link = Some(link);
        operation.module = Some(module);
        operation.record = Some(self.record);
        operation.related = self.ids;
        operation.write = (!columns.is_empty()).then_some(columns);
        set(operation, DELETE, json!(self.ends));
        Ok(())
    }
}

/// Ids of records; one may stand for itself.
fn related_ids(value: Option<Value>) -> Result<Vec<String>, Reason> {
    match value {
        Some(Value::String(id)) if !id.is_empty() => ids(vec![Value::String(id)]),
        value => ids(value.map_or(Ok(Vec::new()), list)?),
    }
}

fn ids(values: Vec<Value>) -> Result<Vec<String>, Reason> {
    words(values, grammar::is_id)
        .filter(|ids| (1..=IDS_MAX).contains(&ids.len()))
        .ok_or(Reason::MalformedBody)
}

/// `set_relationships`: lists of the same length, from which each relation takes its place.
pub(super) fn relations(
    making: &Making<'_>,
    arguments: &mut Arguments,
) -> Result<Understood<Operation>, Reason> {
    let modules = words(arguments.list("module_names")?, grammar::is_module);
    let modules = modules.ok_or(Reason::MalformedBody)?;
    let mut records = arguments.list("module_ids")?.into_iter();
    let mut links = arguments.list("link_field_names")?.into_iter();
    let mut related = arguments.list("related_ids")?.into_iter();
    let mut columns = arguments.list("name_value_lists")?.into_iter();
    let mut ends = arguments.list("delete_array")?.into_iter();
    let lengths = [records.len(), links.len(), related.len()];
    let fits = |length: usize| length == modules.len();
    if modules.is_empty()
        || !lengths.into_iter().all(fits)
        || ![columns.len(), ends.len()]
            .into_iter()
            .all(|length| length == 0 || fits(length))
    {
        return Err(Reason::MalformedBody);
    }
    let mut parts = Vec::new();
    for module in modules {
        let mut part = part(making, Kind::Relate);
        let relation = Relation {
            record: word(records.next())?,
            link: word(links.next())?,
            ids: related_ids(related.next())?,
            columns: columns.next().map_or(Ok(Map::new()), query::pairs)?,
            ends: ends
                .next()
                .map_or(Some(false), |value| flag(&value))
                .ok_or(Reason::MalformedBody)?,
        };
        relation.into_operation(making.schema, Module::new(&module), &mut part)?;
        parts.push(part);
    }
    making.bulk(parts)
}

fn word(value: Option<Value>) -> Result<String, Reason> {
    match value {
        Some(Value::String(text)) if grammar::is_id(&text) => Ok(text),
        _ => Err(Reason::MalformedBody),
    }
}
