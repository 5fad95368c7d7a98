//! The names of modules. Requests name a module or the object that its records are; replies always name the object.

use crate::dialect::ModuleName;
use crate::vocabulary::Module;

/// Modules whose records have another name than the module, with their other names.
#[rustfmt::skip]
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("Accounts", &["Account"]),
    ("ACLActions", &["ACLAction"]),
    ("ACLRoles", &["ACLRole"]),
    ("Alerts", &["Alert"]),
    ("AOR_Charts", &["AOR_Chart"]),
    ("AOR_Conditions", &["AOR_Condition"]),
    ("AOR_Fields", &["AOR_Field"]),
    ("AOR_Reports", &["AOR_Report"]),
    ("AOS_Contracts", &["Contracts"]),
    ("AOS_Invoices", &["Invoices"]),
    ("AOS_Products_Quotes", &["ProductQuotes"]),
    ("AOS_Quotes", &["Quotes"]),
    ("AOW_Actions", &["AOW_Action"]),
    ("AOW_Conditions", &["AOW_Condition"]),
    ("Bugs", &["Bug"]),
    ("Calls", &["Call"]),
    ("Campaigns", &["Campaign"]),
    ("CampaignTrackers", &["CampaignTracker"]),
    ("Cases", &["Case", "aCase"]),
    ("Connector", &["ConnectorRecord"]),
    ("Contacts", &["Contact"]),
    ("Currencies", &["Currency"]),
    ("DocumentRevisions", &["DocumentRevision"]),
    ("Documents", &["Document"]),
    ("DynamicFields", &["FieldsMetaData"]),
    ("EmailAddresses", &["EmailAddress"]),
    ("Emails", &["Email"]),
    ("EmailTemplates", &["EmailTemplate"]),
    ("Employees", &["Employee"]),
    ("Import", &["UsersLastImport"]),
    ("Leads", &["Lead"]),
    ("Meetings", &["Meeting"]),
    ("MergeRecords", &["MergeRecord"]),
    ("Notes", &["Note"]),
    ("OAuthKeys", &["OAuthKey"]),
    ("OAuthTokens", &["OAuthToken"]),
    ("Opportunities", &["Opportunity"]),
    ("ProspectLists", &["ProspectList"]),
    ("Prospects", &["Prospect"]),
    ("Relationships", &["Relationship"]),
    ("Releases", &["Release"]),
    ("Reminders", &["Reminder"]),
    ("Reminders_Invitees", &["Reminder_Invitee"]),
    ("Roles", &["Role"]),
    ("SavedSearch", &["SavedSearches"]),
    ("SecurityGroups", &["SecurityGroup"]),
    ("Tasks", &["Task"]),
    ("Trackers", &["Tracker"]),
    ("UserPreferences", &["UserPreference"]),
    ("Users", &["User"]),
    ("vCals", &["vCal"]),
];

/// The module that a request names, by whichever of its names. A name that nobody knows is a module of its own.
pub(super) fn canonical(name: &str) -> Module {
    let known = OTHER_NAMES
        .iter()
        .find(|(_, others)| others.contains(&name));
    Module::new(known.map_or(name, |(module, _)| module))
}

/// The names that the CRM may call a module's records by.
pub(super) fn names(module: &Module) -> ModuleName {
    let known = OTHER_NAMES
        .iter()
        .find(|(name, _)| *name == module.as_str());
    ModuleName {
        module: module.clone(),
        others: known.map_or(&[], |(_, others)| others),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{OTHER_NAMES, canonical, names};
    use crate::vocabulary::Module;

    #[test]
    fn each_name_means_one_module() {
        let mut seen = BTreeSet::new();
        for (module, others) in OTHER_NAMES {
            for name in others.iter().chain([module]) {
                assert!(seen.insert(*name), "{name} means two modules");
                assert_eq!(canonical(name).as_str(), *module);
                assert!(names(&Module::new(module)).is(name));
            }
        }
        assert_eq!(canonical("contact").as_str(), "contact");
        assert_eq!(canonical("acme_Boats").as_str(), "acme_Boats");
        let boats = names(&Module::new("acme_Boats"));
        assert!(boats.is("acme_Boats") && !boats.is("acme_Boat") && !boats.is("Contact"));
    }
}
