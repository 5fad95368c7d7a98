//! What is about the caller, what changes who may do what, and what is done with the records of which module: of every
//! dialect, and of the descriptions that are shipped.

use std::sync::Arc;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dialect::engine::Described;
use crate::dialect::{Access, Bounds, Dialect, Exchange, Incoming, Understood, by_name};
use crate::vocabulary::{Action, Module};

const BOUNDS: Bounds = Bounds {
    page_max: 100,
    bulk_parts_max: 20,
    depth_max: 32,
};

fn native(name: &str) -> Arc<dyn Dialect> {
    by_name(name).unwrap()
}

fn example(name: &str) -> Arc<dyn Dialect> {
    let path = format!("{}/examples/{name}/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let (described, found) = Described::load(path.as_ref());
    Arc::new(described.unwrap_or_else(|| panic!("{}", found.render(false))))
}

/// The exchanges of a request: `GET /path?query`, a body after two blanks.
fn all(dialect: &dyn Dialect, request: &str) -> Vec<Box<dyn Exchange>> {
    let (line, body) = request.split_once("  ").unwrap_or((request, ""));
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let media = match body.starts_with("method=") {
        true => "application/x-www-form-urlencoded",
        false => "application/json",
    };
    let incoming = Incoming {
        method: &method.parse::<Method>().unwrap(),
        path,
        query,
        accept: None,
        content_type: (!body.is_empty()).then_some(media),
        controls: &[],
        body: body.as_bytes(),
    };
    match dialect.understand(&incoming, &BOUNDS) {
        Ok(Understood::One(one)) => vec![one],
        Ok(Understood::Bulk { parts, .. }) => parts.into_iter().map(Result::unwrap).collect(),
        Err(why) => panic!("{request}: {why:?}"),
    }
}

fn one(dialect: &dyn Dialect, request: &str) -> Box<dyn Exchange> {
    let mut all = all(dialect, request);
    assert_eq!(all.len(), 1, "{request}");
    all.pop().unwrap()
}

/// A call of the legacy API.
fn v4(method: &str, arguments: &str) -> String {
    let data = utf8_percent_encode(arguments, NON_ALPHANUMERIC);
    format!(
        "POST /service/v4_1/rest.php  method={method}&input_type=JSON&response_type=JSON&rest_data={data}"
    )
}

fn about(dialect: &dyn Dialect, request: &str) -> bool {
    one(dialect, request).operation().is_about_caller()
}

#[test]
fn in_sugars_api() {
    let sugar = native("sugar-rest");
    for request in [
        "GET /rest/v11/me",
        "GET /rest/v11/me/preferences",
        "GET /rest/v11/me/preference/datepref",
        "PUT /rest/v11/Contacts/c-1/favorite",
        "DELETE /rest/v11/Contacts/c-1/favorite",
        "PUT /rest/v11/Contacts/c-1/unfavorite",
        "GET /rest/v11/Contacts?my_items=1",
        "GET /rest/v11/Contacts/count?favorites=true",
        "GET /rest/v11/Accounts/a-1/link/contacts?my_items=1",
        "GET /rest/v11/search?q=x&module_list=Contacts&favorites=1",
        "GET /rest/v11/Contacts?filter[0][$owner]=",
        "GET /rest/v11/Contacts?filter[0][$favorite]=",
        "GET /rest/v11/Contacts?filter[0][$or][0][last_name]=x&filter[0][$or][1][$creator]=",
        "POST /rest/v11/Contacts/filter  {\"filter\":[{\"$and\":[{\"last_name\":\"x\"},{\"$tracker\":\"-7 DAY\"}]}]}",
        "POST /rest/v11/Accounts/filter  {\"fields\":[\"name\",{\"name\":\"contacts\",\"fields\":[\"last_name\"],\"filter\":[{\"$owner\":\"\"}]}]}",
    ] {
        assert!(about(&*sugar, request), "{request}");
    }
    for request in [
        "GET /rest/v11/Contacts",
        "GET /rest/v11/Contacts/c-1",
        "GET /rest/v11/Contacts?my_items=0",
        "GET /rest/v11/Contacts?filter[0][assigned_user_id]=1",
        "GET /rest/v11/metadata",
        "GET /rest/v11/ping",
        "GET /rest/v11/Users/1",
        "POST /rest/v11/Contacts  {\"last_name\":\"x\"}",
    ] {
        assert!(!about(&*sugar, request), "{request}");
    }
    for request in [
        "POST /rest/v11/oauth2/token  {\"grant_type\":\"refresh_token\",\"refresh_token\":\"r\"}",
        "POST /rest/v11/oauth2/logout",
    ] {
        assert_eq!(
            one(&*sugar, request).operation().action,
            Action::Auth,
            "{request}"
        );
    }
}

#[test]
fn in_the_legacy_api() {
    let suite = native("sugar-v4");
    for request in [
        v4("get_user_id", r#"["s"]"#),
        v4(
            "get_entry_list",
            r#"{"session":"s","module_name":"Contacts","favorites":true}"#,
        ),
        v4(
            "search_by_module",
            r#"{"session":"s","search_string":"x","modules":["Contacts"],"favorites":1}"#,
        ),
    ] {
        assert!(about(&*suite, &request), "{request}");
    }
    for request in [
        v4(
            "get_entry_list",
            r#"{"session":"s","module_name":"Contacts","favorites":false}"#,
        ),
        v4(
            "get_entry",
            r#"{"session":"s","module_name":"Users","id":"1"}"#,
        ),
        v4("get_available_modules", r#"["s"]"#),
        v4("get_server_info", ""),
    ] {
        assert!(!about(&*suite, &request), "{request}");
    }
    let login = v4(
        "login",
        r#"{"user_auth":{"user_name":"u","password":"p"},"application_name":"a"}"#,
    );
    for request in [login, v4("logout", r#"["s"]"#)] {
        assert_eq!(one(&*suite, &request).operation().action, Action::Auth);
    }
}

#[test]
fn in_suitecrms_jsonapi() {
    let suite = native("suitecrm-v8");
    for place in ["/Api", "/Api/index.php", "/legacy/Api"] {
        assert!(about(&*suite, &format!("GET {place}/V8/current-user")));
    }
    for request in [
        "GET /Api/V8/module/Users/1",
        "GET /Api/V8/module/Contacts",
        "GET /Api/V8/meta/modules",
    ] {
        assert!(!about(&*suite, request), "{request}");
    }
    let login = "POST /Api/access_token  {\"grant_type\":\"client_credentials\"}";
    for request in [login, "POST /Api/V8/logout"] {
        let exchange = one(&*suite, request);
        assert_eq!(exchange.operation().action, Action::Auth);
        assert!(matches!(
            exchange.operation().access,
            Access::Public | Access::Session
        ));
    }
}

#[test]
fn in_described_apis() {
    let espo = example("espocrm");
    for request in [
        "GET /api/v1/App/user",
        "GET /api/v1/app/User",
        "GET /api/v1/Contact?boolFilterList[]=onlyMy",
        "GET /api/v1/Contact?boolFilterList[]=followed",
        "GET /api/v1/Contact?searchParams=%7B%22boolFilterList%22:[%22onlyMyTeam%22]%7D",
        "GET /api/v1/Contact?where[0][type]=bool&where[0][value][]=onlyMy",
    ] {
        assert!(about(&*espo, request), "{request}");
    }
    for request in [
        "GET /api/v1/Contact",
        "GET /api/v1/User/5f8a1c2b3d4e5f6a7",
        "GET /api/v1/Metadata",
    ] {
        assert!(!about(&*espo, request), "{request}");
    }
    let dolibarr = example("dolibarr");
    for request in [
        "GET /api/index.php/users/info",
        "GET /api/index.php/Users/INFO.json",
        "GET /api/index.php/users/info/",
    ] {
        assert!(about(&*dolibarr, request), "{request}");
    }
    for request in [
        "GET /api/index.php/users/1",
        "GET /api/index.php/users/1/groups",
        "GET /api/index.php/contacts",
    ] {
        assert!(!about(&*dolibarr, request), "{request}");
    }
}

/// Whether every part of a request changes who may do what.
fn changes(dialect: &dyn Dialect, request: &str) -> bool {
    let all = all(dialect, request);
    let changes = |one: &dyn Exchange| one.operation().changes_access(dialect.schema());
    let count = all.iter().filter(|one| changes(&***one)).count();
    assert!(
        count == 0 || count == all.len(),
        "{request}: {count} of {}",
        all.len()
    );
    count > 0
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_decides_who_may_do_what_is_told_apart() {
    let (sugar, suite, json_api) = (
        native("sugar-rest"),
        native("sugar-v4"),
        native("suitecrm-v8"),
    );
    let (espo, dolibarr) = (example("espocrm"), example("dolibarr"));
    let relation = |module: &str, link: &str, delete: u8| {
        v4(
            "set_relationship",
            &format!(r#"["s","{module}","1","{link}",["2"],[],{delete}]"#),
        )
    };
    let document = |kind: &str| {
        format!(
            "{{\"data\":{{\"type\":\"{kind}\",\"id\":\"1\",\"attributes\":{{\"name\":\"x\"}}}}}}"
        )
    };
    for (dialect, request) in [
        (&sugar, "POST /rest/v11/Users  {\"last_name\":\"x\"}".to_owned()),
        (&sugar, "PUT /rest/v11/Users/1  {\"last_name\":\"x\"}".to_owned()),
        (&sugar, "DELETE /rest/v11/Teams/1".to_owned()),
        (&sugar, "PUT /rest/v11/ACLRoles/1  {\"name\":\"x\"}".to_owned()),
        (
            &sugar,
            "POST /rest/v11/Meetings/1/link/users/2".to_owned(),
        ),
        (&sugar, "POST /rest/v11/Contacts/1/link  {\"link_name\":\"assigned_user_link\",\"ids\":[\"1\"]}".to_owned()),
        (&suite, v4("set_entry", r#"["s","Users",[{"name":"last_name","value":"x"}]]"#)),
        (&suite, v4("set_entry", r#"["s","SecurityGroups",[{"name":"id","value":"1"},{"name":"deleted","value":1}]]"#)),
        (&suite, v4("set_entries", r#"["s","ACLRoles",[[{"name":"name","value":"x"}],[{"name":"name","value":"y"}]]]"#)),
        (&suite, relation("Users", "aclroles", 0)),
        (&suite, relation("Users", "SecurityGroups", 1)),
        (&suite, relation("Contacts", "SecurityGroups", 0)),
        (&json_api, format!("POST /Api/V8/module  {}", document("OAuth2Clients").replace("\"id\":\"1\",", ""))),
        (&json_api, format!("PATCH /Api/V8/module  {}", document("User"))),
        (&json_api, format!("PATCH /Api/V8/module  {}", document("ACLRole"))),
        (&json_api, format!("PATCH /Api/V8/module  {}", document("users"))),
        (&json_api, "DELETE /Api/V8/module/Employees/1".to_owned()),
        (&json_api, "DELETE /Api/V8/module/Users/1/relationships/aclroles/2".to_owned()),
        (&espo, "POST /api/v1/Contact/5f8a1c2b3d4e5f6a7/portalUser  {\"id\":\"5f8a1c2b3d4e5f6a8\"}".to_owned()),
        (&espo, "POST /api/v1/Account/5f8a1c2b3d4e5f6a7/teams  {\"id\":\"5f8a1c2b3d4e5f6a8\"}".to_owned()),
    ] {
        assert!(changes(&**dialect, &request), "{request}");
    }
    for (dialect, request) in [
        (&sugar, "GET /rest/v11/Users".to_owned()),
        (
            &sugar,
            "POST /rest/v11/Notes  {\"name\":\"x\",\"assigned_user_id\":\"1\"}".to_owned(),
        ),
        (&sugar, "POST /rest/v11/Contacts/1/link/notes/2".to_owned()),
        (
            &suite,
            v4(
                "set_entry",
                r#"["s","Contacts",[{"name":"last_name","value":"x"}]]"#,
            ),
        ),
        (&suite, relation("Contacts", "cases", 0)),
        (
            &json_api,
            format!("PATCH /Api/V8/module  {}", document("Contact")),
        ),
        (
            &espo,
            "PUT /api/v1/Contact/5f8a1c2b3d4e5f6a7  {\"lastName\":\"x\"}".to_owned(),
        ),
        (
            &dolibarr,
            "PUT /api/index.php/contacts/1  {\"lastname\":\"x\"}".to_owned(),
        ),
    ] {
        assert!(!changes(&**dialect, &request), "{request}");
    }
    for (dialect, names) in [
        (&espo, ["User", "Team"].as_slice()),
        (&dolibarr, &["users", "groups"]),
        (
            &suite,
            &[
                "UserPreferences",
                "OAuthKeys",
                "Schedulers",
                "AOW_WorkFlow",
                "Administration",
            ],
        ),
    ] {
        for name in names {
            assert!(
                dialect.schema().governs_access(&Module::new(name)),
                "{name}"
            );
        }
    }
    for name in ["EmailAddresses", "Contacts", "Tasks", "Rolex_Watches"] {
        assert!(!suite.schema().governs_access(&Module::new(name)), "{name}");
    }
}

/// `Module: action`, in order.
fn acts(dialect: &dyn Dialect, request: &str) -> Vec<String> {
    let exchange = one(dialect, request);
    let acts = exchange.operation().acts();
    let told = |(module, action): (&Module, Action)| format!("{module}: {}", action.as_str());
    acts.into_iter().map(told).collect()
}

#[test]
fn nothing_that_is_done_hides_behind_something_harmless() {
    let (sugar, suite, json_api) = (
        native("sugar-rest"),
        native("sugar-v4"),
        native("suitecrm-v8"),
    );
    let (espo, dolibarr) = (example("espocrm"), example("dolibarr"));
    for (dialect, request, expected) in [
        (&sugar, "GET /rest/v11/Contacts".to_owned(), ["Contacts: list"].as_slice()),
        (&sugar, "GET /rest/v11/ping".to_owned(), &[]),
        (&sugar, "POST /rest/v11/Contacts/duplicateCheck  {\"last_name\":\"x\"}".to_owned(), &["Contacts: list"]),
        (&sugar, "GET /rest/v11/Contacts/enum/lead_source".to_owned(), &["Contacts: metadata"]),
        (&sugar, "GET /rest/v11/Accounts/1/link/contacts".to_owned(), &["Accounts: read", "Contacts: list"]),
        (&sugar, "GET /rest/v11/Accounts/1/link/contacts/count".to_owned(), &["Accounts: read", "Contacts: count"]),
        (&sugar, "POST /rest/v11/Accounts/1/link/notes  {\"name\":\"x\"}".to_owned(), &["Accounts: relate", "Notes: create"]),
        (&sugar, "DELETE /rest/v11/Accounts/1/link/contacts/2".to_owned(), &["Accounts: relate", "Contacts: relate"]),
        (&sugar, "GET /rest/v11/Contacts?filter[0][accounts.name]=x".to_owned(), &["Accounts: list", "Contacts: list"]),
        (
            &sugar,
            "POST /rest/v11/Accounts/filter  {\"fields\":[\"name\",{\"name\":\"contacts\",\"fields\":[\"last_name\"]}]}".to_owned(),
            &["Accounts: list", "Contacts: list"],
        ),
        (&sugar, "GET /rest/v11/globalsearch?q=x&module_list=Contacts,Accounts".to_owned(), &["Accounts: list", "Contacts: list"]),
        (&suite, v4("set_entry", r#"["s","Notes",[{"name":"name","value":"x"}]]"#), &["Notes: create"]),
        (&suite, v4("set_entry", r#"["s","Notes",[{"name":"id","value":"1"},{"name":"name","value":"x"}]]"#), &["Notes: update"]),
        (&suite, v4("set_entry", r#"["s","Notes",[{"name":"id","value":"1"},{"name":"deleted","value":1}]]"#), &["Notes: delete"]),
        (&suite, v4("get_entries", r#"["s","Notes",["1","2"],["name"]]"#), &["Notes: list"]),
        (
            &suite,
            v4("get_entry", r#"["s","Accounts","1",["name"],[{"name":"contacts","value":["last_name"]}]]"#),
            &["Accounts: read", "Contacts: list"],
        ),
        (&suite, v4("get_relationships", r#"["s","Accounts","1","contacts","",["id"]]"#), &["Accounts: read", "Contacts: list"]),
        (&suite, v4("set_relationship", r#"["s","Accounts","1","contacts",["2"]]"#), &["Accounts: relate", "Contacts: relate"]),
        (&json_api, "GET /Api/V8/module/Accounts/1/relationships/contacts".to_owned(), &["Accounts: read", "Contacts: list"]),
        (
            &json_api,
            "POST /Api/V8/module/Accounts/1/relationships  {\"data\":{\"type\":\"Contact\",\"id\":\"2\"}}".to_owned(),
            &["Accounts: relate", "Contacts: relate"],
        ),
        (
            &dolibarr,
            "GET /api/index.php/contacts?sqlfilters=(s.nom:like:'x')".to_owned(),
            &["contacts: list", "thirdparties: list"],
        ),
        (&espo, "GET /api/v1/Account/5f8a1c2b3d4e5f6a7/contacts".to_owned(), &["Account: read", "Contact: list"]),
    ] {
        assert_eq!(acts(&**dialect, &request), expected, "{request}");
    }
}

#[test]
fn a_blank_or_absent_session_is_no_credential() {
    let suite = native("sugar-v4");
    for arguments in [
        r#"["","Contacts"]"#,
        r#"[null,"Contacts"]"#,
        r#"{"session":"","module_name":"Contacts"}"#,
        r#"{"session":null,"module_name":"Contacts"}"#,
        r#"{"module_name":"Contacts"}"#,
        r#"{"0":"","1":"Contacts"}"#,
    ] {
        let exchange = one(&*suite, &v4("get_entry_list", arguments));
        let operation = exchange.operation();
        assert_eq!(operation.credential, None, "{arguments}");
        assert_eq!(
            operation.module,
            Some(Module::new("Contacts")),
            "{arguments}"
        );
        // What the operation holds when it is written is what the CRM is called with.
        let mut narrowed = operation.clone();
        narrowed.credential = crate::door::Credential::argument("of-the-account");
        let written = exchange.render(&narrowed).body.unwrap();
        let written = String::from_utf8(written.to_vec()).unwrap();
        assert!(written.contains("of%2Dthe%2Daccount"), "{written}");
    }
}

#[test]
fn what_marks_a_record_as_deleted_deletes_it() {
    let acts = |dialect: &str, request: &str| {
        let one = one(&*native(dialect), request);
        let acts = one.operation().acts().into_iter();
        acts.map(|(_, action)| action).collect::<Vec<_>>()
    };
    let pairs = |value: &str| {
        let pairs = format!(
            "[{{\"name\":\"id\",\"value\":\"c-1\"}},{{\"name\":\"deleted\",\"value\":{value}}}]"
        );
        v4(
            "set_entry",
            &format!(
                "{{\"session\":\"s\",\"module_name\":\"Contacts\",\"name_value_list\":{pairs}}}"
            ),
        )
    };
    for value in ["1", "\"1\"", "true"] {
        let sugar = format!("PUT /rest/v11/Contacts/c-1  {{\"deleted\":{value}}}");
        for acts in [acts("sugar-rest", &sugar), acts("sugar-v4", &pairs(value))] {
            assert!(acts.contains(&Action::Delete), "{value}: {acts:?}");
        }
    }
    for value in ["0", "\"0\"", "false", "\"\"", "null"] {
        let sugar = format!("PUT /rest/v11/Contacts/c-1  {{\"deleted\":{value}}}");
        assert_eq!(acts("sugar-rest", &sugar), [Action::Update], "{value}");
    }
}
