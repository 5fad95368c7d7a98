//! Lists for a purpose on consent, before scripted CRMs of each API: page by page, only who has agreed.

use std::sync::Arc;

use paravent::clock::Clock;
use paravent::dialect::engine::Described;
use paravent::dialect::{self, Dialect};
use paravent::ledger::{
    Address, Channel, Draft, Kind, Ledger, PersonKeys, Place, Proof, Settings, Who,
};
use paravent::policy::Source;
use serde_json::{Map, Value, json};

use crate::harness::client::Request;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

/// Contacts of the CRM, and which of them have agreed: every third, but nobody for a long while.
const CONTACTS: u64 = 700;

fn has_agreed(contact: u64) -> bool {
    contact.is_multiple_of(3) && !(60..500).contains(&contact)
}

pub(crate) fn address(contact: u64) -> String {
    format!("person{contact}@example.org")
}

fn id(contact: u64) -> String {
    format!("{contact:08x}")
}

/// A policy for contacts of a module, whose address is in a field.
fn policy(module: &str, email: &str, role: &str) -> String {
    format!(
        r#"policy: agreed
roles: {{ mailers: {{ from: {{ {role} }}, default_purpose: mailing }} }}
people: {{ {module}: {{ kind: customer, email: {email} }} }}
purposes:
  mailing: {{ legal_basis: consent, roles: [mailers], consent: {{ proof: single-opt-in, when_missing: omit-record }} }}
defaults: {{ unclassified: redact, ungranted: redact }}
classify:
  "*": {{ id: technical.id }}
  {module}: {{ {email}: contact.email }}
grants:
  - {{ name: mailing-data, roles: mailers, purposes: mailing, data: [contact, technical], level: clear, write: deny }}
"#
    )
}

/// An API that an example describes.
pub(crate) fn described(name: &str) -> Arc<dyn Dialect> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("examples/{name}/{name}.yaml"));
    Arc::new(Described::load(&path).0.unwrap())
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) crm: Scripted,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn of(
        dialect: Arc<dyn Dialect>,
        policy: String,
        answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let drafts = (0..CONTACTS).filter(|contact| has_agreed(*contact));
        let drafts = drafts
            .map(|contact| given(Who::Address(Address::parse(&address(contact)).unwrap())))
            .collect();
        Self::before(dialect, policy, drafts, answer)
    }

    /// The same, where this has been said.
    pub(crate) fn before(
        dialect: Arc<dyn Dialect>,
        policy: String,
        said: Vec<Draft>,
        answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path(), said);
        let crm = Scripted::start(answer);
        let world = World::scripted(
            crm.address,
            Wish {
                dialects: vec![dialect],
                sources: vec![Source {
                    path: "agreed.yaml".to_owned(),
                    text: policy,
                }],
                ledger: Some(ledger),
                ..Wish::default()
            },
        );
        Self {
            world,
            crm,
            _folder: folder,
        }
    }

    pub(crate) fn get(&self, header: (&'static str, &str), target: &str) -> Value {
        let request = Request {
            method: "GET",
            target,
            headers: vec![(header.0, header.1.to_owned())],
            body: None,
        };
        let reply = self.world.send_request(self.world.proxy, &request);
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        reply.json()
    }
}

/// That somebody has agreed.
pub(crate) fn given(who: Who) -> Draft {
    Draft {
        proof: Proof::SingleOptIn,
        source: "fair".to_owned(),
        by: "kim".to_owned(),
        ..Draft::new(who, "mailing", Kind::Given, Channel::Staff)
    }
}

/// What persons have said.
fn ledger(folder: &std::path::Path, drafts: Vec<Draft>) -> Arc<Ledger> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let settings = Settings {
            place: Place::Folder(folder.to_owned()),
            keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
            bytes_max: 64 << 20,
            clock: Clock::system(),
        };
        let ledger = Ledger::open(settings).await.unwrap();
        ledger.append_all(Arc::new(drafts)).await.unwrap();
        Arc::new(ledger)
    })
}

/// A number that a query names.
pub(crate) fn number(line: &str, name: &str, otherwise: u64) -> u64 {
    let query = line.split(' ').nth(1).unwrap().split_once('?');
    let pairs = query.map_or("", |(_, query)| query).split('&');
    let mut found = pairs.filter_map(|pair| pair.split_once('='));
    let found = found.find(|(key, _)| {
        let key = percent_encoding::percent_decode_str(key);
        key.decode_utf8().unwrap() == name
    });
    found.map_or(otherwise, |(_, value)| value.parse().unwrap())
}

pub(crate) fn json_reply(body: &Value) -> Vec<u8> {
    scripted::json(200, body.to_string().as_bytes())
}

/// The contacts of a page of the CRM.
fn rows(from: u64, rows: u64) -> std::ops::Range<u64> {
    from.min(CONTACTS)..(from + rows).min(CONTACTS)
}

fn expected() -> Vec<String> {
    let agreed = (0..CONTACTS).filter(|contact| has_agreed(*contact));
    agreed.map(id).collect()
}

fn ids(records: &Value) -> Vec<String> {
    let records = records.as_array().unwrap().iter();
    records
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Pages are full, one after the other, until there are no more.
fn check_pages(rows: usize, page: impl Fn(usize) -> Vec<String>) {
    let mut seen = Vec::new();
    loop {
        let ids = page(seen.len());
        let is_last = ids.len() < rows;
        seen.extend(ids);
        if is_last {
            break;
        }
    }
    assert_eq!(seen, expected());
}

fn suitecrm_v8(request: &Received) -> Vec<u8> {
    let body = match request.line.split(['?', ' ']).nth(1).unwrap() {
        "/Api/V8/current-user" => json!({"data": {"type": "User", "id": "u-1", "attributes": {
            "id": "u-1", "user_name": "ada", "is_admin": "0"}}}),
        "/Api/V8/module/Users/u-1/relationships/aclroles" => json!({
            "meta": {"total-records": 1, "total-pages": 1, "records-on-this-page": 1},
            "data": [{"type": "ACLRole", "id": "r-1", "attributes": {"name": "Sales", "description": ""}}]
        }),
        "/Api/V8/module/Contacts" => {
            let size = number(&request.line, "page[size]", 20);
            let page = number(&request.line, "page[number]", 1);
            let rows = rows((page - 1) * size, size);
            let records = rows.map(|contact| {
                json!({"type": "Contact", "id": id(contact), "attributes": {"email1": address(contact)}})
            });
            json!({
                "meta": {"total-pages": CONTACTS.div_ceil(size), "records-on-this-page": size},
                "data": records.collect::<Vec<_>>()
            })
        }
        _ => json!({"data": []}),
    };
    let reply = String::from_utf8(json_reply(&body)).unwrap();
    let reply = reply.replacen("application/json", "application/vnd.api+json", 1);
    reply.into_bytes()
}

#[test]
fn of_suitecrms_api_by_the_number_of_the_page() {
    let policy = policy("Contacts", "email1", "crm.role: Sales");
    let dialect = dialect::by_name("suitecrm-v8").unwrap();
    let stage = Stage::of(dialect, policy, suitecrm_v8);
    let bearer = ("Authorization", "Bearer eyJ0.eyJqdGkiOiJ4In0.c2ln");
    for rows in [7, 20, 50] {
        let agreed = expected().len();
        check_pages(rows, |shown| {
            let number = shown / rows + 1;
            let target = format!(
                "/Api/V8/module/Contacts?fields[Contacts]=email1&page[size]={rows}&page[number]={number}"
            );
            let page = stage.get(bearer, &target);
            let records = ids(&page["data"]);
            let has_more = shown + records.len() < agreed;
            let pages = number + usize::from(has_more);
            assert_eq!(page["meta"], json!({"total-pages": pages}), "{target}");
            records
        });
    }
}

fn v4(request: &Received) -> Vec<u8> {
    let text = String::from_utf8(request.body.clone()).unwrap();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let pairs: std::collections::BTreeMap<&str, String> = pairs
        .map(|(name, value)| {
            let value = percent_encoding::percent_decode_str(value);
            (name, value.decode_utf8().unwrap().into_owned())
        })
        .collect();
    let arguments: Value = serde_json::from_str(&pairs["rest_data"]).unwrap();
    let named = |fields: &[(&str, &str)]| -> Value {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({"name": name, "value": value})));
        fields.collect::<Map<_, _>>().into()
    };
    let entry = |module: &str, id: &str, fields: Value| json!({"id": id, "module_name": module, "name_value_list": fields});
    let body = match (
        pairs["method"].as_str(),
        arguments[1].as_str().unwrap_or_default(),
    ) {
        ("get_user_id", _) => json!("u-1"),
        ("get_entry", "Users") => {
            let fields = named(&[("id", "u-1"), ("user_name", "ada"), ("is_admin", "0")]);
            json!({"entry_list": [entry("Users", "u-1", fields)], "relationship_list": []})
        }
        ("get_relationships", "Users") if arguments[3] == "aclroles" => {
            let fields = named(&[("id", "r-1"), ("name", "Sales")]);
            json!({"entry_list": [entry("ACLRoles", "r-1", fields)], "relationship_list": []})
        }
        ("get_relationships", "Users") => {
            json!({"name": "Access Denied", "number": 40, "description": ""})
        }
        ("get_entry_list", "Contacts") => {
            let (from, size) = (
                arguments[4].as_u64().unwrap(),
                arguments[7].as_u64().unwrap(),
            );
            let rows = rows(from, size);
            let links = rows.clone().map(|contact| {
                json!({"link_list": [{"name": "accounts", "records": [
                    {"link_value": named(&[("id", &format!("a-{contact}"))])}]}]})
            });
            let entries = rows.clone().map(|contact| {
                let (id, address) = (id(contact), address(contact));
                entry("Contacts", &id, named(&[("id", &id), ("email1", &address)]))
            });
            json!({
                "result_count": rows.end - rows.start, "total_count": CONTACTS.to_string(),
                "next_offset": rows.end, "entry_list": entries.collect::<Vec<_>>(),
                "relationship_list": links.collect::<Vec<_>>()
            })
        }
        other => panic!("{other:?}"),
    };
    json_reply(&body)
}

#[test]
fn of_the_legacy_api_with_the_links_that_belong_to_them() {
    let policy = policy("Contacts", "email1", "crm.role: Sales")
        .replace("people: { ", "people: { Accounts: none, ")
        .replace(
            "classify:\n",
            "classify:\n  Accounts: { name: work.organisation }\n",
        );
    let dialect = dialect::by_name("sugar-v4").unwrap();
    let stage = Stage::of(dialect, policy, v4);
    check_pages(20, |shown| {
        let arguments = json!([
            "5e5510n", "Contacts", "", "", shown, ["email1"],
            [{"name": "accounts", "value": ["id"]}], 20, 0
        ]);
        let arguments = arguments.to_string();
        let encoded =
            percent_encoding::utf8_percent_encode(&arguments, percent_encoding::NON_ALPHANUMERIC);
        let form =
            format!("method=get_entry_list&input_type=JSON&response_type=JSON&rest_data={encoded}");
        let request = Request {
            method: "POST",
            target: "/service/v4_1/rest.php",
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(form.into_bytes()),
        };
        let reply = stage.world.send_request(stage.world.proxy, &request);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let page = reply.json();
        let records = ids(&page["entry_list"]);
        assert_eq!(page["result_count"], records.len());
        assert_eq!(page["next_offset"], shown + records.len());
        assert_eq!(page.get("total_count"), None);
        let links = page["relationship_list"].as_array().unwrap();
        for (record, links) in records.iter().zip(links) {
            let account = &links["link_list"][0]["records"][0]["link_value"]["id"]["value"];
            let contact = u64::from_str_radix(record, 16).unwrap();
            assert_eq!(*account, format!("a-{contact}"));
        }
        assert_eq!(links.len(), records.len());
        records
    });
}

fn espocrm(request: &Received) -> Vec<u8> {
    if request.line.contains("/App/user") {
        return json_reply(
            &json!({"user": {"id": "6a", "userName": "ada", "type": "regular", "teamsIds": ["7"], "teamsNames": {"7": "Sales"}}}),
        );
    }
    let rows = rows(
        number(&request.line, "offset", 0),
        number(&request.line, "maxSize", 200),
    );
    // Of lists it tells the primary address alone.
    let records = rows.map(|contact| json!({"id": id(contact), "emailAddress": address(contact)}));
    json_reply(&json!({"total": CONTACTS, "list": records.collect::<Vec<_>>()}))
}

#[test]
fn of_espocrm_whose_total_nobody_knows() {
    let policy = policy("Contact", "emailAddress", "crm.team: Sales");
    let stage = Stage::of(described("espocrm"), policy, espocrm);
    check_pages(200, |shown| {
        let target = format!("/api/v1/Contact?select=emailAddress&maxSize=200&offset={shown}");
        let page = stage.get(("X-Api-Key", "key"), &target);
        assert_eq!(page["total"], -1);
        ids(&page["list"])
    });
    let sizes = stage.crm.take_all().into_iter();
    let sizes: Vec<u64> = sizes
        .filter(|request| request.line.contains("/Contact?"))
        .map(|request| number(&request.line, "maxSize", 0))
        .collect();
    assert!(!sizes.is_empty());
    assert!(
        sizes.iter().all(|size| *size <= 200),
        "it may not be asked for more"
    );
}

fn dolibarr(request: &Received) -> Vec<u8> {
    let body = match request.line.split(['?', ' ']).nth(1).unwrap() {
        "/api/index.php/users/info" => json!({"id": "3", "login": "sami", "admin": "0"}),
        "/api/index.php/users/3/groups" => json!([{"id": 1, "nom": "Sales"}]),
        _ => {
            let size = number(&request.line, "limit", 100);
            let rows = rows(number(&request.line, "page", 0) * size, size);
            if rows.is_empty() {
                return scripted::json(404, br#"{"error": {"code": 404, "message": "Not found"}}"#);
            }
            let records = rows.map(|contact| json!({"id": id(contact), "email": address(contact)}));
            records.collect()
        }
    };
    json_reply(&body)
}

#[test]
fn of_dolibarr_whose_replies_are_lists() {
    let policy = policy("contacts", "email", "crm.role: Sales");
    let stage = Stage::of(described("dolibarr"), policy, dolibarr);
    check_pages(10, |shown| {
        let target = format!("/api/index.php/contacts?limit=10&page={}", shown / 10);
        ids(&stage.get(("DOLAPIKEY", "key"), &target))
    });
}
