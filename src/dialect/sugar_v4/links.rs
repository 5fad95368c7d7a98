//! The links of SuiteCRM's stock modules and the modules that they lead to, and the tables that modules lie in.

use crate::vocabulary::Module;

type Links = &'static [(&'static str, &'static str)];

/// Links to the addresses of a record. What lies behind them is ruled by the e-mail field of the record that owns
/// them: `EmailAddresses` as such would mix the addresses of everybody.
pub(super) const ADDRESSES: &[&str] = &["email_addresses", "email_addresses_primary"];

/// The module of addresses as records of their own.
pub(super) const ADDRESS_MODULE: &str = "EmailAddresses";

/// The table that addresses lie in.
pub(super) const ADDRESS_TABLE: &str = "email_addresses";

/// Links that every module has.
const COMMON: Links = &[
    ("SecurityGroups", "SecurityGroups"),
    ("assigned_user_link", "Users"),
    ("created_by_link", "Users"),
    ("modified_user_link", "Users"),
];

const ACCOUNTS: Links = &[
    ("aos_contracts", "AOS_Contracts"),
    ("aos_invoices", "AOS_Invoices"),
    ("aos_quotes", "AOS_Quotes"),
    ("bugs", "Bugs"),
    ("calls", "Calls"),
    ("campaigns", "CampaignLog"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("member_of", "Accounts"),
    ("members", "Accounts"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("project", "Project"),
    ("prospect_lists", "ProspectLists"),
    ("tasks", "Tasks"),
];

const CONTACTS: Links = &[
    ("accounts", "Accounts"),
    ("aos_contracts", "AOS_Contracts"),
    ("aos_invoices", "AOS_Invoices"),
    ("aos_quotes", "AOS_Quotes"),
    ("aop_case_updates", "AOP_Case_Updates"),
    ("bugs", "Bugs"),
    ("calls", "Calls"),
    ("campaign_contacts", "Campaigns"),
    ("campaigns", "CampaignLog"),
    ("cases", "Cases"),
    ("direct_reports", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("fp_events_contacts", "FP_events"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("notes_parent", "Notes"),
    ("opportunities", "Opportunities"),
    ("project", "Project"),
    ("prospect_lists", "ProspectLists"),
    ("reports_to_link", "Contacts"),
    ("tasks", "Tasks"),
    ("tasks_parent", "Tasks"),
    ("user_sync", "Users"),
];

const LEADS: Links = &[
    ("accounts", "Accounts"),
    ("calls", "Calls"),
    ("calls_parent", "Calls"),
    ("campaign_leads", "Campaigns"),
    ("campaigns", "CampaignLog"),
    ("contact", "Contacts"),
    ("contacts", "Contacts"),
    ("emails", "Emails"),
    ("fp_events_leads_1", "FP_events"),
    ("meetings", "Meetings"),
    ("meetings_parent", "Meetings"),
    ("notes", "Notes"),
    ("opportunity", "Opportunities"),
    ("oldcalls", "Calls"),
    ("oldmeetings", "Meetings"),
    ("prospect_lists", "ProspectLists"),
    ("reportees", "Leads"),
    ("reports_to_link", "Leads"),
    ("tasks", "Tasks"),
];

const CASES: Links = &[
    ("account", "Accounts"),
    ("accounts", "Accounts"),
    ("aop_case_updates", "AOP_Case_Updates"),
    ("bugs", "Bugs"),
    ("calls", "Calls"),
    ("contact_created_by_link", "Contacts"),
    ("contacts", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("project", "Project"),
    ("tasks", "Tasks"),
];

const NOTES: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contact", "Contacts"),
    ("emails", "Emails"),
    ("leads", "Leads"),
    ("opportunities", "Opportunities"),
    ("projects", "Project"),
    ("project_tasks", "ProjectTask"),
    ("tasks", "Tasks"),
];

/// `Employees` are `Users`.
const USERS: Links = &[
    ("aclroles", "ACLRoles"),
    ("calls", "Calls"),
    ("contacts_sync", "Contacts"),
    ("meetings", "Meetings"),
    ("project_resource", "Project"),
    ("prospect_lists", "ProspectLists"),
    ("reportees", "Users"),
    ("reports_to_link", "Users"),
];

const OPPORTUNITIES: Links = &[
    ("accounts", "Accounts"),
    ("aos_contracts", "AOS_Contracts"),
    ("aos_quotes", "AOS_Quotes"),
    ("calls", "Calls"),
    ("campaign_opportunities", "Campaigns"),
    ("contacts", "Contacts"),
    ("documents", "Documents"),
    ("emails", "Emails"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("project", "Project"),
    ("tasks", "Tasks"),
];

/// Calls and meetings have the same links.
const APPOINTMENTS: Links = &[
    ("account", "Accounts"),
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("case", "Cases"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("opportunity", "Opportunities"),
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
    ("projects", "Project"),
];

const EMAILS: Links = &[
    ("accounts", "Accounts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("opportunities", "Opportunities"),
    ("project", "Project"),
    ("prospects", "Prospects"),
    ("tasks", "Tasks"),
    ("users", "Users"),
];

const DOCUMENTS: Links = &[
    ("accounts", "Accounts"),
    ("aos_contracts", "AOS_Contracts"),
    ("bugs", "Bugs"),
    ("cases", "Cases"),
    ("contacts", "Contacts"),
    ("opportunities", "Opportunities"),
    ("revisions", "DocumentRevisions"),
];

const PROSPECTS: Links = &[
    ("calls", "Calls"),
    ("campaigns", "CampaignLog"),
    ("emails", "Emails"),
    ("meetings", "Meetings"),
    ("notes", "Notes"),
    ("prospect_lists", "ProspectLists"),
    ("tasks", "Tasks"),
];

const PROSPECT_LISTS: Links = &[
    ("accounts", "Accounts"),
    ("campaigns", "Campaigns"),
    ("contacts", "Contacts"),
    ("leads", "Leads"),
    ("prospects", "Prospects"),
    ("users", "Users"),
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

const SALES_DOCUMENTS: Links = &[
    ("accounts", "Accounts"),
    ("contacts", "Contacts"),
    ("opportunities", "Opportunities"),
];

fn of(module: &str) -> Links {
    match module {
        "Accounts" => ACCOUNTS,
        "AOS_Contracts" | "AOS_Invoices" | "AOS_Quotes" => SALES_DOCUMENTS,
        "Bugs" => BUGS,
        "Calls" | "Meetings" => APPOINTMENTS,
        "Cases" => CASES,
        "Contacts" => CONTACTS,
        "Documents" => DOCUMENTS,
        "Emails" => EMAILS,
        "Employees" | "Users" => USERS,
        "Leads" => LEADS,
        "Notes" => NOTES,
        "Opportunities" => OPPORTUNITIES,
        "ProspectLists" => PROSPECT_LISTS,
        "Prospects" => PROSPECTS,
        "Tasks" => TASKS,
        _ => &[],
    }
}

/// The module that a stock link of a module leads to.
pub(super) fn target(module: &Module, name: &str) -> Option<Module> {
    of(module.as_str())
        .iter()
        .chain(COMMON)
        .find(|(link, _)| *link == name)
        .map(|(_, target)| Module::new(target))
}

/// The table of a stock module, where it is not the module's name in lower case.
pub(super) fn table(module: &Module) -> Option<&'static str> {
    Some(match module.as_str() {
        "ACLRoles" => "acl_roles",
        "CampaignLog" => "campaign_log",
        "CampaignTrackers" => "campaign_trkrs",
        "DocumentRevisions" => "document_revisions",
        "EmailAddresses" => ADDRESS_TABLE,
        "EmailMarketing" => "email_marketing",
        "EmailTemplates" => "email_templates",
        "Employees" => "users",
        "ProjectTask" => "project_task",
        "ProspectLists" => "prospect_lists",
        _ => return None,
    })
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
        assert_eq!(target("Leads", "reports_to_link").as_deref(), Some("Leads"));
        assert_eq!(
            target("Contacts", "campaigns").as_deref(),
            Some("CampaignLog")
        );
        assert_eq!(target("Contacts", "members"), None);
        assert_eq!(target("Contacts", "Accounts"), None);
        assert_eq!(
            target("acme_Boats", "created_by_link").as_deref(),
            Some("Users")
        );
        assert_eq!(target("acme_Boats", "contacts"), None);
    }
}
