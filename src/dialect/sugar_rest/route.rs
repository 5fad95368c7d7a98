//! The routes that pass, one a line. Whatever is not here is refused.

use super::{Context, grammar};
use crate::dialect::{Access, Link};
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// What a request of a form carries beside its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// `fields`, in the query string.
    Fields,
    /// Predicate, order and page, in the query string.
    List,
    /// The same in a JSON body, or in both.
    ListBody,
    /// A new record.
    Create,
    /// Fields of a record.
    Update,
    /// Fields and values that a record may already have.
    Matches,
    /// A text to look for in some modules, and a page, in the query string.
    Search,
    /// The same for the search engine, in the query string, a JSON body, or both.
    GlobalSearch,
    /// Columns of a relation.
    Columns,
    /// A link's name and ids to relate.
    Ids,
    /// Credentials.
    Login,
    /// Which metadata, in the query string.
    Metadata,
    /// The same in a JSON body.
    MetadataBody,
    /// Other requests.
    Parts,
}

/// What stands in the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// A page of records.
    Records,
    /// A page of records of several modules.
    Found,
    /// A page of records, each with how much it is alike.
    Alike,
    /// The values that a field may have, with their labels.
    Choices,
    /// A number.
    Count,
    /// One record.
    Record,
    /// The id of what was deleted.
    Id,
    /// The record and the one related to it.
    Related,
    /// The record and those related to it.
    RelatedList,
    /// Tokens of a session.
    Tokens,
    /// `{"success": true}`.
    Success,
    /// A scalar.
    Scalar,
    /// The CRM's description of itself.
    Metadata,
    /// Labels.
    Labels,
    /// The caller.
    Me,
    /// All preferences of the caller.
    Preferences,
    /// One preference of the caller.
    Preference,
    /// Replies to the parts of a bulk request.
    Parts,
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
    "POST /rest/{version}/oauth2/token":                                  Auth     Public   Login        Tokens,
    "POST /rest/{version}/oauth2/logout":                                 Auth     Session  Nothing      Success,
    "GET /rest/{version}/ping":                                           Other    Public   Nothing      Scalar,
    "GET /rest/{version}/ping/whattimeisit":                              Other    Public   Nothing      Scalar,
    "GET /rest/{version}/me":                                             Read     Role     Nothing      Me,
    "GET /rest/{version}/me/preferences":                                 Read     Role     Nothing      Preferences,
    "GET /rest/{version}/me/preference/{name}":                           Read     Role     Nothing      Preference,
    "GET /rest/{version}/metadata":                                       Metadata Role     Metadata     Metadata,
    "POST /rest/{version}/metadata":                                      Metadata Role     MetadataBody Metadata,
    "GET /rest/{version}/metadata/public":                                Metadata Public   Metadata     Metadata,
    "GET /rest/{version}/metadata/_hash":                                 Metadata Role     Metadata     Scalar,
    "GET /rest/{version}/lang/{code}":                                    Metadata Role     Metadata     Labels,
    "GET /rest/{version}/lang/public/{code}":                             Metadata Public   Metadata     Labels,
    "POST /rest/{version}/bulk":                                          Bulk     Governed Parts        Parts,
    "GET /rest/{version}/search":                                         List     Governed Search       Found,
    "GET /rest/{version}/globalsearch":                                   List     Governed GlobalSearch Found,
    "POST /rest/{version}/globalsearch":                                  List     Governed GlobalSearch Found,
    "GET /rest/{version}/{module}/globalsearch":                          List     Governed GlobalSearch Found,
    "POST /rest/{version}/{module}/globalsearch":                         List     Governed GlobalSearch Found,
    "GET /rest/{version}/{module}/enum/{field}":                          Metadata Governed Nothing      Choices,
    "POST /rest/{version}/{module}/duplicateCheck":                       List     Governed Matches      Alike,
    "GET /rest/{version}/{module}":                                       List     Governed List         Records,
    "POST /rest/{version}/{module}":                                      Create   Governed Create       Record,
    "GET /rest/{version}/{module}/filter":                                List     Governed List         Records,
    "POST /rest/{version}/{module}/filter":                               List     Governed ListBody     Records,
    "GET /rest/{version}/{module}/count":                                 Count    Governed List         Count,
    "GET /rest/{version}/{module}/filter/count":                          Count    Governed List         Count,
    "POST /rest/{version}/{module}/filter/count":                         Count    Governed ListBody     Count,
    "GET /rest/{version}/{module}/{id}":                                  Read     Governed Fields       Record,
    "PUT /rest/{version}/{module}/{id}":                                  Update   Governed Update       Record,
    "DELETE /rest/{version}/{module}/{id}":                               Delete   Governed Nothing      Id,
    "PUT /rest/{version}/{module}/{id}/favorite":                         Update   Governed Fields       Record,
    "DELETE /rest/{version}/{module}/{id}/favorite":                      Update   Governed Fields       Record,
    "PUT /rest/{version}/{module}/{id}/unfavorite":                       Update   Governed Fields       Record,
    "POST /rest/{version}/{module}/{id}/link":                            Relate   Governed Ids          RelatedList,
    "GET /rest/{version}/{module}/{id}/link/{link}":                      List     Governed List         Records,
    "POST /rest/{version}/{module}/{id}/link/{link}":                     Create   Governed Create       Related,
    "GET /rest/{version}/{module}/{id}/link/{link}/filter":               List     Governed List         Records,
    "GET /rest/{version}/{module}/{id}/link/{link}/count":                Count    Governed List         Count,
    "GET /rest/{version}/{module}/{id}/link/{link}/filter/count":         Count    Governed List         Count,
    "GET /rest/{version}/{module}/{id}/link/{link}/leancount":            Count    Governed List         Count,
    "POST /rest/{version}/{module}/{id}/link/{link}/{related}":           Relate   Governed Columns      Related,
    "PUT /rest/{version}/{module}/{id}/link/{link}/{related}":            Relate   Governed Columns      Related,
    "DELETE /rest/{version}/{module}/{id}/link/{link}/{related}":         Relate   Governed Nothing      Related,
};

/// First segments that are no modules, or modules whose requests are not what they seem: stored queries that run
/// elsewhere, second names of other modules, doors through which the CRM itself sends data.
const NO_MODULES: &[&str] = &[
    "Activities",
    "Administration",
    "Audit",
    "bulk",
    "collection",
    "commentlog",
    "config",
    "connectors",
    "css",
    "CustomQueries",
    "Dashboards",
    "DataArchiver",
    "DocMerge",
    "EmailAddresses",
    "EmailParticipants",
    "EmailTemplates",
    "Employees",
    "ExpressionEngine",
    "Feeds",
    "file",
    "Filters",
    "genericsearch",
    "geocode",
    "globalsearch",
    "help",
    "hint",
    "integrate",
    "lang",
    "locale",
    "logger",
    "login",
    "Mail",
    "maps",
    "me",
    "metadata",
    "ModuleBuilder",
    "ModuleLoader",
    "oauth2",
    "OAuthKeys",
    "OAuthTokens",
    "OutboundEmail",
    "password",
    "PdfManager",
    "ping",
    "ProductBundles",
    "recent",
    "Reports",
    "rest",
    "rssfeed",
    "search",
    "Subscriptions",
    "theme",
    "Trackers",
    "TrackerSessions",
    "UserPreferences",
    "VCardDownload",
    "WebLogicHooks",
];

/// Modules with many names, none of which passes: process definitions and forecasts.
const NO_MODULES_STARTING: &[&str] = &["pmse_", "forecast"];

/// Modules that are read like others, but whose new or changed records make the CRM send mail.
const SENDING: &[&str] = &["Emails"];

/// Words that stand where an id could; they are routes of their own, so they are never ids.
const NO_IDS: &[&str] = &[
    "Activities",
    "add_record_list",
    "audit",
    "children",
    "collection",
    "config",
    "convert",
    "count",
    "customfield",
    "dropdown",
    "duplicateCheck",
    "enum",
    "export",
    "favorite",
    "file",
    "filter",
    "freebusy",
    "globalsearch",
    "history",
    "import",
    "influencers",
    "leancount",
    "link",
    "MassUpdate",
    "opportunity_stats",
    "pii",
    "preview",
    "recent",
    "recent-product",
    "record_list",
    "related_activities",
    "subscribe",
    "temp",
    "tree",
    "unfavorite",
    "unsubscribe",
    "vcard",
    "vcard_import",
];

/// How routes end that change what the caller has marked a record as.
const MARKS: &[&str] = &["/favorite", "/unfavorite"];

/// A form, and what the path says.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) form: &'static Form,
    pub(super) module: Option<Module>,
    pub(super) record: Option<String>,
    pub(super) link: Option<Link>,
    pub(super) related: Option<String>,
    pub(super) field: Option<String>,
}

impl Form {
    /// Whether it is about the caller: who they are, what they prefer, which records are their favorites.
    pub(super) fn is_about_caller(&self) -> bool {
        let gives = matches!(
            self.gives,
            Gives::Me | Gives::Preferences | Gives::Preference
        );
        gives || MARKS.iter().any(|mark| self.route.ends_with(mark))
    }

    /// The method and the segments of the path template after the version.
    fn template(&self) -> (&'static str, impl Iterator<Item = &'static str>) {
        let (method, path) = self.route.split_once(' ').unwrap_or(("", self.route));
        let below = path.strip_prefix("/rest/{version}/").unwrap_or(path);
        (method, below.split('/'))
    }
}

/// The form of a request, by its route.
pub(super) fn by_route(route: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.route == route)
}

/// Finds the form of a request and reads its path.
pub(super) fn find(
    method: &str,
    segments: &[String],
    terms: &Context<'_>,
) -> Result<Routed, Reason> {
    let mut on_path = FORMS.iter().filter(|form| fits(form, segments)).peekable();
    if on_path.peek().is_none() {
        return Err(Reason::UnknownRoute);
    }
    let form = on_path
        .find(|form| form.template().0 == method)
        .ok_or(Reason::MethodNotAllowed)?;
    let found = read(form, segments, terms)?;
    let target = found
        .link
        .as_ref()
        .map(|link| &link.target)
        .or(found.module.as_ref());
    let writes = matches!(form.takes, Takes::Create | Takes::Update);
    if writes && target.is_some_and(|target| SENDING.contains(&target.as_str())) {
        return Err(Reason::UnknownRoute);
    }
    Ok(found)
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
        "{module}" => may_be_module(segment),
        "{id}" | "{related}" => may_be_id(segment),
        "{link}" => grammar::is_link(segment),
        "{field}" => grammar::is_field(segment),
        "{name}" => grammar::is_code(segment),
        "{code}" => grammar::is_code(segment) && segment != "public",
        literal => literal == segment,
    }
}

/// Whether a name can be a module that passes. Compared without case: a near miss of a reserved word is no module.
pub(super) fn may_be_module(name: &str) -> bool {
    grammar::is_module(name)
        && !NO_MODULES
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name))
        && !NO_MODULES_STARTING
            .iter()
            .any(|start| name.to_ascii_lowercase().starts_with(start))
}

/// Whether a text can be a record's id.
pub(super) fn may_be_id(text: &str) -> bool {
    grammar::is_id(text) && !NO_IDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn read(form: &'static Form, segments: &[String], terms: &Context<'_>) -> Result<Routed, Reason> {
    let mut found = Routed {
        form,
        module: None,
        record: None,
        link: None,
        related: None,
        field: None,
    };
    for (template, segment) in form.template().1.zip(segments) {
        match (template, &found.module) {
            ("{module}", _) => found.module = Some(Module::new(segment)),
            ("{id}", _) => found.record = Some(segment.clone()),
            ("{related}", _) => found.related = Some(segment.clone()),
            ("{field}", _) => found.field = Some(segment.clone()),
            ("{link}", Some(module)) => {
                found.link = Some(terms.link(module, segment).ok_or(Reason::UnknownLink)?);
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::stock_terms;
    use super::{FORMS, by_route, find};
    use crate::reason::Reason;

    fn route(line: &str) -> Result<&'static str, Reason> {
        let (method, path) = line.split_once(' ').unwrap();
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        find(method, &segments, &stock_terms()).map(|found| found.form.route)
    }

    #[test]
    fn each_form_has_a_route_of_its_own_and_is_found_by_it() {
        let mut seen = BTreeSet::new();
        for form in FORMS {
            assert!(seen.insert(form.route), "{}", form.route);
            assert_eq!(by_route(form.route).unwrap().route, form.route);
            let (method, path) = form.route.split_once(" /rest/{version}/").unwrap();
            let path = path
                .replace("{module}", "Accounts")
                .replace("{id}", "a-1")
                .replace("{link}", "contacts")
                .replace("{related}", "c-1")
                .replace("{field}", "status")
                .replace("{name}", "datepref")
                .replace("{code}", "fr_FR");
            assert_eq!(route(&format!("{method} {path}")), Ok(form.route));
        }
    }

    #[test]
    fn a_known_path_refuses_other_methods() {
        for line in [
            "DELETE Contacts",
            "PATCH Contacts/c-1",
            "POST Contacts/c-1",
            "PUT me",
            "POST ping",
            "GET oauth2/token",
            "GET bulk",
            "HEAD Contacts",
            "OPTIONS Contacts",
            "get Contacts",
            "POST Contacts/c-1/favorite",
            "PUT Contacts/c-1/link/cases",
        ] {
            assert_eq!(route(line), Err(Reason::MethodNotAllowed), "{line}");
        }
    }

    #[test]
    fn unlisted_routes_are_refused_though_they_look_like_records() {
        for line in [
            "GET Contacts/export",
            "GET Contacts/export/l-1",
            "GET contacts/EXPORT",
            "GET Contacts/duplicatecheck",
            "POST Contacts/enum",
            "PUT Contacts/MassUpdate",
            "DELETE Contacts/massupdate",
            "GET Contacts/enum/a.b",
            "GET Contacts/ENUM/status",
            "GET search/enum/status",
            "POST Contacts/record_list",
            "GET Contacts/temp",
            "POST Contacts/temp/file/picture",
            "GET Contacts/c-1/audit",
            "GET Contacts/c-1/pii",
            "GET Contacts/c-1/vcard",
            "GET Contacts/c-1/file",
            "GET Contacts/c-1/file/picture",
            "PUT Contacts/c-1/id_field/iban_c",
            "POST Contacts/c-1/link/cases/add_record_list/l-1",
            "POST Contacts/c-1/link/cases/add_record_list",
            "GET Contacts/c-1/collection/all",
            "POST Contacts/c-1/subscribe",
            "POST Leads/l-1/convert",
            "GET Search",
            "GET genericsearch",
            "GET Contacts/GlobalSearch",
            "GET Contacts/search/c-1",
            "GET Reports/globalsearch",
            "GET recent",
            "GET Reports/r-1/records",
            "GET Reports",
            "GET Filters",
            "GET Employees",
            "GET employees/1",
            "POST WebLogicHooks",
            "GET Activities",
            "GET pmse_Inbox",
            "GET ForecastWorksheets",
            "GET Mail/recipients/find",
            "GET integrate/Contacts/sync_key/1",
            "GET ExpressionEngine/c-1/related",
            "GET Administration/config",
            "POST oauth2/sudo/admin",
            "POST oauth2/bwc/login",
            "GET me/following",
            "PUT me/password",
            "POST logger",
            "GET locale",
            "GET help",
            "GET VCardDownload",
            "GET rest.php",
            "GET metadata/Contacts",
        ] {
            assert_eq!(route(line), Err(Reason::UnknownRoute), "{line}");
        }
    }

    #[test]
    fn links_that_nobody_knows_are_refused() {
        for line in [
            "GET Contacts/c-1/link/history",
            "GET Contacts/c-1/link/related_activities",
            "GET Contacts/c-1/link/members",
            "GET Projects/p-1/link/contacts",
        ] {
            assert_eq!(route(line), Err(Reason::UnknownLink), "{line}");
        }
    }

    #[test]
    fn records_that_make_the_crm_send_are_read_only() {
        assert!(route("GET Emails/e-1").is_ok());
        for line in [
            "POST Emails",
            "PUT Emails/e-1",
            "POST Contacts/c-1/link/emails",
        ] {
            assert_eq!(route(line), Err(Reason::UnknownRoute), "{line}");
        }
    }

    #[test]
    fn the_documentation_lists_every_form() {
        let page = include_str!("../../../docs/dialects/sugar-rest.md");
        for form in FORMS {
            let row = format!("| `{}` | {} |", form.route, form.action.as_str());
            assert!(page.contains(&row), "{row}");
        }
        let rows = page.lines().filter(|line| line.contains("` | ")).count();
        assert_eq!(rows, FORMS.len(), "a row without a form");
    }
}
