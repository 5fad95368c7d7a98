//! Rows: records that are there for some callers only, in lists, counts, reads, writes and links, and nowhere told apart from
//! records that do not exist.

use std::collections::BTreeSet;

use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::world::{Wish, World};

const CONTACTS: &str = "/rest/v11_24/Contacts";
/// An id that no record has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const ROWS: &str = "rows:
  - name: own-portfolio
    modules: [Contacts]
    roles: sales
    keep_when: { record.assigned_user_id: { equals: { caller: id } } }
";

/// The demo, of whose contacts sales see their own.
fn world() -> World {
    world_with(Wish::default())
}

fn world_with(wish: Wish) -> World {
    let mut sources = paravent::demo::policy_sources();
    sources.push(Source {
        path: "rows.yaml".to_owned(),
        text: ROWS.to_owned(),
    });
    World::demo_with(Wish { sources, ..wish })
}

/// The ids of sally's contacts, and of all others, as the CRM has them.
fn portfolios(world: &World) -> (BTreeSet<String>, BTreeSet<String>) {
    let sally = world.login("sally");
    let me = world.get("/rest/v11_24/me", &sally).json();
    let own = me["current_user"]["id"].as_str().unwrap().to_owned();
    let admin = world.login_at(world.crm, "admin");
    let all = world.all_contacts(&admin);
    let id = |contact: &Value| contact["id"].as_str().unwrap().to_owned();
    let (hers, others): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|contact| contact["assigned_user_id"] == own.as_str());
    assert!(hers.len() > 3 && others.len() > 3, "the demo has both");
    (
        hers.into_iter().map(id).collect(),
        others.into_iter().map(id).collect(),
    )
}

fn ids(reply: &Response) -> BTreeSet<String> {
    let records = reply.json()["records"].as_array().unwrap().clone();
    records
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A reply without what tells one request from another.
fn told(reply: &Response) -> (u16, String) {
    let decision = reply.header("paravent-decision").unwrap_or("none");
    (reply.status, reply.text().replace(decision, "ID"))
}

#[test]
fn lists_pages_and_counts_are_those_of_the_records_that_are_there() {
    let world = world();
    let (hers, _) = portfolios(&world);
    let sally = world.login("sally");
    // Page by page, with fields among which the one that decides is not.
    let (mut seen, mut offset) = (BTreeSet::new(), 0);
    loop {
        let page = world.get(
            &format!("{CONTACTS}?fields=last_name&max_num=7&offset={offset}"),
            &sally,
        );
        assert_eq!(page.status, 200, "{}", page.text());
        for record in page.json()["records"].as_array().unwrap() {
            assert_eq!(record.get("assigned_user_id"), None, "nobody asked for it");
        }
        let new = ids(&page);
        assert!(seen.is_disjoint(&new));
        seen.extend(new);
        match page.json()["next_offset"].as_i64().unwrap() {
            -1 => break,
            next => offset = next,
        }
    }
    assert_eq!(seen, hers);
    let count = world.get(&format!("{CONTACTS}/count"), &sally);
    assert_eq!(count.json(), json!({"record_count": hers.len()}));
    // Whoever is not in sales sees all.
    let max = world.login("max");
    let count = world.get(&format!("{CONTACTS}/count"), &max);
    assert!(count.json()["record_count"].as_u64().unwrap() > hers.len() as u64);
}

#[test]
fn what_is_not_there_is_read_changed_and_deleted_like_what_does_not_exist() {
    let world = world();
    let (hers, others) = portfolios(&world);
    let sally = world.login("sally");
    let (hers, other) = (hers.first().unwrap(), others.first().unwrap());
    let before = world.truth("Contacts", other);
    let write = json!({"description": "changed"});
    let requests: [(&str, &str, Option<&Value>); 6] = [
        ("GET", "", None),
        ("GET", "?fields=last_name", None),
        ("PUT", "", Some(&write)),
        ("DELETE", "", None),
        ("GET", "/link/accounts", None),
        ("GET", "/link/calls?fields=name", None),
    ];
    for (method, behind, body) in requests {
        let ask = |id: &str| {
            let target = format!("{CONTACTS}/{id}{behind}");
            world.send(method, &target, Some(&sally), body)
        };
        let (absent, nobody) = (ask(other), ask(NOBODY));
        assert_eq!(told(&absent), told(&nobody), "{method} {behind}");
        assert_eq!(absent.status, 404, "{method} {behind}: {}", absent.text());
        let event = world.decision(&absent);
        let event = event.last().unwrap();
        let kind = &event["outcome"]["kind"];
        assert_eq!(*kind, json!("not-found-by-policy"), "{method} {behind}");
        let withheld = &event["records"]["withheld"]["row"];
        assert_eq!(*withheld, json!(1), "{method} {behind}");
    }
    assert_eq!(world.truth("Contacts", other), before);
    // Her own she reads and changes.
    let target = format!("{CONTACTS}/{hers}");
    assert_eq!(world.get(&target, &sally).status, 200);
    let changed = world.send("PUT", &target, Some(&sally), Some(&write));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        world.truth("Contacts", hers)["description"],
        json!("changed")
    );
}

#[test]
fn links_and_envelopes_hold_nothing_else_either() {
    let world = world();
    let (hers, others) = portfolios(&world);
    let sally = world.login("sally");
    let accounts = world.get("/rest/v11_24/Accounts?max_num=20&fields=name", &sally);
    let mut met = 0;
    for account in ids(&accounts) {
        let target = format!("/rest/v11_24/Accounts/{account}/link/contacts?max_num=50");
        let linked = world.get(&target, &sally);
        assert_eq!(linked.status, 200, "{}", linked.text());
        let linked = ids(&linked);
        assert!(linked.is_subset(&hers), "{account}");
        met += linked.len();
    }
    assert!(met > 0, "some are linked");
    let other = others.first().unwrap();
    let bulk = json!({"requests": [
        {"url": format!("/v11_24/Contacts/{other}"), "method": "GET"},
        {"url": "/v11_24/Contacts?max_num=50&fields=last_name", "method": "GET"},
    ]});
    let reply = world.send("POST", "/rest/v11_24/bulk", Some(&sally), Some(&bulk));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!reply.text().contains(other.as_str()));
}

#[test]
fn nothing_is_matched_or_sorted_by_what_links_lead_to() {
    let world = world();
    let sally = world.login("sally");
    for target in [
        "/rest/v11_24/Accounts?filter[0][contacts.last_name]=x",
        "/rest/v11_24/Accounts/count?filter[0][contacts.last_name]=x",
    ] {
        let reply = world.get(target, &sally);
        assert_eq!(reply.status, 403, "{target}: {}", reply.text());
    }
}

#[test]
fn what_is_not_there_is_not_too_large_either() {
    let world = world_with(Wish {
        record_bytes_max: 50_000,
        ..Wish::default()
    });
    let (hers, others) = portfolios(&world);
    let sally = world.login("sally");
    let admin = world.login_at(world.crm, "admin");
    let (hers, other) = (hers.first().unwrap(), others.first().unwrap());
    for id in [hers, other] {
        let target = format!("{CONTACTS}/{id}");
        let large = json!({"description": "x".repeat(60_000)});
        let grown = world.send_to(world.crm, "PUT", &target, Some(&admin), Some(&large));
        assert_eq!(grown.status, 200);
    }
    let ask = |id: &str| world.get(&format!("{CONTACTS}/{id}"), &sally);
    assert_eq!(told(&ask(other)), told(&ask(NOBODY)));
    assert_eq!(ask(hers).status, 502);
}
