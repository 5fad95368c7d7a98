//! Records whose processing somebody has had restricted: they are neither used nor changed, and all others are.

use std::sync::Arc;

use paravent::audit::Clock;
use paravent::ledger::{Channel, Draft, Kind, Ledger, PersonKeys, Place, Reference, Settings, Who};
use paravent::policy::Source;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::client::{Request, Response};
use crate::harness::world::{Wish, World};

const CONTACTS: &str = "/rest/v11_24/Contacts";
const PEOPLE: &str = "people:
  Contacts: { kind: customer, email: email }
  Accounts: none
  Opportunities: none
purposes:
  letters: { legal_basis: consent, roles: [sales], consent: { proof: double-opt-in } }
grants:
  - { name: letters, roles: sales, purposes: letters, data: [identity, technical], level: clear }
";

/// The demo with a ledger, in which the processing of one of its contacts is restricted; that one, and another.
struct Restricting {
    world: World,
    restricted: String,
    other: String,
    _ledger: TempDir,
}

impl Restricting {
    fn new() -> Self {
        let (restricted, other) = two_contacts();
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Folder(folder.path().to_owned());
        let mut sources = paravent::demo::policy_sources();
        sources.push(Source {
            path: "people.yaml".to_owned(),
            text: PEOPLE.to_owned(),
        });
        let world = World::demo_with(Wish {
            sources,
            ledger: Some(ledger(place, &restricted)),
            ..Wish::default()
        });
        Self {
            world,
            restricted,
            other,
            _ledger: folder,
        }
    }

    fn ask(&self, method: &str, id: &str, body: Option<&Value>) -> Response {
        let sally = self.world.login("sally");
        let target = format!("{CONTACTS}/{id}");
        self.world.send(method, &target, Some(&sally), body)
    }
}

/// The ids of two contacts, which are the same in every demo.
fn two_contacts() -> (String, String) {
    let world = World::demo();
    let admin = world.login_at(world.crm, "admin");
    let all = world.all_contacts(&admin);
    let id = |at: usize| all[at]["id"].as_str().unwrap().to_owned();
    (id(0), id(1))
}

fn ledger(place: Place, restricted: &str) -> Arc<Ledger> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let who = Reference::parse(&format!("crm:Contacts/{restricted}")).unwrap();
    let draft = Draft::new(Who::Record(who), "*", Kind::Restricted, Channel::Staff);
    runtime.block_on(async {
        let ledger = Ledger::open(Settings {
            place,
            keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
            bytes_max: 1 << 20,
            clock: Clock::system(),
        });
        let ledger = ledger.await.unwrap();
        ledger
            .append(Draft {
                source: "letter".to_owned(),
                by: "kim".to_owned(),
                ..draft
            })
            .await
            .unwrap();
        Arc::new(ledger)
    })
}

#[test]
fn a_restricted_record_is_neither_changed_nor_deleted_and_others_are() {
    let rig = Restricting::new();
    let write = json!({"last_name": "Changed"});
    let changed = rig.ask("PUT", &rig.other, Some(&write));
    assert_eq!(changed.status, 200, "{}", changed.text());
    let truth = rig.world.truth("Contacts", &rig.other);
    assert_eq!(truth["last_name"], json!("Changed"));

    let before = rig.world.truth("Contacts", &rig.restricted);
    for (method, body) in [("PUT", Some(&write)), ("DELETE", None)] {
        let refused = rig.ask(method, &rig.restricted, body);
        assert_eq!(refused.status, 403, "{method}: {}", refused.text());
        let event = rig.world.decision(&refused);
        let outcome = &event.last().unwrap()["outcome"];
        assert_eq!(outcome["reason"], json!("field-not-writable"), "{method}");
    }
    assert_eq!(rig.world.truth("Contacts", &rig.restricted), before);

    let deleted = rig.ask("DELETE", &rig.other, None);
    assert_eq!(deleted.status, 200, "{}", deleted.text());
}

#[test]
fn a_restricted_record_shows_which_it_is_and_nothing_of_whom_it_is_about() {
    let rig = Restricting::new();
    let shown = rig.ask("GET", &rig.restricted, None).json();
    assert_eq!(shown["id"], json!(rig.restricted));
    assert_eq!(shown["last_name"], Value::Null);
    let other = rig.ask("GET", &rig.other, None).json();
    assert!(other["last_name"].is_string());
}

#[test]
fn what_finds_records_by_what_is_withheld_of_restricted_ones_tells_no_numbers() {
    let rig = Restricting::new();
    let sally = rig.world.login("sally");
    let count = |by: &str| {
        let target = format!("{CONTACTS}/count{by}");
        rig.world.get(&target, &sally)
    };
    let by_name = count("?filter[0][last_name]=x");
    assert_eq!(by_name.status, 403, "{}", by_name.text());
    let event = rig.world.decision(&by_name);
    let outcome = &event.last().unwrap()["outcome"];
    assert_eq!(outcome["reason"], json!("count-not-available"));
    // Whom a record is about counts for nothing here.
    for by in ["", "?filter[0][date_modified][$gt]=2001-01-01"] {
        let counted = count(by);
        assert_eq!(counted.status, 200, "{by}: {}", counted.text());
    }
    let linked = rig.world.get(
        "/rest/v11_24/Accounts/count?filter[0][contacts.last_name]=x",
        &sally,
    );
    assert_eq!(linked.status, 403, "{}", linked.text());
}

#[test]
fn where_the_crm_cannot_be_told_who_consents_nobody_is_found_by_who_they_are() {
    let rig = Restricting::new();
    let sally = rig.world.login("sally");
    let why_not = |by: &str| {
        let request = Request {
            method: "GET",
            target: &format!("{CONTACTS}?{by}"),
            headers: vec![
                ("OAuth-Token", sally.clone()),
                ("Paravent-Purpose", "letters".to_owned()),
            ],
            body: None,
        };
        loop {
            let reply = rig.world.send_request(rig.world.proxy, &request);
            let event = rig.world.decision(&reply);
            let reason = event.last().unwrap()["outcome"]["reason"].clone();
            // A machine that is busy has not heard from the ledger for a second.
            if reason != json!("ledger-unavailable") {
                return reason;
            }
        }
    };
    let refused = json!("field-not-usable");
    for by in [
        "filter[0][last_name]=x",
        "filter[0][id]=x",
        "filter[0][date_modified][$gt]=2001-01-01&filter[1][last_name]=x",
        "order_by=last_name",
        "my_items=1",
        "q=x",
    ] {
        assert_eq!(why_not(by), refused, "{by}");
    }
    for by in ["", "filter[0][date_modified][$gt]=2001-01-01"] {
        assert_ne!(why_not(by), refused, "{by}");
    }
}
