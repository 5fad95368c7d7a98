//! The links of stock modules and the modules that they lead to. A link means something only within its module.

use crate::dialect::schema::Modules;
use crate::vocabulary::Module;

type Links = &'static [(&'static str, &'static str)];

/// Links that every module has.
const EVERYWHERE: Links = &[
    ("assigned_user_link", "Users"),
    ("created_by_link", "Users"),
    ("modified_user_link", "Users"),
    ("SecurityGroups", "SecurityGroups"),
];

#[rustfmt::skip]
const ACCOUNTS: Links = &[
    ("aos_contracts", "AOS_Contracts"), ("aos_invoices", "AOS_Invoices"), ("aos_quotes", "AOS_Quotes"),
    ("bugs", "Bugs"), ("calls", "Calls"), ("campaign_accounts", "Campaigns"), ("campaigns", "CampaignLog"),
    ("cases", "Cases"), ("contacts", "Contacts"), ("documents", "Documents"), ("email_addresses", "EmailAddresses"),
    ("email_addresses_primary", "EmailAddresses"), ("emails", "Emails"), ("leads", "Leads"), ("meetings", "Meetings"),
    ("member_of", "Accounts"), ("members", "Accounts"), ("notes", "Notes"), ("opportunities", "Opportunities"),
    ("project", "Project"), ("prospect_lists", "ProspectLists"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const CONTACTS: Links = &[
    ("accounts", "Accounts"), ("am_projecttemplates_contacts_1", "AM_ProjectTemplates"),
    ("am_projecttemplates_resources", "AM_ProjectTemplates"), ("aop_case_updates", "AOP_Case_Updates"),
    ("aos_contracts", "AOS_Contracts"), ("aos_invoices", "AOS_Invoices"), ("aos_quotes", "AOS_Quotes"),
    ("bugs", "Bugs"), ("calls", "Calls"), ("campaign_contacts", "Campaigns"), ("campaigns", "CampaignLog"),
    ("cases", "Cases"), ("direct_reports", "Contacts"), ("documents", "Documents"),
    ("email_addresses", "EmailAddresses"), ("email_addresses_primary", "EmailAddresses"), ("emails", "Emails"),
    ("fp_events_contacts", "FP_events"), ("leads", "Leads"), ("meetings", "Meetings"), ("notes", "Notes"),
    ("notes_parent", "Notes"), ("opportunities", "Opportunities"), ("project", "Project"),
    ("project_contacts_1", "Project"), ("project_resource", "Project"), ("prospect_lists", "ProspectLists"),
    ("reports_to_link", "Contacts"), ("tasks", "Tasks"), ("tasks_parent", "Tasks"), ("user_sync", "Users"),
];

#[rustfmt::skip]
const LEADS: Links = &[
    ("accounts", "Accounts"), ("calls", "Calls"), ("campaign_leads", "Campaigns"), ("campaigns", "CampaignLog"),
    ("contact", "Contacts"), ("contacts", "Contacts"), ("email_addresses", "EmailAddresses"),
    ("email_addresses_primary", "EmailAddresses"), ("emails", "Emails"), ("fp_events_leads_1", "FP_events"),
    ("meetings", "Meetings"), ("notes", "Notes"), ("oldcalls", "Calls"), ("oldmeetings", "Meetings"),
    ("opportunity", "Opportunities"), ("prospect_lists", "ProspectLists"), ("reportees", "Leads"),
    ("reports_to_link", "Leads"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const PROSPECTS: Links = &[
    ("calls", "Calls"), ("campaigns", "CampaignLog"), ("email_addresses", "EmailAddresses"),
    ("email_addresses_primary", "EmailAddresses"), ("emails", "Emails"), ("fp_events_prospects_1", "FP_events"),
    ("meetings", "Meetings"), ("notes", "Notes"), ("prospect_lists", "ProspectLists"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const OPPORTUNITIES: Links = &[
    ("accounts", "Accounts"), ("aos_contracts", "AOS_Contracts"), ("aos_quotes", "AOS_Quotes"), ("calls", "Calls"),
    ("campaign_link", "Campaigns"), ("campaign_opportunities", "Campaigns"), ("campaigns", "CampaignLog"),
    ("contacts", "Contacts"), ("currencies", "Currencies"), ("documents", "Documents"), ("emails", "Emails"),
    ("leads", "Leads"), ("meetings", "Meetings"), ("notes", "Notes"), ("project", "Project"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const CASES: Links = &[
    ("accounts", "Accounts"), ("aop_case_events", "AOP_Case_Events"), ("aop_case_updates", "AOP_Case_Updates"),
    ("bugs", "Bugs"), ("calls", "Calls"), ("contact_created_by", "Contacts"), ("contacts", "Contacts"),
    ("documents", "Documents"), ("emails", "Emails"), ("meetings", "Meetings"), ("notes", "Notes"),
    ("project", "Project"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const BUGS: Links = &[
    ("accounts", "Accounts"), ("calls", "Calls"), ("cases", "Cases"), ("contacts", "Contacts"),
    ("documents", "Documents"), ("emails", "Emails"), ("fixed_in_release_link", "Releases"), ("meetings", "Meetings"),
    ("notes", "Notes"), ("project", "Project"), ("release_link", "Releases"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const NOTES: Links = &[
    ("accounts", "Accounts"), ("aos_contracts", "AOS_Contracts"), ("bugs", "Bugs"), ("calls", "Calls"),
    ("campaigns", "CampaignLog"), ("cases", "Cases"), ("contact", "Contacts"), ("emails", "Emails"), ("leads", "Leads"),
    ("meetings", "Meetings"), ("opportunities", "Opportunities"), ("project_tasks", "ProjectTask"),
    ("projects", "Project"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const TASKS: Links = &[
    ("accounts", "Accounts"), ("aos_contracts", "AOS_Contracts"), ("bugs", "Bugs"), ("cases", "Cases"),
    ("contact_parent", "Contacts"), ("contacts", "Contacts"), ("leads", "Leads"), ("notes", "Notes"),
    ("opportunities", "Opportunities"), ("project_tasks", "ProjectTask"), ("projects", "Project"),
];

#[rustfmt::skip]
const CALLS: Links = &[
    ("accounts", "Accounts"), ("aos_contracts", "AOS_Contracts"), ("calls_reschedule", "Calls_Reschedule"),
    ("case", "Cases"), ("contacts", "Contacts"), ("leads", "Leads"), ("notes", "Notes"),
    ("opportunities", "Opportunities"), ("project", "Project"), ("users", "Users"),
];

#[rustfmt::skip]
const MEETINGS: Links = &[
    ("accounts", "Accounts"), ("aos_contracts", "AOS_Contracts"), ("case", "Cases"), ("contacts", "Contacts"),
    ("leads", "Leads"), ("notes", "Notes"), ("opportunity", "Opportunities"), ("project", "Project"), ("users", "Users"),
];

#[rustfmt::skip]
const EMAILS: Links = &[
    ("accounts", "Accounts"), ("aos_contracts", "AOS_Contracts"), ("bugs", "Bugs"), ("cases", "Cases"),
    ("contacts", "Contacts"), ("leads", "Leads"), ("meetings", "Meetings"), ("notes", "Notes"),
    ("opportunities", "Opportunities"), ("project", "Project"), ("projecttask", "ProjectTask"),
    ("prospects", "Prospects"), ("tasks", "Tasks"), ("users", "Users"),
];

#[rustfmt::skip]
const CAMPAIGNS: Links = &[
    ("accounts", "Accounts"), ("contacts", "Contacts"), ("emailmarketing", "EmailMarketing"), ("leads", "Leads"),
    ("log_entries", "CampaignLog"), ("opportunities", "Opportunities"), ("prospectlists", "ProspectLists"),
    ("queueitems", "EmailMan"), ("tracked_urls", "CampaignTrackers"),
];

#[rustfmt::skip]
const DOCUMENTS: Links = &[
    ("accounts", "Accounts"), ("bugs", "Bugs"), ("cases", "Cases"), ("contacts", "Contacts"),
    ("contracts", "AOS_Contracts"), ("opportunities", "Opportunities"), ("revisions", "DocumentRevisions"),
];

#[rustfmt::skip]
const PROJECT: Links = &[
    ("accounts", "Accounts"), ("bugs", "Bugs"), ("calls", "Calls"), ("cases", "Cases"), ("contacts", "Contacts"),
    ("emails", "Emails"), ("meetings", "Meetings"), ("notes", "Notes"), ("opportunities", "Opportunities"),
    ("project_contacts_1", "Contacts"), ("project_users_1", "Users"), ("projecttask", "ProjectTask"),
    ("tasks", "Tasks"),
];

#[rustfmt::skip]
const PROJECT_TASK: Links = &[
    ("calls", "Calls"), ("emails", "Emails"), ("meetings", "Meetings"), ("notes", "Notes"), ("projects", "Project"),
    ("tasks", "Tasks"),
];

#[rustfmt::skip]
const AOS_QUOTES: Links = &[
    ("accounts", "Accounts"), ("aos_products_quotes", "AOS_Products_Quotes"),
    ("aos_quotes_aos_contracts", "AOS_Contracts"), ("aos_quotes_aos_invoices", "AOS_Invoices"),
    ("aos_quotes_project", "Project"), ("contacts", "Contacts"), ("opportunities", "Opportunities"),
];

#[rustfmt::skip]
const AOS_INVOICES: Links = &[
    ("accounts", "Accounts"), ("aos_products_quotes", "AOS_Products_Quotes"),
    ("aos_quotes_aos_invoices", "AOS_Quotes"), ("contacts", "Contacts"),
];

#[rustfmt::skip]
const AOS_CONTRACTS: Links = &[
    ("accounts", "Accounts"), ("aos_products_quotes", "AOS_Products_Quotes"),
    ("aos_quotes_aos_contracts", "AOS_Quotes"), ("calls", "Calls"), ("contacts", "Contacts"),
    ("documents", "Documents"), ("emails", "Emails"), ("meetings", "Meetings"), ("notes", "Notes"),
    ("opportunities", "Opportunities"), ("tasks", "Tasks"),
];

#[rustfmt::skip]
const USERS: Links = &[
    ("aclroles", "ACLRoles"), ("am_projecttemplates_resources", "AM_ProjectTemplates"),
    ("am_projecttemplates_users_1", "AM_ProjectTemplates"), ("calls", "Calls"), ("contacts_sync", "Contacts"),
    ("eapm", "EAPM"), ("email_addresses", "EmailAddresses"), ("email_addresses_primary", "EmailAddresses"),
    ("emails_users", "Emails"), ("meetings", "Meetings"), ("oauth_tokens", "OAuthTokens"),
    ("project_resource", "Project"), ("project_users_1", "Project"), ("prospect_lists", "ProspectLists"),
    ("reportees", "Users"), ("reports_to_link", "Users"),
];

fn of(module: &str) -> Links {
    match module {
        "Accounts" => ACCOUNTS,
        "AOS_Contracts" => AOS_CONTRACTS,
        "AOS_Invoices" => AOS_INVOICES,
        "AOS_Quotes" => AOS_QUOTES,
        "Bugs" => BUGS,
        "Calls" => CALLS,
        "Campaigns" => CAMPAIGNS,
        "Cases" => CASES,
        "Contacts" => CONTACTS,
        "Documents" => DOCUMENTS,
        "Emails" => EMAILS,
        "Leads" => LEADS,
        "Meetings" => MEETINGS,
        "Notes" => NOTES,
        "Opportunities" => OPPORTUNITIES,
        "Project" => PROJECT,
        "ProjectTask" => PROJECT_TASK,
        "Prospects" => PROSPECTS,
        "Tasks" => TASKS,
        "Users" => USERS,
        _ => &[],
    }
}

/// The module that a stock link leads to.
pub(super) fn target(module: &Module, name: &str) -> Option<Module> {
    let mut stock = of(module.as_str()).iter().chain(EVERYWHERE);
    let (_, target) = stock.find(|(link, _)| *link == name)?;
    Some(Module::new(target))
}

/// Whether a field of a module is a link; the name is folded.
pub(super) fn is_link(module: &Module, field: &str, beside: &Modules) -> bool {
    let mut stock = of(module.as_str()).iter().chain(EVERYWHERE);
    stock.any(|(link, _)| link.eq_ignore_ascii_case(field))
        || beside.link_named(module, field).is_some()
}

#[cfg(test)]
mod tests {
    use super::is_link;
    use crate::dialect::schema::Modules;
    use crate::vocabulary::Module;

    #[test]
    fn a_link_means_something_only_within_its_module() {
        let target = |module: &str, name: &str| {
            super::target(&Module::new(module), name).map(|target| target.to_string())
        };
        assert_eq!(target("Accounts", "members").as_deref(), Some("Accounts"));
        assert_eq!(target("Users", "reports_to_link").as_deref(), Some("Users"));
        assert_eq!(target("Leads", "reports_to_link").as_deref(), Some("Leads"));
        assert_eq!(target("Contacts", "members"), None);
        assert_eq!(target("Contacts", "Cases"), None);
        assert_eq!(target("acme_Boats", "contacts"), None);
        assert_eq!(
            target("acme_Boats", "created_by_link").as_deref(),
            Some("Users")
        );
        let contacts = Module::new("Contacts");
        assert!(is_link(&contacts, "securitygroups", &Modules::default()));
        assert!(!is_link(&contacts, "last_name", &Modules::default()));
    }
}
