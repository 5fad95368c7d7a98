//! Bodies: documents that write, logins, errors.

use serde_json::{Map, Value, json};

use super::{described, understand, understand_in};
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Dialect, Operation};
use crate::reason::Reason;
use crate::vocabulary::Module;

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("not an object")
    };
    object
}

fn update(body: &Value) -> Result<Operation, Reason> {
    understand("PATCH /Api/V8/module", &body.to_string())
}

fn written(data: Value) -> Result<Value, Reason> {
    update(&json!({ "data": data })).map(|operation| {
        let module = operation.module.unwrap();
        json!([module.as_str(), operation.record, operation.write])
    })
}

#[test]
fn a_whole_record_may_be_written_back() {
    let data = json!({"type": "Contact", "id": "c-1", "attributes": {
        "id": "c-1", "deleted": "0", "last_name": "Martin", "accounts": "", "reports_to_link": {}, "tags": ["a"],
        "filename": "rib.pdf", "filecontents": "", "n": null
    }});
    let fields = json!({"last_name": "Martin", "accounts": "", "reports_to_link": {}, "tags": ["a"], "n": null});
    assert_eq!(written(data), Ok(json!(["Contacts", "c-1", fields])));
    assert_eq!(
        written(json!({"type": "Contacts", "id": "c-1", "attributes": []})),
        Ok(json!(["Contacts", "c-1", {}]))
    );
}

#[test]
fn other_documents_are_refused() {
    let of = |attributes: Value| json!({"type": "Contacts", "id": "c-1", "attributes": attributes});
    for (data, reason) in [
        (
            json!({"type": "Contacts", "attributes": {}}),
            Reason::MalformedBody,
        ),
        (json!({"type": "Contacts", "id": 1}), Reason::MalformedBody),
        (
            json!({"type": ["Contacts"], "id": "1"}),
            Reason::MalformedBody,
        ),
        (json!({"id": "c-1"}), Reason::MalformedBody),
        (
            json!({"type": "Contacts", "id": "c-1", "relationships": {}}),
            Reason::UnknownParameter,
        ),
        (of(json!({"id": "c-2"})), Reason::IdMismatch),
        (of(json!({"ID": "c-1"})), Reason::MalformedBody),
        (of(json!({"deleted": 1})), Reason::FieldNotWritable),
        (of(json!({"deleted": "1"})), Reason::FieldNotWritable),
        (of(json!({"Deleted": "0"})), Reason::MalformedBody),
        (
            of(json!({"filecontents": "UklC"})),
            Reason::FieldNotWritable,
        ),
        (of(json!({"FileContents": "UklC"})), Reason::MalformedBody),
        (of(json!({"table_name": "users"})), Reason::MalformedBody),
        (of(json!({"New_With_Id": true})), Reason::MalformedBody),
        (of(json!({"a": {"b": 1}})), Reason::MalformedBody),
        (of(json!({"a": [[1]]})), Reason::MalformedBody),
        (of(json!({"a.b": 1})), Reason::MalformedBody),
        (of(json!({"_METHOD": "DELETE"})), Reason::MalformedBody),
        (of(json!([1])), Reason::MalformedBody),
    ] {
        assert_eq!(written(data.clone()), Err(reason), "{data}");
    }
    let read = |body| update(&body).err();
    assert_eq!(read(json!({"foo": 1})), Some(Reason::MalformedBody));
    assert_eq!(read(json!({"data": []})), Some(Reason::MalformedBody));
    assert_eq!(
        read(json!({"data": {"type": "Contacts", "id": "c-1"}, "moduleName": "Users"})),
        Some(Reason::UnknownParameter)
    );
}

#[test]
fn a_new_record_states_no_id_but_a_uuid() {
    let create =
        |data: Value| understand("POST /Api/V8/module", &json!({ "data": data }).to_string());
    for data in [
        json!({"type": "Contacts", "id": "c-1", "attributes": {}}),
        json!({"type": "Contacts", "attributes": {"id": "c-1"}}),
    ] {
        assert_eq!(create(data).err(), Some(Reason::IdOnCreate));
    }
    let own = "0b8f6a52-3c1d-4e7a-9f10-2d3c4b5a6978";
    let created = create(json!({"type": "Contacts", "id": own, "attributes": {}})).unwrap();
    assert_eq!(created.record.as_deref(), Some(own));
    let blank = json!({"type": "Contacts", "id": "", "attributes": {"id": null, "a": 1}});
    assert_eq!(create(blank).unwrap().write, Some(object(json!({"a": 1}))));
}

#[test]
fn a_relation_names_one_record() {
    let read = |data: Value| {
        let line = "POST /Api/V8/module/Accounts/a-1/relationships";
        understand(line, &json!({ "data": data }).to_string())
    };
    let relation = read(json!({"type": "aCase", "id": "c-1"})).unwrap();
    assert_eq!(relation.target(), Some(&Module::new("Cases")));
    assert_eq!(relation.related, ["c-1"]);
    for data in [
        json!({"type": "Cases"}),
        json!({"type": "Cases", "id": "../x"}),
        json!({"type": "Cases", "id": ["c-1"]}),
        json!({"type": "Cases", "id": "c-1", "attributes": {"name": "x"}}),
        json!([{"type": "Cases", "id": "c-1"}]),
    ] {
        assert_eq!(read(data).err(), Some(Reason::MalformedBody));
    }
}

#[test]
fn a_document_is_one_json_object() {
    let good = r#"{"data":{"type":"Contacts","id":"c-1"}}"#;
    let read = |body: &str, content_type| {
        let read = understand_in(&described(), "PATCH /Api/V8/module", content_type, body);
        read.map(|_| ()).map_err(|refused| refused.objection.reason)
    };
    for content_type in [
        None,
        Some("application/json"),
        Some("application/vnd.api+json"),
        Some("Application/vnd.API+json; Charset=UTF-8"),
    ] {
        assert_eq!(read(good, content_type), Ok(()), "{content_type:?}");
    }
    for content_type in [
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/xml",
    ] {
        for body in [good, ""] {
            assert_eq!(
                read(body, Some(content_type)),
                Err(Reason::UnsupportedMediaType)
            );
        }
    }
    for body in [
        "",
        "[]",
        "1",
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"A":2}"#,
        "{} {}",
        "[[[[[[]]]]]]",
        "\u{feff}{}",
    ] {
        assert_eq!(read(body, None), Err(Reason::MalformedBody), "{body}");
    }
}

#[test]
fn a_login_may_be_a_form() {
    let login = |body: &str, content_type: &str| {
        let line = "POST /Api/access_token";
        let read = understand_in(&described(), line, Some(content_type), body);
        let read = read.map_err(|refused| refused.objection.reason)?;
        let body = described().render(&read).body.unwrap();
        Ok::<Value, Reason>(serde_json::from_slice(&body).unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let read = |text: &str| login(text, form);
    let known = "grant_type=client_credentials";
    let secret = "client_secret=x%20y+z";
    assert_eq!(
        read(&format!("{known}&{secret}")).unwrap()["client_secret"],
        "x y z"
    );
    assert_eq!(
        read(&format!("{known}&{known}")),
        Err(Reason::DuplicateParameter)
    );
    assert_eq!(
        read(&format!("{known}&scope=%zz")),
        Err(Reason::MalformedBody)
    );
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = |names: &[(&str, &str)]| {
        let body: String = names
            .iter()
            .map(|(name, value)| part(name, value))
            .collect();
        login(
            &format!("{body}--b--\r\n"),
            "multipart/form-data; boundary=b",
        )
    };
    let grant = ("grant_type", "client_credentials");
    let secret = ("client_secret", "x y");
    assert_eq!(parts(&[grant, secret]).unwrap()["client_secret"], "x y");
    assert_eq!(parts(&[grant, grant]), Err(Reason::DuplicateParameter));
    assert_eq!(login("{}", "text/plain"), Err(Reason::UnsupportedMediaType));
}

#[test]
fn an_error_is_an_object_with_fixed_texts() {
    let shape = |status, label| described().refuse(status, label);
    assert_eq!(
        shape(403, None).filled(403, "No \"way\".").to_string(),
        r#"{"errors":{"status":403,"title":"Forbidden","detail":"No \"way\"."}}"#
    );
    assert_eq!(
        shape(401, Some("access_denied"))
            .filled(401, "x")
            .to_string(),
        r#"{"error":"access_denied","message":"x","errors":{"status":401,"title":"access_denied","detail":"x"}}"#
    );
    assert_eq!(
        described().label(Reason::NoCredential),
        Some("access_denied")
    );
    assert_eq!(described().label(Reason::UnknownRoute), None);
}

#[test]
fn only_documented_codes_are_read_from_an_error() {
    let asked = understand("GET /Api/V8/current-user", "").unwrap();
    let exchange = described().exchange_of(asked);
    let label = |body: &[u8]| exchange.failure(400, body).and_then(|told| told.label);
    assert_eq!(
        label(br#"{"error":"invalid_client","message":"x"}"#),
        Some("invalid_client")
    );
    for body in [
        r#"{"error":"unknown_error","message":"The password is invalid: secret"}"#,
        r#"{"errors":{"status":400,"title":null,"detail":"Unknown column"}}"#,
        r#"{"error":["invalid_client"]}"#,
        r#"{"error":"x","error":"invalid_client"}"#,
        "<html>",
        "",
    ] {
        assert_eq!(label(body.as_bytes()), None, "{body}");
    }
}
