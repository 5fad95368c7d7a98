//! The methods that are understood, each with the names of its arguments in their order.

use crate::dialect::Access;
use crate::vocabulary::Action;

/// What a method takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Login,
    Logout,
    UserId,
    ServerInfo,
    Modules,
    ModuleFields,
    ModuleHash,
    Entry,
    Entries,
    List,
    Count,
    Related,
    SetEntry,
    SetEntries,
    Relate,
    RelateAll,
    Search,
}

/// A method.
#[derive(Debug)]
pub(super) struct Method {
    /// Its name, in lower case.
    pub(super) name: &'static str,
    /// Its route in the last version, for the log.
    pub(super) route: &'static str,
    /// Its route in older versions.
    pub(super) older_route: &'static str,
    pub(super) kind: Kind,
    /// What it does, as a rule: `set_entry` creates, updates or deletes.
    pub(super) action: Action,
    pub(super) access: Access,
    /// The names of its arguments.
    pub(super) arguments: &'static [&'static str],
    /// Other names that documented examples give to arguments.
    pub(super) aliases: &'static [(&'static str, &'static str)],
}

macro_rules! methods {
    ($($kind:ident $name:literal $action:ident $access:ident [$($argument:literal)*] $([$($alias:literal is $meant:literal)+])?)*) => {
        /// All of them.
        pub(super) static METHODS: &[Method] = &[$(Method {
            name: $name,
            route: concat!("POST /service/v4_1/rest.php ", $name),
            older_route: concat!("POST /service/{version}/rest.php ", $name),
            kind: Kind::$kind,
            action: Action::$action,
            access: Access::$access,
            arguments: &[$($argument),*],
            aliases: &[$($(($alias, $meant)),+)?],
        }),*];
    };
}

methods! {
    Login "login" Auth Public ["user_auth" "application_name" "name_value_list"]
        ["application" is "application_name"]
    Logout "logout" Auth Session ["session"]
    UserId "get_user_id" Other Role ["session"]
    ServerInfo "get_server_info" Other Public []
    Modules "get_available_modules" Metadata Role ["session" "filter"]
    ModuleFields "get_module_fields" Metadata Role ["session" "module_name" "fields"]
    ModuleHash "get_module_fields_md5" Metadata Role ["session" "module_name"]
    Entry "get_entry" Read Governed
        ["session" "module_name" "id" "select_fields" "link_name_to_fields_array" "track_view"]
    Entries "get_entries" List Governed
        ["session" "module_name" "ids" "select_fields" "link_name_to_fields_array" "track_view"]
    List "get_entry_list" List Governed
        ["session" "module_name" "query" "order_by" "offset" "select_fields" "link_name_to_fields_array" "max_results"
         "deleted" "favorites"]
        ["Favorites" is "favorites" "favourites" is "favorites"]
    Count "get_entries_count" Count Governed ["session" "module_name" "query" "deleted"]
    Related "get_relationships" List Governed
        ["session" "module_name" "module_id" "link_field_name" "related_module_query" "related_fields"
         "related_module_link_name_to_fields_array" "deleted" "order_by" "offset" "limit"]
    SetEntry "set_entry" Update Governed ["session" "module_name" "name_value_list" "track_view"]
    SetEntries "set_entries" Bulk Governed ["session" "module_name" "name_value_lists"]
        ["name_value_list" is "name_value_lists"]
    Relate "set_relationship" Relate Governed
        ["session" "module_name" "module_id" "link_field_name" "related_ids" "name_value_list" "delete"]
    RelateAll "set_relationships" Bulk Governed
        ["session" "module_names" "module_ids" "link_field_names" "related_ids" "name_value_lists" "delete_array"]
    Search "search_by_module" List Governed
        ["session" "search_string" "modules" "offset" "max_results" "assigned_user_id" "select_fields"
         "unified_search_only" "favorites"]
        ["id" is "assigned_user_id" "Favorites" is "favorites" "favourites" is "favorites"]
}

/// A method by its name, whose case does not matter to the CRM.
pub(super) fn by_name(name: &str) -> Option<&'static Method> {
    METHODS
        .iter()
        .find(|method| method.name.eq_ignore_ascii_case(name))
}

/// The method of a kind.
pub(super) fn of(kind: Kind) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::{METHODS, by_name, of};

    #[test]
    fn methods_are_found_by_name_and_kind() {
        for method in METHODS {
            let shouted = method.name.to_ascii_uppercase();
            assert_eq!(by_name(&shouted).map(|found| found.name), Some(method.name));
            assert_eq!(of(method.kind).map(|found| found.name), Some(method.name));
            for (_, meant) in method.aliases {
                assert!(method.arguments.contains(meant));
            }
        }
    }

    #[test]
    fn what_is_not_on_the_list_is_none() {
        for name in [
            "",
            "get_entry ",
            "__construct",
            "seamless_login",
            "oauth_access",
            "oauth_request_token",
            "get_last_viewed",
            "get_upcoming_activities",
            "get_modified_relationships",
            "get_note_attachment",
            "set_note_attachment",
            "get_document_revision",
            "set_document_revision",
            "get_language_definition",
            "get_module_layout",
            "get_report_entries",
            "get_quotes_pdf",
            "job_queue_next",
            "set_campaign_merge",
            "snip_import_emails",
            "get_user_team_id",
        ] {
            assert!(by_name(name).is_none(), "{name}");
        }
    }
}
