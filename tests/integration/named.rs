//! Who touched this record? Every event names the records that its request named, in every dialect and for every action,
//! and no word that a caller chose enters the log that way.

use std::path::Path;
use std::sync::Arc;

use paravent::dialect::engine::Described;
use paravent::dialect::{self, Dialect};
use paravent::policy::Policy;
use serde_json::{Value, json};

use crate::harness::binary;
use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const ID: &str = "3f2b8c1e-7d40-4a6b-9e15-0c8d2f6a7b91";
const OTHER: &str = "8a1d5e20-1b3c-4f7a-8d92-6e0f4c2b1a38";
const IBAN: &str = "FR7630006000011234567890189";
const WORDS: &str = "Marie_Tissot_est_malade";

/// An API before a CRM that has every record and does whatever it is asked, and says nothing of it.
struct Stage {
    world: World,
    header: (&'static str, &'static str),
}

impl Stage {
    fn new(
        name: &str,
        header: (&'static str, &'static str),
        identity: fn(&Received) -> Option<Value>,
        done: fn(&Received) -> (u16, Value),
    ) -> Self {
        let crm = Scripted::start(move |request| {
            let (status, said) = identity(request)
                .map(|said| (200, said))
                .unwrap_or_else(|| done(request));
            scripted::json(status, said.to_string().as_bytes())
        });
        let world = World::scripted(crm.address, wish(name));
        world.forbid("words of the caller", WORDS);
        Self { world, header }
    }

    fn send(&self, line: &str, body: &Value) -> Response {
        let (method, target) = line.split_once(' ').unwrap();
        let mut headers = vec![(self.header.0, self.header.1.to_owned())];
        let bytes = match body {
            Value::Null => None,
            Value::String(form) => {
                headers.push((
                    "Content-Type",
                    "application/x-www-form-urlencoded".to_owned(),
                ));
                Some(form.clone().into_bytes())
            }
            body => {
                headers.push(("Content-Type", "application/json".to_owned()));
                Some(body.to_string().into_bytes())
            }
        };
        let request = Request {
            method,
            target,
            headers,
            body: bytes,
        };
        self.world.send_request(self.world.proxy, &request)
    }

    /// The records that the event which closed the last request names.
    fn named(&self) -> Value {
        let events = self.world.events();
        let closed = events
            .iter()
            .rfind(|event| event["phase"] == "closed" && event["part_of"].is_null())
            .unwrap();
        closed["records"]["refs"].clone()
    }

    /// Whether `audit query` finds a request of an action by a record.
    fn is_found(&self, record: &str, action: &str) -> bool {
        let dir = self.world.audit.path().to_str().unwrap();
        let record = format!("record={record}");
        let action = format!("action={action}");
        let words = ["audit", "query", dir, &record, &action, "--format", "json"];
        let out = binary::run(&words);
        assert!(out.status.success());
        !out.stdout.is_empty()
    }
}

fn wish(name: &str) -> Wish {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let built_in = |policy: &Path| Wish {
        dialects: vec![dialect::by_name(name).unwrap()],
        sources: Policy::read(policy).unwrap(),
        ..Wish::default()
    };
    match name {
        "sugar-rest" => Wish::default(),
        "suitecrm-v8" | "sugar-v4" => built_in(&root.join("suitecrm/policies")),
        name => {
            let folder = root.join(name);
            let (described, _) = Described::load(&folder.join(format!("{name}.yaml")));
            Wish {
                dialects: vec![Arc::new(described.unwrap()) as Arc<dyn Dialect>],
                sources: Policy::read(&folder.join("policy")).unwrap(),
                ..Wish::default()
            }
        }
    }
}

/// The path of a request, without its query.
fn path(request: &Received) -> &str {
    let target = request.line.split(' ').nth(1).unwrap();
    target.split('?').next().unwrap()
}

fn method(request: &Received) -> &str {
    request.line.split(' ').next().unwrap()
}

fn sugar() -> Stage {
    Stage::new(
        "sugar-rest",
        ("OAuth-Token", "t-sally"),
        |request| {
            (path(request) == "/rest/v11_24/me").then(|| {
                json!({"current_user": {
                    "type": "user", "id": "u-1", "user_name": "sally", "full_name": "Somebody",
                    "roles": ["Sales"], "my_teams": [], "acl": {}, "module_list": [], "preferences": {}, "_hash": "0",
                }})
            })
        },
        |request| match method(request) {
            "GET" => (200, json!({"next_offset": -1, "records": []})),
            "DELETE" if !path(request).contains("/link/") => (200, json!({"id": null})),
            _ => (
                200,
                json!({"record": {}, "related_record": {}, "related_records": []}),
            ),
        },
    )
}

fn v8(done: fn(&Received) -> (u16, Value)) -> Stage {
    Stage::new(
        "suitecrm-v8",
        ("Authorization", "Bearer eyJ0.eyJqdGkiOiJ4In0.c2ln"),
        |request| match path(request) {
            "/Api/V8/current-user" => {
                Some(json!({"data": {"type": "User", "id": "u-1", "attributes": {
                    "id": "u-1", "user_name": "ada", "is_admin": "0"
                }}}))
            }
            path if path.ends_with("/aclroles") => Some(json!({
                "data": [{"type": "ACLRole", "id": "r-1", "attributes": {"name": "Sales"}}]
            })),
            path if path.ends_with("/SecurityGroups") => Some(json!({"data": []})),
            _ => None,
        },
        done,
    )
}

fn v4() -> Stage {
    Stage::new(
        "sugar-v4",
        ("X-Nothing", "x"),
        |request| {
            let entries = |module: &str, id: &str, name: &str, value: &str| {
                json!({"entry_list": [{"id": id, "module_name": module, "name_value_list": {
                    "id": {"name": "id", "value": id}, (name): {"name": name, "value": value},
                    "is_admin": {"name": "is_admin", "value": "0"},
                }}], "relationship_list": []})
            };
            let body = String::from_utf8_lossy(&request.body);
            match body.split("&").find(|pair| pair.starts_with("method=")) {
                Some("method=get_user_id") => Some(json!("u-1")),
                Some("method=get_entry") if body.contains("Users") => {
                    Some(entries("Users", "u-1", "user_name", "ada"))
                }
                Some("method=get_relationships") if body.contains("aclroles") => {
                    Some(entries("ACLRoles", "r-1", "name", "Sales"))
                }
                Some("method=get_relationships") if body.contains("Users") => {
                    Some(json!({"entry_list": [], "relationship_list": []}))
                }
                _ => None,
            }
        },
        |request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            if body.contains("method=set_entry") {
                let id = [ID, IBAN].into_iter().find(|id| body.contains(id));
                (200, json!({"id": id, "entry_list": []}))
            } else {
                (200, json!({"created": 1, "failed": 0, "deleted": 0}))
            }
        },
    )
}

fn v4_form(method: &str, arguments: &Value) -> Value {
    let encoded = percent_encoding::utf8_percent_encode(
        &arguments.to_string(),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    json!(format!(
        "method={method}&input_type=JSON&response_type=JSON&rest_data={encoded}"
    ))
}

fn espocrm() -> Stage {
    Stage::new(
        "espocrm",
        ("X-Api-Key", "key-sales"),
        |request| {
            (path(request) == "/api/v1/App/user").then(|| {
                json!({"user": {"id": "6a", "userName": "ada", "type": "regular", "teamsIds": ["7"], "teamsNames": {"7": "Sales"}}})
            })
        },
        |request| match method(request) {
            "GET" => (200, json!({"total": 0, "list": []})),
            _ => (200, json!(true)),
        },
    )
}

fn dolibarr() -> Stage {
    Stage::new(
        "dolibarr",
        ("DOLAPIKEY", "key-support"),
        |request| match path(request) {
            "/api/index.php/users/info" => {
                Some(json!({"id": "3", "login": "sami", "admin": "0", "rights": {}}))
            }
            path if path.ends_with("/groups") => Some(json!([{"id": 1, "nom": "Support"}])),
            _ => None,
        },
        |request| match method(request) {
            "DELETE" => (200, json!(1)),
            _ => (200, json!({})),
        },
    )
}

#[test]
fn whoever_deletes_a_record_is_found_by_it_in_every_dialect() {
    let v8 = v8(|_| (200, json!({"meta": {"message": "done"}, "data": []})));
    let hex = "5f8a1c2b3d4e5f6a7";
    let delete_v4 =
        json!(["s", "Contacts", [{"name": "id", "value": ID}, {"name": "deleted", "value": "1"}]]);
    for (stage, line, body, record) in [
        (
            sugar(),
            format!("DELETE /rest/v11_24/Contacts/{ID}"),
            Value::Null,
            format!("Contacts/{ID}"),
        ),
        (
            v8,
            format!("DELETE /Api/V8/module/Contact/{ID}"),
            Value::Null,
            format!("Contacts/{ID}"),
        ),
        (
            v4(),
            "POST /service/v4_1/rest.php".to_owned(),
            v4_form("set_entry", &delete_v4),
            format!("Contacts/{ID}"),
        ),
        (
            espocrm(),
            format!("DELETE /api/v1/contact/{hex}"),
            Value::Null,
            format!("Contact/{hex}"),
        ),
        (
            dolibarr(),
            "DELETE /api/index.php/contacts/248".to_owned(),
            Value::Null,
            "contacts/248".to_owned(),
        ),
        (
            dolibarr(),
            "DELETE /api/index.php/thirdparties/67/bankaccounts/66".to_owned(),
            Value::Null,
            "thirdparty_bankaccounts/66".to_owned(),
        ),
    ] {
        let reply = stage.send(&line, &body);
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        assert_eq!(stage.named(), json!([record]), "{line}");
        assert!(stage.is_found(&record, "delete"), "{line}");
    }
}

#[test]
fn a_relation_is_found_by_both_of_its_ends() {
    let v8 = v8(|_| (200, json!({"meta": {"message": "done"}, "data": []})));
    let (account, contact) = (format!("Accounts/{ID}"), format!("Contacts/{OTHER}"));
    let both = json!([account, contact]);
    let v4_relation = json!(["s", "Accounts", ID, "contacts", [OTHER], [], 0]);
    let hex = ("5f8a1c2b3d4e5f6a7", "5f8a1c2b3d4e5f6a8");
    for (stage, line, body, named) in [
        (
            sugar(),
            format!("POST /rest/v11_24/Accounts/{ID}/link"),
            json!({"link_name": "contacts", "ids": [OTHER]}),
            both.clone(),
        ),
        (
            sugar(),
            format!("DELETE /rest/v11_24/Accounts/{ID}/link/contacts/{OTHER}"),
            Value::Null,
            both.clone(),
        ),
        (
            v8,
            format!("POST /Api/V8/module/Accounts/{ID}/relationships"),
            json!({"data": {"type": "Contact", "id": OTHER}}),
            both.clone(),
        ),
        (
            v4(),
            "POST /service/v4_1/rest.php".to_owned(),
            v4_form("set_relationship", &v4_relation),
            both.clone(),
        ),
        (
            espocrm(),
            format!("POST /api/v1/Account/{}/contacts", hex.0),
            json!({"ids": [hex.1]}),
            json!([format!("Account/{}", hex.0), format!("Contact/{}", hex.1)]),
        ),
        (
            espocrm(),
            format!("DELETE /api/v1/Account/{}/contacts", hex.0),
            json!({"id": hex.1}),
            json!([format!("Account/{}", hex.0), format!("Contact/{}", hex.1)]),
        ),
    ] {
        let reply = stage.send(&line, &body);
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        assert_eq!(stage.named(), named, "{line}");
        for record in named.as_array().unwrap() {
            assert!(stage.is_found(record.as_str().unwrap(), "relate"), "{line}");
        }
    }
}

#[test]
fn a_record_whose_links_are_followed_or_counted_is_named_beside_what_is_shown() {
    let sugar = sugar();
    for (line, action) in [
        (
            format!("GET /rest/v11_24/Accounts/{ID}/link/contacts"),
            "list",
        ),
        (format!("GET /rest/v11_24/Contacts/{ID}?fields=id"), "read"),
    ] {
        let reply = sugar.send(&line, &Value::Null);
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        let record = &sugar.named()[0];
        assert!(sugar.is_found(record.as_str().unwrap(), action), "{line}");
    }
    // Where the reply names the record too, it is named once.
    let world = World::demo();
    let sally = world.login("sally");
    let list = world.get("/rest/v11_24/Contacts?max_num=1&fields=id", &sally);
    let id = list.json()["records"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let reply = world.get(&format!("/rest/v11_24/Contacts/{id}"), &sally);
    let event = &world.decision(&reply)[0];
    assert_eq!(event["records"]["refs"], json!([format!("Contacts/{id}")]));
    assert_eq!(event["records"]["count"], 1);
}

#[test]
fn what_the_crm_has_not_vouched_for_does_not_enter_the_log_by_way_of_an_id() {
    // It has no such record.
    let refused = v8(|_| (404, json!({"errors": {"status": 404}})));
    refused.send(
        &format!("DELETE /Api/V8/module/Contacts/{WORDS}"),
        &Value::Null,
    );
    assert_eq!(refused.named(), json!([]));
    // Nobody knows whether it did what it was asked: then only an id in which no word can hide is named.
    let broken = v8(|_| (500, json!({"errors": {"status": 500}})));
    for (id, named) in [
        (WORDS, json!([])),
        (ID, json!([format!("Contacts/{ID}")])),
        ("DE89370400440532013000", json!(["Contacts/[iban]"])),
    ] {
        broken.send(
            &format!("DELETE /Api/V8/module/Contacts/{id}"),
            &Value::Null,
        );
        assert_eq!(broken.named(), named, "{id}");
    }
    broken.send(
        &format!("GET /Api/V8/module/Contacts/{ID}?fields[Contacts]=id"),
        &Value::Null,
    );
    assert_eq!(broken.named(), json!([]), "nothing was read");
    // The policy refuses it, so that the CRM is never asked.
    let denied = v8(|_| (200, json!({"data": []})));
    denied.send(
        &format!("DELETE /Api/V8/module/Unheard/{WORDS}"),
        &Value::Null,
    );
    assert_eq!(denied.named(), json!([]));
    // It says yes to whatever it is asked, and repeats it.
    let gullible = v4();
    let delete = json!(["s", "Contacts", [{"name": "id", "value": IBAN}, {"name": "deleted", "value": "1"}]]);
    let reply = gullible.send(
        "POST /service/v4_1/rest.php",
        &v4_form("set_entry", &delete),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(gullible.named(), json!(["Contacts/[iban]"]));
    for stage in [broken, gullible] {
        let log = json!(stage.world.events()).to_string();
        assert!(!log.contains("3704004405320") && !log.contains("3000600001123"));
    }
}
