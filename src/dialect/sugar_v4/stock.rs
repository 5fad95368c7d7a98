//! The fields that SuiteCRM's stock modules are known to have.

use crate::vocabulary::Module;

/// The fields that every record has, and more.
#[rustfmt::skip]
macro_rules! record {
    ($($more:literal)*) => {
        &[
            "id", "name", "date_entered", "date_modified", "modified_user_id", "modified_by_name", "created_by",
            "created_by_name", "description", "assigned_user_id", "assigned_user_name", "deleted", $($more,)*
        ]
    };
}

/// The fields that every person has, and more.
#[rustfmt::skip]
macro_rules! person {
    ($($more:literal)*) => {
        record!(
            "salutation" "first_name" "last_name" "full_name" "title" "photo" "department" "do_not_call" "phone_home"
            "phone_mobile" "phone_work" "phone_other" "phone_fax" "email" "email1" "email2" "invalid_email"
            "email_opt_out" "email_addresses_non_primary" "email_and_name1" "lawful_basis" "date_reviewed"
            "lawful_basis_source" "primary_address_street" "primary_address_street_2" "primary_address_street_3"
            "primary_address_city" "primary_address_state" "primary_address_postalcode" "primary_address_country"
            "alt_address_street" "alt_address_street_2" "alt_address_street_3" "alt_address_city" "alt_address_state"
            "alt_address_postalcode" "alt_address_country" "assistant" "assistant_phone" "lead_source" "campaign_id"
            "campaign_name" "account_name" "c_accept_status_fields" "m_accept_status_fields" "accept_status_id"
            "accept_status_name" "e_invite_status_fields" "event_status_name" "event_invite_id"
            "e_accept_status_fields" "event_accept_status" "event_status_id"
            $($more)*
        )
    };
}

/// The fields that calls and meetings have, and more.
#[rustfmt::skip]
macro_rules! appointment {
    ($($more:literal)*) => {
        record!(
            "status" "direction" "date_start" "date_end" "duration_hours" "duration_minutes" "parent_type"
            "parent_id" "parent_name" "contact_id" "contact_name" "accept_status" "reminder_checked" "reminder_time"
            "email_reminder_checked" "email_reminder_time" "email_reminder_sent" "reminders" "outlook_id"
            "repeat_type" "repeat_interval" "repeat_dow" "repeat_until" "repeat_count" "repeat_parent_id"
            "recurring_source"
            $($more)*
        )
    };
}

type Fields = &'static [&'static str];

#[rustfmt::skip]
const ACCOUNTS: Fields = record!(
    "account_type" "industry" "annual_revenue" "phone_fax" "billing_address_street" "billing_address_street_2"
    "billing_address_street_3" "billing_address_street_4" "billing_address_city" "billing_address_state"
    "billing_address_postalcode" "billing_address_country" "rating" "phone_office" "phone_alternate" "website"
    "ownership" "employees" "ticker_symbol" "shipping_address_street" "shipping_address_street_2"
    "shipping_address_street_3" "shipping_address_street_4" "shipping_address_city" "shipping_address_state"
    "shipping_address_postalcode" "shipping_address_country" "email" "email1" "email_addresses_non_primary"
    "email_opt_out" "invalid_email" "parent_id" "parent_name" "sic_code" "campaign_id" "campaign_name"
    "jjwg_maps_geocode_status_c" "jjwg_maps_lng_c" "jjwg_maps_address_c" "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const CALLS: Fields = appointment!(
    "reschedule_history" "reschedule_count"
);

#[rustfmt::skip]
const CAMPAIGNS: Fields = record!(
    "tracker_key" "tracker_count" "refer_url" "tracker_text" "start_date" "end_date" "status" "impressions"
    "currency_id" "budget" "expected_cost" "actual_cost" "expected_revenue" "campaign_type" "objective" "content"
    "frequency"
);

#[rustfmt::skip]
const CASES: Fields = record!(
    "case_number" "type" "status" "priority" "resolution" "work_log" "suggestion_box" "account_name" "account_name1"
    "account_id" "state" "case_attachments_display" "case_update_form" "contact_created_by_name"
    "contact_created_by_id" "update_text" "internal" "aop_case_updates_threaded" "jjwg_maps_geocode_status_c"
    "jjwg_maps_lng_c" "jjwg_maps_address_c" "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const CONTACTS: Fields = person!(
    "birthdate" "account_id" "opportunity_role_fields" "opportunity_role_id" "opportunity_role" "reports_to_id"
    "report_to_name" "sync_contact" "joomla_account_id" "portal_account_disabled" "joomla_account_access"
    "portal_user_type" "jjwg_maps_geocode_status_c" "jjwg_maps_lng_c" "jjwg_maps_address_c" "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const LEADS: Fields = person!(
    "birthdate" "converted" "refered_by" "lead_source_description" "status" "status_description" "reports_to_id"
    "report_to_name" "account_description" "contact_id" "account_id" "opportunity_id" "opportunity_name"
    "opportunity_amount" "portal_name" "portal_app" "website" "webtolead_email1" "webtolead_email2"
    "webtolead_email_opt_out" "webtolead_invalid_email" "jjwg_maps_geocode_status_c" "jjwg_maps_lng_c"
    "jjwg_maps_address_c" "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const PROSPECTS: Fields = person!(
    "birthdate" "tracker_key" "lead_id" "jjwg_maps_geocode_status_c" "jjwg_maps_lng_c" "jjwg_maps_address_c"
    "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const MEETINGS: Fields = appointment!(
    "location" "password" "join_url" "host_url" "displayed_url" "creator" "external_id" "type" "sequence" "duration"
    "gsync_id" "gsync_lastsync" "jjwg_maps_geocode_status_c" "jjwg_maps_lng_c" "jjwg_maps_address_c"
    "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const NOTES: Fields = record!(
    "file_mime_type" "filename" "parent_type" "parent_id" "parent_name" "contact_id" "contact_name" "contact_phone"
    "contact_email" "portal_flag" "embed_flag" "filecontents" "show_preview" "account_id" "opportunity_id"
    "campaign_id" "acase_id" "lead_id"
);

#[rustfmt::skip]
const OPPORTUNITIES: Fields = record!(
    "opportunity_type" "account_name" "account_id" "campaign_id" "campaign_name" "lead_source" "amount"
    "amount_usdollar" "currency_id" "currency_name" "currency_symbol" "date_closed" "next_step" "sales_stage"
    "probability" "jjwg_maps_geocode_status_c" "jjwg_maps_lng_c" "jjwg_maps_address_c" "jjwg_maps_lat_c"
);

#[rustfmt::skip]
const TASKS: Fields = record!(
    "status" "date_due_flag" "date_due" "time_due" "date_start_flag" "date_start" "time_start" "parent_type"
    "parent_id" "parent_name" "contact_id" "contact_name" "contact_phone" "contact_email" "priority"
);

#[rustfmt::skip]
const EMAILS: Fields = record!(
    "orphaned" "last_synced" "from_addr_name" "reply_to_addr" "to_addrs_names" "cc_addrs_names" "bcc_addrs_names"
    "imap_keywords" "raw_source" "description_html" "date_sent_received" "message_id" "type" "status" "flagged"
    "reply_to_status" "intent" "mailbox_id" "parent_name" "parent_type" "parent_id" "indicator" "subject"
    "attachment" "uid" "msgno" "folder" "folder_type" "inbound_email_record" "is_imported" "has_attachment"
    "is_only_plain_text" "category_id" "emails_email_templates_name" "opt_in"
);

#[rustfmt::skip]
const USERS: Fields = record!(
    "user_name" "user_hash" "system_generated_password" "pwd_last_changed" "authenticate_id" "sugar_login"
    "first_name" "last_name" "full_name" "is_admin" "external_auth_only" "receive_notifications" "title" "photo"
    "department" "phone_home" "phone_mobile" "phone_work" "phone_other" "phone_fax" "status" "address_street"
    "address_city" "address_state" "address_country" "address_postalcode" "usertype" "portal_only"
    "show_on_employees" "employee_status" "messenger_id" "messenger_type" "reports_to_id" "reports_to_name" "email1"
    "email_link_type" "editor_type" "is_group" "c_accept_status_fields" "m_accept_status_fields" "accept_status_id"
    "accept_status_name" "securitygroup_noninher_fields" "securitygroup_noninherit_id" "securitygroup_noninheritable"
    "securitygroup_primary_group" "factor_auth" "factor_auth_interface"
);

#[rustfmt::skip]
const ADDRESSES: Fields = &[
    "id", "email_address", "email_address_caps", "invalid_email", "opt_out", "confirm_opt_in", "confirm_opt_in_date",
    "confirm_opt_in_sent_date", "confirm_opt_in_fail_date", "date_created", "date_modified", "deleted",
];

const NAMED: Fields = record!();

/// The fields of a module, folded; empty for a module that is not stock.
pub(super) fn fields(module: &Module) -> Fields {
    match module.as_str() {
        "Accounts" => ACCOUNTS,
        "ACLRoles" | "SecurityGroups" => NAMED,
        "Calls" => CALLS,
        "Campaigns" => CAMPAIGNS,
        "Cases" => CASES,
        "Contacts" => CONTACTS,
        "EmailAddresses" => ADDRESSES,
        "Emails" => EMAILS,
        "Employees" | "Users" => USERS,
        "Leads" => LEADS,
        "Meetings" => MEETINGS,
        "Notes" => NOTES,
        "Opportunities" => OPPORTUNITIES,
        "Prospects" => PROSPECTS,
        "Tasks" => TASKS,
        _ => &[],
    }
}

/// The names of stock modules that a reply can tell.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "ACLRoles", "AOP_Case_Updates", "AOS_Contracts", "AOS_Invoices", "AOS_Quotes", "Accounts", "Bugs", "Calls",
    "CampaignLog", "Campaigns", "Cases", "Contacts", "DocumentRevisions", "Documents", "Emails", "Employees",
    "FP_events", "Leads", "Meetings", "Notes", "Opportunities", "Project", "ProjectTask", "ProspectLists",
    "Prospects", "SecurityGroups", "Tasks", "Users",
];

/// The name of a stock module.
pub(super) fn name(module: &Module) -> Option<&'static str> {
    NAMES.iter().find(|name| **name == module.as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::fields;
    use crate::vocabulary::{Field, Module};

    #[test]
    fn names_are_folded_and_stand_once() {
        for module in [
            "Accounts",
            "Contacts",
            "Users",
            "Meetings",
            "EmailAddresses",
        ] {
            let mut names = fields(&Module::new(module)).to_vec();
            assert!(!names.is_empty());
            assert!(names.iter().all(|name| Field::fold(name).as_str() == *name));
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{module}");
        }
        assert!(fields(&Module::new("acme_Boats")).is_empty());
    }
}
