//! The fields that stock modules are known to have.

use crate::vocabulary::Module;

/// The fields that every record has, and more.
macro_rules! record {
    ($($more:literal)*) => {
        &[
            "id", "name", "date_entered", "date_modified", "modified_user_id", "modified_by_name", "created_by",
            "created_by_name", "description", "assigned_user_id", "assigned_user_name", "team_name", "team_count",
            "team_id", "team_set_id", "acl_team_set_id", "tag", "sync_key", $($more,)*
        ]
    };
}

/// The fields that every person has, and more.
macro_rules! person {
    ($($more:literal)*) => {
        record!(
            "salutation" "first_name" "last_name" "full_name" "title" "department" "facebook" "twitter" "googleplus"
            "do_not_call" "phone_home" "phone_mobile" "phone_work" "phone_other" "phone_fax" "email" "email1" "email2"
            "email_addresses_primary" "email_addresses_non_primary" "email_and_name1" "invalid_email" "email_opt_out"
            "primary_address_street" "primary_address_city" "primary_address_state" "primary_address_postalcode"
            "primary_address_country" "alt_address_street" "alt_address_city" "alt_address_state"
            "alt_address_postalcode" "alt_address_country" "assistant" "assistant_phone" "picture" "birthdate"
            "lead_source" "campaign_id" "campaign_name" "account_name" "dp_business_purpose" "dp_consent_last_updated"
            "preferred_language" "cookie_consent" "cookie_consent_received_on" "accept_status_id" "accept_status_name"
            $($more)*
        )
    };
}

/// The fields that calls and meetings have, and more.
macro_rules! appointment {
    ($($more:literal)*) => {
        record!(
            "status" "date_start" "date_end" "duration_hours" "duration_minutes" "direction" "parent_type" "parent_id"
            "parent_name" "contact_id" "contact_name" "reminder_time" "email_reminder_time" "repeat_type"
            "repeat_interval" "repeat_until" "repeat_count" "recurrence_id" "recurring_source" $($more)*
        )
    };
}

type Fields = &'static [&'static str];

#[rustfmt::skip]
const ACCOUNTS: Fields = record!(
    "account_type" "industry" "annual_revenue" "phone_office" "phone_fax" "phone_alternate" "website" "ownership"
    "employees" "ticker_symbol" "rating" "sic_code" "duns_num" "facebook" "twitter" "googleplus" "parent_id"
    "parent_name" "campaign_id" "campaign_name" "email" "email1" "email2" "email_addresses_primary"
    "email_addresses_non_primary" "invalid_email" "email_opt_out" "billing_address_street" "billing_address_city"
    "billing_address_state" "billing_address_postalcode" "billing_address_country" "shipping_address_street"
    "shipping_address_city" "shipping_address_state" "shipping_address_postalcode" "shipping_address_country"
    "service_level" "next_renewal_date" "business_center_id" "business_center_name"
);

#[rustfmt::skip]
const BUGS: Fields = record!(
    "bug_number" "type" "status" "priority" "resolution" "work_log" "source" "product_category"
    "found_in_release" "fixed_in_release" "portal_viewable" "follow_up_datetime" "resolved_datetime"
);

#[rustfmt::skip]
const CALLS: Fields = appointment!(
    "outlook_id" "transcript" "call_recording_url"
);

#[rustfmt::skip]
const CAMPAIGNS: Fields = record!(
    "tracker_key" "tracker_count" "refer_url" "tracker_text" "start_date" "end_date" "status" "impressions"
    "currency_id" "budget" "expected_cost" "actual_cost" "expected_revenue" "campaign_type" "objective" "content"
    "frequency"
);

#[rustfmt::skip]
const CASES: Fields = record!(
    "case_number" "type" "status" "priority" "resolution" "work_log" "source" "account_id" "account_name"
    "primary_contact_id" "primary_contact_name" "portal_viewable" "follow_up_datetime" "resolved_datetime"
    "first_response_target_datetime" "first_response_actual_datetime" "hours_to_resolution" "business_center_id"
    "business_center_name" "service_level" "is_escalated" "request_close" "request_close_date"
);

#[rustfmt::skip]
const CONTACTS: Fields = person!(
    "account_id" "denorm_account_name" "reports_to_id" "report_to_name" "dnb_principal_id" "portal_name"
    "portal_active" "portal_password" "portal_password1" "portal_app" "portal_user_company_name"
    "opportunity_role_fields" "opportunity_role_id" "opportunity_role" "c_accept_status_fields"
    "m_accept_status_fields" "business_center_id" "business_center_name" "sync_contact"
    // Not stock, but what custom fields for them are usually called; `explain` shows what a policy makes of them.
    "iban_c" "bic_c" "nir_c" "religion_c" "health_notes_c" "union_member_c"
);

#[rustfmt::skip]
const DATA_PRIVACY: Fields = record!(
    "dataprivacy_number" "type" "status" "priority" "source" "requested_by" "date_opened" "date_due"
    "date_closed" "resolution" "work_log" "business_purpose" "consent_last_updated" "fields_to_erase"
);

#[rustfmt::skip]
const DOCUMENTS: Fields = record!(
    "document_name" "filename" "doc_id" "doc_type" "doc_url" "active_date" "exp_date" "category_id"
    "subcategory_id" "status_id" "status" "document_revision_id" "revision" "last_rev_created_name"
    "last_rev_create_date" "related_doc_id" "related_doc_name" "is_template" "template_type"
);

#[rustfmt::skip]
const EMAILS: Fields = record!(
    "date_sent" "message_id" "message_uid" "subject" "status" "state" "type" "direction" "mailbox_name"
    "from_addr_name" "reply_to_addr" "to_addrs_names" "cc_addrs_names" "bcc_addrs_names" "raw_source"
    "description_html" "parent_type" "parent_id" "parent_name" "total_attachments" "outbound_email_id"
    "reply_to_id" "reply_to_status" "flagged" "intent"
);

#[rustfmt::skip]
const LEADS: Fields = person!(
    "converted" "status" "status_description" "lead_source_description" "refered_by" "reports_to_id"
    "report_to_name" "account_id" "account_description" "contact_id" "contact_name" "opportunity_id"
    "opportunity_name" "opportunity_amount" "portal_name" "portal_app" "website" "webtolead_email1"
    "webtolead_email2" "webtolead_email_opt_out" "webtolead_invalid_email" "business_center_id"
    "business_center_name"
);

#[rustfmt::skip]
const MEETINGS: Fields = appointment!(
    "location" "type" "external_id" "creator" "join_url" "host_url" "displayed_url" "password" "sequence"
);

#[rustfmt::skip]
const NOTES: Fields = record!(
    "filename" "file_mime_type" "file_ext" "file_size" "file_source" "parent_type" "parent_id" "parent_name"
    "contact_id" "contact_name" "contact_phone" "contact_email" "portal_flag" "embed_flag" "source" "entry_source"
    "attachment_flag"
);

#[rustfmt::skip]
const OPPORTUNITIES: Fields = record!(
    "opportunity_type" "account_id" "account_name" "campaign_id" "campaign_name" "lead_source" "amount"
    "amount_usdollar" "currency_id" "base_rate" "best_case" "worst_case" "date_closed" "date_closed_timestamp"
    "next_step" "sales_stage" "sales_status" "probability" "commit_stage" "closed_revenue_line_items"
    "total_revenue_line_items" "renewal" "service_start_date"
);

#[rustfmt::skip]
const PROSPECTS: Fields = person!(
    "tracker_key" "lead_id" "lead_name" "converted"
);

#[rustfmt::skip]
const TASKS: Fields = record!(
    "status" "priority" "date_due" "date_due_flag" "date_start" "date_start_flag" "time_due" "parent_type"
    "parent_id" "parent_name" "contact_id" "contact_name" "contact_phone" "contact_email"
);

#[rustfmt::skip]
const USERS: Fields = record!(
    "user_name" "user_hash" "system_generated_password" "pwd_last_changed" "authenticate_id" "first_name"
    "last_name" "full_name" "title" "department" "phone_home" "phone_mobile" "phone_work" "phone_other"
    "phone_fax" "email" "email1" "email2" "email_addresses_primary" "email_addresses_non_primary" "invalid_email"
    "email_opt_out" "status" "employee_status" "address_street" "address_city" "address_state"
    "address_postalcode" "address_country" "messenger_id" "messenger_type" "reports_to_id" "reports_to_name"
    "is_admin" "is_group" "portal_only" "external_auth_only" "receive_notifications" "last_login" "picture"
    "preferred_language" "license_type" "default_team" "facebook" "twitter" "googleplus"
);

/// The stock fields of a module; none if it is not a stock module.
pub(super) fn fields(module: &Module) -> Fields {
    match module.as_str() {
        "Accounts" => ACCOUNTS,
        "Bugs" => BUGS,
        "Calls" => CALLS,
        "Campaigns" => CAMPAIGNS,
        "Cases" => CASES,
        "Contacts" => CONTACTS,
        "DataPrivacy" => DATA_PRIVACY,
        "Documents" => DOCUMENTS,
        "Emails" => EMAILS,
        "Leads" => LEADS,
        "Meetings" => MEETINGS,
        "Notes" => NOTES,
        "Opportunities" => OPPORTUNITIES,
        "Prospects" => PROSPECTS,
        "Tasks" => TASKS,
        "Users" => USERS,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::fields;
    use crate::dialect::Origin;
    use crate::dialect::sugar_rest::{algebra, grammar};
    use crate::vocabulary::Module;

    const MODULES: &[&str] = &[
        "Accounts",
        "Bugs",
        "Calls",
        "Campaigns",
        "Cases",
        "Contacts",
        "DataPrivacy",
        "Documents",
        "Emails",
        "Leads",
        "Meetings",
        "Notes",
        "Opportunities",
        "Prospects",
        "Tasks",
        "Users",
    ];

    #[test]
    fn stock_fields_are_folded_names_that_hold_data() {
        for module in MODULES {
            let module = Module::new(module);
            let mut seen = BTreeSet::new();
            for field in fields(&module) {
                assert!(seen.insert(*field), "{module}.{field} is listed twice");
                assert!(grammar::is_field(field) && *field == field.to_ascii_lowercase());
                let origin = algebra::origin(&module, field);
                assert!(
                    !matches!(
                        origin,
                        Origin::Structural(_) | Origin::Related(_) | Origin::UnknownRelated
                    ),
                    "{module}.{field} is no field of its own"
                );
            }
            assert!(seen.contains("id"), "{module}");
        }
        assert!(fields(&Module::new("acme_Boats")).is_empty());
    }
}
