//! What carries the arguments of a request.

use http::Method;
use serde_json::{Value, json};

use super::{BOUNDS, described};
use crate::dialect::carriers::flag;
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Bounds, Incoming, Operation, Understood};
use crate::reason::Reason;

fn typed(line: &str, content_type: Option<&str>, body: &[u8]) -> Result<Operation, Reason> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let request = Incoming {
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path,
        query,
        accept: None,
        content_type,
        controls: &[],
        body,
    };
    let bounds = Bounds {
        depth_max: 5,
        ..BOUNDS
    };
    match described().meaning(&request, &bounds) {
        Ok(Understood::One(operation)) => Ok(operation),
        Ok(Understood::Bulk { .. }) => panic!("{line} is an envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

#[test]
fn an_argument_has_one_carrier_and_is_known() {
    let read = |body: &str| {
        typed(
            "POST /rest/v11/Contacts/filter?fields=id",
            None,
            body.as_bytes(),
        )
    };
    assert_eq!(
        read(r#"{"fields":"id"}"#).err(),
        Some(Reason::DuplicateParameter)
    );
    let both = read(r#"{"max_num":1}"#).unwrap();
    assert_eq!(
        (both.query.projection.map(|all| all.len()), both.query.limit),
        (Some(1), Some(1))
    );
    assert_eq!(
        read(r#"{"Max_num":1}"#).err(),
        Some(Reason::UnknownParameter)
    );
}

#[test]
fn a_body_is_one_json_object_in_utf_8() {
    let read = |bytes: &[u8], content_type| {
        let operation = typed("PUT /rest/v11/Contacts/c-1", content_type, bytes)?;
        Ok(operation.write.map_or(0, |write| write.len()))
    };
    assert_eq!(read(b"", Some("text/plain")), Ok(0));
    assert_eq!(read(b"[]", None), Ok(0));
    for content_type in [
        None,
        Some("application/json"),
        Some("Application/JSON; Charset=UTF-8"),
        Some("application/json;charset=\"utf-8\""),
    ] {
        assert_eq!(read(br#"{"a":1}"#, content_type), Ok(1), "{content_type:?}");
    }
    for content_type in [
        "text/json",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8; x=y",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ] {
        assert_eq!(
            read(br#"{"a":1}"#, Some(content_type)),
            Err(Reason::UnsupportedMediaType)
        );
    }
    for bytes in [
        "[1]",
        "1",
        "null",
        r#"{"a":1,"A":2}"#,
        "{} {}",
        "[[[[[[[]]]]]]]",
        "\u{feff}{}",
    ] {
        assert_eq!(
            read(bytes.as_bytes(), None),
            Err(Reason::MalformedBody),
            "{bytes}"
        );
    }
}

#[test]
fn a_number_that_only_makes_an_address_new_is_dropped() {
    let finish = |text: &str| {
        let line = format!("GET /rest/v11/ping?{text}");
        typed(&line, None, b"").map(|_| ())
    };
    assert_eq!(finish("_=1699999999999"), Ok(()));
    for text in [
        "_=",
        "_=x",
        "_=-1",
        "_[]=1",
        "_[0]=1",
        "__=1",
        "_=111111111111111111111",
    ] {
        assert_eq!(finish(text), Err(Reason::UnknownParameter), "{text}");
    }
}

#[test]
fn a_login_is_json_or_a_form_with_each_member_once() {
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let parts = "multipart/form-data; boundary=b";
    let read = |bytes: &str, content_type| {
        let line = "POST /rest/v11/oauth2/token";
        let operation = typed(line, content_type, bytes.as_bytes())?;
        let body = described().render(&operation).body.unwrap();
        Ok::<_, Reason>(serde_json::from_slice::<Value>(&body).unwrap())
    };
    let expected = json!({"grant_type": "password", "username": "u", "password": "p +&\u{e9}"});
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let all =
        part("grant_type", "password") + &part("username", "u") + &part("password", "p +&\u{e9}");
    let in_json = r#"{"grant_type":"password","username":"u","password":"p +&é"}"#;
    let in_form = "grant_type=password&username=u&password=p+%2B%26%C3%A9";
    for (bytes, content_type) in [
        (in_json.to_owned(), None),
        (in_form.to_owned(), Some(form)),
        (format!("{all}--b--\r\n"), Some(parts)),
    ] {
        let read = read(&bytes, content_type);
        assert_eq!(read.as_ref(), Ok(&expected), "{content_type:?}");
    }
    for (bytes, content_type) in [
        (format!("{in_form}&username=v"), Some(form)),
        (format!("{in_form}&%75sername=v"), Some(form)),
        (in_json.to_owned(), Some(form)),
        (format!("{all}{all}--b--\r\n"), Some(parts)),
        (all, Some(parts)),
        (in_form.to_owned(), Some("application/json")),
        (in_form.to_owned(), Some("text/plain")),
    ] {
        assert!(read(&bytes, content_type).is_err(), "{bytes}");
    }
}

#[test]
fn credentials_in_a_query_are_refused() {
    for text in [
        "oauth_token=x",
        "OAuth_Token=x",
        "download%5Ftoken=x",
        "oauth_token[]=x",
    ] {
        let line = format!("GET /rest/v11/Contacts?{text}");
        let refused = typed(&line, None, b"").err();
        assert_eq!(refused, Some(Reason::CredentialInQuery), "{text}");
    }
}

#[test]
fn flags_have_few_spellings() {
    for (value, expected) in [
        (json!(true), Some(true)),
        (json!(0), Some(false)),
        (json!("1"), Some(true)),
        (json!("false"), Some(false)),
        (json!("yes"), None),
        (json!(2), None),
        (json!(null), None),
    ] {
        assert_eq!(flag(&value), expected, "{value}");
    }
}
