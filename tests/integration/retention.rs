//! Retention: what is hidden of records once their time is over, the records themselves or only their data.

use std::collections::BTreeSet;

use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::world::{Wish, World};

const CONTACTS: &str = "/rest/v11_24/Contacts";
/// An id that no record has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The demo, of whose contacts some are over a hundred years old: of one nobody knows it, and one is on hold.
struct Aged {
    world: World,
    over: String,
    unknown: String,
    held: String,
    young: BTreeSet<String>,
}

impl Aged {
    fn hiding(what: &str) -> Self {
        let mut sources = paravent::demo::policy_sources();
        sources.push(Source {
            path: "retention.yaml".to_owned(),
            text: format!(
                "retention:
  - {{ name: aged, modules: Contacts, clock: record.birthdate, after: 100y,
      hold_when: {{ record.do_not_call: {{ equals: true }} }}, then: {{ hide: {what} }} }}
"
            ),
        });
        let world = World::demo_with(Wish {
            sources,
            ..Wish::default()
        });
        let admin = world.login_at(world.crm, "admin");
        let all = world.all_contacts(&admin);
        let mut ids = all.iter().map(|one| one["id"].as_str().unwrap().to_owned());
        let mut changed = |change: Value| {
            let id = ids.next().unwrap();
            let target = format!("{CONTACTS}/{id}");
            let (crm, token) = (world.crm, Some(admin.as_str()));
            let reply = world.send_to(crm, "PUT", &target, token, Some(&change));
            assert_eq!(reply.status, 200, "{}", reply.text());
            id
        };
        let old = "1900-01-31";
        Self {
            over: changed(json!({"last_name": "Overton", "birthdate": old, "do_not_call": false})),
            unknown: changed(json!({"birthdate": "", "do_not_call": false})),
            held: changed(json!({"last_name": "Holder", "birthdate": old, "do_not_call": true})),
            young: ids.collect(),
            world,
        }
    }

    fn ask(&self, method: &str, id: &str, body: Option<&Value>) -> Response {
        let sally = self.world.login("sally");
        let target = format!("{CONTACTS}/{id}");
        self.world.send(method, &target, Some(&sally), body)
    }

    /// All records that a list holds, page by page.
    fn listed(&self, query: &str) -> Vec<Value> {
        let sally = self.world.login("sally");
        let (mut all, mut offset) = (Vec::new(), 0);
        loop {
            let target = format!("{CONTACTS}?max_num=50&offset={offset}{query}");
            let page = self.world.get(&target, &sally);
            assert_eq!(page.status, 200, "{query}: {}", page.text());
            let page = page.json();
            all.extend(page["records"].as_array().unwrap().clone());
            match page["next_offset"].as_i64().unwrap() {
                -1 => return all,
                next => offset = next,
            }
        }
    }

    /// How many records there are, or why nobody is told.
    fn count(&self, query: &str) -> Value {
        let sally = self.world.login("sally");
        let reply = self.world.get(&format!("{CONTACTS}/count{query}"), &sally);
        match reply.status {
            200 => reply.json()["record_count"].clone(),
            _ => self.world.decision(&reply).last().unwrap()["outcome"]["reason"].clone(),
        }
    }
}

fn ids(records: &[Value]) -> BTreeSet<String> {
    let ids = records.iter().map(|one| one["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// A reply without what tells one request from another.
fn told(reply: &Response) -> (u16, String) {
    let decision = reply.header("paravent-decision").unwrap_or("none");
    (reply.status, reply.text().replace(decision, "ID"))
}

#[test]
fn a_record_that_is_over_is_not_there_unless_it_is_on_hold() {
    let aged = Aged::hiding("record");
    let mut there = aged.young.clone();
    there.insert(aged.held.clone());
    assert_eq!(ids(&aged.listed("&fields=last_name")), there);
    // Nobody has told that this field is a date, so the CRM is not asked by it.
    assert_eq!(aged.count(""), json!("count-not-available"));
    let write = json!({"description": "changed"});
    for (method, body) in [("GET", None), ("PUT", Some(&write)), ("DELETE", None)] {
        let nobody = aged.ask(method, NOBODY, body);
        assert_eq!(nobody.status, 404, "{method}: {}", nobody.text());
        for id in [&aged.over, &aged.unknown] {
            let reply = aged.ask(method, id, body);
            assert_eq!(told(&reply), told(&nobody), "{method}");
            let event = aged.world.decision(&reply);
            let withheld = &event.last().unwrap()["records"]["withheld"];
            assert_eq!(withheld["retention"], json!(1), "{method}: {withheld}");
        }
    }
    let held = aged.ask("GET", &aged.held, None).json();
    assert_eq!(held["last_name"], json!("Holder"));
    assert_eq!(
        aged.world.truth("Contacts", &aged.over)["id"],
        json!(aged.over)
    );
}

#[test]
fn of_a_record_whose_data_are_hidden_only_that_it_is_there_is_told() {
    let aged = Aged::hiding("data");
    let all = aged.listed("&fields=last_name,date_modified");
    assert_eq!(all.len(), aged.young.len() + 3);
    assert_eq!(aged.count(""), json!(all.len()));
    for record in &all {
        let id = record["id"].as_str().unwrap();
        let is_over = id == aged.over || id == aged.unknown;
        assert_eq!(record["last_name"].is_null(), is_over, "{record}");
        assert!(record["date_modified"].is_string(), "{record}");
    }
    for id in [&aged.over, &aged.unknown] {
        let shown = aged.ask("GET", id, None).json();
        assert_eq!(shown["id"], json!(id));
        for field in ["last_name", "first_name", "birthdate", "account_name"] {
            assert_eq!(shown[field], Value::Null, "{field}");
        }
    }
    let held = aged.ask("GET", &aged.held, None);
    assert_eq!(held.json()["last_name"], json!("Holder"));
    let event = aged.world.decision(&aged.ask("GET", &aged.over, None));
    let told = event.last().unwrap().to_string();
    assert!(told.contains("retention.aged"), "{told}");
}

#[test]
fn nobody_is_found_by_data_that_are_hidden() {
    let aged = Aged::hiding("data");
    for (by, found) in [
        ("filter[0][last_name]=Overton", None),
        ("filter[0][last_name]=Holder", Some(&aged.held)),
        ("q=Overton", None),
    ] {
        let records = aged.listed(&format!("&fields=last_name&{by}"));
        let expected: BTreeSet<String> = found.into_iter().cloned().collect();
        assert_eq!(ids(&records), expected, "{by}");
    }
    let counted = aged.count("?filter[0][last_name]=Overton");
    assert_eq!(counted, json!("count-not-available"));
    // In which order they stand would tell something of them, too.
    let sorted = ids(&aged.listed("&fields=last_name&order_by=last_name"));
    assert!(!sorted.contains(&aged.over) && sorted.contains(&aged.held));
    let by_time = aged.listed("&fields=last_name&order_by=date_modified");
    assert!(ids(&by_time).contains(&aged.over));
}

#[test]
fn hidden_data_are_not_written_and_may_be_deleted() {
    let aged = Aged::hiding("data");
    let write = json!({"last_name": "Changed"});
    let before = aged.world.truth("Contacts", &aged.over);
    let refused = aged.ask("PUT", &aged.over, Some(&write));
    assert_eq!(refused.status, 403, "{}", refused.text());
    let event = aged.world.decision(&refused);
    let outcome = &event.last().unwrap()["outcome"];
    assert_eq!(outcome["reason"], json!("field-not-writable"));
    assert_eq!(aged.world.truth("Contacts", &aged.over), before);
    let held = aged.ask("PUT", &aged.held, Some(&write));
    assert_eq!(held.status, 200, "{}", held.text());

    // What is over is there to be deleted.
    let deleted = aged.ask("DELETE", &aged.over, None);
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    let gone = aged.ask("GET", &aged.over, None);
    assert_eq!(gone.status, 404, "{}", gone.text());
}
