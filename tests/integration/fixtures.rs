//! Recorded Sugar exchanges, each served by a scripted CRM to the request that it answers, in every role.
//!
//! The folder is named by `PARAVENT_FIXTURES` (it lies outside the project); where it is absent these tests say so and
//! pass, but fail under `CI`. What is secret in a reply is read from `canaries.json` beside the replies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::absent::skipped;
use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{Wish, World};

const ROLES: [(&str, &str); 6] = [
    ("sally", "Sales"),
    ("sam", "Support"),
    ("fanny", "Finance"),
    ("max", "Marketing"),
    ("dora", "Data Protection"),
    ("admin", ""),
];

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PARAVENT_FIXTURES")
        .map(PathBuf::from)
        .filter(|folder| folder.join("canaries.json").is_file());
    if folder.is_none() {
        skipped("PARAVENT_FIXTURES names no folder with canaries.json");
    }
    folder
}

/// Which request each reply answers.
fn requests() -> Vec<(&'static str, &'static str, &'static str, Option<Value>)> {
    const C: &str = "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2";
    const A: &str = "/rest/v11_24/Accounts/d8f25b9a-1a75-5122-9edd-3dadb9ee25be";
    let c = "239a0f1a-9717-5533-9b0b-02982d49e6a2";
    vec![
        (
            "contacts-list-20.json",
            "GET",
            "/rest/v11_24/Contacts?max_num=20",
            None,
        ),
        (
            "contacts-list-20.json",
            "POST",
            "/rest/v11_24/Contacts/filter",
            Some(json!({"filter": [{"last_name": {"$starts": "Ta"}}]})),
        ),
        (
            "contacts-list-last-page.json",
            "GET",
            "/rest/v11_24/Contacts/filter?offset=20",
            None,
        ),
        ("contact-record.json", "GET", C, None),
        ("contact-erased.json", "GET", C, None),
        (
            "contact-update-response-echoes-everything.json",
            "PUT",
            C,
            Some(json!({"assistant": ""})),
        ),
        (
            "contact-update-response-echoes-everything.json",
            "POST",
            "/rest/v11_24/Contacts",
            Some(json!({"last_name": "X"})),
        ),
        (
            "contact-record.json",
            "PUT",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/favorite",
            None,
        ),
        (
            "count-response.json",
            "GET",
            "/rest/v11_24/Contacts/count",
            None,
        ),
        (
            "link-contacts.json",
            "GET",
            "/rest/v11_24/Accounts/d8f25b9a-1a75-5122-9edd-3dadb9ee25be/link/contacts",
            None,
        ),
        (
            "relate-response.json",
            "POST",
            "/rest/v11_24/Accounts/d8f25b9a-1a75-5122-9edd-3dadb9ee25be/link",
            Some(json!({"link_name": "contacts", "ids": [c]})),
        ),
        (
            "unlink-response.json",
            "DELETE",
            "/rest/v11_24/Accounts/d8f25b9a-1a75-5122-9edd-3dadb9ee25be/link/contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2",
            None,
        ),
        (
            "metadata-excerpt.json",
            "GET",
            "/rest/v11_24/metadata",
            None,
        ),
        (
            "collection-response.json",
            "GET",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/collection/activities",
            None,
        ),
        ("activities.json", "GET", "/rest/v11_24/Activities", None),
        (
            "audit.json",
            "GET",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/audit",
            None,
        ),
        (
            "audit-classic.json",
            "GET",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/audit",
            None,
        ),
        (
            "pii.json",
            "GET",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/pii",
            None,
        ),
        (
            "duplicate-check-response.json",
            "POST",
            "/rest/v11_24/Contacts/duplicateCheck",
            Some(json!({"last_name": "X"})),
        ),
        (
            "file-list.json",
            "GET",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/file",
            None,
        ),
        (
            "enum-religion.json",
            "GET",
            "/rest/v11_24/Contacts/enum/religion_c",
            None,
        ),
        ("filters-saved.json", "GET", "/rest/v11_24/Filters", None),
        (
            "globalsearch.json",
            "GET",
            "/rest/v11_24/globalsearch?q=x",
            None,
        ),
        ("search-legacy.json", "GET", "/rest/v11_24/search?q=x", None),
        (
            "mail-recipients-find.json",
            "GET",
            "/rest/v11_24/Mail/recipients/find?q=x",
            None,
        ),
        ("recent.json", "GET", "/rest/v11_24/recent", None),
        (
            "record-list-response.json",
            "POST",
            "/rest/v11_24/Contacts/record_list",
            Some(json!({"records": [c]})),
        ),
        (
            "report-records.json",
            "GET",
            "/rest/v11_24/Reports/r-1/records",
            None,
        ),
        (
            "report-chart.json",
            "GET",
            "/rest/v11_24/Reports/r-1/chart",
            None,
        ),
        (
            "dataprivacy-record.json",
            "GET",
            "/rest/v11_24/DataPrivacy/d-1",
            None,
        ),
        (
            "massupdate-response.json",
            "PUT",
            "/rest/v11_24/Contacts/MassUpdate",
            Some(json!({"massupdate_params": {"uid": [c]}})),
        ),
        (
            "file-upload-response.json",
            "POST",
            "/rest/v11_24/Notes/n-1/file/filename",
            Some(json!({})),
        ),
        (
            "contacts-export.csv",
            "GET",
            "/rest/v11_24/Contacts/export/l-1",
            None,
        ),
        (
            "contact.vcf",
            "GET",
            "/rest/v11_24/Contacts/239a0f1a-9717-5533-9b0b-02982d49e6a2/vcard",
            None,
        ),
        ("error-401.json", "GET", C, None),
        ("error-401-invalid-grant.json", "GET", C, None),
        ("error-403.json", "GET", C, None),
        ("error-404.json", "GET", C, None),
        ("error-409-with-record.json", "GET", C, None),
        ("error-412.json", "GET", C, None),
        ("error-422-echo.json", "GET", A, None),
    ]
}

/// The level of each secret field by role; what is not listed may not be seen.
fn shown(role: &str, field: &str) -> bool {
    let finance = matches!(role, "Finance" | "Data Protection");
    match field {
        "Contacts.iban_c" | "Contacts.bic_c" => finance,
        "Contacts.nir_c"
        | "Contacts.health_notes_c"
        | "Contacts.religion_c"
        | "Contacts.union_member_c" => false,
        "Contacts.portal_password" | "Contacts.iban_tail_c" => false,
        "Contacts.first_name" | "Contacts.last_name" | "Contacts.full_name" => !role.is_empty(),
        field if field.starts_with("Contacts.email") => !role.is_empty(),
        field if field.starts_with("Contacts.phone") => !matches!(role, "Marketing" | ""),
        // Addresses, birth dates and the like are not in the table of roles: a caller with a role may be shown them.
        _ => !role.is_empty(),
    }
}

struct Crm {
    scripted: Scripted,
    next: Arc<Mutex<Vec<u8>>>,
    role: Arc<Mutex<(&'static str, &'static str)>>,
}

fn crm() -> Crm {
    let next: Arc<Mutex<Vec<u8>>> = Arc::default();
    let role = Arc::new(Mutex::new(ROLES[0]));
    let (answer, me) = (next.clone(), role.clone());
    let scripted = Scripted::start(move |request| {
        if request.line.contains("/me ") {
            let (user, role) = *me.lock().unwrap();
            return scripted::me(user, role);
        }
        answer.lock().unwrap().clone()
    });
    Crm {
        scripted,
        next,
        role,
    }
}

fn response(folder: &Path, name: &str) -> Vec<u8> {
    let body = std::fs::read(folder.join(name)).unwrap();
    let status = name
        .strip_prefix("error-")
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .unwrap_or(200);
    scripted::json(status, &body)
}

#[test]
fn no_recorded_reply_shows_more_than_the_policy_says() {
    let Some(folder) = folder() else { return };
    let canaries: Value =
        serde_json::from_slice(&std::fs::read(folder.join("canaries.json")).unwrap()).unwrap();
    let canaries: Vec<(String, String)> = canaries["canaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["field"].as_str().unwrap().to_owned(),
                entry["canary"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .filter(|(_, canary)| canary.chars().count() >= 4)
        .collect();
    assert!(canaries.len() >= 5);
    let mut filtered: BTreeMap<&str, usize> = BTreeMap::new();
    for (user, role) in ROLES {
        let crm = crm();
        *crm.role.lock().unwrap() = (user, role);
        let world = World::scripted(crm.scripted.address, Wish::default());
        for (field, canary) in &canaries {
            if !shown(role, field) {
                world.forbid(&format!("{field} for `{role}`"), canary);
            }
        }
        for (name, method, target, body) in requests() {
            *crm.next.lock().unwrap() = response(&folder, name);
            let reply = world.send(
                method,
                target,
                Some(&format!("token-of-{user}")),
                body.as_ref(),
            );
            let asked = crm.scripted.take();
            assert_ne!(reply.status, 0, "{name}: no reply");
            match reply.status {
                200 => {
                    assert!(
                        !role.is_empty(),
                        "{name}: an account without a role was answered"
                    );
                    *filtered.entry(name).or_default() += 1;
                    if role == "Finance" && name == "contact-record.json" {
                        let truth: Value =
                            serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap())
                                .unwrap();
                        let contact = reply.json();
                        for field in [
                            "iban_c",
                            "bic_c",
                            "full_name",
                            "email",
                            "phone_mobile",
                            "description",
                            "account_name",
                        ] {
                            assert_eq!(contact[field], truth[field], "{field} arrives unchanged");
                        }
                    }
                }
                400 | 403 | 405 if !name.starts_with("error-") => assert!(
                    asked.is_empty(),
                    "{name} was refused after the CRM was asked"
                ),
                _ => {}
            }
        }
    }
    for name in [
        "contacts-list-20.json",
        "contact-record.json",
        "link-contacts.json",
        "relate-response.json",
        "unlink-response.json",
        "metadata-excerpt.json",
    ] {
        assert!(
            filtered.get(name).is_some_and(|count| *count >= 5),
            "{name} is served to every role: {filtered:?}"
        );
    }
}

#[test]
fn recorded_attacks_are_refused_before_the_crm_hears_of_them() {
    let Some(folder) = folder() else { return };
    let crm = crm();
    *crm.next.lock().unwrap() = scripted::json(200, b"{}");
    let world = World::scripted(crm.scripted.address, Wish::default());
    let attacks: Value = serde_json::from_slice(
        &std::fs::read(folder.join("sugar-route-confusion-requests.json")).unwrap(),
    )
    .unwrap();
    for attack in attacks.as_array().unwrap() {
        let line = attack.as_str().or_else(|| attack["line"].as_str()).unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        let body = attack.get("body").map(|body| body.to_string().into_bytes());
        let mut headers = vec![("OAuth-Token", "t".to_owned())];
        headers.extend(
            attack["headers"]["Accept"]
                .as_str()
                .map(|accept| ("Accept", accept.to_owned())),
        );
        headers.extend(
            body.as_ref()
                .map(|_| ("Content-Type", "application/json".to_owned())),
        );
        let request = crate::harness::client::Request {
            method,
            target,
            headers,
            body,
        };
        let reply = world.send_request(world.proxy, &request);
        assert!(
            (400..500).contains(&reply.status),
            "{line}: {}",
            reply.status
        );
    }
    let oracle: Value =
        serde_json::from_slice(&std::fs::read(folder.join("filter-request-oracle.json")).unwrap())
            .unwrap();
    let reply = world.send(
        "POST",
        "/rest/v11_24/Contacts/filter",
        Some("t"),
        Some(&oracle),
    );
    assert_eq!(reply.status, 403);
    assert!(crm.scripted.take().is_empty());

    // A foreign mask and a real NIR: the record is looked up, and nothing is written.
    let trap: Value = serde_json::from_slice(
        &std::fs::read(folder.join("contact-writeback-trap-request.json")).unwrap(),
    )
    .unwrap();
    *crm.next.lock().unwrap() = response(&folder, "contact-record.json");
    let target = format!("/rest/v11_24/Contacts/{}", trap["id"].as_str().unwrap());
    assert_eq!(
        world.send("PUT", &target, Some("t"), Some(&trap)).status,
        403
    );
    assert!(
        crm.scripted
            .take()
            .iter()
            .all(|request| request.line.starts_with("GET ")),
        "no write was sent"
    );
}
