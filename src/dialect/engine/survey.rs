//! How a described API is asked what its CRM holds: by the route that lists records of a module, page by page; and by what
//! its native part knows of the API's description of itself.

use std::collections::BTreeSet;

use serde_json::Map;

use super::description::{Description, Route, Segment};
use super::{Described, Spoken};
use crate::dialect::survey::{AboutModule, ConsentFields, PageOf, Survey};
use crate::dialect::{Exchange, Operation, Outgoing, Path, Query, Rendering, Sort};
use crate::door::Credential;
use crate::vocabulary::{Action, FieldPath, Module};

impl Survey for Described {
    fn page(
        &self,
        version: &str,
        _credential: &Credential,
        page: PageOf<'_>,
    ) -> Option<Box<dyn Exchange>> {
        let description = &self.description;
        let mut routes = description.routes.iter();
        let route = routes.find(|route| lists(description, route, page.module))?;
        let order = match page.by_id && !route.listing.orders.is_empty() {
            true => vec![self.by_id(page.module)],
            false => Vec::new(),
        };
        let operation = Operation {
            action: route.action,
            access: route.access,
            route: route.name,
            version: version.to_owned(),
            credential: None,
            of_caller: false,
            module: Some(page.module.clone()),
            record: None,
            link: None,
            related: Vec::new(),
            around: Vec::new(),
            query: Query {
                limit: Some(page.limit),
                offset: Some(page.offset),
                order,
                ..Query::default()
            },
            write: None,
            rendering: Rendering {
                form: route.form,
                method: route.method.clone(),
                path: String::new(),
                controls: Vec::new(),
                in_body: false,
                fixed: Map::new(),
            },
        };
        Some(Box::new(Spoken {
            description: description.clone(),
            schema: self.schema.clone(),
            operation,
        }))
    }

    fn consent(&self) -> Option<&ConsentFields> {
        self.description.consent.as_ref()
    }

    fn numbers_pages(&self, module: &Module) -> bool {
        let mut routes = self.description.routes.iter();
        let route = routes.find(|route| lists(&self.description, route, module));
        let page = route.and_then(|route| route.listing.page.as_ref());
        page.is_some_and(|page| page.offset.is_none())
    }

    fn naming(&self, version: &str, _credential: &Credential) -> Option<Outgoing> {
        let question = self.description.native?.naming()?;
        Some(self.below(version, question))
    }

    fn named(&self, answer: &[u8]) -> Option<Vec<Module>> {
        self.description.native?.named(answer)
    }

    fn describing(
        &self,
        version: &str,
        _credential: &Credential,
        modules: &[Module],
    ) -> Vec<AboutModule> {
        let native = self.description.native.into_iter();
        let questions = native.flat_map(|native| native.describing(modules));
        questions
            .map(|(module, question)| (module, self.below(version, question)))
            .collect()
    }

    fn marked(&self, answer: &[u8]) -> BTreeSet<FieldPath> {
        let native = self.description.native;
        native.map_or_else(BTreeSet::new, |native| native.marked(answer))
    }

    fn roles(&self) -> Option<FieldPath> {
        self.description.native?.roles()
    }

    fn starter(&self) -> &'static [&'static str] {
        let native = self.description.native;
        native.map_or(&[], |native| native.starter())
    }
}

impl Described {
    /// The order of the ids of a module.
    fn by_id(&self, module: &Module) -> Sort {
        let mut known = self.description.modules.iter();
        let known = known.find(|known| known.module == *module);
        let path = Path {
            link: None,
            field: known.map_or("id", |known| known.id).to_owned(),
        };
        Sort {
            path,
            descending: false,
        }
    }

    /// A question of the native part, at the API's place.
    fn below(&self, version: &str, question: Outgoing) -> Outgoing {
        Outgoing {
            target: format!("{}{}", self.description.place(version), question.target),
            ..question
        }
    }
}

/// Whether a route lists the records of a module, page by page, and nothing else.
fn lists(description: &Description, route: &Route, module: &Module) -> bool {
    let is_plain = |segment: &Segment| matches!(segment, Segment::Literal(_) | Segment::Module);
    let page = route.listing.page.as_ref();
    let is_paged = page.is_some_and(|page| page.offset.is_some() || page.number.is_some());
    let is_of_all = !route.matches
        && !route.of_caller
        && !route.is_envelope
        && route.link.is_none()
        && route
            .search
            .as_ref()
            .is_none_or(|search| !search.names_modules());
    let is_its = match route.template.contains(&Segment::Module) {
        true if description.stock.is_some() => description.is_open(module.as_str()),
        true => route.modules.contains(module),
        false => route.module.as_ref() == Some(module),
    };
    route.action == Action::List
        && route.write.is_none()
        && route.template.iter().all(is_plain)
        && is_paged
        && is_of_all
        && is_its
}
