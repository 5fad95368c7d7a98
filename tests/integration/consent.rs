//! Consent in line: who has not agreed is in no list, page, record or link of the purpose, and nothing tells of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use paravent::clock::Clock;
use paravent::ledger::{
    Address, Channel, Draft, Kind, Ledger, PersonKeys, Place, Proof, Settings, Who,
};
use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::client::{Request, Response};
use crate::harness::world::{Wish, World};

const CONTACTS: &str = "/rest/v11_24/Contacts";
/// An id that no record has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const PURPOSE: &str = "mailing";
const RULES: &str = "people: { Contacts: { kind: customer, email: email } }
purposes:
  mailing: { legal_basis: consent, roles: [marketing], consent: { proof: single-opt-in, when_missing: omit-record } }
grants:
  - { name: mailing-data, roles: marketing, purposes: mailing, data: [identity.name, contact.email, technical], level: clear, write: deny }
";

/// The demo, of whose contacts every third has agreed to be written to.
pub struct Agreed {
    pub world: World,
    ledger: Arc<Ledger>,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
    /// The contacts that have, and their addresses.
    pub those: Vec<(String, Address)>,
    /// Those that have not.
    pub others: Vec<String>,
}

impl Agreed {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let settings = Settings {
            place: Place::Folder(folder.path().to_owned()),
            keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
            bytes_max: 64 << 20,
            clock: Clock::system(),
        };
        let ledger = Arc::new(runtime.block_on(Ledger::open(settings)).unwrap());
        let mut sources = paravent::demo::policy_sources();
        sources.push(Source {
            path: "mailing.yaml".to_owned(),
            text: RULES.to_owned(),
        });
        let world = World::demo_with(Wish {
            sources,
            ledger: Some(ledger.clone()),
            ..Wish::default()
        });
        let admin = world.login_at(world.crm, "admin");
        let mut contacts = world.all_contacts(&admin);
        contacts.sort_by_key(|contact| contact["id"].as_str().unwrap().to_owned());
        let mut agreed = Self {
            world,
            ledger,
            runtime,
            _folder: folder,
            those: Vec::new(),
            others: Vec::new(),
        };
        for (place, contact) in contacts.iter().enumerate() {
            let id = contact["id"].as_str().unwrap().to_owned();
            match (place % 3, address(contact)) {
                (0, Some(address)) => {
                    agreed.says(&address, Kind::Given);
                    agreed.those.push((id, address));
                }
                _ => agreed.others.push(id),
            }
        }
        assert!(agreed.those.len() > 30 && agreed.others.len() > 60);
        agreed
    }

    fn says(&self, address: &Address, kind: Kind) {
        let who = Who::Address(address.clone());
        let draft = Draft {
            proof: match kind.affirms() {
                true => Proof::SingleOptIn,
                false => Proof::None,
            },
            source: "fair".to_owned(),
            by: "kim".to_owned(),
            ..Draft::new(who, PURPOSE, kind, Channel::Staff)
        };
        self.runtime.block_on(self.ledger.append(draft)).unwrap();
    }

    fn ids(&self) -> BTreeSet<String> {
        self.those.iter().map(|(id, _)| id.clone()).collect()
    }

    /// The same, in a CRM that has none of those who have not.
    pub fn alone() -> Self {
        let agreed = Self::new();
        let admin = agreed.world.login_at(agreed.world.crm, "admin");
        for id in &agreed.others {
            let target = format!("{CONTACTS}/{id}");
            let world = &agreed.world;
            let gone = world.send_to(world.crm, "DELETE", &target, Some(&admin), None);
            assert_eq!(gone.status, 200, "{}", gone.text());
        }
        agreed
    }

    pub fn send(&self, method: &str, target: &str, token: &str, body: Option<&Value>) -> Response {
        let mut headers = vec![
            ("OAuth-Token", token.to_owned()),
            ("Paravent-Purpose", PURPOSE.to_owned()),
        ];
        headers.extend(body.map(|_| ("Content-Type", "application/json".to_owned())));
        let request = Request {
            method,
            target,
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
        };
        self.world.send_request(self.world.proxy, &request)
    }

    fn get(&self, target: &str, token: &str) -> Response {
        self.send("GET", target, token, None)
    }

    /// All pages of a list, each as long as was asked for, but the last.
    fn pages(&self, query: &str, rows: usize, token: &str) -> BTreeSet<String> {
        let (mut seen, mut offset) = (BTreeSet::new(), 0);
        loop {
            let target = format!("{CONTACTS}?max_num={rows}&offset={offset}{query}");
            let page = self.get(&target, token);
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            let records = page["records"].as_array().unwrap();
            for record in records {
                assert!(seen.insert(record["id"].as_str().unwrap().to_owned()));
            }
            match page["next_offset"].as_i64().unwrap() {
                -1 => return seen,
                next => {
                    assert_eq!(records.len(), rows, "only the last page is shorter");
                    assert_eq!(next, offset + i64::try_from(rows).unwrap());
                    offset = next;
                }
            }
        }
    }
}

/// The primary address of a contact of the CRM.
fn address(contact: &Value) -> Option<Address> {
    let list = contact["email"].as_array()?;
    let primary = list
        .iter()
        .find(|one| one["primary_address"] == json!(true))?;
    Address::parse(primary["email_address"].as_str()?).ok()
}

/// A reply without what tells one request from another.
fn told(reply: &Response) -> (u16, String) {
    let decision = reply.header("paravent-decision").unwrap_or("none");
    (reply.status, reply.text().replace(decision, "ID"))
}

#[test]
fn lists_are_those_who_have_agreed_page_by_page() {
    let agreed = Agreed::new();
    let max = agreed.world.login("max");
    for rows in [1, 7, 20, 1_000] {
        assert_eq!(agreed.pages("&fields=last_name", rows, &max), agreed.ids());
    }
    let ordered = agreed.pages("&order_by=date_modified:desc", 9, &max);
    assert_eq!(ordered, agreed.ids());
    // What decides is asked for, and not shown to whoever did not ask for it.
    let page = agreed.get(&format!("{CONTACTS}?fields=last_name"), &max);
    for record in page.json()["records"].as_array().unwrap() {
        assert_eq!(record.get("email"), None);
    }
    // For another purpose nothing has changed.
    let page = agreed.world.get(&format!("{CONTACTS}?max_num=1000"), &max);
    let all = page.json()["records"].as_array().unwrap().len();
    assert_eq!(all, agreed.those.len() + agreed.others.len());
}

#[test]
fn an_offset_that_no_page_gave_is_refused_whatever_lies_there() {
    let agreed = Agreed::new();
    let max = agreed.world.login("max");
    let page = |offset: usize, rows: usize| {
        agreed.get(&format!("{CONTACTS}?max_num={rows}&offset={offset}"), &max)
    };
    for offset in [1, 20, 100_000] {
        let refused = page(offset, 20);
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert!(refused.text().contains("No page that you were given"));
    }
    assert_eq!(page(0, 5).status, 200);
    assert_eq!(
        page(5, 3).status,
        200,
        "the next page may have another length"
    );
    assert_eq!(page(8, 3).status, 200);
    assert_eq!(page(6, 3).status, 403);
    // Of another list it says nothing.
    let target = format!("{CONTACTS}?max_num=5&offset=5&order_by=date_modified:asc");
    assert_eq!(agreed.get(&target, &max).status, 403);
}

#[test]
fn whoever_withdraws_is_gone_and_whoever_agrees_is_there() {
    let agreed = Agreed::new();
    let max = agreed.world.login("max");
    let (id, address) = agreed.those[4].clone();
    let read = || agreed.get(&format!("{CONTACTS}/{id}"), &max);
    assert_eq!(read().status, 200);
    agreed.says(&address, Kind::Withdrawn);
    let nobody = agreed.get(&format!("{CONTACTS}/{NOBODY}"), &max);
    assert_eq!(told(&read()), told(&nobody));
    let mut left = agreed.ids();
    left.remove(&id);
    assert_eq!(agreed.pages("", 20, &max), left);
    // A part of a bulk request is no way around.
    let bulk = json!({"requests": [{"url": "/v11_24/Contacts?max_num=1000", "method": "GET"}]});
    let parts = agreed.send("POST", "/rest/v11_24/bulk", &max, Some(&bulk));
    assert_eq!(parts.status, 200, "{}", parts.text());
    let listed = parts.json()[0]["contents"]["records"].clone();
    let listed: BTreeSet<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, left);
}

#[test]
fn whoever_has_not_agreed_is_changed_by_nobody_and_counted_nowhere() {
    let agreed = Agreed::new();
    let max = agreed.world.login("max");
    let other = &agreed.others[0];
    let before = agreed.world.truth("Contacts", other);
    let write = json!({"description": "changed"});
    let requests: [(&str, &str, Option<&Value>); 4] = [
        ("GET", "?fields=last_name", None),
        ("PUT", "", Some(&write)),
        ("DELETE", "", None),
        ("GET", "/link/calls?fields=name", None),
    ];
    for (method, behind, body) in requests {
        let ask = |id: &str| agreed.send(method, &format!("{CONTACTS}/{id}{behind}"), &max, body);
        let (withheld, missing) = (ask(other), ask(NOBODY));
        assert_eq!(told(&withheld), told(&missing), "{method} {behind}");
    }
    assert_eq!(agreed.world.truth("Contacts", other), before);
    for counted in ["/count", "/filter/count"] {
        let count = agreed.get(&format!("{CONTACTS}{counted}"), &max);
        assert_eq!(count.status, 403, "{}", count.text());
        assert!(count.text().contains("How many records there are"));
    }
}

#[test]
fn nobody_is_found_by_what_tells_people_apart() {
    let agreed = Agreed::new();
    let max = agreed.world.login("max");
    let since = "2000-01-01T00:00:00Z";
    let dated = format!("&filter[0][date_modified][$gt]={since}");
    assert_eq!(agreed.pages(&dated, 20, &max), agreed.ids());
    for query in [
        "filter[0][last_name]=Martin",
        "filter[0][email][$starts]=a",
        "filter[0][id]=1",
        "filter[0][$owner]=",
        "order_by=last_name:asc",
        "order_by=id:asc",
        "q=Martin",
        "my_items=true",
    ] {
        let reply = agreed.get(&format!("{CONTACTS}?{query}"), &max);
        assert_eq!(reply.status, 403, "{query}: {}", reply.text());
    }
}
