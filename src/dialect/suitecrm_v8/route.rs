//! The routes that pass, one a line. Whatever is not here is refused.

use super::address::ROOT;
use super::{grammar, modules};
use crate::dialect::Access;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// What a request of a form carries beside its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// Credentials.
    Login,
    /// `fields`.
    Fields,
    /// `fields`, filter, order and page.
    List,
    /// Predicate, order and page; the CRM shows all fields.
    Related,
    /// A new record.
    Create,
    /// Fields of a record.
    Update,
    /// Module and id of a record to relate.
    Relation,
}

/// What stands in the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// Tokens of a session.
    Tokens,
    /// Nothing but that it is done.
    Done,
    /// The caller.
    Me,
    /// A page of records.
    Records,
    /// One record.
    Record,
    /// The modules that the caller may use.
    Modules,
    /// Definitions of a module's fields.
    Fields,
    /// The columns of a module's list.
    Columns,
    /// The search forms of a module.
    SearchForms,
}

/// One kind of request.
#[derive(Debug)]
pub(super) struct Form {
    /// Method and path template; names the form.
    pub(super) route: &'static str,
    /// What it does.
    pub(super) action: Action,
    /// Who may do it.
    pub(super) access: Access,
    /// What it carries.
    pub(super) takes: Takes,
    /// What it gives.
    pub(super) gives: Gives,
}

macro_rules! forms {
    ($($route:literal: $action:ident $access:ident $takes:ident $gives:ident,)*) => {
        &[$(Form {
            route: $route,
            action: Action::$action,
            access: Access::$access,
            takes: Takes::$takes,
            gives: Gives::$gives,
        },)*]
    };
}

/// Every form that passes.
#[rustfmt::skip]
pub(super) const FORMS: &[Form] = forms! {
    "POST /Api/access_token":                                                 Auth     Public   Login    Tokens,
    "POST /Api/V8/logout":                                                    Auth     Session  Nothing  Done,
    "GET /Api/V8/current-user":                                               Read     Role     Nothing  Me,
    "GET /Api/V8/meta/modules":                                               Metadata Role     Nothing  Modules,
    "GET /Api/V8/meta/fields/{module}":                                       Metadata Role     Nothing  Fields,
    "GET /Api/V8/listview/columns/{module}":                                  Metadata Role     Nothing  Columns,
    "GET /Api/V8/search-defs/module/{module}":                                Metadata Role     Nothing  SearchForms,
    "GET /Api/V8/module/{module}":                                            List     Governed List     Records,
    "GET /Api/V8/module/{module}/{id}":                                       Read     Governed Fields   Record,
    "POST /Api/V8/module":                                                    Create   Governed Create   Record,
    "PATCH /Api/V8/module":                                                   Update   Governed Update   Record,
    "DELETE /Api/V8/module/{module}/{id}":                                    Delete   Governed Nothing  Done,
    "GET /Api/V8/module/{module}/{id}/relationships/{link}":                  List     Governed Related  Records,
    "POST /Api/V8/module/{module}/{id}/relationships":                        Relate   Governed Relation Done,
    "POST /Api/V8/module/{module}/{id}/relationships/{link}":                 Relate   Governed Relation Done,
    "DELETE /Api/V8/module/{module}/{id}/relationships/{link}/{related}":     Relate   Governed Nothing  Done,
};

/// The form of the read of one record.
pub(super) const READ: &str = "GET /Api/V8/module/{module}/{id}";

/// A form, and what the path says.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) form: &'static Form,
    pub(super) module: Option<Module>,
    pub(super) record: Option<String>,
    pub(super) link: Option<String>,
    pub(super) related: Option<String>,
}

impl Form {
    /// The method and the segments of the path template after the root.
    fn template(&self) -> (&'static str, impl Iterator<Item = &'static str>) {
        let (method, path) = self.route.split_once(' ').unwrap_or(("", self.route));
        (method, path.strip_prefix(ROOT).unwrap_or(path).split('/'))
    }
}

/// The form of a request, by its route.
pub(super) fn by_route(route: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.route == route)
}

/// Finds the form of a request and reads its path.
pub(super) fn find(method: &str, segments: &[String]) -> Result<Routed, Reason> {
    let mut on_path = FORMS.iter().filter(|form| fits(form, segments)).peekable();
    if on_path.peek().is_none() {
        return Err(Reason::UnknownRoute);
    }
    let form = on_path
        .find(|form| form.template().0 == method)
        .ok_or(Reason::MethodNotAllowed)?;
    Ok(read(form, segments))
}

fn fits(form: &Form, segments: &[String]) -> bool {
    let mut rest = segments.iter();
    let all_fit = form.template().1.all(|template| {
        rest.next()
            .is_some_and(|segment| segment_fits(template, segment))
    });
    all_fit && rest.next().is_none()
}

fn segment_fits(template: &str, segment: &str) -> bool {
    match template {
        "{module}" => grammar::is_module(segment),
        "{id}" | "{related}" => grammar::is_id(segment),
        "{link}" => grammar::is_link(segment),
        literal => literal == segment,
    }
}

fn read(form: &'static Form, segments: &[String]) -> Routed {
    let mut found = Routed {
        form,
        module: None,
        record: None,
        link: None,
        related: None,
    };
    for (template, segment) in form.template().1.zip(segments) {
        match template {
            "{module}" => found.module = Some(modules::canonical(segment)),
            "{id}" => found.record = Some(segment.clone()),
            "{link}" => found.link = Some(segment.clone()),
            "{related}" => found.related = Some(segment.clone()),
            _ => {}
        }
    }
    found
}

/// The canonical path of a form.
pub(super) fn path(
    form: &str,
    module: Option<&Module>,
    record: Option<&str>,
    link: Option<&str>,
    related: Option<&str>,
) -> String {
    let (_, template) = form.split_once(' ').unwrap_or(("", form));
    let filled = template.split('/').map(|segment| match segment {
        "{module}" => module.map_or("", Module::as_str),
        "{id}" => record.unwrap_or_default(),
        "{link}" => link.unwrap_or_default(),
        "{related}" => related.unwrap_or_default(),
        literal => literal,
    });
    filled.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FORMS, by_route, find, path};
    use crate::reason::Reason;

    fn route(line: &str) -> Result<&'static str, Reason> {
        let (method, path) = line.split_once(' ').unwrap();
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        find(method, &segments).map(|found| found.form.route)
    }

    #[test]
    fn each_form_has_a_route_of_its_own_and_is_found_by_it() {
        let mut seen = BTreeSet::new();
        for form in FORMS {
            assert!(seen.insert(form.route), "{}", form.route);
            assert_eq!(by_route(form.route).unwrap().route, form.route);
            let (method, template) = form.route.split_once(" /Api/").unwrap();
            let plain = template
                .replace("{module}", "Accounts")
                .replace("{id}", "a-1")
                .replace("{link}", "contacts")
                .replace("{related}", "c-1");
            assert_eq!(route(&format!("{method} {plain}")), Ok(form.route));
            let accounts = crate::vocabulary::Module::new("Accounts");
            let built = path(
                form.route,
                Some(&accounts),
                Some("a-1"),
                Some("contacts"),
                Some("c-1"),
            );
            assert_eq!(built, format!("/Api/{plain}"));
        }
    }

    #[test]
    fn names_of_objects_mean_their_module() {
        let segments = ["V8", "module", "aCase", "c-1"].map(str::to_owned);
        let found = find("GET", &segments).unwrap();
        assert_eq!(found.module.unwrap().as_str(), "Cases");
    }

    #[test]
    fn a_known_path_refuses_other_methods() {
        for line in [
            "POST V8/module/Contacts/c-1",
            "PUT V8/module/Contacts/c-1",
            "PATCH V8/module/Contacts/c-1",
            "POST V8/module/Contacts",
            "PUT V8/module",
            "GET V8/module",
            "GET access_token",
            "DELETE V8/current-user",
            "HEAD V8/module/Contacts",
            "DELETE V8/module/Contacts/c-1/relationships/cases",
            "PATCH V8/module/Contacts/c-1/relationships/cases",
        ] {
            assert_eq!(route(line), Err(Reason::MethodNotAllowed), "{line}");
        }
    }

    #[test]
    fn unlisted_routes_are_refused() {
        for line in [
            "GET V8/user-preferences/1",
            "GET V8/meta/swagger.json",
            "GET V8/custom/anything",
            "GET V8/nosuch",
            "GET index.php/V8/module/Contacts",
            "GET V8/module/Contacts/c-1/relationships",
            "GET V8/module/Contacts/c-1/x",
            "GET v8/module/Contacts",
            "POST authorize",
            "GET V8/meta/fields",
            "GET V8/search-defs/Contacts",
            "POST V8/logout/all",
        ] {
            assert!(
                matches!(
                    route(line),
                    Err(Reason::UnknownRoute | Reason::MethodNotAllowed)
                ),
                "{line}"
            );
        }
    }
}
