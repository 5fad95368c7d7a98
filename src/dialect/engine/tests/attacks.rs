//! Requests that two programs would read differently, and ways around a rule.

use super::*;

fn refused(line: &str, body: &str) -> Reason {
    match understand(&every(), line, body) {
        Ok(operation) => panic!("{line} was understood: {operation:?}"),
        Err(reason) => reason,
    }
}

const NOT_DESCRIBED: &[(&str, Reason)] = &[
    ("GET /api/people?boss=1)or(1", Reason::MalformedFilter),
    ("GET /api/people?boss=1,,2", Reason::MalformedFilter),
    ("GET /api/people?boss[]=1", Reason::MalformedFilter),
    ("GET /api/people?boss[]=1&boss[]=2", Reason::MalformedFilter),
    ("GET /api/export", Reason::UnknownRoute),
    ("GET /api/people/p1/firm", Reason::MethodNotAllowed),
    ("GET /api/people//", Reason::UnknownRoute),
    ("GET /api/", Reason::UnknownRoute),
    ("GET /api", Reason::UnknownRoute),
    ("GET /API/people", Reason::UnknownRoute),
    ("GET /api/People", Reason::UnknownRoute),
    ("GET /api/people/p%25", Reason::UnknownRoute),
    ("GET /api/people/p1.xml", Reason::UnknownRoute),
    ("DELETE /api/people", Reason::MethodNotAllowed),
    ("DELETE /api/search/people", Reason::MethodNotAllowed),
    ("POST /api/people/p1/boss", Reason::UnknownLink),
    ("GET /api/people?deleted=1", Reason::UnknownParameter),
    ("GET /api/people?FORM=short", Reason::UnknownParameter),
    ("GET /api/people?form=long", Reason::UnknownParameter),
    (
        "GET /api/people?fields[firms]=iban",
        Reason::UnknownParameter,
    ),
    (
        "GET /api/people?fields[people]=a&fields[firms]=b",
        Reason::UnknownParameter,
    ),
    ("GET /api/people?fields=a", Reason::UnknownParameter),
    ("GET /api/people?API_KEY=x", Reason::CredentialInQuery),
    ("GET /api/people?only=a&only=b", Reason::DuplicateParameter),
    (
        "GET /api/people?only=a&fields[people]=b",
        Reason::DuplicateParameter,
    ),
    (
        "GET /api/people?where[0][type]=is&where[0][attribute]=a&whereGroup[0][type]=is&whereGroup[0][attribute]=a",
        Reason::DuplicateParameter,
    ),
    (
        "GET /api/people?q=%7B%7D&only=a",
        Reason::DuplicateParameter,
    ),
    (
        "GET /api/people?q=%7B%22only%22:%22a%22,%22only%22:%22b%22%7D",
        Reason::MalformedQuery,
    ),
    (
        "GET /api/people?q=%7B%22deleted%22:1%7D",
        Reason::UnknownParameter,
    ),
    ("GET /api/people?q=x", Reason::MalformedQuery),
    ("GET /api/people?view=secret", Reason::StoredQuery),
    ("GET /api/people?only_my=theirs", Reason::StoredQuery),
    ("GET /api/people?page[size]=-1", Reason::MalformedPage),
    ("GET /api/people?page[size]=1e3", Reason::MalformedPage),
    ("GET /api/people?sort=sqlmap()", Reason::MalformedOrder),
    ("GET /api/people?sort=owner.name", Reason::MalformedOrder),
    (
        "GET /api/people?only=a,b%20c(x)",
        Reason::MalformedProjection,
    ),
    (
        "GET /api/people?filter[town][like]=x",
        Reason::MalformedFilter,
    ),
    (
        "GET /api/people?filter[town][eq][a]=x",
        Reason::MalformedFilter,
    ),
    (
        "GET /api/people?filter[town][eq][a][b]=x",
        Reason::MalformedFilter,
    ),
    ("GET /api/people?filter=x", Reason::MalformedFilter),
    (
        "GET /api/people?where[0][type]=is&where[0][attribute]=LOWER:(a)",
        Reason::MalformedFilter,
    ),
    (
        "GET /api/people?where[0][type]=is&where[0][attribute]=a&where[0][sub]=b",
        Reason::MalformedFilter,
    ),
    (
        "GET /api/people?where[1][type]=is&where[1][attribute]=a",
        Reason::MalformedQuery,
    ),
    (
        "GET /api/people?where[0][type]=and&where[0][value][0][type]=or&where[0][value][0][value]=x",
        Reason::MalformedFilter,
    ),
    ("GET /api/people?a;b=1", Reason::MalformedQuery),
    ("GET /api/people?only=%ff", Reason::MalformedQuery),
    ("GET /api/firms/by/..", Reason::UnknownRoute),
];

const BAD_WRITES: &[(&str, &str, Reason)] = &[
    (
        "PATCH /api/typed/people/p1",
        r#"{"data":{"id":"p2","attributes":{"town":1}}}"#,
        Reason::IdMismatch,
    ),
    (
        "PATCH /api/typed/people/p1",
        r#"{"data":{"type":"firms","attributes":{"town":1}}}"#,
        Reason::MalformedBody,
    ),
    (
        "PATCH /api/typed/people/p1",
        r#"{"data":{"type":"people","attributes":{"town":1},"relationships":{}}}"#,
        Reason::MalformedBody,
    ),
    (
        "POST /api/typed/people",
        r#"{"data":{"id":"p2","attributes":{"town":1}}}"#,
        Reason::IdOnCreate,
    ),
    ("POST /api/people", r#"{"uid":"p1"}"#, Reason::IdOnCreate),
    ("POST /api/people", r#"{"UID":"p1"}"#, Reason::MalformedBody),
    (
        "POST /api/people",
        r#"{"town":1,"extra":{"Town":2}}"#,
        Reason::MalformedBody,
    ),
    (
        "POST /api/people",
        r#"{"town":1,"Town":2}"#,
        Reason::MalformedBody,
    ),
    (
        "POST /api/people",
        r#"{"extra":"x"}"#,
        Reason::MalformedBody,
    ),
    ("POST /api/people", r#"{"a.b":1}"#, Reason::MalformedBody),
    ("POST /api/people", "[]", Reason::MalformedBody),
    ("PUT /api/people/p1", r#"{"town":1}"#, Reason::MalformedBody),
    (
        "PUT /api/people/p1",
        r#"{"data":{"town":1},"id":"p2"}"#,
        Reason::MalformedBody,
    ),
    (
        "PUT /api/people/p1",
        r#"{"data":{"uid":"p2"}}"#,
        Reason::IdMismatch,
    ),
    ("POST /api/people/p1/firm", "{}", Reason::MalformedBody),
    (
        "POST /api/people/p1/firm",
        r#"{"id":"f1","ids":["f2"]}"#,
        Reason::MalformedBody,
    ),
    (
        "POST /api/people/p1/firm",
        r#"{"id":"../x"}"#,
        Reason::MalformedBody,
    ),
    (
        "POST /api/people/p1/firm",
        r#"{"massRelate":true,"where":[]}"#,
        Reason::MalformedBody,
    ),
    (
        "POST /api/search/people?size=1",
        "{}",
        Reason::UnknownParameter,
    ),
    (
        "POST /api/search/people",
        r#"{"filter":{"a":{"eq":1}},"sql":"x"}"#,
        Reason::UnknownParameter,
    ),
];

#[test]
fn what_is_not_described_is_refused() {
    for (line, reason) in NOT_DESCRIBED {
        assert_eq!(refused(line, ""), *reason, "{line}");
    }
    assert_eq!(
        refused("GET /api/people/p1", r#"{"a":1}"#),
        Reason::UnexpectedBody
    );
}

#[test]
fn writes_have_one_reading() {
    for (line, body, reason) in BAD_WRITES {
        assert_eq!(refused(line, body), *reason, "{line} {body}");
    }
    let form = Incoming {
        method: &Method::POST,
        path: "/api/people",
        query: None,
        accept: None,
        content_type: Some("application/x-www-form-urlencoded"),
        controls: &[],
        body: b"town=x",
    };
    assert_eq!(
        every()
            .meaning(&form, &BOUNDS)
            .unwrap_err()
            .objection
            .reason,
        Reason::UnsupportedMediaType
    );
    let xml = Incoming {
        accept: Some("application/xml"),
        body: b"",
        content_type: None,
        controls: &[],
        ..form
    };
    assert_eq!(
        every().meaning(&xml, &BOUNDS).unwrap_err().objection.reason,
        Reason::UnsupportedMediaType
    );
}

#[test]
fn only_the_grammar_of_sql_filters_passes() {
    let every = every();
    let filter = |text: &str| {
        let encoded =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        understand(&every, &format!("GET /api/sql/firms?f={encoded}"), "")
    };
    for good in [
        "(t.a:=:'x')",
        "( t.a : LIKE : '%x_' ) AND (t.b:in:1,-2.5,'c')",
        "((t.a:is:NULL))or(t.a:isnot:null)",
        "(a:<>:'d, e: 1')",
        "(t.a:like:'__x_')",
        "(t.a:=:'O'Brien')",
        "(t.a:=:'O''Brien')",
        "(t.a:<>:''')",
        "(t.a:like:'5\" x')",
        "(t.a:=:284039999900049)",
    ] {
        assert!(filter(good).is_ok(), "{good}");
    }
    for bad in [
        "t.a:=:'x'",
        "(t.a:=:'x'",
        "(t.a:=:'x'))",
        "(t.a=:'x')",
        "(t.a:~:'x')",
        "(t.a:=:x)",
        "(t.a:=:'x'y)",
        "(t.a:=:')",
        "(t.a:=:'x')y')",
        "(t.a:=:'x' or 't.b')or('1')",
        "(t.a:like:'O'Brien%')",
        "(t.a:notlike:'O''Brien')",
        "(t.a:=:'a':'b')",
        "(t.a:in:'a'b','c')",
        "(t.a:=:'x\\')",
        "(t.a:=:\"x\")",
        "(t.a:=:(select 1))",
        "(t.a:=:1) or 1=1",
        // What the CRM would read otherwise than it is written.
        "(t.a:=:'__USER_ID__')",
        "(t.a:=:'___USER_ID__9')",
        "(t.a:like:'%__NOW__%')",
        "(t.a:in:'a b')",
        "(t.a:notin:'é',1)",
        "(t.a:=:1234567890123456)",
        "(t.a:=:123456789012.3456)",
        "(t.a:=:1);(t.b:=:1)",
        "(t.a:=:1) -- ",
        "(t.a:=:0x41)",
        "(t.a:=:1e9)",
        "(t.a:in:)",
        "(t.a:in:1,)",
        "(t.a:in:SELECT rowid FROM llx_user)",
        "(t.a:is:'x')",
        "(t.a:=:null)",
        "(concat(t.a):=:'x')",
        "(u.a:=:1)",
        "(t.t.a:=:1)",
        "(:=:1)",
        "(t.:=:1)",
        "()",
        "(t.a:=:1)and",
        "(t.a:=:1) xor (t.b:=:1)",
        "!(t.a:=:1)",
        "(t.extra_iban:=:1)",
    ] {
        assert_eq!(filter(bad).err(), Some(Reason::MalformedFilter), "{bad}");
    }
}

#[test]
fn values_hold_no_control_characters_and_what_stands_beside_them_is_a_word() {
    let every = every();
    let refused = |items: Value| {
        let text = serde_json::json!({ "where": items }).to_string();
        let encoded =
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        understand(&every, &format!("GET /api/people?q={encoded}"), "").err()
    };
    let item = |value: &str, zone: &str| serde_json::json!([{"type": "is", "attribute": "town", "value": value, "zone": zone}]);
    assert_eq!(refused(item("O'Brien & Fils %", "Europe/Paris")), None);
    assert_eq!(refused(item("x", "+01:00")), None);
    for (value, zone) in [
        ("x\0", "UTC"),
        ("x\u{1b}", "UTC"),
        ("x", "UTC' OR '1"),
        ("x", "a b"),
    ] {
        let reason = refused(item(value, zone));
        assert_eq!(reason, Some(Reason::MalformedFilter), "{value} {zone}");
    }
}

#[test]
fn only_the_grammar_of_rsql_passes() {
    let every = every();
    for bad in [
        "town",
        "town=",
        "town=like=x",
        "town==",
        "town==a b",
        "town=='a",
        "town==a;",
        "town==(a",
        "town==()",
        "(town==a",
        "town==a)",
        "owner.name==a",
        "lower(town)==a",
        "town==a\\b",
        "==a",
        "town==a;;town==b",
    ] {
        let encoded =
            percent_encoding::utf8_percent_encode(bad, percent_encoding::NON_ALPHANUMERIC);
        let line = format!("GET /api/rsql/people?r={encoded}");
        assert_eq!(
            understand(&every, &line, "").err(),
            Some(Reason::MalformedFilter),
            "{bad}"
        );
    }
}

#[test]
fn debug_output_shows_no_value() {
    let every = every();
    for (line, body) in [
        ("GET /api/firms/by/canary", ""),
        (
            "GET /api/people?text=canary&city=canary&filter[town]=canary",
            "",
        ),
        ("POST /api/people", r#"{"town":"canary"}"#),
    ] {
        let operation = understand(&every, line, body).unwrap();
        let outgoing = every.render(&operation);
        assert!(shown(&outgoing).contains("canary"));
        assert!(
            !format!("{operation:?}{outgoing:?}{every:?}").contains("canary"),
            "{line}"
        );
    }
}
