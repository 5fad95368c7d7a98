//! More of the same records: further fields, further pages; and the answer about a record that there is not.

use std::collections::BTreeSet;

use serde_json::json;

use super::method::{self, Kind};
use super::restrict::leads_to_records;
use crate::dialect::paging::USUAL_ROWS;
use crate::dialect::{
    Absent, Empty, Judging, NextPlace, NextSays, Operation, PageForm, Projected, Query, Widened,
};
use crate::vocabulary::{FieldPath, Module};

/// What the CRM says in place of the fields of a record that it does not have.
const WARNING: &str = "Access to this object is denied since it has been deleted or does not exist";

/// The same as an operation, with the fields by which its records are judged. `None`, where the CRM would send others then
/// than those of its own choice: only a search has one that is not all.
pub(super) fn widened(operation: &Operation, judging: Judging<'_>) -> Option<Widened> {
    let kind = method::by_name(operation.rendering.form)?.kind;
    let mut widened = operation.clone();
    let (mut added, mut asked) = (BTreeSet::new(), BTreeSet::new());
    let selects = matches!(
        kind,
        Kind::Entry | Kind::Entries | Kind::List | Kind::Related | Kind::Search
    );
    let target = operation.target().filter(|_| selects);
    let Some(target) = target else {
        return Some(Widened::new(widened, &added, &asked));
    };
    let are_records = operation.link.as_ref().is_none_or(leads_to_records);
    let query = &mut widened.query;
    match has_fields(query) {
        true if are_records => add(query, target, judging, (&mut added, &mut asked)),
        true => {}
        false if kind == Kind::Search && !judging(target).is_empty() => return None,
        false => {}
    }
    for item in query.projection.iter_mut().flatten() {
        if let Projected::Collection { link, query } = item
            && leads_to_records(link)
            && has_fields(query)
        {
            let lists = (&mut added, &mut asked);
            add(query, &link.target, judging, lists);
        }
    }
    Some(Widened::new(widened, &added, &asked))
}

/// Whether fields are chosen; else all are meant.
fn has_fields(query: &Query) -> bool {
    let mut items = query.projection.iter().flatten();
    items.any(|item| matches!(item, Projected::Field(_)))
}

fn add(
    query: &mut Query,
    module: &Module,
    judging: Judging<'_>,
    (added, asked): (&mut BTreeSet<FieldPath>, &mut BTreeSet<FieldPath>),
) {
    let items = query.projection.get_or_insert_default();
    let named = items.iter().filter_map(|item| match item {
        Projected::Field(name) => Some(FieldPath::new(module, name)),
        Projected::Collection { .. } => None,
    });
    let named: BTreeSet<FieldPath> = named.collect();
    for field in judging(module) {
        let path = FieldPath {
            module: module.clone(),
            field,
        };
        if !named.contains(&path) {
            items.push(Projected::Field(path.field.as_str().to_owned()));
            added.insert(path);
        }
    }
    asked.extend(named);
}

/// How the reply to an operation is read page by page.
pub(super) fn page(operation: &Operation) -> Option<PageForm> {
    let kind = method::by_name(operation.rendering.form)?.kind;
    let next = NextPlace {
        path: vec!["next_offset"],
        says: NextSays::Behind,
    };
    // No rows mean as many as the CRM likes.
    let rows = operation.query.limit.filter(|rows| *rows > 0);
    has_pages(kind).then(|| PageForm {
        rows: rows.unwrap_or(USUAL_ROWS),
        max: None,
        is_numbered: false,
        next: (kind == Kind::List).then_some(next),
        empty: Empty::List,
    })
}

fn has_pages(kind: Kind) -> bool {
    matches!(kind, Kind::List | Kind::Related | Kind::Search)
}

/// The same as an operation, from this row on, so many rows.
pub(super) fn paged(operation: &Operation, offset: u64, limit: u32) -> Option<Operation> {
    let kind = method::by_name(operation.rendering.form)?.kind;
    let mut paged = operation.clone();
    paged.query.offset = Some(offset);
    paged.query.limit = Some(limit);
    // It takes the rows of a page from what is linked before it sorts them: pages are in no order.
    if kind == Kind::Related && !paged.query.order.is_empty() {
        return None;
    }
    // No rows would mean as many as the CRM likes.
    (has_pages(kind) && limit > 0).then_some(paged)
}

/// What the CRM answers about a record that it does not have.
pub(super) fn absent(operation: &Operation) -> Absent {
    let kind = method::by_name(operation.rendering.form).map(|method| method.kind);
    match kind {
        Some(Kind::Entry) => Absent::Reply(json!({
            "entry_list": [{
                "id": operation.record,
                "module_name": operation.module.as_ref().map(Module::as_str),
                "name_value_list": [
                    {"name": "warning", "value": WARNING},
                    {"name": "deleted", "value": "1"},
                ],
            }],
            "relationship_list": [],
        })),
        Some(Kind::Related) => Absent::Reply(json!({"entry_list": [], "relationship_list": []})),
        _ => Absent::Error {
            status: 404,
            label: None,
        },
    }
}
