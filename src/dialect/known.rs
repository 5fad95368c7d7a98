//! What is known of the CRMs of the SugarCRM family, for whoever checks a policy: names of modules, fields in which people
//! type what they like, fields that a stock search looks into. Nothing is decided by it.

use crate::vocabulary::{Field, Module};

/// Modules that SugarCRM and SuiteCRM have, or had. Those that an installation adds have an underscore in their names, and so
/// have some of SuiteCRM's own.
#[rustfmt::skip]
const MODULES: &[&str] = &[
    "ACLActions", "ACLFields", "ACLRoles", "Accounts", "Activities", "Administration", "Alerts", "ArchiveRuns", "Audit",
    "Bugs", "BusinessCenters", "Calendar", "CallbackQueue", "Calls", "CampaignLog", "CampaignTrackers", "Campaigns", "Cases",
    "ChangeTimers", "Charts", "CloudDrivePaths", "CommentLog", "Comments", "Connectors", "ConsoleConfiguration", "Contacts",
    "ContractTypes", "Contracts", "Currencies", "CustomFields", "CustomQueries", "Dashboards", "DataArchiver", "DataPrivacy",
    "DataSets", "DocumentMerges", "DocumentRevisions", "DocumentTemplates", "Documents", "DocuSignEnvelopes",
    "DynamicFields", "EAPM", "EmailAddresses", "EmailMan", "EmailMarketing", "EmailParticipants", "EmailTemplates", "EmailText",
    "Emails", "Employees", "Escalations", "Expressions", "FAQ", "Feedbacks", "Feeds", "Filters", "ForecastManagerWorksheets",
    "ForecastSchedule", "ForecastWorksheets", "Forecasts", "Geocode", "Groups", "Holidays", "Home", "Import",
    "InboundEmail", "KBArticles", "KBContentTemplates", "KBContents", "KBDocuments", "KBLocalizations", "Leads",
    "Manufacturers", "Maps", "Meetings", "MergeRecords", "Messages", "Metrics", "MobileDevices", "Newsletters", "Notes",
    "Notifications", "OAuth2Clients", "OAuth2Tokens", "OAuthKeys", "OAuthTokens", "Opportunities", "OutboundEmail",
    "OutboundEmailAccounts", "PdfManager", "ProductBundleNotes", "ProductBundles", "ProductCategories",
    "ProductTemplates", "ProductTypes", "Products", "Project", "ProjectResources", "ProjectTask", "ProspectLists", "Prospects",
    "PurchasedLineItems", "Purchases", "PushNotifications", "Queues", "Quotas", "Quotes", "Relationships", "Releases",
    "Reminders", "ReportMaker", "ReportSchedules", "Reports", "RevenueLineItems", "Roles", "SavedReports", "SavedSearch",
    "Schedulers", "SchedulersJobs", "SecurityGroups", "ShiftExceptions", "Shifts", "Shippers", "Spots", "Styleguide",
    "Subscriptions", "SugarFavorites", "SugarFeed", "SugarLive", "SurveyQuestionOptions", "SurveyQuestionResponses",
    "SurveyQuestions", "SurveyResponses", "Surveys", "Tags", "Tasks", "TaxRates", "TeamMemberships", "TeamNotices", "TeamSets",
    "Teams", "TemplateSectionLine", "TimePeriods", "TrackerPerfs", "TrackerQueries", "TrackerSessions", "Trackers",
    "UpgradeHistory", "UserPreferences", "UserSignatures", "Users", "VCals", "Versions", "WebLogicHooks", "WorkFlow",
    "Workflow", "Words", "Worksheet", "iCals", "vCals", "vCards",
];

pub(super) fn modules() -> Vec<Module> {
    MODULES.iter().map(|name| Module::new(name)).collect()
}

/// Modules whose records are named by a subject that somebody types.
#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "AOP_Case_Updates", "AOS_Contracts", "AOS_Invoices", "AOS_Quotes", "Bugs", "Calls", "Cases", "Comments", "Contracts",
    "DataPrivacy", "Documents", "Emails", "Escalations", "KBContents", "Meetings", "Messages", "Notes", "Opportunities",
    "Project", "ProjectTask", "Purchases", "Quotes", "RevenueLineItems", "Tasks",
];

/// Fields in which people type what they like, in whatever module they stand.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "account_description", "aop_case_updates_threaded", "case_attachments_display", "content", "description",
    "description_html", "document_name", "lead_source_description", "next_step", "objective", "raw_source",
    "reschedule_history", "status_description", "subject", "transcript", "update_text", "work_log",
];

/// Whether people type what they like in a field.
pub(super) fn is_text(module: &Module, field: &str) -> bool {
    let module = module.as_str();
    match field {
        "name" => SUBJECTS.contains(&module),
        "resolution" => module == "Cases",
        field => TEXTS.contains(&field),
    }
}

type Searched = &'static [(&'static str, &'static [&'static str])];

/// What SugarCRM's search looks into: fields that its stock definitions call searchable.
#[rustfmt::skip]
const SEARCHED_BY_SUGAR: Searched = &[
    ("Accounts", &["name", "description", "email", "phone_office", "phone_alternate", "phone_fax", "billing_address_street", "shipping_address_street"]),
    ("Bugs", &["bug_number", "name", "description", "work_log"]),
    ("Calls", &["name", "description"]),
    ("Cases", &["case_number", "name", "description", "resolution", "work_log"]),
    ("Contacts", PEOPLE_OF_SUGAR),
    ("Documents", &["document_name", "description"]),
    ("Leads", PEOPLE_OF_SUGAR),
    ("Meetings", &["name", "description", "location"]),
    ("Notes", &["name", "description"]),
    ("Opportunities", &["name", "description", "next_step"]),
    ("Prospects", PEOPLE_OF_SUGAR),
    ("Tasks", &["name", "description"]),
    ("Users", &["user_name", "first_name", "last_name", "email", "phone_home", "phone_mobile", "phone_work", "phone_other"]),
];
#[rustfmt::skip]
const PEOPLE_OF_SUGAR: &[&str] = &[
    "first_name", "last_name", "description", "email", "phone_home", "phone_mobile", "phone_work", "phone_other",
    "phone_fax", "primary_address_street", "alt_address_street",
];

/// What SuiteCRM's `search_by_module` looks into: fields that its stock definitions call unified.
#[rustfmt::skip]
const SEARCHED_BY_SUITE: Searched = &[
    ("Accounts", &["name", "phone_office", "phone_alternate", "email1"]),
    ("Calls", &["name"]),
    ("Cases", &["case_number", "name"]),
    ("Contacts", PEOPLE_OF_SUITE),
    ("Documents", &["document_name"]),
    ("Leads", PEOPLE_OF_SUITE),
    ("Meetings", &["name"]),
    ("Notes", &["name"]),
    ("Opportunities", &["name"]),
    ("Prospects", PEOPLE_OF_SUITE),
    ("Tasks", &["name"]),
    ("Users", &["user_name", "first_name", "last_name", "email1", "phone_home", "phone_mobile", "phone_work", "phone_other"]),
];
const PEOPLE_OF_SUITE: &[&str] = &[
    "first_name",
    "last_name",
    "phone_home",
    "phone_mobile",
    "phone_work",
    "phone_other",
    "email1",
];

pub(super) fn searched_by_sugar(module: &Module) -> Vec<Field> {
    searched(SEARCHED_BY_SUGAR, module)
}

pub(super) fn searched_by_suite(module: &Module) -> Vec<Field> {
    searched(SEARCHED_BY_SUITE, module)
}

fn searched(all: Searched, module: &Module) -> Vec<Field> {
    let own = all.iter().find(|(name, _)| *name == module.as_str());
    let names = own.map_or(&[][..], |(_, names)| names);
    names.iter().map(|name| Field::fold(name)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{MODULES, SEARCHED_BY_SUGAR, SEARCHED_BY_SUITE, is_text, searched_by_suite};
    use crate::dialect::by_name;
    use crate::vocabulary::Module;

    #[test]
    fn each_module_stands_once_and_those_with_stock_fields_are_known() {
        let all: BTreeSet<&str> = MODULES.iter().copied().collect();
        assert_eq!(all.len(), MODULES.len());
        for (module, _) in SEARCHED_BY_SUGAR.iter().chain(SEARCHED_BY_SUITE) {
            assert!(all.contains(module), "{module}");
        }
    }

    #[test]
    fn what_a_stock_search_looks_into_are_stock_fields() {
        for (dialect, searched) in [
            ("sugar-rest", SEARCHED_BY_SUGAR),
            ("sugar-v4", SEARCHED_BY_SUITE),
        ] {
            let schema = by_name(dialect).unwrap().schema().clone();
            for (module, fields) in searched {
                let module = Module::new(module);
                // Not of every module the stock fields are listed.
                if schema.fields(&module).is_empty() {
                    continue;
                }
                for field in *fields {
                    assert!(schema.has_field(&module, field), "{module}.{field}");
                }
            }
        }
        assert!(searched_by_suite(&Module::new("acme_Boats")).is_empty());
    }

    #[test]
    fn subjects_and_descriptions_are_typed_and_names_of_firms_are_not() {
        let is_text = |module: &str, field| is_text(&Module::new(module), field);
        assert!(is_text("Cases", "name") && is_text("Contacts", "description"));
        assert!(!is_text("Accounts", "name") && !is_text("Bugs", "resolution"));
    }
}
