//! The routes that pass. Whatever is not among them is refused.

use std::collections::BTreeSet;

use super::{described, understand_with};
use crate::dialect::Understood;
use crate::reason::Reason;

fn route(line: &str) -> Result<&'static str, Reason> {
    let (method, path) = line.split_once(' ').unwrap();
    let body = match path.rsplit('/').next().unwrap_or_default() {
        _ if method != "POST" => "",
        "token" => r#"{"grant_type":"refresh_token","refresh_token":"x"}"#,
        "link" => r#"{"link_name":"contacts","ids":["c-1"]}"#,
        "bulk" => r#"{"requests":[]}"#,
        _ => "",
    };
    let needed = match path {
        "search" | "globalsearch" => "?q=x&module_list=Accounts",
        path if path.ends_with("/globalsearch") => "?q=x",
        _ => "",
    };
    match understand_with(&format!("{method} /rest/v11/{path}{needed}"), None, body) {
        Ok(Understood::One(operation)) => Ok(operation.route),
        Ok(Understood::Bulk { route, .. }) => Ok(route),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

#[test]
fn each_form_has_a_route_of_its_own_and_is_found_by_it() {
    let mut seen = BTreeSet::new();
    for (known, _) in described().routes() {
        assert!(seen.insert(known), "{known}");
        let (method, path) = known.split_once(" /rest/{version}/").unwrap();
        let path = path
            .replace("{module}", "Accounts")
            .replace("{id}", "a-1")
            .replace("{link}", "contacts")
            .replace("{related}", "c-1")
            .replace("{field}", "status")
            .replace("{name}", "datepref")
            .replace("{code}", "fr_FR");
        assert_eq!(route(&format!("{method} {path}")), Ok(known));
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
    let page = include_str!("../../../../docs/dialects/sugar-rest.md");
    for (route, action) in described().routes() {
        let row = format!("| `{route}` | {action} |");
        assert!(page.contains(&row), "{row}");
    }
    let rows = page.lines().filter(|line| line.contains("` | ")).count();
    assert_eq!(rows, described().routes().count(), "a row without a form");
}
