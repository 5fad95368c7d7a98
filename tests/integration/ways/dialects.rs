//! No confused deputy, whatever API the CRM has: with `[list, read, count]` of contacts nothing else passes.

use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::Wish;

use super::rig::{Behind, Plan, Rig};

/// Puts a proof into a header.
type Put = fn(&str) -> (&'static str, String);

/// An API: how the account is known to it, how its modules and fields are called, what may be asked, and what may not.
struct Api {
    dialect: String,
    service: &'static str,
    /// Of people, of companies, of accounts of the CRM.
    modules: [&'static str; 3],
    name: &'static str,
    script: fn(&Received) -> Vec<u8>,
    allowed: Vec<(String, Option<Value>)>,
    refused: Vec<(String, Option<Value>)>,
    /// What is more than it looks like, by the role that may only do what it looks like.
    sneaky: Vec<(&'static str, (String, Option<Value>))>,
    /// Headers in which a token or a key is put where a credential of the CRM is expected.
    misplaced: Vec<Put>,
}

fn policy(api: &Api) -> Vec<Source> {
    let ([people, companies, accounts], name) = (api.modules, api.name);
    let may = format!("actions: {{ {people}: [list, read, count] }}");
    let text = format!(
        r#"
policy: ways
classify:
  "*": {{ id: technical.id, deleted: technical.id }}
  {people}: {{ {name}: identity.name, iban_c: financial.iban, description: free_text }}
  {companies}: {{ name: work.organisation }}
  {accounts}: {{ {name}: work.position }}
defaults: {{ unclassified: redact, ungranted: redact }}
roles:
  portal: {{ from: {{ claim.roles: portal, token: company }}, default_purpose: contract, {may} }}
  erp: {{ from: {{ key: erp }}, kind: machine, purposes: contract, region: FR, {may} }}
  writer:
    from: {{ claim.roles: writer, token: company }}
    default_purpose: contract
    actions: {{ {people}: [list, read, count, create, update, relate], {accounts}: [list, read, count, create, update, delete, relate] }}
  maker: {{ from: {{ claim.roles: maker, token: company }}, default_purpose: contract, actions: {{ {people}: [create] }} }}
  editor: {{ from: {{ claim.roles: editor, token: company }}, default_purpose: contract, actions: {{ {people}: [list, read, update] }} }}
  payer: {{ from: {{ claim.roles: payer, token: company }}, default_purpose: contract, {may} }}
auth:
  strong: {{ acr: [phr], max_age: 15m }}
purposes:
  contract: {{ label: {{ en: Contract, fr: Contrat }}, legal_basis: contract, roles: [portal, erp, writer, maker, editor, payer] }}
grants:
  - {{ name: last-digits, roles: payer, data: financial.iban, level: mask }}
  - {{ name: iban, roles: payer, purposes: contract, data: financial.iban, requires: {{ auth: strong }}, ask: step-up, level: clear }}
  - {{ name: all, roles: [portal, erp, writer, maker, editor, payer], data: [technical, identity, work, free_text], level: clear, write: allow }}
search:
  {people}: [{name}]
  {companies}: [name]
"#
    );
    vec![Source {
        path: "ways.yaml".to_owned(),
        text,
    }]
}

const BUILT: [&str; 2] = ["sugar-v4", "suitecrm-v8"];

fn try_all(api: &Api) {
    let plan = Plan {
        dialect: &api.dialect,
        service: api.service,
        listeners: &["identity: [token, key]", "identity: [crm-session, token]"],
        sources: policy(api),
        wish: Wish::default(),
    };
    let rig = Rig::new(Behind::Scripted(Scripted::start(api.script)), plan);
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let mut wrong = Vec::new();
    for headers in [[("Paravent-Token", &*token)], [("Paravent-Key", &*key)]] {
        for (line, body) in &api.refused {
            let (reply, heard) = rig.hearing(|| rig.send(0, line, &headers, body.as_ref()));
            let says_no = (400..500).contains(&reply.status)
                || api.dialect == BUILT[0] && reply.text().contains("\"number\"");
            if !says_no || reply.status == 401 || !heard.is_empty() {
                wrong.push(format!(
                    "{line} {body:?}: {} {} {heard:?}",
                    reply.status,
                    reply.text()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for headers in [[("Paravent-Token", &*token)], [("Paravent-Key", &*key)]] {
        for (line, body) in &api.allowed {
            let reply = rig.send(0, line, &headers, body.as_ref());
            assert_eq!(reply.status, 200, "{line}: {}", reply.text());
            assert!(
                reply.text().contains("Martin") || reply.text().contains('1'),
                "{line}: {}",
                reply.text()
            );
            assert_eq!(
                rig.event(&reply)["caller"]["id"],
                match headers[0].0 {
                    "Paravent-Key" => json!("key:erp"),
                    _ => json!("company:u-4711"),
                }
            );
        }
    }
    // What would change who may do what is refused whatever the policy says.
    sneaks(&rig, api);
    misplaces(&rig, api, &token, &key);
    let writer = rig.token(&["writer"], json!({}));
    for (line, body) in api
        .refused
        .iter()
        .filter(|(line, body)| writes_accounts(api, line, body.as_ref()))
    {
        let (reply, heard) =
            rig.hearing(|| rig.send(0, line, &[("Paravent-Token", &writer)], body.as_ref()));
        let says_no = (400..500).contains(&reply.status) || reply.text().contains("\"number\"");
        assert!(
            says_no && heard.is_empty(),
            "{line}: {} {heard:?}",
            reply.status
        );
    }
}

/// A deletion that looks like an update, a relation that looks like a field, an update that looks like a creation.
fn sneaks(rig: &Rig, api: &Api) {
    let mut wrong = Vec::new();
    for (role, (line, body)) in &api.sneaky {
        let token = rig.token(&[role], json!({}));
        let (reply, heard) =
            rig.hearing(|| rig.send(0, line, &[("Paravent-Token", &token)], body.as_ref()));
        let says_no = (400..600).contains(&reply.status) || reply.text().contains("\"number\"");
        // What is there may be looked at first.
        let is_written = heard.iter().any(|line| !line.starts_with("GET"));
        if !says_no || is_written {
            wrong.push(format!(
                "{role} {line} {body:?}: {} {} {heard:?}",
                reply.status,
                reply.text()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Tokens and keys in the places of the CRM's credentials end here.
fn misplaces(rig: &Rig, api: &Api, token: &str, key: &str) {
    let (line, body) = &api.allowed[0];
    for proof in [token, key] {
        let own = api.misplaced.iter().map(|put| put(proof));
        let pair = basic(&format!("ada:{proof}"));
        let usual = [
            ("Authorization", format!("Bearer {proof}")),
            ("Authorization", format!("Basic {pair}")),
            (
                "Authorization",
                format!("Basic {}", basic(&format!("{proof}:x"))),
            ),
            ("OAuth-Token", proof.to_owned()),
        ];
        for (name, value) in own.chain(usual) {
            let (reply, heard) =
                rig.hearing(|| rig.send(1, line, &[(name, &value)], body.as_ref()));
            let says_no = (400..404).contains(&reply.status) || reply.text().contains("\"number\"");
            assert!(
                says_no && heard.is_empty(),
                "{name}: {} {heard:?}",
                reply.status
            );
        }
        // The legacy API has its place for a session.
        if let Some(Value::String(form)) = body {
            let put = form.replace(
                "session%22%3A%22%22",
                &format!("session%22%3A%22{proof}%22"),
            );
            assert_ne!(put, *form);
            let (reply, heard) = rig.hearing(|| rig.send(1, line, &[], Some(&Value::String(put))));
            assert!(
                reply.text().contains("\"number\"") && heard.is_empty(),
                "{heard:?}"
            );
        }
    }
}

fn basic(pair: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(pair)
}

fn writes_accounts(api: &Api, line: &str, body: Option<&Value>) -> bool {
    let said = format!("{line} {}", body.map(Value::to_string).unwrap_or_default());
    let is_write = !line.starts_with("GET") && (api.dialect != BUILT[0] || said.contains("set_"));
    is_write && (said.contains(api.modules[2]) || said.contains("ACLRole") || said.contains("Team"))
}

fn contact(name: &str) -> Value {
    json!({"id": "c-1", name: "Martin", "iban_c": "FR7630006000011234567890189"})
}

fn lines(all: &[&str]) -> Vec<(String, Option<Value>)> {
    all.iter().map(|line| ((*line).to_owned(), None)).collect()
}

fn ok(body: &Value) -> Vec<u8> {
    scripted::json(200, body.to_string().as_bytes())
}

/// A call of the legacy API without a session of anybody.
fn call(method: &str, arguments: Value) -> (String, Option<Value>) {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let form = format!(
        "method={method}&input_type=JSON&response_type=JSON&rest_data={}",
        encode(&arguments.to_string())
    );
    (
        "POST /service/v4_1/rest.php".to_owned(),
        Some(Value::String(form)),
    )
}

#[test]
fn the_legacy_api() {
    fn crm(request: &Received) -> Vec<u8> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let named = json!({"id": {"name": "id", "value": "c-1"}, "last_name": {"name": "last_name", "value": "Martin"}});
        let entry = json!({"id": "c-1", "module_name": "Contacts", "name_value_list": named});
        ok(&match () {
            () if body.contains("method=login") => {
                json!({"id": "a-session-of-the-account", "module_name": "Users", "name_value_list": {}})
            }
            () if body.contains("get_entries_count") => json!({"result_count": "1"}),
            () if body.contains("get_entry_list") => {
                json!({"result_count": 1, "total_count": "1", "next_offset": 1, "entry_list": [entry], "relationship_list": []})
            }
            () => json!({"entry_list": [entry], "relationship_list": []}),
        })
    }
    let list = |module: &str, links: Value, favorites: i32, query: &str| {
        json!({"session": "", "module_name": module, "query": query, "order_by": "", "offset": 0, "select_fields": ["last_name"],
               "link_name_to_fields_array": links, "max_results": 2, "deleted": 0, "favorites": favorites})
    };
    let entry = |module: &str, links: Value| json!({"session": "", "module_name": module, "id": "c-1", "select_fields": ["last_name"], "link_name_to_fields_array": links});
    let write = |module: &str, pairs: Value| json!({"session": "", "module_name": module, "name_value_list": pairs});
    let pair = |name: &str, value: &str| json!({"name": name, "value": value});
    try_all(&Api {
        dialect: "sugar-v4".to_owned(),
        service: "{ user: paravent, password: { file: svc.pw } }",
        modules: ["Contacts", "Accounts", "Users"],
        name: "last_name",
        script: crm,
        allowed: vec![
            call("get_entry_list", list("Contacts", json!([]), 0, "")),
            call("get_entry", entry("Contacts", json!([]))),
            call(
                "get_entries_count",
                json!({"session": "", "module_name": "Contacts", "query": "", "deleted": 0}),
            ),
        ],
        refused: vec![
            call(
                "login",
                json!({"user_auth": {"user_name": "ada", "password": "5ebe2294ecd0e0f08eab7690d2a6ee69"}, "application_name": "x", "name_value_list": []}),
            ),
            call("logout", json!({"session": ""})),
            call("get_user_id", json!({"session": ""})),
            call(
                "get_available_modules",
                json!({"session": "", "filter": "all"}),
            ),
            call(
                "get_module_fields",
                json!({"session": "", "module_name": "Contacts", "fields": []}),
            ),
            call(
                "get_module_fields_md5",
                json!({"session": "", "module_name": ["Contacts"]}),
            ),
            call("get_entry_list", list("Accounts", json!([]), 0, "")),
            call("get_entry_list", list("Users", json!([]), 0, "")),
            call("get_entry_list", list("Contacts", json!([]), 1, "")),
            call(
                "get_entry_list",
                list(
                    "Contacts",
                    json!([{"name": "accounts", "value": ["name"]}]),
                    0,
                    "",
                ),
            ),
            call(
                "get_entry_list",
                list(
                    "Contacts",
                    json!([{"name": "assigned_user_link", "value": ["user_name"]}]),
                    0,
                    "",
                ),
            ),
            call(
                "get_entry_list",
                list("Contacts", json!([]), 0, "accounts.name LIKE 'A%'"),
            ),
            call("get_entry", entry("Accounts", json!([]))),
            call("get_entry", entry("Users", json!([]))),
            call(
                "get_entry",
                entry("Contacts", json!([{"name": "accounts", "value": ["name"]}])),
            ),
            call(
                "get_entries",
                json!({"session": "", "module_name": "Accounts", "ids": ["a-1"], "select_fields": ["name"]}),
            ),
            call(
                "get_entries_count",
                json!({"session": "", "module_name": "Accounts", "query": "", "deleted": 0}),
            ),
            call(
                "get_relationships",
                json!({"session": "", "module_name": "Contacts", "module_id": "c-1", "link_field_name": "accounts", "related_module_query": "", "related_fields": ["name"], "related_module_link_name_to_fields_array": [], "deleted": 0}),
            ),
            call(
                "get_relationships",
                json!({"session": "", "module_name": "Accounts", "module_id": "a-1", "link_field_name": "contacts", "related_module_query": "", "related_fields": ["last_name"], "related_module_link_name_to_fields_array": [], "deleted": 0}),
            ),
            call(
                "set_entry",
                write("Contacts", json!([pair("last_name", "x")])),
            ),
            call(
                "set_entry",
                write("Contacts", json!([pair("id", "c-1"), pair("deleted", "1")])),
            ),
            call(
                "set_entry",
                write("Users", json!([pair("id", "1"), pair("is_admin", "1")])),
            ),
            call("set_entry", write("ACLRoles", json!([pair("name", "x")]))),
            call(
                "set_relationship",
                json!({"session": "", "module_name": "Contacts", "module_id": "c-1", "link_field_name": "accounts", "related_ids": ["a-1"], "name_value_list": [], "delete": 0}),
            ),
            call(
                "search_by_module",
                json!({"session": "", "search_string": "Mar", "modules": ["Accounts"], "offset": 0, "max_results": 5, "assigned_user_id": "", "select_fields": [], "unified_search_only": false, "favorites": false}),
            ),
            call(
                "search_by_module",
                json!({"session": "", "search_string": "Mar", "modules": ["Contacts"], "offset": 0, "max_results": 5, "assigned_user_id": "", "select_fields": [], "unified_search_only": false, "favorites": true}),
            ),
        ],
        sneaky: vec![
            (
                "editor",
                call(
                    "set_entry",
                    write("Contacts", json!([pair("id", "c-1"), pair("deleted", "1")])),
                ),
            ),
            (
                "editor",
                call(
                    "set_entry",
                    write("Contacts", json!([pair("last_name", "x")])),
                ),
            ),
            (
                "editor",
                call(
                    "set_entry",
                    write(
                        "Contacts",
                        json!([
                            pair("id", "c-1"),
                            pair("new_with_id", "1"),
                            pair("last_name", "x")
                        ]),
                    ),
                ),
            ),
            (
                "editor",
                call(
                    "set_entries",
                    json!({"session": "", "module_name": "Users", "name_value_lists": [[pair("id", "1"), pair("is_admin", "1")]]}),
                ),
            ),
            (
                "writer",
                call(
                    "set_entry",
                    write("Contacts", json!([pair("id", "c-1"), pair("deleted", "1")])),
                ),
            ),
            (
                "writer",
                call(
                    "set_entries",
                    json!({"session": "", "module_name": "Users", "name_value_lists": [[pair("id", "1"), pair("last_name", "x")]]}),
                ),
            ),
            (
                "writer",
                call(
                    "set_relationship",
                    json!({"session": "", "module_name": "Contacts", "module_id": "c-1", "link_field_name": "assigned_user_link", "related_ids": ["1"], "name_value_list": [], "delete": 0}),
                ),
            ),
            (
                "maker",
                call(
                    "set_entry",
                    write(
                        "Contacts",
                        json!([pair("id", "c-1"), pair("last_name", "x")]),
                    ),
                ),
            ),
            ("maker", call("get_entry", entry("Contacts", json!([])))),
        ],
        misplaced: vec![],
    });
    step_up(crm);
}

/// A session that has ended is told with a status of success; that stronger authentication is needed is not.
fn step_up(crm: fn(&Received) -> Vec<u8>) {
    let api = Api {
        dialect: BUILT[0].to_owned(),
        service: "{ user: paravent, password: { file: svc.pw } }",
        modules: ["Contacts", "Accounts", "Users"],
        name: "last_name",
        script: crm,
        allowed: vec![],
        refused: vec![],
        sneaky: vec![],
        misplaced: vec![],
    };
    let plan = Plan {
        dialect: &api.dialect,
        service: api.service,
        listeners: &["identity: token"],
        sources: policy(&api),
        wish: Wish::default(),
    };
    let rig = Rig::new(Behind::Scripted(Scripted::start(crm)), plan);
    let token = rig.token(&["payer"], json!({}));
    let ask = |fields: Value| {
        let (line, body) = call(
            "get_entry",
            json!({"session": "", "module_name": "Contacts", "id": "c-1", "select_fields": fields, "link_name_to_fields_array": []}),
        );
        rig.hearing(|| rig.send(0, &line, &[("Paravent-Token", &token)], body.as_ref()))
    };
    let (reply, heard) = ask(json!(["last_name", "iban_c"]));
    assert_eq!(heard, [""; 0]);
    assert_eq!(reply.status, 401);
    assert!(reply.text().contains("\"number\""), "{}", reply.text());
    assert_eq!(
        reply.header("www-authenticate"),
        Some("Bearer error=\"insufficient_user_authentication\", acr_values=\"phr\", max_age=900")
    );
    assert_eq!(reply.header("paravent-step-up"), None);
    assert_eq!(rig.event(&reply)["outcome"]["kind"], json!("challenged"));
    let (reply, _) = ask(json!([]));
    assert_eq!(
        reply.header("paravent-step-up"),
        Some("acr_values=\"phr\", max_age=900")
    );
    assert!(!reply.text().contains("\"number\""), "{}", reply.text());
    assert_eq!(ask(json!(["last_name"])).0.header("paravent-step-up"), None);
}

#[test]
fn json_api() {
    fn crm(request: &Received) -> Vec<u8> {
        let one = json!({"type": "Contact", "id": "c-1", "attributes": {"last_name": "Martin", "iban_c": "FR7630006000011234567890189"}});
        ok(&match request.line.as_str() {
            line if line.contains("access_token") => {
                json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "a-session-of-the-account"})
            }
            line if line.contains("/Contacts/") => json!({"data": one}),
            _ => json!({"meta": {"total-pages": 1, "records-on-this-page": 1}, "data": [one]}),
        })
    }
    let mut refused = lines(&[
        "GET /Api/V8/current-user",
        "GET /Api/V8/meta/modules",
        "GET /Api/V8/meta/fields/Contacts",
        "GET /Api/V8/meta/swagger.json",
        "GET /Api/V8/user-preferences/1",
        "GET /Api/V8/listview/columns/Contacts",
        "GET /Api/V8/search-defs/module/Contacts",
        "GET /Api/V8/module/Accounts",
        "GET /Api/V8/module/Accounts/a-1",
        "GET /Api/V8/module/Users",
        "GET /Api/V8/module/Users/1",
        "GET /Api/V8/module/Contacts/c-1/relationships/accounts",
        "GET /Api/V8/module/Contacts/c-1/relationships/assigned_user_link",
        "GET /Api/V8/module/Accounts/a-1/relationships/contacts",
        "GET /Api/V8/module/Contacts?filter[accounts.name][eq]=A",
        "DELETE /Api/V8/module/Contacts/c-1",
        "DELETE /Api/V8/module/Users/1",
        "DELETE /Api/V8/module/Contacts/c-1/relationships/accounts/a-1",
    ]);
    for (line, body) in [
        (
            "POST /Api/access_token",
            json!({"grant_type": "password", "client_id": "a", "client_secret": "b", "username": "ada", "password": "x"}),
        ),
        ("POST /Api/V8/logout", json!({})),
        (
            "POST /Api/V8/module",
            json!({"data": {"type": "Contacts", "attributes": {"last_name": "x"}}}),
        ),
        (
            "POST /Api/V8/module",
            json!({"data": {"type": "Users", "attributes": {"user_name": "x"}}}),
        ),
        (
            "PATCH /Api/V8/module",
            json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "x"}}}),
        ),
        (
            "PATCH /Api/V8/module",
            json!({"data": {"type": "Users", "id": "1", "attributes": {"is_admin": "1"}}}),
        ),
        (
            "PATCH /Api/V8/module",
            json!({"data": {"type": "ACLRoles", "id": "1", "attributes": {"name": "1"}}}),
        ),
        (
            "POST /Api/V8/module/Contacts/c-1/relationships",
            json!({"data": {"type": "Accounts", "id": "a-1"}}),
        ),
        (
            "POST /Api/V8/module/Contacts/c-1/relationships",
            json!({"data": {"type": "Users", "id": "1"}}),
        ),
    ] {
        refused.push((line.to_owned(), Some(body)));
    }
    try_all(&Api {
        dialect: "suitecrm-v8".to_owned(),
        service: "{ user: paravent, password: { file: svc.pw }, client_id: c-1, client_secret: { file: svc.pw } }",
        modules: ["Contacts", "Accounts", "Users"],
        name: "last_name",
        script: crm,
        allowed: lines(&[
            "GET /Api/V8/module/Contacts?fields[Contacts]=last_name&page[size]=2",
            "GET /Api/V8/module/Contacts/c-1",
        ]),
        refused,
        sneaky: vec![
            (
                "editor",
                (
                    "PATCH /Api/V8/module".to_owned(),
                    Some(
                        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"deleted": "1"}}}),
                    ),
                ),
            ),
            (
                "editor",
                (
                    "PATCH /Api/V8/module".to_owned(),
                    Some(
                        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "x"}, "relationships": {"accounts": {"data": [{"type": "Accounts", "id": "a-1"}]}}}}),
                    ),
                ),
            ),
            (
                "editor",
                (
                    "POST /Api/V8/module".to_owned(),
                    Some(
                        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "x"}}}),
                    ),
                ),
            ),
            (
                "editor",
                (
                    "POST /Api/V8/module/Contacts/c-1/relationships/accounts".to_owned(),
                    Some(json!({"data": {"type": "Accounts", "id": "a-1"}})),
                ),
            ),
            (
                "maker",
                (
                    "PATCH /Api/V8/module".to_owned(),
                    Some(
                        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "x"}}}),
                    ),
                ),
            ),
            (
                "maker",
                (
                    "POST /Api/V8/module".to_owned(),
                    Some(
                        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "x"}}}),
                    ),
                ),
            ),
            ("maker", ("GET /Api/V8/module/Contacts".to_owned(), None)),
        ],
        misplaced: vec![],
    });
}

fn described(name: &str) -> String {
    format!(
        "{{ description: {}/examples/{name}/{name}.yaml }}",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn espocrm() {
    fn crm(request: &Received) -> Vec<u8> {
        let one = contact("lastName");
        ok(&match request.line.contains("/Contact/") {
            true => one,
            false => json!({"total": 1, "list": [one]}),
        })
    }
    let at = "GET /api/v1/";
    let where_ = |kind: &str, attribute: &str| {
        format!(
            "GET /api/v1/Contact?where[0][type]={kind}&where[0][attribute]={attribute}&where[0][value]=x1"
        )
    };
    let mut refused = lines(&[
        &format!("{at}App/user"),
        &format!("{at}Metadata"),
        &format!("{at}I18n"),
        &format!("{at}Account"),
        &format!("{at}Account/a1"),
        &format!("{at}User"),
        &format!("{at}User/1"),
        &format!("{at}Team"),
        &format!("{at}Contact/c1/accounts"),
        &format!("{at}Contact/c1/teams"),
        &format!("{at}Contact/c1/opportunities"),
        &format!("{at}Account/a1/contacts"),
        &format!("{at}Team/t1/users"),
        &format!("{at}Contact?boolFilterList[]=onlyMy"),
        &format!("{at}Contact?boolFilterList[0]=followed"),
        &format!("{at}Contact?boolFilterList[]=onlyMyTeam&select=lastName"),
        &format!("{at}Contact?where[0][type]=bool&where[0][value][]=onlyMy"),
        &format!("{at}Contact?whereGroup[0][type]=bool&whereGroup[0][value][]=shared"),
        "GET /api/v1/Contact?searchParams=%7B%22boolFilterList%22%3A%5B%22onlyMy%22%5D%7D",
        "GET /api/v1/Contact?searchParams=%7B%22where%22%3A%5B%7B%22type%22%3A%22bool%22%2C%22value%22%3A%5B%22onlyMy%22%5D%7D%5D%7D",
        &where_("linkedWith", "accounts"),
        &where_("linkedWith", "teams"),
        &where_("notLinkedWith", "opportunities"),
        &where_("isLinked", "account"),
        &where_("equals", "account.name"),
        &format!("{at}GlobalSearch?q=Mar"),
        &format!("{at}Contact?orderBy=account.name"),
        "DELETE /api/v1/Contact/c1",
        "DELETE /api/v1/User/1",
        "DELETE /api/v1/Contact/c1/accounts",
    ]);
    for (line, body) in [
        ("POST /api/v1/Contact", json!({"lastName": "x"})),
        ("PUT /api/v1/Contact/c1", json!({"lastName": "x"})),
        ("PUT /api/v1/User/1", json!({"type": "admin"})),
        ("POST /api/v1/User", json!({"userName": "x"})),
        ("POST /api/v1/Team", json!({"name": "x"})),
        ("PUT /api/v1/Preferences/1", json!({"x": "x"})),
        ("PUT /api/v1/Settings", json!({"x": "x"})),
        ("POST /api/v1/Contact/c1/accounts", json!({"id": "a1"})),
        ("POST /api/v1/Contact/c1/teams", json!({"id": "t1"})),
        ("PUT /api/v1/Contact/c1/subscription", json!({})),
        ("POST /api/v1/App/destroyAuthToken", json!({"token": "x"})),
    ] {
        refused.push((line.to_owned(), Some(body)));
    }
    try_all(&Api {
        dialect: described("espocrm"),
        service: "{ header: X-Api-Key, secret: { file: svc.pw } }",
        modules: ["Contact", "Account", "User"],
        name: "lastName",
        script: crm,
        allowed: lines(&[
            "GET /api/v1/Contact?maxSize=2&select=lastName",
            "GET /api/v1/Contact/c1",
            "GET /api/v1/Contact?where[0][type]=equals&where[0][attribute]=lastName&where[0][value]=Martin&maxSize=2",
        ]),
        refused,
        sneaky: vec![
            (
                "editor",
                (
                    "PUT /api/v1/Contact/c1".to_owned(),
                    Some(json!({"deleted": true})),
                ),
            ),
            (
                "editor",
                (
                    "PUT /api/v1/Contact/c1".to_owned(),
                    Some(json!({"lastName": "x", "accountsIds": ["a1"]})),
                ),
            ),
            (
                "editor",
                (
                    "PUT /api/v1/Contact/c1".to_owned(),
                    Some(json!({"teamsIds": ["t1"]})),
                ),
            ),
            (
                "editor",
                (
                    "POST /api/v1/Contact".to_owned(),
                    Some(json!({"lastName": "x"})),
                ),
            ),
            (
                "maker",
                (
                    "PUT /api/v1/Contact/c1".to_owned(),
                    Some(json!({"lastName": "x"})),
                ),
            ),
            ("maker", ("GET /api/v1/Contact/c1".to_owned(), None)),
        ],
        misplaced: vec![
            |proof| ("X-Api-Key", proof.to_owned()),
            |proof| ("Espo-Authorization", basic(&format!("ada:{proof}"))),
            |proof| ("X-Hmac-Authorization", basic(&format!("{proof}:x"))),
        ],
    });
}

#[test]
fn dolibarr() {
    fn crm(request: &Received) -> Vec<u8> {
        let one = json!({"id": "1", "lastname": "Martin"});
        ok(&match request.line.contains("/contacts/") {
            true => one,
            false => json!([one]),
        })
    }
    let mut refused = lines(&[
        "GET /api/index.php/users/info",
        "GET /api/index.php/users",
        "GET /api/index.php/users/1",
        "GET /api/index.php/users/login/admin",
        "GET /api/index.php/users/email/a%40b.example",
        "GET /api/index.php/users/1/groups",
        "GET /api/index.php/users/groups",
        "GET /api/index.php/users/groups/1",
        "GET /api/index.php/setup/extrafields",
        "GET /api/index.php/setup/dictionary/countries",
        "GET /api/index.php/thirdparties",
        "GET /api/index.php/thirdparties/1",
        "GET /api/index.php/thirdparties/email/a%40b.example",
        "GET /api/index.php/thirdparties/1/bankaccounts",
        "GET /api/index.php/invoices",
        "GET /api/index.php/agendaevents?user_ids=1",
        "GET /api/index.php/bankaccounts",
        "GET /api/index.php/members/1",
        "GET /api/index.php/status?x=1",
        "DELETE /api/index.php/contacts/1",
        "DELETE /api/index.php/thirdparties/1",
        "DELETE /api/index.php/users/1",
    ]);
    for (line, body) in [
        (
            "POST /api/index.php/login",
            json!({"login": "ada", "password": "x"}),
        ),
        ("POST /api/index.php/contacts", json!({"lastname": "x"})),
        ("PUT /api/index.php/contacts/1", json!({"lastname": "x"})),
        ("POST /api/index.php/users", json!({"login": "x"})),
        ("PUT /api/index.php/users/1", json!({"admin": "1"})),
        ("POST /api/index.php/thirdparties", json!({"name": "x"})),
        (
            "POST /api/index.php/thirdparties/1/bankaccounts",
            json!({"iban": "x"}),
        ),
        (
            "PUT /api/index.php/thirdparties/1/bankaccounts/1",
            json!({"iban": "x"}),
        ),
    ] {
        refused.push((line.to_owned(), Some(body)));
    }
    try_all(&Api {
        dialect: described("dolibarr"),
        service: "{ header: DOLAPIKEY, secret: { file: svc.pw } }",
        modules: ["contacts", "thirdparties", "users"],
        name: "lastname",
        script: crm,
        allowed: lines(&[
            "GET /api/index.php/contacts?limit=2",
            "GET /api/index.php/contacts/1",
        ]),
        refused,
        sneaky: vec![
            (
                "editor",
                (
                    "POST /api/index.php/contacts".to_owned(),
                    Some(json!({"lastname": "x"})),
                ),
            ),
            (
                "maker",
                (
                    "PUT /api/index.php/contacts/1".to_owned(),
                    Some(json!({"lastname": "x"})),
                ),
            ),
            ("maker", ("GET /api/index.php/contacts/1".to_owned(), None)),
        ],
        misplaced: vec![|proof| ("DOLAPIKEY", proof.to_owned())],
    });
}
