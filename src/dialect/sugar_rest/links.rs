//! The links of stock modules and the modules that they lead to. A link means something only within its module.

use crate::vocabulary::Module;

type Links = &'static [(&'static str, &'static str)];

/// Links that every module has.
const COMMON: Links = &[
    ("assigned_user_link", "Users"),
    ("created_by_link", "Users"),
    ("modified_user_link", "Users"),
];

const ACCOUNTS: Links = &[
    ("bugs", "Bugs"),
    ("calls", "Calls"),
    ("campaign_accounts", "Campaigns"),
    ("campaign_link", "Campaigns"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("dataprivacy", "DataPrivacy"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("member_of", "Accounts"),
    ("members", "Accounts"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("prospects", "Prospects"),
    ("tasks", "Tasks"),
];

const CONTACTS: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("calls", "Calls"),
    ("campaign_link", "Campaigns"),
    ("cases", "Cases"),
    ("dataprivacy", "DataPrivacy"),
    ("direct_reports", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("prospects", "Prospects"),
    ("reports_to_link", "Contacts"),
    ("tasks", "Tasks"),
];

const LEADS: Links = &[
    ("accounts", "Accounts"),
    ("calls", "Calls"),
    ("campaign_leads", "Campaigns"),
    ("contacts", "Contacts"),
    ("dataprivacy", "DataPrivacy"),
    ("emails", "Emails"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("opportunity", "Opportunities"),
    ("prospect", "Prospects"),
    ("tasks", "Tasks"),
];

const CASES: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("calls", "Calls"),
    ("contacts", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("primary_contact_link", "Contacts"),
    ("tasks", "Tasks"),
];

const NOTES: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contact", "Contacts"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("opportunities", "Opportunities"),
    ("tasks", "Tasks"),
];

const USERS: Links = &[
    ("calls", "Calls"),
    ("contacts", "Contacts"),
    ("meetings", "Meetings"),
    ("reportees", "Users"),
    ("reports_to_link", "Users"),
];

const OPPORTUNITIES: Links = &[
    ("accounts", "Accounts"),
    ("calls", "Calls"),
    ("campaign_link", "Campaigns"),
    ("contacts", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("tasks", "Tasks"),
];

/// Calls and meetings have the same links.
const APPOINTMENTS: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("users", "Users"),
];

const TASKS: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contact_parent", "Contacts"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
];

const EMAILS: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("prospects", "Prospects"),
    ("tasks", "Tasks"),
    ("users", "Users"),
];

const DOCUMENTS: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("opportunities", "Opportunities"),
];

const PROSPECTS: Links = &[
    ("accounts", "Accounts"),
    ("calls", "Calls"),
    ("campaign_link", "Campaigns"),
    ("dataprivacy", "DataPrivacy"),
    ("emails", "Emails"),
    ("lead", "Leads"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("tasks", "Tasks"),
];

const CAMPAIGNS: Links = &[
    ("accounts", "Accounts"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("opportunities", "Opportunities"),
    ("prospects", "Prospects"),
];

const BUGS: Links = &[
    ("accounts", "Accounts"),
    ("calls", "Calls"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("tasks", "Tasks"),
];

const DATA_PRIVACY: Links = &[
    ("accounts", "Accounts"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("notes", "Notes"),
    ("prospects", "Prospects"),
];

fn of(module: &str) -> Links {
    match module {
        "Accounts" => ACCOUNTS,
        "Bugs" => BUGS,
        "Calls" | "Meetings" => APPOINTMENTS,
        "Campaigns" => CAMPAIGNS,
        "Cases" => CASES,
        "Contacts" => CONTACTS,
        "DataPrivacy" => DATA_PRIVACY,
        "Documents" => DOCUMENTS,
        "Emails" => EMAILS,
        "Leads" => LEADS,
        "Notes" => NOTES,
        "Opportunities" => OPPORTUNITIES,
        "Prospects" => PROSPECTS,
        "Tasks" => TASKS,
        "Users" => USERS,
        _ => &[],
    }
}

/// The module that a link of a module leads to.
pub(super) fn target(module: &Module, name: &str) -> Option<Module> {
    of(module.as_str())
        .iter()
        .chain(COMMON)
        .find(|(link, _)| *link == name)
        .map(|(_, target)| Module::new(target))
}

#[cfg(test)]
mod tests {
    use super::target;
    use crate::vocabulary::Module;

    #[test]
    fn a_link_means_something_only_within_its_module() {
        let target = |module: &str, name: &str| {
            target(&Module::new(module), name).map(|target| target.to_string())
        };
        assert_eq!(target("Accounts", "members").as_deref(), Some("Accounts"));
        assert_eq!(target("Users", "reports_to_link").as_deref(), Some("Users"));
        assert_eq!(
            target("Contacts", "reports_to_link").as_deref(),
            Some("Contacts")
        );
        assert_eq!(target("Contacts", "members"), None);
        assert_eq!(target("Contacts", "Cases"), None);
        assert_eq!(
            target("acme_Boats", "created_by_link").as_deref(),
            Some("Users")
        );
        assert_eq!(target("acme_Boats", "contacts"), None);
    }
}
