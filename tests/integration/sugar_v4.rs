//! The legacy API before a small CRM that answers as SuiteCRM does: what it is asked, and what comes of its answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use paravent::dialect;
use paravent::policy::Source;
use serde_json::{Map, Value, json};

use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const PATH: &str = "/service/v4_1/rest.php";
const SESSION: &str = "5e5510n0f5a11y";
const IBAN: &str = "FR7630006000011234567890189";
const NIR: &str = "284039999900049";

const POLICY: &str = r#"
policy: boats
classify:
  "*":
    id: technical.id
    date_modified: technical.timestamp
    assigned_user_id: technical.owner
    description: free_text
    email1: contact.email
    "phone_*": contact.phone
    "*iban*": financial.iban
    "*nir*": identity.national_id
    "*relig*": special.belief
  Contacts:
    salutation: identity.civility
    first_name: identity.name
    last_name: identity.name
  Accounts:
    name: work.organisation
  Cases:
    name: free_text
  acme_Boats:
    name: free_text
  Users:
    user_name: work.position
    first_name: identity.name
    last_name: identity.name
defaults: { unclassified: redact, ungranted: redact }
roles:
  sales: { from: { crm.role: "Sales" }, default_purpose: contract }
  back_office: { from: { crm.role: "Back office" }, default_purpose: contract }
purposes:
  contract:
    label: { en: Contract, fr: Contrat }
    legal_basis: contract
    roles: [sales, back_office]
detectors:
  - { name: in-text, in: [free_text], find: [iban, nir] }
grants:
  - name: everybody
    roles: [sales, back_office]
    data: [technical, identity.civility, work, free_text]
    level: clear
  - { name: names, roles: [sales, back_office], data: identity.name, level: clear }
  - { name: mail, roles: sales, data: contact, level: clear }
  - { name: ibans, roles: [sales, back_office], data: financial.iban, level: mask }
caps:
  - { name: no-belief, why: Art. 9, data: special, level: hide, firm: true }
  - { name: no-nir, why: not needed, data: identity.national_id, level: redact, firm: true }
search:
  Contacts: [first_name, last_name]
  Accounts: [name]
"#;

/// The CRM: one contact, whose fields a write changes.
struct Crm {
    contact: Mutex<Map<String, Value>>,
    role: &'static str,
}

impl Crm {
    fn new(role: &'static str) -> Arc<Self> {
        let contact = json!({
            "id": "c-1", "salutation": "Mme", "first_name": "Zo\u{e9}", "last_name": "D&#039;Hauteville",
            "name": "Mme Zo\u{e9} D&#039;Hauteville", "email1": "zoe@perso.example", "phone_work": "01 40 00 00 01",
            "iban_c": IBAN, "nir_c": NIR, "religion_c": "bouddhiste",
            "description": format!("L&#039;IBAN {IBAN} &amp;amp; rien d&#039;autre."), "deleted": "0"
        });
        let Value::Object(contact) = contact else {
            unreachable!()
        };
        Arc::new(Self {
            contact: Mutex::new(contact),
            role,
        })
    }

    fn start(self: &Arc<Self>) -> Scripted {
        let crm = self.clone();
        Scripted::start(move |request| crm.answer(request))
    }

    fn answer(&self, request: &Received) -> Vec<u8> {
        let (method, arguments) = call(&request.body);
        let body = match (method.as_str(), arguments[1].as_str().unwrap_or_default()) {
            ("login", _) => json!({
                "id": "a-new-session", "module_name": "Users", "secret_of_the_crm": NIR,
                "name_value_list": {
                    "user_id": {"name": "user_id", "value": "u-1"}, "user_hash": {"name": "user_hash", "value": NIR}
                }
            }),
            ("logout", _) => Value::Null,
            (_, _) if arguments[0] != SESSION => {
                error("Invalid Session ID", 11, &format!("nobody has {NIR}"))
            }
            ("get_user_id", _) => json!("u-1"),
            ("get_entry", "Users") => {
                entries("Users", &[json!({"id": "u-1", "user_name": "ada", "is_admin": "0"})])
            }
            ("get_relationships", "Users") if arguments[3] == "aclroles" => {
                entries("ACLRoles", &[json!({"id": "r-1", "name": self.role})])
            }
            ("get_relationships", "Users") => error("Access Denied", 40, "no groups"),
            ("get_entry", "Contacts") if arguments[2] != "c-1" => json!({
                "entry_list": [{"id": arguments[2], "module_name": "Contacts", "name_value_list": [
                    {"name": "warning", "value": "Access to this object is denied since it has been deleted or does not exist"},
                    {"name": "deleted", "value": "1"}
                ]}], "relationship_list": []
            }),
            ("get_entry", "Contacts") => self.read(&arguments),
            ("get_entry_list", "Contacts") => self.list(),
            ("get_entries_count", _) => json!({"result_count": "3"}),
            ("set_entry", "Contacts") => self.write(&arguments[2]),
            ("get_relationships", "Contacts") => entries(
                "EmailAddresses",
                &[json!({"id": "e-1", "email_address": "zoe@perso.example", "email_address_caps": "ZOE@PERSO.EXAMPLE"})],
            ),
            ("get_relationships", "acme_Boats") => entries("Contacts", &[self.fields()]),
            ("search_by_module", _) => self.search(&arguments),
            ("get_module_fields", "acme_Boats") => json!({
                "module_name": "acme_Boats", "table_name": "acme_boats",
                "module_fields": {
                    "name": {"name": "name", "type": "name", "default_value": NIR, "options": []}
                },
                "link_fields": {"crew": {"name": "crew", "type": "link", "module": "Contacts"}}
            }),
            ("get_available_modules", _) => json!({"modules": [{"module_key": "Contacts", "module_label": "Contacts"}]}),
            ("get_entry_list", "Cases") => error("Access Denied", 40, &format!("hidden {IBAN}")),
            _ => return b"HTTP/1.1 500 X\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
        };
        let body = match request.line.contains("/service/v2/") {
            true => as_version_2(&method, body),
            false => body,
        };
        let json = scripted::json(200, body.to_string().as_bytes());
        let head = String::from_utf8(json).unwrap();
        head.replacen(
            "HTTP/1.1 200 Whatever",
            &format!("HTTP/1.1 200 OK\r\nSet-Cookie: PHPSESSID={SESSION}"),
            1,
        )
        .into_bytes()
    }

    fn fields(&self) -> Value {
        Value::Object(self.contact.lock().unwrap().clone())
    }

    fn value(&self, name: &str) -> Value {
        self.contact.lock().unwrap()[name].clone()
    }

    fn read(&self, arguments: &Value) -> Value {
        let asked: Vec<&str> = arguments[3]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut fields = self.contact.lock().unwrap().clone();
        if !asked.is_empty() {
            fields.retain(|name, _| asked.contains(&name.as_str()));
        }
        let mut fields = Value::Object(fields);
        fields["id"] = json!("c-1");
        entries("Contacts", &[fields])
    }

    fn list(&self) -> Value {
        let mut list = entries("Contacts", &[self.fields()]);
        list["result_count"] = json!(1);
        list["total_count"] = json!("1");
        list["next_offset"] = json!(1);
        let accounts = json!([{"link_value": named(&json!({"id": "a-1", "name": "Menuiserie &amp; Fils", "iban_c": IBAN}))}]);
        let addresses = json!([{"link_value": named(&json!({"email_address": "zoe@perso.example", "opt_out": "0"}))}]);
        list["relationship_list"] = json!([{"link_list": [
            {"name": "accounts", "records": accounts}, {"name": "email_addresses", "records": addresses}
        ]}]);
        list
    }

    /// Stores what is written, and says it again in the spelling that the CRM has for echoes.
    fn write(&self, pairs: &Value) -> Value {
        let mut echo = Map::new();
        let mut contact = self.contact.lock().unwrap();
        for pair in pairs.as_array().unwrap() {
            let (name, value) = (pair["name"].as_str().unwrap(), pair["value"].clone());
            contact.insert(name.to_owned(), value.clone());
            echo.insert(name.to_owned(), json!({"name": name, "value": value}));
        }
        json!({"id": "c-1", "entry_list": echo})
    }

    fn search(&self, arguments: &Value) -> Value {
        let module = arguments[2][0].as_str().unwrap();
        let records = if module == "Contacts" {
            vec![named(&self.fields())]
        } else {
            Vec::new()
        };
        json!({"entry_list": [{"name": module, "records": records}]})
    }
}

/// What version 2 of the API answers where later ones answer so.
fn as_version_2(method: &str, mut body: Value) -> Value {
    match method {
        "set_entry" => json!({"id": body["id"]}),
        "get_available_modules" => json!({"modules": ["Contacts"]}),
        "get_entry_list" => {
            body.as_object_mut().unwrap().remove("total_count");
            let mut links = body["relationship_list"][0]["link_list"].clone();
            for link in links.as_array_mut().unwrap() {
                for record in link["records"].as_array_mut().unwrap() {
                    *record = record["link_value"].clone();
                }
            }
            body["relationship_list"] = json!([links]);
            body
        }
        _ => body,
    }
}

fn error(name: &str, number: i32, words: &str) -> Value {
    json!({"name": name, "number": number, "description": words})
}

fn named(fields: &Value) -> Value {
    let pairs = fields.as_object().unwrap().iter();
    pairs
        .map(|(name, value)| (name.clone(), json!({"name": name, "value": value})))
        .collect::<Map<_, _>>()
        .into()
}

fn entries(module: &str, records: &[Value]) -> Value {
    let entries: Vec<Value> = records
        .iter()
        .map(|record| json!({"id": record["id"], "module_name": module, "name_value_list": named(record)}))
        .collect();
    json!({"entry_list": entries, "relationship_list": []})
}

/// The method and arguments of a form.
fn call(body: &[u8]) -> (String, Value) {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let pairs: BTreeMap<&str, String> = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| {
            let value = percent_encoding::percent_decode_str(value);
            (name, value.decode_utf8().unwrap().into_owned())
        })
        .collect();
    assert_eq!(pairs["response_type"], "JSON");
    (
        pairs["method"].clone(),
        serde_json::from_str(&pairs["rest_data"]).unwrap(),
    )
}

struct Stage {
    crm: Arc<Crm>,
    upstream: Scripted,
    world: World,
}

impl Stage {
    fn of(role: &'static str) -> Self {
        Self::with(role, Wish::default())
    }

    fn with(role: &'static str, wish: Wish) -> Self {
        Self::under(POLICY.to_owned(), role, wish)
    }

    fn under(policy: String, role: &'static str, wish: Wish) -> Self {
        let crm = Crm::new(role);
        let upstream = crm.start();
        let wish = Wish {
            dialects: vec![dialect::by_name("sugar-v4").unwrap()],
            sources: vec![Source {
                path: "boats.yaml".to_owned(),
                text: policy,
            }],
            learn: true,
            ..wish
        };
        let world = World::scripted(upstream.address, wish);
        // The session must be in no reply, log line, metric or record of the access log; neither must what nobody sees.
        for (name, value) in [
            ("session", SESSION),
            ("nir_c", NIR),
            ("iban_c", IBAN),
            ("religion_c", "bouddhiste"),
        ] {
            world.forbid(name, value);
        }
        Self {
            crm,
            upstream,
            world,
        }
    }

    fn form(&self, method: &str, arguments: &Value) -> Vec<u8> {
        let encoded = percent_encoding::utf8_percent_encode(
            &arguments.to_string(),
            percent_encoding::NON_ALPHANUMERIC,
        )
        .to_string();
        format!("method={method}&input_type=JSON&response_type=JSON&rest_data={encoded}")
            .into_bytes()
    }

    fn post(&self, target: &str, body: Vec<u8>) -> Response {
        let content_type = "application/x-www-form-urlencoded".to_owned();
        let request = Request {
            method: "POST",
            target,
            headers: vec![("Content-Type", content_type)],
            body: Some(body),
        };
        self.world.send_request(self.world.proxy, &request)
    }

    fn call(&self, method: &str, arguments: &Value) -> Response {
        self.post(PATH, self.form(method, arguments))
    }

    fn ok(&self, method: &str, arguments: &Value) -> Value {
        let reply = self.call(method, arguments);
        assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        reply.json()
    }

    /// The calls that reached the CRM since the last look, look-ups of sessions left out.
    fn reached(&self) -> Vec<(String, Value)> {
        self.upstream
            .take_all()
            .iter()
            .map(|request| call(&request.body))
            .filter(|(method, arguments)| method != "get_user_id" && arguments[1] != "Users")
            .collect()
    }
}

fn value<'a>(record: &'a Value, name: &str) -> &'a Value {
    &record["name_value_list"][name]["value"]
}

#[test]
fn records_and_records_behind_links_are_held_to_their_modules() {
    let stage = Stage::of("Sales");
    let arguments = json!({
        "session": SESSION, "module_name": "Contacts", "query": "contacts.last_name LIKE 'D%'", "order_by": "",
        "offset": 0, "select_fields": [], "max_results": 20, "deleted": 0,
        "link_name_to_fields_array": [{"name": "accounts", "value": ["id", "name", "iban_c"]},
                                      {"name": "email_addresses", "value": ["email_address", "opt_out"]}]
    });
    let list = stage.ok("get_entry_list", &arguments);
    let record = &list["entry_list"][0];
    assert_eq!(value(record, "last_name"), "D&#039;Hauteville");
    assert_eq!(value(record, "email1"), "zoe@perso.example");
    assert!(value(record, "iban_c").as_str().unwrap().contains('•'));
    assert_eq!(value(record, "nir_c"), &Value::Null);
    assert!(record["name_value_list"].get("religion_c").is_none());
    let text = value(record, "description").as_str().unwrap();
    assert!(
        text.starts_with("L&#039;IBAN FR76 ••••") && text.ends_with("&amp; rien d&#039;autre."),
        "{text}"
    );
    let links = &list["relationship_list"][0]["link_list"];
    let account = &links[0]["records"][0]["link_value"];
    assert_eq!(account["name"]["value"], "Menuiserie &amp; Fils");
    assert!(account["iban_c"]["value"].as_str().unwrap().contains('•'));
    assert_eq!(
        links[1]["records"][0]["link_value"]["email_address"]["value"],
        "zoe@perso.example"
    );
    let event = stage.world.events().pop().unwrap();
    assert_eq!(
        event["request"]["route"],
        format!("POST {PATH} get_entry_list")
    );

    // To the back office, addresses are the owner's e-mail field wherever they stand.
    let stage = Stage::of("Back office");
    let list = stage.ok("get_entry_list", &arguments);
    assert_eq!(value(&list["entry_list"][0], "email1"), &Value::Null);
    let links = &list["relationship_list"][0]["link_list"];
    assert_eq!(
        links[1]["records"][0]["link_value"]["email_address"]["value"],
        Value::Null
    );
    let related = stage.call(
        "get_relationships",
        &json!([SESSION, "Contacts", "c-1", "email_addresses"]),
    );
    assert_eq!(related.status, 200);
    assert!(
        !related.text().to_lowercase().contains("perso.example"),
        "{}",
        related.text()
    );
    let by_address = "contacts.id in (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea \
                      ON (ea.id = eabr.email_address_id) WHERE eabr.deleted=0 and ea.email_address like 'z%')";
    for refused in [
        stage.call(
            "get_entries_count",
            &json!([SESSION, "Contacts", by_address]),
        ),
        stage.call(
            "get_entries_count",
            &json!([SESSION, "Contacts", "contacts_cstm.iban_c LIKE 'FR7%'"]),
        ),
        stage.call(
            "get_entries_count",
            &json!([SESSION, "Contacts", "contacts_cstm.no_such_c LIKE 'FR7%'"]),
        ),
        stage.call(
            "get_entry_list",
            &json!([SESSION, "Contacts", "", "email1 DESC"]),
        ),
    ] {
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert_eq!(refused.json()["number"], 40);
    }
    let names: Vec<String> = stage
        .reached()
        .into_iter()
        .map(|(method, _)| method)
        .collect();
    assert_eq!(names, ["get_entry_list", "get_relationships"]);
}

#[test]
fn a_whole_record_comes_back_and_only_the_change_is_written() {
    for as_list in [false, true] {
        let stage = Stage::of("Sales");
        let shown = stage.ok("get_entry", &json!([SESSION, "Contacts", "c-1", []]));
        let shown = shown["entry_list"][0]["name_value_list"]
            .as_object()
            .unwrap()
            .clone();
        let send = |change: &[(&str, &str)]| {
            let mut fields = shown.clone();
            for (name, value) in change {
                fields.insert((*name).to_owned(), json!({"name": name, "value": value}));
            }
            let fields = if as_list {
                fields.into_iter().map(|(_, pair)| pair).collect()
            } else {
                let pairs = fields
                    .into_iter()
                    .map(|(name, pair)| (name, pair["value"].clone()));
                Value::Object(pairs.collect())
            };
            let arguments =
                json!({"session": SESSION, "module_name": "Contacts", "name_value_list": fields});
            stage.call("set_entry", &arguments)
        };
        stage.reached();
        let reply = send(&[("phone_work", "01 99 00 77 66")]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["id"], "c-1");
        assert_eq!(
            reply.json()["entry_list"]["phone_work"]["value"],
            "01 99 00 77 66"
        );
        let written: Vec<_> = stage
            .reached()
            .into_iter()
            .filter(|(method, _)| method == "set_entry")
            .collect();
        assert_eq!(
            written[0].1,
            json!([SESSION, "Contacts", [{"name": "id", "value": "c-1"}, {"name": "phone_work", "value": "01 99 00 77 66"}], false])
        );
        // Words around the masked IBAN are edited, in the spelling that was shown: the IBAN is still there.
        let text = shown["description"]["value"].as_str().unwrap();
        let reply = send(&[("description", &format!("{text} Rappeler."))]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let held = stage.crm.value("description");
        let held = held.as_str().unwrap();
        assert!(
            held.contains(IBAN) && held.ends_with("rien d&#039;autre. Rappeler."),
            "{held}"
        );
        assert_eq!(stage.crm.value("iban_c"), IBAN);
        assert_eq!(stage.crm.value("nir_c"), NIR);
        // Nothing at all is changed: the record is answered as an update answers.
        stage.reached();
        let reply = send(&[(
            "description",
            stage.ok(
                "get_entry",
                &json!([SESSION, "Contacts", "c-1", ["description"]]),
            )["entry_list"][0]["name_value_list"]["description"]["value"]
                .as_str()
                .unwrap(),
        )]);
        assert_eq!(reply.json()["id"], "c-1", "{}", reply.text());
        assert!(reply.json()["entry_list"].is_object());
        assert!(
            !stage
                .reached()
                .iter()
                .any(|(method, _)| method == "set_entry")
        );
        for change in [
            ("iban_c", "FR76 **** 123"),
            ("nir_c", "1"),
            ("religion_c", "x"),
            ("iban_c", ""),
        ] {
            let reply = send(&[change]);
            assert_eq!(reply.status, 403, "{change:?} {}", reply.text());
        }
        assert_eq!(stage.crm.value("iban_c"), IBAN);
    }
}

#[test]
fn several_records_are_written_and_several_modules_searched_one_by_one() {
    let stage = Stage::of("Sales");
    let lists =
        json!([[{"name": "last_name", "value": "Lot"}], [{"name": "religion_c", "value": "x"}]]);
    let reply = stage.ok("set_entries", &json!([SESSION, "Contacts", lists]));
    assert_eq!(reply, json!({"ids": ["c-1", null]}));
    let methods: Vec<String> = stage
        .reached()
        .into_iter()
        .map(|(method, _)| method)
        .collect();
    assert_eq!(methods, ["set_entry"]);
    let found = stage.ok(
        "search_by_module",
        &json!([
            SESSION,
            "Lot",
            ["Contacts", "Cases", "Accounts"],
            0,
            5,
            "",
            ["id", "iban_c", "last_name"]
        ]),
    );
    assert_eq!(found["entry_list"][0]["name"], "Contacts");
    assert!(
        found["entry_list"][0]["records"][0]["iban_c"]["value"]
            .as_str()
            .unwrap()
            .contains('•')
    );
    assert_eq!(
        found["entry_list"][1],
        json!({"name": "Accounts", "records": []})
    );
    // Nobody said what is searched in cases.
    assert_eq!(found["entry_list"].as_array().unwrap().len(), 2);
    let modules: Vec<Value> = stage
        .reached()
        .into_iter()
        .map(|(_, arguments)| arguments[2].clone())
        .collect();
    assert_eq!(modules, [json!(["Contacts"]), json!(["Accounts"])]);
    let refused = stage.call(
        "set_entries",
        &json!([SESSION, "Contacts", [{"religion_c": "x"}]]),
    );
    assert_eq!(
        (refused.status, &refused.json()["number"]),
        (403, &json!(40))
    );
}

#[test]
fn sessions_begin_are_looked_up_from_the_same_address_and_end() {
    let stage = Stage::of("Sales");
    let login = stage.ok(
        "login",
        &json!({"user_auth": {"user_name": "ada", "password": "x", "version": "1"}, "application_name": "x", "name_value_list": []}),
    );
    assert_eq!(
        login,
        json!({"id": "a-new-session", "module_name": "Users", "name_value_list": {"user_id": {"name": "user_id", "value": "u-1"}}})
    );
    stage.upstream.take_all();
    stage.ok("get_entry", &json!([SESSION, "Contacts", "c-1", ["id"]]));
    stage.ok("get_entry", &json!([SESSION, "Contacts", "c-1", ["id"]]));
    let asked = stage.upstream.take_all();
    assert_eq!(asked.len(), 6, "four look-ups once, and two calls");
    for request in &asked {
        assert_eq!(request.line, format!("POST {PATH} HTTP/1.1"));
        assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(request.header("cookie"), None);
        assert_eq!(request.header("authorization"), None);
    }
    let event = stage.world.events().pop().unwrap();
    assert_eq!(event["caller"]["name"], "ada", "{event}");
    assert_eq!(stage.ok("logout", &json!([SESSION])), Value::Null);
    stage.upstream.take_all();
    stage.ok("get_user_id", &json!([SESSION]));
    let asked = stage.upstream.take_all();
    assert_eq!(asked.len(), 5, "whose session it is must be asked again");
    // Clients log in anew when they read this number in a reply of success. Everything else says that it was refused.
    for (session, reason) in [("nobodys", "bad-credential"), ("", "no-credential")] {
        let reply = stage.call("get_entry", &json!([session, "Contacts", "c-1", []]));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let words = "The session ID is invalid";
        assert_eq!(reply.json(), error("Invalid Session ID", 11, words));
        assert_eq!(reply.header("www-authenticate"), None);
        assert_eq!(reply.header("paravent-withheld"), None);
        let counted = format!("paravent_refusals_total{{reason=\"{reason}\"}} 1");
        let metrics = stage.world.metrics();
        assert!(metrics.contains(&counted), "{metrics}");
    }
}

#[test]
fn what_is_refused_never_reaches_the_crm() {
    let stage = Stage::of("Sales");
    let good = || stage.form("get_entry", &json!([SESSION, "Contacts", "c-1", []]));
    for (target, body, status) in [
        ("/service/v1/rest.php".to_owned(), good(), 403),
        ("/service/v2/soap.php".to_owned(), good(), 403),
        ("/soap.php".to_owned(), good(), 403),
        ("/index.php".to_owned(), good(), 403),
        (
            "/custom/service/v4_1_custom/rest.php".to_owned(),
            good(),
            403,
        ),
        (format!("{PATH}?method=get_entry_list"), good(), 400),
        (format!("{PATH}?jsoncallback=cb"), good(), 400),
        (format!("{PATH}?PHPSESSID=x"), good(), 400),
        (
            PATH.to_owned(),
            [good(), b"&method=get_entry_list".to_vec()].concat(),
            400,
        ),
        (
            PATH.to_owned(),
            good()
                .strip_prefix(b"method=")
                .map(|rest| [b"method=seamless_login&x=", rest].concat())
                .unwrap(),
            400,
        ),
        (
            PATH.to_owned(),
            stage.form("seamless_login", &json!([SESSION])),
            403,
        ),
        (
            PATH.to_owned(),
            stage.form("get_note_attachment", &json!([SESSION, "n-1"])),
            403,
        ),
        (
            PATH.to_owned(),
            stage.form("get_entry_list", &json!([SESSION, "OAuth2Tokens"])),
            403,
        ),
        (
            PATH.to_owned(),
            stage.form("get_entry_list", &json!([SESSION, "EmailAddresses"])),
            403,
        ),
        (
            PATH.to_owned(),
            stage.form("get_entry_list", &json!([SESSION, "Contacts", "1=1"])),
            400,
        ),
        (
            PATH.to_owned(),
            stage.form(
                "get_relationships",
                &json!([SESSION, "Contacts", "c-1", "created_by"]),
            ),
            403,
        ),
    ] {
        let reply = stage.post(&target, body);
        assert_eq!(reply.status, status, "{target} {}", reply.text());
        let refusal = reply.json();
        assert!(refusal["name"].is_string() && refusal["number"].is_number());
    }
    assert_eq!(stage.reached(), []);
    // A bearer token is none of this API's credentials, alone or beside a session.
    for body in [
        good(),
        stage.form("get_entry", &json!(["", "Contacts", "c-1", []])),
    ] {
        let request = Request {
            method: "POST",
            target: PATH,
            headers: vec![
                (
                    "Content-Type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
                ("Authorization", "Bearer abc".to_owned()),
            ],
            body: Some(body),
        };
        let reply = stage.world.send_request(stage.world.proxy, &request);
        // Two credentials, or one that is no session.
        assert!(
            matches!(
                (reply.status, reply.json()["number"].as_u64()),
                (400, Some(1001)) | (200, Some(11))
            ),
            "{}",
            reply.text()
        );
    }
    assert_eq!(stage.reached(), []);
}

#[test]
fn errors_of_the_crm_lose_their_words() {
    let stage = Stage::of("Sales");
    let reply = stage.call("get_entry_list", &json!([SESSION, "Cases"]));
    assert_eq!(reply.status, 200);
    assert_eq!(
        (&reply.json()["name"], &reply.json()["number"]),
        (&json!("Access Denied"), &json!(40))
    );
    let reply = stage.call("get_entries", &json!([SESSION, "Contacts", ["c-1"]]));
    assert_eq!(reply.status, 500);
    assert_eq!(reply.json()["name"], "Invalid Call Error");
}

#[test]
fn a_record_that_is_gone_is_told_as_the_crm_tells_it_and_never_written() {
    let stage = Stage::of("Sales");
    let gone = stage.ok("get_entry", &json!([SESSION, "Contacts", "c-9", []]));
    let told = &gone["entry_list"][0]["name_value_list"];
    assert_eq!(told[1], json!({"name": "deleted", "value": "1"}));
    assert!(told[0]["value"].as_str().unwrap().starts_with("Access"));
    let fields = json!({"id": "c-9", "last_name": "D"});
    let reply = stage.call("set_entry", &json!([SESSION, "Contacts", fields]));
    assert_eq!(
        (reply.status, reply.json()["number"].clone()),
        (404, json!(51))
    );
    let written = stage.reached();
    assert!(!written.iter().any(|(method, _)| method == "set_entry"));
}

#[test]
fn a_dump_of_variables_is_no_reply() {
    let upstream = Scripted::start(|request| {
        let (method, _) = call(&request.body);
        let role = entries("ACLRoles", &[json!({"id": "r-1", "name": "Sales"})]);
        let user = entries(
            "Users",
            &[json!({"id": "u-1", "user_name": "ada", "is_admin": "0"})],
        );
        match (
            method.as_str(),
            request.body.windows(5).any(|part| part == b"Users"),
        ) {
            ("get_user_id", _) => scripted::json(200, b"\"u-1\""),
            ("get_entry", true) => scripted::json(200, user.to_string().as_bytes()),
            ("get_relationships", true) => scripted::json(200, role.to_string().as_bytes()),
            _ => {
                let body = format!("Array\n(\n    [iban_c] => {IBAN}\n)\n");
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                head.into_bytes()
            }
        }
    });
    let stage = Stage {
        world: World::scripted(
            upstream.address,
            Wish {
                dialects: vec![dialect::by_name("sugar-v4").unwrap()],
                sources: vec![Source {
                    path: "boats.yaml".to_owned(),
                    text: POLICY.to_owned(),
                }],
                ..Wish::default()
            },
        ),
        crm: Crm::new("Sales"),
        upstream,
    };
    stage.world.forbid("iban_c", IBAN);
    let reply = stage.call("get_entry", &json!([SESSION, "Contacts", "c-1", []]));
    assert_eq!(reply.status, 502, "{}", reply.text());
}

#[test]
fn custom_links_are_learned_from_the_crm_as_its_answers_pass() {
    let stage = Stage::of("Sales");
    let crew = json!([
        SESSION,
        "acme_Boats",
        "b-1",
        "crew",
        "",
        ["id", "iban_c", "nir_c"]
    ]);
    assert_eq!(stage.call("get_relationships", &crew).status, 403);
    let described = stage.ok("get_module_fields", &json!([SESSION, "acme_Boats"]));
    assert_eq!(
        described["module_fields"]["name"],
        json!({"name": "name", "type": "name", "options": []})
    );
    let related = stage.ok("get_relationships", &crew);
    let record = &related["entry_list"][0];
    assert!(value(record, "iban_c").as_str().unwrap().contains('•'));
    assert_eq!(value(record, "nir_c"), &Value::Null);
}

/// What clients spell in another way, and the CRM reads as the same.
#[test]
fn spellings_of_the_same_call_are_answered_alike() {
    let stage = Stage::of("Sales");
    let arguments = json!([SESSION, "Contacts", "c-1", ["id", "phone_work", "iban_c"]]);
    let expected = stage.ok("get_entry", &arguments);
    assert!(
        value(&expected["entry_list"][0], "iban_c")
            .as_str()
            .unwrap()
            .contains('•')
    );
    let form = stage.form("get_entry", &arguments);
    stage.reached();
    for target in [
        format!("{PATH}?"),
        format!("{PATH}?get_entry"),
        format!("{PATH}?method=get_entry&input_type=JSON"),
        format!("{PATH}?_=1732291200000"),
        format!("{PATH}/"),
    ] {
        let reply = stage.post(&target, form.clone());
        assert_eq!(
            (reply.status, reply.json()),
            (200, expected.clone()),
            "{target}"
        );
        let lines: Vec<String> = stage
            .upstream
            .take_all()
            .iter()
            .map(|one| one.line.clone())
            .collect();
        assert_eq!(lines, [format!("POST {PATH} HTTP/1.1")], "{target}");
    }
    for version in ["v2", "v2_1", "v3", "v3_1", "v4"] {
        let target = format!("/service/{version}/rest.php");
        let reply = stage.post(&target, form.clone());
        assert_eq!(
            (reply.status, reply.json()),
            (200, expected.clone()),
            "{target}"
        );
        let asked = stage.upstream.take_all().pop().unwrap();
        assert_eq!(asked.line, format!("POST {target} HTTP/1.1"));
    }
    for query in ["set_entry", "method=set_entry", "jsoncallback=cb", "x=1"] {
        let reply = stage.post(&format!("{PATH}?{query}"), form.clone());
        assert_eq!(reply.status, 400, "{query}");
        let told = reply.text();
        let name = query.split('=').next().unwrap();
        assert!(told.contains(&format!("\\\"{name}\\\"")), "{told}");
    }
    assert!(stage.upstream.take_all().is_empty());
}

#[test]
fn calls_in_query_strings_are_let_in_only_where_the_listener_says_so() {
    let arguments = json!([SESSION, "Contacts", "c-1", ["id", "iban_c"]]);
    let login = json!([{"user_name": "ada", "password": "x"}, "x", []]);
    let get = |stage: &Stage, method: &str, arguments: &Value| {
        let query = String::from_utf8(stage.form(method, arguments)).unwrap();
        let request = Request {
            method: "GET",
            target: &format!("{PATH}?{query}"),
            headers: Vec::new(),
            body: None,
        };
        stage.world.send_request(stage.world.proxy, &request)
    };
    let stage = Stage::of("Sales");
    for (method, arguments) in [("get_entry", &arguments), ("login", &login)] {
        let reply = get(&stage, method, arguments);
        assert_eq!(
            (reply.status, &reply.json()["number"]),
            (400, &json!(1001)),
            "{method}"
        );
        assert!(reply.text().contains("query string"), "{}", reply.text());
    }
    // Nor do they stand there beside a form.
    let form = stage.form("get_entry", &arguments);
    let target = format!("{PATH}?{}", String::from_utf8(form.clone()).unwrap());
    assert_eq!(stage.post(&target, form).status, 400);
    assert!(stage.upstream.take_all().is_empty());

    let stage = Stage::with(
        "Sales",
        Wish {
            v4_get: true,
            ..Wish::default()
        },
    );
    let expected = stage.ok("get_entry", &arguments);
    let reply = get(&stage, "get_entry", &arguments);
    assert_eq!((reply.status, reply.json()), (200, expected));
    assert_eq!(get(&stage, "login", &login).json()["id"], "a-new-session");
    for request in stage.upstream.take_all() {
        assert_eq!(request.line, format!("POST {PATH} HTTP/1.1"));
    }
    let nobody = get(&stage, "get_entry", &json!(["nobodys", "Contacts", "c-1"]));
    assert_eq!((nobody.status, &nobody.json()["number"]), (200, &json!(11)));
}

#[test]
fn replies_of_version_2_are_held_to_the_same_rules() {
    let stage = Stage::of("Sales");
    let call = |method: &str, arguments: &Value| {
        let reply = stage.post("/service/v2/rest.php", stage.form(method, arguments));
        assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        reply.json()
    };
    let links = json!([{"name": "accounts", "value": ["name", "iban_c"]}, {"name": "email_addresses", "value": []}]);
    let list = call(
        "get_entry_list",
        &json!([
            SESSION,
            "Contacts",
            "",
            "",
            0,
            ["id", "iban_c", "nir_c"],
            links,
            5,
            0
        ]),
    );
    assert!(list.get("total_count").is_none(), "{list}");
    assert!(
        value(&list["entry_list"][0], "iban_c")
            .as_str()
            .unwrap()
            .contains('•')
    );
    let accounts = &list["relationship_list"][0][0];
    assert_eq!(accounts["name"], "accounts", "{list}");
    assert!(
        accounts["records"][0]["iban_c"]["value"]
            .as_str()
            .unwrap()
            .contains('•')
    );
    assert_eq!(
        call("get_available_modules", &json!([SESSION])),
        json!({"modules": ["Contacts"]})
    );
    let written = call(
        "set_entry",
        &json!([SESSION, "Contacts", {"id": "c-1", "first_name": "Zo"}]),
    );
    assert_eq!(written, json!({"id": "c-1"}));
    assert_eq!(stage.crm.value("first_name"), "Zo");
    // A mask is no value in this version either.
    call(
        "set_entry",
        &json!([SESSION, "Contacts", {"id": "c-1", "first_name": "Z", "iban_c": value(&list["entry_list"][0], "iban_c")}]),
    );
    assert_eq!(stage.crm.value("iban_c"), IBAN);
}

#[test]
fn what_tells_persons_apart_is_asked_for_beside_what_is_chosen_and_where_nothing_is_it_is_not() {
    let policy = POLICY.replace(
        "legal_basis: contract\n",
        "legal_basis: contract\n    despite_restriction: true\n",
    ) + "people: { Contacts: { kind: customer, email: email1 }, Accounts: none }
limits: [ { name: people, count: persons, max: 1/h, then: block } ]
";
    let stage = Stage::under(policy, "Sales", Wish::default());
    let arguments = json!({
        "session": SESSION, "module_name": "Contacts", "query": "", "order_by": "", "offset": 0,
        "select_fields": ["last_name"], "link_name_to_fields_array": [], "max_results": 20, "deleted": 0
    });
    let list = stage.ok("get_entry_list", &arguments);
    let record = &list["entry_list"][0];
    assert_eq!(value(record, "last_name"), "D&#039;Hauteville");
    assert!(
        record["name_value_list"].get("email1").is_none(),
        "{record}"
    );
    let (_, asked) = stage.reached().pop().unwrap();
    assert!(asked.to_string().contains("email1"), "{asked}");
    // It is the same record, whoever it is about.
    let search = json!([SESSION, "Zo", ["Contacts"], 0, 20, "", []]);
    let found = stage.ok("search_by_module", &search);
    assert!(found.to_string().contains("Hauteville"), "{found}");
    let (_, asked) = stage.reached().pop().unwrap();
    assert!(!asked.to_string().contains("email1"), "{asked}");
}

#[test]
fn addresses_that_are_asked_for_alone_count_as_the_record_whose_they_are() {
    let persons = "limits: [ { name: bulk, count: records, max: 1/h, then: block } ]\n";
    let stage = Stage::under(POLICY.to_owned() + persons, "Sales", Wish::default());
    let addresses = |id: &str| {
        let link = json!([SESSION, "Contacts", id, "email_addresses"]);
        let reply = stage.call("get_relationships", &link);
        let limited = stage.world.decision(&reply).pop().unwrap();
        limited["outcome"]["kind"] == "limited"
    };
    assert!(!addresses("c-1"));
    assert!(!addresses("c-1"));
    assert!(addresses("c-2"));
}
