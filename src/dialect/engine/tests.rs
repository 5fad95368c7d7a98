//! What the users of a description rely on.

use crate::dialect::testing::Speaks as _;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::Described;
use crate::dialect::{
    Answered, Arrangement, Bounds, Dialect, Frame, Incoming, Inquiry, Operation, Origin, Outgoing,
    Shape, Step, Understood, Which,
};
use crate::door::{Control, Credential};
use crate::reason::Reason;
use crate::vocabulary::{FieldPath, FieldUse, Module, Use};

mod asking;
mod attacks;
mod documents;
mod papers;
mod properties;
mod reading;

const BOUNDS: Bounds = Bounds {
    page_max: 100,
    bulk_parts_max: 1,
    depth_max: 40,
};

/// An API that has everything.
const EVERYTHING: &str = r#"
description: every
prefix: /api
ids: word
credentials: { headers: [X-Key], in_query: [api_key] }
ignored: { slash: true, bodies: true, blank: true, parameters: [_], members: [version, _type] }
caller:
  ask:
    - { get: "/me?full=1", id: $.id, login: $.login, kind: $.kind, roles: "$.roles[*]", teams: "$.teams.*?", rights: { Bank: $.rights.bank.read } }
    - { get: "/users/{id}/groups", nobody: [], nothing: [404], roles: "$[?@.active == true].name" }
  listed:
    - { sha256: 5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8, id: "9", login: listed, roles: [Low] }
fields: { secrets: [password], copies: { made_by: users.name } }
link_names: { one: "{link}Name", many: "{link}Names", field: name }
modules:
  people:
    path: [people, person]
    id: uid
    inner: [extra]
    links: { firm: firms }
    columns: { surname: last_name }
    copies: { full_name: [last_name, "first_name?"] }
    items: { mails: { values: [mail], beside: [main], of: mail } }
    parents: { parentName: parentType }
    related: { boss: people }
  firms: { tables: { t: own, x: { prefix: extra_ }, p: people }, columns: { rowid: id } }
  users: {}
routes:
  - route: "GET /{module}"
    action: list
    query: { json: q }
    select: { in: ["fields[{module}]", only], separator: "," }
    where:
      - { style: equals, parameters: { city: town } }
      - { style: ids, parameters: { boss: boss_id } }
      - { style: bracket, in: filter, operators: [eq, in], bare: true }
      - { style: where, in: [where, whereGroup], operators: [is, has, in], beside: [zone], members: { field: [attribute, field] },
          lifted: { primary: view, bool: only_my, text: text } }
      - { style: words, in: view, words: { open: [status], all: [] } }
    order: [{ in: sort }, { in: sortBy, direction: asc, ascending: "true", descending: "false" }]
    page: { size: "page[size]", max: 50, default: 20, offset: "page[skip]", more: $.meta.total }
    controls: { X-No-Total: flag }
    search: text
    about_caller: { mine: flag, only_my: [starred, made] }
    fixed: { form: [short] }
    dropped: [cache]
    records: "$.data[*]"
    under: attributes
    beside: [type]
    pass: [$.meta.total]
  - { route: "GET /{module}/{id}", action: read, records: $.data, under: attributes, drop: [$.data.notes], related: { $.data.firm: firms } }
  - { route: ["PUT /{module}/{id}", "PATCH /{module}/{id}"], action: update, write: { under: data }, controls: { X-Version: { compares: version } }, records: $.data, under: attributes }
  - { route: "POST /{module}", action: create, pass: [$] }
  - { route: "POST /typed/{module}", action: create, write: { under: data.attributes, beside: { data.type: "{module}", data.id: "{id}" } }, pass: [$] }
  - { route: "GET /typed/{module}/{id}", action: read, records: $.data, under: attributes }
  - { route: "PATCH /typed/{module}/{id}", action: update, write: { under: data.attributes, beside: { data.type: "{module}", data.id: "{id}" } }, records: $.data, under: attributes }
  - { route: "DELETE /{module}/{id}", action: delete, pass: [$] }
  - { route: "POST /{module}/{id}/{link}", modules: [people], action: relate, relate: true, pass: [$] }
  - { route: "GET /people/{id}/firm/{related}", module: people, link: firm, action: relate, pass: [] }
  - { route: "POST /search/{module}", action: list, query: body, where: { style: bracket, in: filter, operators: [eq] }, page: { size: size, default: 20 }, records: "$[*]" }
  - { route: "POST /found/{module}", action: list, query: body, where: { style: groups, in: groups, each: all, operators: [is, in], members: { value: [value, values] } }, order: { in: order, style: objects }, page: { size: size, default: 20, cursor: after }, records: "$[*]" }
  - { route: "POST /domain/{module}", action: list, query: body, where: { style: domain, in: domain, operators: [is, not in] }, order: { in: order, style: words }, page: { size: size, default: 20 }, records: "$[*]" }
  - { route: "GET /firms/by/{by.code}", module: firms, action: read, records: $ }
  - { route: "GET /sql/firms", module: firms, action: list, where: { style: sqlfilters, in: f }, order: { in: by, direction: way }, page: { size: n, default: 20, zero: all, number: p }, records: "$[*]" }
  - { route: GET /rsql/people, module: people, action: list, where: { style: rsql, in: r, operators: ["==", "=in=", "<", "<="] }, records: "$[*]" }
  - { route: GET /meta, action: metadata, opaque: [$], drop: [$.fields.*.default] }
"#;

fn every() -> Described {
    described(EVERYTHING)
}

fn described(text: &str) -> Described {
    let (described, problems) = Described::read("every.yaml", text);
    described.unwrap_or_else(|| panic!("{}", problems.render(false)))
}

fn understand(dialect: &Described, line: &str, body: &str) -> Result<Operation, Reason> {
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
        content_type: (!body.is_empty()).then_some("application/json"),
        controls: &[],
        body: body.as_bytes(),
    };
    match dialect.meaning(&request, &BOUNDS) {
        Ok(Understood::One(operation)) => Ok(operation),
        Ok(Understood::Bulk { .. }) => panic!("an envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

/// The request that a request becomes, as a line and a body.
fn becomes(line: &str, body: &str) -> String {
    let every = every();
    let operation =
        understand(&every, line, body).unwrap_or_else(|reason| panic!("{line}: {reason}"));
    shown(&every.render(&operation))
}

fn shown(outgoing: &Outgoing) -> String {
    let target = percent_encoding::percent_decode_str(&outgoing.target).decode_utf8_lossy();
    let body = outgoing
        .body
        .as_ref()
        .map(|body| String::from_utf8_lossy(body).into_owned());
    format!("{} {target} {}", outgoing.method, body.unwrap_or_default())
        .trim_end()
        .to_owned()
}

#[test]
fn espocrm_says_what_its_own_filters_look_at_and_how_much_it_sends() {
    let espocrm = described(include_str!("../../../examples/espocrm/espocrm.yaml"));
    let ask = |line: &str| understand(&espocrm, line, "").unwrap();
    for (line, field) in [
        ("GET /api/v1/Case?primaryFilter=open", "status"),
        ("GET /api/v1/Opportunity?primaryFilter=open", "stage"),
        ("GET /api/v1/Meeting?primaryFilter=todays", "datestart"),
        ("GET /api/v1/Task?primaryFilter=todays", "dateend"),
        ("GET /api/v1/User?primaryFilter=active", "type"),
    ] {
        let uses = ask(line).uses();
        let matched =
            |used: &FieldUse| used.how == Use::Matched && used.path.field.as_str() == field;
        assert!(uses.iter().any(matched), "{line} looks at `{field}`");
    }
    // It sends 200 records, where nobody says how many.
    let sent = shown(&espocrm.render(&ask("GET /api/v1/Contact")));
    assert_eq!(sent, "GET /api/v1/Contact?maxSize=100");
}

#[test]
fn espocrm_changes_no_user_and_no_team() {
    let espocrm = described(include_str!("../../../examples/espocrm/espocrm.yaml"));
    for (method, below, body) in [
        ("POST", "", r#"{"type":"admin"}"#),
        ("PUT", "/1a", r#"{"type":"admin"}"#),
        ("PATCH", "/1a", r#"{"teamsIds":["2b"]}"#),
        ("DELETE", "/1a", ""),
        ("POST", "/1a/teams", r#"{"id":"2b"}"#),
        ("POST", "/1a/users", r#"{"id":"2b"}"#),
    ] {
        for module in ["User", "Team"] {
            let line = format!("{method} /api/v1/{module}{below}");
            assert!(understand(&espocrm, &line, body).is_err(), "{line}");
        }
    }
    understand(&espocrm, "PUT /api/v1/Contact/1a", r#"{"type":"x"}"#).unwrap();
}

#[test]
fn requests_are_written_anew() {
    for (line, body, expected) in [
        (
            "GET /api/person/?_=1&form=short&cache=x&city=&text=",
            "",
            "GET /api/people?form=short",
        ),
        (
            "GET /api/people?fields[people]=last_name,town&page[size]=999",
            "",
            "GET /api/people?fields[people]=last_name,town&page[size]=50",
        ),
        (
            "GET /api/people?only[]=town&city=Lyon&sort=-surname,town",
            "",
            "GET /api/people?only[]=town&sort=-surname,town&city=Lyon",
        ),
        (
            "GET /api/people?sort=last_name",
            "",
            "GET /api/people?sort=surname",
        ),
        (
            "GET /api/people?filter[surname]=x&filter[firm.name][eq]=y&filter[town][in][]=a&filter[town][in][]=b",
            "",
            "GET /api/people?filter[surname]=x&filter[firm.name][eq]=y&filter[town][in][]=a&filter[town][in][]=b",
        ),
        (
            "GET /api/people?view=open&mine=1&only_my=made",
            "",
            "GET /api/people?mine=true&only_my[]=made&view=open",
        ),
        (
            "GET /api/people?q={\"where\":[{\"type\":\"is\",\"attribute\":\"town\",\"value\":1,\"zone\":\"x\"}],\"page\":{\"size\":5}}",
            "",
            "GET /api/people?q={\"page\":{\"size\":5},\"where\":[{\"type\":\"is\",\"attribute\":\"town\",\"value\":1,\"zone\":\"x\"}]}",
        ),
        (
            "POST /api/search/people",
            r#"{"filter":{"town":{"eq":true}}}"#,
            r#"POST /api/search/people {"filter":{"town":{"eq":true}}}"#,
        ),
        ("GET /api/firms/by/A%20b", "", "GET /api/firms/by/A b"),
        (
            "GET /api/sql/firms?n=100&p=3&f=(x.iban:=:1)",
            "",
            "GET /api/sql/firms?n=100&p=3&f=(x.iban:=:1)",
        ),
        (
            "POST /api/people/p1/firm",
            r#"{"ids":["f1",2]}"#,
            r#"POST /api/people/p1/firm {"ids":["f1","2"]}"#,
        ),
        (
            "POST /api/people",
            r#"{"uid":null,"town":"Lyon","extra":{"color":"red"}}"#,
            r#"POST /api/people {"town":"Lyon","extra":{"color":"red"}}"#,
        ),
        (
            "PATCH /api/people/p1",
            r#"{"data":{"uid":"p1","town":"Lyon","version":7,"_type":"people"}}"#,
            r#"PATCH /api/people/p1 {"data":{"town":"Lyon"}}"#,
        ),
        (
            "POST /api/typed/people",
            r#"{"data":{"type":"people","attributes":{"town":"Lyon"}}}"#,
            r#"POST /api/typed/people {"data":{"type":"people","attributes":{"town":"Lyon"}}}"#,
        ),
        (
            "PATCH /api/typed/people/p1",
            r#"{"data":{"id":"p1","attributes":{"town":null}}}"#,
            r#"PATCH /api/typed/people/p1 {"data":{"type":"people","id":"p1","attributes":{"town":null}}}"#,
        ),
        ("GET /api/meta", "", "GET /api/meta"),
    ] {
        let line = line
            .replace('"', "%22")
            .replace('{', "%7B")
            .replace('}', "%7D");
        assert_eq!(becomes(&line, body), expected);
    }
}

#[test]
fn old_names_and_what_stands_in_a_list_are_read_as_what_they_say() {
    for (line, expected) in [
        (
            "GET /api/people?sortBy=surname&asc=false",
            "GET /api/people?sortBy=surname&asc=false",
        ),
        (
            "GET /api/people?where[0][type]=primary&where[0][value]=open&where[1][type]=is&where[1][field]=town&where[1][value]=x\
             &where[2][type]=bool&where[2][value][]=made&where[3][type]=text&where[3][value]=Tan",
            "GET /api/people?text=Tan&only_my[]=made&where[0][type]=is&where[0][attribute]=town&where[0][value]=x&view=open",
        ),
        ("GET /api/people?view=all", "GET /api/people"),
    ] {
        assert_eq!(becomes(line, ""), expected);
    }
}

#[test]
fn what_says_nothing_changes_nothing() {
    let every = every();
    for (line, nothing) in [
        (
            "GET /api/people/p1",
            vec!["", "{}", "[]", r#"{"uid":"p1"}"#],
        ),
        (
            "DELETE /api/people/7",
            vec!["", "{}", r#"{"uid":7}"#, r#"{"uid":"7"}"#],
        ),
        ("GET /api/people", vec!["", "{}"]),
    ] {
        let plain = understand(&every, line, "").unwrap();
        for body in nothing {
            let same = understand(&every, line, body);
            assert_eq!(same.as_ref(), Ok(&plain), "{line} {body}");
        }
        for body in [
            r#"{"uid":"p2"}"#,
            r#"{"id":"p1"}"#,
            "{} {}",
            "x",
            r#"[1]"#,
            r#"{"UID":"p1"}"#,
        ] {
            let refused = understand(&every, line, body);
            assert_eq!(refused, Err(Reason::UnexpectedBody), "{line} {body}");
        }
    }
    let slash = understand(&every, "GET /api/people/p1/", "").unwrap();
    assert_eq!(slash, understand(&every, "GET /api/people/p1", "").unwrap());
    for line in ["GET /api/people/p1//", "GET /api//people"] {
        assert_eq!(
            understand(&every, line, ""),
            Err(Reason::UnknownRoute),
            "{line}"
        );
    }
    // What the description does not say is refused.
    let strict = EVERYTHING.replace("ignored: { slash: true, bodies: true, blank: true, parameters: [_], members: [version, _type] }\n", "");
    let strict = described(&strict);
    for (line, body) in [
        ("GET /api/people/", ""),
        ("GET /api/people?_=1", ""),
        ("GET /api/people?view=", ""),
        ("GET /api/people/p1", "{}"),
    ] {
        assert!(understand(&strict, line, body).is_err(), "{line}");
    }
    let written = understand(&strict, "PATCH /api/people/p1", r#"{"data":{"version":7}}"#).unwrap();
    assert!(written.write.unwrap().contains_key("version"));
}

#[test]
fn a_larger_page_is_cut_only_where_the_reply_tells_that_there_is_more() {
    let every = every();
    let rows = |line: &str| understand(&every, line, "").map(|operation| operation.query.limit);
    assert_eq!(rows("GET /api/people?page[size]=999"), Ok(Some(50)));
    assert_eq!(rows("GET /api/people"), Ok(None), "its own number of rows");
    for line in [
        "GET /api/sql/firms?n=101",
        "GET /api/sql/firms?n=0",
        "GET /api/sql/firms?n=4294967296",
    ] {
        assert_eq!(rows(line), Err(Reason::PageTooLarge), "{line}");
    }
    assert_eq!(rows("GET /api/sql/firms?n=100"), Ok(Some(100)));
    let open = described(&EVERYTHING.replace("size: n, default: 20, ", "size: n, "));
    let refused = understand(&open, "GET /api/sql/firms", "");
    assert_eq!(
        refused,
        Err(Reason::PageTooLarge),
        "nobody knows how many it sends"
    );
    // Pages of another size are other rows.
    let numbered = EVERYTHING.replace(
        "offset: \"page[skip]\", more",
        "number: \"page[number]\", more",
    );
    let numbered = described(&numbered);
    let ask = |line: &str| understand(&numbered, line, "").map(|operation| operation.query.limit);
    assert_eq!(
        ask("GET /api/people?page[size]=80&page[number]=1"),
        Ok(Some(50))
    );
    let second = ask("GET /api/people?page[size]=80&page[number]=2");
    assert_eq!(second, Err(Reason::PageTooLarge));
    let Err(misunderstood) = every.understand(
        &Incoming {
            method: &Method::GET,
            path: "/api/sql/firms",
            query: Some("n=0"),
            accept: None,
            content_type: None,
            controls: &[],
            body: b"",
        },
        &BOUNDS,
    ) else {
        panic!("understood")
    };
    assert!(misunderstood.objection.text().contains("100"));
}

#[test]
fn headers_that_change_what_is_meant_are_taken_where_the_route_says_so() {
    let every = every();
    let ask = |line: &str, control: Control| {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Incoming {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            path,
            query: None,
            accept: None,
            content_type: None,
            controls: &[control],
            body: if method == "PATCH" {
                br#"{"data":{"town":"x"}}"#
            } else {
                b""
            },
        };
        match every.meaning(&request, &BOUNDS) {
            Ok(Understood::One(operation)) => operation,
            _ => panic!("{line} was not understood"),
        }
    };
    assert_eq!(every.head_form().controls, ["x-no-total", "x-version"]);
    for value in ["true", "True", "false"] {
        let control = Control::stated("x-no-total", value);
        let operation = ask("GET /api/people", control.clone());
        assert_eq!(every.render(&operation).controls, [control]);
    }
    let control = Control::stated("x-version", "7");
    let operation = ask("PATCH /api/people/p1", control.clone());
    assert_eq!(every.render(&operation).controls, [control]);
    let compared = FieldUse {
        path: FieldPath::new(&Module::new("people"), "version"),
        how: Use::Matched,
    };
    assert!(operation.uses().contains(&compared));
    assert!(every.look_up(&operation).rendering.controls.is_empty());
    for (line, name, value) in [
        ("GET /api/people", "x-no-total", "yes"),
        ("GET /api/people", "x-no-total", ""),
        ("GET /api/people", "x-version", "7"),
        ("GET /api/people/p1", "x-no-total", "true"),
        ("PATCH /api/people/p1", "x-version", "7 OR 1"),
        ("PATCH /api/people/p1", "if-match", "7"),
    ] {
        let operation = ask(line, Control::stated(name, value));
        assert!(
            operation.rendering.controls.is_empty(),
            "{line} {name}: {value}"
        );
    }
}

#[test]
fn what_stands_in_a_list_and_says_what_a_parameter_says_stands_there_once() {
    let every = every();
    for (query, reason) in [
        (
            "where[0][type]=primary&where[0][value]=open&view=open",
            Reason::DuplicateParameter,
        ),
        (
            "where[0][type]=primary&where[0][value]=open&where[1][type]=primary&where[1][value]=all",
            Reason::DuplicateParameter,
        ),
        (
            "where[0][type]=primary&where[0][value]=secret",
            Reason::StoredQuery,
        ),
        ("where[0][type]=primary", Reason::MalformedFilter),
        (
            "where[0][type]=primary&where[0][value]=open&where[0][attribute]=iban",
            Reason::MalformedFilter,
        ),
        (
            "where[0][type]=or&where[0][value][0][type]=primary&where[0][value][0][value]=open",
            Reason::MalformedFilter,
        ),
        (
            "where[0][type]=is&where[0][field]=a&where[0][attribute]=b",
            Reason::MalformedFilter,
        ),
        ("sort=town&sortBy=town", Reason::DuplicateParameter),
        ("asc=false", Reason::MalformedOrder),
    ] {
        let refused = understand(&every, &format!("GET /api/people?{query}"), "");
        assert_eq!(refused, Err(reason), "{query}");
    }
}

#[test]
fn every_field_that_a_request_uses_is_known_to_the_policy() {
    let every = every();
    let uses = |line: &str, body: &str| {
        let operation = understand(&every, line, body).unwrap();
        let uses = operation.uses();
        uses.iter()
            .map(|used| format!("{} {:?}", used.path, used.how))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(uses("GET /api/people?city=x", ""), "people.town Matched");
    assert_eq!(
        uses("GET /api/people?filter[firm.iban][eq]=x&sort=surname", ""),
        "firms.iban Matched, people.last_name Sorted"
    );
    assert_eq!(
        uses("GET /api/people?view=open&only=iban", ""),
        "people.iban Shown, people.status Matched"
    );
    assert_eq!(uses("GET /api/firms/by/x", ""), "firms.code Matched");
    assert_eq!(
        uses(
            "GET /api/sql/firms?f=(x.iban:=:1)%20or%20(p.surname:like:'a')&by=t.rowid",
            ""
        ),
        "firms.extra_iban Matched, firms.id Sorted, people.last_name Matched"
    );
    assert_eq!(
        uses("POST /api/people", r#"{"town":1,"extra":{"iban":2}}"#),
        "people.iban Written, people.town Written"
    );
    let operation = understand(&every, "GET /api/people/p1/firm/f1", "").unwrap();
    assert_eq!(
        operation.modules(),
        [&Module::new("firms"), &Module::new("people")]
    );
}

#[test]
fn copies_follow_what_they_come_from() {
    let every = every();
    let origin = |module: &str, field: &str| every.schema().origin(&Module::new(module), field);
    let sources = |origin: Origin| match origin {
        Origin::Copy { of, perhaps } => of
            .iter()
            .map(ToString::to_string)
            .chain(perhaps.iter().map(|path| format!("{path}?")))
            .collect::<Vec<_>>()
            .join(" "),
        Origin::CopyItems { of, items } => format!("{:?} {}", items.treated, of[0]),
        other => format!("{other:?}"),
    };
    assert_eq!(
        sources(origin("people", "Full_Name")),
        "people.last_name people.first_name?"
    );
    assert_eq!(sources(origin("people", "firmname")), "firms.name");
    assert_eq!(sources(origin("people", "firmNames")), "[\"*\"] firms.name");
    assert_eq!(sources(origin("people", "mails")), "[\"mail\"] people.mail");
    assert_eq!(sources(origin("firms", "made_by")), "users.name");
    assert_eq!(origin("users", "PASSWORD"), Origin::Secret);
    assert_eq!(
        origin("people", "boss"),
        Origin::Related(Module::new("people"))
    );
    assert_eq!(
        origin("people", "parentname"),
        Origin::CopyOfParent {
            told_by: "parentType"
        }
    );
    assert_eq!(origin("people", "town"), Origin::Own);
    assert!(
        every
            .schema()
            .has_field(&Module::new("people"), "firmnames")
    );
}

#[test]
fn a_reply_has_the_shape_that_its_route_says() {
    let every = every();
    let shape = |line: &str| every.shape(&understand(&every, line, "").unwrap());
    let Shape::Object(list) = shape("GET /api/people") else {
        panic!("no object")
    };
    assert_eq!(list.required, ["data"]);
    let Shape::List(entry) = &list.keys[0].1 else {
        panic!("no list")
    };
    let Shape::Entry(entry) = &**entry else {
        panic!("no entry")
    };
    assert_eq!(
        (entry.under, entry.record.id, entry.record.inner.as_slice()),
        ("attributes", "uid", &["extra"][..])
    );
    let Shape::Object(meta) = &list.keys[1].1 else {
        panic!("no object")
    };
    assert_eq!(
        (list.keys[1].0, meta.keys.as_slice(), &meta.others),
        (
            "meta",
            &[("total", Shape::Count(crate::dialect::Count::All(None)))][..],
            &crate::dialect::Others::Unheard
        )
    );
    let Shape::Object(one) = shape("GET /api/people/p1") else {
        panic!("no object")
    };
    let Shape::Entry(entry) = &one.keys[0].1 else {
        panic!("no entry")
    };
    assert_eq!(
        entry.record.keys[0],
        ("firm", Shape::record(&Module::new("firms")))
    );
    assert_eq!(entry.record.keys[1], ("notes", Shape::Dropped));
    assert_eq!(
        shape("GET /api/people/p1/firm/f1"),
        Shape::only(Vec::new(), &[])
    );
    let Shape::Object(meta) = shape("GET /api/meta") else {
        panic!("no object")
    };
    assert_eq!(
        meta.others,
        crate::dialect::Others::Shape(Box::new(Shape::Anything))
    );
}

#[test]
fn a_look_up_reads_the_record_and_its_reply_becomes_the_updates() {
    let every = every();
    let update = understand(
        &every,
        "PATCH /api/people/p1",
        r#"{"data":{"town":"Lyon","extra":{"color":"red"}}}"#,
    )
    .unwrap();
    let read = every.look_up(&update);
    assert_eq!(shown(&every.render(&read)), "GET /api/people/p1");
    let reply =
        json!({"data": {"uid": "p1", "attributes": {"town": "Paris", "extra": {"color": "blue"}}}});
    let held = every.looked_up(&read, reply.clone()).unwrap();
    assert_eq!(
        Value::Object(held),
        json!({"town": "Paris", "color": "blue", "id": "p1"})
    );
    let unchanged = Arrangement::Record {
        at: vec![Step::Name("data")],
        which: Which::WithId {
            key: "uid",
            id: Some("p1".to_owned()),
        },
        frame: Frame::Object(vec![("data", Frame::Record)]),
        otherwise: Box::new(Arrangement::Id(Some("p1".to_owned()))),
    };
    assert_eq!(every.unchanged(&read), unchanged);
    assert_eq!(every.looked_up(&read, json!({"data": []})), None);
    let other = json!({"data": {"uid": "p2", "attributes": {"town": "Lyon"}}});
    assert_eq!(every.looked_up(&read, other), None, "another record");
    assert_eq!(every.looked_up(&read, json!({"error": "x"})), None);
}

fn inquire(credential: &str, answers: &[(u16, Value)]) -> Inquiry {
    let answers: Vec<Answered> = answers
        .iter()
        .map(|(status, body)| Answered {
            status: *status,
            body: Bytes::from(body.to_string()),
        })
        .collect();
    every().inquire("", &Credential::argument(credential).unwrap(), &answers)
}

#[test]
fn the_caller_is_told_by_the_answers_in_order() {
    let Inquiry::Ask(first) = inquire("k", &[]) else {
        panic!("asks nothing")
    };
    assert_eq!(first.target, "/api/me?full=1");
    let me = json!({"id": 7, "login": "zoe", "kind": true, "roles": ["A"], "teams": {"1": "T"}, "rights": {"bank": {"read": 1}}});
    let Inquiry::Ask(second) = inquire("k", &[(200, me.clone())]) else {
        panic!("asks nothing")
    };
    assert_eq!(second.target, "/api/users/7/groups");
    let groups = json!([{"name": "G", "active": true}, {"name": "H", "active": false}]);
    let Inquiry::Known(session) = inquire("k", &[(200, me.clone()), (200, groups)]) else {
        panic!("unknown")
    };
    assert_eq!(
        (
            session.id.as_str(),
            session.name.as_str(),
            session.kind.as_str()
        ),
        ("7", "zoe", "true")
    );
    assert_eq!(
        (session.roles, session.teams),
        (
            vec!["A".to_owned(), "Bank".to_owned(), "G".to_owned()],
            vec!["T".to_owned()]
        )
    );
    let Inquiry::Known(session) = inquire("k", &[(200, me), (404, json!({}))]) else {
        panic!("unknown")
    };
    assert_eq!(session.roles, ["A", "Bank"]);
    // `password` is the word of the listed hash.
    let Inquiry::Known(session) = inquire("password", &[]) else {
        panic!("not listed")
    };
    assert_eq!(
        (session.name.as_str(), session.roles),
        ("listed", vec!["Low".to_owned()])
    );
}

#[test]
fn an_answer_that_is_not_understood_is_none() {
    assert_eq!(inquire("k", &[(401, json!({}))]), Inquiry::Nobody);
    assert_eq!(
        inquire("k", &[(403, json!({}))]),
        Inquiry::Failed(Reason::UpstreamBroken)
    );
    let good = json!({"id": "7", "login": "zoe", "kind": "u", "roles": []});
    for change in [
        json!({"id": null}),
        json!({"id": ["7"]}),
        // It becomes a segment of the next question's path.
        json!({"id": ".."}),
        json!({"id": "7/../8"}),
        json!({"id": "%2e%2e"}),
        json!({"login": ""}),
        json!({"roles": "A"}),
        json!({"roles": [{"name": "A"}]}),
        json!({"roles": ["A", null]}),
        json!({"kind": {}}),
    ] {
        let mut me = good.clone();
        for (name, value) in change.as_object().unwrap() {
            me[name] = value.clone();
        }
        assert_eq!(
            inquire("k", &[(200, me)]),
            Inquiry::Failed(Reason::Unfilterable),
            "{change}"
        );
    }
    let mut lacks = good;
    lacks.as_object_mut().unwrap().shift_remove("roles");
    assert_eq!(
        inquire("k", &[(200, lacks)]),
        Inquiry::Failed(Reason::Unfilterable)
    );
}

#[test]
fn errors_have_the_described_form() {
    let text = EVERYTHING.replace(
        "fields: { secrets",
        "errors: { code: \"{status}\", why: [\"{text}\"], at: \"E{status}\" }\nfields: { secrets",
    );
    let shape = described(&text).refuse(403, None);
    assert_eq!(shape.content_type, "application/json");
    assert_eq!(
        shape.filled(403, "No."),
        json!({"code": 403, "why": ["No."], "at": "E403"})
    );
    let shape = every().refuse(404, None);
    assert_eq!(
        shape.filled(404, "No."),
        json!({"error": {"status": 404, "message": "No."}})
    );
}
