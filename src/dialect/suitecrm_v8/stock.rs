//! The fields that stock modules are known to have, links left out.

use crate::vocabulary::Module;

type Fields = &'static [&'static str];

/// The fields that every record has.
#[rustfmt::skip]
const RECORD: Fields = &[
    "id", "name", "date_entered", "date_modified", "modified_user_id", "modified_by_name", "created_by", "created_by_name",
    "description", "deleted", "assigned_user_id", "assigned_user_name",
];

/// The fields that every person has beside them.
#[rustfmt::skip]
const PERSON: Fields = &[
    "salutation", "first_name", "last_name", "full_name", "title", "photo", "department", "do_not_call", "phone_home", "email",
    "phone_mobile", "phone_work", "phone_other", "phone_fax", "email1", "email2", "invalid_email", "email_opt_out",
    "lawful_basis", "date_reviewed", "lawful_basis_source", "primary_address_street", "primary_address_street_2",
    "primary_address_street_3", "primary_address_city", "primary_address_state", "primary_address_postalcode",
    "primary_address_country", "alt_address_street", "alt_address_street_2", "alt_address_street_3", "alt_address_city",
    "alt_address_state", "alt_address_postalcode", "alt_address_country", "assistant", "assistant_phone",
    "email_addresses_non_primary", "email_and_name1",
];

/// The fields of a module's own.
#[rustfmt::skip]
const OWN: &[(&str, Fields)] = &[
    ("AOS_Contracts", &[
        "reference_code", "start_date", "end_date", "total_contract_value", "total_contract_value_usdollar", "currency_id",
        "status", "customer_signed_date", "company_signed_date", "renewal_reminder_date", "contract_type",
        "contract_account_id", "contract_account", "opportunity_id", "opportunity", "contact_id", "contact", "call_id",
        "line_items", "total_amt", "total_amt_usdollar", "subtotal_amount", "subtotal_amount_usdollar", "discount_amount",
        "discount_amount_usdollar", "tax_amount", "tax_amount_usdollar", "shipping_amount", "shipping_amount_usdollar",
        "shipping_tax", "shipping_tax_amt", "shipping_tax_amt_usdollar", "total_amount", "total_amount_usdollar",
    ]),
    ("AOS_Invoices", &[
        "billing_account_id", "billing_account", "billing_contact_id", "billing_contact", "billing_address_street",
        "billing_address_city", "billing_address_state", "billing_address_postalcode", "billing_address_country",
        "shipping_address_street", "shipping_address_city", "shipping_address_state", "shipping_address_postalcode",
        "shipping_address_country", "number", "line_items", "total_amt", "total_amt_usdollar", "subtotal_amount",
        "subtotal_amount_usdollar", "discount_amount", "discount_amount_usdollar", "tax_amount", "tax_amount_usdollar",
        "shipping_amount", "shipping_amount_usdollar", "shipping_tax", "shipping_tax_amt", "shipping_tax_amt_usdollar",
        "total_amount", "total_amount_usdollar", "currency_id", "template_ddown_c", "subtotal_tax_amount",
        "subtotal_tax_amount_usdollar", "quote_number", "quote_date", "invoice_date", "due_date", "status",
    ]),
    ("AOS_Quotes", &[
        "billing_account_id", "billing_account", "billing_contact_id", "billing_contact", "billing_address_street",
        "billing_address_city", "billing_address_state", "billing_address_postalcode", "billing_address_country",
        "shipping_address_street", "shipping_address_city", "shipping_address_state", "shipping_address_postalcode",
        "shipping_address_country", "number", "line_items", "total_amt", "total_amt_usdollar", "subtotal_amount",
        "subtotal_amount_usdollar", "discount_amount", "discount_amount_usdollar", "tax_amount", "tax_amount_usdollar",
        "shipping_amount", "shipping_amount_usdollar", "shipping_tax", "shipping_tax_amt", "shipping_tax_amt_usdollar",
        "total_amount", "total_amount_usdollar", "currency_id", "template_ddown_c", "subtotal_tax_amount",
        "subtotal_tax_amount_usdollar", "approval_issue", "opportunity_id", "opportunity", "expiration", "stage", "term",
        "terms_c", "approval_status", "invoice_status",
    ]),
    ("Accounts", &[
        "account_type", "annual_revenue", "billing_address_city", "billing_address_country", "billing_address_postalcode",
        "billing_address_state", "billing_address_street", "billing_address_street_2", "billing_address_street_3",
        "billing_address_street_4", "campaign_id", "campaign_name", "email", "email1", "email_addresses_non_primary",
        "email_opt_out", "employees", "industry", "invalid_email", "jjwg_maps_address_c", "jjwg_maps_geocode_status_c",
        "jjwg_maps_lat_c", "jjwg_maps_lng_c", "ownership", "parent_id", "parent_name", "phone_alternate", "phone_fax",
        "phone_office", "rating", "shipping_address_city", "shipping_address_country", "shipping_address_postalcode",
        "shipping_address_state", "shipping_address_street", "shipping_address_street_2", "shipping_address_street_3",
        "shipping_address_street_4", "sic_code", "ticker_symbol", "website",
    ]),
    ("Bugs", &[
        "bug_number", "type", "status", "priority", "resolution", "work_log", "found_in_release", "release_name",
        "fixed_in_release", "fixed_in_release_name", "source", "product_category",
    ]),
    ("Calls", &[
        "accept_status", "contact_id", "contact_name", "date_end", "date_start", "direction", "duration_hours",
        "duration_minutes", "email_reminder_checked", "email_reminder_sent", "email_reminder_time", "outlook_id",
        "parent_id", "parent_name", "parent_type", "recurring_source", "reminder_checked", "reminder_time", "reminders",
        "repeat_count", "repeat_dow", "repeat_interval", "repeat_parent_id", "repeat_type", "repeat_until",
        "reschedule_count", "reschedule_history", "status",
    ]),
    ("Campaigns", &[
        "tracker_key", "tracker_count", "refer_url", "tracker_text", "start_date", "end_date", "status", "impressions",
        "currency_id", "budget", "expected_cost", "actual_cost", "expected_revenue", "campaign_type", "objective", "content",
        "frequency", "survey_id", "survey_name",
    ]),
    ("Cases", &[
        "account_id", "account_name", "account_name1", "aop_case_updates_threaded", "case_attachments_display",
        "case_number", "case_update_form", "contact_created_by_id", "contact_created_by_name", "internal",
        "jjwg_maps_address_c", "jjwg_maps_geocode_status_c", "jjwg_maps_lat_c", "jjwg_maps_lng_c", "priority",
        "resolution", "state", "status", "suggestion_box", "type", "update_text", "work_log",
    ]),
    ("Contacts", &[
        "lead_source", "account_name", "account_id", "opportunity_role_fields", "opportunity_role_id", "opportunity_role",
        "reports_to_id", "report_to_name", "birthdate", "campaign_id", "campaign_name", "c_accept_status_fields",
        "m_accept_status_fields", "accept_status_id", "accept_status_name", "sync_contact", "e_invite_status_fields",
        "event_status_name", "event_invite_id", "e_accept_status_fields", "event_accept_status", "event_status_id",
        "joomla_account_id", "portal_account_disabled", "joomla_account_access", "portal_user_type",
        "jjwg_maps_geocode_status_c", "jjwg_maps_lng_c", "jjwg_maps_address_c", "jjwg_maps_lat_c",
    ]),
    ("Documents", &[
        "document_name", "doc_id", "doc_type", "doc_url", "filename", "active_date", "exp_date", "category_id",
        "subcategory_id", "status_id", "status", "document_revision_id", "revision", "last_rev_created_name",
        "last_rev_mime_type", "latest_revision", "last_rev_create_date", "related_doc_id", "related_doc_name",
        "related_doc_rev_id", "related_doc_rev_number", "is_template", "template_type", "show_preview",
    ]),
    ("Emails", &[
        "attachment", "bcc_addrs_names", "category_id", "cc_addrs_names", "date_sent_received", "description_html",
        "emails_email_templates", "emails_email_templates_idb", "emails_email_templates_name", "flagged", "folder",
        "folder_type", "from_addr_name", "has_attachment", "imap_keywords", "inbound_email_record", "indicator", "intent",
        "is_imported", "is_only_plain_text", "last_synced", "mailbox_id", "message_id", "msgno", "opt_in", "orphaned",
        "parent_id", "parent_name", "parent_type", "raw_source", "reply_to_addr", "reply_to_status", "status", "subject",
        "to_addrs_names", "type", "uid",
    ]),
    ("Leads", &[
        "accept_status_id", "accept_status_name", "account_description", "account_id", "account_name", "birthdate",
        "c_accept_status_fields", "campaign_id", "campaign_name", "contact_id", "converted", "e_accept_status_fields",
        "e_invite_status_fields", "event_accept_status", "event_invite_id", "event_status_id", "event_status_name",
        "jjwg_maps_address_c", "jjwg_maps_geocode_status_c", "jjwg_maps_lat_c", "jjwg_maps_lng_c", "lead_source",
        "lead_source_description", "m_accept_status_fields", "opportunity_amount", "opportunity_id", "opportunity_name",
        "portal_app", "portal_name", "refered_by", "report_to_name", "reports_to_id", "status", "status_description",
        "website", "webtolead_email1", "webtolead_email2", "webtolead_email_opt_out", "webtolead_invalid_email",
    ]),
    ("Meetings", &[
        "accept_status", "set_accept_links", "location", "password", "join_url", "host_url", "displayed_url", "creator",
        "external_id", "duration_hours", "duration_minutes", "date_start", "date_end", "parent_type", "status", "type",
        "direction", "parent_id", "parent_name", "reminder_time", "email_reminder_time", "email_reminder_sent",
        "reminder_checked", "email_reminder_checked", "reminders", "outlook_id", "sequence", "gsync_id", "gsync_lastsync",
        "contact_name", "contact_id", "repeat_type", "repeat_interval", "repeat_dow", "repeat_until", "repeat_count",
        "repeat_parent_id", "recurring_source", "duration", "jjwg_maps_geocode_status_c", "jjwg_maps_lng_c",
        "jjwg_maps_address_c", "jjwg_maps_lat_c",
    ]),
    ("Notes", &[
        "acase_id", "account_id", "campaign_id", "contact_email", "contact_id", "contact_name", "contact_phone",
        "embed_flag", "file_mime_type", "file_url", "filecontents", "filename", "lead_id", "opportunity_id", "parent_id",
        "parent_name", "parent_type", "portal_flag", "show_preview",
    ]),
    ("Opportunities", &[
        "opportunity_type", "account_name", "account_id", "campaign_id", "campaign_name", "lead_source", "amount",
        "amount_usdollar", "currency_id", "currency_name", "currency_symbol", "date_closed", "next_step", "sales_stage",
        "probability", "jjwg_maps_geocode_status_c", "jjwg_maps_lng_c", "jjwg_maps_address_c", "jjwg_maps_lat_c",
    ]),
    ("Project", &[
        "estimated_start_date", "estimated_end_date", "status", "priority", "total_estimated_effort",
        "total_actual_effort", "override_business_hours", "jjwg_maps_geocode_status_c", "jjwg_maps_lng_c",
        "jjwg_maps_address_c", "jjwg_maps_lat_c",
    ]),
    ("ProjectTask", &[
        "project_id", "project_task_id", "relationship_type", "task_number", "order_number", "estimated_effort",
        "actual_effort", "utilization", "status", "percent_complete", "date_start", "date_finish", "date_due", "time_start",
        "time_finish", "duration", "duration_unit", "actual_duration", "parent_task_id", "predecessors", "priority",
        "milestone_flag", "project_name",
    ]),
    ("Prospects", &[
        "account_name", "birthdate", "campaign_id", "tracker_key", "lead_id", "c_accept_status_fields",
        "m_accept_status_fields", "accept_status_id", "accept_status_name", "e_invite_status_fields", "event_status_name",
        "event_invite_id", "e_accept_status_fields", "event_accept_status", "event_status_id",
        "jjwg_maps_geocode_status_c", "jjwg_maps_lng_c", "jjwg_maps_address_c", "jjwg_maps_lat_c",
    ]),
    ("Tasks", &[
        "status", "date_due_flag", "date_due", "time_due", "date_start_flag", "date_start", "parent_type", "parent_name",
        "contact_id", "contact_name", "contact_phone", "contact_email", "parent_id", "priority",
    ]),
    ("Users", &[
        "UserType", "accept_status_id", "accept_status_name", "address_city", "address_country", "address_postalcode",
        "address_state", "address_street", "authenticate_id", "c_accept_status_fields", "department", "editor_type",
        "email1", "email_link_type", "employee_status", "external_auth_only", "factor_auth", "factor_auth_interface",
        "first_name", "full_name", "is_admin", "is_group", "last_name", "m_accept_status_fields", "messenger_id",
        "messenger_type", "phone_fax", "phone_home", "phone_mobile", "phone_other", "phone_work", "photo", "portal_only",
        "pwd_last_changed", "receive_notifications", "reports_to_id", "reports_to_name", "securitygroup_noninher_fields",
        "securitygroup_noninherit_id", "securitygroup_noninheritable", "securitygroup_primary_group",
        "show_on_employees", "status", "sugar_login", "system_generated_password", "title", "user_hash", "user_name",
    ]),
];

/// The modules whose records are people.
const PEOPLE: &[&str] = &["Contacts", "Leads", "Prospects"];

/// The fields that a module is known to have.
pub(super) fn fields(module: &Module) -> impl Iterator<Item = &'static str> {
    let own = OWN.iter().find(|(name, _)| *name == module.as_str());
    let person = own
        .filter(|(name, _)| PEOPLE.contains(name))
        .map(|_| PERSON);
    let parts = own.map(|(_, own)| [RECORD, person.unwrap_or_default(), own]);
    parts.into_iter().flatten().flatten().copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{OWN, fields};
    use crate::dialect::suitecrm_v8::grammar;
    use crate::vocabulary::Module;

    #[test]
    fn each_field_of_a_module_stands_once() {
        for (name, _) in OWN {
            let mut seen = BTreeSet::new();
            for field in fields(&Module::new(name)) {
                assert!(
                    grammar::is_field(field) && seen.insert(field),
                    "{name}.{field}"
                );
            }
        }
        assert_eq!(fields(&Module::new("acme_Boats")).count(), 0);
    }
}
