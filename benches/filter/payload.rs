//! Lists of contacts as SugarCRM sends them, with invented people: the same on every run. About 2.5 kB a record.

use std::fmt::Write as _;

/// The fields that policies of the benchmarks treat, with their text in record `index`.
pub(crate) fn treated(index: usize) -> [(&'static str, String); 8] {
    [
        (
            "phone_home",
            format!("01 99 00 {:02} {:02}", index % 100, index * 7 % 100),
        ),
        (
            "phone_mobile",
            format!("06 39 98 {:02} {:02}", index * 3 % 100, index % 100),
        ),
        (
            "phone_work",
            format!("01 99 00 {:02} {:02}", index * 5 % 100, index * 11 % 100),
        ),
        (
            "phone_other",
            format!("04 65 71 {:02} {:02}", index * 13 % 100, index % 100),
        ),
        (
            "birthdate",
            format!(
                "{}-{:02}-{:02}",
                1940 + index % 60,
                1 + index % 12,
                1 + index % 28
            ),
        ),
        ("iban_c", "FR7699999000004001020304033".to_owned()),
        ("bic_c", "ZZOCFRPP".to_owned()),
        ("nir_c", format!("2840399999{:05}", 49 + index % 900)),
    ]
}

/// One record; `description` is its free text, spelled as JSON without the quotes.
pub(crate) fn record(index: usize, description: &str, out: &mut String) {
    let first = FIRST_NAMES[index % FIRST_NAMES.len()];
    let last = LAST_NAMES[index / 3 % LAST_NAMES.len()];
    let company = COMPANIES[index % COMPANIES.len()];
    let (id, user) = (uuid(index), uuid(index % 5 + 1_000_000));
    let mail = format!("contact{index}@example.com");
    write!(
        out,
        r#"{{"id":"{id}","name":"{first} {last}","date_entered":"2025-11-04T08:00:00+00:00","date_modified":"2026-01-01T14:32:10+00:00","modified_user_id":"{user}","modified_by_name":"Ysaline Corbeval","created_by":"1","created_by_name":"Administrateur","description":"{description}","deleted":false,"salutation":"Mme","first_name":"{first}","last_name":"{last}","full_name":"Mme {first} {last}","title":"Directrice achats","facebook":"","twitter":"","googleplus":"","department":"Achats","do_not_call":false"#
    )
    .unwrap();
    for (name, value) in treated(index) {
        write!(out, r#","{name}":"{value}""#).unwrap();
    }
    write!(
        out,
        r#","phone_fax":"","primary_address_street":"{index} sente aux Lierres","primary_address_city":"Rouen","primary_address_state":"","primary_address_postalcode":"76000","primary_address_country":"FR","alt_address_street":"","alt_address_city":"","alt_address_state":"","alt_address_postalcode":"","alt_address_country":"","assistant":"","assistant_phone":"","picture":"","lead_source":"Campaign","account_name":"{company}","account_id":"{user}","dnb_principal_id":"","opportunity_role_fields":"","opportunity_role_id":"","opportunity_role":"","reports_to_id":"","report_to_name":"","portal_name":"portail{index}","portal_active":true,"portal_app":"","preferred_language":"fr_FR","cookie_consent":false,"cookie_consent_received_on":"","business_center_name":"","business_center_id":"","dp_business_purpose":["Business Communications"],"dp_consent_last_updated":"2026-01-15","campaign_id":"","campaign_name":"","c_accept_status_fields":"","m_accept_status_fields":"","accept_status_id":"","accept_status_name":"","sync_contact":false,"tag":[{{"id":"{user}","name":"vip","tags__name_lower":"vip"}}],"locked_fields":[],"sync_key":"ERP-{index}","following":true,"my_favorite":false,"assigned_user_id":"{user}","assigned_user_name":"Ysaline Corbeval","team_count":"","team_name":[{{"id":"1","name":"Global","name_2":"","primary":true,"selected":false}}],"email":[{{"email_address":"{mail}","primary_address":true,"reply_to_address":false,"invalid_email":false,"opt_out":false,"email_address_id":"{user}"}}],"email1":"{mail}","invalid_email":false,"email_opt_out":false,"_acl":{{"fields":{{}}}},"_module":"Contacts"}}"#
    )
    .unwrap();
}

/// A list of so many records, each with the same free text.
pub(crate) fn list_of(records: usize, description: &str) -> String {
    let mut list = String::from(r#"{"next_offset":-1,"records":["#);
    for index in 0..records {
        if index > 0 {
            list.push(',');
        }
        record(index, description, &mut list);
    }
    list.push_str("]}");
    list
}

/// A list of so many records.
pub(crate) fn list(records: usize) -> String {
    list_of(records, "Rappeler avant 10h, le réassort part le 12/03.")
}

/// What the CRM says about the caller's own session.
pub(crate) fn me() -> String {
    r#"{"current_user":{"type":"user","id":"seed_bench_id","user_name":"bench","full_name":"Bench","roles":["Sales"],"my_teams":[{"id":"1","name":"Global"}]}}"#.to_owned()
}

fn uuid(index: usize) -> String {
    let bits = (index as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let hex = format!("{bits:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

const FIRST_NAMES: [&str; 8] = [
    "Maëlys",
    "Ronan",
    "Solène",
    "Aurélien",
    "Nolwenn",
    "Basile",
    "Zoé",
    "Tibère",
];
const LAST_NAMES: [&str; 6] = [
    "Tavernier-Oudin",
    "Corbeval",
    "Marchadour",
    "Lestrange",
    "Pontcallec",
    "Grandval",
];
const COMPANIES: [&str; 4] = [
    "Coopérative des Ocres SCA",
    "Menuiserie Grandval SARL",
    "Atelier du Phare",
    "Les Halles de Rouen SAS",
];
