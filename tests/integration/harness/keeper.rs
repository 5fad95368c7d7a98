//! A CRM that keeps one record with one text, in each of the APIs, and has habits of its own about what it stores.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use paravent::dialect::engine::Described;
use paravent::dialect::{self, Dialect};
use paravent::policy::{Policy, Source};
use serde_json::{Value, json};

use super::client::{Request, Response};
use super::habits::Habit;
use super::scripted::{self, Received, Scripted};
use super::world::{Wish, World};

/// The CRM.
#[derive(Default)]
pub struct Keeper {
    text: Mutex<String>,
    habits: Mutex<Vec<Habit>>,
    /// Whether it refuses what is written, and whether it does so after it has stored it.
    refuses: Mutex<Option<Refuses>>,
    writes: Mutex<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuses {
    /// Nothing is stored.
    AtOnce,
    /// What is written is stored, and then the CRM fails.
    Afterwards,
    /// The first write is stored; later ones are not.
    AfterTheFirst,
}

/// The APIs in which it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    SugarRest,
    SugarV4,
    SuiteCrmV8,
    Dolibarr,
    EspoCrm,
}

pub const APIS: [Api; 5] = [
    Api::SugarRest,
    Api::SugarV4,
    Api::SuiteCrmV8,
    Api::Dolibarr,
    Api::EspoCrm,
];

/// The CRM, the proxy before it, and a caller who sees masks.
pub struct Stage {
    pub api: Api,
    pub crm: Arc<Keeper>,
    pub world: World,
    _upstream: Scripted,
}

impl Keeper {
    /// Begins anew with a text, as it was stored, and with habits.
    pub fn begin(&self, text: &str, habits: &[Habit], refuses: Option<Refuses>) {
        text.clone_into(&mut self.text.lock().unwrap());
        *self.habits.lock().unwrap() = habits.to_vec();
        *self.refuses.lock().unwrap() = refuses;
        *self.writes.lock().unwrap() = 0;
    }

    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    pub fn writes(&self) -> usize {
        *self.writes.lock().unwrap()
    }

    /// Stores a text; whether the CRM says so.
    fn store(&self, text: &Value) -> bool {
        let refuses = *self.refuses.lock().unwrap();
        let mut writes = self.writes.lock().unwrap();
        *writes += 1;
        let is_stored = match refuses {
            Some(Refuses::AtOnce) => false,
            Some(Refuses::AfterTheFirst) => *writes == 1,
            _ => true,
        };
        if is_stored {
            let text = text.as_str().unwrap_or_default().to_owned();
            let habits = self.habits.lock().unwrap();
            *self.text.lock().unwrap() =
                habits.iter().fold(text, |text, habit| habit.applied(&text));
        }
        is_stored && refuses != Some(Refuses::Afterwards)
    }
}

impl Stage {
    pub fn of(api: Api) -> Self {
        let crm = Arc::new(Keeper::default());
        let keeper = crm.clone();
        let upstream = Scripted::start(move |request| api.answer(&keeper, request));
        let world = World::scripted(upstream.address, api.wish());
        Self {
            api,
            crm,
            world,
            _upstream: upstream,
        }
    }

    /// The text, as the caller is shown it.
    pub fn read(&self) -> String {
        let reply = self.send(None, None);
        assert_eq!(reply.status, 200, "{:?}: {}", self.api, reply.text());
        let reply = reply.json();
        let text = match self.api {
            Api::SugarRest => &reply["description"],
            Api::SugarV4 => &reply["entry_list"][0]["name_value_list"]["description"]["value"],
            Api::SuiteCrmV8 => &reply["data"]["attributes"]["description"],
            Api::Dolibarr => &reply["note_private"],
            Api::EspoCrm => &reply["description"],
        };
        text.as_str()
            .unwrap_or_else(|| panic!("{:?}: {reply}", self.api))
            .to_owned()
    }

    pub fn write(&self, text: &str) -> Response {
        self.send(Some(text), None)
    }

    /// Writes the text if the record is still of the version of which it was read: in APIs that have such a header.
    pub fn write_if_unchanged(&self, text: &str) -> Response {
        self.send(Some(text), self.api.condition())
    }

    fn send(&self, text: Option<&str>, condition: Option<(&'static str, &str)>) -> Response {
        let (mut method, target, header, body, media) = self.api.request(text);
        if body.is_none() {
            method = "GET";
        }
        let mut headers = vec![header];
        headers.extend(body.as_ref().map(|_| ("Content-Type", media.to_owned())));
        headers.extend(condition.map(|(name, value)| (name, value.to_owned())));
        headers.retain(|(name, _)| !name.is_empty());
        let request = Request {
            method,
            target,
            headers,
            body,
        };
        self.world.send_request(self.world.proxy, &request)
    }
}

const SESSION: &str = "5e5510n0f5a11y";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

type Parts = (
    &'static str,
    &'static str,
    (&'static str, String),
    Option<Vec<u8>>,
    &'static str,
);

impl Api {
    fn wish(self) -> Wish {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let policy = |folder: &str| Policy::read(&root.join(folder)).unwrap();
        let described = |name: &str| {
            let path = root
                .join("examples")
                .join(name)
                .join(format!("{name}.yaml"));
            Arc::new(Described::load(&path).0.unwrap()) as Arc<dyn Dialect>
        };
        let (dialect, sources): (_, Vec<Source>) = match self {
            Self::SugarRest => (
                dialect::by_name("sugar-rest").unwrap(),
                paravent::demo::policy_sources(),
            ),
            Self::SugarV4 => (
                dialect::by_name("sugar-v4").unwrap(),
                policy("examples/suitecrm/policies"),
            ),
            Self::SuiteCrmV8 => (
                dialect::by_name("suitecrm-v8").unwrap(),
                policy("examples/suitecrm/policies"),
            ),
            Self::Dolibarr => (described("dolibarr"), policy("examples/dolibarr/policy")),
            Self::EspoCrm => (described("espocrm"), policy("examples/espocrm/policy")),
        };
        Wish {
            dialects: vec![dialect],
            sources,
            ..Wish::default()
        }
    }

    /// The header that says of which version a record was before anything was written, in APIs that have one.
    fn condition(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::SugarRest => Some(("X-Timestamp", "2026-03-02T09:15:00+00:00")),
            Self::EspoCrm => Some(("X-Version-Number", "7")),
            Self::SugarV4 | Self::SuiteCrmV8 | Self::Dolibarr => None,
        }
    }

    /// The request that reads the record, or writes its text.
    fn request(self, text: Option<&str>) -> Parts {
        let json = |body: Value| Some(body.to_string().into_bytes());
        match self {
            Self::SugarRest => {
                let body = text.and_then(|text| json(json!({"description": text})));
                (
                    "PUT",
                    "/rest/v11_24/Contacts/c-1",
                    ("OAuth-Token", "token".to_owned()),
                    body,
                    JSON,
                )
            }
            Self::SuiteCrmV8 => {
                let token = ("Authorization", format!("Bearer {SESSION}"));
                let body = text.and_then(|text| json(json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"description": text}}})));
                let target = if text.is_some() {
                    "/Api/V8/module"
                } else {
                    "/Api/V8/module/Contacts/c-1"
                };
                ("PATCH", target, token, body, "application/vnd.api+json")
            }
            Self::SugarV4 => {
                let (method, arguments) = match text {
                    None => (
                        "get_entry",
                        json!([SESSION, "Contacts", "c-1", [], [], false]),
                    ),
                    Some(text) => (
                        "set_entry",
                        json!([SESSION, "Contacts", [{"name": "id", "value": "c-1"}, {"name": "description", "value": text}]]),
                    ),
                };
                let encoded = percent_encoding::utf8_percent_encode(
                    &arguments.to_string(),
                    percent_encoding::NON_ALPHANUMERIC,
                )
                .to_string();
                let body = format!(
                    "method={method}&input_type=JSON&response_type=JSON&rest_data={encoded}"
                );
                (
                    "POST",
                    "/service/v4_1/rest.php",
                    ("", String::new()),
                    Some(body.into_bytes()),
                    FORM,
                )
            }
            Self::Dolibarr => {
                let body = text.and_then(|text| json(json!({"note_private": text})));
                (
                    "PUT",
                    "/api/index.php/contacts/248",
                    ("DOLAPIKEY", "key".to_owned()),
                    body,
                    JSON,
                )
            }
            Self::EspoCrm => {
                let body = text.and_then(|text| json(json!({"description": text})));
                (
                    "PUT",
                    "/api/v1/Contact/5320a1",
                    ("X-Api-Key", "key".to_owned()),
                    body,
                    JSON,
                )
            }
        }
    }

    fn answer(self, crm: &Keeper, request: &Received) -> Vec<u8> {
        let line = request.line.trim_end_matches(" HTTP/1.1");
        let (method, target) = line.split_once(' ').unwrap();
        let path = target.split('?').next().unwrap();
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        let failed = || scripted::json(500, b"{}");
        let is_of_then = self
            .condition()
            .is_some_and(|(name, _)| request.header(&name.to_ascii_lowercase()).is_some());
        if is_of_then && crm.writes() > 0 {
            return scripted::json(409, b"{}");
        }
        let said = match self {
            Self::SugarRest if path.ends_with("/me") => return scripted::me("sally", "Sales"),
            Self::SugarRest => {
                if method == "PUT" && !crm.store(&body()["description"]) {
                    return failed();
                }
                json!({"id": "c-1", "_module": "Contacts", "description": crm.text()})
            }
            Self::SugarV4 => return self.answer_v4(crm, &request.body),
            Self::SuiteCrmV8 => match path {
                "/Api/V8/current-user" => {
                    json!({"data": {"type": "User", "id": "u-1", "attributes": {"user_name": "ada", "is_admin": "0"}}})
                }
                path if path.ends_with("/aclroles") => {
                    json!({"data": [{"type": "ACLRole", "id": "r-1", "attributes": {"name": "Sales"}}]})
                }
                path if path.ends_with("/SecurityGroups") => json!({"data": []}),
                _ => {
                    if method == "PATCH" && !crm.store(&body()["data"]["attributes"]["description"])
                    {
                        return failed();
                    }
                    json!({"data": {"type": "Contact", "id": "c-1", "attributes": {"description": crm.text()}}})
                }
            },
            Self::Dolibarr => match path {
                "/api/index.php/users/info" => json!({"id": "3", "login": "sami", "admin": "0"}),
                path if path.ends_with("/groups") => json!([{"id": 1, "nom": "Support"}]),
                _ => {
                    if method == "PUT" && !crm.store(&body()["note_private"]) {
                        return failed();
                    }
                    json!({"id": "248", "note_private": crm.text()})
                }
            },
            Self::EspoCrm => match path {
                "/api/v1/App/user" => {
                    json!({"user": {"id": "6a", "userName": "ada", "type": "regular", "teamsIds": ["7"], "teamsNames": {"7": "Sales"}}})
                }
                _ => {
                    if method == "PUT" && !crm.store(&body()["description"]) {
                        return failed();
                    }
                    json!({"id": "5320a1", "description": crm.text()})
                }
            },
        };
        scripted::json(200, said.to_string().as_bytes())
    }

    fn answer_v4(self, crm: &Keeper, body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let pairs: BTreeMap<&str, String> = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name, decoded(value)))
            .collect();
        let arguments: Value = serde_json::from_str(&pairs["rest_data"]).unwrap();
        let entry = |module: &str, id: &str, fields: Value| {
            let pairs: serde_json::Map<String, Value> = fields
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), json!({"name": name, "value": value})))
                .collect();
            json!({"entry_list": [{"id": id, "module_name": module, "name_value_list": pairs}], "relationship_list": []})
        };
        let said = match (
            pairs["method"].as_str(),
            arguments[1].as_str().unwrap_or_default(),
        ) {
            ("get_user_id", _) => json!("u-1"),
            ("get_entry", "Users") => entry(
                "Users",
                "u-1",
                json!({"id": "u-1", "user_name": "ada", "is_admin": "0"}),
            ),
            ("get_relationships", _) if arguments[3] == "aclroles" => {
                entry("ACLRoles", "r-1", json!({"id": "r-1", "name": "Sales"}))
            }
            ("get_relationships", _) => {
                json!({"name": "Access Denied", "number": 40, "description": ""})
            }
            ("get_entry", _) => entry(
                "Contacts",
                "c-1",
                json!({"id": "c-1", "description": crm.text()}),
            ),
            ("set_entry", _) => {
                let pairs = arguments[2].as_array().unwrap();
                let text = pairs
                    .iter()
                    .find(|pair| pair["name"] == "description")
                    .unwrap();
                if !crm.store(&text["value"]) {
                    return scripted::json(
                        200,
                        br#"{"name":"Access Denied","number":40,"description":""}"#,
                    );
                }
                // This API's echo says what was sent, not what is stored.
                json!({"id": "c-1", "entry_list": {"description": {"name": "description", "value": text["value"]}}})
            }
            other => panic!("{other:?}"),
        };
        scripted::json(200, said.to_string().as_bytes())
    }
}
