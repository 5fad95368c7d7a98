//! The native code and the description side by side.

use bytes::Bytes;
use http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::{SuiteCrmV8, described};
use crate::dialect::{
    Answered, Bounds, Dialect, Exchange, Incoming, Inquiry, Outgoing, Shape, Understood, Wanted,
};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;

fn sorted(outgoing: Outgoing) -> (String, String, Vec<String>, Value, String, usize) {
    let (path, query) = match outgoing.target.split_once('?') {
        Some((path, query)) => (path.to_owned(), query.to_owned()),
        None => (outgoing.target.clone(), String::new()),
    };
    let mut query: Vec<String> = query.split('&').map(str::to_owned).collect();
    query.sort();
    let body = outgoing.body.unwrap_or(Bytes::from_static(b"null"));
    (
        outgoing.method.to_string(),
        path,
        query,
        Value::String(String::from_utf8(body.to_vec()).unwrap()),
        format!("{:?}", outgoing.media),
        outgoing.controls.len(),
    )
}

fn shown(exchange: &dyn Exchange, depth: usize) -> Vec<String> {
    let operation = exchange.operation();
    let mut lines = vec![
        format!(
            "{:?} {:?} {} {:?} {:?} {:?} {:?} {:?}",
            operation.action,
            operation.access,
            operation.route,
            operation.version,
            operation.module,
            operation.record,
            operation.link,
            operation.related
        ),
        format!("{:?}", operation.uses()),
        format!("{:?}", operation.write.as_ref().map(|write| Value::Object(write.clone()))),
        format!(
            "{:?} {:?} {:?}",
            operation.query.projection, operation.query.order, operation.query.limit
        ),
        format!("{:?}", sorted(exchange.render(operation))),
        format!("{:?}", (ordered(exchange.answer().shape), exchange.answer().media, exchange.answer().describes, exchange.answer().hides_errors)),
        format!("{:?} {:?}", exchange.spelling(), exchange.account(Some(&Credential::made_up(Carrier::Basic)))),
    ];
    for body in [
        r#"{"error":"invalid_client","message":"x"}"#,
        r#"{"errors":{"status":400}}"#,
        "",
    ] {
        lines.push(format!("{:?}", exchange.failure(400, body.as_bytes())));
    }
    if operation.action == crate::vocabulary::Action::Update && depth == 0 {
        let write = operation.write.clone().unwrap_or_default();
        for wanted in [Wanted::Fields(&write), Wanted::Reply] {
            let look_up = exchange.look_up(wanted).unwrap();
            lines.extend(shown(&*look_up, 1));
            lines.push(format!("{:?}", look_up.unchanged()));
            let id = operation.record.clone().unwrap();
            for answer in [
                serde_json::json!({"data": {"type": "x", "id": id, "attributes": {"a": 1, "id": 3}}}),
                serde_json::json!({"data": {"type": "x", "id": id, "attributes": []}}),
                serde_json::json!({"data": {"type": "x", "id": id, "attributes": 1}}),
                serde_json::json!({"data": {"attributes": {}}}),
                serde_json::json!({"data": []}),
                serde_json::json!([]),
            ] {
                lines.push(format!("{:?}", look_up.record(answer).map(Value::Object)));
            }
        }
    }
    lines
}

/// The keys of objects in an order that means nothing.
fn ordered(shape: Shape) -> Shape {
    match shape {
        Shape::Object(mut object) => {
            object.keys = object.keys.into_iter().map(|(key, shape)| (key, ordered(shape))).collect();
            object.keys.sort_by_key(|(key, _)| *key);
            Shape::Object(object)
        }
        other => other,
    }
}

struct Asked {
    method: &'static str,
    target: String,
    content_type: Option<&'static str>,
    body: String,
    page_max: u32,
}

fn outcome(dialect: &dyn Dialect, asked: &Asked) -> Vec<String> {
    let (path, query) = match asked.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (asked.target.as_str(), None),
    };
    let request = Incoming {
        method: &Method::from_bytes(asked.method.as_bytes()).unwrap(),
        path,
        query,
        accept: Some("text/html"),
        content_type: asked.content_type,
        controls: &[],
        body: asked.body.as_bytes(),
    };
    let bounds = Bounds {
        page_max: asked.page_max,
        bulk_parts_max: 1,
        depth_max: 32,
    };
    let mut lines = vec![format!("{}", dialect.claims(path))];
    match dialect.understand(&request, &bounds) {
        Ok(Understood::One(exchange)) => lines.extend(shown(&*exchange, 0)),
        Ok(Understood::Bulk { .. }) => panic!("an envelope"),
        Err(refused) => lines.push(format!("{:?} {:?}", refused.objection.reason, refused.route)),
    }
    lines
}

fn same(asked: &Asked) -> Result<bool, String> {
    let native = outcome(&SuiteCrmV8::new(), asked);
    let described = outcome(&described(), asked);
    if native == described {
        return Ok(native.len() > 2);
    }
    let mut text = format!("{} {} {:?} {}\n", asked.method, asked.target, asked.content_type, asked.body);
    for number in 0..native.len().max(described.len()) {
        let (one, other) = (native.get(number), described.get(number));
        if one != other {
            text.push_str(&format!("native    {one:?}\ndescribed {other:?}\n"));
        }
    }
    Err(text)
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["Contacts", "Contact", "aCase", "Accounts", "Notes", "Users", "User", "acme_Boats", "Cases"]).prop_map(str::to_owned),
        3 => select(vec!["c-1", "a-1", "1", "seed_sally_id", "239a0f1a-9717-5533-9b0b-02982d49e6a2"]).prop_map(str::to_owned),
        2 => select(vec!["contacts", "cases", "relationships", "members", "SecurityGroups", "nosuch"]).prop_map(str::to_owned),
        1 => "[A-Za-z0-9_.%~ +-]{0,6}",
        1 => select(vec!["%43ontacts", "a%2Db", "..", ".", "", "-1", "_x", "a.b", "%2543", "é", "a/b", "index.php", "V8", "module"]).prop_map(str::to_owned),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let place = select(vec!["/Api/", "/Api/", "/Api/", "/Api/index.php/", "/legacy/Api/", "/legacy/Api/index.php/", "/api/", "/Api", "/legacy/", "/"]);
    let kind = prop_oneof![
        6 => Just("V8/module/{m}".to_owned()),
        5 => Just("V8/module/{m}/{i}".to_owned()),
        5 => Just("V8/module".to_owned()),
        5 => Just("V8/module/{m}/{i}/relationships/{l}".to_owned()),
        3 => Just("V8/module/{m}/{i}/relationships".to_owned()),
        3 => Just("V8/module/{m}/{i}/relationships/{l}/{i}".to_owned()),
        1 => select(vec!["access_token", "V8/logout", "V8/current-user", "V8/meta/modules", "V8/meta/fields/{m}", "V8/listview/columns/{m}", "V8/search-defs/module/{m}"]).prop_map(str::to_owned),
        1 => vec(segment(), 0..7).prop_map(|all| all.join("/")),
        1 => vec(segment(), 0..4).prop_map(|all| format!("V8/module/{}", all.join("/"))),
    ];
    let module = select(vec!["Contacts", "Contact", "aCase", "Accounts", "Users", "acme_Boats", "Notes", "{s}"]);
    let id = select(vec!["c-1", "a-1", "1", "seed_sally_id", "{s}"]);
    let link = select(vec!["contacts", "cases", "members", "accounts", "SecurityGroups", "nosuch", "{s}"]);
    let end = select(vec!["", "", "", "/", "//"]);
    (place, kind, module, id, link, segment(), end).prop_map(|(place, kind, module, id, link, segment, end)| {
        let path = kind.replace("{m}", module).replace("{i}", id).replace("{l}", link).replace("{s}", &segment);
        format!("{place}{path}{end}")
    })
}

fn parameter() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        3 => select(vec!["fields[Contacts]", "fields[Contact]", "fields[Cases]", "fields[{m}]", "fields", "fields[]", "fields[Contacts][]"]).prop_map(str::to_owned),
        4 => ("[a-z_]{1,6}|deleted|Deleted|operator|Operator|a\\.b|iban_c|0", select(vec!["eq", "EQ", "neq", "gt", "gte", "lt", "lte", "like", "LIKE", "in", "and", "", "eq][x"]))
            .prop_map(|(field, operator)| format!("filter[{field}][{operator}]")),
        1 => select(vec!["filter", "filter[]", "filter[a]", "filter[operator]", "filter%5Boperator%5D", "filter[OPERATOR]", "filter[operator][eq]", "filter[deleted][eq]"]).prop_map(str::to_owned),
        2 => select(vec!["sort", "sort[]", "Sort"]).prop_map(str::to_owned),
        3 => select(vec!["page[size]", "page[number]", "page", "page[offset]", "page[]", "page[size][]"]).prop_map(str::to_owned),
        1 => select(vec!["_", "token", "access_token", "Token[a]", "moduleName", "id", "_METHOD", "deleted", "data[type]"]).prop_map(str::to_owned),
        1 => "[a-zA-Z_\\[\\]%-]{0,8}",
    ];
    let value = prop_oneof![
        2 => select(vec!["", "1", "0", "00", "2", "20", "100", "101", "1000000", "999999999", "9999999999", "-1", "1.5", "07"]).prop_map(str::to_owned),
        3 => select(vec!["id", "last_name,iban_c", "a,a", "a, b", "a%2C%20b", "-last_name", "--a", "a,b", "_x", "id,,a", "%20a", "AND", "or", "OR", "and", "xor"]).prop_map(str::to_owned),
        2 => select(vec!["Martin", "%25x", "x%26y", "&amp;", "%26amp%3B", "x%20order%20by%20y", "(contact_name", "x'y", "%00", "%C3%A9", "é", "x+y"]).prop_map(str::to_owned),
        1 => "[!-~]{0,8}",
    ];
    (name, value, any::<bool>()).prop_map(|(name, value, equals)| if equals || !value.is_empty() { format!("{name}={value}") } else { name })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        select(vec!["", "0", "1", "c-1", "a-1", "Contacts", "Contact", "x", "é&amp;", "0b8f6a52-3c1d-4e7a-9f10-2d3c4b5a6978", "../x"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec(("[a-z_]{1,5}|id|deleted", inner), 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        4 => "[a-z][a-z_]{0,6}(_c)?",
        2 => select(vec!["last_name", "iban_c", "id", "deleted", "Deleted", "filename", "Filename", "uploadfile", "filecontents", "FileContents", "table_name", "New_With_Id", "_x", "a.b", "a-b", "ID", "db"]).prop_map(str::to_owned),
    ];
    prop_oneof![
        6 => vec((name, json()), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        1 => json(),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![6 => select(vec!["Contacts", "Contact", "aCase", "Accounts", "Users", "Cases", "1x", "a-b", ""]).prop_map(Value::from), 1 => json()];
    let id = prop_oneof![6 => select(vec!["c-1", "a-1", "0b8f6a52-3c1d-4e7a-9f10-2d3c4b5a6978", "", "../x", "-1"]).prop_map(Value::from), 1 => json()];
    let parts = (
        proptest::option::weighted(0.95, kind),
        proptest::option::weighted(0.7, id),
        proptest::option::weighted(0.7, attributes()),
        proptest::option::weighted(0.05, json()),
    );
    let data = parts.prop_map(|(kind, id, attributes, other)| {
        let mut data = serde_json::Map::new();
        for (name, value) in [("type", kind), ("id", id), ("attributes", attributes), ("relationships", other)] {
            if let Some(value) = value {
                data.insert(name.to_owned(), value);
            }
        }
        Value::Object(data)
    });
    (prop_oneof![12 => data, 1 => json()], proptest::option::weighted(0.05, json())).prop_map(|(data, other)| {
        let mut body = serde_json::Map::from_iter([("data".to_owned(), data)]);
        if let Some(other) = other {
            body.insert("meta".to_owned(), other);
        }
        Value::Object(body)
    })
}

fn login() -> impl Strategy<Value = Value> {
    let name = select(vec!["client_id", "client_secret", "scope", "username", "password", "refresh_token", "platform", "code", "redirect_uri", "x"]);
    let grant = prop_oneof![select(vec!["password", "refresh_token", "client_credentials", "authorization_code", ""]).prop_map(Value::from), json()];
    let value = prop_oneof![4 => select(vec!["ada", "s", "", "a*b"]).prop_map(Value::from), 1 => json()];
    (proptest::option::weighted(0.95, grant), vec((name, value), 0..6)).prop_map(|(grant, pairs)| {
        let mut body: serde_json::Map<String, Value> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(grant) = grant {
            body.insert("grant_type".to_owned(), grant);
        }
        Value::Object(body)
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let body = prop_oneof![
        4 => Just(String::new()),
        4 => document().prop_map(|body| body.to_string()),
        1 => login().prop_map(|body| body.to_string()),
        1 => json().prop_map(|body| body.to_string()),
        1 => select(vec!["{}", "[]", "{\"id\":\"c-1\"}", "{\"id\":\"a-1\"}", "{\"a\":1,\"A\":2}", "{", "a=1&b=2", "grant_type=password&username=ada&password=p"]).prop_map(str::to_owned),
    ];
    let content_type = select(vec![None, None, None, Some("application/json"), Some("application/vnd.api+json"), Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("application/json; charset=utf-16")]);
    let method = select(vec!["GET", "GET", "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"]);
    let page_max = select(vec![20u32, 100, 500]);
    (method, path(), vec(parameter(), 0..4), content_type, body, page_max).prop_map(|(method, path, parameters, content_type, body, page_max)| {
        let target = if parameters.is_empty() { path } else { format!("{path}?{}", parameters.join("&")) };
        Asked { method, target, content_type, body, page_max }
    })
}

/// The same, of which more is understood.
fn likely() -> impl Strategy<Value = Asked> {
    let form = select(vec![
        ("GET", "V8/module/{m}", 1),
        ("GET", "V8/module/{m}/{i}", 1),
        ("GET", "V8/module/Accounts/{i}/relationships/contacts", 1),
        ("POST", "V8/module", 2),
        ("PATCH", "V8/module", 2),
        ("DELETE", "V8/module/{m}/{i}", 2),
        ("POST", "V8/module/Accounts/{i}/relationships", 2),
        ("POST", "V8/module/Accounts/{i}/relationships/contacts", 2),
        ("DELETE", "V8/module/Accounts/{i}/relationships/contacts/c-1", 2),
        ("POST", "access_token", 3),
    ]);
    let good = prop_oneof![
        ("[a-z]{1,4}(_c)?", select(vec!["eq", "neq", "LIKE", "gte"]), "[ -~é]{0,8}").prop_map(|(field, operator, value)| format!("filter[{field}][{operator}]={}", crate::dialect::spelling::encode(&value))),
        select(vec!["fields[Contacts]=id,last_name", "fields[Cases]=a,b", "fields[Case]=a", "sort=-a", "sort=b", "page[size]=10", "page[size]=1000", "page[number]=3", "page[number]=1", "filter[operator]=or", "filter[operator]=AND", "filter[deleted][eq]=0", "_=17", "sort=", "filter="]).prop_map(str::to_owned),
        parameter(),
    ];
    let place = select(vec!["/Api/", "/legacy/Api/"]);
    let module = select(vec!["Contacts", "Contact", "aCase", "acme_Boats"]);
    let id = select(vec!["c-1", "a-1"]);
    (form, place, module, id, vec(good, 0..5), document(), login(), any::<bool>(), select(vec![20u32, 100])).prop_map(
        |((method, path, takes), place, module, id, parameters, document, login, empty, page_max)| {
            let path = path.replace("{m}", module).replace("{i}", id);
            let target = match takes == 1 && !parameters.is_empty() {
                true => format!("{place}{path}?{}", parameters.join("&")),
                false => format!("{place}{path}"),
            };
            let body = match takes {
                2 if !(empty && method == "DELETE") => document.to_string(),
                3 => login.to_string(),
                _ => String::new(),
            };
            Asked { method, target, content_type: None, body, page_max }
        },
    )
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?} {}", self.method, self.target, self.content_type, self.body)
    }
}

#[test]
fn random_requests() {
    let cases = std::env::var("DIFFERENTIAL").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let mut runner = match std::env::var("DIFFERENTIAL_SEED") {
        Err(_) => TestRunner::new(Config::default()),
        Ok(seed) => {
            let mut bytes = [0; 32];
            bytes[..seed.len()].copy_from_slice(seed.as_bytes());
            let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes);
            TestRunner::new_with_rng(Config::default(), rng)
        }
    };
    let (one, other) = (asked(), likely());
    let (mut understood, mut by_kind) = (0, std::collections::BTreeMap::<String, (u32, String)>::new());
    for number in 0..cases {
        let asked = match number % 2 {
            0 => one.new_tree(&mut runner).unwrap().current(),
            _ => other.new_tree(&mut runner).unwrap().current(),
        };
        match same(&asked) {
            Ok(is_understood) => understood += u32::from(is_understood),
            Err(text) => {
                let kind: String = text.split_once('\n').unwrap().1.chars().take(160).collect();
                let seen = by_kind.entry(kind).or_insert_with(|| (0, text.clone()));
                seen.0 += 1;
                if text.len() < seen.1.len() {
                    seen.1 = text;
                }
            }
        }
    }
    eprintln!("{understood} of {cases} understood");
    for (times, text) in by_kind.values().take(40) {
        eprintln!("{times} times: {text}");
    }
    assert!(by_kind.is_empty());
}

/// Requests in a file: method, target, content type, body, a line each, tabs between.
#[test]
fn known_requests() {
    let Ok(path) = std::env::var("DIFFERENTIAL_FILE") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let (mut all, mut understood, mut failures) = (0, 0, Vec::new());
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [method, target, content_type, body] = parts.as_slice() else { panic!("{line}") };
        let asked = Asked {
            method: method.to_string().leak(),
            target: target.to_string(),
            content_type: (!content_type.is_empty()).then(|| &*content_type.to_string().leak()),
            body: body.to_string(),
            page_max: 100,
        };
        all += 1;
        match same(&asked) {
            Ok(is_understood) => understood += u32::from(is_understood),
            Err(text) => failures.push(text),
        }
    }
    eprintln!("{all} requests, {understood} understood, {} differ", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_rest_is_the_same() {
    let (native, described) = (SuiteCrmV8::new(), described());
    assert_eq!(native.name(), described.name());
    assert_eq!(native.head_form(), described.head_form());
    assert_eq!(native.schema().hash(), described.schema().hash());
    for reason in Reason::ALL {
        assert_eq!(native.label(*reason), described.label(*reason));
        assert_eq!(native.status(*reason), described.status(*reason));
        for label in [None, native.label(*reason)] {
            let status = reason.status();
            let (one, other) = (native.refuse(status, label), described.refuse(status, label));
            assert_eq!(one.content_type, other.content_type);
            assert_eq!(one.filled(status, "x \"y\"").to_string(), other.filled(status, "x \"y\"").to_string());
        }
    }
    let said = |status, body: Value| Answered { status, body: body.to_string().into() };
    let me = said(200, serde_json::json!({"data": {"id": "u-1", "attributes": {"user_name": "ada", "is_admin": "0"}}}));
    let list = said(200, serde_json::json!({"data": []}));
    for version in ["V8", "V8 at legacy", "V8 at index.php", "V8 at legacy/index.php", "v11_24"] {
        for answers in [vec![], vec![me.clone()], vec![me.clone(), list.clone()], vec![me.clone(), list.clone(), list.clone()], vec![said(401, Value::Null)], vec![said(200, Value::Null)]] {
            for carrier in [Carrier::Bearer, Carrier::Basic] {
                let credential = Credential::made_up(carrier);
                let (one, other) = (native.inquire(version, &credential, &answers), described.inquire(version, &credential, &answers));
                assert_eq!(one, other);
                assert!(!matches!(one, Inquiry::Failed(Reason::UnknownRoute)));
            }
        }
    }
}
