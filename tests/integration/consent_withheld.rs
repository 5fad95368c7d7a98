//! Records that are not there for a purpose on consent: nothing that a CRM says of others tells of them, in the forms that each
//! API has for it.

use std::sync::Arc;

use paravent::dialect::{self, Dialect};
use paravent::ledger::{Address, Draft, Reference, Who};
use serde_json::{Value, json};

use crate::consent_dialects::{Stage, described, given, json_reply, number};
use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received};

const KEY: (&str, &str) = ("DOLAPIKEY", "key");
const ESPO: (&str, &str) = ("X-Api-Key", "key");
/// Ids of records, one of which the CRM has.
const TAKEN: &str = "6f0c1d1e-0000-4000-8000-000000000001";
const FREE: &str = "6f0c1d1e-0000-4000-8000-000000000002";
const BEARER: (&str, &str) = ("Authorization", "Bearer eyJ0.eyJqdGkiOiJ4In0.c2ln");

/// A policy with these lines of `people` and `classify`.
fn policy(role: &str, people: &str, classify: &str) -> String {
    format!(
        r#"policy: agreed
roles: {{ mailers: {{ from: {{ {role} }}, default_purpose: mailing }} }}
people: {{ {people} }}
purposes:
  mailing: {{ legal_basis: consent, roles: [mailers], consent: {{ proof: single-opt-in }} }}
defaults: {{ unclassified: redact, ungranted: redact }}
classify:
  "*": {{ id: technical.id }}
{classify}
grants:
  - {{ name: mailing-data, roles: mailers, purposes: mailing, data: [contact, identity, commercial, technical], level: clear, write: allow }}
"#
    )
}

fn dolibarr(people: &str) -> String {
    let classify = "  contacts: { email: contact.email }
  thirdparties: { name: identity.name }
  invoices: { ref: commercial.subject }
  agendaevents: { label: commercial.subject }
  thirdparty_bankaccounts: { iban: commercial.subject }";
    policy("crm.role: Sales", people, classify)
}

fn of_address(name: &str) -> Draft {
    given(Who::Address(Address::parse(name).unwrap()))
}

fn of_record(record: &str) -> Draft {
    given(Who::Record(Reference::parse(record).unwrap()))
}

fn ask(
    stage: &Stage,
    (method, target): (&str, &str),
    header: (&'static str, &str),
    body: Option<&Value>,
) -> Response {
    let mut headers = vec![(header.0, header.1.to_owned())];
    if body.is_some() {
        headers.push(("Content-Type", "application/json".to_owned()));
    }
    let request = Request {
        method,
        target,
        headers,
        body: body.map(|body| body.to_string().into_bytes()),
    };
    stage.world.send_request(stage.world.proxy, &request)
}

/// Who asks, as Dolibarr says it; and what there is under these paths.
fn of_dolibarr(request: &Received, records: &[(&str, Value)]) -> Vec<u8> {
    let path = request.line.split(['?', ' ']).nth(1).unwrap();
    let path = path.trim_start_matches("/api/index.php");
    match path {
        "/users/info" => {
            return json_reply(&json!({"id": "3", "login": "sami", "admin": "0"}));
        }
        "/users/3/groups" => return json_reply(&json!([{"id": 1, "nom": "Sales"}])),
        _ => {}
    }
    let nothing = scripted::json(404, br#"{"error": {"code": 404, "message": "Not found"}}"#);
    let Some((_, found)) = records.iter().find(|(at, _)| *at == path) else {
        return nothing;
    };
    let Value::Array(all) = found else {
        return json_reply(found);
    };
    let size = usize::try_from(number(&request.line, "limit", 100)).unwrap();
    let page = usize::try_from(number(&request.line, "page", 0)).unwrap();
    let rows: Vec<&Value> = all.iter().skip(page * size).take(size).collect();
    match rows.is_empty() {
        true => nothing,
        false => json_reply(&json!(rows)),
    }
}

#[test]
fn who_is_linked_is_looked_up_in_the_module_of_the_link_and_all_must_agree() {
    let people = "contacts: { kind: customer, email: email }, thirdparties: { kind: customer }, \
        invoices: { of: { socid: thirdparties } }, \
        agendaevents: { of: { contact_id: contacts, socid: thirdparties } }";
    let said = vec![of_record("crm:contacts/7"), of_record("crm:thirdparties/9")];
    let records = vec![
        (
            "/invoices",
            json!([
                {"id": "71", "ref": "of a stranger", "socid": "7"},
                {"id": "72", "ref": "of nine", "socid": "9"},
                {"id": "73", "ref": "of nobody", "socid": null},
            ]),
        ),
        (
            "/agendaevents",
            json!([
                {"id": "81", "label": "one", "contact_id": "7", "socid": null},
                {"id": "82", "label": "both", "contact_id": 7, "socid": "9"},
                {"id": "83", "label": "beside a stranger", "contact_id": "7", "socid": "8"},
            ]),
        ),
    ];
    let answer = move |request: &Received| of_dolibarr(request, &records);
    let stage = Stage::before(described("dolibarr"), dolibarr(people), said, answer);
    for (module, expected) in [("invoices", ["72", "73"]), ("agendaevents", ["81", "82"])] {
        let list = stage.get(KEY, &format!("/api/index.php/{module}?limit=10"));
        let ids: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["id"])
            .collect();
        assert_eq!(ids, expected, "{module}");
    }
}

/// What a list looks like of whom nobody has agreed, and one without records.
fn alike(
    dialect: impl Fn() -> Arc<dyn Dialect>,
    policy: &str,
    crm: impl Fn(&Received, usize) -> Vec<u8> + Clone + Send + Sync + 'static,
    ask: impl Fn(&Stage) -> Response,
) -> Response {
    let [withheld, empty] = [7, 0].map(|records| {
        let crm = crm.clone();
        let answer = move |request: &Received| crm(request, records);
        ask(&Stage::before(
            dialect(),
            policy.to_owned(),
            Vec::new(),
            answer,
        ))
    });
    assert_eq!(withheld.status, empty.status);
    assert_eq!(undecided(&withheld), undecided(&empty));
    withheld
}

/// The text of a reply, without the id of its decision.
fn undecided(reply: &Response) -> String {
    let text = reply.text();
    match text.split_once("(ref ") {
        Some((before, after)) => {
            let behind = after.split_once(')').map_or("", |(_, behind)| behind);
            format!("{before}{behind}")
        }
        None => text,
    }
}

fn people(records: usize, record: impl Fn(usize) -> Value) -> Value {
    (0..records).map(record).collect()
}

#[test]
fn a_list_of_whom_nobody_agreed_is_a_list_without_records_to_the_byte() {
    let of_contacts = "contacts: { kind: customer, email: email }";
    let reply = alike(
        || described("dolibarr"),
        &dolibarr(of_contacts),
        |request, records| {
            let all = people(
                records,
                |n| json!({"id": n.to_string(), "email": format!("p{n}@example.org")}),
            );
            of_dolibarr(request, &[("/contacts", all)])
        },
        |stage| {
            ask(
                stage,
                ("GET", "/api/index.php/contacts?limit=10"),
                KEY,
                None,
            )
        },
    );
    assert_eq!(reply.status, 404, "{}", reply.text());

    let reply = alike(
        || described("espocrm"),
        &policy(
            "crm.team: Sales",
            "Contact: { kind: customer, email: emailAddress }",
            "  Contact: { emailAddress: contact.email }",
        ),
        |request, records| {
            if request.line.contains("/App/user") {
                return espo_user();
            }
            let all = people(
                records,
                |n| json!({"id": format!("{n:08x}"), "emailAddress": format!("p{n}@example.org")}),
            );
            let from = usize::try_from(number(&request.line, "offset", 0)).unwrap();
            let page: Vec<&Value> = all.as_array().unwrap().iter().skip(from).collect();
            json_reply(&json!({"total": records, "list": page}))
        },
        |stage| ask(stage, ("GET", "/api/v1/Contact"), ESPO, None),
    );
    assert_eq!(reply.json(), json!({"total": -1, "list": []}));

    let reply = alike(
        || dialect::by_name("suitecrm-v8").unwrap(),
        &of_suitecrm(),
        suitecrm,
        |stage| ask(stage, ("GET", "/Api/V8/module/Contacts"), BEARER, None),
    );
    assert_eq!(reply.json(), json!({"data": []}));
}

fn espo_user() -> Vec<u8> {
    json_reply(
        &json!({"user": {"id": "6a", "userName": "ada", "type": "regular", "teamsIds": ["7"], "teamsNames": {"7": "Sales"}}}),
    )
}

fn of_suitecrm() -> String {
    policy(
        "crm.role: Sales",
        "Contacts: { kind: customer, email: email1 }",
        "  Contacts: { email1: contact.email, last_name: identity.name }",
    )
}

/// SuiteCRM, which tells of pages only where there are records.
fn suitecrm(request: &Received, records: usize) -> Vec<u8> {
    let person = |n: usize| json!({"type": "Contact", "id": format!("c-{n}"), "attributes": {"email1": format!("p{n}@example.org")}});
    let path = request.line.split(['?', ' ']).nth(1).unwrap();
    let body = match (request.line.split(' ').next().unwrap(), path) {
        (_, "/Api/V8/current-user") => json!({"data": {"type": "User", "id": "u-1", "attributes": {
            "id": "u-1", "user_name": "ada", "is_admin": "0"}}}),
        (_, "/Api/V8/module/Users/u-1/relationships/aclroles") => json!({
            "meta": {"total-records": 1, "total-pages": 1, "records-on-this-page": 1},
            "data": [{"type": "ACLRole", "id": "r-1", "attributes": {"name": "Sales", "description": ""}}]
        }),
        ("GET", "/Api/V8/module/Contacts") if records > 0 => json!({
            "meta": {"total-pages": 1, "records-on-this-page": records},
            "data": people(records, person),
            "links": {"first": null}
        }),
        ("POST", "/Api/V8/module") => {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            match body["data"]["id"].as_str() {
                Some(TAKEN) => json!(null),
                id => json!({"data": {"type": "Contact", "id": id, "attributes": {}}}),
            }
        }
        ("GET", path) if path.starts_with("/Api/V8/module/Contacts/") => json!(null),
        _ => json!({"data": []}),
    };
    let reply = match body.is_null() {
        true => scripted::json(
            400,
            br#"{"errors": {"status": 400, "title": null, "detail": "no"}}"#,
        ),
        false => json_reply(&body),
    };
    let reply = String::from_utf8(reply).unwrap();
    let reply = reply.replacen("application/json", "application/vnd.api+json", 1);
    reply.into_bytes()
}

#[test]
fn an_error_in_place_of_an_empty_page_ends_a_list_and_keeps_what_was_found() {
    let all: Value = (0..250)
        .map(|n| json!({"id": n.to_string(), "email": format!("p{n}@example.org")}))
        .collect();
    let said = [3, 200].map(|n| of_address(&format!("p{n}@example.org")));
    let policy = dolibarr("contacts: { kind: customer, email: email }");
    let stage = Stage::before(described("dolibarr"), policy, said.into(), move |request| {
        of_dolibarr(request, &[("/contacts", all.clone())])
    });
    let list = stage.get(KEY, "/api/index.php/contacts?limit=10");
    let ids: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, ["3", "200"]);
}

#[test]
fn a_numbered_page_that_is_short_and_not_the_last_one_is_refused() {
    let all: Value = (0..3000)
        .map(|n| json!({"id": n.to_string(), "email": format!("p{n}@example.org")}))
        .collect();
    let policy = dolibarr("contacts: { kind: customer, email: email }");
    let said = vec![of_address("p3@example.org")];
    let stage = Stage::before(described("dolibarr"), policy, said, move |request| {
        of_dolibarr(request, &[("/contacts", all.clone())])
    });
    let reply = ask(
        &stage,
        ("GET", "/api/index.php/contacts?limit=10"),
        KEY,
        None,
    );
    assert_eq!(reply.status, 403, "{}", reply.text());
}

#[test]
fn nobody_is_looked_up_by_an_address_in_the_path() {
    let people = "contacts: { kind: customer, email: email }";
    let records = vec![(
        "/contacts/email/p1@example.org",
        json!({"id": "1", "email": "p1@example.org"}),
    )];
    let said = vec![of_address("p1@example.org")];
    let stage = Stage::before(
        described("dolibarr"),
        dolibarr(people),
        said,
        move |request| of_dolibarr(request, &records),
    );
    for name in ["p1", "p2"] {
        let target = format!("/api/index.php/contacts/email/{name}@example.org");
        let reply = ask(&stage, ("GET", &target), KEY, None);
        assert_eq!(reply.status, 403, "{}", reply.text());
    }
}

#[test]
fn what_lies_within_a_record_that_is_not_there_is_not_there_either() {
    let people = "thirdparties: { kind: customer }, thirdparty_bankaccounts: none";
    let records = vec![
        ("/thirdparties/7", json!({"id": "7", "name": "Seven"})),
        ("/thirdparties/9", json!({"id": "9", "name": "Nine"})),
        (
            "/thirdparties/7/bankaccounts",
            json!([{"id": "55", "iban": "FR7630006000011234567890189"}]),
        ),
        (
            "/thirdparties/9/bankaccounts",
            json!([{"id": "56", "iban": "x"}]),
        ),
    ];
    let said = vec![of_record("crm:thirdparties/9")];
    let stage = Stage::before(
        described("dolibarr"),
        dolibarr(people),
        said,
        move |request| of_dolibarr(request, &records),
    );
    let of = |id: &str| {
        let target = format!("/api/index.php/thirdparties/{id}/bankaccounts");
        let reply = ask(&stage, ("GET", &target), KEY, None);
        (reply.status, undecided(&reply))
    };
    assert_eq!(of("7"), of("8"));
    assert_eq!(of("7").0, 404);
    assert_eq!(of("9").0, 200);
}

#[test]
fn whose_record_it_is_is_asked_where_the_caller_asks_for_other_fields() {
    let people = "contacts: { kind: customer, email: email }";
    let said = vec![of_record("crm:contacts/7")];
    let records = vec![("/contacts", json!([{"id": "7", "email": "p7@example.org"}]))];
    let stage = Stage::before(
        described("dolibarr"),
        dolibarr(people),
        said,
        move |request| of_dolibarr(request, &records),
    );
    let list = stage.get(KEY, "/api/index.php/contacts?limit=10&properties=email");
    assert_eq!(list[0]["email"], "p7@example.org");
    let asked = stage.crm.take_all();
    let asked = asked
        .iter()
        .find(|one| one.line.contains("properties"))
        .unwrap();
    assert!(
        asked.line.contains("email%2Cid") || asked.line.contains("email,id"),
        "{}",
        asked.line
    );
}

#[test]
fn a_new_record_is_compared_with_none_and_may_bring_its_id() {
    let of_contact = policy(
        "crm.team: Sales",
        "Contact: { kind: customer, email: emailAddress }",
        "  Contact: { emailAddress: contact.email, lastName: identity.name }",
    );
    let stage = Stage::before(described("espocrm"), of_contact, Vec::new(), |request| {
        if request.line.contains("/App/user") {
            return espo_user();
        }
        match request.header("x-skip-duplicate-check") {
            Some("true") => json_reply(&json!({"id": "6b"})),
            _ => scripted::json(409, b"[]"),
        }
    });
    let body = json!({"lastName": "Tan", "emailAddress": "tan@example.org"});
    let created = ask(&stage, ("POST", "/api/v1/Contact"), ESPO, Some(&body));
    assert_eq!(created.status, 200, "{}", created.text());

    let stage = Stage::before(
        dialect::by_name("suitecrm-v8").unwrap(),
        of_suitecrm(),
        Vec::new(),
        |request| suitecrm(request, 7),
    );
    let of = |id: &str| {
        let body =
            json!({"data": {"type": "Contact", "id": id, "attributes": {"last_name": "Tan"}}});
        let reply = ask(&stage, ("POST", "/Api/V8/module"), BEARER, Some(&body));
        (reply.status, reply.text())
    };
    assert!(of(FREE).0 < 300, "{:?}", of(FREE));
    assert_eq!(of(TAKEN).0, 422, "why it cannot be made is not told");
}
