//! More of the same records: further fields, further pages.

use std::collections::BTreeSet;

use super::description::{Description, Route, Table};
use super::query;
use crate::dialect::paging::USUAL_ROWS;
use crate::dialect::{Judging, Link, Operation, PageForm, Projected, Query, Widened};
use crate::vocabulary::{Field, FieldPath, Module};

/// What is added to projections.
struct Adding<'a> {
    description: &'a Description,
    judging: Judging<'a>,
    added: BTreeSet<FieldPath>,
    /// The fields that the caller asks for.
    asked: BTreeSet<FieldPath>,
}

/// The same as an operation, with the fields by which its records are judged. An API that is asked for no fields sends all, or
/// those of a view, beside which it sends those that are named.
pub(super) fn widened(
    description: &Description,
    operation: &Operation,
    judging: Judging<'_>,
) -> Widened {
    let mut widened = operation.clone();
    let mut adding = Adding {
        description,
        judging,
        added: BTreeSet::new(),
        asked: BTreeSet::new(),
    };
    if let Some(target) = operation.target() {
        let modules: Vec<&Module> = std::iter::once(target)
            .chain(&operation.query.beside)
            .collect();
        adding.widen_view(operation, target, &mut widened.query);
        adding.to(&modules, operation.link.as_ref(), &mut widened.query);
    }
    let Adding { added, asked, .. } = adding;
    Widened::new(widened, &added, &asked)
}

impl Adding<'_> {
    /// Where a view is asked for, what is named is sent beside what is in it, as far as that is not known to be asked for.
    fn widen_view(&mut self, operation: &Operation, target: &Module, query: &mut Query) {
        let fixed = &operation.rendering.fixed;
        let route = self.description.route(operation.rendering.form);
        let has_view = route.is_some_and(|route| query::has_view(fixed, route));
        let fields = (self.judging)(target);
        if has_view && query.projection.is_none() && !fields.is_empty() {
            query.projection = Some(Vec::new());
            self.asked.extend(fields.into_iter().map(|field| FieldPath {
                module: target.clone(),
                field,
            }));
        }
    }

    fn judges(&self, module: &Module) -> bool {
        !(self.judging)(module).is_empty()
    }

    /// Where an API sends nothing but what it is asked for, nobody would know whose record it is. Those that are delivered with
    /// the program always send it.
    fn ask_for_id(&self, module: &Module, items: &mut Vec<Projected>) {
        let id = Projected::Field(self.description.id_key(module).to_owned());
        if self.description.native.is_none() && !items.contains(&id) {
            items.push(id);
        }
    }

    fn to(&mut self, modules: &[&Module], link: Option<&Link>, query: &mut Query) {
        let Some(items) = &mut query.projection else {
            return;
        };
        let are_records = link.is_none_or(|link| self.description.leads_to_records(link));
        for module in modules {
            let fields = items.iter().filter_map(|item| match item {
                Projected::Field(name) => Some(FieldPath::new(module, name)),
                Projected::Collection { .. } => None,
            });
            let asked: BTreeSet<FieldPath> = fields.collect();
            let fields = match are_records {
                true => (self.judging)(module),
                false => BTreeSet::new(),
            };
            for field in fields {
                let path = FieldPath {
                    module: (*module).clone(),
                    field,
                };
                if !asked.contains(&path) {
                    self.description.ask_for(&path, items);
                    self.added.insert(path);
                }
            }
            if are_records && self.judges(module) {
                self.ask_for_id(module, items);
            }
            self.asked.extend(asked);
        }
        for item in items {
            if let Projected::Collection { link, query } = item {
                let target = link.target.clone();
                self.to(&[&target], Some(&*link), query);
            }
        }
    }
}

impl Description {
    /// Names a field, or what it lies in.
    fn ask_for(&self, path: &FieldPath, items: &mut Vec<Projected>) {
        let known = self.known(&path.module);
        let is_inner = |field: &Field| {
            let mut tables = known.iter().flat_map(|known| &known.tables);
            tables.any(|(_, table)| {
                matches!(table, Table::Own(prefix) if !prefix.is_empty() && field.as_str().starts_with(prefix.as_str()))
            })
        };
        let names: Vec<&str> = match known {
            Some(known) if is_inner(&path.field) => known.inner.clone(),
            _ => vec![self.spelled(&path.module, &path.field)],
        };
        for name in names {
            let item = Projected::Field(name.to_owned());
            if !items.contains(&item) {
                items.push(item);
            }
        }
    }
}

/// How the reply of a route to an operation is read page by page.
pub(super) fn page(route: &Route, operation: &Operation) -> Option<PageForm> {
    let page = route.listing.page.as_ref()?;
    let rows = operation.query.limit.or(page.default);
    Some(PageForm {
        rows: rows.unwrap_or(USUAL_ROWS),
        max: page.max,
        is_numbered: page.offset.is_none(),
        next: page.next.clone(),
        empty: page.empty,
    })
}

/// The same as an operation, from this row on, so many rows.
pub(super) fn paged(
    description: &Description,
    operation: &Operation,
    offset: u64,
    limit: u32,
) -> Option<Operation> {
    let route = description.route(operation.rendering.form)?;
    let page = route.listing.page.as_ref()?;
    let max = page.max.unwrap_or(u32::MAX);
    if limit == 0 || limit > max {
        return None;
    }
    let is_told = match (&page.offset, &page.number) {
        (Some(_), _) => true,
        (None, Some(_)) => offset.is_multiple_of(u64::from(limit)),
        (None, None) => offset == 0,
    };
    let mut paged = operation.clone();
    // Where a cursor says where to go on, no number does.
    let is_at_cursor = query::forget_page(&mut paged.rendering.fixed);
    paged.query.offset = Some(offset);
    paged.query.limit = Some(limit);
    (is_told && !is_at_cursor).then_some(paged)
}
