//! An API whose documents tell which record they are of, at two places, with labels of errors.

use super::*;
use crate::dialect::{Access, ModuleName, Others, Predicate};
use crate::vocabulary::Action;

const SHELF: &str = r#"
description: shelf
prefix: { v1: /api, v1 at old: /api/old }
ids: name
names: php
media: json-api
drift: dropped
credentials: { bearer: true, in_query: [token] }
ignored: { slash: true, accept: true, bodies: documents, blank: true, stamps: [_], repeated: ["filter[operator]"] }
written: { no: [deleted], blank: [file], refused: [table_name], flat: true }
errors: { errors: { status: "{status}", title: "{title}", detail: "{text}" } }
labels:
  at: error
  known: [gone, who_are_you]
  refusals: { no-credential: who_are_you }
  errors: { error: "{label}", errors: { detail: "{text}" } }
caller: { ask: [{ get: /me, id: $.data.id, login: $.data.attributes.login }] }
modules:
  Books: { path: [Books, Book], links: { authors: People } }
  People: { path: [People, Person] }
routes:
  - { route: GET /me, action: read, access: role, records: $.data, of: People, under: attributes, named_by: type, counted: false, pass: [$.data.login] }
  - route: "GET /{module}"
    action: list
    select: { in: "fields[{module}]", style: by_module }
    where: { style: jsonapi, operators: [eq, like], ignore_case: true, bare: false, joined_by: operator, implied: { deleted: { eq: "0" } }, reread: true }
    order: { in: sort, single: true }
    page: { size: "page[size]", default: 20, zero: refused, number: "page[number]", more: "$.meta['all pages']" }
    records: "$.data[*]"
    under: attributes
    named_by: type
    beside: ["$.links.self"]
    pass: ["$.meta['all pages']"]
  - { route: "GET /{module}/{id}", action: read, records: $.data, under: attributes, named_by: type, words: { $.kind: [one, two] }, needs: [$.kind] }
  - { route: POST /records, action: create, modules: [Books], write: { under: data.attributes, beside: { data.type: "{module}", data.id: "{id}" }, own_id: true }, records: $.data, under: attributes }
  - { route: PATCH /records, action: update, modules: [Books], write: { under: data.attributes, beside: { data.type: "{module}", data.id: "{id}" } }, look_up: "GET /{module}/{id}", records: $.data, under: attributes }
  - { route: "DELETE /{module}/{id}", action: delete, pass: [], drop: ["$.meta.*"] }
  - { route: "POST /{module}/{id}/{link}", action: relate, relate: { under: data.attributes, beside: { data.type: "{module}", data.id: "{id}" } }, pass: [] }
"#;

fn shelf() -> Described {
    described(SHELF)
}

fn asked(line: &str, body: &Value) -> Result<String, Reason> {
    let shelf = shelf();
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    understand(&shelf, line, &body).map(|operation| {
        let outgoing = shelf.render(&operation);
        let again = shown(&outgoing);
        let body = outgoing.body.clone().unwrap_or_default();
        let line = format!("{} {}", outgoing.method, outgoing.target);
        let meant = understand(&shelf, &line, std::str::from_utf8(&body).unwrap());
        assert_eq!(meant, Ok(operation), "{line}");
        again
    })
}

#[test]
fn a_request_is_asked_where_it_was_sent_to() {
    for place in ["/api", "/api/old"] {
        let line = format!("GET {place}/Book/b-1/");
        let sent = format!("GET {place}/Books/b-1");
        assert_eq!(asked(&line, &Value::Null), Ok(sent));
    }
    let credential = Credential::made_up(crate::door::Carrier::Bearer);
    let ask = |version: &str| match shelf().inquire(version, &credential, &[]) {
        Inquiry::Ask(question) => question.target,
        other => panic!("{other:?}"),
    };
    assert_eq!(ask("v1 at old"), "/api/old/me");
    assert_eq!(ask("v1"), "/api/me");
    assert_eq!(shelf().prefixes().collect::<Vec<_>>(), ["/api/old", "/api"]);
    assert_eq!(
        asked("GET /api/Books/b%20c", &Value::Null),
        Err(Reason::MalformedTarget)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn documents_tell_module_and_record() {
    let of = |data: Value| json!({ "data": data });
    let book =
        of(json!({"type": "Book", "id": "b-1", "attributes": {"title": "x", "deleted": "0"}}));
    assert_eq!(
        asked("PATCH /api/records", &book),
        Ok(
            r#"PATCH /api/records {"data":{"type":"Books","id":"b-1","attributes":{"title":"x"}}}"#
                .to_owned()
        )
    );
    let shelf = shelf();
    let update = understand(&shelf, "PATCH /api/records", &book.to_string()).unwrap();
    assert_eq!(update.action, Action::Update);
    assert_eq!(update.module, Some(Module::new("Books")));
    assert_eq!(update.record.as_deref(), Some("b-1"));
    let look_up = shelf.look_up(&update);
    assert_eq!(
        shown(&shelf.render(&look_up)),
        "GET /api/Books/b-1",
        "a read without a projection"
    );
    let own = "0b8f6a52-3c1d-4e7a-9f10-2d3c4b5a6978";
    for (line, data, reason) in [
        ("PATCH", json!({"type": "Book"}), Reason::MalformedBody),
        (
            "PATCH",
            json!({"type": "Film", "id": "b-1"}),
            Reason::MalformedBody,
        ),
        // People are not written.
        (
            "PATCH",
            json!({"type": "People", "id": "b-1"}),
            Reason::MalformedBody,
        ),
        (
            "POST",
            json!({"type": "Person", "attributes": {}}),
            Reason::MalformedBody,
        ),
        (
            "PATCH",
            json!({"type": "Book", "id": "b-1", "links": {}}),
            Reason::UnknownParameter,
        ),
        (
            "POST",
            json!({"type": "Book", "id": "b-1"}),
            Reason::IdOnCreate,
        ),
        (
            "POST",
            json!({"type": "Book", "attributes": {"deleted": true}}),
            Reason::FieldNotWritable,
        ),
        (
            "POST",
            json!({"type": "Book", "attributes": {"file": "x"}}),
            Reason::FieldNotWritable,
        ),
        (
            "POST",
            json!({"type": "Book", "attributes": {"Table_Name": "x"}}),
            Reason::MalformedBody,
        ),
        (
            "POST",
            json!({"type": "Book", "attributes": {"Deleted": 0}}),
            Reason::MalformedBody,
        ),
        (
            "POST",
            json!({"type": "Book", "attributes": {"a": {"b": 1}}}),
            Reason::MalformedBody,
        ),
        (
            "POST",
            json!({"type": "Book", "attributes": {"a-b": 1}}),
            Reason::MalformedBody,
        ),
    ] {
        let refused = asked(&format!("{line} /api/records"), &of(data.clone()));
        assert_eq!(refused, Err(reason), "{data}");
    }
    let made = asked("POST /api/records", &of(json!({"type": "Book", "id": own})));
    assert!(made.unwrap().contains(own));
    let person = of(json!({"type": "Person", "id": "p-1"}));
    assert_eq!(
        asked("POST /api/Books/b-1/authors", &person),
        Ok(r#"POST /api/Books/b-1/authors {"data":{"type":"People","id":"p-1"}}"#.to_owned())
    );
    let other = of(json!({"type": "Book", "id": "b-2"}));
    let refused = asked("POST /api/Books/b-1/authors", &other);
    assert_eq!(refused, Err(Reason::MalformedBody));
    for (body, taken) in [
        (json!({}), true),
        (json!({"id": "b-1"}), true),
        (of(json!({"type": "Book", "id": "b-1"})), true),
        (json!([]), false),
        (of(json!({"type": "Person", "id": "b-1"})), false),
    ] {
        let deleted = asked("DELETE /api/Books/b-1", &body);
        assert_eq!(deleted.is_ok(), taken, "{body}");
    }
}

#[test]
fn a_filter_says_how_its_comparisons_are_joined() {
    let query = |text: &str| asked(&format!("GET /api/Books?{text}"), &Value::Null);
    for (text, sent) in [
        (
            "filter[a][EQ]=1&filter[operator]=OR&filter[b][like]=2&filter[operator]=OR&_=17&_=18",
            "?filter[operator]=or&filter[a][eq]=1&filter[b][like]=2",
        ),
        ("filter[deleted][eq]=0&filter[operator]=and&sort=", ""),
        (
            "fields[Book]=a,b,a&sort=-a&page[number]=2",
            "?fields[Books]=a,b&page[number]=2&sort=-a",
        ),
    ] {
        assert_eq!(query(text), Ok(format!("GET /api/Books{sent}")), "{text}");
    }
    for (text, reason) in [
        ("filter[operator]=or", Reason::MalformedFilter),
        ("filter[Operator][eq]=or", Reason::MalformedFilter),
        ("filter[a][gt]=1", Reason::MalformedFilter),
        ("filter[a][eq]=x+order+by+y", Reason::MalformedFilter),
        ("filter[deleted][eq]=1", Reason::StoredQuery),
        ("fields[People]=a", Reason::MalformedProjection),
        ("sort=a,b", Reason::MalformedOrder),
        ("page[size]=0", Reason::MalformedPage),
        ("page=2", Reason::MalformedPage),
        ("_=x", Reason::UnknownParameter),
        ("token=x", Reason::CredentialInQuery),
    ] {
        assert_eq!(query(text), Err(reason), "{text}");
    }
    let any = understand(
        &shelf(),
        "GET /api/Books?filter[a][eq]=1&filter[operator]=or",
        "",
    );
    assert!(matches!(
        any.unwrap().query.predicate,
        Some(Predicate::Any(_))
    ));
}

#[test]
fn records_name_their_module_and_what_is_told_of_the_caller_has_one() {
    let shelf = shelf();
    let shape = |line: &str| shelf.shape(&understand(&shelf, line, "").unwrap());
    let entry = |shape: Shape| {
        let Shape::Object(root) = shape else {
            panic!("no object")
        };
        assert_eq!(root.others, Others::Dropped);
        let (_, data) = root
            .keys
            .into_iter()
            .find(|(key, _)| *key == "data")
            .unwrap();
        let data = match data {
            Shape::List(each) => *each,
            one => one,
        };
        match data {
            Shape::Entry(entry) => (*entry, root.required),
            other => panic!("{other:?}"),
        }
    };
    let name = |module: &str, other: &'static str| {
        let module = Module::new(module);
        let others = vec![module.as_str().to_owned().leak() as &str, other];
        ("type", Shape::NameOf(ModuleName { module, others }))
    };
    let (book, _) = entry(shape("GET /api/Books"));
    assert_eq!(book.keys[0], name("Books", "Book"));
    assert_eq!(
        book.keys[1],
        ("links", Shape::only(vec![("self", Shape::Scalar)], &[]))
    );
    assert!(book.record.counted);
    let (_, required) = entry(shape("GET /api/Books/b-1"));
    assert_eq!(required, ["data", "kind"]);
    let (me, _) = entry(shape("GET /api/me"));
    assert_eq!(me.keys, [name("People", "Person")]);
    assert_eq!(me.record.keys, [("login", Shape::Scalar)]);
    assert!(!me.record.counted);
    let asked = understand(&shelf, "GET /api/me", "").unwrap();
    assert_eq!((asked.access, asked.module), (Access::Role, None));
    let done = shape("DELETE /api/Books/b-1");
    assert_eq!(
        done,
        Shape::only(vec![("meta", Shape::only(Vec::new(), &[]))], &[])
    );
}

#[test]
fn errors_have_the_labels_that_are_known() {
    let shelf = shelf();
    let filled = |status, label| shelf.refuse(status, label).filled(status, "x").to_string();
    assert_eq!(
        filled(404, None),
        r#"{"errors":{"status":404,"title":"Not Found","detail":"x"}}"#
    );
    let label = shelf.label(Reason::NoCredential);
    assert_eq!(
        filled(401, label),
        r#"{"error":"who_are_you","errors":{"detail":"x"}}"#
    );
    let asked = understand(&shelf, "GET /api/me", "").unwrap();
    let exchange = shelf.exchange_of(asked);
    let told = |body: &str| {
        exchange
            .failure(400, body.as_bytes())
            .and_then(|told| told.label)
    };
    assert_eq!(told(r#"{"error":"gone"}"#), Some("gone"));
    assert_eq!(told(r#"{"error":"gone: secret"}"#), None);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_mistake_has_its_code() {
    for (from, to, expected) in [
        (
            "prefix: { v1: /api, v1 at old: /api/old }",
            "prefix: {}",
            "the API lies nowhere",
        ),
        ("v1 at old: /api/old", "v1 at old: /api", "D004"),
        ("v1 at old: /api/old", "v1 at old: api", "D002"),
        ("names: php", "names: pph", "did you mean `php`?"),
        (
            "ids: name",
            "ids: name\nnative: shelf",
            "there is no native part `shelf`",
        ),
        (
            "bodies: documents",
            "bodies: document",
            "did you mean `documents`?",
        ),
        (
            "repeated: [\"filter[operator]\"]",
            "repeated: [\"filter[\"]",
            "D002",
        ),
        ("no: [deleted]", "no: [\"a b\"]", "D002"),
        ("flat: true", "flat: yes please", "Y012"),
        (
            "no-credential: who_are_you",
            "no-credentials: who_are_you",
            "D002",
        ),
        (
            "no-credential: who_are_you",
            "no-credential: gnoe",
            "did you mean `gone`?",
        ),
        ("  at: error\n", "", "Y011"),
        ("drift: dropped", "drift: droped", "did you mean `dropped`?"),
        ("of: People", "of: Peopel", "did you mean `People`?"),
        ("access: role, records", "records", "D012"),
        (
            "under: attributes, named_by: type, counted",
            "named_by: type, counted",
            "D012",
        ),
        (
            "route: \"GET /{module}/{id}\", action: read, records: $.data",
            "route: \"GET /{module}/{id}\", action: read, of: People, records: $.data",
            "D012",
        ),
        (
            "needs: [$.kind]",
            "needs: [$.other]",
            "nothing is said to pass there",
        ),
        ("[one, two]", "[]", "Y012"),
        (
            "style: by_module }",
            "style: by_module, separator: \";\" }",
            "D012",
        ),
        (
            "in: \"fields[{module}]\", style",
            "in: fields, style",
            "D002",
        ),
        (
            "implied: { deleted: { eq: \"0\" } }",
            "implied: { deleted: {} }",
            "D007",
        ),
        (
            "order: { in: sort, single: true }",
            "order: { in: sort, style: words, single: true }",
            "D012",
        ),
        ("zero: refused", "zero: refuse", "did you mean `refused`?"),
        (
            "data.id: \"{id}\" }, own_id",
            "id: \"{id}\" }, own_id",
            "D002",
        ),
        (
            "\"DELETE /{module}/{id}\", action: delete",
            "\"DELETE /{module}/{id}\", login: true, action: delete",
            "D012",
        ),
        (
            "\"DELETE /{module}/{id}\", action: delete",
            "\"DELETE /{module}/{id}\", describes: true, action: delete",
            "D012",
        ),
        (
            "\"POST /{module}/{id}/{link}\", action",
            "\"POST /{module}/{id}/all\", action",
            "D003",
        ),
        (
            "relate: { under: data.attributes, beside: { data.type: \"{module}\", data.id: \"{id}\" } }",
            "relate: { under: data.attributes }",
            "D002",
        ),
        (
            "look_up: \"GET /{module}/{id}\"",
            "look_up: GET /me",
            "D009",
        ),
    ] {
        assert!(SHELF.contains(from), "{from}");
        let (described, found) = Described::read("shelf.yaml", &SHELF.replacen(from, to, 1));
        assert!(described.is_none(), "{to} is accepted");
        let text = found.render(false);
        assert!(text.contains("shelf.yaml:"), "no place: {text}");
        assert!(
            text.contains(expected),
            "{to} says not {expected} but:\n{text}"
        );
    }
}
