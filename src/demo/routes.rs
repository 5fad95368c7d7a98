//! Which request does what.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::arguments::{arguments, decoded};
use super::query::{Ask, projection};
use super::record::View;
use super::schema::{self, Link, MODULES, Module};
use super::store::{Mark, stamp, text};
use super::{Account, Crm, Fault, State};

/// A request, or one part of a bulk request.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
    pub(super) accept: Option<&'a str>,
    pub(super) token: Option<&'a str>,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
}

/// Status and body of a reply.
pub(super) type Answer = (u16, Value);

type Arguments = Map<String, Value>;

/// How many parts a bulk request may have.
const PARTS_MAX: usize = 100;

/// A logged-in request to a module.
struct Call<'a> {
    state: &'a mut State,
    account: &'static Account,
    module: &'static Module,
    arguments: &'a Arguments,
    now: Timestamp,
}

/// Answers a request.
pub(super) fn answer(crm: &Crm, request: &Request<'_>) -> Answer {
    match crm.state().answer(request, true) {
        Ok(body) => (200, body),
        Err(fault) => (
            fault.status,
            json!({"error": fault.label, "error_message": fault.text}),
        ),
    }
}

impl State {
    fn answer(&mut self, request: &Request<'_>, may_hold_parts: bool) -> Result<Value, Fault> {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((request.target, ""));
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decoded)
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let segments = versionless(&segments, request.accept)?;
        let arguments = arguments(query, request.body)?;
        let now = request.now;
        match (request.method, segments) {
            ("POST", ["oauth2", "token"]) => return self.sessions.token(&arguments, now),
            ("GET", ["ping"]) => return Ok(json!("pong")),
            ("GET", ["ping", "whattimeisit"]) => return Ok(stamp(now)),
            ("GET", ["metadata", "public"]) => {
                return Ok(json!({"modules": {}, "_hash": hash("public")}));
            }
            ("GET", ["lang", "public", language]) => return Ok(labels(language)),
            _ => {}
        }
        let account = self.sessions.account(request.token, now)?;
        match (request.method, segments) {
            ("POST", ["oauth2", "logout"]) => {
                self.sessions.end(request.token.unwrap_or_default());
                Ok(json!({"success": true}))
            }
            ("GET", ["me"]) => Ok(json!({"current_user": me(account)})),
            ("GET", ["me", "preferences"]) => Ok(preferences()),
            ("GET", ["me", "preference", name]) => Ok(preferences()[*name].clone()),
            ("GET" | "POST", ["metadata"]) => Ok(metadata(&arguments)),
            ("GET", ["lang", language]) => Ok(labels(language)),
            ("GET", ["metadata", "_hash"]) => Ok(json!(hash("metadata"))),
            ("GET", ["ACLRoles"]) => Ok(roles(&arguments)),
            ("POST", ["bulk"]) if may_hold_parts => self.bulk(request, &arguments),
            (_, [name, rest @ ..]) => {
                let module = schema::module(name).ok_or_else(Fault::no_method)?;
                let mut call = Call {
                    state: self,
                    account,
                    module,
                    arguments: &arguments,
                    now,
                };
                call.answer(request.method, rest)
            }
            _ => Err(Fault::no_method()),
        }
    }

    /// Answers each part by itself; a part that fails leaves the others alone.
    fn bulk(&mut self, outer: &Request<'_>, arguments: &Arguments) -> Result<Value, Fault> {
        let parts = arguments.get("requests").and_then(Value::as_array);
        let parts = parts.ok_or_else(|| {
            Fault::new(
                422,
                "missing_parameter",
                "Missing required parameter: requests",
            )
        })?;
        if parts.len() > PARTS_MAX {
            return Err(Fault::invalid(format!(
                "Too many requests: {}",
                parts.len()
            )));
        }
        let mut answers = Vec::new();
        for part in parts {
            let body = match &part["data"] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let url = part["url"]
                .as_str()
                .unwrap_or_default()
                .trim_start_matches('/');
            let request = Request {
                method: part["method"].as_str().unwrap_or("GET"),
                target: &format!("/rest/{url}"),
                accept: None,
                body: body.as_bytes(),
                ..*outer
            };
            let (status, contents) = match self.answer(&request, false) {
                Ok(body) => (200, body),
                Err(fault) => (
                    fault.status,
                    json!({"error": fault.label, "error_message": fault.text}),
                ),
            };
            answers.push(json!({"contents": contents, "headers": [], "status": status}));
        }
        Ok(Value::Array(answers))
    }
}

/// Takes `rest` and the version off: `v10`, `v11`, `v11_24`, or none if the `Accept` header has it.
fn versionless<'a, 'b>(
    segments: &'a [&'b str],
    accept: Option<&str>,
) -> Result<&'a [&'b str], Fault> {
    let wrong = || {
        Fault::new(
            301,
            "incorrect_version",
            "The version of the API is not supported.",
        )
    };
    let ["rest", segments @ ..] = segments else {
        return Err(Fault::no_method());
    };
    let is_version = |segment: &str| {
        let number = segment.strip_prefix('v').unwrap_or_default();
        number == "10"
            || number == "11"
            || number
                .strip_prefix("11_")
                .is_some_and(|minor| minor.parse::<u8>().is_ok())
    };
    match segments {
        [first, rest @ ..] if is_version(first) => Ok(rest),
        _ if accept.is_some_and(|accept| accept.contains("version=")) => Ok(segments),
        _ => Err(wrong()),
    }
}

impl Call<'_> {
    fn answer(&mut self, method: &str, rest: &[&str]) -> Result<Value, Fault> {
        match (method, rest) {
            ("GET", []) | ("GET" | "POST", ["filter"]) => self.list(),
            ("GET", ["count"]) | ("GET" | "POST", ["filter", "count"]) => self.count(),
            ("POST", []) => self.create(),
            ("GET", [id]) => self.read(id),
            ("PUT", [id]) => self.update(id),
            ("DELETE", [id]) => self.delete(id),
            ("PUT", [id, "favorite"]) => self.favorite(id, true),
            ("DELETE", [id, "favorite"]) | ("PUT", [id, "unfavorite"]) => self.favorite(id, false),
            ("POST", [id, "link"]) => self.relate_many(id),
            ("GET", [id, "link", name]) | ("GET" | "POST", [id, "link", name, "filter"]) => {
                self.list_linked(id, name)
            }
            ("GET", [id, "link", name, what @ ("count" | "leancount")])
            | ("GET", [id, "link", name, "filter", what @ "count"]) => {
                self.count_linked(id, name, *what == "leancount")
            }
            ("POST", [id, "link", name]) => self.create_linked(id, name),
            ("POST" | "PUT", [id, "link", name, other]) => self.relate(id, name, other, true),
            ("DELETE", [id, "link", name, other]) => self.relate(id, name, other, false),
            _ => Err(Fault::no_method()),
        }
    }

    fn view(&self) -> View<'_> {
        View {
            store: &self.state.store,
            user: self.account.id,
            now: self.now,
        }
    }

    fn list(&self) -> Result<Value, Fault> {
        let ask = Ask::read(self.module, self.arguments)?;
        Ok(self
            .view()
            .list(self.module, self.state.store.rows(self.module), &ask))
    }

    fn count(&self) -> Result<Value, Fault> {
        let ask = Ask::read(self.module, self.arguments)?;
        let count = self
            .view()
            .count(self.module, self.state.store.rows(self.module), &ask);
        Ok(json!({"record_count": count}))
    }

    /// A record, narrowed to `fields` if the request names some.
    fn shown(&self, id: &str) -> Result<Value, Fault> {
        let fields = projection(self.module, self.arguments, 0)?;
        let row = self.state.store.found(self.module, id)?;
        Ok(self.view().record(self.module, row, fields.as_deref()))
    }

    fn read(&mut self, id: &str) -> Result<Value, Fault> {
        let shown = self.shown(id)?;
        self.state.store.saw(self.account.id, id, self.now);
        Ok(shown)
    }

    fn create(&mut self) -> Result<Value, Fault> {
        let id = self
            .state
            .store
            .create(self.module, self.arguments, self.account.id, self.now)?;
        self.shown(&id)
    }

    fn update(&mut self, id: &str) -> Result<Value, Fault> {
        self.state
            .store
            .update(self.module, id, self.arguments, self.account.id, self.now)?;
        self.shown(id)
    }

    fn delete(&mut self, id: &str) -> Result<Value, Fault> {
        self.state.store.found(self.module, id)?;
        self.state.store.remove(self.module, id);
        Ok(json!({"id": id}))
    }

    fn favorite(&mut self, id: &str, is_set: bool) -> Result<Value, Fault> {
        self.state.store.found(self.module, id)?;
        self.state
            .store
            .mark(Mark::Favorite, self.account.id, id, is_set);
        self.shown(id)
    }

    fn link(&self, name: &str) -> Result<(&'static Link, &'static Module), Fault> {
        let link = self.module.link(name);
        link.and_then(|link| Some((link, schema::module(link.target)?)))
            .ok_or_else(|| {
                Fault::new(
                    404,
                    "not_found",
                    format!("Could not find a relationship named: {name}"),
                )
            })
    }

    fn list_linked(&self, id: &str, name: &str) -> Result<Value, Fault> {
        let (link, target) = self.link(name)?;
        let row = self.state.store.found(self.module, id)?;
        let ask = Ask::read(target, self.arguments)?;
        Ok(self
            .view()
            .list(target, self.state.store.linked(row, link), &ask))
    }

    fn count_linked(&self, id: &str, name: &str, is_lean: bool) -> Result<Value, Fault> {
        let (link, target) = self.link(name)?;
        let row = self.state.store.found(self.module, id)?;
        let ask = Ask::read(target, self.arguments)?;
        let count = self
            .view()
            .count(target, self.state.store.linked(row, link), &ask);
        Ok(if is_lean {
            json!({"record_count": count, "has_more": false})
        } else {
            json!({"record_count": count})
        })
    }

    /// Both records of a relation, whole.
    fn both(&self, id: &str, target: &Module, other: &str) -> Result<Value, Fault> {
        let (view, store) = (self.view(), &self.state.store);
        Ok(json!({
            "record": view.record(self.module, store.found(self.module, id)?, None),
            "related_record": view.record(target, store.found(target, other)?, None),
        }))
    }

    fn create_linked(&mut self, id: &str, name: &str) -> Result<Value, Fault> {
        let (link, target) = self.link(name)?;
        self.state.store.found(self.module, id)?;
        let other = self
            .state
            .store
            .create(target, self.arguments, self.account.id, self.now)?;
        self.state.store.relate(link, id, &other, true);
        self.both(id, target, &other)
    }

    fn relate(&mut self, id: &str, name: &str, other: &str, is_set: bool) -> Result<Value, Fault> {
        let (link, target) = self.link(name)?;
        let store = &mut self.state.store;
        let row = store.found(self.module, id)?;
        store.found(target, other)?;
        if !is_set
            && !store
                .linked(row, link)
                .iter()
                .any(|row| text(row, "id") == other)
        {
            return Err(Fault::new(
                404,
                "not_found",
                format!("Could not find related record: {other}"),
            ));
        }
        store.relate(link, id, other, is_set);
        self.both(id, target, other)
    }

    fn relate_many(&mut self, id: &str) -> Result<Value, Fault> {
        let name = self
            .arguments
            .get("link_name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (link, target) = self.link(name)?;
        let ids: Vec<&str> = self
            .arguments
            .get("ids")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().or_else(|| item["id"].as_str()))
            .collect();
        let store = &mut self.state.store;
        store.found(self.module, id)?;
        for other in &ids {
            store.found(target, other)?;
        }
        for other in &ids {
            store.relate(link, id, other, true);
        }
        let (view, store) = (self.view(), &self.state.store);
        let related: Result<Vec<Value>, Fault> = ids
            .iter()
            .map(|other| Ok(view.record(target, store.found(target, other)?, None)))
            .collect();
        Ok(
            json!({"record": view.record(self.module, store.found(self.module, id)?, None), "related_records": related?}),
        )
    }
}

fn me(account: &Account) -> Value {
    let (kind, is_admin) = if account.is_admin() {
        ("admin", "yes")
    } else {
        ("user", "no")
    };
    let acl: Map<String, Value> = MODULES
        .iter()
        .map(|module| {
            let rights = json!({"fields": [], "admin": is_admin, "developer": is_admin, "_hash": hash(module.name)});
            (module.name.to_owned(), rights)
        })
        .collect();
    let names: Vec<&str> = MODULES.iter().map(|module| module.name).collect();
    let roles: Vec<&str> = account.role.into_iter().collect();
    json!({
        "type": kind, "id": account.id, "user_name": account.name,
        "full_name": account.full_name(), "first_name": account.first_name, "last_name": account.last_name,
        "email": [{"email_address": format!("{}@example.com", account.name), "primary_address": "1", "opt_out": "0", "invalid_email": "0"}],
        "is_manager": false, "is_top_level_manager": false, "reports_to_id": "", "reports_to_name": "",
        "show_wizard": false, "picture": "", "preferences": preferences(),
        "my_teams": [{"id": "1", "name": "Global"}], "private_team_id": account.id, "primary_team": {"id": "1", "name": "Global"},
        "roles": roles, "products": ["SUGAR_SERVE"], "licenses": ["SUGAR_SERVE"],
        "acl": acl, "module_list": names, "_hash": hash(account.name),
    })
}

/// The roles that accounts have, as a list of records.
fn roles(arguments: &Arguments) -> Value {
    let number = |name: &str, usual: usize| {
        let text = arguments.get(name).and_then(Value::as_str);
        text.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let names = super::ACCOUNTS.iter().filter_map(|account| account.role);
    let page = names.skip(number("offset", 0)).take(number("max_num", 20));
    let records: Vec<Value> = page
        .map(|name| json!({"id": hash(name), "_module": "ACLRoles", "name": name}))
        .collect();
    json!({"next_offset": -1, "records": records})
}

fn preferences() -> Value {
    json!({
        "timezone": "Europe/Paris", "datepref": "d/m/Y", "timepref": "H:i", "currency_id": "-99", "currency_iso": "EUR",
        "currency_symbol": "€", "decimal_separator": ",", "number_grouping_separator": " ", "language": "fr_FR",
        "default_locale_name_format": "s f l",
    })
}

fn metadata(arguments: &Arguments) -> Value {
    let listed = |key: &str, name: &str| match arguments.get(key) {
        Some(Value::String(names)) if !names.is_empty() => names.split(',').any(|one| one == name),
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        _ => true,
    };
    let mut told = Map::new();
    if listed("type_filter", "modules") {
        let modules: Map<String, Value> = MODULES
            .iter()
            .filter(|module| listed("module_filter", module.name))
            .map(|module| (module.name.to_owned(), module.described()))
            .collect();
        told.insert("modules".into(), Value::Object(modules));
    }
    if listed("type_filter", "full_module_list") {
        let names: Map<String, Value> = MODULES
            .iter()
            .map(|module| (module.name.to_owned(), json!(module.name)))
            .collect();
        told.insert("full_module_list".into(), Value::Object(names));
    }
    told.insert(
        "server_info".into(),
        json!({"flavor": "ENT", "version": "14.0.0", "product_name": "Demo"}),
    );
    told.insert("_hash".into(), json!(hash("metadata")));
    Value::Object(told)
}

/// The demo has no words of its own: clients show the names of fields.
fn labels(language: &str) -> Value {
    json!({"app_strings": {}, "app_list_strings": {}, "mod_strings": {}, "_hash": hash(language)})
}

/// A fixed fingerprint of a name, as the CRM gives one of each part of its metadata (FNV-1a).
pub(super) fn hash(name: &str) -> String {
    let fold = |hash: u128, byte: u8| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    };
    format!(
        "{:032x}",
        name.bytes()
            .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_10_to_11_x_are_answered_in_path_or_accept_header() {
        for version in ["v10", "v11", "v11_0", "v11_24"] {
            assert_eq!(versionless(&["rest", version, "me"], None), Ok(&["me"][..]));
        }
        let accept = Some("application/vnd.sugarcrm.core+json; version=11.24");
        assert_eq!(versionless(&["rest", "me"], accept), Ok(&["me"][..]));
        for version in ["v9", "v12", "v11_", "11", "me"] {
            let fault = versionless(&["rest", version, "me"], None).unwrap_err();
            assert_eq!(fault.label, "incorrect_version");
        }
        assert_eq!(versionless(&["soap"], None).unwrap_err().status, 404);
    }
}
