//! SuiteCRM's JSON:API before a scripted CRM: what it is asked, and what comes of its answers.

use std::path::{Path, PathBuf};

use paravent::dialect;
use paravent::policy::{Policy, Row};
use paravent::vocabulary::{Module, Purpose, Role};
use serde_json::{Value, json};

use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const IBAN: &str = "FR7630006000011234567890189";
const TOKEN: &str = "eyJ0.eyJqdGkiOiJ4In0.c2ln";

/// A CRM whose one user has a role.
fn crm(role: &'static str) -> Scripted {
    Scripted::start(move |request| answer(request, role))
}

fn answer(request: &Received, role: &str) -> Vec<u8> {
    let mut words = request.line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let path = target.split('?').next().unwrap();
    let body = match (method, path) {
        ("GET", "/Api/V8/current-user") => {
            json!({"data": {"type": "User", "id": "u-1", "attributes": {
            "id": "u-1", "user_name": "ada", "full_name": "Ada Martin", "is_admin": "0", "phone_home": "01 98 76 54 32",
            "authenticate_id": "s3cret-of-the-crm", "user_hash": "s3cret-of-the-crm", "last_name": "Martin"
        }, "relationships": {"OAuthTokens": {"links": {"related": "V8/current-user/relationships/oauth_tokens"}}}}})
        }
        ("GET", "/Api/V8/module/Users/u-1/relationships/aclroles") => json!({
            "meta": {"total-records": 1, "total-pages": 1, "records-on-this-page": 1},
            "data": [{"type": "ACLRole", "id": "r-1", "attributes": {"name": role, "description": ""}}]
        }),
        ("GET", "/Api/V8/module/Users/u-1/relationships/SecurityGroups") => {
            return reply(
                400,
                &json!({"errors": {"status": 400, "title": null, "detail": "AccessDeniedException"}}),
            );
        }
        ("GET", "/Api/V8/module/Contacts") => json!({
            "meta": {"total-pages": 9, "records-on-this-page": 1},
            "data": [contact()],
            "links": {"first": null, "next": "V8/module/Contacts?filter[last_name][eq]=Martin&page[number]=2"}
        }),
        ("GET", "/Api/V8/module/Contacts/c-1") => json!({"data": narrowed(contact(), target)}),
        ("PATCH" | "POST", "/Api/V8/module") => return reply(201, &json!({"data": contact()})),
        ("GET", "/Api/V8/module/Accounts/a-1/relationships/contacts") => json!({
            "meta": {"total-records": 1, "total-pages": 1, "records-on-this-page": 1}, "data": [contact()]
        }),
        ("GET", "/Api/V8/module/Notes") => json!({"data": [contact()]}),
        ("GET", "/Api/V8/meta/fields/Contacts") => {
            json!({"data": {"type": "fields", "attributes": {
                "iban_c": {"type": "varchar", "default": IBAN, "comments": "IBAN", "required": false},
                "pets_c": {"type": "link", "relationship": "contacts_cases_9", "source": "non-db"}
            }}})
        }
        ("GET", "/Api/V8/meta/fields/Cases") => json!({"data": {"type": "fields", "attributes": {
            "owner_link_c": {"type": "link", "relationship": "contacts_cases_9", "source": "non-db"}
        }}}),
        ("GET", "/Api/V8/module/Contacts/c-1/relationships/pets_c") => json!({"data": [
            {"type": "Case", "id": "k-1", "attributes": {"name": format!("Refund to {IBAN}")}, "links": {"self": "V8/module/Case/k-1"}}
        ]}),
        ("POST", "/Api/access_token") if request.body.windows(5).any(|part| part == b"wrong") => {
            let words = json!({"error": "unknown_error", "message": "The password is invalid: wrong-but-secret"});
            return reply(500, &words);
        }
        ("POST", "/Api/access_token") => json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN, "refresh_token": "def502", "debug": "s3cret-of-the-crm"
        }),
        ("DELETE", "/Api/V8/module/Contacts/c-1") => {
            json!({"meta": {"message": "Record with id c-1 is deleted"}, "data": []})
        }
        _ => return reply(404, &json!({"errors": {"status": 404}})),
    };
    reply(200, &body)
}

fn reply(status: u16, body: &Value) -> Vec<u8> {
    let bytes = scripted::json(status, body.to_string().as_bytes());
    let text = String::from_utf8(bytes).unwrap();
    text.replacen("application/json", "application/vnd.api+json", 1)
        .into_bytes()
}

fn contact() -> Value {
    json!({"type": "Contact", "id": "c-1", "attributes": {
        "name": "Mme Zoé D&#039;Hauteville", "salutation": "Mme", "first_name": "Zoé",
        "last_name": "D&#039;Hauteville", "title": "", "email1": "zoe@example.org", "phone_work": "01 40 00 00 01",
        "iban_c": IBAN, "religion_c": "bouddhiste", "health_notes_c": "asthme", "nir_c": "284039999900049",
        "description": "L&#039;IBAN FR76&nbsp;3000 6000 0112 3456 7890 189 &amp;amp; rien d&#039;autre.",
        "account_name": "Menuiserie &amp; Fils", "accounts": "", "reports_to_link": {}, "deleted": "0", "syndicat_c": "FO"
    }, "relationships": {"Opportunities": {"links": {"related": "V8/module/Contacts/c-1/relationships/opportunities"}}}})
}

/// The record with the attributes that `fields[…]` names.
fn narrowed(mut contact: Value, target: &str) -> Value {
    if let Some((_, names)) = target.split_once("fields%5BContacts%5D=") {
        let names: Vec<&str> = names.split('&').next().unwrap().split("%2C").collect();
        let attributes = contact["attributes"].as_object_mut().unwrap();
        attributes.retain(|name, _| names.contains(&name.as_str()));
    }
    contact
}

/// The folder of the policy for SuiteCRM.
fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/suitecrm/policies")
}

fn world(crm: &Scripted) -> World {
    let world = World::scripted(
        crm.address,
        Wish {
            dialects: vec![dialect::by_name("suitecrm-v8").unwrap()],
            sources: Policy::read(&policies()).unwrap(),
            learn: true,
            ..Wish::default()
        },
    );
    for (name, value) in [
        ("nir_c", "284039999900049"),
        ("health_notes_c", "asthme"),
        ("religion_c", "bouddhiste"),
        ("syndicat_c", "\"FO\""),
        ("the CRM's secrets", "s3cret-of-the-crm"),
        ("a password", "wrong-but-secret"),
    ] {
        world.forbid(name, value);
    }
    world
}

fn send(world: &World, method: &str, target: &str, body: Option<&Value>) -> Response {
    let mut headers = vec![("Authorization", format!("Bearer {TOKEN}"))];
    headers.extend(body.map(|_| ("Content-Type", "application/vnd.api+json".to_owned())));
    let request = Request {
        method,
        target,
        headers,
        body: body.map(|body| body.to_string().into_bytes()),
    };
    world.send_request(world.proxy, &request)
}

/// What the CRM was asked, questions about the session left out.
fn asked(crm: &Scripted) -> Vec<Received> {
    let about_session = ["/current-user ", "/aclroles ", "/SecurityGroups "];
    crm.take_all()
        .into_iter()
        .filter(|request| !about_session.iter().any(|part| request.line.contains(part)))
        .collect()
}

#[test]
fn a_list_is_held_to_the_rules_of_its_module() {
    let crm = crm("Sales");
    let world = world(&crm);
    let reply = send(
        &world,
        "GET",
        "/Api/V8/module/Contact?page[size]=5000",
        None,
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        Some("application/vnd.api+json")
    );
    let page = reply.json();
    assert_eq!(
        page["meta"],
        json!({"total-pages": 9, "records-on-this-page": 1})
    );
    assert_eq!(page.get("links"), None, "links repeat filters");
    let record = &page["data"][0];
    assert_eq!(
        (&record["type"], &record["id"]),
        (&json!("Contact"), &json!("c-1"))
    );
    let shown = &record["attributes"];
    let clear = [
        "name",
        "last_name",
        "email1",
        "account_name",
        "accounts",
        "reports_to_link",
        "deleted",
    ];
    for name in clear {
        assert_eq!(shown[name], contact()["attributes"][name], "{name}");
    }
    assert!(shown["iban_c"].as_str().unwrap().contains('•'));
    let text = shown["description"].as_str().unwrap();
    assert!(text.contains('•') && !text.contains("1234"), "{text}");
    assert!(
        text.contains("L&#039;IBAN") && text.contains("d&#039;autre"),
        "{text}"
    );
    for name in ["religion_c", "health_notes_c", "syndicat_c"] {
        assert_eq!(shown.get(name), None, "{name}");
    }
    assert_eq!(
        record["relationships"]["Opportunities"]["links"]["related"],
        json!("V8/module/Contacts/c-1/relationships/opportunities")
    );
    let asked = asked(&crm);
    assert_eq!(
        asked[0].line,
        "GET /Api/V8/module/Contacts?page%5Bsize%5D=1000 HTTP/1.1"
    );
    assert_eq!(
        asked[0].header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(asked[0].header("accept"), Some("application/vnd.api+json"));

    let related = send(
        &world,
        "GET",
        "/Api/V8/module/Accounts/a-1/relationships/contacts",
        None,
    )
    .json();
    assert_eq!(related["data"][0]["attributes"].get("religion_c"), None);
    assert!(
        related["data"][0]["attributes"]["iban_c"]
            .as_str()
            .unwrap()
            .contains('•')
    );
}

#[test]
fn hidden_fields_are_not_asked_for_and_answer_no_question() {
    let crm = crm("Sales");
    let world = world(&crm);
    let reply = send(
        &world,
        "GET",
        "/Api/V8/module/Contacts/c-1?fields[Contact]=last_name,religion_c",
        None,
    );
    assert_eq!(reply.status, 200);
    let asked_for = asked(&crm);
    assert_eq!(
        asked_for[0].line,
        "GET /Api/V8/module/Contacts/c-1?fields%5BContacts%5D=last_name HTTP/1.1"
    );
    for (target, status) in [
        ("/Api/V8/module/Contacts?filter[iban_c][like]=FR7%25", 403),
        ("/Api/V8/module/Contacts?filter[no_such_field][eq]=1", 403),
        ("/Api/V8/module/Contacts?sort=-religion_c", 403),
        (
            "/Api/V8/module/Accounts/a-1/relationships/contacts?sort=nir_c",
            403,
        ),
        ("/Api/V8/module/OAuth2Tokens", 403),
        ("/Api/V8/module/UserPreferences", 403),
        ("/Api/V8/module/EmailAddress", 403),
        (
            "/Api/V8/module/Contacts/c-1/relationships/email_addresses",
            403,
        ),
        (
            "/Api/V8/module/Contacts/c-1/relationships/SecurityGroups",
            403,
        ),
        ("/Api/V8/meta/fields/Trackers", 403),
        ("/Api/V8/user-preferences/u-1", 403),
        ("/Api/V8/module/Notes?moduleName=Contacts", 400),
        ("/Api/V8/module/%2543ontacts", 400),
        ("/Api/V8/module/Contacts?filter[last_name][or]=1", 400),
        ("/Api/V8/module/Contacts?fields[Leads]=iban_c", 400),
        ("/Api/V8/module/Contacts?access_token=x", 400),
    ] {
        let reply = send(&world, "GET", target, None);
        assert_eq!(reply.status, status, "{target}: {}", reply.text());
        assert_eq!(reply.json()["errors"]["status"], json!(status), "{target}");
    }
    assert!(asked(&crm).is_empty(), "a refused request reached the CRM");
}

#[test]
fn a_whole_record_comes_back_and_only_the_change_is_written() {
    let crm = crm("Sales");
    let world = world(&crm);
    let record = send(&world, "GET", "/Api/V8/module/Contacts/c-1", None).json();
    let mut attributes = record["data"]["attributes"].clone();
    asked(&crm);
    let patch = |attributes: &Value| {
        let body = json!({"data": {"type": "Contact", "id": "c-1", "attributes": attributes}});
        let reply = send(&world, "PATCH", "/Api/V8/module", Some(&body));
        let written = asked(&crm)
            .into_iter()
            .find(|request| request.line.starts_with("PATCH"));
        let body = written.map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
        (reply, body)
    };
    // Nothing changed: nothing is written, and the record comes back as it is shown.
    let (reply, written) = patch(&attributes);
    assert_eq!((reply.status, &written), (200, &None), "{}", reply.text());
    assert_eq!(reply.json(), record);

    attributes["phone_work"] = json!("01 99 00 77 66");
    let (reply, written) = patch(&attributes);
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(
        reply.json()["data"]["attributes"]["iban_c"]
            .as_str()
            .unwrap()
            .contains('•')
    );
    assert_eq!(
        written.unwrap(),
        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"phone_work": "01 99 00 77 66"}}})
    );

    // Words around a masked identifier: the identifier is put back, in the spelling of the rest.
    let text = attributes["description"]
        .as_str()
        .unwrap()
        .replace("rien", "plus rien");
    let (reply, written) = patch(&json!({"description": text}));
    assert_eq!(reply.status, 201, "{}", reply.text());
    let written = written.unwrap()["data"]["attributes"]["description"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        written.contains("7890 189") && written.contains("plus rien"),
        "{written}"
    );
    assert!(
        !written.contains('•') && written.contains("L&#039;IBAN"),
        "{written}"
    );

    for refused in [
        json!({"iban_c": "FR76 **** 123"}),
        json!({"iban_c": "FR7699999000004001020304033"}),
        json!({"religion_c": "x"}),
        json!({"deleted": "1"}),
        json!({"user_hash": "x"}),
        json!({"no_such_field": "x"}),
    ] {
        let (reply, written) = patch(&refused);
        assert_eq!((reply.status, written), (403, None), "{refused}");
    }
}

#[test]
fn a_record_of_another_module_makes_the_reply_unfilterable() {
    let crm = crm("Sales");
    let world = world(&crm);
    let reply = send(&world, "GET", "/Api/V8/module/Notes", None);
    assert_eq!(reply.status, 502);
    assert!(!reply.text().contains("Hauteville"));
}

#[test]
fn logins_pass_tokens_and_no_words() {
    let crm = crm("Sales");
    let world = world(&crm);
    let login = |password: &str| {
        let body = format!(
            "grant_type=password&client_id=c&client_secret=s&username=ada&password={password}"
        );
        let request = Request {
            method: "POST",
            target: "/Api/access_token",
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(body.into_bytes()),
        };
        world.send_request(world.proxy, &request)
    };
    let reply = login("right");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let tokens = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN, "refresh_token": "def502"});
    assert_eq!(reply.json(), tokens);
    let reply = login("wrong-but-secret");
    assert_eq!(reply.status, 500);
    assert_eq!(
        reply.json()["errors"]["title"],
        json!("Internal Server Error")
    );
    let sent = crm.take_all();
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    // A client may send its id and secret as HTTP Basic, which opens nothing but the login.
    let basic = |method, target, body: Option<&str>| {
        let form = "application/x-www-form-urlencoded;charset=UTF-8";
        let request = Request {
            method,
            target,
            headers: vec![
                ("Authorization", "Basic Yzpz".to_owned()),
                ("Content-Type", form.to_owned()),
            ],
            body: body.map(|body| body.as_bytes().to_vec()),
        };
        world.send_request(world.proxy, &request)
    };
    let reply = basic(
        "POST",
        "/Api/access_token",
        Some("grant_type=client_credentials"),
    );
    assert_eq!(reply.json(), tokens);
    let sent = crm.take_all();
    assert_eq!(sent[0].header("authorization"), Some("Basic Yzpz"));
    assert_eq!(sent[0].body, br#"{"grant_type":"client_credentials"}"#);
    assert_eq!(basic("GET", "/Api/V8/current-user", None).status, 401);
    assert!(crm.take_all().is_empty());
}

#[test]
fn the_caller_learns_who_they_are_and_nothing_secret() {
    let crm = crm("Sales");
    let world = world(&crm);
    let me = send(&world, "GET", "/Api/V8/current-user", None).json();
    let attributes = &me["data"]["attributes"];
    assert_eq!(attributes["user_name"], json!("ada"));
    assert_eq!(attributes["full_name"], json!("Ada Martin"));
    assert_eq!(attributes.get("user_hash"), None);
    assert_eq!(attributes.get("authenticate_id"), None);
}

#[test]
fn descriptions_pass_without_defaults_and_teach_links() {
    let crm = crm("Sales");
    let world = world(&crm);
    let related = "/Api/V8/module/Contacts/c-1/relationships/pets_c";
    assert_eq!(send(&world, "GET", related, None).status, 403);
    let fields = send(&world, "GET", "/Api/V8/meta/fields/Contact", None).json();
    let iban = &fields["data"]["attributes"]["iban_c"];
    assert_eq!(
        iban,
        &json!({"type": "varchar", "comments": "IBAN", "required": false})
    );
    assert_eq!(
        send(&world, "GET", "/Api/V8/meta/fields/Cases", None).status,
        200
    );
    let reply = send(&world, "GET", related, None);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let name = reply.json()["data"][0]["attributes"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        name.starts_with("Refund to ") && name.contains('•'),
        "{name}"
    );
}

#[test]
fn whoever_has_no_role_gets_nothing() {
    let crm = crm("Nobody's role");
    let world = world(&crm);
    for target in ["/Api/V8/module/Contacts", "/Api/V8/current-user"] {
        assert_eq!(send(&world, "GET", target, None).status, 403, "{target}");
    }
    assert!(asked(&crm).is_empty());
}

#[test]
fn a_deletion_says_that_it_is_done() {
    let crm = crm("Sales");
    let world = world(&crm);
    let reply = send(&world, "DELETE", "/Api/V8/module/Contact/c-1", None);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json(), json!({"meta": {}, "data": []}));
    let events = world.decision(&reply);
    assert_eq!(
        events.len(),
        2,
        "a deletion is announced before it is asked"
    );
}

#[test]
fn the_policy_classifies_every_stock_field() {
    let dialect = dialect::by_name("suitecrm-v8").unwrap();
    let sources = Policy::read(&policies()).unwrap();
    let (policy, found) = Policy::compile(
        &sources,
        std::slice::from_ref(dialect.schema()),
        b"a key of a test",
    );
    let policy = policy.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(found.warnings(), 0, "{found:?}");
    for name in [
        "Accounts",
        "AOS_Contracts",
        "AOS_Invoices",
        "AOS_Quotes",
        "Bugs",
        "Calls",
        "Campaigns",
        "Cases",
        "Contacts",
        "Documents",
        "Emails",
        "Leads",
        "Meetings",
        "Notes",
        "Opportunities",
        "Project",
        "ProjectTask",
        "Prospects",
        "Tasks",
        "Users",
    ] {
        let module = Module::new(name);
        let roles = [Role::new("sales")];
        let view = policy
            .explain(&roles, &Purpose::new("contract"), &[], &module)
            .unwrap();
        let fields = dialect.schema().fields(&module);
        assert!(fields.len() > 20, "{name}");
        for field in fields {
            let row = view.rows.iter().find(|row| row.field == field.as_str());
            let is_gap = |row: &Row| row.by.iter().any(|by| by == "defaults.unclassified");
            assert!(!row.is_some_and(is_gap), "{name}.{field} is not classified");
        }
    }
}

#[test]
fn a_new_record_keeps_its_uuid() {
    let crm = crm("Sales");
    let world = world(&crm);
    let id = "0b8f6a52-3c1d-4e7a-9f10-2d3c4b5a6978";
    let document =
        json!({"data": {"type": "Contact", "id": id, "attributes": {"last_name": "Durand"}}});
    let reply = send(&world, "POST", "/Api/V8/module", Some(&document));
    assert_eq!(reply.status, 201, "{}", reply.text());
    let written: Value = serde_json::from_slice(&asked(&crm)[0].body).unwrap();
    assert_eq!(
        written,
        json!({"data": {"type": "Contacts", "id": id, "attributes": {"last_name": "Durand"}}})
    );
}

/// SuiteCRM 8, and installations without rewriting of URLs: everything is asked where the client sent it to, the questions
/// about the session too.
#[test]
fn the_api_is_asked_where_the_client_sees_it() {
    for place in ["/legacy/Api/", "/Api/index.php/", "/legacy/Api/index.php/"] {
        let crm = Scripted::start(move |request| {
            let plain = match request.line.split_once(place) {
                Some((method, rest)) => format!("{method}/Api/{rest}"),
                None => panic!("asked elsewhere: {}", request.line),
            };
            let request = Received {
                line: plain,
                ..request.clone()
            };
            answer(&request, "Sales")
        });
        let world = world(&crm);
        let at = |path: &str| format!("{place}{path}");
        let target = at("V8/module/Contacts/c-1/?fields[Contact]=last_name,iban_c&_=1732291200000");
        let reply = send(&world, "GET", &target, Some(&json!({})));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let shown = &reply.json()["data"]["attributes"];
        assert!(shown["iban_c"].as_str().unwrap().contains('•'), "{shown}");
        let sent = asked(&crm).pop().unwrap();
        let expected = at("V8/module/Contacts/c-1?fields%5BContacts%5D=last_name%2Ciban_c");
        assert_eq!(sent.line, format!("GET {expected} HTTP/1.1"));
        assert!(sent.body.is_empty());
        // An update looks the record up in the same place.
        let body = json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "Durand"}}});
        let reply = send(&world, "PATCH", &at("V8/module"), Some(&body));
        assert_eq!(reply.status, 201, "{}", reply.text());
        let event = world.events().pop().unwrap();
        assert_eq!(event["request"]["route"], "PATCH /Api/V8/module", "{event}");
        // Other paths there are as closed as they are elsewhere.
        for path in [
            "V8/user-preferences/1",
            "V8/meta/swagger.json",
            "index.php/V8/module/Contacts",
        ] {
            let reply = send(&world, "GET", &at(path), None);
            assert!(
                (400..500).contains(&reply.status),
                "{path}: {}",
                reply.status
            );
        }
    }
}

/// Logins as clients send them: the CRM's server reads JSON, forms and multipart, and so does the proxy.
#[test]
fn a_login_comes_in_any_of_three_forms() {
    let crm = crm("Sales");
    let world = world(&crm);
    let members = [
        ("grant_type", "password"),
        ("client_id", "c"),
        ("client_secret", "s"),
        ("username", "ada"),
        ("password", "right"),
        ("platform", "suitecrm"),
        ("refresh_token", ""),
    ];
    let json: serde_json::Map<String, Value> = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let form: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let parts: String = members
        .iter()
        .map(|(name, value)| {
            format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    for (content_type, body) in [
        (
            "application/vnd.api+json",
            Value::Object(json.clone()).to_string(),
        ),
        (
            "Application/JSON; Charset=\"UTF-8\"",
            Value::Object(json).to_string(),
        ),
        (
            "application/x-www-form-urlencoded;charset=utf-8",
            form.join("&"),
        ),
        (
            "multipart/form-data; boundary=b0",
            format!("{parts}--b0--\r\n"),
        ),
    ] {
        let request = Request {
            method: "POST",
            target: "/Api/access_token/",
            headers: vec![("Content-Type", content_type.to_owned())],
            body: Some(body.into_bytes()),
        };
        let reply = world.send_request(world.proxy, &request);
        assert_eq!(reply.status, 200, "{content_type}: {}", reply.text());
        let sent = crm.take_all().pop().unwrap();
        assert_eq!(sent.line, "POST /Api/access_token HTTP/1.1");
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        let names: Vec<&String> = sent.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "grant_type",
                "client_id",
                "client_secret",
                "username",
                "password"
            ]
        );
    }
    let code = json!({"grant_type": "authorization_code", "code": "x", "client_id": "c"});
    let request = Request {
        method: "POST",
        target: "/Api/access_token",
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: Some(code.to_string().into_bytes()),
    };
    assert_eq!(world.send_request(world.proxy, &request).status, 400);
    assert!(crm.take_all().is_empty());
}
