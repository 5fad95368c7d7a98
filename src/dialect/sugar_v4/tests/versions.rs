//! Older versions of the API, and calls in query strings.

use http::Method as Verb;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{PATH, SESSION, SugarV4, URLENCODED, bounds, encoded, form};
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Database, Dialect, Incoming, Operation, Outgoing, Shape, Understood};
use crate::reason::Reason;

const ALL: [&str; 6] = ["v2", "v2_1", "v3", "v3_1", "v4", "v4_1"];

fn sent(verb: &Verb, path: &str, query: Option<&str>, body: &str) -> Result<Operation, Reason> {
    let request = Incoming {
        method: verb,
        path,
        query,
        accept: None,
        content_type: Some(URLENCODED),
        controls: &[],
        body: body.as_bytes(),
    };
    match SugarV4::before(Database::Mysql).meaning(&request, &bounds()) {
        Ok(Understood::One(operation)) => Ok(operation),
        Ok(Understood::Bulk { .. }) => panic!("an envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

fn one(version: &str, method: &str, arguments: &Value) -> Result<Operation, Reason> {
    let body = form(method, &arguments.to_string());
    sent(
        &Verb::POST,
        &format!("/service/{version}/rest.php"),
        None,
        &body,
    )
}

fn rendered(operation: &Operation) -> (String, Value) {
    let Outgoing { target, body, .. } = SugarV4::before(Database::Mysql).render(operation);
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    let data = body.split_once("rest_data=").unwrap().1;
    let data = percent_encoding::percent_decode_str(data)
        .decode_utf8()
        .unwrap();
    (target, serde_json::from_str(&data).unwrap())
}

#[test]
fn a_request_is_asked_in_its_own_version() {
    let list = json!([
        SESSION,
        "Contacts",
        "last_name = 'D'",
        "id",
        0,
        ["id"],
        [],
        5,
        0
    ]);
    for version in ALL {
        let operation = one(version, "get_entry_list", &list).unwrap();
        assert_eq!(operation.version, version);
        let named = if version == "v4_1" {
            version
        } else {
            "{version}"
        };
        assert_eq!(
            operation.route,
            format!("POST /service/{named}/rest.php get_entry_list")
        );
        let (target, arguments) = rendered(&operation);
        assert_eq!(target, format!("/service/{version}/rest.php"));
        let favorites = matches!(version, "v3_1" | "v4" | "v4_1");
        let count = arguments.as_array().unwrap().len();
        assert_eq!(count, 9 + usize::from(favorites), "{version}");
        let again = one(version, "get_entry_list", &arguments).unwrap();
        assert_eq!(rendered(&again).1, arguments, "{version}");
        // Whose record is looked up before an update is asked in the last version.
        let write = json!([SESSION, "Contacts", {"id": "c-1", "last_name": "D"}]);
        let update = one(version, "set_entry", &write).unwrap();
        let look_up = SugarV4::before(Database::Mysql).look_up(&update);
        assert_eq!(rendered(&look_up).0, PATH);
    }
}

#[test]
fn what_only_later_versions_have_is_refused_by_earlier_ones() {
    let favorites = json!({"session": SESSION, "module_name": "Contacts", "favorites": true});
    let owner = json!([SESSION, "x", ["Contacts"], 0, 5, "u-1"]);
    for (version, method, arguments, reason) in [
        (
            "v2",
            "get_module_fields_md5",
            json!([SESSION, "Contacts"]),
            Reason::UnknownRoute,
        ),
        (
            "v3",
            "get_entry_list",
            favorites.clone(),
            Reason::UnknownParameter,
        ),
        (
            "v2",
            "search_by_module",
            owner.clone(),
            Reason::UnknownParameter,
        ),
        (
            "v2",
            "get_available_modules",
            json!([SESSION, "default"]),
            Reason::UnknownParameter,
        ),
    ] {
        assert_eq!(
            one(version, method, &arguments).err(),
            Some(reason),
            "{version} {method}"
        );
        assert!(one("v4_1", method, &arguments).is_ok(), "{method}");
    }
    assert!(one("v3_1", "get_entry_list", &favorites).is_ok());
    assert!(one("v3", "search_by_module", &owner).is_ok());
    // They may say what is so without them.
    let none = json!({"session": SESSION, "module_name": "Contacts", "favorites": false});
    assert!(one("v2", "get_entry_list", &none).is_ok());
}

#[test]
fn related_records_are_asked_in_the_version_that_takes_a_limit() {
    let related = json!([SESSION, "Accounts", "a-1", "contacts", "", ["id"], [], 0]);
    for version in ALL {
        let (target, arguments) = rendered(&one(version, "get_relationships", &related).unwrap());
        assert_eq!(
            (target.as_str(), &arguments[10]),
            (PATH, &json!(100)),
            "{version}"
        );
    }
}

#[test]
fn modules_are_names_until_they_are_objects() {
    let first = |version| {
        let operation = one(version, "get_available_modules", &json!([SESSION])).unwrap();
        let Shape::Object(shape) = SugarV4::before(Database::Mysql).shape(&operation) else {
            panic!("no object")
        };
        match shape.keys.into_iter().next() {
            Some((_, Shape::List(element))) => *element,
            other => panic!("{other:?}"),
        }
    };
    for version in ALL {
        let are_names = matches!(version, "v2" | "v2_1" | "v3");
        assert_eq!(first(version) == Shape::Scalar, are_names, "{version}");
    }
}

#[test]
fn a_call_may_stand_in_the_query_string_whole_or_in_part() {
    let arguments = json!([SESSION, "Contacts", "c-1"]).to_string();
    let whole = form("get_entry", &arguments);
    let dialect = SugarV4::before(Database::Mysql);
    let in_form = sent(&Verb::POST, PATH, None, &whole).unwrap();
    let head = "method=get_entry&input_type=JSON&response_type=JSON";
    let tail = format!("rest_data={}", encoded(&arguments));
    for (verb, query, body) in [
        (Verb::GET, whole.as_str(), ""),
        (Verb::GET, &format!("{whole}&_=1732291200000"), ""),
        (Verb::POST, head, tail.as_str()),
        (Verb::POST, tail.as_str(), head),
        (Verb::POST, "get_entry", &whole),
        (Verb::POST, "method=GET_ENTRY", &whole),
    ] {
        let operation = sent(&verb, PATH, Some(query), body).unwrap();
        assert_eq!(
            dialect.render(&operation),
            dialect.render(&in_form),
            "{query}"
        );
        assert_eq!(operation.credential, in_form.credential);
        let request = Incoming {
            method: &verb,
            path: PATH,
            query: Some(query),
            accept: None,
            content_type: None,
            controls: &[],
            body: body.as_bytes(),
        };
        assert_eq!(
            dialect.has_secrets_in_query(&request),
            query.contains("rest_data")
        );
    }
}

#[test]
fn a_slash_at_the_end_of_the_path_is_not_sent_on() {
    let body = form("get_user_id", &json!([SESSION]).to_string());
    let operation = sent(&Verb::POST, &format!("{PATH}/"), None, &body).unwrap();
    assert_eq!(rendered(&operation).0, PATH);
}

#[test]
fn envelopes_of_older_versions_are_put_together_alike() {
    let dialect = SugarV4::before(Database::Mysql);
    let body = form(
        "set_entries",
        &json!([SESSION, "Contacts", [{"last_name": "D"}]]).to_string(),
    );
    let request = |path| Incoming {
        method: &Verb::POST,
        path,
        query: None,
        accept: None,
        content_type: Some(URLENCODED),
        controls: &[],
        body: body.as_bytes(),
    };
    let assembled = |path| match dialect.meaning(&request(path), &bounds()) {
        Ok(Understood::Bulk { route, parts, .. }) => {
            let part = parts.into_iter().next().unwrap().unwrap();
            assert_eq!(rendered(&part).0, path);
            format!("{:?}", dialect.assemble(route))
        }
        other => panic!("{other:?}"),
    };
    let last = assembled(PATH);
    assert!(last.contains("ids"), "{last}");
    assert_eq!(assembled("/service/v2/rest.php"), last);
}

/// A query string of whatever means something to somebody.
fn query() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("get_entry"),
        Just("method=get_entry"),
        Just("method=get_entry_list"),
        Just("input_type=JSON"),
        Just("response_type=json"),
        Just("response_type=RSS"),
        Just("rest_data=%5B%22s3ss10n%22%2C%22Contacts%22%2C%22c-1%22%5D"),
        Just("rest_data=%5B%22other%22%2C%22Leads%22%2C%22l-1%22%5D"),
        Just("rest%5fdata=%5B%5D"),
        Just("_=17"),
        Just("jsoncallback=x"),
        Just("PHPSESSID=x"),
        Just("method[]=x"),
        Just("%20method=x"),
        Just("a"),
        Just(""),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.join("&"))
}

proptest! {
    #[test]
    fn a_query_string_never_changes_what_a_form_says(query in query(), other in "[a-z_%0-9=&+.]{0,20}") {
        let body = form("get_entry", &json!([SESSION, "Contacts", "c-1"]).to_string());
        let plain = sent(&Verb::POST, PATH, None, &body).unwrap();
        for query in [query.clone(), other, format!("{query}&{query}")] {
            if let Ok(operation) = sent(&Verb::POST, PATH, Some(&query), &body) {
                prop_assert_eq!(&operation, &plain, "{}", query);
            }
        }
    }
}
