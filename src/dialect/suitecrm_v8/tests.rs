//! Whole requests: what they mean, how they are written back, and what their replies may hold.

use crate::dialect::testing::Speaks as _;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::described;
use crate::dialect::engine::Described;
use crate::dialect::{
    Access, Bounds, Dialect, EntryShape, Incoming, Misunderstood, ObjectShape, Operation, Others,
    Outgoing, Projected, Shape, Understood,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, Module, Spelling, Use};

mod addresses;
mod attacks;
mod documents;
mod properties;
mod queries;

const BOUNDS: Bounds = Bounds {
    page_max: 100,
    bulk_parts_max: 1,
    depth_max: 32,
};

fn understand_in(
    dialect: &Described,
    line: &str,
    content_type: Option<&str>,
    body: &str,
) -> Result<Operation, Misunderstood> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let request = Incoming {
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path,
        query,
        accept: Some("text/html"),
        content_type,
        controls: &[],
        body: body.as_bytes(),
    };
    match dialect.meaning(&request, &BOUNDS)? {
        Understood::One(operation) => Ok(operation),
        Understood::Bulk { .. } => panic!("{line} is an envelope"),
    }
}

fn understand(line: &str, body: &str) -> Result<Operation, Reason> {
    understand_in(&described(), line, None, body)
        .map_err(|misunderstood| misunderstood.objection.reason)
}

fn understood(line: &str, body: &Value) -> Operation {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    understand(line, &body).unwrap_or_else(|reason| panic!("{line}: {reason}"))
}

fn again(outgoing: &Outgoing) -> Result<Operation, Reason> {
    let line = format!("{} {}", outgoing.method, outgoing.target);
    let body = outgoing.body.clone().unwrap_or_default();
    understand(&line, std::str::from_utf8(&body).unwrap())
}

/// What the CRM receives: the request line and the body.
fn rendered(line: &str, body: Value) -> (String, Value) {
    let operation = understood(line, &body);
    let outgoing = described().render(&operation);
    assert_eq!(again(&outgoing).as_ref(), Ok(&operation), "{line}");
    let body = outgoing.body.unwrap_or(Bytes::from_static(b"null"));
    (
        format!("{} {}", outgoing.method, outgoing.target),
        serde_json::from_slice(&body).unwrap(),
    )
}

#[test]
fn requests_are_rendered_in_canonical_form() {
    for (line, expected) in [
        (
            "GET /Api/V8/module/Contact?sort=-last_name&%66ields%5BContact%5D=last_name,iban_c&page[size]=100000",
            "GET /Api/V8/module/Contacts?fields%5BContacts%5D=last_name%2Ciban_c&page%5Bsize%5D=100&sort=-last_name",
        ),
        (
            "GET /Api/V8/module/%43ontacts?filter[operator]=or&filter[last_name][eq]=Ta%26sort=iban_c",
            "GET /Api/V8/module/Contacts?filter%5Boperator%5D=or&filter%5Blast_name%5D%5Beq%5D=Ta%26sort%3Diban_c",
        ),
        (
            "GET /Api/V8/module/aCase/c-1",
            "GET /Api/V8/module/Cases/c-1",
        ),
        (
            "GET /Api/V8/module/Account/a-1/relationships/contacts?page[number]=3",
            "GET /Api/V8/module/Accounts/a-1/relationships/contacts?page%5Bnumber%5D=3",
        ),
        (
            "DELETE /Api/V8/module/Contact/c-1",
            "DELETE /Api/V8/module/Contacts/c-1",
        ),
        (
            "DELETE /Api/V8/module/Accounts/a-1/relationships/contacts/c-1",
            "DELETE /Api/V8/module/Accounts/a-1/relationships/contacts/c-1",
        ),
        (
            "GET /Api/V8/meta/fields/Contact",
            "GET /Api/V8/meta/fields/Contacts",
        ),
        ("GET /Api/V8/current-user", "GET /Api/V8/current-user"),
        ("POST /Api/V8/logout", "POST /Api/V8/logout"),
    ] {
        assert_eq!(
            rendered(line, Value::Null),
            (expected.to_owned(), Value::Null)
        );
    }
}

#[test]
fn a_request_is_asked_where_it_was_sent_to() {
    for place in [
        "/Api/",
        "/Api/index.php/",
        "/legacy/Api/",
        "/legacy/Api/index.php/",
    ] {
        for (sent, asked) in [
            (
                "GET {}V8/module/Contact/c-1/",
                "GET {}V8/module/Contacts/c-1",
            ),
            (
                "DELETE {}V8/module/Contacts/c-1",
                "DELETE {}V8/module/Contacts/c-1",
            ),
            ("GET {}V8/current-user/", "GET {}V8/current-user"),
        ] {
            let (line, _) = rendered(&sent.replace("{}", place), Value::Null);
            assert_eq!(line, asked.replace("{}", place));
        }
        let body =
            json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"last_name": "D"}}});
        let update = understood(&format!("PATCH {place}V8/module"), &body);
        let look_up = described().render(&described().look_up(&update));
        let asked = format!("{place}V8/module/Contacts/c-1?");
        assert!(look_up.target.starts_with(&asked), "{}", look_up.target);
    }
}

#[test]
fn a_body_where_nothing_is_asked_says_nothing_or_what_the_path_says() {
    let record = "DELETE /Api/V8/module/Contact/c-1";
    let relation = "DELETE /Api/V8/module/Accounts/a-1/relationships/contacts/c-1";
    for line in [record, relation] {
        for body in [
            json!({}),
            json!({"id": "c-1"}),
            json!({"data": {"type": "Contacts", "id": "c-1"}}),
        ] {
            assert_eq!(rendered(line, body).1, Value::Null, "{line}");
        }
        for body in [
            json!({"id": "c-2"}),
            json!({"id": 1}),
            json!({"id": "c-1", "moduleName": "Users"}),
            json!({"data": {"type": "Leads", "id": "c-1"}}),
            json!({"data": {"type": "Contacts", "id": "c-2"}}),
            json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"deleted": 0}}}),
            json!([]),
        ] {
            let refused = understand(line, &body.to_string());
            assert_eq!(refused, Err(Reason::UnexpectedBody), "{line} {body}");
        }
    }
    for line in [
        "GET /Api/V8/module/Contacts",
        "GET /Api/V8/module/Contacts/c-1",
        "GET /Api/V8/meta/modules",
        "POST /Api/V8/logout",
    ] {
        assert_eq!(rendered(line, json!({})).1, Value::Null, "{line}");
        let refused = understand(line, r#"{"id":"c-1"}"#);
        assert_eq!(refused, Err(Reason::UnexpectedBody), "{line}");
    }
}

#[test]
fn documents_name_the_module_and_the_record() {
    let (line, body) = rendered(
        "PATCH /Api/V8/module",
        json!({"data": {"id": "c-1", "type": "Contact", "attributes": {"phone_work": "1", "deleted": "0"}}}),
    );
    assert_eq!(line, "PATCH /Api/V8/module");
    assert_eq!(
        body,
        json!({"data": {"type": "Contacts", "id": "c-1", "attributes": {"phone_work": "1"}}})
    );
    let (_, body) = rendered(
        "POST /Api/V8/module",
        json!({"data": {"type": "Notes", "attributes": {"name": "x"}}}),
    );
    assert_eq!(
        body,
        json!({"data": {"type": "Notes", "attributes": {"name": "x"}}})
    );
    for path in ["relationships", "relationships/contacts"] {
        let line = format!("POST /Api/V8/module/Account/a-1/{path}");
        let (_, body) = rendered(&line, json!({"data": {"type": "Contact", "id": "c-1"}}));
        assert_eq!(body, json!({"data": {"type": "Contacts", "id": "c-1"}}));
    }
}

#[test]
fn every_use_of_a_field_is_told() {
    let line = "GET /Api/V8/module/Accounts/a-1/relationships/contacts?filter[iban_c][like]=FR%25&sort=birthdate";
    let operation = understood(line, &Value::Null);
    let uses: Vec<String> = operation
        .uses()
        .iter()
        .map(|field| format!("{} {:?}", field.path, field.how))
        .collect();
    assert_eq!(
        uses,
        ["Contacts.birthdate Sorted", "Contacts.iban_c Matched"]
    );
    let modules: Vec<&str> = operation
        .modules()
        .iter()
        .map(|module| module.as_str())
        .collect();
    assert_eq!(modules, ["Accounts", "Contacts"]);
    let body = json!({"data": {"type": "Contact", "id": "c-1", "attributes": {"IBAN_c": "x"}}});
    let written = understood("PATCH /Api/V8/module", &body).uses();
    assert_eq!(written[0].path.to_string(), "Contacts.iban_c");
    assert_eq!(written[0].how, Use::Written);
    let body = json!({"data": {"type": "User", "id": "u-1"}});
    let line = "POST /Api/V8/module/Accounts/a-1/relationships";
    let relation = understood(line, &body);
    assert_eq!(relation.action, Action::Relate);
    assert!(relation.modules().contains(&&Module::new("Users")));
}

#[test]
fn what_is_told_of_the_caller_and_of_modules_needs_no_purpose() {
    let dialect = described();
    let access = |line: &str| understand_in(&dialect, line, None, "").unwrap().access;
    for line in ["current-user", "meta/modules", "meta/fields/Contacts"] {
        assert_eq!(
            access(&format!("GET /Api/V8/{line}")),
            Access::Role,
            "{line}"
        );
    }
    assert_eq!(access("GET /Api/V8/module/Contacts"), Access::Governed);
}

#[test]
fn a_login_is_rebuilt_from_json_or_a_form() {
    let form = "grant_type=password&client_id=c&client_secret=s&username=ada&password=a%26b";
    let content_type = Some("application/x-www-form-urlencoded");
    let dialect = described();
    let operation = understand_in(&dialect, "POST /Api/access_token", content_type, form).unwrap();
    assert_eq!(operation.access, Access::Public);
    let outgoing = dialect.render(&operation);
    let body: Value = serde_json::from_slice(&outgoing.body.unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"grant_type": "password", "client_id": "c", "client_secret": "s", "username": "ada", "password": "a&b"})
    );
    assert_eq!(dialect.answer_of(&operation).media, "application/json");
    let Shape::Object(ObjectShape {
        keys,
        others,
        required,
    }) = dialect.shape(&operation)
    else {
        panic!("tokens have no closed shape")
    };
    assert_eq!((others, required), (Others::Dropped, &["access_token"][..]));
    assert_eq!(keys.len(), 4);
}

/// The shape of the record in a reply.
#[test]
fn a_client_that_logs_in_for_itself_is_one_account_however_it_says_its_name() {
    let account = |body: Value, client: Option<&Credential>| {
        let operation = understood("POST /Api/access_token", &body);
        described().exchange_of(operation).account(client)
    };
    let client = Credential::made_up(Carrier::Basic);
    let own = json!({"grant_type": "client_credentials"});
    assert_eq!(
        account(own.clone(), Some(&client)).as_deref(),
        Some("paravent-check")
    );
    assert_eq!(account(own, None), None);
    let stated =
        json!({"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"});
    assert_eq!(account(stated, Some(&client)).as_deref(), Some("c"));
    // Who logs in is not the client, and a refresh token cannot be guessed.
    let user = json!({"grant_type": "password", "username": "ada", "password": "p"});
    assert_eq!(account(user, Some(&client)).as_deref(), Some("ada"));
    let again = json!({"grant_type": "refresh_token", "refresh_token": "r"});
    assert_eq!(account(again, Some(&client)), None);
}

fn record(shape: &Shape) -> &EntryShape {
    let Shape::Object(ObjectShape {
        keys,
        others: Others::Dropped,
        required,
    }) = shape
    else {
        panic!("no document")
    };
    assert_eq!(*required, ["data"]);
    assert!(
        keys.iter().all(|(key, _)| *key != "links"),
        "links repeat filters"
    );
    let data = keys
        .iter()
        .find(|(key, _)| *key == "data")
        .map(|(_, shape)| shape);
    match data {
        Some(Shape::Entry(entry)) => entry,
        Some(Shape::List(element)) => match &**element {
            Shape::Entry(entry) => entry,
            _ => panic!("no records"),
        },
        _ => panic!("no record"),
    }
}

#[test]
fn records_are_held_to_the_module_that_was_asked() {
    let contact = json!({"data": {"type": "Contact", "id": "c-1", "attributes": {}}});
    let created = json!({"data": {"type": "Contact", "attributes": {}}});
    for (line, body, module, name) in [
        (
            "GET /Api/V8/module/Contact",
            &Value::Null,
            "Contacts",
            "Contact",
        ),
        (
            "GET /Api/V8/module/Case/c-1",
            &Value::Null,
            "Cases",
            "aCase",
        ),
        (
            "GET /Api/V8/module/Accounts/a-1/relationships/cases",
            &Value::Null,
            "Cases",
            "Case",
        ),
        ("PATCH /Api/V8/module", &contact, "Contacts", "Contact"),
        ("POST /Api/V8/module", &created, "Contacts", "Contact"),
        (
            "GET /Api/V8/module/acme_Boats/b-1",
            &Value::Null,
            "acme_Boats",
            "acme_Boats",
        ),
        ("GET /Api/V8/current-user", &Value::Null, "Users", "User"),
    ] {
        let shape = described().shape(&understood(line, body));
        let entry = record(&shape);
        assert_eq!(entry.record.module.as_str(), module, "{line}");
        assert_eq!(entry.record.spelling, Spelling::Html);
        let named = entry.keys.iter().any(|(key, shape)| {
            matches!(shape, Shape::NameOf(names) if *key == "type" && names.is(name) && !names.is("Lead"))
        });
        assert!(named, "{line} does not check the type");
    }
}

#[test]
fn every_form_has_a_shape() {
    for (route, action) in described().routes() {
        let line = route
            .replace("{module}", "Accounts")
            .replace("{id}", "a-1")
            .replace("{link}", "contacts")
            .replace("{related}", "c-1");
        let body = match action {
            "auth" if route.ends_with("/access_token") => {
                json!({"grant_type": "client_credentials"})
            }
            "create" => json!({"data": {"type": "Contacts"}}),
            "update" => json!({"data": {"type": "Contacts", "id": "c-1"}}),
            "relate" if line.starts_with("POST ") => {
                json!({"data": {"type": "Contacts", "id": "c-1"}})
            }
            _ => Value::Null,
        };
        let operation = understood(&line, &body);
        assert_eq!(operation.route, route);
        assert_ne!(described().shape(&operation), Shape::Dropped, "{line}");
        assert_eq!(operation.action.as_str(), action);
        assert_eq!(again(&described().render(&operation)), Ok(operation));
    }
}

#[test]
fn an_update_is_looked_up_by_exactly_its_fields() {
    let dialect = described();
    let body = json!({"data": {"type": "Contact", "id": "c-1", "attributes": {"a": 1, "b_c": 2}}});
    let look_up = dialect.look_up(&understood("PATCH /Api/V8/module", &body));
    let outgoing = dialect.render(&look_up);
    assert_eq!(
        outgoing.target,
        "/Api/V8/module/Contacts/c-1?fields%5BContacts%5D=a%2Cb_c"
    );
    assert_eq!(again(&outgoing), Ok(look_up));
    let long = "x".repeat(60);
    let many: serde_json::Map<String, Value> = (0..100)
        .map(|number| (format!("{long}{number}"), json!(1)))
        .collect();
    let body = json!({"data": {"type": "Contact", "id": "c-1", "attributes": many}});
    let look_up = dialect.look_up(&understood("PATCH /Api/V8/module", &body));
    assert_eq!(look_up.query.projection, None::<Vec<Projected>>);
}

#[test]
fn a_looked_up_record_is_flat() {
    let look_up = understood("GET /Api/V8/module/Contacts/c-1", &Value::Null);
    let read = |data: Value| described().looked_up(&look_up, json!({ "data": data }));
    let record = read(json!({"type": "Contact", "id": "c-1", "attributes": {"id": "c-2", "a": 1}}));
    assert_eq!(
        record.map(Value::Object),
        Some(json!({"id": "c-1", "a": 1}))
    );
    let record = read(json!({"type": "Contact", "id": "c-1", "attributes": []}));
    assert_eq!(record.map(Value::Object), Some(json!({"id": "c-1"})));
    assert_eq!(read(json!([])), None);
    assert_eq!(read(json!({"attributes": {}})), None);
    assert_eq!(read(json!({"id": "c-1"})), None);
}

#[test]
fn descriptions_teach_fields_and_links() {
    let dialect = described();
    let boats = Module::new("acme_Boats");
    let mut schema = dialect.schema().clone();
    let unknown = "GET /Api/V8/module/acme_Boats/b-1/relationships/owners";
    let reason =
        understand_in(&dialect, unknown, None, "").map_err(|refused| refused.objection.reason);
    assert_eq!(reason.err(), Some(Reason::UnknownLink));
    for (module, answer) in [
        (
            "acme_Boats",
            r#"{"data":{"type":"fields","attributes":{"sail_c":{"type":"varchar","default":"x"},"owners":{"type":"link","relationship":"acme_boats_contacts"}}}}"#,
        ),
        (
            "Contacts",
            r#"{"data":{"type":"fields","attributes":{"boats":{"type":"link","relationship":"acme_boats_contacts"}}}}"#,
        ),
    ] {
        let asked = understood(&format!("GET /Api/V8/meta/fields/{module}"), &Value::Null);
        assert!(dialect.answer_of(&asked).describes);
        let said = dialect.described(Some(&Module::new(module)), answer.as_bytes());
        let (taught, merged) = schema.and(said.unwrap());
        assert!(merged.is_new() && merged.contradictions.is_empty());
        schema = taught;
    }
    assert!(schema.has_field(&boats, "sail_c"));
    assert_eq!(schema.fields(&boats), [Field::fold("sail_c")]);
    let dialect = dialect.knowing(schema);
    let operation = understand_in(&dialect, unknown, None, "").unwrap();
    assert_eq!(operation.target(), Some(&Module::new("Contacts")));
    assert!(!dialect.answer_of(&operation).describes);
}

#[test]
fn the_documentation_lists_every_form() {
    let dialect = described();
    let text = include_str!("../../../docs/dialects/suitecrm-v8.md");
    let listed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" |"))
        .filter(|(request, _)| request.contains(" /Api/"))
        .map(|(request, rest)| {
            let action = rest.split('|').next().unwrap_or_default().trim();
            let request = request.trim_end_matches('`');
            let mut routes = dialect.routes().filter(|(route, _)| *route == request);
            let route = routes.next();
            let (route, does) = route.unwrap_or_else(|| panic!("{request} is no form"));
            assert_eq!(action, does, "{request}");
            route
        })
        .collect();
    let forms: Vec<&str> = dialect.routes().map(|(route, _)| route).collect();
    assert_eq!(listed, forms);
}
