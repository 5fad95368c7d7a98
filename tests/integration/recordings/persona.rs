//! Somebody with a role, as each CRM describes them when it is asked whose session a credential is.

use serde_json::{Value, json};

use crate::harness::scripted::{Received, json as reply};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Persona {
    pub role: &'static str,
}

const ID: &str = "7";

impl Persona {
    /// The answer to a question about the session; `None` if the request is none.
    pub fn answer(self, request: &Received) -> Option<Vec<u8>> {
        let mut line = request.line.split(' ');
        let (method, target) = (line.next()?, line.next()?);
        let path = target.split('?').next()?;
        let body = match (method, path) {
            ("POST", path) if path.ends_with("/rest.php") => self.v4(&request.body)?,
            ("GET", path) if path.ends_with("/V8/current-user") => json!({"data": {
                "type": "User", "id": ID,
                "attributes": {"id": ID, "user_name": "somebody", "is_admin": "0"},
            }}),
            ("GET", path) if path.ends_with(&format!("/Users/{ID}/relationships/aclroles")) => {
                let role = json!({"type": "ACLRole", "id": "r", "attributes": {"name": self.role}});
                json!({"meta": {"total-records": 1, "total-pages": 1, "records-on-this-page": 1}, "data": [role]})
            }
            ("GET", path) if path.contains(&format!("/Users/{ID}/relationships/")) => {
                json!({"meta": {"message": "Request was successful, but there is no result"}, "data": []})
            }
            ("GET", path) if path.ends_with("/users/info") => {
                json!({"id": ID, "login": "somebody", "admin": "0", "rights": {}})
            }
            ("GET", path) if path.ends_with(&format!("/users/{ID}/groups")) => {
                json!([{"id": 1, "nom": self.role, "name": self.role}])
            }
            ("GET", path) if path.ends_with("/App/user") => json!({"user": {
                "id": ID, "userName": "somebody", "type": "regular", "name": "Somebody",
                "teamsIds": ["t"], "teamsNames": {"t": self.role}, "rolesIds": ["r"], "rolesNames": {"r": self.role},
            }}),
            ("GET", path) if path.ends_with(&format!("/User/{ID}")) => json!({
                "id": ID, "userName": "somebody", "type": "regular", "isActive": true,
                "rolesIds": ["r"], "rolesNames": {"r": self.role}, "teamsIds": [], "teamsNames": {},
            }),
            ("GET", path) if path.ends_with("/me") => {
                return Some(crate::harness::scripted::me("somebody", self.role));
            }
            _ => return None,
        };
        Some(reply(200, body.to_string().as_bytes()))
    }

    fn v4(self, body: &[u8]) -> Option<Value> {
        let (method, arguments) = call(body)?;
        let field = |name: &str, value: &str| json!({"name": name, "value": value});
        match method.as_str() {
            "get_user_id" => Some(json!(ID)),
            "get_entry" if argument(&arguments, 2, "id") == json!(ID) => {
                let fields = json!({"id": field("id", ID), "user_name": field("user_name", "somebody"), "is_admin": field("is_admin", "0")});
                Some(json!({
                    "entry_list": [{"id": ID, "module_name": "Users", "name_value_list": fields}],
                    "relationship_list": [],
                }))
            }
            "get_relationships" if argument(&arguments, 2, "module_id") == json!(ID) => {
                let link = argument(&arguments, 3, "link_field_name");
                let fields = json!({"id": field("id", "r"), "name": field("name", self.role)});
                let role = json!({"id": "r", "module_name": "ACLRoles", "name_value_list": fields});
                let entries = if link == json!("aclroles") {
                    vec![role]
                } else {
                    Vec::new()
                };
                Some(json!({"entry_list": entries, "relationship_list": []}))
            }
            _ => None,
        }
    }
}

/// The method and arguments of a v4_1 call, however its body says them.
pub fn call(body: &[u8]) -> Option<(String, Value)> {
    let text = std::str::from_utf8(body).ok()?;
    let mut method = None;
    let mut arguments = Value::Null;
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=')?;
        let value = value.replace('+', " ");
        let value = percent_encoding::percent_decode_str(&value)
            .decode_utf8()
            .ok()?;
        match name {
            "method" => method = Some(value.to_ascii_lowercase()),
            "rest_data" => arguments = serde_json::from_str(&value).ok()?,
            _ => {}
        }
    }
    Some((method?, arguments))
}

/// An argument by its place or its name.
pub fn argument(arguments: &Value, place: usize, name: &str) -> Value {
    let found = match arguments {
        Value::Array(list) => list.get(place),
        Value::Object(named) => named.get(name).or_else(|| named.get(&place.to_string())),
        _ => None,
    };
    found.cloned().unwrap_or(Value::Null)
}
