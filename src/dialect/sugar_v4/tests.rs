//! The API as a whole: what a request means, how it is written back, where records lie.

use crate::dialect::testing::Speaks as _;
use bytes::Bytes;
use http::Method as Verb;
use serde_json::{Value, json};

use super::SugarV4;
use crate::dialect::{
    Access, Answered, Bounds, Database, Dialect, Incoming, Inquiry, Misunderstood, Operation,
    Outgoing, Predicate, Understood,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Action, Module, Use};

mod addresses;
mod attacks;
mod documentation;
mod fixpoint;
mod logic;
mod needed;
mod properties;
mod records;
mod versions;

const PATH: &str = "/service/v4_1/rest.php";
const URLENCODED: &str = "application/x-www-form-urlencoded";
const SESSION: &str = "s3ss10n";

fn bounds() -> Bounds {
    Bounds {
        page_max: 100,
        bulk_parts_max: 3,
        depth_max: 20,
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn form(method: &str, arguments: &str) -> String {
    format!(
        "method={method}&input_type=JSON&response_type=JSON&rest_data={}",
        encoded(arguments)
    )
}

fn send(dialect: &SugarV4, body: &str) -> Result<Understood<Operation>, Misunderstood> {
    let request = Incoming {
        method: &Verb::POST,
        path: PATH,
        query: None,
        accept: None,
        content_type: Some(URLENCODED),
        controls: &[],
        body: body.as_bytes(),
    };
    dialect.meaning(&request, &bounds())
}

fn understood(method: &str, arguments: &Value) -> Result<Understood<Operation>, Reason> {
    let body = form(method, &arguments.to_string());
    send(&SugarV4::before(Database::Mysql), &body)
        .map_err(|misunderstood| misunderstood.objection.reason)
}

fn one(method: &str, arguments: &Value) -> Result<Operation, Reason> {
    match understood(method, arguments)? {
        Understood::One(operation) => Ok(operation),
        Understood::Bulk { .. } => panic!("{method} is an envelope"),
    }
}

fn parts(method: &str, arguments: &Value) -> Result<Vec<Operation>, Reason> {
    match understood(method, arguments)? {
        Understood::One(_) => panic!("{method} is no envelope"),
        Understood::Bulk {
            credential, parts, ..
        } => {
            assert_eq!(credential.as_ref().map(Credential::token), Some(SESSION));
            Ok(parts.into_iter().map(Result::unwrap).collect())
        }
    }
}

fn refused(method: &str, arguments: Value) -> Reason {
    understood(method, &arguments).expect_err(&format!("{method} {arguments}"))
}

/// The method and the arguments of a rendered request.
fn called(outgoing: &Outgoing) -> (String, Value) {
    assert_eq!(outgoing.target, PATH);
    assert_eq!(outgoing.method, Verb::POST);
    let body = String::from_utf8(outgoing.body.clone().unwrap().to_vec()).unwrap();
    let mut values: Vec<String> = body
        .split('&')
        .map(|pair| {
            let value = pair.split_once('=').unwrap().1;
            percent_encoding::percent_decode_str(value)
                .decode_utf8()
                .unwrap()
                .into_owned()
        })
        .collect();
    assert_eq!(values[1..3], ["JSON", "JSON"]);
    let arguments = serde_json::from_str(&values.pop().unwrap()).unwrap();
    (values.remove(0), arguments)
}

fn rendered(operation: &Operation) -> Value {
    called(&SugarV4::before(Database::Mysql).render(operation)).1
}

fn used(operation: &Operation, how: Use) -> Vec<String> {
    operation
        .uses()
        .into_iter()
        .filter(|used| used.how == how)
        .map(|used| used.path.to_string())
        .collect()
}

#[test]
fn a_list_is_written_back_by_position() {
    let operation = one(
        "GET_Entry_List",
        &json!({
            "module_name": "Contacts", "session": SESSION,
            "query": "contacts.last_name like 'D%' and iban_c is not null", "order_by": "contacts.last_name desc, id",
            "offset": "20", "select_fields": ["id", "last_name", "id"], "max_results": 100_000, "deleted": 0,
            "link_name_to_fields_array": [{"name": "accounts", "value": ["name"]}, {"name": "email_addresses", "value": []}],
            "favorites": true
        }),
    )
    .unwrap();
    assert_eq!(operation.action, Action::List);
    assert_eq!(operation.access, Access::Governed);
    let modules: Vec<String> = operation
        .modules()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(modules, ["Accounts", "Contacts"]);
    assert_eq!(
        used(&operation, Use::Matched),
        ["Contacts.iban_c", "Contacts.last_name"]
    );
    assert_eq!(
        used(&operation, Use::Sorted),
        ["Contacts.id", "Contacts.last_name"]
    );
    assert_eq!(
        used(&operation, Use::Shown),
        ["Accounts.name", "Contacts.id", "Contacts.last_name"]
    );
    assert_eq!(
        rendered(&operation),
        json!([
            SESSION, "Contacts", "(contacts.last_name LIKE _utf8mb4 0x4425 AND contacts_cstm.iban_c IS NOT NULL)",
            "last_name DESC, id", 20, ["id", "last_name"],
            [{"name": "accounts", "value": ["name"]}, {"name": "email_addresses", "value": []}], 100, 0, true
        ])
    );
}

#[test]
fn all_fields_stay_all_and_none_never_becomes_all() {
    for select in [json!([]), json!(""), Value::Null] {
        let arguments =
            json!({"session": SESSION, "module_name": "Contacts", "select_fields": select});
        let operation = one("get_entry_list", &arguments).unwrap();
        assert_eq!(operation.query.projection, None);
        assert_eq!(rendered(&operation)[5], json!([]));
    }
    let arguments =
        json!([SESSION, "Contacts", "c-1", [], [{"name": "accounts", "value": ["name"]}]]);
    let all = one("get_entry", &arguments).unwrap();
    assert_eq!(rendered(&all)[3], json!([]));
    // What is left of a choice of which everything was hidden.
    let arguments =
        json!([SESSION, "Contacts", "c-1", ["iban_c"], [{"name": "accounts", "value": ["name"]}]]);
    let mut chosen = one("get_entry", &arguments).unwrap();
    chosen.query.projection.as_mut().unwrap().remove(0);
    assert_eq!(rendered(&chosen)[3], json!(["id"]));
    chosen.query.projection = Some(Vec::new());
    assert_eq!(rendered(&chosen)[3], json!(["id"]));
}

#[test]
fn every_spelling_of_arguments_means_the_same() {
    let by_name = json!({"session": SESSION, "module_name": "Contacts", "id": "c-1", "select_fields": {"0": "id", "1": "name"}});
    let by_position = json!([SESSION, "Contacts", "c-1", ["id", "name"]]);
    let by_number = json!({"0": SESSION, "1": "Contacts", "2": "c-1", "3": ["id", "name"]});
    let expected = json!([SESSION, "Contacts", "c-1", ["id", "name"], [], false]);
    for arguments in [by_name, by_position, by_number] {
        let operation = one("get_entry", &arguments).unwrap();
        assert_eq!(operation.record.as_deref(), Some("c-1"));
        assert_eq!(rendered(&operation), expected);
    }
}

#[test]
fn spellings_of_documented_examples_are_read() {
    for name in ["favorites", "Favorites", "favourites"] {
        let arguments = json!({"session": SESSION, "module_name": "Contacts", name: true});
        let list = one("get_entry_list", &arguments).unwrap();
        assert_eq!(rendered(&list)[9], json!(true), "{name}");
    }
    // What says nothing: blank, false, an empty list or object, PHP's number for none.
    let blank = json!({
        "session": SESSION, "module_name": "Contacts", "query": " ", "order_by": "", "offset": "", "select_fields": "",
        "link_name_to_fields_array": {}, "max_results": false, "deleted": "false", "favorites": ""
    });
    let plain = json!([SESSION, "Contacts"]);
    let (blank, plain) = (one("get_entry_list", &blank), one("get_entry_list", &plain));
    assert_eq!(rendered(&blank.unwrap()), rendered(&plain.unwrap()));
}

#[test]
fn multipart_is_a_form_too() {
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [
        part("method", "get_user_id"),
        part("input_type", "JSON"),
        part("response_type", "JSON"),
        part("rest_data", &json!([SESSION]).to_string()),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let request = Incoming {
        method: &Verb::POST,
        path: PATH,
        query: None,
        accept: None,
        content_type: Some("multipart/form-data; boundary=b"),
        controls: &[],
        body: body.as_bytes(),
    };
    let Ok(Understood::One(operation)) =
        SugarV4::before(Database::Mysql).meaning(&request, &bounds())
    else {
        panic!("not understood")
    };
    assert_eq!(rendered(&operation), json!([SESSION]));
}

#[test]
fn relations_are_held_to_the_target_of_their_link() {
    let operation = one(
        "get_relationships",
        &json!([
            SESSION, "Accounts", "a-1", "contacts", "contacts.iban_c = 'x'", ["id", "name"],
            [{"name": "email_addresses", "value": ["email_address"]}], 0, "last_name", 0, ""
        ]),
    )
    .unwrap();
    assert_eq!(operation.target(), Some(&Module::new("Contacts")));
    assert_eq!(used(&operation, Use::Matched), ["Contacts.iban_c"]);
    assert!(used(&operation, Use::Shown).contains(&"Contacts.email_address".to_owned()));
    let expected = json!([
        SESSION, "Accounts", "a-1", "contacts", "contacts_cstm.iban_c = _utf8mb4 0x78", ["id", "name"],
        [{"name": "email_addresses", "value": ["email_address"]}], 0, "last_name", 0, 100
    ]);
    assert_eq!(rendered(&operation), expected);
    let addresses = json!([
        SESSION,
        "Contacts",
        "c-1",
        "email_addresses",
        "email_addresses.email_address = 'x'"
    ]);
    let addresses = one("get_relationships", &addresses).unwrap();
    assert_eq!(used(&addresses, Use::Matched), ["Contacts.email_address"]);
    assert_eq!(
        refused(
            "get_relationships",
            json!([SESSION, "Accounts", "a-1", "acme_boats"])
        ),
        Reason::UnknownLink
    );
}

#[test]
fn a_search_is_one_search_for_each_module() {
    let arguments = json!([
        SESSION,
        "abc",
        ["Contacts", "Cases"],
        0,
        5,
        "",
        ["id"],
        false,
        false
    ]);
    let searches = parts("search_by_module", &arguments).unwrap();
    assert_eq!(searches.len(), 2);
    for (search, module) in searches.iter().zip(["Contacts", "Cases"]) {
        assert_eq!(search.query.search.as_deref(), Some("abc"));
        assert_eq!(
            rendered(search),
            json!([SESSION, "abc", [module], 0, 5, "", ["id"], false, false])
        );
    }
    let arguments =
        json!({"session": SESSION, "search_string": "abc", "modules": ["Contacts"], "id": "1"});
    let search = one("search_by_module", &arguments).unwrap();
    assert_eq!(used(&search, Use::Matched), ["Contacts.assigned_user_id"]);
    assert_eq!(rendered(&search)[5], json!("1"));
    for arguments in [
        json!([SESSION, "abc", []]),
        json!([SESSION, "", ["Contacts"]]),
        json!([SESSION, "abc", ["Contacts", "a b"]]),
    ] {
        assert_eq!(
            refused("search_by_module", arguments),
            Reason::MalformedQuery
        );
    }
    let many = json!([SESSION, "abc", ["A", "B", "C", "D"]]);
    assert_eq!(refused("search_by_module", many), Reason::TooManyParts);
}

#[test]
fn a_record_is_created_updated_or_deleted() {
    let write = |fields: Value| one("set_entry", &json!([SESSION, "Contacts", fields]));
    let created =
        write(json!([{"name": "last_name", "value": "D"}, {"name": "id", "value": ""}])).unwrap();
    assert_eq!(
        (created.action, created.record.as_deref()),
        (Action::Create, None)
    );
    for fields in [
        json!([{"name": "id", "value": "c-1"}, {"name": "last_name", "value": "D"}]),
        json!({"id": "c-1", "last_name": "D", "deleted": 0}),
        json!({"last_name": {"name": "last_name", "value": "D"}, "id": {"name": "id", "value": "c-1"}}),
    ] {
        let updated = write(fields).unwrap();
        assert_eq!(
            (updated.action, updated.record.as_deref()),
            (Action::Update, Some("c-1"))
        );
        assert_eq!(used(&updated, Use::Written), ["Contacts.last_name"]);
        assert_eq!(
            rendered(&updated)[2],
            json!([{"name": "id", "value": "c-1"}, {"name": "last_name", "value": "D"}])
        );
        let look_up = SugarV4::before(Database::Mysql).look_up(&updated);
        let read = json!([SESSION, "Contacts", "c-1", ["id", "last_name"], [], false]);
        assert_eq!(rendered(&look_up), read);
    }
    let deleted = write(json!({"id": "c-1", "deleted": "1"})).unwrap();
    assert_eq!((deleted.action, &deleted.write), (Action::Delete, &None));
    assert_eq!(
        rendered(&deleted)[2],
        json!([{"name": "id", "value": "c-1"}, {"name": "deleted", "value": 1}])
    );
    for (fields, reason) in [
        (
            json!({"id": "c-1", "deleted": 1, "last_name": "x"}),
            Reason::MalformedBody,
        ),
        (json!({"deleted": 1}), Reason::MalformedBody),
        (
            json!({"ID": "c-2", "last_name": "x"}),
            Reason::MalformedBody,
        ),
        (json!({"Deleted": 1, "id": "c-2"}), Reason::MalformedBody),
        (
            json!({"id": "c-1", "new_with_id": true}),
            Reason::IdOnCreate,
        ),
        (
            json!({"id": "c-1", "New_With_Id": false}),
            Reason::MalformedBody,
        ),
        (
            json!({"id": "c-1", "table_name": "users"}),
            Reason::MalformedBody,
        ),
        (
            json!({"id": "c-1", "Module_Dir": "Users"}),
            Reason::MalformedBody,
        ),
        (json!({"id": "c 1"}), Reason::MalformedBody),
        (json!({"a": ["x"]}), Reason::MalformedBody),
        (
            json!({"a": {"name": "b", "value": "x"}}),
            Reason::MalformedBody,
        ),
        (
            json!([{"name": "a", "value": 1}, {"name": "A", "value": 2}]),
            Reason::DuplicateParameter,
        ),
        (
            json!([{"name": "a", "value": 1, "x": 2}]),
            Reason::MalformedBody,
        ),
        (json!([{"name": "a b", "value": 1}]), Reason::MalformedBody),
        (json!(["a"]), Reason::MalformedBody),
        (json!("a"), Reason::MalformedBody),
    ] {
        assert_eq!(write(fields.clone()).err(), Some(reason), "{fields}");
    }
}

#[test]
fn names_that_the_crm_composes_are_not_written() {
    let composed = json!({"id": "c-1", "name": "Mme D", "full_name": "Mme D", "last_name": "D"});
    assert_eq!(
        used(
            &one("set_entry", &json!([SESSION, "Contacts", composed])).unwrap(),
            Use::Written
        ),
        ["Contacts.last_name"]
    );
    let account = one("set_entry", &json!([SESSION, "Accounts", {"name": "x"}])).unwrap();
    assert_eq!(used(&account, Use::Written), ["Accounts.name"]);
}

#[test]
fn a_write_may_say_again_what_the_call_says() {
    for fields in [
        json!([{"name": "module", "value": "Contacts"}, {"name": "last_name", "value": "D"}]),
        json!({"last_name": "D", "module_name": "Contacts"}),
    ] {
        let created = one("set_entry", &json!([SESSION, "Contacts", fields])).unwrap();
        assert_eq!(used(&created, Use::Written), ["Contacts.last_name"]);
        let many = parts("set_entries", &json!([SESSION, "Contacts", [fields]])).unwrap();
        assert_eq!(used(&many[0], Use::Written), ["Contacts.last_name"]);
    }
    let of_mautic =
        json!([{"name": "reference_id", "value": "7-1"}, {"name": "last_name", "value": "D"}]);
    let write = |module: &str| one("set_entry", &json!([SESSION, module, of_mautic])).unwrap();
    assert_eq!(used(&write("Leads"), Use::Written), ["Leads.last_name"]);
    // A module that is not stock may have such a field.
    let boats = ["acme_Boats.last_name", "acme_Boats.reference_id"];
    assert_eq!(used(&write("acme_Boats"), Use::Written), boats);
    // Another module, or another spelling, says something else.
    let other = one(
        "set_entry",
        &json!([SESSION, "Contacts", {"module": "Users"}]),
    )
    .unwrap();
    assert_eq!(used(&other, Use::Written), ["Contacts.module"]);
    for fields in [
        json!({"module_name": "Users"}),
        json!({"Module_Name": "Contacts"}),
    ] {
        let write = json!([SESSION, "Contacts", fields]);
        assert_eq!(refused("set_entry", write), Reason::MalformedBody);
    }
    // Nor does the name of a relation's table.
    let relate = |name| json!([SESSION, "Accounts", "a-1", "contacts", ["c-1"], [{"name": name, "value": "Other"}], 0]);
    for name in ["accounts_contacts", "contacts_accounts"] {
        let relation = one("set_relationship", &relate(name)).unwrap();
        assert_eq!(relation.write, None, "{name}");
    }
    let column = one("set_relationship", &relate("accounts_cases")).unwrap();
    assert_eq!(used(&column, Use::Written), ["Contacts.accounts_cases"]);
}

#[test]
fn several_writes_are_written_one_by_one() {
    let lists = json!([[{"name": "last_name", "value": "A"}], {"id": "c-1", "last_name": "B"}]);
    let writes = parts("set_entries", &json!([SESSION, "Contacts", lists])).unwrap();
    assert_eq!(
        writes.iter().map(|part| part.action).collect::<Vec<_>>(),
        [Action::Create, Action::Update]
    );
    let (method, arguments) = called(&SugarV4::before(Database::Mysql).render(&writes[0]));
    assert_eq!(method, "set_entry");
    assert_eq!(
        arguments,
        json!([SESSION, "Contacts", [{"name": "last_name", "value": "A"}], false])
    );
    let relations = json!([
        SESSION, ["Accounts", "Contacts"], ["a-1", "c-1"], ["contacts", "cases"], [["c-1"], ["k-1", "k-2"]],
        [[], [{"name": "contact_role", "value": "x"}]], [0, 1]
    ]);
    let relations = parts("set_relationships", &relations).unwrap();
    assert_eq!(
        rendered(&relations[1]),
        json!([SESSION, "Contacts", "c-1", "cases", ["k-1", "k-2"], [{"name": "contact_role", "value": "x"}], 1])
    );
    assert_eq!(used(&relations[1], Use::Written), ["Cases.contact_role"]);
    let single = json!([SESSION, "Accounts", "a-1", "contacts", "c-1"]);
    let single = one("set_relationship", &single).unwrap();
    assert_eq!(rendered(&single)[4], json!(["c-1"]));
    let nobody = json!([SESSION, "Accounts", "a-1", "contacts", []]);
    assert_eq!(refused("set_relationship", nobody), Reason::MalformedBody);
    let addresses = json!([SESSION, "Contacts", "c-1", "email_addresses", ["e-1"]]);
    assert_eq!(refused("set_relationship", addresses), Reason::UnknownLink);
    let lame = json!([
        SESSION,
        ["Accounts"],
        ["a-1", "a-2"],
        ["contacts"],
        [["c-1"]]
    ]);
    assert_eq!(refused("set_relationships", lame), Reason::MalformedBody);
}

#[test]
fn a_login_is_rebuilt_and_shows_nothing_in_debug_output() {
    let arguments = json!({
        "user_auth": {"user_name": "canary", "password": "canary", "version": "1", "encryption": "PLAIN"},
        "application": "x", "name_value_list": [{"name": "notifyonsave", "value": true}]
    });
    let login = one("login", &arguments).unwrap();
    assert_eq!((login.access, login.action), (Access::Public, Action::Auth));
    let outgoing = SugarV4::before(Database::Mysql).render(&login);
    assert_eq!(
        called(&outgoing).1,
        json!([
            {"user_name": "canary", "password": "canary", "version": "1", "encryption": "PLAIN"}, "x",
            [{"name": "notifyonsave", "value": true}]
        ])
    );
    assert!(!format!("{login:?}{outgoing:?}").contains("canary"));
    for arguments in [
        json!({"user_auth": {"user_name": "x"}}),
        json!({"user_auth": "x"}),
        json!({"user_auth": {"user_name": "x", "password": ["x"]}}),
        json!({"user_auth": {"user_name": "x", "password": "x", "version": "a b"}}),
        json!({"user_auth": {"user_name": "x)(uid=&#42;", "password": "x"}}),
        json!({"user_auth": {"user_name": "x", "password": "x"}, "name_value_list": {"language": "../../x"}}),
        json!({"user_auth": {"user_name": "x", "password": "x"}, "name_value_list": {"language": "fr&#46;"}}),
    ] {
        assert_eq!(refused("login", arguments), Reason::MalformedBody);
    }
    let unread = json!([{"user_name": "x", "password": "x", "application_name": "y", "language": null}, "x", ""]);
    assert_eq!(
        rendered(&one("login", &unread).unwrap()),
        json!([{"user_name": "x", "password": "x"}, "x", []])
    );
    let more = json!({"user_auth": {"user_name": "x", "password": "x", "session": "y"}});
    assert_eq!(refused("login", more), Reason::UnknownParameter);
}

#[test]
fn the_session_is_the_credential() {
    let listed = one("get_entry_list", &json!([SESSION, "Contacts"])).unwrap();
    let credential = listed.credential.as_ref().unwrap();
    assert_eq!(
        (credential.token(), credential.carrier()),
        (SESSION, &Carrier::Argument)
    );
    assert!(!format!("{listed:?}").contains(SESSION));
    assert_eq!(
        one("get_entry_list", &json!(["", "Contacts"]))
            .unwrap()
            .credential,
        None
    );
    for token in ["a b", "../../x", "a/b", "a.b", "a&#47;b"] {
        assert_eq!(
            refused("get_user_id", json!([token])),
            Reason::BadCredential
        );
    }
    assert_eq!(refused("get_user_id", json!([1])), Reason::MalformedBody);
    assert!(
        SugarV4::before(Database::Mysql)
            .head_form()
            .accepts(&Carrier::Argument)
    );
    assert!(
        !SugarV4::before(Database::Mysql)
            .head_form()
            .accepts(&Carrier::Bearer)
    );
}

#[test]
fn the_words_of_a_filter_stay_unseen() {
    let operation = one(
        "get_entries_count",
        &json!([SESSION, "Contacts", "last_name = 'canary'"]),
    )
    .unwrap();
    assert!(matches!(
        operation.query.predicate,
        Some(Predicate::Field { .. })
    ));
    assert!(!format!("{operation:?}").contains("canary"));
}

fn said(body: &Value) -> Answered {
    Answered {
        status: 200,
        body: Bytes::from(body.to_string()),
    }
}

fn entries(fields: &[Value]) -> Value {
    let entries: Vec<Value> = fields
        .iter()
        .map(|fields| {
            let list: serde_json::Map<String, Value> = fields
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), json!({"name": name, "value": value})))
                .collect();
            json!({"id": fields["id"], "module_name": "X", "name_value_list": list})
        })
        .collect();
    json!({"entry_list": entries, "relationship_list": []})
}

#[test]
fn a_session_is_looked_up_in_four_questions() {
    let credential = Credential::argument(SESSION).unwrap();
    let dialect = SugarV4::before(Database::Mysql);
    let answers = [
        said(&json!("u-1")),
        said(&entries(&[
            json!({"id": "u-1", "user_name": "jdoe", "is_admin": "0"}),
        ])),
        said(&entries(&[
            json!({"id": "r-1", "name": "Sales &amp; Co"}),
            json!({"id": "r-2", "name": "Support"}),
        ])),
        said(&entries(&[json!({"id": "g-1", "name": "Lyon"})])),
    ];
    let asked: Vec<(String, Value)> = (0..4)
        .map(
            |count| match dialect.inquire("", &credential, &answers[..count]) {
                Inquiry::Ask(question) => called(&question),
                other => panic!("{other:?}"),
            },
        )
        .collect();
    assert_eq!(asked[0], ("get_user_id".to_owned(), json!([SESSION])));
    assert_eq!(
        asked[1].1,
        json!([
            SESSION,
            "Users",
            "u-1",
            ["id", "user_name", "is_admin"],
            [],
            false
        ])
    );
    assert_eq!(asked[2].1[3], "aclroles");
    assert_eq!(asked[3].1[3], "SecurityGroups");
    let conclude = |answers: &[Answered]| dialect.inquire("", &credential, answers);
    let Inquiry::Known(session) = conclude(&answers) else {
        panic!("not known")
    };
    assert_eq!(
        (
            session.id.as_str(),
            session.name.as_str(),
            session.kind.as_str()
        ),
        ("u-1", "jdoe", "user")
    );
    assert_eq!(session.roles, ["Sales & Co", "Support"]);
    assert_eq!(session.teams, ["Lyon"]);

    let mut without_groups = answers.to_vec();
    without_groups[3] = said(&json!({"name": "Access Denied", "number": 40, "description": "x"}));
    let Inquiry::Known(session) = conclude(&without_groups) else {
        panic!("not known")
    };
    assert!(session.teams.is_empty());
    let ended = said(&json!({"name": "Invalid Session ID", "number": 11, "description": "x"}));
    for place in 0..4 {
        let mut answers = answers.to_vec();
        answers[place] = ended.clone();
        assert_eq!(conclude(&answers[..=place]), Inquiry::Nobody, "{place}");
    }
}

#[test]
fn an_answer_that_is_not_understood_tells_nobody() {
    let credential = Credential::argument(SESSION).unwrap();
    let dialect = SugarV4::before(Database::Mysql);
    let user = said(&entries(&[
        json!({"id": "u-1", "user_name": "jdoe", "is_admin": "1"}),
    ]));
    let denied = json!({"name": "Access Denied", "number": 40, "description": "x"});
    let gone = json!({"entry_list": [{"id": "r-1", "name_value_list": [{"name": "warning", "value": "x"}]}]});
    for answers in [
        vec![said(&json!(null))],
        vec![said(&json!(["u-1"]))],
        vec![said(&json!("' OR 1=1"))],
        vec![said(&denied)],
        vec![Answered {
            status: 500,
            body: Bytes::new(),
        }],
        vec![said(&json!("u-2")), user.clone()],
        vec![said(&json!("u-1")), said(&denied)],
        vec![said(&json!("u-1")), said(&gone)],
        vec![
            said(&json!("u-1")),
            said(&entries(&[
                json!({"id": "u-1", "user_name": "", "is_admin": "1"}),
            ])),
        ],
        vec![
            said(&json!("u-1")),
            said(&entries(&[
                json!({"id": "u-1", "user_name": "x", "is_admin": "yes"}),
            ])),
        ],
        vec![said(&json!("u-1")), user.clone(), said(&denied)],
        vec![said(&json!("u-1")), user.clone(), said(&gone)],
        vec![
            said(&json!("u-1")),
            user.clone(),
            said(&json!({"entry_list": {}})),
        ],
        vec![
            said(&json!("u-1")),
            user.clone(),
            said(&entries(&[json!({"id": "r-1"})])),
        ],
        vec![
            said(&json!("u-1")),
            user.clone(),
            said(&entries(&[])),
            said(&gone),
        ],
    ] {
        let conclusion = dialect.inquire("", &credential, &answers);
        assert!(matches!(conclusion, Inquiry::Failed(_)), "{conclusion:?}");
    }
}

#[test]
fn a_look_up_finds_the_one_record_of_its_reply() {
    let dialect = SugarV4::before(Database::Mysql);
    let read = json!({"entry_list": [{"id": "c-1", "module_name": "Contacts", "name_value_list": {"a": {"name": "a", "value": 1}}}], "relationship_list": []});
    let look_up = one("get_entry", &json!([SESSION, "Contacts", "c-1"])).unwrap();
    let record = dialect.looked_up(&look_up, read).unwrap();
    assert_eq!(Value::Object(record), json!({"a": 1, "id": "c-1"}));
}

#[test]
fn what_the_crm_says_of_itself_is_learned() {
    let dialect = SugarV4::before(Database::Mysql);
    let described = one("get_module_fields", &json!([SESSION, "acme_Boats"])).unwrap();
    assert!(dialect.answer_of(&described).describes);
    let boats = Module::new("acme_Boats");
    let request = form(
        "get_relationships",
        &json!([SESSION, "acme_Boats", "b-1", "crew"]).to_string(),
    );
    assert_eq!(
        send(&dialect, &request).unwrap_err().objection.reason,
        Reason::UnknownLink
    );
    let answer = json!({
        "module_name": "acme_Boats", "table_name": "acme_boats",
        "module_fields": {"berth": {"name": "berth", "type": "varchar"}},
        "link_fields": {"crew": {"name": "crew", "module": "Contacts"}}
    });
    let said = dialect.described(Some(&boats), answer.to_string().as_bytes());
    let (schema, merged) = dialect.schema().and(said.unwrap());
    assert_eq!((merged.fields, merged.links), (1, 1));
    let before = dialect.schema().hash().clone();
    let dialect = SugarV4 { schema, ..dialect };
    assert_ne!(*dialect.schema().hash(), before);
    let Ok(Understood::One(related)) = send(&dialect, &request) else {
        panic!("not understood")
    };
    assert_eq!(related.target(), Some(&Module::new("Contacts")));
    assert!(dialect.schema().has_field(&boats, "berth"));
    assert_eq!(dialect.schema().fields(&boats).len(), 1);
}
