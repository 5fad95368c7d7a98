//! What is accepted and written back means the same when it is read again; nothing else is accepted.

use crate::dialect::testing::Speaks as _;
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::dialect::carriers::query_string;
use crate::dialect::engine::{rsql, sql};
use crate::dialect::{Path, Predicate, spelling};

fn path(text: &str) -> Option<Path> {
    let known = ["t.a", "t.b", "x.c"];
    known.contains(&text).then(|| Path {
        link: None,
        field: text.to_owned(),
    })
}

fn write(filter: &Predicate) -> String {
    sql::write(filter, &|path| path.field.clone())
}

/// Texts that may stand in quotes, and texts that may not.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 %_:,.é€-]{0,12}",
        "[a-zA-Z \"']{0,8}",
        "[ -~]{0,6}"
    ]
}

fn comparison() -> impl Strategy<Value = String> {
    let column = prop::sample::select(vec!["t.a", "t.b", "x.c", "y.d", "t.a b"]);
    let operator = prop::sample::select(vec![
        "=", "!=", "<", ">=", "like", "NOTLIKE", "in", "is", "regexp",
    ]);
    let value = prop_oneof![
        literal().prop_map(|text| format!("'{text}'")),
        (-999..999i32).prop_map(|number| number.to_string()),
        Just("null".to_owned()),
        literal(),
        (literal(), 0..9u8).prop_map(|(text, number)| format!("'{text}',{number}")),
    ];
    (column, operator, value)
        .prop_map(|(column, operator, value)| format!("({column}:{operator}:{value})"))
}

fn sql_filter() -> impl Strategy<Value = String> {
    comparison().prop_recursive(4, 24, 4, |inner| {
        let word = prop::sample::select(vec![" and ", " or ", " AND ", ")or(", " xor "]);
        prop_oneof![
            (inner.clone(), word, inner.clone())
                .prop_map(|(one, word, other)| format!("{one}{word}{other}")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

/// A text in RSQL, or nearly.
fn rsql_filter() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-zA-Z0-9*é._-]{1,6}",
        "[ -~]{0,6}".prop_map(|text| format!("'{text}'")),
        "[ -~]{0,4}"
    ];
    let operator = prop::sample::select(vec!["==", "<", "<=", "=in=", "=not="]);
    let column = prop::sample::select(vec!["t.a", "t.b", "x.c", "y.d"]);
    let leaf = (
        column,
        operator,
        prop::collection::vec(value, 1..3),
        any::<bool>(),
    )
        .prop_map(|(column, operator, values, list)| {
            if list {
                format!("{column}{operator}({})", values.join(","))
            } else {
                format!("{column}{operator}{}", values[0])
            }
        });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let between = prop::sample::select(vec![",", ";", ";,"]);
        prop_oneof![
            (inner.clone(), between, inner.clone())
                .prop_map(|(one, between, other)| format!("{one}{between}{other}")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

/// A filter of the bracket and JSON style, over fields and links.
fn item() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        "[ -~é]{0,8}".prop_map(Value::String),
        (0..99u32).prop_map(Value::from),
        Just(Value::Bool(true)),
        prop::collection::vec("[a-z&=+%]{0,4}".prop_map(Value::String), 1..4)
            .prop_map(Value::Array),
    ];
    let leaf = (
        prop::sample::select(vec!["is", "has", "in"]),
        prop::sample::select(vec!["town", "surname", "firm.iban"]),
        value,
    );
    leaf.prop_map(
        |(operator, field, value)| json!({"type": operator, "attribute": field, "value": value}),
    )
    .prop_recursive(3, 16, 3, |inner| {
        (
            prop::sample::select(vec!["and", "or"]),
            prop::collection::vec(inner, 1..4),
        )
            .prop_map(|(word, items)| json!({"type": word, "value": items}))
    })
}

/// Items of which all hold.
fn group() -> impl Strategy<Value = Value> {
    let item = (
        prop::sample::select(vec!["is", "in"]),
        prop::sample::select(vec!["town", "surname", "firm.iban"]),
        prop::collection::vec("[ -~é]{0,8}", 0..3),
        any::<bool>(),
    );
    let item = item.prop_map(|(operator, field, values, is_list)| match is_list {
        true => json!({"type": operator, "attribute": field, "values": values}),
        false => json!({"type": operator, "attribute": field, "value": values.first()}),
    });
    prop::collection::vec(item, 1..4).prop_map(|items| json!({"all": items}))
}

/// A key of an order, as an object.
fn key() -> impl Strategy<Value = Value> {
    let field = prop::sample::select(vec!["town", "surname", "firm.name"]);
    (field, prop::sample::select(vec!["asc", "DESC"]))
        .prop_map(|(field, way)| json!({"field": field, "direction": way}))
}

/// A term of a domain, as the elements that it consists of.
fn domain() -> impl Strategy<Value = Vec<Value>> {
    let leaf = (
        prop::sample::select(vec!["town", "surname", "firm.iban"]),
        prop::sample::select(vec!["is", "not in"]),
        "[ -~é]{0,8}",
    );
    leaf.prop_map(|(field, operator, value)| vec![json!([field, operator, value])])
        .prop_recursive(4, 24, 2, |inner| {
            let word = prop::sample::select(vec!["&", "|"]);
            prop_oneof![
                (word, inner.clone(), inner.clone()).prop_map(|(word, one, other)| [
                    vec![json!(word)],
                    one,
                    other
                ]
                .concat()),
                inner.prop_map(|term| [vec![json!("!")], term].concat()),
            ]
        })
}

/// Reads a request and the one that it becomes.
fn twice(every: &Described, line: &str) -> (Operation, Operation) {
    let first = understand(every, line, "").unwrap_or_else(|reason| panic!("{line}: {reason}"));
    let outgoing = every.render(&first);
    let again = format!("{} {}", outgoing.method, outgoing.target);
    let second = understand(every, &again, "").unwrap_or_else(|reason| panic!("{again}: {reason}"));
    (first, second)
}

proptest! {
    #[test]
    fn sql_filters_mean_the_same_when_read_again(text in sql_filter()) {
        if let Some(filter) = sql::parse(&text, &path) {
            let written = write(&filter);
            prop_assert_eq!(sql::parse(&written, &path), Some(filter), "{}", written);
        }
    }

    #[test]
    fn rsql_means_the_same_when_read_again(text in rsql_filter()) {
        let operators = ["==", "<", "<=", "=in="];
        if let Some(filter) = rsql::parse(&text, &operators, &path) {
            let written = rsql::write(&filter, &|path| path.field.clone());
            prop_assert_eq!(rsql::parse(&written, &operators, &path), Some(filter), "{}", written);
        }
    }

    #[test]
    fn accepted_sql_filters_are_made_of_known_parts_only(text in "[(): '=<>a-z0-9.,;%\"\\\\-]{0,40}", filter in sql_filter(), at in 0..60usize) {
        // A piece of noise in a good filter as well.
        let mut noisy = filter;
        let at = at.min(noisy.len());
        if noisy.is_char_boundary(at) {
            noisy.insert_str(at, &text[..text.len().min(3)]);
        }
        for text in [text, noisy] {
            let Some(filter) = sql::parse(&text, &path) else { continue };
            let written = write(&filter);
            // A text begins behind a colon or a comma and ends before a bracket or a comma; quotes within are its own.
            let (mut outside, mut rest) = (String::new(), written.as_str());
            while let Some((before, after)) = rest.split_once('\'') {
                outside.push_str(before);
                prop_assert!(before.ends_with([':', ',']), "{}", written);
                let inside = after.split(')').next().unwrap_or_default();
                let criterion = written[..written.len() - after.len()].rsplit('(').next();
                let is_list = criterion.is_some_and(|part| part.contains("in:"));
                let end = if is_list { inside.find('\'') } else { inside.rfind('\'') };
                prop_assert!(end.is_some(), "{}", written);
                rest = &after[end.unwrap_or_default() + 1..];
                prop_assert!(rest.starts_with([')', ',']), "{}", written);
            }
            outside.push_str(rest);
            let words = outside.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').filter(|word| !word.is_empty());
            for word in words {
                let known = ["and", "or", "t.a", "t.b", "x.c", "like", "notlike", "in", "notin", "is", "isnot", "null"];
                prop_assert!(known.contains(&word) || word.parse::<f64>().is_ok(), "{word} in {written}");
            }
        }
    }

    #[test]
    fn where_in_json_means_the_same_when_read_again(items in prop::collection::vec(item(), 0..4)) {
        let every = every();
        let text = json!({"where": items}).to_string();
        let (first, second) = twice(&every, &format!("GET /api/people?q={}", spelling::encode(&text)));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn groups_and_keys_mean_the_same_when_read_again(groups in prop::collection::vec(group(), 0..4), order in prop::collection::vec(key(), 0..3)) {
        let every = every();
        let body = json!({"groups": groups, "order": order}).to_string();
        let first = understand(&every, "POST /api/found/people", &body).unwrap();
        let outgoing = every.render(&first);
        let again = String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap();
        let second = understand(&every, "POST /api/found/people", &again).unwrap();
        prop_assert_eq!(first, second);
    }

    #[test]
    fn domains_mean_the_same_when_read_again(terms in prop::collection::vec(domain(), 0..4), descending in any::<bool>()) {
        let every = every();
        let order = if descending { "town desc, surname" } else { "surname,town ASC" };
        let body = json!({"domain": terms.concat(), "order": order}).to_string();
        let first = understand(&every, "POST /api/domain/people", &body).unwrap();
        let outgoing = every.render(&first);
        let again = String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap();
        let second = understand(&every, "POST /api/domain/people", &again).unwrap();
        prop_assert_eq!(first, second);
    }

    #[test]
    fn where_in_brackets_means_the_same_when_read_again(items in prop::collection::vec(item(), 1..4)) {
        let every = every();
        let tree = Map::from_iter([("where".to_owned(), Value::Array(items))]);
        let (first, second) = twice(&every, &format!("GET /api/people?{}", query_string::write(&tree)));
        prop_assert_eq!(first.query, second.query);
    }

    #[test]
    fn no_query_string_makes_it_panic(text in "[ -~]{0,60}", body in "[ -~]{0,60}") {
        let every = every();
        for line in ["GET /api/people?", "GET /api/sql/firms?", "POST /api/search/people?"] {
            if let Ok(operation) = understand(&every, &format!("{line}{text}"), &body) {
                every.render(&operation);
            }
        }
    }

    #[test]
    fn no_description_makes_it_panic(from in 0..4000usize, length in 0..40usize, text in "[ -~]{0,12}") {
        let from = from.min(EVERYTHING.len());
        let to = (from + length).min(EVERYTHING.len());
        let (described, found) = Described::read("x.yaml", &format!("{}{text}{}", &EVERYTHING[..from], &EVERYTHING[to..]));
        prop_assert_eq!(described.is_some(), !found.has_errors());
    }
}
