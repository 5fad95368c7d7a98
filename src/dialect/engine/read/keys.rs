//! The maps of a description, and the keys that each may hold.

use crate::diagnostic::Form;

macro_rules! forms {
    ($($name:ident $what:literal: $($key:ident)*;)*) => {
        $(pub(super) const $name: Form = Form {
            what: $what,
            known: &[$(stringify!($key)),*],
            refused: &[],
        };)*

        /// Every map of a description and its keys, for the documentation and its test.
        pub const KEYS: &[(&str, &[&str])] = &[$(($name.what, $name.known)),*];
    };
}

forms! {
    DESCRIPTION "a description":
        description native prefix versions suffix ignore_case ids names reserved own_lists spelling media credentials
        ignored written caller absent errors labels drift address consent fields link_names modules administration
        within routes;
    VERSIONS "`versions`": known minors accept;
    RESERVED "`reserved`": modules beginnings ids words unwritten;
    CREDENTIALS "`credentials`": headers bearer basic in_query;
    IGNORED "`ignored`": slash accept bodies blank parameters stamps repeated members;
    WRITTEN "`written`": no blank refused repeats unread unread_in_stock flat;
    LABELS "`labels`": at known refusals statuses errors;
    CALLER "`caller`": ask listed;
    QUESTION "a question": get nobody nothing id login kind roles teams rights;
    LISTED "a listed caller": sha256 id login kind roles teams;
    LINK_NAMES "`link_names`": one many field;
    FIELDS "`fields`": fields copies items maps parents related secrets scaffolding lengths;
    ADDRESS "an entry of `address`": list member primary told;
    CONSENT "`consent`": name agreed at withdrawn opted_out;
    ITEMS "an entry of `items`": values beside of;
    MODULE "a module":
        path id inner links columns tables fields copies items maps parents related secrets scaffolding lengths;
    TABLE "a table": prefix;
    ROUTE "a route":
        route action access module modules named link query select where order page search about_caller stored fixed dropped
        always controls write matches relate envelope login media look_up records of several under named_by beside
        counted related needs words pass unknown_total opaque drop describes;
    SELECT "`select`": in style separator within;
    WITHIN "`within`": name depth select where order page stored fixed dropped;
    SEARCH "`search`": in reread alone modules;
    ORDER "`order`": in style field direction ascending descending single last;
    PAGE "`page`": size default max all zero offset cursor number first more next empty;
    WRITE "`write`": under beside form arguments own_id;
    RELATE "`relate`": link ids;
    CONTROL "a header of `controls`": compares date skips;
    WHERE "`where`":
        style in each parameters list operators ignore_case bare joined_by implied reread members groups beside
        lifted words;
    MEMBERS "`members`": operator field value;
    GROUPS "`groups`": all any;
}
