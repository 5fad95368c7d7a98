//! What is needed of records, said where a route filters, beside what the caller says there.

use serde_json::{Map, Value, json};

use super::description::{Description, Route, Says, Table};
use super::fields::Asked;
use super::listing::Listing;
use super::query;
use crate::condition::Resolved;
use crate::dialect::schema::Schema;
use crate::dialect::styles::{Columns, Fields as _, PredicateStyle, Scope};
use crate::dialect::{
    Link, Needed, Operation, Origin, Path, Predicate, Projected, Query, Restricted, ValueType,
};
use crate::door::Control;
use crate::vocabulary::{Action, Field, Module};

/// Nesting of JSON in a text that is written here.
const DEPTH_MAX: usize = 40;

/// Fields that hold a moment in every module of a CRM that is delivered.
const MOMENTS: &[&str] = &["date_entered", "date_modified"];

/// What is needed, and of what API.
#[derive(Clone, Copy)]
struct Terms<'a> {
    description: &'a Description,
    schema: &'a Schema,
    needed: Needed<'a>,
}

/// The same as an operation, asked only of records of which what is needed holds. What is written is compared with no others.
pub(super) fn restricted(
    description: &Description,
    schema: &Schema,
    operation: &Operation,
    needed: Needed<'_>,
) -> Restricted {
    let mut restricted = selecting(description, schema, operation, needed);
    let withholds = operation
        .target()
        .is_some_and(|module| needed(module).is_some());
    if withholds {
        description.compare_with_none(&mut restricted.operation);
    }
    restricted
}

fn selecting(
    description: &Description,
    schema: &Schema,
    operation: &Operation,
    needed: Needed<'_>,
) -> Restricted {
    let terms = Terms {
        description,
        schema,
        needed,
    };
    let mut restricted = Restricted::new(operation);
    let (Some(route), Some(asked)) = (
        description.route(operation.rendering.form),
        description.asked(operation),
    ) else {
        return Restricted::nothing_said(operation, needed);
    };
    let asked = Asked {
        depth_max: DEPTH_MAX,
        in_query: !route.is_in_body(),
        ..asked
    };
    if let Some(must) = terms.own(operation, asked.module) {
        let is_said = can_say(route, operation)
            && terms.say(&must, operation, (route, asked), &mut restricted);
        if !is_said {
            restricted.unsaid.insert(asked.module.clone());
        }
    }
    for module in &operation.query.beside {
        terms.is_unsaid(module, &mut restricted);
    }
    terms.through_links(&operation.query, &mut restricted);
    terms.within(&mut restricted, asked);
    restricted
}

/// Whether a filter of the route says which records are selected, and nothing else does but what holds beside it.
fn can_say(route: &Route, operation: &Operation) -> bool {
    let query = &operation.query;
    let stands_alone = route.search.as_ref().is_some_and(|search| search.alone);
    matches!(operation.action, Action::List | Action::Count)
        && !route.matches
        && query.beside.is_empty()
        && !(stands_alone && query.search.is_some())
}

impl Terms<'_> {
    /// What is needed of the records that are selected, be it one that is found by what a field of it holds. One that is named by
    /// its id is judged by itself, and what belongs to a record goes with it.
    fn own(self, operation: &Operation, module: &Module) -> Option<Resolved> {
        let selects = matches!(
            operation.action,
            Action::List | Action::Count | Action::Metadata | Action::Other
        );
        let finds = operation.record.is_none() && operation.query.predicate.is_some();
        let selects = selects || operation.action == Action::Read && finds;
        let mut links = operation.link.iter();
        let are_records = links.all(|link| self.description.leads_to_records(link));
        (self.needed)(module).filter(|_| selects && are_records)
    }

    fn is_unsaid(self, module: &Module, restricted: &mut Restricted) {
        if (self.needed)(module).is_some() {
            restricted.unsaid.insert(module.clone());
        }
    }

    /// Whether all that is needed of an operation's own records could be said.
    fn say(
        self,
        must: &Resolved,
        operation: &Operation,
        (route, asked): (&Route, Asked<'_>),
        restricted: &mut Restricted,
    ) -> bool {
        let listing = &route.listing;
        let said = match listing.is_plain {
            true => self.plain(must, &operation.query, (listing, asked)),
            false => {
                let Operation {
                    query, rendering, ..
                } = &mut restricted.operation;
                return self.in_parts(must, (query, &mut rendering.fixed), (listing, asked));
            }
        };
        let Some((predicate, is_exact)) = said else {
            return false;
        };
        if predicate.is_some() {
            restricted.operation.query.predicate = predicate;
        }
        is_exact
    }

    /// One filter says it all.
    fn plain(
        self,
        must: &Resolved,
        query: &Query,
        (listing, asked): (&Listing, Asked<'_>),
    ) -> Option<(Option<Predicate>, bool)> {
        let [style] = listing.predicates.as_slice() else {
            return None;
        };
        let filter = query.predicate.as_ref().map(|predicate| (predicate, 0));
        self.and(style, filter, must, asked)
    }

    /// Several parameters may filter, and all hold: it is said in one of them.
    fn in_parts(
        self,
        must: &Resolved,
        (query, fixed): (&mut Query, &mut Map<String, Value>),
        (listing, asked): (&Listing, Asked<'_>),
    ) -> bool {
        for (number, style) in listing.predicates.iter().enumerate() {
            let own = query::parts(query, fixed)
                .enumerate()
                .find_map(|(at, (part, of, name))| (of == number).then_some((at, part, name)));
            let filter = own.map(|(_, part, name)| (part, name));
            let Some((said, is_exact)) = self.and(style, filter, must, asked) else {
                continue;
            };
            let at = own.map(|(at, ..)| at);
            if let Some(said) = said {
                put(query, fixed, (at, number), said);
            }
            return is_exact;
        }
        false
    }

    fn and(
        self,
        style: &PredicateStyle,
        filter: Option<(&Predicate, usize)>,
        must: &Resolved,
        asked: Asked<'_>,
    ) -> Option<(Option<Predicate>, bool)> {
        let path = |field: &Field| self.path(asked, field);
        let kind = |field: &Field| self.schema.value_type(asked.module, field);
        let has_time = |field: &Field| self.has_time(asked.module, field);
        let columns = Columns {
            path: &path,
            kind: &kind,
            has_time: &has_time,
            spelling: self.description.spelling,
        };
        let scope: Scope<'_> = asked.scope();
        style.and(filter, must, columns, scope)
    }

    /// The path of a field, if it is known to be one that can be filtered by.
    fn path(self, asked: Asked<'_>, field: &Field) -> Option<Path> {
        let Self {
            description,
            schema,
            ..
        } = self;
        let module = asked.module;
        if schema.origin(module, field.as_str()) != Origin::Own {
            return None;
        }
        let id = description.id_key(module);
        let is_known = match description.native {
            Some(native) => native.filters_by(field),
            None => id == field.as_str() || description.names_column(module, field),
        };
        let name = description.spelled(module, field);
        let path = Path {
            link: None,
            field: name.to_owned(),
        };
        // One name of several, or none: what is written would mean another field.
        let means_it = || {
            let resolved = asked.resolve(&asked.spell(&path));
            resolved.is_ok_and(|resolved| resolved == path)
        };
        (is_known && means_it()).then_some(path)
    }

    /// Whether a field holds moments, or days.
    fn has_time(self, module: &Module, field: &Field) -> Option<bool> {
        if self.description.native.is_some() && MOMENTS.contains(&field.as_str()) {
            return Some(true);
        }
        let known = self.schema.value_type(module, field);
        known.filter(|kind| *kind == ValueType::Date)?;
        let beside = self.schema.beside().field(module, field.as_str())?;
        Some(!beside.kind.as_deref()?.eq_ignore_ascii_case("date"))
    }

    /// A comparison with a linked record says nothing of which of these are meant.
    fn through_links(self, query: &Query, restricted: &mut Restricted) {
        let mut link = |link: &Link| {
            if self.description.leads_to_records(link) {
                self.is_unsaid(&link.target, restricted);
            }
        };
        if let Some(predicate) = &query.predicate {
            predicate.each_path(&mut |path| path.link.iter().for_each(&mut link));
        }
        for sort in &query.order {
            sort.path.link.iter().for_each(&mut link);
        }
    }

    /// Says it of the records within records too.
    fn within(self, restricted: &mut Restricted, asked: Asked<'_>) {
        let Some(mut items) = restricted.operation.query.projection.take() else {
            return;
        };
        for item in &mut items {
            self.behind(item, asked, restricted);
        }
        restricted.operation.query.projection = Some(items);
    }

    fn behind(self, item: &mut Projected, asked: Asked<'_>, restricted: &mut Restricted) {
        let Projected::Collection { link, query } = item else {
            return;
        };
        if !self.description.leads_to_records(link) {
            return;
        }
        self.through_links(query, restricted);
        let behind = asked.behind(link);
        if let Some(must) = (self.needed)(&link.target) {
            let within = self.description.within.as_ref();
            let said =
                within.and_then(|within| self.plain(&must, query, (&within.listing, behind)));
            let is_exact = said.as_ref().is_some_and(|(_, is_exact)| *is_exact);
            if let Some((Some(predicate), _)) = said {
                query.predicate = Some(predicate);
            }
            if !is_exact {
                restricted.unsaid.insert(link.target.clone());
            }
        }
        for item in query.projection.iter_mut().flatten() {
            self.behind(item, behind, restricted);
        }
    }
}

/// Puts a part in the place of the one that was there, or behind all.
fn put(
    query: &mut Query,
    fixed: &mut Map<String, Value>,
    (at, number): (Option<usize>, usize),
    said: Predicate,
) {
    let mut parts = match query.predicate.take() {
        Some(Predicate::All(parts)) => parts,
        _ => Vec::new(),
    };
    match at.and_then(|at| parts.get_mut(at)) {
        Some(part) => *part = said,
        None => {
            parts.push(said);
            let sources = fixed
                .entry(query::SOURCES)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(sources) = sources {
                sources.push(json!([number, 0]));
            }
        }
    }
    query.predicate = Some(Predicate::All(parts));
}

impl Description {
    /// Sends the headers by which the API compares what is written with no other records: it would tell of those that are not
    /// there for the caller.
    fn compare_with_none(&self, operation: &mut Operation) {
        let route = self.route(operation.rendering.form);
        let controls = route.into_iter().flat_map(|route| &route.controls);
        for (name, _) in controls.filter(|(_, says)| *says == Says::Unlike) {
            let sent = &mut operation.rendering.controls;
            sent.retain(|control| control.name() != *name);
            sent.push(Control::yes(name));
        }
    }

    /// Whether the description names a field as one of a module's own, or says how filters name it.
    fn names_column(&self, module: &Module, field: &Field) -> bool {
        let Some(known) = self.known(module) else {
            return false;
        };
        let is_extra = known.tables.iter().any(|(_, table)| match table {
            Table::Own(prefix) => !prefix.is_empty() && field.as_str().starts_with(prefix.as_str()),
            Table::Of(_) => false,
        });
        let mut columns = known.columns.iter();
        is_extra
            || known.algebra.fields.contains(field)
            || columns.any(|(_, name)| Field::fold(name) == *field)
    }
}
