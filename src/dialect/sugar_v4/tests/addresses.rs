//! Records by their e-mail address: the spellings that clients send, and those that would say something else.

use serde_json::json;

use super::{SESSION, one, refused, rendered, used};
use crate::dialect::{Predicate, Query};
use crate::reason::Reason;
use crate::vocabulary::Use;

/// What is sent, between the module and the comparison.
const PLAIN: &str = "contacts.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON \
                     (ea.id = eabr.email_address_id) WHERE eabr.deleted = 0 AND ";
/// The same, of relations of this module.
const MODULE: &str = "eabr.bean_module = _utf8mb4 0x436f6e7461637473 AND ";

fn sent(query: &str) -> String {
    let count = one("get_entries_count", &json!([SESSION, "Contacts", query])).unwrap();
    assert_eq!(used(&count, Use::Matched), ["Contacts.email1"], "{query}");
    let sent = rendered(&count)[2].as_str().unwrap().to_owned();
    let again = one("get_entries_count", &json!([SESSION, "Contacts", sent])).unwrap();
    assert_eq!(again.query, count.query, "{query}");
    sent
}

#[test]
fn what_clients_send_is_one_predicate_about_the_address() {
    for query in [
        "contacts.id in (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON (ea.id = \
         eabr.email_address_id) WHERE eabr.deleted=0 and ea.email_address = 'x')",
        "id IN (select eabr.bean_id from email_addr_bean_rel as eabr inner join email_addresses as ea on \
         eabr.email_address_id = ea.id where ea.email_address = \"x\" and eabr.deleted = '0')",
        "contacts.id IN (SELECT bean_id FROM email_addr_bean_rel eabr LEFT JOIN email_addresses ea ON \
         eabr.email_address_id = ea.id WHERE ea.email_address = 'x' AND ( eabr.deleted = 0 ))",
        "contacts.id IN (SELECT email_addr_bean_rel.bean_id FROM email_addresses LEFT OUTER JOIN email_addr_bean_rel ON \
         email_addr_bean_rel.email_address_id = email_addresses.id where email_addresses.email_address = 'x')",
        "contacts.id IN (SELECT email_addr_bean_rel.bean_id FROM email_addr_bean_rel, email_addresses WHERE \
         email_addresses.id = email_addr_bean_rel.email_address_id AND email_addresses.email_address = 'x')",
        "contacts.id IN (SELECT bean_id FROM email_addr_bean_rel JOIN email_addresses e ON e.id = email_address_id \
         WHERE (email_address = 'x'))",
    ] {
        let meant = format!("{PLAIN}ea.email_address = _utf8mb4 0x78)");
        assert_eq!(sent(query), meant, "{query}");
    }
    for (comparison, meant) in [
        (
            "(ea.deleted = '0' AND ea.email_address = 'x')",
            "ea.email_address = _utf8mb4 0x78)",
        ),
        (
            "ea.email_address_caps = 'X'",
            "ea.email_address_caps = _utf8mb4 0x58)",
        ),
        (
            "email_address_caps LIKE 'X%'",
            "ea.email_address_caps LIKE _utf8mb4 0x5825)",
        ),
        (
            "ea.email_address IN ('x','y')",
            "ea.email_address IN (_utf8mb4 0x78, _utf8mb4 0x79))",
        ),
    ] {
        let query = format!(
            "contacts.id IN (SELECT bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON \
             (eabr.email_address_id = ea.id) WHERE bean_module = 'Contacts' AND {comparison} AND eabr.deleted=0)"
        );
        let kept = match comparison.contains("ea.deleted") {
            true => "ea.deleted = 0 AND ",
            false => "",
        };
        assert_eq!(
            sent(&query),
            format!("{PLAIN}{kept}{MODULE}{meant}"),
            "{comparison}"
        );
        let none = query.replacen("IN", "NOT IN", 1);
        assert!(sent(&none).starts_with("contacts.id NOT IN ("), "{none}");
    }
}

#[test]
fn comparisons_of_which_one_holds_become_predicates_of_which_one_holds() {
    let query = |membership: &str| {
        let text = format!(
            "contacts.id {membership} (SELECT r.bean_id FROM email_addr_bean_rel r JOIN email_addresses a ON \
             (a.id = r.email_address_id) WHERE r.deleted=0 and (a.email_address='x' or (a.email_address='y')))"
        );
        one("get_entries_count", &json!([SESSION, "Contacts", text]))
            .unwrap()
            .query
    };
    let Query {
        predicate: Some(Predicate::Any(some)),
        ..
    } = query("IN")
    else {
        panic!("not any")
    };
    let Query {
        predicate: Some(Predicate::All(none)),
        ..
    } = query("NOT IN")
    else {
        panic!("not all")
    };
    assert_eq!((some.len(), none.len()), (2, 2));
}

#[test]
fn related_records_are_found_by_the_module_of_their_link() {
    let related = |module: &str| {
        let query = format!(
            "id IN (SELECT bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON \
             eabr.email_address_id = ea.id WHERE bean_module = '{module}' AND ea.email_address = 'x')"
        );
        json!([SESSION, "Accounts", "a-1", "contacts", query])
    };
    let found = one("get_relationships", &related("Contacts")).unwrap();
    assert!(rendered(&found)[4].as_str().unwrap().contains(MODULE));
    assert_eq!(
        refused("get_relationships", related("Accounts")),
        Reason::MalformedFilter
    );
}

#[test]
fn what_would_say_something_else_is_refused() {
    let from = "SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea";
    let on = "ON ea.id = eabr.email_address_id";
    let left = "SELECT bean_id FROM email_addresses ea LEFT JOIN email_addr_bean_rel eabr";
    for inner in [
        // Other columns and tables.
        format!("{from} {on} WHERE ea.invalid_email = 0 AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE eabr.primary_address = 1 AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE ea.email_address = contacts.last_name"),
        format!("{from} {on} WHERE contacts.last_name = 'x' AND ea.email_address = 'x'"),
        format!("{from} {on} JOIN users WHERE users.is_admin='1' AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE eabr.bean_id = 'c-1' AND ea.email_address = 'x'"),
        format!("SELECT ea.id FROM email_addr_bean_rel eabr JOIN email_addresses ea {on} WHERE ea.email_address = 'x'"),
        format!("SELECT eabr.email_address_id FROM email_addr_bean_rel eabr JOIN email_addresses ea {on} WHERE ea.email_address = 'x'"),
        "SELECT bean_id FROM email_addr_bean_rel a JOIN email_addr_bean_rel b ON a.id = b.id WHERE email_address = 'x'".to_owned(),
        "SELECT a.bean_id FROM email_addr_bean_rel a JOIN email_addresses a ON a.id = a.email_address_id WHERE a.email_address = 'x'".to_owned(),
        // Other modules, deleted ones, no comparison, two of them.
        format!("{from} {on} WHERE bean_module = 'Leads' AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE bean_module = 'contacts' AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE bean_module != 'Contacts' AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE eabr.deleted = 1 AND ea.email_address = 'x'"),
        format!("{from} {on} WHERE eabr.deleted = 0"),
        format!("{from} {on} WHERE ea.email_address = 'x' AND ea.email_address = 'y'"),
        format!("{from} {on} WHERE ea.email_address > 'x'"),
        format!("{from} {on} WHERE ea.email_address NOT LIKE 'x'"),
        format!("{from} {on} WHERE NOT ea.email_address = 'x'"),
        // Brackets and alternatives.
        format!("{from} {on} WHERE (eabr.deleted = 0 OR ea.email_address = 'x')"),
        format!("{from} {on} WHERE (eabr.deleted = 0 AND ea.email_address = 'x' OR ea.email_address = 'y')"),
        format!("{from} {on} WHERE (ea.email_address = 'x' OR ea.email_address = 'y' AND eabr.deleted = 0)"),
        format!("{from} {on} WHERE (ea.email_address = 'x' OR ea.email_address = 'y') AND (ea.email_address = 'z')"),
        format!("{from} {on} WHERE ea.email_address = 'x' OR ea.email_address = 'y'"),
        format!("{from} {on} WHERE ((((((ea.email_address = 'x'))))))"),
        // What belongs to nothing, or to anything.
        format!("{from} WHERE ea.email_address = 'x'"),
        format!("{from} ON ea.id = eabr.id WHERE ea.email_address = 'x'"),
        format!("{from} ON ea.id = ea.id WHERE ea.email_address = 'x'"),
        format!("{from} ON id = eabr.email_address_id WHERE ea.email_address = 'x'"),
        format!("{from} {on} WHERE deleted = 0 AND ea.email_address = 'x'"),
        "SELECT bean_id FROM email_addr_bean_rel, email_addresses WHERE email_address = 'x'".to_owned(),
        format!("{left} {on} AND ea.email_address = 'x' WHERE eabr.deleted = 0"),
        format!("SELECT bean_id FROM email_addr_bean_rel eabr RIGHT JOIN email_addresses ea {on} WHERE ea.email_address = 'x'"),
        format!("SELECT bean_id FROM Email_Addresses ea JOIN email_addr_bean_rel eabr {on} WHERE ea.email_address = 'x'"),
        format!("SELECT DISTINCT bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea {on} WHERE ea.email_address = 'x'"),
        format!("{from} {on} WHERE ea.email_address = 'x' LIMIT 1"),
        format!("{from} {on} WHERE ea.email_address = 'x' UNION SELECT id FROM users"),
    ] {
        let query = format!("contacts.id IN ({inner})");
        assert_eq!(
            refused("get_entries_count", json!([SESSION, "Contacts", query])),
            Reason::MalformedFilter,
            "{query}"
        );
    }
    // `NOT IN` finds nothing among rows of which one is null.
    let outer = format!("contacts.id NOT IN ({left} {on} WHERE ea.email_address = 'x')");
    let outer = json!([SESSION, "Contacts", outer]);
    assert_eq!(refused("get_entries_count", outer), Reason::MalformedFilter);
    let other = format!("contacts.last_name IN ({from} {on} WHERE ea.email_address = 'x')");
    let other = json!([SESSION, "Contacts", other]);
    assert_eq!(refused("get_entries_count", other), Reason::MalformedFilter);
}
