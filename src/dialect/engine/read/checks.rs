//! Compares routes with what their actions need, and with each other.

use http::Method;

use super::Reader;
use super::routes::Read;
use crate::diagnostic::{Diagnostic, Place as Where, quoted};
use crate::dialect::Access;
use crate::dialect::engine::codes;
use crate::dialect::engine::description::{Carries, Name, Relates, Route, Segment};
use crate::dialect::engine::listing::{Search, Select};
use crate::dialect::styles::Order;
use crate::dialect::styles::PredicateStyle;
use crate::vocabulary::Action;

impl Reader<'_> {
    /// What an action needs of its route.
    pub(super) fn fits_action(&mut self, route: &Route, place: &Where) {
        let is_told = route.tells();
        let has = |place: Segment| route.template.contains(&place);
        // Of what is compiled in, it is known that nothing but the caller is spoken of.
        let is_own = self.native.is_some() && route.access == Access::Role;
        let has_module = is_told || has_module(route) || is_about_caller(route) || is_own;
        // Where links are not all known, the API looks for one that leads to the module of a document.
        let is_led = self.native.is_some() && matches!(route.relates, Relates::Document(_));
        let is_led = is_led || matches!(route.relates, Relates::Listed { .. });
        let tells_related = !matches!(route.relates, Relates::No | Relates::Columns);
        let has_related = tells_related || has(Segment::Related);
        let needs = match route.action {
            Action::Update | Action::Delete if !is_told && !has(Segment::Id) => "`{id}`",
            Action::Relate if route.link.is_none() && !is_led && !has(Segment::Link) => {
                "`{link}` or `link`"
            }
            Action::Relate if !has_related => "`{related}`, or `relate: true`",
            Action::List
            | Action::Read
            | Action::Create
            | Action::Update
            | Action::Delete
            | Action::Count
            | Action::Relate
                if !has_module =>
            {
                "a module"
            }
            _ => return,
        };
        self.bad(
            codes::BAD_ROUTE,
            format!("a route with this action needs {needs}"),
            place,
            format!("`{}`", route.action.as_str()),
        );
    }

    /// Reports records of a module that the request is not about, where these are not what is told of the caller.
    pub(super) fn fits_records(&mut self, route: &Route, place: &Where) {
        let of = route.reply.record().and_then(|marked| marked.of.as_ref());
        if of.is_some() && (has_module(route) || route.access != Access::Role) {
            self.bad(
                codes::MISPLACED,
                "the module of these records is told twice, or to whoever asks",
                place,
                "`of` goes with `access: role` and paths without a module",
            );
        }
    }

    /// Reports what would be read of a request, and not be sent on.
    pub(super) fn fits_itself(&mut self, route: &Route, place: &Where) {
        let has_field = route.template.contains(&Segment::Field);
        let asks = route.search.is_some() || route.listing.is_any();
        let is_sent = route.confined.iter().any(|confined| confined.is_sent);
        let title = match route {
            _ if (route.action == Action::Bulk) != route.is_envelope => {
                "`bulk` and `envelope` go together"
            }
            _ if has_field && asks => "a request for what a field may hold asks for no records",
            _ if route.matches && (asks || is_sent || route.carries != Carries::Query) => {
                "a request that is nothing but fields to compare asks for nothing else"
            }
            _ => return,
        };
        self.bad(codes::MISPLACED, title, place, "take one of both out");
    }

    /// Reports a route that needs no purpose though records, or changes, go through it.
    pub(super) fn fits_access(&mut self, route: &Route, place: &Where) {
        let tells = matches!(
            route.action,
            Action::Read | Action::Metadata | Action::Other
        );
        if route.access == Access::Role && !tells {
            self.bad(
                codes::MISPLACED,
                "a route with `access: role` needs no purpose",
                place,
                "only `read`, `metadata` and `other` may do without one",
            );
        }
    }

    /// Reports parameters with two meanings.
    pub(super) fn twice(&mut self, route: &Route, place: &Where) {
        let mut names: Vec<&Name> = Vec::new();
        match &route.listing.select {
            Some(Select::Text { names: all, .. }) => names.extend(all),
            Some(Select::ByModule(name) | Select::Names { at: name, .. }) => names.push(name),
            None => {}
        }
        for order in &route.listing.orders {
            match order {
                Order::Signs { at: by, .. }
                | Order::Words { at: by, .. }
                | Order::Colons(by)
                | Order::Members(by)
                | Order::Objects { at: by, .. } => names.push(by),
                Order::Apart { by, direction, .. } => names.extend([by, direction]),
            }
        }
        if let Some(page) = &route.listing.page {
            names.push(&page.size);
            names.extend(&page.offset);
            names.extend(&page.cursor);
            names.extend(page.number.iter().map(|(name, _)| name));
        }
        if let Some(search) = &route.search {
            names.push(&search.at);
            names.extend(&search.modules);
        }
        names.extend(route.about_caller.iter().map(|(name, _)| name));
        names.extend(route.confined.iter().map(|confined| &confined.name));
        names.extend(route.always.iter().map(|(name, _)| name).filter(|name| {
            let mut confined = route.confined.iter();
            !confined.any(|confined| confined.name == **name)
        }));
        if let Carries::Json(name) = &route.carries {
            names.push(name);
        }
        for predicate in &route.listing.predicates {
            match predicate {
                PredicateStyle::Equals(parameters) | PredicateStyle::Ids { parameters, .. } => {
                    names.extend(parameters.iter().map(|(name, _)| name))
                }
                PredicateStyle::Bracket(bracket) => names.extend(&bracket.at),
                PredicateStyle::Items(items) => names.extend(&items.at),
                PredicateStyle::Groups(groups) => names.push(&groups.at),
                PredicateStyle::Sql(at)
                | PredicateStyle::Dollars(at)
                | PredicateStyle::Domain { at, .. }
                | PredicateStyle::Words(at, _)
                | PredicateStyle::Rsql { at, .. } => names.push(at),
            }
        }
        for (number, name) in names.iter().enumerate() {
            // `page` would swallow `page[size]`.
            let clash = names[..number]
                .iter()
                .find(|other| other.0.starts_with(&name.0) || name.0.starts_with(&other.0));
            if let Some(other) = clash {
                let shown = |name: &Name| quoted(&name.0.join("."));
                self.bad(
                    codes::TWICE,
                    format!("parameter {} has two meanings", shown(name)),
                    place,
                    format!("it is {} too", shown(other)),
                );
            }
        }
    }

    /// Reports routes of which nobody could say which is meant.
    pub(super) fn overlaps(&mut self, all: &[Read]) {
        for (number, one) in all.iter().enumerate() {
            let other = all[..number]
                .iter()
                .find(|other| overlap(&one.route, &other.route));
            if let Some(other) = other {
                let problem = Diagnostic::error(
                    codes::OVERLAP,
                    format!("{} overlaps another route", quoted(one.route.name)),
                )
                .at(&one.place, "fits the same requests")
                .also(&other.place, "as this one")
                .help("tell them apart by a word of the path, or by `modules`");
                self.found.push(problem);
            }
        }
    }

    /// Finds the read of the record that each update changes.
    pub(super) fn look_ups(&mut self, all: &mut [Read]) {
        for number in 0..all.len() {
            let one = &all[number];
            if one.route.action != Action::Update {
                continue;
            }
            let is_read = |other: &Read| {
                other.route.method == Method::GET
                    && matches!(other.route.action, Action::Read | Action::List)
                    && other.route.access == Access::Governed
            };
            let same_module = |other: &Read| {
                other.route.module == one.route.module
                    && (one.route.module.is_some()
                        || one
                            .route
                            .modules
                            .iter()
                            .all(|module| other.route.modules.contains(module)))
            };
            // The body may tell what stands in the path of the other.
            let is_told = |place: &Segment| one.route.tells() && *place == Segment::Module;
            let places = |route: &Route| {
                route
                    .template
                    .iter()
                    .filter(|place| !matches!(place, Segment::Literal(_) | Segment::Id))
                    .cloned()
                    .collect::<Vec<_>>()
            };
            let found = match &one.look_up {
                Some(stated) => all.iter().position(|other| {
                    is_read(other)
                        && same_module(other)
                        && other
                            .route
                            .name
                            .ends_with(stated.value.trim_start_matches("GET "))
                        && places(&other.route)
                            .iter()
                            .all(|place| is_told(place) || one.route.template.contains(place))
                }),
                None => all.iter().position(|other| {
                    is_read(other)
                        && same_module(other)
                        && other.route.template == one.route.template
                }),
            };
            if found.is_none() {
                let place = one
                    .look_up
                    .as_ref()
                    .map_or(&one.place, |stated| &stated.place);
                let problem = Diagnostic::error(codes::NO_LOOK_UP, "nothing reads the record that this route updates")
                    .at(place, "no such read of the same modules")
                    .help("before a write the record is read, so that masks that come back are not written; describe `GET` of the same path, or name a list that holds the record with `look_up: GET /…`");
                self.found.push(problem);
            }
            all[number].route.look_up = found;
        }
    }
}

/// Whether a route is about records of a module, or of several.
fn has_module(route: &Route) -> bool {
    let search = route.search.as_ref();
    let is_named = search.is_some_and(Search::names_modules);
    is_named || route.module.is_some() || route.template.contains(&Segment::Module)
}

/// Whether its records are what the API tells of the caller.
pub(super) fn is_about_caller(route: &Route) -> bool {
    let marked = route.reply.record();
    route.access == Access::Role && marked.is_some_and(|marked| marked.of.is_some())
}

/// Whether two routes fit one request, and neither is more literal where they first differ.
fn overlap(one: &Route, other: &Route) -> bool {
    if one.method != other.method || one.template.len() != other.template.len() {
        return false;
    }
    for pair in one.template.iter().zip(&other.template) {
        match pair {
            (Segment::Literal(word), Segment::Literal(another))
                if !word.eq_ignore_ascii_case(another) =>
            {
                return false;
            }
            (Segment::Literal(_), Segment::Literal(_)) => {}
            (Segment::Literal(_), _) | (_, Segment::Literal(_)) => return false,
            (Segment::Module, Segment::Module)
                if !one.modules.is_empty()
                    && !one
                        .modules
                        .iter()
                        .any(|module| other.modules.contains(module)) =>
            {
                return false;
            }
            _ => {}
        }
    }
    true
}
