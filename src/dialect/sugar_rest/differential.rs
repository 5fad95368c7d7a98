//! The native code and the description side by side.

use std::collections::BTreeMap;

use http::Method;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::{SugarRest, described};
use crate::dialect::spelling::encode;
use crate::dialect::{
    Answered, Bounds, Dialect, Exchange, Incoming, Inquiry, ObjectShape, Others, Outgoing,
    RecordShape, Shape, Understood, Wanted,
};
use crate::door::{Carrier, Control, Credential};
use crate::reason::Reason;
use crate::vocabulary::Action;

#[derive(Clone)]
struct Asked {
    method: String,
    target: String,
    accept: Option<String>,
    content_type: Option<String>,
    control: Option<String>,
    body: String,
    page_max: u32,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {:?} {:?} {:?} {}",
            self.method, self.target, self.accept, self.content_type, self.control, self.body
        )
    }
}

/// Pairs of a query string in an order that means nothing, and a body as the value that it is.
fn sorted(outgoing: Outgoing) -> String {
    let (path, query) = outgoing
        .target
        .split_once('?')
        .unwrap_or((&outgoing.target, ""));
    let in_text = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = crate::dialect::spelling::decode(value, true).unwrap_or_default();
        match serde_json::from_str::<Value>(&text) {
            Ok(value @ (Value::Array(_) | Value::Object(_))) => {
                format!("{name}={}", in_order(value))
            }
            _ => pair.to_owned(),
        }
    };
    let mut query: Vec<String> = query.split('&').map(in_text).collect();
    query.sort_unstable();
    let body = outgoing
        .body
        .map(|body| in_order(serde_json::from_slice(&body).unwrap()));
    let controls: Vec<_> = outgoing
        .controls
        .iter()
        .map(|control| (control.name(), control.value()))
        .collect();
    format!(
        "{} {path} {query:?} {body:?} {:?} {controls:?}",
        outgoing.method, outgoing.media
    )
}

fn in_order(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .into_iter()
                .map(|(key, value)| (key, in_order(value)))
                .collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(in_order).collect(),
        other => other,
    }
}

fn keys_in_order(keys: Vec<(&'static str, Shape)>) -> Vec<(&'static str, Shape)> {
    let mut keys: Vec<_> = keys
        .into_iter()
        .map(|(key, shape)| (key, ordered(shape)))
        .collect();
    keys.sort_by_key(|(key, _)| *key);
    keys
}

fn ordered(shape: Shape) -> Shape {
    let record = |record: RecordShape| RecordShape {
        keys: keys_in_order(record.keys),
        ..record
    };
    match shape {
        Shape::Object(object) => Shape::Object(ObjectShape {
            keys: keys_in_order(object.keys),
            others: match object.others {
                Others::Shape(shape) => Others::Shape(Box::new(ordered(*shape))),
                others => others,
            },
            required: object.required,
        }),
        Shape::List(inner) => Shape::List(Box::new(ordered(*inner))),
        Shape::Record(one) => Shape::Record(record(one)),
        Shape::OneOf(all) => Shape::OneOf(all.into_iter().map(record).collect()),
        other => other,
    }
}

fn shown(exchange: &dyn Exchange, depth: usize) -> Vec<String> {
    let operation = exchange.operation();
    let answer = exchange.answer();
    let mut lines = vec![
        format!(
            "{:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?}",
            operation.action,
            operation.access,
            operation.route,
            operation.version,
            operation.module,
            operation.record,
            operation.link,
            operation.related,
            operation.credential.is_some(),
        ),
        format!("{:?} {:?}", operation.uses(), operation.modules()),
        format!(
            "{:?}",
            operation.write.clone().map(|write| in_order(write.into()))
        ),
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            operation.query.order,
            operation.query.limit,
            operation.query.offset,
            operation.query.search,
            operation.query.beside,
            operation.query.about_caller,
            operation.query.compared,
        ),
        sorted(exchange.render(operation)),
        format!(
            "{:?} {} {} {}",
            ordered(answer.shape),
            answer.media,
            answer.describes,
            answer.hides_errors
        ),
        format!(
            "{:?} {:?}",
            exchange.spelling(),
            exchange.account(Some(&Credential::made_up(Carrier::Bearer)))
        ),
        format!(
            "{:?} {:?}",
            exchange.failure(400, br#"{"error":"invalid_grant","error_message":"x"}"#),
            exchange.failure(400, br#"{"error":"x"}"#)
        ),
    ];
    // What a plan leaves of a request is written alike.
    let mut narrowed = operation.clone();
    if let Some(write) = &mut narrowed.write {
        let first = write.keys().next().cloned();
        first.map(|first| write.shift_remove(&first));
    }
    if let Some(items) = &mut narrowed.query.projection {
        items.truncate(items.len() / 2);
    }
    lines.push(sorted(exchange.render(&narrowed)));
    if operation.action == Action::Update && depth == 0 && operation.write.is_some() {
        let write = operation.write.clone().unwrap_or_default();
        for wanted in [Wanted::Fields(&write), Wanted::Reply] {
            let look_up = exchange.look_up(wanted).unwrap();
            lines.extend(shown(&*look_up, 1));
            lines.push(format!("{:?}", look_up.unchanged()));
            let id = operation.record.clone().unwrap();
            for answer in [
                json!({"id": id, "a": 1}),
                json!({"a": {"b": []}}),
                json!([]),
                json!(1),
            ] {
                lines.push(format!(
                    "{:?}",
                    look_up.record(answer).map(|record| in_order(record.into()))
                ));
            }
        }
    }
    lines
}

type Whole = (Vec<String>, Option<crate::dialect::Query>);

fn outcome(dialect: &dyn Dialect, asked: &Asked) -> Vec<Whole> {
    let (path, query) = match asked.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (asked.target.as_str(), None),
    };
    let control = asked
        .control
        .as_ref()
        .map(|value| Control::stated("x-timestamp", value));
    let controls: Vec<Control> = control.into_iter().collect();
    let request = Incoming {
        method: &Method::from_bytes(asked.method.as_bytes()).unwrap(),
        path,
        query,
        accept: asked.accept.as_deref(),
        content_type: asked.content_type.as_deref(),
        controls: &controls,
        body: asked.body.as_bytes(),
    };
    let bounds = Bounds {
        page_max: asked.page_max,
        bulk_parts_max: 5,
        depth_max: 32,
    };
    let one = |exchange: Box<dyn Exchange>| {
        (
            shown(&*exchange, 0),
            Some(exchange.operation().query.clone()),
        )
    };
    let refused = |refused: crate::dialect::Misunderstood| {
        // The route of a request is told where it is known; the link may be unknown all the same.
        let route = refused
            .route
            .filter(|_| refused.objection.reason != Reason::UnknownLink);
        (
            vec![format!(
                "refused {:?} {:?} {:?}",
                refused.objection.reason,
                route,
                refused.objection.text()
            )],
            None,
        )
    };
    let mut all = vec![(vec![dialect.claims(path).to_string()], None)];
    match dialect.understand(&request, &bounds) {
        Ok(Understood::One(exchange)) => all.push(one(exchange)),
        Ok(Understood::Bulk {
            credential,
            route,
            version,
            parts,
        }) => {
            let token = credential.map(|credential| credential.token().to_owned());
            all.push((
                vec![format!("{token:?} {route} {version} {}", parts.len())],
                None,
            ));
            all.extend(parts.into_iter().map(|part| part.map_or_else(refused, one)));
        }
        Err(misunderstood) => all.push(refused(misunderstood)),
    }
    all
}

/// The same request with one stamp, and none beside another value: the engine takes several away wherever they stand, the
/// native code one.
fn stamped_once(asked: &Asked) -> Asked {
    let Some((path, query)) = asked.target.split_once('?') else {
        return asked.clone();
    };
    let decoded = |text: &str| crate::dialect::spelling::decode(text, true).unwrap_or_default();
    let part = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    let is_stamp = |pair: &str| {
        let (name, value) = part(pair);
        name == "_" && crate::dialect::carriers::is_cache_buster(&value)
    };
    let mut seen = query
        .split('&')
        .any(|pair| part(pair).0 == "_" && !is_stamp(pair));
    let pairs = query
        .split('&')
        .filter(|pair| !is_stamp(pair) || !std::mem::replace(&mut seen, true));
    let target = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
    Asked {
        target,
        ..asked.clone()
    }
}

/// Whether both understand a request alike, and whether they do; else what differs.
fn same(native: &dyn Dialect, described: &dyn Dialect, asked: &Asked) -> Result<bool, String> {
    let one = outcome(native, &stamped_once(asked));
    let other = outcome(described, asked);
    if one == other {
        return Ok(one.last().is_some_and(|(_, query)| query.is_some()));
    }
    let mut kind = String::new();
    for number in 0..one.len().max(other.len()) {
        let none = (Vec::new(), None);
        let (one, other) = (
            one.get(number).unwrap_or(&none),
            other.get(number).unwrap_or(&none),
        );
        for number in 0..one.0.len().max(other.0.len()) {
            let (one, other) = (one.0.get(number), other.0.get(number));
            if one != other {
                kind.push_str(&format!("native    {one:?}\ndescribed {other:?}\n"));
            }
        }
        if one.0 == other.0 && one.1 != other.1 {
            kind.push_str(&format!("query {:?}\n      {:?}\n", one.1, other.1));
        }
    }
    Err(kind)
}

/// The reason and route of a refusal of the whole.
fn refusal(dialect: &dyn Dialect, asked: &Asked) -> Option<String> {
    let all = outcome(dialect, asked);
    let last = all.last()?.0.first()?.clone();
    (all.len() == 2 && last.starts_with("refused")).then_some(last)
}

/// The same request without one of its parts, in each way.
fn lesser(asked: &Asked) -> Vec<Asked> {
    let mut all = Vec::new();
    if let Some((path, query)) = asked.target.split_once('?') {
        let pairs: Vec<&str> = query.split('&').collect();
        for left_out in 0..pairs.len() {
            let pairs = pairs
                .iter()
                .enumerate()
                .filter(|(number, _)| *number != left_out);
            let query: Vec<&str> = pairs.map(|(_, pair)| *pair).collect();
            let target = match query.is_empty() {
                true => path.to_owned(),
                false => format!("{path}?{}", query.join("&")),
            };
            all.push(Asked {
                target,
                ..asked.clone()
            });
        }
        all.push(Asked {
            target: path.to_owned(),
            ..asked.clone()
        });
    }
    if let Ok(Value::Object(members)) = serde_json::from_str::<Value>(&asked.body) {
        for key in members.keys() {
            let mut left = members.clone();
            left.shift_remove(key);
            all.push(Asked {
                body: Value::Object(left).to_string(),
                ..asked.clone()
            });
            for inner in ["filter", "fields"] {
                if key == inner
                    && let Some(Value::Array(items)) = members.get(key)
                {
                    for item in items {
                        let mut left = members.clone();
                        left.insert(key.clone(), Value::Array(vec![item.clone()]));
                        all.push(Asked {
                            body: Value::Object(left).to_string(),
                            ..asked.clone()
                        });
                    }
                }
            }
        }
    }
    if !asked.body.is_empty() {
        all.push(Asked {
            body: String::new(),
            ..asked.clone()
        });
    }
    all.extend(alone(asked));
    all.push(Asked {
        content_type: None,
        ..asked.clone()
    });
    all.push(Asked {
        accept: None,
        ..asked.clone()
    });
    all
}

/// Each part of a request alone, beside what its route needs.
fn alone(asked: &Asked) -> Vec<Asked> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let path = path.trim_end_matches('/');
    let needed = match path {
        path if !path.contains("search") => "",
        path if path.contains("/globalsearch") && path.matches('/').count() > 3 => "q=x",
        _ => "q=x&module_list=Contacts",
    };
    let body = match path {
        path if path.ends_with("/link") => r#"{"link_name":"contacts","ids":["c-1"]}"#,
        path if path.ends_with("/bulk") => r#"{"requests":[]}"#,
        path if path.ends_with("/token") => r#"{"grant_type":"refresh_token","refresh_token":"x"}"#,
        _ => "",
    };
    let mut all = Vec::new();
    for pair in query.split('&') {
        for needed in ["", needed] {
            for body in [body, "", asked.body.as_str()] {
                all.push(Asked {
                    target: format!("{path}?{pair}&{needed}"),
                    body: body.to_owned(),
                    content_type: None,
                    ..asked.clone()
                });
            }
        }
    }
    let members = match serde_json::from_str::<Value>(&asked.body) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let bodies = members
        .iter()
        .map(|(key, value)| json!({key: value}).to_string());
    for body in bodies.chain([asked.body.clone(), body.to_owned(), "{}".to_owned()]) {
        for content_type in [None, asked.content_type.clone()] {
            all.push(Asked {
                target: format!("{path}?{needed}"),
                body: body.clone(),
                content_type,
                ..asked.clone()
            });
        }
    }
    all
}

/// Whether a request has two faults of which one is told, and both sides would tell each of them.
fn has_two_faults(native: &dyn Dialect, described: &dyn Dialect, asked: &Asked) -> bool {
    let one = refusal(native, &stamped_once(asked));
    let (Some(one), Some(other)) = (one, refusal(described, asked)) else {
        return false;
    };
    let mut lesser: Vec<Asked> = lesser(asked);
    let deeper: Vec<Asked> = lesser.iter().flat_map(self::lesser).collect();
    lesser.extend(deeper);
    let told: Vec<String> = lesser
        .iter()
        .filter(|asked| same(native, described, asked).is_ok())
        .filter_map(|asked| refusal(described, asked))
        .collect();
    told.contains(&one) && told.contains(&other)
}

const MODULES: &[&str] = &[
    "Contacts",
    "Accounts",
    "Opportunities",
    "Users",
    "acme_Boats",
    "Emails",
];

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(MODULES).prop_map(str::to_owned),
        3 => select(vec!["c-1", "a-1", "1", "seed_max_id", "239a0f1a-9717-5533-9b0b-02982d49e6a2"]).prop_map(str::to_owned),
        3 => select(vec!["contacts", "cases", "members", "link", "filter", "count", "leancount", "favorite", "unfavorite", "enum",
            "globalsearch", "search", "duplicateCheck", "me", "ping", "metadata", "bulk", "public", "_hash", "lang", "oauth2",
            "preference", "preferences", "export", "MassUpdate", "Filters", "reports", "pmse_Inbox", "ForecastX", "config", "file"]).prop_map(str::to_owned),
        1 => "[A-Za-z0-9_.%~ +-]{0,6}",
        1 => select(vec!["%43ontacts", "a%2Db", "..", ".", "", "-1", "_x", "a.b", "%2543", "é", "v11", "v9", "fr_FR"]).prop_map(str::to_owned),
    ]
}

const KINDS: &[&str] = &[
    "oauth2/token",
    "oauth2/logout",
    "ping",
    "ping/whattimeisit",
    "me",
    "me/preferences",
    "me/preference/{w}",
    "metadata",
    "metadata/public",
    "metadata/_hash",
    "lang/{w}",
    "lang/public/{w}",
    "bulk",
    "search",
    "globalsearch",
    "{m}/globalsearch",
    "{m}/enum/{f}",
    "{m}/duplicateCheck",
    "{m}",
    "{m}/filter",
    "{m}/count",
    "{m}/filter/count",
    "{m}/{i}",
    "{m}/{i}/favorite",
    "{m}/{i}/unfavorite",
    "{m}/{i}/link",
    "{m}/{i}/link/{l}",
    "{m}/{i}/link/{l}/filter",
    "{m}/{i}/link/{l}/count",
    "{m}/{i}/link/{l}/filter/count",
    "{m}/{i}/link/{l}/leancount",
    "{m}/{i}/link/{l}/{i}",
];

fn filled(kind: &str) -> BoxedStrategy<String> {
    let kind = kind.to_owned();
    let module = prop_oneof![8 => select(MODULES).prop_map(str::to_owned), 1 => segment()];
    let id =
        prop_oneof![8 => select(vec!["c-1", "a-1", "1"]).prop_map(str::to_owned), 1 => segment()];
    let link = prop_oneof![8 => select(vec!["contacts", "cases", "members", "accounts", "opportunities", "nosuch", "Contacts"]).prop_map(str::to_owned), 1 => segment()];
    let field = prop_oneof![4 => select(vec!["status", "_x", "IBAN_c"]).prop_map(str::to_owned), 1 => segment()];
    let word =
        prop_oneof![4 => select(vec!["fr_FR", "datepref"]).prop_map(str::to_owned), 1 => segment()];
    (module, id, link, field, word)
        .prop_map(move |(module, id, link, field, word)| {
            kind.replace("{m}", &module)
                .replace("{i}", &id)
                .replace("{l}", &link)
                .replace("{f}", &field)
                .replace("{w}", &word)
        })
        .boxed()
}

fn path() -> impl Strategy<Value = String> {
    let version = prop_oneof![
        12 => select(vec!["/rest/v11_24/", "/rest/v11/", "/rest/v10/"]),
        1 => select(vec!["/rest/", "/rest/v9/", "/rest/v11_100/", "/rest/v11_04/", "/rest", "/REST/v11/", "/", "/rest/v1/", "/rest/v10_1/"]),
    ];
    let kind = prop_oneof![
        12 => select(KINDS).prop_flat_map(filled),
        1 => vec(segment(), 0..7).prop_map(|all| all.join("/")),
    ];
    let end = prop_oneof![8 => Just(""), 1 => Just("/"), 1 => Just("//")];
    (version, kind, end).prop_map(|(version, kind, end)| format!("{version}{kind}{end}"))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["id", "last_name", "iban_c", "name", "email", "date_modified", "status", "_module", "primary_address_city"]).prop_map(str::to_owned),
        2 => select(vec!["accounts.name", "members.name", "contacts.iban_c", "email_addresses.email_address",
            "email_addresses_primary.opt_out", "nosuch.a", "accounts.deleted", "email_addresses.deleted", "Accounts.name", "a.b.c", "assigned_user_link.x"]).prop_map(str::to_owned),
        1 => select(vec!["deleted", "Deleted", "a-b", "$x", "", "é", "ID", "contacts", "_1"]).prop_map(str::to_owned),
        1 => "[a-zA-Z_][a-z0-9_]{0,5}",
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => (-2i64..3).prop_map(Value::from),
        1 => Just(json!(1.5)),
        6 => select(vec!["", "0", "1", "c-1", "Contacts", "Ta", "today", "-7 DAY", "_this", "accounts", "é&amp;", "x y", "false", "true", "a:b", "no"]).prop_map(Value::from),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((name(), inner), 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn comparison() -> impl Strategy<Value = Value> {
    let operator = select(vec![
        "$equals",
        "$not_equals",
        "$starts",
        "$contains",
        "$in",
        "$not_in",
        "$is_null",
        "$empty",
        "$between",
        "$dateRange",
        "$lt",
        "$in_radius_from_zip",
        "$regex",
        "starts",
        "$STARTS",
    ]);
    let place = json!({"zipCode": "76000", "countries": ["FR"], "radius": 5, "unitType": "km"});
    let operand = prop_oneof![
        4 => leaf(),
        2 => vec(leaf(), 0..3).prop_map(Value::from),
        1 => Just(place),
        1 => anything(),
    ];
    prop_oneof![
        3 => leaf(),
        6 => vec((operator.prop_map(str::to_owned), operand), 1..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        1 => anything(),
    ]
}

fn filter() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        8 => (name(), comparison()).prop_map(|(name, value)| json!({name: value})),
        2 => (select(vec!["$owner", "$favorite", "$creator", "$tracker", "$following", "$nobody"]), leaf()).prop_map(|(name, value)| json!({name: value})),
        1 => vec((name(), comparison()), 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
    ];
    let nested = single.prop_recursive(3, 10, 3, |inner| {
        let list = vec(inner, 0..3).prop_map(Value::from);
        (select(vec!["$and", "$or", "$or", "$not"]), list)
            .prop_map(|(word, list)| json!({word: list}))
    });
    prop_oneof![8 => vec(nested, 0..3).prop_map(Value::from), 1 => anything()]
}

fn fields() -> impl Strategy<Value = Value> {
    let collection = (
        select(vec!["contacts", "members", "cases", "nosuch"]),
        arguments(false),
    )
        .prop_map(|(name, mut members)| {
            members.insert("name".to_owned(), name.into());
            Value::Object(members)
        });
    let item = prop_oneof![6 => name().prop_map(Value::from), 2 => collection, 1 => anything()];
    prop_oneof![
        4 => vec(name(), 0..4).prop_map(|names| names.join(",").into()),
        4 => vec(item, 0..4).prop_map(Value::from),
        1 => anything(),
    ]
}

fn order() -> impl Strategy<Value = Value> {
    let key = (
        name(),
        select(vec!["", ":asc", ":desc", ":DESC", ":down", ":", " desc"]),
    )
        .prop_map(|(name, way)| format!("{name}{way}"));
    prop_oneof![6 => vec(key, 0..3).prop_map(|keys| keys.join(",").into()), 1 => anything()]
}

/// Arguments as a JSON body has them.
fn arguments(nested: bool) -> BoxedStrategy<Map<String, Value>> {
    let fields = match nested {
        true => fields().boxed(),
        false => vec(name(), 0..3).prop_map(Value::from).boxed(),
    };
    let pair = |name: &'static str, value: BoxedStrategy<Value>| {
        value
            .prop_map(move |value| (name.to_owned(), value))
            .boxed()
    };
    let some = |words: Vec<Value>| prop_oneof![4 => select(words), 1 => anything()].boxed();
    let flag = || {
        some(vec![
            json!(true),
            json!(false),
            json!(0),
            json!("1"),
            json!("0"),
            json!(""),
        ])
    };
    let modules = || {
        some(vec![
            json!("Contacts"),
            json!("Contacts,Accounts"),
            json!(" Accounts , Leads"),
            json!("Reports"),
            json!("Contacts,Contacts"),
            json!(","),
        ])
    };
    let good = prop_oneof![
        3 => pair("fields", fields),
        3 => pair("filter", filter().boxed()),
        2 => pair("order_by", order().boxed()),
        2 => pair("max_num", some(vec![json!(5), json!("5"), json!(-1), json!("-1"), json!(0), json!(1000), json!("07"), json!(""), json!("9999999999")])),
        1 => pair("offset", some(vec![json!(0), json!("0"), json!(40), json!(-1), json!("x"), json!("")])),
        1 => pair("q", some(vec![json!("Ta"), json!("a:b"), json!(""), json!("x y"), json!(5)])),
        1 => pair("view", some(vec![json!("list"), json!("record"), json!("other"), json!("")])),
        1 => pair("my_items", flag()),
        1 => pair("favorites", flag()),
        1 => pair("nulls_last", flag()),
    ];
    let rare = prop_oneof![
        pair("deleted", flag()),
        pair("erased_fields", flag()),
        pair("filter_id", flag()),
        pair("viewed", flag()),
        pair("module_list", modules()),
        pair(
            "sort",
            some(vec![
                json!({"date_modified": "desc"}),
                json!({"a": "ASC", "b": "desc"}),
                json!({"accounts.name": "asc"}),
                json!([]),
                json!({"a": "up"})
            ])
        ),
        pair("highlights", flag()),
        pair("tags", flag()),
        pair("mod_aggs", flag()),
        pair("xmod_aggs", flag()),
        pair("filters", some(vec![json!([]), json!({}), json!("")])),
        pair("agg_filters", some(vec![json!([]), json!({}), json!("")])),
        pair("tag_filters", some(vec![json!([])])),
        pair(
            "type_filter",
            some(vec![
                json!("modules,labels"),
                json!(["a", "b"]),
                json!("a b")
            ])
        ),
        pair("platform", some(vec![json!("base"), json!("a b")])),
        pair("module_dependencies", flag()),
        pair("lang", some(vec![json!("fr_FR")])),
        pair("module_filter", some(vec![json!(["Contacts"])])),
        pair("nosuch", leaf().boxed()),
        pair("oauth_token", leaf().boxed()),
        pair("Download_Token", leaf().boxed()),
        pair("__sugar_url", leaf().boxed()),
        pair("_", some(vec![json!("17"), json!("x")])),
    ];
    let pairs = match nested {
        true => vec(prop_oneof![4 => good, 1 => rare], 0..4).boxed(),
        false => vec(prop_oneof![9 => good, 1 => rare], 0..3).boxed(),
    };
    pairs.prop_map(|pairs| pairs.into_iter().collect()).boxed()
}

/// Arguments as query strings have them: in brackets, or as JSON in a text.
fn query() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        12 => Just(String::new()),
        1 => "[a-z_\\[\\]$%0-9]{0,8}=[!-~]{0,6}",
        1 => select(vec!["_=17&_=18", "%5F=17", "_=%31", "filter[0][a]=1&filter[0][a]=2", "fields[]=id&fields[]=a", "fields=id&fields=a", "a", "x=1;y=2",
            "filter[0][a][$in][]=1&filter[0][a][$in][]=2", "filter[1][a]=x", "max_num[a]=1", "q[]=x", "order_by[]=a"]).prop_map(str::to_owned),
    ];
    (arguments(true), any::<u8>(), odd).prop_map(|(arguments, how, odd)| {
        let mut pairs = Vec::new();
        for (number, (name, value)) in arguments.iter().enumerate() {
            let in_brackets = how >> (number % 8) & 1 == 0;
            match value {
                Value::String(text) => pairs.push(format!("{name}={}", encode(text))),
                Value::Array(_) | Value::Object(_) if in_brackets => {
                    flatten(name.clone(), value, &mut pairs)
                }
                Value::Null => pairs.push(format!("{name}=")),
                other => pairs.push(format!("{name}={}", encode(&other.to_string()))),
            }
        }
        if !odd.is_empty() {
            pairs.push(odd);
        }
        pairs.join("&")
    })
}

fn flatten(name: String, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                flatten(format!("{name}[{number}]"), item, pairs);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                flatten(format!("{name}[{key}]"), member, pairs);
            }
        }
        Value::String(text) => pairs.push(format!("{}={}", encode(&name), encode(text))),
        other => pairs.push(format!("{name}={}", encode(&other.to_string()))),
    }
}

fn record() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        6 => name(),
        4 => select(vec!["id", "_module", "module_name", "module", "record", "link_name", "remote_id", "__sugar_url", "fields", "view", "filter_id",
            "erased_fields", "_acl", "_hash", "following", "_score", "_Score", "_highlights", "_search", "reference_id", "duplicate_check_rank",
            "Reference_id", "viewed", "deleted", "Record", "VIEW", "locked_fields", "next_offset"]).prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        4 => leaf(), 3 => select(vec!["c-1", "a-1", "1", "Contacts", "Accounts", "acme_Boats", "id,name", ""]).prop_map(Value::from),
        1 => anything(),
    ];
    vec((name, value), 0..5).prop_map(|pairs| pairs.into_iter().collect())
}

fn relations() -> impl Strategy<Value = Map<String, Value>> {
    let column = (name(), leaf());
    let id = select(vec!["c-1", "c-2", "a-1", "../x", "filter", "x"]);
    let item = prop_oneof![
        3 => id.clone().prop_map(Value::from),
        3 => (weighted(0.95, id), vec(column, 0..3)).prop_map(|(id, columns)| {
            let mut members: Map<String, Value> = columns.into_iter().collect();
            id.map(|id| members.insert("id".to_owned(), id.into()));
            Value::Object(members)
        }),
        1 => anything(),
    ];
    let link = prop_oneof![8 => select(vec!["contacts", "members", "cases", "nosuch", "Contacts"]).prop_map(Value::from), 1 => anything()];
    let ids = prop_oneof![10 => vec(item, 0..4).prop_map(Value::from), 1 => anything()];
    (
        weighted(0.95, link),
        weighted(0.95, ids),
        weighted(0.05, anything()),
    )
        .prop_map(|(link, ids, other)| {
            let pairs = [("link_name", link), ("ids", ids), ("module", other)];
            let pairs = pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            pairs.collect()
        })
}

fn login() -> impl Strategy<Value = Map<String, Value>> {
    let name = select(vec![
        "client_id",
        "client_secret",
        "username",
        "password",
        "refresh_token",
        "platform",
        "current_language",
        "client_info",
        "redirect_uri",
        "state",
        "code",
        "x",
    ]);
    let grant = prop_oneof![4 => select(vec!["password", "refresh_token", "client_credentials", ""]).prop_map(Value::from), 1 => anything()];
    let value = prop_oneof![6 => select(vec!["ada", "s", "", "a*b", "fr_FR"]).prop_map(Value::from), 1 => anything()];
    (weighted(0.95, grant), vec((name, value), 0..6)).prop_map(|(grant, pairs)| {
        let mut body: Map<String, Value> = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        grant.map(|grant| body.insert("grant_type".to_owned(), grant));
        body
    })
}

fn part() -> impl Strategy<Value = Value> {
    let url = (
        select(vec![
            "/v11_24/",
            "v11/",
            "/v10/",
            "/",
            "",
            "/rest/v11/",
            "v9/",
        ]),
        select(KINDS).prop_flat_map(filled),
        weighted(0.3, query()),
    )
        .prop_map(|(start, path, query)| match query {
            Some(query) => format!("{start}{path}?{query}"),
            None => format!("{start}{path}"),
        });
    let method = select(vec![
        json!("GET"),
        json!("POST"),
        json!("PUT"),
        json!("DELETE"),
        json!("PATCH"),
        json!("get"),
        Value::Null,
        json!(1),
    ]);
    let data = prop_oneof![
        3 => record().prop_map(|body| Value::Object(body).to_string().into()), 3 => arguments(true).prop_map(Value::Object),
        1 => relations().prop_map(Value::Object), 1 => anything(),
    ];
    let headers = prop_oneof![
        6 => select(vec![json!([]), json!(["OAuth-Token: t"]), json!({"OAuth-Token": "t"}), json!(["Content-Type: application/json"]), json!({"X-Metadata-Hash": "x"}),
            json!(["Accept: */*"]), json!(["Accept: text/html"]), json!({"Authorization": "Bearer x"}), json!(["Content-Type: text/plain"]), json!({"Cookie": "a"})]),
        1 => anything(),
    ];
    let other = (
        select(vec!["dataType", "timeout", "type", "contentType", "body"]),
        leaf(),
    );
    (
        url,
        weighted(0.8, method),
        weighted(0.4, data),
        weighted(0.3, headers),
        weighted(0.1, other),
    )
        .prop_map(|(url, method, data, headers, other)| {
            let mut part = Map::from_iter([("url".to_owned(), Value::from(url))]);
            method.map(|method| part.insert("method".to_owned(), method));
            data.map(|data| part.insert("data".to_owned(), data));
            headers.map(|headers| part.insert("headers".to_owned(), headers));
            other.map(|(name, value)| part.insert(name.to_owned(), value));
            Value::Object(part)
        })
}

fn body(path: &str) -> BoxedStrategy<String> {
    let json = |strategy: BoxedStrategy<Map<String, Value>>| {
        strategy
            .prop_map(|body| Value::Object(body).to_string())
            .boxed()
    };
    let meant = if path.ends_with("bulk") {
        vec(part(), 0..4)
            .prop_map(|parts| json!({"requests": parts}).to_string())
            .boxed()
    } else if path.contains("oauth2/token") {
        json(login().boxed())
    } else if path.ends_with("/link") {
        json(relations().boxed())
    } else if path.contains("filter") || path.contains("search") || path.contains("metadata") {
        json(arguments(true))
    } else {
        json(record().boxed())
    };
    prop_oneof![
        8 => meant,
        1 => Just(String::new()),
        1 => anything().prop_map(|body| body.to_string()),
        1 => select(vec!["{}", "[]", "{\"id\":\"c-1\"}", "{\"a\":1,\"A\":2}", "{", "a=1&b=2", "grant_type=password&username=ada&password=p"]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn asked() -> impl Strategy<Value = Asked> {
    let stated = "application/vnd.sugarcrm.core+json; version=11.24";
    let accept = prop_oneof![12 => Just(None), 1 => select(vec![Some("text/html"), Some(stated), Some("application/vnd.sugarcrm.other+json"), Some("application/vnd.sugarcrm.core+json;version=\"10\""), Some("application/vnd.sugarcrm.core+json; version=42")])];
    let content_type = prop_oneof![6 => Just(None), 4 => Just(Some("application/json")), 1 => select(vec![Some("application/vnd.api+json"), Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("application/json; charset=utf-16")])];
    let control = weighted(
        0.05,
        select(vec!["2026-03-02T09:15:00+00:00", "x", "", "2026"]),
    );
    (
        path(),
        accept,
        content_type,
        control,
        weighted(0.6, query()),
        select(vec![5u32, 20, 100]),
    )
        .prop_flat_map(|(path, accept, content_type, control, query, page_max)| {
            let methods = match path
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default()
            {
                "filter" | "count" | "globalsearch" | "metadata" => vec!["GET", "POST", "POST"],
                "bulk" | "duplicateCheck" | "link" | "token" | "logout" => {
                    vec!["POST", "POST", "POST", "GET"]
                }
                "favorite" | "unfavorite" => vec!["PUT", "DELETE"],
                _ => vec!["GET", "GET", "POST", "PUT", "DELETE", "PATCH"],
            };
            let target = match query {
                Some(query) if !query.is_empty() => format!("{path}?{query}"),
                _ => path.clone(),
            };
            (select(methods), body(&path), any::<u8>()).prop_map(move |(method, body, chance)| {
                Asked {
                    method: method.to_owned(),
                    target: target.clone(),
                    accept: accept.map(str::to_owned),
                    content_type: content_type.map(str::to_owned),
                    control: control.map(str::to_owned),
                    body: if matches!(method, "GET" | "DELETE") && chance > 20 {
                        String::new()
                    } else {
                        body
                    },
                    page_max,
                }
            })
        })
}

/// Changes bytes of a request that others know.
fn mutated(asked: &Asked, changes: &[(usize, u8, u8)]) -> Asked {
    let change = |text: &str, at: usize, byte: u8, how: u8| {
        let mut bytes = text.as_bytes().to_vec();
        let at = at % (bytes.len() + 1);
        match how % 3 {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => bytes[at] = byte,
            _ if at < bytes.len() => {
                bytes.remove(at);
            }
            _ => {}
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut asked = asked.clone();
    for (at, byte, how) in changes {
        if how % 2 == 0 || asked.body.is_empty() {
            let target = change(&asked.target[1..], *at, *byte, how / 2);
            asked.target = format!("/{target}");
        } else {
            asked.body = change(&asked.body, *at, *byte, how / 2);
        }
    }
    asked
}

fn known() -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    if let Ok(path) = std::env::var("DIFFERENTIAL_FILE") {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let parts: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| parts[name].as_str().map(str::to_owned);
            all.push(Asked {
                method: text("method").unwrap(),
                target: text("target").unwrap(),
                accept: text("accept"),
                content_type: text("content_type"),
                control: text("control"),
                body: text("body").unwrap_or_default(),
                page_max: u32::try_from(parts["page_max"].as_u64().unwrap_or(100)).unwrap(),
            });
        }
    }
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/understand");
    for entry in std::fs::read_dir(seeds).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let mut parts = text.splitn(4, '\n').map(str::to_owned);
        all.push(Asked {
            method: parts.next().unwrap(),
            target: parts.next().unwrap(),
            accept: None,
            content_type: parts.next(),
            control: None,
            body: parts.next().unwrap_or_default(),
            page_max: 100,
        });
    }
    all
}

fn runner() -> TestRunner {
    match std::env::var("DIFFERENTIAL_SEED") {
        Err(_) => TestRunner::new(Config::default()),
        Ok(seed) => {
            let mut bytes = [0; 32];
            bytes[..seed.len()].copy_from_slice(seed.as_bytes());
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
            TestRunner::new_with_rng(Config::default(), rng)
        }
    }
}

/// What became of many requests.
#[derive(Default)]
struct Tally {
    all: u32,
    understood: u32,
    two_faults: u32,
    by_kind: BTreeMap<String, (u32, String)>,
}

impl Tally {
    fn count(&mut self, native: &dyn Dialect, described: &dyn Dialect, asked: &Asked) {
        self.all += 1;
        match same(native, described, asked) {
            Ok(is_understood) => self.understood += u32::from(is_understood),
            Err(_) if has_two_faults(native, described, asked) => self.two_faults += 1,
            Err(text) => {
                let kind: String = text.chars().take(150).collect();
                let text = format!("{asked:?}\n{text}");
                let seen = self
                    .by_kind
                    .entry(kind)
                    .or_insert_with(|| (0, text.clone()));
                seen.0 += 1;
                if text.len() < seen.1.len() {
                    seen.1 = text;
                }
            }
        }
    }

    fn tell(&self) {
        eprintln!(
            "{} requests, {} understood, {} with two faults, {} kinds of difference",
            self.all,
            self.understood,
            self.two_faults,
            self.by_kind.len()
        );
        for (times, text) in self.by_kind.values().take(15) {
            let text: String = text.chars().take(900).collect();
            eprintln!("{times} times: {text}");
        }
        assert!(self.by_kind.is_empty());
    }
}

#[test]
fn random_requests() {
    let cases = std::env::var("DIFFERENTIAL")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3_000u32);
    let (native, described) = (SugarRest::new(), described());
    // What an installation has may make a field of a name that means nothing elsewhere.
    let said = json!({"modules": {
        "Contacts": {"fields": {
            "reference_id": {"type": "varchar"}, "module_name": {"type": "varchar"}, "_score": {"type": "int"},
            "members": {"type": "link", "module": "acme_Boats"},
        }},
        "acme_Boats": {"fields": {"contacts": {"type": "link", "module": "Contacts"}, "name": {"type": "name"}}},
    }});
    let said = || super::metadata::read(said.to_string().as_bytes()).unwrap();
    let (schema, _) = native.schema().and(said());
    let customised = (
        native.with_schema(schema.clone()),
        described.with_schema(schema),
    );
    let mut runner = runner();
    let mut tally = Tally::default();
    let (asked, known) = (asked(), known());
    let change = vec(
        (
            any::<usize>(),
            select(b"&=[]%.+;,:{}\"$ _0a1D/".to_vec()),
            any::<u8>(),
        ),
        0..4,
    );
    for number in 0..cases {
        let asked = match number % 3 {
            0 if !known.is_empty() => {
                let one = &known[number as usize / 3 % known.len()];
                mutated(one, &change.new_tree(&mut runner).unwrap().current())
            }
            _ => asked.new_tree(&mut runner).unwrap().current(),
        };
        match number % 2 {
            0 => tally.count(&native, &described, &asked),
            _ => tally.count(&*customised.0, &*customised.1, &asked),
        }
    }
    tally.tell();
}

#[test]
fn known_requests() {
    let (native, described) = (SugarRest::new(), described());
    let mut tally = Tally::default();
    for asked in known() {
        tally.count(&native, &described, &asked);
    }
    tally.tell();
}

#[test]
fn the_rest_is_the_same() {
    let (native, described) = (SugarRest::new(), described());
    assert_eq!(native.name(), described.name());
    let mut head = native.head_form().clone();
    // The front door knows this one of many APIs.
    head.controls = vec!["x-timestamp"];
    assert_eq!(&head, described.head_form());
    assert_eq!(native.schema().hash(), described.schema().hash());
    assert_eq!(native.assemble("x"), described.assemble("x"));
    for reason in Reason::ALL {
        assert_eq!(native.label(*reason), described.label(*reason));
        assert_eq!(native.status(*reason), described.status(*reason));
        for label in [None, native.label(*reason)] {
            let status = reason.status();
            let (one, other) = (
                native.refuse(status, label),
                described.refuse(status, label),
            );
            assert_eq!(one.content_type, other.content_type);
            assert_eq!(
                one.filled(status, "x \"y\""),
                other.filled(status, "x \"y\"")
            );
        }
    }
    for status in 400..600 {
        assert_eq!(native.refuse(status, None), described.refuse(status, None));
    }
    let said = |status, body: Value| Answered {
        status,
        body: body.to_string().into(),
    };
    let me = said(
        200,
        json!({"current_user": {"id": "u-1", "user_name": "ada"}}),
    );
    for version in ["v11", "v10", "v11_24"] {
        for answers in [
            vec![],
            vec![me.clone()],
            vec![said(401, Value::Null)],
            vec![said(200, Value::Null)],
            vec![said(500, Value::Null)],
        ] {
            let credential = Credential::made_up(Carrier::Bearer);
            let (one, other) = (
                native.inquire(version, &credential, &answers),
                described.inquire(version, &credential, &answers),
            );
            assert_eq!(one, other);
            assert!(!matches!(one, Inquiry::Failed(Reason::UnknownRoute)));
        }
    }
    let metadata = br#"{"modules":{"Contacts":{"fields":{"a_c":{"type":"int"}}}}}"#;
    assert_eq!(
        native.described(None, metadata),
        described.described(None, metadata)
    );
}
